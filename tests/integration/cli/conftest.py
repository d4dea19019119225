"""A rehearsal for the command line: a simulated org, a folder of settings, and the real program."""

import io
import json
import logging
import secrets
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


@dataclass(slots=True, kw_only=True)
class Stage:
    """One org for all rehearsals, and its copies: before anybody has looked, and after a first cycle."""

    org: RunningOrg
    keys: Path  # that the ledger of the first cycle needs
    before: str
    after: str | None = None
    ledger: Path


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A simulated org, founded once; every rehearsal begins with a copy of its first moment."""
    folder = tmp_path_factory.mktemp("stage")
    keys = folder / "point-keys"
    keys.write_text(f"1 {secrets.token_hex(32)}\n")
    keys.chmod(0o600)
    with running_simulator(contacts=CONTACTS, directory=folder / "org") as org:
        yield Stage(
            org=org, keys=keys, before=org.director.snapshot(), ledger=folder / "ledger.sqlite3"
        )


@pytest.fixture
def rehearsal(stage: Stage, bridge: Program, tmp_path: Path) -> Iterator[Rehearsal]:
    """An org nobody has looked at, and settings for it; no ledger yet."""
    org, card = stage.org, stage.org.simulator.card
    org.director.restore(stage.before)
    shutil.copy(ROOT / "config" / "policy.toml", tmp_path)
    shutil.copy(stage.keys, tmp_path)
    shutil.copytree(org.directory, tmp_path / "org")
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
    org.director.clear_faults()
    org.director.clear_scripts()
    org.director.reset_calls()


@pytest.fixture
def running(stage: Stage, rehearsal: Rehearsal) -> Rehearsal:
    """A rehearsal after its first cycle, which is run once for all of them."""
    ledger = rehearsal.folder / stage.ledger.name
    if stage.after is None:
        assert rehearsal.bridge("db", "upgrade").code == 0
        assert rehearsal.bridge("run", "--once").code == 0
        shutil.copy(ledger, stage.ledger)
        stage.after = rehearsal.org.director.snapshot()
    shutil.copy(stage.ledger, ledger)
    rehearsal.org.director.restore(stage.after)
    return rehearsal
