"""`audit verify` finds what somebody with the database's own password has changed."""

from collections.abc import Sequence

import pytest

from salesforce_bridge.audit.completeness import Inspection
from salesforce_bridge.ledger import views
from salesforce_bridge.ledger.store import Ledger
from tests.integration.ledger.cycles import a_manifest, met
from tests.support.facts import a_decision

HEADER_LIE = "UPDATE audit_entry SET header = replace(header, 'KEEP', 'DENY') WHERE seq = 2"
PAYLOAD_LIE = "UPDATE audit_payload SET payload = replace(payload, 'Nothing', 'All') WHERE seq = 2"


@pytest.fixture
def sealed(ledger: Ledger) -> Ledger:
    """A ledger with three decisions and a manifest."""
    cycle_id = met(ledger, 1, 2, 3)
    with ledger.begin() as tx:
        manifest = a_manifest(records_read=3, decisions={"FIRST_SEEN_NOT_ASKED": 3})
        tx.close_cycle(cycle_id, manifest)
    return ledger


def _after(ledger: Ledger, *statements: str) -> Inspection:
    """Inspect the audit after somebody has taken the triggers away and changed it."""
    with ledger.begin() as tx:
        _disarm(tx.connection.dialect.name, statements_of=tx.connection.exec_driver_sql)
        for statement in statements:
            tx.connection.exec_driver_sql(statement)
    with ledger.reading() as tx:
        return views.verify(tx)


def _disarm(dialect: str, *, statements_of: object) -> None:
    run = statements_of
    assert callable(run)
    statements: Sequence[str] = [
        f"DROP TRIGGER {table}_refuses_{deed}" + (f" ON {table}" if dialect != "sqlite" else "")
        for table in ("audit_entry", "audit_payload")
        for deed in ("update", "delete")
    ]
    for statement in statements:
        run(statement)


def test_an_untouched_audit_is_intact(sealed: Ledger) -> None:
    with sealed.reading() as tx:
        found = views.verify(tx)
    assert found.intact
    assert (found.entries, found.cycles, found.unfinished) == (4, 1, ())


@pytest.mark.parametrize("statement", [HEADER_LIE, PAYLOAD_LIE])
def test_a_changed_entry_is_a_break_of_content(sealed: Ledger, statement: str) -> None:
    found = _after(sealed, statement)
    assert found.content is not None
    assert found.content.seq == 2
    assert (found.order, found.completeness) == (None, None)


def test_a_removed_entry_is_a_break_of_order_and_of_completeness(sealed: Ledger) -> None:
    found = _after(sealed, "DELETE FROM audit_entry WHERE seq = 2")
    assert found.content is None
    assert found.order is not None
    assert found.order.seq == 3
    assert found.completeness is not None


def test_a_cut_tail_is_a_break_of_order(sealed: Ledger) -> None:
    found = _after(sealed, "DELETE FROM audit_entry WHERE seq >= 3")
    assert found.order is not None
    assert found.order.seq == 3
    assert found.unfinished == (1,)


def test_a_payload_that_is_gone_without_a_note_is_a_break_of_content(sealed: Ledger) -> None:
    found = _after(sealed, "DELETE FROM audit_payload WHERE seq = 3")
    assert found.content is not None
    assert found.content.what == "the payload of entry 3 is gone"


def test_a_record_read_without_a_decision_is_a_break_of_completeness(ledger: Ledger) -> None:
    cycle_id = met(ledger, 1)
    with ledger.begin() as tx:
        manifest = a_manifest(records_read=2, decisions={"FIRST_SEEN_NOT_ASKED": 1})
        tx.close_cycle(cycle_id, manifest)
    with ledger.reading() as tx:
        found = views.verify(tx)
    assert found.completeness is not None
    assert (found.content, found.order) == (None, None)


def test_the_audit_can_be_read_by_number_by_id_and_from_its_end(sealed: Ledger) -> None:
    with sealed.reading() as tx:
        assert [entry.seq for entry in views.tail(tx, count=2)] == [4, 3]
        assert [entry.seq for entry in views.tail(tx, kind="DECISION")] == [3, 2, 1]
        assert [entry.ref for entry in views.entries_named(tx, "2")] == [a_decision(2).id]
