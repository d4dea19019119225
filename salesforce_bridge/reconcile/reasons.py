"""The catalogue of reasons: what each code makes the ledger do, who is told, how much it weighs, and how to say it.

Codes are append-only: never renamed, never reused. A retired code stays, with a successor.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from salesforce_bridge.reconcile.sentences import SENTENCES


class Act(StrEnum):
    """What the ledger does for a reason. What Salesforce gets is always the difference to the standing."""

    NOTHING = "NOTHING"
    STOP = "STOP"
    STOP_CHANNEL = "STOP_CHANNEL"
    CORROBORATE = "CORROBORATE"
    QUARANTINE = "QUARANTINE"
    LINK = "LINK"
    LINK_AS_CANDIDATE = "LINK_AS_CANDIDATE"
    CLOSE_LINK = "CLOSE_LINK"
    JOIN = "JOIN"
    PROPAGATE_STOP = "PROPAGATE_STOP"
    REKEY = "REKEY"
    END_GRANT_OF_OLD_POINT = "END_GRANT_OF_OLD_POINT"
    EXPIRE = "EXPIRE"
    HOLD = "HOLD"
    HALT = "HALT"
    GRANT = "GRANT"  # on a proof that a machine has checked
    RENEW = "RENEW"
    OPEN_RIGHTS_CASE = "OPEN_RIGHTS_CASE"  # and stop, restrict or object at once
    REVOKE_BY_POLICY = "REVOKE_BY_POLICY"
    CLOSE_REQUEST = "CLOSE_REQUEST"
    CARRY_TO_SUCCESSOR = "CARRY_TO_SUCCESSOR"
    LINK_NOTICE = "LINK_NOTICE"
    REAFFIRM = "REAFFIRM"
    PROMPT = "PROMPT"
    MOVE = "MOVE"  # to another jurisdiction, with the stricter of both rules
    PARK = "PARK"  # leave an edit unread until a person has looked at the mass change
    CLOSE_LINK_PURGED = "CLOSE_LINK_PURGED"
    CONFIRM_ERASURE = "CONFIRM_ERASURE"
    REAFFIRM_SUPPRESSION = "REAFFIRM_SUPPRESSION"


class Effect(StrEnum):
    """What a reason does to marketing use of the key, at once."""

    KEEP = "KEEP"
    DENY = "DENY"
    HOLD = "HOLD"
    RAISE = "RAISE"


class Severity(StrEnum):
    """How much a reason weighs, by syslog's names."""

    DEBUG = "DEBUG"
    INFO = "INFO"
    NOTICE = "NOTICE"
    WARN = "WARN"
    CRIT = "CRIT"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One answer of the decision table."""

    code: str
    act: Act
    effect: Effect
    severity: Severity
    queue: str | None  # who has to look, None: nobody
    sentence: str


NOT_YET_JUDGED = "SITUATION_NOT_YET_JUDGED"


def _catalogue(*rows: tuple[str, Act, Effect, Severity, str | None]) -> Mapping[str, Reason]:
    return {
        code: Reason(
            code=code,
            act=act,
            effect=effect,
            severity=severity,
            queue=queue,
            sentence=SENTENCES[code],
        )
        for code, act, effect, severity, queue in rows
    }


_KEEP, _DENY, _HOLD = Effect.KEEP, Effect.DENY, Effect.HOLD
_DEBUG, _INFO, _NOTICE, _WARN, _CRIT = Severity

REASONS: Mapping[str, Reason] = _catalogue(
    (NOT_YET_JUDGED, Act.HOLD, _HOLD, _WARN, "config review"),
    ("BASIS_ENDED_BY_RULE", Act.EXPIRE, _DENY, _NOTICE, None),
    ("BASIS_REVIEW_OVERDUE", Act.HOLD, _HOLD, _WARN, "privacy review"),
    ("BLANK_REVERTED", Act.NOTHING, _KEEP, _INFO, None),
    ("BLANK_REVERTED_STOP_KEPT", Act.NOTHING, _DENY, _WARN, "rep pattern counter"),
    ("CONTACT_MATCHES_SUPPRESSION", Act.NOTHING, _DENY, _WARN, "DPO if erased"),
    ("CONTACT_POINT_REKEYED", Act.REKEY, _KEEP, _INFO, None),
    ("DUPLICATE_FLAGGED", Act.NOTHING, _KEEP, _INFO, "identity review"),
    ("DUPLICATE_GRANT_NOT_SHARED", Act.NOTHING, _KEEP, _INFO, "identity review"),
    ("DUPLICATE_STOP_PROPAGATED", Act.PROPAGATE_STOP, _DENY, _NOTICE, None),
    ("DUPLICATE_UNLINKED_REVIEW", Act.NOTHING, _DENY, _WARN, "identity review"),
    ("ECHO_WITHOUT_LEDGER", Act.HALT, _DENY, _CRIT, "P1 ops"),
    ("ERASED_RECORD_STILL_PRESENT", Act.NOTHING, _DENY, _WARN, "DPO, ageing"),
    ("ERASURE_CONFIRMED_IN_CRM", Act.NOTHING, _DENY, _INFO, None),
    ("EXPIRED_BY_RULE", Act.EXPIRE, _DENY, _NOTICE, None),
    ("FLAG_CLEAR_CONSISTENT", Act.NOTHING, _KEEP, _INFO, None),
    ("FLAG_CLEAR_NOT_A_GRANT", Act.NOTHING, _DENY, _INFO, None),
    ("FLAG_CLEAR_REVERTED", Act.NOTHING, _DENY, _WARN, "rep pattern counter"),
    ("FLAG_STOP_CHANNEL_MARKETING", Act.STOP_CHANNEL, _KEEP, _NOTICE, None),
    ("FLAG_STOP_HONOURED", Act.STOP_CHANNEL, _DENY, _NOTICE, "sample"),
    ("GRANT_AFTER_ERASURE_REJECTED", Act.NOTHING, _DENY, _WARN, "DPO"),
    ("GRANT_AFTER_STOP_REJECTED", Act.NOTHING, _DENY, _WARN, "rep pattern counter"),
    ("GRANT_BASIS_MISMATCH", Act.QUARANTINE, _KEEP, _WARN, "privacy review"),
    ("GRANT_HELD_RESTRICTION", Act.QUARANTINE, _DENY, _WARN, "rights case"),
    ("GRANT_NOT_PORTED_TO_NEW_POINT", Act.END_GRANT_OF_OLD_POINT, _DENY, _NOTICE, None),
    ("GRANT_QUARANTINED_ATTESTED", Act.QUARANTINE, _DENY, _WARN, "quarantine, 5 working days"),
    ("GRANT_QUARANTINED_NEW_SUBJECT", Act.QUARANTINE, _DENY, _WARN, "quarantine"),
    (
        "GRANT_QUARANTINED_NO_EVIDENCE",
        Act.QUARANTINE,
        _DENY,
        _WARN,
        "quarantine, auto-close 30 days",
    ),
    ("GRANT_REDUNDANT_NOTED", Act.NOTHING, _KEEP, _INFO, None),
    ("LINK_CLOSED_SOFT", Act.CLOSE_LINK, _DENY, _INFO, None),
    ("LINK_CLOSED_STOP_RETAINED", Act.CLOSE_LINK, _DENY, _INFO, None),
    ("LINK_REOPENED_REASSERTED", Act.LINK, _KEEP, _INFO, None),
    ("LINK_REOPENED_STOP_REASSERTED", Act.LINK, _DENY, _NOTICE, None),
    ("MERGE_RESTRICTION_CARRIED", Act.JOIN, _DENY, _NOTICE, "rights case updated"),
    ("MERGE_RESTRICTIVE_JOIN", Act.JOIN, _KEEP, _NOTICE, "sample"),
    ("MERGE_STOP_CARRIED", Act.JOIN, _DENY, _NOTICE, None),
    ("MERGE_UNLINKED_ADOPTED", Act.JOIN, _DENY, _INFO, None),
    ("MERGE_WITH_ERASED_REVIEW", Act.JOIN, _DENY, _WARN, "DPO"),
    ("METADATA_REVERTED", Act.NOTHING, _KEEP, _INFO, None),
    ("NOOP_DELETED_UNLINKED", Act.NOTHING, _DENY, _INFO, None),
    ("NOOP_IN_SYNC", Act.NOTHING, _KEEP, _DEBUG, None),
    ("NOOP_OWN_ECHO", Act.NOTHING, _KEEP, _DEBUG, None),
    ("PERM_DUPLICATE_COLLAPSED", Act.NOTHING, _KEEP, _INFO, None),
    ("PERM_ORPHAN_REPORTED", Act.NOTHING, _DENY, _WARN, "link report"),
    ("PERM_RECREATED", Act.NOTHING, _KEEP, _INFO, None),
    ("PERM_RECREATED_STOP", Act.NOTHING, _DENY, _NOTICE, "rep pattern counter"),
    ("PUSH_BASIS", Act.NOTHING, _KEEP, _INFO, None),
    ("PUSH_ERASURE", Act.NOTHING, _DENY, _NOTICE, "DPO"),
    ("PUSH_GRANT", Act.NOTHING, _KEEP, _INFO, None),
    ("PUSH_LAPSE", Act.NOTHING, _DENY, _INFO, None),
    ("PUSH_NEUTRAL", Act.NOTHING, _KEEP, _INFO, None),
    ("PUSH_RESTRICTION", Act.NOTHING, _DENY, _NOTICE, None),
    ("PUSH_STOP", Act.NOTHING, _DENY, _NOTICE, None),
    ("REQUEST_LAPSED", Act.EXPIRE, _DENY, _INFO, None),
    ("STOP_CARRIED_TO_NEW_POINT", Act.REKEY, _DENY, _NOTICE, None),
    ("STOP_CORROBORATED", Act.CORROBORATE, _DENY, _INFO, None),
    ("STOP_HONOURED", Act.STOP, _DENY, _NOTICE, "sample 5% for right-person check"),
    ("STOP_HONOURED_AS_OBJECTION", Act.STOP, _DENY, _NOTICE, "rights case, due one month"),
    ("STOP_HONOURED_NEW_SUBJECT", Act.STOP, _DENY, _NOTICE, "link review"),
    ("STOP_NEVER_EXPIRES", Act.NOTHING, _DENY, _DEBUG, None),
    ("STOP_RECORDED_SERVICE_CONTINUES", Act.STOP, _KEEP, _NOTICE, "human reply, due one month"),
    ("STOP_SUPPRESSION_REAFFIRMED", Act.CORROBORATE, _DENY, _NOTICE, "DPO"),
    ("SUBJECT_CREATED_DEFAULT_DENY", Act.LINK, _DENY, _INFO, None),
    ("SUBJECT_LINKED_EXISTING", Act.LINK, _KEEP, _INFO, None),
    ("SUBJECT_LINKED_GRANT_NOT_INHERITED", Act.LINK_AS_CANDIDATE, _DENY, _INFO, "identity review"),
    ("SUBJECT_LINKED_STOP_INHERITED", Act.LINK, _DENY, _NOTICE, None),
    ("SUBJECT_UNLINKED_REPORTED", Act.NOTHING, _DENY, _WARN, "link report"),
    ("UNDELETE_OF_ERASED_BLOCKED", Act.NOTHING, _DENY, _CRIT, "P1 DPO"),
    ("UPDATE_OF_ERASED_BLOCKED", Act.NOTHING, _DENY, _WARN, "DPO"),
)
