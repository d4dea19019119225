"""Expiry: when a permission begins, is prompted for, is reviewed and ends by itself, all from the clock.

Whatever asks about time asks here: the gates, the situations that are due, what Salesforce is shown and
the ledger's index of what comes next. So they never disagree about a boundary, and every boundary counts
the same way: what begins at a moment is true at it, what ends at a moment is no longer true at it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from salesforce_bridge.permissions.bases import LawfulBasis
from salesforce_bridge.permissions.bundle import ExpiryRule, Policy, Profile, Purpose, Trigger
from salesforce_bridge.permissions.conditions import Condition, ConditionKind
from salesforce_bridge.permissions.keys import PurposeKey
from salesforce_bridge.permissions.permission import Permission
from salesforce_bridge.permissions.person import Person
from salesforce_bridge.permissions.profiles import applies_former, profile_of, profiles_of
from salesforce_bridge.permissions.states import ASKED, VALID, State

GRACE = timedelta(days=30)  # where no rule says how long somebody has to say yes once more


def rule_for(policy: Policy, purpose_key: PurposeKey, jurisdiction: str) -> ExpiryRule:
    """Give what comes of all rules for a purpose in a place: the shortest age, the narrowest prompts."""
    purpose = policy.purposes.get(purpose_key)
    profile = profile_of(policy, jurisdiction)
    rules = () if purpose is None else _rules(purpose, jurisdiction)
    ages = [] if purpose is None else list(_ages(purpose, rules, (profile,), consent=True))
    triggers = {trigger for _, trigger in ages}
    prompts = [rule.renew_before for rule in rules if rule.renew_before]
    return ExpiryRule(
        jurisdiction=jurisdiction,
        max_age=min((age for age, _ in ages), default=None),
        renew_before=prompts[0] if prompts else profile.renew_before,
        grace=rules[0].grace if rules else GRACE,
        trigger=triggers.pop() if len(triggers) == 1 else Trigger.AGE,
    )


def end_of(permission: Permission, *, person: Person, policy: Policy) -> datetime | None:
    """Say when a permission ends by itself: the earliest end that anything sets; None if nothing does."""
    end, again = permission.effective_to, permission.reaffirm_by
    if again is not None and (end is None or again < end):
        end = again
    purpose = policy.purposes.get(permission.use.purpose)
    if purpose is None:
        return end
    consent = permission.basis is LawfulBasis.CONSENT
    if not consent and not purpose.expiry:
        return end
    since = permission.granted_at or permission.effective_from
    if since is None:
        return end
    for age, trigger in _ages_for(purpose, person, permission, policy):
        begin = _counted_from(trigger, since, person, purpose.key)
        if begin is not None and (end is None or begin + age < end):
            end = begin + age
    return end


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """When a permission, a question or what it rests on is over, and when somebody is told before."""

    ends: tuple[datetime, ...]
    prompts: tuple[datetime, ...]  # the first one first
    own_end: datetime | None = (
        None  # of the permission itself, whatever becomes of what it rests on
    )

    def over_since(self, at: datetime) -> datetime | None:
        """Say since when it is over; None while it is not."""
        found: datetime | None = None
        for end in self.ends:
            if end <= at and (found is None or end < found):
                found = end
        return found

    def reached(self, at: datetime) -> datetime | None:
        """Give the latest prompt that was reached."""
        found: datetime | None = None
        for each in self.prompts:
            if each <= at:
                found = each
        return found


def clock_of(permission: Permission, *, person: Person, policy: Policy) -> Clock:
    """Work out the ends and the prompts of a permission, for whoever asks more than one thing about them."""
    if permission.state not in _RUNNING:
        lapse = lapses_at(permission, policy=policy)
        return _NO_CLOCK if lapse is None else Clock(ends=(lapse,), prompts=())
    own_end = end_of(permission, person=person, policy=policy)
    others = ground_ends_at(permission, person=person), review_due_at(permission, policy=policy)
    ends = tuple([end for end in (own_end, *others) if end is not None])
    prompts = _prompts(permission, ends, person, policy)
    return Clock(ends=ends, prompts=prompts, own_end=own_end)


def in_span(permission: Permission, *, person: Person, policy: Policy, at: datetime) -> bool:
    """Tell whether a moment lies between a permission's beginning and its end."""
    if permission.effective_from is not None and at < permission.effective_from:
        return False
    end = end_of(permission, person=person, policy=policy)
    return end is None or at < end


