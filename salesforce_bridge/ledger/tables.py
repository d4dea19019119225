"""The tables of the ledger, as typed Core tables; their rows never leave this package.

Names, addresses, texts and notes have no column: a contact point is a keyed fingerprint, a note is a hash.
"""

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    Named,
    String,
    Table,
    Text,
    TypedColumns,
)

from salesforce_bridge.ledger.law_tables import (
    candidate,
    circuit,
    edit_count,
    policy_bundle,
    rights_case,
    suppression,
    usage,
)
from salesforce_bridge.ledger.moments import Moment
from salesforce_bridge.ledger.table_parts import Number, index_where, metadata, where_set

__all__ = [
    "UNFINISHED",
    "audit_entry",
    "audit_payload",
    "bookmark",
    "candidate",
    "circuit",
    "condition",
    "contact_point",
    "cycle",
    "edit_count",
    "head",
    "lease",
    "metadata",
    "mirror",
    "permission",
    "permission_event",
    "planned_write",
    "policy_bundle",
    "request",
    "rights_case",
    "stop",
    "subject",
    "subject_link",
    "suppression",
    "usage",
]


class SubjectRow(TypedColumns):
    """A person, by a random id; an erased one loses its `salt` and `subject_key`, and is given new ones."""

    id = Column(String(64), primary_key=True)
    jurisdiction = Column(String(16), nullable=False)
    subject_class = Column(String(32), nullable=False)
    subject_key: Named[str | None] = Column(String(40))
    salt: Named[str | None] = Column(String(32))
    hold: Named[str | None] = Column(String(64))
    revision = Column(BigInteger, nullable=False)
    outside_revision = Column(BigInteger, nullable=False)
    created_at: Named[datetime] = Column(Moment, nullable=False)
    former_jurisdiction: Named[str | None] = Column(String(16))
    moved_at: Named[datetime | None] = Column(Moment)
    policy_digest: Named[str | None] = Column(String(64))
    erased_at: Named[datetime | None] = Column(Moment)


subject = Table(
    "subject", metadata, SubjectRow, Index("subject_by_outside_revision", "outside_revision")
)


class SubjectLinkRow(TypedColumns):
    """That a Contact of an org is a person."""

    contact_id = Column(String(18), primary_key=True)
    org_id = Column(String(18), primary_key=True)
    subject_id = Column(String(64), nullable=False, index=True)
    state = Column(String(16), nullable=False)
    merged_into: Named[str | None] = Column(String(18))
    opened_at: Named[datetime] = Column(Moment, nullable=False)
    changed_at: Named[datetime] = Column(Moment, nullable=False)


subject_link = Table("subject_link", metadata, SubjectLinkRow, sqlite_with_rowid=False)


class ContactPointRow(TypedColumns):
    """An address or number of a person, as its keyed fingerprints; `exact` may be empty."""

    subject_id = Column(String(64), primary_key=True)
    hmac = Column(String(64), primary_key=True, index=True)
    exact = Column(String(64), primary_key=True)
    type = Column(String(8), primary_key=True)
    key_version = Column(Integer, primary_key=True)
    retired = Column(Boolean, nullable=False)
    registered_at: Named[datetime] = Column(Moment, nullable=False)
    retired_at: Named[datetime | None] = Column(Moment)


contact_point = Table("contact_point", metadata, ContactPointRow, sqlite_with_rowid=False)


class PermissionEventRow(TypedColumns):
    """One fact about one use; append-only, by trigger."""

    revision = Column(Number, primary_key=True, autoincrement=False)
    id = Column(String(64), nullable=False, unique=True)
    subject_id = Column(String(64), nullable=False, index=True)
    controller = Column(String(64), nullable=False)
    purpose = Column(String(64), nullable=False)
    channel = Column(String(32), nullable=False)
    kind = Column(String(32), nullable=False)
    basis = Column(String(40), nullable=False)
    happened_at: Named[datetime] = Column(Moment, nullable=False)
    recorded_at: Named[datetime] = Column(Moment, nullable=False)
    actor = Column(String(16), nullable=False)
    actor_ref: Named[str | None] = Column(String(255))
    trust = Column(Integer, nullable=False)
    grade = Column(Integer, nullable=False)
    reason = Column(String(64), nullable=False)
    purpose_version = Column(Integer, nullable=False)
    policy_version = Column(String(64), nullable=False)
    marketing = Column(Boolean, nullable=False)
    own = Column(Boolean, nullable=False)
    effective_from: Named[datetime | None] = Column(Moment)
    effective_to: Named[datetime | None] = Column(Moment)
    capture_source: Named[str | None] = Column(String(255))
    evidence_ref: Named[str | None] = Column(String(255))
    notice_id: Named[str | None] = Column(String(64))
    point: Named[str | None] = Column(String(64))
    condition_ref: Named[str | None] = Column(String(255))
    source_record: Named[str | None] = Column(String(64))
    source_stamp: Named[datetime | None] = Column(Moment)
    org_id: Named[str | None] = Column(String(18))
    cycle_id: Named[int | None] = Column(BigInteger)


