"""Examples that say only what matters to a test; everything else is the plainest there is."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from salesforce_bridge.permissions.bases import LawfulBasis
from salesforce_bridge.permissions.conditions import Condition, ConditionKind
from salesforce_bridge.permissions.contact_points import ContactPoint, PointKeys, PointType
from salesforce_bridge.permissions.events import ActorKind, EventKind, PermissionEvent
from salesforce_bridge.permissions.evidence import Grade, Trust
from salesforce_bridge.permissions.fold import NOTHING, FoldedSubject, Permission, fold
from salesforce_bridge.permissions.gates import Answer, may_use
from salesforce_bridge.permissions.keys import (
    Channel,
    ControllerKey,
    PurposeKey,
    SubjectId,
    Use,
)
from salesforce_bridge.permissions.laws import ANY_CLASS, STRICT, ChannelLaw, Profile
from salesforce_bridge.permissions.policy import Category, Policy, parse_policy
from salesforce_bridge.permissions.states import VALID, State
from salesforce_bridge.permissions.stops import Stop
from salesforce_bridge.permissions.suppressions import Scope, Suppression

POLICY_TEXT = (Path(__file__).parents[3] / "config" / "policy.toml").read_text(encoding="utf-8")
POLICY = parse_policy(POLICY_TEXT)
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
KEYS = PointKeys(current=2, keys={1: b"1" * 32, 2: b"2" * 32}, controller=ControllerKey("example"))
HOME = ContactPoint(type=PointType.EMAIL, hmac="aa", exact="bb", key_version=2)


def a_use(purpose: str = "direct_marketing", channel: str = "POST") -> Use:
    return Use(purpose=PurposeKey(purpose), channel=Channel(channel))


MARKETING_BY_POST = a_use()
MARKETING_BY_EMAIL = a_use(channel="EMAIL")
RESEARCH = a_use("product_research", "EMAIL")
SERVICE = a_use("service_messages", "EMAIL")
EVERYTHING = a_use("*", "*")


def days(*counts: float) -> tuple[timedelta, ...]:
    """Name spans by their lengths in days."""
    return tuple(timedelta(days=count) for count in counts)


def hours(count: float) -> datetime:
    """Name a moment by its distance from noon."""
    return NOON + timedelta(hours=count)


def an_event(kind: EventKind, at: datetime = NOON, **said: Any) -> PermissionEvent:
    plain: dict[str, Any] = {
        "id": f"{kind}-{at.isoformat()}-{sorted(said)}",
        "subject_id": SubjectId("s-1"),
        "controller": ControllerKey("example"),
        "use": MARKETING_BY_POST,
        "kind": kind,
        "basis": LawfulBasis.CONSENT,
        "happened_at": at,
        "actor": ActorKind.PERSON,
        "actor_ref": None,
        "trust": Trust.SUBJECT_DIRECT,
        "grade": Grade.A,
        "reason": f"BECAUSE_OF_{kind}",
        "purpose_version": 1,
        "policy_version": POLICY.version,
        "marketing": True,
        "notice_id": "consent-en-1",
    }
    return PermissionEvent(**(plain | said))


def research(kind: EventKind, at: datetime = NOON, **said: Any) -> PermissionEvent:
    """An event about a purpose that rests on legitimate interests and is not marketing."""
    plain: dict[str, Any] = {
        "use": RESEARCH,
        "basis": LawfulBasis.LEGITIMATE_INTEREST,
        "marketing": False,
        "notice_id": None,
    }
    return an_event(kind, at, **(plain | said))


def folded(
    *events: PermissionEvent, policy: Policy = POLICY, onto: FoldedSubject = NOTHING
) -> FoldedSubject:
    return fold(events, policy=policy, onto=onto)


def codes(subject: FoldedSubject) -> list[str]:
    return [refusal.reason for refusal in subject.refusals]


def a_condition(kind: ConditionKind, **said: Any) -> Condition:
    plain: dict[str, Any] = {
        "id": f"c-{kind}",
        "subject_id": SubjectId("s-1"),
        "kind": kind,
        "ref": "ref-1",
        "valid_from": datetime(2026, 1, 1, tzinfo=UTC),
    }
    return Condition(**(plain | said))


def every_condition() -> tuple[Condition, ...]:
    """Everything any basis asks for, and nothing that stands in the way."""
    return tuple(a_condition(kind) for kind in ConditionKind if kind not in IN_THE_WAY)


IN_THE_WAY = frozenset(
    {
        ConditionKind.RESTRICTION,
        ConditionKind.UNDELIVERABLE,
        ConditionKind.DNC_LISTED,
        ConditionKind.DECEASED,
        ConditionKind.MINOR,
    }
)


def a_permission(state: State = State.GIVEN, **said: Any) -> Permission:
    plain: dict[str, Any] = {
        "use": MARKETING_BY_POST,
        "basis": LawfulBasis.CONSENT,
        "state": state,
        "marketing": True,
        "revision": 1,
        "reason": "GRANT_ACCEPTED_VERIFIED",
        "since": hours(-24),
    }
    if state in VALID:
        plain |= {
            "granted_at": hours(-24),
            "trust": Trust.SUBJECT_DIRECT,
            "grade": Grade.A,
            "notice_id": "consent-en-1",
        }
    return Permission(**(plain | said))


@dataclass(frozen=True, slots=True, kw_only=True)
class Somebody:
    """A consumer in the United Kingdom with whom nothing is wrong but what a test says."""

    permissions: Mapping[Use, Permission] = field(default_factory=dict)
    stops: tuple[Stop, ...] = ()
    conditions: tuple[Condition, ...] = ()
    suppressions: tuple[Suppression, ...] = ()
    jurisdiction: str = "UK"
    former_jurisdiction: str | None = None
    moved_at: datetime | None = None
    subject_class: str = "CONSUMER"
    hold: str | None = None
    erased: bool = False


ABOUT_A_PERSON = frozenset(one.name for one in fields(Somebody))


def ask(permission: Permission | None, **said: Any) -> Answer:
    """Ask about a permission of a person with whom nothing is wrong."""
    use = said.pop("use", MARKETING_BY_POST if permission is None else permission.use)
    policy = said.get("policy", POLICY)
    purpose = policy.purposes.get(use.purpose)
    about = {name: said.pop(name) for name in tuple(said) if name in ABOUT_A_PERSON}
    about.setdefault("conditions", every_condition())
    person = Somebody(permissions={} if permission is None else {use: permission}, **about)
    plain: dict[str, Any] = {
        "policy": policy,
        "at": NOON,
        "category": Category.MARKETING if purpose is None else purpose.category,
        "link_state": "ACTIVE",
        "points": (HOME,),
    }
    return may_use(person, use, **(plain | said))


def a_profile(
    key: str = "UK", *, law: ChannelLaw = ChannelLaw.PRIOR_CONSENT, **said: Any
) -> Profile:
    """The law of a place that asks the same on every channel, and nothing else but what a test says."""
    rules = {channel: {ANY_CLASS: law} for channel in POLICY.channels}
    return replace(STRICT, **({"key": key, "rules": rules} | said))


def under_law(*profiles: Profile, policy: Policy = POLICY) -> Policy:
    """A policy that knows the places a test names and no others."""
    return replace(policy, profiles={profile.key: profile for profile in profiles})


def a_suppression(hmac: str = HOME.hmac, **said: Any) -> Suppression:
    plain: dict[str, Any] = {
        "hmac": hmac,
        "key_version": 2,
        "scope": Scope.MARKETING,
        "controller": ControllerKey("example"),
        "since": hours(-2),
        "reason": "ERASED",
        "after_erasure": True,
    }
    return Suppression(**(plain | said))


def with_purpose(key: str, **changes: Any) -> Policy:
    """The policy with one purpose changed."""
    purpose = replace(POLICY.purposes[PurposeKey(key)], **changes)
    return replace(POLICY, purposes={**POLICY.purposes, purpose.key: purpose})
