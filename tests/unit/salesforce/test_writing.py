from collections.abc import Sequence

import pytest
import requests

from salesforce_bridge.errors import BridgeError
from salesforce_bridge.reconcile.intent import Target, Verb, Write
from salesforce_bridge.salesforce.batches import calls_of
from salesforce_bridge.salesforce.faults import (
    FieldMissing,
    QuotaSpent,
    ReadOnlyMode,
    SalesforceUnavailable,
)
from salesforce_bridge.salesforce.writing import Outcome, Result
from tests.unit.salesforce.scripted import (
    AT,
    Saying,
    a_write,
    accepted,
    contact_id,
    raw,
    refused,
    replies,
    row_refused,
    scripted,
)

LOCKED = row_refused("UNABLE_TO_LOCK_ROW")


def results(outcomes: Sequence[Outcome]) -> list[str]:
    return [outcome.result.value for outcome in outcomes]


def writes(count: int) -> list[Write]:
    return [a_write(number) for number in range(count)]


def test_a_thousand_records_are_one_call() -> None:
    many = writes(1000)
    with scripted() as script:
        script.say(replies(*[accepted(many[at : at + 200]) for at in range(0, 1000, 200)]))
        gateway = script.gateway()
        outcomes = gateway.write(many)
        assert gateway.calls == 1
    assert set(results(outcomes)) == {"accepted"}
    assert [each.write_id for each in outcomes] == [each.id for each in many]
    assert all(each.server_time == AT for each in outcomes)
    part = script.asked[0][0]
    assert (part["method"], part["url"]) == ("PATCH", "/services/data/v66.0/composite/sobjects")
    assert part["body"]["allOrNone"] is False
    assert len(part["body"]["records"]) == 200


def test_writing_nothing_costs_nothing() -> None:
    with scripted() as script:
        gateway = script.gateway()
        assert gateway.write(()) == ()
        assert gateway.calls == 0


def test_every_kind_of_write_has_its_own_part_and_the_order_is_kept() -> None:
    mixed = [
        a_write(1),
        a_write(2, verb=Verb.UPSERT, target=Target.ROW),
        a_write(3, verb=Verb.DELETE, target=Target.ROW, record_id="a00000000000003AAA"),
        a_write(4, verb=Verb.CLEAR_FLAG, fields={"do_not_call": False}),
        a_write(5),
    ]
    with scripted() as script:
        script.say(
            replies(
                accepted(mixed[:1]),
                [{"id": "a00000000000002", "success": True, "errors": [], "created": True}],
                accepted(mixed[2:3]),
                (204, None),
                accepted(mixed[4:]),
            )
        )
        outcomes = script.gateway().write(mixed)
    assert set(results(outcomes)) == {"accepted"}
    assert outcomes[1].record_id == "a00000000000002AAA"
    update, upsert, delete, flag, last = script.asked[0]
    assert upsert["url"].endswith("/composite/sobjects/Permission__c/Ledger_Key__c")
    assert delete["url"].endswith("/composite/sobjects?ids=a00000000000003AAA&allOrNone=false")
    assert "body" not in delete
    assert flag["url"].endswith(f"/sobjects/Contact/{contact_id(4)}")
    assert flag["body"] == {"DoNotCall": False}
    assert flag["httpHeaders"] == {"If-Unmodified-Since": "Mon, 23 Nov 2026 10:00:01 GMT"}
    assert update["url"] == last["url"]


def test_one_request_never_names_a_record_twice() -> None:
    twice = [a_write(1), a_write(2), a_write(3, record_id=contact_id(1))]
    calls = list(calls_of(twice, piece=200))
    assert [[len(batch.writes) for batch in call] for call in calls] == [[2, 1]]
    keys = [a_write(1, verb=Verb.UPSERT, target=Target.ROW)] * 2
    assert [len(call) for call in calls_of(keys, piece=200)] == [2]


def test_five_collections_or_twenty_five_parts_fill_a_call() -> None:
    alternating = [
        a_write(number, verb=Verb.UPDATE if number % 2 else Verb.DELETE) for number in range(12)
    ]
    assert [len(call) for call in calls_of(alternating, piece=200)] == [5, 5, 2]
    guarded: list[Write] = [a_write(number, verb=Verb.CLEAR_FLAG) for number in range(60)]
    assert [len(call) for call in calls_of(guarded, piece=200)] == [25, 25, 10]


