"""Circuits: that a mass change stopped everything but stops, and how many edits were counted towards one."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, func, select, update

from salesforce_bridge.ledger import bulk
from salesforce_bridge.ledger.law_tables import circuit as circuit_table
from salesforce_bridge.ledger.law_tables import edit_count
from salesforce_bridge.permissions.keys import OrgId
from salesforce_bridge.reconcile.intent import Circuit

_COUNTS_KEPT = timedelta(days=7)  # longer than any window that a policy would count over


def circuit(connection: Connection, org_id: OrgId, *, at: datetime, window: timedelta) -> Circuit:
    """Whether a mass change holds everything up, and what was counted towards one in the window; no rows."""
    last = connection.execute(
        select(circuit_table.c.closed_at, circuit_table.c.why)
        .where(circuit_table.c.org_id == org_id)
        .order_by(circuit_table.c.opened_at.desc())
        .limit(1)
    ).one_or_none()
    closed_at = _last_closed(connection, org_id) if last is not None else None
    # What a person has let through is not counted once more.
    since = at - window if closed_at is None else max(at - window, closed_at)
    counted = (
        select(edit_count.c.author, func.sum(edit_count.c.edits).label("edits"))
        .where(edit_count.c.org_id == org_id, edit_count.c.at > since)
        .group_by(edit_count.c.author)
    )
    is_open = last is not None and last.closed_at is None
    return Circuit(
        is_open=is_open,
        closed_at=closed_at,
        edits={row.author: int(row.edits) for row in connection.execute(counted)},
        why=last.why if last is not None and is_open else None,
    )


def why_open(connection: Connection, org_id: OrgId) -> str | None:
    """Say in words why a mass change holds everything up; None where none does. Asked at every cycle."""
    statement = select(circuit_table.c.why).where(
        circuit_table.c.org_id == org_id, circuit_table.c.closed_at.is_(None)
    )
    why: str | None = connection.execute(statement).scalar_one_or_none()
    return why


def open_circuit(connection: Connection, org_id: OrgId, why: str, *, at: datetime) -> bool:
    """Hold everything but stops; False where that is so already."""
    if _open_since(connection, org_id) is not None:
        return False
    bulk.put(connection, circuit_table, [{"org_id": org_id, "opened_at": at, "why": why}])
    return True


def close_circuit(
    connection: Connection, org_id: OrgId, *, by: str, reason: str, at: datetime
) -> bool:
    """Let everything that was stamped until now through; False where nothing is held."""
    since = _open_since(connection, org_id)
    if since is None:
        return False
    connection.execute(
        update(circuit_table)
        .where(circuit_table.c.org_id == org_id, circuit_table.c.opened_at == since)
        .values(closed_at=at, closed_by=by, reason=reason)
    )
    return True


def count_edits(
    connection: Connection, org_id: OrgId, edits: Mapping[str, int], *, at: datetime
) -> None:
    """Remember how many widening and blanking edits were seen, by author; and forget long gone ones."""
    if not edits:
        return
    rows = [
        {"org_id": org_id, "at": at, "author": author, "edits": number}
        for author, number in edits.items()
    ]
    bulk.put_over(connection, edit_count, rows, add="edits")
    connection.execute(
        delete(edit_count).where(edit_count.c.org_id == org_id, edit_count.c.at < at - _COUNTS_KEPT)
    )


def _open_since(connection: Connection, org_id: OrgId) -> datetime | None:
    statement = select(circuit_table.c.opened_at).where(
        circuit_table.c.org_id == org_id, circuit_table.c.closed_at.is_(None)
    )
    since: datetime | None = connection.execute(statement).scalar_one_or_none()
    return since


def _last_closed(connection: Connection, org_id: OrgId) -> datetime | None:
    statement = (
        select(circuit_table.c.closed_at)
        .where(circuit_table.c.org_id == org_id, circuit_table.c.closed_at.is_not(None))
        .order_by(circuit_table.c.closed_at.desc())
        .limit(1)
    )
    closed_at: datetime | None = connection.execute(statement).scalar_one_or_none()
    return closed_at
