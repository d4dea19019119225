"""An org and its bridge, as the regression tests use them: people act on both sides, and both are asked."""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from csv import DictWriter
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import uuid4

from typing_extensions import override

from salesforce_bridge.cycle import CycleReport
from salesforce_bridge.ledger.cases import new_case
from salesforce_bridge.ledger.history import events_of
from salesforce_bridge.ledger.import_cells import Frame
from salesforce_bridge.ledger.imports import ImportKind, ImportReport, plan_import, run_import
from salesforce_bridge.ledger.store import Ledger
from salesforce_bridge.permissions.bundle import Category
from salesforce_bridge.permissions.events import PermissionEvent
from salesforce_bridge.permissions.gates import Answer, may_use
from salesforce_bridge.permissions.keys import Channel, ContactId, PurposeKey, Use
from salesforce_bridge.permissions.policy import Policy, parse_policy
from salesforce_bridge.permissions.rights import CaseKind, CaseState
from salesforce_bridge.reading import Memory
from tests.integration.cycle.living import EMAIL, POLICY_TEXT, ROW, Living, living
from tests.integration.salesforce.opened import gateway_to
from tests.support.ledgers import nonces, sqlite_ledger
from tests.support.orgs import RunningOrg
from tests.unit.salesforce.scripted import KEYS

