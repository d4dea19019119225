from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from salesforce_bridge.permissions.bases import LawfulBasis
from salesforce_bridge.permissions.events import ActorKind, EventKind
from salesforce_bridge.permissions.evidence import Grade, Trust
from salesforce_bridge.permissions.fold import FoldedSubject, Permission, fold
from salesforce_bridge.permissions.keys import ANY_CHANNEL, ANY_PURPOSE, Use
from salesforce_bridge.permissions.states import State
from salesforce_bridge.reconcile.classes import is_stopped
from salesforce_bridge.reconcile.telling import BRIDGE, Teller, event_of
from tests.unit.reconcile.sightings import POLICY, a_person
from tests.unit.reconcile.worlds import EVERYTHING, NEWS_BY_EMAIL, NOON, OFFERS, World, subject_id


@pytest.mark.parametrize("kind", [EventKind.STOP_MARKETING, EventKind.STOP_CHANNEL])
def test_a_wide_stop_that_is_news_stands_over_an_earlier_told_yes(kind: EventKind) -> None:
    world = World()
    world.meet(1)
    world.tell(EventKind.GRANT, trust=Trust.SUBJECT_DIRECT)
    world.settle()
    record = world.records[subject_id(1)]
    yes_at = record.permissions[NEWS_BY_EMAIL].lifted_at
    assert yes_at is not None
    channel = NEWS_BY_EMAIL.channel if kind is EventKind.STOP_CHANNEL else ANY_CHANNEL
    event = event_of(
        record,
        Use(purpose=ANY_PURPOSE, channel=channel),
        kind,
        reason="IMPORTED",
        happened_at=yes_at - timedelta(days=10),
        teller=Teller(actor=ActorKind.IMPORT, trust=Trust.UNVERIFIED_RELAY),
        policy=world.policy,
        at=world.at,
    )
    onto = FoldedSubject(permissions=record.permissions, stops=record.stops, hold=record.hold)
    folded = fold((event,), policy=world.policy, onto=onto)
    after = replace(record, permissions=folded.permissions, stops=folded.stops)
    assert is_stopped(after, NEWS_BY_EMAIL, policy=world.policy, at=world.at)


PROOF: dict[str, Any] = {
    "effective_from": NOON - timedelta(days=9),
    "effective_to": NOON + timedelta(days=9),
    "capture_source": "WEB_FORM",
    "evidence_ref": "letter 7",
    "notice_id": "consent-en-1",
    "point": "address-1",
    "condition_ref": "contract-1",
    "trust": Trust.SUBJECT_DIRECT,
    "grade": Grade.A,
    "basis": LawfulBasis.LEGITIMATE_INTEREST,
    "marketing": False,
}
NO_PROOF: dict[str, Any] = {
    **dict.fromkeys(PROOF),
    "trust": Trust.MACHINE,
    "grade": Grade.NONE,
    "basis": LawfulBasis.CONSENT,
    "marketing": True,
}


@pytest.mark.parametrize(("proven", "told"), [(True, PROOF), (False, NO_PROOF)])
def test_what_was_proven_to_somebody_else_is_told_with_all_that_proved_it_or_with_nothing(
    proven: bool, told: dict[str, Any]
) -> None:
    said = Permission(
        use=NEWS_BY_EMAIL, state=State.IN_FORCE, revision=1, reason="TOLD", since=NOON, **PROOF
    )
    event = event_of(
        a_person(),
        NEWS_BY_EMAIL,
        EventKind.GRANT,
        reason="MERGED",
        happened_at=NOON,
        teller=BRIDGE,
        policy=POLICY,
        at=NOON,
        after=said if proven else None,
    )
    assert {name: getattr(event, name) for name in told} == told


@pytest.mark.parametrize(("use", "version"), [(NEWS_BY_EMAIL, 7), (EVERYTHING, 0), (OFFERS, 0)])
def test_an_event_names_the_version_of_its_purpose_if_there_is_one(use: Use, version: int) -> None:
    news = replace(POLICY.purposes[NEWS_BY_EMAIL.purpose], version=7)
    policy = replace(POLICY, purposes={**POLICY.purposes, news.key: news})
    event = event_of(
        a_person(),
        use,
        EventKind.HOLD,
        reason="LOOKED_AT",
        happened_at=NOON,
        teller=BRIDGE,
        policy=policy,
        at=NOON,
    )
    assert event.purpose_version == version
