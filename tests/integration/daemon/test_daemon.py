"""The daemon over a real ledger: what it does about failures, requests, limits and a lost lease."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from salesforce_bridge.daemon import LEASE, Ask, Daemon, LeaseElsewhere, Rhythm, ended_by_signals
from salesforce_bridge.errors import CannotStart, HaltWrites, RetryLater
from salesforce_bridge.ledger.store import Ledger
from salesforce_bridge.metrics import Metrics, Vitals
from tests.integration.daemon.a_bridge import Report, now

CycleBody = Callable[["Seen"], Report]


class Seen:
    """One call of a scripted cycle."""

    def __init__(self, number: int, *, stops_only: bool, go_on: Callable[[], bool]) -> None:
        self.number, self.stops_only, self.go_on = number, stops_only, go_on


class Bench:
    """A daemon in a thread, with a cycle that the test has written."""

    def __init__(self, ledger: Ledger, body: CycleBody, *, rhythm: Rhythm, paused: bool) -> None:
        self.seen: list[Seen] = []
        self.stop = threading.Event()
        self.metrics = Metrics()
        self.ledger = ledger
        self.failure: BaseException | None = None
        self._body = body
        self.daemon = Daemon(
            self._cycle,
            ledger,
            rhythm=rhythm,
            owner="me",
            clock=now,
            stop=self.stop,
            metrics=self.metrics,
            paused=paused,
        )
        self._thread = threading.Thread(target=self._run)

    def _cycle(self, *, stops_only: bool, deadline: datetime, go_on: Callable[[], bool]) -> Report:
        assert deadline.tzinfo is not None
        seen = Seen(len(self.seen), stops_only=stops_only, go_on=go_on)
        self.seen.append(seen)
        return self._body(seen)

    def _run(self) -> None:
        try:
            self.daemon.run()
        except CannotStart as error:
            self.failure = error

    @property
    def vitals(self) -> Vitals:
        return self.daemon.vitals

    def counted(self, result: str) -> float:
        return (
            self.metrics.registry.get_sample_value(
                "salesforce_bridge_cycles_total", {"result": result}
            )
            or 0
        )

    def until(self, true: Callable[[], bool], *, seconds: float = 10) -> None:
        end = time.monotonic() + seconds
        while not true():
            assert time.monotonic() < end, self.vitals
            time.sleep(0.01)

    def ask(self, kind: str) -> None:
        with self.ledger.begin() as tx:
            tx.file_request(kind, {}, by="ops", at=now())

    def start(self) -> None:
        self._thread.start()

    def end(self) -> None:
        self.stop.set()
        self._thread.join(timeout=10)
        assert not self._thread.is_alive()


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    one = Ledger(f"sqlite:///{tmp_path / 'ledger.sqlite3'}", nonces=lambda: b"n" * 32)
    one.upgrade()
    yield one
    one.close()


@contextmanager
def running(
    ledger: Ledger,
    body: CycleBody,
    *,
    tick: float = 0.1,
    deadline: float = 30,
    ttl: float = 0.6,
    paused: bool = False,
) -> Iterator[Bench]:
    rhythm = Rhythm(
        tick=timedelta(seconds=tick),
        deadline=timedelta(seconds=deadline),
        lease_ttl=timedelta(seconds=ttl),
    )
    bench = Bench(ledger, body, rhythm=rhythm, paused=paused)
    bench.start()
    try:
        yield bench
    finally:
        bench.end()


def clean(_seen: Seen) -> Report:
    return Report(cycle_id=1, at=now(), read=3, decisions={"ECHO": 3}, writes={"accepted": 2})


def test_the_first_cycle_runs_at_once(ledger: Ledger) -> None:
    with running(ledger, clean, tick=3600) as bench:
        bench.until(lambda: bench.vitals.cycles == 1, seconds=5)
    assert bench.counted("clean") == 1
    assert bench.vitals.last_clean_at is not None
    assert (
        bench.metrics.registry.get_sample_value(
            "salesforce_bridge_decisions_total", {"reason": "ECHO"}
        )
        == 3
    )


def test_a_busy_world_is_tried_again_at_the_next_tick(ledger: Ledger) -> None:
    def body(seen: Seen) -> Report:
        if seen.number < 2:
            raise RetryLater("Salesforce is down.", hint="wait")
        return clean(seen)

    with running(ledger, body) as bench:
        bench.until(lambda: bench.counted("clean") >= 1)
    assert bench.counted("retried") == 2
    assert not any(seen.stops_only for seen in bench.seen)
    assert bench.vitals.unclean_cycles == 0


def test_failures_in_a_row_are_told_apart_from_one(ledger: Ledger) -> None:
    def body(_seen: Seen) -> Report:
        raise RetryLater("Salesforce is down.", hint="wait")

    with running(ledger, body) as bench:
        bench.until(lambda: bench.vitals.unclean_cycles >= 2)
    assert bench.vitals.last_failure == "Salesforce is down."
    assert bench.vitals.last_clean_at is None


def test_after_a_halt_only_stops_flow_until_a_person_has_looked(ledger: Ledger) -> None:
    def body(seen: Seen) -> Report:
        if seen.number == 0:
            raise HaltWrites("The plan is too large.", hint="salesforce-bridge plan")
        return clean(seen)

    with running(ledger, body) as bench:
        bench.until(lambda: len(bench.seen) >= 3)
        assert bench.vitals.halted == "The plan is too large."
        assert [seen.stops_only for seen in bench.seen[:3]] == [False, True, True]
        bench.ask(Ask.RESUME)
        bench.until(lambda: not bench.seen[-1].stops_only)
        assert bench.vitals.halted is None


def test_a_cycle_that_reports_a_halt_halts_as_well(ledger: Ledger) -> None:
    def body(seen: Seen) -> Report:
        halted = "The org came back empty." if seen.number == 0 else None
        return Report(cycle_id=seen.number, at=now(), clean=halted is None, halted=halted)

    with running(ledger, body) as bench:
        bench.until(lambda: len(bench.seen) >= 2)
        assert bench.vitals.halted == "The org came back empty."
    assert bench.seen[1].stops_only
    assert bench.counted("halted") == 1


def test_an_open_circuit_is_shown_for_as_long_as_the_ledger_says_so(ledger: Ledger) -> None:
    """It is closed in the ledger: nobody has to ask this bridge to write again on top of that."""

    def body(seen: Seen) -> Report:
        why = "60 rows were blanked within an hour" if seen.number < 2 else None
        return Report(cycle_id=seen.number, at=now(), clean=why is None, halted=why, circuit=why)

    with running(ledger, body) as bench:
        bench.until(lambda: bench.vitals.circuit is not None)
        assert bench.vitals.halted is None
        bench.until(lambda: len(bench.seen) >= 4)
        assert bench.vitals.circuit is None
    assert not any(seen.stops_only for seen in bench.seen)
    assert bench.counted("halted") == 2


def test_stops_are_timed_from_being_seen_to_being_accepted(ledger: Ledger) -> None:
    def body(seen: Seen) -> Report:
        return Report(cycle_id=seen.number, at=now(), stop_seconds=(0.25,))

    with running(ledger, body) as bench:
        bench.until(lambda: len(bench.seen) >= 2)
    counted = bench.metrics.registry.get_sample_value(
        "salesforce_bridge_stop_latency_seconds_count"
    )
    assert counted == len(bench.seen)


def test_a_pause_lets_only_stops_through(ledger: Ledger) -> None:
    with running(ledger, clean) as bench:
        bench.until(lambda: len(bench.seen) >= 1)
        bench.ask(Ask.PAUSE)
        bench.until(lambda: bench.seen[-1].stops_only)
        assert bench.vitals.paused
        bench.ask(Ask.RESUME)
        bench.until(lambda: not bench.seen[-1].stops_only)


def test_a_cycle_of_stops_that_outlives_the_pause_does_not_halt(ledger: Ledger) -> None:
    def body(seen: Seen) -> Report:
        if seen.stops_only:
            bench.until(lambda: not bench.vitals.paused)
        halted = "paused" if seen.stops_only else None
        return Report(cycle_id=1, at=now(), clean=halted is None, halted=halted)

    with running(ledger, body, paused=True) as bench:
        bench.ask(Ask.RESUME)
        bench.until(lambda: len(bench.seen) >= 2)
        assert not bench.seen[1].stops_only
        assert bench.vitals.halted is None


def test_a_bridge_that_was_paused_starts_paused(ledger: Ledger) -> None:
    with running(ledger, clean, paused=True) as bench:
        bench.until(lambda: len(bench.seen) >= 1)
    assert bench.seen[0].stops_only


def test_a_cycle_can_be_asked_for_between_ticks(ledger: Ledger) -> None:
    with running(ledger, clean, tick=3600) as bench:
        bench.until(lambda: bench.vitals.cycles == 1)
        bench.ask("unheard of")
        bench.ask(Ask.RUN)
        bench.until(lambda: bench.vitals.cycles == 2)
        assert not bench.vitals.paused


def test_what_an_operator_must_mend_ends_the_daemon(ledger: Ledger) -> None:
    def body(_seen: Seen) -> Report:
        raise CannotStart("The login was refused.", hint="salesforce-bridge doctor")

    with running(ledger, body) as bench:
        bench.until(bench.stop.is_set)
    assert isinstance(bench.failure, CannotStart)
    assert bench.counted("impossible") == 1


def test_a_fault_of_our_own_is_counted_and_the_next_tick_tries_again(ledger: Ledger) -> None:
    def body(seen: Seen) -> Report:
        if seen.number == 0:
            raise ZeroDivisionError
        return clean(seen)

    with running(ledger, body) as bench:
        bench.until(lambda: bench.counted("clean") >= 1)
    assert bench.counted("crashed") == 1


def test_a_cycle_may_not_go_on_beyond_its_deadline(ledger: Ledger) -> None:
    def body(seen: Seen) -> Report:
        assert seen.go_on()
        end = time.monotonic() + 5
        while seen.go_on() and time.monotonic() < end:
            time.sleep(0.01)
        return Report(cycle_id=1, at=now(), clean=time.monotonic() > end)

    with running(ledger, body, deadline=0.3) as bench:
        bench.until(lambda: bench.vitals.cycles >= 1)
    assert bench.counted("unclean") >= 1
    assert bench.counted("clean") == 0


def test_ticks_that_find_a_cycle_running_are_counted_and_not_queued(ledger: Ledger) -> None:
    most = threading.Semaphore(1)

    def body(seen: Seen) -> Report:
        assert most.acquire(blocking=False)
        time.sleep(0.5)
        most.release()
        return clean(seen)

    with running(ledger, body) as bench:
        bench.until(lambda: bench.vitals.cycles >= 2)
    skipped = bench.metrics.registry.get_sample_value("salesforce_bridge_skipped_ticks_total")
    assert skipped is not None
    assert skipped >= 2
    assert bench.counted("crashed") == 0


def test_a_long_cycle_keeps_its_lease(ledger: Ledger) -> None:
    def body(seen: Seen) -> Report:
        time.sleep(1.2)
        return Report(cycle_id=1, at=now(), clean=seen.go_on())

    with running(ledger, body, ttl=0.6) as bench:
        bench.until(lambda: bench.vitals.cycles >= 1)
    assert bench.counted("clean") == 1


def test_a_cycle_ends_when_another_bridge_took_the_lease(ledger: Ledger) -> None:
    def steal() -> None:
        with ledger.begin() as tx:
            tx.release_lease(LEASE, "me")
            assert tx.take_lease(LEASE, "another", at=now(), ttl=timedelta(minutes=5))

    def body(seen: Seen) -> Report:
        steal()
        end = time.monotonic() + 5
        while seen.go_on() and time.monotonic() < end:
            time.sleep(0.01)
        return Report(cycle_id=1, at=now(), clean=time.monotonic() > end)

    with running(ledger, body) as bench:
        bench.until(lambda: bench.vitals.cycles >= 1)
        bench.until(lambda: bench.vitals.standby)
        time.sleep(0.3)
        assert len(bench.seen) == 1
    assert bench.counted("unclean") == 1


def test_a_standby_leaves_requests_to_the_one_that_writes(ledger: Ledger) -> None:
    with ledger.begin() as tx:
        tx.take_lease(LEASE, "another", at=now(), ttl=timedelta(minutes=5))
    with running(ledger, clean) as bench:
        bench.until(lambda: bench.vitals.standby)
        bench.ask(Ask.PAUSE)
        time.sleep(0.5)
        assert bench.seen == []
    with ledger.begin() as tx:
        assert [request.kind for request in tx.take_requests(at=now())] == ["pause"]


class AwayLedger:
    """A ledger that can be switched off, as a database restart does it."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self.away = False

    @contextmanager
    def begin(self) -> Iterator[object]:
        if self.away:
            raise RetryLater("The database restarts.", hint="wait")
        with self._ledger.begin() as tx:
            yield tx


