"""What a save sets in motion: history rows, and flows that copy a record into a setting."""

from salesforce_bridge.simulator.org import Org, Saving
from salesforce_bridge.simulator.schema import Field, FlowCopy, ObjectType
from salesforce_bridge.simulator.store import STAMP, Row, Stored


def remember_changes(org: Org, saving: Saving) -> None:
    """Write the field history of a save, where the object keeps one."""
    history = org.history(saving.type)
    if history is None:
        return
    if saving.before is None:
        _remember(org, history, saving, "created", None, None)
        return
    for field in saving.type.fields.values():
        old, new = saving.before.get(field.name), saving.row.get(field.name)
        if field.track_history and old != new:
            _remember(org, history, saving, field.name, _told(field, old), _told(field, new))


def copy_by_flows(org: Org, saving: Saving) -> None:
    """Run the record-triggered flows of the saved record, in system context."""
    for flow in org.project.flows:
        wanted = flow.on_create if saving.before is None else flow.on_update
        if wanted and flow.trigger_object == saving.type.name:
            _copy(org, flow, saving.row)


def _copy(org: Org, flow: FlowCopy, saved: Row) -> None:
    setting = org.project.objects[flow.target_setting]
    table = org.table(setting)
    stamps: Row = {
        "LastModifiedDate": saved["LastModifiedDate"],
        "LastModifiedById": saved["LastModifiedById"],
        STAMP: saved[STAMP],
    }
    current = next(
        (row for row in table.rows.values() if row.get("SetupOwnerId") == org.org_id),
        None,
    )
    row: Row = dict(current) if current is not None else _new_default(org, setting, stamps)
    for target, source in flow.assignments.items():
        value = saved.get(source)
        if value is None:
            row.pop(target, None)
        else:
            row[target] = value
    table.put(row | stamps)


def _new_default(org: Org, setting: ObjectType, stamps: Row) -> Row:
    return {
        "Id": org.issuer.next(setting.key_prefix),
        "SetupOwnerId": org.org_id,
        "Name": f"{setting.label} (Organization)",
        "CreatedDate": stamps["LastModifiedDate"],
        "CreatedById": stamps["LastModifiedById"],
    }


def _remember(
    org: Org,
    history: ObjectType,
    saving: Saving,
    name: str,
    old: Stored | None,
    new: Stored | None,
) -> None:
    saved = saving.row
    parent = next(
        field.name for field in history.fields.values() if saving.type.name in field.reference_to
    )
    row: Row = {
        "Id": org.issuer.next(history.key_prefix),
        parent: saved["Id"],
        "Field": name,
        "CreatedDate": saved[STAMP],
        "CreatedById": saved["LastModifiedById"],
        STAMP: saved[STAMP],
    }
    for column, value in (("OldValue", old), ("NewValue", new)):
        if value is not None:
            row[column] = value
    org.table(history).put(row)


def _told(field: Field, value: Stored | None) -> Stored | None:
    return bool(value) if field.type == "boolean" else value
