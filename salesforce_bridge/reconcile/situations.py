"""Situations: what happened, recognised from the cases of a dossier, in the order in which it is acted on."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from salesforce_bridge.permissions.bases import LawfulBasis
from salesforce_bridge.permissions.conditions import ConditionKind
from salesforce_bridge.permissions.keys import ContactId, Use
from salesforce_bridge.permissions.permission import Permission
from salesforce_bridge.permissions.policy import Policy
from salesforce_bridge.permissions.states import ASKED, STOPPED, State
from salesforce_bridge.permissions.stops import covers, stands
from salesforce_bridge.reconcile.bench import Bench
from salesforce_bridge.reconcile.classes import is_marketing, is_stopped
from salesforce_bridge.reconcile.contact_edits import contact_situations
from salesforce_bridge.reconcile.facts import LIVE_LINKS, Case, RowSnapshot, SubjectRecord
from salesforce_bridge.reconcile.findings import RANK, Finding, Situation
from salesforce_bridge.reconcile.identity import shared_points
from salesforce_bridge.reconcile.row_edits import is_known, key_contact, row_situations, typed_use

OVERDUE = "BASIS_REVIEW_OVERDUE"


def recognise(bench: Bench) -> tuple[Finding, ...]:
    """Name all that happened in a dossier, except what only the decisions of this very cycle can show:
    stops that are shared by address (`shared_stops`), and whether both sides agree in the end."""
    found: dict[tuple[Situation, ContactId, Use], Finding] = {}
    for case in bench.cases.values():
        for finding in _of_case(bench, case):
            found.setdefault((finding.situation, finding.contact_id, finding.use), finding)
    return in_order(found.values())


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Sort findings into the order in which they are acted on."""
    return tuple(
        sorted(findings, key=lambda each: (RANK[each.situation], each.contact_id, each.use))
    )


def shared_stops(bench: Bench) -> tuple[Finding, ...]:
    """Find stops that a person said about an address which somebody else on the bench has too.

    Only the person's own stop is carried, and once: one that reached somebody by a shared address does
    not travel on, or one switchboard would silence a town.
    """
    found = []
    for case in bench.cases.values():
        seen = case.seen
        if seen is None or seen.deleted:
            continue
        record = bench.record_of(case.contact_id)
        shared = shared_points(record, bench.records.values())
        for use in uses_of_case(bench, case) if shared else ():
            rule = bench.policy.channels.get(use.channel)
            told = [
                own_stop_at(bench.records[other], use, policy=bench.policy)
                for other, kinds in shared.items()
                if rule is not None and rule.point in kinds
            ]
            since = max((at for at in told if at is not None), default=None)
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
    if not record.permissions and not case.rows:
        return policy.uses
    rows = (typed_use(row.seen.fields) for row in case.rows if row.seen is not None)
    known = {use for use in rows if use is not None and is_known(use, policy)}
    return tuple(sorted({*policy.uses, *record.permissions, *known}))


def rows_by_use(case: Case) -> Mapping[Use, tuple[RowSnapshot, ...]]:
    """Sort the living rows of a Contact by what they are about, the one to keep first."""
    rows: dict[Use, list[RowSnapshot]] = defaultdict(list)
    for row in case.rows:
        if row.seen is None or row.seen.deleted:
            continue
        use = typed_use(row.seen.fields)
        if use is not None:
            rows[use].append(row.seen)
    return {
        use: tuple(
            sorted(
                doubled,
                key=lambda row: (
                    key_contact(row.fields.ledger_key) != case.contact_id,
                    row.fields.ledger_key is None,
                    row.row_id,
                ),
            )
        )
        for use, doubled in rows.items()
    }


def _of_case(bench: Bench, case: Case) -> Iterator[Finding]:
    policy = bench.policy
    record = bench.record_of(case.contact_id)
    uses = uses_of_case(bench, case)
    gone = frozenset(
        other.contact_id
        for other in bench.cases.values()
        if other.seen is None or other.seen.deleted
    ) | frozenset(link.contact_id for link in record.links if link.state not in LIVE_LINKS)
    for row in case.rows:
        yield from row_situations(row, contact_id=case.contact_id, merged=gone, policy=policy)
    yield from contact_situations(case, uses=uses, policy=policy)
    for use, doubled in rows_by_use(case).items():
        if len(doubled) > 1 and is_known(use, policy):
            yield Finding(
                situation=Situation.S23_PERM_UNDELETED_OR_DOUBLED,
                contact_id=case.contact_id,
                use=use,
                row_id=doubled[-1].row_id,
                stamp=doubled[-1].modstamp,
                actor=doubled[-1].modified_by,
            )
    for use in uses:
        due_at = due(record, use, policy=policy, at=bench.at)
        if due_at is not None:
            yield Finding(
                situation=Situation.S27_EXPIRY_DUE,
                contact_id=case.contact_id,
                use=use,
                stamp=due_at,
            )


def due(record: SubjectRecord, use: Use, *, policy: Policy, at: datetime) -> datetime | None:
    """Say since when the clock has something to do about a use; None if nothing is due."""
    permission = record.permissions.get(use)
    if permission is None:
        return None
    ends: list[datetime | None] = []
    if permission.state in ASKED:
        ends.append(permission.since + policy.request_lapses_after)
    if permission.state in _RUNNING:
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
    """Say when the assessment behind an interest is due for review; once held for it, it is not news."""
    purpose = policy.purposes.get(permission.use.purpose)
    if purpose is None or purpose.assessment is None or permission.held == OVERDUE:
        return None
    if permission.basis is not LawfulBasis.LEGITIMATE_INTEREST:
        return None
    assessment = policy.assessments.get(purpose.assessment)
    return assessment.review_due if assessment is not None else None


def _is_news(record: SubjectRecord, use: Use, since: datetime, *, policy: Policy) -> bool:
    """Say whether a stop from elsewhere has yet to reach this person, who has not said yes since."""
    if is_stopped(record, use, policy=policy):
        return False
    permission = record.permissions.get(use)
    return permission is None or permission.lifted_at is None or permission.lifted_at < since
