"""Whatever a plan says beyond permissions is kept in the same transaction, and read again as it was told."""

from dataclasses import replace
from datetime import timedelta

from salesforce_bridge.ledger import views
from salesforce_bridge.ledger.store import Ledger, Result
from salesforce_bridge.permissions.conditions import Condition, ConditionKind
from salesforce_bridge.permissions.events import EventKind
from salesforce_bridge.permissions.evidence import Grade, Trust
from salesforce_bridge.permissions.proofs import Proof
from salesforce_bridge.permissions.rights import CaseKind, RightsCase
from salesforce_bridge.permissions.suppressions import Scope, Suppression
from salesforce_bridge.reconcile.facts import ContactFields, Individual, LeadFlags
from salesforce_bridge.reconcile.intent import JurisdictionChange, Plan, Target, Verb
from tests.integration.ledger.cycles import answered, met, opened, told
from tests.integration.ledger.people import assert_whole, the_person
from tests.integration.ledger.steps import a_candidate
from tests.support.facts import (
    NEWS_BY_EMAIL,
    NOON,
    ORG,
    a_contact,
    a_decision,
    a_person,
    a_plan,
    a_policy,
    a_row,
    a_write,
    an_event,
    contact_id,
    row_id,
    subject_id,
)

DAY = timedelta(days=1)


def ran(ledger: Ledger, plan: Plan, **more: object) -> None:
    cycle_id = opened(ledger)
    with ledger.begin() as tx:
        tx.record(plan, org_id=ORG, cycle_id=cycle_id, at=NOON, policy=a_policy(), **more)  # type: ignore[arg-type]  # as given


def a_restriction(**changes: object) -> Condition:
    fact = Condition(
        id="restriction 1",
        subject_id=subject_id(1),
        kind=ConditionKind.RESTRICTION,
        ref="case 1",
        valid_from=NOON,
    )
    return replace(fact, **changes)  # type: ignore[arg-type]  # fields of a condition


def test_a_move_is_kept_with_the_place_that_still_counts(ledger: Ledger) -> None:
    met(ledger, 1)
    move = JurisdictionChange(
        subject_id=subject_id(1), jurisdiction="UK", former="DE", moved_at=NOON - DAY
    )
    ran(ledger, a_plan(jurisdictions=(move,)))
    person = the_person(ledger)
    assert (person.jurisdiction, person.former_jurisdiction) == ("UK", "DE")
    assert person.moved_at == NOON - DAY


def test_whoever_was_judged_is_known_to_have_been_judged_under_the_policy(ledger: Ledger) -> None:
    met(ledger, 1)
    assert the_person(ledger).policy_digest == a_policy().digest
    with ledger.begin() as tx:
        tx.connection.exec_driver_sql("UPDATE subject SET policy_digest = 'an older one'")
    ran(ledger, a_plan(subjects=(a_person(2),)))
    assert the_person(ledger).policy_digest == "an older one"
    ran(ledger, a_plan(judged_anew=(subject_id(1),)))
    assert the_person(ledger).policy_digest == a_policy().digest


def test_conditions_of_a_plan_are_appended_once_and_a_later_word_lifts_them(
    ledger: Ledger,
) -> None:
    met(ledger, 1)
    ran(ledger, a_plan(conditions=(a_restriction(),), events=(an_event(EventKind.GRANT),)))
    ran(ledger, a_plan(conditions=(a_restriction(),)))
    person = the_person(ledger)
    assert person.conditions == (a_restriction(),)
    assert person.revision == 2
    lifted = a_restriction(id="restriction 1 lifted", valid_to=NOON + DAY)
    ran(ledger, a_plan(conditions=(lifted,)))
    assert the_person(ledger).conditions == (lifted,)
    of_an_address = a_restriction(id="other", point="f" * 64)
    ran(ledger, a_plan(conditions=(of_an_address,)))
    assert set(the_person(ledger).conditions) == {lifted, of_an_address}
    with ledger.reading() as tx:
        assert tx.touched_since(0, 99) == (), "a cycle looks at whom it records"
    assert_whole(ledger)


