"""What the ledger does for a reason: takes proven claims, sets others aside, opens cases."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from salesforce_bridge.permissions.bundle import Involvement, ProofRule
from salesforce_bridge.permissions.conditions import Condition, ConditionKind
from salesforce_bridge.permissions.events import ActorKind, EventKind
from salesforce_bridge.permissions.evidence import Grade, Trust
from salesforce_bridge.permissions.keys import Use
from salesforce_bridge.permissions.proofs import Proof
from salesforce_bridge.permissions.rights import CaseKind, CaseState, RightsCase
from salesforce_bridge.permissions.states import State
from salesforce_bridge.reconcile.acts import _ACTS
from salesforce_bridge.reconcile.acts_words import happened_at
from salesforce_bridge.reconcile.facts import CLOSED_PURGED
from salesforce_bridge.reconcile.findings import Extra, Finding
from salesforce_bridge.reconcile.moments import SOON
from salesforce_bridge.reconcile.reasons import Act
from tests.property.small_worlds import forget
from tests.unit.permissions.examples import POLICY
from tests.unit.reconcile.sightings import bench_of
from tests.unit.reconcile.worlds import (
    EVERYTHING,
    NEWS_BY_CALL,
    NEWS_BY_EMAIL,
    NEWS_BY_POST,
    NOON,
    REP,
    RESEARCH,
    SERVICE,
    World,
    a_contact,
    a_point,
    an_individual,
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
    world.edit(ANN, individual=an_individual(**rights))


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
        1, deleted=True, individual=an_individual(opted_out_processing=True)
    )
    plan = world.cycle()
    assert len(plan.subjects) == len(plan.links) == len(plan.conditions) == 1


# ---------------------------------------------------------------- one among several


def test_of_several_claims_only_the_ones_nobody_judged_in_time_are_closed(world: World) -> None:
    world.edit_row(world.row_of(ANN), request="Gave permission")
    world.cycle()
    world.at += timedelta(days=1)
    for use in (NEWS_BY_EMAIL, NEWS_BY_POST):
        world.edit_row(world.row_of(ANN, use), request="Gave permission")
    world.cycle()
    first, *others = sorted(
        world.records[subject_id(1)].candidates, key=lambda each: each.expires_at
    )
    assert len(others) == 2
    world.at = first.expires_at
    plan = world.cycle()
    assert [(each.id, each.open) for each in plan.candidates] == [(first.id, False)]
    assert all(each.open for each in world.records[subject_id(1)].candidates if each.id != first.id)


def test_a_proof_that_somebody_relayed_names_who_relayed_it(world: World) -> None:
    relayed = ProofRule(kind="DOI_TOKEN", trust=Trust.VERIFIED_RELAY, grade=Grade.A)
    world.policy = replace(world.policy, proofs={"DOI_TOKEN": relayed})
    claim(world, a_proof(world))
    plan = world.cycle()
    assert reasons_by_use(plan, "S05") == {NEWS_BY_EMAIL: "GRANT_ACCEPTED_VERIFIED"}
    (event,) = plan.events
    assert (event.trust, event.actor) == (Trust.VERIFIED_RELAY, ActorKind.CRM_USER)
    assert event.actor_ref == REP


def test_a_no_that_was_carried_over_becomes_their_own_though_a_wider_one_stands(
    world: World,
) -> None:
    world.tell(EventKind.WITHDRAW, own=False, at=world.at - timedelta(days=3))
    world.tell(EventKind.STOP_MARKETING, EVERYTHING, at=world.at - timedelta(days=2))
    world.settle()
    assert not world.records[subject_id(1)].permissions[NEWS_BY_EMAIL].own
    world.edit_row(world.row_of(ANN), request="Asked us to stop")
    plan = world.cycle()
    assert reasons_by_use(plan, "S04") == {NEWS_BY_EMAIL: "STOP_CORROBORATED"}
    assert kinds(plan) == [(EventKind.WITHDRAW, "direct_marketing", "EMAIL")]
    assert world.records[subject_id(1)].permissions[NEWS_BY_EMAIL].own


DAY = timedelta(days=1)


def a_case(name: str, **said: Any) -> RightsCase:
    """A case that somebody has to be told of at noon, for its answer is due in a week."""
    plain: dict[str, Any] = {
        "id": name,
        "kind": CaseKind.ACCESS,
        "subject_id": subject_id(1),
        "received_at": NOON - 20 * DAY,
        "due_at": NOON + SOON,
    }
    return RightsCase(**(plain | said))


def reminded(world: World, *cases: RightsCase) -> dict[str, datetime | None]:
    """Of which cases somebody is told at noon, and when they were told of last."""
    world.records[subject_id(1)] = replace(world.records[subject_id(1)], cases=cases)
    world.at = NOON
    return {each.id: each.reminded_at for each in world.cycle().cases}


def test_somebody_is_told_only_of_the_cases_whose_answer_is_still_owed(world: World) -> None:
    told = reminded(
        world,
        a_case("open"),
        a_case("extended", due_at=NOON, extended_to=NOON + SOON),
        a_case("told a moment ago", due_at=NOON + 6 * DAY, reminded_at=NOON - DAY / 2),
        a_case("told to the moment", reminded_at=NOON),
        a_case("told of too early", reminded_at=NOON - DAY),
        a_case("answered", reply_sent_at=NOON - DAY),
        a_case("done", state=CaseState.DONE),
        a_case("refused", state=CaseState.REFUSED),
        a_case("upheld", state=CaseState.UPHELD),
        a_case("not due soon", due_at=NOON + SOON + DAY),
        a_case("of one purpose, done", purpose=RESEARCH.purpose, state=CaseState.DONE),
    )
    assert told == dict.fromkeys(("open", "extended", "told of too early", "upheld"), NOON)


def test_somebody_is_told_of_each_late_answer_once(world: World) -> None:
    told = reminded(
        world,
        a_case("late", due_at=NOON, reminded_at=NOON - DAY),
        a_case("told that it is late", due_at=NOON - DAY, reminded_at=NOON - DAY),
        a_case("late about research", due_at=NOON - DAY, purpose=RESEARCH.purpose),
    )
    assert told == {"late": NOON, "late about research": NOON}


def test_a_contact_that_is_gone_confirms_the_erasure_that_waits_for_it_and_nothing_else(
    world: World,
) -> None:
    forget(world, subject_id(1))
    world.cycle()
    far = NOON + 90 * DAY
    cases = (
        a_case("erasure", kind=CaseKind.ERASURE, due_at=far),
        a_case("earlier erasure", kind=CaseKind.ERASURE, due_at=far, crm_done_at=NOON - 9 * DAY),
        a_case("copy", kind=CaseKind.ACCESS, due_at=far),
    )
    world.records[subject_id(1)] = replace(world.records[subject_id(1)], cases=cases)
    world.delete(ANN)
    assert [each.id for each in world.cycle().cases] == ["erasure"]


@pytest.mark.parametrize("scoped", [True, False])
def test_a_yes_ends_with_its_address_only_where_it_was_given_for_one(
    world: World, scoped: bool
) -> None:
    news = POLICY.purposes[NEWS_BY_EMAIL.purpose]
    channels = news.address_scoped if scoped else ()
    world.policy = replace(
        POLICY,
        purposes={**POLICY.purposes, news.key: replace(news, address_scoped=channels)},
    )
    world.tell(EventKind.GRANT)
    world.settle()
    world.edit(ANN, points=(a_point("new@example.org"),))
    plan = world.cycle()
    assert reasons_by_use(plan, "S21")[NEWS_BY_EMAIL] == "GRANT_NOT_PORTED_TO_NEW_POINT"
    assert state_of(world, NEWS_BY_EMAIL) is (State.REVOKED if scoped else State.GIVEN)


def test_a_yes_stays_where_another_contact_has_the_address_under_a_key_that_is_being_replaced(
    world: World,
) -> None:
    world.tell(EventKind.GRANT)
    address = world.contacts[ANN].points[0]
    rekeyed: dict[str, Any] = {
        "points": (a_point("person1@example.org", 2),),
        "older": (address,),
    }
    world.edit(ANN, **rekeyed)
    world.contacts[contact_id(2)] = a_contact(2, **rekeyed)
    world.link(2, subject=1)
    world.settle()
    world.edit(ANN, points=(a_point("new@example.org", 2),), older=(a_point("new@example.org"),))
    plan = world.cycle()
    assert reasons_by_use(plan, "S21", ANN)[NEWS_BY_EMAIL] == "GRANT_NOT_PORTED_TO_NEW_POINT"
    assert EventKind.REVOKE not in {each.kind for each in plan.events}
    assert state_of(world, NEWS_BY_EMAIL) is State.GIVEN


@pytest.mark.parametrize(
    ("days_left", "told"),
    [(None, []), (0, [(EventKind.HOLD, "direct_marketing", "EMAIL")])],
)
def test_what_may_not_be_used_anyhow_needs_no_hold(
    world: World, days_left: int | None, told: list[tuple[EventKind, str, str]]
) -> None:
    """Somebody wrote a word that nobody knows on the row of a yes; a restriction that has ended holds nothing."""
    world.tell(EventKind.GRANT)
    restriction = Condition(
        id="restriction",
        subject_id=subject_id(1),
        kind=ConditionKind.RESTRICTION,
        ref="letter",
        valid_from=NOON - 9 * DAY,
        valid_to=None if days_left is None else world.at + days_left * DAY,
    )
    record = world.records[subject_id(1)]
    world.records[record.subject_id] = replace(record, conditions=(*record.conditions, restriction))
    world.settle()
    world.edit_row(world.row_of(ANN), consent_status="Yes!")
    plan = world.cycle()
    assert reasons_by_use(plan, "S25") == {NEWS_BY_EMAIL: "PERM_UNMAPPABLE_HELD"}
    assert kinds(plan) == told


def test_a_purged_contact_of_an_erased_person_is_closed_as_purged(world: World) -> None:
    forget(world, subject_id(1))
    world.cycle()
    world.purge(ANN)
    assert [each.state for each in world.cycle().links] == [CLOSED_PURGED]


@pytest.mark.parametrize("proven", [True, False])
def test_a_claim_that_is_set_aside_names_who_claimed_it_where_and_with_what(
    world: World, proven: bool
) -> None:
    world.tell(EventKind.WITHDRAW)
    world.settle()
    if not proven:
        record = world.records[subject_id(1)]
        world.records[record.subject_id] = replace(record, permissions={})
        world.settle()
    row = world.row_of(ANN)
    proof = a_proof(world) if proven else None
    world.edit_row(row, request="Gave permission", request_evidence="see letter 7", proof=proof)
    (claim,) = world.cycle().candidates
    assert (claim.claimed_by, claim.source_record) == (REP, row)
    assert claim.evidence_ref == ("token:yes-1" if proven else "see letter 7")


def test_a_case_names_the_record_it_was_asked_on(world: World) -> None:
    ask(world, wants_a_copy=True)
    assert [each.source_record for each in world.cycle().cases] == [ANN]
    world.tell(EventKind.ESTABLISH, RESEARCH)
    world.settle()
    row = world.row_of(ANN, RESEARCH)
    world.edit_row(row, request="Objects")
    assert [each.source_record for each in world.cycle().cases] == [row]


@pytest.mark.parametrize(("country", "months"), [("United Kingdom", 1), ("France", 2)])
def test_an_answer_is_due_by_the_law_of_the_place(country: str, months: int) -> None:
    profiles = {
        **POLICY.profiles,
        "FR": replace(POLICY.profiles["FR"], reply_months=2),
    }
    world = World(policy=replace(POLICY, profiles=profiles))
    world.contacts[ANN] = a_contact(1, country=country)
    world.settle()
    ask(world, wants_a_copy=True)
    (case,) = world.cycle().cases
    received = world.contacts[ANN].modstamp
    assert case.due_at == received.replace(month=received.month + months)


def test_a_service_that_is_asked_to_stop_is_answered_for_the_person_as_a_whole(
    world: World,
) -> None:
    world.tell(EventKind.ESTABLISH, SERVICE)
    world.settle()
    world.edit_row(world.row_of(ANN, SERVICE), request="Asked us to stop")
    assert [each.purpose for each in world.cycle().cases] == [None]


def test_what_nobody_dates_counts_from_when_it_is_judged() -> None:
    bench = bench_of()
    finding = Finding(situation=Extra.CASE_OVERDUE, contact_id=ANN, use=NEWS_BY_EMAIL)
    assert happened_at(bench, finding) == NOON
    early, late = NOON - DAY, NOON + DAY
    assert happened_at(bench, replace(finding, stamp=early)) == early
    assert happened_at(bench, replace(finding, stamp=late)) == NOON
