"""The names we use are the names that are deployed."""

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

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

PROJECT = Path(__file__).parents[3] / "deploy/salesforce/force-app/main/default"
XML = "{http://soap.sforce.com/2006/04/metadata}"
TYPES = {
    "Text": Kind.TEXT,
    "TextArea": Kind.TEXT,
    "LongTextArea": Kind.TEXT,
    "Picklist": Kind.PICKLIST,
    "DateTime": Kind.MOMENT,
    "Checkbox": Kind.FLAG,
    "Number": Kind.NUMBER,
    "Lookup": Kind.REFERENCE,
}
CUSTOM = [
    *(("Contact", field) for field in CONTACT_FIELDS),
    *(("Permission__c", field) for field in (*ROW_FIELDS, *ROW_REQUEST, *ROW_NOTES)),
    *((HEARTBEAT, field) for field in HEARTBEAT_FIELDS),
]


def definition(table: str, api: str) -> ET.Element:
    file = PROJECT / "objects" / table / "fields" / f"{api}.field-meta.xml"
    return ET.parse(file).getroot()


@pytest.mark.parametrize(
    ("table", "field"), CUSTOM, ids=[f"{table}.{field.api}" for table, field in CUSTOM]
)
def test_every_field_is_deployed_as_the_bridge_uses_it(table: str, field: Field) -> None:
    deployed = definition(table, field.api)
    assert TYPES[deployed.findtext(f"{XML}type", "")] is field.kind
    assert int(deployed.findtext(f"{XML}length", "0")) >= field.length
    words = {each.findtext(f"{XML}fullName") for each in deployed.iter(f"{XML}value")}
    assert words >= field.values


@pytest.mark.parametrize(
    ("table", "api"), [("Permission__c", KEY_FIELD), (HEARTBEAT, HEARTBEAT_KEY)]
)
def test_upserts_go_by_unique_external_ids(table: str, api: str) -> None:
    deployed = definition(table, api)
    assert deployed.findtext(f"{XML}externalId") == "true"
    assert deployed.findtext(f"{XML}unique") == "true"


def test_the_permission_set_lets_the_bridge_edit_what_it_writes_and_read_what_it_reads() -> None:
    file = PROJECT / "permissionsets/Salesforce_Bridge_Integration.permissionset-meta.xml"
    granted: dict[str, bool] = {}
    for each in ET.parse(file).getroot().iter(f"{XML}fieldPermissions"):
        granted[each.findtext(f"{XML}field", "")] = each.findtext(f"{XML}editable") == "true"
    written = [(table, field) for table, field in CUSTOM if field.written]
    written += [("Contact", field) for field in CONTACT_FLAGS]
    not_editable = [
        f"{table}.{field.api}"
        for table, field in written
        if not granted.get(f"{table}.{field.api}")
    ]
    assert not_editable == []
    read = [
        f"Contact.{api}" for api in ("Email", "Phone", "MobilePhone", "HomePhone", "OtherPhone")
    ]
    read += [f"Permission__c.{field.api}" for field in ROW_NOTES]
    assert [name for name in read if name not in granted] == []


def test_no_field_is_asked_for_twice() -> None:
    assert len(set(CONTACT_QUERY)) == len(CONTACT_QUERY)
    assert len(set(ROW_QUERY)) == len(ROW_QUERY)
