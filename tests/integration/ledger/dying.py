"""Cycles that are killed: `python -m tests.integration.ledger.dying URL FIRST STRIDE` prints one line of JSON for each.

The first cycle dies before its statement of the number FIRST, each further one a STRIDE of statements later,
until one lives. Each meets somebody new.
"""

import os
import signal
import sqlite3
import sys
import traceback
from itertools import count
from typing import Any

import orjson
from sqlalchemy import event, text

from salesforce_bridge.ledger import views
from salesforce_bridge.ledger.store import Ledger
from salesforce_bridge.permissions.events import EventKind
from tests.integration.ledger.steps import (
    BY_HAND,
    POLICY,
    a_bookmark,
    a_condition,
    a_manifest,
    a_meeting,
    answer,
    close,
    open_cycle,
    record,
)
from tests.support.facts import (
    NOON,
    ORG,
    a_contact,
    a_decision,
    a_row,
    a_write,
    an_event,
    contact_id,
    subject_id,
)
from tests.support.ledgers import nonces


def main(url: str, first: int, stride: int) -> None:
    """Kill one cycle after the other, and look at the ledger after each."""
    # No connection is open while a child is made, but what SQLAlchemy has worked out is passed on to it.
    ledger = Ledger(url, nonces=nonces)
    event.listen(ledger._connections, "connect", do_not_wait_for_the_disk)
    for step in count(first, stride):
        child = os.fork()
        if child == 0:
            try:
                live(ledger, step)
                os._exit(0)
            finally:
                traceback.print_exc()
                os._exit(1)
        _, status = os.waitpid(child, 0)
        print(orjson.dumps({"step": step, "status": status, **look(ledger, step)}).decode())
        ledger.close()
        if status != signal.SIGKILL:
            break


def do_not_wait_for_the_disk(opened: Any, _record: object) -> None:
    """What a killed process has written is there without that; only a power cut would tell."""
    if isinstance(opened, sqlite3.Connection):
        opened.execute("PRAGMA synchronous = OFF")


def live(ledger: Ledger, step: int) -> None:
    """A cycle and a deed, about the person of this number; killed before its statement of this number."""
    done = count(1)

    def die(*_: object) -> None:
        if next(done) == step:
            os.kill(os.getpid(), signal.SIGKILL)

    for moment in ("before_cursor_execute", "commit"):
        event.listen(ledger._connections, moment, die)
    cycle_id = open_cycle(ledger)
    record(
        ledger,
        a_meeting(step),
        cycle_id=cycle_id,
        contacts=(a_contact(step),),
        rows=((a_row(step), contact_id(step)),),
    )
    answer(ledger, a_write(step))
    with ledger.begin() as tx:
        tx.append_deed(
            BY_HAND,
            at=NOON,
            policy=POLICY,
            events=(an_event(EventKind.WITHDRAW, subject=step, happened_at=NOON),),
            conditions=(a_condition(step),),
        )
    close(ledger, cycle_id, a_manifest(after=a_bookmark(revision=step)))


def look(ledger: Ledger, step: int) -> dict[str, Any]:
    """What is there of the cycle that died, and whether the ledger is sound."""
    with ledger.reading() as tx:
        person = tx.subjects([subject_id(step)]).get(subject_id(step))
        mark = tx.bookmark(ORG)
        planned = "SELECT state FROM planned_write WHERE id = :id"
        return {
            "intact": views.verify(tx).intact,
            "refolded": views.refold(tx, policy=POLICY),
            "recorded": (
                person is not None,
                len(views.entries_named(tx, a_decision(step).id)) == 1,
                contact_id(step) in tx.contact_mirrors(ORG, [contact_id(step)]),
                contact_id(step) in tx.rows_of(ORG, [contact_id(step)]),
                contact_id(step) in tx.links_of(ORG, [contact_id(step)]),
                tx.connection.scalar(text(planned), {"id": a_write(step).id}) is not None,
            ),
            "settled": (
                tx.connection.scalar(text(planned), {"id": a_write(step).id}) == "accepted",
                len(views.entries_named(tx, a_write(step).id)) == 1,
            ),
            "told": (
                person is not None and len(person.conditions) == 1,
                subject_id(step) in tx.touched_since(0, tx.head().revision),
            ),
            "closed": (
                mark is not None and mark.revision == step,
                tx.last_cycle(ORG) is not None,
            ),
        }


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
