"""What is due because time has passed: ends, prompts before them, claims and answers that wait."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from salesforce_bridge.permissions.bundle import ExpiryRule, Policy
from salesforce_bridge.permissions.conditions import Condition, ConditionKind
from salesforce_bridge.permissions.events import EventKind
from salesforce_bridge.permissions.keys import PurposeKey, Use
from salesforce_bridge.permissions.rights import CaseKind, CaseState, RightsCase
from salesforce_bridge.reconcile.facts import Candidate, SubjectRecord
from salesforce_bridge.reconcile.findings import Extra, Finding
from salesforce_bridge.reconcile.moments import SOON, due, moments_due, speakers, windows_due
from tests.unit.reconcile.sightings import (
    POLICY,
    a_case,
    a_link,
    a_person,
    bench_of,
    hours,
    only,
    told,
)
from tests.unit.reconcile.worlds import (
    EVERYTHING,
    NEWS_BY_CALL,
    NEWS_BY_EMAIL,
    NEWS_BY_POST,
    NOON,
    RESEARCH,
    SERVICE,
    a_contact,
    a_row,
    a_use,
    an_event,
    contact_id,
    subject_id,
)

DAY = timedelta(days=1)
NEWS = PurposeKey("direct_marketing")
# A hundred days, with prompts thirty and seven days before their end.
SHORT = replace(
    POLICY,
    purposes={
        **POLICY.purposes,
        NEWS: replace(
            POLICY.purposes[NEWS],
            max_age=None,
            expiry=(
                ExpiryRule(
                    jurisdiction="*",
                    max_age=100 * DAY,
                    renew_before=(30 * DAY, 7 * DAY),
                    grace=30 * DAY,
                ),
            ),
        ),
    },
)


def ago(days: float) -> datetime:
    return NOON - days * DAY


def ended(record: SubjectRecord, *, policy: Policy = SHORT) -> tuple[Finding, ...]:
    return moments_due(bench_of(people=(record,), policy=policy))


def prompted(record: SubjectRecord, *, policy: Policy = SHORT) -> tuple[Finding, ...]:
    return windows_due(bench_of(people=(record,), policy=policy))


def a_fact(kind: ConditionKind, **said: Any) -> Condition:
    plain: dict[str, Any] = {
        "id": f"fact-{kind}",
        "subject_id": subject_id(1),
        "kind": kind,
        "ref": "ref-1",
        "valid_from": ago(900),
    }
    return Condition(**(plain | said))


RESTRICTION = a_fact(ConditionKind.RESTRICTION)


# ---------------------------------------------------------------- ends


@pytest.mark.parametrize(("age", "over"), [(99.9, False), (100, True), (140, True)])
def test_a_consent_ends_with_its_age(age: float, over: bool) -> None:
    findings = ended(a_person((EventKind.GRANT, NEWS_BY_EMAIL, ago(age))))
    assert told(findings) == ({"S27": {NEWS_BY_EMAIL}} if over else {})
    if over:
        assert only(findings).stamp == ago(age) + 100 * DAY


def test_a_question_lapses_unless_it_is_answered() -> None:
    late = POLICY.request_lapses_after / DAY
    asked = (EventKind.REQUEST, NEWS_BY_EMAIL, ago(late))
    assert told(ended(a_person(asked))) == {"S27": {NEWS_BY_EMAIL}}
    assert told(ended(a_person((EventKind.REQUEST, NEWS_BY_EMAIL, ago(late - 1))))) == {}
    assert told(ended(a_person(asked, (EventKind.GRANT, NEWS_BY_EMAIL, ago(1))))) == {}


def test_what_rests_on_a_contract_ends_with_the_last_contract() -> None:
    served = (EventKind.ESTABLISH, SERVICE, ago(500))
    closed = a_fact(ConditionKind.CONTRACT, valid_to=ago(1))
    open_ended = a_fact(ConditionKind.CONTRACT, id="second", ref="ref-2")
    assert told(ended(a_person(served, conditions=(closed,)))) == {"S27": {SERVICE}}
    assert told(ended(a_person(served, conditions=(closed, open_ended)))) == {}


def overdue_policy() -> Policy:
    key = POLICY.purposes[RESEARCH.purpose].assessment or ""
    late = replace(POLICY.assessments[key], review_due=ago(1))
    return replace(SHORT, assessments={**POLICY.assessments, key: late})


RELIED_ON = (EventKind.ESTABLISH, RESEARCH, ago(500))


def test_an_interest_is_due_with_the_review_of_its_assessment() -> None:
    assert told(ended(a_person(RELIED_ON), policy=overdue_policy())) == {"S27": {RESEARCH}}
    assert told(ended(a_person(RELIED_ON))) == {}


def test_a_review_that_is_due_ends_nothing_that_may_not_be_used_anyway() -> None:
    policy = overdue_policy()
    held = (EventKind.HOLD, RESEARCH, ago(3))
    assert ended(a_person(RELIED_ON, held), policy=policy) == ()
    assert ended(a_person(RELIED_ON, conditions=(RESTRICTION,)), policy=policy) == ()
    waits = (EventKind.HOLD, RESEARCH, ago(3), {"reason": "BASIS_REVIEW_OVERDUE"})
    assert ended(a_person(RELIED_ON, waits), policy=policy) == ()


def test_what_is_restricted_ends_all_the_same() -> None:
    old = (EventKind.GRANT, NEWS_BY_EMAIL, ago(140))
    asked = (EventKind.REQUEST, NEWS_BY_CALL, ago(140))
    record = a_person(old, asked, conditions=(RESTRICTION,))
    assert told(ended(record)) == {"S27": {NEWS_BY_EMAIL, NEWS_BY_CALL}}
    assert due(record, NEWS_BY_EMAIL, policy=SHORT, at=NOON) == ago(40)


# ---------------------------------------------------------------- prompts


@pytest.mark.parametrize(
    ("age", "boundary"), [(69, None), (70, 30), (92.9, 30), (93, 7), (99.9, 7), (101, None)]
)
def test_a_consent_is_prompted_for_at_each_boundary_before_its_end(
    age: float, boundary: int | None
) -> None:
    findings = prompted(a_person((EventKind.GRANT, NEWS_BY_EMAIL, ago(age))))
    assert told(findings) == ({} if boundary is None else {"S28": {NEWS_BY_EMAIL}})
    if boundary is not None:
        assert only(findings).stamp == ago(age) + (100 - boundary) * DAY


def test_a_boundary_is_prompted_for_once() -> None:
    record = a_person((EventKind.GRANT, NEWS_BY_EMAIL, ago(80)))
    (finding,) = prompted(record)
    use, permission = NEWS_BY_EMAIL, record.permissions[NEWS_BY_EMAIL]
    noted = replace(record, permissions={use: replace(permission, prompted_at=finding.stamp)})
    assert prompted(noted) == ()
    later = bench_of(people=(noted,), policy=SHORT, at=ago(80) + 93 * DAY)
    assert told(windows_due(later)) == {"S28": {NEWS_BY_EMAIL}}


def test_what_rests_on_an_interest_or_a_contract_is_announced_before_its_review() -> None:
    key = POLICY.purposes[RESEARCH.purpose].assessment or ""
    soon = replace(POLICY.assessments[key], review_due=NOON + POLICY.review_notice / 2)
    policy = replace(SHORT, assessments={**POLICY.assessments, key: soon})
    ends = a_fact(ConditionKind.CONTRACT, valid_to=NOON + POLICY.review_notice / 2)
    record = a_person(RELIED_ON, (EventKind.ESTABLISH, SERVICE, ago(500)), conditions=(ends,))
    assert told(prompted(record, policy=policy)) == {"S28": {RESEARCH, SERVICE}}


OLD = (EventKind.GRANT, NEWS_BY_EMAIL, ago(80))


@pytest.mark.parametrize(
    ("then", "said"),
    [
        ((EventKind.WITHDRAW, NEWS_BY_EMAIL, ago(3)), {}),
        ((EventKind.STOP_MARKETING, EVERYTHING, ago(3)), {}),
        ((EventKind.HOLD, NEWS_BY_EMAIL, ago(3)), {}),
        (None, {"conditions": (RESTRICTION,)}),
    ],
)
def test_what_may_not_be_asked_for_is_told_once_when_the_clock_would_have_asked(
    then: Any, said: dict[str, Any]
) -> None:
    history = (OLD,) if then is None else (OLD, then)
    assert prompted(a_person(*history, **said)) == ()
    reached = {NEWS_BY_EMAIL: hours(-1)}
    findings = prompted(a_person(*history, **said, due=reached))
    assert told(findings) == {"S28": {NEWS_BY_EMAIL}}
    assert only(findings).stamp == hours(-1)
    very_moment = prompted(a_person(*history, **said, due={NEWS_BY_EMAIL: NOON}))
    assert only(very_moment).stamp == NOON
    ahead = {NEWS_BY_EMAIL: hours(1)}
    assert prompted(a_person(*history, **said, due=ahead)) == ()


WAITS_FOR_A_REVIEW = (EventKind.HOLD, NEWS_BY_EMAIL, ago(3), {"reason": "BASIS_REVIEW_OVERDUE"})


@pytest.mark.parametrize(
    ("then", "said", "is_told"),
    [
        ((), {}, False),
        # A person has had it restricted beside, or has said no.
        ((), {"conditions": (RESTRICTION,)}, True),
        (((EventKind.STOP_MARKETING, EVERYTHING, ago(2)),), {}, True),
    ],
)
def test_what_waits_for_a_review_alone_says_nothing_about_what_the_person_wants(
    then: Any, said: dict[str, Any], is_told: bool
) -> None:
    record = a_person(OLD, WAITS_FOR_A_REVIEW, *then, **said, due={NEWS_BY_EMAIL: hours(-1)})
    assert told(prompted(record)) == ({"S28": {NEWS_BY_EMAIL}} if is_told else {})


def test_of_a_yes_that_has_lapsed_the_clock_asks_nothing_whatever_was_said_before_it() -> None:
    no = (EventKind.WITHDRAW, NEWS_BY_EMAIL, ago(400))
    yes = (EventKind.GRANT, NEWS_BY_EMAIL, ago(140))
    lapsed = (EventKind.EXPIRE, NEWS_BY_EMAIL, ago(40))
    record = a_person(no, yes, lapsed, due={NEWS_BY_EMAIL: hours(-1)})
    assert record.permissions[NEWS_BY_EMAIL].stopped_at == ago(400)
    assert prompted(record) == ()


@pytest.mark.parametrize(
    ("history", "is_told"),
    [
        ((EventKind.WITHDRAW, NEWS_BY_EMAIL, ago(3)), True),
        ((EventKind.STOP_MARKETING, EVERYTHING, ago(3)), True),
        ((EventKind.HOLD, NEWS_BY_EMAIL, ago(3)), True),
        ((EventKind.REVOKE, NEWS_BY_EMAIL, ago(3)), True),
        ((EventKind.GRANT, NEWS_BY_EMAIL, ago(3)), False),
        ((EventKind.REQUEST, NEWS_BY_EMAIL, ago(3)), False),
    ],
)
def test_who_said_no_or_let_a_yes_run_out_is_not_to_be_asked_by_a_word_on_a_row(
    history: Any, is_told: bool
) -> None:
    was, now = a_row(1, consent_status="Stopped"), a_row(1, consent_status="Asked")

    def asked(*row: Any) -> tuple[Finding, ...]:
        record = a_person(history, due={NEWS_BY_EMAIL: hours(-1)})
        return windows_due(bench_of(a_case(None, row), people=(record,), policy=SHORT))

    findings = asked(was, now)
    assert [(each.situation.value[:3], each.row_id) for each in findings] == (
        [("S28", now.row_id)] if is_told else []
    )
    assert [each.row_id for each in asked(now, now)] in ([], [None])
    assert [each.row_id for each in asked(was, replace(now, deleted=True))] in ([], [None])


def test_a_consent_that_has_just_lapsed_is_told_once_to_need_a_route() -> None:
    record = a_person((EventKind.GRANT, NEWS_BY_EMAIL, ago(140)))
    bench = bench_of(people=(record,), policy=SHORT)
    bench.append(an_event(record.subject_id, EventKind.EXPIRE, NEWS_BY_EMAIL, ago(40)))
    assert told(windows_due(bench)) == {"S28": {NEWS_BY_EMAIL}}
    lapsed = replace(record, permissions=bench.records[record.subject_id].permissions)
    assert prompted(lapsed) == ()


def test_a_yes_that_was_recorded_a_moment_ago_is_prompted_for_as_of_when_it_was_said() -> None:
    record = a_person((EventKind.GRANT, NEWS_BY_CALL, ago(3)))
    bench = bench_of(people=(record,), policy=SHORT)
    assert moments_due(bench) == ()
    bench.append(an_event(record.subject_id, EventKind.GRANT, NEWS_BY_EMAIL, ago(80)))
    assert told(windows_due(bench)) == {"S28": {NEWS_BY_EMAIL}}


def test_a_question_that_has_just_lapsed_needs_no_route() -> None:
    record = a_person((EventKind.REQUEST, NEWS_BY_EMAIL, ago(140)))
    bench = bench_of(people=(record,), policy=SHORT)
    bench.append(an_event(record.subject_id, EventKind.EXPIRE, NEWS_BY_EMAIL, ago(40)))
    assert windows_due(bench) == ()


def test_a_person_with_two_contacts_is_prompted_for_once_on_one_that_is_there() -> None:
    record = a_person(OLD, links=(a_link(), a_link(2)))
    second = a_contact(2, points=a_contact(1).points)
    bench = bench_of(
        a_case(a_contact(1, deleted=True)),
        a_case(second, contact_id=contact_id(2), mirror=second, link=a_link(2)),
        people=(record,),
        policy=SHORT,
    )
    assert only(windows_due(bench)).contact_id == contact_id(2)
    assert speakers(bench) == {subject_id(1): contact_id(2)}


# ---------------------------------------------------------------- what waits for people


def a_claim(number: int = 1, **said: Any) -> Candidate:
    plain: dict[str, Any] = {
        "id": f"claim-{number}",
        "subject_id": subject_id(1),
        "use": NEWS_BY_EMAIL,
        "reason": "GRANT_QUARANTINED_NO_EVIDENCE",
        "claimed_at": ago(31),
        "evidence_ref": None,
        "note_digest": None,
        "claimed_by": None,
        "source_record": "row",
        "expires_at": NOON,
    }
    return Candidate(**(plain | said))


def test_a_claim_that_nobody_judged_in_time_is_closed_one_telling_for_a_use() -> None:
    claims = (
        a_claim(1),
        a_claim(2),
        a_claim(3, use=NEWS_BY_POST, expires_at=hours(-5)),
        a_claim(4, use=NEWS_BY_CALL, expires_at=hours(1)),
        a_claim(5, use=RESEARCH, open=False),
    )
    findings = ended(a_person(candidates=claims))
    assert told(findings) == {"CLAIM_TIMED_OUT": {NEWS_BY_EMAIL, NEWS_BY_POST}}
    assert len(findings) == 2


def a_rights_case(due_at: datetime, **said: Any) -> RightsCase:
    plain: dict[str, Any] = {
        "id": f"case-{due_at}-{sorted(said)}",
        "kind": CaseKind.ERASURE,
        "subject_id": subject_id(1),
        "received_at": due_at - 30 * DAY,
        "due_at": due_at,
    }
    return RightsCase(**(plain | said))


@pytest.mark.parametrize(
    ("in_days", "reminded", "expected"),
    [
        (8, None, None),
        (7, None, Extra.CASE_DUE_SOON),
        (1, 6, None),
        (1, None, Extra.CASE_DUE_SOON),
        (1, 9, Extra.CASE_DUE_SOON),  # told in time, of another date
        (0, 6, Extra.CASE_OVERDUE),
        (-3, 2, None),
        (-3, None, Extra.CASE_OVERDUE),
        (-3, 4, Extra.CASE_OVERDUE),
    ],
)
def test_somebody_is_told_once_of_an_answer_that_is_due_soon_and_once_that_it_is_late(
    in_days: float, reminded: float | None, expected: Extra | None
) -> None:
    told_at = None if reminded is None else ago(reminded)
    case = a_rights_case(NOON + in_days * DAY, reminded_at=told_at)
    findings = prompted(a_person(cases=(case,)))
    assert [each.situation for each in findings] == ([] if expected is None else [expected])


@pytest.mark.parametrize(
    "said",
    [
        {"reply_sent_at": ago(1)},
        {"state": CaseState.DONE},
        {"state": CaseState.REFUSED},
        {"extended_to": NOON + 8 * DAY},
    ],
)
def test_an_answer_that_was_given_or_has_more_time_reminds_nobody(said: dict[str, Any]) -> None:
    assert prompted(a_person(cases=(a_rights_case(NOON, **said),))) == ()


def test_an_objection_upheld_at_once_is_still_owed_an_answer() -> None:
    case = a_rights_case(
        NOON, kind=CaseKind.MARKETING_OBJECTION, state=CaseState.UPHELD, purpose=NEWS
    )
    finding = only(prompted(a_person(cases=(case,))))
    assert finding.use == a_use("direct_marketing", "*")
    assert finding.observed == {"case": (None, "MARKETING_OBJECTION")}


def test_cases_about_the_same_are_one_telling() -> None:
    cases = (a_rights_case(NOON + SOON), a_rights_case(NOON + SOON / 2), a_rights_case(NOON))
    findings = prompted(a_person(cases=cases))
    uses: list[tuple[str, Use]] = [(each.situation.value, each.use) for each in findings]
    assert sorted(uses) == [("CASE_DUE_SOON", EVERYTHING), ("CASE_OVERDUE", EVERYTHING)]


def test_what_is_held_ends_all_the_same_when_the_contract_behind_it_has_ended() -> None:
    served = (EventKind.ESTABLISH, SERVICE, ago(500))
    held = (EventKind.HOLD, SERVICE, ago(400))
    closed = a_fact(ConditionKind.CONTRACT, valid_to=ago(1))
    assert only(ended(a_person(served, held, conditions=(closed,)))).stamp == ago(1)
    assert ended(a_person(served, held, conditions=(a_fact(ConditionKind.CONTRACT),))) == ()


def test_what_is_held_ends_at_the_very_moment() -> None:
    served = (EventKind.ESTABLISH, SERVICE, ago(500))
    held = (EventKind.HOLD, SERVICE, ago(400))
    now = a_fact(ConditionKind.CONTRACT, valid_to=NOON)
    assert only(ended(a_person(served, held, conditions=(now,)))).stamp == NOON
