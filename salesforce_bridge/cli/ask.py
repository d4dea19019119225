"""`ask`: requests to the running daemon, left in the ledger and taken within seconds."""

import typer

from salesforce_bridge import wiring
from salesforce_bridge.cli.shared import given, operator
from salesforce_bridge.daemon import Ask

app = typer.Typer(no_args_is_help=True, add_completion=False)


@app.callback()
def main() -> None:
    """Ask the running daemon for a cycle, a pause, or to write again."""


@app.command("run")
def run_now(ctx: typer.Context) -> None:
    """Ask for a cycle now instead of at the next tick."""
    _file(ctx, Ask.RUN)


@app.command()
def pause(ctx: typer.Context) -> None:
    """Ask to write nothing but stops; Salesforce turns to Wait once the heartbeat is too old."""
    _file(ctx, Ask.PAUSE)


@app.command()
def resume(ctx: typer.Context) -> None:
    """Ask to write again, after a pause or after a halt that somebody has looked into."""
    _file(ctx, Ask.RESUME)


def _file(ctx: typer.Context, ask: Ask) -> None:
    with wiring.ledger_in_use(given(ctx).settings()) as ledger, ledger.begin() as tx:
        number = tx.file_request(ask.value, {}, by=operator(), at=wiring.now())
    typer.echo(f"Request {number} is filed; the daemon takes it within seconds.")
