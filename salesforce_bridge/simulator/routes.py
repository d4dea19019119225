"""Which resource answers which method and path below /services/data/vX."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from salesforce_bridge.simulator import collection_calls, org_calls, query_calls, row_calls
from salesforce_bridge.simulator.call import Call
from salesforce_bridge.simulator.composite_calls import composite
from salesforce_bridge.simulator.refusals import RequestRefused, not_found
from salesforce_bridge.simulator.wire import Request, Response

Resource = Callable[[Call], Response]
_VERSION = re.compile(r"v(\d{1,3})\.0")
_ROOT = ("services", "data")


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A shape of path, `*` for what is left open, with its methods."""

    shape: tuple[str, ...]
    methods: Mapping[str, Resource]

    def match(self, segments: tuple[str, ...]) -> tuple[str, ...] | None:
        """The open parts of a path of this shape."""
        if len(segments) != len(self.shape):
            return None
        open_parts = []
        for wanted, segment in zip(self.shape, segments, strict=True):
            if wanted == "*":
                open_parts.append(segment)
            elif wanted.lower() != segment.lower():
                return None
        return tuple(open_parts)


def route(path: str, **methods: Resource) -> Route:
    """Write a route down in one line."""
    return Route(shape=tuple(path.split("/")) if path else (), methods=methods)


def answer(call: Call, request: Request) -> Response:
    """Answer a data call, of the wire or of a composite."""
    segments = request.segments
    if segments[:2] != _ROOT or len(segments) <= len(_ROOT):
        raise not_found()
    version = supported_version(segments[2])
    for each in ROUTES:
        parts = each.match(segments[3:])
        if parts is not None:
            return _allowed(each, request.method)(
                replace(call, request=request, version=version, parts=parts)
            )
    raise not_found()


def supported_version(segment: str) -> str:
    """The API version that a path names."""
    named = _VERSION.fullmatch(segment)
    number = int(named[1]) if named else 0
    if number in org_calls.RETIRED:
        message = f"The requested API version {number}.0 has been retired"
        raise RequestRefused(410, "GONE", message)
    if not org_calls.OLDEST <= number <= org_calls.NEWEST:
        raise not_found()
    return f"{number}.0"


def _allowed(found: Route, method: str) -> Resource:
    resource = found.methods.get(method)
    if resource is None:
        allowed = ", ".join(found.methods)
        message = f"HTTP Method '{method}' not allowed. Allowed are {allowed}"
        raise RequestRefused(405, "METHOD_NOT_ALLOWED", message)
    return resource


def _composite(call: Call) -> Response:
    if call.request.inner:
        raise RequestRefused(400, "INVALID_INPUT", "A composite cannot contain a composite")
    return composite(call, answer)


ROUTES = (
    route("", GET=org_calls.resources),
    route("limits", GET=org_calls.limits),
    route("query", GET=query_calls.query),
    route("queryAll", GET=query_calls.query_all),
    route("query/*", GET=query_calls.next_page),
    route("queryAll/*", GET=query_calls.next_page),
    route("sobjects", GET=org_calls.objects),
    route("sobjects/*/describe", GET=org_calls.object_description),
    route("sobjects/*", GET=org_calls.object_basics, POST=row_calls.create),
    route("sobjects/*/*", GET=row_calls.read, PATCH=row_calls.update, DELETE=row_calls.delete),
    route(
        "sobjects/*/*/*",
        GET=row_calls.read_by_key,
        PATCH=row_calls.upsert,
        DELETE=row_calls.delete_by_key,
    ),
    route(
        "composite/sobjects",
        POST=collection_calls.create,
        PATCH=collection_calls.update,
        DELETE=collection_calls.delete,
    ),
    route(
        "composite/sobjects/*",
        GET=collection_calls.retrieve,
        POST=collection_calls.retrieve_by_post,
    ),
    route("composite/sobjects/*/*", PATCH=collection_calls.upsert),
    route("composite", POST=_composite),
)
