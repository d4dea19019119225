"""Cases of people's rights in words: every kind can be asked for, and can end."""

from datetime import UTC, datetime, timedelta

import pytest

from salesforce_bridge.cli.rights_words import ASKED, ENDINGS, case_document
from salesforce_bridge.permissions.keys import SubjectId
from salesforce_bridge.permissions.rights import CaseKind, CaseState, RightsCase

RECEIVED = datetime(2026, 1, 31, 8, tzinfo=UTC)


def a_case(**changes: object) -> RightsCase:
    parts: dict[str, object] = {
        "id": "c-1",
        "kind": CaseKind.ACCESS,
        "subject_id": SubjectId("s-1"),
        "received_at": RECEIVED,
        "due_at": datetime(2026, 2, 28, 8, tzinfo=UTC),
    }
    return RightsCase(**(parts | changes))  # type: ignore[arg-type]  # as the tests choose


def test_every_kind_of_case_is_told_and_can_end() -> None:
    assert set(ASKED) == set(ENDINGS) == set(CaseKind)
    assert all(ENDINGS.values())


def test_no_case_ends_by_being_open_and_none_ends_twice_the_same_way() -> None:
    for endings in ENDINGS.values():
        states = [each.state for each in endings]
        assert CaseState.OPEN not in states
        assert len(states) == len(set(states))


def test_nobody_overrides_an_objection_to_marketing() -> None:
    states = {each.state for each in ENDINGS[CaseKind.MARKETING_OBJECTION]}
    assert states == {CaseState.UPHELD}


@pytest.mark.parametrize(
    ("days", "due_soon", "overdue"), [(1, False, False), (22, True, False), (28, False, True)]
)
def test_a_case_is_due_soon_a_week_before_it_is_overdue(
    days: int, due_soon: bool, overdue: bool
) -> None:
    document = case_document(a_case(), at=RECEIVED + timedelta(days=days))
    assert (document["due_soon"], document["overdue"]) == (due_soon, overdue)


def test_an_extended_case_is_due_when_it_was_extended_to() -> None:
    longer = a_case(extended_to=datetime(2026, 4, 30, 8, tzinfo=UTC))
    document = case_document(longer, at=RECEIVED + timedelta(days=40))
    assert document["extended"]
    assert document["due_at"].startswith("2026-04-30")
    assert not document["overdue"]
