"""How a claim is told: what was claimed, by whom and when, beside what the ledger holds."""

from datetime import datetime
from typing import Any

import typer

from salesforce_bridge.cli.outstanding import waited
from salesforce_bridge.cli.people import days
from salesforce_bridge.cli.shared import tell_table
from salesforce_bridge.ledger.review import ClaimView, WaitingClaim
from salesforce_bridge.permissions.bundle import Policy
from salesforce_bridge.reconcile.reasons import REASONS


def claim_document(waiting: WaitingClaim, policy: Policy, *, at: datetime) -> dict[str, Any]:
    """One claim, as JSON."""
    claim = waiting.claim
    reason = REASONS.get(claim.reason)
    return {
        "claim_id": claim.id,
        "contact_ids": list(waiting.contact_ids),
        "subject_id": claim.subject_id,
        "purpose": claim.use.purpose,
        "channel": claim.use.channel,
        "reason": claim.reason,
        "sentence": reason.sentence if reason is not None else None,
        "claimed_at": claim.claimed_at.isoformat(),
        "claimed_by": claim.claimed_by,
        "waits_days": days(waited(claim, policy, at=at)),
        "evidence_ref": claim.evidence_ref,
        "checked_proof": claim.proof.kind if claim.proof is not None else None,
        "expires_at": claim.expires_at.isoformat(),
        "expires_in_days": days(waiting.expires_in),
    }


def view_document(view: ClaimView, policy: Policy, *, at: datetime) -> dict[str, Any]:
    """A claim and what it stands beside, as JSON."""
    claim = view.waiting.claim
    permission = view.record.permissions.get(claim.use)
    return claim_document(view.waiting, policy, at=at) | {
        "state": permission.state.value if permission is not None else None,
        "basis": permission.basis.value if permission is not None else None,
        "jurisdiction": view.record.jurisdiction,
        "history": [
            {
                "revision": each.revision,
                "happened_at": each.happened_at.isoformat(),
                "kind": each.kind.value,
                "purpose": each.use.purpose,
                "channel": each.use.channel,
                "actor": each.actor.value,
                "reason": each.reason,
                "evidence_ref": each.evidence_ref,
                "notice_id": each.notice_id,
            }
            for each in view.history
        ],
    }


def tell_claim(document: dict[str, Any]) -> None:
    """Say a claim for people who have to judge it."""
    typer.echo(
        f"Claim {document['claim_id']}: {document['purpose']}/{document['channel']}"
        f" of {', '.join(document['contact_ids'])}"
    )
    typer.echo(f"{document['reason']}: {document['sentence']}")
    checked = document["checked_proof"]
    tell_table(
        ("", "claimed", "the ledger holds"),
        (
            ("state", "a yes", document["state"] or "nothing"),
            ("when, by whom", f"{document['claimed_at']}, {document['claimed_by']}", ""),
            ("proof", f"{checked}, checked" if checked else document["evidence_ref"] or "none", ""),
            ("basis", "CONSENT", document["basis"] or "nothing"),
        ),
    )
    if document["history"]:
        tell_table(
            ("revision", "happened at", "event", "purpose", "channel", "told by", "reason"),
            (tuple(each.values())[:7] for each in document["history"]),
            title="what happened, oldest first",
        )
    typer.echo(
        f"waits for {document['waits_days']} days, closed by itself in"
        f" {document['expires_in_days']} days; it takes two people to approve it, one to refuse it"
    )
    proof = "" if checked else " --grade A|B --notice ID --evidence REF"
    typer.echo(f"review approve {document['claim_id']} --approved-by LOGIN{proof}")
    typer.echo(f"review refuse {document['claim_id']}")
