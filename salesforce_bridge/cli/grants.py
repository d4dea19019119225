"""What commands that record a grant ask for: how good its proof is, and which address it is for."""

from collections.abc import Collection

import typer

from salesforce_bridge import wiring
from salesforce_bridge.config import Settings
from salesforce_bridge.errors import SkipRecord
from salesforce_bridge.permissions.contact_points import ContactPoint, contact_point
from salesforce_bridge.permissions.evidence import Grade
from salesforce_bridge.permissions.keys import Use
from salesforce_bridge.permissions.policy import Policy


class PointUnclear(SkipRecord):
    """Nobody can tell which address a grant is for."""


def graded(word: str) -> Grade:
    """Read a grade as it was typed."""
    if word not in Grade.__members__:
        raise typer.BadParameter("is one of A, B, C, D", param_hint="--grade")
    return Grade[word]


def point_for(
    use: Use,
    held: Collection[ContactPoint],
    policy: Policy,
    settings: Settings,
    address: str | None,
) -> str | None:
    """Name the address a grant is for, where the policy lets it hold for one address only."""
    channel, purpose = policy.channels.get(use.channel), policy.purposes.get(use.purpose)
    if channel is None or purpose is None:  # nothing is permitted by it, whatever the address
        return None
    kind = channel.point
    if kind is None or use.channel not in purpose.address_scoped:
        return None
    if address is not None:
        keys = wiring.point_keys(settings, controller=policy.controller)
        given_for = contact_point(kind, address, keys=keys, default_country=policy.default_country)
        if given_for is None or not given_for.exact:
            raise PointUnclear(
                f"What --address gives cannot be read as what {use.channel} is addressed by.",
                hint="give one whole address, or a number with its country code",
            )
        return given_for.exact
    exact = {one.exact for one in held if one.type is kind and one.exact}
    if len(exact) != 1:
        raise PointUnclear(
            f"The person has {len(exact)} readable of what {use.channel} is addressed by; a grant is for one of them.",
            hint="name it with --address",
        )
    return exact.pop()
