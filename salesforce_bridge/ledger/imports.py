"""Imports: what people permitted before the bridge came, from CSV files; dry first, and all or nothing.

A stop in a file always acts. A grant acts only with proof, never lifts a stop, and waits in quarantine otherwise.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from hashlib import sha256

from salesforce_bridge.errors import CannotStart
from salesforce_bridge.ledger import deeds
from salesforce_bridge.ledger.import_cells import Frame, Problem
from salesforce_bridge.ledger.import_conditions import ConditionLine, read_conditions
from salesforce_bridge.ledger.import_lines import (
    STOPPING,
    PermissionLine,
    Told,
    read_permissions,
)
from salesforce_bridge.ledger.import_people import Crowd, gather
from salesforce_bridge.ledger.store import Deed, Tx
from salesforce_bridge.permissions.bases import OBJECTIONABLE, LawfulBasis
from salesforce_bridge.permissions.conditions import Condition, SoftOptIn
from salesforce_bridge.permissions.events import (
    STOPS,
    ActorKind,
    EventKind,
    PermissionEvent,
    in_fold_order,
)
from salesforce_bridge.permissions.evidence import grant_is_proven
from salesforce_bridge.permissions.fold import covering_stop
from salesforce_bridge.permissions.keys import ANY_CHANNEL, ANY_PURPOSE, SubjectId, Use
from salesforce_bridge.permissions.policy import notice_was_published
from salesforce_bridge.permissions.states import STOPPED
from salesforce_bridge.permissions.stops import EVERYTHING
from salesforce_bridge.reconcile.classes import is_marketing
from salesforce_bridge.reconcile.facts import Candidate, SubjectRecord
from salesforce_bridge.reconcile.identity import stable_id
from salesforce_bridge.reconcile.telling import Teller, basis_of, event_of

REASON = "IMPORTED"
_NO_EVIDENCE, _ATTESTED = "GRANT_QUARANTINED_NO_EVIDENCE", "GRANT_QUARANTINED_ATTESTED"
_AFTER_STOP = "GRANT_AFTER_STOP_REJECTED"


class ImportRefused(CannotStart):
    """A file has problems; nothing of it was imported."""


class ImportKind(StrEnum):
    """What a file is about."""

    PERMISSIONS = "permissions"
    CONDITIONS = "conditions"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportReport:
    """What an import would do, or did."""

    lines: int
    problems: tuple[Problem, ...]
    new_people: int
    recorded: Mapping[str, int]  # by kind of event, CONDITION or QUARANTINED: what is new
    already_known: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportPlan:
    """A file, read and compared with the ledger; nothing is written yet."""

    report: ImportReport
    facts: deeds.Facts
    frame: Frame
    kind: ImportKind
    digest: str  # SHA-256 of the file


@dataclass(slots=True, kw_only=True)
class _Desk:
    """Where the facts of a file are gathered."""

    frame: Frame
    crowd: Crowd
    events: list[PermissionEvent] = field(default_factory=list)
    conditions: list[Condition] = field(default_factory=list)
    claims: list[Candidate] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    stops: dict[SubjectId, list[PermissionEvent]] = field(default_factory=dict)

    def refuse(self, line: int, column: str, what: str) -> None:
        self.problems.append(Problem(line=line, column=column, what=what))


def plan_import(tx: Tx, text: str, kind: ImportKind, frame: Frame) -> ImportPlan:
    """Read a file and say what it would do; reads the ledger, writes nothing."""
    permissions: tuple[PermissionLine, ...] = ()
    conditions: tuple[ConditionLine, ...] = ()
    if kind is ImportKind.PERMISSIONS:
        permissions, problems = read_permissions(text, frame)
    else:
        conditions, problems = read_conditions(text, frame)
    desk = _Desk(frame=frame, crowd=gather(tx, (*permissions, *conditions), frame))
    desk.problems.extend(problems)
    for line in permissions:
        if line.told in STOPPING:
            _take_stop(desk, line)
    for line in permissions:
        if line.told not in STOPPING:
            _take_other(desk, line)
    for fact in conditions:
        _take_condition(desk, fact)
    offered = _facts(desk)
    news = deeds.news_of(tx.connection, offered)
    return ImportPlan(
        report=_report(desk, news, len(permissions) + len(conditions)),
        facts=offered,
        frame=frame,
        kind=kind,
        digest=sha256(text.encode()).hexdigest(),
    )


def run_import(tx: Tx, plan: ImportPlan) -> ImportReport:
    """Write what was planned, in the caller's one transaction; refuse a file with any problem."""
    if plan.report.problems:
        first = plan.report.problems[0]
        raise ImportRefused(
            f"{len(plan.report.problems)} problems, the first in line {first.line}: "
            f"{first.column} {first.what}",
            hint="mend the file and run the import dry again",
        )
    facts, frame = plan.facts, plan.frame
    tx.append_deed(
        Deed(
            verb="IMPORT",
            by=frame.by,
            reason=REASON,
            details={"file": plan.digest, "kind": plan.kind.value},
        ),
        at=frame.at,
        policy=frame.policy,
        events=facts.events,
        conditions=facts.conditions,
        candidates=facts.candidates,
        new_subjects=facts.new_subjects,
        links=facts.links,
        points=facts.points,
    )
    return plan.report


