"""Views: what people read of the ledger on the command line and in the browser, and the check of the audit."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import orjson
from sqlalchemy import Connection, Row, Select, func, select, text

from salesforce_bridge.audit.chain import Stored, Tip
from salesforce_bridge.audit.completeness import Inspection, inspect
from salesforce_bridge.ledger import (
    claims,
    cycles,
    heads,
    history,
    mirrors,
    projection,
    subjects,
    suppressions,
    writes,
)
from salesforce_bridge.ledger.store import CycleRecord, Head, Tx
from salesforce_bridge.ledger.tables import (
    UNFINISHED,
    audit_entry,
    audit_payload,
    candidate,
    permission,
    planned_write,
    stop,
    subject,
    subject_link,
)
from salesforce_bridge.permissions.events import PermissionEvent
from salesforce_bridge.permissions.keys import ContactId, OrgId, SubjectId
from salesforce_bridge.permissions.policy import Policy, parse_policy
from salesforce_bridge.reconcile.facts import (
    LIVE_LINKS,
    Candidate,
    ContactSnapshot,
    Link,
    RowSnapshot,
    SubjectRecord,
)

_PAGE = 5000


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedEntry:
    """One entry of the audit, as a person reads it."""

    seq: int
    kind: str
    ref: str
    header: Mapping[str, Any]
    payload: Mapping[str, Any] | None  # None: destroyed, because the person was forgotten
    entry_hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """The ledger in numbers."""

    head: Head
    people: int
    contacts: int  # linked to somebody, and not gone
    permissions: Mapping[tuple[str, str, str], int]  # (purpose, channel, state): number
    stops: Mapping[str, int]  # kind: number
    claims_waiting: int
    writes_open: Mapping[str, int]  # pending, unknown: number
    last_cycle: CycleRecord | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactView:
    """Everything the ledger can say about one Contact."""

    link: Link
    record: SubjectRecord
    history: tuple[PermissionEvent, ...]
    contact: ContactSnapshot | None
    rows: tuple[RowSnapshot, ...]
    entries: tuple[SealedEntry, ...] = field(default=())  # the latest first


def verify(tx: Tx) -> Inspection:
    """Read the whole audit again, in bounded memory, and judge it."""
    head = heads.head(tx.connection)
    return inspect(stored_entries(tx), tip=Tip(seq=head.seq, last_hash=head.last_hash))


def stored_entries(tx: Tx, *, after: int = 0) -> Iterator[Stored]:
    """Stream the audit in its order."""
    statement = (
        select(
            audit_entry.c.seq,
            audit_entry.c.kind,
            audit_entry.c.ref,
            audit_entry.c.subject_key,
            audit_entry.c.header,
            audit_entry.c.entry_hash,
            audit_payload.c.nonce,
            audit_payload.c.payload,
            audit_payload.c.shredded_at,
        )
        .select_from(audit_entry.outerjoin(audit_payload, audit_payload.c.seq == audit_entry.c.seq))
        .where(audit_entry.c.seq > after)
        .order_by(audit_entry.c.seq)
    )
    rows = tx.connection.execute(statement.execution_options(yield_per=_PAGE))
    for seq, kind, ref, subject_key, header, entry_hash, nonce, payload, shredded_at in rows:
        yield Stored(
            seq=seq,
            kind=kind,
            ref=ref,
            subject_key=subject_key,
            header=header.encode(),
            entry_hash=entry_hash,
            nonce=nonce,
            payload=None if payload is None else payload.encode(),
            shredded=shredded_at is not None,
        )


def refold(tx: Tx, *, policy: Policy) -> tuple[SubjectId, ...]:
    """Fold all events again; give the people for whom that is not what is stored. There should be none."""
    earlier = {
        version: parse_policy(text) for version, text in cycles.policy_texts(tx.connection).items()
    }
    return projection.differing(
        tx.connection, history.histories(tx.connection), policy=policy, earlier=earlier
    )


def tail(tx: Tx, *, count: int = 20, kind: str | None = None) -> tuple[SealedEntry, ...]:
    """The latest entries, the latest first."""
    statement = _entries().order_by(audit_entry.c.seq.desc()).limit(count)
    if kind is not None:
        statement = statement.where(audit_entry.c.kind == kind)
    return _sealed(tx.connection.execute(statement))


def entries_named(tx: Tx, ref: str) -> tuple[SealedEntry, ...]:
    """The entries of a decision, a write, a cycle or a deed, by its id; or the one of a sequence number."""
    named = audit_entry.c.ref == ref
    if ref.isdigit():
        named |= audit_entry.c.seq == int(ref)
    return _sealed(tx.connection.execute(_entries().where(named).order_by(audit_entry.c.seq)))


def entries_about(tx: Tx, subject_id: SubjectId, *, count: int = 20) -> tuple[SealedEntry, ...]:
    """The latest entries about a person, the latest first."""
    statement = (
        _entries()
        .join(subject, subject.c.subject_key == audit_entry.c.subject_key)
        .where(subject.c.id == subject_id)
        .order_by(audit_entry.c.seq.desc())
        .limit(count)
    )
    return _sealed(tx.connection.execute(statement))


def contact(
    tx: Tx, org_id: OrgId, contact_id: ContactId, *, entries: int = 20
) -> ContactView | None:
    """Everything about one Contact; None if the ledger has not met it."""
    connection = tx.connection
    link = subjects.links_of(connection, org_id, [contact_id]).get(contact_id)
    if link is None:
        return None
    whose = link.subject_id
    seen = mirrors.contacts(connection, org_id, [contact_id]).get(contact_id)
    return ContactView(
        link=link,
        record=_with_suppressions(connection, subjects.subjects(connection, [whose])[whose], seen),
        history=history.events_of(connection, [whose]).get(whose, ()),
        contact=seen,
        rows=mirrors.rows_of(connection, org_id, [contact_id]).get(contact_id, ()),
        entries=entries_about(tx, whose, count=entries),
    )


def _with_suppressions(
    connection: Connection, record: SubjectRecord, seen: ContactSnapshot | None
) -> SubjectRecord:
    """Add what is suppressed about the Contact's addresses under keys that are being replaced."""
    if seen is None:
        return record
    hmacs = {point.hmac for point in (*seen.points, *seen.older)}
    silent = suppressions.suppressions_of(connection, hmacs)
    return replace(record, suppressions=tuple(sorted({*record.suppressions, *silent})))


