"""What waits for a person: an open circuit, cases that are due, old claims, a policy nobody activated, old keys."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from salesforce_bridge import wiring
from salesforce_bridge.config import Settings
from salesforce_bridge.errors import CannotStart
from salesforce_bridge.ledger import views
from salesforce_bridge.ledger.store import Tx
from salesforce_bridge.ledger.values import OldKeys
from salesforce_bridge.permissions.bundle import Policy
from salesforce_bridge.permissions.keys import OrgId
from salesforce_bridge.permissions.rights import is_due_soon, is_overdue
from salesforce_bridge.reconcile.facts import Candidate

ALL = 100_000  # more than anybody would look through
# How long a claim has waited; the first is what reviewers promise, the last runs out.
AGES = (
    ("up to 5 days", timedelta(days=5)),
    ("up to 15 days", timedelta(days=15)),
    ("up to 30 days", timedelta(days=30)),
)
OLDER = "older"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outstanding:
    """Numbers that somebody has to bring to nothing."""

    circuit_open: bool
    cases_waiting: int
    cases_due_soon: int
    cases_overdue: int
    claims_by_age: Mapping[str, int]
    policy_version: str
    policy_activated: bool
    policy_file_differs: bool
    unconfirmed_profiles: tuple[str, ...]
    points_by_version: Mapping[int, int]
    keys: tuple[
        int, ...
    ]  # that are configured, the current one last; none where they cannot be read
    on_old_keys: OldKeys

    @property
    def keys_lost(self) -> tuple[int, ...]:
        """Keys that have made fingerprints and that nobody has any longer."""
        made = sorted(self.points_by_version) if self.keys else ()
        return tuple(key for key in made if key not in self.keys)

    def document(self) -> dict[str, Any]:
        """All of it, as JSON."""
        return {
            "circuit": {"open": self.circuit_open},
            "rights_cases": {
                "waiting": self.cases_waiting,
                "due_in_7_days": self.cases_due_soon,
                "overdue": self.cases_overdue,
            },
            "quarantine_by_age": dict(self.claims_by_age),
            "policy": {
                "version": self.policy_version,
                "activated": self.policy_activated,
                "file_differs": self.policy_file_differs,
                "unconfirmed_profiles": list(self.unconfirmed_profiles),
            },
            "points_by_key_version": {
                str(version): number for version, number in sorted(self.points_by_version.items())
            },
            "point_keys": {
                "configured": list(self.keys),
                "lost": list(self.keys_lost),
                "resting_on_old_keys": asdict(self.on_old_keys),
            },
        }


def outstanding(tx: Tx, org_id: OrgId, settings: Settings, *, at: datetime) -> Outstanding:
    """Count what waits for a person."""
    standing = wiring.policy_standing(settings, tx)
    policy = wiring.policy_in_use(settings, tx).policy
    circuit = tx.circuit(org_id, at=at, window=policy.surge.window, with_rows=False)
    cases = tx.cases(waiting=True, limit=ALL)
    points, keys = tx.points_by_version(), _keys(settings, policy)
    newest = keys[-1] if keys else max(points, default=1)
    return Outstanding(
        circuit_open=circuit.is_open,
        cases_waiting=len(cases),
        cases_due_soon=sum(is_due_soon(each, at=at) for each in cases),
        cases_overdue=sum(is_overdue(each, at=at) for each in cases),
        claims_by_age=_by_age(tx, policy, at=at),
        policy_version=policy.version,
        policy_activated=standing.active_version is not None,
        policy_file_differs=standing.differs,
        unconfirmed_profiles=unconfirmed(policy),
        points_by_version=points,
        keys=keys,
        on_old_keys=tx.resting_on_old_keys(current=newest),
    )


def unconfirmed(policy: Policy) -> tuple[str, ...]:
    """The profiles that no counsel has confirmed."""
    return tuple(sorted(e.key for e in policy.profiles.values() if e.confirmed_by is None))


def told(found: Outstanding) -> Iterator[tuple[str, str]]:
    """Say it line by line, for a table."""
    circuit = "OPEN: only stops are written (review circuit)" if found.circuit_open else "closed"
    yield "mass-change circuit", circuit
    cases = f"{found.cases_waiting}, due in 7 days {found.cases_due_soon}"
    yield "rights cases waiting", f"{cases}, overdue {found.cases_overdue}"
    ages = (f"{age} {number}" for age, number in found.claims_by_age.items() if number)
    yield "quarantine by age", ", ".join(ages) or "empty"
    differs = "; policy.file says something else" if found.policy_file_differs else ""
    yield "policy in use", f"{found.policy_version}{differs}"
    if found.unconfirmed_profiles:
        yield "profiles not confirmed by counsel", ", ".join(found.unconfirmed_profiles)
    points = (f"key {key}: {number}" for key, number in sorted(found.points_by_version.items()))
    yield "contact points", ", ".join(points) or "none"
    if old := on_old_keys(found):
        yield "resting on old keys", old
    if found.keys_lost:
        yield "keys that are missing", ", ".join(map(str, found.keys_lost))


def on_old_keys(found: Outstanding) -> str:
    """Say what rests on keys that are being replaced; nothing where nothing does."""
    old = found.on_old_keys
    if old == OldKeys(suppressions=0, conditions=0, grants=0):
        return ""
    return f"suppressions {old.suppressions}, conditions {old.conditions}, grants {old.grants}"


def waited(claim: Candidate, policy: Policy, *, at: datetime) -> timedelta:
    """How long a claim has waited for somebody, which may be much shorter than it is old."""
    return max(timedelta(), policy.quarantine_lasts - (claim.expires_at - at))


def _keys(settings: Settings, policy: Policy) -> tuple[int, ...]:
    try:
        return tuple(sorted(wiring.point_keys(settings, controller=policy.controller).keys))
    except CannotStart:
        return ()  # the doctor says so in a check of its own


def _by_age(tx: Tx, policy: Policy, *, at: datetime) -> dict[str, int]:
    counted = dict.fromkeys((*(name for name, _ in AGES), OLDER), 0)
    for claim in views.waiting_claims(tx, limit=ALL):
        age = waited(claim, policy, at=at)
        counted[next((name for name, most in AGES if age <= most), OLDER)] += 1
    return counted
