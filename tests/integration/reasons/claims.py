"""Scenarios of a yes that somebody told Salesforce, and of edits that say neither yes nor no."""

from datetime import timedelta

from salesforce_bridge.permissions.events import EventKind
from salesforce_bridge.permissions.evidence import Grade
from tests.integration.cycle.living import ROW
from tests.integration.reasons.law import EVERYTHING, NEWS, NEWS_POST, RESEARCH
from tests.integration.reasons.promises import Told, reaches
from tests.integration.reasons.scene import ALL_FLAGS, DAY, GRANT, HOUR, Scene

NEVER_ASKED, STOPPED = ("Not asked", "Never asked"), ("Stopped", "Do not")
PERMITTED, LAPSED = ("Permitted", "OK"), ("Lapsed", "Do not")
PARTLY = ("Partly permitted", "Partly: see channels")


def _erased(scene: Scene) -> Told:
    return Told(
        who=scene.cast["erased"],
        use=NEWS,
        row=None,
        contact=STOPPED,
        flags=ALL_FLAGS,
        answer="DENY_SUBJECT_STOP_ALL",
    )


@reaches("GRANT_PENDING_IDENTITY", "S05")
def somebody_new_comes_with_a_proven_yes(scene: Scene) -> Told:
    who = scene.stranger()
    scene.request(who, NEWS, GRANT, scene.token(who, NEWS, said_at=scene.now - HOUR))
    return Told(
        who=who,
        use=NEWS,
        beside=("SUBJECT_CREATED_DEFAULT_DENY",),
        claims=("GRANT_PENDING_IDENTITY",),
        row=NEVER_ASKED,
        row_reason="GRANT_PENDING_IDENTITY",
        contact=NEVER_ASKED,
        answer="DENY_NOT_ESTABLISHED",
    )


@reaches("GRANT_ACCEPTED_VERIFIED", "S05")
def a_proven_yes_is_taken(scene: Scene) -> Told:
    who, said_at = scene.cast["neutral"], (scene.now - HOUR).replace(microsecond=0)
    scene.request(who, NEWS, GRANT, scene.token(who, NEWS, said_at=said_at))

    def counts_from_when_it_was_verified(after: Scene) -> list[str]:
        held = after.held(who, NEWS)
        begins = held.effective_from is not None and held.effective_from >= scene.now - HOUR / 2
        kept = (held.granted_at, held.grade, held.notice_id, begins)
        told = (said_at, Grade.A, "consent-1", True)
        return [] if kept == told else [f"what is held: {held}"]

    return Told(
        who=who,
        use=NEWS,
        events=("GRANT",),
        row=PERMITTED,
        row_reason="ALLOW_CONSENT",
        contact=PARTLY,
        answer="ALLOW_CONSENT",
        then=counts_from_when_it_was_verified,
    )


@reaches("GRANT_ACCEPTED_VERIFIED", "S05")
def a_proven_yes_begins_anew_what_had_lapsed(scene: Scene) -> Told:
    who = scene.cast["lapsed"]
    scene.request(who, NEWS, GRANT, scene.token(who, NEWS, said_at=scene.now - HOUR))
    return Told(
        who=who,
        use=NEWS,
        events=("GRANT",),
        row=PERMITTED,
        contact=PARTLY,
        answer="ALLOW_CONSENT",
    )


@reaches("RENEWAL_ACCEPTED_VERIFIED", "S05")
def a_proven_yes_renews_the_one_before(scene: Scene) -> Told:
    who = scene.cast["agreed"]
    (before,) = scene.rows_shown(who, NEWS)
    scene.request(who, NEWS, GRANT, scene.token(who, NEWS, said_at=scene.now - HOUR))

    def lasts_longer(after: Scene) -> list[str]:
        (row,) = after.rows_shown(who, NEWS)
        longer = row["Effective_To__c"] > before["Effective_To__c"]
        return [] if longer else [f"ends as before: {row}"]

    return Told(
        who=who,
        use=NEWS,
        events=("RENEW",),
        row=PERMITTED,
        contact=PARTLY,
        answer="ALLOW_CONSENT",
        then=lasts_longer,
    )


