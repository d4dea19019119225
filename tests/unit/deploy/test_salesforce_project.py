"""What the Salesforce project promises: files an org accepts, and names that agree everywhere."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from lxml import etree

from tests.unit.deploy import salesforce_project as project
from tests.unit.deploy.metadata_schema import NAMESPACE, Grammar, faults_in, grammar_of

BRIDGE = "Salesforce_Bridge_Integration"
REP = "Salesforce_Bridge_Rep"
ADMIN = "Salesforce_Bridge_Admin"
OPTIONAL = {
    "Salesforce_Bridge_Campaigns": {"Campaign"},
    "Salesforce_Bridge_Individual": {"Contact", "Individual", "Lead"},
    "Salesforce_Bridge_Leads": {"Lead"},
}
RENEW_BY = {"Contact.Permission_Renew_By__c", "Permission__c.Renew_By__c"}
FLAGS = {"Contact.DoNotCall", "Contact.HasOptedOutOfEmail", "Contact.HasOptedOutOfFax"}
PEOPLES_FIELDS = {
    "Permission__c.Contact__c",
    "Permission__c.Purpose__c",
    "Permission__c.Channel__c",
    "Permission__c.Requested_Change__c",
    "Permission__c.Requested_Change_Note__c",
    "Permission__c.Requested_Change_Evidence__c",
}
HIDDEN_FROM_REPS = {"Permission__c.Ledger_Digest__c", "Permission__c.Ledger_Revision__c"}
ANSWERS = {"OK", "Wait", "Do not", "Never asked"}
FUNCTIONS = {"AND", "BLANKVALUE", "CASE", "IF", "ISBLANK", "ISPICKVAL", "NOT", "NOW", "OR", "TEXT"}
FUNCTIONS_OF_RULES = FUNCTIONS | {"ISCHANGED", "ISNEW", "PRIORVALUE"}
STATUSES = ("Permitted", "Asked", "Not asked", "Stopped", "Lapsed", "Limited")


@pytest.fixture(scope="module")
def grammar() -> Grammar:
    return grammar_of(tuple(sorted(set(project.ROOTS.values()))))


@pytest.mark.parametrize(
    "path", project.files(), ids=lambda path: path.name.removesuffix("-meta.xml")
)
def test_a_file_says_only_what_its_metadata_type_knows(path: Path, grammar: Grammar) -> None:
    document = project.read(path)

    assert etree.QName(document).localname == project.kind_of(path)
    assert etree.QName(document).namespace == NAMESPACE
    assert faults_in(document, grammar=grammar) == ()


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        pytest.param(lambda text: text.replace("label>", "labell>"), "labell", id="wrong tag"),
        pytest.param(lambda text: text.replace(">SetNull<", ">SetNil<"), "SetNil", id="wrong enum"),
        pytest.param(lambda text: text.replace(">false<", ">no<"), "'no'", id="wrong boolean"),
        pytest.param(
            lambda text: text.replace("<type>", "<type>Text</type><type>"),
            "takes one type",
            id="said twice",
        ),
    ],
)
def test_a_planted_fault_in_a_field_is_refused(
    spoil: Callable[[str], str], complaint: str, grammar: Grammar
) -> None:
    path = project.SOURCE / "objects/Permission__c/fields/Contact__c.field-meta.xml"
    spoiled = etree.fromstring(spoil(path.read_text()).encode())

    assert any(complaint in fault for fault in faults_in(spoiled, grammar=grammar))


def test_a_rule_without_a_message_is_refused(grammar: Grammar) -> None:
    document = project.rules()["Permission__c.Stop_Is_Kept"]
    for message in document.findall(f"{{{NAMESPACE}}}errorMessage"):
        document.remove(message)

    assert [fault.partition(": ")[2] for fault in faults_in(document, grammar=grammar)] == [
        "ValidationRule needs errorMessage"
    ]


def test_a_file_is_named_after_its_component() -> None:
    named = {path: project.text(project.read(path), "fullName") for path in project.files()}

    assert not {
        path: name for path, name in named.items() if name not in ("", path.name.partition(".")[0])
    }
    assert all(path.name.endswith("-meta.xml") for path in named)


def test_the_project_speaks_one_version_of_the_platform() -> None:
    settings = json.loads((project.PROJECT / "sfdx-project.json").read_text())
    flow = project.read(project.SOURCE / "flows/Bridge_Heartbeat_To_Status.flow-meta.xml")

    assert settings["sourceApiVersion"] == "66.0"
    assert settings["packageDirectories"] == [{"path": "force-app", "default": True}]
    assert project.text(flow, "apiVersion") == settings["sourceApiVersion"]


@pytest.mark.parametrize("name", sorted(project.fields()))
def test_a_field_explains_itself_within_the_limits_of_the_platform(name: str) -> None:
    field = project.fields()[name]

    assert 0 < len(field.label) <= 40
    assert 0 < len(field.description) <= 1000
    assert 0 < len(field.help_text) <= 255
    assert not re.search(r"consent|opt-?in", field.label + field.help_text, re.IGNORECASE)


@pytest.mark.parametrize("name", sorted(project.formulas()))
def test_a_formula_uses_only_plain_functions_and_fits(name: str) -> None:
    formula = project.formulas()[name]
    used = set(re.findall(r"([A-Z]+)\s*\(", project.without_texts(formula)))

    assert used <= (FUNCTIONS_OF_RULES if name in project.rules() else FUNCTIONS)
    assert formula.count("(") == formula.count(")")
    assert len(formula) <= 3900


@pytest.mark.parametrize("name", sorted(project.formulas()))
def test_a_formula_names_only_what_exists(name: str) -> None:
    bare = project.without_texts(project.formulas()[name])
    references = set(re.findall(r"\$?[A-Za-z]\w*(?:\.\w+)*(?!\w*\s*\()", bare)) - {"AND", "OR"}
    references -= FUNCTIONS_OF_RULES
    permissions = {reference for reference in references if reference.startswith("$Permission.")}
    known = set(project.fields()) | project.STANDARD_FIELDS
    owner = name.partition(".")[0]

    assert permissions <= {"$Permission.Salesforce_Bridge_Write"}
    assert {
        reference
        for reference in references - permissions
        if project.field_named_in(reference, on=owner) not in known
    } == set()


@pytest.mark.parametrize("name", sorted(project.formulas()))
def test_a_formula_compares_a_picklist_only_with_its_values(name: str) -> None:
    formula = project.formulas()[name]
    owner = name.partition(".")[0]
    compared = re.findall(r'ISPICKVAL\((?:PRIORVALUE\()?([\w.]+)\)?, "([^"]*)"\)', formula)
    for field, cases in re.findall(r"CASE\((\w+),(.*?)\)", formula, re.DOTALL):
        compared += [(field, value) for value in re.findall(r'"([^"]*)", "', cases)]

    assert formula.count("ISPICKVAL(") + formula.count("CASE(") <= len(compared)
    assert {
        (field, value)
        for field, value in compared
        if value not in project.fields()[project.field_named_in(field, on=owner)].values
    } == set()


def test_the_two_formulas_answer_in_the_agreed_words() -> None:
    statuses = set(STATUSES) | {"Partly permitted"}
    others = set(project.fields()["Permission__c.Channel__c"].values)
    others |= set(project.fields()["Permission__c.Requested_Change__c"].values)
    said = {
        name: set(re.findall(r'"([^"]*)"', project.formulas()[name])) - statuses - others
        for name in ("Contact.Contact_Permission__c", "Permission__c.May_Contact__c")
    }

    assert said["Permission__c.May_Contact__c"] == ANSWERS
    assert said["Contact.Contact_Permission__c"] == ANSWERS | {"Partly: see channels"}


def test_every_status_has_an_answer_in_the_formula_of_its_object() -> None:
    for status, formula in (
        ("Contact.Consent_Status__c", "Contact.Contact_Permission__c"),
        ("Permission__c.Consent_Status__c", "Permission__c.May_Contact__c"),
    ):
        for value in project.fields()[status].values:
            assert f'"{value}"' in project.formulas()[formula]


def test_the_picklists_hold_the_agreed_vocabulary_and_nothing_else() -> None:
    values = {name: field.values for name, field in project.fields().items() if field.values}
    bases = (
        "Consent",
        "Contract",
        "Legal obligation",
        "Vital interests",
        "Public task",
        "Legitimate interests",
        "Recognised legitimate interests",
    )

    assert values == {
        "Contact.Lawful_Basis__c": bases,
        "Contact.Consent_Status__c": ("Permitted", "Partly permitted", *STATUSES[1:]),
        "Permission__c.Lawful_Basis__c": bases,
        "Permission__c.Consent_Status__c": STATUSES,
        "Permission__c.Channel__c": (
            "EMAIL",
            "SMS",
            "LIVE_CALL",
            "AUTOCALL",
            "POST",
            "FAX",
            "SOCIAL",
            "IN_APP",
        ),
        "Permission__c.Requested_Change__c": ("Asked us to stop", "Objects", "Gave permission"),
    }
    assert all(
        project.text(project.fields()[name].document, "valueSet/restricted") == "true"
        for name in values
    )


def test_a_row_is_found_by_its_ledger_key_and_outlives_its_contact() -> None:
    key = project.fields()["Permission__c.Ledger_Key__c"].document
    contact = project.fields()["Permission__c.Contact__c"].document

    assert [project.text(key, tag) for tag in ("externalId", "unique", "caseSensitive")] == [
        "true",
        "true",
        "true",
    ]
    assert project.text(contact, "deleteConstraint") == "SetNull"
    assert project.text(contact, "required") == "false"
    assert project.text(contact, "relationshipName") == "Permissions"


@pytest.mark.parametrize("name", sorted(project.rules()))
def test_a_rule_is_active_and_its_message_starts_with_its_own_mark(name: str) -> None:
    rule = project.rules()[name]
    mark = name.partition(".")[2].upper().replace("_", "-")
    message = project.text(rule, "errorMessage")

    assert project.text(rule, "active") == "true"
    assert message.startswith(f"[SB-{mark}] ")
    assert len(message) <= 255
    assert len(project.text(rule, "description")) <= 255
    assert project.text(rule, "errorDisplayField") in {
        "",
        *(field.partition(".")[2] for field in project.fields()),
    }


@pytest.mark.parametrize("owner", ["Contact", "Permission__c"])
def test_a_field_that_only_the_bridge_writes_is_guarded_on_insert_and_on_change(owner: str) -> None:
    formula = project.formulas()[f"{owner}.Result_Fields"]
    guarded = {
        name.partition(".")[2]
        for name in project.permission_set(BRIDGE).editable() - PEOPLES_FIELDS - FLAGS
        if name.startswith(f"{owner}.")
    }
    on_insert, _, on_change = formula.partition("ISCHANGED")

    assert guarded
    assert {name for name in guarded if not re.search(rf"\b{name}\b", on_insert)} == set()
    assert {name for name in guarded if f"({name})" not in on_change} == set()


def test_every_field_that_is_not_required_appears_for_the_bridge_and_for_the_admin() -> None:
    named = {
        name
        for name, field in project.fields().items()
        if not field.required and not name.startswith("Bridge_Status__c.")
    }

    assert named - set(project.permission_set(BRIDGE).fields) == set()
    assert named - set(project.permission_set(ADMIN).fields) == set()
    assert {
        name
        for name in named - set(project.permission_set(REP).fields)
        if not name.startswith("Bridge_Heartbeat__c.")
    } == HIDDEN_FROM_REPS


@pytest.mark.parametrize("name", [BRIDGE, REP, ADMIN, *OPTIONAL])
def test_a_permission_set_names_only_what_a_deployment_accepts(name: str) -> None:
    granted = project.permission_set(name)
    fields = project.fields()

    assert set(granted.fields) - set(fields) - project.STANDARD_FIELDS == set()
    assert not {field for field in granted.fields if field in fields and fields[field].required}
    assert not {field for field in granted.editable() if field in fields and fields[field].formula}
    assert {field.partition(".")[0] for field in granted.fields} <= set(granted.objects)
    assert all("allowRead" in grant.allows for grant in granted.objects.values())
    assert all("readable" in grant.allows for grant in granted.fields.values())
    assert not {on for on, grant in granted.objects.items() if "modifyAllRecords" in grant.allows}


def test_the_bridge_holds_the_least_that_its_work_needs() -> None:
    bridge = project.permission_set(BRIDGE)

    assert bridge.user_permissions == {"ApiEnabled"}
    assert bridge.custom_permissions == {"Salesforce_Bridge_Write"}
    assert {on: grant.allows for on, grant in bridge.objects.items()} == {
        "Account": {"allowRead"},
        "Bridge_Heartbeat__c": {"allowRead", "allowCreate", "allowEdit"},
        "Contact": {"allowRead", "allowEdit", "viewAllRecords"},
        "Permission__c": {
            "allowRead",
            "allowCreate",
            "allowEdit",
            "allowDelete",
            "viewAllRecords",
        },
    }
    assert bridge.editable() & project.STANDARD_FIELDS == FLAGS


def test_what_not_every_org_has_is_named_only_in_permission_sets_of_its_own() -> None:
    for path in project.SOURCE.glob("permissionsets/*"):
        named = project.permission_set(project.name_of(path))
        assert set(named.objects) <= {"Account", "Contact"} | {
            name for name in named.objects if name.endswith("__c")
        }
        assert "Contact.IndividualId" not in named.fields
    assert {project.name_of(path) for path in project.OPTIONAL.rglob("*.xml")} == set(OPTIONAL)
    assert {name: set(project.permission_set(name).objects) for name in OPTIONAL} == OPTIONAL


@pytest.mark.parametrize("name", sorted(OPTIONAL))
def test_an_optional_permission_set_lets_the_bridge_look_and_change_no_field(name: str) -> None:
    granted = project.permission_set(name)

    assert granted.editable() == frozenset()
    assert granted.custom_permissions | granted.user_permissions == frozenset()
    edited = {on for on, grant in granted.objects.items() if grant.allows & {"allowEdit"}}
    # Adding a member to a campaign takes the right to edit that campaign.
    assert edited == ({"Campaign"} if name == "Salesforce_Bridge_Campaigns" else set())
    assert not {
        on for on, grant in granted.objects.items() if grant.allows & {"allowCreate", "allowDelete"}
    }


def test_the_moment_to_renew_is_a_time_that_the_bridge_writes_and_people_read() -> None:
    bridge, rep, admin = (project.permission_set(name) for name in (BRIDGE, REP, ADMIN))

    assert {(project.fields()[name].kind, project.fields()[name].label) for name in RENEW_BY} == {
        ("DateTime", "Renew by")
    }
    assert bridge.editable() >= RENEW_BY
    for people in (rep, admin):
        assert set(people.fields) >= RENEW_BY
        assert not people.editable() & RENEW_BY


def test_the_list_of_what_is_to_be_renewed_holds_permitted_rows_with_a_date() -> None:
    path = project.SOURCE / "objects/Permission__c/listViews/To_Renew.listView-meta.xml"
    view = project.read(path)
    filters = {
        (project.text(each, "field"), project.text(each, "operation"), project.text(each, "value"))
        for each in view.iterfind(f"{{{NAMESPACE}}}filters")
    }
    columns = set(project.texts(view, "columns")) - {"NAME"}

    assert project.text(view, "label") == "To renew"
    assert filters == {
        ("Renew_By__c", "notEqual", ""),
        ("Consent_Status__c", "equals", "Permitted"),
    }
    assert "Renew_By__c" in columns
    assert {f"Permission__c.{name}" for name in columns} <= set(project.fields())


def test_the_lists_of_permissions_are_reached_by_a_tab_that_people_see() -> None:
    tab = project.read(project.SOURCE / "tabs/Permission__c.tab-meta.xml")

    assert project.text(tab, "customObject") == "true"
    for name in (REP, ADMIN):
        (path,) = project.FORCE_APP.rglob(f"{name}.permissionset-meta.xml")
        shown = project.read(path)
        assert project.text(shown, "tabSettings/tab") == "Permission__c"
        assert project.text(shown, "tabSettings/visibility") == "Visible"


def test_the_proof_of_a_yes_is_long_enough_for_a_token() -> None:
    evidence = project.fields()["Permission__c.Requested_Change_Evidence__c"].document

    assert project.text(evidence, "length") == "255"


def test_people_can_edit_requests_but_no_result_and_never_hold_the_permission_of_the_bridge() -> (
    None
):
    rep, admin = project.permission_set(REP), project.permission_set(ADMIN)

    assert rep.editable() == PEOPLES_FIELDS | FLAGS
    assert admin.editable() == PEOPLES_FIELDS
    assert rep.custom_permissions | admin.custom_permissions == frozenset()
    assert rep.user_permissions | admin.user_permissions == frozenset()
    assert "allowDelete" not in rep.objects["Permission__c"].allows
    assert "viewAllRecords" in admin.objects["Permission__c"].allows


@pytest.mark.parametrize("owner", ["Permission__c", "Bridge_Heartbeat__c"])
def test_a_layout_shows_every_field_of_its_object_once_and_no_other(owner: str) -> None:
    (path,) = project.SOURCE.glob(f"layouts/{owner}-*")
    shown = [f"{owner}.{field}" for field in project.texts(project.read(path), "field")]

    assert len(shown) == len(set(shown))
    assert set(shown) - set(project.fields()) <= project.STANDARD_FIELDS
    assert {name for name in project.fields() if name.startswith(f"{owner}.")} <= set(shown)


def test_a_layout_opens_only_the_fields_of_people() -> None:
    (path,) = project.SOURCE.glob("layouts/Permission__c-*")
    opened = {
        f"Permission__c.{project.text(place, 'field')}"
        for place in project.read(path).iter(f"{{{NAMESPACE}}}layoutItems")
        if project.text(place, "behavior") != "Readonly"
    }

    assert opened == PEOPLES_FIELDS | {"Permission__c.OwnerId"}


def test_the_short_and_the_searched_view_of_a_row_name_existing_fields() -> None:
    compact = project.read(
        project.SOURCE
        / "objects/Permission__c/compactLayouts/Permission_Compact.compactLayout-meta.xml"
    )
    described = project.read(project.SOURCE / "objects/Permission__c/Permission__c.object-meta.xml")
    searched = [
        field.text or "" for field in described.iterfind(f"{{{NAMESPACE}}}searchLayouts/{{*}}*")
    ]
    shown = {f"Permission__c.{name}" for name in (*project.texts(compact, "fields"), *searched)}

    assert project.text(described, "compactLayoutAssignment") == "Permission_Compact"
    assert "Permission__c.May_Contact__c" in shown
    assert shown <= set(project.fields()) | project.STANDARD_FIELDS


def test_the_flow_copies_every_heartbeat_into_the_org_default() -> None:
    flow = project.read(project.SOURCE / "flows/Bridge_Heartbeat_To_Status.flow-meta.xml")
    steps = {
        project.text(step, "name"): step
        for tag in ("recordLookups", "decisions", "recordUpdates", "recordCreates")
        for step in flow.iterchildren(f"{{{NAMESPACE}}}{tag}")
    }
    copied = {"Last_Cycle_At__c", "Max_Staleness_Minutes__c"}

    assert project.text(flow, "status") == "Active"
    assert project.text(flow, "start/object") == "Bridge_Heartbeat__c"
    assert project.text(flow, "start/triggerType") == "RecordAfterSave"
    assert project.text(flow, "start/recordTriggerType") == "CreateAndUpdate"
    assert set(project.texts(flow, "targetReference")) == set(steps)
    assert {project.text(step, "object") for step in steps.values()} == {"", "Bridge_Status__c"}
    assert set(project.texts(steps["Update_Org_Default"], "elementReference")) == {
        "$Organization.Id",
        *(f"$Record.{field}" for field in copied),
    }
    assert set(project.texts(steps["Create_Org_Default"], "field")) == copied | {"SetupOwnerId"}
    for owner in ("Bridge_Heartbeat__c", "Bridge_Status__c"):
        assert copied <= {
            name.partition(".")[2] for name in project.fields() if name.startswith(f"{owner}.")
        }
