"""What Salesforce answered is sealed once, the mirror agrees with it, and a dead cycle's writes are looked at."""

from datetime import timedelta
from typing import Any

import pytest

from salesforce_bridge.ledger import views
from salesforce_bridge.ledger.faults import LedgerDamaged
from salesforce_bridge.ledger.moments import EPOCH
from salesforce_bridge.ledger.store import Backfill, CycleId, Ledger, Result, Settled
from salesforce_bridge.permissions.keys import OrgId
from salesforce_bridge.reconcile.intent import Lane, Target, Verb, Write
from tests.integration.ledger.steps import (
    POLICY,
    a_bookmark,
    a_manifest,
    answer,
    assert_sound,
    close,
    count,
    meet,
    meet_fully,
    open_cycle,
    record,
)
from tests.support.facts import (
    NEWS,
    NOON,
    ORG,
    a_contact,
    a_plan,
    a_row,
    a_write,
    contact_id,
    row_id,
)

LATER = NOON + timedelta(minutes=1)


def a_row_write(number: int = 1, **changes: Any) -> Write:
    parts: dict[str, Any] = {
        "target": Target.ROW,
        "verb": Verb.UPSERT,
        "record_id": None,
        "ledger_key": f"{contact_id(number)}:{NEWS}:EMAIL",
        "fields": {
            "contact_id": contact_id(number),
            "purpose": NEWS,
            "channel": "EMAIL",
            "consent_status": "Stopped",
            "effective_from": NOON,
            "ledger_revision": 7,
        },
        **changes,
    }
    return a_write(number, **parts)


def test_the_same_write_settled_twice_counts_once(ledger: Ledger) -> None:
    meet_fully(ledger)
    assert answer(ledger, a_write(1)) == 1
    with ledger.reading() as tx:
        before = tx.head()
    assert answer(ledger, a_write(1)) == 0
    assert answer(ledger, a_write(1), Result.REFUSED) == 0
    with ledger.reading() as tx:
        assert tx.head() == before


def test_the_same_outcome_twice_in_one_breath_counts_once(ledger: Ledger) -> None:
    meet_fully(ledger)
    outcome = Settled(write_id=a_write(1).id, result=Result.ACCEPTED, at=NOON)
    with ledger.begin() as tx:
        assert tx.settle((outcome, outcome)) == 1
    assert count(ledger, "audit_entry", "kind = 'OUTCOME'") == 1


def test_an_answer_to_a_write_nobody_planned_counts_for_nothing(ledger: Ledger) -> None:
    with ledger.begin() as tx:
        assert tx.settle((Settled(write_id="unheard of", result=Result.ACCEPTED, at=NOON),)) == 0
        assert tx.settle(()) == 0
    assert count(ledger, "audit_entry") == 0


def test_a_refusal_is_sealed_with_its_code_and_without_its_text(ledger: Ledger) -> None:
    meet_fully(ledger)
    answer(ledger, a_write(1), Result.REFUSED, code="SB-STOP-PENDING", message_digest="f" * 64)
    with ledger.reading() as tx:
        (sealed,) = views.entries_named(tx, a_write(1).id)
        assert tx.contact_mirrors(ORG, [contact_id(1)]) == {contact_id(1): a_contact(1)}
    assert (sealed.header["result"], sealed.header["code"]) == ("refused", "SB-STOP-PENDING")
    assert sealed.payload is not None
    assert sealed.payload["message_digest"] == "f" * 64
    assert sealed.payload["fields"]["valid_until"] == "2026-03-07T12:00:00.000Z"


def test_an_accepted_write_is_in_the_mirror_but_not_yet_known_as_read(ledger: Ledger) -> None:
    flags = {"opted_out_of_email": True, "consent_status": "Stopped", "valid_until": None}
    write = a_write(1, fields=flags, lane=Lane.STOP)
    meet_fully(ledger, writes=(write,))
    answer(ledger, write)
    with ledger.reading() as tx:
        mirror = tx.contact_mirrors(ORG, [contact_id(1)])[contact_id(1)]
    assert (mirror.opted_out_of_email, mirror.bridge_set) == (True, ("opted_out_of_email",))
    assert (mirror.fields.consent_status, mirror.fields.valid_until) == ("Stopped", None)
    assert mirror.modstamp == a_contact(1).modstamp


def test_a_flag_we_cleared_is_no_longer_ours(ledger: Ledger) -> None:
    raised, cleared = (
        a_write(1, fields={"do_not_call": True}),
        a_write(1, fields={"do_not_call": False}, verb=Verb.CLEAR_FLAG, unmodified_since=LATER),
    )
    meet_fully(ledger, writes=(raised, cleared))
    answer(ledger, raised)
    with ledger.reading() as tx:
        (waiting,) = tx.unsettled(ORG)
    assert waiting.write == cleared
    answer(ledger, cleared)
    with ledger.reading() as tx:
        mirror = tx.contact_mirrors(ORG, [contact_id(1)])[contact_id(1)]
    assert (mirror.do_not_call, mirror.bridge_set) == (False, ())


