"""Scenarios of a yes that somebody told Salesforce."""

from dataclasses import replace
from datetime import timedelta

from salesforce_bridge.permissions.events import EventKind
from salesforce_bridge.permissions.evidence import Grade
from tests.integration.reasons.law import NEWS, RESEARCH, SERVICE
from tests.integration.reasons.promises import Told, reaches
from tests.integration.reasons.scene import DAY, GRANT, HOUR, Scene
from tests.integration.reasons.unchanged import NEVER_ASKED, PARTLY, PERMITTED, STOPPED, unchanged


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
    return unchanged(
        scene, "lapsed", events=("GRANT",), row=PERMITTED, contact=PARTLY, answer="ALLOW_CONSENT"
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

    return unchanged(scene, "agreed", events=("RENEW",), then=lasts_longer)


@reaches("GRANT_AFTER_STOP_REVIEW", "S05")
def a_proven_yes_later_than_the_no_waits_for_two_people(scene: Scene) -> Told:
    who = scene.cast["stopped"]
    scene.request(who, NEWS, GRANT, scene.token(who, NEWS, said_at=scene.now - HOUR))
    return unchanged(
        scene, "stopped", claims=("GRANT_AFTER_STOP_REVIEW",), row_reason="GRANT_AFTER_STOP_REVIEW"
    )


@reaches("GRANT_AFTER_ERASURE_REVIEW", "S05")
def a_proven_yes_of_somebody_who_was_erased_is_kept_nowhere(scene: Scene) -> Told:
    told = unchanged(scene, "erased")
    scene.wait(HOUR)
    said_at = scene.now - timedelta(minutes=10)
    scene.request(told.who, NEWS, GRANT, scene.token(told.who, NEWS, said_at=said_at))
    return told


@reaches("GRANT_AFTER_ERASURE_REVIEW", "S05")
def somebody_new_at_the_address_of_somebody_erased_is_looked_at(scene: Scene) -> Told:
    scene.wait(HOUR)
    who = scene.stranger(email="erased@example.org")
    scene.request(who, NEWS, GRANT, scene.token(who, NEWS, said_at=scene.now - HOUR / 2))
    return unchanged(
        scene,
        "erased",
        who=who,
        row=STOPPED,
        beside=("CONTACT_MATCHES_SUPPRESSION",),
        answer="DENY_SUPPRESSED_MARKETING",
    )


@reaches("GRANT_SUPERSEDED_NOTED", "S06")
def a_proven_yes_older_than_the_one_that_counts_changes_nothing(scene: Scene) -> Told:
    who = scene.cast["agreed"]
    scene.request(who, NEWS, GRANT, scene.token(who, NEWS, said_at=scene.now - 20 * DAY))
    return unchanged(scene, "agreed")


@reaches("GRANT_PREDATES_STOP_REJECTED", "S06")
def a_proven_yes_older_than_the_no_does_not_lift_it(scene: Scene) -> Told:
    who = scene.cast["stopped"]
    scene.request(who, NEWS, GRANT, scene.token(who, NEWS, said_at=scene.now - 20 * DAY))
    return unchanged(scene, "stopped")


@reaches("GRANT_PREDATES_LAPSE_REJECTED", "S06")
def a_proven_yes_older_than_its_end_does_not_begin_anew(scene: Scene) -> Told:
    who = scene.cast["lapsed"]
    scene.request(who, NEWS, GRANT, scene.token(who, NEWS, said_at=scene.now - 11 * DAY))
    return unchanged(scene, "lapsed")


@reaches("GRANT_AFTER_ERASURE_REJECTED", "S06")
def a_yes_older_than_the_erasure_is_kept_nowhere(scene: Scene) -> Told:
    told = unchanged(scene, "erased")
    token = scene.token(told.who, NEWS, said_at=scene.now - 20 * DAY)
    scene.request(told.who, NEWS, GRANT, token)
    return told


@reaches("GRANT_ACCEPTED_VERIFIED", "S06")
def a_proven_yes_older_than_the_question_is_taken(scene: Scene) -> Told:
    told = unchanged(scene, "neutral", row=PERMITTED, contact=PARTLY, answer="ALLOW_CONSENT")
    scene.said(told.who, EventKind.REQUEST, ago=HOUR)
    scene.settle()
    token = scene.token(told.who, NEWS, said_at=scene.now - DAY)
    scene.request(told.who, NEWS, GRANT, token)
    return replace(told, events=("GRANT",))


@reaches("GRANT_AFTER_STOP_REJECTED", "S07")
def a_yes_with_a_reference_does_not_lift_a_no(scene: Scene) -> Told:
    who = scene.cast["stopped"]
    scene.request(who, NEWS, GRANT, "form 17, drawer 3")
    return unchanged(scene, "stopped")


@reaches("GRANT_QUARANTINED_ATTESTED", "S07")
def a_yes_with_a_reference_waits_for_a_look_at_it(scene: Scene) -> Told:
    who = scene.cast["neutral"]
    scene.request(who, NEWS, GRANT, "form 17, drawer 3")
    return unchanged(
        scene,
        "neutral",
        claims=("GRANT_QUARANTINED_ATTESTED",),
        row_reason="GRANT_QUARANTINED_ATTESTED",
    )


@reaches("GRANT_BASIS_MISMATCH", "S07")
def a_yes_to_a_contract_is_looked_at(scene: Scene) -> Told:
    told = unchanged(scene, "customer")
    scene.request(told.who, SERVICE, GRANT, "form 19")
    return replace(told, claims=("GRANT_BASIS_MISMATCH",))


@reaches("GRANT_BASIS_MISMATCH", "S08")
def a_yes_to_what_needs_none_is_looked_at(scene: Scene) -> Told:
    who = scene.cast["interest"]
    scene.request(who, RESEARCH, GRANT)
    return unchanged(
        scene, "interest", claims=("GRANT_BASIS_MISMATCH",), row_reason="ALLOW_LEGITIMATE_INTEREST"
    )


@reaches("GRANT_AFTER_STOP_REJECTED", "S08")
def a_bare_yes_does_not_lift_a_no(scene: Scene) -> Told:
    who = scene.cast["stopped"]
    scene.request(who, NEWS, GRANT)
    return unchanged(scene, "stopped")


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


@reaches("GRANT_QUARANTINED_NO_EVIDENCE", "S08")
def a_bare_yes_waits_for_proof(scene: Scene) -> Told:
    who = scene.cast["neutral"]
    scene.request(who, NEWS, GRANT)
    return unchanged(
        scene,
        "neutral",
        claims=("GRANT_QUARANTINED_NO_EVIDENCE",),
        row_reason="GRANT_QUARANTINED_NO_EVIDENCE",
    )


@reaches("GRANT_QUARANTINED_NO_EVIDENCE", "S08")
def a_result_typed_over_is_a_bare_yes(scene: Scene) -> Told:
    who = scene.cast["lapsed"]
    scene.overtype(who, NEWS, Consent_Status__c="Permitted")
    return unchanged(scene, "lapsed", claims=("GRANT_QUARANTINED_NO_EVIDENCE",))


@reaches("GRANT_REDUNDANT_NOTED", "S08")
def a_bare_yes_to_what_is_permitted_extends_nothing(scene: Scene) -> Told:
    who = scene.cast["agreed"]
    (before,) = scene.rows_shown(who, NEWS)
    scene.request(who, NEWS, GRANT)

    def ends_as_before(after: Scene) -> list[str]:
        (row,) = after.rows_shown(who, NEWS)
        same = row["Effective_To__c"] == before["Effective_To__c"]
        return [] if same else [f"ends otherwise: {row}"]

    return unchanged(scene, "agreed", then=ends_as_before)


@reaches("GRANT_HELD_RESTRICTION", "S08")
def a_yes_waits_until_a_restriction_is_lifted(scene: Scene) -> Told:
    who = scene.cast["restricted"]
    scene.request(who, NEWS, GRANT)
    return unchanged(scene, "restricted", claims=("GRANT_HELD_RESTRICTION",))


@reaches("GRANT_AFTER_ERASURE_REJECTED", "S08")
def a_bare_yes_for_somebody_who_was_erased_is_kept_nowhere(scene: Scene) -> Told:
    told = unchanged(scene, "erased")
    scene.request(told.who, NEWS, GRANT)
    return told


@reaches("GRANT_HELD_RESTRICTION", "S08")
def a_yes_to_what_is_challenged_is_held(scene: Scene) -> Told:
    told = unchanged(scene, "challenged")
    scene.request(told.who, RESEARCH, GRANT)
    return replace(told, claims=("GRANT_HELD_RESTRICTION",))


@reaches("TIMESTAMP_IMPLAUSIBLE_HELD", "S09")
def a_yes_of_tomorrow_waits_for_a_look_at_it(scene: Scene) -> Told:
    who = scene.cast["neutral"]
    scene.request(who, NEWS, GRANT, scene.token(who, NEWS, said_at=scene.now + DAY))
    return unchanged(
        scene,
        "neutral",
        claims=("TIMESTAMP_IMPLAUSIBLE_HELD",),
        row_reason="TIMESTAMP_IMPLAUSIBLE_HELD",
    )


@reaches("GRANT_AFTER_STOP_REJECTED", "S09")
def a_yes_of_tomorrow_does_not_lift_a_no(scene: Scene) -> Told:
    told = unchanged(scene, "stopped")
    token = scene.token(told.who, NEWS, said_at=scene.now + DAY)
    scene.request(told.who, NEWS, GRANT, token)
    return told
