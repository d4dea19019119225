"""Faults and scripts: trouble comes when it was ordered, and only then."""

import time
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
import requests

from salesforce_bridge.simulator.director import Refused
from tests.support.orgs import RunningOrg

Ask = Callable[..., requests.Response]
COUNT = "query?q=SELECT COUNT() FROM Contact"


def a_contact(org: RunningOrg) -> str:
    """Load one contact."""
    return org.director.load("Contact", [{"LastName": "Troubled"}])[0]


def test_a_status_and_a_code_come_instead_of_the_answer(org: RunningOrg, ask: Ask) -> None:
    org.director.fault(status=500, error_code="UNKNOWN_EXCEPTION", message="oops", count=1)
    answer = ask("GET", COUNT)
    assert (answer.status_code, answer.json()) == (
        500,
        [{"message": "oops", "errorCode": "UNKNOWN_EXCEPTION"}],
    )
    assert ask("GET", COUNT).status_code == 200


def test_a_fault_strikes_only_what_it_names(org: RunningOrg, ask: Ask) -> None:
    org.director.fault(method="GET", path=r"query\?q=.*Lead", status=503)
    assert ask("GET", COUNT).status_code == 200
    assert ask("GET", "query?q=SELECT Id FROM Lead").status_code == 503


def test_a_fault_strikes_by_the_body(org: RunningOrg, ask: Ask) -> None:
    org.director.fault(body="DoNotCall", status=503)
    path = f"sobjects/Contact/{a_contact(org)}"
    assert ask("PATCH", path, json={"HasOptedOutOfFax": True}).status_code == 204
    assert ask("PATCH", path, json={"DoNotCall": True}).status_code == 503


def test_a_fault_strikes_the_nth_or_every_kth_call(org: RunningOrg, ask: Ask) -> None:
    org.director.fault(call=2, status=502)
    assert [ask("GET", COUNT).status_code for _ in range(3)] == [200, 502, 200]
    org.director.clear_faults()
    org.director.fault(every=3, status=502)
    assert [ask("GET", COUNT).status_code for _ in range(6)] == [200, 200, 502, 200, 200, 502]


def test_chance_repeats_itself_with_its_seed(org: RunningOrg, ask: Ask) -> None:
    runs = []
    for _ in range(2):
        org.director.clear_faults()
        org.director.fault(probability=0.5, seed=7, status=503)
        runs.append([ask("GET", COUNT).status_code for _ in range(12)])
    assert runs[0] == runs[1]
    assert set(runs[0]) == {200, 503}


@pytest.mark.parametrize(("moment", "saved"), [("before", False), ("after", True)])
def test_a_connection_is_cut_before_or_after_the_work(
    org: RunningOrg, ask: Ask, moment: str, saved: bool
) -> None:
    contact = a_contact(org)
    org.director.fault(method="PATCH", drop=moment, count=1)
    with pytest.raises(requests.exceptions.ConnectionError):
        ask("PATCH", f"sobjects/Contact/{contact}", json={"DoNotCall": True})
    soql = f"SELECT DoNotCall FROM Contact WHERE Id = '{contact}'"
    assert org.director.query(soql)[0]["DoNotCall"] is saved


def test_a_body_is_cut_short(org: RunningOrg, ask: Ask) -> None:
    org.director.fault(truncate=True, count=1)
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        ask("GET", "query?q=SELECT Id, Name FROM Contact")


def test_a_page_of_the_network_comes_with_any_status(org: RunningOrg, ask: Ask) -> None:
    org.director.fault(html=True, status=200, count=1)
    answer = ask("GET", COUNT)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/html")
    assert "Sforce-Limit-Info" not in answer.headers


def test_an_answer_is_held_back(org: RunningOrg, ask: Ask) -> None:
    org.director.fault(delay=0.3, count=1)
    began = time.monotonic()
    assert ask("GET", COUNT).status_code == 200
    assert time.monotonic() - began >= 0.3


def test_an_answer_drips(org: RunningOrg, ask: Ask) -> None:
    org.director.fault(trickle=0.3, count=1)
    began = time.monotonic()
    assert ask("GET", "query?q=SELECT Id FROM Contact").json()["totalSize"] == 300
    assert time.monotonic() - began >= 0.25


def test_a_session_is_killed_in_the_middle(org: RunningOrg, ask: Ask) -> None:
    org.director.fault(expire_session=True, call=2)
    assert [ask("GET", COUNT).status_code for _ in range(3)] == [200, 401, 401]


def test_the_incurable_session_speaks_its_own_words(org: RunningOrg, ask: Ask) -> None:
    org.director.fault(incurable=True)
    answer = ask("GET", COUNT)
    assert answer.status_code == 401
    assert answer.json()[0]["message"] == "This session is not valid for use with the REST API"


@pytest.mark.parametrize(("kind", "word"), [("daily", "Total"), ("concurrent", "Concurrent")])
def test_a_quota_refuses_with_403(org: RunningOrg, ask: Ask, kind: str, word: str) -> None:
    org.director.fault(quota=kind, count=1)
    answer = ask("GET", COUNT)
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (403, "REQUEST_LIMIT_EXCEEDED")
    assert answer.json()[0]["message"].startswith(word)


