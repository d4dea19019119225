from datetime import timedelta

import pytest

from salesforce_bridge.salesforce import gateway as gates
from salesforce_bridge.salesforce.faults import AccessRefused, AnswerMalformed, RecordMalformed
from salesforce_bridge.salesforce.gateway import Heartbeat
from tests.unit.salesforce.scripted import (
    AT,
    TOKEN,
    contact_id,
    contact_stamp,
    page,
    replies,
    scripted,
    soql_of,
    stamp,
    token_answer,
)
from tests.unit.salesforce.test_records import contact_row, permission_row

BEAT = Heartbeat(key="main/1", last_cycle_at=AT, max_staleness_minutes=30)
LATER = AT + timedelta(seconds=1)


def test_an_idle_poll_is_one_call_and_carries_the_heartbeat() -> None:
    with scripted() as script:
        script.say(replies(page(), page(), (200, {"id": "a01", "success": True})))
        poll = script.gateway().poll(AT, AT, BEAT)
    assert (poll.calls, poll.heartbeat_accepted, poll.server_time) == (1, True, AT)
    beat = script.asked[0][2]
    assert beat["url"].endswith("/sobjects/Bridge_Heartbeat__c/Bridge_Key__c/main%2F1")
    assert beat["body"] == {
        "Last_Cycle_At__c": "2026-11-23T10:00:00.000+0000",
        "Max_Staleness_Minutes__c": 30,
    }


def test_a_refused_heartbeat_does_not_spoil_the_reading() -> None:
    with scripted() as script:
        refusal = [{"errorCode": "INSUFFICIENT_ACCESS_OR_READONLY", "message": "m"}]
        script.say(replies(page(contact_stamp(contact_id(1))), page(), (403, refusal)))
        poll = script.gateway().poll(AT, AT, BEAT)
    assert len(poll.contacts) == 1
    assert not poll.heartbeat_accepted
    assert poll.heartbeat_refusal == "INSUFFICIENT_ACCESS_OR_READONLY"


def test_a_short_page_is_not_the_last_one() -> None:
    first, second = contact_stamp(contact_id(1)), contact_stamp(contact_id(2), LATER)
    with scripted() as script:
        script.say(
            replies(page(first, done=False, total=2), page()),
            replies(page(second)),
        )
        poll = script.gateway().poll(AT, AT, None)
    assert [each.id for each in poll.contacts] == [contact_id(1), contact_id(2)]
    assert poll.calls == 2
    assert soql_of(script.asked[1][0]).endswith(
        "WHERE (SystemModstamp = 2026-11-23T10:00:00Z AND Id > '003000000000001AAA')"
        " OR SystemModstamp > 2026-11-23T10:00:00Z ORDER BY SystemModstamp, Id LIMIT 2000"
    )


def test_a_full_page_is_followed_by_another_question_even_when_it_says_done() -> None:
    full = [stamp(f"a00{number:012d}AAA") for number in range(2000)]
    with scripted() as script:
        script.say(replies(page(), page(*full)), replies(page()))
        poll = script.gateway().poll(AT, AT, None)
    assert len(poll.rows) == 2000
    assert poll.rows_complete
    assert len(script.asked[1]) == 1  # the stream that ended is not asked again


def test_the_heartbeat_is_shown_once_however_many_pages_follow() -> None:
    with scripted() as script:
        script.say(
            replies(page(contact_stamp(contact_id(1)), done=False, total=9), page(), (201, {})),
            replies(page()),
        )
        assert script.gateway().poll(AT, AT, BEAT).heartbeat_accepted
    assert [len(call) for call in script.asked] == [3, 1]


@pytest.mark.parametrize(
    "second",
    [
        page(contact_stamp(contact_id(1)), done=False, total=5),
        page(done=False, total=5),
    ],
)
def test_pages_that_bring_nothing_new_do_not_make_us_ask_for_ever(second: object) -> None:
    with scripted() as script:
        script.say(
            replies(page(contact_stamp(contact_id(1)), done=False, total=5), page()),
            replies(second),
        )
        with pytest.raises(AnswerMalformed):
            script.gateway().poll(AT, AT, None)


def test_a_flood_is_read_in_portions_and_says_that_more_is_waiting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(gates, "POLL_PAGES_MAX", 2)
    with scripted() as script:
        script.say(
            replies(page(contact_stamp(contact_id(1)), done=False, total=5), page()),
            replies(page(contact_stamp(contact_id(2)), done=False, total=5)),
        )
        poll = script.gateway().poll(AT, AT, None)
    assert not poll.contacts_complete
    assert poll.rows_complete
    assert len(poll.contacts) == 2


def test_records_are_asked_for_by_three_hundred_ids_a_query_and_five_queries_a_call() -> None:
    ids = [contact_id(number) for number in range(1600)]
    with scripted() as script:
        script.say(
            replies(page(contact_row()), *[page()] * 4),
            replies(page(contact_row(Id=contact_id(1599), IsDeleted=True))),
        )
        found = script.gateway().contacts(ids)
    assert [len(call) for call in script.asked] == [5, 1]
    assert [each.deleted for each in found] == [False, True]
    soql = soql_of(script.asked[0][0])
    assert soql.count("'003") == 300
    assert script.asked[0][0]["url"].startswith("/services/data/v66.0/queryAll?q=")
    assert len(script.asked[0][0]["url"]) < 16_384


