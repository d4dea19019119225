"""Making the plan of a cycle from its dossiers, and refusing one that would surprise a person."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from hashlib import sha256
from operator import attrgetter
from types import MappingProxyType

import orjson

from salesforce_bridge.permissions.keys import ContactId, OrgId, SubjectId
from salesforce_bridge.permissions.policy import Limits, Policy
from salesforce_bridge.reconcile.classes import LedgerClass
from salesforce_bridge.reconcile.decisions import reason_for
from salesforce_bridge.reconcile.facts import Dossier, RowSnapshot
from salesforce_bridge.reconcile.findings import Finding, Situation
from salesforce_bridge.reconcile.identity import stable_id
from salesforce_bridge.reconcile.intent import (
    CLOSED_CIRCUIT,
    Circuit,
    Decision,
    Lane,
    Plan,
    Value,
    Write,
)
from salesforce_bridge.reconcile.layout import lay_out
from salesforce_bridge.reconcile.newcomers import Reception, is_newcomer
from salesforce_bridge.reconcile.row_edits import TRAVELLING, UNMAPPED
from salesforce_bridge.reconcile.settled import RollCall, kind_of
from salesforce_bridge.reconcile.sheet import Sheet, put_down
from salesforce_bridge.reconcile.silences import Silences
from salesforce_bridge.reconcile.situations import recognise
from salesforce_bridge.reconcile.surges import EDITS, Parked, park


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """How much a cycle changes, over all its plans, that might surprise somebody."""

    loosened: int = 0
    contacts: frozenset[ContactId] = frozenset()


NO_CHANGE = Change()
_DECIDED_OF = attrgetter(
    "contact_id", "use.purpose", "use.channel", "situation", "reason", "row_id"
)
# There is one decision about a Contact, a use and a situation; rows without a Contact come first, by their id.
_ORDER_OF_DECISIONS = attrgetter("contact_id", "use", "situation")
_ROW_ID = attrgetter("row_id")
_LINKED_OF = attrgetter("contact_id", "subject_id", "state")
_MOVED_OF = attrgetter("subject_id", "point", "move")
_UNSAID = (*sorted(TRAVELLING), "decision")
_NO_POLICIES: Mapping[str, Policy] = MappingProxyType({})


def make_plan(
    dossiers: Iterable[Dossier],
    *,
    orphans: Iterable[RowSnapshot] = (),
    org_id: OrgId,
    policy: Policy,
    at: datetime,
    revision: int,
    salt: str,
    earlier: Mapping[str, Policy] = _NO_POLICIES,
    circuit: Circuit = CLOSED_CIRCUIT,
    one_by_one: bool = False,
) -> Plan:
    """Judge every dossier and give all that is to be recorded and written, sorted, with a digest.

    `revision` is the ledger's own at this moment and travels with the writes; `salt` keeps apart the ids
    that different cycles give to the same decision. Neither is part of the digest. `earlier` are the
    bundles, by digest, that people were judged under before; `circuit` says whether a mass change has
    stopped everything but stops, and what was counted towards one so far. With `one_by_one` nobody is
    judged by the pattern of somebody else, which gives the same plan and takes longer.
    """
    lay = partial(lay_out, org_id=org_id, policy=policy, at=at, earlier=earlier, circuit=circuit)
    everybody = tuple(dossiers)
    new = [not one_by_one and is_newcomer(each) for each in everybody]
    kinds = [
        None if one_by_one or met else kind_of(each, policy=policy, at=at)
        for each, met in zip(everybody, new, strict=True)
    ]
    ways = tuple(zip(everybody, new, kinds, strict=True))
    benches = [lay(each) for each, met, kind in ways if kind is None and not met]
    # Whether many edits are a mass change shows only over all of them, so nothing is judged before.
    found, parked = _parked([recognise(bench) for bench in benches], circuit, policy, at)

    put = partial(
        put_down,
        revision=revision,
        salt=salt,
        silences=Silences(policy=policy, at=at, one_by_one=one_by_one),
    )

    def judge_alone(dossier: Dossier) -> Sheet:
        alone, bench = Sheet(), lay(dossier)
        put(alone, dossier, bench, recognise(bench))
        return alone

    reception = Reception(judge_alone, org_id=org_id, policy=policy, salt=salt)
    roll_call = RollCall(judge_alone, salt=salt)
    sheet, turns = Sheet(), zip(benches, found, strict=True)
    for dossier, met, kind in ways:
        if met:
            reception.receive(dossier, sheet)
        elif kind is not None:
            roll_call.answer(dossier, kind, sheet)
        else:
            put(sheet, dossier, *next(turns))
    sheet.decisions += (_orphaned(row, salt=salt) for row in sorted(orphans, key=_ROW_ID))
    return _sealed(sheet, parked)


def _sealed(sheet: Sheet, parked: Parked) -> Plan:
    plan = Plan(
        decisions=tuple(sorted(sheet.decisions, key=_ORDER_OF_DECISIONS)),
        subjects=tuple(sheet.subjects),
        links=tuple(sheet.links),
        points=tuple(sheet.points),
        jurisdictions=tuple(sheet.jurisdictions),
        events=tuple(sheet.events),
        candidates=tuple(sheet.candidates),
        writes=tuple(sorted(sheet.writes, key=_order_of_writing)),
        conditions=tuple(sheet.conditions),
        cases=tuple(sheet.cases),
        suppressions=tuple(sheet.suppressions),
        due=tuple(sheet.due),
        judged_anew=tuple(sheet.judged_anew),
        parked=parked.parked,
        edits=parked.edits,
        opens_circuit=parked.opens,
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


def _parked(
    found: Sequence[tuple[Finding, ...]], circuit: Circuit, policy: Policy, at: datetime
) -> tuple[Sequence[tuple[Finding, ...]], Parked]:
    """Take a mass change out of the findings of all dossiers; they are given back dossier by dossier."""
    if not any(each.situation in EDITS for findings in found for each in findings):
        return found, Parked(findings=())
    parked = park([each for findings in found for each in findings], circuit, policy, at)
    if not parked.parked:
        return found, parked
    place_of = {each.contact_id: place for place, here in enumerate(found) for each in here}
    kept: list[list[Finding]] = [[] for _ in found]
    for each in parked.findings:
        kept[place_of[each.contact_id]].append(each)
    return tuple(map(tuple, kept)), parked


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
        [*map(_DECIDED_OF, plan.decisions)],
        sorted(event.id for event in plan.events),
        sorted(claim.id for claim in plan.candidates),
        sorted(map(_LINKED_OF, plan.links)),
        sorted(map(_MOVED_OF, plan.points)),
        [(w.verb, w.target, w.record_id, w.ledger_key, _fields(w)) for w in plan.writes],
        sorted(condition.id for condition in plan.conditions),
        sorted(
            (case.id, case.state, case.crm_done_at, bool(case.reminded_at)) for case in plan.cases
        ),
        sorted((each.hmac, each.scope, each.reason) for each in plan.suppressions),
        sorted((each.subject_id, each.use, str(each.at)) for each in plan.due),
        sorted(plan.judged_anew),
        sorted((each.subject_id, each.jurisdiction, each.former) for each in plan.jurisdictions),
        (sorted(plan.parked), sorted(plan.edits.items()), plan.opens_circuit),
    )
    # A use is written as its two words.
    return sha256(orjson.dumps(said, default=tuple, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _fields(write: Write) -> Mapping[str, Value]:
    said = dict(write.fields)
    for name in _UNSAID:
        said.pop(name, None)
    return said
