"""Holding up: a mass change opens the circuit, a person closes it, and both are sealed."""

from datetime import datetime

from sqlalchemy import Connection

from salesforce_bridge.ledger import circuits, drafts, heads, policies, sealing
from salesforce_bridge.ledger.sealing import Nonces
from salesforce_bridge.permissions.keys import OrgId
from salesforce_bridge.permissions.policy import Policy


def open_circuit(
    connection: Connection, org_id: OrgId, why: str, *, at: datetime, nonces: Nonces
) -> bool:
    """Hold everything but stops up; False where that is so already."""
    heads.lock(connection)
    if not circuits.open_circuit(connection, org_id, why, at=at):
        return False
    active = policies.active(connection)
    frame = drafts.outside(
        at,
        policy_version=None if active is None else active.version,
        policy_digest=None if active is None else active.digest,
    )
    draft = drafts.of_nobody(
        drafts.CIRCUIT_OPENED,
        ref=org_id,
        reason="MASS_CHANGE_CIRCUIT_OPEN",
        by=drafts.BRIDGE,
        details={"why": why},
        frame={**frame, "org_id": org_id},
    )
    sealing.append(connection, [draft], nonces=nonces)
    return True


def close_circuit(
    connection: Connection,
    org_id: OrgId,
    *,
    by: str,
    reason: str,
    at: datetime,
    policy: Policy,
    nonces: Nonces,
) -> bool:
    """Let everything that is stamped until now through; False where nothing is held up."""
    heads.lock(connection)
    if not circuits.close_circuit(connection, org_id, by=by, reason=reason, at=at):
        return False
    draft = drafts.of_nobody(
        drafts.CIRCUIT_CLOSED,
        ref=org_id,
        reason=drafts.CIRCUIT_CLOSED,
        by=by,
        details={"reason": reason},
        frame={**drafts.under(policy, at), "org_id": org_id},
    )
    sealing.append(connection, [draft], nonces=nonces)
    return True
