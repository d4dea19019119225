"""Requests: what people ask the daemon to do."""

from collections.abc import Collection, Mapping
from datetime import datetime

import orjson
from sqlalchemy import Connection, select, update

from salesforce_bridge.ledger import bulk, heads
from salesforce_bridge.ledger.tables import request
from salesforce_bridge.ledger.values import FiledRequest
from salesforce_bridge.permissions.keys import OrgId


def file_request(
    connection: Connection,
    kind: str,
    payload: Mapping[str, object],
    *,
    by: str,
    at: datetime,
    org_id: OrgId | None,
) -> int:
    """Keep a request until the daemon takes it."""
    number = heads.next_request(connection)
    row = {
        "id": number,
        "org_id": org_id,
        "kind": kind,
        "payload": orjson.dumps(payload).decode(),
        "requested_by": by,
        "filed_at": at,
    }
    bulk.put(connection, request, [row])
    return number


def take_requests(connection: Connection, *, at: datetime) -> tuple[FiledRequest, ...]:
    """Take all that wait; nobody else can take them again."""
    heads.lock(connection)
    waiting = select(request).where(request.c.taken_at.is_(None)).order_by(request.c.id)
    rows = connection.execute(waiting).all()
    if rows:
        connection.execute(update(request).where(request.c.taken_at.is_(None)).values(taken_at=at))
    return tuple(
        FiledRequest(
            id=row.id,
            kind=row.kind,
            payload=orjson.loads(row.payload),
            by=row.requested_by,
            filed_at=row.filed_at,
        )
        for row in rows
    )


def last_taken(connection: Connection, kinds: Collection[str]) -> str | None:
    """Name the latest of some kinds of request that was taken; it holds until the next, over restarts too."""
    taken = (
        select(request.c.kind)
        .where(request.c.taken_at.is_not(None), request.c.kind.in_(kinds))
        .order_by(request.c.id.desc())
        .limit(1)
    )
    kind: str | None = connection.execute(taken).scalar_one_or_none()
    return kind
