"""What one user may see and do: the profile, plus whatever the permission sets add."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from salesforce_bridge.simulator.history import KEY_PREFIX
from salesforce_bridge.simulator.schema import (
    Field,
    FieldAccess,
    ObjectAccess,
    ObjectType,
    PermissionSet,
    Project,
)


class Profile(StrEnum):
    """The standard profiles that the simulator knows."""

    ADMIN = "System Administrator"
    STANDARD = "Standard User"
    API_ONLY = "Minimum Access - API Only Integrations"


@dataclass(frozen=True, slots=True, kw_only=True)
class UserAccess:
    """The sum of all grants, worked out once when the user logs in."""

    profile: Profile
    objects: Mapping[str, ObjectAccess]
    readable: Mapping[str, frozenset[str]]
    """By object: the fields the user can see at all."""
    editable: Mapping[str, frozenset[str]]
    """By object: the fields the user can write, on create or on update."""
    custom_permissions: frozenset[str]
    user_permissions: frozenset[str]

    def can(self, object_name: str, verb: str) -> bool:
        """Whether `read`, `create`, `edit`, `delete`, `view_all` or `modify_all` is granted."""
        access = self.objects.get(object_name)
        return access is not None and bool(getattr(access, verb))

    def field_readable(self, object_name: str, field_name: str) -> bool:
        """Whether the field exists as far as this user is concerned."""
        return field_name in self.readable.get(object_name, frozenset())

    def field_editable(self, object_name: str, field_name: str) -> bool:
        """Whether the user may write the field where the field itself allows it."""
        return field_name in self.editable.get(object_name, frozenset())

    def has_custom_permission(self, name: str) -> bool:
        """What `$Permission` says in a formula."""
        return name in self.custom_permissions

    @property
    def api_enabled(self) -> bool:
        """Whether the user may log in over the API at all."""
        return self.has_user_permission("ApiEnabled")

    def has_user_permission(self, name: str) -> bool:
        """Whether a system permission such as `ApiEnabled` is granted."""
        return name in self.user_permissions


def grant_access(
    project: Project, profile: Profile, permission_sets: Iterable[PermissionSet] = ()
) -> UserAccess:
    """Add up what a profile and some permission sets give."""
    grants = tuple(permission_sets)
    powers = _USER_PERMISSIONS[profile].union(*(each.user_permissions for each in grants))
    objects: dict[str, ObjectAccess] = {}
    fields: dict[str, Mapping[str, FieldAccess]] = {}
    for object_type in project.objects.values():
        access = _object_access(object_type, profile, powers, grants)
        objects[object_type.name] = access
        fields[object_type.name] = _fields_access(object_type, access, profile, grants)
    return UserAccess(
        profile=profile,
        objects=objects,
        readable={
            name: frozenset(field for field, access in found.items() if access.readable)
            for name, found in fields.items()
        },
        editable={
            name: frozenset(field for field, access in found.items() if access.editable)
            for name, found in fields.items()
        },
        custom_permissions=frozenset[str]().union(*(each.custom_permissions for each in grants)),
        user_permissions=powers,
    )


_FULL = ObjectAccess(read=True, create=True, edit=True, delete=True, view_all=True, modify_all=True)
_REP = ObjectAccess(read=True, create=True, edit=True, delete=True)
_READ_ALL = ObjectAccess(read=True, view_all=True)

_OPEN = FieldAccess(readable=True, editable=True)
_CLOSED = FieldAccess()

_SETUP_OBJECTS = {"Organization", "PermissionSet", "PermissionSetAssignment", "Profile", "User"}
_REP_OBJECTS = {"Account", "Contact", "Individual", "Lead"}
_USER_PERMISSIONS = {
    Profile.ADMIN: frozenset(
        {
            "ApiEnabled",
            "CustomizeApplication",
            "ManageUsers",
            "ModifyAllData",
            "ViewAllData",
            "ViewSetup",
        }
    ),
    Profile.STANDARD: frozenset({"ApiEnabled"}),
    Profile.API_ONLY: frozenset({"ApiEnabled", "ApiUserOnly"}),
}


def _object_access(
    object_type: ObjectType,
    profile: Profile,
    powers: frozenset[str],
    grants: tuple[PermissionSet, ...],
) -> ObjectAccess:
    # Who may see a record may see its history.
    name = _tracked(object_type) or object_type.rights_of or object_type.name
    found = [each.objects[name] for each in grants if name in each.objects]
    if object_type.rights_of is not None:
        found = [_as_part(each) for each in found]
    found.append(_by_power(object_type, powers))
    if profile is Profile.STANDARD and name in _REP_OBJECTS:
        found.append(_REP)
    return ObjectAccess(
        read=any(each.read for each in found),
        create=any(each.create for each in found),
        edit=any(each.edit for each in found),
        delete=any(each.delete for each in found),
        view_all=any(each.view_all for each in found),
        modify_all=any(each.modify_all for each in found),
    )


def _as_part(whole: ObjectAccess) -> ObjectAccess:
    """What rights on a whole are worth on its parts, which have none of their own."""
    return replace(whole, create=whole.edit, delete=whole.edit, modify_all=False)


def _by_power(object_type: ObjectType, powers: frozenset[str]) -> ObjectAccess:
    """What permissions that name no object give on this one."""
    if object_type.name in _SETUP_OBJECTS:
        return _FULL if "ManageUsers" in powers else _READ_ALL
    if object_type.custom_setting:
        # Settings are set-up, not data: not even Modify All Data reaches them.
        return _FULL if "CustomizeApplication" in powers else ObjectAccess()
    if "ModifyAllData" in powers:
        return _FULL
    return _READ_ALL if "ViewAllData" in powers else ObjectAccess()


def _tracked(object_type: ObjectType) -> str | None:
    """The object whose history an object keeps."""
    if object_type.key_prefix != KEY_PREFIX:
        return None
    return next(
        field.reference_to[0]
        for field in object_type.fields.values()
        if field.delete_constraint == "Cascade"
    )


def _fields_access(
    object_type: ObjectType,
    access: ObjectAccess,
    profile: Profile,
    grants: tuple[PermissionSet, ...],
) -> Mapping[str, FieldAccess]:
    if not access.read:
        return {}
    writes = access.create or access.edit
    # No permission set governs the fields of settings and of set-up.
    free = (
        profile is Profile.ADMIN or object_type.custom_setting or object_type.name in _SETUP_OBJECTS
    )
    found: dict[str, FieldAccess] = {}
    for field in object_type.fields.values():
        granted = _OPEN if free else _granted(object_type, field, profile, grants)
        writable = field.createable or field.updateable
        found[field.name] = FieldAccess(
            readable=granted.readable, editable=granted.editable and writable and writes
        )
    return found


def _granted(
    object_type: ObjectType,
    field: Field,
    profile: Profile,
    grants: tuple[PermissionSet, ...],
) -> FieldAccess:
    whole = object_type.fields.get(field.compound or "")
    governor = whole if whole is not None and whole.permissionable else field
    if not governor.permissionable:
        return _OPEN
    by_profile = profile is Profile.STANDARD and object_type.name in _REP_OBJECTS
    if by_profile and not governor.custom:
        return _OPEN
    name = f"{object_type.name}.{governor.name}"
    found = [each.fields.get(name, _CLOSED) for each in grants]
    return FieldAccess(
        readable=any(each.readable for each in found),
        editable=any(each.editable for each in found),
    )
