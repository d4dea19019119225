"""Playing a beat of the demo: real cycles on the stage, and every claim of the story checked against both sides."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from rich.console import Console

from salesforce_bridge.cli.demo_cast import MARKETING, Cast, Person
from salesforce_bridge.cli.demo_stage import Stage
from salesforce_bridge.cli.demo_telling import Told, label, shown, tell_cycle, tell_rows
from salesforce_bridge.cycle import run_cycle
from salesforce_bridge.errors import BridgeError
from salesforce_bridge.ledger import views
from salesforce_bridge.permissions.keys import ContactId
from salesforce_bridge.reading import World
from salesforce_bridge.wiring import Bridge

TICK = timedelta(
    seconds=3
)  # Salesforce's stamps have whole seconds: what is read too soon is read again
CYCLE_TIME = timedelta(minutes=5)
QUIET_CYCLES_MAX = 3


class StoryDiffers(BridgeError):
    """Something is not as the story says: the bridge or the simulated org is at fault."""


@dataclass(slots=True, kw_only=True)
class Play:
    """One performance."""

    stage: Stage
    bridge: Bridge
    world: World
    cast: Cast
    console: Console
    heading: str = ""
    claims: int = 0  # checked so far

    def cycle(self, *about: ContactId, held: bool = False) -> Told:
        """Run one cycle as the daemon does at its next tick, and tell what it did about some Contacts.

        `held`: something has to hold everything but stops.
        """
        self.stage.skip(TICK)
        ledger = self.world.ledger
        with ledger.reading() as tx:
            before = tx.head().seq
        report = run_cycle(
            self.world,
            stops_only=False,
            deadline=self.world.clock() + CYCLE_TIME,
            go_on=lambda: True,
        )
        with ledger.reading() as tx:
            sealed = views.tail(tx, count=tx.head().seq - before)
        told = Told(report=report, entries=tuple(reversed(sealed)))
        self.expect("the cycle ends clean", report.clean, wanted=not held)
        self.expect("a mass change holds it", report.circuit is not None, wanted=held)
        if about:
            tell_cycle(self.console, told, about)
        return told

    def settle(self) -> Told:
        """Run cycles until one finds nothing new: the last one's heartbeat shows a clean cycle."""
        told = self.cycle()
        for _ in range(QUIET_CYCLES_MAX):
            self.expect("a cycle that follows writes nothing", dict(told.report.writes), wanted={})
            if not told.report.read:
                return told
            told = self.cycle()
        raise self._differs("the bridge finds no rest", told.report.read, 0)

    def expect(self, what: str, found: object, *, wanted: object) -> None:
        """Check one claim of the story."""
        self.claims += 1
        if found != wanted:
            raise self._differs(what, found, wanted)

    def expect_decision(self, told: Told, person: ContactId, reason: str) -> None:
        """Check that a cycle decided something about a Contact for a certain reason."""
        reasons = {each.header["reason"] for each in told.decisions_on(person)}
        self.claims += 1
        if reason not in reasons:
            raise self._differs(f"the decision on {label(person)}", sorted(reasons), reason)

    def contacts(self) -> list[dict[str, Any]]:
        """All Contacts, as far as everybody may see them."""
        return self.stage.director.query("SELECT Id, Contact_Permission__c FROM Contact")

    def born_opted_out(self) -> frozenset[str]:
        """The Contacts on which some opt-out box is ticked."""
        return frozenset(
            each["Id"]
            for each in self.stage.director.query(
                "SELECT Id FROM Contact WHERE HasOptedOutOfEmail = true"
                " OR HasOptedOutOfFax = true OR DoNotCall = true"
            )
        )

    def contact(self, contact_id: ContactId) -> dict[str, Any]:
        """A Contact as a rep sees it."""
        names = (
            *("Contact_Permission__c", "Consent_Status__c", "Lawful_Basis__c"),
            *("Permission_Summary__c", "Permission_Reason__c", "HasOptedOutOfEmail"),
        )
        return self._found(f"SELECT {', '.join(names)} FROM Contact WHERE Id = '{contact_id}'")  # noqa: S608  # not SQL

    def row(self, contact_id: ContactId, channel: str) -> dict[str, Any]:
        """The one row of a Contact for marketing on a channel, as a rep sees it."""
        names = (
            *("Id", "May_Contact__c", "Consent_Status__c", "Reason_Code__c"),
            *("Requested_Change__c", "Requested_Change_Handled__c"),
            *("Effective_To__c", "Renew_By__c"),
        )
        return self._found(
            f"SELECT {', '.join(names)} FROM Permission__c WHERE Contact__c = '{contact_id}'"  # noqa: S608  # not SQL
            f" AND Purpose__c = '{MARKETING}' AND Channel__c = '{channel}'"
        )

    def lights(self, *people: tuple[Person, str]) -> dict[tuple[ContactId, str], tuple[str, str]]:
        """What *Can I contact?* says on the Contact and on one of its rows."""
        return {
            (who.contact_id, channel): (
                self.contact(who.contact_id)["Contact_Permission__c"],
                self.row(who.contact_id, channel)["May_Contact__c"],
            )
            for who, channel in people
        }

    def tell_lights(
        self, moments: Sequence[tuple[str, dict[tuple[ContactId, str], tuple[str, str]]]]
    ) -> None:
        """Tell how the two formulas moved from moment to moment."""
        keys = list(moments[-1][1])
        rows: list[tuple[str, ...]] = []
        for contact_id, channel in keys:
            for index, formula in enumerate(
                ("Contact_Permission__c", f"May_Contact__c, {channel}")
            ):
                values = (
                    shown(found.get((contact_id, channel), (None, None))[index])
                    for _, found in moments
                )
                rows.append((label(contact_id) if not index else "", formula, *values))
        self.tell(("", "Can I contact?", *(name for name, _ in moments)), rows)

    def tell(
        self, columns: Sequence[str], rows: Iterable[Sequence[object]], *, title: str = ""
    ) -> None:
        """Tell a table."""
        tell_rows(self.console, columns, rows, title=title)

    def say(self, sentence: str) -> None:
        """Tell a sentence."""
        self.console.print(sentence, markup=False)

    def _found(self, soql: str) -> dict[str, Any]:
        records = self.stage.director.query(soql)
        if len(records) != 1:
            raise self._differs(f"records of {soql}", len(records), 1)
        return records[0]

    def _differs(self, what: str, found: object, wanted: object) -> StoryDiffers:
        return StoryDiffers(
            f"“{self.heading}”: {what}: wanted {wanted!r}, found {found!r}.",
            hint="salesforce-bridge --debug demo, and report what it prints",
        )
