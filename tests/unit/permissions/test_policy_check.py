"""Every problem of a policy is told with its line, in the same words whoever finds it, and with the fix."""

import tomllib
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from salesforce_bridge.permissions.keys import PurposeKey
from salesforce_bridge.permissions.policy import PolicyRefused, parse_policy
from salesforce_bridge.permissions.policy_check import Problem, check, check_text, problem_of
from salesforce_bridge.permissions.policy_fit import misfits
from salesforce_bridge.permissions.toml_lines import line_of, lines_of
from tests.support import facts
from tests.unit.permissions.examples import NOON, POLICY, POLICY_TEXT
from tests.unit.permissions.test_policy_whole import FULL, FULL_TEXT

UNCONFIRMED = "is a starting value that no counsel has confirmed"


def changed(*pairs: tuple[str, str], text: str = FULL_TEXT) -> str:
    for old, new in pairs:
        assert old in text, old
        text = text.replace(old, new, 1)
    return text


def problems(text: str, *, against: bool = False) -> list[Problem]:
    """What is wrong apart from the profiles that no counsel has confirmed."""
    found = check_text(text, against=FULL if against else None, at=NOON)
    return [each for each in found if each.what != UNCONFIRMED]


def only(text: str, *, against: bool = False) -> Problem:
    (problem,) = problems(text, against=against)
    return problem


def line(text: str, number: int) -> str:
    return text.splitlines()[number - 1]


@pytest.mark.parametrize("text", [POLICY_TEXT, FULL_TEXT], ids=["plain", "full"])
def test_the_policies_that_ship_have_no_problem_but_that_no_counsel_has_confirmed_them(
    text: str,
) -> None:
    assert problems(text) == []
    waiting = check_text(text, at=NOON)
    assert {(each.level, each.fix) for each in waiting} == {
        ("warning", "have a lawyer confirm it and write confirmed_by")
    }
    assert [line(text, each.line).partition("]")[0] for each in waiting] == [
        f"[{each.place}" for each in waiting
    ]
    assert len(waiting) == len(POLICY.profiles)


def test_a_policy_that_counsel_has_confirmed_has_no_problem_at_all() -> None:
    signed = {key: replace(one, confirmed_by="A. Lawyer") for key, one in FULL.profiles.items()}
    assert check(replace(FULL, profiles=signed), text=FULL_TEXT) == ()


# What is refused when a policy is read


@pytest.mark.parametrize(
    ("old", "new", "stands_on"),
    [
        ('successor = "direct_marketing"', 'successor = "spam"', 'successor = "spam"'),
        ('max_age = "548d"', 'max_age = "90d"', 'renew_before = ["90d", "30d"]'),
        ("trust = ", "thrust = ", "[proofs.DOI_TOKEN]"),
        ('{ CONSUMER = "A" }', '{ CONSUMER = "Z" }', "grades.LIVE_CALL"),
        ('renew_before = ["30d"]', 'renew_before = ["soon"]', 'renew_before = ["soon"]'),
        ("[limits]", "[limits", "[limits"),
        ("loosen_max = 500", "loosen_max = ", "loosen_max ="),
        ('supersedes = "consent-en-1"', 'supersedes = "consent-en-2"', "supersedes ="),
    ],
)
def test_what_is_refused_is_told_in_the_same_words_with_its_line(
    old: str, new: str, stands_on: str
) -> None:
    text = changed((old, new))
    with pytest.raises(PolicyRefused) as caught:
        parse_policy(text)
    problem = check_text(text)[0]
    assert problem == problem_of(caught.value, text=text)
    assert line(text, problem.line).strip().startswith(stands_on)
    assert (problem.what, problem.fix) == (caught.value.what, caught.value.hint)
    assert problem.level == "error"


def test_everything_that_does_not_fit_is_told_at_once() -> None:
    text = changed(
        ('successor = "direct_marketing"', 'successor = "spam"'),
        ('"701000000000001AAA"', '"Renewals"'),
        ('kind = "PRIVACY"', 'kind = "POEM"'),
    )
    places = [each.place for each in problems(text)]
    assert places == [
        "purposes.direct_marketing.renewal_campaign",
        "purposes.newsletter.successor",
        "notices.privacy-en-1.kind",
    ]


