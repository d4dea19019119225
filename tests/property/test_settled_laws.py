"""The law of settled people: who is decided about by the pattern of somebody else is decided about the same,
whatever is wrong with what is held of them or shown about them, and whenever it was said."""

from dataclasses import fields, replace
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from salesforce_bridge.permissions.keys import SubjectId
from tests.unit.reconcile.settled_worlds import HISTORIES, MEMBERS, planned, settled, swapped
from tests.unit.reconcile.worlds import World, contact_id, subject_id

laws = settings(
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
)


@st.composite
def disturbed(draw: st.DrawFn) -> World:
    """A settled world in which something of one person was put in the place of another's, on both sides alike,
    as if a write had been lost, a fact had changed or an index were wrong; then some time passes."""
    days = draw(st.tuples(*[st.integers(1, 800)] * MEMBERS))
    world = settled(
        *draw(st.lists(st.sampled_from(sorted(HISTORIES)), min_size=1, max_size=3)), days=days
    )
    people = len(world.contacts)
    for _ in range(draw(st.integers(0, 3))):
        one, other = draw(st.integers(1, people)), draw(st.integers(1, people))
        DISTURBANCES[draw(st.sampled_from(sorted(DISTURBANCES)))](draw, world, one, other)
    world.at += draw(
        st.sampled_from(
            (timedelta(0), timedelta(seconds=3), timedelta(days=30), timedelta(days=700))
        )
    )
    return world


def disturb_row(draw: st.DrawFn, world: World, one: int, other: int) -> None:
    mine = sorted(
        key for key, row in world.rows.items() if row.fields.contact_id == contact_id(one)
    )
    theirs = sorted(
        key for key, row in world.rows.items() if row.fields.contact_id == contact_id(other)
    )
    if not (mine and theirs):
        return
    key, model = draw(st.sampled_from(mine)), world.rows[draw(st.sampled_from(theirs))]
    name = draw(st.sampled_from([each.name for each in fields(model.fields)]))
    row = world.rows[key]
    world.rows[key] = replace(row, fields=swapped(row.fields, model.fields, name))
    if draw(st.booleans()):
        world.row_mirrors[key] = world.rows[key]


def disturb_contact(draw: st.DrawFn, world: World, one: int, other: int) -> None:
    contact, model = world.contacts[contact_id(one)], world.contacts[contact_id(other)]
    name = draw(st.sampled_from([each.name for each in fields(model.fields)]))
    changed = replace(contact, fields=swapped(contact.fields, model.fields, name))
    if draw(st.integers(0, 4)) == 0:
        changed = replace(changed, opted_out_of_email=not changed.opted_out_of_email)
    if draw(st.integers(0, 4)) == 0:
        changed = replace(changed, do_not_call=not changed.do_not_call)
    world.contacts[contact_id(one)] = changed
    if draw(st.booleans()):
        ours = world.contact_mirrors[contact_id(one)].bridge_set
        world.contact_mirrors[contact_id(one)] = replace(changed, bridge_set=ours)


def disturb_permission(draw: st.DrawFn, world: World, one: int, other: int) -> None:
    record, model = world.records[subject_id(one)], world.records[subject_id(other)]
    for use in sorted(record.permissions.keys() & model.permissions.keys()):
        mine, theirs = record.permissions[use], model.permissions[use]
        name = draw(st.sampled_from([each.name for each in fields(theirs)]))
        permissions = {**record.permissions, use: swapped(mine, theirs, name)}
        record = replace(record, permissions=permissions)
    world.records[subject_id(one)] = record


def disturb_person(draw: st.DrawFn, world: World, one: int, other: int) -> None:
    record, model = world.records[subject_id(one)], world.records[subject_id(other)]
    names = ("jurisdiction", "subject_class", "stops", "conditions", "due", "policy_digest", "hold")
    changed = swapped(record, model, draw(st.sampled_from(names)))
    if draw(st.integers(0, 4)) == 0:
        changed = replace(changed, hold="IDENTITY_AMBIGUOUS")
    world.records[SubjectId(record.subject_id)] = changed


DISTURBANCES: dict[str, Any] = {
    "row": disturb_row,
    "contact": disturb_contact,
    "permission": disturb_permission,
    "person": disturb_person,
}


@laws
@given(disturbed())
def test_whatever_is_wrong_is_found_as_if_everybody_were_judged_alone(world: World) -> None:
    assert planned(world, one_by_one=False) == planned(world, one_by_one=True)
