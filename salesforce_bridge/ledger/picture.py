"""A picture of the ledger: the verbs that only look."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from salesforce_bridge.ledger import (
    circuits,
    cycles,
    heads,
    mirrors,
    policies,
    rights_cases,
    subjects,
    suppressions,
    waiting,
    writes,
)
from salesforce_bridge.ledger.values import (
    ActivePolicy,
    Bookmark,
    CycleId,
    CycleRecord,
    Head,
    OldKeys,
    PlannedWrite,
)
from salesforce_bridge.ledger.waiting import Waiting
from salesforce_bridge.permissions.keys import ContactId, OrgId, RowId, SubjectId
from salesforce_bridge.permissions.rights import CaseKind, RightsCase
from salesforce_bridge.permissions.suppressions import Suppression
from salesforce_bridge.reconcile.facts import (
    ContactSnapshot,
    Link,
    RefusedWrite,
    RowSnapshot,
    SubjectRecord,
)
from salesforce_bridge.reconcile.intent import Circuit, Target


class Picture:
    """What one transaction sees."""

    def __init__(self, connection: Connection, *, nonces: Callable[[], bytes]) -> None:
        """Speak over a connection that somebody else commits."""
        self.connection = connection
        self.nonces = nonces

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
        return mirrors.living(self.connection, org_id, Target.CONTACT)

    def rows_known(self, org_id: OrgId) -> int:
        """How many living permission rows the mirror knows."""
        return mirrors.living(self.connection, org_id, Target.ROW)

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

    # the law

    def suppressions(self, hmacs: Collection[str]) -> tuple[Suppression, ...]:
        """The suppressions of addresses, by their wide fingerprints."""
        return suppressions.suppressions_of(self.connection, hmacs)

    def points_by_version(self) -> Mapping[int, int]:
        """How many fingerprints each key has made: a key that made any cannot go."""
        return subjects.points_by_version(self.connection)

    def resting_on_old_keys(self, *, current: int) -> OldKeys:
        """What would be forgotten if only the current key were left."""
        return subjects.resting_on_old_keys(self.connection, current=current)

    def refused_writes(
        self, org_id: OrgId, contact_ids: Collection[ContactId]
    ) -> Mapping[ContactId, tuple[RefusedWrite, ...]]:
        """The writes on Contacts that Salesforce refused, and that nothing has replaced since."""
        return waiting.refused_writes(self.connection, org_id, contact_ids)

    def circuit(
        self, org_id: OrgId, *, at: datetime, window: timedelta, with_rows: bool = True
    ) -> Circuit:
        """Whether a mass change holds everything but stops up, and what was counted towards one.

        How many rows there are takes long to count, so whoever may not need it leaves it out.
        """
        counted = circuits.circuit(self.connection, org_id, at=at, window=window)
        return replace(counted, live_rows=self.rows_known(org_id)) if with_rows else counted

    def circuit_open(self, org_id: OrgId) -> str | None:
        """Why a mass change holds everything but stops up; None where none does."""
        return circuits.why_open(self.connection, org_id)

    def policies(self, digests: Collection[str]) -> Mapping[str, str]:
        """The texts of policies, by digest."""
        return policies.texts(self.connection, digests)

    def active_policy(self) -> ActivePolicy | None:
        """The policy in force; None before the first was activated."""
        return policies.active(self.connection)

    def cases(
        self,
        *,
        case_id: str | None = None,
        subject_id: SubjectId | None = None,
        kind: CaseKind | None = None,
        waiting: bool | None = None,
        limit: int = 1000,
    ) -> tuple[RightsCase, ...]:
        """Cases of people's rights; `waiting`: in which something is owed, or nothing any more."""
        return rights_cases.find_cases(
            self.connection,
            case_id=case_id,
            subject_id=subject_id,
            kind=kind,
            waiting=waiting,
            limit=limit,
        )
