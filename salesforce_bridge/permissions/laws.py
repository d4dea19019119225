"""The law of a place, as far as it is data, and what the strictest of several places comes to."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from salesforce_bridge.permissions.evidence import Grade
from salesforce_bridge.permissions.keys import Channel

CONSUMER, BUSINESS, ANY_CLASS = "CONSUMER", "BUSINESS", "*"
SUBJECT_CLASSES = (CONSUMER, BUSINESS)
UNKNOWN = "UNKNOWN"  # the jurisdiction of everybody whose country is unknown or listed nowhere


class ChannelLaw(StrEnum):
    """What the law of a place asks before marketing goes out on a channel."""

    PRIOR_CONSENT = "PRIOR_CONSENT"
    SOFT_OPT_IN = "SOFT_OPT_IN"  # a consent, or a sale with all its facts
    OPT_OUT = "OPT_OUT"  # any basis in force, until the person objects
    NONE = "NONE"


class Trigger(StrEnum):
    """From which moment the age of a permission counts."""

    AGE = "AGE"  # the yes itself
    LAST_ACTIVE = "LAST_ACTIVE"  # the last thing the person did
    EVENT = "EVENT"  # the end of the contract or relationship


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """The law of one jurisdiction, as far as it is data; a starting value until counsel has confirmed it."""

    key: str
    version: int
    rules: Mapping[Channel, Mapping[str, ChannelLaw]]  # by channel, then class of people or "*"
    grades: Mapping[
        Channel, Mapping[str, Grade]
    ]  # the least proof, where more than the purpose asks
    double_opt_in_required: bool
    max_consent_age: timedelta | None
    dnc_register: str | None
    stop_deadline: timedelta
    reply_months: int  # to answer a request, Art. 12(3)
    extension_months: int
    evidence_retention: timedelta
    suppression_retention: timedelta | None  # None: while the controller markets
    confirmed_by: str | None  # the counsel who confirmed it
    age_counts_from: Trigger = Trigger.AGE
    renew_before: tuple[timedelta, ...] = ()  # prompts, the earliest first


def law_in(profile: Profile, channel: Channel, subject_class: str) -> ChannelLaw:
    """Say what a profile asks for a channel and a class of people; what it does not name needs consent."""
    rules = profile.rules.get(channel)
    if rules is None:
        return ChannelLaw.PRIOR_CONSENT
    law = rules.get(subject_class) or rules.get(ANY_CLASS)
    return ChannelLaw.PRIOR_CONSENT if law is None else law


def grade_in(profile: Profile, channel: Channel, subject_class: str) -> Grade:
    """Say which proof a profile asks for at least, whatever the purpose asks."""
    grades = profile.grades.get(channel)
    if grades is None:
        return Grade.NONE
    return grades.get(subject_class, grades.get(ANY_CLASS, Grade.NONE))


def stricter_law(laws: Iterable[ChannelLaw]) -> ChannelLaw:
    """Keep the law that lets through least."""
    return min(laws, key=_FROM_STRICTEST.index)


def strictest(profiles: Sequence[Profile]) -> Profile:
    """Join profiles into one that is never looser than any of them; of none, the strictest there is."""
    if not profiles:
        return STRICT
    channels = sorted({each for profile in profiles for each in (*profile.rules, *profile.grades)})
    ages = {profile.age_counts_from for profile in profiles if profile.max_consent_age is not None}
    confirmed = {profile.confirmed_by for profile in profiles}
    return Profile(
        key=UNKNOWN,
        version=max(profile.version for profile in profiles),
        rules={each: _joined_laws(profiles, each) for each in channels},
        grades={each: _joined_grades(profiles, each) for each in channels},
        double_opt_in_required=any(profile.double_opt_in_required for profile in profiles),
        max_consent_age=_least(profile.max_consent_age for profile in profiles),
        dnc_register=_joined_registers(profiles),
        stop_deadline=min(profile.stop_deadline for profile in profiles),
        reply_months=min(profile.reply_months for profile in profiles),
        extension_months=min(profile.extension_months for profile in profiles),
        evidence_retention=max(profile.evidence_retention for profile in profiles),
        suppression_retention=_longest([profile.suppression_retention for profile in profiles]),
        confirmed_by=confirmed.pop() if len(confirmed) == 1 else None,
        # No moment that an age can count from is earlier than the yes itself.
        age_counts_from=ages.pop() if len(ages) == 1 else Trigger.AGE,
        renew_before=max((profile.renew_before for profile in profiles), key=_most_prompts),
    )


# In the order in which they let more through.
_FROM_STRICTEST = tuple(ChannelLaw)


def _joined_laws(profiles: Sequence[Profile], channel: Channel) -> Mapping[str, ChannelLaw]:
    return {
        each: stricter_law(law_in(profile, channel, each) for profile in profiles)
        for each in (*SUBJECT_CLASSES, ANY_CLASS)
    }


def _joined_grades(profiles: Sequence[Profile], channel: Channel) -> Mapping[str, Grade]:
    return {
        each: max(grade_in(profile, channel, each) for profile in profiles)
        for each in (*SUBJECT_CLASSES, ANY_CLASS)
    }


def _joined_registers(profiles: Sequence[Profile]) -> str | None:
    """Name a register if there is just one: which one to ask somebody of unknown origin is nobody's guess."""
    registers = {profile.dnc_register for profile in profiles if profile.dnc_register is not None}
    return registers.pop() if len(registers) == 1 else None


def _least(spans: Iterable[timedelta | None]) -> timedelta | None:
    return min((span for span in spans if span is not None), default=None)


def _longest(spans: Sequence[timedelta | None]) -> timedelta | None:
    known = [span for span in spans if span is not None]
    return max(known) if len(known) == len(spans) else None


def _most_prompts(spans: tuple[timedelta, ...]) -> tuple[int, tuple[timedelta, ...]]:
    """Prefer the most prompts, and of as many the earliest ones."""
    return len(spans), spans


# What counts where a policy says nothing about a place: consent for everything, and the law's own terms.
STRICT = Profile(
    key=UNKNOWN,
    version=1,
    rules={},
    grades={},
    double_opt_in_required=False,
    max_consent_age=None,
    dnc_register=None,
    stop_deadline=timedelta(minutes=15),
    reply_months=1,
    extension_months=2,
    evidence_retention=timedelta(days=6 * 365 + 2),
    suppression_retention=None,
    confirmed_by=None,
)
