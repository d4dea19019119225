"""A policy means what its text says, all of it, whoever reads it, wherever and however often."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from salesforce_bridge.permissions.bundle import SurgeRule
from salesforce_bridge.permissions.keys import Channel, PurposeKey
from salesforce_bridge.permissions.laws import UNKNOWN, ChannelLaw, Trigger, strictest
from salesforce_bridge.permissions.policy import PolicyRefused, parse_policy, read_policy
from salesforce_bridge.permissions.policy_fit import loops
from salesforce_bridge.permissions.policy_meaning import in_words, meaning
from salesforce_bridge.permissions.tables import Table
from salesforce_bridge.permissions.toml_lines import lines_of
from tests.unit.permissions.examples import (
    NOON,
    POLICY,
    POLICY_TEXT,
    a_profile,
    a_use,
    days,
    under_law,
    with_purpose,
)
from tests.unit.permissions.test_policy_check import changed
from tests.unit.permissions.test_policy_whole import FULL, FULL_TEXT

DAY = timedelta(days=1)
EMAIL = Channel("EMAIL")
MARKETING = PurposeKey("direct_marketing")


def test_a_policy_that_is_read_twice_is_the_same_policy() -> None:
    again = parse_policy(FULL_TEXT)
    assert again == FULL
    assert (again.unknown, again.switches, again.assigned) == (
        FULL.unknown,
        FULL.switches,
        FULL.assigned,
    )


@pytest.fixture(params=["Pacific/Auckland", "America/Los_Angeles"])
def far_from_utc(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patch:
        patch.setenv("TZ", request.param)
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("far_from_utc")
def test_a_policy_means_the_same_on_a_machine_in_any_time_zone() -> None:
    text = changed(("review_due = 2027-03-01", "review_due = 2027-03-01T02:00:00+02:00"))
    policy = parse_policy(text)
    assert policy.digest == FULL.digest
    assert policy.assessments["customer_offers"].review_due.tzinfo is UTC


def test_a_text_that_is_no_toml_is_refused_with_the_line_to_mend() -> None:
    with pytest.raises(PolicyRefused) as caught:
        parse_policy("version = \n")
    assert (caught.value.place, caught.value.hint) == ("text", "mend the line it names")
    assert caught.value.what.startswith("is not TOML: ")
    assert "line 1" in caught.value.what


# What is left out


@pytest.mark.parametrize(
    "line",
    ['headline = "direct_marketing"', 'request_lapses_after = "30d"', 'required_grade = "B"'],
)
def test_to_leave_out_what_is_usual_says_the_same(line: str) -> None:
    assert parse_policy(changed((line, ""), text=POLICY_TEXT)).digest == POLICY.digest


def test_a_surge_of_which_nothing_is_said_is_the_usual_one() -> None:
    before, _, after = FULL_TEXT.partition("[surge]\n")
    rest = "\n".join(line for line in after.splitlines() if line.partition(" ")[0] not in SURGE)
    assert parse_policy(f"{before}[surge]\n{rest}").surge == SurgeRule()


SURGE = ("floor", "share", "ceiling", "window", "bulk_authors")


def test_an_assessment_of_which_little_is_said_is_the_first_and_has_found_nothing() -> None:
    outcome = "The interest prevails while all facts of the sale are on record and nobody objected."
    text = changed(
        ("[assessments.customer_offers]\nversion = 2\n", "[assessments.customer_offers]\n"),
        (f'outcome = "{outcome}"\n', ""),
    )
    assessment = parse_policy(text).assessments["customer_offers"]
    assert (assessment.version, assessment.outcome) == (1, "")


@pytest.mark.parametrize(
    ("old", "place"),
    [
        ("[assessments.customer_offers]\nversion = 2", "assessments.customer_offers.version"),
        ('kind = "PRIVACY"\nversion = 1', "notices.privacy-en-1.version"),
        ("[profiles.UK]\nversion = 1", "profiles.UK.version"),
    ],
)
def test_versions_are_counted_from_one(old: str, place: str) -> None:
    with pytest.raises(PolicyRefused) as caught:
        parse_policy(changed((old, old[:-1] + "0")))
    assert (caught.value.place, caught.value.what) == (place, "is below 1")


@pytest.mark.parametrize(
    ("read", "wanted"),
    [
        (lambda table: table.text("key"), "a text in quotes"),
        (lambda table: table.number("key"), "a whole number"),
        (lambda table: table.share("key"), "a number from 0 to 1"),
        (lambda table: table.yes("key", default=False), "true or false"),
        (lambda table: table.texts("key"), "a list of texts"),
        (lambda table: table.moment("key"), "a date such as 2026-01-31"),
        (lambda table: table.table("key"), "a table"),
        (lambda table: list(table.tables("key")), "a table"),
        (lambda table: list(table.listed("key")), "a list of tables"),
    ],
)
def test_whoever_writes_something_else_is_told_what_is_wanted(
    read: Callable[[Table], object], wanted: str
) -> None:
    with pytest.raises(PolicyRefused) as caught:
        read(Table({"key": object()}, "somewhere"))
    assert caught.value.place == "somewhere.key"
    assert caught.value.what == "has the wrong type"
    assert caught.value.hint == f"write {wanted}"


# Parts that go together


def test_a_notice_ends_with_the_first_that_takes_its_place() -> None:
    third = FULL_TEXT[FULL_TEXT.index("[notices.consent-en-2]") :].partition("\n\n")[0]
    third = third.replace("consent-en-2", "consent-en-0").replace("2026-04-01", "2026-05-01")
    later = changed(("[notices.privacy-en-1]", f"{third}\n\n[notices.privacy-en-1]"))
    earlier = changed(("[notices.consent-en-1]", f"{third}\n\n[notices.consent-en-1]"))
    april = datetime(2026, 4, 1, tzinfo=UTC)
    for text in (later, earlier):
        assert read_policy(text).notices["consent-en-1"].superseded_at == april


@pytest.mark.parametrize(
    ("following", "circle"),
    [
        ({"a": "b", "b": "c", "c": "a", "d": "a"}, ("a", "b", "c")),
        ({"a": "a", "b": "a"}, ("a",)),
        ({"a": "b", "b": "c", "c": None}, ()),
        ({"a": "gone"}, ()),
    ],
)
def test_who_stands_in_a_circle_is_named_and_who_only_leads_to_one_is_not(
    following: Mapping[str, str | None], circle: tuple[str, ...]
) -> None:
    assert loops(following) == circle


def test_assignments_that_go_by_the_same_name_are_each_told() -> None:
    (one,) = POLICY.purposes[MARKETING].assignments
    twins = tuple(replace(one, reason=reason) for reason in ("first", "second", "third"))
    said = meaning(with_purpose(MARKETING, assignments=twins))
    place = f"purposes.{MARKETING}.assignments[*, *, {in_words(one.effective_from)}"
    told = {where.removeprefix(place): word for where, word in said.items() if "reason" in where}
    assert told == {"].reason": "first", ", 2].reason": "second", ", 3].reason": "third"}


@pytest.mark.parametrize(
    ("length", "words"),
    [
        (timedelta(), "0s"),
        (timedelta(days=730), "730d"),
        (timedelta(minutes=15), "15m"),
        (timedelta(days=1, hours=2, minutes=3, seconds=4, microseconds=5), "1d2h3m4s5us"),
        (timedelta(hours=23, minutes=59, seconds=59), "23h59m59s"),
    ],
)
def test_a_length_of_time_is_told_in_the_units_it_is_written_in(
    length: timedelta, words: str
) -> None:
    assert in_words(length) == words


# Lines


def test_what_is_said_inside_a_text_of_many_lines_is_no_key() -> None:
    text = 'a = """\n[not.a.table]\nb = [1\n"""\nc = 1\n'
    assert lines_of(text) == {"a": 1, "c": 5}


def test_texts_in_three_quotes_side_by_side_are_told_apart() -> None:
    text = 'a = ["""one [""", ["two", """three"""]]\nb = 1\n'
    assert lines_of(text) == {"a": 1, "b": 2}


# What is worked out once


def test_a_use_is_one_value_wherever_a_policy_names_it() -> None:
    policy = replace(FULL)
    for use in (*policy.uses, *policy.shown, *policy.told, *policy.advertised):
        assert use is policy.known[use.purpose, use.channel]


def test_everybody_is_told_of_a_use_once() -> None:
    shown = replace(POLICY)
    assert len(set(shown.told)) == len(shown.told)
    hidden = with_purpose(MARKETING, visible=False)
    assert hidden.told == hidden.shown
    assert a_use(channel="EMAIL") in hidden.told


def test_what_has_a_colon_in_its_name_is_named_by_no_ledger_key() -> None:
    odd, channel = PurposeKey("odd:one"), Channel("E:MAIL")
    purposes = {**POLICY.purposes, odd: replace(POLICY.purposes[MARKETING], key=odd)}
    channels = {**POLICY.channels, channel: replace(POLICY.channels[EMAIL], channel=channel)}
    policy = replace(POLICY, purposes=purposes, channels=channels)
    assert (odd, EMAIL) in policy.known
    assert (MARKETING, channel) in policy.known
    assert set(policy.named) == {
        f"{purpose}:{channel}" for purpose in POLICY.purposes for channel in POLICY.channels
    }


def test_a_policy_says_when_it_will_say_something_else_about_a_purpose() -> None:
    research = POLICY.purposes[PurposeKey("product_research")]
    (now,) = research.assignments
    until = NOON + 40 * DAY
    later = replace(now, effective_from=until, effective_to=NOON + 90 * DAY)
    policy = with_purpose(research.key, assignments=(replace(now, effective_to=until), later))
    assessment = policy.assessments[research.assessment or ""]
    assert policy.switches[research.key] == tuple(
        sorted(
            {
                *(now.effective_from, until, NOON + 90 * DAY),
                *(assessment.approved_at, assessment.review_due),
            }
        )
    )


# The law of an unknown place


STRICT_PLACE = a_profile(
    "DE",
    version=3,
    double_opt_in_required=True,
    max_consent_age=400 * DAY,
    stop_deadline=DAY,
    reply_months=2,
    extension_months=1,
    evidence_retention=9 * DAY,
    suppression_retention=5 * DAY,
    confirmed_by="A. Lawyer",
    age_counts_from=Trigger.AGE,
    renew_before=days(30, 7),
)
LOOSE_PLACE = a_profile(
    "UK",
    law=ChannelLaw.OPT_OUT,
    version=7,
    dnc_register="TPS",
    stop_deadline=2 * DAY,
    evidence_retention=20 * DAY,
    suppression_retention=8 * DAY,
    confirmed_by="A. Lawyer",
    age_counts_from=Trigger.LAST_ACTIVE,
    renew_before=days(60, 5),
)


def test_the_strictest_of_two_places_takes_from_each_what_is_stricter() -> None:
    joined = strictest((LOOSE_PLACE, STRICT_PLACE))
    laws = dict.fromkeys(("CONSUMER", "BUSINESS", "*"), ChannelLaw.PRIOR_CONSENT)
    assert joined == replace(
        STRICT_PLACE,
        key=UNKNOWN,
        version=7,
        rules=dict.fromkeys(sorted(POLICY.channels), laws),
        grades=joined.grades,
        dnc_register="TPS",
        reply_months=1,
        evidence_retention=20 * DAY,
        suppression_retention=8 * DAY,
        renew_before=days(60, 5),
    )


def test_an_age_counts_from_the_yes_unless_every_place_with_an_age_counts_otherwise() -> None:
    aged = replace(LOOSE_PLACE, max_consent_age=500 * DAY)
    ageless = replace(STRICT_PLACE, max_consent_age=None)
    assert strictest((aged, ageless)).age_counts_from is Trigger.LAST_ACTIVE
    assert strictest((aged, STRICT_PLACE)).age_counts_from is Trigger.AGE


def test_the_most_prompts_count_and_of_as_many_the_earliest() -> None:
    for prompts, most in (
        ((days(60), (), days(30, 7)), days(30, 7)),
        ((days(30, 7), days(60, 5), days(60, 3)), days(60, 5)),
    ):
        places = [a_profile(f"P{number}", renew_before=each) for number, each in enumerate(prompts)]
        for several in (places, places[::-1]):
            assert strictest(several).renew_before == most


@pytest.mark.parametrize(
    ("registers", "asked"),
    [(("TPS", None), "TPS"), (("TPS", "TPS"), "TPS"), (("TPS", "DNCR"), None), ((None,), None)],
)
def test_a_register_is_asked_where_there_is_no_doubt_which(
    registers: tuple[str | None, ...], asked: str | None
) -> None:
    assert strictest([a_profile(dnc_register=each) for each in registers]).dnc_register == asked


@pytest.mark.parametrize(
    ("counsels", "confirmed"),
    [(("A", "A"), "A"), (("A", None), None), (("A", "B"), None), ((None, None), None)],
)
def test_what_comes_of_several_places_is_confirmed_only_by_whoever_confirmed_them_all(
    counsels: tuple[str | None, ...], confirmed: str | None
) -> None:
    assert strictest([a_profile(confirmed_by=each) for each in counsels]).confirmed_by == confirmed


def test_a_suppression_is_kept_for_good_where_one_place_keeps_it_so() -> None:
    kept = [a_profile(suppression_retention=each) for each in (5 * DAY, 8 * DAY)]
    assert strictest(kept).suppression_retention == 8 * DAY
    assert strictest([*kept, a_profile()]).suppression_retention is None


def test_an_unknown_place_keeps_proof_and_asks_registers_as_its_own_profile_says() -> None:
    own = a_profile(
        UNKNOWN,
        version=4,
        dnc_register="ALL",
        evidence_retention=11 * DAY,
        suppression_retention=DAY,
        confirmed_by="B. Lawyer",
    )
    unknown = under_law(own, LOOSE_PLACE, STRICT_PLACE).unknown
    assert (unknown.version, unknown.dnc_register, unknown.confirmed_by) == (4, "ALL", "B. Lawyer")
    assert unknown.evidence_retention == 11 * DAY
    assert unknown.suppression_retention == DAY
    assert unknown.double_opt_in_required
