"""A Contact that vanished past the recycle bin is told of once, and nothing is written to it ever after."""

from salesforce_bridge.ledger import views
from salesforce_bridge.ledger.views import SealedEntry
from salesforce_bridge.permissions.events import EventKind
from salesforce_bridge.permissions.keys import ContactId
from salesforce_bridge.reconcile.facts import AMBIGUOUS, CLOSED_PURGED
from tests.integration.cycle.living import CALLS, EMAIL, POST, ROW, Living


def vanish(bridge: Living, contact_id: str) -> None:
    """Let a Contact and its rows be purged, and let the bridge find out: it has something to write."""
    rows = bridge.director.query(f"SELECT Id FROM {ROW} WHERE Contact__c = '{contact_id}'")
    bridge.director.purge(ROW, [each["Id"] for each in rows])
    bridge.director.purge("Contact", [contact_id])
    bridge.tell(contact_id, EventKind.WITHDRAW)
    bridge.settle()


def candidate(bridge: Living) -> str:
    """Somebody with the address of a person who said yes, and whose own Contact was deleted."""
    first = bridge.permitted()
    (known,) = bridge.director.query(f"SELECT Email FROM Contact WHERE Id = '{first}'")
    bridge.director.admin.delete("Contact", first)
    bridge.settle()
    contact_id = bridge.meet(email=known["Email"])
    bridge.settle()
    assert link_state(bridge, contact_id) == AMBIGUOUS
    return contact_id


def link_state(bridge: Living, contact_id: str) -> str:
    with bridge.ledger.reading() as tx:
        return tx.links_of(bridge.world.org_id, {ContactId(contact_id)})[
            ContactId(contact_id)
        ].state


def decided(bridge: Living, *, since: int = 0) -> list[SealedEntry]:
    """What was decided after an entry of the audit."""
    with bridge.ledger.reading() as tx:
        found = views.tail(tx, count=max(1, tx.head().seq - since))
    return [each for each in found if each.seq > since and each.kind == "DECISION"]


def ends_told(bridge: Living, contact_id: str) -> list[tuple[object, object]]:
    """Every time a Contact was told to be gone for good, and for which channel."""
    return sorted(
        (each.header["situation"], each.header["channel"])
        for each in decided(bridge)
        if each.payload is not None
        and each.payload["contact_id"] == contact_id
        and each.header["situation"] == "S17_CONTACT_PURGED"
    )


def seq_of(bridge: Living) -> int:
    with bridge.ledger.reading() as tx:
        return tx.head().seq


ONCE = sorted(("S17_CONTACT_PURGED", use.channel) for use in (EMAIL, CALLS, POST))


def test_the_end_of_a_candidate_is_told_once_though_its_link_stays_open(bridge: Living) -> None:
    contact_id = candidate(bridge)
    vanish(bridge, contact_id)
    assert link_state(bridge, contact_id) == AMBIGUOUS
    assert ends_told(bridge, contact_id) == ONCE
    # Whatever is told of the person later, the Contact is neither written to nor mourned again.
    bridge.tell(contact_id, EventKind.WITHDRAW, use=CALLS)
    assert bridge.cycle().writes == {}
    assert ends_told(bridge, contact_id) == ONCE
    assert bridge.is_stopped(contact_id)
    assert bridge.seen(contact_id).deleted
    assert bridge.audit_is_intact()


def test_a_second_look_at_the_same_world_seals_nothing_about_a_candidate_that_vanished(
    bridge: Living,
) -> None:
    contact_id = candidate(bridge)
    vanish(bridge, contact_id)
    before = seq_of(bridge)
    for _ in range(3):
        bridge.cycle()
    assert decided(bridge, since=before) == []
    assert bridge.calls_of() == 1


def test_a_contact_that_vanished_does_not_come_back_because_something_is_told_of_its_person(
    bridge: Living,
) -> None:
    contact_id = bridge.meet()
    bridge.settle()
    vanish(bridge, contact_id)
    assert link_state(bridge, contact_id) == CLOSED_PURGED
    bridge.tell(contact_id, EventKind.WITHDRAW, use=CALLS)
    before = seq_of(bridge)
    assert bridge.cycle().writes == {}
    assert link_state(bridge, contact_id) == CLOSED_PURGED
    assert decided(bridge, since=before) == []
    assert bridge.is_stopped(contact_id, CALLS)
    assert ends_told(bridge, contact_id) == ONCE
