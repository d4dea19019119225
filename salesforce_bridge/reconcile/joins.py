"""Joining two people into one after a merge: per use the more restrictive side wins, and nothing is lost."""

from collections.abc import Iterator
from datetime import datetime

from salesforce_bridge.permissions.events import ActorKind, EventKind, PermissionEvent
from salesforce_bridge.permissions.evidence import Trust
from salesforce_bridge.permissions.keys import ContactId, Use
from salesforce_bridge.permissions.permission import Permission
from salesforce_bridge.permissions.policy import Policy
from salesforce_bridge.permissions.states import LAPSED, STOPPED, VALID, State
from salesforce_bridge.permissions.stops import StopKind
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
_KIND_OF_STATE = {
    State.WITHDRAWN: EventKind.WITHDRAW,
    State.REFUSED: EventKind.REFUSE,
    State.OBJECTED: EventKind.OBJECT_GROUNDS,
    State.CHALLENGED: EventKind.OBJECT_GROUNDS,
    State.GIVEN: EventKind.GRANT,
    State.RENEWED: EventKind.GRANT,
    State.IN_FORCE: EventKind.ESTABLISH,
    State.EXPIRED: EventKind.REVOKE,
    State.REVOKED: EventKind.REVOKE,
    State.INVALIDATED: EventKind.REVOKE,
    State.ERASED: EventKind.ERASE,
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
    policy: Policy,
    at: datetime,
) -> Iterator[PermissionEvent]:
    """Tell the winner what the loser's history demands; both histories stay as they are."""
    teller = Teller(actor=ActorKind.BRIDGE, trust=Trust.MACHINE, record=contact_id)
    for stop in loser.stops:
        yield event_of(
            winner,
            Use(purpose=stop.purpose, channel=stop.channel),
            _KIND_OF_STOP[stop.kind],
            reason="MERGE_STOP_CARRIED",
            happened_at=not_before_a_yes(winner, stop.since),
            teller=teller,
            policy=policy,
            at=at,
            own=stop.own,
        )
    for use, theirs in sorted(loser.permissions.items()):
        ours = winner.permissions.get(use)
        tier = tier_of(theirs)
        if tier < STOP_TIER and any(
            is_stopped(each, use, policy=policy) for each in (loser, winner)
        ):
            continue  # a wider stop stands over it, and no yes passes that by a merge
        # On one tier the later event counts; a lapse after a lapse tells nothing new.
        later = ours is not None and theirs.since > ours.since and tier in (YES_TIER, STOP_TIER)
        if tier < tier_of(ours) or (tier == tier_of(ours) and not later):
            continue
        for kind in _kinds_to_tell(theirs, tier):
            yield event_of(
                winner,
                use,
                kind,
                reason=_reason_of(theirs, kind),
                happened_at=theirs.stopped_at or theirs.since
                if tier == STOP_TIER
                else theirs.granted_at or theirs.since,
                teller=teller,
                policy=policy,
                at=at,
                own=theirs.own,
                after=theirs if tier != HOLD_TIER or kind is not EventKind.HOLD else None,
            )


def not_before_a_yes(record: SubjectRecord, told_at: datetime) -> datetime:
    """Date a wide stop that is news to the ledger: clocks differ, and doubt about a stop is a stop, so it
    is never older than a yes the ledger already holds."""
    lifted = (each.lifted_at for each in record.permissions.values() if each.lifted_at is not None)
    return max((told_at, *lifted))


def _kinds_to_tell(theirs: Permission, tier: int) -> tuple[EventKind, ...]:
    kind = _KIND_OF_STATE.get(theirs.state)
    kinds = (kind,) if kind is not None else ()
    return (*kinds, EventKind.HOLD) if tier == HOLD_TIER and theirs.held is not None else kinds


def _reason_of(theirs: Permission, kind: EventKind) -> str:
    if kind is EventKind.HOLD and theirs.held is not None:
        return theirs.held
    if theirs.state in STOPPED:
        return "MERGE_STOP_CARRIED"
    if theirs.state is State.CHALLENGED:
        return "MERGE_RESTRICTION_CARRIED"
    return "MERGE_RESTRICTIVE_JOIN"
