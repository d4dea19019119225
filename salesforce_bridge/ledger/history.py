"""History: permission events, appended in the order of their revisions and never changed."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, Row, Select, select

from salesforce_bridge.ledger import bulk, heads, projection
from salesforce_bridge.ledger.moments import to_millisecond
from salesforce_bridge.ledger.tables import permission_event, subject
from salesforce_bridge.ledger.values import Appended, CycleId
from salesforce_bridge.permissions.bases import LawfulBasis
from salesforce_bridge.permissions.events import ActorKind, EventKind, PermissionEvent
from salesforce_bridge.permissions.evidence import Grade, Trust
from salesforce_bridge.permissions.keys import (
    Channel,
    ControllerKey,
    OrgId,
    PurposeKey,
    SubjectId,
    Use,
)
from salesforce_bridge.permissions.policy import Policy

_PLAIN = (
    "id",
    "subject_id",
    "controller",
    "happened_at",
    "actor_ref",
    "reason",
    "purpose_version",
    "policy_version",
    "marketing",
    "own",
    "effective_from",
    "effective_to",
    "capture_source",
    "evidence_ref",
    "notice_id",
    "point",
    "condition_ref",
    "source_record",
    "source_stamp",
    "recorded_at",
    "revision",
)
_MOMENTS = ("happened_at", "effective_from", "effective_to", "source_stamp", "recorded_at")


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where events come from: a cycle over an org, or outside of any."""

    at: datetime
    policy: Policy
    org_id: OrgId | None = None
    cycle_id: CycleId | None = None


def append(connection: Connection, events: Sequence[PermissionEvent], origin: Origin) -> Appended:
    """Append what is new, in order, each with the next revision, and fold it into the projection."""
    head = heads.lock(connection)
    fresh = _fresh(connection, events)
    if not fresh:
        return Appended(events=0, revision=head.revision)
    numbered = [
        _as_kept(event, revision, at=origin.at)
        for revision, event in enumerate(fresh, start=head.revision + 1)
    ]
    bulk.put(connection, permission_event, [_row_of(event, origin) for event in numbered])
    refused = projection.advance(connection, numbered, policy=origin.policy)
    revision = numbered[-1].revision
    heads.move(connection, {"revision": revision})
    touch(
        connection,
        {event.subject_id: event.revision for event in numbered},
        outside=origin.cycle_id is None,
    )
    return Appended(events=len(numbered), refused=refused, revision=revision)


def touch(connection: Connection, revisions: Mapping[SubjectId, int], *, outside: bool) -> None:
    """Note on people the last revision that touched them."""
    columns = ("revision", "outside_revision") if outside else ("revision",)
    touched = [
        {"id": one, **dict.fromkeys(columns, revision)} for one, revision in revisions.items()
    ]
    bulk.change(connection, subject, touched, key=("id",))


def events_of(
    connection: Connection, subject_ids: Collection[SubjectId]
) -> dict[SubjectId, tuple[PermissionEvent, ...]]:
    """All that ever happened to people, oldest first."""
    statement = select(permission_event).order_by(permission_event.c.revision)
    found = bulk.look_up(connection, statement, permission_event.c.subject_id, subject_ids)
    gathered: dict[SubjectId, list[PermissionEvent]] = {}
    for row in found:
        gathered.setdefault(SubjectId(row.subject_id), []).append(_event_of(row))
    return {subject_id: tuple(events) for subject_id, events in gathered.items()}


def events_named(connection: Connection, ids: Collection[str]) -> tuple[PermissionEvent, ...]:
    """Events by their ids, oldest first."""
    found = bulk.look_up(connection, select(permission_event), permission_event.c.id, ids)
    return tuple(sorted(map(_event_of, found), key=lambda event: event.revision))


def events_by(
    connection: Connection, statement: Select[*tuple[Any, ...]]
) -> tuple[PermissionEvent, ...]:
    """The events that a query finds, oldest first."""
    ordered = statement.order_by(permission_event.c.revision)
    return tuple(map(_event_of, connection.execute(ordered)))


def histories(
    connection: Connection,
) -> Iterator[tuple[SubjectId, tuple[PermissionEvent, ...]]]:
    """Everybody's history, one person at a time."""
    statement = select(permission_event).order_by(
        permission_event.c.subject_id, permission_event.c.revision
    )
    rows = connection.execute(statement.execution_options(yield_per=1000))
    for subject_id, own in groupby(rows, key=lambda row: row.subject_id):
        yield SubjectId(subject_id), tuple(_event_of(row) for row in own)


def _fresh(connection: Connection, events: Sequence[PermissionEvent]) -> list[PermissionEvent]:
    offered = {event.id: event for event in events}
    known = {
        row.id
        for row in bulk.look_up(
            connection, select(permission_event.c.id), permission_event.c.id, offered
        )
    }
    return [event for event in offered.values() if event.id not in known]


def _as_kept(event: PermissionEvent, revision: int, *, at: datetime) -> PermissionEvent:
    """Fold exactly what will be read again."""
    moments: dict[str, Any] = {
        name: to_millisecond(moment)
        for name in _MOMENTS
        if (moment := getattr(event, name)) is not None
    }
    moments.setdefault("recorded_at", to_millisecond(at))
    return replace(event, revision=revision, **moments)


def _row_of(event: PermissionEvent, origin: Origin) -> dict[str, Any]:
    row: dict[str, Any] = {name: getattr(event, name) for name in _PLAIN}
    row["purpose"] = event.use.purpose
    row["channel"] = event.use.channel
    row["kind"] = event.kind.value
    row["basis"] = event.basis.value
    row["actor"] = event.actor.value
    row["trust"] = event.trust.value
    row["grade"] = event.grade.value
    row["org_id"] = origin.org_id
    row["cycle_id"] = origin.cycle_id
    return row


def _event_of(row: Row[*tuple[Any, ...]]) -> PermissionEvent:
    return PermissionEvent(
        id=row.id,
        subject_id=SubjectId(row.subject_id),
        controller=ControllerKey(row.controller),
        use=Use(purpose=PurposeKey(row.purpose), channel=Channel(row.channel)),
        kind=EventKind(row.kind),
        basis=LawfulBasis(row.basis),
        happened_at=row.happened_at,
        actor=ActorKind(row.actor),
        actor_ref=row.actor_ref,
        trust=Trust(row.trust),
        grade=Grade(row.grade),
        reason=row.reason,
        purpose_version=row.purpose_version,
        policy_version=row.policy_version,
        marketing=row.marketing,
        own=row.own,
        effective_from=row.effective_from,
        effective_to=row.effective_to,
        capture_source=row.capture_source,
        evidence_ref=row.evidence_ref,
        notice_id=row.notice_id,
        point=row.point,
        condition_ref=row.condition_ref,
        source_record=row.source_record,
        source_stamp=row.source_stamp,
        recorded_at=row.recorded_at,
        revision=row.revision,
    )