def test_answers_are_matched_by_position_and_one_refusal_stays_alone() -> None:
    three = writes(3)
    rows = accepted(three)
    rows[1] = {
        "success": False,
        "errors": [
            {
                "statusCode": "FIELD_CUSTOM_VALIDATION_EXCEPTION",
                "message": "[SB-STOP-PENDING] A stop is waiting",
                "fields": [],
            }
        ],
    }
    with scripted() as script:
        script.say(replies(rows))
        outcomes = script.gateway().write(three)
        assert script.waits == []
    assert results(outcomes) == ["accepted", "refused", "accepted"]
    assert (outcomes[1].code, outcomes[1].rule) == ("SB_RULE", "SB-STOP-PENDING")
    assert not outcomes[1].retryable
    assert outcomes[1].record_id == contact_id(1)


def test_locked_rows_are_sent_again_in_smaller_pieces() -> None:
    many = writes(250)
    with scripted() as script:
        script.say(
            replies([LOCKED] * 200, accepted(many[200:])),
            replies(accepted(many[:100]), [LOCKED] * 100),
            replies(accepted(many[100:150]), accepted(many[150:200])),
        )
        outcomes = script.gateway().write(many)
    assert set(results(outcomes)) == {"accepted"}
    sizes = [[len(part["body"]["records"]) for part in call] for call in script.asked]
    assert sizes == [[200, 50], [100, 100], [50, 50]]
    assert len(script.waits) == 2


def test_rows_that_stay_locked_are_left_to_a_later_cycle() -> None:
    with scripted() as script:
        script.say(*[replies([LOCKED])] * 4)
        outcomes = script.gateway().write(writes(1))
    assert results(outcomes) == ["refused"]
    assert outcomes[0].retryable
    assert outcomes[0].code == "UNABLE_TO_LOCK_ROW"


def test_a_retry_never_overtakes_a_later_write_to_the_same_record() -> None:
    first, second = a_write(1), a_write(2, record_id=contact_id(1))
    with scripted() as script:
        script.say(replies([LOCKED], accepted([second])))
        outcomes = script.gateway().write([first, second])
    assert results(outcomes) == ["refused", "accepted"]
    assert outcomes[0].retryable


def test_a_stop_while_waiting_leaves_the_locked_rows_as_refused() -> None:
    with scripted() as script:
        script.stop_at_wait = 1
        script.say(replies([LOCKED, *accepted(writes(2)[1:])]))
        outcomes = script.gateway().write(writes(2))
    assert results(outcomes) == ["refused", "accepted"]
    assert outcomes[0].retryable


LOST: list[Saying] = [
    requests.ReadTimeout("slow"),
    requests.ConnectionError("reset"),
    requests.exceptions.ChunkedEncodingError("cut"),
    raw(500, "<html>"),
    raw(502, "<html>"),
    raw(504, ""),
    refused(500, "UNKNOWN_EXCEPTION"),
    raw(200, "<html>"),
    raw(200, '{"compositeResponse":'),
    raw(200, {"compositeResponse": []}),
    raw(204, ""),
]


@pytest.mark.parametrize("answer", LOST)
def test_a_write_whose_answer_is_lost_is_unknown_and_never_sent_again(answer: Saying) -> None:
    with scripted() as script:
        script.say(answer)
        gateway = script.gateway()
        outcomes = gateway.write(writes(2))
        assert gateway.calls == 1
    assert results(outcomes) == ["unknown", "unknown"]
    assert {each.code for each in outcomes} <= {"ANSWER_LOST", "ANSWER_MALFORMED"}


def test_after_a_lost_answer_the_next_thousand_is_still_sent() -> None:
    many = writes(1001)
    with scripted() as script:
        script.say(requests.ReadTimeout("slow"), replies(accepted(many[1000:])))
        outcomes = script.gateway().write(many)
    assert results(outcomes[:1000]) == ["unknown"] * 1000
    assert outcomes[1000].result is Result.ACCEPTED


def test_after_two_lost_answers_the_rest_is_not_sent_into_the_outage() -> None:
    with scripted() as script:
        script.say(requests.ReadTimeout("slow"), requests.ReadTimeout("slow"))
        outcomes = script.gateway().write(writes(2001))
    assert results(outcomes[:2000]) == ["unknown"] * 2000
    assert results(outcomes[2000:]) == ["skipped"]


