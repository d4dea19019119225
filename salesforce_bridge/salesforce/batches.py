"""Packing writes into calls: runs of one kind, two hundred to a collection, five collections to a call."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import assert_never

from salesforce_bridge.reconcile.intent import Target, Verb, Write
from salesforce_bridge.salesforce.client import Part
from salesforce_bridge.salesforce.fields import KEY_FIELD
from salesforce_bridge.salesforce.records import http_date, render, render_for_collection

COLLECTIONS_PER_CALL = 5
PARTS_PER_CALL = 25


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Writes of one kind that travel as one part of a call."""

    target: Target
    verb: Verb
    writes: tuple[Write, ...]

    @property
    def single(self) -> bool:
        """Whether it is a guarded write to one record, which no collection can carry."""
        return self.verb is Verb.CLEAR_FLAG


def calls_of(writes: Sequence[Write], *, piece: int) -> Iterator[tuple[Batch, ...]]:
    """Pack writes into calls without changing their order."""
    call: list[Batch] = []
    for batch in _batches(writes, piece=piece):
        collections = sum(not each.single for each in call)
        full = not batch.single and collections == COLLECTIONS_PER_CALL
        if full or len(call) == PARTS_PER_CALL:
            yield tuple(call)
            call = []
        call.append(batch)
    if call:
        yield tuple(call)


def part_of(batch: Batch) -> Part:
    """Say one batch in the words of the API."""
    first = batch.writes[0]
    match batch.verb:
        case Verb.CLEAR_FLAG:
            assert first.unmodified_since is not None, "a flag is only cleared under a guard"
            return Part(
                method="PATCH",
                path=f"sobjects/{batch.target.value}/{first.record_id}",
                body={api: value for write in batch.writes for api, value in render(write).items()},
                headers={"If-Unmodified-Since": http_date(first.unmodified_since)},
            )
        case Verb.DELETE:
            ids = ",".join(str(write.record_id) for write in batch.writes)
            return Part(method="DELETE", path=f"composite/sobjects?ids={ids}&allOrNone=false")
        case Verb.UPDATE:
            return _collection("composite/sobjects", batch)
        case Verb.INSERT:
            return _collection("composite/sobjects", batch, method="POST")
        case Verb.UPSERT:
            return _collection(f"composite/sobjects/{batch.target.value}/{KEY_FIELD}", batch)
        case _:
            assert_never(batch.verb)


def _collection(path: str, batch: Batch, *, method: str = "PATCH") -> Part:
    records = [render_for_collection(write) for write in batch.writes]
    return Part(method=method, path=path, body={"allOrNone": False, "records": records})


def _batches(writes: Sequence[Write], *, piece: int) -> Iterator[Batch]:
    run: list[Write] = []
    named: set[str] = set()
    for write in writes:
        # A collection may name a record only once.
        if run and (_kind(write) != _kind(run[0]) or len(run) == piece or _name(write) in named):
            yield _batch(run)
            run, named = [], set()
        run.append(write)
        if write.verb is not Verb.CLEAR_FLAG:
            named.add(_name(write))
    if run:
        yield _batch(run)


def _batch(run: Sequence[Write]) -> Batch:
    return Batch(target=run[0].target, verb=run[0].verb, writes=tuple(run))


def _kind(write: Write) -> tuple[object, ...]:
    """Say what may travel together. Flags of one Contact do: the first of two would break the guard of the second."""
    if write.verb is Verb.CLEAR_FLAG:
        return write.target, write.verb, write.record_id, write.unmodified_since
    return write.target, write.verb


def _name(write: Write) -> str:
    match write.verb:
        case Verb.UPSERT:
            name = write.ledger_key
        case Verb.INSERT:
            name = write.id  # the org refuses a second one of its own accord
        case _:
            name = write.record_id
    assert name is not None, "a write names its record, by id or by ledger key"
    return name
