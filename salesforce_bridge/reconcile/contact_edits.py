"""What somebody did to a Contact: opt-out flags, edited results, new, deleted, merged and moved people."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from operator import attrgetter

from salesforce_bridge.permissions.contact_points import ContactPoint, PointType
from salesforce_bridge.permissions.keys import ANY_PURPOSE, Channel, Use
from salesforce_bridge.permissions.policy import Policy
from salesforce_bridge.reconcile.facts import (
    AMBIGUOUS,
    CLOSED_SOFT,
    LIVE_LINKS,
    MERGED_INTO,
    Case,
    ContactFields,
    ContactSnapshot,
    SubjectRecord,
)
from salesforce_bridge.reconcile.findings import Finding, Situation
from salesforce_bridge.reconcile.intent import Value
from salesforce_bridge.reconcile.rights_flags import rights_situations
from salesforce_bridge.reconcile.words import Flag, Status

FLAG_FIELDS: Mapping[str, Flag] = {
    "opted_out_of_email": Flag.EMAIL,
    "opted_out_of_fax": Flag.FAX,
    "do_not_call": Flag.CALL,
}
RESULTS = ("lawful_basis", "consent_status", "summary", "reason", "valid_until")

_RESULTS_OF = attrgetter(*RESULTS)
_TRACKED_OF = attrgetter(*FLAG_FIELDS, "deleted", "master_id", "points", "country")
# All that says something of its own.
_JUDGED_OF = attrgetter(
    *FLAG_FIELDS, "deleted", "master_id", "points", "older", "individual", "fields"
)
_NOTHING_WRITTEN = ContactFields()
_BLANK = frozenset({None, Status.NOT_ASKED.value})
_OPEN = frozenset({Status.PERMITTED.value, Status.PARTLY_PERMITTED.value})
# A status that is a stop or a claim of its own, whoever wrote it; any other says neither.
SAYS_YES_OR_NO = _OPEN | {Status.STOPPED.value}
# What may still turn out to be gone for good; a Contact that was merged away lives on in another.
_NOT_PURGED = LIVE_LINKS | {CLOSED_SOFT}
_NARROWED = frozenset({Status.LAPSED.value, Status.LIMITED.value, Status.ASKED.value})


def contact_situations(
    case: Case, *, record: SubjectRecord, uses: tuple[Use, ...], policy: Policy
) -> Iterator[Finding]:
    """Name everything that happened to one Contact since both sides last agreed, for each of `uses`."""
    seen = case.seen
    if seen is None:
        if case.read and not _is_known_to_be_purged(case):
            here = Finding(
                situation=Situation.S17_CONTACT_PURGED,
                contact_id=case.contact_id,
                use=uses[0],
                stamp=case.mirror.modstamp if case.mirror is not None else None,
            )
            yield from (replace(here, use=use) for use in uses)
        return
    agreed = nearest(case, seen)
    if agreed is not None and is_untouched(case, agreed, seen):
        return
    here = Finding(
        situation=Situation.S01_UNCHANGED,
        contact_id=case.contact_id,
        use=uses[0],
        stamp=seen.modstamp,
        actor=seen.modified_by,
    )
    yield from _flags(here, agreed, seen, uses=uses, policy=policy)
    yield from rights_situations(here, agreed, seen, record=record, uses=uses, policy=policy)
    for situation in _life(case, agreed, seen):
        yield from (replace(here, situation=situation, use=use) for use in uses)
    if not seen.deleted:
        yield from _edits(here, agreed, seen, policy=policy)
        yield from _addresses(here, agreed, seen, uses=uses, policy=policy)


def _is_known_to_be_purged(case: Case) -> bool:
    """Say whether it was told already that a Contact is gone: its link says so, and of a candidate, whose link
    only a person changes, the mirror."""
    if case.link is None or case.link.state not in _NOT_PURGED:
        return True
    return case.link.state == AMBIGUOUS and case.mirror is not None and case.mirror.deleted


def is_untouched(case: Case, agreed: ContactSnapshot, seen: ContactSnapshot) -> bool:
    """Say whether there is nothing to name on a Contact: it is there, and as both sides know it."""
    linked = case.link is not None and case.link.state in LIVE_LINKS
    if not linked or seen.deleted or _tells_of_a_lead(agreed, seen):
        return False
    return agreed is seen or _JUDGED_OF(agreed) == _JUDGED_OF(seen)


def _tells_of_a_lead(agreed: ContactSnapshot | None, seen: ContactSnapshot) -> bool:
    """Say whether a Lead is told of now: at the first look, or later if nobody could understand it then."""
    return seen.lead is not None and (agreed is None or seen.lead != agreed.lead)


def nearest(case: Case, seen: ContactSnapshot) -> ContactSnapshot | None:
    """Pick, of the states both sides may last have agreed on, the one that explains most of what is seen."""
    if not case.asked:
        return case.mirror
    agreed = (case.mirror, *case.asked) if case.mirror is not None else case.asked
    return min(agreed, key=lambda each: _distance(each, seen))


def _distance(agreed: ContactSnapshot, seen: ContactSnapshot) -> int:
    """Count the tracked fields in which a Contact differs from what was agreed."""
    sides = (
        (_RESULTS_OF(agreed.fields), _RESULTS_OF(seen.fields)),
        (_TRACKED_OF(agreed), _TRACKED_OF(seen)),
    )
    return sum(
        was != now for before, after in sides for was, now in zip(before, after, strict=True)
    )


def channels_of(flag: Flag, policy: Policy) -> tuple[Channel, ...]:
    """Name the channels that a standard flag closes."""
    return policy.closed_by.get(flag, ())


def moved_kinds(
    agreed: tuple[ContactPoint, ...], seen: tuple[ContactPoint, ...]
) -> frozenset[PointType]:
    """Name the kinds of contact point that changed; fingerprints under different keys cannot be compared."""
    versions = {point.key_version for point in agreed} & {point.key_version for point in seen}
    either_is_empty = not (agreed and seen)
    return frozenset(
        point.type
        for point in frozenset(agreed) ^ frozenset(seen)
        if either_is_empty or point.key_version in versions
    )


def written_on(seen: ContactSnapshot) -> Mapping[str, tuple[Value, Value]]:
    """Give the results that stand on a Contact; a status that says nobody was asked is none."""
    return {
        name: (None, value)
        for name, value in zip(RESULTS, _RESULTS_OF(seen.fields), strict=True)
        if value not in _BLANK
    }


def _flags(
    here: Finding,
    agreed: ContactSnapshot | None,
    seen: ContactSnapshot,
    *,
    uses: tuple[Use, ...],
    policy: Policy,
) -> Iterator[Finding]:
    lead = seen.lead if _tells_of_a_lead(agreed, seen) else None
    for name, flag in FLAG_FIELDS.items():
        was = getattr(agreed, name) if agreed is not None else False
        now = getattr(seen, name)
        if lead is not None and not was:
            # Salesforce does not carry every opt-out of a Lead over to the Contact made from it.
            now = now or getattr(lead, name)
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


def _life(case: Case, agreed: ContactSnapshot | None, seen: ContactSnapshot) -> Iterator[Situation]:
    state = case.link.state if case.link is not None else None
    known_gone = state is not None and (
        state not in LIVE_LINKS or (agreed is not None and agreed.deleted)
    )
    if seen.deleted and not known_gone:
        merged = seen.master_id is not None
        yield Situation.S19_CONTACT_MERGED if merged else Situation.S16_CONTACT_DELETED
    elif seen.deleted and _is_merged_since(state, agreed, seen):
        yield Situation.S19_CONTACT_MERGED
    elif not seen.deleted and state is None:
        yield Situation.S15_CONTACT_NEW
    elif not seen.deleted and known_gone:
        yield Situation.S18_CONTACT_UNDELETED


def _is_merged_since(
    state: str | None, agreed: ContactSnapshot | None, seen: ContactSnapshot
) -> bool:
    """Say whether a Contact that was gone came back and was merged away before anybody looked."""
    was = agreed.master_id if agreed is not None else None
    if state == MERGED_INTO and was is None:
        return False  # of an erased person nobody remembers into whom they were merged
    return seen.master_id not in (None, was)


def _edits(
    here: Finding, agreed: ContactSnapshot | None, seen: ContactSnapshot, *, policy: Policy
) -> Iterator[Finding]:
    was = agreed.fields if agreed is not None else _NOTHING_WRITTEN
    now = seen.fields
    if was == now:
        return
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
    sooner = (
        was in _OPEN
        and now in _OPEN
        and fields.valid_until is not None
        and (valid_until is None or fields.valid_until < valid_until)
    )
    if now != was:
        halved = was == Status.PERMITTED and now == Status.PARTLY_PERMITTED
        if now == Status.STOPPED or halved or sooner or (was in _OPEN and now in _NARROWED):
            return Situation.S04_CRM_STOP
        if now in _OPEN:
            return Situation.S08_CRM_GRANT_BARE
        if now in _BLANK and was not in _BLANK:
            return Situation.S10_CRM_BLANKED
        return None
    if now not in _OPEN or fields.valid_until == valid_until:
        return None
    return Situation.S04_CRM_STOP if sooner else Situation.S08_CRM_GRANT_BARE


def _addresses(
    here: Finding,
    agreed: ContactSnapshot | None,
    seen: ContactSnapshot,
    *,
    uses: tuple[Use, ...],
    policy: Policy,
) -> Iterator[Finding]:
    if agreed is None or agreed.points == seen.points:
        return
    if agreed.deleted and not agreed.points:
        return  # what is remembered of whoever was erased has no addresses any longer
    moved = moved_kinds(agreed.points, seen.points)
    for use in uses:
        rule = policy.channels.get(use.channel)
        if rule is not None and rule.point in moved:
            yield replace(here, situation=Situation.S21_CONTACT_POINT_CHANGED, use=use)
