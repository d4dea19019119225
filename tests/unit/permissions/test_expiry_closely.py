"""Edges of time and place: whose ages and prompts count, from when, and what the clock looks for next."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from salesforce_bridge.permissions.answers import Verdict
from salesforce_bridge.permissions.bases import LawfulBasis
from salesforce_bridge.permissions.bundle import Trigger
from salesforce_bridge.permissions.conditions import ConditionKind
from salesforce_bridge.permissions.expiry import (
    due_since,
    end_of,
    ground_ends_at,
    next_moment,
    prompts_of,
    review_due_at,
)
from salesforce_bridge.permissions.keys import Channel, PurposeKey
from salesforce_bridge.permissions.laws import ChannelLaw
from salesforce_bridge.permissions.policy import Assignment
from salesforce_bridge.permissions.profiles import law_for
from salesforce_bridge.permissions.states import State
from tests.unit.permissions.calls import interest
from tests.unit.permissions.examples import (
    MARKETING_BY_EMAIL,
    NOON,
    POLICY,
    RESEARCH,
    SERVICE,
    Somebody,
    a_condition,
    a_permission,
    a_profile,
    ask,
    days,
    every_condition,
    hours,
    under_law,
    with_purpose,
)
from tests.unit.permissions.test_channel_law import offered
from tests.unit.permissions.test_expiry import (
    DAY,
    INTEREST,
    MARKETING,
    a_consent,
    a_rule,
    ageless,
    contract,
)

LOOSE, STRICT = a_profile("UK"), a_profile("DE", max_consent_age=DAY, renew_before=days(40, 5))
AT_HOME: dict[str, Any] = {"person": Somebody()}


def test_a_consent_is_aged_and_prompted_for_by_its_own_place_and_not_by_the_strictest() -> None:
    policy = under_law(LOOSE, STRICT, policy=ageless())
    ending = a_consent(effective_to=NOON + 99 * DAY)
    assert end_of(a_consent(), policy=policy, **AT_HOME) is None
    assert prompts_of(ending, policy=policy, **AT_HOME) == ()


def test_the_age_of_the_place_somebody_left_is_nothing_to_a_newer_consent() -> None:
    policy = under_law(LOOSE, STRICT, policy=ageless())
    moved = Somebody(former_jurisdiction="DE", moved_at=NOON)
    before, after = a_consent(granted_at=hours(-1)), a_consent(granted_at=NOON)
    assert end_of(before, person=moved, policy=policy) == hours(-1) + DAY
    assert end_of(after, person=moved, policy=policy) is None


def test_the_channel_law_of_the_place_somebody_left_is_nothing_to_newer_proof() -> None:
    strict = a_profile("DE", rules={Channel("EMAIL"): {"CONSUMER": ChannelLaw.OPT_OUT}})
    loose = a_profile("UK", law=ChannelLaw.NONE)
    policy = under_law(loose, strict)
    moved = Somebody(former_jurisdiction="DE", moved_at=NOON)

    def law(person: Somebody, granted_at: float) -> ChannelLaw:
        permission = a_permission(use=MARKETING_BY_EMAIL, granted_at=hours(granted_at))
        return law_for(policy, person, Channel("EMAIL"), permission)

    assert law(moved, 1) is ChannelLaw.NONE
    assert law(moved, -1) is ChannelLaw.OPT_OUT
    assert law(replace(moved, subject_class="BUSINESS"), -1) is ChannelLaw.PRIOR_CONSENT


def test_a_review_is_due_only_where_an_assessment_is_known() -> None:
    assert review_due_at(INTEREST, policy=POLICY) is not None
    assert review_due_at(INTEREST, policy=replace(POLICY, purposes={})) is None
    assert review_due_at(INTEREST, policy=replace(POLICY, assessments={})) is None


def test_prompts_come_after_the_latest_yes_and_never_at_it() -> None:
    policy = ageless(a_rule(renew_before=days(60, 30, 7)), max_age=30 * DAY)
    renewed = a_consent(effective_from=NOON - 99 * DAY)
    assert prompts_of(renewed, policy=policy, **AT_HOME) == (NOON + 23 * DAY,)
    undated = a_consent(granted_at=None, effective_to=NOON + 30 * DAY)
    assert prompts_of(undated, policy=policy, **AT_HOME) == (NOON + 23 * DAY,)


def test_a_consent_to_what_the_policy_no_longer_knows_is_prompted_for_as_its_place_says() -> None:
    unheard_of = under_law(LOOSE, STRICT, policy=replace(POLICY, purposes={}))
    ending = a_consent(effective_to=NOON + 99 * DAY)
    there = Somebody(jurisdiction="DE")
    assert prompts_of(ending, person=there, policy=unheard_of) == (NOON + 59 * DAY, NOON + 94 * DAY)


@pytest.mark.parametrize("lengths", [(2 * DAY, 5 * DAY), (5 * DAY, 2 * DAY), (5 * DAY, 5 * DAY)])
def test_a_basis_lasts_as_long_as_the_longest_of_the_contracts_it_rests_on(
    lengths: tuple[timedelta, ...],
) -> None:
    permission = interest(use=SERVICE, basis=LawfulBasis.CONTRACT)
    person = Somebody(conditions=tuple(contract(length) for length in lengths))
    assert ground_ends_at(permission, person=person) == NOON + 5 * DAY


def test_the_clock_comes_back_for_a_question_that_nobody_answers() -> None:
    asked = a_permission(State.REQUESTED, since=NOON, granted_at=None)
    lapse = NOON + POLICY.request_lapses_after
    assert next_moment(asked, policy=ageless(), at=lapse - DAY, **AT_HOME) == lapse
    assert due_since(asked, policy=ageless(), at=lapse, **AT_HOME) == lapse
    assert due_since(asked, policy=ageless(), at=lapse - DAY, **AT_HOME) is None


def test_the_clock_comes_back_when_the_policy_itself_says_something_else() -> None:
    day = NOON + 9 * DAY
    ending = Assignment(
        jurisdiction="*",
        subject_class="*",
        basis=a_consent().basis,
        effective_from=NOON - 999 * DAY,
        effective_to=day,
    )
    switching = with_purpose("direct_marketing", assignments=(ending,), max_age=None, expiry=())
    asked: dict[str, Any] = {"at": NOON, **AT_HOME}
    policy = under_law(policy=switching)
    assert next_moment(a_consent(), policy=policy, **asked) == day
    unheard_of = under_law(policy=replace(POLICY, purposes={}))
    assert next_moment(a_consent(), policy=unheard_of, **asked) is None


@pytest.mark.parametrize(
    ("purpose", "counts"),
    [(None, True), (MARKETING, True), (PurposeKey("product_research"), False)],
)
def test_the_clock_comes_back_for_a_fact_about_everything_or_just_this_purpose(
    purpose: PurposeKey | None, *, counts: bool
) -> None:
    fact = contract(9 * DAY, purpose=purpose, valid_from=NOON + 3 * DAY)
    asked: dict[str, Any] = {
        "person": Somebody(conditions=(fact,)),
        "policy": under_law(policy=with_purpose("direct_marketing", assignments=(), max_age=None)),
    }
    moments = [next_moment(a_consent(), at=NOON + at * DAY, **asked) for at in (0, 3, 9)]
    assert moments == [NOON + 3 * DAY if counts else None, NOON + 9 * DAY if counts else None, None]


def test_a_contract_about_just_this_purpose_counts_for_it() -> None:
    policy = ageless(a_rule(max_age=10 * DAY, trigger=Trigger.EVENT))
    ended = Somebody(conditions=(contract(3 * DAY, purpose=MARKETING),))
    assert end_of(a_consent(), person=ended, policy=policy) == NOON + 13 * DAY


def test_a_condition_about_just_this_purpose_carries_a_basis() -> None:
    others = tuple(one for one in every_condition() if one.kind is not ConditionKind.CONTRACT)
    permission = interest(use=SERVICE, basis=POLICY.purposes[SERVICE.purpose].assignments[0].basis)
    for purpose, verdict in (
        (SERVICE.purpose, Verdict.ALLOW),
        (PurposeKey("product_research"), Verdict.DENY),
    ):
        told = a_condition(ConditionKind.CONTRACT, purpose=purpose)
        assert ask(permission, conditions=(*others, told)).verdict is verdict


def test_an_assessment_counts_from_the_moment_it_is_approved() -> None:
    assessment = POLICY.assessments["product_research"]
    for approved_at, verdict in ((NOON, Verdict.ALLOW), (hours(0.01), Verdict.DENY)):
        approved = replace(assessment, approved_at=approved_at, review_due=NOON + timedelta(9))
        policy = replace(POLICY, assessments={assessment.key: approved})
        assert ask(interest(use=RESEARCH), policy=policy).verdict is verdict


def test_the_law_of_a_channel_is_not_asked_about_what_is_stopped_anyway() -> None:
    stopped = interest(use=MARKETING_BY_EMAIL, state=State.OBJECTED)
    gates = [each.gate for each in offered(ChannelLaw.PRIOR_CONSENT, permission=stopped).failed]
    assert "G5" in gates
    assert "G9" not in gates
