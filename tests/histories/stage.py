"""The stage of one history: an org, a bridge that can be killed and started again, and who is on it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from salesforce_bridge.cycle import CycleReport, run_cycle
from salesforce_bridge.ledger.store import Ledger
from salesforce_bridge.permissions.keys import ContactId, SubjectId
from salesforce_bridge.permissions.policy import Policy
from salesforce_bridge.reading import Memory, World
from salesforce_bridge.reconcile.facts import Link, SubjectRecord
from salesforce_bridge.salesforce.opening import Endpoint, open_gateway
from salesforce_bridge.simulator.director import Director
from tests.histories.bundles import EVENTS, MARKETING, Bundle, policy_of, text_of
from tests.histories.oracle import FLAGS, Law, Oracle, Sighted
from tests.integration.salesforce.opened import QUICK, app_of
from tests.support.orgs import RunningOrg
from tests.unit.salesforce.scripted import KEYS

ROW = "Permission__c"
BEGINNING = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
PROOF_KEYS = {"DOI_TOKEN": b"d" * 32, "CALL_RECORDING": b"c" * 32}
WISHES = (
    "ShouldForget",
    "HasOptedOutProcessing",
    "HasOptedOutSolicit",
    "HasOptedOutProfiling",
    "SendIndividualData",
)
TICK = 60.0
PHONES = ("Phone", "MobilePhone")
_CONTACT = (
    "Id, IsDeleted, MasterRecordId, Email, Phone, MobilePhone, MailingCountry, Consent_Status__c,"
    " Contact_Permission__c, IndividualId, "
    + ", ".join((*FLAGS, *(f"Individual.{each}" for each in WISHES)))
)
_ROW = (
    "Id, IsDeleted, Contact__c, Purpose__c, Channel__c, Consent_Status__c, May_Contact__c,"
    " Ledger_Key__c, Requested_Change__c"
)


class Killed(BaseException):
    """The bridge was killed at this very moment."""


@dataclass(slots=True, kw_only=True)
class Fuse:
    """Kills the bridge when it looks at the clock for the n-th time."""

    looks: int | None = None

    def burn(self) -> None:
        """Count one look."""
        if self.looks is None:
            return
        self.looks -= 1
        if self.looks < 0:
            self.looks = None
            raise Killed


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What one row shows."""

    id: str
    deleted: bool
    contact_id: str | None
    purpose: str | None
    channel: str | None
    status: str | None
    may_contact: str
    key: str | None
    request: str | None

    @property
    def use(self) -> tuple[str, str]:
        """The purpose and the channel, as typed."""
        return self.purpose or "", self.channel or ""

    @property
    def owner(self) -> str | None:
        """The Contact it was made for, else the one it names."""
        return self.key.split(":")[0] if self.key else self.contact_id


