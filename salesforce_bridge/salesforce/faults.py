"""What Salesforce and the network refuse, translated once into our four policies.

Messages name a code, a status or a field. They never carry a URL, a query or a body: those hold addresses
of people, and messages end up in logs.
"""

import re
import ssl
from collections.abc import Iterator, Mapping
from http import HTTPStatus

import requests
from urllib3 import exceptions as wire

from salesforce_bridge.errors import BridgeError, CannotStart, HaltWrites, RetryLater, SkipRecord
from salesforce_bridge.salesforce.complaints import Complaint, complaints_of


class SessionExpired(RetryLater):
    """The access token is no longer accepted; a new one was tried, or will be."""


class HostMoved(RetryLater):
    """The instance answered with a redirect, which is never followed."""


class QuotaSpent(RetryLater):
    """The org has no API calls left for today."""


class TooManyCalls(RetryLater):
    """Too many long calls run in the org at once."""


class SalesforceUnavailable(RetryLater):
    """The request did not get through; nothing was done."""


class AnswerLost(RetryLater):
    """The request went out, and what became of it is not known."""


class AnswerMalformed(AnswerLost):
    """An answer came that is not what Salesforce documents."""


class ReadOnlyMode(RetryLater):
    """The org takes no writes, or no API calls at all, for a while; a new token would not help."""


class Interrupted(RetryLater):
    """Somebody asked us to stop while we were waiting."""


class RecordMalformed(SkipRecord):
    """One record cannot be understood."""

    def __init__(self, message: str, *, hint: str, table: str, record_id: str | None) -> None:
        super().__init__(message, hint=hint)
        self.table = table
        self.record_id = record_id


class AccessRefused(HaltWrites):
    """The integration user may not do this."""


class FieldMissing(HaltWrites):
    """A field or object that the bridge needs is not there, or hidden from the integration user."""


class StorageFull(HaltWrites):
    """The org has no room for new records."""


class RequestRefused(HaltWrites):
    """Salesforce calls the request itself wrong: a defect of ours or a surprising org."""


class LoginRefused(CannotStart):
    """Salesforce refuses the credentials for good."""


class LoginUnsafe(CannotStart):
    """The login URL or the host that Salesforce names is not one to send a secret to."""


class WrongOrg(CannotStart):
    """The credentials lead to another org than the one this ledger belongs to."""


class CertificateRefused(CannotStart):
    """The certificate of the other side cannot be verified."""


class VersionGone(CannotStart):
    """The org no longer speaks the configured API version."""


def translate(status: int, content: object) -> BridgeError:
    """Say what an error answer means for us: the code first, since a 403 may be a quota and a 401 maintenance."""
    for complaint in complaints_of(content):
        kind = _kind_of(complaint)
        if kind is not None:
            return fault(kind, complaint.code)
    return fault(_kind_of_status(status), f"HTTP {status}")


def translate_transport(error: requests.RequestException) -> BridgeError:
    """Say what a broken connection means for us: whether the request can have reached Salesforce."""
    causes = tuple(_causes(error))
    name = type(error).__name__
    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in causes):
        return fault(CertificateRefused, name)
    if any(isinstance(cause, _NOT_SENT) for cause in causes):
        return fault(SalesforceUnavailable, name)
    return fault(AnswerLost, name)


def fault(kind: type[BridgeError], detail: str) -> BridgeError:
    """Build an error with the sentence and the hint that belong to its kind."""
    says, hint = _SAYS[kind]
    return kind(f"{says} ({detail})", hint=hint)


