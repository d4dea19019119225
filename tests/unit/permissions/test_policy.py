"""A policy is read strictly: what is not understood is refused by name, with the fix."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from salesforce_bridge.errors import CannotStart
from salesforce_bridge.permissions.bases import LawfulBasis
from salesforce_bridge.permissions.evidence import Grade
from salesforce_bridge.permissions.keys import PurposeKey
from salesforce_bridge.permissions.policy import (
    Assignment,
    PolicyRefused,
    basis_for,
    marketing_on_wrong_basis,
    notice_was_published,
    parse_policy,
    visible_uses,
)
from tests.unit.permissions.examples import NOON, POLICY, POLICY_TEXT, a_use, with_purpose

DIRECT_MARKETING = PurposeKey("direct_marketing")


def changed(old: str, new: str) -> str:
    assert old in POLICY_TEXT
    return POLICY_TEXT.replace(old, new, 1)


def refusal(text: str) -> PolicyRefused:
    with pytest.raises(PolicyRefused) as caught:
        parse_policy(text)
    assert isinstance(caught.value, CannotStart)
    assert caught.value.hint
    return caught.value


def test_the_policy_that_ships_says_what_its_comments_say() -> None:
    assert list(POLICY.purposes) == [
        "direct_marketing",
        "product_research",
        "service_messages",
        "statutory_notices",
    ]
    assert visible_uses(POLICY) == tuple(
        a_use("direct_marketing", channel) for channel in ("EMAIL", "LIVE_CALL", "POST")
    )
    assert {key: one.flag for key, one in POLICY.channels.items() if one.flag} == {
        "EMAIL": "HasOptedOutOfEmail",
        "FAX": "HasOptedOutOfFax",
        "LIVE_CALL": "DoNotCall",
        "AUTOCALL": "DoNotCall",
    }
    assert len(POLICY.channels) == 8
    bases = {key: basis_for(POLICY, key, "UK", "CONSUMER", at=NOON) for key in POLICY.purposes}
    assert list(bases.values()) == [
        LawfulBasis.CONSENT,
        LawfulBasis.LEGITIMATE_INTEREST,
        LawfulBasis.CONTRACT,
        LawfulBasis.LEGAL_OBLIGATION,
    ]
    marketing = POLICY.purposes[DIRECT_MARKETING]
    assert (marketing.required_grade, marketing.max_age) == (Grade.B, timedelta(days=730))
    assert POLICY.request_lapses_after == timedelta(days=30)
    assert POLICY.jurisdictions["deutschland"] == "DE"
    assert POLICY.jurisdictions["uk"] == "UK"


def test_the_digest_is_of_the_meaning_not_of_the_text() -> None:
    lines = [line.partition(" #")[0] for line in POLICY_TEXT.splitlines() if line[:1] != "#"]
    assert parse_policy("\n".join(lines)).digest == POLICY.digest
    said_anyway = changed('headline = "direct_marketing"', "")
    assert parse_policy(said_anyway).digest == POLICY.digest
    assert len(POLICY.digest) == 64


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('version = "2026-01"', 'version = "2026-02"'),
        ("change_share = 0.3", "change_share = 0.31"),
        ('max_age = "730d"', 'max_age = "729d"'),
        ('plain_text = "We tell you', 'plain_text = "We do not tell you'),
        ('FR = ["FRA", "France"]', 'FR = ["FRA"]'),
        ('required_grade = "B"', 'required_grade = "A"'),
        ("review_due = 2027-01-01", "review_due = 2027-01-02"),
    ],
)
def test_any_change_of_meaning_changes_the_digest(old: str, new: str) -> None:
    assert parse_policy(changed(old, new)).digest != POLICY.digest


@pytest.mark.parametrize(
    ("old", "new", "place", "problem"),
    [
        ('headline = "direct_marketing"', 'headlin = "x"', "headlin", "not known"),
        ('label = "E-mail"', 'label = "E-mail"\ncolour = "red"', "channels.EMAIL.colour", "known"),
        ('category = "SERVICE"', 'category = "SPAM"', "purposes.service_messages.category", "SPAM"),
        ('title = "Offers and news"', "", "purposes.direct_marketing.title", "missing"),
        ('title = "Offers and news"', 'title = " "', "purposes.direct_marketing.title", "empty"),
        ('title = "Offers and news"', "title = 7", "purposes.direct_marketing.title", "type"),
        ("direct_marketing = true", "direct_marketing = 1", "direct_marketing", "type"),
        ("loosen_max = 500", "loosen_max = true", "limits.loosen_max", "type"),
        ("loosen_max = 500", "loosen_max = -1", "limits.loosen_max", "below 0"),
        ("change_share = 0.3", "change_share = 1.3", "limits.change_share", "share"),
        ("change_share = 0.3", 'change_share = "0.3"', "limits.change_share", "type"),
        ("change_share = 0.3", "change_share = 2", "limits.change_share", "share"),
        ("version = 1", "version = 0", "purposes.direct_marketing.version", "below 1"),
        ('max_age = "730d"', 'max_age = "2 years"', "direct_marketing.max_age", "length of time"),
        ('max_age = "730d"', 'max_age = "0d"', "direct_marketing.max_age", "length of time"),
        (
            'request_lapses_after = "30d"',
            'request_lapses_after = "P1M"',
            "request_lapses_after",
            "length",
        ),
        (
            "published_at = 2026-01-01",
            "published_at = 2026-01-01T09:00:00",
            "notices.consent-en-1.published_at",
            "offset",
        ),
        ("published_at = 2026-01-01", 'published_at = "now"', "published_at", "type"),
        ('default_country = "GB"', 'default_country = "UKR"', "default_country", "no country"),
        ('default_country = "GB"', 'default_country = "gb"', "default_country", "no country"),
        ('flag = "DoNotCall"', 'flag = "DoNotCal"', "channels.LIVE_CALL.flag", "DoNotCal"),
        ('point = "PHONE"', 'point = "PIGEON"', "channels.SMS.point", "PIGEON"),
        (
            'channels = ["EMAIL", "LIVE_CALL", "POST"]',
            'channels = ["EMAIL", "LIVE_CALL", "PIGEON"]',
            "purposes.direct_marketing.channels",
            "PIGEON",
        ),
        (
            'channels = ["EMAIL", "LIVE_CALL", "POST"]',
            'channels = ["EMAIL", "EMAIL"]',
            "purposes.direct_marketing.channels",
            "twice",
        ),
        (
            'channels = ["EMAIL", "LIVE_CALL", "POST"]',
            'channels = ["EMAIL", 7]',
            "purposes.direct_marketing.channels",
            "list of texts",
        ),
        (
            'address_scoped = ["EMAIL", "LIVE_CALL"]',
            'address_scoped = ["SMS"]',
            "purposes.direct_marketing.address_scoped",
            "SMS",
        ),
        (
            'address_scoped = ["EMAIL", "LIVE_CALL"]',
            'address_scoped = ["POST"]',
            "purposes.direct_marketing.address_scoped",
            "no address",
        ),
        (
            'category = "MARKETING"',
            'category = "SERVICE"',
            "purposes.direct_marketing.category",
            "agree",
        ),
        (
            'category = "SERVICE"',
            'category = "MARKETING"',
            "purposes.service_messages.category",
            "agree",
        ),
        ('assessment = "product_research"', "", "product_research.assessment", "missing"),
        (
            'assessment = "product_research"',
            'assessment = "other"',
            "product_research.assessment",
            "other",
        ),
        ('headline = "direct_marketing"', 'headline = "other"', "headline", "other"),
        (
            'purposes = ["direct_marketing"]',
            'purposes = ["marketing"]',
            "notices.consent-en-1.purposes",
            '"marketing"',
        ),
        ('sha256 = "94', 'sha256 = "', "notices.consent-en-1.sha256", "SHA-256"),
        ('basis = "CONSENT"', 'basis = "HABIT"', "direct_marketing.assignments[1].basis", "HABIT"),
        (
            'basis = "CONSENT"',
            'basis = "CONSENT"\nwhy = "x"',
            "purposes.direct_marketing.assignments[1].why",
            "known",
        ),
        ('FR = ["FRA", "France"]', 'FR = ["FRA", "Wales"]', "jurisdictions.FR", "UK"),
        ("[limits]", "[limit]", "limits", "missing"),
        ("[channels.EMAIL]", "[channels]\nEMAIL = 7\n[channels.X]", "channels.EMAIL", "table"),
        ("[limits]", "[limits", "text", "TOML"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(old: str, new: str, place: str, problem: str) -> None:
    message = refusal(changed(old, new)).message
    assert message.startswith("policy: ")
    assert place in message
    assert problem in message


def test_a_refusal_lists_what_could_be_meant() -> None:
    assert "headline" in refusal(changed("headline =", "headlin =")).hint
    assert "SERVICE" in refusal(changed('category = "SERVICE"', 'category = "SPAM"')).hint


def an_assignment(table: str) -> str:
    return f"[[purposes.direct_marketing.assignments]]\n{table}\n\n[purposes.product_research]"


@pytest.mark.parametrize(
    ("table", "fits"),
    [
        ('basis = "CONTRACT"\neffective_from = 2026-02-01', False),
        ('basis = "CONTRACT"\neffective_from = 2020-01-01', False),
        ('basis = "CONTRACT"\neffective_from = 2020-01-01\neffective_to = 2026-01-01', True),
        ('basis = "CONSENT"\njurisdiction = "DE"\neffective_from = 2026-01-01', True),
        ('basis = "CONSENT"\nsubject_class = "BUSINESS"\neffective_from = 2026-01-01', True),
    ],
)
def test_there_is_never_more_than_one_basis_for_the_same_people_at_once(
    table: str, *, fits: bool
) -> None:
    text = changed("[purposes.product_research]", an_assignment(table))
    if fits:
        assert len(parse_policy(text).purposes[DIRECT_MARKETING].assignments) == 2
    else:
        assert "there are two for (*, *) at once" in refusal(text).message


def test_a_basis_may_follow_another_on_the_day_the_first_one_ends() -> None:
    consent = 'basis = "CONSENT"\neffective_from = 2026-01-01'
    following = (
        "[[purposes.direct_marketing.assignments]]\n"
        'basis = "LEGITIMATE_INTEREST"\neffective_from = 2026-03-01'
    )
    text = changed(consent, f"{consent}\neffective_to = 2026-03-01\n{following}")
    assessed = 'title = "News"\nassessment = "product_research"'
    text = text.replace('title = "Offers and news"', assessed)
    policy = parse_policy(text)
    days = [datetime(2026, month, 28, tzinfo=UTC) for month in (2, 3)]
    assert [basis_for(policy, DIRECT_MARKETING, "UK", "CONSUMER", at=day) for day in days] == [
        LawfulBasis.CONSENT,
        LawfulBasis.LEGITIMATE_INTEREST,
    ]


def test_the_narrowest_assignment_wins() -> None:
    def one(jurisdiction: str, subject_class: str, basis: LawfulBasis) -> Assignment:
        return Assignment(
            jurisdiction=jurisdiction,
            subject_class=subject_class,
            basis=basis,
            effective_from=NOON,
        )

    policy = with_purpose(
        "direct_marketing",
        assignments=(
            one("*", "*", LawfulBasis.CONSENT),
            one("*", "BUSINESS", LawfulBasis.CONTRACT),
            one("UK", "*", LawfulBasis.PUBLIC_TASK),
            one("UK", "BUSINESS", LawfulBasis.LEGITIMATE_INTEREST),
        ),
    )

    def basis(jurisdiction: str, subject_class: str) -> LawfulBasis | None:
        return basis_for(policy, DIRECT_MARKETING, jurisdiction, subject_class, at=NOON)

    assert basis("DE", "CONSUMER") is LawfulBasis.CONSENT
    assert basis("DE", "BUSINESS") is LawfulBasis.CONTRACT
    assert basis("UK", "CONSUMER") is LawfulBasis.PUBLIC_TASK
    assert basis("UK", "BUSINESS") is LawfulBasis.LEGITIMATE_INTEREST
    assert basis_for(policy, PurposeKey("other"), "UK", "CONSUMER", at=NOON) is None
    assert marketing_on_wrong_basis(policy) == ("direct_marketing",)
    assert marketing_on_wrong_basis(POLICY) == ()


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("90m", timedelta(minutes=90)),
        ("12h", timedelta(hours=12)),
        ("4w2d", timedelta(days=30)),
        ("P30D", timedelta(days=30)),
        ("P4W", timedelta(weeks=4)),
        ("PT36H", timedelta(hours=36)),
        ("P1DT30M", timedelta(days=1, minutes=30)),
    ],
)
def test_lengths_of_time_are_read_in_both_notations(text: str, length: timedelta) -> None:
    policy = parse_policy(changed('max_age = "730d"', f'max_age = "{text}"'))
    assert policy.purposes[DIRECT_MARKETING].max_age == length


def test_moments_are_read_in_utc() -> None:
    text = changed("published_at = 2026-01-01", "published_at = 2026-01-01T02:00:00+02:00")
    assert parse_policy(text).digest == POLICY.digest
    day = POLICY.notices["consent-en-1"].published_at
    assert day == datetime(2026, 1, 1, tzinfo=UTC)


def test_a_policy_may_know_no_jurisdictions() -> None:
    before, _, after = POLICY_TEXT.partition("[jurisdictions]")
    purposes = after[after.index("[purposes.direct_marketing]") :]
    assert parse_policy(before + purposes).jurisdictions == {}


def test_a_whole_number_is_a_share_too() -> None:
    assert parse_policy(changed("change_share = 0.3", "change_share = 1")).limits.change_share == 1


def test_a_notice_was_published_from_its_day_until_the_next_one() -> None:
    published = POLICY.notices["consent-en-1"].published_at
    until = replace(POLICY.notices["consent-en-1"], superseded_at=NOON)
    policy = replace(POLICY, notices={until.id: until})

    def was_published(at: datetime, notice_id: str | None = "consent-en-1") -> bool:
        return notice_was_published(policy, notice_id, DIRECT_MARKETING, at=at)

    assert was_published(published)
    assert was_published(NOON - timedelta(seconds=1))
    assert not was_published(NOON)
    assert not was_published(published - timedelta(seconds=1))
    assert not was_published(published, None)
    assert not was_published(published, "privacy-en-1")
    other = PurposeKey("product_research")
    assert not notice_was_published(policy, "consent-en-1", other, at=published)


def test_a_changed_copy_of_a_policy_knows_its_own_uses() -> None:
    policy = with_purpose("product_research", visible=True)
    assert a_use("product_research", "EMAIL") in visible_uses(policy)
    assert a_use("product_research", "EMAIL") not in visible_uses(POLICY)
