"""What can go wrong with the ledger itself, and what to do about it."""

from salesforce_bridge.errors import CannotStart, RetryLater, SkipRecord


class LedgerBusy(RetryLater):
    """The database did not let us work now; nothing of the transaction was kept."""


class LedgerUnreachable(CannotStart):
    """The database cannot be opened at all."""


class LedgerOutdated(CannotStart):
    """The tables are not those that this version works with."""


class LedgerDamaged(CannotStart):
    """The ledger lacks something that no operation of ours takes away."""


class SecondPersonMissing(SkipRecord):
    """What widens, or cannot be undone, takes two different people."""
