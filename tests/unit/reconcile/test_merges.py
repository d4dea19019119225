"""Two Contacts become one: whose no and whose yes counts."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from salesforce_bridge.permissions.conditions import Condition, ConditionKind
from salesforce_bridge.permissions.events import EventKind
from salesforce_bridge.permissions.evidence import Grade, Trust
from salesforce_bridge.permissions.proofs import Proof
from salesforce_bridge.permissions.rights import CaseKind, RightsCase
from salesforce_bridge.permissions.states import State
from salesforce_bridge.permissions.suppressions import Scope, Suppression
from salesforce_bridge.reconcile.facts import AMBIGUOUS, SubjectRecord
from tests.unit.permissions.examples import POLICY
from tests.unit.reconcile.worlds import (
    EVERYTHING,
    NEWS_BY_CALL,
    NEWS_BY_EMAIL,
    NEWS_BY_POST,
    NOON,
    OFFERS,
    ORG,
    SERVICE,
    World,
    a_contact,
    a_point,
    a_use,
    contact_id,
    decisions_on,
    reasons_by_use,
    situations,
    state_of,
    subject_id,
    with_offers,
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


# ---------------------------------------------------------------- merges


def test_a_merge_carries_the_stops_of_the_loser_and_its_yes_where_nobody_was_asked(
    world: World,
) -> None:
    world.meet(2)
    world.tell(EventKind.GRANT, NEWS_BY_POST, subject=2)
    world.tell(EventKind.WITHDRAW, NEWS_BY_EMAIL, subject=2)
    world.tell(EventKind.REQUEST, NEWS_BY_CALL, subject=2)
    world.cycle()
    world.merge(contact_id(2), ANN)
    plan = world.cycle()
    assert reasons_by_use(plan, "S19", contact_id(2)) == {
        NEWS_BY_EMAIL: "MERGE_STOP_CARRIED",
        NEWS_BY_CALL: "MERGE_RESTRICTIVE_JOIN",
        NEWS_BY_POST: "MERGE_RESTRICTIVE_JOIN",
    }
    assert [world.status_of(ANN, use) for use in NEWS] == ["Stopped", "Not asked", "Permitted"]
    assert world.links[contact_id(2)].merged_into == ANN


def test_a_merge_carries_holds_of_a_key_and_of_the_person(world: World) -> None:
    world.meet(2)
    world.tell(EventKind.GRANT, NEWS_BY_POST, subject=2)
    world.tell(EventKind.HOLD, NEWS_BY_POST, subject=2)
    world.tell(EventKind.HOLD, EVERYTHING, subject=2)
    world.cycle()
    world.merge(contact_id(2), ANN)
    plan = world.cycle()
    assert set(reasons_by_use(plan, "S19").values()) == {"MERGE_RESTRICTION_CARRIED"}
    assert [world.status_of(ANN, use) for use in NEWS] == ["Limited", "Not asked", "Limited"]


def test_a_merge_of_somebody_never_met_adopts_the_stranger() -> None:
    world = World()
    world.meet(1)
    world.contacts[contact_id(2)] = a_contact(2, deleted=True, master_id=ANN, do_not_call=True)
    plan = world.cycle()
    assert reasons_by_use(plan, "S19", contact_id(2)) == {
        NEWS_BY_EMAIL: "MERGE_UNLINKED_ADOPTED",
        NEWS_BY_CALL: "MERGE_STOP_CARRIED",
        NEWS_BY_POST: "MERGE_UNLINKED_ADOPTED",
    }
    assert world.status_of(ANN, NEWS_BY_CALL) == "Stopped"


def test_a_stop_follows_through_several_merges_and_past_a_deleted_winner(world: World) -> None:
    for number in (2, 3):
        world.meet(number)
    world.tell(EventKind.WITHDRAW, NEWS_BY_POST, subject=1)
    world.cycle()
    world.merge(ANN, contact_id(2))
    world.merge(contact_id(2), contact_id(3))
    world.delete(contact_id(3))
    world.cycle()
    assert state_of(world, NEWS_BY_POST, 3) is State.WITHDRAWN


def test_a_merge_into_something_out_of_sight_is_recorded_as_far_as_it_is_known(
    world: World,
) -> None:
    world.edit(ANN, deleted=True, master_id=contact_id(9))
    plan = world.cycle()
    assert reasons_by_use(plan, "S19")[NEWS_BY_EMAIL] == "MERGE_RESTRICTIVE_JOIN"
    assert [each.merged_into for each in plan.links] == [None]


def test_two_contacts_merged_into_each_other_come_to_an_end(world: World) -> None:
    world.meet(2)
    world.edit(ANN, deleted=True, master_id=contact_id(2))
    world.edit(contact_id(2), deleted=True, master_id=ANN)
    assert "S19" in situations(world.cycle())


def test_an_unmerged_contact_is_itself_again_and_the_winner_keeps_the_stop(world: World) -> None:
    world.meet(2)
    world.tell(EventKind.WITHDRAW, NEWS_BY_POST, subject=2)
    world.cycle()
    world.merge(contact_id(2), ANN)
    world.cycle()
    world.edit(contact_id(2), deleted=False, master_id=None)
    plan = world.cycle()
    assert (
        reasons_by_use(plan, "S18", contact_id(2))[NEWS_BY_POST] == "LINK_REOPENED_STOP_REASSERTED"
    )
    assert world.status_of(ANN, NEWS_BY_POST) == "Stopped"
    assert world.status_of(contact_id(2), NEWS_BY_POST) == "Stopped"


# ---------------------------------------------------------------- what else is known about both


def two_people(world: World) -> SubjectRecord:
    """Bob, who is about to be merged into Ann."""
    world.meet(2)
    return world.records[subject_id(2)]


def test_a_merge_carries_what_restricts_and_the_cases_still_to_be_answered(world: World) -> None:
    bob = two_people(world)
    restriction = Condition(
        id="restriction-1",
        subject_id=bob.subject_id,
        kind=ConditionKind.RESTRICTION,
        ref="asked by letter",
        valid_from=NOON,
    )
    case = RightsCase(
        id="case-1",
        kind=CaseKind.RESTRICTION,
        subject_id=bob.subject_id,
        received_at=NOON,
        due_at=NOON + timedelta(days=30),
    )
    world.records[bob.subject_id] = replace(
        bob, conditions=(*bob.conditions, restriction), cases=(case,)
    )
    world.cycle()
    world.merge(contact_id(2), ANN)
    plan = world.cycle()
    assert [(each.kind, each.subject_id, each.ref) for each in plan.conditions] == [
        (ConditionKind.RESTRICTION, subject_id(1), "asked by letter")
    ]
    assert [(each.kind, each.subject_id, each.due_at) for each in plan.cases] == [
        (CaseKind.RESTRICTION, subject_id(1), case.due_at)
    ]
    assert world.status_of(ANN) == "Limited"


def test_what_a_carried_basis_rests_on_comes_along(world: World) -> None:
    bob = two_people(world)
    ann = world.records[subject_id(1)]
    world.records[ann.subject_id] = replace(ann, conditions=())
    world.tell(EventKind.ESTABLISH, SERVICE, subject=2)
    world.cycle()
    world.merge(contact_id(2), ANN)
    plan = world.cycle()
    assert {each.kind for each in plan.conditions} == {each.kind for each in bob.conditions}
    assert world.status_of(ANN, SERVICE) == "Permitted"


def test_a_condition_that_both_have_is_carried_once(world: World) -> None:
    two_people(world)
    world.tell(EventKind.ESTABLISH, SERVICE, subject=2)
    world.cycle()
    world.merge(contact_id(2), ANN)
    assert world.cycle().conditions == ()


def test_a_duty_to_ask_anew_comes_along_with_the_yes(world: World) -> None:
    bob = two_people(world)
    world.tell(EventKind.GRANT, NEWS_BY_POST, subject=2)
    bob = world.records[subject_id(2)]
    until = world.at + timedelta(days=20)
    said = replace(bob.permissions[NEWS_BY_POST], reaffirm_by=until, latest_notice="consent-en-1")
    world.records[bob.subject_id] = replace(bob, permissions={NEWS_BY_POST: said})
    world.cycle()
    world.merge(contact_id(2), ANN)
    world.cycle()
    carried = world.records[subject_id(1)].permissions[NEWS_BY_POST]
    assert (carried.state, carried.reaffirm_by) == (State.GIVEN, until)
    row = world.rows[world.row_of(ANN, NEWS_BY_POST)]
    assert row.fields.effective_to == until.replace(microsecond=0)


def test_a_newer_notice_that_was_noted_comes_along_with_the_yes(world: World) -> None:
    two_people(world)
    world.tell(EventKind.GRANT, NEWS_BY_POST, subject=2)
    bob = world.records[subject_id(2)]
    said = replace(bob.permissions[NEWS_BY_POST], latest_notice="consent-en-2")
    world.records[bob.subject_id] = replace(bob, permissions={NEWS_BY_POST: said})
    world.cycle()
    world.merge(contact_id(2), ANN)
    world.cycle()
    assert world.records[subject_id(1)].permissions[NEWS_BY_POST].latest_notice == "consent-en-2"


@pytest.mark.parametrize("said_by", [1, 2])
def test_a_yes_later_than_the_twins_stop_waits_for_review(world: World, said_by: int) -> None:
    """Who is merged into whom does not matter: the stop stands, and people look at the yes."""
    two_people(world)
    said_no = 3 - said_by
    world.tell(EventKind.WITHDRAW, NEWS_BY_POST, subject=said_no, at=world.at - timedelta(days=3))
    world.tell(EventKind.GRANT, NEWS_BY_POST, subject=said_by)
    world.cycle()
    world.merge(contact_id(2), ANN)
    plan = world.cycle()
    assert reasons_by_use(plan, "S19")[NEWS_BY_POST] == "MERGE_STOP_CARRIED"
    assert world.status_of(ANN, NEWS_BY_POST) == "Stopped"
    (candidate,) = plan.candidates
    assert (candidate.subject_id, candidate.use) == (subject_id(1), NEWS_BY_POST)
    assert candidate.reason == "MERGE_STOP_CARRIED"
    assert candidate.proof is not None
    assert candidate.proof.happened_at == candidate.claimed_at
    decided = {each.candidate_id for each in decisions_on(plan, "S19")}
    assert candidate.id in decided


def test_a_wide_stop_stops_what_the_other_one_had_said_yes_to_since(world: World) -> None:
    two_people(world)
    world.tell(EventKind.STOP_MARKETING, EVERYTHING, subject=2, at=world.at - timedelta(days=3))
    world.cycle()
    world.merge(contact_id(2), ANN)
    world.cycle()
    assert [world.status_of(ANN, use) for use in NEWS] == ["Stopped"] * 3


def test_a_wide_stop_that_was_lifted_stays_lifted(world: World) -> None:
    two_people(world)
    world.tell(EventKind.STOP_MARKETING, EVERYTHING, subject=2, at=world.at - timedelta(days=3))
    world.tell(EventKind.GRANT, NEWS_BY_POST, subject=2)
    world.cycle()
    world.merge(contact_id(2), ANN)
    world.cycle()
    assert [world.status_of(ANN, use) for use in NEWS] == ["Stopped", "Stopped", "Permitted"]


def test_the_silence_of_one_address_comes_to_hold_for_both(world: World) -> None:
    two_people(world)
    (address, *_) = world.contacts[contact_id(2)].points
    world.suppressions = (
        Suppression(
            hmac=address.hmac,
            key_version=1,
            scope=Scope.MARKETING,
            controller=world.policy.controller,
            since=world.at,
            reason="ON_A_LIST",
            after_erasure=False,
        ),
    )
    world.cycle()
    world.merge(contact_id(2), ANN)
    plan = world.cycle()
    assert {each.hmac for each in plan.suppressions} == {
        each.hmac for each in world.contacts[ANN].points
    }
    assert world.status_of(ANN) == "Stopped"
    assert world.plan().writes == ()


def test_an_unmerged_contact_keeps_every_no_that_the_other_was_told_meanwhile(
    world: World,
) -> None:
    two_people(world)
    world.merge(contact_id(2), ANN)
    world.cycle()
    world.tell(EventKind.WITHDRAW, NEWS_BY_POST)
    world.tell(EventKind.STOP_CHANNEL, a_use("*", "LIVE_CALL"))
    world.cycle()
    world.edit(contact_id(2), deleted=False, master_id=None)
    plan = world.cycle()
    reasons = reasons_by_use(plan, "S18", contact_id(2))
    assert reasons[NEWS_BY_POST] == reasons[NEWS_BY_CALL] == "LINK_REOPENED_STOP_REASSERTED"
    assert reasons[NEWS_BY_EMAIL] == "LINK_REOPENED_REASSERTED"
    assert [world.status_of(contact_id(2), use) for use in NEWS] == [
        "Not asked",
        "Stopped",
        "Stopped",
    ]


# ---------------------------------------------------------------- at the edges


def test_a_wide_no_stops_what_the_other_one_said_yes_to_of_a_purpose_nobody_knows_any_more() -> (
    None
):
    world = World(policy=with_offers(POLICY))
    world.meet(1)
    world.meet(2)
    world.tell(EventKind.STOP_MARKETING, EVERYTHING, subject=2, at=world.at - timedelta(days=3))
    world.tell(EventKind.GRANT, OFFERS, marketing=True)
    world.policy = POLICY
    world.cycle()
    world.merge(contact_id(2), ANN)
    world.cycle()
    assert state_of(world, OFFERS) is State.WITHDRAWN


def test_a_wide_no_stands_over_what_was_lifted_of_a_basis_that_knows_no_no(world: World) -> None:
    """There are no words to say no to a contract alone, so all of the wide no is told anew."""
    two_people(world)
    world.tell(EventKind.STOP_ALL, EVERYTHING, at=world.at - timedelta(days=5))
    world.tell(EventKind.ESTABLISH, SERVICE, at=world.at - timedelta(days=5))
    world.tell(EventKind.LIFT, SERVICE, at=world.at - timedelta(days=1))
    world.tell(EventKind.STOP_ALL, EVERYTHING, subject=2, at=world.at - timedelta(days=3))
    world.settle()
    assert world.status_of(ANN, SERVICE) == "Permitted"
    world.merge(contact_id(2), ANN)
    plan = world.cycle()
    assert {each.kind for each in plan.events} == {EventKind.STOP_ALL, EventKind.WITHDRAW}
    assert world.status_of(ANN, SERVICE) == "Stopped"


def test_a_silence_that_has_run_out_keeps_no_yes_from_coming_along(world: World) -> None:
    two_people(world)
    (address, *_) = world.contacts[ANN].points
    world.suppressions = (silence(address.hmac, expires_at=world.at),)
    world.tell(EventKind.GRANT, NEWS_BY_POST, subject=2)
    world.cycle()
    world.merge(contact_id(2), ANN)
    plan = world.cycle()
    assert world.status_of(ANN, NEWS_BY_POST) == "Permitted"
    assert plan.suppressions == ()


@pytest.mark.parametrize(("runs_out", "carried"), [(timedelta(0), 0), (timedelta(days=9), 2)])
def test_a_silence_is_carried_while_it_lasts_to_every_address_but_its_own(
    world: World, runs_out: timedelta, carried: int
) -> None:
    """Both have one number; the silence of it is there already, and comes to hold for what else Ann has."""
    number = world.contacts[ANN].points[1]
    world.meet(2, points=(number,))
    world.suppressions = (
        silence(number.hmac, expires_at=world.at + timedelta(hours=1) + runs_out),
    )
    world.settle()
    world.at += timedelta(hours=1)
    world.merge(contact_id(2), ANN)
    told = {each.hmac: each.reason for each in world.cycle().suppressions}
    email = world.contacts[ANN].points[0].hmac
    assert told == ({email: "MERGE_STOP_CARRIED"} if carried else {})


def test_marks_come_along_use_by_use_under_the_reason_of_the_merge(world: World) -> None:
    two_people(world)
    for use in (NEWS_BY_POST, NEWS_BY_CALL):
        world.tell(EventKind.GRANT, use, subject=2)
    bob, until = world.records[subject_id(2)], world.at + timedelta(days=20)
    world.records[bob.subject_id] = replace(
        bob,
        permissions={
            use: replace(said, reaffirm_by=until, latest_notice="consent-en-2")
            for use, said in bob.permissions.items()
        },
    )
    world.cycle()
    world.merge(contact_id(2), ANN)
    told = [each for each in world.cycle().events if each.kind is EventKind.REAFFIRM]
    assert {each.reason for each in told} == {"MERGE_RESTRICTIVE_JOIN"}
    ann = world.records[subject_id(1)].permissions
    assert {use: ann[use].reaffirm_by for use in (NEWS_BY_POST, NEWS_BY_CALL)} == dict.fromkeys(
        (NEWS_BY_POST, NEWS_BY_CALL), until
    )


def test_a_notice_that_was_noted_comes_along_under_the_reason_of_the_merge(world: World) -> None:
    two_people(world)
    world.tell(EventKind.GRANT, NEWS_BY_POST, subject=2)
    bob = world.records[subject_id(2)]
    said = replace(bob.permissions[NEWS_BY_POST], latest_notice="consent-en-2")
    world.records[bob.subject_id] = replace(bob, permissions={NEWS_BY_POST: said})
    world.cycle()
    world.merge(contact_id(2), ANN)
    (noted,) = [each for each in world.cycle().events if each.kind is EventKind.NOTICED]
    assert (noted.notice_id, noted.reason) == ("consent-en-2", "MERGE_RESTRICTIVE_JOIN")


def test_the_yes_that_waits_for_review_names_what_it_was_proven_with(world: World) -> None:
    two_people(world)
    world.tell(EventKind.WITHDRAW, NEWS_BY_POST, at=world.at - timedelta(days=3))
    world.tell(EventKind.GRANT, NEWS_BY_POST, subject=2, evidence_ref="letter 7")
    world.cycle()
    world.merge(contact_id(2), ANN)
    (candidate,) = world.cycle().candidates
    assert candidate.evidence_ref == "letter 7"


def test_every_case_still_to_be_answered_is_carried_as_one_of_its_own(world: World) -> None:
    bob = two_people(world)
    asked = tuple(
        RightsCase(
            id=f"case-{kind}",
            kind=kind,
            subject_id=bob.subject_id,
            received_at=NOON,
            due_at=NOON + timedelta(days=30),
        )
        for kind in (CaseKind.RESTRICTION, CaseKind.ACCESS)
    )
    world.records[bob.subject_id] = replace(bob, cases=asked)
    world.cycle()
    world.merge(contact_id(2), ANN)
    carried = world.cycle().cases
    assert {each.kind for each in carried} == {CaseKind.RESTRICTION, CaseKind.ACCESS}
    assert {each.subject_id for each in carried} == {subject_id(1)}
    assert len({*(each.id for each in carried), *(each.id for each in asked)}) == 4
    assert all(each.id for each in carried)


# ---------------------------------------------------------------- back again, through several merges


BEN, EVE = contact_id(2), contact_id(3)


def chained(world: World) -> None:
    """Ben was merged into Ann, and Ann into Eve, who says no to calls; all three are told."""
    world.meet(2)
    world.meet(3)
    world.merge(BEN, ANN)
    world.cycle()
    world.merge(ANN, EVE)
    world.cycle()
    world.tell(EventKind.WITHDRAW, NEWS_BY_CALL, subject=3, at=world.at)
    world.cycle()


def test_who_is_no_longer_merged_keeps_the_no_of_all_who_took_over_in_turn(world: World) -> None:
    chained(world)
    world.edit(BEN, deleted=False, master_id=None)
    world.cycle()
    assert world.status_of(BEN, NEWS_BY_CALL) == "Stopped"


def test_a_second_contact_of_the_same_person_on_the_way_hides_no_no(world: World) -> None:
    world.contacts[BEN] = world.contact_mirrors[BEN] = a_contact(2)
    world.link(2, subject=1)
    world.meet(3)
    world.merge(BEN, ANN)
    world.cycle()
    world.merge(ANN, EVE)
    world.cycle()
    world.tell(EventKind.WITHDRAW, NEWS_BY_CALL, subject=3, at=world.at)
    world.cycle()
    world.edit(BEN, deleted=False, master_id=None)
    world.cycle()
    assert world.status_of(BEN, NEWS_BY_CALL) == "Stopped"


def test_merges_that_go_in_circles_are_followed_once(world: World) -> None:
    chained(world)
    (into,) = (each for each in world.links.values() if each.contact_id == ANN)
    back = replace(world.links[EVE], state=into.state, merged_into=ANN)
    world.links[EVE] = back
    eve = world.records[subject_id(3)]
    world.records[eve.subject_id] = replace(eve, links=(back,))
    world.edit(BEN, deleted=False, master_id=None)
    plan = world.cycle()
    assert (EventKind.WITHDRAW, "direct_marketing", "LIVE_CALL") in {
        (each.kind, each.use.purpose, each.use.channel)
        for each in plan.events
        if each.subject_id == subject_id(2)
    }


def test_who_comes_back_from_the_recycle_bin_hears_nothing_of_others(world: World) -> None:
    """Only who was merged was ever taken for somebody else."""
    world.meet(2)
    world.tell(EventKind.WITHDRAW, NEWS_BY_CALL, subject=2)
    world.cycle()
    world.delete(ANN)
    world.cycle()
    world.edit(ANN, deleted=False)
    plan = world.cycle()
    assert set(reasons_by_use(plan, "S18", ANN).values()) == {"LINK_REOPENED_REASSERTED"}
    assert plan.events == ()


def silence(hmac: str, **said: Any) -> Suppression:
    """An address that stays silent for a while, of nobody who was erased."""
    plain: dict[str, Any] = {
        "hmac": hmac,
        "key_version": 1,
        "scope": Scope.MARKETING,
        "controller": POLICY.controller,
        "since": NOON - timedelta(days=9),
        "reason": "ON_A_LIST",
        "after_erasure": False,
    }
    return Suppression(**(plain | said))


def test_what_ended_on_one_side_is_told_as_begun_and_ended_and_permits_nothing(
    world: World,
) -> None:
    two_people(world)
    world.tell(EventKind.ESTABLISH, SERVICE, subject=2, at=world.at - timedelta(days=5))
    world.tell(EventKind.END, SERVICE, subject=2, at=world.at - timedelta(days=3))
    world.cycle()
    world.merge(contact_id(2), ANN)
    told = [each for each in world.cycle().events if each.use == SERVICE]
    assert [each.kind for each in told] == [EventKind.ESTABLISH, EventKind.END]
    assert told[0].happened_at < told[1].happened_at
    assert state_of(world, SERVICE) is State.ENDED


def test_what_was_erased_stays_erased_through_a_merge(world: World) -> None:
    two_people(world)
    world.tell(EventKind.ERASE, NEWS_BY_EMAIL, subject=2)
    world.cycle()
    world.merge(contact_id(2), ANN)
    world.cycle()
    assert state_of(world, NEWS_BY_EMAIL) is State.ERASED


def test_a_merge_with_somebody_of_whom_nothing_is_left_is_for_a_person_to_look_at(
    world: World,
) -> None:
    """Nobody remembers an address of theirs, so there is nothing to be carried."""
    two_people(world)
    world.cycle()
    nothing = replace(world.records[subject_id(2)], erased=True, permissions={}, points=())
    world.records[subject_id(2)] = nothing
    world.merge(contact_id(2), ANN)
    plan = world.cycle()
    reasons = reasons_by_use(plan, "S19", contact_id(2))
    assert set(reasons.values()) == {"MERGE_WITH_ERASED_REVIEW"}
    assert world.status_of(ANN) == "Permitted"


@pytest.mark.parametrize(
    ("kind", "days_left", "with_yes", "is_carried"),
    [
        (ConditionKind.RESTRICTION, None, False, True),
        (ConditionKind.DECEASED, 1, False, True),
        (ConditionKind.RESTRICTION, 0, True, False),  # it has ended
        (ConditionKind.TASK, None, True, True),
        (ConditionKind.TASK, None, False, False),  # nothing rests on it
        (ConditionKind.TASK, 0, True, False),
    ],
)
def test_of_what_is_known_only_what_still_holds_and_is_needed_comes_along(
    world: World, kind: ConditionKind, days_left: int | None, with_yes: bool, is_carried: bool
) -> None:
    bob = two_people(world)
    fact = Condition(
        id="fact-1",
        subject_id=bob.subject_id,
        kind=kind,
        ref="the very one",
        valid_from=NOON - timedelta(days=9),
        valid_to=None if days_left is None else world.at + timedelta(days=days_left),
    )
    world.records[bob.subject_id] = replace(bob, conditions=(*bob.conditions, fact))
    if with_yes:
        world.tell(EventKind.ESTABLISH, SERVICE, subject=2)
    world.cycle()
    world.merge(contact_id(2), ANN)
    carried = [each for each in world.cycle().conditions if each.ref == "the very one"]
    assert [(each.kind, each.subject_id, each.valid_to) for each in carried] == (
        [(kind, subject_id(1), fact.valid_to)] if is_carried else []
    )


@pytest.mark.parametrize("own", [True, False])
@pytest.mark.parametrize(
    ("bens_yes", "anns_yes", "stopped"),
    [
        (None, None, False),  # the wide no stands over it anyhow
        (None, -4, False),  # she said yes before the no
        (None, -2, True),  # whether that yes is hers too is a rep's opinion
        (-2, -2, False),  # he took it back for this use
        (-2, None, False),
    ],
)
def test_only_a_yes_that_would_pass_a_wide_no_is_stopped_use_by_use(
    world: World, bens_yes: int | None, anns_yes: int | None, stopped: bool, own: bool
) -> None:
    two_people(world)
    now = world.at
    for subject, said in ((2, bens_yes), (1, anns_yes)):
        if said is not None:
            world.tell(
                EventKind.GRANT, NEWS_BY_POST, subject=subject, at=now + timedelta(days=said)
            )
    no = now - timedelta(days=3)
    world.tell(EventKind.STOP_MARKETING, EVERYTHING, subject=2, at=no, own=own)
    world.cycle()
    world.merge(contact_id(2), ANN)
    events = [each for each in world.cycle().events if each.use == NEWS_BY_POST]
    told = [each for each in events if each.kind is not EventKind.GRANT]
    assert [each.kind for each in told] == ([EventKind.WITHDRAW] if stopped else [])
    for each in told:
        assert (each.happened_at, each.own, each.reason) == (no, own, "MERGE_STOP_CARRIED")


def test_the_yes_that_waits_for_review_is_claimed_with_all_that_proved_it(world: World) -> None:
    two_people(world)
    world.tell(EventKind.WITHDRAW, NEWS_BY_POST, at=world.at - timedelta(days=3))
    world.tell(EventKind.GRANT, NEWS_BY_POST, subject=2, evidence_ref="letter 7")
    said = world.records[subject_id(2)].permissions[NEWS_BY_POST]
    world.cycle()
    world.merge(contact_id(2), ANN)
    at = world.at
    (claim,) = world.cycle().candidates
    assert (claim.claimed_at, claim.source_record) == (said.granted_at, contact_id(2))
    assert claim.expires_at == at + world.policy.quarantine_lasts
    assert claim.proof == Proof(
        id="letter 7",
        kind="LEDGER",
        use=NEWS_BY_POST,
        happened_at=said.since,
        notice_id="consent-en-1",
        point=said.point,
        trust=Trust.SUBJECT_DIRECT,
        grade=Grade.A,
    )


def test_a_yes_without_a_paper_is_named_by_its_own_claim(world: World) -> None:
    two_people(world)
    world.tell(EventKind.WITHDRAW, NEWS_BY_POST, at=world.at - timedelta(days=3))
    world.tell(EventKind.GRANT, NEWS_BY_POST, subject=2)
    world.cycle()
    world.merge(contact_id(2), ANN)
    (claim,) = world.cycle().candidates
    assert claim.proof is not None
    assert (claim.proof.id, claim.evidence_ref) == (claim.id, None)


def test_who_is_no_longer_merged_is_told_every_no_and_nothing_else(world: World) -> None:
    """An end, a hold or a question of the others says nothing about them."""
    two_people(world)
    world.merge(contact_id(2), ANN)
    world.cycle()
    world.tell(EventKind.REVOKE, NEWS_BY_EMAIL, at=world.at)
    world.tell(EventKind.REQUEST, NEWS_BY_CALL, at=world.at)
    world.tell(EventKind.WITHDRAW, NEWS_BY_POST, at=world.at)
    world.cycle()
    world.edit(contact_id(2), deleted=False, master_id=None)
    at = world.at
    plan = world.cycle()
    # A basis in force would only be challenged by a no, so one that there might be ends first.
    assert [(each.kind, each.use, each.subject_id) for each in plan.events] == [
        (EventKind.END, NEWS_BY_POST, subject_id(2)),
        (EventKind.WITHDRAW, NEWS_BY_POST, subject_id(2)),
    ]
    assert {(each.source_record, each.recorded_at) for each in plan.events} == {(ANN, at)}
    told = tuple(each.id for each in plan.events)
    assert {each.event_ids for each in decisions_on(plan, "S18")} == {told}


def test_a_no_of_long_ago_is_not_told_again_over_a_later_one(world: World) -> None:
    two_people(world)
    world.tell(EventKind.WITHDRAW, NEWS_BY_POST, at=world.at - timedelta(days=3))
    world.tell(EventKind.WITHDRAW, NEWS_BY_POST, subject=2, at=world.at - timedelta(days=1))
    world.cycle()
    world.merge(contact_id(2), ANN)
    world.cycle()
    world.edit(contact_id(2), deleted=False, master_id=None)
    assert world.cycle().events == ()


def test_a_merge_into_a_candidate_permits_nothing_on_it(world: World) -> None:
    """Nobody has confirmed yet whose record that is."""
    two_people(world)
    world.tell(EventKind.GRANT, NEWS_BY_POST, subject=2)
    world.links[ANN] = replace(world.links[ANN], state=AMBIGUOUS)
    ann = world.records[subject_id(1)]
    world.records[ann.subject_id] = replace(ann, links=(world.links[ANN],))
    world.settle()
    world.merge(contact_id(2), ANN)
    assert EventKind.GRANT not in {each.kind for each in world.cycle().events}


def test_a_merge_into_what_was_purged_since_goes_as_far_as_it_is_known(world: World) -> None:
    world.meet(2)
    world.merge(contact_id(2), ANN)
    world.purge(ANN)
    (link,) = [each for each in world.cycle().links if each.contact_id == contact_id(2)]
    assert link.merged_into == ANN


def test_who_is_merged_in_a_circle_is_merged_into_nobody(world: World) -> None:
    world.meet(2)
    world.edit(ANN, deleted=True, master_id=contact_id(2))
    world.edit(contact_id(2), deleted=True, master_id=ANN)
    plan = world.cycle()
    assert {each.merged_into for each in plan.links} == {None}
    assert {each.org_id for each in plan.links} == {ORG}


@pytest.mark.parametrize(
    ("after_erasure", "reason"),
    [(True, "MERGE_WITH_ERASED_REVIEW"), (False, "MERGE_STOP_CARRIED")],
)
def test_a_silence_that_is_carried_says_why_under_the_key_of_the_address(
    world: World, after_erasure: bool, reason: str
) -> None:
    address = a_point("ben@example.org", 1)
    world.meet(2, points=(address,))
    newer = (a_point("person1@example.org", 2),)
    world.edit(ANN, points=newer)
    world.settle()
    world.suppressions = (silence(address.hmac, after_erasure=after_erasure),)
    world.settle()
    world.merge(contact_id(2), ANN)
    told = {(each.hmac, each.key_version, each.reason) for each in world.cycle().suppressions}
    assert (newer[0].hmac, 2, reason) in told


def test_a_fact_that_ends_at_the_very_moment_has_ended(world: World) -> None:
    bob = two_people(world)
    world.cycle()
    fact = Condition(
        id="fact-1",
        subject_id=bob.subject_id,
        kind=ConditionKind.RESTRICTION,
        ref="the very one",
        valid_from=NOON - timedelta(days=9),
        valid_to=world.at,
    )
    world.records[bob.subject_id] = replace(bob, conditions=(*bob.conditions, fact))
    world.merge(contact_id(2), ANN)
    assert world.cycle().conditions == ()
