"""Scenarios of the standard opt-out boxes."""

from dataclasses import replace

from salesforce_bridge.permissions.events import EventKind
from tests.integration.reasons.law import NEWS, NEWS_CALL, OFFERS
from tests.integration.reasons.promises import Told, reaches
from tests.integration.reasons.scene import CALL_FLAG, DAY, EMAIL_FLAG, HOUR, Scene
from tests.integration.reasons.unchanged import (
    STOPPED,
    unchanged,
)


@reaches("FLAG_STOP_HONOURED", "S12")
def a_ticked_box_ends_marketing_on_its_channel(scene: Scene) -> Told:
    who = scene.cast["agreed"]
    scene.tick(who, HasOptedOutOfEmail=True)
    return unchanged(
        scene,
        "agreed",
        events=("STOP_CHANNEL",),
        row=STOPPED,
        row_reason="FLAG_STOP_HONOURED",
        contact=STOPPED,
        flags=frozenset({EMAIL_FLAG}),
        answer="DENY_CHANNEL_OPT_OUT",
    )


@reaches("FLAG_STOP_CHANNEL_MARKETING", "S12")
def a_ticked_box_leaves_a_contract_alone(scene: Scene) -> Told:
    who = scene.cast["customer"]
    scene.tick(who, HasOptedOutOfEmail=True)
    return unchanged(
        scene, "customer", events=("STOP_CHANNEL",), contact=STOPPED, flags=frozenset({EMAIL_FLAG})
    )


@reaches("STOP_CORROBORATED", "S12")
def a_ticked_box_on_what_was_stopped_widens_the_no(scene: Scene) -> Told:
    who = scene.cast["stopped"]
    scene.tick(who, HasOptedOutOfEmail=True)
    return unchanged(
        scene,
        "stopped",
        events=("STOP_CHANNEL",),
        flags=frozenset({EMAIL_FLAG}),
        answer="DENY_CHANNEL_OPT_OUT",
    )


@reaches("STOP_HONOURED_NEW_SUBJECT", "S12")
def somebody_new_comes_with_a_ticked_box(scene: Scene) -> Told:
    who = scene.stranger(DoNotCall=True)
    return Told(
        who=who,
        use=NEWS_CALL,
        beside=("SUBJECT_CREATED_DEFAULT_DENY",),
        events=("STOP_CHANNEL",),
        row=STOPPED,
        flags=frozenset({CALL_FLAG}),
        answer="DENY_CHANNEL_OPT_OUT",
    )


@reaches("STOP_HONOURED_NEW_SUBJECT", "S12")
def the_no_of_a_lead_is_the_no_of_its_contact(scene: Scene) -> Told:
    lead = scene.director.rep.create(
        "Lead", LastName="Lead", Company="Acme", Email="lead@example.org", HasOptedOutOfEmail=True
    )
    who = scene.director.rep.convert_lead(lead).contact_id
    scene.director.admin.update("Contact", who, HasOptedOutOfEmail=False)
    return Told(
        who=who,
        use=NEWS,
        beside=("SUBJECT_CREATED_DEFAULT_DENY",),
        events=("STOP_CHANNEL",),
        row=STOPPED,
        contact=STOPPED,
        flags=frozenset({EMAIL_FLAG}),
        answer="DENY_CHANNEL_OPT_OUT",
    )


@reaches("FLAG_STOP_HONOURED", "S12")
def a_ticked_box_ends_offers_to_customers(scene: Scene) -> Told:
    told = unchanged(scene, "interest", use=OFFERS, row=STOPPED, contact=STOPPED)
    scene.tick(told.who, HasOptedOutOfEmail=True)
    return replace(
        told,
        events=("STOP_CHANNEL",),
        flags=frozenset({EMAIL_FLAG}),
        answer="DENY_CHANNEL_OPT_OUT",
    )


@reaches("FLAG_STOP_HONOURED", "S12")
def a_ticked_box_counts_while_restricted(scene: Scene) -> Told:
    told = unchanged(
        scene, "restricted", row=STOPPED, contact=STOPPED, answer="DENY_CHANNEL_OPT_OUT"
    )
    scene.tick(told.who, HasOptedOutOfEmail=True)
    return replace(told, events=("STOP_CHANNEL",), flags=frozenset({EMAIL_FLAG}))


@reaches("FLAG_CLEAR_NOT_A_GRANT", "S13")
def unticking_a_box_that_was_an_error_permits_nothing(scene: Scene) -> Told:
    who = scene.cast["neutral"]
    scene.tick(who, HasOptedOutOfEmail=True)
    scene.settle()
    scene.correct(who)
    scene.settle()
    assert scene.contact_shown(who)[EMAIL_FLAG]
    scene.tick(who, HasOptedOutOfEmail=False)
    return unchanged(scene, "neutral")


@reaches("FLAG_CLEAR_CONSISTENT", "S13")
def unticking_a_box_changes_nothing_about_a_contract(scene: Scene) -> Told:
    who = scene.cast["customer"]
    scene.tick(who, HasOptedOutOfEmail=True)
    scene.settle()
    scene.tick(who, HasOptedOutOfEmail=False)
    return unchanged(scene, "customer", contact=STOPPED, flags=frozenset({EMAIL_FLAG}))


@reaches("FLAG_CLEAR_CONSISTENT", "S13")
def unticking_a_box_after_the_person_said_yes_again_agrees_with_the_ledger(scene: Scene) -> Told:
    who = scene.cast["agreed"]
    scene.tick(who, HasOptedOutOfEmail=True)
    scene.settle()
    scene.wait(DAY)
    scene.said(who, EventKind.GRANT, ago=HOUR, point=scene.address(who))
    scene.settle()
    scene.tick(who, HasOptedOutOfEmail=False)
    return unchanged(scene, "agreed")


@reaches("FLAG_CLEAR_REVERTED", "S13")
def unticking_a_box_against_a_no_ticks_it_again(scene: Scene) -> Told:
    who = scene.cast["agreed"]
    scene.tick(who, HasOptedOutOfEmail=True)
    scene.settle()
    scene.tick(who, HasOptedOutOfEmail=False)
    return unchanged(
        scene,
        "agreed",
        row=STOPPED,
        contact=STOPPED,
        flags=frozenset({EMAIL_FLAG}),
        answer="DENY_CHANNEL_OPT_OUT",
    )


@reaches("FLAG_CLEAR_REVERTED", "S13")
def a_box_of_somebody_erased_is_ticked_again(scene: Scene) -> Told:
    told = unchanged(scene, "erased")
    scene.tick(told.who, HasOptedOutOfEmail=False)
    return told
