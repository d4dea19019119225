"""When cycles run, who may run them, and what becomes of their failures."""

import signal
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from types import FrameType
from typing import Any, Protocol

import structlog
from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_MAX_INSTANCES, JobExecutionEvent
from apscheduler.schedulers.background import BackgroundScheduler

from salesforce_bridge.errors import BridgeError, CannotStart, HaltWrites, RetryLater
from salesforce_bridge.ledger.values import FiledRequest
from salesforce_bridge.metrics import Metrics, Vitals

LEASE = "writer"
BEATS_PER_LEASE = 3
_log = structlog.get_logger()


class Ask(StrEnum):
    """What a person may ask of a running bridge."""

    RUN = "run"  # a cycle now
    PAUSE = "pause"  # write nothing but stops
    RESUME = "resume"  # write again, also after a halt


class LeaseElsewhere(RetryLater):
    """Another bridge is the one that may write."""


class CycleReport(Protocol):
    """What one cycle says about itself."""

    @property
    def cycle_id(self) -> int | str: ...
    @property
    def at(self) -> datetime: ...
    @property
    def read(self) -> int: ...
    @property
    def decisions(self) -> Mapping[str, int]: ...
    @property
    def writes(self) -> Mapping[str, int]: ...
    @property
    def calls(self) -> int: ...
    @property
    def clean(self) -> bool: ...
    @property
    def halted(self) -> str | None: ...
    @property
    def circuit(self) -> str | None: ...
    @property
    def stop_seconds(self) -> Sequence[float]: ...
    @property
    def unwritten_stops(self) -> int: ...
    @property
    def oldest_unwritten(self) -> datetime | None: ...


class RunCycle(Protocol):
    """One cycle; between two chunks it asks whether it may go on, and ends there if not."""

    def __call__(
        self, *, stops_only: bool, deadline: datetime, go_on: Callable[[], bool]
    ) -> CycleReport: ...


class _Tx(Protocol):
    def take_lease(self, name: str, owner: str, *, at: datetime, ttl: timedelta) -> bool: ...
    def release_lease(self, name: str, owner: str) -> None: ...
    def take_requests(self, *, at: datetime) -> tuple[FiledRequest, ...]: ...
    def last_taken(self, kinds: Collection[str]) -> str | None: ...


class LeaseBook(Protocol):
    """The part of the ledger that the daemon itself uses."""

    def begin(self) -> AbstractContextManager[_Tx]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Rhythm:
    """How often and how long."""

    tick: timedelta
    deadline: timedelta
    lease_ttl: timedelta

    @property
    def beat(self) -> timedelta:
        """A lease survives two missed beats; requests are looked for at each."""
        return min(self.lease_ttl / BEATS_PER_LEASE, timedelta(seconds=10))


