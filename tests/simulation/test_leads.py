"""Leads and what becomes of them: a Contact that carries their values on, and a closed Lead."""

from collections.abc import Callable
from typing import Any

import pytest
import requests

from salesforce_bridge.simulator.director import Refused
from tests.support.orgs import RunningOrg

Ask = Callable[..., requests.Response]


def a_lead(org: RunningOrg, **fields: Any) -> str:
    """A Lead that a rep wrote down."""
    given = {"LastName": "Prospect", "Company": "Prospects", **fields}
    return org.director.rep.create("Lead", **given)


def the(org: RunningOrg, object_name: str, record_id: str, *fields: str) -> tuple[Any, ...]:
    """Fields of one record, deleted or not."""
    soql = f"SELECT {', '.join(fields)} FROM {object_name} WHERE Id = '{record_id}'"
    record = org.director.query(soql, all_rows=True)[0]
    return tuple(record[field] for field in fields)


def test_a_new_contact_takes_over_the_values_of_its_lead(org: RunningOrg) -> None:
    individual = org.director.admin.create("Individual", LastName="Prospect")
    lead = a_lead(
        org,
        Email="prospect@example.org",
        City="Wien",
        Country="Austria",
        HasOptedOutOfEmail=True,
        IndividualId=individual,
    )
    made = org.director.rep.convert_lead(lead)

    fields = ("LastName", "Email", "MailingCity", "HasOptedOutOfEmail", "DoNotCall", "IndividualId")
    assert the(org, "Contact", made.contact_id, *fields, "AccountId") == (
        "Prospect",
        "prospect@example.org",
        "Wien",
        True,
        False,
        individual,
        made.account_id,
    )
    assert the(org, "Account", made.account_id, "Name", "BillingCountry") == (
        "Prospects",
        "Austria",
    )


def test_a_contact_that_is_there_keeps_its_own_values_and_its_unticked_boxes(
    org: RunningOrg,
) -> None:
    account = org.director.rep.create("Account", Name="Known")
    contact = org.director.rep.create(
        "Contact", LastName="Known", AccountId=account, Email="known@example.org"
    )
    lead = a_lead(org, Email="prospect@example.org", Title="Chief", DoNotCall=True)
    made = org.director.rep.convert_lead(lead, contact_id=contact)

    assert (made.contact_id, made.account_id) == (contact, account)
    kept = the(org, "Contact", contact, "LastName", "Email", "Title", "DoNotCall")
    # The stop of the Lead stays on the Lead: whoever minds stops must look there.
    assert kept == ("Known", "known@example.org", "Chief", False)
    assert the(org, "Lead", lead, "DoNotCall") == (True,)


def test_a_converted_lead_is_closed_dated_and_found_by_its_contact(
    org: RunningOrg, ask: Ask
) -> None:
    lead = a_lead(org, HasOptedOutOfFax=True)
    assert the(org, "Lead", lead, "IsConverted", "ConvertedDate") == (False, None)
    org.director.advance(60)
    made = org.director.rep.convert_lead(lead)

    soql = (
        "SELECT Id, IsConverted, ConvertedDate, ConvertedAccountId, HasOptedOutOfFax FROM Lead"
        f" WHERE ConvertedContactId IN ('{made.contact_id}')"
    )
    (found,) = ask("GET", "query", params={"q": soql}).json()["records"]
    assert found["Id"] == lead
    assert (found["IsConverted"], found["HasOptedOutOfFax"]) == (True, True)
    assert found["ConvertedDate"] == org.director.now().date().isoformat()
    assert found["ConvertedAccountId"] == made.account_id


def test_a_converted_lead_cannot_be_changed_merged_or_converted_again(org: RunningOrg) -> None:
    lead, other = a_lead(org), a_lead(org)
    org.director.rep.convert_lead(lead)
    for attempt in (
        lambda: org.director.admin.update("Lead", lead, Title="Too late"),
        lambda: org.director.admin.merge("Lead", other, [lead]),
        lambda: org.director.rep.convert_lead(lead),
    ):
        with pytest.raises(Refused, match="CANNOT_UPDATE_CONVERTED_LEAD"):
            attempt()
    with pytest.raises(Refused, match="INVALID_FIELD_FOR_INSERT_UPDATE"):
        org.director.rep.update("Lead", other, IsConverted=True)


def test_a_conversion_that_is_refused_leaves_nothing_behind(org: RunningOrg) -> None:
    lead, elsewhere = a_lead(org), org.director.rep.create("Account", Name="Elsewhere")
    at_home = org.director.rep.create("Account", Name="Home")
    contact = org.director.rep.create("Contact", LastName="Home", AccountId=at_home)
    accounts = org.director.count("SELECT COUNT() FROM Account")

    with pytest.raises(Refused, match="not associated with the account"):
        org.director.rep.convert_lead(lead, contact_id=contact, account_id=elsewhere)
    with pytest.raises(Refused, match="INSUFFICIENT_ACCESS_OR_READONLY"):
        org.director.integration.convert_lead(lead)
    assert the(org, "Lead", lead, "IsConverted", "Status") == (False, "Open - Not Contacted")
    assert org.director.count("SELECT COUNT() FROM Account") == accounts


def test_a_merged_contact_hands_its_former_lead_to_the_winner(org: RunningOrg) -> None:
    lead = a_lead(org, DoNotCall=True)
    loser = org.director.rep.convert_lead(lead).contact_id
    winner = org.director.rep.create("Contact", LastName="Winner")
    org.director.rep.merge("Contact", winner, [loser])
    assert the(org, "Lead", lead, "ConvertedContactId") == (winner,)


def test_a_lead_can_be_converted_just_before_a_call(org: RunningOrg, ask: Ask) -> None:
    lead = a_lead(org)
    script = org.director.script(
        acts=[{"as": "rep", "do": "convert", "object": "Lead", "id": lead}], call=1
    )
    soql = f"SELECT ConvertedContactId FROM Lead WHERE Id = '{lead}'"
    (found,) = ask("GET", "query", params={"q": soql}).json()["records"]
    (outcome,) = org.director.outcomes(script) or [None]
    assert isinstance(outcome, dict)
    assert found["ConvertedContactId"] == outcome["contact_id"]


def test_an_org_without_leads_knows_no_lead(org: RunningOrg, ask: Ask) -> None:
    org.director.set_feature("Lead", on=False)
    refused = ask("GET", "query", params={"q": "SELECT Id FROM Lead"})
    assert refused.json()[0]["errorCode"] == "INVALID_TYPE"
    campaign = org.director.admin.create("Campaign", Name="Renewals")
    contact = org.director.rep.create("Contact", LastName="Member")
    body = {"CampaignId": campaign, "ContactId": contact}
    assert ask("POST", "sobjects/CampaignMember", json=body).status_code == 201
