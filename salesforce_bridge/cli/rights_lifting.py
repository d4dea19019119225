"""`rights lift-suppression`: an address may be written to again, because the person behind it said so."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from salesforce_bridge import wiring
from salesforce_bridge.cli.asking import another
from salesforce_bridge.cli.may_use import points_of
from salesforce_bridge.cli.people import person_of
from salesforce_bridge.cli.shared import AsJson, given, operator, tell_json
from salesforce_bridge.config import Settings
from salesforce_bridge.ledger.lifting import lift_suppressions
from salesforce_bridge.ledger.proving import Proof
from salesforce_bridge.ledger.store import Ledger, Tx
from salesforce_bridge.permissions.contact_points import (
    ContactPoint,
    PointType,
    under_every_key,
)
from salesforce_bridge.permissions.evidence import Grade
from salesforce_bridge.permissions.policy import Policy


def lift_suppression(
    ctx: typer.Context,
    evidence: Annotated[
        str, typer.Option(help="Where the person's own words are kept: a signed form, a link.")
    ],
    approved_by: Annotated[
        str, typer.Option(help="Who else has looked at it; their login, not yours.")
    ],
    contact: Annotated[
        str | None, typer.Argument(metavar="CONTACT_ID", help="All that this Contact has.")
    ] = None,
    address: Annotated[
        str | None, typer.Option(help="One address or number, whether anybody has it or not.")
    ] = None,
    said_at: Annotated[
        datetime | None, typer.Option(help="When the person said so, in UTC; default: now.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Let an address speak again because the person asked for it; takes two people, and permits nothing."""
    if (contact is None) is (address is None):
        raise typer.BadParameter("name a Contact, or an address with --address")
    settings, at, second = given(ctx).settings(), wiring.now(), another(approved_by)
    with wiring.ledger_in_use(settings) as ledger, ledger.begin() as tx:
        policy = wiring.policy_in_use(settings, tx).policy
        points = (
            _of_contact(tx, settings, ledger, contact)
            if contact is not None
            else _typed(address or "", settings, policy)
        )
        lifted = lift_suppressions(
            tx,
            points,
            # Whoever types this says that it is the person's own act; the second person has seen that too.
            Proof(grade=Grade.A, ref=evidence, by_the_person=True),
            said_at=at if said_at is None else said_at.replace(tzinfo=UTC),
            by=operator(),
            approved_by=second,
            at=at,
            policy=policy,
        )
    if as_json:
        tell_json({"lifted": len(lifted), "scopes": sorted({each.scope for each in lifted})})
    else:
        typer.echo(
            f"{len(lifted)} suppressions are lifted; the next cycle looks at whoever has the address."
            " Nothing is permitted by it."
        )


def _of_contact(
    tx: Tx, settings: Settings, ledger: Ledger, contact: str
) -> tuple[ContactPoint, ...]:
    """All that a Contact is addressed by, and all that its person ever was, under every key."""
    found = person_of(tx, wiring.org_of(settings, ledger), contact, entries=0)
    held = (each.point for each in found.record.points)
    return tuple({*points_of(found), *held})


def _typed(address: str, settings: Settings, policy: Policy) -> tuple[ContactPoint, ...]:
    """The fingerprints of what was typed, under every key."""
    keys = wiring.point_keys(settings, controller=policy.controller)
    kind = PointType.EMAIL if "@" in address else PointType.PHONE
    return under_every_key(kind, address, keys=keys, default_country=policy.default_country)
