"""One way to write a value as bytes, so that a hash means the same wherever it is taken again."""

from collections.abc import Collection, Iterable
from datetime import UTC, datetime

import orjson

# Integers beyond 53 bits are refused, because RFC 8785 writes numbers as IEEE doubles.
_OPTIONS = (
    orjson.OPT_SORT_KEYS
    | orjson.OPT_STRICT_INTEGER
    | orjson.OPT_PASSTHROUGH_DATACLASS
    | orjson.OPT_PASSTHROUGH_DATETIME
)
_PLAIN = frozenset({str, int, bool, type(None)})


class NotCanonical(ValueError):
    """A value has no single way to be written; nothing was written."""


def canonical(value: object) -> bytes:
    """Write a value as RFC 8785 would, refusing what that and we could write differently."""
    _check(value)
    try:
        return orjson.dumps(value, option=_OPTIONS)
    except orjson.JSONEncodeError as error:
        raise NotCanonical(str(error)) from error


def stamp(moment: datetime) -> str:
    """Write a moment in UTC to the millisecond, so that texts sort as moments do."""
    if moment.tzinfo is None:
        raise NotCanonical(f"a moment without a time zone: {moment.isoformat()}")
    text = moment.astimezone(UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def _check(value: object) -> None:
    if isinstance(value, dict):
        _check_keys(value)
        _check_each(value.values())
    elif isinstance(value, list | tuple):
        _check_each(value)
    elif value is not None and not isinstance(value, str | int):
        raise NotCanonical(f"{type(value).__name__} cannot be sealed")


def _check_keys(keys: Iterable[str]) -> None:
    # Joined and looked at as one: this runs for every entry that is ever sealed.
    try:
        ascii_only = "".join(keys).isascii()
    except TypeError as error:
        raise NotCanonical("a key must be text") from error
    if not ascii_only:
        raise NotCanonical("a key must be ASCII text")


def _check_each(values: Collection[object]) -> None:
    if _PLAIN.issuperset(map(type, values)):
        return
    for value in values:
        _check(value)
