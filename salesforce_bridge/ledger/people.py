"""Writing people: who the ledger has met, which Contacts they are, and where they can be reached."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from salesforce_bridge.ledger import bulk, sealing
from salesforce_bridge.ledger.sealing import Nonces
from salesforce_bridge.ledger.tables import (
    candidate,
    condition,
    contact_point,
    subject,
    subject_link,
)
from salesforce_bridge.permissions.conditions import Condition
from salesforce_bridge.permissions.keys import OrgId, SubjectId
from salesforce_bridge.reconcile.facts import Candidate, Link
from salesforce_bridge.reconcile.intent import (
    JurisdictionChange,
    NewSubject,
    PointChange,
    PointMove,
)

_CANDIDATE_REPLACED = ("reason", "evidence_ref", "note_digest", "expires_at", "open", "revision")


def add_subjects(
    connection: Connection,
    met: Sequence[NewSubject],
    *,
    at: datetime,
    revision: int,
    outside: bool,
    nonces: Nonces,
) -> None:
    """Add people, each under a random key of their own; people already known stay as they are."""
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
    """Note where people are now."""
    moved = [{"id": change.subject_id, "jurisdiction": change.jurisdiction} for change in changes]
    bulk.change(connection, subject, moved, key="id")


def put_candidates(
    connection: Connection, candidates: Sequence[tuple[OrgId, Candidate]], *, revision: int
) -> None:
    """Keep claims in quarantine, or what has become of them."""
    rows = [
        {
            "id": claim.id,
            "org_id": org_id,
            "subject_id": claim.subject_id,
            "purpose": claim.use.purpose,
            "channel": claim.use.channel,
            "reason": claim.reason,
            "claimed_at": claim.claimed_at,
            "evidence_ref": claim.evidence_ref,
            "note_digest": claim.note_digest,
            "claimed_by": claim.claimed_by,
            "source_record": claim.source_record,
            "expires_at": claim.expires_at,
            "open": claim.open,
            "revision": revision,
        }
        for org_id, claim in candidates
    ]
    bulk.put_over(connection, candidate, rows, replace=_CANDIDATE_REPLACED)


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
        }
        for revision, fact in enumerate(facts, start=after + 1)
    ]
    bulk.put(connection, condition, rows)
    return {fact.subject_id: after + place for place, fact in enumerate(facts, start=1)}
