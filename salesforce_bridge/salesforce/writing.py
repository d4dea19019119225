"""Sending writes: a thousand records a call, in order, and what became of each of them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from salesforce_bridge.errors import BridgeError, RetryLater
from salesforce_bridge.reconcile.intent import Verb, Write
from salesforce_bridge.salesforce.batches import Batch, calls_of, part_of
from salesforce_bridge.salesforce.client import Answer, Client, Reply, Resend
from salesforce_bridge.salesforce.complaints import Refusal, refusal
from salesforce_bridge.salesforce.faults import AnswerLost, Interrupted, code_of, translate
from salesforce_bridge.salesforce.records import long_id


class Result(StrEnum):
    """What became of one write."""

    ACCEPTED = "accepted"
    REFUSED = "refused"  # Salesforce said no
    UNKNOWN = "unknown"  # it went out and the answer was lost: look again, never send again blindly
    SKIPPED = "skipped"  # it never went out


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What Salesforce answered to one write, in words that may be stored and shown."""

    write_id: str
    result: Result
    code: str | None = None
    message: str | None = None
    message_digest: str | None = None  # SHA-256 of what Salesforce said word for word
    record_id: str | None = None
    server_time: datetime | None = None
    retryable: bool = False  # the same write may be accepted later, with nothing changed by anybody
    rule: str | None = None  # our validation rule that refused, such as SB-STOP-PENDING


# A collection that meets locks or CPU limits is sent again in smaller pieces, and then left to the next cycle.
PIECES = (200, 100, 50, 20)
LOST_MAX = 2  # one lost answer is bad luck, two are an outage: the rest is not sent into it


def write_all(client: Client, writes: Sequence[Write]) -> tuple[Outcome, ...]:
    """Send writes in their order; raises only if Salesforce refused the request and took nothing of it."""
    sending = _Sending(client)
    waiting = tuple(writes)
    for round_no, piece in enumerate(PIECES):
        if round_no and not sending.wait(round_no):
            break
        sending.send(waiting, piece=piece)
        waiting = sending.worth_another_try(writes)
        if not waiting:
            break
    return sending.outcomes_of(writes)


