import json
import ssl
import threading
import traceback
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from salesforce_bridge.errors import BridgeError
from salesforce_bridge.salesforce.faults import (
    AnswerLost,
    AnswerMalformed,
    CertificateRefused,
    FieldMissing,
    HostMoved,
    Interrupted,
    LoginRefused,
    QuotaSpent,
    ReadOnlyMode,
    SalesforceUnavailable,
    SessionExpired,
    VersionGone,
)
from salesforce_bridge.salesforce.gateway import Gateway
from tests.unit.salesforce.scripted import (
    AT,
    TOKEN,
    Saying,
    contact_id,
    contact_stamp,
    page,
    raw,
    refused,
    replies,
    scripted,
    soql_of,
    token_answer,
)

EXPIRED = refused(401, "INVALID_SESSION_ID", "Session expired or invalid")
IDLE = replies(page(), page())


def poll(gateway: Gateway) -> int:
    return gateway.poll(AT, AT, None).calls


@pytest.mark.parametrize(
    "trouble",
    [
        refused(503, "SERVER_UNAVAILABLE"),
        refused(403, "REQUEST_LIMIT_EXCEEDED", "ConcurrentRequests Limit exceeded."),
        refused(500, "UNKNOWN_EXCEPTION"),
        raw(503, "<html>Service Not Available</html>"),
        raw(502, ""),
        raw(420, "<html>no route</html>"),
        raw(200, "<html>maintenance</html>"),
        raw(200, '{"compositeResponse": [{"body"'),
        raw(200, {"compositeResponse": []}),
        raw(200, {"compositeResponse": [{"referenceId": "part0"}, "x"]}),
        raw(200, []),
        raw(204, ""),
        raw(201, {"compositeResponse": []}),
        raw(200, "[" * 5000),
        replies((500, [{"errorCode": "QUERY_TIMEOUT", "message": "slow"}]), page()),
        replies({"totalSize": 0}, page()),
        replies({"records": [], "totalSize": 0}, page()),
        replies(page(total=3), page()),
        replies(page({"Email": "no id"}), page()),
        requests.ConnectionError("reset"),
        requests.ReadTimeout("slow"),
        requests.exceptions.ChunkedEncodingError("cut"),
    ],
)
def test_a_read_is_tried_again_when_the_world_is_busy_or_broken(trouble: Saying) -> None:
    with scripted() as script:
        script.say(trouble, IDLE)
        assert poll(script.gateway()) == 2
        assert len(script.waits) == 1
        assert script.logins() == 1


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (refused(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."), QuotaSpent),
        (
            refused(
                401,
                "INVALID_SESSION_ID",
                "This session is not valid for use with the REST API",
            ),
            ReadOnlyMode,
        ),
        (refused(400, "INVALID_FIELD"), FieldMissing),
        (refused(410, "GONE"), VersionGone),
        (requests.exceptions.SSLError("x"), AnswerLost),
        (replies((400, [{"errorCode": "INVALID_FIELD", "message": "m"}]), page()), FieldMissing),
    ],
)
def test_what_waiting_cannot_cure_is_not_tried_again(
    answer: Saying, kind: type[BridgeError]
) -> None:
    with scripted() as script:
        script.say(answer)
        with pytest.raises(kind):
            poll(script.gateway(attempts=1 if kind is AnswerLost else 3))
        assert script.waits == []
        assert script.logins() == 1


def test_patience_ends_after_the_allowed_attempts() -> None:
    with scripted() as script:
        script.say(*[refused(503, "SERVER_UNAVAILABLE")] * 3)
        gateway = script.gateway(attempts=3)
        with pytest.raises(SalesforceUnavailable):
            poll(gateway)
        assert gateway.calls == 3


def test_a_stop_ends_the_waiting() -> None:
    with scripted() as script:
        script.stop_at_wait = 1
        script.say(refused(503, "SERVER_UNAVAILABLE"))
        with pytest.raises(Interrupted):
            poll(script.gateway())


def test_an_expired_session_is_renewed_once_and_the_request_sent_again() -> None:
    with scripted(token=False) as script:
        script.mock.post(TOKEN, json=token_answer("old"))
        script.mock.post(TOKEN, json=token_answer("new"))
        script.say(EXPIRED, IDLE)
        assert poll(script.gateway()) == 2
        assert [each["Authorization"] for each in script.headers] == ["Bearer old", "Bearer new"]
        assert script.waits == []


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (EXPIRED, SessionExpired),
        (raw(401, "<html>"), SessionExpired),
        (raw(401, {"error": "x"}), SessionExpired),
        (raw(302, "", Location="https://evil.example.org"), HostMoved),
    ],
)
def test_a_session_that_stays_refused_is_renewed_only_once(
    answer: Saying, kind: type[BridgeError]
) -> None:
    with scripted() as script:
        script.say(answer, answer)
        with pytest.raises(kind):
            poll(script.gateway())
        assert script.logins() == 2
        assert len(script.mock.calls) == 4  # the redirect was not followed


