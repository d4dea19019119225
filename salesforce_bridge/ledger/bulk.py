"""Many rows at once: the only ways in which this package puts rows and looks them up by key."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Connection, Row, Select, Table
from sqlalchemy.dialects import postgresql, sqlite

T = TypeVar("T")
Values = Mapping[str, Any]
_PIECE = 900  # keys in one IN list: both databases plan these well and allow more


def put(connection: Connection, table: Table, rows: Sequence[Values]) -> None:
    """Insert rows that cannot exist yet."""
    if rows:
        connection.execute(table.insert(), rows)


def put_new(connection: Connection, table: Table, rows: Sequence[Values]) -> None:
    """Insert rows unless their key exists."""
    if rows:
        connection.execute(_insert(connection, table).on_conflict_do_nothing(), rows)


def put_over(
    connection: Connection,
    table: Table,
    rows: Sequence[Values],
    *,
    replace: Collection[str],
    count: str | None = None,
) -> None:
    """Insert rows, and where their key exists replace some columns and count one up."""
    if not rows:
        return
    insert = _insert(connection, table)
    changes: dict[str, Any] = {name: insert.excluded[name] for name in replace}
    if count is not None:
        changes[count] = table.c[count] + 1
    connection.execute(
        insert.on_conflict_do_update(index_elements=list(table.primary_key.columns), set_=changes),
        rows,
    )


def look_up(
    connection: Connection,
    statement: Select[*tuple[Any, ...]],
    column: ColumnElement[Any],
    keys: Iterable[Any],
) -> Iterator[Row[*tuple[Any, ...]]]:
    """The rows of a query whose column is one of many keys, each key asked for once."""
    for piece in pieces(sorted(set(keys))):
        yield from connection.execute(statement.where(column.in_(piece)))


def pieces(values: Sequence[T], *, size: int = _PIECE) -> Iterator[Sequence[T]]:
    """Cut a sequence into bounded pieces."""
    for start in range(0, len(values), size):
        yield values[start : start + size]


def batched(values: Iterable[T], *, size: int = _PIECE) -> Iterator[Sequence[T]]:
    """Take bounded batches of what may be endless."""
    rest = iter(values)
    while batch := tuple(islice(rest, size)):
        yield batch


def _insert(connection: Connection, table: Table) -> sqlite.Insert | postgresql.Insert:
    if connection.dialect.name == "postgresql":
        return postgresql.insert(table)
    return sqlite.insert(table)
