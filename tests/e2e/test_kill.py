"""The bridge is killed at every step and at any moment; what comes after it finds nothing lost and nothing doubled.

Everyday runs kill a dozen times. SB_KILLS=1000 makes a long storm of it, SB_KILL_SEED another one.
"""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import pytest

from salesforce_bridge.ledger import history, views
from salesforce_bridge.ledger.store import Ledger
from salesforce_bridge.permissions.events import EventKind
from salesforce_bridge.permissions.keys import Channel, Use
from salesforce_bridge.simulator.director import Director, Refused
from tests.e2e.mortal import CHUNK, DIED
from tests.e2e.remote import remote_org
from tests.integration.cycle.living import CALLS, EMAIL, NEWS, ROW, Living, living, nonces
from tests.support.ledgers import ledger_url, postgres
from tests.support.orgs import ROOT, simulator_process

__all__ = ["ledger_url", "postgres"]

PEOPLE = 30
KILLS = int(os.environ.get("SB_KILLS", "12"))
SEED = int(os.environ.get("SB_KILL_SEED", "1"))
STEPS_MAX = 60
pytestmark = [pytest.mark.slow, pytest.mark.timeout(200 + 10 * KILLS)]
FAX = Use(purpose=NEWS, channel=Channel("FAX"))
FLAGS = {"HasOptedOutOfEmail": EMAIL, "DoNotCall": CALLS, "HasOptedOutOfFax": FAX}


