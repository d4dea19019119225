"""The catalogue of reasons as a table: act, effect, severity, who has to look, what the ledger does, what Salesforce gets.

A dash in the fifth column: nobody has to look. Codes are append-only: never renamed, never reused; a
retired code stays in the table.
"""

CATALOGUE = """
# Nothing to do, and records of nobody.
NOOP_IN_SYNC | NOTHING | KEEP | DEBUG | - | none | none
NOOP_OWN_ECHO | NOTHING | KEEP | DEBUG | - | none | none (digest equals last write)
NOOP_DELETED_UNLINKED | NOTHING | DENY | INFO | - | none | none
SUBJECT_UNLINKED_REPORTED | NOTHING | DENY | WARN | link report | none | none
ECHO_WITHOUT_LEDGER | HALT | DENY | CRIT | P1 ops | none; suspect ledger restore or second bridge | freeze writes for the org

# Salesforce follows the ledger.
PUSH_NEUTRAL | NOTHING | KEEP | INFO | - | mark pushed | write status Not asked / Requested
PUSH_GRANT | NOTHING | KEEP | INFO | - | mark pushed | write permitted values, dates, digest
PUSH_BASIS | NOTHING | KEEP | INFO | - | mark pushed | write basis and status
PUSH_STOP | NOTHING | DENY | NOTICE | - | mark pushed | priority lane: write stop to every linked record, set standard flag where whole channel is stopped
PUSH_LAPSE | NOTHING | DENY | INFO | - | mark pushed | write Expired / Ended
PUSH_RESTRICTION | NOTHING | DENY | NOTICE | - | mark pushed | priority lane: write Restricted
PUSH_ERASURE | NOTHING | DENY | NOTICE | DPO | mark pushed | open erase task or run configured anonymise job

# Stops.
STOP_HONOURED | STOP | DENY | NOTICE | sample 5% for right-person check | append WITHDRAW (or REFUSE) at subject authority, event_time=min(claimed, observed) | write stop to all linked records; stamp reason
STOP_HONOURED_NEW_SUBJECT | STOP | DENY | NOTICE | link review | create subject and link, append stop, add suppression | write stop
STOP_HONOURED_AS_OBJECTION | STOP | DENY | NOTICE | rights case, due one month | append OBJECT_MARKETING if purpose is marketing else OBJECT_GROUNDS | write Objected / Under review
STOP_RECORDED_SERVICE_CONTINUES | STOP | KEEP | NOTICE | human reply, due one month | append subject-wide marketing stop; this basis unchanged | write marketing stop; keep service permission; tell rep why
STOP_CORROBORATED | CORROBORATE | DENY | INFO | - | append corroboration, no state change | re-assert stop if any linked record differs
STOP_SUPPRESSION_REAFFIRMED | REAFFIRM_SUPPRESSION | DENY | NOTICE | DPO | refresh suppression entry only (no profile) | erase task

# Claims.
GRANT_PENDING_IDENTITY | QUARANTINE | DENY | WARN | identity review | store candidate event, no grant | write Not asked
GRANT_ACCEPTED_VERIFIED | GRANT | RAISE | NOTICE | - | append GRANT, event_time=evidence time, effective_from=max(evidence, verified) | write permitted values
RENEWAL_ACCEPTED_VERIFIED | RENEW | RAISE | INFO | - | append RENEW with new evidence | write new dates
GRANT_SUPERSEDED_NOTED | NOTHING | KEEP | INFO | - | attach evidence to history | re-assert ledger values
GRANT_REDUNDANT_NOTED | NOTHING | KEEP | INFO | - | log only; expiry not extended | re-assert ledger values
GRANT_BASIS_MISMATCH | QUARANTINE | KEEP | WARN | privacy review | store candidate event | revert; show basis actually relied on
GRANT_AFTER_STOP_REVIEW | QUARANTINE | DENY | WARN | four-eyes review | store candidate; stop stands | revert to stop
GRANT_AFTER_STOP_REJECTED | NOTHING | DENY | WARN | rep pattern counter | log rejected claim | revert to stop at once; notify rep
GRANT_PREDATES_STOP_REJECTED | NOTHING | DENY | WARN | - | log; later stop wins | revert to stop
GRANT_PREDATES_LAPSE_REJECTED | NOTHING | DENY | INFO | - | log; evidence is older than the lapse | revert
GRANT_QUARANTINED_NEW_SUBJECT | QUARANTINE | DENY | WARN | quarantine | create subject, store candidate | write Not asked; show Waiting for proof
GRANT_QUARANTINED_ATTESTED | QUARANTINE | DENY | WARN | quarantine, 5 working days | store candidate with attachment | revert; show Waiting for review
GRANT_QUARANTINED_NO_EVIDENCE | QUARANTINE | DENY | WARN | quarantine, auto-close 30 days | store candidate | revert; show Proof missing
GRANT_HELD_RESTRICTION | QUARANTINE | DENY | WARN | rights case | store candidate until restriction lifts | re-assert Restricted
GRANT_AFTER_ERASURE_REVIEW | NOTHING | DENY | WARN | DPO four-eyes | store nothing but a keyed match; ask for a new subject record | none
GRANT_AFTER_ERASURE_REJECTED | NOTHING | DENY | WARN | DPO | log keyed match only | revert; erase task
TIMESTAMP_IMPLAUSIBLE_HELD | QUARANTINE | DENY | WARN | quarantine | store candidate | revert

# Drift and flags.
BLANK_REVERTED | NOTHING | KEEP | INFO | - | none | re-assert ledger values
BLANK_REVERTED_STOP_KEPT | NOTHING | DENY | WARN | rep pattern counter | none | priority re-assert of stop
METADATA_REVERTED | NOTHING | KEEP | INFO | - | none | re-assert ledger values
FLAG_STOP_HONOURED | STOP_CHANNEL | DENY | NOTICE | sample | append channel marketing stop at subject authority | write channel stop on all linked records
FLAG_STOP_CHANNEL_MARKETING | STOP_CHANNEL | KEEP | NOTICE | - | append channel marketing stop; service basis unchanged | write channel stop; what the service shows stays
FLAG_CLEAR_NOT_A_GRANT | NOTHING | DENY | INFO | - | log; no grant | leave flag, keep permission field unpermitted
FLAG_CLEAR_CONSISTENT | NOTHING | KEEP | INFO | - | log | none
FLAG_CLEAR_REVERTED | NOTHING | DENY | WARN | rep pattern counter | log | set flag again at once

# Rights of the person.
RIGHTS_REQUEST_OPENED | OPEN_RIGHTS_CASE | DENY | NOTICE | rights case, due one month | open rights case; Solicit=marketing objection, Processing=restriction, Profiling=objection to profiling, ShouldForget=erasure; apply the stop at once | write stop / Restricted
RIGHTS_REQUEST_OPENED_UNLINKED | OPEN_RIGHTS_CASE | DENY | NOTICE | rights case, due one month | create subject, open rights case, apply stop | write stop
RIGHTS_REQUEST_ALREADY_CLOSED | NOTHING | DENY | NOTICE | DPO | log against closed case | erase task

# Contacts that come and go.
SUBJECT_CREATED_DEFAULT_DENY | LINK | DENY | INFO | - | create subject, link, all consent purposes UNKNOWN, assign non-consent bases by rule | write initial values
SUBJECT_LINKED_EXISTING | LINK | KEEP | INFO | - | add link | write projection
SUBJECT_LINKED_GRANT_NOT_INHERITED | LINK_AS_CANDIDATE | DENY | INFO | identity review | add link as candidate; grant stays with proven person | write Not asked until identity confirmed
SUBJECT_LINKED_STOP_INHERITED | LINK | DENY | NOTICE | - | add link | write stop at once
CONTACT_MATCHES_SUPPRESSION | LINK | DENY | WARN | DPO if erased | log keyed match; keep suppression | write Do not contact; no marketing
LINK_CLOSED_SOFT | CLOSE_LINK | DENY | INFO | - | close link, keep ledger | none
LINK_CLOSED_PURGED | CLOSE_LINK_PURGED | DENY | INFO | - | close link, start orphan retention clock | none
LINK_CLOSED_STOP_RETAINED | CLOSE_LINK | DENY | INFO | - | close link, keep stop and suppression | none
LINK_REOPENED_REASSERTED | LINK | KEEP | INFO | - | reopen link, re-evaluate | overwrite with ledger projection
LINK_REOPENED_STOP_REASSERTED | LINK | DENY | NOTICE | - | reopen link | priority re-assert of stop
UNDELETE_OF_ERASED_BLOCKED | LINK | DENY | CRIT | P1 DPO | log keyed match | erase task, block fields
UPDATE_OF_ERASED_BLOCKED | NOTHING | DENY | WARN | DPO | log keyed match | erase task
ERASED_RECORD_STILL_PRESENT | NOTHING | DENY | WARN | DPO, ageing | none | erase task outstanding
ERASURE_CONFIRMED_IN_CRM | CONFIRM_ERASURE | DENY | INFO | - | mark CRM leg of erasure done | none

# Who is who.
MERGE_UNLINKED_ADOPTED | JOIN | DENY | INFO | - | link winner, default deny | write projection
MERGE_RESTRICTIVE_JOIN | JOIN | KEEP | NOTICE | sample | join the two subjects by the restrictive join, keep both histories | write joined projection to winner
MERGE_STOP_CARRIED | JOIN | DENY | NOTICE | - | carry every stop to winner, keep both contact points suppressed | priority write of stop to winner
MERGE_RESTRICTION_CARRIED | JOIN | DENY | NOTICE | rights case updated | carry restriction or challenge | write Restricted to winner
MERGE_WITH_ERASED_REVIEW | JOIN | DENY | WARN | DPO | do not re-create erased profile; carry suppression | write stop
DUPLICATE_UNLINKED_REVIEW | NOTHING | DENY | WARN | identity review | none | none
DUPLICATE_FLAGGED | NOTHING | KEEP | INFO | identity review | record shared contact point | none: a shared address changes no answer
DUPLICATE_GRANT_NOT_SHARED | NOTHING | KEEP | INFO | identity review | grant stays with the proven subject | other contact shows Not asked
DUPLICATE_STOP_PROPAGATED | PROPAGATE_STOP | DENY | NOTICE | - | apply stop to every subject holding that contact point | write stop to all
CONTACT_POINT_REKEYED | REKEY | KEEP | INFO | - | register new contact point, retire old | write projection
GRANT_NOT_PORTED_TO_NEW_POINT | END_GRANT_OF_OLD_POINT | DENY | NOTICE | - | address-scoped grant ends; person-scoped grant kept only with identity proof | write Not asked for new address
STOP_CARRIED_TO_NEW_POINT | REKEY | DENY | NOTICE | - | apply stop to new point, keep old suppressed | write stop

# Rows.
PERM_RECREATED | NOTHING | KEEP | INFO | - | none | re-create row from ledger (upsert by ledger id)
PERM_RECREATED_STOP | NOTHING | DENY | NOTICE | rep pattern counter | none | priority re-create of stop row
PERM_DUPLICATE_COLLAPSED | NOTHING | KEEP | INFO | - | none | keep row with ledger id and highest revision, remove other
PERM_ORPHAN_REPORTED | NOTHING | DENY | WARN | link report | none | none
PERM_REPARENT_REVERTED | NOTHING | KEEP | WARN | review | none | restore lookup; never move evidence to another person
PERM_UNMAPPABLE_HELD | HOLD | DENY | WARN | config review | none | mark row Not recognised

# Mass changes.
MASS_CHANGE_CIRCUIT_OPEN | PARK | HOLD | CRIT | P1 ops and DPO | process stops only; park every widening change | no widening or reverting writes

# The clock.
REQUEST_LAPSED | EXPIRE | DENY | INFO | - | append EXPIRE (request closed) | write Not asked
EXPIRED_BY_RULE | EXPIRE | DENY | NOTICE | - | append EXPIRE (consent) or END (other), actor=clock; an open restriction stays open, an open challenge ends as OBJECTED | write Expired or Ended
BASIS_REVIEW_OVERDUE | HOLD | HOLD | WARN | privacy review | hold basis: assessment past review date | write Under review
BASIS_ENDED_BY_RULE | EXPIRE | DENY | NOTICE | - | append END | write Ended
STOP_NEVER_EXPIRES | NOTHING | DENY | DEBUG | - | none | none
RENEWAL_PROMPT_DUE | PROMPT | KEEP | INFO | renewal list | append renewal request due | write Renew-by date; add to the renewal Campaign of the purpose, if it names one
BASIS_REVIEW_DUE | PROMPT | KEEP | INFO | privacy review | schedule assessment or contract review | write Renew-by date where the permission has an end of its own
REPERMISSION_BLOCKED | NOTHING | DENY | NOTICE | - | log attempt | none; never place on renewal list
REPERMISSION_NEEDS_ROUTE | NOTHING | DENY | INFO | - | offer in-session or service-message-footer routes only | write Expired: ask in person

# Another policy, another place.
PURPOSE_RETIRED_CLOSED | CLOSE_REQUEST | DENY | INFO | - | close open requests | write Not asked, with the reason that we no longer do this; what has lapsed stays so
PURPOSE_RETIRED_REVOKED | REVOKE_BY_POLICY | DENY | NOTICE | - | append REVOKE / END with policy ref | write Lapsed, with the reason that we no longer do this
PURPOSE_RETIRED_STOP_KEPT | CARRY_TO_SUCCESSOR | DENY | INFO | - | stop kept and mapped to successor purpose | write stop
NOTICE_SUPERSEDED_NOTED | LINK_NOTICE | KEEP | INFO | - | link newer notice; evidence keeps the old one | none
REAFFIRMATION_REQUIRED | REAFFIRM | KEEP | NOTICE | renewal list | mark needs reaffirmation, set grace end; expire at grace end | write Renew-by date
NOTICE_REISSUE_REQUIRED | LINK_NOTICE | KEEP | NOTICE | notice list | schedule notice | none: the permission stands, and it is ours to tell them
STOP_UNAFFECTED_BY_POLICY | NOTHING | DENY | DEBUG | - | none | none
BASIS_REASSIGNED_NEUTRAL | NOTHING | DENY | INFO | - | re-evaluate under new basis | write projection
BASIS_REASSIGNED_NOTICE_DUE | NOTHING | KEEP | NOTICE | notice list | re-evaluate; old basis until notice served | write projection
BASIS_SWAP_BLOCKED | NOTHING | KEEP | WARN | DPO | keep consent history authoritative; new basis not applied to this subject without DPO decision | none
PROFILE_REEVALUATED_STRICTER | MOVE | KEEP | NOTICE | - | apply stricter of old and new profile until evidence meets new one | write projection

# Writes that failed.
WRITE_FAILED_RETRY | NOTHING | KEEP | WARN | ops after N tries | none | retry with backoff; what is there keeps the time and revision of the last write that went through
WRITE_FAILED_STOP_ESCALATED | NOTHING | DENY | CRIT | P1 ops | stop already effective in ledger | retry first in queue; fall back to standard flag; alert

# Decided beside the situations, by people or by the clock.
MARKETING_ON_WRONG_BASIS | NOTHING | KEEP | WARN | config review | none; an objection is honoured all the same | none
STOP_CORRECTED_AS_ERROR | NOTHING | DENY | NOTICE | - | append CORRECT (two people, evidence of the error): the key is neutral again, nothing is permitted | write status Not asked
QUARANTINE_APPROVED | NOTHING | RAISE | NOTICE | - | append the claimed GRANT (two people) | write permitted values
QUARANTINE_REFUSED | NOTHING | DENY | INFO | - | close the claim | re-assert ledger values
QUARANTINE_TIMED_OUT | TIME_OUT | DENY | INFO | - | close the claim that nobody judged in time | re-assert ledger values
RIGHTS_CASE_OPENED_PORTABILITY | OPEN_RIGHTS_CASE | KEEP | NOTICE | rights case, due one month | open rights case; permissions untouched | none
RIGHTS_CASE_DUE_SOON | REMIND | KEEP | NOTICE | rights case | note that somebody was reminded | none
RIGHTS_CASE_OVERDUE | REMIND | KEEP | WARN | rights case | note that somebody was reminded | none
JURISDICTION_DEFAULTED_STRICTEST | NOTHING | KEEP | INFO | - | apply the strictest of all profiles | write projection

# About the bridge itself.
POLICY_BUNDLE_ACTIVATED | NOTHING | KEEP | NOTICE | - | judge everybody under the new bundle from the next cycle on (two people) | write projection
CYCLE_STARTED | NOTHING | KEEP | DEBUG | - | none | none
CYCLE_COMPLETED | NOTHING | KEEP | INFO | - | record the manifest of the cycle | none
CYCLE_INCOMPLETE | NOTHING | KEEP | WARN | P1 ops | record how far the cycle came | none
CHECKPOINT_SIGNED | NOTHING | KEEP | INFO | - | sign the audit up to here | none
CHAIN_VERIFIED | NOTHING | KEEP | INFO | - | none | none
CHAIN_BROKEN | NOTHING | KEEP | CRIT | P1 ops and DPO | none | none
EVIDENCE_SHREDDED | NOTHING | KEEP | NOTICE | - | destroy the key of one person's payloads; the chain still verifies | none

# Retired: what it was for has rules of its own now. An old decision may still name it.
SITUATION_NOT_YET_JUDGED | HOLD | HOLD | WARN | config review | hold what is permitted until somebody has looked | re-assert ledger values
"""
