"""Situations: what happened, recognised from the cases of a dossier, in the order in which it is acted on."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from operator import attrgetter

from salesforce_bridge.permissions.bases import LawfulBasis
from salesforce_bridge.permissions.conditions import ConditionKind
from salesforce_bridge.permissions.contact_points import PointType
from salesforce_bridge.permissions.keys import ContactId, SubjectId, Use
from salesforce_bridge.permissions.permission import Permission
from salesforce_bridge.permissions.policy import Policy
from salesforce_bridge.permissions.states import ASKED, STOPPED, State
from salesforce_bridge.permissions.stops import covers, stands
from salesforce_bridge.reconcile.bench import Bench
from salesforce_bridge.reconcile.classes import is_marketing, is_stopped
from salesforce_bridge.reconcile.contact_edits import contact_situations
from salesforce_bridge.reconcile.facts import Case, SubjectRecord
from salesforce_bridge.reconcile.findings import RANK, Finding, Situation
from salesforce_bridge.reconcile.row_edits import (
    key_contact,
    key_of,
    row_situations,
)

OVERDUE = "BASIS_REVIEW_OVERDUE"
_IN_ORDER = attrgetter("purpose", "channel")


def recognise(bench: Bench) -> tuple[Finding, ...]:
    """Name all that happened in a dossier, except what only the decisions of this very cycle can show: stops
    that are shared by address (`shared_stops`), what is due (`moments_due`), and whether both sides agree."""
    found: dict[tuple[Situation, ContactId, Use], Finding] = {}
    for case in bench.cases.values():
        for finding in _of_case(bench, case):
            key = (finding.situation, finding.contact_id, finding.use)
            known = found.get(key)
            found[key] = finding if known is None else _together(known, finding)
    return in_order(found.values())


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Sort findings into the order in which they are acted on."""
    return tuple(
        sorted(
            findings,
            key=lambda each: (
                RANK[each.situation],
                each.contact_id,
                each.use.purpose,
                each.use.channel,
            ),
        )
    )


def in_order_of_uses(uses: Collection[Use]) -> tuple[Use, ...]:
    """Sort uses as they would sort themselves, only faster."""
    return tuple(sorted(uses, key=_IN_ORDER))


def shared_stops(bench: Bench) -> tuple[Finding, ...]:
    """Find stops on marketing that came with an address which somebody else has too.

    Only the person's own stop is carried, and once: one that reached somebody by a shared address does
    not travel on, or one switchboard would silence a town.
    """
    tellers = [record for record in bench.records.values() if _says_no(record)]
    if not tellers or len(bench.records) == 1:
        return ()
    told_by: dict[str, list[SubjectRecord]] = defaultdict(list)
    for teller in tellers:
        for held in teller.points:
            told_by[held.point.hmac].append(teller)
    found = []
    for case in bench.cases.values():
        if case.contact_id not in bench.alive:
            continue
        record = bench.record_of(case.contact_id)
        shared = _sharing(record, told_by)
        for use in uses_of_case(bench, case) if shared else ():
            since = _shared_stop_at(bench, record, use, shared)
            if since is not None and _is_news(record, use, since, policy=bench.policy):
                found.append(
                    Finding(
                        situation=Situation.S20_DUPLICATE_CONTACT_POINT,
                        contact_id=case.contact_id,
                        use=use,
                        stamp=since,
                    )
                )
    return in_order(found)


def moments_due(bench: Bench) -> tuple[Finding, ...]:
    """Find what the clock has something to do about, counting what was merged a moment ago."""
    return in_order(
        Finding(
            situation=Situation.S27_EXPIRY_DUE,
            contact_id=contact_id,
            use=use,
            stamp=due_at,
        )
        for contact_id in bench.cases
        for record in (bench.record_of(contact_id),)
        for use in record.permissions
        if (due_at := due(record, use, policy=bench.policy, at=bench.at)) is not None
    )


def own_stop_at(record: SubjectRecord, use: Use, *, policy: Policy) -> datetime | None:
    """Say when a person last said no to a use themselves; None if they did not, or have lifted it since."""
    if not is_stopped(record, use, policy=policy):
        return None
    permission = record.permissions.get(use)
    marketing = is_marketing(record, use, policy=policy)
    lifted_at = permission.lifted_at if permission is not None else None
    told = [
        stop.since
        for stop in record.stops
        if stop.own and covers(stop, use, marketing=marketing) and stands(stop, lifted_at)
    ]
    if permission is not None and permission.state in STOPPED and permission.own:
        told.append(permission.stopped_at or permission.since)
    return max(told, default=None)


def uses_of_case(bench: Bench, case: Case) -> tuple[Use, ...]:
    """List the uses to be judged on a Contact: those everybody has, those decided on, those with a row."""
    policy = bench.policy
    record = bench.record_of(case.contact_id)
    everybody = uses_of_everybody(policy)
    if not record.permissions and not bench.about:
        return everybody
    return in_order_of_uses(
        {
            *everybody,
            *record.permissions,
            *bench.about.get(case.contact_id, ()),
            *bench.rows.get(case.contact_id, ()),
        }
    )


def _of_case(bench: Bench, case: Case) -> Iterator[Finding]:
    policy = bench.policy
    record = bench.record_of(case.contact_id)
    uses = uses_of_case(bench, case)
    if case.rows:
        yield from _of_rows(bench, case, record)
    yield from contact_situations(case, uses=uses, policy=policy)
    # Two rows for one thing are one too many where the bridge can remove one.
    mine = bench.rows.get(case.contact_id, {}) if case.contact_id in bench.alive else {}
    for use, (_, *doubled) in mine.items():
        for row in doubled[-1:]:
            yield Finding(
                situation=Situation.S23_PERM_UNDELETED_OR_DOUBLED,
                contact_id=case.contact_id,
                use=use,
                row_id=row.seen.row_id,
                stamp=row.seen.modstamp,
                actor=row.seen.modified_by,
            )


