"""Requests and responses as values, and the JSON and header habits of Salesforce."""

import gzip
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qs, unquote, unquote_plus, urlsplit

import orjson

from salesforce_bridge.simulator.refusals import Json, RequestRefused

JSON_TYPE = "application/json;charset=UTF-8"
FAILED_FROM = 400
_GZIP_FROM = 1400
"""Shorter bodies are cheaper sent as they are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request, of the wire or inside a composite."""

    method: str
    target: str
    headers: Mapping[str, str]
    """By lower-case name."""
    body: bytes = b""
    inner: bool = False
    """Whether it travelled inside a composite request."""
    content: Json = None
    """The body of an inner request, which came as JSON already."""

    @property
    def path(self) -> str:
        """The path without its query string, decoded, without a last slash."""
        path = unquote(urlsplit(self.target).path)
        return path.rstrip("/") or "/"

    @property
    def readable_target(self) -> str:
        """Path and query string as a person would write them."""
        return unquote_plus(self.target)

    @property
    def readable_query(self) -> str:
        """The query string as a person would write it."""
        return unquote_plus(urlsplit(self.target).query)

    @property
    def segments(self) -> tuple[str, ...]:
        """The parts of the path, each decoded only after the split, as in external id values."""
        return tuple(unquote(part) for part in urlsplit(self.target).path.strip("/").split("/"))

    def parameter(self, name: str) -> str | None:
        """A query parameter."""
        values = parse_qs(urlsplit(self.target).query, keep_blank_values=True).get(name)
        return values[0] if values else None

    def header(self, name: str) -> str | None:
        """A header by its name in any case."""
        return self.headers.get(name.lower())

    def json(self) -> Json:
        """The body read as JSON."""
        if self.inner:
            return self.content
        try:
            read: Json = orjson.loads(self.body)
        except orjson.JSONDecodeError as error:
            raise RequestRefused(
                400, "JSON_PARSER_ERROR", f"{error} at [line:1, column:1]"
            ) from error
        return read

    def json_object(self) -> dict[str, Json]:
        """The body, which must be a JSON object."""
        read = self.json()
        if not isinstance(read, dict):
            raise RequestRefused(400, "JSON_PARSER_ERROR", "The HTTP entity body must be an object")
        return read


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """What is sent back; `content` is JSON unless raw bytes are given."""

    status: int
    content: Json = None
    raw: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def failed(self) -> bool:
        """Whether the request was refused."""
        return self.status >= FAILED_FROM

    @property
    def empty(self) -> bool:
        """Whether there is no body at all."""
        return self.raw is None and self.content is None

    def body(self) -> bytes:
        """The bytes of the body."""
        if self.raw is not None:
            return self.raw
        return b"" if self.content is None else orjson.dumps(self.content)


def html(status: int, text: str) -> Response:
    """A page of the network in front of the org, which speaks no JSON."""
    page = f"<html><head><title>{text}</title></head><body><h1>{text}</h1></body></html>"
    return Response(
        status=status, raw=page.encode(), headers={"Content-Type": "text/html;charset=UTF-8"}
    )


def refused(refusal: RequestRefused) -> Response:
    """The answer to a refused request."""
    return Response(status=refusal.status, content=refusal.as_error_list())


def packed(response: Response, request: Request) -> tuple[dict[str, str], bytes]:
    """Headers and bytes of the body, packed if the caller can unpack it."""
    body = response.body()
    headers = dict(response.headers)
    if not response.empty:
        headers.setdefault("Content-Type", JSON_TYPE)
    if len(body) >= _GZIP_FROM and "gzip" in (request.header("Accept-Encoding") or ""):
        body = gzip.compress(body, compresslevel=1, mtime=0)
        headers["Content-Encoding"] = "gzip"
    return headers, body
