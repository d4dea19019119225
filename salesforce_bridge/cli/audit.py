"""`audit`: the trail of every decision, and the proof that nobody changed it."""

from dataclasses import asdict
from typing import Annotated, Any

import typer

from salesforce_bridge import wiring
from salesforce_bridge.audit.chain import Break
from salesforce_bridge.audit.entries import Kind
from salesforce_bridge.cli.shared import AsJson, Exit, given, tell_json, tell_table
from salesforce_bridge.errors import SkipRecord
from salesforce_bridge.ledger import views
from salesforce_bridge.ledger.views import SealedEntry

app = typer.Typer(no_args_is_help=True, add_completion=False)


class EntryUnknown(SkipRecord):
    """No entry of the audit has that name or number."""


@app.callback()
def main() -> None:
    """Show the audit trail, and prove that nobody changed it."""


@app.command()
def tail(
    ctx: typer.Context,
    count: Annotated[int, typer.Option("--count", "-n", min=1, help="How many entries.")] = 20,
    kind: Annotated[
        Kind | None, typer.Option(case_sensitive=False, help="Only entries of this kind.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show the latest entries, the latest first."""
    with wiring.ledger_in_use(given(ctx).settings()) as ledger, ledger.reading() as tx:
        entries = views.tail(tx, count=count, kind=None if kind is None else kind.value)
    if as_json:
        tell_json([asdict(entry) for entry in entries])
        return
    rows = ((e.seq, e.header.get("at"), e.kind, e.header.get("reason"), e.ref) for e in entries)
    tell_table(("seq", "at", "kind", "reason", "ref"), rows)


@app.command()
def show(
    ctx: typer.Context,
    ref: Annotated[
        str,
        typer.Argument(
            help="A sequence number, or the id of a decision, a write, a cycle or a deed."
        ),
    ],
    as_json: AsJson = False,
) -> None:
    """Show entries in full: what was sealed, and what it is about unless the person was forgotten."""
    with wiring.ledger_in_use(given(ctx).settings()) as ledger, ledger.reading() as tx:
        entries = views.entries_named(tx, ref)
    if not entries:
        raise EntryUnknown(f"No entry is named {ref}.", hint="salesforce-bridge audit tail")
    if as_json:
        tell_json([asdict(entry) for entry in entries])
        return
    for entry in entries:
        _tell(entry)


@app.command()
def verify(ctx: typer.Context, as_json: AsJson = False) -> None:
    """Read the whole chain again and judge its content, its order and its completeness apart."""
    with wiring.ledger_in_use(given(ctx).settings()) as ledger, ledger.reading() as tx:
        found = views.verify(tx)
    verdicts = {"content": found.content, "order": found.order, "completeness": found.completeness}
    if as_json:
        tell_json(
            {
                "intact": found.intact,
                "entries": found.entries,
                "shredded": found.shredded,
                "cycles": found.cycles,
                "unfinished": list(found.unfinished),
                "verdicts": {
                    name: None if broken is None else asdict(broken)
                    for name, broken in verdicts.items()
                },
            }
        )
    else:
        typer.echo(f"{found.entries} entries of {found.cycles} cycles, {found.shredded} forgotten.")
        for name, broken in verdicts.items():
            typer.echo(_verdict(name, broken))
        if found.unfinished:
            typer.echo(
                f"without a manifest (running, or ended by a crash): {_listed(found.unfinished)}"
            )
    if not found.intact:
        raise typer.Exit(Exit.FAILED)


def _verdict(name: str, broken: Break | None) -> str:
    return f"✓ {name}" if broken is None else f"✗ {name}: entry {broken.seq}: {broken.what}"


def _listed(numbers: tuple[int, ...]) -> str:
    return ", ".join(str(number) for number in numbers)


def _tell(entry: SealedEntry) -> None:
    typer.echo(f"entry {entry.seq}: {entry.kind} {entry.ref}\nhash {entry.entry_hash}")
    rows: list[tuple[str, Any]] = sorted(entry.header.items())
    tell_table(("sealed", ""), rows)
    if entry.payload is None:
        typer.echo("What it is about was destroyed; the seal stays.")
    else:
        tell_table(("about", ""), sorted(entry.payload.items()))
