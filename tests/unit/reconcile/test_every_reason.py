"""Reasons of the rarer situations, each reached by a whole cycle over a small world."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from salesforce_bridge.permissions.bases import LawfulBasis
from salesforce_bridge.permissions.bundle import ExpiryRule, Policy, PurposeStatus, SurgeRule
from salesforce_bridge.permissions.conditions import Condition, ConditionKind
from salesforce_bridge.permissions.events import EventKind
from salesforce_bridge.permissions.keys import ContactId, PurposeKey, Use
from salesforce_bridge.permissions.rights import CaseKind, RightsCase
from salesforce_bridge.reconcile.facts import RefusedWrite
from salesforce_bridge.reconcile.intent import Plan
from tests.unit.reconcile.sightings import GRANT, HOME, POLICY, a_proof, a_suppression
from tests.unit.reconcile.worlds import (
    EVERYTHING,
    NEWS_BY_CALL,
    NEWS_BY_EMAIL,
    NEWS_BY_POST,
    NOON,
    NOTICES,
    RESEARCH,
    SERVICE,
    World,
    a_contact,
    a_point,
    an_individual,
    contact_id,
    reasons_by_use,
    state_of,
    subject_id,
)

ANN, BEN = contact_id(1), contact_id(2)
DAY = timedelta(days=1)
NEWS = PurposeKey("direct_marketing")
EVENT = EventKind


def ago(days: float) -> datetime:
    return NOON - days * DAY


def a_world(*told: tuple[Any, ...], policy: Policy = POLICY) -> World:
    """Ann, whom both sides know, and what she has told the ledger."""
    world = World(policy=policy)
    world.meet(1)
    for kind, use, at in told:
        world.tell(kind, use, at=at)
    world.settle()
    return world


def erased_world() -> World:
    """Ann was erased; her Contact is still there, as both sides know."""
    world = a_world()
    whose = subject_id(1)
    world.records[whose] = replace(
        world.records[whose], erased=True, permissions={}, points=(), candidates=()
    )
    world.suppressions = (a_suppression(since=ago(9)),)
    world.settle()
    return world


def reasons(plan: Plan, situation: str, contact: ContactId | None = None) -> set[str]:
    return set(reasons_by_use(plan, situation, contact).values())


def extras(plan: Plan) -> set[str]:
    return {each.reason for each in plan.decisions if not each.situation[1:3].isdigit()}


# ---------------------------------------------------------------- proofs


@pytest.mark.parametrize(
    ("told", "situation", "reason"),
    [
        ((), "S05", "GRANT_ACCEPTED_VERIFIED"),
        (((EVENT.GRANT, NEWS_BY_EMAIL, ago(3)),), "S05", "RENEWAL_ACCEPTED_VERIFIED"),
        (((EVENT.GRANT, NEWS_BY_EMAIL, ago(1)),), "S06", "GRANT_SUPERSEDED_NOTED"),
        (((EVENT.WITHDRAW, NEWS_BY_EMAIL, ago(3)),), "S05", "GRANT_AFTER_STOP_REVIEW"),
        (((EVENT.WITHDRAW, NEWS_BY_EMAIL, ago(1)),), "S06", "GRANT_PREDATES_STOP_REJECTED"),
        (((EVENT.REVOKE, NEWS_BY_EMAIL, ago(3)),), "S05", "GRANT_ACCEPTED_VERIFIED"),
        (((EVENT.REVOKE, NEWS_BY_EMAIL, ago(1)),), "S06", "GRANT_PREDATES_LAPSE_REJECTED"),
    ],
)
def test_a_yes_that_was_checked_is_taken_unless_a_no_stands_or_something_later_is_known(
    told: tuple[Any, ...], situation: str, reason: str
) -> None:
    world = a_world(*told)
    before = state_of(world, NEWS_BY_EMAIL)
    world.edit_row(
        world.row_of(ANN),
        request=GRANT,
        request_evidence="token:token-1",
        proof=a_proof(happened_at=ago(2)),
    )
    plan = world.cycle()
    assert reasons_by_use(plan, situation) == {NEWS_BY_EMAIL: reason}
    taken = reason.endswith("ACCEPTED_VERIFIED")
    assert (state_of(world, NEWS_BY_EMAIL) != before) is taken
    assert (world.status_of(ANN) == "Permitted") is (taken or reason == "GRANT_SUPERSEDED_NOTED")
    assert len(plan.candidates) == (reason == "GRANT_AFTER_STOP_REVIEW")


def test_a_yes_of_somebody_new_waits_until_it_is_known_who_that_is() -> None:
    world = World(policy=POLICY)
    world.contacts[ANN] = a_contact(1)
    world.add_row(
        use=NEWS_BY_EMAIL,
        request=GRANT,
        request_evidence="token:token-1",
        proof=a_proof(happened_at=ago(2)),
    )
    plan = world.cycle()
    assert reasons_by_use(plan, "S05") == {NEWS_BY_EMAIL: "GRANT_PENDING_IDENTITY"}
    assert len(plan.candidates) == 1
    assert world.status_of(ANN) == "Not asked"


@pytest.mark.parametrize(
    ("happened_at", "situation", "reason"),
    [
        (ago(2), "S05", "GRANT_AFTER_ERASURE_REVIEW"),
        (ago(10), "S06", "GRANT_AFTER_ERASURE_REJECTED"),
    ],
)
def test_a_yes_for_the_record_of_an_erased_person_is_kept_nowhere(
    happened_at: datetime, situation: str, reason: str
) -> None:
    world = erased_world()
    world.add_row(
        use=NEWS_BY_EMAIL,
        request=GRANT,
        request_evidence="token:token-1",
        proof=a_proof(happened_at=happened_at),
    )
    plan = world.plan()
    assert reasons(plan, situation) == {reason}
    assert (plan.candidates, plan.events) == ((), ())


# ---------------------------------------------------------------- rights


def test_a_right_that_is_claimed_stops_at_once_and_has_to_be_answered() -> None:
    world = a_world((EVENT.GRANT, NEWS_BY_EMAIL, ago(3)))
    world.edit(ANN, individual=an_individual(should_forget=True))
    plan = world.cycle()
    assert reasons(plan, "S14") == {"RIGHTS_REQUEST_OPENED"}
    assert [each.kind for each in plan.cases] == [CaseKind.ERASURE]
    assert world.status_of(ANN) == "Stopped"


def test_a_right_claimed_by_somebody_new_is_heard_as_well() -> None:
    world = World(policy=POLICY)
    world.contacts[ANN] = a_contact(1, individual=an_individual(opted_out_solicit=True))
    plan = world.cycle()
    assert reasons(plan, "S14") == {"RIGHTS_REQUEST_OPENED_UNLINKED"}
    assert len(plan.cases) == 1
    assert world.status_of(ANN) == "Stopped"


def test_a_right_claimed_for_an_erased_person_was_answered_already() -> None:
    world = erased_world()
    world.edit(ANN, individual=an_individual(should_forget=True))
    plan = world.plan()
    assert reasons(plan, "S14") == {"RIGHTS_REQUEST_ALREADY_CLOSED"}
    assert plan.cases == ()


def test_a_wish_for_a_copy_opens_a_case_and_changes_no_permission() -> None:
    world = a_world((EVENT.GRANT, NEWS_BY_EMAIL, ago(3)))
    world.edit(ANN, individual=an_individual(wants_a_copy=True))
    plan = world.cycle()
    assert extras(plan) == {"RIGHTS_CASE_OPENED_PORTABILITY"}
    assert [each.kind for each in plan.cases] == [CaseKind.PORTABILITY]
    assert plan.events == ()
    assert world.status_of(ANN) == "Permitted"


@pytest.mark.parametrize(
    ("in_days", "reason"), [(5, "RIGHTS_CASE_DUE_SOON"), (-5, "RIGHTS_CASE_OVERDUE")]
)
def test_an_answer_that_is_due_is_remembered_once(in_days: float, reason: str) -> None:
    world = a_world()
    case = RightsCase(
        id="case-1",
        kind=CaseKind.ERASURE,
        subject_id=subject_id(1),
        received_at=ago(20),
        due_at=NOON + in_days * DAY,
    )
    world.records[subject_id(1)] = replace(world.records[subject_id(1)], cases=(case,))
    assert extras(world.cycle()) == {reason}
    assert extras(world.cycle()) == set()


def test_a_claim_that_nobody_judged_in_time_is_closed() -> None:
    world = a_world()
    world.edit_row(world.row_of(ANN), request=GRANT)
    world.cycle()
    world.at += POLICY.quarantine_lasts
    plan = world.cycle()
    assert extras(plan) == {"QUARANTINE_TIMED_OUT"}
    assert [(each.open, each.decision) for each in plan.candidates] == [
        (False, "QUARANTINE_TIMED_OUT")
    ]
    assert extras(world.cycle()) == set()


# ---------------------------------------------------------------- the erased


def test_the_record_of_an_erased_person_is_reported_as_long_as_it_is_there() -> None:
    world = erased_world()
    assert reasons(world.plan(), "S01") == {"ERASED_RECORD_STILL_PRESENT"}


def test_salesforce_is_told_that_a_person_was_erased() -> None:
    world = a_world((EVENT.GRANT, NEWS_BY_EMAIL, ago(30)))
    whose = subject_id(1)
    world.records[whose] = replace(
        world.records[whose], erased=True, permissions={}, points=(), candidates=()
    )
    world.suppressions = (a_suppression(since=ago(9)),)
    plan = world.cycle()
    assert "PUSH_ERASURE" in reasons(plan, "S03")
    assert world.contacts[ANN].fields.consent_status == "Stopped"


def test_a_stop_for_an_erased_person_keeps_the_address_silent_anew() -> None:
    world = erased_world()
    world.contact_mirrors[ANN] = replace(
        world.contact_mirrors[ANN], opted_out_of_email=False, bridge_set=()
    )
    world.edit(ANN, opted_out_of_email=True)
    plan = world.plan()
    assert reasons(plan, "S12") == {"STOP_SUPPRESSION_REAFFIRMED"}
    assert HOME.hmac in {each.hmac for each in plan.suppressions}
    assert plan.events == ()


def test_the_end_of_the_record_of_an_erased_person_is_what_was_asked_for() -> None:
    world = erased_world()
    world.delete(ANN)
    assert reasons(world.cycle(), "S16") == {"ERASURE_CONFIRMED_IN_CRM"}
    world.edit(ANN, deleted=False)
    assert reasons(world.plan(), "S18") == {"UNDELETE_OF_ERASED_BLOCKED"}


def test_a_new_address_on_the_record_of_an_erased_person_is_reported() -> None:
    world = erased_world()
    world.edit(ANN, points=(a_point("new@example.org"),))
    assert reasons(world.plan(), "S21") == {"UPDATE_OF_ERASED_BLOCKED"}


def test_a_new_contact_with_the_address_of_an_erased_person_stays_silent() -> None:
    world = World(policy=POLICY, suppressions=(a_suppression(since=ago(9)),))
    world.contacts[ANN] = a_contact(1)
    plan = world.cycle()
    assert reasons_by_use(plan, "S15")[NEWS_BY_EMAIL] == "CONTACT_MATCHES_SUPPRESSION"
    assert world.contacts[ANN].fields.consent_status == "Stopped"


def test_what_is_merged_with_the_record_of_an_erased_person_is_looked_at() -> None:
    world = erased_world()
    world.meet(2)
    world.merge(ANN, BEN)
    assert reasons(world.plan(), "S19") == {"MERGE_WITH_ERASED_REVIEW"}


# ---------------------------------------------------------------- another policy


def with_purpose(key: PurposeKey, **said: Any) -> Policy:
    changed = replace(POLICY.purposes[key], **said)
    return replace(POLICY, digest="another", purposes={**POLICY.purposes, key: changed})


def with_notice(*, material: bool) -> Policy:
    agreed = POLICY.notices["consent-en-1"]
    newer = replace(
        agreed,
        id="consent-en-2",
        version=2,
        published_at=ago(1),
        supersedes=agreed.id,
        material=material,
        purposes=(*agreed.purposes, RESEARCH.purpose, SERVICE.purpose),
    )
    return replace(POLICY, digest="another", notices={**POLICY.notices, newer.id: newer})


def with_basis(key: PurposeKey, basis: LawfulBasis) -> Policy:
    assignments = tuple(replace(each, basis=basis) for each in POLICY.purposes[key].assignments)
    return with_purpose(key, assignments=assignments)


HISTORY = (
    (EVENT.GRANT, NEWS_BY_EMAIL, ago(9)),
    (EVENT.WITHDRAW, NEWS_BY_CALL, ago(9)),
    (EVENT.ESTABLISH, RESEARCH, ago(9)),
    (EVENT.ESTABLISH, SERVICE, ago(9)),
)
RETIRED = with_purpose(NEWS, status=PurposeStatus.RETIRED)


@pytest.mark.parametrize(
    ("policy", "situation", "expected"),
    [
        (
            RETIRED,
            "S29",
            {
                NEWS_BY_EMAIL: "PURPOSE_RETIRED_REVOKED",
                NEWS_BY_CALL: "PURPOSE_RETIRED_STOP_KEPT",
                NEWS_BY_POST: "PURPOSE_RETIRED_CLOSED",
            },
        ),
        (
            with_notice(material=True),
            "S30",
            {
                NEWS_BY_EMAIL: "REAFFIRMATION_REQUIRED",
                NEWS_BY_CALL: "STOP_UNAFFECTED_BY_POLICY",
                NEWS_BY_POST: "NOTICE_SUPERSEDED_NOTED",
            },
        ),
        (
            with_basis(NEWS, LawfulBasis.LEGITIMATE_INTEREST),
            "S32",
            {
                NEWS_BY_EMAIL: "BASIS_SWAP_BLOCKED",
                NEWS_BY_CALL: "BASIS_SWAP_BLOCKED",
                NEWS_BY_POST: "BASIS_REASSIGNED_NEUTRAL",
            },
        ),
        (
            with_basis(RESEARCH.purpose, LawfulBasis.PUBLIC_TASK),
            "S32",
            {RESEARCH: "BASIS_REASSIGNED_NOTICE_DUE"},
        ),
    ],
)
def test_a_new_bundle_is_judged_once_for_everybody_and_ends_no_stop(
    policy: Policy, situation: str, expected: dict[Use, str]
) -> None:
    world = a_world(*HISTORY)
    stopped = state_of(world, NEWS_BY_CALL)
    world.adopt(policy)
    assert reasons_by_use(world.cycle(), situation).items() >= expected.items()
    assert state_of(world, NEWS_BY_CALL) is stopped
    assert reasons_by_use(world.plan(), situation) == {}


def test_who_never_agreed_to_anything_is_shown_a_notice_that_changed_what_matters() -> None:
    world = a_world((EVENT.ESTABLISH, RESEARCH, ago(9)))
    permission = world.records[subject_id(1)].permissions[RESEARCH]
    world.records[subject_id(1)] = replace(
        world.records[subject_id(1)], permissions={RESEARCH: replace(permission, notice_id=None)}
    )
    world.adopt(with_notice(material=True))
    assert reasons_by_use(world.cycle(), "S30")[RESEARCH] == "NOTICE_REISSUE_REQUIRED"


def test_a_notice_that_changes_nothing_that_matters_is_noted() -> None:
    world = a_world(*HISTORY)
    world.adopt(with_notice(material=False))
    told = reasons_by_use(world.cycle(), "S31")
    assert told[NEWS_BY_EMAIL] == "NOTICE_SUPERSEDED_NOTED"
    assert world.status_of(ANN) == "Permitted"


# ---------------------------------------------------------------- the clock


SHORT = with_purpose(
    NEWS,
    max_age=None,
    expiry=(
        ExpiryRule(jurisdiction="*", max_age=100 * DAY, renew_before=(30 * DAY,), grace=30 * DAY),
    ),
)


def test_a_consent_is_prompted_for_once_and_then_shows_until_when() -> None:
    world = a_world((EVENT.GRANT, NEWS_BY_EMAIL, ago(60)), policy=SHORT)
    world.at += 15 * DAY
    assert reasons_by_use(world.cycle(), "S28") == {NEWS_BY_EMAIL: "RENEWAL_PROMPT_DUE"}
    assert world.rows[world.row_of(ANN)].fields.renew_by == ago(60) + 100 * DAY
    assert reasons_by_use(world.plan(), "S28") == {}


def test_a_stopped_consent_is_never_prompted_for() -> None:
    told = (
        (EVENT.GRANT, NEWS_BY_EMAIL, ago(60)),
        (EVENT.STOP_MARKETING, EVERYTHING, ago(50)),
    )
    world = a_world(*told, policy=SHORT)
    record = world.records[subject_id(1)]
    world.records[subject_id(1)] = replace(record, due={NEWS_BY_EMAIL: ago(60) + 70 * DAY})
    world.at += 15 * DAY
    plan = world.cycle()
    assert reasons_by_use(plan, "S28") == {NEWS_BY_EMAIL: "REPERMISSION_BLOCKED"}
    assert plan.events == ()
    assert reasons_by_use(world.plan(), "S28") == {}


def test_a_consent_that_ran_out_can_only_be_asked_for_by_a_route_that_is_lawful_itself() -> None:
    world = a_world((EVENT.GRANT, NEWS_BY_EMAIL, ago(60)), policy=SHORT)
    world.at += 45 * DAY
    plan = world.cycle()
    assert reasons_by_use(plan, "S27") == {NEWS_BY_EMAIL: "EXPIRED_BY_RULE"}
    assert reasons_by_use(plan, "S28") == {NEWS_BY_EMAIL: "REPERMISSION_NEEDS_ROUTE"}
    assert reasons_by_use(world.plan(), "S28") == {}


def test_a_review_is_announced_once() -> None:
    world = a_world((EVENT.ESTABLISH, SERVICE, ago(60)))
    whose = subject_id(1)
    ends = Condition(
        id="contract",
        subject_id=whose,
        kind=ConditionKind.CONTRACT,
        ref="ref-2",
        valid_from=ago(90),
        valid_to=NOON + POLICY.review_notice / 2,
    )
    world.records[whose] = replace(world.records[whose], conditions=(ends,))
    assert reasons_by_use(world.cycle(), "S28") == {SERVICE: "BASIS_REVIEW_DUE"}
    assert reasons_by_use(world.plan(), "S28") == {}


# ---------------------------------------------------------------- many at once, and nothing taken


def test_a_mass_change_waits_for_a_person_and_a_stop_in_it_does_not() -> None:
    world = a_world(
        (EVENT.GRANT, NEWS_BY_CALL, ago(9)),
        policy=replace(POLICY, surge=SurgeRule(floor=2, share=0.0, ceiling=0)),
    )
    for use in (NEWS_BY_EMAIL, NEWS_BY_POST):
        world.edit_row(world.row_of(ANN, use), request=GRANT)
    world.edit_row(world.row_of(ANN, NEWS_BY_CALL), request="Asked us to stop")
    plan = world.cycle()
    assert reasons_by_use(plan, "S26") == dict.fromkeys(
        (NEWS_BY_EMAIL, NEWS_BY_POST), "MASS_CHANGE_CIRCUIT_OPEN"
    )
    assert reasons_by_use(plan, "S04") == {NEWS_BY_CALL: "STOP_HONOURED"}
    assert plan.candidates == ()
    assert plan.opens_circuit is not None
    assert reasons(world.plan(), "S26") == {"MASS_CHANGE_CIRCUIT_OPEN"}


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        ((EVENT.GRANT, NEWS_BY_EMAIL, ago(9)), "WRITE_FAILED_RETRY"),
        ((EVENT.WITHDRAW, NEWS_BY_EMAIL, ago(9)), "WRITE_FAILED_STOP_ESCALATED"),
    ],
)
def test_a_write_that_was_not_taken_is_tried_again_and_a_stop_calls_somebody(
    told: tuple[Any, ...], reason: str
) -> None:
    world = a_world(told)
    world.refused = {
        ANN: (
            RefusedWrite(
                target="Permission__c", use=NEWS_BY_EMAIL, code="ENTITY_IS_LOCKED", stop=True
            ),
        )
    }
    assert reasons_by_use(world.plan(), "S34") == {NEWS_BY_EMAIL: reason}


def test_what_the_law_asks_for_has_no_end_that_a_prompt_could_be_about() -> None:
    world = a_world((EVENT.ESTABLISH, NOTICES, ago(60)))
    world.at += 60 * DAY
    assert reasons_by_use(world.plan(), "S28") == {}
