"""`review correct`: stops that were recorded by mistake, listed first, and taken back by two people on evidence."""

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from salesforce_bridge import wiring
from salesforce_bridge.cli.asking import another, confirmed, given_or_asked
from salesforce_bridge.cli.shared import AsJson, given, operator, tell_json, tell_table
from salesforce_bridge.errors import SkipRecord
from salesforce_bridge.ledger.corrections import Suspect, correct_stops, suspects
from salesforce_bridge.ledger.store import Tx


class NothingToCorrect(SkipRecord):
    """No stop was meant, or each stands for another reason as well."""


def correct(
    ctx: typer.Context,
    event: Annotated[
        list[str] | None,
        typer.Option(help="The id of a stop, as `ledger show --json` has it; several times."),
    ] = None,
    author: Annotated[
        str | None, typer.Option(help="Whose edits they were, with --since and --until.")
    ] = None,
    since: Annotated[datetime | None, typer.Option(help="Edited from then, in UTC.")] = None,
    until: Annotated[datetime | None, typer.Option(help="Edited up to then, in UTC.")] = None,
    approved_by: Annotated[
        str | None, typer.Option(help="Who else has looked at it; without it they are listed.")
    ] = None,
    evidence: Annotated[
        str | None, typer.Option(help="Where the proof of the error is kept.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """List stops that may be errors; with a second person and evidence, take them back. Permits nothing."""
    settings = given(ctx).settings()
    second = None if approved_by is None else another(approved_by)
    proof = None if second is None else given_or_asked(evidence, "evidence", option="--evidence")
    with wiring.ledger_in_use(settings) as ledger:
        with ledger.reading() as tx:
            found = suspects(
                tx, event_ids=event or (), author=author, since=_utc(since), until=_utc(until)
            )
            rows = [_document(tx, each) for each in found]
        wrong = [each.event.id for each in found if each.correctable]
        if second is None or proof is None:
            _tell(rows, corrected=None, as_json=as_json)
            return
        if not wrong:
            raise NothingToCorrect(
                f"None of {len(found)} stops can be corrected: each stands for another reason too.",
                hint="salesforce-bridge review correct, without --approved-by, lists them",
            )
        if not as_json:
            _tell(rows, corrected=None, as_json=False)
        confirmed(f"Take {len(wrong)} stops back as errors?", yes=yes)
        with ledger.begin() as tx:
            appended = correct_stops(
                tx,
                wrong,
                evidence_ref=proof,
                by=operator(),
                approved_by=second,
                at=wiring.now(),
                policy=wiring.policy_in_use(settings, tx).policy,
            )
    _tell(rows, corrected=appended.events, as_json=as_json)


def _utc(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.replace(tzinfo=UTC)


def _document(tx: Tx, suspect: Suspect) -> dict[str, Any]:
    event = suspect.event
    links = tx.subjects([event.subject_id])[event.subject_id].links
    return {
        "event_id": event.id,
        "contact_ids": sorted(link.contact_id for link in links),
        "kind": event.kind.value,
        "purpose": event.use.purpose,
        "channel": event.use.channel,
        "happened_at": event.happened_at.isoformat(),
        "reason": event.reason,
        "told_by": event.actor_ref,
        "source_record": event.source_record,
        "correctable": suspect.correctable,
        "other_stops": list(suspect.others),
    }


def _tell(rows: list[dict[str, Any]], *, corrected: int | None, as_json: bool) -> None:
    if as_json:
        tell_json({"stops": rows, "corrected": corrected or 0})
        return
    if corrected is not None:
        typer.echo(
            f"{corrected} stops are taken back. Nothing is permitted by that; the next cycle writes it."
        )
        return
    if not rows:
        typer.echo("No stop is meant by that.")
        return
    tell_table(
        ("stop", "contacts", "event", "purpose", "channel", "happened at", "told by", "may go"),
        (
            (
                *(each["event_id"], ", ".join(each["contact_ids"]), each["kind"]),
                *(each["purpose"], each["channel"], each["happened_at"], each["told_by"]),
                "yes" if each["correctable"] else f"no: {len(each['other_stops'])} other stops",
            )
            for each in rows
        ),
    )
    typer.echo(
        "hint:  the same with --approved-by LOGIN --evidence REF takes back those that may go",
        err=True,
    )