def test_two_bases_for_the_same_people_at_once_are_told() -> None:
    second = '[[purposes.newsletter.assignments]]\nbasis = "CONSENT"\neffective_from = 2025-01-01\n'
    text = changed(("[purposes.wellbeing_advice]", f"{second}\n[purposes.wellbeing_advice]"))
    assert only(text).what == "there are two for (*, *) at once"


# What is lawful to write and yet wrong


MARKETING_CONSENT = (
    'basis = "CONSENT"\neffective_from = 2026-01-01\n\n[[purposes.direct_marketing.expiry]]'
)


@pytest.mark.parametrize(
    ("pairs", "level", "place", "what", "stands_on"),
    [
        (
            [(MARKETING_CONSENT, MARKETING_CONSENT.replace("CONSENT", "CONTRACT", 1))],
            "error",
            "purposes.direct_marketing.assignments[1].basis",
            "MARKETING_ON_WRONG_BASIS",
            'basis = "CONTRACT"',
        ),
        (
            [('art9_condition = "9(2)(a)"\n', "")],
            "error",
            "purposes.wellbeing_advice.assignments[1].art9_condition",
            "special category",
            "[[purposes.wellbeing_advice.assignments]]",
        ),
        (
            [('purposes = ["wellbeing_advice"]', 'purposes = ["tailored_offers"]')],
            "error",
            "purposes.wellbeing_advice.assignments",
            "no consent notice",
            "[[purposes.wellbeing_advice.assignments]]",
        ),
        (
            [('product_families = ["courses", "journeys"]\n', "")],
            "warning",
            "purposes.customer_offers.product_families",
            "never met for EMAIL",
            "[purposes.customer_offers]",
        ),
        (
            [('successor = "direct_marketing"\n', "")],
            "warning",
            "purposes.newsletter.successor",
            "nothing follows",
            "[purposes.newsletter]",
        ),
        (
            [('outcome = "The interest prevails while', 'outcome = "  "  #')],
            "error",
            "assessments.customer_offers.outcome",
            "empty",
            "outcome =",
        ),
        (
            [("review_due = 2027-03-01", "review_due = 2026-05-01")],
            "error",
            "assessments.customer_offers.review_due",
            "not in date",
            "review_due = 2026-05-01",
        ),
        (
            [("review_due = 2027-03-01", "review_due = 2027-03-03")],
            "warning",
            "assessments.customer_offers.review_due",
            "more than a year",
            "review_due = 2027-03-03",
        ),
        (
            [
                ('supersedes = "consent-en-1"\n', ""),
                (
                    "published_at = 2026-01-01",
                    "published_at = 2026-01-01\nsuperseded_at = 2026-04-01",
                ),
            ],
            "warning",
            "notices.consent-en-1.superseded_at",
            "superseded by nothing",
            "superseded_at =",
        ),
        (
            [
                (
                    'purposes = ["direct_marketing", "tailored_offers"]',
                    'purposes = ["direct_marketing"]',
                )
            ],
            "error",
            "notices.consent-en-2.supersedes",
            "also about tailored_offers",
            "supersedes =",
        ),
        (
            [('version = 2\nlanguage = "en"', 'version = 2\nlanguage = "de"')],
            "error",
            "notices.consent-en-2.supersedes",
            "CONSENT in en",
            "supersedes =",
        ),
        (
            [('FR = ["FRA", "France"]\n', "")],
            "warning",
            "profiles.FR",
            "nobody is ever found",
            "[profiles.FR]",
        ),
        (
            [('FR = ["FRA", "France"]', 'FR = ["FRA", "France"]\nCH = ["Switzerland"]')],
            "warning",
            "jurisdictions.CH",
            "judged as UNKNOWN",
            "CH = ",
        ),
        (
            [("reply_months = 1", "reply_months = 2")],
            "warning",
            "profiles.UNKNOWN.reply_months",
            "longer than the law",
            "reply_months = 2",
        ),
        (
            [('jurisdiction = "DE"', 'jurisdiction = "D"')],
            "warning",
            "purposes.direct_marketing.expiry[2].jurisdiction",
            'in "D"',
            'jurisdiction = "D"',
        ),
        (
            [('renew_before = ["30d"]', 'renew_before = ["365d"]')],
            "error",
            "purposes.tailored_offers.expiry",
            "never due",
            "[[purposes.tailored_offers.expiry]]",
        ),
        (
            [('trust = "VERIFIED_RELAY"', 'trust = "UNVERIFIED_RELAY"')],
            "warning",
            "proofs.CALL_RECORDING",
            "never be accepted",
            "[proofs.CALL_RECORDING]",
        ),
        (
            [('trust = "VERIFIED_RELAY"\ngrade = "B"', 'trust = "VERIFIED_RELAY"\ngrade = "C"')],
            "warning",
            "proofs.CALL_RECORDING",
            "never be accepted",
            "[proofs.CALL_RECORDING]",
        ),
        (
            [('art9_condition = "9(2)(a)"', 'art9_condition = "9(2)(a)"\nsubject_class = "CHILD"')],
            "warning",
            "purposes.wellbeing_advice.assignments[1].subject_class",
            "CHILD",
            "subject_class =",
        ),
    ],
)
def test_what_is_wrong_is_told_at_its_line(
    pairs: list[tuple[str, str]], level: str, place: str, what: str, stands_on: str
) -> None:
    text = changed(*pairs)
    (problem,) = (each for each in problems(text) if each.place == place)
    assert problem.level == level
    assert what in problem.what
    assert line(text, problem.line).strip().startswith(stands_on)
    assert problem.fix


