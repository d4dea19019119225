"""The health page and the metrics: what a probe, a scrape and a person on call ask the bridge."""

import socketserver
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import orjson
from prometheus_client import generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from typing_extensions import override

from salesforce_bridge.errors import CannotStart
from salesforce_bridge.metrics import Limits, Metrics, Vitals

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

UNCLEAN_MAX = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Ailment:
    """One reason why the bridge is not well, and what helps."""

    code: str
    text: str
    hint: str


class PortTaken(CannotStart):
    """Somebody else listens where the health page should be."""


def ailments(vitals: Vitals, limits: Limits, *, at: datetime) -> tuple[Ailment, ...]:
    """Say all that is wrong; a standby is not to blame for cycles that another bridge runs."""
    return () if vitals.standby else tuple(_of_the_writer(vitals, limits, at=at))


def _of_the_writer(vitals: Vitals, limits: Limits, *, at: datetime) -> Iterator[Ailment]:
    if vitals.halted is not None:
        yield Ailment(
            code="HALTED",
            text=f"Only stops are written until a person has looked: {vitals.halted}",
            hint="salesforce-bridge plan; if the cause is gone, salesforce-bridge ask resume; if the plan is"
            " right, stop the bridge and salesforce-bridge apply FILE --beyond-limits",
        )
    if vitals.circuit is not None:
        yield Ailment(
            code="CIRCUIT_OPEN",
            text=f"A mass change waits for a person, and only stops are written: {vitals.circuit}",
            hint="salesforce-bridge review circuit",
        )
    if vitals.oldest_unwritten is not None and at - vitals.oldest_unwritten > limits.unwritten_stop:
        yield Ailment(
            code="STOP_UNWRITTEN",
            text=f"{vitals.unwritten_stops} stops have not reached Salesforce,"
            f" the oldest for {_age(at - vitals.oldest_unwritten)}.",
            hint="salesforce-bridge status",
        )
    if vitals.unclean_cycles >= UNCLEAN_MAX:
        yield Ailment(
            code="CYCLE_UNCLEAN",
            text=f"{vitals.unclean_cycles} cycles in a row did not end clean"
            f" (last: {vitals.last_failure or 'records were left over'}).",
            hint="salesforce-bridge doctor",
        )
    since = vitals.last_clean_at or vitals.started_at
    if at - since > limits.clean_cycle:
        what = (
            "The last clean cycle was" if vitals.last_clean_at else "No clean cycle since the start"
        )
        yield Ailment(
            code="CYCLE_TOO_OLD",
            text=f"{what} {_age(at - since)} ago; Salesforce will show Wait.",
            hint="salesforce-bridge doctor",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Pages:
    """What the pages need to know, asked anew at each look."""

    vitals: Callable[[], Vitals]
    limits: Limits
    metrics: Metrics
    clock: Callable[[], datetime]
    version: str

    def __call__(self, environ: "WSGIEnvironment", start: "StartResponse") -> Iterable[bytes]:
        """Answer one request; nothing here changes anything."""
        if environ["REQUEST_METHOD"] not in {"GET", "HEAD"}:
            return _answer(start, "405 Method Not Allowed", b"", allow="GET, HEAD")
        match environ.get("PATH_INFO"):
            case "/healthz":
                return self._health(start)
            case "/metrics":
                self.metrics.show(self.vitals(), at=self.clock())
                body = generate_latest(self.metrics.registry)
                return _answer(start, "200 OK", body, kind=CONTENT_TYPE_PLAIN_0_0_4)
            case _:
                return _answer(start, "404 Not Found", b"/healthz or /metrics\n", kind="text/plain")

    def _health(self, start: "StartResponse") -> Iterable[bytes]:
        at, vitals = self.clock(), self.vitals()
        found = ailments(vitals, self.limits, at=at)
        well = "standby" if vitals.standby else "ok"
        answer = {
            "status": "ill" if found else well,
            "reasons": [{"code": a.code, "text": a.text, "hint": a.hint} for a in found],
            "lease": "held" if vitals.lease_held else "elsewhere" if vitals.standby else "not held",
            "last_cycle_at": vitals.last_cycle_at,
            "last_clean_cycle_at": vitals.last_clean_at,
            "unwritten_stops": vitals.unwritten_stops,
            "paused": vitals.paused,
            "circuit_open": vitals.circuit is not None,
            "version": self.version,
        }
        status = "503 Service Unavailable" if found else "200 OK"
        return _answer(start, status, orjson.dumps(answer, option=orjson.OPT_INDENT_2))


@contextmanager
def served(pages: Pages, *, host: str, port: int) -> Iterator[int]:
    """Serve the pages for as long as the block lasts.

    Gives the port, which matters when any was asked for.
    """
    try:
        server = make_server(host, port, pages, server_class=_Server, handler_class=_Conversation)
    except OSError as error:
        raise PortTaken(
            f"Cannot listen on {host} port {port}: {error.strerror}.",
            hint="set another web.port, or 0 for any free one",
        ) from error
    thread = threading.Thread(target=server.serve_forever, args=(0.1,), name="health", daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(socketserver.ThreadingMixIn, WSGIServer):
    daemon_threads = True
    block_on_close = False  # a probe that hangs does not keep the bridge from ending

    @override
    def server_bind(self) -> None:
        # The inherited way asks the name servers for our own name, which can take half a minute.
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), self.server_address[1]
        self.setup_environ()


class _Conversation(WSGIRequestHandler):
    timeout = 10  # seconds; a peer that says nothing is let go

    @override
    def log_message(self, format: str, *args: object) -> None:
        """Probes come every few seconds and say nothing new."""


def _answer(
    start: "StartResponse",
    status: str,
    body: bytes,
    *,
    kind: str = "application/json",
    allow: str = "",
) -> Iterable[bytes]:
    headers = [
        ("Content-Type", kind),
        ("Content-Length", str(len(body))),
        ("Cache-Control", "no-store"),
        ("X-Content-Type-Options", "nosniff"),
    ]
    start(status, [*headers, ("Allow", allow)] if allow else headers)
    return [body]


def _age(age: timedelta) -> str:
    minutes, seconds = divmod(int(age.total_seconds()), 60)
    return f"{minutes} min" if minutes else f"{seconds} s"
