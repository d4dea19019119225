"""What the names of a query stand for, and whether the asker may see it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from salesforce_bridge.simulator.org import Org, Shown
from salesforce_bridge.simulator.refusals import RequestRefused
from salesforce_bridge.simulator.schema import Field, ObjectType
from salesforce_bridge.simulator.soql_syntax import Name, complaint
from salesforce_bridge.simulator.store import Row

FILTERABLE_MAX = 255
LEVELS_MAX = 5


class Sight(Protocol):
    """What somebody may see of the org."""

    def sees_object(self, _object_type: ObjectType) -> bool:
        """Whether records of the object may be read."""

    def sees_field(self, _object_type: ObjectType, _field: Field) -> bool:
        """Whether the field may be read."""

    def sees_row(self, _row: Row) -> bool:
        """Whether sharing shows the record."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Path:
    """A field reached from the record of a query."""

    steps: tuple[Field, ...]
    """The lookups climbed on the way."""
    field: Field
    read: Callable[[Row], Shown]

    @property
    def direct(self) -> bool:
        """Whether the field is the record's own."""
        return not self.steps


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Where a query's names are looked up."""

    org: Org
    sight: Sight
    type: ObjectType
    text: str

    def complaint(self, name: Name, message: str) -> str:
        """A message that points at a name."""
        return complaint(self.text, name, message)

    def path(self, name: Name, *, filtering: bool = False) -> Path:
        """What a dotted name stands for, or Salesforce's refusal to know it."""
        *relationships, last = name.text.split(".")
        if relationships and relationships[0].lower() == self.type.name.lower():
            relationships = relationships[1:]
        if len(relationships) > LEVELS_MAX:
            raise self._no_relationship(name, relationships[-1])
        here, steps = self.type, []
        for relationship in relationships:
            lookup = here.relationship(relationship)
            if lookup is None or not self.sight.sees_field(here, lookup):
                raise self._no_relationship(name, relationship)
            steps.append(lookup)
            here = self.org.project.objects[lookup.reference_to[0]]
        field = here.field(last)
        if field is None or not self.sight.sees_field(here, field):
            raise self._no_column(name, last, here)
        if filtering and (field.type == "address" or _long(field)):
            message = f"field '{field.name}' can not be filtered in a query call"
            raise RequestRefused(400, "INVALID_FIELD", self.complaint(name, message))
        return Path(steps=tuple(steps), field=field, read=self._reader(tuple(steps), here, field))

    def _reader(
        self, steps: tuple[Field, ...], owner: ObjectType, field: Field
    ) -> Callable[[Row], Shown]:
        read = self.org.read(owner, field)
        if not steps:
            return read
        tables = [self.org.store.table(step.reference_to[0]) for step in steps]
        blank: Shown = False if field.type == "boolean" else None

        def climb(row: Row) -> Shown:
            for step, table in zip(steps, tables, strict=True):
                parent = table.get(str(row.get(step.name)))
                if parent is None:
                    return blank
                row = parent
            return read(row)

        return climb

    def _no_column(self, name: Name, column: str, entity: ObjectType) -> RequestRefused:
        message = (
            f"No such column '{column}' on entity '{entity.name}'. If you are attempting to use a "
            "custom field, be sure to append the '__c' after the custom field name. Please "
            "reference your WSDL or the describe call for the appropriate names."
        )
        return RequestRefused(400, "INVALID_FIELD", self.complaint(name, message))

    def _no_relationship(self, name: Name, relationship: str) -> RequestRefused:
        message = (
            f"Didn't understand relationship '{relationship}' in field path. If you are attempting "
            "to use a custom relationship, be sure to append the '__r' after the custom "
            "relationship name. Please reference your WSDL or the describe call for the "
            "appropriate names."
        )
        return RequestRefused(400, "INVALID_FIELD", self.complaint(name, message))


def _long(field: Field) -> bool:
    return field.type in {"textarea", "multipicklist"} and field.length > FILTERABLE_MAX
