"""Reading tables of a TOML text strictly: every refusal names the place and the fix."""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from enum import Enum
from typing import TypeVar

from salesforce_bridge.errors import CannotStart

E = TypeVar("E", bound=Enum)
T = TypeVar("T")


class PolicyRefused(CannotStart):
    """The policy cannot be relied on as it is written."""

    def __init__(self, message: str, *, hint: str, place: str = "", what: str = "") -> None:
        super().__init__(message, hint=hint)
        self.place = place
        self.what = what or message


def refuse(place: str, problem: str, *, fix: str) -> PolicyRefused:
    """Make the refusal that says where, what and how to put it right."""
    return PolicyRefused(f"policy: {place}: {problem}", hint=fix, place=place, what=problem)


class Table:
    """One table of the text; whatever nobody asked for is refused by `close`."""

    def __init__(self, content: object, place: str) -> None:
        if not isinstance(content, dict):
            raise refuse(place, "is not a table", fix=f"write [{place}] with keys below it")
        self.place = place
        self._content: Mapping[str, object] = content
        self._asked: set[str] = set()

    def text(self, key: str, default: str | None = None) -> str:
        """Read a text that says something."""
        value = self._take(key, str, "a text in quotes", default)
        if not value.strip():
            raise refuse(self.at(key), "is empty", fix="write a text in quotes")
        return value

    def text_or_none(self, key: str) -> str | None:
        """Read a text that may be left out."""
        return self.text(key) if key in self else None

    def number(self, key: str, default: int | None = None, *, least: int = 0) -> int:
        """Read a whole number."""
        value = self._take(key, int, "a whole number", default)
        if value < least:
            raise refuse(self.at(key), f"is below {least}", fix=f"write {least} or more")
        return value

    def share(self, key: str, default: float | None = None) -> float:
        """Read a part of a whole."""
        whole = isinstance(self._content.get(key), int)
        wanted = "a number from 0 to 1"
        value = self.number(key) if whole else self._take(key, float, wanted, default)
        if not 0 <= value <= 1:
            raise refuse(self.at(key), "is not a share", fix="write a number from 0 to 1")
        return float(value)

    def yes(self, key: str, *, default: bool) -> bool:
        """Read a yes or no."""
        return self._take(key, bool, "true or false", default)

    def choice(self, key: str, choices: type[E], default: E | None = None) -> E:
        """Read one word out of a list."""
        return self._chosen(key, self.text(key, default.name if default else None), choices)

    def choice_or_none(self, key: str, choices: type[E]) -> E | None:
        """Read one word out of a list, if there is one."""
        return self.choice(key, choices) if key in self else None

    def texts(self, key: str, default: tuple[str, ...] | None = None) -> tuple[str, ...]:
        """Read a list of texts, none of them twice."""
        value = self._take(key, list, "a list of texts", None if default is None else list(default))
        if not all(isinstance(one, str) and one for one in value):
            raise refuse(self.at(key), "is not a list of texts", fix='write ["…", "…"]')
        if len(set(value)) != len(value):
            raise refuse(self.at(key), "names something twice", fix="name each once")
        return tuple(value)

    def choices(self, key: str, choices: type[E]) -> tuple[E, ...]:
        """Read any number of words out of a list, none of them twice; none if the key is left out."""
        return tuple(self._chosen(key, word, choices) for word in self.texts(key, ()))

    def moment(self, key: str) -> datetime:
        """Read a moment; a day alone begins at midnight UTC."""
        value = self._take(key, date, "a date such as 2026-01-31", None)
        if not isinstance(value, datetime):
            return datetime.combine(value, time(), tzinfo=UTC)
        if value.tzinfo is None:
            raise refuse(self.at(key), "has no offset", fix="add Z, as in 2026-01-31T09:00:00Z")
        return value.astimezone(UTC)

    def moment_or_none(self, key: str) -> datetime | None:
        """Read a moment that may be left out."""
        return self.moment(key) if key in self else None

    def span(self, key: str, default: str | None = None) -> timedelta:
        """Read a length of time such as "30d", "12h" or ISO 8601 "P30D"."""
        return self._length(key, self.text(key, default))

    def spans(self, key: str) -> tuple[timedelta, ...]:
        """Read any number of lengths of time, the longest first; none if the key is left out."""
        lengths = {self._length(key, each) for each in self.texts(key, ())}
        return tuple(sorted(lengths, reverse=True))

    def span_or_none(self, key: str) -> timedelta | None:
        """Read a length of time that may be left out."""
        return self.span(key) if key in self else None

    def table(self, key: str) -> "Table":
        """Read a table below this one."""
        return Table(self._take(key, dict, "a table", None), self.at(key))

    def tables(self, key: str) -> "Iterator[tuple[str, Table]]":
        """Read the tables below a key, each with its name; none if the key is left out."""
        named = self._take(key, dict, "a table", {})
        for name in named:
            yield name, Table(named[name], f"{self.at(key)}.{name}")

    def listed(self, key: str, default: tuple[object, ...] | None = None) -> "Iterator[Table]":
        """Read a list of tables."""
        left_out = None if default is None else list(default)
        many = self._take(key, list, "a list of tables", left_out)
        for position, one in enumerate(many, start=1):
            yield Table(one, f"{self.at(key)}[{position}]")

    def keys(self) -> tuple[str, ...]:
        """Name what stands in this table, where any name will do."""
        return tuple(self._content)

    def holds_text(self, key: str) -> bool:
        """Tell whether a key that may hold a text or a table holds a text."""
        return isinstance(self._content.get(key), str)

    def close(self) -> None:
        """Refuse whatever nobody asked for: a misspelt key must not be passed over in silence."""
        for key in sorted(self._content.keys() - self._asked):
            known = ", ".join(sorted(self._asked))
            raise refuse(self.at(key), "is not known", fix=f"remove it, or use one of: {known}")

    def at(self, key: str) -> str:
        """Name a key by its whole path."""
        return f"{self.place}.{key}" if self.place else key

    def __contains__(self, key: str) -> bool:
        self._asked.add(key)
        return key in self._content

    def _chosen(self, key: str, word: str, choices: type[E]) -> E:
        if word not in choices.__members__:
            known = ", ".join(choices.__members__)
            raise refuse(self.at(key), f'"{word}" is not known', fix=f"use one of: {known}")
        return choices[word]

    def _length(self, key: str, value: str) -> timedelta:
        match = _SPAN.fullmatch(value) or _ISO_SPAN.fullmatch(value)
        counts = {} if match is None else match.groupdict("0")
        length = timedelta(**{unit: int(count) for unit, count in counts.items()})
        if not length:
            fix = 'write for instance "30d", "52w", "12h" or "P30D"'
            raise refuse(self.at(key), f'"{value}" is not a length of time', fix=fix)
        return length

    def _take(self, key: str, kind: type[T], wanted: str, default: T | None) -> T:
        self._asked.add(key)
        value = self._content.get(key, default)
        if value is None:
            raise refuse(self.at(key), "is missing", fix=f"add it: {wanted}")
        # A truth value is a number to Python, and to nobody who writes a policy.
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise refuse(self.at(key), "has the wrong type", fix=f"write {wanted}")
        return value


_SPAN = re.compile(
    r"(?:(?P<weeks>\d+)w)?(?:(?P<days>\d+)d)?(?:(?P<hours>\d+)h)?(?:(?P<minutes>\d+)m)?"
)
_ISO_SPAN = re.compile(
    r"P(?:(?P<weeks>\d+)W)?(?:(?P<days>\d+)D)?(?:T(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?)?"
)
