"""What is counted and timed, by name; nothing here knows a person."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

NAMESPACE = "salesforce_bridge"
# A promise is kept within 15 minutes; the buckets show how close to it we live.
STOP_BUCKETS = (1, 5, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600)
CYCLE_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600)


class Metrics:
    """The numbers of one bridge, in a registry of its own, so that two in one program never mix."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.cycles = self._counter("cycles", "Cycles, by how they ended.", "result")
        self.cycle_seconds = self._histogram(
            "cycle_seconds", "How long cycles took.", CYCLE_BUCKETS
        )
        self.skipped_ticks = self._counter("skipped_ticks", "Ticks while the last cycle still ran.")
        self.records_read = self._counter("records_read", "Records read from Salesforce.")
        self.calls = self._counter("calls", "API calls to Salesforce.")
        self.decisions = self._counter("decisions", "Decisions, by reason.", "reason")
        self.writes = self._counter("writes", "Writes to Salesforce, by outcome.", "outcome")
        self.stop_latency = self._histogram(
            "stop_latency_seconds",
            "From a stop being seen to Salesforce accepting it.",
            STOP_BUCKETS,
        )
        self.unwritten_stops = self._gauge(
            "unwritten_stops", "Stops Salesforce has not accepted yet."
        )
        self.oldest_unwritten = self._gauge(
            "oldest_unwritten_stop_age_seconds",
            "Age of the oldest stop not accepted yet; 0 without one.",
        )
        self.last_clean_age = self._gauge(
            "last_clean_cycle_age_seconds", "Age of the last clean cycle; -1 before the first."
        )
        self.halted = self._gauge(
            "halted", "1 while only stops are written, until a person has looked."
        )
        self.circuit_open = self._gauge(
            "circuit_open", "1 while a mass change waits for a person, and only stops are written."
        )
        self.paused = self._gauge("paused", "1 while a person has paused all writes but stops.")
        self.lease_held = self._gauge(
            "lease_held", "1 while this bridge is the one that may write."
        )
        self.log_values_dropped = self._counter("log_values_dropped", "Values kept out of the log.")

    def count_cycle(
        self,
        *,
        result: str,
        seconds: float,
        read: int = 0,
        calls: int = 0,
        decisions: Mapping[str, int] | None = None,
        writes: Mapping[str, int] | None = None,
        stop_seconds: Iterable[float] = (),
    ) -> None:
        """Add one cycle to all that it touches."""
        self.cycles.labels(result).inc()
        self.cycle_seconds.observe(seconds)
        self.records_read.inc(read)
        self.calls.inc(calls)
        for reason, count in (decisions or {}).items():
            self.decisions.labels(reason).inc(count)
        for outcome, count in (writes or {}).items():
            self.writes.labels(outcome).inc(count)
        for latency in stop_seconds:
            self.stop_latency.observe(latency)

    def show(self, vitals: "Vitals", *, at: datetime) -> None:
        """Set the gauges to what the vitals say; called when somebody looks."""
        oldest, clean = vitals.oldest_unwritten, vitals.last_clean_at
        self.unwritten_stops.set(vitals.unwritten_stops)
        self.oldest_unwritten.set((at - oldest).total_seconds() if oldest else 0)
        self.last_clean_age.set((at - clean).total_seconds() if clean else -1)
        self.halted.set(vitals.halted is not None)
        self.circuit_open.set(vitals.circuit is not None)
        self.paused.set(vitals.paused)
        self.lease_held.set(vitals.lease_held)

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(name, text, labels, namespace=NAMESPACE, registry=self.registry)

    def _gauge(self, name: str, text: str) -> Gauge:
        return Gauge(name, text, namespace=NAMESPACE, registry=self.registry)

    def _histogram(self, name: str, text: str, buckets: Sequence[float]) -> Histogram:
        return Histogram(name, text, namespace=NAMESPACE, registry=self.registry, buckets=buckets)


@dataclass(frozen=True, slots=True, kw_only=True)
class Vitals:
    """How the bridge is, as it knows itself."""

    started_at: datetime
    cycles: int = 0
    lease_held: bool = False
    standby: bool = False  # another bridge holds the lease, and the ledger said so
    last_cycle_at: datetime | None = None
    last_clean_at: datetime | None = None
    unclean_cycles: int = 0  # in a row
    last_failure: str | None = None  # of the last cycle, in our words
    halted: str | None = None
    circuit: str | None = None  # why a mass change waits for a person
    paused: bool = False
    unwritten_stops: int = 0
    oldest_unwritten: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """When the vitals are no longer good."""

    clean_cycle: timedelta
    unwritten_stop: timedelta
