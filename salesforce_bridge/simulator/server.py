"""The simulator as a whole: an org behind HTTPS, and the files by which others find it."""

import secrets
import string
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Self

import orjson

from salesforce_bridge.simulator.admin import PREFIX, Admin
from salesforce_bridge.simulator.auth import ConnectedApp, Door
from salesforce_bridge.simulator.certificates import (
    Identity,
    make_app_key,
    make_identity,
    public_part,
)
from salesforce_bridge.simulator.found_org import found_org
from salesforce_bridge.simulator.front import Front, Sent, Wait
from salesforce_bridge.simulator.https import HttpsServer
from salesforce_bridge.simulator.loading import load
from salesforce_bridge.simulator.project import load_project
from salesforce_bridge.simulator.seed import believable_org
from salesforce_bridge.simulator.sessions import Sessions
from salesforce_bridge.simulator.snapshots import reopen, save
from salesforce_bridge.simulator.wire import Request

AUTHORITY, SERVER, APP_KEY, CARD = "ca.pem", "server.pem", "connected_app.key", "simulator.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """What others need to reach a running simulator."""

    org_url: str
    admin_url: str
    admin_token: str
    consumer_key: str
    consumer_secret: str
    username: str
    org_id: str


class Simulator:
    """A Salesforce org on this machine, for as long as it is wanted."""

    def __init__(
        self,
        project_path: Path | None = None,
        port: int = 0,
        state_path: Path | None = None,
        directory: Path | None = None,
        without: Iterable[str] = (),
    ) -> None:
        self._own_directory = TemporaryDirectory() if directory is None else None
        self.directory = directory or Path(self._own_directory.name if self._own_directory else "")
        self.directory.mkdir(parents=True, exist_ok=True)
        self._state_path = state_path
        self.org = found_org(load_project(project_path))
        for feature in without:
            self.org.switch(feature, on=False)
        if state_path is not None and state_path.exists():
            reopen(self.org, state_path)
        before = _earlier_card(self.directory)
        self._key = before.get("consumer_key") or f"3MVG9{_letters(80)}"
        self._secret = before.get("consumer_secret") or secrets.token_hex(32).upper()
        self._token = before.get("admin_token") or secrets.token_urlsafe(32)
        self._server = HttpsServer(port, _identity(self.directory).server_context(), self._answer)
        self.org_url = f"https://127.0.0.1:{self._server.port}"
        self.ca_path = self.directory / AUTHORITY
        sessions = Sessions(self.org.clock)
        app = ConnectedApp(
            consumer_key=self._key,
            consumer_secret=self._secret,
            public_key=public_part(_app_key(self.directory)),
            execution_user="integration",
        )
        self.front = Front(self.org, sessions, Door(self.org, sessions, app, self.org_url))
        self._admin = Admin(self.front, self._token)

    @property
    def card(self) -> Card:
        """How to reach this simulator."""
        return Card(
            org_url=self.org_url,
            admin_url=f"{self.org_url}{PREFIX.rstrip('/')}",
            admin_token=self._token,
            consumer_key=self._key,
            consumer_secret=self._secret,
            username=self.org.users["integration"].username,
            org_id=self.org.org_id,
        )

    def seed(self, contacts: int, seed: int, *, leads: int = 0, individuals: int = 0) -> None:
        """Fill the org with believable records."""
        for name, rows in believable_org(contacts, seed, leads=leads, individuals=individuals):
            load(self.org, name, rows)

    def start(self) -> None:
        """Open the door, and say in the directory where it is."""
        self._server.start()
        _write_private(self.directory / CARD, orjson.dumps(asdict(self.card)))

    def stop(self) -> None:
        """Close the door, keeping the records where that was asked for."""
        self._server.stop()
        if self._state_path is not None:
            save(self.org, self._state_path)
        if self._own_directory is not None:
            self._own_directory.cleanup()

    def __enter__(self) -> Self:
        """Start, for as long as the block lasts."""
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop."""
        self.stop()

    def _answer(self, request: Request, wait: Wait) -> Sent:
        if request.path.startswith(PREFIX):
            return Sent(response=self._admin.handle(request), date=self.front.date())
        return self.front.handle(request, wait)


def _identity(directory: Path) -> Identity:
    authority, server = directory / AUTHORITY, directory / SERVER
    if authority.exists() and server.exists():
        certificate, mark, key = server.read_bytes().partition(b"-----BEGIN PRIVATE KEY-----")
        return Identity(authority=authority.read_bytes(), certificate=certificate, key=mark + key)
    made = make_identity()
    _write_private(server, made.certificate + made.key)
    authority.write_bytes(made.authority)
    return made


def _app_key(directory: Path) -> bytes:
    path = directory / APP_KEY
    if not path.exists():
        _write_private(path, make_app_key())
    return path.read_bytes()


def _earlier_card(directory: Path) -> dict[str, str]:
    path = directory / CARD
    if not path.exists():
        return {}
    read: dict[str, str] = orjson.loads(path.read_bytes())
    return read


def _write_private(path: Path, content: bytes) -> None:
    path.touch(mode=0o600)
    path.write_bytes(content)


def _letters(count: int) -> str:
    alphabet = string.ascii_letters + string.digits
    return "".join(secrets.choice(alphabet) for _ in range(count))