def test_what_salesforce_says_of_a_person_comes_back_as_it_was_read(ledger: Ledger) -> None:
    proof = Proof(
        id="t-1",
        kind="portal",
        use=NEWS_BY_EMAIL,
        happened_at=NOON,
        notice_id=None,
        point="p",
        trust=Trust.SUBJECT_DIRECT,
        grade=Grade.A,
    )
    contact = a_contact(
        1,
        individual=Individual(individual_id="0PK1", opted_out_solicit=True),
        lead=LeadFlags(lead_id="00Q1", do_not_call=True),
        fields=ContactFields(renew_by=NOON + DAY),
    )
    row = a_row(1, proof=proof, fields=replace(a_row(1).fields, renew_by=NOON + DAY))
    ran(ledger, a_plan(), contacts=(contact,), rows=((row, contact_id(1)),))
    with ledger.reading() as tx:
        assert tx.contact_mirrors(ORG, [contact_id(1)]) == {contact_id(1): contact}
        assert tx.row_mirrors(ORG, [row_id(1)]) == {row_id(1): row}


def test_a_prompt_that_went_to_a_campaign_is_remembered_over_readings(ledger: Ledger) -> None:
    met(ledger, 1)
    write = a_write(
        *(1,),
        target=Target.CAMPAIGN_MEMBER,
        verb=Verb.INSERT,
        record_id=None,
        ledger_key="701000000000001AAA:2026-05-01",
        fields={"campaign_id": "701000000000001AAA", "contact_id": contact_id(1)},
    )
    ran(ledger, a_plan(writes=(write,)))
    answered(ledger, write.id, Result.ACCEPTED)
    later = a_contact(1, modstamp=NOON, do_not_call=True)
    ran(ledger, a_plan(), contacts=(later,))
    with ledger.reading() as tx:
        found = tx.contact_mirrors(ORG, [contact_id(1)])[contact_id(1)]
    assert found == replace(later, campaigned="701000000000001AAA:2026-05-01")


def test_the_notes_of_a_decision_are_sealed_with_it(ledger: Ledger) -> None:
    met(ledger, 1)
    noted = a_decision(1, id="noted", notes=("JURISDICTION_DEFAULTED_STRICTEST",))
    ran(ledger, a_plan(decisions=(noted,)))
    with ledger.reading() as tx:
        (entry,) = views.entries_named(tx, "noted")
    assert entry.header["notes"] == ["JURISDICTION_DEFAULTED_STRICTEST"]


def test_marks_on_a_permission_are_folded_and_stored(ledger: Ledger) -> None:
    met(ledger, 1)
    told(ledger, an_event(EventKind.GRANT))
    told(
        ledger,
        an_event(EventKind.NOTICED, notice_id="news-1", happened_at=NOON),
        an_event(EventKind.PROMPT, effective_from=NOON - DAY, happened_at=NOON),
        an_event(EventKind.REAFFIRM, effective_to=NOON + DAY, happened_at=NOON),
    )
    permission = the_person(ledger).permissions[NEWS_BY_EMAIL]
    assert permission.latest_notice == "news-1"
    assert permission.prompted_at == NOON - DAY
    assert permission.reaffirm_by == NOON + DAY
    assert_whole(ledger)


def test_claims_cases_and_suppressions_that_one_plan_tells_twice_are_kept_as_told_last(
    ledger: Ledger,
) -> None:
    met(ledger, 1)
    (held,) = the_person(ledger).points
    claim = a_candidate(1)
    case = RightsCase(
        id="case 1",
        kind=CaseKind.ACCESS,
        subject_id=subject_id(1),
        received_at=NOON,
        due_at=NOON + 30 * DAY,
    )
    silent = Suppression(
        hmac=held.point.hmac,
        key_version=1,
        scope=Scope.MARKETING,
        controller=a_policy().controller,
        since=NOON,
        reason="FIRST",
        after_erasure=False,
    )
    ran(
        ledger,
        a_plan(
            candidates=(claim, replace(claim, open=False, decision="QUARANTINE_TIMED_OUT")),
            cases=(case, replace(case, reminded_at=NOON)),
            suppressions=(silent, replace(silent, since=NOON + DAY, reason="LAST")),
        ),
    )
    person = the_person(ledger)
    assert [(each.id, each.open) for each in person.candidates] == [(claim.id, False)]
    assert [(each.id, each.reminded_at) for each in person.cases] == [(case.id, NOON)]
    assert [(each.reason, each.since) for each in person.suppressions] == [("LAST", NOON + DAY)]
    assert_whole(ledger)
