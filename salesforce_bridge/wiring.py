"""Settings become objects; the only module that knows everyone, and the owner of the clock."""

import gc
import getpass
import os
import secrets
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version

import structlog

from salesforce_bridge.config import DaemonSettings, SalesforceSettings, Settings
from salesforce_bridge.cycle import CycleReport, run_cycle
from salesforce_bridge.daemon import Ask, Daemon, LeaseBook, Rhythm, RunCycle
from salesforce_bridge.errors import CannotStart
from salesforce_bridge.key_files import read_point_keys, read_proof_keys, text_of
from salesforce_bridge.ledger.store import CycleId, Ledger, Tx
from salesforce_bridge.metrics import Limits, Metrics
from salesforce_bridge.permissions.contact_points import PointKeys
from salesforce_bridge.permissions.keys import ControllerKey, OrgId
from salesforce_bridge.permissions.policy import Policy, parse_policy
from salesforce_bridge.reading import Memory, World
from salesforce_bridge.salesforce.auth import ClientCredentials, Credentials, JwtBearer
from salesforce_bridge.salesforce.faults import RecordMalformed
from salesforce_bridge.salesforce.gateway import Gateway
from salesforce_bridge.salesforce.opening import Endpoint, open_gateway
from salesforce_bridge.salesforce.records import long_id
from salesforce_bridge.web.health import Pages

NONCE_BYTES = 32
HEARTBEAT_KEY = "salesforce_bridge"  # one record in the org, whichever bridge holds the lease
_log = structlog.get_logger()


class ControllerChanged(CannotStart):
    """The policy in force is that of somebody else than whom the ledger belongs to."""


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
    return text_of(settings.policy.file, "policy.file")


def load_policy(settings: Settings) -> Policy:
    """The policy as the file has it; which one is in use, the ledger says."""
    return parse_policy(policy_text(settings))


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyInUse:
    """The policy that decisions are made under, with its text."""

    policy: Policy
    text: str


def policy_in_use(settings: Settings, tx: Tx) -> PolicyInUse:
    """The policy that was activated last; before the first, that of the file."""
    active = tx.active_policy()
    text = policy_text(settings) if active is None else active.text
    return PolicyInUse(policy=parse_policy(text), text=text)


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyStanding:
    """What is in use, and what the file says beside it."""

    active_version: str | None  # None: nothing was activated yet
    active_digest: str | None
    file_version: str | None  # None: the file cannot be read, or is no policy
    file_digest: str | None
    problem: str | None  # with the file

    @property
    def differs(self) -> bool:
        """Whether the file says something that nobody has put in force."""
        return self.active_digest is not None and self.file_digest != self.active_digest


def policy_standing(settings: Settings, tx: Tx) -> PolicyStanding:
    """Compare the policy in use with the file."""
    active = tx.active_policy()
    # Its digest is worked out anew, for another version of this program may have kept it under another one.
    in_use = None if active is None else parse_policy(active.text)
    file, problem = None, None
    try:
        file = load_policy(settings)
    except CannotStart as error:
        problem = error.message
    return PolicyStanding(
        active_version=in_use.version if in_use is not None else None,
        active_digest=in_use.digest if in_use is not None else None,
        file_version=file.version if file is not None else None,
        file_digest=file.digest if file is not None else None,
        problem=problem,
    )


def point_keys(settings: Settings, *, controller: ControllerKey) -> PointKeys:
    """The keys of the fingerprints; the highest version is the current one."""
    return read_point_keys(settings.points.key_file, controller=controller)


