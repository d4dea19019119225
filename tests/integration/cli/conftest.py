"""A rehearsal for the command line: a simulated org, a folder of settings, and the real program."""

import io
import json
import logging
import shutil
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import structlog

from salesforce_bridge.cli import main
from tests.support.orgs import RunningOrg, running_simulator

ROOT = Path(__file__).parents[3]
CONTACTS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the program said and how it ended."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """What it said, as JSON."""
        return json.loads(self.out)


class Program:
    """`salesforce-bridge`, run inside this process."""

    def __init__(self, patch: pytest.MonkeyPatch, capture: pytest.CaptureFixture[str]) -> None:
        self._patch, self._capture = patch, capture

    def __call__(self, *words: str, said: str = "") -> Answer:
        """Run it; `said` is what somebody types when it asks."""
        self._capture.readouterr()
        self._patch.setattr(sys, "stdin", io.StringIO(said))
        self._patch.setattr(sys, "argv", ["salesforce-bridge", *words])
        with pytest.raises(SystemExit) as ended:
            main.run()
        out, err = self._capture.readouterr()
        code = ended.value.code
        assert isinstance(code, int)
        return Answer(code=code, out=out, err=err)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsal:
    """A folder with settings that lead to a simulated org."""

    folder: Path
    org: RunningOrg
    bridge: Program

    def contact_ids(self) -> list[str]:
        """The Contacts of the org."""
        return [
            str(row["Id"]) for row in self.org.director.query("SELECT Id FROM Contact ORDER BY Id")
        ]

    def calm_contact(self) -> str:
        """A Contact nobody has asked anything about."""
        asked = "HasOptedOutOfEmail = false AND DoNotCall = false AND HasOptedOutOfFax = false"
        rows = self.org.director.query(f"SELECT Id FROM Contact WHERE {asked} ORDER BY Id")
        return str(rows[0]["Id"])


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    root, hook = logging.getLogger(), threading.excepthook
    kept, level = root.handlers[:], root.level
    yield
    structlog.reset_defaults()
    logging.captureWarnings(capture=False)
    root.handlers[:], threading.excepthook = kept, hook
    root.setLevel(level)


@pytest.fixture
def bridge(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Program:
    """The program, started in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    return Program(monkeypatch, capsys)


@pytest.fixture
def rehearsal(bridge: Program, tmp_path: Path) -> Iterator[Rehearsal]:
    """A new org, and settings for it; no ledger yet."""
    shutil.copy(ROOT / "config" / "policy.toml", tmp_path)
    assert bridge("config", "new-point-key", "point-keys").code == 0
    with running_simulator(contacts=CONTACTS, directory=tmp_path / "org") as org:
        card = org.simulator.card
        settings = f"""
            [salesforce]
            login_url = "{org.org_url}"
            client_id = "{card.consumer_key}"
            username = "{card.username}"
            private_key_file = "org/connected_app.key"
            ca_file = "{org.ca_path}"
            [ledger]
            url = "sqlite:///ledger.sqlite3"
            [points]
            key_file = "point-keys"
            [daemon]
            tick = "1s"
            [web]
            port = 0
        """
        (tmp_path / "bridge.toml").write_text(settings)
        yield Rehearsal(folder=tmp_path, org=org, bridge=bridge)


@pytest.fixture
def running(rehearsal: Rehearsal) -> Rehearsal:
    """A rehearsal after its first cycle."""
    assert rehearsal.bridge("db", "upgrade").code == 0
    assert rehearsal.bridge("run", "--once").code == 0
    return rehearsal