def test_a_flag_stays_ours_only_while_it_is_set(ledger: Ledger) -> None:
    write = a_write(1, fields={"opted_out_of_email": True})
    meet_fully(ledger, writes=(write,))
    answer(ledger, write)
    for still, ours in ((True, ("opted_out_of_email",)), (False, ()), (True, ())):
        record(ledger, a_plan(), contacts=(a_contact(1, opted_out_of_email=still),))
        with ledger.reading() as tx:
            assert tx.contact_mirrors(ORG, [contact_id(1)])[contact_id(1)].bridge_set == ours


def test_a_row_that_was_made_is_known_by_its_new_id_and_will_be_read(ledger: Ledger) -> None:
    write = a_row_write()
    meet_fully(ledger, writes=(write,))
    answer(ledger, write, record_id=row_id(5))
    with ledger.reading() as tx:
        (row,) = tx.rows_of(ORG, [contact_id(1)])[contact_id(1)]
        assert tx.known(ORG, Target.ROW, [row_id(5)]) == {row_id(5): EPOCH}
    assert (row.row_id, row.fields.consent_status, row.fields.ledger_revision) == (
        row_id(5),
        "Stopped",
        7,
    )
    assert row.fields.effective_from == NOON


def test_an_answered_request_is_cleared_in_the_mirror(ledger: Ledger) -> None:
    asked = a_row(1, request="Asked us to stop")
    write = a_row_write(
        record_id=row_id(1),
        verb=Verb.UPDATE,
        fields={"request": None, "request_handled": "Asked us to stop"},
    )
    cycle_id = open_cycle(ledger)
    record(ledger, a_plan(writes=(write,)), cycle_id=cycle_id, rows=((asked, contact_id(1)),))
    answer(ledger, write)
    with ledger.reading() as tx:
        (row,) = tx.rows_of(ORG, [contact_id(1)])[contact_id(1)]
    assert (row.request, row.request_handled) == (None, "Asked us to stop")


def test_a_row_we_deleted_is_gone_from_its_contact_but_still_remembered(ledger: Ledger) -> None:
    write = a_row_write(record_id=row_id(1), verb=Verb.DELETE, fields={})
    record(ledger, a_plan(writes=(write,)), rows=((a_row(1), contact_id(1)),))
    answer(ledger, write)
    with ledger.reading() as tx:
        assert tx.rows_of(ORG, [contact_id(1)]) == {}
        assert tx.row_mirrors(ORG, [row_id(1)])[row_id(1)].deleted


def test_an_accepted_row_without_an_id_changes_no_mirror(ledger: Ledger) -> None:
    meet_fully(ledger, writes=(a_row_write(),))
    assert answer(ledger, a_row_write()) == 1
    assert count(ledger, "mirror", "target = 'Permission__c'") == 0


def test_an_accepted_write_on_a_contact_that_was_never_read_changes_no_mirror(
    ledger: Ledger,
) -> None:
    meet(ledger, 1)
    record(ledger, a_plan(writes=(a_write(1),)))
    assert answer(ledger, a_write(1)) == 1
    assert count(ledger, "mirror") == 0


def test_an_answer_about_a_person_nobody_knows_is_sealed_without_a_key(ledger: Ledger) -> None:
    record(ledger, a_plan(writes=(a_write(1),)))
    answer(ledger, a_write(1))
    with ledger.reading() as tx:
        (sealed,) = views.entries_named(tx, a_write(1).id)
    assert sealed.header["subject_key"] is None


def test_what_a_dead_cycle_left_is_sealed_as_unknown_and_looked_at(ledger: Ledger) -> None:
    cycle_id = open_cycle(ledger)
    writes = (a_write(2), a_write(1), a_write(1, fields={"do_not_call": True}))
    meet(ledger, 1, 2)
    record(ledger, a_plan(writes=writes), cycle_id=cycle_id)
    answer(ledger, a_write(2))
    with ledger.begin() as tx:
        assert tx.seal_unknown(ORG, at=LATER) == (contact_id(1),)
    assert count(ledger, "audit_entry", "kind = 'OUTCOME'") == 3
    with ledger.begin() as tx:
        assert tx.seal_unknown(ORG, at=LATER) == (contact_id(1),), "nobody has looked yet"
        assert tx.seal_unknown(OrgId("00D000000000002EAA"), at=LATER) == ()
    assert count(ledger, "audit_entry", "kind = 'OUTCOME'") == 3
    with ledger.reading() as tx:
        assert {each.unknown for each in tx.unsettled(ORG)} == {True}
        assert len(tx.unsettled(ORG, [contact_id(1)])) == 2
        assert tx.unsettled(ORG, [contact_id(2)]) == ()


