"""Obstacles: everything that stands in the way of using a person's data, whatever the message says."""

from collections.abc import Collection, Iterable, Mapping

from salesforce_bridge.permissions.bundle import ChannelRule
from salesforce_bridge.permissions.conditions import Condition, ConditionKind, concerns
from salesforce_bridge.permissions.contact_points import ContactPoint, PointType
from salesforce_bridge.permissions.person import Question
from salesforce_bridge.permissions.states import State
from salesforce_bridge.permissions.stop_matrix import Obstacle
from salesforce_bridge.permissions.stops import reaches, stands
from salesforce_bridge.permissions.suppressions import Scope, is_silencing


def obstacles_to(question: Question) -> list[Obstacle]:
    """List what stands in the way, in the order of the stop matrix, which says what it stops."""
    person, use, at = question.person, question.use, question.at
    permission = question.permission
    lifted_at = None if permission is None else permission.lifted_at
    found: set[Obstacle] = set()
    for stop in person.stops:
        if reaches(stop, use) and stands(stop, lifted_at):
            found.add(Obstacle(stop.kind.value))
    for one in person.suppressions:
        if is_silencing(one, at=at, lifted_at=lifted_at):
            found.add(_OF_SCOPE[one.scope])
    if facts := _facts_of(question):
        found |= _told_by(facts, question.policy.channels.get(use.channel), question.points)
    state = None if permission is None else permission.state
    if state is State.CHALLENGED:
        found.add(Obstacle.GROUNDS_CHALLENGE_OPEN)
    if person.erased or state is State.ERASED:
        found.add(Obstacle.SUBJECT_ERASED)
    return [obstacle for obstacle in Obstacle if obstacle in found] if found else []


_OF_SCOPE: Mapping[Scope, Obstacle] = {
    Scope.MARKETING: Obstacle.SUPPRESSED_MARKETING,
    Scope.ALL: Obstacle.SUPPRESSED_ALL,
}
# Facts that stand in the way of everything about a person, as soon as they are true.
_PLAIN: Mapping[ConditionKind, Obstacle] = {
    ConditionKind.RESTRICTION: Obstacle.PROCESSING_RESTRICTED,
    ConditionKind.DECEASED: Obstacle.SUBJECT_DECEASED,
}

_IN_THE_WAY = frozenset(_PLAIN) | {
    ConditionKind.MINOR,
    ConditionKind.GUARDIAN,
    ConditionKind.UNDELIVERABLE,
    ConditionKind.DNC_LISTED,
}


def is_in_the_way(condition: Condition) -> bool:
    """Tell whether a fact is of a kind that may stand in the way of something, true now or not."""
    return condition.kind in _IN_THE_WAY


def _facts_of(question: Question) -> list[Condition]:
    """Pick what is true of the person now and may stand in the way of the use."""
    purpose, at = question.use.purpose, question.at
    return [
        one
        for one in question.person.conditions
        if one.kind in _IN_THE_WAY and concerns(one, purpose, at=at)
    ]


def every_point_is_told(
    points: Iterable[ContactPoint], wanted: PointType | None, told: Collection[str | None]
) -> bool:
    """Tell whether a person has points of a type, and each of them is among those told about.

    A point has a fingerprint under each key while keys are being replaced, and what was told about it
    has one under the key of its day: so the points under one key are compared, and any key will do.
    """
    by_key: dict[int, bool] = {}
    for one in points:
        if one.type is wanted:
            version = one.key_version
            by_key[version] = by_key.get(version, True) and one.hmac in told
    return any(by_key.values())


def _told_by(
    facts: list[Condition], channel: ChannelRule | None, points: tuple[ContactPoint, ...]
) -> set[Obstacle]:
    """List what the facts about a person put in the way of one channel."""
    found = {_PLAIN[one.kind] for one in facts if one.kind in _PLAIN}
    kinds = {one.kind for one in facts}
    if ConditionKind.MINOR in kinds and ConditionKind.GUARDIAN not in kinds:
        found.add(Obstacle.MINOR_WITHOUT_GUARDIAN)
    wanted = None if channel is None else channel.point
    if ConditionKind.UNDELIVERABLE in kinds:
        told = {one.point for one in facts if one.kind is ConditionKind.UNDELIVERABLE}
        known = {point for point in told if point is not None}
        if None in told or every_point_is_told(points, wanted, known):
            found.add(Obstacle.UNDELIVERABLE)
    if ConditionKind.DNC_LISTED in kinds:
        told = {one.point for one in facts if one.kind is ConditionKind.DNC_LISTED}
        if None in told or _may_be_called(points, told):
            found.add(Obstacle.NATIONAL_DNC_REGISTER)
    return found


def _may_be_called(points: tuple[ContactPoint, ...], listed: set[str | None]) -> bool:
    """Tell whether one of the numbers a person has now is listed; where none is known, in doubt yes."""
    numbers = [one.hmac for one in points if one.type is PointType.PHONE]
    return not numbers or any(one in listed for one in numbers)
