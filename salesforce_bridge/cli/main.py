"""The program `salesforce-bridge`: its commands, loaded when they are used, and its last words."""

import sys
import traceback
from collections.abc import Mapping
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command
from typing_extensions import override

from salesforce_bridge.cli.shared import Exit, Given, complain, exit_code
from salesforce_bridge.errors import BridgeError

PROGRAM = "salesforce-bridge"
# Name: the module below `cli` that holds it, the panel it is listed in, and what it is for.
COMMANDS: Mapping[str, tuple[str, str, str]] = {
    "demo": ("demo", "Running", "Play the whole job against a simulated org on this machine."),
    "run": ("run", "Running", "Run the daemon, or one cycle with --once."),
    "ask": ("ask", "Running", "Ask the running daemon for a cycle, a pause, or to write again."),
    "status": ("status", "Running", "Show how the bridge and its ledger are."),
    "doctor": ("doctor", "Running", "Check everything the bridge depends on, and say what to do."),
    "plan": ("plan", "Deciding", "Show what a cycle would decide and write; change nothing."),
    "apply": ("plan", "Deciding", "Run one cycle that carries out a plan seen before."),
    "explain": ("explain", "Deciding", "Say why a Contact shows what it shows."),
    "may-use": ("may_use", "Deciding", "Ask whether a Contact may be used, now, and why not."),
    "review": ("review", "Judging", "Judge what waits for a person: claims, mass changes, errors."),
    "rights": ("rights", "Judging", "Answer what people asked for by right, in time."),
    "policy": (
        "policy",
        "Judging",
        "Check, try and activate the rules that everything is judged by.",
    ),
    "ledger": ("ledger", "Keeping", "Import, show and record what people permitted."),
    "audit": ("audit", "Keeping", "Show the audit trail, and prove that nobody changed it."),
    "db": ("db", "Operating", "Bring the ledger's tables up to date."),
    "config": ("config_", "Operating", "Check and show the settings; make a key."),
    "serve": ("serve", "Operating", "Serve the simulated org."),
}


class LazyCommands(TyperGroup):
    """Loads a command when it is used: the list of all of them needs neither database nor network code."""

    def __init__(self, **attrs: Any) -> None:
        super().__init__(**attrs)
        for name, (_, panel, text) in COMMANDS.items():
            self.commands[name] = TyperCommand(name=name, help=text, rich_help_panel=panel)

    @override
    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        name, listed, rest = super().resolve_command(ctx, args)
        if name is None or listed is None:  # only while a shell completes half a word
            return name, listed, rest
        module = import_module(f"salesforce_bridge.cli.{COMMANDS[name][0]}")
        command = get_command(module.app)
        # A module with several commands of the first level names them as they are called here.
        return name, getattr(command, "commands", {}).get(name, command), rest


def _tell_version(asked: bool) -> None:
    if asked:
        typer.echo(f"{PROGRAM} {version(PROGRAM)}")
        raise typer.Exit


app = typer.Typer(
    cls=LazyCommands,
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def main(
    ctx: typer.Context,
    config: Annotated[
        Path | None,
        typer.Option(
            "--config",
            "-c",
            envvar="SALESFORCE_BRIDGE_CONFIG",
            help="Settings file. Default: ./bridge.toml, then /etc/salesforce-bridge/bridge.toml.",
        ),
    ] = None,
    values: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="GROUP.NAME=VALUE", help="Set one setting; wins over every file."
        ),
    ] = None,
    debug: Annotated[
        bool, typer.Option("--debug", help="Log more, and show the traceback of a fault.")
    ] = False,
    _version: Annotated[
        bool,
        typer.Option(
            "--version",
            help="Print the version.",
            is_eager=True,
            callback=_tell_version,
        ),
    ] = False,
) -> None:
    """Adjudicates every permission in a Salesforce org against an authoritative ledger, and proves it."""
    ctx.obj = Given(config=config, values=_parsed(values or []), debug=debug)


def run() -> None:
    """Start the program; whatever goes wrong ends in a sentence, a hint and an exit code."""
    debug = "--debug" in sys.argv[1:]
    try:
        app(prog_name=PROGRAM)
    except BridgeError as error:
        if debug:
            traceback.print_exc()
        complain(error)
        sys.exit(exit_code(error))
    except Exception as error:  # noqa: BLE001  # the last words of the program: a fault of its own
        _admit(error, debug=debug)
        sys.exit(Exit.FAILED)


def _admit(error: Exception, *, debug: bool) -> None:
    """A fault of our own; its text may quote people or secrets, so it is shown only on request."""
    if debug:
        traceback.print_exc()
    frame = traceback.extract_tb(error.__traceback__)[-1]
    typer.echo(
        f"error: a fault of the bridge itself: {type(error).__name__} in {Path(frame.filename).name},"
        f" line {frame.lineno}.\nhint:  run it again with --debug and report what it prints",
        err=True,
    )


def _parsed(texts: list[str]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for text in texts:
        place, equals, value = text.partition("=")
        group, dot, name = place.strip().partition(".")
        if not (equals and dot and group and name):
            raise typer.BadParameter(f"{text!r} is not GROUP.NAME=VALUE", param_hint="--set")
        found.setdefault(group, {})[name] = value
    return found
