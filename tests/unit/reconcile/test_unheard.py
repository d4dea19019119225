"""A write of which nobody heard: what is seen is held against whichever state explains most of it."""

from typing import Any

import pytest

from salesforce_bridge.reconcile.facts import RowCase, RowSnapshot
from tests.unit.reconcile.sightings import a_case, found, told
from tests.unit.reconcile.worlds import NEWS_BY_EMAIL, a_row

OURS: dict[str, Any] = {
    "lawful_basis": "Consent",
    "reason_code": "OURS",
    "consent_status": "Not asked",
}
BEFORE, WRITTEN = a_row(1), a_row(1, **OURS)
EDIT: dict[str, Any] = {"notice_version": "somebody's own"}


def told_of(seen: RowSnapshot, agreed: RowSnapshot | None) -> Any:
    """What is told of a row that was to be made as `WRITTEN`, from `agreed`, and nobody heard whether it was."""
    case = RowCase(seen=seen, mirror=agreed, asked=(WRITTEN,))
    return told(found(a_case(rows=(case,))))


@pytest.mark.parametrize("seen", [a_row(1), a_row(1, **OURS)])
def test_nobody_edited_a_row_that_is_as_it_was_or_as_it_was_to_be(seen: RowSnapshot) -> None:
    assert told_of(seen, BEFORE) == {}


@pytest.mark.parametrize("seen", [a_row(1, **EDIT), a_row(1, **(OURS | EDIT))])
def test_an_edit_is_an_edit_whether_the_write_came_before_it_or_not(seen: RowSnapshot) -> None:
    assert told_of(seen, BEFORE) == {"S11": {NEWS_BY_EMAIL}}


@pytest.mark.parametrize("seen", [a_row(1, of=2), a_row(1, of=2, **OURS)])
def test_a_row_that_was_moved_meanwhile_was_moved_and_nothing_else(seen: RowSnapshot) -> None:
    assert told_of(seen, BEFORE) == {"S24": {NEWS_BY_EMAIL}}


def test_a_row_that_was_made_unheard_is_held_against_what_it_was_made_as() -> None:
    assert told_of(a_row(1, **OURS), None) == {}
    assert told_of(a_row(1, **(OURS | EDIT)), None) == {"S11": {NEWS_BY_EMAIL}}
