"""The bench: one dossier while it is judged, so that every situation is judged after what came before it."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from salesforce_bridge.permissions.events import PermissionEvent
from salesforce_bridge.permissions.fold import FoldedSubject, fold
from salesforce_bridge.permissions.keys import ContactId, OrgId, SubjectId, Use
from salesforce_bridge.permissions.policy import Policy
from salesforce_bridge.reconcile.facts import (
    AMBIGUOUS,
    CLOSED_PURGED,
    CLOSED_SOFT,
    LIVE_LINKS,
    Candidate,
    Case,
    ContactSnapshot,
    Dossier,
    HeldPoint,
    Link,
    SubjectRecord,
)
from salesforce_bridge.reconcile.identity import (
    CONSUMER,
    UNKNOWN_JURISDICTION,
    jurisdiction_of,
    subject_for,
)
from salesforce_bridge.reconcile.intent import (
    JurisdictionChange,
    NewSubject,
    PointChange,
    PointMove,
)
from salesforce_bridge.reconcile.rows import RowsByUse, rows_at_home, uses_told_by_rows


@dataclass(slots=True, kw_only=True)
class Bench:
    """The people of one dossier as they stand so far, and all that has to be recorded about them."""

    org_id: OrgId
    policy: Policy
    at: datetime
    cases: Mapping[ContactId, Case]
    alive: frozenset[ContactId]  # Contacts that are there, and not in the recycle bin
    rows: Mapping[ContactId, RowsByUse]  # living, by the Contact they belong to
    about: Mapping[ContactId, frozenset[Use]]  # what the rows that hang on a Contact speak of
    records: dict[SubjectId, SubjectRecord]
    owners: dict[ContactId, SubjectId] = field(default_factory=dict)
    met: set[SubjectId] = field(default_factory=set)  # people the ledger had not met before
    events: list[PermissionEvent] = field(default_factory=list)
    links: dict[ContactId, Link] = field(default_factory=dict)
    candidates: list[Candidate] = field(default_factory=list)
    told: set[str] = field(default_factory=set)  # ids of the events

    def record_of(self, contact_id: ContactId) -> SubjectRecord:
        """Give the person a Contact belongs to."""
        return self.records[self.owners[contact_id]]

    def link_of(self, contact_id: ContactId) -> Link | None:
        """Give how a Contact is linked, counting what was decided so far."""
        return self.links.get(contact_id) or self.cases[contact_id].link

    def append(self, event: PermissionEvent) -> None:
        """Fold a new event; told again in this dossier it changes nothing."""
        if event.id in self.told:
            return
        self.told.add(event.id)
        record = self.records[event.subject_id]
        folded = fold(
            (event,),
            policy=self.policy,
            onto=FoldedSubject(
                permissions=record.permissions, stops=record.stops, hold=record.hold
            ),
        )
        self.events.append(event)
        self.records[event.subject_id] = replace(
            record, permissions=folded.permissions, stops=folded.stops, hold=folded.hold
        )

    def relink(
        self, contact_id: ContactId, state: str, *, merged_into: ContactId | None = None
    ) -> None:
        """Say how a Contact belongs to its person from now on.

        A candidate stays one whatever Salesforce shows: only somebody who has looked can confirm it.
        """
        known = self.link_of(contact_id)
        candidate = known is not None and known.state == AMBIGUOUS
        link = Link(
            subject_id=self.owners[contact_id],
            org_id=self.org_id,
            contact_id=contact_id,
            state=AMBIGUOUS if candidate else state,
            merged_into=merged_into,
        )
        if self.cases[contact_id].link != link:
            self.links[contact_id] = link

    def set_aside(self, candidate: Candidate) -> None:
        """Keep a claim that nobody has judged."""
        record = self.records[candidate.subject_id]
        if any(each.id == candidate.id for each in record.candidates):
            return
        self.candidates.append(candidate)
        self.records[candidate.subject_id] = replace(
            record, candidates=(*record.candidates, candidate)
        )


def lay_out(dossier: Dossier, *, org_id: OrgId, policy: Policy, at: datetime) -> Bench:
    """Put a dossier on the bench: say whose each Contact is, and note the addresses they have now."""
    cases = {case.contact_id: case for case in dossier.cases}
    alive = frozenset(case.contact_id for case in dossier.cases if not is_gone(case))
    bench = Bench(
        org_id=org_id,
        policy=policy,
        at=at,
        cases=cases,
        records={record.subject_id: record for record in dossier.subjects},
        alive=alive,
        rows=rows_at_home(dossier.cases, alive=alive, policy=policy),
        about=uses_told_by_rows(dossier.cases, policy=policy),
    )
    _meet_all(bench)
    _note_addresses(bench)
    return bench


def close_unlinked(bench: Bench) -> None:
    """Remember whose record it was, where something was told about somebody whose Contact is gone already."""
    spoken_of = {event.subject_id for event in bench.events}
    spoken_of |= {claim.subject_id for claim in bench.candidates}
    for contact_id, subject_id in bench.owners.items():
        if subject_id in spoken_of and bench.link_of(contact_id) is None:
            found = bench.cases[contact_id].seen is not None
            bench.relink(contact_id, CLOSED_SOFT if found else CLOSED_PURGED)


def refold(
    bench: Bench, before: Iterable[SubjectRecord], events: tuple[PermissionEvent, ...]
) -> None:
    """Fold all new events afresh in the order in which the ledger will keep them."""
    bench.events = []
    bench.told = set()
    for record in before:
        now = bench.records[record.subject_id]
        bench.records[record.subject_id] = replace(
            now, permissions=record.permissions, stops=record.stops, hold=record.hold
        )
    for subject_id in bench.met:
        now = bench.records[subject_id]
        bench.records[subject_id] = replace(now, permissions={}, stops=(), hold=None)
    for event in events:
        bench.append(event)


def moved_points(
    bench: Bench, before: Mapping[SubjectId, SubjectRecord]
) -> tuple[PointChange, ...]:
    """Name the contact points that people of this dossier gained or lost."""
    changes: list[PointChange] = []
    for subject_id, record in bench.records.items():
        known = before.get(subject_id)
        was = {held.point: held.retired for held in known.points} if known is not None else {}
        for held in record.points:
            if was.get(held.point) == held.retired:
                continue
            move = PointMove.RETIRE if held.retired else PointMove.REGISTER
            changes.append(PointChange(subject_id=subject_id, point=held.point, move=move))
    return tuple(changes)


def moved_jurisdictions(
    bench: Bench, before: Mapping[SubjectId, SubjectRecord]
) -> tuple[JurisdictionChange, ...]:
    """Name the people who are somewhere else now."""
    return tuple(
        JurisdictionChange(subject_id=subject_id, jurisdiction=record.jurisdiction)
        for subject_id, record in bench.records.items()
        if subject_id in before and before[subject_id].jurisdiction != record.jurisdiction
    )


def newly_met(bench: Bench) -> tuple[NewSubject, ...]:
    """Name the strangers whom the ledger has to remember: those about whom anything is known."""
    needed = {link.subject_id for link in bench.links.values()}
    return tuple(
        NewSubject(
            subject_id=subject_id,
            jurisdiction=bench.records[subject_id].jurisdiction,
            subject_class=bench.records[subject_id].subject_class,
        )
        for subject_id in sorted(bench.met & needed)
    )


def is_linked(link: Link | None) -> bool:
    """Say whether a Contact is open to be written to on behalf of its person."""
    return link is not None and link.state in LIVE_LINKS


def is_gone(case: Case | None) -> bool:
    """Say whether a Contact is known to be deleted, merged or nowhere to be found."""
    return case is not None and (case.seen is None or case.seen.deleted)


def _meet_all(bench: Bench) -> None:
    at_home = {
        link.subject_id
        for record in bench.records.values()
        for link in record.links
        if link.state in LIVE_LINKS and not is_gone(bench.cases.get(link.contact_id))
    }
    holders: dict[str, set[SubjectId]] = defaultdict(set)
    for record in bench.records.values():
        for held in record.points:
            holders[held.point.hmac].add(record.subject_id)
    # The gone come first: a Contact deleted and created again between two looks is the same person.
    for case in sorted(bench.cases.values(), key=lambda each: (not is_gone(each), each.contact_id)):
        subject_id = subject_for(case, holders, at_home=at_home, org_id=bench.org_id)
        bench.owners[case.contact_id] = subject_id
        if subject_id not in bench.records:
            bench.met.add(subject_id)
            bench.records[subject_id] = _stranger(subject_id, case, bench.policy)
        if not is_gone(case):
            at_home.add(subject_id)
        for point in case.seen.points if case.seen is not None else ():
            holders[point.hmac].add(subject_id)


def _stranger(subject_id: SubjectId, case: Case, policy: Policy) -> SubjectRecord:
    seen = case.seen
    return SubjectRecord(
        subject_id=subject_id,
        revision=0,
        jurisdiction=jurisdiction_of(seen.country if seen is not None else None, policy),
        subject_class=CONSUMER,
        permissions={},
        stops=(),
        conditions=(),
        points=tuple(
            HeldPoint(point=point, retired=False)
            for point in (seen.points if seen is not None else ())
        ),
        links=(),
        candidates=(),
    )


def _note_addresses(bench: Bench) -> None:
    """Register the points that people have now, and retire those no Contact of theirs carries any longer."""
    living: dict[SubjectId, list[ContactSnapshot]] = defaultdict(list)
    for case in bench.cases.values():
        if case.seen is not None and not case.seen.deleted:
            living[bench.owners[case.contact_id]].append(case.seen)
    for subject_id in sorted(living):
        seen, record = living[subject_id], bench.records[subject_id]
        points = _points_held(bench, record, seen)
        places = {jurisdiction_of(each.country, bench.policy) for each in seen if each.country}
        jurisdiction = places.pop() if len(places) == 1 else UNKNOWN_JURISDICTION
        if points != record.points or jurisdiction != record.jurisdiction:
            bench.records[subject_id] = replace(record, points=points, jurisdiction=jurisdiction)


def _points_held(
    bench: Bench, record: SubjectRecord, seen: list[ContactSnapshot]
) -> tuple[HeldPoint, ...]:
    now = {point for each in seen for point in each.points}
    # Somebody whose other Contacts are not on the bench may still use an address found nowhere here,
    # and a fingerprint made with another key cannot be looked for.
    complete = all(
        link.contact_id in bench.cases for link in record.links if link.state in LIVE_LINKS
    )
    versions = {point.key_version for point in now}
    held = {
        each.point: each.retired
        or (
            complete
            and each.point not in now
            and (not versions or each.point.key_version in versions)
        )
        for each in record.points
    }
    held |= dict.fromkeys(now, False)
    return tuple(HeldPoint(point=point, retired=held[point]) for point in sorted(held))
