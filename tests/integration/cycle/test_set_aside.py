"""One record that cannot be understood is sealed and set aside; everybody else is served."""

from collections.abc import Iterator

import pytest

from salesforce_bridge.ledger import views
from salesforce_bridge.ledger.store import Ledger
from salesforce_bridge.ledger.values import Backfill
from salesforce_bridge.permissions.keys import Channel, PurposeKey, Use
from salesforce_bridge.salesforce.faults import RecordMalformed
from tests.integration.cycle.living import EMAIL, Living, living
from tests.integration.salesforce.opened import gateway_to
from tests.support.orgs import RunningOrg

SPOILT = '(?<="HasOptedOutOfFax":)true'
FAX = Use(purpose=PurposeKey("*"), channel=Channel("FAX"))


@pytest.fixture
def collecting(org: RunningOrg, ledger: Ledger) -> Iterator[Living]:
    """A bridge that sets records aside, in chunks of two."""
    aside: list[RecordMalformed] = []
    gateway = gateway_to(org, set_aside=aside.append)
    with living(org, ledger, gateway=gateway, chunk=2, aside=aside) as opened:
        yield opened


def deeds_of(bridge: Living) -> int:
    """How often it was sealed that a record could not be understood."""
    with bridge.ledger.reading() as tx:
        return sum(
            "RECORD_MALFORMED" in f"{each.header}{each.payload}"
            for each in views.tail(tx, count=500)
        )


def test_a_spoilt_contact_keeps_nobody_else_from_being_judged(collecting: Living) -> None:
    bridge = collecting
    spoilt = bridge.meet(HasOptedOutOfFax=True)
    others = [bridge.meet(HasOptedOutOfEmail=True) for _ in range(3)]
    bridge.director.fault(garble=SPOILT)
    report = bridge.cycle()
    assert report.backfill is Backfill.COMPLETE
    assert report.errors >= 1
    assert not report.clean
    assert all(bridge.is_stopped(other, EMAIL) for other in others)
    assert bridge.audit_is_intact()
    # Nobody changes anything, and the overlap is long over: it is asked for until it can be understood.
    bridge.cycle(after=3_600)
    sealed = deeds_of(bridge)
    assert bridge.cycle(after=3_600).errors == 1
    assert deeds_of(bridge) == sealed == 1
    bridge.director.clear_faults()
    bridge.settle()
    assert bridge.is_stopped(spoilt, FAX)
    assert bridge.calls_of() == 1
    assert bridge.differences() == []


def test_somebody_known_who_is_spoilt_is_not_taken_for_gone(collecting: Living) -> None:
    bridge = collecting
    known = bridge.meet(HasOptedOutOfFax=True)
    bridge.settle()
    before = bridge.person(known)
    bridge.director.fault(garble=SPOILT)
    bridge.director.restamp("Contact", [known])
    report = bridge.cycle()
    assert report.errors == 1
    assert not report.decisions
    assert bridge.person(known) == before
    bridge.director.clear_faults()
    assert bridge.cycle().errors == 0
    assert bridge.audit_is_intact()
