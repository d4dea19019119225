"""Words for acts: how what was found on a record is told to the ledger as an event."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from salesforce_bridge.permissions.events import ActorKind, EventKind, PermissionEvent
from salesforce_bridge.permissions.evidence import Trust
from salesforce_bridge.permissions.keys import Use
from salesforce_bridge.reconcile.bench import Bench
from salesforce_bridge.reconcile.facts import SubjectRecord
from salesforce_bridge.reconcile.findings import Finding
from salesforce_bridge.reconcile.identity import stable_id
from salesforce_bridge.reconcile.objections import words_of_stop
from salesforce_bridge.reconcile.reasons import Reason
from salesforce_bridge.reconcile.telling import Teller, event_of

POLICY = Teller(actor=ActorKind.POLICY, trust=Trust.MACHINE)


def tell(
    bench: Bench,
    finding: Finding,
    reason: Reason,
    kind: EventKind,
    *,
    use: Use | None = None,
    teller: Teller | None = None,
) -> Iterator[str]:
    """Append one event about the person of a finding; give its id."""
    event = event_of(
        bench.record_of(finding.contact_id),
        use or finding.use,
        kind,
        reason=reason.code,
        happened_at=happened_at(bench, finding),
        teller=teller or teller_of(finding),
        policy=bench.policy,
        at=bench.at,
    )
    bench.append(event)
    yield event.id


def tell_by_policy(
    bench: Bench, record: SubjectRecord, use: Use, kind: EventKind, *, reason: str, about: str = ""
) -> PermissionEvent:
    """Make an event that a new bundle brings about: the same one, whenever it is judged."""
    event = event_of(
        record,
        use,
        kind,
        reason=reason,
        happened_at=bench.at,
        teller=POLICY,
        policy=bench.policy,
        at=bench.at,
    )
    told = stable_id(
        "event", record.subject_id, use.purpose, use.channel, kind, bench.policy.digest, about
    )
    return replace(event, id=told)


def words_of(
    bench: Bench, record: SubjectRecord, finding: Finding
) -> Iterator[tuple[EventKind, Use]]:
    """Say in the words of the basis what a person said no to."""
    return words_of_stop(
        record,
        finding.use,
        objects=finding.objects,
        channel=finding.channel,
        policy=bench.policy,
        at=bench.at,
    )


def happened_at(bench: Bench, finding: Finding) -> datetime:
    """Date what was found: it counts from when it was seen to be there, and never from the future."""
    return min(finding.stamp, bench.at) if finding.stamp is not None else bench.at


def teller_of(finding: Finding) -> Teller:
    """Name who changed the record: whoever that is only relays what a person said."""
    return Teller(
        actor=ActorKind.CRM_USER,
        trust=Trust.UNVERIFIED_RELAY,
        ref=finding.actor,
        record=finding.row_id or finding.contact_id,
        stamp=finding.stamp,
    )
