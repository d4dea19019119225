"""The one HTTP session: timeouts on every call, no plain HTTP, nothing taken from the environment."""

import io
import socket
import ssl
import time
from collections.abc import Mapping
from datetime import timedelta
from http.cookiejar import DefaultCookiePolicy
from pathlib import Path
from typing import Any

import requests
import urllib3
from requests.adapters import HTTPAdapter
from typing_extensions import override
from urllib3.connection import HTTPConnection

from salesforce_bridge.salesforce.budget import Meter

POOL_SIZE = 4
BODY_MAX = 128 * 1024 * 1024
BODY_PATIENCE = 2  # times the read timeout, for a whole body
_CHUNK = 256 * 1024


def open_session(
    *,
    meter: Meter,
    ca_file: Path | None,
    proxy: str | None,
    connect_timeout: timedelta,
    read_timeout: timedelta,
) -> requests.Session:
    """Open the session that every request goes through, logins included."""
    session = requests.Session()
    # With trust_env the environment's CA bundle, proxies and .netrc would silently override the settings.
    session.trust_env = False
    session.verify = str(ca_file) if ca_file else True
    session.proxies = {"https": proxy} if proxy else {}
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session.adapters.clear()  # no adapter for http:// means no token ever travels in the clear
    session.mount(
        "https://",
        _PatientAdapter(
            timeouts=(connect_timeout.total_seconds(), read_timeout.total_seconds()),
            trust=None if ca_file else ssl.create_default_context(),
        ),
    )
    session.headers.update(
        {
            "User-Agent": "salesforce_bridge",
            "Accept": "application/json",
            "Accept-Encoding": "gzip",
            "Sforce-Call-Options": "client=salesforce_bridge",
        }
    )
    session.hooks["response"].append(meter.read)
    return session


class _PatientAdapter(HTTPAdapter):
    """Fills in the timeouts that the caller cannot pass through simple-salesforce, and keeps sockets alive."""

    def __init__(self, *, timeouts: tuple[float, float], trust: ssl.SSLContext | None) -> None:
        self._timeouts = timeouts
        self._pool_options: dict[str, Any] = {"socket_options": _socket_options()}
        if trust is not None:  # the roots of this machine, beside those that come with requests
            self._pool_options["ssl_context"] = trust
        super().__init__(
            pool_connections=POOL_SIZE, pool_maxsize=POOL_SIZE, max_retries=0, pool_block=True
        )

    @override
    def init_poolmanager(
        self, connections: int, maxsize: int, block: bool = False, **pool_kwargs: Any
    ) -> None:
        super().init_poolmanager(connections, maxsize, block, **pool_kwargs, **self._pool_options)

    @override
    def proxy_manager_for(self, proxy: str, **proxy_kwargs: Any) -> Any:
        return super().proxy_manager_for(proxy, **proxy_kwargs, **self._pool_options)

    @override
    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: bool | str = True,
        cert: Any = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        response = super().send(
            request,
            stream=True,
            timeout=timeout or self._timeouts,
            verify=verify,
            cert=cert,
            proxies=dict(proxies or {}),
        )
        if not stream:
            response.raw = io.BytesIO(self._body_of(response))
        return response

    def _body_of(self, response: requests.Response) -> bytes:
        """Read a body within bounds: a read timeout starts anew with every byte, and gzip can swell to anything."""
        ends_at = time.monotonic() + BODY_PATIENCE * self._timeouts[1]
        body = bytearray()
        problem = "the body is too long"
        try:
            while len(body) <= BODY_MAX:
                chunk = response.raw.read1(_CHUNK, decode_content=True)
                if not chunk:
                    return bytes(body)
                body += chunk
                if time.monotonic() > ends_at:
                    problem = "the body takes too long"
                    break
        except (urllib3.exceptions.HTTPError, OSError) as error:
            problem = type(error).__name__
        response.close()
        raise requests.ConnectionError(problem)


def _socket_options() -> list[tuple[int, int, int]]:
    """Keep-alive probes tell a dead peer from a slow one, also behind a silent firewall."""
    options: list[Any] = [
        *HTTPConnection.default_socket_options,
        (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    ]
    for name, seconds in (("TCP_KEEPIDLE", 45), ("TCP_KEEPINTVL", 15), ("TCP_KEEPCNT", 4)):
        if hasattr(socket, name):  # not every platform can tune them
            options.append((socket.IPPROTO_TCP, getattr(socket, name), seconds))
    return options
