"""Ledger classes: what the ledger holds for a use, and what goes before what."""

from datetime import datetime
from typing import Any

import pytest

from salesforce_bridge.permissions.conditions import Condition, ConditionKind
from salesforce_bridge.permissions.events import EventKind
from salesforce_bridge.permissions.keys import PurposeKey, Use
from salesforce_bridge.permissions.suppressions import Scope
from salesforce_bridge.reconcile.classes import LedgerClass, class_of, is_stopped
from salesforce_bridge.reconcile.facts import SubjectRecord
from tests.unit.reconcile.sightings import POLICY, a_person, a_suppression, hours
from tests.unit.reconcile.worlds import (
    EVERYTHING,
    NEWS_BY_CALL,
    NEWS_BY_EMAIL,
    NOON,
    NOTICES,
    RESEARCH,
    SERVICE,
    a_use,
    subject_id,
)

USES = (NEWS_BY_EMAIL, NEWS_BY_CALL, RESEARCH, SERVICE, NOTICES)
GRANT, ESTABLISH = EventKind.GRANT, EventKind.ESTABLISH
EARLIER, LATER = hours(-9), hours(-3)


def class_for(record: SubjectRecord, use: Use = NEWS_BY_EMAIL, at: datetime = NOON) -> str:
    return class_of(record, use, policy=POLICY, at=at).value


def a_restriction(**said: Any) -> Condition:
    plain: dict[str, Any] = {
        "id": "restriction",
        "subject_id": subject_id(1),
        "kind": ConditionKind.RESTRICTION,
        "ref": "Art. 18",
        "valid_from": LATER,
    }
    return Condition(**(plain | said))


@pytest.mark.parametrize(
    ("history", "use", "expected"),
    [
        ((), NEWS_BY_EMAIL, "L1"),
        (((EventKind.REQUEST, NEWS_BY_EMAIL, EARLIER),), NEWS_BY_EMAIL, "L1"),
        (((GRANT, NEWS_BY_EMAIL, EARLIER),), NEWS_BY_EMAIL, "L2"),
        (((GRANT, NEWS_BY_EMAIL, EARLIER),), NEWS_BY_CALL, "L1"),
        (((ESTABLISH, RESEARCH, EARLIER),), RESEARCH, "L3a"),
        (((ESTABLISH, SERVICE, EARLIER),), SERVICE, "L3b"),
        (((ESTABLISH, NOTICES, EARLIER),), NOTICES, "L3b"),
        (((EventKind.WITHDRAW, NEWS_BY_EMAIL, EARLIER),), NEWS_BY_EMAIL, "L4"),
        (((EventKind.STOP_MARKETING, EVERYTHING, EARLIER),), NEWS_BY_CALL, "L4"),
        (((EventKind.STOP_MARKETING, EVERYTHING, EARLIER),), SERVICE, "L1"),
        (((EventKind.REVOKE, NEWS_BY_EMAIL, EARLIER),), NEWS_BY_EMAIL, "L5"),
        (
            ((ESTABLISH, RESEARCH, EARLIER), (EventKind.OBJECT_GROUNDS, RESEARCH, LATER)),
            RESEARCH,
            "L6",
        ),
        (
            ((GRANT, NEWS_BY_EMAIL, EARLIER), (EventKind.HOLD, NEWS_BY_EMAIL, LATER)),
            NEWS_BY_EMAIL,
            "L6",
        ),
        (((EventKind.HOLD, EVERYTHING, LATER),), NEWS_BY_EMAIL, "L6"),
        (((EventKind.ERASE, NEWS_BY_EMAIL, EARLIER),), NEWS_BY_EMAIL, "L7"),
    ],
)
def test_a_class_follows_from_the_history_of_a_use(
    history: tuple[Any, ...], use: Use, expected: str
) -> None:
    assert class_for(a_person(*history), use) == expected


# ---------------------------------------------------------------- restrictions


