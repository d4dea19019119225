"""A change that would surprise a person waits for one; stops never wait."""

from collections.abc import Iterator

import pytest

from salesforce_bridge.ledger.store import Ledger
from salesforce_bridge.permissions.events import EventKind
from tests.integration.cycle.living import CALLS, EMAIL, ROW, Living, living, policy
from tests.support.orgs import RunningOrg

LOOSEN_MAX = 3


def people_of(bridge: Living, number: int) -> list[str]:
    people = [bridge.meet() for _ in range(number)]
    bridge.settle()
    return people


@pytest.fixture
def careful(org: RunningOrg, ledger: Ledger) -> Iterator[Living]:
    """A bridge whose policy lets three permissions be widened at once."""
    with living(org, ledger, law=policy(loosen_max=str(LOOSEN_MAX))) as opened:
        yield opened


def test_a_plan_over_its_limit_writes_only_stops_and_says_why(careful: Living) -> None:
    people = people_of(careful, LOOSEN_MAX + 2)
    for each in people[:-1]:
        careful.tell(each, EventKind.GRANT)
    careful.tell(people[-1], EventKind.WITHDRAW)
    foreseen = careful.foreseen()
    assert foreseen.change.loosened == LOOSEN_MAX + 1
    report = careful.cycle()
    assert report.halted == foreseen.halted
    assert report.halted == "4 permissions would be widened at once; the limit is 3"
    assert not report.clean
    assert careful.row(people[-1])["Consent_Status__c"] == "Stopped"
    assert all(careful.row(each)["Consent_Status__c"] == "Not asked" for each in people[:-1])
    assert careful.audit_is_intact()


def test_what_the_ledger_learned_in_a_halted_cycle_stays(careful: Living) -> None:
    people = people_of(careful, LOOSEN_MAX + 1)
    for each in people:
        careful.tell(each, EventKind.GRANT)
        careful.director.rep.update("Contact", each, Title="Director")
    careful.cycle()
    assert all(EMAIL in careful.person(each).permissions for each in people)


def test_what_was_held_back_is_written_once_the_limit_is_lifted(careful: Living) -> None:
    people = people_of(careful, LOOSEN_MAX + 1)
    for each in people:
        careful.tell(each, EventKind.GRANT)
    assert careful.cycle().halted is not None
    held = careful.cycle(stops_only=True)
    assert (held.halted, held.writes) == ("paused", {})
    # Nobody changed anything since, and still nothing is forgotten.
    assert careful.cycle().halted is not None
    with living(careful.org, careful.ledger) as generous:
        generous.settle()
        assert all(generous.row(each)["May_Contact__c"] == "OK" for each in people)
        assert generous.differences() == []
        assert generous.audit_is_intact()


def test_what_was_held_back_by_a_pause_is_written_after_it(bridge_on_either: Living) -> None:
    bridge = bridge_on_either
    people = people_of(bridge, 2)
    bridge.tell(people[0], EventKind.GRANT)
    bridge.tell(people[1], EventKind.WITHDRAW)
    paused = bridge.cycle(stops_only=True)
    assert paused.writes == {"accepted": 2}
    assert bridge.row(people[0])["Consent_Status__c"] == "Not asked"
    assert bridge.row(people[1])["Consent_Status__c"] == "Stopped"
    bridge.cycle(stops_only=True)
    assert bridge.calls_of(stops_only=True) == 1
    assert bridge.cycle().writes == {"accepted": 2}
    assert bridge.row(people[0])["Consent_Status__c"] == "Permitted"
    bridge.settle()
    assert bridge.differences() == []
    assert bridge.audit_is_intact()


def test_a_limit_counts_over_all_the_chunks_of_a_cycle(org: RunningOrg, bridge: Living) -> None:
    with living(org, bridge.ledger, law=policy(loosen_max="3"), chunk=2) as careful:
        people = people_of(careful, 6)
        for each in people:
            careful.tell(each, EventKind.GRANT)
        report = careful.cycle()
        assert report.halted is not None
        widened = [careful.row(each)["Consent_Status__c"] for each in people].count("Permitted")
        assert widened <= 3


def test_a_halted_cycle_stops_the_heartbeat(careful: Living) -> None:
    people = people_of(careful, LOOSEN_MAX + 2)
    careful.tell(people[0], EventKind.GRANT)
    careful.settle()
    assert careful.row(people[0])["May_Contact__c"] == "OK"
    for each in people[1:]:
        careful.tell(each, EventKind.GRANT)
    for _ in range(4):
        careful.cycle(after=600)
    assert careful.row(people[0])["May_Contact__c"] == "Wait"


def test_a_share_of_the_contacts_counts_only_once_there_are_many(
    org: RunningOrg, bridge: Living
) -> None:
    law = policy(change_max="5", change_share="0.3", change_from="10")
    with living(org, bridge.ledger, law=law) as careful:
        few = people_of(careful, 10)
        for each in few:
            careful.tell(each, EventKind.REQUEST)
        assert careful.cycle().halted is None
        people_of(careful, 2)
        for each in few:
            careful.tell(each, EventKind.REQUEST, use=CALLS)
        report = careful.cycle()
        assert report.halted is not None
        assert report.halted.startswith("10 of 12 Contacts would change at once")


def test_the_first_writes_about_new_people_surprise_nobody(org: RunningOrg, bridge: Living) -> None:
    law = policy(change_max="5", change_share="0.1", change_from="3")
    with living(org, bridge.ledger, law=law) as careful:
        people_of(careful, 5)
        people_of(careful, 20)
        assert careful.differences() == []


def test_a_restored_ledger_writes_stops_and_nothing_else(bridge: Living) -> None:
    people = people_of(bridge, 3)
    bridge.tell(people[0], EventKind.GRANT)
    bridge.settle()
    rows = [bridge.row(each) for each in people]
    bridge.director.integration.update(ROW, rows[0]["Id"], Ledger_Revision__c=1_000_000)
    bridge.director.rep.update(ROW, rows[1]["Id"], Requested_Change__c="Asked us to stop")
    bridge.tell(people[2], EventKind.GRANT)
    bridge.director.advance(5)
    foreseen = bridge.foreseen()
    assert foreseen.halted is not None
    assert "1000000" in foreseen.halted
    report = bridge.cycle()
    assert report.halted == foreseen.halted
    assert bridge.row(people[1])["Consent_Status__c"] == "Stopped"
    assert bridge.row(people[2])["Consent_Status__c"] == "Not asked"
