"""Who is judged along with whom: everybody who shares an address, under any key, and whoever took somebody over."""

from collections.abc import Iterator

import pytest

from salesforce_bridge.ledger.store import Ledger
from salesforce_bridge.permissions.events import EventKind
from salesforce_bridge.permissions.keys import ContactId
from salesforce_bridge.reconcile.dossiers import Sight
from salesforce_bridge.sight import Reading, closed, lay_in_sight
from tests.integration.cycle.living import Living, erased, living
from tests.integration.cycle.test_key_rotation import BOTH
from tests.integration.salesforce.opened import gateway_to
from tests.support.orgs import RunningOrg

SHARED = "info@example.org"


@pytest.fixture
def rotated(org: RunningOrg, ledger: Ledger) -> Iterator[Living]:
    """The same bridge with a second key."""
    with living(org, ledger, gateway=gateway_to(org, keys=BOTH)) as opened:
        yield opened


def concerned(bridge: Living, contact_id: str) -> frozenset[ContactId]:
    """Everybody who is judged where somebody is looked at, and nobody is read."""
    with bridge.ledger.reading() as tx:
        return closed(tx, bridge.world.org_id, frozenset({ContactId(contact_id)}), {}, {})


def sight_of(bridge: Living, contact_id: str) -> Sight:
    """All that is laid beside one Contact."""
    judged = frozenset({ContactId(contact_id)})
    reading = Reading(asked_for=frozenset(), contacts={}, rows={}, judged=judged)
    with bridge.ledger.reading() as tx:
        return lay_in_sight(tx, bridge.world.org_id, reading)


def test_an_address_that_only_the_mirror_remembers_brings_in_who_shares_it(bridge: Living) -> None:
    gone, other = bridge.meet(email=SHARED), bridge.meet(email=SHARED)
    bridge.settle()
    erased(bridge, gone)
    assert not bridge.person(gone).points
    assert concerned(bridge, gone) >= {gone, other}


def test_an_address_under_the_old_key_brings_in_who_is_known_by_it_alone(
    bridge: Living, rotated: Living
) -> None:
    known_of_old = bridge.meet(email=SHARED)
    bridge.settle()
    bridge.director.admin.delete("Contact", known_of_old)
    bridge.settle()
    back = rotated.meet(email="new@example.org")
    rotated.settle()
    rotated.director.rep.update("Contact", back, Email=SHARED)
    rotated.settle()
    assert rotated.person(known_of_old).subject_id in sight_of(rotated, back).records


def test_whoever_took_a_merged_contact_over_is_judged_with_it_through_every_merge(
    bridge: Living,
) -> None:
    first, second, third = bridge.meet(), bridge.meet(), bridge.meet()
    bridge.settle()
    for winner, loser in ((second, first), (third, second)):
        bridge.director.admin.merge("Contact", winner, [loser])
        bridge.settle()
    assert third in concerned(bridge, first)
    bridge.tell(third, EventKind.STOP_ALL)
    bridge.settle()
    bridge.director.admin.undelete("Contact", first)
    bridge.settle()
    assert bridge.is_stopped(first)


def test_a_contact_that_was_created_again_brings_in_who_shares_what_it_had_before(
    bridge: Living,
) -> None:
    before, other = bridge.meet(email=SHARED), bridge.meet()  # of one company, with one number
    bridge.settle()
    bridge.director.admin.delete("Contact", before)
    bridge.settle()
    again = ContactId(bridge.meet(email=SHARED, Phone=None))
    read = {each.contact_id: each for each in bridge.world.gateway.contacts({again})}
    with bridge.ledger.reading() as tx:
        found = closed(tx, bridge.world.org_id, frozenset({again}), read, {})
    assert found == {again, other}


def test_an_address_that_only_the_ledger_knows_is_silent_in_every_sight(bridge: Living) -> None:
    before = "before@example.org"
    moved, other, third = bridge.meet(email=before), bridge.meet(), bridge.meet(email=before)
    bridge.settle()
    for contact_id in (moved, other):
        bridge.director.rep.update("Contact", contact_id, Email=SHARED)
    bridge.settle()
    erased(bridge, third)
    kept = {each.point.hmac for each in bridge.person(moved).points if each.retired}
    told = {each.hmac for each in sight_of(bridge, other).suppressions}
    assert kept & told
