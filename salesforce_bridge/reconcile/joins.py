"""Joining two people into one after a merge: per use the more restrictive side wins, and nothing is lost."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

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
from salesforce_bridge.permissions.permission import Permission, last_told
from salesforce_bridge.permissions.policy import Policy
from salesforce_bridge.permissions.proofs import Proof
from salesforce_bridge.permissions.states import LAPSED, STOPPED, VALID, State
from salesforce_bridge.permissions.stops import EVERYTHING, Stop, StopKind, covers, stands
from salesforce_bridge.reconcile.classes import is_marketing, is_stopped
from salesforce_bridge.reconcile.facts import Candidate, SubjectRecord
from salesforce_bridge.reconcile.identity import stable_id
from salesforce_bridge.reconcile.objections import words_of_stop
from salesforce_bridge.reconcile.telling import Teller, event_of

# The join's tiers: erased, the person's no, legal hold, proven yes, lapsed, nothing known.
ERASED_TIER, STOP_TIER, HOLD_TIER, YES_TIER, LAPSE_TIER, NOTHING_TIER = 5, 4, 3, 2, 1, 0
_A_MOMENT = timedelta(microseconds=1)

KIND_OF_STOP: Mapping[StopKind, EventKind] = {
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
    # A basis can be challenged, or can end, only where it is in force.
    State.CHALLENGED: (EventKind.ESTABLISH, EventKind.OBJECT_GROUNDS),
    State.ENDED: (EventKind.ESTABLISH, EventKind.END),
    State.GIVEN: (EventKind.GRANT,),
    State.RENEWED: (EventKind.GRANT,),
    State.IN_FORCE: (EventKind.ESTABLISH,),
    State.EXPIRED: (EventKind.REVOKE,),
    State.REVOKED: (EventKind.REVOKE,),
    State.INVALIDATED: (EventKind.REVOKE,),
    State.ERASED: (EventKind.ERASE,),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Merge:
    """Two people who are said to be one, and what is known about that."""

    loser: SubjectRecord
    winner: SubjectRecord
    contact_id: ContactId  # the loser's
    proven: bool  # that both records are these people
    merged_at: datetime
    policy: Policy
    at: datetime
    # when others with an address of the loser last said no; the loser was told the first time
    shared: Mapping[Use, datetime] = field(default_factory=dict)


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


def join(merge: Merge) -> Iterator[PermissionEvent]:
    """Tell the winner what the loser's history demands; both histories stay as they are.

    Nothing that permits is told while it is not `proven` that both records are these people.
    """
    yield from _wide_stops(merge)
    loser, winner = merge.loser, merge.winner
    if loser.hold is not None and winner.hold is None:
        yield _event(merge, EVERYTHING, EventKind.HOLD, loser.hold, merge.merged_at)
    for use, theirs in sorted(loser.permissions.items()):
        if _prevails(merge, use):
            yield from _narrow(merge, theirs)


def stops_told(merge: Merge) -> Iterator[PermissionEvent]:
    """Tell the winner every no of the loser, and nothing else."""
    yield from _wide_stops(merge)
    for use, theirs in sorted(merge.loser.permissions.items()):
        if tier_of(theirs) == STOP_TIER and _prevails(merge, use):
            yield from _narrow(merge, theirs)


def stops_shared(merge: Merge) -> Iterator[PermissionEvent]:
    """Tell the winner each no that came to the loser with an address, as of the last day it was said.

    What the winner has said yes to since, or was stopped for later, stays as it is.
    """
    loser, winner, policy = merge.loser, merge.winner, merge.policy
    for use, since in sorted(merge.shared.items()):
        ours = winner.permissions.get(use)
        known = [
            _latest_no(loser, use, policy=policy),
            _latest_no(winner, use, policy=policy),
            ours.lifted_at if ours is not None else None,
        ]
        newest = all(at is None or at < since for at in known)
        if newest and is_stopped(loser, use, policy=policy, at=merge.at):
            yield from _no_to(merge, use, since, own=False)


def later_yes(merge: Merge) -> Iterator[Candidate]:
    """Set aside for review each yes that is later than the other side's no: it does not win by itself."""
    for use in sorted({*merge.loser.permissions, *merge.winner.permissions}):
        for one, other in ((merge.loser, merge.winner), (merge.winner, merge.loser)):
            said = one.permissions.get(use)
            if said is None or said.granted_at is None or said.state not in VALID:
                continue
            no = _latest_no(other, use, policy=merge.policy)
            ours = _latest_no(one, use, policy=merge.policy)
            if no is not None and ours is None and said.granted_at > no:
                yield _claim(merge, said)


