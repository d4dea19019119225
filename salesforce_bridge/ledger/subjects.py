"""Reading people: all that is held about them, and who is to be looked at."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select, union

from salesforce_bridge.ledger import bulk, projection
from salesforce_bridge.ledger.tables import candidate as candidate_table
from salesforce_bridge.ledger.tables import (
    condition,
    contact_point,
    permission,
    subject,
    subject_link,
)
from salesforce_bridge.permissions.conditions import Condition, ConditionKind
from salesforce_bridge.permissions.contact_points import ContactPoint, PointType
from salesforce_bridge.permissions.keys import (
    Channel,
    ContactId,
    OrgId,
    PurposeKey,
    SubjectId,
    Use,
)
from salesforce_bridge.reconcile.facts import Candidate, HeldPoint, Link, SubjectRecord


def subjects(connection: Connection, ids: Collection[SubjectId]) -> dict[SubjectId, SubjectRecord]:
    """All that is held about people; people who are not known are left out."""
    known = list(bulk.look_up(connection, select(subject), subject.c.id, ids))
    known_ids = [SubjectId(row.id) for row in known]
    permissions = projection.permissions_of(connection, known_ids)
    stops = projection.stops_of(connection, known_ids)
    conditions = conditions_of(connection, known_ids)
    points = _points_of(connection, known_ids)
    links = _links_of_subjects(connection, known_ids)
    candidates = _candidates_of(connection, known_ids)
    return {
        one: SubjectRecord(
            subject_id=one,
            revision=row.revision,
            jurisdiction=row.jurisdiction,
            subject_class=row.subject_class,
            permissions=permissions.get(one, {}),
            stops=stops.get(one, ()),
            conditions=tuple(conditions.get(one, ())),
            points=tuple(points.get(one, ())),
            links=tuple(links.get(one, ())),
            candidates=tuple(candidates.get(one, ())),
            hold=row.hold,
        )
        for one, row in zip(known_ids, known, strict=True)
    }


def links_of(
    connection: Connection, org_id: OrgId, contact_ids: Collection[ContactId]
) -> dict[ContactId, Link]:
    """Who Contacts are."""
    statement = select(subject_link).where(subject_link.c.org_id == org_id)
    found = bulk.look_up(connection, statement, subject_link.c.contact_id, contact_ids)
    return {ContactId(row.contact_id): _link_of(row) for row in found}


def contacts_page(
    connection: Connection, org_id: OrgId, *, after: ContactId | None, limit: int
) -> tuple[ContactId, ...]:
    """The linked Contacts of an org, in order, a page at a time."""
    statement = (
        select(subject_link.c.contact_id)
        .where(subject_link.c.org_id == org_id, subject_link.c.contact_id > (after or ""))
        .order_by(subject_link.c.contact_id)
        .limit(limit)
    )
    return tuple(ContactId(found) for found in connection.scalars(statement))


def holders(connection: Connection, hmacs: Collection[str]) -> dict[str, tuple[SubjectId, ...]]:
    """Who holds, or once held, contact points: a stop outlives the address in the CRM."""
    statement = select(contact_point.c.hmac, contact_point.c.subject_id).distinct()
    gathered: dict[str, list[SubjectId]] = {}
    for row in bulk.look_up(connection, statement, contact_point.c.hmac, hmacs):
        gathered.setdefault(row.hmac, []).append(SubjectId(row.subject_id))
    return {hmac: tuple(sorted(found)) for hmac, found in gathered.items()}


def touched_since(connection: Connection, revision: int, until: int) -> tuple[SubjectId, ...]:
    """People touched from outside a cycle; what a cycle records, it has looked at."""
    touched = subject.c.outside_revision
    statement = select(subject.c.id).where(touched > revision, touched <= until)
    return tuple(SubjectId(found) for found in connection.scalars(statement.order_by(subject.c.id)))


def due(connection: Connection, after: datetime, until: datetime) -> tuple[SubjectId, ...]:
    """People for whom a boundary passed in (after, until]."""
    boundaries = (
        (permission.c.subject_id, permission.c.effective_from, None),
        (permission.c.subject_id, permission.c.effective_to, None),
        (permission.c.subject_id, permission.c.lapses_at, None),
        (condition.c.subject_id, condition.c.valid_from, None),
        (condition.c.subject_id, condition.c.valid_to, None),
        (candidate_table.c.subject_id, candidate_table.c.expires_at, candidate_table.c.open),
    )
    selects = [
        select(whose).where(moment > after, moment <= until, *([] if only is None else [only]))
        for whose, moment, only in boundaries
    ]
    return tuple(sorted(SubjectId(found) for found in connection.scalars(union(*selects))))


def conditions_of(
    connection: Connection, ids: Collection[SubjectId]
) -> dict[SubjectId, list[Condition]]:
    """The facts that gates ask for; of those told twice about the same thing, the later word."""
    latest: dict[tuple[str, str, str, str | None], Condition] = {}
    statement = select(condition).order_by(condition.c.revision)
    for row in bulk.look_up(connection, statement, condition.c.subject_id, ids):
        latest[row.subject_id, row.kind, row.ref, row.purpose] = Condition(
            id=row.id,
            subject_id=SubjectId(row.subject_id),
            kind=ConditionKind(row.kind),
            ref=row.ref,
            valid_from=row.valid_from,
            valid_to=row.valid_to,
            purpose=None if row.purpose is None else PurposeKey(row.purpose),
        )
    gathered: dict[SubjectId, list[Condition]] = {}
    for fact in sorted(latest.values(), key=lambda fact: fact.id):
        gathered.setdefault(fact.subject_id, []).append(fact)
    return gathered


def candidate_of(row: Row[*tuple[Any, ...]]) -> Candidate:
    """A claim in quarantine."""
    return Candidate(
        id=row.id,
        subject_id=SubjectId(row.subject_id),
        use=Use(purpose=PurposeKey(row.purpose), channel=Channel(row.channel)),
        reason=row.reason,
        claimed_at=row.claimed_at,
        evidence_ref=row.evidence_ref,
        note_digest=row.note_digest,
        claimed_by=row.claimed_by,
        source_record=row.source_record,
        expires_at=row.expires_at,
        open=row.open,
    )


def candidate(connection: Connection, candidate_id: str) -> tuple[OrgId, Candidate] | None:
    """One claim in quarantine, and the org it came from."""
    row = connection.execute(
        select(candidate_table).where(candidate_table.c.id == candidate_id)
    ).one_or_none()
    return None if row is None else (OrgId(row.org_id), candidate_of(row))


def _points_of(
    connection: Connection, ids: Collection[SubjectId]
) -> dict[SubjectId, list[HeldPoint]]:
    statement = select(contact_point).order_by(contact_point.c.type, contact_point.c.exact)
    gathered: dict[SubjectId, list[HeldPoint]] = {}
    for row in bulk.look_up(connection, statement, contact_point.c.subject_id, ids):
        point = ContactPoint(
            type=PointType(row.type), hmac=row.hmac, exact=row.exact, key_version=row.key_version
        )
        held = HeldPoint(point=point, retired=row.retired)
        gathered.setdefault(SubjectId(row.subject_id), []).append(held)
    return gathered


def _links_of_subjects(
    connection: Connection, ids: Collection[SubjectId]
) -> dict[SubjectId, list[Link]]:
    statement = select(subject_link).order_by(subject_link.c.org_id, subject_link.c.contact_id)
    gathered: dict[SubjectId, list[Link]] = {}
    for row in bulk.look_up(connection, statement, subject_link.c.subject_id, ids):
        gathered.setdefault(SubjectId(row.subject_id), []).append(_link_of(row))
    return gathered


def _candidates_of(
    connection: Connection, ids: Collection[SubjectId]
) -> dict[SubjectId, list[Candidate]]:
    statement = select(candidate_table).order_by(candidate_table.c.claimed_at, candidate_table.c.id)
    gathered: dict[SubjectId, list[Candidate]] = {}
    for row in bulk.look_up(connection, statement, candidate_table.c.subject_id, ids):
        claim = candidate_of(row)
        gathered.setdefault(claim.subject_id, []).append(claim)
    return gathered


def _link_of(row: Row[*tuple[Any, ...]]) -> Link:
    return Link(
        subject_id=SubjectId(row.subject_id),
        org_id=OrgId(row.org_id),
        contact_id=ContactId(row.contact_id),
        state=row.state,
        merged_into=None if row.merged_into is None else ContactId(row.merged_into),
    )
