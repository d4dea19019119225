"""Judging one dossier: every situation found gets its reason from the table, in order, and the ledger follows."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby

from salesforce_bridge.permissions.keys import ContactId, Use
from salesforce_bridge.permissions.policy import Policy
from salesforce_bridge.reconcile.acts import act
from salesforce_bridge.reconcile.acts_policy import carry_for_the_absent, move
from salesforce_bridge.reconcile.bench import Bench
from salesforce_bridge.reconcile.classes import LedgerClass, class_of, is_marketing, is_stopped
from salesforce_bridge.reconcile.decisions import reason_for
from salesforce_bridge.reconcile.facts import Case, SubjectRecord
from salesforce_bridge.reconcile.findings import RANK, Extra, Finding, Shared, Situation, rank_of
from salesforce_bridge.reconcile.identity import UNKNOWN_JURISDICTION, id_named, name_of
from salesforce_bridge.reconcile.intent import Decision, Value
from salesforce_bridge.reconcile.merging import merge, unmerge, winner_of
from salesforce_bridge.reconcile.reasons import REASONS, Act, Reason
from salesforce_bridge.reconcile.situations import LATE
from salesforce_bridge.reconcile.telling import basis_of

# What people type may name a person; that something was typed is enough for the record.
_PRIVATE = frozenset(
    {"request_note", "request_evidence", "evidence_ref", "capture_source", "purpose"}
)
_NOTHING_OBSERVED: Mapping[str, tuple[Value, Value]] = {}
_KEPT = REASONS["PURPOSE_RETIRED_STOP_KEPT"]
_STRICTEST = ("JURISDICTION_DEFAULTED_STRICTEST",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """A reason applied to one finding, before it is known what Salesforce needs for it."""

    finding: Finding
    ledger_class: LedgerClass
    reason: Reason
    status_before: str
    status_after: str
    made: tuple[str, ...]  # ids of events, claims and cases


def judge(bench: Bench, found: tuple[Finding, ...]) -> tuple[Ruling, ...]:
    """Rule on everything that happened in a dossier; `found` are its findings in their order."""
    rulings: list[Ruling] = []
    # Which stops have to be carried to people with the same address, and what is due, shows in its turn.
    for situation, late in LATE.items():
        turn = RANK[situation]
        earlier = [each for each in found if rank_of(each) < turn] if found else []
        found = found[len(earlier) :]
        if earlier:
            rulings += _rule_on_all(bench, earlier)
        if bench.earlier and situation is Situation.S20_DUPLICATE_CONTACT_POINT:
            _carry_to_successors(bench, found)
        if found_late := late(bench):
            rulings += _rule_on_all(bench, found_late)
    return (*rulings, *_rule_on_all(bench, found)) if found else tuple(rulings)


def _carry_to_successors(bench: Bench, found: Iterable[Finding]) -> None:
    """Let each no to a purpose that is given up hold for what follows it before addresses are compared, so that
    whoever shares one is told in the same cycle; in its own turn it is told again, which changes nothing."""
    for finding in found:
        if finding.situation is Situation.S29_PURPOSE_RETIRED:
            reason = reason_for(finding.situation, _class_for(bench, finding))
            if reason.act is Act.CARRY_TO_SUCCESSOR:
                act(bench, finding, reason)
    carry_for_the_absent(bench, reason=_KEPT.code)


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
        event_ids=tuple(each for each in made if each in bench.told) if made else (),
        candidate_id=next((each for each in made if each in bench.candidates), None),
        source_actor=finding.actor,
        source_stamp=finding.stamp,
        explanation=reason.sentence,
        notes=_notes_on(record, use, policy=bench.policy),
    )


def decide_alone(
    bench: Bench,
    case: Case,
    use: Use,
    situation: Situation,
    *,
    gates_failed: tuple[str, ...],
    salt: str,
) -> Decision:
    """Decide about a use of which nothing was found; it asks nothing of the ledger."""
    seen, policy, at = case.seen, bench.policy, bench.at
    record = bench.record_of(case.contact_id)
    ledger_class = class_of(record, use, policy=policy, at=at)
    reason = reason_for(situation, ledger_class)
    assert reason.act is Act.NOTHING, f"{reason.code} cannot be decided alone"
    word = "STOPPED" if ledger_class is LedgerClass.L4 else _word_for(record, use, bench)
    return Decision(
        id=decision_id(salt, case.contact_id, use, situation),
        situation=situation,
        reason=reason.code,
        effect=reason.effect,
        severity=reason.severity,
        queue=reason.queue,
        ledger_class=ledger_class,
        subject_id=record.subject_id,
        contact_id=case.contact_id,
        row_id=None,
        use=use,
        basis=basis_of(record, use, policy=policy, at=at),
        status_before=word,
        status_after=word,
        observed=_NOTHING_OBSERVED,
        gates_failed=gates_failed,
        event_ids=(),
        candidate_id=None,
        source_actor=seen.modified_by if seen is not None else None,
        source_stamp=seen.modstamp if seen is not None else None,
        explanation=reason.sentence,
        notes=_notes_on(record, use, policy=policy),
    )


def _notes_on(record: SubjectRecord, use: Use, *, policy: Policy) -> tuple[str, ...]:
    if record.jurisdiction != UNKNOWN_JURISDICTION:
        return ()
    return _STRICTEST if is_marketing(record, use, policy=policy) else ()


def decision_id(salt: str, contact_id: ContactId, use: Use, situation: Situation | Extra) -> str:
    """Name the one decision there is about a Contact, a use and a situation in one cycle."""
    return id_named(name_of_decision(salt, contact_id, use, situation))


def name_of_decision(salt: str, contact_id: ContactId, use: Use, situation: str) -> str:
    """Put together what the id of a decision names."""
    return name_of("decision", salt, contact_id, use.purpose, use.channel, situation)


def _rule_on_all(bench: Bench, found: Iterable[Finding]) -> Iterator[Ruling]:
    for (situation, contact_id), group in groupby(
        found, key=lambda each: (each.situation, each.contact_id)
    ):
        told = _before_it_is_classed(bench, situation, contact_id)
        judged = tuple(group)
        # All uses of one situation are classed before any of them is acted on.
        classes = [_class_for(bench, each) for each in judged]
        for finding, ledger_class in zip(judged, classes, strict=True):
            yield rule_on(bench, finding, ledger_class, told=told)


def _before_it_is_classed(
    bench: Bench, situation: Situation | Extra, contact_id: ContactId
) -> tuple[str, ...]:
    """Say who is who, and where, before it is asked what the ledger holds for them."""
    if situation is Situation.S19_CONTACT_MERGED:
        return merge(bench, contact_id)
    if situation is Situation.S18_CONTACT_UNDELETED:
        return unmerge(bench, contact_id)
    if situation is Situation.S33_JURISDICTION_CHANGED:
        move(bench, bench.owners[contact_id])
    return ()


def _class_for(bench: Bench, finding: Finding) -> LedgerClass:
    policy, use = bench.policy, finding.use
    record = bench.record_of(finding.contact_id)
    found = class_of(record, use, policy=policy, at=bench.at)
    match finding.situation:
        case Situation.S15_CONTACT_NEW:
            # Nobody has met this person, but whoever had the address may have been told to stay silent.
            known = bool(record.suppressions) or not _is_new(bench, finding.contact_id)
            return found if known else LedgerClass.L0
        case Situation.S19_CONTACT_MERGED:
            return _class_of_merged(bench, finding, found)
        case Situation.S20_DUPLICATE_CONTACT_POINT:
            # Where it is the other person's stop that is shared, that is what is classed.
            if finding.shared is Shared.STOP:
                return LedgerClass.L7 if found is LedgerClass.L7 else LedgerClass.L4
            new = _is_new(bench, finding.contact_id) and found is LedgerClass.L1
            return LedgerClass.L0 if new else found
        case _:
            new = _is_new(bench, finding.contact_id) and found is LedgerClass.L1
            return LedgerClass.L0 if new else found


def _class_of_merged(bench: Bench, finding: Finding, loser: LedgerClass) -> LedgerClass:
    winner_id = winner_of(bench, finding.contact_id)
    if winner_id is None:
        return loser
    if _is_new(bench, finding.contact_id) and loser is LedgerClass.L1:
        return LedgerClass.L0
    record = bench.record_of(winner_id)
    joined = class_of(record, finding.use, policy=bench.policy, at=bench.at)
    return LedgerClass.L7 if loser is LedgerClass.L7 else joined


def _is_new(bench: Bench, contact_id: ContactId) -> bool:
    return bench.owners[contact_id] in bench.met


def _word_for(record: SubjectRecord, use: Use, bench: Bench) -> str:
    if is_stopped(record, use, policy=bench.policy, at=bench.at):
        return "STOPPED"
    permission = record.permissions.get(use)
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
