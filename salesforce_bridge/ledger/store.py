"""The ledger as a whole: opened once, and used through transactions whose verbs are those of the trade."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta

from salesforce_bridge.ledger import (
    cases,
    cycles,
    deeds,
    heads,
    holding,
    leases,
    policies,
    recording,
    requests,
    schema,
    settling,
    usages,
)
from salesforce_bridge.ledger.connections import connect, reading, writing
from salesforce_bridge.ledger.picture import Picture
from salesforce_bridge.ledger.values import (
    ActivePolicy,
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
    Usage,
)
from salesforce_bridge.permissions.conditions import Condition
from salesforce_bridge.permissions.events import PermissionEvent
from salesforce_bridge.permissions.keys import ContactId, OrgId
from salesforce_bridge.permissions.policy import Policy
from salesforce_bridge.permissions.rights import RightsCase
from salesforce_bridge.reconcile.facts import (
    Candidate,
    ContactSnapshot,
    Link,
    RowSnapshot,
)
from salesforce_bridge.reconcile.intent import NewSubject, Plan, PointChange

__all__ = [
    "ActivePolicy",
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
    "Picture",
    "PlannedWrite",
    "Result",
    "Settled",
    "Tx",
    "Usage",
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


class Tx(Picture):
    """One transaction: verbs of the trade, no rows."""

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

    def open_circuit(self, org_id: OrgId, why: str, *, at: datetime) -> bool:
        """Hold everything but stops up, because of a mass change; False where that is so already."""
        return holding.open_circuit(self.connection, org_id, why, at=at, nonces=self.nonces)

    def close_circuit(
        self, org_id: OrgId, *, by: str, reason: str, at: datetime, policy: Policy
    ) -> bool:
        """Let what was held up through, because a person has looked; False where nothing is."""
        return holding.close_circuit(
            self.connection, org_id, by=by, reason=reason, at=at, policy=policy, nonces=self.nonces
        )

    def activate_policy(
        self,
        policy: Policy,
        text: str,
        *,
        by: str,
        approved_by: str | None,
        note: str | None,
        at: datetime,
    ) -> ActivePolicy:
        """Put a policy in force; all but the first need a second person."""
        return policies.activate(
            self.connection,
            policy,
            text,
            by=by,
            approved_by=approved_by,
            note=note,
            at=at,
            nonces=self.nonces,
        )

    def record_usage(
        self, answers: Sequence[Usage], *, by: str, at: datetime, policy: Policy
    ) -> int:
        """Remember answers that allowed a use, with one sealed entry for all of them."""
        return usages.record_usage(
            self.connection, answers, by=by, at=at, policy=policy, nonces=self.nonces
        )

    def open_case(self, case: RightsCase, *, by: str, at: datetime, policy: Policy) -> Appended:
        """Open a case that a person brought by letter or telephone, and hold what it stops at once."""
        return cases.open_case(self, case, by=by, at=at, policy=policy)

    def extend_case(
        self, case_id: str, *, by: str, reason: str, at: datetime, policy: Policy
    ) -> RightsCase:
        """Take more time for an answer; the person has to be told within the first term."""
        return cases.extend_case(self, case_id, by=by, reason=reason, at=at, policy=policy)

    def close_case(
        self,
        case: RightsCase,
        *,
        by: str,
        approved_by: str | None,
        at: datetime,
        policy: Policy,
    ) -> Appended:
        """Close a case as it now stands: its state, its reason, and when the person was told."""
        return cases.close_case(self, case, by=by, approved_by=approved_by, at=at, policy=policy)

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
