"""One Contact, as a person asks about it: may we, why, what happened, and what still waits."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from salesforce_bridge.cli.gate_words import passages, said
from salesforce_bridge.cli.may_use import category_of, points_of
from salesforce_bridge.cli.outstanding import waited
from salesforce_bridge.cli.people import days, text_of
from salesforce_bridge.cli.rights_words import case_document
from salesforce_bridge.ledger.views import ContactView, SealedEntry
from salesforce_bridge.permissions.expiry import end_of, renew_by
from salesforce_bridge.permissions.gates import Answer, may_use
from salesforce_bridge.permissions.keys import Use
from salesforce_bridge.permissions.policy import Policy, visible_uses
from salesforce_bridge.permissions.profiles import applies_former, profile_of
from salesforce_bridge.reconcile.facts import Candidate, RowSnapshot, SubjectRecord
from salesforce_bridge.reconcile.reasons import REASONS
from salesforce_bridge.reconcile.standing import standing_of


def explained(found: ContactView, policy: Policy, *, at: datetime) -> dict[str, Any]:
    """Everything the ledger can say about one Contact, and how the rules see it now."""
    record = found.record
    return {
        "contact_id": found.link.contact_id,
        "subject_id": record.subject_id,
        "subject_class": record.subject_class,
        "link": found.link.state,
        "jurisdiction": record.jurisdiction,
        "profile": _profile(record, policy),
        "hold": record.hold,
        "erased": record.erased,
        "contact": _contact(found),
        "uses": [_use(found, use, policy, at=at) for use in _uses(found, policy)],
        "stops": [
            {
                "kind": each.kind.value,
                "purpose": each.purpose,
                "channel": each.channel,
                "since": each.since.isoformat(),
            }
            for each in record.stops
        ],
        "suppressions": [
            {
                "scope": each.scope.value,
                "since": each.since.isoformat(),
                "reason": each.reason,
                "after_erasure": each.after_erasure,
            }
            for each in record.suppressions
        ],
        "waiting": [_waiting(each, policy, at=at) for each in record.candidates if each.open],
        "rights_cases": [case_document(each, at=at) for each in record.cases],
        "situations": list(_situations(found.entries)),
        "decisions": [_decision(each) for each in found.entries],
    }


def _uses(found: ContactView, policy: Policy) -> Iterator[Use]:
    yield from sorted({*visible_uses(policy), *found.record.permissions})


def _profile(record: SubjectRecord, policy: Policy) -> dict[str, Any]:
    """Whose law counts, and for which uses that of the place before still does."""
    profile = profile_of(policy, record.jurisdiction)
    return {
        "key": profile.key,
        "version": profile.version,
        "confirmed_by": profile.confirmed_by,
        "former": record.former_jurisdiction,
        "moved_at": text_of(record.moved_at),
        "former_counts_for": [
            f"{use.purpose}/{use.channel}"
            for use in sorted({*visible_uses(policy), *record.permissions})
            if applies_former(record, record.permissions.get(use))
        ],
    }


def _contact(found: ContactView) -> dict[str, Any] | None:
    """What Salesforce showed on the Contact when it was last read."""
    contact = found.contact
    if contact is None:
        return None
    return {
        "modstamp": contact.modstamp.isoformat(),
        "deleted": contact.deleted,
        "consent_status": contact.fields.consent_status,
        "lawful_basis": contact.fields.lawful_basis,
        "summary": contact.fields.summary,
        "renew_by": text_of(contact.fields.renew_by),
        "opted_out_of_email": contact.opted_out_of_email,
        "opted_out_of_fax": contact.opted_out_of_fax,
        "do_not_call": contact.do_not_call,
    }


def _use(found: ContactView, use: Use, policy: Policy, *, at: datetime) -> dict[str, Any]:
    record = found.record
    permission = record.permissions.get(use)
    row = _row_of(found, use)
    answer = _answered(found, use, policy, at=at)
    ends_at = None if permission is None else end_of(permission, person=record, policy=policy)
    renewal = (
        None if permission is None else renew_by(permission, person=record, policy=policy, at=at)
    )
    return {
        "purpose": use.purpose,
        "channel": use.channel,
        "state": permission.state.value if permission is not None else None,
        "basis": permission.basis.value if permission is not None else None,
        "since": text_of(permission.since) if permission is not None else None,
        "evidence_ref": permission.evidence_ref if permission is not None else None,
        "notice_id": permission.notice_id if permission is not None else None,
        "ends_at": text_of(ends_at),
        "renew_by": text_of(renewal),
        "held": permission.held if permission is not None else None,
        "verdict": answer.verdict.name,
        "reason": answer.reason,
        "sentence": said(answer.reason),
        "failed_gates": [f"{each.gate} {each.reason}" for each in answer.failed],
        "gates": list(_gates(answer, use, policy)),
        "ledger_shows": _shown(found, use, policy, at=at),
        "salesforce_showed": row.fields.consent_status if row is not None else None,
        "requested": row.request if row is not None else None,
    }


def _answered(found: ContactView, use: Use, policy: Policy, *, at: datetime) -> Answer:
    return may_use(
        found.record,
        use,
        policy=policy,
        at=at,
        category=category_of(use, policy),
        link_state=found.link.state,
        points=points_of(found),
    )


def _gates(answer: Answer, use: Use, policy: Policy) -> Iterator[dict[str, Any]]:
    """Every gate in its order: passed, not asked, or why not."""
    for each in passages(answer, category=category_of(use, policy), live=False):
        gate = {"gate": each.gate.key, "title": each.gate.title}
        if not each.failures:
            answered = "passed" if each.asked else "not asked"
            yield gate | {"answer": answered, "reason": None, "sentence": each.gate.asks}
        for failure in each.failures:
            yield gate | {
                "answer": failure.verdict.name,
                "reason": failure.reason,
                "sentence": said(failure.reason),
            }


def _shown(found: ContactView, use: Use, policy: Policy, *, at: datetime) -> str | None:
    """What the ledger would have Salesforce show now."""
    if found.contact is None:
        return None
    standing = standing_of(
        found.record,
        use,
        contact=found.contact,
        link_state=found.link.state,
        policy=policy,
        at=at,
    )
    return standing.status.value


def _row_of(found: ContactView, use: Use) -> RowSnapshot | None:
    rows = (
        each
        for each in found.rows
        if (each.fields.purpose, each.fields.channel) == (use.purpose, use.channel)
    )
    return next(rows, None)


def _waiting(claim: Candidate, policy: Policy, *, at: datetime) -> dict[str, Any]:
    return {
        "claim_id": claim.id,
        "purpose": claim.use.purpose,
        "channel": claim.use.channel,
        "reason": claim.reason,
        "claimed_at": claim.claimed_at.isoformat(),
        "waits_days": days(waited(claim, policy, at=at)),
        "expires_at": claim.expires_at.isoformat(),
    }


def _situations(entries: tuple[SealedEntry, ...]) -> Iterator[dict[str, Any]]:
    """The latest decision for each situation and use."""
    told = set()
    for each in entries:
        header = each.header
        key = (header.get("situation"), header.get("purpose"), header.get("channel"))
        if each.kind != "DECISION" or key in told:
            continue
        told.add(key)
        reason = REASONS.get(str(header.get("reason")))
        yield {
            "situation": header.get("situation"),
            "use": f"{header.get('purpose')}/{header.get('channel')}",
            "class": header.get("ledger_class"),
            "at": header.get("at"),
            "reason": header.get("reason"),
            "sentence": reason.sentence if reason is not None else None,
        }


def _decision(entry: SealedEntry) -> dict[str, Any]:
    payload = entry.payload or {}
    return {
        "seq": entry.seq,
        "kind": entry.kind,
        "ref": entry.ref,
        "at": entry.header.get("at"),
        "reason": entry.header.get("reason") or entry.header.get("result"),
        "explanation": payload.get("explanation"),
    }
