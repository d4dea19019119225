"""The objects that every org has before anything is deployed to it."""

from dataclasses import replace

from salesforce_bridge.simulator.schema import Field, ObjectType
from salesforce_bridge.simulator.standard_fields import (
    address,
    by_name,
    choice,
    flag,
    last_activity,
    lead_source,
    lookup,
    merged_into,
    opt_outs,
    owner_field,
    person_name,
    phone,
    preselected,
    system_field,
    system_fields,
    text,
)
from salesforce_bridge.simulator.standard_marketing import (
    campaign,
    campaign_member,
    individual,
)

LEAD_STATUSES = (
    "Open - Not Contacted",
    "Working - Contacted",
    "Closed - Converted",
    "Closed - Not Converted",
)


def standard_objects() -> tuple[ObjectType, ...]:
    """Account, Contact, Lead and what hangs on them, and the few setup objects people look at."""
    return (
        _object("Account", "Accounts", "001", _account(), mergeable=True),
        _object("Contact", "Contacts", "003", _contact(), mergeable=True),
        _object("Lead", "Leads", "00Q", _lead(), mergeable=True),
        individual(),
        campaign(),
        campaign_member(),
        _object("User", "Users", "005", _user(), deletable=False),
        _object(
            "Organization",
            "Organizations",
            "00D",
            _organization(),
            createable=False,
            deletable=False,
        ),
        _object("Profile", "Profiles", "00e", _profile(), createable=False, updateable=False),
        _object("PermissionSet", "Permission Sets", "0PS", _permission_set()),
        _object(
            "PermissionSetAssignment",
            "Permission Set Assignments",
            "0Pa",
            _permission_set_assignment(),
            updateable=False,
        ),
    )


def _account() -> tuple[Field, ...]:
    return (
        *system_fields(),
        merged_into("Account"),
        text("Name", "Account Name", 255, required=True, name_field=True),
        lookup("ParentId", "Parent Account ID", "Account", "Parent", "ChildAccounts"),
        phone("Phone", "Account Phone"),
        phone("Fax", "Account Fax"),
        text("Website", "Website", 255, kind="url"),
        choice("Type", "Account Type", "Customer", "Partner", "Prospect", "Other"),
        choice("Industry", "Industry", "Banking", "Education", "Retail", "Other"),
        text("Description", "Account Description", 32_000, kind="textarea"),
        *address("Billing", "Billing"),
        *address("Shipping", "Shipping"),
        owner_field(),
        last_activity(),
    )


def _contact() -> tuple[Field, ...]:
    return (
        *system_fields(),
        merged_into("Contact"),
        lookup("AccountId", "Account ID", "Account", "Account", "Contacts"),
        *person_name(),
        text("Email", "Email", 80, kind="email"),
        phone("Phone", "Business Phone"),
        phone("MobilePhone", "Mobile Phone"),
        phone("HomePhone", "Home Phone"),
        phone("OtherPhone", "Other Phone"),
        phone("AssistantPhone", "Asst. Phone"),
        phone("Fax", "Business Fax"),
        *address("Mailing", "Mailing"),
        *address("Other", "Other"),
        text("Title", "Title", 128),
        text("Department", "Department", 80),
        text("Description", "Contact Description", 32_000, kind="textarea"),
        Field(name="Birthdate", label="Birthdate", type="date"),
        lookup("ReportsToId", "Reports To ID", "Contact", "ReportsTo", "Reports"),
        lookup("IndividualId", "Individual ID", "Individual", "Individual", "Contacts"),
        lead_source(),
        owner_field(),
        *opt_outs(),
        Field(name="EmailBouncedReason", label="Email Bounced Reason", type="string", length=255),
        Field(name="EmailBouncedDate", label="Email Bounced Date", type="datetime"),
        last_activity(),
    )


def _lead() -> tuple[Field, ...]:
    return (
        *system_fields(),
        merged_into("Lead"),
        *person_name(),
        text("Company", "Company", 255, required=True),
        text("Title", "Title", 128),
        text("Email", "Email", 80, kind="email"),
        phone("Phone", "Phone"),
        phone("MobilePhone", "Mobile Phone"),
        phone("Fax", "Fax"),
        *address("", ""),
        text("Description", "Description", 32_000, kind="textarea"),
        preselected("Status", "Status", *LEAD_STATUSES),
        lookup("IndividualId", "Individual ID", "Individual", "Individual", "Leads"),
        lead_source(),
        owner_field(),
        *opt_outs(),
        *_conversion(),
        last_activity(),
    )


def _conversion() -> tuple[Field, ...]:
    """What a Lead tells about the records that it became."""
    return (
        system_field("IsConverted", "Converted", "boolean"),
        replace(system_field("ConvertedDate", "Converted Date", "date"), nillable=True),
        *(
            replace(
                lookup(f"Converted{name}Id", f"Converted {name} ID", name, f"Converted{name}", ""),
                child_relationship_name=None,
                createable=False,
                updateable=False,
                permissionable=False,
            )
            for name in ("Account", "Contact")
        ),
    )


def _user() -> tuple[Field, ...]:
    return (
        *system_fields(soft_delete=False),
        text("Username", "Username", 80, required=True),
        *person_name(),
        text("Email", "Email", 128, kind="email", required=True),
        text("Alias", "Alias", 8, required=True),
        lookup("ProfileId", "Profile ID", "Profile", "Profile", "Users"),
        flag("IsActive", "Active"),
        choice("UserType", "User Type", "Standard"),
    )


def _organization() -> tuple[Field, ...]:
    return (
        *system_fields(soft_delete=False),
        text("Name", "Name", 80, required=True, name_field=True),
        flag("IsSandbox", "Is Sandbox"),
        text("InstanceName", "Instance Name", 5),
        text("OrganizationType", "Edition", 40),
        text("TimeZoneSidKey", "Time Zone", 40),
    )


def _profile() -> tuple[Field, ...]:
    return (
        *system_fields(soft_delete=False),
        text("Name", "Name", 255, required=True, name_field=True),
    )


def _permission_set() -> tuple[Field, ...]:
    return (
        *system_fields(soft_delete=False),
        text("Name", "Permission Set Name", 80, required=True, name_field=True),
        text("Label", "Permission Set Label", 80, required=True),
        flag("IsOwnedByProfile", "Is Owned By Profile"),
    )


def _permission_set_assignment() -> tuple[Field, ...]:
    return (
        system_field("Id", "Assignment ID", "id", length=18),
        lookup("AssigneeId", "Assignee ID", "User", "Assignee", "PermissionSetAssignments"),
        lookup(
            "PermissionSetId", "PermissionSet ID", "PermissionSet", "PermissionSet", "Assignments"
        ),
        system_field("SystemModstamp", "Date Assigned", "datetime"),
    )


def _object(
    name: str,
    plural: str,
    key_prefix: str,
    fields: tuple[Field, ...],
    *,
    createable: bool = True,
    updateable: bool = True,
    deletable: bool = True,
    mergeable: bool = False,
) -> ObjectType:
    return ObjectType(
        name=name,
        label=plural.removesuffix("s"),
        label_plural=plural,
        key_prefix=key_prefix,
        fields=by_name(fields),
        createable=createable,
        updateable=updateable,
        deletable=deletable and updateable,
        mergeable=mergeable,
    )
