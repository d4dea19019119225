"""Reading: what one cycle looks at, on both sides, closed over everyone who is concerned."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import TypeVar

from salesforce_bridge.ledger.store import Deed, Ledger, Tx
from salesforce_bridge.ledger.values import Bookmark
from salesforce_bridge.permissions.keys import ContactId, OrgId, RowId
from salesforce_bridge.permissions.policy import Policy
from salesforce_bridge.reconcile.facts import ContactSnapshot, RowSnapshot
from salesforce_bridge.reconcile.intent import Target
from salesforce_bridge.salesforce.faults import RecordMalformed
from salesforce_bridge.salesforce.fields import INDIVIDUAL, LEAD
from salesforce_bridge.salesforce.gateway import Gateway, Heartbeat, Poll
from salesforce_bridge.salesforce.records import Stamp
from salesforce_bridge.sight import Reading, closed, gone_owners

MERGES_MAX = 10  # Contacts merged into Contacts merged into Contacts …
SKEW = timedelta(seconds=1)  # between the clocks behind stamps and behind the Date header
FIRST_KEY = 1
FOLLOWED_FOR = 2  # overlaps; what was stamped before is in no poll any more
LATE = timedelta(seconds=2)  # how late most changes become visible

Piece = TypeVar("Piece")


@dataclass(slots=True, kw_only=True)
class Memory:
    """What a bridge keeps in mind from cycle to cycle beside its ledger: a restart loses it, and only asks more."""

    individuals: dict[str, datetime] = field(default_factory=dict)  # stamps that were followed up
    spoilt: set[tuple[str, str]] = field(default_factory=set)  # objects and ids not understood
    policies: dict[str, Policy | None] = field(default_factory=dict)  # by digest


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
    memory: Memory = field(default_factory=Memory)

    @property
    def reads_by(self) -> str:
        """Fingerprint what makes everybody be read anew: the rules, the key of the addresses, privacy records."""
        key, features = self.gateway.key_version, self.gateway.features
        more = [f"key {key}"] if key != FIRST_KEY else []
        more += [INDIVIDUAL] if INDIVIDUAL in features else []
        if not more:
            return self.policy.digest
        return sha256(" ".join((self.policy.digest, *more)).encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What is to be looked at together: at most a chunk."""

    contacts: frozenset[ContactId] = frozenset()  # to be read
    whole: frozenset[ContactId] = frozenset()  # to be read with all their rows, whatever is known
    rows: frozenset[RowId] = frozenset()  # to be read
    touched: frozenset[ContactId] = frozenset()  # to be judged as the mirror has them
    individuals: frozenset[str] = frozenset()  # privacy records whose Contacts are to be read
    leads: frozenset[str] = frozenset()  # Leads that could not be understood, with their Contacts
    page: tuple[ContactSnapshot, ...] = ()  # read already, by a backfill
    last: bool = False  # the last page of a backfill


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """All that one poll makes due."""

    batches: tuple[Batch, ...]
    seen_again: int  # records that are stamped as they were when they were last read


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
    individuals: frozenset[str] = frozenset()
    touched: set[str] = set()
    spoilt = {table: _spoilt(world, table) for table in (Target.CONTACT, Target.ROW)}
    met = len(poll.contacts) + len(poll.rows) + len(poll.individuals)
    if mark is not None:
        contacts = _changed(world, tx, mark, Target.CONTACT, poll.contacts)
        rows = _changed(world, tx, mark, Target.ROW, poll.rows)
        individuals = _individuals_changed(world, poll)
        met -= sum(len(each.news) + len(each.unsure) for each in (contacts, rows))
        met -= len(individuals)
        touched = _touched(world, tx, mark, at=poll.server_time)
    unsure = contacts.unsure | spoilt[Target.CONTACT] - contacts.news
    # News comes first, and of news the rows, on which people ask to stop: what there is no time for waits.
    wanted = [
        *(("rows", each) for each in sorted(rows.news)),
        *(("contacts", each) for each in sorted(contacts.news - set(again))),
        *(("individuals", each) for each in sorted(individuals)),
        *(("whole", each) for each in sorted(again)),
        *(("touched", each) for each in sorted(touched - set(again) - contacts.news)),
        *(("rows", each) for each in sorted(rows.unsure | spoilt[Target.ROW] - rows.news)),
        *(("contacts", each) for each in sorted(unsure - set(again))),
        *(("leads", each) for each in sorted(_spoilt(world, LEAD))),
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


def _individuals_changed(world: World, poll: Poll) -> frozenset[str]:
    followed = world.memory.individuals
    return frozenset(
        stamp.id for stamp in poll.individuals if followed.get(stamp.id) != stamp.modstamp
    )


def follow_individuals(world: World, poll: Poll) -> None:
    """Keep in mind which privacy records were followed up, but for those whose second was still running."""
    unsure_from = poll.server_time.replace(microsecond=0) - SKEW
    settled = {each.id: each.modstamp for each in poll.individuals if each.modstamp < unsure_from}
    kept = world.memory.individuals
    forgotten = poll.server_time - FOLLOWED_FOR * world.overlap
    for each in [each for each, stamp in kept.items() if stamp < forgotten]:
        del kept[each]
    kept.update(settled)


def _spoilt(world: World, wanted: str) -> frozenset[str]:
    return frozenset(each for table, each in world.memory.spoilt if table == wanted)


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
        individuals=frozenset(found["individuals"]),
        leads=frozenset(found["leads"]),
    )


