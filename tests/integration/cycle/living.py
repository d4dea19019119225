"""An org and its bridge, living together: what the tests of cycles do to them and ask of them."""

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from salesforce_bridge.cycle import CycleReport, Foresight, foresee, run_cycle
from salesforce_bridge.ledger import views
from salesforce_bridge.ledger.erasing import erase
from salesforce_bridge.ledger.store import Deed, Ledger
from salesforce_bridge.permissions.bases import LawfulBasis
from salesforce_bridge.permissions.contact_points import PointType
from salesforce_bridge.permissions.events import ActorKind, EventKind, PermissionEvent
from salesforce_bridge.permissions.evidence import Grade, Trust
from salesforce_bridge.permissions.keys import Channel, ContactId, PurposeKey, Use
from salesforce_bridge.permissions.policy import Policy, parse_policy
from salesforce_bridge.permissions.rights import CaseKind
from salesforce_bridge.reading import Memory, World
from salesforce_bridge.reconcile.classes import LedgerClass, class_of
from salesforce_bridge.reconcile.facts import ContactSnapshot, SubjectRecord
from salesforce_bridge.salesforce.gateway import Gateway
from salesforce_bridge.simulator.director import Director
from tests.integration.salesforce.opened import gateway_to
from tests.support.orgs import ROOT, RunningOrg

