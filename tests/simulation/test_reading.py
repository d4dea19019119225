"""Queries and pages, as a published client and as the wire see them."""

from collections.abc import Callable
from typing import Any

import pytest
import requests
from simple_salesforce.api import Salesforce
from simple_salesforce.exceptions import SalesforceMalformedRequest

from salesforce_bridge.simulator.ids import id_of, long_id
from tests.support.orgs import RunningOrg, access_token, plain_session

Ask = Callable[..., requests.Response]


def found(ask: Ask, soql: str, resource: str = "query") -> list[dict[str, Any]]:
    """The records of one page."""
    answer = ask("GET", resource, params={"q": soql})
    assert answer.status_code == 200, answer.text
    return list(answer.json()["records"])


def refused(ask: Ask, soql: str) -> dict[str, str]:
    """The refusal of a query."""
    answer = ask("GET", "query", params={"q": soql})
    assert answer.status_code == 400
    error: dict[str, str] = answer.json()[0]
    return error


def names(records: list[dict[str, Any]]) -> list[str]:
    """The last names of some records."""
    return [record["LastName"] for record in records]


def people(org: RunningOrg, *last_names: str, **fields: Any) -> list[str]:
    """Load some contacts."""
    return org.director.load("Contact", [{"LastName": name, **fields} for name in last_names])


def test_a_published_client_reads_all_pages(salesforce: Salesforce) -> None:
    records = salesforce.query_all("SELECT Id, Name FROM Contact")["records"]
    assert len({record["Id"] for record in records}) == 300
    assert records[0]["attributes"]["url"].startswith("/services/data/v66.0/sobjects/Contact/003")


def test_the_batch_size_makes_pages_and_the_total_counts_them_all(ask: Ask) -> None:
    first = ask(
        "GET",
        "query/",
        params={"q": "SELECT Id FROM Contact"},
        headers={"Sforce-Query-Options": "batchSize=200"},
    ).json()
    assert (first["totalSize"], first["done"], len(first["records"])) == (300, False, 200)
    second = ask("GET", first["nextRecordsUrl"].split("/v66.0/")[1]).json()
    assert (second["totalSize"], second["done"], len(second["records"])) == (300, True, 100)
    assert "nextRecordsUrl" not in second


def test_a_batch_size_out_of_range_is_refused(ask: Ask) -> None:
    answer = ask(
        "GET",
        "query",
        params={"q": "SELECT Id FROM Contact"},
        headers={"Sforce-Query-Options": "batchSize=10"},
    )
    assert answer.status_code == 400
    assert answer.json()[0]["errorCode"] == "INVALID_BATCH_SIZE"


def cursor(ask: Ask) -> str:
    """The path of a second page."""
    page = ask(
        "GET",
        "queryAll",
        params={"q": "SELECT Id FROM Contact"},
        headers={"Sforce-Query-Options": "batchSize=200"},
    ).json()
    return str(page["nextRecordsUrl"].split("/v66.0/")[1])


def test_a_cursor_serves_only_the_session_that_opened_it(org: RunningOrg, ask: Ask) -> None:
    path = cursor(ask)
    with plain_session(org) as session:
        answer = session.get(
            f"{org.org_url}/services/data/v66.0/{path}",
            headers={"Authorization": f"Bearer {access_token(org, session)}"},
            timeout=30,
        )
    assert answer.status_code == 401
    assert answer.json()[0]["errorCode"] == "INVALID_SESSION_ID"
    assert ask("GET", path).status_code == 200


def test_a_cursor_dies_after_two_days(org: RunningOrg, ask: Ask) -> None:
    org.director.set_session_timeout(10 * 24 * 3600)
    path = cursor(ask)
    org.director.advance(2 * 24 * 3600 + 1)
    answer = ask("GET", path)
    assert answer.status_code == 400
    assert answer.json()[0]["errorCode"] == "INVALID_QUERY_LOCATOR"


def test_a_row_deleted_while_paging_is_missing_from_its_page(org: RunningOrg, ask: Ask) -> None:
    first = ask(
        "GET",
        "query",
        params={"q": "SELECT Id FROM Contact ORDER BY Id"},
        headers={"Sforce-Query-Options": "batchSize=200"},
    ).json()
    gone = org.director.query("SELECT Id FROM Contact ORDER BY Id DESC LIMIT 1")[0]["Id"]
    org.director.admin.delete("Contact", gone)
    second = ask("GET", first["nextRecordsUrl"].split("/v66.0/")[1]).json()
    assert len(second["records"]) == 99
    assert second["done"] is True


