"""What must hold after a cycle, whatever came before it; each law by the name under which it is reported."""

import json
from collections.abc import Iterator, Mapping
from datetime import timedelta
from functools import cache
from typing import Any

from salesforce_bridge.cycle import CycleReport
from salesforce_bridge.ledger import views
from salesforce_bridge.permissions.bundle import Category
from salesforce_bridge.permissions.gates import Verdict, may_use
from salesforce_bridge.permissions.keys import Channel, ContactId, PurposeKey
from salesforce_bridge.permissions.keys import Use as LedgerUse
from salesforce_bridge.reconcile.facts import ContactSnapshot, Link, SubjectRecord
from tests.histories.bundles import MARKETING, NEWS, STATUTORY
from tests.histories.meeting import met
from tests.histories.oracle import Sighted
from tests.histories.stage import Shown, Stage
from tests.support.orgs import ROOT

QUIET = 3.0  # seconds
# What a cycle may say that has nothing to do: nothing, or once more what waits for a person.
NOTHING_NEW = frozenset(
    {
        *("NOOP_IN_SYNC", "NOOP_OWN_ECHO", "NOOP_DELETED_UNLINKED"),
        "STOP_NEVER_EXPIRES",
        *("ERASED_RECORD_STILL_PRESENT", "PERM_ORPHAN_REPORTED", "SUBJECT_UNLINKED_REPORTED"),
    }
)
# Decided beside the table, each always for the same reason.
BESIDE = {
    "PORTABILITY_ASKED": "RIGHTS_CASE_OPENED_PORTABILITY",
    "CLAIM_TIMED_OUT": "QUARANTINE_TIMED_OUT",
    "CASE_DUE_SOON": "RIGHTS_CASE_DUE_SOON",
    "CASE_OVERDUE": "RIGHTS_CASE_OVERDUE",
}
# What the gates call a no of the person.
_NO = frozenset(
    {
        *("DENY_STOPPED", "DENY_MARKETING_OBJECTION", "DENY_CHANNEL_OPT_OUT"),
        *("DENY_SUBJECT_STOP_ALL", "DENY_SUPPRESSED_MARKETING", "DENY_SUPPRESSED_ALL"),
        "DENY_SUBJECT_ERASED",
    }
)
# A stop that was refused falls back to the standard flag until it is taken (2.6); only the cycle after the
# one that saw it taken knows that, and may clear the flag again.
_ESCALATED = frozenset({"WRITE_FAILED_STOP_ESCALATED"})
OK, PARTLY, DO_NOT = "OK", "Partly: see channels", "Do not"


class Broken(AssertionError):
    """A law does not hold."""

    def __init__(self, law: str, what: str) -> None:
        super().__init__(f"[{law}] {what}")
        self.law = law
        self.what = what


@cache
def _expected(name: str) -> Mapping[str, Any]:
    read: Mapping[str, Any] = json.loads((ROOT / "tests" / "expected" / name).read_text("utf-8"))
    return read


def look(stage: Stage, *, paused: bool = False, troubled: bool = False) -> CycleReport:
    """Run a cycle, tell the oracle what it could see, and check everything that must hold now."""
    stage.calm, stage.oracle.unsure = False, True
    contacts, rows = stage.contacts(), stage.rows(all_rows=True)
    lights, leads, pending = stage.shown_on_contacts(), stage.leads(), tuple(stage.pending)
    for contact_id in contacts:
        stage.name(contact_id)
    report = stage.cycle(paused=paused)
    # Only now: of a cycle that broke off nobody can say what it has seen.
    stage.oracle.unsure = False
    stage.oracle.goes_on(NEWS, "EMAIL")
    stage.oracle.sees_who_is_who(contacts)
    met(stage, pending, contacts, rows, lights, leads)
    stage.oracle.looks(contacts, stage.law)
    decisions_are_by_the_table(stage)
    sight = Sight.of(stage)
    stops_are_in_the_ledger(stage, sight)
    if troubled or _is_waiting(stage):
        return report
    if not report.errors:
        stops_are_shown(stage, sight, clean=report.clean)
        sight = sight.without(_held_back(stage))
        nothing_is_shown_without_proof(stage, sight)
        nothing_is_shown_that_may_not_be_used(stage, sight)
    if report.clean and not _ESCALATED & report.decisions.keys():
        stays_calm(stage, stage.revision(), what="a clean cycle", law="quiet")
        the_ledger_is_sound(stage)
        stage.calm = True
    return report


