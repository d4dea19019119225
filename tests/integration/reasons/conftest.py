"""One simulator, one bridge and one past for all scenarios; each begins on the same morning."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import uuid4

import pytest

from salesforce_bridge.ledger.store import Ledger
from salesforce_bridge.reading import Memory
from tests.integration.cycle.living import living
from tests.integration.reasons.law import first_text, policy_of
from tests.integration.reasons.past import play_the_past
from tests.integration.reasons.scene import MORNING, PROOF_KEYS, Scene
from tests.integration.salesforce.opened import gateway_to
from tests.support.ledgers import nonces, sqlite_ledger
from tests.support.orgs import RunningOrg, running_simulator


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """How everything stands on the morning on which a scenario begins."""

    scene: Scene
    org: str  # the copy of the org
    ledger: Path  # the file of the ledger


@pytest.fixture(scope="session")
def past(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Past]:
    """The cast, met and known."""
    folder = tmp_path_factory.mktemp("reasons")
    with running_simulator() as org:
        org.director.set_now(MORNING)
        users = org.director.query("SELECT Id, Username FROM User")
        loader = next(each["Id"] for each in users if each["Username"].startswith("ravi"))
        text = first_text((loader,))
        ledger = sqlite_ledger(folder)
        with _bridge(org, ledger, text, folder) as scene:
            with ledger.begin() as tx:
                tx.activate_policy(
                    scene.world.policy, text, by="anna", approved_by=None, note=None, at=scene.now
                )
            cast = play_the_past(scene)
            ledger.close()
            yield Past(
                scene=replace(scene, cast=cast),
                org=org.director.snapshot(),
                ledger=folder / "ledger.db",
            )


@pytest.fixture
def scene(past: Past, tmp_path: Path) -> Iterator[Scene]:
    """The morning, as if no other scenario had ever been played."""
    director = past.scene.director
    director.clear_faults()
    director.clear_scripts()
    director.restore(past.org)
    copy = tmp_path / f"{uuid4().hex}.db"
    shutil.copyfile(past.ledger, copy)
    ledger = Ledger(f"sqlite:///{copy}", nonces=nonces)
    try:
        world = replace(past.scene.world, ledger=ledger, memory=Memory(), aside=[])
        yield replace(past.scene, world=world, folder=tmp_path)
    finally:
        ledger.close()


@contextmanager
def _bridge(org: RunningOrg, ledger: Ledger, text: str, folder: Path) -> Iterator[Scene]:
    clock = org.simulator.org.clock
    gateway = gateway_to(org, proof_keys=PROOF_KEYS)
    with living(org, ledger, law=policy_of(text), gateway=gateway, clock=clock.now) as opened:
        yield Scene(org=org, world=opened.world, text=text, cast={}, folder=folder)
