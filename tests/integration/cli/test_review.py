"""What waits for a person, on the command line: claims, a mass change that was stopped, stops recorded in error."""

from typing import Any

import pytest

from salesforce_bridge.cli.shared import operator
from tests.integration.cli.conftest import Rehearsal

PROOF = ("--grade", "A", "--evidence", "vault/7", "--notice", "consent-en-1")
OTHER = ("--approved-by", "another-login")


@pytest.fixture
def claimed(running: Rehearsal) -> Rehearsal:
    """A rehearsal in which a rep has claimed one permission."""
    rep, contact = running.org.director.as_user("rep"), running.calm_contact()
    row = running.org.director.query(
        f"SELECT Id FROM Permission__c WHERE Contact__c = '{contact}'"
        " AND Purpose__c = 'direct_marketing' AND Channel__c = 'EMAIL'"
    )[0]
    rep.update(
        "Permission__c",
        str(row["Id"]),
        Requested_Change__c="Gave permission",
        Requested_Change_Evidence__c="form 12",
    )
    assert running.bridge("run", "--once").code == 0
    return running


def the_claim(rehearsal: Rehearsal) -> Any:
    (claim,) = [
        each
        for each in rehearsal.bridge("review", "list", "--json").document
        if rehearsal.calm_contact() in each["contact_ids"]
    ]
    return claim


def shown(rehearsal: Rehearsal) -> str:
    assert rehearsal.bridge("run", "--once").code == 0
    (row,) = rehearsal.org.director.query(
        "SELECT Consent_Status__c FROM Permission__c"
        f" WHERE Contact__c = '{rehearsal.calm_contact()}'"
        " AND Purpose__c = 'direct_marketing' AND Channel__c = 'EMAIL'"
    )
    return str(row["Consent_Status__c"])


def test_a_claim_is_listed_with_what_is_needed_to_judge_it(claimed: Rehearsal) -> None:
    claim = the_claim(claimed)
    assert (claim["purpose"], claim["channel"]) == ("direct_marketing", "EMAIL")
    assert claim["evidence_ref"] == "form 12"
    assert claim["claimed_by"].startswith("005")
    assert claim["claim_id"] in claimed.bridge("review", "list").out


def test_two_people_make_a_claim_a_permission_in_salesforce(claimed: Rehearsal) -> None:
    claim = the_claim(claimed)["claim_id"]
    answer = claimed.bridge("review", "approve", claim, *OTHER, *PROOF)
    assert answer.code == 0, answer.err
    assert "approved" in answer.out
    assert shown(claimed) == "Permitted"
    again = claimed.bridge("review", "approve", claim, *OTHER, *PROOF)
    assert again.code == 1
    assert "does not wait for anybody" in again.err


def test_nobody_approves_alone_nor_what_they_claimed_themselves(claimed: Rehearsal) -> None:
    claim = the_claim(claimed)
    for same in (operator(), f" {operator()} ", "", claim["claimed_by"], claim["claimed_by"][:15]):
        answer = claimed.bridge(
            "review", "approve", claim["claim_id"], "--approved-by", same, *PROOF
        )
        assert answer.code == 1
        assert "two" in answer.err
    assert the_claim(claimed) == claim


@pytest.mark.parametrize(
    ("proof", "complaint"),
    [
        (("--grade", "D", "--notice", "consent-en-1"), "needs proof of grade"),
        (("--grade", "A", "--notice", "unheard-of"), "would not follow"),
        (("--grade", "A", "--notice", "unheard-of"), "was not out at that time"),
        ((*PROOF, "--address", "not an address"), "cannot be read"),
    ],
)
def test_an_approval_that_would_permit_nothing_leaves_the_claim_open(
    claimed: Rehearsal, proof: tuple[str, ...], complaint: str
) -> None:
    claim = the_claim(claimed)
    answer = claimed.bridge("review", "approve", claim["claim_id"], *OTHER, *proof)
    assert answer.code == 1
    assert complaint in answer.err
    assert the_claim(claimed) == claim
    assert shown(claimed) != "Permitted"


def test_a_refused_claim_is_closed_and_permits_nothing(claimed: Rehearsal) -> None:
    claim = the_claim(claimed)["claim_id"]
    answer = claimed.bridge("review", "refuse", claim, "--json")
    assert answer.document == {"claim_id": claim, "verdict": "REFUSED"}
    waiting = claimed.bridge("review", "list", "--json").document
    assert claim not in {each["claim_id"] for each in waiting}
    assert shown(claimed) != "Permitted"
    assert claimed.bridge("review", "refuse", claim).code == 1


def test_a_ledger_without_claims_says_so(running: Rehearsal) -> None:
    for each in running.bridge("review", "list", "--json").document:
        assert running.bridge("review", "refuse", each["claim_id"]).code == 0
    assert "No claim waits" in running.bridge("review", "list").out


def test_a_claim_is_shown_beside_what_the_ledger_holds(claimed: Rehearsal) -> None:
    claim = the_claim(claimed)
    shown_claim = claimed.bridge("review", "show", claim["claim_id"], "--json").document
    assert shown_claim | claim == shown_claim
    assert shown_claim["sentence"].startswith("A permission was claimed with a reference")
    assert (shown_claim["state"], shown_claim["history"]) == (None, [])
    told = claimed.bridge("review", "show", claim["claim_id"]).out
    assert "form 12" in told
    assert "two people to approve it" in told
    assert f"review approve {claim['claim_id']} --approved-by LOGIN --grade A|B" in told
    assert f"review refuse {claim['claim_id']}" in told