def lapses_at(permission: Permission, *, policy: Policy) -> datetime | None:
    """Say when a question that nobody answers is closed; None where none is open."""
    if permission.state not in ASKED:
        return None
    return permission.since + policy.request_lapses_after


def ground_ends_at(permission: Permission, *, person: Person) -> datetime | None:
    """Say when the last contract, duty, incident or task behind a basis ends; None while one is open."""
    kind = RESTS_ON.get(permission.basis)
    if kind is None or permission.state not in _ESTABLISHED:
        return None
    last: datetime | None = None
    for one in person.conditions:
        if one.kind is kind and one.purpose in (None, permission.use.purpose):
            if one.valid_to is None:
                return None
            if last is None or one.valid_to > last:
                last = one.valid_to
    return last


def review_due_at(permission: Permission, *, policy: Policy) -> datetime | None:
    """Say when the assessment behind an interest has to be reviewed; None where none is relied on."""
    interest = permission.basis is LawfulBasis.LEGITIMATE_INTEREST
    if not interest or permission.state not in _ESTABLISHED:
        return None
    purpose = policy.purposes.get(permission.use.purpose)
    assessment = None if purpose is None else policy.assessments.get(purpose.assessment or "")
    return None if assessment is None else assessment.review_due


def due_since(
    permission: Permission, *, person: Person, policy: Policy, at: datetime
) -> datetime | None:
    """Say since when a permission, a question or what it rests on is over; None while nothing is."""
    return clock_of(permission, person=person, policy=policy).over_since(at)


def prompts_of(permission: Permission, *, person: Person, policy: Policy) -> tuple[datetime, ...]:
    """List the moments before an end or a review at which somebody is told, the first one first."""
    return clock_of(permission, person=person, policy=policy).prompts


def prompt_due(
    permission: Permission, *, person: Person, policy: Policy, at: datetime
) -> datetime | None:
    """Give the latest prompt reached and not yet noted, while there is still something to prompt for."""
    if permission.held is not None or person.hold is not None:
        return None
    clock = clock_of(permission, person=person, policy=policy)
    reached, noted = clock.reached(at), permission.prompted_at
    if reached is None or (noted is not None and reached <= noted):
        return None
    return reached if clock.over_since(at) is None else None


def renew_by(
    permission: Permission, *, person: Person, policy: Policy, at: datetime
) -> datetime | None:
    """Say until when a consent should be renewed, from its first prompt on; None before and after."""
    if permission.basis is not LawfulBasis.CONSENT:
        return None
    prompts = prompts_of(permission, person=person, policy=policy)
    if not prompts or at < prompts[0]:
        return None
    end = end_of(permission, person=person, policy=policy)
    return end if end is not None and at < end else None


def next_moment(
    permission: Permission,
    *,
    person: Person,
    policy: Policy,
    at: datetime,
    clock: Clock | None = None,
) -> datetime | None:
    """Say when the clock next has something to do about a permission; None if never again."""
    if permission.state is State.ERASED:
        return None
    if clock is None:
        clock = clock_of(permission, person=person, policy=policy)
    purpose = permission.use.purpose
    moments = [*clock.ends, *clock.prompts, *policy.switches.get(purpose, ())]
    if permission.state in _RUNNING and permission.effective_from is not None:
        moments.append(permission.effective_from)
    for one in person.conditions:
        if one.purpose is None or one.purpose == purpose:
            moments.append(one.valid_from)
            if one.valid_to is not None:
                moments.append(one.valid_to)
    return min([each for each in moments if each > at], default=None)


# What a basis other than consent and interest rests on, and ends with.
RESTS_ON = {
    LawfulBasis.CONTRACT: ConditionKind.CONTRACT,
    LawfulBasis.LEGAL_OBLIGATION: ConditionKind.OBLIGATION,
    LawfulBasis.VITAL_INTEREST: ConditionKind.INCIDENT,
    LawfulBasis.PUBLIC_TASK: ConditionKind.TASK,
}
_ESTABLISHED = frozenset({State.IN_FORCE})
_RUNNING = VALID | {State.CHALLENGED}
_NO_CLOCK = Clock(ends=(), prompts=())


