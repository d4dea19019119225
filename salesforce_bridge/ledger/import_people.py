"""Whom an import is about: people the ledger knows, and people it meets in the file."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from salesforce_bridge.ledger.heirs import heirs_of
from salesforce_bridge.ledger.import_cells import Frame, Whose
from salesforce_bridge.ledger.import_conditions import ConditionLine
from salesforce_bridge.ledger.import_lines import PermissionLine
from salesforce_bridge.ledger.store import Tx
from salesforce_bridge.permissions.contact_points import ContactPoint
from salesforce_bridge.permissions.keys import ContactId, SubjectId
from salesforce_bridge.reconcile.facts import ACTIVE, AMBIGUOUS, LIVE_LINKS, Link, SubjectRecord
from salesforce_bridge.reconcile.identity import (
    CONSUMER,
    UNKNOWN_JURISDICTION,
    new_subject_id,
    stable_id,
)
from salesforce_bridge.reconcile.intent import NewSubject, PointChange, PointMove


@dataclass(slots=True, kw_only=True)
class Crowd:
    """Everybody an import speaks of, and what the ledger has to learn about who they are."""

    frame: Frame
    records: dict[SubjectId, SubjectRecord] = field(default_factory=dict)
    by_contact: dict[ContactId, SubjectId] = field(default_factory=dict)
    by_point: dict[str, set[SubjectId]] = field(default_factory=dict)
    met: dict[SubjectId, NewSubject] = field(default_factory=dict)
    links: dict[ContactId, Link] = field(default_factory=dict)
    points: dict[tuple[SubjectId, str], PointChange] = field(default_factory=dict)
    # who took over from people that were merged away
    heirs: dict[SubjectId, tuple[SubjectId, ...]] = field(default_factory=dict)

    def who(self, whose: Whose) -> tuple[SubjectId, ...]:
        """Name the people a line is about; a Contact is one person, an address may be that of several."""
        if whose.contact_id is not None:
            return (self.by_contact[whose.contact_id],)
        for points in (whose.email, whose.phone):
            found = self._holders(points)
            if found:
                return found
        return (self.unnamed(whose),)

    def unnamed(self, whose: Whose) -> SubjectId:
        """Name somebody of whom nothing is known but an address."""
        return self._meet(_unnamed(whose), whose)

    def settle(self, whose: Whose) -> None:
        """Find or meet the person behind a Contact, before any line names that person by an address."""
        contact_id = whose.contact_id
        if contact_id is None:
            return
        known = self.by_contact.get(contact_id)
        if known is None:
            known = self._without_contact(whose) or self._meet(
                new_subject_id(contact_id, org_id=self.frame.org_id), whose
            )
            self.by_contact[contact_id] = known
            # Whoever had other Contacts before is known by more than an address: somebody has to confirm it.
            before = bool(self.records[known].links)
            self.links[contact_id] = Link(
                subject_id=known,
                org_id=self.frame.org_id,
                contact_id=contact_id,
                state=AMBIGUOUS if before else ACTIVE,
            )
        elif known in self.met:
            self._register(known, whose, PointMove.REGISTER)

    def remember(self, subject_id: SubjectId, whose: Whose) -> None:
        """Keep an address that a known person once had: a stop reaches whoever has it today."""
        if subject_id not in self.met:
            self._register(subject_id, whose, PointMove.RETIRE)

    def _without_contact(self, whose: Whose) -> SubjectId | None:
        """The one person with this e-mail address, if no Contact is known to be that person."""
        found = self._holders(whose.email)
        if len(found) != 1:
            return None
        links = self.records[found[0]].links
        taken = any(link.state in LIVE_LINKS for link in links) or any(
            link.subject_id == found[0] for link in self.links.values()
        )
        return None if taken else found[0]

    def _holders(self, points: Iterable[ContactPoint]) -> tuple[SubjectId, ...]:
        return tuple(sorted({one for point in points for one in self.by_point.get(point.hmac, ())}))

    def _meet(self, subject_id: SubjectId, whose: Whose) -> SubjectId:
        if subject_id not in self.records:
            person = NewSubject(
                subject_id=subject_id,
                jurisdiction=UNKNOWN_JURISDICTION,
                subject_class=CONSUMER,
            )
            self.met[subject_id] = person
            self.records[subject_id] = _stranger(person)
        self._register(subject_id, whose, PointMove.REGISTER)
        return subject_id

    def _register(self, subject_id: SubjectId, whose: Whose, move: PointMove) -> None:
        held = {held.point.hmac for held in self.records[subject_id].points}
        for point in whose.points:
            self.by_point.setdefault(point.hmac, set()).add(subject_id)
            if point.hmac not in held:
                self.points.setdefault(
                    (subject_id, point.exact),
                    PointChange(subject_id=subject_id, point=point, move=move),
                )


def gather(tx: Tx, lines: Iterable[PermissionLine | ConditionLine], frame: Frame) -> Crowd:
    """Look up everybody at once, then meet the rest in the order of the file."""
    everyone = [line.whose for line in lines]
    contacts = {whose.contact_id for whose in everyone if whose.contact_id is not None}
    hmacs = {point.hmac for whose in everyone for point in (*whose.email, *whose.phone)}
    links = tx.links_of(frame.org_id, contacts)
    holders = tx.holders(hmacs)
    known = {link.subject_id for link in links.values()}
    known.update(one for found in holders.values() for one in found)
    # A file imported before may have met people whom neither a Contact nor a number leads to.
    known.update(new_subject_id(one, org_id=frame.org_id) for one in contacts - links.keys())
    crowd = Crowd(
        frame=frame,
        records=dict(tx.subjects(known)),
        by_contact={contact_id: link.subject_id for contact_id, link in links.items()},
        by_point={hmac: set(found) for hmac, found in holders.items()},
    )
    for record in tuple(crowd.records.values()):
        heirs = {each.subject_id: each for each in heirs_of(tx, record)}
        if heirs:
            crowd.heirs[record.subject_id] = tuple(heirs)
            crowd.records |= heirs
    for whose in everyone:
        crowd.settle(whose)
    return crowd


def _unnamed(whose: Whose) -> SubjectId:
    """Name somebody known by an address alone, so that the same file names the same person again."""
    return SubjectId(stable_id("subject", "point", whose.points[0].hmac))


def _stranger(person: NewSubject) -> SubjectRecord:
    return SubjectRecord(
        subject_id=person.subject_id,
        revision=0,
        jurisdiction=person.jurisdiction,
        subject_class=person.subject_class,
        permissions={},
        stops=(),
        conditions=(),
        points=(),
        links=(),
        candidates=(),
    )
