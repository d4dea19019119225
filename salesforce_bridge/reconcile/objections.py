"""Objections: in which words the ledger is told of a no, and whether it has heard that no already."""

from collections.abc import Iterator
from datetime import datetime

from salesforce_bridge.permissions.bases import OBJECTIONABLE, LawfulBasis
from salesforce_bridge.permissions.events import EventKind
from salesforce_bridge.permissions.keys import ANY_PURPOSE, Channel, Use
from salesforce_bridge.permissions.policy import Policy
from salesforce_bridge.permissions.stops import EVERYTHING, covers
from salesforce_bridge.reconcile.classes import is_marketing
from salesforce_bridge.reconcile.facts import SubjectRecord
from salesforce_bridge.reconcile.telling import basis_of


def words_of_stop(
    record: SubjectRecord,
    use: Use,
    *,
    objects: bool,
    channel: Channel | None,
    policy: Policy,
    at: datetime,
) -> Iterator[tuple[EventKind, Use]]:
    """Say in the words of the basis what a person said no to; a flag closes a whole channel."""
    if channel is not None:
        yield EventKind.STOP_CHANNEL, Use(purpose=ANY_PURPOSE, channel=channel)
        return
    if use.purpose == ANY_PURPOSE:
        yield EventKind.STOP_MARKETING, EVERYTHING
        return
    marketing = is_marketing(record, use, policy=policy)
    basis = basis_of(record, use, policy=policy, at=at)
    if objects and marketing:
        # Art. 21(2): who objects to direct marketing objects to all of it.
        yield EventKind.STOP_MARKETING, EVERYTHING
    if basis is LawfulBasis.CONSENT:
        yield EventKind.WITHDRAW, use
    elif marketing:
        yield EventKind.OBJECT_MARKETING, use
    elif basis in OBJECTIONABLE:
        yield EventKind.OBJECT_GROUNDS, use
    else:
        yield EventKind.STOP_MARKETING, EVERYTHING


def is_told(
    record: SubjectRecord, use: Use, *, objects: bool, policy: Policy, at: datetime
) -> bool:
    """Say whether the ledger ever heard from the person what a request would tell it."""
    if record.erased or any(each.after_erasure for each in record.suppressions):
        # Nothing more is remembered of an erased person than that nobody may write to them.
        return True
    words = words_of_stop(record, use, objects=objects, channel=None, policy=policy, at=at)
    return all(_heard(record, said, policy=policy) for _, said in words)


def _heard(record: SubjectRecord, use: Use, *, policy: Policy) -> bool:
    permission = record.permissions.get(use)
    if permission is not None and permission.own and permission.stopped_at is not None:
        return True
    marketing = is_marketing(record, use, policy=policy)
    return any(stop.own and covers(stop, use, marketing=marketing) for stop in record.stops)
