"""Who may say what, and how good a proof is: the trust and evidence ladders."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum


class Trust(IntEnum):
    """How directly a statement comes from the person; computed by us, never accepted as input."""

    MACHINE = 0
    UNVERIFIED_RELAY = 1
    VERIFIED_RELAY = 2
    CONTROLLER_CONTROLLED = 3
    SUBJECT_DIRECT = 4


class Grade(IntEnum):
    """How good a proof is; higher is better."""

    NONE = 0
    D = 1
    C = 2
    B = 3
    A = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustRule:
    """What a level of trust is enough for."""

    may_stop: bool
    may_grant: bool
    grant_needs: (
        Grade | None
    )  # the least grade a grant needs at this level, whatever the purpose asks
    may_lift: bool


RULES: Mapping[Trust, TrustRule] = {
    Trust.SUBJECT_DIRECT: TrustRule(may_stop=True, may_grant=True, grant_needs=None, may_lift=True),
    Trust.CONTROLLER_CONTROLLED: TrustRule(
        may_stop=True, may_grant=True, grant_needs=Grade.B, may_lift=False
    ),
    Trust.VERIFIED_RELAY: TrustRule(
        may_stop=True, may_grant=True, grant_needs=None, may_lift=False
    ),
    Trust.UNVERIFIED_RELAY: TrustRule(
        may_stop=True, may_grant=False, grant_needs=None, may_lift=False
    ),
    Trust.MACHINE: TrustRule(may_stop=False, may_grant=False, grant_needs=None, may_lift=False),
}

# What a purpose requires unless its policy says otherwise, and the least that it can require.
DEFAULT_GRADE = Grade.B


def grant_is_proven(trust: Trust, grade: Grade, required: Grade) -> bool:
    """Tell whether a yes may be believed; grades C and D never make a permission valid."""
    rule = RULES[trust]
    least = max(required, rule.grant_needs or DEFAULT_GRADE, DEFAULT_GRADE)
    return rule.may_grant and grade >= least
