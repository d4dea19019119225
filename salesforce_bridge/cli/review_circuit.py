"""`review circuit`: whether a mass change holds everything but stops, and letting it go on."""

from typing import Annotated

import typer

from salesforce_bridge import wiring
from salesforce_bridge.cli.shared import AsJson, given, operator, tell_json, tell_table
from salesforce_bridge.errors import SkipRecord

app = typer.Typer(no_args_is_help=True, add_completion=False)


class CircuitClosed(SkipRecord):
    """Nothing is held up."""


@app.callback()
def main() -> None:
    """See whether a mass change holds everything but stops, and let it go on."""


@app.command()
def status(ctx: typer.Context, as_json: AsJson = False) -> None:
    """Say whether the circuit is open, and what was counted."""
    settings, at = given(ctx).settings(), wiring.now()
    with wiring.ledger_in_use(settings) as ledger, ledger.reading() as tx:
        rule = wiring.policy_in_use(settings, tx).policy.surge
        found = tx.circuit(wiring.org_of(settings, ledger), at=at, window=rule.window)
    document = {
        "open": found.is_open,
        "why": found.why,
        "closed_at": found.closed_at.isoformat() if found.closed_at is not None else None,
        "edits": dict(sorted(found.edits.items())),
        "live_rows": found.live_rows,
        "window_seconds": round(rule.window.total_seconds()),
        "floor": rule.floor,
        "share": rule.share,
        "ceiling": rule.ceiling,
    }
    if as_json:
        tell_json(document)
        return
    if found.is_open:
        typer.echo(f"OPEN: {found.why}. Only stops are written until somebody has looked.")
        typer.echo("hint:  salesforce-bridge review circuit close --reason TEXT", err=True)
    else:
        typer.echo("closed: nothing is held up.")
    if found.edits:
        tell_table(("author", "widening or emptying edits lately"), sorted(found.edits.items()))


@app.command()
def close(
    ctx: typer.Context,
    reason: Annotated[str, typer.Option(help="What you found; sealed with your login.")],
    as_json: AsJson = False,
) -> None:
    """Let what was held up be judged as usual, because you have looked; claims still need proof."""
    if not reason.strip():
        raise typer.BadParameter("say what you found", param_hint="--reason")
    settings, at = given(ctx).settings(), wiring.now()
    with wiring.ledger_in_use(settings) as ledger, ledger.begin() as tx:
        policy = wiring.policy_in_use(settings, tx).policy
        org_id = wiring.org_of(settings, ledger)
        if not tx.close_circuit(org_id, by=operator(), reason=reason, at=at, policy=policy):
            raise CircuitClosed(
                "The circuit is closed; nothing is held up.",
                hint="salesforce-bridge review circuit status",
            )
    if as_json:
        tell_json({"closed": True})
    else:
        typer.echo("The circuit is closed; the next cycle judges what was held up.")
