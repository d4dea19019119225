"""Changes that an administrator makes to a deployed schema, to the bridge's sorrow."""

from dataclasses import replace

from salesforce_bridge.simulator.refusals import RequestRefused
from salesforce_bridge.simulator.schema import FieldAccess, ObjectType, Project


def change_field_access(
    project: Project, permission_set: str, field: str, *, readable: bool, editable: bool
) -> Project:
    """Change what a permission set gives on `Object.Field`."""
    found = project.permission_sets.get(permission_set)
    if found is None:
        raise _unknown("permission set", permission_set)
    fields = {**found.fields, field: FieldAccess(readable=readable, editable=editable)}
    changed = replace(found, fields=fields)
    return replace(project, permission_sets={**project.permission_sets, changed.name: changed})


def without_field(project: Project, object_name: str, field: str) -> Project:
    """Delete a field, and the rules and formulas that would no longer compile."""
    found = _object(project, object_name)
    if field not in found.fields:
        raise _unknown("field", f"{object_name}.{field}")
    kept = {
        name: each
        for name, each in found.fields.items()
        if name != field and not (each.formula and field in each.formula)
    }
    rules = tuple(rule for rule in found.validation_rules if field not in rule.condition)
    changed = replace(found, fields=kept, validation_rules=rules)
    return replace(project, objects={**project.objects, changed.name: changed})


def change_rule(project: Project, object_name: str, rule: str, *, active: bool) -> Project:
    """Switch a validation rule on or off."""
    found = _object(project, object_name)
    if rule not in {each.name for each in found.validation_rules}:
        raise _unknown("validation rule", f"{object_name}.{rule}")
    rules = tuple(
        replace(each, active=active) if each.name == rule else each
        for each in found.validation_rules
    )
    changed = replace(found, validation_rules=rules)
    return replace(project, objects={**project.objects, changed.name: changed})


def change_choice(
    project: Project, object_name: str, field: str, choice: str, *, active: bool
) -> Project:
    """Retire a picklist value, or bring it back."""
    found = _object(project, object_name)
    changed_field = found.fields.get(field)
    if changed_field is None or choice not in {each.value for each in changed_field.picklist}:
        raise _unknown("picklist value", f"{object_name}.{field}: {choice}")
    picklist = tuple(
        replace(each, active=active) if each.value == choice else each
        for each in changed_field.picklist
    )
    fields = {**found.fields, field: replace(changed_field, picklist=picklist)}
    changed = replace(found, fields=fields)
    return replace(project, objects={**project.objects, changed.name: changed})


def _object(project: Project, name: str) -> ObjectType:
    found = project.object(name)
    if found is None:
        raise _unknown("object", name)
    return found


def _unknown(kind: str, name: str) -> RequestRefused:
    return RequestRefused(400, "NOT_FOUND", f"the project has no {kind} {name}")
