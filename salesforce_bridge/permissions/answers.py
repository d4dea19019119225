"""Answers: may we, and why not, in values that every gate shares."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum


class Verdict(IntEnum):
    """The answer; the worst of several is the greatest."""

    ALLOW = 0
    HOLD = 1
    DENY = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """One gate that was not passed."""

    gate: str  # G1 to G10 as the rules number them, or HELD
    verdict: Verdict
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """May we, and why; every failed gate is kept for the record, in the order of the gates."""

    verdict: Verdict
    reason: str
    failed: tuple[Failure, ...] = ()
    warnings: tuple[str, ...] = ()  # stops that do not forbid this message, but should be known

    @property
    def reasons(self) -> tuple[str, ...]:
        """What each failed gate says."""
        return tuple([failure.reason for failure in self.failed])


def deny(gate: str, reason: str) -> Failure:
    """Make the failure of a gate that says no."""
    return Failure(gate=gate, verdict=Verdict.DENY, reason=f"DENY_{reason}")


def wait(gate: str, reason: str) -> Failure:
    """Make the failure of a gate that says not yet."""
    return Failure(gate=gate, verdict=Verdict.HOLD, reason=f"HOLD_{reason}")


def refusal(failed: Sequence[Failure], warnings: tuple[str, ...]) -> Answer:
    """Keep the worst of what failed; the first gate to reach it gives the reason."""
    worst = failed[0]
    for failure in failed:
        if failure.verdict > worst.verdict:
            worst = failure
    return Answer(
        verdict=worst.verdict, reason=worst.reason, failed=tuple(failed), warnings=warnings
    )