def _wide_stops(merge: Merge) -> Iterator[PermissionEvent]:
    """Tell of stops that are wider than one use, as of their own day.

    What the winner itself said yes to since is stopped use by use, for whether that yes is this person's
    is a rep's opinion; what the loser had lifted again stays lifted.
    """
    for stop in merge.loser.stops:
        passed = tuple(use for use in sorted(merge.winner.permissions) if _passes(merge, stop, use))
        told = tuple(
            event for use in passed for event in _no_to(merge, use, stop.since, own=stop.own)
        )
        use = Use(purpose=stop.purpose, channel=stop.channel)
        kind = KIND_OF_STOP[stop.kind]
        event = _event(merge, use, kind, "MERGE_STOP_CARRIED", stop.since, own=stop.own)
        # Where no words for the single use would do, the wide stop has to stand over that yes as well.
        yield event if len(told) < len(passed) else replace(event, happened_at=stop.since)
        yield from told


def _passes(merge: Merge, stop: Stop, use: Use) -> bool:
    """Say whether a yes of the winner would pass a stop that stands on the loser's side."""
    winner, theirs = merge.winner, merge.loser.permissions.get(use)
    marketing = is_marketing(winner, use, policy=merge.policy)
    return (
        covers(stop, use, marketing=marketing)
        and not stands(stop, winner.permissions[use].lifted_at)
        and stands(stop, theirs.lifted_at if theirs is not None else None)
    )


def _no_to(merge: Merge, use: Use, since: datetime, *, own: bool) -> Iterator[PermissionEvent]:
    """Say no to one use in the words of its basis, if it has any."""
    for kind, about in words_of_stop(
        merge.winner, use, objects=False, channel=None, policy=merge.policy, at=merge.at
    ):
        if about == use:
            yield _event(merge, use, kind, "MERGE_STOP_CARRIED", since, own=own)


def _narrow(merge: Merge, theirs: Permission) -> Iterator[PermissionEvent]:
    kinds = _KINDS_OF_STATE.get(theirs.state, ())
    if tier_of(theirs) == HOLD_TIER and theirs.held is not None:
        kinds = (*kinds, EventKind.HOLD)
    for kind in kinds:
        # What is over is told as begun and ended; in between nobody can use it.
        if kind in WIDENING and not merge.proven and theirs.state is not State.ENDED:
            continue
        yield _event(
            merge,
            theirs.use,
            kind,
            _reason_of(theirs, kind),
            _moment_of(theirs, kind),
            own=theirs.own,
            after=theirs if kind is not EventKind.HOLD else None,
        )
    if merge.proven and theirs.state in VALID:
        yield from _marks(merge, theirs)


def _marks(merge: Merge, theirs: Permission) -> Iterator[PermissionEvent]:
    """Tell of a newer notice, and of the duty to ask anew, along with the yes that they are about."""
    event = _event(merge, theirs.use, EventKind.NOTICED, "MERGE_RESTRICTIVE_JOIN", merge.merged_at)
    event = replace(event, notice_id=theirs.latest_notice)
    if theirs.reaffirm_by is not None:
        yield replace(
            event,
            id=stable_id("event", event.id, EventKind.REAFFIRM),
            kind=EventKind.REAFFIRM,
            effective_to=theirs.reaffirm_by,
        )
    elif theirs.latest_notice is not None:
        yield event


