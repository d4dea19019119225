"""How the demo tells what a cycle did: what the bridge saw, decided, wrote and sealed, read from the audit."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from salesforce_bridge.cycle import CycleReport
from salesforce_bridge.ledger.views import SealedEntry
from salesforce_bridge.permissions.keys import ContactId
from salesforce_bridge.reconcile.intent import Target, Verb
from salesforce_bridge.salesforce.fields import ROW_NOTES, WRITABLE

WIDTH = 110
NOTHING = "-"
UNREMARKABLE = frozenset({"NOOP_OWN_ECHO", "NOOP_IN_SYNC"})
# These travel with every write, or only say again which row it is.
_UNSPOKEN = frozenset(
    {"decision", "ledger_revision", "ledger_digest", "reconciled_at"}
    | {"contact_id", "purpose", "channel", "marketing", "ledger_key"}
)
_API_NAMES = {
    **{name: field.api for fields in WRITABLE.values() for name, field in fields.items()},
    **{field.name: field.api for field in ROW_NOTES},
    "deleted": "IsDeleted",
    "master_id": "MasterRecordId",
    "points": "addresses and numbers",
    "jurisdiction": "country",
    "opted_out_solicit": "Individual.HasOptedOutSolicit",
}
_WITHOUT_FIELDS = {
    "S03_LEDGER_AHEAD": "the ledger knows more than Salesforce shows",
    "S14_INDIVIDUAL_RIGHTS_FLAG": "what the Individual says",
    "S15_CONTACT_NEW": "a Contact that was never seen before",
    "S16_CONTACT_DELETED": "IsDeleted: no → yes",
    "S19_CONTACT_MERGED": "merged into another Contact",
    "S20_DUPLICATE_CONTACT_POINT": "the same address or number on another Contact",
    "S22_PERM_DELETED": "IsDeleted: no → yes",
    "S23_PERM_UNDELETED_OR_DOUBLED": "two rows for one purpose and channel",
    "S26_MASS_CHANGE": "many edits at once",
    "S27_EXPIRY_DUE": "Effective_To__c has passed",
    "S28_RENEWAL_WINDOW": "the time to renew it has come",
}
_MOMENT = re.compile(r"(\d{4}-\d{2}-\d{2})T(\d{2}:\d{2}):[\d.]+(?:Z|\+00:?00)")
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What one cycle said about itself, and what it sealed, in the order of the chain."""

    report: CycleReport
    entries: tuple[SealedEntry, ...]

    def decisions_on(self, contact_id: ContactId) -> tuple[SealedEntry, ...]:
        """What was decided about a Contact, but for the unremarkable."""
        return tuple(
            each
            for each in self._of_kind("DECISION", contact_id)
            if each.header["reason"] not in UNREMARKABLE
        )

    def outcomes_on(self, contact_id: ContactId) -> tuple[SealedEntry, ...]:
        """What became of the writes to a Contact and its rows."""
        return self._of_kind("OUTCOME", contact_id)

    def channel_of(self, outcome: SealedEntry) -> str | None:
        """Which channel a written row is about, by the decision behind it."""
        key = ((outcome.payload or {}).get("ledger_key") or "").rpartition(":")[2]
        causes = (
            each.header["channel"]
            for each in self.entries
            if each.kind == "DECISION" and each.ref == outcome.header["decision_id"]
        )
        return key or next(causes, None)

    def _of_kind(self, kind: str, contact_id: ContactId) -> tuple[SealedEntry, ...]:
        return tuple(
            each
            for each in self.entries
            if each.kind == kind and (each.payload or {}).get("contact_id") == contact_id
        )


def label(contact_id: str) -> str:
    """Name a Contact without saying who it is."""
    return f"Contact …{contact_id[11:15]}"


def a_console() -> Console:
    """A console that is never wider than a page, also in a pipe."""
    found = Console(highlight=False)
    width = min(found.width, WIDTH) if found.is_terminal else WIDTH
    return Console(highlight=False, width=width)


def tell_cycle(console: Console, told: Told, contacts: Sequence[ContactId]) -> None:
    """Tell what a cycle saw, decided, wrote and sealed about some Contacts."""
    table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for contact_id in contacts:
        name = label(contact_id)
        for verb, line in _lines(told, contact_id):
            table.add_row(Text(name), Text(verb), Text(line))
            name = ""
    console.print()
    console.print(table)
    report = told.report
    decided = sum(report.decisions.values())
    written = _counted(report.writes) or "nothing written"
    console.print(
        f"Cycle {report.cycle_id}: {_number(decided, 'decision')}, {written},"
        f" {_number(report.calls, 'API call')},"
        f" audit entries {told.entries[0].seq}-{told.entries[-1].seq}."
    )


