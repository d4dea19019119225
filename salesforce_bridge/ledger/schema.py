"""The tables' version: brought up to date by an operator, and checked by everybody who starts."""

import os
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy import Engine as Connections
from sqlalchemy.exc import DatabaseError

from salesforce_bridge.ledger.connections import writing
from salesforce_bridge.ledger.faults import LedgerBusy, LedgerOutdated, LedgerUnreachable

_UPGRADE = "salesforce-bridge db upgrade"
_ONE_AT_A_TIME = 0x5B1ED6E2  # any number of our own: two upgrades must not meet


def upgrade(connections: Connections) -> None:
    """Bring the tables to the version of this program, in one transaction."""
    _make_private(connections)
    try:
        with writing(connections) as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(
                    text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ONE_AT_A_TIME}
                )
            _refuse_newer(_version_of(connection))
            command.upgrade(config(connection), "head")
    except LedgerBusy as error:
        raise _unreachable(error.message) from error
    except DatabaseError as error:
        raise _unreachable(f"the ledger cannot be brought up to date: {error.orig}") from error


def check(connections: Connections) -> None:
    """Refuse to start on a ledger that cannot be reached or has other tables."""
    try:
        with connections.connect() as connection:
            found = _version_of(connection)
    except DatabaseError as error:
        name = _file_of(connections)
        if name is not None and not name.exists():
            raise LedgerOutdated(f"there is no ledger yet: {name}", hint=_UPGRADE) from error
        raise _unreachable(f"the ledger cannot be opened: {error.orig}") from error
    _refuse_newer(found)
    wanted = ScriptDirectory.from_config(config(None)).get_current_head()
    if found != wanted:
        raise LedgerOutdated(
            f"the tables of the ledger are at version {found or 'none'}, this program needs {wanted}",
            hint=_UPGRADE,
        )


def _version_of(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _refuse_newer(found: str | None) -> None:
    scripts = ScriptDirectory.from_config(config(None))
    if found is not None and found not in {script.revision for script in scripts.walk_revisions()}:
        raise LedgerOutdated(
            f"the tables of the ledger are at version {found}, which this program does not know",
            hint="install the version of salesforce-bridge that made them",
        )


def _unreachable(message: str) -> LedgerUnreachable:
    return LedgerUnreachable(
        message, hint="look at [ledger] url in bridge.toml, and whether the database is up"
    )


def config(connection: Connection | None) -> Config:
    """Say to the migrations where they are, and over which connection they run."""
    settings = Config()
    settings.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    settings.attributes["connection"] = connection
    return settings


def _make_private(connections: Connections) -> None:
    """Make a new SQLite file readable by its owner alone; its companions take over its permissions."""
    name = _file_of(connections)
    if name is None:
        return
    try:
        os.close(os.open(name, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as error:
        raise _unreachable(f"the ledger cannot be opened: {error.strerror}: {name}") from error


def _file_of(connections: Connections) -> Path | None:
    name = connections.url.database
    if connections.dialect.name != "sqlite" or not name or name == ":memory:":
        return None
    return Path(name)
