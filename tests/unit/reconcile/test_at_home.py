"""Whose yes is claimed on a row: that is clear only on the Contact it was made for, or that took its place.

Ann and Ben have one address. A claim with a good proof for that address stands on a row of Ben's Contact.
"""

from dataclasses import replace
from typing import Any

import pytest

from salesforce_bridge.reconcile.facts import (
    ACTIVE,
    CLOSED_PURGED,
    MERGED_INTO,
    Case,
    ContactSnapshot,
    HeldPoint,
    RowSnapshot,
)
from tests.unit.reconcile.sightings import (
    GRANT,
    HOME,
    a_case,
    a_link,
    a_person,
    a_proof,
    found,
    told,
)
from tests.unit.reconcile.worlds import (
    NEWS_BY_EMAIL,
    a_contact,
    a_record,
    a_row,
    contact_id,
    subject_id,
)

ANN, BEN = contact_id(1), contact_id(2)
KEY_OF_ANN = f"{ANN}:{NEWS_BY_EMAIL.purpose}:{NEWS_BY_EMAIL.channel}"
BELIEVED, FOR_A_PERSON = "S05", "S07"
AGREED_ON_ANN, AGREED_ON_BEN = a_row(1, of=1), a_row(1, of=2)
MERGED = a_contact(1, deleted=True, master_id=BEN)


def ann(seen: ContactSnapshot | None, *, link: str = ACTIVE) -> Case:
    return replace(a_case(), seen=seen, link=a_link(state=link))


def claimed_on_ben(agreed: RowSnapshot | None, *cases: Case, key: str | None = None) -> str:
    """Say how the claim is taken, by what both sides knew of the row before."""
    proven: dict[str, Any] = {
        "request": GRANT,
        "request_evidence": "token:token-1",
        "proof": a_proof(),
    }
    seen = a_contact(2, points=(HOME,))
    with_the_row = a_case(
        seen,
        (agreed, a_row(1, of=2, ledger_key=key, **proven)),
        contact_id=BEN,
        mirror=seen,
        link=replace(a_link(2), subject_id=subject_id(2)),
    )
    ben = a_record(2, points=(HeldPoint(point=HOME, retired=False),))
    findings = found(*cases, with_the_row, people=(a_person(), ben))
    (taken,) = told(findings).keys() & {BELIEVED, FOR_A_PERSON}
    return taken


def test_a_claim_on_a_row_of_ones_own_is_believed() -> None:
    assert claimed_on_ben(AGREED_ON_BEN, ann(a_contact(1))) == BELIEVED
    assert claimed_on_ben(None, ann(a_contact(1))) == BELIEVED


def test_a_claim_on_a_row_that_was_moved_from_somebody_who_is_there_is_for_a_person() -> None:
    assert claimed_on_ben(AGREED_ON_ANN, ann(a_contact(1))) == FOR_A_PERSON


def test_a_claim_on_a_row_whose_key_names_somebody_who_is_there_is_for_a_person() -> None:
    assert claimed_on_ben(None, ann(a_contact(1)), key=KEY_OF_ANN) == FOR_A_PERSON


def test_the_key_of_a_row_counts_however_long_the_row_hangs_elsewhere() -> None:
    assert claimed_on_ben(AGREED_ON_BEN, ann(a_contact(1)), key=KEY_OF_ANN) == FOR_A_PERSON


@pytest.mark.parametrize(("agreed", "key"), [(AGREED_ON_ANN, None), (None, KEY_OF_ANN)])
def test_a_claim_on_a_row_from_a_contact_nobody_has_in_sight_is_believed(
    agreed: RowSnapshot | None, key: str | None
) -> None:
    assert claimed_on_ben(agreed, key=key) == BELIEVED


@pytest.mark.parametrize(
    ("gone", "taken"),
    [
        (ann(MERGED), BELIEVED),
        (ann(MERGED, link=MERGED_INTO), BELIEVED),
        (ann(a_contact(1, deleted=True)), FOR_A_PERSON),
        # Nobody finds her Contact any longer: then its link says whether it was merged.
        (ann(None, link=MERGED_INTO), BELIEVED),
        (ann(None, link=CLOSED_PURGED), FOR_A_PERSON),
        (replace(ann(None), link=None), FOR_A_PERSON),
        # She is no longer merged.
        (ann(a_contact(1), link=MERGED_INTO), FOR_A_PERSON),
    ],
)
def test_a_row_goes_along_with_whoever_was_merged_and_with_nobody_else(
    gone: Case, taken: str
) -> None:
    assert claimed_on_ben(AGREED_ON_ANN, gone) == taken
