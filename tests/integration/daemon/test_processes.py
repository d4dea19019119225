"""Bridges as real processes: how they end, and how one takes over from another."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from salesforce_bridge.ledger.store import Ledger

pytestmark = pytest.mark.slow
PROGRAM = Path(__file__).with_name("a_bridge.py")


class Process:
    """A running bridge and what it has said so far."""

    def __init__(self, url: str, owner: str, *, chunks: int = 1) -> None:
        self.out = Path(url.removeprefix("sqlite:///")).with_name(f"{owner}.out")
        with self.out.open("w") as out:
            command = [sys.executable, str(PROGRAM), url, owner, str(chunks)]
            self.process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT)

    @property
    def said(self) -> str:
        return self.out.read_text()

    def until(self, told: Callable[[str], bool], *, seconds: float = 20) -> str:
        """Wait until its words fit."""
        end = time.monotonic() + seconds
        while not told(self.said):
            assert time.monotonic() < end, self.said
            assert self.process.poll() is None, self.said
            time.sleep(0.05)
        return self.said

    def end(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        return self.process.wait(timeout=15)


@pytest.fixture
def url(tmp_path: Path) -> str:
    url = f"sqlite:///{tmp_path / 'ledger.sqlite3'}"
    ledger = Ledger(url, nonces=lambda: b"n" * 32)
    ledger.upgrade()
    ledger.close()
    return url


@pytest.fixture
def start(url: str) -> Iterator[Callable[..., Process]]:
    started: list[Process] = []

    def one(owner: str, *, chunks: int = 1) -> Process:
        started.append(Process(url, owner, chunks=chunks))
        return started[-1]

    yield one
    for each in started:
        if each.process.poll() is None:
            each.process.kill()
            each.process.wait()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_a_cycle_between_two_chunks(
    start: Callable[..., Process], number: signal.Signals
) -> None:
    bridge = start("one", chunks=1_000)
    bridge.until(lambda said: "one chunk 1 " in said)
    began = time.monotonic()
    assert bridge.end(number) == 0
    assert time.monotonic() - began < 5
    assert "one ended early" in bridge.said
    assert "one gone, lease held: False" in bridge.said
    assert "daemon.stopped" in bridge.said


def test_a_standby_waits_and_takes_over_from_a_dead_bridge(start: Callable[..., Process]) -> None:
    first = start("first")
    first.until(lambda said: said.count("first chunk") >= 2)
    second = start("second")
    second.until(lambda said: "lease.elsewhere" in said)
    assert "second chunk" not in second.said
    first.end(signal.SIGKILL)
    assert "second chunk" not in second.said
    second.until(lambda said: said.count("second chunk") >= 2)
    assert second.end(signal.SIGTERM) == 0


def test_a_bridge_that_ends_well_hands_over_at_once(start: Callable[..., Process]) -> None:
    first = start("first")
    first.until(lambda said: "first chunk" in said)
    second = start("second")
    second.until(lambda said: "lease.elsewhere" in said)
    assert first.end(signal.SIGTERM) == 0
    second.until(lambda said: "second chunk" in said, seconds=5)
    assert second.end(signal.SIGTERM) == 0
