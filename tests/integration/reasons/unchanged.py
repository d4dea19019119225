"""What does not change about the cast of the scenarios, in the words that the org shows."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from tests.integration.reasons.law import NEWS, RESEARCH, SERVICE
from tests.integration.reasons.promises import Told
from tests.integration.reasons.scene import ALL_FLAGS, Scene

NEVER_ASKED, STOPPED = ("Not asked", "Never asked"), ("Stopped", "Do not")
PERMITTED, LIMITED = ("Permitted", "OK"), ("Limited", "Wait")
LAPSED, PARTLY = ("Lapsed", "Do not"), ("Partly permitted", "Partly: see channels")
_CAST: Mapping[str, Mapping[str, Any]] = {
    "agreed": {"use": NEWS, "row": PERMITTED, "contact": PARTLY, "answer": "ALLOW_CONSENT"},
    "stopped": {"use": NEWS, "row": STOPPED, "contact": STOPPED, "answer": "DENY_STOPPED"},
    "lapsed": {"use": NEWS, "row": LAPSED, "contact": LAPSED, "answer": "DENY_LAPSED"},
    "neutral": {
        "use": NEWS,
        "row": NEVER_ASKED,
        "contact": NEVER_ASKED,
        "answer": "DENY_NOT_ESTABLISHED",
    },
    "restricted": {
        "use": NEWS,
        "row": LIMITED,
        "contact": LIMITED,
        "answer": "DENY_PROCESSING_RESTRICTED",
    },
    "erased": {
        "use": NEWS,
        "row": None,
        "contact": STOPPED,
        "flags": ALL_FLAGS,
        "answer": "DENY_SUBJECT_STOP_ALL",
    },
    "interest": {
        "use": RESEARCH,
        "row": PERMITTED,
        "contact": NEVER_ASKED,
        "answer": "ALLOW_LEGITIMATE_INTEREST",
    },
    "customer": {
        "use": SERVICE,
        "row": PERMITTED,
        "contact": NEVER_ASKED,
        "answer": "ALLOW_CONTRACT",
    },
    "challenged": {
        "use": RESEARCH,
        "row": LIMITED,
        "contact": NEVER_ASKED,
        "answer": "HOLD_CHALLENGED",
    },
}


def unchanged(scene: Scene, name: str, **more: Any) -> Told:
    """Tell of one of the cast what stays true of them; `more` is what a scenario makes of it."""
    return replace(Told(who=scene.cast[name], **_CAST[name]), **more)
