"""Suppressions, as they are kept: addresses that stay silent, and nobody behind them."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Row, and_, delete, select

from salesforce_bridge.ledger import bulk
from salesforce_bridge.ledger.law_tables import suppression
from salesforce_bridge.permissions.contact_points import ContactPoint, PointType
from salesforce_bridge.permissions.keys import ControllerKey
from salesforce_bridge.permissions.suppressions import Scope, Suppression
from salesforce_bridge.reconcile.facts import ContactSnapshot

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


def rekeyed(connection: Connection, contacts: Iterable[ContactSnapshot]) -> tuple[Suppression, ...]:
    """Keep what is silent under a key that is going silent under the current one; give what was added.

    Which old fingerprint is of which new one, two numbers of one Contact do not tell: so all its points of
    a kind are silenced once all of them were. The old rows stay until their key goes.
    """
    typed = [one for one in contacts if one.older]
    if not typed:
        return ()
    known = suppressions_of(connection, {point.hmac for one in typed for point in one.older})
    wanted = (
        {_place(new): new for one in typed for new in _under_new_keys(one, known)} if known else {}
    )
    there = suppressions_of(connection, {new.hmac for new in wanted.values()})
    for old in there:
        wanted.pop(_place(old), None)
    put_suppressions(connection, wanted.values())
    return tuple(sorted(wanted.values()))


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


def _under_new_keys(
    contact: ContactSnapshot, known: Collection[Suppression]
) -> Iterator[Suppression]:
    now: dict[PointType, list[ContactPoint]] = {}
    before: dict[tuple[PointType, int], set[str]] = {}
    for point in contact.points:
        now.setdefault(point.type, []).append(point)
    for point in contact.older:
        before.setdefault((point.type, point.key_version), set()).add(point.hmac)
    for (kind, _), hmacs in sorted(before.items()):
        told = [one for one in known if one.hmac in hmacs]
        for one in sorted(told):
            alike = {each.hmac for each in told if _sort(each) == _sort(one)}
            if alike == hmacs:
                for point in now.get(kind, ()):
                    yield replace(one, hmac=point.hmac, key_version=point.key_version)


def _sort(one: Suppression) -> tuple[str, str, bool]:
    return one.controller, one.scope, one.after_erasure


def _place(one: Suppression) -> tuple[str, str, str, bool]:
    return one.hmac, *_sort(one)


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