NEWS = PurposeKey("direct_marketing")
EMAIL = Use(purpose=NEWS, channel=Channel("EMAIL"))
CALLS = Use(purpose=NEWS, channel=Channel("LIVE_CALL"))
POST = Use(purpose=NEWS, channel=Channel("POST"))
POLICY_TEXT = (ROOT / "config" / "policy.toml").read_text("utf-8")
TICK = 60  # seconds
ROW = "Permission__c"
ROW_FIELDS = (
    "Id, Contact__c, Purpose__c, Channel__c, Consent_Status__c, May_Contact__c, Ledger_Key__c,"
    " Requested_Change__c, Requested_Change_Handled__c, Reason_Code__c, Ledger_Revision__c"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Living:
    """Both sides of one bridge."""

    org: RunningOrg
    world: World

    @property
    def director(self) -> Director:
        """Who makes people act in the org."""
        return self.org.director

    @property
    def ledger(self) -> Ledger:
        """The authoritative side."""
        return self.world.ledger

    def cycle(self, *, stops_only: bool = False, after: float = TICK) -> CycleReport:
        """Run one cycle, a tick after whatever was before."""
        self.director.advance(after)
        deadline = self.world.clock() + timedelta(hours=1)
        return run_cycle(self.world, stops_only=stops_only, deadline=deadline, go_on=lambda: True)

    def settle(self) -> CycleReport:
        """Run cycles until one has nothing to say; the last of them."""
        for _ in range(6):
            report = self.cycle()
            if not report.writes and report.clean and not report.read:
                return report
        raise AssertionError("the bridge does not come to rest")

    def meet(self, *, email: str | None = None, **fields: Any) -> str:
        """Let a rep type in somebody new."""
        name = uuid4().hex[:8]
        return self.director.rep.create(
            "Contact",
            LastName=f"Person {name}",
            Email=email or f"{name}@example.org",
            **{"Phone": "+44 20 7946 0018", "MailingCountry": "United Kingdom", **fields},
        )

    def permitted(self) -> str:
        """Let somebody say yes to e-mail, as everybody can then see."""
        contact_id = self.meet()
        self.settle()
        self.tell(contact_id, EventKind.GRANT)
        self.settle()
        assert self.row(contact_id)["May_Contact__c"] == "OK"
        return contact_id

    def privacy_record(self, contact_id: str, **flags: bool) -> str:
        """Give a Contact an Individual."""
        individual = self.director.admin.create("Individual", LastName="Somebody", **flags)
        self.director.admin.update("Contact", contact_id, IndividualId=individual)
        return individual

    def cases(self, contact_id: str) -> list[CaseKind]:
        """What rights of a person are open."""
        return sorted(each.kind for each in self.person(contact_id).cases)

    def row(self, contact_id: str, use: Use = EMAIL) -> Mapping[str, Any]:
        """The one row of a Contact for a use, as the org shows it."""
        rows = self.director.query(
            f"SELECT {ROW_FIELDS} FROM {ROW} WHERE Contact__c = '{contact_id}'"
            f" AND Purpose__c = '{use.purpose}' AND Channel__c = '{use.channel}'"
        )
        assert len(rows) == 1, f"{len(rows)} rows of {contact_id} for {use}"
        return rows[0]

    def contact(self, contact_id: str) -> Mapping[str, Any]:
        """A Contact as the org shows it."""
        return self.director.query(
            "SELECT Id, Consent_Status__c, Permission_Summary__c, Contact_Permission__c,"
            " HasOptedOutOfEmail, HasOptedOutOfFax, DoNotCall, SystemModstamp"
            f" FROM Contact WHERE Id = '{contact_id}'"
        )[0]

    def person(self, contact_id: str) -> SubjectRecord:
        """What the ledger holds about whom a Contact belongs to."""
        with self.ledger.reading() as tx:
            link = tx.links_of(self.world.org_id, {ContactId(contact_id)})[ContactId(contact_id)]
            return tx.subjects({link.subject_id})[link.subject_id]

    def knows(self, contact_id: str) -> bool:
        """Whether a Contact was met."""
        with self.ledger.reading() as tx:
            return bool(tx.links_of(self.world.org_id, {ContactId(contact_id)}))

    def seen(self, contact_id: str) -> ContactSnapshot:
        """A Contact as it was last read, with the fingerprints of its addresses."""
        with self.ledger.reading() as tx:
            return tx.contact_mirrors(self.world.org_id, {ContactId(contact_id)})[
                ContactId(contact_id)
            ]

    def is_silent(self, contact_id: str, use: Use = EMAIL) -> bool:
        """Whether nothing may be sent, because of whoever was erased and had such an address."""
        found = class_of(
            self.person(contact_id), use, policy=self.world.policy, at=self.world.clock()
        )
        return found is LedgerClass.L7

    def is_stopped(self, contact_id: str, use: Use = EMAIL) -> bool:
        """Whether the ledger holds a stop of the person for a use."""
        found = class_of(
            self.person(contact_id), use, policy=self.world.policy, at=self.world.clock()
        )
        return found is LedgerClass.L4

    def tell(
        self,
        contact_id: str,
        kind: EventKind,
        *,
        use: Use = EMAIL,
        happened_at: datetime | None = None,
        actor: ActorKind = ActorKind.PERSON,
        **changes: Any,
    ) -> None:
        """Record what a person said somewhere else, as an import does."""
        event = self.word(
            self.person(contact_id), kind, use=use, happened_at=happened_at, actor=actor, **changes
        )
        self._import((event,))

    def tell_all(self, contact_ids: Sequence[str], kind: EventKind) -> None:
        """Record what many people said, in one go."""
        with self.ledger.reading() as tx:
            links = tx.links_of(self.world.org_id, set(map(ContactId, contact_ids)))
            people = tx.subjects({link.subject_id for link in links.values()})
        self._import([self.word(each, kind) for each in people.values()])

    def word(
        self,
        record: SubjectRecord,
        kind: EventKind,
        *,
        use: Use = EMAIL,
        happened_at: datetime | None = None,
        actor: ActorKind = ActorKind.PERSON,
        **changes: Any,
    ) -> PermissionEvent:
        """What a person said, as an event."""
        at = self.world.clock()
        kinds = {"EMAIL": PointType.EMAIL, "LIVE_CALL": PointType.PHONE}
        point = next(
            (
                held.point.exact
                for held in record.points
                if held.point.type is kinds.get(use.channel) and not held.retired
            ),
            None,
        )
        parts: dict[str, Any] = {
            "id": str(uuid4()),
            "subject_id": record.subject_id,
            "controller": self.world.policy.controller,
            "use": use,
            "kind": kind,
            "basis": LawfulBasis.CONSENT,
            "happened_at": happened_at or at - timedelta(minutes=5),
            "actor": actor,
            "actor_ref": None,
            "trust": Trust.SUBJECT_DIRECT,
            "grade": Grade.A,
            "reason": f"TOLD_{kind.value}",
            "purpose_version": 1,
            "policy_version": self.world.policy.version,
            "marketing": True,
            "notice_id": "consent-en-1",
            "point": point,
            "evidence_ref": "portal-1",
            **changes,
        }
        return PermissionEvent(**parts)

    def _import(self, events: Sequence[PermissionEvent]) -> None:
        deed = Deed(verb="IMPORT", by="tests", reason="TOLD")
        with self.ledger.begin() as tx:
            tx.append_deed(
                deed, at=self.world.clock(), policy=self.world.policy, events=tuple(events)
            )

    def audit_is_intact(self) -> bool:
        """Whether the whole chain holds, and holds everything that its manifests name."""
        with self.ledger.reading() as tx:
            return views.verify(tx).intact

    def differences(self) -> list[object]:
        """Read the whole org afresh, judge everybody, and give what there would be to record or to write.

        A stop that can still be read on what is deleted is told again each time; that changes nothing.
        """
        other = replace(self.world.policy, digest="0" * 64)  # what makes a bridge read everything
        plans = foresee(replace(self.world, policy=other)).plans
        news = [
            each for plan in plans for each in plan.events if each.kind is not EventKind.CORROBORATE
        ]
        return [*news, *(each for plan in plans for each in (*plan.links, *plan.writes))]

    def foreseen(self) -> Foresight:
        """What the next cycle would do."""
        return foresee(self.world)

    def calls_of(self, **options: Any) -> int:
        """How many API calls one cycle costs, counted by the org."""
        self.director.reset_calls()
        self.cycle(**options)
        return self.director.call_count()


def erased(bridge: Living, contact_id: str) -> None:
    """Erase the person of a Contact; a Contact that is still there is still remembered."""
    if not bridge.knows(contact_id):
        bridge.settle()
    with bridge.ledger.begin() as tx:
        erase(
            tx,
            bridge.person(contact_id).subject_id,
            by="anna",
            approved_by="ben",
            at=bridge.world.clock() - timedelta(seconds=1),
            policy=bridge.world.policy,
        )


def policy(**changes: str) -> Policy:
    """The policy that ships, with some of its lines replaced."""
    text = POLICY_TEXT
    for name, value in changes.items():
        line = next(each for each in text.splitlines() if each.startswith(f"{name} "))
        text = text.replace(line, f"{name} = {value}")
    return parse_policy(text)


@contextmanager
def living(
    org: RunningOrg,
    ledger: Ledger,
    *,
    law: Policy | None = None,
    chunk: int = 2_000,
    gateway: Gateway | None = None,
    **changes: Any,
) -> Iterator[Living]:
    """Open a bridge on an org and a ledger."""
    with gateway or gateway_to(org) as opened:
        parts: dict[str, Any] = {
            "gateway": opened,
            "ledger": ledger,
            "policy": law or policy(),
            "org_id": opened.identity().org_id,
            "clock": org.director.now,
            "memory": Memory(),
            "software": "tests",
            "heartbeat_key": "main",
            "overlap": timedelta(minutes=10),
            "max_staleness": timedelta(minutes=30),
            "unwritten_limit": timedelta(minutes=15),
            "chunk": chunk,
            **changes,
        }
        yield Living(org=org, world=World(**parts))


def nonces() -> bytes:
    """32 random bytes."""
    return os.urandom(32)


@contextmanager
def copied_ledger(template: Path, folder: Path) -> Iterator[Ledger]:
    """A new ledger in a file, as quickly as a file is copied."""
    path = folder / f"{uuid4().hex}.db"
    shutil.copyfile(template, path)
    opened = Ledger(f"sqlite:///{path}", nonces=nonces)
    try:
        yield opened
    finally:
        opened.close()
