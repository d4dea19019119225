"""One address or number on Contacts of different people, where nobody has said no."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from salesforce_bridge.permissions.contact_points import ContactPoint
from salesforce_bridge.permissions.events import ActorKind, EventKind
from salesforce_bridge.permissions.evidence import Trust
from salesforce_bridge.permissions.keys import ANY_CHANNEL, ANY_PURPOSE, ContactId, Use
from salesforce_bridge.permissions.states import State
from salesforce_bridge.permissions.suppressions import Scope
from salesforce_bridge.reconcile.facts import HeldPoint
from salesforce_bridge.reconcile.sharing import is_freer, noes_of_others, own_stop_at
from tests.unit.reconcile.sightings import POLICY, a_person, a_suppression, bench_of, hours
from tests.unit.reconcile.worlds import (
    EVERYTHING,
    NEWS_BY_CALL,
    NEWS_BY_EMAIL,
    NEWS_BY_POST,
    NOON,
    OFFERS,
    REP,
    RESEARCH,
    SERVICE,
    World,
    a_contact,
    a_point,
    a_record,
    a_use,
    contact_id,
    decisions_on,
    reasons_by_use,
    state_of,
    subject_id,
    with_offers,
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


# ---------------------------------------------------------------- a no that is carried


def side_by_side() -> World:
    """Ann and Ben, who share an address and a number; Ann said no to news by both a while ago."""
    world = World()
    world.meet(1)
    for use in (NEWS_BY_EMAIL, NEWS_BY_CALL):
        world.tell(EVENT.WITHDRAW, use)
    world.meet(2, points=(MAIL, PHONE))
    return world


def corrected(world: World) -> None:
    """The controller takes back, as an error, what was carried to Ben."""
    for use in (NEWS_BY_EMAIL, NEWS_BY_CALL):
        world.tell(
            EVENT.CORRECT,
            use,
            subject=2,
            at=world.at,
            trust=Trust.CONTROLLER_CONTROLLED,
            actor=ActorKind.OPERATOR,
            evidence_ref="letter 9",
            reason="STOP_CORRECTED_AS_ERROR",
        )


def test_a_no_taken_back_as_an_error_is_carried_again_while_the_other_person_says_no() -> None:
    world = side_by_side()
    carried: set[str] = set()
    for _ in range(2):
        corrected(world)
        assert state_of(world, NEWS_BY_EMAIL, 2) is State.UNKNOWN
        told = [each for each in world.cycle().events if each.subject_id == subject_id(2)]
        assert {each.use for each in told} == {NEWS_BY_EMAIL, NEWS_BY_CALL}
        assert {each.reason for each in told} == {"DUPLICATE_STOP_PROPAGATED"}
        assert carried.isdisjoint(each.id for each in told)
        carried |= {each.id for each in told}
        assert world.status_of(BEN) == world.status_of(BEN, NEWS_BY_CALL) == "Stopped"
        assert decisions_on(world.plan(), "S20") == ()
    assert len(carried) == 4
    assert all(carried)


def test_an_error_is_taken_back_for_good_once_nobody_else_says_no() -> None:
    world = side_by_side()
    world.tell(EVENT.GRANT, NEWS_BY_EMAIL, at=world.at)
    corrected(world)
    told = [each for each in world.cycle().events if each.subject_id == subject_id(2)]
    assert [each.use for each in told] == [NEWS_BY_CALL]
    assert world.status_of(BEN) == "Not asked"


@pytest.mark.parametrize("marketing", [True, False])
def test_a_purpose_the_policy_has_forgotten_stays_what_it_was_to_those_who_share(
    marketing: bool,
) -> None:
    """A no to marketing reaches whoever has the address; one to a service is about one person."""
    world = World(policy=with_offers(POLICY, marketing=marketing))
    for number in (1, 2):
        world.meet(number, points=(MAIL,))
    world.tell(EVENT.GRANT, OFFERS, subject=2, marketing=marketing)
    world.tell(EVENT.WITHDRAW, OFFERS, at=world.at, marketing=marketing)
    world.policy = POLICY
    world.cycle()
    assert state_of(world, OFFERS, 2) is (State.WITHDRAWN if marketing else State.GIVEN)


def test_a_no_that_was_lifted_before_the_address_was_shared_is_not_carried() -> None:
    world = a_world()
    world.tell(EVENT.STOP_MARKETING, EVERYTHING, at=NOON - timedelta(days=9))
    world.tell(EVENT.GRANT, NEWS_BY_EMAIL, at=NOON - timedelta(days=8))
    world.settle()
    world.edit(BEN, points=tuple(sorted((MAIL, PHONE))))
    plan = world.cycle()
    assert reasons_by_use(plan, "S20", BEN)[NEWS_BY_CALL] == "DUPLICATE_STOP_PROPAGATED"
    assert {each.use for each in plan.events} == {NEWS_BY_CALL}
    assert world.status_of(BEN) != "Stopped"


@pytest.mark.parametrize(("since", "is_carried"), [(-1, True), (0, True), (1, False)])
def test_a_no_is_carried_to_whoever_has_not_said_yes_since(since: float, is_carried: bool) -> None:
    """Of two words of the same moment the no counts, whoever said it."""
    world = a_world()
    world.tell(EVENT.WITHDRAW, NEWS_BY_EMAIL, at=NOON - timedelta(hours=9))
    world.tell(EVENT.GRANT, NEWS_BY_EMAIL, subject=2, at=NOON - timedelta(hours=9 - since))
    world.settle()
    world.edit(BEN, points=tuple(sorted((OWN, MAIL))))
    world.cycle()
    assert (state_of(world, NEWS_BY_EMAIL, 2) is State.WITHDRAWN) is is_carried


def test_a_question_nobody_answered_is_no_word_against_a_no_that_is_shared() -> None:
    world = a_world((EVENT.REQUEST, NEWS_BY_EMAIL))
    world.tell(EVENT.WITHDRAW, NEWS_BY_EMAIL)
    world.settle()
    world.edit(BEN, points=(MAIL,))
    world.cycle()
    assert world.status_of(BEN) == "Stopped"


def test_a_silence_that_has_run_out_keeps_no_shared_no_away() -> None:
    """What was silent for a while only has to hear of a no that will outlast it."""
    world = a_world()
    world.suppressions = (
        a_suppression(
            hmac=OWN.hmac, since=NOON - timedelta(days=9), after_erasure=False, expires_at=NOON
        ),
    )
    world.tell(EVENT.WITHDRAW, NEWS_BY_EMAIL)
    world.settle()
    world.edit(BEN, points=tuple(sorted((OWN, MAIL))))
    world.cycle()
    assert state_of(world, NEWS_BY_EMAIL, 2) is State.WITHDRAWN


def test_what_was_erased_of_somebody_hears_no_no_of_others() -> None:
    world = a_world((EVENT.GRANT, NEWS_BY_EMAIL))
    world.tell(EVENT.ERASE, NEWS_BY_EMAIL, subject=2)
    world.tell(EVENT.WITHDRAW, NEWS_BY_EMAIL)
    world.settle()
    world.edit(BEN, points=(MAIL,))
    assert EVENT.WITHDRAW not in {each.kind for each in world.cycle().events}


def no_of(*told: tuple[Any, ...], **changes: Any) -> datetime | None:
    """When Ann last said no to news by e-mail herself; `changes` are of what is held about that use."""
    person = a_person(*told)
    held = person.permissions
    if changes:
        held = {NEWS_BY_EMAIL: replace(held[NEWS_BY_EMAIL], **changes)}
    return own_stop_at(replace(person, permissions=held), NEWS_BY_EMAIL, policy=POLICY)


def test_a_no_of_their_own_counts_from_the_last_time_it_was_said() -> None:
    wide = (EVENT.STOP_MARKETING, EVERYTHING, hours(-5))
    yes = (EVENT.GRANT, NEWS_BY_EMAIL, hours(-9))
    no = (EVENT.WITHDRAW, NEWS_BY_EMAIL, hours(-3))
    assert no_of() is None
    assert no_of(yes) is None
    assert no_of(wide) == no_of(yes, wide) == hours(-5)
    assert no_of(no) == no_of(wide, no) == no_of(yes, wide, no) == hours(-3)
    assert no_of(no, own=False) is None
    # A no to the one use that was told under a wider one left the use as it was.
    assert no_of(yes, wide, stopped_at=hours(-4)) == hours(-4)
    assert no_of(yes, stopped_at=hours(-10)) is None


@pytest.mark.parametrize(
    ("said", "use", "expected"),
    [
        ({}, NEWS_BY_EMAIL, True),
        ({"since": hours(-3)}, NEWS_BY_EMAIL, True),
        ({"since": hours(-1)}, NEWS_BY_EMAIL, False),
        ({"expires_at": NOON}, NEWS_BY_EMAIL, False),
        ({"hmac": OWN.hmac}, NEWS_BY_EMAIL, False),
        ({}, RESEARCH, False),
        ({"scope": Scope.ALL}, RESEARCH, True),
    ],
)
def test_a_yes_that_passed_the_silence_of_an_address_is_proven_for_the_one_person(
    said: dict[str, Any], use: Use, expected: bool
) -> None:
    """Ann's yes of three hours ago came after the address fell silent, five hours ago."""
    silent = a_suppression(**({"since": hours(-5), "after_erasure": False} | said))
    ann = a_person((EVENT.ESTABLISH, RESEARCH, hours(-9)), (EVENT.GRANT, NEWS_BY_EMAIL, hours(-9)))
    ann = replace(ann, permissions={use: replace(ann.permissions[use], lifted_at=hours(-3))})
    bench = bench_of(people=(ann,), suppressions=(silent,))
    assert is_freer(bench, ann, (MAIL,)) is expected


