"""The stage of the demo: a folder, a simulated org as a process of its own, and a clock that can skip ahead."""

import json
import re
import secrets
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

from salesforce_bridge import wiring
from salesforce_bridge.cli.defaults import default_text
from salesforce_bridge.config import Settings, load
from salesforce_bridge.errors import CannotStart
from salesforce_bridge.reading import World
from salesforce_bridge.simulator.director import Director

READY_SECONDS, END_SECONDS = 60, 20
KEY_BYTES = 32
_POLL_SECONDS = 0.05
_PROGRAM = (
    "from salesforce_bridge.cli.main import run; run()"  # also where no script is on the path
)


class OrgNotStarted(CannotStart):
    """The simulated org did not come up."""


class SettingsOverridden(CannotStart):
    """Settings of another bridge reach into the demo, which must never touch a real org."""


class FolderTaken(CannotStart):
    """The folder of the demo is in use, or holds what no demo made."""


@dataclass(slots=True, kw_only=True)
class Stage:
    """Everything the demo started, and how far the story is behind the real clock.

    The story begins in the past and skips ahead, so that it ends in the present: what is left running
    afterwards lives in real time.
    """

    folder: Path
    org: subprocess.Popen[bytes]
    director: Director
    settings: Settings
    behind: timedelta
    kept: bool = False
    started: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def config(self) -> Path:
        """The settings file of this demo."""
        return self.folder / "bridge.toml"

    def now(self) -> datetime:
        """The story's moment, on both sides."""
        return wiring.now() - self.behind

    def begin(self) -> None:
        """Put the org's clock back to the story's first moment."""
        self.director.advance(-self.behind.total_seconds())

    def skip(self, length: timedelta) -> None:
        """Let time pass on both sides at once."""
        self.director.advance(length.total_seconds())
        self.behind -= length

    def arrive(self) -> None:
        """Let what is left of the past go by, so that both sides are in the present."""
        self.skip(self.behind)

    def world(self, bridge: wiring.Bridge) -> World:
        """What a cycle works with, by the story's clock; logs in, which needs the real one."""
        return replace(bridge.world(), clock=self.now)


@contextmanager
def staged(folder: Path, *, contacts: int, seed: int, behind: timedelta) -> Iterator[Stage]:
    """Set everything up, and end whatever was started unless it is to be kept."""
    _clear(folder)
    org = _spawn(
        [
            *("-m", "salesforce_bridge.simulator", "--directory", str(folder)),
            *("--contacts", str(contacts), "--seed", str(seed)),
        ],
        log=folder / "simulator.log",
    )
    stage: Stage | None = None
    try:
        _wait_until_ready(org, folder)
        settings = _settled(folder)
        _make_ledger(settings)
        stage = Stage(
            folder=folder,
            org=org,
            director=Director.connect(folder),
            settings=settings,
            behind=behind,
            started=[org],
        )
        yield stage
    finally:
        if stage is None or not stage.kept:
            for each in stage.started if stage is not None else [org]:
                end(each)


def start_daemon(stage: Stage) -> subprocess.Popen[bytes]:
    """Start `salesforce-bridge run` as its operator would, in the background."""
    daemon = _spawn(
        ["-c", _PROGRAM, "--config", str(stage.config), "run"],
        log=stage.folder / "bridge.log",
    )
    stage.started.append(daemon)
    return daemon


def end(started: subprocess.Popen[bytes]) -> None:
    """End one of our own, politely first."""
    if started.poll() is None:
        started.send_signal(signal.SIGTERM)
        try:
            started.wait(timeout=END_SECONDS)
        except subprocess.TimeoutExpired:
            started.kill()
            started.wait()


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _clear(folder: Path) -> None:
    """Begin with an empty folder; one that was not made by a demo is not ours to empty."""
    folder.mkdir(parents=True, exist_ok=True)
    there = sorted(folder.iterdir())
    card = folder / "simulator.json"
    if there and not card.is_file() and not (folder / "simulator.log").is_file():
        raise FolderTaken(
            f"{folder} holds files that no demo made.",
            hint="salesforce-bridge demo, without --keep",
        )
    if card.is_file() and _answers(folder):
        raise FolderTaken(
            f"A demo that was kept is still running in {folder}.",
            hint=f"kill $(cat {folder / 'pids'})",
        )
    for path in there:
        if path.is_file():
            path.unlink()


def _answers(folder: Path) -> bool:
    try:
        Director.connect(folder).now()
    except OSError:
        return False
    return True


def _spawn(arguments: list[str], *, log: Path) -> subprocess.Popen[bytes]:
    with log.open("wb") as written:
        # Its own session: what is kept must outlive the terminal, and Ctrl-C is ours to pass on.
        return subprocess.Popen(  # noqa: S603  # our own interpreter and modules
            [sys.executable, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=written,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def _wait_until_ready(org: subprocess.Popen[bytes], folder: Path) -> None:
    pause = threading.Event()
    for _ in range(int(READY_SECONDS / _POLL_SECONDS)):
        if (folder / "simulator.log").read_bytes().startswith(b"ready:"):
            return
        if org.poll() is not None:
            break
        pause.wait(_POLL_SECONDS)
    raise OrgNotStarted(
        "The simulated org did not start.",
        hint=f"look into {folder / 'simulator.log'}, or run: salesforce-bridge serve simulator",
    )


def _settled(folder: Path) -> Settings:
    """Write the settings of the demo beside the simulator's keys, and read them as every command does."""
    card = json.loads((folder / "simulator.json").read_text("utf-8"))
    values = {
        "login_url": f'"{card["org_url"]}"',
        "client_id": f'"{card["consumer_key"]}"',
        "username": f'"{card["username"]}"',
        "port": str(free_port()),
    }
    text = default_text("demo.toml")
    for name, value in values.items():
        text = re.sub(rf"(?m)^{name} = .*$", f"{name} = {value}", text)
    (folder / "bridge.toml").write_text(text, "utf-8")
    (folder / "policy.toml").write_text(default_text("policy.toml"), "utf-8")
    keys = folder / "point-keys"
    keys.touch(mode=0o600)
    keys.write_text(f"1 {secrets.token_hex(KEY_BYTES)}\n", "ascii")
    settings = load(folder / "bridge.toml")
    org = settings.salesforce
    ours = (
        org.login_url == card["org_url"]
        and org.client_id == card["consumer_key"]
        and org.org_id is None
        and org.proxy is None
        and str(folder) in settings.ledger.url
    )
    if not ours:
        raise SettingsOverridden(
            "SALESFORCE_BRIDGE_ variables of another bridge override the settings of the demo.",
            hint="env | grep SALESFORCE_BRIDGE_, and start the demo without them",
        )
    return settings


def _make_ledger(settings: Settings) -> None:
    ledger = wiring.open_ledger(settings)
    try:
        ledger.upgrade()
    finally:
        ledger.close()
