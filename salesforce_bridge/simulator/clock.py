"""The server's clock: real time plus an offset that a test may move."""

from datetime import UTC, datetime, timedelta


class Clock:
    """Tells the org's time, so that days can pass in a rehearsal within a second."""

    def __init__(self) -> None:
        self.offset = timedelta()

    def now(self) -> datetime:
        """The org's present moment."""
        return datetime.now(UTC) + self.offset

    def advance(self, seconds: float) -> None:
        """Let time pass; a negative number sets the clock back."""
        self.offset += timedelta(seconds=seconds)

    def set(self, moment: datetime) -> None:
        """Make it that moment now."""
        self.offset = moment - datetime.now(UTC)
