"""One cycle, top to bottom: look at both sides, decide, record, make it so, remember.

Read `run_cycle`, then `_pass`: they are the six steps of the design in order. A reading longer than one
chunk is a backfill: it goes on chunk by chunk, and before each chunk the ordinary poll runs, so that a
stop never waits for it.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from salesforce_bridge.ledger.store import Tx
from salesforce_bridge.ledger.values import Backfill, Bookmark, CycleId, Manifest, Result
from salesforce_bridge.ledger.waiting import HELD_BACK
from salesforce_bridge.permissions.keys import ContactId
from salesforce_bridge.planning import plan_of
from salesforce_bridge.progress import chunks_left, got_on, moved_bookmark, next_chunk
from salesforce_bridge.reading import (
    Batch,
    Due,
    World,
    due_batches,
    follow_individuals,
    poll_org,
    read_batch,
    seal_set_aside,
)
from salesforce_bridge.reconcile.intent import Lane, Plan, Write
from salesforce_bridge.reconcile.plan import NO_CHANGE, Change, change_of, stops_only
from salesforce_bridge.salesforce.gateway import Poll
from salesforce_bridge.sending import skipped, write_out
from salesforce_bridge.sight import Reading

ROUNDS_MAX = 3  # a write that our own rules refused is decided again at once, but not for ever


@dataclass(frozen=True, slots=True, kw_only=True)
class CycleReport:
    """What one cycle says about itself."""

    cycle_id: int
    at: datetime  # Salesforce's time of the poll
    read: int = 0
    seen_again: int = 0
    decisions: Mapping[str, int] = field(default_factory=dict)
    writes: Mapping[str, int] = field(default_factory=dict)
    errors: int = 0
    calls: int = 0
    clean: bool = True  # everything was read, and everything decided was sent and accepted
    halted: str | None = None  # why only stops were written
    circuit: str | None = None  # why, where a mass change waits for a person
    stop_seconds: tuple[float, ...] = ()  # from a stop being seen to its being accepted
    behind: bool = False  # more had changed than one poll reads
    unwritten_stops: int = 0
    oldest_unwritten: datetime | None = None
    backfill: Backfill = Backfill.COMPLETE


def run_cycle(
    world: World, *, stops_only: bool, deadline: datetime, go_on: Callable[[], bool]
) -> CycleReport:
    """Run one cycle, and what is left behind it chunk by chunk while there is time and `go_on` agrees."""
    run = _Run(world=world, go_on=go_on, halted="paused" if stops_only else None)
    report = _pass(run)
    while _is_more(report) and run.moved and go_on() and world.clock() < deadline:
        report = _added(report, _pass(run))
    return report


@dataclass(frozen=True, slots=True, kw_only=True)
class Foresight:
    """What the next cycle would do, chunk by chunk, and why it would write stops only, if it would."""

    plans: tuple[Plan, ...]
    change: Change
    circuit: str | None  # a mass change, of now or of before
    surprise: str | None  # over a limit, or under a ledger that is not the latest

    @property
    def halted(self) -> str | None:
        """Why it would write stops only."""
        return self.circuit or self.surprise


def foresee(world: World) -> Foresight:
    """Look at both sides as a cycle does, and say what it would record and write, without doing either."""
    with world.ledger.reading() as tx:
        mark = tx.bookmark(world.org_id)
        again = {each.write.contact_id for each in tx.unsettled(world.org_id)}
        again |= _left_over(world, tx, held_too=True)
        circuit = tx.circuit_open(world.org_id)
    poll = poll_org(world, mark, heartbeat=None)
    with world.ledger.reading() as tx:
        due = due_batches(world, tx, mark, poll, again=again)
    plans: list[Plan] = []
    change, surprise = NO_CHANGE, None
    for batch in (*due.batches, *chunks_left(world, mark)):
        reading = read_batch(world, batch)
        with world.ledger.reading() as tx:
            planned = plan_of(
                world, tx, reading, at=poll.server_time, salt="preview", so_far=change
            )
        plans.append(planned.plan)
        change = change_of(planned.plan, fresh=planned.fresh, so_far=change)
        circuit = circuit or planned.circuit
        surprise = surprise or planned.surprise
    return Foresight(plans=tuple(plans), change=change, circuit=circuit, surprise=surprise)


@dataclass(slots=True, kw_only=True)
class _Run:
    """What the passes of one run share: once one of them had to halt, those that follow do too."""

    world: World
    go_on: Callable[[], bool]
    halted: str | None
    circuit: str | None = None  # why, where a mass change halted it
    change: Change = NO_CHANGE
    narrow: bool = False  # the pass before has read all that was stamped until then
    moved: bool = True  # it got anywhere: asking the same again at once would not help


@dataclass(slots=True, kw_only=True)
class _Desk:
    """What one pass works on and adds up."""

    run: _Run
    cycle_id: CycleId
    at: datetime
    turns: int = 0
    read: set[ContactId] = field(default_factory=set)
    decisions: Counter[str] = field(default_factory=Counter)
    writes: Counter[str] = field(default_factory=Counter)
    stop_seconds: list[float] = field(default_factory=list)

    @property
    def unsure(self) -> int:
        """How many writes did not end as they were meant to."""
        return self.writes[Result.REFUSED.value] + self.writes[Result.UNKNOWN.value]


def _pass(run: _Run) -> CycleReport:
    world = run.world
    # 1. Look at ourselves.
    with world.ledger.begin() as tx:
        mark = tx.bookmark(world.org_id)
        _mind_circuit(run, tx)
        alive = _sign_of_life(world, tx) if run.halted is None else None
        again = {
            *tx.seal_unknown(world.org_id, at=world.clock()),
            *_left_over(world, tx, held_too=run.halted is None),
        }
    calls = world.gateway.calls
    # 2. Look at Salesforce.
    poll = poll_org(world, mark, heartbeat=alive, narrow=run.narrow)
    with world.ledger.begin() as tx:
        cycle_id = tx.open_cycle(
            world.org_id, at=poll.server_time, software=world.software, policy=world.policy
        )
        revision = tx.head().revision
        due = due_batches(world, tx, mark, poll, again=again)
    # 3 to 5. Decide, record, write and settle: first what has changed, then what is still to be met.
    desk = _Desk(run=run, cycle_id=cycle_id, at=poll.server_time)
    done = _work_off(desk, due.batches)
    chunk = next_chunk(world, mark) if done and run.go_on() else ()
    for batch in chunk:
        _work(desk, batch)
    # 6. Remember; where there was no time for everything, the next cycle polls the same again.
    after = moved_bookmark(world, mark, poll, chunk, revision=revision, narrow=run.narrow)
    after = after if done else mark or after
    was_narrow = run.narrow
    run.narrow = (
        done and poll.contacts_complete and poll.rows_complete and poll.individuals_complete
    )
    if done:
        follow_individuals(world, poll)
    run.moved = mark is None or got_on(mark, after, poll)
    whole = done and not was_narrow
    return _remember(desk, poll, due, after, calls=world.gateway.calls - calls, whole=whole)


def _mind_circuit(run: _Run, tx: Tx) -> None:
    """Write stops only from the start, where a mass change still waits for a person."""
    run.circuit = run.circuit or tx.circuit_open(run.world.org_id)
    run.halted = run.halted or run.circuit


def _remember(
    desk: _Desk, poll: Poll, due: Due, after: Bookmark, *, calls: int, whole: bool
) -> CycleReport:
    run, world = desk.run, desk.run.world
    # Before everybody has been judged once, nobody is shown as OK.
    clean = run.halted is None and run.narrow and after.backfill is Backfill.COMPLETE
    with world.ledger.begin() as tx:
        set_aside = seal_set_aside(world, tx, at=poll.server_time, whole=whole)
        errors = desk.unsure + (poll.heartbeat_refusal is not None) + set_aside
        tx.close_cycle(
            desk.cycle_id,
            Manifest(
                at=poll.server_time,
                records_read=len(desk.read),
                seen_again=due.seen_again,
                decisions=desk.decisions,
                outcomes=desk.writes,
                errors=errors,
                calls=calls,
                clean=clean,
                after=after,
            ),
        )
        waiting = tx.unwritten_stops(world.org_id)
    return CycleReport(
        cycle_id=desk.cycle_id,
        at=poll.server_time,
        read=len(desk.read),
        seen_again=due.seen_again,
        decisions=desk.decisions,
        writes=desk.writes,
        errors=errors,
        calls=calls,
        clean=clean and not errors,
        halted=run.halted,
        circuit=run.circuit,
        stop_seconds=tuple(desk.stop_seconds),
        behind=not run.narrow,
        unwritten_stops=waiting.number,
        oldest_unwritten=waiting.oldest,
        backfill=after.backfill,
    )


def _left_over(world: World, tx: Tx, *, held_too: bool) -> set[ContactId]:
    """Name the Contacts with writes of earlier cycles that can be decided again now."""
    held = tx.held_back(world.org_id) if held_too else ()
    return {*tx.retry_due(world.org_id, at=world.clock()), *held}


def _sign_of_life(world: World, tx: Tx) -> datetime | None:
    """Say which time the heartbeat may carry: none while a stop, a limit or a lapse has waited too long."""
    waiting = tx.overdue_since(world.org_id)
    overdue = waiting is not None and world.clock() - waiting > world.unwritten_limit
    return None if overdue else tx.last_clean_at(world.org_id)


def _work_off(desk: _Desk, batches: Iterable[Batch]) -> bool:
    """Work through what is due; say whether there was time for all of it."""
    for batch in batches:
        if not desk.run.go_on():
            return False
        _work(desk, batch)
    return True


def _work(desk: _Desk, batch: Batch) -> None:
    """Decide, record and write one batch, and decide again where Salesforce moved meanwhile."""
    for _ in range(ROUNDS_MAX):
        desk.turns += 1
        writes = _record(desk, read_batch(desk.run.world, batch))
        sent = write_out(desk.run.world, writes, go_on=desk.run.go_on)
        desk.writes.update(sent.results)
        desk.stop_seconds += [(each - desk.at).total_seconds() for each in sent.stopped]
        if not sent.again:
            return
        batch = Batch(contacts=sent.again, whole=sent.again)


def _record(desk: _Desk, reading: Reading) -> tuple[Write, ...]:
    """Commit what was decided before anything has an effect; give the writes that may be sent."""
    run, world = desk.run, desk.run.world
    with world.ledger.begin() as tx:
        tx.lock_head()  # nobody records anything between our looking and our deciding
        planned = plan_of(
            world, tx, reading, at=desk.at, salt=f"{desk.cycle_id}.{desk.turns}", so_far=run.change
        )
        plan = planned.plan
        run.change = change_of(plan, fresh=planned.fresh, so_far=run.change)
        run.circuit = run.circuit or planned.circuit
        run.halted = run.halted or planned.circuit or planned.surprise
        writes = stops_only(plan).writes if run.halted else plan.writes
        tx.record(
            plan,
            org_id=world.org_id,
            cycle_id=desk.cycle_id,
            at=desk.at,
            policy=world.policy,
            software=world.software,
            contacts=tuple(reading.contacts[each] for each in sorted(reading.contacts)),
            rows=planned.rows,
            asked_for=reading.asked_for,
        )
        if plan.opens_circuit is not None:
            tx.open_circuit(world.org_id, plan.opens_circuit, at=desk.at)
        held = tuple(each for each in plan.writes if run.halted and each.lane is not Lane.STOP)
        tx.settle(tuple(skipped(world, each, HELD_BACK) for each in held))
    desk.read |= planned.read
    desk.decisions.update(each.reason for each in plan.decisions)
    return writes


def _is_more(report: CycleReport) -> bool:
    return report.behind or report.backfill is Backfill.RUNNING


def _added(first: CycleReport, second: CycleReport) -> CycleReport:
    errors = first.errors + second.errors
    return replace(
        second,
        read=first.read + second.read,
        seen_again=first.seen_again + second.seen_again,
        decisions=Counter(first.decisions) + Counter(second.decisions),
        writes=Counter(first.writes) + Counter(second.writes),
        errors=errors,
        stop_seconds=first.stop_seconds + second.stop_seconds,
        calls=first.calls + second.calls,
        clean=second.clean and not errors,
    )
