"""A project is read as a deployment would read it, and refused where it would not be honoured."""

import json
from pathlib import Path

import pytest

from salesforce_bridge.simulator.project import load_project
from salesforce_bridge.simulator.schema import (
    FieldAccess,
    ObjectAccess,
    PicklistValue,
    Project,
    ProjectRefused,
)

OBJECT = """
    <deploymentStatus>Deployed</deploymentStatus>
    <label>Wish</label>
    <nameField><displayFormat>W-{0000}</displayFormat><label>Wish Number</label><type>AutoNumber</type></nameField>
    <pluralLabel>Wishes</pluralLabel>
    <sharingModel>ReadWrite</sharingModel>
"""
SETTING = "<customSettingsType>Hierarchy</customSettingsType><label>Health</label>"
HEALTH_AT = "<fullName>At__c</fullName><label>At</label><type>DateTime</type>"
TEXT = "<fullName>Text__c</fullName><label>Text</label><length>40</length><type>Text</type>"
NUMBER = """
    <fullName>Number__c</fullName><label>Number</label><precision>10</precision>
    <scale>2</scale><type>Number</type>
"""
CONTACT = """
    <fullName>Contact__c</fullName><label>Contact</label><referenceTo>Contact</referenceTo>
    <relationshipLabel>Wishes</relationshipLabel><relationshipName>Wishes</relationshipName>
    <type>Lookup</type>
"""
STATUS = """
    <fullName>Status__c</fullName><label>Status</label><trackHistory>true</trackHistory>
    <type>Picklist</type>
    <valueSet><restricted>true</restricted><valueSetDefinition><sorted>false</sorted>
      <value><fullName>Open</fullName><default>true</default><label>Open!</label></value>
      <value><fullName>Shut</fullName><default>false</default><label>Shut</label><isActive>false</isActive></value>
    </valueSetDefinition></valueSet>
"""
RULE = """
    <fullName>Rule</fullName><active>true</active>
    <errorConditionFormula>ISPICKVAL(Status__c, "Open") &amp;&amp; ISBLANK(Text__c)</errorConditionFormula>
    <errorDisplayField>Text__c</errorDisplayField><errorMessage>Say why.</errorMessage>
"""
GRANTS = """
    <customPermissions><enabled>true</enabled><name>May_Wish</name></customPermissions>
    <customSettingAccesses><enabled>true</enabled><name>Health__c</name></customSettingAccesses>
    <fieldPermissions><editable>false</editable><field>Wish__c.Status__c</field><readable>true</readable></fieldPermissions>
    <label>Wishers</label>
    <objectPermissions>
      <allowCreate>true</allowCreate><allowDelete>false</allowDelete><allowEdit>false</allowEdit>
      <allowRead>true</allowRead><modifyAllRecords>false</modifyAllRecords><object>Wish__c</object>
      <viewAllRecords>false</viewAllRecords>
    </objectPermissions>
    <userPermissions><enabled>true</enabled><name>ApiEnabled</name></userPermissions>
"""
UNREAD = {
    "permissionsets/Wishers.permissionset": (
        "PermissionSet",
        GRANTS.replace("<editable>false", "<editable>true").replace(
            "<readable>true", "<readable>false"
        ),
    )
}
SHARED = """
    <fullName>X__c</fullName><label>X</label><type>Picklist</type>
    <valueSet><valueSetName>Words</valueSetName></valueSet>
"""
LIST = SETTING.replace("Hierarchy", "List")
DRAFT = OBJECT.replace("Deployed", "InDevelopment")
ASSIGNMENT = """
    <inputAssignments><field>At__c</field>
      <value><elementReference>$Record.CreatedDate</elementReference></value></inputAssignments>
"""
ORG_DEFAULT = """
    <filters><field>SetupOwnerId</field><operator>EqualTo</operator>
      <value><elementReference>$Organization.Id</elementReference></value></filters>
"""
FLOW = f"""
    <decisions><name>Known</name><defaultConnector><targetReference>Make</targetReference></defaultConnector>
      <rules><name>Yes</name><conditionLogic>and</conditionLogic>
        <conditions><leftValueReference>Look</leftValueReference><operator>IsNull</operator>
          <rightValue><booleanValue>false</booleanValue></rightValue></conditions>
        <connector><targetReference>Change</targetReference></connector></rules></decisions>
    <label>Copy</label><processType>AutoLaunchedFlow</processType>
    <recordCreates><name>Make</name>{ASSIGNMENT}
      <inputAssignments><field>SetupOwnerId</field>
        <value><elementReference>$Organization.Id</elementReference></value></inputAssignments>
      <object>Health__c</object></recordCreates>
    <recordLookups><name>Look</name><connector><targetReference>Known</targetReference></connector>
      {ORG_DEFAULT}<getFirstRecordOnly>true</getFirstRecordOnly><object>Health__c</object>
      <storeOutputAutomatically>true</storeOutputAutomatically></recordLookups>
    <recordUpdates><name>Change</name>{ORG_DEFAULT}{ASSIGNMENT}<object>Health__c</object></recordUpdates>
    <start><connector><targetReference>Look</targetReference></connector><object>Wish__c</object>
      <recordTriggerType>Create</recordTriggerType><triggerType>RecordAfterSave</triggerType></start>
    <status>Active</status>
"""
FILES = {
    "objects/Wish__c/Wish__c.object": ("CustomObject", OBJECT),
    "objects/Wish__c/fields/Text__c.field": ("CustomField", TEXT),
    "objects/Wish__c/fields/Number__c.field": ("CustomField", NUMBER),
    "objects/Wish__c/fields/Contact__c.field": ("CustomField", CONTACT),
    "objects/Wish__c/fields/Status__c.field": ("CustomField", STATUS),
    "objects/Wish__c/validationRules/Rule.validationRule": ("ValidationRule", RULE),
    "objects/Contact/fields/Text__c.field": ("CustomField", TEXT),
    "objects/Health__c/Health__c.object": ("CustomObject", SETTING),
    "objects/Health__c/fields/At__c.field": ("CustomField", HEALTH_AT),
    "permissionsets/Wishers.permissionset": ("PermissionSet", GRANTS),
    "customPermissions/May_Wish.customPermission": ("CustomPermission", "<label>May</label>"),
    "flows/Copy.flow": ("Flow", FLOW),
}


