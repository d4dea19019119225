"""What operators record by hand: a word of a person that came by letter or telephone, or a judgement."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from salesforce_bridge.errors import SkipRecord
from salesforce_bridge.ledger import subjects
from salesforce_bridge.ledger.store import Appended, Deed, Tx
from salesforce_bridge.permissions.bases import OBJECTIONABLE, LawfulBasis
from salesforce_bridge.permissions.conditions import Condition
from salesforce_bridge.permissions.events import ActorKind, EventKind, PermissionEvent
from salesforce_bridge.permissions.evidence import Grade, Trust, grant_is_proven
from salesforce_bridge.permissions.gates import CONDITIONS_OF
from salesforce_bridge.permissions.keys import ANY_CHANNEL, ANY_PURPOSE, OrgId, SubjectId, Use
from salesforce_bridge.permissions.policy import Policy
from salesforce_bridge.reconcile.classes import is_marketing
from salesforce_bridge.reconcile.facts import ACTIVE, AMBIGUOUS, Candidate, Link, SubjectRecord
from salesforce_bridge.reconcile.identity import stable_id
from salesforce_bridge.reconcile.telling import Teller, basis_of, event_of

REASON = "OPERATOR_RECORDED"
CONFIRMED, REJECTED = "CLAIM_CONFIRMED", "CLAIM_REJECTED"


class PersonUnknown(SkipRecord):
    """The ledger has not met that person."""


class ProofMissing(SkipRecord):
    """A grant without enough proof is a claim, and an operator has no claims to make."""


class LinkCertain(SkipRecord):
    """Nobody doubts whose Contact that is."""


class ClaimClosed(SkipRecord):
    """A claim is not there, or somebody has judged it already."""


class Verb(StrEnum):
    """What can be recorded."""

    STOP = "STOP"
    GRANT = "GRANT"
    ESTABLISH = "ESTABLISH"
    END = "END"
    LIFT = "LIFT"
    HOLD = "HOLD"
    RELEASE = "RELEASE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What shows that something was said, and who has looked at it."""

    grade: Grade = Grade.NONE
    ref: str | None = None  # where it is kept
    notice_id: str | None = None  # what the person was shown
    point: str | None = None  # the `exact` fingerprint of the address it is for
    by_the_person: bool = False  # it is the person's own act: a signed form, a confirmed link


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """What an operator records about one person."""

    subject_id: SubjectId
    verb: Verb
    use: Use  # the purpose, the channel or both may be ANY, for a stop, a hold and a release
    happened_at: datetime
    by: str  # a login, never a name
    approved_by: str | None = None
    proof: Proof = Proof()
    effective_to: datetime | None = None
    condition_ref: str | None = None  # the contract, the law and article …; needed to establish


def record_event(tx: Tx, word: Word, *, at: datetime, policy: Policy) -> Appended:
    """Record a word; `Appended.refused` says for which code the ledger keeps it without following it."""
    record = _person(tx, word.subject_id)
    kind = kind_of(word, record, policy, at=at)
    trust = _trust(word)
    if kind is EventKind.GRANT:
        _refuse_unproven(word, trust, policy)
    event = replace(
        event_of(
            record,
            word.use,
            kind,
            reason=REASON,
            happened_at=word.happened_at,
            teller=Teller(actor=ActorKind.OPERATOR, trust=trust, ref=word.by),
            policy=policy,
            at=at,
        ),
        grade=word.proof.grade,
        evidence_ref=word.proof.ref,
        notice_id=word.proof.notice_id,
        point=word.proof.point,
        effective_to=word.effective_to,
        capture_source="operator",
        condition_ref=word.condition_ref,
    )
    return tx.append_deed(
        Deed(verb=word.verb.value, by=word.by, reason=REASON, approved_by=word.approved_by),
        at=at,
        policy=policy,
        events=(event,),
        conditions=_conditions(word, event),
    )


def kind_of(word: Word, record: SubjectRecord, policy: Policy, *, at: datetime) -> EventKind:
    """Say in the words of the permission's own basis what an operator records."""
    if word.verb is not Verb.STOP:
        return EventKind(word.verb.value)
    if word.use.purpose == ANY_PURPOSE:
        wide = word.use.channel == ANY_CHANNEL
        return EventKind.STOP_MARKETING if wide else EventKind.STOP_CHANNEL
    basis = basis_of(record, word.use, policy=policy, at=at)
    if basis is LawfulBasis.CONSENT:
        return EventKind.WITHDRAW
    if basis in OBJECTIONABLE and not is_marketing(record, word.use, policy=policy):
        return EventKind.OBJECT_GROUNDS
    return EventKind.OBJECT_MARKETING


