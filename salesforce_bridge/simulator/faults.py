"""Trouble on demand: which requests it strikes, and what it does to them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from random import Random
from typing import Any

import orjson

from salesforce_bridge.simulator.refusals import Json, RowRefused
from salesforce_bridge.simulator.wire import Request, Response, html

INCURABLE = "This session is not valid for use with the REST API"
_QUOTA = {
    "daily": "TotalRequests Limit exceeded.",
    "concurrent": "ConcurrentRequests (Concurrent API Requests) Limit exceeded.",
}


class FaultMalformed(ValueError):
    """The script of a fault asks for what does not exist."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RowTrouble:
    """Which records of a write are refused, and how."""

    status_code: str = "UNABLE_TO_LOCK_ROW"
    message: str = "unable to obtain exclusive access to this record"
    match: str | None = None
    """A pattern for the record's JSON."""
    every: int = 1
    """Of the records that match, every k-th."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One line of the script: the conditions must all hold, and every effect given is played."""

    method: str | None = None
    path: str | None = None
    """A pattern searched in path and query string."""
    body: str | None = None
    """A pattern searched in the body."""
    call: int | None = None
    """Only the n-th matching request from now, counted from 1."""
    every: int | None = None
    """Every k-th matching request."""
    probability: float | None = None
    seed: int = 0
    count: int | None = None
    """How often it strikes at most."""

    status: int | None = None
    error_code: str = "SERVER_UNAVAILABLE"
    message: str = "Server is unavailable"
    html: bool = False
    """With `status`: a page of the network instead of JSON."""
    drop: str | None = None
    """Cut the connection `before` or `after` the work is done."""
    truncate: bool = False
    """Send half of the body, and then nothing."""
    garble: str | None = None
    """A pattern: what it matches in the JSON that is sent becomes null, as a proxy or a migration may spoil it."""
    delay: float = 0
    """Seconds before the work begins."""
    trickle: float = 0
    """Seconds over which the body drips out."""
    expire_session: bool = False
    incurable: bool = False
    """The 401 that no new token cures."""
    quota: str | None = None
    """`daily` or `concurrent`."""
    redirect: str | None = None
    """The Location of a 302, or of the 3xx in `status`."""
    skew: float = 0
    """Seconds that the Date header is off."""
    rows: RowTrouble | None = None


@dataclass(slots=True, kw_only=True)
class _Armed:
    fault: Fault
    random: Random
    met: int = 0
    struck: int = 0
    rows_met: int = field(default=0)

    def strikes(self, request: Request) -> bool:
        """Whether this request is hit."""
        fault = self.fault
        if fault.count is not None and self.struck >= fault.count:
            return False
        if not _concerns(fault, request):
            return False
        self.met += 1
        hit = (
            (fault.call is None or self.met == fault.call)
            and (fault.every is None or self.met % fault.every == 0)
            and (fault.probability is None or self.random.random() < fault.probability)
        )
        self.struck += hit
        return hit

    def refuses(self, written: str) -> bool:
        """Whether this record is hit."""
        rows = self.fault.rows
        if rows is None or (rows.match is not None and not re.search(rows.match, written)):
            return False
        self.rows_met += 1
        return self.rows_met % rows.every == 0


class Trouble:
    """All that befalls one request."""

    def __init__(self, armed: list[_Armed]) -> None:
        self._armed = armed
        self.faults = tuple(one.fault for one in armed)

    def answer(self) -> Response | None:
        """An answer that comes instead of the work."""
        for fault in self.faults:
            found = _answer(fault)
            if found is not None:
                return found
        return None

    def refusal(self, object_name: str, payload: Mapping[str, Json]) -> RowRefused | None:
        """The refusal of one record inside a write."""
        if not any(fault.rows for fault in self.faults):
            return None
        written = orjson.dumps({"attributes": {"type": object_name}} | dict(payload)).decode()
        for one in self._armed:
            if one.fault.rows is not None and one.refuses(written):
                return RowRefused(one.fault.rows.status_code, one.fault.rows.message)
        return None

    def drops(self, moment: str) -> bool:
        """Whether the connection is cut before or after the work."""
        return any(fault.drop == moment for fault in self.faults)

    @property
    def expires_session(self) -> bool:
        """Whether the session dies first."""
        return any(fault.expire_session for fault in self.faults)

    @property
    def truncates(self) -> bool:
        """Whether the body is cut short."""
        return any(fault.truncate for fault in self.faults)

    def garbled(self, response: Response) -> Response:
        """The answer with a part of it spoilt."""
        for fault in self.faults:
            if fault.garble is not None and response.content is not None:
                text = re.sub(fault.garble, "null", orjson.dumps(response.content).decode())
                response = replace(response, content=orjson.loads(text))
        return response

    @property
    def delay(self) -> float:
        """Seconds to wait before the work."""
        return sum(fault.delay for fault in self.faults)

    @property
    def trickle(self) -> float:
        """Seconds over which the body is sent."""
        return sum(fault.trickle for fault in self.faults)

    @property
    def skew(self) -> float:
        """Seconds that the Date header is off."""
        return sum(fault.skew for fault in self.faults)


class Faults:
    """The script as it stands."""

    def __init__(self) -> None:
        self._armed: dict[str, _Armed] = {}
        self._numbered = 0

    def add(self, fault: Fault) -> str:
        """Arm a fault; returns the name under which it can be taken away."""
        self._numbered += 1
        name = f"fault-{self._numbered}"
        self._armed[name] = _Armed(fault=fault, random=Random(fault.seed))  # noqa: S311 - a rehearsal must repeat itself
        return name

    def clear(self, name: str | None = None) -> None:
        """Take away one fault, or all."""
        if name is None:
            self._armed.clear()
        else:
            self._armed.pop(name, None)

    def befalling(self, request: Request) -> Trouble:
        """What strikes this request."""
        return Trouble([one for one in self._armed.values() if one.strikes(request)])


def fault_of(spec: Mapping[str, Json]) -> Fault:
    """Read a fault from JSON, refusing names that mean nothing."""
    known = {one.name for one in fields(Fault)}
    unknown = sorted(set(spec) - known)
    if unknown:
        raise FaultMalformed(f"unknown in a fault: {', '.join(unknown)}")
    given: dict[str, Any] = dict(spec)
    rows = given.pop("rows", None)
    return Fault(**given, rows=None if rows is None else RowTrouble(**rows))


def _concerns(fault: Fault, request: Request) -> bool:
    if fault.method is not None and fault.method != request.method:
        return False
    if fault.path is not None and not re.search(fault.path, request.readable_target):
        return False
    return fault.body is None or bool(
        re.search(fault.body, request.body.decode("utf-8", "replace"))
    )


def _answer(fault: Fault) -> Response | None:
    if fault.incurable:
        return _error(401, "INVALID_SESSION_ID", INCURABLE)
    if fault.quota is not None:
        return _error(403, "REQUEST_LIMIT_EXCEEDED", _QUOTA[fault.quota])
    if fault.redirect is not None:
        return Response(status=fault.status or 302, headers={"Location": fault.redirect})
    if fault.html:
        return html(fault.status or 503, "Service Not Available")
    if fault.status is not None:
        return _error(fault.status, fault.error_code, fault.message)
    return None


def _error(status: int, code: str, message: str) -> Response:
    return Response(status=status, content=[{"message": message, "errorCode": code}])
