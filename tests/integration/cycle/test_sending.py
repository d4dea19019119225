"""What goes out while a bridge is told to end, and what a refusal does to the lights."""

from datetime import timedelta
from functools import partial

from salesforce_bridge.cycle import run_cycle
from salesforce_bridge.permissions.events import EventKind
from tests.integration.cycle.living import TICK, Living


def test_nothing_that_loosens_is_sent_once_the_bridge_was_told_to_end(bridge: Living) -> None:
    person = bridge.meet()
    bridge.settle()
    bridge.tell(person, EventKind.GRANT)
    bridge.director.advance(TICK)
    turns = iter(
        [True]
    )  # the batch may begin; before its writes go out, another bridge holds the lease
    run_cycle(
        bridge.world,
        stops_only=False,
        deadline=bridge.world.clock() + timedelta(hours=1),
        go_on=partial(next, turns, False),
    )
    assert bridge.row(person)["Consent_Status__c"] == "Not asked"
    bridge.settle()
    assert bridge.row(person)["Consent_Status__c"] == "Permitted"
    assert bridge.audit_is_intact()


def test_a_hold_that_salesforce_refuses_puts_out_the_lights(bridge: Living) -> None:
    person = bridge.meet()
    bridge.settle()
    bridge.tell(person, EventKind.GRANT)
    bridge.settle()
    assert bridge.row(person)["May_Contact__c"] == "OK"
    bridge.director.fault(
        rows={"status_code": "FIELD_CUSTOM_VALIDATION_EXCEPTION", "match": "Limited"}
    )
    bridge.tell(person, EventKind.HOLD)
    for _ in range(5):
        bridge.cycle(after=600)
    assert bridge.row(person)["May_Contact__c"] == "Wait"
