"""What somebody did to a Contact: opt-out flags, edited results, new, deleted, merged and moved people."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime

from salesforce_bridge.permissions.contact_points import ContactPoint
from salesforce_bridge.permissions.keys import ANY_PURPOSE, Channel, Use
from salesforce_bridge.permissions.policy import Policy
from salesforce_bridge.reconcile.facts import (
    LIVE_LINKS,
    Case,
    ContactFields,
    ContactSnapshot,
)
from salesforce_bridge.reconcile.findings import Finding, Situation
from salesforce_bridge.reconcile.identity import jurisdiction_of
from salesforce_bridge.reconcile.intent import Value
from salesforce_bridge.reconcile.words import Flag, Status

FLAG_FIELDS: Mapping[str, Flag] = {
    "opted_out_of_email": Flag.EMAIL,
    "opted_out_of_fax": Flag.FAX,
    "do_not_call": Flag.CALL,
}
RESULTS = ("lawful_basis", "consent_status", "summary", "reason", "valid_until")

_BLANK = frozenset({None, Status.NOT_ASKED.value})
_OPEN = frozenset({Status.PERMITTED.value, Status.PARTLY_PERMITTED.value})
_NARROWED = frozenset({Status.LAPSED.value, Status.LIMITED.value, Status.ASKED.value})


def contact_situations(case: Case, *, uses: tuple[Use, ...], policy: Policy) -> Iterator[Finding]:
    """Name everything that happened to one Contact since both sides last agreed, for each of `uses`."""
    seen = case.seen
    if seen is None:
        if case.link is not None and case.link.state in LIVE_LINKS and case.read:
            here = Finding(
                situation=Situation.S17_CONTACT_PURGED, contact_id=case.contact_id, use=uses[0]
            )
            yield from (replace(here, use=use) for use in uses)
        return
    agreed = nearest(case, seen)
    here = Finding(
        situation=Situation.S01_UNCHANGED,
        contact_id=case.contact_id,
        use=uses[0],
        stamp=seen.modstamp,
        actor=seen.modified_by,
    )
    yield from _flags(here, agreed, seen, uses=uses, policy=policy)
    for situation in _life(case, seen):
        yield from (replace(here, situation=situation, use=use) for use in uses)
    if not seen.deleted:
        yield from _edits(here, agreed, seen, policy=policy)
        yield from _addresses(here, agreed, seen, uses=uses, policy=policy)


def nearest(case: Case, seen: ContactSnapshot) -> ContactSnapshot | None:
    """Pick, of the states both sides may last have agreed on, the one that explains most of what is seen."""
    agreed = tuple(each for each in (case.mirror, *case.asked) if each is not None)
    return min(agreed, key=lambda each: len(differences(each, seen)), default=None)


def differences(
    agreed: ContactSnapshot | None, seen: ContactSnapshot
) -> Mapping[str, tuple[Value, Value]]:
    """Name the tracked fields in which a Contact differs from what was agreed; nothing on first sight."""
    if agreed is None:
        return {}
    changed: dict[str, tuple[Value, Value]] = {}
    for name in RESULTS:
        before, now = getattr(agreed.fields, name), getattr(seen.fields, name)
        if before != now:
            changed[name] = (before, now)
    for name in (*FLAG_FIELDS, "deleted", "master_id"):
        before, now = getattr(agreed, name), getattr(seen, name)
        if before != now:
            changed[name] = (before, now)
    if agreed.points != seen.points:
        changed["points"] = (len(agreed.points), len(seen.points))
    if agreed.country != seen.country:
        changed["country"] = (agreed.country, seen.country)
    return changed


def channels_of(flag: Flag, policy: Policy) -> tuple[Channel, ...]:
    """Name the channels that a standard flag closes."""
    return tuple(
        channel for channel, rule in sorted(policy.channels.items()) if rule.flag == flag.value
    )


def gained_or_lost(
    agreed: tuple[ContactPoint, ...], seen: tuple[ContactPoint, ...]
) -> frozenset[ContactPoint]:
    """Name the contact points that only one of two moments knows."""
    return frozenset(agreed) ^ frozenset(seen)


def _flags(
    here: Finding,
    agreed: ContactSnapshot | None,
    seen: ContactSnapshot,
    *,
    uses: tuple[Use, ...],
    policy: Policy,
) -> Iterator[Finding]:
    for name, flag in FLAG_FIELDS.items():
        was = getattr(agreed, name) if agreed is not None else False
        now = getattr(seen, name)
        if was == now:
            continue
        situation = Situation.S12_FLAG_SET if now else Situation.S13_FLAG_CLEARED
        for channel in channels_of(flag, policy):
            closed = tuple(use for use in uses if use.channel == channel)
            for use in closed or (Use(purpose=ANY_PURPOSE, channel=channel),):
                yield replace(
                    here,
                    situation=situation,
                    use=use,
                    channel=channel,
                    observed={name: (was, now)},
                )


def _life(case: Case, seen: ContactSnapshot) -> Iterator[Situation]:
    state = case.link.state if case.link is not None else None
    if seen.deleted:
        if seen.master_id is not None and (state is None or state in LIVE_LINKS):
            yield Situation.S19_CONTACT_MERGED
        elif seen.master_id is None and (state is None or state in LIVE_LINKS):
            yield Situation.S16_CONTACT_DELETED
    elif state is None:
        yield Situation.S15_CONTACT_NEW
    elif state not in LIVE_LINKS:
        yield Situation.S18_CONTACT_UNDELETED


def _edits(
    here: Finding, agreed: ContactSnapshot | None, seen: ContactSnapshot, *, policy: Policy
) -> Iterator[Finding]:
    was = agreed.fields if agreed is not None else ContactFields()
    now = seen.fields
    observed = {
        name: (getattr(was, name), getattr(now, name))
        for name in RESULTS
        if getattr(was, name) != getattr(now, name)
    }
    if not observed:
        return
    situation = _kind_of_edit(was.consent_status, now.consent_status, was.valid_until, now)
    if situation is None and agreed is None:
        return  # a first sight of values that say neither yes nor no
    headline = policy.purposes[policy.headline]
    for channel in headline.channels:
        yield replace(
            here,
            situation=situation or Situation.S11_CRM_METADATA_EDIT,
            use=Use(purpose=headline.key, channel=channel),
            observed=observed,
        )


def _kind_of_edit(
    was: str | None, now: str | None, valid_until: datetime | None, fields: ContactFields
) -> Situation | None:
    if now != was:
        halved = was == Status.PERMITTED and now == Status.PARTLY_PERMITTED
        if now == Status.STOPPED or halved or (was in _OPEN and now in _NARROWED):
            return Situation.S04_CRM_STOP
        if now in _OPEN:
            return Situation.S08_CRM_GRANT_BARE
        if now in _BLANK and was not in _BLANK:
            return Situation.S10_CRM_BLANKED
        return None
    if now in _OPEN and valid_until is not None and fields.valid_until != valid_until:
        later = fields.valid_until is None or fields.valid_until > valid_until
        return Situation.S08_CRM_GRANT_BARE if later else Situation.S04_CRM_STOP
    return None


def _addresses(
    here: Finding,
    agreed: ContactSnapshot | None,
    seen: ContactSnapshot,
    *,
    uses: tuple[Use, ...],
    policy: Policy,
) -> Iterator[Finding]:
    if agreed is None:
        return
    moved = {point.type for point in gained_or_lost(agreed.points, seen.points)}
    for use in uses:
        rule = policy.channels.get(use.channel)
        if rule is not None and rule.point in moved:
            yield replace(here, situation=Situation.S21_CONTACT_POINT_CHANGED, use=use)
    before, now = (jurisdiction_of(each.country, policy) for each in (agreed, seen))
    if before != now:
        for use in uses:
            yield replace(
                here,
                situation=Situation.S33_JURISDICTION_CHANGED,
                use=use,
                observed={"jurisdiction": (before, now)},
            )
