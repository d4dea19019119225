"""What deleting, restoring and merging a record does to the records that point at it."""

from collections.abc import Iterator

from salesforce_bridge.simulator.accept import twins
from salesforce_bridge.simulator.org import Org
from salesforce_bridge.simulator.refusals import RowRefused
from salesforce_bridge.simulator.schema import Field, ObjectType
from salesforce_bridge.simulator.store import STAMP, Row

_RELEASED = "*released"
"""Kept on a deleted record, unseen by any reader: the lookups that its restoration sets again."""
_CASCADES = frozenset({("Contact", "AccountId")})
"""Standard lookups that behave like master and detail, which no metadata says."""


def let_go(org: Org, object_type: ObjectType, row: Row, marks: Row) -> None:
    """Move a record to the recycle bin; lookups to it are emptied without running rules."""
    record_id = str(row["Id"])
    released: list[str] = []
    for child_type, lookup, child in list(_children(org, object_type, record_id)):
        constraint = lookup.delete_constraint
        if constraint == "Restrict":
            raise RowRefused(
                "DELETE_FAILED",
                f"Your attempt to delete {record_id} could not be completed because it is "
                f"associated with the following {child_type.label_plural}: {child['Id']}",
            )
        if constraint == "Cascade" or (child_type.name, lookup.name) in _CASCADES:
            let_go(org, child_type, child, marks)
        else:
            emptied = {name: value for name, value in child.items() if name != lookup.name}
            org.table(child_type).put(emptied | {STAMP: marks[STAMP]})
        released.append(f"{child_type.name} {lookup.name} {child['Id']}")
    gone = row | marks | {"IsDeleted": True}
    if released:
        gone[_RELEASED] = ";".join(released)
    org.table(object_type).put(gone)


def take_up_again(org: Org, object_type: ObjectType, row: Row, marks: Row) -> None:
    """Restore a record, and the lookups to it that nobody has set since."""
    hidden = {"IsDeleted", "MasterRecordId", _RELEASED}
    restored = {name: value for name, value in row.items() if name not in hidden}
    org.table(object_type).put(restored | marks)
    for entry in filter(None, str(row.get(_RELEASED, "")).split(";")):
        type_name, lookup, child_id = entry.split(" ")
        child_type = org.project.objects[type_name]
        child = org.table(child_type).get(child_id)
        if child is None:
            continue
        if child.get("IsDeleted"):
            if child.get(lookup) == row["Id"]:
                take_up_again(org, child_type, child, marks)
        elif lookup not in child:
            org.table(child_type).put(child | {lookup: row["Id"], STAMP: marks[STAMP]})


def move_children(
    org: Org, object_type: ObjectType, loser: Row, winner_id: str, marks: Row
) -> None:
    """Hand a loser's children to the winner without running rules, then delete the loser."""
    for child_type, lookup, child in list(_children(org, object_type, str(loser["Id"]))):
        moved: Row = child | {lookup.name: winner_id, STAMP: marks[STAMP]}
        if child["Id"] == winner_id:
            del moved[lookup.name]
        if any(twins(org, child_type, names, moved) for names in child_type.unique_together):
            # The winner has this one already: it would be there twice.
            moved = child | marks | {"IsDeleted": True}
        org.table(child_type).put(moved)
    gone = loser | marks | {"IsDeleted": True, "MasterRecordId": winner_id}
    org.table(object_type).put(gone)


def _children(
    org: Org, object_type: ObjectType, record_id: str
) -> Iterator[tuple[ObjectType, Field, Row]]:
    for child_type, lookup in org.project.children(object_type.name):
        if lookup.name == "MasterRecordId" or not child_type.updateable:
            continue
        table = org.table(child_type)
        for child_id in table.holders(lookup, record_id):
            child = table.rows[child_id]
            if not child.get("IsDeleted"):
                yield child_type, lookup, child