def test_asking_for_nothing_costs_nothing() -> None:
    with scripted() as script:
        gateway = script.gateway()
        assert gateway.contacts(()) == ()
        assert gateway.rows(()) == gateway.first_look(()).rows == ()
        assert gateway.calls == 0


def test_rows_of_many_contacts_go_on_behind_the_last_id() -> None:
    first, second = (permission_row(Id=f"a0000000000000{n}AAA") for n in (1, 2))
    with scripted() as script:
        script.say(replies(page(first, done=False, total=2)), replies(page(second)))
        rows = script.gateway().first_look([contact_id(1)]).rows
    assert [row.row_id for row in rows] == ["a00000000000001AAA", "a00000000000002AAA"]
    assert soql_of(script.asked[1][0]).endswith(
        "WHERE Contact__c IN ('003000000000001AAA') AND Id > 'a00000000000001AAA'"
        " ORDER BY Id LIMIT 2000"
    )


def test_orphans_are_rows_without_a_contact() -> None:
    with scripted() as script:
        script.say(replies(page(permission_row())))
        assert len(script.gateway().orphan_rows()) == 1
    assert "WHERE Contact__c = null ORDER" in soql_of(script.asked[0][0])


def test_a_list_without_an_end_is_not_taken_for_complete(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gates, "LIST_PAGES_MAX", 1)
    with scripted() as script:
        script.say(replies(page(permission_row(), done=False, total=2)))
        with pytest.raises(AnswerMalformed, match="without an end"):
            script.gateway().rows(["a00000000000001AAA"])


def test_a_backfill_goes_on_behind_the_last_contact_and_fills_up_short_pages() -> None:
    rows = [contact_row(Id=contact_id(number)) for number in (1, 2, 3)]
    with scripted() as script:
        script.say(
            replies(page(rows[0], done=False, total=3)),
            replies(page(rows[1], rows[2])),
        )
        found = script.gateway().contacts_after(contact_id(0), limit=3)
    assert len(found) == 3
    first, second = (soql_of(call[0]) for call in script.asked)
    assert first.endswith("WHERE Id > '003000000000000AAA' ORDER BY Id LIMIT 3")
    assert second.endswith("WHERE Id > '003000000000001AAA' ORDER BY Id LIMIT 2")
    # What was said on a Contact that is in the recycle bin counts too.
    assert "/queryAll?q=" in script.asked[0][0]["url"]


def test_a_backfill_that_gets_only_crumbs_does_not_pass_for_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(gates, "LIST_PAGES_MAX", 1)
    with scripted() as script:
        script.say(replies(page(contact_row(), done=False, total=2)))
        with pytest.raises(AnswerMalformed, match="without an end"):
            script.gateway().contacts_after(None)


def test_a_backfill_starts_without_a_condition_and_ends_where_nothing_is_left() -> None:
    with scripted() as script:
        script.say(replies(page(contact_row())))
        assert len(script.gateway().contacts_after(None)) == 1
    assert "FROM Contact ORDER BY Id LIMIT 2000" in soql_of(script.asked[0][0])


def test_one_malformed_record_is_set_aside_where_somebody_collects_them() -> None:
    bad, good = contact_row(DoNotCall="?"), contact_row(Id=contact_id(2))
    aside: list[RecordMalformed] = []
    with scripted() as script:
        script.say(replies(page(bad, good)))
        found = script.gateway(set_aside=aside.append).contacts([contact_id(1), contact_id(2)])
    assert [each.contact_id for each in found] == [contact_id(2)]
    assert [each.record_id for each in aside] == [contact_id(1)]


def test_without_somebody_to_collect_it_a_malformed_record_is_not_passed_over() -> None:
    with scripted() as script:
        script.say(replies(page(contact_row(DoNotCall="?"))))
        with pytest.raises(RecordMalformed):
            script.gateway().contacts([contact_id(1)])


def test_a_query_that_is_refused_ends_the_poll() -> None:
    with scripted() as script:
        script.say(replies(page(), (403, [{"errorCode": "INSUFFICIENT_ACCESS", "message": "m"}])))
        with pytest.raises(AccessRefused):
            script.gateway().poll(AT, AT, None)


@pytest.mark.parametrize(
    ("instance", "sandbox"),
    [
        ("https://acme.my.salesforce.com", False),
        ("https://acme--test.sandbox.my.salesforce.com", True),
        ("https://acme-dev.scratch.my.salesforce.com", True),
    ],
)
def test_a_sandbox_is_known_by_its_host(instance: str, sandbox: bool) -> None:
    with scripted(token=False) as script:
        script.mock.post(TOKEN, json=token_answer("t", instance_url=instance))
        with script.gateway() as gateway:
            assert gateway.identity().sandbox is sandbox
