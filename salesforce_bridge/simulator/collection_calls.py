"""The collection resources: up to 200 records in one call, each with a result of its own."""

from collections.abc import Callable, Sequence
from itertools import groupby

from salesforce_bridge.simulator.call import Call, refuse_conditions
from salesforce_bridge.simulator.dml import ROWS_MAX, Transaction
from salesforce_bridge.simulator.ids import IdMalformed, long_id
from salesforce_bridge.simulator.refusals import Json, RequestRefused, RowRefused
from salesforce_bridge.simulator.row_calls import chosen_fields, drawn, keyed
from salesforce_bridge.simulator.schema import ObjectType
from salesforce_bridge.simulator.wire import Response

CHUNKS_MAX = 10
RETRIEVED_MAX = 2000
Record = dict[str, Json]
Save = Callable[[Transaction, ObjectType, Record], tuple[str, bool | None]]


def create(call: Call) -> Response:
    """Answer POST composite/sobjects."""

    def insert(
        transaction: Transaction, found: ObjectType, record: Record
    ) -> tuple[str, bool | None]:
        if _id_of(record):
            raise RowRefused(
                "INVALID_FIELD_FOR_INSERT_UPDATE", "cannot specify Id in an insert call", "Id"
            )
        return transaction.create(found, record), None

    return _saved(call, insert)


def update(call: Call) -> Response:
    """Answer PATCH composite/sobjects."""
    seen: set[str] = set()

    def change(
        transaction: Transaction, found: ObjectType, record: Record
    ) -> tuple[str, bool | None]:
        record_id = _id_of(record)
        if not record_id:
            raise RowRefused("MISSING_ARGUMENT", "Id not specified in an update call", "Id")
        _once(record_id, seen)
        transaction.update(found, record_id, record)
        return long_id(record_id), None

    return _saved(call, change)


def upsert(call: Call) -> Response:
    """Answer PATCH composite/sobjects/{type}/{field}."""
    found_type, key = keyed(call)
    seen: set[Json] = set()

    def save(
        transaction: Transaction, found: ObjectType, record: Record
    ) -> tuple[str, bool | None]:
        named = {
            key.name if name.lower() == key.name.lower() else name: value
            for name, value in record.items()
        }
        if found is not found_type:
            raise RowRefused("INVALID_TYPE", f"{found.name} is not of type {found_type.name}")
        if _id_of(record):
            message = "The Id field should not be specified in the sobject data."
            raise RowRefused("INVALID_FIELD", message, "Id")
        value = named.get(key.name)
        same = value.lower() if isinstance(value, str) and not key.case_sensitive else value
        if isinstance(same, str) and same in seen:
            message = f"Duplicate external id specified: {value}"
            raise RowRefused("DUPLICATE_VALUE", message, key.name)
        seen.add(same if isinstance(same, str) else None)
        return transaction.upsert(found, key, named)

    return _saved(call, save)


def delete(call: Call) -> Response:
    """Answer DELETE composite/sobjects?ids=…."""
    refuse_conditions(call)
    ids = _listed(call.request.parameter("ids"), "ids")
    _limit(len(ids), ROWS_MAX)
    transaction, seen = call.transaction(), set[str]()

    def remove(record_id: str) -> tuple[str, bool | None]:
        _once(record_id, seen)
        transaction.delete(_type_of_id(call, record_id), record_id)
        return long_id(record_id), None

    jobs = [lambda one=one: remove(one) for one in ids]
    all_or_none = (call.request.parameter("allOrNone") or "").lower() == "true"
    return _results(call, jobs, all_or_none=all_or_none)


def retrieve(call: Call) -> Response:
    """Answer GET composite/sobjects/{type}?ids=…&fields=…."""
    ids = _listed(call.request.parameter("ids"), "ids")
    return _retrieved(call, ids, _listed(call.request.parameter("fields"), "fields"))


def retrieve_by_post(call: Call) -> Response:
    """Answer POST composite/sobjects/{type} with ids and fields in the body."""
    body = call.request.json_object()
    return _retrieved(call, _texts(body, "ids"), _texts(body, "fields"))


