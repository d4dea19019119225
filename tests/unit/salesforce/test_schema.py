from collections.abc import Mapping
from typing import Any

import pytest

from salesforce_bridge.errors import BridgeError
from salesforce_bridge.reconcile.words import Flag
from salesforce_bridge.salesforce.faults import AccessRefused, AnswerMalformed
from salesforce_bridge.salesforce.fields import (
    CONTACT_FIELDS,
    CONTACT_FLAGS,
    CONTACT_QUERY,
    HEARTBEAT_FIELDS,
    ROW_FIELDS,
    ROW_NOTES,
    ROW_QUERY,
    ROW_REQUEST,
    Field,
    Kind,
)
from salesforce_bridge.salesforce.schema import Finding
from tests.unit.salesforce.scripted import replies, scripted

TYPES = {
    Kind.TEXT: "string",
    Kind.PICKLIST: "picklist",
    Kind.MOMENT: "datetime",
    Kind.FLAG: "boolean",
    Kind.NUMBER: "double",
    Kind.REFERENCE: "reference",
}
CHANNELS = ("EMAIL", "POST")
Described = dict[str, Any]


def described(fields: tuple[Field, ...], read: tuple[str, ...]) -> Described:
    known: dict[str, dict[str, Any]] = {
        api: {"name": api, "type": "string", "updateable": False} for api in read
    }
    for field in fields:
        values = field.values or (frozenset(CHANNELS) if field.name == "channel" else frozenset())
        key = field.api in {"Ledger_Key__c", "Bridge_Key__c"}
        known[field.api] = {
            "name": field.api,
            "type": TYPES[field.kind],
            "length": field.length,
            "updateable": True,
            "createable": True,
            "externalId": key,
            "unique": key,
            "restrictedPicklist": True,
            "picklistValues": [{"value": value, "active": True} for value in sorted(values)],
        }
    access = dict.fromkeys(("queryable", "createable", "updateable", "deletable"), True)
    return {**access, "fields": list(known.values())}


def an_org() -> list[Described]:
    return [
        described((*CONTACT_FIELDS, *CONTACT_FLAGS), CONTACT_QUERY),
        described((*ROW_FIELDS, *ROW_REQUEST, *ROW_NOTES), ROW_QUERY),
        described(HEARTBEAT_FIELDS, ()),
    ]


def field_of(org: list[Described], table: int, api: str) -> dict[str, Any]:
    found: dict[str, Any] = next(each for each in org[table]["fields"] if each["name"] == api)
    return found


def findings(org: list[Any]) -> tuple[Finding, ...]:
    with scripted() as script:
        script.say(replies(*org))
        gateway = script.gateway()
        found = gateway.check_schema(channels=CHANNELS)
        assert gateway.calls == 1
        return found


def test_an_org_that_has_everything_gives_no_findings() -> None:
    assert findings(an_org()) == ()


@pytest.mark.parametrize(
    ("table", "api", "change", "what", "fix"),
    [
        (0, "Consent_Status__c", {"type": "string"}, "the type is string", "deploy"),
        (0, "Permission_Reason__c", {"length": 80}, "it holds 80 characters, 255", "deploy"),
        (0, "Lawful_Basis__c", {"updateable": False}, "may not edit", "permission set"),
        (0, Flag.CALL.value, {"updateable": False}, "may not edit", "permission set"),
        (1, "Purpose__c", {"createable": False}, "may not fill", "permission set"),
        (1, "Ledger_Key__c", {"unique": False}, "unique external id", "deploy"),
        (1, "Ledger_Key__c", {"externalId": False}, "unique external id", "deploy"),
        (1, "Channel__c", {"picklistValues": []}, "lacks EMAIL, POST", "activate"),
        (
            1,
            "Requested_Change__c",
            {"picklistValues": [{"value": "Objects", "active": False}, "odd"]},
            "lacks Asked us to stop, Gave permission, Objects",
            "activate",
        ),
        (1, "Effective_To__c", {"type": "date"}, "the type is date", "deploy"),
        (2, "Max_Staleness_Minutes__c", {"type": "string"}, "not number", "deploy"),
    ],
)
def test_a_field_that_differs_is_found_and_the_fix_is_named(
    table: int, api: str, change: Mapping[str, object], what: str, fix: str
) -> None:
    org = an_org()
    field_of(org, table, api).update(change)
    (finding,) = findings(org)
    assert finding.field == api
    assert what in finding.what
    assert fix in finding.fix


def test_an_open_picklist_may_lack_values() -> None:
    org = an_org()
    field_of(org, 1, "Channel__c").update(picklistValues=None, restrictedPicklist=False)
    assert findings(org) == ()


def test_what_people_write_need_not_be_editable_for_the_bridge() -> None:
    org = an_org()
    field_of(org, 1, "Requested_Change_Note__c").update(updateable=False, createable=False)
    assert findings(org) == ()


def test_a_hidden_field_is_found_on_every_object() -> None:
    for table, api in ((0, "Email"), (0, "Consent_Status__c"), (1, "Id"), (2, "Last_Cycle_At__c")):
        org = an_org()
        org[table]["fields"].remove(field_of(org, table, api))
        (finding,) = findings(org)
        assert (finding.field, "hidden" in finding.what) == (api, True)


def test_an_object_without_access_is_found() -> None:
    org = an_org()
    org[1]["deletable"] = False
    (finding,) = findings(org)
    assert (finding.object, finding.field) == ("Permission__c", "")
    assert "not deletable" in finding.what


@pytest.mark.parametrize("code", ["NOT_FOUND", "INVALID_TYPE"])
def test_a_missing_object_is_found(code: str) -> None:
    org: list[Any] = an_org()
    org[2] = (404, [{"errorCode": code, "message": "m"}])
    (finding,) = findings(org)
    assert (finding.object, finding.field) == ("Bridge_Heartbeat__c", "")
    assert "deploy" in finding.fix


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        ((403, [{"errorCode": "INSUFFICIENT_ACCESS", "message": "m"}]), AccessRefused),
        ({"fields": None}, AnswerMalformed),
        ([], AnswerMalformed),
    ],
)
def test_a_describe_that_fails_is_an_error_and_no_finding(
    reply: object, kind: type[BridgeError]
) -> None:
    org: list[Any] = an_org()
    org[0] = reply
    with scripted() as script:
        script.say(replies(*org))
        gateway = script.gateway(attempts=1)
        with pytest.raises(kind):
            gateway.check_schema()