class Sight:
    """Both sides, as they are now."""

    def __init__(
        self,
        contacts: Mapping[str, Sighted],
        lights: Mapping[str, tuple[str | None, str]],
        rows: tuple[Shown, ...],
        links: Mapping[str, Link],
        people: Mapping[str, SubjectRecord],
        mirrors: Mapping[str, ContactSnapshot],
    ) -> None:
        self.contacts = contacts
        self.lights = lights
        self.rows = rows
        self.links = links
        self.people = people
        self.mirrors = mirrors

    @classmethod
    def of(cls, stage: Stage) -> "Sight":
        """Look at both sides."""
        contacts = {key: each for key, each in stage.contacts().items() if not each.deleted}
        ids = {ContactId(each) for each in contacts}
        org_id = stage.world.org_id
        with stage.ledger.reading() as tx:
            links = tx.links_of(org_id, ids)
            people = tx.subjects({link.subject_id for link in links.values()})
            mirrors = tx.contact_mirrors(org_id, ids)
        return cls(
            contacts,
            stage.shown_on_contacts(),
            stage.rows(),
            {str(each): link for each, link in links.items()},
            {str(each): people[link.subject_id] for each, link in links.items()},
            {str(each): mirror for each, mirror in mirrors.items()},
        )

    def without(self, contact_ids: frozenset[str]) -> "Sight":
        """The same, but for some Contacts, and for their rows wherever those hang."""
        kept = {key: each for key, each in self.contacts.items() if key not in contact_ids}
        lights = {key: each for key, each in self.lights.items() if key not in contact_ids}
        rows = tuple(each for each in self.rows if each.owner not in contact_ids)
        return Sight(kept, lights, rows, self.links, self.people, self.mirrors)

    def rows_of(self, contact_id: str) -> Iterator[Shown]:
        """The rows that show a Contact's permissions."""
        return (each for each in self.rows if each.contact_id == contact_id)


def stops_are_in_the_ledger(stage: Stage, sight: Sight) -> None:
    """Every no that was ever told and not lifted by the person denies marketing, in the ledger."""
    for contact_id, seen in sight.contacts.items():
        for use in stage.law.uses:
            no = stage.oracle.stopped(contact_id, use, stage.law)
            if no is None:
                continue
            answer = _may_use(stage, sight, contact_id, use)
            if answer is None:
                raise Broken("stop", f"the ledger does not know Contact {stage.name(seen.id)}")
            if _NO.isdisjoint(answer[1]):
                raise Broken(
                    "stop",
                    f"{_what(stage, contact_id, use)} is not stopped in the ledger, although"
                    f" {no.words} ({no.told_at:%-d %b %Y %H:%M}); its gates: {answer[1]}",
                )


def stops_are_shown(stage: Stage, sight: Sight, *, clean: bool) -> None:
    """Every no that was ever told and not lifted by the person shows in Salesforce, whatever is halted."""
    for contact_id in sight.contacts:
        over = {
            use: no
            for use in stage.law.uses
            if (no := stage.oracle.stopped(contact_id, use, stage.law)) is not None
        }
        for row in sight.rows_of(contact_id):
            no = over.get(row.use)
            # One that is doubled has no answer of its own, and must not give another one.
            doubled = row.owner != contact_id or row.key is None
            shown = (
                row.status == "Permitted" or row.may_contact == OK
                if doubled
                else ((row.status, row.may_contact) != ("Stopped", DO_NOT))
            )
            if no is not None and shown and (clean or not doubled):
                raise Broken(
                    "shown stop",
                    f"{_what(stage, contact_id, row.use)} shows {row.status} and"
                    f' "{row.may_contact}", although {no.words}',
                )
        status, light = sight.lights[contact_id]
        news = [use for use in stage.law.uses if use[0] == NEWS]
        if all(use in over for use in news) and (status, light) != ("Stopped", DO_NOT):
            raise Broken(
                "shown stop",
                f'Contact {stage.name(contact_id)} shows {status} and "{light}", although every'
                " channel is stopped",
            )
        if light == OK and any(use in over for use in news):
            raise Broken(
                "shown stop",
                f"Contact {stage.name(contact_id)} shows OK, although a channel is stopped",
            )


