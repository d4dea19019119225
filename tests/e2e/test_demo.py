"""The demo as a newcomer runs it: a process of its own, judged by what it prints and what it leaves behind."""

import http.client
import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from salesforce_bridge.simulator.director import Director
from tests.e2e.programs import PROGRAM, gone, naming, without_settings

PLAYED_WITHIN = 60  # seconds
HEADINGS = (
    "0. An org with years of unproven claims",
    "1. The first cycle judges everybody",
    "2. Two people ask to stop",
    "3. A rep types a permission without proof",
    "4. Sixty permissions are typed at once, while somebody asks to stop",
    "5. A Contact with a stop is deleted and typed again",
    "6. A privacy record says: no solicitation",
    "7. A consent ends, and another one has to be renewed",
    "8. A proof arrives at the ledger",
    "9. Another policy is tried on everybody before it counts",
    "10. Nothing happens; then the bridge is down for an hour",
    "11. The audit is read again",
)
REASONS = (
    "SUBJECT_CREATED_DEFAULT_DENY",
    "STOP_HONOURED",
    "FLAG_STOP_HONOURED",
    "GRANT_QUARANTINED_NO_EVIDENCE",
    "GRANT_AFTER_STOP_REJECTED",
    "LINK_CLOSED_STOP_RETAINED",
    "SUBJECT_LINKED_STOP_INHERITED",
    "MERGE_STOP_CARRIED",
    "RIGHTS_REQUEST_OPENED",
    "EXPIRED_BY_RULE",
    "RENEWAL_PROMPT_DUE",
    "PUSH_GRANT",
)
pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


def test_the_demo_tells_its_story_and_every_claim_of_it_holds(tmp_path: Path) -> None:
    began = time.monotonic()
    played = _demo(tmp_path)

    assert played.returncode == 0, played.stdout + played.stderr
    assert time.monotonic() - began < PLAYED_WITHIN
    assert [each for each in HEADINGS if each not in played.stdout] == []
    assert [each for each in REASONS if each not in played.stdout] == []
    assert "Everything is as the story says" in played.stdout


def test_the_readme_shows_what_the_demo_prints(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "README.md").read_text("utf-8")
    excerpt = page.split("Shortened:\n\n```\n", 1)[1].split("```", 1)[0]
    # A cut is marked by an ellipsis that stands alone.
    promised = [
        part for line in excerpt.splitlines() for part in re.split(r" …(?=\s|$)", line) if part
    ]
    printed = _plain(_demo(tmp_path).stdout)

    assert len(promised) > 60
    assert [each for each in promised if _plain(each) not in printed] == []


def _plain(text: str) -> str:
    """What is said, however it is laid out, and on whichever day."""
    undated = re.sub(r"\d{1,2} [A-Z][a-z]{2} \d{4}", "some day", text.replace("─", " "))
    return " ".join(undated.split())


def test_the_demo_fits_a_page_and_names_nobody(tmp_path: Path) -> None:
    lines = _demo(tmp_path).stdout.splitlines()

    assert max(map(len, lines)) <= 110
    assert [line for line in lines if "@" in line or re.search(r"\+\d{6}", line)] == []


def test_the_demo_leaves_nothing_running_and_no_file(tmp_path: Path) -> None:
    _demo(tmp_path)

    assert list(tmp_path.iterdir()) == []
    assert naming(tmp_path) == []


@pytest.mark.parametrize("seed", ["2", "11"])
def test_other_people_live_through_the_same_story(tmp_path: Path, seed: str) -> None:
    played = _demo(tmp_path, "--seed", seed, "--contacts", "260")

    assert played.returncode == 0, played.stdout + played.stderr


def test_a_demo_that_differs_from_its_story_fails_and_names_the_beat(tmp_path: Path) -> None:
    # With so much patience an hour without the bridge is not worth a Wait.
    patient = {"SALESFORCE_BRIDGE_DAEMON__MAX_STALENESS": "3h"}
    played = _demo(tmp_path, variables=patient)

    assert played.returncode == 1
    assert "“10. Nothing happens" in played.stderr
    assert naming(tmp_path) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_demo_ends_what_it_started(tmp_path: Path, number: signal.Signals) -> None:
    # What a shell starts in the background ignores an interrupt, and so would all that the tests start there.
    heeding = ("env", "--default-signal=INT", *PROGRAM)
    with subprocess.Popen(
        [*heeding, "demo"], env=_variables(tmp_path), stdout=subprocess.PIPE, text=True
    ) as running:
        assert running.stdout is not None
        assert any(HEADINGS[1] in line for line in running.stdout)
        assert naming(tmp_path) != []
        running.send_signal(number)
        running.stdout.read()
        code = running.wait(timeout=60)

    assert code != 0
    assert naming(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


def test_the_demo_never_follows_settings_that_lead_to_another_org(tmp_path: Path) -> None:
    elsewhere = {"SALESFORCE_BRIDGE_SALESFORCE__LOGIN_URL": "https://acme.my.salesforce.com"}
    played = _demo(tmp_path, variables=elsewhere)

    assert played.returncode == 78
    assert "SALESFORCE_BRIDGE_ variables" in played.stderr
    assert naming(tmp_path) == []


def test_a_kept_demo_goes_on_with_its_own_daemon_until_it_is_ended(tmp_path: Path) -> None:
    with _kept(tmp_path) as (told, folder):
        address = re.search(r"http://([\d.]+):(\d+)/healthz", told)
        assert address is not None
        health = _health(address[1], int(address[2]))
        org = Director.connect(folder)
        row = org.query("SELECT Id FROM Permission__c WHERE May_Contact__c = 'OK' LIMIT 1")[0]
        org.rep.update("Permission__c", row["Id"], Requested_Change__c="Asked us to stop")

        assert health["status"] == "ok"
        assert _reason_within(30, org, row["Id"]) == "STOP_HONOURED"
        assert _demo(tmp_path, "--keep", folder=tmp_path).returncode == 78


def _demo(
    temporary: Path,
    *options: str,
    variables: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*PROGRAM, "demo", *options],
        cwd=folder,
        env=_variables(temporary) | dict(variables or {}),
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )


def _variables(temporary: Path) -> dict[str, str]:
    return {**without_settings(os.environ), "TMPDIR": str(temporary), "PYTHONUNBUFFERED": "1"}


@contextmanager
def _kept(folder: Path) -> Iterator[tuple[str, Path]]:
    played = _demo(folder, "--keep", folder=folder)
    pids = folder / "var/demo/pids"
    try:
        assert played.returncode == 0, played.stdout + played.stderr
        yield played.stdout, pids.parent
    finally:
        for pid in map(int, pids.read_text().split()) if pids.exists() else ():
            os.kill(pid, signal.SIGTERM)
            assert gone(pid, within=60)
        assert naming(folder) == []


def _health(host: str, port: int) -> dict[str, object]:
    connection = http.client.HTTPConnection(host, port, timeout=10)
    try:
        connection.request("GET", "/healthz")
        found: dict[str, object] = json.loads(connection.getresponse().read())
    finally:
        connection.close()
    return found


def _reason_within(seconds: float, org: Director, row_id: str) -> str:
    soql = f"SELECT Reason_Code__c, Requested_Change__c FROM Permission__c WHERE Id = '{row_id}'"
    until = time.monotonic() + seconds
    while True:
        row = org.query(soql)[0]
        if row["Requested_Change__c"] is None or time.monotonic() > until:
            return str(row["Reason_Code__c"])
        time.sleep(0.2)
