"""Contacts that come, go and move, and people who share or change an address."""

from dataclasses import replace
from datetime import timedelta

import pytest

from salesforce_bridge.permissions.events import EventKind
from salesforce_bridge.permissions.states import State
from salesforce_bridge.reconcile.facts import AMBIGUOUS, CLOSED_PURGED, CLOSED_SOFT, HeldPoint
from tests.unit.reconcile.sightings import a_case, a_link, a_person, bench_of
from tests.unit.reconcile.worlds import (
    NEWS_BY_CALL,
    NEWS_BY_EMAIL,
    NEWS_BY_POST,
    NOON,
    RESEARCH,
    SERVICE,
    World,
    a_contact,
    a_point,
    a_record,
    contact_id,
    decisions_on,
    kinds,
    reasons_by_use,
    situations,
    subject_id,
)

STOP, OBJECTS, GRANT = "Asked us to stop", "Objects", "Gave permission"
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


ANN = contact_id(1)


# ---------------------------------------------------------------- the life of a Contact


def test_a_person_nobody_has_met_starts_with_nothing() -> None:
    world = World()
    world.contacts[ANN] = a_contact(1, country="Germany")
    plan = world.cycle()
    assert reasons_by_use(plan, "S15") == dict.fromkeys(NEWS, "SUBJECT_CREATED_DEFAULT_DENY")
    assert [each.jurisdiction for each in plan.subjects] == ["DE"]
    assert [world.status_of(ANN, use) for use in NEWS] == ["Not asked"] * 3
    assert world.contacts[ANN].fields.consent_status == "Not asked"


def recreated(world: World) -> None:
    """The Contact is deleted and created again with the same address."""
    world.delete(ANN)
    world.contacts[contact_id(2)] = a_contact(2, points=world.contacts[ANN].points)


def test_a_contact_created_again_keeps_its_stops_and_not_its_yes(world: World) -> None:
    world.tell(EventKind.WITHDRAW, NEWS_BY_POST)
    world.tell(EventKind.REVOKE, NEWS_BY_CALL)
    world.cycle()
    recreated(world)
    plan = world.cycle()
    assert reasons_by_use(plan, "S15", contact_id(2)) == {
        NEWS_BY_EMAIL: "SUBJECT_LINKED_GRANT_NOT_INHERITED",
        NEWS_BY_CALL: "SUBJECT_LINKED_EXISTING",
        NEWS_BY_POST: "SUBJECT_LINKED_STOP_INHERITED",
    }
    assert reasons_by_use(plan, "S16", ANN) == {
        NEWS_BY_EMAIL: "LINK_CLOSED_SOFT",
        NEWS_BY_CALL: "LINK_CLOSED_SOFT",
        NEWS_BY_POST: "LINK_CLOSED_STOP_RETAINED",
    }
    assert world.links[contact_id(2)].state == AMBIGUOUS
    assert [world.status_of(contact_id(2), use) for use in NEWS] == [
        "Not asked",
        "Not asked",
        "Stopped",
    ]


@pytest.mark.parametrize(("gone", "again"), [(1, 2), (2, 1)])
def test_whoever_left_with_a_new_address_and_came_back_with_it_is_the_same(
    gone: int, again: int
) -> None:
    """Nobody looked in between, and it does not matter which of the two ids is the lower one."""
    world = World()
    world.meet(gone)
    moved_to = (a_point("new@example.org"),)
    world.edit(contact_id(gone), points=moved_to)
    world.delete(contact_id(gone))
    world.contacts[contact_id(again)] = a_contact(again, points=moved_to)
    world.cycle()
    assert world.links[contact_id(again)].subject_id == subject_id(gone)


def test_a_candidate_is_no_more_proven_by_deleting_and_undeleting_it(world: World) -> None:
    recreated(world)
    world.cycle()
    world.delete(contact_id(2))
    assert "S16" in situations(world.cycle())
    assert "S16" not in situations(world.cycle())
    world.edit(contact_id(2), deleted=False)
    assert "S18" in situations(world.cycle())
    assert world.links[contact_id(2)].state == AMBIGUOUS
    assert world.status_of(contact_id(2)) == "Not asked"


def test_a_candidate_that_is_merged_away_takes_no_yes_along(world: World) -> None:
    recreated(world)
    world.cycle()
    world.meet(3)
    world.merge(contact_id(2), contact_id(3))
    plan = world.cycle()
    assert "S19" in situations(plan)
    assert plan.events == ()
    assert world.status_of(contact_id(3)) == "Not asked"
    world.edit(contact_id(2), deleted=False, master_id=None)
    world.cycle()
    assert world.links[contact_id(2)].state == AMBIGUOUS