@pytest.mark.parametrize(
    "answer",
    [
        refused(503, "SERVER_UNAVAILABLE"),
        raw(503, "<html>"),
        requests.ConnectTimeout("no route"),
    ],
)
def test_a_write_that_never_got_through_is_sent_again(answer: Saying) -> None:
    with scripted() as script:
        script.say(answer, replies(accepted(writes(1))))
        assert results(script.gateway().write(writes(1))) == ["accepted"]
        assert len(script.waits) == 1


def test_an_expired_session_does_not_cost_the_guard_of_a_write() -> None:
    flag = a_write(1, verb=Verb.CLEAR_FLAG, fields={"do_not_call": False})
    with scripted() as script:
        script.say(refused(401, "INVALID_SESSION_ID", "expired"), replies((204, None)))
        assert results(script.gateway().write([flag])) == ["accepted"]
        assert script.asked[0] == script.asked[1]
        assert "If-Unmodified-Since" in script.asked[1][0]["httpHeaders"]


def test_a_flag_whose_record_was_changed_is_stale() -> None:
    flags = [a_write(number, verb=Verb.CLEAR_FLAG) for number in range(3)]
    with scripted() as script:
        script.say(
            replies(
                (412, [{"errorCode": "PRECONDITION_FAILED", "message": "m"}]),
                (404, [{"errorCode": "NOT_FOUND", "message": "m"}]),
                (200, {}),
            )
        )
        outcomes = script.gateway().write(flags)
    assert [(each.result, each.code) for each in outcomes] == [
        (Result.REFUSED, "STALE"),
        (Result.REFUSED, "NOT_FOUND"),
        (Result.UNKNOWN, "ANSWER_MALFORMED"),
    ]


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (refused(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests"), QuotaSpent),
        (
            refused(400, "INSERT_UPDATE_DELETE_NOT_ALLOWED_DURING_MAINTENANCE"),
            ReadOnlyMode,
        ),
        (replies((400, [{"errorCode": "INVALID_FIELD", "message": "m"}])), FieldMissing),
    ],
)
def test_a_request_refused_as_a_whole_is_raised_when_nothing_was_taken(
    answer: Saying, kind: type[BridgeError]
) -> None:
    with scripted() as script:
        script.say(answer)
        with pytest.raises(kind):
            script.gateway().write(writes(2))


def test_a_server_that_stays_away_is_raised_when_nothing_was_taken() -> None:
    with scripted() as script:
        script.say(*[refused(503, "SERVER_UNAVAILABLE")] * 3)
        with pytest.raises(SalesforceUnavailable):
            script.gateway(attempts=3).write(writes(2))


