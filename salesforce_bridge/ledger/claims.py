"""Claims in quarantine: kept with whatever proves them, and with what people made of them."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection, Row, select

from salesforce_bridge.ledger import bulk
from salesforce_bridge.ledger.law_tables import candidate as candidate_table
from salesforce_bridge.permissions.evidence import Grade, Trust
from salesforce_bridge.permissions.keys import Channel, OrgId, PurposeKey, SubjectId, Use
from salesforce_bridge.permissions.proofs import Proof
from salesforce_bridge.reconcile.facts import Candidate

_REPLACED = (
    *("reason", "evidence_ref", "note_digest", "expires_at", "open", "revision"),
    *("proof", "decision", "decided_by"),
)


def put_candidates(
    connection: Connection, candidates: Sequence[tuple[OrgId, Candidate]], *, revision: int
) -> None:
    """Keep claims in quarantine, or what has become of them."""
    rows = [
        {
            "id": claim.id,
            "org_id": org_id,
            "subject_id": claim.subject_id,
            "purpose": claim.use.purpose,
            "channel": claim.use.channel,
            "reason": claim.reason,
            "claimed_at": claim.claimed_at,
            "evidence_ref": claim.evidence_ref,
            "note_digest": claim.note_digest,
            "claimed_by": claim.claimed_by,
            "source_record": claim.source_record,
            "expires_at": claim.expires_at,
            "open": claim.open,
            "revision": revision,
            "proof": None
            if claim.proof is None
            else orjson.dumps(claim.proof, default=Use._asdict).decode(),
            "decision": claim.decision,
            "decided_by": orjson.dumps(claim.decided_by).decode() if claim.decided_by else None,
        }
        for org_id, claim in candidates
    ]
    bulk.put_over(connection, candidate_table, rows, replace=_REPLACED)


def candidate(connection: Connection, candidate_id: str) -> tuple[OrgId, Candidate] | None:
    """One claim in quarantine, and the org it came from."""
    row = connection.execute(
        select(candidate_table).where(candidate_table.c.id == candidate_id)
    ).one_or_none()
    return None if row is None else (OrgId(row.org_id), candidate_of(row))


def candidates_of(
    connection: Connection, ids: Collection[SubjectId]
) -> dict[SubjectId, list[Candidate]]:
    """The claims about people, judged ones too, the oldest first."""
    statement = select(candidate_table).order_by(candidate_table.c.claimed_at, candidate_table.c.id)
    gathered: dict[SubjectId, list[Candidate]] = {}
    for row in bulk.look_up(connection, statement, candidate_table.c.subject_id, ids):
        claim = candidate_of(row)
        gathered.setdefault(claim.subject_id, []).append(claim)
    return gathered


def candidate_of(row: Row[*tuple[Any, ...]]) -> Candidate:
    """A claim in quarantine."""
    return Candidate(
        id=row.id,
        subject_id=SubjectId(row.subject_id),
        use=Use(purpose=PurposeKey(row.purpose), channel=Channel(row.channel)),
        reason=row.reason,
        claimed_at=row.claimed_at,
        evidence_ref=row.evidence_ref,
        note_digest=row.note_digest,
        claimed_by=row.claimed_by,
        source_record=row.source_record,
        expires_at=row.expires_at,
        open=row.open,
        proof=None if row.proof is None else proof_of(orjson.loads(row.proof)),
        decision=row.decision,
        decided_by=() if row.decided_by is None else tuple(orjson.loads(row.decided_by)),
    )


def proof_of(told: Mapping[str, Any]) -> Proof:
    """A proof, as it was written."""
    use = told["use"]
    return Proof(
        id=told["id"],
        kind=told["kind"],
        use=Use(purpose=PurposeKey(use["purpose"]), channel=Channel(use["channel"])),
        happened_at=datetime.fromisoformat(told["happened_at"]),
        notice_id=told["notice_id"],
        point=told["point"],
        trust=Trust(told["trust"]),
        grade=Grade(told["grade"]),
    )
