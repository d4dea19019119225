"""The trust ladder, compared with the expected table under tests/expected."""

import json
from pathlib import Path

import pytest

from salesforce_bridge.permissions.evidence import (
    DEFAULT_GRADE,
    RULES,
    Grade,
    Trust,
    grant_is_proven,
)

LADDER = json.loads(
    (Path(__file__).parents[2] / "expected" / "trust_ladder.json").read_text("utf-8")
)


@pytest.mark.parametrize("trust", Trust)
def test_every_rung_of_the_trust_ladder_is_as_expected(trust: Trust) -> None:
    expected, rule = LADDER[trust.name], RULES[trust]
    assert rule.may_stop == expected["may stop?"].startswith("yes")
    assert rule.may_grant == expected["may grant?"].startswith("yes")
    # Correcting a recording error is not lifting: it needs two people and a code of its own.
    assert rule.may_lift == expected["may lift a stop?"].startswith("yes")
    assert (rule.grant_needs is Grade.B) == ("grade ≥ B" in expected["may grant?"])


def test_the_ladder_names_every_trust() -> None:
    assert set(LADDER) == set(Trust.__members__)


@pytest.mark.parametrize("trust", Trust)
@pytest.mark.parametrize("required", Grade)
def test_a_structured_claim_or_a_bare_word_never_proves_a_grant(
    trust: Trust, required: Grade
) -> None:
    for grade in (Grade.NONE, Grade.D, Grade.C):
        assert not grant_is_proven(trust, grade, required)


@pytest.mark.parametrize("trust", Trust)
def test_a_grant_is_proven_by_who_tells_it_and_by_the_grade_its_purpose_asks(trust: Trust) -> None:
    trusted = trust >= Trust.VERIFIED_RELAY
    assert grant_is_proven(trust, Grade.A, Grade.A) is trusted
    assert grant_is_proven(trust, Grade.B, DEFAULT_GRADE) is trusted
    assert not grant_is_proven(trust, Grade.B, Grade.A)
