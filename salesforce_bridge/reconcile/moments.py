"""Moments: what is due because time has passed, found while a dossier is judged, each in its turn."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta

from salesforce_bridge.permissions.events import EventKind
from salesforce_bridge.permissions.expiry import (
    due_since,
    end_of,
    ground_ends_at,
    lapses_at,
    prompt_due,
)
from salesforce_bridge.permissions.keys import ANY_CHANNEL, ANY_PURPOSE, ContactId, SubjectId, Use
from salesforce_bridge.permissions.permission import Permission
from salesforce_bridge.permissions.policy import Policy
from salesforce_bridge.permissions.rights import CaseState, RightsCase
from salesforce_bridge.permissions.states import VALID, State
from salesforce_bridge.reconcile.bench import Bench
from salesforce_bridge.reconcile.classes import LedgerClass, class_of, is_restricted
from salesforce_bridge.reconcile.facts import SubjectRecord
from salesforce_bridge.reconcile.findings import Extra, Finding, Situation, in_order
from salesforce_bridge.reconcile.row_edits import nearest, uses_of
from salesforce_bridge.reconcile.words import Status

OVERDUE = "BASIS_REVIEW_OVERDUE"
SOON = timedelta(days=7)  # before an answer is due, somebody is told


def moments_due(bench: Bench) -> tuple[Finding, ...]:
    """Find what has ended, counting what was merged a moment ago, and the claims that waited too long."""
    return in_order((*_ended(bench), *_timed_out(bench)))


def windows_due(bench: Bench) -> tuple[Finding, ...]:
    """Find what ends soon and whom to tell, counting what was renewed or has ended a moment ago."""
    # A use is told about once, and rather for what somebody did than for what the clock says.
    windows = {
        (each.contact_id, each.use): each for each in (*_windows(bench), *_asked_again(bench))
    }
    return in_order((*windows.values(), *_answers_due(bench)))


def due(record: SubjectRecord, use: Use, *, policy: Policy, at: datetime) -> datetime | None:
    """Say since when the clock has something to do about a use; None if nothing is due."""
    permission = record.permissions[use]
    if permission.held == OVERDUE:
        # What waits for a review waits for a person, who then also sees that it has run out.
        return None
    since = due_since(permission, person=record, policy=policy, at=at)
    if since is None or class_of(record, use, policy=policy, at=at) is not LedgerClass.L6:
        return since
    # A review that is due ends nothing, and what may not be used needs no holding.
    ends = (
        lapses_at(permission, policy=policy),
        end_of(permission, person=record, policy=policy),
        ground_ends_at(permission, person=record),
    )
    return min((end for end in ends if end is not None and end <= at), default=None)


def speakers(bench: Bench) -> Mapping[SubjectId, ContactId]:
    """Choose for each person the one Contact that is told what concerns the person as a whole."""
    if len(bench.cases) == 1:
        return {bench.owners[contact_id]: contact_id for contact_id in bench.cases}
    found: dict[SubjectId, ContactId] = {}
    for contact_id in sorted(bench.cases, key=lambda each: (each not in bench.alive, each)):
        found.setdefault(bench.owners[contact_id], contact_id)
    return found


def _ended(bench: Bench) -> Iterator[Finding]:
    for contact_id in bench.cases:
        record = bench.record_of(contact_id)
        for use, clock in bench.clocks_of(record).items() if record.permissions else ():
            if clock.over_since(bench.at) is None:
                continue
            since = due(record, use, policy=bench.policy, at=bench.at)
            if since is not None:
                yield Finding(
                    situation=Situation.S27_EXPIRY_DUE, contact_id=contact_id, use=use, stamp=since
                )


def _timed_out(bench: Bench) -> Iterator[Finding]:
    for record, contact_id in _people(bench, lambda record: record.candidates):
        late = {
            each.use: each.expires_at
            for each in record.candidates
            if each.open and each.expires_at <= bench.at
        }
        for use, expires_at in late.items():
            yield Finding(
                situation=Extra.CLAIM_TIMED_OUT, contact_id=contact_id, use=use, stamp=expires_at
            )


def _windows(bench: Bench) -> Iterator[Finding]:
    expired = (event for event in bench.events if event.kind is EventKind.EXPIRE)
    lapsed = {(event.subject_id, event.use) for event in expired} if bench.events else ()
    for record, contact_id in _people(bench, lambda record: record.permissions):
        for use, clock in bench.clocks_of(record).items():
            if not lapsed and clock.reached(bench.at) is None and use not in record.due:
                continue
            permission = record.permissions[use]
            if (record.subject_id, use) in lapsed and permission.state is State.EXPIRED:
                stamp: datetime | None = permission.since
            else:
                stamp = _window(record, use, permission, policy=bench.policy, at=bench.at)
            if stamp is not None:
                yield Finding(
                    situation=Situation.S28_RENEWAL_WINDOW,
                    contact_id=contact_id,
                    use=use,
                    stamp=stamp,
                )


def _window(
    record: SubjectRecord, use: Use, permission: Permission, *, policy: Policy, at: datetime
) -> datetime | None:
    """Give the boundary before an end that was reached; of what may not be asked for anew, only at the
    moment at which the clock would have asked."""
    running = permission.state in VALID
    prompted = prompt_due(permission, person=record, policy=policy, at=at) if running else None
    asked_at = record.due.get(use)
    if asked_at is not None and (asked_at > at or not _was_given(permission)):
        asked_at = None
    if prompted is None and asked_at is None:
        return None
    found = class_of(record, use, policy=policy, at=at)
    if found in _OPEN:
        return prompted
    waits = found is LedgerClass.L6 and permission.held == OVERDUE
    if waits and not is_restricted(record, use, at=at):
        return None  # a review that is overdue says nothing about what the person wants
    return asked_at if found in _BARRED else None


def _was_given(permission: Permission) -> bool:
    return permission.state in VALID or permission.stopped_at is not None


def _asked_again(bench: Bench) -> Iterator[Finding]:
    """Recognise that somebody means to ask a person anew who has said no, or whose yes has run out."""
    for case in bench.cases.values():
        for row in case.rows:
            seen = row.seen
            if seen.fields.consent_status != Status.ASKED:
                continue
            agreed = nearest(row, seen)
            was = agreed.fields.consent_status if agreed is not None else None
            if seen.deleted or was == Status.ASKED:
                continue
            use = uses_of(row, policy=bench.policy)[0]
            record = bench.record_of(case.contact_id)
            if class_of(record, use, policy=bench.policy, at=bench.at) in _NOT_TO_BE_ASKED:
                yield Finding(
                    situation=Situation.S28_RENEWAL_WINDOW,
                    contact_id=case.contact_id,
                    use=use,
                    row_id=seen.row_id,
                    stamp=seen.modstamp,
                    actor=seen.modified_by,
                    observed={"consent_status": (was, seen.fields.consent_status)},
                )


_OPEN = frozenset({LedgerClass.L2, LedgerClass.L3A, LedgerClass.L3B})
_BARRED = frozenset({LedgerClass.L4, LedgerClass.L6, LedgerClass.L7})
_NOT_TO_BE_ASKED = _BARRED | {LedgerClass.L5}


def _answers_due(bench: Bench) -> Iterator[Finding]:
    for record, contact_id in _people(bench, lambda record: record.cases):
        found: dict[tuple[Extra, Use], Finding] = {}
        for case in record.cases:
            due_at = case.extended_to or case.due_at
            extra = _reminder(case, due_at, at=bench.at)
            use = Use(purpose=case.purpose or ANY_PURPOSE, channel=ANY_CHANNEL)
            if extra is not None and (extra, use) not in found:
                found[extra, use] = Finding(
                    situation=extra,
                    contact_id=contact_id,
                    use=use,
                    stamp=due_at,
                    observed={"case": (None, case.kind.value)},
                )
        yield from found.values()


def _reminder(case: RightsCase, due_at: datetime, *, at: datetime) -> Extra | None:
    """Say whether somebody has to be told of a case: once when its answer is due soon, once when it is late."""
    if case.reply_sent_at is not None or case.state in _ANSWERED:
        return None
    for extra, since in ((Extra.CASE_OVERDUE, due_at), (Extra.CASE_DUE_SOON, due_at - SOON)):
        if at >= since:
            told = case.reminded_at is not None and case.reminded_at >= since
            return None if told else extra
    return None


_ANSWERED = frozenset({CaseState.DONE, CaseState.REFUSED})


def _people(
    bench: Bench, concerned: Callable[[SubjectRecord], Iterable[object]]
) -> Iterator[tuple[SubjectRecord, ContactId]]:
    """Go through the people about whom there is something, each with the Contact that speaks for them."""
    if not any(concerned(record) for record in bench.records.values()):
        return
    for subject_id, contact_id in speakers(bench).items():
        record = bench.records[subject_id]
        if concerned(record):
            yield record, contact_id
