"""Running simulators for tests: inside this process, or as a process of their own."""

import base64
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests
from simple_salesforce.api import Salesforce

from salesforce_bridge.simulator.director import Director
from salesforce_bridge.simulator.server import Simulator

ROOT = Path(__file__).resolve().parents[2]
API_VERSION = "66.0"
READY_SECONDS = 600


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningOrg:
    """A simulator that serves, with its director and all a client needs to reach it."""

    simulator: Simulator
    director: Director

    @property
    def org_url(self) -> str:
        """Where it serves."""
        return self.simulator.org_url

    @property
    def ca_path(self) -> Path:
        """The authority that a client must trust."""
        return self.simulator.ca_path

    @property
    def directory(self) -> Path:
        """Where its key and its address are written."""
        return self.simulator.directory


@contextmanager
def running_simulator(
    *, contacts: int = 0, seed: int = 1, directory: Path | None = None, project: Path | None = None
) -> Iterator[RunningOrg]:
    """A simulator in this process, on a free port, ended with the block."""
    simulator = Simulator(project_path=project, directory=directory)
    if contacts:
        simulator.seed(contacts, seed)
    with simulator:
        yield RunningOrg(simulator=simulator, director=Director.connect(simulator.directory))


@contextmanager
def simulator_process(
    directory: Path, *, contacts: int = 0, seed: int = 1, state: Path | None = None
) -> Iterator[Director]:
    """A simulator as a process of its own that writes its address into `directory`."""
    command = [sys.executable, "-m", "salesforce_bridge.simulator", "--directory", str(directory)]
    command += ["--contacts", str(contacts), "--seed", str(seed)]
    if state is not None:
        command += ["--state", str(state)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
    ) as running:
        try:
            assert running.stdout is not None
            line = running.stdout.readline()
            assert line.startswith("ready: "), f"the simulator did not start: {line!r}"
            yield Director.connect(directory)
        finally:
            running.send_signal(signal.SIGTERM)
            running.wait(timeout=60)


@contextmanager
def plain_session(org: RunningOrg) -> Iterator[requests.Session]:
    """An HTTP session that trusts the simulator and nothing of this machine's environment."""
    with requests.Session() as session:
        session.trust_env = False
        session.verify = str(org.ca_path)
        yield session


def access_token(org: RunningOrg, session: requests.Session) -> str:
    """A token of the integration user by the client credentials flow."""
    card = org.simulator.card
    secret = base64.b64encode(f"{card.consumer_key}:{card.consumer_secret}".encode()).decode()
    answer = session.post(
        f"{org.org_url}/services/oauth2/token",
        data={"grant_type": "client_credentials"},
        headers={"Authorization": f"Basic {secret}"},
        timeout=30,
    )
    answer.raise_for_status()
    return str(answer.json()["access_token"])


def published_client(org: RunningOrg, session: requests.Session) -> Salesforce:
    """simple_salesforce as published, signed in as the integration user."""
    return Salesforce(
        session_id=access_token(org, session),
        instance_url=org.org_url,
        session=session,
        version=API_VERSION,
    )
