"""Edges of the gates: the very moment, the fact about just this purpose, the second address, the missing basis."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from salesforce_bridge.permissions.answers import Answer, Verdict, deny, refusal, wait
from salesforce_bridge.permissions.bases import LawfulBasis
from salesforce_bridge.permissions.conditions import ConditionKind, in_date
from salesforce_bridge.permissions.contact_points import PointType
from salesforce_bridge.permissions.expiry import next_moment
from salesforce_bridge.permissions.keys import PurposeKey
from salesforce_bridge.permissions.laws import ChannelLaw
from salesforce_bridge.permissions.obstacles import every_point_is_told
from salesforce_bridge.permissions.policy import Assignment, basis_for
from salesforce_bridge.permissions.stops import StopKind
from tests.unit.permissions.calls import (
    MOBILE,
    OFFER_CALL,
    OFFICE,
    SCREENED,
    a_stop,
    interest,
    opt_out_calls,
)
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
    a_use,
    ask,
    every_condition,
    hours,
    with_purpose,
)
from tests.unit.permissions.test_channel_law import SALE, called, offered, sold, studied

MARKETING = PurposeKey("direct_marketing")


def test_a_sale_of_this_very_moment_counts() -> None:
    now = sold(replace(SALE, sale_date=NOON))
    assert offered(ChannelLaw.SOFT_OPT_IN, now).verdict is Verdict.ALLOW


def test_a_fact_about_just_this_purpose_counts_for_it() -> None:
    assert offered(ChannelLaw.SOFT_OPT_IN, sold(purpose=MARKETING)).verdict is Verdict.ALLOW
    assert called(replace(SCREENED, purpose=MARKETING)).verdict is Verdict.ALLOW
    exception = a_condition(ConditionKind.ART9, ref="9(2)(j)", purpose=RESEARCH.purpose)
    assert studied("9(2)(j)", exception).verdict is Verdict.ALLOW


def test_the_register_of_the_place_somebody_left_is_not_asked_after_newer_proof() -> None:
    here, there = (a_profile(key, law=ChannelLaw.OPT_OUT, dnc_register=key) for key in ("UK", "FR"))
    told: dict[str, Any] = {
        "policy": replace(opt_out_calls(), profiles={"UK": here, "FR": there}),
        "conditions": (*every_condition(), replace(SCREENED, ref="UK")),
        "points": (MOBILE,),
        "former_jurisdiction": "FR",
        "moved_at": hours(-2),
    }
    assert ask(interest(use=OFFER_CALL), **told).reason == "DENY_REGISTER_NOT_SCREENED"
    proven = interest(use=OFFER_CALL, granted_at=hours(-1))
    assert ask(proven, **told).verdict is Verdict.ALLOW


def test_a_special_category_without_any_basis_is_refused_and_has_no_exception() -> None:
    policy = with_purpose("product_research", special_category=True, assignments=())
    answer = ask(interest(use=RESEARCH), policy=policy)
    assert answer.reason == "DENY_NO_LAWFUL_BASIS"
    assert "HOLD_ART9_CONDITION_MISSING" in [failure.reason for failure in answer.failed]


def test_every_point_under_a_key_is_told_about_and_not_just_the_last_one() -> None:
    for points in ((MOBILE, OFFICE), (OFFICE, MOBILE)):
        assert not every_point_is_told(points, PointType.PHONE, {OFFICE.hmac})
        assert every_point_is_told(points, PointType.PHONE, {OFFICE.hmac, MOBILE.hmac})


def test_the_next_moment_is_never_the_present_one() -> None:
    consent = a_permission(
        use=MARKETING_BY_POST,
        granted_at=hours(-1),
        effective_from=NOON,
        effective_to=NOON + timedelta(days=1),
    )
    policy = replace(with_purpose("direct_marketing", max_age=None, expiry=()), profiles={})
    person = Somebody()
    asked: dict[str, Any] = {"person": person, "policy": policy}
    assert next_moment(consent, at=hours(-0.5), **asked) == NOON
    assert next_moment(consent, at=NOON, **asked) == NOON + timedelta(days=1)


def test_a_basis_is_over_at_the_moment_it_ends() -> None:
    ending = Assignment(
        jurisdiction="*",
        subject_class="*",
        basis=LawfulBasis.CONSENT,
        effective_from=hours(-1),
        effective_to=NOON,
    )
    policy = with_purpose("direct_marketing", assignments=(ending,))
    asked = (policy, MARKETING, "UK", "CONSUMER")
    assert basis_for(*asked, at=hours(-1)) is LawfulBasis.CONSENT
    assert basis_for(*asked, at=NOON) is None
    assert POLICY.assigned[MARKETING]


def test_a_stop_that_means_nothing_for_a_message_hides_none_that_does() -> None:
    objected = a_stop(StopKind.MARKETING_OBJECTION)
    restricted = a_condition(ConditionKind.RESTRICTION, purpose=SERVICE.purpose)
    service = interest(use=SERVICE, basis=LawfulBasis.CONTRACT)
    facts = (*every_condition(), restricted)
    answer = ask(service, stops=(objected,), conditions=facts)
    assert answer.reason == "HOLD_PROCESSING_RESTRICTED"
    listed = a_condition(ConditionKind.DNC_LISTED)
    silent = a_condition(ConditionKind.UNDELIVERABLE)
    letter = ask(a_permission(), conditions=(*every_condition(), listed, silent))
    assert letter.reason == "DENY_UNDELIVERABLE"


def test_a_channel_that_the_policy_does_not_know_is_refused_and_nothing_breaks() -> None:
    bounced = a_condition(ConditionKind.UNDELIVERABLE, point="elsewhere")
    answer = ask(
        a_permission(use=a_use(channel="PIGEON")), conditions=(*every_condition(), bounced)
    )
    assert answer.reason == "DENY_NO_LAWFUL_BASIS"


def test_a_condition_is_true_from_its_first_moment_to_before_its_last() -> None:
    contract = a_condition(ConditionKind.CONTRACT, valid_from=NOON, valid_to=hours(1))
    told = [in_date(contract, at=hours(each)) for each in (-0.01, 0, 0.99, 1)]
    assert told == [False, True, True, False]


def test_a_refusal_keeps_what_its_reader_should_know_besides() -> None:
    failed = (wait("G1", "IDENTITY_AMBIGUOUS"), deny("G3", "PURPOSE_RETIRED"), deny("G5", "LAPSED"))
    assert refusal(failed, ("CHANNEL_OPT_OUT",)) == Answer(
        verdict=Verdict.DENY,
        reason="DENY_PURPOSE_RETIRED",
        failed=failed,
        warnings=("CHANNEL_OPT_OUT",),
    )


def test_marketing_for_a_purpose_that_is_gone_is_refused_and_nothing_breaks() -> None:
    policy = replace(opt_out_calls(ChannelLaw.OPT_OUT), purposes={})
    answer = ask(interest(use=OFFER_CALL), policy=policy)
    assert answer.reason == "DENY_PURPOSE_RETIRED"
