"""Laws of tampering: whatever is done to a sealed history is found exactly there, and nothing else ever is."""

from dataclasses import replace
from typing import Any

import orjson
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from salesforce_bridge.audit.canonical import NotCanonical, canonical
from salesforce_bridge.audit.chain import (
    GENESIS,
    Stored,
    Tip,
    Verdict,
    commit,
    hash_of,
    seal,
)
from salesforce_bridge.audit.completeness import inspect
from tests.support.chains import first_break

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
SCALARS = st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | TEXT
KEYS = st.text(st.characters(max_codepoint=127), max_size=8)
PAYLOADS = st.dictionaries(KEYS, SCALARS | st.lists(SCALARS, max_size=3), max_size=4)
NONCES = st.binary(min_size=32, max_size=32)
DRAFTS = st.tuples(
    st.fixed_dictionaries(
        {
            "kind": st.sampled_from(["DECISION", "OUTCOME", "DEED"]),
            "ref": TEXT,
            "subject_key": st.none() | TEXT,
            "note": SCALARS,
        }
    ),
    PAYLOADS,
    NONCES,
)


def sealed(drafts: list[tuple[dict[str, Any], dict[str, Any], bytes]]) -> tuple[Stored, ...]:
    """Seal drafts as the ledger does."""
    entries: list[Stored] = []
    last = GENESIS
    for seq, (header, payload, nonce) in enumerate(drafts, start=1):
        text = canonical(payload)
        entry = seal(header, seq=seq, prev_hash=last, commitment=commit(text, nonce))
        last = entry.entry_hash
        entries.append(
            Stored(
                seq=seq,
                kind=header["kind"],
                ref=header["ref"],
                subject_key=header["subject_key"],
                header=entry.header,
                entry_hash=entry.entry_hash,
                nonce=nonce,
                payload=text,
            )
        )
    return tuple(entries)


HISTORIES = st.lists(DRAFTS, min_size=1, max_size=7).map(sealed)
LONGER = st.lists(DRAFTS, min_size=2, max_size=7).map(sealed)


def tip_of(history: tuple[Stored, ...]) -> Tip:
    return Tip(seq=history[-1].seq, last_hash=history[-1].entry_hash)


def place_in(data: st.DataObject, history: tuple[Stored, ...]) -> int:
    return data.draw(st.integers(0, len(history) - 1), label="place")


def first_bad(history: tuple[Stored, ...], *, said: Tip) -> int | None:
    """The first entry that any verdict names."""
    found = inspect(history, tip=said)
    return min((each.seq for each in (found.content, found.order) if each), default=None)


def with_entry(history: tuple[Stored, ...], place: int, entry: Stored | None) -> tuple[Stored, ...]:
    return (*history[:place], *([] if entry is None else [entry]), *history[place + 1 :])


@given(HISTORIES)
def test_an_honest_history_is_never_accused(history: tuple[Stored, ...]) -> None:
    assert first_break(history) is None
    assert inspect(history, tip=tip_of(history)).intact
    middle = len(history) // 2
    if middle:
        assert first_break(history[middle:], after=tip_of(history[:middle])) is None


@given(HISTORIES, st.data())
def test_a_change_to_any_field_of_a_header_is_found_where_it_was_made(
    history: tuple[Stored, ...], data: st.DataObject
) -> None:
    place = place_in(data, history)
    fields = orjson.loads(history[place].header)
    name = data.draw(st.sampled_from(sorted(fields)))
    new = data.draw(SCALARS)
    assume(new != fields[name] or type(new) is not type(fields[name]))
    changed = replace(history[place], header=canonical({**fields, name: new}))
    found = first_break(with_entry(history, place, changed))
    assert found is not None
    assert found.seq == place + 1


@given(HISTORIES, st.data())
def test_a_field_taken_from_a_header_or_added_to_it_is_found_where_that_was_done(
    history: tuple[Stored, ...], data: st.DataObject
) -> None:
    place = place_in(data, history)
    fields = orjson.loads(history[place].header)
    name = data.draw(st.sampled_from([*sorted(fields), "zz"]))
    if fields.pop(name, self := object()) is self:
        fields[name] = 1
    changed = replace(history[place], header=canonical(fields))
    rehashed = replace(changed, entry_hash=hash_of(changed.header))
    found = first_break(with_entry(history, place, changed))
    assert found is not None
    assert found.seq == place + 1
    # Whoever hashes it again is found at the next entry, or at the head.
    bad = first_bad(with_entry(history, place, rehashed), said=tip_of(history))
    assert bad is not None
    assert bad - 1 in {place, min(place + 1, len(history) - 1)}


@given(HISTORIES, st.data())
def test_a_change_beside_the_header_is_found_where_it_was_made(
    history: tuple[Stored, ...], data: st.DataObject
) -> None:
    place = place_in(data, history)
    entry = history[place]
    name, values = data.draw(
        st.sampled_from(
            [
                ("payload", PAYLOADS.map(canonical)),
                ("nonce", NONCES),
                ("entry_hash", st.text("0123456789abcdef", min_size=64, max_size=64)),
                ("kind", st.sampled_from(["DECISION", "OUTCOME", "DEED", "MANIFEST"])),
                ("ref", TEXT),
                ("subject_key", st.none() | TEXT),
                ("seq", st.integers(-5, 99)),
                ("payload", st.none()),
                ("nonce", st.none()),
            ]
        )
    )
    new: Any = data.draw(values)
    assume(new != getattr(entry, name))
    changes: dict[str, Any] = {name: new}
    altered = with_entry(history, place, replace(entry, **changes))
    found = inspect(altered, tip=tip_of(history))
    named = [each.seq for each in (found.content, found.order) if each]
    assert named
    assert place + 1 in named or (name == "seq" and new in named)
    assert min(named) >= min(place + 1, new if name == "seq" else place + 1)


