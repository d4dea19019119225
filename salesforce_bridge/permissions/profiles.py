"""Profiles: whose law counts for a person, and what it asks before anything is sent."""

from datetime import datetime

from salesforce_bridge.permissions.bundle import ChannelLaw, Policy, Profile, Purpose
from salesforce_bridge.permissions.contact_points import PointType
from salesforce_bridge.permissions.evidence import Grade
from salesforce_bridge.permissions.keys import Channel
from salesforce_bridge.permissions.laws import (
    STRICT,
    UNKNOWN,
    grade_in,
    law_in,
    stricter_law,
    strictest,
)
from salesforce_bridge.permissions.permission import Permission
from salesforce_bridge.permissions.person import Person

TEXT_MESSAGE = Channel("SMS")  # a number is also called, so its points do not tell it from a call

__all__ = [
    "STRICT",
    "UNKNOWN",
    "applies_former",
    "grade_for",
    "is_defaulted",
    "law_for",
    "profile_of",
    "profiles_of",
    "strictest",
]


def profile_of(policy: Policy, jurisdiction: str) -> Profile:
    """Give the law of a jurisdiction; without a profile of its own it counts as UNKNOWN."""
    if jurisdiction == UNKNOWN:
        return policy.unknown
    return policy.profiles.get(jurisdiction) or policy.unknown


def is_defaulted(policy: Policy, jurisdiction: str) -> bool:
    """Tell whether a jurisdiction is judged by the strictest law because nobody wrote down its own."""
    return jurisdiction == UNKNOWN or jurisdiction not in policy.profiles


def applies_former(person: Person, permission: Permission | None) -> bool:
    """Tell whether the law of the place a person left counts as well: until proof is newer than the move."""
    if person.former_jurisdiction is None:
        return False
    granted_at = None if permission is None else permission.granted_at
    return granted_at is None or _moved_after(person.moved_at, granted_at)


def profiles_of(
    policy: Policy, person: Person, permission: Permission | None
) -> tuple[Profile, ...]:
    """Give the profiles that count for a permission: that of the place, and of the former one while it counts."""
    here = profile_of(policy, person.jurisdiction)
    if not applies_former(person, permission):
        return (here,)
    return here, profile_of(policy, person.former_jurisdiction or UNKNOWN)


def law_for(
    policy: Policy, person: Person, channel: Channel, permission: Permission | None
) -> ChannelLaw:
    """Say what has to be true before a person is sent marketing on a channel."""
    if not applies_former(person, permission):
        return law_in(profile_of(policy, person.jurisdiction), channel, person.subject_class)
    return stricter_law(
        law_in(profile, channel, person.subject_class)
        for profile in profiles_of(policy, person, permission)
    )


def grade_for(policy: Policy, person: Person, purpose: Purpose, permission: Permission) -> Grade:
    """Say which proof a consent needs at least: what the purpose asks, or the place, or Art. 9."""
    if purpose.special_category:
        return Grade.A
    least = purpose.required_grade
    if not purpose.direct_marketing:
        return least
    channel = permission.use.channel
    for profile in profiles_of(policy, person, permission):
        least = max(least, grade_in(profile, channel, person.subject_class))
        if profile.double_opt_in_required and _is_written_to(policy, channel):
            # Only a confirmed opt-in shows that the yes came from whoever reads that address or number.
            least = max(least, Grade.A)
    return least


def _moved_after(moved_at: datetime | None, granted_at: datetime) -> bool:
    return moved_at is None or granted_at < moved_at


def _is_written_to(policy: Policy, channel: Channel) -> bool:
    """Tell whether a channel carries messages that a link or a code in one of them can confirm."""
    if channel == TEXT_MESSAGE:
        return True
    rule = policy.channels.get(channel)
    return rule is not None and rule.point is PointType.EMAIL