def loaded(root: Path, changes: dict[str, tuple[str, str]] | None = None) -> Project:
    """The project of FILES with some files replaced or added."""
    settings = {"packageDirectories": [{"path": "force-app"}], "sourceApiVersion": "66.0"}
    (root / "sfdx-project.json").write_text(json.dumps(settings), encoding="utf-8")
    for name, (tag, body) in (FILES | (changes or {})).items():
        path = root / "force-app" / "main" / "default" / f"{name}-meta.xml"
        path.parent.mkdir(parents=True, exist_ok=True)
        xmlns = "http://soap.sforce.com/2006/04/metadata"
        path.write_text(f'<{tag} xmlns="{xmlns}">{body}</{tag}>', encoding="utf-8")
    return load_project(root)


def test_objects_and_fields_are_read_with_what_every_record_has(tmp_path: Path) -> None:
    wish = loaded(tmp_path).object("wish__C")
    assert wish is not None
    assert (wish.name, wish.label_plural, wish.key_prefix) == ("Wish__c", "Wishes", "a01")
    assert {"Id", "IsDeleted", "OwnerId", "Name", "SystemModstamp", "Text__c"} <= set(wish.fields)
    text, name = wish.field("TEXT__c"), wish.field("Name")
    assert text is not None
    assert (text.type, text.length, text.custom, text.required) == ("string", 40, True, False)
    assert name is not None
    assert (name.auto_number, name.createable) == ("W-{0000}", False)
    number = wish.fields["Number__c"]
    assert (number.type, number.precision, number.scale) == ("double", 10, 2)


