"""A client that nobody here wrote reads and writes the simulated org: jsforce, under node."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.simulation.test_sign_in import assertion
from tests.support.orgs import RunningOrg

JSFORCE = "jsforce@3.10.16"
SCRIPT = Path(__file__).with_name("jsforce_judge.mjs")
pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def jsforce(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where jsforce is installed for this run; without node or a registry there is no judge."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("node or npm is not on this machine, so jsforce cannot judge")
    directory = tmp_path_factory.mktemp("jsforce")
    (directory / "package.json").write_text('{"private": true}')
    command = ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", JSFORCE]
    try:
        installed = subprocess.run(
            command, cwd=directory, capture_output=True, text=True, timeout=240, check=False
        )
    except subprocess.TimeoutExpired:
        pytest.skip("npm did not install jsforce in time, so jsforce cannot judge")
    if installed.returncode != 0:
        pytest.skip(f"npm could not install jsforce, so it cannot judge: {installed.stderr[-300:]}")
    return directory


def test_jsforce_signs_in_pages_writes_and_understands_refusals(
    org: RunningOrg, jsforce: Path
) -> None:
    asked = {"baseUrl": org.org_url, "assertion": assertion(org)}
    ran = subprocess.run(
        ["node", str(SCRIPT)],
        input=json.dumps(asked),
        env={
            **os.environ,
            "NODE_EXTRA_CA_CERTS": str(org.ca_path),
            "JSFORCE_DIRECTORY": str(jsforce),
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    met = json.loads(ran.stdout)

    assert met["organization"] == org.simulator.card.org_id
    assert met["contacts"] == 300
    assert (met["created"], met["changed"], met["status"]) == (True, True, "Asked")
    assert met["many"] == [[True, False], [True, True], [False, None]]
    assert met["pigeon"] == "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"
    assert met["removed"] is True
    assert met["kept"] == [["SMS", met["lastName"]]]
    assert {"Id", "LastName", "Consent_Status__c"} <= set(met["fields"])
    assert met["refusal"] == ["INVALID_FIELD", "INVALID_FIELD"]
    assert met["usage"]["used"] > 5
