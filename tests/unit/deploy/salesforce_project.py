"""The Salesforce project as values, so that claims about it read as sentences."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lxml import etree

from tests.unit.deploy.metadata_schema import NAMESPACE

PROJECT = Path(__file__).parents[3] / "deploy" / "salesforce"
FORCE_APP = PROJECT / "force-app"
SOURCE = FORCE_APP / "main" / "default"
OPTIONAL = FORCE_APP / "optional"
"""What is deployed only where an org has the objects that it names."""

ROOTS = {
    "compactLayout": "CompactLayout",
    "customPermission": "CustomPermission",
    "field": "CustomField",
    "flow": "Flow",
    "layout": "Layout",
    "listView": "ListView",
    "object": "CustomObject",
    "permissionset": "PermissionSet",
    "tab": "CustomTab",
    "validationRule": "ValidationRule",
}

STANDARD_FIELDS = frozenset(
    f"{name}.{field}"
    for name, fields in {
        "Contact": (
            "DoNotCall HasOptedOutOfEmail HasOptedOutOfFax Email HomePhone IndividualId"
            " MailingAddress MobilePhone OtherPhone Phone"
        ),
        "Individual": (
            "CanStorePiiElsewhere HasOptedOutGeoTracking HasOptedOutProcessing"
            " HasOptedOutProfiling HasOptedOutSolicit HasOptedOutTracking SendIndividualData"
            " ShouldForget"
        ),
        "Lead": "DoNotCall HasOptedOutOfEmail HasOptedOutOfFax IndividualId",
        "Permission__c": "Name OwnerId CreatedById LastModifiedById",
        "Bridge_Heartbeat__c": "Name",
        "Bridge_Status__c": "SetupOwnerId",
    }.items()
    for field in fields.split()
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One custom field as its file describes it."""

    name: str
    kind: str
    label: str
    description: str
    help_text: str
    formula: str
    required: bool
    values: tuple[str, ...]
    document: etree._Element


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What a permission set allows on one object or field, as the names of its true switches."""

    on: str
    allows: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class PermissionSet:
    """One permission set as its file describes it."""

    objects: Mapping[str, Grant]
    fields: Mapping[str, Grant]
    custom_permissions: frozenset[str]
    user_permissions: frozenset[str]

    def editable(self) -> frozenset[str]:
        """The fields its holders may write."""
        return frozenset(on for on, grant in self.fields.items() if "editable" in grant.allows)


def files() -> tuple[Path, ...]:
    """Every metadata file of the project."""
    return tuple(sorted(path for path in FORCE_APP.rglob("*") if path.is_file()))


def kind_of(path: Path) -> str:
    """The metadata type that a file's suffix promises."""
    return ROOTS[path.name.removesuffix("-meta.xml").rpartition(".")[2]]


def name_of(path: Path) -> str:
    """The name that a file's path gives its component."""
    return path.name.removesuffix("-meta.xml").rpartition(".")[0]


def read(path: Path) -> etree._Element:
    """One metadata file, without its comments."""
    return etree.parse(path, etree.XMLParser(remove_comments=True)).getroot()


def text(element: etree._Element, name: str) -> str:
    """The text at a path of tags below an element, or nothing."""
    return element.findtext("/".join(f"{{{NAMESPACE}}}{tag}" for tag in name.split("/"))) or ""


def texts(element: etree._Element, name: str) -> tuple[str, ...]:
    """Every text below an element under that tag, however deep."""
    return tuple(found.text or "" for found in element.iter(f"{{{NAMESPACE}}}{name}"))


def fields() -> dict[str, Field]:
    """Every custom field, by object and name."""
    return {
        f"{path.parents[1].name}.{name_of(path)}": _field(read(path))
        for path in SOURCE.glob("objects/*/fields/*")
    }


def rules() -> dict[str, etree._Element]:
    """Every validation rule, by object and name."""
    return {
        f"{path.parents[1].name}.{name_of(path)}": read(path)
        for path in SOURCE.glob("objects/*/validationRules/*")
    }


def formulas() -> dict[str, str]:
    """Every formula of fields and rules, by object and name."""
    of_fields = {name: field.formula for name, field in fields().items() if field.formula}
    of_rules = {name: text(rule, "errorConditionFormula") for name, rule in rules().items()}
    return of_fields | of_rules


def permission_set(name: str) -> PermissionSet:
    """One permission set, by its name."""
    (path,) = FORCE_APP.rglob(f"{name}.permissionset-meta.xml")
    document = read(path)
    return PermissionSet(
        objects=_grants(document, "objectPermissions", "object"),
        fields=_grants(document, "fieldPermissions", "field"),
        custom_permissions=frozenset(_grants(document, "customPermissions", "name")),
        user_permissions=frozenset(_grants(document, "userPermissions", "name")),
    )


def relationships() -> dict[str, str]:
    """Where each relationship of a formula leads, by object and name."""
    return {
        name.removesuffix("c") + "r": text(field.document, "referenceTo")
        for name, field in fields().items()
        if field.kind == "Lookup"
    }


def field_named_in(reference: str, *, on: str) -> str:
    """The object and field that a name in a formula on an object means."""
    parts = reference.split(".")
    if parts[0] == "$Setup":
        return ".".join(parts[1:])
    if len(parts) > 1:
        return f"{relationships()[f'{on}.{parts[0]}']}.{parts[1]}"
    return f"{on}.{reference}"


def without_texts(formula: str) -> str:
    """A formula without its quoted texts, so that only names and functions are left."""
    return re.sub(r'"[^"]*"', '""', formula)


def _field(document: etree._Element) -> Field:
    return Field(
        name=text(document, "fullName"),
        kind=text(document, "type"),
        label=text(document, "label"),
        description=text(document, "description"),
        help_text=text(document, "inlineHelpText"),
        formula=text(document, "formula"),
        required=text(document, "required") == "true",
        values=tuple(text(value, "fullName") for value in document.iter(f"{{{NAMESPACE}}}value")),
        document=document,
    )


def _grants(document: etree._Element, tag: str, key: str) -> dict[str, Grant]:
    grants = {}
    for entry in document.iterchildren(f"{{{NAMESPACE}}}{tag}"):
        switches = {
            etree.QName(switch).localname
            for switch in entry.iterchildren()
            if switch.text == "true"
        }
        grants[text(entry, key)] = Grant(on=text(entry, key), allows=frozenset(switches))
    return grants
