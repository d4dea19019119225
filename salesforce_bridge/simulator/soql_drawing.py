"""How the records of a query are shown: their fields, their parents, their children."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeAlias

from salesforce_bridge.simulator.org import Org, Shown
from salesforce_bridge.simulator.refusals import Json, RequestRefused
from salesforce_bridge.simulator.schema import Field, ObjectType
from salesforce_bridge.simulator.soql_scope import Path, Scope
from salesforce_bridge.simulator.soql_syntax import Name, Query
from salesforce_bridge.simulator.store import Row, Table

Drawn: TypeAlias = "dict[str, Json]"
Draw = Callable[[Row], Drawn]
Read = Callable[[Row], Json]


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """The records that a query found, and how to show each of them when its page is sent."""

    table: Table
    ids: tuple[str, ...]
    draw: Draw
    alive: Callable[[Row], bool]
    count: int | None = None
    """The answer of COUNT(), which has no records."""

    @property
    def size(self) -> int:
        """How many records match, over all pages."""
        return len(self.ids) if self.count is None else self.count

    def page(self, start: int, length: int) -> list[Json]:
        """The records of a page as they are now; one that is gone by now is left out."""
        rows = (self.table.get(record_id) for record_id in self.ids[start : start + length])
        return [self.draw(row) for row in rows if row is not None and self.alive(row)]


Family: TypeAlias = "Callable[[Query, Scope, Draw, Iterable[str]], Selection]"
"""Runs a subquery among the children of one record."""


def drawing(query: Query, scope: Scope, family: Family, version: str) -> Draw:
    """Work out once how every record of a query is shown."""
    _refuse_repetition(query, scope)
    prefix = f"/services/data/v{version}/sobjects/{scope.type.name}/"
    type_name = scope.type.name
    columns = _columns(query, scope, family, version)

    def draw(row: Row) -> Drawn:
        drawn: Drawn = {"attributes": {"type": type_name, "url": f"{prefix}{row['Id']}"}}
        for name, read in columns:
            drawn[name] = read(row)
        return drawn

    return draw


def _columns(
    query: Query, scope: Scope, family: Family, version: str
) -> tuple[tuple[str, Read], ...]:
    columns: dict[str, Read] = {}
    parents: dict[str, _Parent] = {}
    for column in query.columns:
        if isinstance(column, Query):
            name, embed = _children(column, scope, family, version)
            columns[name] = embed
            continue
        path = scope.path(column)
        if path.direct:
            columns[path.field.name] = path.read
        else:
            parent = _grafted(parents, path, scope.org, version)
            columns.setdefault(parent.name, parent.draw)
    return tuple(columns.items())


class _Parent:
    """The part of a drawing that shows a parent record."""

    def __init__(self, lookup: Field, org: Org, version: str) -> None:
        assert lookup.relationship_name is not None
        self.name = lookup.relationship_name
        self.parents: dict[str, _Parent] = {}
        self.fields: dict[str, Callable[[Row], Shown]] = {}
        self.type = org.project.objects[lookup.reference_to[0]]
        self._lookup = lookup
        self._table = org.table(self.type)
        self._prefix = f"/services/data/v{version}/sobjects/{self.type.name}/"

    def draw(self, row: Row) -> Json:
        """The parent of a record, or null where there is none."""
        found = self._table.get(str(row.get(self._lookup.name)))
        if found is None:
            return None
        drawn: Drawn = {
            "attributes": {"type": self.type.name, "url": f"{self._prefix}{found['Id']}"}
        }
        for name, read in self.fields.items():
            drawn[name] = read(found)
        for name, parent in self.parents.items():
            drawn[name] = parent.draw(found)
        return drawn


def _grafted(parents: dict[str, _Parent], path: Path, org: Org, version: str) -> _Parent:
    """Add a path to the tree of parents, and tell its first branch."""
    branches: list[_Parent] = []
    level = parents
    for lookup in path.steps:
        branch = _Parent(lookup, org, version)
        branch = level.setdefault(branch.name, branch)
        branches.append(branch)
        level = branch.parents
    last = branches[-1]
    last.fields[path.field.name] = org.read(last.type, path.field)
    return branches[0]


def _children(query: Query, scope: Scope, family: Family, version: str) -> tuple[str, Read]:
    child, lookup = _child(query.source.text, scope)
    inner = Scope(org=scope.org, sight=scope.sight, type=child, text=scope.text)
    draw = drawing(query, inner, family, version)
    table = scope.org.table(child)

    def embed(row: Row) -> Json:
        found = family(query, inner, draw, table.holders(lookup, str(row["Id"])))
        if not found.size:
            return None
        return {"totalSize": found.size, "done": True, "records": found.page(0, found.size)}

    assert lookup.child_relationship_name is not None
    return lookup.child_relationship_name, embed


def _child(relationship: str, scope: Scope) -> tuple[ObjectType, Field]:
    for child, lookup in scope.org.project.children(scope.type.name):
        if (lookup.child_relationship_name or "").lower() == relationship.lower() and (
            scope.sight.sees_object(child) and scope.sight.sees_field(child, lookup)
        ):
            return child, lookup
    message = (
        f"Didn't understand relationship '{relationship}' in FROM part of query call. If you are "
        "attempting to use a custom relationship, be sure to append the '__r' after the custom "
        "relationship name. Please reference your WSDL or the describe call for the appropriate "
        "names."
    )
    raise RequestRefused(400, "INVALID_TYPE", message)


def _refuse_repetition(query: Query, scope: Scope) -> None:
    seen: set[str] = set()
    for column in query.columns:
        if not isinstance(column, Name):
            continue
        if column.text.lower() in seen:
            message = scope.complaint(column, f"duplicate field selected: {column.text}")
            raise RequestRefused(400, "MALFORMED_QUERY", message)
        seen.add(column.text.lower())