def test_a_silent_ledger_ends_the_cycle_before_the_lease_can_be_another_s(ledger: Ledger) -> None:
    away = AwayLedger(ledger)
    held: list[float] = []

    def body(seen: Seen) -> Report:
        away.away = True
        began = time.monotonic()
        while seen.go_on() and time.monotonic() < began + 5:
            time.sleep(0.01)
        held.append(time.monotonic() - began)
        return Report(cycle_id=1, at=now(), clean=False)

    with running(away, body, ttl=0.6) as bench:  # type: ignore[arg-type]  # the part of a ledger that the daemon uses
        bench.until(lambda: bool(held))
        bench.until(lambda: not bench.vitals.lease_held)
        assert not bench.vitals.standby
    assert 0.2 < held[0] < 2


def test_a_bridge_that_cannot_ask_for_its_lease_is_no_standby(ledger: Ledger) -> None:
    away = AwayLedger(ledger)
    with ledger.begin() as tx:
        tx.take_lease(LEASE, "another", at=now(), ttl=timedelta(minutes=5))
    with running(away, clean) as bench:  # type: ignore[arg-type]  # the part of a ledger that the daemon uses
        bench.until(lambda: bench.vitals.standby)
        assert bench.vitals.unclean_cycles == 0
        away.away = True
        bench.until(lambda: bench.vitals.unclean_cycles >= 2)
        assert not bench.vitals.standby
        assert bench.vitals.last_failure == "The database restarts."
    assert bench.seen == []


