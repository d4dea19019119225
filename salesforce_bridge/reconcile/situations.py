"""Situations: what happened, recognised from the cases of a dossier, in the order in which it is acted on."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from salesforce_bridge.permissions.keys import ContactId, Use
from salesforce_bridge.reconcile.bench import Bench
from salesforce_bridge.reconcile.classes import LedgerClass, class_of
from salesforce_bridge.reconcile.contact_edits import contact_situations
from salesforce_bridge.reconcile.facts import MERGED_INTO, Case, RowCase, SubjectRecord
from salesforce_bridge.reconcile.findings import Extra, Finding, Situation, in_order
from salesforce_bridge.reconcile.merging import part_all, taken_over_by
from salesforce_bridge.reconcile.moments import moments_due, speakers, windows_due
from salesforce_bridge.reconcile.policy_changes import policy_situations
from salesforce_bridge.reconcile.row_edits import (
    is_untouched,
    key_contact,
    key_of,
    row_situations,
)
from salesforce_bridge.reconcile.sharing import duplicates, own_stop_at
from salesforce_bridge.reconcile.strangers import first_sights
from salesforce_bridge.reconcile.uses import uses_of_case

__all__ = [
    "LATE",
    "duplicates",
    "moments_due",
    "own_stop_at",
    "recognise",
    "uses_of_case",
    "windows_due",
]


def recognise(bench: Bench) -> tuple[Finding, ...]:
    """Name all that happened in a dossier, except what only the decisions of this very cycle can show: see
    `LATE`, and whether both sides agree."""
    found: dict[tuple[Situation | Extra, ContactId, Use], Finding] = {}
    for finding in (*_of_cases(bench), *_of_people(bench)):
        key = (finding.situation, finding.contact_id, finding.use)
        known = found.get(key)
        found[key] = finding if known is None else _together(known, finding)
    return in_order(_told_of_erased(bench, each) for each in found.values())


def _of_cases(bench: Bench) -> Iterator[Finding]:
    for case in bench.cases.values():
        yield from _of_case(bench, case)


def _of_people(bench: Bench) -> Iterator[Finding]:
    """Name what concerns a person as a whole: another policy, another place."""
    if not (bench.places or bench.earlier):
        return
    for subject_id, contact_id in speakers(bench).items():
        record, place = bench.records[subject_id], bench.places.get(subject_id)
        judged_anew = record.policy_digest in bench.earlier
        if subject_id in bench.met or not (place or judged_anew):
            continue
        case = bench.cases[contact_id]
        uses = uses_of_case(bench, case)
        here = Finding(
            situation=Situation.S01_UNCHANGED,
            contact_id=contact_id,
            use=uses[0],
            stamp=case.seen.modstamp if case.seen is not None else None,
        )
        yield from policy_situations(
            here,
            record,
            uses=uses,
            earlier=bench.earlier,
            policy=bench.policy,
            at=bench.at,
        )
        for use in uses if place not in (None, record.jurisdiction) else ():
            yield replace(
                here,
                situation=Situation.S33_JURISDICTION_CHANGED,
                use=use,
                actor=case.seen.modified_by if case.seen is not None else None,
                observed={"jurisdiction": (record.jurisdiction, place)},
            )


def _told_of_erased(bench: Bench, finding: Finding) -> Finding:
    record = bench.record_of(finding.contact_id)
    if not (record.erased or record.suppressions or record.permissions):
        return finding
    found = class_of(record, finding.use, policy=bench.policy, at=bench.at)
    return replace(finding, of_erased=True) if found is LedgerClass.L7 else finding


def _of_case(bench: Bench, case: Case) -> Iterator[Finding]:
    policy = bench.policy
    record = bench.record_of(case.contact_id)
    uses = uses_of_case(bench, case)
    if case.rows:
        yield from _of_rows(bench, case, record)
    for finding in contact_situations(case, record=record, uses=uses, policy=policy):
        if not _keeps_its_address(bench, finding, record):
            yield finding
    yield from _refused(bench, case)
    if case.link is None:
        yield from first_sights(bench, case)
    # Two rows for one thing are one too many where the bridge can remove one.
    mine = bench.rows.get(case.contact_id, {}) if case.contact_id in bench.alive else {}
    for use, rows in mine.items():
        for row in rows[1:][-1:]:
            yield Finding(
                situation=Situation.S23_PERM_UNDELETED_OR_DOUBLED,
                contact_id=case.contact_id,
                use=use,
                row_id=row.seen.row_id,
                stamp=row.seen.modstamp,
                actor=row.seen.modified_by,
            )


def _keeps_its_address(bench: Bench, finding: Finding, record: SubjectRecord) -> bool:
    """Say whether addresses changed around a yes, but not the one that it was given for."""
    if finding.situation is not Situation.S21_CONTACT_POINT_CHANGED:
        return False
    permission, seen = record.permissions.get(finding.use), bench.cases[finding.contact_id].seen
    if permission is None or permission.point is None or seen is None:
        return False
    here = {name for each in (*seen.points, *seen.older) for name in (each.exact, each.hmac)}
    return (
        permission.point in here
        and class_of(record, finding.use, policy=bench.policy, at=bench.at) is LedgerClass.L2
    )


def _refused(bench: Bench, case: Case) -> Iterator[Finding]:
    """Name the writes that Salesforce did not take; one of the Contact itself is about the headline purpose."""
    if not case.refused:
        return
    headline = bench.policy.purposes[bench.policy.headline]
    shown = tuple(Use(purpose=headline.key, channel=each) for each in headline.channels)
    for write in case.refused:
        for use in (write.use,) if write.use is not None else shown:
            yield Finding(
                situation=Situation.S34_WRITE_REJECTED,
                contact_id=case.contact_id,
                use=use,
                stamp=case.seen.modstamp if case.seen is not None else None,
                observed={"write": (None, write.code)},
            )


def _of_rows(bench: Bench, case: Case, record: SubjectRecord) -> Iterator[Finding]:
    for row in case.rows:
        if is_untouched(row):
            continue
        for finding in row_situations(
            row,
            contact_id=case.contact_id,
            record=record,
            contact=case.seen if _is_at_home(bench, row) else None,
            alive=bench.alive,
            policy=bench.policy,
            at=bench.at,
        ):
            yield finding
            if finding.situation is Situation.S04_CRM_STOP:
                # Whose no it is nobody can say, so it counts for all of them.
                for other in _meant_by(bench, case, row):
                    yield replace(finding, contact_id=other)


def _meant_by(bench: Bench, case: Case, row: RowCase) -> Iterator[ContactId]:
    """Name the other Contacts that a no on a row may be about: the one that the row was made for, and those
    that took over from one that was merged away."""
    made_for = key_contact(key_of(row))
    meant = {case.contact_id, *(() if made_for not in bench.cases else (made_for,))}
    gone = [each for each in meant if each is not None and each not in bench.alive]
    meant.update(master for each in gone for master in taken_over_by(bench, each))
    yield from sorted(each for each in meant if each is not None and each != case.contact_id)


def _is_at_home(bench: Bench, row: RowCase) -> bool:
    """Say whether a row hangs on the Contact that it was made for, or on the one that took its place."""
    agreed = row.mirror.fields.contact_id if row.mirror is not None else None
    for home in (agreed, key_contact(key_of(row))):
        other = bench.cases.get(home) if home is not None else None
        if other is None or home == row.seen.fields.contact_id:
            continue
        merged = other.link is not None and other.link.state == MERGED_INTO
        gone = merged if other.seen is None else other.seen.master_id is not None
        if not gone:
            return False
    return True


def _together(one: Finding, other: Finding) -> Finding:
    """Judge several tellings of one thing by the one that says most, as of the last."""
    first, second = sorted((one, other), key=_weight)
    return replace(second, stamp=max(filter(None, (first.stamp, second.stamp)), default=None))


def _weight(finding: Finding) -> tuple[bool, bool, str]:
    return finding.objects, finding.evidence_ref is not None, finding.row_id or ""


def _shared(bench: Bench) -> tuple[Finding, ...]:
    part_all(bench)
    return duplicates(bench)


# What only shows while a dossier is judged, by the situation in whose turn it is looked for.
LATE: Mapping[Situation, Callable[[Bench], tuple[Finding, ...]]] = {
    Situation.S20_DUPLICATE_CONTACT_POINT: _shared,
    Situation.S27_EXPIRY_DUE: moments_due,
    Situation.S28_RENEWAL_WINDOW: windows_due,
}
