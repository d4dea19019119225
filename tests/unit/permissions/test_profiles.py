"""Whose law counts, and what it asks: the starting values, the strictest of several, and a move."""

import json
from dataclasses import replace
from datetime import timedelta
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from salesforce_bridge.permissions.evidence import Grade
from salesforce_bridge.permissions.expiry import rule_for
from salesforce_bridge.permissions.keys import Channel
from salesforce_bridge.permissions.laws import (
    STRICT,
    UNKNOWN,
    ChannelLaw,
    Profile,
    Trigger,
    grade_in,
    law_in,
    strictest,
)
from salesforce_bridge.permissions.profiles import (
    applies_former,
    grade_for,
    is_defaulted,
    law_for,
    profile_of,
    profiles_of,
)
from tests.unit.permissions.examples import (
    MARKETING_BY_EMAIL,
    NOON,
    POLICY,
    Somebody,
    a_permission,
    a_profile,
    a_use,
    days,
    hours,
    under_law,
)

EXPECTED: dict[str, dict[str, Any]] = json.loads(
    (Path(__file__).parents[2] / "expected" / "profiles.json").read_text("utf-8")
)
EMAIL, SMS, LIVE_CALL = Channel("EMAIL"), Channel("SMS"), Channel("LIVE_CALL")
MARKETING = POLICY.purposes[MARKETING_BY_EMAIL.purpose]
PRIOR_CONSENT, SOFT_OPT_IN, OPT_OUT, NONE = ChannelLaw


@pytest.mark.parametrize("key", EXPECTED)
def test_every_profile_that_ships_is_at_its_starting_value(key: str) -> None:
    def law(channel: Channel, subject_class: str) -> str:
        person = Somebody(jurisdiction=key, subject_class=subject_class)
        return law_for(POLICY, person, channel, None).value

    def grade(channel: str) -> str:
        permission = a_permission(use=a_use(channel=channel))
        return grade_for(POLICY, Somebody(jurisdiction=key), MARKETING, permission).name

    profile = profile_of(POLICY, key)
    age, suppression = profile.max_consent_age, profile.suppression_retention
    assert {
        "e-mail to consumers": law(EMAIL, "CONSUMER"),
        "text message to consumers": law(SMS, "CONSUMER"),
        "e-mail to businesses": law(EMAIL, "BUSINESS"),
        "calls to consumers": law(LIVE_CALL, "CONSUMER"),
        "calls to businesses": law(LIVE_CALL, "BUSINESS"),
        "grade of a call to consumers": grade("LIVE_CALL"),
        "grade of an e-mail to consumers": grade("EMAIL"),
        "age in months": None if age is None else age.days * 12 // 365,
        "age counts from": profile.age_counts_from.value,
        "prompts in days": [
            each.days for each in rule_for(POLICY, MARKETING.key, key).renew_before
        ],
        "evidence in years": profile.evidence_retention.days // 365,
        "suppression in years": None if suppression is None else suppression.days // 365,
        "register": profile.dnc_register,
    } == EXPECTED[key]
    assert POLICY.profiles[key].confirmed_by is None


def test_the_profiles_that_ship_are_those_with_a_starting_value() -> None:
    assert set(POLICY.profiles) == set(EXPECTED)
    assert POLICY.jurisdictions["ireland"] == "EU_DEFAULT"


def test_retention_is_never_shorter_than_the_years_it_stands_for() -> None:
    for key, expected in EXPECTED.items():
        years = expected["evidence in years"]
        leap_days = (years + 3) // 4
        assert POLICY.profiles[key].evidence_retention >= timedelta(days=365 * years + leap_days)


def test_a_place_without_a_profile_is_judged_by_the_strictest_of_all() -> None:
    assert profile_of(POLICY, "ATLANTIS") == profile_of(POLICY, UNKNOWN)
    assert is_defaulted(POLICY, "ATLANTIS")
    assert is_defaulted(POLICY, UNKNOWN)
    assert not is_defaulted(POLICY, "UK")


