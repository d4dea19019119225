"""Theatres for histories, one on each database."""

from collections.abc import Iterator
from itertools import count

import pytest

from salesforce_bridge.ledger.store import Ledger
from tests.histories.playing import Theatre, theatre
from tests.support.ledgers import nonces, postgres
from tests.support.orgs import running_simulator
from tests.support.postgres import Server

__all__ = ["postgres"]


@pytest.fixture(scope="session")
def on_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Theatre]:
    """Histories on SQLite."""
    with theatre(tmp_path_factory.mktemp("histories")) as stage:
        yield stage


@pytest.fixture(scope="session")
def on_postgresql(postgres: Server) -> Iterator[Theatre]:
    """Histories on PostgreSQL."""
    numbers = count(1)

    def ledgers() -> Iterator[Ledger]:
        name = f"history_{next(numbers)}"
        ledger = Ledger(postgres.create(name, template="ledger_template"), nonces=nonces)
        yield ledger
        ledger.close()
        postgres.drop(name)

    with running_simulator() as org:
        yield Theatre(org, org.director.snapshot(), ledgers)