@pytest.mark.parametrize(
    ("said", "use", "expected"),
    [
        ({}, NEWS_BY_EMAIL, "L6"),
        ({}, SERVICE, "L6"),
        ({"purpose": PurposeKey("direct_marketing")}, NEWS_BY_EMAIL, "L6"),
        ({"purpose": PurposeKey("direct_marketing")}, SERVICE, "L1"),
        ({"valid_to": hours(-1)}, NEWS_BY_EMAIL, "L2"),
        ({"valid_from": hours(1)}, NEWS_BY_EMAIL, "L2"),
        ({"kind": ConditionKind.DECEASED}, NEWS_BY_EMAIL, "L2"),
    ],
)
def test_a_restriction_in_date_limits_the_purpose_it_is_about_or_all(
    said: dict[str, Any], use: Use, expected: str
) -> None:
    record = a_person((GRANT, NEWS_BY_EMAIL, EARLIER), conditions=(a_restriction(**said),))
    assert class_for(record, use) == expected


def test_a_stop_wins_over_a_restriction() -> None:
    stopped = a_person((EventKind.WITHDRAW, NEWS_BY_EMAIL, EARLIER), conditions=(a_restriction(),))
    assert class_for(stopped) == "L4"


# ---------------------------------------------------------------- suppressions and the erased


@pytest.mark.parametrize("use", USES)
def test_of_an_erased_person_nothing_is_left_for_any_use(use: Use) -> None:
    erased = a_person((GRANT, NEWS_BY_EMAIL, EARLIER), erased=True)
    assert class_for(erased, use) == "L7"
    assert is_stopped(erased, use, policy=POLICY, at=NOON)


@pytest.mark.parametrize(
    ("said", "marketing", "service"),
    [
        ({}, "L7", "L1"),
        ({"scope": Scope.ALL}, "L7", "L7"),
        ({"after_erasure": False}, "L4", "L1"),
        ({"after_erasure": False, "scope": Scope.ALL}, "L4", "L4"),
        ({"expires_at": hours(1)}, "L7", "L1"),
        ({"expires_at": NOON}, "L1", "L1"),
    ],
)
def test_a_suppression_silences_what_its_scope_covers_while_it_lasts(
    said: dict[str, Any], marketing: str, service: str
) -> None:
    record = a_person(suppressions=(a_suppression(**said),))
    assert [class_for(record, use) for use in (NEWS_BY_EMAIL, SERVICE)] == [marketing, service]
    for use, expected in ((NEWS_BY_EMAIL, marketing), (SERVICE, service)):
        assert is_stopped(record, use, policy=POLICY, at=NOON) is (expected != "L1")


@pytest.mark.parametrize(("granted", "expected"), [(-50, "L2"), (-100, "L7"), (-150, "L7")])
def test_only_a_later_yes_of_the_person_lifts_a_suppression_for_the_use_it_is_about(
    granted: float, expected: str
) -> None:
    record = a_person(
        (GRANT, NEWS_BY_EMAIL, hours(granted)), suppressions=(a_suppression(since=hours(-100)),)
    )
    assert class_for(record) == expected
    assert class_for(record, NEWS_BY_CALL) == "L7"


def test_a_suppression_goes_before_a_stop_and_a_stop_before_a_suppression_of_the_living() -> None:
    stop = (EventKind.WITHDRAW, NEWS_BY_EMAIL, EARLIER)
    assert class_for(a_person(stop, suppressions=(a_suppression(),))) == "L7"
    living = a_suppression(after_erasure=False)
    assert class_for(a_person(stop, suppressions=(living,))) == "L4"


def test_a_use_that_the_policy_does_not_know_counts_as_marketing() -> None:
    record = a_person(suppressions=(a_suppression(),))
    assert class_for(record, a_use("astrology", "PIGEON")) == "L7"
    assert class_for(record, EVERYTHING) == "L7"


def test_every_class_but_that_of_strangers_can_be_met() -> None:
    assert {each.value for each in LedgerClass} - {"L0"} == {
        *("L1", "L2", "L3a", "L3b", "L4", "L5", "L6", "L7")
    }
