"""The composite resource: up to 25 calls in one, counted as one."""

import re
from collections.abc import Callable

import orjson

from salesforce_bridge.simulator.call import Call, refuse_conditions
from salesforce_bridge.simulator.refusals import Json, RequestRefused, not_found
from salesforce_bridge.simulator.wire import Request, Response, refused

SUBREQUESTS_MAX = 25
HEAVY_MAX = 5
METHODS = frozenset({"GET", "POST", "PATCH", "PUT", "DELETE"})
_REFERENCE_ID = re.compile(r"[A-Za-z0-9_]{1,50}")
_INNER_PATH = re.compile(r"/services/data/v\d+\.\d/.+")
_HEAVY = re.compile(r"/services/data/v[\d.]+/(query|queryAll|composite/sobjects)\b", re.IGNORECASE)
Answer = Callable[[Call, Request], Response]


def composite(call: Call, answer: Answer) -> Response:
    """Answer POST composite; `answer` is how any single data call is answered."""
    refuse_conditions(call)
    body = call.request.json_object()
    subrequests = _subrequests(body)
    savepoint = call.org.store.savepoint()
    answers = [(name, _answered(call, request, answer)) for name, request in subrequests]
    if body.get("allOrNone") is True and any(one.failed for _, one in answers):
        call.org.store.roll_back(savepoint)
        answers = [(name, one if one.failed else _halted()) for name, one in answers]
    return Response(
        status=200, content={"compositeResponse": [_told(name, one) for name, one in answers]}
    )


def inner_calls(body: bytes) -> tuple[str, ...]:
    """Methods and paths inside a composite request, for the log of calls."""
    try:
        read = Request(method="POST", target="/", headers={}, body=body).json_object()
        return tuple(f"{one.method} {one.target}" for _, one in _subrequests(read))
    except RequestRefused:
        return ()


def _answered(call: Call, request: Request, answer: Answer) -> Response:
    # References to earlier answers are not offered; one is refused rather than taken literally.
    refers = b"@{" in call.request.body
    if refers and ("@{" in request.target or b"@{" in orjson.dumps(request.content)):
        return refused(not_found())
    savepoint = call.org.store.savepoint()
    try:
        return answer(call, request)
    except RequestRefused as refusal:
        call.org.store.roll_back(savepoint)
        return refused(refusal)


def _halted() -> Response:
    message = (
        "The transaction was rolled back since another operation in the same transaction failed."
    )
    return refused(RequestRefused(400, "PROCESSING_HALTED", message))


def _told(name: str, answer: Response) -> Json:
    return {
        "body": answer.content,
        "httpHeaders": dict(answer.headers),
        "httpStatusCode": answer.status,
        "referenceId": name,
    }


def _subrequests(body: dict[str, Json]) -> list[tuple[str, Request]]:
    listed = body.get("compositeRequest")
    if not isinstance(listed, list) or not listed:
        raise _invalid("compositeRequest: a list of subrequests is required")
    if len(listed) > SUBREQUESTS_MAX:
        raise _invalid(f"Cannot have more than {SUBREQUESTS_MAX} subrequests in a composite")
    subrequests = [_subrequest(one) for one in listed]
    names = [name for name, _ in subrequests]
    if len(set(names)) < len(names):
        raise _invalid("Duplicate referenceId provided in the request")
    heavy = sum(1 for _, one in subrequests if _HEAVY.match(one.target))
    if heavy > HEAVY_MAX:
        raise _invalid(
            f"Cannot have more than {HEAVY_MAX} query or sObject collection operations in a "
            "composite"
        )
    return subrequests


def _subrequest(listed: Json) -> tuple[str, Request]:
    if not isinstance(listed, dict):
        raise _invalid("A subrequest must be an object")
    method, url, name = (listed.get(key) for key in ("method", "url", "referenceId"))
    if not isinstance(name, str) or not _REFERENCE_ID.fullmatch(name):
        raise _invalid(f"Provided referenceId is invalid: {name}")
    if not isinstance(method, str) or method not in METHODS:
        raise _invalid(f"Invalid method in subrequest {name}: {method}")
    if not isinstance(url, str) or not _INNER_PATH.fullmatch(url):
        raise _invalid(f"Invalid url in subrequest {name}: {url}")
    headers = listed.get("httpHeaders") or {}
    if not isinstance(headers, dict):
        raise _invalid(f"Invalid httpHeaders in subrequest {name}")
    written = {str(key).lower(): str(value) for key, value in headers.items()}
    return name, Request(
        method=method, target=url, headers=written, content=listed.get("body"), inner=True
    )


def _invalid(message: str) -> RequestRefused:
    return RequestRefused(400, "INVALID_INPUT", message)
