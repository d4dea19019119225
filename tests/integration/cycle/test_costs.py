"""What a cycle costs: one call when nothing happened, and a thousand records in a call when much did."""

from salesforce_bridge.permissions.events import EventKind
from tests.integration.cycle.living import EMAIL, ROW, Living

WRITING = ("PATCH", "POST", "DELETE")


def crowd(bridge: Living, number: int) -> list[str]:
    """Many people who were typed in by a migration long ago."""
    return bridge.director.load(
        "Contact",
        [
            {
                "LastName": f"Person {each}",
                "Email": f"person{each}@example.org",
                "SystemModstamp": "2026-01-08T08:00:00.000+0000",
            }
            for each in range(number)
        ],
    )


def writing_calls(bridge: Living) -> int:
    """How many calls of the org's log carry a write of Contacts or rows."""
    return sum(
        any(
            each.startswith(WRITING) and "Bridge_Heartbeat" not in each for each in call.subrequests
        )
        for call in bridge.director.calls()
    )


def test_an_idle_cycle_costs_one_call(bridge_on_either: Living) -> None:
    bridge = bridge_on_either
    crowd(bridge, 30)
    bridge.settle()
    for _ in range(3):
        assert bridge.calls_of() == 1


def test_an_idle_cycle_that_is_held_back_costs_one_call_too(bridge: Living) -> None:
    crowd(bridge, 3)
    bridge.settle()
    assert bridge.calls_of(stops_only=True) == 1


def test_the_first_cycle_after_an_outage_costs_one_call_if_nothing_happened(
    bridge: Living,
) -> None:
    crowd(bridge, 30)
    bridge.settle()
    bridge.director.advance(7_200)
    assert bridge.calls_of() == 1


def test_a_thousand_records_are_written_with_at_most_two_calls(bridge: Living) -> None:
    people = crowd(bridge, 500)
    bridge.settle()
    for kind in (EventKind.GRANT, EventKind.WITHDRAW):
        bridge.tell_all(people, kind)
        bridge.director.reset_calls()
        report = bridge.cycle()
        assert report.writes == {"accepted": 1_000}, kind
        assert writing_calls(bridge) <= 2, kind


def test_every_record_is_read_back_once_and_counted_as_an_echo(bridge: Living) -> None:
    people = crowd(bridge, 20)
    first = bridge.cycle()
    assert first.read == len(people)
    echo = bridge.cycle()
    assert (echo.read, dict(echo.writes)) == (20, {})
    assert set(echo.decisions) == {"NOOP_OWN_ECHO"}
    again = bridge.cycle()
    assert (again.read, again.seen_again) == (
        0,
        20 + bridge.director.count(f"SELECT Id FROM {ROW}"),
    )


def test_the_report_counts_the_calls_that_the_org_counted(bridge: Living) -> None:
    crowd(bridge, 20)
    bridge.director.reset_calls()
    report = bridge.cycle()
    assert report.calls == bridge.director.call_count() > 1


def test_a_person_nobody_touched_is_left_alone_when_another_is_changed(bridge: Living) -> None:
    people = crowd(bridge, 20)
    bridge.settle()
    bridge.tell(people[0], EventKind.WITHDRAW)
    report = bridge.cycle()
    assert report.writes == {"accepted": 2}
    assert bridge.is_stopped(people[0])
    assert not bridge.is_stopped(people[1], EMAIL)
