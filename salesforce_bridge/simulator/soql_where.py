"""WHERE clauses made runnable: a test for a record, and how far an index narrows the search."""

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from salesforce_bridge.simulator.ids import IdMalformed, long_id
from salesforce_bridge.simulator.indexes import Position
from salesforce_bridge.simulator.org import Shown
from salesforce_bridge.simulator.refusals import RequestRefused
from salesforce_bridge.simulator.schema import Field
from salesforce_bridge.simulator.soql_scope import Scope
from salesforce_bridge.simulator.soql_syntax import (
    Among,
    Both,
    Compared,
    Condition,
    Either,
    Literal,
    Name,
    Negated,
    unescape,
)
from salesforce_bridge.simulator.store import Row, Stored, Table
from salesforce_bridge.simulator.values import (
    NUMBER_TYPES,
    TEXT_TYPES,
    moment_text,
    parse_moment,
)

HIGHEST = "\U0010ffff"
Test = Callable[[Row], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Narrowed:
    """A condition ready to run, with what it says about ids and stamps."""

    test: Test
    ids: tuple[str, ...] | None = None
    """All records that can match, if an index knows them."""
    low: Position | None = None
    high: str | None = None
    id_low: str | None = None
    id_high: str | None = None


def narrow(condition: Condition | None, scope: Scope, table: Table) -> Narrowed:
    """Make a condition runnable."""
    match condition:
        case None:
            return Narrowed(test=lambda _row: True)
        case Compared():
            return _compared(condition, scope, table)
        case Among():
            return _among(condition, scope, table)
        case Negated(part):
            inner = narrow(part, scope, table).test
            return Narrowed(test=lambda row: not inner(row))
        case Both(parts):
            return _both([narrow(part, scope, table) for part in parts])
        case Either(parts):
            return _either([narrow(part, scope, table) for part in parts])


def comparable(field: Field, value: Shown) -> Shown:
    """A value in the form in which SOQL compares and sorts it."""
    if isinstance(value, str) and field.type in TEXT_TYPES and not field.case_sensitive:
        return value.lower()
    return value


def _both(parts: list[Narrowed]) -> Narrowed:
    tests = [part.test for part in parts]
    known = [part.ids for part in parts if part.ids is not None]
    lows = [part.low for part in parts if part.low is not None]
    highs = [part.high for part in parts if part.high is not None]
    id_lows = [part.id_low for part in parts if part.id_low is not None]
    id_highs = [part.id_high for part in parts if part.id_high is not None]
    low, high = max(lows, default=None), min(highs, default=None)
    if low is not None and low[0] == high and id_lows:
        # Within one stamp the order goes on by id: the keyset form of paging.
        low = max(low, (low[0], max(id_lows)))
    return Narrowed(
        test=lambda row: all(test(row) for test in tests),
        ids=min(known, key=len, default=None),
        low=low,
        high=high,
        id_low=max(id_lows, default=None),
        id_high=min(id_highs, default=None),
    )


def _either(parts: list[Narrowed]) -> Narrowed:
    tests = [part.test for part in parts]
    known = [part.ids for part in parts if part.ids is not None]
    lows = [part.low for part in parts if part.low is not None]
    highs = [part.high for part in parts if part.high is not None]
    return Narrowed(
        test=lambda row: any(test(row) for test in tests),
        ids=tuple(dict.fromkeys(one for ids in known for one in ids))
        if len(known) == len(parts)
        else None,
        low=min(lows) if len(lows) == len(parts) else None,
        high=max(highs) if len(highs) == len(parts) else None,
    )


def _compared(condition: Compared, scope: Scope, table: Table) -> Narrowed:
    path = scope.path(condition.name, filtering=True)
    field, read, sign = path.field, path.read, condition.operator
    if sign == "LIKE":
        return Narrowed(test=_like(condition, scope, field, read))
    value = _constant(condition.literal, field, scope, condition.name)
    if value is None and sign not in {"=", "!="}:
        raise RequestRefused(
            400,
            "INVALID_QUERY_FILTER_OPERATOR",
            scope.complaint(condition.name, "invalid operator on null value"),
        )
    if field.type in {"boolean", "id", "reference"} and _unordered(field, sign):
        raise RequestRefused(
            400,
            "INVALID_QUERY_FILTER_OPERATOR",
            scope.complaint(
                condition.name, f"invalid operator on {_type_name(field)} field '{field.name}'"
            ),
        )
    test = _test(sign, comparable(field, value), field, read)
    if not path.direct or value is None:
        return Narrowed(test=test)
    return _bounded(test, sign, field, value, table)


def _unordered(field: Field, sign: str) -> bool:
    return field.type == "boolean" and sign not in {"=", "!="}


def _bounded(test: Test, sign: str, field: Field, value: Stored, table: Table) -> Narrowed:
    if field.name == "Id":
        return _bounded_by_id(test, sign, str(value), table)
    if field.name == table.stamp_field:
        return _bounded_by_stamp(test, sign, str(value))
    if sign == "=" and _indexed(field):
        return Narrowed(test=test, ids=table.holders(field, value))
    return Narrowed(test=test)


def _bounded_by_id(test: Test, sign: str, value: str, table: Table) -> Narrowed:
    match sign:
        case "=":
            return Narrowed(test=test, ids=(value,) if table.get(value) else ())
        case ">" | ">=":
            return Narrowed(test=test, id_low=value)
        case "<" | "<=":
            return Narrowed(test=test, id_high=value)
        case _:
            return Narrowed(test=test)


def _bounded_by_stamp(test: Test, sign: str, value: str) -> Narrowed:
    match sign:
        case "=":
            return Narrowed(test=test, low=(value, ""), high=value)
        case ">":
            return Narrowed(test=test, low=(value, HIGHEST))
        case ">=":
            return Narrowed(test=test, low=(value, ""))
        case "<" | "<=":
            return Narrowed(test=test, high=value)
        case _:
            return Narrowed(test=test)


def _among(condition: Among, scope: Scope, table: Table) -> Narrowed:
    path = scope.path(condition.name, filtering=True)
    field, read = path.field, path.read
    values = [_constant(one, field, scope, condition.name) for one in condition.literals]
    wanted = {comparable(field, value) for value in values if value is not None}
    if None in values:
        wanted.add(None)
    if condition.negated:
        return Narrowed(test=lambda row: comparable(field, read(row)) not in wanted)
    found: tuple[str, ...] | None = None
    if path.direct and None not in values and (field.name == "Id" or _indexed(field)):
        if field.name == "Id":
            ids = {str(value) for value in values if table.get(str(value)) is not None}
        else:
            ids = {one for value in values if value for one in table.holders(field, value)}
        found = tuple(sorted(ids))
    return Narrowed(test=lambda row: comparable(field, read(row)) in wanted, ids=found)


def _indexed(field: Field) -> bool:
    stored = not field.calculated
    return stored and (field.unique or field.external_id or field.type in {"reference", "email"})


def _test(
    sign: str, wanted: Shown, field: Field, read: Callable[[Row], Shown]
) -> Callable[[Row], bool]:
    if sign == "=":
        return lambda row: comparable(field, read(row)) == wanted
    if sign == "!=":
        return lambda row: comparable(field, read(row)) != wanted
    holds = _ORDERS[sign]
    limit = wanted

    def ordered(row: Row) -> bool:
        value = comparable(field, read(row))
        return value is not None and bool(holds(value, limit))

    return ordered


_ORDERS: Mapping[str, Callable[[Any, Any], Any]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}


def _like(
    condition: Compared, scope: Scope, field: Field, read: Callable[[Row], Shown]
) -> Callable[[Row], bool]:
    if field.type in {"id", "reference", "boolean", "date", "datetime"} | NUMBER_TYPES:
        raise RequestRefused(
            400,
            "INVALID_QUERY_FILTER_OPERATOR",
            scope.complaint(
                condition.name, f"invalid operator on {_type_name(field)} field '{field.name}'"
            ),
        )
    pattern = _like_pattern(condition.literal.text)

    def matches(row: Row) -> bool:
        value = read(row)
        return isinstance(value, str) and pattern.fullmatch(value) is not None

    return matches


def _like_pattern(text: str) -> re.Pattern[str]:
    pieces = re.split(r"((?<!\\)(?:\\\\)*[%_]|\\[%_])", text)
    wild = {"%": ".*", "_": "."}
    expression = "".join(
        re.escape(unescape(piece[:-1])) + wild[piece[-1]]
        if piece and piece[-1] in wild and not piece.endswith(("\\%", "\\_"))
        else re.escape(unescape(piece))
        for piece in pieces
    )
    return re.compile(expression, re.IGNORECASE | re.DOTALL)


def _constant(literal: Literal, field: Field, scope: Scope, name: Name) -> Stored | None:
    if literal.kind == "NULL":
        return None
    kind = _kind(field)
    if literal.kind not in _LITERALS[kind]:
        quoted = "should not be" if kind != "string" else "should be"
        raise RequestRefused(
            400,
            "INVALID_FIELD",
            scope.complaint(
                name,
                f"value of filter criterion for field '{field.name}' must be of type "
                f"{_type_name(field)} and {quoted} enclosed in quotes",
            ),
        )
    return _read_constant(literal, kind, scope, name)


def _read_constant(literal: Literal, kind: str, scope: Scope, name: Name) -> Stored | None:
    text = literal.text
    match kind:
        case "boolean":
            return text.upper() == "TRUE"
        case "number":
            return float(text)
        case "datetime":
            moment = parse_moment(text)
            if moment is None:
                message = scope.complaint(name, f"invalid date-time value: {text}")
                raise RequestRefused(400, "MALFORMED_QUERY", message)
            return moment_text(moment)
        case "id" if text:
            try:
                return long_id(text)
            except IdMalformed as error:
                message = scope.complaint(name, f"invalid ID field: {text}")
                raise RequestRefused(400, "INVALID_QUERY_FILTER_OPERATOR", message) from error
        case _:
            return text or None


def _kind(field: Field) -> str:
    if field.type in {"boolean", "date", "datetime"}:
        return field.type
    if field.type in NUMBER_TYPES:
        return "number"
    return "id" if field.type in {"id", "reference"} else "string"


_LITERALS = {
    "boolean": {"TRUE", "FALSE"},
    "number": {"NUMBER"},
    "date": {"DATE"},
    "datetime": {"DATE_TIME"},
    "id": {"STRING"},
    "string": {"STRING"},
}


def _type_name(field: Field) -> str:
    return "dateTime" if field.type == "datetime" else field.type
