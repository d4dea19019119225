"""Judging one dossier: every situation found gets its reason from the table, in order, and the ledger follows."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby

from salesforce_bridge.permissions.keys import ContactId, Use
from salesforce_bridge.reconcile.acts import act, merge, winner_of
from salesforce_bridge.reconcile.bench import Bench
from salesforce_bridge.reconcile.classes import LedgerClass, class_of, is_stopped
from salesforce_bridge.reconcile.decisions import reason_for
from salesforce_bridge.reconcile.facts import SubjectRecord
from salesforce_bridge.reconcile.findings import RANK, Finding, Situation
from salesforce_bridge.reconcile.identity import stable_id
from salesforce_bridge.reconcile.intent import Decision, Value
from salesforce_bridge.reconcile.reasons import Reason
from salesforce_bridge.reconcile.situations import recognise, shared_stops
from salesforce_bridge.reconcile.telling import basis_of

# What people type may name a person; that something was typed is enough for the record.
_PRIVATE = frozenset(
    {"request_note", "request_evidence", "evidence_ref", "capture_source", "purpose"}
)


def judge(bench: Bench, *, salt: str) -> tuple[Decision, ...]:
    """Decide everything that happened in a dossier; `salt` keeps the ids of different cycles apart."""
    found = recognise(bench)
    turn = RANK[Situation.S20_DUPLICATE_CONTACT_POINT]
    first = (each for each in found if RANK[each.situation] < turn)
    rest = tuple(each for each in found if RANK[each.situation] > turn)
    decisions = list(_decide_all(bench, first, salt=salt))
    # Only now is it known which stops have to be carried to people with the same address.
    decisions += _decide_all(bench, shared_stops(bench), salt=salt)
    decisions += _decide_all(bench, rest, salt=salt)
    return tuple(decisions)


def decide(
    bench: Bench,
    finding: Finding,
    ledger_class: LedgerClass,
    *,
    salt: str,
    told: tuple[str, ...] = (),
) -> Decision:
    """Apply the table to one situation and do what the reason asks for."""
    before = bench.record_of(finding.contact_id)
    reason = reason_for(finding.situation, ledger_class)
    made = (*told, *act(bench, finding, reason))
    after = bench.record_of(finding.contact_id)
    return _decision(bench, finding, ledger_class, reason, before, after, made=made, salt=salt)


def decision_id(salt: str, contact_id: ContactId, use: Use, situation: Situation) -> str:
    """Name the one decision there is about a Contact, a use and a situation in one cycle."""
    return stable_id("decision", salt, contact_id, use.purpose, use.channel, situation)


def _decide_all(bench: Bench, findings: Iterable[Finding], *, salt: str) -> Iterator[Decision]:
    for (situation, contact_id), group in groupby(
        findings, key=lambda each: (each.situation, each.contact_id)
    ):
        told: tuple[str, ...] = ()
        if situation is Situation.S19_CONTACT_MERGED:
            told = merge(bench, contact_id)
        judged = tuple(group)
        # All uses of one situation are classed before any of them is acted on.
        classes = [_class_for(bench, each) for each in judged]
        for finding, ledger_class in zip(judged, classes, strict=True):
            yield decide(bench, finding, ledger_class, salt=salt, told=told)


def _class_for(bench: Bench, finding: Finding) -> LedgerClass:
    policy, use = bench.policy, finding.use
    record = bench.record_of(finding.contact_id)
    found = class_of(record, use, policy=policy)
    match finding.situation:
        case Situation.S15_CONTACT_NEW:
            return LedgerClass.L0 if _is_new(bench, finding.contact_id) else found
        case Situation.S19_CONTACT_MERGED:
            return _class_of_merged(bench, finding, found)
        case Situation.S20_DUPLICATE_CONTACT_POINT:
            # What is shared is the other person's stop, so that is what is classed.
            return LedgerClass.L4
        case _:
            new = _is_new(bench, finding.contact_id) and found is LedgerClass.L1
            return LedgerClass.L0 if new else found


def _class_of_merged(bench: Bench, finding: Finding, loser: LedgerClass) -> LedgerClass:
    winner_id = winner_of(bench, finding.contact_id)
    if winner_id is None:
        return loser
    if _is_new(bench, finding.contact_id) and loser is LedgerClass.L1:
        return LedgerClass.L0
    return class_of(bench.record_of(winner_id), finding.use, policy=bench.policy)


def _is_new(bench: Bench, contact_id: ContactId) -> bool:
    return bench.owners[contact_id] in bench.met


def _decision(
    bench: Bench,
    finding: Finding,
    ledger_class: LedgerClass,
    reason: Reason,
    before: SubjectRecord,
    after: SubjectRecord,
    *,
    made: tuple[str, ...],
    salt: str,
) -> Decision:
    candidates = {each.id for each in after.candidates}
    claim = next((each for each in made if each in candidates), None)
    use = finding.use
    return Decision(
        id=decision_id(salt, finding.contact_id, use, finding.situation),
        situation=finding.situation,
        reason=reason.code,
        effect=reason.effect,
        severity=reason.severity,
        queue=reason.queue,
        ledger_class=ledger_class,
        subject_id=after.subject_id,
        contact_id=finding.contact_id,
        row_id=finding.row_id,
        use=use,
        basis=basis_of(after, use, policy=bench.policy, at=bench.at),
        status_before=_word_for(before, use, bench),
        status_after=_word_for(after, use, bench),
        observed=_allowed(finding.observed),
        gates_failed=(),
        event_ids=tuple(each for each in made if each not in candidates),
        candidate_id=claim,
        source_actor=finding.actor,
        source_stamp=finding.stamp,
        explanation=reason.sentence,
    )


def _word_for(record: SubjectRecord, use: Use, bench: Bench) -> str:
    permission = record.permissions.get(use)
    if is_stopped(record, use, policy=bench.policy):
        return "STOPPED"
    if permission is None:
        return "UNKNOWN"
    return f"{permission.state} (held)" if permission.held is not None else permission.state.value


def _allowed(
    observed: Mapping[str, tuple[Value, Value]],
) -> Mapping[str, tuple[Value, Value]]:
    return {
        name: (bool(was), bool(now)) if name in _PRIVATE else (was, now)
        for name, (was, now) in sorted(observed.items())
    }