def test_reading_a_contact_ends_the_doubt_about_its_writes_and_keeps_its_flags(
    ledger: Ledger,
) -> None:
    write, other = a_write(1, fields={"do_not_call": True}), a_write(2)
    meet(ledger, 1, 2)
    record(ledger, a_plan(writes=(write, other)))
    with ledger.begin() as tx:
        tx.seal_unknown(ORG, at=LATER)
    record(ledger, a_plan(), contacts=(a_contact(1, do_not_call=True),))
    with ledger.reading() as tx:
        assert [each.write for each in tx.unsettled(ORG)] == [other]
        assert tx.contact_mirrors(ORG, [contact_id(1)])[contact_id(1)].bridge_set == (
            "do_not_call",
        )


def test_an_unknown_write_may_still_be_answered(ledger: Ledger) -> None:
    meet_fully(ledger)
    answer(ledger, a_write(1), Result.UNKNOWN)
    assert answer(ledger, a_write(1), Result.UNKNOWN) == 0
    assert answer(ledger, a_write(1), Result.ACCEPTED) == 1
    with ledger.reading() as tx:
        assert tx.unsettled(ORG) == ()
        results = [each.header["result"] for each in views.entries_named(tx, a_write(1).id)]
    assert results == ["unknown", "accepted"]


def test_a_write_asked_again_is_a_further_attempt(ledger: Ledger) -> None:
    meet_fully(ledger)
    answer(ledger, a_write(1), Result.REFUSED)
    record(ledger, a_plan(writes=(a_write(1),)))
    assert count(ledger, "planned_write", "attempts = 2 AND state = 'pending'") == 1
    assert answer(ledger, a_write(1)) == 1


def test_a_bookmark_moves_with_the_manifest_and_only_then(ledger: Ledger) -> None:
    cycle_id = meet_fully(ledger)
    answer(ledger, a_write(1))
    with ledger.reading() as tx:
        assert tx.bookmark(ORG) is None
    running = a_bookmark(backfill=Backfill.RUNNING, backfill_after=contact_id(1))
    close(ledger, cycle_id, a_manifest(after=running))
    with ledger.reading() as tx:
        assert tx.bookmark(ORG) == running
        assert tx.bookmark(OrgId("00D000000000002EAA")) is None
        closed = tx.cycle(cycle_id)
        assert tx.last_cycle(ORG) == closed
    assert closed is not None
    assert closed.closed_at == NOON + timedelta(seconds=5)
    assert closed.manifest is not None
    assert closed.manifest["cursors"]["before"] is None  # type: ignore[index]  # JSON of a known shape
    second = open_cycle(ledger, at=LATER)
    complete = a_bookmark(contacts_since=LATER, revision=2, backfill=Backfill.COMPLETE)
    close(ledger, second, a_manifest(records_read=0, decisions={}, after=complete))
    with ledger.reading() as tx:
        assert tx.bookmark(ORG) == complete
        (sealed,) = views.tail(tx, count=1)
    assert sealed.header["cursors"]["before"]["contacts_since"] == "2026-03-02T12:00:00.000Z"
    assert_sound(ledger)


def test_a_cycle_is_closed_once(ledger: Ledger) -> None:
    cycle_id = meet_fully(ledger)
    close(ledger, cycle_id)
    close(ledger, cycle_id, a_manifest(after=a_bookmark(revision=99)))
    with ledger.reading() as tx:
        mark = tx.bookmark(ORG)
    assert mark is not None
    assert mark.revision == 1
    assert count(ledger, "audit_entry", "kind = 'MANIFEST'") == 1


def test_a_cycle_nobody_opened_cannot_be_closed(ledger: Ledger) -> None:
    with pytest.raises(LedgerDamaged):
        close(ledger, CycleId(77))
    with ledger.reading() as tx:
        assert tx.bookmark(ORG) is None
        assert tx.cycle(CycleId(77)) is None


def test_the_last_cycle_is_the_last_that_ended(ledger: Ledger) -> None:
    with ledger.reading() as tx:
        assert tx.last_cycle(ORG) is None
        assert tx.last_clean_at(ORG) is None
    first, dirty, running = (open_cycle(ledger) for _ in range(3))
    nothing: dict[str, Any] = {"records_read": 0, "decisions": {}}
    close(ledger, first, a_manifest(at=NOON, **nothing))
    close(ledger, dirty, a_manifest(at=LATER, clean=False, **nothing))
    with ledger.reading() as tx:
        last = tx.last_cycle(ORG)
        assert last is not None
        assert last.cycle_id == dirty
        assert tx.last_clean_at(ORG) == NOON
        inspection = views.verify(tx)
    assert (inspection.cycles, inspection.intact, running) == (2, True, dirty + 1)


def test_a_policy_is_kept_once_and_found_by_its_version(ledger: Ledger) -> None:
    open_cycle(ledger)
    open_cycle(ledger)
    assert count(ledger, "policy_bundle", f"version = '{POLICY.version}'") == 1
