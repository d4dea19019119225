"""Campaigns and their members: everybody once, and nobody without the campaign."""

from collections.abc import Callable

import pytest
import requests

from salesforce_bridge.simulator.director import Refused
from tests.support.orgs import RunningOrg

Ask = Callable[..., requests.Response]


def a_campaign(org: RunningOrg) -> str:
    """A campaign that marketing made."""
    return org.director.admin.create("Campaign", Name="Renewals", IsActive=True)


def a_contact(org: RunningOrg) -> str:
    """Somebody to approach."""
    return org.director.rep.create("Contact", LastName="Member")


def members(org: RunningOrg, campaign: str) -> list[str]:
    """The Contacts in a campaign."""
    soql = (
        f"SELECT ContactId FROM CampaignMember WHERE CampaignId = '{campaign}' ORDER BY ContactId"
    )
    return [str(found["ContactId"]) for found in org.director.query(soql)]


def test_the_bridge_adds_a_contact_to_a_campaign_once(org: RunningOrg, ask: Ask) -> None:
    campaign, contact = a_campaign(org), a_contact(org)
    body = {"CampaignId": campaign, "ContactId": contact}
    made = ask("POST", "sobjects/CampaignMember", json=body)
    assert made.status_code == 201
    assert made.json()["id"].startswith("00v")
    assert campaign.startswith("701")

    again = ask("POST", "sobjects/CampaignMember", json=body)
    assert (again.status_code, again.json()[0]["errorCode"]) == (400, "DUPLICATE_VALUE")
    assert members(org, campaign) == [contact]


def test_members_are_added_in_collections_row_by_row(org: RunningOrg, ask: Ask) -> None:
    campaign, first, second = a_campaign(org), a_contact(org), a_contact(org)
    records = [
        {"attributes": {"type": "CampaignMember"}, "CampaignId": campaign, "ContactId": contact}
        for contact in (first, first, second)
    ]
    answer = ask("POST", "composite/sobjects", json={"allOrNone": False, "records": records})
    assert [row["success"] for row in answer.json()] == [True, False, True]
    assert answer.json()[1]["errors"][0]["statusCode"] == "DUPLICATE_VALUE"
    assert members(org, campaign) == [first, second]


def test_a_member_needs_a_campaign_and_somebody(org: RunningOrg, ask: Ask) -> None:
    campaign, contact = a_campaign(org), a_contact(org)
    for body in ({"CampaignId": campaign}, {"ContactId": contact}):
        answer = ask("POST", "sobjects/CampaignMember", json=body)
        assert answer.json()[0]["errorCode"] == "REQUIRED_FIELD_MISSING"
    org.director.admin.delete("Campaign", campaign)
    body = {"CampaignId": campaign, "ContactId": contact}
    gone = ask("POST", "sobjects/CampaignMember", json=body)
    assert gone.json()[0]["errorCode"] == "ENTITY_IS_DELETED"


def test_members_go_and_come_back_with_their_campaign_or_their_contact(org: RunningOrg) -> None:
    campaign, contact = a_campaign(org), a_contact(org)
    org.director.admin.create("CampaignMember", CampaignId=campaign, ContactId=contact)
    for name, record in (("Campaign", campaign), ("Contact", contact)):
        org.director.admin.delete(name, record)
        assert members(org, campaign) == []
        org.director.admin.undelete(name, record)
        assert members(org, campaign) == [contact]


def test_a_merge_leaves_the_winner_once_in_a_campaign(org: RunningOrg) -> None:
    both, one = a_campaign(org), a_campaign(org)
    winner, loser = a_contact(org), a_contact(org)
    for campaign, contact in ((both, winner), (both, loser), (one, loser)):
        org.director.admin.create("CampaignMember", CampaignId=campaign, ContactId=contact)
    org.director.rep.merge("Contact", winner, [loser])
    assert members(org, both) == [winner]
    assert members(org, one) == [winner]


def test_the_campaigns_of_a_lead_learn_of_its_contact(org: RunningOrg) -> None:
    campaign = a_campaign(org)
    lead = org.director.rep.create("Lead", LastName="Prospect", Company="Prospects")
    org.director.admin.create("CampaignMember", CampaignId=campaign, LeadId=lead)
    made = org.director.rep.convert_lead(lead)
    assert members(org, campaign) == [made.contact_id]
    with pytest.raises(Refused, match="DUPLICATE_VALUE"):
        org.director.admin.create("CampaignMember", CampaignId=campaign, ContactId=made.contact_id)


def test_who_may_not_edit_campaigns_cannot_add_members(org: RunningOrg) -> None:
    campaign, contact = a_campaign(org), a_contact(org)
    with pytest.raises(Refused, match="CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY"):
        org.director.rep.create("CampaignMember", CampaignId=campaign, ContactId=contact)
    with pytest.raises(Refused, match="CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY"):
        org.director.integration.create("Campaign", Name="Not its business")


def test_an_org_without_campaigns_knows_neither_them_nor_members(org: RunningOrg, ask: Ask) -> None:
    campaign, contact = a_campaign(org), a_contact(org)
    org.director.admin.create("CampaignMember", CampaignId=campaign, ContactId=contact)
    org.director.set_feature("Campaign", on=False)
    for name in ("Campaign", "CampaignMember"):
        refused = ask("GET", "query", params={"q": f"SELECT Id FROM {name}"})
        assert refused.json()[0]["errorCode"] == "INVALID_TYPE"
        assert ask("GET", f"sobjects/{name}/describe").status_code == 404
    assert ask("POST", "sobjects/CampaignMember", json={}).status_code == 404