def _prevails(merge: Merge, use: Use) -> bool:
    """Say whether the loser's side of a use has something to tell the winner."""
    loser, winner = merge.loser, merge.winner
    theirs, ours = loser.permissions[use], winner.permissions.get(use)
    tier = tier_of(theirs)
    if tier < STOP_TIER and any(
        is_stopped(each, use, policy=merge.policy, at=merge.at) for each in (loser, winner)
    ):
        return False  # a stop stands over it, and no yes passes that by a merge
    if ours is None or tier != tier_of(ours):
        return tier > tier_of(ours)
    # On one tier the later event counts; a lapse after a lapse tells nothing new.
    if tier == STOP_TIER:
        said_themselves = (
            theirs.own and not ours.own
        )  # only such a no goes on to who shares an address
        return said_themselves or _said_no_at(theirs) > _said_no_at(ours)
    return tier == YES_TIER and theirs.since > ours.since


def _said_no_at(permission: Permission) -> datetime:
    return permission.stopped_at or permission.since


def _event(
    merge: Merge,
    use: Use,
    kind: EventKind,
    reason: str,
    happened_at: datetime,
    *,
    own: bool = True,
    after: Permission | None = None,
) -> PermissionEvent:
    event = event_of(
        merge.winner,
        use,
        kind,
        reason=reason,
        happened_at=happened_at,
        teller=Teller(actor=ActorKind.BRIDGE, trust=Trust.MACHINE, record=merge.contact_id),
        policy=merge.policy,
        at=merge.at,
        own=own,
        after=after,
    )
    # Merged, parted and merged again, it is told again.
    return replace(event, id=stable_id("event", event.id, merge.merged_at.isoformat()))


def _moment_of(theirs: Permission, kind: EventKind) -> datetime:
    if kind in STOPS:
        return theirs.stopped_at or theirs.since
    if kind in GRANTS:
        return theirs.granted_at or theirs.since
    if kind is EventKind.ESTABLISH and theirs.state is State.ENDED:
        # It began before it ended, whatever the dates say.
        return min(theirs.effective_from or theirs.since, theirs.since - _A_MOMENT)
    return theirs.since


def _reason_of(theirs: Permission, kind: EventKind) -> str:
    if kind is EventKind.HOLD and theirs.held is not None:
        return theirs.held
    if kind not in STOPS:
        return "MERGE_RESTRICTIVE_JOIN"
    challenged = theirs.state is State.CHALLENGED
    return "MERGE_RESTRICTION_CARRIED" if challenged else "MERGE_STOP_CARRIED"


def _latest_no(record: SubjectRecord, use: Use, *, policy: Policy) -> datetime | None:
    """Say when a person last said no to a use in words that still stand."""
    permission = record.permissions.get(use)
    marketing = is_marketing(record, use, policy=policy)
    lifted_at = permission.lifted_at if permission is not None else None
    told = [
        stop.since
        for stop in record.stops
        if covers(stop, use, marketing=marketing) and stands(stop, lifted_at)
    ]
    if permission is not None:
        told += last_told(permission, under_a_wider_no=bool(told))
    return max(told, default=None)


def _claim(merge: Merge, said: Permission) -> Candidate:
    winner = merge.winner.subject_id
    claimed_at = said.granted_at or said.since
    claim_id = stable_id(
        "candidate", winner, said.use, merge.contact_id, claimed_at.isoformat(), said.evidence_ref
    )
    return Candidate(
        id=claim_id,
        subject_id=winner,
        use=said.use,
        reason="MERGE_STOP_CARRIED",
        claimed_at=claimed_at,
        evidence_ref=said.evidence_ref,
        note_digest=None,
        claimed_by=None,
        source_record=merge.contact_id,
        expires_at=merge.at + merge.policy.quarantine_lasts,
        proof=Proof(
            id=said.evidence_ref or claim_id,
            kind="LEDGER",  # it was proven before, to the person it was recorded for
            use=said.use,
            happened_at=claimed_at,
            notice_id=said.notice_id,
            point=said.point,
            trust=said.trust,
            grade=said.grade,
        ),
    )