def a_daemon(ledger: Ledger, *, paused: bool = False) -> Daemon:
    def cycle(*, stops_only: bool, deadline: datetime, go_on: Callable[[], bool]) -> Report:
        assert deadline > now()
        return Report(cycle_id=int(stops_only), at=now(), clean=go_on())

    rhythm = Rhythm(
        tick=timedelta(hours=1), deadline=timedelta(minutes=1), lease_ttl=timedelta(seconds=30)
    )
    return Daemon(
        cycle,
        ledger,
        rhythm=rhythm,
        owner="me",
        clock=now,
        stop=threading.Event(),
        metrics=Metrics(),
        paused=paused,
    )


def test_a_single_cycle_holds_the_lease_and_gives_it_back(ledger: Ledger) -> None:
    report = a_daemon(ledger).once()
    assert (report.cycle_id, report.clean) == (0, True)
    assert a_daemon(ledger, paused=True).once().cycle_id == 1
    with ledger.begin() as tx:
        assert tx.take_lease(LEASE, "another", at=now(), ttl=timedelta(minutes=5))


def test_a_single_cycle_is_refused_while_another_bridge_writes(ledger: Ledger) -> None:
    with ledger.begin() as tx:
        tx.take_lease(LEASE, "another", at=now(), ttl=timedelta(minutes=5))
    with pytest.raises(LeaseElsewhere) as caught:
        a_daemon(ledger).once()
    assert "salesforce-bridge ask run" in caught.value.hint


def test_the_first_signal_asks_and_the_second_one_insists() -> None:
    stop = threading.Event()
    before = signal.getsignal(signal.SIGTERM)
    with ended_by_signals(stop):
        os.kill(os.getpid(), signal.SIGTERM)
        assert stop.wait(timeout=5)
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    assert signal.getsignal(signal.SIGTERM) is before
