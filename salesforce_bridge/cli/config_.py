"""`config`: what is set, whether it makes sense, and new keys."""

import os
import re
import secrets
from pathlib import Path
from typing import Annotated

import typer

from salesforce_bridge import wiring
from salesforce_bridge.cli.shared import AsJson, given, tell_json, tell_table
from salesforce_bridge.errors import CannotStart
from salesforce_bridge.key_files import read_proof_keys

KEY_BYTES = 32
KIND = re.compile(r"[A-Za-z0-9_-]{1,32}")
app = typer.Typer(no_args_is_help=True, add_completion=False)


class KeyFileRefused(CannotStart):
    """A key cannot be added to that file."""


@app.callback()
def main() -> None:
    """Check and show the settings; make keys."""


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
        _add_key(file, str(version))
    except (OSError, ValueError) as error:
        raise _refused(file, type(error).__name__) from error
    typer.echo(f"Key {version} is in {file}. Keep a copy where the ledger is not.")


@app.command()
def new_proof_key(
    kind: Annotated[
        str, typer.Argument(help="What signs with it, as the policy names it under `proofs`.")
    ],
    file: Annotated[
        Path, typer.Argument(help="The key file: made if it is missing, else added to.")
    ],
) -> None:
    """Make a key that a web form or portal signs proofs with, for the bridge to check them."""
    if not KIND.fullmatch(kind):
        raise typer.BadParameter("letters, digits, - and _, at most 32", param_hint="KIND")
    try:
        if file.exists() and kind in read_proof_keys(file):
            raise _refused(file, f"it holds a key of kind {kind}")
        _add_key(file, kind)
    except OSError as error:
        raise _refused(file, type(error).__name__) from error
    typer.echo(f"The key of kind {kind} is in {file}. Whoever signs with it needs a copy.")


def _add_key(file: Path, name: str) -> None:
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "w") as keys:
        keys.write(f"{name} {secrets.token_hex(KEY_BYTES)}\n")


def _refused(file: Path, why: str) -> KeyFileRefused:
    return KeyFileRefused(
        f"A key cannot be added to {file}: {why}.", hint="salesforce-bridge config check"
    )
