"""The tables are those of the migrations, and a ledger with other tables is refused with a way out."""

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from salesforce_bridge.ledger.faults import LedgerOutdated, LedgerUnreachable
from salesforce_bridge.ledger.store import Ledger
from salesforce_bridge.ledger.tables import metadata
from tests.support.ledgers import nonces


def test_the_migrations_make_the_tables_that_the_code_knows(ledger: Ledger) -> None:
    with ledger.reading() as tx:
        context = MigrationContext.configure(tx.connection)
        assert compare_metadata(context, metadata) == []


def test_an_upgraded_ledger_can_be_used_and_upgraded_again(ledger: Ledger) -> None:
    ledger.upgrade()
    ledger.check()
    with ledger.reading() as tx:
        assert tx.head().revision == 0


def test_a_ledger_without_tables_names_the_command_that_makes_them(tmp_path: Path) -> None:
    ledger = Ledger(f"sqlite:///{tmp_path / 'new.db'}", nonces=nonces)
    with pytest.raises(LedgerOutdated) as refused:
        ledger.check()
    ledger.close()
    assert refused.value.hint == "salesforce-bridge db upgrade"


@pytest.mark.parametrize(
    "url", ["sqlite:////nowhere/at/all/ledger.db", "postgresql://nobody@/x?host=/nowhere"]
)
def test_a_ledger_that_cannot_be_made_is_not_started_on(url: str) -> None:
    ledger = Ledger(url, nonces=nonces)
    with pytest.raises(LedgerUnreachable):
        ledger.upgrade()
    ledger.close()


def test_a_database_that_does_not_answer_is_not_started_on() -> None:
    ledger = Ledger("postgresql://nobody@/x?host=/nowhere", nonces=nonces)
    with pytest.raises(LedgerUnreachable):
        ledger.check()
    ledger.close()


def test_an_address_that_is_none_is_refused_before_anything_is_opened() -> None:
    with pytest.raises(LedgerUnreachable, match="not a database URL"):
        Ledger("ledger.db", nonces=nonces)


def test_a_new_ledger_file_can_be_read_by_its_owner_only(tmp_path: Path) -> None:
    file = tmp_path / "ledger.db"
    ledger = Ledger(f"sqlite:///{file}", nonces=nonces)
    ledger.upgrade()
    ledger.close()
    assert file.stat().st_mode & 0o777 == 0o600
