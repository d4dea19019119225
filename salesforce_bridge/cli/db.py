"""`db`: the ledger's tables, brought up to date on purpose and never by the way."""

import typer

from salesforce_bridge import wiring
from salesforce_bridge.cli.shared import given

app = typer.Typer(no_args_is_help=True, add_completion=False)


@app.callback()
def main() -> None:
    """Bring the ledger's tables up to date."""


@app.command()
def upgrade(ctx: typer.Context) -> None:
    """Bring the tables to what this version needs; harmless when they are."""
    ledger = wiring.open_ledger(given(ctx).settings())
    try:
        ledger.upgrade()
    finally:
        ledger.close()
    typer.echo("The ledger is up to date.")


@app.command()
def check(ctx: typer.Context) -> None:
    """Say whether the ledger can be reached and has the tables that this version needs."""
    with wiring.ledger_in_use(given(ctx).settings()):
        typer.echo("The ledger can be used.")
