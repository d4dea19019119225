"""Addresses that must stay silent, people who were erased, and fingerprints under new keys."""

from dataclasses import replace
from datetime import timedelta

import pytest

from salesforce_bridge.permissions.events import EventKind
from salesforce_bridge.permissions.rights import CaseKind, RightsCase
from salesforce_bridge.permissions.suppressions import Scope, Suppression
from salesforce_bridge.reconcile.contact_edits import FLAG_FIELDS
from salesforce_bridge.reconcile.facts import CLOSED_SOFT, ContactSnapshot
from salesforce_bridge.reconcile.intent import Lane, Verb
from tests.property.small_worlds import forget
from tests.unit.permissions.examples import POLICY
from tests.unit.reconcile.worlds import (
    NEWS_BY_CALL,
    NEWS_BY_EMAIL,
    NEWS_BY_POST,
    NOON,
    World,
    a_contact,
    a_point,
    contact_id,
    decisions_on,
    reasons_by_use,
    subject_id,
)

ANN = contact_id(1)
NEWS = (NEWS_BY_EMAIL, NEWS_BY_CALL, NEWS_BY_POST)


@pytest.fixture
def world() -> World:
    """A person both sides know, who said yes to e-mail."""
    world = World()
    world.meet(1)
    world.tell(EventKind.GRANT)
    world.settle()
    world.cycle()
    return world


def silent(address: str, *, version: int = 1, after_erasure: bool = False) -> Suppression:
    return Suppression(
        hmac=a_point(address, version).hmac,
        key_version=version,
        scope=Scope.MARKETING,
        controller=POLICY.controller,
        since=NOON - timedelta(hours=2),
        reason="ERASED" if after_erasure else "ON_A_LIST",
        after_erasure=after_erasure,
    )


# ---------------------------------------------------------------- silent addresses


def test_a_new_contact_with_a_silent_address_is_stopped_from_the_start() -> None:
    world = World(suppressions=(silent("person1@example.org"),))
    world.contacts[ANN] = a_contact(1)
    plan = world.cycle()
    assert reasons_by_use(plan, "S15") == dict.fromkeys(NEWS, "SUBJECT_LINKED_STOP_INHERITED")
    assert [world.status_of(ANN, use) for use in NEWS] == ["Stopped"] * 3
    assert {row.fields.reason_code for row in world.rows.values()} == {
        "CONTACT_MATCHES_SUPPRESSION"
    }
    assert world.plan().writes == ()


def test_what_is_left_of_an_erased_person_meets_whoever_comes_with_the_address() -> None:
    world = World(suppressions=(silent("person1@example.org", after_erasure=True),))
    world.contacts[ANN] = a_contact(1)
    plan = world.cycle()
    assert reasons_by_use(plan, "S15") == dict.fromkeys(NEWS, "CONTACT_MATCHES_SUPPRESSION")
    contact = world.contacts[ANN]
    assert contact.fields.consent_status == "Stopped"
    assert all(getattr(contact, name) for name in FLAG_FIELDS)
    assert world.rows == {}
    assert world.plan().writes == ()


def test_a_silent_address_under_an_older_key_is_found_all_the_same() -> None:
    world = World(suppressions=(silent("person1@example.org"),))
    world.contacts[ANN] = a_contact(
        1, points=(a_point("person1@example.org", 2),), older=(a_point("person1@example.org"),)
    )
    world.cycle()
    assert world.status_of(ANN) == "Stopped"


def test_whoever_leaves_the_address_of_an_erased_person_is_somebody_again(world: World) -> None:
    world.suppressions = (silent("person1@example.org", after_erasure=True),)
    world.cycle()
    assert world.contacts[ANN].fields.consent_status == "Stopped"
    world.edit(ANN, points=(a_point("new@example.org"),))
    world.cycle()
    assert world.contacts[ANN].fields.consent_status == "Not asked"


def test_a_silent_address_stays_with_whoever_once_had_it(world: World) -> None:
    world.suppressions = (silent("person1@example.org"),)
    world.cycle()
    world.edit(ANN, points=(a_point("new@example.org"),))
    world.cycle()
    assert world.contacts[ANN].fields.consent_status == "Stopped"


# ---------------------------------------------------------------- erased people


def test_the_contact_of_an_erased_person_says_no_and_its_rows_go(world: World) -> None:
    forget(world, subject_id(1))
    plan = world.cycle()
    assert world.contacts[ANN].fields.consent_status == "Stopped"
    assert world.contacts[ANN].fields.reason == (
        "This person was erased, but the record is still here."
    )
    assert all(getattr(world.contacts[ANN], name) for name in FLAG_FIELDS)
    assert {each.verb for each in plan.writes} == {Verb.UPDATE, Verb.DELETE}
    assert all(row.deleted for row in world.rows.values())
    assert plan.points == ()
    assert world.plan().writes == ()


