"""JSON of the org to facts and back. Plain addresses and notes go no further than this module."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any, assert_never

from salesforce_bridge.permissions.contact_points import (
    ContactPoint,
    PointKeys,
    PointType,
    under_every_key,
)
from salesforce_bridge.permissions.keys import ContactId, RowId
from salesforce_bridge.reconcile.facts import (
    ContactFields,
    ContactSnapshot,
    Individual,
    LeadFlags,
    RowFields,
    RowSnapshot,
)
from salesforce_bridge.reconcile.intent import Target, Value, Verb, Write
from salesforce_bridge.salesforce.faults import RecordMalformed
from salesforce_bridge.salesforce.fields import (
    CONTACT_FIELDS,
    CONTACT_FLAGS,
    COUNTRY_FIELD,
    EMAIL_FIELDS,
    INDIVIDUAL,
    INDIVIDUAL_FLAGS,
    INDIVIDUAL_KEY,
    INDIVIDUAL_STAMP,
    KEY_FIELD,
    LEAD,
    LEAD_KEY,
    MASTER_FIELD,
    PHONE_FIELDS,
    ROW_FIELDS,
    ROW_NOTES,
    ROW_REQUEST,
    WRITABLE,
    Field,
    Kind,
)
from salesforce_bridge.salesforce.tokens import read_evidence

Json = Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """That a record changed, without what it now says: enough to know whether it was seen before."""

    id: str
    modstamp: datetime
    deleted: bool
    master_id: str | None = None  # of a Contact that was merged into another


def parse_contact(row: Json, *, keys: PointKeys, default_country: str) -> ContactSnapshot:
    """Read one Contact as queried with `CONTACT_QUERY`, and `INDIVIDUAL_QUERY` where it was asked for."""
    record = _Record(Target.CONTACT.value, row)
    master = record.reference(MASTER_FIELD)
    points = _points(record, keys=keys, default_country=default_country)
    return ContactSnapshot(
        contact_id=ContactId(record.id),
        modstamp=record.modstamp,
        deleted=record.flag("IsDeleted"),
        master_id=ContactId(master) if master else None,
        points=tuple(each for each in points if each.key_version == keys.current),
        older=tuple(each for each in points if each.key_version != keys.current),
        country=record.text(COUNTRY_FIELD),
        **record.values(CONTACT_FLAGS),
        fields=ContactFields(**record.values(CONTACT_FIELDS)),
        modified_by=record.reference("LastModifiedById"),
        individual=_individual(record) if INDIVIDUAL_KEY in row else None,
    )


def parse_row(
    row: Json,
    *,
    keys: PointKeys,
    default_country: str,
    proof_keys: Mapping[str, bytes],
) -> RowSnapshot:
    """Read one `Permission__c` as queried with `ROW_QUERY`.

    Of the note only its fingerprint is kept, and of a token only what it proves: it holds an address.
    """
    record = _Record(Target.ROW.value, row)
    request, handled = (record.text(field.api) for field in ROW_REQUEST)
    note, evidence = (record.text(field.api) for field in ROW_NOTES)
    read = read_evidence(
        evidence, keys=keys, default_country=default_country, proof_keys=proof_keys
    )
    return RowSnapshot(
        row_id=RowId(record.id),
        modstamp=record.modstamp,
        deleted=record.flag("IsDeleted"),
        fields=RowFields(**record.values(ROW_FIELDS)),
        request=request,
        request_note=hashlib.sha256(note.encode()).hexdigest() if note else None,
        request_evidence=read.ref,
        request_handled=handled,
        modified_by=record.reference("LastModifiedById"),
        proof=read.proof,
    )


def parse_lead(row: Json) -> tuple[ContactId, LeadFlags]:
    """Read the opt-outs of one converted Lead, and whose they are now."""
    record = _Record(LEAD, row)
    contact = record.required(LEAD_KEY)
    flags = LeadFlags(lead_id=record.id, **record.values(CONTACT_FLAGS))
    return ContactId(long_id(contact)), flags


def combined_leads(leads: Iterable[tuple[ContactId, LeadFlags]]) -> Mapping[ContactId, LeadFlags]:
    """Let a Contact that several Leads became have every stop of each."""
    found: dict[ContactId, LeadFlags] = {}
    for contact_id, lead in sorted(leads, key=lambda each: (each[0], each[1].lead_id)):
        before = found.get(contact_id, lead)
        found[contact_id] = LeadFlags(
            lead_id=before.lead_id,
            opted_out_of_email=before.opted_out_of_email or lead.opted_out_of_email,
            opted_out_of_fax=before.opted_out_of_fax or lead.opted_out_of_fax,
            do_not_call=before.do_not_call or lead.do_not_call,
        )
    return found


def parse_stamp(table: str, row: Json) -> Stamp:
    """Read one line of the poll."""
    record = _Record(table, row)
    return Stamp(
        id=record.id,
        modstamp=record.modstamp,
        deleted=record.flag("IsDeleted"),
        master_id=record.reference(MASTER_FIELD) if MASTER_FIELD in row else None,
    )


def render(write: Write) -> dict[str, object]:
    """Put the fields of a write under their API names; the record it goes to is not part of it."""
    known = WRITABLE[write.target]
    return {known[name].api: _rendered(known[name], value) for name, value in write.fields.items()}


def render_for_collection(write: Write) -> dict[str, object]:
    """The same as one record of a collections call."""
    record: dict[str, object] = {"attributes": {"type": write.target.value}, **render(write)}
    if write.verb is Verb.UPSERT:
        record[KEY_FIELD] = write.ledger_key
    elif write.verb is not Verb.INSERT:
        record["id"] = write.record_id
    return record


def render_moment(moment: datetime) -> str:
    """Write a moment as Salesforce does: `2026-11-23T10:00:00.000+0000`."""
    return f"{_utc(moment).replace(tzinfo=None).isoformat(timespec='milliseconds')}+0000"


def parse_moment(text: str) -> datetime:
    """Read a moment as Salesforce writes it; ValueError when it names no offset."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("no offset")
    return moment.astimezone(UTC)


