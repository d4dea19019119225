"""What is shipped for running the bridge: the unit, the image and the compose file keep their promises."""

import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

from salesforce_bridge.cli.shared import Exit
from salesforce_bridge.config import names

ROOT = Path(__file__).parents[3]
UNIT = ROOT / "deploy" / "systemd" / "salesforce-bridge.service"
COMPOSE = ROOT / "deploy" / "compose.yaml"
DOCKERFILE = ROOT / "Dockerfile"
needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd-analyze is not on this machine"
)


def variables(text: str) -> set[str]:
    return set(re.findall(r"SALESFORCE_BRIDGE_\w+__\w+", text))


@needs_systemd
def test_systemd_has_nothing_to_say_about_the_unit() -> None:
    # It exits with 0 even for unknown keys: only silence is agreement.
    found = subprocess.run(
        ["systemd-analyze", "verify", str(UNIT)], capture_output=True, text=True, check=False
    )
    assert (found.returncode, found.stdout + found.stderr) == (0, "")


@needs_systemd
def test_the_unit_exposes_less_than_the_threshold() -> None:
    command = ["systemd-analyze", "security", "--offline=true", "--threshold=60", str(UNIT)]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout


def test_the_unit_does_not_restart_what_an_operator_must_mend() -> None:
    assert f"RestartPreventExitStatus={Exit.CONFIG.value}" in UNIT.read_text()
    # Compose cannot tell one exit code from another, so it is to give up at some time.
    assert re.search(r"^    restart: on-failure:\d+$", COMPOSE.read_text(), re.MULTILINE)


@pytest.mark.parametrize("path", [UNIT, COMPOSE, DOCKERFILE])
def test_every_variable_that_is_set_is_a_setting(path: Path) -> None:
    known = {f"SALESFORCE_BRIDGE_{group}__{name}".upper() for group, name in names()}
    assert variables(path.read_text()) - known == set()
    assert variables(path.read_text())


def test_the_image_runs_as_a_numbered_user_and_installs_by_hash() -> None:
    text = DOCKERFILE.read_text()
    assert "\nUSER 10001:10001\n" in text
    assert "--require-hashes -r requirements/main.txt" in text
    assert "\nHEALTHCHECK " in text
    assert "bridge:x:10001:10001:" in text
    assert text.index("\nUSER ") > text.rindex("\nRUN ")
    assert "<<" not in text
    assert "--link" not in text


def test_what_the_image_copies_is_let_through_to_the_build() -> None:
    let_through = {
        line[1:]
        for line in (ROOT / ".dockerignore").read_text().splitlines()
        if line.startswith("!")
    }
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE.read_text(), re.MULTILINE)
    assert {source for line in copied for source in line.split()} == let_through


def test_the_image_brings_all_that_the_package_is_built_from() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    copied = tuple(re.findall(r"^COPY (\S+) ", DOCKERFILE.read_text(), re.MULTILINE))
    for needed in (*wheel["packages"], *wheel["force-include"]):
        assert needed.startswith(copied), needed


def test_no_secret_stands_in_the_compose_file() -> None:
    text = COMPOSE.read_text()
    assert not re.search(r"PASSWORD:|_URL:|://[^\s/]+:[^\s/]+@", text)
    assert "{ file: ./secrets/" in text


def test_the_health_page_of_a_container_is_published_on_its_machine_only() -> None:
    assert re.findall(r"ports: \[(.+)\]", COMPOSE.read_text()) == ['"127.0.0.1:8088:8088"']


def test_the_exit_codes_in_the_manual_are_those_of_the_program() -> None:
    told = {
        int(code)
        for code in re.findall(
            r"^\| (\d+) \|", (ROOT / "deploy" / "README.md").read_text(), re.MULTILINE
        )
    }
    assert told <= {code.value for code in Exit}
