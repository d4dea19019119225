"""The bench: one dossier while it is judged, so that every situation is judged after what came before it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import MappingProxyType

from salesforce_bridge.permissions.conditions import Condition
from salesforce_bridge.permissions.contact_points import ContactPoint
from salesforce_bridge.permissions.events import PermissionEvent
from salesforce_bridge.permissions.expiry import Clock, clock_of
from salesforce_bridge.permissions.fold import FoldedSubject, fold
from salesforce_bridge.permissions.keys import ContactId, OrgId, SubjectId, Use
from salesforce_bridge.permissions.policy import Policy
from salesforce_bridge.permissions.rights import RightsCase
from salesforce_bridge.permissions.suppressions import Suppression
from salesforce_bridge.reconcile.facts import (
    AMBIGUOUS,
    LIVE_LINKS,
    Candidate,
    Case,
    Link,
    SubjectRecord,
)
from salesforce_bridge.reconcile.intent import CLOSED_CIRCUIT, Circuit
from salesforce_bridge.reconcile.rows import RowsByUse

_NO_POLICIES: Mapping[str, Policy] = MappingProxyType({})


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
    # by digest: the bundles that people were judged under before
    earlier: Mapping[str, Policy] = field(default_factory=lambda: _NO_POLICIES)
    circuit: Circuit = CLOSED_CIRCUIT
    suppressions: tuple[Suppression, ...] = ()  # that match an address of a Contact in the dossier
    owners: dict[ContactId, SubjectId] = field(default_factory=dict)
    met: set[SubjectId] = field(default_factory=set)  # people the ledger had not met before
    # where the Contacts of a person say that they are now, where the ledger says something else
    places: dict[SubjectId, str] = field(default_factory=dict)
    # the addresses people have now, under keys that are being replaced
    older: dict[SubjectId, frozenset[ContactPoint]] = field(default_factory=dict)
    events: list[PermissionEvent] = field(default_factory=list)
    links: dict[ContactId, Link] = field(default_factory=dict)
    candidates: dict[str, Candidate] = field(default_factory=dict)  # new or changed
    conditions: list[Condition] = field(default_factory=list)
    rights: dict[str, RightsCase] = field(default_factory=dict)  # new or changed
    new_suppressions: list[Suppression] = field(default_factory=list)
    told: set[str] = field(default_factory=set)  # ids of the events
    # what Contacts that are no longer merged were told for that: ids of events
    parted: dict[ContactId, tuple[str, ...]] = field(default_factory=dict)
    # what the clock says of all that somebody has, with the record that it says so of
    clocks: dict[SubjectId, tuple[SubjectRecord, Mapping[Use, Clock]]] = field(default_factory=dict)

    def record_of(self, contact_id: ContactId) -> SubjectRecord:
        """Give the person a Contact belongs to."""
        return self.records[self.owners[contact_id]]

    def link_of(self, contact_id: ContactId) -> Link | None:
        """Give how a Contact is linked, counting what was decided so far."""
        return self.links.get(contact_id) or self.cases[contact_id].link

    def clocks_of(self, record: SubjectRecord) -> Mapping[Use, Clock]:
        """Say when each permission of a person is over or to be prompted for, worked out once a record."""
        known = self.clocks.get(record.subject_id)
        if known is not None and known[0] is record:
            return known[1]
        found = {
            use: clock_of(permission, person=record, policy=self.policy)
            for use, permission in record.permissions.items()
        }
        self.clocks[record.subject_id] = (record, found)
        return found

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
        self.candidates[candidate.id] = candidate
        self.records[candidate.subject_id] = replace(
            record, candidates=(*record.candidates, candidate)
        )

    def close_claim(self, candidate: Candidate, *, decision: str) -> None:
        """Close a claim: it is no longer shown as waiting."""
        closed = replace(candidate, open=False, decision=decision)
        self.candidates[closed.id] = closed
        record = self.records[closed.subject_id]
        self.records[closed.subject_id] = replace(
            record,
            candidates=tuple(
                closed if each.id == closed.id else each for each in record.candidates
            ),
        )

    def add_condition(self, condition: Condition) -> None:
        """Record a fact that a gate asks for."""
        record = self.records[condition.subject_id]
        if any(each.id == condition.id for each in record.conditions):
            return
        self.conditions.append(condition)
        self.records[condition.subject_id] = replace(
            record, conditions=(*record.conditions, condition)
        )

    def open_case(self, case: RightsCase) -> None:
        """Open a case in which somebody has to answer the person; one that is open is not opened again."""
        record = self.records[case.subject_id]
        if not any((each.kind, each.purpose) == (case.kind, case.purpose) for each in record.cases):
            self.rights[case.id] = case
            self.records[case.subject_id] = replace(record, cases=(*record.cases, case))

    def change_case(self, case: RightsCase) -> None:
        """Note something on a case that is open."""
        self.rights[case.id] = case
        record = self.records[case.subject_id]
        self.records[case.subject_id] = replace(
            record, cases=tuple(case if each.id == case.id else each for each in record.cases)
        )

    def suppress(self, suppression: Suppression) -> None:
        """Keep an address silent, or silent anew, whoever has it."""
        if suppression in self.new_suppressions:
            return
        self.new_suppressions.append(suppression)
        for subject_id, record in self.records.items():
            if any(point.hmac == suppression.hmac for point in self.points_of(subject_id)):
                known = (each for each in record.suppressions if not _renews(suppression, each))
                self.records[subject_id] = replace(record, suppressions=(*known, suppression))

    def points_of(self, subject_id: SubjectId) -> frozenset[ContactPoint]:
        """Give the contact points a person has now, under every key that is in use."""
        held = (each.point for each in self.records[subject_id].points if not each.retired)
        return frozenset(held) | self.older.get(subject_id, frozenset())


def is_linked(link: Link | None) -> bool:
    """Say whether a Contact is open to be written to on behalf of its person."""
    return link is not None and link.state in LIVE_LINKS


def is_gone(case: Case | None) -> bool:
    """Say whether a Contact is known to be deleted, merged or nowhere to be found."""
    return case is not None and (case.seen is None or case.seen.deleted)


def _renews(new: Suppression, old: Suppression) -> bool:
    return (new.hmac, new.scope, new.after_erasure) == (old.hmac, old.scope, old.after_erasure)
