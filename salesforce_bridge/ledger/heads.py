"""The head row: the one place that revisions, sequence numbers and the last hash come from."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Row, select, update

from salesforce_bridge.ledger.faults import LedgerDamaged
from salesforce_bridge.ledger.tables import head as head_table
from salesforce_bridge.ledger.values import Head

ONLY = 1


def head(connection: Connection) -> Head:
    """Where the ledger stands."""
    return _head_of(_row(connection, lock=False))


def lock(connection: Connection) -> Head:
    """Where the ledger stands, and nobody else appends until this transaction has ended.

    On SQLite the transaction holds that lock from its beginning.
    """
    return _head_of(_row(connection, lock=True))


def next_cycle(connection: Connection) -> int:
    """Take the next number of a cycle."""
    number: int = _row(connection, lock=True).last_cycle + 1
    move(connection, {"last_cycle": number})
    return number


def next_request(connection: Connection) -> int:
    """Take the next number of a request."""
    number: int = _row(connection, lock=True).last_request + 1
    move(connection, {"last_request": number})
    return number


def move(connection: Connection, columns: Mapping[str, int | str]) -> None:
    """Move the head, which must be locked."""
    connection.execute(update(head_table).where(head_table.c.id == ONLY).values(**columns))


def _row(connection: Connection, *, lock: bool) -> Row[*tuple[Any, ...]]:
    statement = select(head_table).where(head_table.c.id == ONLY)
    row = connection.execute(statement.with_for_update() if lock else statement).one_or_none()
    if row is None:
        raise LedgerDamaged(
            "the head of the ledger is missing", hint="restore the ledger from its backup"
        )
    return row


def _head_of(row: Row[*tuple[Any, ...]]) -> Head:
    return Head(revision=row.revision, seq=row.seq, last_hash=row.last_hash)
