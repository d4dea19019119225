"""Ledgers for tests: the same fixture over both databases."""

import os
from collections.abc import Iterator
from functools import cache
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from salesforce_bridge.ledger.store import Ledger
from tests.support.postgres import Server, running_server

_NUMBERS = count(1)
_TEMPLATE = "ledger_template"


def nonces() -> bytes:
    """32 random bytes."""
    return os.urandom(32)


def sqlite_ledger(folder: Path) -> Ledger:
    """A new ledger in a file."""
    file = folder / "ledger.db"
    file.write_bytes(_empty_file())
    return Ledger(f"sqlite:///{file}", nonces=nonces)


@cache
def _empty_file() -> bytes:
    """A ledger in which nothing is recorded: to copy it takes no time, to make its tables does."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "ledger.db"
        ledger = Ledger(f"sqlite:///{file}", nonces=nonces)
        ledger.upgrade()
        ledger.close()
        return file.read_bytes()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """One server for all tests, with an empty ledger to copy."""
    with running_server() as server:
        template = Ledger(server.create(_TEMPLATE), nonces=nonces)
        template.upgrade()
        template.close()
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of an empty ledger, on one database and then on the other."""
    if request.param == "sqlite":
        sqlite_ledger(tmp_path).close()
        yield f"sqlite:///{tmp_path / 'ledger.db'}"
        return
    server: Server = request.getfixturevalue("postgres")
    name = f"ledger_{next(_NUMBERS)}"
    yield server.create(name, template=_TEMPLATE)
    server.drop(name)


@pytest.fixture
def ledger(ledger_url: str) -> Iterator[Ledger]:
    """An empty ledger, on one database and then on the other."""
    opened = Ledger(ledger_url, nonces=nonces)
    yield opened
    opened.close()
