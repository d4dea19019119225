"""Rights of a person, what each is worth under each lawful basis, and the cases in which they are answered."""

from calendar import monthrange
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from salesforce_bridge.permissions.bases import LawfulBasis
from salesforce_bridge.permissions.bundle import Profile
from salesforce_bridge.permissions.keys import PurposeKey, SubjectId
from salesforce_bridge.permissions.permission import Permission


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


class Right(StrEnum):
    """What a person is entitled to ask for."""

    WITHDRAW = "WITHDRAW"
    OBJECT_GROUNDS = "OBJECT_GROUNDS"
    OBJECT_MARKETING = "OBJECT_MARKETING"
    ERASE = "ERASE"
    PORTABILITY = "PORTABILITY"
    RESTRICT = "RESTRICT"
    ACCESS = "ACCESS"
    RECTIFY = "RECTIFY"
    TELL_RECIPIENTS = "TELL_RECIPIENTS"
    NO_AUTOMATED_DECISION = "NO_AUTOMATED_DECISION"


class Worth(StrEnum):
    """What happens when a person makes use of a right."""

    AUTOMATIC = "AUTOMATIC"  # done at once, without anybody's judgement
    HOLD_AND_DECIDE = "HOLD_AND_DECIDE"  # the use stops at once, then somebody decides
    CASE = "CASE"  # somebody decides, before a date
    BY_LAW = "BY_LAW"  # only as far as the law behind the basis grants it
    REFUSED = "REFUSED"  # the right does not exist here; the person is told so, and which one does


@dataclass(frozen=True, slots=True, kw_only=True)
class Entitlement:
    """What one right is worth under one basis."""

    worth: Worth
    article: str
    sentence: str


def entitlement(kind: CaseKind, basis: LawfulBasis) -> Entitlement:
    """Say what it is worth under a basis that a person asked for such a thing."""
    return RIGHTS[RIGHT_OF[kind]][basis]


def due_at(received_at: datetime, months: int) -> datetime:
    """Say when an answer is due: the same day so many calendar months on, or the last day of that month."""
    years, month = divmod(received_at.month - 1 + months, 12)
    year = received_at.year + years
    day = min(received_at.day, monthrange(year, month + 1)[1])
    return received_at.replace(year=year, month=month + 1, day=day)


def extended(case: RightsCase, profile: Profile) -> RightsCase:
    """Give a complex case the months that the law allows on top; asking twice gives no more."""
    months = profile.reply_months + profile.extension_months
    return replace(case, extended_to=due_at(case.received_at, months))


def may_be_extended(case: RightsCase, *, at: datetime) -> bool:
    """Tell whether there is still time to tell the person that the answer takes longer."""
    return is_open(case) and case.extended_to is None and at <= case.due_at


def answer_due(case: RightsCase) -> datetime:
    """Say when the answer is due, extensions included."""
    return case.due_at if case.extended_to is None else case.extended_to


def is_open(case: RightsCase) -> bool:
    """Tell whether the person still waits: for the decision, or for the answer to one taken on receipt."""
    return case.state is CaseState.OPEN or (
        case.state is CaseState.UPHELD and case.reply_sent_at is None
    )


def is_due_soon(case: RightsCase, *, at: datetime, notice: timedelta = timedelta(days=7)) -> bool:
    """Tell whether somebody should be reminded: the answer is due within days, and not late yet."""
    due = answer_due(case)
    return is_open(case) and due - notice <= at < due


def is_overdue(case: RightsCase, *, at: datetime) -> bool:
    """Tell whether the person has waited longer than the law allows."""
    return is_open(case) and at >= answer_due(case)


def portable(permission: Permission) -> bool:
    """Tell whether what a person provided goes into a copy to take along, Art. 20: consent and contract only."""
    return RIGHTS[Right.PORTABILITY][permission.basis].worth is not Worth.REFUSED


_BASES = (
    LawfulBasis.CONSENT,
    LawfulBasis.CONTRACT,
    LawfulBasis.LEGAL_OBLIGATION,
    LawfulBasis.VITAL_INTEREST,
    LawfulBasis.PUBLIC_TASK,
    LawfulBasis.LEGITIMATE_INTEREST,
)
_A, _H, _C, _L, _R = (
    Worth.AUTOMATIC,
    Worth.HOLD_AND_DECIDE,
    Worth.CASE,
    Worth.BY_LAW,
    Worth.REFUSED,
)
_USE_OBJECTION = "There is no consent to withdraw; an objection does it."
_NO_OBJECTION = "There is no right to object on own grounds under this basis."
_MARKETING_ENDS = "Any marketing ends at once, and nobody weighs it."
_NOT_NEEDED = "What is no longer needed is erased."
_NO_COPY = "Only what a person provided under a consent or a contract can be taken along."
_RESTRICTED = "While it is disputed, the data is kept and not used."
_WHILE_PENDING = "While an objection is open, the data is kept and not used."
_ASKED_HUMAN = "Nobody is decided about by a machine alone."

