"""Making the plan of a cycle from its dossiers, and refusing one that would surprise a person."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256

import orjson

from salesforce_bridge.permissions.events import in_fold_order
from salesforce_bridge.permissions.keys import ContactId, OrgId, SubjectId
from salesforce_bridge.permissions.policy import Limits, Policy
from salesforce_bridge.reconcile.bench import (
    Bench,
    close_unlinked,
    lay_out,
    moved_jurisdictions,
    moved_points,
    newly_met,
    refold,
)
from salesforce_bridge.reconcile.classes import LedgerClass
from salesforce_bridge.reconcile.closing import close
from salesforce_bridge.reconcile.decisions import reason_for
from salesforce_bridge.reconcile.facts import Dossier, RowSnapshot
from salesforce_bridge.reconcile.findings import Situation
from salesforce_bridge.reconcile.identity import stable_id
from salesforce_bridge.reconcile.intent import (
    Decision,
    JurisdictionChange,
    Lane,
    Plan,
    PointChange,
    Value,
    Write,
)
from salesforce_bridge.reconcile.judge import Ruling, judge
from salesforce_bridge.reconcile.row_edits import TRAVELLING, UNMAPPED


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """The plan of one dossier."""

    bench: Bench
    dossier: Dossier
    decisions: tuple[Decision, ...]
    writes: tuple[Write, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """How much a cycle changes, over all its plans, that might surprise somebody."""

    loosened: int = 0
    contacts: frozenset[ContactId] = frozenset()


NO_CHANGE = Change()


def make_plan(
    dossiers: Iterable[Dossier],
    *,
    orphans: Iterable[RowSnapshot] = (),
    org_id: OrgId,
    policy: Policy,
    at: datetime,
    revision: int,
    salt: str,
) -> Plan:
    """Judge every dossier and give all that is to be recorded and written, sorted, with a digest.

    `revision` is the ledger's own at this moment and travels with the writes; `salt` keeps apart the ids
    that different cycles give to the same decision. Neither is part of the digest.
    """
    drafts = tuple(
        _draft(dossier, org_id=org_id, policy=policy, at=at, revision=revision, salt=salt)
        for dossier in dossiers
    )
    decisions = [each for draft in drafts for each in draft.decisions]
    decisions += (_orphaned(row, salt=salt) for row in orphans)
    writes = sorted(
        (each for draft in drafts for each in draft.writes),
        key=_order_of_writing,
    )
    plan = Plan(
        decisions=tuple(
            sorted(
                decisions,
                key=lambda each: (
                    each.contact_id,
                    each.use.purpose,
                    each.use.channel,
                    each.situation,
                    each.row_id or "",
                ),
            )
        ),
        subjects=tuple(each for draft in drafts for each in newly_met(draft.bench)),
        links=tuple(
            draft.bench.links[key] for draft in drafts for key in sorted(draft.bench.links)
        ),
        points=tuple(each for draft in drafts for each in _points(draft)),
        jurisdictions=tuple(each for draft in drafts for each in _jurisdictions(draft)),
        events=tuple(each for draft in drafts for each in draft.bench.events),
        candidates=tuple(each for draft in drafts for each in draft.bench.candidates),
        writes=tuple(writes),
        digest="",
    )
    return replace(plan, digest=_digest(plan))


def change_of(plan: Plan, *, fresh: frozenset[ContactId], so_far: Change) -> Change:
    """Add up what a plan changes; stops are never counted.

    `fresh` are Contacts seen for the first time, whose first writes surprise nobody.
    """
    counted = [
        each for each in plan.writes if each.lane > Lane.STOP and each.contact_id not in fresh
    ]
    return Change(
        loosened=so_far.loosened + sum(each.lane is Lane.LOOSEN_ROWS for each in counted),
        contacts=so_far.contacts | {each.contact_id for each in counted},
    )


def check_limits(
    plan: Plan,
    limits: Limits,
    *,
    known: int,
    fresh: frozenset[ContactId],
    so_far: Change = NO_CHANGE,
) -> str | None:
    """Say in words why a plan would surprise a person, or None. Stops are never counted.

    `known` is how many Contacts the ledger knows; `so_far` is what earlier plans of the same cycle changed.
    """
    change = change_of(plan, fresh=fresh, so_far=so_far)
    if change.loosened > limits.loosen_max:
        return f"{change.loosened} permissions would be widened at once; the limit is {limits.loosen_max}"
    changed = len(change.contacts)
    if (
        known > limits.change_from
        and changed > limits.change_max
        and changed > limits.change_share * known
    ):
        return (
            f"{changed} of {known} Contacts would change at once;"
            f" the limit is {limits.change_max} and a share of {limits.change_share:.0%}"
        )
    return None


def stops_only(plan: Plan) -> Plan:
    """Keep of a plan only the writes that say no; what it records stays whole."""
    return replace(plan, writes=tuple(each for each in plan.writes if each.lane is Lane.STOP))


def _draft(
    dossier: Dossier, *, org_id: OrgId, policy: Policy, at: datetime, revision: int, salt: str
) -> Draft:
    bench = lay_out(dossier, org_id=org_id, policy=policy, at=at)
    judged = judge(bench)
    close_unlinked(bench)
    # What is projected is what the ledger will hold: its events in the order in which it folds them.
    refold(bench, dossier.subjects, in_fold_order(bench.events))
    judged_of: dict[ContactId, list[Ruling]] = defaultdict(list)
    for ruling in judged:
        judged_of[ruling.finding.contact_id].append(ruling)
    decisions: list[Decision] = []
    writes: list[Write] = []
    for case in dossier.cases:
        closed = close(
            bench,
            case,
            judged=tuple(judged_of[case.contact_id]),
            revision=revision,
            salt=salt,
        )
        decisions += closed.decisions
        writes += closed.writes
    return Draft(bench=bench, dossier=dossier, decisions=tuple(decisions), writes=tuple(writes))


def _points(draft: Draft) -> tuple[PointChange, ...]:
    known = {record.subject_id: record for record in draft.dossier.subjects}
    kept = set(known) | {each.subject_id for each in newly_met(draft.bench)}
    return tuple(each for each in moved_points(draft.bench, known) if each.subject_id in kept)


def _jurisdictions(draft: Draft) -> tuple[JurisdictionChange, ...]:
    return moved_jurisdictions(
        draft.bench, {record.subject_id: record for record in draft.dossier.subjects}
    )


def _orphaned(row: RowSnapshot, *, salt: str) -> Decision:
    situation, ledger_class = Situation.S23_PERM_UNDELETED_OR_DOUBLED, LedgerClass.L0
    reason = reason_for(situation, ledger_class)
    return Decision(
        id=stable_id("decision", salt, row.row_id, situation),
        situation=situation,
        reason=reason.code,
        effect=reason.effect,
        severity=reason.severity,
        queue=reason.queue,
        ledger_class=ledger_class,
        subject_id=SubjectId(""),
        contact_id=ContactId(""),
        row_id=row.row_id,
        use=UNMAPPED,
        basis="",
        status_before="UNKNOWN",
        status_after="UNKNOWN",
        observed={},
        gates_failed=(),
        event_ids=(),
        candidate_id=None,
        source_actor=row.modified_by,
        source_stamp=row.modstamp,
        explanation=reason.sentence,
    )


def _order_of_writing(write: Write) -> tuple[int, str, str, str, str, str]:
    return (
        write.lane,
        write.target,
        write.verb,
        write.contact_id,
        write.record_id or write.ledger_key or "",
        min(write.fields, default=""),
    )


def _digest(plan: Plan) -> str:
    """Fingerprint what a plan says, whatever the moment and the cycle it was made in."""
    said = (
        [(d.contact_id, d.use, d.situation, d.reason, d.row_id) for d in plan.decisions],
        sorted(event.id for event in plan.events),
        sorted(claim.id for claim in plan.candidates),
        sorted((link.contact_id, link.subject_id, link.state) for link in plan.links),
        sorted((each.subject_id, each.point, each.move) for each in plan.points),
        [(w.verb, w.target, w.record_id, w.ledger_key, _fields(w)) for w in plan.writes],
    )
    return sha256(orjson.dumps(said, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _fields(write: Write) -> Mapping[str, Value]:
    return {
        name: value
        for name, value in write.fields.items()
        if name not in TRAVELLING and name != "decision"
    }
