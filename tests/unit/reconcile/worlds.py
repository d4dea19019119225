"""A small world for tests: an org and a ledger that believe what a plan tells them."""

from collections.abc import Iterable
from copy import copy
from dataclasses import dataclass, field, replace
from dataclasses import fields as fields_of
from datetime import UTC, datetime, timedelta
from typing import Any

from typing_extensions import override

from salesforce_bridge.permissions.bases import LawfulBasis
from salesforce_bridge.permissions.conditions import Condition, ConditionKind
from salesforce_bridge.permissions.contact_points import ContactPoint, PointType
from salesforce_bridge.permissions.events import ActorKind, EventKind, PermissionEvent
from salesforce_bridge.permissions.evidence import Grade, Trust
from salesforce_bridge.permissions.fold import FoldedSubject, fold
from salesforce_bridge.permissions.keys import (
    Channel,
    ContactId,
    OrgId,
    PurposeKey,
    RowId,
    SubjectId,
    Use,
)
from salesforce_bridge.permissions.policy import Policy
from salesforce_bridge.permissions.states import State
from salesforce_bridge.permissions.suppressions import Suppression, matching
from salesforce_bridge.reconcile.contact_edits import FLAG_FIELDS
from salesforce_bridge.reconcile.dossiers import Sight, assemble, orphans
from salesforce_bridge.reconcile.facts import (
    ACTIVE,
    ContactFields,
    ContactSnapshot,
    Dossier,
    HeldPoint,
    Individual,
    Link,
    RefusedWrite,
    RowFields,
    RowSnapshot,
    SubjectRecord,
)
from salesforce_bridge.reconcile.intent import (
    CLOSED_CIRCUIT,
    Circuit,
    Decision,
    Lane,
    Plan,
    PointMove,
    Target,
    Verb,
    Write,
)
from salesforce_bridge.reconcile.plan import make_plan
from tests.unit.permissions.examples import POLICY

ORG = OrgId("00D000000000001AAA")
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
BRIDGE_USER = "005000000000009AAA"
REP = "005000000000001AAA"


def a_use(purpose: str = "direct_marketing", channel: str = "EMAIL") -> Use:
    return Use(purpose=PurposeKey(purpose), channel=Channel(channel))


NEWS_BY_EMAIL = a_use()
NEWS_BY_CALL = a_use(channel="LIVE_CALL")
NEWS_BY_POST = a_use(channel="POST")
RESEARCH = a_use("product_research")
SERVICE = a_use("service_messages")
NOTICES = a_use("statutory_notices")
EVERYTHING = a_use("*", "*")
BASES = {
    "direct_marketing": LawfulBasis.CONSENT,
    "product_research": LawfulBasis.LEGITIMATE_INTEREST,
    "service_messages": LawfulBasis.CONTRACT,
    "statutory_notices": LawfulBasis.LEGAL_OBLIGATION,
}
# Of a purpose that some policies know, see `with_offers`.
OFFERS = a_use("autumn_offers")
_CONTACT_FIELDS = frozenset(each.name for each in fields_of(ContactFields))
_ROW_FIELDS = frozenset(each.name for each in fields_of(RowFields))


def contact_id(number: int) -> ContactId:
    return ContactId(f"003{number:012d}AAA")


def with_offers(policy: Policy, *, marketing: bool = True) -> Policy:
    """A policy with one purpose more, which people agree to like to news."""
    news, agreed = policy.purposes[NEWS_BY_EMAIL.purpose], policy.notices["consent-en-1"]
    offers = replace(news, key=OFFERS.purpose, direct_marketing=marketing)
    agreed = replace(agreed, purposes=(*agreed.purposes, offers.key))
    return replace(
        policy,
        purposes={**policy.purposes, offers.key: offers},
        notices={**policy.notices, agreed.id: agreed},
    )


def row_id(number: int) -> RowId:
    return RowId(f"a00{number:012d}AAA")


def an_individual(**rights: Any) -> Individual:
    """The Individual of a Contact, on which somebody has set these flags."""
    return Individual(individual_id="0PK000000000001AAA", **rights)


def subject_id(number: int) -> SubjectId:
    return SubjectId(f"subject-{number}")


def a_point(text: str, version: int = 1) -> ContactPoint:
    """A contact point whose fingerprint is a word a person can read."""
    kind = PointType.EMAIL if "@" in text else PointType.PHONE
    wide = f"{kind}-{text.lower()}-{version}"
    return ContactPoint(type=kind, hmac=wide, exact=f"{wide}-exact", key_version=version)


