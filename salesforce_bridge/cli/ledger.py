"""`ledger`: what people permitted and stopped, shown and recorded by hand."""

from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from salesforce_bridge import wiring
from salesforce_bridge.cli.grants import graded, point_for
from salesforce_bridge.cli.people import ContactArgument, person_of, text_of
from salesforce_bridge.cli.rights_words import case_document
from salesforce_bridge.cli.shared import AsJson, Exit, given, operator, tell_json, tell_table
from salesforce_bridge.errors import SkipRecord
from salesforce_bridge.ledger.import_lines import Frame
from salesforce_bridge.ledger.imports import ImportKind, ImportReport, plan_import, run_import
from salesforce_bridge.ledger.proving import Proof
from salesforce_bridge.ledger.records import (
    Verb,
    Word,
    confirm_link,
    kind_of,
    record_event,
)
from salesforce_bridge.ledger.values import Appended
from salesforce_bridge.ledger.views import ContactView
from salesforce_bridge.permissions.keys import (
    ANY_CHANNEL,
    ANY_PURPOSE,
    Channel,
    PurposeKey,
    Use,
)
from salesforce_bridge.permissions.policy import Policy

app = typer.Typer(no_args_is_help=True, add_completion=False)


class Said(StrEnum):
    """What a person said, or an operator decided, and the ledger is to keep."""

    STOP = "stop"
    GRANT = "grant"
    ESTABLISH = "establish"
    END = "end"
    LIFT = "lift"
    HOLD = "hold"
    RELEASE = "release"


_MAY_BE_WIDE = frozenset({Said.STOP, Said.HOLD, Said.RELEASE})


class FileNotText(SkipRecord):
    """A file that should be CSV in UTF-8 is not."""


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
        found = person_of(tx, wiring.org_of(settings, ledger), contact)
    document = _document(found, at=wiring.now())
    if as_json:
        tell_json(document)
        return
    typer.echo(f"Contact {found.link.contact_id} is person {document['subject_id']}.")
    tell_table(
        ("purpose", "channel", "state", "basis", "since", "reason"),
        (tuple(each.values()) for each in document["permissions"]),
    )
    if document["conditions"]:
        tell_table(
            ("condition", "purpose", "rests on", "from", "until"),
            (tuple(each.values()) for each in document["conditions"]),
        )
    for each in document["rights_cases"]:
        typer.echo(f"rights case {each['case_id']}: {each['asked']}, due {each['due_at']}")
    tell_table(
        ("revision", "happened at", "event", "purpose", "channel", "told by", "reason", "evidence"),
        (tuple(each.values())[:-1] for each in document["events"]),
        title="events",
    )


