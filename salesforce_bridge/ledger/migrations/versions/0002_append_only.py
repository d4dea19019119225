"""Facts and the audit are append-only, and the database itself says so.

A payload may be destroyed (emptied, with the moment noted), because a person can be forgotten; nothing else.
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

APPEND_ONLY = ("permission_event", "condition", "audit_entry")
KEYS = (
    ("permission_event", "revision"),
    ("permission_event", "id"),
    ("condition", "id"),
    ("audit_entry", "seq"),
    ("audit_payload", "seq"),
)
SHREDDED = "NEW.payload IS NULL AND NEW.nonce IS NULL AND NEW.shredded_at IS NOT NULL AND NEW.seq = OLD.seq"


def upgrade() -> None:
    """Put the triggers in place."""
    if op.get_bind().dialect.name == "postgresql":
        _on_postgresql()
    else:
        _on_sqlite()


def _on_sqlite() -> None:
    for table in (*APPEND_ONLY, "audit_payload"):
        op.execute(_sqlite_trigger(table, "DELETE", "1"))
    for table in APPEND_ONLY:
        op.execute(_sqlite_trigger(table, "UPDATE", "1"))
    op.execute(_sqlite_trigger("audit_payload", "UPDATE", f"NOT ({SHREDDED})"))
    # INSERT OR REPLACE removes a row without asking the trigger on DELETE.
    for table, key in KEYS:
        there = f"EXISTS (SELECT 1 FROM {table} WHERE {key} = NEW.{key})"  # noqa: S608 - constants
        op.execute(_sqlite_trigger(table, "INSERT", there, name=f"replace_of_{key}"))


def _sqlite_trigger(table: str, deed: str, when: str, *, name: str | None = None) -> str:
    return (
        f"CREATE TRIGGER {table}_refuses_{name or deed.lower()} BEFORE {deed} ON {table} WHEN {when} "
        f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
    )


def _on_postgresql() -> None:
    op.execute(
        "CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$"
    )
    for table in (*APPEND_ONLY, "audit_payload"):
        op.execute(_postgresql_trigger(table, "DELETE", "ROW"))
        op.execute(_postgresql_trigger(table, "TRUNCATE", "STATEMENT"))
    for table in APPEND_ONLY:
        op.execute(_postgresql_trigger(table, "UPDATE", "ROW"))
    op.execute(_postgresql_trigger("audit_payload", "UPDATE", "ROW", f"WHEN (NOT ({SHREDDED}))"))


def _postgresql_trigger(table: str, deed: str, each: str, when: str = "") -> str:
    return (
        f"CREATE TRIGGER {table}_refuses_{deed.lower()} BEFORE {deed} ON {table} "
        f"FOR EACH {each} {when} EXECUTE FUNCTION refuse_change()"
    )
