"""Two Contacts become one: whose no and whose yes counts."""

from dataclasses import replace
from datetime import timedelta

import pytest

from salesforce_bridge.permissions.conditions import Condition, ConditionKind
from salesforce_bridge.permissions.events import EventKind
from salesforce_bridge.permissions.rights import CaseKind, RightsCase
from salesforce_bridge.permissions.states import State
from salesforce_bridge.permissions.suppressions import Scope, Suppression
from salesforce_bridge.reconcile.facts import SubjectRecord
from tests.unit.reconcile.worlds import (
    EVERYTHING,
    NEWS_BY_CALL,
    NEWS_BY_EMAIL,
    NEWS_BY_POST,
    NOON,
    SERVICE,
    World,
    a_contact,
    a_use,
    contact_id,
    decisions_on,
    reasons_by_use,
    situations,
    state_of,
    subject_id,
)

STOP, OBJECTS, GRANT = "Asked us to stop", "Objects", "Gave permission"
NEWS = (NEWS_BY_EMAIL, NEWS_BY_CALL, NEWS_BY_POST)


@pytest.fixture
def world() -> World:
    """A person both sides know, who said yes to e-mail."""
    world = World()
    world.meet(1)
    world.tell(EventKind.GRANT)
    world.settle()
    world.cycle()
    return world


ANN = contact_id(1)


# ---------------------------------------------------------------- merges


def test_a_merge_carries_the_stops_of_the_loser_and_its_yes_where_nobody_was_asked(
    world: World,
) -> None:
    world.meet(2)
    world.tell(EventKind.GRANT, NEWS_BY_POST, subject=2)
    world.tell(EventKind.WITHDRAW, NEWS_BY_EMAIL, subject=2)
    world.tell(EventKind.REQUEST, NEWS_BY_CALL, subject=2)
    world.cycle()
    world.merge(contact_id(2), ANN)
    plan = world.cycle()
    assert reasons_by_use(plan, "S19", contact_id(2)) == {
        NEWS_BY_EMAIL: "MERGE_STOP_CARRIED",
        NEWS_BY_CALL: "MERGE_RESTRICTIVE_JOIN",
        NEWS_BY_POST: "MERGE_RESTRICTIVE_JOIN",
    }
    assert [world.status_of(ANN, use) for use in NEWS] == ["Stopped", "Not asked", "Permitted"]
    assert world.links[contact_id(2)].merged_into == ANN


def test_a_merge_carries_holds_of_a_key_and_of_the_person(world: World) -> None:
    world.meet(2)
    world.tell(EventKind.GRANT, NEWS_BY_POST, subject=2)
    world.tell(EventKind.HOLD, NEWS_BY_POST, subject=2)
    world.tell(EventKind.HOLD, EVERYTHING, subject=2)
    world.cycle()
    world.merge(contact_id(2), ANN)
    plan = world.cycle()
    assert set(reasons_by_use(plan, "S19").values()) == {"MERGE_RESTRICTION_CARRIED"}
    assert [world.status_of(ANN, use) for use in NEWS] == ["Limited", "Not asked", "Limited"]


def test_a_merge_of_somebody_never_met_adopts_the_stranger() -> None:
    world = World()
    world.meet(1)
    world.contacts[contact_id(2)] = a_contact(2, deleted=True, master_id=ANN, do_not_call=True)
    plan = world.cycle()
    assert reasons_by_use(plan, "S19", contact_id(2)) == {
        NEWS_BY_EMAIL: "MERGE_UNLINKED_ADOPTED",
        NEWS_BY_CALL: "MERGE_STOP_CARRIED",
        NEWS_BY_POST: "MERGE_UNLINKED_ADOPTED",
    }
    assert world.status_of(ANN, NEWS_BY_CALL) == "Stopped"


def test_a_stop_follows_through_several_merges_and_past_a_deleted_winner(world: World) -> None:
    for number in (2, 3):
        world.meet(number)
    world.tell(EventKind.WITHDRAW, NEWS_BY_POST, subject=1)
    world.cycle()
    world.merge(ANN, contact_id(2))
    world.merge(contact_id(2), contact_id(3))
    world.delete(contact_id(3))
    world.cycle()
    assert state_of(world, NEWS_BY_POST, 3) is State.WITHDRAWN


