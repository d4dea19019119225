"""`rights`: what people asked for by right, until when they are answered, and how a case ends."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from salesforce_bridge import wiring
from salesforce_bridge.cli import rights_closing, rights_lifting
from salesforce_bridge.cli.people import ContactArgument, person_of
from salesforce_bridge.cli.rights_found import CaseArgument, case_named, told, worth_of
from salesforce_bridge.cli.rights_words import ASKED, ENDINGS, WORTH
from salesforce_bridge.cli.shared import AsJson, given, operator, tell_json, tell_table
from salesforce_bridge.ledger.cases import new_case
from salesforce_bridge.ledger.portability import portable_copy
from salesforce_bridge.permissions.keys import ANY_PURPOSE, PurposeKey
from salesforce_bridge.permissions.rights import CaseKind, Worth

app = typer.Typer(no_args_is_help=True, add_completion=False)


@app.callback()
def main() -> None:
    """Answer what people asked for by right, in time."""


@app.command(name="list")
def list_(
    ctx: typer.Context,
    closed: Annotated[bool, typer.Option("--all", help="Cases that are closed as well.")] = False,
    kind: Annotated[CaseKind | None, typer.Option(case_sensitive=False)] = None,
    limit: Annotated[int, typer.Option("-n", min=1, help="How many at most.")] = 100,
    as_json: AsJson = False,
) -> None:
    """List the cases, those first whose answer is owed the soonest."""
    settings, at = given(ctx).settings(), wiring.now()
    with wiring.ledger_in_use(settings) as ledger, ledger.reading() as tx:
        found = tx.cases(kind=kind, waiting=None if closed else True, limit=limit)
        rows = [told(tx, each, at=at) for each in found]
    if as_json:
        tell_json(rows)
        return
    if not rows:
        typer.echo("Nobody waits for an answer.")
        return
    tell_table(
        ("case", "contacts", "kind", "asks", "state", "received", "due", ""),
        (
            (
                *(each["case_id"], ", ".join(each["contact_ids"]), each["kind"], each["asked"]),
                *(each["state"], each["received_at"], each["due_at"], _mark(each)),
            )
            for each in rows
        ),
    )


@app.command()
def show(ctx: typer.Context, case: CaseArgument, as_json: AsJson = False) -> None:
    """Show one case, what the law grants the person, and how it may end."""
    settings, at = given(ctx).settings(), wiring.now()
    with wiring.ledger_in_use(settings) as ledger, ledger.reading() as tx:
        found = case_named(tx, case)
        policy = wiring.policy_in_use(settings, tx).policy
        document = told(tx, found, at=at) | {
            "entitled_to": worth_of(tx, found, policy=policy, at=at),
            "endings": [
                {"state": e.state.value, "means": e.means, "second_person": e.second_person}
                for e in ENDINGS[found.kind]
            ],
        }
    if as_json:
        tell_json(document)
        return
    tables = ("entitled_to", "endings")
    plain = {name: value for name, value in document.items() if name not in tables}
    plain["contact_ids"] = ", ".join(document["contact_ids"])
    tell_table(("", ""), ((name.replace("_", " "), value) for name, value in plain.items()))
    tell_table(
        ("purpose", "rests on", "the right is", "article", "which means"),
        (
            (e["purpose"], e["lawful_basis"], WORTH[Worth(e["worth"])], e["article"], e["sentence"])
            for e in document["entitled_to"]
        ),
    )
    tell_table(
        ("may end as", "which means", "takes two people"),
        ((e["state"], e["means"], "yes" * e["second_person"]) for e in document["endings"]),
    )


@app.command(name="open")
def open_(
    ctx: typer.Context,
    contact: ContactArgument,
    kind: Annotated[CaseKind, typer.Argument(case_sensitive=False, help="What they ask for.")],
    purpose: Annotated[
        str, typer.Option(help="What they object to, or want restricted; default: everything.")
    ] = ANY_PURPOSE,
    received: Annotated[
        datetime | None, typer.Option(help="When it arrived, in UTC; default: now.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Open a case for what a person asked by letter or telephone; what it stops, it stops at once."""
    settings, at = given(ctx).settings(), wiring.now()
    received_at = at if received is None else received.replace(tzinfo=UTC)
    if received_at > at:
        raise typer.BadParameter("lies in the future", param_hint="--received")
    with wiring.ledger_in_use(settings) as ledger, ledger.begin() as tx:
        policy = wiring.policy_in_use(settings, tx).policy
        person = person_of(tx, wiring.org_of(settings, ledger), contact, entries=0).record
        if purpose != ANY_PURPOSE and PurposeKey(purpose) not in policy.purposes:
            raise typer.BadParameter(
                f"policy {policy.version} has no such purpose", param_hint="--purpose"
            )
        case = new_case(
            person.subject_id,
            kind,
            received_at=received_at,
            policy=policy,
            jurisdiction=person.jurisdiction,
            purpose=None if purpose == ANY_PURPOSE else PurposeKey(purpose),
        )
        tx.open_case(case, by=operator(), at=at, policy=policy)
        document = told(tx, case_named(tx, case.id), at=at)
    if as_json:
        tell_json(document)
    else:
        typer.echo(
            f"Case {case.id} is open: {ASKED[kind]}. They are answered by {document['due_at']};"
            " what it stops is stopped, the next cycle carries it to Salesforce."
        )


@app.command()
def extend(
    ctx: typer.Context,
    case: CaseArgument,
    reason: Annotated[str, typer.Option(help="Why it takes longer; the person is told.")],
    as_json: AsJson = False,
) -> None:
    """Take the months that the law gives a complex case, within its first term."""
    settings, at = given(ctx).settings(), wiring.now()
    with wiring.ledger_in_use(settings) as ledger, ledger.begin() as tx:
        found = case_named(tx, case)
        policy = wiring.policy_in_use(settings, tx).policy
        extended = tx.extend_case(found.id, by=operator(), reason=reason, at=at, policy=policy)
        document = told(tx, extended, at=at)
    if as_json:
        tell_json(document)
    else:
        typer.echo(f"Case {found.id} is owed by {document['due_at']} now; tell the person so.")


app.command()(rights_closing.close)
app.command()(rights_lifting.lift_suppression)


@app.command()
def export(
    ctx: typer.Context,
    contact: ContactArgument,
    out: Annotated[Path | None, typer.Option(help="Write it here; default: print it.")] = None,
) -> None:
    """Give a person a copy to take along: what they permitted by consent or contract, and nothing else."""
    settings, at = given(ctx).settings(), wiring.now()
    with wiring.ledger_in_use(settings) as ledger, ledger.reading() as tx:
        policy = wiring.policy_in_use(settings, tx).policy
        found = person_of(tx, wiring.org_of(settings, ledger), contact, entries=0)
        copy = portable_copy(tx, found.record.subject_id, policy=policy, at=at)
    if out is None:
        tell_json(copy)
        return
    rights_closing.write_private(out, copy)
    typer.echo(f"The copy is in {out}, readable by you alone.")


def _mark(case: dict[str, Any]) -> str:
    if case["overdue"]:
        return "OVERDUE"
    return "due soon" if case["due_soon"] else ""
