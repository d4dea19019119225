"""The gates: whether a person's data may be used for a purpose, on a channel, at a moment, and why not."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum

from salesforce_bridge.permissions.bases import LawfulBasis
from salesforce_bridge.permissions.conditions import Condition, ConditionKind, in_date
from salesforce_bridge.permissions.contact_points import ContactPoint
from salesforce_bridge.permissions.evidence import grant_is_proven
from salesforce_bridge.permissions.keys import Use
from salesforce_bridge.permissions.permission import Permission
from salesforce_bridge.permissions.policy import (
    Category,
    Policy,
    Purpose,
    PurposeStatus,
    basis_for,
)
from salesforce_bridge.permissions.states import LAPSED, STOPPED, VALID, State
from salesforce_bridge.permissions.stop_matrix import STOP_MATRIX, Effect, Obstacle
from salesforce_bridge.permissions.stops import Stop, reaches, stands


class Verdict(IntEnum):
    """The answer; the worst of several is the greatest."""

    ALLOW = 0
    HOLD = 1
    DENY = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """One gate that was not passed."""

    gate: str  # G1 to G7 as the rules number them, or HELD
    verdict: Verdict
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """May we, and why; every failed gate is kept for the record, in the order of the gates."""

    verdict: Verdict
    reason: str
    failed: tuple[Failure, ...] = ()
    warnings: tuple[str, ...] = ()  # stops that do not forbid this message, but should be known


def may_use(
    *,
    permission: Permission | None,
    stops: tuple[Stop, ...],
    conditions: tuple[Condition, ...],
    use: Use,
    policy: Policy,
    at: datetime,
    category: Category,
    link_state: str | None,
    points: tuple[ContactPoint, ...],
    jurisdiction: str,
    subject_class: str,
    hold: str | None,
) -> Answer:
    """Ask every gate and keep the worst answer; the first gate to reach it gives the reason."""
    purpose = policy.purposes.get(use.purpose)
    if purpose is not None and purpose.direct_marketing:
        # Nobody rides past an objection by calling an offer a service message.
        category = Category.MARKETING
    failed: list[Failure] = []
    warnings: tuple[str, ...] = ()
    if link_state != "ACTIVE":
        failed.append(_AMBIGUOUS if link_state == "AMBIGUOUS" else _UNKNOWN_SUBJECT)
    obstacles = _obstacles(permission, stops, conditions, use, at=at)
    if obstacles:
        warnings = tuple(o.value for o in obstacles if STOP_MATRIX[o][category] is Effect.WARN)
        failed += [
            _STOP_FAILURES[o, category] for o in obstacles if (o, category) in _STOP_FAILURES
        ]
    basis = basis_for(policy, use.purpose, jurisdiction, subject_class, at=at)
    if category not in STANDALONE:
        failed += _unfounded(purpose, basis, use)
        failed += _unproven(permission, purpose, policy, conditions, points, at=at)
        if hold is not None or (permission is not None and permission.held is not None):
            failed.append(_HELD)
    if failed:
        return _refused(failed, warnings)
    footing = basis or category if permission is None else permission.basis
    return Answer(verdict=Verdict.ALLOW, reason=f"ALLOW_{footing.value}", warnings=warnings)


# These stand on a legal footing of their own: notices of Art. 13, 14, 19 and 34, replies to requests,
# legal claims, safety.
STANDALONE = frozenset({Category.LEGAL_NOTICE, Category.CLAIMS, Category.VITAL})

# What has to be true about the person, apart from the permission itself, for a basis to hold.
CONDITIONS_OF: Mapping[LawfulBasis, tuple[ConditionKind, ...]] = {
    LawfulBasis.CONSENT: (),
    LawfulBasis.CONTRACT: (ConditionKind.CONTRACT,),
    LawfulBasis.LEGAL_OBLIGATION: (ConditionKind.OBLIGATION,),
    LawfulBasis.VITAL_INTEREST: (ConditionKind.INCIDENT,),
    LawfulBasis.PUBLIC_TASK: (ConditionKind.TASK, ConditionKind.OBJECTION_NOTICE),
    LawfulBasis.LEGITIMATE_INTEREST: (ConditionKind.OBJECTION_NOTICE,),
    LawfulBasis.RECOGNISED_LEGITIMATE_INTEREST: (ConditionKind.OBJECTION_NOTICE,),
}


def _deny(gate: str, reason: str) -> Failure:
    return Failure(gate=gate, verdict=Verdict.DENY, reason=f"DENY_{reason}")


def _wait(gate: str, reason: str) -> Failure:
    return Failure(gate=gate, verdict=Verdict.HOLD, reason=f"HOLD_{reason}")


_UNKNOWN_SUBJECT = _deny("G1", "SUBJECT_UNKNOWN")
_AMBIGUOUS = _wait("G1", "IDENTITY_AMBIGUOUS")
_STOP_FAILURES: Mapping[tuple[Obstacle, Category], Failure] = {
    (obstacle, category): (_deny if effect is Effect.BLOCK else _wait)("G2", obstacle.value)
    for obstacle, row in STOP_MATRIX.items()
    for category, effect in row.items()
    if effect in {Effect.BLOCK, Effect.HOLD}
}
_RETIRED = _deny("G3", "PURPOSE_RETIRED")
_NO_BASIS = _deny("G4", "NO_LAWFUL_BASIS")
_CHALLENGED = _wait("G5", "CHALLENGED")
_STOPPED = _deny("G5", "STOPPED")
_LAPSED = _deny("G5", "LAPSED")
_NOT_ESTABLISHED = _deny("G5", "NOT_ESTABLISHED")
_OTHER_ADDRESS = _deny("G5", "NOT_ESTABLISHED_FOR_ADDRESS")
_OUTSIDE_VALIDITY = _deny("G6", "OUTSIDE_VALIDITY")
_BELOW_GRADE = _deny("G7", "EVIDENCE_BELOW_GRADE")
_HELD = _wait("HELD", "NOT_YET_JUDGED")


def _refused(failed: list[Failure], warnings: tuple[str, ...]) -> Answer:
    worst = failed[0]
    for failure in failed:
        if failure.verdict > worst.verdict:
            worst = failure
    return Answer(
        verdict=worst.verdict, reason=worst.reason, failed=tuple(failed), warnings=warnings
    )


def _obstacles(
    permission: Permission | None,
    stops: tuple[Stop, ...],
    conditions: tuple[Condition, ...],
    use: Use,
    *,
    at: datetime,
) -> list[Obstacle]:
    """List what stands in the way, whatever the message; which messages it stops is the matrix's answer."""
    found = set()
    lifted_at = None if permission is None else permission.lifted_at
    for stop in stops:
        if reaches(stop, use) and stands(stop, lifted_at):
            found.add(Obstacle(stop.kind.value))
    if _met(ConditionKind.RESTRICTION, conditions, use, at=at):
        found.add(Obstacle.PROCESSING_RESTRICTED)
    if permission is not None:
        if permission.state is State.CHALLENGED:
            found.add(Obstacle.GROUNDS_CHALLENGE_OPEN)
        elif permission.state is State.ERASED:
            found.add(Obstacle.SUBJECT_ERASED)
    return [obstacle for obstacle in Obstacle if obstacle in found] if found else []


