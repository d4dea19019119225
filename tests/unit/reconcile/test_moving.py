"""Where people are: a place that is only learned is no move, and one that was left counts until proof is newer."""

from dataclasses import replace
from datetime import timedelta

import pytest

from salesforce_bridge.permissions.events import EventKind
from salesforce_bridge.reconcile.intent import JurisdictionChange
from tests.unit.reconcile.worlds import (
    NEWS_BY_EMAIL,
    World,
    a_contact,
    contact_id,
    decisions_on,
    reasons_by_use,
    subject_id,
)

ANN, HER_OTHER = contact_id(1), contact_id(2)


@pytest.fixture
def world() -> World:
    """Somebody who said yes, and of whom nobody knows where they are."""
    world = World()
    world.meet(1)
    world.edit(ANN, country=None)
    nowhere = replace(world.records[subject_id(1)], jurisdiction="UNKNOWN")
    world.records[subject_id(1)] = nowhere
    world.tell(EventKind.GRANT)
    world.settle()
    return world


def moved(world: World, country: str | None) -> JurisdictionChange:
    """What is recorded when their Contact names another country."""
    world.edit(ANN, country=country)
    (change,) = world.cycle().jurisdictions
    return change


def test_to_learn_where_somebody_is_leaves_no_law_behind(world: World) -> None:
    learned = moved(world, "Germany")
    assert (learned.jurisdiction, learned.former, learned.moved_at) == ("DE", None, None)
    assert world.plan().jurisdictions == ()


def test_whoever_moves_after_that_leaves_the_place_that_was_learned(world: World) -> None:
    moved(world, "Germany")
    assert moved(world, "France").former == "DE"


def test_a_contact_with_a_country_tells_where_a_known_person_is(world: World) -> None:
    world.contacts[HER_OTHER] = a_contact(2, points=(), country="France")
    world.link(2, subject=1)
    (learned,) = world.cycle().jurisdictions
    assert (learned.jurisdiction, learned.former) == ("FR", None)


def test_two_contacts_that_agree_again_leave_nothing_behind(world: World) -> None:
    moved(world, "Germany")
    assert moved(world, None).former == "DE"
    back = moved(world, "Germany")
    assert (back.jurisdiction, back.former) == ("DE", None)


def test_a_place_that_was_in_doubt_for_a_while_is_no_second_place_left(world: World) -> None:
    moved(world, "Germany")
    moved(world, "France")
    in_doubt = moved(world, None)
    assert (in_doubt.jurisdiction, in_doubt.former) == ("UNKNOWN", "DE")
    back = moved(world, "France")
    assert (back.jurisdiction, back.former) == ("FR", "DE")


def test_whoever_turns_up_elsewhere_after_a_doubt_has_left_the_last_known_place(
    world: World,
) -> None:
    moved(world, "Germany")
    moved(world, None)
    elsewhere = moved(world, "France")
    assert (elsewhere.former, elsewhere.moved_at is not None) == ("DE", True)


def test_no_longer_to_know_where_somebody_is_is_told(world: World) -> None:
    moved(world, "Germany")
    world.edit(ANN, country="Atlantis")
    reasons = reasons_by_use(world.plan(), "S33")
    assert reasons[NEWS_BY_EMAIL] == "PROFILE_REEVALUATED_STRICTER"
    assert decisions_on(world.cycle(), "S33") != ()


def test_a_move_dates_from_the_contacts_of_the_very_person(world: World) -> None:
    """Somebody who shares their number, and whose Contact was touched later, tells nothing about them."""
    moved(world, "Germany")
    world.meet(3, points=world.contacts[ANN].points[1:])
    world.edit(contact_id(3), modstamp=world.at)
    world.edit(ANN, country="France", modstamp=world.at - timedelta(minutes=30))
    (change,) = world.cycle().jurisdictions
    assert change.subject_id == subject_id(1)
    assert change.moved_at == world.contacts[ANN].modstamp
