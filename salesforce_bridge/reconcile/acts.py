"""Acts: what the ledger does for a reason. One small function for each act of the catalogue."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from salesforce_bridge.permissions.bases import LawfulBasis
from salesforce_bridge.permissions.events import ActorKind, EventKind
from salesforce_bridge.permissions.evidence import Trust
from salesforce_bridge.permissions.keys import ANY_PURPOSE, ContactId, Use
from salesforce_bridge.reconcile.bench import Bench
from salesforce_bridge.reconcile.classes import LedgerClass, class_of
from salesforce_bridge.reconcile.facts import (
    ACTIVE,
    AMBIGUOUS,
    CLOSED_SOFT,
    MERGED_INTO,
    Candidate,
    SubjectRecord,
)
from salesforce_bridge.reconcile.findings import Finding, Situation
from salesforce_bridge.reconcile.identity import stable_id
from salesforce_bridge.reconcile.joins import join
from salesforce_bridge.reconcile.objections import words_of_stop
from salesforce_bridge.reconcile.reasons import Act, Reason
from salesforce_bridge.reconcile.telling import BRIDGE, CLOCK, Teller, event_of

QUARANTINE_LASTS = timedelta(days=30)
_HELD_CLASSES = frozenset({LedgerClass.L2, LedgerClass.L3A, LedgerClass.L3B})


def act(bench: Bench, finding: Finding, reason: Reason) -> tuple[str, ...]:
    """Do what a reason asks of the ledger; give the ids of the events and claims it made."""
    return tuple(_ACTS[reason.act](bench, finding, reason))


def winner_of(bench: Bench, contact_id: ContactId) -> ContactId | None:
    """Follow merges to the Contact that took over, gone or not; None if it is not in sight."""
    seen: set[ContactId] = set()
    case = bench.cases[contact_id]
    while case.contact_id not in seen:
        seen.add(case.contact_id)
        master_id = case.seen.master_id if case.seen is not None else None
        if master_id is None:
            break
        if master_id not in bench.cases:
            return None
        case = bench.cases[master_id]
    return case.contact_id if case.contact_id != contact_id else None


def _nothing(bench: Bench, finding: Finding, reason: Reason) -> Iterator[str]:
    _ = bench, finding, reason
    return iter(())


def _stop(bench: Bench, finding: Finding, reason: Reason) -> Iterator[str]:
    record = bench.record_of(finding.contact_id)
    for kind, use in _words(bench, record, finding):
        yield from _tell(bench, finding, reason, kind, use=use)


def _words(
    bench: Bench, record: SubjectRecord, finding: Finding
) -> Iterator[tuple[EventKind, Use]]:
    return words_of_stop(
        record,
        finding.use,
        objects=finding.objects,
        channel=finding.channel,
        policy=bench.policy,
        at=bench.at,
    )


def _corroborate(bench: Bench, finding: Finding, reason: Reason) -> Iterator[str]:
    """A no told again is kept, and widens the no that stands where it says more."""
    record = bench.record_of(finding.contact_id)
    for kind, use in _words(bench, record, finding):
        wide = use.purpose == ANY_PURPOSE
        yield from _tell(bench, finding, reason, kind if wide else EventKind.CORROBORATE, use=use)


def _quarantine(bench: Bench, finding: Finding, reason: Reason) -> Iterator[str]:
    record = bench.record_of(finding.contact_id)
    claimed_at = _happened_at(bench, finding)
    source = finding.row_id or finding.contact_id
    candidate = Candidate(
        id=stable_id("candidate", record.subject_id, finding.use, source, claimed_at.isoformat()),
        subject_id=record.subject_id,
        use=finding.use,
        reason=reason.code,
        claimed_at=claimed_at,
        evidence_ref=finding.evidence_ref,
        note_digest=finding.note_digest,
        claimed_by=finding.actor,
        source_record=source,
        expires_at=bench.at + QUARANTINE_LASTS,
    )
    bench.set_aside(candidate)
    yield candidate.id


def _link(bench: Bench, finding: Finding, reason: Reason) -> Iterator[str]:
    _ = reason
    bench.relink(finding.contact_id, ACTIVE)
    return iter(())


def _link_as_candidate(bench: Bench, finding: Finding, reason: Reason) -> Iterator[str]:
    _ = reason
    bench.relink(finding.contact_id, AMBIGUOUS)
    return iter(())


def _close_link(bench: Bench, finding: Finding, reason: Reason) -> Iterator[str]:
    _ = reason
    bench.relink(finding.contact_id, CLOSED_SOFT)
    return iter(())


def merge(bench: Bench, contact_id: ContactId) -> tuple[str, ...]:
    """Join the person of a Contact that was merged away with the person of the one that lives on."""
    winner_id = winner_of(bench, contact_id)
    # That two records are one person is a rep's opinion; that a candidate is that person is nobody's yet,
    # and to what is gone nothing need be permitted.
    proven = winner_id in bench.alive and not any(
        link is not None and link.state == AMBIGUOUS
        for link in map(bench.link_of, (contact_id, winner_id) if winner_id else (contact_id,))
    )
    bench.relink(contact_id, MERGED_INTO, merged_into=winner_id)
    loser = bench.record_of(contact_id)
    if winner_id is None or bench.owners[winner_id] == loser.subject_id:
        return ()
    told = []
    winner = bench.record_of(winner_id)
    seen = bench.cases[contact_id].seen
    assert seen is not None
    for event in join(
        loser,
        winner,
        contact_id=contact_id,
        proven=proven,
        merged_at=min(seen.modstamp, bench.at),
        policy=bench.policy,
        at=bench.at,
    ):
        bench.append(event)
        told.append(event.id)
    return tuple(told)


def _propagate_stop(bench: Bench, finding: Finding, reason: Reason) -> Iterator[str]:
    record = bench.record_of(finding.contact_id)
    for kind, use in _words(bench, record, finding):
        event = event_of(
            record,
            use,
            kind,
            reason=reason.code,
            happened_at=_happened_at(bench, finding),
            teller=replace(BRIDGE, record=finding.contact_id),
            policy=bench.policy,
            at=bench.at,
            own=False,
        )
        bench.append(event)
        yield event.id


def _end_grant_of_old_point(bench: Bench, finding: Finding, reason: Reason) -> Iterator[str]:
    """A grant for an address ends with it; one for an address that is still there somewhere does not."""
    record = bench.record_of(finding.contact_id)
    purpose = bench.policy.purposes.get(finding.use.purpose)
    permission = record.permissions[finding.use]
    scoped = purpose is not None and finding.use.channel in purpose.address_scoped
    kept = any(
        permission.point in (held.point.exact, held.point.hmac)
        for held in record.points
        if not held.retired
    )
    if scoped and not kept:
        yield from _tell(bench, finding, reason, EventKind.REVOKE, teller=BRIDGE)


def _expire(bench: Bench, finding: Finding, reason: Reason) -> Iterator[str]:
    record = bench.record_of(finding.contact_id)
    consent = record.permissions[finding.use].basis is LawfulBasis.CONSENT
    kind = EventKind.EXPIRE if consent else EventKind.END
    yield from _tell(bench, finding, reason, kind, teller=CLOCK)


def _hold(bench: Bench, finding: Finding, reason: Reason) -> Iterator[str]:
    """Suspend what is permitted until somebody has looked; where nothing is permitted nothing need be held."""
    record = bench.record_of(finding.contact_id)
    if class_of(record, finding.use, policy=bench.policy) not in _HELD_CLASSES:
        return
    clock = finding.situation is Situation.S27_EXPIRY_DUE
    teller = CLOCK if clock else _teller(finding)
    if finding.stamp is None:
        # What nobody dated is as old as what it is about, so that telling it twice is one telling.
        finding = replace(finding, stamp=record.permissions[finding.use].since)
    yield from _tell(bench, finding, reason, EventKind.HOLD, teller=teller)


def _tell(
    bench: Bench,
    finding: Finding,
    reason: Reason,
    kind: EventKind,
    *,
    use: Use | None = None,
    teller: Teller | None = None,
) -> Iterator[str]:
    record = bench.record_of(finding.contact_id)
    happened_at = _happened_at(bench, finding)
    event = event_of(
        record,
        use or finding.use,
        kind,
        reason=reason.code,
        happened_at=happened_at,
        teller=teller or _teller(finding),
        policy=bench.policy,
        at=bench.at,
    )
    bench.append(event)
    yield event.id


def _happened_at(bench: Bench, finding: Finding) -> datetime:
    # A stop counts from when it was seen to be there, and never from the future.
    return min(finding.stamp, bench.at) if finding.stamp is not None else bench.at


def _teller(finding: Finding) -> Teller:
    return Teller(
        actor=ActorKind.CRM_USER,
        trust=Trust.UNVERIFIED_RELAY,
        ref=finding.actor,
        record=finding.row_id or finding.contact_id,
        stamp=finding.stamp,
    )


_ACTS: Mapping[Act, Callable[[Bench, Finding, Reason], Iterator[str]]] = {
    Act.NOTHING: _nothing,
    Act.STOP: _stop,
    Act.STOP_CHANNEL: _stop,
    Act.CORROBORATE: _corroborate,
    Act.QUARANTINE: _quarantine,
    Act.LINK: _link,
    Act.LINK_AS_CANDIDATE: _link_as_candidate,
    Act.CLOSE_LINK: _close_link,
    Act.JOIN: _nothing,  # done before the class was taken, see `merge`
    Act.PROPAGATE_STOP: _propagate_stop,
    Act.REKEY: _nothing,
    Act.END_GRANT_OF_OLD_POINT: _end_grant_of_old_point,
    Act.EXPIRE: _expire,
    Act.HOLD: _hold,
    Act.HALT: _nothing,
}