def test_keyset_paging_meets_every_contact_once(ask: Ask) -> None:
    seen: list[str] = []
    clause = ""
    for _ in range(20):
        page = found(
            ask,
            f"SELECT Id, SystemModstamp FROM Contact {clause} ORDER BY SystemModstamp, Id LIMIT 37",
            "queryAll",
        )
        if not page:
            break
        seen += [record["Id"] for record in page]
        stamp = page[-1]["SystemModstamp"].replace("+0000", "Z")
        clause = (
            f"WHERE (SystemModstamp = {stamp} AND Id > '{seen[-1]}') OR SystemModstamp > {stamp}"
        )
    assert len(seen) == len(set(seen)) == 300


def test_text_is_compared_without_minding_case(org: RunningOrg, ask: Ask) -> None:
    people(org, "McMixed", Email="Mixed@Example.com")
    assert names(found(ask, "select lastname from contact where email = 'mIXED@example.COM'")) == [
        "McMixed"
    ]
    assert names(found(ask, "SELECT LastName FROM Contact WHERE Email IN ('MIXED@EXAMPLE.COM')"))
    assert names(found(ask, "SELECT LastName FROM Contact WHERE LastName LIKE 'mcm_x%'"))


def test_an_escaped_percent_sign_is_no_wild_card(org: RunningOrg, ask: Ask) -> None:
    people(org, "100% sure", "100 times")
    like = "SELECT LastName FROM Contact WHERE LastName LIKE '100\\% %'"
    assert names(found(ask, like)) == ["100% sure"]


def test_nulls_sort_first_unless_told_otherwise(org: RunningOrg, ask: Ask) -> None:
    people(org, "Order A", Phone="1")
    people(org, "Order B")
    start = "SELECT LastName FROM Contact WHERE LastName LIKE 'Order%' ORDER BY Phone"
    assert names(found(ask, start)) == ["Order B", "Order A"]
    assert names(found(ask, f"{start} DESC")) == ["Order B", "Order A"]
    assert names(found(ask, f"{start} NULLS LAST")) == ["Order A", "Order B"]


def test_not_equal_finds_the_blank_ones_too(org: RunningOrg, ask: Ask) -> None:
    people(org, "Blank")
    people(org, "Filled", Phone="1")
    soql = "SELECT LastName FROM Contact WHERE Phone != '1' AND LastName IN ('Blank', 'Filled')"
    assert names(found(ask, soql)) == ["Blank"]


def test_conditions_combine_only_with_parentheses(ask: Ask) -> None:
    mixed = "SELECT Id FROM Contact WHERE Phone = 'a' AND Email = 'b' OR Email = 'c'"
    assert refused(ask, mixed)["errorCode"] == "MALFORMED_QUERY"
    whole = "SELECT Id FROM Contact WHERE (NOT Phone = 'a') AND (Email = 'b' OR Email != null)"
    assert len(found(ask, whole)) == 300


def test_parents_and_children_come_along(org: RunningOrg, ask: Ask) -> None:
    (person,) = people(org, "Childless")
    (parent,) = people(org, "Parent")
    org.director.load("Permission__c", [{"Contact__c": parent, "Channel__c": "SMS"}])
    soql = (
        "SELECT LastName, MasterRecord.LastName, (SELECT Channel__c FROM Permissions__r) "
        f"FROM Contact WHERE Id IN ('{person}', '{parent[:15]}') ORDER BY LastName"
    )
    childless, with_child = found(ask, soql)
    assert childless["Permissions__r"] is None
    assert childless["MasterRecord"] is None
    assert with_child["Permissions__r"]["records"][0]["Channel__c"] == "SMS"
    up = found(ask, f"SELECT Contact__r.LastName FROM Permission__c WHERE Contact__c = '{parent}'")
    assert up[0]["Contact__r"]["LastName"] == "Parent"


def test_counting_returns_no_records(ask: Ask) -> None:
    answer = ask("GET", "query", params={"q": "SELECT COUNT() FROM Contact"}).json()
    assert answer == {"totalSize": 300, "done": True, "records": []}


