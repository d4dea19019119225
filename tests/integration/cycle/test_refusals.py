"""A write that the org refuses: the others go through, and this one is neither forgotten nor sent blindly."""

from datetime import timedelta
from itertools import pairwise
from typing import Any

from salesforce_bridge.cycle import ROUNDS_MAX
from salesforce_bridge.ledger.waiting import FIRST_PAUSE
from salesforce_bridge.permissions.events import EventKind
from tests.integration.cycle.living import CALLS, EMAIL, ROW, TICK, Living

CUSTOMERS_RULE = {
    "status_code": "FIELD_CUSTOM_VALIDATION_EXCEPTION",
    "message": "Contacts of this region need a reference number",
}


def refuse(bridge: Living, match: str, **changes: Any) -> str:
    """Let a rule of the customer's own refuse the records that a pattern finds."""
    return bridge.director.fault(rows={**CUSTOMERS_RULE, "match": match, **changes})


def three_who_said_no(bridge: Living) -> list[str]:
    people = [bridge.meet() for _ in range(3)]
    bridge.settle()
    for each in people:
        bridge.tell(each, EventKind.WITHDRAW)
    return people


def unwritten(bridge: Living) -> int:
    with bridge.ledger.reading() as tx:
        return tx.unwritten_stops(bridge.world.org_id).number


def test_a_refused_record_does_not_hold_up_the_others(bridge_on_either: Living) -> None:
    bridge = bridge_on_either
    people = three_who_said_no(bridge)
    refuse(bridge, f'"Id":"{bridge.row(people[1])["Id"]}"|"id":"{bridge.row(people[1])["Id"]}"')
    report = bridge.cycle()
    assert report.writes == {"accepted": 5, "refused": 1}
    assert not report.clean
    assert [bridge.row(each)["Consent_Status__c"] for each in people] == [
        "Stopped",
        "Not asked",
        "Stopped",
    ]
    assert bridge.is_stopped(people[1])
    assert bridge.audit_is_intact()


def test_a_refused_stop_is_counted_until_it_is_accepted(bridge: Living) -> None:
    people = three_who_said_no(bridge)
    told_at = bridge.director.now()
    fault = refuse(bridge, people[0])
    report = bridge.cycle()
    assert report.unwritten_stops > 0
    assert report.oldest_unwritten is not None
    assert timedelta(0) <= report.oldest_unwritten - told_at <= timedelta(seconds=TICK + 5)
    again = bridge.cycle()
    assert again.oldest_unwritten == report.oldest_unwritten
    bridge.director.clear_faults(fault)
    for _ in range(5):
        report = bridge.cycle()
    assert (report.unwritten_stops, report.oldest_unwritten) == (0, None)
    assert bridge.row(people[0])["Consent_Status__c"] == "Stopped"
    bridge.settle()
    assert bridge.differences() == []


def test_a_refusal_is_itself_a_decision_at_the_next_look(bridge: Living) -> None:
    people = three_who_said_no(bridge)
    bridge.tell(people[2], EventKind.GRANT, use=CALLS)
    refuse(bridge, people[0])
    refuse(bridge, people[2])
    assert bridge.cycle().writes["refused"] >= 2
    report = bridge.cycle()
    assert report.decisions["WRITE_FAILED_STOP_ESCALATED"] >= 1
    bridge.director.clear_faults()
    for _ in range(6):
        bridge.cycle()
    assert not any(code.startswith("WRITE_FAILED") for code in bridge.cycle().decisions)
    assert bridge.audit_is_intact()


def test_what_is_refused_is_tried_again_with_growing_pauses(bridge: Living) -> None:
    people = three_who_said_no(bridge)
    refuse(bridge, people[0])
    tried = []
    for minute in range(60):
        report = bridge.cycle()
        if report.writes.get("refused"):
            tried.append(minute)
    pauses = [later - earlier for earlier, later in pairwise(tried)]
    assert pauses == sorted(pauses)
    assert pauses[0] * TICK >= FIRST_PAUSE.total_seconds()
    assert pauses[-1] > 10
    assert bridge.audit_is_intact()


