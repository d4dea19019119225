"""`run`: the daemon, or one cycle."""

import threading
from typing import Annotated

import structlog
import typer

from salesforce_bridge import logs, wiring
from salesforce_bridge.cli.reports import tell_report
from salesforce_bridge.cli.shared import AsJson, Given, given
from salesforce_bridge.config import Settings
from salesforce_bridge.daemon import ended_by_signals
from salesforce_bridge.metrics import Metrics
from salesforce_bridge.web.health import served

app = typer.Typer(add_completion=False)


@app.command()
def run(
    ctx: typer.Context,
    once: Annotated[
        bool, typer.Option("--once", help="Run one cycle, tell about it, and end.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Run the daemon, or one cycle with --once."""
    asked = given(ctx)
    settings, metrics, stop = asked.settings(), Metrics(), threading.Event()
    _speak(asked, settings, metrics)
    with ended_by_signals(stop), wiring.bridge(settings, stop=stop) as bridge:
        bridge.keep_policy()
        daemon = wiring.make_daemon(
            settings.daemon, bridge.cycle, bridge.ledger, stop=stop, metrics=metrics
        )
        if once:
            tell_report(daemon.once(), as_json=as_json)
            return
        pages = wiring.health_pages(settings.daemon, daemon, metrics)
        with served(pages, host=settings.web.host, port=settings.web.port) as port:
            structlog.get_logger().info("health.served", host=settings.web.host, port=port)
            daemon.run()


def _speak(asked: Given, settings: Settings, metrics: Metrics) -> None:
    logs.configure(
        style=settings.logs.format,
        level="debug" if asked.debug else settings.logs.level,
        on_drop=metrics.log_values_dropped.inc,
    )
