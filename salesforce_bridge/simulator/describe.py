"""What `/sobjects` and `/sobjects/X/describe` answer: the schema as one user sees it."""

from collections.abc import Iterable, Mapping

from salesforce_bridge.simulator.access import UserAccess
from salesforce_bridge.simulator.refusals import Json
from salesforce_bridge.simulator.schema import Field, ObjectType, PicklistValue, Project


def describe_global(
    project: Project, access: UserAccess, *, version: str | None = None
) -> dict[str, Json]:
    """The list of objects that the user can see at all."""
    return {
        "encoding": "UTF-8",
        "maxBatchSize": 200,
        "sobjects": [
            _summary(object_type, access, version or project.api_version)
            for name, object_type in sorted(project.objects.items())
            if access.can(name, "read")
        ],
    }


def describe(
    object_type: ObjectType,
    access: UserAccess,
    *,
    children: Iterable[tuple[ObjectType, Field]] = (),
    version: str = "66.0",
) -> dict[str, Json]:
    """One object with the fields that the user can see, read-only where they are for that user."""
    name = object_type.name
    fields = [
        each for each in object_type.fields.values() if access.field_readable(name, each.name)
    ]
    return {
        **_summary(object_type, access, version),
        "fields": [
            _field(each, editable=access.field_editable(name, each.name)) for each in fields
        ],
        "childRelationships": [
            _child(child, field)
            for child, field in children
            if access.field_readable(child.name, field.name)
        ],
        "recordTypeInfos": [],
        "supportedScopes": [{"label": "All records", "name": "everything"}],
    }


def _summary(object_type: ObjectType, access: UserAccess, version: str) -> dict[str, Json]:
    name = object_type.name
    deletable = object_type.deletable and access.can(name, "delete")
    updateable = object_type.updateable and access.can(name, "edit")
    resource = f"/services/data/v{version}/sobjects/{name}"
    return {
        "activateable": False,
        "createable": object_type.createable and access.can(name, "create"),
        "custom": object_type.custom,
        "customSetting": object_type.custom_setting,
        "deletable": deletable,
        "deprecatedAndHidden": False,
        "feedEnabled": False,
        "keyPrefix": object_type.key_prefix,
        "label": object_type.label,
        "labelPlural": object_type.label_plural,
        "layoutable": not object_type.custom_setting,
        "mergeable": object_type.mergeable and deletable,
        "mruEnabled": False,
        "name": name,
        "queryable": object_type.queryable,
        "replicateable": True,
        "retrieveable": True,
        "searchable": not object_type.custom_setting,
        "triggerable": not object_type.custom_setting,
        "undeletable": deletable and "IsDeleted" in object_type.fields,
        "updateable": updateable,
        "urls": {
            "sobject": resource,
            "describe": f"{resource}/describe",
            "rowTemplate": f"{resource}/{{ID}}",
        },
    }


def _field(field: Field, *, editable: bool) -> dict[str, Json]:
    text = field.type in _TEXT
    long_text = field.type == "textarea" and field.length > _FILTERABLE_MAX
    sortable = not long_text and field.type not in {"address", "multipicklist"}
    return {
        "autoNumber": field.auto_number is not None,
        "byteLength": field.length * (3 if text else 1),
        "calculated": field.calculated,
        "calculatedFormula": field.formula,
        "caseSensitive": field.case_sensitive,
        "compoundFieldName": field.compound,
        "controllerName": None,
        "createable": field.createable and editable,
        "custom": field.custom,
        "defaultValue": field.default if isinstance(field.default, bool | str) else None,
        "defaultedOnCreate": field.defaulted_on_create,
        "dependentPicklist": False,
        "deprecatedAndHidden": False,
        "digits": field.precision if field.type == "int" else 0,
        "encrypted": False,
        "externalId": field.external_id,
        "filterable": not long_text and field.type != "address",
        "groupable": sortable and not field.calculated and field.type not in _UNGROUPABLE,
        "htmlFormatted": False,
        "idLookup": _id_lookup(field),
        "inlineHelpText": field.help_text,
        "label": field.label,
        "length": field.length,
        "name": field.name,
        "nameField": field.name_field,
        "nillable": field.nillable,
        "permissionable": field.permissionable,
        "picklistValues": [_choice(each) for each in field.picklist],
        "precision": field.precision,
        "referenceTo": list(field.reference_to),
        "relationshipName": field.relationship_name,
        "restrictedPicklist": field.restricted,
        "scale": field.scale,
        "soapType": _SOAP_TYPES.get(field.type, "xsd:string"),
        "sortable": sortable,
        "type": field.type,
        "unique": field.unique,
        "updateable": field.updateable and editable,
    }


def _id_lookup(field: Field) -> bool:
    """Whether records can be found by this field's value when they are upserted."""
    return field.type == "id" or field.external_id or (field.type == "email" and not field.custom)


def _choice(choice: PicklistValue) -> dict[str, Json]:
    return {
        "active": choice.active,
        "defaultValue": choice.default,
        "label": choice.label,
        "validFor": None,
        "value": choice.value,
    }


def _child(child: ObjectType, field: Field) -> dict[str, Json]:
    return {
        "cascadeDelete": field.delete_constraint == "Cascade",
        "childSObject": child.name,
        "deprecatedAndHidden": False,
        "field": field.name,
        "relationshipName": field.child_relationship_name,
        "restrictedDelete": field.delete_constraint == "Restrict",
    }


_FILTERABLE_MAX = 255
_TEXT = {
    "email",
    "id",
    "multipicklist",
    "phone",
    "picklist",
    "reference",
    "string",
    "textarea",
    "url",
}
_UNGROUPABLE = {"currency", "datetime", "double", "percent"}
_SOAP_TYPES: Mapping[str, str] = {
    "address": "urn:address",
    "boolean": "xsd:boolean",
    "currency": "xsd:double",
    "date": "xsd:date",
    "datetime": "xsd:dateTime",
    "double": "xsd:double",
    "id": "tns:ID",
    "int": "xsd:int",
    "percent": "xsd:double",
    "reference": "tns:ID",
}
