"""The sheet: what a plan is put together on, dossier by dossier, before it is sorted and sealed."""

from collections import defaultdict
from dataclasses import dataclass, field, fields

from salesforce_bridge.permissions.conditions import Condition
from salesforce_bridge.permissions.events import PermissionEvent, in_fold_order
from salesforce_bridge.permissions.keys import ContactId, SubjectId
from salesforce_bridge.permissions.rights import RightsCase
from salesforce_bridge.permissions.suppressions import Suppression
from salesforce_bridge.reconcile.acts_policy import move
from salesforce_bridge.reconcile.bench import Bench
from salesforce_bridge.reconcile.changes import (
    close_unlinked,
    due_changes,
    judged_anew,
    moved_people,
    moved_points,
    newly_met,
    refold,
)
from salesforce_bridge.reconcile.closing import close
from salesforce_bridge.reconcile.facts import Candidate, Dossier, Link
from salesforce_bridge.reconcile.findings import Finding
from salesforce_bridge.reconcile.intent import (
    Decision,
    DueChange,
    JurisdictionChange,
    NewSubject,
    PointChange,
    Write,
)
from salesforce_bridge.reconcile.judge import Ruling, judge
from salesforce_bridge.reconcile.silences import Silences


@dataclass(slots=True, kw_only=True)
class Sheet:
    """All that the dossiers judged so far ask to be recorded and written."""

    decisions: list[Decision] = field(default_factory=list)
    subjects: list[NewSubject] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    points: list[PointChange] = field(default_factory=list)
    jurisdictions: list[JurisdictionChange] = field(default_factory=list)
    events: list[PermissionEvent] = field(default_factory=list)
    candidates: list[Candidate] = field(default_factory=list)
    writes: list[Write] = field(default_factory=list)
    conditions: list[Condition] = field(default_factory=list)
    cases: list[RightsCase] = field(default_factory=list)
    suppressions: list[Suppression] = field(default_factory=list)
    due: list[DueChange] = field(default_factory=list)
    judged_anew: list[SubjectId] = field(default_factory=list)

    def add(self, other: "Sheet") -> None:
        """Put down all that another sheet says."""
        for each in fields(other):
            getattr(self, each.name).extend(getattr(other, each.name))


def put_down(
    sheet: Sheet,
    dossier: Dossier,
    bench: Bench,
    found: tuple[Finding, ...],
    *,
    revision: int,
    salt: str,
    silences: Silences,
) -> None:
    """Judge one dossier by its findings and put down all that comes of it."""
    judged = judge(bench, found)
    for subject_id in bench.places:
        move(bench, subject_id)
    close_unlinked(bench)
    # What is projected is what the ledger will hold: its events in the order in which it folds them.
    refold(bench, dossier.subjects, in_fold_order(bench.events))
    _close_cases(sheet, dossier, bench, judged, revision=revision, salt=salt, silences=silences)
    _record(sheet, dossier, bench)


def _close_cases(
    sheet: Sheet,
    dossier: Dossier,
    bench: Bench,
    judged: tuple[Ruling, ...],
    *,
    revision: int,
    salt: str,
    silences: Silences,
) -> None:
    judged_of: dict[ContactId, list[Ruling]] = defaultdict(list)
    for ruling in judged:
        judged_of[ruling.finding.contact_id].append(ruling)
    for case in dossier.cases:
        closed = close(
            bench,
            case,
            judged=tuple(judged_of[case.contact_id]) if case.contact_id in judged_of else (),
            revision=revision,
            salt=salt,
            silences=silences,
        )
        sheet.decisions += closed.decisions
        sheet.writes += closed.writes


def _record(sheet: Sheet, dossier: Dossier, bench: Bench) -> None:
    known = {record.subject_id: record for record in dossier.subjects}
    met = newly_met(bench)
    kept = known.keys() | {each.subject_id for each in met} if met else known.keys()
    sheet.subjects += met
    sheet.links += (bench.links[key] for key in sorted(bench.links))
    sheet.points += (each for each in moved_points(bench, known) if each.subject_id in kept)
    if bench.places:
        sheet.jurisdictions += moved_people(bench)
    sheet.events += bench.events
    sheet.candidates += bench.candidates.values()
    sheet.conditions += bench.conditions
    sheet.cases += bench.rights.values()
    sheet.suppressions += bench.new_suppressions
    sheet.due += (each for each in due_changes(bench) if each.subject_id in kept)
    sheet.judged_anew += judged_anew(bench, dossier.subjects)