MORNING = datetime(2026, 6, 1, 9, 0, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
RESEARCH = Use(purpose=PurposeKey("product_research"), channel=Channel("EMAIL"))
SERVICE = Use(purpose=PurposeKey("service_messages"), channel=Channel("EMAIL"))
STOP, OBJECTS, YES = "Asked us to stop", "Objects", "Gave permission"
PROVEN: dict[str, Any] = {
    "evidence_grade": "A",
    "evidence_ref": "form/17",
    "notice_id": "consent-en-1",
}
SIGNED: dict[str, Any] = {**PROVEN, "trust": "SUBJECT_DIRECT", "verified_by": "carl"}


def changed_policy(old: str, new: str) -> Policy:
    """The policy that ships, with one passage changed."""
    assert POLICY_TEXT.count(old) == 1, f"{old!r} is there {POLICY_TEXT.count(old)} times"
    return parse_policy(POLICY_TEXT.replace(old, new))


@dataclass(frozen=True, slots=True, kw_only=True)
class Bridge(Living):
    """What a regression test can do, and ask."""

    ledger_file: Path

    # ------------------------------------------------------------ time and rules

    @property
    def now(self) -> datetime:
        """The org's time."""
        return self.world.clock()

    def wait(self, span: timedelta) -> None:
        """Let time pass without a cycle."""
        self.org.simulator.org.clock.advance(span.total_seconds())

    def later(self, span: timedelta) -> None:
        """Let time pass, and the bridge run until the lights are true again: a sign of life comes one poll late."""
        self.wait(span)
        self.cycle()
        self.settle()

    @override
    def cycle(self, *, stops_only: bool = False, after: float = 60) -> CycleReport:
        """Run one cycle, a tick after whatever was before."""
        self.wait(timedelta(seconds=after))
        return Living.cycle(self, stops_only=stops_only, after=0)

    def under(self, policy: Policy) -> "Bridge":
        """The same bridge under other rules."""
        return replace(self, world=replace(self.world, policy=policy))

    # ------------------------------------------------------------ in Salesforce

    @override
    def meet(self, *, email: str | None = None, **fields: Any) -> str:
        """Let a rep type in somebody new, with a number of their own."""
        number = f"+44 20 7946 {uuid4().int % 10_000:04d}"
        return Living.meet(self, email=email, **{"Phone": number, **fields})

    def request(self, who: str, change: str, *, use: Use = EMAIL, **fields: Any) -> None:
        """What a rep types on a row that the Contact has, or makes for it."""
        fields["Requested_Change__c"] = change
        rows = self.director.query(
            f"SELECT Id FROM {ROW} WHERE Contact__c = '{who}'"
            f" AND Purpose__c = '{use.purpose}' AND Channel__c = '{use.channel}'"
        )
        if rows:
            self.director.rep.update(ROW, rows[0]["Id"], **fields)
        else:
            self.director.rep.create(
                ROW, Contact__c=who, Purpose__c=use.purpose, Channel__c=use.channel, **fields
            )

    def tick(self, who: str, **flags: bool) -> None:
        """A rep ticks or unticks opt-out boxes."""
        self.director.rep.update("Contact", who, **flags)

    def light(self, who: str, use: Use = EMAIL) -> str:
        """What senders go by."""
        return str(self.row(who, use)["May_Contact__c"])

    def claim(self, who: str) -> Mapping[str, Any]:
        """What came of the request on the row for news by e-mail."""
        return self.director.query(
            f"SELECT Requested_Change__c, Requested_Change_Handled__c FROM {ROW}"
            f" WHERE Contact__c = '{who}' AND Channel__c = 'EMAIL'"
        )[0]

    # ------------------------------------------------------------ in the ledger

    def imported(self, *lines: Mapping[str, Any], facts: bool = False) -> ImportReport:
        """Bring a file of permissions, or of conditions, into the ledger."""
        names = sorted({name for line in lines for name in line})
        file = StringIO()
        writer = DictWriter(file, names)
        writer.writeheader()
        writer.writerows(lines)
        frame = Frame(
            org_id=self.world.org_id, policy=self.world.policy, keys=KEYS, at=self.now, by="anna"
        )
        kind = ImportKind.CONDITIONS if facts else ImportKind.PERMISSIONS
        with self.ledger.begin() as tx:
            return run_import(tx, plan_import(tx, file.getvalue(), kind, frame))

    def line(
        self, event: str, *, use: Use = EMAIL, ago: timedelta = DAY, **more: Any
    ) -> dict[str, Any]:
        """A line of a file of permissions."""
        return {
            "event": event,
            "purpose": use.purpose,
            "channel": use.channel,
            "happened_at": (self.now - ago).strftime("%Y-%m-%dT%H:%M:%SZ"),
            **more,
        }

    def address(self, who: str) -> str:
        """The plain e-mail address, which only Salesforce knows."""
        return str(self.director.query(f"SELECT Email FROM Contact WHERE Id = '{who}'")[0]["Email"])

    def agreed(self, **fields: Any) -> str:
        """Somebody who says yes to news by e-mail; everybody can see it."""
        who = self.meet(**fields)
        self.cycle()
        self.imported(
            self.line("GRANT", ago=HOUR, contact_id=who, email=self.address(who), **SIGNED)
        )
        self.cycle()
        assert self.light(who) in {"OK", "Wait"}  # the heartbeat comes one poll later
        assert self.row(who)["Consent_Status__c"] == "Permitted"
        return who

    def history(self, who: str) -> tuple[PermissionEvent, ...]:
        """Everything that was ever said about somebody."""
        whose = self.person(who).subject_id
        with self.ledger.reading() as tx:
            return events_of(tx.connection, [whose]).get(whose, ())

    def kinds(self, who: str, use: Use = EMAIL) -> list[str]:
        """What was said about one use, in order."""
        return [each.kind.value for each in self.history(who) if each.use == use]

    def erase(self, who: str) -> None:
        """Two people carry out an erasure."""
        record, policy = self.person(who), self.world.policy
        case = new_case(
            record.subject_id,
            CaseKind.ERASURE,
            received_at=self.now,
            policy=policy,
            jurisdiction=record.jurisdiction,
        )
        with self.ledger.begin() as tx:
            tx.open_case(case, by="anna", at=self.now, policy=policy)
            done = replace(case, state=CaseState.DONE)
            tx.close_case(done, by="anna", approved_by="ben", at=self.now, policy=policy)

    def answer(self, who: str, use: Use = EMAIL, *, category: Category | None = None) -> Answer:
        """What the gates say about a Contact now."""
        with self.ledger.reading() as tx:
            org_id = self.world.org_id
            link = tx.links_of(org_id, {ContactId(who)})[ContactId(who)]
            mirror = tx.contact_mirrors(org_id, {ContactId(who)})[ContactId(who)]
        return may_use(
            self.person(who),
            use,
            policy=self.world.policy,
            at=self.now,
            category=category or self.world.policy.purposes[use.purpose].category,
            link_state=link.state,
            points=mirror.points,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """What every test begins with."""

    bridge: Bridge
    org: str  # the copy of an org without people
    ledger: Path  # the file of a ledger without people


@contextmanager
def template(org: RunningOrg, folder: Path) -> Iterator[Template]:
    """Sign in once, for all tests."""
    org.director.set_now(MORNING)
    clock = org.simulator.org.clock
    with living(
        org,
        sqlite_ledger(folder),
        law=parse_policy(POLICY_TEXT),
        gateway=gateway_to(org),
        clock=clock.now,
    ) as opened:
        opened.ledger.close()
        file = folder / "ledger.db"
        yield Template(
            bridge=Bridge(org=org, world=opened.world, ledger_file=file),
            org=org.director.snapshot(),
            ledger=file,
        )


@contextmanager
def begun(start: Template, folder: Path) -> Iterator[Bridge]:
    """A bridge that has not run yet, on an org without people, with a ledger of its own."""
    director = start.bridge.director
    director.clear_faults()
    director.clear_scripts()
    director.restore(start.org)
    file = folder / f"{uuid4().hex}.db"
    shutil.copyfile(start.ledger, file)
    ledger = Ledger(f"sqlite:///{file}", nonces=nonces)
    try:
        world = replace(start.bridge.world, ledger=ledger, memory=Memory(), aside=[])
        yield replace(start.bridge, world=world, ledger_file=file)
    finally:
        ledger.close()
