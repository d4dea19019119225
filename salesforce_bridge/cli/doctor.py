"""`doctor`: everything the bridge depends on, tried one by one, each with what to do about it."""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Generic, TypeVar

import typer

from salesforce_bridge import wiring
from salesforce_bridge.cli.doctor_checks import Check, State
from salesforce_bridge.cli.doctor_features import feature_checks
from salesforce_bridge.cli.doctor_waiting import waiting_checks
from salesforce_bridge.cli.outstanding import Outstanding, outstanding
from salesforce_bridge.cli.shared import AsJson, Exit, Given, given, tell_json
from salesforce_bridge.config import Settings, masked_url
from salesforce_bridge.errors import BridgeError
from salesforce_bridge.permissions.keys import OrgId
from salesforce_bridge.permissions.policy import Policy
from salesforce_bridge.salesforce.gateway import Gateway, Identity

SKEW_LIMIT = timedelta(seconds=60)
Found = TypeVar("Found")
app = typer.Typer(add_completion=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried(Generic[Found]):
    """What an attempt gave, if it gave anything."""

    check: Check
    found: Found | None


_SIGNS = {State.PASS: ("✓", "green"), State.WARN: ("!", "yellow"), State.FAIL: ("✗", "red")}


@app.command()
def doctor(ctx: typer.Context, as_json: AsJson = False) -> None:
    """Check everything the bridge depends on, and say what to do."""
    checks: list[Check] = []
    for check in examined(given(ctx)):
        checks.append(check)
        if not as_json:
            _tell(check)
    if as_json:
        tell_json({"checks": [asdict(check) for check in checks], "state": _worst(checks)})
    if _worst(checks) is State.FAIL:
        raise typer.Exit(Exit.FAILED)


def examined(asked: Given) -> Iterator[Check]:
    """Look at one thing after the other; what cannot be looked at without an earlier one is left out."""
    read = _tried("settings", asked.settings, lambda _: "read and consistent")
    yield read.check
    settings = read.found
    if settings is None:
        return
    yield from _private_files(settings)
    looked = _tried(
        "ledger",
        lambda: _ledger(settings),
        lambda _: f"{masked_url(settings.ledger.url)}, up to date",
    )
    yield looked.check
    if looked.found is not None:
        yield from _waiting(settings, looked.found)
    parsed = _tried(
        "policy", lambda: wiring.load_policy(settings), lambda policy: f"version {policy.version}"
    )
    yield parsed.check
    policy = parsed.found
    if policy is not None:
        yield from _org(settings, policy, pinned=looked.found)


def _tried(name: str, attempt: Callable[[], Found], told: Callable[[Found], str]) -> Tried[Found]:
    """Turn what an attempt gives, or how it fails, into a check."""
    try:
        found = attempt()
    except BridgeError as error:
        check = Check(name=name, state=State.FAIL, text=error.message, fix=error.hint)
        return Tried(check=check, found=None)
    return Tried(check=Check(name=name, state=State.PASS, text=told(found)), found=found)


def _private_files(settings: Settings) -> Iterator[Check]:
    files = {
        "points.key_file": settings.points.key_file,
        "points.proof_key_file": settings.points.proof_key_file,
        "salesforce.private_key_file": settings.salesforce.private_key_file,
        "salesforce.client_secret_file": settings.salesforce.client_secret_file,
        "ledger.url_file": settings.ledger.url_file,
    }
    for setting, path in files.items():
        if path is not None and path.is_file():
            yield _privacy(setting, path)


def _privacy(setting: str, path: Path) -> Check:
    if path.stat().st_mode & 0o077:
        return Check(
            name=setting,
            state=State.WARN,
            text=f"{path} can be read by others than its owner",
            fix=f"chmod 600 {path}",
        )
    return Check(name=setting, state=State.PASS, text="readable by its owner alone")


def _ledger(settings: Settings) -> OrgId | None:
    with wiring.ledger_in_use(settings) as ledger:
        return wiring.pinned_org(settings, ledger)


def _waiting(settings: Settings, org_id: OrgId) -> Iterator[Check]:
    counted = _tried("ledger in numbers", lambda: _outstanding(settings, org_id), lambda _: "read")
    if counted.found is None:
        yield counted.check
    else:
        yield from waiting_checks(counted.found)


def _outstanding(settings: Settings, org_id: OrgId) -> Outstanding:
    with wiring.ledger_in_use(settings) as ledger, ledger.reading() as tx:
        return outstanding(tx, org_id, settings, at=wiring.now())


def _org(settings: Settings, policy: Policy, *, pinned: OrgId | None) -> Iterator[Check]:
    keyed = _tried(
        "point keys",
        lambda: wiring.point_keys(settings, controller=policy.controller),
        lambda keys: f"version {keys.current} is current",
    )
    yield keyed.check
    keys = keyed.found
    if keys is None:
        return
    opened = _tried(
        "credentials",
        lambda: wiring.open_org(settings, policy=policy, keys=keys, org_id=pinned),
        lambda _: f"{settings.salesforce.auth}, readable",
    )
    yield opened.check
    gateway = opened.found
    if gateway is not None:
        with gateway:
            yield from _visit(gateway, settings, policy, pinned=pinned)


def _visit(
    gateway: Gateway, settings: Settings, policy: Policy, *, pinned: OrgId | None
) -> Iterator[Check]:
    logged_in = _tried(
        "login",
        gateway.identity,
        lambda org: f"org {org.org_id}{' (sandbox)' if org.sandbox else ''}",
    )
    yield logged_in.check
    identity = logged_in.found
    if identity is not None:
        yield _pin(identity, pinned)
        yield from _schema(gateway, policy)
        yield _clock(gateway, at=wiring.now())
        yield from feature_checks(gateway.features, policy)
        yield _allowance(gateway, share=settings.salesforce.daily_calls_share)


def _pin(identity: Identity, pinned: OrgId | None) -> Check:
    if pinned is not None:  # another org would not have been let in
        return Check(name="org pin", state=State.PASS, text=f"this ledger belongs to {pinned}")
    return Check(
        name="org pin",
        state=State.WARN,
        text="no org is pinned yet; the first cycle will pin the one it meets",
        fix=f'set org_id = "{identity.org_id}" under [salesforce] if that is the right one',
    )


def _schema(gateway: Gateway, policy: Policy) -> Iterator[Check]:
    try:
        findings = gateway.check_schema(channels=tuple(policy.channels))
    except BridgeError as error:
        yield Check(name="schema", state=State.FAIL, text=error.message, fix=error.hint)
        return
    for lack in findings:
        place = f"{lack.object}.{lack.field}" if lack.field else lack.object
        yield Check(name=f"schema {place}", state=State.FAIL, text=lack.what, fix=lack.fix)
    if not findings:
        yield Check(name="schema", state=State.PASS, text="every field is there and accessible")


def _clock(gateway: Gateway, *, at: datetime) -> Check:
    try:
        there = gateway.poll(at, at, None).server_time
    except BridgeError as error:
        return Check(name="clock", state=State.FAIL, text=error.message, fix=error.hint)
    skew = abs(there - at)
    text = f"{skew.total_seconds():.0f} s from Salesforce's"
    if skew > SKEW_LIMIT:
        return Check(
            name="clock", state=State.FAIL, text=text, fix="switch time synchronisation on (NTP)"
        )
    return Check(name="clock", state=State.PASS, text=text)


def _allowance(gateway: Gateway, *, share: float) -> Check:
    usage = gateway.usage
    if usage is None:
        return Check(
            name="API calls", state=State.WARN, text="Salesforce did not say how many are left"
        )
    text = f"{usage.used} of {usage.limit} used in 24 hours by all applications"
    if usage.share > 1 - share:
        return Check(
            name="API calls",
            state=State.WARN,
            text=text,
            fix="find out which application uses them; doctor warns when less than daily_calls_share is left,"
            " the bridge does not limit itself",
        )
    return Check(name="API calls", state=State.PASS, text=text)


def _worst(checks: list[Check]) -> State:
    return max((check.state for check in checks), key=list(State).index, default=State.PASS)


def _tell(check: Check) -> None:
    sign, colour = _SIGNS[check.state]
    typer.secho(f"{sign} ", fg=colour, nl=False)
    typer.echo(f"{check.name}: {check.text}")
    if check.fix:
        typer.echo(f"    → {check.fix}")
