"""Logging in: JWT bearer and client credentials, one login at a time, and only ever to the pinned org."""

import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http import HTTPStatus
from ipaddress import ip_address
from typing import assert_never
from urllib.parse import urlsplit

import jwt
import orjson
import requests

from salesforce_bridge.errors import BridgeError, CannotStart
from salesforce_bridge.permissions.keys import OrgId
from salesforce_bridge.salesforce.budget import parse_http_date
from salesforce_bridge.salesforce.complaints import complaints_of
from salesforce_bridge.salesforce.faults import (
    LoginRefused,
    LoginUnsafe,
    QuotaSpent,
    SalesforceUnavailable,
    WrongOrg,
    fault,
    translate_transport,
)
from salesforce_bridge.salesforce.records import long_id


@dataclass(frozen=True, slots=True, kw_only=True)
class JwtBearer:
    """Logs in as a user by an assertion signed with the key of the external client app."""

    client_id: str
    username: str
    audience: str
    private_key: str = field(repr=False)  # PEM


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientCredentials:
    """Logs in as the app's own execution user; works on the My Domain host only."""

    client_id: str
    client_secret: str = field(repr=False)


Credentials = JwtBearer | ClientCredentials


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """Access to one org, for as long as Salesforce likes; its end is never announced."""

    access_token: str = field(repr=False)
    instance_url: str
    org_id: OrgId


class Auth:
    """Holds the one token, and renews it in single file so that an expiry is not a stampede of logins."""

    def __init__(
        self,
        *,
        session: requests.Session,
        login_url: str,
        credentials: Credentials,
        login_timeout: timedelta,
        now: Callable[[], datetime],
        org_id: OrgId | None,
    ) -> None:
        _check_login_url(login_url, credentials)
        self._session = session
        self._login_url = login_url.rstrip("/")
        self._credentials = credentials
        self._timeout = login_timeout.total_seconds()
        self._now = now
        self._pinned = OrgId(long_id(org_id)) if org_id else None
        self._turn = threading.Lock()
        self._token: Token | None = None
        self.logins = 0

    def token(self) -> Token:
        """The token of the moment; logs in when there is none."""
        with self._turn:
            if self._token is None:
                self._token = self._login()
            return self._token

    def renew(self, spent: Token) -> Token:
        """A token other than the spent one; whoever comes second gets what the first one fetched."""
        with self._turn:
            if self._token is None or self._token == spent:
                self._token = None
                self._token = self._login()
            return self._token

    def _login(self) -> Token:
        self.logins += 1
        response = self._ask()
        content = _decoded(response.content)
        if response.status_code != HTTPStatus.OK:
            raise self._refused(response, content)
        token = _token_of(content)
        _check_instance(token.instance_url, self._login_url)
        if self._pinned is None:
            self._pinned = token.org_id
        if token.org_id != self._pinned:
            raise fault(WrongOrg, f"{token.org_id} instead of {self._pinned}")
        return token

    def _ask(self) -> requests.Response:
        form, basic = self._form()
        try:
            return self._session.post(
                f"{self._login_url}/services/oauth2/token",
                data=form,
                auth=basic,
                timeout=(self._timeout, self._timeout),
                allow_redirects=False,
            )
        except requests.RequestException as error:
            broken = translate_transport(error)
            self._session.close()
        # No effect is lost with a login, so a lost answer is no more than an unreachable server. Raised out
        # here: the library's own exception quotes the URL, and would travel along as the context.
        raise broken if isinstance(broken, CannotStart) else fault(SalesforceUnavailable, "login")

    def _form(self) -> tuple[dict[str, str], tuple[str, str] | None]:
        match self._credentials:
            case ClientCredentials() as app:
                return {"grant_type": "client_credentials"}, (app.client_id, app.client_secret)
            case JwtBearer() as user:
                assertion = self._assertion(user)
                return {"grant_type": _JWT_GRANT, "assertion": assertion}, None
            case _:
                assert_never(self._credentials)

    def _assertion(self, user: JwtBearer) -> str:
        claims = {
            "iss": user.client_id,
            "sub": user.username,
            "aud": user.audience,
            "exp": int((self._now() + _ASSERTION_LIFE).timestamp()),
        }
        try:
            return jwt.encode(claims, user.private_key, algorithm="RS256")
        except (jwt.PyJWTError, ValueError, TypeError):
            pass
        raise LoginRefused(
            "the private key cannot sign: it is not an RSA key in PEM form",
            hint="check salesforce.private_key_file",
        )

    def _refused(self, response: requests.Response, content: object) -> BridgeError:
        codes = [complaint.code for complaint in complaints_of(content)]
        status = response.status_code
        if not codes or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            if status in _NEVER:
                return fault(LoginRefused, f"HTTP {status}")
            return fault(SalesforceUnavailable, f"login, HTTP {status}")
        code = codes[0]
        if code.lower() in _LOGIN_RATE:
            return fault(QuotaSpent, f"login, {code}")
        if code.lower() in _LOGIN_BUSY or status == HTTPStatus.TOO_MANY_REQUESTS:
            return fault(SalesforceUnavailable, f"login, {code}")
        return self._for_good(code, response)

    def _for_good(self, code: str, response: requests.Response) -> BridgeError:
        refused = fault(LoginRefused, code)
        there = parse_http_date(response.headers.get("Date"))
        if there is None or abs(there - self._now()) < _CLOCK_TOLERANCE:
            return refused
        off = int((self._now() - there).total_seconds())
        return LoginRefused(
            f"{refused.message}; the clock of this machine is {off:+d} s off that of Salesforce",
            hint="set the clock: timedatectl set-ntp true",
        )


_JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_ASSERTION_LIFE = timedelta(minutes=2, seconds=30)
_CLOCK_TOLERANCE = timedelta(minutes=1)
_LOGIN_RATE = frozenset({"login_rate_exceeded", "rate_limit_exceeded"})
_LOGIN_BUSY = frozenset({"server_error", "temporarily_unavailable", "unknown_error"})
_NEVER = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND})
_GENERIC_HOSTS = frozenset({"login.salesforce.com", "test.salesforce.com"})
_SALESFORCE_DOMAINS = (".salesforce.com", ".force.com")
_ORG_IN_ID = re.compile(r"/id/(00D[A-Za-z0-9]{12}(?:[A-Za-z0-9]{3})?)/")


def _token_of(content: object) -> Token:
    if isinstance(content, dict):
        access, instance, identity = (
            content.get(key) for key in ("access_token", "instance_url", "id")
        )
        if (
            isinstance(access, str)
            and access
            and isinstance(instance, str)
            and isinstance(identity, str)
        ):
            found = _ORG_IN_ID.search(identity)
            if found:
                return Token(
                    access_token=access,
                    instance_url=instance,
                    org_id=OrgId(long_id(found.group(1))),
                )
    raise fault(SalesforceUnavailable, "login, no token in the answer")


def _decoded(content: bytes) -> object:
    try:
        decoded: object = orjson.loads(content)
    except ValueError:
        return None
    return decoded


def _check_login_url(url: str, credentials: Credentials) -> None:
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.hostname or parts.username or parts.password:
        raise fault(LoginUnsafe, "the login URL must be https://host")
    if isinstance(credentials, ClientCredentials) and parts.hostname in _GENERIC_HOSTS:
        raise LoginUnsafe(
            "client credentials work on the My Domain host only",
            hint="set salesforce.login_url to https://<your domain>.my.salesforce.com",
        )


def _check_instance(instance_url: str, login_url: str) -> None:
    """Whoever can change this answer could have every token and record sent to a host of theirs."""
    instance, login = urlsplit(instance_url), urlsplit(login_url)
    host = instance.hostname or ""
    trusted = (
        host.endswith(_SALESFORCE_DOMAINS)
        or (host, instance.port) == (login.hostname, login.port)
        or (_loopback(host) and _loopback(login.hostname or ""))
    )
    if instance.scheme != "https" or not trusted or instance.username or instance.password:
        raise fault(LoginUnsafe, "the instance named by the login is not on salesforce.com")


def _loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