@dataclass(slots=True, kw_only=True)
class Stage:
    """One world, and what the history has come to in it."""

    org: RunningOrg
    world: World
    fuse: Fuse
    bundle: Bundle
    oracle: Oracle = field(default_factory=Oracle)
    names: dict[str, str] = field(default_factory=dict)  # Contact id: A, B, C …
    individuals: list[str] = field(default_factory=list)
    pending: list[Any] = field(default_factory=list)  # noes that no cycle has met yet
    proofs: int = 0
    calm: bool = False  # the last look found nothing left to do, and nothing has happened since
    rules_off: bool = False
    codes: dict[str, int] = field(default_factory=dict)  # reasons met: how often
    sealed: int = 0  # entries of the audit that were looked at

    @property
    def director(self) -> Director:
        """Who makes people act in the org."""
        return self.org.director

    @property
    def ledger(self) -> Ledger:
        """The authoritative side."""
        return self.world.ledger

    @property
    def policy(self) -> Policy:
        """The one in force."""
        return self.world.policy

    @property
    def law(self) -> Law:
        """The policy, as far as the oracle has to know it."""
        uses = tuple((str(each.purpose), str(each.channel)) for each in self.policy.uses)
        return Law(marketing=MARKETING, uses=uses)

    def now(self) -> datetime:
        """The org's time."""
        return self.org.simulator.org.clock.now()

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.org.simulator.org.clock.advance(seconds)

    def cycle(self, *, after: float = TICK, paused: bool = False) -> CycleReport:
        """Run one cycle."""
        self.advance(after)
        deadline = self.now() + timedelta(hours=1)
        return run_cycle(self.world, stops_only=paused, deadline=deadline, go_on=self._goes_on)

    def restart(self) -> None:
        """Start a bridge that has nothing in mind but what is in its ledger."""
        self.fuse.looks = None
        self.world = replace(self.world, memory=Memory(), aside=[])

    @property
    def is_uncertain(self) -> bool:
        """Whether the ledger may know of a no that the oracle has not been told of: who takes something back
        now may mean that one."""
        return self.oracle.unsure and bool(self.pending)

    def use_bundle(self, bundle: Bundle) -> None:
        """Put another policy in force, as two people do."""
        bundle = replace(bundle, number=self.bundle.number + 1)
        policy, at = policy_of(bundle), self.now()
        with self.ledger.begin() as tx:
            tx.activate_policy(
                policy, text_of(bundle), by="dpo", approved_by="counsel", note="changed", at=at
            )
        if bundle.events_retired and not self.bundle.events_retired:
            self.oracle.gives_up(EVENTS)
        self.bundle = bundle
        self.world = replace(self.world, policy=policy)

    def contacts(self) -> dict[str, Sighted]:
        """All Contacts as the org has them, deleted ones too."""
        rows = self.director.query(f"SELECT {_CONTACT} FROM Contact", all_rows=True)
        return {each["Id"]: _sighted(each) for each in rows}

    def leads(self) -> dict[str, str]:
        """Which Contact each Lead is now."""
        rows = self.director.query("SELECT Id, ConvertedContactId FROM Lead")
        return {each["Id"]: each["ConvertedContactId"] for each in rows}

    def shown_on_contacts(self) -> dict[str, tuple[str | None, str]]:
        """What living Contacts show: their status and their light."""
        rows = self.director.query(f"SELECT {_CONTACT} FROM Contact")
        return {
            each["Id"]: (each["Consent_Status__c"], each["Contact_Permission__c"]) for each in rows
        }

    def rows(self, *, all_rows: bool = False) -> tuple[Shown, ...]:
        """The permission rows, in the order of their ids."""
        found = self.director.query(f"SELECT {_ROW} FROM {ROW} ORDER BY Id", all_rows=all_rows)
        return tuple(_shown(each) for each in found)

    def name(self, contact_id: str | None) -> str:
        """What a Contact is called in the words of the history."""
        if contact_id is None:
            return "nobody"
        return self.names.setdefault(contact_id, _letters(len(self.names)))

    def link(self, contact_id: str) -> Link | None:
        """Who a Contact is, to the ledger."""
        with self.ledger.reading() as tx:
            return tx.links_of(self.world.org_id, {ContactId(contact_id)}).get(
                ContactId(contact_id)
            )

    def record(self, subject_id: SubjectId) -> SubjectRecord:
        """What the ledger holds about somebody."""
        with self.ledger.reading() as tx:
            return tx.subjects({subject_id})[subject_id]

    def records(self) -> Mapping[str, SubjectRecord]:
        """What the ledger holds, by Contact."""
        with self.ledger.reading() as tx:
            links = tx.links_of(self.world.org_id, {ContactId(each) for each in self.names})
            people = tx.subjects({link.subject_id for link in links.values()})
        return {str(each): people[link.subject_id] for each, link in links.items()}

    def contacts_of(self, record: SubjectRecord) -> set[str]:
        """All Contacts that ever were this person, merged ones excepted: they are people of their own."""
        return {str(link.contact_id) for link in record.links}

    def revision(self) -> int:
        """How many events the ledger holds."""
        with self.ledger.reading() as tx:
            return tx.head().revision

    def _goes_on(self) -> bool:
        self.fuse.burn()
        return True


@contextmanager
def staged(org: RunningOrg, first_moment: str, ledger: Ledger) -> Iterator[Stage]:
    """Set the stage anew: an org without people, an empty ledger, a bridge that never ran."""
    director = org.director
    director.clear_faults()
    director.clear_scripts()
    director.expire_sessions()
    director.restore(first_moment)
    director.set_now(BEGINNING)
    fuse = Fuse()
    clock = org.simulator.org.clock

    def now() -> datetime:
        fuse.burn()
        return clock.now()

    gateway = open_gateway(
        endpoint=Endpoint(
            login_url=org.org_url,
            ca_file=org.ca_path,
            read_timeout=timedelta(seconds=30),
            retries=QUICK,
        ),
        credentials=app_of(org),
        keys=KEYS,
        default_country="GB",
        org_id=None,
        now=clock.now,
        proof_keys=PROOF_KEYS,
    )
    with gateway as opened:
        bundle = Bundle()
        policy = policy_of(bundle)
        with ledger.begin() as tx:
            tx.activate_policy(
                policy, text_of(bundle), by="dpo", approved_by=None, note=None, at=clock.now()
            )
        world = World(
            gateway=opened,
            ledger=ledger,
            policy=policy,
            org_id=opened.identity().org_id,
            clock=now,
            software="histories",
            heartbeat_key="main",
            overlap=timedelta(minutes=10),
            max_staleness=timedelta(minutes=30),
            unwritten_limit=timedelta(minutes=15),
            chunk=2_000,
        )
        yield Stage(org=org, world=world, fuse=fuse, bundle=bundle)


def _sighted(record: Mapping[str, Any]) -> Sighted:
    individual = record.get("Individual") or {}
    return Sighted(
        id=record["Id"],
        deleted=record["IsDeleted"],
        master=record["MasterRecordId"],
        email=record["Email"],
        phones=tuple(record[each] for each in PHONES if record[each]),
        flags=frozenset(each for each in FLAGS if record[each]),
        individual=record["IndividualId"],
        wishes=frozenset(each for each in WISHES if individual.get(each)),
    )


def _shown(record: Mapping[str, Any]) -> Shown:
    return Shown(
        id=record["Id"],
        deleted=record["IsDeleted"],
        contact_id=record["Contact__c"],
        purpose=record["Purpose__c"],
        channel=record["Channel__c"],
        status=record["Consent_Status__c"],
        may_contact=record["May_Contact__c"],
        key=record["Ledger_Key__c"],
        request=record["Requested_Change__c"],
    )


def _letters(number: int) -> str:
    return chr(ord("A") + number) if number < 26 else f"Z{number}"
