"""Several rows for one thing: which one stays, and which one is one too many."""

from dataclasses import replace
from typing import Any

import pytest

from salesforce_bridge.permissions.keys import ContactId, RowId
from salesforce_bridge.reconcile.facts import RowSnapshot
from tests.unit.reconcile.sightings import a_case, found
from tests.unit.reconcile.worlds import NEWS_BY_EMAIL, a_row, contact_id, row_id

ANN, GONE, OTHER = contact_id(1), contact_id(8), contact_id(9)


def row(number: int, *, made_for: ContactId | None = None, revision: int | None = None) -> Any:
    """A row for news by e-mail that hangs on Ann's Contact."""
    use = NEWS_BY_EMAIL
    key = None if made_for is None else f"{made_for}:{use.purpose}:{use.channel}"
    return a_row(number, ledger_key=key, ledger_revision=revision)


def one_too_many(*rows: RowSnapshot) -> RowId | None:
    findings = found(a_case(None, *((each, replace(each)) for each in rows)))
    (finding,) = (each for each in findings if each.situation.value.startswith("S23"))
    return finding.row_id


@pytest.mark.parametrize(
    ("stays", "goes"),
    [
        # The one that was made for this Contact, however new another is.
        ({"made_for": ANN}, {"made_for": GONE, "revision": 9}),
        ({"made_for": ANN}, {}),
        # One that the bridge made for somebody before one that people made.
        ({"made_for": GONE}, {"revision": 9}),
        # The one that was written last; one that was never written goes after all others.
        ({"made_for": GONE, "revision": 9}, {"made_for": OTHER, "revision": 8}),
        ({"made_for": GONE, "revision": 1}, {"made_for": OTHER}),
        ({"made_for": GONE, "revision": 1}, {"made_for": OTHER, "revision": 0}),
    ],
)
@pytest.mark.parametrize("older", ["stays", "goes"])
def test_of_two_rows_for_one_thing_one_stays_whichever_was_made_first(
    stays: dict[str, Any], goes: dict[str, Any], older: str
) -> None:
    numbers = (1, 2) if older == "stays" else (2, 1)
    kept, dropped = row(numbers[0], **stays), row(numbers[1], **goes)
    assert one_too_many(kept, dropped) == one_too_many(dropped, kept) == dropped.row_id


def test_of_two_rows_that_are_worth_the_same_the_one_with_the_lower_id_stays() -> None:
    assert one_too_many(row(2), row(1)) == row_id(2)