def test_interests_and_contracts_are_shown_on_a_contact_created_again() -> None:
    world = World()
    world.meet(1)
    world.tell(EventKind.ESTABLISH, RESEARCH)
    world.tell(EventKind.ESTABLISH, SERVICE)
    world.tell(EventKind.HOLD, NEWS_BY_POST)
    world.cycle()
    recreated(world)
    plan = world.cycle()
    reasons = reasons_by_use(plan, "S15", contact_id(2))
    assert reasons[RESEARCH] == reasons[SERVICE] == "SUBJECT_LINKED_EXISTING"
    assert reasons[NEWS_BY_POST] == "SUBJECT_LINKED_STOP_INHERITED"
    assert reasons_by_use(plan, "S16", ANN)[NEWS_BY_POST] == "LINK_CLOSED_STOP_RETAINED"
    assert world.status_of(contact_id(2), SERVICE) == "Permitted"


def test_a_telephone_number_identifies_nobody(world: World) -> None:
    phones = tuple(each for each in world.contacts[ANN].points if each.type == "PHONE")
    world.delete(ANN)
    world.contacts[contact_id(2)] = a_contact(2, points=phones)
    plan = world.cycle()
    assert set(reasons_by_use(plan, "S15").values()) == {"SUBJECT_CREATED_DEFAULT_DENY"}


def test_a_contact_nobody_met_that_is_deleted_already_is_only_noted() -> None:
    world = World()
    world.contacts[ANN] = a_contact(1, deleted=True)
    plan = world.cycle()
    assert reasons_by_use(plan, "S16") == dict.fromkeys(NEWS, "NOOP_DELETED_UNLINKED")
    assert (plan.subjects, plan.links, plan.writes) == ((), (), ())


def test_a_stop_on_a_contact_that_is_deleted_already_is_kept_with_the_person() -> None:
    world = World()
    world.contacts[ANN] = a_contact(1, deleted=True, opted_out_of_email=True)
    plan = world.cycle()
    assert kinds(plan) == [(EventKind.STOP_CHANNEL, "*", "EMAIL")]
    assert [each.state for each in plan.links] == [CLOSED_SOFT]
    assert len(plan.subjects) == 1


def test_a_claim_on_a_row_whose_contact_was_never_found_is_kept_with_the_person() -> None:
    world = World()
    world.add_row(of=1, use=NEWS_BY_POST, request=GRANT)
    world.purged |= {ANN}
    plan = world.cycle()
    assert len(plan.candidates) == len(plan.subjects) == 1
    assert [each.state for each in plan.links] == [CLOSED_PURGED]
    assert world.plan().candidates == ()


def test_a_detached_row_of_a_deleted_contact_that_asks_to_stop_is_heard(world: World) -> None:
    world.edit_row(world.row_of(ANN), request=STOP)
    world.delete(ANN)
    plan = world.cycle()
    assert reasons_by_use(plan, "S04") == {NEWS_BY_EMAIL: "STOP_HONOURED"}
    assert reasons_by_use(plan, "S16")[NEWS_BY_EMAIL] == "LINK_CLOSED_STOP_RETAINED"
    assert plan.writes == ()
    world.cycle()
    assert world.plan().events == ()


def test_an_undeleted_contact_is_written_again(world: World) -> None:
    world.tell(EventKind.WITHDRAW, NEWS_BY_CALL)
    world.tell(EventKind.HOLD, NEWS_BY_POST)
    world.cycle()
    world.delete(ANN)
    world.cycle()
    world.edit(ANN, deleted=False)
    plan = world.cycle()
    assert reasons_by_use(plan, "S18") == {
        NEWS_BY_EMAIL: "LINK_REOPENED_REASSERTED",
        NEWS_BY_CALL: "LINK_REOPENED_STOP_REASSERTED",
        NEWS_BY_POST: "LINK_REOPENED_STOP_REASSERTED",
    }
    assert [world.status_of(ANN, use) for use in NEWS][:2] == ["Permitted", "Stopped"]


def test_the_person_of_a_purged_contact_is_kept_and_the_link_closed(world: World) -> None:
    world.tell(EventKind.WITHDRAW, NEWS_BY_CALL)
    world.cycle()
    world.purge(ANN)
    plan = world.cycle()
    assert reasons_by_use(plan, "S17") == {
        NEWS_BY_EMAIL: "LINK_CLOSED_PURGED",
        NEWS_BY_CALL: "LINK_CLOSED_STOP_RETAINED",
        NEWS_BY_POST: "LINK_CLOSED_PURGED",
    }
    assert [each.state for each in plan.links] == [CLOSED_PURGED]
    assert plan.events == ()
    assert decisions_on(world.plan(), "S17") == ()
    assert world.records[subject_id(1)].permissions[NEWS_BY_EMAIL].state is State.GIVEN


