"""Deeds: what operators and imports do outside any cycle, sealed like everything else."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, select

from salesforce_bridge.audit import entries
from salesforce_bridge.audit.entries import Draft
from salesforce_bridge.ledger import bulk, claims, heads, history, people, sealing
from salesforce_bridge.ledger.sealing import Nonces
from salesforce_bridge.ledger.tables import candidate, condition, permission_event, subject
from salesforce_bridge.ledger.values import Appended, Deed
from salesforce_bridge.permissions.conditions import Condition
from salesforce_bridge.permissions.events import PermissionEvent
from salesforce_bridge.permissions.keys import OrgId, SubjectId
from salesforce_bridge.permissions.policy import Policy
from salesforce_bridge.reconcile.facts import Candidate, Link
from salesforce_bridge.reconcile.intent import NewSubject, PointChange


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a deed adds to the ledger."""

    events: Sequence[PermissionEvent] = ()
    conditions: Sequence[Condition] = ()
    candidates: Sequence[tuple[OrgId, Candidate]] = ()
    new_subjects: Sequence[NewSubject] = ()
    links: Sequence[Link] = ()
    points: Sequence[PointChange] = ()


def append_deed(
    connection: Connection,
    deed: Deed,
    facts: Facts,
    *,
    at: datetime,
    policy: Policy,
    nonces: Nonces,
) -> Appended:
    """Append what is new, seal one entry for each person it touches, and have them looked at.

    A deed that speaks of nobody is sealed as such; one that tells only what is known leaves no trace.
    """
    first = heads.lock(connection).revision + 1
    news = news_of(connection, facts)
    told = _told(news)
    if not _tells_anything(news) and any((facts.events, facts.conditions, facts.candidates)):
        return Appended(events=0, revision=first - 1)
    heads.move(connection, {"revision": first + len(news.conditions)})
    people.add_subjects(
        connection,
        news.new_subjects,
        at=at,
        revision=first,
        outside=True,
        nonces=nonces,
        policy_digest=policy.digest,
    )
    people.put_links(connection, news.links, at=at)
    people.change_points(connection, news.points, at=at)
    claims.put_candidates(connection, news.candidates, revision=first)
    last = people.add_conditions(connection, news.conditions, at=at, after=first)
    history.touch(connection, {one: last.get(one, first) for one in told}, outside=True)
    appended = history.append(connection, news.events, history.Origin(at=at, policy=policy))
    frame = {
        "org_id": None,
        "cycle_id": None,
        "at": entries.plain(at),
        "policy_version": policy.version,
        "policy_digest": policy.digest,
        "revision": first,
    }
    known = sealing.pseudonyms(connection, told)
    keys = {one: person.subject_key for one, person in known.items()}
    drafts = [_draft(deed, f"deed-{first}", keys.get(one), ids, frame) for one, ids in told.items()]
    sealing.append(
        connection, drafts or [_draft(deed, f"deed-{first}", None, [], frame)], nonces=nonces
    )
    return appended


def _draft(
    deed: Deed, ref: str, subject_key: str | None, ids: Sequence[str], frame: Mapping[str, object]
) -> Draft:
    return entries.deed(
        ref=ref,
        verb=deed.verb,
        reason=deed.reason,
        subject_key=subject_key,
        by=deed.by,
        approved_by=deed.approved_by,
        details={"recorded": list(ids), **deed.details},
        frame=frame,
    )


def news_of(connection: Connection, facts: Facts) -> Facts:
    """What of some facts the ledger does not know yet."""
    events = _known(connection, permission_event.c.id, (event.id for event in facts.events))
    conditions = _known(connection, condition.c.id, (fact.id for fact in facts.conditions))
    subjects = _known(connection, subject.c.id, (one.subject_id for one in facts.new_subjects))
    candidates = _known_claims(connection, (claim.id for _, claim in facts.candidates))
    return Facts(
        events=[event for event in facts.events if event.id not in events],
        conditions=list(
            {fact.id: fact for fact in facts.conditions if fact.id not in conditions}.values()
        ),
        candidates=[
            (org_id, claim)
            for org_id, claim in facts.candidates
            # A claim that was judged is not opened again by being told again.
            if claim.id not in candidates or (candidates[claim.id] and not claim.open)
        ],
        new_subjects=[one for one in facts.new_subjects if one.subject_id not in subjects],
        links=facts.links,
        points=facts.points,
    )


def _tells_anything(news: Facts) -> bool:
    return any((news.events, news.conditions, news.candidates, news.new_subjects))


def _told(news: Facts) -> dict[SubjectId, list[str]]:
    """Whom a deed touches, and with what."""
    told: dict[SubjectId, list[str]] = {}
    recorded: Iterable[PermissionEvent | Condition | Candidate] = (
        *news.events,
        *news.conditions,
        *(claim for _, claim in news.candidates),
    )
    for fact in recorded:
        told.setdefault(fact.subject_id, []).append(fact.id)
    touched: Iterable[NewSubject | Link | PointChange] = (
        *news.new_subjects,
        *news.links,
        *news.points,
    )
    for touching in touched:
        told.setdefault(touching.subject_id, [])
    return told


def _known(
    connection: Connection, column: ColumnElement[str], ids: Iterable[str]
) -> frozenset[str]:
    found = bulk.look_up(connection, select(column), column, ids)
    return frozenset(row[0] for row in found)


def _known_claims(connection: Connection, ids: Iterable[str]) -> dict[str, bool]:
    statement = select(candidate.c.id, candidate.c.open)
    return {row.id: row.open for row in bulk.look_up(connection, statement, candidate.c.id, ids)}
