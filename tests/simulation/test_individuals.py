"""Privacy records: read through their Contact, merged like one, and absent where they are off."""

from collections.abc import Callable

import pytest
import requests

from salesforce_bridge.simulator.director import Refused
from tests.support.orgs import RunningOrg

Ask = Callable[..., requests.Response]


def a_person(org: RunningOrg, **wishes: bool) -> tuple[str, str]:
    """A Contact with its privacy record."""
    individual = org.director.admin.create("Individual", LastName="Private", **wishes)
    contact = org.director.admin.create("Contact", LastName="Private", IndividualId=individual)
    return contact, individual


def found(ask: Ask, soql: str) -> list[dict[str, object]]:
    """What the integration user finds."""
    answer = ask("GET", "query", params={"q": soql})
    assert answer.status_code == 200, answer.text
    records: list[dict[str, object]] = answer.json()["records"]
    return records


def test_a_wish_is_read_through_the_contact_and_found_by_the_individual(
    org: RunningOrg, ask: Ask
) -> None:
    contact, individual = a_person(org, ShouldForget=True)
    assert individual.startswith("0PK")

    (by_individual,) = found(
        ask,
        "SELECT Id, Individual.ShouldForget, Individual.HasOptedOutSolicit FROM Contact"
        f" WHERE IndividualId IN ('{individual}')",
    )
    assert by_individual["Id"] == contact
    told = by_individual["Individual"]
    assert isinstance(told, dict)
    assert told["attributes"]["type"] == "Individual"
    assert (told["ShouldForget"], told["HasOptedOutSolicit"]) == (True, False)
    (without,) = found(
        ask, "SELECT Individual.ShouldForget FROM Contact WHERE IndividualId = null LIMIT 1"
    )
    assert without["Individual"] is None


def test_a_wish_stamps_the_individual_and_not_the_contact(org: RunningOrg, ask: Ask) -> None:
    contact, individual = a_person(org)
    (before,) = found(ask, f"SELECT SystemModstamp FROM Contact WHERE Id = '{contact}'")
    org.director.advance(30)
    org.director.rep.update("Individual", individual, HasOptedOutSolicit=True)

    (after,) = found(
        ask, f"SELECT SystemModstamp, Individual.SystemModstamp FROM Contact WHERE Id = '{contact}'"
    )
    assert after["SystemModstamp"] == before["SystemModstamp"]
    individual_told = after["Individual"]
    assert isinstance(individual_told, dict)
    assert str(individual_told["SystemModstamp"]) > str(before["SystemModstamp"])


def test_merged_individuals_hand_their_contacts_to_the_winner(org: RunningOrg) -> None:
    contact, loser = a_person(org, HasOptedOutProcessing=True)
    _, winner = a_person(org)
    org.director.admin.merge("Individual", winner, [loser])

    soql = f"SELECT IndividualId FROM Contact WHERE Id = '{contact}'"
    assert org.director.query(soql) == [{"IndividualId": winner}]
    gone = f"SELECT MasterRecordId FROM Individual WHERE Id = '{loser}'"
    assert org.director.query(gone, all_rows=True) == [{"MasterRecordId": winner}]


def test_the_bridge_reads_wishes_and_cannot_make_them(org: RunningOrg, ask: Ask) -> None:
    _, individual = a_person(org)
    answer = ask("PATCH", f"sobjects/Individual/{individual}", json={"ShouldForget": True})
    assert answer.status_code == 403
    assert answer.json()[0]["errorCode"] == "INSUFFICIENT_ACCESS_OR_READONLY"


def test_without_data_protection_and_privacy_individuals_never_existed(
    org: RunningOrg, ask: Ask
) -> None:
    contact, individual = a_person(org, ShouldForget=True)
    org.director.set_feature("Individual", on=False)

    for soql, code in (
        ("SELECT Id FROM Individual", "INVALID_TYPE"),
        ("SELECT IndividualId FROM Contact", "INVALID_FIELD"),
        (f"SELECT Id FROM Contact WHERE IndividualId = '{individual}'", "INVALID_FIELD"),
        ("SELECT Individual.ShouldForget FROM Contact", "INVALID_FIELD"),
    ):
        answer = ask("GET", "query", params={"q": soql})
        assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, code)
    assert ask("GET", "sobjects/Individual/describe").status_code == 404
    listed = {each["name"] for each in ask("GET", "sobjects").json()["sobjects"]}
    assert "Individual" not in listed
    with pytest.raises(Refused, match="INVALID_FIELD"):
        org.director.admin.update("Contact", contact, IndividualId=None)

    org.director.rep.update("Contact", contact, Title="Still here")
    org.director.set_feature("Individual", on=True)
    soql = f"SELECT Title, Individual.ShouldForget FROM Contact WHERE Id = '{contact}'"
    assert org.director.query(soql) == [
        {"Title": "Still here", "Individual": {"ShouldForget": True}}
    ]
    assert found(ask, f"SELECT Individual.ShouldForget FROM Contact WHERE Id = '{contact}'")


def test_a_feature_that_is_off_stays_off_through_other_changes_of_the_schema(
    org: RunningOrg, ask: Ask
) -> None:
    off = "SELECT Id FROM Individual"
    before = org.director.snapshot()
    org.director.set_feature("Individual", on=False)
    org.director.drop_field("Contact", "Permission_Summary__c")
    assert ask("GET", "query", params={"q": off}).json()[0]["errorCode"] == "INVALID_TYPE"
    org.director.set_feature("Individual", on=True)
    gone = ask("GET", "query", params={"q": "SELECT Permission_Summary__c FROM Contact"})
    assert gone.json()[0]["errorCode"] == "INVALID_FIELD"

    org.director.set_feature("Individual", on=False)
    org.director.restore(before)
    assert ask("GET", "query", params={"q": off}).status_code == 200


def test_a_feature_that_nobody_knows_is_not_switched(org: RunningOrg) -> None:
    with pytest.raises(Refused, match="there are Campaign, Individual, Lead"):
        org.director.set_feature("Telepathy", on=False)
