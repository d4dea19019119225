"""People to be prompted for a renewal are added to the Campaign of the policy, once for each end."""

from collections.abc import Iterator

import pytest

from salesforce_bridge.ledger.store import Ledger
from salesforce_bridge.permissions.events import EventKind
from tests.integration.cycle.living import Living, living, policy
from tests.support.orgs import RunningOrg

DAY = 86_400
MEMBERS = "SELECT Id FROM CampaignMember"


@pytest.fixture
def renewing(org: RunningOrg, ledger: Ledger) -> Iterator[Living]:
    """A bridge whose headline purpose prompts by a Campaign; consent counts for ninety days."""
    campaign = org.director.admin.create("Campaign", Name="Say yes again")
    law = policy(
        max_age='"90d"', dpv_purpose=f'"dpv:DirectMarketing"\nrenewal_campaign = "{campaign}"'
    )
    with living(org, ledger, law=law) as opened:
        yield opened


def test_who_is_about_to_lapse_is_added_to_the_campaign_once(renewing: Living) -> None:
    contact_id = renewing.permitted()
    assert renewing.director.count(MEMBERS) == 0
    renewing.director.advance(31 * DAY)
    report = renewing.cycle()
    assert report.decisions["RENEWAL_PROMPT_DUE"] == 1
    renewing.settle()
    (member,) = renewing.director.query("SELECT ContactId FROM CampaignMember")
    assert member["ContactId"] == contact_id
    shown = renewing.director.query(
        f"SELECT Permission_Renew_By__c FROM Contact WHERE Id = '{contact_id}'"
    )
    assert shown[0]["Permission_Renew_By__c"] is not None
    assert renewing.calls_of() == 1
    # The next prompt before the same end says it again, and is no second member.
    renewing.director.advance(31 * DAY)
    renewing.settle()
    assert renewing.director.count(MEMBERS) == 1
    assert renewing.differences() == []
    assert renewing.audit_is_intact()


def test_a_member_whom_somebody_has_added_already_counts_as_written(renewing: Living) -> None:
    contact_id = renewing.permitted()
    campaign = renewing.director.query("SELECT Id FROM Campaign")[0]["Id"]
    renewing.director.admin.create("CampaignMember", CampaignId=campaign, ContactId=contact_id)
    renewing.director.advance(31 * DAY)
    report = renewing.cycle()
    assert report.writes.get("refused", 0) == 0
    renewing.settle()
    assert renewing.director.count(MEMBERS) == 1


def test_whoever_said_no_is_never_added(renewing: Living) -> None:
    contact_id = renewing.permitted()
    renewing.tell(contact_id, EventKind.WITHDRAW)
    renewing.settle()
    renewing.director.advance(31 * DAY)
    renewing.settle()
    assert renewing.director.count(MEMBERS) == 0


def test_an_org_without_campaigns_renews_without_them(renewing: Living) -> None:
    contact_id = renewing.permitted()
    renewing.director.set_feature("Campaign", on=False)
    renewing.director.advance(31 * DAY)
    renewing.settle()
    assert renewing.row(contact_id)["May_Contact__c"] == "OK"
    assert renewing.calls_of() == 1