def test_a_stop_of_an_erased_person_keeps_the_address_silent_anew(world: World) -> None:
    forget(world, subject_id(1))
    world.cycle()
    world.cycle()
    world.edit(ANN, do_not_call=False)
    world.cycle()
    world.edit(ANN, do_not_call=True)
    world.contact_mirrors[ANN] = replace(world.contact_mirrors[ANN], do_not_call=False)
    stamp = world.contacts[ANN].modstamp
    plan = world.cycle()
    assert reasons_by_use(plan, "S12")[NEWS_BY_CALL] == "STOP_SUPPRESSION_REAFFIRMED"
    assert {each.since for each in plan.suppressions} == {stamp}
    assert {each.after_erasure for each in plan.suppressions} == {True}
    assert plan.events == ()


def test_an_erasure_is_done_once_the_contact_is_gone(world: World) -> None:
    forget(world, subject_id(1))
    case = RightsCase(
        id="case-1",
        kind=CaseKind.ERASURE,
        subject_id=subject_id(1),
        received_at=NOON,
        due_at=NOON + timedelta(days=30),
    )
    world.records[subject_id(1)] = replace(world.records[subject_id(1)], cases=(case,))
    world.cycle()
    world.delete(ANN)
    plan = world.cycle()
    assert set(reasons_by_use(plan, "S16").values()) == {"ERASURE_CONFIRMED_IN_CRM"}
    (done,) = plan.cases
    assert done.crm_done_at == world.contacts[ANN].modstamp
    assert [each.state for each in plan.links] == [CLOSED_SOFT]
    assert decisions_on(world.plan(), "S16") == ()


def test_a_row_that_comes_back_brings_no_erased_contact_back(world: World) -> None:
    forget(world, subject_id(1))
    world.cycle()
    row = next(iter(world.rows))
    world.delete(ANN)
    world.cycle()
    world.edit_row(row, deleted=False)
    plan = world.cycle()
    assert "UNDELETE_OF_ERASED_BLOCKED" in {each.reason for each in plan.decisions}
    assert plan.links == ()


def test_a_deleted_row_of_an_erased_person_leaves_the_contact_to_be_deleted(world: World) -> None:
    world.delete(ANN)
    world.edit(ANN, deleted=False)
    forget(world, subject_id(1))
    row = next(iter(world.rows))
    world.row_mirrors[row] = replace(world.row_mirrors[row], deleted=False)
    world.edit_row(row, deleted=True)
    plan = world.cycle()
    assert "ERASURE_CONFIRMED_IN_CRM" in {each.reason for each in plan.decisions}
    assert plan.links == ()


def test_a_stop_of_somebody_who_shares_a_silent_address_is_their_own(world: World) -> None:
    world.suppressions = (
        replace(silent("person1@example.org", after_erasure=True), since=world.at),
    )
    world.cycle()
    world.edit(ANN, do_not_call=False)
    world.cycle()
    world.contact_mirrors[ANN] = replace(world.contact_mirrors[ANN], do_not_call=False)
    world.edit(ANN, do_not_call=True)
    plan = world.cycle()
    assert reasons_by_use(plan, "S12")[NEWS_BY_CALL] == "STOP_SUPPRESSION_REAFFIRMED"
    assert {each.kind for each in plan.events} == {EventKind.STOP_CHANNEL}


# ---------------------------------------------------------------- fingerprints under new keys


def rekeyed(contact: ContactSnapshot) -> dict[str, object]:
    addresses = ("person1@example.org", "+442000000001")
    return {"points": tuple(a_point(each, 2) for each in addresses), "older": contact.points}


def test_a_grant_follows_its_address_through_a_change_of_keys(world: World) -> None:
    world.edit(ANN, **rekeyed(world.contacts[ANN]))
    plan = world.cycle()
    assert (plan.events, plan.writes) == ((), ())
    assert sorted((each.move, each.point.key_version) for each in plan.points) == [
        ("REGISTER", 2),
        ("REGISTER", 2),
        ("RETIRE", 1),
        ("RETIRE", 1),
    ]
    assert world.status_of(ANN) == "Permitted"
    assert world.plan().points == ()


def test_a_grant_for_the_old_address_does_not_pass_to_a_new_one_under_a_new_key(
    world: World,
) -> None:
    world.edit(
        ANN,
        points=(a_point("new@example.org", 2),),
        older=(a_point("new@example.org"),),
    )
    world.cycle()
    assert world.status_of(ANN) == "Not asked"


def test_a_contact_created_again_under_a_new_key_is_recognised(world: World) -> None:
    world.delete(ANN)
    known = world.contacts[ANN].points
    world.contacts[contact_id(2)] = a_contact(
        2, points=(a_point("person1@example.org", 2),), older=known[:1]
    )
    world.cycle()
    assert world.links[contact_id(2)].subject_id == subject_id(1)


