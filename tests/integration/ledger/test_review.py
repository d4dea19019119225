"""A claim becomes a grant by two people who did not make it, or it stays a claim."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from salesforce_bridge.ledger import review, views
from salesforce_bridge.ledger.faults import SecondPersonMissing
from salesforce_bridge.ledger.proving import Proof as Shown
from salesforce_bridge.ledger.proving import ProofMissing
from salesforce_bridge.ledger.store import Appended, Ledger
from salesforce_bridge.permissions.evidence import Grade, Trust
from salesforce_bridge.permissions.proofs import Proof
from salesforce_bridge.permissions.states import State
from tests.integration.ledger.cycles import met, told
from tests.integration.ledger.people import (
    POLICY,
    a_stop,
    assert_whole,
    quarantined,
    the_person,
)
from tests.integration.ledger.steps import a_candidate
from tests.support.facts import NEWS_BY_EMAIL, NOON, contact_id

CLAIM = a_candidate(1)
SCAN = Shown(grade=Grade.B, ref="scan 17", notice_id="news-1", point="p")
TOKEN = Proof(
    id="t-1",
    kind="portal",
    use=NEWS_BY_EMAIL,
    happened_at=NOON - timedelta(minutes=1),
    notice_id="news-1",
    point="p",
    trust=Trust.SUBJECT_DIRECT,
    grade=Grade.A,
)
HELD_UP = replace(CLAIM, reason="GRANT_AFTER_STOP_REVIEW", proof=TOKEN, evidence_ref="token:t-1")


def approved(ledger: Ledger, proof: Shown | None = SCAN, **changes: Any) -> Appended:
    people: dict[str, Any] = {"by": "anna", "approved_by": "ben", **changes}
    with ledger.begin() as tx:
        return review.approve(tx, CLAIM.id, proof, **people, at=NOON, policy=POLICY)


def test_an_approved_claim_becomes_a_grant_and_leaves_the_quarantine(ledger: Ledger) -> None:
    met(ledger, 1)
    quarantined(ledger, CLAIM)
    approved(ledger)
    person = the_person(ledger)
    permission = person.permissions[NEWS_BY_EMAIL]
    assert (permission.state, permission.trust) == (State.GIVEN, Trust.CONTROLLER_CONTROLLED)
    assert permission.reason == "QUARANTINE_APPROVED"
    (claim,) = person.candidates
    assert (claim.open, claim.decision, claim.decided_by) == (
        False,
        "QUARANTINE_APPROVED",
        ("anna", "ben"),
    )
    with ledger.reading() as tx:
        assert review.waiting(tx, at=NOON) == ()
        sealed = views.tail(tx, count=1, kind="DEED")[0]
    assert (sealed.header["verb"], sealed.header["reason"]) == ("APPROVE", "QUARANTINE_APPROVED")
    assert_whole(ledger)


@pytest.mark.parametrize("approved_by", [None, "anna", "ANNA"])
def test_one_person_is_not_two(ledger: Ledger, approved_by: str | None) -> None:
    met(ledger, 1)
    quarantined(ledger, CLAIM)
    with pytest.raises(SecondPersonMissing):
        approved(ledger, approved_by=approved_by)


@pytest.mark.parametrize(
    ("claimed_by", "crm_users"),
    [
        ("anna", ()),
        ("Ben", ()),
        ("005000000000001AAA", ("005000000000001AAA",)),
        ("005000000000001AAA", ("005000000000001",)),
    ],
)
def test_nobody_approves_what_they_claimed_themselves(
    ledger: Ledger, claimed_by: str, crm_users: tuple[str, ...]
) -> None:
    met(ledger, 1)
    quarantined(ledger, replace(CLAIM, claimed_by=claimed_by))
    with pytest.raises(review.ClaimIsOwn):
        approved(ledger, crm_users=crm_users)
    assert the_person(ledger).candidates[0].open


def test_a_grant_that_the_ledger_would_not_follow_records_nothing_and_stays_open(
    ledger: Ledger,
) -> None:
    met(ledger, 1)
    told(ledger, a_stop(happened_at=NOON - timedelta(hours=1)))
    quarantined(ledger, CLAIM)
    with ledger.begin() as tx:
        before = tx.head()
        with pytest.raises(review.ApprovalWithoutEffect):
            review.approve(tx, CLAIM.id, SCAN, by="anna", approved_by="ben", at=NOON, policy=POLICY)
        assert tx.head() == before
    assert the_person(ledger).candidates[0].open
    assert the_person(ledger).permissions[NEWS_BY_EMAIL].state is State.WITHDRAWN
    assert_whole(ledger)


def test_the_persons_own_checked_yes_lifts_a_stop_once_two_people_have_looked(
    ledger: Ledger,
) -> None:
    met(ledger, 1)
    told(ledger, a_stop(happened_at=NOON - timedelta(hours=1)))
    quarantined(ledger, HELD_UP)
    assert the_person(ledger).candidates == (HELD_UP,)
    approved(ledger, None)
    permission = the_person(ledger).permissions[NEWS_BY_EMAIL]
    assert (permission.state, permission.trust) == (State.GIVEN, Trust.SUBJECT_DIRECT)
    assert permission.lifted_at == TOKEN.happened_at
    assert permission.evidence_ref == "token:t-1"


def test_what_was_proven_to_whom_a_merge_took_over_needs_no_rule_for_its_kind(
    ledger: Ledger,
) -> None:
    met(ledger, 1)
    kept = replace(TOKEN, kind="LEDGER", trust=Trust.CONTROLLER_CONTROLLED, grade=Grade.B)
    quarantined(ledger, replace(CLAIM, reason="MERGE_STOP_CARRIED", proof=kept))
    assert kept.kind not in POLICY.proofs
    approved(ledger, None)
    permission = the_person(ledger).permissions[NEWS_BY_EMAIL]
    assert (permission.trust, permission.grade) == (kept.trust, kept.grade)
    assert permission.granted_at == kept.happened_at
    assert_whole(ledger)


def test_a_claim_without_any_proof_is_not_approved(ledger: Ledger) -> None:
    met(ledger, 1)
    quarantined(ledger, CLAIM)
    for proof in (None, Shown(), Shown(grade=Grade.C, ref="a note", notice_id="news-1")):
        with pytest.raises(ProofMissing):
            approved(ledger, proof)


def test_a_refused_claim_is_closed_for_good(ledger: Ledger) -> None:
    met(ledger, 1)
    quarantined(ledger, CLAIM)
    with ledger.begin() as tx:
        review.refuse(tx, CLAIM.id, by="anna", at=NOON, policy=POLICY)
    (claim,) = the_person(ledger).candidates
    assert (claim.open, claim.decision, claim.decided_by) == (
        False,
        "QUARANTINE_REFUSED",
        ("anna",),
    )
    with pytest.raises(review.ClaimClosed):
        approved(ledger)
    assert the_person(ledger).permissions == {}


def test_many_claims_are_refused_at_once_and_each_is_sealed(ledger: Ledger) -> None:
    met(ledger, 1, 2, 3)
    quarantined(ledger, *map(a_candidate, (1, 2, 3)))
    with ledger.begin() as tx:
        review.refuse(tx, a_candidate(2).id, by="anna", at=NOON, policy=POLICY)
        ids = [a_candidate(number).id for number in (1, 2, 3)]
        assert review.refuse_all(tx, [*ids, "nobody"], by="anna", at=NOON, policy=POLICY) == 2
        assert review.waiting(tx, at=NOON) == ()
    assert_whole(ledger)


def test_what_waits_is_listed_with_its_age_and_its_end(ledger: Ledger) -> None:
    met(ledger, 1, 2)
    quarantined(ledger, HELD_UP, replace(a_candidate(2), claimed_by="005000000000001AAA"))
    later = NOON + timedelta(days=31)
    with ledger.reading() as tx:
        both = review.waiting(tx, at=later)
        (of_author,) = review.waiting(tx, at=later, claimed_by="005000000000001AAA")
        (after_stop,) = review.waiting(tx, at=later, reason="GRANT_AFTER_STOP_REVIEW")
        shown = review.show(tx, HELD_UP.id, at=later)
    assert {one.age for one in both} == {timedelta(days=31)}
    assert {one.expires_in for one in both} == {timedelta(days=-1)}
    assert of_author.contact_ids == (contact_id(2),)
    assert after_stop == shown.waiting
    assert shown.record.subject_id == HELD_UP.subject_id
