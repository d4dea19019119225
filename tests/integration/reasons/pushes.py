"""Scenarios of nothing new, and of what the ledger learned elsewhere."""

from dataclasses import replace

from salesforce_bridge.permissions.contact_points import PointType
from salesforce_bridge.permissions.events import ActorKind, EventKind
from salesforce_bridge.permissions.rights import CaseKind, CaseState
from tests.integration.cycle.living import ROW
from tests.integration.reasons.law import NEWS_CALL, RESEARCH, changed
from tests.integration.reasons.promises import Told, reaches
from tests.integration.reasons.scene import ALL_FLAGS, HOUR, Scene
from tests.integration.reasons.unchanged import (
    LAPSED,
    LIMITED,
    PARTLY,
    PERMITTED,
    STOPPED,
    unchanged,
)


@reaches("NOOP_IN_SYNC", "S01")
def a_contact_that_is_read_for_its_privacy_record_has_not_changed(scene: Scene) -> Told:
    who = scene.cast["agreed"]
    individual = scene.privacy_record(who)
    scene.settle()
    scene.director.admin.update("Individual", individual, LastName="Renamed")
    return unchanged(scene, "agreed")


@reaches("NOOP_IN_SYNC", "S01")
def a_policy_without_a_fax_ticks_no_fax_box(scene: Scene) -> Told:
    told = unchanged(scene, "agreed")
    fax = '[channels.FAX]\nlabel = "Fax"\nflag = "HasOptedOutOfFax"\n'
    after = scene.under(changed(scene.text, (fax, "")))
    return replace(told, after=after)


@reaches("NOOP_OWN_ECHO", "S02")
def what_the_bridge_wrote_comes_back_with_a_new_stamp(scene: Scene) -> Told:
    who = scene.cast["neutral"]
    scene.said(who, EventKind.GRANT, ago=HOUR, point=scene.address(who))
    scene.cycle()
    return unchanged(scene, "neutral", row=PERMITTED, contact=PARTLY, answer="ALLOW_CONSENT")


@reaches("ERASED_RECORD_STILL_PRESENT", "S02")
def the_record_of_somebody_erased_is_reported_while_it_is_there(scene: Scene) -> Told:
    who = scene.cast["agreed"]
    scene.erase(who)
    scene.cycle()
    return unchanged(
        scene, "agreed", row=None, contact=STOPPED, flags=ALL_FLAGS, answer="DENY_SUBJECT_STOP_ALL"
    )


@reaches("ECHO_WITHOUT_LEDGER", "S02")
def a_ledger_that_knows_nothing_meets_the_writing_of_another(scene: Scene) -> Told:
    who = scene.cast["agreed"]
    empty = scene.without_memory()
    stamps = f"SELECT SystemModstamp FROM {ROW} WHERE Contact__c = '{who}' ORDER BY Id"
    before = scene.director.query(stamps)

    def nothing_is_written(after: Scene) -> list[str]:
        return [] if after.director.query(stamps) == before else ["rows were written"]

    return unchanged(
        scene,
        "agreed",
        beside=("SUBJECT_CREATED_DEFAULT_DENY", "MASS_CHANGE_CIRCUIT_OPEN"),
        answer="DENY_NOT_ESTABLISHED",
        after=empty,
        restless=True,
        unwritten=True,
        then=nothing_is_written,
    )


@reaches("NOOP_OWN_ECHO", "S02")
def a_second_number_ends_no_yes_to_the_first(scene: Scene) -> Told:
    who = scene.cast["neutral"]
    number = scene.address(who, PointType.PHONE)
    scene.said(who, EventKind.GRANT, NEWS_CALL, ago=HOUR, point=number)
    scene.settle()
    scene.director.rep.update("Contact", who, MobilePhone="+44 20 7946 0777")
    return unchanged(
        scene, "neutral", use=NEWS_CALL, row=PERMITTED, contact=PARTLY, answer="ALLOW_CONSENT"
    )


