"""Telling the ledger: how a decision becomes a permission event."""

from dataclasses import dataclass
from datetime import datetime

from salesforce_bridge.permissions.bases import LawfulBasis
from salesforce_bridge.permissions.events import STOPS, ActorKind, EventKind, PermissionEvent
from salesforce_bridge.permissions.evidence import Grade, Trust
from salesforce_bridge.permissions.keys import ANY_PURPOSE, Use
from salesforce_bridge.permissions.permission import Permission
from salesforce_bridge.permissions.policy import Policy, basis_for
from salesforce_bridge.reconcile.classes import is_marketing
from salesforce_bridge.reconcile.facts import SubjectRecord
from salesforce_bridge.reconcile.identity import stable_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Teller:
    """Who told us, and by which record."""

    actor: ActorKind
    trust: Trust
    ref: str | None = None
    record: str | None = None
    stamp: datetime | None = None


CLOCK = Teller(actor=ActorKind.CLOCK, trust=Trust.MACHINE)
BRIDGE = Teller(actor=ActorKind.BRIDGE, trust=Trust.MACHINE)


def event_of(
    record: SubjectRecord,
    use: Use,
    kind: EventKind,
    *,
    reason: str,
    happened_at: datetime,
    teller: Teller,
    policy: Policy,
    at: datetime,
    own: bool = True,
    after: Permission | None = None,
) -> PermissionEvent:
    """Make one event about one person; `after` is a permission elsewhere whose proof comes along."""
    purpose = policy.purposes.get(use.purpose)
    wide = kind in STOPS and use.purpose == ANY_PURPOSE
    return PermissionEvent(
        id=stable_id(
            "event",
            record.subject_id,
            use.purpose,
            use.channel,
            kind,
            happened_at.isoformat(),
            teller.record,
        ),
        subject_id=record.subject_id,
        controller=policy.controller,
        use=use,
        kind=kind,
        basis=basis_of(record, use, policy=policy, at=at) if after is None else after.basis,
        happened_at=not_before_a_yes(record, happened_at) if wide else happened_at,
        actor=teller.actor,
        actor_ref=teller.ref,
        trust=teller.trust if after is None else after.trust,
        grade=Grade.NONE if after is None else after.grade,
        reason=reason,
        purpose_version=purpose.version if purpose is not None else 0,
        policy_version=policy.version,
        marketing=is_marketing(record, use, policy=policy) if after is None else after.marketing,
        own=own,
        effective_from=after.effective_from if after is not None else None,
        effective_to=after.effective_to if after is not None else None,
        capture_source=after.capture_source if after is not None else None,
        evidence_ref=after.evidence_ref if after is not None else None,
        notice_id=after.notice_id if after is not None else None,
        point=after.point if after is not None else None,
        condition_ref=after.condition_ref if after is not None else None,
        source_record=teller.record,
        source_stamp=teller.stamp,
        recorded_at=at,
    )


def not_before_a_yes(record: SubjectRecord, told_at: datetime) -> datetime:
    """Date a wide stop that is news to the ledger: clocks differ, and doubt about a stop is a stop, so it
    is never older than a yes the ledger already holds."""
    lifted = (each.lifted_at for each in record.permissions.values() if each.lifted_at is not None)
    return max((told_at, *lifted))


def basis_of(record: SubjectRecord, use: Use, *, policy: Policy, at: datetime) -> LawfulBasis:
    """Name the basis a use rests on for a person: as it is held, else as the policy assigns it."""
    held = record.permissions.get(use)
    if held is not None:
        return held.basis
    assigned = basis_for(policy, use.purpose, record.jurisdiction, record.subject_class, at=at)
    return assigned or LawfulBasis.CONSENT