def test_a_merge_into_something_out_of_sight_is_recorded_as_far_as_it_is_known(
    world: World,
) -> None:
    world.edit(ANN, deleted=True, master_id=contact_id(9))
    plan = world.cycle()
    assert reasons_by_use(plan, "S19")[NEWS_BY_EMAIL] == "MERGE_RESTRICTIVE_JOIN"
    assert [each.merged_into for each in plan.links] == [None]


def test_two_contacts_merged_into_each_other_come_to_an_end(world: World) -> None:
    world.meet(2)
    world.edit(ANN, deleted=True, master_id=contact_id(2))
    world.edit(contact_id(2), deleted=True, master_id=ANN)
    assert "S19" in situations(world.cycle())


def test_an_unmerged_contact_is_itself_again_and_the_winner_keeps_the_stop(world: World) -> None:
    world.meet(2)
    world.tell(EventKind.WITHDRAW, NEWS_BY_POST, subject=2)
    world.cycle()
    world.merge(contact_id(2), ANN)
    world.cycle()
    world.edit(contact_id(2), deleted=False, master_id=None)
    plan = world.cycle()
    assert (
        reasons_by_use(plan, "S18", contact_id(2))[NEWS_BY_POST] == "LINK_REOPENED_STOP_REASSERTED"
    )
    assert world.status_of(ANN, NEWS_BY_POST) == "Stopped"
    assert world.status_of(contact_id(2), NEWS_BY_POST) == "Stopped"


# ---------------------------------------------------------------- what else is known about both


def two_people(world: World) -> SubjectRecord:
    """Bob, who is about to be merged into Ann."""
    world.meet(2)
    return world.records[subject_id(2)]


def test_a_merge_carries_what_restricts_and_the_cases_still_to_be_answered(world: World) -> None:
    bob = two_people(world)
    restriction = Condition(
        id="restriction-1",
        subject_id=bob.subject_id,
        kind=ConditionKind.RESTRICTION,
        ref="asked by letter",
        valid_from=NOON,
    )
    case = RightsCase(
        id="case-1",
        kind=CaseKind.RESTRICTION,
        subject_id=bob.subject_id,
        received_at=NOON,
        due_at=NOON + timedelta(days=30),
    )
    world.records[bob.subject_id] = replace(
        bob, conditions=(*bob.conditions, restriction), cases=(case,)
    )
    world.cycle()
    world.merge(contact_id(2), ANN)
    plan = world.cycle()
    assert [(each.kind, each.subject_id, each.ref) for each in plan.conditions] == [
        (ConditionKind.RESTRICTION, subject_id(1), "asked by letter")
    ]
    assert [(each.kind, each.subject_id, each.due_at) for each in plan.cases] == [
        (CaseKind.RESTRICTION, subject_id(1), case.due_at)
    ]
    assert world.status_of(ANN) == "Limited"


def test_what_a_carried_basis_rests_on_comes_along(world: World) -> None:
    bob = two_people(world)
    ann = world.records[subject_id(1)]
    world.records[ann.subject_id] = replace(ann, conditions=())
    world.tell(EventKind.ESTABLISH, SERVICE, subject=2)
    world.cycle()
    world.merge(contact_id(2), ANN)
    plan = world.cycle()
    assert {each.kind for each in plan.conditions} == {each.kind for each in bob.conditions}
    assert world.status_of(ANN, SERVICE) == "Permitted"


def test_a_condition_that_both_have_is_carried_once(world: World) -> None:
    two_people(world)
    world.tell(EventKind.ESTABLISH, SERVICE, subject=2)
    world.cycle()
    world.merge(contact_id(2), ANN)
    assert world.cycle().conditions == ()


def test_a_duty_to_ask_anew_comes_along_with_the_yes(world: World) -> None:
    bob = two_people(world)
    world.tell(EventKind.GRANT, NEWS_BY_POST, subject=2)
    bob = world.records[subject_id(2)]
    until = world.at + timedelta(days=20)
    said = replace(bob.permissions[NEWS_BY_POST], reaffirm_by=until, latest_notice="consent-en-1")
    world.records[bob.subject_id] = replace(bob, permissions={NEWS_BY_POST: said})
    world.cycle()
    world.merge(contact_id(2), ANN)
    world.cycle()
    carried = world.records[subject_id(1)].permissions[NEWS_BY_POST]
    assert (carried.state, carried.reaffirm_by) == (State.GIVEN, until)
    row = world.rows[world.row_of(ANN, NEWS_BY_POST)]
    assert row.fields.effective_to == until.replace(microsecond=0)


