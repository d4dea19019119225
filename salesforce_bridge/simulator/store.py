"""The records of the org in memory, with their indexes and a journal to take a request back."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from salesforce_bridge.simulator.indexes import Position, StampOrder, ValueIndex
from salesforce_bridge.simulator.schema import Field, ObjectType

Stored: TypeAlias = str | bool | int | float
Row: TypeAlias = dict[str, Stored]
"""A record as kept: only what is set; date-times as text that sorts like time; never changed."""

STAMP = "SystemModstamp"


@dataclass(frozen=True, slots=True)
class Change:
    """What one write replaced, so that it can be taken back."""

    table: "Table"
    record_id: str
    before: Row | None


def index_key(field: Field, value: Stored) -> object:
    """The form under which equal values meet: Salesforce minds case only where told to."""
    if (
        isinstance(value, str)
        and not field.case_sensitive
        and field.type not in {"id", "reference"}
    ):
        return value.lower()
    return value


class Table:
    """The records of one object; a row is replaced, never edited, so copies are cheap."""

    def __init__(self, object_type: ObjectType, journal: list[Change]) -> None:
        self.type = object_type
        self.rows: dict[str, Row] = {}
        self._journal = journal
        self._stamps = StampOrder()
        self._values: dict[str, ValueIndex] = {}
        self._ids: list[str] = []

    @property
    def stamp_field(self) -> str:
        """The field that shows the order of change: histories have but the time of creation."""
        return STAMP if STAMP in self.type.fields else "CreatedDate"

    def get(self, record_id: str) -> Row | None:
        """The record, deleted or not."""
        return self.rows.get(record_id)

    def put(self, row: Row) -> None:
        """Store a new or changed record."""
        record_id = str(row["Id"])
        before = self.rows.get(record_id)
        self._journal.append(Change(self, record_id, before))
        self._place(record_id, before, row)

    def remove(self, record_id: str) -> None:
        """Let a record vanish for good."""
        before = self.rows.get(record_id)
        if before is not None:
            self._journal.append(Change(self, record_id, before))
            self._place(record_id, before, None)

    def take_back(self, record_id: str, before: Row | None) -> None:
        """Undo one write."""
        self._place(record_id, self.rows.get(record_id), before)

    def holders(self, field: Field, value: Stored) -> tuple[str, ...]:
        """Ids of the records, deleted ones too, that hold the value in an indexable field."""
        return self._index(field).get(index_key(field, value))

    def by_stamp(self, low: Position, high: str | None) -> Iterator[str]:
        """Ids in the order of change."""
        return self._stamps.since(low, high)

    def by_id(self, low: str, high: str | None) -> Iterator[str]:
        """Ids in their own order."""
        start = bisect_left(self._ids, low)
        end = len(self._ids) if high is None else bisect_right(self._ids, high)
        for at in range(start, end):
            if self._ids[at] in self.rows:
                yield self._ids[at]

    def copy(self) -> dict[str, Row]:
        """The records as they are now."""
        return dict(self.rows)

    def restore(self, rows: Mapping[str, Row]) -> None:
        """Make the records what a copy says, touching only what differs."""
        for record_id in [held for held in self.rows if held not in rows]:
            self._place(record_id, self.rows[record_id], None)
        for record_id, row in rows.items():
            before = self.rows.get(record_id)
            if before is not row:
                self._place(record_id, before, row)

    def change_type(self, object_type: ObjectType) -> None:
        """Take on a new schema; indexes are built anew when they are asked for."""
        self.type = object_type
        self._values.clear()

    def _index(self, field: Field) -> ValueIndex:
        index = self._values.get(field.name)
        if index is None:
            self._values[field.name] = index = ValueIndex()
            for record_id, row in self.rows.items():
                value = row.get(field.name)
                if value is not None:
                    index.add(index_key(field, value), record_id)
        return index

    def _place(self, record_id: str, before: Row | None, after: Row | None) -> None:
        if before is not None:
            self._stamps.discard(str(before[STAMP]), record_id)
        if after is None:
            self.rows.pop(record_id, None)
        else:
            self._note_id(record_id)
            self.rows[record_id] = after
            self._stamps.add(str(after[STAMP]), record_id)
        for name, index in self._values.items():
            self._reindex(self.type.fields[name], index, before, after)

    def _note_id(self, record_id: str) -> None:
        if not self._ids or record_id > self._ids[-1]:
            self._ids.append(record_id)
        elif record_id not in self.rows:
            at = bisect_left(self._ids, record_id)
            if self._ids[at] != record_id:
                self._ids.insert(at, record_id)

    @staticmethod
    def _reindex(field: Field, index: ValueIndex, before: Row | None, after: Row | None) -> None:
        old = None if before is None else before.get(field.name)
        new = None if after is None else after.get(field.name)
        if old == new:
            return
        record_id = str((after or before or {})["Id"])
        if old is not None:
            index.discard(index_key(field, old), record_id)
        if new is not None:
            index.add(index_key(field, new), record_id)


class Store:
    """All tables, and the journal of the request under way."""

    def __init__(self, objects: Iterable[ObjectType]) -> None:
        self._journal: list[Change] = []
        self.tables = {found.name: Table(found, self._journal) for found in objects}

    def table(self, name: str) -> Table:
        """The records of an object."""
        return self.tables[name]

    def change_types(self, objects: Mapping[str, ObjectType]) -> None:
        """Give every table its object of a newly deployed schema, and new objects a table."""
        for name, found in objects.items():
            if name in self.tables:
                self.tables[name].change_type(found)
            else:
                self.tables[name] = Table(found, self._journal)

    def savepoint(self) -> int:
        """A mark to which a failed unit of work can be taken back."""
        return len(self._journal)

    def roll_back(self, savepoint: int) -> None:
        """Undo everything since the mark, newest first."""
        while len(self._journal) > savepoint:
            change = self._journal.pop()
            change.table.take_back(change.record_id, change.before)

    def commit(self) -> None:
        """Forget how to undo: the request is over."""
        self._journal.clear()

    def copy(self) -> dict[str, dict[str, Row]]:
        """All records as they are now."""
        return {name: table.copy() for name, table in self.tables.items()}

    def restore(self, copied: Mapping[str, Mapping[str, Row]]) -> None:
        """Make the org what a copy says."""
        for name, table in self.tables.items():
            table.restore(copied.get(name, {}))
        self._journal.clear()
