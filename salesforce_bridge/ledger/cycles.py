"""Cycles: their numbers, their policies, their manifests, and the bookmark that moves with them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection, Row, select, update

from salesforce_bridge.audit import entries
from salesforce_bridge.ledger import bulk, heads, sealing
from salesforce_bridge.ledger.faults import LedgerDamaged
from salesforce_bridge.ledger.sealing import Nonces
from salesforce_bridge.ledger.tables import bookmark as bookmark_table
from salesforce_bridge.ledger.tables import cycle as cycle_table
from salesforce_bridge.ledger.tables import policy_bundle
from salesforce_bridge.ledger.values import (
    Backfill,
    Bookmark,
    CycleId,
    CycleRecord,
    Manifest,
)
from salesforce_bridge.permissions.keys import ContactId, OrgId
from salesforce_bridge.permissions.policy import Policy

_LOOK_BACK = 200  # cycles; a bridge that was held back for longer shows no sign of life
_MOVED = (
    *("contacts_since", "rows_since", "revision", "clock"),
    *("policy_digest", "backfill", "backfill_after"),
)


def bookmark(connection: Connection, org_id: OrgId) -> Bookmark | None:
    """How far an org has been read."""
    statement = select(bookmark_table).where(bookmark_table.c.org_id == org_id)
    row = connection.execute(statement).one_or_none()
    return None if row is None else _bookmark_of(row)


def cycle(connection: Connection, cycle_id: CycleId) -> CycleRecord | None:
    """One cycle."""
    row = connection.execute(select(cycle_table).where(cycle_table.c.id == cycle_id)).one_or_none()
    return None if row is None else _cycle_of(row)


def last_cycle(connection: Connection, org_id: OrgId) -> CycleRecord | None:
    """The latest cycle that ended."""
    statement = (
        select(cycle_table)
        .where(cycle_table.c.org_id == org_id, cycle_table.c.closed_at.is_not(None))
        .order_by(cycle_table.c.id.desc())
        .limit(1)
    )
    row = connection.execute(statement).one_or_none()
    return None if row is None else _cycle_of(row)


def last_clean_at(connection: Connection, org_id: OrgId) -> datetime | None:
    """When Salesforce was last polled by a cycle that was not held back; None if that is long ago."""
    statement = (
        select(cycle_table.c.closed_at, cycle_table.c.manifest)
        .where(cycle_table.c.org_id == org_id, cycle_table.c.closed_at.is_not(None))
        .order_by(cycle_table.c.id.desc())
        .limit(_LOOK_BACK)
    )
    clean = (
        row.closed_at
        for row in connection.execute(statement)
        if orjson.loads(row.manifest).get("clean")
    )
    return next(clean, None)


def keep_policy(connection: Connection, policy: Policy, text: str, *, at: datetime) -> None:
    """Keep the text of a policy under its digest."""
    row = {"digest": policy.digest, "version": policy.version, "text": text, "recorded_at": at}
    bulk.put_new(connection, policy_bundle, [row])


def policy_texts(connection: Connection) -> Mapping[str, str]:
    """The texts of all policies that were in force, by version; of one version, the latest."""
    rows = connection.execute(select(policy_bundle).order_by(policy_bundle.c.recorded_at))
    return {row.version: row.text for row in rows}


def open_cycle(
    connection: Connection, org_id: OrgId, *, at: datetime, software: str, policy: Policy
) -> CycleId:
    """Begin a cycle; until its manifest is sealed it counts as running, or dead."""
    number = heads.next_cycle(connection)
    row = {
        "id": number,
        "org_id": org_id,
        "opened_at": at,
        "software": software,
        "policy_version": policy.version,
        "policy_digest": policy.digest,
    }
    bulk.put(connection, cycle_table, [row])
    return CycleId(number)


def close_cycle(
    connection: Connection, cycle_id: CycleId, manifest: Manifest, *, nonces: Nonces
) -> None:
    """Seal the manifest and move the bookmark; a cycle is closed once."""
    heads.lock(connection)
    opened = cycle(connection, cycle_id)
    if opened is None:
        raise LedgerDamaged(
            f"cycle {cycle_id} is not in the ledger", hint="salesforce-bridge audit verify"
        )
    if opened.closed_at is not None:
        return
    before = bookmark(connection, manifest.after.org_id)
    draft = entries.manifest(
        cycle_id=cycle_id,
        records_read=manifest.records_read,
        seen_again=manifest.seen_again,
        decisions=manifest.decisions,
        outcomes=manifest.outcomes,
        errors=manifest.errors,
        calls=manifest.calls,
        clean=manifest.clean,
        cursors={
            "before": None if before is None else _cursors(before),
            "after": _cursors(manifest.after),
        },
        frame={
            "org_id": opened.org_id,
            "cycle_id": cycle_id,
            "at": entries.plain(manifest.at),
            "opened_at": entries.plain(opened.opened_at),
            "policy_version": opened.policy_version,
            "policy_digest": opened.policy_digest,
            "software": opened.software,
        },
    )
    sealing.append(connection, [draft], nonces=nonces)
    connection.execute(
        update(cycle_table)
        .where(cycle_table.c.id == cycle_id)
        .values(closed_at=manifest.at, manifest=orjson.dumps(draft.header).decode())
    )
    bulk.put_over(connection, bookmark_table, [_bookmark_row(manifest.after)], replace=_MOVED)


def _cursors(mark: Bookmark) -> dict[str, object]:
    return {
        "contacts_since": entries.plain(mark.contacts_since),
        "rows_since": entries.plain(mark.rows_since),
        "revision": mark.revision,
        "clock": entries.plain(mark.clock),
        "policy_digest": mark.policy_digest,
        "backfill": mark.backfill.value,
    }


def _bookmark_row(mark: Bookmark) -> dict[str, Any]:
    return {
        "org_id": mark.org_id,
        "contacts_since": mark.contacts_since,
        "rows_since": mark.rows_since,
        "revision": mark.revision,
        "clock": mark.clock,
        "policy_digest": mark.policy_digest,
        "backfill": mark.backfill.value,
        "backfill_after": mark.backfill_after,
    }


def _bookmark_of(row: Row[*tuple[Any, ...]]) -> Bookmark:
    return Bookmark(
        org_id=OrgId(row.org_id),
        contacts_since=row.contacts_since,
        rows_since=row.rows_since,
        revision=row.revision,
        clock=row.clock,
        policy_digest=row.policy_digest,
        backfill=Backfill(row.backfill),
        backfill_after=None if row.backfill_after is None else ContactId(row.backfill_after),
    )


def _cycle_of(row: Row[*tuple[Any, ...]]) -> CycleRecord:
    return CycleRecord(
        cycle_id=CycleId(row.id),
        org_id=OrgId(row.org_id),
        opened_at=row.opened_at,
        closed_at=row.closed_at,
        software=row.software,
        policy_version=row.policy_version,
        policy_digest=row.policy_digest,
        manifest=None if row.manifest is None else orjson.loads(row.manifest),
    )