def test_an_assessment_without_its_three_tests_is_told_for_each() -> None:
    bare = {
        key: replace(one, purpose_test="", necessity_test=" ", balancing_test="", outcome="")
        for key, one in POLICY.assessments.items()
    }
    found = check(replace(POLICY, assessments=bare), text=POLICY_TEXT)
    assert [each.place.rpartition(".")[2] for each in found if each.level == "error"] == [
        "purpose_test",
        "necessity_test",
        "balancing_test",
        "outcome",
    ]


def test_a_successor_that_is_retired_itself_is_an_error() -> None:
    second = changed(
        ('title = "Product research"', 'title = "Product research"\nsuccessor = "newsletter"')
    )
    problem = only(second)
    assert (problem.level, problem.place) == ("error", "purposes.product_research.successor")
    assert "newsletter is retired itself" in problem.what


def test_similar_products_are_asked_for_only_where_some_place_lets_a_sale_stand_for_a_yes() -> None:
    purpose = replace(FULL.purposes[PurposeKey("customer_offers")], product_families=())
    policy = replace(FULL, purposes={**FULL.purposes, purpose.key: purpose})
    place = "purposes.customer_offers.product_families"
    assert place in {each.place for each in check(policy, text=FULL_TEXT)}
    by_consent = {key: replace(one, rules={}) for key, one in FULL.profiles.items()}
    strict = replace(policy, profiles=by_consent)
    assert place not in {each.place for each in check(strict, text=FULL_TEXT)}


def test_nobody_can_say_yes_before_a_notice_is_published_nor_once_it_is_superseded() -> None:
    def lacking(at: datetime | None, **said: Any) -> bool:
        notice = replace(FULL.notices["consent-wellbeing-en-1"], **said)
        policy = replace(FULL, notices={**FULL.notices, notice.id: notice})
        place = "purposes.wellbeing_advice.assignments"
        return place in {each.place for each in check(policy, text=FULL_TEXT, at=at)}

    before, after = NOON - timedelta(seconds=1), NOON + timedelta(seconds=1)
    assert [lacking(at, published_at=NOON) for at in (before, NOON, after)] == [True, False, False]
    assert [lacking(at, superseded_at=NOON) for at in (before, NOON, after)] == [False, True, True]
    assert not lacking(None, published_at=NOON)
    assert lacking(None, superseded_at=NOON)


def test_an_older_policy_without_profiles_is_told_that_everything_needs_consent() -> None:
    found = check_text(facts.POLICY_TEXT)
    assert [(each.level, each.place, each.what, each.fix) for each in found] == [
        (
            "warning",
            "profiles",
            "is missing: everything needs prior consent everywhere",
            "add [profiles.…] with what counsel found",
        )
    ]


def test_a_notice_that_takes_the_place_of_a_newer_one_is_told() -> None:
    older = FULL.notices["consent-en-1"].published_at
    early = replace(FULL.notices["consent-en-2"], published_at=older)
    policy = replace(FULL, notices={**FULL.notices, early.id: early})
    told = {each.place: each.what for each in check(policy, text=FULL_TEXT)}
    assert told["notices.consent-en-2.supersedes"] == "consent-en-1 is not older"


