"""Whoever writes a policy reads these words and no others: what is wrong, where, how grave it is, and the fix."""

import json
from pathlib import Path
from typing import Any

import pytest

from salesforce_bridge.permissions.policy_check import check_text
from salesforce_bridge.permissions.tables import PolicyRefused
from tests.unit.permissions.examples import NOON, POLICY_TEXT
from tests.unit.permissions.test_policy_check import UNCONFIRMED, changed
from tests.unit.permissions.test_policy_whole import FULL, FULL_TEXT

TEXTS = {"plain": POLICY_TEXT, "full": FULL_TEXT}
CASES = json.loads(
    (Path(__file__).parents[2] / "expected" / "policy_problems.json").read_text("utf-8")
)


@pytest.mark.parametrize("case", CASES)
def test_a_changed_policy_is_told_about_in_exactly_these_words(case: dict[str, Any]) -> None:
    text = changed(*case["changes"], text=TEXTS[case["text"]])
    found = check_text(text, against=FULL if case["follows_itself"] else None, at=NOON)
    assert [
        {"level": one.level, "place": one.place, "what": one.what, "fix": one.fix}
        for one in found
        if one.what != UNCONFIRMED
    ] == case["problems"]


def test_a_refusal_of_no_place_says_just_its_message() -> None:
    refused = PolicyRefused("policy: not readable", hint="mend the file")
    assert (refused.place, refused.what, refused.hint) == (
        "",
        "policy: not readable",
        "mend the file",
    )
