"""The simulator as a program of its own: `python -m salesforce_bridge.simulator`."""

import argparse
import gc
import signal
import sys
from pathlib import Path
from threading import Event

from salesforce_bridge.simulator.features import FEATURES
from salesforce_bridge.simulator.server import Simulator


def main(arguments: list[str] | None = None) -> int:
    """Serve an org until the process is told to end."""
    asked = _parser().parse_args(arguments)
    stopped = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    simulator = Simulator(
        project_path=asked.project,
        port=asked.port,
        state_path=asked.state,
        directory=asked.directory,
        without=asked.without,
    )
    if asked.contacts and not (asked.state and asked.state.exists()):
        simulator.seed(asked.contacts, asked.seed, leads=asked.leads, individuals=asked.individuals)
    # A million records are no garbage: looking through them again and again would take seconds.
    gc.collect()
    gc.freeze()
    with simulator:
        sys.stdout.write(f"ready: {simulator.org_url} (see {asked.directory})\n")
        sys.stdout.flush()
        stopped.wait()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m salesforce_bridge.simulator",
        description="A small honest Salesforce on this machine.",
    )
    parser.add_argument("--directory", type=Path, required=True, help="where keys and address go")
    parser.add_argument("--port", type=int, default=0, help="default: any free one")
    parser.add_argument("--project", type=Path, help="the SFDX project; default: the bridge's own")
    parser.add_argument("--contacts", type=int, default=0, help="fill the org with so many people")
    parser.add_argument("--seed", type=int, default=1, help="which people they are")
    parser.add_argument("--leads", type=int, default=0, help="and with so many leads")
    parser.add_argument(
        "--individuals", type=int, default=0, help="give so many of the people a privacy record"
    )
    parser.add_argument(
        "--without",
        action="append",
        default=[],
        choices=sorted(FEATURES),
        help="be an org that lacks these objects; may be said again",
    )
    parser.add_argument("--state", type=Path, help="keep the records in this file over restarts")
    return parser


if __name__ == "__main__":
    sys.exit(main())
