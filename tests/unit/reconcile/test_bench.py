"""The bench: what was decided about a person is there for all that is decided after it."""

from dataclasses import replace
from typing import Any

from salesforce_bridge.permissions.rights import CaseKind, RightsCase
from salesforce_bridge.permissions.suppressions import Scope
from salesforce_bridge.reconcile.facts import Candidate, HeldPoint
from tests.unit.reconcile.sightings import a_person, a_suppression, bench_of, hours
from tests.unit.reconcile.worlds import NEWS_BY_EMAIL, NOON, RESEARCH, a_point, a_record, subject_id

ANN = subject_id(1)


def a_claim(name: str) -> Candidate:
    return Candidate(
        id=name,
        subject_id=ANN,
        use=NEWS_BY_EMAIL,
        reason="GRANT_QUARANTINED_NO_EVIDENCE",
        claimed_at=hours(-9),
        evidence_ref=None,
        note_digest=None,
        claimed_by=None,
        source_record="row 1",
        expires_at=hours(9),
    )


def a_case(name: str, **said: Any) -> RightsCase:
    plain: dict[str, Any] = {
        "id": name,
        "kind": CaseKind.ACCESS,
        "subject_id": ANN,
        "received_at": hours(-9),
        "due_at": hours(900),
    }
    return RightsCase(**(plain | said))


def test_a_claim_that_was_closed_waits_no_longer_and_the_others_do() -> None:
    bench = bench_of(people=(a_person(candidates=(a_claim("one"), a_claim("two"))),))
    bench.close_claim(a_claim("two"), decision="QUARANTINE_TIMED_OUT")
    closed = replace(a_claim("two"), open=False, decision="QUARANTINE_TIMED_OUT")
    assert bench.records[ANN].candidates == (a_claim("one"), closed)
    assert bench.candidates == {"two": closed}


def test_what_was_noted_on_a_case_is_on_it_and_on_no_other() -> None:
    bench = bench_of(people=(a_person(cases=(a_case("one"), a_case("two"))),))
    noted = a_case("two", reminded_at=NOON)
    bench.change_case(noted)
    assert bench.records[ANN].cases == (a_case("one"), noted)
    assert bench.rights == {"two": noted}


def test_one_case_of_a_kind_is_open_about_a_purpose_at_a_time() -> None:
    bench = bench_of()
    asked, about_research = a_case("one"), a_case("three", purpose=RESEARCH.purpose)
    for case in (asked, a_case("two"), about_research):
        bench.open_case(case)
    assert bench.records[ANN].cases == (asked, about_research)
    assert bench.rights == {"one": asked, "three": about_research}


def test_an_address_that_is_silenced_anew_is_silent_once_for_whoever_has_it() -> None:
    before, other = a_suppression(), a_suppression(scope=Scope.ALL)
    point = a_point("ben@example.org")
    elsewhere = a_record(
        2,
        points=(HeldPoint(point=point, retired=False),),
        suppressions=(a_suppression(hmac=point.hmac),),
    )
    bench = bench_of(people=(a_person(suppressions=(before, other)), elsewhere))
    anew = a_suppression(since=NOON)
    for _ in range(2):
        bench.suppress(anew)
    assert bench.new_suppressions == [anew]
    assert set(bench.records[ANN].suppressions) == {anew, other}
    assert bench.records[subject_id(2)].suppressions == elsewhere.suppressions