def test_a_list_that_is_cut_says_so_and_what_to_do_next(claimed: Rehearsal) -> None:
    waiting = claimed.bridge("review", "list", "--json").document
    whole = claimed.bridge("review", "list").out
    assert f"{len(waiting)} wait; review show CLAIM_ID" in whole
    assert len(waiting) > 1
    assert "More than 1 wait (-n shows more)" in claimed.bridge("review", "list", "-n", "1").out
    assert len(claimed.bridge("review", "list", "-n", "1", "--json").document) == 1


def test_an_approval_without_proof_is_told_what_to_give(claimed: Rehearsal) -> None:
    answer = claimed.bridge("review", "approve", the_claim(claimed)["claim_id"], *OTHER)
    assert answer.code == 1
    assert "give --grade, --notice and --evidence" in answer.err


def test_claims_are_refused_in_bulk_only_when_somebody_says_yes(claimed: Rehearsal) -> None:
    waiting = claimed.bridge("review", "list", "--json").document
    for said in ("", "n\n"):
        assert claimed.bridge("review", "refuse-all", said=said).code == 1
    assert claimed.bridge("review", "list", "--json").document == waiting
    chosen = [each for each in waiting if each["reason"] == "GRANT_QUARANTINED_ATTESTED"]
    words = ("--reason-code", "GRANT_QUARANTINED_ATTESTED", "--yes", "--json")
    assert claimed.bridge("review", "refuse-all", *words).document == {"refused": len(chosen)}
    left = {each["claim_id"] for each in claimed.bridge("review", "list", "--json").document}
    assert left == {each["claim_id"] for each in waiting} - {each["claim_id"] for each in chosen}
    assert "0 claims" in claimed.bridge("review", "refuse-all", "--older-than", "40000").out


def test_there_is_no_bulk_approval(running: Rehearsal) -> None:
    assert "approve-all" not in running.bridge("review", "--help").out


@pytest.fixture
def surged(running: Rehearsal) -> Rehearsal:
    """A rehearsal in which somebody has claimed more than the policy lets through at once."""
    text = (running.folder / "policy.toml").read_text()
    text = text.replace("floor = 50", "floor = 3").replace('"2026-01"', '"2026-02"')
    (running.folder / "next.toml").write_text(text)
    assert running.bridge("policy", "apply", "next.toml", *OTHER, "--note", "x", "--yes").code == 0
    assert running.bridge("run", "--once").code == 0
    rep = running.org.director.as_user("rep")
    rows = running.org.director.query(
        "SELECT Id FROM Permission__c WHERE Consent_Status__c = 'Not asked' ORDER BY Id LIMIT 4"
    )
    for row in rows:
        rep.update("Permission__c", str(row["Id"]), Requested_Change__c="Gave permission")
    return running


def test_a_mass_change_waits_for_a_person_who_says_what_they_found(surged: Rehearsal) -> None:
    before = len(surged.bridge("review", "list", "-n", "1000", "--json").document)
    planned = surged.bridge("plan", "--json").document
    assert "rows at once" in planned["circuit"]
    assert surged.bridge("run", "--once").code == 4
    assert "rows at once" in surged.bridge("plan").out
    status = surged.bridge("review", "circuit", "status", "--json").document
    assert status["open"]
    assert sum(status["edits"].values()) >= 4
    assert "OPEN" in surged.bridge("review", "circuit", "status").out
    assert surged.bridge("status", "--json").document["circuit"] == {"open": True}
    assert surged.bridge("doctor").code == 1
    assert len(surged.bridge("review", "list", "-n", "1000", "--json").document) == before

    assert surged.bridge("review", "circuit", "close", "--reason", " ").code == 2
    closed = surged.bridge("review", "circuit", "close", "--reason", "a fair", "--json")
    assert closed.document == {"closed": True}
    assert surged.bridge("review", "circuit", "close", "--reason", "again").code == 1
    assert not surged.bridge("review", "circuit", "status", "--json").document["open"]
    surged.bridge("run", "--once")
    after = surged.bridge("review", "list", "-n", "1000", "--json").document
    assert len(after) == before + 4


def test_a_stop_that_was_an_error_is_listed_first_and_taken_back_by_two(
    running: Rehearsal,
) -> None:
    contact = running.calm_contact()
    use = ("--purpose", "direct_marketing", "--channel", "EMAIL")
    assert running.bridge("ledger", "record", "stop", contact, *use).code == 0
    (stop,) = running.bridge("ledger", "show", contact, "--json").document["events"]
    chosen = ("review", "correct", "--event", stop["event_id"])
    listed = running.bridge(*chosen, "--json").document
    assert [each["correctable"] for each in listed["stops"]] == [True]
    assert listed["corrected"] == 0
    assert contact in running.bridge(*chosen).out

    assert running.bridge(*chosen, "--approved-by", operator(), "--evidence", "x").code == 1
    assert running.bridge(*chosen, *OTHER).code == 2
    assert running.bridge(*chosen, *OTHER, "--evidence", "ticket 9", said="n\n").code == 1
    done = running.bridge(*chosen, *OTHER, "--evidence", "ticket 9", "--yes", "--json")
    assert done.document["corrected"] == 1
    assert shown(running) == "Not asked"
    again = running.bridge(*chosen, *OTHER, "--evidence", "ticket 9", "--yes")
    assert again.code == 1
    assert "can be corrected" in again.err


def test_stops_to_correct_are_named_by_an_author_and_a_time_or_not_at_all(
    running: Rehearsal,
) -> None:
    assert running.bridge("review", "correct").code == 1
    since = ("--since", "2026-01-01", "--until", "2027-01-01")
    nobody = running.bridge("review", "correct", "--author", "005000000000000AAA", *since)
    assert nobody.code == 0
    assert "No stop is meant" in nobody.out
