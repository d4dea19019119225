"""What did not happen, and what the ledger tells on its own."""

from dataclasses import replace
from datetime import timedelta

import pytest

from salesforce_bridge.permissions.conditions import ConditionKind
from salesforce_bridge.permissions.events import EventKind
from salesforce_bridge.permissions.keys import Use
from salesforce_bridge.permissions.policy import Assessment
from salesforce_bridge.permissions.states import State
from tests.unit.permissions.examples import POLICY
from tests.unit.reconcile.worlds import (
    EVERYTHING,
    NEWS_BY_CALL,
    NEWS_BY_EMAIL,
    NEWS_BY_POST,
    NOON,
    NOTICES,
    RESEARCH,
    SERVICE,
    World,
    a_contact,
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


# ---------------------------------------------------------------- nothing, echoes and pushes


def test_a_record_that_did_not_move_is_in_sync(world: World) -> None:
    assert reasons_by_use(world.plan(), "S01") == dict.fromkeys(NEWS, "NOOP_IN_SYNC")


def test_our_own_writing_comes_back_as_an_echo(world: World) -> None:
    world.tell(EventKind.WITHDRAW, at=world.at)
    world.cycle()
    assert reasons_by_use(world.plan(), "S02") == dict.fromkeys(NEWS, "NOOP_OWN_ECHO")


def test_an_edit_of_something_nobody_tracks_is_an_echo_whoever_made_it(world: World) -> None:
    world.edit(ANN)
    assert situations(world.plan()) == {"S02"}


@pytest.mark.parametrize(
    ("use", "told", "reason", "shown"),
    [
        (NEWS_BY_POST, (EventKind.GRANT,), "PUSH_GRANT", "Permitted"),
        (NEWS_BY_POST, (EventKind.WITHDRAW,), "PUSH_STOP", "Stopped"),
        (NEWS_BY_POST, (EventKind.REQUEST,), "PUSH_NEUTRAL", "Asked"),
        (NEWS_BY_POST, (EventKind.REVOKE,), "PUSH_LAPSE", "Lapsed"),
        (NEWS_BY_POST, (EventKind.GRANT, EventKind.HOLD), "PUSH_RESTRICTION", "Limited"),
        (SERVICE, (EventKind.ESTABLISH,), "PUSH_BASIS", "Permitted"),
        (RESEARCH, (EventKind.ESTABLISH,), "PUSH_BASIS", "Permitted"),
        (RESEARCH, (EventKind.ESTABLISH, EventKind.OBJECT_GROUNDS), "PUSH_RESTRICTION", "Limited"),
        (NOTICES, (EventKind.ESTABLISH,), "PUSH_BASIS", "Permitted"),
        (NOTICES, (EventKind.ESTABLISH, EventKind.HOLD), "PUSH_RESTRICTION", "Limited"),
    ],
)
def test_what_the_ledger_learned_elsewhere_is_pushed(
    world: World, use: Use, told: tuple[EventKind, ...], reason: str, shown: str
) -> None:
    for kind in told:
        world.tell(kind, use)
    plan = world.cycle()
    assert reasons_by_use(plan, "S03")[use] == reason
    assert world.status_of(ANN, use) == shown


def test_a_hold_on_the_whole_person_limits_what_was_permitted_and_no_stop(world: World) -> None:
    world.tell(EventKind.WITHDRAW, NEWS_BY_CALL)
    world.tell(EventKind.HOLD, EVERYTHING)
    plan = world.cycle()
    assert reasons_by_use(plan, "S03") == {
        NEWS_BY_EMAIL: "PUSH_RESTRICTION",
        NEWS_BY_CALL: "PUSH_STOP",
    }
    assert (world.status_of(ANN), world.status_of(ANN, NEWS_BY_CALL)) == ("Limited", "Stopped")
    assert world.rows[world.row_of(ANN)].fields.reason_code == "TOLD_HOLD"


# ---------------------------------------------------------------- the clock


def test_a_consent_that_ran_out_expires(world: World) -> None:
    world.at += timedelta(days=800)
    plan = world.cycle()
    assert reasons_by_use(plan, "S27") == {NEWS_BY_EMAIL: "EXPIRED_BY_RULE"}
    assert world.status_of(ANN) == "Lapsed"


def test_a_held_consent_that_ran_out_expires_too(world: World) -> None:
    world.tell(EventKind.HOLD)
    world.at += timedelta(days=800)
    assert reasons_by_use(world.cycle(), "S27") == {NEWS_BY_EMAIL: "EXPIRED_BY_RULE"}


def test_a_second_contact_of_the_person_finds_it_expired_already(world: World) -> None:
    world.contacts[contact_id(2)] = a_contact(2, points=world.contacts[ANN].points)
    world.link(2, subject=1)
    world.settle()
    world.at += timedelta(days=800)
    plan = world.cycle()
    assert reasons_by_use(plan, "S27", ANN) == {NEWS_BY_EMAIL: "EXPIRED_BY_RULE"}
    assert reasons_by_use(plan, "S27", contact_id(2)) == {NEWS_BY_EMAIL: "NOOP_IN_SYNC"}
    assert len(plan.events) == 1


def test_a_question_nobody_answered_is_closed(world: World) -> None:
    world.tell(EventKind.REQUEST, NEWS_BY_POST)
    world.cycle()
    world.at += timedelta(days=31)
    assert reasons_by_use(world.cycle(), "S27") == {NEWS_BY_POST: "REQUEST_LAPSED"}
    assert world.status_of(ANN, NEWS_BY_POST) == "Not asked"


def test_a_stop_outlives_every_date(world: World) -> None:
    world.tell(EventKind.STOP_MARKETING, EVERYTHING)
    world.at += timedelta(days=800)
    plan = world.cycle()
    assert reasons_by_use(plan, "S27") == {NEWS_BY_EMAIL: "STOP_NEVER_EXPIRES"}
    assert world.status_of(ANN) == "Stopped"


def test_a_contract_that_ended_ends_what_rested_on_it(world: World) -> None:
    world.tell(EventKind.ESTABLISH, SERVICE)
    world.cycle()
    record = world.records[subject_id(1)]
    ended = tuple(
        replace(each, valid_to=world.at) if each.kind is ConditionKind.CONTRACT else each
        for each in record.conditions
    )
    world.records[subject_id(1)] = replace(record, conditions=ended)
    assert reasons_by_use(world.cycle(), "S27") == {SERVICE: "BASIS_ENDED_BY_RULE"}
    assert world.status_of(ANN, SERVICE) == "Lapsed"


def test_an_interest_whose_assessment_is_overdue_is_held_once_and_released_by_people(
    world: World,
) -> None:
    world.tell(EventKind.ESTABLISH, RESEARCH, effective_to=world.at + timedelta(days=400))
    world.cycle()
    world.at += timedelta(days=300)
    assert reasons_by_use(world.cycle(), "S27") == {RESEARCH: "BASIS_REVIEW_OVERDUE"}
    assert world.status_of(ANN, RESEARCH) == "Limited"
    world.at += timedelta(days=200)
    assert decisions_on(world.plan(), "S27") == ()
    reviewed = Assessment(
        key="product_research",
        approved_by="dpo",
        approved_at=NOON,
        review_due=NOON + timedelta(days=2_000),
    )
    world.policy = replace(POLICY, assessments={"product_research": reviewed})
    world.tell(EventKind.RELEASE, RESEARCH)
    assert reasons_by_use(world.plan(), "S27") == {RESEARCH: "BASIS_REVIEW_OVERDUE"}


def test_an_open_challenge_past_its_end_closes_as_an_objection(world: World) -> None:
    world.tell(EventKind.ESTABLISH, RESEARCH, effective_to=world.at + timedelta(days=4))
    world.tell(EventKind.OBJECT_GROUNDS, RESEARCH)
    world.cycle()
    world.at += timedelta(days=5)
    assert reasons_by_use(world.cycle(), "S27") == {RESEARCH: "EXPIRED_BY_RULE"}
    assert state_of(world, RESEARCH) is State.OBJECTED


def test_an_outage_of_any_length_writes_nothing_by_itself(world: World) -> None:
    world.at += timedelta(days=100)
    assert world.plan().writes == ()