def a_contact(number: int = 1, **said: Any) -> ContactSnapshot:
    plain: dict[str, Any] = {
        "contact_id": contact_id(number),
        "modstamp": NOON - timedelta(hours=1),
        "deleted": False,
        "master_id": None,
        "points": (a_point(f"person{number}@example.org"), a_point(f"+4420{number:08d}")),
        "country": "United Kingdom",
        "opted_out_of_email": False,
        "opted_out_of_fax": False,
        "do_not_call": False,
        "fields": ContactFields(),
        "modified_by": REP,
    }
    return ContactSnapshot(**(plain | said))


def a_row(
    number: int = 1, *, of: int | None = 1, use: Use = NEWS_BY_EMAIL, **said: Any
) -> RowSnapshot:
    """A row as a rep makes it: a Contact, a use, and perhaps a request."""
    fields: dict[str, Any] = {
        "contact_id": None if of is None else contact_id(of),
        "purpose": use.purpose,
        "channel": use.channel,
    }
    fields |= {name: said.pop(name) for name in tuple(said) if name in _ROW_FIELDS}
    plain: dict[str, Any] = {
        "row_id": row_id(number),
        "modstamp": NOON - timedelta(hours=1),
        "deleted": False,
        "fields": RowFields(**fields),
        "request": None,
        "request_note": None,
        "request_evidence": None,
        "request_handled": None,
        "modified_by": REP,
    }
    return RowSnapshot(**(plain | said))


def a_record(number: int = 1, **said: Any) -> SubjectRecord:
    plain: dict[str, Any] = {
        "subject_id": subject_id(number),
        "revision": 0,
        "jurisdiction": "UK",
        "subject_class": "CONSUMER",
        "permissions": {},
        "stops": (),
        "conditions": (),
        "points": (),
        "links": (),
        "candidates": (),
    }
    return SubjectRecord(**(plain | said))


def an_event(
    whose: SubjectId, kind: EventKind, use: Use, at: datetime, **said: Any
) -> PermissionEvent:
    """An event told by the person, with the best proof."""
    plain: dict[str, Any] = {
        "id": f"{whose}-{kind}-{use.purpose}-{use.channel}-{at.isoformat()}-{sorted(said)}",
        "subject_id": whose,
        "controller": POLICY.controller,
        "use": use,
        "kind": kind,
        "basis": BASES.get(use.purpose, LawfulBasis.CONSENT),
        "happened_at": at,
        "actor": ActorKind.PERSON,
        "actor_ref": None,
        "trust": Trust.SUBJECT_DIRECT,
        "grade": Grade.A,
        "reason": f"TOLD_{kind}",
        "purpose_version": 1,
        "policy_version": POLICY.version,
        "marketing": use.purpose in {"direct_marketing", "*"},
        "notice_id": "consent-en-1",
    }
    return PermissionEvent(**(plain | said))


# What a basis rests on; every other condition stands in the way of something.
GROUNDS = (
    ConditionKind.CONTRACT,
    ConditionKind.OBLIGATION,
    ConditionKind.INCIDENT,
    ConditionKind.TASK,
    ConditionKind.ASSESSMENT,
    ConditionKind.OBJECTION_NOTICE,
)


def every_condition(whose: SubjectId) -> tuple[Condition, ...]:
    return tuple(
        Condition(
            id=f"{whose}-{kind}",
            subject_id=whose,
            kind=kind,
            ref="ref-1",
            valid_from=datetime(2026, 1, 1, tzinfo=UTC),
        )
        for kind in GROUNDS
    )


