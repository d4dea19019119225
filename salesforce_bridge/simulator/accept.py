"""What a caller asks to be stored, read against the schema and the caller's rights."""

from collections.abc import Mapping
from typing import TypeAlias

from salesforce_bridge.simulator.org import Org
from salesforce_bridge.simulator.refusals import Json, RequestRefused, RowRefused
from salesforce_bridge.simulator.schema import Field, ObjectType
from salesforce_bridge.simulator.store import Row, Stored
from salesforce_bridge.simulator.users import User
from salesforce_bridge.simulator.values import accept, check

Asked: TypeAlias = dict[str, Stored | None]
"""The fields that a request names, by exact name; None clears."""


def asked(
    object_type: ObjectType, payload: Mapping[str, Json], user: User | None, *, new: bool
) -> Asked:
    """Read a record of a request; `user` None is the system, which may write every field."""
    values: Asked = {}
    closed: list[str] = []
    for name, value in payload.items():
        if name == "attributes":
            continue
        field = object_type.field(name)
        if field is None:
            message = f"No such column '{name}' on sobject of type {object_type.name}"
            raise RequestRefused(400, "INVALID_FIELD", message)
        if user is not None and not _may_write(object_type, field, user, new=new):
            closed.append(field.name)
            continue
        values[field.name] = accept(field, value)
    if closed:
        raise RowRefused(
            "INVALID_FIELD_FOR_INSERT_UPDATE",
            f"Unable to create/update fields: {', '.join(closed)}. Please check the security "
            "settings of this field and verify that it is read/write for your profile or "
            "permission set.",
            *closed,
        )
    return values


def check_row(org: Org, object_type: ObjectType, row: Row, touched: set[str], own_id: str) -> None:
    """Refuse a record that its object cannot hold, as the database itself would."""
    missing = [
        field.name
        for field in object_type.fields.values()
        if field.required and field.type != "boolean" and row.get(field.name) is None
    ]
    if missing:
        message = f"Required fields are missing: [{', '.join(missing)}]"
        raise RowRefused("REQUIRED_FIELD_MISSING", message, *missing)
    if object_type.one_of and all(row.get(name) is None for name in object_type.one_of):
        message = f"Required fields are missing: [{' or '.join(object_type.one_of)}]"
        raise RowRefused("REQUIRED_FIELD_MISSING", message, *object_type.one_of)
    for name in sorted(touched):
        field = object_type.fields[name]
        value = row.get(name)
        check(field, value)
        if field.type == "reference" and value is not None:
            _check_lookup(org, field, str(value))
    _check_unique(org, object_type, row, own_id)
    _check_unique_together(org, object_type, row, own_id)


def twins(org: Org, object_type: ObjectType, names: tuple[str, ...], row: Row) -> frozenset[str]:
    """The living records that share all these values with a row; blanks are shared by none."""
    table = org.table(object_type)
    first, *rest = names
    if any(row.get(name) is None for name in names):
        return frozenset()
    return frozenset(
        holder
        for holder in table.holders(object_type.fields[first], row[first])
        if not table.rows[holder].get("IsDeleted")
        and all(table.rows[holder].get(name) == row[name] for name in rest)
    )


def _check_lookup(org: Org, field: Field, value: str) -> None:
    if field.name == "SetupOwnerId":
        return
    for name in field.reference_to:
        target = org.project.objects.get(name)
        if target is not None and value.startswith(target.key_prefix):
            parent = org.table(target).get(value)
            if parent is None:
                raise RowRefused(
                    "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", field.name
                )
            if parent.get("IsDeleted"):
                raise RowRefused("ENTITY_IS_DELETED", "entity is deleted", field.name)
            return
    raise RowRefused(
        "FIELD_INTEGRITY_EXCEPTION",
        f"{field.label}: id value of incorrect type: {value}",
        field.name,
    )


def _check_unique(org: Org, object_type: ObjectType, row: Row, own_id: str) -> None:
    table = org.table(object_type)
    for field in object_type.fields.values():
        value = row.get(field.name)
        if not field.unique or value is None:
            continue
        for holder in table.holders(field, value):
            if holder != own_id and not table.rows[holder].get("IsDeleted"):
                raise RowRefused(
                    "DUPLICATE_VALUE",
                    f"duplicate value found: {field.name} duplicates value on record with id: "
                    f"{holder}",
                )


def _check_unique_together(org: Org, object_type: ObjectType, row: Row, own_id: str) -> None:
    for names in object_type.unique_together:
        if twins(org, object_type, names, row) - {own_id}:
            raise RowRefused("DUPLICATE_VALUE", object_type.duplicate_message)


def _may_write(object_type: ObjectType, field: Field, user: User, *, new: bool) -> bool:
    open_to_api = field.createable if new else field.updateable
    return open_to_api and not field.calculated and user.edits_field(object_type, field)
