"""A ledger is opened only where there is one, with the tables of this program, and no password is ever told."""

import re
import socket
import sqlite3
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from salesforce_bridge.errors import BridgeError
from salesforce_bridge.ledger.faults import (
    LedgerBusy,
    LedgerDamaged,
    LedgerOutdated,
    LedgerUnreachable,
)
from salesforce_bridge.ledger.store import Ledger
from salesforce_bridge.ledger.tables import metadata
from tests.integration.ledger.steps import open_cycle
from tests.support.ledgers import nonces, sqlite_ledger

UPGRADE = "salesforce-bridge db upgrade"
SECRET = "s3cret"


def begin(ledger: Ledger) -> None:
    with ledger.begin() as tx:
        tx.head()


def read(ledger: Ledger) -> None:
    with ledger.reading() as tx:
        tx.head()


def refusal(deed: Callable[[], object], kind: type[BridgeError]) -> BridgeError:
    """The error, once nothing that would be logged of it has told the password."""
    with pytest.raises(kind) as refused:
        deed()
    told = "".join(traceback.format_exception(refused.value)) + refused.value.hint
    assert SECRET not in told
    return refused.value


def nowhere() -> str:
    """The address of a PostgreSQL on a port where nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    return f"postgresql://bridge:{SECRET}@127.0.0.1:{port}/ledger"


def test_looking_at_a_ledger_that_is_not_there_makes_no_file(tmp_path: Path) -> None:
    ledger = Ledger(f"sqlite:///{tmp_path / 'typo.db'}", nonces=nonces)
    refused = refusal(ledger.check, LedgerOutdated)
    assert refused.hint == UPGRADE
    assert "typo.db" in refused.message
    for deed in (begin, read):
        with pytest.raises(LedgerBusy):
            deed(ledger)
    ledger.close()
    assert list(tmp_path.iterdir()) == []


def test_a_ledger_in_a_folder_with_a_strange_name_is_opened(tmp_path: Path) -> None:
    folder = tmp_path / "50 % of #1 ü"
    folder.mkdir()
    ledger = sqlite_ledger(folder)
    ledger.check()
    assert open_cycle(ledger) == 1
    ledger.close()
    assert (folder / "ledger.db").exists()
    assert [found.name for found in tmp_path.iterdir()] == [folder.name]


def test_a_ledger_in_memory_can_be_opened() -> None:
    ledger = Ledger("sqlite://", nonces=nonces)
    assert refusal(ledger.check, LedgerOutdated).hint == UPGRADE
    ledger.close()


def test_an_empty_file_is_no_ledger_yet(tmp_path: Path) -> None:
    (tmp_path / "ledger.db").touch()
    ledger = Ledger(f"sqlite:///{tmp_path / 'ledger.db'}", nonces=nonces)
    refused = refusal(ledger.check, LedgerOutdated)
    ledger.close()
    assert refused.hint == UPGRADE
    assert "version none" in refused.message


def test_a_file_that_is_something_else_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "letter.txt"
    file.write_text("Dear customer,\n" * 100)
    ledger = Ledger(f"sqlite:///{file}", nonces=nonces)
    refusal(ledger.check, LedgerUnreachable)
    refusal(ledger.upgrade, LedgerUnreachable)
    ledger.close()
    assert file.read_text().startswith("Dear customer")


def test_a_ledger_with_older_tables_names_the_command_that_helps(ledger: Ledger) -> None:
    with ledger.begin() as tx:
        tx.connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    refused = refusal(ledger.check, LedgerOutdated)
    assert refused.hint == UPGRADE
    assert "0001" in refused.message


def test_a_ledger_with_newer_tables_is_neither_used_nor_changed(ledger: Ledger) -> None:
    with ledger.begin() as tx:
        tx.connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    for deed in (ledger.check, ledger.upgrade):
        refused = refusal(deed, LedgerOutdated)
        assert "9999" in refused.message
        assert refused.hint != UPGRADE


def test_upgrading_twice_changes_nothing(ledger: Ledger) -> None:
    number = open_cycle(ledger)
    ledger.upgrade()
    ledger.upgrade()
    ledger.check()
    with ledger.reading() as tx:
        assert tx.cycle(number) is not None


def test_the_migrations_make_the_same_statements_as_the_tables(tmp_path: Path) -> None:
    """Also what a comparison of columns does not see: conditions of indexes, and tables without row ids."""
    sqlite_ledger(tmp_path).close()
    fresh = create_engine(f"sqlite:///{tmp_path / 'fresh.db'}")
    metadata.create_all(fresh)
    fresh.dispose()

    def statements(name: str) -> dict[str, list[str]]:
        connection = sqlite3.connect(tmp_path / name)
        found = connection.execute(
            "SELECT name, sql FROM sqlite_master WHERE type IN ('table', 'index') AND sql IS NOT NULL"
        ).fetchall()
        connection.close()
        # In which order a table names its columns means nothing; within a key or an index it does.
        return {
            key: sorted(
                map(str.strip, re.split(r", (?![^(]*\))", " ".join(sql.split()).partition("(")[2]))
            )
            for key, sql in found
            if key != "alembic_version"
        }

    assert statements("ledger.db") == statements("fresh.db")


def test_a_database_that_does_not_answer_is_named_without_its_password() -> None:
    ledger = Ledger(nowhere(), nonces=nonces)
    for deed in (ledger.check, ledger.upgrade):
        refused = refusal(deed, LedgerUnreachable)
        assert "127.0.0.1" in refused.message
        assert "bridge.toml" in refused.hint
    refusal(lambda: begin(ledger), LedgerBusy)
    refusal(lambda: read(ledger), LedgerBusy)
    ledger.close()


@pytest.mark.parametrize(
    "url",
    [
        SECRET,
        f"postgresql://bridge:{SECRET}@host:not-a-port/ledger",
        f"mysql://bridge:{SECRET}@host/ledger",
        f"postgresql+unheardof://bridge:{SECRET}@host/ledger",
    ],
)
def test_an_address_that_cannot_be_a_ledger_is_refused_at_once(url: str) -> None:
    refused = refusal(lambda: Ledger(url, nonces=nonces), LedgerUnreachable)
    assert "sqlite:///" in refused.hint


def test_a_ledger_without_its_head_takes_nothing_more(ledger: Ledger) -> None:
    with ledger.begin() as tx:
        tx.connection.execute(text("DELETE FROM head"))
    with pytest.raises(LedgerDamaged):
        open_cycle(ledger)
