"""Dossiers: what was read and what is remembered, laid side by side and sorted into groups of people."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from dataclasses import fields as fields_of
from typing import Any, TypeVar, cast

from salesforce_bridge.permissions.contact_points import ContactPoint
from salesforce_bridge.permissions.keys import ContactId, RowId, SubjectId
from salesforce_bridge.permissions.suppressions import Suppression
from salesforce_bridge.reconcile.facts import (
    Case,
    ContactFields,
    ContactSnapshot,
    Dossier,
    Link,
    RefusedWrite,
    RowCase,
    RowFields,
    RowSnapshot,
    SubjectRecord,
)
from salesforce_bridge.reconcile.intent import Target, Value, Verb, Write
from salesforce_bridge.reconcile.row_edits import key_contact

_ROW_FIELDS = frozenset(each.name for each in fields_of(RowFields))
_CONTACT_FIELDS = frozenset(each.name for each in fields_of(ContactFields))
Fact = TypeVar("Fact", RowSnapshot, RowFields, ContactSnapshot, ContactFields)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """All that is known about some Contacts at one moment, from both sides and the mirror."""

    asked_for: frozenset[ContactId]  # who was asked for now; absent from `contacts`: not found
    contacts: Mapping[ContactId, ContactSnapshot]  # read now
    rows: Mapping[RowId, RowSnapshot]  # read now
    contact_mirrors: Mapping[ContactId, ContactSnapshot]
    row_mirrors: Mapping[RowId, RowSnapshot]
    row_owners: Mapping[RowId, ContactId]  # of mirrors, as remembered
    links: Mapping[ContactId, Link]
    records: Mapping[SubjectId, SubjectRecord]
    pending: tuple[Write, ...] = ()  # of unknown outcome
    refused: Mapping[ContactId, tuple[RefusedWrite, ...]] = field(default_factory=dict)
    suppressions: tuple[Suppression, ...] = ()  # that match an address of somebody in sight


def assemble(sight: Sight) -> tuple[Dossier, ...]:
    """Build a case for every Contact in sight and put people who share anything into one dossier."""
    rows = _rows_by_owner(sight)
    contact_ids = sorted({*sight.asked_for, *sight.contacts, *sight.contact_mirrors, *rows})
    cases = tuple(_case(sight, contact_id, rows.get(contact_id, ())) for contact_id in contact_ids)
    people = tuple(sight.records[key] for key in sorted(sight.records))
    return _grouped(cases, people, sight.suppressions)


def owner_of(row: RowSnapshot, remembered: ContactId | None = None) -> ContactId | None:
    """Say whose row this is: the Contact it names, else the one it was made for, else the one remembered."""
    return row.fields.contact_id or key_contact(row.fields.ledger_key) or remembered


def addresses_of(case: Case) -> Iterator[ContactPoint]:
    """List the addresses of a Contact; of one that is gone also those it had when both sides agreed."""
    seen = case.seen
    sides = (seen, case.mirror) if seen is None or seen.deleted else (seen,)
    for side in sides:
        if side is not None:
            yield from side.points
            yield from side.older


def orphans(sight: Sight) -> tuple[RowSnapshot, ...]:
    """Rows that were read and belong to no Contact anybody can name."""
    return tuple(
        row
        for row_id, row in sorted(sight.rows.items())
        if owner_of(row, sight.row_owners.get(row_id)) is None
    )


def _rows_by_owner(sight: Sight) -> Mapping[ContactId, tuple[RowCase, ...]]:
    asked = _asked_of_rows(sight)
    found: dict[ContactId, list[RowCase]] = defaultdict(list)
    for row_id in sorted({*sight.rows, *sight.row_mirrors}):
        mirror = sight.row_mirrors.get(row_id)
        seen = sight.rows[row_id] if row_id in sight.rows else sight.row_mirrors[row_id]
        owner = owner_of(seen, sight.row_owners.get(row_id))
        if owner is not None:
            key = seen.fields.ledger_key
            maybe = (*asked.get(row_id, ()), *(asked.get(key, ()) if key is not None else ()))
            found[owner].append(RowCase(seen=seen, mirror=mirror, asked=maybe))
    return {owner: tuple(rows) for owner, rows in found.items()}


def _case(sight: Sight, contact_id: ContactId, rows: tuple[RowCase, ...]) -> Case:
    mirror = sight.contact_mirrors.get(contact_id)
    asked_for = contact_id in sight.asked_for
    seen = sight.contacts.get(contact_id) if asked_for else mirror
    read_rows = any(row.seen.row_id in sight.rows for row in rows)
    return Case(
        contact_id=contact_id,
        read=asked_for or read_rows,
        seen=seen,
        mirror=mirror,
        link=sight.links.get(contact_id),
        rows=rows,
        refused=sight.refused.get(contact_id, ()),
        asked=tuple(
            _as_if_written(mirror, write)
            for write in sight.pending
            if write.target is Target.CONTACT
            and write.record_id == contact_id
            and mirror is not None
        ),
    )


def _asked_of_rows(sight: Sight) -> Mapping[str, tuple[RowSnapshot, ...]]:
    """Row states that a write of unknown outcome would have made, by row id and by ledger key."""
    asked: dict[str, list[RowSnapshot]] = defaultdict(list)
    writes = tuple(write for write in sight.pending if write.target is Target.ROW)
    by_name: Mapping[str, RowSnapshot] = (
        {
            name: row
            for row in sight.rows.values()
            for name in (row.row_id, row.fields.ledger_key or "")
        }
        if writes
        else {}
    )
    for write in writes:
        name = write.record_id or write.ledger_key or ""
        mirror = sight.row_mirrors.get(RowId(name))
        if mirror is not None:
            asked[name].append(_row_as_if_written(mirror, write))
        elif name in by_name:
            asked[name].append(_row_as_if_written(_blank(by_name[name], write), write))
    return {name: tuple(states) for name, states in asked.items()}


def _blank(row: RowSnapshot, write: Write) -> RowSnapshot:
    return replace(
        row,
        fields=RowFields(ledger_key=write.ledger_key),
        request=None,
        request_note=None,
        request_evidence=None,
        request_handled=None,
    )


def _row_as_if_written(row: RowSnapshot, write: Write) -> RowSnapshot:
    inner, outer = _split(write, _ROW_FIELDS)
    deleted = row.deleted or write.verb is Verb.DELETE
    return _changed(replace(row, deleted=deleted, fields=_changed(row.fields, inner)), outer)


def _as_if_written(contact: ContactSnapshot, write: Write) -> ContactSnapshot:
    inner, outer = _split(write, _CONTACT_FIELDS)
    fields = _changed(contact.fields, inner)
    return _changed(replace(contact, fields=fields), outer)


def _split(write: Write, names: frozenset[str]) -> tuple[Mapping[str, Value], Mapping[str, Value]]:
    inner = {name: value for name, value in write.fields.items() if name in names}
    return inner, {name: value for name, value in write.fields.items() if name not in names}


def _changed(fact: Fact, changes: Mapping[str, Value]) -> Fact:
    return replace(fact, **cast("dict[str, Any]", changes))


def _grouped(
    cases: tuple[Case, ...],
    records: tuple[SubjectRecord, ...],
    suppressions: tuple[Suppression, ...],
) -> tuple[Dossier, ...]:
    """Sort cases and people into groups that share a person, an address, a merge or a row."""
    groups = _Groups()
    for record in records:
        person = f"subject:{record.subject_id}"
        groups.join(person, *(f"point:{held.point.hmac}" for held in record.points))
        groups.join(person, *(f"contact:{link.contact_id}" for link in record.links))
        # Who is no longer merged takes along what the other was told meanwhile.
        masters = (link.merged_into for link in record.links if link.merged_into is not None)
        groups.join(person, *(f"contact:{master}" for master in masters))
    for case in cases:
        here = f"contact:{case.contact_id}"
        groups.join(here, *_ties(case))
    contents: dict[str, tuple[list[SubjectRecord], list[Case]]] = defaultdict(lambda: ([], []))
    for record in records:
        contents[groups.find(f"subject:{record.subject_id}")][0].append(record)
    for case in cases:
        contents[groups.find(f"contact:{case.contact_id}")][1].append(case)
    silenced: dict[str, list[Suppression]] = defaultdict(list)
    for suppression in suppressions:
        silenced[groups.find(f"point:{suppression.hmac}")].append(suppression)
    return tuple(
        Dossier(
            subjects=tuple(people),
            cases=tuple(of_them),
            suppressions=tuple(silenced[name]) if name in silenced else (),
        )
        for name, (people, of_them) in contents.items()
    )


def _ties(case: Case) -> Iterator[str]:
    seen = case.seen
    if case.link is not None:
        yield f"subject:{case.link.subject_id}"
    yield from (f"point:{point.hmac}" for point in addresses_of(case))
    if seen is not None and seen.master_id is not None:
        yield f"contact:{seen.master_id}"
    for row in case.rows:
        for side in (row.seen, row.mirror or row.seen):
            made_for, hung_on = key_contact(side.fields.ledger_key), side.fields.contact_id
            yield from (f"contact:{each}" for each in (made_for, hung_on) if each is not None)


class _Groups:
    """Union-find over names."""

    def __init__(self) -> None:
        self._above: dict[str, str] = {}

    def find(self, name: str) -> str:
        """Give the name that stands for a group."""
        above = self._above.setdefault(name, name)
        while above != self._above[above]:
            self._above[above] = self._above[self._above[above]]
            above = self._above[above]
        self._above[name] = above
        return above

    def join(self, name: str, *others: str) -> None:
        """Put names into one group."""
        for other in others:
            self._above[self.find(other)] = self.find(name)
