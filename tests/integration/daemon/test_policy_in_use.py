"""Which policy counts: the file's until one is in force, then the ledger's, replaced between two cycles."""

import io
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import structlog

from salesforce_bridge import logs, wiring
from salesforce_bridge.config import Settings, load
from salesforce_bridge.cycle import CycleReport
from salesforce_bridge.ledger.values import Backfill
from salesforce_bridge.permissions.policy import PolicyRefused, parse_policy
from tests.support.orgs import ROOT, RunningOrg, running_simulator

SHIPPED = (ROOT / "config" / "policy.toml").read_text("utf-8")
OTHER = SHIPPED.replace('version = "2026-01"', 'version = "2026-02"', 1).replace(
    'request_lapses_after = "30d"', 'request_lapses_after = "20d"'
)


@pytest.fixture(scope="module")
def org() -> Iterator[RunningOrg]:
    with running_simulator(contacts=3) as running:
        yield running


@pytest.fixture
def settings(org: RunningOrg, tmp_path: Path) -> Settings:
    """Settings that lead to an org, with an empty ledger."""
    card = org.simulator.card
    shutil.copy(org.directory / "connected_app.key", tmp_path)
    (tmp_path / "policy.toml").write_text(SHIPPED)
    (tmp_path / "point-keys").write_text(f"1 {'ab' * 32}\n")
    (tmp_path / "proof-keys").write_text(f"DOI_TOKEN {'cd' * 32}\n")
    (tmp_path / "bridge.toml").write_text(
        f"""
        [salesforce]
        login_url = "{org.org_url}"
        client_id = "{card.consumer_key}"
        username = "{card.username}"
        private_key_file = "connected_app.key"
        ca_file = "{org.ca_path}"
        [ledger]
        url = "sqlite:///ledger.sqlite3"
        [policy]
        file = "policy.toml"
        [points]
        key_file = "point-keys"
        proof_key_file = "proof-keys"
        """
    )
    found = load(tmp_path / "bridge.toml")
    ledger = wiring.open_ledger(found)
    ledger.upgrade()
    ledger.close()
    return found


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What is logged."""
    lines = io.StringIO()
    logs.configure(style="json", stream=lines)
    yield lines
    structlog.reset_defaults()


def cycle(bridge: wiring.Bridge) -> CycleReport:
    deadline = wiring.now() + timedelta(minutes=5)
    return bridge.cycle(stops_only=False, deadline=deadline, go_on=lambda: True)


def activated(bridge: wiring.Bridge, text: str) -> None:
    with bridge.ledger.begin() as tx:
        tx.activate_policy(
            parse_policy(text),
            text,
            by="ops",
            approved_by="dpo",
            note="stricter",
            at=wiring.now(),
        )


def test_the_first_run_puts_the_policy_of_the_file_in_force(settings: Settings) -> None:
    with wiring.bridge(settings) as bridge:
        bridge.keep_policy(by="ops")
        bridge.keep_policy(by="somebody else")
        with bridge.ledger.reading() as tx:
            active = tx.active_policy()
            standing = wiring.policy_standing(settings, tx)
    assert active is not None
    assert (active.version, active.activated_by) == ("2026-01", "ops")
    assert active.note is not None
    assert "first" in active.note
    assert not standing.differs


def test_before_the_first_run_the_file_counts(settings: Settings) -> None:
    with wiring.ledger_in_use(settings) as ledger, ledger.reading() as tx:
        in_use = wiring.policy_in_use(settings, tx)
        standing = wiring.policy_standing(settings, tx)
    assert (in_use.policy.version, in_use.text) == ("2026-01", SHIPPED)
    assert (standing.active_version, standing.file_version) == (None, "2026-01")
    assert not standing.differs


def test_a_file_that_differs_from_what_is_in_force_is_told_and_not_used(
    settings: Settings, log: io.StringIO
) -> None:
    with wiring.bridge(settings) as bridge:
        bridge.keep_policy(by="ops")
    assert "policy.unapplied" not in log.getvalue()
    settings.policy.file.write_text(OTHER)
    with wiring.bridge(settings) as bridge:
        bridge.keep_policy(by="ops")
        assert bridge.world().policy.version == "2026-01"
        with bridge.ledger.reading() as tx:
            standing = wiring.policy_standing(settings, tx)
    assert standing.differs
    assert (standing.active_version, standing.file_version) == ("2026-01", "2026-02")
    assert "policy.unapplied" in log.getvalue()


def test_a_file_that_is_no_policy_keeps_no_bridge_from_running(settings: Settings) -> None:
    with wiring.bridge(settings) as bridge:
        bridge.keep_policy(by="ops")
    settings.policy.file.write_text("version = 7")
    with wiring.bridge(settings) as bridge:
        bridge.keep_policy(by="ops")
        assert cycle(bridge).errors == 0
        with bridge.ledger.reading() as tx:
            standing = wiring.policy_standing(settings, tx)
    assert standing.differs
    assert standing.problem is not None


def test_without_any_policy_in_force_a_broken_file_is_refused(settings: Settings) -> None:
    settings.policy.file.write_text("version = 7")
    with pytest.raises(PolicyRefused), wiring.bridge(settings):
        pass


def test_another_policy_counts_from_the_next_cycle_on(settings: Settings, log: io.StringIO) -> None:
    with wiring.bridge(settings) as bridge:
        bridge.keep_policy(by="ops")
        while cycle(bridge).read:
            pass
        activated(bridge, OTHER)
        after = cycle(bridge)
        assert after.read == 3  # everybody is judged anew under it
        assert after.backfill is Backfill.COMPLETE
        with bridge.ledger.reading() as tx:
            last = tx.last_cycle(bridge.world().org_id)
        assert last is not None
        assert last.policy_version == "2026-02"
        assert bridge.world().policy.request_lapses_after == timedelta(days=20)
    assert log.getvalue().count("policy.replaced") == 1


def test_a_policy_of_another_controller_is_not_followed(settings: Settings) -> None:
    with wiring.bridge(settings) as bridge:
        bridge.keep_policy(by="ops")
        activated(bridge, OTHER.replace('controller = "example"', 'controller = "somebody"', 1))
        with pytest.raises(wiring.ControllerChanged):
            bridge.world()


def test_the_keys_of_proofs_are_those_of_their_file(settings: Settings) -> None:
    assert wiring.proof_keys(settings) == {"DOI_TOKEN": b"\xcd" * 32}
