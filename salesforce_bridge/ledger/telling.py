"""What operators tell the ledger: their words as events, appended and sealed in one go."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from salesforce_bridge.errors import SkipRecord
from salesforce_bridge.ledger import deeds
from salesforce_bridge.ledger.deeds import Facts
from salesforce_bridge.ledger.faults import SecondPersonMissing
from salesforce_bridge.ledger.picture import Picture
from salesforce_bridge.ledger.values import Appended, Deed
from salesforce_bridge.permissions.bases import OBJECTIONABLE, LawfulBasis
from salesforce_bridge.permissions.events import ActorKind, EventKind, PermissionEvent
from salesforce_bridge.permissions.evidence import Trust
from salesforce_bridge.permissions.keys import ANY_CHANNEL, ANY_PURPOSE, SubjectId, Use
from salesforce_bridge.permissions.policy import Policy
from salesforce_bridge.reconcile.classes import is_marketing
from salesforce_bridge.reconcile.facts import SubjectRecord
from salesforce_bridge.reconcile.telling import Teller, basis_of, event_of


class PersonUnknown(SkipRecord):
    """The ledger has not met that person."""


def person(tx: Picture, subject_id: SubjectId) -> SubjectRecord:
    """Everything about a person whom the ledger must have met."""
    record = tx.subjects([subject_id]).get(subject_id)
    if record is None:
        raise PersonUnknown(
            f"the ledger has not met person {subject_id}", hint="salesforce-bridge ledger show"
        )
    return record


def two_people(by: str, approved_by: str | None, *, what: str) -> str:
    """Insist on a second person, and name them."""
    if not approved_by or approved_by.strip().casefold() == by.strip().casefold():
        raise SecondPersonMissing(
            f"{what} takes two different people", hint="name the second one with --approved-by"
        )
    return approved_by


def stop_kind(record: SubjectRecord, use: Use, *, policy: Policy, at: datetime) -> EventKind:
    """Say in the words of the permission's own basis that somebody says no."""
    if use.purpose == ANY_PURPOSE:
        wide = use.channel == ANY_CHANNEL
        return EventKind.STOP_MARKETING if wide else EventKind.STOP_CHANNEL
    basis = basis_of(record, use, policy=policy, at=at)
    if basis is LawfulBasis.CONSENT:
        return EventKind.WITHDRAW
    if basis in OBJECTIONABLE and not is_marketing(record, use, policy=policy):
        return EventKind.OBJECT_GROUNDS
    return EventKind.OBJECT_MARKETING


def said_by_operator(
    record: SubjectRecord,
    use: Use,
    kind: EventKind,
    *,
    reason: str,
    happened_at: datetime,
    by: str,
    at: datetime,
    policy: Policy,
    trust: Trust = Trust.CONTROLLER_CONTROLLED,
    source_record: str | None = None,
    **more: Any,
) -> PermissionEvent:
    """Make the event of what an operator records."""
    event = event_of(
        record,
        use,
        kind,
        reason=reason,
        happened_at=happened_at,
        teller=Teller(actor=ActorKind.OPERATOR, trust=trust, ref=by, record=source_record),
        policy=policy,
        at=at,
    )
    return replace(event, **{"capture_source": "operator", **more})


def append(tx: Picture, deed: Deed, facts: Facts, *, at: datetime, policy: Policy) -> Appended:
    """Append and seal."""
    return deeds.append_deed(tx.connection, deed, facts, at=at, policy=policy, nonces=tx.nonces)


def refusals(appended: Appended) -> Sequence[str]:
    """The codes for which the ledger kept events without following them."""
    return sorted(set(appended.refused.values()))
