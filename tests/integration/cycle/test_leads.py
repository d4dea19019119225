"""A stop follows the person: what a Lead said no to, the Contact that it became has said no to."""

import re

import pytest

from salesforce_bridge.ledger.store import Ledger
from salesforce_bridge.permissions.keys import Channel, PurposeKey, Use
from salesforce_bridge.salesforce.faults import RecordMalformed
from tests.integration.cycle.living import CALLS, EMAIL, Living, living
from tests.integration.salesforce.opened import gateway_to
from tests.support.orgs import RunningOrg

FAX = Use(purpose=PurposeKey("*"), channel=Channel("FAX"))


def converted(bridge: Living, **flags: bool) -> str:
    """Somebody who was a Lead."""
    lead = bridge.director.rep.create(
        "Lead", LastName="Lead", Company="Acme", Email="lead@example.org", **flags
    )
    return bridge.director.rep.convert_lead(lead).contact_id


@pytest.mark.parametrize(
    ("flag", "use"),
    [("HasOptedOutOfEmail", EMAIL), ("DoNotCall", CALLS), ("HasOptedOutOfFax", FAX)],
)
def test_the_stop_of_a_lead_is_the_stop_of_its_contact(bridge: Living, flag: str, use: Use) -> None:
    contact_id = converted(bridge, **{flag: True})
    # The conversion carries no flags over: only the Lead still knows.
    bridge.director.admin.update("Contact", contact_id, **{flag: False})
    bridge.settle()
    assert bridge.is_stopped(contact_id, use)
    assert bridge.contact(contact_id)[flag] is True
    assert bridge.audit_is_intact()


def test_a_lead_is_asked_for_once(bridge: Living) -> None:
    contact_id = converted(bridge, DoNotCall=True)
    bridge.director.reset_calls()
    bridge.cycle()
    asked = [each for call in bridge.director.calls() for each in call.subrequests]
    assert sum("FROM%20Lead" in each and "ConvertedContactId%20IN" in each for each in asked) == 1
    bridge.settle()
    bridge.director.reset_calls()
    bridge.director.rep.update("Contact", contact_id, Phone="+44 20 7946 0999")
    bridge.cycle()
    asked = [each for call in bridge.director.calls() for each in call.subrequests]
    assert not any("ConvertedContactId%20IN" in each for each in asked)


def leads_asked_for(bridge: Living) -> list[str]:
    """By which column Leads were asked for since the calls were last counted."""
    asked = [each for call in bridge.director.calls() for each in call.subrequests]
    found = (re.search(r"FROM%20Lead%20WHERE%20(\w+)%20IN", each) for each in asked)
    return [each[1] for each in found if each is not None]


def test_a_lead_that_cannot_be_understood_is_asked_for_until_it_can_be(
    org: RunningOrg, ledger: Ledger
) -> None:
    aside: list[RecordMalformed] = []
    gateway = gateway_to(org, set_aside=aside.append)
    with living(org, ledger, gateway=gateway, aside=aside) as bridge:
        contact_id = converted(bridge, HasOptedOutOfFax=True)
        bridge.director.admin.update("Contact", contact_id, HasOptedOutOfFax=False)
        bridge.director.fault(garble='(?<="HasOptedOutOfFax":)true')
        bridge.director.reset_calls()
        assert bridge.cycle().errors == 1
        assert leads_asked_for(bridge) == ["ConvertedContactId"]
        for _ in range(2):
            bridge.director.reset_calls()
            assert bridge.cycle(after=3_600).errors == 1
            assert leads_asked_for(bridge) == ["Id"]
        bridge.director.clear_faults()
        bridge.director.reset_calls()
        report = bridge.cycle(after=3_600)
        assert (report.errors, report.read) == (0, 1)
        assert leads_asked_for(bridge) == ["Id"]
        lead = bridge.seen(contact_id).lead
        assert lead is not None
        assert lead.opted_out_of_fax
        assert bridge.is_stopped(contact_id, FAX)
        bridge.settle()
        assert bridge.contact(contact_id)["HasOptedOutOfFax"] is True
        assert bridge.calls_of() == 1
        assert bridge.differences() == []
        assert bridge.audit_is_intact()


def test_a_lead_without_stops_stops_nobody(bridge: Living) -> None:
    contact_id = converted(bridge)
    bridge.settle()
    assert not bridge.is_stopped(contact_id)
    assert not bridge.is_stopped(contact_id, CALLS)


def test_an_org_without_leads_is_read_all_the_same(bridge: Living) -> None:
    bridge.director.set_feature("Lead", on=False)
    contact_id = bridge.meet(DoNotCall=True)
    bridge.settle()
    assert "Lead" not in bridge.world.gateway.features
    assert bridge.is_stopped(contact_id, CALLS)
    assert bridge.calls_of() == 1
