"""Cases of people's rights, as operators answer them: opened, extended, and closed with what that means."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime

from salesforce_bridge.errors import SkipRecord
from salesforce_bridge.ledger import (
    deeds,
    drafts,
    erasing,
    heads,
    rights_cases,
    sealing,
    telling,
)
from salesforce_bridge.ledger.picture import Picture
from salesforce_bridge.ledger.values import Appended, Deed
from salesforce_bridge.permissions.bundle import Involvement
from salesforce_bridge.permissions.conditions import Condition, ConditionKind, in_date
from salesforce_bridge.permissions.events import EventKind, PermissionEvent
from salesforce_bridge.permissions.evidence import Trust
from salesforce_bridge.permissions.keys import PurposeKey, SubjectId, Use
from salesforce_bridge.permissions.policy import Policy
from salesforce_bridge.permissions.profiles import profile_of
from salesforce_bridge.permissions.rights import (
    CaseKind,
    CaseState,
    RightsCase,
    due_at,
    extended,
    may_be_extended,
)
from salesforce_bridge.permissions.states import State
from salesforce_bridge.permissions.stops import EVERYTHING
from salesforce_bridge.reconcile.facts import LIVE_LINKS, SubjectRecord
from salesforce_bridge.reconcile.identity import stable_id

OPENED, CLOSED = "RIGHTS_REQUEST_OPENED", "RIGHTS_CASE_CLOSED"

_ANSWERED = frozenset({CaseState.DONE, CaseState.REFUSED})
# How each kind of case can end. An objection is decided one way or the other; one to marketing only one way.
_ENDS: Mapping[CaseKind, frozenset[CaseState]] = {
    CaseKind.OBJECTION: frozenset({CaseState.UPHELD, CaseState.OVERRIDDEN}),
    CaseKind.PROFILING_OBJECTION: frozenset({CaseState.UPHELD, CaseState.OVERRIDDEN}),
    CaseKind.MARKETING_OBJECTION: frozenset({CaseState.UPHELD}),
    CaseKind.RESTRICTION: _ANSWERED,
    CaseKind.ERASURE: _ANSWERED,
    CaseKind.PORTABILITY: _ANSWERED,
    CaseKind.ACCESS: _ANSWERED,
    CaseKind.RECTIFICATION: _ANSWERED,
}
_INVOLVED = frozenset(Involvement)


class CaseNotWaiting(SkipRecord):
    """A case is not there, or was answered before."""


class CaseCannotEndSo(SkipRecord):
    """The law does not let such a case end like that, or something it needs is missing."""


def new_case(
    subject_id: SubjectId,
    kind: CaseKind,
    *,
    received_at: datetime,
    policy: Policy,
    jurisdiction: str,
    purpose: PurposeKey | None = None,
    source_record: str | None = None,
) -> RightsCase:
    """Make a case of what a person asked for, due as the law of the place says."""
    upheld = kind is CaseKind.MARKETING_OBJECTION
    return RightsCase(
        id=stable_id("case", subject_id, kind, received_at.isoformat(), purpose),
        kind=kind,
        subject_id=subject_id,
        received_at=received_at,
        due_at=due_at(received_at, profile_of(policy, jurisdiction).reply_months),
        state=CaseState.UPHELD if upheld else CaseState.OPEN,
        purpose=purpose,
        source_record=source_record,
    )


def open_case(tx: Picture, case: RightsCase, *, by: str, at: datetime, policy: Policy) -> Appended:
    """Open a case, and stop or restrict at once whatever it is about; one that is there changes nothing."""
    heads.lock(tx.connection)
    if rights_cases.case_named(tx.connection, case.id) is not None:
        return Appended(events=0)
    record = telling.person(tx, case.subject_id)
    events = [
        telling.said_by_operator(
            record,
            use,
            kind,
            reason=OPENED,
            happened_at=case.received_at,
            by=by,
            at=at,
            policy=policy,
            trust=Trust.VERIFIED_RELAY,
            source_record=case.id,
        )
        for use, kind in _stopped_at_once(case, record, policy=policy, at=at)
    ]
    rights_cases.put_cases(tx.connection, [case])
    _seal(tx, drafts.CASE_OPENED, case, by=by, approved_by=None, at=at, policy=policy)
    facts = deeds.Facts(events=events, conditions=_restricted(case))
    if not facts.events and not facts.conditions:
        return Appended(events=0)
    return telling.append(
        tx,
        Deed(verb=drafts.CASE_OPENED, by=by, reason=OPENED, details={"case_id": case.id}),
        facts,
        at=at,
        policy=policy,
    )


def extend_case(
    tx: Picture, case_id: str, *, by: str, reason: str, at: datetime, policy: Policy
) -> RightsCase:
    """Take the further months that the law gives a complex case, within its first term."""
    case = _waiting_case(tx, case_id)
    if not may_be_extended(case, at=at):
        raise CaseCannotEndSo(
            f"case {case_id} cannot be extended: it was, or its first term is over",
            hint=f"salesforce-bridge rights show {case_id}",
        )
    record = telling.person(tx, case.subject_id)
    longer = extended(case, profile_of(policy, record.jurisdiction))
    longer = replace(longer, decision_reason=reason)
    rights_cases.put_cases(tx.connection, [longer])
    _seal(tx, drafts.CASE_EXTENDED, longer, by=by, approved_by=None, at=at, policy=policy)
    return longer


def close_case(
    tx: Picture,
    case: RightsCase,
    *,
    by: str,
    approved_by: str | None,
    at: datetime,
    policy: Policy,
) -> Appended:
    """Close a case in the state, for the reason and with the answer that it now carries.

    Upholding or overriding an objection, lifting a restriction and erasing are done here too; what the ledger
    would not follow raises, and nothing is recorded.
    """
    before = _waiting_case(tx, case.id)
    closed = replace(
        before,
        state=case.state,
        decision_reason=case.decision_reason or before.decision_reason,
        decided_by="+".join(filter(None, (by, approved_by))),
        reply_sent_at=case.reply_sent_at or before.reply_sent_at or at,
    )
    _refuse_end(case, closed, by=by, approved_by=approved_by, at=at)
    if closed.kind is CaseKind.ERASURE and closed.state is CaseState.DONE:
        closed = replace(closed, crm_done_at=_gone_since(tx, closed, at=at))
    with tx.connection.begin_nested():
        rights_cases.put_cases(tx.connection, [closed])
        _seal(tx, drafts.CASE_CLOSED, closed, by=by, approved_by=approved_by, at=at, policy=policy)
        appended = _carry_out(tx, closed, by=by, approved_by=approved_by, at=at, policy=policy)
        if appended.refused:
            raise CaseCannotEndSo(
                f"the ledger does not follow: {', '.join(telling.refusals(appended))}",
                hint=f"salesforce-bridge rights show {case.id}",
            )
    return appended


def _gone_since(tx: Picture, case: RightsCase, *, at: datetime) -> datetime | None:
    """Say since when the org holds nothing of a person, where no Contact of theirs is left that could go."""
    links = telling.person(tx, case.subject_id).links
    return None if any(link.state in LIVE_LINKS for link in links) else at


def _refuse_end(
    asked: RightsCase, closed: RightsCase, *, by: str, approved_by: str | None, at: datetime
) -> None:
    hint = f"salesforce-bridge rights close --help, rights show {closed.id}"
    ends = _ENDS[closed.kind]
    if closed.state not in ends:
        raise CaseCannotEndSo(
            f"a case of {closed.kind} ends as {' or '.join(sorted(ends))}, not as {closed.state}",
            hint=hint,
        )
    if _needs_reason(closed) and not asked.decision_reason:
        what = "the reference of the copy" if closed.kind is CaseKind.PORTABILITY else "a reason"
        raise CaseCannotEndSo(f"closing it as {closed.state} needs {what}", hint=hint)
    if closed.kind is CaseKind.RESTRICTION and (
        asked.reply_sent_at is None or asked.reply_sent_at > at
    ):
        raise CaseCannotEndSo(
            "the person has to be told before a restriction is lifted (Art. 18(3))", hint=hint
        )
    if _takes_two(closed):
        telling.two_people(
            by, approved_by, what=f"closing a case of {closed.kind} as {closed.state}"
        )


def _needs_reason(case: RightsCase) -> bool:
    refused = case.state in (CaseState.OVERRIDDEN, CaseState.REFUSED)
    return refused or case.kind is CaseKind.PORTABILITY


def _takes_two(case: RightsCase) -> bool:
    erased = case.kind is CaseKind.ERASURE and case.state is CaseState.DONE
    return erased or case.state is CaseState.OVERRIDDEN or case.kind is CaseKind.RESTRICTION


def _carry_out(
    tx: Picture, case: RightsCase, *, by: str, approved_by: str | None, at: datetime, policy: Policy
) -> Appended:
    if case.kind is CaseKind.ERASURE and case.state is CaseState.DONE:
        erased = erasing.erase(
            tx, case.subject_id, by=by, approved_by=approved_by, at=at, policy=policy
        )
        return Appended(events=erased.events)
    record = telling.person(tx, case.subject_id)
    facts = deeds.Facts(
        events=tuple(_judged(case, record, by=by, at=at, policy=policy)),
        conditions=tuple(_lifted(case, record, at=at)),
    )
    if not facts.events and not facts.conditions:
        return Appended(events=0)
    deed = Deed(
        verb=case.state.value,
        by=by,
        reason=CLOSED,
        approved_by=approved_by,
        details={"case_id": case.id},
    )
    return telling.append(tx, deed, facts, at=at, policy=policy)


def _judged(
    case: RightsCase, record: SubjectRecord, *, by: str, at: datetime, policy: Policy
) -> Iterator[PermissionEvent]:
    """What an objection comes to, for every use that is under challenge because of it."""
    if case.kind not in (CaseKind.OBJECTION, CaseKind.PROFILING_OBJECTION):
        return
    kind = EventKind.UPHOLD if case.state is CaseState.UPHELD else EventKind.OVERRIDE
    for use, permission in sorted(record.permissions.items()):
        if permission.state is State.CHALLENGED and _is_about(case, use, policy):
            yield telling.said_by_operator(
                record,
                use,
                kind,
                reason=CLOSED,
                happened_at=at,
                by=by,
                at=at,
                policy=policy,
                source_record=case.id,
            )


def _lifted(case: RightsCase, record: SubjectRecord, *, at: datetime) -> Iterator[Condition]:
    """The later word on each restriction of the case: it ends now."""
    if case.kind is not CaseKind.RESTRICTION:
        return
    for fact in record.conditions:
        restricts = fact.kind is ConditionKind.RESTRICTION and in_date(fact, at=at)
        if restricts and case.purpose in (None, fact.purpose):
            yield replace(fact, id=stable_id("condition", fact.id, "lifted", case.id), valid_to=at)


def _stopped_at_once(
    case: RightsCase, record: SubjectRecord, *, policy: Policy, at: datetime
) -> Iterator[tuple[Use, EventKind]]:
    if case.kind is CaseKind.MARKETING_OBJECTION:
        yield EVERYTHING, EventKind.STOP_MARKETING
    elif case.kind is CaseKind.ERASURE:
        yield EVERYTHING, EventKind.STOP_ALL
    elif case.kind in (CaseKind.OBJECTION, CaseKind.PROFILING_OBJECTION):
        for purpose in policy.purposes.values():
            for channel in purpose.channels:
                use = Use(purpose=purpose.key, channel=channel)
                if _is_about(case, use, policy) and (case.purpose or use in record.permissions):
                    yield use, telling.stop_kind(record, use, policy=policy, at=at)


def _is_about(case: RightsCase, use: Use, policy: Policy) -> bool:
    if case.purpose is not None:
        return use.purpose == case.purpose
    if case.kind is CaseKind.PROFILING_OBJECTION:
        purpose = policy.purposes.get(use.purpose)
        return purpose is not None and not _INVOLVED.isdisjoint(purpose.involves)
    return True


def _restricted(case: RightsCase) -> tuple[Condition, ...]:
    if case.kind is not CaseKind.RESTRICTION:
        return ()
    fact = Condition(
        id=stable_id("condition", "restriction", case.id),
        subject_id=case.subject_id,
        kind=ConditionKind.RESTRICTION,
        ref=case.id,
        valid_from=case.received_at,
        purpose=case.purpose,
    )
    return (fact,)


def _waiting_case(tx: Picture, case_id: str) -> RightsCase:
    heads.lock(tx.connection)
    case = rights_cases.case_named(tx.connection, case_id)
    if case is None or not rights_cases.is_waiting(case) or case.state in _ANSWERED:
        raise CaseNotWaiting(
            f"case {case_id} does not wait for anybody", hint="salesforce-bridge rights list"
        )
    return case


def _seal(
    tx: Picture,
    verb: str,
    case: RightsCase,
    *,
    by: str,
    approved_by: str | None,
    at: datetime,
    policy: Policy,
) -> None:
    known = sealing.pseudonyms(tx.connection, [case.subject_id]).get(case.subject_id)
    draft = drafts.case(
        verb,
        case,
        subject_key=None if known is None else known.subject_key,
        by=by,
        approved_by=approved_by,
        frame=drafts.under(policy, at),
    )
    sealing.append(tx.connection, [draft], nonces=tx.nonces)
