"""What would leave people without a basis, and nobody would notice, is told with its line."""

from dataclasses import replace

import pytest

from salesforce_bridge.permissions.bases import LawfulBasis
from salesforce_bridge.permissions.keys import PurposeKey
from salesforce_bridge.permissions.policy import parse_policy
from salesforce_bridge.permissions.policy_check import check, check_text
from salesforce_bridge.permissions.tables import PolicyRefused
from tests.unit.permissions.examples import NOON
from tests.unit.permissions.test_policy_check import NEWER, changed, line, only, problems
from tests.unit.permissions.test_policy_whole import FULL, FULL_TEXT

OFFERS = PurposeKey("customer_offers")
BASIS = 'basis = "LEGITIMATE_INTEREST"\neffective_from = 2026-01-01\nreason'


def ends(when: str) -> str:
    """The whole policy, in which the interest behind the offers for customers ends."""
    return changed(
        (BASIS, BASIS.replace("\nreason", f"\neffective_to = {when}\nreason")),
    )


@pytest.mark.parametrize("when", ["2025-12-31", "2026-01-01"])
def test_an_assignment_that_ends_before_it_begins_is_told_at_its_line(when: str) -> None:
    problem = only(ends(when))
    assert problem.place == "purposes.customer_offers.assignments[1].effective_to"
    assert (problem.level, problem.what) == ("error", "is not after effective_from")
    assert line(ends(when), problem.line) == f"effective_to = {when}"
    with pytest.raises(PolicyRefused):
        parse_policy(ends(when))


def test_an_assignment_that_ends_after_a_day_has_no_problem() -> None:
    assert problems(ends("2026-01-02")) == []


def test_an_assessment_that_is_renamed_while_an_interest_rests_on_it_is_told_where_it_is_named() -> (
    None
):
    text = changed(
        NEWER,
        ("[assessments.customer_offers]", "[assessments.offers]"),
        ('assessment = "customer_offers"', 'assessment = "offers"'),
    )
    problem = only(text, against=True)
    assert problem.level == "error"
    assert line(text, problem.line) == 'assessment = "offers"'
    assert problem.what.startswith("was customer_offers, which is gone")
    assert "keep [assessments.customer_offers]" in problem.fix


def test_an_assessment_that_goes_while_another_takes_its_place_is_told() -> None:
    others = {key: one for key, one in FULL.assessments.items() if key != "customer_offers"}
    after = replace(
        FULL,
        assessments=others,
        purposes={
            **FULL.purposes,
            OFFERS: replace(FULL.purposes[OFFERS], assessment="product_research"),
        },
    )
    found = check(after, text=FULL_TEXT, against=FULL)
    assert "purposes.customer_offers.assessment" in {
        each.place for each in found if each.level == "error"
    }


def test_an_assessment_may_go_with_the_last_interest_that_rested_on_it() -> None:
    offers = FULL.purposes[OFFERS]
    assigned = tuple(replace(one, basis=LawfulBasis.CONSENT) for one in offers.assignments)
    after = replace(
        FULL,
        assessments={key: one for key, one in FULL.assessments.items() if key != "customer_offers"},
        purposes={**FULL.purposes, OFFERS: replace(offers, assignments=assigned, assessment=None)},
    )
    places = {each.place for each in check(after, text=FULL_TEXT, against=FULL)}
    assert "purposes.customer_offers.assessment" not in places


def test_another_assessment_may_be_named_while_the_old_one_stays() -> None:
    text = changed(NEWER, ('assessment = "customer_offers"', 'assessment = "product_research"'))
    found = check_text(text, against=FULL, at=NOON)
    assert not [each for each in found if each.place == "purposes.customer_offers.assessment"]
