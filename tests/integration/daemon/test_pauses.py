"""A pause is a person's word: it holds until somebody takes it back, whatever happens to the process."""

import threading
from datetime import timedelta
from pathlib import Path

import pytest

from salesforce_bridge.config import DaemonSettings
from salesforce_bridge.daemon import Ask
from salesforce_bridge.ledger.store import Ledger
from salesforce_bridge.metrics import Metrics
from salesforce_bridge.wiring import make_daemon
from tests.integration.daemon.a_bridge import Report, now


@pytest.mark.parametrize(
    ("asked", "paused"),
    [
        ((), False),
        ((Ask.PAUSE,), True),
        ((Ask.PAUSE, Ask.RUN), True),
        ((Ask.PAUSE, Ask.RESUME), False),
        ((Ask.RESUME, Ask.PAUSE), True),
    ],
)
def test_a_pause_holds_over_a_restart(tmp_path: Path, asked: tuple[Ask, ...], paused: bool) -> None:
    ledger = Ledger(f"sqlite:///{tmp_path}/ledger.sqlite3", nonces=lambda: bytes(32))
    ledger.upgrade()
    for ask in asked:
        with ledger.begin() as tx:
            tx.file_request(ask, {}, by="ops", at=now())
            tx.take_requests(at=now() + timedelta(seconds=1))

    def cycle(**_: object) -> Report:
        raise AssertionError

    daemon = make_daemon(DaemonSettings(), cycle, ledger, stop=threading.Event(), metrics=Metrics())
    assert daemon.vitals.paused is paused
    ledger.close()