def http_date(moment: datetime) -> str:
    """Write a moment for `If-Unmodified-Since`."""
    return format_datetime(_utc(moment).replace(microsecond=0), usegmt=True)


def soql_moment(moment: datetime) -> str:
    """Write a moment as a SOQL literal; the fraction only where there is one, for it is not documented."""
    utc = _utc(moment).replace(tzinfo=None)
    return f"{utc.isoformat(timespec='milliseconds' if utc.microsecond else 'seconds')}Z"


def soql_text(text: str) -> str:
    """Write a text as a SOQL literal, with everything escaped that could end it."""
    return f"'{text.translate(_SOQL_ESCAPES)}'"


def soql_texts(texts: Iterable[str]) -> str:
    """Write the right side of an `IN`."""
    return f"({','.join(soql_text(text) for text in texts)})"


def long_id(record_id: str) -> str:
    """Give the 18-character form of an id: three more characters that say which letters are capitals."""
    if len(record_id) != _SHORT_ID:
        return record_id
    suffix = ""
    for start in range(0, _SHORT_ID, _ID_GROUP):
        group = record_id[start : start + _ID_GROUP]
        suffix += _ID_SUFFIXES[
            sum(1 << place for place, char in enumerate(group) if char.isupper())
        ]
    return record_id + suffix


_SHORT_ID, _ID_GROUP = 15, 5
_ID_SUFFIXES = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_SOQL_ESCAPES = str.maketrans(
    {
        "\\": "\\\\",
        "'": "\\'",
        '"': '\\"',
        "\n": "\\n",
        "\r": "\\r",
        "\t": "\\t",
        "\b": "\\b",
        "\f": "\\f",
    }
)


