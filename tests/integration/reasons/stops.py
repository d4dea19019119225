"""Scenarios of a no that somebody wrote on a row, or that narrows what stands there."""

from collections.abc import Iterator
from dataclasses import replace

from tests.integration.reasons.law import CENSUS, DUTIES, NEWS, OFFERS, RESCUE, RESEARCH, SERVICE
from tests.integration.reasons.promises import Told, reaches
from tests.integration.reasons.scene import ALL_FLAGS, DAY, HOUR, STOP, Scene
from tests.integration.reasons.unchanged import (
    LIMITED,
    STOPPED,
    unchanged,
)


@reaches("STOP_HONOURED", "S04")
def a_no_typed_by_a_rep_ends_a_consent(scene: Scene) -> Told:
    who = scene.cast["agreed"]
    scene.request(who, NEWS, STOP)
    return unchanged(
        scene,
        "agreed",
        events=("WITHDRAW",),
        row=STOPPED,
        row_reason="STOP_HONOURED",
        contact=STOPPED,
        answer="DENY_STOPPED",
    )


@reaches("STOP_HONOURED", "S04")
def a_no_is_honoured_while_processing_is_restricted(scene: Scene) -> Told:
    who = scene.cast["restricted"]
    scene.request(who, NEWS, STOP)
    return unchanged(scene, "restricted", events=("WITHDRAW",), row=STOPPED, contact=STOPPED)


@reaches("STOP_HONOURED", "S04")
def a_no_is_written_to_every_contact_of_the_person(scene: Scene) -> Told:
    first = scene.cast["neutral"]
    scene.director.admin.delete("Contact", first)
    scene.settle()
    second = scene.stranger(email="neutral@example.org")
    scene.settle()
    scene.director.admin.undelete("Contact", first)
    scene.settle()
    assert scene.subject(first) == scene.subject(second)
    scene.request(second, NEWS, STOP)

    def the_other_shows_it_too(after: Scene) -> Iterator[str]:
        yield from after.shows_otherwise(first, NEWS, "Stopped", "Do not")

    return Told(
        who=second,
        use=NEWS,
        events=("WITHDRAW",),
        row=STOPPED,
        contact=STOPPED,
        answer="DENY_STOPPED",
        then=the_other_shows_it_too,
    )


@reaches("STOP_HONOURED_NEW_SUBJECT", "S04")
def somebody_new_has_said_no_already(scene: Scene) -> Told:
    who = scene.stranger()
    scene.request(who, NEWS, STOP)
    return Told(
        who=who,
        use=NEWS,
        beside=("SUBJECT_CREATED_DEFAULT_DENY",),
        events=("WITHDRAW",),
        row=STOPPED,
        row_reason="STOP_HONOURED_NEW_SUBJECT",
        contact=STOPPED,
        answer="DENY_STOPPED",
    )


@reaches("STOP_HONOURED_AS_OBJECTION", "S04")
def an_objection_on_own_grounds_holds_research_until_it_is_decided(scene: Scene) -> Told:
    who = scene.cast["interest"]
    scene.request(who, RESEARCH, STOP)
    return unchanged(
        scene,
        "interest",
        events=("OBJECT_GROUNDS",),
        cases=("OBJECTION",),
        row=LIMITED,
        answer="HOLD_CHALLENGED",
    )


@reaches("STOP_HONOURED_AS_OBJECTION", "S04")
def an_objection_to_marketing_is_absolute(scene: Scene) -> Told:
    who = scene.cast["interest"]
    scene.request(who, OFFERS, STOP)
    return unchanged(
        scene,
        "interest",
        use=OFFERS,
        events=("OBJECT_MARKETING",),
        cases=("MARKETING_OBJECTION",),
        row=STOPPED,
        answer="DENY_STOPPED",
    )


@reaches("STOP_RECORDED_SERVICE_CONTINUES", "S04")
def who_says_no_to_a_contract_is_sent_no_marketing_and_the_service_goes_on(scene: Scene) -> Told:
    who = scene.cast["customer"]
    scene.request(who, SERVICE, STOP)

    def marketing_ends(after: Scene) -> Iterator[str]:
        yield from after.shows_otherwise(who, NEWS, "Stopped", "Do not")

    return unchanged(
        scene,
        "customer",
        events=("STOP_MARKETING",),
        cases=("MARKETING_OBJECTION",),
        contact=STOPPED,
        flags=ALL_FLAGS,
        then=marketing_ends,
    )


