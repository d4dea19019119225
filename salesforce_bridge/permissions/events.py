"""Permission events: the append-only facts from which every permission is folded."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from salesforce_bridge.permissions.bases import LawfulBasis
from salesforce_bridge.permissions.evidence import Grade, Trust
from salesforce_bridge.permissions.keys import ControllerKey, SubjectId, Use


class EventKind(StrEnum):
    """What happened to a permission, in the words of the state machines."""

    # consent
    REQUEST = "REQUEST"
    DEFER = "DEFER"
    GRANT_UNCONFIRMED = "GRANT_UNCONFIRMED"
    GRANT = "GRANT"
    RENEW = "RENEW"
    REFUSE = "REFUSE"
    WITHDRAW = "WITHDRAW"
    EXPIRE = "EXPIRE"
    REVOKE = "REVOKE"
    INVALIDATE = "INVALIDATE"
    # every other basis
    ESTABLISH = "ESTABLISH"
    END = "END"
    OBJECT_MARKETING = "OBJECT_MARKETING"
    OBJECT_GROUNDS = "OBJECT_GROUNDS"
    UPHOLD = "UPHOLD"
    OVERRIDE = "OVERRIDE"
    LIFT = "LIFT"
    # both
    ERASE = "ERASE"
    # wider than one key: the purpose, the channel or both are ANY
    STOP_CHANNEL = "STOP_CHANNEL"  # all marketing on one channel
    STOP_MARKETING = "STOP_MARKETING"  # all marketing
    STOP_ALL = "STOP_ALL"  # everything that can be stopped
    # a hold is not a state of the law: it suspends one until somebody has looked
    HOLD = "HOLD"
    RELEASE = "RELEASE"
    # the same stop told again, kept because it is evidence
    CORROBORATE = "CORROBORATE"
    # a stop that was proven to be a recording error; two people, and nothing is permitted by it
    CORRECT = "CORRECT"
    # marks on a permission: a newer notice, the duty to ask anew, a prompt before the end
    NOTICED = "NOTICED"
    REAFFIRM = "REAFFIRM"
    PROMPT = "PROMPT"


class ActorKind(StrEnum):
    """Who did it."""

    PERSON = "PERSON"
    CRM_USER = "CRM_USER"
    OPERATOR = "OPERATOR"
    IMPORT = "IMPORT"
    CLOCK = "CLOCK"
    BRIDGE = "BRIDGE"
    POLICY = "POLICY"


@dataclass(frozen=True, slots=True, kw_only=True)
class PermissionEvent:
    """One fact about one use of one person's data; never changed, never removed."""

    id: str  # UUIDv5 of its content, so the same fact is recorded once
    subject_id: SubjectId
    controller: ControllerKey
    use: Use
    kind: EventKind
    basis: LawfulBasis
    happened_at: datetime
    actor: ActorKind
    actor_ref: (
        str | None
    )  # a pseudonymous id (a Salesforce user id, an operator's login), never a name
    trust: Trust
    grade: Grade
    reason: str  # the reason code of the decision that appended it
    purpose_version: int
    policy_version: str
    marketing: bool  # whether the purpose was direct marketing when it happened
    # the person said so about this subject; False for a stop carried over from a shared contact point
    own: bool = True
    effective_from: datetime | None = None
    effective_to: datetime | None = None
    capture_source: str | None = None
    evidence_ref: str | None = None
    notice_id: str | None = None
    point: str | None = None  # HMAC of the contact point it was given for, when address-scoped
    condition_ref: str | None = None  # contract, assessment, obligation … that a basis rests on
    source_record: str | None = None
    source_stamp: datetime | None = None
    recorded_at: datetime | None = None  # the moment of the decision that appended it
    revision: int = 0  # given by the ledger when it is recorded, in commit order


# What a person says no with. Doubt about one of these is a no.
STOPS = frozenset(
    {
        EventKind.REFUSE,
        EventKind.WITHDRAW,
        EventKind.OBJECT_MARKETING,
        EventKind.OBJECT_GROUNDS,
        EventKind.STOP_CHANNEL,
        EventKind.STOP_MARKETING,
        EventKind.STOP_ALL,
    }
)
GRANTS = frozenset({EventKind.GRANT, EventKind.RENEW})


def in_fold_order(events: Iterable[PermissionEvent]) -> tuple[PermissionEvent, ...]:
    """Sort the new events of one cycle: corrections, grants, clock, policy, stops, so that a stop folds last."""
    return tuple(sorted(events, key=_fold_order))


def _fold_order(event: PermissionEvent) -> tuple[int, datetime, str]:
    if event.kind in STOPS or event.kind in _AFTER_STOPS:
        rank = 4
    elif event.kind is EventKind.CORRECT:
        rank = (
            0  # what was proven before the stop that never was may be told anew in the same breath
        )
    elif event.actor is ActorKind.POLICY:
        rank = 3
    else:
        rank = 2 if event.actor is ActorKind.CLOCK else 1
    return rank, event.happened_at, event.id


_AFTER_STOPS = frozenset({EventKind.CORROBORATE, EventKind.ERASE, EventKind.HOLD})
