"""What each right is worth under each basis, and by when an answer is due."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from salesforce_bridge.permissions.bases import LawfulBasis
from salesforce_bridge.permissions.keys import SubjectId
from salesforce_bridge.permissions.rights import (
    RIGHT_OF,
    RIGHTS,
    CaseKind,
    CaseState,
    Right,
    RightsCase,
    Worth,
    answer_due,
    due_at,
    entitlement,
    extended,
    is_due_soon,
    is_open,
    is_overdue,
    may_be_extended,
    portable,
)
from tests.unit.permissions.examples import a_permission, a_profile

EXPECTED = json.loads((Path(__file__).parents[2] / "expected" / "rights.json").read_text("utf-8"))
RECEIVED = datetime(2026, 3, 10, 9, 30, tzinfo=UTC)
DAY = timedelta(days=1)


def a_case(**said: Any) -> RightsCase:
    plain: dict[str, Any] = {
        "id": "case-1",
        "kind": CaseKind.ACCESS,
        "subject_id": SubjectId("s-1"),
        "received_at": RECEIVED,
        "due_at": due_at(RECEIVED, 1),
    }
    return RightsCase(**(plain | said))


@pytest.mark.parametrize("right", Right)
@pytest.mark.parametrize("basis", LawfulBasis)
def test_every_cell_of_the_rights_matrix_is_as_expected(right: Right, basis: LawfulBasis) -> None:
    found = RIGHTS[right][basis]
    assert [found.worth.value, found.article] == EXPECTED[right.value][basis.value]
    assert found.sentence.endswith(".")


@pytest.mark.parametrize(
    ("kind", "basis", "worth", "article"),
    [
        (CaseKind.OBJECTION, LawfulBasis.LEGITIMATE_INTEREST, Worth.HOLD_AND_DECIDE, "21(1)"),
        (CaseKind.OBJECTION, LawfulBasis.CONTRACT, Worth.REFUSED, "21(1)"),
        (CaseKind.PROFILING_OBJECTION, LawfulBasis.CONSENT, Worth.REFUSED, "21(1)"),
        (CaseKind.MARKETING_OBJECTION, LawfulBasis.CONTRACT, Worth.AUTOMATIC, "21(2)-(3)"),
        (CaseKind.RESTRICTION, LawfulBasis.PUBLIC_TASK, Worth.AUTOMATIC, "18(1)(d)"),
        (CaseKind.ERASURE, LawfulBasis.LEGAL_OBLIGATION, Worth.REFUSED, "17(3)(b)"),
        (CaseKind.PORTABILITY, LawfulBasis.CONTRACT, Worth.CASE, "20"),
        (CaseKind.ACCESS, LawfulBasis.VITAL_INTEREST, Worth.CASE, "15"),
        (CaseKind.RECTIFICATION, LawfulBasis.CONSENT, Worth.CASE, "16"),
    ],
)
def test_what_a_case_is_worth_depends_on_what_the_data_is_used_on(
    kind: CaseKind, basis: LawfulBasis, worth: Worth, article: str
) -> None:
    found = entitlement(kind, basis)
    assert (found.worth, found.article) == (worth, article)


def test_every_kind_of_case_is_about_a_right() -> None:
    assert set(RIGHT_OF) == set(CaseKind)


def test_the_matrix_has_no_cell_that_nobody_expects() -> None:
    assert {right.value: {basis.value for basis in row} for right, row in RIGHTS.items()} == {
        right: set(row) for right, row in EXPECTED.items()
    }


def test_a_marketing_objection_is_automatic_under_every_basis() -> None:
    assert {one.worth for one in RIGHTS[Right.OBJECT_MARKETING].values()} == {Worth.AUTOMATIC}


@pytest.mark.parametrize("basis", LawfulBasis)
def test_only_what_rests_on_consent_or_contract_is_taken_along(basis: LawfulBasis) -> None:
    taken = basis in {LawfulBasis.CONSENT, LawfulBasis.CONTRACT}
    assert portable(a_permission(basis=basis)) is taken


@pytest.mark.parametrize(
    ("received", "months", "due"),
    [
        ("2026-03-10", 1, "2026-04-10"),
        ("2026-01-31", 1, "2026-02-28"),
        ("2028-01-31", 1, "2028-02-29"),
        ("2026-03-31", 1, "2026-04-30"),
        ("2026-11-30", 3, "2027-02-28"),
        ("2026-12-31", 1, "2027-01-31"),
        ("2026-12-15", 12, "2027-12-15"),
        ("2026-02-28", 1, "2026-03-28"),
    ],
)
def test_an_answer_is_due_on_the_same_day_of_a_later_month_or_its_last(
    received: str, months: int, due: str
) -> None:
    at = datetime.fromisoformat(received).replace(hour=9, tzinfo=UTC)
    assert due_at(at, months) == datetime.fromisoformat(due).replace(hour=9, tzinfo=UTC)


def test_an_extension_counts_from_the_request_and_only_once() -> None:
    longer = extended(a_case(), a_profile())
    assert answer_due(longer) == due_at(RECEIVED, 3)
    assert extended(longer, a_profile()) == longer


def test_a_case_is_extended_only_while_it_can_still_be_told_in_time() -> None:
    case = a_case()
    assert may_be_extended(case, at=case.due_at)
    assert not may_be_extended(case, at=case.due_at + timedelta(seconds=1))
    assert not may_be_extended(extended(case, a_profile()), at=RECEIVED)
    assert not may_be_extended(replace(case, state=CaseState.DONE), at=RECEIVED)


def test_somebody_is_reminded_in_the_last_days_and_not_before() -> None:
    case = a_case()
    due = case.due_at
    moments = [due - 8 * DAY, due - 7 * DAY, due - timedelta(seconds=1), due, due + DAY]
    assert [is_due_soon(case, at=at) for at in moments] == [False, True, True, False, False]
    assert [is_overdue(case, at=at) for at in moments] == [False, False, False, True, True]


def test_an_extended_case_is_late_only_after_its_extension() -> None:
    case = extended(a_case(), a_profile())
    assert not is_overdue(case, at=case.due_at + DAY)
    assert is_overdue(case, at=due_at(RECEIVED, 3))


@pytest.mark.parametrize("state", CaseState)
def test_a_case_is_open_until_it_is_decided_and_answered(state: CaseState) -> None:
    case = a_case(state=state)
    waiting = state in {CaseState.OPEN, CaseState.UPHELD}
    assert is_open(case) is waiting
    assert is_overdue(case, at=case.due_at) is waiting
    answered = replace(case, reply_sent_at=RECEIVED + DAY)
    assert is_open(answered) is (state is CaseState.OPEN)
