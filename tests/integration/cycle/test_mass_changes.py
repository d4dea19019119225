"""Many edits at once are parked until a person has looked; stops go on as if nothing had happened."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Engine, event

from salesforce_bridge.ledger.store import Ledger
from salesforce_bridge.permissions.events import EventKind
from tests.integration.cycle.living import EMAIL, ROW, Living, living, policy
from tests.support.orgs import RunningOrg

FLOOR = 4


@pytest.fixture
def wary(org: RunningOrg, ledger: Ledger) -> Iterator[Living]:
    """A bridge to which four widening edits within an hour are a mass change."""
    with living(org, ledger, law=policy(floor=str(FLOOR), share="0.01")) as opened:
        yield opened


def crowd(bridge: Living, number: int) -> list[str]:
    people = [bridge.meet() for _ in range(number)]
    bridge.settle()
    return people


def widen(bridge: Living, people: list[str]) -> None:
    for each in people:
        bridge.director.admin.update(
            ROW,
            bridge.row(each)["Id"],
            Requested_Change__c="Gave permission",
            Requested_Change_Evidence__c="migration sheet, line 7",
        )


def closed(bridge: Living, reason: str = "looked through: a legitimate import") -> None:
    with bridge.ledger.begin() as tx:
        assert tx.close_circuit(
            bridge.world.org_id,
            by="dpo",
            reason=reason,
            at=bridge.world.clock(),
            policy=bridge.world.policy,
        )


def test_a_mass_change_opens_the_circuit_and_is_parked(wary: Living) -> None:
    people = crowd(wary, FLOOR)
    widen(wary, people)
    report = wary.cycle()
    assert report.circuit is not None
    assert report.halted is not None
    assert not report.clean
    assert report.decisions["MASS_CHANGE_CIRCUIT_OPEN"] == FLOOR
    assert all(wary.row(each)["Requested_Change__c"] == "Gave permission" for each in people)
    assert not any(wary.person(each).candidates for each in people)
    assert wary.audit_is_intact()


def test_fewer_edits_are_judged_one_by_one(wary: Living) -> None:
    people = crowd(wary, FLOOR)
    widen(wary, people[: FLOOR - 1])
    report = wary.cycle()
    assert report.circuit is None
    assert all(wary.person(each).candidates for each in people[: FLOOR - 1])


def test_edits_of_several_cycles_add_up_within_the_window(wary: Living) -> None:
    people = crowd(wary, FLOOR)
    widen(wary, people[:2])
    assert wary.cycle().circuit is None
    widen(wary, people[2:])
    assert wary.cycle().circuit is not None


def test_stops_flow_while_the_circuit_is_open(wary: Living) -> None:
    people = crowd(wary, FLOOR + 2)
    widen(wary, people[:FLOOR])
    assert wary.cycle().circuit is not None
    wary.director.rep.update(
        ROW, wary.row(people[-1])["Id"], Requested_Change__c="Asked us to stop"
    )
    wary.director.rep.update("Contact", people[0], HasOptedOutOfEmail=True)
    report = wary.cycle()
    assert report.circuit is not None
    assert wary.row(people[-1])["Consent_Status__c"] == "Stopped"
    assert wary.is_stopped(people[0])
    assert wary.row(people[0])["Consent_Status__c"] == "Stopped"


def test_nothing_else_is_written_while_it_is_open_and_the_light_goes_out(wary: Living) -> None:
    people = crowd(wary, FLOOR + 2)
    wary.tell(people[-1], EventKind.GRANT)
    wary.settle()
    widen(wary, people[:FLOOR])
    wary.cycle()
    wary.tell(people[-2], EventKind.GRANT)
    wary.cycle()
    assert wary.row(people[-2])["Consent_Status__c"] == "Not asked"
    for _ in range(4):
        wary.cycle(after=600)
    assert wary.row(people[-1])["May_Contact__c"] == "Wait"


def test_an_open_circuit_costs_one_call_when_nothing_happens(wary: Living) -> None:
    widen(wary, crowd(wary, FLOOR))
    wary.cycle()
    wary.cycle(after=3_600)
    assert wary.calls_of() == 1


def test_once_a_person_closed_it_what_was_parked_is_judged(wary: Living) -> None:
    people = crowd(wary, FLOOR)
    widen(wary, people)
    wary.cycle()
    wary.cycle(after=3_600)  # no poll shows these edits any more
    closed(wary)
    report = wary.cycle()
    assert (report.circuit, report.halted) == (None, None)
    assert all(wary.person(each).candidates for each in people)
    assert report.decisions["MASS_CHANGE_CIRCUIT_OPEN"] == 0
    wary.settle()
    assert wary.cycle().circuit is None
    assert wary.differences() == []
    assert wary.audit_is_intact()


def test_what_was_held_back_meanwhile_is_written_after_it_is_closed(wary: Living) -> None:
    people = crowd(wary, FLOOR + 1)
    widen(wary, people[:FLOOR])
    wary.cycle()
    wary.tell(people[-1], EventKind.GRANT)
    wary.cycle()
    closed(wary)
    wary.settle()
    assert wary.row(people[-1])["May_Contact__c"] == "OK"


def test_the_next_mass_change_opens_it_again(wary: Living) -> None:
    people = crowd(wary, 2 * FLOOR)
    widen(wary, people[:FLOOR])
    wary.cycle()
    closed(wary)
    wary.settle()
    wary.director.advance(60)
    widen(wary, people[FLOOR:])
    assert wary.cycle().circuit is not None


def test_an_author_on_the_list_needs_no_mass(org: RunningOrg, ledger: Ledger) -> None:
    admin = org.director.query("SELECT Id, Username FROM User")
    users = ", ".join(f'"{each["Id"]}"' for each in admin)
    with living(org, ledger, law=policy(bulk_authors=f"[{users}]")) as bridge:
        contact_id = bridge.meet()
        bridge.settle()
        widen(bridge, [contact_id])
        assert bridge.cycle().circuit is not None


def test_a_preview_says_that_the_circuit_would_open_and_opens_nothing(wary: Living) -> None:
    widen(wary, crowd(wary, FLOOR))
    wary.director.advance(30)
    assert wary.foreseen().halted is not None
    with wary.ledger.reading() as tx:
        window = wary.world.policy.surge.window
        at = wary.world.clock()
        assert not tx.circuit(wary.world.org_id, at=at, window=window).is_open


def test_an_open_circuit_outlives_a_restart(wary: Living) -> None:
    people = crowd(wary, FLOOR + 1)
    widen(wary, people[:FLOOR])
    wary.cycle()
    with living(wary.org, wary.ledger, law=wary.world.policy) as restarted:
        restarted.tell(people[-1], EventKind.GRANT, use=EMAIL)
        report = restarted.cycle()
        assert report.circuit is not None
        assert restarted.row(people[-1])["Consent_Status__c"] == "Not asked"


@contextmanager
def counts_of_records() -> Iterator[list[str]]:
    """Whichever queries count the records that are remembered."""
    asked: list[str] = []

    def note(*told: Any) -> None:
        if "count(*)" in told[2] and "FROM mirror" in told[2]:
            asked.append(told[2])

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield asked
    finally:
        event.remove(Engine, "before_cursor_execute", note)


def test_rows_are_counted_only_where_so_many_edits_make_it_matter(wary: Living) -> None:
    people = crowd(wary, FLOOR)
    with counts_of_records() as asked:
        widen(wary, people[:-1])
        assert wary.cycle().circuit is None
        assert asked == []
        widen(wary, people[-1:])
        rows = FLOOR * len(wary.world.policy.uses)
        assert f"of {rows} rows" in (wary.cycle().circuit or "")
        assert len(asked) == 1
