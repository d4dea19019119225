"""Rows, collections and composites: what is stored, and what is refused."""

from collections.abc import Callable
from dataclasses import replace
from email.utils import format_datetime
from typing import Any

import pytest
import requests
from simple_salesforce.api import Salesforce

from salesforce_bridge.simulator.ids import id_of
from tests.support.orgs import RunningOrg

Ask = Callable[..., requests.Response]
KEY_PATH = "composite/sobjects/Permission__c/Ledger_Key__c"


def a_contact(org: RunningOrg, **fields: Any) -> str:
    """Load one contact."""
    return org.director.load("Contact", [{"LastName": "Written", **fields}])[0]


def a_row(contact: str, *, channel: str = "EMAIL", **fields: Any) -> dict[str, Any]:
    """A row of Permission__c as the bridge upserts it."""
    return {
        "attributes": {"type": "Permission__c"},
        "Ledger_Key__c": f"{contact}:direct_marketing:{channel}",
        "Contact__c": contact,
        "Purpose__c": "direct_marketing",
        "Channel__c": channel,
        "Consent_Status__c": "Not asked",
        **fields,
    }


def the(
    org: RunningOrg, record_id: str, fields: str, object_name: str = "Contact"
) -> dict[str, Any]:
    """One record as it stands."""
    soql = f"SELECT {fields} FROM {object_name} WHERE Id = '{record_id}'"
    return org.director.query(soql, all_rows=True)[0]


def test_a_row_is_created_changed_read_and_deleted(org: RunningOrg, ask: Ask) -> None:
    contact = a_contact(org)
    body = {"Contact__c": contact, "Purpose__c": "direct_marketing", "Channel__c": "SMS"}
    made = ask("POST", "sobjects/Permission__c/", json=body)
    assert made.status_code == 201
    path = f"sobjects/Permission__c/{made.json()['id']}"
    assert made.headers["Location"] == f"/services/data/v66.0/{path}"

    changed = ask("PATCH", path, json={"Consent_Status__c": "Asked"})
    assert (changed.status_code, changed.content) == (204, b"")
    assert ask("GET", f"{path}?fields=Consent_Status__c,Channel__c").json()[
        "Consent_Status__c"
    ] == ("Asked")
    assert ask("PATCH", path, json={"Consent_Status__c": None}).status_code == 204
    assert ask("GET", path).json()["Consent_Status__c"] is None

    assert ask("DELETE", path).status_code == 204
    gone = ask("GET", path)
    assert (gone.status_code, gone.json()[0]["errorCode"]) == (404, "ENTITY_IS_DELETED")


def test_an_upsert_creates_once_and_then_changes(salesforce: Salesforce, org: RunningOrg) -> None:
    contact = a_contact(org)
    key = f"{contact}:direct_marketing:EMAIL"
    fields = {"Contact__c": contact, "Purpose__c": "direct_marketing", "Channel__c": "EMAIL"}
    published: Any = salesforce.Permission__c
    assert published.upsert(f"Ledger_Key__c/{key}", fields) == 201
    assert published.upsert(f"Ledger_Key__c/{key}", fields) == 200
    assert org.director.count(f"SELECT Id FROM Permission__c WHERE Contact__c = '{contact}'") == 1


def test_an_upsert_that_may_only_update_creates_nothing(ask: Ask) -> None:
    answer = ask("PATCH", "sobjects/Permission__c/Ledger_Key__c/nobody?updateOnly=true", json={})
    assert answer.status_code == 404


def test_an_old_version_tells_nothing_about_an_update(org: RunningOrg, http: Any) -> None:
    row = a_row(a_contact(org))
    url = f"{org.org_url}/services/data/v45.0/sobjects/Permission__c/Ledger_Key__c/"
    url += row.pop("Ledger_Key__c")
    row.pop("attributes")
    assert http.patch(url, json=row, timeout=30).status_code == 201
    assert http.patch(url, json=row, timeout=30).status_code == 204


