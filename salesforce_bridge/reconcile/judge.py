"""Judging one dossier: every situation found gets its reason from the table, in order, and the ledger follows."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
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
from salesforce_bridge.reconcile.situations import moments_due, recognise, shared_stops
from salesforce_bridge.reconcile.telling import basis_of

# What people type may name a person; that something was typed is enough for the record.
_PRIVATE = frozenset(
    {"request_note", "request_evidence", "evidence_ref", "capture_source", "purpose"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """A reason applied to one finding, before it is known what Salesforce needs for it."""

    finding: Finding
    ledger_class: LedgerClass
    reason: Reason
    status_before: str
    status_after: str
    made: tuple[str, ...]  # ids of events and claims


def judge(bench: Bench) -> tuple[Ruling, ...]:
    """Rule on everything that happened in a dossier."""
    found = recognise(bench)
    rulings: list[Ruling] = []
    # Which stops have to be carried to people with the same address, and what is due, shows in its turn.
    for situation, late in _IN_THEIR_TURN.items():
        turn = RANK[situation]
        earlier = [each for each in found if RANK[each.situation] < turn]
        found = found[len(earlier) :]
        rulings += _rule_on_all(bench, earlier)
        rulings += _rule_on_all(bench, late(bench))
    return (*rulings, *_rule_on_all(bench, found))


_IN_THEIR_TURN: Mapping[Situation, Callable[[Bench], tuple[Finding, ...]]] = {
    Situation.S20_DUPLICATE_CONTACT_POINT: shared_stops,
    Situation.S27_EXPIRY_DUE: moments_due,
}


def rule_on(
    bench: Bench, finding: Finding, ledger_class: LedgerClass, *, told: tuple[str, ...] = ()
) -> Ruling:
    """Apply the table to one situation and do what the reason asks for."""
    reason = reason_for(finding.situation, ledger_class)
    before = _word_for(bench.record_of(finding.contact_id), finding.use, bench)
    made = (*told, *act(bench, finding, reason))
    after = _word_for(bench.record_of(finding.contact_id), finding.use, bench) if made else before
    return Ruling(
        finding=finding,
        ledger_class=ledger_class,
        reason=reason,
        status_before=before,
        status_after=after,
        made=made,
    )


def decision_of(
    bench: Bench, ruling: Ruling, *, gates_failed: tuple[str, ...], salt: str
) -> Decision:
    """Make the record of a ruling; `salt` keeps the ids of different cycles apart."""
    finding, reason, made = ruling.finding, ruling.reason, ruling.made
    record, use = bench.record_of(finding.contact_id), finding.use
    candidates = {each.id for each in record.candidates} if made else ()
    return Decision(
        id=decision_id(salt, finding.contact_id, use, finding.situation),
        situation=finding.situation,
        reason=reason.code,
        effect=reason.effect,
        severity=reason.severity,
        queue=reason.queue,
        ledger_class=ruling.ledger_class,
        subject_id=record.subject_id,
        contact_id=finding.contact_id,
        row_id=finding.row_id,
        use=use,
        basis=basis_of(record, use, policy=bench.policy, at=bench.at),
        status_before=ruling.status_before,
        status_after=ruling.status_after,
        observed=_allowed(finding.observed) if finding.observed else finding.observed,
        gates_failed=gates_failed,
        event_ids=tuple(each for each in made if each not in candidates),
        candidate_id=next((each for each in made if each in candidates), None),
        source_actor=finding.actor,
        source_stamp=finding.stamp,
        explanation=reason.sentence,
    )


def decision_id(salt: str, contact_id: ContactId, use: Use, situation: Situation) -> str:
    """Name the one decision there is about a Contact, a use and a situation in one cycle."""
    return stable_id("decision", salt, contact_id, use.purpose, use.channel, situation)


def _rule_on_all(bench: Bench, findings: Iterable[Finding]) -> Iterator[Ruling]:
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
            yield rule_on(bench, finding, ledger_class, told=told)


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