def code_of(error: BridgeError) -> str:
    """Name an error the way Salesforce names its own, for outcomes that no single record caused."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", type(error).__name__).upper()


_DOCTOR = "salesforce-bridge doctor"
_SAYS: Mapping[type[BridgeError], tuple[str, str]] = {
    SessionExpired: (
        "Salesforce does not accept the access token",
        "it is renewed at the next try; if this goes on, check the session policy of the external client app",
    ),
    HostMoved: ("Salesforce answered with a redirect", "the next login finds the new host"),
    QuotaSpent: (
        "the org has used up its API calls of the last 24 hours",
        "see who uses them in Setup, System Overview; calls come back hour by hour",
    ),
    TooManyCalls: ("too many long API calls run in the org at once", "it is tried again by itself"),
    SalesforceUnavailable: (
        "Salesforce could not be reached or was too busy",
        "see https://status.salesforce.com; it is tried again by itself",
    ),
    AnswerLost: (
        "the connection broke before Salesforce answered",
        "the records concerned are looked at again by themselves",
    ),
    AnswerMalformed: (
        "Salesforce answered with something that is not its API",
        "see https://status.salesforce.com and check proxies in between",
    ),
    ReadOnlyMode: (
        "the org is in maintenance or refuses API calls for now",
        "see https://status.salesforce.com; if there is none, check the policies of the external client app",
    ),
    Interrupted: ("stopped while waiting for Salesforce", "start again: salesforce-bridge run"),
    AccessRefused: (
        "the integration user may not do this",
        f"assign the permission set of deploy/salesforce, then {_DOCTOR}",
    ),
    FieldMissing: ("a field or object is missing or hidden in the org", _DOCTOR),
    StorageFull: ("the org has no storage left", "free storage in Setup, Storage Usage"),
    RequestRefused: ("Salesforce refused the request itself", _DOCTOR),
    LoginRefused: (
        "Salesforce refused the login",
        f"check consumer key, user and certificate of the external client app, then {_DOCTOR}",
    ),
    LoginUnsafe: (
        "this host is not one to send a secret to",
        "set salesforce.login_url, then salesforce-bridge config check",
    ),
    WrongOrg: (
        "the login leads to another org than this ledger belongs to",
        "set salesforce.login_url to the right org, or start a ledger of its own for this one",
    ),
    CertificateRefused: (
        "the certificate of the other side cannot be verified",
        "set salesforce.ca_file to the CA bundle of your proxy",
    ),
    VersionGone: ("the org does not speak this API version", "set salesforce.api_version"),
}

_KINDS: Mapping[str, type[BridgeError]] = {
    "INVALID_SESSION_ID": SessionExpired,
    "INVALID_AUTH_HEADER": SessionExpired,
    "REQUEST_LIMIT_EXCEEDED": QuotaSpent,
    "EXCEEDED_QUOTA": StorageFull,
    "STORAGE_LIMIT_EXCEEDED": StorageFull,
    "INSERT_UPDATE_DELETE_NOT_ALLOWED_DURING_MAINTENANCE": ReadOnlyMode,
    "GONE": VersionGone,
    "UNSUPPORTED_API_VERSION": VersionGone,
    **dict.fromkeys(
        (
            "SERVER_UNAVAILABLE",
            "API_CURRENTLY_DISABLED",
            "QUERY_TIMEOUT",
            "TOO_MANY_APEX_REQUESTS",
            "TXN_SECURITY_METERING_ERROR",
            "UNABLE_TO_LOCK_ROW",
            "PROCESSING_HALTED",
            "LIMIT_EXCEEDED",
        ),
        SalesforceUnavailable,
    ),
    # The org gave up half-way or does not know itself: the effect of a write is open.
    **dict.fromkeys(
        (
            "UNKNOWN_EXCEPTION",
            "INTERNAL_ERROR",
            "INVALID_SERVER_ERROR",
            "REQUEST_RUNNING_TOO_LONG",
        ),
        AnswerLost,
    ),
    **dict.fromkeys(
        ("INVALID_FIELD", "INVALID_TYPE", "INVALID_FIELD_FOR_INSERT_UPDATE"), FieldMissing
    ),
    **dict.fromkeys(
        (
            "INSUFFICIENT_ACCESS",
            "INSUFFICIENT_ACCESS_OR_READONLY",
            "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY",
            "API_DISABLED_FOR_ORG",
            "FUNCTIONALITY_NOT_ENABLED",
            "TXN_SECURITY_NO_ACCESS",
            "CLIENT_NOT_ACCESSIBLE_FOR_USER",
            "INACTIVE_OWNER_OR_USER",
            "OPERATION_TOO_LARGE",
        ),
        AccessRefused,
    ),
}

# A new token changes nothing here: the token endpoint goes on answering, and a client that renews goes in circles.
_INCURABLE = ("not valid for use with the rest api", "connected app is not attached to agent")
_BUSY_STATUSES = frozenset(
    {
        HTTPStatus.NOT_ACCEPTABLE,
        HTTPStatus.REQUEST_TIMEOUT,
        420,  # the edge has no route to the instance
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.SERVICE_UNAVAILABLE,
    }
)
_STATUSES: Mapping[int, type[BridgeError]] = {
    HTTPStatus.UNAUTHORIZED: SessionExpired,
    HTTPStatus.FORBIDDEN: AccessRefused,
    HTTPStatus.GONE: VersionGone,
}
_NOT_SENT = (
    requests.exceptions.ConnectTimeout,
    requests.exceptions.ProxyError,
    wire.NewConnectionError,
    wire.ConnectTimeoutError,
    wire.ProxyError,
)
_CAUSES_MAX = 12


def _kind_of(complaint: Complaint) -> type[BridgeError] | None:
    kind = _KINDS.get(complaint.code)
    text = complaint.text.lower()
    if kind is SessionExpired and any(part in text for part in _INCURABLE):
        return ReadOnlyMode
    if kind is QuotaSpent and "concurrent" in text:
        return TooManyCalls
    return kind


def _kind_of_status(status: int) -> type[BridgeError]:
    if status in _STATUSES:
        return _STATUSES[status]
    if status in _BUSY_STATUSES:
        return SalesforceUnavailable
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        return HostMoved
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return AnswerLost
    return RequestRefused


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Walk through what an error wraps; libraries nest the reason in `args`, `reason` and `__cause__`."""
    waiting: list[BaseException] = [error]
    for _ in range(_CAUSES_MAX):
        if not waiting:
            return
        cause = waiting.pop()
        yield cause
        inner = (*cause.args, getattr(cause, "reason", None), cause.__cause__, cause.__context__)
        waiting.extend(each for each in inner if isinstance(each, BaseException))