# ---------------------------------------------------------------- shared and changed addresses


def side_by_side(world: World) -> None:
    """Bob has Ann's address, and a number of his own that Cid has too."""
    email, _ = world.contacts[ANN].points
    number = a_point("+442073333333")
    world.contacts[contact_id(2)] = a_contact(2, points=(email, number))
    world.contacts[contact_id(3)] = a_contact(3, points=(number,))
    world.settle()


def test_a_stop_reaches_whoever_shares_the_address_on_its_channel_and_nobody_else(
    world: World,
) -> None:
    side_by_side(world)
    world.edit_row(world.row_of(ANN), request=OBJECTS)
    plan = world.cycle()
    assert {(each.contact_id, each.use) for each in decisions_on(plan, "S20")} == {
        (contact_id(2), NEWS_BY_EMAIL)
    }
    assert reasons_by_use(plan, "S20") == {NEWS_BY_EMAIL: "DUPLICATE_STOP_PROPAGATED"}
    assert world.status_of(contact_id(2)) == "Stopped"
    assert world.status_of(contact_id(2), NEWS_BY_POST) == "Not asked"
    assert world.status_of(contact_id(3)) == "Not asked"
    world.cycle()
    assert world.plan().events == ()


def test_a_yes_is_never_shared_by_address(world: World) -> None:
    side_by_side(world)
    assert world.status_of(contact_id(2)) == "Not asked"


def test_a_stop_reaches_the_one_who_has_the_address_now(world: World) -> None:
    email, phone = world.contacts[ANN].points
    world.edit(ANN, points=(phone,))
    world.cycle()
    world.tell(EventKind.WITHDRAW)
    world.contacts[contact_id(2)] = a_contact(2, points=(email,))
    world.cycle()
    assert world.status_of(contact_id(2)) == "Stopped"


def test_a_yes_of_the_second_person_after_the_stop_of_the_first_stands(world: World) -> None:
    side_by_side(world)
    world.tell(EventKind.WITHDRAW, at=world.at)
    world.cycle()
    second = world.links[contact_id(2)].subject_id
    (email, _) = world.contacts[contact_id(2)].points
    world.records[subject_id(2)] = world.records[second]
    world.tell(EventKind.GRANT, subject=2, at=world.at, subject_id=second, point=email.exact)
    plan = world.cycle()
    assert decisions_on(plan, "S20") == ()


def test_a_grant_ends_with_its_address_and_another_address_was_never_asked(world: World) -> None:
    world.tell(EventKind.ESTABLISH, SERVICE)
    world.tell(EventKind.GRANT, NEWS_BY_POST)
    world.settle()
    _, phone = world.contacts[ANN].points
    world.edit(ANN, points=(a_point("new@example.org"), phone))
    plan = world.cycle()
    assert reasons_by_use(plan, "S21") == {
        NEWS_BY_EMAIL: "GRANT_NOT_PORTED_TO_NEW_POINT",
        SERVICE: "CONTACT_POINT_REKEYED",
    }
    assert kinds(plan) == [(EventKind.REVOKE, "direct_marketing", "EMAIL")]
    assert world.status_of(ANN) == "Not asked"
    assert world.rows[world.row_of(ANN)].fields.reason_code == "GRANT_NOT_PORTED_TO_NEW_POINT"
    assert sorted(each.move for each in plan.points) == ["REGISTER", "RETIRE"]


def test_a_second_number_leaves_a_grant_for_the_first_alone(world: World) -> None:
    world.tell(EventKind.GRANT, NEWS_BY_CALL)
    world.settle()
    points = world.contacts[ANN].points
    world.edit(ANN, points=(*points, a_point("+442079999999")))
    plan = world.cycle()
    assert reasons_by_use(plan, "S21") == {}
    assert plan.events == ()
    assert world.status_of(ANN, NEWS_BY_CALL) == "Permitted"


def test_a_grant_stays_where_another_contact_of_the_person_still_has_the_address(
    world: World,
) -> None:
    world.contacts[contact_id(2)] = a_contact(2, points=world.contacts[ANN].points)
    world.link(2, subject=1)
    world.settle()
    world.edit(ANN, points=(a_point("new@example.org"),))
    plan = world.cycle()
    assert plan.events == ()
    assert world.status_of(ANN) == "Not asked"
    assert world.status_of(contact_id(2)) == "Permitted"


