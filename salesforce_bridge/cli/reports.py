"""How a cycle is told about, on the terminal and as JSON."""

import typer

from salesforce_bridge.cli.shared import Exit, tell_json, tell_table
from salesforce_bridge.daemon import CycleReport


def tell_report(report: CycleReport, *, as_json: bool) -> None:
    """Tell what a cycle did, and end with the code that fits."""
    if as_json:
        tell_json(
            {
                "cycle_id": report.cycle_id,
                "at": report.at.isoformat(),
                "read": report.read,
                "decisions": dict(report.decisions),
                "writes": dict(report.writes),
                "calls": report.calls,
                "clean": report.clean,
                "halted": report.halted,
                "unwritten_stops": report.unwritten_stops,
            }
        )
    else:
        typer.echo(
            f"Cycle {report.cycle_id}: {report.read} records read, {report.calls} API calls,"
            f" {'clean' if report.clean else 'not clean'}."
        )
        rows = [("decided", *pair) for pair in sorted(report.decisions.items())]
        rows += [("written", *pair) for pair in sorted(report.writes.items())]
        if rows:
            tell_table(("", "what", "number"), rows)
        if report.halted is not None:
            typer.echo(f"Only stops were written: {report.halted}", err=True)
    if report.halted is not None:
        raise typer.Exit(Exit.HALTED)
    if not report.clean:
        raise typer.Exit(Exit.FAILED)
