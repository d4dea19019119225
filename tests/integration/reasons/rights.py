"""Scenarios of rights that people claim through their privacy record."""

from dataclasses import replace

from salesforce_bridge.permissions.events import EventKind
from tests.integration.reasons.law import NEWS, TASTE
from tests.integration.reasons.promises import Told, reaches
from tests.integration.reasons.scene import ALL_FLAGS, HOUR, Scene
from tests.integration.reasons.unchanged import (
    LIMITED,
    STOPPED,
    unchanged,
)


@reaches("RIGHTS_REQUEST_OPENED", "S14")
def who_wants_to_be_forgotten_is_left_in_peace_at_once(scene: Scene) -> Told:
    who = scene.cast["agreed"]
    scene.privacy_record(who, ShouldForget=True)
    return unchanged(
        scene,
        "agreed",
        events=("STOP_ALL",),
        cases=("ERASURE",),
        row=STOPPED,
        row_reason="RIGHTS_REQUEST_OPENED",
        contact=STOPPED,
        flags=ALL_FLAGS,
        answer="DENY_SUBJECT_STOP_ALL",
    )


@reaches("RIGHTS_REQUEST_OPENED", "S14")
def who_does_not_want_to_be_solicited_keeps_the_contract(scene: Scene) -> Told:
    who = scene.cast["agreed"]
    scene.privacy_record(who, HasOptedOutSolicit=True)
    return unchanged(
        scene,
        "agreed",
        events=("STOP_MARKETING",),
        cases=("MARKETING_OBJECTION",),
        row=STOPPED,
        contact=STOPPED,
        flags=ALL_FLAGS,
        answer="DENY_MARKETING_OBJECTION",
    )


@reaches("RIGHTS_REQUEST_OPENED", "S14")
def who_does_not_want_to_be_processed_is_restricted(scene: Scene) -> Told:
    who = scene.cast["agreed"]
    scene.privacy_record(who, HasOptedOutProcessing=True)
    return unchanged(
        scene,
        "agreed",
        cases=("RESTRICTION",),
        row=LIMITED,
        contact=LIMITED,
        answer="DENY_PROCESSING_RESTRICTED",
    )


@reaches("RIGHTS_REQUEST_OPENED", "S14")
def who_does_not_want_to_be_profiled_ends_what_profiles(scene: Scene) -> Told:
    who = scene.cast["agreed"]
    scene.said(who, EventKind.GRANT, TASTE, ago=HOUR)
    scene.settle()
    scene.privacy_record(who, HasOptedOutProfiling=True)
    return unchanged(
        scene,
        "agreed",
        use=TASTE,
        events=("WITHDRAW",),
        cases=("PROFILING_OBJECTION",),
        row=STOPPED,
        answer="DENY_STOPPED",
    )


@reaches("RIGHTS_REQUEST_OPENED_UNLINKED", "S14")
def somebody_new_asks_for_a_right_at_once(scene: Scene) -> Told:
    individual = scene.director.admin.create(
        "Individual", LastName="Somebody", HasOptedOutSolicit=True
    )
    who = scene.stranger(IndividualId=individual)
    return Told(
        who=who,
        use=NEWS,
        beside=("SUBJECT_CREATED_DEFAULT_DENY",),
        events=("STOP_MARKETING",),
        cases=("MARKETING_OBJECTION",),
        row=STOPPED,
        contact=STOPPED,
        flags=ALL_FLAGS,
        answer="DENY_MARKETING_OBJECTION",
    )


@reaches("RIGHTS_REQUEST_ALREADY_CLOSED", "S14")
def who_was_erased_asks_to_be_forgotten_once_more(scene: Scene) -> Told:
    who = scene.cast["erased"]
    scene.privacy_record(who, ShouldForget=True)
    return unchanged(scene, "erased")


@reaches("RIGHTS_REQUEST_OPENED", "S14")
def a_customer_who_wants_to_be_forgotten_is_served_no_more_than_is_needed(scene: Scene) -> Told:
    told = unchanged(
        scene, "customer", row=STOPPED, contact=STOPPED, answer="HOLD_SUBJECT_STOP_ALL"
    )
    scene.privacy_record(told.who, ShouldForget=True)
    return replace(told, events=("STOP_ALL",), cases=("ERASURE",), flags=ALL_FLAGS)


@reaches("RIGHTS_REQUEST_OPENED", "S14")
def a_customer_who_does_not_want_to_be_processed_is_restricted(scene: Scene) -> Told:
    told = unchanged(
        scene, "customer", row=LIMITED, contact=LIMITED, answer="HOLD_PROCESSING_RESTRICTED"
    )
    scene.privacy_record(told.who, HasOptedOutProcessing=True)
    return replace(told, cases=("RESTRICTION",))


@reaches("RIGHTS_REQUEST_OPENED", "S14")
def who_has_two_wishes_is_granted_both(scene: Scene) -> Told:
    told = unchanged(scene, "agreed", row=STOPPED, contact=STOPPED, flags=ALL_FLAGS)
    scene.privacy_record(told.who, HasOptedOutSolicit=True, HasOptedOutProcessing=True)
    return replace(
        told,
        events=("STOP_MARKETING",),
        cases=("MARKETING_OBJECTION", "RESTRICTION"),
        answer="DENY_MARKETING_OBJECTION",
    )