def test_stops_and_restrictions_move_along_to_a_new_address(world: World) -> None:
    world.tell(EventKind.WITHDRAW)
    world.tell(EventKind.HOLD, NEWS_BY_CALL)
    world.cycle()
    world.edit(ANN, points=())
    plan = world.cycle()
    assert reasons_by_use(plan, "S21") == {
        NEWS_BY_EMAIL: "STOP_CARRIED_TO_NEW_POINT",
        NEWS_BY_CALL: "STOP_CARRIED_TO_NEW_POINT",
    }
    assert world.status_of(ANN) == "Stopped"


def test_what_lapsed_is_rekeyed_only(world: World) -> None:
    world.tell(EventKind.REVOKE)
    world.tell(EventKind.ESTABLISH, RESEARCH)
    world.cycle()
    world.edit(ANN, points=())
    reasons = reasons_by_use(world.cycle(), "S21")
    assert set(reasons.values()) == {"CONTACT_POINT_REKEYED"}


def test_a_new_key_for_fingerprints_is_no_new_address(world: World) -> None:
    rekeyed = (a_point("person1@example.org", 2), a_point("+442000000001", 2))
    world.edit(ANN, points=rekeyed)
    plan = world.cycle()
    assert situations(plan) <= {"S02", "S03"}
    assert plan.events == ()
    assert [each.move for each in plan.points] == ["REGISTER", "REGISTER"]


def test_whoever_moves_is_judged_by_the_stricter_law_of_both_places(world: World) -> None:
    world.edit(ANN, country="Germany")
    plan = world.cycle()
    assert set(reasons_by_use(plan, "S33").values()) == {"PROFILE_REEVALUATED_STRICTER"}
    (moved,) = plan.jurisdictions
    assert (moved.jurisdiction, moved.former) == ("DE", "UK")
    assert moved.moved_at == world.at - timedelta(minutes=1, seconds=10)
    assert decisions_on(world.plan(), "S33") == ()
    assert world.plan().jurisdictions == ()


def test_of_two_places_left_behind_the_strictest_law_there_is_counts(world: World) -> None:
    world.edit(ANN, country="Germany")
    world.cycle()
    world.edit(ANN, country="France")
    (moved,) = world.cycle().jurisdictions
    assert (moved.jurisdiction, moved.former) == ("FR", "UNKNOWN")


def test_whoever_moves_back_is_judged_by_the_law_of_the_place_left_as_well(world: World) -> None:
    world.edit(ANN, country="Germany")
    world.cycle()
    world.edit(ANN, country="United Kingdom")
    (moved,) = world.cycle().jurisdictions
    assert (moved.jurisdiction, moved.former) == ("UK", "DE")


def test_two_contacts_of_one_person_in_two_countries_are_nowhere_known(world: World) -> None:
    world.contacts[contact_id(2)] = a_contact(2, points=(), country="Germany")
    world.link(2, subject=1)
    assert [each.jurisdiction for each in world.cycle().jurisdictions] == ["UNKNOWN"]


# ---------------------------------------------------------------- people who are gone already


def test_a_stranger_whose_contact_is_gone_already_is_remembered_where_they_were() -> None:
    """A no was told on it, so they are kept; what they are owed depends on the place."""
    world = World()
    world.contacts[ANN] = a_contact(1, deleted=True, do_not_call=True, country="France")
    (met,) = world.cycle().subjects
    assert met.jurisdiction == "FR"


def test_the_last_addresses_of_everybody_who_is_gone_are_kept_whoever_is_still_there(
    world: World,
) -> None:
    world.meet(2)
    world.meet(3)
    last = {ANN: a_point("ann@new.example"), contact_id(3): a_point("eve@new.example")}
    for gone, point in last.items():
        world.edit(gone, points=(point,))
        world.delete(gone)
    world.edit(contact_id(2), points=world.contacts[ANN].points)
    told = {(each.subject_id, each.point, each.move) for each in world.cycle().points}
    assert {
        (subject_id(1), last[ANN], "REGISTER"),
        (subject_id(3), last[contact_id(3)], "REGISTER"),
    } <= told


def test_a_no_of_who_is_gone_meets_who_is_there_with_the_address_they_had_last(
    world: World,
) -> None:
    """The address is the one that Ann was given just before she went."""
    world.tell(EventKind.WITHDRAW)
    world.meet(2)
    world.cycle()
    world.edit(ANN, points=(a_point("moved@example.org"),))
    world.delete(ANN)
    world.edit(contact_id(2), points=(a_point("moved@example.org"),))
    world.cycle()
    assert world.status_of(contact_id(2)) == "Stopped"


