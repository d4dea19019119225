"""Reading people: all that is held about them, and who is to be looked at."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection, Row, func, select, union

from salesforce_bridge.ledger import bulk, claims, projection, rights_cases, suppressions
from salesforce_bridge.ledger.tables import (
    candidate,
    condition,
    contact_point,
    permission,
    rights_case,
    subject,
    subject_link,
    suppression,
)
from salesforce_bridge.ledger.values import OldKeys
from salesforce_bridge.permissions.conditions import Condition, ConditionKind, SoftOptIn
from salesforce_bridge.permissions.contact_points import ContactPoint, PointType
from salesforce_bridge.permissions.keys import (
    ContactId,
    OrgId,
    PurposeKey,
    SubjectId,
)
from salesforce_bridge.permissions.states import VALID
from salesforce_bridge.permissions.suppressions import Suppression
from salesforce_bridge.reconcile.facts import HeldPoint, Link, SubjectRecord


def subjects(connection: Connection, ids: Collection[SubjectId]) -> dict[SubjectId, SubjectRecord]:
    """All that is held about people; people who are not known are left out."""
    known = list(bulk.look_up(connection, select(subject), subject.c.id, ids))
    known_ids = [SubjectId(row.id) for row in known]
    permissions, boundaries = projection.permissions_of(connection, known_ids)
    stops = projection.stops_of(connection, known_ids)
    conditions = conditions_of(connection, known_ids)
    points = _points_of(connection, known_ids)
    links = links_of_people(connection, known_ids)
    candidates = claims.candidates_of(connection, known_ids)
    cases = rights_cases.waiting_cases_of(connection, known_ids)
    silenced = _suppressions_by_hmac(connection, points)
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
            former_jurisdiction=row.former_jurisdiction,
            moved_at=row.moved_at,
            policy_digest=row.policy_digest,
            suppressions=_suppressions_among(silenced, points.get(one, ())),
            cases=tuple(cases.get(one, ())),
            due=boundaries.get(one, {}),
            erased=row.erased_at is not None,
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


def links_of_people(
    connection: Connection, ids: Collection[SubjectId]
) -> dict[SubjectId, list[Link]]:
    """Which Contacts people are, in every org."""
    statement = select(subject_link).order_by(subject_link.c.org_id, subject_link.c.contact_id)
    gathered: dict[SubjectId, list[Link]] = {}
    for row in bulk.look_up(connection, statement, subject_link.c.subject_id, ids):
        gathered.setdefault(SubjectId(row.subject_id), []).append(_link_of(row))
    return gathered


def erased_among(connection: Connection, ids: Collection[SubjectId]) -> frozenset[SubjectId]:
    """Which of some people were erased."""
    statement = select(subject.c.id).where(subject.c.erased_at.is_not(None))
    found = bulk.look_up(connection, statement, subject.c.id, ids)
    return frozenset(SubjectId(row.id) for row in found)


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
        (permission.c.subject_id, permission.c.due_at, None),
        (condition.c.subject_id, condition.c.valid_from, None),
        (condition.c.subject_id, condition.c.valid_to, None),
        (candidate.c.subject_id, candidate.c.expires_at, candidate.c.open),
        (rights_case.c.subject_id, rights_case.c.answer_by, None),
    )
    selects = [
        select(whose).where(moment > after, moment <= until, *([] if only is None else [only]))
        for whose, moment, only in boundaries
    ]
    soon = rights_cases.DUE_SOON
    selects.append(
        select(rights_case.c.subject_id).where(
            rights_case.c.answer_by > after + soon, rights_case.c.answer_by <= until + soon
        )
    )
    return tuple(sorted(SubjectId(found) for found in connection.scalars(union(*selects))))


def conditions_of(
    connection: Connection, ids: Collection[SubjectId]
) -> dict[SubjectId, list[Condition]]:
    """The facts that gates ask for; of those told twice about the same thing, the later word."""
    latest: dict[tuple[str | None, ...], Condition] = {}
    statement = select(condition).order_by(condition.c.revision)
    for row in bulk.look_up(connection, statement, condition.c.subject_id, ids):
        latest[row.subject_id, row.kind, row.ref, row.purpose, row.point] = Condition(
            id=row.id,
            subject_id=SubjectId(row.subject_id),
            kind=ConditionKind(row.kind),
            ref=row.ref,
            valid_from=row.valid_from,
            valid_to=row.valid_to,
            purpose=None if row.purpose is None else PurposeKey(row.purpose),
            point=row.point,
            soft_opt_in=None
            if row.soft_opt_in is None
            else _sale_of(orjson.loads(row.soft_opt_in)),
        )
    gathered: dict[SubjectId, list[Condition]] = {}
    for fact in sorted(latest.values(), key=lambda fact: fact.id):
        gathered.setdefault(fact.subject_id, []).append(fact)
    return gathered


def points_by_version(connection: Connection) -> dict[int, int]:
    """How many fingerprints each key has made, those of suppressions too: a key in use cannot go."""
    counted: dict[int, int] = {}
    for versions in (contact_point.c.key_version, suppression.c.key_version):
        statement = select(versions, func.count()).group_by(versions)
        for version, number in connection.execute(statement):
            counted[version] = counted.get(version, 0) + number
    return dict(sorted(counted.items()))


def resting_on_old_keys(connection: Connection, *, current: int) -> OldKeys:
    """What would be forgotten if only the current key were left."""
    old = contact_point.c.key_version != current
    same_person = contact_point.c.subject_id
    facts = select(func.count(func.distinct(condition.c.id))).where(
        condition.c.subject_id == same_person, condition.c.point == contact_point.c.hmac, old
    )
    grants = select(func.count()).where(
        permission.c.subject_id == same_person,
        permission.c.point == contact_point.c.exact,
        permission.c.state.in_([state.value for state in VALID]),
        old,
    )
    silent = select(func.count()).where(suppression.c.key_version != current)
    return OldKeys(
        suppressions=int(connection.execute(silent).scalar_one()),
        conditions=int(connection.execute(facts).scalar_one()),
        grants=int(connection.execute(grants).scalar_one()),
    )


def _suppressions_by_hmac(
    connection: Connection, points: Mapping[SubjectId, Sequence[HeldPoint]]
) -> dict[str, list[Suppression]]:
    hmacs = {held.point.hmac for each in points.values() for held in each}
    gathered: dict[str, list[Suppression]] = {}
    for one in suppressions.suppressions_of(connection, hmacs):
        gathered.setdefault(one.hmac, []).append(one)
    return gathered


def _suppressions_among(
    silenced: Mapping[str, Sequence[Suppression]], points: Sequence[HeldPoint]
) -> tuple[Suppression, ...]:
    """Choose those that are about a person: one that is left of an erased person is about nobody who has had
    the address and has it no longer."""
    if not silenced:
        return ()
    return tuple(
        sorted(
            {
                one
                for held in points
                for one in silenced.get(held.point.hmac, ())
                if not (held.retired and one.after_erasure)
            }
        )
    )


def _sale_of(told: Mapping[str, Any]) -> SoftOptIn:
    return SoftOptIn(**{**told, "sale_date": datetime.fromisoformat(told["sale_date"])})


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


def _link_of(row: Row[*tuple[Any, ...]]) -> Link:
    return Link(
        subject_id=SubjectId(row.subject_id),
        org_id=OrgId(row.org_id),
        contact_id=ContactId(row.contact_id),
        state=row.state,
        merged_into=None if row.merged_into is None else ContactId(row.merged_into),
    )
