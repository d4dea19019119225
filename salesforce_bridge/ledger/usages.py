"""Uses: every answer that allowed one is remembered, because some law counts from the last."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection

from salesforce_bridge.ledger import bulk, drafts, heads, sealing
from salesforce_bridge.ledger.law_tables import usage
from salesforce_bridge.ledger.sealing import Nonces
from salesforce_bridge.ledger.values import Usage
from salesforce_bridge.permissions.policy import Policy
from salesforce_bridge.reconcile.identity import stable_id


def record_usage(
    connection: Connection,
    answers: Sequence[Usage],
    *,
    by: str,
    at: datetime,
    policy: Policy,
    nonces: Nonces,
) -> int:
    """Remember answers; the audit holds one entry for all of them, which counts and names nobody."""
    if not answers:
        return 0
    heads.lock(connection)
    rows = {
        row["id"]: row
        for each in answers
        if (
            row := {
                "id": stable_id("usage", each.subject_id, each.use, each.category, at, by),
                "subject_id": each.subject_id,
                "purpose": each.use.purpose,
                "channel": each.use.channel,
                "category": each.category,
                "at": at,
                "answer": each.answer,
                "revision": each.revision,
                "caller": by,
            }
        )
    }
    bulk.put_new(connection, usage, list(rows.values()))
    counted = Counter(
        f"{row['purpose']}:{row['channel']}:{row['category']}" for row in rows.values()
    )
    draft = drafts.of_nobody(
        drafts.USAGE_RECORDED,
        ref=drafts.USAGE_RECORDED,
        reason=drafts.USAGE_RECORDED,
        by=by,
        details={"uses": dict(counted)},
        frame=drafts.under(policy, at),
    )
    sealing.append(connection, [draft], nonces=nonces)
    return len(rows)
