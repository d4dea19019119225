from dataclasses import replace
from datetime import timedelta

import pytest

from salesforce_bridge.permissions.events import ActorKind, EventKind
from salesforce_bridge.permissions.evidence import Trust
from salesforce_bridge.permissions.fold import FoldedSubject, fold
from salesforce_bridge.permissions.keys import ANY_CHANNEL, ANY_PURPOSE, Use
from salesforce_bridge.reconcile.classes import is_stopped
from salesforce_bridge.reconcile.telling import Teller, event_of
from tests.unit.reconcile.worlds import NEWS_BY_EMAIL, World, subject_id


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
