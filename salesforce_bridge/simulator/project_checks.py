"""What a deployment checks once everything is known: names, formulas, grants and flows."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

from salesforce_bridge.simulator.formulas import FormulaRefused, compile_condition, compile_field
from salesforce_bridge.simulator.schema import (
    FlowCopy,
    ObjectType,
    PermissionSet,
    Project,
    ProjectRefused,
)

Origins: TypeAlias = Mapping[tuple[str, str], Path]
"""The file of each component: by object and name, or by kind and name."""


def check_project(project: Project, origins: Origins) -> None:
    """Refuse a project whose parts do not fit together, naming the file at fault."""
    for object_type in project.objects.values():
        _check_lookups(project, object_type, origins)
        _check_formulas(project, object_type, origins)
    for grants in project.permission_sets.values():
        _refuse_first(origins["PermissionSet", grants.name], _grant_problems(project, grants))
    for flow in project.flows:
        _refuse_first(origins["Flow", flow.name], _flow_problems(project, flow))


def _check_lookups(project: Project, object_type: ObjectType, origins: Origins) -> None:
    for field in object_type.fields.values():
        for parent in field.reference_to:
            if project.object(parent) is None:
                where = origins.get((object_type.name, field.name), object_type.name)
                raise ProjectRefused(f"{where}: there is no object {parent}")


def _check_formulas(project: Project, object_type: ObjectType, origins: Origins) -> None:
    for field in object_type.formulas:
        with _blaming(origins[object_type.name, field.name]):
            compile_field(field, object_type, project)
    for rule in object_type.validation_rules:
        path = origins[object_type.name, rule.name]
        with _blaming(path):
            compile_condition(rule, object_type, project)
        if rule.display_field is not None and object_type.field(rule.display_field) is None:
            raise ProjectRefused(f"{path}: there is no field {rule.display_field}")


def _grant_problems(project: Project, grants: PermissionSet) -> Iterator[str]:
    for name in grants.objects:
        if name not in project.objects:
            yield f"there is no object {name}"
    for name in grants.fields:
        object_name, _, field_name = name.partition(".")
        object_type = project.objects.get(object_name)
        field = object_type.fields.get(field_name) if object_type is not None else None
        if field is None:
            yield f"there is no field {name}"
        elif not field.permissionable:
            yield f"You cannot deploy to a required field: {name}"
    for name in sorted(grants.custom_permissions - project.custom_permissions):
        yield f"there is no custom permission {name}"


def _flow_problems(project: Project, flow: FlowCopy) -> Iterator[str]:
    source = project.objects.get(flow.trigger_object)
    target = project.objects.get(flow.target_setting)
    if source is None:
        yield f"there is no object {flow.trigger_object}"
        return
    if target is None or not target.custom_setting:
        yield f"{flow.target_setting} is no hierarchy custom setting"
        return
    for assigned, taken in flow.assignments.items():
        if assigned not in target.fields:
            yield f"there is no field {target.name}.{assigned}"
        if taken not in source.fields:
            yield f"there is no field {source.name}.{taken}"


def _refuse_first(path: Path, problems: Iterator[str]) -> None:
    for problem in problems:
        raise ProjectRefused(f"{path}: {problem}")


@contextmanager
def _blaming(path: Path) -> Iterator[None]:
    try:
        yield
    except FormulaRefused as error:
        raise ProjectRefused(f"{path}: {error}") from error