def nothing_is_shown_without_proof(stage: Stage, sight: Sight) -> None:
    """Nothing is permitted that was never proven for this person and this address."""
    at = stage.now()
    for row in _permitted(sight):
        seen = sight.contacts[row.contact_id or ""]
        if not stage.oracle.proven(seen, row.use, at):
            what = _what(stage, seen.id, row.use)
            raise Broken("proof", f"{what} shows Permitted, and nobody ever proved it")
        restricted = stage.oracle.restricted.get(seen.id)
        if restricted and row.use[0] != STATUTORY:
            what = _what(stage, seen.id, row.use)
            raise Broken("restriction", f"{what} shows Permitted, although it is restricted")


def nothing_is_shown_that_may_not_be_used(stage: Stage, sight: Sight) -> None:
    """What Salesforce shows is never more permissive than the gates."""
    for row in _permitted(sight):
        assert row.contact_id is not None
        answer = _may_use(stage, sight, row.contact_id, row.use)
        if answer is None or answer[0] is not Verdict.ALLOW:
            what = _what(stage, row.contact_id, row.use)
            raise Broken("gates", f"{what} shows Permitted, and the gates say {answer}")
    for contact_id, (status, light) in sight.lights.items():
        if light not in (OK, PARTLY) and status not in ("Permitted", "Partly permitted"):
            continue
        allowed = [
            answer is not None and answer[0] is Verdict.ALLOW
            for use in stage.law.uses
            if use[0] == NEWS
            for answer in (_may_use(stage, sight, contact_id, use),)
        ]
        enough = all(allowed) if light == OK or status == "Permitted" else any(allowed)
        if not enough:
            raise Broken(
                "gates",
                f'Contact {stage.name(contact_id)} shows {status} and "{light}", and the gates'
                f" allow {sum(allowed)} of {len(allowed)} channels",
            )


def stays_calm(stage: Stage, before: int, *, what: str, law: str) -> None:
    """A second cycle and a third write nothing, append nothing, and have nothing new to say."""
    for turn in ("second", "third"):
        report = stage.cycle(after=QUIET)
        decisions_are_by_the_table(stage)
        writes = {name: number for name, number in report.writes.items() if number}
        news = {name for name, number in report.decisions.items() if number} - NOTHING_NEW
        if writes or stage.revision() != before or news or not report.clean:
            raise Broken(
                " ".join((law, *(("writes",) if writes else ()), *sorted(news)[:1])),
                f"after {what} a {turn} cycle writes {writes}, appends"
                f" {stage.revision() - before} events, decides {sorted(news)} and is"
                f" {'clean' if report.clean else 'not clean'} ({report.halted})",
            )


def the_ledger_is_sound(stage: Stage) -> None:
    """Folding all events again gives what is stored, and the audit holds."""
    with stage.ledger.reading() as tx:
        differing = views.refold(tx, policy=stage.policy)
        inspection = views.verify(tx)
    if differing:
        names = sorted(
            stage.name(each)
            for each, record in stage.records().items()
            if record.subject_id in differing
        )
        raise Broken("refold", f"folding again gives something else for {names or differing}")
    if not inspection.intact:
        raise Broken("audit", f"the audit does not hold: {inspection}")


