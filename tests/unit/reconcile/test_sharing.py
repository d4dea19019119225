"""One address or number on Contacts of different people, where nobody has said no."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from salesforce_bridge.permissions.contact_points import ContactPoint
from salesforce_bridge.permissions.events import EventKind
from salesforce_bridge.permissions.keys import ANY_CHANNEL, ANY_PURPOSE, ContactId, Use
from tests.unit.reconcile.sightings import POLICY, a_suppression
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
    contact_id,
    decisions_on,
    reasons_by_use,
    subject_id,
)

ANN, BEN = contact_id(1), contact_id(2)
MAIL, PHONE = a_point("person1@example.org"), a_point("+442000000001")
OWN = a_point("ben@example.org")
EVENT = EventKind


def a_world(*told: tuple[EventKind, Use]) -> World:
    """Ann and Ben, who share nothing; what is told is about Ben."""
    world = World()
    world.meet(1)
    world.meet(2, points=(OWN,))
    for kind, use in told:
        world.tell(kind, use, subject=2)
    world.settle()
    return world


def shared(world: World, whose: ContactId = BEN) -> dict[Use, str]:
    return reasons_by_use(world.plan(), "S20", whose)


def test_a_new_contact_with_an_address_of_somebody_else_is_for_a_person_to_look_at() -> None:
    world = World()
    world.meet(1)
    world.contacts[BEN] = a_contact(2, points=(MAIL,))
    plan = world.cycle()
    assert reasons_by_use(plan, "S20", BEN) == {NEWS_BY_EMAIL: "DUPLICATE_UNLINKED_REVIEW"}
    assert decisions_on(plan, "S20")[0].queue == "identity review"
    assert reasons_by_use(plan, "S20", ANN) == {}
    assert plan.events == ()
    assert decisions_on(world.plan(), "S20") == ()
    assert world.links[ANN].subject_id != world.links[BEN].subject_id


def test_of_two_that_are_met_together_each_brings_the_news() -> None:
    world = World()
    world.contacts[ANN] = a_contact(1, points=(MAIL,))
    world.contacts[BEN] = a_contact(2, points=(MAIL,))
    told = {(each.contact_id, each.reason) for each in decisions_on(world.cycle(), "S20")}
    assert told == {(ANN, "DUPLICATE_UNLINKED_REVIEW"), (BEN, "DUPLICATE_UNLINKED_REVIEW")}
    assert decisions_on(world.plan(), "S20") == ()


@pytest.mark.parametrize(
    ("told", "use", "reason"),
    [
        ((), NEWS_BY_EMAIL, "DUPLICATE_FLAGGED"),
        (((EVENT.GRANT, NEWS_BY_EMAIL),), NEWS_BY_EMAIL, "DUPLICATE_GRANT_NOT_SHARED"),
        (((EVENT.ESTABLISH, RESEARCH),), RESEARCH, "DUPLICATE_FLAGGED"),
        (((EVENT.ESTABLISH, SERVICE),), SERVICE, "DUPLICATE_FLAGGED"),
        (
            ((EVENT.GRANT, NEWS_BY_EMAIL), (EVENT.REVOKE, NEWS_BY_EMAIL)),
            NEWS_BY_EMAIL,
            "DUPLICATE_FLAGGED",
        ),
    ],
)
def test_an_address_that_becomes_the_same_is_told_once_and_changes_nothing(
    told: tuple[tuple[EventKind, Use], ...], use: Use, reason: str
) -> None:
    world = a_world(*told)
    world.edit(BEN, points=tuple(sorted((OWN, MAIL))))
    plan = world.cycle()
    assert reasons_by_use(plan, "S20", BEN)[use] == reason
    assert reasons_by_use(plan, "S20", ANN) == {}
    flagged = [each for each in decisions_on(plan, "S20") if each.use == use]
    assert [(each.event_ids, each.candidate_id) for each in flagged] == [((), None)]
    assert [(each.effect, each.observed) for each in flagged] == [
        ("KEEP", {"contact_point": (None, "EMAIL")})
    ]
    assert plan.writes == ()
    assert decisions_on(world.plan(), "S20") == ()


def test_only_the_uses_of_what_is_shared_are_told() -> None:
    world = a_world()
    world.edit(BEN, points=(PHONE, OWN))
    assert shared(world) == {NEWS_BY_CALL: "DUPLICATE_FLAGGED"}
    assert NEWS_BY_POST not in shared(world)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"country": "France"},
        {"points": (a_point("new@example.org"),)},
        {"points": ()},
    ],
)
def test_without_a_shared_address_there_is_no_news(changes: dict[str, Any]) -> None:
    world = a_world()
    world.edit(BEN, **changes)
    assert shared(world) == {}


def test_a_change_of_something_else_is_no_news_about_an_address_long_shared() -> None:
    world = a_world()
    world.edit(BEN, points=(PHONE, OWN))
    world.cycle()
    world.edit(BEN, points=(PHONE, a_point("new@example.org")), country="France")
    assert shared(world) == {}


def test_an_address_is_the_same_under_any_key() -> None:
    newer: ContactPoint = a_point("person1@example.org", version=2)
    world = a_world()
    world.edit(BEN, points=(newer,), older=(MAIL,))
    assert shared(world)[NEWS_BY_EMAIL] == "DUPLICATE_FLAGGED"


def test_new_keys_for_the_same_addresses_are_no_news() -> None:
    world = a_world()
    world.edit(BEN, points=tuple(sorted((OWN, MAIL))))
    world.settle()
    renewed = (a_point("ben@example.org", version=2), a_point("person1@example.org", version=2))
    world.edit(BEN, points=renewed, older=(OWN, MAIL))
    assert shared(world) == {}


def test_a_contact_that_comes_back_brings_news_of_all_its_addresses() -> None:
    world = a_world()
    world.edit(BEN, points=(MAIL,))
    world.settle()
    world.delete(BEN)
    world.settle()
    world.edit(BEN, deleted=False)
    assert shared(world) == {NEWS_BY_EMAIL: "DUPLICATE_FLAGGED"}


def test_what_is_gone_shares_nothing() -> None:
    world = a_world()
    world.delete(ANN)
    world.cycle()
    world.edit(BEN, points=(MAIL,))
    assert shared(world) == {}


def test_two_contacts_of_one_person_share_nothing_with_anybody_else() -> None:
    world = World()
    world.meet(1)
    other = a_contact(2, points=(OWN,))
    world.contacts[BEN] = world.contact_mirrors[BEN] = other
    world.link(2, subject=1)
    world.settle()
    world.edit(BEN, points=(MAIL,))
    assert shared(world) == {}


def test_a_stop_that_is_shared_goes_before_the_address_that_is() -> None:
    world = a_world()
    world.tell(EVENT.WITHDRAW, NEWS_BY_EMAIL, subject=1)
    world.settle()
    world.edit(BEN, points=tuple(sorted((PHONE, MAIL))))
    assert shared(world) == {
        NEWS_BY_EMAIL: "DUPLICATE_STOP_PROPAGATED",
        NEWS_BY_CALL: "DUPLICATE_FLAGGED",
    }
    told = world.cycle().events
    assert [(each.subject_id, each.use) for each in told] == [(subject_id(2), NEWS_BY_EMAIL)]


@pytest.mark.parametrize(
    ("kind", "use"),
    [
        (EVENT.STOP_MARKETING, Use(purpose=ANY_PURPOSE, channel=ANY_CHANNEL)),
        (EVENT.WITHDRAW, NEWS_BY_EMAIL),
    ],
)
def test_a_no_of_their_own_under_one_that_was_only_carried_is_shared(
    kind: EventKind, use: Use
) -> None:
    world = a_world()
    world.tell(kind, use, subject=1, own=False)
    world.settle()
    world.cycle()
    world.edit(BEN, points=(MAIL,))
    assert NEWS_BY_EMAIL not in {each.use for each in world.cycle().events}
    world.edit_row(world.row_of(ANN), request="Asked us to stop")
    told = world.cycle().events
    assert (subject_id(2), NEWS_BY_EMAIL) in {(each.subject_id, each.use) for each in told}


def test_who_said_no_has_nothing_that_could_be_mistaken_for_another_persons() -> None:
    world = a_world((EVENT.WITHDRAW, NEWS_BY_EMAIL))
    world.edit(BEN, points=(MAIL,))
    assert shared(world) == {}
    assert reasons_by_use(world.plan(), "S20", ANN) == {NEWS_BY_EMAIL: "DUPLICATE_STOP_PROPAGATED"}


def test_an_address_left_behind_by_somebody_who_was_erased_keeps_its_silence() -> None:
    world = World(policy=POLICY)
    world.meet(1)
    world.suppressions = (a_suppression(since=NOON - timedelta(days=9)),)
    record = world.records[subject_id(1)]
    world.records[subject_id(1)] = replace(record, erased=True, permissions={}, points=())
    world.settle()
    world.contacts[BEN] = a_contact(2, points=(MAIL,))
    plan = world.cycle()
    assert reasons_by_use(plan, "S20", BEN) == {NEWS_BY_EMAIL: "CONTACT_MATCHES_SUPPRESSION"}
    assert plan.events == ()
    assert decisions_on(world.plan(), "S20") == ()
