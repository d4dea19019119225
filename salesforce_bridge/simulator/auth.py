"""The token endpoint: who may have a session, by signed assertion or by the app's secret."""

import base64
import binascii
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import parse_qs, unquote

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt.types import Options

from salesforce_bridge.simulator.org import Org
from salesforce_bridge.simulator.refusals import Json
from salesforce_bridge.simulator.sessions import Sessions
from salesforce_bridge.simulator.users import User
from salesforce_bridge.simulator.wire import Request, Response

JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
ASSERTION_LIFE_MAX = timedelta(minutes=5)
LOGIN_HOSTS = ("https://login.salesforce.com", "https://test.salesforce.com")


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectedApp:
    """The app that integrations sign in through."""

    consumer_key: str
    consumer_secret: str
    public_key: RSAPublicKey
    execution_user: str
    """The user that the client credentials flow runs as."""


class GrantRefused(Exception):
    """The token endpoint gives no session."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(error, description)
        self.response = Response(
            status=status,
            content={"error": error, "error_description": description},
            headers={"Cache-Control": "no-store", "Pragma": "no-cache"},
        )


class Door:
    """Opens and ends sessions."""

    def __init__(self, org: Org, sessions: Sessions, app: ConnectedApp, my_domain: str) -> None:
        self._org = org
        self._sessions = sessions
        self._app = app
        self.my_domain = my_domain
        """The org's own address: audience, and host of all further calls."""

    def token(self, request: Request) -> Response:
        """Answer POST /services/oauth2/token."""
        try:
            return self._token(request, _form(request))
        except GrantRefused as refusal:
            return refusal.response

    def revoke(self, request: Request) -> Response:
        """Answer POST /services/oauth2/revoke."""
        token = _form(request).get("token") or request.parameter("token") or ""
        if self._sessions.revoke(token):
            return Response(status=200)
        return GrantRefused("unsupported_token_type", "this token type is not supported").response

    def _token(self, request: Request, form: dict[str, str]) -> Response:
        grant = form.get("grant_type")
        if grant == JWT_BEARER:
            return self._granted(self._asserted(form.get("assertion", "")), "jwt")
        if grant == "client_credentials":
            return self._granted(self._credited(request, form), "secret")
        raise GrantRefused("unsupported_grant_type", "grant type not supported")

    def _asserted(self, assertion: str) -> User:
        claims = self._verified(assertion)
        if claims.get("iss") != self._app.consumer_key:
            raise GrantRefused("invalid_client_id", "client identifier invalid")
        audience = claims.get("aud")
        audiences = audience if isinstance(audience, list) else [audience]
        allowed = {*LOGIN_HOSTS, self.my_domain}
        if not any(isinstance(one, str) and one.rstrip("/") in allowed for one in audiences):
            raise GrantRefused("invalid_grant", "audience is invalid")
        self._check_life(claims.get("exp"))
        return self._user(claims.get("sub"))

    def _verified(self, assertion: str) -> dict[str, Json]:
        # Times and audience are judged here and not by the library: by the org's clock, and
        # leniently where Salesforce is lenient (an expiry may be text).
        unchecked: Options = {
            "verify_exp": False,
            "verify_nbf": False,
            "verify_iat": False,
            "verify_aud": False,
            "verify_iss": False,
            "verify_sub": False,
            "verify_jti": False,
        }
        try:
            claims: dict[str, Json] = jwt.decode(
                assertion, self._app.public_key, algorithms=["RS256"], options=unchecked
            )
        except jwt.InvalidTokenError as error:
            raise GrantRefused("invalid_grant", "invalid assertion") from error
        return claims

    def _check_life(self, expiry: Json) -> None:
        try:
            seconds = float(expiry) if isinstance(expiry, str | int | float) else None
        except ValueError:
            seconds = None
        if seconds is None:
            raise GrantRefused("invalid_grant", "invalid assertion")
        left = seconds - self._org.clock.now().timestamp()
        if left <= 0 or left > ASSERTION_LIFE_MAX.total_seconds() + 1:
            raise GrantRefused("invalid_grant", "expired authorization code")

    def _user(self, username: Json) -> User:
        for user in self._org.users.values():
            if user.username == username:
                if not user.access.api_enabled:
                    raise GrantRefused("invalid_grant", "user hasn't approved this consumer")
                return user
        raise GrantRefused("invalid_grant", "user hasn't approved this consumer")

    def _credited(self, request: Request, form: dict[str, str]) -> User:
        if (request.header("Host") or "").lower().startswith(("login.", "test.")):
            raise GrantRefused("invalid_grant", "request not supported on this domain")
        key, secret = _basic(request) or (form.get("client_id"), form.get("client_secret"))
        if key != self._app.consumer_key:
            raise GrantRefused("invalid_client_id", "client identifier invalid")
        if not hmac.compare_digest(secret or "", self._app.consumer_secret):
            raise GrantRefused("invalid_client", "invalid client credentials", 401)
        return self._org.users[self._app.execution_user]

    def _granted(self, user: User, by: str) -> Response:
        session = self._sessions.open(user, self._org.org_id)
        now: datetime = self._org.clock.now()
        answer: dict[str, Json] = {
            "access_token": session.token,
            "scope": "api id",
            "instance_url": self.my_domain,
            "id": f"{LOGIN_HOSTS[0]}/id/{self._org.org_id}/{user.id}",
            "token_type": "Bearer",
        }
        if by == "secret":
            answer["signature"] = base64.b64encode(secrets.token_bytes(32)).decode()
            answer["issued_at"] = str(int(now.timestamp() * 1000))
            answer["api_instance_url"] = "https://api.salesforce.com"
        return Response(status=200, content=answer, headers={"Cache-Control": "no-store"})


def _form(request: Request) -> dict[str, str]:
    text = request.body.decode("utf-8", "replace")
    return {name: values[0] for name, values in parse_qs(text).items()}


def _basic(request: Request) -> tuple[str, str] | None:
    scheme, _, encoded = (request.header("Authorization") or "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        decoded = base64.b64decode(encoded, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
    key, _, secret = decoded.partition(":")
    return unquote(key), unquote(secret)
