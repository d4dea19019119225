"""Ledger classes: what the ledger holds for a use of one person's data, in nine words."""

from collections.abc import Mapping
from enum import StrEnum

from salesforce_bridge.permissions.bases import OBJECTIONABLE
from salesforce_bridge.permissions.fold import covering_stop
from salesforce_bridge.permissions.keys import Use
from salesforce_bridge.permissions.policy import Policy
from salesforce_bridge.permissions.states import LAPSED, STOPPED, State
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


def class_of(record: SubjectRecord, use: Use, *, policy: Policy) -> LedgerClass:
    """Classify what the ledger holds for one use, stops that are wider than the use included."""
    permission = record.permissions.get(use)
    state = permission.state if permission is not None else None
    if state is State.ERASED:
        return LedgerClass.L7
    if is_stopped(record, use, policy=policy):
        return LedgerClass.L4
    if record.hold is not None or (permission is not None and permission.held is not None):
        return LedgerClass.L6
    if permission is not None and state is State.IN_FORCE:
        return LedgerClass.L3A if permission.basis in OBJECTIONABLE else LedgerClass.L3B
    return _CLASS_OF_STATE.get(state, LedgerClass.L1)


def is_stopped(record: SubjectRecord, use: Use, *, policy: Policy) -> bool:
    """Say whether the person's no covers this use, said about it or wider."""
    permission = record.permissions.get(use)
    if permission is not None and permission.state in STOPPED:
        return True
    marketing = is_marketing(record, use, policy=policy)
    return covering_stop(permission, use, marketing=marketing, stops=record.stops) is not None


def is_marketing(record: SubjectRecord, use: Use, *, policy: Policy) -> bool:
    """Say whether a use is direct marketing; a purpose the policy no longer knows stays what it was."""
    purpose = policy.purposes.get(use.purpose)
    if purpose is not None:
        return purpose.direct_marketing
    permission = record.permissions.get(use)
    return permission.marketing if permission is not None else True


_CLASS_OF_STATE: Mapping[State | None, LedgerClass] = {
    State.GIVEN: LedgerClass.L2,
    State.RENEWED: LedgerClass.L2,
    State.CHALLENGED: LedgerClass.L6,
    **dict.fromkeys(LAPSED, LedgerClass.L5),
}
