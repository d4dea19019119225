"""What all commands share: the options before the command, exit codes, and how they speak."""

import getpass
import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from salesforce_bridge.errors import BridgeError, CannotStart, HaltWrites
from salesforce_bridge.ledger.faults import LedgerUnreachable

if TYPE_CHECKING:
    from salesforce_bridge.config import Settings


class Exit(IntEnum):
    """What the program says to whoever started it."""

    FINE = 0
    FAILED = 1
    USAGE = 2
    PLAN_NOT_EMPTY = 3
    HALTED = 4
    CONFIG = 78  # EX_CONFIG of sysexits: a supervisor need not try again


AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of words.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """The options before the command."""

    config: Path | None = None
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    debug: bool = False

    def settings(self) -> "Settings":
        """Read the settings, and speak by them."""
        # Reading them takes longer than most commands; `--help` does without.
        from salesforce_bridge import logs  # noqa: PLC0415  # see above
        from salesforce_bridge.config import load  # noqa: PLC0415  # see above

        logs.configure(level="debug" if self.debug else "warning")
        return load(self.config, self.values)


def given(ctx: typer.Context) -> Given:
    """The options before the command, wherever it sits below it."""
    found = ctx.find_object(Given)
    return found if found is not None else Given()


def operator() -> str:
    """The login of whoever types; in a container a user may have a number and no name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid-{os.getuid()}"


def exit_code(error: BridgeError) -> Exit:
    """Which code tells what has to be done."""
    match error:
        case LedgerUnreachable():
            return (
                Exit.FAILED
            )  # a database that starts later than the bridge is not a matter for a person
        case CannotStart():
            return Exit.CONFIG
        case HaltWrites():
            return Exit.HALTED
        case _:
            return Exit.FAILED


def complain(error: BridgeError) -> None:
    """Say on stderr what happened and what helps."""
    typer.secho(f"error: {error.message}", err=True, fg="red" if sys.stderr.isatty() else None)
    typer.echo(f"hint:  {error.hint}", err=True)


def tell_json(document: Any) -> None:
    """Print one document for programs: sorted, so that two runs can be compared."""
    typer.echo(json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False, default=str))


def tell_table(
    columns: Sequence[str], rows: Iterable[Sequence[object]], *, title: str = ""
) -> None:
    """Print rows for people, as wide as their terminal; a pipe gets them whole."""
    from rich.console import Console  # noqa: PLC0415  # most commands print no table
    from rich.table import Table  # noqa: PLC0415  # most commands print no table
    from rich.text import Text  # noqa: PLC0415  # most commands print no table

    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=200)
    table = Table(title=title or None, title_justify="left", box=None, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(Text("" if cell is None else str(cell)) for cell in row))
    console.print(table)