def test_an_assessment_that_nobody_rests_on_is_told() -> None:
    text = changed(("[assessments.customer_offers]", "[assessments.older_offers]"))
    text = changed(('assessment = "customer_offers"', 'assessment = "product_research"'), text=text)
    assert only(text).what == "no purpose rests on it"


# What must not change from one policy to the next


def test_a_policy_may_follow_itself() -> None:
    assert problems(FULL_TEXT, against=True) == []
    spaced = FULL_TEXT.replace("\n[", "\n\n[")
    assert problems(spaced, against=True) == []


NEWER = ('version = "2026-04"', 'version = "2026-05"')


@pytest.mark.parametrize(
    ("pair", "place"),
    [
        (('required_grade = "A"', 'required_grade = "B"'), "wellbeing_advice.required_grade"),
        (('max_age = "730d"', 'max_age = "731d"'), "direct_marketing.max_age"),
        (('max_age = "730d"\n', ""), "direct_marketing.max_age"),
        (('max_age = "548d"', 'max_age = "549d"'), "direct_marketing.expiry[2].max_age"),
        (('max_age = "548d"', ""), "direct_marketing.expiry[2].max_age"),
        (('trigger = "EVENT"', 'trigger = "LAST_ACTIVE"'), "customer_offers.expiry[2].max_age"),
        (
            ('address_scoped = ["EMAIL", "SMS", "LIVE_CALL"]', 'address_scoped = ["EMAIL", "SMS"]'),
            "direct_marketing.address_scoped",
        ),
        (("special_category = true\n", ""), "wellbeing_advice.special_category"),
        (
            ('involves = ["PROFILING", "GEOLOCATION"]', 'involves = ["PROFILING", "TRACKING"]'),
            "tailored_offers.involves",
        ),
        (
            ('dpv_purpose = "dpv:PersonalisedAdvertising"', 'dpv_purpose = "dpv:DirectMarketing"'),
            "tailored_offers.dpv_purpose",
        ),
        (('"courses", "journeys"', '"courses", "insurance"'), "customer_offers.product_families"),
        (
            ('category = "SERVICE"', 'category = "CORRESPONDENCE"'),
            "service_messages.category",
        ),
    ],
)
def test_a_wider_purpose_is_a_new_purpose(pair: tuple[str, str], place: str) -> None:
    text = changed(NEWER, pair)
    problem = only(text, against=True)
    assert (problem.level, problem.place) == ("error", f"purposes.{place}")
    assert problem.fix == "make it a new purpose and name it as successor"


def test_marketing_that_is_turned_on_widens_a_purpose() -> None:
    text = changed(
        NEWER, ('category = "SERVICE"', 'category = "MARKETING"\ndirect_marketing = true')
    )
    text = changed(
        ('basis = "CONTRACT"', 'basis = "CONSENT"'),
        ('purposes = ["wellbeing_advice"]', 'purposes = ["wellbeing_advice", "service_messages"]'),
        text=text,
    )
    places = {each.place for each in problems(text, against=True)}
    assert {
        "purposes.service_messages.category",
        "purposes.service_messages.direct_marketing",
    } <= places


@pytest.mark.parametrize(
    ("pair", "place", "level"),
    [
        (('title = "Newsletter"', 'title = "Letter"'), "purposes.newsletter.title", "error"),
        (("monthly newsletter", "weekly newsletter"), "purposes.newsletter.plain_text", "error"),
        (("version = 3", "version = 2"), "purposes.newsletter.version", "error"),
        (('controller = "example"', 'controller = "other"'), "controller", "error"),
        (('language = "en"', 'language = "de"'), "notices.consent-en-1.language", "error"),
        (
            ("A customer expects it", "Anybody likes it"),
            "assessments.customer_offers.version",
            "error",
        ),
        (('rules.SMS = "PRIOR_CONSENT"\n', ""), "profiles.UNKNOWN.version", "warning"),
    ],
)
def test_what_people_were_told_does_not_change_under_its_old_version(
    pair: tuple[str, str], place: str, level: str
) -> None:
    found = problems(changed(NEWER, pair), against=True)
    assert (place, level) in {(each.place, each.level) for each in found}