class Lives:
    """The process that gives a bridge one life after the other."""

    def __init__(self, directory: Path, url: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.e2e.mortal", str(directory), url],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def begin(self, order: str) -> int:
        """Start a life, and give the number of its process."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{order}\n")
        self.process.stdin.flush()
        return int(self._heard())

    def ended(self) -> int:
        """Wait for its end, and say how it ended."""
        word, code = self._heard().split()
        assert word == "ended"
        return int(code)

    def _heard(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline()


@dataclass(slots=True, kw_only=True)
class Reps:
    """People who keep editing, and what they were told by others."""

    bridge: Living
    random: Random
    stopped: list[tuple[str, Use]] = field(default_factory=list)
    gone: set[str] = field(default_factory=set)

    @property
    def director(self) -> Director:
        """Who makes them act."""
        return self.bridge.director

    def act(self) -> None:
        """Do one thing, whatever comes to mind."""
        people = [row["Id"] for row in self.director.query("SELECT Id FROM Contact ORDER BY Id")]
        contact_id = self.random.choice(people)
        deed = self.random.choice(
            [self._row_stop] * 3
            + [self._flag] * 3
            + [self._claim, self._edit, self._meet]
            + [self._merge, self._delete, self._remove_row]
        )
        try:
            deed(contact_id)
        except Refused as refusal:
            # People are stopped by the same rules as ever; what was not stored was not said.
            if not refusal.message.startswith("[SB-"):
                raise

    def _row_stop(self, contact_id: str) -> None:
        row = self._a_row(contact_id)
        if row is not None:
            word = self.random.choice(("Asked us to stop", "Objects"))
            self.director.rep.update(ROW, row["Id"], Requested_Change__c=word)
            use = Use(purpose=NEWS, channel=Channel(row["Channel__c"]))
            self.stopped.append((contact_id, use))

    def _flag(self, contact_id: str) -> None:
        name, use = self.random.choice(sorted(FLAGS.items()))
        self.director.rep.update("Contact", contact_id, **{name: True})
        self.stopped.append((contact_id, use))

    def _claim(self, contact_id: str) -> None:
        row = self._a_row(contact_id)
        if row is not None:
            self.director.rep2.update(ROW, row["Id"], Requested_Change__c="Gave permission")

    def _edit(self, contact_id: str) -> None:
        self.director.rep2.update("Contact", contact_id, Title=f"Title {self.random.random()}")

    def _meet(self, _contact_id: str) -> None:
        self.bridge.meet()

    def _merge(self, contact_id: str) -> None:
        self.director.admin.merge("Contact", contact_id, [self.bridge.meet()])

    def _delete(self, contact_id: str) -> None:
        self.director.admin.delete("Contact", contact_id)
        self.gone.add(contact_id)

    def _remove_row(self, contact_id: str) -> None:
        row = self._a_row(contact_id)
        if row is not None:
            self.director.admin.delete(ROW, row["Id"])

    def _a_row(self, contact_id: str) -> dict[str, str] | None:
        rows = self.director.query(
            f"SELECT Id, Channel__c FROM {ROW} WHERE Contact__c = '{contact_id}'"
            " AND Requested_Change__c = null AND Ledger_Key__c != null"
        )
        return self.random.choice(rows) if rows else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """An org in one process, a mortal bridge in another, and we who look."""

    bridge: Living
    lives: Lives
    reps: Reps


@contextmanager
def stage(directory: Path, url: str, *, people: int = PEOPLE) -> Iterator[Stage]:
    with simulator_process(directory, contacts=people, seed=SEED):
        org = remote_org(directory)
        ledger = Ledger(url, nonces=nonces)
        lives = Lives(directory, url)
        try:
            with living(org, ledger, chunk=CHUNK) as bridge:
                yield Stage(
                    bridge=bridge, lives=lives, reps=Reps(bridge=bridge, random=Random(SEED))
                )
        finally:
            ledger.close()
            assert lives.process.stdin is not None
            assert lives.process.stdout is not None
            lives.process.stdin.close()
            lives.process.wait(timeout=30)
            lives.process.stdout.close()


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """An empty ledger in a file."""
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    ledger = Ledger(url, nonces=nonces)
    ledger.upgrade()
    ledger.close()
    return url


def test_killed_at_any_moment_while_people_keep_editing(ledger_url: str, tmp_path: Path) -> None:
    with stage(tmp_path, ledger_url) as on:
        moments = Random(SEED + 1)
        for _ in range(KILLS):
            pid = on.lives.begin("live")
            end = time.monotonic() + moments.uniform(0.05, 1.2)
            while time.monotonic() < end:
                on.reps.act()
            os.kill(pid, signal.SIGKILL)
            assert on.lives.ended() == -signal.SIGKILL
        all_is_well(on)


@pytest.mark.parametrize("moment", ["before", "after"])
def test_killed_at_every_transaction_of_its_first_cycle(
    sqlite_url: str, tmp_path: Path, moment: str
) -> None:
    """Each life goes a step further than the one before, until one comes to its natural end."""
    with stage(tmp_path, sqlite_url, people=25) as on:
        for step in range(1, STEPS_MAX):
            on.lives.begin(f"die {step} {moment}")
            if on.lives.ended() != DIED:
                break
        assert step > 10, "the first cycle has several chunks"
        all_is_well(on)


@pytest.mark.parametrize("moment", ["before", "after"])
def test_killed_at_every_transaction_of_a_busy_cycle(
    sqlite_url: str, tmp_path: Path, moment: str
) -> None:
    with stage(tmp_path, sqlite_url, people=12) as on:
        on.bridge.settle()
        for step in range(1, STEPS_MAX):
            for _ in range(4):
                on.reps.act()
            people = [row["Id"] for row in on.reps.director.query("SELECT Id FROM Contact")]
            known = [each for each in people if is_known(on.bridge, each)]
            on.bridge.tell(on.reps.random.choice(known), EventKind.GRANT)
            on.lives.begin(f"die {step} {moment}")
            if on.lives.ended() != DIED:
                break
        assert step > 5, "a busy cycle reads, records, writes and settles"
        all_is_well(on)


def is_known(bridge: Living, contact_id: str) -> bool:
    with bridge.ledger.reading() as tx:
        return bool(tx.links_of(bridge.world.org_id, {contact_id}))  # type: ignore[arg-type]  # an id is an id


def all_is_well(on: Stage) -> None:
    """Nothing lost, nothing doubled, both sides agree, and there is nothing left to be done."""
    bridge = on.bridge
    bridge.settle()
    for contact_id, use in on.reps.stopped:
        assert bridge.is_stopped(contact_id, use), (contact_id, use)
        if contact_id not in on.reps.gone:
            assert bridge.contact(contact_id)["Contact_Permission__c"] != "OK"
    rows = bridge.director.query(
        f"SELECT Contact__c, Purpose__c, Channel__c FROM {ROW} WHERE Contact__c != null"
    )
    places = Counter((row["Contact__c"], row["Purpose__c"], row["Channel__c"]) for row in rows)
    assert set(places.values()) == {1}
    assert doubled(bridge) == []
    assert bridge.differences() == []
    assert bridge.audit_is_intact()
    assert bridge.calls_of() == 1
    with bridge.ledger.reading() as tx:
        assert views.refold(tx, policy=bridge.world.policy) == ()
        assert tx.unsettled(bridge.world.org_id) == ()
        assert tx.unwritten_stops(bridge.world.org_id).number == 0


def doubled(bridge: Living) -> Sequence[object]:
    """Events that were recorded twice for one thing that somebody did once."""
    with bridge.ledger.reading() as tx:
        told = Counter(
            (
                each.subject_id,
                each.kind,
                each.use,
                each.reason,
                each.source_record,
                each.source_stamp,
                each.happened_at,
            )
            for _, events in history.histories(tx.connection)
            for each in events
        )
    return [each for each, number in told.items() if number > 1]
