"""Settings become objects; the only module that knows everyone, and the owner of the clock."""

import os
import re
import secrets
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from salesforce_bridge.config import DaemonSettings, SalesforceSettings, Settings
from salesforce_bridge.cycle import CycleReport, run_cycle
from salesforce_bridge.daemon import Ask, Daemon, LeaseBook, Rhythm, RunCycle
from salesforce_bridge.errors import CannotStart
from salesforce_bridge.ledger.store import CycleId, Ledger
from salesforce_bridge.metrics import Limits, Metrics
from salesforce_bridge.permissions.contact_points import PointKeys
from salesforce_bridge.permissions.keys import ControllerKey, OrgId
from salesforce_bridge.permissions.policy import Policy, parse_policy
from salesforce_bridge.reading import World
from salesforce_bridge.salesforce.auth import ClientCredentials, Credentials, JwtBearer
from salesforce_bridge.salesforce.faults import RecordMalformed
from salesforce_bridge.salesforce.gateway import Endpoint, Gateway, open_gateway
from salesforce_bridge.salesforce.records import long_id
from salesforce_bridge.web.health import Pages

NONCE_BYTES = 32
HEARTBEAT_KEY = "salesforce_bridge"  # one record in the org, whichever bridge holds the lease
_KEY_LINE = re.compile(r"([1-9]\d{0,5})\s+([0-9a-fA-F]{64})")


class FileUnreadable(CannotStart):
    """A file that the settings name is missing, or this user may not read it."""


class PointKeysRefused(CannotStart):
    """The file of keys for contact points is not what it should be."""


class OrgUnknown(CannotStart):
    """Nobody has said which org the ledger belongs to."""


def now() -> datetime:
    """The one clock of the program."""
    return datetime.now(UTC)


def software() -> str:
    """The version of this program, as it is installed."""
    return version("salesforce-bridge")


def owner() -> str:
    """Who holds the lease: this process, and no later one that happens to have its number."""
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"


def open_ledger(settings: Settings) -> Ledger:
    """The ledger, not yet connected; nonces are fresh randomness."""
    return Ledger(settings.ledger.url, nonces=lambda: secrets.token_bytes(NONCE_BYTES))


def policy_text(settings: Settings) -> str:
    """The policy as it is written."""
    return _text_of(settings.policy.file, "policy.file")


def load_policy(settings: Settings) -> Policy:
    """The policy in force."""
    return parse_policy(policy_text(settings))


def point_keys(settings: Settings, *, controller: ControllerKey) -> PointKeys:
    """The keys of the fingerprints; the highest version is the current one."""
    path = settings.points.key_file
    lines = [line.strip() for line in _text_of(path, "points.key_file").splitlines()]
    found: dict[int, bytes] = {}
    for number, line in enumerate(lines, start=1):
        if not line or line.startswith("#"):
            continue
        match = _KEY_LINE.fullmatch(line)
        if match is None or int(match[1]) in found:
            problem = "is not a version and 64 hex digits" if match is None else "repeats a version"
            raise PointKeysRefused(
                f"points.key_file: line {number} of {path} {problem}.",
                hint="salesforce-bridge config new-point-key FILE",
            )
        found[int(match[1])] = bytes.fromhex(match[2])
    if not found:
        raise PointKeysRefused(
            f"points.key_file: {path} holds no key.",
            hint="salesforce-bridge config new-point-key FILE",
        )
    return PointKeys(current=max(found), keys=found, controller=controller)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bridge:
    """Both sides, open."""

    settings: Settings
    ledger: Ledger
    gateway: Gateway
    policy: Policy
    policy_text: str
    aside: list[RecordMalformed]

    def keep_policy(self) -> None:
        """Keep the policy's text before anything is decided under it, so that it can be judged again."""
        with self.ledger.begin() as tx:
            tx.keep_policy(self.policy, self.policy_text, at=now())

    def world(self) -> World:
        """What a cycle works with; finding out which org this is may take a login."""
        daemon = self.settings.daemon
        return World(
            gateway=self.gateway,
            ledger=self.ledger,
            policy=self.policy,
            org_id=self.gateway.identity().org_id,
            clock=now,
            software=software(),
            heartbeat_key=HEARTBEAT_KEY,
            overlap=daemon.overlap,
            max_staleness=daemon.max_staleness,
            unwritten_limit=daemon.unwritten_stop_limit,
            chunk=daemon.chunk,
            aside=self.aside,
        )

    def cycle(
        self, *, stops_only: bool, deadline: datetime, go_on: Callable[[], bool]
    ) -> CycleReport:
        """Run one cycle; a login that fails is this cycle's failure, not the start's."""
        return run_cycle(self.world(), stops_only=stops_only, deadline=deadline, go_on=go_on)


