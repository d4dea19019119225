"""A case of somebody's rights acts when it is opened, is owed until it is answered, and ends as the law lets it."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from salesforce_bridge.ledger import cases, views
from salesforce_bridge.ledger.faults import SecondPersonMissing
from salesforce_bridge.ledger.portability import portable_copy
from salesforce_bridge.ledger.store import Appended, Ledger
from salesforce_bridge.permissions.conditions import ConditionKind, is_met
from salesforce_bridge.permissions.keys import PurposeKey
from salesforce_bridge.permissions.rights import CaseKind, CaseState, RightsCase
from salesforce_bridge.permissions.states import State
from salesforce_bridge.permissions.stops import StopKind
from tests.integration.ledger.cycles import met
from tests.integration.ledger.people import (
    POLICY,
    RESEARCH,
    SERVICE,
    a_customer,
    assert_whole,
    the_person,
)
from tests.support.facts import NEWS_BY_EMAIL, NOON, ORG, a_plan, subject_id

JOE = subject_id(1)


def opened(
    ledger: Ledger,
    kind: CaseKind,
    *,
    purpose: PurposeKey | None = None,
    received_at: datetime = NOON - timedelta(hours=1),
) -> RightsCase:
    with ledger.begin() as tx:
        case = cases.new_case(
            JOE, kind, received_at=received_at, policy=POLICY, jurisdiction="DE", purpose=purpose
        )
        tx.open_case(case, by="anna", at=NOON, policy=POLICY)
        return case


def closed(ledger: Ledger, case: RightsCase, state: CaseState, **changes: Any) -> Appended:
    people: dict[str, Any] = {"by": "anna", "approved_by": "ben"}
    people |= {name: changes.pop(name) for name in tuple(changes) if name in people}
    with ledger.begin() as tx:
        return tx.close_case(
            replace(case, state=state, **changes), **people, at=NOON, policy=POLICY
        )


def owed(ledger: Ledger) -> tuple[RightsCase, ...]:
    return the_person(ledger).cases


def test_an_objection_holds_a_use_at_once_and_is_then_upheld(ledger: Ledger) -> None:
    a_customer(ledger)
    case = opened(ledger, CaseKind.OBJECTION, purpose=RESEARCH.purpose)
    assert the_person(ledger).permissions[RESEARCH].state is State.CHALLENGED
    assert owed(ledger) == (case,)
    closed(ledger, case, CaseState.UPHELD, approved_by=None)
    assert the_person(ledger).permissions[RESEARCH].state is State.OBJECTED
    assert owed(ledger) == ()
    assert_whole(ledger)


def test_an_objection_is_overridden_only_with_a_reason_and_by_two_people(ledger: Ledger) -> None:
    a_customer(ledger)
    case = opened(ledger, CaseKind.OBJECTION, purpose=RESEARCH.purpose)
    with pytest.raises(cases.CaseCannotEndSo):
        closed(ledger, case, CaseState.OVERRIDDEN)
    why = {"decision_reason": "fraud was proven, see LIA 7"}
    with pytest.raises(SecondPersonMissing):
        closed(ledger, case, CaseState.OVERRIDDEN, approved_by=None, **why)
    closed(ledger, case, CaseState.OVERRIDDEN, **why)
    assert the_person(ledger).permissions[RESEARCH].state is State.IN_FORCE
    with ledger.reading() as tx:
        (found,) = tx.cases(case_id=case.id)
        assert (found.state, found.decided_by) == (CaseState.OVERRIDDEN, "anna+ben")
        assert tx.cases(waiting=True) == ()
    assert_whole(ledger)


def test_an_objection_to_marketing_is_upheld_on_receipt_and_never_overridden(
    ledger: Ledger,
) -> None:
    a_customer(ledger)
    case = opened(ledger, CaseKind.MARKETING_OBJECTION)
    assert case.state is CaseState.UPHELD
    assert [stop.kind for stop in the_person(ledger).stops] == [StopKind.MARKETING_OBJECTION]
    assert owed(ledger) == (case,), "the person still waits for an answer"
    with pytest.raises(cases.CaseCannotEndSo):
        closed(ledger, case, CaseState.OVERRIDDEN, decision_reason="we need the money")
    closed(ledger, case, CaseState.UPHELD)
    assert owed(ledger) == ()


def test_a_restriction_holds_until_the_person_was_told_that_it_is_lifted(ledger: Ledger) -> None:
    a_customer(ledger)
    case = opened(ledger, CaseKind.RESTRICTION)

    def restricted() -> bool:
        facts = the_person(ledger).conditions
        return is_met(ConditionKind.RESTRICTION, facts, SERVICE.purpose, at=NOON)

    assert restricted()
    for told in (None, NOON + timedelta(days=1)):
        with pytest.raises(cases.CaseCannotEndSo, match="told"):
            closed(ledger, case, CaseState.DONE, reply_sent_at=told)
    with pytest.raises(SecondPersonMissing):
        closed(ledger, case, CaseState.DONE, reply_sent_at=NOON, approved_by=None)
    assert restricted()
    closed(ledger, case, CaseState.DONE, reply_sent_at=NOON)
    assert not restricted()
    assert_whole(ledger)


def test_an_erasure_stops_at_once_and_is_owed_until_it_was_seen_in_the_org(
    ledger: Ledger,
) -> None:
    a_customer(ledger)
    case = opened(ledger, CaseKind.ERASURE)
    assert [stop.kind for stop in the_person(ledger).stops] == [StopKind.SUBJECT_STOP_ALL]
    closed(ledger, case, CaseState.DONE)
    person = the_person(ledger)
    assert person.erased
    (done,) = person.cases
    assert done.state is CaseState.DONE
    with ledger.begin() as tx:
        cycle_id = tx.open_cycle(ORG, at=NOON, software="tests", policy=POLICY)
        tx.record(
            a_plan(cases=(replace(done, crm_done_at=NOON),)),
            org_id=ORG,
            cycle_id=cycle_id,
            at=NOON,
            policy=POLICY,
        )
    assert owed(ledger) == ()
    with pytest.raises(cases.CaseNotWaiting):
        closed(ledger, case, CaseState.DONE)
    assert_whole(ledger)


def test_a_refused_erasure_says_why_and_erases_nothing(ledger: Ledger) -> None:
    a_customer(ledger)
    case = opened(ledger, CaseKind.ERASURE)
    with pytest.raises(cases.CaseCannotEndSo):
        closed(ledger, case, CaseState.REFUSED)
    closed(ledger, case, CaseState.REFUSED, decision_reason="claims are pending")
    person = the_person(ledger)
    assert not person.erased
    assert person.permissions[NEWS_BY_EMAIL].state is State.GIVEN


def test_a_copy_to_take_along_holds_consent_and_contract_only(ledger: Ledger) -> None:
    a_customer(ledger)
    case = opened(ledger, CaseKind.PORTABILITY)
    with ledger.reading() as tx:
        copy = portable_copy(tx, JOE, policy=POLICY, at=NOON)
    assert [each["lawful_basis"] for each in copy["permissions"]] == ["CONSENT", "CONTRACT"]
    consent = copy["permissions"][0]
    assert [told["kind"] for told in consent["history"]] == ["GRANT"]
    assert [each.split(":")[0] for each in copy["not_included"]] == [
        "product_research",
        "statutory_notices",
    ]
    with pytest.raises(cases.CaseCannotEndSo):
        closed(ledger, case, CaseState.DONE)
    closed(ledger, case, CaseState.DONE, decision_reason="copy 17")
    assert owed(ledger) == ()


def test_a_term_is_extended_once_and_only_while_it_runs(ledger: Ledger) -> None:
    met(ledger, 1)
    case = opened(ledger, CaseKind.ACCESS, received_at=datetime(2026, 1, 31, tzinfo=NOON.tzinfo))
    assert case.due_at.day == 28, "a month after the 31st of January"
    before = case.due_at - timedelta(days=1)
    with ledger.begin() as tx:
        longer = tx.extend_case(case.id, by="anna", reason="many", at=before, policy=POLICY)
        assert longer.extended_to is not None
        assert longer.extended_to > case.due_at
    with pytest.raises(cases.CaseCannotEndSo), ledger.begin() as tx:
        tx.extend_case(case.id, by="anna", reason="still many", at=before, policy=POLICY)
    assert_whole(ledger)


def test_a_case_is_due_before_its_answer_is_owed_and_when_it_is(ledger: Ledger) -> None:
    met(ledger, 1)
    case = opened(ledger, CaseKind.ACCESS)
    minute, week = timedelta(minutes=1), timedelta(days=7)
    with ledger.reading() as tx:
        for moment in (case.due_at - week, case.due_at):
            assert tx.due(moment - minute, moment) == (JOE,)
            assert tx.due(moment, moment + minute) == ()
    closed(ledger, case, CaseState.DONE)
    with ledger.reading() as tx:
        assert tx.due(case.due_at - week - minute, case.due_at) == ()


def test_the_same_request_opens_one_case(ledger: Ledger) -> None:
    met(ledger, 1)
    opened(ledger, CaseKind.ACCESS)
    opened(ledger, CaseKind.ACCESS)
    with ledger.reading() as tx:
        assert len(tx.cases(subject_id=JOE, kind=CaseKind.ACCESS)) == 1
        verbs = [entry.header["verb"] for entry in views.tail(tx, kind="DEED")]
    assert verbs.count("RIGHTS_CASE_OPENED") == 1


def test_a_case_of_a_plan_is_sealed_and_comes_back_with_its_person(ledger: Ledger) -> None:
    cycle_id = met(ledger, 1)
    case = replace(
        cases.new_case(JOE, CaseKind.OBJECTION, received_at=NOON, policy=POLICY, jurisdiction="DE"),
        source_record="003000000000001AAA",
    )
    with ledger.begin() as tx:
        tx.record(a_plan(cases=(case,)), org_id=ORG, cycle_id=cycle_id, at=NOON, policy=POLICY)
        (sealed,) = views.entries_named(tx, case.id)
    assert owed(ledger) == (case,)
    assert (sealed.header["verb"], sealed.header["cycle_id"]) == ("RIGHTS_CASE_OPENED", cycle_id)
    assert_whole(ledger)
