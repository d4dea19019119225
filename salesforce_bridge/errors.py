"""What went wrong, sorted by what to do about it."""


class BridgeError(Exception):
    """Every failure of the bridge says what happened and which command or page helps."""

    def __init__(self, message: str, *, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class RetryLater(BridgeError):
    """The world is busy: try again, first in the client, then at the next tick."""


class SkipRecord(BridgeError):
    """One record is bad: it is sealed and set aside, the rest goes on."""


class HaltWrites(BridgeError):
    """Going on could do harm: only stops flow until a person has looked."""


class CannotStart(BridgeError):
    """The operator must act first."""
