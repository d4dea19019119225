"""The ledger as a whole: opened once, and used through transactions whose verbs are those of the trade."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta

from sqlalchemy import Connection

from salesforce_bridge.ledger import (
    cycles,
    deeds,
    heads,
    leases,
    mirrors,
    recording,
    requests,
    schema,
    settling,
    subjects,
    waiting,
    writes,
)
from salesforce_bridge.ledger.connections import connect, reading, writing
from salesforce_bridge.ledger.values import (
    Appended,
    Backfill,
    Bookmark,
    CycleId,
    CycleRecord,
    Deed,
    FiledRequest,
    Head,
    Manifest,
    PlannedWrite,
    Result,
    Settled,
)
from salesforce_bridge.ledger.waiting import Waiting
from salesforce_bridge.permissions.conditions import Condition
from salesforce_bridge.permissions.events import PermissionEvent
from salesforce_bridge.permissions.keys import ContactId, OrgId, RowId, SubjectId
from salesforce_bridge.permissions.policy import Policy
from salesforce_bridge.reconcile.facts import (
    Candidate,
    ContactSnapshot,
    Link,
    RowSnapshot,
    SubjectRecord,
)
from salesforce_bridge.reconcile.intent import NewSubject, Plan, PointChange, Target

__all__ = [
    "Appended",
    "Backfill",
    "Bookmark",
    "CycleId",
    "CycleRecord",
    "Deed",
    "FiledRequest",
    "Head",
    "Ledger",
    "Manifest",
    "PlannedWrite",
    "Result",
    "Settled",
    "Tx",
]


class Ledger:
    """The authoritative store; safe to share between threads, each with its own transaction."""

    def __init__(self, url: str, *, nonces: Callable[[], bytes], echo: bool = False) -> None:
        """Prepare, without connecting; `nonces` gives 32 random bytes at each call."""
        self._connections = connect(url, echo=echo)
        self._nonces = nonces

    @contextmanager
    def begin(self) -> Iterator["Tx"]:
        """Write: everything in the block is committed at its end, or nothing is."""
        with writing(self._connections) as connection:
            yield Tx(connection, nonces=self._nonces)

    @contextmanager
    def reading(self) -> Iterator["Tx"]:
        """Read one consistent picture without keeping a writer out."""
        with reading(self._connections) as connection:
            yield Tx(connection, nonces=self._nonces)

    def upgrade(self) -> None:
        """Bring the tables to what this version needs; harmless when they are."""
        schema.upgrade(self._connections)

    def check(self) -> None:
        """Refuse to start on a ledger that cannot be reached or has other tables."""
        schema.check(self._connections)

    def close(self) -> None:
        """Give all connections back."""
        self._connections.dispose()


class Tx:
    """One transaction: verbs of the trade, no rows."""

    def __init__(self, connection: Connection, *, nonces: Callable[[], bytes]) -> None:
        """Speak over a connection that somebody else commits."""
        self.connection = connection
        self.nonces = nonces

    # reading

    def head(self) -> Head:
        """Where the ledger stands."""
        return heads.head(self.connection)

    def bookmark(self, org_id: OrgId) -> Bookmark | None:
        """How far an org has been read; None before the first cycle has ended."""
        return cycles.bookmark(self.connection, org_id)

    def known(self, org_id: OrgId, target: Target, ids: Collection[str]) -> Mapping[str, datetime]:
        """The modstamps under which records were last read."""
        return mirrors.known(self.connection, org_id, target, ids)

    def contact_mirrors(
        self, org_id: OrgId, ids: Collection[ContactId]
    ) -> Mapping[ContactId, ContactSnapshot]:
        """What was last seen and agreed on Contacts."""
        return mirrors.contacts(self.connection, org_id, ids)

    def row_mirrors(self, org_id: OrgId, ids: Collection[RowId]) -> Mapping[RowId, RowSnapshot]:
        """What was last seen and agreed on permission rows, deleted ones too."""
        return mirrors.rows(self.connection, org_id, ids)

    def rows_of(
        self, org_id: OrgId, contact_ids: Collection[ContactId]
    ) -> Mapping[ContactId, tuple[RowSnapshot, ...]]:
        """The permission rows of Contacts that are not known to be deleted, by the Contact they belong to."""
        return mirrors.rows_of(self.connection, org_id, contact_ids)

    def unsettled(
        self, org_id: OrgId, contact_ids: Collection[ContactId] | None = None
    ) -> tuple[PlannedWrite, ...]:
        """Writes never answered for, and those of unknown outcome not looked at since; of all Contacts or some."""
        return writes.unsettled(self.connection, org_id, contact_ids)

    def links_of(
        self, org_id: OrgId, contact_ids: Collection[ContactId]
    ) -> Mapping[ContactId, Link]:
        """Who Contacts are."""
        return subjects.links_of(self.connection, org_id, contact_ids)

    def subjects(self, ids: Collection[SubjectId]) -> Mapping[SubjectId, SubjectRecord]:
        """All that is held about people, folded."""
        return subjects.subjects(self.connection, ids)

    def holders(self, hmacs: Collection[str]) -> Mapping[str, tuple[SubjectId, ...]]:
        """Who holds, or once held, contact points, by their wide fingerprint."""
        return subjects.holders(self.connection, hmacs)

    def touched_since(self, revision: int, until: int) -> tuple[SubjectId, ...]:
        """People touched from outside a cycle in revisions (revision, until]: by operators, imports, the portal."""
        return subjects.touched_since(self.connection, revision, until)

    def due(self, after: datetime, until: datetime) -> tuple[SubjectId, ...]:
        """People for whom a boundary passed in (after, until]: a term, an age, a condition, a quarantine."""
        return subjects.due(self.connection, after, until)

    def contacts_page(
        self, org_id: OrgId, *, after: ContactId | None, limit: int
    ) -> tuple[ContactId, ...]:
        """The linked Contacts of an org in order of their ids, a page at a time."""
        return subjects.contacts_page(self.connection, org_id, after=after, limit=limit)

    def contacts_known(self, org_id: OrgId) -> int:
        """How many living Contacts the mirror knows."""
        return mirrors.contacts_known(self.connection, org_id)

    def unwritten_stops(self, org_id: OrgId) -> Waiting:
        """Stops that were decided and that Salesforce has not accepted."""
        return waiting.unwritten_stops(self.connection, org_id)

    def overdue_since(self, org_id: OrgId) -> datetime | None:
        """Since when Salesforce may show more than the ledger allows, because a write was not accepted."""
        return waiting.overdue_since(self.connection, org_id)

    def retry_due(self, org_id: OrgId, *, at: datetime) -> tuple[ContactId, ...]:
        """Contacts with writes that were refused, or never sent, and may be tried again."""
        return waiting.retry_due(self.connection, org_id, at=at)

    def held_back(self, org_id: OrgId) -> tuple[ContactId, ...]:
        """Contacts with writes that were kept back while only stops might be written."""
        return waiting.held_back(self.connection, org_id)

    def last_clean_at(self, org_id: OrgId) -> datetime | None:
        """Salesforce's time of the last cycle that was not held back; what the heartbeat shows."""
        return cycles.last_clean_at(self.connection, org_id)

    def cycle(self, cycle_id: CycleId) -> CycleRecord | None:
        """One cycle."""
        return cycles.cycle(self.connection, cycle_id)

    def last_cycle(self, org_id: OrgId) -> CycleRecord | None:
        """The latest cycle that ended, with its manifest."""
        return cycles.last_cycle(self.connection, org_id)

    # writing

    def lock_head(self) -> Head:
        """Keep everybody else from appending until this transaction has ended."""
        return heads.lock(self.connection)

    def keep_policy(self, policy: Policy, text: str, *, at: datetime) -> None:
        """Keep the text of a policy, so that any decision can be explained by the policy it was made under."""
        cycles.keep_policy(self.connection, policy, text, at=at)

    def open_cycle(self, org_id: OrgId, *, at: datetime, software: str, policy: Policy) -> CycleId:
        """Begin a cycle and give it its number."""
        return cycles.open_cycle(self.connection, org_id, at=at, software=software, policy=policy)

    def record(
        self,
        plan: Plan,
        *,
        org_id: OrgId,
        cycle_id: CycleId,
        at: datetime,
        policy: Policy,
        software: str = "",
        contacts: Sequence[ContactSnapshot] = (),
        rows: Sequence[tuple[RowSnapshot, ContactId | None]] = (),
        asked_for: Collection[ContactId] = (),
    ) -> Appended:
        """Commit the intent before the effect: facts, decisions, mirrors as read, and writes still to be sent.

        `asked_for` are the Contacts that were asked for, also those that were not found.
        """
        return recording.record(
            self.connection,
            plan,
            recording.Circumstances(
                org_id=org_id, cycle_id=cycle_id, at=at, policy=policy, software=software
            ),
            contacts=contacts,
            rows=rows,
            asked_for=asked_for,
            nonces=self.nonces,
        )

    def settle(self, outcomes: Sequence[Settled]) -> int:
        """Seal what became of writes and agree the mirror; an outcome told twice counts once."""
        return settling.settle(self.connection, outcomes, nonces=self.nonces)

    def seal_unknown(self, org_id: OrgId, *, at: datetime) -> tuple[ContactId, ...]:
        """Seal as unknown what a dead cycle left behind; give the Contacts to look at again."""
        return settling.seal_unknown(self.connection, org_id, at=at, nonces=self.nonces)

    def close_cycle(self, cycle_id: CycleId, manifest: Manifest) -> None:
        """Seal the manifest and move the bookmark, in one breath."""
        cycles.close_cycle(self.connection, cycle_id, manifest, nonces=self.nonces)

    def append_deed(
        self,
        deed: Deed,
        *,
        at: datetime,
        policy: Policy,
        events: Sequence[PermissionEvent] = (),
        conditions: Sequence[Condition] = (),
        candidates: Sequence[tuple[OrgId, Candidate]] = (),
        new_subjects: Sequence[NewSubject] = (),
        links: Sequence[Link] = (),
        points: Sequence[PointChange] = (),
    ) -> Appended:
        """Record something done outside a cycle; the people it touches are looked at by the next one."""
        facts = deeds.Facts(
            events=events,
            conditions=conditions,
            candidates=candidates,
            new_subjects=new_subjects,
            links=links,
            points=points,
        )
        return deeds.append_deed(
            self.connection, deed, facts, at=at, policy=policy, nonces=self.nonces
        )

    def take_lease(self, name: str, owner: str, *, at: datetime, ttl: timedelta) -> bool:
        """Take or renew the right to write; False while somebody else holds it."""
        return leases.take_lease(self.connection, name, owner, at=at, ttl=ttl)

    def release_lease(self, name: str, owner: str) -> None:
        """Give the right to write back, if it is ours."""
        leases.release_lease(self.connection, name, owner)

    def file_request(
        self,
        kind: str,
        payload: Mapping[str, object],
        *,
        by: str,
        at: datetime,
        org_id: OrgId | None = None,
    ) -> int:
        """Ask the daemon for something."""
        return requests.file_request(self.connection, kind, payload, by=by, at=at, org_id=org_id)

    def take_requests(self, *, at: datetime) -> tuple[FiledRequest, ...]:
        """Take what was asked for, each exactly once, oldest first."""
        return requests.take_requests(self.connection, at=at)

    def last_taken(self, kinds: Collection[str]) -> str | None:
        """The latest request of these kinds that was taken, such as a pause that still holds."""
        return requests.last_taken(self.connection, kinds)
