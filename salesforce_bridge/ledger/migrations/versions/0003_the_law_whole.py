"""What the law asks beyond permissions: cases, suppressions, circuits, uses, activated policies.

A permission is from now on indexed by one moment, at which the clock next has something to do.
"""

from typing import Any

from alembic import op
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Integer,
    PrimaryKeyConstraint,
    String,
    Text,
    text,
)

from salesforce_bridge.ledger.moments import Moment

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the tables and columns, and fill them from what is known."""
    _people()
    _permissions()
    _claims()
    _policies()
    _rights()
    _mass_changes()
    _usage()


def _where(condition: str) -> dict[str, Any]:
    return {"sqlite_where": text(condition), "postgresql_where": text(condition)}


def _people() -> None:
    op.add_column("subject", Column("former_jurisdiction", String(length=16)))
    op.add_column("subject", Column("moved_at", Moment()))
    op.add_column("subject", Column("policy_digest", String(length=64)))
    op.add_column("subject", Column("erased_at", Moment()))
    # Everybody of an org that was read to the end has been judged under the policy of its bookmark.
    op.execute(
        "UPDATE subject SET policy_digest = (SELECT max(policy_digest) FROM bookmark) "
        "WHERE (SELECT count(DISTINCT policy_digest) FROM bookmark) = 1 "
        "AND NOT EXISTS (SELECT 1 FROM bookmark WHERE backfill <> 'COMPLETE')"
    )


def _permissions() -> None:
    op.add_column("permission", Column("latest_notice", String(length=64)))
    op.add_column("permission", Column("reaffirm_by", Moment()))
    op.add_column("permission", Column("prompted_at", Moment()))
    op.add_column("permission", Column("due_at", Moment()))
    # An approximation: the first judgement under the new rules puts the exact moment in its place.
    op.execute(
        "UPDATE permission SET due_at = CASE WHEN effective_from > since THEN effective_from "
        "ELSE coalesce(lapses_at, effective_to) END"
    )
    for column in ("effective_from", "effective_to", "lapses_at"):
        op.drop_index(f"permission_by_{column}", table_name="permission")
    op.drop_column("permission", "lapses_at")
    op.create_index(
        "permission_by_due_at", "permission", ["due_at"], **_where("due_at IS NOT NULL")
    )
    op.add_column("condition", Column("point", String(length=64)))
    op.add_column("condition", Column("soft_opt_in", Text()))


def _claims() -> None:
    op.add_column("candidate", Column("proof", Text()))
    op.add_column("candidate", Column("decision", String(length=32)))
    op.add_column("candidate", Column("decided_by", Text()))
    # What a judgement used to be told by.
    for before, after in (
        ("CLAIM_CONFIRMED", "QUARANTINE_APPROVED"),
        ("CLAIM_REJECTED", "QUARANTINE_REFUSED"),
    ):
        op.execute(
            f"UPDATE candidate SET decision = '{after}' WHERE reason = '{before}' AND NOT open"  # noqa: S608 - constants
        )


def _policies() -> None:
    op.add_column("policy_bundle", Column("activated_at", Moment()))
    op.add_column("policy_bundle", Column("activated_by", String(length=255)))
    op.add_column("policy_bundle", Column("approved_by", String(length=255)))
    op.add_column("policy_bundle", Column("note", Text()))


def _rights() -> None:
    op.create_table(
        "rights_case",
        Column("id", String(length=64), nullable=False),
        Column("subject_id", String(length=64), nullable=False),
        Column("kind", String(length=24), nullable=False),
        Column("state", String(length=12), nullable=False),
        Column("purpose", String(length=64)),
        Column("received_at", Moment(), nullable=False),
        Column("due_at", Moment(), nullable=False),
        Column("extended_to", Moment()),
        Column("reply_sent_at", Moment()),
        Column("crm_done_at", Moment()),
        Column("reminded_at", Moment()),
        Column("source_record", String(length=64)),
        Column("decided_by", String(length=255)),
        Column("decision_reason", Text()),
        Column("answer_by", Moment()),
        Column("waiting", Boolean(), nullable=False),
        PrimaryKeyConstraint("id", name="rights_case_pk"),
    )
    op.create_index("rights_case_by_subject_id", "rights_case", ["subject_id"])
    op.create_index(
        "rights_case_by_answer_by",
        "rights_case",
        ["answer_by"],
        **_where("answer_by IS NOT NULL"),
    )
    op.create_index("rights_case_waiting", "rights_case", ["received_at"], **_where("waiting"))
    op.create_table(
        "suppression",
        Column("hmac", String(length=64), nullable=False),
        Column("controller", String(length=64), nullable=False),
        Column("scope", String(length=12), nullable=False),
        Column("after_erasure", Boolean(), nullable=False),
        Column("key_version", Integer(), nullable=False),
        Column("since", Moment(), nullable=False),
        Column("reason", String(length=64), nullable=False),
        Column("expires_at", Moment()),
        PrimaryKeyConstraint("hmac", "controller", "scope", "after_erasure", name="suppression_pk"),
        sqlite_with_rowid=False,
    )


def _mass_changes() -> None:
    op.create_table(
        "circuit",
        Column("org_id", String(length=18), nullable=False),
        Column("opened_at", Moment(), nullable=False),
        Column("why", Text(), nullable=False),
        Column("closed_at", Moment()),
        Column("closed_by", String(length=255)),
        Column("reason", Text()),
        PrimaryKeyConstraint("org_id", "opened_at", name="circuit_pk"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "edit_count",
        Column("org_id", String(length=18), nullable=False),
        Column("at", Moment(), nullable=False),
        Column("author", String(length=255), nullable=False),
        Column("edits", Integer(), nullable=False),
        PrimaryKeyConstraint("org_id", "at", "author", name="edit_count_pk"),
        sqlite_with_rowid=False,
    )
    op.add_column("mirror", Column("campaigned", String(length=64)))
    op.create_index("mirror_living", "mirror", ["target", "org_id"], **_where("NOT deleted"))


def _usage() -> None:
    op.create_table(
        "usage",
        Column("id", String(length=64), nullable=False),
        Column("subject_id", String(length=64), nullable=False),
        Column("purpose", String(length=64), nullable=False),
        Column("channel", String(length=32), nullable=False),
        Column("category", String(length=16), nullable=False),
        Column("at", Moment(), nullable=False),
        Column("answer", String(length=64), nullable=False),
        Column("revision", BigInteger(), nullable=False),
        Column("caller", String(length=255), nullable=False),
        PrimaryKeyConstraint("id", name="usage_pk"),
    )
    op.create_index("usage_by_subject_id_at", "usage", ["subject_id", "at"])