def test_a_newer_notice_that_was_noted_comes_along_with_the_yes(world: World) -> None:
    two_people(world)
    world.tell(EventKind.GRANT, NEWS_BY_POST, subject=2)
    bob = world.records[subject_id(2)]
    said = replace(bob.permissions[NEWS_BY_POST], latest_notice="consent-en-2")
    world.records[bob.subject_id] = replace(bob, permissions={NEWS_BY_POST: said})
    world.cycle()
    world.merge(contact_id(2), ANN)
    world.cycle()
    assert world.records[subject_id(1)].permissions[NEWS_BY_POST].latest_notice == "consent-en-2"


@pytest.mark.parametrize("said_by", [1, 2])
def test_a_yes_later_than_the_twins_stop_waits_for_review(world: World, said_by: int) -> None:
    """Who is merged into whom does not matter: the stop stands, and people look at the yes."""
    two_people(world)
    said_no = 3 - said_by
    world.tell(EventKind.WITHDRAW, NEWS_BY_POST, subject=said_no, at=world.at - timedelta(days=3))
    world.tell(EventKind.GRANT, NEWS_BY_POST, subject=said_by)
    world.cycle()
    world.merge(contact_id(2), ANN)
    plan = world.cycle()
    assert reasons_by_use(plan, "S19")[NEWS_BY_POST] == "MERGE_STOP_CARRIED"
    assert world.status_of(ANN, NEWS_BY_POST) == "Stopped"
    (candidate,) = plan.candidates
    assert (candidate.subject_id, candidate.use) == (subject_id(1), NEWS_BY_POST)
    assert candidate.reason == "MERGE_STOP_CARRIED"
    assert candidate.proof is not None
    assert candidate.proof.happened_at == candidate.claimed_at
    decided = {each.candidate_id for each in decisions_on(plan, "S19")}
    assert candidate.id in decided


def test_a_wide_stop_stops_what_the_other_one_had_said_yes_to_since(world: World) -> None:
    two_people(world)
    world.tell(EventKind.STOP_MARKETING, EVERYTHING, subject=2, at=world.at - timedelta(days=3))
    world.cycle()
    world.merge(contact_id(2), ANN)
    world.cycle()
    assert [world.status_of(ANN, use) for use in NEWS] == ["Stopped"] * 3


def test_a_wide_stop_that_was_lifted_stays_lifted(world: World) -> None:
    two_people(world)
    world.tell(EventKind.STOP_MARKETING, EVERYTHING, subject=2, at=world.at - timedelta(days=3))
    world.tell(EventKind.GRANT, NEWS_BY_POST, subject=2)
    world.cycle()
    world.merge(contact_id(2), ANN)
    world.cycle()
    assert [world.status_of(ANN, use) for use in NEWS] == ["Stopped", "Stopped", "Permitted"]


def test_the_silence_of_one_address_comes_to_hold_for_both(world: World) -> None:
    two_people(world)
    (address, *_) = world.contacts[contact_id(2)].points
    world.suppressions = (
        Suppression(
            hmac=address.hmac,
            key_version=1,
            scope=Scope.MARKETING,
            controller=world.policy.controller,
            since=world.at,
            reason="ON_A_LIST",
            after_erasure=False,
        ),
    )
    world.cycle()
    world.merge(contact_id(2), ANN)
    plan = world.cycle()
    assert {each.hmac for each in plan.suppressions} == {
        each.hmac for each in world.contacts[ANN].points
    }
    assert world.status_of(ANN) == "Stopped"
    assert world.plan().writes == ()


def test_an_unmerged_contact_keeps_every_no_that_the_other_was_told_meanwhile(
    world: World,
) -> None:
    two_people(world)
    world.merge(contact_id(2), ANN)
    world.cycle()
    world.tell(EventKind.WITHDRAW, NEWS_BY_POST)
    world.tell(EventKind.STOP_CHANNEL, a_use("*", "LIVE_CALL"))
    world.cycle()
    world.edit(contact_id(2), deleted=False, master_id=None)
    plan = world.cycle()
    reasons = reasons_by_use(plan, "S18", contact_id(2))
    assert reasons[NEWS_BY_POST] == reasons[NEWS_BY_CALL] == "LINK_REOPENED_STOP_REASSERTED"
    assert reasons[NEWS_BY_EMAIL] == "LINK_REOPENED_REASSERTED"
    assert [world.status_of(contact_id(2), use) for use in NEWS] == [
        "Not asked",
        "Stopped",
        "Stopped",
    ]
