"""A stop that was a recording error is taken back by two people with evidence; no other stop goes with it."""

from datetime import timedelta

import pytest

from salesforce_bridge.ledger.corrections import CorrectionRefused, correct_stops, suspects
from salesforce_bridge.ledger.faults import SecondPersonMissing
from salesforce_bridge.ledger.store import Appended, Ledger
from salesforce_bridge.permissions.events import ActorKind, EventKind
from salesforce_bridge.permissions.states import State
from salesforce_bridge.permissions.stops import EVERYTHING
from tests.integration.ledger.cycles import met, told
from tests.integration.ledger.people import POLICY, a_stop, assert_whole, the_person
from tests.support.facts import NEWS_BY_EMAIL, NOON, an_event

LOADER = "005000000000009AAA"


def corrected(ledger: Ledger, *event_ids: str, **changes: str | None) -> Appended:
    parts = {"by": "anna", "approved_by": "ben", "evidence_ref": "loader log 7", **changes}
    with ledger.begin() as tx:
        return correct_stops(tx, event_ids, at=NOON, policy=POLICY, **parts)  # type: ignore[arg-type]  # as given


def by_the_loader(ledger: Ledger, *, minutes: int = 10) -> dict[str, bool]:
    with ledger.reading() as tx:
        found = suspects(tx, author=LOADER, since=NOON - timedelta(minutes=minutes), until=NOON)
    return {each.event.id: each.correctable for each in found}


def test_a_proven_error_is_taken_back_and_permits_nothing(ledger: Ledger) -> None:
    met(ledger, 1)
    told(ledger, an_event(EventKind.GRANT))
    stop = a_stop()
    told(ledger, stop)
    assert by_the_loader(ledger) == {stop.id: True}
    corrected(ledger, stop.id)
    permission = the_person(ledger).permissions[NEWS_BY_EMAIL]
    assert (permission.state, permission.stopped_at) == (State.UNKNOWN, None)
    assert permission.reason == "STOP_CORRECTED_AS_ERROR"
    assert by_the_loader(ledger) == {}
    assert_whole(ledger)


def test_a_wide_stop_that_was_an_error_is_taken_back(ledger: Ledger) -> None:
    met(ledger, 1)
    stop = an_event(
        EventKind.STOP_MARKETING,
        use=EVERYTHING,
        actor_ref=LOADER,
        source_stamp=NOON,
        happened_at=NOON - timedelta(minutes=5),
    )
    told(ledger, stop)
    corrected(ledger, stop.id)
    assert the_person(ledger).stops == ()
    assert_whole(ledger)


def test_a_use_that_the_person_stopped_as_well_stays_stopped(ledger: Ledger) -> None:
    met(ledger, 1)
    own = a_stop(actor_ref=None, source_record="letter", happened_at=NOON - timedelta(days=2))
    stop = a_stop()
    told(ledger, own, stop)
    with ledger.reading() as tx:
        (suspect,) = suspects(tx, event_ids=[stop.id])
    assert (suspect.correctable, suspect.others) == (False, (own.id,))
    with pytest.raises(CorrectionRefused):
        corrected(ledger, stop.id)
    assert the_person(ledger).permissions[NEWS_BY_EMAIL].state is State.WITHDRAWN


def test_what_was_carried_to_others_is_listed_with_the_error(ledger: Ledger) -> None:
    met(ledger, 1, 2)
    stop = a_stop()
    carried = a_stop(
        2, own=False, actor=ActorKind.BRIDGE, actor_ref=None, source_record=None, source_stamp=None
    )
    told(ledger, stop, carried)
    assert by_the_loader(ledger) == {stop.id: True, carried.id: True}
    assert by_the_loader(ledger, minutes=1) == {}
    assert corrected(ledger, stop.id, carried.id).events == 2
    for number in (1, 2):
        assert the_person(ledger, number).permissions[NEWS_BY_EMAIL].state is State.UNKNOWN


def test_a_correction_needs_two_people_evidence_and_a_stop(ledger: Ledger) -> None:
    met(ledger, 1)
    stop = a_stop()
    told(ledger, stop)
    with pytest.raises(SecondPersonMissing):
        corrected(ledger, stop.id, approved_by="anna")
    with pytest.raises(CorrectionRefused):
        corrected(ledger, stop.id, evidence_ref=" ")
    with pytest.raises(CorrectionRefused):
        corrected(ledger, "nobody knows")
    with ledger.reading() as tx, pytest.raises(CorrectionRefused):
        suspects(tx, author=LOADER)
    assert the_person(ledger).permissions[NEWS_BY_EMAIL].state is State.WITHDRAWN
