"""Suppressions: addresses that must stay silent although nobody may be remembered with them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from salesforce_bridge.permissions.contact_points import ContactPoint
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


def matching(
    suppressions: Iterable[Suppression], points: Iterable[ContactPoint]
) -> tuple[Suppression, ...]:
    """Choose the suppressions of these contact points; by the wide fingerprint, as every stop."""
    wide = {one.hmac for one in points}
    return tuple(one for one in suppressions if one.hmac in wide)


def is_silencing(
    suppression: Suppression, *, at: datetime, lifted_at: datetime | None = None
) -> bool:
    """Tell whether a suppression counts: neither run out nor lifted since by the person directly."""
    if suppression.expires_at is not None and suppression.expires_at <= at:
        return False
    return lifted_at is None or lifted_at <= suppression.since


def silences(suppression: Suppression, *, marketing: bool) -> bool:
    """Tell whether a suppression is about such a use at all."""
    return marketing or suppression.scope is Scope.ALL
