"""The simulator as a process of its own."""

import json
from pathlib import Path

import pytest

from salesforce_bridge.simulator.director import Director, Refused
from salesforce_bridge.simulator.server import Simulator
from tests.support.orgs import simulator_process

pytestmark = pytest.mark.slow


def test_a_process_says_where_it_is_and_keeps_its_keys(tmp_path: Path) -> None:
    with simulator_process(tmp_path, contacts=20) as director:
        assert director.count("SELECT COUNT() FROM Contact") == 20
        first = json.loads((tmp_path / "simulator.json").read_text())
        key = (tmp_path / "connected_app.key").read_bytes()
    with simulator_process(tmp_path):
        second = json.loads((tmp_path / "simulator.json").read_text())
    assert set(first) == {
        "org_url",
        "admin_url",
        "admin_token",
        "consumer_key",
        "consumer_secret",
        "username",
        "org_id",
    }
    kept = ("admin_token", "consumer_key", "consumer_secret", "username", "org_id")
    assert {name: first[name] for name in kept} == {name: second[name] for name in kept}
    assert (tmp_path / "connected_app.key").read_bytes() == key
    assert (tmp_path / "connected_app.key").stat().st_mode & 0o077 == 0


def test_records_outlive_a_restart_when_a_file_keeps_them(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    with simulator_process(tmp_path, contacts=20, state=state) as director:
        made = director.rep.create("Contact", LastName="Lasting")
    with simulator_process(tmp_path, contacts=20, state=state) as director:
        assert director.count("SELECT COUNT() FROM Contact") == 21
        assert director.query(f"SELECT LastName FROM Contact WHERE Id = '{made}'") == [
            {"LastName": "Lasting"}
        ]
        assert director.rep.create("Contact", LastName="Next") > made


def test_an_org_starts_without_what_it_is_told_to_lack(tmp_path: Path) -> None:
    with Simulator(directory=tmp_path, without=("Individual", "Campaign")) as simulator:
        simulator.seed(20, 1, leads=5)
        director = Director.connect(tmp_path)
        assert director.count("SELECT COUNT() FROM Lead") == 5
        for missing in ("Individual", "Campaign", "CampaignMember"):
            with pytest.raises(Refused, match="INVALID_TYPE"):
                director.count(f"SELECT COUNT() FROM {missing}")
