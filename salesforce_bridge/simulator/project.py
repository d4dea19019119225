"""The SFDX project that is deployed to the org, merged with what every org has."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

import orjson

from salesforce_bridge.simulator.documents import Element, read_document
from salesforce_bridge.simulator.flows import read_flow
from salesforce_bridge.simulator.history import history_of
from salesforce_bridge.simulator.metadata import read_object, read_permission_set, read_rule
from salesforce_bridge.simulator.metadata_fields import (
    adjust_standard_field,
    read_choices,
    read_custom_field,
)
from salesforce_bridge.simulator.project_checks import check_project
from salesforce_bridge.simulator.schema import (
    Field,
    ObjectType,
    PicklistValue,
    Project,
    ProjectRefused,
)
from salesforce_bridge.simulator.standard import standard_objects


def load_project(path: Path | None = None) -> Project:
    """Read a project as a deployment would, refusing whatever would not be honoured."""
    sources = _sources(path or default_project())
    objects = dict(_objects(sources))
    objects |= {history.name: history for history in map(history_of, objects.values()) if history}
    project = Project(
        objects=objects,
        permission_sets={
            grants.name: grants for grants in map(read_permission_set, sources.permission_sets)
        },
        custom_permissions=frozenset(each.name for each in sources.custom_permissions),
        flows=tuple(map(read_flow, sources.flows)),
        api_version=sources.api_version,
    )
    check_project(project, sources.origins)
    return project


def default_project() -> Path:
    """The copy that the wheel carries, else the one beside the checkout."""
    here = Path(__file__).resolve()
    for candidate in (here.parent / "project", here.parents[2] / "deploy" / "salesforce"):
        if (candidate / PROJECT_FILE).is_file():
            return candidate
    raise ProjectRefused(f"no Salesforce project: {candidate} has no {PROJECT_FILE}")


PROJECT_FILE = "sfdx-project.json"

KINDS = {
    ".customPermission-meta.xml": "CustomPermission",
    ".field-meta.xml": "CustomField",
    ".flow-meta.xml": "Flow",
    ".globalValueSet-meta.xml": "GlobalValueSet",
    ".object-meta.xml": "CustomObject",
    ".permissionset-meta.xml": "PermissionSet",
    ".validationRule-meta.xml": "ValidationRule",
}
"""What is read, by how its file is called, with the outermost element it must have."""

IGNORED = (
    # What people see on screen, which the API does not show.
    ".app-meta.xml",
    ".compactLayout-meta.xml",
    ".dashboard-meta.xml",
    ".dashboardFolder-meta.xml",
    ".flexipage-meta.xml",
    ".labels-meta.xml",
    ".layout-meta.xml",
    ".listView-meta.xml",
    ".objectTranslation-meta.xml",
    ".quickAction-meta.xml",
    ".report-meta.xml",
    ".reportFolder-meta.xml",
    ".reportType-meta.xml",
    ".resource-meta.xml",
    ".tab-meta.xml",
    ".translation-meta.xml",
    ".webLink-meta.xml",
    # Lightning components with their styles and tests.
    ".css",
    ".html",
    ".js",
    ".js-meta.xml",
    ".svg",
    # How applications log in, which the simulator is told by its director.
    ".connectedApp-meta.xml",
    ".eca-meta.xml",
    ".ecaGlblOauth-meta.xml",
    ".ecaOauth-meta.xml",
    ".ecaOauthPlcy-meta.xml",
    ".ecaPlcy-meta.xml",
    # For the people and tools that work on the project.
    ".forceignore",
    ".gitignore",
    ".gitkeep",
    ".json",
    ".md",
)
"""What is left aside knowingly, by how its file is called."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sources:
    """The metadata files of a project, read and sorted by what they describe."""

    api_version: str
    documents: Mapping[str, tuple[Element, ...]]

    @property
    def permission_sets(self) -> tuple[Element, ...]:
        return self.documents["PermissionSet"]

    @property
    def custom_permissions(self) -> tuple[Element, ...]:
        return self.documents["CustomPermission"]

    @property
    def flows(self) -> tuple[Element, ...]:
        return self.documents["Flow"]

    @property
    def origins(self) -> Mapping[tuple[str, str], Path]:
        """Where each component comes from: by object and name, or by root and name."""
        return {
            (_object_of(each) or root, each.name): each.path
            for root, found in self.documents.items()
            for each in found
        }

    def of_object(self, root: str, name: str) -> Iterator[Element]:
        """The documents of one kind that belong to an object."""
        return (each for each in self.documents[root] if _object_of(each) == name)


