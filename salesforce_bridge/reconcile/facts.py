"""What both sides say: snapshots, mirrors, cases and dossiers. Values only; parsed at the edges.

A value that Salesforce holds in a picklist is kept as the text it is: an unknown word is a fact to be
judged, not a parse failure. Addresses appear as keyed fingerprints only, notes as their SHA-256.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from salesforce_bridge.permissions.conditions import Condition
from salesforce_bridge.permissions.contact_points import ContactPoint
from salesforce_bridge.permissions.fold import Permission, Stop
from salesforce_bridge.permissions.keys import ContactId, OrgId, RowId, SubjectId, Use
from salesforce_bridge.permissions.proofs import Proof
from salesforce_bridge.permissions.rights import RightsCase
from salesforce_bridge.permissions.suppressions import Suppression


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactFields:
    """What the bridge writes on a Contact."""

    lawful_basis: str | None = None
    consent_status: str | None = None
    summary: str | None = None
    reason: str | None = None
    valid_until: datetime | None = None
    decision: str | None = None  # travels with a write, never causes one
    renew_by: datetime | None = None  # set from the first prompt before the end on


@dataclass(frozen=True, slots=True, kw_only=True)
class Individual:
    """The privacy record that may hang on a Contact, as far as it asks for something."""

    individual_id: str
    should_forget: bool = False
    opted_out_processing: bool = False
    opted_out_solicit: bool = False
    opted_out_profiling: bool = False
    opted_out_tracking: bool = False
    opted_out_geo_tracking: bool = False
    wants_a_copy: bool = False  # SendIndividualData: portability
    # when it last changed; says nothing about the person, and no mirror keeps it
    modstamp: datetime | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadFlags:
    """The opt-outs of the Lead that a Contact was converted from: a stop follows the person."""

    lead_id: str
    opted_out_of_email: bool = False
    opted_out_of_fax: bool = False
    do_not_call: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactSnapshot:
    """What Salesforce says about one Contact at one moment."""

    contact_id: ContactId
    modstamp: datetime
    deleted: bool
    master_id: ContactId | None  # set: merged into that Contact
    points: tuple[ContactPoint, ...]  # sorted
    country: str | None  # as typed in the mailing address
    opted_out_of_email: bool
    opted_out_of_fax: bool
    do_not_call: bool
    fields: ContactFields
    modified_by: str | None = None  # a Salesforce user id: recorded, never evidence
    bridge_set: tuple[
        str, ...
    ] = ()  # the flags that are set because the bridge set them; known to the mirror only
    older: tuple[ContactPoint, ...] = ()  # the same points under keys that are being replaced
    individual: Individual | None = None
    lead: LeadFlags | None = None  # read when a Contact is met for the first time
    campaigned: str | None = None  # the prompt it was added to a Campaign for; mirror only


@dataclass(frozen=True, slots=True, kw_only=True)
class RowFields:
    """What the bridge writes on a `Permission__c` row."""

    contact_id: ContactId | None = None
    purpose: str | None = None
    channel: str | None = None
    marketing: bool = False
    lawful_basis: str | None = None
    consent_status: str | None = None
    effective_from: datetime | None = None
    effective_to: datetime | None = None
    capture_date: datetime | None = None
    capture_source: str | None = None
    notice_version: str | None = None
    evidence_ref: str | None = None
    reason_code: str | None = None
    ledger_key: str | None = None
    # the next three travel with a write and never cause one
    ledger_revision: int | None = None
    ledger_digest: str | None = None
    reconciled_at: datetime | None = None
    renew_by: datetime | None = None  # set from the first prompt before the end on


@dataclass(frozen=True, slots=True, kw_only=True)
class RowSnapshot:
    """What Salesforce says about one `Permission__c` row at one moment."""

    row_id: RowId
    modstamp: datetime
    deleted: bool
    fields: RowFields
    request: str | None
    request_note: str | None  # SHA-256 of the note, in hex
    request_evidence: str | None  # the reference as typed
    request_handled: str | None
    modified_by: str | None = None
    proof: Proof | None = None  # what `request_evidence` proves, where a machine could check it


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """That a Contact is a certain person, as far as the ledger knows."""

    subject_id: SubjectId
    org_id: OrgId
    contact_id: ContactId
    state: str  # ACTIVE, CLOSED_SOFT, CLOSED_PURGED, MERGED_INTO, AMBIGUOUS
    merged_into: ContactId | None = None


ACTIVE, CLOSED_SOFT, CLOSED_PURGED = "ACTIVE", "CLOSED_SOFT", "CLOSED_PURGED"
MERGED_INTO, AMBIGUOUS = "MERGED_INTO", "AMBIGUOUS"
LIVE_LINKS = frozenset({ACTIVE, AMBIGUOUS})


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldPoint:
    """A contact point that belongs, or once belonged, to a subject."""

    point: ContactPoint
    retired: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A claim in quarantine: stored, shown as waiting, and no grant until somebody has judged it."""

    id: str
    subject_id: SubjectId
    use: Use
    reason: str
    claimed_at: datetime
    evidence_ref: str | None
    note_digest: str | None
    claimed_by: str | None  # a Salesforce user id
    source_record: str
    expires_at: datetime
    open: bool = True
    proof: Proof | None = None  # where a machine could check it and yet a person has to decide
    decision: str | None = None  # QUARANTINE_APPROVED, QUARANTINE_REFUSED, QUARANTINE_TIMED_OUT
    decided_by: tuple[str, ...] = ()  # logins; two where it loosened


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectRecord:
    """All that the ledger holds about one person, folded."""

    subject_id: SubjectId
    revision: int  # the last revision that touched this person
    jurisdiction: str  # UNKNOWN where nothing else is known
    subject_class: str  # CONSUMER or BUSINESS
    permissions: Mapping[Use, Permission]
    stops: tuple[Stop, ...]
    conditions: tuple[Condition, ...]
    points: tuple[HeldPoint, ...]
    links: tuple[Link, ...]
    candidates: tuple[Candidate, ...]
    hold: str | None = None  # the reason of a hold on the whole person
    former_jurisdiction: str | None = None  # counts as well until proof meets the new one
    moved_at: datetime | None = None
    policy_digest: str | None = None  # of the bundle this person was last judged under
    suppressions: tuple[Suppression, ...] = ()  # that match a contact point of this person
    cases: tuple[RightsCase, ...] = ()  # that are not closed, and erasures not yet seen in the org
    due: Mapping[Use, datetime] = field(default_factory=dict)  # as the ledger has it in its index
    erased: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RowCase:
    """One row from both sides: as seen now, as last agreed, and as it is if a write of unknown outcome went through."""

    seen: RowSnapshot  # from this poll, else from the mirror
    mirror: RowSnapshot | None
    asked: tuple[RowSnapshot, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedWrite:
    """A write that Salesforce did not take, and that nothing has replaced since."""

    target: str  # Contact or Permission__c
    use: Use | None  # of a row; None for the Contact itself
    code: str
    stop: bool  # it said no


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Everything about one Contact from both sides and the mirror."""

    contact_id: ContactId
    read: bool  # this Contact, or one of its rows, was read in this cycle
    seen: ContactSnapshot | None  # from this poll, else from the mirror; None: answered not found
    mirror: ContactSnapshot | None
    link: Link | None
    rows: tuple[RowCase, ...] = ()
    asked: tuple[ContactSnapshot, ...] = ()
    refused: tuple[RefusedWrite, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Dossier:
    """One group of people who share Contacts or contact points, judged as a whole."""

    subjects: tuple[SubjectRecord, ...]
    cases: tuple[Case, ...]
    suppressions: tuple[Suppression, ...] = ()  # that match an address of a Contact in it
