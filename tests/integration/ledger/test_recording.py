"""A plan is recorded whole, or not at all, before Salesforce is asked for anything."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from salesforce_bridge.ledger import views
from salesforce_bridge.ledger.store import Deed, Ledger
from salesforce_bridge.permissions.conditions import Condition, ConditionKind
from salesforce_bridge.permissions.events import EventKind
from salesforce_bridge.permissions.fold import StopKind
from salesforce_bridge.permissions.keys import ANY_CHANNEL, ANY_PURPOSE, Use
from salesforce_bridge.permissions.states import State
from salesforce_bridge.reconcile.facts import Candidate
from salesforce_bridge.reconcile.intent import (
    DueChange,
    JurisdictionChange,
    PointChange,
    PointMove,
    Target,
)
from tests.integration.ledger.cycles import a_manifest, met, opened, told
from tests.support.facts import (
    NEWS_BY_EMAIL,
    NOON,
    ORG,
    a_contact,
    a_decision,
    a_link,
    a_person,
    a_plan,
    a_point,
    a_policy,
    a_row,
    a_write,
    an_event,
    contact_id,
    row_id,
    subject_id,
)

EVERYTHING = Use(purpose=ANY_PURPOSE, channel=ANY_CHANNEL)


def a_claim(number: int = 1) -> Candidate:
    return Candidate(
        id=f"claim {number}",
        subject_id=subject_id(number),
        use=NEWS_BY_EMAIL,
        reason="GRANT_QUARANTINED_NO_EVIDENCE",
        claimed_at=NOON,
        evidence_ref=None,
        note_digest="a" * 64,
        claimed_by="005000000000001AAA",
        source_record=row_id(number),
        expires_at=NOON + timedelta(days=30),
    )


def test_what_was_recorded_is_read_again(ledger: Ledger) -> None:
    met(ledger, 1, 2)
    with ledger.reading() as tx:
        assert tx.contact_mirrors(ORG, [contact_id(1)]) == {contact_id(1): a_contact(1)}
        assert tx.row_mirrors(ORG, [row_id(2)]) == {row_id(2): a_row(2)}
        assert tx.rows_of(ORG, [contact_id(1), contact_id(2)]) == {
            contact_id(1): (a_row(1),),
            contact_id(2): (a_row(2),),
        }
        assert tx.links_of(ORG, [contact_id(2)]) == {contact_id(2): a_link(2)}
        assert tx.known(ORG, Target.CONTACT, [contact_id(1), contact_id(9)]) == {
            contact_id(1): a_contact(1).modstamp
        }
        assert [plan.write for plan in tx.unsettled(ORG, [contact_id(1)])] == [a_write(1)]
        hmac = a_contact(1).points[0].hmac
        assert tx.holders([hmac, "nobody"]) == {hmac: (subject_id(1),)}
        assert tx.contacts_page(ORG, after=contact_id(1), limit=5) == (contact_id(2),)


def test_a_person_is_read_with_everything_that_is_held(ledger: Ledger) -> None:
    cycle_id = met(ledger, 1)
    with ledger.begin() as tx:
        tx.record(
            a_plan(
                events=(
                    an_event(EventKind.GRANT),
                    an_event(EventKind.STOP_MARKETING, use=EVERYTHING, happened_at=NOON),
                    an_event(EventKind.HOLD, use=EVERYTHING, reason="WHO_IS_WHO"),
                ),
                candidates=(a_claim(),),
                jurisdictions=(JurisdictionChange(subject_id=subject_id(1), jurisdiction="DE"),),
                points=(
                    PointChange(
                        subject_id=subject_id(1),
                        point=a_contact(1).points[0],
                        move=PointMove.RETIRE,
                    ),
                ),
            ),
            org_id=ORG,
            cycle_id=cycle_id,
            at=NOON,
            policy=a_policy(),
        )
        record = tx.subjects([subject_id(1), subject_id(9)])[subject_id(1)]
    assert record.revision == 3
    assert record.jurisdiction == "DE"
    assert record.hold == "WHO_IS_WHO"
    assert record.permissions[NEWS_BY_EMAIL].state is State.GIVEN
    assert [stop.kind for stop in record.stops] == [StopKind.MARKETING_OBJECTION]
    assert record.candidates == (a_claim(),)
    assert record.links == (a_link(1),)
    assert [held.retired for held in record.points] == [True]


def test_two_numbers_that_never_match_a_grant_are_both_kept(ledger: Ledger) -> None:
    numbers = [a_point(text, exact="") for text in ("ask for Ann", "ext. 12")]
    changes = [
        PointChange(subject_id=subject_id(1), point=point, move=PointMove.REGISTER)
        for point in numbers
    ]
    cycle_id = opened(ledger)
    with ledger.begin() as tx:
        tx.record(
            a_plan(subjects=(a_person(1),), points=tuple(changes)),
            org_id=ORG,
            cycle_id=cycle_id,
            at=NOON,
            policy=a_policy(),
        )
        held = tx.subjects([subject_id(1)])[subject_id(1)].points
    assert {each.point for each in held} == set(numbers)


def test_an_event_that_is_known_is_not_appended_again(ledger: Ledger) -> None:
    met(ledger, 1)
    first = told(ledger, an_event(EventKind.GRANT))
    again = told(ledger, an_event(EventKind.GRANT))
    assert (first.events, first.revision) == (1, 1)
    assert (again.events, again.revision) == (0, 1)


def test_an_event_that_counts_for_nothing_is_kept_and_named(ledger: Ledger) -> None:
    met(ledger, 1)
    told(ledger, an_event(EventKind.WITHDRAW, happened_at=NOON - timedelta(days=1)))
    late = an_event(EventKind.GRANT, happened_at=NOON - timedelta(days=2))
    appended = told(ledger, late)
    assert appended.refused == {late.id: "GRANT_PREDATES_STOP_REJECTED"}
    with ledger.reading() as tx:
        found = views.contact(tx, ORG, contact_id(1))
    assert found is not None
    assert [event.kind for event in found.history] == [EventKind.WITHDRAW, EventKind.GRANT]
    assert found.record.permissions[NEWS_BY_EMAIL].state is State.WITHDRAWN


def test_moments_come_back_in_utc_to_the_millisecond(ledger: Ledger) -> None:
    met(ledger, 1)
    berlin = timezone(timedelta(hours=1))
    told(
        ledger,
        an_event(EventKind.GRANT, happened_at=datetime(2026, 2, 1, 9, 0, 0, 123999, tzinfo=berlin)),
    )
    with ledger.reading() as tx:
        found = views.contact(tx, ORG, contact_id(1))
    assert found is not None
    happened_at = found.history[0].happened_at
    assert happened_at == datetime(2026, 2, 1, 8, 0, 0, 123000, tzinfo=UTC)
    assert happened_at.utcoffset() == timedelta(0)


def test_folding_everything_again_gives_what_is_stored(ledger: Ledger) -> None:
    met(ledger, 1, 2, 3)
    days = [NOON - timedelta(days=day, microseconds=7) for day in range(9)]
    told(ledger, an_event(EventKind.GRANT, happened_at=days[8]))
    told(ledger, an_event(EventKind.WITHDRAW, happened_at=days[7], own=False))
    told(
        ledger,
        an_event(EventKind.GRANT, happened_at=days[6]),
        an_event(EventKind.REQUEST, subject=2, happened_at=days[6]),
        an_event(EventKind.STOP_ALL, subject=3, use=EVERYTHING, happened_at=days[6]),
        an_event(EventKind.HOLD, subject=3, use=EVERYTHING, happened_at=days[6]),
    )
    told(ledger, an_event(EventKind.REFUSE, subject=2, happened_at=days[5]))
    told(ledger, an_event(EventKind.RELEASE, subject=3, use=EVERYTHING, happened_at=days[5]))
    with ledger.reading() as tx:
        assert views.refold(tx, policy=a_policy()) == ()


def test_a_projection_that_was_touched_is_found_by_folding_again(ledger: Ledger) -> None:
    met(ledger, 1)
    told(ledger, an_event(EventKind.WITHDRAW))
    with ledger.begin() as tx:
        tx.connection.exec_driver_sql("UPDATE permission SET state = 'GIVEN'")
    with ledger.reading() as tx:
        assert views.refold(tx, policy=a_policy()) == (subject_id(1),)


def test_what_a_cycle_recorded_is_not_touched_from_outside(ledger: Ledger) -> None:
    met(ledger, 1)
    told(ledger, an_event(EventKind.GRANT))
    with ledger.reading() as tx:
        assert tx.touched_since(0, 99) == ()


def test_boundaries_that_pass_are_due_once(ledger: Ledger) -> None:
    cycle_id = met(ledger, 1, 2)
    end, lapse = NOON + timedelta(days=3), NOON + timedelta(days=20)
    with ledger.begin() as tx:
        tx.record(
            a_plan(
                events=(
                    an_event(EventKind.GRANT, effective_to=end),
                    an_event(EventKind.REQUEST, subject=2),
                ),
                candidates=(replace(a_claim(2), expires_at=end + timedelta(days=1)),),
                due=(
                    DueChange(subject_id=subject_id(1), use=NEWS_BY_EMAIL, at=end),
                    DueChange(subject_id=subject_id(2), use=NEWS_BY_EMAIL, at=lapse),
                    DueChange(subject_id=subject_id(2), use=EVERYTHING, at=lapse),
                ),
            ),
            org_id=ORG,
            cycle_id=cycle_id,
            at=NOON,
            policy=a_policy(),
        )
    with ledger.reading() as tx:
        people = tx.subjects([subject_id(1), subject_id(2)])
        assert people[subject_id(1)].due == {NEWS_BY_EMAIL: end}
        assert people[subject_id(2)].due == {NEWS_BY_EMAIL: lapse}
        assert tx.due(NOON, end - timedelta(milliseconds=1)) == ()
        assert tx.due(NOON, end) == (subject_id(1),)
        assert tx.due(end, end + timedelta(days=1)) == (subject_id(2),)
        assert tx.due(lapse - timedelta(hours=1), lapse) == (subject_id(2),)


def test_conditions_are_due_when_they_begin_and_end(ledger: Ledger) -> None:
    met(ledger, 1)
    contract = Condition(
        id="contract 1",
        subject_id=subject_id(1),
        kind=ConditionKind.CONTRACT,
        ref="C-1",
        valid_from=NOON + timedelta(days=1),
        valid_to=NOON + timedelta(days=2),
    )
    with ledger.begin() as tx:
        deed = Deed(verb="ESTABLISH", by="anna", reason="OPERATOR_RECORDED")
        tx.append_deed(deed, at=NOON, policy=a_policy(), conditions=(contract,))
    with ledger.reading() as tx:
        assert tx.subjects([subject_id(1)])[subject_id(1)].conditions == (contract,)
        assert tx.due(NOON, NOON + timedelta(days=1)) == (subject_id(1),)
        assert tx.due(NOON + timedelta(days=1), NOON + timedelta(days=2)) == (subject_id(1),)
        assert tx.due(NOON + timedelta(days=2), NOON + timedelta(days=9)) == ()


def test_every_decision_is_sealed_and_none_names_the_person_in_its_header(ledger: Ledger) -> None:
    cycle_id = met(ledger, 1, 2)
    with ledger.begin() as tx:
        tx.close_cycle(cycle_id, a_manifest(records_read=2, decisions={"FIRST_SEEN_NOT_ASKED": 2}))
    with ledger.reading() as tx:
        assert views.verify(tx).intact
        entries = views.entries_named(tx, a_decision(1).id)
        assert len(entries) == 1
        assert entries[0].payload is not None
        assert entries[0].payload["contact_id"] == contact_id(1)
        assert contact_id(1) not in str(entries[0].header)
        assert subject_id(1) not in str(entries[0].header)


def test_a_failed_seal_keeps_nothing_of_the_plan(ledger: Ledger) -> None:
    cycle_id = opened(ledger)
    unsealable = a_decision(1, observed={"consent_status": (None, "\ud800")})
    with pytest.raises(ValueError, match="surrogate"), ledger.begin() as tx:
        tx.record(
            a_plan(
                subjects=(a_person(1),),
                links=(a_link(1),),
                events=(an_event(EventKind.GRANT),),
                decisions=(unsealable,),
                writes=(a_write(1),),
            ),
            org_id=ORG,
            cycle_id=cycle_id,
            at=NOON,
            policy=a_policy(),
            contacts=(a_contact(1),),
        )
    with ledger.reading() as tx:
        assert tx.head().revision == 0
        assert tx.links_of(ORG, [contact_id(1)]) == {}
        assert tx.contact_mirrors(ORG, [contact_id(1)]) == {}
        assert tx.unsettled(ORG) == ()
