"""The gates: whether a person's data may be used for a purpose, on a channel, at a moment, and why not."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from salesforce_bridge.permissions.answers import Answer, Failure, Verdict, deny, refusal, wait
from salesforce_bridge.permissions.bases import LawfulBasis
from salesforce_bridge.permissions.bundle import Category, Policy, PurposeStatus
from salesforce_bridge.permissions.channel_law import against_channel_law, is_call
from salesforce_bridge.permissions.contact_points import ContactPoint
from salesforce_bridge.permissions.expiry import in_span
from salesforce_bridge.permissions.grounds import (
    CONDITIONS_OF,
    assignment_for,
    is_addressed,
    is_excepted,
    is_proven,
)
from salesforce_bridge.permissions.keys import Use
from salesforce_bridge.permissions.obstacles import obstacles_to
from salesforce_bridge.permissions.permission import Permission
from salesforce_bridge.permissions.person import Person, Question
from salesforce_bridge.permissions.states import LAPSED, STOPPED, VALID, State
from salesforce_bridge.permissions.stop_matrix import STOP_MATRIX, Effect, Obstacle

__all__ = [
    "CONDITIONS_OF",
    "MAX_STALENESS",
    "STANDALONE",
    "Answer",
    "Failure",
    "Person",
    "Verdict",
    "may_use",
]

# How long ago the last complete reconciliation may be before a live question has to wait.
MAX_STALENESS = timedelta(minutes=30)


def may_use(
    person: Person,
    use: Use,
    *,
    policy: Policy,
    at: datetime,
    category: Category,
    link_state: str | None,
    points: tuple[ContactPoint, ...],
    staleness: timedelta | None = None,
    max_staleness: timedelta = MAX_STALENESS,
) -> Answer:
    """Ask every gate and keep the worst answer; the first gate to reach it gives the reason.

    `points` are the person's, under every key that is still in use. Only a live question gives
    `staleness`: what is written to Salesforce does not depend on when it was last looked at.
    """
    purpose = policy.purposes.get(use.purpose)
    if purpose is not None and purpose.direct_marketing:
        # Nobody rides past an objection by calling an offer a service message.
        category = Category.MARKETING
    question = Question(
        person=person,
        use=use,
        permission=person.permissions.get(use),
        purpose=purpose,
        category=category,
        points=points,
        policy=policy,
        at=at,
        stale=staleness is not None and staleness > max_staleness,
    )
    failed = _known(link_state)
    warnings: tuple[str, ...] = ()
    obstacles = obstacles_to(question)
    if obstacles:
        warnings = tuple(o.value for o in obstacles if STOP_MATRIX[o][category] is Effect.WARN)
        failed += _stopped_by(obstacles, question)
    if category not in STANDALONE:
        for gate in _GATES if _standing(question) is not None else _GATES_WITHOUT:
            failure = gate(question)
            if failure is not None:
                failed.append(failure)
    if failed:
        return refusal(failed, warnings)
    return Answer(verdict=Verdict.ALLOW, reason=f"ALLOW_{_footing(question)}", warnings=warnings)


# These stand on a legal footing of their own: notices of Art. 13, 14, 19 and 34, replies to requests,
# legal claims, safety.
STANDALONE = frozenset({Category.LEGAL_NOTICE, Category.CLAIMS, Category.VITAL})

_UNKNOWN_SUBJECT = deny("G1", "SUBJECT_UNKNOWN")
_AMBIGUOUS = wait("G1", "IDENTITY_AMBIGUOUS")
_STOP_FAILURES: Mapping[tuple[Obstacle, Category], Failure] = {
    (obstacle, category): (wait if effect is Effect.HOLD else deny)("G2", obstacle.value)
    for obstacle, row in STOP_MATRIX.items()
    for category, effect in row.items()
    if effect in {Effect.BLOCK, Effect.BLOCK_CALLS, Effect.HOLD}
}
_RETIRED = deny("G3", "PURPOSE_RETIRED")
_NO_BASIS = deny("G4", "NO_LAWFUL_BASIS")
_CHALLENGED = wait("G5", "CHALLENGED")
_STOPPED = deny("G5", "STOPPED")
_LAPSED = deny("G5", "LAPSED")
_NOT_ESTABLISHED = deny("G5", "NOT_ESTABLISHED")
_OTHER_ADDRESS = deny("G5", "NOT_ESTABLISHED_FOR_ADDRESS")
_OUTSIDE_VALIDITY = deny("G6", "OUTSIDE_VALIDITY")
_BELOW_GRADE = deny("G7", "EVIDENCE_BELOW_GRADE")
_NO_EXCEPTION = wait("G8", "ART9_CONDITION_MISSING")
_STALE = wait("G10", "SYNC_STALE")
_HELD = wait("HELD", "NOT_YET_JUDGED")


def _known(link_state: str | None) -> list[Failure]:
    """Gate 1: it is known for sure whose data it is."""
    if link_state == "ACTIVE":
        return []
    return [_AMBIGUOUS if link_state == "AMBIGUOUS" else _UNKNOWN_SUBJECT]


def _stopped_by(obstacles: list[Obstacle], question: Question) -> list[Failure]:
    """Gate 2: look up in the stop matrix what each obstacle does to such a message."""
    failed = []
    for obstacle in obstacles:
        failure = _STOP_FAILURES.get((obstacle, question.category))
        if failure is None:
            continue
        effect = STOP_MATRIX[obstacle][question.category]
        if effect is Effect.BLOCK_CALLS and not _may_not_be_called(question):
            continue
        failed.append(failure)
    return failed


def _may_not_be_called(question: Question) -> bool:
    """A register closes calls only, and not those that the person has asked for by a consent to just them."""
    if not is_call(question.policy, question.use.channel):
        return False
    permission = question.permission
    if permission is None or permission.basis is not LawfulBasis.CONSENT:
        return True
    return any(gate(question) is not None for gate in (_established, _in_time, _shown))


def _live(question: Question) -> Failure | None:
    """Gate 3: the purpose may be relied on now."""
    purpose = question.purpose
    if purpose is None or purpose.status is not PurposeStatus.LIVE:
        return _RETIRED
    return None


def _founded(question: Question) -> Failure | None:
    """Gate 4: the policy names one basis for such a person, and uses the channel."""
    purpose = question.purpose
    if purpose is None or question.use.channel not in purpose.channels:
        return _NO_BASIS
    return _NO_BASIS if assignment_for(question) is None else None


def _established(question: Question) -> Failure | None:
    """Gate 5: the basis stands, for the address that is to be used."""
    permission, purpose = question.permission, question.purpose
    if permission is None:
        return _NOT_ESTABLISHED
    state = permission.state
    if state in VALID:
        if purpose is None or is_addressed(permission, purpose, question):
            return None
        return _OTHER_ADDRESS
    if state is State.CHALLENGED:
        return _CHALLENGED
    if state in STOPPED or state is State.ERASED:
        return _STOPPED
    return _LAPSED if state in LAPSED else _NOT_ESTABLISHED


def _in_time(question: Question) -> Failure | None:
    """Gate 6: it has begun, and no rule has ended it."""
    permission = _standing(question)
    person, policy, at = question.person, question.policy, question.at
    if permission is None or in_span(permission, person=person, policy=policy, at=at):
        return None
    return _OUTSIDE_VALIDITY


def _shown(question: Question) -> Failure | None:
    """Gate 7: what it rests on can be shown."""
    permission, purpose = _standing(question), question.purpose
    if permission is None or purpose is None or is_proven(permission, purpose, question):
        return None
    return _BELOW_GRADE


def _excepted(question: Question) -> Failure | None:
    """Gate 8: special categories of data need more than a basis."""
    purpose = question.purpose
    if purpose is None or not purpose.special_category:
        return None
    permission = _standing(question)
    if permission is None or is_excepted(permission, purpose, question):
        return None
    return _NO_EXCEPTION


def _fresh(question: Question) -> Failure | None:
    """Gate 10: for marketing, the last look at Salesforce is not too long ago."""
    return _STALE if question.stale and question.category is Category.MARKETING else None


def _judged(question: Question) -> Failure | None:
    """Ask whether something about the person or the permission still waits for somebody to look."""
    permission = question.permission
    held = permission is not None and permission.held is not None
    return _HELD if held or question.person.hold is not None else None


_GATES: tuple[Callable[[Question], Failure | None], ...] = (
    _live,
    _founded,
    _established,
    _in_time,
    _shown,
    _excepted,
    against_channel_law,
    _fresh,
    _judged,
)
# Where nothing stands there is nothing more to ask about it.
_GATES_WITHOUT = (_live, _founded, _established, _fresh, _judged)


def _standing(question: Question) -> Permission | None:
    """Give a permission about which there is more to ask: one that is not ruled out by its state."""
    permission = question.permission
    if permission is None or permission.state in VALID or permission.state is State.CHALLENGED:
        return permission
    return None


def _footing(question: Question) -> str:
    """Name what lets the message go: the basis that stands, else the one assigned, else its own category."""
    permission = question.permission
    if permission is not None and permission.state in VALID:
        return permission.basis.value
    assignment = assignment_for(question)
    return question.category.value if assignment is None else assignment.basis.value