def test_a_lookup_names_the_way_up_and_the_way_down(tmp_path: Path) -> None:
    project = loaded(tmp_path)
    wish = project.objects["Wish__c"]
    lookup = wish.relationship("contact__r")
    assert lookup is wish.fields["Contact__c"]
    assert lookup.reference_to == ("Contact",)
    assert lookup.child_relationship_name == "Wishes__r"
    assert lookup.delete_constraint == "SetNull"
    children = [(child.name, field.name) for child, field in project.children("Contact")]
    assert ("Wish__c", "Contact__c") in children


def test_a_picklist_keeps_its_values_and_its_default(tmp_path: Path) -> None:
    status = loaded(tmp_path).objects["Wish__c"].fields["Status__c"]
    assert status.restricted
    assert status.default == "Open"
    assert status.picklist == (
        PicklistValue(value="Open", label="Open!", active=True, default=True),
        PicklistValue(value="Shut", label="Shut", active=False, default=False),
    )


def test_a_global_value_set_is_shared_by_the_picklists_that_name_it(tmp_path: Path) -> None:
    shared = SHARED.replace("X__c", "Status__c")
    words = "<customValue><fullName>Open</fullName><default>false</default></customValue>"
    project = loaded(
        tmp_path,
        {
            "objects/Wish__c/fields/Status__c.field": ("CustomField", shared),
            "globalValueSets/Words.globalValueSet": ("GlobalValueSet", words),
        },
    )
    status = project.objects["Wish__c"].fields["Status__c"]
    assert [each.value for each in status.picklist] == ["Open"]
    assert status.restricted


def test_a_custom_field_joins_the_standard_ones(tmp_path: Path) -> None:
    contact = loaded(tmp_path).objects["Contact"]
    assert contact.fields["Text__c"].custom
    assert contact.fields["LastName"].required
    assert contact.fields["DoNotCall"].default is False
    assert not contact.custom


def test_a_tracked_field_brings_the_history_object(tmp_path: Path) -> None:
    history = loaded(tmp_path).objects["Wish__History"]
    assert {"ParentId", "Field", "OldValue", "NewValue", "CreatedById"} <= set(history.fields)
    assert not history.createable


def test_tracking_can_be_switched_on_for_a_standard_field(tmp_path: Path) -> None:
    tracked = "<fullName>DoNotCall</fullName><trackHistory>true</trackHistory>"
    project = loaded(tmp_path, {"objects/Contact/fields/DoNotCall.field": ("CustomField", tracked)})
    assert project.objects["Contact"].fields["DoNotCall"].track_history
    assert "ContactId" in project.objects["ContactHistory"].fields


def test_rules_grants_and_flows_are_read(tmp_path: Path) -> None:
    project = loaded(tmp_path)
    (rule,) = project.objects["Wish__c"].validation_rules
    assert (rule.message, rule.display_field, rule.active) == ("Say why.", "Text__c", True)
    grants = project.permission_sets["Wishers"]
    assert grants.objects["Wish__c"] == ObjectAccess(read=True, create=True)
    assert grants.objects["Health__c"] == ObjectAccess(read=True)
    assert grants.fields["Wish__c.Status__c"] == FieldAccess(readable=True, editable=False)
    assert grants.custom_permissions == {"May_Wish"} == project.custom_permissions
    assert grants.user_permissions == {"ApiEnabled"}
    (flow,) = project.flows
    assert (flow.name, flow.trigger_object, flow.target_setting) == ("Copy", "Wish__c", "Health__c")
    assert (flow.on_create, flow.on_update) == (True, False)
    assert flow.assignments == {"At__c": "CreatedDate"}


