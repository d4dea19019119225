"""The program as a real process: the daemon with its pages, the served simulator, and how fast help comes."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from salesforce_bridge.config import ENV_PREFIX
from tests.integration.cli.conftest import ROOT, Program, Rehearsal

pytestmark = pytest.mark.slow
START = "from salesforce_bridge.cli.main import run; run()"
HEAVY = (
    "sqlalchemy",
    "alembic",
    "requests",
    "simple_salesforce",
    "pydantic_settings",
    "structlog",
    "apscheduler",
)


class Process:
    """`salesforce-bridge` as a process, its lines collected in a file."""

    def __init__(self, folder: Path, *words: str) -> None:
        self.out = folder / f"{words[0]}.log"
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith(ENV_PREFIX)
        }
        with self.out.open("w") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-c", START, *words],
                cwd=folder,
                env={**environment, "PYTHONPATH": str(ROOT)},
                stdout=out,
                stderr=subprocess.STDOUT,
            )

    def events(self, name: str) -> list[Any]:
        """The log lines of one event."""
        lines = [
            json.loads(line) for line in self.out.read_text().splitlines() if line.endswith("}")
        ]
        return [line for line in lines if line["event"] == name]

    def until(self, true: Callable[[], object], *, seconds: float = 30) -> None:
        """Wait for it."""
        end = time.monotonic() + seconds
        while not true():
            assert self.process.poll() is None, self.out.read_text()
            assert time.monotonic() < end, self.out.read_text()
            time.sleep(0.05)

    def end(self) -> int:
        """Ask it to stop, and give its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=30)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Process]]:
    """Start processes that end with the test."""
    started: list[Process] = []

    def one(*words: str) -> Process:
        started.append(Process(tmp_path, *words))
        return started[-1]

    yield one
    for each in started:
        if each.process.poll() is None:
            each.process.kill()
            each.process.wait()


def test_the_daemon_cycles_shows_its_health_and_ends_when_asked(
    rehearsal: Rehearsal, start: Callable[..., Process]
) -> None:
    rehearsal.bridge("db", "upgrade")
    daemon = start("run")
    daemon.until(lambda: len(daemon.events("cycle.finished")) >= 2)
    port = daemon.events("health.served")[0]["port"]
    health = requests.get(f"http://127.0.0.1:{port}/healthz", timeout=5)
    assert (health.status_code, health.json()["status"]) == (200, "ok")
    scrape = requests.get(f"http://127.0.0.1:{port}/metrics", timeout=5).text
    assert "salesforce_bridge_lease_held 1.0" in scrape
    assert 'salesforce_bridge_cycles_total{result="clean"}' in scrape
    rehearsal.bridge("ask", "pause")
    daemon.until(lambda: daemon.events("request.taken"))
    daemon.until(
        lambda: (
            "salesforce_bridge_paused 1.0"
            in requests.get(f"http://127.0.0.1:{port}/metrics", timeout=5).text
        )
    )
    assert daemon.end() == 0
    assert daemon.events("daemon.stopped")


def test_the_log_of_a_daemon_names_nobody(
    rehearsal: Rehearsal, start: Callable[..., Process]
) -> None:
    rehearsal.bridge("db", "upgrade")
    daemon = start("--debug", "run")
    daemon.until(
        lambda: daemon.events("cycle.finished") or "cycle.finished" in daemon.out.read_text()
    )
    daemon.end()
    told = daemon.out.read_text()
    people = rehearsal.org.director.query("SELECT LastName, Email, Phone, MobilePhone FROM Contact")
    for person in people:
        for field in ("LastName", "Email", "Phone", "MobilePhone"):
            assert not person[field] or str(person[field]) not in told
    assert "@" not in told
    assert rehearsal.org.simulator.card.consumer_key not in told


def test_a_daemon_that_cannot_start_ends_with_78_and_says_why(
    rehearsal: Rehearsal, start: Callable[..., Process]
) -> None:
    daemon = start("run")
    assert daemon.process.wait(timeout=30) == 78
    assert "salesforce-bridge db upgrade" in daemon.out.read_text()
    rehearsal.bridge("db", "upgrade")
    refused = start("--set", "salesforce.client_id=unknown", "run")
    assert refused.process.wait(timeout=30) == 78


def test_a_salesforce_that_is_down_does_not_end_the_daemon(
    rehearsal: Rehearsal, start: Callable[..., Process]
) -> None:
    rehearsal.bridge("db", "upgrade")
    daemon = start("--set", "salesforce.login_url=https://127.0.0.1:9", "run")
    daemon.until(lambda: daemon.events("daemon.started"))
    time.sleep(1)
    assert daemon.end() == 0


def test_the_simulated_org_is_served_until_told_to_stop(
    bridge: Program, start: Callable[..., Process], tmp_path: Path
) -> None:
    served = start(
        "serve", "simulator", "--port", "0", "--directory", "org", "--contacts", "3", "--json"
    )
    served.until(
        lambda: (
            "org_url" in served.out.read_text() and (tmp_path / "org" / "simulator.json").is_file()
        )
    )
    told = json.loads(served.out.read_text())
    assert told["org_url"].startswith("https://127.0.0.1:")
    port = told["org_url"].rsplit(":", 1)[1]
    taken = bridge("serve", "simulator", "--port", port, "--directory", "other")
    assert taken.code == 78
    assert "Cannot listen" in taken.err
    assert served.end() == 0


def test_help_loads_nothing_heavy() -> None:
    check = f"""
import sys
sys.argv = ["salesforce-bridge", "--help"]
from salesforce_bridge.cli.main import run
try:
    run()
except SystemExit as ended:
    assert ended.code == 0
print("loaded:", [name for name in {HEAVY!r} if name in sys.modules])
"""
    found = subprocess.run(
        [sys.executable, "-c", check], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert found.stdout.splitlines()[-1] == "loaded: []"
