"""The fields that standard objects are made of, and those the platform adds to every object."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from salesforce_bridge.simulator.schema import Field, PicklistValue

ID_LENGTH = 18


def by_name(fields: Iterable[Field]) -> Mapping[str, Field]:
    """Fields keyed as an object holds them."""
    return {field.name: field for field in fields}


def system_fields(*, soft_delete: bool = True) -> tuple[Field, ...]:
    """The fields that the platform keeps on every record."""
    deleted = (system_field("IsDeleted", "Deleted", "boolean"),) if soft_delete else ()
    return (
        system_field("Id", "Record ID", "id", length=ID_LENGTH),
        *deleted,
        system_field("CreatedDate", "Created Date", "datetime"),
        _person("CreatedById", "Created By ID", "CreatedBy"),
        system_field("LastModifiedDate", "Last Modified Date", "datetime"),
        _person("LastModifiedById", "Last Modified By ID", "LastModifiedBy"),
        system_field("SystemModstamp", "System Modstamp", "datetime"),
    )


def system_field(name: str, label: str, kind: str, *, length: int = 0) -> Field:
    """A field that nobody writes and no permission set governs."""
    return Field(
        name=name,
        label=label,
        type=kind,
        length=length,
        nillable=False,
        default=False if kind == "boolean" else None,
        defaulted_on_create=True,
        createable=False,
        updateable=False,
        permissionable=False,
    )


def owner_field() -> Field:
    """Whose record it is; the platform fills in who creates it."""
    return Field(
        name="OwnerId",
        label="Owner ID",
        type="reference",
        length=ID_LENGTH,
        nillable=False,
        defaulted_on_create=True,
        permissionable=False,
        reference_to=("User",),
        relationship_name="Owner",
    )


def merged_into(object_name: str) -> Field:
    """The record that a merge kept in this one's place."""
    return Field(
        name="MasterRecordId",
        label="Master Record ID",
        type="reference",
        length=ID_LENGTH,
        createable=False,
        updateable=False,
        permissionable=False,
        reference_to=(object_name,),
        relationship_name="MasterRecord",
    )


def lookup(name: str, label: str, parent: str, up: str, down: str) -> Field:
    """A reference that people may change and that a deleted parent leaves empty."""
    return Field(
        name=name,
        label=label,
        type="reference",
        length=ID_LENGTH,
        reference_to=(parent,),
        relationship_name=up,
        child_relationship_name=down,
        delete_constraint="SetNull",
    )


def text(
    name: str,
    label: str,
    length: int,
    *,
    kind: str = "string",
    required: bool = False,
    name_field: bool = False,
) -> Field:
    """A text of any kind: plain, e-mail, URL, text area."""
    return Field(
        name=name,
        label=label,
        type=kind,
        length=length,
        nillable=not required,
        permissionable=not required,
        name_field=name_field,
    )


def phone(name: str, label: str) -> Field:
    """A phone number, kept as typed."""
    return Field(name=name, label=label, type="phone", length=40)


def flag(name: str, label: str) -> Field:
    """A box that is unticked until someone ticks it."""
    return Field(
        name=name,
        label=label,
        type="boolean",
        nillable=False,
        default=False,
        defaulted_on_create=True,
    )


def choice(name: str, label: str, *values: str) -> Field:
    """A picklist that takes any other text over the API as well."""
    return Field(
        name=name,
        label=label,
        type="picklist",
        length=255,
        picklist=tuple(PicklistValue(value=value, label=value) for value in values),
    )


def preselected(name: str, label: str, *values: str) -> Field:
    """A picklist that is never empty: its first value stands where none was chosen."""
    found = choice(name, label, *values)
    chosen = replace(found.picklist[0], default=True)
    return replace(
        found,
        picklist=(chosen, *found.picklist[1:]),
        default=chosen.value,
        nillable=False,
        defaulted_on_create=True,
        permissionable=False,
    )


def person_name() -> tuple[Field, ...]:
    """The parts of a person's name, and the whole that is made of them."""
    return (
        _name_part("LastName", "Last Name", 80, nillable=False),
        _name_part("FirstName", "First Name", 40),
        _name_part("Salutation", "Salutation", 40, choices=("Mr.", "Ms.", "Mrs.", "Dr.", "Prof.")),
        Field(
            name="Name",
            label="Full Name",
            type="string",
            length=121,
            nillable=False,
            defaulted_on_create=True,
            createable=False,
            updateable=False,
            permissionable=False,
            name_field=True,
        ),
    )


def address(prefix: str, label: str) -> tuple[Field, ...]:
    """The parts of an address, and the whole that decides who may see them."""
    whole = f"{prefix}Address"
    parts = (("Street", "textarea", 255), ("City", "string", 40), ("State", "string", 80))
    more = (("PostalCode", "string", 20), ("Country", "string", 80))
    return (
        *(
            Field(
                name=f"{prefix}{part}",
                label=f"{label} {part}".strip(),
                type=kind,
                length=length,
                permissionable=False,
                compound=whole,
            )
            for part, kind, length in (*parts, *more)
        ),
        Field(
            name=whole,
            label=f"{label} Address".strip(),
            type="address",
            createable=False,
            updateable=False,
        ),
    )


def opt_outs() -> tuple[Field, ...]:
    """The three standard flags by which a person is left alone."""
    return (
        flag("HasOptedOutOfEmail", "Email Opt Out"),
        flag("HasOptedOutOfFax", "Fax Opt Out"),
        flag("DoNotCall", "Do Not Call"),
    )


def lead_source() -> Field:
    """Where a person was heard of first."""
    return choice("LeadSource", "Lead Source", "Web", "Phone Inquiry", "Purchased List", "Other")


def last_activity() -> Field:
    """The day of the last event or task; the simulator has none."""
    return Field(
        name="LastActivityDate",
        label="Last Activity",
        type="date",
        createable=False,
        updateable=False,
        permissionable=False,
    )


def _person(name: str, label: str, up: str) -> Field:
    return Field(
        name=name,
        label=label,
        type="reference",
        length=ID_LENGTH,
        nillable=False,
        defaulted_on_create=True,
        createable=False,
        updateable=False,
        permissionable=False,
        reference_to=("User",),
        relationship_name=up,
    )


def _name_part(
    name: str, label: str, length: int, *, nillable: bool = True, choices: tuple[str, ...] = ()
) -> Field:
    return Field(
        name=name,
        label=label,
        type="picklist" if choices else "string",
        length=length,
        nillable=nillable,
        permissionable=False,
        picklist=tuple(PicklistValue(value=value, label=value) for value in choices),
        compound="Name",
    )
