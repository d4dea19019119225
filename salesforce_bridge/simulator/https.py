"""HTTPS on loopback, as the production client expects it of Salesforce."""

import contextlib
import gzip
import socket
import ssl
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread

from typing_extensions import override

from salesforce_bridge.simulator.front import Sent, Wait
from salesforce_bridge.simulator.wire import Request, packed

HANDSHAKE_SECONDS = 10
IDLE_SECONDS = 120
_TRICKLE_PIECES = 20


Answer = Callable[[Request, Wait], Sent]
METHODS = ("GET", "POST", "PATCH", "PUT", "DELETE", "HEAD")


class HttpsServer(ThreadingHTTPServer):
    """Serves until stopped, and then leaves no thread and no connection behind."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int, context: ssl.SSLContext, answer: Answer) -> None:
        self._context = context
        self._open: set[socket.socket] = set()
        self._open_lock = Lock()
        self.stopped = Event()
        self.answer = answer
        super().__init__(("127.0.0.1", port), _Connection)
        self._thread = Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05})

    @property
    def port(self) -> int:
        """The port, which the system chose if none was wished for."""
        return int(self.server_address[1])

    def start(self) -> None:
        """Begin to serve."""
        self._thread.start()

    def stop(self) -> None:
        """End: no new connections, the open ones cut."""
        self.stopped.set()
        if self._thread.is_alive():
            self.shutdown()
            self._thread.join()
        with self._open_lock:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
        self.server_close()

    @override
    def process_request_thread(
        self, request: socket.socket | tuple[bytes, socket.socket], client_address: object
    ) -> None:
        assert isinstance(request, socket.socket)
        request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        request.settimeout(HANDSHAKE_SECONDS)
        with self._open_lock:
            self._open.add(request)
        try:
            # The handshake happens here and not while accepting: one slow caller blocks nobody.
            with self._context.wrap_socket(request, server_side=True) as connection:
                connection.settimeout(IDLE_SECONDS)
                with self._open_lock:
                    self._open.discard(request)
                    self._open.add(connection)
                try:
                    self.finish_request(connection, client_address)
                finally:
                    with self._open_lock:
                        self._open.discard(connection)
        except OSError:
            # A caller that distrusts us, leaves or falls silent is no trouble of the server's.
            return
        finally:
            with self._open_lock:
                self._open.discard(request)
            request.close()


class _Connection(BaseHTTPRequestHandler):
    """One kept-alive connection."""

    protocol_version = "HTTP/1.1"
    wbufsize = 65_536
    server: HttpsServer

    @override
    def log_message(self, format: str, *args: object) -> None:
        return

    def respond(self) -> None:
        """Answer the request that was just read."""
        request = Request(
            method=self.command,
            target=self.path,
            headers={name.lower(): value for name, value in self.headers.items()},
            body=self._body(),
        )
        sent = self.server.answer(request, self.server.stopped.wait)
        if sent.response is None:
            self.close_connection = True
            return
        headers, body = packed(sent.response, request)
        self.send_response_only(sent.response.status)
        self.send_header("Date", sent.date)
        for name, value in headers.items():
            self.send_header(name, value)
        self._fixed_headers(body, bodiless=sent.response.status in {204, 304})
        self.end_headers()
        self._send(body, sent)

    def _fixed_headers(self, body: bytes, *, bodiless: bool) -> None:
        self.send_header("Strict-Transport-Security", "max-age=63072000; includeSubDomains")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Cache-Control", "no-cache,must-revalidate,max-age=0,no-store,private")
        self.send_header("Vary", "Accept-Encoding")
        self.send_header("Server", "sfdcedge")
        if not bodiless:
            self.send_header("Content-Length", str(len(body)))
        if self.close_connection:
            self.send_header("Connection", "close")

    def _body(self) -> bytes:
        if (self.headers.get("Transfer-Encoding") or "").lower() == "chunked":
            body = self._chunked_body()
        else:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        packed_by = (self.headers.get("Content-Encoding") or "").lower()
        return gzip.decompress(body) if packed_by == "gzip" else body

    def _chunked_body(self) -> bytes:
        pieces = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            pieces.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(pieces)

    def _send(self, body: bytes, sent: Sent) -> None:
        if sent.truncated:
            self.wfile.write(body[: len(body) // 2])
            self.close_connection = True
        elif sent.trickle:
            size = max(1, len(body) // _TRICKLE_PIECES)
            for start in range(0, len(body), size):
                self.wfile.write(body[start : start + size])
                self.wfile.flush()
                self.server.stopped.wait(sent.trickle / _TRICKLE_PIECES)
        elif body:
            self.wfile.write(body)


for _method in METHODS:
    setattr(_Connection, f"do_{_method}", _Connection.respond)