permission_event = Table("permission_event", metadata, PermissionEventRow)


class PermissionRow(TypedColumns):
    """The state of one key: a projection of its events, rebuilt at any time."""

    subject_id = Column(String(64), primary_key=True)
    purpose = Column(String(64), primary_key=True)
    channel = Column(String(32), primary_key=True)
    basis = Column(String(40), nullable=False)
    state = Column(String(24), nullable=False)
    marketing = Column(Boolean, nullable=False)
    revision = Column(BigInteger, nullable=False)
    reason = Column(String(64), nullable=False)
    since: Named[datetime] = Column(Moment, nullable=False)
    own = Column(Boolean, nullable=False)
    stopped_at: Named[datetime | None] = Column(Moment)
    lifted_at: Named[datetime | None] = Column(Moment)
    effective_from: Named[datetime | None] = Column(Moment)
    effective_to: Named[datetime | None] = Column(Moment)
    granted_at: Named[datetime | None] = Column(Moment)
    trust = Column(Integer, nullable=False)
    grade = Column(Integer, nullable=False)
    capture_source: Named[str | None] = Column(String(255))
    evidence_ref: Named[str | None] = Column(String(255))
    notice_id: Named[str | None] = Column(String(64))
    point: Named[str | None] = Column(String(64))
    condition_ref: Named[str | None] = Column(String(255))
    held: Named[str | None] = Column(String(64))
    latest_notice: Named[str | None] = Column(String(64))
    reaffirm_by: Named[datetime | None] = Column(Moment)
    prompted_at: Named[datetime | None] = Column(Moment)
    # When the clock next has something to do; told by a plan, not folded from events.
    due_at: Named[datetime | None] = Column(Moment)


permission = Table(
    "permission",
    metadata,
    PermissionRow,
    where_set("permission_by_due_at", "due_at"),
)


class StopRow(TypedColumns):
    """A person's no that is wider than one key: a projection too."""

    subject_id = Column(String(64), primary_key=True)
    kind = Column(String(24), primary_key=True)
    purpose = Column(String(64), primary_key=True)
    channel = Column(String(32), primary_key=True)
    since: Named[datetime] = Column(Moment, nullable=False)
    own = Column(Boolean, nullable=False)
    reason = Column(String(64), nullable=False)
    revision = Column(BigInteger, nullable=False)


stop = Table("stop", metadata, StopRow, sqlite_with_rowid=False)


class ConditionRow(TypedColumns):
    """A fact that a gate asks for; append-only, so a later row of the same key replaces an earlier one."""

    id = Column(String(64), primary_key=True)
    subject_id = Column(String(64), nullable=False, index=True)
    kind = Column(String(24), nullable=False)
    ref = Column(String(255), nullable=False)
    purpose: Named[str | None] = Column(String(64))
    valid_from: Named[datetime] = Column(Moment, nullable=False, index=True)
    valid_to: Named[datetime | None] = Column(Moment)
    revision = Column(BigInteger, nullable=False)
    recorded_at: Named[datetime] = Column(Moment, nullable=False)
    point: Named[str | None] = Column(String(64))
    soft_opt_in: Named[str | None] = Column(Text)  # JSON


condition = Table(
    "condition", metadata, ConditionRow, where_set("condition_by_valid_to", "valid_to")
)


class MirrorRow(TypedColumns):
    """What was last seen and last agreed in Salesforce about one record."""

    # Ids come first: a database that has not counted yet takes an org for a narrow choice.
    record_id = Column(String(18), primary_key=True)
    target = Column(String(16), primary_key=True)
    org_id = Column(String(18), primary_key=True)
    owner: Named[str | None] = Column(String(18))
    modstamp: Named[datetime] = Column(Moment, nullable=False)
    modified_by: Named[str | None] = Column(String(18))
    bridge_set = Column(String(128), nullable=False)
    deleted = Column(Boolean, nullable=False)
    digest = Column(String(64), nullable=False)
    content = Column(Text, nullable=False)
    campaigned: Named[str | None] = Column(String(64))


mirror = Table(
    "mirror",
    metadata,
    MirrorRow,
    Index("mirror_by_owner", "owner", "target", "org_id"),
    # Counted in every cycle, and by nothing else in a wink.
    index_where("mirror_living", "target", "org_id", condition="NOT deleted"),
)


