"""Ledger classes: what the ledger holds for a use of one person's data, in nine words."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from salesforce_bridge.permissions.bases import OBJECTIONABLE
from salesforce_bridge.permissions.conditions import ConditionKind, is_met
from salesforce_bridge.permissions.fold import covering_stop
from salesforce_bridge.permissions.keys import Use
from salesforce_bridge.permissions.policy import Policy
from salesforce_bridge.permissions.states import LAPSED, STOPPED, State
from salesforce_bridge.permissions.suppressions import (
    Suppression,
    is_silencing,
    silences,
)
from salesforce_bridge.reconcile.facts import SubjectRecord


class LedgerClass(StrEnum):
    """The columns of the decision table."""

    L0 = "L0"  # the ledger had not met this person before this cycle
    L1 = "L1"  # neutral
    L2 = "L2"  # consent valid
    L3A = "L3a"  # a basis in force that the person can object to
    L3B = "L3b"  # another basis in force
    L4 = "L4"  # stopped by the person
    L5 = "L5"  # lapsed
    L6 = "L6"  # challenged, restricted or held
    L7 = "L7"  # erased


def class_of(record: SubjectRecord, use: Use, *, policy: Policy, at: datetime) -> LedgerClass:
    """Classify what the ledger holds for one use at a moment, stops that are wider than the use included."""
    permission = record.permissions.get(use)
    state = permission.state if permission is not None else None
    if record.erased or state is State.ERASED or _is_of_erased(record, use, policy=policy, at=at):
        return LedgerClass.L7
    if is_stopped(record, use, policy=policy, at=at):
        return LedgerClass.L4
    if is_restricted(record, use, at=at):
        return LedgerClass.L6
    if record.hold is not None or (permission is not None and permission.held is not None):
        return LedgerClass.L6
    if permission is not None and state is State.IN_FORCE:
        return LedgerClass.L3A if permission.basis in OBJECTIONABLE else LedgerClass.L3B
    return _CLASS_OF_STATE.get(state, LedgerClass.L1)


def is_stopped(record: SubjectRecord, use: Use, *, policy: Policy, at: datetime) -> bool:
    """Say whether a no covers this use: said about it, wider, or left behind on an address of the person."""
    permission = record.permissions.get(use)
    if record.erased or (permission is not None and permission.state in STOPPED):
        return True
    if not (record.stops or record.suppressions):
        return False
    marketing = is_marketing(record, use, policy=policy)
    if covering_stop(permission, use, marketing=marketing, stops=record.stops) is not None:
        return True
    return bool(_suppressions_of(record, use, policy=policy, at=at))


def is_restricted(record: SubjectRecord, use: Use, *, at: datetime) -> bool:
    """Say whether the person had the use limited, Art. 18, for this purpose or for all."""
    conditions = record.conditions
    return bool(conditions) and is_met(ConditionKind.RESTRICTION, conditions, use.purpose, at=at)


def is_marketing(record: SubjectRecord, use: Use, *, policy: Policy) -> bool:
    """Say whether a use is direct marketing; a purpose the policy no longer knows stays what it was."""
    purpose = policy.purposes.get(use.purpose)
    if purpose is not None:
        return purpose.direct_marketing
    permission = record.permissions.get(use)
    return permission.marketing if permission is not None else True


def _is_of_erased(record: SubjectRecord, use: Use, *, policy: Policy, at: datetime) -> bool:
    """Say whether an address of this record is all that is left of somebody who was erased."""
    found = _suppressions_of(record, use, policy=policy, at=at)
    return any(each.after_erasure for each in found)


def _suppressions_of(
    record: SubjectRecord, use: Use, *, policy: Policy, at: datetime
) -> tuple[Suppression, ...]:
    if not record.suppressions:
        return ()
    permission = record.permissions.get(use)
    lifted_at = permission.lifted_at if permission is not None else None
    marketing = is_marketing(record, use, policy=policy)
    return tuple(
        each
        for each in record.suppressions
        if silences(each, marketing=marketing) and is_silencing(each, at=at, lifted_at=lifted_at)
    )


_CLASS_OF_STATE: Mapping[State | None, LedgerClass] = {
    State.GIVEN: LedgerClass.L2,
    State.RENEWED: LedgerClass.L2,
    State.CHALLENGED: LedgerClass.L6,
    **dict.fromkeys(LAPSED, LedgerClass.L5),
}