def test_an_external_id_that_two_records_hold_is_no_address(org: RunningOrg, ask: Ask) -> None:
    key = "twice"
    org.director.load("Permission__c", [{"Ledger_Key__c": key}, {"Ledger_Key__c": key}])
    answer = ask("PATCH", f"sobjects/Permission__c/Ledger_Key__c/{key}", json={})
    assert answer.status_code == 300
    assert len(answer.json()) == 2
    rows = [{"attributes": {"type": "Permission__c"}, "Ledger_Key__c": key}]
    result = ask("PATCH", KEY_PATH, json={"records": rows}).json()[0]
    assert result["errors"][0]["statusCode"] == "DUPLICATE_EXTERNAL_ID"


def test_collections_answer_row_by_row_in_order(salesforce: Salesforce, org: RunningOrg) -> None:
    contacts = [a_contact(org) for _ in range(3)]
    rows = [a_row(contact) for contact in contacts]
    rows[1]["Channel__c"] = "PIGEON"
    results: Any = salesforce.restful(
        KEY_PATH, method="PATCH", json={"allOrNone": False, "records": rows}
    )
    assert [result["success"] for result in results] == [True, False, True]
    assert results[0]["created"] is True
    assert "id" not in results[1]
    assert results[1]["errors"][0]["statusCode"] == "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"


def test_all_or_none_takes_the_good_rows_back(org: RunningOrg, ask: Ask) -> None:
    contact = a_contact(org)
    rows = [a_row(contact), a_row(contact, channel="PIGEON")]
    results = ask("PATCH", KEY_PATH, json={"allOrNone": True, "records": rows}).json()
    codes = [result["errors"][0]["statusCode"] for result in results]
    assert codes == ["ALL_OR_NONE_OPERATION_ROLLED_BACK", "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"]
    assert org.director.count(f"SELECT Id FROM Permission__c WHERE Contact__c = '{contact}'") == 0


def test_the_same_row_twice_in_one_request_is_refused_the_second_time(
    org: RunningOrg, ask: Ask
) -> None:
    contact = a_contact(org)
    twice = ask("PATCH", KEY_PATH, json={"records": [a_row(contact), a_row(contact)]}).json()
    assert [row["success"] for row in twice] == [True, False]
    assert twice[1]["errors"][0]["statusCode"] == "DUPLICATE_VALUE"
    same = {"attributes": {"type": "Contact"}, "id": contact, "DoNotCall": True}
    updates = ask("PATCH", "composite/sobjects", json={"records": [same, same]}).json()
    assert [row["success"] for row in updates] == [True, False]


def test_a_collection_holds_200_records_and_10_runs_of_one_type(org: RunningOrg, ask: Ask) -> None:
    contact = a_contact(org)
    one = {"attributes": {"type": "Contact"}, "id": contact}
    other = {"attributes": {"type": "Permission__c"}, "id": id_of("a02", 1)}
    assert ask("PATCH", "composite/sobjects", json={"records": [one] * 201}).status_code == 400
    mixed = ask("PATCH", "composite/sobjects", json={"records": [one, other] * 6})
    assert mixed.status_code == 400
    assert "10 chunks" in mixed.json()[0]["message"]
    untyped = ask("PATCH", "composite/sobjects", json={"records": [{"id": contact}]})
    assert untyped.status_code == 400


def test_one_request_has_one_stamp_of_whole_seconds(org: RunningOrg, ask: Ask) -> None:
    contacts = org.director.load("Contact", [{"LastName": f"S{n}"} for n in range(200)])
    org.director.advance(60)
    rows = [a_row(contact) for contact in contacts]
    assert all(row["success"] for row in ask("PATCH", KEY_PATH, json={"records": rows}).json())
    stamps = {
        row["SystemModstamp"]
        for row in org.director.query(
            "SELECT SystemModstamp FROM Permission__c WHERE Ledger_Key__c != null"
        )
    }
    assert len(stamps) == 1
    assert stamps.pop().endswith(".000+0000")