def test_an_address_that_is_shared_is_told_with_who_brought_it_and_when() -> None:
    world = a_world()
    world.edit(BEN, points=tuple(sorted((OWN, MAIL))))
    (told,) = decisions_on(world.plan(), "S20")
    assert (told.source_actor, told.source_stamp) == (REP, world.contacts[BEN].modstamp)
    assert told.contact_id == BEN


def test_what_is_held_of_a_channel_that_nobody_knows_is_shared_with_nobody() -> None:
    world = a_world()
    pigeon = a_use(channel="PIGEON")
    world.tell(EVENT.REQUEST, pigeon, subject=2)
    world.settle()
    world.edit(BEN, points=tuple(sorted((OWN, MAIL))))
    assert pigeon not in shared(world)
    assert NEWS_BY_EMAIL in shared(world)


@pytest.mark.parametrize("marketing", [True, False])
@pytest.mark.parametrize("silenced", [True, False])
def test_a_yes_to_a_purpose_the_policy_has_forgotten_is_proven_for_the_one_person_as_well(
    marketing: bool, silenced: bool
) -> None:
    """Somebody else with the address said no before, or it fell silent; to a service that says nothing."""
    known = with_offers(POLICY, marketing=marketing)
    yes, no = (
        (kind, OFFERS, hours(at), {"marketing": marketing})
        for kind, at in ((EVENT.GRANT, -3), (EVENT.WITHDRAW, -5))
    )
    ann, ben = a_person(yes, policy=known), a_person(no, policy=known)
    ben = replace(
        a_record(2),
        permissions={} if silenced else ben.permissions,
        points=(HeldPoint(point=MAIL, retired=False),),
    )
    silent = a_suppression(since=hours(-5), after_erasure=False)
    bench = bench_of(people=(ann, ben), suppressions=(silent,) if silenced else ())
    assert is_freer(bench, ann, (MAIL,)) is marketing
    assert noes_of_others(bench, ann) == ({OFFERS: hours(-5)} if marketing and not silenced else {})
