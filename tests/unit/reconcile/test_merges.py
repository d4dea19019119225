"""Two Contacts become one: whose no and whose yes counts."""

import pytest

from salesforce_bridge.permissions.events import EventKind
from salesforce_bridge.permissions.states import State
from tests.unit.reconcile.worlds import (
    EVERYTHING,
    NEWS_BY_CALL,
    NEWS_BY_EMAIL,
    NEWS_BY_POST,
    World,
    a_contact,
    contact_id,
    reasons_by_use,
    situations,
    state_of,
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
