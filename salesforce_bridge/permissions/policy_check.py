"""Checking a policy before anybody relies on it: every problem with its line, and how to put it right."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from salesforce_bridge.permissions.bundle import Policy
from salesforce_bridge.permissions.policy import read_policy
from salesforce_bridge.permissions.policy_concerns import concerns
from salesforce_bridge.permissions.policy_fit import Concern, misfits
from salesforce_bridge.permissions.policy_widening import changes_refused
from salesforce_bridge.permissions.tables import PolicyRefused
from salesforce_bridge.permissions.toml_lines import line_of, lines_of

ERROR, WARNING = "error", "warning"


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Problem:
    """One thing about a policy that somebody should put right, or know."""

    line: int
    place: str
    level: str
    what: str
    fix: str


def check(
    policy: Policy, *, text: str, against: Policy | None = None, at: datetime | None = None
) -> tuple[Problem, ...]:
    """List the problems of a policy by line; `against` the one in use, and at a moment where one is given."""
    found: list[Concern] = [*misfits(policy)]
    if not found:
        # Parts that do not fit each other say nothing that could be judged any further.
        found += concerns(policy, at=at)
        found += () if against is None else changes_refused(against, policy)
    return _by_line(found, text)


def check_text(
    text: str, *, against: Policy | None = None, at: datetime | None = None
) -> tuple[Problem, ...]:
    """List the problems of a text that may not even be a policy: what is refused when it is read comes alone."""
    try:
        policy = read_policy(text)
    except PolicyRefused as refused:
        return (problem_of(refused, text=text),)
    return check(policy, text=text, against=against, at=at)


def problem_of(refused: PolicyRefused, *, text: str) -> Problem:
    """Give a refusal its line."""
    broken = re.search(r"\(at line (\d+), column \d+\)", refused.what)
    line = int(broken[1]) if broken is not None else line_of(lines_of(text), refused.place)
    return Problem(line=line, place=refused.place, level=ERROR, what=refused.what, fix=refused.hint)


def _by_line(found: Iterable[Concern], text: str) -> tuple[Problem, ...]:
    lines = lines_of(text)
    problems = {
        Problem(
            line=line_of(lines, one.place),
            place=one.place,
            level=WARNING if one.warning else ERROR,
            what=one.what,
            fix=one.fix,
        )
        for one in found
    }
    return tuple(sorted(problems))
