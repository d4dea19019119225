"""Many rows at once: the only ways in which this package puts rows and looks them up by key."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, TypeVar

import orjson
import psycopg
from sqlalchemy import (
    ColumnElement,
    Connection,
    LargeBinary,
    Row,
    Select,
    Table,
    func,
    literal,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import DBAPIError

from salesforce_bridge.ledger.moments import Moment, to_millisecond

T = TypeVar("T")
Values = Mapping[str, Any]
_PIECE = 900  # keys in one IN list: both databases plan these well and allow more
_COPIED_FROM = 50  # rows; a COPY takes half the time of any other statement, once it has begun
_GIVEN = "json_populate_recordset(NULL::{}, %s::json)"


def put(connection: Connection, table: Table, rows: Sequence[Values]) -> None:
    """Insert rows that cannot exist yet."""
    if len(rows) >= _COPIED_FROM and _is_postgresql(connection):
        _copy(connection, table, rows)
    else:
        _insert(connection, table, rows, "")


def put_new(connection: Connection, table: Table, rows: Sequence[Values]) -> None:
    """Insert rows unless their key exists."""
    _insert(connection, table, rows, "ON CONFLICT DO NOTHING")


def put_over(
    connection: Connection,
    table: Table,
    rows: Sequence[Values],
    *,
    replace: Collection[str] = (),
    count: str | None = None,
    add: str | None = None,
) -> None:
    """Insert rows; where their key exists replace some columns, count one up, or add to one what is given."""
    quote = connection.dialect.identifier_preparer.quote
    changes = [f"{quote(name)} = excluded.{quote(name)}" for name in replace]
    if count is not None:
        changes.append(f"{quote(count)} = {quote(table.name)}.{quote(count)} + 1")
    if add is not None:
        changes.append(f"{quote(add)} = {quote(table.name)}.{quote(add)} + excluded.{quote(add)}")
    key = [column.name for column in table.primary_key.columns]
    clause = f"ON CONFLICT ({', '.join(map(quote, key))}) DO UPDATE SET {', '.join(changes)}"
    for unlike in _rounds(rows, key):
        _insert(connection, table, unlike, clause)


def change(
    connection: Connection, table: Table, rows: Sequence[Values], *, key: Sequence[str]
) -> None:
    """Update rows, each named by its key, in the other columns that are given."""
    if not rows:
        return
    quote = connection.dialect.identifier_preparer.quote
    name, names = quote(table.name), [each for each in rows[0] if each not in key]
    if _is_postgresql(connection):
        changes = ", ".join(f"{quote(each)} = given.{quote(each)}" for each in names)
        same = " AND ".join(f"{name}.{quote(each)} = given.{quote(each)}" for each in key)
        connection.exec_driver_sql(
            f"UPDATE {name} SET {changes} FROM {_GIVEN.format(name)} AS given WHERE {same}",  # noqa: S608  # our own names
            (_as_json(table, rows),),
        )
    else:
        changes = ", ".join(f"{quote(each)} = ?" for each in names)
        same = " AND ".join(f"{quote(each)} = ?" for each in key)
        connection.exec_driver_sql(
            f"UPDATE {name} SET {changes} WHERE {same}",  # noqa: S608  # our own names
            _as_tuples(connection, table, (*names, *key), rows),
        )


def look_up(
    connection: Connection,
    statement: Select[*tuple[Any, ...]],
    column: ColumnElement[Any],
    keys: Iterable[Any],
) -> Iterator[Row[*tuple[Any, ...]]]:
    """The rows of a query whose column is one of many keys, each key asked for once."""
    for piece in pieces(sorted(set(keys))):
        yield from connection.execute(statement.where(is_one_of(connection, column, piece)))


def is_one_of(
    connection: Connection, column: ColumnElement[Any], keys: Sequence[Any]
) -> ColumnElement[bool]:
    """Ask whether a column is one of some keys.

    PostgreSQL gets one array, which it plans once and well.
    """
    if _is_postgresql(connection):
        return column == func.any(literal(list(keys), postgresql.ARRAY(column.type)))
    return column.in_(keys)


def pieces(values: Sequence[T], *, size: int = _PIECE) -> Iterator[Sequence[T]]:
    """Cut a sequence into bounded pieces."""
    for start in range(0, len(values), size):
        yield values[start : start + size]


def batched(values: Iterable[T], *, size: int = _PIECE) -> Iterator[Sequence[T]]:
    """Take bounded batches of what may be endless."""
    rest = iter(values)
    while batch := tuple(islice(rest, size)):
        yield batch


# The statements below are composed of the names of our own tables and columns, never of a value. They are
# not compiled from expressions, because that takes longer for each row than the database does.


def _copy(connection: Connection, table: Table, rows: Sequence[Values]) -> None:
    quote = connection.dialect.identifier_preparer.quote
    statement = f"COPY {quote(table.name)} ({', '.join(map(quote, rows[0]))}) FROM STDIN"
    driver: Any = connection.connection.driver_connection
    try:
        with driver.cursor() as cursor, cursor.copy(statement) as copy:
            for row in _as_tuples(connection, table, tuple(rows[0]), rows):
                copy.write_row(row)
    except psycopg.Error as error:
        # As from any other statement: callers know the errors of SQLAlchemy only.
        raise DBAPIError.instance(
            statement, None, error, psycopg.Error, hide_parameters=True, dialect=connection.dialect
        ) from error


def _insert(connection: Connection, table: Table, rows: Sequence[Values], on_conflict: str) -> None:
    """Insert rows: all in one statement on PostgreSQL, through one prepared statement on SQLite."""
    if not rows:
        return
    quote = connection.dialect.identifier_preparer.quote
    name, names = quote(table.name), ", ".join(map(quote, rows[0]))
    if _is_postgresql(connection):
        connection.exec_driver_sql(
            f"INSERT INTO {name} ({names}) SELECT {names} FROM {_GIVEN.format(name)} {on_conflict}",  # noqa: S608  # our own names
            (_as_json(table, rows),),
        )
    else:
        places = ", ".join("?" * len(rows[0]))
        connection.exec_driver_sql(
            f"INSERT INTO {name} ({names}) VALUES ({places}) {on_conflict}",  # noqa: S608  # our own names
            _as_tuples(connection, table, tuple(rows[0]), rows),
        )


def _is_postgresql(connection: Connection) -> bool:
    return connection.dialect.name == "postgresql"


def _rounds(rows: Sequence[Values], key: Sequence[str]) -> Iterator[Sequence[Values]]:
    """Rows in rounds in which no key occurs twice: one statement cannot write a row two times."""
    while rows:
        first: dict[tuple[Any, ...], Values] = {}
        again = [
            row
            for row in rows
            if first.setdefault(tuple(row[name] for name in key), row) is not row
        ]
        yield tuple(first.values())
        rows = again


def _as_tuples(
    connection: Connection, table: Table, names: Sequence[str], rows: Sequence[Values]
) -> list[tuple[Any, ...]]:
    columns: list[list[Any]] = []
    for name in names:
        values = [row[name] for row in rows]
        write = (
            table.c[name].type.dialect_impl(connection.dialect).bind_processor(connection.dialect)
        )
        columns.append(values if write is None else _each_once(write, values))
    return list(zip(*columns, strict=True))


def _as_json(table: Table, rows: Sequence[Values]) -> str:
    columns: list[list[Any]] = []
    for name in rows[0]:
        values, kind = [row[name] for row in rows], table.c[name].type
        if isinstance(kind, Moment):
            values = _each_once(_optional(to_millisecond), values)
        elif isinstance(kind, LargeBinary):
            values = _each_once(_optional(lambda value: f"\\x{value.hex()}"), values)
        columns.append(values)
    return orjson.dumps(
        [dict(zip(rows[0], row, strict=True)) for row in zip(*columns, strict=True)]
    ).decode()


def _each_once(write: Callable[[Any], Any], values: Sequence[Any]) -> list[Any]:
    """Write values, each of those that are alike only once: most moments of a cycle are."""
    written = {value: write(value) for value in set(values)}
    return [written[value] for value in values]


def _optional(write: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda value: None if value is None else write(value)