@pytest.mark.parametrize(
    ("yes_since", "subject"),
    [(1, "somebody new"), (-1, "the one who is gone")],
)
def test_whoever_comes_with_an_address_of_two_is_not_the_one_who_passed_the_others_no(
    world: World, yes_since: float, subject: str
) -> None:
    """Ann's yes, given after Ben's no, is proven for Ann alone; the Contact may as well be Ben's."""
    mail = world.contacts[ANN].points[0]
    world.meet(2, points=(mail,))
    no = NOON - timedelta(hours=9)
    world.tell(EventKind.WITHDRAW, subject=2, at=no)
    record = world.records[subject_id(1)]
    said = record.permissions[NEWS_BY_EMAIL]
    lifted = no + timedelta(hours=yes_since)
    world.records[record.subject_id] = replace(
        record, permissions={NEWS_BY_EMAIL: replace(said, lifted_at=lifted, granted_at=lifted)}
    )
    world.delete(ANN)
    world.cycle()
    world.contacts[contact_id(3)] = a_contact(3, points=(mail,))
    world.cycle()
    whose = world.links[contact_id(3)].subject_id
    assert ("the one who is gone" if whose == subject_id(1) else "somebody new") == subject
    assert world.status_of(contact_id(3)) == "Stopped"


def test_a_stranger_is_where_the_contact_says_that_is_still_there() -> None:
    """Deleted in France and created again in Germany before anybody looked: they were met in Germany."""
    world = World()
    world.contacts[ANN] = a_contact(1, deleted=True, country="France")
    world.contacts[contact_id(2)] = a_contact(
        2, points=world.contacts[ANN].points, country="Germany"
    )
    plan = world.cycle()
    assert [each.jurisdiction for each in plan.subjects] == ["DE"]
    assert plan.jurisdictions == ()
    assert reasons_by_use(plan, "S33") == {}


def test_the_last_addresses_of_several_who_are_gone_are_kept_beside_those_they_had() -> None:
    """Ann and Eve are gone, and Ben, who is there, shares something with each of them."""
    shared, number = a_point("shared@example.org"), a_point("+442070000009")
    last = {1: a_point("ann@new.example"), 3: a_point("eve@new.example")}
    before = {
        1: a_contact(1, points=(shared,)),
        2: a_contact(2, points=(shared, number)),
        3: a_contact(3, points=(number,)),
    }
    cases, people = [], []
    for each, mirror in before.items():
        gone = each in last
        seen = replace(mirror, deleted=True, points=(last[each],)) if gone else mirror
        link = replace(a_link(each), subject_id=subject_id(each))
        case = a_case(seen, contact_id=contact_id(each), mirror=mirror, link=link)
        cases.append(case)
        held = tuple(HeldPoint(point=point, retired=False) for point in mirror.points)
        people.append(a_record(each, points=held, links=(link,)))
    bench = bench_of(*cases, people=tuple(people))
    held_by = {
        each: {held.point for held in bench.records[subject_id(each)].points} for each in before
    }
    assert held_by == {
        1: {shared, last[1]},
        2: {shared, number},
        3: {number, last[3]},
    }


def test_of_who_was_erased_no_last_address_is_kept() -> None:
    gone = a_contact(1, deleted=True)
    bench = bench_of(a_case(gone), people=(a_person(erased=True, points=()),))
    assert bench.records[subject_id(1)].points == ()


def test_a_stranger_is_a_consumer_whose_addresses_are_kept_though_the_contact_is_gone() -> None:
    world = World()
    gone = a_contact(1, deleted=True, do_not_call=True)
    world.contacts[ANN] = gone
    plan = world.cycle()
    assert [each.subject_class for each in plan.subjects] == ["CONSUMER"]
    assert {(each.point, each.move) for each in plan.points} == {
        (point, "REGISTER") for point in gone.points
    }


def test_a_stranger_with_a_contact_that_is_gone_and_another_address_since_has_both() -> None:
    world = World()
    old, new = a_point("old@example.org"), a_point("new@example.org")
    world.contacts[ANN] = a_contact(1, deleted=True, points=(old,), do_not_call=True)
    world.contacts[contact_id(2)] = a_contact(2, points=(new, old))
    plan = world.cycle()
    assert len({each.subject_id for each in plan.points}) == 1
    assert {each.point for each in plan.points} == {old, new}
