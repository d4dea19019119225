"""What a formula can see: which names exist where it stands, and of what kind they are."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from salesforce_bridge.simulator.formula_syntax import FormulaRefused
from salesforce_bridge.simulator.schema import Field, ObjectType, Project, Value


class Kind(StrEnum):
    """The types of the formula language; `ANY` is a field of which no schema was given."""

    TEXT = "Text"
    NUMBER = "Number"
    BOOLEAN = "Boolean"
    DATE = "Date"
    DATETIME = "DateTime"
    PICKLIST = "Picklist"
    MULTIPICKLIST = "Multi-Select Picklist"
    NULL = "Null"
    ANY = "Any"


class Context(Protocol):
    """The record, the user and the moment that a formula is evaluated for."""

    def value(self, path: tuple[str, ...]) -> Value:
        """The current value of a field, or of a parent's: `("Contact__r", "DoNotCall")`."""

    def prior(self, path: tuple[str, ...]) -> Value:
        """The value before this save; asked only of records that existed."""

    def changed(self, name: str) -> bool:
        """Whether this save changes the field; asked only of records that existed."""

    def is_new(self) -> bool:
        """Whether this save creates the record."""

    def permission(self, name: str) -> bool:
        """Whether the running user holds a custom permission."""

    def setup(self, setting: str, field: str) -> Value:
        """A field of a hierarchy custom setting as it applies to the running user."""

    def user(self, field: str) -> Value:
        """A field of the running user."""

    def now(self) -> datetime:
        """The moment, aware and in UTC."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A compiled part of a formula: what it yields, and how."""

    kind: Kind
    run: Callable[[Context], Value]
    field: tuple[str, ...] | None = None
    """The path, when the piece is nothing but a field (also inside PRIORVALUE)."""
    literal: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Where a formula stands; without an object, any field is taken to exist."""

    object_type: ObjectType | None = None
    project: Project | None = None
    blanks_as_zero: bool = False
    on_save: bool = True
    """Whether ISNEW, ISCHANGED and PRIORVALUE make sense: in rules, not in formula fields."""

    def reference(self, path: tuple[str, ...]) -> Piece:
        """Resolve a name to what it yields, refusing one that does not exist."""
        if path[0].startswith("$"):
            return self._global(path)
        if self.object_type is None:
            return Piece(Kind.ANY, lambda context: context.value(path), field=path)
        field, exact = self._field(path)
        kind = self._kind(field)
        if field.type in {"id", "reference"}:
            return Piece(kind, lambda context: _short_id(context.value(exact)), field=exact)
        if kind is Kind.NUMBER and self.blanks_as_zero:
            return Piece(kind, lambda context: context.value(exact) or 0, field=exact)
        return Piece(kind, lambda context: context.value(exact), field=exact)

    def _field(self, path: tuple[str, ...]) -> tuple[Field, tuple[str, ...]]:
        assert self.object_type is not None
        here, exact = self.object_type, []
        for step in path[:-1]:
            lookup = here.relationship(step)
            parent = self.project and lookup and self.project.object(lookup.reference_to[0])
            if not parent or not lookup or lookup.relationship_name is None:
                raise _missing(path)
            exact.append(lookup.relationship_name)
            here = parent
        field = here.field(path[-1])
        if field is None:
            raise _missing(path)
        return field, (*exact, field.name)

    def _kind(self, field: Field) -> Kind:
        if field.type == "textarea" and field.length > TEXT_AREA_MAX and not self.on_save:
            raise FormulaRefused(f"Field {field.name} is a long text area; formulas cannot use it")
        if field.type not in KINDS:
            raise FormulaRefused(f"Field {field.name} may not be used in this type of formula")
        return KINDS[field.type]

    def _global(self, path: tuple[str, ...]) -> Piece:
        match tuple(part.lower() for part in path):
            case ("$permission", _):
                return self._permission(path[1])
            case ("$setup", _, _):
                return self._setup(path)
            case ("$user", _):
                return self._user(path)
            case _:
                raise _missing(path)

    def _permission(self, name: str) -> Piece:
        if self.project is not None and name not in self.project.custom_permissions:
            raise _missing(("$Permission", name))
        return Piece(Kind.BOOLEAN, lambda context: context.permission(name))

    def _setup(self, path: tuple[str, ...]) -> Piece:
        setting, name = path[1:]
        if self.project is None:
            return Piece(Kind.ANY, lambda context: context.setup(setting, name))
        found = self.project.object(setting)
        field = found.field(name) if found is not None and found.custom_setting else None
        if found is None or field is None:
            raise _missing(path)
        exact_setting, exact_name = found.name, field.name
        return Piece(self._kind(field), lambda context: context.setup(exact_setting, exact_name))

    def _user(self, path: tuple[str, ...]) -> Piece:
        name = path[1]
        users = self.project.object("User") if self.project is not None else None
        if users is None:
            return Piece(Kind.ANY, lambda context: _short_id(context.user(name), only=name))
        field = users.field(name)
        if field is None:
            raise _missing(path)
        exact = field.name
        if field.type in {"id", "reference"}:
            return Piece(Kind.TEXT, lambda context: _short_id(context.user(exact)))
        return Piece(self._kind(field), lambda context: context.user(exact))


TEXT_AREA_MAX = 255
"""Beyond this many characters a text area is a *long* one."""

KINDS = {
    "boolean": Kind.BOOLEAN,
    "currency": Kind.NUMBER,
    "date": Kind.DATE,
    "datetime": Kind.DATETIME,
    "double": Kind.NUMBER,
    "email": Kind.TEXT,
    "id": Kind.TEXT,
    "int": Kind.NUMBER,
    "multipicklist": Kind.MULTIPICKLIST,
    "percent": Kind.NUMBER,
    "phone": Kind.TEXT,
    "picklist": Kind.PICKLIST,
    "reference": Kind.TEXT,
    "string": Kind.TEXT,
    "textarea": Kind.TEXT,
    "url": Kind.TEXT,
}

_SHORT_ID = 15


def _short_id(value: Value, *, only: str = "Id") -> Value:
    # Formulas see Ids without the three letters that make them safe to compare in any case.
    if only.lower() == "id" and isinstance(value, str):
        return value[:_SHORT_ID]
    return value


def _missing(path: tuple[str, ...]) -> FormulaRefused:
    return FormulaRefused(f"Field {'.'.join(path)} does not exist. Check spelling.")
