"""How fast the ledger records: run by hand, `python -m tests.bench.bench_record [contacts] [--profile]`."""

import cProfile
import pstats
import sys
import tempfile
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from time import perf_counter, process_time
from uuid import NAMESPACE_URL, uuid5

from salesforce_bridge.ledger.store import Ledger, Result, Settled
from salesforce_bridge.permissions.events import EventKind
from salesforce_bridge.permissions.keys import Channel, PurposeKey, Use
from salesforce_bridge.reconcile.intent import Plan, PointChange, PointMove
from tests.support.facts import (
    NOON,
    ORG,
    a_contact,
    a_decision,
    a_link,
    a_person,
    a_plan,
    a_point,
    a_policy,
    a_write,
    an_event,
    subject_id,
)
from tests.support.ledgers import nonces
from tests.support.postgres import running_server

USES = tuple(
    Use(purpose=PurposeKey(purpose), channel=Channel(channel))
    for purpose, channel in (
        ("direct_marketing", "EMAIL"),
        ("direct_marketing", "POST"),
        ("service_messages", "EMAIL"),
    )
)
POLICY = a_policy()


def a_chunk(first: int, size: int) -> Plan:
    """A first reading: everybody is new, and asked about three uses."""
    numbers = range(first, first + size)
    return a_plan(
        subjects=tuple(map(a_person, numbers)),
        links=tuple(map(a_link, numbers)),
        points=tuple(
            PointChange(
                subject_id=subject_id(number),
                point=a_point(f"person{number}@example.org"),
                move=PointMove.REGISTER,
            )
            for number in numbers
        ),
        events=tuple(
            an_event(EventKind.REQUEST, subject=number, use=use, id=_id("event", number, use))
            for number in numbers
            for use in USES
        ),
        decisions=tuple(
            a_decision(
                number,
                id=_id("decision", number, use),
                use=use,
                event_ids=(_id("event", number, use),),
            )
            for number in numbers
            for use in USES
        ),
        writes=tuple(map(a_write, numbers)),
    )


def measure(url: str, *, contacts: int, chunk: int, profiled: bool) -> None:
    """Record a first reading chunk by chunk, settle it, record it again, and print the rates."""
    ledger = Ledger(url, nonces=nonces)
    ledger.upgrade()
    with ledger.begin() as tx:
        cycle_id = tx.open_cycle(ORG, at=NOON, software="bench", policy=POLICY)
    plans = [a_chunk(first, chunk) for first in range(0, contacts, chunk)]
    read = [
        [a_contact(number) for number in range(first, first + chunk)]
        for first in range(0, contacts, chunk)
    ]
    profile = cProfile.Profile() if profiled else None

    def record_all() -> None:
        for plan, snapshots in zip(plans, read, strict=True):
            with ledger.begin() as tx:
                tx.record(
                    plan,
                    org_id=ORG,
                    cycle_id=cycle_id,
                    at=NOON,
                    policy=POLICY,
                    software="bench",
                    contacts=snapshots,
                )

    def settle_all() -> None:
        for plan in plans:
            with ledger.begin() as tx:
                tx.settle(
                    [
                        Settled(write_id=write.id, result=Result.ACCEPTED, at=NOON)
                        for write in plan.writes
                    ]
                )

    with profile or nullcontext():
        _report("record", record_all, contacts)
    if profile is not None:
        pstats.Stats(profile).sort_stats("tottime").print_stats(45)
    _report("settle", settle_all, contacts)
    later = NOON + timedelta(minutes=1)
    read = [[replace(one, modstamp=later) for one in snapshots] for snapshots in read]
    plans = [
        replace(plan, subjects=(), links=(), points=(), events=(), writes=()) for plan in plans
    ]
    _report("record again, nothing new", record_all, contacts)
    ledger.close()


def _id(what: str, number: int, use: Use) -> str:
    return str(uuid5(NAMESPACE_URL, f"{what} {number} {use}"))


def _report(what: str, deed: Callable[[], None], contacts: int) -> None:
    wall, used = perf_counter(), process_time()
    deed()
    wall, used = perf_counter() - wall, process_time() - used
    print(f"  {what}: {contacts / wall:,.0f} contacts/s ({wall:.2f} s, {used:.2f} s of our CPU)")


def main() -> None:
    """Measure on both databases."""
    numbers = [int(word) for word in sys.argv[1:] if word.isdigit()]
    contacts, profiled = (numbers or [2000])[0], "--profile" in sys.argv
    with tempfile.TemporaryDirectory() as folder:
        print("sqlite")
        measure(
            f"sqlite:///{Path(folder) / 'ledger.db'}",
            contacts=contacts,
            chunk=2000,
            profiled=profiled,
        )
    with running_server() as server:
        print("postgresql")
        measure(server.create("bench"), contacts=contacts, chunk=2000, profiled=profiled)


if __name__ == "__main__":
    main()
