"""The lawful bases of GDPR Art. 6(1) (and one of UK law), and what each of them allows a person to do."""

from enum import StrEnum


class LawfulBasis(StrEnum):
    """Why a use of personal data is lawful; an extensible list, not six constants."""

    CONSENT = "CONSENT"
    CONTRACT = "CONTRACT"
    LEGAL_OBLIGATION = "LEGAL_OBLIGATION"
    VITAL_INTEREST = "VITAL_INTEREST"
    PUBLIC_TASK = "PUBLIC_TASK"
    LEGITIMATE_INTEREST = "LEGITIMATE_INTEREST"
    RECOGNISED_LEGITIMATE_INTEREST = "RECOGNISED_LEGITIMATE_INTEREST"


# Art. 21(1) gives the right to object on own grounds under these bases only.
OBJECTIONABLE = frozenset(
    {
        LawfulBasis.LEGITIMATE_INTEREST,
        LawfulBasis.PUBLIC_TASK,
        LawfulBasis.RECOGNISED_LEGITIMATE_INTEREST,
    }
)
