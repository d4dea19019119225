"""Mass changes that are larger than one poll reads."""

import pytest

from salesforce_bridge.salesforce import gateway
from tests.integration.cycle.living import ROW, Living
from tests.integration.cycle.test_costs import crowd

PAGE, PEOPLE = 150, 155


def test_more_changes_than_one_poll_reads_are_all_found(
    bridge: Living, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = crowd(bridge, PEOPLE)
    bridge.settle()
    bridge.cycle(after=3_600)
    monkeypatch.setattr(gateway, "POLL_PAGE", PAGE)
    monkeypatch.setattr(gateway, "POLL_PAGES_MAX", 1)
    # Where more than a poll reads shares one second the bridge says so, and does not ask again and again.
    bridge.director.restamp("Contact", people)
    bridge.cycle(after=5)
    bridge.cycle(after=5)
    report = bridge.cycle(after=5)
    assert (report.behind, report.clean) == (True, False)
    assert report.calls <= 2
    bridge.director.restamp("Contact", people[:120])
    bridge.director.advance(30)
    bridge.director.restamp("Contact", people[120:])
    bridge.director.rep.update("Contact", people[-1], HasOptedOutOfEmail=True)
    report = bridge.cycle(after=5)
    assert (report.behind, report.clean) == (False, True)
    assert report.read == PEOPLE
    assert bridge.is_stopped(people[-1])
    # All of it lies within the overlap, and still it is not read from its beginning again.
    assert bridge.cycle().seen_again >= 120
    bridge.cycle(after=900)
    assert bridge.calls_of() == 1
    assert bridge.audit_is_intact()
    assert bridge.director.count(f"SELECT Id FROM {ROW}") == 3 * PEOPLE
