"""Cases of people's rights on the command line: opened, shown with their dates, and closed as their kind needs."""

import json
import stat
import time
from datetime import UTC, datetime
from typing import Any

import pytest

from salesforce_bridge.cli.rights_words import ENDINGS
from salesforce_bridge.cli.shared import operator
from salesforce_bridge.permissions.rights import CaseKind, CaseState
from tests.integration.cli.conftest import Rehearsal

OTHER = ("--approved-by", "another-login")
RECEIVED = ("--received", "2026-01-02T08:00:00")
TOLD = ("--told-at", "2026-01-02T09:00:00")


def opened(rehearsal: Rehearsal, kind: str, *words: str) -> Any:
    answer = rehearsal.bridge("rights", "open", rehearsal.calm_contact(), kind, *words, "--json")
    assert answer.code == 0, answer.err
    return answer.document


def status_of(rehearsal: Rehearsal, contact: str, channel: str = "EMAIL") -> str | None:
    assert rehearsal.bridge("run", "--once").code == 0
    rows = rehearsal.org.director.query(
        f"SELECT Consent_Status__c FROM Permission__c WHERE Contact__c = '{contact}'"
        f" AND Purpose__c = 'direct_marketing' AND Channel__c = '{channel}'"
    )
    return str(rows[0]["Consent_Status__c"]) if rows else None


def test_a_case_is_due_after_a_calendar_month_and_stops_at_once(running: Rehearsal) -> None:
    case = opened(running, "MARKETING_OBJECTION", "--received", "2026-01-31T08:00:00")
    assert case["due_at"].startswith("2026-02-28T08:00:00")
    (contact,) = case["contact_ids"]
    assert status_of(running, contact) == "Stopped"


def test_overdue_cases_are_marked_and_counted_and_make_the_doctor_ill(running: Rehearsal) -> None:
    case = opened(running, "ACCESS", "--received", "2026-01-05")
    (listed,) = [
        each
        for each in running.bridge("rights", "list", "--json").document
        if each["case_id"] == case["case_id"]
    ]
    assert listed["overdue"]
    assert "OVERDUE" in running.bridge("rights", "list").out
    assert running.bridge("status", "--json").document["rights_cases"]["overdue"] >= 1
    assert running.bridge("doctor").code == 1
    explained = running.bridge("explain", running.calm_contact(), "--json").document
    assert [each["case_id"] for each in explained["rights_cases"]] == [case["case_id"]]
    assert "OVERDUE" in running.bridge("explain", running.calm_contact()).out


def test_a_case_says_how_it_may_end(running: Rehearsal) -> None:
    case = opened(running, "OBJECTION", "--purpose", "product_research")
    shown = running.bridge("rights", "show", case["case_id"][:12], "--json").document
    assert [each["state"] for each in shown["endings"]] == ["UPHELD", "OVERRIDDEN"]
    told = running.bridge("rights", "show", case["case_id"]).out
    assert "takes two people" in told
    unknown = running.bridge("rights", "show", "no-such-case")
    assert unknown.code == 1
    assert "rights list" in unknown.err


def test_a_case_says_what_the_law_grants_under_each_basis_that_the_data_is_used_on(
    running: Rehearsal,
) -> None:
    wide = opened(running, "ERASURE")
    shown = running.bridge("rights", "show", wide["case_id"], "--json").document
    granted = {each["purpose"]: each for each in shown["entitled_to"]}
    assert {key: (each["lawful_basis"], each["article"]) for key, each in granted.items()} == {
        "direct_marketing": ("CONSENT", "17(1)(b)"),
        "product_research": ("LEGITIMATE_INTEREST", "17(1)(c)"),
        "service_messages": ("CONTRACT", "17(1)(a)"),
        "statutory_notices": ("LEGAL_OBLIGATION", "17(3)(b)"),
    }
    assert granted["statutory_notices"]["worth"] == "REFUSED"
    told = running.bridge("rights", "show", wide["case_id"]).out
    assert "the right is" in told
    assert granted["direct_marketing"]["sentence"] in told
    assert "no such right" in told
    narrow = opened(running, "OBJECTION", "--purpose", "product_research")
    shown = running.bridge("rights", "show", narrow["case_id"], "--json").document
    assert [each["purpose"] for each in shown["entitled_to"]] == ["product_research"]
    assert [each["worth"] for each in shown["entitled_to"]] == ["HOLD_AND_DECIDE"]


def test_the_law_gives_a_complex_case_two_months_more_once(running: Rehearsal) -> None:
    received = datetime.now(UTC).replace(microsecond=0)
    case = opened(running, "ACCESS")
    extended = running.bridge(
        "rights", "extend", case["case_id"], "--reason", "many records", "--json"
    ).document
    due_at = datetime.fromisoformat(extended["due_at"])
    assert (due_at.year * 12 + due_at.month) - (received.year * 12 + received.month) == 3
    again = running.bridge("rights", "extend", case["case_id"], "--reason", "more")
    assert again.code == 1


