"""The first tables of the ledger.

A migration is history: it names its tables itself, and does not change when the tables do.
"""

from typing import Any

from alembic import op
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    String,
    Text,
    UniqueConstraint,
    text,
)

from salesforce_bridge.ledger.moments import Moment

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

NUMBER = BigInteger().with_variant(Integer(), "sqlite")
# What the first entry follows: the SHA-256 of "salesforce_bridge audit chain 1".
GENESIS = "3af6691810279f8113d0df2bc96a670859ce18280e1c918cc6309fc54eb517bd"


def upgrade() -> None:
    """Make an empty ledger."""
    _people()
    _permissions()
    _salesforce_side()
    _audit()
    _house()
    op.execute(
        "INSERT INTO head (id, revision, seq, last_hash, last_cycle, last_request) "  # noqa: S608 - a constant
        f"VALUES (1, 0, 0, '{GENESIS}', 0, 0)"
    )


def _where(condition: str) -> dict[str, Any]:
    return {"sqlite_where": text(condition), "postgresql_where": text(condition)}


def _people() -> None:
    op.create_table(
        "subject",
        Column("id", String(length=64), nullable=False),
        Column("jurisdiction", String(length=16), nullable=False),
        Column("subject_class", String(length=32), nullable=False),
        Column("subject_key", String(length=40)),
        Column("salt", String(length=32)),
        Column("hold", String(length=64)),
        Column("revision", BigInteger(), nullable=False),
        Column("outside_revision", BigInteger(), nullable=False),
        Column("created_at", Moment(), nullable=False),
        PrimaryKeyConstraint("id", name="subject_pk"),
    )
    op.create_index("subject_by_outside_revision", "subject", ["outside_revision"])
    op.create_table(
        "subject_link",
        Column("contact_id", String(length=18), nullable=False),
        Column("org_id", String(length=18), nullable=False),
        Column("subject_id", String(length=64), nullable=False),
        Column("state", String(length=16), nullable=False),
        Column("merged_into", String(length=18)),
        Column("opened_at", Moment(), nullable=False),
        Column("changed_at", Moment(), nullable=False),
        PrimaryKeyConstraint("contact_id", "org_id", name="subject_link_pk"),
        sqlite_with_rowid=False,
    )
    op.create_index("subject_link_by_subject_id", "subject_link", ["subject_id"])
    op.create_table(
        "contact_point",
        Column("subject_id", String(length=64), nullable=False),
        Column("hmac", String(length=64), nullable=False),
        Column("exact", String(length=64), nullable=False),
        Column("type", String(length=8), nullable=False),
        Column("key_version", Integer(), nullable=False),
        Column("retired", Boolean(), nullable=False),
        Column("registered_at", Moment(), nullable=False),
        Column("retired_at", Moment()),
        PrimaryKeyConstraint(
            "subject_id", "hmac", "exact", "type", "key_version", name="contact_point_pk"
        ),
        sqlite_with_rowid=False,
    )
    op.create_index("contact_point_by_hmac", "contact_point", ["hmac"])


