"""The program as it is run: it survives being killed, and its log can be shown to anybody."""

import json
import re
import signal
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from salesforce_bridge.ledger.store import Ledger
from salesforce_bridge.simulator.director import Director
from tests.e2e.remote import Program, program_gateway, remote_org
from tests.integration.cycle.living import EMAIL, ROW, living, nonces
from tests.support.orgs import simulator_process

pytestmark = [pytest.mark.slow, pytest.mark.timeout(200)]
PEOPLE = 60
PATIENCE = 60  # seconds


def until(happened: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.1)


def test_a_killed_daemon_is_followed_by_another_that_goes_on(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    with simulator_process(tmp_path, contacts=PEOPLE):
        org = remote_org(tmp_path)
        program = Program.set_up(org, tmp_path, ledger=url)
        for number in range(3):
            before = org.director.call_count()
            with program.started("run") as process:
                until(partial(_asked_more, org.director, than=before + 3 * number))
                contact_id = _last(org.director.query)[number]
                org.director.rep.update("Contact", contact_id, HasOptedOutOfEmail=True)
                process.send_signal(signal.SIGKILL)
        with program.started("run") as process:
            until(lambda: _stopped(org.director.query) >= 3)
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=30) == 0
        ledger = Ledger(url, nonces=nonces)
        with living(org, ledger, gateway=program_gateway(org)) as bridge:
            bridge.settle()
            assert all(bridge.is_stopped(each, EMAIL) for each in _last(org.director.query))
            assert bridge.differences() == []
            assert bridge.audit_is_intact()
        ledger.close()


def _asked_more(director: Director, *, than: int) -> bool:
    return director.call_count() > than


def _last(query: Callable[[str], list[dict[str, str]]]) -> list[str]:
    return [each["Id"] for each in query("SELECT Id FROM Contact ORDER BY Id DESC")[:3]]


def _stopped(query: Callable[[str], list[dict[str, str]]]) -> int:
    rows = query(
        f"SELECT Contact__c FROM {ROW} WHERE Consent_Status__c = 'Stopped' AND Channel__c = 'EMAIL'"
    )
    return len({row["Contact__c"] for row in rows} & set(_last(query)))


def test_no_person_no_secret_and_no_query_is_in_the_log(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    with simulator_process(tmp_path, contacts=PEOPLE):
        org = remote_org(tmp_path)
        director = org.director
        people = director.query(
            "SELECT Id, FirstName, LastName, Email, MobilePhone, MailingStreet FROM Contact"
        )
        program = Program.set_up(org, tmp_path, ledger=url)
        quoted = (
            f"Ask {people[0]['FirstName']} {people[0]['LastName']} <{people[0]['Email']}> first"
        )
        director.fault(
            rows={"status_code": "FIELD_CUSTOM_VALIDATION_EXCEPTION", "message": quoted, "every": 7}
        )
        director.fault(path="/services/data/", every=6, status=503, message=quoted)
        director.fault(path="/services/data/", every=11, expire_session=True)
        director.fault(path="/services/data/", every=13, html=True, status=200)
        director.fault(path="/services/data/", every=17, drop="after")
        director.fault(path="/services/data/", every=5, quota="daily", count=2)
        with program.started("run") as process:
            until(lambda: director.count(f"SELECT Id FROM {ROW}") > PEOPLE)
            row = director.query(f"SELECT Id FROM {ROW} WHERE Requested_Change__c = null")[0]
            director.rep.update(
                ROW,
                row["Id"],
                Requested_Change__c="Asked us to stop",
                Requested_Change_Note__c=quoted,
                Requested_Change_Evidence__c=people[1]["Email"],
            )
            until(lambda: program.log.read_text("utf-8").count("cycle.") > 6)
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=30)
        text = program.log.read_text("utf-8")
    lines = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    assert {line["event"] for line in lines} >= {"daemon.started", "cycle.finished", "cycle.failed"}
    said = [value for line in lines for name, value in line.items() if name != "timestamp"]
    words = set(re.findall(r"\w+", " ".join(map(str, said))))
    for person in people:
        for field in ("Email", "MobilePhone", "MailingStreet"):
            assert not person[field] or person[field] not in text, field
        assert not {person["FirstName"], person["LastName"]} & words
    secrets = (
        org.simulator.card.consumer_secret,
        org.simulator.card.admin_token,
        "Bearer ",
        "00D5g",
    )
    assert not [
        each for each in secrets if f"{each}!" in text or (each in text and each != "00D5g")
    ]
    assert "select" not in text.casefold()
    assert "queryAll" not in text
