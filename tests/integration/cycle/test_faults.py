"""Whatever goes wrong on the wire: every record is recorded exactly once, and nothing is written twice."""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from salesforce_bridge.errors import RetryLater
from salesforce_bridge.ledger import history
from salesforce_bridge.ledger.store import Ledger
from tests.integration.cycle.living import ROW, Living, copied_ledger, living
from tests.support.orgs import RunningOrg

PEOPLE, CHUNK = 40, 10
CYCLES_MAX = 40
FAULTS: Mapping[str, Mapping[str, Any]] = {
    "unavailable": {"status": 503},
    "expired": {"expire_session": True},
    "dropped before": {"drop": "before"},
    "dropped after": {"drop": "after"},
    "truncated": {"truncate": True},
    "a page with status 200": {"html": True, "status": 200},
    "quota": {"quota": "concurrent"},
}


@pytest.fixture(scope="module")
def crowd(founded: tuple[RunningOrg, str]) -> tuple[RunningOrg, str]:
    """An org with the consent mess of years, and the copy of its first moment."""
    org, first_moment = founded
    org.director.restore(first_moment)
    org.director.seed(PEOPLE, 3)
    seeded = org.director.snapshot()
    org.director.restore(first_moment)
    return org, seeded


@contextmanager
def bridge_on(crowd: tuple[RunningOrg, str], org: RunningOrg, ledger: Ledger) -> Iterator[Living]:
    org.director.restore(crowd[1])
    with living(org, ledger, chunk=CHUNK) as bridge:
        yield bridge


def come_through(bridge: Living) -> int:
    """Cycle on through all trouble until everything is done; how many cycles it broke off."""
    broken = 0
    for _ in range(CYCLES_MAX):
        try:
            report = bridge.cycle()
        except RetryLater:
            broken += 1
            continue
        if report.clean and not report.writes and not report.read:
            return broken
    raise AssertionError("the bridge does not come through")


@pytest.fixture(scope="module")
def untroubled(
    crowd: tuple[RunningOrg, str], empty_ledger: Path, tmp_path_factory: pytest.TempPathFactory
) -> Counter[tuple[str, ...]]:
    """What a bridge records that nothing happens to."""
    folder = tmp_path_factory.mktemp("untroubled")
    with copied_ledger(empty_ledger, folder) as ledger, bridge_on(crowd, crowd[0], ledger) as one:
        come_through(one)
        return told_of(one)


def told_of(bridge: Living) -> Counter[tuple[str, ...]]:
    """What was recorded, in words that do not depend on when it was."""
    with bridge.ledger.reading() as tx:
        contacts = tx.contacts_page(bridge.world.org_id, after=None, limit=10_000)
        links = tx.links_of(bridge.world.org_id, contacts)
        people = {link.subject_id for link in links.values()}
        assert len(contacts) == len(people) == PEOPLE
        events = [each for own in history.events_of(tx.connection, people).values() for each in own]
    return Counter(
        (each.subject_id, each.kind.value, each.use.purpose, each.use.channel, each.reason)
        for each in events
    )


# Before an answer, after it, in it, and instead of it; `make laws` goes through all of them.
EVERYDAY = ("dropped before", "dropped after", "truncated", "expired")


@pytest.mark.parametrize(
    "name", FAULTS if settings.get_current_profile_name() == "laws" else EVERYDAY
)
def test_every_record_is_recorded_once_under_a_fault_on_every_fifth_call(
    crowd: tuple[RunningOrg, str],
    org: RunningOrg,
    ledger: Ledger,
    untroubled: Counter[tuple[str, ...]],
    name: str,
) -> None:
    with bridge_on(crowd, org, ledger) as bridge:
        org.director.fault(path="/services/data/", every=5, **FAULTS[name])
        come_through(bridge)
        org.director.clear_faults()
        assert told_of(bridge) == untroubled
        is_in_order(bridge)


def test_a_cycle_that_had_to_stop_is_gone_on_with(
    crowd: tuple[RunningOrg, str],
    org: RunningOrg,
    ledger: Ledger,
    untroubled: Counter[tuple[str, ...]],
) -> None:
    with bridge_on(crowd, org, ledger) as bridge:
        org.director.fault(path="/services/data/", probability=0.5, seed=5, status=503)
        assert come_through(bridge) > 0
        org.director.clear_faults()
        assert told_of(bridge) == untroubled
        is_in_order(bridge)


def test_rows_that_are_locked_now_and_then_are_written_in_the_end(
    crowd: tuple[RunningOrg, str], org: RunningOrg, ledger: Ledger
) -> None:
    with bridge_on(crowd, org, ledger) as bridge:
        org.director.fault(rows={"every": 20})
        come_through(bridge)
        org.director.clear_faults()
        is_in_order(bridge)


def test_a_write_whose_answer_was_lost_is_looked_into_and_not_sent_again(
    bridge_on_either: Living,
) -> None:
    bridge = bridge_on_either
    contact_id = bridge.meet()
    bridge.settle()
    bridge.director.rep.update("Contact", contact_id, HasOptedOutOfEmail=True)
    bridge.director.fault(body='Consent_Status__c"', path="composite", drop="after", count=1)
    lost = bridge.cycle()
    assert set(lost.writes) == {"unknown"}
    assert not lost.clean
    found = bridge.cycle()
    assert (found.read, found.writes) == (1, {})
    assert bridge.row(contact_id)["Consent_Status__c"] == "Stopped"
    bridge.settle()
    is_in_order(bridge)


def test_a_write_that_was_lost_on_its_way_is_sent_again(bridge: Living) -> None:
    contact_id = bridge.meet()
    bridge.settle()
    bridge.director.rep.update("Contact", contact_id, HasOptedOutOfEmail=True)
    bridge.director.fault(body='Consent_Status__c"', path="composite", drop="before", count=1)
    assert set(bridge.cycle().writes) == {"unknown"}
    assert set(bridge.cycle().writes) == {"accepted"}
    bridge.settle()
    is_in_order(bridge)


def test_writes_that_never_went_out_are_sent_by_the_next_cycle(bridge: Living) -> None:
    people = [bridge.meet() for _ in range(3)]
    bridge.settle()
    for each in people:
        bridge.director.rep.update("Contact", each, HasOptedOutOfEmail=True)
    bridge.director.fault(body='Consent_Status__c"', path="composite", status=503)
    with pytest.raises(RetryLater):
        bridge.cycle()
    with bridge.ledger.reading() as tx:
        assert tx.unwritten_stops(bridge.world.org_id).number > 0
    bridge.director.clear_faults()
    assert set(bridge.cycle().writes) == {"accepted"}
    assert all(bridge.row(each)["Consent_Status__c"] == "Stopped" for each in people)
    bridge.settle()
    is_in_order(bridge)


def is_in_order(bridge: Living) -> None:
    """One row for each Contact and use, both sides agree, the audit holds, and nothing is left to do."""
    rows = bridge.director.query(f"SELECT Contact__c, Purpose__c, Channel__c FROM {ROW}")
    places = Counter((row["Contact__c"], row["Purpose__c"], row["Channel__c"]) for row in rows)
    assert set(places.values()) == {1}
    assert bridge.differences() == []
    assert bridge.audit_is_intact()
    with bridge.ledger.reading() as tx:
        assert tx.unsettled(bridge.world.org_id) == ()
        assert tx.unwritten_stops(bridge.world.org_id).number == 0
    assert bridge.cycle().writes == {}