def _sources(root: Path) -> _Sources:
    settings_path = root / PROJECT_FILE
    if not settings_path.is_file():
        raise ProjectRefused(f"{root} is no Salesforce project: it has no {PROJECT_FILE}")
    try:
        settings = orjson.loads(settings_path.read_bytes())
        directories = [root / each["path"] for each in settings["packageDirectories"]]
        api_version = str(settings["sourceApiVersion"])
    except (ValueError, KeyError, TypeError) as error:
        raise ProjectRefused(f"{settings_path} is no project file: {error!r}") from error
    documents: dict[str, list[Element]] = {kind: [] for kind in KINDS.values()}
    for path in chain.from_iterable(map(_files, directories)):
        kind = _kind(path)
        if kind is not None:
            documents[kind].append(read_document(path, kind))
    return _Sources(
        api_version=api_version,
        documents={kind: tuple(found) for kind, found in documents.items()},
    )


def _files(directory: Path) -> Iterable[Path]:
    if not directory.is_dir():
        raise ProjectRefused(f"{directory} does not exist")
    return sorted(path for path in directory.rglob("*") if path.is_file())


def _kind(path: Path) -> str | None:
    for suffix, kind in KINDS.items():
        if path.name.endswith(suffix):
            return kind
    if path.name.endswith(IGNORED):
        return None
    raise ProjectRefused(f"{path}: the simulator does not know this kind of metadata")


def _object_of(document: Element) -> str | None:
    """The object in whose folder a field or a rule lies."""
    folder = document.path.parent
    return folder.parent.name if folder.name in {"fields", "validationRules"} else None


def _objects(sources: _Sources) -> Iterator[tuple[str, ObjectType]]:
    value_sets = {each.name: _value_set(each) for each in sources.documents["GlobalValueSet"]}
    definitions = {each.name: each for each in sources.documents["CustomObject"]}
    standard = {each.name: each for each in standard_objects()}
    for each in (*sources.documents["CustomField"], *sources.documents["ValidationRule"]):
        if _object_of(each) not in definitions.keys() | standard.keys():
            each.refuse(f"object {_object_of(each)}, which is neither standard here nor defined")
    for name, object_type in standard.items():
        yield name, _extended(object_type, sources, value_sets, definitions.pop(name, None))
    for number, (name, definition) in enumerate(sorted(definitions.items())):
        fields = [
            read_custom_field(each, value_sets) for each in sources.of_object("CustomField", name)
        ]
        prefix = f"a0{_DIGITS[number]}"
        yield name, _ruled(read_object(definition, fields, key_prefix=prefix), sources)


def _extended(
    object_type: ObjectType,
    sources: _Sources,
    value_sets: Mapping[str, tuple[PicklistValue, ...]],
    definition: Element | None,
) -> ObjectType:
    """A standard object with what the project adds to it."""
    fields: dict[str, Field] = dict(object_type.fields)
    for each in sources.of_object("CustomField", object_type.name):
        custom = each.name.endswith("__c")
        field = (
            read_custom_field(each, value_sets)
            if custom
            else adjust_standard_field(each, object_type)
        )
        fields[field.name] = field
    tracked = definition is not None and definition.flag("enableHistory")
    return _ruled(replace(object_type, fields=fields, track_history=tracked), sources)


def _ruled(object_type: ObjectType, sources: _Sources) -> ObjectType:
    rules = tuple(map(read_rule, sources.of_object("ValidationRule", object_type.name)))
    return replace(object_type, validation_rules=rules)


def _value_set(document: Element) -> tuple[PicklistValue, ...]:
    document.understand({"customValue"}, ignored={"description", "masterLabel", "sorted"})
    return read_choices(document.children("customValue"))


_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
