"""Everything that a policy can say is read, with a default where it is left out, and what cannot be is refused."""

import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from salesforce_bridge.permissions.bundle import (
    ExpiryRule,
    Involvement,
    Policy,
    ProofRule,
    SurgeRule,
    Trigger,
)
from salesforce_bridge.permissions.evidence import Grade, Trust
from salesforce_bridge.permissions.keys import Channel, PurposeKey
from salesforce_bridge.permissions.laws import ChannelLaw
from salesforce_bridge.permissions.policy import PolicyRefused, notice_was_published, parse_policy
from tests.support import facts
from tests.unit.permissions.examples import POLICY, POLICY_TEXT

CONFIG = Path(__file__).parents[3] / "config"
FULL_TEXT = (CONFIG / "examples" / "policy-full.toml").read_text("utf-8")
FULL = parse_policy(FULL_TEXT)
DAY = timedelta(days=1)


def changed(old: str, new: str) -> str:
    assert old in FULL_TEXT, old
    return FULL_TEXT.replace(old, new, 1)


def test_a_policy_that_says_nothing_of_it_has_the_usual_terms() -> None:
    policy = facts.a_policy()
    assert (policy.profiles, policy.proofs, policy.surge) == ({}, {}, SurgeRule())
    assert (policy.quarantine_lasts, policy.review_notice) == (30 * DAY, 30 * DAY)
    assert policy.direct_authors == ()
    purpose = policy.purposes[PurposeKey("direct_marketing")]
    assert (purpose.expiry, purpose.involves, purpose.product_families) == ((), (), ())
    assert (purpose.special_category, purpose.successor) == (False, None)
    notice = policy.notices["news-1"]
    assert (notice.supersedes, notice.material, notice.uri) == (None, False, None)


def test_a_profile_reads_its_rules_for_everybody_or_by_class() -> None:
    uk = FULL.profiles["UK"]
    email, sms, calls = Channel("EMAIL"), Channel("SMS"), Channel("LIVE_CALL")
    assert uk.rules == {
        email: {"CONSUMER": ChannelLaw.SOFT_OPT_IN, "BUSINESS": ChannelLaw.OPT_OUT},
        sms: {"CONSUMER": ChannelLaw.SOFT_OPT_IN},
        calls: {"*": ChannelLaw.OPT_OUT},
    }
    assert FULL.profiles["DE"].grades == {calls: {"CONSUMER": Grade.A}}
    assert FULL.profiles["FR"].age_counts_from is Trigger.LAST_ACTIVE
    assert (uk.stop_deadline, uk.reply_months, uk.extension_months) == (DAY / 96, 1, 2)
    assert uk.confirmed_by is None


def test_a_profile_without_a_word_asks_for_consent_and_the_longest_proof() -> None:
    text = changed("[profiles.FR]", "[profiles.ATLANTIS]\nversion = 1\n\n[profiles.FR]")
    profile = parse_policy(text).profiles["ATLANTIS"]
    assert (profile.rules, profile.grades, profile.renew_before) == ({}, {}, ())
    assert (profile.max_consent_age, profile.dnc_register) == (None, None)
    assert (profile.reply_months, profile.extension_months) == (1, 2)
    assert profile.evidence_retention >= 6 * 365 * DAY
    assert profile.stop_deadline == timedelta(minutes=15)


def test_counsel_signs_a_profile() -> None:
    text = changed(
        "[profiles.FR]\nversion = 1", '[profiles.FR]\nversion = 1\nconfirmed_by = "A. Avocat"'
    )
    assert parse_policy(text).profiles["FR"].confirmed_by == "A. Avocat"


def test_a_purpose_reads_its_rules_of_expiry_with_the_earliest_prompt_first() -> None:
    rules = FULL.purposes[PurposeKey("direct_marketing")].expiry
    assert rules == (
        ExpiryRule(
            jurisdiction="*",
            max_age=None,
            renew_before=(60 * DAY, 30 * DAY, 7 * DAY),
            grace=30 * DAY,
        ),
        ExpiryRule(
            jurisdiction="DE",
            max_age=548 * DAY,
            renew_before=(90 * DAY, 30 * DAY),
            grace=14 * DAY,
        ),
    )
    backwards = changed('["60d", "30d", "7d"]', '["7d", "60d", "30d"]')
    assert parse_policy(backwards).digest == FULL.digest
    offers = FULL.purposes[PurposeKey("customer_offers")].expiry
    assert [rule.trigger for rule in offers] == [Trigger.LAST_ACTIVE, Trigger.EVENT]


