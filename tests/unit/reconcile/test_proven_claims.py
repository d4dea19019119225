"""Claims with a proof that a machine has checked: whose yes it is, to what, and whether it is news."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from salesforce_bridge.permissions.bundle import PurposeStatus
from salesforce_bridge.permissions.conditions import Condition, ConditionKind
from salesforce_bridge.permissions.events import EventKind
from salesforce_bridge.permissions.evidence import Grade, Trust
from salesforce_bridge.permissions.keys import PurposeKey
from tests.unit.permissions.examples import POLICY as WRITTEN
from tests.unit.reconcile.sightings import (
    GRANT,
    HOME,
    PHONE,
    POLICY,
    a_case,
    a_person,
    a_proof,
    a_suppression,
    claimed,
    found,
    hours,
    only,
    told,
)
from tests.unit.reconcile.worlds import (
    EVERYTHING,
    NEWS_BY_CALL,
    NEWS_BY_EMAIL,
    NEWS_BY_POST,
    NOON,
    RESEARCH,
    a_contact,
    a_point,
    a_row,
    subject_id,
)

GRANTED, STOPPED = EventKind.GRANT, EventKind.WITHDRAW


def test_a_checked_proof_is_weighed_by_the_policy_and_travels_with_the_finding() -> None:
    finding = only(found(a_case(None, claimed(proof=a_proof()))))
    assert finding.situation.value == "S05_CRM_GRANT_VERIFIED_LATER"
    assert finding.proof == a_proof(trust=Trust.SUBJECT_DIRECT, grade=Grade.A)


@pytest.mark.parametrize(
    ("history", "situation"),
    [
        ((), "S05"),
        (((GRANTED, NEWS_BY_EMAIL, hours(-3)),), "S05"),
        (((STOPPED, NEWS_BY_EMAIL, hours(-3)),), "S05"),
        (((EventKind.STOP_MARKETING, EVERYTHING, hours(-3)),), "S05"),
        (((GRANTED, NEWS_BY_CALL, hours(-1)),), "S05"),
        (((GRANTED, NEWS_BY_EMAIL, hours(-1)),), "S06"),
        (((GRANTED, NEWS_BY_EMAIL, hours(-2)),), "S06"),
        (((STOPPED, NEWS_BY_EMAIL, hours(-1)),), "S06"),
        (((EventKind.STOP_MARKETING, EVERYTHING, hours(-1)),), "S06"),
        (((EventKind.STOP_MARKETING, EVERYTHING, hours(-2)),), "S06"),
        (
            (
                (GRANTED, NEWS_BY_EMAIL, hours(-3)),
                (EventKind.STOP_MARKETING, EVERYTHING, hours(-1)),
            ),
            "S06",
        ),
    ],
)
def test_a_proof_is_news_if_it_is_later_than_all_the_ledger_knows_of_the_use(
    history: tuple[Any, ...], situation: str
) -> None:
    findings = found(a_case(None, claimed(proof=a_proof())), people=(a_person(*history),))
    assert told(findings) == {situation: {NEWS_BY_EMAIL}}


@pytest.mark.parametrize(("since", "situation"), [(-3, "S05"), (-1, "S06")])
def test_a_suppression_of_the_address_is_something_the_ledger_knows(
    since: float, situation: str
) -> None:
    silent = a_suppression(since=hours(since), after_erasure=False)
    findings = found(a_case(None, claimed(proof=a_proof())), suppressions=(silent,))
    assert told(findings) == {situation: {NEWS_BY_EMAIL}}


@pytest.mark.parametrize(
    "said",
    [
        {"use": NEWS_BY_CALL},
        {"use": RESEARCH},
        {"point": a_point("somebody@example.org").exact},
        {"point": HOME.hmac},
        {"point": PHONE.exact},
        {"point": None},
        {"kind": "made_up"},
        {"kind": "noted"},
        {"kind": "typed"},
        {"notice_id": None},
        {"notice_id": "made-up"},
    ],
)
def test_a_proof_of_something_else_or_of_too_little_is_a_reference_that_a_person_looks_at(
    said: dict[str, Any],
) -> None:
    finding = only(found(a_case(None, claimed(proof=a_proof(**said)))))
    assert finding.situation.value == "S07_CRM_GRANT_ATTESTED"
    assert (finding.proof, finding.evidence_ref) == (None, "token:token-1")


def test_a_proof_for_a_purpose_that_is_not_live_is_looked_at_by_a_person() -> None:
    news = POLICY.purposes[PurposeKey("direct_marketing")]
    retired = replace(news, status=PurposeStatus.RETIRED)
    policy = replace(POLICY, purposes={**POLICY.purposes, news.key: retired})
    findings = found(a_case(None, claimed(proof=a_proof())), policy=policy)
    assert told(findings) == {"S07": {NEWS_BY_EMAIL}}


def test_a_yes_to_what_rests_on_an_interest_is_no_consent_the_ledger_could_hold() -> None:
    case = a_case(None, claimed(RESEARCH, proof=a_proof(use=RESEARCH)))
    assert told(found(case)) == {"S07": {RESEARCH}}


def test_a_proof_made_under_a_key_that_is_being_replaced_still_counts() -> None:
    old = a_point("person1@example.org", version=0)
    case = a_case(
        a_contact(1, older=(old,)),
        claimed(proof=a_proof(point=old.exact)),
        mirror=a_contact(1, older=(old,)),
    )
    assert told(found(case)) == {"S05": {NEWS_BY_EMAIL}}


@pytest.mark.parametrize("point", [HOME, PHONE])
def test_for_a_channel_without_an_address_any_of_the_person_shows_who_said_it(
    point: Any,
) -> None:
    proof = a_proof(use=NEWS_BY_POST, point=point.exact)
    assert told(found(a_case(None, claimed(NEWS_BY_POST, proof=proof)))) == {"S05": {NEWS_BY_POST}}


@pytest.mark.parametrize(
    ("said", "situation"),
    [
        ({"proof": a_proof(happened_at=hours(-1) + timedelta(minutes=5))}, "S05"),
        ({"proof": a_proof(happened_at=hours(-1) + timedelta(minutes=6))}, "S09"),
        ({"proof": a_proof(happened_at=datetime(1969, 12, 31, tzinfo=UTC))}, "S09"),
        ({"capture_date": datetime(1970, 1, 1, tzinfo=UTC)}, "S07"),
        ({"capture_date": hours(-1) + timedelta(minutes=5)}, "S07"),
        ({"capture_date": hours(-1) + timedelta(minutes=6)}, "S09"),
        ({"capture_date": datetime(1969, 12, 31, tzinfo=UTC)}, "S09"),
        ({"capture_date": hours(1), "proof": a_proof()}, "S09"),
        ({"capture_date": hours(-9), "proof": a_proof()}, "S05"),
    ],
)
def test_a_date_after_the_claim_or_before_computers_cannot_be_right(
    said: dict[str, Any], situation: str
) -> None:
    seen = found(a_case(None, claimed(**said)))
    assert situation in told(seen)
    assert not told(seen).keys() & {"S05", "S06", "S07", "S08", "S09"} - {situation}


def test_a_clock_that_runs_ahead_of_ours_dates_no_claim() -> None:
    proof = a_proof(happened_at=NOON + timedelta(minutes=6))
    case = a_case(None, claimed(proof=proof, modstamp=hours(1)))
    assert told(found(case)) == {"S09": {NEWS_BY_EMAIL}}


def test_a_proof_that_stayed_on_the_row_does_not_prove_what_is_typed_over_later() -> None:
    was = a_row(1, request_evidence="token:token-1", consent_status="Not asked")
    now = a_row(1, request_evidence="token:token-1", consent_status="Permitted", proof=a_proof())
    assert told(found(a_case(None, (was, now)))) == {"S08": {NEWS_BY_EMAIL}}


def test_a_proof_that_comes_with_a_result_typed_over_proves_it() -> None:
    was = a_row(1, consent_status="Not asked")
    now = a_row(1, request_evidence="token:token-1", consent_status="Permitted", proof=a_proof())
    assert told(found(a_case(None, (was, now)))) == {"S05": {NEWS_BY_EMAIL}}


def test_who_says_stop_and_brings_a_proof_of_a_yes_in_one_edit_has_said_stop() -> None:
    was = a_row(1, consent_status="Permitted", effective_to=hours(900))
    now = replace(
        was,
        request=GRANT,
        proof=a_proof(),
        fields=replace(was.fields, effective_to=hours(800)),
    )
    assert told(found(a_case(None, (was, now)))) == {"S04": {NEWS_BY_EMAIL}}


# ---------------------------------------------------------------- whose proof, and whose paper


def test_a_proof_on_a_row_whose_contact_is_not_in_sight_is_looked_at_by_a_person() -> None:
    """Without the Contact nobody can say whether the address is one of this person's."""
    case = replace(a_case(None, claimed(proof=a_proof())), seen=None)
    assert told(found(case))["S07"] == {NEWS_BY_EMAIL}


