"""What is intended: the decisions, events and writes that a plan is made of."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import NamedTuple

from salesforce_bridge.permissions.conditions import Condition
from salesforce_bridge.permissions.contact_points import ContactPoint
from salesforce_bridge.permissions.events import PermissionEvent
from salesforce_bridge.permissions.keys import ContactId, RowId, SubjectId, Use
from salesforce_bridge.permissions.rights import RightsCase
from salesforce_bridge.permissions.suppressions import Suppression
from salesforce_bridge.reconcile.facts import Candidate, Link

Value = str | int | bool | datetime | None


class Lane(IntEnum):
    """In which order writes go out."""

    STOP = 0  # Contacts and rows that say no, first and with reserved budget
    TIGHTEN = 1  # everything else that does not widen
    LOOSEN_ROWS = 2
    LOOSEN_CONTACT = 3  # only when all rows of the Contact were accepted


class Verb(StrEnum):
    """How Salesforce is asked."""

    UPDATE = "UPDATE"  # by record id
    UPSERT = "UPSERT"  # Permission__c by Ledger_Key__c
    DELETE = "DELETE"  # a doubled Permission__c
    INSERT = "INSERT"  # a CampaignMember; one that is there already counts as written
    CLEAR_FLAG = "CLEAR_FLAG"  # guarded: only if unmodified since `unmodified_since`


class Target(StrEnum):
    """What is written to."""

    CONTACT = "Contact"
    ROW = "Permission__c"
    CAMPAIGN_MEMBER = "CampaignMember"


# Decisions and writes are tuples, because a cycle makes hundreds of thousands of them: what is of one person
# alone comes first, and what people of one kind have in common after it.
class Write(NamedTuple):
    """A field change asked of Salesforce. Field names are those of `ContactFields`, `RowFields` and the
    snapshots (`opted_out_of_email`, `request`, `request_handled`, …); only `salesforce.records` knows API names."""

    id: str  # UUIDv5 of target, fields and the state it starts from
    contact_id: ContactId  # writes are sorted by it, against lock contention
    record_id: str | None  # Contact or row id; None for an upsert by key
    ledger_key: str | None
    fields: Mapping[str, Value]
    decision_id: str
    subject_id: SubjectId
    lane: Lane
    verb: Verb
    target: Target
    unmodified_since: datetime | None = None


class Decision(NamedTuple):
    """A reason applied to one case: observed, before, after, policy, moment. One a (case, use, situation)."""

    id: str
    subject_id: SubjectId
    contact_id: ContactId
    source_actor: str | None
    source_stamp: datetime | None
    situation: str
    reason: str
    effect: str  # KEEP, DENY, HOLD, RAISE
    severity: str
    queue: str | None
    ledger_class: str
    row_id: RowId | None
    use: Use
    basis: str
    status_before: (
        str  # what the ledger would show before and after, in the words of `Consent_Status__c`
    )
    status_after: str
    observed: Mapping[str, tuple[Value, Value]]  # field: (as last agreed, as seen), allow-listed
    gates_failed: tuple[str, ...]
    event_ids: tuple[str, ...]
    candidate_id: str | None
    explanation: str  # a plain sentence
    notes: tuple[str, ...] = ()  # codes that go with it, such as JURISDICTION_DEFAULTED_STRICTEST


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSubject:
    """A person the ledger has not met."""

    subject_id: SubjectId
    jurisdiction: str
    subject_class: str


class PointMove(StrEnum):
    """What happens to a contact point of a subject."""

    REGISTER = "REGISTER"
    RETIRE = "RETIRE"


@dataclass(frozen=True, slots=True, kw_only=True)
class PointChange:
    """A contact point a subject gained or lost."""

    subject_id: SubjectId
    point: ContactPoint
    move: PointMove


@dataclass(frozen=True, slots=True, kw_only=True)
class JurisdictionChange:
    """Where a person is, as the mailing address now says."""

    subject_id: SubjectId
    jurisdiction: str
    former: str | None = None  # the one that still counts as well
    moved_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DueChange:
    """When the clock next has something to do about a use; None: never."""

    subject_id: SubjectId
    use: Use
    at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Circuit:
    """Whether a mass change has stopped everything but stops, and what was counted towards one so far."""

    is_open: bool = False
    closed_at: datetime | None = None  # a person let everything stamped until then through
    edits: Mapping[str, int] = field(default_factory=dict)  # by author, within the window
    live_rows: int = 0
    since: datetime | None = (
        None  # what was stamped before is no news; None: only the window counts
    )
    why: str | None = None  # it is open


CLOSED_CIRCUIT = Circuit()


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Everything one cycle wants to record and to write; the same input gives the same plan and digest."""

    decisions: tuple[Decision, ...]
    subjects: tuple[NewSubject, ...]
    links: tuple[Link, ...]  # new or changed
    points: tuple[PointChange, ...]
    jurisdictions: tuple[JurisdictionChange, ...]
    events: tuple[PermissionEvent, ...]  # in the order in which they fold
    candidates: tuple[Candidate, ...]
    writes: tuple[Write, ...]  # in the order in which they go out
    conditions: tuple[Condition, ...] = ()
    cases: tuple[RightsCase, ...] = ()  # new or changed
    suppressions: tuple[Suppression, ...] = ()
    due: tuple[DueChange, ...] = ()
    judged_anew: tuple[SubjectId, ...] = ()  # who were last judged under another bundle
    parked: frozenset[str] = frozenset()  # ids of records whose edits wait for a person
    edits: Mapping[str, int] = field(default_factory=dict)  # widening and blanking ones, by author
    opens_circuit: str | None = None  # in words, why from now on only stops are written
    digest: str  # SHA-256 over ids and contents, independent of the moment it was made
