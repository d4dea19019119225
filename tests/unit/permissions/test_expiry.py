"""When a permission begins, is prompted for, is reviewed and ends: one clock for everybody who asks."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from salesforce_bridge.permissions.bases import LawfulBasis
from salesforce_bridge.permissions.bundle import ExpiryRule, Policy, Trigger
from salesforce_bridge.permissions.conditions import Condition, ConditionKind
from salesforce_bridge.permissions.expiry import (
    GRACE,
    due_since,
    end_of,
    ground_ends_at,
    in_span,
    lapses_at,
    next_moment,
    prompt_due,
    prompts_of,
    renew_by,
    review_due_at,
    rule_for,
)
from salesforce_bridge.permissions.keys import PurposeKey
from salesforce_bridge.permissions.permission import Permission
from salesforce_bridge.permissions.states import ASKED, VALID, State
from tests.unit.permissions.examples import (
    MARKETING_BY_POST,
    NOON,
    POLICY,
    RESEARCH,
    SERVICE,
    Somebody,
    a_condition,
    a_permission,
    a_profile,
    days,
    under_law,
    with_purpose,
)

DAY = timedelta(days=1)
TICK = timedelta(microseconds=1)
MARKETING = PurposeKey("direct_marketing")
UNMOVED = Somebody()


def a_rule(jurisdiction: str = "*", **said: Any) -> ExpiryRule:
    plain: dict[str, Any] = {"max_age": None, "renew_before": (), "grace": GRACE}
    return ExpiryRule(jurisdiction=jurisdiction, **(plain | said))


def ageless(*rules: ExpiryRule, max_age: timedelta | None = None) -> Policy:
    """The policy with no age but these, and no profile at all."""
    return under_law(policy=with_purpose("direct_marketing", max_age=max_age, expiry=rules))


def a_consent(**said: Any) -> Permission:
    return a_permission(**({"granted_at": NOON, "effective_from": NOON} | said))


def in_force(basis: LawfulBasis, **said: Any) -> Permission:
    use = RESEARCH if basis is LawfulBasis.LEGITIMATE_INTEREST else SERVICE
    plain = {"use": use, "basis": basis, "granted_at": None, "effective_from": NOON}
    return a_permission(State.IN_FORCE, **(plain | said))


INTEREST = in_force(LawfulBasis.LEGITIMATE_INTEREST)
CONTRACT = in_force(LawfulBasis.CONTRACT)


# Ends


@pytest.mark.parametrize(
    ("said", "policy", "after"),
    [
        ({}, ageless(), None),
        ({}, ageless(max_age=9 * DAY), 9 * DAY),
        ({}, ageless(a_rule(max_age=8 * DAY), max_age=9 * DAY), 8 * DAY),
        ({}, ageless(a_rule(max_age=8 * DAY), a_rule("UK", max_age=7 * DAY)), 7 * DAY),
        ({}, ageless(a_rule(max_age=6 * DAY), a_rule("UK", max_age=7 * DAY)), 6 * DAY),
        ({}, ageless(a_rule("DE", max_age=DAY)), None),
        ({}, under_law(a_profile(max_consent_age=5 * DAY), policy=ageless()), 5 * DAY),
        ({"effective_to": NOON + 4 * DAY}, ageless(max_age=9 * DAY), 4 * DAY),
        ({"reaffirm_by": NOON + 3 * DAY}, ageless(max_age=9 * DAY), 3 * DAY),
        ({"effective_to": NOON + 4 * DAY, "reaffirm_by": NOON + 8 * DAY}, ageless(), 4 * DAY),
    ],
)
def test_a_consent_ends_at_the_earliest_end_that_anything_sets(
    said: dict[str, Any], policy: Policy, after: timedelta | None
) -> None:
    end = end_of(a_consent(**said), person=UNMOVED, policy=policy)
    assert end == (None if after is None else NOON + after)


def test_what_ends_at_a_moment_is_over_at_it_and_what_begins_at_one_has_begun() -> None:
    policy = ageless(max_age=DAY)
    consent = a_consent()
    told = [
        in_span(consent, person=UNMOVED, policy=policy, at=at)
        for at in (NOON - TICK, NOON, NOON + DAY - TICK, NOON + DAY)
    ]
    assert told == [False, True, True, False]


def test_a_purpose_that_the_policy_no_longer_knows_ends_as_its_permission_says() -> None:
    policy = replace(POLICY, purposes={})
    assert end_of(a_consent(), person=UNMOVED, policy=policy) is None
    ending = a_consent(effective_to=NOON + DAY)
    assert end_of(ending, person=UNMOVED, policy=policy) == NOON + DAY


def test_the_age_of_both_places_counts_until_somebody_agreed_after_moving() -> None:
    policy = under_law(
        a_profile("UK"), a_profile("DE"), policy=ageless(a_rule("DE", max_age=3 * DAY))
    )
    moved = Somebody(former_jurisdiction="DE", moved_at=NOON + DAY)
    assert end_of(a_consent(), person=moved, policy=policy) == NOON + 3 * DAY
    renewed = a_consent(granted_at=NOON + DAY)
    assert end_of(renewed, person=moved, policy=policy) is None
    by_profile = under_law(a_profile("UK"), a_profile("DE", max_consent_age=DAY), policy=ageless())
    assert end_of(a_consent(), person=moved, policy=by_profile) == NOON + DAY


def test_the_age_of_a_consent_is_nothing_to_an_interest_but_a_rule_of_expiry_is() -> None:
    profile = a_profile(max_consent_age=DAY)
    aged = under_law(profile, policy=with_purpose("product_research", max_age=DAY))
    assert end_of(INTEREST, person=UNMOVED, policy=aged) is None
    quiet = a_rule(max_age=5 * DAY, trigger=Trigger.LAST_ACTIVE)
    ruled = under_law(profile, policy=with_purpose("product_research", expiry=(quiet,)))
    assert end_of(INTEREST, person=UNMOVED, policy=ruled) == NOON + 5 * DAY


# From when an age counts


def active(after: timedelta, **said: Any) -> Condition:
    return a_condition(ConditionKind.ACTIVITY, valid_from=NOON + after, **said)


def contract(until: timedelta | None, **said: Any) -> Condition:
    valid_to = None if until is None else NOON + until
    said = {"valid_from": NOON - 99 * DAY, "valid_to": valid_to} | said
    return a_condition(ConditionKind.CONTRACT, **said)


OTHER = PurposeKey("service_messages")


@pytest.mark.parametrize(
    ("trigger", "conditions", "begin"),
    [
        (Trigger.AGE, (active(2 * DAY), contract(3 * DAY)), timedelta()),
        (Trigger.LAST_ACTIVE, (), timedelta()),
        (Trigger.LAST_ACTIVE, (active(2 * DAY), active(DAY)), 2 * DAY),
        (Trigger.LAST_ACTIVE, (active(-DAY),), timedelta()),
        (Trigger.LAST_ACTIVE, (active(2 * DAY, purpose=OTHER),), timedelta()),
        (Trigger.LAST_ACTIVE, (active(2 * DAY, purpose=MARKETING),), 2 * DAY),
        (Trigger.EVENT, (), timedelta()),
        (Trigger.EVENT, (contract(3 * DAY), contract(DAY)), 3 * DAY),
        (Trigger.EVENT, (contract(-DAY),), timedelta()),
        (Trigger.EVENT, (contract(3 * DAY), contract(None)), None),
        (Trigger.EVENT, (contract(None, purpose=OTHER),), timedelta()),
    ],
)
def test_an_age_counts_from_what_its_trigger_says_and_never_from_before_the_yes(
    trigger: Trigger, conditions: tuple[Condition, ...], begin: timedelta | None
) -> None:
    policy = ageless(a_rule(max_age=10 * DAY, trigger=trigger))
    person = Somebody(conditions=conditions)
    end = end_of(a_consent(), person=person, policy=policy)
    assert end == (None if begin is None else NOON + begin + 10 * DAY)


def test_opening_an_email_is_no_activity_but_what_the_ledger_holds_as_one_is() -> None:
    marks = tuple(
        a_condition(kind, valid_from=NOON + DAY)
        for kind in ConditionKind
        if kind is not ConditionKind.ACTIVITY
    )
    policy = ageless(a_rule(max_age=10 * DAY, trigger=Trigger.LAST_ACTIVE))
    end = end_of(a_consent(), person=Somebody(conditions=marks), policy=policy)
    assert end == NOON + 10 * DAY


# Rules


def test_a_rule_is_what_comes_of_all_that_count_in_a_place() -> None:
    policy = under_law(
        a_profile("UK", max_consent_age=25 * DAY, renew_before=days(7)),
        a_profile("DE", renew_before=days(4)),
        policy=ageless(
            a_rule(max_age=9 * DAY, renew_before=days(2, 1), grace=5 * DAY),
            a_rule("UK", max_age=20 * DAY, trigger=Trigger.LAST_ACTIVE, grace=3 * DAY),
            max_age=30 * DAY,
        ),
    )
    assert rule_for(policy, MARKETING, "UK") == ExpiryRule(
        jurisdiction="UK",
        max_age=9 * DAY,
        renew_before=days(2, 1),
        grace=3 * DAY,
        trigger=Trigger.AGE,
    )
    assert rule_for(policy, MARKETING, "DE").grace == 5 * DAY
    bare = replace(policy, purposes={})
    assert rule_for(bare, MARKETING, "DE") == a_rule("DE", renew_before=days(4))
    only = ageless(a_rule(max_age=DAY, trigger=Trigger.EVENT))
    assert rule_for(only, MARKETING, "UK").trigger is Trigger.EVENT


# Prompts


PROMPTED = ageless(a_rule(renew_before=days(60, 30, 7)), max_age=365 * DAY)
END = NOON + 365 * DAY


def test_prompts_come_before_the_end_and_the_first_one_shows_by_when_to_renew() -> None:
    consent = a_consent()
    asked: dict[str, Any] = {"person": UNMOVED, "policy": PROMPTED}
    prompts = tuple(END - span for span in days(60, 30, 7))
    assert prompts_of(consent, **asked) == prompts
    assert renew_by(consent, at=prompts[0] - TICK, **asked) is None
    assert renew_by(consent, at=prompts[0], **asked) == END
    assert renew_by(consent, at=END - TICK, **asked) == END
    assert renew_by(consent, at=END, **asked) is None


def test_each_prompt_is_due_once_and_one_that_was_missed_is_not_made_up_for() -> None:
    first, second, third = (END - span for span in days(60, 30, 7))
    told: list[datetime] = []
    consent = a_consent()
    for at in (first - TICK, first, first + DAY, third, third + DAY, END - TICK, END, END + DAY):
        due = prompt_due(consent, person=UNMOVED, policy=PROMPTED, at=at)
        if due is not None:
            told.append(due)
            consent = replace(consent, prompted_at=due)
    assert told == [first, third]
    assert second not in told


@pytest.mark.parametrize("state", [state for state in State if state not in VALID])
def test_nobody_is_prompted_for_what_is_not_permitted(state: State) -> None:
    permission = a_consent(state=state)
    asked: dict[str, Any] = {"person": UNMOVED, "policy": PROMPTED}
    assert prompts_of(permission, **asked) == ()
    assert prompt_due(permission, at=END - DAY, **asked) is None
    assert renew_by(permission, at=END - DAY, **asked) is None


def test_nobody_is_prompted_while_something_waits_for_a_person() -> None:
    at = END - DAY
    held = a_consent(held="BASIS_REVIEW_OVERDUE")
    assert prompt_due(held, person=UNMOVED, policy=PROMPTED, at=at) is None
    waiting = Somebody(hold="IDENTITY")
    assert prompt_due(a_consent(), person=waiting, policy=PROMPTED, at=at) is None


def test_no_prompt_comes_before_the_yes() -> None:
    policy = ageless(a_rule(renew_before=days(60, 30, 7)), max_age=31 * DAY)
    prompts = prompts_of(a_consent(), person=UNMOVED, policy=policy)
    assert prompts == (NOON + DAY, NOON + 24 * DAY)


def test_prompts_are_those_of_the_purpose_in_that_place_else_those_of_the_place() -> None:
    def first(policy: Policy) -> timedelta:
        consent = a_consent(effective_to=END)
        return END - prompts_of(consent, person=UNMOVED, policy=policy)[0]

    everywhere, here = a_rule(renew_before=days(60)), a_rule("UK", renew_before=days(50))
    place = a_profile(renew_before=days(40))
    assert first(under_law(place, policy=ageless(everywhere, here))) == 50 * DAY
    assert first(under_law(place, policy=ageless(everywhere))) == 60 * DAY
    assert first(under_law(place, policy=ageless(a_rule("UK")))) == 40 * DAY


# What a basis rests on


def test_a_question_that_nobody_answers_lapses() -> None:
    for state in State:
        lapse = lapses_at(a_permission(state, since=NOON), policy=POLICY)
        assert lapse == (NOON + POLICY.request_lapses_after if state in ASKED else None)


def test_a_contract_ends_with_its_last_condition_and_is_noticed_in_time() -> None:
    def asked(*conditions: Condition) -> dict[str, Any]:
        return {"person": Somebody(conditions=conditions), "policy": POLICY}

    both = asked(contract(3 * DAY), contract(90 * DAY))
    assert ground_ends_at(CONTRACT, person=both["person"]) == NOON + 90 * DAY
    assert prompts_of(CONTRACT, **both) == (NOON + 60 * DAY,)
    assert due_since(CONTRACT, at=NOON + 90 * DAY - TICK, **both) is None
    assert due_since(CONTRACT, at=NOON + 90 * DAY, **both) == NOON + 90 * DAY
    assert prompt_due(CONTRACT, at=NOON + 60 * DAY, **both) == NOON + 60 * DAY
    for one in (contract(None), contract(None, purpose=SERVICE.purpose)):
        assert ground_ends_at(CONTRACT, person=asked(contract(DAY), one)["person"]) is None
    elsewhere = Somebody(conditions=(contract(DAY, purpose=MARKETING),))
    assert ground_ends_at(CONTRACT, person=elsewhere) is None
    assert ground_ends_at(replace(CONTRACT, state=State.ENDED), person=both["person"]) is None


def test_an_interest_is_due_for_review_with_its_assessment() -> None:
    due = POLICY.assessments["product_research"].review_due
    asked: dict[str, Any] = {"person": UNMOVED, "policy": POLICY}
    assert review_due_at(INTEREST, policy=POLICY) == due
    assert prompts_of(INTEREST, **asked) == (due - POLICY.review_notice,)
    assert prompt_due(INTEREST, at=due - POLICY.review_notice, **asked) is not None
    assert due_since(INTEREST, at=due - TICK, **asked) is None
    assert due_since(INTEREST, at=due, **asked) == due
    assert review_due_at(replace(INTEREST, state=State.CHALLENGED), policy=POLICY) is None
    assert review_due_at(a_consent(), policy=POLICY) is None


def test_nothing_is_ever_due_about_a_stop() -> None:
    for state in (State.REFUSED, State.WITHDRAWN, State.OBJECTED, State.ERASED):
        stopped = a_consent(state=state, effective_to=NOON)
        end = NOON + 9999 * DAY
        assert due_since(stopped, person=UNMOVED, policy=PROMPTED, at=end) is None
        assert next_moment(stopped, person=UNMOVED, policy=PROMPTED, at=NOON) is None


# Laws


moments = st.integers(-800, 1600).map(lambda hours: NOON + timedelta(hours=hours))
maybe = st.none() | moments
spans = st.integers(1, 60).map(lambda count: timedelta(days=count))
rules = st.builds(
    ExpiryRule,
    jurisdiction=st.sampled_from(("*", "UK", "DE")),
    max_age=st.none() | spans,
    renew_before=st.lists(spans, max_size=3).map(lambda many: tuple(sorted(many, reverse=True))),
    grace=spans,
    trigger=st.sampled_from(Trigger),
)


@st.composite
def conditions(draw: st.DrawFn) -> Condition:
    kinds = (ConditionKind.ACTIVITY, ConditionKind.CONTRACT, ConditionKind.RESTRICTION)
    return a_condition(
        draw(st.sampled_from(kinds)),
        valid_from=draw(moments),
        valid_to=draw(maybe),
        purpose=draw(st.sampled_from((None, MARKETING, RESEARCH.purpose, SERVICE.purpose))),
    )


people = st.builds(
    Somebody,
    conditions=st.lists(conditions(), max_size=3).map(tuple),
    jurisdiction=st.sampled_from(("UK", "DE", "UNKNOWN")),
    former_jurisdiction=st.sampled_from((None, "UK", "DE")),
    moved_at=maybe,
)


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    places = [
        a_profile(
            key,
            max_consent_age=draw(st.none() | spans),
            age_counts_from=draw(st.sampled_from(Trigger)),
            renew_before=draw(st.sampled_from(((), days(20, 3)))),
        )
        for key in draw(st.sampled_from(((), ("UK",), ("UK", "DE"))))
    ]
    policy = under_law(*places)
    key = draw(st.sampled_from(tuple(POLICY.purposes)))
    changed = replace(
        POLICY.purposes[key],
        expiry=tuple(draw(st.lists(rules, max_size=3))),
        max_age=draw(st.none() | spans),
    )
    return replace(policy, purposes={**POLICY.purposes, key: changed})


@st.composite
def permissions(draw: st.DrawFn) -> Permission:
    basis = draw(
        st.sampled_from(
            (LawfulBasis.CONSENT, LawfulBasis.LEGITIMATE_INTEREST, LawfulBasis.CONTRACT)
        )
    )
    use = {LawfulBasis.CONSENT: MARKETING_BY_POST, LawfulBasis.CONTRACT: SERVICE}.get(
        basis, RESEARCH
    )
    valid = State.GIVEN if basis is LawfulBasis.CONSENT else State.IN_FORCE
    return a_permission(
        draw(st.sampled_from((valid, valid, *State))),
        use=use,
        basis=basis,
        since=draw(moments),
        granted_at=draw(maybe) if basis is LawfulBasis.CONSENT else None,
        effective_from=draw(maybe),
        effective_to=draw(maybe),
        reaffirm_by=draw(maybe),
        prompted_at=draw(maybe),
    )


def answers(
    permission: Permission, person: Somebody, policy: Policy, at: datetime
) -> Iterator[object]:
    """Everything that anybody asks of the clock."""
    asked: dict[str, Any] = {"person": person, "policy": policy, "at": at}
    yield due_since(permission, **asked)
    yield prompt_due(permission, **asked)
    yield renew_by(permission, **asked)
    if permission.state in VALID:
        yield in_span(permission, **asked)
    for one in person.conditions:
        if one.purpose in (None, permission.use.purpose):
            yield one.valid_from <= at, one.valid_to is None or at < one.valid_to


@given(permissions(), people, policies(), moments, st.floats(0, 1))
def test_nothing_happens_before_the_next_moment(
    permission: Permission, person: Somebody, policy: Policy, at: datetime, share: float
) -> None:
    moment = next_moment(permission, person=person, policy=policy, at=at)
    assert moment is None or moment > at
    if permission.state is State.ERASED:
        return
    until = at + timedelta(days=4000) if moment is None else moment - TICK
    between = at + (until - at) * share
    now = tuple(answers(permission, person, policy, at))
    assert tuple(answers(permission, person, policy, between)) == now
    assert tuple(answers(permission, person, policy, until)) == now


@given(permissions(), people, policies(), rules)
def test_a_rule_more_never_lets_a_permission_live_longer(
    permission: Permission, person: Somebody, policy: Policy, rule: ExpiryRule
) -> None:
    before = end_of(permission, person=person, policy=policy)
    purpose = policy.purposes[permission.use.purpose]
    more = replace(purpose, expiry=(*purpose.expiry, rule))
    stricter = replace(policy, purposes={**policy.purposes, purpose.key: more})
    after = end_of(permission, person=person, policy=stricter)
    assert before is None or (after is not None and after <= before)


@given(permissions(), people, policies(), moments)
def test_a_permission_is_due_exactly_when_it_is_out_of_its_span_or_its_ground_is_gone(
    permission: Permission, person: Somebody, policy: Policy, at: datetime
) -> None:
    asked: dict[str, Any] = {"person": person, "policy": policy}
    end = end_of(permission, **asked)
    due = due_since(permission, at=at, **asked)
    if permission.state in VALID and end is not None and end <= at:
        assert due is not None
        assert due <= end
    if due is not None:
        assert due <= at
        grounds = (
            ground_ends_at(permission, person=person),
            review_due_at(permission, policy=policy),
        )
        assert due in (end, lapses_at(permission, policy=policy), *grounds)


@given(permissions(), people, policies(), moments)
def test_a_prompt_is_never_after_what_it_is_for(
    permission: Permission, person: Somebody, policy: Policy, at: datetime
) -> None:
    asked: dict[str, Any] = {"person": person, "policy": policy, "at": at}
    due = prompt_due(permission, **asked)
    if due is not None:
        assert due <= at
        assert due_since(permission, **asked) is None
    until = renew_by(permission, **asked)
    assert until is None or until > at
