"""Records put into the org as a migration does: past rights and rules, with a past of their own."""

from collections.abc import Mapping, Sequence

from salesforce_bridge.simulator.dml import ROWS_MAX
from salesforce_bridge.simulator.ids import long_id
from salesforce_bridge.simulator.org import Org
from salesforce_bridge.simulator.refusals import Json, RequestRefused
from salesforce_bridge.simulator.schema import Field, ObjectType
from salesforce_bridge.simulator.store import STAMP, Row, Stored
from salesforce_bridge.simulator.values import accept

_STORED_FORM = ".000+0000"
_DATED = ("CreatedDate", "LastModifiedDate", STAMP)


def load(org: Org, name: str, records: Sequence[Mapping[str, Json]]) -> list[str]:
    """Store records as they are; they may bring their ids and system stamps. Returns the ids."""
    found = org.project.object(name)
    if found is None:
        raise RequestRefused(400, "INVALID_TYPE", f"sObject type '{name}' is not supported.")
    fields: dict[str, Field] = {}
    ids: list[str] = []
    for start in range(0, len(records), ROWS_MAX):
        blank = _blank(org, found)
        ids += [_put(org, found, one, blank, fields) for one in records[start : start + ROWS_MAX]]
        org.store.commit()
    return ids


def _blank(org: Org, found: ObjectType) -> Row:
    stamp, owner = org.stamp(), org.users["admin"].id
    blank: Row = dict.fromkeys(_DATED, stamp)
    blank |= {"CreatedById": owner, "LastModifiedById": owner}
    if "OwnerId" in found.fields:
        blank["OwnerId"] = owner
    for field in found.fields.values():
        if field.default is not None and field.default is not False:
            blank[field.name] = field.default
    return blank


def _put(
    org: Org,
    found: ObjectType,
    record: Mapping[str, Json],
    blank: Row,
    fields: dict[str, Field],
) -> str:
    row = dict(blank)
    for name, value in record.items():
        field = fields.get(name) or _field(found, name, fields)
        stored = _stored(field, value)
        if stored is None or stored is False:
            row.pop(field.name, None)
        else:
            row[field.name] = stored
    record_id = row.get("Id")
    if record_id is None:
        row["Id"] = org.issuer.next(found.key_prefix)
    else:
        given = long_id(str(record_id))
        row["Id"] = given
        org.issuer.reserve(given)
    _name(org, found, row)
    if "LastModifiedDate" in record and STAMP not in record:
        row[STAMP] = row["LastModifiedDate"]
    org.table(found).put(row)
    return str(row["Id"])


def _name(org: Org, found: ObjectType, row: Row) -> None:
    name = found.fields.get("Name")
    if name is None or "Name" in row or not found.custom:
        return
    row["Name"] = (
        str(row["Id"])
        if name.auto_number is None
        else org.issuer.numbered(found.name, name.auto_number)
    )


def _field(found: ObjectType, name: str, fields: dict[str, Field]) -> Field:
    field = found.field(name)
    if field is None:
        message = f"No such column '{name}' on sobject of type {found.name}"
        raise RequestRefused(400, "INVALID_FIELD", message)
    fields[name] = field
    return field


def _stored(field: Field, value: Json) -> Stored | None:
    if isinstance(value, str):
        if field.type not in {"datetime", "date", "reference"}:
            return value or None
        if field.type == "datetime" and value.endswith(_STORED_FORM):
            return value
    return accept(field, value)
