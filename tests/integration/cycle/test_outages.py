"""When the bridge is blind, the org says so by itself; when it sees again, nothing has to be put right."""

from collections.abc import Mapping

import pytest

from salesforce_bridge.errors import RetryLater
from salesforce_bridge.permissions.events import EventKind
from tests.integration.cycle.living import CALLS, ROW, Living

OUTAGE = 7_200  # seconds


def shown(bridge: Living) -> Mapping[str, int]:
    """What every Contact and every row of the org says, counted."""
    found: dict[str, int] = {}
    for table, field in (("Contact", "Contact_Permission__c"), (ROW, "May_Contact__c")):
        for record in bridge.director.query(f"SELECT {field} FROM {table}"):
            found[record[field]] = found.get(record[field], 0) + 1
    return found


def a_mixed_crowd(bridge: Living) -> list[str]:
    """One who said yes, one who said no, and one nobody asked."""
    people = [bridge.meet() for _ in range(3)]
    bridge.settle()
    for use in (CALLS, *bridge.world.policy.uses):
        if use.purpose == CALLS.purpose:
            bridge.tell(people[0], EventKind.GRANT, use=use)
    bridge.tell(people[1], EventKind.WITHDRAW)
    bridge.settle()
    return people


def test_before_the_first_clean_cycle_nobody_is_shown_as_ok(bridge: Living) -> None:
    contact_id = bridge.meet()
    bridge.director.load(
        ROW,
        [
            {
                "Contact__c": contact_id,
                "Purpose__c": "direct_marketing",
                "Channel__c": "EMAIL",
                "Consent_Status__c": "Permitted",
            }
        ],
    )
    assert bridge.row(contact_id)["May_Contact__c"] == "Wait"


def test_an_outage_turns_everybody_to_wait_or_do_not(bridge_on_either: Living) -> None:
    bridge = bridge_on_either
    a_mixed_crowd(bridge)
    before = shown(bridge)
    assert before["OK"] > 0
    bridge.director.fault(status=503, error_code="SERVER_UNAVAILABLE")
    bridge.director.advance(OUTAGE)
    with pytest.raises(RetryLater):
        bridge.cycle()
    assert set(shown(bridge)) == {"Wait", "Do not"}
    bridge.director.clear_faults()
    report = bridge.cycle()
    assert (report.writes, report.clean) == ({}, True)
    # The heartbeat carries the time of the last clean cycle, so it is one cycle behind.
    assert "OK" not in shown(bridge)
    assert bridge.cycle().writes == {}
    assert shown(bridge) == before


def test_an_outage_leaves_no_event_behind(bridge: Living) -> None:
    a_mixed_crowd(bridge)
    with bridge.ledger.reading() as tx:
        before = tx.head().revision
    bridge.director.advance(OUTAGE)
    bridge.cycle()
    bridge.cycle()
    with bridge.ledger.reading() as tx:
        assert tx.head().revision == before


def test_a_paused_bridge_lets_the_light_turn_to_wait(bridge: Living) -> None:
    a_mixed_crowd(bridge)
    for _ in range(4):
        bridge.cycle(stops_only=True, after=600)
    assert set(shown(bridge)) == {"Wait", "Do not"}
    bridge.cycle()
    bridge.cycle()
    assert "OK" in shown(bridge)


def test_a_heartbeat_that_the_org_refuses_makes_a_cycle_unclean(bridge: Living) -> None:
    a_mixed_crowd(bridge)
    for field in ("Last_Cycle_At__c", "Max_Staleness_Minutes__c"):
        bridge.director.set_field_access(
            "Salesforce_Bridge_Integration",
            f"Bridge_Heartbeat__c.{field}",
            readable=True,
            editable=False,
        )
    report = bridge.cycle()
    assert (report.clean, report.errors) == (False, 1)


def test_what_was_typed_during_an_outage_is_found_afterwards(bridge: Living) -> None:
    people = a_mixed_crowd(bridge)
    row = bridge.row(people[0])
    bridge.director.advance(OUTAGE / 2)
    bridge.director.rep.update(ROW, row["Id"], Requested_Change__c="Asked us to stop")
    assert bridge.row(people[0])["May_Contact__c"] == "Do not"
    bridge.director.advance(OUTAGE / 2)
    bridge.cycle()
    assert bridge.is_stopped(people[0])
    assert bridge.row(people[0])["Consent_Status__c"] == "Stopped"