def _take_stop(desk: _Desk, line: PermissionLine) -> None:
    """A stop acts on everybody it can be meant for; doubt about whom is no reason to go on."""
    people = desk.crowd.who(line.whose)
    # Who of several said it nobody knows, but whoever did is known by the address: it stays a no to that.
    teller = people[0] if len(people) == 1 else desk.crowd.unnamed(line.whose)
    tellers = {teller, *desk.crowd.heirs.get(teller, ())}
    heirs = (heir for one in people for heir in desk.crowd.heirs.get(one, ()))
    known = {*people, teller}
    for subject_id in sorted({*known, *heirs}):
        if subject_id in known:
            desk.crowd.remember(subject_id, line.whose)
        record = desk.crowd.records[subject_id]
        for kind, use in _words_of_stop(desk, record, line):
            event = _event(desk, record, line, kind, use, own=subject_id in tellers)
            desk.events.append(event)
            desk.stops.setdefault(subject_id, []).append(event)


def _words_of_stop(
    desk: _Desk, record: SubjectRecord, line: PermissionLine
) -> Iterator[tuple[EventKind, Use]]:
    use, policy = line.use, desk.frame.policy
    if line.told is Told.STOP_ALL:
        yield EventKind.STOP_ALL, EVERYTHING
        return
    if use.purpose == ANY_PURPOSE:
        wide = use.channel == ANY_CHANNEL
        yield EventKind.STOP_MARKETING if wide else EventKind.STOP_CHANNEL, use
        return
    marketing = is_marketing(record, use, policy=policy)
    basis = basis_of(record, use, policy=policy, at=desk.frame.at)
    if line.told is Told.OBJECT and marketing:
        # Art. 21(2): who objects to direct marketing objects to all of it.
        yield EventKind.STOP_MARKETING, EVERYTHING
    if basis is LawfulBasis.CONSENT:
        yield EventKind.REFUSE if line.told is Told.REFUSE else EventKind.WITHDRAW, use
    elif marketing:
        yield EventKind.OBJECT_MARKETING, use
    elif basis in OBJECTIONABLE:
        yield EventKind.OBJECT_GROUNDS, use
    else:
        yield EventKind.STOP_MARKETING, EVERYTHING


def _take_other(desk: _Desk, line: PermissionLine) -> None:
    subject_id = _one_person(desk, line)
    if subject_id is None:
        return
    record, frame = desk.crowd.records[subject_id], desk.frame
    if record.erased:
        what = "belongs to a person who was erased; only a yes of their own begins anew"
        desk.refuse(line.line, "event", what)
        return
    basis = basis_of(record, line.use, policy=frame.policy, at=frame.at)
    of_consent = line.told in (Told.GRANT, Told.REQUEST)
    if of_consent is not (basis is LawfulBasis.CONSENT):
        what = f"{line.told.value} does not belong to {line.use.purpose}, which rests on {basis}"
        desk.refuse(line.line, "event", what)
    elif line.told is Told.GRANT:
        _take_grant(desk, record, line)
    else:
        kind = EventKind(line.told.value)
        desk.events.append(_event(desk, record, line, kind, line.use, own=True))


def _one_person(desk: _Desk, line: PermissionLine | ConditionLine) -> SubjectId | None:
    whose = line.whose
    if whose.contact_id is None and not whose.email:
        what = "may be a switchboard; name the person by contact_id or email"
        desk.refuse(line.line, "phone", what)
        return None
    people = desk.crowd.who(whose)
    if len(people) > 1:
        what = f"is the address of {len(people)} people; name the person by contact_id"
        desk.refuse(line.line, "email", what)
        return None
    return people[0]


def _take_grant(desk: _Desk, record: SubjectRecord, line: PermissionLine) -> None:
    point = _given_for(desk, line)
    if point is None:
        what = f"is missing: a consent for {line.use.channel} holds for one address"
        desk.refuse(line.line, "email", what)
        return
    waits = _quarantined(desk, record, line)
    if waits is not None:
        desk.claims.append(_claim(desk, record, line, waits))
        return
    event = _event(desk, record, line, EventKind.GRANT, line.use, own=True)
    desk.events.append(replace(event, point=point or None))


def _given_for(desk: _Desk, line: PermissionLine) -> str | None:
    """The address a consent is for; empty where the policy does not tie it to one, None where it is missing."""
    policy, use = desk.frame.policy, line.use
    if use.channel not in policy.purposes[use.purpose].address_scoped:
        return ""
    wanted = policy.channels[use.channel].point
    return next((one.exact for one in line.whose.points if one.type is wanted), None)


