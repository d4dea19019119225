"""Suppressions, as they are kept: addresses that stay silent, and nobody behind them."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Row, and_, delete, select

from salesforce_bridge.ledger import bulk
from salesforce_bridge.ledger.law_tables import suppression
from salesforce_bridge.permissions.keys import ControllerKey
from salesforce_bridge.permissions.suppressions import Scope, Suppression

_REPLACED = ("key_version", "since", "reason", "expires_at")


def put_suppressions(connection: Connection, added: Iterable[Suppression]) -> None:
    """Keep addresses silent; one that is kept already is kept since it was last said."""
    rows = [
        {
            "hmac": one.hmac,
            "controller": one.controller,
            "scope": one.scope.value,
            "after_erasure": one.after_erasure,
            "key_version": one.key_version,
            "since": one.since,
            "reason": one.reason,
            "expires_at": one.expires_at,
        }
        for one in added
    ]
    bulk.put_over(connection, suppression, rows, replace=_REPLACED)


def suppressions_of(connection: Connection, hmacs: Collection[str]) -> tuple[Suppression, ...]:
    """The suppressions of addresses, by their wide fingerprints."""
    if not hmacs or connection.execute(select(suppression.c.hmac).limit(1)).first() is None:
        return ()
    found = bulk.look_up(connection, select(suppression), suppression.c.hmac, hmacs)
    return tuple(sorted(map(_suppression_of, found)))


def remove_suppressions(connection: Connection, removed: Sequence[Suppression]) -> None:
    """Forget suppressions; whoever calls this seals a deed about it."""
    for one in removed:
        connection.execute(
            delete(suppression).where(
                and_(
                    suppression.c.hmac == one.hmac,
                    suppression.c.controller == one.controller,
                    suppression.c.scope == one.scope.value,
                    suppression.c.after_erasure.is_(one.after_erasure),
                )
            )
        )


def _suppression_of(row: Row[*tuple[Any, ...]]) -> Suppression:
    return Suppression(
        hmac=row.hmac,
        key_version=row.key_version,
        scope=Scope(row.scope),
        controller=ControllerKey(row.controller),
        since=row.since,
        reason=row.reason,
        after_erasure=row.after_erasure,
        expires_at=row.expires_at,
    )
