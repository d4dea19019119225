"""A profile and permission sets add up to what one user may see and do."""

import pytest

from salesforce_bridge.simulator.access import Profile, UserAccess, grant_access
from salesforce_bridge.simulator.project import load_project
from salesforce_bridge.simulator.schema import (
    FieldAccess,
    ObjectAccess,
    PermissionSet,
    Project,
)


@pytest.fixture(scope="module")
def project() -> Project:
    return load_project()


def a_set(
    objects: dict[str, ObjectAccess] | None = None,
    fields: dict[str, FieldAccess] | None = None,
    *powers: str,
) -> PermissionSet:
    return PermissionSet(
        name="Set",
        label="Set",
        objects=objects or {},
        fields=fields or {},
        user_permissions=frozenset(powers),
    )


READ = ObjectAccess(read=True)
EDIT = ObjectAccess(read=True, edit=True)


def api_user(project: Project, *sets: PermissionSet) -> UserAccess:
    return grant_access(project, Profile.API_ONLY, sets)


def test_an_api_only_user_starts_with_nothing_but_the_api(project: Project) -> None:
    access = api_user(project)
    assert access.api_enabled
    assert not access.can("Contact", "read")
    assert not access.field_readable("Contact", "Id")
    assert access.can("Organization", "read")
    assert access.field_readable("Organization", "IsSandbox")
    assert access.field_readable("PermissionSetAssignment", "AssigneeId")
    assert not access.can("User", "edit")


def test_reading_an_object_shows_its_required_and_system_fields_only(project: Project) -> None:
    access = api_user(project, a_set({"Contact": READ}))
    assert all(
        access.field_readable("Contact", name)
        for name in ("Id", "Name", "LastName", "FirstName", "SystemModstamp", "OwnerId")
    )
    assert not access.field_readable("Contact", "Email")
    assert not access.field_readable("Contact", "Consent_Status__c")
    assert not access.field_editable("Contact", "LastName")


def test_permission_sets_add_up(project: Project) -> None:
    shows = a_set({"Contact": READ}, {"Contact.Email": FieldAccess(readable=True)})
    edits = a_set({"Contact": EDIT}, {"Contact.Phone": FieldAccess(readable=True, editable=True)})
    access = api_user(project, shows, edits)
    assert access.can("Contact", "edit")
    assert access.field_readable("Contact", "Email")
    assert not access.field_editable("Contact", "Email")
    assert access.field_editable("Contact", "Phone")
    assert access.field_editable("Contact", "LastName")


def test_a_grant_on_a_field_is_worth_nothing_without_its_object(project: Project) -> None:
    access = api_user(project, a_set({}, {"Contact.Email": FieldAccess(readable=True)}))
    assert not access.field_readable("Contact", "Email")


def test_an_address_is_granted_as_a_whole(project: Project) -> None:
    whole = FieldAccess(readable=True, editable=True)
    access = api_user(project, a_set({"Contact": EDIT}, {"Contact.MailingAddress": whole}))
    assert access.field_readable("Contact", "MailingCountry")
    assert access.field_editable("Contact", "MailingCountry")
    assert not access.field_editable("Contact", "MailingAddress")
    assert not access.field_readable("Contact", "OtherCountry")


def test_a_formula_is_never_editable(project: Project) -> None:
    admin = grant_access(project, Profile.ADMIN)
    assert admin.field_readable("Permission__c", "May_Contact__c")
    assert not admin.field_editable("Permission__c", "May_Contact__c")


def test_an_administrator_may_do_all_but_hold_a_custom_permission(project: Project) -> None:
    admin = grant_access(project, Profile.ADMIN)
    assert admin.can("Permission__c", "delete")
    assert admin.can("Contact", "view_all")
    assert admin.field_editable("Permission__c", "Consent_Status__c")
    assert admin.can("Bridge_Status__c", "edit")
    assert not admin.has_custom_permission("Salesforce_Bridge_Write")


def test_a_rep_sees_standard_fields_and_custom_ones_by_permission_set(project: Project) -> None:
    bare = grant_access(project, Profile.STANDARD)
    assert bare.can("Contact", "delete")
    assert bare.field_editable("Contact", "DoNotCall")
    assert not bare.field_readable("Contact", "Consent_Status__c")
    assert not bare.can("Permission__c", "read")
    assert not bare.can("Contact", "view_all")
    rep = grant_access(
        project, Profile.STANDARD, [project.permission_sets["Salesforce_Bridge_Rep"]]
    )
    assert rep.field_readable("Contact", "Consent_Status__c")
    assert not rep.field_editable("Contact", "Consent_Status__c")
    assert rep.can("Permission__c", "create")
    assert rep.field_editable("Permission__c", "Requested_Change__c")


def test_not_even_all_data_reaches_a_custom_setting(project: Project) -> None:
    access = api_user(project, a_set({}, {}, "ModifyAllData"))
    assert access.can("Permission__c", "delete")
    assert not access.can("Bridge_Status__c", "read")
    assert api_user(project, a_set({"Bridge_Status__c": READ})).field_readable(
        "Bridge_Status__c", "Last_Cycle_At__c"
    )


def test_the_integration_user_gets_what_the_bridge_needs_and_no_more(project: Project) -> None:
    access = api_user(project, project.permission_sets["Salesforce_Bridge_Integration"])
    assert access.has_custom_permission("Salesforce_Bridge_Write")
    assert access.can("Contact", "view_all")
    assert not access.can("Contact", "create")
    assert not access.can("Contact", "delete")
    assert access.can("Permission__c", "delete")
    assert access.field_readable("Contact", "MailingCountry")
    assert access.field_editable("Contact", "HasOptedOutOfEmail")
    assert not access.field_editable("Contact", "Email")
    assert not access.can("Bridge_Status__c", "edit")
    assert not access.has_user_permission("CustomizeApplication")