def test_a_stop_that_cannot_be_written_stops_the_heartbeat(bridge: Living) -> None:
    people = [bridge.meet() for _ in range(2)]
    bridge.settle()
    bridge.tell(people[0], EventKind.GRANT)
    bridge.settle()
    assert bridge.row(people[0])["May_Contact__c"] == "OK"
    bridge.tell(people[1], EventKind.WITHDRAW)
    fault = refuse(bridge, people[1])
    for _ in range(6):
        bridge.cycle(after=600)
    assert bridge.row(people[0])["May_Contact__c"] == "Wait"
    bridge.director.clear_faults(fault)
    for _ in range(7):
        bridge.cycle(after=600)
    assert unwritten(bridge) == 0
    assert bridge.row(people[0])["May_Contact__c"] == "OK"


def test_a_refusal_that_is_no_longer_needed_is_forgotten(bridge: Living) -> None:
    people = three_who_said_no(bridge)
    bridge.settle()
    bridge.tell(people[0], EventKind.GRANT, happened_at=bridge.director.now())
    fault = refuse(bridge, people[0])
    bridge.cycle()
    bridge.director.clear_faults(fault)
    bridge.director.admin.delete("Contact", people[0])
    bridge.settle()
    assert bridge.calls_of() == 1
    assert unwritten(bridge) == 0


def test_a_contact_waits_until_its_rows_show_the_permission(bridge: Living) -> None:
    contact_id = bridge.meet()
    bridge.settle()
    row_id = bridge.row(contact_id)["Id"]
    bridge.tell(contact_id, EventKind.GRANT)
    fault = refuse(bridge, row_id)
    report = bridge.cycle()
    assert report.writes == {"refused": 1, "skipped": 1}
    assert bridge.contact(contact_id)["Consent_Status__c"] == "Not asked"
    bridge.director.clear_faults(fault)
    for _ in range(3):
        bridge.cycle()
    assert bridge.contact(contact_id)["Consent_Status__c"] == "Partly permitted"
    assert bridge.row(contact_id)["Consent_Status__c"] == "Permitted"


def test_a_row_that_vanished_without_a_trace_is_made_anew(bridge: Living) -> None:
    contact_id = bridge.meet()
    bridge.settle()
    gone = bridge.row(contact_id)["Id"]
    bridge.director.purge(ROW, [gone])
    bridge.tell(contact_id, EventKind.WITHDRAW)
    bridge.cycle()
    row = bridge.row(contact_id)
    assert (row["Consent_Status__c"], row["Id"] != gone) == ("Stopped", True)
    bridge.settle()
    assert bridge.differences() == []
    assert bridge.audit_is_intact()


def test_a_contact_that_vanished_without_a_trace_is_closed(bridge: Living) -> None:
    contact_id = bridge.meet()
    bridge.settle()
    bridge.director.purge("Contact", [contact_id])
    bridge.tell(contact_id, EventKind.WITHDRAW)
    bridge.cycle()
    bridge.settle()
    assert bridge.calls_of() == 1
    assert unwritten(bridge) == 0
    assert bridge.is_stopped(contact_id, EMAIL)
    assert bridge.audit_is_intact()


def test_a_refusal_by_our_own_rules_is_decided_again_at_once_but_not_for_ever(
    bridge: Living,
) -> None:
    contact_id = bridge.meet()
    bridge.settle()
    row_id = bridge.row(contact_id)["Id"]
    bridge.tell(contact_id, EventKind.WITHDRAW)
    fault = refuse(bridge, row_id, message="[SB-REQUEST-MOVED] Read the row again.")
    report = bridge.cycle()
    assert report.writes == {"accepted": 1, "refused": ROUNDS_MAX}
    assert report.unwritten_stops == 1
    bridge.director.clear_faults(fault)
    bridge.cycle(after=600)
    assert bridge.row(contact_id)["Consent_Status__c"] == "Stopped"
    bridge.settle()
    assert bridge.differences() == []
    assert bridge.audit_is_intact()
