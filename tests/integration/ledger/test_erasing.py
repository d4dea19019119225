"""An erasure destroys what leads to a person, keeps every no, and names what the law wants kept."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from salesforce_bridge.ledger import views
from salesforce_bridge.ledger.erasing import Erased, PersonErased, erase
from salesforce_bridge.ledger.faults import SecondPersonMissing
from salesforce_bridge.ledger.proving import Proof
from salesforce_bridge.ledger.records import Verb
from salesforce_bridge.ledger.store import Ledger
from salesforce_bridge.ledger.telling import PersonUnknown
from salesforce_bridge.permissions.evidence import Grade
from salesforce_bridge.permissions.states import State
from salesforce_bridge.permissions.stops import StopKind
from salesforce_bridge.permissions.suppressions import Scope
from tests.integration.ledger.cycles import a_manifest, met
from tests.integration.ledger.people import (
    NOTICES,
    POLICY,
    RESEARCH,
    SERVICE,
    a_customer,
    assert_whole,
    quarantined,
    recorded,
    the_person,
)
from tests.integration.ledger.steps import a_candidate, count
from tests.support.facts import (
    NEWS_BY_EMAIL,
    NOON,
    ORG,
    a_contact,
    a_decision,
    a_plan,
    contact_id,
    subject_id,
)

SIGNED = Proof(grade=Grade.A, ref="esign 3", notice_id="news-1", point="p", by_the_person=True)


def erased(ledger: Ledger, *, by: str = "anna", approved_by: str | None = "ben") -> Erased:
    with ledger.begin() as tx:
        return erase(tx, subject_id(1), by=by, approved_by=approved_by, at=NOON, policy=POLICY)


def test_an_erasure_leaves_every_no_and_nothing_that_leads_to_the_person(ledger: Ledger) -> None:
    a_customer(ledger)
    quarantined(ledger, a_candidate(1))
    (held,) = the_person(ledger).points
    done = erased(ledger)
    person = the_person(ledger)
    assert person.erased
    assert (person.points, person.candidates) == ((), ())
    assert [stop.kind for stop in person.stops] == [StopKind.SUBJECT_STOP_ALL]
    assert {use: person.permissions[use].state for use in (NEWS_BY_EMAIL, SERVICE, RESEARCH)} == (
        dict.fromkeys((NEWS_BY_EMAIL, SERVICE, RESEARCH), State.ERASED)
    )
    assert [link.contact_id for link in person.links] == [contact_id(1)]
    with ledger.reading() as tx:
        (silent,) = tx.suppressions([held.point.hmac])
        assert (silent.scope, silent.after_erasure) == (Scope.MARKETING, True)
        assert silent.key_version == held.point.key_version
        assert tx.holders([held.point.hmac]) == {}
        assert tx.touched_since(0, 99) == (subject_id(1),)
    assert done.destroyed["CONTACT_POINTS"] == done.destroyed["CLAIMS"] == 1
    assert_whole(ledger)


def test_a_legal_duty_that_still_runs_is_kept_and_named(ledger: Ledger) -> None:
    a_customer(ledger)
    assert "statutory_notices/EMAIL: ERASURE_REFUSED_LEGAL_OBLIGATION" in erased(ledger).kept
    assert the_person(ledger).permissions[NOTICES].state is State.IN_FORCE


def test_what_was_sealed_about_an_erased_person_is_destroyed_and_the_chain_still_verifies(
    ledger: Ledger,
) -> None:
    a_customer(ledger)
    with ledger.reading() as tx:
        before = views.entries_about(tx, subject_id(1), count=50)
        assert all(entry.payload is not None for entry in before)
        key = before[0].header["subject_key"]
    erased(ledger)
    with ledger.reading() as tx:
        assert views.entries_about(tx, subject_id(1)) == ()
        again = {entry.seq: entry for entry in views.tail(tx, count=99)}
        assert {again[entry.seq].payload for entry in before} == {None}
        (deed,) = views.entries_named(tx, key)
        assert deed.payload is not None
        assert deed.payload["destroyed"]["AUDIT_PAYLOADS"] == len(before)
        assert subject_id(1) not in str((deed.header, deed.payload))
    assert count(ledger, "audit_payload", "shredded_at IS NOT NULL") == len(before)
    assert_whole(ledger)


def test_a_surviving_record_of_an_erased_person_is_still_counted(ledger: Ledger) -> None:
    a_customer(ledger)
    erased(ledger)
    cycle_id = met(ledger)
    with ledger.begin() as tx:
        for turn in range(2):
            tx.record(
                a_plan(decisions=(a_decision(1, id=f"found {turn}"),)),
                org_id=ORG,
                cycle_id=cycle_id,
                at=NOON,
                policy=POLICY,
                contacts=(a_contact(1),),
            )
        manifest = a_manifest(records_read=1, decisions={"FIRST_SEEN_NOT_ASKED": 2})
        tx.close_cycle(cycle_id, manifest)
    assert_whole(ledger)


@pytest.mark.parametrize("approved_by", [None, "", "anna", "Anna "])
def test_an_erasure_takes_two_people(ledger: Ledger, approved_by: str | None) -> None:
    met(ledger, 1)
    with pytest.raises(SecondPersonMissing):
        erased(ledger, approved_by=approved_by)
    assert not the_person(ledger).erased


def test_nobody_is_erased_twice_and_nobody_unknown(ledger: Ledger) -> None:
    with pytest.raises(PersonUnknown):
        erased(ledger)
    met(ledger, 1)
    erased(ledger)
    with pytest.raises(PersonErased):
        erased(ledger)


def test_after_an_erasure_only_a_yes_of_the_person_begins_anew(ledger: Ledger) -> None:
    a_customer(ledger)
    erased(ledger)
    scan = replace(SIGNED, by_the_person=False)
    later: dict[str, Any] = {"approved_by": "ben", "happened_at": NOON}
    with pytest.raises(PersonErased):
        recorded(ledger, Verb.GRANT, NEWS_BY_EMAIL, proof=scan, **later)
    appended = recorded(ledger, Verb.GRANT, NEWS_BY_EMAIL, proof=SIGNED, **later)
    assert appended.refused == {}
    with ledger.reading() as tx:
        whose = tx.links_of(ORG, [contact_id(1)])[contact_id(1)].subject_id
        anew = tx.subjects([whose])[whose]
    assert whose != subject_id(1)
    assert anew.permissions[NEWS_BY_EMAIL].state is State.GIVEN
    assert [held.point for held in anew.points] == list(a_contact(1).points)
    assert [each.after_erasure for each in anew.suppressions] == [True]
    assert the_person(ledger).erased
    assert the_person(ledger).links == ()
    assert_whole(ledger)


def test_a_suppression_is_sealed_without_the_person_it_was_made_for(ledger: Ledger) -> None:
    a_customer(ledger)
    erased(ledger)
    with ledger.reading() as tx:
        (added,) = views.entries_named(tx, "suppression_added")
    assert added.header["subject_key"] is None
    assert added.payload is not None
    assert [each["hmac"] for each in added.payload["suppressions"]] == [a_contact(1).points[0].hmac]


def test_a_stop_reported_after_an_erasure_keeps_the_address_silent_for_longer(
    ledger: Ledger,
) -> None:
    a_customer(ledger)
    erased(ledger)
    hmac = a_contact(1).points[0].hmac
    later = NOON + timedelta(days=1)
    with ledger.begin() as tx:
        (silent,) = tx.suppressions([hmac])
        cycle_id = tx.open_cycle(ORG, at=later, software="tests", policy=POLICY)
        tx.record(
            a_plan(suppressions=(replace(silent, since=later),)),
            org_id=ORG,
            cycle_id=cycle_id,
            at=later,
            policy=POLICY,
        )
        assert [each.since for each in tx.suppressions([hmac])] == [later]
    assert_whole(ledger)
