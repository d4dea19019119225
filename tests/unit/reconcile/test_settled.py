"""Settled people are decided about by the pattern of others, and whoever is not quite like them is not."""

from collections.abc import Iterator
from dataclasses import fields, replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import pytest

from salesforce_bridge.permissions.conditions import Condition, ConditionKind
from salesforce_bridge.permissions.events import EventKind
from salesforce_bridge.permissions.expiry import next_moment
from salesforce_bridge.permissions.keys import RowId, Use
from salesforce_bridge.permissions.permission import Permission
from salesforce_bridge.permissions.rights import CaseKind, RightsCase
from salesforce_bridge.reconcile.facts import (
    AMBIGUOUS,
    Candidate,
    ContactFields,
    Dossier,
    HeldPoint,
    RefusedWrite,
    RowFields,
    SubjectRecord,
)
from salesforce_bridge.reconcile.settled import Kind, kind_of
from salesforce_bridge.reconcile.standing import until_words
from salesforce_bridge.reconcile.words import Status
from tests.unit.reconcile.settled_worlds import HISTORIES, planned, settled, swapped
from tests.unit.reconcile.sightings import a_suppression
from tests.unit.reconcile.worlds import (
    NEWS_BY_CALL,
    NEWS_BY_EMAIL,
    NOON,
    World,
    a_point,
    contact_id,
    subject_id,
)

# The first of a kind is judged like everybody else; the last is decided about by the pattern of the first.
MODEL, LAST = contact_id(1), contact_id(4)
# What of another person of the same kind is put in the place of somebody's own, by field.
OF_ROWS = tuple(each.name for each in fields(RowFields))
OF_CONTACTS = tuple(each.name for each in fields(ContactFields))
OF_PERMISSIONS = tuple(each.name for each in fields(Permission))
OF_PEOPLE = ("jurisdiction", "stops", "conditions", "due", "links", "points")


@cache
def _settled_once(history: str) -> World:
    return settled(history)


def world_of(history: str) -> World:
    return _settled_once(history).copy()


def kinds(world: World) -> list[Kind | None]:
    return [kind_of(each, policy=world.policy, at=world.at) for each in world.dossiers()]


def is_decided_either_way(world: World) -> None:
    assert planned(world, one_by_one=False) == planned(world, one_by_one=True)


def rows_of(world: World, number: int) -> dict[Use, RowId]:
    mine = (row for row in world.rows.values() if row.fields.contact_id == contact_id(number))
    return {
        world.policy.known[row.fields.purpose or "", row.fields.channel or ""]: row.row_id
        for row in mine
    }


@pytest.mark.parametrize("history", sorted(HISTORIES))
def test_people_who_said_the_same_on_different_days_are_of_one_kind(history: str) -> None:
    world = world_of(history)
    found = kinds(world)
    assert found[0] is not None
    assert len(set(found)) == 1
    assert planned(world, one_by_one=False).decisions
    is_decided_either_way(world)


@pytest.mark.parametrize("one", sorted(HISTORIES))
def test_people_who_said_different_things_are_of_different_kinds(one: str) -> None:
    mine = kinds(world_of(one))[0]
    assert all(kinds(world_of(each))[0] != mine for each in HISTORIES if each != one)


def disturbances(world: World) -> Iterator[World]:
    """Worlds in each of which one thing of the first person is in the place of the last one's."""
    yield from _rows_disturbed(world)
    for name in OF_CONTACTS:
        yield _contact_replaced(world, fields=swapped(_contact(world), _model(world), name))
    record, model = world.records[subject_id(4)], world.records[subject_id(1)]
    for name in OF_PEOPLE:
        yield _person_replaced(world, swapped(record, model, name))
    for use in record.permissions:
        for name in OF_PERMISSIONS:
            other = swapped(record.permissions[use], model.permissions[use], name)
            permissions = {**record.permissions, use: other}
            yield _person_replaced(world, replace(record, permissions=permissions))


def _rows_disturbed(world: World) -> Iterator[World]:
    theirs = rows_of(world, 1)
    for use, key in rows_of(world, 4).items():
        for name in OF_ROWS:
            here = world.copy()
            row = here.rows[key]
            model = here.rows[theirs[use]].fields
            here.rows[key] = here.row_mirrors[key] = replace(
                row, fields=swapped(row.fields, model, name)
            )
            yield here


