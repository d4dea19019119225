"""Small cycles for tests of the ledger: opened, recorded, settled and closed through the real verbs."""

from datetime import datetime
from typing import Any

from salesforce_bridge.ledger.store import (
    Appended,
    Bookmark,
    CycleId,
    Ledger,
    Manifest,
    Result,
    Settled,
)
from salesforce_bridge.permissions.events import PermissionEvent
from salesforce_bridge.reconcile.intent import PointChange, PointMove
from tests.support.facts import (
    NOON,
    ORG,
    POLICY_TEXT,
    a_contact,
    a_decision,
    a_link,
    a_person,
    a_plan,
    a_policy,
    a_row,
    a_write,
    contact_id,
    subject_id,
)


def a_bookmark(**changes: Any) -> Bookmark:
    """A bookmark after a first cycle."""
    parts: dict[str, Any] = {
        "org_id": ORG,
        "contacts_since": NOON,
        "rows_since": NOON,
        "revision": 0,
        "clock": NOON,
        "policy_digest": a_policy().digest,
    }
    return Bookmark(**{**parts, **changes})


def a_manifest(**changes: Any) -> Manifest:
    """A manifest of a cycle that read and decided nothing."""
    parts: dict[str, Any] = {
        "at": NOON,
        "records_read": 0,
        "seen_again": 0,
        "decisions": {},
        "after": a_bookmark(),
    }
    return Manifest(**{**parts, **changes})


def opened(ledger: Ledger, *, at: datetime = NOON) -> CycleId:
    """A cycle that has begun."""
    with ledger.begin() as tx:
        tx.keep_policy(a_policy(), POLICY_TEXT, at=at)
        return tx.open_cycle(ORG, at=at, software="test", policy=a_policy())


def met(ledger: Ledger, *numbers: int, cycle_id: CycleId | None = None) -> CycleId:
    """People met in a cycle, each with one Contact, one row, one decision and one write."""
    cycle_id = cycle_id or opened(ledger)
    with ledger.begin() as tx:
        tx.record(
            a_plan(
                subjects=tuple(map(a_person, numbers)),
                links=tuple(map(a_link, numbers)),
                points=tuple(
                    PointChange(subject_id=subject_id(number), point=point, move=PointMove.REGISTER)
                    for number in numbers
                    for point in a_contact(number).points
                ),
                decisions=tuple(map(a_decision, numbers)),
                writes=tuple(map(a_write, numbers)),
            ),
            org_id=ORG,
            cycle_id=cycle_id,
            at=NOON,
            policy=a_policy(),
            contacts=tuple(map(a_contact, numbers)),
            rows=tuple((a_row(number), contact_id(number)) for number in numbers),
        )
    return cycle_id


def told(ledger: Ledger, *events: PermissionEvent, cycle_id: CycleId | None = None) -> Appended:
    """Events recorded by a cycle."""
    with ledger.begin() as tx:
        return tx.record(
            a_plan(events=events),
            org_id=ORG,
            cycle_id=cycle_id or CycleId(1),
            at=NOON,
            policy=a_policy(),
        )


def answered(ledger: Ledger, write_id: str, result: Result, **changes: Any) -> int:
    """What Salesforce answered to one write."""
    with ledger.begin() as tx:
        return tx.settle([Settled(write_id=write_id, result=result, at=NOON, **changes)])
