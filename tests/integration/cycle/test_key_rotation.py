"""A new key for the addresses: everybody is read once, and nothing that was said before is lost."""

from collections.abc import Iterator

import pytest

from salesforce_bridge.ledger.store import Ledger
from salesforce_bridge.permissions.contact_points import PointKeys
from salesforce_bridge.permissions.events import EventKind
from tests.integration.cycle.living import Living, living
from tests.integration.salesforce.opened import gateway_to
from tests.support.orgs import RunningOrg
from tests.unit.salesforce.scripted import KEYS

BOTH = PointKeys(current=2, keys={**KEYS.keys, 2: b"n" * 32}, controller=KEYS.controller)
SHARED = "info@example.org"


@pytest.fixture
def rotated(org: RunningOrg, ledger: Ledger) -> Iterator[Living]:
    """The same bridge with a second key."""
    with living(org, ledger, gateway=gateway_to(org, keys=BOTH)) as opened:
        yield opened


def test_a_new_key_changes_what_nobody_was_told(bridge: Living, rotated: Living) -> None:
    yes, no = bridge.permitted(), bridge.meet(email=SHARED)
    bridge.settle()
    bridge.tell(no, EventKind.WITHDRAW)
    bridge.settle()
    report = rotated.cycle()
    assert report.read == 2
    assert report.writes == {}
    assert "CONTACT_POINT_REKEYED" not in report.decisions
    rotated.settle()
    assert rotated.row(yes)["May_Contact__c"] == "OK"
    assert rotated.is_stopped(no)
    assert rotated.calls_of() == 1
    assert rotated.differences() == []
    assert rotated.audit_is_intact()


def test_a_stop_from_before_the_new_key_reaches_who_shares_the_address_after_it(
    bridge: Living, rotated: Living
) -> None:
    no = bridge.meet(email=SHARED)
    bridge.settle()
    bridge.tell(no, EventKind.WITHDRAW)
    bridge.settle()
    other = rotated.meet(email=SHARED)
    rotated.settle()
    assert rotated.is_stopped(other)


def test_a_stop_after_the_new_key_reaches_who_was_met_before_it(
    bridge: Living, rotated: Living
) -> None:
    before = bridge.meet(email=SHARED)
    bridge.settle()
    rotated.settle()
    after = rotated.meet(email=SHARED, HasOptedOutOfEmail=True)
    rotated.settle()
    assert rotated.is_stopped(before)
    assert rotated.is_stopped(after)


def test_points_end_up_under_the_new_key(bridge: Living, rotated: Living) -> None:
    contact_id = bridge.meet()
    bridge.settle()
    rotated.settle()
    live = [held.point for held in rotated.person(contact_id).points if not held.retired]
    assert {each.key_version for each in live} == {2}
