"""Reading: what one cycle looks at, on both sides, closed over everyone who is concerned."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TypeVar

from salesforce_bridge.ledger.store import Deed, Ledger, Tx
from salesforce_bridge.ledger.values import Backfill, Bookmark
from salesforce_bridge.permissions.keys import ContactId, OrgId, RowId
from salesforce_bridge.permissions.policy import Policy
from salesforce_bridge.reconcile.dossiers import Sight, owner_of
from salesforce_bridge.reconcile.facts import LIVE_LINKS, ContactSnapshot, RowSnapshot
from salesforce_bridge.reconcile.intent import Target
from salesforce_bridge.salesforce.faults import RecordMalformed
from salesforce_bridge.salesforce.gateway import Gateway, Heartbeat, Poll
from salesforce_bridge.salesforce.records import Stamp

MERGES_MAX = 10  # Contacts merged into Contacts merged into Contacts …
SKEW = timedelta(seconds=1)  # between the clocks behind stamps and behind the Date header
LATE = timedelta(seconds=2)  # how late most changes become visible

Piece = TypeVar("Piece")


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Both sides, and the rules of one org."""

    gateway: Gateway
    ledger: Ledger
    policy: Policy
    org_id: OrgId
    clock: Callable[[], datetime]
    software: str
    heartbeat_key: str
    overlap: timedelta
    max_staleness: timedelta
    unwritten_limit: timedelta  # a stop unwritten for longer stops the heartbeat
    chunk: int  # Contacts judged at a time
    # Records that were read and could not be understood, until the cycle that met them has sealed that.
    aside: list[RecordMalformed] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What is to be looked at together: at most a chunk."""

    contacts: frozenset[ContactId] = frozenset()  # to be read
    whole: frozenset[ContactId] = frozenset()  # to be read with all their rows, whatever is known
    rows: frozenset[RowId] = frozenset()  # to be read
    touched: frozenset[ContactId] = frozenset()  # to be judged as the mirror has them
    page: tuple[ContactSnapshot, ...] = ()  # read already, by a backfill
    last: bool = False  # the last page of a backfill


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """All that one poll makes due."""

    batches: tuple[Batch, ...]
    seen_again: int  # records that are stamped as they were when they were last read


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What was read for one batch, and every Contact that has to be judged with it."""

    asked_for: frozenset[ContactId]
    contacts: Mapping[ContactId, ContactSnapshot]
    rows: Mapping[RowId, RowSnapshot]
    judged: frozenset[ContactId]


