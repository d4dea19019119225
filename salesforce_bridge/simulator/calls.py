"""The log of what was asked of the org, for those who count calls."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class CallSeen:
    """One request as the server saw it."""

    number: int
    method: str
    path: str
    query: str
    status: int | None
    """None when the connection was cut before an answer."""
    user: str | None
    api: bool
    """Whether it counted against the limit."""
    subrequests: tuple[str, ...] = ()
    """Methods and paths inside a composite request."""


class CallLog:
    """What was asked since the last reset, bounded so that a long rehearsal cannot fill memory."""

    KEPT_MAX = 100_000

    def __init__(self) -> None:
        self.seen: list[CallSeen] = []
        self.api_calls = 0
        self._numbered = 0

    def next_number(self) -> int:
        """The number of the request that begins now."""
        self._numbered += 1
        return self._numbered

    def note(self, call: CallSeen) -> None:
        """Remember a request."""
        self.api_calls += call.api
        if len(self.seen) < self.KEPT_MAX:
            self.seen.append(call)

    def reset(self) -> None:
        """Begin to count anew."""
        self.seen.clear()
        self.api_calls = 0
        self._numbered = 0
