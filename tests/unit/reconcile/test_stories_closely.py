"""What is planned in each of several hundred small stories is planned to the letter, whatever is rewritten.

The reasons of each story are told beside its fingerprint in `tests/expected/stories.json`. Where another plan is
meant, play the story before and after (`stories.tellings` gives the whole text), look at the difference, and write
the new fingerprints with `python -m tests.unit.reconcile.test_stories_closely`.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from tests.unit.reconcile.stories import tellings

EXPECTED = Path(__file__).parents[2] / "expected" / "stories.json"
STORIES: list[dict[str, Any]] = json.loads(EXPECTED.read_text("utf-8"))


def told(story: dict[str, Any]) -> dict[str, Any]:
    plans = tellings(story["policy"], story["before"], story["then"])
    reasons = {
        f"{each['situation'].partition('_')[0]} {each['reason']}"
        for plan in plans[2:]
        for each in json.loads(plan)["decisions"]
    }
    fingerprint = hashlib.sha256("\n".join(plans).encode()).hexdigest()
    return story | {"reasons": sorted(reasons), "plans": fingerprint[:32]}


@pytest.mark.parametrize("story", STORIES)
def test_a_story_is_planned_to_the_letter(story: dict[str, Any]) -> None:
    assert told(story) == story


if __name__ == "__main__":
    EXPECTED.write_text(
        "[\n"
        + ",\n".join(json.dumps(told(story), ensure_ascii=False) for story in STORIES)
        + "\n]\n",
        "utf-8",
    )