def test_a_custom_setting_has_a_holder_and_no_owner(tmp_path: Path) -> None:
    health = loaded(tmp_path).objects["Health__c"]
    assert health.custom_setting
    assert "SetupOwnerId" in health.fields
    assert "OwnerId" not in health.fields


def a_field(body: str) -> dict[str, tuple[str, str]]:
    return {"objects/Wish__c/fields/X__c.field": ("CustomField", body)}


def a_formula(text: str) -> dict[str, tuple[str, str]]:
    return a_field(
        f"<fullName>X__c</fullName><formula>{text}</formula><label>X</label><type>Text</type>"
        "<formulaTreatBlanksAs>BlankAsBlank</formulaTreatBlanksAs>"
    )


def a_rule(body: str) -> dict[str, tuple[str, str]]:
    return {"objects/Wish__c/validationRules/Rule.validationRule": ("ValidationRule", body)}


def a_flow(old: str, new: str) -> dict[str, tuple[str, str]]:
    assert old in FLOW
    return {"flows/Copy.flow": ("Flow", FLOW.replace(old, new, 1))}


def grants(old: str, new: str) -> dict[str, tuple[str, str]]:
    assert old in GRANTS
    return {"permissionsets/Wishers.permissionset": ("PermissionSet", GRANTS.replace(old, new, 1))}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        (a_field("<fullName>X__c</fullName><label>X</label><type>Summary</type>"), "type Summary"),
        (a_field("<fullName>Y__c</fullName><label>Y</label><type>Date</type>"), "called Y__c"),
        (a_field(TEXT.replace("Text__c", "X__c") + "<maskType>all</maskType>"), "<maskType>"),
        (a_field(CONTACT.replace("Contact__c", "X__c").replace(">Contact<", ">Nobody<")), "Nobody"),
        (a_field(TEXT.replace("Text__c", "X__c") + "<defaultValue>NOW()</defaultValue>"), "NOW"),
        (a_formula('Status__c = "Open"'), "picklist field"),
        (a_formula("HYPERLINK('x', 'y')"), "Unknown function HYPERLINK"),
        (a_formula("Number__c"), "incompatible with string"),
        (a_formula("Text__c").copy() | {"x/Y.apex": ("ApexClass", "")}, "kind of metadata"),
        (a_rule(RULE.replace("ISBLANK(Text__c)", "ISBLANK(Gone__c)")), "Gone__c does not exist"),
        (a_rule(RULE.replace(">Text__c</errorD", ">Gone__c</errorD")), "no field Gone__c"),
        (a_rule(RULE.replace("ISBLANK(Text__c)", "Text__c")), "Incorrect parameter type"),
        (a_flow("<status>Active", "<status>Draft"), "<status> is Draft"),
        (a_flow("<label>Copy</label>", "<screens/>"), "<screens> in <Flow>"),
        (a_flow("RecordAfterSave", "RecordBeforeSave"), "RecordBeforeSave"),
        (a_flow("$Organization.Id", "$User.Id"), "without SetupOwnerId"),
        (a_flow("$Record.CreatedDate", "$Record.Id"), "otherwise than it updates"),
        (a_flow(">Known<", ">Other<"), "find the setting first"),
        (a_flow("<object>Wish__c", "<object>Gone__c"), "no object Gone__c"),
        (a_flow("<booleanValue>false", "<booleanValue>true"), "update a setting it found"),
        (grants("Wish__c.Status__c", "Wish__c.Gone__c"), "no field Wish__c.Gone__c"),
        (grants("Wish__c.Status__c", "Contact.LastName"), "cannot deploy to a required field"),
        (grants("<object>Wish__c", "<object>Gone__c"), "no object Gone__c"),
        (grants("<name>May_Wish", "<name>May_Fly"), "no custom permission May_Fly"),
        (grants("<allowRead>true", "<allowRead>false"), "create on Wish__c without read"),
        (a_field(TEXT.replace("Text__c", "X__c") + TEXT), "more than one"),
        (a_field(NUMBER.replace("Number__c", "X__c").replace("<scale>2", "<scale>x")), "<scale>"),
        (a_field(TEXT.replace("Text__c", "X__c") + "<unique>maybe</unique>"), "true nor false"),
        (a_field("<fullName>X__c</fullName><label>X</label>"), "without <type>"),
        (a_field(SHARED), "global value set Words"),
        (a_rule(RULE.replace("<errorMessage>Say why.</errorMessage>", "")), "<errorMessage>"),
        (a_flow("EqualTo", "NotEqualTo"), "NotEqualTo"),
        (a_flow("<recordTriggerType>Create", "<recordTriggerType>Delete"), "starts on Delete"),
        (
            a_flow("<object>Health__c</object></recordC", "<object>Wish__c</object></recordC"),
            "Wish__c",
        ),
        (a_flow("<field>At__c", "<field>Gone__c"), "otherwise than it updates"),
        (UNREAD, "edited and not read"),
        ({"objects/Health__c/Health__c.object": ("CustomObject", LIST)}, "other than a hierarchy"),
        ({"objects/Health__c/Health__c.object": ("CustomObject", OBJECT)}, "no hierarchy custom"),
        ({"objects/Wish__c/Wish__c.object": ("CustomObject", DRAFT)}, "not deployed"),
        ({"objects/Gone__c/fields/Text__c.field": ("CustomField", TEXT)}, "object Gone__c"),
        ({"objects/Wish__c/Wish__c.object": ("CustomObject", f"{OBJECT}<x/>")}, "<x>"),
        ({"objects/Wish__c/Wish__c.object": ("Other", OBJECT)}, "expected <CustomObject>"),
        ({"objects/Wish__c/Wish__c.object": ("CustomObject", "<a>")}, "not well-formed"),
    ],
)
def test_what_would_not_be_honoured_is_refused_with_the_name_of_the_file(
    tmp_path: Path, changes: dict[str, tuple[str, str]], reason: str
) -> None:
    with pytest.raises(ProjectRefused) as refused:
        loaded(tmp_path, changes)
    assert reason in str(refused.value)
    assert str(tmp_path) in str(refused.value)