@reaches("GRANT_SUPERSEDED_NOTED", "S06")
def a_proven_yes_older_than_the_one_that_counts_changes_nothing(scene: Scene) -> Told:
    who = scene.cast["agreed"]
    scene.request(who, NEWS, GRANT, scene.token(who, NEWS, said_at=scene.now - 20 * DAY))
    return Told(who=who, use=NEWS, row=PERMITTED, contact=PARTLY, answer="ALLOW_CONSENT")


@reaches("GRANT_BASIS_MISMATCH", "S08")
def a_yes_to_what_needs_none_is_looked_at(scene: Scene) -> Told:
    who = scene.cast["interest"]
    scene.request(who, RESEARCH, GRANT)
    return Told(
        who=who,
        use=RESEARCH,
        claims=("GRANT_BASIS_MISMATCH",),
        row=PERMITTED,
        row_reason="ALLOW_LEGITIMATE_INTEREST",
        answer="ALLOW_LEGITIMATE_INTEREST",
    )


@reaches("GRANT_AFTER_STOP_REVIEW", "S05")
def a_proven_yes_later_than_the_no_waits_for_two_people(scene: Scene) -> Told:
    who = scene.cast["stopped"]
    scene.request(who, NEWS, GRANT, scene.token(who, NEWS, said_at=scene.now - HOUR))
    return Told(
        who=who,
        use=NEWS,
        claims=("GRANT_AFTER_STOP_REVIEW",),
        row=STOPPED,
        row_reason="GRANT_AFTER_STOP_REVIEW",
        contact=STOPPED,
        answer="DENY_STOPPED",
    )


@reaches("GRANT_AFTER_STOP_REJECTED", "S08")
def a_bare_yes_does_not_lift_a_no(scene: Scene) -> Told:
    who = scene.cast["stopped"]
    scene.request(who, NEWS, GRANT)
    return Told(who=who, use=NEWS, row=STOPPED, contact=STOPPED, answer="DENY_STOPPED")


@reaches("GRANT_AFTER_STOP_REJECTED", "S07")
def a_yes_with_a_reference_does_not_lift_a_no(scene: Scene) -> Told:
    who = scene.cast["stopped"]
    scene.request(who, NEWS, GRANT, "form 17, drawer 3")
    return Told(who=who, use=NEWS, row=STOPPED, contact=STOPPED, answer="DENY_STOPPED")


@reaches("GRANT_PREDATES_STOP_REJECTED", "S06")
def a_proven_yes_older_than_the_no_does_not_lift_it(scene: Scene) -> Told:
    who = scene.cast["stopped"]
    scene.request(who, NEWS, GRANT, scene.token(who, NEWS, said_at=scene.now - 20 * DAY))
    return Told(who=who, use=NEWS, row=STOPPED, contact=STOPPED, answer="DENY_STOPPED")


@reaches("GRANT_PREDATES_LAPSE_REJECTED", "S06")
def a_proven_yes_older_than_its_end_does_not_begin_anew(scene: Scene) -> Told:
    who = scene.cast["lapsed"]
    scene.request(who, NEWS, GRANT, scene.token(who, NEWS, said_at=scene.now - 11 * DAY))
    return Told(who=who, use=NEWS, row=LAPSED, contact=LAPSED, answer="DENY_LAPSED")


@reaches("GRANT_QUARANTINED_NEW_SUBJECT", "S08")
def somebody_new_comes_with_a_bare_yes(scene: Scene) -> Told:
    who = scene.stranger()
    scene.request(who, NEWS, GRANT)
    return Told(
        who=who,
        use=NEWS,
        beside=("SUBJECT_CREATED_DEFAULT_DENY",),
        claims=("GRANT_QUARANTINED_NEW_SUBJECT",),
        row=NEVER_ASKED,
        row_reason="GRANT_QUARANTINED_NEW_SUBJECT",
        contact=NEVER_ASKED,
        answer="DENY_NOT_ESTABLISHED",
    )


