import ssl

import pytest
import requests
from urllib3.connection import HTTPConnection
from urllib3.exceptions import NewConnectionError, ProtocolError

from salesforce_bridge.errors import BridgeError, CannotStart, HaltWrites, RetryLater
from salesforce_bridge.salesforce import faults
from salesforce_bridge.salesforce.faults import code_of, translate, translate_transport

HTML = "<html><body>Service Not Available for jane@example.org</body></html>"


def said(code: str, message: str = "") -> object:
    return [{"errorCode": code, "message": message}]


@pytest.mark.parametrize(
    ("status", "content", "kind"),
    [
        (401, said("INVALID_SESSION_ID", "Session expired or invalid"), faults.SessionExpired),
        (
            401,
            said("INVALID_SESSION_ID", "This session is not valid for use with the REST API"),
            faults.ReadOnlyMode,
        ),
        (
            401,
            said("INVALID_SESSION_ID", "Connected app is not attached to Agent"),
            faults.ReadOnlyMode,
        ),
        (401, HTML, faults.SessionExpired),
        (403, said("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."), faults.QuotaSpent),
        (
            403,
            said("REQUEST_LIMIT_EXCEEDED", "ConcurrentRequests Limit exceeded."),
            faults.TooManyCalls,
        ),
        (403, said("INSUFFICIENT_ACCESS"), faults.AccessRefused),
        (403, said("API_DISABLED_FOR_ORG"), faults.AccessRefused),
        (403, HTML, faults.AccessRefused),
        (400, said("INVALID_FIELD", "No such column 'X' on entity"), faults.FieldMissing),
        (400, said("INVALID_TYPE"), faults.FieldMissing),
        (400, said("MALFORMED_QUERY"), faults.RequestRefused),
        (400, {"errorCode": "INVALID_FIELD", "message": "not in a list"}, faults.FieldMissing),
        (400, said("STORAGE_LIMIT_EXCEEDED"), faults.StorageFull),
        (400, said("QUERY_TIMEOUT"), faults.SalesforceUnavailable),
        (
            400,
            said("INSERT_UPDATE_DELETE_NOT_ALLOWED_DURING_MAINTENANCE"),
            faults.ReadOnlyMode,
        ),
        (404, said("NOT_FOUND"), faults.RequestRefused),
        (410, said("GONE"), faults.VersionGone),
        (410, HTML, faults.VersionGone),
        (302, "", faults.HostMoved),
        (406, "", faults.SalesforceUnavailable),
        (420, HTML, faults.SalesforceUnavailable),
        (429, HTML, faults.SalesforceUnavailable),
        (503, HTML, faults.SalesforceUnavailable),
        (503, said("SERVER_UNAVAILABLE"), faults.SalesforceUnavailable),
        (500, said("UNKNOWN_EXCEPTION"), faults.AnswerLost),
        (500, HTML, faults.AnswerLost),
        (502, HTML, faults.AnswerLost),
        (504, "", faults.AnswerLost),
        (414, "", faults.RequestRefused),
        (400, ["text", 7, None, {"errorCode": 5}], faults.RequestRefused),
    ],
)
def test_an_error_answer_is_translated_by_its_code_before_its_status(
    status: int, content: object, kind: type[BridgeError]
) -> None:
    error = translate(status, content)
    assert type(error) is kind
    assert error.hint


def test_the_four_policies_are_kept_apart() -> None:
    assert issubclass(faults.QuotaSpent, RetryLater)
    assert issubclass(faults.FieldMissing, HaltWrites)
    assert issubclass(faults.WrongOrg, CannotStart)
    assert issubclass(faults.AnswerMalformed, faults.AnswerLost)
    assert not issubclass(faults.SalesforceUnavailable, faults.AnswerLost)


def test_nothing_that_salesforce_wrote_gets_into_a_message() -> None:
    error = translate(400, said("INVALID_FIELD", "SELECT Email FROM Contact jane@example.org"))
    assert "jane" not in f"{error} {error.hint} {error.args}"
    html = translate(503, HTML)
    assert "jane" not in f"{html} {html.hint}"
    odd = translate(400, said("jane@example.org"))
    assert "jane" not in str(odd)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (requests.ConnectTimeout(), faults.SalesforceUnavailable),
        (requests.exceptions.ProxyError(), faults.SalesforceUnavailable),
        (
            requests.ConnectionError(NewConnectionError(HTTPConnection("127.0.0.1"), "refused")),
            faults.SalesforceUnavailable,
        ),
        (requests.ReadTimeout(), faults.AnswerLost),
        (
            requests.ConnectionError(ProtocolError("aborted", ConnectionResetError())),
            faults.AnswerLost,
        ),
        (requests.exceptions.ChunkedEncodingError(), faults.AnswerLost),
        (requests.exceptions.SSLError(ssl.SSLEOFError()), faults.AnswerLost),
        (
            requests.exceptions.SSLError(ssl.SSLCertVerificationError("self-signed")),
            faults.CertificateRefused,
        ),
    ],
)
def test_a_broken_connection_tells_whether_the_request_can_have_arrived(
    error: requests.RequestException, kind: type[BridgeError]
) -> None:
    assert type(translate_transport(error)) is kind


def test_causes_that_go_in_circles_are_followed_only_so_far() -> None:
    error = requests.ConnectionError()
    error.args = (error, error)
    assert isinstance(translate_transport(error), faults.AnswerLost)


def test_an_error_names_itself_like_a_salesforce_code() -> None:
    assert code_of(translate(503, "")) == "SALESFORCE_UNAVAILABLE"