def test_a_request_refused_after_others_were_taken_is_told_record_by_record() -> None:
    many = writes(2001)
    with scripted() as script:
        script.say(
            replies(*[accepted(many[at : at + 200]) for at in range(0, 1000, 200)]),
            refused(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests"),
        )
        outcomes = script.gateway().write(many)
    assert results(outcomes[:1000]) == ["accepted"] * 1000
    assert results(outcomes[1000:2000]) == ["refused"] * 1000
    assert results(outcomes[2000:]) == ["skipped"]
    assert all(each.retryable and each.code == "QUOTA_SPENT" for each in outcomes[1000:])


def test_a_refused_request_while_trying_again_leaves_the_first_answer() -> None:
    two = writes(2)
    with scripted() as script:
        script.say(
            replies([LOCKED, *accepted(two[1:])]),
            refused(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests"),
        )
        outcomes = script.gateway().write(two)
    assert results(outcomes) == ["refused", "accepted"]
    assert outcomes[0].code == "UNABLE_TO_LOCK_ROW"


def test_locked_rows_whose_second_answer_is_lost_are_unknown() -> None:
    with scripted() as script:
        script.say(replies([LOCKED]), requests.ReadTimeout("slow"))
        assert results(script.gateway().write(writes(1))) == ["unknown"]


def test_more_locked_rows_than_fit_the_refused_call_keep_their_answer() -> None:
    many = writes(1000)
    with scripted() as script:
        script.say(replies(*[[LOCKED] * 200] * 5), refused(403, "REQUEST_LIMIT_EXCEEDED", "Total"))
        outcomes = script.gateway().write(many)
    assert {each.code for each in outcomes} == {"UNABLE_TO_LOCK_ROW"}


def test_two_flags_of_one_contact_travel_in_one_guarded_write() -> None:
    pair = [
        a_write(number, verb=Verb.CLEAR_FLAG, fields={name: False}, record_id=contact_id(1))
        for number, name in enumerate(("do_not_call", "opted_out_of_email"))
    ]
    with scripted() as script:
        script.say(replies((204, None), (204, None)))
        outcomes = script.gateway().write([*pair, a_write(3, verb=Verb.CLEAR_FLAG, fields={})])
    assert script.asked[0][0]["body"] == {"DoNotCall": False, "HasOptedOutOfEmail": False}
    assert results(outcomes) == ["accepted"] * 3


def test_a_collection_over_which_the_org_gives_up_again_and_again_is_unknown() -> None:
    lost = [{"errorCode": "UNKNOWN_EXCEPTION", "message": "m"}]
    with scripted() as script:
        script.say(*[replies((500, lost))] * 4)
        outcomes = script.gateway().write(writes(1))
    assert results(outcomes) == ["unknown"]
    assert outcomes[0].code == "UNKNOWN_EXCEPTION"


def test_one_collection_refused_as_a_whole_does_not_touch_the_others() -> None:
    pair = [a_write(1), a_write(2, verb=Verb.UPSERT, target=Target.ROW)]
    with scripted() as script:
        script.say(
            replies(
                accepted(pair[:1]),
                (400, [{"errorCode": "INVALID_FIELD", "message": "m"}]),
            )
        )
        outcomes = script.gateway().write(pair)
    assert results(outcomes) == ["accepted", "refused"]
    assert (outcomes[1].code, outcomes[1].retryable) == ("INVALID_FIELD", False)


def test_a_collection_that_met_a_limit_is_halved() -> None:
    many = writes(200)
    busy = [{"errorCode": "REQUEST_RUNNING_TOO_LONG", "message": "CPU"}]
    with scripted() as script:
        script.say(replies((500, busy)), replies(accepted(many[:100]), accepted(many[100:])))
        assert set(results(script.gateway().write(many))) == {"accepted"}


@pytest.mark.parametrize(
    "body",
    [
        [],
        {},
        [{"id": contact_id(0)}],
        ["x"],
        [{"id": None, "success": True}],
        [{"id": contact_id(7), "success": True}],
    ],
)
def test_an_answer_that_does_not_fit_its_question_is_unknown(body: object) -> None:
    with scripted() as script:
        script.say(replies(body))
        outcomes = script.gateway().write(writes(1))
    assert results(outcomes) == ["unknown"]
    assert outcomes[0].code == "ANSWER_MALFORMED"


def test_words_of_salesforce_about_a_record_do_not_get_into_an_outcome() -> None:
    with scripted() as script:
        script.say(replies([row_refused("INVALID_EMAIL_ADDRESS", "jane@@example.org is wrong")]))
        outcome = script.gateway().write(writes(1))[0]
    assert "jane" not in repr(outcome)
    assert outcome.message_digest


def test_campaign_members_are_posted_and_one_that_is_there_already_counts_as_written() -> None:
    fields = {"campaign_id": "701000000000001AAA"}
    members = [
        a_write(number, verb=Verb.INSERT, target=Target.CAMPAIGN_MEMBER, fields=fields)
        for number in range(3)
    ]
    answers = [
        {"id": "00v000000000001AAA", "success": True, "errors": []},
        row_refused("DUPLICATE_VALUE"),
        row_refused("FIELD_INTEGRITY_EXCEPTION"),
    ]
    with scripted() as script:
        script.say(replies(answers))
        outcomes = script.gateway().write(members)
    assert results(outcomes) == ["accepted", "accepted", "refused"]
    assert outcomes[0].record_id == "00v000000000001AAA"
    (part,) = script.asked[0]
    assert (part["method"], part["url"]) == ("POST", "/services/data/v66.0/composite/sobjects")


def test_a_duplicate_counts_as_written_for_what_is_inserted_only() -> None:
    with scripted() as script:
        script.say(replies([row_refused("DUPLICATE_VALUE")]))
        outcomes = script.gateway().write(writes(1))
    assert results(outcomes) == ["refused"]
