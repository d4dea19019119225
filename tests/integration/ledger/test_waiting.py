"""Writes that wait: tried again with growing pauses, remembered while they are held back, then forgotten."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest

from salesforce_bridge.ledger.store import Ledger, Result, Settled
from salesforce_bridge.ledger.waiting import (
    DOUBLINGS_MAX,
    FIRST_PAUSE,
    HELD_BACK,
    LONGEST_PAUSE,
    ROWS_FIRST,
)
from salesforce_bridge.permissions.keys import ContactId
from salesforce_bridge.reconcile.intent import Lane, Target, Verb, Write
from tests.support.facts import (
    NOON,
    ORG,
    a_contact,
    a_link,
    a_person,
    a_plan,
    a_policy,
    a_write,
    contact_id,
)

STOP: Mapping[str, Any] = {"lane": Lane.STOP}
ROW: Mapping[str, Any] = {
    "target": Target.ROW,
    "verb": Verb.UPSERT,
    "record_id": None,
    "ledger_key": "key-1",
}


def plan(
    ledger: Ledger,
    writes: Sequence[Write],
    *,
    at: datetime = NOON,
    asked_for: Sequence[ContactId] = (),
    read: Sequence[int] = (1,),
) -> None:
    with ledger.begin() as tx:
        first = tx.last_cycle(ORG) is None and not tx.links_of(ORG, {contact_id(1)})
        cycle_id = tx.open_cycle(ORG, at=at, software="tests", policy=a_policy())
        tx.record(
            a_plan(
                writes=tuple(writes),
                subjects=(a_person(1), a_person(2)) if first else (),
                links=(a_link(1), a_link(2)) if first else (),
            ),
            org_id=ORG,
            cycle_id=cycle_id,
            at=at,
            policy=a_policy(),
            contacts=tuple(map(a_contact, read)),
            asked_for=asked_for,
        )


def answer(
    ledger: Ledger,
    write: Write,
    result: Result,
    *,
    code: str | None = None,
    record_id: str | None = None,
) -> None:
    settled = Settled(write_id=write.id, result=result, at=NOON, code=code, record_id=record_id)
    with ledger.begin() as tx:
        tx.settle((settled,))


def refuse(ledger: Ledger, *, at: datetime = NOON, **changes: Any) -> Write:
    """Let one more attempt at a record be refused."""
    write = a_write(1, decision_id=f"try at {at.isoformat()}", **changes)
    plan(ledger, (write,), at=at)
    answer(ledger, write, Result.REFUSED, code="FIELD_CUSTOM_VALIDATION_EXCEPTION")
    return write


def due(ledger: Ledger, at: datetime) -> tuple[ContactId, ...]:
    with ledger.reading() as tx:
        return tx.retry_due(ORG, at=at)


def test_a_refused_write_is_tried_again_after_a_pause(ledger: Ledger) -> None:
    refuse(ledger)
    assert due(ledger, NOON + FIRST_PAUSE - timedelta(seconds=1)) == ()
    assert due(ledger, NOON + FIRST_PAUSE) == (contact_id(1),)


def test_each_refusal_doubles_the_pause_up_to_its_limit(ledger: Ledger) -> None:
    at = NOON
    for turn in range(DOUBLINGS_MAX + 3):
        refuse(ledger, at=at)
        pause = min(FIRST_PAUSE * 2**turn, LONGEST_PAUSE)
        assert due(ledger, at + pause - timedelta(seconds=1)) == ()
        at += pause
        assert due(ledger, at) == (contact_id(1),)


def test_one_stubborn_record_does_not_slow_down_another_of_the_same_contact(
    ledger: Ledger,
) -> None:
    for turn in range(4):
        refuse(ledger, at=NOON + timedelta(minutes=turn))
    refuse(ledger, at=NOON + timedelta(minutes=4), **ROW)
    assert due(ledger, NOON + timedelta(minutes=4) + FIRST_PAUSE) == (contact_id(1),)


def test_a_write_that_never_went_out_is_due_at_once(ledger: Ledger) -> None:
    write = a_write()
    plan(ledger, (write,))
    answer(ledger, write, Result.SKIPPED, code="CONNECTION_LOST")
    assert due(ledger, NOON) == (contact_id(1),)


@pytest.mark.parametrize("code", [HELD_BACK, ROWS_FIRST])
def test_what_was_kept_back_on_purpose_is_not_due_by_itself(ledger: Ledger, code: str) -> None:
    write = a_write()
    plan(ledger, (write,))
    answer(ledger, write, Result.SKIPPED, code=code)
    assert due(ledger, NOON + timedelta(days=1)) == ()


def test_contacts_whose_writes_were_held_back_are_remembered(ledger: Ledger) -> None:
    held, sent = a_write(1), a_write(2)
    plan(ledger, (held, sent))
    answer(ledger, held, Result.SKIPPED, code=HELD_BACK)
    answer(ledger, sent, Result.REFUSED)
    with ledger.reading() as tx:
        assert tx.held_back(ORG) == (contact_id(1),)
    plan(ledger, ())
    with ledger.reading() as tx:
        assert tx.held_back(ORG) == ()


def test_an_accepted_write_ends_the_waiting_of_its_record(ledger: Ledger) -> None:
    refuse(ledger, **STOP)
    again = a_write(1, decision_id="a further try", **STOP)
    plan(ledger, (again,), at=NOON + FIRST_PAUSE)
    answer(ledger, again, Result.ACCEPTED, record_id=contact_id(1))
    assert due(ledger, NOON + timedelta(days=1)) == ()
    with ledger.reading() as tx:
        assert tx.unwritten_stops(ORG).number == 0


def test_an_accepted_write_leaves_another_record_waiting(ledger: Ledger) -> None:
    refuse(ledger, **ROW)
    other = a_write(1)
    plan(ledger, (other, a_write(1, decision_id="row again", **ROW)))
    answer(ledger, other, Result.ACCEPTED, record_id=contact_id(1))
    assert due(ledger, NOON + timedelta(days=1)) == (contact_id(1),)


def test_what_is_no_longer_wanted_is_forgotten_when_its_contact_is_judged_again(
    ledger: Ledger,
) -> None:
    refuse(ledger, **STOP)
    plan(ledger, (), at=NOON + FIRST_PAUSE)
    assert due(ledger, NOON + timedelta(days=1)) == ()
    with ledger.reading() as tx:
        assert tx.unwritten_stops(ORG).number == 0


def test_what_is_still_wanted_keeps_its_age_when_its_contact_is_judged_again(
    ledger: Ledger,
) -> None:
    refuse(ledger, **STOP)
    refuse(ledger, at=NOON + timedelta(minutes=5), **STOP)
    with ledger.reading() as tx:
        waiting = tx.unwritten_stops(ORG)
    assert (waiting.number, waiting.oldest) == (1, NOON)


def test_judging_one_contact_forgets_nothing_about_another(ledger: Ledger) -> None:
    refuse(ledger)
    plan(ledger, (), read=(2,))
    assert due(ledger, NOON + timedelta(days=1)) == (contact_id(1),)


def test_a_contact_that_was_not_found_any_more_is_waited_for_no_longer(ledger: Ledger) -> None:
    refuse(ledger)
    lost = a_write(1, decision_id="answer lost")
    plan(ledger, (lost,))
    answer(ledger, lost, Result.UNKNOWN)
    plan(ledger, (), read=(), asked_for=(contact_id(1),))
    assert due(ledger, NOON + timedelta(days=1)) == ()
    with ledger.reading() as tx:
        assert tx.unsettled(ORG) == ()


def test_stops_count_until_salesforce_has_accepted_them(ledger: Ledger) -> None:
    contact, row, other = a_write(1, **STOP), a_write(1, **ROW, **STOP), a_write(2)
    plan(ledger, (contact, row, other))
    with ledger.reading() as tx:
        waiting = tx.unwritten_stops(ORG)
    assert (waiting.number, waiting.oldest) == (2, NOON)
    answer(ledger, contact, Result.ACCEPTED, record_id=contact_id(1))
    answer(ledger, row, Result.SKIPPED)
    with ledger.reading() as tx:
        assert tx.unwritten_stops(ORG).number == 1
