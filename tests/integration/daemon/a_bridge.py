"""A bridge as a process of its own, with a cycle that only tells that it ran; started by the tests beside it."""

import signal
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from salesforce_bridge import logs
from salesforce_bridge.daemon import Daemon, Rhythm, ended_by_signals
from salesforce_bridge.ledger.store import Ledger
from salesforce_bridge.metrics import Metrics


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a cycle says about itself."""

    cycle_id: int
    at: datetime
    read: int = 0
    decisions: dict[str, int] = field(default_factory=dict)
    writes: dict[str, int] = field(default_factory=dict)
    calls: int = 1
    clean: bool = True
    halted: str | None = None
    circuit: str | None = None
    stop_seconds: tuple[float, ...] = ()
    unwritten_stops: int = 0
    oldest_unwritten: datetime | None = None


def now() -> datetime:
    """The clock."""
    return datetime.now(UTC)


def main(url: str, owner: str, chunks: int) -> None:
    """Run until told to stop; every cycle works through its chunks and tells of each."""
    logs.configure(style="json")
    stop = threading.Event()

    def cycle(*, stops_only: bool, deadline: datetime, go_on: Callable[[], bool]) -> Report:
        assert deadline > now()
        for chunk in range(chunks):
            if not go_on():
                tell(f"{owner} ended early")
                break
            tell(f"{owner} chunk {chunk} stops_only={stops_only}")
            stop.wait(0.2)
        return Report(cycle_id=1, at=now())

    ledger = Ledger(url, nonces=lambda: b"n" * 32)
    rhythm = Rhythm(
        tick=timedelta(seconds=0.3),
        deadline=timedelta(seconds=30),
        lease_ttl=timedelta(seconds=1.5),
    )
    metrics = Metrics()
    daemon = Daemon(
        cycle, ledger, rhythm=rhythm, owner=owner, clock=now, stop=stop, metrics=metrics
    )
    with ended_by_signals(stop):
        daemon.run()
    ledger.close()
    tell(f"{owner} gone, lease held: {daemon.vitals.lease_held}")


def tell(text: str) -> None:
    """Say it at once: the test is waiting for it."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    signal.alarm(50)  # nothing outlives its test for long
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
