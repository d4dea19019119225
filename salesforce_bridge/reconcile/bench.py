"""The bench: one dossier while it is judged, so that every situation is judged after what came before it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from salesforce_bridge.permissions.events import PermissionEvent
from salesforce_bridge.permissions.fold import FoldedSubject, fold
from salesforce_bridge.permissions.keys import ContactId, OrgId, SubjectId
from salesforce_bridge.permissions.policy import Policy
from salesforce_bridge.reconcile.facts import (
    LIVE_LINKS,
    Candidate,
    Case,
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


@dataclass(slots=True, kw_only=True)
class Bench:
    """The people of one dossier as they stand so far, and all that has to be recorded about them."""

    org_id: OrgId
    policy: Policy
    at: datetime
    cases: Mapping[ContactId, Case]
    records: dict[SubjectId, SubjectRecord]
    owners: dict[ContactId, SubjectId] = field(default_factory=dict)
    met: set[SubjectId] = field(default_factory=set)  # people the ledger had not met before
    events: list[PermissionEvent] = field(default_factory=list)
    links: dict[ContactId, Link] = field(default_factory=dict)
    candidates: list[Candidate] = field(default_factory=list)
    joined: set[ContactId] = field(default_factory=set)

    def record_of(self, contact_id: ContactId) -> SubjectRecord:
        """Give the person a Contact belongs to."""
        return self.records[self.owners[contact_id]]

    def link_of(self, contact_id: ContactId) -> Link | None:
        """Give how a Contact is linked, counting what was decided so far."""
        return self.links.get(contact_id) or self.cases[contact_id].link

    def append(self, event: PermissionEvent) -> bool:
        """Fold a new event; say whether it was new to this dossier."""
        if any(each.id == event.id for each in self.events):
            return False
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
        return True

    def relink(
        self, contact_id: ContactId, state: str, *, merged_into: ContactId | None = None
    ) -> None:
        """Say how a Contact belongs to its person from now on."""
        link = Link(
            subject_id=self.owners[contact_id],
            org_id=self.org_id,
            contact_id=contact_id,
            state=state,
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
    bench = Bench(
        org_id=org_id,
        policy=policy,
        at=at,
        cases={case.contact_id: case for case in dossier.cases},
        records={record.subject_id: record for record in dossier.subjects},
    )
    # The gone come first: a Contact deleted and created again between two looks is the same person.
    for case in sorted(dossier.cases, key=lambda each: (not _is_gone(each), each.contact_id)):
        _meet(bench, case)
    for subject_id in sorted(bench.records):
        _note_addresses(bench, subject_id)
    return bench


def refold(
    bench: Bench, before: Iterable[SubjectRecord], events: tuple[PermissionEvent, ...]
) -> None:
    """Fold all new events afresh in the order in which the ledger will keep them."""
    bench.events = []
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
    """Name the people the ledger has to remember from now on; a stranger about whom nothing is known is not one."""
    needed = {event.subject_id for event in bench.events}
    needed |= {link.subject_id for link in bench.links.values()}
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


def _meet(bench: Bench, case: Case) -> None:
    at_home = {
        link.subject_id
        for record in bench.records.values()
        for link in record.links
        if link.state in LIVE_LINKS and not _is_gone(bench.cases.get(link.contact_id))
    } | {
        owner for contact_id, owner in bench.owners.items() if not _is_gone(bench.cases[contact_id])
    }
    subject_id = subject_for(case, bench.records, at_home=at_home, org_id=bench.org_id)
    bench.owners[case.contact_id] = subject_id
    if subject_id in bench.records:
        return
    bench.met.add(subject_id)
    country = case.seen.country if case.seen is not None else None
    bench.records[subject_id] = SubjectRecord(
        subject_id=subject_id,
        revision=0,
        jurisdiction=jurisdiction_of(country, bench.policy),
        subject_class=CONSUMER,
        permissions={},
        stops=(),
        conditions=(),
        points=tuple(
            HeldPoint(point=point, retired=False)
            for point in (case.seen.points if case.seen is not None else ())
        ),
        links=(),
        candidates=(),
    )


def _is_gone(case: Case | None) -> bool:
    return case is not None and (case.seen is None or case.seen.deleted)


def _note_addresses(bench: Bench, subject_id: SubjectId) -> None:
    """Register the points a person has now, and retire those no Contact of theirs carries any longer."""
    record = bench.records[subject_id]
    live = [
        case
        for case in bench.cases.values()
        if bench.owners[case.contact_id] == subject_id
        and case.seen is not None
        and not case.seen.deleted
    ]
    if not live:
        return
    now = {point for case in live if case.seen is not None for point in case.seen.points}
    # Somebody whose other Contacts are not on the bench may still use an address found nowhere here.
    complete = all(
        link.contact_id in bench.cases for link in record.links if link.state in LIVE_LINKS
    )
    held = {
        each.point: each.retired or (complete and each.point not in now) for each in record.points
    }
    held |= dict.fromkeys(now, False)
    points = tuple(HeldPoint(point=point, retired=held[point]) for point in sorted(held))
    countries = [case.seen.country for case in live if case.seen is not None and case.seen.country]
    places = {jurisdiction_of(country, bench.policy) for country in countries}
    jurisdiction = places.pop() if len(places) == 1 else UNKNOWN_JURISDICTION
    if points != record.points or jurisdiction != record.jurisdiction:
        bench.records[subject_id] = replace(record, points=points, jurisdiction=jurisdiction)
