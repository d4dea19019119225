"""How fast people are judged: `python -m tests.bench.bench_judge [contacts] [--profile]`.

Everybody has an e-mail address, a telephone number and three uses. First they are met; then they are known, with
a yes, a no and a use nobody asked about, and everything in Salesforce is as it should be; then somebody has
withdrawn on each of them.
"""

import cProfile
import gc
import pickle
import pstats
import sys
from contextlib import nullcontext
from datetime import timedelta
from time import process_time

from salesforce_bridge.permissions.events import EventKind
from salesforce_bridge.reconcile.facts import Dossier
from salesforce_bridge.reconcile.intent import Plan
from salesforce_bridge.reconcile.plan import check_limits, make_plan
from salesforce_bridge.reconcile.words import Request
from tests.unit.reconcile.worlds import (
    NEWS_BY_CALL,
    NEWS_BY_EMAIL,
    ORG,
    World,
    a_contact,
    a_point,
    contact_id,
)

# Judging makes a great deal that lives and next to nothing that is circular; the collector stays on, but is
# not asked to walk through all of it again and again.
COLLECT_AFTER = (100_000, 50, 100)
MET, SETTLED = "met for the first time", "known, and nothing changed"
STOPPED = "known, and each has just said stop"
CHUNK = 2000  # Contacts judged at a time, as the daemon does by default


def main() -> None:
    """Judge that many people twice and print what it cost in seconds of CPU."""
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)
    numbers = [int(word) for word in sys.argv[1:] if word.isdigit()]
    contacts, profiled = (numbers or [100_000])[0], "--profile" in sys.argv
    for what in (MET, SETTLED, STOPPED):
        used = 0.0
        profile = cProfile.Profile() if profiled else None
        for first in range(1, contacts + 1, CHUNK):
            number = min(CHUNK, contacts + 1 - first)
            world = people(first, number, known=what is not MET)
            if what is STOPPED:
                for row in world.rows.values():
                    if row.fields.channel == NEWS_BY_EMAIL.channel:
                        world.edit_row(row.row_id, request=Request.STOP.value)
            dossiers = world.dossiers()
            begun = process_time()
            with profile or nullcontext():
                plan = judge(world, dossiers)
            used += process_time() - begun
            assert len(plan.decisions) == 3 * len(dossiers)
            assert bool(plan.writes) is (what is not SETTLED)
        print(f"{what}: {contacts:,} people, {used:.2f} s of CPU, {contacts / used:,.0f} people/s")
        if profile is not None:
            pstats.Stats(profile).sort_stats("tottime").print_stats(40)


def people(first: int, number: int, *, known: bool) -> World:
    """A world of strangers, or of people who are known and to whom nothing is left to be done."""
    world = World()
    for each in range(first, first + number):
        points = (a_point(f"p{each}@example.org"), a_point(f"+4420{each:08d}"))
        world.contacts[contact_id(each)] = a_contact(each, points=points)
        if known:
            world.link(each, subject=each)
            # Nobody says yes or no at the same moment as anybody else.
            said = world.at - timedelta(days=1 + each % 200, microseconds=each)
            world.tell(
                EventKind.GRANT, NEWS_BY_EMAIL, subject=each, at=said, notice_id="consent-en-1"
            )
            world.tell(EventKind.WITHDRAW, NEWS_BY_CALL, subject=each, at=said)
    if known:
        world.contact_mirrors = dict(world.contacts)
        world.settle()
        # What is read and what is remembered are equal, and never the same values in memory.
        world.contact_mirrors = pickle.loads(pickle.dumps(world.contact_mirrors))
        world.row_mirrors = pickle.loads(pickle.dumps(world.row_mirrors))
    return world


def judge(world: World, dossiers: tuple[Dossier, ...]) -> Plan:
    """Do what a cycle does between looking and recording."""
    plan = make_plan(
        dossiers, org_id=ORG, policy=world.policy, at=world.at, revision=7, salt="bench"
    )
    check_limits(plan, world.policy.limits, known=len(dossiers), fresh=frozenset(world.contacts))
    return plan


if __name__ == "__main__":
    main()