def _met(kind: ConditionKind, conditions: tuple[Condition, ...], use: Use, *, at: datetime) -> bool:
    for one in conditions:
        if one.kind is kind and one.purpose in (None, use.purpose) and in_date(one, at=at):
            return True
    return False


def _unfounded(purpose: Purpose | None, basis: LawfulBasis | None, use: Use) -> list[Failure]:
    """Ask the gates about the policy: a live purpose, and one basis for it, for such a person."""
    failed = []
    if purpose is None or purpose.status is not PurposeStatus.LIVE:
        failed.append(_RETIRED)
    if basis is None or purpose is None or use.channel not in purpose.channels:
        failed.append(_NO_BASIS)
    return failed


def _unproven(
    permission: Permission | None,
    purpose: Purpose | None,
    policy: Policy,
    conditions: tuple[Condition, ...],
    points: tuple[ContactPoint, ...],
    *,
    at: datetime,
) -> list[Failure]:
    """Ask the gates about the permission itself: its state, its span of time, its proof."""
    if permission is None:
        return [_NOT_ESTABLISHED]
    state = permission.state
    failed = []
    if state not in VALID:
        if state is not State.CHALLENGED:
            return [_failure_of(state)]
        failed.append(_CHALLENGED)
    if purpose is None:
        return failed
    if not _addressed(permission, purpose, policy, points):
        failed.append(_OTHER_ADDRESS)
    if not _in_span(permission, purpose, at=at):
        failed.append(_OUTSIDE_VALIDITY)
    if not _proven(permission, purpose, policy, conditions, at=at):
        failed.append(_BELOW_GRADE)
    return failed


def _failure_of(state: State) -> Failure:
    if state in STOPPED or state is State.ERASED:
        return _STOPPED
    return _LAPSED if state in LAPSED else _NOT_ESTABLISHED


def _addressed(
    permission: Permission, purpose: Purpose, policy: Policy, points: tuple[ContactPoint, ...]
) -> bool:
    """Tell whether a consent was given for an address the person still has, where that matters."""
    channel = permission.use.channel
    if permission.basis is not LawfulBasis.CONSENT or channel not in purpose.address_scoped:
        return True
    wanted, given = policy.channels[channel].point, permission.point
    return bool(given) and any(one.type is wanted and one.exact == given for one in points)


def _in_span(permission: Permission, purpose: Purpose, *, at: datetime) -> bool:
    if permission.effective_from is not None and at < permission.effective_from:
        return False
    if permission.effective_to is not None and at >= permission.effective_to:
        return False
    granted_at, max_age = permission.granted_at, purpose.max_age
    return granted_at is None or max_age is None or at < granted_at + max_age


def _proven(
    permission: Permission,
    purpose: Purpose,
    policy: Policy,
    conditions: tuple[Condition, ...],
    *,
    at: datetime,
) -> bool:
    """Tell whether what the basis rests on can be shown."""
    basis = permission.basis
    if basis is LawfulBasis.CONSENT:
        # The text that the person saw has to be known; a newer one does not unsay what was said.
        return permission.notice_id in policy.notices and grant_is_proven(
            permission.trust, permission.grade, purpose.required_grade
        )
    if basis is LawfulBasis.LEGITIMATE_INTEREST:
        assessment = policy.assessments.get(purpose.assessment or "")
        if assessment is None or not assessment.approved_at <= at < assessment.review_due:
            return False
    return all(_met(kind, conditions, permission.use, at=at) for kind in CONDITIONS_OF[basis])
