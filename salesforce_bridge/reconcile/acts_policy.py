"""Acts for a new bundle, another place, and the clock: they end, mark and remind, and never permit."""

from collections.abc import Iterator
from dataclasses import replace

from salesforce_bridge.permissions.bases import OBJECTIONABLE, LawfulBasis
from salesforce_bridge.permissions.events import EventKind, PermissionEvent
from salesforce_bridge.permissions.expiry import rule_for
from salesforce_bridge.permissions.keys import ANY_PURPOSE, PurposeKey, SubjectId, Use
from salesforce_bridge.permissions.permission import Permission
from salesforce_bridge.permissions.states import ASKED, STOPPED, State
from salesforce_bridge.permissions.stops import Stop, reaches
from salesforce_bridge.reconcile.acts_words import POLICY, happened_at, tell, tell_by_policy
from salesforce_bridge.reconcile.bench import Bench
from salesforce_bridge.reconcile.classes import LedgerClass, class_of
from salesforce_bridge.reconcile.facts import SubjectRecord
from salesforce_bridge.reconcile.findings import Finding, Situation
from salesforce_bridge.reconcile.identity import UNKNOWN_JURISDICTION, stable_id
from salesforce_bridge.reconcile.joins import KIND_OF_STOP
from salesforce_bridge.reconcile.policy_changes import is_retired
from salesforce_bridge.reconcile.reasons import Reason
from salesforce_bridge.reconcile.telling import CLOCK, basis_of, event_of

_HELD_CLASSES = frozenset({LedgerClass.L2, LedgerClass.L3A, LedgerClass.L3B})


def expire(bench: Bench, finding: Finding, reason: Reason) -> Iterator[str]:
    """End what has run out."""
    permission = bench.record_of(finding.contact_id).permissions[finding.use]
    yield from tell(bench, finding, reason, _end_of(permission, EventKind.EXPIRE), teller=CLOCK)


def hold(bench: Bench, finding: Finding, reason: Reason) -> Iterator[str]:
    """Suspend what is permitted until somebody has looked; what is not permitted need not be held."""
    record = bench.record_of(finding.contact_id)
    found = class_of(record, finding.use, policy=bench.policy, at=bench.at)
    if found not in _HELD_CLASSES:
        return
    clock = finding.situation is Situation.S27_EXPIRY_DUE
    yield from tell(bench, finding, reason, EventKind.HOLD, teller=CLOCK if clock else None)


def prompt(bench: Bench, finding: Finding, reason: Reason) -> Iterator[str]:
    """Note that somebody was told of an end that is near, once for each boundary of each yes."""
    record, boundary = bench.record_of(finding.contact_id), happened_at(bench, finding)
    permission = record.permissions[finding.use]
    event = event_of(
        record,
        finding.use,
        EventKind.PROMPT,
        reason=reason.code,
        happened_at=boundary,
        teller=CLOCK,
        policy=bench.policy,
        at=bench.at,
    )
    # A yes to a text that was replaced already does not move its end, of which they are told once more.
    told = stable_id(event.id, permission.since.isoformat(), permission.revision)
    yield from _append(bench, replace(event, id=told, effective_from=boundary))


def revoke(bench: Bench, finding: Finding, reason: Reason) -> Iterator[str]:
    """End what a new bundle no longer provides for."""
    record = bench.record_of(finding.contact_id)
    kind = _end_of(record.permissions[finding.use], EventKind.REVOKE)
    event = tell_by_policy(bench, record, finding.use, kind, reason=reason.code)
    yield from _append(bench, event)


def close_request(bench: Bench, finding: Finding, reason: Reason) -> Iterator[str]:
    """Close a question about a purpose that is no longer pursued."""
    record = bench.record_of(finding.contact_id)
    permission = record.permissions.get(finding.use)
    if permission is not None and permission.state in ASKED:
        event = tell_by_policy(bench, record, finding.use, EventKind.EXPIRE, reason=reason.code)
        yield from _append(bench, event)


def carry_to_successor(bench: Bench, finding: Finding, reason: Reason) -> Iterator[str]:
    """Let a no to a retired purpose hold for the one that takes its place, on the same channel."""
    record = bench.record_of(finding.contact_id)
    for event in _carried(bench, record, finding.use, reason=reason.code):
        yield from _append(bench, event)


def carry_for_the_absent(bench: Bench, *, reason: str) -> None:
    """Carry the noes of those of whom only an address is known here: nobody else tells who comes to have it.

    Everything else is decided when they turn up, so they still count as judged under the earlier policy.
    """
    here = frozenset(bench.owners.values())
    absent = [each for name, each in bench.records.items() if name not in here and not each.erased]
    for record in absent:
        before = bench.earlier.get(record.policy_digest or "")
        for use in sorted({*record.permissions, *bench.policy.uses}) if before is not None else ():
            if before is not None and is_retired(use, before=before, policy=bench.policy):
                for event in _carried(bench, record, use, reason=reason):
                    if not _is_known(record, event):
                        bench.append(event)


