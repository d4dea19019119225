"""Sending: how one cycle writes out what was decided, and settles every answer."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from salesforce_bridge.ledger.values import Result, Settled
from salesforce_bridge.ledger.waiting import NOT_SENT, ROWS_FIRST
from salesforce_bridge.permissions.keys import ContactId
from salesforce_bridge.reading import World, pieces
from salesforce_bridge.reconcile.intent import Lane, Target, Write
from salesforce_bridge.salesforce.faults import AccessRefused, FieldMissing
from salesforce_bridge.salesforce.writing import Outcome

RECORDS_PER_CALL = 1_000
OBJECT_GONE = "OBJECT_GONE"  # never sent, because the org no longer has what it goes to
_STALE = frozenset({"STALE", "ENTITY_IS_DELETED", "NOT_FOUND", "INVALID_CROSS_REFERENCE_KEY"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What became of the writes of one batch."""

    results: Counter[str]
    again: frozenset[ContactId]  # moved meanwhile, so they have to be decided on again
    stopped: tuple[datetime, ...] = ()  # when each stop was accepted


@dataclass(slots=True, kw_only=True)
class _Post:
    world: World
    go_on: Callable[[], bool]
    answers: dict[str, Settled] = field(default_factory=dict)
    again: set[str] = field(default_factory=set)  # ids of writes that met another state


def write_out(world: World, writes: tuple[Write, ...], *, go_on: Callable[[], bool]) -> Sent:
    """Send and settle, stops first.

    What loosens is sent only while `go_on` says that this is still the bridge that writes; a stop always is.
    """
    post = _Post(world=world, go_on=go_on)
    first = tuple(each for each in writes if each.lane < Lane.LOOSEN_CONTACT)
    last = tuple(each for each in writes if each.lane >= Lane.LOOSEN_CONTACT)
    _send(post, first)
    waiting = {
        each.contact_id
        for each in first
        if each.target is Target.ROW and post.answers[each.id].result is not Result.ACCEPTED
    }
    _settle(
        post,
        tuple(skipped(world, each, ROWS_FIRST) for each in last if each.contact_id in waiting),
    )
    _send(post, tuple(each for each in last if each.contact_id not in waiting))
    return Sent(
        results=Counter(each.result.value for each in post.answers.values()),
        again=frozenset(each.contact_id for each in writes if each.id in post.again),
        stopped=tuple(
            post.answers[each.id].at
            for each in first
            if each.lane is Lane.STOP and post.answers[each.id].result is Result.ACCEPTED
        ),
    )


def skipped(world: World, write: Write, code: str) -> Settled:
    """Settle a write that was not sent."""
    return Settled(write_id=write.id, result=Result.SKIPPED, at=world.clock(), code=code)


def _send(post: _Post, writes: tuple[Write, ...]) -> None:
    for piece in pieces(writes, RECORDS_PER_CALL):
        loosening = tuple(each for each in piece if each.lane >= Lane.LOOSEN_ROWS)
        held = loosening if loosening and not post.go_on() else ()
        sendable = tuple(each for each in piece if each.lane < Lane.LOOSEN_ROWS) if held else piece
        outcomes = _answers(post.world, sendable)
        post.again.update(each.write_id for each in outcomes if _moved_on(each))
        answered = {each.write_id for each in outcomes}
        _settle(
            post,
            (
                *(_settled(post.world, each) for each in outcomes),
                *(skipped(post.world, each, NOT_SENT) for each in held),
                *(
                    skipped(post.world, each, OBJECT_GONE)
                    for each in sendable
                    if each.id not in answered
                ),
            ),
        )


def _answers(world: World, writes: tuple[Write, ...]) -> tuple[Outcome, ...]:
    """Send; what goes to an object that an org may lack goes by itself, so that it takes nothing else along."""
    needed = tuple(each for each in writes if each.target is not Target.CAMPAIGN_MEMBER)
    extra = tuple(each for each in writes if each.target is Target.CAMPAIGN_MEMBER)
    outcomes = world.gateway.write(needed) if needed else ()
    try:
        return (*outcomes, *(world.gateway.write(extra) if extra else ()))
    except (FieldMissing, AccessRefused):
        return outcomes


def _settle(post: _Post, settled: tuple[Settled, ...]) -> None:
    if settled:
        with post.world.ledger.begin() as tx:
            tx.settle(settled)
    post.answers.update({each.write_id: each for each in settled})


def _settled(world: World, outcome: Outcome) -> Settled:
    return Settled(
        write_id=outcome.write_id,
        result=Result(outcome.result.value),
        at=outcome.server_time or world.clock(),
        code=outcome.code,
        message_digest=outcome.message_digest,
        record_id=outcome.record_id,
    )


def _moved_on(outcome: Outcome) -> bool:
    """Say whether a refusal means that the record is no longer what was decided on."""
    return outcome.rule is not None or outcome.code in _STALE
