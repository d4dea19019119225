"""`ledger`: what people permitted and stopped, shown and recorded by hand."""

import getpass
from dataclasses import replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any

import typer

from salesforce_bridge import wiring
from salesforce_bridge.cli.shared import AsJson, Exit, given, tell_json, tell_table
from salesforce_bridge.config import Settings
from salesforce_bridge.errors import SkipRecord
from salesforce_bridge.ledger import views
from salesforce_bridge.ledger.store import Tx
from salesforce_bridge.ledger.values import Appended, Deed
from salesforce_bridge.ledger.views import ContactView
from salesforce_bridge.permissions.bases import OBJECTIONABLE, LawfulBasis
from salesforce_bridge.permissions.contact_points import contact_point
from salesforce_bridge.permissions.events import ActorKind, EventKind, PermissionEvent
from salesforce_bridge.permissions.evidence import Grade, Trust
from salesforce_bridge.permissions.keys import (
    ANY_CHANNEL,
    ANY_PURPOSE,
    Channel,
    ContactId,
    OrgId,
    PurposeKey,
    Use,
)
from salesforce_bridge.permissions.policy import Policy
from salesforce_bridge.reconcile.classes import is_marketing
from salesforce_bridge.reconcile.facts import SubjectRecord
from salesforce_bridge.reconcile.telling import Teller, basis_of, event_of
from salesforce_bridge.salesforce.records import long_id

REASON = "OPERATOR_RECORDED"
app = typer.Typer(no_args_is_help=True, add_completion=False)
ContactArgument = Annotated[str, typer.Argument(metavar="CONTACT_ID", help="15 or 18 characters.")]


class Said(StrEnum):
    """What a person said, and an operator records."""

    STOP = "stop"
    GRANT = "grant"


class ContactUnknown(SkipRecord):
    """The ledger has not met that Contact."""


class PointUnclear(SkipRecord):
    """Nobody can tell which address a grant is for."""


class UseUnknown(SkipRecord):
    """The policy has no such purpose or channel."""


@app.callback()
def main() -> None:
    """Import, show and record what people permitted."""


@app.command()
def show(ctx: typer.Context, contact: ContactArgument, as_json: AsJson = False) -> None:
    """Show every event of the person behind a Contact, and what they add up to."""
    settings = given(ctx).settings()
    with wiring.ledger_in_use(settings) as ledger, ledger.reading() as tx:
        found = _found(tx, wiring.org_of(settings, ledger), contact)
    document = _document(found)
    if as_json:
        tell_json(document)
        return
    typer.echo(f"Contact {found.link.contact_id} is person {document['subject_id']}.")
    tell_table(
        ("purpose", "channel", "state", "basis", "since", "reason"),
        (tuple(each.values()) for each in document["permissions"]),
    )
    tell_table(
        ("revision", "happened at", "event", "purpose", "channel", "told by", "reason", "evidence"),
        (tuple(each.values()) for each in document["events"]),
        title="events",
    )


