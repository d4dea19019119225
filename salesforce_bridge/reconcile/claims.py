"""Claims: what somebody typed on a row that would permit more, and how well it is proven."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from salesforce_bridge.permissions.bases import LawfulBasis
from salesforce_bridge.permissions.bundle import Policy, PurposeStatus
from salesforce_bridge.permissions.contact_points import ContactPoint
from salesforce_bridge.permissions.evidence import grant_is_proven
from salesforce_bridge.permissions.keys import Use
from salesforce_bridge.permissions.permission import Permission
from salesforce_bridge.permissions.policy import notice_was_published
from salesforce_bridge.permissions.profiles import grade_for
from salesforce_bridge.permissions.proofs import Proof, weigh
from salesforce_bridge.permissions.states import State
from salesforce_bridge.permissions.stops import covers
from salesforce_bridge.reconcile.classes import LedgerClass, class_of, is_marketing
from salesforce_bridge.reconcile.facts import (
    ContactSnapshot,
    RowFields,
    RowSnapshot,
    SubjectRecord,
)
from salesforce_bridge.reconcile.findings import Finding, Situation
from salesforce_bridge.reconcile.telling import basis_of
from salesforce_bridge.reconcile.words import Request, Status

SKEW = timedelta(minutes=5)  # by which clocks may differ
_CLAIM = ("request", "request_note", "request_evidence")
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
# Where no consent is asked for, a yes has nothing to be recorded on; in these classes that shows nowhere else.
_UNDECIDED = frozenset({LedgerClass.L0, LedgerClass.L1, LedgerClass.L5})


def claim_on(
    here: Finding,
    agreed: RowSnapshot | None,
    seen: RowSnapshot,
    *,
    record: SubjectRecord,
    contact: ContactSnapshot | None,
    policy: Policy,
    at: datetime,
) -> Finding | None:
    """Name the claim that somebody made on a row since both sides last agreed, if there is one."""
    if not (_claimed(agreed, seen) or _widened(agreed, seen)):
        return None
    offered = _offered(agreed, seen)
    if _is_implausible(agreed, seen, offered, at=at):
        return replace(here, situation=Situation.S09_CRM_GRANT_IMPLAUSIBLE_TIME)
    if offered is not None:
        proof = weigh(offered, policy.proofs.get(offered.kind))
        if is_verified(proof, here.use, record=record, contact=contact, policy=policy, at=at):
            later = is_news(proof, here.use, record=record, policy=policy)
            return replace(
                here,
                situation=Situation.S05_CRM_GRANT_VERIFIED_LATER
                if later
                else Situation.S06_CRM_GRANT_VERIFIED_EARLIER,
                proof=proof,
            )
    attested = bool(_reference(agreed, seen))
    return replace(
        here,
        situation=Situation.S07_CRM_GRANT_ATTESTED if attested else Situation.S08_CRM_GRANT_BARE,
    )


def is_verified(
    proof: Proof,
    use: Use,
    *,
    record: SubjectRecord,
    contact: ContactSnapshot | None,
    policy: Policy,
    at: datetime,
) -> bool:
    """Say whether a proof shows that this very person said yes to this very use, and well enough.

    What the ledger would refuse is not verified: then a person has to look at it.
    """
    purpose = policy.purposes.get(use.purpose)
    if purpose is None or purpose.status is not PurposeStatus.LIVE or proof.use != use:
        return False
    if not _is_of(proof, use, contact, policy):
        return False
    if not notice_was_published(policy, proof.notice_id, use.purpose, at=proof.happened_at):
        return False
    least = grade_for(policy, record, purpose, _as_given(proof, marketing=purpose.direct_marketing))
    if not grant_is_proven(proof.trust, proof.grade, least):
        return False
    return (
        basis_of(record, use, policy=policy, at=at) is LawfulBasis.CONSENT
        or class_of(record, use, policy=policy, at=at) not in _UNDECIDED
    )


def is_news(proof: Proof, use: Use, *, record: SubjectRecord, policy: Policy) -> bool:
    """Say whether a yes is later than all that the ledger knows about the use."""
    permission = record.permissions.get(use)
    marketing = is_marketing(record, use, policy=policy)
    known = [each.since for each in record.stops if covers(each, use, marketing=marketing)]
    known += [each.since for each in record.suppressions]
    if permission is not None:
        moments = (permission.since, permission.stopped_at, permission.granted_at)
        known += [moment for moment in moments if moment is not None]
    return all(proof.happened_at > moment for moment in known)


def _claimed(agreed: RowSnapshot | None, seen: RowSnapshot) -> bool:
    """Recognise a claim that was not heard yet: the request itself, or other proof for it."""
    return seen.request == Request.GRANT and (
        agreed is None or any(getattr(agreed, name) != getattr(seen, name) for name in _CLAIM)
    )


def _widened(agreed: RowSnapshot | None, seen: RowSnapshot) -> bool:
    now = seen.fields.consent_status
    if agreed is None or agreed.fields.consent_status != now:
        return now == Status.PERMITTED
    return now == Status.PERMITTED and _ends_later(agreed.fields, seen.fields)


def _ends_later(agreed: RowFields, seen: RowFields) -> bool:
    if agreed.effective_to is None:
        return False
    return seen.effective_to is None or seen.effective_to > agreed.effective_to


def _offered(agreed: RowSnapshot | None, seen: RowSnapshot) -> Proof | None:
    """Give the proof that came with a claim, not one that stayed on the row from an earlier one."""
    asked = seen.request == Request.GRANT
    new = agreed is None or agreed.request_evidence != seen.request_evidence
    return seen.proof if asked or new else None


def _reference(agreed: RowSnapshot | None, seen: RowSnapshot) -> str | None:
    if seen.request == Request.GRANT:
        return seen.request_evidence
    written = agreed.fields.evidence_ref if agreed is not None else None
    return seen.fields.evidence_ref if seen.fields.evidence_ref != written else None


def _is_implausible(
    agreed: RowSnapshot | None, seen: RowSnapshot, offered: Proof | None, *, at: datetime
) -> bool:
    """Say whether a claim is dated later than it was made, or before there were computers to date it."""
    claimed = [offered.happened_at] if offered is not None else []
    typed = seen.fields.capture_date
    if typed is not None and (agreed is None or agreed.fields.capture_date != typed):
        claimed.append(typed)
    latest = min(seen.modstamp, at) + SKEW
    return any(not _BEGINNING <= moment <= latest for moment in claimed)


def _is_of(proof: Proof, use: Use, contact: ContactSnapshot | None, policy: Policy) -> bool:
    """Say whether a proof was given for an address of this Contact, of the kind that the channel uses."""
    rule = policy.channels.get(use.channel)
    if rule is None or contact is None or not proof.point:
        return False
    return any(
        point.exact == proof.point and rule.point in (None, point.type)
        for point in _points_of(contact)
    )


def _points_of(contact: ContactSnapshot) -> tuple[ContactPoint, ...]:
    return (*contact.points, *contact.older)


def _as_given(proof: Proof, *, marketing: bool) -> Permission:
    """Show the permission that a proof would make, to ask what the law of a place wants of it."""
    return Permission(
        use=proof.use,
        basis=LawfulBasis.CONSENT,
        state=State.GIVEN,
        marketing=marketing,
        revision=0,
        reason="",
        since=proof.happened_at,
        granted_at=proof.happened_at,
        trust=proof.trust,
        grade=proof.grade,
    )
