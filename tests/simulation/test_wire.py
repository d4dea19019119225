"""What travels: header names, counts, packing, versions, lengths."""

import gzip
import json
from collections.abc import Callable

import pytest
import requests

from tests.support.orgs import RunningOrg

Ask = Callable[..., requests.Response]
COUNT = "query?q=SELECT COUNT() FROM Contact"


def test_header_names_are_spelled_as_salesforce_spells_them(
    org: RunningOrg, http: requests.Session
) -> None:
    url = f"{org.org_url}/services/data/v66.0/{COUNT}"
    with http.get(url, timeout=30, stream=True) as answer:
        names = set(answer.raw.headers)
    assert {"Date", "Content-Type", "Sforce-Limit-Info", "Vary", "Cache-Control"} <= names


def test_json_is_announced_in_utf_8(ask: Ask) -> None:
    assert ask("GET", COUNT).headers["Content-Type"] == "application/json;charset=UTF-8"


def test_every_data_call_is_counted_and_tells_the_count(org: RunningOrg, ask: Ask) -> None:
    org.director.set_limits(max=1000, used=10)
    assert ask("GET", COUNT).headers["Sforce-Limit-Info"] == "api-usage=11/1000"
    wrong = ask("GET", "query?q=nonsense")
    assert wrong.status_code == 400
    assert wrong.headers["Sforce-Limit-Info"] == "api-usage=12/1000"
    org.director.set_limits(app_name="bridge")
    long_form = "api-usage=13/1000; per-app-api-usage=13/1000(appName=bridge)"
    assert ask("GET", COUNT).headers["Sforce-Limit-Info"] == long_form


def test_when_no_call_is_left_the_org_refuses(org: RunningOrg, ask: Ask) -> None:
    org.director.set_limits(max=5, used=5)
    answer = ask("GET", COUNT)
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (403, "REQUEST_LIMIT_EXCEEDED")
    assert answer.headers["Sforce-Limit-Info"] == "api-usage=5/5"


def test_the_versions_are_told_to_anybody_and_count_nothing(
    org: RunningOrg, http: requests.Session
) -> None:
    answer = http.get(f"{org.org_url}/services/data/", headers={"Authorization": ""}, timeout=30)
    assert answer.json()[-1] == {
        "label": "Winter '27",
        "url": "/services/data/v68.0",
        "version": "68.0",
    }
    assert "Sforce-Limit-Info" not in answer.headers
    assert org.director.call_count() == 0


@pytest.mark.parametrize(("version", "status"), [("30.0", 410), ("99.0", 404), ("x", 404)])
def test_a_version_that_is_not_served_is_refused(
    org: RunningOrg, http: requests.Session, version: str, status: int
) -> None:
    url = f"{org.org_url}/services/data/v{version}/{COUNT}"
    assert http.get(url, timeout=30).status_code == status


def test_a_body_is_packed_only_when_asked(ask: Ask) -> None:
    path = "query?q=SELECT Id, Name FROM Contact"
    packed = ask("GET", path, headers={"Accept-Encoding": "gzip"})
    plain = ask("GET", path, headers={"Accept-Encoding": "identity"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in plain.headers
    assert packed.json() == plain.json()


def test_a_packed_or_chunked_request_is_understood(org: RunningOrg, ask: Ask) -> None:
    (contact,) = org.director.load("Contact", [{"LastName": "Packed"}])
    path = f"sobjects/Contact/{contact}"
    body = json.dumps({"HasOptedOutOfFax": True}).encode()
    typed = {"Content-Type": "application/json"}
    packed = ask(
        "PATCH", path, data=gzip.compress(body), headers=typed | {"Content-Encoding": "gzip"}
    )
    chunked = ask("PATCH", path, data=iter([b'{"DoNot', b'Call": true}']), headers=typed)
    assert (packed.status_code, chunked.status_code) == (204, 204)
    assert ask("GET", path).json()["HasOptedOutOfFax"] is True
    assert ask("GET", path).json()["DoNotCall"] is True


def test_an_address_that_is_too_long_is_cut_off_by_the_network(ask: Ask) -> None:
    ids = ",".join(f"'{n:018d}'" for n in range(900))
    answer = ask("GET", f"query?q=SELECT Id FROM Contact WHERE Id IN ({ids})")
    assert answer.status_code == 414
    assert answer.headers["Content-Type"].startswith("text/html")
    assert ask("GET", COUNT, headers={"X-Long": "x" * 16_384}).status_code == 431


def test_a_method_that_a_resource_does_not_know_is_refused(ask: Ask) -> None:
    answer = ask("POST", "query", json={})
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (405, "METHOD_NOT_ALLOWED")


def test_calls_are_told_to_the_director_in_order(org: RunningOrg, ask: Ask) -> None:
    ask("GET", COUNT)
    ask("GET", "sobjects/Contact/nonsense")
    first, second = org.director.calls()
    assert (first.number, first.method, first.status, first.user) == (1, "GET", 200, "integration")
    assert first.path == "/services/data/v66.0/query"
    assert first.query == "q=SELECT COUNT() FROM Contact"
    assert (second.number, second.status, second.api) == (2, 404, True)


def test_the_admin_door_is_locked(org: RunningOrg, http: requests.Session) -> None:
    answer = http.post(f"{org.org_url}/__admin__/snapshot", json={}, timeout=30)
    assert answer.status_code == 401


def test_objects_without_access_do_not_exist(ask: Ask) -> None:
    listed = {each["name"] for each in ask("GET", "sobjects").json()["sobjects"]}
    assert {"Contact", "Permission__c", "Bridge_Heartbeat__c"} <= listed
    assert "Bridge_Status__c" not in listed
    assert ask("GET", "sobjects/Bridge_Status__c/describe").status_code == 404


def test_the_org_tells_its_id(org: RunningOrg, ask: Ask) -> None:
    told = ask("GET", "query?q=SELECT Id, IsSandbox FROM Organization").json()["records"][0]
    assert told["Id"] == org.simulator.card.org_id
    assert told["IsSandbox"] is True