def proof_keys(settings: Settings) -> Mapping[str, bytes]:
    """The keys that proofs of a permission are checked with, by kind; none where no file is set."""
    path = settings.points.proof_key_file
    return {} if path is None else read_proof_keys(path)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bridge:
    """Both sides, open."""

    settings: Settings
    ledger: Ledger
    gateway: Gateway
    policy: Policy  # in use when it was opened
    policy_text: str
    aside: list[RecordMalformed]
    memory: Memory

    def keep_policy(self, *, by: str = "") -> None:
        """See to it that a policy is in force before anything is decided, and that its text is kept.

        The first one is that of the file, put in force by whoever runs the bridge for the first time.
        """
        with self.ledger.begin() as tx:
            if tx.active_policy() is None:
                tx.activate_policy(
                    self.policy,
                    self.policy_text,
                    by=by or _login(),
                    approved_by=None,
                    note="the first policy, as the settings name it",
                    at=now(),
                )
            tx.keep_policy(self.policy, self.policy_text, at=now())
            standing = policy_standing(self.settings, tx)
        if standing.differs:
            _log.warning(
                "policy.unapplied",
                version=standing.file_version,
                policy_version=standing.active_version,
                message="the file differs from the policy in use, and is not used",
                hint=f"salesforce-bridge policy apply {self.settings.policy.file.name}",
            )

    def world(self) -> World:
        """What a cycle works with; finding out which org this is may take a login."""
        daemon = self.settings.daemon
        policy = self._policy_now()
        self.gateway.assume_country(policy.default_country)
        return World(
            gateway=self.gateway,
            ledger=self.ledger,
            policy=policy,
            org_id=self.gateway.identity().org_id,
            clock=now,
            software=software(),
            heartbeat_key=HEARTBEAT_KEY,
            overlap=daemon.overlap,
            max_staleness=daemon.max_staleness,
            unwritten_limit=daemon.unwritten_stop_limit,
            chunk=daemon.chunk,
            aside=self.aside,
            memory=self.memory,
        )

    def cycle(
        self, *, stops_only: bool, deadline: datetime, go_on: Callable[[], bool]
    ) -> CycleReport:
        """Run one cycle; a login that fails is this cycle's failure, not the start's."""
        return run_cycle(self.world(), stops_only=stops_only, deadline=deadline, go_on=go_on)

    def _policy_now(self) -> Policy:
        """The policy in use at this moment: somebody may have put another one in force since the last cycle."""
        with self.ledger.reading() as tx:
            active = tx.active_policy()
        if active is None:
            return self.policy
        known = self.memory.policies.get(active.digest)
        if known is not None:
            return known
        policy = parse_policy(active.text)
        if policy.controller != self.policy.controller:
            raise ControllerChanged(
                f"Policy {policy.version} is of the controller {policy.controller}, this ledger of"
                f" {self.policy.controller}.",
                hint="salesforce-bridge policy show; another controller needs a ledger of its own",
            )
        if policy.digest != self.policy.digest:
            _log.info("policy.replaced", version=policy.version, digest=policy.digest)
        self.memory.policies[active.digest] = policy
        return policy


@contextmanager
def bridge(settings: Settings, *, stop: threading.Event | None = None) -> Iterator[Bridge]:
    """Open both sides, or say what has to be done first."""
    with ledger_in_use(settings) as ledger:
        with ledger.reading() as tx:
            in_use = policy_in_use(settings, tx)
        keys = point_keys(settings, controller=in_use.policy.controller)
        org_id = pinned_org(settings, ledger)
        aside: list[RecordMalformed] = []
        with open_org(
            settings,
            policy=in_use.policy,
            keys=keys,
            org_id=org_id,
            stop=stop,
            set_aside=aside.append,
        ) as gateway:
            yield Bridge(
                settings=settings,
                ledger=ledger,
                gateway=gateway,
                policy=in_use.policy,
                policy_text=in_use.text,
                aside=aside,
                memory=Memory(),
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
        proof_keys=proof_keys(settings),
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
    # A chunk makes many values that live until its end: looking through them for cycles frees nothing.
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)
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
            private_key=text_of(org.private_key_file, "salesforce.private_key_file"),
        )
    assert org.client_secret is not None, "settings are validated"
    return ClientCredentials(
        client_id=org.client_id, client_secret=org.client_secret.get_secret_value()
    )


def _login() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid-{os.getuid()}"  # in a container a user may have a number and no name
