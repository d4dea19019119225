"""Two policies differ exactly where one says something that the other does not."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from salesforce_bridge.permissions.bundle import Policy
from salesforce_bridge.permissions.keys import PurposeKey
from salesforce_bridge.permissions.policy import parse_policy
from salesforce_bridge.permissions.policy_diff import Difference, diff
from salesforce_bridge.permissions.policy_meaning import digest_of, in_words
from tests.unit.permissions.test_policy_whole import FULL, FULL_TEXT

WELLBEING = PurposeKey("wellbeing_advice")
# Every pair changes what the policy means, at one place and no other.
CHANGES = (
    ('version = "2026-04"', 'version = "2026-05"', "version"),
    ('review_notice = "45d"', 'review_notice = "44d"', "review_notice"),
    ('FR = ["FRA", "France"]', 'FR = ["FRA"]', "jurisdictions.france"),
    ('label = "Post"', 'label = "Letter"', "channels.POST.label"),
    ('grace = "14d"', 'grace = "13d"', "purposes.direct_marketing.expiry[DE].grace"),
    ('trigger = "EVENT"', 'trigger = "AGE"', "purposes.customer_offers.expiry[FR].trigger"),
    (
        'reason = "explicit consent"',
        'reason = "asked"',
        "purposes.wellbeing_advice.assignments[*, *, 2026-01-01].reason",
    ),
    ("material = true", "material = false", "notices.consent-en-2.material"),
    ('dnc_register = "TPS"', 'dnc_register = "CTPS"', "profiles.UK.dnc_register"),
    (
        '{ CONSUMER = "A" }',
        '{ CONSUMER = "B" }',
        "profiles.DE.grades.LIVE_CALL.CONSUMER",
    ),
    ('trust = "VERIFIED_RELAY"', 'trust = "SUBJECT_DIRECT"', "proofs.CALL_RECORDING.trust"),
    ("share = 0.02", "share = 0.03", "surge.share"),
    ("loosen_max = 500", "loosen_max = 499", "limits.loosen_max"),
    ('["PROFILING", "GEOLOCATION"]', '["PROFILING"]', "purposes.tailored_offers.involves"),
    ("visible = false", "visible = true", "purposes.newsletter.visible"),
)


def changed(*pairs: tuple[str, str, str]) -> Policy:
    text = FULL_TEXT
    for old, new, _ in pairs:
        assert old in text, old
        text = text.replace(old, new, 1)
    return parse_policy(text)


def test_a_difference_reads_like_the_policy_itself() -> None:
    after = changed(
        ('max_age = "548d"', "", ""),
        ('renew_before = ["90d", "30d"]', 'renew_before = ["90d", "12h"]', ""),
        ("review_due = 2027-03-01", "review_due = 2027-02-01T09:30:00Z", ""),
        ('title = "Newsletter"', 'title = "Our newsletter"', ""),
    )
    rule = "purposes.direct_marketing.expiry[DE]"
    assert diff(FULL, after) == (
        Difference(
            place="assessments.customer_offers.review_due",
            before="2027-03-01",
            after="2027-02-01T09:30:00Z",
        ),
        Difference(place=f"{rule}.max_age", before="548d", after=None),
        Difference(place=f"{rule}.renew_before", before="[90d, 30d]", after="[90d, 12h]"),
        Difference(place="purposes.newsletter.title", before="Newsletter", after="Our newsletter"),
    )


def test_a_purpose_more_is_told_with_all_it_says_and_nothing_it_leaves_out() -> None:
    without = replace(FULL, purposes={k: v for k, v in FULL.purposes.items() if k != WELLBEING})
    found = {
        each.place.removeprefix("purposes.wellbeing_advice."): each.after
        for each in diff(without, FULL)
    }
    assert found == {
        "version": "1",
        "status": "LIVE",
        "title": "Advice on allergies and needs",
        "plain_text": FULL.purposes[
            next(k for k in FULL.purposes if k == "wellbeing_advice")
        ].plain_text,
        "category": "CORRESPONDENCE",
        "channels": "[EMAIL]",
        "required_grade": "A",
        "address_scoped": "[EMAIL]",
        "max_age": "365d",
        "special_category": "true",
        "assignments[*, *, 2026-01-01].basis": "CONSENT",
        "assignments[*, *, 2026-01-01].art9_condition": "9(2)(a)",
        "assignments[*, *, 2026-01-01].reason": "explicit consent",
    }


def test_the_order_of_tables_says_nothing() -> None:
    purposes = {
        key: replace(
            purpose,
            expiry=tuple(reversed(purpose.expiry)),
            assignments=tuple(reversed(purpose.assignments)),
        )
        for key, purpose in reversed(tuple(FULL.purposes.items()))
    }
    assert diff(FULL, replace(FULL, purposes=purposes)) == ()
    assert digest_of(replace(FULL, purposes=purposes)) == FULL.digest


@pytest.mark.parametrize("change", CHANGES, ids=[place for *_, place in CHANGES])
def test_every_change_of_meaning_is_found_at_its_place(change: tuple[str, str, str]) -> None:
    (found,) = diff(FULL, changed(change))
    assert found.place == change[2]


subsets = st.lists(st.sampled_from(CHANGES), unique=True)


@given(subsets, subsets)
def test_there_is_no_difference_exactly_if_the_digests_are_equal(
    one: list[tuple[str, str, str]], other: list[tuple[str, str, str]]
) -> None:
    before, after = changed(*one), changed(*other)
    found = diff(before, after)
    assert (found == ()) is (before.digest == after.digest)
    assert {each.place for each in found} == {place for *_, place in {*one} ^ {*other}}
    assert [each.place for each in found] == sorted(each.place for each in found)
    back = diff(after, before)
    assert [(each.place, each.after, each.before) for each in back] == [
        (each.place, each.before, each.after) for each in found
    ]


@given(st.timedeltas(min_value=timedelta(), max_value=timedelta(days=9999)), st.timedeltas())
def test_two_lengths_of_time_are_written_alike_only_if_they_are_the_same(
    one: timedelta, other: timedelta
) -> None:
    assert (in_words(one) == in_words(other)) is (one == other)
    assert in_words(timedelta(days=1, hours=2, minutes=3, seconds=4)) == "1d2h3m4s"
