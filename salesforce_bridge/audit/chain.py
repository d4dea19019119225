"""The chain: every entry's header names the hash of the one before, and commits to a payload it does not show."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256

import orjson

from salesforce_bridge.audit.canonical import canonical

SCHEMA = 1
GENESIS = sha256(b"salesforce_bridge audit chain 1").hexdigest()  # what the first entry follows
_HEADER = b"\x00"  # keeps a header's hash apart from every other hash
_PAYLOAD = b"pc1"
_COPIES = ("seq", "kind", "ref", "subject_key")  # what an entry is filed under


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A sealed header."""

    seq: int
    header: bytes  # canonical
    entry_hash: str
    prev_hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """An entry as it is found again, with the copies a reader searches by."""

    seq: int
    kind: str
    ref: str
    subject_key: str | None
    header: bytes
    entry_hash: str
    nonce: bytes | None
    payload: bytes | None
    shredded: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Tip:
    """Where the chain is said to end."""

    seq: int
    last_hash: str


class Verdict(StrEnum):
    """What is judged apart, because each failure means something else."""

    CONTENT = "content"  # what was sealed has changed
    ORDER = "order"  # an entry is missing, added or moved, or the tail was cut
    COMPLETENESS = "completeness"  # a cycle sealed less, or more, than its manifest says


@dataclass(frozen=True, slots=True, kw_only=True)
class Break:
    """The first bad entry under one verdict."""

    verdict: Verdict
    seq: int
    what: str


def commit(payload: bytes, nonce: bytes) -> str:
    """Bind an entry to its payload, in a way that cannot be guessed back once the nonce is gone."""
    return sha256(_PAYLOAD + nonce + payload).hexdigest()


def seal(header: Mapping[str, object], *, seq: int, prev_hash: str, commitment: str) -> Entry:
    """Make a header the next link of the chain."""
    text = canonical(
        {
            **header,
            "schema": SCHEMA,
            "seq": seq,
            "prev_hash": prev_hash,
            "payload_commitment": commitment,
        }
    )
    return Entry(seq=seq, header=text, entry_hash=hash_of(text), prev_hash=prev_hash)


def hash_of(header: bytes) -> str:
    """The hash of an entry: of its header alone."""
    return sha256(_HEADER + header).hexdigest()


def fields_of(entry: Stored) -> Mapping[str, object] | None:
    """What a header says; None when it cannot be read any more."""
    try:
        fields = orjson.loads(entry.header)
    except orjson.JSONDecodeError:
        return None
    return fields if isinstance(fields, dict) else None


def content_break(entry: Stored, fields: Mapping[str, object] | None) -> Break | None:
    """Whether an entry is still what was sealed."""
    what = _content_fault(entry, fields)
    return Break(verdict=Verdict.CONTENT, seq=entry.seq, what=what) if what else None


def order_break(entry: Stored, fields: Mapping[str, object] | None, *, after: Tip) -> Break | None:
    """Whether an entry is the one that follows."""
    if entry.seq != after.seq + 1:
        what = f"entry {entry.seq} follows entry {after.seq}: what lies between is missing or moved"
    elif fields is None or fields.get("prev_hash") != after.last_hash:
        what = f"entry {entry.seq} does not continue entry {after.seq}"
    else:
        return None
    return Break(verdict=Verdict.ORDER, seq=entry.seq, what=what)


def tail_break(last: Tip, *, said: Tip) -> Break | None:
    """Whether the chain ends where it is said to end."""
    if last == said:
        return None
    what = f"the chain ends at entry {last.seq}, but its head stands at entry {said.seq}"
    if last.seq == said.seq:
        what = f"entry {last.seq} is the last, but not the one that the head names"
    return Break(
        verdict=Verdict.ORDER, seq=min(last.seq, said.seq) + (last.seq != said.seq), what=what
    )


def _content_fault(entry: Stored, fields: Mapping[str, object] | None) -> str | None:
    if hash_of(entry.header) != entry.entry_hash or fields is None:
        return f"the header of entry {entry.seq} is not the one that was sealed"
    copies = (entry.seq, entry.kind, entry.ref, entry.subject_key)
    if copies != tuple(map(fields.get, _COPIES)):
        return f"entry {entry.seq} is filed under other words than those it was sealed with"
    if entry.payload is None or entry.nonce is None:
        return None if entry.shredded else f"the payload of entry {entry.seq} is gone"
    if commit(entry.payload, entry.nonce) != fields.get("payload_commitment"):
        return f"the payload of entry {entry.seq} is not the one that was sealed"
    return None