class Daemon:
    """Runs cycles until told to stop, as the one bridge that holds the lease."""

    def __init__(
        self,
        run_cycle: RunCycle,
        ledger: LeaseBook,
        *,
        rhythm: Rhythm,
        owner: str,
        clock: Callable[[], datetime],
        stop: threading.Event,
        metrics: Metrics,
        paused: bool = False,
    ) -> None:
        self._run_cycle = run_cycle
        self._ledger = ledger
        self._rhythm = rhythm
        self._owner = owner
        self._clock = clock
        self._stop = stop
        self._metrics = metrics
        self._turn = threading.Lock()  # over the four values below
        self._vitals = Vitals(started_at=clock(), paused=paused)
        self._lease_until = self._vitals.started_at
        self._fatal: CannotStart | None = None
        self._scheduler = BackgroundScheduler(timezone="UTC")

    @property
    def vitals(self) -> Vitals:
        """How the bridge is at this moment."""
        with self._turn:
            return self._vitals

    def run(self) -> None:
        """Cycle until the stop event is set; raises what an operator must act on."""
        _log.info("daemon.started", owner=self._owner, tick=self._rhythm.tick)
        always = {
            "trigger": "interval",
            "coalesce": True,
            "max_instances": 1,
            "misfire_grace_time": None,
        }
        tick, beat = (every.total_seconds() for every in (self._rhythm.tick, self._rhythm.beat))
        first = self._clock()
        self._scheduler.add_job(self.tick, id="tick", seconds=tick, next_run_time=first, **always)
        self._scheduler.add_job(self.beat, id="beat", seconds=beat, **always)
        self._scheduler.add_listener(self._noticed, EVENT_JOB_ERROR | EVENT_JOB_MAX_INSTANCES)
        self._scheduler.start()
        self._stop.wait()
        _log.info("daemon.stopping")
        self._scheduler.shutdown(wait=True)
        self._let_go()
        _log.info("daemon.stopped")
        if self._fatal is not None:
            raise self._fatal

    def once(self) -> CycleReport:
        """Run one cycle at once, as nobody but the holder of the lease may; raises what it fails with."""
        if not self._hold():
            raise LeaseElsewhere(
                "Another bridge holds the lease, so that this one must not write.",
                hint="salesforce-bridge ask run, or stop the other bridge first",
            )
        beat = self._rhythm.beat.total_seconds()
        self._scheduler.add_job(self._hold, "interval", seconds=beat, id="beat")
        self._scheduler.start()
        deadline = self._clock() + self._rhythm.deadline
        try:
            return self._run_cycle(
                stops_only=self.vitals.paused,
                deadline=deadline,
                go_on=lambda: self._may_go_on(deadline),
            )
        finally:
            self._scheduler.shutdown(wait=True)
            self._let_go()

    def tick(self) -> None:
        """Run one cycle, if this bridge is the one that may."""
        if self._stop.is_set():
            return
        began, before = self._clock(), self.vitals
        deadline = began + self._rhythm.deadline
        stops_only = before.paused or before.halted is not None
        try:
            if not self._hold():
                return
            report = self._run_cycle(
                stops_only=stops_only,
                deadline=deadline,
                go_on=lambda: self._may_go_on(deadline),
            )
        except BridgeError as error:
            self._failed(error, seconds=(self._clock() - began).total_seconds())
        else:
            # What a cycle of stops says about the rest is known, and may be out of date when it ends. A circuit
            # is closed in the ledger, so that it is not remembered here.
            halted = None if stops_only or report.circuit is not None else report.halted
            self._ended(report, halted=halted, seconds=(self._clock() - began).total_seconds())

    def beat(self) -> None:
        """Keep the lease, and look whether somebody asked for something."""
        standing_by = self.vitals.standby
        try:
            if not self._hold():
                return
            with self._ledger.begin() as tx:
                requests = tx.take_requests(at=self._clock())
        except RetryLater as error:
            _log.warning("requests.unread", exc_info=error)
            return
        for request in requests:
            self._grant(request)
        if standing_by or requests:
            self._scheduler.modify_job("tick", next_run_time=self._clock())

    def _may_go_on(self, deadline: datetime) -> bool:
        at = self._clock()
        with self._turn:
            return not self._stop.is_set() and at < deadline and at < self._lease_until

    def _hold(self) -> bool:
        """Take or keep the lease; while the ledger does not answer, ours lasts until it runs out."""
        at = self._clock()
        try:
            with self._ledger.begin() as tx:
                held = tx.take_lease(LEASE, self._owner, at=at, ttl=self._rhythm.lease_ttl)
        except RetryLater as error:
            _log.warning("lease.unanswered", exc_info=error)
            with self._turn:
                held = at < self._lease_until
                self._vitals = replace(self._vitals, lease_held=held, standby=False)
            if not held:
                raise
            return held
        with self._turn:
            before = self._vitals
            self._lease_until = at + self._rhythm.lease_ttl if held else at
            self._vitals = replace(before, lease_held=held, standby=not held)
        if held != before.lease_held or (not held and not before.standby):
            _log.info("lease.taken" if held else "lease.elsewhere", owner=self._owner)
        return held

    def _let_go(self) -> None:
        try:
            with self._ledger.begin() as tx:
                tx.release_lease(LEASE, self._owner)
        except RetryLater as error:
            _log.warning("lease.kept", exc_info=error)
        with self._turn:
            self._vitals = replace(self._vitals, lease_held=False)

    def _ended(self, report: CycleReport, *, halted: str | None, seconds: float) -> None:
        with self._turn:
            before = self._vitals
            self._vitals = replace(
                before,
                cycles=before.cycles + 1,
                last_cycle_at=report.at,
                last_clean_at=report.at if report.clean else before.last_clean_at,
                unclean_cycles=0 if report.clean else before.unclean_cycles + 1,
                last_failure=None,
                halted=before.halted or halted,
                circuit=report.circuit,
                unwritten_stops=report.unwritten_stops,
                oldest_unwritten=report.oldest_unwritten,
            )
        result = "clean" if report.clean else "halted" if report.halted else "unclean"
        counts: dict[str, Any] = {
            "read": report.read,
            "calls": report.calls,
            "decisions": report.decisions,
            "writes": report.writes,
        }
        self._metrics.count_cycle(
            result=result, seconds=seconds, stop_seconds=report.stop_seconds, **counts
        )
        if report.circuit is not None and before.circuit is None:
            _log.critical("circuit.opened", message=report.circuit)
        if report.circuit is None and before.circuit is not None:
            _log.warning("circuit.closed")
        if halted is not None:
            _log.critical("writes.halted", message=halted)
        _log.info(
            "cycle.finished",
            cycle_id=report.cycle_id,
            result=result,
            seconds=round(seconds, 3),
            halted=report.halted is not None,
            unwritten_stops=report.unwritten_stops,
            **counts,
        )

    def _failed(self, error: BridgeError, *, seconds: float) -> None:
        match error:
            case CannotStart():
                result = "impossible"
                self._fatal = error
                self._stop.set()
            case HaltWrites():
                result = "halted"
            case _:
                result = "retried"
        halted = error.message if isinstance(error, HaltWrites) else None
        self._metrics.count_cycle(result=result, seconds=seconds)
        self._count_failure(error.message, halted=halted)
        say = _log.warning if result == "retried" else _log.critical
        say("cycle.failed", result=result, exc_info=error)

    def _count_failure(self, message: str, *, halted: str | None = None) -> None:
        with self._turn:
            before = self._vitals
            self._vitals = replace(
                before,
                cycles=before.cycles + 1,
                last_cycle_at=self._clock(),
                unclean_cycles=before.unclean_cycles + 1,
                last_failure=message,
                halted=before.halted or halted,
            )

    def _noticed(self, event: JobExecutionEvent) -> None:
        """What the scheduler alone knows: a cycle that outlives its tick, and a fault of our own."""
        if event.code == EVENT_JOB_MAX_INSTANCES:
            if event.job_id == "tick":
                self._metrics.skipped_ticks.inc()
            return
        _log.critical("job.crashed", job=event.job_id, exc_info=event.exception)
        self._metrics.cycles.labels("crashed").inc()
        self._count_failure(f"a fault of the bridge itself ({type(event.exception).__name__})")

    def _grant(self, request: FiledRequest) -> None:
        _log.info("request.taken", request=request.kind, seq=request.id)
        match request.kind:
            case Ask.RUN:
                pass  # the cycle that follows every request is all that was asked for
            case Ask.PAUSE:
                with self._turn:
                    self._vitals = replace(self._vitals, paused=True)
            case Ask.RESUME:
                with self._turn:
                    self._vitals = replace(self._vitals, paused=False, halted=None)
            case _:
                _log.error("request.unknown", request=request.kind)


@contextmanager
def ended_by_signals(stop: threading.Event) -> Iterator[None]:
    """Let SIGTERM and SIGINT end the block between two chunks; a second one ends it the hard way."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}

    def ask(number: int, _frame: FrameType | None) -> None:
        stop.set()
        signal.signal(number, signal.SIG_DFL)

    for number in before:
        signal.signal(number, ask)
    try:
        yield
    finally:
        for number, known in before.items():
            signal.signal(number, known)
