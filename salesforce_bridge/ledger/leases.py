"""Leases: one writer at a time, and a standby that takes over when it falls silent."""

from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, or_, update

from salesforce_bridge.ledger import bulk
from salesforce_bridge.ledger.tables import lease


def take_lease(
    connection: Connection, name: str, owner: str, *, at: datetime, ttl: timedelta
) -> bool:
    """Take a lease that is free, ours or expired."""
    free = {"name": name, "owner": owner, "expires_at": at}
    bulk.put_new(connection, lease, [free])
    taken = connection.execute(
        update(lease)
        .where(lease.c.name == name, or_(lease.c.owner == owner, lease.c.expires_at <= at))
        .values(owner=owner, expires_at=at + ttl)
    )
    return taken.rowcount == 1


def release_lease(connection: Connection, name: str, owner: str) -> None:
    """Free a lease, if it is the owner's."""
    connection.execute(delete(lease).where(lease.c.name == name, lease.c.owner == owner))