def poll_org(
    world: World, mark: Bookmark | None, *, heartbeat: datetime | None, narrow: bool = False
) -> Poll:
    """Ask what changed, and show the heartbeat.

    `narrow` where this very run polled everything a moment ago.
    """
    minutes = int(world.max_staleness.total_seconds() // 60)
    alive = (
        Heartbeat(key=world.heartbeat_key, last_cycle_at=heartbeat, max_staleness_minutes=minutes)
        if heartbeat is not None
        else None
    )
    if mark is None:
        # A backfill reads everything; this poll only tells from when to go on after it.
        now = world.clock()
        return world.gateway.poll(now, now, alive)
    if is_narrow(world, mark, narrow=narrow):
        since = mark.clock - LATE
        return world.gateway.poll(since, since, alive)
    return world.gateway.poll(
        mark.contacts_since - world.overlap, mark.rows_since - world.overlap, alive
    )


def is_narrow(world: World, mark: Bookmark | None, *, narrow: bool) -> bool:
    """Between the chunks of a backfill only the last moments are polled: its own writes fill the overlap.

    The bookmark stays where the last whole poll was, and soon there is another one, which finds what
    was committed late.
    """
    return narrow and mark is not None and mark.clock - mark.contacts_since < world.overlap


def due_batches(
    world: World, tx: Tx, mark: Bookmark | None, poll: Poll, *, again: Collection[ContactId]
) -> Due:
    """List what has to be looked at, in batches: changed records, people touched, moments passed."""
    contacts, rows = Changes(), Changes()
    touched: set[str] = set()
    met = len(poll.contacts) + len(poll.rows)
    if mark is not None:
        contacts = _changed(world, tx, mark, Target.CONTACT, poll.contacts)
        rows = _changed(world, tx, mark, Target.ROW, poll.rows)
        met -= sum(len(each.news) + len(each.unsure) for each in (contacts, rows))
        touched = _touched(world, tx, mark, at=poll.server_time)
    # News comes first, and of news the rows, on which people ask to stop: what there is no time for waits.
    wanted = [
        *(("rows", each) for each in sorted(rows.news)),
        *(("contacts", each) for each in sorted(contacts.news - set(again))),
        *(("whole", each) for each in sorted(again)),
        *(("touched", each) for each in sorted(touched - set(again) - contacts.news)),
        *(("rows", each) for each in sorted(rows.unsure)),
        *(("contacts", each) for each in sorted(contacts.unsure - set(again))),
    ]
    return Due(batches=tuple(_batch(part) for part in pieces(wanted, world.chunk)), seen_again=met)


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What the stamps of one poll say about one object."""

    news: frozenset[str] = frozenset()
    unsure: frozenset[str] = (
        frozenset()
    )  # known by their stamp, but read while its second was running


def _changed(
    world: World, tx: Tx, mark: Bookmark, target: Target, stamps: Sequence[Stamp]
) -> Changes:
    """Tell the stamps that are news from those that are known.

    Stamps have whole seconds, and clocks differ a little. What was stamped just before the last poll, or
    later, may have been read in the middle of its second, before somebody changed it once more; so it is
    read again.
    """
    unsure_from = mark.clock.replace(microsecond=0) - SKEW
    known = tx.known(world.org_id, target, {stamp.id for stamp in stamps})
    news = frozenset(stamp.id for stamp in stamps if known.get(stamp.id) != stamp.modstamp)
    late = frozenset(stamp.id for stamp in stamps if stamp.modstamp >= unsure_from)
    return Changes(news=news, unsure=late - news)


def _touched(world: World, tx: Tx, mark: Bookmark, *, at: datetime) -> set[str]:
    people = {*tx.touched_since(mark.revision, tx.head().revision), *tx.due(mark.clock, at)}
    return {
        link.contact_id
        for record in tx.subjects(people).values()
        for link in record.links
        if link.org_id == world.org_id
    }


def _batch(wanted: Iterable[tuple[str, str]]) -> Batch:
    found: dict[str, set[str]] = defaultdict(set)
    for kind, name in wanted:
        found[kind].add(name)
    return Batch(
        contacts=frozenset(map(ContactId, found["contacts"] | found["whole"])),
        whole=frozenset(map(ContactId, found["whole"])),
        rows=frozenset(map(RowId, found["rows"])),
        touched=frozenset(map(ContactId, found["touched"])),
    )


def next_chunk(world: World, mark: Bookmark | None) -> tuple[Batch, ...]:
    """Read the next page of a backfill, if one runs: at first contact, and after every change of policy."""
    backfill, after = _backfill(world, mark)
    if backfill is not Backfill.RUNNING:
        return ()
    return (_page_after(world, after),)


def chunks_left(world: World, mark: Bookmark | None) -> Iterator[Batch]:
    """Read all pages that are left of a backfill, one after the other."""
    backfill, after = _backfill(world, mark)
    while backfill is Backfill.RUNNING:
        batch = _page_after(world, after)
        yield batch
        if batch.last:
            return
        after = batch.page[-1].contact_id


def _page_after(world: World, after: ContactId | None) -> Batch:
    aside = len(world.aside)
    page = world.gateway.contacts_after(after, limit=world.chunk)
    met = len(page) + len(world.aside) - aside
    return Batch(page=page, last=met < world.chunk)


def _backfill(world: World, mark: Bookmark | None) -> tuple[Backfill, ContactId | None]:
    if mark is None or mark.policy_digest != world.policy.digest:
        return Backfill.RUNNING, None
    return mark.backfill, mark.backfill_after


def moved_bookmark(
    world: World,
    mark: Bookmark | None,
    poll: Poll,
    chunk: tuple[Batch, ...],
    *,
    revision: int,
    narrow: bool,
) -> Bookmark:
    """Say how far both sides are known now."""
    backfill, after = _backfill(world, mark)
    for batch in chunk:
        backfill = Backfill.COMPLETE if batch.last else Backfill.RUNNING
        after = batch.page[-1].contact_id if batch.page else after
    stays = mark if is_narrow(world, mark, narrow=narrow) else None
    return Bookmark(
        org_id=world.org_id,
        contacts_since=stays.contacts_since if stays else _read_up_to(world, poll, Target.CONTACT),
        rows_since=stays.rows_since if stays else _read_up_to(world, poll, Target.ROW),
        revision=revision,
        clock=poll.server_time,
        policy_digest=world.policy.digest,
        backfill=backfill,
        backfill_after=after,
    )


def _read_up_to(world: World, poll: Poll, target: Target) -> datetime:
    contacts = target is Target.CONTACT
    if poll.contacts_complete if contacts else poll.rows_complete:
        return poll.server_time
    # The next poll goes on exactly where this one ended: with an overlap a mass change that is larger than
    # a poll would be read from its beginning for ever.
    return (poll.contacts if contacts else poll.rows)[-1].modstamp + world.overlap


def read_batch(world: World, batch: Batch) -> Reading:
    """Read what a batch names, and close the set: merges, people with several Contacts, shared addresses."""
    gateway, org_id = world.gateway, world.org_id
    page = {each.contact_id: each for each in batch.page}
    contacts = page | {each.contact_id: each for each in gateway.contacts(batch.contacts)}
    rows = {each.row_id: each for each in gateway.rows(batch.rows)}
    if batch.last:
        rows |= {each.row_id: each for each in gateway.orphan_rows()}
    asked_for = batch.contacts | page.keys()
    judged = asked_for | batch.touched
    known: frozenset[str] = frozenset()
    for _ in range(MERGES_MAX):
        with world.ledger.reading() as tx:
            judged = _closed(tx, org_id, judged, contacts, rows)
            known = frozenset(tx.known(org_id, Target.CONTACT, judged))
        strangers = frozenset(judged - asked_for - known)
        if not strangers:
            break
        contacts |= {each.contact_id: each for each in gateway.contacts(strangers)}
        asked_for |= strangers
    # Of a Contact met for the first time all rows are read, whenever they were last changed.
    aside = frozenset(each.record_id for each in world.aside)
    # One that cannot be understood is not one that is gone.
    asked_for = frozenset(asked_for - aside)
    whole = batch.whole | page.keys()
    rows |= {each.row_id: each for each in gateway.rows_of((asked_for - known) | whole)}
    rows |= _moved_or_gone(world, whole, rows.keys())
    return Reading(asked_for=asked_for, contacts=contacts, rows=rows, judged=judged)


def _moved_or_gone(
    world: World, owners: frozenset[ContactId], read: Collection[RowId]
) -> Mapping[RowId, RowSnapshot]:
    """Ask for rows that are remembered and were not found with their Contact; one that is not there is deleted."""
    aside = frozenset(each.record_id for each in world.aside)
    with world.ledger.reading() as tx:
        remembered = {
            row.row_id: row
            for rows in tx.rows_of(world.org_id, owners).values()
            for row in rows
            if row.row_id not in read and row.row_id not in aside
        }
    gone = {row_id: replace(row, deleted=True) for row_id, row in remembered.items()}
    return gone | {each.row_id: each for each in world.gateway.rows(remembered.keys())}


def _closed(
    tx: Tx,
    org_id: OrgId,
    judged: frozenset[ContactId],
    contacts: Mapping[ContactId, ContactSnapshot],
    rows: Mapping[RowId, RowSnapshot],
) -> frozenset[ContactId]:
    """Add every Contact whose person, merge, row or address one of these shares."""
    found = set(judged)
    known = tx.row_mirrors(org_id, rows.keys())
    for row_id, row in rows.items():
        before = known.get(row_id)
        owners = (owner_of(row), owner_of(before) if before is not None else None)
        found |= {owner for owner in owners if owner is not None}
    found |= {each.master_id for each in contacts.values() if each.master_id is not None}
    hmacs = {point.hmac for each in contacts.values() for point in each.points}
    people = {link.subject_id for link in tx.links_of(org_id, found).values()}
    hmacs |= {held.point.hmac for record in tx.subjects(people).values() for held in record.points}
    sharing = {each for holders in tx.holders(hmacs).values() for each in holders}
    for record in tx.subjects(people | sharing).values():
        found |= {
            link.contact_id
            for link in record.links
            if link.org_id == org_id and link.state in LIVE_LINKS
        }
    return frozenset(found)


def seal_set_aside(world: World, tx: Tx, *, at: datetime) -> int:
    """Seal that records could not be understood, and give their number."""
    aside = {(each.table, each.record_id) for each in world.aside}
    world.aside.clear()
    for table, record_id in sorted(aside, key=str):
        deed = Deed(
            verb="SET_ASIDE",
            by="bridge",
            reason="RECORD_MALFORMED",
            details={"object": table, "record_id": record_id},
        )
        tx.append_deed(deed, at=at, policy=world.policy)
    return len(aside)


def lay_in_sight(world: World, tx: Tx, reading: Reading) -> Sight:
    """Lay what was read beside all that is remembered about the same people."""
    org_id = world.org_id
    links = tx.links_of(org_id, reading.judged)
    held = tx.subjects({link.subject_id for link in links.values()})
    hmacs = {point.hmac for each in reading.contacts.values() for point in each.points}
    hmacs |= {held.point.hmac for record in held.values() for held in record.points}
    sharing = {each for holders in tx.holders(hmacs).values() for each in holders}
    remembered = tx.rows_of(org_id, reading.judged)
    owners = {row.row_id: owner for owner, rows in remembered.items() for row in rows}
    mirrors = {row.row_id: row for rows in remembered.values() for row in rows}
    mirrors |= tx.row_mirrors(org_id, reading.rows.keys())
    return Sight(
        asked_for=reading.asked_for,
        contacts=reading.contacts,
        rows=reading.rows,
        contact_mirrors=tx.contact_mirrors(org_id, reading.judged),
        row_mirrors=mirrors,
        row_owners=owners,
        links=links,
        records={**tx.subjects(sharing), **held},
        pending=tuple(each.write for each in tx.unsettled(org_id, reading.judged)),
    )


def pieces(whole: Sequence[Piece], size: int) -> Iterator[tuple[Piece, ...]]:
    """Cut a whole into parts of at most `size`, in its order."""
    for start in range(0, len(whole), size):
        yield tuple(whole[start : start + size])
