"""What operators record by hand is believed as far as its proof and a second person carry it."""

from datetime import timedelta
from typing import Any

import pytest

from salesforce_bridge.ledger.records import (
    PersonUnknown,
    Proof,
    ProofMissing,
    Verb,
    Word,
    record_event,
)
from salesforce_bridge.ledger.store import Appended, Ledger
from salesforce_bridge.permissions.conditions import ConditionKind
from salesforce_bridge.permissions.evidence import Grade, Trust
from salesforce_bridge.permissions.keys import ANY_CHANNEL, ANY_PURPOSE, PurposeKey, Use
from salesforce_bridge.permissions.states import State
from salesforce_bridge.reconcile.facts import SubjectRecord
from tests.integration.ledger.cycles import met
from tests.support.facts import (
    EMAIL,
    NEWS_BY_EMAIL,
    NOON,
    a_policy,
    subject_id,
)

EVERYTHING = Use(purpose=ANY_PURPOSE, channel=ANY_CHANNEL)
SERVICE = Use(purpose=PurposeKey("service_messages"), channel=EMAIL)
SCAN = Proof(grade=Grade.B, ref="scan 17", notice_id="news-1", point="p")
SIGNED = Proof(grade=Grade.A, ref="esign 3", notice_id="news-1", point="p", by_the_person=True)


def recorded(ledger: Ledger, verb: Verb, use: Use = NEWS_BY_EMAIL, **changes: Any) -> Appended:
    parts: dict[str, Any] = {
        "subject_id": subject_id(1),
        "verb": verb,
        "use": use,
        "happened_at": NOON - timedelta(days=1),
        "by": "anna",
    }
    with ledger.begin() as tx:
        return record_event(tx, Word(**{**parts, **changes}), at=NOON, policy=a_policy())


def the_person(ledger: Ledger) -> SubjectRecord:
    with ledger.reading() as tx:
        return tx.subjects([subject_id(1)])[subject_id(1)]


@pytest.mark.parametrize("use", [NEWS_BY_EMAIL, SERVICE])
def test_a_stop_needs_nothing_but_the_word(ledger: Ledger, use: Use) -> None:
    met(ledger, 1)
    assert recorded(ledger, Verb.STOP, use).events == 1
    person = the_person(ledger)
    states = [permission.state for permission in person.permissions.values()]
    assert set(states) <= {State.WITHDRAWN, State.OBJECTED}
    assert states or person.stops


@pytest.mark.parametrize("use", [EVERYTHING, Use(purpose=ANY_PURPOSE, channel=EMAIL)])
def test_a_wide_stop_is_kept_as_wide_as_it_was_said(ledger: Ledger, use: Use) -> None:
    met(ledger, 1)
    recorded(ledger, Verb.STOP, use)
    (stop,) = the_person(ledger).stops
    assert (stop.purpose, stop.channel) == (use.purpose, use.channel)


@pytest.mark.parametrize(
    ("proof", "approved_by", "trust"),
    [
        (SCAN, None, Trust.VERIFIED_RELAY),
        (SCAN, "anna", Trust.VERIFIED_RELAY),
        (SCAN, "ben", Trust.CONTROLLER_CONTROLLED),
        (SIGNED, "ben", Trust.SUBJECT_DIRECT),
    ],
)
def test_a_grant_is_trusted_by_its_proof_and_by_who_looked_at_it(
    ledger: Ledger, proof: Proof, approved_by: str | None, trust: Trust
) -> None:
    met(ledger, 1)
    recorded(ledger, Verb.GRANT, proof=proof, approved_by=approved_by)
    permission = the_person(ledger).permissions[NEWS_BY_EMAIL]
    assert (permission.state, permission.trust) == (State.GIVEN, trust)


@pytest.mark.parametrize(
    "proof",
    [Proof(), Proof(grade=Grade.A), Proof(grade=Grade.C, ref="a note", notice_id="news-1")],
)
def test_a_grant_without_proof_is_not_recorded(ledger: Ledger, proof: Proof) -> None:
    met(ledger, 1)
    with pytest.raises(ProofMissing):
        recorded(ledger, Verb.GRANT, proof=proof)
    assert the_person(ledger).permissions == {}


def test_only_the_person_lifts_a_stop(ledger: Ledger) -> None:
    met(ledger, 1)
    recorded(ledger, Verb.STOP, happened_at=NOON - timedelta(days=2))
    kept = recorded(ledger, Verb.GRANT, proof=SCAN, approved_by="ben")
    assert list(kept.refused.values()) == ["GRANT_AFTER_STOP_REJECTED"]
    lifted = recorded(
        ledger,
        Verb.GRANT,
        proof=SIGNED,
        approved_by="ben",
        happened_at=NOON - timedelta(hours=1),
    )
    assert lifted.refused == {}
    assert the_person(ledger).permissions[NEWS_BY_EMAIL].state is State.GIVEN


def test_what_a_basis_rests_on_is_recorded_with_it(ledger: Ledger) -> None:
    met(ledger, 1)
    recorded(ledger, Verb.ESTABLISH, SERVICE, condition_ref="C-1")
    person = the_person(ledger)
    assert person.permissions[SERVICE].state is State.IN_FORCE
    assert [(one.kind, one.ref) for one in person.conditions] == [(ConditionKind.CONTRACT, "C-1")]
    recorded(ledger, Verb.END, SERVICE, happened_at=NOON)
    assert the_person(ledger).permissions[SERVICE].state is State.ENDED


def test_a_hold_lasts_until_it_is_released(ledger: Ledger) -> None:
    met(ledger, 1)
    recorded(ledger, Verb.HOLD, EVERYTHING)
    assert the_person(ledger).hold == "OPERATOR_RECORDED"
    recorded(ledger, Verb.RELEASE, EVERYTHING)
    assert the_person(ledger).hold is None


def test_nobody_can_speak_for_a_person_the_ledger_has_not_met(ledger: Ledger) -> None:
    with pytest.raises(PersonUnknown):
        recorded(ledger, Verb.STOP)