@reaches("PUSH_NEUTRAL", "S03")
def a_question_that_was_asked_is_shown(scene: Scene) -> Told:
    who = scene.cast["neutral"]
    scene.said(who, EventKind.REQUEST, ago=HOUR, actor=ActorKind.OPERATOR)
    return unchanged(
        scene, "neutral", row=("Asked", "Never asked"), contact=("Asked", "Never asked")
    )


@reaches("PUSH_GRANT", "S03")
def a_yes_from_elsewhere_is_shown(scene: Scene) -> Told:
    who = scene.cast["neutral"]
    scene.said(who, EventKind.GRANT, ago=HOUR, point=scene.address(who))
    return unchanged(
        scene,
        "neutral",
        row=PERMITTED,
        row_reason="ALLOW_CONSENT",
        contact=PARTLY,
        answer="ALLOW_CONSENT",
    )


@reaches("PUSH_BASIS", "S03")
def a_basis_that_was_established_gets_its_row(scene: Scene) -> Told:
    who = scene.cast["neutral"]
    scene.establish(who, RESEARCH, "told by letter")
    return unchanged(
        scene,
        "neutral",
        use=RESEARCH,
        row=PERMITTED,
        row_reason="ALLOW_LEGITIMATE_INTEREST",
        answer="ALLOW_LEGITIMATE_INTEREST",
    )


@reaches("PUSH_STOP", "S03")
def a_no_from_elsewhere_is_shown(scene: Scene) -> Told:
    who = scene.cast["agreed"]
    scene.said(who, EventKind.WITHDRAW, ago=HOUR)
    return unchanged(
        scene,
        "agreed",
        row=STOPPED,
        row_reason="TOLD_WITHDRAW",
        contact=STOPPED,
        answer="DENY_STOPPED",
    )


@reaches("PUSH_LAPSE", "S03")
def a_consent_that_we_ended_is_shown_as_lapsed(scene: Scene) -> Told:
    who = scene.cast["agreed"]
    scene.said(who, EventKind.REVOKE, ago=HOUR, actor=ActorKind.OPERATOR)
    return unchanged(scene, "agreed", row=LAPSED, contact=LAPSED, answer="DENY_LAPSED")


@reaches("PUSH_RESTRICTION", "S03")
def a_restriction_asked_for_by_letter_is_shown(scene: Scene) -> Told:
    who = scene.cast["agreed"]
    scene.open_case(who, CaseKind.RESTRICTION)
    return unchanged(
        scene, "agreed", row=LIMITED, contact=LIMITED, answer="DENY_PROCESSING_RESTRICTED"
    )


@reaches("PUSH_ERASURE", "S03")
def an_erasure_takes_the_rows_and_ticks_every_box(scene: Scene) -> Told:
    who = scene.cast["agreed"]
    scene.erase(who)
    return unchanged(
        scene, "agreed", row=None, contact=STOPPED, flags=ALL_FLAGS, answer="DENY_SUBJECT_STOP_ALL"
    )


@reaches("PUSH_GRANT", "S03")
def a_restriction_that_was_lifted_lets_the_yes_count_again(scene: Scene) -> Told:
    told = unchanged(scene, "restricted", row=PERMITTED, contact=PARTLY, answer="ALLOW_CONSENT")
    scene.close(told.who, CaseKind.RESTRICTION, CaseState.DONE)
    return told


@reaches("PUSH_STOP", "S03")
def an_objection_that_was_upheld_ends_research(scene: Scene) -> Told:
    told = unchanged(scene, "challenged", row=STOPPED, answer="DENY_STOPPED")
    scene.close(told.who, CaseKind.OBJECTION, CaseState.UPHELD)
    return told


@reaches("PUSH_BASIS", "S03")
def an_objection_that_was_overridden_lets_research_go_on(scene: Scene) -> Told:
    told = unchanged(scene, "challenged", row=PERMITTED, answer="ALLOW_LEGITIMATE_INTEREST")
    scene.close(told.who, CaseKind.OBJECTION, CaseState.OVERRIDDEN)
    return told
