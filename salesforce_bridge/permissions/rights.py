"""Rights of a person, what each is worth under each lawful basis, and the cases in which they are answered."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from salesforce_bridge.permissions.keys import PurposeKey, SubjectId


class CaseKind(StrEnum):
    """What a person asked for."""

    OBJECTION = "OBJECTION"  # on grounds of their own, Art. 21(1): held at once, then decided
    MARKETING_OBJECTION = "MARKETING_OBJECTION"  # Art. 21(2): upheld on receipt
    PROFILING_OBJECTION = "PROFILING_OBJECTION"
    RESTRICTION = "RESTRICTION"  # Art. 18
    ERASURE = "ERASURE"  # Art. 17
    PORTABILITY = "PORTABILITY"  # Art. 20
    ACCESS = "ACCESS"  # Art. 15
    RECTIFICATION = "RECTIFICATION"  # Art. 16


class CaseState(StrEnum):
    """How far a case has come."""

    OPEN = "OPEN"
    UPHELD = "UPHELD"
    OVERRIDDEN = "OVERRIDDEN"
    DONE = "DONE"
    REFUSED = "REFUSED"


@dataclass(frozen=True, slots=True, kw_only=True)
class RightsCase:
    """One request of a person that has to be answered in time."""

    id: str  # UUIDv5 of its content, so that the same request opens one case
    kind: CaseKind
    subject_id: SubjectId
    received_at: datetime
    due_at: datetime  # for the answer, Art. 12(3)
    state: CaseState = CaseState.OPEN
    purpose: PurposeKey | None = None
    extended_to: datetime | None = None
    reply_sent_at: datetime | None = None
    crm_done_at: datetime | None = None  # of an erasure: when the Contact was seen to be gone
    reminded_at: datetime | None = None  # when somebody was last told that it is due
    source_record: str | None = None
    decided_by: str | None = None
    decision_reason: str | None = None
