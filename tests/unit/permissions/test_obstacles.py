"""Gate 2: whatever can stand in the way, against every category of message."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from salesforce_bridge.permissions.answers import Answer, Verdict
from salesforce_bridge.permissions.conditions import Condition, ConditionKind
from salesforce_bridge.permissions.contact_points import ContactPoint
from salesforce_bridge.permissions.evidence import Grade
from salesforce_bridge.permissions.keys import PurposeKey
from salesforce_bridge.permissions.obstacles import is_in_the_way
from salesforce_bridge.permissions.policy import Category
from salesforce_bridge.permissions.states import State
from salesforce_bridge.permissions.stop_matrix import Obstacle
from salesforce_bridge.permissions.suppressions import Scope, matching, silences
from tests.unit.permissions.calls import (
    IN_THE_WAY,
    MOBILE,
    OFFER_CALL,
    OFFICE,
    call,
    opt_out_calls,
)
from tests.unit.permissions.examples import (
    HOME,
    MARKETING_BY_EMAIL,
    MARKETING_BY_POST,
    SERVICE,
    a_condition,
    a_permission,
    a_suppression,
    ask,
    every_condition,
    hours,
)
from tests.unit.permissions.examples import IN_THE_WAY as FACTS_IN_THE_WAY

MATRIX = json.loads(
    (Path(__file__).parents[2] / "expected" / "stop_matrix.json").read_text("utf-8")
)
VERDICTS = {
    "\u2013": Verdict.ALLOW,
    "warn": Verdict.ALLOW,
    "hold": Verdict.HOLD,
    "block": Verdict.DENY,
    "block on live calls unless specific valid consent": Verdict.DENY,
}


def of_stops(answer: Answer) -> list[str]:
    return [failure.reason for failure in answer.failed if failure.gate == "G2"]


@pytest.mark.parametrize("category", Category)
def test_with_nothing_in_the_way_a_call_is_allowed(category: Category) -> None:
    answer = call(category)
    assert (answer.verdict, answer.failed, answer.warnings) == (Verdict.ALLOW, (), ())


@pytest.mark.parametrize("category", Category)
@pytest.mark.parametrize("obstacle", Obstacle)
def test_an_obstacle_does_to_each_message_what_the_matrix_says(
    obstacle: Obstacle, category: Category
) -> None:
    answer = call(category, obstacle)
    cell = MATRIX[obstacle.value][category.value]
    expected = VERDICTS[cell]
    verdict = f"{expected.name}_{obstacle.value}"
    assert of_stops(answer) == ([] if expected is Verdict.ALLOW else [verdict])
    assert answer.warnings == ((obstacle.value,) if cell == "warn" else ())
    if obstacle is not Obstacle.GROUNDS_CHALLENGE_OPEN:  # its state fails another gate as well
        assert answer.verdict is expected
        assert expected is Verdict.ALLOW or answer.reason == verdict


def pairs() -> Iterator[tuple[Obstacle, Obstacle]]:
    assert set(IN_THE_WAY) == set(Obstacle)
    yield from combinations(Obstacle, 2)


@pytest.mark.parametrize("category", Category)
def test_of_two_obstacles_the_worse_one_decides(category: Category) -> None:
    for one, two in pairs():
        both = call(category, one, two)
        alone = [call(category, one), call(category, two)]
        assert both.verdict is max(answer.verdict for answer in alone)
        assert set(of_stops(both)) == {code for answer in alone for code in of_stops(answer)}


def test_a_suppression_that_the_person_lifted_directly_counts_no_more() -> None:
    suppression = a_suppression()
    lifted = a_permission(lifted_at=suppression.since + timedelta(seconds=1))
    assert ask(lifted, suppressions=(suppression,)).verdict is Verdict.ALLOW
    at_once = a_permission(lifted_at=suppression.since)
    assert ask(at_once, suppressions=(suppression,)).reason == "DENY_SUPPRESSED_MARKETING"
    assert ask(a_permission(), suppressions=(suppression,)).verdict is Verdict.DENY


def test_a_suppression_that_has_run_out_counts_no_more() -> None:
    for expires_at, verdict in ((hours(0), Verdict.ALLOW), (hours(0.001), Verdict.DENY)):
        expiring = a_suppression(expires_at=expires_at)
        assert ask(a_permission(), suppressions=(expiring,)).verdict is verdict


def test_of_two_suppressions_both_are_told() -> None:
    both = (a_suppression(), a_suppression(scope=Scope.ALL))
    assert of_stops(ask(a_permission(), suppressions=both)) == [
        "DENY_SUPPRESSED_MARKETING",
        "DENY_SUPPRESSED_ALL",
    ]


def test_suppressions_are_found_by_the_wide_fingerprint_under_any_key() -> None:
    older = HOME._replace(hmac="old", exact="old", key_version=1)
    now, before, other = a_suppression(), a_suppression("old"), a_suppression("zz")
    assert matching((now, before, other), (HOME, older)) == (now, before)
    assert matching((a_suppression(HOME.exact),), (HOME,)) == ()


def test_a_suppression_for_marketing_is_about_nothing_else() -> None:
    assert silences(a_suppression(), marketing=True)
    assert not silences(a_suppression(), marketing=False)
    assert silences(a_suppression(scope=Scope.ALL), marketing=False)


def emailed(*facts: Condition, points: tuple[ContactPoint, ...] = (HOME,)) -> Answer:
    permission = a_permission(use=MARKETING_BY_EMAIL, point=points[0].exact if points else None)
    return ask(permission, conditions=(*every_condition(), *facts), points=points)


def bounced(point: str | None, **said: Any) -> Condition:
    return a_condition(ConditionKind.UNDELIVERABLE, id=f"c-{point}", point=point, **said)


WORK = HOME._replace(hmac="ww", exact="ww")


def test_an_address_that_bounced_stands_in_the_way_while_there_is_no_other() -> None:
    assert of_stops(emailed(bounced("aa"))) == ["DENY_UNDELIVERABLE"]
    assert of_stops(emailed(bounced("aa"), points=(HOME, WORK))) == []
    both = (bounced("aa"), bounced("ww"))
    assert of_stops(emailed(*both, points=(HOME, WORK))) == ["DENY_UNDELIVERABLE"]


def test_a_number_is_no_other_address() -> None:
    assert of_stops(emailed(bounced("aa"), points=(HOME, MOBILE))) == ["DENY_UNDELIVERABLE"]


def test_an_address_that_the_person_no_longer_has_does_not_matter() -> None:
    assert of_stops(emailed(bounced("zz"))) == []
    assert of_stops(emailed(bounced("zz"), points=())) == []


def test_an_address_that_bounced_before_the_key_was_replaced_is_still_the_same() -> None:
    older = HOME._replace(hmac="old", key_version=1)
    assert of_stops(emailed(bounced("old"), points=(HOME, older))) == ["DENY_UNDELIVERABLE"]


def test_other_channels_are_not_concerned_by_an_address() -> None:
    facts = (*every_condition(), bounced("aa"))
    assert ask(a_permission(use=MARKETING_BY_POST), conditions=facts).verdict is Verdict.ALLOW


def test_a_person_who_cannot_be_reached_at_all_is_not_reached_by_post() -> None:
    facts = (*every_condition(), bounced(None))
    answer = ask(a_permission(use=MARKETING_BY_POST), conditions=facts)
    assert answer.reason == "DENY_UNDELIVERABLE"


def test_a_bounce_counts_only_while_it_is_in_date() -> None:
    assert of_stops(emailed(bounced("aa", valid_to=hours(0)))) == []
    assert of_stops(emailed(bounced("aa", valid_from=hours(1)))) == []


def listed(point: str | None = None, **said: Any) -> Condition:
    return a_condition(ConditionKind.DNC_LISTED, id=f"l-{point}", point=point, **said)


CONSENTED = a_permission(use=OFFER_CALL, point=MOBILE.exact)


def test_a_consent_to_just_these_calls_goes_before_the_register() -> None:
    answer = call(Category.MARKETING, Obstacle.NATIONAL_DNC_REGISTER, permission=CONSENTED)
    assert answer.reason == "ALLOW_CONSENT"


@pytest.mark.parametrize(
    "flaw",
    [
        {"state": State.EXPIRED},
        {"effective_to": hours(-1)},
        {"grade": Grade.C},
        {"notice_id": None},
        {"point": "zz"},
    ],
)
def test_a_consent_that_does_not_count_does_not_go_before_the_register(
    flaw: dict[str, Any],
) -> None:
    answer = call(
        Category.MARKETING,
        Obstacle.NATIONAL_DNC_REGISTER,
        permission=replace(CONSENTED, **flaw),
    )
    assert answer.reason == "DENY_NATIONAL_DNC_REGISTER"


def test_letters_and_mails_are_not_calls() -> None:
    facts = (*every_condition(), listed())
    assert ask(a_permission(), conditions=facts).verdict is Verdict.ALLOW
    assert of_stops(emailed(listed())) == []


@pytest.mark.parametrize(
    ("points", "expected"),
    [
        ((MOBILE,), ["DENY_NATIONAL_DNC_REGISTER"]),
        ((OFFICE, MOBILE), ["DENY_NATIONAL_DNC_REGISTER"]),
        ((OFFICE,), []),
        ((), ["DENY_NATIONAL_DNC_REGISTER"]),
    ],
)
def test_a_listed_number_counts_while_it_may_be_the_one_that_is_called(
    points: tuple[ContactPoint, ...], expected: list[str]
) -> None:
    facts = (*every_condition(), listed(MOBILE.hmac))
    never = replace(CONSENTED, state=State.EXPIRED)
    answer = ask(never, conditions=facts, points=points, policy=opt_out_calls())
    assert of_stops(answer) == expected


def test_a_fact_may_stand_in_the_way_or_take_one_that_does_out_of_it_or_is_nothing_to_anybody() -> (
    None
):
    found = {kind for kind in ConditionKind if is_in_the_way(a_condition(kind))}
    assert found == FACTS_IN_THE_WAY | {ConditionKind.GUARDIAN}


def test_a_minor_with_a_guardian_may_be_written_to() -> None:
    minor = a_condition(ConditionKind.MINOR)
    alone = tuple(one for one in every_condition() if one.kind is not ConditionKind.GUARDIAN)
    guarded = (*every_condition(), minor)
    assert ask(a_permission(), conditions=guarded).verdict is Verdict.ALLOW
    answer = ask(a_permission(), conditions=(*alone, minor))
    assert answer.reason == "DENY_MINOR_WITHOUT_GUARDIAN"
    former = a_condition(ConditionKind.GUARDIAN, valid_to=hours(0))
    answer = ask(a_permission(), conditions=(*alone, minor, former))
    assert answer.reason == "DENY_MINOR_WITHOUT_GUARDIAN"
    grown_up = a_condition(ConditionKind.MINOR, valid_to=hours(0))
    assert ask(a_permission(), conditions=(*alone, grown_up)).verdict is Verdict.ALLOW


def test_a_fact_about_another_purpose_does_not_matter() -> None:
    for kind in (ConditionKind.RESTRICTION, ConditionKind.UNDELIVERABLE):
        other = a_condition(kind, purpose=PurposeKey("product_research"))
        facts = (*every_condition(), other)
        assert ask(a_permission(), conditions=facts).verdict is Verdict.ALLOW


def test_an_erased_person_is_erased_for_every_use() -> None:
    answer = ask(a_permission(use=SERVICE), erased=True, category=Category.SERVICE)
    assert answer.reason == "DENY_SUBJECT_ERASED"
    assert ask(None, erased=True, use=SERVICE).reason == "DENY_SUBJECT_ERASED"
