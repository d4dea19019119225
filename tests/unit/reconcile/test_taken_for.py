"""Whom a new Contact is taken for, where somebody who is gone has said yes and somebody who is there no."""

from datetime import timedelta

import pytest

from salesforce_bridge.permissions.events import EventKind
from salesforce_bridge.permissions.keys import Use
from salesforce_bridge.permissions.suppressions import Scope
from salesforce_bridge.reconcile.facts import ACTIVE, AMBIGUOUS
from salesforce_bridge.reconcile.identity import new_subject_id
from tests.unit.reconcile.sightings import a_suppression
from tests.unit.reconcile.worlds import (
    NEWS_BY_CALL,
    NEWS_BY_EMAIL,
    NEWS_BY_POST,
    ORG,
    RESEARCH,
    World,
    a_contact,
    a_point,
    contact_id,
    reasons_by_use,
    situations,
    state_of,
    subject_id,
)

ANN, BEN, NEW = contact_id(1), contact_id(2), contact_id(3)
MAIL, PHONE = a_point("person1@example.org"), a_point("+442000000001")
NO_AGES_AGO, YES_SINCE = timedelta(days=3), timedelta(days=1)


def ann_is_gone(*, ben_says_no_to: Use | None, ann_says_yes_to: Use = NEWS_BY_EMAIL) -> World:
    """Ann said yes and is gone; Ben, who has her address and number, said no before she did."""
    world = World()
    world.meet(1)
    world.meet(2, points=(MAIL, PHONE))
    if ben_says_no_to is not None:
        world.tell(EventKind.WITHDRAW, ben_says_no_to, subject=2, at=world.at - NO_AGES_AGO)
    world.settle()
    world.tell(EventKind.GRANT, ann_says_yes_to, at=world.at - YES_SINCE)
    world.settle()
    world.delete(ANN)
    world.settle()
    return world


def created_again(world: World, *points: str) -> World:
    known = {"mail": MAIL, "phone": PHONE}
    world.contacts[NEW] = a_contact(3, points=tuple(known[each] for each in points))
    return world


@pytest.mark.parametrize("use", [NEWS_BY_EMAIL, NEWS_BY_CALL])
def test_a_contact_that_may_be_of_who_lifted_a_no_does_not_pass_the_no_of_another(use: Use) -> None:
    world = ann_is_gone(ben_says_no_to=use, ann_says_yes_to=use)
    plan = created_again(world, "mail", "phone").cycle()
    assert world.links[NEW].subject_id not in {subject_id(1), subject_id(2)}
    assert world.links[NEW].state == ACTIVE
    assert reasons_by_use(plan, "S20", NEW)[use] == "DUPLICATE_STOP_PROPAGATED"
    assert world.status_of(NEW, use) == "Stopped"
    assert state_of(world, use) == "GIVEN"


def test_contacts_that_are_taken_for_nobody_are_people_of_their_own() -> None:
    """Each is who anybody is whom the ledger meets for the first time on that Contact, in that org."""
    world = created_again(ann_is_gone(ben_says_no_to=NEWS_BY_EMAIL), "mail")
    other = contact_id(4)
    world.contacts[other] = a_contact(4, points=(MAIL,))
    world.cycle()
    for each in (NEW, other):
        assert world.links[each].subject_id == new_subject_id(each, org_id=ORG)


@pytest.mark.parametrize(
    ("no", "yes"),
    [
        (None, NEWS_BY_EMAIL),
        (NEWS_BY_POST, NEWS_BY_POST),  # a stop by post is of one person, whoever shares an address
        (NEWS_BY_CALL, NEWS_BY_EMAIL),
    ],
)
def test_a_contact_is_taken_for_who_is_gone_where_no_other_no_was_lifted(
    no: Use | None, yes: Use
) -> None:
    world = ann_is_gone(ben_says_no_to=no, ann_says_yes_to=yes)
    created_again(world, "mail").cycle()
    assert world.links[NEW].subject_id == subject_id(1)
    assert world.links[NEW].state == AMBIGUOUS


def test_the_no_of_another_by_a_number_that_the_new_contact_has_not_is_not_its_own() -> None:
    world = ann_is_gone(ben_says_no_to=NEWS_BY_CALL, ann_says_yes_to=NEWS_BY_CALL)
    created_again(world, "mail").cycle()
    assert world.links[NEW].subject_id == subject_id(1)


def test_a_no_that_is_told_after_the_yes_reaches_who_is_gone_and_the_new_contact() -> None:
    world = ann_is_gone(ben_says_no_to=None)
    world.tell(EventKind.WITHDRAW, subject=2, at=world.at - YES_SINCE / 2)
    created_again(world, "mail").cycle()
    assert world.links[NEW].subject_id == subject_id(1)
    assert world.status_of(NEW) == "Stopped"


def test_a_contact_of_who_lifted_the_silence_of_an_address_is_silent_all_the_same() -> None:
    world = ann_is_gone(ben_says_no_to=None)
    world.contacts.pop(BEN)
    world.links.pop(BEN)
    world.records.pop(subject_id(2))
    world.contact_mirrors.pop(BEN)
    world.suppressions = (
        a_suppression(hmac=MAIL.hmac, since=world.at - NO_AGES_AGO, after_erasure=True),
        a_suppression(
            hmac=PHONE.hmac, since=world.at - NO_AGES_AGO, scope=Scope.ALL, after_erasure=True
        ),
    )
    plan = created_again(world, "mail").cycle()
    assert "S15" in situations(plan)
    assert world.links[NEW].subject_id != subject_id(1)
    assert world.contacts[NEW].fields.consent_status == "Stopped"


def test_what_silences_marketing_alone_says_nothing_about_who_lifted_something_else() -> None:
    world = ann_is_gone(ben_says_no_to=None, ann_says_yes_to=NEWS_BY_POST)
    world.tell(EventKind.LIFT, RESEARCH, at=world.at)
    assert world.records[subject_id(1)].permissions[NEWS_BY_POST].lifted_at is not None
    world.suppressions = (
        a_suppression(hmac=MAIL.hmac, since=world.at + YES_SINCE, after_erasure=False),
    )
    created_again(world, "mail").cycle()
    assert world.links[NEW].subject_id == subject_id(1)
