"""A yes stays with its address: other addresses may come and go around it, as long as it counts at all."""

from dataclasses import replace
from typing import Any

import pytest

from salesforce_bridge.permissions.conditions import Condition, ConditionKind
from salesforce_bridge.permissions.events import EventKind
from salesforce_bridge.reconcile.facts import ContactSnapshot
from tests.unit.reconcile.sightings import HOME, PHONE, a_case, a_person, found, hours, told
from tests.unit.reconcile.worlds import (
    EVERYTHING,
    NEWS_BY_EMAIL,
    a_contact,
    a_point,
    a_use,
    subject_id,
)

OTHER = a_point("other@example.org")
YES = (EventKind.GRANT, NEWS_BY_EMAIL, hours(-9), {"point": HOME.exact})
BESIDE = a_contact(1, points=tuple(sorted((HOME, OTHER, PHONE))))
INSTEAD = a_contact(1, points=tuple(sorted((OTHER, PHONE))))
RESTRICTED = Condition(
    id="fact-1",
    subject_id=subject_id(1),
    kind=ConditionKind.RESTRICTION,
    ref="ref-1",
    valid_from=hours(-5),
)


def is_told(seen: ContactSnapshot, *history: Any, **said: Any) -> bool:
    findings = found(a_case(seen), people=(a_person(*history, **said),))
    return NEWS_BY_EMAIL in told(findings).get("S21", ())


def test_an_address_beside_that_of_a_yes_changes_nothing_and_one_instead_of_it_does() -> None:
    assert not is_told(BESIDE, YES)
    assert is_told(INSTEAD, YES)


def test_a_yes_that_was_said_for_no_address_has_none_to_keep() -> None:
    assert is_told(BESIDE, (EventKind.GRANT, NEWS_BY_EMAIL, hours(-9)))
    assert is_told(BESIDE)


@pytest.mark.parametrize(
    ("then", "said"),
    [
        (((EventKind.STOP_MARKETING, EVERYTHING, hours(-3)),), {}),
        (((EventKind.HOLD, NEWS_BY_EMAIL, hours(-3)),), {}),
        ((), {"conditions": (RESTRICTED,)}),
    ],
)
def test_around_a_yes_that_does_not_count_now_every_change_is_told(
    then: Any, said: dict[str, Any]
) -> None:
    assert is_told(BESIDE, YES, *then, **said)


def test_a_no_to_calls_leaves_a_yes_to_mail_where_it_is() -> None:
    assert not is_told(BESIDE, YES, (EventKind.STOP_CHANNEL, a_use("*", "LIVE_CALL"), hours(-3)))


def test_a_restriction_that_is_over_leaves_a_yes_where_it_is() -> None:
    over = replace(RESTRICTED, valid_to=hours(-1))
    assert not is_told(BESIDE, YES, conditions=(over,))
