"""Stops that are wider than one key: a person's no to a channel, to all marketing, or to everything."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from salesforce_bridge.permissions.events import EventKind, PermissionEvent
from salesforce_bridge.permissions.keys import ANY_CHANNEL, ANY_PURPOSE, Channel, PurposeKey, Use


class StopKind(StrEnum):
    """A stop that is wider than one key, by the words of the stop matrix."""

    MARKETING_OBJECTION = "MARKETING_OBJECTION"
    CHANNEL_OPT_OUT = "CHANNEL_OPT_OUT"
    SUBJECT_STOP_ALL = "SUBJECT_STOP_ALL"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """A person's no that covers more than one use."""

    kind: StopKind
    purpose: PurposeKey
    channel: Channel
    since: datetime  # the latest time it was said
    own: bool
    reason: str
    revision: int


EVERYTHING = Use(purpose=ANY_PURPOSE, channel=ANY_CHANNEL)


def is_wide(event: PermissionEvent) -> bool:
    """Tell whether an event is about more than one key."""
    use = event.use
    return event.kind in _KINDS or use.purpose == ANY_PURPOSE or use.channel == ANY_CHANNEL


def reaches(stop: Stop, use: Use) -> bool:
    """Tell whether a use lies within a stop's purposes and channels."""
    return stop.purpose in (ANY_PURPOSE, use.purpose) and stop.channel in (ANY_CHANNEL, use.channel)


def covers(stop: Stop, use: Use, *, marketing: bool) -> bool:
    """Tell whether a stop is about a use at all, lifted or not."""
    return reaches(stop, use) and (marketing or stop.kind is StopKind.SUBJECT_STOP_ALL)


def stands(stop: Stop, lifted_at: datetime | None) -> bool:
    """Tell whether the person has not lifted a stop since it was last told."""
    return lifted_at is None or lifted_at <= stop.since


def narrowness(stop: Stop) -> tuple[int, bool, bool]:
    """Order stops, the widest first."""
    kinds = (StopKind.SUBJECT_STOP_ALL, StopKind.MARKETING_OBJECTION, StopKind.CHANNEL_OPT_OUT)
    return kinds.index(stop.kind), stop.purpose != ANY_PURPOSE, stop.channel != ANY_CHANNEL


def kind_of(event: PermissionEvent) -> StopKind:
    """Choose the stop for a no, also for one told in the words of a single key but about more."""
    kind = _KINDS.get(event.kind)
    if kind is not None:
        return kind
    if not event.marketing:
        return StopKind.SUBJECT_STOP_ALL
    by_channel = event.use.purpose == ANY_PURPOSE and event.use.channel != ANY_CHANNEL
    return StopKind.CHANNEL_OPT_OUT if by_channel else StopKind.MARKETING_OBJECTION


def with_stop(
    stops: tuple[Stop, ...], event: PermissionEvent, kind: StopKind, use: Use
) -> tuple[Stop, ...]:
    """Add a stop, or move the one that is there: one of a kind and scope, since its latest telling."""
    new = Stop(
        kind=kind,
        purpose=use.purpose,
        channel=use.channel,
        since=event.happened_at,
        own=event.own,
        reason=event.reason,
        revision=event.revision,
    )
    kept = []
    for old in stops:
        if _place(old) == _place(new):
            new = _joined(old, new)
        else:
            kept.append(old)
    return tuple(sorted((*kept, new), key=_place))


def corroborated(stops: tuple[Stop, ...], event: PermissionEvent) -> tuple[Stop, ...]:
    """Move the stops of one scope to their latest telling."""
    use = event.use
    return tuple(
        replace(stop, since=max(stop.since, event.happened_at))
        if (stop.purpose, stop.channel) == (use.purpose, use.channel)
        else stop
        for stop in stops
    )


def named_by(stops: tuple[Stop, ...], event: PermissionEvent) -> Stop | None:
    """Find the stop of its scope that a correction is about: the kind it names, the only one, or the usual one."""
    use = event.use
    found = [stop for stop in stops if (stop.purpose, stop.channel) == (use.purpose, use.channel)]
    named = _NAMES.get(event.condition_ref or "")
    if named is None and len(found) == 1:
        return found[0]
    kind = named or kind_of(event)
    return next((stop for stop in found if stop.kind is kind), None)


_NAMES = {kind.value: kind for kind in StopKind}
_KINDS = {
    EventKind.STOP_CHANNEL: StopKind.CHANNEL_OPT_OUT,
    EventKind.STOP_MARKETING: StopKind.MARKETING_OBJECTION,
    EventKind.STOP_ALL: StopKind.SUBJECT_STOP_ALL,
}


def _place(stop: Stop) -> tuple[str, str, str]:
    return stop.kind, stop.purpose, stop.channel


def _joined(old: Stop, new: Stop) -> Stop:
    """Join two tellings of one stop; what the person said goes before what was carried over."""
    first = new if (new.own, new.since) > (old.own, old.since) else old
    moved = first is new or new.since > old.since
    return replace(
        first,
        since=max(old.since, new.since),
        revision=max(old.revision, new.revision) if moved else old.revision,
    )
