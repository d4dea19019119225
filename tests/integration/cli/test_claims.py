"""Claims in quarantine on the command line: listed, approved by two people, or refused."""

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
        for each in rehearsal.bridge("ledger", "claims", "--json").document
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
    assert claim["claim_id"] in claimed.bridge("ledger", "claims").out


def test_two_people_make_a_claim_a_permission_in_salesforce(claimed: Rehearsal) -> None:
    claim = the_claim(claimed)["claim_id"]
    answer = claimed.bridge("ledger", "approve", claim, *OTHER, *PROOF)
    assert answer.code == 0, answer.err
    assert "approved" in answer.out
    assert shown(claimed) == "Permitted"
    again = claimed.bridge("ledger", "approve", claim, *OTHER, *PROOF)
    assert again.code == 1
    assert "does not wait for anybody" in again.err


def test_nobody_approves_alone_nor_what_they_claimed_themselves(claimed: Rehearsal) -> None:
    claim = the_claim(claimed)
    for same in (operator(), f" {operator()} ", "", claim["claimed_by"], claim["claimed_by"][:15]):
        answer = claimed.bridge(
            "ledger", "approve", claim["claim_id"], "--approved-by", same, *PROOF
        )
        assert answer.code == 1
        assert "two" in answer.err
    assert the_claim(claimed) == claim


@pytest.mark.parametrize(
    ("proof", "complaint"),
    [
        (("--grade", "D", "--notice", "consent-en-1"), "needs proof of grade"),
        (("--grade", "A", "--notice", "unheard-of"), "still waits"),
        ((*PROOF, "--address", "not an address"), "cannot be read"),
    ],
)
def test_an_approval_that_would_permit_nothing_leaves_the_claim_open(
    claimed: Rehearsal, proof: tuple[str, ...], complaint: str
) -> None:
    claim = the_claim(claimed)
    answer = claimed.bridge("ledger", "approve", claim["claim_id"], *OTHER, *proof)
    assert answer.code == 1
    assert complaint in answer.err
    assert the_claim(claimed) == claim
    assert shown(claimed) != "Permitted"


def test_a_refused_claim_is_closed_and_permits_nothing(claimed: Rehearsal) -> None:
    claim = the_claim(claimed)["claim_id"]
    answer = claimed.bridge("ledger", "refuse", claim, "--json")
    assert answer.document == {"claim_id": claim, "verdict": "REFUSED"}
    waiting = claimed.bridge("ledger", "claims", "--json").document
    assert claim not in {each["claim_id"] for each in waiting}
    assert shown(claimed) != "Permitted"
    assert claimed.bridge("ledger", "refuse", claim).code == 1


def test_a_ledger_without_claims_says_so(running: Rehearsal) -> None:
    for each in running.bridge("ledger", "claims", "--json").document:
        assert running.bridge("ledger", "refuse", each["claim_id"]).code == 0
    assert "No claim waits" in running.bridge("ledger", "claims").out
