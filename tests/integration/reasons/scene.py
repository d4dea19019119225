"""The scene of a scenario: an org, its bridge, and a cast of people of whom every kind of thing is known."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import mkdtemp
from typing import Any
from uuid import uuid4

from salesforce_bridge.ledger.cases import new_case
from salesforce_bridge.ledger.corrections import correct_stops
from salesforce_bridge.ledger.history import events_of
from salesforce_bridge.ledger.records import Verb, Word, record_event
from salesforce_bridge.ledger.store import Deed
from salesforce_bridge.permissions.bundle import Category
from salesforce_bridge.permissions.conditions import Condition, ConditionKind
from salesforce_bridge.permissions.contact_points import ContactPoint, PointType
from salesforce_bridge.permissions.events import STOPS, EventKind
from salesforce_bridge.permissions.gates import Answer, may_use
from salesforce_bridge.permissions.keys import ContactId, PurposeKey, SubjectId, Use
from salesforce_bridge.permissions.permission import Permission
from salesforce_bridge.permissions.proofs import Token, issue
from salesforce_bridge.permissions.rights import CaseKind, CaseState, RightsCase
from salesforce_bridge.permissions.suppressions import Suppression
from salesforce_bridge.reading import Memory
from salesforce_bridge.reconcile.classes import LedgerClass, class_of
from salesforce_bridge.reconcile.facts import Link, SubjectRecord
from tests.integration.cycle.living import ROW, Living
from tests.integration.reasons.law import (
    NEWS,
    policy_of,
)
from tests.support.ledgers import sqlite_ledger

MORNING = datetime(2026, 6, 1, 9, 0, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
PROOF_KEYS = {"DOI_TOKEN": b"d" * 32}
STOP, OBJECTS, GRANT = "Asked us to stop", "Objects", "Gave permission"
EMAIL_FLAG, CALL_FLAG, FAX_FLAG = "HasOptedOutOfEmail", "DoNotCall", "HasOptedOutOfFax"
ALL_FLAGS = frozenset({EMAIL_FLAG, CALL_FLAG, FAX_FLAG})
_CONTACT = (
    "SELECT Id, IsDeleted, Consent_Status__c, Contact_Permission__c, HasOptedOutOfEmail, DoNotCall,"
    " HasOptedOutOfFax, Permission_Renew_By__c, Permission_Reason__c FROM Contact WHERE Id = '{}'"
)
_ROWS = (
    "SELECT Id, Contact__c, Consent_Status__c, May_Contact__c, Reason_Code__c, Requested_Change__c,"
    f" Renew_By__c, Effective_To__c, Ledger_Key__c, Reconciled_At__c, SystemModstamp FROM {ROW}"
    " WHERE Contact__c = '{}' AND Purpose__c = '{}' AND Channel__c = '{}'"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A Contact, as the ledger knows it."""

    link: Link
    record: SubjectRecord
    points: tuple[ContactPoint, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene(Living):
    """What a scenario can do, and ask; `cast` names Contacts by what the ledger holds about them."""

    text: str
    cast: Mapping[str, str]
    folder: Path  # for what a scenario needs to keep

    # ------------------------------------------------------------ time

    @property
    def now(self) -> datetime:
        """The org's time."""
        return self.world.clock()

    def wait(self, span: timedelta) -> None:
        """Let time pass without a cycle."""
        self.org.simulator.org.clock.advance(span.total_seconds())

    def until(self, moment: datetime) -> None:
        """Let time pass, and the bridge run on, until the next cycle is the first one after a moment."""
        self.wait(moment - timedelta(minutes=15) - self.now)
        self.cycle()
        self.wait(moment + timedelta(minutes=1) - self.now)

    def under(self, text: str) -> "Scene":
        """The same scene once two people have put another bundle in force."""
        policy = policy_of(text)
        with self.ledger.begin() as tx:
            tx.activate_policy(
                policy, text, by="anna", approved_by="ben", note="changed", at=self.now
            )
        return replace(self, text=text, world=replace(self.world, policy=policy))

    def without_memory(self) -> "Scene":
        """The same org under the bridge of a ledger that was never told anything."""
        ledger = sqlite_ledger(Path(mkdtemp(dir=self.folder)))
        with ledger.begin() as tx:
            tx.activate_policy(
                self.world.policy, self.text, by="anna", approved_by=None, note=None, at=self.now
            )
        world = replace(self.world, ledger=ledger, memory=Memory(), aside=[])
        return replace(self, world=world, cast={})

    # ------------------------------------------------------------ in Salesforce

    def stranger(self, *, email: str | None = None, **fields: Any) -> str:
        """Somebody new, whom a rep has typed in."""
        name = uuid4().hex
        return self.director.rep.create(
            "Contact",
            LastName=f"Person {name[:8]}",
            Email=email or f"{name[:8]}@example.org",
            **{
                "Phone": f"+44 20 7946 {int(name[:4], 16) % 10000:04d}",
                "MailingCountry": "United Kingdom",
                **fields,
            },
        )

    def request(
        self, who: str, use: Use, request: str, evidence: str | None = None, *, by: str = "rep"
    ) -> str:
        """What a rep types on the row of a use, making one where there is none."""
        said = {"Requested_Change__c": request, "Requested_Change_Evidence__c": evidence}
        found = self.rows_shown(who, use)
        actor = self.director.as_user(by)
        if found:
            actor.update(ROW, found[0]["Id"], **said)
            return str(found[0]["Id"])
        return actor.create(
            ROW, Contact__c=who, Purpose__c=use.purpose, Channel__c=use.channel, **said
        )

    def token(self, who: str, use: Use, *, said_at: datetime, notice: str = "consent-1") -> str:
        """What the confirmed link of an e-mail leaves behind."""
        (found,) = self.director.query(f"SELECT Email FROM Contact WHERE Id = '{who}'")
        return issue(
            Token(
                kind="DOI_TOKEN",
                id=uuid4().hex[:16],
                happened_at=said_at,
                notice_id=notice,
                use=use,
                address=found["Email"],
            ),
            PROOF_KEYS["DOI_TOKEN"],
        )

    def overtype(self, who: str, use: Use, **fields: Any) -> None:
        """Write over what the bridge has written, as another integration with too many rights does."""
        (row,) = self.rows_shown(who, use)
        self.director.integration.update(ROW, row["Id"], **fields)

    def tick(self, who: str, **flags: bool) -> None:
        """Tick or untick opt-out boxes of a Contact."""
        self.director.rep.update("Contact", who, **flags)

    def rows_shown(self, who: str, use: Use) -> list[dict[str, Any]]:
        """The rows of a Contact for a use, as the org shows them."""
        return self.director.query(_ROWS.format(who, use.purpose, use.channel))

    def contact_shown(self, who: str) -> Mapping[str, Any]:
        """A Contact as the org shows it, also when it is deleted."""
        found = self.director.query(_CONTACT.format(who), all_rows=True)
        return found[0] if found else {}

    def shows_otherwise(self, who: str, use: Use, *told: str) -> Iterator[str]:
        """Say so, if the row of somebody shows another status or another light."""
        found = [
            (row["Consent_Status__c"], row["May_Contact__c"]) for row in self.rows_shown(who, use)
        ]
        if found != [told]:
            yield f"the row of {who} for {use} shows {found}, told {told}"

    # ------------------------------------------------------------ in the ledger

    def said(
        self, who: str, kind: EventKind, use: Use = NEWS, *, ago: timedelta, **more: Any
    ) -> None:
        """What a person said somewhere else, brought by an import."""
        self.tell(
            who, kind, use=use, happened_at=self.now - ago, **{"notice_id": "consent-1", **more}
        )

    def establish(
        self, who: str, use: Use, ref: str, *, ago: timedelta = 10 * DAY, **more: Any
    ) -> None:
        """What an operator records about a basis other than consent."""
        word = Word(
            subject_id=self.subject(who),
            verb=Verb.ESTABLISH,
            use=use,
            happened_at=self.now - ago,
            by="anna",
            condition_ref=ref,
            **more,
        )
        with self.ledger.begin() as tx:
            assert not record_event(tx, word, at=self.now, policy=self.world.policy).refused

    def know(self, who: str, kind: ConditionKind, ref: str, **more: Any) -> None:
        """A fact about a person that a gate asks for."""
        parts: dict[str, Any] = {"valid_from": self.now - 10 * DAY, **more}
        fact = Condition(id=str(uuid4()), subject_id=self.subject(who), kind=kind, ref=ref, **parts)
        with self.ledger.begin() as tx:
            tx.append_deed(
                Deed(verb="IMPORT", by="tests", reason="TOLD"),
                at=self.now,
                policy=self.world.policy,
                conditions=(fact,),
            )

    def open_case(
        self, who: str, kind: CaseKind, *, purpose: PurposeKey | None = None
    ) -> RightsCase:
        """What a person asked for by letter."""
        record = self.person(who)
        case = new_case(
            record.subject_id,
            kind,
            received_at=self.now,
            policy=self.world.policy,
            jurisdiction=record.jurisdiction,
            purpose=purpose,
        )
        with self.ledger.begin() as tx:
            tx.open_case(case, by="anna", at=self.now, policy=self.world.policy)
        return case

    def erase(self, who: str) -> None:
        """Two people close a case of erasure as done."""
        case = replace(self.open_case(who, CaseKind.ERASURE), state=CaseState.DONE)
        with self.ledger.begin() as tx:
            tx.close_case(case, by="anna", approved_by="ben", at=self.now, policy=self.world.policy)

    def close(self, who: str, kind: CaseKind, state: CaseState) -> None:
        """Two people answer what a person asked for."""
        (case,) = (each for each in self.person(who).cases if each.kind is kind)
        with self.ledger.begin() as tx:
            tx.close_case(
                replace(case, state=state, decision_reason="weighed", reply_sent_at=self.now),
                by="anna",
                approved_by="ben",
                at=self.now,
                policy=self.world.policy,
            )

    def correct(self, who: str) -> None:
        """Two people take back every no of a person that was proven to be an error."""
        with self.ledger.begin() as tx:
            whose = self.subject(who)
            told = events_of(tx.connection, [whose])[whose]
            correct_stops(
                tx,
                [each.id for each in told if each.kind in STOPS],
                evidence_ref="log of the loader",
                by="anna",
                approved_by="ben",
                at=self.now,
                policy=self.world.policy,
            )

    # ------------------------------------------------------------ asked

    def held(self, who: str, use: Use) -> Permission:
        """What the ledger holds about a use."""
        return self.person(who).permissions[use]

    def suppressions(self, who: str) -> tuple[Suppression, ...]:
        """What keeps the addresses of a Contact silent."""
        with self.ledger.reading() as tx:
            mirror = tx.contact_mirrors(self.world.org_id, {ContactId(who)})[ContactId(who)]
            return tx.suppressions([each.hmac for each in mirror.points])

    def link(self, who: str) -> Link | None:
        """Who a Contact is, to the ledger."""
        with self.ledger.reading() as tx:
            return tx.links_of(self.world.org_id, {ContactId(who)}).get(ContactId(who))

    def subject(self, who: str) -> SubjectId:
        """The person of a Contact."""
        found = self.link(who)
        assert found is not None, f"nobody has met {who}"
        return found.subject_id

    def class_of(self, who: str, use: Use) -> LedgerClass:
        """What the ledger holds, in nine words."""
        return class_of(self.person(who), use, policy=self.world.policy, at=self.now)

    def answer(self, who: str, use: Use, *, marketing: bool = False) -> Answer:
        """Whether a Contact may be used so, asked of the ledger; `marketing`: for an offer, whatever the purpose."""
        return self.answer_about(self.known({who})[who], use, marketing=marketing)

    def answer_about(self, known: "Known", use: Use, *, marketing: bool = False) -> Answer:
        """The same about somebody who was looked up already."""
        purpose = self.world.policy.purposes.get(use.purpose)
        category = purpose.category if purpose is not None else Category.MARKETING
        return may_use(
            known.record,
            use,
            policy=self.world.policy,
            at=self.now,
            category=Category.MARKETING if marketing else category,
            link_state=known.link.state,
            points=known.points,
        )

    def known(self, people: Collection[str]) -> Mapping[str, "Known"]:
        """What the ledger knows of Contacts; those that it has not met are left out."""
        ids, org_id = {ContactId(each) for each in people}, self.world.org_id
        with self.ledger.reading() as tx:
            links = tx.links_of(org_id, ids)
            records = tx.subjects({each.subject_id for each in links.values()})
            mirrors = tx.contact_mirrors(org_id, links.keys())
        return {
            str(who): Known(
                link=link,
                record=records[link.subject_id],
                points=(*seen.points, *seen.older)
                if (seen := mirrors.get(who)) is not None
                else (),
            )
            for who, link in links.items()
        }

    def address(self, who: str, kind: PointType = PointType.EMAIL) -> str:
        """The fingerprint of an address that a person has now."""
        held = (each for each in self.person(who).points if not each.retired)
        return next(each.point.exact for each in held if each.point.type is kind)
