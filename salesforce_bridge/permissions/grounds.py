"""Grounds: whether what a permission rests on can be shown, its proof and what is true of the person."""

from collections.abc import Mapping

from salesforce_bridge.permissions.bases import LawfulBasis
from salesforce_bridge.permissions.bundle import Assignment, Purpose
from salesforce_bridge.permissions.conditions import ConditionKind, is_met
from salesforce_bridge.permissions.evidence import Grade, grant_is_proven
from salesforce_bridge.permissions.permission import Permission
from salesforce_bridge.permissions.person import Question
from salesforce_bridge.permissions.policy import assignment_in
from salesforce_bridge.permissions.profiles import grade_for

# What has to be true about the person, apart from the permission itself, for a basis to hold.
CONDITIONS_OF: Mapping[LawfulBasis, tuple[ConditionKind, ...]] = {
    LawfulBasis.CONSENT: (),
    LawfulBasis.CONTRACT: (ConditionKind.CONTRACT,),
    LawfulBasis.LEGAL_OBLIGATION: (ConditionKind.OBLIGATION,),
    LawfulBasis.VITAL_INTEREST: (ConditionKind.INCIDENT,),
    LawfulBasis.PUBLIC_TASK: (ConditionKind.TASK, ConditionKind.OBJECTION_NOTICE),
    LawfulBasis.LEGITIMATE_INTEREST: (ConditionKind.OBJECTION_NOTICE,),
    LawfulBasis.RECOGNISED_LEGITIMATE_INTEREST: (ConditionKind.OBJECTION_NOTICE,),
}

# The exception for special categories that is itself a consent; every other one is a fact of its own.
EXPLICIT_CONSENT = "9(2)(a)"


def assignment_for(question: Question) -> Assignment | None:
    """Give what the policy lets the use rest on for such a person."""
    person = question.person
    return assignment_in(
        question.policy,
        question.use.purpose,
        person.jurisdiction,
        person.subject_class,
        at=question.at,
    )


def is_addressed(permission: Permission, purpose: Purpose, question: Question) -> bool:
    """Tell whether a consent was given for an address the person still has, where that matters."""
    channel = permission.use.channel
    if permission.basis is not LawfulBasis.CONSENT or channel not in purpose.address_scoped:
        return True
    wanted, given = question.policy.channels[channel].point, permission.point
    return bool(given) and any(one.type is wanted and one.exact == given for one in question.points)


def is_proven(permission: Permission, purpose: Purpose, question: Question) -> bool:
    """Tell whether what the basis rests on can be shown, by the law of the person's place."""
    basis, policy, at = permission.basis, question.policy, question.at
    if basis is LawfulBasis.CONSENT:
        # The text that the person saw has to be known; a newer one does not unsay what was said.
        if permission.notice_id not in policy.notices:
            return False
        required = grade_for(policy, question.person, purpose, permission)
        return grant_is_proven(permission.trust, permission.grade, required)
    if basis is LawfulBasis.LEGITIMATE_INTEREST:
        assessment = policy.assessments.get(purpose.assessment or "")
        if assessment is None or not assessment.approved_at <= at < assessment.review_due:
            return False
    conditions = question.person.conditions
    return all(is_met(kind, conditions, purpose.key, at=at) for kind in CONDITIONS_OF[basis])


def is_excepted(permission: Permission, purpose: Purpose, question: Question) -> bool:
    """Tell whether an exception of Art. 9(2) lets such data be used at all: named by the policy, and true."""
    assignment = assignment_for(question)
    exception = None if assignment is None else assignment.art9_condition
    if exception is None:
        return False
    if exception.endswith(EXPLICIT_CONSENT):
        return permission.basis is LawfulBasis.CONSENT and permission.grade >= Grade.A
    conditions = question.person.conditions
    return is_met(ConditionKind.ART9, conditions, purpose.key, at=question.at, ref=exception)