def test_a_purpose_reads_all_that_makes_it_special() -> None:
    tailored = FULL.purposes[PurposeKey("tailored_offers")]
    assert tailored.involves == (Involvement.PROFILING, Involvement.GEOLOCATION)
    wellbeing = FULL.purposes[PurposeKey("wellbeing_advice")]
    assert wellbeing.special_category
    assert wellbeing.assignments[0].art9_condition == "9(2)(a)"
    assert wellbeing.assignments[0].reason == "explicit consent"
    assert FULL.purposes[PurposeKey("newsletter")].successor == "direct_marketing"
    assert FULL.purposes[PurposeKey("customer_offers")].product_families == ("courses", "journeys")
    marketing = FULL.purposes[PurposeKey("direct_marketing")]
    assert marketing.renewal_campaign == "701000000000001AAA"
    assert marketing.dpv_purpose == "dpv:DirectMarketing"


def test_the_rest_of_a_policy_is_read_too() -> None:
    assert FULL.proofs["CALL_RECORDING"] == ProofRule(
        kind="CALL_RECORDING", trust=Trust.VERIFIED_RELAY, grade=Grade.B
    )
    assert FULL.surge == SurgeRule(bulk_authors=("005000000000102AAA",))
    assert FULL.direct_authors == ("005000000000101AAA",)
    assert FULL.review_notice == 45 * DAY
    assessment = FULL.assessments["customer_offers"]
    assert (assessment.version, assessment.outcome[:12]) == (2, "The interest")


def test_a_notice_ends_on_the_day_on_which_another_takes_its_place() -> None:
    april = datetime(2026, 4, 1, tzinfo=UTC)
    first, second = FULL.notices["consent-en-1"], FULL.notices["consent-en-2"]
    assert (first.superseded_at, second.superseded_at) == (april, None)
    assert (second.supersedes, second.material) == ("consent-en-1", True)
    marketing = PurposeKey("direct_marketing")
    told = [notice_was_published(FULL, each, marketing, at=april) for each in FULL.notices]
    assert told == [False, True, False, True]
    later = changed(
        'purposes = ["direct_marketing", "tailored_offers", "newsletter"]',
        'purposes = ["direct_marketing", "tailored_offers", "newsletter"]\nsuperseded_at = 2026-05-01',
    )
    assert parse_policy(later).notices["consent-en-1"].superseded_at == datetime(
        2026, 5, 1, tzinfo=UTC
    )


@pytest.mark.parametrize("policy", [POLICY, FULL], ids=["plain", "full"])
def test_every_notice_that_ships_has_the_fingerprint_of_its_text(policy: Policy) -> None:
    for notice in policy.notices.values():
        assert notice.uri is not None
        text = (CONFIG / notice.uri).read_bytes()
        assert hashlib.sha256(text).hexdigest() == notice.sha256, notice.id


def test_every_notice_text_that_ships_is_named_by_a_policy() -> None:
    named = {notice.uri for policy in (POLICY, FULL) for notice in policy.notices.values()}
    shipped = {f"notices/{path.name}" for path in (CONFIG / "notices").iterdir()}
    assert shipped == named


def test_the_two_policies_that_ship_agree_on_the_law() -> None:
    assert FULL.profiles == POLICY.profiles
    assert FULL.proofs == POLICY.proofs
    assert FULL.jurisdictions == POLICY.jurisdictions