@dataclass(slots=True, kw_only=True, repr=False)
class World:
    """Both sides, and what the bridge remembers of the last agreement."""

    at: datetime = NOON
    policy: Policy = POLICY
    contacts: dict[ContactId, ContactSnapshot] = field(default_factory=dict)
    rows: dict[RowId, RowSnapshot] = field(default_factory=dict)
    contact_mirrors: dict[ContactId, ContactSnapshot] = field(default_factory=dict)
    row_mirrors: dict[RowId, RowSnapshot] = field(default_factory=dict)
    row_owners: dict[RowId, ContactId] = field(default_factory=dict)
    links: dict[ContactId, Link] = field(default_factory=dict)
    records: dict[SubjectId, SubjectRecord] = field(default_factory=dict)
    pending: tuple[Write, ...] = ()
    refused: dict[ContactId, tuple[RefusedWrite, ...]] = field(default_factory=dict)
    suppressions: tuple[Suppression, ...] = ()
    earlier: dict[str, Policy] = field(default_factory=dict)  # other bundles, by digest
    circuit: Circuit = CLOSED_CIRCUIT
    purged: frozenset[ContactId] = frozenset()
    told: list[str] = field(default_factory=list)  # ids of all events

    @override
    def __repr__(self) -> str:
        """Tell a counterexample in a few lines."""
        return "\n".join(
            (
                *(f"seen {_contact_in_words(each)}" for each in self.contacts.values()),
                *(f"mirror {_contact_in_words(each)}" for each in self.contact_mirrors.values()),
                *(f"seen {_row_in_words(each)}" for each in self.rows.values()),
                *(f"mirror {_row_in_words(each)}" for each in self.row_mirrors.values()),
                *(
                    f"{each.contact_id} {each.state} {each.subject_id}"
                    for each in self.links.values()
                ),
                *(_record_in_words(each) for each in self.records.values()),
                f"purged {sorted(self.purged)}",
            )
        )

    def _repr_pretty_(self, printer: Any, _cycle: bool) -> None:
        printer.text(repr(self))

    def copy(self) -> "World":
        parts: dict[str, Any] = {
            each.name: copy(getattr(self, each.name)) for each in fields_of(self)
        }
        return World(**parts)

    # ------------------------------------------------------------ what the bridge does

    def sight(self) -> Sight:
        return Sight(
            asked_for=frozenset(self.contacts) | self.purged,
            contacts=self.contacts,
            rows=self.rows,
            contact_mirrors=self.contact_mirrors,
            row_mirrors=self.row_mirrors,
            row_owners=self.row_owners,
            links=self.links,
            records=self.known(),
            pending=self.pending,
            refused=self.refused,
            suppressions=self.suppressions,
        )

    def known(self) -> dict[SubjectId, SubjectRecord]:
        """The people as the ledger gives them, with the suppressions of their addresses."""
        if not self.suppressions:
            return self.records
        return {
            whose: replace(
                record,
                suppressions=matching(self.suppressions, (held.point for held in record.points)),
            )
            for whose, record in self.records.items()
        }

    def dossiers(self) -> tuple[Dossier, ...]:
        return assemble(self.sight())

    def plan(self, *, revision: int = 7, salt: str = "1", at: datetime | None = None) -> Plan:
        return make_plan(
            self.dossiers(),
            orphans=orphans(self.sight()),
            org_id=ORG,
            policy=self.policy,
            at=at or self.at,
            revision=revision,
            salt=salt,
            earlier=self.earlier,
            circuit=self.circuit,
        )

    def cycle(self) -> Plan:
        """Plan, record, write, and remember; then a minute passes."""
        plan = self.plan()
        self.apply(plan)
        return plan

    def settle(self) -> None:
        """Let the bridge work until both sides agree."""
        for _ in range(3):
            if not self.cycle().writes:
                return
        raise AssertionError("both sides never agree")

    def apply(self, plan: Plan) -> None:
        self._record(plan)
        self.contact_mirrors |= {
            each.contact_id: replace(
                each, bridge_set=self._ours(each), campaigned=self._campaigned(each)
            )
            for each in self.contacts.values()
            if each.contact_id not in plan.parked
        }
        self.row_mirrors |= {key: row for key, row in self.rows.items() if key not in plan.parked}
        self.refused = {}
        for dossier in self.dossiers():
            for case in dossier.cases:
                self.row_owners |= {row.seen.row_id: case.contact_id for row in case.rows}
        self.pending = ()
        self.at += timedelta(minutes=1)
        for write in plan.writes:
            # While a mass change waits for a person, nothing is written but stops.
            if write.lane is Lane.STOP or not self.circuit.is_open:
                self._write(write)

    def adopt(self, policy: Policy) -> None:
        """Another bundle is put in force."""
        self.earlier[self.policy.digest] = self.policy
        self.policy = policy

    # ------------------------------------------------------------ what people do

    def meet(self, number: int = 1, **said: Any) -> ContactId:
        """A Contact that both sides know, of a person of the same number."""
        contact = a_contact(number, **said)
        self.contacts[contact.contact_id] = contact
        self.contact_mirrors[contact.contact_id] = contact
        self.link(number, subject=number)
        self.settle()
        return contact.contact_id

    def link(
        self,
        number: int,
        *,
        subject: int,
        state: str = ACTIVE,
        merged_into: ContactId | None = None,
    ) -> None:
        whose = subject_id(subject)
        link = Link(
            subject_id=whose,
            org_id=ORG,
            contact_id=contact_id(number),
            state=state,
            merged_into=merged_into,
        )
        self.links[link.contact_id] = link
        record = self.records.get(whose) or a_record(
            subject, conditions=every_condition(whose), policy_digest=self.policy.digest
        )
        contact = self.contacts.get(link.contact_id)
        points = {held.point: held for held in record.points}
        points |= {
            point: HeldPoint(point=point, retired=False)
            for point in (contact.points if contact is not None else ())
        }
        self.records[whose] = replace(
            record, links=(*record.links, link), points=tuple(points[key] for key in sorted(points))
        )

    def tell(
        self,
        kind: EventKind,
        use: Use = NEWS_BY_EMAIL,
        *,
        subject: int = 1,
        at: datetime | None = None,
        **said: Any,
    ) -> None:
        """Tell the ledger something past the CRM."""
        record = self.records[subject_id(subject)]
        if kind is EventKind.GRANT and "point" not in said:
            wanted = PointType.EMAIL if use.channel == "EMAIL" else PointType.PHONE
            said["point"] = next(
                (held.point.exact for held in record.points if held.point.type is wanted), None
            )
        moment = at or self.at - timedelta(days=1)
        self._fold([an_event(record.subject_id, kind, use, moment, **said)])

    def edit(self, contact: ContactId, **changes: Any) -> None:
        """Somebody edits a Contact."""
        known = self.contacts[contact]
        ours = {name: changes.pop(name) for name in tuple(changes) if name in _CONTACT_FIELDS}
        now: dict[str, Any] = {"modstamp": self.at - timedelta(seconds=10), "modified_by": REP}
        self.contacts[contact] = replace(
            known, **(now | changes), fields=replace(known.fields, **ours)
        )

    def edit_row(self, row: RowId, **changes: Any) -> None:
        """Somebody edits a row."""
        known = self.rows[row]
        ours = {name: changes.pop(name) for name in tuple(changes) if name in _ROW_FIELDS}
        now: dict[str, Any] = {"modstamp": self.at - timedelta(seconds=10), "modified_by": REP}
        self.rows[row] = replace(known, **(now | changes), fields=replace(known.fields, **ours))

    def add_row(self, **said: Any) -> RowId:
        """Somebody makes a row."""
        row = a_row(100 + len(self.rows), modstamp=self.at - timedelta(seconds=10), **said)
        self.rows[row.row_id] = row
        return row.row_id

    def row_of(self, contact: ContactId, use: Use = NEWS_BY_EMAIL) -> RowId:
        """The living row of a Contact for a use."""
        return next(
            row.row_id
            for row in self.rows.values()
            if not row.deleted
            and row.fields.contact_id == contact
            and (row.fields.purpose, row.fields.channel) == (use.purpose, use.channel)
        )

    def status_of(self, contact: ContactId, use: Use = NEWS_BY_EMAIL) -> str | None:
        """What Salesforce shows."""
        return self.rows[self.row_of(contact, use)].fields.consent_status

    def merge(self, loser: ContactId, winner: ContactId) -> None:
        """Somebody merges two Contacts: Salesforce moves the rows."""
        self.edit(loser, deleted=True, master_id=winner)
        self.edit(winner)
        for row in tuple(self.rows.values()):
            if row.fields.contact_id == loser:
                self.edit_row(row.row_id, contact_id=winner)

    def delete(self, contact: ContactId) -> None:
        """Somebody deletes a Contact: Salesforce detaches the rows."""
        self.edit(contact, deleted=True)
        for row in tuple(self.rows.values()):
            if row.fields.contact_id == contact:
                self.edit_row(row.row_id, contact_id=None)

    def purge(self, contact: ContactId) -> None:
        """The recycle bin is emptied."""
        del self.contacts[contact]
        self.purged |= {contact}

    # ------------------------------------------------------------ believing a plan

    def _record(self, plan: Plan) -> None:
        for met in plan.subjects:
            self.records[met.subject_id] = a_record(
                subject_id=met.subject_id,
                jurisdiction=met.jurisdiction,
                policy_digest=self.policy.digest,
            )
        for link in plan.links:
            self.links[link.contact_id] = link
            record = self.records[link.subject_id]
            kept = tuple(each for each in record.links if each.contact_id != link.contact_id)
            self.records[link.subject_id] = replace(record, links=(*kept, link))
        for change in plan.points:
            record = self.records[change.subject_id]
            points = {held.point: held for held in record.points}
            retired = change.move is PointMove.RETIRE
            points[change.point] = HeldPoint(point=change.point, retired=retired)
            self.records[change.subject_id] = replace(
                record, points=tuple(points[key] for key in sorted(points))
            )
        for moved in plan.jurisdictions:
            record = self.records[moved.subject_id]
            self.records[moved.subject_id] = replace(
                record,
                jurisdiction=moved.jurisdiction,
                former_jurisdiction=moved.former,
                moved_at=moved.moved_at,
            )
        for claim in plan.candidates:
            record = self.records[claim.subject_id]
            kept_claims = tuple(each for each in record.candidates if each.id != claim.id)
            self.records[claim.subject_id] = replace(record, candidates=(*kept_claims, claim))
        self._record_rights(plan)
        self._fold(plan.events)

    def _record_rights(self, plan: Plan) -> None:
        for condition in plan.conditions:
            record = self.records[condition.subject_id]
            self.records[record.subject_id] = replace(
                record, conditions=(*record.conditions, condition)
            )
        for case in plan.cases:
            record = self.records[case.subject_id]
            kept = tuple(each for each in record.cases if each.id != case.id)
            self.records[record.subject_id] = replace(record, cases=(*kept, case))
        for new in plan.suppressions:
            self.suppressions = (
                *(each for each in self.suppressions if _place(each) != _place(new)),
                new,
            )
        for subject in plan.judged_anew:
            self.records[subject] = replace(self.records[subject], policy_digest=self.policy.digest)
        for change in plan.due:
            record = self.records[change.subject_id]
            due = {use: at for use, at in record.due.items() if use != change.use}
            if change.at is not None:
                due[change.use] = change.at
            self.records[change.subject_id] = replace(record, due=due)
        if plan.opens_circuit is not None:
            self.circuit = replace(self.circuit, is_open=True)

    def _fold(self, events: Iterable[PermissionEvent]) -> None:
        for event in events:
            if event.id in self.told:
                continue
            self.told.append(event.id)
            record = self.records[event.subject_id]
            folded = fold((event,), policy=self.policy, onto=folded_of(record))
            self.records[event.subject_id] = replace(
                record, permissions=folded.permissions, stops=folded.stops, hold=folded.hold
            )

    def _ours(self, contact: ContactSnapshot) -> tuple[str, ...]:
        mirror = self.contact_mirrors.get(contact.contact_id)
        ours = mirror.bridge_set if mirror is not None else ()
        return tuple(name for name in FLAG_FIELDS if name in ours and getattr(contact, name))

    def _campaigned(self, contact: ContactSnapshot) -> str | None:
        mirror = self.contact_mirrors.get(contact.contact_id)
        return mirror.campaigned if mirror is not None else None

    def _write(self, write: Write) -> None:
        if write.target is Target.CAMPAIGN_MEMBER:
            mirror = self.contact_mirrors[write.contact_id]
            self.contact_mirrors[write.contact_id] = replace(mirror, campaigned=write.ledger_key)
            return
        if write.target is Target.CONTACT:
            assert write.record_id is not None
            contact = ContactId(write.record_id)
            raised = {name for name, value in write.fields.items() if value is True}
            lowered = {name for name, value in write.fields.items() if value is False}
            known = self.contact_mirrors.get(contact)
            if known is not None:
                ours = ({*known.bridge_set} | raised) - lowered
                kept = tuple(each for each in FLAG_FIELDS if each in ours)
                self.contact_mirrors[contact] = _contact_with(
                    replace(known, bridge_set=kept), write
                )
            self.contacts[contact] = replace(
                _contact_with(self.contacts[contact], write),
                modstamp=self.at - timedelta(seconds=20),
                modified_by=BRIDGE_USER,
            )
            return
        row = self._target_row(write)
        row = replace(_row_with(row, write), deleted=row.deleted or write.verb is Verb.DELETE)
        self.row_mirrors[row.row_id] = row
        self.row_owners[row.row_id] = write.contact_id
        self.rows[row.row_id] = replace(
            row, modstamp=self.at - timedelta(seconds=20), modified_by=BRIDGE_USER
        )

    def _target_row(self, write: Write) -> RowSnapshot:
        if write.record_id is not None:
            return self.rows[RowId(write.record_id)]
        keyed = [
            row
            for row in self.rows.values()
            if row.fields.ledger_key == write.ledger_key and not row.deleted
        ]
        if keyed:
            return keyed[0]
        return a_row(
            1 + len(self.rows), of=None, purpose=None, channel=None, ledger_key=write.ledger_key
        )


