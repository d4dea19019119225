"""The intent is recorded whole, before any effect, and whoever is concerned is found again by it."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from salesforce_bridge.ledger import views
from salesforce_bridge.ledger.store import Ledger
from salesforce_bridge.permissions.events import EventKind
from salesforce_bridge.permissions.keys import ContactId
from salesforce_bridge.permissions.states import State
from salesforce_bridge.reconcile.facts import HeldPoint
from salesforce_bridge.reconcile.intent import JurisdictionChange, PointChange, PointMove
from tests.integration.ledger.steps import (
    BY_HAND,
    POLICY,
    a_candidate,
    a_condition,
    a_meeting,
    answer,
    assert_sound,
    close,
    count,
    meet,
    meet_fully,
    record,
)
from tests.support.facts import (
    NEWS_BY_EMAIL,
    NOON,
    ORG,
    a_contact,
    a_decision,
    a_link,
    a_plan,
    a_point,
    a_row,
    a_write,
    an_event,
    contact_id,
    subject_id,
)


def test_a_cycle_that_is_recorded_settled_and_closed_is_sound(ledger: Ledger) -> None:
    cycle_id = meet_fully(ledger)
    with ledger.reading() as tx:
        (planned,) = tx.unsettled(ORG)
        (sealed,) = views.entries_named(tx, a_decision(1).id)
    assert (planned.write, planned.unknown, planned.created_at) == (a_write(1), False, NOON)
    assert sealed.payload is not None
    assert sealed.payload["source_stamp"] == "2026-03-02T11:00:00.000Z"
    assert answer(ledger, a_write(1), record_id=contact_id(1)) == 1
    close(ledger, cycle_id)
    with ledger.reading() as tx:
        assert tx.unsettled(ORG) == ()
        kinds = [entry.kind for entry in views.tail(tx)]
        person = tx.subjects([subject_id(1)])[subject_id(1)]
    assert kinds == ["MANIFEST", "OUTCOME", "DECISION"]
    assert person.permissions[NEWS_BY_EMAIL].state is State.GIVEN
    assert person.points == (HeldPoint(point=a_point("person1@example.org"), retired=False),)
    assert_sound(ledger)


@pytest.mark.parametrize(
    ("more", "read"),
    [
        ({}, False),
        ({"contacts": (a_contact(2),)}, False),
        ({"contacts": (a_contact(1),)}, True),
        ({"rows": ((a_row(1), contact_id(1)), (a_row(2), None))}, True),
        ({"asked_for": (contact_id(1),)}, True),
    ],
)
def test_a_decision_says_whether_its_record_was_read(
    ledger: Ledger, more: dict[str, Any], read: bool
) -> None:
    record(ledger, a_meeting(1), **more)
    with ledger.reading() as tx:
        (sealed,) = views.entries_named(tx, a_decision(1).id)
    assert sealed.header["record_read"] is read


def test_an_event_told_twice_in_one_plan_is_appended_once(ledger: Ledger) -> None:
    meet(ledger, 1)
    grant = an_event(EventKind.GRANT)
    assert record(ledger, a_plan(events=(grant, grant))).events == 1
    again = record(ledger, a_plan(events=(replace(grant, reason="TOLD_DIFFERENTLY"),)))
    assert (again.events, again.revision) == (0, 1)


def test_a_person_keeps_the_key_of_the_first_meeting(ledger: Ledger) -> None:
    record(ledger, a_meeting(1))
    record(ledger, a_meeting(1))
    with ledger.reading() as tx:
        entries = views.entries_named(tx, a_decision(1).id)
    assert len(entries) == 2
    assert len({entry.header["subject_key"] for entry in entries}) == 1
    assert count(ledger, "subject") == 1


def test_a_decision_about_nobody_is_sealed_under_a_name_that_is_used_once(ledger: Ledger) -> None:
    for _ in range(2):
        record(ledger, a_plan(decisions=(a_decision(1),)), contacts=(a_contact(1),))
    with ledger.reading() as tx:
        entries = views.entries_named(tx, a_decision(1).id)
        assert views.verify(tx).intact
    assert len({entry.header["subject_key"] for entry in entries}) == 2


def test_an_empty_plan_leaves_nothing_behind(ledger: Ledger) -> None:
    assert record(ledger, a_plan()).events == 0
    with ledger.reading() as tx:
        head = tx.head()
    assert (head.revision, head.seq) == (0, 0)


def test_a_contact_point_that_is_retired_still_names_its_holder(ledger: Ledger) -> None:
    record(ledger, a_meeting(1))
    point = a_point("person1@example.org")
    retired = PointChange(subject_id=subject_id(1), point=point, move=PointMove.RETIRE)
    record(ledger, a_plan(points=(retired,)))
    with ledger.reading() as tx:
        assert tx.holders([point.hmac, "unheard of"]) == {point.hmac: (subject_id(1),)}
        person = tx.subjects([subject_id(1)])[subject_id(1)]
    assert person.points == (HeldPoint(point=point, retired=True),)


def test_a_point_that_two_people_share_names_both(ledger: Ledger) -> None:
    meet(ledger, 1, 2)
    point = a_point("family@example.org")
    changes = tuple(
        PointChange(subject_id=subject_id(number), point=point, move=PointMove.REGISTER)
        for number in (1, 2)
    )
    record(ledger, a_plan(points=changes))
    with ledger.reading() as tx:
        found = tx.holders([point.hmac])
    assert found == {point.hmac: tuple(sorted((subject_id(1), subject_id(2))))}


def test_a_link_that_changed_is_the_one_that_is_read(ledger: Ledger) -> None:
    meet(ledger, 1, 2)
    merged = a_link(1, state="MERGED_INTO", merged_into=contact_id(2))
    record(ledger, a_plan(links=(merged,)))
    with ledger.reading() as tx:
        asked = [contact_id(1), contact_id(2), ContactId("003unheardof000000")]
        assert tx.links_of(ORG, asked) == {contact_id(1): merged, contact_id(2): a_link(2)}
        assert tx.subjects([subject_id(1)])[subject_id(1)].links == (merged,)


def test_a_person_who_moved_is_judged_where_they_are_now(ledger: Ledger) -> None:
    meet(ledger, 1, 2)
    moved = JurisdictionChange(subject_id=subject_id(1), jurisdiction="DE")
    record(ledger, a_plan(jurisdictions=(moved,)))
    with ledger.reading() as tx:
        people = tx.subjects([subject_id(1), subject_id(2)])
    assert people[subject_id(1)].jurisdiction == "DE"
    assert people[subject_id(2)].jurisdiction == "UNKNOWN"


def test_a_claim_in_quarantine_waits_until_it_is_judged(ledger: Ledger) -> None:
    meet(ledger, 1)
    claim = a_candidate(1, evidence_ref="Zettel Nº 7 ✓", note_digest="a" * 64, claimed_by="005")
    record(ledger, a_plan(candidates=(claim,)))
    with ledger.reading() as tx:
        assert tx.subjects([subject_id(1)])[subject_id(1)].candidates == (claim,)
        assert views.waiting_claims(tx) == (claim,)
    record(ledger, a_plan(candidates=(replace(claim, open=False),)))
    with ledger.reading() as tx:
        assert views.waiting_claims(tx) == ()


def test_only_people_touched_from_outside_a_cycle_are_looked_at(ledger: Ledger) -> None:
    meet(ledger, 1, 2)
    record(ledger, a_plan(events=(an_event(EventKind.GRANT, subject=1),)))
    with ledger.reading() as tx:
        before = tx.head().revision
    told = (an_event(EventKind.WITHDRAW, subject=2),)
    with ledger.begin() as tx:
        appended = tx.append_deed(BY_HAND, at=NOON, policy=POLICY, events=told)
    with ledger.reading() as tx:
        assert tx.touched_since(0, before) == ()
        assert tx.touched_since(before, appended.revision) == (subject_id(2),)
        assert tx.touched_since(appended.revision, appended.revision + 9) == ()


def test_a_fact_told_again_about_the_same_thing_replaces_the_earlier_word(ledger: Ledger) -> None:
    meet(ledger, 1)
    early = a_condition(1)
    late = replace(early, id="contract-ended", valid_to=NOON + timedelta(days=2))
    other = replace(early, id="other", ref="another contract", purpose=NEWS_BY_EMAIL.purpose)
    for facts in ((early,), (late, other)):
        with ledger.begin() as tx:
            tx.append_deed(BY_HAND, at=NOON, policy=POLICY, conditions=facts)
    with ledger.reading() as tx:
        held = tx.subjects([subject_id(1)])[subject_id(1)].conditions
    assert set(held) == {late, other}
    assert count(ledger, "condition") == 3


def test_contacts_come_a_page_at_a_time_and_deleted_ones_are_not_counted(ledger: Ledger) -> None:
    meet(ledger, 1, 2, 3)
    record(ledger, a_plan(), contacts=(a_contact(1), a_contact(2, deleted=True)))
    with ledger.reading() as tx:
        first = tx.contacts_page(ORG, after=None, limit=2)
        rest = tx.contacts_page(ORG, after=first[-1], limit=2)
        assert (*first, *rest) == (contact_id(1), contact_id(2), contact_id(3))
        assert tx.contacts_known(ORG) == 1
