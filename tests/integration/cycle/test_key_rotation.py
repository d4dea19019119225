"""A new key for the addresses: everybody is read once, and nothing that was said before is lost."""

from collections.abc import Iterator

import pytest

from salesforce_bridge.ledger import views
from salesforce_bridge.ledger.store import Deed, Ledger
from salesforce_bridge.ledger.values import OldKeys
from salesforce_bridge.permissions.conditions import Condition, ConditionKind
from salesforce_bridge.permissions.contact_points import PointKeys, PointType
from salesforce_bridge.permissions.events import EventKind
from salesforce_bridge.permissions.keys import ContactId
from tests.integration.cycle.living import Living, erased, living
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


def answers_no_more(bridge: Living, contact_id: str) -> None:
    """Let a mail server say that nobody reads the address of a Contact."""
    (address,) = {p.hmac for p in bridge.seen(contact_id).points if p.type is PointType.EMAIL}
    at = bridge.world.clock()
    fact = Condition(
        id=f"bounced-{contact_id}",
        subject_id=bridge.person(contact_id).subject_id,
        kind=ConditionKind.UNDELIVERABLE,
        ref="bounce 5.1.1",
        point=address,
        valid_from=at,
    )
    deed = Deed(verb="IMPORT", by="tests", reason="TOLD")
    with bridge.ledger.begin() as tx:
        tx.append_deed(deed, at=at, policy=bridge.world.policy, conditions=[fact])


def test_what_was_told_of_an_address_under_the_old_key_holds_under_the_new_one(
    bridge: Living, rotated: Living
) -> None:
    contact_id = bridge.permitted()
    answers_no_more(bridge, contact_id)
    bridge.settle()
    assert bridge.row(contact_id)["May_Contact__c"] != "OK"
    rotated.settle()
    assert rotated.row(contact_id)["May_Contact__c"] != "OK"
    # It was told of that address, and of no other.
    rotated.director.rep.update("Contact", contact_id, Email="new@example.org")
    rotated.settle()
    rotated.tell(contact_id, EventKind.GRANT, happened_at=rotated.world.clock())
    rotated.settle()
    assert rotated.row(contact_id)["May_Contact__c"] == "OK"


def test_an_address_silenced_under_the_old_key_is_silenced_under_the_new_one_when_it_is_seen(
    bridge: Living, rotated: Living
) -> None:
    gone = bridge.meet(email=SHARED)
    bridge.settle()
    old = {point.hmac for point in bridge.seen(gone).points}
    erased(bridge, gone)
    new_one = rotated.meet(email=SHARED, Phone=None)
    rotated.settle()
    assert rotated.is_silent(new_one)
    assert rotated.contact(new_one)["Consent_Status__c"] == "Stopped"
    (now,) = rotated.seen(new_one).points
    with rotated.ledger.reading() as tx:
        (silent,) = tx.suppressions([now.hmac])
        kept = tx.suppressions(old)
    assert (silent.key_version, silent.after_erasure) == (2, True)
    assert {each.key_version for each in kept} == {1}
    assert silent.since in {each.since for each in kept}
    assert rotated.audit_is_intact()


def test_one_silent_number_of_two_does_not_silence_the_other_under_the_new_key(
    bridge: Living, rotated: Living
) -> None:
    gone = bridge.meet(email=SHARED, Phone="+44 20 7946 0111")
    bridge.settle()
    erased(bridge, gone)
    bridge.director.admin.delete("Contact", gone)
    bridge.settle()
    bridge.director.purge("Contact", [gone])  # else the recycle bin tells which number it was
    other = rotated.meet(Phone="+44 20 7946 0111", MobilePhone="+44 20 7946 0222")
    rotated.settle()
    numbers = [p.hmac for p in rotated.seen(other).points if p.type is PointType.PHONE]
    with rotated.ledger.reading() as tx:
        assert tx.suppressions(numbers) == ()
        told = views.contact(tx, rotated.world.org_id, ContactId(other))
    assert told is not None
    assert [each.key_version for each in told.record.suppressions] == [1]
    assert rotated.contact(other)["Consent_Status__c"] == "Stopped"


def test_what_rests_on_the_old_key_is_counted_until_it_is_told_anew(
    bridge: Living, rotated: Living
) -> None:
    contact_id = bridge.permitted()
    answers_no_more(bridge, contact_id)
    erased(bridge, bridge.meet(email=SHARED, Phone=None))
    rotated.settle()
    with rotated.ledger.reading() as tx:
        assert tx.resting_on_old_keys(current=2) == OldKeys(suppressions=1, conditions=1, grants=1)
        assert tx.resting_on_old_keys(current=1).grants == 0
    rotated.tell(contact_id, EventKind.GRANT)
    with rotated.ledger.reading() as tx:
        assert tx.resting_on_old_keys(current=2).grants == 0


def test_points_end_up_under_the_new_key(bridge: Living, rotated: Living) -> None:
    contact_id = bridge.meet()
    bridge.settle()
    rotated.settle()
    live = [held.point for held in rotated.person(contact_id).points if not held.retired]
    assert {each.key_version for each in live} == {2}
