"""What a policy means, as flat text: its digest is taken of that, and differences are found in it."""

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import Field, fields, is_dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any

import orjson

from salesforce_bridge.permissions.bundle import Assignment, ExpiryRule, Policy


def meaning(policy: Policy) -> Mapping[str, str]:
    """Say everything that a policy says, by place; comments, layout and the order of tables do not count."""
    said: dict[str, str] = {}
    for one in fields(policy):
        if one.init and one.name != "digest":
            said.update(_said(one.name, getattr(policy, one.name)))
    return said


def digest_of(policy: Policy) -> str:
    """Fingerprint what a policy means."""
    canonical = orjson.dumps(dict(meaning(policy)), option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(canonical).hexdigest()


def in_words(value: object) -> str:
    """Write one value as an operator would write it in the policy."""
    match value:
        case Enum():
            return value.name
        case True:  # a plain no is never told
            return "true"
        case timedelta():
            return _span(value)
        case datetime():
            moment = value.astimezone(UTC).isoformat().replace("+00:00", "Z")
            return moment.removesuffix("T00:00:00Z")
        case tuple():
            return f"[{', '.join(_quoted(in_words(each)) for each in value)}]"
        case _:
            return str(value)


def _said(place: str, value: Any, known_as: str | None = None) -> Iterator[tuple[str, str]]:
    """Walk down to the values; what is left out, empty or a plain no says nothing."""
    if value is None or value is False or value == ():
        return
    if is_dataclass(value) or isinstance(value, Mapping):
        for where, each, key in _members(value, known_as):
            yield from _said(f"{place}.{where}", each, key)
    elif isinstance(value, tuple) and is_dataclass(value[0]):
        for name, each in _named(value):
            yield from _said(f"{place}[{name}]", each)
    else:
        yield place, in_words(value)


def _members(value: Any, known_as: str | None) -> Iterator[tuple[str, Any, str | None]]:
    if isinstance(value, Mapping):
        for key in sorted(value):
            yield _quoted(key), value[key], key
        return
    for one in fields(value):
        if not _is_told_by_place(one, value, known_as):
            yield one.name, getattr(value, one.name), None


def _is_told_by_place(one: "Field[Any]", value: Any, known_as: str | None) -> bool:
    if one.name in _NAMED_BY.get(type(value), ()):
        return True
    return one.name in _OWN_NAMES and getattr(value, one.name) == known_as


_OWN_NAMES = frozenset({"key", "id", "channel", "kind"})
# What tells the members of a list apart; their order says nothing.
_NAMED_BY: Mapping[type, tuple[str, ...]] = {
    Assignment: ("jurisdiction", "subject_class", "effective_from"),
    ExpiryRule: ("jurisdiction",),
}


def _named(many: tuple[Any, ...]) -> Iterator[tuple[str, Any]]:
    taken: dict[str, int] = {}
    for each in many:
        told = [in_words(getattr(each, one)) for one in _NAMED_BY[type(each)]]
        name = ", ".join(_quoted(word) for word in told)
        taken[name] = taken.get(name, 0) + 1
        yield (name if taken[name] == 1 else f"{name}, {taken[name]}"), each


def _quoted(word: str) -> str:
    return word if re.fullmatch(r"[\w*:-]+", word) else orjson.dumps(word).decode()


def _span(length: timedelta) -> str:
    """Write a length of time the way it is read: days, hours, minutes, and whatever is smaller."""
    hours, rest = divmod(length.seconds, 3600)
    minutes, seconds = divmod(rest, 60)
    small = ((hours, "h"), (minutes, "m"), (seconds, "s"), (length.microseconds, "us"))
    parts = ((length.days, "d"), *small)
    return "".join(f"{count}{unit}" for count, unit in parts if count) or "0s"
