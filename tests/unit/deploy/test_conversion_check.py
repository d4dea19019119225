"""The conversion check is honest about what it did not do."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.unit.deploy.salesforce_project import PROJECT


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """A PATH with a shell and nothing else, so that Node is not found."""
    for name in ("bash", "dirname", "env"):
        found = shutil.which(name)
        assert found is not None
        (tmp_path / name).symlink_to(found)
    return tmp_path


def test_without_node_the_conversion_is_skipped_out_loud(tools: Path) -> None:
    ended = _check(PATH=str(tools))

    assert ended.returncode == 0
    assert ended.stdout.startswith("SKIPPED: node was not found")


def test_without_node_the_conversion_fails_in_ci(tools: Path) -> None:
    ended = _check(PATH=str(tools), CI="true")

    assert ended.returncode == 1
    assert "FAILED: CI must not skip this" in ended.stderr


def test_the_lock_file_names_no_host_and_the_one_undici_that_runs_on_node_20() -> None:
    lock = (PROJECT / "package-lock.json").read_text()

    assert '"resolved"' not in lock
    assert '"node_modules/undici": {\n      "version": "7.30.2"' in lock


def _check(**environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(PROJECT / "check")],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=20,
    )
