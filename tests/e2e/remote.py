"""A simulated org that runs in another process, and the program that is pointed at it."""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import cast

from salesforce_bridge.permissions.contact_points import PointKeys
from salesforce_bridge.salesforce.auth import ClientCredentials
from salesforce_bridge.salesforce.gateway import Gateway
from salesforce_bridge.salesforce.opening import Endpoint, open_gateway
from salesforce_bridge.simulator.director import Director
from salesforce_bridge.simulator.server import AUTHORITY, CARD, Card, Simulator
from tests.e2e.programs import PROGRAM, without_settings
from tests.integration.cycle.living import policy
from tests.integration.salesforce.opened import QUICK
from tests.support.orgs import ROOT, RunningOrg

_KEY = b"k" * 32
_SETTINGS = """
[salesforce]
login_url = "{login_url}"
auth = "client_credentials"
client_id = "{client_id}"
ca_file = "{ca_file}"

[ledger]
url = "{ledger}"

[policy]
file = "{policy}"

[daemon]
tick = "1s"
overlap = "10s"
max_staleness = "30s"
clean_cycle_limit = "15s"
unwritten_stop_limit = "15s"
lease_ttl = "3s"
chunk = 20

[points]
key_file = "{key_file}"

[web]
port = 0

[logs]
format = "json"
level = "debug"
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Served:
    """What is known about a simulator from the files it leaves."""

    directory: Path
    card: Card

    @property
    def org_url(self) -> str:
        return self.card.org_url

    @property
    def ca_path(self) -> Path:
        return self.directory / AUTHORITY


def remote_org(directory: Path) -> RunningOrg:
    """The org whose simulator wrote its card into a folder."""
    card = Card(**json.loads((directory / CARD).read_text("utf-8")))
    served = _Served(directory=directory, card=card)
    return RunningOrg(simulator=cast("Simulator", served), director=Director.connect(directory))


def program_gateway(org: RunningOrg) -> Gateway:
    """A gateway with the keys that the program uses, so that both know people by the same fingerprints."""
    law, card = policy(), org.simulator.card
    return open_gateway(
        endpoint=Endpoint(
            login_url=org.org_url,
            ca_file=org.ca_path,
            read_timeout=timedelta(seconds=10),
            retries=QUICK,
        ),
        credentials=ClientCredentials(
            client_id=card.consumer_key, client_secret=card.consumer_secret
        ),
        keys=PointKeys(current=1, keys={1: _KEY}, controller=law.controller),
        default_country=law.default_country,
        org_id=None,
        now=org.director.now,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """`salesforce-bridge`, set up for one org and one ledger."""

    org: RunningOrg
    settings: Path
    log: Path

    @classmethod
    def set_up(cls, org: RunningOrg, folder: Path, *, ledger: str) -> "Program":
        """Write its settings, and make its tables."""
        keys = folder / "point-keys"
        keys.write_text(f"1 {_KEY.hex()}\n", "utf-8")
        settings = folder / "bridge.toml"
        settings.write_text(
            _SETTINGS.format(
                login_url=org.org_url,
                client_id=org.simulator.card.consumer_key,
                ca_file=org.ca_path,
                ledger=ledger,
                policy=ROOT / "config" / "policy.toml",
                key_file=keys,
            ),
            "utf-8",
        )
        program = cls(org=org, settings=settings, log=folder / "bridge.log")
        with program.started("db", "upgrade") as process:
            assert process.wait(timeout=60) == 0, program.log.read_text("utf-8")
        return program

    @contextmanager
    def started(self, *words: str) -> Iterator["subprocess.Popen[bytes]"]:
        """Run a command; whatever it says goes to the log."""
        environment = {
            **without_settings(os.environ),
            "SALESFORCE_BRIDGE_SALESFORCE__CLIENT_SECRET": self.org.simulator.card.consumer_secret,
        }
        with (
            self.log.open("ab") as log,
            subprocess.Popen(
                [*PROGRAM, "--config", str(self.settings), *words],
                env=environment,
                cwd=self.settings.parent,
                stdout=log,
                stderr=subprocess.STDOUT,
            ) as process,
        ):
            try:
                yield process
            finally:
                process.kill()
