"""A writer in a process of its own: `python -m tests.integration.ledger.writer URL PERSON TURNS`."""

import sys

from salesforce_bridge.ledger.store import Ledger
from salesforce_bridge.permissions.events import EventKind
from tests.integration.ledger.steps import BY_HAND, POLICY
from tests.support.facts import NOON, an_event
from tests.support.ledgers import nonces


def main(url: str, person: int, turns: int) -> None:
    """Tell the ledger about one person again and again, each time in a transaction."""
    ledger = Ledger(url, nonces=nonces)
    for turn in range(turns):
        event = an_event(EventKind.WITHDRAW, subject=person, reason=f"turn {turn}")
        with ledger.begin() as tx:
            tx.append_deed(BY_HAND, at=NOON, policy=POLICY, events=(event,))
    ledger.close()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
