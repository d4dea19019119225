"""A permission, and how one event changes it once it is allowed to."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from salesforce_bridge.permissions.bases import LawfulBasis
from salesforce_bridge.permissions.events import STOPS, EventKind, PermissionEvent
from salesforce_bridge.permissions.evidence import Grade, Trust
from salesforce_bridge.permissions.guards import EMERGENCY_LASTS, Terms
from salesforce_bridge.permissions.keys import ANY_CHANNEL, ANY_PURPOSE, Use
from salesforce_bridge.permissions.states import STOPPED, VALID, Move, State, initial


@dataclass(frozen=True, slots=True, kw_only=True)
class Permission:
    """The state of one key: a fold of its events."""

    use: Use
    basis: LawfulBasis
    state: State
    marketing: bool
    revision: int  # of the last event that changed anything a reader can see
    reason: str  # of that event
    since: datetime  # when that event happened
    own: bool = True
    stopped_at: datetime | None = None  # the latest stop on this key, whoever told it
    lifted_at: datetime | None = None  # the latest grant by the person directly
    effective_from: datetime | None = None
    effective_to: datetime | None = None
    granted_at: datetime | None = None
    trust: Trust = Trust.MACHINE
    grade: Grade = Grade.NONE
    capture_source: str | None = None
    evidence_ref: str | None = None
    notice_id: str | None = None
    point: str | None = None
    condition_ref: str | None = None
    held: str | None = None  # the reason code of a hold, while nobody has released it
    latest_notice: str | None = None  # a newer notice than the one agreed to, once it was noted
    reaffirm_by: datetime | None = None  # it ends then, unless the person says yes once more
    prompted_at: datetime | None = None  # which boundary before its end was last prompted for


@dataclass(frozen=True, slots=True, kw_only=True)
class Folded:
    """What one event made of one permission; None while nothing worth keeping has happened."""

    permission: Permission | None
    refused: str | None = None


def granted(
    permission: Permission | None, event: PermissionEvent, state: State, terms: Terms
) -> Permission:
    """Make a permission out of a yes; earlier stops are remembered, and lifted only by the person."""
    known = _BLANK if permission is None else permission
    happened_at = event.happened_at
    effective_from = event.effective_from or happened_at
    if known.state in VALID and known.effective_from is not None:
        effective_from = min(known.effective_from, effective_from)
    ends = [] if event.effective_to is None else [event.effective_to]
    if terms.max_age is not None:
        ends.append(happened_at + terms.max_age)
    direct = event.trust is Trust.SUBJECT_DIRECT
    return Permission(
        use=event.use,
        basis=event.basis,
        state=state,
        marketing=event.marketing,
        revision=max(known.revision, event.revision),
        reason=event.reason,
        since=happened_at,
        own=True,
        stopped_at=known.stopped_at,
        lifted_at=latest(known.lifted_at, happened_at) if direct else known.lifted_at,
        effective_from=effective_from,
        effective_to=min(ends, default=None),
        granted_at=happened_at,
        trust=event.trust,
        grade=event.grade,
        capture_source=event.capture_source,
        evidence_ref=event.evidence_ref,
        notice_id=event.notice_id,
        point=event.point,
        held=known.held,
        # Who agrees to a text that was replaced already still has to be asked about the new one.
        latest_notice=None if terms.current else known.latest_notice,
        reaffirm_by=None if terms.current else known.reaffirm_by,
    )


def moved(
    permission: Permission | None, event: PermissionEvent, move: Move, basis: LawfulBasis
) -> Permission | None:
    """Move a permission by anything but a grant; the same object where nothing is to be kept."""
    stopping = event.kind in STOPS or (move.changed and move.next in STOPPED)
    lifting = event.kind is EventKind.LIFT
    if not (move.changed or stopping or lifting):
        return permission
    known = _BLANK if permission is None else permission
    changes: dict[str, Any] = {}
    if stopping:
        changes["stopped_at"] = latest(known.stopped_at, event.happened_at)
        changes["own"] = event.own or (known.state in STOPPED and known.own)
    if lifting:
        changes["lifted_at"] = latest(known.lifted_at, event.happened_at)
    if move.changed or lifting:
        changes["state"] = move.next
        changes["basis"] = basis
        changes["marketing"] = event.marketing
        changes["revision"] = max(known.revision, event.revision)
        changes["reason"] = event.reason
        changes["since"] = event.happened_at
    if move.changed and event.kind is EventKind.ESTABLISH:
        changes |= _established(event)
    if permission is None:
        return Permission(**(_beginning(event) | changes))
    return replace(permission, **changes)


def _established(event: PermissionEvent) -> dict[str, Any]:
    effective_to = event.effective_to
    if effective_to is None and event.basis is LawfulBasis.VITAL_INTEREST:
        effective_to = event.happened_at + EMERGENCY_LASTS
    return {
        "effective_from": event.effective_from or event.happened_at,
        "effective_to": effective_to,
        "granted_at": None,
        "trust": event.trust,
        "grade": event.grade,
        "capture_source": event.capture_source,
        "evidence_ref": event.evidence_ref,
        "notice_id": event.notice_id,
        "point": None,
        "condition_ref": event.condition_ref,
        "latest_notice": None,
        "reaffirm_by": None,
        "prompted_at": None,
    }


def unproven(permission: Permission, event: PermissionEvent, state: State) -> Permission:
    """Begin a permission anew without anything that it rested on, and without the stop that was none."""
    return Permission(
        **_beginning(event)
        | {
            "basis": permission.basis,
            "state": state,
            "marketing": permission.marketing,
            "revision": max(permission.revision, event.revision),
            "lifted_at": permission.lifted_at,
            "held": permission.held,
        }
    )


def last_told(permission: Permission, *, under_a_wider_no: bool) -> list[datetime]:
    """Say when a no to just one use was last told; under a wider one it may only have been told again."""
    if permission.state in STOPPED:
        return [permission.stopped_at or permission.since]
    stopped_at = permission.stopped_at
    return [stopped_at] if under_a_wider_no and stopped_at is not None else []


def first(event: PermissionEvent) -> Permission:
    """Begin a permission about which nothing was known."""
    return Permission(**_beginning(event))


def _beginning(event: PermissionEvent) -> dict[str, Any]:
    return {
        "use": event.use,
        "basis": event.basis,
        "state": initial(event.basis),
        "marketing": event.marketing,
        "revision": event.revision,
        "reason": event.reason,
        "since": event.happened_at,
    }


def latest(known: datetime | None, told: datetime) -> datetime:
    """Keep the later of two moments."""
    return told if known is None or told > known else known


# Read, never kept, where nothing is known yet: most permissions are folded from their first event.
_BLANK = Permission(
    use=Use(purpose=ANY_PURPOSE, channel=ANY_CHANNEL),
    basis=LawfulBasis.CONSENT,
    state=State.UNKNOWN,
    marketing=False,
    revision=0,
    reason="",
    since=datetime.min.replace(tzinfo=UTC),
)
