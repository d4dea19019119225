import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
import requests

from salesforce_bridge.salesforce.budget import Meter
from salesforce_bridge.salesforce.transport import open_session


def session(
    *, ca_file: Path | None = None, proxy: str | None = None, read_timeout: float = 5
) -> requests.Session:
    return open_session(
        meter=Meter(),
        ca_file=ca_file,
        proxy=proxy,
        connect_timeout=timedelta(seconds=read_timeout),
        read_timeout=timedelta(seconds=read_timeout),
    )


@contextmanager
def listening() -> Iterator[tuple[int, list[bytes]]]:
    """A port that takes what is sent and never says a word."""
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def listen() -> None:
            connection, _ = server.accept()
            with connection:
                heard.append(connection.recv(4096))
                connection.recv(4096)

        thread = threading.Thread(target=listen)
        thread.start()
        yield server.getsockname()[1], heard
    thread.join(timeout=5)
    assert not thread.is_alive()


def test_plain_http_is_not_spoken_at_all() -> None:
    with session() as opened, pytest.raises(requests.exceptions.InvalidSchema):
        opened.get("http://127.0.0.1:9/")


def test_the_environment_has_no_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere.pem")
    with session() as opened:
        merged = opened.merge_environment_settings("https://127.0.0.1/", {}, None, None, None)
    assert merged["verify"] is True
    assert not merged["proxies"]


def test_a_ca_file_replaces_the_roots_that_come_along(tmp_path: Path) -> None:
    bundle = tmp_path / "ca.pem"
    with session(ca_file=bundle) as opened:
        assert opened.verify == str(bundle)


def test_a_server_that_says_nothing_is_given_up_without_the_caller_asking_for_it() -> None:
    with listening() as (port, heard), session(read_timeout=0.2) as opened:
        with pytest.raises(requests.RequestException):
            opened.get(f"https://127.0.0.1:{port}/")
        opened.close()
    assert heard  # the handshake began


def test_a_proxy_is_asked_to_connect_and_sees_no_header_of_ours() -> None:
    with (
        listening() as (port, heard),
        session(proxy=f"http://127.0.0.1:{port}", read_timeout=0.2) as opened,
    ):
        with pytest.raises(requests.RequestException):
            opened.get("https://acme.my.salesforce.com/", headers={"Authorization": "Bearer t"})
        opened.close()
    assert heard[0].startswith(b"CONNECT acme.my.salesforce.com:443")
    assert b"Bearer" not in heard[0]


def test_sockets_are_probed_while_they_wait() -> None:
    with session() as opened:
        adapter = opened.get_adapter("https://acme.my.salesforce.com")
        assert isinstance(adapter, requests.adapters.HTTPAdapter)
        options = adapter.poolmanager.connection_pool_kw["socket_options"]
    assert (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1) in options


def test_the_roots_of_the_machine_are_trusted_and_nothing_older_than_tls_1_2() -> None:
    with session() as opened:
        adapter = opened.get_adapter("https://acme.my.salesforce.com")
        assert isinstance(adapter, requests.adapters.HTTPAdapter)
        context = adapter.poolmanager.connection_pool_kw["ssl_context"]
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2