# One row for a right: its cells by basis in the order of `_BASES`, each with what it is worth, the article and
# what a person is told.
_ROWS: Mapping[Right, tuple[tuple[Worth, str, str], ...]] = {
    Right.WITHDRAW: (
        (_A, "7(3)", "A consent is withdrawn at any time, as easily as it was given."),
        (_R, "7(3)", "There is no consent to withdraw; ending the contract does it."),
        (_R, "7(3)", "There is no consent to withdraw; the law asks for it."),
        (_R, "7(3)", "There is no consent to withdraw; it protects a life."),
        (_R, "7(3)", _USE_OBJECTION),
        (_R, "7(3)", _USE_OBJECTION),
    ),
    Right.OBJECT_GROUNDS: (
        (_R, "21(1)", "Withdrawing the consent does it, without any grounds."),
        (_R, "21(1)", _NO_OBJECTION),
        (_R, "21(1)", _NO_OBJECTION),
        (_R, "21(1)", _NO_OBJECTION),
        (_H, "21(1)", "It stops at once, until somebody has weighed the grounds."),
        (_H, "21(1)", "It stops at once, until somebody has weighed the grounds."),
    ),
    Right.OBJECT_MARKETING: (
        (_A, "21(2)-(3)", "It counts as withdrawing the consent to all marketing."),
        *((_A, "21(2)-(3)", _MARKETING_ENDS),) * 5,
    ),
    Right.ERASE: (
        (
            _C,
            "17(1)(b)",
            "It is erased once the consent is withdrawn, unless another basis stands.",
        ),
        (_C, "17(1)(a)", _NOT_NEEDED),
        (_R, "17(3)(b)", "It is kept while the law asks for it."),
        (_C, "17(1)(a)", _NOT_NEEDED),
        (_C, "17(1)(c)", "It is erased once an objection is upheld, unless the task asks for it."),
        (_C, "17(1)(c)", "It is erased once an objection stands, one to marketing at once."),
    ),
    Right.PORTABILITY: (
        (_C, "20", "What the person provided is handed over in a form that machines read."),
        (_C, "20", "What the person provided is handed over in a form that machines read."),
        *((_R, "20", _NO_COPY),) * 4,
    ),
    Right.RESTRICT: (
        *((_C, "18", _RESTRICTED),) * 4,
        (_A, "18(1)(d)", _WHILE_PENDING),
        (_A, "18(1)(d)", _WHILE_PENDING),
    ),
    Right.ACCESS: ((_C, "15", "The person is told what is held, why, and who received it."),) * 6,
    Right.RECTIFY: ((_C, "16", "What is wrong is put right."),) * 6,
    Right.TELL_RECIPIENTS: ((_C, "19", "Whoever received the data is told of the change."),) * 6,
    Right.NO_AUTOMATED_DECISION: (
        (_C, "22", _ASKED_HUMAN),
        (_C, "22", _ASKED_HUMAN),
        (_L, "22(2)(b)", "A machine decides alone only where the law itself allows it."),
        (_C, "22", _ASKED_HUMAN),
        (_C, "22", _ASKED_HUMAN),
        (_C, "22", _ASKED_HUMAN),
    ),
}


def _row(cells: tuple[tuple[Worth, str, str], ...]) -> Mapping[LawfulBasis, Entitlement]:
    row = {
        basis: Entitlement(worth=worth, article=article, sentence=sentence)
        for basis, (worth, article, sentence) in zip(_BASES, cells, strict=True)
    }
    # British law lists some interests whose balance is struck already; the person's rights are the same.
    row[LawfulBasis.RECOGNISED_LEGITIMATE_INTEREST] = row[LawfulBasis.LEGITIMATE_INTEREST]
    return row


RIGHTS: Mapping[Right, Mapping[LawfulBasis, Entitlement]] = {
    right: _row(cells) for right, cells in _ROWS.items()
}
# The right that a case is about.
RIGHT_OF: Mapping[CaseKind, Right] = {
    CaseKind.OBJECTION: Right.OBJECT_GROUNDS,
    CaseKind.MARKETING_OBJECTION: Right.OBJECT_MARKETING,
    CaseKind.PROFILING_OBJECTION: Right.OBJECT_GROUNDS,
    CaseKind.RESTRICTION: Right.RESTRICT,
    CaseKind.ERASURE: Right.ERASE,
    CaseKind.PORTABILITY: Right.PORTABILITY,
    CaseKind.ACCESS: Right.ACCESS,
    CaseKind.RECTIFICATION: Right.RECTIFY,
}
