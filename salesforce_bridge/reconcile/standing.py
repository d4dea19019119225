"""Standing: what Salesforce should hold for a use and for a Contact, projected from the ledger through the gates."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from salesforce_bridge.permissions.expiry import end_of
from salesforce_bridge.permissions.fold import Permission, covering_stop
from salesforce_bridge.permissions.gates import Answer, Verdict, may_use
from salesforce_bridge.permissions.keys import ANY_PURPOSE, Channel, ContactId, Use
from salesforce_bridge.permissions.policy import Category, Policy, basis_for
from salesforce_bridge.permissions.states import ASKED, LAPSED, NEUTRAL, STOPPED, State
from salesforce_bridge.reconcile.classes import (
    LedgerClass,
    class_of,
    is_marketing,
    is_restricted,
    is_stopped,
)
from salesforce_bridge.reconcile.contact_edits import FLAG_FIELDS, channels_of
from salesforce_bridge.reconcile.facts import (
    AMBIGUOUS,
    Candidate,
    ContactFields,
    ContactSnapshot,
    RowFields,
    SubjectRecord,
)
from salesforce_bridge.reconcile.identity import name_of
from salesforce_bridge.reconcile.row_edits import TRACKED_OF
from salesforce_bridge.reconcile.sentences import sentence_for
from salesforce_bridge.reconcile.words import Basis, Status

# From the most to the least restrictive: what a Contact shows when its channels disagree and none is open.
_RESTRICTIVE = (Status.STOPPED, Status.LIMITED, Status.LAPSED, Status.ASKED, Status.NOT_ASKED)
# A grant that ended because its address changed was never given for the new one.
_STATUS_OF_REASON = {"GRANT_NOT_PORTED_TO_NEW_POINT": Status.NOT_ASKED}
# A permission that is valid in law and yet denied by a gate; by the gate's answer.
_STATUS_OF_ANSWER = {
    "DENY_PURPOSE_RETIRED": Status.LAPSED,
    "DENY_OUTSIDE_VALIDITY": Status.LAPSED,
    "DENY_NOT_ESTABLISHED_FOR_ADDRESS": Status.NOT_ASKED,
}
_STATUS_OF_STATE: Mapping[State, Status] = {
    **dict.fromkeys(NEUTRAL, Status.NOT_ASKED),
    **dict.fromkeys(ASKED, Status.ASKED),
    **dict.fromkeys(LAPSED, Status.LAPSED),
}
_NO_FLAGS: Mapping[str, bool] = dict.fromkeys(FLAG_FIELDS, False)
_ALL_FLAGS: Mapping[str, bool] = dict.fromkeys(FLAG_FIELDS, True)
# A claim that people have to judge although a stop stands: whoever asks should know that it was heard.
_SHOWN_OVER_A_STOP = frozenset({"GRANT_AFTER_STOP_REVIEW", "GRANT_AFTER_ERASURE_REVIEW"})
_SILENCED = frozenset({"DENY_SUPPRESSED_MARKETING", "DENY_SUPPRESSED_ALL", "DENY_SUBJECT_ERASED"})
_IN_WORDS = {
    Status.PERMITTED: "OK",
    Status.STOPPED: "do not",
    Status.LIMITED: "wait",
    Status.LAPSED: "ran out",
    Status.ASKED: "asked, no answer",
    Status.NOT_ASKED: "never asked",
}
_BASES: Mapping[str, Basis] = {each.name: each for each in Basis}
_WORDS: Mapping[Status | Basis, str] = {each: each.value for each in (*Status, *Basis)}
TEXT_MAX = 255  # characters in a Salesforce text field


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What Salesforce should show for one use of one Contact."""

    use: Use
    status: Status
    basis: Basis | None
    reason: str
    valid_until: datetime | None
    permission: Permission | None
    answer: Answer
    renew_by: datetime | None = None  # from the first prompt before the end on
    erased: bool = False  # nothing but a suppression is left of the person


