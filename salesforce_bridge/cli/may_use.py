"""`may-use`: one live question before a message goes out, answered with every reason against it."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Annotated, Any

import typer

from salesforce_bridge import wiring
from salesforce_bridge.cli.gate_words import OBSTACLES, said
from salesforce_bridge.cli.people import ContactArgument, person_of, text_of
from salesforce_bridge.cli.shared import AsJson, Exit, given, operator, tell_json, tell_table
from salesforce_bridge.config import Settings
from salesforce_bridge.errors import SkipRecord
from salesforce_bridge.ledger.store import Tx
from salesforce_bridge.ledger.values import Usage
from salesforce_bridge.ledger.views import ContactView
from salesforce_bridge.permissions.bundle import Category, Policy
from salesforce_bridge.permissions.contact_points import ContactPoint, under_every_key
from salesforce_bridge.permissions.gates import Answer, Verdict, may_use
from salesforce_bridge.permissions.keys import Channel, PurposeKey, Use
from salesforce_bridge.permissions.stop_matrix import Obstacle

NEVER = timedelta.max  # how long ago both sides were compared, if they never were
app = typer.Typer(add_completion=False)


class AddressUnreadable(SkipRecord):
    """What was given cannot be what the channel is addressed by."""


@app.command("may-use")
def may_use_(
    ctx: typer.Context,
    contact: ContactArgument,
    purpose: Annotated[str, typer.Argument(metavar="PURPOSE", help="As the policy names it.")],
    channel: Annotated[str, typer.Argument(metavar="CHANNEL", help="As the policy names it.")],
    category: Annotated[
        Category | None,
        typer.Option(
            case_sensitive=False,
            help="What kind of message it is; default: the purpose's. Marketing stays marketing.",
        ),
    ] = None,
    address: Annotated[
        str | None,
        typer.Option(help="The address or number it goes to; default: those of the Contact."),
    ] = None,
    record_use: Annotated[
        bool,
        typer.Option("--record-use", help="Record that it is used now, if it may be."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Answer whether a Contact may be used for a purpose on a channel, now. Exit code 0: ALLOW; 1: HOLD or DENY."""
    settings = given(ctx).settings()
    use = Use(purpose=PurposeKey(purpose), channel=Channel(channel))
    at = wiring.now()
    with (
        wiring.ledger_in_use(settings) as ledger,
        ledger.begin() if record_use else ledger.reading() as tx,
    ):
        policy = wiring.policy_in_use(settings, tx).policy
        org_id = wiring.org_of(settings, ledger)
        found = person_of(tx, org_id, contact, entries=0)
        kind = category or category_of(use, policy)
        clean_at = tx.last_clean_at(org_id)
        asked = _at_address(tx, found, _points(address, use, policy, settings))
        answer = may_use(
            asked.record,
            use,
            policy=policy,
            at=at,
            category=kind,
            link_state=asked.link.state,
            points=points_of(asked),
            staleness=NEVER if clean_at is None else at - clean_at,
            max_staleness=settings.daemon.max_staleness,
        )
        recorded = record_use and answer.verdict is Verdict.ALLOW
        if recorded:
            used = Usage(
                subject_id=found.record.subject_id,
                use=use,
                category=kind.value,
                answer=answer.reason,
                revision=found.record.revision,
            )
            tx.record_usage([used], by=operator(), at=at, policy=policy)
    document = _document(asked, use, kind, answer) | {
        "at": text_of(at),
        "compared_at": text_of(clean_at),
        "policy_version": policy.version,
        "recorded": recorded,
        "unknown": _unknown(use, policy),
    }
    if as_json:
        tell_json(document)
    else:
        _tell(document, at=at)
    if answer.verdict is not Verdict.ALLOW:
        raise typer.Exit(Exit.FAILED)


def category_of(use: Use, policy: Policy) -> Category:
    """What kind of message a purpose sends; one that nobody knows counts as marketing."""
    purpose = policy.purposes.get(use.purpose)
    return Category.MARKETING if purpose is None else purpose.category


def _unknown(use: Use, policy: Policy) -> str | None:
    """Say what the policy does not know of a question, and what it knows: it may only be misspelt."""
    purpose = policy.purposes.get(use.purpose)
    if purpose is None:
        return f"no purpose {use.purpose}; it knows {', '.join(policy.purposes)}"
    if use.channel not in purpose.channels:
        return f"no channel {use.channel} for it; it knows {', '.join(purpose.channels)}"
    return None


def points_of(found: ContactView) -> tuple[ContactPoint, ...]:
    """What the Contact is addressed by, also under keys that are being replaced."""
    contact = found.contact
    return () if contact is None else (*contact.points, *contact.older)


def _points(
    address: str | None, use: Use, policy: Policy, settings: Settings
) -> tuple[ContactPoint, ...] | None:
    """The fingerprints of what was typed; None: ask for all the Contact has."""
    if address is None:
        return None
    channel = policy.channels.get(use.channel)
    kind = channel.point if channel is not None else None
    keys = wiring.point_keys(settings, controller=policy.controller)
    points = (
        ()
        if kind is None
        else under_every_key(kind, address, keys=keys, default_country=policy.default_country)
    )
    if not any(each.exact for each in points):
        raise AddressUnreadable(
            f"What --address gives cannot be read as what {use.channel} is addressed by.",
            hint="give one whole address, or a number with its country code",
        )
    return points


def _at_address(tx: Tx, found: ContactView, points: tuple[ContactPoint, ...] | None) -> ContactView:
    """Ask about one address only, with what is suppressed about it."""
    if points is None or found.contact is None:
        return found
    silent = tx.suppressions({each.hmac for each in points})
    record = replace(
        found.record, suppressions=tuple(sorted({*found.record.suppressions, *silent}))
    )
    return replace(found, record=record, contact=replace(found.contact, points=points, older=()))


def _document(found: ContactView, use: Use, category: Category, answer: Answer) -> dict[str, Any]:
    return {
        "contact_id": found.link.contact_id,
        "purpose": use.purpose,
        "channel": use.channel,
        "category": category.value,
        "verdict": answer.verdict.name,
        "reason": answer.reason,
        "sentence": said(answer.reason),
        "failed": [
            {
                "gate": each.gate,
                "verdict": each.verdict.name,
                "reason": each.reason,
                "sentence": said(each.reason),
            }
            for each in answer.failed
        ],
        "warnings": [
            {"stop": each, "sentence": OBSTACLES[Obstacle(each)]} for each in answer.warnings
        ],
    }


def _tell(document: dict[str, Any], *, at: datetime) -> None:
    typer.echo(f"{document['verdict']}  {document['reason']}: {document['sentence']}")
    if document["failed"]:
        tell_table(
            ("gate", "says", "because", "in words"),
            (tuple(each.values()) for each in document["failed"]),
        )
    if document["unknown"] is not None:
        typer.echo(f"The policy knows {document['unknown']}.")
    for each in document["warnings"]:
        typer.echo(f"but know: {each['sentence']} ({each['stop']})")
    compared_at = document["compared_at"]
    if compared_at is None:
        typer.echo("Both sides were never compared; marketing waits until they are.")
    else:
        age = round((at - datetime.fromisoformat(compared_at)).total_seconds())
        typer.echo(f"Both sides were compared {age} s ago, policy {document['policy_version']}.")
    if document["recorded"]:
        typer.echo("This use is recorded.")
