"""The health page: red when a person must look, and never red for a standby's idleness."""

import socket
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
import requests

from salesforce_bridge.metrics import Limits, Metrics, Vitals
from salesforce_bridge.web.health import Pages, PortTaken, ailments, served

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
LIMITS = Limits(clean_cycle=timedelta(minutes=15), unwritten_stop=timedelta(minutes=15))
WELL = Vitals(
    started_at=AT - timedelta(days=1), lease_held=True, last_clean_at=AT - timedelta(minutes=1)
)


def codes(vitals: Vitals) -> list[str]:
    return [ailment.code for ailment in ailments(vitals, LIMITS, at=AT)]


def test_a_bridge_that_cycles_is_well() -> None:
    assert codes(WELL) == []


@pytest.mark.parametrize(
    ("ill", "code"),
    [
        (replace(WELL, halted="The plan is too large."), "HALTED"),
        (replace(WELL, circuit="rep 005… blanked 60 rows within 1h"), "CIRCUIT_OPEN"),
        (replace(WELL, unclean_cycles=2), "CYCLE_UNCLEAN"),
        (replace(WELL, last_clean_at=AT - timedelta(minutes=16)), "CYCLE_TOO_OLD"),
        (replace(WELL, last_clean_at=None), "CYCLE_TOO_OLD"),
        (
            replace(WELL, unwritten_stops=1, oldest_unwritten=AT - timedelta(minutes=16)),
            "STOP_UNWRITTEN",
        ),
    ],
)
def test_each_ailment_turns_it_red_and_says_what_helps(ill: Vitals, code: str) -> None:
    (found,) = ailments(ill, LIMITS, at=AT)
    assert found.code == code
    assert found.hint.startswith("salesforce-bridge ")
    assert found.text


@pytest.mark.parametrize(
    "nearly",
    [
        replace(WELL, unclean_cycles=1),
        replace(WELL, last_clean_at=AT - timedelta(minutes=15)),
        replace(WELL, last_clean_at=None, started_at=AT - timedelta(seconds=30)),
        replace(WELL, unwritten_stops=1, oldest_unwritten=AT - timedelta(minutes=15)),
        replace(WELL, paused=True),
    ],
)
def test_what_is_within_its_limit_is_no_ailment(nearly: Vitals) -> None:
    assert codes(nearly) == []


def test_a_standby_is_not_to_blame_for_cycles_it_does_not_run() -> None:
    standby = Vitals(started_at=AT - timedelta(days=1), standby=True, unclean_cycles=5)
    assert codes(standby) == []


def test_a_bridge_without_a_lease_that_is_no_standby_is_ill() -> None:
    assert codes(Vitals(started_at=AT - timedelta(days=1))) == ["CYCLE_TOO_OLD"]


@dataclass
class Bridge:
    """A served bridge whose vitals a test may change."""

    vitals: Vitals = WELL
    metrics: Metrics = field(default_factory=Metrics)
    port: int = 0

    def get(self, path: str, method: str = "GET") -> requests.Response:
        return requests.request(method, f"http://127.0.0.1:{self.port}{path}", timeout=5)

    def health(self) -> Any:
        return orjson.loads(self.get("/healthz").content)


@pytest.fixture
def bridge() -> Iterator[Bridge]:
    one = Bridge()
    pages = Pages(
        vitals=lambda: one.vitals,
        limits=LIMITS,
        metrics=one.metrics,
        clock=lambda: AT,
        version="0.1.0",
    )
    with served(pages, host="127.0.0.1", port=0) as one.port:
        yield one


def test_health_is_told_by_status_and_in_words(bridge: Bridge) -> None:
    assert bridge.get("/healthz").status_code == 200
    assert bridge.health() == {
        "status": "ok",
        "reasons": [],
        "lease": "held",
        "last_cycle_at": None,
        "last_clean_cycle_at": "2026-03-01T11:59:00+00:00",
        "unwritten_stops": 0,
        "paused": False,
        "circuit_open": False,
        "version": "0.1.0",
    }
    bridge.vitals = replace(WELL, halted="The plan is too large.")
    assert bridge.get("/healthz").status_code == 503
    assert bridge.health()["status"] == "ill"
    assert bridge.health()["reasons"][0]["code"] == "HALTED"


def test_a_standby_is_well_and_says_that_it_stands_by(bridge: Bridge) -> None:
    bridge.vitals = Vitals(started_at=AT - timedelta(days=1), standby=True)
    assert bridge.get("/healthz").status_code == 200
    assert (bridge.health()["status"], bridge.health()["lease"]) == ("standby", "elsewhere")
    bridge.vitals = replace(bridge.vitals, standby=False, started_at=AT)
    assert bridge.health()["lease"] == "not held"


def test_a_scrape_sees_the_vitals_of_its_moment(bridge: Bridge) -> None:
    bridge.metrics.calls.inc(3)
    answer = bridge.get("/metrics")
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    assert "salesforce_bridge_calls_total 3.0" in answer.text
    assert "salesforce_bridge_last_clean_cycle_age_seconds 60.0" in answer.text


def test_other_pages_and_other_verbs_are_refused(bridge: Bridge) -> None:
    assert bridge.get("/").status_code == 404
    refused = bridge.get("/healthz", method="POST")
    assert (refused.status_code, refused.headers["Allow"]) == (405, "GET, HEAD")
    assert bridge.get("/healthz", method="HEAD").content == b""


def test_a_peer_that_says_nothing_keeps_nobody_waiting(bridge: Bridge) -> None:
    with socket.create_connection(("127.0.0.1", bridge.port), timeout=5):
        assert bridge.get("/healthz").status_code == 200


def test_probes_leave_nothing_on_the_terminal(
    bridge: Bridge, capfd: pytest.CaptureFixture[str]
) -> None:
    bridge.get("/healthz")
    assert capfd.readouterr() == ("", "")


def test_a_port_in_use_is_told_before_anything_starts(bridge: Bridge) -> None:
    pages = Pages(
        vitals=lambda: WELL, limits=LIMITS, metrics=Metrics(), clock=lambda: AT, version="0.1.0"
    )
    with pytest.raises(PortTaken) as caught, served(pages, host="127.0.0.1", port=bridge.port):
        pass
    assert str(bridge.port) in caught.value.message
    assert "web.port" in caught.value.hint
