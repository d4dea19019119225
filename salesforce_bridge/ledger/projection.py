"""The projection: what events come to, stored beside them and never the source of anything."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select, update

from salesforce_bridge.ledger import bulk
from salesforce_bridge.ledger.tables import permission as permission_table
from salesforce_bridge.ledger.tables import stop as stop_table
from salesforce_bridge.ledger.tables import subject
from salesforce_bridge.permissions.bases import LawfulBasis
from salesforce_bridge.permissions.events import PermissionEvent
from salesforce_bridge.permissions.evidence import Grade, Trust
from salesforce_bridge.permissions.fold import (
    NOTHING,
    FoldedSubject,
    Permission,
    Stop,
    StopKind,
    fold,
)
from salesforce_bridge.permissions.keys import Channel, PurposeKey, SubjectId, Use
from salesforce_bridge.permissions.policy import Policy
from salesforce_bridge.permissions.states import State

_PLAIN = (
    "reason",
    "since",
    "own",
    "stopped_at",
    "lifted_at",
    "effective_from",
    "effective_to",
    "granted_at",
    "capture_source",
    "evidence_ref",
    "notice_id",
    "point",
    "condition_ref",
    "held",
    "marketing",
    "revision",
)
_REPLACED = (*_PLAIN, "basis", "state", "trust", "grade", "lapses_at")
_STOP_REPLACED = ("since", "own", "reason", "revision")
_WAITING = frozenset({State.REQUESTED, State.DEFERRED, State.PENDING_CONFIRMATION})


def advance(
    connection: Connection, events: Sequence[PermissionEvent], *, policy: Policy
) -> Mapping[str, str]:
    """Fold new events onto the stored projection; give the codes of those that count for nothing."""
    by_subject: dict[SubjectId, list[PermissionEvent]] = {}
    for event in events:
        by_subject.setdefault(event.subject_id, []).append(event)
    before = stored(connection, by_subject)
    refused: dict[str, str] = {}
    after: dict[SubjectId, FoldedSubject] = {}
    for subject_id, own_events in by_subject.items():
        folded = fold(own_events, policy=policy, onto=before.get(subject_id, NOTHING))
        after[subject_id] = folded
        refused.update((refusal.event_id, refusal.reason) for refusal in folded.refusals)
    _store(connection, before, after, policy=policy)
    return refused


def stored(
    connection: Connection, subject_ids: Collection[SubjectId]
) -> dict[SubjectId, FoldedSubject]:
    """What is stored about people; nothing for people without a projection."""
    permissions = permissions_of(connection, subject_ids)
    stops = stops_of(connection, subject_ids)
    holds = bulk.look_up(
        connection,
        select(subject.c.id, subject.c.hold).where(subject.c.hold.is_not(None)),
        subject.c.id,
        subject_ids,
    )
    held = {SubjectId(row.id): row.hold for row in holds}
    return {
        subject_id: FoldedSubject(
            permissions=permissions.get(subject_id, {}),
            stops=stops.get(subject_id, ()),
            hold=held.get(subject_id),
        )
        for subject_id in permissions.keys() | stops.keys() | held.keys()
    }


def permissions_of(
    connection: Connection, subject_ids: Collection[SubjectId]
) -> dict[SubjectId, dict[Use, Permission]]:
    """The state of every key of people."""
    gathered: dict[SubjectId, dict[Use, Permission]] = {}
    statement = select(permission_table).order_by(
        permission_table.c.purpose, permission_table.c.channel
    )
    for row in bulk.look_up(connection, statement, permission_table.c.subject_id, subject_ids):
        permission = _permission_of(row)
        gathered.setdefault(SubjectId(row.subject_id), {})[permission.use] = permission
    return gathered


def stops_of(
    connection: Connection, subject_ids: Collection[SubjectId]
) -> dict[SubjectId, tuple[Stop, ...]]:
    """The wide stops of people."""
    gathered: dict[SubjectId, list[Stop]] = {}
    statement = select(stop_table).order_by(
        stop_table.c.kind, stop_table.c.purpose, stop_table.c.channel
    )
    for row in bulk.look_up(connection, statement, stop_table.c.subject_id, subject_ids):
        gathered.setdefault(SubjectId(row.subject_id), []).append(_stop_of(row))
    return {subject_id: tuple(stops) for subject_id, stops in gathered.items()}


def _store(
    connection: Connection,
    before: Mapping[SubjectId, FoldedSubject],
    after: Mapping[SubjectId, FoldedSubject],
    *,
    policy: Policy,
) -> None:
    permissions: list[Mapping[str, Any]] = []
    stops: list[Mapping[str, Any]] = []
    for subject_id, folded in after.items():
        known = before.get(subject_id, NOTHING)
        permissions.extend(
            _permission_row(subject_id, permission, policy)
            for use, permission in folded.permissions.items()
            if known.permissions.get(use) != permission
        )
        stops.extend(
            _stop_row(subject_id, stop) for stop in folded.stops if stop not in known.stops
        )
        if folded.hold != known.hold:
            connection.execute(
                update(subject).where(subject.c.id == subject_id).values(hold=folded.hold)
            )
    bulk.put_over(connection, permission_table, permissions, replace=_REPLACED)
    bulk.put_over(connection, stop_table, stops, replace=_STOP_REPLACED)


def _permission_row(
    subject_id: SubjectId, permission: Permission, policy: Policy
) -> dict[str, Any]:
    row: dict[str, Any] = {name: getattr(permission, name) for name in _PLAIN}
    row["subject_id"] = subject_id
    row["purpose"] = permission.use.purpose
    row["channel"] = permission.use.channel
    row["basis"] = permission.basis.value
    row["state"] = permission.state.value
    row["trust"] = permission.trust.value
    row["grade"] = permission.grade.value
    row["lapses_at"] = _lapses_at(permission, policy)
    return row


def _lapses_at(permission: Permission, policy: Policy) -> datetime | None:
    """When a request that nobody answers is over; other terms are bounds of the permission itself."""
    if permission.state in _WAITING:
        return permission.since + policy.request_lapses_after
    return None


def _permission_of(row: Row[*tuple[Any, ...]]) -> Permission:
    return Permission(
        use=Use(purpose=PurposeKey(row.purpose), channel=Channel(row.channel)),
        basis=LawfulBasis(row.basis),
        state=State(row.state),
        marketing=row.marketing,
        revision=row.revision,
        reason=row.reason,
        since=row.since,
        own=row.own,
        stopped_at=row.stopped_at,
        lifted_at=row.lifted_at,
        effective_from=row.effective_from,
        effective_to=row.effective_to,
        granted_at=row.granted_at,
        trust=Trust(row.trust),
        grade=Grade(row.grade),
        capture_source=row.capture_source,
        evidence_ref=row.evidence_ref,
        notice_id=row.notice_id,
        point=row.point,
        condition_ref=row.condition_ref,
        held=row.held,
    )


def _stop_row(subject_id: SubjectId, stop: Stop) -> dict[str, Any]:
    return {
        "subject_id": subject_id,
        "kind": stop.kind.value,
        "purpose": stop.purpose,
        "channel": stop.channel,
        "since": stop.since,
        "own": stop.own,
        "reason": stop.reason,
        "revision": stop.revision,
    }


def _stop_of(row: Row[*tuple[Any, ...]]) -> Stop:
    return Stop(
        kind=StopKind(row.kind),
        purpose=PurposeKey(row.purpose),
        channel=Channel(row.channel),
        since=row.since,
        own=row.own,
        reason=row.reason,
        revision=row.revision,
    )


def differing(
    connection: Connection,
    histories: Iterable[tuple[SubjectId, Sequence[PermissionEvent]]],
    *,
    policy: Policy,
    earlier: Mapping[str, Policy],
) -> tuple[SubjectId, ...]:
    """The people whose stored projection is not what folding all their events again comes to."""
    wrong: list[SubjectId] = []
    for batch in bulk.batched(histories):
        held = stored(connection, [subject_id for subject_id, _ in batch])
        for subject_id, events in batch:
            again = fold(events, policy=policy, earlier=earlier)
            kept = held.get(subject_id, NOTHING)
            if (
                dict(again.permissions) != dict(kept.permissions)
                or frozenset(again.stops) != frozenset(kept.stops)
                or again.hold != kept.hold
            ):
                wrong.append(subject_id)
    return tuple(wrong)
