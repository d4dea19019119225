"""Somebody took it for a yes, or had one once, and could not show it."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from salesforce_bridge.ledger import review
from salesforce_bridge.ledger.imports import ImportRefused
from salesforce_bridge.ledger.proving import Proof
from salesforce_bridge.ledger.review import ClaimIsOwn
from salesforce_bridge.permissions.evidence import Grade
from tests.integration.cycle.living import CALLS, EMAIL, ROW
from tests.regressions.bridges import (
    PROVEN,
    RESEARCH,
    SIGNED,
    YES,
    Bridge,
)
from tests.unit.permissions.calls import interest
from tests.unit.permissions.examples import (
    POLICY,
    ask,
)

BY_PARTNERS: dict[str, dict[str, Any]] = {
    "bare": {},
    "a row of their list": {"evidence_grade": "C", "evidence_ref": "partner list, row 9"},
    "their own form": {**PROVEN, "notice_id": "", "trust": "SUBJECT_DIRECT", "verified_by": "carl"},
    "their word for it": {**PROVEN, "trust": "SUBJECT_DIRECT"},
}


@pytest.mark.parametrize("shown", BY_PARTNERS)
def test_consent_that_partners_had_collected_could_not_be_shown(bridge: Bridge, shown: str) -> None:
    """France, CANAL+, 2023: valid consent collected by partners could not be shown. A partner's statement waits
    for its form and its text, and permits nothing meanwhile.
    """
    who = bridge.meet()
    bridge.cycle()
    line = bridge.line("GRANT", contact_id=who, email=bridge.address(who), **BY_PARTNERS[shown])
    assert bridge.imported(line).recorded == {"QUARANTINED": 1}
    bridge.settle()
    assert bridge.row(who)["Consent_Status__c"] != "Permitted"
    assert "GRANT" not in bridge.kinds(who)


def test_leads_were_bought_whose_notice_named_somebody_else(bridge: Bridge) -> None:
    """France, Hubside and Foriou, 2024: leads were bought, a contract stood in for checks, and the buyer was not on
    the list that people had seen. A notice that is not ours, or not about this purpose, makes no yes.
    """
    leads: list[dict[str, Any]] = [{"email": f"lead{number}@example.org"} for number in range(2)]
    told = {**SIGNED, "approved_by": "anna+ben", "trust": "CONTROLLER_CONTROLLED"}
    with pytest.raises(ImportRefused):
        bridge.imported(bridge.line("GRANT", **{**leads[0], **told, "notice_id": "partners-1"}))
    bridge.imported(bridge.line("GRANT", **{**leads[1], **told, "notice_id": "privacy-en-1"}))
    for lead in leads:
        who = bridge.meet(**lead)
        bridge.settle()
        assert bridge.row(who)["Consent_Status__c"] != "Permitted"


def test_presumed_consents_were_migrated_as_consents(bridge: Bridge) -> None:
    """EDPB guidelines 05/2020: presumed consents without records fall below the standard. A migrated "opted in" is
    a claim: it waits in quarantine and permits nothing.
    """
    who = bridge.meet()
    permitted = {"Contact__c": who, "Purpose__c": EMAIL.purpose, "Channel__c": EMAIL.channel}
    bridge.director.load(ROW, [{**permitted, "Consent_Status__c": "Permitted"}])
    report = bridge.cycle()
    assert report.decisions["GRANT_QUARANTINED_NEW_SUBJECT"] == 1
    assert bridge.row(who)["Consent_Status__c"] != "Permitted"
    assert "GRANT" not in bridge.kinds(who)
    assert [each.use for each in bridge.person(who).candidates if each.open] == [EMAIL]


def test_an_interest_was_claimed_without_an_assessment(bridge: Bridge) -> None:
    """EDPB guidelines 1/2024: a legitimate interest needs its documented test. Without one that is approved and in
    date nothing rests on it, and it ends by itself when its review is not done.
    """
    who = bridge.meet()
    bridge.cycle()
    bridge.imported(
        bridge.line("ESTABLISH", use=RESEARCH, contact_id=who, condition_ref="product_research")
    )
    notice = {"kind": "OBJECTION_NOTICE", "ref": "privacy-en-1", "purpose": RESEARCH.purpose}
    bridge.imported({**notice, "contact_id": who, "valid_from": "2026-05-01"}, facts=True)
    bridge.settle()
    assert bridge.light(who, RESEARCH) == "OK"
    bridge.director.set_now(datetime(2027, 1, 2, tzinfo=UTC))
    bridge.settle()
    assert bridge.light(who, RESEARCH) != "OK"
    assert not bridge.answer(who, RESEARCH).reason.startswith("ALLOW")


def test_an_interest_that_was_never_assessed_is_none() -> None:
    """EDPB guidelines 1/2024, the rule itself: the same person, and no assessment in the policy at all."""
    in_force = interest(use=RESEARCH)
    assert ask(in_force).reason == "ALLOW_LEGITIMATE_INTEREST"
    unassessed = replace(POLICY, assessments={})
    assert ask(in_force, policy=unassessed).reason == "DENY_EVIDENCE_BELOW_GRADE"


def test_trust_was_taken_from_the_body_of_the_request(bridge: Bridge) -> None:
    """margince 4275 and 5142: who decides is part of the record, and the level of trust comes from who that is,
    never from what is typed. A rep's word stays a rep's word, and a file's stays a file's.
    """
    number, claimed = "+44 20 7946 0123", {**PROVEN, "trust": "SUBJECT_DIRECT"}
    who = bridge.meet(Phone=number)
    bridge.settle()
    bridge.request(who, YES, Requested_Change_Evidence__c="trust=SUBJECT_DIRECT grade=A")
    bridge.imported(bridge.line("GRANT", use=CALLS, contact_id=who, phone=number, **claimed))
    bridge.settle()
    assert "Permitted" not in {bridge.row(who, use)["Consent_Status__c"] for use in (EMAIL, CALLS)}
    row = bridge.row(who)["Id"]
    (typed,) = bridge.director.query(f"SELECT CreatedById FROM {ROW} WHERE Id = '{row}'")
    authors = {each.use: each.claimed_by for each in bridge.person(who).candidates}
    assert authors == {EMAIL: rep_of(bridge), CALLS: "anna"}
    assert authors[EMAIL] != typed["CreatedById"]  # who wrote the row is not who makes the claim


def rep_of(bridge: Bridge) -> str:
    """The id of the rep who types."""
    made = bridge.director.rep.create("Contact", LastName="Anybody")
    (found,) = bridge.director.query(f"SELECT CreatedById FROM Contact WHERE Id = '{made}'")
    return str(found["CreatedById"])


def test_somebody_approved_what_they_had_claimed(bridge: Bridge) -> None:
    """margince 4331: nobody overrules the person, and nobody approves their own claim."""
    who = bridge.meet()
    bridge.cycle()
    bridge.imported(bridge.line("GRANT", contact_id=who, email=bridge.address(who)))
    (claim,) = bridge.person(who).candidates
    proof = Proof(grade=Grade.B, ref="scan 17", notice_id="consent-en-1", point=None)
    with bridge.ledger.begin() as tx, pytest.raises(ClaimIsOwn):
        review.approve(
            tx,
            claim.id,
            proof,
            by="anna",
            approved_by="ben",
            at=bridge.now,
            policy=bridge.world.policy,
        )
    assert "GRANT" not in bridge.kinds(who)