def test_an_access_case_is_closed_by_one_person_and_waits_no_more(running: Rehearsal) -> None:
    case = opened(running, "ACCESS")["case_id"]
    closed = running.bridge("rights", "close", case, "--as", "DONE", "--json").document
    assert (closed["state"], closed["answered"]) == ("DONE", True)
    assert closed["reply_sent_at"] is not None
    assert case not in running.bridge("rights", "list").out
    assert case in running.bridge("rights", "list", "--all").out
    again = running.bridge("rights", "close", case, "--as", "DONE")
    assert again.code == 1
    assert "does not wait" in again.err


def test_a_case_cannot_end_in_a_way_that_its_kind_does_not_know(running: Rehearsal) -> None:
    case = opened(running, "MARKETING_OBJECTION")["case_id"]
    answer = running.bridge("rights", "close", case, "--as", "OVERRIDDEN", "--reason", "x", *OTHER)
    assert answer.code == 2
    assert "UPHELD" in answer.err
    assert running.bridge("rights", "close", case).code == 0  # there is just one way


def test_what_an_ending_needs_is_asked_for(running: Rehearsal) -> None:
    refusal = opened(running, "ACCESS")["case_id"]
    assert running.bridge("rights", "close", refusal, "--as", "REFUSED").code == 2
    assert running.bridge("rights", "close", refusal).code == 2
    assert (
        running.bridge("rights", "close", refusal, "--as", "REFUSED", "--reason", "law").code == 0
    )
    contact = running.calm_contact()
    restriction = opened(running, "RESTRICTION", *RECEIVED)["case_id"]
    assert status_of(running, contact) == "Limited"
    lift = ("rights", "close", restriction, "--as", "DONE")
    assert running.bridge(*lift, *OTHER).code == 2
    alone = running.bridge(*lift, "--approved-by", operator(), *TOLD)
    assert alone.code == 1
    assert "two different people" in alone.err
    assert running.bridge(*lift, *OTHER, *TOLD).code == 0
    time.sleep(1)  # a cycle's clock is Salesforce's, in whole seconds
    assert status_of(running, contact) == "Not asked"


def test_an_erasure_takes_two_people_and_a_yes_and_says_what_is_kept(running: Rehearsal) -> None:
    case = opened(running, "ERASURE")["case_id"]
    erase = ("rights", "close", case, "--as", "DONE", *OTHER)
    assert running.bridge(*erase, said="n\n").code == 1
    done = running.bridge(*erase, "--yes", "--json")
    assert done.code == 0, done.err
    assert "SUPPRESSIONS" in done.document["kept"]
    explained = running.bridge("explain", running.calm_contact(), "--json").document
    assert explained["erased"]
    assert {use["verdict"] for use in explained["uses"]} != {"ALLOW"}


def test_the_endings_that_are_told_are_those_that_the_ledger_takes(running: Rehearsal) -> None:
    for kind in CaseKind:
        known = {each.state: each for each in ENDINGS[kind]}
        for state in set(CaseState) - {CaseState.OPEN} - known.keys():
            case = opened(running, kind.value)["case_id"]
            answer = running.bridge("rights", "close", case, "--as", state.value, *OTHER, *TOLD)
            assert answer.code == 2, (kind, state)


def test_a_copy_to_take_along_holds_consent_and_contract_and_nothing_else(
    running: Rehearsal,
) -> None:
    contact = running.calm_contact()
    consent = ("--purpose", "direct_marketing", "--channel", "EMAIL", "--notice", "consent-en-1")
    proof = ("--evidence", "vault/1", "--grade", "A")
    assert running.bridge("ledger", "record", "grant", contact, *consent, *proof).code == 0
    interest = ("--purpose", "product_research", "--channel", "EMAIL", "--condition", "told")
    assert running.bridge("ledger", "record", "establish", contact, *interest).code == 0
    copy = running.bridge("rights", "export", contact).document
    assert [each["purpose"] for each in copy["permissions"]] == ["direct_marketing"]
    assert copy["not_included"] == ["product_research: rests on LEGITIMATE_INTEREST"]
    assert running.bridge("rights", "export", contact, "--out", "copy.json").code == 0
    path = running.folder / "copy.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert json.loads(path.read_text())["permissions"] == copy["permissions"]
    taken = running.bridge("rights", "export", contact, "--out", "copy.json")
    assert taken.code == 1
    assert "name a file that is not there" in taken.err


@pytest.mark.parametrize(
    "words", [("--received", "2999-01-01"), ("--purpose", "unheard_of")], ids=["future", "purpose"]
)
def test_a_case_that_cannot_be_is_not_opened(running: Rehearsal, words: tuple[str, str]) -> None:
    answer = running.bridge("rights", "open", running.calm_contact(), "OBJECTION", *words)
    assert answer.code == 2
    assert running.bridge("rights", "list", "--json").document == []
