"""What goes into the ledger comes out as it was: every value of a snapshot, a write, a point and a condition."""

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from salesforce_bridge.ledger import mirrors
from salesforce_bridge.ledger.store import CycleId, Ledger
from salesforce_bridge.permissions.contact_points import ContactPoint, PointType
from salesforce_bridge.permissions.keys import ContactId, OrgId, RowId
from salesforce_bridge.reconcile.facts import (
    ContactFields,
    ContactSnapshot,
    RowFields,
    RowSnapshot,
)
from salesforce_bridge.reconcile.intent import Lane, Target, Verb
from tests.integration.ledger.steps import BY_HAND, POLICY, a_condition, meet, open_cycle, record_in
from tests.support.facts import NOON, ORG, a_contact, a_plan, a_row, a_write, contact_id, row_id

OTHER_ORG = OrgId("00D000000000002EAA")
_NUMBERS = count(1)
ANY_CYCLE = CycleId(1)  # what is kept of a record is the same in every cycle
# PostgreSQL cannot keep a NUL, and Salesforce never sends one.
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
MOMENTS = st.integers(-(10**12), 10**13).map(
    lambda milliseconds: NOON + timedelta(milliseconds=milliseconds)
)
MAYBE = st.none() | TEXT
HEX = st.text("0123456789abcdef", min_size=64, max_size=64)
POINTS = st.builds(
    ContactPoint,
    type=st.sampled_from(PointType),
    hmac=HEX,
    exact=HEX | st.just(""),
    key_version=st.integers(1, 99),
)
CONTACTS = st.builds(
    ContactSnapshot,
    contact_id=st.builds(lambda: contact_id(next(_NUMBERS))),
    modstamp=MOMENTS,
    deleted=st.booleans(),
    master_id=st.none() | st.just(contact_id(9)),
    points=st.lists(POINTS, max_size=3).map(tuple),
    country=MAYBE,
    opted_out_of_email=st.booleans(),
    opted_out_of_fax=st.booleans(),
    do_not_call=st.booleans(),
    fields=st.builds(
        ContactFields,
        lawful_basis=MAYBE,
        consent_status=MAYBE,
        summary=MAYBE,
        reason=MAYBE,
        valid_until=st.none() | MOMENTS,
        decision=MAYBE,
    ),
    modified_by=st.none() | st.just("005000000000001AAA"),
)
ROWS = st.builds(
    RowSnapshot,
    row_id=st.builds(lambda: row_id(next(_NUMBERS))),
    modstamp=MOMENTS,
    deleted=st.booleans(),
    fields=st.builds(
        RowFields,
        contact_id=st.none() | st.just(contact_id(1)),
        purpose=MAYBE,
        channel=MAYBE,
        marketing=st.booleans(),
        lawful_basis=MAYBE,
        consent_status=MAYBE,
        effective_from=st.none() | MOMENTS,
        effective_to=st.none() | MOMENTS,
        capture_date=st.none() | MOMENTS,
        capture_source=MAYBE,
        notice_version=MAYBE,
        evidence_ref=MAYBE,
        reason_code=MAYBE,
        ledger_key=MAYBE,
        ledger_revision=st.none() | st.integers(0, 2**53),
        ledger_digest=MAYBE,
        reconciled_at=st.none() | MOMENTS,
    ),
    request=MAYBE,
    request_note=st.none() | HEX,
    request_evidence=MAYBE,
    request_handled=MAYBE,
    modified_by=st.none() | st.just("005000000000001AAA"),
)
in_one_ledger = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def keep(ledger: Ledger, **snapshots: Any) -> None:
    with ledger.begin() as tx:
        record_in(tx, a_plan(), ANY_CYCLE, **snapshots)


@in_one_ledger
@given(snapshots=st.lists(CONTACTS, min_size=1, max_size=6))
def test_a_contact_is_read_as_it_was_recorded(
    ledger: Ledger, snapshots: list[ContactSnapshot]
) -> None:
    keep(ledger, contacts=snapshots)
    ids = [snapshot.contact_id for snapshot in snapshots]
    with ledger.reading() as tx:
        assert tx.contact_mirrors(ORG, ids) == {one.contact_id: one for one in snapshots}
        assert tx.contact_mirrors(OTHER_ORG, ids) == {}
        assert tx.known(ORG, Target.CONTACT, ids) == {
            one.contact_id: one.modstamp for one in snapshots
        }
        assert tx.known(ORG, Target.ROW, ids) == {}


