"""A world of telephone calls, in which every obstacle of the stop matrix can stand in the way of every message."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from salesforce_bridge.permissions.answers import Answer
from salesforce_bridge.permissions.bases import LawfulBasis
from salesforce_bridge.permissions.conditions import Condition, ConditionKind
from salesforce_bridge.permissions.contact_points import ContactPoint, PointType
from salesforce_bridge.permissions.fold import Permission, Stop, StopKind
from salesforce_bridge.permissions.keys import Channel, PurposeKey
from salesforce_bridge.permissions.laws import ChannelLaw
from salesforce_bridge.permissions.policy import Assignment, Category, Policy
from salesforce_bridge.permissions.states import State
from salesforce_bridge.permissions.stop_matrix import Obstacle
from salesforce_bridge.permissions.suppressions import Scope
from tests.unit.permissions.examples import (
    POLICY,
    a_condition,
    a_permission,
    a_profile,
    a_suppression,
    a_use,
    ask,
    every_condition,
    hours,
    under_law,
)

MOBILE = ContactPoint(type=PointType.PHONE, hmac="m1", exact="m1", key_version=2)
OFFICE = ContactPoint(type=PointType.PHONE, hmac="o1", exact="o1", key_version=2)
OFFER_CALL = a_use("direct_marketing", "LIVE_CALL")
RESEARCH_CALL = a_use("product_research", "LIVE_CALL")
SCREENED = a_condition(ConditionKind.DNC_SCREENED, id="c-screened", ref="TPS")


def a_stop(kind: StopKind, purpose: str = "*", channel: str = "*", **said: Any) -> Stop:
    plain: dict[str, Any] = {
        "kind": kind,
        "purpose": PurposeKey(purpose),
        "channel": Channel(channel),
        "since": hours(-1),
        "own": True,
        "reason": "STOP_HONOURED",
        "revision": 2,
    }
    return Stop(**(plain | said))


def interest(**said: Any) -> Permission:
    """A legitimate interest in force."""
    plain: dict[str, Any] = {
        "state": State.IN_FORCE,
        "basis": LawfulBasis.LEGITIMATE_INTEREST,
        "marketing": False,
        "granted_at": None,
    }
    return a_permission(**(plain | said))


def opt_out_calls(law: ChannelLaw = ChannelLaw.OPT_OUT, **said: Any) -> Policy:
    """A policy that rests offers and research by telephone on legitimate interests, under a law that allows it."""
    assignment = Assignment(
        jurisdiction="*",
        subject_class="*",
        basis=LawfulBasis.LEGITIMATE_INTEREST,
        effective_from=datetime(2026, 1, 1, tzinfo=UTC),
    )
    changed = {
        key: replace(
            POLICY.purposes[key],
            assignments=(assignment,),
            assessment="product_research",
            channels=(Channel("EMAIL"), Channel("LIVE_CALL"), Channel("SMS"), Channel("POST")),
        )
        for key in (PurposeKey("direct_marketing"), PurposeKey("product_research"))
    }
    policy = replace(POLICY, purposes={**POLICY.purposes, **changed})
    return under_law(a_profile(law=law, **({"dnc_register": "TPS"} | said)), policy=policy)


# What makes each obstacle stand in somebody's way.
IN_THE_WAY: dict[Obstacle, dict[str, Any]] = {
    Obstacle.MARKETING_OBJECTION: {"stops": (a_stop(StopKind.MARKETING_OBJECTION),)},
    Obstacle.CHANNEL_OPT_OUT: {"stops": (a_stop(StopKind.CHANNEL_OPT_OUT, channel="LIVE_CALL"),)},
    Obstacle.SUBJECT_STOP_ALL: {"stops": (a_stop(StopKind.SUBJECT_STOP_ALL),)},
    Obstacle.PROCESSING_RESTRICTED: {"facts": (a_condition(ConditionKind.RESTRICTION),)},
    Obstacle.GROUNDS_CHALLENGE_OPEN: {"state": State.CHALLENGED},
    Obstacle.NATIONAL_DNC_REGISTER: {"facts": (a_condition(ConditionKind.DNC_LISTED),)},
    Obstacle.UNDELIVERABLE: {"facts": (a_condition(ConditionKind.UNDELIVERABLE),)},
    Obstacle.SUPPRESSED_MARKETING: {"suppressions": (a_suppression(),)},
    Obstacle.SUPPRESSED_ALL: {"suppressions": (a_suppression(scope=Scope.ALL),)},
    Obstacle.SUBJECT_ERASED: {"erased": True},
    Obstacle.SUBJECT_DECEASED: {"facts": (a_condition(ConditionKind.DECEASED),)},
    Obstacle.MINOR_WITHOUT_GUARDIAN: {
        "facts": (a_condition(ConditionKind.MINOR),),
        "without": {ConditionKind.GUARDIAN},
    },
}


def call(category: Category, *obstacles: Obstacle, **said: Any) -> Answer:
    """Ask whether a person may be called, with obstacles in the way of it and everything else in order."""
    use = OFFER_CALL if category is Category.MARKETING else RESEARCH_CALL
    told: dict[str, Any] = {"policy": opt_out_calls(), "category": category, "points": (MOBILE,)}
    conditions: tuple[Condition, ...] = (*every_condition(), SCREENED)
    permission = interest(use=use)
    for obstacle in obstacles:
        ways = dict(IN_THE_WAY[obstacle])
        without = ways.pop("without", frozenset())
        conditions = tuple(one for one in conditions if one.kind not in without)
        conditions += ways.pop("facts", ())
        permission = replace(permission, state=ways.pop("state", permission.state))
        for name in ("stops", "suppressions"):
            if name in ways:
                told[name] = told.get(name, ()) + ways.pop(name)
        told |= ways
    return ask(said.pop("permission", permission), conditions=conditions, **(told | said))
