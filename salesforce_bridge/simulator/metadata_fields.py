"""Fields, as `*.field-meta.xml` describes them."""

from collections.abc import Mapping
from dataclasses import replace

from salesforce_bridge.simulator.documents import Element
from salesforce_bridge.simulator.formula_syntax import FormulaRefused, Literal, parse
from salesforce_bridge.simulator.schema import Field, ObjectType, PicklistValue
from salesforce_bridge.simulator.standard_fields import ID_LENGTH


def read_custom_field(field: Element, value_sets: Mapping[str, tuple[PicklistValue, ...]]) -> Field:
    """A custom field with all that deploying it fixes."""
    field.understand(_KNOWN, ignored=_IGNORED)
    kind, name = field.text("type"), field.text("fullName")
    if kind not in _TYPES:
        field.refuse(f"field of type {kind}")
    if name != field.name or not name.endswith("__c"):
        field.refuse(f"field called {name} in a file called {field.name}")
    picklist = _picklist(field, value_sets) if _TYPES[kind] in _CHOICES else ()
    default = _default(field, kind, picklist)
    required = field.flag("required") or kind == "MasterDetail"
    formula = field.text_or("formula", "") or None
    writable = formula is None and kind != "AutoNumber"
    return replace(
        _related(field, kind, name),
        length=_length(field, kind),
        precision=field.number("precision"),
        scale=field.number("scale"),
        nillable=not required and kind != "Checkbox",
        default=default,
        defaulted_on_create=default is not None,
        unique=field.flag("unique"),
        external_id=field.flag("externalId"),
        case_sensitive=field.flag("caseSensitive"),
        restricted=_restricted(field),
        picklist=picklist,
        formula=formula,
        blanks_as_zero=formula is not None and _blanks_as_zero(field),
        createable=writable,
        updateable=writable,
        permissionable=not required,
        auto_number=field.text("displayFormat") if kind == "AutoNumber" else None,
        track_history=field.flag("trackHistory"),
        help_text=field.text_or("inlineHelpText", "") or None,
    )


def adjust_standard_field(field: Element, of: ObjectType) -> Field:
    """A standard field whose history tracking was switched on or off; nothing else may differ."""
    field.understand({"fullName", "trackHistory"}, ignored=_IGNORED | {"type", "label"})
    found = of.field(field.text("fullName"))
    if found is None:
        field.refuse(f"standard field {of.name}.{field.text('fullName')}")
    return replace(found, track_history=field.flag("trackHistory"))


def read_choices(values: tuple[Element, ...]) -> tuple[PicklistValue, ...]:
    """The values of a picklist or of a global value set."""
    for value in values:
        value.understand(
            {"fullName", "label", "default", "isActive"}, ignored={"color", "description"}
        )
    return tuple(
        PicklistValue(
            value=value.text("fullName"),
            label=value.text_or("label", value.text("fullName")),
            active=value.flag("isActive", default=True),
            default=value.flag("default"),
        )
        for value in values
    )


def _related(field: Element, kind: str, name: str) -> Field:
    plain = Field(name=name, label=field.text("label"), type=_TYPES[kind], custom=True)
    if kind not in {"Lookup", "MasterDetail"}:
        return plain
    down = field.text_or("relationshipName", "")
    constraint = "Cascade" if kind == "MasterDetail" else "SetNull"
    return replace(
        plain,
        reference_to=(field.text("referenceTo"),),
        relationship_name=name.removesuffix("__c") + "__r",
        child_relationship_name=f"{down}__r" if down else None,
        delete_constraint=field.text_or("deleteConstraint", constraint),
    )


def _length(field: Element, kind: str) -> int:
    if kind == "Text" and field.maybe("formula") is None:
        return int(field.text("length"))
    return field.number("length") or _LENGTHS.get(kind, 0)


def _blanks_as_zero(field: Element) -> bool:
    said = field.text("formulaTreatBlanksAs")
    if said not in {"BlankAsBlank", "BlankAsZero"}:
        field.refuse(f"treatment of blanks called {said}")
    return said == "BlankAsZero"


def _restricted(field: Element) -> bool:
    value_set = field.maybe("valueSet")
    if value_set is None:
        return False
    # Taking values from a global set restricts a picklist to them.
    return value_set.flag("restricted") or value_set.maybe("valueSetName") is not None


def _picklist(
    field: Element, value_sets: Mapping[str, tuple[PicklistValue, ...]]
) -> tuple[PicklistValue, ...]:
    value_set = field.child("valueSet")
    value_set.understand({"restricted", "valueSetDefinition", "valueSetName"})
    name = value_set.text_or("valueSetName", "")
    if name and name not in value_sets:
        field.refuse(f"global value set {name}")
    if name:
        return value_sets[name]
    definition = value_set.child("valueSetDefinition")
    definition.understand({"value"}, ignored={"sorted"})
    return read_choices(definition.children("value"))


def _default(
    field: Element, kind: str, picklist: tuple[PicklistValue, ...]
) -> str | bool | float | None:
    if kind == "Checkbox":
        return False if field.maybe("formula") else field.flag("defaultValue")
    chosen = [choice.value for choice in picklist if choice.default]
    if chosen:
        return chosen[0]
    text = field.text_or("defaultValue", "")
    if not text:
        return None
    try:
        tree = parse(text)
    except FormulaRefused as error:
        field.refuse(f"default value {text}: {error}")
    if not isinstance(tree, Literal) or not isinstance(tree.value, str | float | int):
        field.refuse(f"default value that is calculated: {text}")
    return tree.value


_TYPES = {
    "AutoNumber": "string",
    "Checkbox": "boolean",
    "Currency": "currency",
    "Date": "date",
    "DateTime": "datetime",
    "Email": "email",
    "LongTextArea": "textarea",
    "Lookup": "reference",
    "MasterDetail": "reference",
    "MultiselectPicklist": "multipicklist",
    "Number": "double",
    "Percent": "percent",
    "Phone": "phone",
    "Picklist": "picklist",
    "Text": "string",
    "TextArea": "textarea",
    "Url": "url",
}
_CHOICES = {"picklist", "multipicklist"}
_LENGTHS = {
    "AutoNumber": 30,
    "Email": 80,
    "Lookup": ID_LENGTH,
    "MasterDetail": ID_LENGTH,
    "MultiselectPicklist": 4099,
    "Phone": 40,
    "Picklist": 255,
    "Text": 1300,  # of a formula, which states none
    "TextArea": 255,
    "Url": 255,
}
_KNOWN = {
    "caseSensitive",
    "defaultValue",
    "deleteConstraint",
    "displayFormat",
    "externalId",
    "formula",
    "formulaTreatBlanksAs",
    "fullName",
    "inlineHelpText",
    "label",
    "length",
    "precision",
    "referenceTo",
    "relationshipName",
    "required",
    "scale",
    "trackHistory",
    "type",
    "unique",
    "valueSet",
}
_IGNORED = {
    "businessOwnerGroup",
    "businessOwnerUser",
    "businessStatus",
    "complianceGroup",
    "description",
    "relationshipLabel",
    "relationshipOrder",
    "reparentableMasterDetail",
    "securityClassification",
    "startingNumber",
    "trackFeedHistory",
    "trackTrending",
    "visibleLines",
    "writeRequiresMasterRead",
}
