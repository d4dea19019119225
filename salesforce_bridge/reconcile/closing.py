"""Closing a case: what Salesforce still needs, and a decision also for every use that was left alone."""

from dataclasses import dataclass, replace

from salesforce_bridge.permissions.keys import Use
from salesforce_bridge.reconcile.bench import Bench
from salesforce_bridge.reconcile.classes import class_of
from salesforce_bridge.reconcile.facts import Case
from salesforce_bridge.reconcile.findings import RANK, Finding, Situation
from salesforce_bridge.reconcile.intent import Decision, Write
from salesforce_bridge.reconcile.judge import decide, decision_id
from salesforce_bridge.reconcile.reasons import Severity
from salesforce_bridge.reconcile.situations import uses_of_case
from salesforce_bridge.reconcile.standing import Standing
from salesforce_bridge.reconcile.writes import writes_for

_WEIGHT = {severity: weight for weight, severity in enumerate(Severity)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """All decisions about one Contact, and the writes they come to."""

    decisions: tuple[Decision, ...]
    writes: tuple[Write, ...]


def close(
    bench: Bench, case: Case, *, judged: tuple[Decision, ...], revision: int, salt: str
) -> Closed:
    """Draft the writes of one Contact and decide what nothing has been decided about."""
    uses = uses_of_case(bench, case)
    decided = {each.use: each.id for each in sorted(judged, key=_weight)}
    ahead = Situation.S03_LEDGER_AHEAD
    authors: dict[Use | None, str] = {
        use: decided.get(use) or decision_id(salt, case.contact_id, use, ahead) for use in uses
    }
    heaviest = max(judged, key=_weight, default=None)
    authors[None] = heaviest.id if heaviest is not None else authors[_headline(bench, uses)]
    drafted = writes_for(bench, case, revision=revision, decisions=authors, salt=salt)
    writing = {write.decision_id for write in drafted.writes}
    left = []
    for use in uses:
        if use in decided:
            continue
        pushed = authors[use] in writing
        if pushed or case.read:
            situation = ahead if pushed else _quiet(case)
            left.append(_alone(bench, case, use, situation, salt=salt))
    failed = {each.use: each for each in drafted.standings}
    return Closed(
        decisions=tuple(_with_gates(each, failed) for each in (*judged, *left)),
        writes=drafted.writes,
    )


def _alone(bench: Bench, case: Case, use: Use, situation: Situation, *, salt: str) -> Decision:
    seen = case.seen
    finding = Finding(
        situation=situation,
        contact_id=case.contact_id,
        use=use,
        stamp=seen.modstamp if seen is not None else None,
        actor=seen.modified_by if seen is not None else None,
    )
    ledger_class = class_of(bench.record_of(case.contact_id), use, policy=bench.policy)
    return decide(bench, finding, ledger_class, salt=salt)


def _quiet(case: Case) -> Situation:
    """Tell our own echo, a new stamp with nothing new in it, from a record that did not move at all."""
    stamps = [(case.seen, case.mirror), *((row.seen, row.mirror) for row in case.rows)]
    moved = any(
        seen is not None and agreed is not None and seen.modstamp != agreed.modstamp
        for seen, agreed in stamps
    )
    return Situation.S02_OWN_ECHO if moved else Situation.S01_UNCHANGED


def _headline(bench: Bench, uses: tuple[Use, ...]) -> Use:
    return next((use for use in uses if use.purpose == bench.policy.headline), uses[0])


def _weight(decision: Decision) -> tuple[int, int]:
    return _WEIGHT[Severity(decision.severity)], -RANK[Situation(decision.situation)]


def _with_gates(decision: Decision, standings: dict[Use, Standing]) -> Decision:
    standing = standings.get(decision.use)
    if standing is None or not standing.answer.failed:
        return decision
    return replace(decision, gates_failed=tuple(each.reason for each in standing.answer.failed))