def test_a_name_is_a_text_or_a_number_that_counts_up(tmp_path: Path) -> None:
    texted = OBJECT.replace("<displayFormat>W-{0000}</displayFormat>", "").replace(
        "AutoNumber", "Text"
    )
    project = loaded(tmp_path, {"objects/Wish__c/Wish__c.object": ("CustomObject", texted)})
    name = project.objects["Wish__c"].fields["Name"]
    assert (name.auto_number, name.createable, name.length) == (None, True, 80)


def test_what_only_people_look_at_is_left_aside(tmp_path: Path) -> None:
    default = tmp_path / "force-app" / "main" / "default"
    for name in ("layouts/Wish.layout-meta.xml", "lwc/wish/wish.js", "README.md"):
        path = default / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("anything", encoding="utf-8")
    assert "Wish__c" in loaded(tmp_path).objects


def test_a_folder_that_is_no_project_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ProjectRefused, match=r"sfdx-project\.json"):
        load_project(tmp_path)


@pytest.mark.parametrize("text", ["", "[]", '{"packageDirectories": []}'])
def test_a_project_file_that_says_nothing_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "sfdx-project.json").write_text(text, encoding="utf-8")
    with pytest.raises(ProjectRefused, match="no project file"):
        load_project(tmp_path)


def test_a_document_type_is_refused_for_it_could_make_a_file_explode(tmp_path: Path) -> None:
    loaded(tmp_path)
    path = tmp_path / "force-app/main/default/customPermissions/May_Wish.customPermission-meta.xml"
    path.write_text("<!DOCTYPE x>" + path.read_text(encoding="utf-8"), encoding="utf-8")
    with pytest.raises(ProjectRefused, match="document type"):
        load_project(tmp_path)