@in_one_ledger
@given(snapshots=st.lists(ROWS, min_size=1, max_size=6))
def test_a_row_is_read_as_it_was_recorded(ledger: Ledger, snapshots: list[RowSnapshot]) -> None:
    owner = contact_id(next(_NUMBERS))
    keep(ledger, rows=[(snapshot, owner) for snapshot in snapshots])
    ids = [snapshot.row_id for snapshot in snapshots]
    with ledger.reading() as tx:
        assert tx.row_mirrors(ORG, ids) == {one.row_id: one for one in snapshots}
        assert tx.known(ORG, Target.ROW, ids) == {one.row_id: one.modstamp for one in snapshots}
        living = tuple(one for one in snapshots if not one.deleted)
        assert tx.rows_of(ORG, [owner]).get(owner, ()) == living
        assert tx.rows_of(OTHER_ORG, [owner]) == {}


@in_one_ledger
@given(
    fields=st.dictionaries(
        st.text("abcdefghij_", min_size=1, max_size=12),
        TEXT | st.none() | st.booleans() | st.integers(-(2**53), 2**53) | MOMENTS,
        max_size=6,
    ),
    lane=st.sampled_from(Lane),
    verb=st.sampled_from(Verb),
    target=st.sampled_from(Target),
    since=st.none() | MOMENTS,
)
def test_a_write_is_sent_as_it_was_planned(
    ledger: Ledger, fields: Any, lane: Lane, verb: Verb, target: Target, since: datetime | None
) -> None:
    number = next(_NUMBERS)
    write = a_write(
        number,
        id=f"write {number}",
        fields=fields,
        lane=lane,
        verb=verb,
        target=target,
        unmodified_since=since,
        record_id=None,
        ledger_key="ключ:purpose:EMAIL",
    )
    with ledger.begin() as tx:
        record_in(tx, a_plan(writes=(write,)), ANY_CYCLE)
    with ledger.reading() as tx:
        (planned,) = tx.unsettled(ORG, [contact_id(number)])
    assert planned.write == write


def test_a_record_read_again_replaces_what_was_known(ledger: Ledger) -> None:
    later = NOON + timedelta(hours=1)
    keep(ledger, contacts=(a_contact(1, country="Österreich"),), rows=((a_row(1), contact_id(1)),))
    gone = a_contact(1, modstamp=later, deleted=True, master_id=contact_id(2), points=())
    keep(ledger, contacts=(gone,), rows=((a_row(1, modstamp=later), contact_id(2)),))
    with ledger.reading() as tx:
        assert tx.contact_mirrors(ORG, [contact_id(1)]) == {contact_id(1): gone}
        assert tx.known(ORG, Target.ROW, [row_id(1)]) == {row_id(1): later}
        assert list(tx.rows_of(ORG, [contact_id(1), contact_id(2)])) == [contact_id(2)]
        assert tx.contacts_known(ORG) == 0


def test_what_was_never_read_is_not_known(ledger: Ledger) -> None:
    nobody, nothing = ContactId("003unheardof000AAA"), RowId("a00unheardof000AAA")
    with ledger.reading() as tx:
        assert tx.known(ORG, Target.CONTACT, [nobody]) == {}
        assert tx.contact_mirrors(ORG, ()) == {}
        assert tx.row_mirrors(ORG, [nothing]) == {}
        assert tx.rows_of(ORG, [nobody]) == {}


def test_the_digest_of_a_record_is_about_what_is_tracked_and_nothing_else() -> None:
    later = NOON + timedelta(hours=1)
    contact, row = a_contact(1), a_row(1)
    same = a_contact(1, modstamp=later, modified_by=None, deleted=True)
    assert mirrors.digest_of(contact) == mirrors.digest_of(same)
    assert mirrors.digest_of(contact) != mirrors.digest_of(a_contact(1, do_not_call=True))
    assert mirrors.digest_of(row) == mirrors.digest_of(a_row(1, modstamp=later))
    assert mirrors.digest_of(row) != mirrors.digest_of(a_row(1, request="Objects"))


def test_a_condition_is_read_to_the_millisecond(ledger: Ledger) -> None:
    meet(ledger, 1)
    open_cycle(ledger)
    told = a_condition(
        1,
        ref="Vertrag Nº 7, Łódź",
        valid_from=datetime(2026, 1, 1, 0, 0, 0, 999_000, tzinfo=UTC),
        valid_to=NOON + timedelta(milliseconds=1),
    )
    with ledger.begin() as tx:
        tx.append_deed(BY_HAND, at=NOON, policy=POLICY, conditions=(told,))
    with ledger.reading() as tx:
        person = tx.subjects([told.subject_id])[told.subject_id]
    assert person.conditions == (told,)