@reaches("STOP_CORROBORATED", "S04")
def a_no_told_twice_is_kept_as_evidence(scene: Scene) -> Told:
    who = scene.cast["stopped"]
    scene.request(who, NEWS, STOP)
    return unchanged(scene, "stopped", events=("CORROBORATE",))


@reaches("STOP_SUPPRESSION_REAFFIRMED", "S04")
def a_no_for_an_erased_person_keeps_the_address_silent_anew(scene: Scene) -> Told:
    who = scene.cast["erased"]
    (before, *_) = scene.suppressions(who)
    scene.request(who, NEWS, STOP)

    def is_silent_anew(after: Scene) -> Iterator[str]:
        if after.person(who).points:
            yield "an address of an erased person is remembered"
        for silence in after.suppressions(who):
            if not silence.after_erasure or silence.since <= before.since:
                yield f"not silent anew: {silence}"

    return unchanged(scene, "erased", then=is_silent_anew)


@reaches("STOP_HONOURED_AS_OBJECTION", "S04")
def an_objection_to_a_public_task_holds_it(scene: Scene) -> Told:
    told = unchanged(scene, "interest", use=CENSUS, row=LIMITED, answer="HOLD_CHALLENGED")
    scene.request(told.who, CENSUS, STOP)
    return replace(told, events=("OBJECT_GROUNDS",), cases=("OBJECTION",))


@reaches("STOP_RECORDED_SERVICE_CONTINUES", "S04")
def what_the_law_asks_for_goes_on(scene: Scene) -> Told:
    told = unchanged(
        scene, "customer", use=DUTIES, contact=STOPPED, answer="ALLOW_LEGAL_OBLIGATION"
    )
    scene.request(told.who, DUTIES, STOP)
    return replace(
        told, events=("STOP_MARKETING",), cases=("MARKETING_OBJECTION",), flags=ALL_FLAGS
    )


@reaches("STOP_RECORDED_SERVICE_CONTINUES", "S04")
def who_is_in_danger_is_called_all_the_same(scene: Scene) -> Told:
    told = unchanged(scene, "customer", use=RESCUE, contact=STOPPED, answer="ALLOW_VITAL_INTEREST")
    scene.request(told.who, RESCUE, STOP)
    return replace(
        told, events=("STOP_MARKETING",), cases=("MARKETING_OBJECTION",), flags=ALL_FLAGS
    )


@reaches("STOP_HONOURED", "S04")
def a_no_to_what_is_challenged_already_adds_nothing_but_is_kept(scene: Scene) -> Told:
    told = unchanged(scene, "challenged")
    scene.request(told.who, RESEARCH, STOP)
    return replace(told, events=("OBJECT_GROUNDS",))


@reaches("STOP_HONOURED", "S04")
def a_no_to_what_had_lapsed_is_a_no_from_now_on(scene: Scene) -> Told:
    told = unchanged(scene, "lapsed", row=STOPPED, contact=STOPPED, answer="DENY_STOPPED")
    scene.request(told.who, NEWS, STOP)
    return replace(told, events=("WITHDRAW",))


@reaches("STOP_HONOURED", "S04")
def a_no_with_the_proof_of_a_yes_is_a_no(scene: Scene) -> Told:
    told = unchanged(scene, "neutral", row=STOPPED, contact=STOPPED, answer="DENY_STOPPED")
    token = scene.token(told.who, NEWS, said_at=scene.now - HOUR)
    scene.request(told.who, NEWS, STOP, token)
    return replace(told, events=("WITHDRAW",))


@reaches("STOP_HONOURED", "S04")
def an_end_that_was_typed_earlier_is_a_no(scene: Scene) -> Told:
    told = unchanged(scene, "agreed", row=STOPPED, contact=STOPPED, answer="DENY_STOPPED")
    scene.overtype(told.who, NEWS, Effective_To__c=(scene.now + DAY).isoformat())
    return replace(told, events=("WITHDRAW",))
