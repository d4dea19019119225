"""An import brings what people permitted before: stops always, grants with proof only, all or nothing."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from salesforce_bridge.ledger import views
from salesforce_bridge.ledger.import_lines import Frame
from salesforce_bridge.ledger.imports import (
    ImportKind,
    ImportPlan,
    ImportRefused,
    ImportReport,
    plan_import,
    run_import,
)
from salesforce_bridge.ledger.store import Ledger, Tx
from salesforce_bridge.permissions.conditions import ConditionKind
from salesforce_bridge.permissions.contact_points import PointKeys, PointType, contact_point
from salesforce_bridge.permissions.events import EventKind, PermissionEvent
from salesforce_bridge.permissions.evidence import Trust
from salesforce_bridge.permissions.fold import StopKind
from salesforce_bridge.permissions.keys import ANY_CHANNEL, ANY_PURPOSE, ContactId, Use
from salesforce_bridge.permissions.policy import parse_policy
from salesforce_bridge.permissions.states import State
from salesforce_bridge.reconcile.facts import SubjectRecord
from tests.integration.ledger.cycles import met, told
from tests.support.facts import (
    NEWS_BY_EMAIL,
    NOON,
    ORG,
    a_policy,
    an_event,
    contact_id,
    subject_id,
)

KEYS = PointKeys(current=2, keys={1: b"1" * 32, 2: b"2" * 32}, controller=a_policy().controller)
FRAME = Frame(org_id=ORG, policy=a_policy(), keys=KEYS, at=NOON, by="anna")
HEADER = (
    "contact_id,email,phone,purpose,channel,event,happened_at,evidence_grade,evidence_ref,"
    "notice_id,trust,approved_by,verified_by,condition_ref"
)
ANN = contact_id(1)
PROVEN = "A,doi/1,news-1,SUBJECT_DIRECT,,carl,"


def a_file(*lines: str, header: str = HEADER) -> str:
    return "\n".join((header, *lines)) + "\n"


def a_line(
    event: str,
    *,
    contact: str = ANN,
    email: str = "ann@example.org",
    phone: str = "",
    use: str = "direct_marketing,EMAIL",
    on: str = "2026-01-10",
    proof: str = ",,,,,,",
) -> str:
    return f"{contact},{email},{phone},{use},{event},{on},{proof}"


def planned(ledger: Ledger, text: str, kind: ImportKind = ImportKind.PERMISSIONS) -> ImportPlan:
    with ledger.reading() as tx:
        return plan_import(tx, text, kind, FRAME)


def imported(
    ledger: Ledger, *lines: str, kind: ImportKind = ImportKind.PERMISSIONS, header: str = HEADER
) -> ImportReport:
    with ledger.begin() as tx:
        return run_import(tx, plan_import(tx, a_file(*lines, header=header), kind, FRAME))


def person(tx: Tx, contact: ContactId = ANN) -> SubjectRecord:
    link = tx.links_of(ORG, [contact])[contact]
    return tx.subjects([link.subject_id])[link.subject_id]


def test_a_proven_grant_acts_for_the_address_it_was_given_for(ledger: Ledger) -> None:
    report = imported(ledger, a_line("GRANT", proof=PROVEN))
    assert (report.new_people, report.recorded) == (1, {"GRANT": 1})
    given_for = contact_point(PointType.EMAIL, "ann@example.org", keys=KEYS, default_country="DE")
    assert given_for is not None
    with ledger.reading() as tx:
        permission = person(tx).permissions[NEWS_BY_EMAIL]
        assert permission.state is State.GIVEN
        assert permission.trust is Trust.SUBJECT_DIRECT
        assert permission.point == given_for.exact
        assert [held.point for held in person(tx).points] == [given_for]


@pytest.mark.parametrize(
    "proof",
    [
        ",,,,,,",
        "A,doi/1,news-1,,,,",
        "A,doi/1,news-1,SUBJECT_DIRECT,,,",
        "B,doi/1,news-1,SUBJECT_DIRECT,,carl,",
        "B,scan/1,news-1,CONTROLLER_CONTROLLED,anna,,",
        "B,scan/1,news-1,CONTROLLER_CONTROLLED,anna+anna,,",
        "C,scan/1,news-1,CONTROLLER_CONTROLLED,anna+ben,,",
        "B,scan/1,,CONTROLLER_CONTROLLED,anna+ben,,",
        "B,scan/1,news-1,VERIFIED_RELAY,anna+ben,,",
    ],
)
def test_a_grant_that_cannot_show_its_proof_waits_in_quarantine(ledger: Ledger, proof: str) -> None:
    report = imported(ledger, a_line("GRANT", proof=proof))
    assert report.recorded == {"QUARANTINED": 1}
    with ledger.reading() as tx:
        record = person(tx)
        assert record.permissions == {}
        assert [claim.use for claim in record.candidates] == [NEWS_BY_EMAIL]
        assert [claim.id for claim in views.waiting_claims(tx)] == [record.candidates[0].id]


def test_two_people_may_approve_a_grant_with_an_inspected_artefact(ledger: Ledger) -> None:
    proof = "B,scan/1,news-1,CONTROLLER_CONTROLLED,anna+ben,,"
    assert imported(ledger, a_line("GRANT", proof=proof)).recorded == {"GRANT": 1}
    with ledger.reading() as tx:
        assert person(tx).permissions[NEWS_BY_EMAIL].trust is Trust.CONTROLLER_CONTROLLED


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        (a_line("WITHDRAW"), EventKind.WITHDRAW),
        (a_line("REFUSE"), EventKind.REFUSE),
        (a_line("STOP"), EventKind.WITHDRAW),
        (a_line("STOP", use=",EMAIL"), EventKind.STOP_CHANNEL),
        (a_line("STOP", use=","), EventKind.STOP_MARKETING),
        (a_line("STOP_ALL", use=","), EventKind.STOP_ALL),
        (a_line("STOP", use="service_messages,EMAIL"), EventKind.STOP_MARKETING),
    ],
)
def test_a_stop_acts_without_any_proof(ledger: Ledger, line: str, kind: EventKind) -> None:
    assert imported(ledger, line).recorded == {kind.value: 1}
    with ledger.reading() as tx:
        record = person(tx)
        stopped = [one.state for one in record.permissions.values()]
        assert record.stops or set(stopped) <= {State.WITHDRAWN, State.REFUSED}


def test_an_objection_to_marketing_stops_all_of_it(ledger: Ledger) -> None:
    assert imported(ledger, a_line("OBJECT")).recorded == {"STOP_MARKETING": 1, "WITHDRAW": 1}
    with ledger.reading() as tx:
        assert [stop.kind for stop in person(tx).stops] == [StopKind.MARKETING_OBJECTION]


@pytest.mark.parametrize(
    "stop",
    [
        an_event(EventKind.WITHDRAW, happened_at=NOON - timedelta(days=400)),
        an_event(
            EventKind.STOP_MARKETING,
            use=Use(purpose=ANY_PURPOSE, channel=ANY_CHANNEL),
            happened_at=NOON - timedelta(days=400),
        ),
    ],
)
def test_a_later_imported_grant_never_lifts_a_stop(ledger: Ledger, stop: PermissionEvent) -> None:
    met(ledger, 1)
    told(ledger, stop)
    report = imported(ledger, a_line("GRANT", proof=PROVEN))
    assert report.recorded == {"QUARANTINED": 1}
    with ledger.reading() as tx:
        assert person(tx).candidates[0].reason == "GRANT_AFTER_STOP_REJECTED"


def test_a_stop_in_the_file_beats_a_later_grant_in_the_file(ledger: Ledger) -> None:
    report = imported(
        ledger,
        a_line("GRANT", on="2026-01-10", proof=PROVEN),
        a_line("WITHDRAW", on="2025-12-01"),
    )
    assert report.recorded == {"QUARANTINED": 1, "WITHDRAW": 1}


def test_a_stop_after_a_grant_leaves_the_whole_story(ledger: Ledger) -> None:
    imported(
        ledger,
        a_line("WITHDRAW", on="2026-02-01"),
        a_line("GRANT", on="2026-01-10", proof=PROVEN),
    )
    with ledger.reading() as tx:
        found = views.contact(tx, ORG, ANN)
        assert views.refold(tx, policy=a_policy()) == ()
    assert found is not None
    assert [event.kind for event in found.history] == [EventKind.GRANT, EventKind.WITHDRAW]
    assert found.record.permissions[NEWS_BY_EMAIL].state is State.WITHDRAWN


def test_the_same_file_twice_changes_nothing_the_second_time(ledger: Ledger) -> None:
    lines = (
        a_line("GRANT", proof=PROVEN),
        a_line("WITHDRAW", contact="", email="ben@example.org"),
        a_line("GRANT", contact=contact_id(3), email="cy@example.org"),
    )
    imported(ledger, *lines)
    with ledger.reading() as tx:
        before = tx.head()
    again = imported(ledger, *lines)
    assert (again.recorded, again.already_known, again.new_people) == ({}, 3, 0)
    with ledger.reading() as tx:
        assert tx.head() == before


def test_a_dry_run_says_what_would_happen_and_writes_nothing(ledger: Ledger) -> None:
    report = planned(ledger, a_file(a_line("WITHDRAW"))).report
    assert (report.lines, report.recorded) == (1, {"WITHDRAW": 1})
    with ledger.reading() as tx:
        assert tx.head().seq == 0


def test_a_file_with_one_problem_is_refused_whole(ledger: Ledger) -> None:
    with pytest.raises(ImportRefused, match="line 3: purpose nonsense is not in policy"):
        imported(ledger, a_line("WITHDRAW"), a_line("STOP", use="nonsense,EMAIL"))
    with ledger.reading() as tx:
        assert tx.links_of(ORG, [ANN]) == {}


@pytest.mark.parametrize(
    ("line", "column", "what"),
    [
        (a_line("GIVE"), "event", "is not one of"),
        (a_line("GRANT", use="direct_marketing,PIGEON"), "channel", "PIGEON is not in policy"),
        (a_line("GRANT", use="direct_marketing,"), "purpose", "one purpose on one channel"),
        (a_line("STOP", use="direct_marketing,"), "channel", "is missing"),
        (a_line("STOP", on="yesterday"), "happened_at", "is not a moment"),
        (a_line("STOP", on="2026-01-01T10:00:00"), "happened_at", "no time zone"),
        (a_line("STOP", on="2027-01-01"), "happened_at", "lies in the future"),
        (a_line("STOP", on=""), "happened_at", "is missing"),
        (a_line("STOP", contact="", email=""), "contact_id", "is missing"),
        (a_line("STOP", contact="42"), "contact_id", "15 or 18 characters"),
        (a_line("STOP", contact="001000000000001AAA"), "contact_id", "begins with 003"),
        (a_line("STOP", contact="003000000000001AAB"), "contact_id", "capital letters"),
        (a_line("STOP", email="at home"), "email", "cannot be understood"),
        (a_line("GRANT", proof="Z,,,,,,"), "evidence_grade", "is not one of"),
        (a_line("GRANT", proof="A,x,nothing,,,,"), "notice_id", "is not in policy"),
        (a_line("GRANT", proof="A,x,news-1,MUCH,,,"), "trust", "is not one of"),
        (a_line("GRANT", proof="A,ann@example.org,news-1,,,,"), "evidence_ref", "an address"),
        (a_line("GRANT", proof=f"A,{'x' * 300},news-1,,,,"), "evidence_ref", "200 characters"),
        (a_line("GRANT", email="", proof=PROVEN), "email", "holds for one address"),
        (a_line("GRANT", contact="", email="", phone="+493012345"), "phone", "switchboard"),
        (a_line("GRANT", use="service_messages,EMAIL"), "event", "rests on CONTRACT"),
        (a_line("ESTABLISH"), "event", "rests on CONSENT"),
        ("too,short", "", "has 2 cells"),
        ('"open', "", "is not CSV"),
    ],
)
def test_a_problem_is_told_with_its_line_and_column(
    ledger: Ledger, line: str, column: str, what: str
) -> None:
    problems = planned(ledger, a_file(a_line("WITHDRAW"), line)).report.problems
    assert [(problem.line, problem.column) for problem in problems] == [(3, column)]
    assert what in problems[0].what


def test_a_header_is_checked_before_anything_else(ledger: Ledger) -> None:
    problems = planned(ledger, a_file("x", header="event,event,shoe_size")).report.problems
    assert {(problem.column, problem.what.split(":")[0]) for problem in problems} == {
        ("event", "is there twice"),
        ("shoe_size", "is not one of"),
        ("happened_at", "is missing"),
    }


def test_a_file_from_a_spreadsheet_is_understood(ledger: Ledger) -> None:
    text = (
        "\ufeffcontact_id;purpose;channel;event;happened_at\r\n"
        f"{ANN[:15]};direct_marketing;EMAIL;WITHDRAW;2026-01-10\r\n;;;;\r\n"
    )
    with ledger.begin() as tx:
        assert run_import(tx, plan_import(tx, text, ImportKind.PERMISSIONS, FRAME)).lines == 1
        assert person(tx).permissions[NEWS_BY_EMAIL].state is State.WITHDRAWN


def test_an_empty_file_is_no_import(ledger: Ledger) -> None:
    assert [one.column for one in planned(ledger, "").report.problems] == ["event", "happened_at"]


def test_a_person_known_by_address_alone_is_met_again_as_a_contact(ledger: Ledger) -> None:
    imported(ledger, a_line("WITHDRAW", contact=""))
    report = imported(ledger, a_line("STOP", use=",EMAIL", on="2026-01-11"))
    assert report.new_people == 0
    with ledger.reading() as tx:
        assert person(tx).permissions[NEWS_BY_EMAIL].state is State.WITHDRAWN
        assert person(tx).stops


def test_a_stop_reaches_everybody_who_has_the_address_and_a_grant_nobody(ledger: Ledger) -> None:
    imported(ledger, a_line("REQUEST"), a_line("REQUEST", contact=contact_id(2)))
    report = planned(ledger, a_file(a_line("GRANT", contact="", proof=PROVEN))).report
    assert [problem.what for problem in report.problems] == [
        "is the address of 2 people; name the person by contact_id"
    ]
    imported(ledger, a_line("WITHDRAW", contact=""))
    with ledger.reading() as tx:
        both = [person(tx, contact_id(number)).permissions[NEWS_BY_EMAIL] for number in (1, 2)]
    assert [(one.state, one.own) for one in both] == [(State.WITHDRAWN, False)] * 2


def test_a_stop_for_an_address_of_several_stays_with_whoever_is_known_by_it_alone(
    ledger: Ledger,
) -> None:
    imported(ledger, a_line("REQUEST"), a_line("REQUEST", contact=contact_id(2)))
    first = imported(ledger, a_line("WITHDRAW", contact=""))
    again = imported(ledger, a_line("WITHDRAW", contact=""))
    assert (first.new_people, again.new_people, again.recorded) == (1, 0, {})
    with ledger.reading() as tx:
        hmacs = {held.point.hmac for held in person(tx).points}
        people = tx.subjects({each for found in tx.holders(hmacs).values() for each in found})
    (teller,) = (each for each in people.values() if not each.links)
    said = teller.permissions[NEWS_BY_EMAIL]
    assert (said.state, said.own) == (State.WITHDRAWN, True)


def test_an_address_a_known_person_once_had_is_kept_for_stops(ledger: Ledger) -> None:
    met(ledger, 1)
    imported(ledger, a_line("WITHDRAW", email="old@example.org"))
    with ledger.reading() as tx:
        record = tx.subjects([subject_id(1)])[subject_id(1)]
    assert sorted(held.retired for held in record.points) == [False, True]


def test_a_basis_is_established_and_ended(ledger: Ledger) -> None:
    service = "service_messages,EMAIL"
    imported(ledger, a_line("ESTABLISH", use=service, proof=",,,,,,C-1"))
    with ledger.reading() as tx:
        (permission,) = person(tx).permissions.values()
        assert (permission.state, permission.condition_ref) == (State.IN_FORCE, "C-1")
    imported(ledger, a_line("END", use=service, on="2026-02-10"))
    with ledger.reading() as tx:
        (permission,) = person(tx).permissions.values()
        assert permission.state is State.ENDED


CONDITIONS = "contact_id,kind,ref,valid_from,valid_to,purpose"


def test_conditions_are_imported_and_a_later_word_replaces_an_earlier_one(ledger: Ledger) -> None:
    first = f"{ANN},CONTRACT,C-1,2026-01-01,,"
    later = f"{ANN},CONTRACT,C-1,2026-01-01,2026-06-30,"
    kind = ImportKind.CONDITIONS
    assert imported(ledger, first, kind=kind, header=CONDITIONS).recorded == {"CONDITION": 1}
    imported(ledger, later, kind=kind, header=CONDITIONS)
    with ledger.reading() as tx:
        (contract,) = person(tx).conditions
    assert (contract.kind, contract.ref) == (ConditionKind.CONTRACT, "C-1")
    assert contract.valid_to is not None
    assert imported(ledger, first, kind=kind, header=CONDITIONS).recorded == {}


@pytest.mark.parametrize(
    ("line", "column"),
    [
        (f"{ANN},CONTRACT,C-1,,,", "valid_from"),
        (f"{ANN},CONTRACT,C-1,2026-01-01,2025-01-01,", "valid_to"),
        (f"{ANN},CONTRACT,,2026-01-01,,", "ref"),
        (f"{ANN},MARRIAGE,C-1,2026-01-01,,", "kind"),
        (f"{ANN},CONTRACT,C-1,2026-01-01,,nonsense", "purpose"),
    ],
)
def test_a_condition_that_says_too_little_is_a_problem(
    ledger: Ledger, line: str, column: str
) -> None:
    text = a_file(line, header=CONDITIONS)
    problems = planned(ledger, text, ImportKind.CONDITIONS).report.problems
    assert [problem.column for problem in problems] == [column]


def test_an_import_is_sealed_for_everybody_it_touches(ledger: Ledger) -> None:
    imported(ledger, a_line("WITHDRAW"), a_line("WITHDRAW", contact=contact_id(2), email=""))
    with ledger.reading() as tx:
        assert views.verify(tx).intact
        entries = views.tail(tx)
        assert [entry.header["verb"] for entry in entries] == ["IMPORT", "IMPORT"]
        assert entries[0].payload is not None
        assert entries[0].payload["by"] == "anna"
        assert len(tx.touched_since(0, tx.head().revision)) == 2


@pytest.mark.parametrize("kind", list(ImportKind))
def test_the_examples_we_ship_can_be_imported_under_the_policy_we_ship(
    ledger: Ledger, kind: ImportKind
) -> None:
    config = Path(__file__).parents[3] / "config"
    policy = parse_policy((config / "policy.toml").read_text("utf-8"))
    frame = replace(FRAME, policy=policy, keys=replace(KEYS, controller=policy.controller))
    text = (config / "examples" / f"{kind.value}.csv").read_text("utf-8")
    with ledger.begin() as tx:
        report = run_import(tx, plan_import(tx, text, kind, frame))
    assert report.problems == ()
    if kind is ImportKind.PERMISSIONS:
        assert (report.recorded["GRANT"], report.recorded["QUARANTINED"]) == (2, 1)
    else:
        assert report.recorded == {"CONDITION": 11}