def test_a_policy_without_profiles_asks_for_consent_everywhere() -> None:
    policy = under_law()
    assert profile_of(policy, "UK") == STRICT
    for channel, subject_class in product(POLICY.channels, ("CONSUMER", "BUSINESS")):
        person = Somebody(subject_class=subject_class)
        assert law_for(policy, person, channel, None) is PRIOR_CONSENT


def test_what_a_profile_does_not_name_needs_consent() -> None:
    profile = replace(STRICT, rules={EMAIL: {"BUSINESS": OPT_OUT}, SMS: {"*": SOFT_OPT_IN}})
    assert law_in(profile, EMAIL, "BUSINESS") is OPT_OUT
    assert law_in(profile, EMAIL, "CONSUMER") is PRIOR_CONSENT
    assert law_in(profile, SMS, "BUSINESS") is SOFT_OPT_IN
    assert law_in(profile, LIVE_CALL, "CONSUMER") is PRIOR_CONSENT


def test_proof_that_is_asked_of_everybody_is_asked_of_each_class_that_has_no_rule_of_its_own() -> (
    None
):
    profile = replace(STRICT, grades={EMAIL: {"*": Grade.A, "BUSINESS": Grade.B}})
    assert grade_in(profile, EMAIL, "CONSUMER") is Grade.A
    assert grade_in(profile, EMAIL, "BUSINESS") is Grade.B
    assert grade_in(profile, SMS, "CONSUMER") is Grade.NONE


def test_the_unknown_profile_adds_to_what_the_others_ask_and_takes_nothing_away() -> None:
    lax = a_profile(UNKNOWN, law=NONE, evidence_retention=timedelta(days=9))
    policy = under_law(lax, a_profile("UK", law=SOFT_OPT_IN))
    unknown = profile_of(policy, UNKNOWN)
    assert law_in(unknown, EMAIL, "CONSUMER") is SOFT_OPT_IN
    assert unknown.evidence_retention == timedelta(days=9)


@pytest.mark.parametrize(
    ("channel", "grade"),
    [("EMAIL", Grade.A), ("SMS", Grade.A), ("LIVE_CALL", Grade.B), ("POST", Grade.B)],
)
def test_a_confirmed_opt_in_is_asked_for_where_a_message_can_confirm_it(
    channel: str, grade: Grade
) -> None:
    policy = under_law(a_profile("UK", double_opt_in_required=True))
    permission = a_permission(use=a_use(channel=channel))
    assert grade_for(policy, Somebody(jurisdiction="UK"), MARKETING, permission) is grade


# A move


FREE = a_profile("UK", law=OPT_OUT)
BOUND = a_profile("DE", double_opt_in_required=True)
TWO_PLACES = under_law(FREE, BOUND)
MOVED = Somebody(jurisdiction="UK", former_jurisdiction="DE", moved_at=NOON)


@pytest.mark.parametrize(
    ("granted_at", "counts"),
    [(hours(-1), True), (NOON - timedelta(microseconds=1), True), (NOON, False), (hours(1), False)],
)
def test_the_place_somebody_left_counts_until_proof_is_as_new_as_the_move(
    granted_at: Any, *, counts: bool
) -> None:
    permission = a_permission(use=MARKETING_BY_EMAIL, granted_at=granted_at)
    assert applies_former(MOVED, permission) is counts
    law = law_for(TWO_PLACES, MOVED, EMAIL, permission)
    assert law is (PRIOR_CONSENT if counts else OPT_OUT)
    grade = grade_for(TWO_PLACES, MOVED, MARKETING, permission)
    assert grade is (Grade.A if counts else Grade.B)
    assert profiles_of(TWO_PLACES, MOVED, permission) == ((FREE, BOUND) if counts else (FREE,))


def test_without_any_proof_both_places_count() -> None:
    assert applies_former(MOVED, None)
    assert law_for(TWO_PLACES, MOVED, EMAIL, None) is PRIOR_CONSENT
    other_way = replace(MOVED, jurisdiction="DE", former_jurisdiction="UK")
    assert law_for(TWO_PLACES, other_way, EMAIL, None) is PRIOR_CONSENT


