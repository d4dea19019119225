"""The chain names the first entry that is not what was sealed, or not where it was sealed."""

from dataclasses import replace
from hashlib import sha256
from typing import Any

import orjson
import pytest

from salesforce_bridge.audit.canonical import canonical
from salesforce_bridge.audit.chain import (
    GENESIS,
    Break,
    Stored,
    Tip,
    Verdict,
    hash_of,
    tail_break,
)
from tests.support.chains import a_chain, a_header, first_break, tip_of

CHAIN = a_chain([(a_header(ref=f"d{n}", subject_key="sk"), {"who": n}) for n in range(5)])


def _changed(**changes: Any) -> tuple[Stored, ...]:
    return (*CHAIN[:2], replace(CHAIN[2], **changes), *CHAIN[3:])


def _found(entries: tuple[Stored, ...]) -> tuple[Verdict, int] | None:
    found = first_break(entries)
    return None if found is None else (found.verdict, found.seq)


def test_the_first_entry_follows_a_hash_that_never_changes() -> None:
    assert sha256(b"salesforce_bridge audit chain 1").hexdigest() == GENESIS
    assert orjson.loads(CHAIN[0].header)["prev_hash"] == GENESIS


def test_an_untouched_chain_has_no_break() -> None:
    assert first_break(CHAIN) is None


def test_a_chain_can_be_read_from_its_middle() -> None:
    assert first_break(CHAIN[3:], after=tip_of(CHAIN[:3])) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"header": CHAIN[2].header.replace(b'"ref":"d2"', b'"ref":"d9"')},
        {"header": b"{"},
        {"header": b"[]"},
        {"payload": b'{"who":9}'},
        {"nonce": b"m" * 32},
        {"payload": None},
        {"nonce": None},
        {"kind": "DECISION"},
        {"ref": "d9"},
        {"subject_key": None},
    ],
)
def test_a_changed_entry_is_named(changes: dict[str, object]) -> None:
    assert (found := _found(_changed(**changes))) is not None
    assert found[1] == 3


def test_a_header_that_is_hashed_again_no_longer_continues_the_chain() -> None:
    header = canonical({**orjson.loads(CHAIN[2].header), "ref": "d9"})
    forged = _changed(header=header, entry_hash=hash_of(header), ref="d9")
    assert _found(forged) == (Verdict.ORDER, 4)


def test_a_header_that_is_sealed_by_nobody_is_not_an_entry() -> None:
    header = canonical({"prev_hash": CHAIN[1].entry_hash})
    forged = _changed(header=header, entry_hash=hash_of(header))
    assert _found(forged) == (Verdict.CONTENT, 3)


def test_a_forgotten_person_leaves_the_chain_whole() -> None:
    assert first_break(_changed(payload=None, nonce=None, shredded=True)) is None


def test_a_missing_entry_is_a_gap() -> None:
    assert _found((*CHAIN[:2], *CHAIN[3:])) == (Verdict.ORDER, 4)


def test_two_entries_that_changed_places_are_out_of_order() -> None:
    assert _found((CHAIN[0], CHAIN[2], CHAIN[1], *CHAIN[3:])) == (Verdict.ORDER, 3)


def test_a_chain_that_ends_where_it_is_said_to_end_is_whole() -> None:
    assert tail_break(tip_of(CHAIN), said=tip_of(CHAIN)) is None


def test_a_tail_that_was_cut_is_missed() -> None:
    found = tail_break(tip_of(CHAIN[:3]), said=tip_of(CHAIN))
    assert found == Break(
        verdict=Verdict.ORDER,
        seq=4,
        what="the chain ends at entry 3, but its head stands at entry 5",
    )


def test_a_last_entry_that_was_swapped_is_noticed() -> None:
    found = tail_break(tip_of(CHAIN), said=Tip(seq=5, last_hash="0" * 64))
    assert found is not None
    assert found.seq == 5