@app.command()
def record(
    ctx: typer.Context,
    said: Annotated[Said, typer.Argument(help="What the person said.")],
    contact: ContactArgument,
    purpose: Annotated[
        str, typer.Option(help="Of the policy; a stop without one is for all marketing.")
    ] = ANY_PURPOSE,
    channel: Annotated[
        str, typer.Option(help="Of the policy; a stop without one is for every channel.")
    ] = ANY_CHANNEL,
    when: Annotated[
        datetime | None, typer.Option(help="When it was said, in UTC; default: now.")
    ] = None,
    evidence: Annotated[
        str | None, typer.Option(help="Where the proof is kept; a grant needs it.")
    ] = None,
    grade: Annotated[str, typer.Option(help="How good the proof is: A, B, C or D.")] = "NONE",
    notice: Annotated[
        str | None, typer.Option(help="The text that was shown, by its id in the policy.")
    ] = None,
    address: Annotated[
        str | None,
        typer.Option(help="The address or number a grant is for, if the Contact has several."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Record what a person told you; the next cycle carries it to Salesforce."""
    settings = given(ctx).settings()
    policy = wiring.load_policy(settings)
    use = _use(said, purpose, channel, policy)
    if grade not in Grade.__members__:
        raise typer.BadParameter("is one of A, B, C, D", param_hint="--grade")
    at, by = wiring.now(), getpass.getuser()
    with wiring.ledger_in_use(settings) as ledger, ledger.begin() as tx:
        found = _found(tx, wiring.org_of(settings, ledger), contact)
        teller = Teller(
            actor=ActorKind.OPERATOR,
            # Without a proof an operator is one more who says so: enough for a stop, not for a grant.
            trust=Trust.VERIFIED_RELAY if evidence else Trust.UNVERIFIED_RELAY,
            ref=by,
        )
        event = replace(
            event_of(
                found.record,
                use,
                _kind(said, found.record, use, policy, at=at),
                reason=REASON,
                happened_at=at if when is None else when.replace(tzinfo=UTC),
                teller=teller,
                policy=policy,
                at=at,
            ),
            evidence_ref=evidence,
            grade=Grade[grade],
            notice_id=notice,
            capture_source="operator",
            point=_point(found, use, policy, settings, address) if said is Said.GRANT else None,
        )
        deed = Deed(verb=said.value.upper(), by=by, reason=REASON)
        appended = tx.append_deed(deed, at=at, policy=policy, events=(event,))
    _tell(event, appended, as_json=as_json)


def _point(
    found: ContactView, use: Use, policy: Policy, settings: Settings, address: str | None
) -> str | None:
    """Name the address a grant is for, where the policy lets it hold for one address only."""
    kind = policy.channels[use.channel].point
    if kind is None or use.channel not in policy.purposes[use.purpose].address_scoped:
        return None
    if address is not None:
        keys = wiring.point_keys(settings, controller=policy.controller)
        given_for = contact_point(kind, address, keys=keys, default_country=policy.default_country)
        return given_for.exact if given_for is not None else None
    points = found.contact.points if found.contact is not None else ()
    exact = {one.exact for one in points if one.type is kind}
    if len(exact) != 1:
        raise PointUnclear(
            f"The Contact has {len(exact)} of what {use.channel} is addressed by; a grant is for one of them.",
            hint="name it with --address",
        )
    return exact.pop()


def _tell(event: PermissionEvent, appended: Appended, *, as_json: bool) -> None:
    refused = appended.refused.get(event.id)
    if as_json:
        tell_json(
            {
                "event_id": event.id,
                "kind": event.kind.value,
                "recorded": appended.events,
                "refused": refused,
            }
        )
    elif refused is not None:
        typer.echo(f"error: recorded, but it changes nothing: {refused}", err=True)
    elif appended.events:
        typer.echo(f"Recorded as {event.kind.value}; the next cycle carries it to Salesforce.")
    else:
        typer.echo("The ledger knew that already.")
    if refused is not None:
        raise typer.Exit(Exit.FAILED)


def _use(said: Said, purpose: str, channel: str, policy: Policy) -> Use:
    known = policy.purposes.get(PurposeKey(purpose))
    narrow = purpose != ANY_PURPOSE
    if said is Said.GRANT and (not narrow or channel == ANY_CHANNEL):
        raise typer.BadParameter("a grant is for one --purpose on one --channel")
    if narrow and channel == ANY_CHANNEL:
        raise typer.BadParameter("with --purpose, name a --channel as well")
    if (narrow and known is None) or (
        channel != ANY_CHANNEL and Channel(channel) not in policy.channels
    ):
        raise UseUnknown(
            f"Policy {policy.version} has no purpose {purpose} on channel {channel}.",
            hint="salesforce-bridge explain CONTACT_ID",
        )
    return Use(purpose=PurposeKey(purpose), channel=Channel(channel))


def _kind(
    said: Said, person: SubjectRecord, use: Use, policy: Policy, *, at: datetime
) -> EventKind:
    if use.purpose == ANY_PURPOSE:
        return EventKind.STOP_MARKETING if use.channel == ANY_CHANNEL else EventKind.STOP_CHANNEL
    basis = basis_of(person, use, policy=policy, at=at)
    if said is Said.GRANT:
        return EventKind.GRANT if basis is LawfulBasis.CONSENT else EventKind.ESTABLISH
    if basis is LawfulBasis.CONSENT:
        return EventKind.WITHDRAW
    if basis in OBJECTIONABLE and not is_marketing(person, use, policy=policy):
        return EventKind.OBJECT_GROUNDS
    return EventKind.OBJECT_MARKETING


def _found(tx: Tx, org_id: OrgId, contact: str) -> ContactView:
    contact_id = ContactId(long_id(contact))
    found = views.contact(tx, org_id, contact_id)
    if found is None:
        raise ContactUnknown(
            f"The ledger has not met Contact {contact_id}.",
            hint="salesforce-bridge run --once, or check the id",
        )
    return found


def _document(found: ContactView) -> dict[str, Any]:
    return {
        "contact_id": found.link.contact_id,
        "subject_id": found.record.subject_id,
        "permissions": [
            {
                "purpose": use.purpose,
                "channel": use.channel,
                "state": each.state.value,
                "basis": each.basis.value,
                "since": each.since.isoformat(),
                "reason": each.reason,
            }
            for use, each in sorted(found.record.permissions.items())
        ],
        "events": [
            {
                "revision": each.revision,
                "happened_at": each.happened_at.isoformat(),
                "kind": each.kind.value,
                "purpose": each.use.purpose,
                "channel": each.use.channel,
                "actor": each.actor.value,
                "reason": each.reason,
                "evidence_ref": each.evidence_ref,
            }
            for each in found.history
        ],
    }
