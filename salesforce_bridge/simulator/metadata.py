"""Objects, validation rules and permission sets, as their metadata files describe them."""

from collections.abc import Iterable
from dataclasses import replace

from salesforce_bridge.simulator.documents import Element
from salesforce_bridge.simulator.schema import (
    Field,
    FieldAccess,
    ObjectAccess,
    ObjectType,
    PermissionSet,
    ValidationRule,
)
from salesforce_bridge.simulator.standard_fields import (
    ID_LENGTH,
    by_name,
    owner_field,
    system_fields,
    text,
)


def read_object(definition: Element, fields: Iterable[Field], *, key_prefix: str) -> ObjectType:
    """A custom object or a hierarchy custom setting, with the fields of every object added."""
    definition.understand(_OBJECT, ignored=_OBJECT_IGNORED)
    setting = definition.maybe("customSettingsType") is not None
    if setting and definition.text("customSettingsType") != "Hierarchy":
        definition.refuse("custom setting other than a hierarchy")
    if definition.text_or("deploymentStatus", "Deployed") != "Deployed":
        definition.refuse("object that is not deployed")
    own = _setting_fields() if setting else (_name_field(definition), owner_field())
    return ObjectType(
        name=definition.name,
        label=definition.text("label"),
        label_plural=definition.text_or("pluralLabel", definition.text("label")),
        key_prefix=key_prefix,
        fields=by_name((*system_fields(), *own, *fields)),
        custom=True,
        custom_setting=setting,
        track_history=definition.flag("enableHistory"),
    )


def read_rule(rule: Element) -> ValidationRule:
    """A validation rule; its condition is compiled once all objects are known."""
    rule.understand(
        {"active", "errorConditionFormula", "errorDisplayField", "errorMessage", "fullName"},
        ignored={"description"},
    )
    return ValidationRule(
        name=rule.text("fullName"),
        active=rule.flag("active"),
        condition=rule.text("errorConditionFormula"),
        message=rule.text("errorMessage"),
        display_field=rule.text_or("errorDisplayField", "") or None,
    )


def read_permission_set(grants: Element) -> PermissionSet:
    """A permission set with all it grants."""
    grants.understand(_GRANTS, ignored=_GRANTS_IGNORED)
    objects = {
        each.text("object"): _object_access(each) for each in grants.children("objectPermissions")
    }
    settings = _enabled(grants, "customSettingAccesses")
    return PermissionSet(
        name=grants.name,
        label=grants.text("label"),
        objects=objects | dict.fromkeys(settings, ObjectAccess(read=True)),
        fields={
            each.text("field"): _field_access(each) for each in grants.children("fieldPermissions")
        },
        custom_permissions=_enabled(grants, "customPermissions"),
        user_permissions=_enabled(grants, "userPermissions"),
    )


def _object_access(each: Element) -> ObjectAccess:
    each.understand({"object", *_VERBS})
    granted = {verb: each.flag(tag) for tag, verb in _VERBS.items()}
    access = ObjectAccess(**granted)
    for verb, needed in _NEEDS.items():
        if getattr(access, verb) and not all(getattr(access, need) for need in needed):
            each.refuse(f"{verb} on {each.text('object')} without {' and '.join(needed)}")
    return access


def _field_access(each: Element) -> FieldAccess:
    each.understand({"editable", "field", "readable"})
    access = FieldAccess(readable=each.flag("readable"), editable=each.flag("editable"))
    if access.editable and not access.readable:
        each.refuse(f"field that may be edited and not read: {each.text('field')}")
    return access


def _enabled(grants: Element, tag: str) -> frozenset[str]:
    for each in grants.children(tag):
        each.understand({"enabled", "name"})
    return frozenset(each.text("name") for each in grants.children(tag) if each.flag("enabled"))


def _name_field(definition: Element) -> Field:
    described = definition.child("nameField")
    described.understand(
        {"displayFormat", "label", "type"}, ignored={"startingNumber", "trackHistory"}
    )
    name = replace(text("Name", described.text("label"), 80, name_field=True), permissionable=False)
    if described.text("type") == "Text":
        return name
    if described.text("type") != "AutoNumber":
        described.refuse(f"name of type {described.text('type')}")
    return replace(
        name,
        nillable=False,
        defaulted_on_create=True,
        createable=False,
        updateable=False,
        auto_number=described.text("displayFormat"),
    )


def _setting_fields() -> tuple[Field, ...]:
    holder = Field(
        name="SetupOwnerId",
        label="Location",
        type="reference",
        length=ID_LENGTH,
        nillable=False,
        updateable=False,
        permissionable=False,
        unique=True,
        reference_to=("Organization", "Profile", "User"),
        relationship_name="SetupOwner",
    )
    return (replace(text("Name", "Name", 38, name_field=True), permissionable=False), holder)


_VERBS = {
    "allowRead": "read",
    "allowCreate": "create",
    "allowEdit": "edit",
    "allowDelete": "delete",
    "viewAllRecords": "view_all",
    "modifyAllRecords": "modify_all",
}
_NEEDS = {
    "create": ("read",),
    "edit": ("read",),
    "delete": ("read", "edit"),
    "view_all": ("read",),
    "modify_all": ("read", "edit", "delete", "view_all"),
}
_OBJECT = {
    "customSettingsType",
    "deploymentStatus",
    "enableHistory",
    "label",
    "nameField",
    "pluralLabel",
}
_OBJECT_IGNORED = {
    "actionOverrides",
    "allowInChatterGroups",
    "compactLayoutAssignment",
    "description",
    "enableActivities",
    "enableBulkApi",
    "enableEnhancedLookup",
    "enableFeeds",
    "enableLicensing",
    "enableReports",
    "enableSearch",
    "enableSharing",
    "enableStreamingApi",
    "externalSharingModel",
    "gender",
    "searchLayouts",
    "sharingModel",
    "startsWith",
    "visibility",
}
_GRANTS = {
    "customPermissions",
    "customSettingAccesses",
    "fieldPermissions",
    "label",
    "objectPermissions",
    "userPermissions",
}
_GRANTS_IGNORED = {
    "applicationVisibilities",
    "classAccesses",
    "description",
    "flowAccesses",
    "hasActivationRequired",
    "license",
    "pageAccesses",
    "recordTypeVisibilities",
    "tabSettings",
}