def waiting_claims(tx: Tx, *, limit: int = 100) -> tuple[Candidate, ...]:
    """Claims in quarantine that nobody has judged, those that expire first before the others."""
    statement = (
        select(candidate)
        .where(candidate.c.open)
        .order_by(candidate.c.expires_at, candidate.c.id)
        .limit(limit)
    )
    return tuple(map(claims.candidate_of, tx.connection.execute(statement)))


def status(tx: Tx, org_id: OrgId) -> Status:
    """The ledger in numbers."""
    connection = tx.connection
    key = (permission.c.purpose, permission.c.channel, permission.c.state)
    grouped = select(*key, func.count()).group_by(*key).order_by(*key)
    live = (subject_link.c.org_id == org_id, subject_link.c.state.in_(sorted(LIVE_LINKS)))
    waiting = (
        planned_write.c.org_id == org_id,
        text(UNFINISHED),
        planned_write.c.state.in_(writes.OPEN),
    )
    return Status(
        head=heads.head(connection),
        people=_count(connection, select(func.count()).select_from(subject)),
        contacts=_count(connection, select(func.count()).select_from(subject_link).where(*live)),
        permissions={
            (purpose, channel, state): number
            for purpose, channel, state, number in connection.execute(grouped)
        },
        stops=_counts(connection, select(stop.c.kind, func.count()).group_by(stop.c.kind)),
        claims_waiting=_count(
            connection, select(func.count()).select_from(candidate).where(candidate.c.open)
        ),
        writes_open=_counts(
            connection,
            select(planned_write.c.state, func.count())
            .where(*waiting)
            .group_by(planned_write.c.state),
        ),
        last_cycle=cycles.last_cycle(connection, org_id),
    )


def _entries() -> Select[*tuple[Any, ...]]:
    return select(audit_entry, audit_payload.c.payload).select_from(
        audit_entry.outerjoin(audit_payload, audit_payload.c.seq == audit_entry.c.seq)
    )


def _sealed(rows: Iterable[Row[*tuple[Any, ...]]]) -> tuple[SealedEntry, ...]:
    return tuple(
        SealedEntry(
            seq=row.seq,
            kind=row.kind,
            ref=row.ref,
            header=orjson.loads(row.header),
            payload=None if row.payload is None else orjson.loads(row.payload),
            entry_hash=row.entry_hash,
        )
        for row in rows
    )


def _count(connection: Connection, statement: Select[int]) -> int:
    return connection.execute(statement).scalar_one()


def _counts(connection: Connection, statement: Select[str, int]) -> dict[str, int]:
    return {row[0]: row[1] for row in connection.execute(statement)}