def tell_rows(
    console: Console, columns: Sequence[str], rows: Iterable[Sequence[object]], *, title: str = ""
) -> None:
    """Tell a table of values."""
    table = Table(
        title=title or None,
        title_justify="left",
        box=None,
        pad_edge=False,
        show_header=any(columns),
    )
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(Text(shown(cell)) for cell in row))
    console.print()
    console.print(table)


def shown(value: object) -> str:
    """Write a value of either side the way a page would show it."""
    match value:
        case None:
            return NOTHING
        case bool():
            return "yes" if value else "no"
        case _:
            text = _MOMENT.sub(r"\1 \2", str(value))
            return "(text)" if _DIGEST.fullmatch(text) else text


def _lines(told: Told, contact_id: ContactId) -> Iterator[tuple[str, str]]:
    decisions, outcomes = told.decisions_on(contact_id), told.outcomes_on(contact_id)
    by_reason: dict[tuple[str, str], list[SealedEntry]] = {}
    for each in decisions:
        by_reason.setdefault((each.header["reason"], _seen(each)), []).append(each)
    for (reason, seen), group in by_reason.items():
        uses = {f"{each.header['purpose']}/{each.header['channel']}" for each in group}
        about = next(iter(uses)) if len(uses) == 1 else f"{len(uses)} uses"
        yield "saw", f"{about}: {seen}"
        yield "decided", f"{reason}: {(group[0].payload or {}).get('explanation')}{_moved(group)}"
    wrote: dict[str, list[str]] = {}
    for each in sorted(outcomes, key=lambda each: (each.header["target"], each.seq)):
        record, change = _written(told, each)
        wrote.setdefault(change, []).append(record)
    for change, records in wrote.items():
        yield "wrote", f"{', '.join(dict.fromkeys(records))}: {change}"
    if decisions:
        sealed = [_numbers("decision", decisions)]
        sealed += [_numbers("outcome", outcomes)] if outcomes else []
        yield "sealed", "; ".join(sealed)


def _moved(decisions: Sequence[SealedEntry]) -> str:
    """How the ledger's answer moved, where it is the same move for all."""
    moves = {(each.header["status_before"], each.header["status_after"]) for each in decisions}
    before, after = next(iter(moves))
    return f" ({before} → {after})" if len(moves) == 1 and before != after else ""


def _seen(decision: SealedEntry) -> str:
    observed: Mapping[str, Sequence[Any]] = (decision.payload or {}).get("observed") or {}
    told = (
        f"{_API_NAMES.get(name, name)}: {shown(before)} → {shown(after)}"
        for name, (before, after) in observed.items()
        if name != "request_note"  # only its fingerprint is known, which tells nobody anything
    )
    situation = decision.header["situation"]
    return ", ".join(told) or _WITHOUT_FIELDS.get(situation, situation)


def _written(told: Told, outcome: SealedEntry) -> tuple[str, str]:
    """Name the record and the change; what is the same on several rows is told once."""
    header, payload = outcome.header, outcome.payload or {}
    if header["target"] == Target.ROW:
        record = f"Permission__c/{told.channel_of(outcome) or 'another row'}"
    else:
        record = header["target"]
    fields = {name: value for name, value in payload["fields"].items() if name not in _UNSPOKEN}
    parts = [
        f"{_API_NAMES.get(name, name)} = {shown(value)}"
        for name, value in fields.items()
        if value is not None
    ]
    emptied = [_API_NAMES.get(name, name) for name, value in fields.items() if value is None]
    if emptied:
        parts.append(f"emptied {', '.join(emptied)}")
    change = "deleted" if header["verb"] == Verb.DELETE else ", ".join(parts) or "its marks"
    result = "" if header["result"] == "accepted" else f" → {header['result']}"
    return record, f"{change}{result}"


def _numbers(noun: str, entries: Sequence[SealedEntry]) -> str:
    numbers = [each.seq for each in entries]
    if len(numbers) == 1:
        return f"{noun} {numbers[0]}"
    if numbers[-1] - numbers[0] == len(numbers) - 1:
        return f"{noun}s {numbers[0]}-{numbers[-1]}"
    return f"{noun}s {', '.join(map(str, numbers))}"


def _counted(writes: Mapping[str, int]) -> str:
    return ", ".join(
        f"{_number(number, 'write')} {result}" for result, number in sorted(writes.items())
    )


def _number(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