def test_rows_are_deleted_by_ids(org: RunningOrg, ask: Ask) -> None:
    ids = org.director.load("Permission__c", [{}, {}])
    answer = ask("DELETE", f"composite/sobjects?ids={','.join(ids)}&allOrNone=false")
    assert answer.json() == [{"id": one, "success": True, "errors": []} for one in ids]
    again = ask("DELETE", f"composite/sobjects?ids={ids[0]}").json()[0]
    assert again["errors"][0]["statusCode"] == "ENTITY_IS_DELETED"


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"Nope__c": 1}, 400, "INVALID_FIELD"),
        ({"Consent_Status__c": "Maybe"}, 400, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"),
        ({"Purpose__c": "x" * 81}, 400, "STRING_TOO_LONG"),
        ({"Capture_Date__c": "yesterday"}, 400, "JSON_PARSER_ERROR"),
        ({"Purpose__c": 5}, 400, "JSON_PARSER_ERROR"),
        ({"Contact__c": "short"}, 400, "MALFORMED_ID"),
        ({"Contact__c": id_of("001", 1)}, 400, "FIELD_INTEGRITY_EXCEPTION"),
        ({"Contact__c": id_of("003", 987_654)}, 400, "INVALID_CROSS_REFERENCE_KEY"),
        ({"CreatedDate": "2020-01-01T00:00:00Z"}, 400, "INVALID_FIELD_FOR_INSERT_UPDATE"),
        ({"May_Contact__c": "Yes"}, 400, "INVALID_FIELD_FOR_INSERT_UPDATE"),
        ({"Id": "a020000000000AA"}, 400, "INVALID_FIELD"),
    ],
)
def test_a_value_that_does_not_fit_is_refused(
    org: RunningOrg, ask: Ask, body: dict[str, Any], status: int, code: str
) -> None:
    (row,) = org.director.load("Permission__c", [{"Purpose__c": "direct_marketing"}])
    answer = ask("PATCH", f"sobjects/Permission__c/{row}", json=body)
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (status, code)


def test_a_unique_value_is_taken_in_its_own_case_only_where_the_field_minds_case(
    org: RunningOrg, ask: Ask
) -> None:
    org.director.load("Permission__c", [{"Ledger_Key__c": "Mine"}])
    other_case = ask("POST", "sobjects/Permission__c", json={"Ledger_Key__c": "mINE"})
    same_case = ask("POST", "sobjects/Permission__c", json={"Ledger_Key__c": "Mine"})
    assert other_case.status_code == 201
    assert same_case.json()[0]["errorCode"] == "DUPLICATE_VALUE"

    deployed = org.simulator.org
    rows = deployed.project.objects["Permission__c"]
    fields = {**rows.fields}
    fields["Ledger_Key__c"] = replace(fields["Ledger_Key__c"], case_sensitive=False)
    objects = {**deployed.project.objects, rows.name: replace(rows, fields=fields)}
    deployed.change_project(replace(deployed.project, objects=objects))
    shouted = ask("POST", "sobjects/Permission__c", json={"Ledger_Key__c": "MINE"})
    assert shouted.json()[0]["errorCode"] == "DUPLICATE_VALUE"


def test_a_user_without_the_right_cannot_create_contacts(ask: Ask) -> None:
    answer = ask("POST", "sobjects/Contact", json={"LastName": "Invented"})
    assert answer.status_code == 400
    assert answer.json()[0]["errorCode"] == "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY"


def test_an_update_of_what_is_not_there_is_refused(org: RunningOrg, ask: Ask) -> None:
    missing = ask("PATCH", f"sobjects/Contact/{id_of('003', 987_654)}", json={"DoNotCall": True})
    assert (missing.status_code, missing.json()[0]["errorCode"]) == (404, "NOT_FOUND")
    gone = a_contact(org)
    org.director.admin.delete("Contact", gone)
    deleted = ask("PATCH", f"sobjects/Contact/{gone}", json={"DoNotCall": True})
    assert (deleted.status_code, deleted.json()[0]["errorCode"]) == (404, "ENTITY_IS_DELETED")
    row = {"attributes": {"type": "Contact"}, "id": gone, "DoNotCall": True}
    in_collection = ask("PATCH", "composite/sobjects", json={"records": [row]}).json()[0]
    assert in_collection["errors"][0]["statusCode"] == "ENTITY_IS_DELETED"


