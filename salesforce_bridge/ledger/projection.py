"""The projection: what events come to, stored beside them and never the source of anything."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, select, update

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
from salesforce_bridge.reconcile.intent import DueChange

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
    "latest_notice",
    "reaffirm_by",
    "prompted_at",
    "marketing",
    "revision",
)
_REPLACED = (*_PLAIN, "basis", "state", "trust", "grade")
_STOP_REPLACED = ("since", "own", "reason", "revision")


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
    _store(connection, before, after)
    return refused


def stored(
    connection: Connection, subject_ids: Collection[SubjectId]
) -> dict[SubjectId, FoldedSubject]:
    """What is stored about people; nothing for people without a projection."""
    permissions, _ = permissions_of(connection, subject_ids)
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
) -> tuple[dict[SubjectId, dict[Use, Permission]], dict[SubjectId, dict[Use, datetime]]]:
    """The state of every key of people, and when the clock next has something to do about it."""
    gathered: dict[SubjectId, dict[Use, Permission]] = {}
    due: dict[SubjectId, dict[Use, datetime]] = {}
    statement = select(permission_table).order_by(
        permission_table.c.purpose, permission_table.c.channel
    )
    for row in bulk.look_up(connection, statement, permission_table.c.subject_id, subject_ids):
        permission = _permission_of(row)
        gathered.setdefault(SubjectId(row.subject_id), {})[permission.use] = permission
        if row.due_at is not None:
            due.setdefault(SubjectId(row.subject_id), {})[permission.use] = row.due_at
    return gathered, due


def set_due(connection: Connection, changes: Sequence[DueChange]) -> None:
    """Note when the clock next has something to do; a use without a permission is nothing to it."""
    rows = [
        {
            "subject_id": change.subject_id,
            "purpose": change.use.purpose,
            "channel": change.use.channel,
            "due_at": change.at,
        }
        for change in changes
    ]
    bulk.change(connection, permission_table, rows, key=("subject_id", "purpose", "channel"))


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
) -> None:
    permissions: list[Mapping[str, Any]] = []
    stops: list[Mapping[str, Any]] = []
    for subject_id, folded in after.items():
        known = before.get(subject_id, NOTHING)
        permissions.extend(
            _permission_row(subject_id, permission)
            for use, permission in folded.permissions.items()
            if known.permissions.get(use) != permission
        )
        stops.extend(
            _stop_row(subject_id, stop) for stop in folded.stops if stop not in known.stops
        )
        _take_back(connection, subject_id, known.stops, folded.stops)
        if folded.hold != known.hold:
            connection.execute(
                update(subject).where(subject.c.id == subject_id).values(hold=folded.hold)
            )
    bulk.put_over(connection, permission_table, permissions, replace=_REPLACED)
    bulk.put_over(connection, stop_table, stops, replace=_STOP_REPLACED)


def _take_back(
    connection: Connection, subject_id: SubjectId, known: Sequence[Stop], still: Sequence[Stop]
) -> None:
    """Remove the stops that a correction took back."""
    places = {(stop.kind, stop.purpose, stop.channel) for stop in still}
    for stop in known:
        if (stop.kind, stop.purpose, stop.channel) not in places:
            connection.execute(
                delete(stop_table).where(
                    stop_table.c.subject_id == subject_id,
                    stop_table.c.kind == stop.kind.value,
                    stop_table.c.purpose == stop.purpose,
                    stop_table.c.channel == stop.channel,
                )
            )


def _permission_row(subject_id: SubjectId, permission: Permission) -> dict[str, Any]:
    row: dict[str, Any] = {name: getattr(permission, name) for name in _PLAIN}
    row["subject_id"] = subject_id
    row["purpose"] = permission.use.purpose
    row["channel"] = permission.use.channel
    row["basis"] = permission.basis.value
    row["state"] = permission.state.value
    row["trust"] = permission.trust.value
    row["grade"] = permission.grade.value
    return row


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
        latest_notice=row.latest_notice,
        reaffirm_by=row.reaffirm_by,
        prompted_at=row.prompted_at,
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