def decisions_are_by_the_table(stage: Stage) -> None:
    """Every decision has the reason of its cell, and every record read has a decision."""
    table, reasons = _expected("decisions.json"), _expected("reasons.json")
    judged: dict[int, set[str]] = {}
    with stage.ledger.reading() as tx:
        entries = tuple(views.stored_entries(tx, after=stage.sealed))
    for entry in entries:
        stage.sealed = entry.seq
        said = json.loads(entry.header)
        if entry.kind == "DECISION":
            _is_by_the_table(said, table, reasons)
            stage.codes[said["reason"]] = stage.codes.get(said["reason"], 0) + 1
            for note in said["notes"]:
                stage.codes[note] = stage.codes.get(note, 0) + 1
            if said["record_read"]:
                judged.setdefault(said["cycle_id"], set()).add(said["link_ref"])
        elif entry.kind == "MANIFEST":
            read, found = said["records_read"], len(judged.get(said["cycle_id"], ()))
            if read != found:
                raise Broken("complete", f"{read} records were read, {found} have a decision")
        elif entry.kind == "DEED":
            stage.codes[said["reason"]] = stage.codes.get(said["reason"], 0) + 1


def _is_by_the_table(
    said: Mapping[str, Any], table: Mapping[str, Any], reasons: Mapping[str, Any]
) -> None:
    situation, reason = said["situation"], said["reason"]
    beside = BESIDE.get(situation)
    wanted = beside or table[situation][said["ledger_class"]]
    if reason != wanted:
        raise Broken(
            "table",
            f"{situation} in {said['ledger_class']} was decided as {reason}, not as {wanted}",
        )
    known = reasons.get(reason)
    if beside is None and known is None:
        raise Broken("table", f"{reason} is not in the catalogue")
    if known is not None and (said["effect"], said["severity"]) != (
        known["effect"],
        known["severity"],
    ):
        raise Broken("table", f"{reason} has effect {said['effect']}, {said['severity']}")


def _is_waiting(stage: Stage) -> bool:
    """Whether a write still waits to be tried again, because of trouble before."""
    with stage.ledger.reading() as tx:
        open_writes = tx.unwritten_stops(stage.world.org_id).number
        overdue = tx.overdue_since(stage.world.org_id)
        retried = tx.retry_due(stage.world.org_id, at=stage.now() + timedelta(days=1))
    return bool(open_writes or overdue or retried)


def _held_back(stage: Stage) -> frozenset[str]:
    """What people wrote over is put right only when more than stops may be written again: while it is a mass
    change, or paused, there are "no widening or reverting writes" (2.6)."""
    with stage.ledger.reading() as tx:
        if tx.circuit_open(stage.world.org_id) is not None:
            return frozenset(stage.names)  # what is parked is not even judged
        return frozenset(map(str, tx.held_back(stage.world.org_id)))


def _permitted(sight: Sight) -> Iterator[Shown]:
    for row in sight.rows:
        if row.contact_id in sight.contacts and (
            row.status == "Permitted" or row.may_contact == OK
        ):
            yield row


def _may_use(
    stage: Stage, sight: Sight, contact_id: str, use: tuple[str, str]
) -> tuple[Verdict, tuple[str, ...]] | None:
    record, mirror = sight.people.get(contact_id), sight.mirrors.get(contact_id)
    if record is None:
        return None
    if (
        mirror is None
    ):  # met in a mass change, so what it shows has yet to be judged: its person is known
        points = tuple(each.point for each in record.points if not each.retired)
    else:
        points = (*mirror.points, *mirror.older)
    purpose = stage.policy.purposes.get(PurposeKey(use[0]))
    category = Category.MARKETING if purpose is None else purpose.category
    answer = may_use(
        record,
        LedgerUse(purpose=PurposeKey(use[0]), channel=Channel(use[1])),
        policy=stage.policy,
        at=stage.now(),
        category=Category.MARKETING if use[0] in MARKETING else category,
        link_state=sight.links[contact_id].state,
        points=points,
    )
    return answer.verdict, tuple(each.reason for each in answer.failed)


def _what(stage: Stage, contact_id: str, use: tuple[str, str]) -> str:
    return f"{use[0]}/{use[1]} of Contact {stage.name(contact_id)}"
