"""What the ledger does for a reason: takes proven claims, sets others aside, opens cases."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from salesforce_bridge.permissions.bundle import Involvement
from salesforce_bridge.permissions.conditions import ConditionKind
from salesforce_bridge.permissions.events import ActorKind, EventKind
from salesforce_bridge.permissions.evidence import Grade, Trust
from salesforce_bridge.permissions.keys import Use
from salesforce_bridge.permissions.proofs import Proof
from salesforce_bridge.permissions.rights import CaseKind, CaseState
from salesforce_bridge.permissions.states import State
from salesforce_bridge.reconcile.acts import _ACTS
from salesforce_bridge.reconcile.facts import Individual
from salesforce_bridge.reconcile.reasons import Act
from tests.unit.permissions.examples import POLICY
from tests.unit.reconcile.worlds import (
    NEWS_BY_CALL,
    NEWS_BY_EMAIL,
    NEWS_BY_POST,
    NOON,
    RESEARCH,
    SERVICE,
    World,
    a_contact,
    contact_id,
    kinds,
    reasons_by_use,
    state_of,
    subject_id,
)

ANN = contact_id(1)
NEWS = (NEWS_BY_EMAIL, NEWS_BY_CALL, NEWS_BY_POST)


@pytest.fixture
def world() -> World:
    world = World()
    world.meet(1)
    return world


def test_there_is_something_to_do_for_every_act() -> None:
    assert set(_ACTS) == set(Act)


# ---------------------------------------------------------------- proven claims


def a_proof(world: World, use: Use = NEWS_BY_EMAIL, **said: Any) -> Proof:
    plain: dict[str, Any] = {
        "id": "yes-1",
        "kind": "DOI_TOKEN",
        "use": use,
        "happened_at": world.at - timedelta(hours=3),
        "notice_id": "consent-en-1",
        "point": world.contacts[ANN].points[0].exact,
        "trust": Trust.MACHINE,
        "grade": Grade.NONE,
    }
    return Proof(**(plain | said))


def claim(world: World, proof: Proof) -> None:
    """A rep records a yes with its token."""
    world.edit_row(
        world.row_of(ANN, proof.use),
        request="Gave permission",
        request_evidence=f"token:{proof.id}",
        proof=proof,
    )


def test_a_proven_yes_is_taken_with_all_that_shows_it(world: World) -> None:
    proof = a_proof(world)
    claim(world, proof)
    plan = world.cycle()
    assert reasons_by_use(plan, "S05") == {NEWS_BY_EMAIL: "GRANT_ACCEPTED_VERIFIED"}
    (event,) = plan.events
    assert (event.kind, event.happened_at) == (EventKind.GRANT, proof.happened_at)
    assert event.effective_from == world.at - timedelta(minutes=1)
    assert (event.trust, event.grade) == (Trust.SUBJECT_DIRECT, Grade.A)
    assert (event.actor, event.actor_ref) == (ActorKind.PERSON, None)
    assert (event.evidence_ref, event.capture_source) == ("token:yes-1", "DOI_TOKEN")
    assert (event.notice_id, event.point) == ("consent-en-1", proof.point)
    assert world.status_of(ANN) == "Permitted"


def test_a_proof_that_is_told_again_is_no_second_yes(world: World) -> None:
    claim(world, a_proof(world))
    world.cycle()
    world.cycle()
    known = world.records[subject_id(1)].permissions[NEWS_BY_EMAIL]
    claim(world, replace(a_proof(world), happened_at=known.granted_at or NOON))
    plan = world.cycle()
    assert reasons_by_use(plan, "S06") == {NEWS_BY_EMAIL: "GRANT_SUPERSEDED_NOTED"}
    assert world.records[subject_id(1)].permissions[NEWS_BY_EMAIL] == known


def test_a_later_proof_renews_what_is_there(world: World) -> None:
    claim(world, a_proof(world))
    world.cycle()
    world.cycle()
    world.at += timedelta(days=30)
    claim(world, a_proof(world, id="yes-2"))
    plan = world.cycle()
    assert reasons_by_use(plan, "S05") == {NEWS_BY_EMAIL: "RENEWAL_ACCEPTED_VERIFIED"}
    assert kinds(plan) == [(EventKind.RENEW, "direct_marketing", "EMAIL")]
    assert state_of(world, NEWS_BY_EMAIL) is State.RENEWED


def test_a_proof_after_a_stop_waits_for_two_people_and_the_stop_stands(world: World) -> None:
    world.tell(EventKind.WITHDRAW)
    world.settle()
    proof = a_proof(world)
    claim(world, proof)
    plan = world.cycle()
    assert reasons_by_use(plan, "S05") == {NEWS_BY_EMAIL: "GRANT_AFTER_STOP_REVIEW"}
    (candidate,) = plan.candidates
    assert candidate.proof is not None
    assert (candidate.proof.id, candidate.proof.trust) == (proof.id, Trust.SUBJECT_DIRECT)
    assert (candidate.claimed_at, candidate.evidence_ref) == (proof.happened_at, "token:yes-1")
    assert candidate.expires_at == world.at - timedelta(minutes=1) + world.policy.quarantine_lasts
    assert world.status_of(ANN) == "Stopped"
    row = world.rows[world.row_of(ANN)]
    assert row.fields.reason_code == "GRANT_AFTER_STOP_REVIEW"


def test_a_claim_nobody_judged_in_time_is_closed_and_no_longer_shown(world: World) -> None:
    world.edit_row(world.row_of(ANN), request="Gave permission")
    world.cycle()
    assert world.rows[world.row_of(ANN)].fields.reason_code == "GRANT_QUARANTINED_NO_EVIDENCE"
    world.at += world.policy.quarantine_lasts
    plan = world.cycle()
    (closed,) = plan.candidates
    assert (closed.open, closed.decision) == (False, "QUARANTINE_TIMED_OUT")
    assert [each.reason for each in plan.decisions if each.candidate_id == closed.id] == [
        "QUARANTINE_TIMED_OUT"
    ]
    assert world.rows[world.row_of(ANN)].fields.reason_code == "DENY_NOT_ESTABLISHED"
    assert world.plan().candidates == ()


# ---------------------------------------------------------------- rights of the person


def ask(world: World, **rights: bool) -> None:
    """Somebody sets flags on the Individual of a Contact."""
    world.edit(ANN, individual=Individual(individual_id="0PK1", **rights))


@pytest.mark.parametrize(
    ("right", "kind", "state"),
    [
        ("should_forget", CaseKind.ERASURE, CaseState.OPEN),
        ("opted_out_processing", CaseKind.RESTRICTION, CaseState.OPEN),
        ("opted_out_solicit", CaseKind.MARKETING_OBJECTION, CaseState.UPHELD),
        ("opted_out_profiling", CaseKind.PROFILING_OBJECTION, CaseState.OPEN),
        ("wants_a_copy", CaseKind.PORTABILITY, CaseState.OPEN),
    ],
)
def test_a_right_that_is_claimed_opens_one_case_with_a_due_date(
    world: World, right: str, kind: CaseKind, state: CaseState
) -> None:
    ask(world, **{right: True})
    received = world.contacts[ANN].modstamp
    plan = world.cycle()
    (case,) = plan.cases
    assert (case.kind, case.state, case.purpose) == (kind, state, None)
    assert (case.received_at, case.due_at) == (received, _a_month_after(received))
    assert world.plan().cases == ()


def _a_month_after(moment: datetime) -> datetime:
    return moment.replace(month=moment.month + 1)


def test_whoever_wants_to_be_forgotten_is_left_alone_at_once(world: World) -> None:
    world.tell(EventKind.GRANT)
    world.settle()
    ask(world, should_forget=True)
    assert kinds(world.cycle()) == [(EventKind.STOP_ALL, "*", "*")]
    assert world.status_of(ANN) == "Stopped"


def test_a_restriction_limits_everything_and_ends_nothing(world: World) -> None:
    world.tell(EventKind.GRANT)
    world.tell(EventKind.ESTABLISH, SERVICE)
    world.settle()
    ask(world, opted_out_processing=True)
    plan = world.cycle()
    (condition,) = plan.conditions
    assert (condition.kind, condition.purpose) == (ConditionKind.RESTRICTION, None)
    assert plan.events == ()
    assert [world.status_of(ANN, use) for use in (*NEWS, SERVICE)] == ["Limited"] * 4
    assert state_of(world, NEWS_BY_EMAIL) is State.GIVEN


def test_two_rights_at_once_are_both_honoured(world: World) -> None:
    ask(world, opted_out_processing=True, opted_out_solicit=True)
    plan = world.cycle()
    assert {each.kind for each in plan.cases} == {
        CaseKind.RESTRICTION,
        CaseKind.MARKETING_OBJECTION,
    }
    assert len(plan.conditions) == 1
    assert kinds(plan) == [(EventKind.STOP_MARKETING, "*", "*")]


def test_asking_for_a_copy_changes_no_permission(world: World) -> None:
    world.tell(EventKind.GRANT)
    world.settle()
    ask(world, wants_a_copy=True)
    plan = world.cycle()
    assert [each.reason for each in plan.decisions if each.situation == "PORTABILITY_ASKED"] == [
        "RIGHTS_CASE_OPENED_PORTABILITY"
    ]
    assert plan.events == ()
    assert world.status_of(ANN) == "Permitted"


@pytest.mark.parametrize(
    ("use", "established", "told"),
    [
        (NEWS_BY_EMAIL, EventKind.GRANT, EventKind.WITHDRAW),
        (RESEARCH, EventKind.ESTABLISH, EventKind.OBJECT_GROUNDS),
        (SERVICE, EventKind.ESTABLISH, None),
    ],
)
def test_an_objection_to_profiling_is_taken_in_the_words_of_what_does_it(
    world: World, use: Use, established: EventKind, told: EventKind | None
) -> None:
    world.tell(established, use)
    world.settle()
    purpose = replace(POLICY.purposes[use.purpose], involves=(Involvement.PROFILING,))
    world.policy = replace(POLICY, purposes={**POLICY.purposes, purpose.key: purpose})
    ask(world, opted_out_profiling=True)
    plan = world.cycle()
    about = [each.kind for each in plan.events if each.use == use]
    assert about == ([] if told is None else [told])
    assert [each.kind for each in plan.cases] == [CaseKind.PROFILING_OBJECTION]


def test_an_objection_is_owed_an_answer(world: World) -> None:
    world.tell(EventKind.ESTABLISH, RESEARCH)
    world.settle()
    world.edit_row(world.row_of(ANN, RESEARCH), request="Objects")
    plan = world.cycle()
    (case,) = plan.cases
    assert (case.kind, case.state) == (CaseKind.OBJECTION, CaseState.OPEN)
    assert case.purpose == RESEARCH.purpose
    assert world.status_of(ANN, RESEARCH) == "Limited"


def test_whoever_asks_a_service_to_stop_is_owed_an_answer_why_it_goes_on(world: World) -> None:
    world.tell(EventKind.ESTABLISH, SERVICE)
    world.settle()
    world.edit_row(world.row_of(ANN, SERVICE), request="Asked us to stop")
    (case,) = world.cycle().cases
    assert (case.kind, case.state) == (CaseKind.MARKETING_OBJECTION, CaseState.UPHELD)
    assert world.status_of(ANN, SERVICE) == "Permitted"


def test_of_an_answer_that_is_due_somebody_is_told_once_before_and_once_after(
    world: World,
) -> None:
    ask(world, opted_out_solicit=True)
    world.cycle()
    (case,) = world.records[subject_id(1)].cases
    told = []
    for days in (-8, -7, -6, 0, 1):
        world.at = case.due_at + timedelta(days=days)
        told.append([each.reason for each in world.cycle().decisions if "CASE_" in each.situation])
    assert told == [[], ["RIGHTS_CASE_DUE_SOON"], [], ["RIGHTS_CASE_OVERDUE"], []]


def test_a_right_claimed_for_a_stranger_is_kept_with_the_person() -> None:
    world = World()
    world.contacts[ANN] = a_contact(
        1, deleted=True, individual=Individual(individual_id="0PK1", opted_out_processing=True)
    )
    plan = world.cycle()
    assert len(plan.subjects) == len(plan.links) == len(plan.conditions) == 1
