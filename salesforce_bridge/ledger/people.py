"""Writing people: who the ledger has met, which Contacts they are, and where they can be reached."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection

from salesforce_bridge.ledger import bulk, sealing
from salesforce_bridge.ledger.sealing import Nonces
from salesforce_bridge.ledger.tables import (
    condition,
    contact_point,
    subject,
    subject_link,
)
from salesforce_bridge.permissions.conditions import Condition
from salesforce_bridge.permissions.keys import SubjectId
from salesforce_bridge.reconcile.facts import Link
from salesforce_bridge.reconcile.intent import (
    JurisdictionChange,
    NewSubject,
    PointChange,
    PointMove,
)


def add_subjects(
    connection: Connection,
    met: Sequence[NewSubject],
    *,
    at: datetime,
    revision: int,
    outside: bool,
    nonces: Nonces,
    policy_digest: str | None,
) -> None:
    """Add people, each under a random key of their own; people already known stay as they are.

    `policy_digest` names the policy they were judged under, or by whose words the first thing about them was told.
    """
    rows: list[Mapping[str, Any]] = []
    for person in met:
        pseudonym = sealing.new_pseudonym(nonces)
        rows.append(
            {
                "id": person.subject_id,
                "jurisdiction": person.jurisdiction,
                "subject_class": person.subject_class,
                "subject_key": pseudonym.subject_key,
                "salt": pseudonym.salt,
                "revision": revision,
                "outside_revision": revision if outside else 0,
                "created_at": at,
                "policy_digest": policy_digest,
            }
        )
    bulk.put_new(connection, subject, rows)


def put_links(connection: Connection, links: Sequence[Link], *, at: datetime) -> None:
    """Remember who Contacts are."""
    rows = [
        {
            "org_id": link.org_id,
            "contact_id": link.contact_id,
            "subject_id": link.subject_id,
            "state": link.state,
            "merged_into": link.merged_into,
            "opened_at": at,
            "changed_at": at,
        }
        for link in links
    ]
    replaced = ("subject_id", "state", "merged_into", "changed_at")
    bulk.put_over(connection, subject_link, rows, replace=replaced)


def change_points(connection: Connection, changes: Sequence[PointChange], *, at: datetime) -> None:
    """Register and retire contact points; a retired one is kept, because a stop may hang on it."""
    rows = [
        {
            "subject_id": change.subject_id,
            "type": change.point.type.value,
            "exact": change.point.exact,
            "key_version": change.point.key_version,
            "hmac": change.point.hmac,
            "retired": change.move is PointMove.RETIRE,
            "registered_at": at,
            "retired_at": at if change.move is PointMove.RETIRE else None,
        }
        for change in changes
    ]
    bulk.put_over(connection, contact_point, rows, replace=("retired", "retired_at"))


def move_jurisdictions(connection: Connection, changes: Sequence[JurisdictionChange]) -> None:
    """Note where people are now, and where they were while that still counts as well."""
    moved = [
        {
            "id": change.subject_id,
            "jurisdiction": change.jurisdiction,
            "former_jurisdiction": change.former,
            "moved_at": change.moved_at,
        }
        for change in changes
    ]
    bulk.change(connection, subject, moved, key=("id",))


def judged_under(connection: Connection, ids: Collection[SubjectId], digest: str) -> None:
    """Note which policy people were last judged under."""
    judged = [{"id": one, "policy_digest": digest} for one in ids]
    bulk.change(connection, subject, judged, key=("id",))


def add_conditions(
    connection: Connection, facts: Sequence[Condition], *, at: datetime, after: int
) -> dict[SubjectId, int]:
    """Append facts that are new, each with the next revision; give the last one of each person."""
    rows = [
        {
            "id": fact.id,
            "subject_id": fact.subject_id,
            "kind": fact.kind.value,
            "ref": fact.ref,
            "purpose": fact.purpose,
            "valid_from": fact.valid_from,
            "valid_to": fact.valid_to,
            "revision": revision,
            "recorded_at": at,
            "point": fact.point,
            "soft_opt_in": None
            if fact.soft_opt_in is None
            else orjson.dumps(fact.soft_opt_in).decode(),
        }
        for revision, fact in enumerate(facts, start=after + 1)
    ]
    bulk.put(connection, condition, rows)
    return {fact.subject_id: after + place for place, fact in enumerate(facts, start=1)}
