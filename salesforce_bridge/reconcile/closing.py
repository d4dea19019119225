"""Closing a case: what Salesforce still needs, and a decision also for every use that was left alone."""

from dataclasses import dataclass

from salesforce_bridge.permissions.keys import Use
from salesforce_bridge.reconcile.bench import Bench
from salesforce_bridge.reconcile.facts import Case
from salesforce_bridge.reconcile.findings import RANK, Situation
from salesforce_bridge.reconcile.intent import Decision, Write
from salesforce_bridge.reconcile.judge import Ruling, decide_alone, decision_id, decision_of
from salesforce_bridge.reconcile.reasons import Severity
from salesforce_bridge.reconcile.silences import Silences
from salesforce_bridge.reconcile.situations import (
    uses_of_case,
)
from salesforce_bridge.reconcile.writes import writes_for


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """All decisions about one Contact, and the writes they come to."""

    decisions: tuple[Decision, ...]
    writes: tuple[Write, ...]


def close(
    bench: Bench,
    case: Case,
    *,
    judged: tuple[Ruling, ...],
    revision: int,
    salt: str,
    silences: Silences,
) -> Closed:
    """Draft the writes of one Contact and decide what is left undecided."""
    uses = uses_of_case(bench, case)
    leading = {each.finding.use: each.finding for each in sorted(judged, key=_weight)}
    heaviest = max(judged, key=_weight, default=None)

    def author(use: Use | None) -> str:
        finding = leading.get(use) if use is not None else heaviest and heaviest.finding
        about = finding.use if finding else use or _headline(bench, uses)
        situation = finding.situation if finding else _AHEAD
        return decision_id(salt, case.contact_id, about, situation)

    drafted = writes_for(
        bench, case, revision=revision, author=author, salt=salt, silences=silences
    )
    writing = {write.decision_id for write in drafted.writes}
    failed = {each.use: each.answer.reasons for each in drafted.standings}
    decisions = [
        decision_of(bench, each, gates_failed=failed.get(each.finding.use, ()), salt=salt)
        for each in judged
    ]
    quiet = quiet_of(case)
    for use in uses:
        if use in leading:
            continue
        pushed = bool(writing) and author(use) in writing
        if pushed or case.read:
            situation, gates = _AHEAD if pushed else quiet, failed.get(use, ())
            alone = decide_alone(bench, case, use, situation, gates_failed=gates, salt=salt)
            decisions.append(alone)
    return Closed(decisions=tuple(decisions), writes=drafted.writes)


_AHEAD = Situation.S03_LEDGER_AHEAD
_WEIGHT = {severity: weight for weight, severity in enumerate(Severity)}


def quiet_of(case: Case) -> Situation:
    """Tell our own echo, a new stamp with nothing new in it, from a record that did not move at all."""
    seen, agreed = case.seen, case.mirror
    moved = seen is not None and agreed is not None and seen.modstamp != agreed.modstamp
    for row in () if moved else case.rows:
        if row.mirror is not None and row.seen.modstamp != row.mirror.modstamp:
            moved = True
    return Situation.S02_OWN_ECHO if moved else Situation.S01_UNCHANGED


def _headline(bench: Bench, uses: tuple[Use, ...]) -> Use:
    return next(use for use in uses if use.purpose == bench.policy.headline)


def _weight(ruling: Ruling) -> tuple[int, int]:
    return _WEIGHT[ruling.reason.severity], -RANK[ruling.finding.situation]
