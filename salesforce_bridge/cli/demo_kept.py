"""What `demo --keep` leaves running, and how to look around in it."""

import http.client
import json
import threading
from collections.abc import Callable
from http import HTTPStatus

import typer

from salesforce_bridge.cli.demo_stage import Stage, start_daemon
from salesforce_bridge.errors import CannotStart

HEALTHY_SECONDS = 30
_POLL_SECONDS = 0.2


class DaemonNotStarted(CannotStart):
    """The daemon of the demo did not come up."""


def leave_running(stage: Stage) -> None:
    """Leave the simulated org and a daemon running, and say how to look around and how to end both."""
    daemon = start_daemon(stage)
    web = stage.settings.web
    _wait_until_healthy(web.host, web.port, daemon.poll)
    pids = f"{stage.org.pid} {daemon.pid}"
    (stage.folder / "pids").write_text(f"{pids}\n", "ascii")
    stage.kept = True
    command = f"salesforce-bridge --config {stage.config}"
    merged = (
        "SELECT Contact__c FROM Permission__c WHERE Reason_Code__c = 'MERGE_STOP_CARRIED' LIMIT 1"
    )
    contact_id = stage.director.query(merged)[0]["Contact__c"]
    typer.echo(
        f"""
The simulated org (pid {stage.org.pid}) and the bridge (pid {daemon.pid}, a cycle every second) go on in real time.

  settings    {stage.config}
  health      http://{web.host}:{web.port}/healthz and /metrics
  log         {stage.folder / "bridge.log"}

  {command} status
  {command} explain {contact_id}
  {command} audit tail
  {command} doctor

End both with: kill {pids}

Play a rep, in Python:

  from pathlib import Path
  from salesforce_bridge.simulator.director import Director
  org = Director.connect(Path("{stage.folder}"))"""
    )
    typer.echo(_AS_A_REP)


_AS_A_REP = """\
  row = org.query("SELECT Id FROM Permission__c WHERE May_Contact__c = 'OK' LIMIT 1")[0]
  org.rep.update("Permission__c", row["Id"], Requested_Change__c="Asked us to stop")
  org.query("SELECT May_Contact__c, Reason_Code__c FROM Permission__c WHERE Id = '%s'" % row["Id"])
  org.advance(3600)   # an hour passes in the org: everything shows Wait until the bridge has polled"""


def _wait_until_healthy(host: str, port: int, ended: Callable[[], int | None]) -> None:
    pause = threading.Event()
    for _ in range(int(HEALTHY_SECONDS / _POLL_SECONDS)):
        if _answers(host, port):
            return
        if ended() is not None:
            break
        pause.wait(_POLL_SECONDS)
    raise DaemonNotStarted("The daemon did not start.", hint="salesforce-bridge demo")


def _answers(host: str, port: int) -> bool:
    """Say whether the daemon is up and has ended a clean cycle."""
    connection = http.client.HTTPConnection(host, port, timeout=HEALTHY_SECONDS)
    try:
        connection.request("GET", "/healthz")
        answer = connection.getresponse()
        content = json.loads(answer.read())
    except OSError:
        return False
    finally:
        connection.close()
    return answer.status == HTTPStatus.OK and content["last_clean_cycle_at"] is not None