def standing_of(
    record: SubjectRecord,
    use: Use,
    *,
    contact: ContactSnapshot,
    link_state: str,
    policy: Policy,
    at: datetime,
) -> Standing:
    """Project one use of one person's data onto one Contact."""
    permission = record.permissions.get(use)
    purpose = policy.purposes.get(use.purpose)
    answer = may_use(
        record,
        use,
        policy=policy,
        at=at,
        category=purpose.category if purpose is not None else Category.MARKETING,
        link_state=link_state,
        points=contact.points + contact.older if contact.older else contact.points,
    )
    status = _status(record, use, permission, answer, link_state=link_state, policy=policy, at=at)
    permitted = permission if status is Status.PERMITTED else None
    end = end_of(permitted, person=record, policy=policy) if permitted is not None else None
    prompted = permitted is not None and permitted.prompted_at is not None
    return Standing(
        use=use,
        status=status,
        basis=_basis(record, use, permission, policy=policy, at=at),
        reason=_reason(record, use, status, answer, policy=policy, at=at),
        valid_until=_last_second(end),
        permission=permission,
        answer=answer,
        renew_by=_last_second(end) if prompted else None,
        erased=status is Status.STOPPED and is_erased(record, use, policy=policy, at=at),
    )


def is_erased(record: SubjectRecord, use: Use, *, policy: Policy, at: datetime) -> bool:
    """Say whether nothing is left of a person but the duty to stay silent."""
    return class_of(record, use, policy=policy, at=at) is LedgerClass.L7


def row_fields(
    standing: Standing, *, contact_id: ContactId, ledger_key: str | None, marketing: bool
) -> RowFields:
    """Say what a `Permission__c` row should hold, but for what travels with a write."""
    grant = standing.permission if standing.status is Status.PERMITTED else None
    use = standing.use
    begun, over, given, source, proof = traces_of(grant, standing.valid_until)
    return RowFields(
        contact_id=contact_id,
        purpose=use.purpose,
        channel=use.channel,
        marketing=marketing,
        lawful_basis=_WORDS[standing.basis] if standing.basis is not None else None,
        consent_status=_WORDS[standing.status],
        effective_from=begun,
        effective_to=over,
        capture_date=given,
        capture_source=source,
        notice_version=grant.notice_id if grant is not None else None,
        evidence_ref=proof,
        reason_code=standing.reason,
        ledger_key=ledger_key or f"{contact_id}:{use.purpose}:{use.channel}",
        renew_by=standing.renew_by,
    )


Traces = tuple[datetime | None, datetime | None, datetime | None, str | None, str | None]


def traces_of(grant: Permission | None, end: datetime | None) -> Traces:
    """Say what a row tells of the very yes that it shows, in the order of `TRACES`."""
    if grant is None:
        return _NO_TRACES
    return (
        _next_second(grant.effective_from),
        _last_second(end),
        _last_second(grant.granted_at),
        _text(grant.capture_source),
        _text(grant.evidence_ref),
    )


TRACES = ("effective_from", "effective_to", "capture_date", "capture_source", "evidence_ref")
_NO_TRACES: Traces = (None, None, None, None, None)


def contact_fields(shown: tuple[Standing, ...], *, policy: Policy) -> ContactFields:
    """Say what a Contact should show: the headline purpose over its channels, which `shown` are."""
    statuses = {each.status for each in shown}
    status = _headline_status(statuses)
    told = Status.PERMITTED if status is Status.PARTLY_PERMITTED else status
    telling = next(each for each in shown if each.status is told)
    permitted = tuple(each for each in shown if each.status is Status.PERMITTED)
    ends = tuple(each.valid_until for each in permitted if each.valid_until is not None)
    renewals = tuple(each.renew_by for each in permitted if each.renew_by is not None)
    bases = {each.basis for each in shown}
    basis = telling.basis if len(bases) > 1 else next(iter(bases))
    return ContactFields(
        lawful_basis=_WORDS[basis] if basis is not None else None,
        consent_status=_WORDS[status],
        summary=_text(" · ".join(_in_words(each, policy) for each in shown)),
        reason=_text(sentence_for(telling.reason, telling.status)),
        valid_until=min(ends, default=None),
        renew_by=min(renewals, default=None),
    )


