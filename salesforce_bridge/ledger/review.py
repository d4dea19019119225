"""The review of claims: what waits in quarantine, and what two people, or one who says no, make of it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import select

from salesforce_bridge.errors import SkipRecord
from salesforce_bridge.ledger import claims, deeds, heads, history, proving, telling
from salesforce_bridge.ledger.law_tables import candidate
from salesforce_bridge.ledger.picture import Picture
from salesforce_bridge.ledger.proving import Proof, ProofMissing
from salesforce_bridge.ledger.values import Appended, Deed
from salesforce_bridge.permissions.events import EventKind, PermissionEvent
from salesforce_bridge.permissions.keys import ContactId, OrgId, SubjectId
from salesforce_bridge.permissions.policy import Policy
from salesforce_bridge.reconcile.facts import LIVE_LINKS, Candidate, SubjectRecord
from salesforce_bridge.reconcile.sentences import explained

APPROVED, REFUSED = "QUARANTINE_APPROVED", "QUARANTINE_REFUSED"
_ID = 15  # characters of a Salesforce id that matter; the rest repeats their capitals


class ClaimClosed(SkipRecord):
    """A claim is not there, or somebody has judged it already."""


class ClaimIsOwn(SkipRecord):
    """Whoever made a claim cannot approve it, nor be the second person for it."""


class ApprovalWithoutEffect(SkipRecord):
    """The ledger would keep the grant without following it, so the claim is better left open."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingClaim:
    """A claim that nobody has judged."""

    claim: Candidate
    org_id: OrgId
    contact_ids: tuple[ContactId, ...]  # the living ones of the person
    age: timedelta
    expires_in: timedelta  # negative: the next cycle closes it


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimView:
    """A claim, beside what the ledger holds about the person."""

    waiting: WaitingClaim
    record: SubjectRecord
    history: tuple[PermissionEvent, ...]  # of the claimed use, and wider stops; the oldest first


def waiting(
    tx: Picture,
    *,
    at: datetime,
    reason: str | None = None,
    claimed_by: str | None = None,
    limit: int = 100,
) -> tuple[WaitingClaim, ...]:
    """List the claims that wait for somebody, those that expire first before the others."""
    statement = select(candidate).where(candidate.c.open)
    if reason is not None:
        statement = statement.where(candidate.c.reason == reason)
    if claimed_by is not None:
        statement = statement.where(candidate.c.claimed_by == claimed_by)
    rows = tx.connection.execute(
        statement.order_by(candidate.c.expires_at, candidate.c.id).limit(limit)
    )
    found = [(OrgId(row.org_id), claims.candidate_of(row)) for row in rows]
    people = tx.subjects({claim.subject_id for _, claim in found})
    return tuple(_waiting(org_id, claim, people, at=at) for org_id, claim in found)


def show(tx: Picture, claim_id: str, *, at: datetime) -> ClaimView:
    """Show a claim that waits, beside what is known."""
    org_id, claim = open_claim(tx, claim_id)
    people = tx.subjects([claim.subject_id])
    told = history.events_of(tx.connection, [claim.subject_id]).get(claim.subject_id, ())
    places = (claim.use.purpose, "*"), (claim.use.channel, "*")
    return ClaimView(
        waiting=_waiting(org_id, claim, people, at=at),
        record=people[claim.subject_id],
        history=tuple(
            event
            for event in told
            if event.use.purpose in places[0] and event.use.channel in places[1]
        ),
    )


def approve(
    tx: Picture,
    claim_id: str,
    proof: Proof | None = None,
    *,
    by: str,
    approved_by: str | None,
    at: datetime,
    policy: Policy,
    crm_users: Collection[str] = (),
) -> Appended:
    """Let a claim become a grant, on proof that two people have looked at; neither may have made it.

    `crm_users` are the Salesforce user ids of the two. A claim with a proof that a machine has checked needs
    no other one. Where the ledger would not follow the grant this raises, and nothing is recorded.
    """
    heads.lock(tx.connection)
    org_id, claim = open_claim(tx, claim_id)
    second = telling.two_people(by, approved_by, what="approving a claim")
    _refuse_own(claim, (by, second, *crm_users))
    event = _grant(tx, claim, proof, by=by, approved_by=second, at=at, policy=policy)
    closed = replace(claim, open=False, decision=APPROVED, decided_by=(by, second))
    with tx.connection.begin_nested():
        appended = telling.append(
            tx,
            Deed(
                verb="APPROVE",
                by=by,
                reason=APPROVED,
                approved_by=second,
                details={"claim_id": claim.id, "claimed_by": claim.claimed_by},
            ),
            deeds.Facts(events=(event,), candidates=((org_id, closed),)),
            at=at,
            policy=policy,
        )
        if appended.refused or not appended.events:
            raise ApprovalWithoutEffect(
                f"the ledger would not follow this grant: {_why_not(appended)}",
                hint=f"salesforce-bridge review show {claim_id}",
            )
    return appended