def test_a_redirect_points_elsewhere(org: RunningOrg, ask: Ask) -> None:
    org.director.fault(redirect="https://elsewhere.example/", count=1)
    answer = ask("GET", COUNT)
    assert (answer.status_code, answer.headers["Location"]) == (302, "https://elsewhere.example/")


def test_the_date_header_is_wrong_when_told_to(org: RunningOrg, ask: Ask) -> None:
    org.director.fault(skew=3600, count=1)
    wrong = parsedate_to_datetime(ask("GET", COUNT).headers["Date"])
    right = parsedate_to_datetime(ask("GET", COUNT).headers["Date"])
    assert 3590 < (wrong - right).total_seconds() <= 3600


def test_the_date_header_follows_the_clock_of_the_org(org: RunningOrg, ask: Ask) -> None:
    org.director.advance(86_400)
    told = parsedate_to_datetime(ask("GET", COUNT).headers["Date"])
    assert abs((org.director.now() - told).total_seconds()) < 5


def test_rows_are_locked_here_and_there(org: RunningOrg, ask: Ask) -> None:
    ids = org.director.load("Contact", [{"LastName": f"L{n}"} for n in range(10)])
    org.director.fault(rows={"every": 5})
    rows = [{"attributes": {"type": "Contact"}, "id": one, "DoNotCall": True} for one in ids]
    results = ask("PATCH", "composite/sobjects", json={"records": rows}).json()
    failed = [at for at, result in enumerate(results) if not result["success"]]
    assert failed == [4, 9]
    assert results[4]["errors"][0]["statusCode"] == "UNABLE_TO_LOCK_ROW"


def test_one_record_is_refused_by_what_it_says(org: RunningOrg, ask: Ask) -> None:
    ids = org.director.load("Contact", [{"LastName": f"L{n}"} for n in range(3)])
    org.director.fault(rows={"match": ids[1], "status_code": "ENTITY_IS_LOCKED", "message": "no"})
    rows = [{"attributes": {"type": "Contact"}, "id": one, "DoNotCall": True} for one in ids]
    results = ask("PATCH", "composite/sobjects", json={"records": rows}).json()
    assert [result["success"] for result in results] == [True, False, True]
    single = ask("PATCH", f"sobjects/Contact/{ids[1]}", json={"DoNotCall": True})
    assert single.json()[0]["errorCode"] == "ENTITY_IS_LOCKED"


def test_the_token_endpoint_can_fail_too(org: RunningOrg, http: requests.Session) -> None:
    org.director.fault(path="oauth2/token", html=True, status=503)
    answer = http.post(f"{org.org_url}/services/oauth2/token", data={}, timeout=30)
    assert answer.status_code == 503


def test_a_fault_that_means_nothing_is_refused(org: RunningOrg) -> None:
    with pytest.raises(Refused, match="FAULT_MALFORMED"):
        org.director.fault(statuss=500)


def an_edit(contact: str, **fields: Any) -> dict[str, Any]:
    """An act of the rep."""
    return {"as": "rep", "do": "update", "object": "Contact", "id": contact, "fields": fields}


def test_a_rep_edits_just_before_the_second_call(org: RunningOrg, ask: Ask) -> None:
    contact = a_contact(org)
    org.director.script(call=2, moment="before", acts=[an_edit(contact, Phone="after all")])
    path = f"sobjects/Contact/{contact}?fields=Phone"
    assert [ask("GET", path).json()["Phone"] for _ in range(3)] == [None, "after all", "after all"]


def test_a_rep_edits_just_after_a_call_that_a_pattern_finds(org: RunningOrg, ask: Ask) -> None:
    contact = a_contact(org)
    script = org.director.script(
        match=f"^PATCH .*{contact}", moment="after", acts=[an_edit(contact, DoNotCall=False)]
    )
    path = f"sobjects/Contact/{contact}"
    ask("GET", path)
    assert org.director.outcomes(script) is None
    assert ask("PATCH", path, json={"DoNotCall": True}).status_code == 204
    assert ask("GET", path).json()["DoNotCall"] is False
    assert org.director.outcomes(script) == [None]


def test_a_pattern_reaches_into_the_body(org: RunningOrg, ask: Ask) -> None:
    contact = a_contact(org)
    acts = [an_edit(contact, Title="x"), an_edit(contact, Consent_Status__c="Permitted")]
    script = org.director.script(match=r"(?s)PATCH .*DoNotCall", moment="after", acts=acts)
    ask("PATCH", f"sobjects/Contact/{contact}", json={"DoNotCall": True})
    outcomes = org.director.outcomes(script)
    assert outcomes is not None
    assert outcomes[0] is None
    assert outcomes[1]["refused"] == "INVALID_FIELD_FOR_INSERT_UPDATE"


def test_a_scene_before_a_guarded_write_makes_it_fail(org: RunningOrg, ask: Ask) -> None:
    contact = a_contact(org)
    path = f"sobjects/Contact/{contact}"
    seen = ask("GET", path).headers["Last-Modified"]
    org.director.advance(10)
    org.director.script(call=1, acts=[an_edit(contact, HasOptedOutOfEmail=True)])
    guarded = ask(
        "PATCH", path, json={"HasOptedOutOfEmail": False}, headers={"If-Unmodified-Since": seen}
    )
    assert guarded.status_code == 412