def _contact(world: World) -> ContactFields:
    return world.contacts[LAST].fields


def _model(world: World) -> ContactFields:
    return world.contacts[MODEL].fields


def _contact_replaced(world: World, **changes: Any) -> World:
    here = world.copy()
    here.contacts[LAST] = replace(here.contacts[LAST], **changes)
    ours = here.contact_mirrors[LAST].bridge_set
    here.contact_mirrors[LAST] = replace(here.contacts[LAST], bridge_set=ours)
    return here


def _person_replaced(world: World, record: SubjectRecord) -> World:
    here = world.copy()
    here.records[record.subject_id] = record
    return here


@pytest.mark.parametrize("history", sorted(HISTORIES))
def test_what_is_wrong_about_somebody_is_found_though_everybody_alike_is_settled(
    history: str,
) -> None:
    for world in disturbances(world_of(history)):
        is_decided_either_way(world)


def beginning(world: World, number: int, begins: datetime) -> World:
    """A yes to news by e-mail counts from some other moment on, and the ledger's index knows it."""
    record = world.records[subject_id(number)]
    yes = replace(record.permissions[NEWS_BY_EMAIL], effective_from=begins)
    moment = next_moment(yes, person=record, policy=world.policy, at=world.at)
    assert moment is not None
    permissions = {**record.permissions, NEWS_BY_EMAIL: yes}
    due = {**record.due, NEWS_BY_EMAIL: moment}
    return _person_replaced(world, replace(record, permissions=permissions, due=due))


def test_a_yes_that_has_yet_to_begin_is_not_shown_though_the_row_tells_of_its_beginning() -> None:
    begins = NOON + timedelta(days=30)
    world = beginning(world_of("yes"), 4, begins)
    key = rows_of(world, 4)[NEWS_BY_EMAIL]
    row = world.rows[key]
    assert row.fields.consent_status == Status.PERMITTED
    shown = replace(row, fields=replace(row.fields, effective_from=begins))
    world.rows[key] = world.row_mirrors[key] = shown
    assert kinds(world)[3] is not None
    is_decided_either_way(world)


def test_a_yes_that_begins_at_this_very_moment_is_shown_though_others_have_yet_to_begin() -> None:
    world = world_of("yes")
    for number in range(1, 5):
        world = beginning(world, number, world.at + timedelta(days=30))
    world.settle()
    key = rows_of(world, 4)[NEWS_BY_EMAIL]
    assert world.rows[key].fields.consent_status == Status.LIMITED
    world = beginning(world, 4, world.at)
    assert None not in kinds(world)
    is_decided_either_way(world)


def test_a_yes_that_is_shown_and_that_nobody_ever_said_is_put_right() -> None:
    world = world_of("yes")
    record = world.records[subject_id(4)]
    world = _person_replaced(world, replace(record, permissions={}, due={}))
    is_decided_either_way(world)


def restricted(world: World, number: int, since: timedelta, until: timedelta) -> World:
    """Somebody has the use of what is held about them limited for a while, and the ledger's index knows it."""
    record = world.records[subject_id(number)]
    limit = Condition(
        id="limit",
        subject_id=record.subject_id,
        kind=ConditionKind.RESTRICTION,
        ref="letter 7",
        valid_from=world.at + since,
        valid_to=world.at + until,
    )
    conditions = (*[each for each in record.conditions if each.id != limit.id], limit)
    record = replace(record, conditions=conditions)
    due = {
        use: moment
        for use, each in record.permissions.items()
        if (moment := next_moment(each, person=record, policy=world.policy, at=world.at))
    }
    return _person_replaced(world, replace(record, due=due))


SOON, LATER = timedelta(days=20), timedelta(days=40)


