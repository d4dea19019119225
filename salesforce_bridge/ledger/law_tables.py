"""The tables in which people answer for the law: claims, cases, suppressions, circuits, uses and policies."""

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    Named,
    String,
    Table,
    Text,
    TypedColumns,
)

from salesforce_bridge.ledger.moments import Moment
from salesforce_bridge.ledger.table_parts import index_where, metadata, where_set


class CandidateRow(TypedColumns):
    """A claim in quarantine."""

    id = Column(String(64), primary_key=True)
    org_id = Column(String(18), nullable=False)
    subject_id = Column(String(64), nullable=False, index=True)
    purpose = Column(String(64), nullable=False)
    channel = Column(String(32), nullable=False)
    reason = Column(String(64), nullable=False)
    claimed_at: Named[datetime] = Column(Moment, nullable=False)
    evidence_ref: Named[str | None] = Column(String(255))
    note_digest: Named[str | None] = Column(String(64))
    claimed_by: Named[str | None] = Column(String(255))
    source_record = Column(String(64), nullable=False)
    expires_at: Named[datetime] = Column(Moment, nullable=False)
    open = Column(Boolean, nullable=False)
    revision = Column(BigInteger, nullable=False)
    proof: Named[str | None] = Column(Text)  # JSON
    decision: Named[str | None] = Column(String(32))
    decided_by: Named[str | None] = Column(Text)  # JSON: logins


candidate = Table(
    "candidate",
    metadata,
    CandidateRow,
    index_where("candidate_by_expires_at", "expires_at", condition="open"),
)


class PolicyBundleRow(TypedColumns):
    """The text of every policy that a decision was made under; the one in force was activated last."""

    digest = Column(String(64), primary_key=True)
    version = Column(String(64), nullable=False, index=True)
    text = Column(Text, nullable=False)
    recorded_at: Named[datetime] = Column(Moment, nullable=False)
    activated_at: Named[datetime | None] = Column(Moment)
    activated_by: Named[str | None] = Column(String(255))
    approved_by: Named[str | None] = Column(String(255))
    note: Named[str | None] = Column(Text)


policy_bundle = Table("policy_bundle", metadata, PolicyBundleRow)


class RightsCaseRow(TypedColumns):
    """One request of a person; it changes as it is answered, and every change is sealed."""

    id = Column(String(64), primary_key=True)
    subject_id = Column(String(64), nullable=False, index=True)
    kind = Column(String(24), nullable=False)
    state = Column(String(12), nullable=False)
    purpose: Named[str | None] = Column(String(64))
    received_at: Named[datetime] = Column(Moment, nullable=False)
    due_at: Named[datetime] = Column(Moment, nullable=False)
    extended_to: Named[datetime | None] = Column(Moment)
    reply_sent_at: Named[datetime | None] = Column(Moment)
    crm_done_at: Named[datetime | None] = Column(Moment)
    reminded_at: Named[datetime | None] = Column(Moment)
    source_record: Named[str | None] = Column(String(64))
    decided_by: Named[str | None] = Column(String(255))
    decision_reason: Named[str | None] = Column(Text)
    answer_by: Named[datetime | None] = Column(Moment)  # while somebody owes an answer
    waiting = Column(Boolean, nullable=False)


rights_case = Table(
    "rights_case",
    metadata,
    RightsCaseRow,
    where_set("rights_case_by_answer_by", "answer_by"),
    index_where("rights_case_waiting", "received_at", condition="waiting"),
)


class SuppressionRow(TypedColumns):
    """An address that stays silent; nothing in the row leads back to a person."""

    hmac = Column(String(64), primary_key=True)
    controller = Column(String(64), primary_key=True)
    scope = Column(String(12), primary_key=True)
    after_erasure = Column(Boolean, primary_key=True)
    key_version = Column(Integer, nullable=False)
    since: Named[datetime] = Column(Moment, nullable=False)
    reason = Column(String(64), nullable=False)
    expires_at: Named[datetime | None] = Column(Moment)


suppression = Table("suppression", metadata, SuppressionRow, sqlite_with_rowid=False)


class CircuitRow(TypedColumns):
    """That a mass change stopped everything but stops, and who let it go on."""

    org_id = Column(String(18), primary_key=True)
    opened_at: Named[datetime] = Column(Moment, primary_key=True)
    why = Column(Text, nullable=False)
    closed_at: Named[datetime | None] = Column(Moment)
    closed_by: Named[str | None] = Column(String(255))
    reason: Named[str | None] = Column(Text)


circuit = Table("circuit", metadata, CircuitRow, sqlite_with_rowid=False)


class EditCountRow(TypedColumns):
    """How many widening and blanking edits of an author one cycle has seen."""

    org_id = Column(String(18), primary_key=True)
    at: Named[datetime] = Column(Moment, primary_key=True)
    author = Column(String(255), primary_key=True)
    edits = Column(Integer, nullable=False)


edit_count = Table("edit_count", metadata, EditCountRow, sqlite_with_rowid=False)


class UsageRow(TypedColumns):
    """One answer that allowed a use; some law counts from the last one."""

    id = Column(String(64), primary_key=True)
    subject_id = Column(String(64), nullable=False)
    purpose = Column(String(64), nullable=False)
    channel = Column(String(32), nullable=False)
    category = Column(String(16), nullable=False)
    at: Named[datetime] = Column(Moment, nullable=False)
    answer = Column(String(64), nullable=False)
    revision = Column(BigInteger, nullable=False)
    caller = Column(String(255), nullable=False)


usage = Table("usage", metadata, UsageRow, Index("usage_by_subject_id_at", "subject_id", "at"))
