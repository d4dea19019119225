"""Steps that the tests of the ledger share: a cycle is opened, a plan recorded, a write answered, a manifest sealed."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text

from salesforce_bridge.ledger import views
from salesforce_bridge.ledger.store import (
    Appended,
    Bookmark,
    CycleId,
    Deed,
    Ledger,
    Manifest,
    Result,
    Settled,
    Tx,
)
from salesforce_bridge.permissions.conditions import Condition, ConditionKind
from salesforce_bridge.permissions.events import EventKind
from salesforce_bridge.permissions.policy import Policy
from salesforce_bridge.reconcile.facts import Candidate
from salesforce_bridge.reconcile.intent import Plan, PointChange, PointMove, Write
from tests.support.facts import (
    NEWS_BY_EMAIL,
    NOON,
    ORG,
    POLICY_TEXT,
    a_contact,
    a_decision,
    a_link,
    a_person,
    a_plan,
    a_point,
    a_policy,
    a_write,
    an_event,
    subject_id,
)

POLICY = a_policy()
BY_HAND = Deed(verb="WITHDRAW", by="anna", reason="TOLD_BY_PHONE")


def open_cycle(ledger: Ledger, *, at: datetime = NOON, policy: Policy = POLICY) -> CycleId:
    """Begin a cycle, as the first step of every cycle does."""
    with ledger.begin() as tx:
        tx.keep_policy(policy, POLICY_TEXT, at=at)
        return tx.open_cycle(ORG, at=at, software="tests", policy=policy)


def record(ledger: Ledger, plan: Plan, *, cycle_id: CycleId | None = None, **more: Any) -> Appended:
    """Record a plan in a transaction of its own."""
    number = open_cycle(ledger) if cycle_id is None else cycle_id
    with ledger.begin() as tx:
        return record_in(tx, plan, number, **more)


def record_in(tx: Tx, plan: Plan, cycle_id: CycleId, **more: Any) -> Appended:
    """Record a plan as part of a transaction."""
    circumstances: dict[str, Any] = {"at": NOON, "policy": POLICY, "software": "tests", **more}
    return tx.record(plan, org_id=ORG, cycle_id=cycle_id, **circumstances)


def meet(ledger: Ledger, *numbers: int) -> None:
    """Let the ledger know some people and their Contacts."""
    plan = a_plan(subjects=tuple(map(a_person, numbers)), links=tuple(map(a_link, numbers)))
    record(ledger, plan)


def a_meeting(number: int = 1, **changes: Any) -> Plan:
    """A plan for a Contact never seen: a person, a link, a point, a grant, a decision and a write."""
    grant = an_event(EventKind.GRANT, subject=number)
    parts: dict[str, Any] = {
        "subjects": (a_person(number),),
        "links": (a_link(number),),
        "points": (
            PointChange(
                subject_id=subject_id(number),
                point=a_point(f"person{number}@example.org"),
                move=PointMove.REGISTER,
            ),
        ),
        "events": (grant,),
        "decisions": (a_decision(number, event_ids=(grant.id,)),),
        "writes": (a_write(number),),
        **changes,
    }
    return a_plan(**parts)


def meet_fully(ledger: Ledger, number: int = 1, **changes: Any) -> CycleId:
    """Record the plan of a first meeting and leave its cycle open."""
    cycle_id = open_cycle(ledger)
    record(ledger, a_meeting(number, **changes), cycle_id=cycle_id, contacts=(a_contact(number),))
    return cycle_id


def answer(ledger: Ledger, write: Write, result: Result = Result.ACCEPTED, **more: Any) -> int:
    """Settle one write."""
    with ledger.begin() as tx:
        return tx.settle((Settled(write_id=write.id, result=result, at=NOON, **more),))


def a_bookmark(**changes: Any) -> Bookmark:
    """How far both sides are read at the end of a cycle."""
    parts: dict[str, Any] = {
        "org_id": ORG,
        "contacts_since": NOON,
        "rows_since": NOON - timedelta(seconds=1),
        "revision": 1,
        "clock": NOON,
        "policy_digest": POLICY.digest,
    }
    return Bookmark(**{**parts, **changes})


def a_manifest(
    *, decisions: Mapping[str, int] | None = None, after: Bookmark | None = None, **changes: Any
) -> Manifest:
    """What the cycle of one first meeting says it did."""
    parts: dict[str, Any] = {
        "at": NOON + timedelta(seconds=5),
        "records_read": 1,
        "seen_again": 0,
        "decisions": {"FIRST_SEEN_NOT_ASKED": 1} if decisions is None else decisions,
        "outcomes": {"accepted": 1},
        "calls": 3,
        "after": after or a_bookmark(),
    }
    return Manifest(**{**parts, **changes})


def close(ledger: Ledger, cycle_id: CycleId, manifest: Manifest | None = None) -> None:
    """Seal a manifest."""
    with ledger.begin() as tx:
        tx.close_cycle(cycle_id, manifest or a_manifest())


def a_condition(number: int = 1, **changes: Any) -> Condition:
    """A contract of a person."""
    parts: dict[str, Any] = {
        "id": f"contract-of-{number}",
        "subject_id": subject_id(number),
        "kind": ConditionKind.CONTRACT,
        "ref": f"C-{number}",
        "valid_from": NOON - timedelta(days=1),
    }
    return Condition(**{**parts, **changes})


def a_candidate(number: int = 1, **changes: Any) -> Candidate:
    """A claim that somebody said yes, without proof."""
    parts: dict[str, Any] = {
        "id": f"claim-of-{number}",
        "subject_id": subject_id(number),
        "use": NEWS_BY_EMAIL,
        "reason": "CLAIM_WITHOUT_PROOF",
        "claimed_at": NOON,
        "evidence_ref": None,
        "note_digest": None,
        "claimed_by": None,
        "source_record": "003000000000001AAA",
        "expires_at": NOON + timedelta(days=30),
    }
    return Candidate(**{**parts, **changes})


def assert_sound(ledger: Ledger) -> None:
    """The chain is whole and complete, and the projection is what its events come to."""
    with ledger.reading() as tx:
        inspection = views.verify(tx)
        assert inspection.intact, inspection
        assert views.refold(tx, policy=POLICY) == ()


def count(ledger: Ledger, table: str, where: str = "1 = 1") -> int:
    """How many rows a table has."""
    with ledger.reading() as tx:
        return int(
            tx.connection.execute(text(f"SELECT count(*) FROM {table} WHERE {where}")).scalar_one()
        )
