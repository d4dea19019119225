"""Leases, requests, deeds and concurrency: what the daemon and the operators share."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from salesforce_bridge.ledger import views
from salesforce_bridge.ledger.store import Deed, Ledger
from salesforce_bridge.permissions.events import EventKind
from tests.integration.ledger.cycles import met, told
from tests.support.facts import NOON, ORG, a_policy, an_event, contact_id, subject_id

MINUTE = timedelta(minutes=1)
BY_HAND = Deed(verb="STOP", by="anna", reason="OPERATOR_RECORDED")


def take(ledger: Ledger, owner: str, *, minutes: int = 0) -> bool:
    with ledger.begin() as tx:
        return tx.take_lease("cycle", owner, at=NOON + minutes * MINUTE, ttl=2 * MINUTE)


def test_one_owner_holds_a_lease_until_it_is_released_or_runs_out(ledger: Ledger) -> None:
    assert take(ledger, "a")
    assert take(ledger, "a", minutes=1)
    assert not take(ledger, "b", minutes=2)
    assert take(ledger, "b", minutes=3)
    with ledger.begin() as tx:
        tx.release_lease("cycle", "a")
    assert not take(ledger, "a", minutes=4)
    with ledger.begin() as tx:
        tx.release_lease("cycle", "b")
    assert take(ledger, "a", minutes=4)


def test_a_request_is_taken_once_and_in_order(ledger: Ledger) -> None:
    with ledger.begin() as tx:
        tx.file_request("RUN", {"sweep": True}, by="anna", at=NOON, org_id=ORG)
        tx.file_request("PAUSE", {}, by="ben", at=NOON)
    with ledger.begin() as tx:
        taken = tx.take_requests(at=NOON)
        assert [(request.kind, request.by) for request in taken] == [
            ("RUN", "anna"),
            ("PAUSE", "ben"),
        ]
        assert taken[0].payload == {"sweep": True}
    with ledger.begin() as tx:
        assert tx.take_requests(at=NOON) == ()


def test_a_deed_is_sealed_for_whom_it_touches_who_is_then_looked_at(ledger: Ledger) -> None:
    met(ledger, 1, 2)
    with ledger.begin() as tx:
        before = tx.head().revision
        tx.append_deed(BY_HAND, at=NOON, policy=a_policy(), events=[an_event(EventKind.WITHDRAW)])
    with ledger.reading() as tx:
        assert tx.touched_since(before, tx.head().revision) == (subject_id(1),)
        sealed = views.tail(tx, count=1)[0]
        assert (sealed.kind, sealed.header["verb"]) == ("DEED", "STOP")
        assert sealed in views.entries_about(tx, subject_id(1))
        assert sealed not in views.entries_about(tx, subject_id(2))


def test_a_deed_that_tells_what_is_known_leaves_no_trace(ledger: Ledger) -> None:
    met(ledger, 1)
    told(ledger, an_event(EventKind.WITHDRAW))
    with ledger.begin() as tx:
        before = tx.head()
        tx.append_deed(BY_HAND, at=NOON, policy=a_policy(), events=[an_event(EventKind.WITHDRAW)])
        assert tx.head() == before


def test_a_deed_that_is_about_nobody_is_sealed_too(ledger: Ledger) -> None:
    approval = Deed(verb="APPROVE", by="anna", reason="PLAN_APPROVED", details={"digest": "abc"})
    with ledger.begin() as tx:
        tx.append_deed(approval, at=NOON, policy=a_policy())
    with ledger.reading() as tx:
        sealed = views.tail(tx, count=1)[0]
    assert sealed.header["subject_key"] is None
    assert sealed.payload is not None
    assert sealed.payload["digest"] == "abc"


def test_revisions_are_in_commit_order_whoever_records(ledger: Ledger) -> None:
    met(ledger, *range(1, 9))

    def record(number: int) -> int:
        event = an_event(EventKind.WITHDRAW, subject=number)
        with ledger.begin() as tx:
            return tx.append_deed(BY_HAND, at=NOON, policy=a_policy(), events=[event]).revision

    with ThreadPoolExecutor(4) as threads:
        revisions = sorted(threads.map(record, range(1, 9)))
    assert revisions == sorted(set(revisions))
    with ledger.reading() as tx:
        assert views.verify(tx).intact
        assert tx.head().revision == revisions[-1]


def test_a_reader_keeps_no_writer_out_and_sees_one_picture(ledger: Ledger) -> None:
    met(ledger, 1)
    with ledger.reading() as reader:
        before = reader.head()
        told(ledger, an_event(EventKind.WITHDRAW))
        assert reader.head() == before
    with ledger.reading() as reader:
        assert reader.head().revision == before.revision + 1


def test_the_ledger_shows_itself_in_numbers(ledger: Ledger) -> None:
    met(ledger, 1, 2)
    told(ledger, an_event(EventKind.GRANT), an_event(EventKind.WITHDRAW, subject=2))
    with ledger.reading() as tx:
        status = views.status(tx, ORG)
    assert (status.people, status.contacts) == (2, 2)
    assert status.permissions == {
        ("direct_marketing", "EMAIL", "GIVEN"): 1,
        ("direct_marketing", "EMAIL", "WITHDRAWN"): 1,
    }
    assert status.writes_open == {"pending": 2}


def test_a_contact_that_was_never_met_cannot_be_shown(ledger: Ledger) -> None:
    with ledger.reading() as tx:
        assert views.contact(tx, ORG, contact_id(404)) is None


@pytest.mark.parametrize("ids", [2500])
def test_any_number_of_records_can_be_asked_for_at_once(ledger: Ledger, ids: int) -> None:
    met(ledger, *range(1, 40))
    with ledger.reading() as tx:
        assert len(tx.links_of(ORG, [contact_id(number) for number in range(ids)])) == 39
