"""A stop made at any moment of a cycle, on any side of any of its calls, is found and kept."""

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from salesforce_bridge.ledger.store import Ledger
from salesforce_bridge.permissions.events import EventKind
from salesforce_bridge.permissions.keys import Channel, Use
from tests.integration.cycle.living import (
    CALLS,
    EMAIL,
    POST,
    ROW,
    Living,
    copied_ledger,
    living,
    nonces,
)
from tests.support.orgs import RunningOrg

Act = Mapping[str, Any]
CALLS_MAX = 9  # more than any of these cycles makes; a script that never plays ends the search
STOP_WORDS = ("Asked us to stop", "Objects")
FLAGS = {"HasOptedOutOfEmail": EMAIL, "DoNotCall": CALLS}
# Each race is run at every step of its cycle. Everyday one of each kind is; `make laws` runs all of them.
MANY = settings.get_current_profile_name() == "laws"
# How a row comes to show what it shows, told to the ledger just before the cycle in which the race is run.
STORIES: Mapping[str, tuple[EventKind, ...]] = {
    "Not asked": (),
    "Asked": (EventKind.REQUEST,),
    "Permitted": (EventKind.GRANT,),
    "Lapsed": (EventKind.GRANT, EventKind.REVOKE),
    "Limited": (EventKind.GRANT, EventKind.HOLD),
    "Stopped": (EventKind.WITHDRAW,),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Races:
    """Runs the same race again and again, each time with the act one step later."""

    org: RunningOrg
    empty_ledger: Path
    folder: Path

    def at_every_step(
        self,
        prepare: Callable[[Living], str],
        acts: Callable[[Living, str], Sequence[Act]],
        check: Callable[[Living, str], None],
    ) -> None:
        """Prepare once; then, from there, act at each step of the next cycle, and check."""
        ready = self.folder / "ready.db"
        shutil.copyfile(self.empty_ledger, ready)
        with self.opened(ready) as bridge:
            contact_id = prepare(bridge)
            script = acts(bridge, contact_id)
            moment = self.org.director.snapshot()
        # For the org, after one call is before the next: only after the last one is a moment of its own.
        for call in range(1, CALLS_MAX):
            if not self._race(ready, moment, contact_id, script, check, call=call, when="before"):
                assert call > 2, "the cycle has two calls or more"
                assert self._race(
                    ready, moment, contact_id, script, check, call=call - 1, when="after"
                )
                return
        raise AssertionError("the cycle never ends")

    def _race(
        self,
        ready: Path,
        moment: str,
        contact_id: str,
        acts: Sequence[Act],
        check: Callable[[Living, str], None],
        *,
        call: int,
        when: str,
    ) -> bool:
        self.org.director.restore(moment)
        self.org.director.clear_scripts()
        with copied_ledger(ready, self.folder) as ledger, living(self.org, ledger) as bridge:
            name = bridge.director.script(call=call, moment=when, acts=acts)
            bridge.cycle()
            told = bridge.director.outcomes(name)
            if told is not None:
                assert not any(isinstance(each, dict) for each in told), told
                check(bridge, contact_id)
        return told is not None

    @contextmanager
    def opened(self, path: Path) -> Iterator[Living]:
        ledger = Ledger(f"sqlite:///{path}", nonces=nonces)
        try:
            with living(self.org, ledger) as bridge:
                yield bridge
        finally:
            ledger.close()


@pytest.fixture
def races(org: RunningOrg, empty_ledger: Path, tmp_path: Path) -> Races:
    """Races on the org of the session."""
    return Races(org=org, empty_ledger=empty_ledger, folder=tmp_path)


def about_to_show(
    status: str, *, use: Use = EMAIL, email: str | None = None
) -> Callable[[Living], str]:
    """Somebody whose row is written in the next cycle, and who is read in it too."""

    def prepare(bridge: Living) -> str:
        contact_id = bridge.meet(email=email)
        bridge.settle()
        for turn, kind in enumerate(STORIES[status]):
            at = bridge.world.clock()
            bridge.tell(contact_id, kind, use=use, happened_at=at.replace(microsecond=turn))
        bridge.director.rep2.update("Contact", contact_id, Title="Director")
        bridge.director.advance(5)
        return contact_id

    return prepare


def already_shows(status: str) -> Callable[[Living], str]:
    """Somebody whose row shows it, who is read in the next cycle, and about whom something else is written."""

    def prepare(bridge: Living) -> str:
        contact_id = about_to_show(status)(bridge)
        bridge.settle()
        assert bridge.row(contact_id)["Consent_Status__c"] == status
        bridge.tell(contact_id, EventKind.GRANT, use=POST)
        bridge.director.rep2.update("Contact", contact_id, Title="Manager")
        bridge.director.advance(5)
        return contact_id

    return prepare


def a_stop_on_the_row(word: str) -> Callable[[Living, str], Sequence[Act]]:
    def acts(bridge: Living, contact_id: str) -> Sequence[Act]:
        fields = {"Requested_Change__c": word, "Requested_Change_Note__c": "on the phone"}
        row_id = bridge.row(contact_id)["Id"]
        return (_act("update", ROW, row_id, fields=fields),)

    return acts


def a_flag(name: str) -> Callable[[Living, str], Sequence[Act]]:
    def acts(_bridge: Living, contact_id: str) -> Sequence[Act]:
        return (_act("update", "Contact", contact_id, fields={name: True}),)

    return acts


def _act(verb: str, table: str, record_id: str, **rest: Any) -> Act:
    return {"as": "rep", "do": verb, "object": table, "id": record_id, **rest}


def is_kept(bridge: Living, contact_id: str, *, use: Use = EMAIL) -> None:
    """The stop stands on both sides, was never shown as OK, and nothing more is to be done about it."""
    assert bridge.row(contact_id, use)["May_Contact__c"] == "Do not"
    report = bridge.cycle()
    assert bridge.is_stopped(contact_id, use)
    assert bridge.row(contact_id, use)["May_Contact__c"] == "Do not"
    if report.writes:
        bridge.cycle()
    row = bridge.row(contact_id, use)
    assert (row["Consent_Status__c"], row["May_Contact__c"]) == ("Stopped", "Do not")
    assert row["Requested_Change__c"] is None
    is_at_rest(bridge)


def is_at_rest(bridge: Living) -> None:
    """A further cycle writes nothing, both sides agree, and the audit holds."""
    bridge.settle()
    assert bridge.differences() == []
    assert bridge.audit_is_intact()


@pytest.mark.parametrize(
    ("status", "word"),
    tuple(product(STORIES, STOP_WORDS))
    if MANY
    else (("Permitted", "Asked us to stop"), ("Not asked", "Objects")),
)
def test_a_stop_typed_while_a_row_is_being_written_is_kept(
    races: Races, status: str, word: str
) -> None:
    def check(bridge: Living, contact_id: str) -> None:
        is_kept(bridge, contact_id)
        row = bridge.row(contact_id)
        assert row["Requested_Change_Handled__c"] == word

    races.at_every_step(about_to_show(status), a_stop_on_the_row(word), check)


@pytest.mark.parametrize("status", STORIES if MANY else ("Lapsed",))
def test_a_stop_typed_on_a_row_that_shows_something_is_kept(races: Races, status: str) -> None:
    races.at_every_step(already_shows(status), a_stop_on_the_row("Asked us to stop"), is_kept)


@pytest.mark.parametrize("name", FLAGS if MANY else ("DoNotCall",))
def test_a_flag_set_while_a_row_is_being_written_is_kept(races: Races, name: str) -> None:
    use = FLAGS[name]

    def check(bridge: Living, contact_id: str) -> None:
        is_kept(bridge, contact_id, use=use)
        assert bridge.contact(contact_id)[name] is True

    races.at_every_step(about_to_show("Permitted", use=use), a_flag(name), check)


def test_the_fax_flag_set_at_any_moment_is_kept(races: Races) -> None:
    def check(bridge: Living, contact_id: str) -> None:
        bridge.cycle()
        fax = Use(purpose=EMAIL.purpose, channel=Channel("FAX"))
        assert bridge.is_stopped(contact_id, fax)
        assert bridge.contact(contact_id)["HasOptedOutOfFax"] is True
        is_at_rest(bridge)

    races.at_every_step(about_to_show("Permitted"), a_flag("HasOptedOutOfFax"), check)


@pytest.mark.parametrize("stop", ["row", "flag"] if MANY else ["flag"])
def test_a_stop_outlives_the_contact_on_which_it_was_made(races: Races, stop: str) -> None:
    def acts(bridge: Living, contact_id: str) -> Sequence[Act]:
        return (*_stop(stop, bridge, contact_id), _act("delete", "Contact", contact_id))

    def check(bridge: Living, contact_id: str) -> None:
        bridge.cycle()
        assert bridge.is_stopped(contact_id)
        is_at_rest(bridge)

    races.at_every_step(about_to_show("Permitted"), acts, check)


@pytest.mark.parametrize("stop", ["row", "flag"] if MANY else ["row"])
def test_a_stop_reaches_the_contact_that_was_created_again(races: Races, stop: str) -> None:
    email = "again@example.org"

    def acts(bridge: Living, contact_id: str) -> Sequence[Act]:
        again = {"LastName": "Person again", "Email": email, "MailingCountry": "France"}
        return (
            *_stop(stop, bridge, contact_id),
            _act("delete", "Contact", contact_id),
            {"as": "rep", "do": "create", "object": "Contact", "fields": again},
        )

    def check(bridge: Living, contact_id: str) -> None:
        bridge.cycle()
        found = bridge.director.query(f"SELECT Id FROM Contact WHERE Email = '{email}'")
        assert [each["Id"] for each in found] != [contact_id]
        is_kept(bridge, found[0]["Id"])

    races.at_every_step(about_to_show("Permitted", email=email), acts, check)


@pytest.mark.parametrize(
    ("stopped_one", "stop"),
    tuple(product(("wins", "loses"), ("row", "flag"))) if MANY else (("loses", "row"),),
)
def test_a_stop_survives_a_merge_in_either_direction(
    races: Races, stopped_one: str, stop: str
) -> None:
    others: list[str] = []

    def prepare(bridge: Living) -> str:
        other = bridge.meet()
        bridge.settle()
        bridge.tell(other, EventKind.GRANT)
        bridge.settle()
        assert bridge.row(other)["May_Contact__c"] == "OK"
        others[:] = [other]
        return about_to_show("Permitted")(bridge)

    def acts(bridge: Living, contact_id: str) -> Sequence[Act]:
        pair = (contact_id, others[0])
        winner, loser = pair if stopped_one == "wins" else pair[::-1]
        # As on the merge page: the values of the record that is kept are kept, a ticked box by choice.
        kept = {"HasOptedOutOfEmail": True} if stop == "flag" and stopped_one == "wins" else {}
        merge = _act("merge", "Contact", winner, losers=[loser], fields=kept)
        return (*_stop(stop, bridge, contact_id), {**merge, "as": "admin"})

    def check(bridge: Living, contact_id: str) -> None:
        bridge.cycle()
        bridge.cycle()
        winner = contact_id if stopped_one == "wins" else others[0]
        assert bridge.is_stopped(contact_id)
        is_kept(bridge, winner)

    races.at_every_step(prepare, acts, check)


@pytest.mark.parametrize("stop", ["row", "flag"] if MANY else ["flag"])
def test_a_stop_follows_the_person_to_another_address(races: Races, stop: str) -> None:
    def acts(bridge: Living, contact_id: str) -> Sequence[Act]:
        moved = _act("update", "Contact", contact_id, fields={"Email": "moved@example.org"})
        return (*_stop(stop, bridge, contact_id), moved)

    races.at_every_step(about_to_show("Permitted"), acts, is_kept)


def test_a_stop_typed_over_a_request_that_is_being_answered_is_kept(races: Races) -> None:
    def prepare(bridge: Living) -> str:
        contact_id = bridge.meet()
        bridge.settle()
        row_id = bridge.row(contact_id)["Id"]
        bridge.director.rep.update(ROW, row_id, Requested_Change__c="Gave permission")
        bridge.director.rep2.update("Contact", contact_id, Title="Director")
        bridge.director.advance(5)
        return contact_id

    races.at_every_step(prepare, a_stop_on_the_row("Asked us to stop"), is_kept)


def test_a_second_row_with_a_stop_made_beside_ours_is_judged_before_it_goes(races: Races) -> None:
    def prepare(bridge: Living) -> str:
        contact_id = bridge.meet()
        bridge.director.advance(5)
        return contact_id

    def acts(_bridge: Living, contact_id: str) -> Sequence[Act]:
        fields = {
            "Contact__c": contact_id,
            "Purpose__c": EMAIL.purpose,
            "Channel__c": EMAIL.channel,
            "Requested_Change__c": "Asked us to stop",
        }
        return ({"as": "rep", "do": "create", "object": ROW, "fields": fields},)

    def check(bridge: Living, contact_id: str) -> None:
        bridge.cycle()
        assert bridge.is_stopped(contact_id)
        bridge.cycle()
        is_kept(bridge, contact_id)

    races.at_every_step(prepare, acts, check)


def test_two_edits_within_one_second_are_both_seen(bridge: Living) -> None:
    contact_id = bridge.meet()
    bridge.settle()
    now = bridge.director.now().replace(microsecond=0)
    bridge.director.set_now(now.replace(microsecond=100_000))
    bridge.director.rep.update("Contact", contact_id, Title="Director")
    bridge.cycle(after=0)
    bridge.director.set_now(now.replace(microsecond=900_000))
    bridge.director.rep.update("Contact", contact_id, HasOptedOutOfEmail=True)
    bridge.cycle()
    assert bridge.is_stopped(contact_id)


def _stop(kind: str, bridge: Living, contact_id: str) -> Sequence[Act]:
    made = a_flag("HasOptedOutOfEmail") if kind == "flag" else a_stop_on_the_row("Asked us to stop")
    return made(bridge, contact_id)
