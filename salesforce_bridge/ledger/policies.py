"""Policies: the texts that decisions were made under, and the one that is in force."""

from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy import Connection, select

from salesforce_bridge.ledger import bulk, drafts, heads, sealing
from salesforce_bridge.ledger.faults import SecondPersonMissing
from salesforce_bridge.ledger.law_tables import policy_bundle
from salesforce_bridge.ledger.sealing import Nonces
from salesforce_bridge.ledger.values import ActivePolicy
from salesforce_bridge.permissions.policy import Policy

_ACTIVATION = ("activated_at", "activated_by", "approved_by", "note")


def active(connection: Connection) -> ActivePolicy | None:
    """The policy that was activated last; None before the first."""
    statement = (
        select(policy_bundle)
        .where(policy_bundle.c.activated_at.is_not(None))
        .order_by(policy_bundle.c.activated_at.desc(), policy_bundle.c.digest)
        .limit(1)
    )
    row = connection.execute(statement).one_or_none()
    if row is None or row.activated_at is None:
        return None
    return ActivePolicy(
        digest=row.digest,
        version=row.version,
        text=row.text,
        activated_at=row.activated_at,
        activated_by=row.activated_by or "",
        approved_by=row.approved_by,
        note=row.note,
    )


def activate(
    connection: Connection,
    policy: Policy,
    text: str,
    *,
    by: str,
    approved_by: str | None,
    note: str | None,
    at: datetime,
    nonces: Nonces,
) -> ActivePolicy:
    """Put a policy in force and seal that; the one that is in force already stays as it was activated."""
    heads.lock(connection)
    before = active(connection)
    if before is not None and before.digest == policy.digest:
        return before
    if before is not None and approved_by in (None, by):
        raise SecondPersonMissing(
            f"policy {policy.version} replaces {before.version}, which takes two people",
            hint="salesforce-bridge policy apply FILE --approved-by LOGIN --note TEXT",
        )
    row = {
        "digest": policy.digest,
        "version": policy.version,
        "text": text,
        "recorded_at": at,
        "activated_at": at,
        "activated_by": by,
        "approved_by": approved_by,
        "note": note,
    }
    bulk.put_over(connection, policy_bundle, [row], replace=_ACTIVATION)
    draft = drafts.of_nobody(
        drafts.POLICY_ACTIVATED,
        ref=policy.digest,
        reason=drafts.POLICY_ACTIVATED,
        by=by,
        approved_by=approved_by,
        details={"note": note, "before": None if before is None else before.digest},
        frame=drafts.under(policy, at),
    )
    sealing.append(connection, [draft], nonces=nonces)
    return ActivePolicy(
        digest=policy.digest,
        version=policy.version,
        text=text,
        activated_at=at,
        activated_by=by,
        approved_by=approved_by,
        note=note,
    )


def texts(connection: Connection, digests: Collection[str]) -> Mapping[str, str]:
    """The texts of policies that the ledger has kept, by digest."""
    statement = select(policy_bundle.c.digest, policy_bundle.c.text)
    found = bulk.look_up(connection, statement, policy_bundle.c.digest, digests)
    return {row.digest: row.text for row in found}
