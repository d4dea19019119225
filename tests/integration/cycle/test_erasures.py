"""Once the Contact of an erased person is gone from the org, the mirror holds nothing that leads to them."""

from dataclasses import replace

from salesforce_bridge.ledger.cases import new_case
from salesforce_bridge.permissions.rights import CaseKind, CaseState
from tests.integration.cycle.living import Living

SHARED = "erased@example.org"


def erased_by_case(bridge: Living, contact_id: str) -> None:
    """Let the person ask for it, and two people do it."""
    bridge.privacy_record(contact_id, ShouldForget=True)
    bridge.settle()
    (case,) = bridge.person(contact_id).cases
    assert case.kind is CaseKind.ERASURE
    with bridge.ledger.begin() as tx:
        tx.close_case(
            replace(case, state=CaseState.DONE),
            by="anna",
            approved_by="ben",
            at=bridge.world.clock(),
            policy=bridge.world.policy,
        )
    bridge.settle()


def gone_without_a_trace(bridge: Living, contact_id: str) -> None:
    seen = bridge.seen(contact_id)
    assert (seen.points, seen.older, seen.country) == ((), (), None)
    assert bridge.person(contact_id).cases == ()
    assert bridge.differences() == []
    assert bridge.audit_is_intact()


def test_while_the_contact_is_there_its_addresses_are_known_to_be_silent(bridge: Living) -> None:
    contact_id = bridge.meet(email=SHARED)
    bridge.settle()
    erased_by_case(bridge, contact_id)
    assert bridge.seen(contact_id).points
    assert bridge.is_silent(contact_id)


def test_a_contact_in_the_recycle_bin_leaves_no_trace(bridge_on_either: Living) -> None:
    bridge = bridge_on_either
    contact_id = bridge.meet(email=SHARED)
    bridge.settle()
    erased_by_case(bridge, contact_id)
    bridge.director.admin.delete("Contact", contact_id)
    bridge.settle()
    gone_without_a_trace(bridge, contact_id)
    # Whoever comes back with that address is as silent as before.
    again = bridge.meet(email=SHARED)
    bridge.settle()
    assert bridge.is_silent(again)


def test_a_contact_that_was_in_the_bin_before_leaves_no_trace_and_no_open_case(
    bridge: Living,
) -> None:
    contact_id = bridge.meet(email=SHARED)
    bridge.settle()
    bridge.director.admin.delete("Contact", contact_id)
    bridge.settle()
    assert bridge.seen(contact_id).points
    at, law = bridge.world.clock(), bridge.world.policy
    case = new_case(
        bridge.person(contact_id).subject_id,
        CaseKind.ERASURE,
        received_at=at,
        policy=law,
        jurisdiction="UK",
    )
    with bridge.ledger.begin() as tx:
        tx.open_case(case, by="anna", at=at, policy=law)
        done = replace(case, state=CaseState.DONE)
        tx.close_case(done, by="anna", approved_by="ben", at=at, policy=law)
    gone_without_a_trace(bridge, contact_id)
    bridge.settle()
    gone_without_a_trace(bridge, contact_id)


def test_a_contact_taken_out_of_the_bin_is_silent_again(bridge: Living) -> None:
    contact_id = bridge.meet(email=SHARED)
    bridge.settle()
    erased_by_case(bridge, contact_id)
    bridge.director.admin.delete("Contact", contact_id)
    bridge.settle()
    bridge.director.admin.undelete("Contact", contact_id)
    bridge.settle()
    assert bridge.seen(contact_id).points
    assert bridge.is_silent(contact_id)
    assert bridge.contact(contact_id)["Consent_Status__c"] == "Stopped"