def _retrieved(call: Call, ids: Sequence[str], names: Sequence[str]) -> Response:
    found = call.object_type(call.parts[0])
    _limit(len(ids), RETRIEVED_MAX)
    fields = chosen_fields(call, found, list(names))
    table = call.org.table(found)
    records: list[Json] = []
    for record_id in ids:
        try:
            row = table.get(long_id(record_id))
        except IdMalformed as error:
            raise RequestRefused(400, "MALFORMED_ID", f"malformed id {record_id}") from error
        shown = row is not None and not row.get("IsDeleted") and call.user.sees_row(row)
        records.append(drawn(call, found, row, fields) if row is not None and shown else None)
    return Response(status=200, content=records)


def _saved(call: Call, save: Save) -> Response:
    refuse_conditions(call)
    body = call.request.json_object()
    records = body.get("records")
    if not isinstance(records, list):
        raise RequestRefused(400, "JSON_PARSER_ERROR", "records: a list of records is required")
    _limit(len(records), ROWS_MAX)
    typed = [_typed(call, record) for record in records]
    chunks = sum(1 for _ in groupby(typed, key=lambda pair: pair[0].name))
    if chunks > CHUNKS_MAX:
        message = (
            f"Cannot have more than {CHUNKS_MAX} chunks in a single operation. Please rearrange "
            "the data to reduce chunking."
        )
        raise RequestRefused(400, "INVALID_OPERATION", message)
    transaction = call.transaction()
    jobs = [
        lambda found=found, record=record: save(transaction, found, record)
        for found, record in typed
    ]
    return _results(call, jobs, all_or_none=body.get("allOrNone") is True)


def _results(
    call: Call, jobs: Sequence[Callable[[], tuple[str, bool | None]]], *, all_or_none: bool
) -> Response:
    savepoint = call.org.store.savepoint()
    results: list[Record] = []
    for job in jobs:
        try:
            record_id, created = job()
        except RowRefused as refusal:
            results.append({"success": False, "errors": refusal.as_collection_errors()})
        else:
            told: Record = {"id": record_id, "success": True, "errors": []}
            results.append(told if created is None else told | {"created": created})
    if all_or_none and not all(result["success"] for result in results):
        call.org.store.roll_back(savepoint)
        results = [_rolled_back() if result["success"] else result for result in results]
    return Response(status=200, content=list(results))


def _rolled_back() -> Record:
    refusal = RowRefused(
        "ALL_OR_NONE_OPERATION_ROLLED_BACK",
        "Record rolled back because not all records were valid and the request was using "
        "AllOrNone header",
    )
    return {"success": False, "errors": refusal.as_collection_errors()}


def _typed(call: Call, record: Json) -> tuple[ObjectType, Record]:
    attributes = record.get("attributes") if isinstance(record, dict) else None
    name = attributes.get("type") if isinstance(attributes, dict) else None
    if not isinstance(record, dict) or not isinstance(name, str):
        message = "Each record must name its type in attributes"
        raise RequestRefused(400, "MISSING_ARGUMENT", message)
    found = call.org.project.object(name)
    if found is None or not call.user.sees_object(found):
        raise RequestRefused(400, "INVALID_TYPE", f"sObject type '{name}' is not supported.")
    return found, record


def _type_of_id(call: Call, record_id: str) -> ObjectType:
    for found in call.org.project.objects.values():
        if record_id.startswith(found.key_prefix) and call.user.sees_object(found):
            return found
    raise RowRefused("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")


def _id_of(record: Record) -> str:
    for name, value in record.items():
        if name.lower() == "id" and isinstance(value, str):
            return value
    return ""


def _once(record_id: str, seen: set[str]) -> None:
    if record_id[:15] in seen:
        raise RowRefused("DUPLICATE_VALUE", f"duplicate id specified: {record_id}", "Id")
    seen.add(record_id[:15])


def _limit(count: int, maximum: int) -> None:
    if count > maximum:
        message = f"record limit reached. cannot submit more than {maximum} records in this request"
        raise RequestRefused(400, "EXCEEDED_ID_LIMIT", message)


def _listed(text: str | None, name: str) -> list[str]:
    if not text:
        raise RequestRefused(400, "MISSING_ARGUMENT", f"The {name} parameter is required")
    return [part.strip() for part in text.split(",")]


def _texts(body: Record, name: str) -> list[str]:
    listed = body.get(name)
    if not isinstance(listed, list) or not all(isinstance(one, str) for one in listed):
        raise RequestRefused(400, "MISSING_ARGUMENT", f"{name}: a list of texts is required")
    return [one for one in listed if isinstance(one, str)]
