from datetime import timedelta

import pytest

from salesforce_bridge.permissions.keys import ContactId
from salesforce_bridge.reconcile.intent import Target
from salesforce_bridge.salesforce.gateway import Gateway, Heartbeat
from tests.integration.salesforce.opened import gateway_to
from tests.support.orgs import RunningOrg

LONG_AGO = timedelta(days=3650)


def row_fields(contact_id: str, **given: object) -> dict[str, object]:
    return {
        "Contact__c": contact_id,
        "Purpose__c": "direct_marketing",
        "Channel__c": "EMAIL",
        **given,
    }


def test_an_idle_poll_with_its_heartbeat_is_exactly_one_call(
    org: RunningOrg, gateway: Gateway
) -> None:
    org.director.seed(300)
    now = org.director.now()
    gateway.identity()
    org.director.reset_calls()
    beat = Heartbeat(key="main", last_cycle_at=now, max_staleness_minutes=30)
    poll = gateway.poll(now + timedelta(hours=1), now + timedelta(hours=1), beat)
    assert (poll.contacts, poll.rows, poll.heartbeat_accepted, poll.calls) == ((), (), True, 1)
    assert org.director.call_count() == 1
    assert abs(poll.server_time - now) < timedelta(seconds=10)
    (shown,) = org.director.query(
        "SELECT Bridge_Key__c, Max_Staleness_Minutes__c FROM Bridge_Heartbeat__c"
    )
    assert (shown["Bridge_Key__c"], shown["Max_Staleness_Minutes__c"]) == ("main", 30)


def test_a_heartbeat_is_one_record_however_often_it_beats(
    org: RunningOrg, gateway: Gateway
) -> None:
    now = org.director.now()
    for minutes in (30, 45):
        beat = Heartbeat(key="main", last_cycle_at=now, max_staleness_minutes=minutes)
        assert gateway.poll(now, now, beat).heartbeat_accepted
    assert org.director.count("SELECT COUNT() FROM Bridge_Heartbeat__c") == 1


def test_changes_deletions_and_merges_are_seen(org: RunningOrg, gateway: Gateway) -> None:
    admin = org.director.as_user("admin")
    kept, lost, gone = (admin.create("Contact", LastName=name) for name in ("A", "B", "C"))
    row = org.director.as_user("rep").create("Permission__c", **row_fields(kept))
    since = org.director.now() - timedelta(minutes=1)
    admin.delete("Contact", gone)
    admin.merge("Contact", kept, [lost])
    poll = gateway.poll(since, since, None)
    contacts = {each.id: each for each in poll.contacts}
    assert contacts[gone].deleted
    assert contacts[gone].master_id is None
    assert (contacts[lost].deleted, contacts[lost].master_id) == (True, kept)
    assert not contacts[kept].deleted
    assert [each.id for each in poll.rows] == [row]


@pytest.mark.parametrize("count", [1999, 2000, 2001, 4500])
def test_no_record_is_lost_between_pages_when_many_share_a_stamp(
    org: RunningOrg, gateway: Gateway, count: int
) -> None:
    now = org.director.now()
    stamps = [now - timedelta(minutes=5 + at // 1500) for at in range(count)]
    ids = org.director.load(
        "Contact",
        [
            {"LastName": f"N{at}", "SystemModstamp": f"{stamp:%Y-%m-%dT%H:%M:%S}.000+0000"}
            for at, stamp in enumerate(stamps)
        ],
    )
    poll = gateway.poll(now - LONG_AGO, now - LONG_AGO, None)
    assert sorted(each.id for each in poll.contacts) == sorted(ids)
    assert poll.contacts_complete
    assert poll.calls == count // 2000 + 1


def test_records_are_read_in_bulk_with_their_fields(org: RunningOrg, gateway: Gateway) -> None:
    org.director.seed(1600)
    contacts = [each["Id"] for each in org.director.query("SELECT Id FROM Contact")]
    org.director.reset_calls()
    found = gateway.contacts(contacts)
    assert sorted(each.contact_id for each in found) == sorted(contacts)
    assert org.director.call_count() == 2
    rows = org.director.query("SELECT Id, Contact__c FROM Permission__c")
    read = gateway.first_look(contacts).rows
    assert sorted(each.row_id for each in read) == sorted(each["Id"] for each in rows)
    assert gateway.rows([rows[0]["Id"]])[0].fields.contact_id == rows[0]["Contact__c"]


def test_a_contact_reads_as_people_left_it(org: RunningOrg, gateway: Gateway) -> None:
    rep = org.director.as_user("rep")
    contact = rep.create(
        "Contact", LastName="A", Email="a@example.org", Phone="+49 30 901820", DoNotCall=True
    )
    (found,) = gateway.contacts([ContactId(contact)])
    assert found.do_not_call
    assert len(found.points) == 2
    assert found.modified_by
    assert found.fields.consent_status is None


def test_records_that_are_not_there_are_absent(gateway: Gateway) -> None:
    assert gateway.rows(["a00000000000009AAA"]) == ()


def test_a_row_whose_contact_is_gone_for_good_is_an_orphan(
    org: RunningOrg, gateway: Gateway
) -> None:
    contact = org.director.as_user("admin").create("Contact", LastName="A")
    row = org.director.as_user("rep").create(Target.ROW.value, **row_fields(contact))
    assert gateway.orphan_rows() == ()
    org.director.as_user("admin").delete("Contact", contact)
    org.director.purge("Contact", [contact])
    assert [each.row_id for each in gateway.orphan_rows()] == [row]


def test_a_backfill_in_chunks_meets_everybody_once(org: RunningOrg, gateway: Gateway) -> None:
    org.director.seed(250)
    met: list[ContactId] = []
    for _ in range(10):
        chunk = gateway.contacts_after(met[-1] if met else None, limit=100)
        met.extend(each.contact_id for each in chunk)
        if len(chunk) < 100:
            break
    everybody = [each["Id"] for each in org.director.query("SELECT Id FROM Contact ORDER BY Id")]
    assert met == everybody


def test_a_second_gateway_to_the_same_org_does_not_disturb_the_first(
    org: RunningOrg, gateway: Gateway
) -> None:
    now = org.director.now()
    with gateway_to(org) as other:
        assert gateway.poll(now, now, None).calls == other.poll(now, now, None).calls == 1
    assert gateway.poll(now, now, None).calls == 1
