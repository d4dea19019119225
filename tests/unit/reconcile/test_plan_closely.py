"""What of a plan is counted, limited and left out, at the very edges."""

from dataclasses import replace

import pytest

from salesforce_bridge.permissions.bundle import Limits
from salesforce_bridge.permissions.events import EventKind
from salesforce_bridge.permissions.keys import ContactId
from salesforce_bridge.reconcile.intent import Lane, Plan
from salesforce_bridge.reconcile.plan import NO_CHANGE, change_of, check_limits, stops_only
from tests.unit.reconcile.worlds import NEWS_BY_CALL, NEWS_BY_EMAIL, NEWS_BY_POST, World, contact_id

ANN, BEN = contact_id(1), contact_id(2)
NOBODY: frozenset[ContactId] = frozenset()
BOTH = frozenset({ANN, BEN})
LIMITS = Limits(loosen_max=10, change_max=1, change_share=0.5, change_from=2)


@pytest.fixture
def plan() -> Plan:
    """A plan that permits something to two people and stops something for one of them."""
    world = World()
    for number in (1, 2):
        world.meet(number)
    for number in (1, 2):
        world.tell(EventKind.GRANT, NEWS_BY_EMAIL, subject=number)
    world.tell(EventKind.WITHDRAW, NEWS_BY_CALL)
    return world.plan()


def test_of_a_plan_that_is_held_only_the_stops_go_out_and_everything_is_recorded(
    plan: Plan,
) -> None:
    held = stops_only(plan)
    assert {each.lane for each in held.writes} == {Lane.STOP}
    assert held.writes == tuple(each for each in plan.writes if each.lane is Lane.STOP)
    assert held.writes != plan.writes
    assert replace(held, writes=plan.writes) == plan


def test_a_change_adds_up_what_loosens_and_whom_it_is_about(plan: Plan) -> None:
    change = change_of(plan, fresh=NOBODY, so_far=NO_CHANGE)
    loosening = [each for each in plan.writes if each.lane is Lane.LOOSEN_ROWS]
    assert (change.loosened, change.contacts) == (len(loosening), BOTH)
    assert len(loosening) == 2
    twice = change_of(plan, fresh=NOBODY, so_far=change)
    assert (twice.loosened, twice.contacts) == (4, BOTH)
    without = change_of(plan, fresh=frozenset({BEN}), so_far=NO_CHANGE)
    assert (without.loosened, without.contacts) == (1, frozenset({ANN}))


@pytest.mark.parametrize(
    ("changes", "known", "told"),
    [
        ({"loosen_max": 2}, 2, None),
        ({"loosen_max": 1}, 2, "2 permissions would be widened at once; the limit is 1"),
        ({}, 2, None),
        ({}, 4, None),
        (
            {},
            3,
            "2 of 3 Contacts would change at once; the limit is 1 and a share of 50%",
        ),
        ({"change_max": 2}, 3, None),
    ],
)
def test_a_plan_is_over_its_limit_from_the_first_change_too_many(
    plan: Plan, changes: dict[str, int], known: int, told: str | None
) -> None:
    limits = replace(LIMITS, **changes)
    assert check_limits(plan, limits, known=known, fresh=NOBODY) == told


def test_earlier_plans_of_a_cycle_count_towards_its_limits(plan: Plan) -> None:
    so_far = change_of(plan, fresh=NOBODY, so_far=NO_CHANGE)
    limits = replace(LIMITS, loosen_max=3)
    told = check_limits(plan, limits, known=0, fresh=NOBODY, so_far=so_far)
    assert told == "4 permissions would be widened at once; the limit is 3"


def test_each_row_that_is_opened_counts_and_its_contact_once() -> None:
    world = World()
    world.meet(1)
    for use in (NEWS_BY_EMAIL, NEWS_BY_CALL, NEWS_BY_POST):
        world.tell(EventKind.GRANT, use)
    change = change_of(world.plan(), fresh=NOBODY, so_far=NO_CHANGE)
    assert (change.loosened, change.contacts) == (3, frozenset({ANN}))