def test_a_guarded_write_fails_when_somebody_was_faster(org: RunningOrg, ask: Ask) -> None:
    contact = a_contact(org)
    path = f"sobjects/Contact/{contact}"
    seen = ask("GET", path).headers["Last-Modified"]
    org.director.advance(30)
    org.director.rep.update("Contact", contact, Title="Chief")

    guarded = {"If-Unmodified-Since": seen}
    answer = ask("PATCH", path, json={"DoNotCall": True}, headers=guarded)
    assert answer.status_code == 412
    assert the(org, contact, "DoNotCall")["DoNotCall"] is False

    fresh = {"If-Unmodified-Since": ask("GET", path).headers["Last-Modified"]}
    assert ask("PATCH", path, json={"DoNotCall": True}, headers=fresh).status_code == 204
    broken = ask("PATCH", path, json={}, headers={"If-Unmodified-Since": "yesterday"})
    assert broken.status_code == 400


def test_a_row_that_did_not_change_is_not_sent_again(org: RunningOrg, ask: Ask) -> None:
    path = f"sobjects/Contact/{a_contact(org)}"
    now = format_datetime(org.director.now(), usegmt=True)
    answer = ask("GET", path, headers={"If-Modified-Since": now})
    assert (answer.status_code, answer.content) == (304, b"")
    describe = ask("GET", "sobjects/Contact/describe", headers={"If-Modified-Since": now})
    assert describe.status_code == 304


def test_guards_are_refused_where_they_would_not_guard(org: RunningOrg, ask: Ask) -> None:
    headers = {"If-Unmodified-Since": format_datetime(org.director.now(), usegmt=True)}
    row = {"attributes": {"type": "Contact"}, "id": a_contact(org), "DoNotCall": True}
    answer = ask("PATCH", "composite/sobjects", json={"records": [row]}, headers=headers)
    assert answer.status_code == 400


def composite(ask: Ask, *subrequests: dict[str, Any], **options: Any) -> list[dict[str, Any]]:
    """Send subrequests, numbered."""
    numbered = [{"referenceId": f"r{at}", **one} for at, one in enumerate(subrequests)]
    answer = ask("POST", "composite", json={"compositeRequest": numbered, **options})
    assert answer.status_code == 200, answer.text
    return list(answer.json()["compositeResponse"])


def inner(method: str, path: str, **rest: Any) -> dict[str, Any]:
    """One subrequest."""
    return {"method": method, "url": f"/services/data/v66.0/{path}", **rest}


def test_a_composite_counts_as_one_call_and_answers_each_part(org: RunningOrg, ask: Ask) -> None:
    contact = a_contact(org)
    org.director.reset_calls()
    row = a_row(contact)
    key = row.pop("Ledger_Key__c")
    row.pop("attributes")
    query, made, missing = composite(
        ask,
        inner("GET", "query?q=SELECT+COUNT()+FROM+Contact"),
        inner("PATCH", f"sobjects/Permission__c/Ledger_Key__c/{key}", body=row),
        inner("GET", "sobjects/Contact/003000000000000"),
    )
    assert query["body"]["totalSize"] == 301
    assert (made["httpStatusCode"], made["referenceId"]) == (201, "r1")
    assert made["httpHeaders"]["Location"].startswith("/services/data/v66.0/sobjects/")
    assert (missing["httpStatusCode"], missing["body"][0]["errorCode"]) == (404, "NOT_FOUND")
    assert org.director.call_count() == 1
    assert org.director.calls()[0].subrequests[1].startswith("PATCH /services/data/v66.0/sobjects")


