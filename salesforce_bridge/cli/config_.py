"""`config`: what is set, whether it makes sense, and a new key."""

import os
import secrets
from pathlib import Path
from typing import Annotated

import typer

from salesforce_bridge import wiring
from salesforce_bridge.cli.shared import AsJson, given, tell_json, tell_table
from salesforce_bridge.errors import CannotStart

KEY_BYTES = 32
app = typer.Typer(no_args_is_help=True, add_completion=False)


class KeyFileRefused(CannotStart):
    """A key cannot be added to that file."""


@app.callback()
def main() -> None:
    """Check and show the settings; make a key."""


@app.command()
def check(ctx: typer.Context) -> None:
    """Read the settings and the files they name, and say all that is wrong; calls nobody."""
    settings = given(ctx).settings()
    policy = wiring.load_policy(settings)
    wiring.point_keys(settings, controller=policy.controller)
    wiring.proof_keys(settings)
    wiring.credentials(settings.salesforce)
    typer.echo(f"The settings can be used; policy.file holds version {policy.version}.")


@app.command()
def show(ctx: typer.Context, as_json: AsJson = False) -> None:
    """Show every setting as it is in force, secrets masked."""
    document = given(ctx).settings().model_dump(mode="json")
    if as_json:
        tell_json(document)
        return
    rows = (
        (f"{group}.{name}", value)
        for group, values in document.items()
        for name, value in values.items()
    )
    tell_table(("setting", "value"), rows)


@app.command()
def new_point_key(
    file: Annotated[
        Path, typer.Argument(help="The key file: made if it is missing, else added to.")
    ],
) -> None:
    """Make a key for the fingerprints of addresses and numbers; the newest one is used from now on."""
    try:
        known = file.read_text("ascii").split() if file.exists() else []
        version = 1 + max((int(word) for word in known[::2]), default=0)
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "w") as keys:
            keys.write(f"{version} {secrets.token_hex(KEY_BYTES)}\n")
    except (OSError, ValueError) as error:
        raise KeyFileRefused(
            f"A key cannot be added to {file}: {type(error).__name__}.",
            hint="salesforce-bridge config check",
        ) from error
    typer.echo(f"Key {version} is in {file}. Keep a copy where the ledger is not.")