def flags_wanted(record: SubjectRecord, *, policy: Policy, at: datetime) -> Mapping[str, bool]:
    """Say which standard flags the stops of a person ask for; a hold or an outage never asks for one."""
    if not (record.stops or record.permissions or record.suppressions or record.erased):
        return _NO_FLAGS
    forgotten = record.erased or any(each.after_erasure for each in record.suppressions)
    if forgotten and all(
        is_erased(record, use, policy=policy, at=at) for use in headline_uses(policy)
    ):
        return _ALL_FLAGS
    return {
        name: _all_stopped(record, channels_of(flag, policy), policy=policy, at=at)
        for name, flag in FLAG_FIELDS.items()
    }


def headline_uses(policy: Policy) -> tuple[Use, ...]:
    """List the uses that a Contact itself speaks of."""
    return policy.shown


def is_lifted(record: SubjectRecord, flag: str, *, policy: Policy, at: datetime) -> bool:
    """Say whether the person has lifted a no on a channel that a flag closes: nobody else may open it."""
    channels = channels_of(FLAG_FIELDS[flag], policy)
    return any(
        each.lifted_at is not None
        and use.channel in channels
        and is_marketing(record, use, policy=policy)
        and not is_stopped(record, use, policy=policy, at=at)
        for use, each in record.permissions.items()
    )


def digest_of(row: RowFields) -> str:
    """Fingerprint what a row should hold, so that any edit of it can be told from our own writing."""
    return digest_named(name_of_row(row))


def name_of_row(row: RowFields) -> str:
    """Put together what the digest of a row is made of."""
    return name_of(*TRACKED_OF(row))


def digest_named(name: str) -> str:
    """Make the digest of a row from what was put together for it."""
    return sha256(name.encode()).hexdigest()


def _all_stopped(
    record: SubjectRecord, channels: tuple[Channel, ...], *, policy: Policy, at: datetime
) -> bool:
    """Say whether no marketing is left on these channels; where there never was any, only a stop that is
    wider than one purpose says so, and where there is no channel, nobody stopped anything."""
    if not channels:
        return False
    known = False
    for use in policy.advertised:
        if use.channel in channels:
            known = True
            if not is_stopped(record, use, policy=policy, at=at):
                return False
    others = {
        use
        for use in record.permissions
        if use.channel in channels and is_marketing(record, use, policy=policy)
    }
    if not (known or others):
        others = {Use(purpose=ANY_PURPOSE, channel=channel) for channel in channels}
    return all(is_stopped(record, use, policy=policy, at=at) for use in others)


def _status(
    record: SubjectRecord,
    use: Use,
    permission: Permission | None,
    answer: Answer,
    *,
    link_state: str,
    policy: Policy,
    at: datetime,
) -> Status:
    if is_stopped(record, use, policy=policy, at=at) or _is_silenced(answer):
        return Status.STOPPED
    if is_restricted(record, use, at=at):
        return Status.LIMITED
    if permission is None or link_state == AMBIGUOUS:
        # What is known of a person says nothing about a record that nobody has confirmed is theirs.
        return Status.NOT_ASKED
    return _status_of(record, permission, answer, at=at)


def _status_of(
    record: SubjectRecord, permission: Permission, answer: Answer, *, at: datetime
) -> Status:
    shown = _STATUS_OF_STATE.get(permission.state)
    if shown is not None:
        return _STATUS_OF_REASON.get(permission.reason, shown)
    held = permission.held is not None or record.hold is not None
    if answer.verdict is Verdict.ALLOW and not held:
        return Status.PERMITTED
    if permission.effective_from is not None and permission.effective_from > at:
        return Status.LIMITED  # it has yet to begin, which is not the same as having ended
    return _STATUS_OF_ANSWER.get(answer.reason, Status.LIMITED)


