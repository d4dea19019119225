"""Whether the org has what the bridge needs: every field, its type, its room, its words and our access."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from http import HTTPStatus

from salesforce_bridge.reconcile.intent import Target
from salesforce_bridge.salesforce.client import Answer, Client, Part, Reply, Resend
from salesforce_bridge.salesforce.complaints import complaints_of
from salesforce_bridge.salesforce.faults import AnswerMalformed, fault, translate
from salesforce_bridge.salesforce.fields import (
    CONTACT_FIELDS,
    CONTACT_FLAGS,
    CONTACT_QUERY,
    HEARTBEAT,
    HEARTBEAT_FIELDS,
    HEARTBEAT_KEY,
    KEY_FIELD,
    ROW_FIELDS,
    ROW_NOTES,
    ROW_QUERY,
    ROW_REQUEST,
    Field,
    Kind,
)


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Finding:
    """Something the org lacks, and what an admin does about it."""

    object: str
    field: str  # empty where it is about the whole object
    what: str
    fix: str


def check_schema(client: Client, *, channels: Collection[str] = ()) -> tuple[Finding, ...]:
    """Compare the org with what the bridge reads and writes; one API call."""
    tables = _tables(frozenset(channels))
    parts = tuple(Part(method="GET", path=f"sobjects/{table.name}/describe") for table in tables)

    def read(answer: Answer) -> list[_Described | None]:
        return [_described(reply) for reply in answer.replies]

    described = client.composite(parts, resend=Resend.ALWAYS, read=read)
    findings: list[Finding] = []
    for table, found in zip(tables, described, strict=True):
        findings.extend(_missing_object(table) if found is None else _differences(table, found))
    return tuple(findings)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Table:
    name: str
    access: tuple[str, ...]  # flags of the describe that must be true
    fields: tuple[Field, ...]
    read: tuple[str, ...]
    key: str | None = None
    created: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class _Described:
    flags: Mapping[str, object]
    fields: Mapping[str, Mapping[str, object]] = field(default_factory=dict)


_DEPLOY = "deploy the project in deploy/salesforce"
_ASSIGN = "assign the permission set Salesforce_Bridge_Integration to the integration user"
_TYPES: Mapping[Kind, frozenset[str]] = {
    Kind.TEXT: frozenset({"string", "textarea", "picklist", "url", "email", "phone"}),
    Kind.PICKLIST: frozenset({"picklist"}),
    Kind.MOMENT: frozenset({"datetime"}),
    Kind.FLAG: frozenset({"boolean"}),
    Kind.NUMBER: frozenset({"double", "int", "long"}),
    Kind.REFERENCE: frozenset({"reference"}),
}


def _tables(channels: frozenset[str]) -> tuple[_Table, ...]:
    rows = tuple(
        replace(each, values=channels) if each.name == "channel" else each for each in ROW_FIELDS
    )
    return (
        _Table(
            name=Target.CONTACT.value,
            access=("queryable", "updateable"),
            fields=(*CONTACT_FIELDS, *CONTACT_FLAGS),
            read=CONTACT_QUERY,
            created=False,
        ),
        _Table(
            name=Target.ROW.value,
            access=("queryable", "createable", "updateable", "deletable"),
            fields=(*rows, *ROW_REQUEST, *ROW_NOTES),
            read=ROW_QUERY,
            key=KEY_FIELD,
        ),
        _Table(
            name=HEARTBEAT,
            access=("createable", "updateable"),
            fields=HEARTBEAT_FIELDS,
            read=(),
            key=HEARTBEAT_KEY,
        ),
    )


def _described(reply: Reply) -> _Described | None:
    if reply.status != HTTPStatus.OK:
        codes = {complaint.code for complaint in complaints_of(reply.body)}
        if codes & {"NOT_FOUND", "INVALID_TYPE"} or reply.status == HTTPStatus.NOT_FOUND:
            return None
        raise translate(reply.status, reply.body)
    fields = reply.body.get("fields") if isinstance(reply.body, dict) else None
    if not isinstance(reply.body, dict) or not isinstance(fields, list):
        raise fault(AnswerMalformed, "a describe without fields")
    known = {str(each.get("name")): each for each in fields if isinstance(each, dict)}
    return _Described(flags=reply.body, fields=known)


def _missing_object(table: _Table) -> Iterator[Finding]:
    yield Finding(
        object=table.name,
        field="",
        what="the object is not there, or the integration user may not see it",
        fix=f"{_DEPLOY}, then {_ASSIGN}",
    )


def _differences(table: _Table, found: _Described) -> Iterator[Finding]:
    for flag in table.access:
        if found.flags.get(flag) is not True:
            yield Finding(
                object=table.name, field="", what=f"the object is not {flag} for us", fix=_ASSIGN
            )
    wanted = {each.api for each in table.fields}
    for api in (*table.read, *sorted(wanted - set(table.read))):
        if api not in found.fields:
            yield Finding(
                object=table.name,
                field=api,
                what="the field is not there, or hidden from the integration user",
                fix=f"{_DEPLOY}, then {_ASSIGN}",
            )
    for each in table.fields:
        if each.api in found.fields:
            for what, fix in _field_differences(table, each, found.fields[each.api]):
                yield Finding(object=table.name, field=each.api, what=what, fix=fix)


def _field_differences(
    table: _Table, wanted: Field, found: Mapping[str, object]
) -> Iterator[tuple[str, str]]:
    kind = found.get("type")
    if kind not in _TYPES[wanted.kind]:
        yield f"the type is {kind}, not {wanted.kind.value.lower()}", _DEPLOY
        return
    length = found.get("length")
    if wanted.length and isinstance(length, int) and length < wanted.length:
        yield f"it holds {length} characters, {wanted.length} are needed", _DEPLOY
    missing = sorted(wanted.values - _active_values(found)) if wanted.values else []
    # An open picklist takes any word over the API.
    if missing and found.get("restrictedPicklist") is not False:
        yield f"the picklist lacks {', '.join(missing)}", f"activate these values, or {_DEPLOY}"
    yield from _access_differences(table, wanted, found)


def _access_differences(
    table: _Table, wanted: Field, found: Mapping[str, object]
) -> Iterator[tuple[str, str]]:
    if wanted.written and found.get("updateable") is not True:
        yield "the integration user may not edit it", _ASSIGN
    if wanted.written and table.created and found.get("createable") is not True:
        yield "the integration user may not fill it on new records", _ASSIGN
    if wanted.api == table.key and not (found.get("externalId") and found.get("unique")):
        yield "it is not a unique external id", _DEPLOY


def _active_values(found: Mapping[str, object]) -> frozenset[str]:
    values = found.get("picklistValues")
    return frozenset(
        str(each.get("value"))
        for each in (values if isinstance(values, list) else ())
        if isinstance(each, dict) and each.get("active") is True
    )
