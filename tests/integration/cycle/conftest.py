"""One simulator for all tests of cycles, founded anew before each, and ledgers on either database."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from salesforce_bridge.ledger.store import Ledger
from tests.integration.cycle.living import Living, copied_ledger, living, nonces
from tests.support.ledgers import ledger as either_ledger
from tests.support.ledgers import ledger_url, postgres
from tests.support.orgs import RunningOrg, running_simulator

__all__ = ["either_ledger", "ledger_url", "postgres"]


@pytest.fixture(scope="session")
def founded() -> Iterator[tuple[RunningOrg, str]]:
    """An org without anybody in it, and the copy of its first moment."""
    with running_simulator() as org:
        yield org, org.director.snapshot()


@pytest.fixture
def org(founded: tuple[RunningOrg, str]) -> Iterator[RunningOrg]:
    """An org without people, trouble or scripts."""
    running, first_moment = founded
    yield running
    running.director.clear_faults()
    running.director.clear_scripts()
    running.director.expire_sessions()
    running.director.restore(first_moment)
    running.director.reset_calls()


@pytest.fixture(scope="session")
def empty_ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a ledger in which nothing is recorded."""
    path = tmp_path_factory.mktemp("ledger") / "empty.db"
    ledger = Ledger(f"sqlite:///{path}", nonces=nonces)
    ledger.upgrade()
    ledger.close()
    return path


@pytest.fixture
def ledger(empty_ledger: Path, tmp_path: Path) -> Iterator[Ledger]:
    """An empty ledger in a file."""
    with copied_ledger(empty_ledger, tmp_path) as opened:
        yield opened


@pytest.fixture
def bridge(org: RunningOrg, ledger: Ledger) -> Iterator[Living]:
    """A bridge that has not run yet, on an org without people."""
    with living(org, ledger) as opened:
        yield opened


@pytest.fixture
def bridge_on_either(org: RunningOrg, either_ledger: Ledger) -> Iterator[Living]:
    """The same, on one database and then on the other."""
    with living(org, either_ledger) as opened:
        yield opened
