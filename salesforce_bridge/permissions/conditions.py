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
    ART9 = "ART9"  # an exception of Art. 9(2) for special categories of data holds
    UNDELIVERABLE = (
        "UNDELIVERABLE"  # a contact point answers no more; deliverability is not consent
    )
    DNC_LISTED = "DNC_LISTED"  # a national register says not to call
    DNC_SCREENED = "DNC_SCREENED"  # that register was asked
    DECEASED = "DECEASED"
    MINOR = "MINOR"
    GUARDIAN = "GUARDIAN"  # somebody may answer for a minor
    ACTIVITY = "ACTIVITY"  # the person was last active; opening an e-mail does not count


@dataclass(frozen=True, slots=True, kw_only=True)
class SoftOptIn:
    """The facts of a sale that let a customer be written to about similar products, ePrivacy Art. 13(2)."""

    sale_ref: str
    sale_date: datetime
    product_family: str
    optout_offered_at_collection: bool
    optout_in_each_message: bool


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
    point: str | None = None  # the wide fingerprint of a contact point, where it is about just one
    soft_opt_in: SoftOptIn | None = None


def in_date(condition: Condition, *, at: datetime) -> bool:
    """Tell whether a condition is true at a moment."""
    return condition.valid_from <= at and (condition.valid_to is None or at < condition.valid_to)


def concerns(condition: Condition, purpose: PurposeKey, *, at: datetime) -> bool:
    """Tell whether a condition is true at a moment, and about a purpose or about all of them."""
    return condition.purpose in (None, purpose) and in_date(condition, at=at)


def is_met(
    kind: ConditionKind,
    conditions: tuple[Condition, ...],
    purpose: PurposeKey,
    *,
    at: datetime,
    ref: str | None = None,
) -> bool:
    """Tell whether such a condition is true of a person for a purpose; with `ref`, just that one."""
    for one in conditions:
        if one.kind is kind and (ref is None or one.ref == ref) and concerns(one, purpose, at=at):
            return True
    return False
