"""Conditions: append-only facts that a gate asks for, held in the ledger and never typed in Salesforce."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from salesforce_bridge.permissions.keys import PurposeKey, SubjectId


class ConditionKind(StrEnum):
    """What a lawful basis other than consent rests on."""

    CONTRACT = "CONTRACT"
    OBLIGATION = "OBLIGATION"
    INCIDENT = "INCIDENT"
    TASK = "TASK"
    ASSESSMENT = "ASSESSMENT"  # the legitimate-interest assessment was communicated for this person
    OBJECTION_NOTICE = "OBJECTION_NOTICE"  # the person was told of the right to object, Art. 21(4)
    SOFT_OPT_IN = "SOFT_OPT_IN"
    RESTRICTION = "RESTRICTION"


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One fact about one person (and, where it is narrower, one purpose), true for a span of time."""

    id: str
    subject_id: SubjectId
    kind: ConditionKind
    ref: str  # the contract number, the law and article, the assessment's key …
    valid_from: datetime
    valid_to: datetime | None = None
    purpose: PurposeKey | None = None


def in_date(condition: Condition, *, at: datetime) -> bool:
    """Tell whether a condition is true at a moment."""
    return condition.valid_from <= at and (condition.valid_to is None or at < condition.valid_to)