@pytest.mark.parametrize(
    ("others", "last"),
    [((SOON, LATER), (timedelta(0), LATER)), ((-SOON, SOON), (-SOON, timedelta(0)))],
)
def test_a_restriction_that_begins_or_ends_at_this_very_moment_is_seen_to(
    others: tuple[timedelta, timedelta], last: tuple[timedelta, timedelta]
) -> None:
    """What is shown is still the same as of those for whom it has yet to begin, or to end."""
    world = world_of("yes")
    for number in range(1, 5):
        world = restricted(world, number, *others)
    world.settle()
    for number in range(1, 4):
        world = restricted(world, number, *others)
    world = restricted(world, 4, *last)
    assert None not in kinds(world)
    is_decided_either_way(world)


def test_a_summary_that_tells_of_the_wrong_end_of_one_of_two_is_put_right() -> None:
    """Those before them have two yeses with one end, which is told twice."""
    world = World()
    for number in range(1, 5):
        world.meet(number)
        for use in (NEWS_BY_EMAIL, NEWS_BY_CALL):
            earlier = 30 if number == 4 and use == NEWS_BY_EMAIL else 0
            said = NOON - timedelta(days=9 + earlier)
            world.tell(EventKind.GRANT, use, subject=number, at=said)
    world.settle()
    email, call = (
        until_words(end)
        for use in (NEWS_BY_EMAIL, NEWS_BY_CALL)
        if (end := world.rows[rows_of(world, 4)[use]].fields.effective_to)
    )
    shown = _contact(world)
    assert shown.summary is not None
    assert email in shown.summary
    wrong = replace(shown, summary=shown.summary.replace(email, call))
    world = _contact_replaced(world, fields=wrong)
    assert None not in kinds(world)
    is_decided_either_way(world)


def a_dossier() -> Dossier:
    """Of somebody who said yes, and is settled."""
    return world_of("yes").dossiers()[0]


def with_case(**changes: Any) -> Dossier:
    dossier = a_dossier()
    return replace(dossier, cases=(replace(dossier.cases[0], **changes),))


def with_contact(**changes: Any) -> Dossier:
    seen, agreed = a_dossier().cases[0].seen, a_dossier().cases[0].mirror
    assert seen is not None
    assert agreed is not None
    return with_case(seen=replace(seen, **changes), mirror=replace(agreed, **changes))


def with_person(**changes: Any) -> Dossier:
    dossier = a_dossier()
    return replace(dossier, subjects=(replace(dossier.subjects[0], **changes),))


def with_row(*, both: bool = True, **changes: Any) -> Dossier:
    first, *others = a_dossier().cases[0].rows
    assert first.mirror is not None
    fields_changed = {name: changes.pop(name) for name in tuple(changes) if name in OF_ROWS}
    seen = replace(first.seen, **changes, fields=replace(first.seen.fields, **fields_changed))
    return with_case(
        rows=(replace(first, seen=seen, mirror=seen if both else first.mirror), *others)
    )


def _asked_row() -> Dossier:
    first, *others = a_dossier().cases[0].rows
    return with_case(rows=(replace(first, asked=(first.seen,)), *others))


def _linked(**changes: Any) -> Dossier:
    link = a_dossier().cases[0].link
    assert link is not None
    return with_case(link=replace(link, **changes))


def _prompted() -> Dossier:
    record = a_dossier().subjects[0]
    permission = replace(record.permissions[NEWS_BY_EMAIL], prompted_at=NOON)
    return with_person(permissions={**record.permissions, NEWS_BY_EMAIL: permission})


def _two(dossier: Dossier) -> Dossier:
    other = world_of("yes").dossiers()[1]
    return replace(dossier, cases=(*dossier.cases, *other.cases))