def _permissions() -> None:
    op.create_table(
        "permission_event",
        Column("revision", NUMBER, autoincrement=False, nullable=False),
        Column("id", String(length=64), nullable=False),
        Column("subject_id", String(length=64), nullable=False),
        Column("controller", String(length=64), nullable=False),
        Column("purpose", String(length=64), nullable=False),
        Column("channel", String(length=32), nullable=False),
        Column("kind", String(length=32), nullable=False),
        Column("basis", String(length=40), nullable=False),
        Column("happened_at", Moment(), nullable=False),
        Column("recorded_at", Moment(), nullable=False),
        Column("actor", String(length=16), nullable=False),
        Column("actor_ref", String(length=255)),
        Column("trust", Integer(), nullable=False),
        Column("grade", Integer(), nullable=False),
        Column("reason", String(length=64), nullable=False),
        Column("purpose_version", Integer(), nullable=False),
        Column("policy_version", String(length=64), nullable=False),
        Column("marketing", Boolean(), nullable=False),
        Column("own", Boolean(), nullable=False),
        Column("effective_from", Moment()),
        Column("effective_to", Moment()),
        Column("capture_source", String(length=255)),
        Column("evidence_ref", String(length=255)),
        Column("notice_id", String(length=64)),
        Column("point", String(length=64)),
        Column("condition_ref", String(length=255)),
        Column("source_record", String(length=64)),
        Column("source_stamp", Moment()),
        Column("org_id", String(length=18)),
        Column("cycle_id", BigInteger()),
        PrimaryKeyConstraint("revision", name="permission_event_pk"),
        UniqueConstraint("id", name="permission_event_one_id"),
    )
    op.create_index("permission_event_by_subject_id", "permission_event", ["subject_id"])
    op.create_table(
        "permission",
        Column("subject_id", String(length=64), nullable=False),
        Column("purpose", String(length=64), nullable=False),
        Column("channel", String(length=32), nullable=False),
        Column("basis", String(length=40), nullable=False),
        Column("state", String(length=24), nullable=False),
        Column("marketing", Boolean(), nullable=False),
        Column("revision", BigInteger(), nullable=False),
        Column("reason", String(length=64), nullable=False),
        Column("since", Moment(), nullable=False),
        Column("own", Boolean(), nullable=False),
        Column("stopped_at", Moment()),
        Column("lifted_at", Moment()),
        Column("effective_from", Moment()),
        Column("effective_to", Moment()),
        Column("granted_at", Moment()),
        Column("trust", Integer(), nullable=False),
        Column("grade", Integer(), nullable=False),
        Column("capture_source", String(length=255)),
        Column("evidence_ref", String(length=255)),
        Column("notice_id", String(length=64)),
        Column("point", String(length=64)),
        Column("condition_ref", String(length=255)),
        Column("held", String(length=64)),
        Column("lapses_at", Moment()),
        PrimaryKeyConstraint("subject_id", "purpose", "channel", name="permission_pk"),
    )
    op.create_index(
        "permission_by_effective_from",
        "permission",
        ["effective_from"],
        **_where("effective_from IS NOT NULL"),
    )
    op.create_index(
        "permission_by_effective_to",
        "permission",
        ["effective_to"],
        **_where("effective_to IS NOT NULL"),
    )
    op.create_index(
        "permission_by_lapses_at", "permission", ["lapses_at"], **_where("lapses_at IS NOT NULL")
    )
    op.create_table(
        "stop",
        Column("subject_id", String(length=64), nullable=False),
        Column("kind", String(length=24), nullable=False),
        Column("purpose", String(length=64), nullable=False),
        Column("channel", String(length=32), nullable=False),
        Column("since", Moment(), nullable=False),
        Column("own", Boolean(), nullable=False),
        Column("reason", String(length=64), nullable=False),
        Column("revision", BigInteger(), nullable=False),
        PrimaryKeyConstraint("subject_id", "kind", "purpose", "channel", name="stop_pk"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "condition",
        Column("id", String(length=64), nullable=False),
        Column("subject_id", String(length=64), nullable=False),
        Column("kind", String(length=24), nullable=False),
        Column("ref", String(length=255), nullable=False),
        Column("purpose", String(length=64)),
        Column("valid_from", Moment(), nullable=False),
        Column("valid_to", Moment()),
        Column("revision", BigInteger(), nullable=False),
        Column("recorded_at", Moment(), nullable=False),
        PrimaryKeyConstraint("id", name="condition_pk"),
    )
    op.create_index("condition_by_subject_id", "condition", ["subject_id"])
    op.create_index("condition_by_valid_from", "condition", ["valid_from"])
    op.create_index(
        "condition_by_valid_to", "condition", ["valid_to"], **_where("valid_to IS NOT NULL")
    )
    op.create_table(
        "candidate",
        Column("id", String(length=64), nullable=False),
        Column("org_id", String(length=18), nullable=False),
        Column("subject_id", String(length=64), nullable=False),
        Column("purpose", String(length=64), nullable=False),
        Column("channel", String(length=32), nullable=False),
        Column("reason", String(length=64), nullable=False),
        Column("claimed_at", Moment(), nullable=False),
        Column("evidence_ref", String(length=255)),
        Column("note_digest", String(length=64)),
        Column("claimed_by", String(length=255)),
        Column("source_record", String(length=64), nullable=False),
        Column("expires_at", Moment(), nullable=False),
        Column("open", Boolean(), nullable=False),
        Column("revision", BigInteger(), nullable=False),
        PrimaryKeyConstraint("id", name="candidate_pk"),
    )
    op.create_index("candidate_by_expires_at", "candidate", ["expires_at"], **_where("open"))
    op.create_index("candidate_by_subject_id", "candidate", ["subject_id"])


def _salesforce_side() -> None:
    op.create_table(
        "mirror",
        Column("record_id", String(length=18), nullable=False),
        Column("target", String(length=16), nullable=False),
        Column("org_id", String(length=18), nullable=False),
        Column("owner", String(length=18)),
        Column("modstamp", Moment(), nullable=False),
        Column("modified_by", String(length=18)),
        Column("bridge_set", String(length=128), nullable=False),
        Column("deleted", Boolean(), nullable=False),
        Column("digest", String(length=64), nullable=False),
        Column("content", Text(), nullable=False),
        PrimaryKeyConstraint("record_id", "target", "org_id", name="mirror_pk"),
    )
    op.create_index("mirror_by_owner", "mirror", ["owner", "target", "org_id"])
    op.create_table(
        "planned_write",
        Column("id", String(length=64), nullable=False),
        Column("org_id", String(length=18), nullable=False),
        Column("cycle_id", BigInteger(), nullable=False),
        Column("contact_id", String(length=18), nullable=False),
        Column("state", String(length=12), nullable=False),
        Column("attempts", Integer(), nullable=False),
        Column("code", String(length=128)),
        Column("created_at", Moment(), nullable=False),
        Column("settled_at", Moment()),
        Column("content", Text(), nullable=False),
        PrimaryKeyConstraint("id", name="planned_write_pk"),
    )
    op.create_index(
        "planned_write_open",
        "planned_write",
        ["contact_id", "org_id", "state"],
        **_where("state IN ('pending', 'unknown', 'refused', 'skipped')"),
    )
    op.create_table(
        "cycle",
        Column("id", NUMBER, autoincrement=False, nullable=False),
        Column("org_id", String(length=18), nullable=False),
        Column("opened_at", Moment(), nullable=False),
        Column("closed_at", Moment()),
        Column("software", String(length=64), nullable=False),
        Column("policy_version", String(length=64), nullable=False),
        Column("policy_digest", String(length=64), nullable=False),
        Column("manifest", Text()),
        PrimaryKeyConstraint("id", name="cycle_pk"),
    )
    op.create_index("cycle_by_org_id", "cycle", ["org_id"])
    op.create_table(
        "bookmark",
        Column("org_id", String(length=18), nullable=False),
        Column("contacts_since", Moment(), nullable=False),
        Column("rows_since", Moment(), nullable=False),
        Column("revision", BigInteger(), nullable=False),
        Column("clock", Moment(), nullable=False),
        Column("policy_digest", String(length=64), nullable=False),
        Column("backfill", String(length=12), nullable=False),
        Column("backfill_after", String(length=18)),
        PrimaryKeyConstraint("org_id", name="bookmark_pk"),
    )


def _audit() -> None:
    op.create_table(
        "audit_entry",
        Column("seq", NUMBER, autoincrement=False, nullable=False),
        Column("kind", String(length=16), nullable=False),
        Column("ref", String(length=64), nullable=False),
        Column("subject_key", String(length=40)),
        Column("header", Text(), nullable=False),
        Column("entry_hash", String(length=64), nullable=False),
        PrimaryKeyConstraint("seq", name="audit_entry_pk"),
    )
    op.create_index("audit_entry_by_ref", "audit_entry", ["ref"])
    op.create_index(
        "audit_entry_by_subject_key",
        "audit_entry",
        ["subject_key"],
        **_where("subject_key IS NOT NULL"),
    )
    op.create_table(
        "audit_payload",
        Column("seq", NUMBER, autoincrement=False, nullable=False),
        Column("nonce", LargeBinary()),
        Column("payload", Text()),
        Column("shredded_at", Moment()),
        PrimaryKeyConstraint("seq", name="audit_payload_pk"),
    )
    op.create_table(
        "policy_bundle",
        Column("digest", String(length=64), nullable=False),
        Column("version", String(length=64), nullable=False),
        Column("text", Text(), nullable=False),
        Column("recorded_at", Moment(), nullable=False),
        PrimaryKeyConstraint("digest", name="policy_bundle_pk"),
    )
    op.create_index("policy_bundle_by_version", "policy_bundle", ["version"])


def _house() -> None:
    op.create_table(
        "request",
        Column("id", NUMBER, autoincrement=False, nullable=False),
        Column("org_id", String(length=18)),
        Column("kind", String(length=32), nullable=False),
        Column("payload", Text(), nullable=False),
        Column("requested_by", String(length=255), nullable=False),
        Column("filed_at", Moment(), nullable=False),
        Column("taken_at", Moment()),
        PrimaryKeyConstraint("id", name="request_pk"),
    )
    op.create_index("request_waiting", "request", ["id"], **_where("taken_at IS NULL"))
    op.create_table(
        "lease",
        Column("name", String(length=64), nullable=False),
        Column("owner", String(length=255), nullable=False),
        Column("expires_at", Moment(), nullable=False),
        PrimaryKeyConstraint("name", name="lease_pk"),
    )
    op.create_table(
        "head",
        Column("id", Integer(), nullable=False),
        Column("revision", BigInteger(), nullable=False),
        Column("seq", BigInteger(), nullable=False),
        Column("last_hash", String(length=64), nullable=False),
        Column("last_cycle", BigInteger(), nullable=False),
        Column("last_request", BigInteger(), nullable=False),
        PrimaryKeyConstraint("id", name="head_pk"),
    )
