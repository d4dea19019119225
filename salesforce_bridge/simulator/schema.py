"""The shape of an org: what the simulator knows about objects, fields, permission sets and flows."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from types import MappingProxyType
from typing import TypeAlias

Value: TypeAlias = str | bool | int | float | date | datetime | None
"""What a field holds. Date-times are aware and in UTC; blank text is None, never ''."""


class ProjectRefused(Exception):
    """The metadata asks for something that the simulator would not honour faithfully."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PicklistValue:
    """One choice of a picklist."""

    value: str
    label: str
    active: bool = True
    default: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field as `describe` would tell it, with what deploying it also fixed."""

    name: str
    label: str
    type: str
    length: int = 0
    precision: int = 0
    scale: int = 0
    nillable: bool = True
    default: str | bool | float | None = None
    """A literal stored on create when the caller gives nothing; picklists carry theirs here too."""
    defaulted_on_create: bool = False
    """The platform fills it (OwnerId, Id, CreatedDate), or `default` does."""
    unique: bool = False
    external_id: bool = False
    case_sensitive: bool = False
    restricted: bool = False
    picklist: tuple[PicklistValue, ...] = ()
    reference_to: tuple[str, ...] = ()
    relationship_name: str | None = None
    """The name that climbs to the parent: `Contact__r`, `Account`."""
    child_relationship_name: str | None = None
    """The name that descends from the parent: `Permissions__r`, `Contacts`."""
    delete_constraint: str | None = None
    """What deleting the parent does: `SetNull`, `Restrict` or `Cascade`."""
    formula: str | None = None
    blanks_as_zero: bool = False
    """Whether the formula takes a blank number for 0."""
    createable: bool = True
    updateable: bool = True
    permissionable: bool = True
    """False for fields that no permission set governs: required and system ones."""
    custom: bool = False
    auto_number: str | None = None
    """The display format of an AutoNumber, such as `PERM-{00000}`."""
    name_field: bool = False
    compound: str | None = None
    """The compound field that this one is part of: `Name`, `MailingAddress`."""
    track_history: bool = False
    help_text: str | None = None

    @property
    def calculated(self) -> bool:
        """Whether the value is derived, so that changing it restamps nothing."""
        return self.formula is not None

    @property
    def required(self) -> bool:
        """Whether a create without a value is refused."""
        return not self.nillable and self.createable and not self.defaulted_on_create


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidationRule:
    """A condition under which a save is refused with `message`."""

    name: str
    condition: str
    message: str
    active: bool = True
    display_field: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectType:
    """One object with its fields, keyed by their exact API names."""

    name: str
    label: str
    label_plural: str
    key_prefix: str
    fields: Mapping[str, Field]
    custom: bool = False
    custom_setting: bool = False
    validation_rules: tuple[ValidationRule, ...] = ()
    queryable: bool = True
    createable: bool = True
    updateable: bool = True
    deletable: bool = True
    mergeable: bool = False
    track_history: bool = False
    one_of: tuple[str, ...] = ()
    """Of these fields, one at least must be filled."""
    unique_together: tuple[tuple[str, ...], ...] = ()
    """Fields whose values, where all are filled, no second record may have."""
    duplicate_message: str = ""
    """What the platform says to such a second record."""
    rights_of: str | None = None
    """The object whose rights this one follows: who may edit that one may write this one."""
    _by_lower: Mapping[str, Field] = field(init=False, repr=False, compare=False)
    _by_relationship: Mapping[str, Field] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        by_lower = {name.lower(): found for name, found in self.fields.items()}
        by_relationship = {
            found.relationship_name.lower(): found
            for found in self.fields.values()
            if found.relationship_name is not None
        }
        object.__setattr__(self, "_by_lower", MappingProxyType(by_lower))
        object.__setattr__(self, "_by_relationship", MappingProxyType(by_relationship))

    def field(self, name: str) -> Field | None:
        """The field of that name in any case, for Salesforce never minds the case."""
        return self.fields.get(name) or self._by_lower.get(name.lower())

    def relationship(self, name: str) -> Field | None:
        """The lookup that `name` climbs, such as `Contact__r` or `Account`."""
        return self._by_relationship.get(name.lower())

    @property
    def formulas(self) -> tuple[Field, ...]:
        """The fields that must be evaluated at every read."""
        return tuple(found for found in self.fields.values() if found.calculated)


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectAccess:
    """What one permission set grants on one object."""

    read: bool = False
    create: bool = False
    edit: bool = False
    delete: bool = False
    view_all: bool = False
    modify_all: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldAccess:
    """What one permission set grants on one field."""

    readable: bool = False
    editable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PermissionSet:
    """A named bundle of grants; `fields` is keyed `Object.Field`."""

    name: str
    label: str
    objects: Mapping[str, ObjectAccess]
    fields: Mapping[str, FieldAccess]
    custom_permissions: frozenset[str] = frozenset()
    user_permissions: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowCopy:
    """The one shape of flow we run: a saved record is copied into the org default of a setting."""

    name: str
    trigger_object: str
    on_create: bool
    on_update: bool
    target_setting: str
    assignments: Mapping[str, str]
    """Which field of the setting takes which field of the saved record."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """Everything that was deployed to the org, merged with what every org has."""

    objects: Mapping[str, ObjectType]
    permission_sets: Mapping[str, PermissionSet]
    custom_permissions: frozenset[str]
    flows: tuple[FlowCopy, ...]
    api_version: str
    _by_lower: Mapping[str, ObjectType] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        by_lower = {name.lower(): found for name, found in self.objects.items()}
        object.__setattr__(self, "_by_lower", MappingProxyType(by_lower))

    def object(self, name: str) -> ObjectType | None:
        """The object of that name in any case."""
        return self.objects.get(name) or self._by_lower.get(name.lower())

    def children(self, parent: str) -> Iterator[tuple[ObjectType, Field]]:
        """Every lookup that points at `parent`, with the object that holds it."""
        for child in self.objects.values():
            for found in child.fields.values():
                if parent in found.reference_to:
                    yield child, found