@pytest.mark.parametrize("polls", [1, 2])
def test_a_contact_re_addressed_deleted_and_created_again_is_recognised(
    world: World, polls: int
) -> None:
    world.tell(EventKind.WITHDRAW, NEWS_BY_POST)
    world.cycle()
    moved = (a_point("moved@example.org"),)
    world.edit(ANN, points=moved)
    world.delete(ANN)
    if polls == 2:
        world.cycle()
    world.contacts[contact_id(2)] = a_contact(2, points=moved)
    world.cycle()
    assert world.links[contact_id(2)].subject_id == subject_id(1)
    assert world.status_of(contact_id(2), NEWS_BY_POST) == "Stopped"


def test_stops_go_out_first_also_for_the_silent(world: World) -> None:
    world.suppressions = (silent("person1@example.org"),)
    assert {each.lane for each in world.plan().writes} == {Lane.STOP}


@pytest.mark.parametrize(("hours", "is_told"), [(-3, True), (3, False)])
def test_an_address_that_was_made_silent_since_a_no_is_not_made_silent_anew(
    world: World, hours: float, is_told: bool
) -> None:
    """The no dates from when it was seen to be there; the silence is never moved back to it."""
    world.suppressions = (silent("person1@example.org", after_erasure=True),)
    world.settle()
    world.edit(ANN, do_not_call=False)
    world.cycle()
    world.contact_mirrors[ANN] = replace(world.contact_mirrors[ANN], do_not_call=False)
    world.edit(ANN, do_not_call=True)
    stamp = world.contacts[ANN].modstamp
    world.suppressions = tuple(
        replace(each, since=stamp + timedelta(hours=hours)) for each in world.suppressions
    )
    plan = world.plan()
    assert reasons_by_use(plan, "S12")[NEWS_BY_CALL] == "STOP_SUPPRESSION_REAFFIRMED"
    assert [each.since for each in plan.suppressions] == ([stamp] if is_told else [])


@pytest.mark.parametrize("at_once", [True, False])
def test_a_no_on_the_record_of_an_erased_person_silences_the_address_that_it_has_now(
    world: World, at_once: bool
) -> None:
    """Nothing leads from the new address to the person: it is kept as what is left of them."""
    forget(world, subject_id(1))
    world.settle()
    here = a_point("moved@example.org")
    world.edit(ANN, points=(here,), do_not_call=False)
    if not at_once:
        world.cycle()
    assert here.hmac not in {each.hmac for each in world.suppressions}
    world.contact_mirrors[ANN] = replace(world.contact_mirrors[ANN], do_not_call=False)
    world.edit(ANN, do_not_call=True)
    plan = world.plan()
    assert reasons_by_use(plan, "S12")[NEWS_BY_CALL] == "STOP_SUPPRESSION_REAFFIRMED"
    assert plan.suppressions == (
        Suppression(
            hmac=here.hmac,
            key_version=here.key_version,
            scope=Scope.MARKETING,
            controller=POLICY.controller,
            since=world.contacts[ANN].modstamp,
            reason="STOP_SUPPRESSION_REAFFIRMED",
            after_erasure=True,
        ),
    )


def test_an_address_that_is_silenced_anew_says_why(world: World) -> None:
    world.suppressions = (silent("person1@example.org", after_erasure=True),)
    world.settle()
    world.edit(ANN, do_not_call=False)
    world.cycle()
    world.contact_mirrors[ANN] = replace(world.contact_mirrors[ANN], do_not_call=False)
    world.edit(ANN, do_not_call=True)
    (before,) = world.suppressions
    assert world.plan().suppressions == (
        replace(
            before,
            since=world.contacts[ANN].modstamp,
            reason="STOP_SUPPRESSION_REAFFIRMED",
        ),
    )


def test_of_a_use_that_was_erased_the_row_goes_and_of_the_others_it_stays(world: World) -> None:
    """The address is that of somebody who was erased; one use of this person's was erased as well."""
    world.tell(EventKind.WITHDRAW, NEWS_BY_CALL)
    world.tell(EventKind.ERASE, NEWS_BY_POST)
    world.suppressions = (silent("person1@example.org", after_erasure=True),)
    rows = {use: world.row_of(ANN, use) for use in NEWS}
    world.settle()
    assert {use: world.rows[row].deleted for use, row in rows.items()} == {
        NEWS_BY_EMAIL: False,
        NEWS_BY_CALL: False,
        NEWS_BY_POST: True,
    }


def test_a_merge_with_an_erased_person_is_looked_at_though_the_other_has_no_address(
    world: World,
) -> None:
    world.meet(2, points=())
    forget(world, subject_id(1))
    world.settle()
    world.merge(ANN, contact_id(2))
    told = reasons_by_use(world.cycle(), "S19", ANN)
    assert set(told.values()) == {"MERGE_WITH_ERASED_REVIEW"}
