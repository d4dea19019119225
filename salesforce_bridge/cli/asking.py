"""What a command asks of the people before it: a second login, a yes, and what was left out."""

import sys

import typer

from salesforce_bridge.cli.shared import operator
from salesforce_bridge.ledger.faults import SecondPersonMissing


def another(approved_by: str | None) -> str:
    """Give the login of the second person, who is not the one who types."""
    named = (approved_by or "").strip()
    if not named or named == operator():
        raise SecondPersonMissing(
            "This takes two different people; --approved-by names the other one.",
            hint="have somebody else look at it, and give their login",
        )
    return named


def confirmed(question: str, *, yes: bool) -> None:
    """Ask before something that cannot be taken back; without a terminal only `--yes` says yes."""
    if not yes and not typer.confirm(question):
        raise typer.Abort


def given_or_asked(value: str | None, what: str, *, option: str) -> str:
    """Give what was typed, or ask for it where somebody sits before the terminal."""
    if value is not None and value.strip():
        return value
    if sys.stdin.isatty():
        return str(typer.prompt(what))
    raise typer.BadParameter(f"name {what}", param_hint=option)