def _prompts(
    permission: Permission, ends: tuple[datetime, ...], person: Person, policy: Policy
) -> tuple[datetime, ...]:
    if permission.state not in VALID or not ends:
        return ()
    if permission.basis is not LawfulBasis.CONSENT:
        return tuple(sorted({end - policy.review_notice for end in ends}))
    # What rests on a consent ends with nothing but the consent.
    (end,) = ends
    begin = permission.granted_at or permission.effective_from
    prompts = [end - before for before in _prompt_spans(permission, person, policy)]
    return tuple(sorted([each for each in prompts if begin is None or each > begin]))


def _rules(purpose: Purpose, jurisdiction: str) -> tuple[ExpiryRule, ...]:
    """Pick the rules of a purpose that count in a place, its own before those of every place."""
    if not purpose.expiry:
        return ()
    own = [rule for rule in purpose.expiry if rule.jurisdiction == jurisdiction]
    return (*own, *(rule for rule in purpose.expiry if rule.jurisdiction == "*"))


def _rules_of(purpose: Purpose, person: Person, permission: Permission) -> tuple[ExpiryRule, ...]:
    rules = _rules(purpose, person.jurisdiction)
    if applies_former(person, permission):
        return (*rules, *_rules(purpose, person.former_jurisdiction or ""))
    return rules


def _ages_for(
    purpose: Purpose, person: Person, permission: Permission, policy: Policy
) -> Iterable[tuple[timedelta, Trigger]]:
    """Pick every age that counts for a permission; mostly nothing counts but its purpose and the place."""
    consent = permission.basis is LawfulBasis.CONSENT
    if purpose.expiry or person.former_jurisdiction is not None:
        profiles = profiles_of(policy, person, permission)
        rules = _rules_of(purpose, person, permission)
        return _ages(purpose, rules, profiles, consent=consent)
    profile, own = profile_of(policy, person.jurisdiction), purpose.max_age
    ages = [] if own is None else [(own, Trigger.AGE)]
    if profile.max_consent_age is not None:
        ages.append((profile.max_consent_age, profile.age_counts_from))
    return ages


def _ages(
    purpose: Purpose,
    rules: tuple[ExpiryRule, ...],
    profiles: tuple[Profile, ...],
    *,
    consent: bool,
) -> Iterator[tuple[timedelta, Trigger]]:
    """List every age that counts; those of a purpose and of a place are about consent alone."""
    for rule in rules:
        if rule.max_age is not None:
            yield rule.max_age, rule.trigger
    if not consent:
        return
    if purpose.max_age is not None:
        yield purpose.max_age, Trigger.AGE
    for profile in profiles:
        if profile.max_consent_age is not None:
            yield profile.max_consent_age, profile.age_counts_from


def _counted_from(
    trigger: Trigger, since: datetime, person: Person, purpose: PurposeKey
) -> datetime | None:
    """Say from when an age counts, never earlier than the yes; None while what it counts from is not over."""
    if trigger is Trigger.AGE:
        return since
    if trigger is Trigger.LAST_ACTIVE:
        active = [one.valid_from for one in _about(person, ConditionKind.ACTIVITY, purpose)]
        return max(since, *active) if active else since
    contracts = [one.valid_to for one in _about(person, ConditionKind.CONTRACT, purpose)]
    ended = [end for end in contracts if end is not None]
    if len(ended) < len(contracts):
        return None
    return max(since, *ended) if ended else since


def _about(person: Person, kind: ConditionKind, purpose: PurposeKey) -> Iterator[Condition]:
    for one in person.conditions:
        if one.kind is kind and one.purpose in (None, purpose):
            yield one


def _prompt_spans(permission: Permission, person: Person, policy: Policy) -> tuple[timedelta, ...]:
    purpose = policy.purposes.get(permission.use.purpose)
    if purpose is not None:
        for rule in _rules(purpose, person.jurisdiction):
            if rule.renew_before:
                return rule.renew_before
    return profile_of(policy, person.jurisdiction).renew_before
