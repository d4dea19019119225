"""The functions and operators that only look at values: text, numbers, dates."""

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from salesforce_bridge.simulator.formula_scope import Kind
from salesforce_bridge.simulator.schema import Value


class FormulaFailed(Exception):
    """A formula met values it cannot work with; a real org shows *#Error!*."""


@dataclass(frozen=True, slots=True)
class Plain:
    """A function of values alone; unless it takes blanks, any blank argument yields blank."""

    takes: tuple[Kind, ...]
    gives: Kind
    run: Callable[..., Value]
    takes_blanks: bool = False
    optional: int = 0
    """How many of the last arguments may be left out."""


def spelled(value: Value) -> Value:
    """What TEXT() makes of a value; picklists already hold their API name."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        raise FormulaFailed("TEXT does not take a Boolean")
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ")
    if isinstance(value, date):
        return value.isoformat()
    return str(int(value)) if value == int(value) else format(value, ".15g")


def calculate(name: str, left: Any, right: Any) -> Value:
    """Apply an arithmetic operator to two values of which neither is blank."""
    try:
        if isinstance(left, date) or isinstance(right, date):
            return _on_dates(name, left, right)
        answer: Value = _ON_NUMBERS[name](left, right)
    except (KeyError, ZeroDivisionError, OverflowError, TypeError) as error:
        raise FormulaFailed(f"{left} {name} {right} cannot be calculated") from error
    return answer


def compare(name: str, left: Any, right: Any) -> bool:
    """Apply an ordering to two values of which neither is blank."""
    try:
        return bool(_ORDERINGS[name](left, right))
    except TypeError as error:
        raise FormulaFailed(f"{left} {name} {right} cannot be compared") from error


_ON_NUMBERS: Mapping[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "^": operator.pow,
}
_ORDERINGS: Mapping[str, Callable[[Any, Any], Any]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_A_DAY = timedelta(days=1)


def _on_dates(name: str, left: Any, right: Any) -> Value:
    answer: Value
    if name == "-" and isinstance(right, date):
        answer = (left - right) / _A_DAY
    elif name == "-":
        answer = left - _days(right, to=left)
    elif name == "+" and isinstance(left, date):
        answer = left + _days(right, to=left)
    else:
        answer = right + _days(left, to=right)
    return answer


def _days(number: float, *, to: date) -> timedelta:
    # A date has no hours, so adding 1.9 days to it adds one.
    return timedelta(days=number if isinstance(to, datetime) else int(number))


def _left(text: str, count: float) -> str:
    return text[: max(0, int(count))]


def _right(text: str, count: float) -> str:
    return text[max(0, len(text) - max(0, int(count))) :]


def _mid(text: str, start: float, count: float) -> str:
    first = max(1, int(start)) - 1
    return text[first : first + max(0, int(count))]


def _find(sought: str | None, text: str | None, start: float | None = 1) -> int:
    if not sought or not text:
        return 0
    return text.find(sought, max(1, int(start or 1)) - 1) + 1


def _contains(text: str | None, sought: str | None) -> Value:
    return True if not sought else (sought in text if text else None)


def _begins(text: str | None, sought: str | None) -> Value:
    return True if not sought else (text.startswith(sought) if text else None)


def _includes(chosen: str | None, sought: str | None) -> bool:
    return sought in chosen.split(";") if chosen and sought else False


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise FormulaFailed(f"VALUE cannot read a number in {text!r}") from error


def _date_value(value: Value) -> date:
    if isinstance(value, datetime):
        # The day is the running user's; the simulator's people all live in UTC.
        return value.astimezone(UTC).date()
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(str(value))
    except ValueError as error:
        raise FormulaFailed(f"DATEVALUE cannot read a date in {value!r}") from error


def _datetime_value(value: Value) -> datetime:
    if isinstance(value, datetime):
        return value
    try:
        read = datetime.fromisoformat(str(value))
    except ValueError as error:
        raise FormulaFailed(f"DATETIMEVALUE cannot read a moment in {value!r}") from error
    return read if read.tzinfo else read.replace(tzinfo=UTC)


def _substitute(text: str | None, old: str | None, new: str | None) -> str | None:
    return text.replace(old, new or "") if text and old else text


def _matches(text: str | None, pattern: str | None) -> bool:
    try:
        return re.fullmatch(pattern or "", text or "") is not None
    except re.error as error:
        raise FormulaFailed(f"REGEX cannot read the pattern {pattern!r}") from error


def _rounded(number: float, digits: float) -> float:
    # Half goes away from zero, not to the even neighbour as Python would have it.
    scale = 10.0 ** int(digits)
    whole = int(abs(number) * scale + 0.5)
    return (whole if number >= 0 else -whole) / scale


def _long_id(text: str) -> str:
    if len(text) != len("001000000000000"):
        return text
    flags = [
        sum(1 << place for place, letter in enumerate(text[at : at + 5]) if "A" <= letter <= "Z")
        for at in (0, 5, 10)
    ]
    return text + "".join("ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"[flag] for flag in flags)


_TEXT, _NUMBER, _DATE = Kind.TEXT, Kind.NUMBER, Kind.DATE

PLAIN: Mapping[str, Plain] = {
    "ABS": Plain((_NUMBER,), _NUMBER, abs),
    "BEGINS": Plain((_TEXT, _TEXT), Kind.BOOLEAN, _begins, takes_blanks=True),
    "CASESAFEID": Plain((_TEXT,), _TEXT, _long_id),
    "CONTAINS": Plain((_TEXT, _TEXT), Kind.BOOLEAN, _contains, takes_blanks=True),
    "DATETIMEVALUE": Plain((Kind.ANY,), Kind.DATETIME, _datetime_value),
    "DATEVALUE": Plain((Kind.ANY,), _DATE, _date_value),
    "DAY": Plain((_DATE,), _NUMBER, lambda day: day.day),
    "FIND": Plain((_TEXT, _TEXT, _NUMBER), _NUMBER, _find, takes_blanks=True, optional=1),
    "INCLUDES": Plain((Kind.MULTIPICKLIST, _TEXT), Kind.BOOLEAN, _includes, takes_blanks=True),
    "LEFT": Plain((_TEXT, _NUMBER), _TEXT, _left),
    "LEN": Plain((_TEXT,), _NUMBER, lambda text: len(text or ""), takes_blanks=True),
    "LOWER": Plain((_TEXT,), _TEXT, str.lower),
    "MID": Plain((_TEXT, _NUMBER, _NUMBER), _TEXT, _mid),
    "MONTH": Plain((_DATE,), _NUMBER, lambda day: day.month),
    "REGEX": Plain((_TEXT, _TEXT), Kind.BOOLEAN, _matches, takes_blanks=True),
    "RIGHT": Plain((_TEXT, _NUMBER), _TEXT, _right),
    "ROUND": Plain((_NUMBER, _NUMBER), _NUMBER, _rounded),
    "SUBSTITUTE": Plain((_TEXT, _TEXT, _TEXT), _TEXT, _substitute, takes_blanks=True),
    "TRIM": Plain((_TEXT,), _TEXT, str.strip),
    "UPPER": Plain((_TEXT,), _TEXT, str.upper),
    "VALUE": Plain((_TEXT,), _NUMBER, _number),
    "YEAR": Plain((_DATE,), _NUMBER, lambda day: day.year),
}
