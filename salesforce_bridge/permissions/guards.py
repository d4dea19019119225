"""Guards: what an event that widens a permission must bring along, beyond what the tables allow."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from salesforce_bridge.permissions.events import ActorKind, EventKind, PermissionEvent
from salesforce_bridge.permissions.evidence import RULES, Grade, Trust, grant_is_proven

# Clocks differ a little; a yes from further ahead than this did not happen yet.
SKEW = timedelta(minutes=5)

# A vital interest is an emergency; it ends by itself unless somebody says when.
EMERGENCY_LASTS = timedelta(days=30)

# Events that no clock brings about, and (all but the establishing of a basis, for people who never
# decided, and the release of a hold) no change of policy either.
WIDENING = frozenset(
    {
        EventKind.GRANT,
        EventKind.RENEW,
        EventKind.LIFT,
        EventKind.OVERRIDE,
        EventKind.ESTABLISH,
        EventKind.RELEASE,
    }
)
_BY_POLICY = frozenset({EventKind.ESTABLISH, EventKind.RELEASE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What the policy of its day asks of a grant."""

    required: Grade
    published: bool  # the notice it names was the published one when it happened
    live: bool = True  # the purpose could be relied on, in that version
    max_age: timedelta | None = None
    current: bool = True  # no newer notice has taken the place of the one it names


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What a widening event must come after, and what it has to overcome."""

    stopped_at: datetime | None  # the latest stop, on this key or wider
    starred: bool  # only the person's own act leaves where the permission is, or the wider stop that stands
    granted_at: datetime | None  # of the latest yes that counted
    lapsed_at: datetime | None


def widening_refusal(event: PermissionEvent, *, terms: Terms, past: Past) -> str | None:
    """Give the code for which an event that widens is refused, or None where it may count."""
    if _made_by_a_machine(event):
        return "CLOCK_AND_POLICY_NEVER_GRANT"
    match event.kind:
        case EventKind.GRANT | EventKind.RENEW:
            return _grant_refusal(event, terms) or _order_refusal(event, past)
        case EventKind.LIFT:
            if not _by_the_person(event):
                return "LIFT_NEEDS_THE_PERSON"
            return _order_refusal(event, past)
        case EventKind.OVERRIDE if event.trust < Trust.CONTROLLER_CONTROLLED:
            return "OVERRIDE_NEEDS_THE_CONTROLLER"
        case _:
            return None


def correction_refusal(event: PermissionEvent, *, stopped_at: datetime | None) -> str | None:
    """Give the code for which a stop is not taken back as an error, or None where it may be.

    That two people looked is for whoever records it to see to; here it has to be the controller's
    word, with evidence, and later than the last time the stop was told.
    """
    if event.actor in {ActorKind.CLOCK, ActorKind.POLICY}:
        return "CLOCK_AND_POLICY_NEVER_GRANT"
    if event.trust is not Trust.CONTROLLER_CONTROLLED:
        return "CORRECTION_NEEDS_THE_CONTROLLER"
    if not event.evidence_ref:
        return "CORRECTION_NEEDS_EVIDENCE"
    if stopped_at is not None and event.happened_at <= stopped_at:
        return "CORRECTION_PREDATES_STOP"
    return None


def _made_by_a_machine(event: PermissionEvent) -> bool:
    if event.actor is ActorKind.CLOCK:
        return True
    return event.actor is ActorKind.POLICY and event.kind not in _BY_POLICY


def _by_the_person(event: PermissionEvent) -> bool:
    return event.own and RULES[event.trust].may_lift


def _grant_refusal(event: PermissionEvent, terms: Terms) -> str | None:
    if not event.own:
        return "IDENTITY_NOT_PROVEN"
    if not grant_is_proven(event.trust, event.grade, terms.required):
        trusted = RULES[event.trust].may_grant
        return "EVIDENCE_BELOW_GRADE" if trusted else "TRUST_MAY_NOT_GRANT"
    if not terms.live:
        return "PURPOSE_NOT_LIVE"
    if not terms.published:
        return "NOTICE_NOT_PUBLISHED"
    if event.recorded_at is not None and event.happened_at > event.recorded_at + SKEW:
        return "TIMESTAMP_IMPLAUSIBLE"
    return None


def _order_refusal(event: PermissionEvent, past: Past) -> str | None:
    happened_at = event.happened_at
    if past.stopped_at is not None and happened_at <= past.stopped_at:
        return "GRANT_PREDATES_STOP_REJECTED"
    if past.starred and not _by_the_person(event):
        return "GRANT_AFTER_STOP_REJECTED"
    if past.lapsed_at is not None and happened_at <= past.lapsed_at:
        return "GRANT_PREDATES_LAPSE_REJECTED"
    if past.granted_at is not None and happened_at <= past.granted_at:
        return "GRANT_SUPERSEDED_NOTED"
    return None
