"""Queries answered: which records, in which order, shown how."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice, pairwise

from salesforce_bridge.simulator.org import Org, Shown
from salesforce_bridge.simulator.refusals import RequestRefused
from salesforce_bridge.simulator.soql_drawing import Draw, Selection, drawing
from salesforce_bridge.simulator.soql_scope import Path, Scope, Sight
from salesforce_bridge.simulator.soql_syntax import Ordering, Query, parse
from salesforce_bridge.simulator.soql_where import Narrowed, comparable, narrow
from salesforce_bridge.simulator.store import Row, Table

OFFSET_MAX = 2000


def select(org: Org, sight: Sight, text: str, *, all_rows: bool, version: str) -> Selection:
    """Run a query for somebody; `all_rows` sees the recycle bin too."""
    query = parse(text)
    found = org.project.object(query.source.text)
    if found is None or not found.queryable or not sight.sees_object(found):
        raise _no_type(query.source.text)
    scope = Scope(org=org, sight=sight, type=found, text=text)
    if query.offset > OFFSET_MAX:
        message = f"SOQL offset larger than maximum allowed: {OFFSET_MAX}"
        raise RequestRefused(400, "NUMBER_OUTSIDE_VALID_RANGE", message)

    def family(inner: Query, within: Scope, draw: Draw, ids: Iterable[str]) -> Selection:
        return _found(inner, within, draw, all_rows=all_rows, among=ids)

    draw = drawing(query, scope, family, version)
    return _found(query, scope, draw, all_rows=all_rows, among=None)


def _found(
    query: Query,
    scope: Scope,
    draw: Draw,
    *,
    all_rows: bool,
    among: Iterable[str] | None,
) -> Selection:
    table = scope.org.table(scope.type)
    narrowed = narrow(query.where, scope, table)
    order = [_sort_key(one, scope) for one in query.order]
    sees_row = scope.sight.sees_row

    def alive(row: Row) -> bool:
        return (all_rows or not row.get("IsDeleted")) and sees_row(row)

    candidates, sorted_already = _candidates(narrowed, order, table, among)
    rows: Iterator[Row] = (
        row for row in (table.rows[one] for one in candidates) if alive(row) and narrowed.test(row)
    )
    if not sorted_already:
        rows = iter(_sorted(rows, order))
    end = None if query.limit is None else query.offset + query.limit
    kept = tuple(str(row["Id"]) for row in islice(rows, query.offset, end))
    count = len(kept) if query.counts else None
    return Selection(
        table=table, ids=() if query.counts else kept, draw=draw, alive=alive, count=count
    )


@dataclass(frozen=True, slots=True)
class _Key:
    path: Path
    ordering: Ordering


def _candidates(
    narrowed: Narrowed, order: list[_Key], table: Table, among: Iterable[str] | None
) -> tuple[Iterator[str], bool]:
    names = [
        key.path.field.name if key.path.direct and not key.ordering.descending else ""
        for key in order
    ]
    by_stamp = names[:1] == [table.stamp_field] and names[1:] in ([], ["Id"])
    if among is not None:
        return iter(among), not order
    if narrowed.ids is not None:
        return iter(narrowed.ids), not order or (names == ["Id"] and _ascending(narrowed.ids))
    if by_stamp or narrowed.low is not None or narrowed.high is not None:
        return table.by_stamp(narrowed.low or ("", ""), narrowed.high), by_stamp or not order
    return table.by_id(narrowed.id_low or "", narrowed.id_high), not order or names == ["Id"]


def _ascending(ids: tuple[str, ...]) -> bool:
    return all(one <= other for one, other in pairwise(ids))


def _sort_key(ordering: Ordering, scope: Scope) -> _Key:
    path = scope.path(ordering.name, filtering=True)
    return _Key(path, ordering)


def _sorted(rows: Iterator[Row], order: list[_Key]) -> list[Row]:
    ordered = list(rows)
    for key in reversed(order):
        ordered.sort(key=_ranking(key), reverse=key.ordering.descending)
    return ordered


def _ranking(key: _Key) -> Callable[[Row], tuple[int, Shown]]:
    read, field, ordering = key.path.read, key.path.field, key.ordering
    null_rank = 0 if ordering.nulls_first != ordering.descending else 2

    def rank(row: Row) -> tuple[int, Shown]:
        value = comparable(field, read(row))
        return (null_rank, 0) if value is None else (1, value)

    return rank


def _no_type(name: str) -> RequestRefused:
    message = (
        f"sObject type '{name}' is not supported. If you are attempting to use a custom object, be "
        "sure to append the '__c' after the entity name. Please reference your WSDL or the "
        "describe call for the appropriate names."
    )
    return RequestRefused(400, "INVALID_TYPE", message)
