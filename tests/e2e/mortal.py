"""A bridge that is made to die: forks a child for every life, and the child ends when and where it is told.

Reads one order a line: `die STEP before|after`, a cycle that ends the process at that transaction;
`live`, cycles until somebody kills it. Says the child's number first, and `ended CODE` when it is gone.
"""

import itertools
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from typing_extensions import override

from salesforce_bridge.errors import RetryLater
from salesforce_bridge.ledger.store import Ledger, Tx
from tests.e2e.remote import remote_org
from tests.integration.cycle.living import living, nonces

DIED = 17
CHUNK = 10


class Mortal(Ledger):
    """A ledger whose owner dies just before or just after a transaction is committed."""

    def __init__(self, url: str, *, step: int, after: bool) -> None:
        super().__init__(url, nonces=nonces)
        self._steps = itertools.count(1)
        self._step = step
        self._after = after

    @override
    @contextmanager
    def begin(self) -> Iterator[Tx]:
        fatal = next(self._steps) == self._step
        with super().begin() as tx:
            yield tx
            if fatal and not self._after:
                os._exit(DIED)
        if fatal:
            os._exit(DIED)


def main(directory: str, url: str) -> None:
    """Take orders until there are no more."""
    for order in sys.stdin:
        pid = os.fork()
        if pid == 0:
            signal.alarm(60)
            _live(Path(directory), url, order.split())
            os._exit(0)
        _say(str(pid))
        _, status = os.waitpid(pid, 0)
        _say(f"ended {os.waitstatus_to_exitcode(status)}")


def _live(directory: Path, url: str, order: list[str]) -> None:
    step = int(order[1]) if order[0] == "die" else 0
    ledger = Mortal(url, step=step, after=order[-1] == "after")
    with living(remote_org(directory), ledger, chunk=CHUNK) as bridge:
        if order[0] == "die":
            bridge.cycle(after=0)
        while order[0] == "live":
            with suppress(RetryLater):
                bridge.cycle(after=0)


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
