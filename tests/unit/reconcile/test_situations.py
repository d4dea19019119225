"""Recognition as a whole: what is found once, in which order, and that nothing seen makes it stumble."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from salesforce_bridge.permissions.events import EventKind
from salesforce_bridge.permissions.keys import ContactId
from salesforce_bridge.reconcile.classes import LedgerClass
from salesforce_bridge.reconcile.decisions import reason_for
from salesforce_bridge.reconcile.facts import (
    ACTIVE,
    AMBIGUOUS,
    CLOSED_PURGED,
    CLOSED_SOFT,
    MERGED_INTO,
    Case,
    LeadFlags,
    RefusedWrite,
)
from salesforce_bridge.reconcile.findings import Extra, Finding, Situation, in_order, rank_of
from salesforce_bridge.reconcile.intent import CLOSED_CIRCUIT
from salesforce_bridge.reconcile.situations import LATE, recognise
from salesforce_bridge.reconcile.surges import park
from salesforce_bridge.reconcile.words import Request, Status
from tests.unit.reconcile.sightings import (
    POLICY,
    a_case,
    a_link,
    a_person,
    a_proof,
    a_suppression,
    bench_of,
    found,
    hours,
    told,
)
from tests.unit.reconcile.worlds import (
    NEWS_BY_CALL,
    NEWS_BY_EMAIL,
    NEWS_BY_POST,
    NOON,
    a_contact,
    a_point,
    a_row,
    a_use,
    an_individual,
    contact_id,
    row_id,
)

SHOWN = set(POLICY.uses)


# ---------------------------------------------------------------- found once


@pytest.mark.parametrize(
    ("state", "is_told"),
    [
        (ACTIVE, True),
        (AMBIGUOUS, True),
        (CLOSED_SOFT, True),
        (CLOSED_PURGED, False),
        (MERGED_INTO, False),
        (None, False),
    ],
)
def test_a_contact_that_is_nowhere_to_be_found_is_told_until_its_link_says_so(
    state: str | None, is_told: bool
) -> None:
    link = None if state is None else a_link(state=state)
    gone = replace(a_case(), seen=None, link=link)
    assert told(found(gone)) == ({"S17": SHOWN} if is_told else {})
    assert found(replace(gone, read=False)) == ()


def test_nothing_is_told_of_what_did_not_change() -> None:
    row = a_row(1, consent_status="Stopped", request_handled="Gave permission")
    person = a_person((EventKind.WITHDRAW, NEWS_BY_EMAIL, hours(-9)))
    assert found(a_case(None, (row, row)), people=(person,)) == ()


@pytest.mark.parametrize("stop", [True, False])
def test_a_write_that_was_not_taken_is_told_for_what_it_was_about(stop: bool) -> None:
    refused = (
        RefusedWrite(target="Permission__c", use=NEWS_BY_POST, code="ENTITY_IS_LOCKED", stop=stop),
        RefusedWrite(target="Permission__c", use=NEWS_BY_POST, code="REQUIRED", stop=stop),
    )
    (finding,) = found(a_case(refused=refused))
    assert finding.situation is Situation.S34_WRITE_REJECTED
    assert finding.use == NEWS_BY_POST
    whole = RefusedWrite(target="Contact", use=None, code="ENTITY_IS_LOCKED", stop=stop)
    findings = found(a_case(refused=(whole,)))
    assert told(findings) == {"S34": {NEWS_BY_EMAIL, NEWS_BY_CALL, NEWS_BY_POST}}
    assert findings[0].observed == {"write": (None, "ENTITY_IS_LOCKED")}


def test_a_row_that_was_moved_or_names_nothing_we_know_is_told() -> None:
    home = a_row(1, use=NEWS_BY_POST)
    away = replace(home, fields=replace(home.fields, contact_id=contact_id(2)))
    odd = a_row(2, use=a_use("astrology", "PIGEON"))
    findings = told(found(a_case(None, (home, away), (None, odd))))
    assert findings["S24"] == {NEWS_BY_POST}
    assert findings["S25"] == {a_use("*", "*")}


@pytest.mark.parametrize("was", ["Stopped", "Lapsed", "Limited", "Not asked", None])
@pytest.mark.parametrize("now", ["Asked", "Limited", "Lapsed"])
def test_another_word_on_a_row_that_says_neither_yes_nor_no_is_drift(
    was: str | None, now: str
) -> None:
    findings = found(a_case(None, (a_row(1, consent_status=was), a_row(1, consent_status=now))))
    assert told(findings) == ({} if was == now else {"S11": {NEWS_BY_EMAIL}})


# ---------------------------------------------------------------- one edit, two directions


@pytest.mark.parametrize(
    ("was", "now", "ends", "situation"),
    [
        ("Partly permitted", "Permitted", -1, "S04"),
        ("Partly permitted", "Permitted", 0, "S08"),
        ("Partly permitted", "Permitted", 1, "S08"),
        ("Permitted", "Permitted", -1, "S04"),
        ("Permitted", "Permitted", 1, "S08"),
        ("Permitted", "Partly permitted", 1, "S04"),
        ("Stopped", "Permitted", -1, "S08"),
    ],
)
def test_an_edit_of_a_contact_that_narrows_and_widens_is_a_stop(
    was: str, now: str, ends: int, situation: str
) -> None:
    agreed = a_contact(1)
    agreed = replace(
        agreed, fields=replace(agreed.fields, consent_status=was, valid_until=hours(900))
    )
    end = hours(900) + timedelta(days=ends)
    seen = replace(agreed, fields=replace(agreed.fields, consent_status=now, valid_until=end))
    findings = told(found(a_case(seen, mirror=agreed)))
    assert findings == {situation: {NEWS_BY_EMAIL, NEWS_BY_CALL, NEWS_BY_POST}}


# ---------------------------------------------------------------- order


def test_what_concerns_the_erased_goes_before_all_but_a_mass_change() -> None:
    erased = a_person(suppressions=(a_suppression(),))
    stopped = a_contact(1, opted_out_of_email=True, points=(a_point("person1@example.org"),))
    findings = found(a_case(stopped), people=(erased,))
    assert {each.of_erased for each in findings} == {True}
    living = Finding(situation=Situation.S04_CRM_STOP, contact_id=contact_id(2), use=NEWS_BY_EMAIL)
    surge = replace(living, situation=Situation.S26_MASS_CHANGE)
    last = replace(findings[0], situation=Situation.S34_WRITE_REJECTED)
    assert in_order((living, last, surge))[0] == surge
    assert in_order((living, last, surge))[1] == last
    assert rank_of(replace(surge, of_erased=True)) == rank_of(surge)


def test_only_the_uses_that_nothing_is_left_of_go_first() -> None:
    marketing_only = a_person(
        (EventKind.ESTABLISH, a_use("service_messages"), hours(-9)),
        suppressions=(a_suppression(),),
    )
    findings = found(a_case(a_contact(1, deleted=True)), people=(marketing_only,))
    assert findings[-1].use == a_use("service_messages")
    assert [each.of_erased for each in findings] == [True] * (len(findings) - 1) + [False]


def test_what_is_looked_for_late_is_looked_for_in_the_order_of_its_turns() -> None:
    ranks = [
        rank_of(Finding(situation=each, contact_id=ContactId(""), use=NEWS_BY_EMAIL))
        for each in LATE
    ]
    assert ranks == sorted(ranks)
    bench = bench_of()
    for situation, late in LATE.items():
        assert late(bench) == (), situation


# ---------------------------------------------------------------- whatever is seen


NUMBERS = st.integers(1, 3)
WHEN = st.sampled_from([None, hours(-500), hours(-1), NOON, hours(900)])
WORDS = st.sampled_from([None, "", "Yes!", *Status])
USES = st.sampled_from([NEWS_BY_EMAIL, NEWS_BY_POST, a_use("service_messages"), a_use("x", "y")])
FLAGS = ("opted_out_of_email", "opted_out_of_fax", "do_not_call")
RIGHTS = ("should_forget", "opted_out_processing", "opted_out_solicit", "wants_a_copy")
KINDS = (
    *(EventKind.GRANT, EventKind.WITHDRAW, EventKind.ESTABLISH, EventKind.REVOKE),
    *(EventKind.REQUEST, EventKind.ERASE, EventKind.HOLD),
)


@st.composite
def contacts(draw: st.DrawFn, number: int) -> Any:
    said: dict[str, Any] = {name: draw(st.booleans()) for name in FLAGS}
    said["country"] = draw(st.sampled_from([None, "Germany", "United Kingdom", "Atlantis"]))
    said["deleted"] = draw(st.booleans())
    said["master_id"] = (
        contact_id(draw(NUMBERS)) if said["deleted"] and draw(st.booleans()) else None
    )
    said["points"] = tuple(
        sorted(a_point(f"person{each}@example.org") for each in draw(st.sets(NUMBERS)))
    )
    if draw(st.booleans()):
        said["individual"] = replace(
            an_individual(**{each: draw(st.booleans()) for each in RIGHTS}),
            individual_id=f"0PK{draw(NUMBERS)}",
        )
    if draw(st.booleans()):
        said["lead"] = LeadFlags(lead_id="00Q", opted_out_of_email=draw(st.booleans()))
    contact = a_contact(number, **said)
    fields = replace(contact.fields, consent_status=draw(WORDS), valid_until=draw(WHEN))
    return replace(contact, fields=fields)


@st.composite
def rows(draw: st.DrawFn, number: int) -> Any:
    said: dict[str, Any] = {
        "consent_status": draw(WORDS),
        "effective_to": draw(WHEN),
        "capture_date": draw(WHEN),
        "deleted": draw(st.booleans()),
        "request": draw(st.sampled_from([None, "?", *Request])),
        "request_evidence": draw(st.sampled_from([None, "call 17", "token:token-1"])),
        "ledger_key": draw(st.sampled_from([None, "", "a:b", f"{contact_id(1)}:x:y"])),
    }
    if draw(st.booleans()):
        said["proof"] = a_proof(happened_at=draw(WHEN) or NOON, use=draw(USES))
    return a_row(number, of=draw(st.one_of(st.none(), NUMBERS)), use=draw(USES), **said)


@st.composite
def cases(draw: st.DrawFn, number: int) -> Case:
    states = [ACTIVE, AMBIGUOUS, CLOSED_SOFT, CLOSED_PURGED, MERGED_INTO]
    state = draw(st.sampled_from([None, *states]))
    seen = draw(st.one_of(st.none(), contacts(number)))
    pairs = [
        (draw(st.one_of(st.none(), rows(10 * number + each))), draw(rows(10 * number + each)))
        for each in range(draw(st.integers(0, 2)))
    ]
    return a_case(
        seen,
        *pairs,
        contact_id=contact_id(number),
        read=draw(st.booleans()),
        mirror=draw(st.one_of(st.none(), contacts(number))),
        link=None if state is None else a_link(number, state),
        refused=(RefusedWrite(target="Contact", use=None, code="LOCKED", stop=True),)
        if draw(st.booleans())
        else (),
    )


@st.composite
def people(draw: st.DrawFn) -> Any:
    history = [
        (draw(st.sampled_from(KINDS)), draw(USES), hours(-9 + each))
        for each in range(draw(st.integers(0, 4)))
    ]
    return a_person(
        *history,
        erased=draw(st.booleans()),
        policy_digest=draw(st.sampled_from([None, "earlier", POLICY.digest])),
        suppressions=(a_suppression(),) if draw(st.booleans()) else (),
    )


@given(
    seen=st.tuples(*(cases(number) for number in (1, 2, 3))),
    person=people(),
)
def test_whatever_is_seen_each_thing_is_found_once_in_order_and_has_a_reason(
    seen: tuple[Case, ...], person: Any
) -> None:
    earlier = replace(POLICY, digest="earlier", purposes={}, notices={})
    bench = bench_of(*seen, people=(person,), earlier={"earlier": earlier})
    findings = recognise(bench)
    late = tuple(each for look in LATE.values() for each in look(bench))
    for group in (findings, late):
        keys = [(each.situation, each.contact_id, each.use) for each in group]
        assert len(keys) == len(set(keys))
        assert all(each.contact_id in bench.cases for each in group)
        assert {each.situation for each in group} <= {*Situation, *Extra}
        for each in group:
            for ledger_class in LedgerClass:
                assert reason_for(each.situation, ledger_class).sentence
    ranks = [rank_of(each) for each in findings]
    assert ranks == sorted(ranks)
    assert recognise(bench) == findings
    assert park(findings, CLOSED_CIRCUIT, POLICY, NOON).parked == frozenset()
    stray = {each.row_id for each in findings if each.row_id is not None}
    assert stray <= {row.seen.row_id for case in seen for row in case.rows} | {row_id(0)}


def test_writes_that_were_not_taken_on_a_contact_that_is_gone_are_told_though_nothing_dates_them() -> (
    None
):
    refused = tuple(
        RefusedWrite(target="Permission__c", use=NEWS_BY_POST, code=code, stop=False)
        for code in ("ENTITY_IS_LOCKED", "REQUIRED")
    )
    gone = replace(a_case(refused=refused), seen=None, mirror=None)
    told_of = [each for each in found(gone) if each.situation is Situation.S34_WRITE_REJECTED]
    assert [(each.use, each.stamp) for each in told_of] == [(NEWS_BY_POST, None)]


@pytest.mark.parametrize(
    ("request_at_the_end", "is_heard"), [("Asked us to stop", False), (None, True)]
)
def test_what_was_asked_on_a_row_at_its_end_is_heard_once(
    request_at_the_end: str | None, is_heard: bool
) -> None:
    """The ledger does not remember the no, for it was taken back as an error since."""
    gone = a_row(1, deleted=True, request=request_at_the_end)
    seen = replace(gone, request="Asked us to stop", modified_by=None)
    assert ("S04" in told(found(a_case(None, (gone, seen))))) is is_heard


# ---------------------------------------------------------------- several tellings of one thing


@pytest.mark.parametrize("order", [(1, 2), (2, 1)])
def test_a_claim_with_a_paper_is_told_beside_one_without(order: tuple[int, int]) -> None:
    first, second = order
    late, early = hours(-1), hours(-2)
    bare = a_row(first, request="Gave permission", modstamp=late)
    shown = a_row(second, request="Gave permission", request_evidence="letter 7", modstamp=early)
    twins = [(None, bare), (None, shown)]
    found_on = {each.situation: each for each in found(a_case(None, *twins))}
    attested = found_on[Situation.S07_CRM_GRANT_ATTESTED]
    assert (attested.row_id, attested.stamp) == (row_id(second), early)


@pytest.mark.parametrize("order", [(1, 2), (2, 1)])
def test_of_two_stops_of_one_use_the_objection_is_judged_as_of_the_last(
    order: tuple[int, int],
) -> None:
    first, second = order
    late, early = hours(-1), hours(-2)
    stop = a_row(first, request=Request.STOP.value, modstamp=late)
    objection = a_row(second, request=Request.OBJECTS.value, modstamp=early)
    (finding,) = [
        each
        for each in found(a_case(None, (None, stop), (None, objection)))
        if each.situation is Situation.S04_CRM_STOP
    ]
    assert (finding.row_id, finding.objects, finding.stamp) == (row_id(second), True, late)


@pytest.mark.parametrize("order", [(1, 2), (2, 1)])
def test_of_two_stops_of_one_use_the_one_with_a_paper_is_judged(order: tuple[int, int]) -> None:
    first, second = order
    bare = a_row(first, request=Request.STOP.value)
    shown = a_row(second, request=Request.STOP.value, request_evidence="letter 7")
    (finding,) = [
        each
        for each in found(a_case(None, (None, bare), (None, shown)))
        if each.situation is Situation.S04_CRM_STOP
    ]
    assert (finding.row_id, finding.evidence_ref) == (row_id(second), "letter 7")