def _place(suppression: Suppression) -> tuple[str, str, bool]:
    return suppression.hmac, suppression.scope, suppression.after_erasure


def _contact_in_words(contact: ContactSnapshot) -> str:
    flags = [name for name in (*FLAG_FIELDS, "deleted") if getattr(contact, name)]
    return (
        f"{contact.contact_id} {contact.modstamp:%d %H:%M} {flags} {contact.country}"
        f" {[each.hmac for each in contact.points]} into {contact.master_id}"
        f" {contact.fields.consent_status} until {contact.fields.valid_until} {contact.fields.reason}"
        f" ours {contact.bridge_set}"
    )


def _row_in_words(row: RowSnapshot) -> str:
    fields = row.fields
    return (
        f"{row.row_id} {row.modstamp:%d %H:%M} of {fields.contact_id} {fields.purpose}"
        f" {fields.channel} key {fields.ledger_key} {fields.consent_status}"
        f" until {fields.effective_to} asks {row.request} {row.request_evidence}"
        f"{' deleted' if row.deleted else ''}"
    )


def _record_in_words(record: SubjectRecord) -> str:
    permissions = [
        f"{use.purpose} {use.channel} {each.state} since {each.since:%d %H:%M} held {each.held}"
        f" stopped {each.stopped_at} lifted {each.lifted_at} until {each.effective_to}"
        for use, each in record.permissions.items()
    ]
    stops = [
        f"{each.kind} {each.purpose} {each.channel} {each.since:%d %H:%M} own {each.own}"
        for each in record.stops
    ]
    points = [f"{held.point.hmac}{' retired' if held.retired else ''}" for held in record.points]
    return f"{record.subject_id} hold {record.hold} {permissions} {stops} {points}"


