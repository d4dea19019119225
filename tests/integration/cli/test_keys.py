"""Keys on the command line: made for their owner alone, and counted while anything rests on them."""

import stat
from pathlib import Path

import pytest

from salesforce_bridge.key_files import read_proof_keys
from tests.integration.cli.conftest import Program, Rehearsal


def checks(rehearsal: Rehearsal, *words: str) -> dict[str, tuple[str, str]]:
    document = rehearsal.bridge(*words, "doctor", "--json").document
    return {check["name"]: (check["state"], check["text"]) for check in document["checks"]}


def test_a_proof_key_is_private_and_one_of_its_kind(bridge: Program, tmp_path: Path) -> None:
    for kind in ("double_opt_in", "portal"):
        answer = bridge("config", "new-proof-key", kind, "proof-keys")
        assert f"The key of kind {kind} is in" in answer.out
    path = tmp_path / "proof-keys"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    keys = read_proof_keys(path)
    assert set(keys) == {"double_opt_in", "portal"}
    assert len(set(keys.values())) == len(keys)
    again = bridge("config", "new-proof-key", "portal", "proof-keys")
    assert again.code == 78
    assert "holds a key of kind portal" in again.err
    assert read_proof_keys(path) == keys


def test_a_kind_is_a_plain_word(bridge: Program, tmp_path: Path) -> None:
    for kind in ("two words", "", "a" * 33, "portal\n"):
        assert bridge("config", "new-proof-key", kind, "proof-keys").code == 2
    assert not (tmp_path / "proof-keys").exists()
    assert bridge("config", "new-proof-key", "portal", "no/such/folder").code == 78


def test_a_spoilt_line_can_be_put_right_as_the_program_says(
    bridge: Program, tmp_path: Path
) -> None:
    path = tmp_path / "proof-keys"
    path.write_text("portal 0123\n")
    refused = bridge("config", "new-proof-key", "portal", "proof-keys")
    assert refused.code == 78
    assert "line 1" in refused.err
    assert "remove that line; salesforce-bridge config new-proof-key KIND FILE" in refused.err
    path.write_text("")
    assert bridge("config", "new-proof-key", "portal", "proof-keys").code == 0
    assert set(read_proof_keys(path)) == {"portal"}


def test_the_doctor_looks_at_who_may_read_the_keys_of_proofs(running: Rehearsal) -> None:
    running.bridge("config", "new-proof-key", "portal", "proof-keys")
    setting = ("--set", "points.proof_key_file=proof-keys")
    assert checks(running, *setting)["points.proof_key_file"][0] == "pass"
    (running.folder / "proof-keys").chmod(0o640)
    assert checks(running, *setting)["points.proof_key_file"][0] == "warn"


def test_an_old_key_is_counted_while_it_is_there_and_missed_when_it_is_not(
    running: Rehearsal,
) -> None:
    path = running.folder / "point-keys"
    old = path.read_text()
    assert running.bridge("config", "new-point-key", "point-keys").code == 0
    state, text = checks(running)["contact points"]
    assert (state, "key 1 made" in text) == ("pass", True)
    status = running.bridge("status", "--json").document["point_keys"]
    assert (status["configured"], status["lost"]) == ([1, 2], [])
    path.write_text(path.read_text().removeprefix(old))
    state, text = checks(running)["contact points"]
    assert (state, "key 1 is not in points.key_file" in text) == ("fail", True)
    assert running.bridge("status", "--json").document["point_keys"]["lost"] == [1]
    assert "keys that are missing" in running.bridge("status").out


def test_what_rests_on_an_old_key_is_told(running: Rehearsal) -> None:
    contact = running.calm_contact()
    other = ("--approved-by", "another-login")
    case = running.bridge("rights", "open", contact, "ERASURE", "--json").document["case_id"]
    running.bridge("rights", "close", case, "--as", "DONE", *other, "--yes")
    assert "resting on old keys" not in running.bridge("status").out
    running.bridge("config", "new-point-key", "point-keys")
    silent = running.bridge("status", "--json").document["point_keys"]["resting_on_old_keys"]
    assert silent["suppressions"] > 0
    assert "resting on old keys" in running.bridge("status").out
    assert "old keys still carry suppressions" in checks(running)["contact points"][1]


@pytest.mark.parametrize(
    ("feature", "state"), [("Individual", "warn"), ("Lead", "warn"), ("CampaignMember", "pass")]
)
def test_the_doctor_names_the_objects_that_an_org_lacks(
    running: Rehearsal, feature: str, state: str
) -> None:
    assert checks(running)[f"object {feature}"] == ("pass", "there, and readable")
    running.org.director.set_feature(feature.removesuffix("Member"), on=False)
    found = checks(running)[f"object {feature}"]
    assert (found[0], "not there" in found[1]) == (state, True)