def _quarantined(desk: _Desk, record: SubjectRecord, line: PermissionLine) -> str | None:
    """Why a grant has to wait for a person to look at it; None when it may act."""
    if _stop_stands(desk, record, line):
        return _AFTER_STOP
    policy = desk.frame.policy
    purpose = policy.purposes[line.use.purpose]
    if grant_is_proven(line.trust, line.grade, purpose.required_grade) and notice_was_published(
        policy, line.notice_id, purpose.key, at=line.happened_at
    ):
        return None
    return _ATTESTED if line.evidence_ref else _NO_EVIDENCE


def _stop_stands(desk: _Desk, record: SubjectRecord, line: PermissionLine) -> bool:
    use = line.use
    permission = record.permissions.get(use)
    if permission is not None and permission.state in STOPPED:
        return True
    marketing = is_marketing(record, use, policy=desk.frame.policy)
    if covering_stop(permission, use, marketing=marketing, stops=record.stops) is not None:
        return True
    return any(
        stop.happened_at <= line.happened_at
        and stop.use.purpose in (ANY_PURPOSE, use.purpose)
        and stop.use.channel in (ANY_CHANNEL, use.channel)
        for stop in desk.stops.get(record.subject_id, ())
    )


def _claim(desk: _Desk, record: SubjectRecord, line: PermissionLine, reason: str) -> Candidate:
    return Candidate(
        id=stable_id(
            *("import", record.subject_id, line.use.purpose, line.use.channel),
            *(line.happened_at.isoformat(), line.evidence_ref),
        ),
        subject_id=record.subject_id,
        use=line.use,
        reason=reason,
        claimed_at=line.happened_at,
        evidence_ref=line.evidence_ref,
        note_digest=None,
        claimed_by=desk.frame.by,
        source_record=f"import, line {line.line}",
        expires_at=desk.frame.at + desk.frame.policy.quarantine_lasts,
    )


def _event(
    desk: _Desk,
    record: SubjectRecord,
    line: PermissionLine,
    kind: EventKind,
    use: Use,
    *,
    own: bool,
) -> PermissionEvent:
    event = event_of(
        record,
        use,
        kind,
        reason=REASON,
        happened_at=line.happened_at,
        teller=Teller(actor=ActorKind.IMPORT, trust=line.trust, ref=desk.frame.by),
        policy=desk.frame.policy,
        at=desk.frame.at,
        own=own,
    )
    return replace(
        event,
        grade=line.grade,
        evidence_ref=line.evidence_ref,
        notice_id=line.notice_id,
        effective_to=line.effective_to if kind not in STOPS else None,
        capture_source=line.capture_source,
        condition_ref=line.condition_ref,
    )


def _take_condition(desk: _Desk, line: ConditionLine) -> None:
    if line.points:
        # What is true of an address is true of it for everybody who has it.
        for subject_id in desk.crowd.who(line.whose):
            desk.crowd.remember(subject_id, line.whose)
            for point in line.points:
                desk.conditions.append(_condition(line, subject_id, point.hmac))
        return
    one = _one_person(desk, line)
    if one is not None:
        desk.conditions.append(_condition(line, one, None))


def _condition(line: ConditionLine, subject_id: SubjectId, point: str | None) -> Condition:
    sale, about = line.soft_opt_in, () if point is None else (point,)
    told = (line.valid_from.isoformat(), line.valid_to and line.valid_to.isoformat(), *about)
    facts = (
        () if sale is None else (sale.sale_ref, sale.sale_date.isoformat(), *map(str, _rest(sale)))
    )
    return Condition(
        id=stable_id("condition", subject_id, line.kind, line.ref, line.purpose, *told, *facts),
        subject_id=subject_id,
        kind=line.kind,
        ref=line.ref,
        valid_from=line.valid_from,
        valid_to=line.valid_to,
        purpose=line.purpose,
        point=point,
        soft_opt_in=sale,
    )


def _rest(sale: SoftOptIn) -> tuple[object, ...]:
    return sale.product_family, sale.optout_offered_at_collection, sale.optout_in_each_message


def _facts(desk: _Desk) -> deeds.Facts:
    crowd = desk.crowd
    return deeds.Facts(
        events=in_fold_order({event.id: event for event in desk.events}.values()),
        conditions=desk.conditions,
        candidates=[
            (desk.frame.org_id, claim)
            for claim in {claim.id: claim for claim in desk.claims}.values()
        ],
        new_subjects=tuple(crowd.met.values()),
        links=tuple(crowd.links.values()),
        points=tuple(crowd.points.values()),
    )


def _report(desk: _Desk, news: deeds.Facts, lines: int) -> ImportReport:
    recorded = Counter(event.kind.value for event in news.events)
    recorded["CONDITION"] = len(news.conditions)
    recorded["QUARANTINED"] = len(news.candidates)
    offered: Sequence[object] = (*desk.events, *desk.conditions, *desk.claims)
    return ImportReport(
        lines=lines,
        problems=tuple(sorted(desk.problems, key=lambda problem: problem.line)),
        new_people=len(news.new_subjects),
        recorded={kind: number for kind, number in sorted(recorded.items()) if number},
        already_known=len(offered) - recorded.total(),
    )