def folded_of(record: SubjectRecord) -> FoldedSubject:
    return FoldedSubject(permissions=record.permissions, stops=record.stops, hold=record.hold)


def decisions_on(plan: Plan, situation: str) -> tuple[Decision, ...]:
    """The decisions about a situation, named by its number."""
    return tuple(each for each in plan.decisions if each.situation.startswith(f"{situation}_"))


def reasons_by_use(plan: Plan, situation: str, contact: ContactId | None = None) -> dict[Use, str]:
    return {
        each.use: each.reason
        for each in decisions_on(plan, situation)
        if contact is None or each.contact_id == contact
    }


def kinds(plan: Plan) -> list[tuple[EventKind, str, str]]:
    return [(each.kind, each.use.purpose, each.use.channel) for each in plan.events]


def situations(plan: Plan) -> set[str]:
    return {each.situation[:3] for each in plan.decisions}


def state_of(world: World, use: Use, subject: int = 1) -> State | None:
    permission = world.records[subject_id(subject)].permissions.get(use)
    return None if permission is None else permission.state


def _contact_with(contact: ContactSnapshot, write: Write) -> ContactSnapshot:
    ours: dict[str, Any] = {
        name: value for name, value in write.fields.items() if name in _CONTACT_FIELDS
    }
    flags: dict[str, Any] = {
        name: value for name, value in write.fields.items() if name not in _CONTACT_FIELDS
    }
    return replace(contact, fields=replace(contact.fields, **ours), **flags)


def _row_with(row: RowSnapshot, write: Write) -> RowSnapshot:
    ours: dict[str, Any] = {
        name: value for name, value in write.fields.items() if name in _ROW_FIELDS
    }
    others: dict[str, Any] = {
        name: value for name, value in write.fields.items() if name not in _ROW_FIELDS
    }
    return replace(row, fields=replace(row.fields, **ours), **others)
