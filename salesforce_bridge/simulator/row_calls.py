"""The resources of single records: by id and by external id."""

from collections.abc import Callable

from salesforce_bridge.simulator.call import Call, header_date, http_date, refuse_conditions
from salesforce_bridge.simulator.ids import IdMalformed, long_id
from salesforce_bridge.simulator.refusals import Json, RequestRefused, RowRefused, not_found
from salesforce_bridge.simulator.schema import Field, ObjectType
from salesforce_bridge.simulator.store import Row
from salesforce_bridge.simulator.values import moment_of
from salesforce_bridge.simulator.wire import Response

UPSERT_TELLS_SINCE = 46.0
_FORBIDDEN = frozenset(
    {"INSUFFICIENT_ACCESS_OR_READONLY", "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY"}
)


def create(call: Call) -> Response:
    """Answer POST sobjects/{type}."""
    found = call.object_type(call.parts[0])
    payload = call.request.json_object()
    if any(name.lower() == "id" for name in payload):
        message = "cannot specify Id in an insert call"
        raise RequestRefused(400, "INVALID_FIELD_FOR_INSERT_UPDATE", message)
    try:
        record_id = call.transaction().create(found, payload)
    except RowRefused as refusal:
        return row_refused(refusal)
    return Response(
        status=201,
        content={"id": record_id, "success": True, "errors": []},
        headers={"Location": f"{call.root}/sobjects/{found.name}/{record_id}"},
    )


def read(call: Call) -> Response:
    """Answer GET sobjects/{type}/{id}."""
    found = call.object_type(call.parts[0])
    return _shown(call, found, _by_id(call, found))


def update(call: Call) -> Response:
    """Answer PATCH sobjects/{type}/{id}."""
    found = call.object_type(call.parts[0])
    return _changed(call, found, _by_id(call, found))


def delete(call: Call) -> Response:
    """Answer DELETE sobjects/{type}/{id}."""
    found = call.object_type(call.parts[0])
    return _deleted(call, found, _by_id(call, found))


def read_by_key(call: Call) -> Response:
    """Answer GET sobjects/{type}/{field}/{value}."""
    return _by_key(call, _shown)


def delete_by_key(call: Call) -> Response:
    """Answer DELETE sobjects/{type}/{field}/{value}."""
    return _by_key(call, _deleted)


def upsert(call: Call) -> Response:
    """Answer PATCH sobjects/{type}/{field}/{value}."""
    found, key = keyed(call)
    payload = call.request.json_object()
    for name in payload:
        if name.lower() in {"id", key.name.lower()}:
            message = f"The {name} field should not be specified in the sobject data."
            raise RequestRefused(400, "INVALID_FIELD", message)
    update_only = (call.request.parameter("updateOnly") or "").lower() == "true"
    transaction = call.transaction()
    held = transaction.holders(found, key, call.parts[2])
    if len(held) > 1:
        return _choices(call, found, held)
    if held:
        _check_conditions(call, call.org.table(found).rows[held[0]])
    elif update_only:
        raise not_found()
    try:
        record_id, created = transaction.upsert(found, key, payload | {key.name: call.parts[2]})
    except RowRefused as refusal:
        return row_refused(refusal)
    if not created and float(call.version) < UPSERT_TELLS_SINCE:
        return Response(status=204)
    return Response(
        status=201 if created else 200,
        content={"id": record_id, "success": True, "errors": [], "created": created},
        headers={"Location": f"{call.root}/sobjects/{found.name}/{record_id}"} if created else {},
    )


def row_refused(refusal: RowRefused) -> Response:
    """The answer about a single record that was refused."""
    status = 403 if refusal.status_code in _FORBIDDEN else 400
    return Response(status=status, content=refusal.as_row_errors())


def keyed(call: Call) -> tuple[ObjectType, Field]:
    """The object and external id field that a path names."""
    found = call.object_type(call.parts[0])
    key = found.field(call.parts[1])
    if key is None or not key.external_id or not call.user.sees_field(found, key):
        raise no_key(call.parts[1])
    return found, key