def _why_not(appended: Appended) -> str:
    codes = telling.refusals(appended)
    return ", ".join(f"{each}: {explained(each)}" for each in codes) or (
        "it is in the ledger already"
    )


def refuse(tx: Picture, claim_id: str, *, by: str, at: datetime, policy: Policy) -> None:
    """Close a claim for good; nothing is permitted by it, so one person is enough."""
    heads.lock(tx.connection)
    org_id, claim = open_claim(tx, claim_id)
    _refuse(tx, org_id, claim, by=by, at=at, policy=policy)


def refuse_all(
    tx: Picture, claim_ids: Collection[str], *, by: str, at: datetime, policy: Policy
) -> int:
    """Close many claims for good, and say how many still waited; grants have no such verb."""
    heads.lock(tx.connection)
    refused = 0
    for claim_id in sorted(set(claim_ids)):
        found = claims.candidate(tx.connection, claim_id)
        if found is not None and found[1].open:
            _refuse(tx, *found, by=by, at=at, policy=policy)
            refused += 1
    return refused


def open_claim(tx: Picture, claim_id: str) -> tuple[OrgId, Candidate]:
    """One claim that waits, and the org it came from."""
    found = claims.candidate(tx.connection, claim_id)
    if found is None or not found[1].open:
        raise ClaimClosed(
            f"claim {claim_id} does not wait for anybody", hint="salesforce-bridge review list"
        )
    return found


def _waiting(
    org_id: OrgId, claim: Candidate, people: Mapping[SubjectId, SubjectRecord], *, at: datetime
) -> WaitingClaim:
    links = people[claim.subject_id].links
    return WaitingClaim(
        claim=claim,
        org_id=org_id,
        contact_ids=tuple(sorted(link.contact_id for link in links if link.state in LIVE_LINKS)),
        age=at - claim.claimed_at,
        expires_in=claim.expires_at - at,
    )


def _refuse_own(claim: Candidate, people: Collection[str]) -> None:
    author = claim.claimed_by
    if author is not None and _person(author) in map(_person, people):
        raise ClaimIsOwn(
            f"claim {claim.id} was made by one of the two people who would approve it",
            hint="have two other people look at it",
        )


def _person(name: str) -> str:
    """Compare logins whatever their case, and Salesforce ids in either length."""
    is_id = len(name) in (_ID, _ID + 3) and name.startswith("005") and name.isalnum()
    return name[:_ID] if is_id else name.strip().casefold()


def _grant(
    tx: Picture,
    claim: Candidate,
    given: Proof | None,
    *,
    by: str,
    approved_by: str,
    at: datetime,
    policy: Policy,
) -> PermissionEvent:
    checked = claim.proof
    if checked is not None:
        trust, happened_at = checked.trust, checked.happened_at
        proof = Proof(
            grade=checked.grade,
            ref=claim.evidence_ref or checked.id,
            notice_id=checked.notice_id,
            point=checked.point,
        )
    elif given is not None:
        trust = proving.believed(given, by=by, approved_by=approved_by)
        happened_at = claim.claimed_at
        proof = replace(given, ref=given.ref or claim.evidence_ref)
    else:
        raise ProofMissing(
            f"claim {claim.id} carries no proof that a machine has checked",
            hint="give --grade, --notice and --evidence; salesforce-bridge review approve --help",
        )
    proving.refuse_unproven(claim.use, trust, proof.grade, policy)
    return telling.said_by_operator(
        telling.person(tx, claim.subject_id),
        claim.use,
        EventKind.GRANT,
        reason=APPROVED,
        happened_at=happened_at,
        by=by,
        at=at,
        policy=policy,
        trust=trust,
        source_record=claim.id,
        grade=proof.grade,
        evidence_ref=proof.ref,
        notice_id=proof.notice_id,
        point=proof.point,
        effective_from=max(happened_at, at) if checked is not None else None,
    )


def _refuse(
    tx: Picture, org_id: OrgId, claim: Candidate, *, by: str, at: datetime, policy: Policy
) -> None:
    closed = replace(claim, open=False, decision=REFUSED, decided_by=(by,))
    telling.append(
        tx,
        Deed(verb="REFUSE", by=by, reason=REFUSED, details={"claim_id": claim.id}),
        deeds.Facts(candidates=((org_id, closed),)),
        at=at,
        policy=policy,
    )