# Repeated in queries word by word: SQLite finds the index by nothing else.
UNFINISHED = "state IN ('pending', 'unknown', 'refused', 'skipped')"


class PlannedWriteRow(TypedColumns):
    """A field change recorded before Salesforce is asked for it."""

    id = Column(String(64), primary_key=True)
    org_id = Column(String(18), nullable=False)
    cycle_id = Column(BigInteger, nullable=False)
    contact_id = Column(String(18), nullable=False)
    state = Column(String(12), nullable=False)
    attempts = Column(Integer, nullable=False)
    code: Named[str | None] = Column(String(128))
    created_at: Named[datetime] = Column(Moment, nullable=False)
    settled_at: Named[datetime | None] = Column(Moment)
    content = Column(Text, nullable=False)


planned_write = Table(
    "planned_write",
    metadata,
    PlannedWriteRow,
    index_where(
        *("planned_write_open", "contact_id", "org_id", "state"),
        condition=UNFINISHED,
    ),
)


class AuditEntryRow(TypedColumns):
    """One link of the chain; append-only, by trigger. All columns but the hashes are copies from the header."""

    seq = Column(Number, primary_key=True, autoincrement=False)
    kind = Column(String(16), nullable=False)
    ref = Column(String(64), nullable=False, index=True)
    subject_key: Named[str | None] = Column(String(40))
    header = Column(Text, nullable=False)
    entry_hash = Column(String(64), nullable=False)


audit_entry = Table(
    "audit_entry", metadata, AuditEntryRow, where_set("audit_entry_by_subject_key", "subject_key")
)


class AuditPayloadRow(TypedColumns):
    """What an entry says about a person; destroyed together with its nonce when the person is forgotten."""

    seq = Column(Number, primary_key=True, autoincrement=False)
    nonce: Named[bytes | None] = Column(LargeBinary)
    payload: Named[str | None] = Column(Text)
    shredded_at: Named[datetime | None] = Column(Moment)


audit_payload = Table("audit_payload", metadata, AuditPayloadRow)


class CycleRow(TypedColumns):
    """One run over what changed, from its opening to its manifest."""

    id = Column(Number, primary_key=True, autoincrement=False)
    org_id = Column(String(18), nullable=False, index=True)
    opened_at: Named[datetime] = Column(Moment, nullable=False)
    closed_at: Named[datetime | None] = Column(Moment)
    software = Column(String(64), nullable=False)
    policy_version = Column(String(64), nullable=False)
    policy_digest = Column(String(64), nullable=False)
    manifest: Named[str | None] = Column(Text)


cycle = Table("cycle", metadata, CycleRow)


class BookmarkRow(TypedColumns):
    """How far both sides have been read, for one org."""

    org_id = Column(String(18), primary_key=True)
    contacts_since: Named[datetime] = Column(Moment, nullable=False)
    rows_since: Named[datetime] = Column(Moment, nullable=False)
    revision = Column(BigInteger, nullable=False)
    clock: Named[datetime] = Column(Moment, nullable=False)
    policy_digest = Column(String(64), nullable=False)
    backfill = Column(String(12), nullable=False)
    backfill_after: Named[str | None] = Column(String(18))


bookmark = Table("bookmark", metadata, BookmarkRow)


class RequestRow(TypedColumns):
    """Something a person asks the daemon to do."""

    id = Column(Number, primary_key=True, autoincrement=False)
    org_id: Named[str | None] = Column(String(18))
    kind = Column(String(32), nullable=False)
    payload = Column(Text, nullable=False)
    requested_by = Column(String(255), nullable=False)
    filed_at: Named[datetime] = Column(Moment, nullable=False)
    taken_at: Named[datetime | None] = Column(Moment)


request = Table(
    "request",
    metadata,
    RequestRow,
    index_where("request_waiting", "id", condition="taken_at IS NULL"),
)


class LeaseRow(TypedColumns):
    """Who may write now."""

    name = Column(String(64), primary_key=True)
    owner = Column(String(255), nullable=False)
    expires_at: Named[datetime] = Column(Moment, nullable=False)


lease = Table("lease", metadata, LeaseRow)


class HeadRow(TypedColumns):
    """The one row from which revisions, sequence numbers and the last hash are taken, under a lock."""

    id = Column(Integer, primary_key=True, autoincrement=False)
    revision = Column(BigInteger, nullable=False)
    seq = Column(BigInteger, nullable=False)
    last_hash = Column(String(64), nullable=False)
    last_cycle = Column(BigInteger, nullable=False)
    last_request = Column(BigInteger, nullable=False)


head = Table("head", metadata, HeadRow)
