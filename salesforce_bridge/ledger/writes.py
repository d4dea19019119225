"""Planned writes: recorded before Salesforce is asked, open until its answer is recorded too."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection, Row, select, text, update

from salesforce_bridge.ledger import bulk
from salesforce_bridge.ledger.tables import UNFINISHED, planned_write
from salesforce_bridge.ledger.values import CycleId, PlannedWrite
from salesforce_bridge.permissions.keys import ContactId, OrgId, SubjectId
from salesforce_bridge.reconcile.contact_edits import FLAG_FIELDS
from salesforce_bridge.reconcile.intent import Lane, Target, Value, Verb, Write

PENDING, UNKNOWN, LOOKED_AT = "pending", "unknown", "looked_at"
OPEN = (PENDING, UNKNOWN)
_REPLACED = (
    *("org_id", "cycle_id", "contact_id", "state", "code"),
    *("created_at", "settled_at", "content"),
)


def plan(
    connection: Connection,
    writes: Sequence[Write],
    *,
    org_id: OrgId,
    cycle_id: CycleId,
    at: datetime,
) -> None:
    """Remember what is going to be asked; the same write asked again is a further attempt."""
    rows = [
        {
            "id": write.id,
            "org_id": org_id,
            "cycle_id": cycle_id,
            "contact_id": write.contact_id,
            "state": PENDING,
            "attempts": 1,
            "code": None,
            "created_at": at,
            "settled_at": None,
            "content": _text_of(write),
        }
        for write in writes
    ]
    bulk.put_over(connection, planned_write, rows, replace=_REPLACED, count="attempts")


def unsettled(
    connection: Connection, org_id: OrgId, contact_ids: Collection[ContactId] | None = None
) -> tuple[PlannedWrite, ...]:
    """Writes never answered for, and those of unknown outcome that nobody has looked at since."""
    statement = (
        select(planned_write)
        .where(planned_write.c.org_id == org_id, text(UNFINISHED), planned_write.c.state.in_(OPEN))
        .order_by(planned_write.c.created_at, planned_write.c.id)
    )
    if contact_ids is None:
        return tuple(map(planned_of, connection.execute(statement)))
    found = bulk.look_up(connection, statement, planned_write.c.contact_id, contact_ids)
    return tuple(map(planned_of, found))


def look_at(
    connection: Connection, org_id: OrgId, contact_ids: Collection[ContactId]
) -> dict[ContactId, set[str]]:
    """Close writes of unknown outcome on Contacts that have been read since: the reading tells.

    Gives the flags that those writes meant to set.
    """
    unknown = (
        planned_write.c.org_id == org_id,
        text(UNFINISHED),
        planned_write.c.state == UNKNOWN,
    )
    if connection.execute(select(planned_write.c.id).where(*unknown).limit(1)).first() is None:
        return {}
    raised: dict[ContactId, set[str]] = {}
    for row in bulk.look_up(
        connection, select(planned_write).where(*unknown), planned_write.c.contact_id, contact_ids
    ):
        write = planned_of(row).write
        flags = {name for name in FLAG_FIELDS if write.fields.get(name) is True}
        raised.setdefault(write.contact_id, set()).update(flags)
    for piece in bulk.pieces(sorted(contact_ids)):
        connection.execute(
            update(planned_write)
            .where(*unknown, planned_write.c.contact_id.in_(piece))
            .values(state=LOOKED_AT)
        )
    return raised


def planned_of(row: Row[*tuple[Any, ...]]) -> PlannedWrite:
    """A planned write, as it was planned."""
    return PlannedWrite(
        write=_write_of(row.id, row.content),
        org_id=OrgId(row.org_id),
        cycle_id=CycleId(row.cycle_id),
        created_at=row.created_at,
        unknown=row.state == UNKNOWN,
    )


def _text_of(write: Write) -> str:
    moments = [name for name, value in write.fields.items() if isinstance(value, datetime)]
    return orjson.dumps(
        {
            "lane": int(write.lane),
            "verb": write.verb,
            "target": write.target,
            "contact_id": write.contact_id,
            "record_id": write.record_id,
            "ledger_key": write.ledger_key,
            "fields": dict(write.fields),
            "moments": moments,
            "decision_id": write.decision_id,
            "subject_id": write.subject_id,
            "unmodified_since": write.unmodified_since,
        }
    ).decode()


def _write_of(write_id: str, text: str) -> Write:
    content: Mapping[str, Any] = orjson.loads(text)
    fields: dict[str, Value] = content["fields"]
    for name in content["moments"]:
        fields[name] = datetime.fromisoformat(str(fields[name]))
    since = content["unmodified_since"]
    return Write(
        id=write_id,
        lane=Lane(content["lane"]),
        verb=Verb(content["verb"]),
        target=Target(content["target"]),
        contact_id=ContactId(content["contact_id"]),
        record_id=content["record_id"],
        ledger_key=content["ledger_key"],
        fields=fields,
        decision_id=content["decision_id"],
        subject_id=SubjectId(content["subject_id"]),
        unmodified_since=None if since is None else datetime.fromisoformat(since),
    )
