"""The people and programs of the org, each with rights of their own."""

from dataclasses import dataclass, field

from salesforce_bridge.simulator.access import Profile, UserAccess, grant_access
from salesforce_bridge.simulator.schema import Field, ObjectType, Project
from salesforce_bridge.simulator.store import Row


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """One user as the org was set up with."""

    key: str
    """The short name by which tests and the demo call the user."""
    username: str
    first_name: str
    last_name: str
    profile: Profile
    permission_sets: tuple[str, ...]


STAFF = (
    Person(
        key="admin",
        username="admin@acme.example",
        first_name="Ada",
        last_name="Adler",
        profile=Profile.ADMIN,
        permission_sets=("Salesforce_Bridge_Admin",),
    ),
    Person(
        key="integration",
        username="bridge@acme.example",
        first_name="Salesforce",
        last_name="Bridge",
        profile=Profile.API_ONLY,
        permission_sets=(
            "Salesforce_Bridge_Integration",
            "Salesforce_Bridge_Individual",
            "Salesforce_Bridge_Leads",
            "Salesforce_Bridge_Campaigns",
        ),
    ),
    Person(
        key="rep",
        username="rosa.rep@acme.example",
        first_name="Rosa",
        last_name="Roth",
        profile=Profile.STANDARD,
        permission_sets=("Salesforce_Bridge_Rep",),
    ),
    Person(
        key="rep2",
        username="ravi.rep@acme.example",
        first_name="Ravi",
        last_name="Rao",
        profile=Profile.STANDARD,
        permission_sets=("Salesforce_Bridge_Rep",),
    ),
)


@dataclass(slots=True, kw_only=True)
class User:
    """A user who acts: identity, rights, and the records that sharing keeps away."""

    id: str
    person: Person
    access: UserAccess
    hidden_rows: set[str] = field(default_factory=set)

    @property
    def username(self) -> str:
        """The login name, the subject of an assertion."""
        return self.person.username

    def sees_object(self, object_type: ObjectType) -> bool:
        """Whether records of the object may be read."""
        return self.access.can(object_type.name, "read")

    def sees_field(self, object_type: ObjectType, field: Field) -> bool:
        """Whether the field may be read."""
        return self.access.field_readable(object_type.name, field.name)

    def sees_row(self, row: Row) -> bool:
        """Whether sharing shows the record."""
        return row["Id"] not in self.hidden_rows

    def edits_field(self, object_type: ObjectType, field: Field) -> bool:
        """Whether the field may be written."""
        return self.access.field_editable(object_type.name, field.name)

    def creates(self, object_type: ObjectType) -> bool:
        """Whether records may be created."""
        return self.access.can(object_type.name, "create")

    def edits(self, object_type: ObjectType) -> bool:
        """Whether records may be changed."""
        return self.access.can(object_type.name, "edit")

    def deletes(self, object_type: ObjectType) -> bool:
        """Whether records may be deleted."""
        return self.access.can(object_type.name, "delete")

    def learn(self, project: Project) -> None:
        """Work out the rights anew after the project changed."""
        self.access = rights(self.person, project)


class FullSight:
    """What the director sees: everything."""

    def sees_object(self, _object_type: ObjectType) -> bool:
        """Whether records of the object may be read."""
        return True

    def sees_field(self, _object_type: ObjectType, _field: Field) -> bool:
        """Whether the field may be read."""
        return True

    def sees_row(self, _row: Row) -> bool:
        """Whether sharing shows the record."""
        return True


def rights(person: Person, project: Project) -> UserAccess:
    """What a user may do; a permission set that was not deployed gives nothing."""
    held = [
        project.permission_sets[name]
        for name in person.permission_sets
        if name in project.permission_sets
    ]
    return grant_access(project, person.profile, held)