@reaches("GRANT_QUARANTINED_ATTESTED", "S07")
def a_yes_with_a_reference_waits_for_a_look_at_it(scene: Scene) -> Told:
    who = scene.cast["neutral"]
    scene.request(who, NEWS, GRANT, "form 17, drawer 3")
    return Told(
        who=who,
        use=NEWS,
        claims=("GRANT_QUARANTINED_ATTESTED",),
        row=NEVER_ASKED,
        row_reason="GRANT_QUARANTINED_ATTESTED",
        contact=NEVER_ASKED,
        answer="DENY_NOT_ESTABLISHED",
    )


@reaches("GRANT_QUARANTINED_NO_EVIDENCE", "S08")
def a_bare_yes_waits_for_proof(scene: Scene) -> Told:
    who = scene.cast["neutral"]
    scene.request(who, NEWS, GRANT)
    return Told(
        who=who,
        use=NEWS,
        claims=("GRANT_QUARANTINED_NO_EVIDENCE",),
        row=NEVER_ASKED,
        row_reason="GRANT_QUARANTINED_NO_EVIDENCE",
        contact=NEVER_ASKED,
        answer="DENY_NOT_ESTABLISHED",
    )


@reaches("GRANT_QUARANTINED_NO_EVIDENCE", "S08")
def a_result_typed_over_is_a_bare_yes(scene: Scene) -> Told:
    who = scene.cast["lapsed"]
    scene.overtype(who, NEWS, Consent_Status__c="Permitted")
    return Told(
        who=who,
        use=NEWS,
        claims=("GRANT_QUARANTINED_NO_EVIDENCE",),
        row=LAPSED,
        contact=LAPSED,
        answer="DENY_LAPSED",
    )


@reaches("GRANT_REDUNDANT_NOTED", "S08")
def a_bare_yes_to_what_is_permitted_extends_nothing(scene: Scene) -> Told:
    who = scene.cast["agreed"]
    (before,) = scene.rows_shown(who, NEWS)
    scene.request(who, NEWS, GRANT)

    def ends_as_before(after: Scene) -> list[str]:
        (row,) = after.rows_shown(who, NEWS)
        same = row["Effective_To__c"] == before["Effective_To__c"]
        return [] if same else [f"ends otherwise: {row}"]

    return Told(
        who=who,
        use=NEWS,
        row=PERMITTED,
        contact=PARTLY,
        answer="ALLOW_CONSENT",
        then=ends_as_before,
    )


@reaches("GRANT_HELD_RESTRICTION", "S08")
def a_yes_waits_until_a_restriction_is_lifted(scene: Scene) -> Told:
    who = scene.cast["restricted"]
    scene.request(who, NEWS, GRANT)
    return Told(
        who=who,
        use=NEWS,
        claims=("GRANT_HELD_RESTRICTION",),
        row=("Limited", "Wait"),
        contact=("Limited", "Wait"),
        answer="DENY_PROCESSING_RESTRICTED",
    )


@reaches("GRANT_AFTER_ERASURE_REVIEW", "S05")
def a_proven_yes_of_somebody_who_was_erased_is_kept_nowhere(scene: Scene) -> Told:
    told = _erased(scene)
    scene.wait(HOUR)
    said_at = scene.now - timedelta(minutes=10)
    scene.request(told.who, NEWS, GRANT, scene.token(told.who, NEWS, said_at=said_at))
    return told


@reaches("GRANT_AFTER_ERASURE_REJECTED", "S08")
def a_bare_yes_for_somebody_who_was_erased_is_kept_nowhere(scene: Scene) -> Told:
    told = _erased(scene)
    scene.request(told.who, NEWS, GRANT)
    return told


@reaches("GRANT_AFTER_ERASURE_REJECTED", "S06")
def a_yes_older_than_the_erasure_is_kept_nowhere(scene: Scene) -> Told:
    told = _erased(scene)
    token = scene.token(told.who, NEWS, said_at=scene.now - 20 * DAY)
    scene.request(told.who, NEWS, GRANT, token)
    return told


