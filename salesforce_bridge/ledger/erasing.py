"""Erasing a person: everything that leads to them goes, the no stays, and what the law wants kept is named."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select, update

from salesforce_bridge.errors import SkipRecord
from salesforce_bridge.ledger import (
    drafts,
    heads,
    history,
    mirrors,
    sealing,
    suppressions,
    telling,
    writes,
)
from salesforce_bridge.ledger.picture import Picture
from salesforce_bridge.ledger.tables import (
    audit_entry,
    audit_payload,
    candidate,
    contact_point,
    planned_write,
    subject,
)
from salesforce_bridge.permissions.events import EventKind, PermissionEvent, in_fold_order
from salesforce_bridge.permissions.keys import SubjectId
from salesforce_bridge.permissions.policy import Policy
from salesforce_bridge.permissions.profiles import profile_of
from salesforce_bridge.permissions.stops import EVERYTHING
from salesforce_bridge.permissions.suppressions import Scope, Suppression
from salesforce_bridge.reconcile.facts import LIVE_LINKS, SubjectRecord

REASON = "ERASURE_EXECUTED"
KEPT_ALWAYS = ("PERMISSION_EVENTS", "AUDIT_HEADERS", "LINKS")  # without a name, for claims


class PersonErased(SkipRecord):
    """The person was erased before; nothing is left to erase, and nothing may be added."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Erased:
    """What an erasure left behind."""

    kept: tuple[str, ...]  # what, and why: `purpose/channel: ERASURE_REFUSED_LEGAL_OBLIGATION`, …
    destroyed: Mapping[str, int]  # what, and how many
    events: int


def erase(
    tx: Picture,
    subject_id: SubjectId,
    *,
    by: str,
    approved_by: str | None,
    at: datetime,
    policy: Policy,
) -> Erased:
    """Erase a person, in the caller's transaction.

    What stays: a key whose legal duty still runs, the fingerprints of the addresses as suppressions, the
    history and the links under an id that leads to nobody by itself, and the headers of the audit.
    """
    second = telling.two_people(by, approved_by, what="an erasure")
    heads.lock(tx.connection)
    record = telling.person(tx, subject_id)
    if record.erased:
        raise PersonErased(
            f"person {subject_id} was erased before", hint="salesforce-bridge rights list"
        )
    events = in_fold_order(_events(record, by=by, at=at, policy=policy))
    appended = history.append(tx.connection, events, history.Origin(at=at, policy=policy))
    uses = {event.id: event.use for event in events}
    refused = sorted(
        f"{uses[event_id].purpose}/{uses[event_id].channel}: {code}"
        for event_id, code in appended.refused.items()
    )
    silenced = tuple(_silenced(record, at=at, policy=policy))
    suppressions.put_suppressions(tx.connection, silenced)
    old_key = sealing.pseudonyms(tx.connection, [subject_id]).get(subject_id)
    destroyed = _destroy(tx, record, at=at)
    kept = (*refused, *KEPT_ALWAYS, *(("SUPPRESSIONS",) if silenced else ()))
    told = [
        drafts.erased(
            subject_key=None if old_key is None else old_key.subject_key,
            by=by,
            approved_by=second,
            kept=kept,
            destroyed=destroyed,
            frame=drafts.under(policy, at),
        )
    ]
    if silenced:
        told.append(
            drafts.suppressed(
                drafts.SUPPRESSION_ADDED,
                silenced,
                by=by,
                approved_by=second,
                frame=drafts.under(policy, at),
            )
        )
    sealing.append(tx.connection, told, nonces=tx.nonces)
    return Erased(kept=kept, destroyed=destroyed, events=appended.events)


def _events(
    record: SubjectRecord, *, by: str, at: datetime, policy: Policy
) -> Iterator[PermissionEvent]:
    uses = (
        (EVERYTHING, EventKind.STOP_ALL),
        *((use, EventKind.ERASE) for use in record.permissions),
    )
    for use, kind in uses:
        yield telling.said_by_operator(
            record, use, kind, reason=REASON, happened_at=at, by=by, at=at, policy=policy
        )


def _silenced(record: SubjectRecord, *, at: datetime, policy: Policy) -> Iterator[Suppression]:
    """Every address the person ever had, under the key that its fingerprint was made with."""
    lasts = profile_of(policy, record.jurisdiction).suppression_retention
    for hmac, version in sorted({(one.point.hmac, one.point.key_version) for one in record.points}):
        yield Suppression(
            hmac=hmac,
            key_version=version,
            scope=Scope.MARKETING,
            controller=policy.controller,
            since=at,
            reason=REASON,
            after_erasure=True,
            expires_at=None if lasts is None else at + lasts,
        )


def _destroy(tx: Picture, record: SubjectRecord, *, at: datetime) -> dict[str, int]:
    """Destroy what leads to the person; what remains to be said of them is said under a new key."""
    connection, whose = tx.connection, record.subject_id
    payloads = (
        select(audit_entry.c.seq)
        .join(subject, subject.c.subject_key == audit_entry.c.subject_key)
        .where(subject.c.id == whose)
    )
    shredded = connection.execute(
        update(audit_payload)
        .where(audit_payload.c.seq.in_(payloads), audit_payload.c.shredded_at.is_(None))
        .values(payload=None, nonce=None, shredded_at=at)
    )
    points = connection.execute(delete(contact_point).where(contact_point.c.subject_id == whose))
    claims = connection.execute(delete(candidate).where(candidate.c.subject_id == whose))
    for link in record.links:
        connection.execute(
            delete(planned_write).where(
                planned_write.c.contact_id == link.contact_id,
                planned_write.c.org_id == link.org_id,
                planned_write.c.state.not_in(writes.OPEN),
            )
        )
        if link.state not in LIVE_LINKS:
            # What is still there is looked at until it is gone; then its mirror goes the same way.
            mirrors.strip(connection, link.org_id, [link.contact_id])
    fresh = sealing.new_pseudonym(tx.nonces)
    connection.execute(
        update(subject)
        .where(subject.c.id == whose)
        .values(subject_key=fresh.subject_key, salt=fresh.salt, erased_at=at)
    )
    return {
        "AUDIT_PAYLOADS": shredded.rowcount,
        "CONTACT_POINTS": points.rowcount,
        "CLAIMS": claims.rowcount,
    }