def _reason(
    record: SubjectRecord,
    use: Use,
    status: Status,
    answer: Answer,
    *,
    policy: Policy,
    at: datetime,
) -> str:
    """Name what best explains a status: the stop, a claim that waits, the hold, the lapse, else a gate."""
    permission = record.permissions.get(use)
    waiting = _waiting(record.candidates, use, at=at) if record.candidates else None
    if status is Status.STOPPED:
        if waiting is not None and waiting.reason in _SHOWN_OVER_A_STOP:
            return waiting.reason
        return _reason_of_stop(record, use, answer, policy=policy, at=at)
    if waiting is not None and status is not Status.PERMITTED:
        return waiting.reason
    if status is Status.LIMITED and permission is not None:
        return permission.held or record.hold or answer.reason
    if permission is not None and permission.state in LAPSED and status is not Status.PERMITTED:
        return permission.reason
    return answer.reason


def _reason_of_stop(
    record: SubjectRecord, use: Use, answer: Answer, *, policy: Policy, at: datetime
) -> str:
    permission = record.permissions.get(use)
    if record.erased:
        return "ERASED_RECORD_STILL_PRESENT"
    if permission is not None and permission.state in STOPPED:
        return permission.reason
    marketing = is_marketing(record, use, policy=policy)
    stop = covering_stop(permission, use, marketing=marketing, stops=record.stops)
    if stop is not None and not is_erased(record, use, policy=policy, at=at):
        return stop.reason
    return "CONTACT_MATCHES_SUPPRESSION" if record.suppressions else answer.reason


def _is_silenced(answer: Answer) -> bool:
    """Say whether an address must stay silent, or its person was erased, whatever was said since."""
    if answer.verdict is not Verdict.DENY:
        return False
    return not _SILENCED.isdisjoint([failure.reason for failure in answer.failed])


def _basis(
    record: SubjectRecord, use: Use, permission: Permission | None, *, policy: Policy, at: datetime
) -> Basis | None:
    if permission is not None:
        return _BASES[permission.basis]
    assigned = basis_for(policy, use.purpose, record.jurisdiction, record.subject_class, at=at)
    return _BASES[assigned] if assigned is not None else None


def _waiting(candidates: tuple[Candidate, ...], use: Use, *, at: datetime) -> Candidate | None:
    waiting = (
        each for each in candidates if each.use == use and each.open and each.expires_at > at
    )
    return max(waiting, key=lambda each: (each.claimed_at, each.id), default=None)


def _last_second(moment: datetime | None) -> datetime | None:
    """Salesforce keeps whole seconds; an end is never shown later than it is."""
    return moment.replace(microsecond=0) if moment is not None else None


def _next_second(moment: datetime | None) -> datetime | None:
    """Salesforce keeps whole seconds; a beginning is never shown earlier than it is."""
    if moment is None or moment.microsecond == 0:
        return moment
    return moment.replace(microsecond=0) + timedelta(seconds=1)


def _headline_status(statuses: set[Status]) -> Status:
    if len(statuses) == 1:
        return next(iter(statuses))
    if Status.PERMITTED in statuses:
        return Status.PARTLY_PERMITTED
    return next(each for each in _RESTRICTIVE if each in statuses)


def _in_words(standing: Standing, policy: Policy) -> str:
    label = policy.channels[standing.use.channel].label
    until = until_words(standing.valid_until) if standing.valid_until is not None else ""
    return f"{label}: {_IN_WORDS[standing.status]}{until}"


def until_words(end: datetime) -> str:
    """Say in a summary until when something is permitted."""
    return f" until {end:%-d %b %Y}"


def _text(text: str | None) -> str | None:
    return text if text is None or len(text) <= TEXT_MAX else f"{text[: TEXT_MAX - 1]}…"
