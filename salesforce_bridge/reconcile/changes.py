"""Changes: what has to be recorded about the people of a dossier once it is judged."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from salesforce_bridge.permissions.events import PermissionEvent
from salesforce_bridge.permissions.expiry import next_moment
from salesforce_bridge.permissions.keys import SubjectId
from salesforce_bridge.reconcile.bench import Bench
from salesforce_bridge.reconcile.facts import (
    CLOSED_PURGED,
    CLOSED_SOFT,
    SubjectRecord,
)
from salesforce_bridge.reconcile.intent import (
    DueChange,
    JurisdictionChange,
    NewSubject,
    PointChange,
    PointMove,
)


def close_unlinked(bench: Bench) -> None:
    """Remember whose record it was, where something was told about somebody whose Contact is gone already."""
    if all(case.link is not None for case in bench.cases.values()):
        return
    spoken_of = {event.subject_id for event in bench.events}
    spoken_of |= {claim.subject_id for claim in bench.candidates.values()}
    spoken_of |= {case.subject_id for case in bench.rights.values()}
    spoken_of |= {fact.subject_id for fact in bench.conditions}
    for contact_id, subject_id in bench.owners.items():
        if subject_id in spoken_of and bench.link_of(contact_id) is None:
            found = bench.cases[contact_id].seen is not None
            bench.relink(contact_id, CLOSED_SOFT if found else CLOSED_PURGED)


def refold(
    bench: Bench, before: Iterable[SubjectRecord], events: tuple[PermissionEvent, ...]
) -> None:
    """Fold all new events afresh in the order in which the ledger will keep them."""
    if not events:
        return
    bench.events = []
    bench.told = set()
    for record in before:
        now = bench.records[record.subject_id]
        bench.records[record.subject_id] = replace(
            now, permissions=record.permissions, stops=record.stops, hold=record.hold
        )
    for subject_id in bench.met:
        now = bench.records[subject_id]
        bench.records[subject_id] = replace(now, permissions={}, stops=(), hold=None)
    for event in events:
        bench.append(event)


def moved_points(
    bench: Bench, before: Mapping[SubjectId, SubjectRecord]
) -> tuple[PointChange, ...]:
    """Name the contact points that people of this dossier gained or lost."""
    changes: list[PointChange] = []
    for subject_id, record in bench.records.items():
        known = before.get(subject_id)
        if known is not None and known.points is record.points:
            continue
        was = {held.point: held.retired for held in known.points} if known is not None else {}
        for held in record.points:
            if was.get(held.point) == held.retired:
                continue
            move = PointMove.RETIRE if held.retired else PointMove.REGISTER
            changes.append(PointChange(subject_id=subject_id, point=held.point, move=move))
    return tuple(changes)


def moved_people(bench: Bench) -> tuple[JurisdictionChange, ...]:
    """Name the people who are somewhere else now."""
    return tuple(
        JurisdictionChange(
            subject_id=subject_id,
            jurisdiction=bench.records[subject_id].jurisdiction,
            former=bench.records[subject_id].former_jurisdiction,
            moved_at=bench.records[subject_id].moved_at,
        )
        for subject_id in sorted(bench.places)
    )


def newly_met(bench: Bench) -> tuple[NewSubject, ...]:
    """Name the strangers whom the ledger has to remember: those about whom anything is known."""
    if not bench.met:
        return ()
    needed = {link.subject_id for link in bench.links.values()}
    return tuple(
        NewSubject(
            subject_id=subject_id,
            jurisdiction=bench.records[subject_id].jurisdiction,
            subject_class=bench.records[subject_id].subject_class,
        )
        for subject_id in sorted(bench.met & needed)
    )


def due_changes(bench: Bench) -> tuple[DueChange, ...]:
    """Name the uses for which the clock is due at another moment than the ledger's index says."""
    changes: list[DueChange] = []
    for subject_id, record in bench.records.items():
        if not record.permissions and not record.due:
            continue
        known, clocks = record.due, bench.clocks_of(record)
        for use, permission in record.permissions.items():
            due = next_moment(
                permission,
                person=record,
                policy=bench.policy,
                at=bench.at,
                clock=clocks[use],
            )
            if due != known.get(use):
                changes.append(DueChange(subject_id=subject_id, use=use, at=due))
    return tuple(sorted(changes, key=_by_use)) if len(changes) > 1 else tuple(changes)


def judged_anew(bench: Bench, before: Iterable[SubjectRecord]) -> tuple[SubjectId, ...]:
    """Name the people who were last judged under another bundle, and have been judged under this one."""
    digest, judged = bench.policy.digest, frozenset(bench.owners.values())
    return tuple(
        each.subject_id
        for each in before
        if each.policy_digest != digest and each.subject_id in judged
    )


def _by_use(change: DueChange) -> tuple[str, str, str]:
    return change.subject_id, change.use.purpose, change.use.channel