def test_whoever_never_moved_is_under_one_law() -> None:
    assert not applies_former(Somebody(), None)
    assert applies_former(replace(MOVED, moved_at=None), a_permission())


def test_a_special_category_needs_the_best_proof_and_other_purposes_their_own() -> None:
    permission = a_permission(use=a_use("product_research", "EMAIL"))
    research = POLICY.purposes[permission.use.purpose]
    person = Somebody(jurisdiction="DE")
    assert grade_for(POLICY, person, research, permission) is Grade.B
    special = replace(research, special_category=True)
    assert grade_for(POLICY, person, special, permission) is Grade.A


# Laws


laws_of_channels = st.dictionaries(
    st.sampled_from((EMAIL, SMS, LIVE_CALL)),
    st.dictionaries(st.sampled_from(("CONSUMER", "BUSINESS", "*")), st.sampled_from(ChannelLaw)),
)
grades_of_channels = st.dictionaries(
    st.sampled_from((EMAIL, SMS, LIVE_CALL)),
    st.dictionaries(st.sampled_from(("CONSUMER", "BUSINESS", "*")), st.sampled_from(Grade)),
)
spans = st.integers(1, 2000).map(lambda count: timedelta(days=count))


@st.composite
def profiles(draw: st.DrawFn) -> Profile:
    return Profile(
        key=draw(st.sampled_from(("UK", "DE", "FR"))),
        version=draw(st.integers(1, 3)),
        rules=draw(laws_of_channels),
        grades=draw(grades_of_channels),
        double_opt_in_required=draw(st.booleans()),
        max_consent_age=draw(st.none() | spans),
        dnc_register=draw(st.none() | st.sampled_from(("TPS", "DNCR"))),
        stop_deadline=draw(spans),
        reply_months=draw(st.integers(1, 2)),
        extension_months=draw(st.integers(0, 2)),
        evidence_retention=draw(spans),
        suppression_retention=draw(st.none() | spans),
        confirmed_by=draw(st.none() | st.just("counsel")),
        age_counts_from=draw(st.sampled_from(Trigger)),
        renew_before=draw(st.sampled_from(((), days(30), days(60, 7), days(60, 30)))),
    )


@given(st.lists(profiles(), min_size=1, max_size=4))
def test_the_strictest_is_never_looser_than_any(many: list[Profile]) -> None:
    joined = strictest(many)
    order = list(ChannelLaw)
    for one in many:
        for channel, subject_class in product((EMAIL, SMS, LIVE_CALL), ("CONSUMER", "BUSINESS")):
            asked = (channel, subject_class)
            assert order.index(law_in(joined, *asked)) <= order.index(law_in(one, *asked))
            assert grade_in(joined, *asked) >= grade_in(one, *asked)
        assert joined.double_opt_in_required >= one.double_opt_in_required
        if one.max_consent_age is not None:
            assert joined.max_consent_age is not None
            assert joined.max_consent_age <= one.max_consent_age
            assert joined.age_counts_from in (Trigger.AGE, one.age_counts_from)
        assert joined.evidence_retention >= one.evidence_retention
        assert joined.suppression_retention is None or (
            one.suppression_retention is not None
            and joined.suppression_retention >= one.suppression_retention
        )
        assert joined.stop_deadline <= one.stop_deadline


@given(st.lists(profiles(), min_size=1, max_size=4), st.randoms())
def test_the_strictest_does_not_depend_on_the_order(many: list[Profile], random: Any) -> None:
    shuffled = list(many)
    random.shuffle(shuffled)
    assert strictest(shuffled) == strictest(many)


@given(profiles())
def test_a_place_alone_is_its_own_strictest(one: Profile) -> None:
    for channel, subject_class in product((EMAIL, SMS, LIVE_CALL), ("CONSUMER", "BUSINESS")):
        joined = strictest([one])
        assert law_in(joined, channel, subject_class) is law_in(one, channel, subject_class)
        assert grade_in(joined, channel, subject_class) is grade_in(one, channel, subject_class)