def _of_rows(bench: Bench, case: Case, record: SubjectRecord) -> Iterator[Finding]:
    for row in case.rows:
        for finding in row_situations(
            row,
            contact_id=case.contact_id,
            record=record,
            alive=bench.alive,
            policy=bench.policy,
            at=bench.at,
        ):
            yield finding
            made_for = key_contact(key_of(row))
            if (
                finding.situation is Situation.S04_CRM_STOP
                and made_for is not None
                and made_for != case.contact_id
                and made_for in bench.cases
            ):
                # Whose no it is nobody can say, so it counts for both.
                yield replace(finding, contact_id=made_for)


def _together(one: Finding, other: Finding) -> Finding:
    """Judge several tellings of one thing by the one that says most, as of the last."""
    first, second = sorted((one, other), key=_weight)
    return replace(second, stamp=max(filter(None, (first.stamp, second.stamp)), default=None))


def _weight(finding: Finding) -> tuple[bool, bool, str]:
    return finding.objects, finding.evidence_ref is not None, finding.row_id or ""


def due(record: SubjectRecord, use: Use, *, policy: Policy, at: datetime) -> datetime | None:
    """Say since when the clock has something to do about a use; None if nothing is due."""
    permission = record.permissions[use]
    ends: list[datetime | None] = []
    if permission.state in ASKED:
        ends.append(permission.since + policy.request_lapses_after)
    if permission.state in _RUNNING and permission.held != OVERDUE:
        # What waits for a review waits for a person, who then also sees that it has run out.
        ends.append(permission.effective_to)
        if permission.state is State.IN_FORCE:
            ends.append(_condition_ended(record, permission))
            ends.append(_review_due(permission, policy=policy))
    return min((end for end in ends if end is not None and end <= at), default=None)


_RUNNING = frozenset({State.GIVEN, State.RENEWED, State.IN_FORCE, State.CHALLENGED})
_RESTS_ON = {
    LawfulBasis.CONTRACT: ConditionKind.CONTRACT,
    LawfulBasis.LEGAL_OBLIGATION: ConditionKind.OBLIGATION,
    LawfulBasis.VITAL_INTEREST: ConditionKind.INCIDENT,
    LawfulBasis.PUBLIC_TASK: ConditionKind.TASK,
}


def _condition_ended(record: SubjectRecord, permission: Permission) -> datetime | None:
    """Say when the last condition that a basis rests on ended; None while one is open or none is known."""
    kind = _RESTS_ON.get(permission.basis)
    rests_on = [each for each in record.conditions if each.kind is kind]
    ends = [each.valid_to for each in rests_on if each.valid_to is not None]
    return max(ends) if ends and len(ends) == len(rests_on) else None


def _review_due(permission: Permission, *, policy: Policy) -> datetime | None:
    """Say when the assessment behind an interest is due for review; what is held waits for a person anyway."""
    purpose = policy.purposes.get(permission.use.purpose)
    if purpose is None or purpose.assessment is None or permission.held is not None:
        return None
    if permission.basis is not LawfulBasis.LEGITIMATE_INTEREST:
        return None
    return policy.assessments[purpose.assessment].review_due


def uses_of_everybody(policy: Policy) -> tuple[Use, ...]:
    """List the uses that are told about everybody: those with a row, and those the Contact speaks of."""
    headline = policy.purposes[policy.headline]
    if headline.visible:
        return policy.uses
    return (*policy.uses, *(Use(purpose=headline.key, channel=each) for each in headline.channels))


def _says_no(record: SubjectRecord) -> bool:
    return bool(record.stops) or any(each.state in STOPPED for each in record.permissions.values())


def _sharing(
    record: SubjectRecord, told_by: Mapping[str, Iterable[SubjectRecord]]
) -> Mapping[SubjectId, frozenset[PointType]]:
    """Name the people who said no and who hold, or once held, an address or number of this one."""
    shared: dict[SubjectId, frozenset[PointType]] = {}
    for held in record.points:
        for teller in () if held.retired else told_by.get(held.point.hmac, ()):
            if teller.subject_id != record.subject_id:
                kinds = shared.get(teller.subject_id, frozenset())
                shared[teller.subject_id] = kinds | {held.point.type}
    return shared


def _shared_stop_at(
    bench: Bench,
    record: SubjectRecord,
    use: Use,
    shared: Mapping[SubjectId, frozenset[PointType]],
) -> datetime | None:
    policy = bench.policy
    rule = policy.channels.get(use.channel)
    if rule is None or not is_marketing(record, use, policy=policy):
        return (
            None  # an objection on personal grounds is about one person, whoever shares the address
        )
    told = (
        own_stop_at(bench.records[teller], use, policy=policy)
        for teller, kinds in shared.items()
        if rule.point in kinds
    )
    return max((at for at in told if at is not None), default=None)


def _is_news(record: SubjectRecord, use: Use, since: datetime, *, policy: Policy) -> bool:
    """Say whether a stop from elsewhere has yet to reach this person, who has not said yes since."""
    if is_stopped(record, use, policy=policy):
        return False
    permission = record.permissions.get(use)
    if permission is None:
        return True
    erased = permission.state is State.ERASED
    return not erased and (permission.lifted_at is None or permission.lifted_at < since)
