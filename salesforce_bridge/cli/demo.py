"""`demo`: the bridge's whole job on this machine, against a simulated org and a ledger of its own."""

import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer

from salesforce_bridge import logs, wiring
from salesforce_bridge.cli.demo_cast import cast_of
from salesforce_bridge.cli.demo_kept import leave_running
from salesforce_bridge.cli.demo_play import Play
from salesforce_bridge.cli.demo_stage import Stage, staged
from salesforce_bridge.cli.demo_story import BEATS, BEHIND
from salesforce_bridge.cli.demo_telling import a_console
from salesforce_bridge.cli.shared import given

KEPT_IN = Path("var/demo")
FEWEST_CONTACTS = 200
app = typer.Typer(add_completion=False)


@app.command()
def demo(
    ctx: typer.Context,
    keep: Annotated[
        bool,
        typer.Option(
            "--keep", help=f"Work in {KEPT_IN}, and leave the org and a daemon running afterwards."
        ),
    ] = False,
    contacts: Annotated[
        int, typer.Option(min=FEWEST_CONTACTS, help="How many invented people the org has.")
    ] = 300,
    seed: Annotated[int, typer.Option(help="Which people they are.")] = 1,
) -> None:
    """Play the bridge's work against a simulated org, and check every claim of the story."""
    asked = given(ctx)
    if asked.config is not None or asked.values:
        raise typer.BadParameter("the demo makes its own settings; leave --config and --set out")
    logs.configure(level="debug" if asked.debug else "error")
    with (
        _ended_by_sigterm(),
        _folder(keep=keep) as folder,
        staged(folder, contacts=contacts, seed=seed, behind=BEHIND) as stage,
    ):
        _play(stage)
        if keep:
            leave_running(stage)


def _play(stage: Stage) -> None:
    console = a_console()
    with wiring.bridge(stage.settings) as bridge:
        world = stage.world(bridge)
        stage.begin()
        play = Play(
            stage=stage,
            bridge=bridge,
            world=world,
            cast=cast_of(stage.director),
            console=console,
        )
        for number, (heading, beat) in enumerate(BEATS):
            play.heading = f"{number}. {heading}"
            console.print()
            console.rule(play.heading, align="left", style="dim")
            beat(play)
        stage.arrive()
        console.print()
        play.say(f"Everything is as the story says: {play.claims} claims were checked.")


@contextmanager
def _folder(*, keep: bool) -> Iterator[Path]:
    if keep:
        yield KEPT_IN.absolute()
        return
    with tempfile.TemporaryDirectory(prefix="salesforce-bridge-demo-") as name:
        yield Path(name)


@contextmanager
def _ended_by_sigterm() -> Iterator[None]:
    """End on SIGTERM the way Ctrl-C ends it, so that nothing that was started stays."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