A_POINT = a_point("else@example.org")
A_SUPPRESSION = a_suppression()
A_REFUSAL = RefusedWrite(
    target="Contact", use=None, code="FIELD_CUSTOM_VALIDATION_EXCEPTION", stop=False
)
A_CANDIDATE = Candidate(
    id="claim",
    subject_id=subject_id(1),
    use=NEWS_BY_CALL,
    reason="GRANT_BARE",
    claimed_at=NOON,
    evidence_ref=None,
    note_digest=None,
    claimed_by=None,
    source_record="a00",
    expires_at=NOON + timedelta(days=30),
)
A_CASE = RightsCase(
    id="case",
    subject_id=subject_id(1),
    kind=CaseKind.ACCESS,
    received_at=NOON,
    due_at=NOON + timedelta(days=30),
)
A_CONDITION = a_dossier().subjects[0].conditions[0]
UNSETTLED: dict[str, Dossier] = {
    "two Contacts": _two(a_dossier()),
    "two people": replace(a_dossier(), subjects=a_dossier().subjects * 2),
    "an address that stays silent": replace(a_dossier(), suppressions=(A_SUPPRESSION,)),
    "whose address stays silent": with_person(suppressions=(A_SUPPRESSION,)),
    "a claim waits": with_person(candidates=(A_CANDIDATE,)),
    "a privacy request is open": with_person(cases=(A_CASE,)),
    "another law counts as well": with_person(former_jurisdiction="DE"),
    "moved a while ago": with_person(moved_at=NOON),
    "judged by another policy": with_person(policy_digest="another"),
    "never judged by any": with_person(policy_digest=None),
    "linked twice": with_person(links=a_dossier().subjects[0].links * 2),
    "a fact about one address": with_person(conditions=(replace(A_CONDITION, point="x"),)),
    "somewhere else than the ledger says": with_person(jurisdiction="DE"),
    "another address than the ledger holds": with_person(
        points=(HeldPoint(point=A_POINT, retired=False),)
    ),
    "an address that the ledger has retired": with_person(
        points=tuple(replace(each, retired=True) for each in a_dossier().subjects[0].points)
    ),
    "an address besides that the ledger has retired": with_person(
        points=(*a_dossier().subjects[0].points, HeldPoint(point=A_POINT, retired=True))
    ),
    "was prompted": _prompted(),
    "not in the index of what is due": with_person(due={}),
    "gone": with_case(seen=None),
    "never seen before": with_case(mirror=None),
    "in the recycle bin": with_contact(deleted=True),
    "somewhere else": with_contact(country="Germany"),
    "nowhere": with_contact(country=None),
    "keys are being replaced": with_contact(older=(A_POINT,)),
    "not linked": with_case(link=None),
    "perhaps somebody else": _linked(state=AMBIGUOUS),
    "linked to somebody else": _linked(subject_id=subject_id(9)),
    "a write of unknown outcome": with_case(asked=(a_dossier().cases[0].seen,)),
    "a write of unknown outcome to a row": _asked_row(),
    "a write that was refused": with_case(refused=(A_REFUSAL,)),
    "a flag was set": with_case(seen=replace(world_of("yes").contacts[MODEL], do_not_call=True)),
    "a row was edited": with_row(both=False, consent_status="Stopped"),
    "a row asks for something": with_row(request="Asked us to stop"),
    "a row is in the recycle bin": with_row(deleted=True),
    "a row hangs on another Contact": with_row(contact_id=LAST),
    "a row was made for another Contact": with_row(ledger_key=f"{LAST}:direct_marketing:EMAIL"),
    "a row has no key": with_row(ledger_key=None),
    "a row names no use": with_row(purpose="nothing known"),
    "a row shows no end": with_row(effective_to=None),
    "a row shows another beginning": with_row(effective_from=NOON),
    "a row shows another yes": with_row(capture_date=NOON),
    "a row shows another source": with_row(capture_source="Another"),
    "a row shows another proof": with_row(evidence_ref="another"),
    "the Contact shows another end": with_contact(
        fields=replace(world_of("yes").contacts[MODEL].fields, valid_until=NOON)
    ),
}


@pytest.mark.parametrize("what", sorted(UNSETTLED))
def test_nobody_is_settled_about_whom_there_is_more_to_ask(what: str) -> None:
    world = world_of("yes")
    assert kind_of(a_dossier(), policy=world.policy, at=world.at) is not None
    assert kind_of(UNSETTLED[what], policy=world.policy, at=world.at) is None


def test_somebody_whose_time_has_come_is_not_settled() -> None:
    world = world_of("yes")
    policy, dossier = world.policy, a_dossier()
    end = dossier.subjects[0].permissions[NEWS_BY_EMAIL].effective_to
    assert end is not None
    for at in (end - timedelta(days=10), end, end + timedelta(days=10)):
        assert kind_of(dossier, policy=policy, at=at) is None