def no_key(name: str) -> RequestRefused:
    """What Salesforce says about a path whose last part is neither id nor external id field."""
    message = f"Provided external ID field does not exist or is not accessible: {name}"
    return RequestRefused(404, "NOT_FOUND", message)


def drawn(call: Call, found: ObjectType, row: Row, fields: list[Field]) -> dict[str, Json]:
    """A record with the chosen fields."""
    url = f"{call.root}/sobjects/{found.name}/{row['Id']}"
    record: dict[str, Json] = {"attributes": {"type": found.name, "url": url}}
    for field in fields:
        record[field.name] = call.org.read(found, field)(row)
    return record


def chosen_fields(call: Call, found: ObjectType, names: list[str]) -> list[Field]:
    """The fields that a request lists by name."""
    fields = []
    for name in names:
        field = found.field(name)
        if field is None or not call.user.sees_field(found, field):
            message = (
                f"No such column '{name}' on entity '{found.name}'. If you are attempting to use a "
                "custom field, be sure to append the '__c' after the custom field name. Please "
                "reference your WSDL or the describe call for the appropriate names."
            )
            raise RequestRefused(400, "INVALID_FIELD", message)
        fields.append(field)
    return fields


def _by_id(call: Call, found: ObjectType) -> Row:
    try:
        record_id = long_id(call.parts[1])
    except IdMalformed as error:
        raise no_key(call.parts[1]) from error
    row = call.org.table(found).get(record_id)
    if row is None or not call.user.sees_row(row):
        raise not_found()
    if row.get("IsDeleted"):
        raise RequestRefused(404, "ENTITY_IS_DELETED", "entity is deleted")
    return row


def _by_key(call: Call, answer: Callable[[Call, ObjectType, Row], Response]) -> Response:
    found, key = keyed(call)
    held = call.transaction().holders(found, key, call.parts[2])
    if not held:
        raise not_found()
    if len(held) > 1:
        return _choices(call, found, held)
    return answer(call, found, call.org.table(found).rows[held[0]])


def _choices(call: Call, found: ObjectType, held: tuple[str, ...]) -> Response:
    return Response(
        status=300, content=[f"{call.root}/sobjects/{found.name}/{one}" for one in held]
    )


def _shown(call: Call, found: ObjectType, row: Row) -> Response:
    modified = moment_of(str(row["LastModifiedDate"]))
    headers = {"Last-Modified": http_date(modified)}
    since = header_date(call, "If-Modified-Since")
    if since is not None and modified <= since:
        return Response(status=304, headers=headers)
    _check_conditions(call, row)
    listed = call.request.parameter("fields")
    fields = (
        chosen_fields(call, found, [name.strip() for name in listed.split(",")])
        if listed
        else [field for field in found.fields.values() if call.user.sees_field(found, field)]
    )
    return Response(status=200, content=drawn(call, found, row, fields), headers=headers)


def _changed(call: Call, found: ObjectType, row: Row) -> Response:
    payload = call.request.json_object()
    if any(name.lower() == "id" for name in payload):
        message = "The Id field should not be specified in the sobject data."
        raise RequestRefused(400, "INVALID_FIELD", message)
    _check_conditions(call, row)
    try:
        call.transaction().update(found, str(row["Id"]), payload)
    except RowRefused as refusal:
        return row_refused(refusal)
    return Response(status=204)


def _deleted(call: Call, found: ObjectType, row: Row) -> Response:
    refuse_conditions(call)
    try:
        call.transaction().delete(found, str(row["Id"]))
    except RowRefused as refusal:
        return row_refused(refusal)
    return Response(status=204)


def _check_conditions(call: Call, row: Row) -> None:
    since = header_date(call, "If-Unmodified-Since")
    if since is not None and moment_of(str(row["LastModifiedDate"])) > since:
        message = "The resource has been modified since the time in If-Unmodified-Since"
        raise RequestRefused(412, "PRECONDITION_FAILED", message)
    for name in ("If-Match", "If-None-Match"):
        if call.request.header(name) is not None:
            message = f"{name} is supported for Account records only"
            raise RequestRefused(400, "INVALID_HEADER", message)
