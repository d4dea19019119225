"""What proves a yes that people bring, and how far it is to be believed."""

from dataclasses import dataclass

from salesforce_bridge.errors import SkipRecord
from salesforce_bridge.permissions.evidence import Grade, Trust, grant_is_proven
from salesforce_bridge.permissions.keys import Use
from salesforce_bridge.permissions.policy import Policy


class ProofMissing(SkipRecord):
    """A grant without enough proof is a claim, and an operator has no claims to make."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What shows that something was said, and who has looked at it."""

    grade: Grade = Grade.NONE
    ref: str | None = None  # where it is kept
    notice_id: str | None = None  # what the person was shown
    point: str | None = None  # the `exact` fingerprint of the address it is for
    by_the_person: bool = False  # it is the person's own act: a signed form, a confirmed link


NO_PROOF = Proof()


def believed(proof: Proof, *, by: str, approved_by: str | None) -> Trust:
    """How much an operator is to be believed: by the proof, and by who else has looked at it."""
    two_people = approved_by is not None and approved_by != by
    if two_people and proof.by_the_person and proof.grade is Grade.A:
        return Trust.SUBJECT_DIRECT
    if two_people:
        return Trust.CONTROLLER_CONTROLLED
    return Trust.VERIFIED_RELAY if proof.ref else Trust.UNVERIFIED_RELAY


def refuse_unproven(use: Use, trust: Trust, grade: Grade, policy: Policy) -> None:
    """Refuse a yes that its purpose would not be served by."""
    purpose = policy.purposes.get(use.purpose)
    required = Grade.A if purpose is None else purpose.required_grade
    if not grant_is_proven(trust, grade, required):
        raise ProofMissing(
            f"a grant for {use.purpose} needs proof of grade {required.name}, and where it is kept",
            hint="give the grade and the reference, and have a second person approve",
        )