@pytest.mark.parametrize(
    ("old", "new", "place", "problem"),
    [
        # profiles
        (
            'rules.SMS = "PRIOR_CONSENT"',
            'rules.PIGEON = "NONE"',
            "profiles.UNKNOWN.rules",
            "PIGEON",
        ),
        (
            'rules.SMS = "PRIOR_CONSENT"',
            'rules.SMS = "MAYBE"',
            "profiles.UNKNOWN.rules.SMS",
            "MAYBE",
        ),
        ('rules.SMS = "PRIOR_CONSENT"', "rules.SMS = 7", "profiles.UNKNOWN.rules.SMS", "type"),
        ('{ CONSUMER = "A" }', '{ CHILD = "A" }', "profiles.DE.grades.LIVE_CALL.CHILD", "no class"),
        ('{ CONSUMER = "A" }', '{ CONSUMER = "Z" }', "grades.LIVE_CALL.CONSUMER", '"Z"'),
        ('dnc_register = "TPS"', "dnc_register = true", "profiles.UK.dnc_register", "type"),
        ('dnc_register = "TPS"', 'dnc_registr = "TPS"', "profiles.UK.dnc_registr", "known"),
        ("reply_months = 1", "reply_months = 0", "profiles.UNKNOWN.reply_months", "below 1"),
        (
            '= "LAST_ACTIVE"     # the',
            '= "NEVER"     # the',
            "profiles.FR.age_counts_from",
            "NEVER",
        ),
        (
            'max_consent_age = "365d"',
            'max_consent_age = "59d"',
            "profiles.UNKNOWN.renew_before",
            "60",
        ),
        ("[profiles.UK]\nversion = 1", "[profiles.UK]", "profiles.UK.version", "missing"),
        # expiry
        ('trigger = "EVENT"', 'trigger = "WHIM"', "customer_offers.expiry[2].trigger", "WHIM"),
        ('renew_before = ["30d"]', 'renew_before = ["soon"]', "expiry[1].renew_before", "soon"),
        ('renew_before = ["30d"]', 'renew_before = "30d"', "expiry[1].renew_before", "type"),
        (
            'max_age = "548d"',
            'max_age = "90d"',
            "purposes.direct_marketing.expiry[2].renew_before",
            "before the beginning",
        ),
        ('jurisdiction = "FR"', 'jurisdiction = "*"', "customer_offers.expiry[2]", "two"),
        # purposes
        ('"GEOLOCATION"]', '"TELEPATHY"]', "tailored_offers.involves", "TELEPATHY"),
        ('successor = "direct_marketing"', 'successor = "spam"', "newsletter.successor", "spam"),
        (
            'successor = "direct_marketing"',
            'successor = "newsletter"',
            "newsletter.successor",
            "circle",
        ),
        (
            '"701000000000001AAA"',
            '"Renewals"',
            "direct_marketing.renewal_campaign",
            "no Salesforce id",
        ),
        # notices
        ('supersedes = "consent-en-1"', 'supersedes = "consent-en-0"', "en-2.supersedes", "en-0"),
        ('supersedes = "consent-en-1"', 'supersedes = "consent-en-2"', "en-2.supersedes", "circle"),
        ("published_at = 2026-04-01", "published_at = 2025-04-01", "en-1.superseded_at", "after"),
        ('kind = "PRIVACY"', 'kind = "POEM"', "notices.privacy-en-1.kind", "POEM"),
        ("material = true", 'material = "yes"', "notices.consent-en-2.material", "type"),
        # assessments, proofs, surge, authors
        (
            "review_due = 2027-03-01",
            "review_due = 2026-03-01",
            "customer_offers.review_due",
            "after",
        ),
        ('trust = "VERIFIED_RELAY"', 'trust = "HIGH"', "proofs.CALL_RECORDING.trust", "HIGH"),
        ("floor = 50", "floor = 0", "surge.floor", "below 1"),
        ("share = 0.02", "share = 2.0", "surge.share", "share"),
        ('window = "1h"', 'window = "0h"', "surge.window", "length"),
        ("005000000000102AAA", "005000000000102", "surge.bulk_authors", "no Salesforce id"),
        ("005000000000101AAA", "connector", "direct_authors", "no Salesforce id"),
        ('review_notice = "45d"', "review_notice = 45", "review_notice", "type"),
    ],
)
def test_what_cannot_be_right_is_refused_by_name(
    old: str, new: str, place: str, problem: str
) -> None:
    with pytest.raises(PolicyRefused) as caught:
        parse_policy(changed(old, new))
    assert place in caught.value.place
    assert problem in caught.value.what
    assert caught.value.message == f"policy: {caught.value.place}: {caught.value.what}"
    assert caught.value.hint


def test_a_headline_purpose_without_channels_is_refused() -> None:
    text = POLICY_TEXT.replace('channels = ["EMAIL", "LIVE_CALL", "POST"]', "channels = []", 1)
    text = text.replace('address_scoped = ["EMAIL", "LIVE_CALL"]', "", 1)
    with pytest.raises(PolicyRefused, match=r"direct_marketing\.channels: is empty"):
        parse_policy(text)
