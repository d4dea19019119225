"""The org: its schema, records, users and clock, and what a field of a record is worth."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from threading import RLock
from typing import TypeAlias

from salesforce_bridge.simulator.clock import Clock
from salesforce_bridge.simulator.features import without_features
from salesforce_bridge.simulator.formulas import Formula, compile_condition, compile_field
from salesforce_bridge.simulator.history import history_of
from salesforce_bridge.simulator.ids import IdIssuer, id_of
from salesforce_bridge.simulator.refusals import Json
from salesforce_bridge.simulator.schema import (
    Field,
    ObjectType,
    Project,
    ValidationRule,
    Value,
)
from salesforce_bridge.simulator.store import Row, Store, Stored, Table
from salesforce_bridge.simulator.users import User
from salesforce_bridge.simulator.values import hidden, stamp_text, visible

Shown: TypeAlias = Json
"""What a field shows to a reader: addresses are the one kind with parts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Saving:
    """A record in the middle of a save, as formulas and rules look at it."""

    type: ObjectType
    row: Row
    before: Row | None
    user: User | None


class Org:
    """Everything that one Salesforce org is, behind one lock."""

    def __init__(self, project: Project) -> None:
        self.lock = RLock()
        self.deployed = project
        """What was deployed, parts that are switched off included."""
        self.absent: frozenset[str] = frozenset()
        self.project = project
        """What there is to see: all but the parts that are switched off."""
        self.store = Store(project.objects.values())
        self.clock = Clock()
        self.issuer = IdIssuer()
        self.org_id = id_of("00D", 1)
        self.deployed_at = self.clock.now()
        self.users: dict[str, User] = {}
        self._formulas: dict[tuple[str, str], Formula] = {}
        self._histories: dict[str, ObjectType | None] = {}

    def table(self, object_type: ObjectType) -> Table:
        """The records of an object."""
        return self.store.table(object_type.name)

    def change_project(self, project: Project) -> None:
        """Deploy another schema over the records that are there."""
        self.deployed = project
        self.project = project = without_features(project, self.absent)
        self.deployed_at = self.clock.now()
        self._formulas.clear()
        self._histories.clear()
        self.store.change_types(project.objects)
        for user in self.users.values():
            user.learn(project)

    def switch(self, feature: str, *, on: bool) -> None:
        """Make a part of the platform be there, or be as if it had never been there."""
        without_features(self.deployed, {feature})
        self.absent = self.absent - {feature} if on else self.absent | {feature}
        self.change_project(self.deployed)

    def stamp(self) -> str:
        """The system stamp of a transaction that runs now."""
        return stamp_text(self.clock.now())

    def read(self, object_type: ObjectType, field: Field) -> Callable[[Row], Shown]:
        """How to read a field from records, worked out once for many."""
        name = field.name
        if field.formula is not None:
            return self._calculated(object_type, field)
        parts = tuple(part for part in object_type.fields.values() if part.compound == name)
        if parts and field.type == "address":
            return lambda row: _address(name, parts, row)
        if parts:
            return _full_name
        if field.type == "boolean":
            return lambda row: row.get(name, False)
        return lambda row: row.get(name)

    def condition(self, rule: ValidationRule, object_type: ObjectType) -> Formula:
        """The compiled condition of a validation rule, kept for the next record."""
        key = (object_type.name, f"rule {rule.name}")
        found = self._formulas.get(key)
        if found is None:
            self._formulas[key] = found = compile_condition(rule, object_type, self.project)
        return found

    def history(self, object_type: ObjectType) -> ObjectType | None:
        """The object that holds the field history of another, if it keeps one."""
        if object_type.name not in self._histories:
            kept = history_of(object_type)
            self._histories[object_type.name] = kept and self.project.objects.get(kept.name)
        return self._histories[object_type.name]

    def setting(self, name: str, user: User | None) -> Row:
        """The row of a hierarchy custom setting that applies to a user; the org default counts."""
        setting = self.project.objects[name]
        default: Row = {}
        for row in self.table(setting).rows.values():
            owner = row.get("SetupOwnerId")
            if user is not None and owner == user.id:
                return row
            if owner == self.org_id:
                default = row
        return default

    def _calculation(self, object_type: ObjectType, field: Field) -> Formula:
        key = (object_type.name, field.name)
        found = self._formulas.get(key)
        if found is None:
            self._formulas[key] = found = compile_field(field, object_type, self.project)
        return found

    def _calculated(self, object_type: ObjectType, field: Field) -> Callable[[Row], Shown]:
        formula = self._calculation(object_type, field)

        def calculate(row: Row) -> Shown:
            saving = Saving(type=object_type, row=row, before=row, user=None)
            return hidden(field, formula.evaluate(RecordContext(self, saving)))

        return calculate


class RecordContext:
    """One record, its user and the moment, for the evaluation of a formula."""

    def __init__(self, org: Org, saving: Saving) -> None:
        self._org = org
        self._saving = saving

    def value(self, path: tuple[str, ...]) -> Value:
        """The present value of a field, or of a parent's."""
        return self._climb(self._saving.row, path)

    def prior(self, path: tuple[str, ...]) -> Value:
        """The value before this save; of a new record, the present one."""
        return self._climb(self._saving.before or self._saving.row, path)

    def changed(self, name: str) -> bool:
        """Whether this save changes the field."""
        before = self._saving.before
        return before is not None and before.get(name) != self._saving.row.get(name)

    def is_new(self) -> bool:
        """Whether this save creates the record."""
        return self._saving.before is None

    def permission(self, name: str) -> bool:
        """Whether the running user holds a custom permission."""
        user = self._saving.user
        return user is not None and user.access.has_custom_permission(name)

    def setup(self, setting: str, field: str) -> Value:
        """A field of a hierarchy custom setting."""
        found = self._org.project.objects[setting].fields[field]
        return visible(found, self._org.setting(setting, self._saving.user).get(field))

    def user(self, field: str) -> Value:
        """A field of the running user."""
        user = self._saving.user
        row = self._org.store.table("User").get(user.id) if user is not None else None
        found = self._org.project.objects["User"].fields[field]
        return visible(found, (row or {}).get(field))

    def now(self) -> datetime:
        """The org's moment."""
        return self._org.clock.now()

    def _climb(self, row: Row, path: tuple[str, ...]) -> Value:
        here = self._saving.type
        for step in path[:-1]:
            lookup = here.relationship(step)
            assert lookup is not None
            parent = row.get(lookup.name)
            here = self._org.project.objects[lookup.reference_to[0]]
            row = self._org.table(here).rows.get(str(parent), {}) if parent else {}
        field = here.fields[path[-1]]
        shown = self._org.read(here, field)(row)
        assert not isinstance(shown, dict | list)
        return visible(field, shown)


def _full_name(row: Row) -> Stored | None:
    parts = [str(row[part]) for part in ("FirstName", "LastName") if row.get(part)]
    return " ".join(parts) or None


def _address(name: str, parts: tuple[Field, ...], row: Row) -> dict[str, Json] | None:
    prefix = name.removesuffix("Address")
    address: dict[str, Json] = {
        part.name.removeprefix(prefix)[:1].lower() + part.name.removeprefix(prefix)[1:]: row.get(
            part.name
        )
        for part in parts
    }
    return address if any(value is not None for value in address.values()) else None
