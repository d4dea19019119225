"""What an entry says: the header for everybody, the payload about a person, kept apart from the first moment."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import Protocol

from salesforce_bridge.audit.canonical import stamp
from salesforce_bridge.permissions.keys import Use

Value = str | int | bool | datetime | None


class Kind(StrEnum):
    """What kind of thing was sealed."""

    DECISION = "DECISION"
    OUTCOME = "OUTCOME"
    MANIFEST = "MANIFEST"
    DEED = "DEED"


@dataclass(frozen=True, slots=True)
class Draft:
    """An entry before it has a place in the chain."""

    header: dict[
        str, object
    ]  # not personal; `subject_key` and `link_ref` lead nowhere without the ledger
    payload: dict[str, object]


class Judged(Protocol):
    """A decision, as far as the audit needs to know it."""

    @property
    def id(self) -> str: ...
    @property
    def situation(self) -> str: ...
    @property
    def reason(self) -> str: ...
    @property
    def effect(self) -> str: ...
    @property
    def severity(self) -> str: ...
    @property
    def queue(self) -> str | None: ...
    @property
    def ledger_class(self) -> str: ...
    @property
    def contact_id(self) -> str: ...
    @property
    def row_id(self) -> str | None: ...
    @property
    def use(self) -> Use: ...
    @property
    def basis(self) -> str: ...
    @property
    def status_before(self) -> str: ...
    @property
    def status_after(self) -> str: ...
    @property
    def observed(self) -> Mapping[str, tuple[Value, Value]]: ...
    @property
    def gates_failed(self) -> tuple[str, ...]: ...
    @property
    def event_ids(self) -> tuple[str, ...]: ...
    @property
    def candidate_id(self) -> str | None: ...
    @property
    def source_actor(self) -> str | None: ...
    @property
    def source_stamp(self) -> datetime | None: ...
    @property
    def explanation(self) -> str: ...
    @property
    def notes(self) -> tuple[str, ...]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Pseudonym:
    """How a person appears in headers: by a random key and a secret salt, both destroyed with the person."""

    subject_key: str
    salt: str

    def link_ref(self, record_id: str) -> str:
        """Name a record so that it can be counted, but not looked up."""
        return sha256(f"{self.salt}:{record_id}".encode()).hexdigest()[:32]


def decision(
    judged: Judged,
    *,
    person: Pseudonym,
    link_ref: str,
    record_read: bool,
    frame: Mapping[str, object],
) -> Draft:
    """Say why, for one case and use.

    `frame` names the org, the cycle, the moment, the policy and the software.
    """
    return Draft(
        {
            **frame,
            "kind": "DECISION",
            "ref": judged.id,
            "subject_key": person.subject_key,
            "link_ref": link_ref,
            "record_read": record_read,
            "purpose": judged.use.purpose,
            "channel": judged.use.channel,
            "lawful_basis": judged.basis,
            "ledger_class": judged.ledger_class,
            "situation": judged.situation,
            "reason": judged.reason,
            "effect": judged.effect,
            "severity": judged.severity,
            "queue": judged.queue,
            "notes": list(judged.notes),
            "status_before": judged.status_before,
            "status_after": judged.status_after,
        },
        {
            "contact_id": judged.contact_id,
            "row_id": judged.row_id,
            "observed": {
                name: [plain(agreed), plain(seen)]
                for name, (agreed, seen) in judged.observed.items()
            },
            "gates_failed": list(judged.gates_failed),
            "event_ids": list(judged.event_ids),
            "candidate_id": judged.candidate_id,
            "source_actor": judged.source_actor,
            "source_stamp": plain(judged.source_stamp),
            "explanation": judged.explanation,
        },
    )


def outcome(
    *,
    write_id: str,
    result: str,
    code: str | None,
    target: str,
    verb: str,
    lane: int,
    decision_id: str,
    subject_key: str | None,
    record: Mapping[str, Value],
    fields: Mapping[str, Value],
    frame: Mapping[str, object],
) -> Draft:
    """Say what became of a write; `record` names the records, `fields` what was asked."""
    return Draft(
        {
            **frame,
            "kind": "OUTCOME",
            "ref": write_id,
            "subject_key": subject_key,
            "decision_id": decision_id,
            "target": target,
            "verb": verb,
            "lane": lane,
            "result": result,
            "code": code,
        },
        {
            **{name: plain(value) for name, value in record.items()},
            "fields": {name: plain(value) for name, value in fields.items()},
        },
    )


def manifest(
    *,
    cycle_id: int,
    records_read: int,
    seen_again: int,
    decisions: Mapping[str, int],
    outcomes: Mapping[str, int],
    errors: int,
    calls: int,
    clean: bool,
    cursors: Mapping[str, object],
    frame: Mapping[str, object],
) -> Draft:
    """Say what a cycle did, in numbers that can be counted again.

    It speaks of nobody, so its payload is empty.
    """
    return Draft(
        {
            **frame,
            "kind": "MANIFEST",
            "ref": str(cycle_id),
            "subject_key": None,
            "records_read": records_read,
            "seen_again": seen_again,
            "decisions": dict(decisions),
            "outcomes": dict(outcomes),
            "errors": errors,
            "calls": calls,
            "clean": clean,
            "cursors": dict(cursors),
        },
        {},
    )


def deed(
    *,
    ref: str,
    verb: str,
    reason: str,
    subject_key: str | None,
    by: str,
    approved_by: str | None,
    details: Mapping[str, object],
    frame: Mapping[str, object],
) -> Draft:
    """Say what somebody did outside a cycle; who did it is personal too, so it goes with the payload."""
    return Draft(
        {
            **frame,
            "kind": "DEED",
            "ref": ref,
            "subject_key": subject_key,
            "verb": verb,
            "reason": reason,
        },
        {"by": by, "approved_by": approved_by, **details},
    )


def plain(value: Value) -> str | int | bool | None:
    """Write a moment as text and leave everything else as it is."""
    return stamp(value) if isinstance(value, datetime) else value
