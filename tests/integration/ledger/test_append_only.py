"""Facts and the audit are append-only, whoever tries; a failed seal takes everything with it."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from salesforce_bridge.ledger import views
from salesforce_bridge.ledger.store import Ledger, Tx
from salesforce_bridge.permissions.events import EventKind
from tests.integration.ledger.steps import (
    BY_HAND,
    POLICY,
    a_condition,
    a_meeting,
    answer,
    assert_sound,
    close,
    count,
    meet_fully,
    open_cycle,
    record,
)
from tests.support.facts import (
    NOON,
    ORG,
    a_contact,
    a_person,
    a_plan,
    a_write,
    an_event,
    subject_id,
)

TABLES = {
    "permission_event": "reason = 'CHANGED'",
    "condition": "ref = 'changed'",
    "audit_entry": "kind = 'CHANGED'",
    "audit_payload": "payload = 'changed'",
}


@pytest.fixture
def filled(ledger: Ledger) -> Ledger:
    """A ledger with at least one row in each table that only grows."""
    cycle_id = meet_fully(ledger)
    answer(ledger, a_write(1))
    close(ledger, cycle_id)
    with ledger.begin() as tx:
        tx.append_deed(BY_HAND, at=NOON, policy=POLICY, conditions=(a_condition(1),))
    return ledger


def run(ledger: Ledger, statement: str) -> None:
    with ledger.begin() as tx:
        tx.connection.execute(text(statement))


@pytest.mark.parametrize("table", TABLES)
def test_what_was_told_is_never_changed(filled: Ledger, table: str) -> None:
    with pytest.raises(DBAPIError, match=f"{table} is append-only"):
        run(filled, f"UPDATE {table} SET {TABLES[table]}")
    assert count(filled, table, TABLES[table]) == 0
    assert_sound(filled)


@pytest.mark.parametrize("table", TABLES)
def test_what_was_told_is_never_removed(filled: Ledger, table: str) -> None:
    before = count(filled, table)
    with pytest.raises(DBAPIError, match=f"{table} is append-only"):
        run(filled, f"DELETE FROM {table}")
    assert count(filled, table) == before > 0


@pytest.mark.parametrize("table", TABLES)
def test_what_was_told_is_never_swept_away_at_once(filled: Ledger, table: str) -> None:
    # What goes around the trigger on DELETE: TRUNCATE on one database, REPLACE on the other.
    statements = {
        "postgresql": f"TRUNCATE {table} CASCADE",
        "sqlite": f"INSERT OR REPLACE INTO {table} SELECT * FROM {table}",
    }
    with filled.reading() as tx:
        statement = statements[tx.connection.dialect.name]
    before = count(filled, table)
    with pytest.raises(DBAPIError, match=f"{table} is append-only"):
        run(filled, statement)
    assert count(filled, table) == before > 0


def test_a_person_can_be_forgotten_and_the_chain_still_verifies(filled: Ledger) -> None:
    gone = "payload = NULL, nonce = NULL"
    with pytest.raises(DBAPIError, match="append-only"):
        run(filled, f"UPDATE audit_payload SET {gone}")
    run(filled, f"UPDATE audit_payload SET {gone}, shredded_at = '2026-03-02T12:00:00.000Z'")
    with filled.reading() as tx:
        inspection = views.verify(tx)
        latest = views.entries_about(tx, subject_id(1))
    assert inspection.intact
    assert inspection.shredded == inspection.entries == 4
    assert {entry.payload for entry in latest} == {None}


def test_a_ledger_that_lost_its_last_entries_is_noticed(filled: Ledger) -> None:
    run(filled, "UPDATE head SET seq = seq + 1")
    with filled.reading() as tx:
        assert views.verify(tx).order is not None


def test_a_seal_that_fails_takes_the_whole_transaction_with_it(ledger: Ledger) -> None:
    cycle_id = open_cycle(ledger)
    record(ledger, a_meeting(1), cycle_id=cycle_id)
    run(ledger, "UPDATE head SET seq = 0")  # the next entry takes a number that is taken
    with pytest.raises(DBAPIError):
        record(ledger, a_meeting(2), cycle_id=cycle_id, contacts=(a_contact(2),))
    with ledger.reading() as tx:
        assert tx.subjects([subject_id(2)]) == {}
        assert tx.head().revision == 1
        assert [each.write for each in tx.unsettled(ORG)] == [a_write(1)]
    for table in ("permission_event", "permission", "subject", "contact_point", "audit_payload"):
        assert count(ledger, table) == 1, table
    assert count(ledger, "mirror") == 0


def test_many_facts_that_cannot_be_put_at_once_leave_nothing(ledger: Ledger) -> None:
    cycle_id = open_cycle(ledger)
    record(ledger, a_meeting(1), cycle_id=cycle_id)
    run(ledger, "UPDATE head SET revision = 0")  # the next event takes a revision that is taken
    numbers = range(2, 202)
    plan = a_plan(
        subjects=tuple(map(a_person, numbers)),
        events=tuple(an_event(EventKind.GRANT, subject=number) for number in numbers),
    )
    with pytest.raises(DBAPIError):
        record(ledger, plan, cycle_id=cycle_id)
    assert count(ledger, "permission_event") == count(ledger, "subject") == 1
    run(ledger, "UPDATE head SET revision = 1")
    assert record(ledger, plan, cycle_id=cycle_id).revision == 201
    assert_sound(ledger)


def test_a_seal_that_fails_leaves_an_answer_unsettled(ledger: Ledger) -> None:
    meet_fully(ledger)
    run(ledger, "UPDATE head SET seq = 0")
    with pytest.raises(DBAPIError):
        answer(ledger, a_write(1))
    with ledger.reading() as tx:
        assert [each.write for each in tx.unsettled(ORG)] == [a_write(1)]


def test_a_block_that_fails_keeps_nothing(ledger: Ledger) -> None:
    cycle_id = open_cycle(ledger)

    def fail_after_recording(tx: Tx) -> None:
        tx.record(a_meeting(1), org_id=ORG, cycle_id=cycle_id, at=NOON, policy=POLICY)
        raise LookupError("something of the caller")

    with pytest.raises(LookupError), ledger.begin() as tx:
        fail_after_recording(tx)
    with ledger.reading() as tx:
        assert (tx.head().revision, tx.head().seq) == (0, 0)
