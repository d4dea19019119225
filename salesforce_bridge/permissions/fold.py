"""Folding events into permissions: what the ledger holds for one person, rebuilt from facts alone."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from salesforce_bridge.permissions.bases import LawfulBasis
from salesforce_bridge.permissions.events import (
    GRANTS,
    STOPS,
    ActorKind,
    EventKind,
    PermissionEvent,
)
from salesforce_bridge.permissions.evidence import DEFAULT_GRADE
from salesforce_bridge.permissions.guards import (
    WIDENING,
    Past,
    Terms,
    correction_refusal,
    widening_refusal,
)
from salesforce_bridge.permissions.keys import Use
from salesforce_bridge.permissions.marks import MARKS, marked
from salesforce_bridge.permissions.permission import Folded, Permission, granted, moved
from salesforce_bridge.permissions.policy import Policy, PurposeStatus, notice_was_published
from salesforce_bridge.permissions.states import (
    ASKED,
    LAPSED,
    NEUTRAL,
    Machine,
    State,
    advance,
    initial,
    machine_of,
)
from salesforce_bridge.permissions.stops import (
    EVERYTHING,
    Stop,
    StopKind,
    corroborated,
    covers,
    is_wide,
    kind_of,
    named_by,
    narrowness,
    stands,
    with_stop,
)

__all__ = [
    "NOTHING",
    "Folded",
    "FoldedSubject",
    "Permission",
    "Refusal",
    "Stop",
    "StopKind",
    "covering_stop",
    "fold",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """An event that is kept, and counts for nothing."""

    event_id: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FoldedSubject:
    """What the events of one person come to."""

    permissions: Mapping[Use, Permission] = field(default_factory=lambda: MappingProxyType({}))
    stops: tuple[Stop, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    hold: str | None = None  # the reason of a hold on the whole person


NOTHING = FoldedSubject()
_NO_POLICIES: Mapping[str, Policy] = MappingProxyType({})


def fold(
    events: Iterable[PermissionEvent],
    *,
    policy: Policy,
    onto: FoldedSubject = NOTHING,
    earlier: Mapping[str, Policy] = _NO_POLICIES,
) -> FoldedSubject:
    """Fold events, in their order, onto what earlier events came to.

    A grant is judged by the policy it was recorded under where that one is among `earlier`, so that a
    later policy does not change what the ledger already holds.
    """
    permissions = dict(onto.permissions)
    stops, hold, refusals = onto.stops, onto.hold, list(onto.refusals)
    for event in events:
        use, refused = event.use, None
        if is_wide(event):
            stops, hold, refused = _fold_wide(event, stops, hold)
        else:
            before = permissions.get(use)
            terms = _terms(event, earlier.get(event.policy_version, policy))
            folded = _fold_narrow(before, event, terms, stops)
            refused = folded.refused
            if folded.permission is not before and folded.permission is not None:
                permissions[use] = folded.permission
            if refused == "MARKETING_STOP_RECORDED_ELSEWHERE":
                stops = with_stop(stops, event, StopKind.MARKETING_OBJECTION, EVERYTHING)
        if refused is not None:
            refusals.append(Refusal(event_id=event.id, reason=refused))
    return FoldedSubject(permissions=permissions, stops=stops, refusals=tuple(refusals), hold=hold)


def covering_stop(
    permission: Permission | None, use: Use, *, marketing: bool, stops: tuple[Stop, ...]
) -> Stop | None:
    """Find the widest stop that stands over a use: one that the person has not lifted for it since."""
    if not stops:
        return None
    lifted_at = None if permission is None else permission.lifted_at
    standing = [
        stop for stop in stops if covers(stop, use, marketing=marketing) and stands(stop, lifted_at)
    ]
    return min(standing, key=narrowness) if standing else None


# Kinds that begin something under a basis; under another one than the permission has they swap it.
_BEGINNINGS = GRANTS | {
    EventKind.REQUEST,
    EventKind.DEFER,
    EventKind.GRANT_UNCONFIRMED,
    EventKind.ESTABLISH,
}
# Whoever has never decided anything may be moved to another basis.
_UNDECIDED = NEUTRAL | ASKED
_UNASKED = Terms(required=DEFAULT_GRADE, published=False, live=False)


def _terms(event: PermissionEvent, policy: Policy) -> Terms:
    if event.kind not in GRANTS:
        return _UNASKED
    key = event.use.purpose
    purpose = policy.purposes.get(key)
    if purpose is None:
        return _UNASKED
    return Terms(
        required=purpose.required_grade,
        published=notice_was_published(policy, event.notice_id, key, at=event.happened_at),
        live=purpose.status is PurposeStatus.LIVE and event.purpose_version <= purpose.version,
        max_age=purpose.max_age,
        current=_is_current(policy, event.notice_id),
    )


def _is_current(policy: Policy, notice_id: str | None) -> bool:
    """Tell whether no newer text has taken the place of a notice."""
    notice = policy.notices.get(notice_id or "")
    return (
        notice is not None
        and notice.superseded_at is None
        and all(one.supersedes != notice_id for one in policy.notices.values())
    )


def _fold_wide(
    event: PermissionEvent, stops: tuple[Stop, ...], hold: str | None
) -> tuple[tuple[Stop, ...], str | None, str | None]:
    kind = event.kind
    if kind in STOPS:
        return with_stop(stops, event, kind_of(event), event.use), hold, None
    if kind is EventKind.CORROBORATE:
        return corroborated(stops, event), hold, None
    if kind is EventKind.CORRECT:
        kept, refused = _without_error(event, stops)
        return kept, hold, refused
    if kind is EventKind.HOLD:
        return stops, event.reason, None
    if kind is EventKind.RELEASE and event.actor is not ActorKind.CLOCK:
        return stops, None, None
    return stops, hold, "USE_TOO_WIDE"


def _without_error(
    event: PermissionEvent, stops: tuple[Stop, ...]
) -> tuple[tuple[Stop, ...], str | None]:
    """Take back a wide stop that was proven to be a recording error, and no other one."""
    error = named_by(stops, event)
    if error is None:
        return stops, "NOTHING_TO_CORRECT"
    refused = correction_refusal(event, stopped_at=error.since)
    if refused is not None:
        return stops, refused
    return tuple(stop for stop in stops if stop is not error), None


def _fold_narrow(
    permission: Permission | None, event: PermissionEvent, terms: Terms, stops: tuple[Stop, ...]
) -> Folded:
    if event.kind in MARKS:
        return marked(permission, event)
    start, basis = _start(permission, event)
    if basis is not event.basis and event.kind in _BEGINNINGS:
        return Folded(permission=permission, refused="BASIS_SWAP_BLOCKED")
    kind = _as_said_under(basis, event)
    move = advance(start, kind, basis=basis, marketing=event.marketing)
    refused = move.refused
    if kind in WIDENING:
        covering = covering_stop(permission, event.use, marketing=event.marketing, stops=stops)
        if kind is EventKind.LIFT and refused == "NOTHING_TO_LIFT" and covering is not None:
            refused = None
        if refused is None and (move.changed or kind is not EventKind.ESTABLISH):
            past = _past(
                permission, event, stops, starred=move.needs_person or covering is not None
            )
            refused = widening_refusal(event, terms=terms, past=past)
    if refused is not None:
        return Folded(permission=permission, refused=refused)
    if kind in GRANTS:
        return Folded(permission=granted(permission, event, move.next, terms))
    return Folded(permission=moved(permission, event, move, basis))


def _start(permission: Permission | None, event: PermissionEvent) -> tuple[State, LawfulBasis]:
    """Give where the event finds the permission; one that decided nothing takes over the event's basis."""
    if permission is None:
        return initial(event.basis), event.basis
    if permission.basis is event.basis:
        return permission.state, event.basis
    if permission.state in _UNDECIDED or (
        permission.state is State.ENDED and event.basis is LawfulBasis.CONSENT
    ):
        return initial(event.basis), event.basis
    return permission.state, permission.basis


def _as_said_under(basis: LawfulBasis, event: PermissionEvent) -> EventKind:
    """Read a no in the words of the permission's own basis: it counts in whatever words it was told."""
    kind, machine = event.kind, machine_of(basis, marketing=event.marketing)
    if kind not in STOPS:
        return kind
    if machine is Machine.CONSENT:
        return kind if kind is EventKind.REFUSE else EventKind.WITHDRAW
    if kind is EventKind.OBJECT_MARKETING or event.marketing:
        return EventKind.OBJECT_MARKETING
    return EventKind.OBJECT_GROUNDS


def _past(
    permission: Permission | None,
    event: PermissionEvent,
    stops: tuple[Stop, ...],
    *,
    starred: bool,
) -> Past:
    told = [stop.since for stop in stops if covers(stop, event.use, marketing=event.marketing)]
    if permission is None:
        return Past(
            stopped_at=max(told, default=None), starred=starred, granted_at=None, lapsed_at=None
        )
    if permission.stopped_at is not None:
        told.append(permission.stopped_at)
    return Past(
        stopped_at=max(told, default=None),
        starred=starred,
        granted_at=permission.granted_at,
        lapsed_at=permission.since if permission.state in LAPSED else None,
    )