def read_batch(world: World, batch: Batch) -> Reading:
    """Read what a batch names, and close the set: merges, people with several Contacts, shared addresses."""
    gateway, org_id = world.gateway, world.org_id
    page = {each.contact_id: each for each in batch.page}
    leads = gateway.leads(batch.leads)
    wanted = batch.contacts | leads.keys()
    contacts = page | {each.contact_id: each for each in gateway.contacts(wanted)}
    of_individuals = gateway.contacts_of_individuals(batch.individuals)
    contacts |= {each.contact_id: each for each in of_individuals}
    rows = {each.row_id: each for each in gateway.rows(batch.rows)}
    if batch.last:
        rows |= {each.row_id: each for each in gateway.orphan_rows()}
    asked_for = wanted | contacts.keys()
    judged = asked_for | batch.touched
    known: frozenset[str] = frozenset()
    for _ in range(MERGES_MAX):
        with world.ledger.reading() as tx:
            judged = closed(tx, org_id, judged, contacts, rows)
            known = frozenset(tx.known(org_id, Target.CONTACT, judged))
            gone = gone_owners(tx, org_id, rows.values())
        strangers = frozenset(judged - asked_for - known) | gone - asked_for
        if not strangers:
            break
        contacts |= {each.contact_id: each for each in gateway.contacts(strangers)}
        asked_for |= strangers
    heirs = _taken_over_by(asked_for - known, contacts)
    unread = heirs - contacts.keys()
    contacts |= {each.contact_id: each for each in gateway.contacts(unread)}
    asked_for |= unread
    if INDIVIDUAL not in gateway.features:
        contacts |= _with_records_last_seen(world, contacts, known)
    aside = frozenset(each.record_id for each in world.aside)
    # One that cannot be understood is not one that is gone.
    asked_for = frozenset(asked_for - aside)
    # Of a Contact met for the first time all rows are read, whenever they were last changed.
    whole = batch.whole | page.keys()
    met = asked_for - known
    look = gateway.first_look(met | whole, strangers=met | heirs)
    contacts |= {
        each: replace(contacts[each], lead=lead)
        for each, lead in {**leads, **look.leads}.items()
        if each in contacts
    }
    rows |= {each.row_id: each for each in look.rows}
    rows |= _moved_or_gone(world, whole, rows.keys())
    return Reading(asked_for=asked_for, contacts=contacts, rows=rows, judged=judged)


def _taken_over_by(
    met: frozenset[ContactId], contacts: Mapping[ContactId, ContactSnapshot]
) -> frozenset[ContactId]:
    """Name the Contacts into which those were merged that nobody had met: a merge takes their Leads along."""
    found: set[ContactId] = set()
    ahead = [contacts[each].master_id for each in met if each in contacts]
    while ahead:
        master = ahead.pop()
        if master is not None and master not in found:
            found.add(master)
            ahead += [contacts[master].master_id] if master in contacts else []
    return frozenset(found)


def _with_records_last_seen(
    world: World, contacts: Mapping[ContactId, ContactSnapshot], known: frozenset[str]
) -> dict[ContactId, ContactSnapshot]:
    """Keep what was last seen of privacy records while they cannot be: else each would be news on its return."""
    with world.ledger.reading() as tx:
        mirrors = tx.contact_mirrors(world.org_id, {each for each in contacts if each in known})
    return {
        contact_id: replace(contacts[contact_id], individual=mirror.individual)
        for contact_id, mirror in mirrors.items()
        if mirror.individual is not None
    }


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


def seal_set_aside(world: World, tx: Tx, *, at: datetime, whole: bool) -> int:
    """Seal that records could not be understood, each once, and give their number.

    They are asked for again by every cycle until they can be; `whole` where this one asked for all of them.
    """
    memory = world.memory
    met = {(each.table, each.record_id) for each in world.aside if each.record_id is not None}
    nameless = sum(each.record_id is None for each in world.aside)
    world.aside.clear()
    for table, record_id in sorted(met - memory.spoilt):
        deed = Deed(
            verb="SET_ASIDE",
            by="bridge",
            reason="RECORD_MALFORMED",
            details={"object": table, "record_id": record_id},
        )
        tx.append_deed(deed, at=at, policy=world.policy)
    memory.spoilt = met if whole else memory.spoilt | met
    return len(met) + nameless


def pieces(whole: Sequence[Piece], size: int) -> Iterator[tuple[Piece, ...]]:
    """Cut a whole into parts of at most `size`, in its order."""
    for start in range(0, len(whole), size):
        yield tuple(whole[start : start + size])
