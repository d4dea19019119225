"""`serve`: the simulated org as a server of its own, to rehearse against."""

import threading
from pathlib import Path
from typing import Annotated

import typer

from salesforce_bridge.cli.shared import AsJson, tell_json
from salesforce_bridge.daemon import ended_by_signals
from salesforce_bridge.simulator.server import Simulator
from salesforce_bridge.web.health import PortTaken

app = typer.Typer(no_args_is_help=True, add_completion=False)


@app.callback()
def main() -> None:
    """Serve the simulated org."""


@app.command()
def simulator(
    directory: Annotated[
        Path, typer.Option(help="Where its keys and its address are written.")
    ] = Path("simulator"),
    port: Annotated[int, typer.Option(help="0 takes any free one.")] = 8443,
    project: Annotated[
        Path | None,
        typer.Option(help="SFDX project to build the org from; default: the bridge's own."),
    ] = None,
    contacts: Annotated[int, typer.Option(help="Fill a new org with so many invented people.")] = 0,
    seed: Annotated[int, typer.Option(help="Which people they are.")] = 1,
    state: Annotated[
        Path | None, typer.Option(help="Keep the records in this file over restarts.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Serve a small honest Salesforce on loopback until told to stop."""
    stop = threading.Event()
    try:
        served = Simulator(project_path=project, port=port, state_path=state, directory=directory)
    except OSError as error:
        raise PortTaken(
            f"Cannot listen on port {port}: {error.strerror}.",
            hint="name another with --port, or 0 for any free one",
        ) from error
    if contacts and not (state and state.exists()):
        served.seed(contacts, seed)
    with ended_by_signals(stop), served:
        if as_json:
            tell_json(
                {
                    "org_url": served.org_url,
                    "directory": str(directory),
                    "ca_file": str(served.ca_path),
                }
            )
        else:
            typer.echo(
                f"The simulated org answers at {served.org_url}; its keys are in {directory}."
            )
        stop.wait()
