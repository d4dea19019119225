"""Entries about what is neither a decision nor an outcome: cases, suppressions, circuits, activations, erasures."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from salesforce_bridge.audit import entries
from salesforce_bridge.audit.entries import Draft
from salesforce_bridge.permissions.policy import Policy
from salesforce_bridge.permissions.rights import RightsCase
from salesforce_bridge.permissions.suppressions import Suppression

BRIDGE = "salesforce_bridge"  # who did it, where nobody did
CASE_OPENED, CASE_NOTED = "RIGHTS_CASE_OPENED", "RIGHTS_CASE_NOTED"
CASE_CLOSED, CASE_EXTENDED = "RIGHTS_CASE_CLOSED", "RIGHTS_CASE_EXTENDED"
SUPPRESSION_ADDED, SUPPRESSION_LIFTED = "SUPPRESSION_ADDED", "SUPPRESSION_LIFTED"
SUPPRESSION_REKEYED = "SUPPRESSION_REKEYED"  # kept silent under the current key as well
CIRCUIT_OPENED, CIRCUIT_CLOSED = "CIRCUIT_OPENED", "CIRCUIT_CLOSED"
POLICY_ACTIVATED = "POLICY_BUNDLE_ACTIVATED"
USAGE_RECORDED = "USAGE_RECORDED"
ERASED = "EVIDENCE_SHREDDED"


def outside(
    at: datetime, *, policy_version: str | None, policy_digest: str | None
) -> dict[str, object]:
    """Frame what happens outside a cycle."""
    return {
        "org_id": None,
        "cycle_id": None,
        "at": entries.plain(at),
        "policy_version": policy_version,
        "policy_digest": policy_digest,
    }


def under(policy: Policy, at: datetime) -> dict[str, object]:
    """Frame what happens outside a cycle under a policy."""
    return outside(at, policy_version=policy.version, policy_digest=policy.digest)


def case(
    verb: str,
    case: RightsCase,
    *,
    subject_key: str | None,
    by: str,
    approved_by: str | None = None,
    frame: Mapping[str, object],
) -> Draft:
    """Say what became of somebody's case."""
    details = {
        "case_id": case.id,
        "state": case.state.value,
        "purpose": case.purpose,
        "received_at": entries.plain(case.received_at),
        "due_at": entries.plain(case.extended_to or case.due_at),
        "reply_sent_at": entries.plain(case.reply_sent_at),
        "crm_done_at": entries.plain(case.crm_done_at),
        "decision_reason": case.decision_reason,
    }
    return entries.deed(
        ref=case.id,
        verb=verb,
        reason=case.kind.value,
        subject_key=subject_key,
        by=by,
        approved_by=approved_by,
        details=details,
        frame=frame,
    )


def suppressed(
    verb: str,
    suppressions: Sequence[Suppression],
    *,
    by: str,
    approved_by: str | None = None,
    evidence_ref: str | None = None,
    frame: Mapping[str, object],
) -> Draft:
    """Say which addresses were silenced, or are no more; nobody is named beside them."""
    proven = {} if evidence_ref is None else {"evidence_ref": evidence_ref}
    return entries.deed(
        ref=verb.lower(),
        verb=verb,
        reason=suppressions[0].reason,
        subject_key=None,
        by=by,
        approved_by=approved_by,
        details={
            "suppressions": [
                {
                    "hmac": one.hmac,
                    "key_version": one.key_version,
                    "scope": one.scope.value,
                    "after_erasure": one.after_erasure,
                    "reason": one.reason,
                }
                for one in suppressions
            ],
            **proven,
        },
        frame=frame,
    )


def erased(
    *,
    subject_key: str | None,
    by: str,
    approved_by: str,
    kept: Sequence[str],
    destroyed: Mapping[str, int],
    frame: Mapping[str, object],
) -> Draft:
    """Say that all that was sealed under a key is destroyed, by whom, and what stays; not about whom."""
    return entries.deed(
        ref=subject_key or ERASED.lower(),
        verb=ERASED,
        reason=ERASED,
        subject_key=subject_key,
        by=by,
        approved_by=approved_by,
        details={"kept": list(kept), "destroyed": dict(destroyed)},
        frame=frame,
    )


def of_nobody(
    verb: str,
    *,
    ref: str,
    reason: str,
    by: str,
    approved_by: str | None = None,
    details: Mapping[str, object],
    frame: Mapping[str, object],
) -> Draft:
    """Say what was done that is about no person."""
    return entries.deed(
        ref=ref,
        verb=verb,
        reason=reason,
        subject_key=None,
        by=by,
        approved_by=approved_by,
        details=details,
        frame=frame,
    )
