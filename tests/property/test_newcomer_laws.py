"""The laws of the short cuts: who is judged by the pattern of somebody else is judged the same, and what is
shown where nothing is held is the same whether it was worked out once or for everybody anew."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from salesforce_bridge.reconcile.dossiers import orphans
from salesforce_bridge.reconcile.facts import ContactFields, ContactSnapshot, Individual, LeadFlags
from salesforce_bridge.reconcile.intent import Plan
from salesforce_bridge.reconcile.newcomers import is_newcomer
from salesforce_bridge.reconcile.plan import make_plan
from tests.property.small_worlds import surging_worlds, worlds
from tests.unit.reconcile.worlds import (
    NOON,
    ORG,
    REP,
    World,
    a_contact,
    a_point,
    a_row,
    contact_id,
)

laws = settings(
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
)
PLACES = ("United Kingdom", " united kingdom ", "Germany", "France", "Nowhere", "", None)
# A word on a Contact, so that who is new is not like any other.
WORDS: tuple[dict[str, Any], ...] = (
    {"opted_out_of_email": True},
    {"do_not_call": True},
    {"deleted": True},
    {"older": (a_point("old@example.org", 1),)},
    {"individual": Individual(individual_id="0PK000000000001AAA", opted_out_solicit=True)},
    {"lead": LeadFlags(lead_id="00Q000000000001AAA", opted_out_of_email=True)},
    {"fields": ContactFields(consent_status="Permitted")},
    {"fields": ContactFields(summary="E-mail: OK")},
)


def planned(world: World, *, one_by_one: bool) -> Plan:
    return make_plan(
        world.dossiers(),
        orphans=orphans(world.sight()),
        org_id=ORG,
        policy=world.policy,
        at=world.at,
        revision=7,
        salt="1",
        earlier=world.earlier,
        circuit=world.circuit,
        one_by_one=one_by_one,
    )


def is_the_same_either_way(world: World) -> None:
    assert planned(world, one_by_one=False) == planned(world, one_by_one=True)


@st.composite
def newcomers(draw: st.DrawFn, number: int) -> ContactSnapshot:
    """Somebody whom nobody has met, mostly without a word, with up to three addresses, some shared."""
    texts = draw(
        st.lists(st.sampled_from((f"p{number}@example.org", f"+4420{number:04}")), max_size=3)
    )
    shared = ("office@example.org",) if draw(st.integers(0, 9)) == 9 else ()
    said: dict[str, Any] = draw(st.sampled_from(WORDS)) if draw(st.integers(0, 4)) == 0 else {}
    plain = a_contact(
        number,
        points=tuple(a_point(each, draw(st.sampled_from((1, 2)))) for each in (*texts, *shared)),
        country=draw(st.sampled_from(PLACES)),
        modstamp=NOON - timedelta(seconds=draw(st.integers(0, 90))),
        modified_by=draw(st.sampled_from((REP, None))),
    )
    return replace(plain, **said)


@laws
@given(worlds(), st.data())
def test_newcomers_are_judged_alike_among_people_of_any_kind(
    world: World, data: st.DataObject
) -> None:
    for number in range(50, 50 + data.draw(st.integers(0, 9))):
        world.contacts[contact_id(number)] = data.draw(newcomers(number))
    if data.draw(st.booleans()):
        row = a_row(90, of=50)
        world.rows[row.row_id] = row
    world.at += timedelta(microseconds=data.draw(st.sampled_from((0, 1, 999_999))))
    is_the_same_either_way(world)


@laws
@given(surging_worlds())
def test_a_mass_change_is_found_either_way(world: World) -> None:
    is_the_same_either_way(world)


def test_everybody_met_at_the_first_look_is_judged_as_if_they_were_alone() -> None:
    world = World()
    for number in range(1, 60):
        points = (a_point(f"p{number}@example.org"), a_point(f"+4420{number:08d}"))
        contact = a_contact(number, points=points, country=PLACES[number % len(PLACES)])
        world.contacts[contact.contact_id] = contact
    assert all(is_newcomer(each) for each in world.dossiers())
    is_the_same_either_way(world)
    assert len(planned(world, one_by_one=False).subjects) == 59
