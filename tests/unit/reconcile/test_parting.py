"""Who is merged and parts again: what others with the same address said meanwhile, and what is said of them since."""

from dataclasses import replace
from datetime import datetime

import pytest

from salesforce_bridge.permissions.events import EventKind
from salesforce_bridge.permissions.keys import ContactId
from tests.unit.reconcile.worlds import (
    NEWS_BY_CALL,
    NEWS_BY_EMAIL,
    World,
    a_point,
    contact_id,
    decisions_on,
    reasons_by_use,
    situations,
    state_of,
    subject_id,
)

ANN, BEN, CID, DAN = (contact_id(number) for number in (1, 2, 3, 4))
MAIL, OTHER = a_point("person1@example.org"), a_point("ben@example.org")
STOP = "Asked us to stop"


def a_world() -> World:
    """Ann, Cid and Dan have one address; Ben has another."""
    world = World()
    world.meet(1, points=(MAIL,))
    world.meet(2, points=(OTHER,))
    world.meet(3, points=(MAIL,))
    world.meet(4, points=(MAIL,))
    world.settle()
    return world


def says_no(world: World, contact: ContactId) -> None:
    world.edit_row(world.row_of(contact), request=STOP)
    world.settle()


def parts(world: World, *, loser: int, winner: int) -> None:
    world.edit(contact_id(loser), deleted=False, master_id=None)
    world.settle()
    assert world.links[contact_id(loser)].subject_id != world.links[contact_id(winner)].subject_id


def stopped_at(world: World, subject: int) -> datetime:
    found = world.records[subject_id(subject)].permissions[NEWS_BY_EMAIL].stopped_at
    assert found is not None
    return found


def test_who_parts_from_somebody_is_stopped_as_of_the_last_no_that_came_with_the_address() -> None:
    world = a_world()
    says_no(world, CID)
    world.merge(BEN, ANN)
    world.settle()
    says_no(world, DAN)
    assert stopped_at(world, 1) < stopped_at(world, 4)
    parts(world, loser=2, winner=1)
    assert stopped_at(world, 2) == stopped_at(world, 4)
    assert not world.records[subject_id(2)].permissions[NEWS_BY_EMAIL].own


def test_who_takes_over_is_stopped_as_of_the_last_no_that_came_with_the_address() -> None:
    world = a_world()
    says_no(world, CID)
    says_no(world, DAN)
    world.merge(ANN, BEN)
    world.settle()
    assert stopped_at(world, 2) == stopped_at(world, 4)


def test_a_yes_that_the_winner_gave_since_stands_over_the_last_no_with_the_address() -> None:
    world = a_world()
    says_no(world, CID)
    says_no(world, DAN)
    world.tell(EventKind.WITHDRAW, subject=2, at=world.at)
    world.merge(ANN, BEN)
    world.settle()
    assert stopped_at(world, 2) > stopped_at(world, 4)


def test_a_no_that_the_loser_has_lifted_since_is_not_told() -> None:
    world = a_world()
    says_no(world, CID)
    says_no(world, DAN)
    world.tell(EventKind.GRANT, subject=1, at=world.at)
    world.merge(ANN, BEN)
    world.settle()
    assert state_of(world, NEWS_BY_EMAIL, 2) == "GIVEN"


def test_what_somebody_is_told_who_parts_reaches_who_shares_their_address_in_the_same_cycle() -> (
    None
):
    world = a_world()
    world.meet(5, points=(OTHER,))
    world.merge(BEN, ANN)
    world.settle()
    says_no(world, ANN)
    world.edit(BEN, deleted=False, master_id=None)
    plan = world.cycle()
    assert reasons_by_use(plan, "S18", BEN)[NEWS_BY_EMAIL] == "LINK_REOPENED_STOP_REASSERTED"
    assert state_of(world, NEWS_BY_EMAIL, 5) == "WITHDRAWN"
    (decision,) = (each for each in decisions_on(plan, "S18") if each.use == NEWS_BY_EMAIL)
    assert set(decision.event_ids) <= {each.id for each in plan.events}
    assert decision.event_ids


@pytest.mark.parametrize("gone", [False, True])
def test_a_no_on_a_row_of_somebody_merged_away_is_that_of_who_took_over(gone: bool) -> None:
    world = a_world()
    row = world.row_of(BEN)
    world.merge(BEN, ANN)
    if gone:
        world.delete(ANN)
    world.settle()
    known = world.rows[row]
    if known.deleted:
        world.edit_row(row, deleted=False)
    world.edit_row(row, request=STOP)
    world.cycle()
    assert state_of(world, NEWS_BY_EMAIL, 1) == "WITHDRAWN"
    assert state_of(world, NEWS_BY_EMAIL, 2) == "WITHDRAWN"
    assert state_of(world, NEWS_BY_CALL, 1) is None


def test_who_came_back_and_was_merged_away_before_anybody_looked_is_merged() -> None:
    world = a_world()
    world.tell(EventKind.WITHDRAW, NEWS_BY_CALL, subject=2)
    world.delete(BEN)
    world.settle()
    world.merge(BEN, ANN)
    plan = world.cycle()
    assert reasons_by_use(plan, "S19", BEN)[NEWS_BY_CALL] == "MERGE_STOP_CARRIED"
    assert world.links[BEN].merged_into == ANN
    assert state_of(world, NEWS_BY_CALL, 1) == "WITHDRAWN"
    world.merge(BEN, CID)
    assert "S19" in situations(world.cycle())
    assert state_of(world, NEWS_BY_CALL, 3) == "WITHDRAWN"
    assert "S19" not in situations(world.plan())


def test_whom_an_erased_person_was_merged_into_is_not_asked_anew() -> None:
    world = a_world()
    world.merge(BEN, ANN)
    world.settle()
    world.contact_mirrors[BEN] = replace(world.contact_mirrors[BEN], master_id=None, points=())
    assert "S19" not in situations(world.plan())