def _is_known(record: SubjectRecord, event: PermissionEvent) -> bool:
    """Say whether a no was carried before, or something was said since."""
    known = record.permissions.get(event.use)
    said = () if known is None else (known.stopped_at, known.lifted_at)
    place = event.use
    wide = (each.since for each in record.stops if (each.purpose, each.channel) == place)
    return any(at is not None and at >= event.happened_at for at in (*said, *wide))


def link_notice(bench: Bench, finding: Finding, reason: Reason) -> Iterator[str]:
    """Note that there is a newer notice than the one somebody agreed to."""
    return _mark(bench, finding, reason, EventKind.NOTICED)


def reaffirm(bench: Bench, finding: Finding, reason: Reason) -> Iterator[str]:
    """Note that somebody has to say yes once more, and until when the old yes still counts."""
    return _mark(bench, finding, reason, EventKind.REAFFIRM)


def move(bench: Bench, subject_id: SubjectId) -> None:
    """Note where a person is now; the law they left counts as well, until proof meets the new one."""
    record, place = bench.records[subject_id], bench.places[subject_id]
    if place == record.jurisdiction:
        return  # noted already, or only learned
    stamps = [
        case.seen.modstamp
        for contact_id, case in bench.cases.items()
        if case.seen is not None and bench.owners[contact_id] == subject_id
    ]
    bench.records[subject_id] = replace(
        record,
        jurisdiction=place,
        former_jurisdiction=_former(record, place),
        moved_at=min(max(stamps), bench.at),
    )


_SAYING_NO = STOPPED | {State.CHALLENGED}


def _append(bench: Bench, event: PermissionEvent) -> Iterator[str]:
    bench.append(event)
    yield event.id


def _end_of(permission: Permission, of_consent: EventKind) -> EventKind:
    consent = permission.basis is LawfulBasis.CONSENT or permission.state in ASKED
    return of_consent if consent else EventKind.END


def _mark(bench: Bench, finding: Finding, reason: Reason, kind: EventKind) -> Iterator[str]:
    record, use = bench.record_of(finding.contact_id), finding.use
    if use not in record.permissions:
        return  # who never decided anything is shown the newest notice anyway
    event = tell_by_policy(
        bench, record, use, kind, reason=reason.code, about=finding.notice_id or ""
    )
    event = replace(event, notice_id=finding.notice_id)
    if kind is EventKind.REAFFIRM:
        rule = rule_for(bench.policy, use.purpose, record.jurisdiction)
        event = replace(event, effective_to=bench.at + rule.grace)
    yield from _append(bench, event)


def _carried(
    bench: Bench, record: SubjectRecord, use: Use, *, reason: str
) -> Iterator[PermissionEvent]:
    purpose = bench.policy.purposes.get(use.purpose)
    successor = purpose.successor if purpose is not None else None
    if successor is None:
        return
    permission = record.permissions.get(use)
    if permission is not None and permission.state in _SAYING_NO:
        yield from _narrow_stop(bench, record, permission, successor, reason=reason)
    for stop in record.stops:
        if stop.purpose != ANY_PURPOSE and reaches(stop, use):
            yield _wide_stop(bench, record, stop, successor, reason=reason)


def _narrow_stop(
    bench: Bench, record: SubjectRecord, said: Permission, successor: PurposeKey, *, reason: str
) -> Iterator[PermissionEvent]:
    use = Use(purpose=successor, channel=said.use.channel)
    purpose = bench.policy.purposes.get(successor)
    basis = basis_of(record, use, policy=bench.policy, at=bench.at)
    if basis is LawfulBasis.CONSENT:
        kind = EventKind.WITHDRAW
    elif purpose is not None and purpose.direct_marketing:
        kind = EventKind.OBJECT_MARKETING
    elif basis in OBJECTIONABLE:
        kind = EventKind.OBJECT_GROUNDS
    else:
        return  # a contract or a duty knows no such no
    yield event_of(
        record,
        use,
        kind,
        reason=reason,
        happened_at=said.stopped_at or said.since,
        teller=POLICY,
        policy=bench.policy,
        at=bench.at,
        own=said.own,
    )


def _wide_stop(
    bench: Bench, record: SubjectRecord, stop: Stop, successor: PurposeKey, *, reason: str
) -> PermissionEvent:
    return event_of(
        record,
        Use(purpose=successor, channel=stop.channel),
        KIND_OF_STOP[stop.kind],
        reason=reason,
        happened_at=stop.since,
        teller=POLICY,
        policy=bench.policy,
        at=bench.at,
        own=stop.own,
    )


def _former(record: SubjectRecord, place: str) -> str | None:
    """Say whose law counts beside that of the new place: of two places left behind, the strictest there is.

    Not to know where somebody is, or to hear of two places at once, is no place that they could have left.
    """
    left, before = record.jurisdiction, record.former_jurisdiction
    if left == UNKNOWN_JURISDICTION:
        return before if before != place else None
    if before is None or before in (left, place):
        return left
    return before if place == UNKNOWN_JURISDICTION else UNKNOWN_JURISDICTION
