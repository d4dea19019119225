"""Values on their way in and out: wire JSON, what the store keeps, what formulas see."""

import re
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal

from salesforce_bridge.simulator.ids import IdMalformed, long_id
from salesforce_bridge.simulator.refusals import Json, RequestRefused, RowRefused
from salesforce_bridge.simulator.schema import Field, Value
from salesforce_bridge.simulator.store import Stored

TEXT_TYPES = frozenset(
    {
        "string",
        "textarea",
        "picklist",
        "multipicklist",
        "email",
        "phone",
        "url",
        "combobox",
        "encryptedstring",
    }
)
NUMBER_TYPES = frozenset({"double", "currency", "percent", "int", "long"})
_DATE_TIME = re.compile(
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d)?", re.IGNORECASE
)
_EMAIL = re.compile(r"[^@\s,;<>()\[\]\\\"]+@[^@\s,;<>()\[\]\\\"]+\.[^@\s,;<>()\[\]\\\".]{2,}")


def stamp_text(moment: datetime) -> str:
    """A system stamp: whole seconds, UTC, the form that is both sent and sorted."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000+0000")


def moment_text(moment: datetime) -> str:
    """A date-time with its milliseconds in the same form."""
    moment = moment.astimezone(UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}+0000"


def moment_of(text: str) -> datetime:
    """The moment that a stored date-time names."""
    return datetime.fromisoformat(text)


def parse_moment(text: str) -> datetime | None:
    """The moment that a caller's text names, if it is a date-time at all."""
    if not _DATE_TIME.fullmatch(text):
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def parse_date(text: str) -> date | None:
    """The day that a caller's text names; a date-time is cut to its day."""
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        return None


def visible(field: Field, stored: Stored | None) -> Value:
    """What a formula sees in a field."""
    if field.type == "boolean":
        return bool(stored)
    if not isinstance(stored, str):
        return stored
    if field.type == "datetime":
        return moment_of(stored)
    if field.type == "date":
        return date.fromisoformat(stored)
    return stored


def hidden(field: Field, value: Value) -> Stored | None:
    """The stored or sent form of what a formula, a default or a flow gives."""
    if isinstance(value, datetime):
        return moment_text(value) if field.type == "datetime" else value.date().isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, str) and value == "":
        return None
    if isinstance(value, int) and not isinstance(value, bool) and field.type != "int":
        return float(value)
    return value


def accept(field: Field, value: Json) -> Stored | None:
    """The stored form of a value in a request; a value of the wrong kind spoils the request."""
    if value is None:
        return None
    if field.type == "boolean":
        return _accept_boolean(value)
    if field.type in NUMBER_TYPES:
        return _accept_number(field, value)
    if not isinstance(value, str):
        raise _undeserializable("string", value)
    return _accept_text(field, value)


def check(field: Field, value: Stored | None) -> None:
    """Refuse a value that the field cannot hold."""
    if value is None or isinstance(value, bool):
        return
    if isinstance(value, str):
        _check_text(field, value)
    elif field.precision and abs(value) >= 10 ** (field.precision - field.scale):
        raise RowRefused(
            "NUMBER_OUTSIDE_VALID_RANGE",
            f"{field.label}: value outside of valid range on numeric field: {value}",
            field.name,
        )


def _check_text(field: Field, value: str) -> None:
    if field.length and field.type in TEXT_TYPES and len(value) > field.length:
        raise RowRefused(
            "STRING_TOO_LONG",
            f"{field.label}: data value too large: {value} (max length={field.length})",
            field.name,
        )
    if field.type == "email" and not _EMAIL.fullmatch(value):
        raise RowRefused(
            "INVALID_EMAIL_ADDRESS", f"{field.label}: invalid email address: {value}", field.name
        )
    if field.restricted and field.type in {"picklist", "multipicklist"}:
        chosen = value.split(";") if field.type == "multipicklist" else [value]
        allowed = {choice.value for choice in field.picklist if choice.active}
        if not allowed.issuperset(chosen):
            raise RowRefused(
                "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
                f"{field.label}: bad value for restricted picklist field: {value}",
                field.name,
            )


def _accept_text(field: Field, value: str) -> str | None:
    # Salesforce trims text on its way in, and knows no empty text.
    text = value.strip()
    if not text:
        return None
    match field.type:
        case "datetime":
            return _accept_moment(text)
        case "date":
            return _accept_date(text)
        case "reference" | "id":
            return _accept_id(field, text)
        case _:
            return text


def _accept_boolean(value: Json) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in {"true", "false"}:
        return value.lower() == "true"
    raise _undeserializable("boolean", value)


def _accept_number(field: Field, value: Json) -> float | int:
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError as error:
            raise _undeserializable("double", value) from error
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _undeserializable("double", value)
    if field.type == "int":
        return int(value)
    quantum = Decimal(1).scaleb(-field.scale)
    return float(Decimal(str(value)).quantize(quantum, rounding=ROUND_HALF_UP))


def _accept_moment(value: str) -> str:
    moment = parse_moment(value)
    if moment is None:
        raise _undeserializable("datetime", value)
    # A custom date-time keeps whole seconds; what is finer is lost on the way in.
    return stamp_text(moment)


def _accept_date(value: str) -> str:
    day = parse_date(value)
    if day is None:
        raise _undeserializable("date", value)
    return day.isoformat()


def _accept_id(field: Field, value: str) -> str:
    try:
        return long_id(value)
    except IdMalformed as error:
        raise RowRefused(
            "MALFORMED_ID", f"{field.label}: id value of incorrect type: {value}", field.name
        ) from error


def _undeserializable(wanted: str, value: Json) -> RequestRefused:
    kinds: dict[type, str] = {
        bool: "VALUE_TRUE" if value is True else "VALUE_FALSE",
        int: "VALUE_NUMBER_INT",
        float: "VALUE_NUMBER_FLOAT",
        str: "VALUE_STRING",
        list: "START_ARRAY",
        dict: "START_OBJECT",
    }
    shown = value if isinstance(value, str | int | float) else ""
    return RequestRefused(
        400,
        "JSON_PARSER_ERROR",
        f"Cannot deserialize instance of {wanted} from {kinds[type(value)]} value {shown} or "
        "request may be missing a required field at [line:1, column:2]",
    )