def test_a_composite_may_fail_as_a_whole(org: RunningOrg, ask: Ask) -> None:
    contact = a_contact(org)
    good = inner("PATCH", f"sobjects/Contact/{contact}", body={"DoNotCall": True})
    bad = inner("PATCH", f"sobjects/Contact/{contact}", body={"Nope": 1})
    answers = composite(ask, good, bad, allOrNone=True)
    codes = [answer["body"][0]["errorCode"] for answer in answers]
    assert codes == ["PROCESSING_HALTED", "INVALID_FIELD"]
    assert the(org, contact, "DoNotCall")["DoNotCall"] is False


def test_a_part_that_is_refused_leaves_nothing_half_done(org: RunningOrg, ask: Ask) -> None:
    contact = a_contact(org)
    rows = [a_row(contact), a_row(contact, channel="SMS", Nope__c=1)]
    good, bad = composite(
        ask,
        inner("PATCH", f"sobjects/Contact/{contact}", body={"DoNotCall": True}),
        inner("PATCH", KEY_PATH, body={"allOrNone": False, "records": rows}),
    )
    assert (good["httpStatusCode"], bad["httpStatusCode"]) == (204, 400)
    assert the(org, contact, "DoNotCall")["DoNotCall"] is True
    assert org.director.count(f"SELECT Id FROM Permission__c WHERE Contact__c = '{contact}'") == 0


def test_each_part_of_a_composite_has_its_own_guard(org: RunningOrg, ask: Ask) -> None:
    stale, fresh = a_contact(org), a_contact(org)
    seen = format_datetime(org.director.now(), usegmt=True)
    org.director.advance(30)
    org.director.rep.update("Contact", stale, Title="Chief")
    headers = {"If-Unmodified-Since": seen}
    answers = composite(
        ask,
        *(
            inner("PATCH", f"sobjects/Contact/{one}", body={"DoNotCall": True}, httpHeaders=headers)
            for one in (stale, fresh)
        ),
        collateSubrequests=False,
    )
    assert [answer["httpStatusCode"] for answer in answers] == [412, 204]


def test_a_composite_has_its_limits(ask: Ask) -> None:
    queries = [inner("GET", "query?q=SELECT+Id+FROM+Contact")] * 6
    limits = [inner("GET", "sobjects")] * 26
    for parts in (queries, limits):
        numbered = [{**one, "referenceId": f"r{at}"} for at, one in enumerate(parts)]
        answer = ask("POST", "composite", json={"compositeRequest": numbered})
        assert answer.status_code == 400


def test_what_is_not_offered_is_refused_and_never_ignored(org: RunningOrg, ask: Ask) -> None:
    for method, path in (
        ("POST", "composite/batch"),
        ("POST", "jobs/query"),
        ("GET", "sobjects/Contact/updated/?start=x&end=y"),
        ("GET", "tooling/query?q=x"),
    ):
        answer = ask(method, path, json={})
        assert (answer.status_code, answer.json()[0]["errorCode"]) == (404, "NOT_FOUND"), path
    (referring,) = composite(ask, inner("GET", "sobjects/Contact/@{r9.id}"))
    assert referring["httpStatusCode"] == 404
    assert ask("PUT", f"sobjects/Contact/{a_contact(org)}", json={}).status_code == 405


def test_a_retired_choice_is_refused_and_described_as_retired(org: RunningOrg, ask: Ask) -> None:
    (row,) = org.director.load("Permission__c", [{"Purpose__c": "direct_marketing"}])
    org.director.set_choice("Permission__c", "Consent_Status__c", "Limited", active=False)
    answer = ask("PATCH", f"sobjects/Permission__c/{row}", json={"Consent_Status__c": "Limited"})
    assert answer.json()[0]["errorCode"] == "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"
    described = ask("GET", "sobjects/Permission__c/describe").json()["fields"]
    (field,) = (each for each in described if each["name"] == "Consent_Status__c")
    assert {each["value"]: each["active"] for each in field["picklistValues"]}["Limited"] is False
