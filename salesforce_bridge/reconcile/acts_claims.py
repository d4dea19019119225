"""Acts on claims of a yes: taken where a machine has checked the proof, else set aside for people."""

from collections.abc import Iterator
from dataclasses import replace

from salesforce_bridge.permissions.events import ActorKind, EventKind
from salesforce_bridge.permissions.evidence import Trust
from salesforce_bridge.permissions.proofs import Proof
from salesforce_bridge.reconcile.acts_words import happened_at, teller_of
from salesforce_bridge.reconcile.bench import Bench
from salesforce_bridge.reconcile.facts import Candidate
from salesforce_bridge.reconcile.findings import Finding
from salesforce_bridge.reconcile.identity import stable_id
from salesforce_bridge.reconcile.reasons import Reason
from salesforce_bridge.reconcile.telling import event_of


def grant(bench: Bench, finding: Finding, reason: Reason) -> Iterator[str]:
    """Take a yes that its proof shows."""
    return _take(bench, finding, reason, EventKind.GRANT)


def renew(bench: Bench, finding: Finding, reason: Reason) -> Iterator[str]:
    """Take a yes that its proof shows, said once more."""
    return _take(bench, finding, reason, EventKind.RENEW)


def quarantine(bench: Bench, finding: Finding, reason: Reason) -> Iterator[str]:
    """Set a claim aside until somebody has judged it; nothing is permitted meanwhile."""
    record = bench.record_of(finding.contact_id)
    seen_at = happened_at(bench, finding)
    source = finding.row_id or finding.contact_id
    proof = finding.proof
    candidate = Candidate(
        id=stable_id(
            "candidate",
            record.subject_id,
            finding.use,
            source,
            seen_at.isoformat(),
            *((proof.id,) if proof is not None else ()),
        ),
        subject_id=record.subject_id,
        use=finding.use,
        reason=reason.code,
        claimed_at=proof.happened_at if proof is not None else seen_at,
        evidence_ref=_ref_of(proof) if proof is not None else finding.evidence_ref,
        note_digest=finding.note_digest,
        claimed_by=finding.actor,
        source_record=source,
        expires_at=bench.at + bench.policy.quarantine_lasts,
        proof=proof,
    )
    bench.set_aside(candidate)
    yield candidate.id


def time_out(bench: Bench, finding: Finding, reason: Reason) -> Iterator[str]:
    """Close the claims on a use that nobody has judged in time."""
    record = bench.record_of(finding.contact_id)
    for candidate in record.candidates:
        late = candidate.open and candidate.expires_at <= bench.at
        if late and candidate.use == finding.use:
            bench.close_claim(candidate, decision=reason.code)
            yield candidate.id


def _take(bench: Bench, finding: Finding, reason: Reason, kind: EventKind) -> Iterator[str]:
    record, proof = bench.record_of(finding.contact_id), finding.proof
    assert proof is not None
    direct = proof.trust is Trust.SUBJECT_DIRECT
    relay = teller_of(finding)
    # The proof is the fact, on whatever record it is told, and however often.
    teller = replace(
        relay,
        trust=proof.trust,
        actor=ActorKind.PERSON if direct else relay.actor,
        ref=None if direct else relay.ref,
    )
    told = event_of(
        record,
        finding.use,
        kind,
        reason=reason.code,
        happened_at=proof.happened_at,
        teller=teller,
        policy=bench.policy,
        at=bench.at,
    )
    event = replace(
        told,
        id=stable_id("event", record.subject_id, finding.use, kind, proof.kind, proof.id),
        grade=proof.grade,
        effective_from=max(proof.happened_at, bench.at),
        capture_source=proof.kind,
        evidence_ref=_ref_of(proof),
        notice_id=proof.notice_id,
        point=proof.point,
    )
    bench.append(event)
    yield event.id


def _ref_of(proof: Proof) -> str:
    return f"token:{proof.id}"