@given(HISTORIES, st.data())
def test_a_gap_is_found_at_the_entry_after_it(
    history: tuple[Stored, ...], data: st.DataObject
) -> None:
    place = place_in(data, history)
    order = inspect(with_entry(history, place, None), tip=tip_of(history)).order
    assert order is not None
    was_last = place == len(history) - 1
    assert (order.verdict, order.seq) == (Verdict.ORDER, place + 1 if was_last else place + 2)


@given(LONGER, st.data())
def test_entries_that_changed_places_are_found_at_the_first_of_them(
    history: tuple[Stored, ...], data: st.DataObject
) -> None:
    first, second = sorted(
        data.draw(st.lists(st.integers(0, len(history) - 1), min_size=2, max_size=2, unique=True))
    )
    moved = list(history)
    moved[first], moved[second] = moved[second], moved[first]
    found = first_break(moved)
    assert found is not None
    assert (found.verdict, found.seq) == (Verdict.ORDER, second + 1)


@given(HISTORIES, st.data())
def test_an_entry_that_is_there_twice_is_found_at_its_double(
    history: tuple[Stored, ...], data: st.DataObject
) -> None:
    place = place_in(data, history)
    later = data.draw(st.integers(place + 1, len(history)))
    doubled = (*history[:later], history[place], *history[later:])
    found = first_break(doubled)
    assert found is not None
    assert (found.verdict, found.seq) == (Verdict.ORDER, place + 1)


@given(HISTORIES, DRAFTS)
def test_an_entry_that_was_added_by_somebody_else_is_found_by_the_head(
    history: tuple[Stored, ...], draft: tuple[dict[str, Any], dict[str, Any], bytes]
) -> None:
    header, payload, nonce = draft
    text = canonical(payload)
    tip = tip_of(history)
    entry = seal(header, seq=tip.seq + 1, prev_hash=tip.last_hash, commitment=commit(text, nonce))
    forged = Stored(
        seq=entry.seq,
        kind=header["kind"],
        ref=header["ref"],
        subject_key=header["subject_key"],
        header=entry.header,
        entry_hash=entry.entry_hash,
        nonce=nonce,
        payload=text,
    )
    order = inspect((*history, forged), tip=tip).order
    assert order is not None
    assert order.seq == tip.seq + 1


@given(HISTORIES, st.data())
def test_people_can_be_forgotten_and_the_chain_still_verifies(
    history: tuple[Stored, ...], data: st.DataObject
) -> None:
    gone = data.draw(st.sets(st.integers(0, len(history) - 1)))
    left = tuple(
        replace(entry, payload=None, nonce=None, shredded=True) if place in gone else entry
        for place, entry in enumerate(history)
    )
    found = inspect(left, tip=tip_of(history))
    assert found.intact
    assert found.shredded == len(gone)


@given(PAYLOADS, NONCES, NONCES)
def test_a_commitment_hides_its_payload_behind_the_nonce(
    payload: dict[str, Any], nonce: bytes, other: bytes
) -> None:
    assume(nonce != other)
    text = canonical(payload)
    assert commit(text, nonce) != commit(text, other)
    header: dict[str, object] = {"kind": "DEED", "ref": "", "subject_key": None}
    entry = seal(header, seq=1, prev_hash=GENESIS, commitment=commit(text, nonce))
    again = seal(header, seq=1, prev_hash=GENESIS, commitment=commit(text, other))
    assert entry.entry_hash != again.entry_hash
    assert nonce.hex().encode() not in entry.header


@given(PAYLOADS, PAYLOADS, NONCES)
def test_a_commitment_binds_to_one_payload(
    payload: dict[str, Any], other: dict[str, Any], nonce: bytes
) -> None:
    same = canonical(payload) == canonical(other)
    assert (commit(canonical(payload), nonce) == commit(canonical(other), nonce)) == same


@given(st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3), max_leaves=5), st.data())
def test_whatever_has_several_ways_to_be_written_is_refused_wherever_it_is(
    fine: object, data: st.DataObject
) -> None:
    bad: Any = data.draw(
        st.floats()
        | st.binary()
        | st.integers(min_value=2**53)
        | st.integers(max_value=-(2**53))
        | st.dictionaries(
            st.text(st.characters(min_codepoint=128, exclude_categories=["Cs"]), min_size=1)
            | st.integers()
            | st.none()
            | st.booleans(),
            SCALARS,
            min_size=1,
        )
        | st.just("\ud800")
        | st.sets(st.integers(), min_size=1)
    )
    for value in (bad, [fine, bad], {"a": fine, "b": [{"c": bad}]}):
        with pytest.raises(NotCanonical):
            canonical(value)