@contextmanager
def bridge(settings: Settings, *, stop: threading.Event | None = None) -> Iterator[Bridge]:
    """Open both sides, or say what has to be done first."""
    text = policy_text(settings)
    policy = parse_policy(text)
    keys = point_keys(settings, controller=policy.controller)
    with ledger_in_use(settings) as ledger:
        org_id = pinned_org(settings, ledger)
        aside: list[RecordMalformed] = []
        with open_org(
            settings, policy=policy, keys=keys, org_id=org_id, stop=stop, set_aside=aside.append
        ) as gateway:
            yield Bridge(
                settings=settings,
                ledger=ledger,
                gateway=gateway,
                policy=policy,
                policy_text=text,
                aside=aside,
            )


@contextmanager
def ledger_in_use(settings: Settings) -> Iterator[Ledger]:
    """The ledger, reachable and up to date, for as long as the block lasts."""
    ledger = open_ledger(settings)
    try:
        ledger.check()
        yield ledger
    finally:
        ledger.close()


def org_of(settings: Settings, ledger: Ledger) -> OrgId:
    """The org this ledger belongs to, for commands that ask the ledger alone."""
    org_id = pinned_org(settings, ledger)
    if org_id is None:
        raise OrgUnknown(
            "This ledger has not met an org yet.",
            hint="salesforce-bridge run --once, or set org_id under [salesforce]",
        )
    return org_id


def pinned_org(settings: Settings, ledger: Ledger) -> OrgId | None:
    """The org this ledger belongs to: the one that is set, else that of the first cycle ever."""
    if settings.salesforce.org_id is not None:
        return OrgId(long_id(settings.salesforce.org_id))
    with ledger.reading() as tx:
        first = tx.cycle(CycleId(1))
    return None if first is None else first.org_id


def open_org(
    settings: Settings,
    *,
    policy: Policy,
    keys: PointKeys,
    org_id: OrgId | None,
    stop: threading.Event | None = None,
    set_aside: Callable[[RecordMalformed], None] | None = None,
) -> Gateway:
    """The gate to the org; a stop ends its waits."""
    org = settings.salesforce
    endpoint = Endpoint(
        login_url=org.login_url,
        api_version=org.api_version,
        ca_file=org.ca_file,
        proxy=org.proxy,
        connect_timeout=org.connect_timeout,
        read_timeout=org.read_timeout,
        login_timeout=org.login_timeout,
    )
    return open_gateway(
        endpoint=endpoint,
        credentials=credentials(org),
        keys=keys,
        default_country=policy.default_country,
        org_id=org_id,
        now=now,
        wait=(stop or threading.Event()).wait,
        set_aside=set_aside,
    )


def make_daemon(
    settings: DaemonSettings,
    run_cycle: RunCycle,
    ledger: LeaseBook,
    *,
    stop: threading.Event,
    metrics: Metrics,
) -> Daemon:
    """The daemon, ready to run; a pause that somebody asked for still holds after a restart."""
    with ledger.begin() as tx:
        paused = tx.last_taken((Ask.PAUSE, Ask.RESUME)) == Ask.PAUSE
    return Daemon(
        run_cycle,
        ledger,
        rhythm=Rhythm(tick=settings.tick, deadline=settings.deadline, lease_ttl=settings.lease_ttl),
        owner=owner(),
        clock=now,
        stop=stop,
        metrics=metrics,
        paused=paused,
    )


def health_pages(settings: DaemonSettings, daemon: Daemon, metrics: Metrics) -> Pages:
    """The pages that show how the daemon is."""
    limits = Limits(
        clean_cycle=settings.clean_cycle_limit, unwritten_stop=settings.unwritten_stop_limit
    )
    return Pages(
        vitals=lambda: daemon.vitals, limits=limits, metrics=metrics, clock=now, version=software()
    )


def credentials(org: SalesforceSettings) -> Credentials:
    """What the bridge logs in with."""
    if org.auth == "jwt":
        assert org.username is not None, "settings are validated"
        assert org.private_key_file is not None, "settings are validated"
        return JwtBearer(
            client_id=org.client_id,
            username=org.username,
            audience=org.token_audience,
            private_key=_text_of(org.private_key_file, "salesforce.private_key_file"),
        )
    assert org.client_secret is not None, "settings are validated"
    return ClientCredentials(
        client_id=org.client_id, client_secret=org.client_secret.get_secret_value()
    )


def _text_of(path: Path, setting: str) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise FileUnreadable(
            f"{setting}: {path} cannot be read: {reason}.", hint="salesforce-bridge config check"
        ) from error
