"""People about whom only what matters to a question of place or time is said."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from salesforce_bridge.permissions.bundle import Policy
from salesforce_bridge.permissions.conditions import Condition
from salesforce_bridge.permissions.fold import Stop
from salesforce_bridge.permissions.keys import Channel, Use
from salesforce_bridge.permissions.laws import STRICT, ChannelLaw, Profile
from salesforce_bridge.permissions.permission import Permission
from salesforce_bridge.permissions.suppressions import Suppression


@dataclass(frozen=True, slots=True, kw_only=True)
class Somebody:
    """A consumer in the United Kingdom with whom nothing is wrong."""

    permissions: Mapping[Use, Permission] = field(default_factory=dict)
    stops: tuple[Stop, ...] = ()
    conditions: tuple[Condition, ...] = ()
    suppressions: tuple[Suppression, ...] = ()
    jurisdiction: str = "UK"
    former_jurisdiction: str | None = None
    moved_at: datetime | None = None
    subject_class: str = "CONSUMER"
    hold: str | None = None
    erased: bool = False


def a_profile(key: str = "UK", **said: Any) -> Profile:
    """A profile that asks for nothing but what it is told to ask."""
    laws = said.pop("laws", {})
    rules = {Channel(channel): {"*": ChannelLaw(law)} for channel, law in laws.items()}
    return replace(STRICT, key=key, rules=rules, **said)


def with_profiles(policy: Policy, *profiles: Profile) -> Policy:
    """A policy that knows these places and no others."""
    return replace(policy, profiles={profile.key: profile for profile in profiles})


def days(*counts: float) -> tuple[timedelta, ...]:
    """Spans, by their lengths in days."""
    return tuple(timedelta(days=count) for count in counts)
