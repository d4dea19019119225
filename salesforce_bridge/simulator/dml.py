"""Saving, deleting, restoring and merging records as somebody, the way a real org does it."""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from salesforce_bridge.simulator.accept import Asked, asked, check_row
from salesforce_bridge.simulator.after_save import copy_by_flows, remember_changes
from salesforce_bridge.simulator.formulas import FormulaFailed
from salesforce_bridge.simulator.ids import IdMalformed, long_id
from salesforce_bridge.simulator.org import Org, RecordContext, Saving
from salesforce_bridge.simulator.refusals import Json, RowRefused
from salesforce_bridge.simulator.relations import let_go, move_children, take_up_again
from salesforce_bridge.simulator.schema import Field, ObjectType, ValidationRule
from salesforce_bridge.simulator.store import STAMP, Row
from salesforce_bridge.simulator.users import User

ROWS_MAX = 200
LOSERS_MAX = 2
DAY_LENGTH = len("2026-01-01")
Made = TypeVar("Made")
RowFault = Callable[[str, Mapping[str, Json]], RowRefused | None]


class Transaction:
    """One unit of at most 200 records that share a stamp, run with somebody's rights."""

    def __init__(
        self,
        org: Org,
        user: User,
        *,
        row_fault: RowFault | None = None,
        stamp: str | None = None,
    ) -> None:
        self._org = org
        self.user = user
        self._row_fault = row_fault
        self._stamp = stamp or org.stamp()

    def create(self, object_type: ObjectType, payload: Mapping[str, Json]) -> str:
        """Insert a record."""
        if not (object_type.createable and self.user.creates(object_type)):
            raise RowRefused(
                "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY",
                f"entity type cannot be inserted: {object_type.label}",
            )
        values = asked(object_type, _without_id(payload), self.user, new=True)
        self._play_fault(object_type, payload)
        return self.atomically(lambda: self.insert(object_type, values))

    def update(self, object_type: ObjectType, record_id: str, payload: Mapping[str, Json]) -> None:
        """Change a record."""
        if not (object_type.updateable and self.user.edits(object_type)):
            raise RowRefused(
                "INSUFFICIENT_ACCESS_OR_READONLY", "insufficient access rights on object id"
            )
        values = asked(object_type, _without_id(payload), self.user, new=False)
        self._play_fault(object_type, {**payload, "Id": record_id})
        before = self.row(object_type, record_id)
        _refuse_converted(before)
        self.atomically(lambda: self.change(object_type, before, values))

    def upsert(
        self,
        object_type: ObjectType,
        key: Field,
        payload: Mapping[str, Json],
        *,
        update_only: bool = False,
    ) -> tuple[str, bool]:
        """Create or change the record whose external id the payload names; tells which it was."""
        held = self.holders(object_type, key, payload.get(key.name))
        if len(held) > 1:
            raise RowRefused(
                "DUPLICATE_EXTERNAL_ID",
                f"{key.name}: more than one record found for external id field: {list(held)}",
                key.name,
            )
        if held:
            rest = {name: value for name, value in payload.items() if name != key.name}
            self.update(object_type, held[0], rest)
            return held[0], False
        if update_only:
            raise RowRefused("NOT_FOUND", "The requested resource does not exist")
        return self.create(object_type, payload), True

    def delete(self, object_type: ObjectType, record_id: str) -> None:
        """Put a record into the recycle bin."""
        self._play_fault(object_type, {"Id": record_id})
        row = self.row(object_type, record_id)
        self._require_delete(object_type)
        self.atomically(lambda: let_go(self._org, object_type, row, self._marks()))

    def undelete(self, object_type: ObjectType, record_id: str) -> None:
        """Take a record out of the recycle bin."""
        row = self._org.table(object_type).get(_long(record_id))
        self._require_delete(object_type)
        if row is None or not row.get("IsDeleted"):
            raise RowRefused("UNDELETE_FAILED", "Entity is not in the recycle bin")

        def restore() -> None:
            check_row(self._org, object_type, row, set(), str(row["Id"]))
            take_up_again(self._org, object_type, row, self._marks())

        self.atomically(restore)

    def merge(
        self,
        object_type: ObjectType,
        winner_id: str,
        loser_ids: Sequence[str],
        payload: Mapping[str, Json],
    ) -> None:
        """Fold up to two records into a third, which takes over their children."""
        if not object_type.mergeable or not 1 <= len(loser_ids) <= LOSERS_MAX:
            raise RowRefused("INVALID_OPERATION", "merge takes one winner and one or two losers")
        winner = self.row(object_type, winner_id)
        losers = [self.row(object_type, loser_id) for loser_id in loser_ids]
        for each in (winner, *losers):
            _refuse_converted(each)
        if winner["Id"] in {loser["Id"] for loser in losers}:
            raise RowRefused("INVALID_OPERATION", "a record cannot be merged with itself")
        values = asked(object_type, payload, self.user, new=False)
        self._require_delete(object_type)

        def fold() -> None:
            for loser in losers:
                move_children(self._org, object_type, loser, str(winner["Id"]), self._marks())
            self.change(object_type, winner, values)

        self.atomically(fold)

    @property
    def day(self) -> str:
        """The day on which it runs."""
        return self._stamp[:DAY_LENGTH]

    def row(self, object_type: ObjectType, record_id: str) -> Row:
        """The living record that an id names, if the user can see it."""
        row = self._org.table(object_type).get(_long(record_id))
        if row is None or not self.user.sees_row(row):
            raise RowRefused("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
        if row.get("IsDeleted"):
            raise RowRefused("ENTITY_IS_DELETED", "entity is deleted")
        return row

    def holders(self, object_type: ObjectType, key: Field, value: Json) -> tuple[str, ...]:
        """Living records with that external id."""
        if not isinstance(value, str | int | float) or value == "":
            raise RowRefused("MISSING_ARGUMENT", f"{key.name} not specified")
        table = self._org.table(object_type)
        found = table.holders(key, value)
        return tuple(one for one in found if not table.rows[one].get("IsDeleted"))

    def insert(self, object_type: ObjectType, values: Asked) -> str:
        """Store a new record past the caller's rights, though not past rules."""
        record_id = self._org.issuer.next(object_type.key_prefix)
        row: Row = {"Id": record_id}
        for field in object_type.fields.values():
            if field.default is not None and field.name not in values:
                _set(row, field.name, field.default)
        for name, value in values.items():
            _set(row, name, value)
        self._fill(object_type, row, record_id)
        given = set(row)
        row |= self._marks() | {"CreatedDate": self._stamp, "CreatedById": self.user.id}
        self._store(object_type, row, None, given)
        return record_id

    def change(self, object_type: ObjectType, before: Row, values: Asked) -> None:
        """Store other values of a record past the caller's rights, though not past rules."""
        row = dict(before)
        for name, value in values.items():
            _set(row, name, value)
        self._store(object_type, row | self._marks(), before, set(values))

    def _store(
        self, object_type: ObjectType, row: Row, before: Row | None, touched: set[str]
    ) -> None:
        saving = Saving(type=object_type, row=row, before=before, user=self.user)
        check_row(self._org, object_type, row, touched, str(row["Id"]))
        self._validate(saving)
        self._org.table(object_type).put(row)
        remember_changes(self._org, saving)
        copy_by_flows(self._org, saving)

    def _validate(self, saving: Saving) -> None:
        broken = [
            rule
            for rule in saving.type.validation_rules
            if rule.active and self._breaks(rule, saving)
        ]
        refusals = [
            RowRefused(
                "FIELD_CUSTOM_VALIDATION_EXCEPTION",
                rule.message,
                *((rule.display_field,) if rule.display_field else ()),
            )
            for rule in broken
        ]
        if refusals:
            refusals[0].also = tuple(refusals[1:])
            raise refusals[0]

    def _breaks(self, rule: ValidationRule, saving: Saving) -> bool:
        try:
            return self._org.condition(rule, saving.type).holds(RecordContext(self._org, saving))
        except FormulaFailed as trouble:
            raise RowRefused(
                "FIELD_CUSTOM_VALIDATION_EXCEPTION",
                f'The formula in the "{rule.name}" validation rule is invalid due to the '
                f"following: {trouble}",
            ) from trouble

    def _fill(self, object_type: ObjectType, row: Row, record_id: str) -> None:
        if "OwnerId" in object_type.fields:
            row.setdefault("OwnerId", self.user.id)
        for field in object_type.fields.values():
            if field.auto_number is not None:
                row[field.name] = self._org.issuer.numbered(object_type.name, field.auto_number)
            elif field.name_field and object_type.custom and not field.calculated:
                row.setdefault(field.name, record_id)

    def _marks(self) -> Row:
        return {
            "LastModifiedDate": self._stamp,
            "LastModifiedById": self.user.id,
            STAMP: self._stamp,
        }

    def _require_delete(self, object_type: ObjectType) -> None:
        if not (object_type.deletable and self.user.deletes(object_type)):
            raise RowRefused(
                "INSUFFICIENT_ACCESS_OR_READONLY", "insufficient access rights on object id"
            )

    def _play_fault(self, object_type: ObjectType, payload: Mapping[str, Json]) -> None:
        refusal = self._row_fault(object_type.name, payload) if self._row_fault else None
        if refusal is not None:
            raise refusal

    def atomically(self, work: Callable[[], Made]) -> Made:
        """Do all of a piece of work, or nothing of it."""
        savepoint = self._org.store.savepoint()
        try:
            return work()
        except RowRefused:
            self._org.store.roll_back(savepoint)
            raise


def _refuse_converted(row: Row) -> None:
    if row.get("IsConverted"):
        raise RowRefused("CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead")


def _set(row: Row, name: str, value: object) -> None:
    if value is None or value is False:
        row.pop(name, None)
    else:
        assert isinstance(value, str | int | float)
        row[name] = value


def _without_id(payload: Mapping[str, Json]) -> dict[str, Json]:
    return {name: value for name, value in payload.items() if name.lower() != "id"}


def _long(record_id: str) -> str:
    try:
        return long_id(record_id)
    except IdMalformed as error:
        raise RowRefused("MALFORMED_ID", f"malformed id {record_id}") from error