@reaches("TIMESTAMP_IMPLAUSIBLE_HELD", "S09")
def a_yes_of_tomorrow_waits_for_a_look_at_it(scene: Scene) -> Told:
    who = scene.cast["neutral"]
    scene.request(who, NEWS, GRANT, scene.token(who, NEWS, said_at=scene.now + DAY))
    return Told(
        who=who,
        use=NEWS,
        claims=("TIMESTAMP_IMPLAUSIBLE_HELD",),
        row=NEVER_ASKED,
        row_reason="TIMESTAMP_IMPLAUSIBLE_HELD",
        contact=NEVER_ASKED,
        answer="DENY_NOT_ESTABLISHED",
    )


@reaches("BLANK_REVERTED", "S10")
def a_yes_that_was_blanked_is_shown_again(scene: Scene) -> Told:
    who = scene.cast["agreed"]
    scene.overtype(who, NEWS, Consent_Status__c=None)
    return Told(who=who, use=NEWS, row=PERMITTED, contact=PARTLY, answer="ALLOW_CONSENT")


@reaches("BLANK_REVERTED_STOP_KEPT", "S10")
def a_no_that_was_blanked_is_shown_again(scene: Scene) -> Told:
    who = scene.cast["stopped"]
    scene.overtype(who, NEWS, Consent_Status__c=None)
    return Told(who=who, use=NEWS, row=STOPPED, contact=STOPPED, answer="DENY_STOPPED")


@reaches("METADATA_REVERTED", "S11")
def a_proof_that_was_typed_over_is_shown_again(scene: Scene) -> Told:
    who = scene.cast["agreed"]
    scene.overtype(who, NEWS, Notice_Version__c="another notice", Ledger_Digest__c="x")

    def shows_the_notice(after: Scene) -> list[str]:
        rows = after.director.query(
            f"SELECT Notice_Version__c FROM {ROW} WHERE Contact__c = '{who}'"
            " AND Channel__c = 'EMAIL'"
        )
        shown = [each["Notice_Version__c"] for each in rows]
        return [] if shown == ["consent-1"] else [f"notices: {shown}"]

    return Told(
        who=who,
        use=NEWS,
        row=PERMITTED,
        contact=PARTLY,
        answer="ALLOW_CONSENT",
        then=shows_the_notice,
    )


@reaches("PERM_RECREATED", "S22")
def a_row_that_was_deleted_is_made_again(scene: Scene) -> Told:
    who = scene.cast["agreed"]
    scene.director.admin.delete(ROW, scene.rows_shown(who, NEWS)[0]["Id"])
    return Told(who=who, use=NEWS, row=PERMITTED, contact=PARTLY, answer="ALLOW_CONSENT")


@reaches("PERM_RECREATED_STOP", "S22")
def a_no_that_was_deleted_is_made_again(scene: Scene) -> Told:
    who = scene.cast["stopped"]
    scene.director.admin.delete(ROW, scene.rows_shown(who, NEWS)[0]["Id"])
    return Told(who=who, use=NEWS, row=STOPPED, contact=STOPPED, answer="DENY_STOPPED")


@reaches("PERM_DUPLICATE_COLLAPSED", "S23")
def a_second_row_for_one_thing_is_taken_away(scene: Scene) -> Told:
    who = scene.cast["agreed"]
    kept = scene.rows_shown(who, NEWS)[0]["Id"]
    scene.director.rep.create(ROW, Contact__c=who, Purpose__c=NEWS.purpose, Channel__c=NEWS.channel)

    def keeps_the_first(after: Scene) -> list[str]:
        left = [each["Id"] for each in after.rows_shown(who, NEWS)]
        return [] if left == [kept] else [f"rows left: {left}"]

    return Told(
        who=who,
        use=NEWS,
        row=PERMITTED,
        contact=PARTLY,
        answer="ALLOW_CONSENT",
        then=keeps_the_first,
    )


@reaches("PERM_ORPHAN_REPORTED", "S23")
def a_row_of_nobody_is_reported(scene: Scene) -> Told:
    fields = {"Purpose__c": NEWS.purpose, "Channel__c": NEWS.channel}
    (row_id,) = scene.director.load(ROW, [fields | {"Consent_Status__c": "Stopped"}])

    def is_left_alone(after: Scene) -> list[str]:
        (row,) = after.director.query(f"SELECT Consent_Status__c FROM {ROW} WHERE Id = '{row_id}'")
        return [] if row["Consent_Status__c"] == "Stopped" else [f"the orphan: {row}"]

    return Told(who="", use=EVERYTHING, row=None, link=None, answer=None, then=is_left_alone)