def test_a_paper_that_was_there_before_does_not_show_a_later_end() -> None:
    was = a_row(1, consent_status="Permitted", evidence_ref="letter 7", effective_to=hours(800))
    longer = replace(was, fields=replace(was.fields, effective_to=hours(900)))
    assert told(found(a_case(None, (was, longer))))["S08"] == {NEWS_BY_EMAIL}
    shown = replace(longer, fields=replace(longer.fields, evidence_ref="letter 8"))
    assert told(found(a_case(None, (was, shown))))["S07"] == {NEWS_BY_EMAIL}


@pytest.mark.parametrize(
    ("history", "ended", "situation"),
    [
        ((), None, "S05"),
        ((), hours(-4), "S07"),
        (((EventKind.STOP_ALL, EVERYTHING, hours(-9)),), hours(-4), "S05"),
        (((EventKind.STOP_MARKETING, EVERYTHING, hours(-9)),), hours(-4), "S07"),
    ],
)
def test_a_yes_to_what_rests_on_an_interest_is_no_consent_unless_something_stands_in_its_way(
    history: tuple[Any, ...], ended: datetime | None, situation: str
) -> None:
    """While the use is restricted or stopped, the claim has that to be judged by."""
    restriction = Condition(
        id="restriction",
        subject_id=subject_id(1),
        kind=ConditionKind.RESTRICTION,
        ref="asked by letter",
        valid_from=hours(-9),
        valid_to=ended,
    )
    person = a_person(*history, conditions=(restriction,))
    case = a_case(None, claimed(RESEARCH, proof=a_proof(use=RESEARCH)))
    policy = replace(
        POLICY,
        notices={
            **POLICY.notices,
            "consent-en-1": replace(
                POLICY.notices["consent-en-1"],
                purposes=(*POLICY.notices["consent-en-1"].purposes, RESEARCH.purpose),
            ),
        },
    )
    assert told(found(case, people=(person,), policy=policy)) == {situation: {RESEARCH}}


@pytest.mark.parametrize(
    ("since", "expected"), [(None, "S05"), (hours(-1), "S07"), (hours(-3), "S05")]
)
def test_a_yes_is_proven_by_the_law_of_the_place_that_was_left_unless_it_is_later(
    since: datetime | None, expected: str
) -> None:
    """Germany, where they were until then, asks for a yes that was confirmed; this one was not."""
    weaker = {"confirmed": replace(POLICY.proofs["confirmed"], grade=Grade.B)}
    policy = replace(POLICY, profiles=WRITTEN.profiles, proofs=weaker)
    person = a_person(former_jurisdiction=None if since is None else "DE", moved_at=since)
    findings = found(a_case(None, claimed(proof=a_proof())), people=(person,), policy=policy)
    assert told(findings) == {expected: {NEWS_BY_EMAIL}}


@pytest.mark.parametrize("end", [None, hours(900)])
def test_another_edit_of_a_row_that_ends_as_before_claims_nothing(end: datetime | None) -> None:
    was = a_row(1, consent_status="Permitted", effective_to=end)
    reworded = replace(was, fields=replace(was.fields, capture_source="by letter"))
    assert told(found(a_case(None, (was, reworded)))) == {"S11": {NEWS_BY_EMAIL}}
