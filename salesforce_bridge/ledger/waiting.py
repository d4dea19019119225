"""Writes that wait: left over, to be tried again, and stops that Salesforce does not show yet."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, select, text, update

from salesforce_bridge.ledger import bulk, mirrors, writes
from salesforce_bridge.ledger.tables import UNFINISHED, planned_write
from salesforce_bridge.ledger.values import PlannedWrite, Result
from salesforce_bridge.permissions.keys import Channel, ContactId, OrgId, PurposeKey, RowId, Use
from salesforce_bridge.reconcile.facts import RefusedWrite
from salesforce_bridge.reconcile.intent import Lane, Target, Verb, Write
from salesforce_bridge.reconcile.words import Status

HELD_BACK = "HELD_BACK"  # never sent, because only stops may be written
NOT_SENT = "NOT_SENT"  # never sent, because this bridge was told to end
ROWS_FIRST = "ROWS_NOT_ACCEPTED"  # never sent, because a row of the Contact was not accepted
FIRST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(hours=1)
DOUBLINGS_MAX = 10

_REFUSED, _SKIPPED, _SUPERSEDED = Result.REFUSED.value, Result.SKIPPED.value, "superseded"
_LEFT_OVER = (_REFUSED, _SKIPPED)
_CLOSED = frozenset({Status.LIMITED.value, Status.LAPSED.value})
Name = tuple[Target, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """How many records do not show their stop yet, and since when the first of them has waited."""

    number: int
    oldest: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Left:
    """A write that was answered for and not accepted."""

    write: Write
    created_at: datetime
    refused: bool  # otherwise it was never sent
    code: str | None


def unwritten_stops(connection: Connection, org_id: OrgId) -> Waiting:
    """Count the records whose stop was decided and is not accepted by Salesforce."""
    since: dict[Name, datetime] = {}
    for each in _unfinished(connection, org_id):
        if each.write.lane is Lane.STOP:
            name = _name(each.write)
            since[name] = min(each.created_at, since.get(name, each.created_at))
    return Waiting(number=len(since), oldest=min(since.values(), default=None))


def overdue_since(connection: Connection, org_id: OrgId) -> datetime | None:
    """Say since when Salesforce may show more than the ledger allows: a stop, a limit or a lapse not accepted."""
    found = _unfinished(connection, org_id)
    return min((each.created_at for each in found if _takes_away(each.write)), default=None)


def _unfinished(connection: Connection, org_id: OrgId) -> Iterator[PlannedWrite]:
    statement = select(planned_write).where(planned_write.c.org_id == org_id, text(UNFINISHED))
    yield from map(writes.planned_of, connection.execute(statement))


def _takes_away(write: Write) -> bool:
    status = write.fields.get("consent_status")
    return write.lane is Lane.STOP or (
        write.verb is Verb.UPDATE
        and (status in _CLOSED or (status is not None and write.target is Target.ROW))
        and write.lane is Lane.TIGHTEN
    )


def retry_due(connection: Connection, org_id: OrgId, *, at: datetime) -> tuple[ContactId, ...]:
    """Name the Contacts with a write to be tried again: a refused one after a pause that doubles each time,
    one that was never sent at once.

    What is tried again is decided anew from today's ledger; an old payload is never sent twice.
    """
    left: dict[tuple[ContactId, Name], list[_Left]] = defaultdict(list)
    for each in _left_over(connection, org_id):
        if each.code not in (HELD_BACK, ROWS_FIRST):
            left[each.write.contact_id, _name(each.write)].append(each)
    return tuple(
        sorted({contact_id for (contact_id, _), tries in left.items() if _is_due(tries, at=at)})
    )


def held_back(connection: Connection, org_id: OrgId) -> tuple[ContactId, ...]:
    """Name the Contacts with writes that wait for the day on which more than stops may be written."""
    held = (each for each in _left_over(connection, org_id) if each.code == HELD_BACK)
    return tuple(sorted({each.write.contact_id for each in held}))


def refused_writes(
    connection: Connection, org_id: OrgId, contact_ids: Collection[ContactId]
) -> dict[ContactId, tuple[RefusedWrite, ...]]:
    """Say of Contacts which writes Salesforce refused; of each record, the latest."""
    refused = (
        planned_write.c.org_id == org_id,
        text(UNFINISHED),
        planned_write.c.state == _REFUSED,
    )
    if connection.execute(select(planned_write.c.id).where(*refused).limit(1)).first() is None:
        return {}
    statement = (
        select(planned_write)
        .where(*refused)
        .order_by(planned_write.c.created_at, planned_write.c.id)
    )
    tries = [
        (writes.planned_of(row).write, row.code or "")
        for row in bulk.look_up(connection, statement, planned_write.c.contact_id, contact_ids)
    ]
    ids = {RowId(write.record_id) for write, _ in tries if write.record_id is not None}
    rows = mirrors.rows(connection, org_id, ids)
    latest: dict[ContactId, dict[Name, RefusedWrite]] = defaultdict(dict)
    for write, code in tries:
        row = rows.get(RowId(write.record_id or ""))
        latest[write.contact_id][_name(write)] = RefusedWrite(
            target=write.target.value,
            use=_use_of(write.ledger_key or (None if row is None else row.fields.ledger_key)),
            code=code,
            stop=write.lane is Lane.STOP,
        )
    return {contact_id: tuple(found.values()) for contact_id, found in latest.items()}


def _use_of(ledger_key: str | None) -> Use | None:
    """Read the use from a key `<Contact id>:<purpose>:<channel>`."""
    _, _, use = (ledger_key or "").partition(":")
    purpose, colon, channel = use.partition(":")
    return Use(purpose=PurposeKey(purpose), channel=Channel(channel)) if colon else None


def supersede(
    connection: Connection,
    org_id: OrgId,
    contact_ids: Collection[ContactId],
    planned: Iterable[Write],
    *,
    held_too: bool,
) -> None:
    """Forget what was left over on Contacts that were judged again, where nothing is asked for any more.

    While a mass change waits for a person, what it edited is not judged, so that nothing is asked for there:
    unless `held_too`, what is held back is kept, for it leads back to those Contacts afterwards.
    """
    wanted = {_name(write) for write in planned}
    _forget(connection, org_id, contact_ids, lambda name: name not in wanted, held_too=held_too)


def clear(connection: Connection, org_id: OrgId, accepted: Sequence[Write]) -> None:
    """Forget what was left over on records that have accepted a write since."""
    written = {_name(write) for write in accepted}
    _forget(
        connection, org_id, {each.contact_id for each in accepted}, lambda name: name in written
    )


def _forget(
    connection: Connection,
    org_id: OrgId,
    contact_ids: Collection[ContactId],
    is_over: Callable[[Name], bool],
    *,
    held_too: bool = True,
) -> None:
    of_org = (
        planned_write.c.org_id == org_id,
        text(UNFINISHED),
        planned_write.c.state.in_(_LEFT_OVER),
    )
    if connection.execute(select(planned_write.c.id).where(*of_org).limit(1)).first() is None:
        return
    statement = select(planned_write).where(*of_org)
    found = bulk.look_up(connection, statement, planned_write.c.contact_id, contact_ids)
    over = [
        row.id
        for row in found
        if (held_too or row.code != HELD_BACK) and is_over(_name(writes.planned_of(row).write))
    ]
    for piece in bulk.pieces(over):
        connection.execute(
            update(planned_write).where(planned_write.c.id.in_(piece)).values(state=_SUPERSEDED)
        )


def _left_over(connection: Connection, org_id: OrgId) -> Iterator[_Left]:
    statement = select(planned_write).where(
        planned_write.c.org_id == org_id,
        text(UNFINISHED),
        planned_write.c.state.in_(_LEFT_OVER),
    )
    for row in connection.execute(statement):
        yield _Left(
            write=writes.planned_of(row).write,
            created_at=row.created_at,
            refused=row.state == _REFUSED,
            code=row.code,
        )


def _is_due(tries: Sequence[_Left], *, at: datetime) -> bool:
    refused = [each.created_at for each in tries if each.refused]
    if not refused:
        return True
    doublings = min(len(refused) - 1, DOUBLINGS_MAX)
    return at - max(refused) >= min(FIRST_PAUSE * (1 << doublings), LONGEST_PAUSE)


def _name(write: Write) -> Name:
    return write.target, write.record_id or write.ledger_key or ""