@reaches("PERM_REPARENT_REVERTED", "S24")
def a_row_hung_on_somebody_else_is_hung_back(scene: Scene) -> Told:
    who, other = scene.cast["agreed"], scene.cast["neutral"]
    scene.overtype(who, NEWS, Contact__c=other)

    def gives_nothing_to_the_other(after: Scene) -> list[str]:
        return [*after.shows_otherwise(other, NEWS, *NEVER_ASKED)]

    return Told(
        who=other,
        use=NEWS,
        row=NEVER_ASKED,
        contact=NEVER_ASKED,
        answer="DENY_NOT_ESTABLISHED",
        then=gives_nothing_to_the_other,
    )


@reaches("PERM_UNMAPPABLE_HELD", "S25")
def a_row_of_a_purpose_nobody_knows_is_marked(scene: Scene) -> Told:
    who = scene.cast["neutral"]
    row_id = scene.director.rep.create(
        ROW, Contact__c=who, Purpose__c="calendars", Channel__c="POST"
    )

    def is_marked(after: Scene) -> list[str]:
        (row,) = after.director.query(
            f"SELECT Consent_Status__c, Reason_Code__c FROM {ROW} WHERE Id = '{row_id}'"
        )
        marked = (row["Consent_Status__c"], row["Reason_Code__c"])
        return [] if marked == ("Limited", "PERM_UNMAPPABLE_HELD") else [f"the row: {marked}"]

    return Told(
        who=who,
        use=EVERYTHING,
        row=None,
        contact=NEVER_ASKED,
        answer="DENY_PURPOSE_RETIRED",
        then=is_marked,
    )


@reaches("PERM_UNMAPPABLE_HELD", "S25")
def a_yes_whose_row_was_renamed_waits_for_a_look_at_it(scene: Scene) -> Told:
    who = scene.cast["agreed"]
    scene.overtype(who, NEWS, Purpose__c="calendars")
    return Told(
        who=who,
        use=NEWS,
        beside=("METADATA_REVERTED",),
        events=("HOLD",),
        row=("Limited", "Wait"),
        row_reason="PERM_UNMAPPABLE_HELD",
        contact=("Limited", "Wait"),
        answer="HOLD_NOT_YET_JUDGED",
    )


@reaches("MASS_CHANGE_CIRCUIT_OPEN", "S26")
def what_a_loader_widens_is_parked_and_stops_go_on(scene: Scene) -> Told:
    who, other = scene.cast["neutral"], scene.cast["agreed"]
    scene.request(who, NEWS, GRANT, by="rep2")
    scene.request(other, NEWS_POST, "Asked us to stop", by="rep2")

    def stops_go_on(after: Scene) -> list[str]:
        (row,) = after.rows_shown(who, NEWS)
        waits = [] if row["Requested_Change__c"] == GRANT else [f"the parked row: {row}"]
        with after.ledger.reading() as tx:
            circuit = tx.circuit(after.world.org_id, at=after.now, window=HOUR)
        shut = [] if circuit.is_open else ["the circuit is closed"]
        return [*waits, *shut, *after.shows_otherwise(other, NEWS_POST, *STOPPED)]

    return Told(
        who=who,
        use=NEWS,
        row=NEVER_ASKED,
        contact=NEVER_ASKED,
        answer="DENY_NOT_ESTABLISHED",
        restless=True,
        then=stops_go_on,
    )


@reaches("MASS_CHANGE_CIRCUIT_OPEN", "S26")
def what_a_loader_claims_for_somebody_who_said_no_is_parked_too(scene: Scene) -> Told:
    who = scene.cast["stopped"]
    scene.said(who, EventKind.WITHDRAW, NEWS_POST, ago=HOUR)
    scene.request(who, NEWS, GRANT, by="rep2")
    return Told(
        who=who,
        use=NEWS,
        row=STOPPED,
        contact=STOPPED,
        answer="DENY_STOPPED",
        restless=True,
    )
