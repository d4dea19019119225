"""Worlds of people who were decided about long ago and of whom nothing is new, some of each kind."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from salesforce_bridge.permissions.events import EventKind
from salesforce_bridge.reconcile.intent import Plan
from salesforce_bridge.reconcile.plan import make_plan
from salesforce_bridge.reconcile.settled import kind_of
from tests.unit.reconcile.worlds import (
    EVERYTHING,
    NEWS_BY_CALL,
    NEWS_BY_EMAIL,
    NEWS_BY_POST,
    ORG,
    RESEARCH,
    World,
)

YES = {"notice_id": "consent-en-1"}
# What was said by people of one kind, each thing with what goes with it.
HISTORIES: dict[str, tuple[tuple[EventKind, Any, dict[str, Any]], ...]] = {
    "nothing": (),
    "yes": ((EventKind.GRANT, NEWS_BY_EMAIL, YES),),
    "two yeses": ((EventKind.GRANT, NEWS_BY_EMAIL, YES), (EventKind.GRANT, NEWS_BY_CALL, YES)),
    "yes and no": ((EventKind.GRANT, NEWS_BY_EMAIL, YES), (EventKind.WITHDRAW, NEWS_BY_POST, {})),
    "taken back": ((EventKind.GRANT, NEWS_BY_EMAIL, YES), (EventKind.WITHDRAW, NEWS_BY_EMAIL, {})),
    "asked": ((EventKind.REQUEST, NEWS_BY_EMAIL, {}),),
    "an interest": ((EventKind.ESTABLISH, RESEARCH, {}),),
    "no and yes again": (
        (EventKind.OBJECT_MARKETING, EVERYTHING, {}),
        (EventKind.GRANT, NEWS_BY_EMAIL, YES),
    ),
    "no to everything": (
        (EventKind.GRANT, NEWS_BY_EMAIL, YES),
        (EventKind.OBJECT_MARKETING, EVERYTHING, {}),
    ),
}
MEMBERS = 4  # of each kind


def planned(world: World, *, one_by_one: bool) -> Plan:
    return make_plan(
        world.dossiers(),
        org_id=ORG,
        policy=world.policy,
        at=world.at,
        revision=7,
        salt="1",
        earlier=world.earlier,
        one_by_one=one_by_one,
    )


def settled(*histories: str, days: tuple[int, ...] = (1, 4, 4, 9)) -> World:
    """A world of some people with each of these histories, who said it on different days."""
    world = World()
    number = 0
    for history in histories:
        for member in range(MEMBERS):
            number += 1
            world.meet(number)
            said = world.at - timedelta(days=days[member], seconds=member)
            for step, (kind, use, detail) in enumerate(HISTORIES[history]):
                moment = said + timedelta(minutes=step)
                world.tell(kind, use, subject=number, at=moment, **detail)
    world.settle()
    return world


def kinds(world: World) -> list[object]:
    return [kind_of(each, policy=world.policy, at=world.at) for each in world.dossiers()]


def swapped(one: Any, other: Any, name: str) -> Any:
    return replace(one, **{name: getattr(other, name)})