@pytest.mark.parametrize(
    ("soql", "code"),
    [
        ("SELECT FROM Contact", "MALFORMED_QUERY"),
        ("SELECT FIELDS(ALL) FROM Contact LIMIT 10", "MALFORMED_QUERY"),
        ("SELECT Title, COUNT(Id) FROM Contact GROUP BY Title", "MALFORMED_QUERY"),
        ("SELECT Id FROM Contact WHERE CreatedDate = TODAY", "MALFORMED_QUERY"),
        ("SELECT Id, Id FROM Contact", "MALFORMED_QUERY"),
        ("SELECT Id FROM Nothing__c", "INVALID_TYPE"),
        ("SELECT Id FROM Bridge_Status__c", "INVALID_TYPE"),
        ("SELECT Id, Nope__c FROM Contact", "INVALID_FIELD"),
        ("SELECT Id FROM Contact WHERE Nope__r.Name = 'x'", "INVALID_FIELD"),
        ("SELECT Id FROM Contact WHERE SystemModstamp > '2026-01-01'", "INVALID_FIELD"),
        ("SELECT Id FROM Contact WHERE DoNotCall = 'true'", "INVALID_FIELD"),
        ("SELECT Id FROM Contact WHERE Description = 'x'", "INVALID_FIELD"),
        ("SELECT Id FROM Contact WHERE Id = 'nonsense'", "INVALID_QUERY_FILTER_OPERATOR"),
        ("SELECT Id FROM Contact OFFSET 2001", "NUMBER_OUTSIDE_VALID_RANGE"),
    ],
)
def test_a_query_that_salesforce_would_refuse_is_refused(ask: Ask, soql: str, code: str) -> None:
    assert refused(ask, soql)["errorCode"] == code


def test_a_published_client_recognises_the_refusal(salesforce: Salesforce) -> None:
    with pytest.raises(SalesforceMalformedRequest, match="No such column 'Nope__c' on entity"):
        salesforce.query("SELECT Nope__c FROM Contact")


def test_a_hidden_field_does_not_exist_for_the_user(org: RunningOrg, ask: Ask) -> None:
    soql = "SELECT Consent_Status__c FROM Contact LIMIT 1"
    assert len(found(ask, soql)) == 1
    org.director.set_field_access(
        "Salesforce_Bridge_Integration", "Contact.Consent_Status__c", readable=False, editable=False
    )
    assert "No such column 'Consent_Status__c'" in refused(ask, soql)["message"]
    described = ask("GET", "sobjects/Contact/describe").json()
    assert "Consent_Status__c" not in {field["name"] for field in described["fields"]}
    assert len(org.director.query(soql)) == 1


def test_a_dropped_field_is_gone_for_everybody(org: RunningOrg, ask: Ask) -> None:
    org.director.drop_field("Permission__c", "Notice_Version__c")
    assert refused(ask, "SELECT Notice_Version__c FROM Permission__c")["errorCode"] == (
        "INVALID_FIELD"
    )


def test_sharing_hides_rows_without_a_word(org: RunningOrg, ask: Ask) -> None:
    hidden = [row["Id"] for row in org.director.query("SELECT Id FROM Contact LIMIT 120")]
    org.director.set_visible("integration", hidden, visible=False)
    assert len(found(ask, "SELECT Id FROM Contact")) == 180
    assert ask("GET", f"sobjects/Contact/{hidden[0]}").status_code == 404
    org.director.set_visible("integration", hidden, visible=True)
    assert len(found(ask, "SELECT Id FROM Contact")) == 300


def test_rows_are_retrieved_in_the_order_asked_with_null_for_the_missing(
    org: RunningOrg, ask: Ask
) -> None:
    kept, gone = people(org, "Kept", "Gone")
    org.director.admin.delete("Contact", gone)
    body = {"ids": [id_of("003", 9_999_999), kept[:15], gone], "fields": ["Id", "LastName"]}
    answer = ask("POST", "composite/sobjects/Contact", json=body)
    assert [row and row["LastName"] for row in answer.json()] == [None, "Kept", None]
    by_get = ask("GET", "composite/sobjects/Contact", params={"ids": kept, "fields": "LastName"})
    assert by_get.json()[0]["LastName"] == "Kept"
    too_many = {"ids": [kept] * 2001, "fields": ["Id"]}
    assert ask("POST", "composite/sobjects/Contact", json=too_many).status_code == 400


def test_ids_carry_the_suffix_that_repairs_their_case() -> None:
    assert long_id("001A0000006Vm9r") == "001A0000006Vm9rIAC"
    numbers = [id_of("003", number) for number in (1, 61, 62, 4000, 1_000_000)]
    assert numbers == sorted(numbers)
    assert all(long_id(one[:15]) == one for one in numbers)
