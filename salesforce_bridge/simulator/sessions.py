"""Sessions of users: opened with a token, kept by use, ended by silence or by force."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from salesforce_bridge.simulator.clock import Clock
from salesforce_bridge.simulator.refusals import RequestRefused
from salesforce_bridge.simulator.soql_drawing import Selection
from salesforce_bridge.simulator.users import User

IDLE_TIMEOUT = timedelta(hours=2)
CURSOR_LIFE = timedelta(days=2)


@dataclass(slots=True, kw_only=True)
class Session:
    """What one access token stands for."""

    token: str
    user: User
    used_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """A query result that waits for its next page to be fetched by the session that made it."""

    token: str
    selection: Selection
    length: int
    opened_at: datetime


class Cursors:
    """The query results that still have pages to give."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._open: dict[str, Cursor] = {}

    def keep(self, cursor_id: str, session: Session, selection: Selection, length: int) -> None:
        """Hold a result for its session."""
        self._open[cursor_id] = Cursor(
            token=session.token, selection=selection, length=length, opened_at=self._clock.now()
        )

    def of(self, cursor_id: str, session: Session) -> Cursor:
        """The result behind a locator; no other session than its maker's may have it."""
        cursor = self._open.get(cursor_id)
        if cursor is None or self._clock.now() - cursor.opened_at > CURSOR_LIFE:
            self._open.pop(cursor_id, None)
            raise RequestRefused(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
        if cursor.token != session.token:
            raise RequestRefused(401, "INVALID_SESSION_ID", "Session expired or invalid")
        return cursor

    def close(self) -> None:
        """Forget all results."""
        self._open.clear()


class Sessions:
    """All sessions of the org."""

    def __init__(self, clock: Clock, idle_timeout: timedelta = IDLE_TIMEOUT) -> None:
        self.idle_timeout = idle_timeout
        self._clock = clock
        self._live: dict[str, Session] = {}

    def open(self, user: User, org_id: str) -> Session:
        """Begin a session."""
        token = f"{org_id[:15]}!{secrets.token_urlsafe(66)}"
        session = Session(token=token, user=user, used_at=self._clock.now())
        self._live[token] = session
        return session

    def of(self, authorization: str | None) -> Session:
        """The session that a request names in its Authorization header."""
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() not in {"bearer", "oauth"} or not token:
            raise RequestRefused(401, "INVALID_AUTH_HEADER", "INVALID_HEADER_TYPE")
        session = self._live.get(token.strip())
        now = self._clock.now()
        if session is None or now - session.used_at > self.idle_timeout:
            self._live.pop(token.strip(), None)
            raise RequestRefused(401, "INVALID_SESSION_ID", "Session expired or invalid")
        session.used_at = now
        return session

    def revoke(self, token: str) -> bool:
        """End one session; tells whether there was one."""
        return self._live.pop(token, None) is not None

    def expire(self) -> None:
        """End all sessions, as an administrator or a release would."""
        self._live.clear()
