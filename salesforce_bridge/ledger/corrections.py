"""Corrections: stops that were proven to be recording errors, taken back by two people; nothing is permitted by it."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from salesforce_bridge.errors import SkipRecord
from salesforce_bridge.ledger import deeds, heads, history, telling
from salesforce_bridge.ledger.picture import Picture
from salesforce_bridge.ledger.tables import permission_event
from salesforce_bridge.ledger.values import Appended, Deed
from salesforce_bridge.permissions.events import STOPS, EventKind, PermissionEvent
from salesforce_bridge.permissions.keys import SubjectId, Use
from salesforce_bridge.permissions.policy import Policy

REASON = "STOP_CORRECTED_AS_ERROR"
_TELLING_NO = STOPS | {EventKind.CORROBORATE}
_NO_WORDS = tuple(sorted(kind.value for kind in _TELLING_NO))
Key = tuple[SubjectId, Use]


class CorrectionRefused(SkipRecord):
    """A correction lacks its evidence, names no stop, or is not followed by the ledger."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspect:
    """A stop that somebody takes for an error."""

    event: PermissionEvent
    others: tuple[str, ...]  # ids of further stops on the same use: they stand, and so does the use

    @property
    def correctable(self) -> bool:
        """Whether this error is all that stops the use."""
        return not self.others


def suspects(
    tx: Picture,
    *,
    event_ids: Collection[str] = (),
    author: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> tuple[Suspect, ...]:
    """List the stops that are meant: by their ids, or by who edited Salesforce and when.

    What the bridge itself carried to others because of such a stop is listed with it.
    """
    chosen = _chosen(tx, event_ids=event_ids, author=author, since=since, until=until)
    told = history.events_of(tx.connection, {event.subject_id for event in chosen})
    named = {event.id for event in chosen}
    standing = {
        (subject_id, use): events
        for subject_id, own in told.items()
        for use, events in _standing(own).items()
    }
    return tuple(
        Suspect(
            event=event,
            others=tuple(
                other.id
                for other in standing.get((event.subject_id, event.use), ())
                if other.id not in named
            ),
        )
        for event in chosen
        if event in standing.get((event.subject_id, event.use), ())
    )


def correct_stops(
    tx: Picture,
    event_ids: Collection[str],
    *,
    evidence_ref: str,
    by: str,
    approved_by: str | None,
    at: datetime,
    policy: Policy,
) -> Appended:
    """Take back stops that were errors, each use once; a use with any other stop on it stays stopped."""
    second = telling.two_people(by, approved_by, what="correcting a stop")
    if not evidence_ref.strip():
        raise CorrectionRefused(
            "a correction needs the evidence of the error", hint="say where it is kept"
        )
    heads.lock(tx.connection)
    wrong: dict[Key, PermissionEvent] = {
        (each.event.subject_id, each.event.use): each.event
        for each in suspects(tx, event_ids=event_ids)
        if each.correctable
    }
    if not wrong:
        raise CorrectionRefused(
            "none of these stops can be corrected: none stands by itself",
            hint="salesforce-bridge review correct --help",
        )
    people = tx.subjects({subject_id for subject_id, _ in wrong})
    events = [
        telling.said_by_operator(
            people[subject_id],
            use,
            EventKind.CORRECT,
            reason=REASON,
            happened_at=at,
            by=by,
            at=at,
            policy=policy,
            source_record=event.id,
            evidence_ref=evidence_ref,
        )
        for (subject_id, use), event in sorted(wrong.items(), key=_by_key)
    ]
    deed = Deed(
        verb="CORRECT",
        by=by,
        reason=REASON,
        approved_by=second,
        details={"evidence_ref": evidence_ref},
    )
    with tx.connection.begin_nested():
        appended = telling.append(tx, deed, deeds.Facts(events=events), at=at, policy=policy)
        if appended.refused:
            raise CorrectionRefused(
                f"the ledger does not follow: {', '.join(telling.refusals(appended))}",
                hint="salesforce-bridge ledger show CONTACT_ID",
            )
    return appended


def _by_key(found: tuple[Key, PermissionEvent]) -> tuple[str, Use]:
    (subject_id, use), _ = found
    return subject_id, use


def _chosen(
    tx: Picture,
    *,
    event_ids: Collection[str],
    author: str | None,
    since: datetime | None,
    until: datetime | None,
) -> tuple[PermissionEvent, ...]:
    if event_ids:
        return history.events_named(tx.connection, event_ids)
    if author is None or since is None or until is None:
        raise CorrectionRefused(
            "name the stops by their ids, or by an author and the time from and until",
            hint="salesforce-bridge review correct --help",
        )
    edited = permission_event.c.source_stamp
    said = select(permission_event).where(
        permission_event.c.kind.in_(_NO_WORDS),
        permission_event.c.actor_ref == author,
        edited >= since,
        edited <= until,
    )
    found = history.events_by(tx.connection, said)
    moments = {event.recorded_at for event in found if event.recorded_at is not None}
    carried = select(permission_event).where(
        permission_event.c.kind.in_(_NO_WORDS),
        permission_event.c.own.is_(False),
        permission_event.c.recorded_at.in_(moments),
    )
    causes = {(event.use, event.happened_at) for event in found}
    return (
        *found,
        *(
            event
            for event in history.events_by(tx.connection, carried)
            if (event.use, event.happened_at) in causes and event not in found
        ),
    )


def _standing(events: Iterable[PermissionEvent]) -> Mapping[Use, Sequence[PermissionEvent]]:
    """Of each use, the words that say no and that nothing has taken back since."""
    standing: dict[Use, list[PermissionEvent]] = {}
    for event in events:
        if event.kind in _TELLING_NO:
            standing.setdefault(event.use, []).append(event)
        elif event.kind is EventKind.CORRECT:
            standing.pop(event.use, None)
    return standing