def test_a_session_that_dies_inside_the_call_is_renewed_too() -> None:
    dead = (401, [{"errorCode": "INVALID_SESSION_ID", "message": "Session expired or invalid"}])
    with scripted() as script:
        script.say(replies(page(), dead), IDLE)
        assert poll(script.gateway()) == 2
        assert script.logins() == 2


def test_a_login_that_is_refused_while_renewing_ends_the_call() -> None:
    with scripted(token=False) as script:
        script.mock.post(TOKEN, json=token_answer("old"))
        script.mock.post(TOKEN, json={"error": "inactive_user"}, status=400)
        script.say(EXPIRED)
        with pytest.raises(LoginRefused):
            poll(script.gateway())


def test_a_login_that_is_busy_is_tried_again() -> None:
    with scripted(token=False) as script:
        script.mock.post(TOKEN, body="<html>", status=503)
        script.mock.post(TOKEN, json=token_answer("t"))
        gateway = script.gateway()
        assert gateway.identity().org_id
        assert len(script.waits) == 1
        assert gateway.calls == 0


def test_the_usage_header_is_read_from_errors_too() -> None:
    with scripted() as script:
        script.say(
            raw(
                403,
                [{"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": "TotalRequests"}],
                **{"Sforce-Limit-Info": "api-usage=15001/15000"},
            )
        )
        gateway = script.gateway()
        with pytest.raises(QuotaSpent):
            poll(gateway)
        usage = gateway.usage
        assert usage is not None
        assert usage.share > 1


def test_calls_say_who_makes_them_and_ask_for_small_answers() -> None:
    with scripted() as script:
        script.say(IDLE)
        poll(script.gateway())
        headers = script.headers[0]
        assert headers["Sforce-Call-Options"] == "client=salesforce_bridge"
        assert headers["Accept-Encoding"] == "gzip"
        assert "X-PrettyPrint" not in headers
        assert headers["Content-Type"] == "application/json"


@pytest.mark.parametrize(
    "trouble",
    [
        refused(400, "MALFORMED_QUERY", "SELECT Id FROM Contact WHERE Email = 'jane@example.org'"),
        raw(404, "<html>jane@example.org</html>"),
        raw(200, "jane@example.org"),
        requests.ConnectionError("https://acme.my.salesforce.com/jane@example.org"),
    ],
)
def test_no_address_url_or_query_can_reach_a_log_through_an_error(trouble: Saying) -> None:
    with scripted() as script:
        script.say(trouble)
        with pytest.raises(BridgeError) as caught:
            poll(script.gateway(attempts=1))
        printed = "".join(traceback.format_exception(caught.value))
        shown = "\n".join(line for line in printed.splitlines() if "raise" not in line)
        assert "jane" not in shown
        assert "https://acme" not in shown
        context = caught.value.__context__
        while context is not None:
            assert isinstance(context, BridgeError)
            context = context.__context__


def test_half_a_character_in_one_record_does_not_make_a_page_unreadable() -> None:
    body = json.dumps(
        {
            "compositeResponse": [
                {
                    "body": page({**contact_stamp(contact_id(1)), "Name": "\ud83d"}),
                    "httpStatusCode": 200,
                    "referenceId": "part0",
                },
                {"body": page(), "httpStatusCode": 200, "referenceId": "part1"},
            ]
        }
    )
    with scripted() as script:
        script.say(raw(200, body))
        assert len(script.gateway().poll(AT, AT, None).contacts) == 1


def test_threads_that_share_a_gateway_take_turns() -> None:
    inside = threading.Lock()

    def say(request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        assert inside.acquire(blocking=False), "two calls at once"
        try:
            return IDLE(request) if not isinstance(IDLE, Exception) else (500, {}, "")
        finally:
            inside.release()

    with scripted() as script, ThreadPoolExecutor(4) as pool:
        script.say(*[say] * 8)
        gateway = script.gateway()
        polls = list(pool.map(lambda _: gateway.poll(AT, AT, None), range(8)))
        assert gateway.calls == 8
        assert all(each.server_time == AT for each in polls)


def test_a_poll_without_a_server_time_is_not_trusted() -> None:
    def without_date(request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        assert not isinstance(IDLE, Exception)
        status, _headers, body = IDLE(request)
        return status, {}, body

    with scripted() as script:
        script.say(without_date)
        with pytest.raises(AnswerMalformed, match="Date"):
            poll(script.gateway())


def test_a_certificate_that_cannot_be_verified_is_for_the_operator() -> None:
    with scripted() as script:
        script.say(requests.exceptions.SSLError(ssl.SSLCertVerificationError("self-signed")))
        with pytest.raises(CertificateRefused) as caught:
            poll(script.gateway())
        assert "ca_file" in caught.value.hint


def test_the_first_question_of_a_poll_is_what_was_stamped_since() -> None:
    with scripted() as script:
        script.say(IDLE)
        poll(script.gateway())
        assert soql_of(script.asked[0][0]) == (
            "SELECT Id, SystemModstamp, IsDeleted, MasterRecordId FROM Contact"
            " WHERE SystemModstamp >= 2026-11-23T10:00:00Z ORDER BY SystemModstamp, Id LIMIT 2000"
        )
        assert "MasterRecordId" not in soql_of(script.asked[0][1])
