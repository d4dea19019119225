"""Mirrors: what was last seen and last agreed in Salesforce, the third side of every comparison."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from hashlib import sha256
from typing import Any

import orjson
from sqlalchemy import Connection, Row, func, or_, select, text

from salesforce_bridge.ledger import bulk
from salesforce_bridge.ledger.claims import proof_of
from salesforce_bridge.ledger.tables import mirror
from salesforce_bridge.permissions.contact_points import ContactPoint, PointType
from salesforce_bridge.permissions.keys import ContactId, OrgId, RowId, Use
from salesforce_bridge.reconcile.facts import (
    ContactFields,
    ContactSnapshot,
    Individual,
    LeadFlags,
    RowFields,
    RowSnapshot,
)
from salesforce_bridge.reconcile.intent import Target

_REPLACED = (
    *("owner", "modstamp", "modified_by", "bridge_set", "campaigned"),
    *("deleted", "digest", "content"),
)
_ROW_MOMENTS = ("effective_from", "effective_to", "capture_date", "reconciled_at", "renew_by")
_CONTACT_MOMENTS = ("valid_until", "renew_by")
_LIVING = text("NOT deleted")  # word for word the condition of the index that counts them


def keep(
    connection: Connection,
    org_id: OrgId,
    *,
    contacts: Iterable[ContactSnapshot] = (),
    rows: Iterable[tuple[RowSnapshot, ContactId | None]] = (),
) -> None:
    """Remember records as they were read, or as Salesforce has now agreed to hold them."""
    kept = [_contact_row(org_id, snapshot) for snapshot in contacts]
    kept.extend(_row_row(org_id, snapshot, owner) for snapshot, owner in rows)
    bulk.put_over(connection, mirror, kept, replace=_REPLACED)


def known(
    connection: Connection, org_id: OrgId, target: Target, ids: Collection[str]
) -> dict[str, datetime]:
    """The modstamps under which records were last read."""
    statement = select(mirror.c.record_id, mirror.c.modstamp).where(
        mirror.c.org_id == org_id, mirror.c.target == target.value
    )
    found = bulk.look_up(connection, statement, mirror.c.record_id, ids)
    return {row.record_id: row.modstamp for row in found}


def living(connection: Connection, org_id: OrgId, target: Target) -> int:
    """How many records are remembered that are not known to be deleted."""
    statement = (
        select(func.count())
        .select_from(mirror)
        .where(mirror.c.org_id == org_id, mirror.c.target == target.value, _LIVING)
    )
    return int(connection.execute(statement).scalar_one())


def contacts(
    connection: Connection, org_id: OrgId, ids: Collection[ContactId]
) -> dict[ContactId, ContactSnapshot]:
    """Contacts as last seen and agreed."""
    found = _records(connection, org_id, Target.CONTACT, ids)
    return {ContactId(row.record_id): _contact_of(row) for row in found}


def rows(connection: Connection, org_id: OrgId, ids: Collection[RowId]) -> dict[RowId, RowSnapshot]:
    """Permission rows as last seen and agreed, deleted ones too."""
    found = _records(connection, org_id, Target.ROW, ids)
    return {RowId(row.record_id): _row_of(row) for row in found}


def owners(
    connection: Connection, org_id: OrgId, ids: Collection[RowId]
) -> dict[RowId, ContactId | None]:
    """The Contacts that permission rows belong to."""
    found = _records(connection, org_id, Target.ROW, ids)
    return {RowId(row.record_id): row.owner for row in found}


def rows_of(
    connection: Connection, org_id: OrgId, contact_ids: Collection[ContactId]
) -> dict[ContactId, tuple[RowSnapshot, ...]]:
    """The permission rows of Contacts that are not known to be deleted, in order of their ids."""
    statement = (
        select(mirror)
        .where(
            mirror.c.org_id == org_id,
            mirror.c.target == Target.ROW.value,
            mirror.c.deleted.is_(False),
        )
        .order_by(mirror.c.record_id)
    )
    gathered: dict[ContactId, list[RowSnapshot]] = {}
    for row in bulk.look_up(connection, statement, mirror.c.owner, contact_ids):
        gathered.setdefault(ContactId(row.owner), []).append(_row_of(row))
    return {owner: tuple(snapshots) for owner, snapshots in gathered.items()}


def vanished(
    connection: Connection, org_id: OrgId, ids: Collection[ContactId]
) -> list[ContactSnapshot]:
    """Contacts that were asked for and are nowhere to be found: as last seen, but for their end."""
    return [
        replace(snapshot, deleted=True)
        for _, snapshot in sorted(contacts(connection, org_id, ids).items())
        if not snapshot.deleted
    ]


def strip(connection: Connection, org_id: OrgId, contact_ids: Collection[ContactId]) -> None:
    """Forget where the people of Contacts can be found: no fingerprint and no country is left of them."""
    found = list(_records(connection, org_id, Target.CONTACT, contact_ids))
    owned = select(mirror).where(mirror.c.org_id == org_id, mirror.c.target == Target.ROW.value)
    rows = bulk.look_up(connection, owned, mirror.c.owner, contact_ids)
    keep(
        connection,
        org_id,
        contacts=[stripped(_contact_of(row)) for row in found],
        rows=[
            (replace(row, proof=None), ContactId(owner))
            for owner, row in [(each.owner, _row_of(each)) for each in rows]
            if row.proof is not None
        ],
    )


def stripped(snapshot: ContactSnapshot) -> ContactSnapshot:
    """A Contact without anything by which its person could be found."""
    return replace(snapshot, points=(), older=(), country=None)


def marks(
    connection: Connection, org_id: OrgId, ids: Collection[ContactId]
) -> dict[ContactId, tuple[tuple[str, ...], str | None]]:
    """What only the mirror knows of Contacts: the flags that the bridge set, and what they were prompted for."""
    statement = select(mirror.c.record_id, mirror.c.bridge_set, mirror.c.campaigned).where(
        mirror.c.org_id == org_id,
        mirror.c.target == Target.CONTACT.value,
        or_(mirror.c.bridge_set != "", mirror.c.campaigned.is_not(None)),
    )
    found = bulk.look_up(connection, statement, mirror.c.record_id, ids)
    return {
        ContactId(row.record_id): (tuple(row.bridge_set.split()), row.campaigned) for row in found
    }


def digest_of(snapshot: ContactSnapshot | RowSnapshot) -> str:
    """The digest of all that is tracked on a record, whenever and by whomever it was last modified."""
    content = (
        _contact_content(snapshot)
        if isinstance(snapshot, ContactSnapshot)
        else _row_content(snapshot)
    )
    return sha256(content).hexdigest()


def _contact_content(snapshot: ContactSnapshot) -> bytes:
    content: dict[str, Any] = {
        "master_id": snapshot.master_id,
        "points": snapshot.points,
        "country": snapshot.country,
        "opted_out_of_email": snapshot.opted_out_of_email,
        "opted_out_of_fax": snapshot.opted_out_of_fax,
        "do_not_call": snapshot.do_not_call,
        "fields": snapshot.fields,
    }
    # Few Contacts have any of these, and a mirror is written for every one.
    if snapshot.individual is not None:
        content["individual"] = replace(snapshot.individual, modstamp=None)
    for name in ("older", "lead"):
        if value := getattr(snapshot, name):
            content[name] = value
    return orjson.dumps(content, default=ContactPoint._asdict)


def _row_content(snapshot: RowSnapshot) -> bytes:
    content: dict[str, Any] = {
        "fields": snapshot.fields,
        "request": snapshot.request,
        "request_note": snapshot.request_note,
        "request_evidence": snapshot.request_evidence,
        "request_handled": snapshot.request_handled,
    }
    if snapshot.proof is not None:
        content["proof"] = snapshot.proof
    return orjson.dumps(content, default=Use._asdict)


def _contact_row(org_id: OrgId, snapshot: ContactSnapshot) -> dict[str, Any]:
    content = _contact_content(snapshot)
    return {
        "org_id": org_id,
        "target": Target.CONTACT.value,
        "record_id": snapshot.contact_id,
        "owner": snapshot.contact_id,
        "modstamp": snapshot.modstamp,
        "modified_by": snapshot.modified_by,
        "bridge_set": " ".join(snapshot.bridge_set),
        "campaigned": snapshot.campaigned,
        "deleted": snapshot.deleted,
        "digest": sha256(content).hexdigest(),
        "content": content.decode(),
    }


def _row_row(org_id: OrgId, snapshot: RowSnapshot, owner: ContactId | None) -> dict[str, Any]:
    content = _row_content(snapshot)
    return {
        "org_id": org_id,
        "target": Target.ROW.value,
        "record_id": snapshot.row_id,
        "owner": owner,
        "modstamp": snapshot.modstamp,
        "modified_by": snapshot.modified_by,
        "bridge_set": "",
        "campaigned": None,
        "deleted": snapshot.deleted,
        "digest": sha256(content).hexdigest(),
        "content": content.decode(),
    }


def _records(
    connection: Connection, org_id: OrgId, target: Target, ids: Collection[str]
) -> Iterable[Row[*tuple[Any, ...]]]:
    statement = select(mirror).where(mirror.c.org_id == org_id, mirror.c.target == target.value)
    return bulk.look_up(connection, statement, mirror.c.record_id, ids)


def _contact_of(row: Row[*tuple[Any, ...]]) -> ContactSnapshot:
    content = orjson.loads(row.content)
    points, older = content.pop("points"), content.pop("older", ())
    individual, lead = content.pop("individual", None), content.pop("lead", None)
    fields = _with_moments(content.pop("fields"), _CONTACT_MOMENTS)
    return ContactSnapshot(
        contact_id=ContactId(row.record_id),
        modstamp=row.modstamp,
        modified_by=row.modified_by,
        deleted=row.deleted,
        points=_points_of(points),
        older=_points_of(older),
        individual=None if individual is None else Individual(**individual),
        lead=None if lead is None else LeadFlags(**lead),
        fields=ContactFields(**fields),
        bridge_set=tuple(row.bridge_set.split()),
        campaigned=row.campaigned,
        **content,
    )


def _points_of(told: Sequence[Mapping[str, Any]]) -> tuple[ContactPoint, ...]:
    return tuple(
        ContactPoint(
            type=PointType(point["type"]),
            hmac=point["hmac"],
            exact=point["exact"],
            key_version=point["key_version"],
        )
        for point in told
    )


def _row_of(row: Row[*tuple[Any, ...]]) -> RowSnapshot:
    content = orjson.loads(row.content)
    fields = _with_moments(content.pop("fields"), _ROW_MOMENTS)
    proof = content.pop("proof", None)
    return RowSnapshot(
        row_id=RowId(row.record_id),
        modstamp=row.modstamp,
        modified_by=row.modified_by,
        deleted=row.deleted,
        fields=RowFields(**fields),
        proof=None if proof is None else proof_of(proof),
        **content,
    )


def _with_moments(fields: dict[str, Any], names: Iterable[str]) -> dict[str, Any]:
    for name in names:
        if fields.get(name) is not None:
            fields[name] = datetime.fromisoformat(fields[name])
    return fields