def test_a_new_wording_in_a_new_version_is_no_problem() -> None:
    text = changed(
        NEWER,
        (
            'version = 3\nstatus = "RETIRED"\ntitle = "Newsletter"',
            'version = 4\nstatus = "RETIRED"\ntitle = "Letter"',
        ),
    )
    assert problems(text, against=True) == []


def test_stricter_terms_are_no_problem() -> None:
    text = changed(
        NEWER,
        ('max_age = "730d"', 'max_age = "729d"'),
        ('required_grade = "B"', 'required_grade = "A"'),
        ('involves = ["PROFILING", "GEOLOCATION"]', 'involves = ["PROFILING"]'),
        ('"courses", "journeys"', '"courses"'),
    )
    assert problems(text, against=True) == []


def test_another_meaning_needs_another_version() -> None:
    problem = only(changed(("loosen_max = 500", "loosen_max = 400")), against=True)
    assert problem.place == "version"
    assert line(FULL_TEXT, problem.line) == 'version = "2026-04"'


def test_nothing_that_the_history_speaks_of_may_go() -> None:
    raffle = PurposeKey("raffle")
    older = replace(
        FULL,
        purposes={**FULL.purposes, raffle: replace(FULL.purposes[FULL.headline], key=raffle)},
        notices={**FULL.notices, "old": replace(FULL.notices["privacy-en-1"], id="old")},
    )
    found = check(FULL, text=FULL_TEXT, against=older)
    gone = {each.place for each in found if each.what == "is gone"}
    assert gone == {"purposes.raffle", "notices.old"}


# Lines


def places_of(value: object, place: str = "") -> Iterator[str]:
    if isinstance(value, dict):
        for key, each in value.items():
            where = f"{place}.{key}" if place else key
            yield where
            yield from places_of(each, where)
    elif isinstance(value, list) and value and isinstance(value[0], dict):
        for position, each in enumerate(value, start=1):
            yield f"{place}[{position}]"
            yield from places_of(each, f"{place}[{position}]")


@pytest.mark.parametrize("text", [POLICY_TEXT, FULL_TEXT], ids=["plain", "full"])
def test_every_place_of_a_policy_has_the_line_on_which_it_is_written(text: str) -> None:
    lines = lines_of(text)
    for place in places_of(tomllib.loads(text)):
        last = place.rpartition(".")[2].partition("[")[0]
        assert last in line(text, line_of(lines, place)), place


AWKWARD = '''
# [not.a.table]
title = """
[neither.this]
key = "no"
"""   # ends here
list = [
    "a # not a comment", 'b ] c',   # ] neither
    { deep = 1 },
]
"quoted key" = 1
[table]   # a comment
dotted.'key'.deep = { inline = [1, 2] }
[[many]]
x = 1
[many.below]
y = 1
[[many]]
x = \'\'\'raw "
z = 2
\'\'\'
[[many.more]]
w = 1
'''


@pytest.mark.parametrize(
    ("place", "number"),
    [
        ("title", 3),
        ("list", 7),
        ("quoted key", 11),
        ("table", 12),
        ("table.dotted.key.deep", 13),
        ("table.dotted.key.deep.inline", 13),
        ("many[1].x", 15),
        ("many[1].below.y", 17),
        ("many[2]", 18),
        ("many[2].x", 19),
        ("many[2].z", 18),
        ("many[2].more[1].w", 23),
        ("many[3].x", 14),
        ("neither.this", 1),
        ("nowhere", 1),
    ],
)
def test_a_place_is_found_whatever_the_text_around_it_looks_like(place: str, number: int) -> None:
    tomllib.loads(AWKWARD)
    assert line_of(lines_of(AWKWARD), place) == number


@given(st.text(alphabet="[]{}\"'=.#\\ \nab1", max_size=60))
def test_no_text_confuses_the_search_for_lines(text: str) -> None:
    lines = lines_of(text)
    assert all(1 <= number <= len(text.splitlines()) for number in lines.values())
    assert line_of(lines, "a.b[1].c") >= 1


def test_a_policy_that_is_read_has_nothing_that_does_not_fit() -> None:
    assert list(misfits(POLICY)) == []
    assert check(POLICY, text=POLICY_TEXT, at=datetime(2026, 6, 1, tzinfo=UTC)) == check(
        POLICY, text=POLICY_TEXT
    )
