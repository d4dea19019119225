"""What goes into the ledger and comes out of it, beyond the values of the pure packages."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NewType

from salesforce_bridge.permissions.keys import ContactId, OrgId, SubjectId, Use
from salesforce_bridge.reconcile.intent import Write

CycleId = NewType("CycleId", int)


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """Where the ledger stands: the last revision, the last sealed entry and its hash."""

    revision: int
    seq: int
    last_hash: str


class Backfill(StrEnum):
    """How far the first reading of an org has come."""

    NONE = "NONE"  # not begun
    RUNNING = "RUNNING"
    COMPLETE = "COMPLETE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bookmark:
    """How far both sides have been read, for one org; it moves last, with the manifest."""

    org_id: OrgId
    contacts_since: datetime  # Salesforce's time up to which Contacts are known
    rows_since: datetime
    revision: int  # of the ledger, up to which touches from outside are known
    clock: datetime  # boundaries passed up to this moment are known
    policy_digest: str  # everything was judged under this policy at least once
    backfill: Backfill = Backfill.NONE
    backfill_after: ContactId | None = None  # the last Contact of a running backfill


class Result(StrEnum):
    """What became of a write."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedWrite:
    """A recorded write that is not settled for certain."""

    write: Write
    org_id: OrgId
    cycle_id: CycleId
    created_at: datetime
    unknown: bool  # sent, and nobody knows what became of it; False: never answered for yet


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """What Salesforce answered to one write."""

    write_id: str
    result: Result
    at: datetime  # Salesforce's time of the answer
    code: str | None = None
    message_digest: str | None = None  # SHA-256: the text may carry what a person typed
    record_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a cycle says it did, sealed at its end and counted again by whoever verifies."""

    at: datetime
    records_read: int  # distinct Contacts read, or owning a row read, that were judged
    seen_again: int  # stamps met again that were already known
    decisions: Mapping[str, int]  # reason code: number
    outcomes: Mapping[str, int] = field(default_factory=dict)  # result: number
    errors: int = 0
    calls: int = 0
    clean: bool = True  # nothing was held back, so the heartbeat may show this cycle
    after: Bookmark


@dataclass(frozen=True, slots=True, kw_only=True)
class CycleRecord:
    """A cycle as the ledger remembers it."""

    cycle_id: CycleId
    org_id: OrgId
    opened_at: datetime
    closed_at: datetime | None  # None: running, or dead
    software: str
    policy_version: str
    policy_digest: str
    manifest: Mapping[str, object] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FiledRequest:
    """Something a person asked the daemon to do."""

    id: int
    kind: str
    payload: Mapping[str, object]
    by: str
    filed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivePolicy:
    """The policy in force: the one that was activated last."""

    digest: str
    version: str
    text: str
    activated_at: datetime
    activated_by: str
    approved_by: str | None  # nobody for the first one, which replaces nothing
    note: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """One answer that allowed a use."""

    subject_id: SubjectId
    use: Use
    category: str
    answer: str  # the reason code: ALLOW_…
    revision: int  # of the person, as far as the answer knew


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """Something done outside a cycle, by an operator or an import, sealed like any decision."""

    verb: str  # WITHDRAW, GRANT, IMPORT, …
    by: str  # a login, never a name
    reason: str
    approved_by: str | None = None
    details: Mapping[str, str | int | bool | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Appended:
    """What became of events offered to the ledger."""

    events: int  # new ones; those already there are not counted
    refused: Mapping[str, str] = field(default_factory=dict)  # event id: code
    revision: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class OldKeys:
    """How much is known about addresses by a key that is being replaced."""

    suppressions: int
    conditions: int
    grants: int
