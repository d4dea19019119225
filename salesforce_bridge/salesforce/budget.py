"""What the headers of every answer tell: API calls used, and what time it is over there."""

import re
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import requests


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """API calls of the last 24 hours, as Salesforce counts them; a little behind, for the whole org."""

    used: int
    limit: int
    app_used: int | None = None
    app_limit: int | None = None
    app_name: str | None = None

    @property
    def share(self) -> float:
        """How much of the allowance is gone, from 0 to 1 and beyond."""
        return self.used / self.limit if self.limit else 1.0


class Meter:
    """Reads the headers of every answer, errors included.

    simple-salesforce forgets them exactly when it is throttled.
    """

    def __init__(self) -> None:
        self._seen = threading.local()
        self.usage: Usage | None = None

    @property
    def server_time(self) -> datetime | None:
        """The clock of Salesforce in the last answer this thread got; None when it did not say."""
        moment: datetime | None = getattr(self._seen, "server_time", None)
        return moment

    def read(self, response: requests.Response, *_args: Any, **_kwargs: Any) -> None:
        """Take the headers of one answer; a hook of the session."""
        self._seen.server_time = parse_http_date(response.headers.get("Date"))
        usage = parse_usage(response.headers.get("Sforce-Limit-Info", ""))
        if usage is not None:
            self.usage = usage


def parse_usage(header: str) -> Usage | None:
    """Read `api-usage=18/5000`, with or without `per-app-api-usage=17/250(appName=…)`, in either order."""
    org = _ORG.search(header)
    if org is None:
        return None
    app = _APP.search(header)
    return Usage(
        used=int(org.group(1)),
        limit=int(org.group(2)),
        app_used=int(app.group(1)) if app else None,
        app_limit=int(app.group(2)) if app else None,
        app_name=app.group(3) if app else None,
    )


def parse_http_date(header: str | None) -> datetime | None:
    """Read an HTTP date as an aware moment; None when it is missing or broken."""
    if not header:
        return None
    try:
        moment = parsedate_to_datetime(header)
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


# The look-behind keeps `per-app-api-usage` from passing for `api-usage`.
_ORG = re.compile(r"(?<![\w-])api-usage=(\d{1,12})/(\d{1,12})")
_APP = re.compile(r"per-app-api-usage=(\d{1,12})/(\d{1,12})\(appName=([^)]{0,200})\)")
