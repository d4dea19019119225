"""Describe tells each user the schema as that user may use it."""

from typing import Any

import pytest

from salesforce_bridge.simulator.access import Profile, UserAccess, grant_access
from salesforce_bridge.simulator.describe import describe, describe_global
from salesforce_bridge.simulator.project import load_project
from salesforce_bridge.simulator.schema import Project

ASKED_FOR = {
    "autoNumber",
    "byteLength",
    "calculated",
    "caseSensitive",
    "compoundFieldName",
    "controllerName",
    "createable",
    "custom",
    "defaultedOnCreate",
    "dependentPicklist",
    "digits",
    "encrypted",
    "externalId",
    "filterable",
    "groupable",
    "idLookup",
    "label",
    "length",
    "name",
    "nillable",
    "permissionable",
    "picklistValues",
    "precision",
    "referenceTo",
    "relationshipName",
    "restrictedPicklist",
    "scale",
    "soapType",
    "sortable",
    "type",
    "unique",
    "updateable",
}


@pytest.fixture(scope="module")
def project() -> Project:
    return load_project()


@pytest.fixture(scope="module")
def admin(project: Project) -> UserAccess:
    return grant_access(project, Profile.ADMIN)


@pytest.fixture(scope="module")
def integration(project: Project) -> UserAccess:
    grants = project.permission_sets["Salesforce_Bridge_Integration"]
    return grant_access(project, Profile.API_ONLY, [grants])


def described(project: Project, name: str, access: UserAccess) -> dict[str, Any]:
    return describe(project.objects[name], access, children=project.children(name))


def fields(project: Project, name: str, access: UserAccess) -> dict[str, dict[str, Any]]:
    return {each["name"]: each for each in described(project, name, access)["fields"]}


def test_an_object_is_described_with_its_abilities(project: Project, admin: UserAccess) -> None:
    permission = described(project, "Permission__c", admin)
    assert permission["keyPrefix"] == project.objects["Permission__c"].key_prefix
    assert permission["custom"] is True
    assert permission["customSetting"] is False
    assert all(permission[able] for able in ("createable", "updateable", "deletable", "queryable"))
    assert permission["urls"]["describe"] == "/services/data/v66.0/sobjects/Permission__c/describe"


def test_a_hidden_field_is_missing_and_a_read_only_one_says_so(
    project: Project, integration: UserAccess
) -> None:
    contact = fields(project, "Contact", integration)
    assert "Title" not in contact
    assert contact["Email"]["updateable"] is False
    assert contact["HasOptedOutOfEmail"]["updateable"] is True
    assert contact["Contact_Permission__c"]["updateable"] is False
    assert contact["Contact_Permission__c"]["calculated"] is True
    assert contact["Id"]["nillable"] is False


def test_a_restricted_picklist_lists_its_values(project: Project, integration: UserAccess) -> None:
    status = fields(project, "Contact", integration)["Consent_Status__c"]
    assert (status["type"], status["restrictedPicklist"]) == ("picklist", True)
    assert {
        "active": True,
        "defaultValue": False,
        "label": "Stopped",
        "validFor": None,
        "value": "Stopped",
    } in status["picklistValues"]


def test_an_external_id_can_be_looked_up(project: Project, integration: UserAccess) -> None:
    key = fields(project, "Permission__c", integration)["Ledger_Key__c"]
    assert (key["externalId"], key["unique"], key["idLookup"]) == (True, True, True)
    assert (key["soapType"], key["length"], key["byteLength"]) == ("xsd:string", 140, 420)


def test_a_lookup_names_its_parent(project: Project, integration: UserAccess) -> None:
    lookup = fields(project, "Permission__c", integration)["Contact__c"]
    assert lookup["referenceTo"] == ["Contact"]
    assert lookup["relationshipName"] == "Contact__r"
    assert lookup["soapType"] == "tns:ID"


def test_every_field_says_all_that_a_client_asks_for(project: Project, admin: UserAccess) -> None:
    for name in project.objects:
        for field in described(project, name, admin)["fields"]:
            assert field.keys() >= ASKED_FOR, f"{name}.{field['name']}"


def test_children_are_told_to_those_who_may_see_the_lookup(
    project: Project, admin: UserAccess
) -> None:
    nobody = grant_access(project, Profile.STANDARD)
    child = ("Permission__c", "Contact__c", "Permissions__r")

    def children(access: UserAccess) -> list[tuple[str, str, str]]:
        return [
            (each["childSObject"], each["field"], each["relationshipName"])
            for each in described(project, "Contact", access)["childRelationships"]
        ]

    assert child in children(admin)
    assert child not in children(nobody)


def test_the_list_of_objects_leaves_out_what_the_user_cannot_see(
    project: Project, admin: UserAccess
) -> None:
    nobody = grant_access(project, Profile.API_ONLY)

    def names(access: UserAccess) -> set[str]:
        listed: Any = describe_global(project, access)["sobjects"]
        return {each["name"] for each in listed}

    assert {"Contact", "Permission__c", "User"} <= names(admin)
    assert "Contact" not in names(nobody)
    assert "User" in names(nobody)
