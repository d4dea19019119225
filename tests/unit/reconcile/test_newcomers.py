"""Newcomers: who is nobody's acquaintance is received by the pattern of the first of the kind, if it fits."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from salesforce_bridge.reconcile.facts import Dossier
from salesforce_bridge.reconcile.intent import DueChange
from salesforce_bridge.reconcile.newcomers import Reception, is_newcomer
from salesforce_bridge.reconcile.plan import make_plan
from salesforce_bridge.reconcile.sheet import Sheet
from tests.unit.permissions.examples import POLICY
from tests.unit.reconcile.worlds import NEWS_BY_EMAIL, NOON, ORG, World, a_contact, contact_id

PEOPLE = 3


def newcomers() -> tuple[Dossier, ...]:
    world = World()
    for number in range(1, PEOPLE + 1):
        world.contacts[contact_id(number)] = a_contact(number)
    return world.dossiers()


def judged(dossier: Dossier) -> Sheet:
    """What comes of a newcomer who is judged alone."""
    plan = make_plan((dossier,), org_id=ORG, policy=POLICY, at=NOON, revision=7, salt="1")
    return Sheet(
        decisions=list(plan.decisions),
        subjects=list(plan.subjects),
        links=list(plan.links),
        points=list(plan.points),
        writes=list(plan.writes),
    )


def with_more(dossier: Dossier) -> Sheet:
    """The same, and something of which a pattern knows nothing."""
    sheet = judged(dossier)
    whose = sheet.subjects[0].subject_id
    sheet.due.append(DueChange(subject_id=whose, use=NEWS_BY_EMAIL, at=NOON))
    return sheet


def as_two_people(dossier: Dossier) -> Sheet:
    sheet = judged(dossier)
    sheet.subjects.append(replace(sheet.subjects[0], subject_class="EMPLOYEE"))
    return sheet


def received(
    judge: Callable[[Dossier], Sheet], dossiers: tuple[Dossier, ...] = ()
) -> tuple[Sheet, int]:
    """All that comes of the newcomers, and how many of them were judged alone."""
    alone: list[Dossier] = []

    def counted(dossier: Dossier) -> Sheet:
        alone.append(dossier)
        return judge(dossier)

    reception, sheet = Reception(counted, org_id=ORG, policy=POLICY, salt="1"), Sheet()
    for dossier in dossiers or newcomers():
        assert is_newcomer(dossier)
        reception.receive(dossier, sheet)
    return sheet, len(alone)


def all_of(judge: Callable[[Dossier], Sheet], dossiers: tuple[Dossier, ...] = ()) -> Sheet:
    sheet = Sheet()
    for each in dossiers or newcomers():
        told = judge(each)
        for name in Sheet.__slots__:
            getattr(sheet, name).extend(getattr(told, name))
    return sheet


def test_people_of_one_kind_are_judged_once() -> None:
    sheet, alone = received(judged)
    assert sheet == all_of(judged)
    assert alone == 1


@pytest.mark.parametrize("judge", [with_more, as_two_people])
def test_where_more_comes_of_people_than_a_pattern_gives_back_each_is_judged_alone(
    judge: Callable[[Dossier], Sheet],
) -> None:
    sheet, alone = received(judge)
    assert sheet == all_of(judge)
    assert alone == PEOPLE + 1, "the first of the kind is judged for the pattern as well"


def test_people_of_each_place_have_a_pattern_of_their_own() -> None:
    """A country the policy does not list is a place like any other, and to name none at all is another."""
    world = World()
    countries = ("France", "United Kingdom", None, "UK", "France", "Atlantis", "Nowhere", None)
    for number, country in enumerate(countries, 1):
        world.contacts[contact_id(number)] = a_contact(number, country=country)
    dossiers = world.dossiers()
    sheet, alone = received(judged, dossiers)
    assert sheet == all_of(judged, dossiers)
    assert alone == len({"FR", "UK", None, "UNKNOWN"})
    assert [each.jurisdiction for each in sheet.subjects] == [
        *("FR", "UK", "UNKNOWN", "UK", "FR", "UNKNOWN", "UNKNOWN", "UNKNOWN"),
    ]
