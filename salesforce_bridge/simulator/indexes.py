"""Orders kept beside the records, so that a page of a million rows costs the page."""

from bisect import bisect_left, insort
from collections.abc import Iterator

Position = tuple[str, str]
"""A stamp and an id: where a reader stands in the order of change."""


class StampOrder:
    """Ids by stamp, then by id, in buckets of equal stamps that are sorted only when read."""

    def __init__(self) -> None:
        self._stamps: list[str] = []
        self._members: dict[str, set[str]] = {}
        self._sorted: dict[str, list[str]] = {}

    def add(self, stamp: str, record_id: str) -> None:
        """Place a record under its stamp."""
        members = self._members.get(stamp)
        if members is None:
            self._members[stamp] = {record_id}
            if self._stamps and stamp < self._stamps[-1]:
                insort(self._stamps, stamp)
            else:
                self._stamps.append(stamp)
            return
        members.add(record_id)
        self._sorted.pop(stamp, None)

    def discard(self, stamp: str, record_id: str) -> None:
        """Take a record from its old stamp; the sorted copy may keep it and is read with care."""
        members = self._members[stamp]
        members.discard(record_id)
        if not members:
            del self._members[stamp]
            self._sorted.pop(stamp, None)
            del self._stamps[bisect_left(self._stamps, stamp)]

    def since(self, low: Position, high: str | None) -> Iterator[str]:
        """Ids from a position on, up to and including the stamp `high`."""
        stamps = self._stamps
        for index in range(bisect_left(stamps, low[0]), len(stamps)):
            stamp = stamps[index]
            if high is not None and stamp > high:
                return
            members = self._members[stamp]
            ordered = self._bucket(stamp)
            start = bisect_left(ordered, low[1]) if stamp == low[0] else 0
            for at in range(start, len(ordered)):
                if ordered[at] in members:
                    yield ordered[at]

    def _bucket(self, stamp: str) -> list[str]:
        ordered = self._sorted.get(stamp)
        if ordered is None:
            self._sorted[stamp] = ordered = sorted(self._members[stamp])
        return ordered


class ValueIndex:
    """Which records hold a value."""

    def __init__(self) -> None:
        self._ids: dict[object, str | set[str]] = {}

    def add(self, key: object, record_id: str) -> None:
        """Note that the record holds the value."""
        held = self._ids.get(key)
        if held is None:
            self._ids[key] = record_id
        elif isinstance(held, set):
            held.add(record_id)
        else:
            self._ids[key] = {held, record_id}

    def discard(self, key: object, record_id: str) -> None:
        """Note that the record holds the value no more."""
        held = self._ids.get(key)
        if isinstance(held, set):
            held.discard(record_id)
            if not held:
                del self._ids[key]
        elif held == record_id:
            del self._ids[key]

    def get(self, key: object) -> tuple[str, ...]:
        """The holders, in the order of their ids."""
        held = self._ids.get(key)
        if held is None:
            return ()
        if isinstance(held, set):
            return tuple(sorted(held))
        return (held,)
