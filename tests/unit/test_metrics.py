"""Metrics: every number is there by its name, and two bridges never share one."""

from datetime import UTC, datetime, timedelta

from prometheus_client import generate_latest

from salesforce_bridge.metrics import Metrics, Vitals

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


def exposed(metrics: Metrics) -> dict[str, float]:
    """What a scrape would read."""
    lines = generate_latest(metrics.registry).decode().splitlines()
    return {
        name.removeprefix("salesforce_bridge_"): float(value)
        for name, value in (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    }


def test_a_cycle_is_counted_in_all_that_it_touches() -> None:
    metrics = Metrics()
    metrics.count_cycle(
        result="clean",
        seconds=0.3,
        read=12,
        calls=2,
        decisions={"DRIFT_REVERTED": 3},
        writes={"accepted": 4, "refused": 1},
        stop_seconds=(0.5, 70),
    )
    metrics.count_cycle(result="clean", seconds=2)
    seen = exposed(metrics)
    assert seen['cycles_total{result="clean"}'] == 2
    assert seen["cycle_seconds_sum"] == 2.3
    assert seen["records_read_total"] == 12
    assert seen["calls_total"] == 2
    assert seen['decisions_total{reason="DRIFT_REVERTED"}'] == 3
    assert seen['writes_total{outcome="accepted"}'] == 4
    assert seen['writes_total{outcome="refused"}'] == 1
    assert (seen["stop_latency_seconds_count"], seen["stop_latency_seconds_sum"]) == (2, 70.5)


def test_two_bridges_in_one_program_never_mix() -> None:
    one, other = Metrics(), Metrics()
    one.calls.inc()
    assert exposed(one)["calls_total"] == 1
    assert exposed(other)["calls_total"] == 0


def test_the_gauges_show_the_vitals_at_the_moment_of_looking() -> None:
    metrics = Metrics()
    vitals = Vitals(
        started_at=AT,
        lease_held=True,
        last_clean_at=AT - timedelta(seconds=90),
        halted="too many changes",
        circuit="one author blanked 60 rows",
        paused=True,
        unwritten_stops=2,
        oldest_unwritten=AT - timedelta(minutes=3),
    )
    metrics.show(vitals, at=AT)
    seen = exposed(metrics)
    assert seen["last_clean_cycle_age_seconds"] == 90
    assert seen["unwritten_stops"] == 2
    assert seen["oldest_unwritten_stop_age_seconds"] == 180
    assert (seen["halted"], seen["paused"], seen["lease_held"]) == (1, 1, 1)
    assert seen["circuit_open"] == 1


def test_before_the_first_cycle_no_age_is_made_up() -> None:
    metrics = Metrics()
    metrics.show(Vitals(started_at=AT), at=AT)
    seen = exposed(metrics)
    assert seen["last_clean_cycle_age_seconds"] == -1
    assert seen["oldest_unwritten_stop_age_seconds"] == 0
    assert (seen["halted"], seen["paused"], seen["lease_held"]) == (0, 0, 0)
    assert seen["circuit_open"] == 0


def test_the_promise_on_stops_lies_on_a_border_between_buckets() -> None:
    metrics = Metrics()
    metrics.stop_latency.observe(899)
    assert exposed(metrics)['stop_latency_seconds_bucket{le="900.0"}'] == 1
