"""Small audit chains for tests, sealed as the ledger seals them."""

from collections.abc import Iterable, Mapping
from typing import Any

from salesforce_bridge.audit.canonical import canonical
from salesforce_bridge.audit.chain import (
    GENESIS,
    Break,
    Stored,
    Tip,
    commit,
    content_break,
    fields_of,
    order_break,
    seal,
)

NONCE = b"n" * 32


def a_header(**fields: Any) -> dict[str, Any]:
    """A header as an entry has it."""
    return {"kind": "DEED", "ref": "d", "subject_key": None, **fields}


def a_chain(
    drafts: Iterable[tuple[Mapping[str, Any], Mapping[str, Any]]],
) -> tuple[Stored, ...]:
    """Seal headers and payloads into a chain."""
    entries: list[Stored] = []
    last_hash = GENESIS
    for seq, (header, payload) in enumerate(drafts, start=1):
        text = canonical(dict(payload))
        entry = seal(header, seq=seq, prev_hash=last_hash, commitment=commit(text, NONCE))
        last_hash = entry.entry_hash
        entries.append(
            Stored(
                seq=seq,
                kind=header["kind"],
                ref=header["ref"],
                subject_key=header["subject_key"],
                header=entry.header,
                entry_hash=entry.entry_hash,
                nonce=NONCE,
                payload=text,
            )
        )
    return tuple(entries)


def tip_of(entries: tuple[Stored, ...]) -> Tip:
    """Where a chain ends."""
    return Tip(seq=entries[-1].seq, last_hash=entries[-1].entry_hash)


def first_break(entries: Iterable[Stored], *, after: Tip | None = None) -> Break | None:
    """The first entry that was changed or is out of place."""
    tip = after or Tip(seq=0, last_hash=GENESIS)
    for entry in entries:
        fields = fields_of(entry)
        found = order_break(entry, fields, after=tip) or content_break(entry, fields)
        if found:
            return found
        tip = Tip(seq=entry.seq, last_hash=entry.entry_hash)
    return None
