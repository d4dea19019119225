"""Single sightings for tests: one Contact as both sides know it, and what is recognised when it changes."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from salesforce_bridge.permissions.bundle import ProofRule
from salesforce_bridge.permissions.evidence import Grade, Trust
from salesforce_bridge.permissions.fold import NOTHING, FoldedSubject, fold
from salesforce_bridge.permissions.keys import Use
from salesforce_bridge.permissions.policy import Policy
from salesforce_bridge.permissions.proofs import Proof
from salesforce_bridge.permissions.suppressions import Scope, Suppression
from salesforce_bridge.reconcile.bench import Bench
from salesforce_bridge.reconcile.facts import (
    ACTIVE,
    Case,
    ContactSnapshot,
    Dossier,
    HeldPoint,
    Link,
    RowCase,
    RowSnapshot,
    SubjectRecord,
)
from salesforce_bridge.reconcile.findings import Finding
from salesforce_bridge.reconcile.layout import lay_out
from salesforce_bridge.reconcile.situations import recognise
from tests.unit.permissions.examples import POLICY as WRITTEN
from tests.unit.reconcile.worlds import (
    NEWS_BY_EMAIL,
    NOON,
    ORG,
    a_contact,
    a_point,
    a_record,
    a_row,
    an_event,
    contact_id,
    subject_id,
)

# What a kind of proof is worth, and no law of a place beside that of the purpose.
POLICY = replace(
    WRITTEN,
    profiles={},
    proofs={
        "confirmed": ProofRule(kind="confirmed", trust=Trust.SUBJECT_DIRECT, grade=Grade.A),
        "noted": ProofRule(kind="noted", trust=Trust.SUBJECT_DIRECT, grade=Grade.C),
        "typed": ProofRule(kind="typed", trust=Trust.UNVERIFIED_RELAY, grade=Grade.A),
    },
)
HOME = a_point("person1@example.org")
PHONE = a_point("+442000000001")
GRANT = "Gave permission"


def hours(count: float) -> datetime:
    """Name a moment by its distance from noon."""
    return NOON + timedelta(hours=count)


def a_proof(**said: Any) -> Proof:
    """A yes to news by e-mail, said two hours ago by whoever reads the first person's mail."""
    plain: dict[str, Any] = {
        "id": "token-1",
        "kind": "confirmed",
        "use": NEWS_BY_EMAIL,
        "happened_at": hours(-2),
        "notice_id": "consent-en-1",
        "point": HOME.exact,
        "trust": Trust.MACHINE,
        "grade": Grade.NONE,
    }
    return Proof(**(plain | said))


def a_suppression(**said: Any) -> Suppression:
    """What is left of an erased person who had the first person's address."""
    plain: dict[str, Any] = {
        "hmac": HOME.hmac,
        "key_version": 1,
        "scope": Scope.MARKETING,
        "controller": WRITTEN.controller,
        "since": hours(-100),
        "reason": "ERASED",
        "after_erasure": True,
    }
    return Suppression(**(plain | said))


def a_person(*told: tuple[Any, ...], policy: Policy = POLICY, **said: Any) -> SubjectRecord:
    """The first person, linked to the first Contact; each of `told` is a kind of event, its use and its moment."""
    whose = subject_id(1)
    folded: FoldedSubject = NOTHING
    for kind, use, at, *more in told:
        named: dict[str, Any] = more[0] if more else {}
        folded = fold((an_event(whose, kind, use, at, **named),), policy=policy, onto=folded)
    plain: dict[str, Any] = {
        "permissions": folded.permissions,
        "stops": folded.stops,
        "hold": folded.hold,
        "points": tuple(
            HeldPoint(point=point, retired=False) for point in sorted(a_contact(1).points)
        ),
        "links": (a_link(),),
    }
    return a_record(1, **(plain | said))


def a_link(number: int = 1, state: str = ACTIVE) -> Link:
    return Link(subject_id=subject_id(1), org_id=ORG, contact_id=contact_id(number), state=state)


def a_case(
    seen: ContactSnapshot | None = None,
    *rows: tuple[RowSnapshot | None, RowSnapshot],
    **said: Any,
) -> Case:
    """A case in which nothing happened but what a test says; a row is told as (agreed, seen)."""
    plain: dict[str, Any] = {
        "contact_id": contact_id(1),
        "read": True,
        "seen": seen or a_contact(1),
        "mirror": a_contact(1),
        "link": a_link(),
        "rows": tuple(RowCase(seen=now, mirror=was) for was, now in rows),
    }
    return Case(**(plain | said))


def claimed(use: Use = NEWS_BY_EMAIL, **said: Any) -> tuple[RowSnapshot, RowSnapshot]:
    """A row on which somebody has just claimed a yes."""
    plain: dict[str, Any] = {"request": GRANT, "request_evidence": "token:token-1"}
    return a_row(1, use=use), a_row(1, use=use, **(plain | said))


def bench_of(
    *cases: Case,
    people: tuple[SubjectRecord, ...] = (),
    policy: Policy = POLICY,
    at: datetime = NOON,
    earlier: Mapping[str, Policy] | None = None,
    suppressions: tuple[Suppression, ...] = (),
) -> Bench:
    """The bench with these cases on it."""
    dossier = Dossier(
        subjects=people or (a_person(),), cases=cases or (a_case(),), suppressions=suppressions
    )
    return lay_out(dossier, org_id=ORG, policy=policy, at=at, earlier=earlier or {})


def found(*cases: Case, **said: Any) -> tuple[Finding, ...]:
    """What is recognised in these cases."""
    return recognise(bench_of(*cases, **said))


def told(findings: tuple[Finding, ...]) -> dict[str, set[Use]]:
    """The uses of each situation, which is named by its number, or by its name where it has none."""
    uses: dict[str, set[Use]] = {}
    for each in findings:
        name = each.situation.value
        uses.setdefault(name[:3] if name[1:3].isdigit() else name, set()).add(each.use)
    return uses


def only(findings: tuple[Finding, ...]) -> Finding:
    """The one thing that was recognised."""
    (finding,) = findings
    return finding
