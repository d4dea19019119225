"""How the two databases are opened, so that the same code means the same on both."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, create_engine, event, make_url
from sqlalchemy import Engine as Connections
from sqlalchemy.exc import ArgumentError, OperationalError

from salesforce_bridge.ledger.faults import LedgerBusy, LedgerUnreachable

_BUSY_MS = 30_000
_POSTGRESQL = ("postgresql", "postgres", "postgresql+psycopg")
_SQLITE = ("sqlite", "sqlite+pysqlite")
_WRITER = "ledger_writer"  # an execution option: this transaction is going to write


def connect(url: str, *, echo: bool = False) -> Connections:
    """Prepare a pool of connections; nothing is opened yet."""
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        # The cause is dropped: it quotes parts of the address, and one of them may be a password.
        raise _unfit("the address of the ledger is not a database URL") from None
    if parsed.drivername in _POSTGRESQL:
        parsed = parsed.set(drivername=_POSTGRESQL[-1])
    elif parsed.drivername not in _SQLITE:
        raise _unfit(f"a ledger cannot be kept in {parsed.drivername}")
    connections = create_engine(parsed, echo=echo, hide_parameters=True)
    if connections.dialect.name == "sqlite":
        event.listen(connections, "do_connect", _open_existing)
        event.listen(connections, "connect", _prepare_sqlite)
        event.listen(connections, "begin", _begin_sqlite)
    return connections


@contextmanager
def writing(connections: Connections) -> Iterator[Connection]:
    """One transaction that writes."""
    try:
        with connections.connect() as connection:
            connection.execution_options(**{_WRITER: True})
            with connection.begin():
                yield connection
    except OperationalError as error:
        raise _busy(error) from error


@contextmanager
def reading(connections: Connections) -> Iterator[Connection]:
    """One consistent picture, which keeps no writer out."""
    try:
        with connections.connect() as connection:
            if connection.dialect.name == "postgresql":
                connection.execution_options(
                    isolation_level="REPEATABLE READ", postgresql_readonly=True
                )
            with connection.begin():
                yield connection
    except OperationalError as error:
        raise _busy(error) from error


def _unfit(message: str) -> LedgerUnreachable:
    return LedgerUnreachable(
        message, hint="use sqlite:///path/to/ledger.db or postgresql://user@host/database"
    )


def _busy(error: OperationalError) -> LedgerBusy:
    # The driver's text may name a host, never a value: parameters are hidden.
    return LedgerBusy(f"the ledger did not answer: {error.orig}", hint="salesforce-bridge doctor")


def _open_existing(
    _dialect: object, _record: object, arguments: list[Any], named: dict[str, Any]
) -> None:
    """Open a file that exists: a typing error in its name must not make a new, empty ledger."""
    name = str(arguments[0])
    if name != ":memory:" and not name.startswith("file:"):
        arguments[0] = f"{Path(name).absolute().as_uri()}?mode=rw"
        named["uri"] = True


def _prepare_sqlite(opened: Any, _record: object) -> None:
    # The driver's own idea of when a transaction begins is switched off: BEGIN is said below.
    opened.isolation_level = None
    for pragma in (
        "journal_mode = WAL",
        # With WAL this survives a killed process; a power cut may lose the last commits, never the file.
        "synchronous = NORMAL",
        f"busy_timeout = {_BUSY_MS}",
        "foreign_keys = ON",
        "cache_size = -65536",
        "wal_autocheckpoint = 10000",
        "temp_store = MEMORY",
    ):
        opened.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    # A writer takes its lock first: a reader that turns writer later can only fail.
    writer = connection.get_execution_options().get(_WRITER, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writer else "BEGIN")
