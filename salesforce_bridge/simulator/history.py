"""Field history: the object in which the platform keeps who changed a tracked field."""

from salesforce_bridge.simulator.schema import Field, ObjectType
from salesforce_bridge.simulator.standard_fields import ID_LENGTH, by_name, system_fields

KEY_PREFIX = "017"


def history_of(object_type: ObjectType) -> ObjectType | None:
    """The history object of an object that has tracked fields."""
    if not any(field.track_history for field in object_type.fields.values()):
        return None
    custom = object_type.custom
    name = object_type.name.removesuffix("__c") + ("__History" if custom else "History")
    parent = Field(
        name="ParentId" if custom else f"{object_type.name}Id",
        label=f"{object_type.label} ID",
        type="reference",
        length=ID_LENGTH,
        nillable=False,
        createable=False,
        updateable=False,
        permissionable=False,
        reference_to=(object_type.name,),
        relationship_name="Parent" if custom else object_type.name,
        child_relationship_name="Histories",
        delete_constraint="Cascade",
    )
    kept = {"Id", "IsDeleted", "CreatedDate", "CreatedById"}
    return ObjectType(
        name=name,
        label=f"{object_type.label} History",
        label_plural=f"{object_type.label} History",
        key_prefix=KEY_PREFIX,
        fields=by_name(
            (
                *(field for field in system_fields() if field.name in kept),
                parent,
                _told("Field", "Changed Field"),
                _told("DataType", "Datatype"),
                _told("OldValue", "Old Value"),
                _told("NewValue", "New Value"),
            )
        ),
        createable=False,
        updateable=False,
        deletable=False,
    )


def _told(name: str, label: str) -> Field:
    return Field(
        name=name,
        label=label,
        type="string",
        length=255,
        createable=False,
        updateable=False,
        permissionable=False,
    )