class _Record:
    """One record of an answer, read field by field; complains with the field's name, never with its value."""

    __slots__ = ("_row", "_table", "id")

    def __init__(self, table: str, row: Json) -> None:
        self._table = table
        self._row = row
        self.id = ""
        self.id = long_id(self.required("Id"))

    @property
    def modstamp(self) -> datetime:
        moment = self.moment("SystemModstamp")
        if moment is None:
            raise self._malformed("SystemModstamp")
        return moment

    def values(self, fields: Iterable[Field]) -> dict[str, Any]:
        return {field.name: self.value(field) for field in fields}

    def value(self, field: Field) -> Value:
        match field.kind:
            case Kind.TEXT | Kind.PICKLIST:
                return self.text(field.api)
            case Kind.MOMENT:
                return self.moment(field.api)
            case Kind.FLAG:
                return self.flag(field.api)
            case Kind.NUMBER:
                return self.number(field.api)
            case Kind.REFERENCE:
                return self.reference(field.api)
            case _:
                assert_never(field.kind)

    def text(self, api: str) -> str | None:
        value = self._raw(api)
        if value is None or isinstance(value, str):
            return value or None  # the org holds no empty text, only none
        raise self._malformed(api)

    def required(self, api: str) -> str:
        text = self.text(api)
        if text is None:
            raise self._malformed(api)
        return text

    def part(self, api: str) -> Json | None:
        """Give the fields of a record that this one refers to; None where there is none, or none we may see."""
        value = self._raw(api)
        if value is None or isinstance(value, Mapping):
            return value
        raise self._malformed(api)

    def reference(self, api: str) -> str | None:
        text = self.text(api)
        return long_id(text) if text else None

    def flag(self, api: str) -> bool:
        value = self._raw(api)
        if isinstance(value, bool):
            return value
        raise self._malformed(api)

    def number(self, api: str) -> int | None:
        value = self._raw(api)
        if value is None:
            return None
        # A number without decimals may still come as 5.0.
        if isinstance(value, int | float) and not isinstance(value, bool) and value == value // 1:
            return int(value)
        raise self._malformed(api)

    def moment(self, api: str) -> datetime | None:
        text = self.text(api)
        if text is None:
            return None
        try:
            return parse_moment(text)
        except (ValueError, OverflowError):
            pass
        raise self._malformed(api)

    def _raw(self, api: str) -> object:
        try:
            return self._row[api]
        except KeyError:
            pass
        raise self._malformed(api)

    def _malformed(self, api: str) -> RecordMalformed:
        return RecordMalformed(
            f"{self._table} {self.id or '(no id)'}: {api} is missing or not what its type says",
            hint="salesforce-bridge doctor",
            table=self._table,
            record_id=self.id or None,
        )


def _points(record: _Record, *, keys: PointKeys, default_country: str) -> tuple[ContactPoint, ...]:
    typed = [(PointType.EMAIL, api) for api in EMAIL_FIELDS]
    typed += [(PointType.PHONE, api) for api in PHONE_FIELDS]
    found = (
        under_every_key(kind, text, keys=keys, default_country=default_country)
        for kind, api in typed
        if (text := record.text(api))
    )
    return tuple(sorted({point for points in found for point in points}))


def _individual(record: _Record) -> Individual | None:
    individual_id = record.reference(INDIVIDUAL_KEY)
    fields = record.part(INDIVIDUAL)
    if individual_id is None or fields is None:
        return None
    values = _Record(INDIVIDUAL, {"Id": individual_id, **fields}).values(
        (*INDIVIDUAL_FLAGS, *INDIVIDUAL_STAMP)
    )
    return Individual(individual_id=individual_id, **values)


def _rendered(field: Field, value: Value) -> object:
    if isinstance(value, datetime):
        return render_moment(value)
    if field.kind is Kind.FLAG:
        return bool(value)  # a checkbox is never blank
    return None if value == "" else value


def _utc(moment: datetime) -> datetime:
    assert moment.tzinfo is not None, "moments are aware"
    return moment.astimezone(UTC)
