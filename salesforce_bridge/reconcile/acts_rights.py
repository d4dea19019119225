"""Acts on rights of the person: cases that somebody has to answer in time, and what is stopped at once."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime

from salesforce_bridge.permissions.conditions import Condition, ConditionKind
from salesforce_bridge.permissions.events import EventKind
from salesforce_bridge.permissions.keys import ANY_PURPOSE, PurposeKey
from salesforce_bridge.permissions.profiles import profile_of
from salesforce_bridge.permissions.rights import CaseKind, CaseState, RightsCase, due_at
from salesforce_bridge.permissions.stops import EVERYTHING
from salesforce_bridge.permissions.suppressions import Scope, Suppression, matching
from salesforce_bridge.reconcile.acts_words import happened_at, tell, words_of
from salesforce_bridge.reconcile.bench import Bench
from salesforce_bridge.reconcile.classes import is_marketing
from salesforce_bridge.reconcile.facts import CLOSED_PURGED, CLOSED_SOFT
from salesforce_bridge.reconcile.findings import Extra, Finding
from salesforce_bridge.reconcile.identity import stable_id
from salesforce_bridge.reconcile.moments import SOON
from salesforce_bridge.reconcile.reasons import Reason
from salesforce_bridge.reconcile.sharing import own_stop_at

RESTRICTED = "opted_out_processing"  # the flag that asks for it, and the name of the restriction
# Reasons after which a person is owed an answer, although the stop itself needs nobody.
OWED_AN_ANSWER = frozenset({"STOP_HONOURED_AS_OBJECTION", "STOP_RECORDED_SERVICE_CONTINUES"})


def stop(bench: Bench, finding: Finding, reason: Reason) -> Iterator[str]:
    """Take a no, in the words of what it is about; where an answer is due, open the case for it."""
    record = bench.record_of(finding.contact_id)
    about = finding.use.purpose
    wide = reason.code == "STOP_RECORDED_SERVICE_CONTINUES" or about == ANY_PURPOSE
    marketing = wide or is_marketing(record, finding.use, policy=bench.policy)
    for kind, use in tuple(words_of(bench, record, finding)):
        yield from tell(bench, finding, reason, kind, use=use)
    if reason.code in OWED_AN_ANSWER:
        kind_of_case = CaseKind.MARKETING_OBJECTION if marketing else CaseKind.OBJECTION
        yield from _open(bench, finding, kind_of_case, purpose=None if wide else about)


def corroborate(bench: Bench, finding: Finding, reason: Reason) -> Iterator[str]:
    """A no told again is kept, and widens the no that stands where it says more.

    One that had only been carried over from somebody else becomes the person's own, whether it was
    about this use or wider.
    """
    record = bench.record_of(finding.contact_id)
    for kind, use in tuple(words_of(bench, record, finding)):
        known = record.permissions.get(use)
        says_more = (
            use.purpose == ANY_PURPOSE
            or (known is not None and not known.own)
            or own_stop_at(record, use, policy=bench.policy) is None
        )
        told = kind if says_more else EventKind.CORROBORATE
        yield from tell(bench, finding, reason, told, use=use)


def open_rights_case(bench: Bench, finding: Finding, reason: Reason) -> Iterator[str]:
    """Do at once what the flags of the Individual ask for, and open the cases in which they are answered."""
    for right in finding.rights:
        yield from _RIGHTS.get(right, _profiling)(bench, finding, reason)


def remind(bench: Bench, finding: Finding, reason: Reason) -> Iterator[str]:
    """Note that somebody was told of an answer that is due, once before and once after."""
    del reason
    overdue = finding.situation is Extra.CASE_OVERDUE
    for case in bench.record_of(finding.contact_id).cases:
        due = case.extended_to or case.due_at
        since = due if overdue else due - SOON
        told = case.reminded_at is not None and case.reminded_at >= since
        reached = bench.at >= since and (bench.at >= due) is overdue
        answered = case.reply_sent_at is not None or case.state in _ANSWERED
        about = (case.purpose or ANY_PURPOSE) == finding.use.purpose
        if about and reached and not told and not answered:
            bench.change_case(replace(case, reminded_at=bench.at))
            yield case.id


def confirm_erasure(bench: Bench, finding: Finding, reason: Reason) -> Iterator[str]:
    """Note that the Contact of an erased person is gone from the org."""
    del reason
    case = bench.cases[finding.contact_id]
    if finding.contact_id in bench.alive:
        return  # only a row of it went
    bench.relink(finding.contact_id, CLOSED_PURGED if case.seen is None else CLOSED_SOFT)
    for each in bench.record_of(finding.contact_id).cases:
        if each.kind is CaseKind.ERASURE and each.crm_done_at is None:
            bench.change_case(replace(each, crm_done_at=happened_at(bench, finding)))
            yield each.id


def reaffirm_suppression(bench: Bench, finding: Finding, reason: Reason) -> Iterator[str]:
    """Keep the address of an erased person silent from now on anew; nothing else is remembered of them.

    Whoever only has such an address, or a key that was erased, has said no for themselves: it holds when they
    have another address, and for those with whom they share a number.
    """
    record, case = bench.record_of(finding.contact_id), bench.cases[finding.contact_id]
    if not record.erased:
        yield from corroborate(bench, finding, reason)
    since = happened_at(bench, finding)
    seen = case.seen or case.mirror
    points = () if seen is None else (*seen.points, *seen.older)
    known = matching(bench.suppressions, points)
    for each in known:
        if each.since < since:
            bench.suppress(replace(each, since=since, reason=reason.code))
    silent = {each.hmac for each in known}
    for point in points if record.erased else ():
        if point.hmac not in silent:
            bench.suppress(
                Suppression(
                    hmac=point.hmac,
                    key_version=point.key_version,
                    scope=Scope.MARKETING,
                    controller=bench.policy.controller,
                    since=since,
                    reason=reason.code,
                    after_erasure=True,
                )
            )


def _erasure(bench: Bench, finding: Finding, reason: Reason) -> Iterator[str]:
    yield from tell(bench, finding, reason, EventKind.STOP_ALL, use=EVERYTHING)
    yield from _open(bench, finding, CaseKind.ERASURE)


def _marketing(bench: Bench, finding: Finding, reason: Reason) -> Iterator[str]:
    yield from tell(bench, finding, reason, EventKind.STOP_MARKETING, use=EVERYTHING)
    yield from _open(bench, finding, CaseKind.MARKETING_OBJECTION)


def _copy(bench: Bench, finding: Finding, reason: Reason) -> Iterator[str]:
    del reason
    return _open(bench, finding, CaseKind.PORTABILITY)


def _restriction(bench: Bench, finding: Finding, reason: Reason) -> Iterator[str]:
    del reason
    record = bench.record_of(finding.contact_id)
    since = happened_at(bench, finding)
    condition = Condition(
        id=stable_id("condition", record.subject_id, RESTRICTED, since.isoformat()),
        subject_id=record.subject_id,
        kind=ConditionKind.RESTRICTION,
        ref=RESTRICTED,
        valid_from=since,
    )
    bench.add_condition(condition)
    return _open(bench, finding, CaseKind.RESTRICTION)


def _profiling(bench: Bench, finding: Finding, reason: Reason) -> Iterator[str]:
    yield from _object(bench, finding, reason)
    yield from _open(bench, finding, CaseKind.PROFILING_OBJECTION)


def _object(bench: Bench, finding: Finding, reason: Reason) -> Iterator[str]:
    """Take an objection to profiling or tracking for a use that does it."""
    if finding.use.purpose == ANY_PURPOSE:
        return  # nothing that we do involves it; the case is answered all the same
    record = bench.record_of(finding.contact_id)
    for kind, use in tuple(words_of(bench, record, finding)):
        if use == finding.use:  # a contract or a duty knows no such no
            yield from tell(bench, finding, reason, kind)


def _open(
    bench: Bench, finding: Finding, kind: CaseKind, *, purpose: PurposeKey | None = None
) -> Iterator[str]:
    record = bench.record_of(finding.contact_id)
    received_at = happened_at(bench, finding)
    known = len(bench.rights)
    case = RightsCase(
        id=stable_id("case", record.subject_id, kind, purpose, received_at.isoformat()),
        kind=kind,
        subject_id=record.subject_id,
        received_at=received_at,
        due_at=_due_at(bench, record.jurisdiction, received_at),
        state=_STATE_OF.get(kind, CaseState.OPEN),
        purpose=purpose,
        source_record=finding.row_id or finding.contact_id,
    )
    bench.open_case(case)
    if len(bench.rights) > known:
        yield case.id


def _due_at(bench: Bench, jurisdiction: str, received_at: datetime) -> datetime:
    return due_at(received_at, profile_of(bench.policy, jurisdiction).reply_months)


_ANSWERED = frozenset({CaseState.DONE, CaseState.REFUSED})
# Nobody decides about an objection to direct marketing; only the answer is owed.
_STATE_OF = {CaseKind.MARKETING_OBJECTION: CaseState.UPHELD}
# By the flag of the Individual; the rest of them object to what some purposes involve.
_RIGHTS: Mapping[str, Callable[[Bench, Finding, Reason], Iterator[str]]] = {
    "should_forget": _erasure,
    RESTRICTED: _restriction,
    "opted_out_solicit": _marketing,
    "wants_a_copy": _copy,
}
