"""Several writers at once: numbers without gaps in the order of the commits, and nothing is taken twice."""

import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from threading import Barrier

import pytest
from sqlalchemy import text

from salesforce_bridge.ledger.faults import LedgerDamaged
from salesforce_bridge.ledger.store import CycleId, Ledger
from salesforce_bridge.permissions.events import EventKind
from tests.integration.ledger.steps import (
    BY_HAND,
    POLICY,
    a_manifest,
    assert_sound,
    meet,
    open_cycle,
    record_in,
)
from tests.support.facts import NOON, ORG, a_decision, a_plan, an_event, subject_id
from tests.support.ledgers import nonces

ROOT = Path(__file__).parents[3]
TURNS = 12


def together(*deeds: Callable[[], None]) -> None:
    """Do several things at once, and let any failure be seen."""
    start = Barrier(len(deeds))

    def begin(deed: Callable[[], None]) -> None:
        start.wait(timeout=30)
        deed()

    with ThreadPoolExecutor(len(deeds)) as threads:
        for future in [threads.submit(begin, deed) for deed in deeds]:
            future.result(timeout=60)


def numbers(ledger: Ledger, column: str, table: str) -> list[int]:
    with ledger.reading() as tx:
        return list(tx.connection.scalars(text(f"SELECT {column} FROM {table} ORDER BY {column}")))


def test_two_writers_take_numbers_without_gaps_in_the_order_of_their_commits(
    ledger: Ledger,
) -> None:
    meet(ledger, 1, 2)
    cycle_id = open_cycle(ledger)
    committed: list[int] = []

    def poll() -> None:
        for turn in range(TURNS):
            event = an_event(EventKind.WITHDRAW, subject=1, reason=f"cycle {turn}")
            decision = a_decision(1, id=f"decision {turn}")
            with ledger.begin() as tx:
                record_in(tx, a_plan(events=(event,), decisions=(decision,)), cycle_id)
                # Nobody can commit between this line and our own commit.
                committed.append(tx.lock_head().revision)

    def work() -> None:
        for turn in range(TURNS):
            events = [
                an_event(EventKind.WITHDRAW, subject=2, reason=f"deed {turn} {each}")
                for each in range(2)
            ]
            with ledger.begin() as tx:
                tx.append_deed(BY_HAND, at=NOON, policy=POLICY, events=events)
                committed.append(tx.lock_head().revision)

    together(poll, work)
    assert committed == sorted(committed)
    # A deed takes a revision of its own before those of its events.
    assert committed[-1] == TURNS + TURNS * 3
    assert len(numbers(ledger, "revision", "permission_event")) == TURNS * 3
    assert numbers(ledger, "seq", "audit_entry") == list(range(1, 2 * TURNS + 1))
    assert_sound(ledger)


def test_writers_in_processes_of_their_own_keep_one_chain(ledger: Ledger, ledger_url: str) -> None:
    meet(ledger, 1, 2)
    command = [sys.executable, "-m", "tests.integration.ledger.writer", ledger_url]
    writers = [subprocess.Popen([*command, str(number), str(TURNS)], cwd=ROOT) for number in (1, 2)]
    assert [writer.wait(timeout=50) for writer in writers] == [0, 0]
    assert numbers(ledger, "seq", "audit_entry") == list(range(1, 2 * TURNS + 1))
    assert len(numbers(ledger, "revision", "permission_event")) == 2 * TURNS
    with ledger.reading() as tx:
        people = tx.subjects([subject_id(1), subject_id(2)])
        assert tx.touched_since(0, tx.head().revision) == tuple(sorted(people))
    assert_sound(ledger)


def test_a_reader_sees_one_picture_while_others_write(ledger: Ledger) -> None:
    meet(ledger, 1)
    with ledger.reading() as reader:
        before = reader.head()
        with ledger.begin() as tx:
            event = an_event(EventKind.WITHDRAW)
            assert tx.append_deed(BY_HAND, at=NOON, policy=POLICY, events=(event,)).events == 1
        assert reader.head() == before
        assert reader.touched_since(0, 99) == ()
        assert reader.subjects([subject_id(1)])[subject_id(1)].permissions == {}
    with ledger.reading() as reader:
        assert reader.touched_since(0, 99) == (subject_id(1),)


def test_each_request_is_taken_exactly_once_however_many_take(ledger: Ledger) -> None:
    with ledger.begin() as tx:
        filed = [
            tx.file_request("RUN_NOW", {"turn": turn, "why": "café"}, by="anna", at=NOON)
            for turn in range(20)
        ]
    taken: list[int] = []

    def take() -> None:
        for _ in range(3):
            with ledger.begin() as tx:
                found = tx.take_requests(at=NOON)
            taken.extend(request.id for request in found)

    together(take, take, take)
    assert sorted(taken) == filed
    with ledger.begin() as tx:
        later = tx.file_request("PAUSE", {}, by="ben", at=NOON, org_id=ORG)
        (request,) = tx.take_requests(at=NOON)
    assert (request.id, request.kind, request.by, request.filed_at) == (later, "PAUSE", "ben", NOON)


def test_a_request_taken_by_a_transaction_that_fails_waits_again(ledger: Ledger) -> None:
    with ledger.begin() as tx:
        number = tx.file_request("RUN_NOW", {}, by="anna", at=NOON)

    def take_and_fail() -> None:
        with ledger.begin() as tx:
            assert len(tx.take_requests(at=NOON)) == 1
            tx.close_cycle(CycleId(77), a_manifest())

    with pytest.raises(LedgerDamaged):
        take_and_fail()
    with ledger.begin() as tx:
        assert [request.id for request in tx.take_requests(at=NOON)] == [number]


def test_of_two_who_want_a_free_lease_one_gets_it(ledger: Ledger) -> None:
    got: list[str] = []

    def want(owner: str) -> Callable[[], None]:
        def take() -> None:
            with ledger.begin() as tx:
                if tx.take_lease("writer", owner, at=NOON, ttl=timedelta(minutes=1)):
                    got.append(owner)

        return take

    together(*(want(f"host-{number}") for number in range(4)))
    assert len(got) == 1


def test_a_lease_lasts_as_long_as_its_owner_renews_it(ledger: Ledger) -> None:
    ttl = timedelta(minutes=1)

    def take(owner: str, *, after: timedelta) -> bool:
        with ledger.begin() as tx:
            return tx.take_lease("writer", owner, at=NOON + after, ttl=ttl)

    assert take("first", after=timedelta(0))
    assert not take("standby", after=ttl - timedelta(milliseconds=1))
    assert take("first", after=ttl - timedelta(milliseconds=1))
    assert not take("standby", after=ttl)
    # The clock of a standby that runs behind never makes a lease end sooner.
    assert not take("standby", after=-timedelta(hours=1))
    assert take("standby", after=2 * ttl)
    assert not take("first", after=2 * ttl)
    with ledger.begin() as tx:
        tx.release_lease("writer", "first")
    assert not take("first", after=2 * ttl), "only its owner releases a lease"
    with ledger.begin() as tx:
        tx.release_lease("writer", "standby")
        assert tx.take_lease("sweep", "standby", at=NOON, ttl=ttl)
    assert take("first", after=2 * ttl)


def test_cycles_of_two_daemons_have_numbers_of_their_own(ledger: Ledger, ledger_url: str) -> None:
    other = Ledger(ledger_url, nonces=nonces)
    assert [open_cycle(each) for each in (ledger, other, ledger)] == [1, 2, 3]
    other.close()