def confirm_link(tx: Tx, link: Link, *, by: str, at: datetime, policy: Policy) -> Appended:
    """Let a Contact that was linked as a candidate be its person, because somebody has made sure."""
    if link.state != AMBIGUOUS:
        raise LinkCertain(
            f"Contact {link.contact_id} is {link.state}, so there is nothing to confirm",
            hint=f"salesforce-bridge ledger show {link.contact_id}",
        )
    return tx.append_deed(
        Deed(verb="CONFIRM_LINK", by=by, reason=CONFIRMED, details={"contact_id": link.contact_id}),
        at=at,
        policy=policy,
        links=(replace(link, state=ACTIVE),),
    )


def confirm_claim(
    tx: Tx, claim_id: str, proof: Proof, *, by: str, approved_by: str, at: datetime, policy: Policy
) -> Appended:
    """Let a claim in quarantine become a grant, on proof that two people have looked at."""
    org_id, claim = _open_claim(tx, claim_id)
    word = Word(
        subject_id=claim.subject_id,
        verb=Verb.GRANT,
        use=claim.use,
        happened_at=claim.claimed_at,
        by=by,
        approved_by=approved_by,
        proof=replace(proof, ref=proof.ref or claim.evidence_ref),
    )
    appended = record_event(tx, word, at=at, policy=policy)
    closed = replace(claim, open=False, reason=CONFIRMED)
    tx.append_deed(
        Deed(verb="CONFIRM", by=by, reason=CONFIRMED, approved_by=approved_by),
        at=at,
        policy=policy,
        candidates=((org_id, closed),),
    )
    return appended


def reject_claim(tx: Tx, claim_id: str, *, by: str, at: datetime, policy: Policy) -> None:
    """Close a claim in quarantine for good; nothing is permitted by it."""
    org_id, claim = _open_claim(tx, claim_id)
    tx.append_deed(
        Deed(verb="REJECT", by=by, reason=REJECTED),
        at=at,
        policy=policy,
        candidates=((org_id, replace(claim, open=False, reason=REJECTED)),),
    )


def _person(tx: Tx, subject_id: SubjectId) -> SubjectRecord:
    record = tx.subjects([subject_id]).get(subject_id)
    if record is None:
        raise PersonUnknown(
            f"the ledger has not met person {subject_id}", hint="salesforce-bridge ledger show"
        )
    return record


def _open_claim(tx: Tx, claim_id: str) -> tuple[OrgId, Candidate]:
    found = subjects.candidate(tx.connection, claim_id)
    if found is None or not found[1].open:
        raise ClaimClosed(
            f"claim {claim_id} does not wait for anybody",
            hint="salesforce-bridge ledger show CONTACT_ID",
        )
    return found


def _trust(word: Word) -> Trust:
    """How much an operator is to be believed: by the proof, and by who else has looked at it."""
    two_people = word.approved_by is not None and word.approved_by != word.by
    if two_people and word.proof.by_the_person and word.proof.grade is Grade.A:
        return Trust.SUBJECT_DIRECT
    if two_people:
        return Trust.CONTROLLER_CONTROLLED
    return Trust.VERIFIED_RELAY if word.proof.ref else Trust.UNVERIFIED_RELAY


def _refuse_unproven(word: Word, trust: Trust, policy: Policy) -> None:
    purpose = policy.purposes.get(word.use.purpose)
    required = Grade.A if purpose is None else purpose.required_grade
    if not grant_is_proven(trust, word.proof.grade, required):
        raise ProofMissing(
            f"a grant for {word.use.purpose} needs proof of grade {required.name}, and where it is kept",
            hint="give the grade and the reference, and have a second person approve",
        )


def _conditions(word: Word, event: PermissionEvent) -> tuple[Condition, ...]:
    """What an established basis rests on, as the facts that its gate will ask for."""
    if word.verb is not Verb.ESTABLISH or word.condition_ref is None:
        return ()
    return tuple(
        Condition(
            id=stable_id("condition", word.subject_id, kind, word.condition_ref, event.id),
            subject_id=word.subject_id,
            kind=kind,
            ref=word.condition_ref,
            valid_from=word.happened_at,
            valid_to=word.effective_to,
            purpose=word.use.purpose,
        )
        for kind in CONDITIONS_OF[event.basis]
    )
