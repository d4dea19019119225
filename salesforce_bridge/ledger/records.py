"""What operators record by hand: a word of a person that came by letter or telephone, or a judgement."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from salesforce_bridge.errors import SkipRecord
from salesforce_bridge.ledger import proving, telling
from salesforce_bridge.ledger.anew import begin_anew
from salesforce_bridge.ledger.deeds import Facts
from salesforce_bridge.ledger.heirs import heirs_of
from salesforce_bridge.ledger.proving import NO_PROOF, Proof, ProofMissing
from salesforce_bridge.ledger.store import Appended, Deed, Tx
from salesforce_bridge.ledger.telling import PersonUnknown
from salesforce_bridge.permissions.conditions import Condition
from salesforce_bridge.permissions.events import EventKind, PermissionEvent
from salesforce_bridge.permissions.evidence import Trust
from salesforce_bridge.permissions.gates import CONDITIONS_OF
from salesforce_bridge.permissions.keys import SubjectId, Use
from salesforce_bridge.permissions.policy import Policy
from salesforce_bridge.reconcile.facts import ACTIVE, AMBIGUOUS, Link, SubjectRecord
from salesforce_bridge.reconcile.identity import stable_id

__all__ = [
    "LinkCertain",
    "PersonUnknown",
    "Proof",
    "ProofMissing",
    "Verb",
    "Word",
    "confirm_link",
    "kind_of",
    "record_event",
]

REASON = "OPERATOR_RECORDED"
LINK_CONFIRMED = "LINK_CONFIRMED"


class LinkCertain(SkipRecord):
    """Nobody doubts whose Contact that is."""


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
class Word:
    """What an operator records about one person."""

    subject_id: SubjectId
    verb: Verb
    use: Use  # the purpose, the channel or both may be ANY, for a stop, a hold and a release
    happened_at: datetime
    by: str  # a login, never a name
    approved_by: str | None = None
    proof: Proof = NO_PROOF
    effective_to: datetime | None = None
    condition_ref: str | None = None  # the contract, the law and article …; needed to establish


def record_event(tx: Tx, word: Word, *, at: datetime, policy: Policy) -> Appended:
    """Record a word; `Appended.refused` says for which code the ledger keeps it without following it.

    A fresh yes of the person, after they were erased, begins a new person who has nothing to do with the old.
    """
    record = telling.person(tx, word.subject_id)
    kind = kind_of(word, record, policy, at=at)
    trust = proving.believed(word.proof, by=word.by, approved_by=word.approved_by)
    if kind is EventKind.GRANT:
        proving.refuse_unproven(word.use, trust, word.proof.grade, policy)
    begun = Facts()
    if record.erased and kind is EventKind.GRANT:
        record, begun = begin_anew(tx, record, trust=trust, happened_at=word.happened_at)
    # Stops match wide: who was merged away says no for whoever they are now.
    told = (record, *heirs_of(tx, record)) if word.verb is Verb.STOP else (record,)
    events = tuple(_event(word, each, trust, at=at, policy=policy) for each in told)
    return telling.append(
        tx,
        Deed(verb=word.verb.value, by=word.by, reason=REASON, approved_by=word.approved_by),
        replace(begun, events=events, conditions=_conditions(word, events[0])),
        at=at,
        policy=policy,
    )


def kind_of(word: Word, record: SubjectRecord, policy: Policy, *, at: datetime) -> EventKind:
    """Say in the words of the permission's own basis what an operator records."""
    if word.verb is not Verb.STOP:
        return EventKind(word.verb.value)
    return telling.stop_kind(record, word.use, policy=policy, at=at)


def confirm_link(tx: Tx, link: Link, *, by: str, at: datetime, policy: Policy) -> Appended:
    """Let a Contact that was linked as a candidate be its person, because somebody has made sure."""
    if link.state != AMBIGUOUS:
        raise LinkCertain(
            f"Contact {link.contact_id} is {link.state}, so there is nothing to confirm",
            hint=f"salesforce-bridge ledger show {link.contact_id}",
        )
    return tx.append_deed(
        Deed(
            verb="CONFIRM_LINK",
            by=by,
            reason=LINK_CONFIRMED,
            details={"contact_id": link.contact_id},
        ),
        at=at,
        policy=policy,
        links=(replace(link, state=ACTIVE),),
    )


def _event(
    word: Word, record: SubjectRecord, trust: Trust, *, at: datetime, policy: Policy
) -> PermissionEvent:
    return telling.said_by_operator(
        record,
        word.use,
        kind_of(word, record, policy, at=at),
        reason=REASON,
        happened_at=word.happened_at,
        by=word.by,
        at=at,
        policy=policy,
        trust=trust,
        grade=word.proof.grade,
        evidence_ref=word.proof.ref,
        notice_id=word.proof.notice_id,
        point=word.proof.point,
        effective_to=word.effective_to,
        condition_ref=word.condition_ref,
    )


def _conditions(word: Word, event: PermissionEvent) -> tuple[Condition, ...]:
    """What an established basis rests on, as the facts that its gate will ask for."""
    if word.verb is not Verb.ESTABLISH or word.condition_ref is None:
        return ()
    return tuple(
        Condition(
            id=stable_id("condition", event.subject_id, kind, word.condition_ref, event.id),
            subject_id=event.subject_id,
            kind=kind,
            ref=word.condition_ref,
            valid_from=word.happened_at,
            valid_to=word.effective_to,
            purpose=word.use.purpose,
        )
        for kind in CONDITIONS_OF[event.basis]
    )
