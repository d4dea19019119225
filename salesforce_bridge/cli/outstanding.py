"""What waits for a person: an open circuit, cases that are due, old claims, a policy nobody activated, old keys."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from salesforce_bridge import wiring
from salesforce_bridge.config import Settings
from salesforce_bridge.ledger import views
from salesforce_bridge.ledger.store import Tx
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
        }


def outstanding(tx: Tx, org_id: OrgId, settings: Settings, *, at: datetime) -> Outstanding:
    """Count what waits for a person."""
    standing = wiring.policy_standing(settings, tx)
    policy = wiring.policy_in_use(settings, tx).policy
    circuit = tx.circuit(org_id, at=at, window=policy.surge.window)
    cases = tx.cases(waiting=True, limit=ALL)
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
        points_by_version=tx.points_by_version(),
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


def waited(claim: Candidate, policy: Policy, *, at: datetime) -> timedelta:
    """How long a claim has waited for somebody, which may be much shorter than it is old."""
    return max(timedelta(), policy.quarantine_lasts - (claim.expires_at - at))


def _by_age(tx: Tx, policy: Policy, *, at: datetime) -> dict[str, int]:
    counted = dict.fromkeys((*(name for name, _ in AGES), OLDER), 0)
    for claim in views.waiting_claims(tx, limit=ALL):
        age = waited(claim, policy, at=at)
        counted[next((name for name, most in AGES if age <= most), OLDER)] += 1
    return counted
