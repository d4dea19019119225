"""Joining two people into one after a merge: per use the more restrictive side wins, and nothing is lost."""

from collections.abc import Iterator, Mapping
from datetime import datetime

from salesforce_bridge.permissions.events import (
    GRANTS,
    STOPS,
    ActorKind,
    EventKind,
    PermissionEvent,
)
from salesforce_bridge.permissions.evidence import Trust
from salesforce_bridge.permissions.guards import WIDENING
from salesforce_bridge.permissions.keys import ContactId, Use
from salesforce_bridge.permissions.permission import Permission
from salesforce_bridge.permissions.policy import Policy
from salesforce_bridge.permissions.states import LAPSED, STOPPED, VALID, State
from salesforce_bridge.permissions.stops import EVERYTHING, StopKind
from salesforce_bridge.reconcile.classes import is_stopped
from salesforce_bridge.reconcile.facts import SubjectRecord
from salesforce_bridge.reconcile.telling import Teller, event_of

# The join's tiers: erased, the person's no, legal hold, proven yes, lapsed, nothing known.
ERASED_TIER, STOP_TIER, HOLD_TIER, YES_TIER, LAPSE_TIER, NOTHING_TIER = 5, 4, 3, 2, 1, 0

_KIND_OF_STOP = {
    StopKind.MARKETING_OBJECTION: EventKind.STOP_MARKETING,
    StopKind.CHANNEL_OPT_OUT: EventKind.STOP_CHANNEL,
    StopKind.SUBJECT_STOP_ALL: EventKind.STOP_ALL,
}
# How the winner is told what the loser's state demands.
_KINDS_OF_STATE: Mapping[State, tuple[EventKind, ...]] = {
    # A no that stands would only challenge a basis that is in force, so that one ends first.
    State.WITHDRAWN: (EventKind.END, EventKind.WITHDRAW),
    State.REFUSED: (EventKind.END, EventKind.REFUSE),
    State.OBJECTED: (EventKind.END, EventKind.OBJECT_GROUNDS),
    # A basis can be challenged only where it is in force.
    State.CHALLENGED: (EventKind.ESTABLISH, EventKind.OBJECT_GROUNDS),
    State.GIVEN: (EventKind.GRANT,),
    State.RENEWED: (EventKind.GRANT,),
    State.IN_FORCE: (EventKind.ESTABLISH,),
    State.EXPIRED: (EventKind.REVOKE,),
    State.REVOKED: (EventKind.REVOKE,),
    State.INVALIDATED: (EventKind.REVOKE,),
    State.ERASED: (EventKind.ERASE,),
}


def tier_of(permission: Permission | None) -> int:
    """Rank a permission for the join; a hold counts as a legal hold until somebody has looked."""
    if permission is None:
        return NOTHING_TIER
    if permission.state is State.ERASED:
        return ERASED_TIER
    if permission.state in STOPPED:
        return STOP_TIER
    if permission.state is State.CHALLENGED or permission.held is not None:
        return HOLD_TIER
    if permission.state in VALID:
        return YES_TIER
    return LAPSE_TIER if permission.state in LAPSED else NOTHING_TIER


def join(
    loser: SubjectRecord,
    winner: SubjectRecord,
    *,
    contact_id: ContactId,
    proven: bool,
    merged_at: datetime,
    policy: Policy,
    at: datetime,
) -> Iterator[PermissionEvent]:
    """Tell the winner what the loser's history demands; both histories stay as they are.

    Nothing that permits is told while it is not `proven` that both records are these people.
    """
    teller = Teller(actor=ActorKind.BRIDGE, trust=Trust.MACHINE, record=contact_id)
    for stop in loser.stops:
        yield event_of(
            winner,
            Use(purpose=stop.purpose, channel=stop.channel),
            _KIND_OF_STOP[stop.kind],
            reason="MERGE_STOP_CARRIED",
            happened_at=stop.since,
            teller=teller,
            policy=policy,
            at=at,
            own=stop.own,
        )
    if loser.hold is not None and winner.hold is None:
        yield event_of(
            winner,
            EVERYTHING,
            EventKind.HOLD,
            reason=loser.hold,
            happened_at=merged_at,
            teller=teller,
            policy=policy,
            at=at,
        )
    for use, theirs in sorted(loser.permissions.items()):
        tier = tier_of(theirs)
        prevails = _prevails(loser, winner, use, policy=policy)
        for kind in _kinds_to_tell(theirs, tier) if prevails else ():
            if kind in WIDENING and not proven:
                continue
            yield event_of(
                winner,
                use,
                kind,
                reason=_reason_of(theirs, kind),
                happened_at=_moment_of(theirs, kind),
                teller=teller,
                policy=policy,
                at=at,
                own=theirs.own,
                after=theirs if kind is not EventKind.HOLD else None,
            )


def _prevails(loser: SubjectRecord, winner: SubjectRecord, use: Use, *, policy: Policy) -> bool:
    """Say whether the loser's side of a use has something to tell the winner."""
    theirs, ours = loser.permissions[use], winner.permissions.get(use)
    tier = tier_of(theirs)
    if tier < STOP_TIER and any(is_stopped(each, use, policy=policy) for each in (loser, winner)):
        return False  # a stop stands over it, and no yes passes that by a merge
    # On one tier the later event counts; a lapse after a lapse tells nothing new.
    later = ours is not None and theirs.since > ours.since and tier in (YES_TIER, STOP_TIER)
    return tier > tier_of(ours) or (tier == tier_of(ours) and later)


def _kinds_to_tell(theirs: Permission, tier: int) -> tuple[EventKind, ...]:
    kinds = _KINDS_OF_STATE.get(theirs.state, ())
    return (*kinds, EventKind.HOLD) if tier == HOLD_TIER and theirs.held is not None else kinds


def _moment_of(theirs: Permission, kind: EventKind) -> datetime:
    if kind in STOPS:
        return theirs.stopped_at or theirs.since
    if kind in GRANTS:
        return theirs.granted_at or theirs.since
    return theirs.since


def _reason_of(theirs: Permission, kind: EventKind) -> str:
    if kind is EventKind.HOLD and theirs.held is not None:
        return theirs.held
    if kind not in STOPS:
        return "MERGE_RESTRICTIVE_JOIN"
    challenged = theirs.state is State.CHALLENGED
    return "MERGE_RESTRICTION_CARRIED" if challenged else "MERGE_STOP_CARRIED"