class _Sending:
    """The state of one `write_all`."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._outcomes: dict[str, Outcome] = {}
        self._whole: dict[str, BridgeError] = {}  # writes refused with their whole request, and why
        self._stopped: BridgeError | None = None
        self._lost = 0

    def wait(self, turn: int) -> bool:
        try:
            self._client.settle_down(turn)
        except Interrupted:
            return False
        return True

    def send(self, writes: Sequence[Write], *, piece: int) -> None:
        for call in calls_of(writes, piece=piece):
            if self._stopped is not None:
                self._leave(call, self._stopped)
                continue
            try:
                answer = self._client.composite(
                    tuple(part_of(batch) for batch in call),
                    resend=Resend.IF_NOT_SENT,
                    read=_as_it_is,
                )
            except AnswerLost as error:
                self._lose(call, error)
            except BridgeError as error:
                self._stopped = error
                self._refuse_call(call, error)
            else:
                self._settle(call, answer)

    def worth_another_try(self, writes: Sequence[Write]) -> tuple[Write, ...]:
        """Those that met load, unless a later write to the same record went through: order is kept."""
        if self._stopped is not None:
            return ()
        overtaken: set[str] = set()
        again: list[Write] = []
        for write in reversed(writes):
            outcome = self._outcomes[write.id]
            record = write.record_id or write.ledger_key or write.id
            if outcome.result is Result.REFUSED and outcome.retryable and record not in overtaken:
                again.append(write)
            else:
                overtaken.add(record)
        return tuple(reversed(again))

    def outcomes_of(self, writes: Sequence[Write]) -> tuple[Outcome, ...]:
        if writes and all(self._untouched(write) for write in writes):
            raise next(iter(self._whole.values()))
        return tuple(self._final(write) for write in writes)

    def _untouched(self, write: Write) -> bool:
        return self._final(write).result is Result.SKIPPED or (
            write.id in self._whole and not isinstance(self._whole[write.id], AnswerLost)
        )

    def _final(self, write: Write) -> Outcome:
        """An org that gave up half-way over a collection does not know itself what it did."""
        outcome = self._outcomes[write.id]
        if isinstance(self._whole.get(write.id), AnswerLost):
            return replace(outcome, result=Result.UNKNOWN)
        return outcome

    def _settle(self, call: Sequence[Batch], answer: Answer) -> None:
        for batch, reply in zip(call, answer.replies, strict=True):
            for outcome in _outcomes(batch, reply, server_time=answer.server_time):
                self._outcomes[outcome.write_id] = outcome
                self._whole.pop(outcome.write_id, None)
            if not batch.single and reply.status >= _REFUSED:
                whole = translate(reply.status, reply.body)
                self._whole |= {write.id: whole for write in batch.writes}

    def _lose(self, call: Sequence[Batch], error: AnswerLost) -> None:
        self._lost += 1
        if self._lost == LOST_MAX:
            self._stopped = error
        for write in _writes(call):
            self._whole.pop(write.id, None)
            self._outcomes[write.id] = _of_call(write, Result.UNKNOWN, error)

    def _refuse_call(self, call: Sequence[Batch], error: BridgeError) -> None:
        """A write that was refused for load before keeps that answer: it says more than this one."""
        for write in _writes(call):
            if write.id not in self._outcomes:
                self._whole[write.id] = error
                self._outcomes[write.id] = _of_call(write, Result.REFUSED, error)

    def _leave(self, call: Sequence[Batch], error: BridgeError) -> None:
        for write in _writes(call):
            if write.id not in self._outcomes:
                self._outcomes[write.id] = _of_call(write, Result.SKIPPED, error)


_OK = 200
_REFUSED = 300


def _as_it_is(answer: Answer) -> Answer:
    return answer


def _writes(call: Sequence[Batch]) -> Iterator[Write]:
    return (write for batch in call for write in batch.writes)


def _of_call(write: Write, result: Result, error: BridgeError) -> Outcome:
    return Outcome(
        write_id=write.id,
        result=result,
        code=code_of(error),
        message=error.message,
        record_id=write.record_id,
        retryable=isinstance(error, RetryLater),
    )


def _outcomes(batch: Batch, reply: Reply, *, server_time: datetime | None) -> tuple[Outcome, ...]:
    """Match answers to writes by position: a refused record may come back without its id."""
    if batch.single:
        outcomes = tuple(_single(write, reply) for write in batch.writes)
    elif reply.status != _OK:
        why = refusal(reply.body, status=reply.status)
        busy = isinstance(translate(reply.status, reply.body), RetryLater)
        outcomes = tuple(
            _refused(write, replace(why, retryable=why.retryable or busy)) for write in batch.writes
        )
    elif not isinstance(reply.body, list) or len(reply.body) != len(batch.writes):
        outcomes = tuple(_unclear(write) for write in batch.writes)
    else:
        pairs = zip(batch.writes, reply.body, strict=True)
        outcomes = tuple(_row(write, row) for write, row in pairs)
    return tuple(replace(outcome, server_time=server_time) for outcome in outcomes)


def _single(write: Write, reply: Reply) -> Outcome:
    if reply.status == _NO_CONTENT:
        return Outcome(write_id=write.id, result=Result.ACCEPTED, record_id=write.record_id)
    if reply.status < _REFUSED:
        return _unclear(write)
    why = refusal(reply.body, status=reply.status)
    return _refused(write, why)


_NO_CONTENT = 204


def _row(write: Write, row: object) -> Outcome:
    if not isinstance(row, Mapping) or not isinstance(row.get("success"), bool):
        return _unclear(write)
    if row["success"]:
        record_id = row.get("id")
        if not isinstance(record_id, str):
            return _unclear(write)
        if write.record_id is not None and long_id(record_id) != long_id(write.record_id):
            return _unclear(write)
        return Outcome(write_id=write.id, result=Result.ACCEPTED, record_id=long_id(record_id))
    why = refusal(row.get("errors"))
    if write.verb is Verb.INSERT and why.code == _THERE_ALREADY:
        return Outcome(write_id=write.id, result=Result.ACCEPTED, code=_THERE_ALREADY)
    return _refused(write, why)


_THERE_ALREADY = "DUPLICATE_VALUE"


def _refused(write: Write, why: Refusal) -> Outcome:
    return Outcome(
        write_id=write.id,
        result=Result.REFUSED,
        code=why.code,
        message=why.message,
        message_digest=why.digest,
        record_id=write.record_id,
        retryable=why.retryable,
        rule=why.rule,
    )


def _unclear(write: Write) -> Outcome:
    return Outcome(
        write_id=write.id,
        result=Result.UNKNOWN,
        code="ANSWER_MALFORMED",
        message="Salesforce answered for this record in a way it does not document",
        record_id=write.record_id,
        retryable=True,
    )
