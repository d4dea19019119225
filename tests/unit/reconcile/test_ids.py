"""What every id names: a fact that is told again has the id it had, also by another version of the program.

The ledger knows what it was told by these ids, so how they are made can no more change than a file format.
Each test says in full what an id is made of, and makes it by the standard library.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

import pytest

from salesforce_bridge.permissions.bundle import PurposeStatus
from salesforce_bridge.permissions.conditions import Condition, ConditionKind
from salesforce_bridge.permissions.events import ActorKind, EventKind, PermissionEvent
from salesforce_bridge.permissions.evidence import Trust
from salesforce_bridge.permissions.rights import CaseKind, RightsCase
from salesforce_bridge.reconcile.intent import Plan, Target
from tests.unit.reconcile.sightings import GRANT, POLICY, a_proof
from tests.unit.reconcile.worlds import (
    NEWS_BY_EMAIL,
    NEWS_BY_POST,
    NOON,
    ORG,
    RESEARCH,
    World,
    a_contact,
    an_individual,
    contact_id,
    subject_id,
)

ANN, BEN = contact_id(1), contact_id(2)
EMAIL = ("direct_marketing", "EMAIL")
POST = ("direct_marketing", "POST")
BY_EMAIL = "Use(purpose='direct_marketing', channel='EMAIL')"
BY_POST = "Use(purpose='direct_marketing', channel='POST')"
EVENT = EventKind


def an_id(*parts: str) -> str:
    """The UUIDv5 of what an id names."""
    return str(uuid5(UUID("8c1f2f0e-5d0b-5d6a-9c58-6f1d7f3c2b11"), "\x1f".join(parts)))


def event_id(*parts: str) -> str:
    return an_id("event", *parts)


@pytest.fixture
def world() -> World:
    world = World(policy=POLICY)
    world.meet(1)
    return world


def only_event(plan: Plan, kind: EventKind) -> PermissionEvent:
    (event,) = [each for each in plan.events if each.kind is kind]
    return event


# ---------------------------------------------------------------- people, decisions, writes


def test_a_person_is_named_by_the_contact_that_told_us_of_them() -> None:
    world = World()
    world.contacts[ANN] = a_contact(1)
    (met,) = world.cycle().subjects
    assert met.subject_id == an_id("subject", ORG, ANN)


def test_a_decision_is_named_by_its_cycle_contact_use_and_situation(world: World) -> None:
    world.edit_row(world.row_of(ANN), request="Asked us to stop")
    plan = world.plan(salt="cycle-9")
    (decision,) = [each for each in plan.decisions if each.situation == "S04_CRM_STOP"]
    assert decision.id == an_id("decision", "cycle-9", ANN, *EMAIL, "S04_CRM_STOP")


def test_a_decision_about_a_row_of_nobody_is_named_by_the_row(world: World) -> None:
    row = world.add_row(of=None)
    (decision,) = [each for each in world.plan(salt="cycle-9").decisions if each.row_id == row]
    assert decision.id == an_id("decision", "cycle-9", row, "S23_PERM_UNDELETED_OR_DOUBLED")


def test_a_write_is_named_by_its_cycle_its_record_and_the_fields_it_sets(world: World) -> None:
    world.tell(EVENT.WITHDRAW)
    plan = world.plan(salt="cycle-9")
    for write in plan.writes:
        of_row = write.target is Target.ROW
        target = "Permission__c" if of_row else "Contact"
        record = world.row_of(ANN) if of_row else ANN
        assert write.id == an_id(
            "write", "cycle-9", "UPDATE", target, record, "None", *sorted(write.fields)
        )
    assert {each.target for each in plan.writes} == {Target.ROW, Target.CONTACT}


def test_a_write_that_makes_a_row_is_named_by_its_key() -> None:
    world = World()
    world.contacts[ANN] = a_contact(1)
    made = [each for each in world.plan(salt="cycle-9").writes if each.target is Target.ROW]
    for write in made:
        key = f"{ANN}:{write.fields['purpose']}:{write.fields['channel']}"
        assert write.id == an_id(
            "write", "cycle-9", "UPSERT", "Permission__c", "None", key, *sorted(write.fields)
        )
    assert len(made) == 3


# ---------------------------------------------------------------- events


def test_an_event_is_named_by_the_person_the_use_the_word_its_moment_and_the_record(
    world: World,
) -> None:
    row = world.row_of(ANN)
    world.edit_row(row, request="Asked us to stop")
    event = only_event(world.plan(), EVENT.WITHDRAW)
    moment = world.rows[row].modstamp.isoformat()
    assert event.id == event_id(subject_id(1), *EMAIL, "WITHDRAW", moment, row)


def test_an_event_by_the_clock_names_no_record(world: World) -> None:
    world.tell(EVENT.GRANT)
    end = world.records[subject_id(1)].permissions[NEWS_BY_EMAIL].effective_to
    assert end is not None
    world.at = end + timedelta(hours=1)
    event = only_event(world.plan(), EVENT.EXPIRE)
    assert event.id == event_id(subject_id(1), *EMAIL, "EXPIRE", end.isoformat(), "None")


@pytest.mark.parametrize(("before", "kind"), [((), EVENT.GRANT), ((EVENT.GRANT,), EVENT.RENEW)])
def test_a_proven_yes_is_named_by_its_proof_wherever_it_is_told(
    world: World, before: tuple[EventKind, ...], kind: EventKind
) -> None:
    for told in before:
        world.tell(told, at=NOON - timedelta(days=9))
    world.settle()
    world.edit_row(
        world.row_of(ANN), request=GRANT, request_evidence="token:token-1", proof=a_proof()
    )
    event = only_event(world.plan(), kind)
    assert event.id == event_id(subject_id(1), BY_EMAIL, kind, "confirmed", "token-1")


def test_an_event_by_a_bundle_is_named_by_the_bundle_and_what_it_is_about(world: World) -> None:
    world.tell(EVENT.GRANT)
    world.tell(EVENT.ESTABLISH, RESEARCH)
    world.settle()
    notice = replace(
        POLICY.notices["consent-en-1"],
        id="consent-en-2",
        version=2,
        supersedes="consent-en-1",
        material=True,
    )
    research = replace(POLICY.purposes[RESEARCH.purpose], status=PurposeStatus.RETIRED)
    world.adopt(
        replace(
            POLICY,
            digest="another",
            notices={**POLICY.notices, notice.id: notice},
            purposes={**POLICY.purposes, research.key: research},
        )
    )
    plan = world.plan()
    assert only_event(plan, EVENT.REAFFIRM).id == event_id(
        subject_id(1), *EMAIL, "REAFFIRM", "another", "consent-en-2"
    )
    assert only_event(plan, EVENT.END).id == event_id(
        subject_id(1), "product_research", "EMAIL", "END", "another", ""
    )


def test_a_prompt_is_named_by_its_boundary_and_the_yes_that_it_is_about(world: World) -> None:
    world.tell(EVENT.GRANT)
    world.settle()
    said = world.records[subject_id(1)].permissions[NEWS_BY_EMAIL]
    assert said.effective_to is not None
    boundary = said.effective_to - timedelta(days=60)
    world.at = boundary + timedelta(hours=1)
    event = only_event(world.plan(), EVENT.PROMPT)
    assert event.id == an_id(
        event_id(subject_id(1), *EMAIL, "PROMPT", boundary.isoformat(), "None"),
        said.since.isoformat(),
        str(said.revision),
    )


def test_a_no_that_is_carried_once_more_is_named_by_the_error_in_between(world: World) -> None:
    mail = world.contacts[ANN].points[0]
    world.meet(2, points=(mail,))
    no = NOON - timedelta(hours=2)
    world.tell(EVENT.WITHDRAW, at=no)
    carried = event_id(subject_id(2), *EMAIL, "WITHDRAW", no.isoformat(), BEN)
    assert only_event(world.cycle(), EVENT.WITHDRAW).id == carried
    world.cycle()
    world.tell(
        EVENT.CORRECT,
        subject=2,
        at=world.at,
        trust=Trust.CONTROLLER_CONTROLLED,
        actor=ActorKind.OPERATOR,
        evidence_ref="letter 9",
        reason="STOP_CORRECTED_AS_ERROR",
    )
    error_at = world.at
    again = only_event(world.cycle(), EVENT.WITHDRAW).id
    assert again == an_id(carried, error_at.isoformat())


# ---------------------------------------------------------------- merges


def merged(world: World, *told: tuple[EventKind, Any], **changes: Any) -> tuple[Plan, datetime]:
    """Ben, to whom this was told, is merged into Ann."""
    world.meet(2)
    for kind, use in told:
        world.tell(kind, use, subject=2, evidence_ref="letter 7")
    ben = world.records[subject_id(2)]
    permissions = {use: replace(said, **changes) for use, said in ben.permissions.items()}
    world.records[ben.subject_id] = replace(ben, permissions=permissions)
    world.cycle()
    world.merge(BEN, ANN)
    return world.plan(), world.contacts[BEN].modstamp


def test_what_a_merge_tells_is_named_by_the_merge_as_well(world: World) -> None:
    plan, at = merged(world, (EVENT.WITHDRAW, NEWS_BY_POST))
    said = world.records[subject_id(2)].permissions[NEWS_BY_POST].since
    plain = event_id(subject_id(1), *POST, "WITHDRAW", said.isoformat(), BEN)
    assert only_event(plan, EVENT.WITHDRAW).id == event_id(plain, at.isoformat())


def test_marks_that_come_along_are_named_by_the_merge(world: World) -> None:
    until = NOON + timedelta(days=20)
    plan, at = merged(world, (EVENT.GRANT, NEWS_BY_POST), reaffirm_by=until)
    noted = event_id(event_id(subject_id(1), *POST, "NOTICED", at.isoformat(), BEN), at.isoformat())
    assert only_event(plan, EVENT.REAFFIRM).id == event_id(noted, "REAFFIRM")


def test_a_later_yes_that_waits_is_named_by_the_merged_contact_and_its_proof(
    world: World,
) -> None:
    world.tell(EVENT.WITHDRAW, NEWS_BY_POST, at=NOON - timedelta(days=9))
    plan, _ = merged(world, (EVENT.GRANT, NEWS_BY_POST))
    (claim,) = plan.candidates
    assert claim.id == an_id(
        "candidate", subject_id(1), BY_POST, BEN, claim.claimed_at.isoformat(), "letter 7"
    )


def test_facts_and_cases_that_come_along_are_named_by_those_they_come_from(world: World) -> None:
    world.meet(2)
    ben = world.records[subject_id(2)]
    fact = Condition(
        id="fact-1",
        subject_id=ben.subject_id,
        kind=ConditionKind.RESTRICTION,
        ref="letter",
        valid_from=NOON,
    )
    case = RightsCase(
        id="case-1",
        kind=CaseKind.ACCESS,
        subject_id=ben.subject_id,
        received_at=NOON,
        due_at=NOON + timedelta(days=30),
    )
    world.records[ben.subject_id] = replace(ben, conditions=(fact,), cases=(case,))
    world.merge(BEN, ANN)
    plan = world.plan()
    assert [each.id for each in plan.conditions] == [an_id("condition", subject_id(1), "fact-1")]
    assert [each.id for each in plan.cases] == [an_id("case", subject_id(1), "case-1")]


# ---------------------------------------------------------------- claims, cases, conditions


@pytest.mark.parametrize("proven", [True, False])
def test_a_claim_is_named_by_who_claimed_what_for_whom_when_and_its_proof(
    world: World, proven: bool
) -> None:
    world.tell(EVENT.WITHDRAW, at=NOON - timedelta(days=9))
    world.settle()
    if not proven:
        world.records[subject_id(1)] = replace(world.records[subject_id(1)], permissions={})
        world.settle()
    row = world.row_of(ANN)
    proof = a_proof() if proven else None
    world.edit_row(row, request=GRANT, request_evidence="token:token-1", proof=proof)
    (claim,) = world.plan().candidates
    seen_at = world.rows[row].modstamp.isoformat()
    shown = ("token-1",) if proven else ()
    assert claim.id == an_id("candidate", subject_id(1), BY_EMAIL, row, seen_at, *shown)


@pytest.mark.parametrize(
    ("right", "kind"),
    [("opted_out_processing", "RESTRICTION"), ("wants_a_copy", "PORTABILITY")],
)
def test_a_case_is_named_by_the_person_the_right_and_when_it_was_claimed(
    world: World, right: str, kind: str
) -> None:
    world.edit(ANN, individual=an_individual(**{right: True}))
    plan = world.plan()
    claimed_at = world.contacts[ANN].modstamp.isoformat()
    assert [each.id for each in plan.cases] == [
        an_id("case", subject_id(1), kind, "None", claimed_at)
    ]
    assert [each.id for each in plan.conditions] == [
        an_id("condition", subject_id(1), each.ref, claimed_at) for each in plan.conditions
    ]
    assert [each.ref for each in plan.conditions] == (
        ["opted_out_processing"] if kind == "RESTRICTION" else []
    )


def test_a_case_about_one_purpose_names_it(world: World) -> None:
    world.tell(EVENT.ESTABLISH, RESEARCH)
    world.settle()
    row = world.row_of(ANN, RESEARCH)
    world.edit_row(row, request="Objects")
    (case,) = world.plan().cases
    at = world.rows[row].modstamp.isoformat()
    assert case.id == an_id("case", subject_id(1), "OBJECTION", "product_research", at)
