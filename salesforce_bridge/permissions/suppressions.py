"""Suppressions: addresses that must stay silent although nobody may be remembered with them."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from salesforce_bridge.permissions.keys import ControllerKey


class Scope(StrEnum):
    """How much a suppression keeps silent."""

    MARKETING = "MARKETING"
    ALL = "ALL"


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Suppression:
    """A contact point, as its wide fingerprint, and nothing that leads back to a person."""

    hmac: str
    key_version: int
    scope: Scope
    controller: ControllerKey
    since: datetime
    reason: str
    after_erasure: bool  # the person behind it was erased; only this remains
    expires_at: datetime | None = None
