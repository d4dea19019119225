"""Cases of people's rights as they are told: what was asked, until when, and how it may end."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from salesforce_bridge.cli.people import text_of
from salesforce_bridge.permissions.policy import Policy, basis_for
from salesforce_bridge.permissions.rights import (
    CaseKind,
    CaseState,
    RightsCase,
    Worth,
    answer_due,
    entitlement,
    is_due_soon,
    is_open,
    is_overdue,
)
from salesforce_bridge.reconcile.facts import SubjectRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """One way in which a kind of case may be closed, and what that takes."""

    state: CaseState
    means: str
    second_person: bool = False
    reason: str | None = None  # what has to be said about it; None: nothing
    told_before: bool = False  # the person has to have been told by then


_WHY = "why, as the person was told"
_ANSWERED = Ending(state=CaseState.DONE, means="what was asked for was done, and the person told")
_REFUSED = Ending(
    state=CaseState.REFUSED, means="the law lets us refuse, and the person was told", reason=_WHY
)
_UPHELD = Ending(state=CaseState.UPHELD, means="the objection stands, and the person was told")
_OVERRIDDEN = Ending(
    state=CaseState.OVERRIDDEN,
    means="compelling grounds go before it: the use goes on",
    second_person=True,
    reason="the grounds that go before those of the person",
)
ENDINGS: Mapping[CaseKind, tuple[Ending, ...]] = {
    CaseKind.OBJECTION: (_UPHELD, _OVERRIDDEN),
    CaseKind.PROFILING_OBJECTION: (_UPHELD, _OVERRIDDEN),
    CaseKind.MARKETING_OBJECTION: (_UPHELD,),
    CaseKind.RESTRICTION: (
        Ending(
            state=CaseState.DONE,
            means="the restriction is lifted; the person was told before",
            second_person=True,
            told_before=True,
        ),
        Ending(
            state=CaseState.REFUSED,
            means="there was no right to it, and it is lifted; the person was told before",
            second_person=True,
            reason=_WHY,
            told_before=True,
        ),
    ),
    CaseKind.ERASURE: (
        Ending(
            state=CaseState.DONE,
            means="everything about the person is erased but what the law keeps; it cannot be undone",
            second_person=True,
        ),
        _REFUSED,
    ),
    CaseKind.PORTABILITY: (
        Ending(
            state=CaseState.DONE,
            means="the copy was handed over",
            reason="the reference of the copy",
        ),
        _REFUSED,
    ),
    CaseKind.ACCESS: (_ANSWERED, _REFUSED),
    CaseKind.RECTIFICATION: (_ANSWERED, _REFUSED),
}
ASKED: Mapping[CaseKind, str] = {
    CaseKind.OBJECTION: "objects on grounds of their own, Art. 21(1)",
    CaseKind.MARKETING_OBJECTION: "objects to direct marketing, Art. 21(2)",
    CaseKind.PROFILING_OBJECTION: "objects to profiling or tracking, Art. 21",
    CaseKind.RESTRICTION: "wants the use of their data restricted, Art. 18",
    CaseKind.ERASURE: "wants to be forgotten, Art. 17",
    CaseKind.PORTABILITY: "wants a copy to take along, Art. 20",
    CaseKind.ACCESS: "wants to know what we hold, Art. 15",
    CaseKind.RECTIFICATION: "wants something put right, Art. 16",
}


WORTH: Mapping[Worth, str] = {
    Worth.AUTOMATIC: "at once",
    Worth.HOLD_AND_DECIDE: "held at once, then decided",
    Worth.CASE: "to be decided",
    Worth.BY_LAW: "as the law says",
    Worth.REFUSED: "no such right",
}


def entitled_to(
    case: RightsCase, person: SubjectRecord, *, policy: Policy, at: datetime
) -> list[dict[str, str]]:
    """What the case is worth for each purpose that it is about: whoever answers it has to tell the person."""
    rests = {(use.purpose, one.basis) for use, one in person.permissions.items()}
    for purpose in policy.purposes:
        whom = (person.jurisdiction, person.subject_class)
        basis = basis_for(policy, purpose, *whom, at=at)
        if basis is not None:
            rests.add((purpose, basis))
    return [
        {
            "purpose": purpose,
            "lawful_basis": basis.value,
            "worth": (found := entitlement(case.kind, basis)).worth.value,
            "article": found.article,
            "sentence": found.sentence,
        }
        for purpose, basis in sorted(rests)
        if case.purpose in (None, purpose)
    ]


def case_document(case: RightsCase, *, at: datetime) -> dict[str, Any]:
    """One case, as JSON."""
    return {
        "case_id": case.id,
        "kind": case.kind.value,
        "asked": ASKED[case.kind],
        "state": case.state.value,
        "subject_id": case.subject_id,
        "purpose": case.purpose,
        "received_at": case.received_at.isoformat(),
        "due_at": answer_due(case).isoformat(),
        "extended": case.extended_to is not None,
        "answered": not is_open(case),
        "due_soon": is_due_soon(case, at=at),
        "overdue": is_overdue(case, at=at),
        "reply_sent_at": text_of(case.reply_sent_at),
        "crm_done_at": text_of(case.crm_done_at),
        "decided_by": case.decided_by,
        "decision_reason": case.decision_reason,
    }
