"""`explain`: why a Contact shows what it shows, from the ledger alone."""

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any

import typer

from salesforce_bridge import wiring
from salesforce_bridge.cli.shared import AsJson, given, tell_json, tell_table
from salesforce_bridge.errors import SkipRecord
from salesforce_bridge.ledger import views
from salesforce_bridge.ledger.views import ContactView, SealedEntry
from salesforce_bridge.permissions.gates import Answer, may_use
from salesforce_bridge.permissions.keys import ContactId, Use
from salesforce_bridge.permissions.policy import Policy, visible_uses
from salesforce_bridge.salesforce.records import long_id

app = typer.Typer(add_completion=False)


class ContactUnknown(SkipRecord):
    """The ledger has not met that Contact."""


@app.command()
def explain(
    ctx: typer.Context,
    contact: Annotated[str, typer.Argument(metavar="CONTACT_ID", help="15 or 18 characters.")],
    entries: Annotated[int, typer.Option(help="How many of the latest decisions to show.")] = 10,
    as_json: AsJson = False,
) -> None:
    """Say why a Contact shows what it shows."""
    settings = given(ctx).settings()
    policy = wiring.load_policy(settings)
    contact_id = ContactId(long_id(contact))
    with wiring.ledger_in_use(settings) as ledger, ledger.reading() as tx:
        found = views.contact(tx, wiring.org_of(settings, ledger), contact_id, entries=entries)
    if found is None:
        raise ContactUnknown(
            f"The ledger has not met Contact {contact_id}.",
            hint="salesforce-bridge plan, or check the id",
        )
    document = explained(found, policy, at=wiring.now())
    if as_json:
        tell_json(document)
    else:
        _tell(document)


def explained(found: ContactView, policy: Policy, *, at: datetime) -> dict[str, Any]:
    """One Contact, as a person asks about it: may we, why, and what happened."""
    record = found.record
    return {
        "contact_id": found.link.contact_id,
        "subject_id": record.subject_id,
        "link": found.link.state,
        "jurisdiction": record.jurisdiction,
        "uses": [_answered(found, use, policy, at=at) for use in _uses(found, policy)],
        "stops": [
            {
                "kind": each.kind.value,
                "purpose": each.purpose,
                "channel": each.channel,
                "since": each.since.isoformat(),
            }
            for each in record.stops
        ],
        "waiting": [
            {"purpose": each.use.purpose, "channel": each.use.channel, "reason": each.reason}
            for each in record.candidates
            if each.open
        ],
        "decisions": [_decision(each) for each in found.entries],
    }


def _uses(found: ContactView, policy: Policy) -> Iterator[Use]:
    yield from sorted({*visible_uses(policy), *found.record.permissions})


def _answered(found: ContactView, use: Use, policy: Policy, *, at: datetime) -> dict[str, Any]:
    record, purpose = found.record, policy.purposes.get(use.purpose)
    permission = record.permissions.get(use)
    answer: Answer | None = None
    if purpose is not None:
        answer = may_use(
            permission=permission,
            stops=record.stops,
            conditions=record.conditions,
            use=use,
            policy=policy,
            at=at,
            category=purpose.category,
            link_state=found.link.state,
            points=found.contact.points if found.contact is not None else (),
            jurisdiction=record.jurisdiction,
            subject_class=record.subject_class,
            hold=record.hold,
        )
    return {
        "purpose": use.purpose,
        "channel": use.channel,
        "state": permission.state.value if permission is not None else None,
        "basis": permission.basis.value if permission is not None else None,
        "since": permission.since.isoformat() if permission is not None else None,
        "evidence_ref": permission.evidence_ref if permission is not None else None,
        "verdict": answer.verdict.name if answer is not None else "DENY",
        "reason": answer.reason if answer is not None else "DENY_PURPOSE_UNKNOWN",
        "failed_gates": [f"{each.gate} {each.reason}" for each in answer.failed] if answer else [],
    }


def _decision(entry: SealedEntry) -> dict[str, Any]:
    payload = entry.payload or {}
    return {
        "seq": entry.seq,
        "kind": entry.kind,
        "ref": entry.ref,
        "at": entry.header.get("at"),
        "reason": entry.header.get("reason") or entry.header.get("result"),
        "explanation": payload.get("explanation"),
    }


def _tell(document: dict[str, Any]) -> None:
    typer.echo(
        f"Contact {document['contact_id']} is person {document['subject_id']} ({document['link'].lower()})."
    )
    tell_table(
        ("purpose", "channel", "may we", "because", "state", "basis", "since"),
        (
            (
                each["purpose"],
                each["channel"],
                each["verdict"],
                each["reason"],
                each["state"],
                each["basis"],
                each["since"],
            )
            for each in document["uses"]
        ),
    )
    for each in document["stops"]:
        typer.echo(
            f"stop: {each['kind']} {each['purpose']}/{each['channel']} since {each['since']}"
        )
    for each in document["waiting"]:
        typer.echo(f"waiting for a person: {each['purpose']}/{each['channel']} ({each['reason']})")
    if document["decisions"]:
        tell_table(
            ("seq", "at", "reason", "in words"),
            (
                (each["seq"], each["at"], each["reason"], each["explanation"])
                for each in document["decisions"]
            ),
            title="latest entries of the audit",
        )
