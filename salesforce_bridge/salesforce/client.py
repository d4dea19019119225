"""One hardened way to ask Salesforce: a call, its answer, and what to do when there is none."""

import json
import random
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from http import HTTPStatus
from typing import Any, TypeVar

import orjson
import requests
from simple_salesforce.api import Salesforce
from simple_salesforce.exceptions import SalesforceError
from tenacity import (
    Retrying,
    retry_if_exception_type,
    stop_after_attempt,
    stop_before_delay,
    wait_random_exponential,
)
from typing_extensions import override

from salesforce_bridge.errors import BridgeError
from salesforce_bridge.salesforce.auth import Auth, Token
from salesforce_bridge.salesforce.budget import Meter, Usage
from salesforce_bridge.salesforce.faults import (
    AnswerLost,
    AnswerMalformed,
    HostMoved,
    Interrupted,
    SalesforceUnavailable,
    SessionExpired,
    TooManyCalls,
    fault,
    translate,
    translate_transport,
)

Answered = TypeVar("Answered")


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One request inside a Composite call; the path starts below `/services/data/vXX.X/`."""

    method: str
    path: str
    body: object = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What became of one part."""

    status: int
    body: object


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What Salesforce said to one Composite call, part by part, and when by its own clock."""

    server_time: datetime | None
    replies: tuple[Reply, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Retries:
    """How long to be patient inside one call; the next tick tries again anyway."""

    attempts: int = 4
    first: timedelta = timedelta(seconds=0.5)
    longest: timedelta = timedelta(seconds=15)
    total: timedelta = timedelta(seconds=60)


class Resend(Enum):
    """When a call may go out once more."""

    ALWAYS = "ALWAYS"  # it reads, or writes what is the same twice
    IF_NOT_SENT = "IF_NOT_SENT"  # a lost answer must be looked into, not written over


class Client:
    """Asks Salesforce through Composite calls; counts them, renews the token once, retries what is safe."""

    def __init__(
        self,
        *,
        session: requests.Session,
        meter: Meter,
        auth: Auth,
        api_version: str,
        retries: Retries,
        wait: Callable[[float], bool],
    ) -> None:
        self._session = session
        self._meter = meter
        self._auth = auth
        self._version = api_version
        self._retries = retries
        self._wait = wait  # as `threading.Event.wait`: true means stop now
        self._turn = threading.Lock()  # simple-salesforce is not made for threads
        self._library: tuple[Token, _Library] | None = None
        self.calls = 0

    @property
    def usage(self) -> Usage | None:
        """The API calls of the org as of the last answer."""
        return self._meter.usage

    @property
    def token(self) -> Token:
        """The token of the moment; logs in when there is none."""
        return self._retrying(Resend.ALWAYS)(self._auth.token)

    def composite(
        self,
        parts: Sequence[Part],
        *,
        resend: Resend,
        read: Callable[[Answer], Answered],
    ) -> Answered:
        """Send up to 25 parts in one API call and read the answer; what `read` raises is retried as well."""
        body = orjson.dumps(
            {
                "allOrNone": False,
                "collateSubrequests": False,
                "compositeRequest": [self._subrequest(at, part) for at, part in enumerate(parts)],
            }
        )
        answered: Answered = self._retrying(resend)(self._attempt, body, len(parts), read)
        return answered

    def pause(self, seconds: float) -> None:
        """Wait, unless somebody asks us to stop."""
        if self._wait(seconds):
            raise fault(Interrupted, "stop was asked for")

    def settle_down(self, turn: int) -> None:
        """Let the org get over locks and load, longer from turn to turn."""
        seconds = self._retries.first.total_seconds() * 2**turn
        # Jitter keeps two clients that met each other from meeting again.
        seconds *= random.uniform(0.5, 1.5)  # noqa: S311  # no secret depends on it
        self.pause(min(seconds, self._retries.longest.total_seconds()))

    def close(self) -> None:
        """Let go of the connections; the token stays valid, for others may share it."""
        self._session.close()

    def _subrequest(self, at: int, part: Part) -> dict[str, object]:
        request: dict[str, object] = {
            "method": part.method,
            "url": f"/services/data/v{self._version}/{part.path}",
            "referenceId": _reference(at),
        }
        if part.body is not None:
            request["body"] = part.body
        if part.headers:
            request["httpHeaders"] = dict(part.headers)
        return request

    def _attempt(self, body: bytes, count: int, read: Callable[[Answer], Answered]) -> Answered:
        token = self._auth.token()
        try:
            return read(self._post(token, body, count))
        except (SessionExpired, HostMoved):
            renewed = self._auth.renew(token)
        return read(self._post(renewed, body, count))

    def _post(self, token: Token, body: bytes, count: int) -> Answer:
        content, server_time = self._send(token, body)
        return Answer(server_time=server_time, replies=_replies(content, count))

    def _send(self, token: Token, body: bytes) -> tuple[object, datetime | None]:
        problem: BridgeError
        with self._turn:
            self.calls += 1
            try:
                content = self._library_for(token).restful(
                    "composite", method="POST", data=body, allow_redirects=False
                )
            except SalesforceError as error:
                problem = translate(error.status, error.content)
            except requests.RequestException as error:
                problem = translate_transport(error)
                self._session.close()  # a new connection also asks the name servers anew
            except (ValueError, RecursionError):
                problem = fault(AnswerMalformed, "no JSON")
            else:
                return content, self._meter.server_time
        # Raised out here because the library's exceptions quote URLs and bodies, and inside the block
        # they would travel along as the context.
        raise problem

    def _library_for(self, token: Token) -> "_Library":
        if self._library is None or self._library[0] != token:
            # Its addresses are computed once, so a new token needs a new object.
            self._library = (token, _Library(self._session, token, self._version))
        return self._library[1]

    def _retrying(self, resend: Resend) -> Retrying:
        kinds: tuple[type[BridgeError], ...] = (SalesforceUnavailable, TooManyCalls)
        if resend is Resend.ALWAYS:
            kinds = (*kinds, AnswerLost)
        return Retrying(
            retry=retry_if_exception_type(kinds),
            wait=wait_random_exponential(
                multiplier=self._retries.first.total_seconds(),
                max=self._retries.longest.total_seconds(),
            ),
            stop=stop_after_attempt(self._retries.attempts)
            | stop_before_delay(self._retries.total.total_seconds()),
            sleep=self.pause,
            reraise=True,
        )


class _Library(Salesforce):
    """simple-salesforce with a token it did not fetch: it cannot log in, cannot refresh, and decodes fast."""

    def __init__(self, session: requests.Session, token: Token, version: str) -> None:
        super().__init__(
            session=session,
            session_id=token.access_token,
            instance_url=token.instance_url,
            version=version,
        )
        self.headers.pop("X-PrettyPrint", None)  # indented answers are half as large again

    @override
    def parse_result_to_json(self, result: requests.Response) -> Any:
        if result.status_code != HTTPStatus.OK:
            raise fault(AnswerMalformed, f"HTTP {result.status_code}")
        return _decoded(result.content)


def _decoded(content: bytes) -> object:
    try:
        decoded: object = orjson.loads(content)
    except orjson.JSONDecodeError:
        # A text cut in the middle of a character leaves half a surrogate pair, which orjson refuses: one odd
        # name must not make a whole page unreadable.
        lenient = json.dumps(json.loads(content), ensure_ascii=False)
        return orjson.loads(lenient.encode("utf-8", "replace"))
    return decoded


def _replies(content: object, count: int) -> tuple[Reply, ...]:
    """Put the answers in the order of the questions; one that is missing makes the whole answer worthless."""
    listed = content.get("compositeResponse") if isinstance(content, dict) else None
    found: dict[object, Reply] = {}
    for entry in listed if isinstance(listed, list) else ():
        if isinstance(entry, dict) and isinstance(entry.get("httpStatusCode"), int):
            found[entry.get("referenceId")] = Reply(
                status=entry["httpStatusCode"], body=entry.get("body")
            )
    try:
        return tuple(found[_reference(at)] for at in range(count))
    except KeyError:
        pass
    raise fault(AnswerMalformed, "a part of the answer is missing")


def _reference(at: int) -> str:
    return f"part{at}"