@app.command()
def record(
    ctx: typer.Context,
    said: Annotated[Said, typer.Argument(help="What the person said, or what you have decided.")],
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
    until: Annotated[datetime | None, typer.Option(help="When it ends, in UTC.")] = None,
    evidence: Annotated[
        str | None, typer.Option(help="Where the proof is kept; a grant needs it.")
    ] = None,
    grade: Annotated[str, typer.Option(help="How good the proof is: A, B, C or D.")] = "NONE",
    by_the_person: Annotated[
        bool, typer.Option(help="The proof is the person's own act: a signed form, a link.")
    ] = False,
    approved_by: Annotated[
        str | None, typer.Option(help="Who else has looked at it; their login.")
    ] = None,
    notice: Annotated[
        str | None, typer.Option(help="The text that was shown, by its id in the policy.")
    ] = None,
    condition: Annotated[
        str | None, typer.Option(help="The contract, duty or task that a basis rests on.")
    ] = None,
    address: Annotated[
        str | None,
        typer.Option(help="The address or number a grant is for, if the Contact has several."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Record what a person told you, or release what was held; the next cycle carries it to Salesforce."""
    settings = given(ctx).settings()
    proven = graded(grade)
    at = wiring.now()
    with wiring.ledger_in_use(settings) as ledger, ledger.begin() as tx:
        policy = wiring.policy_in_use(settings, tx).policy
        use = _use(said, purpose, channel, policy)
        found = person_of(tx, wiring.org_of(settings, ledger), contact)
        held = found.contact.points if found.contact is not None else ()
        scoped = said is Said.GRANT
        word = Word(
            subject_id=found.record.subject_id,
            verb=Verb[said.name],
            use=use,
            happened_at=at if when is None else when.replace(tzinfo=UTC),
            by=operator(),
            approved_by=approved_by,
            proof=Proof(
                grade=proven,
                ref=evidence,
                notice_id=notice,
                point=point_for(use, held, policy, settings, address) if scoped else None,
                by_the_person=by_the_person,
            ),
            effective_to=until.replace(tzinfo=UTC) if until is not None else None,
            condition_ref=condition,
        )
        kind = kind_of(word, found.record, policy, at=at)
        appended = record_event(tx, word, at=at, policy=policy)
    _tell(kind.value, appended, as_json=as_json)


@app.command()
def confirm(ctx: typer.Context, contact: ContactArgument, as_json: AsJson = False) -> None:
    """Confirm that a Contact is the person it was linked to as a candidate."""
    settings = given(ctx).settings()
    with wiring.ledger_in_use(settings) as ledger, ledger.begin() as tx:
        policy = wiring.policy_in_use(settings, tx).policy
        found = person_of(tx, wiring.org_of(settings, ledger), contact)
        appended = confirm_link(tx, found.link, by=operator(), at=wiring.now(), policy=policy)
    _tell("CONFIRMED", appended, as_json=as_json)


@app.command(name="import")
def import_(
    ctx: typer.Context,
    kind: Annotated[ImportKind, typer.Argument(help="What the lines of the file are.")],
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A CSV file.")],
    apply: Annotated[
        bool, typer.Option("--apply", help="Record it; without this nothing is written.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Import permissions or conditions from a CSV file: first dry, then all of it or nothing."""
    settings = given(ctx).settings()
    text = _text_of(file)
    with wiring.ledger_in_use(settings) as ledger:
        with ledger.reading() as tx:
            in_use = wiring.policy_in_use(settings, tx)
        policy = in_use.policy
        frame = Frame(
            org_id=wiring.org_of(settings, ledger),
            policy=policy,
            keys=wiring.point_keys(settings, controller=policy.controller),
            at=wiring.now(),
            by=operator(),
        )
        with ledger.begin() if apply else ledger.reading() as tx:
            plan = plan_import(tx, text, kind, frame)
            if apply and not plan.report.problems:
                # Perhaps no bridge has run yet: by another policy than this one nobody could tell what was meant.
                tx.keep_policy(policy, in_use.text, at=frame.at)
                run_import(tx, plan)
    _tell_import(plan.report, applied=apply, as_json=as_json)


def _text_of(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise FileNotText(
            f"{file.name} is not text in UTF-8: byte {error.start} cannot be read.",
            hint="save it as CSV in UTF-8 and try again; nothing was imported",
        ) from error


def _tell_import(report: ImportReport, *, applied: bool, as_json: bool) -> None:
    done = applied and not report.problems
    if as_json:
        tell_json(
            {
                "applied": done,
                "lines": report.lines,
                "new_people": report.new_people,
                "recorded": dict(report.recorded),
                "already_known": report.already_known,
                "problems": [
                    {"line": each.line, "column": each.column, "what": each.what}
                    for each in report.problems
                ],
            }
        )
    else:
        tell_table(
            ("what is new", "number"),
            (
                *sorted(report.recorded.items()),
                ("people the ledger had not met", report.new_people),
                ("known already", report.already_known),
            ),
            title=f"{report.lines} lines, {'imported' if done else 'nothing written'}",
        )
        tell_table(
            ("line", "column", "problem"),
            ((each.line, each.column, each.what) for each in report.problems),
        ) if report.problems else None
    if report.problems:
        typer.echo(
            f"error: {len(report.problems)} problems; nothing of the file was imported", err=True
        )
        raise typer.Exit(Exit.FAILED)
    if not applied:
        typer.echo("hint:  the same with --apply records it", err=True)


def _tell(kind: str, appended: Appended, *, as_json: bool) -> None:
    refused = next(iter(appended.refused.values()), None)
    if as_json:
        tell_json({"kind": kind, "recorded": appended.events, "refused": refused})
    elif refused is not None:
        typer.echo(f"error: recorded, but it changes nothing: {refused}", err=True)
    else:
        typer.echo(f"Recorded as {kind}; the next cycle carries it to Salesforce.")
    if refused is not None:
        raise typer.Exit(Exit.FAILED)


def _use(said: Said, purpose: str, channel: str, policy: Policy) -> Use:
    known = policy.purposes.get(PurposeKey(purpose))
    narrow = purpose != ANY_PURPOSE
    if said not in _MAY_BE_WIDE and (not narrow or channel == ANY_CHANNEL):
        raise typer.BadParameter(f"a {said.value} is for one --purpose on one --channel")
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


def _document(found: ContactView, *, at: datetime) -> dict[str, Any]:
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
        "conditions": [
            {
                "kind": each.kind.value,
                "purpose": each.purpose,
                "ref": each.ref,
                "valid_from": each.valid_from.isoformat(),
                "valid_to": text_of(each.valid_to),
            }
            for each in found.record.conditions
        ],
        "rights_cases": [case_document(each, at=at) for each in found.record.cases],
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
                "event_id": each.id,
            }
            for each in found.history
        ],
    }
