"""What is different between two policies, place by place, for the person who has to approve it."""

from dataclasses import dataclass

from salesforce_bridge.permissions.bundle import Policy
from salesforce_bridge.permissions.policy_meaning import meaning


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One value that another policy has or lacks; None where it says nothing there."""

    place: str
    before: str | None
    after: str | None


def diff(before: Policy, after: Policy) -> tuple[Difference, ...]:
    """List every difference in meaning, in the order of places; none exactly if the digests are equal."""
    told, tells = meaning(before), meaning(after)
    return tuple(
        Difference(place=place, before=told.get(place), after=tells.get(place))
        for place in sorted({*told, *tells})
        if told.get(place) != tells.get(place)
    )
