"""A new org: its schema, its staff, and the set-up records that describe both."""

from salesforce_bridge.simulator.ids import id_of
from salesforce_bridge.simulator.org import Org
from salesforce_bridge.simulator.schema import Project
from salesforce_bridge.simulator.store import STAMP, Row
from salesforce_bridge.simulator.users import STAFF, Person, User, rights


def found_org(project: Project) -> Org:
    """Set up an org with nobody's customers in it."""
    org = Org(project)
    marks = _marks(org)
    profiles = sorted({person.profile.value for person in STAFF})
    for profile in profiles:
        _put(org, "Profile", {**marks, "Name": profile})
    for grants in sorted(project.permission_sets.values(), key=lambda each: each.name):
        _put(org, "PermissionSet", {**marks, "Name": grants.name, "Label": grants.label})
    for person in STAFF:
        _hire(org, person, marks)
    tell_organization(org)
    org.store.commit()
    return org


def tell_organization(org: Org) -> None:
    """Write the one Organization record, which carries the org's id."""
    table = org.store.table("Organization")
    for record_id in list(table.rows):
        table.remove(record_id)
    row: Row = {
        "Id": org.org_id,
        "Name": "Acme Example",
        "IsSandbox": True,
        "InstanceName": "SIM1",
        "OrganizationType": "Developer Edition",
        "TimeZoneSidKey": "Europe/Berlin",
    }
    table.put(row | _marks(org))


def _hire(org: Org, person: Person, marks: Row) -> None:
    profile = _named(org, "Profile", person.profile.value)
    user_id = _put(
        org,
        "User",
        {
            **marks,
            "Username": person.username,
            "FirstName": person.first_name,
            "LastName": person.last_name,
            "Email": person.username,
            "Alias": person.key[:8],
            "ProfileId": profile,
            "IsActive": True,
            "UserType": "Standard",
        },
    )
    org.users[person.key] = User(id=user_id, person=person, access=rights(person, org.project))
    for name in person.permission_sets:
        if name in org.project.permission_sets:
            assignment: Row = {
                "AssigneeId": user_id,
                "PermissionSetId": _named(org, "PermissionSet", name),
            }
            _put(org, "PermissionSetAssignment", assignment | marks)


def _marks(org: Org) -> Row:
    stamp, founder = org.stamp(), id_of("005", 1)
    return {
        "CreatedDate": stamp,
        "CreatedById": founder,
        "LastModifiedDate": stamp,
        "LastModifiedById": founder,
        STAMP: stamp,
    }


def _put(org: Org, name: str, row: Row) -> str:
    record_id = org.issuer.next(org.project.objects[name].key_prefix)
    org.store.table(name).put({**row, "Id": record_id})
    return record_id


def _named(org: Org, object_name: str, name: str) -> str:
    rows = org.store.table(object_name).rows
    return next(record_id for record_id, row in rows.items() if row["Name"] == name)
