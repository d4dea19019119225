"""What cannot be right in a policy, whoever reads it: its parts do not fit each other."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from itertools import combinations

from salesforce_bridge.permissions.bases import OBJECTIONABLE, LawfulBasis
from salesforce_bridge.permissions.bundle import (
    Assignment,
    Category,
    Notice,
    Policy,
    Purpose,
)

MARKETING_BASES = frozenset({LawfulBasis.CONSENT}) | OBJECTIONABLE
NOTICE_KINDS = ("CONSENT", "PRIVACY", "LIA_SUMMARY")


@dataclass(frozen=True, slots=True, kw_only=True)
class Concern:
    """Something that is not right at one place of a policy, and how to put it right."""

    place: str
    what: str
    fix: str
    warning: bool = False  # it may be meant


def misfits(policy: Policy) -> Iterator[Concern]:
    """List what cannot be right: a policy with any of these is refused."""
    yield from _unknown("headline", (policy.headline,), policy.purposes)
    headline = policy.purposes.get(policy.headline)
    if headline is not None and not headline.channels:
        fix = "name the channels that Contact.Consent_Status__c speaks about"
        yield Concern(place=f"purposes.{headline.key}.channels", what="is empty", fix=fix)
    for notice in policy.notices.values():
        yield from _about_notice(notice, f"notices.{notice.id}", policy)
    for purpose in policy.purposes.values():
        yield from _about_purpose(purpose, f"purposes.{purpose.key}", policy)
    for assessment in policy.assessments.values():
        if assessment.review_due <= assessment.approved_at:
            place = f"assessments.{assessment.key}.review_due"
            yield Concern(place=place, what="is not after approved_at", fix="write a later day")
    for key, profile in policy.profiles.items():
        yield from _unknown(f"profiles.{key}.rules", profile.rules, policy.channels)
        yield from _unknown(f"profiles.{key}.grades", profile.grades, policy.channels)
        yield from _late_prompts(f"profiles.{key}", profile.renew_before, profile.max_consent_age)
    yield from _no_ids("direct_authors", policy.direct_authors)
    yield from _no_ids("surge.bulk_authors", policy.surge.bulk_authors)


def loops(following: Mapping[str, str | None]) -> tuple[str, ...]:
    """Name the members from which one comes back to where one began."""
    found = []
    for first in following:
        seen, here = {first}, following.get(first)
        while here is not None and here not in seen:
            seen.add(here)
            here = following.get(here)
        if here == first:
            found.append(first)
    return tuple(found)


def _unknown(place: str, named: Iterable[str], known: Collection[str]) -> Iterator[Concern]:
    for one in named:
        if one not in known:
            fix = f"use one of: {', '.join(sorted(known))}"
            yield Concern(place=place, what=f'"{one}" is not known', fix=fix)


def _no_ids(place: str, ids: tuple[str, ...], *, whose: str = "user") -> Iterator[Concern]:
    for each in ids:
        if _SALESFORCE_ID.fullmatch(each) is None:
            fix = f"write the 18 characters of the {whose}'s id"
            yield Concern(place=place, what=f'"{each}" is no Salesforce id', fix=fix)


_SALESFORCE_ID = re.compile(r"[A-Za-z0-9]{18}")


def _about_notice(notice: Notice, place: str, policy: Policy) -> Iterator[Concern]:
    yield from _unknown(f"{place}.purposes", notice.purposes, policy.purposes)
    yield from _unknown(f"{place}.kind", (notice.kind,), NOTICE_KINDS)
    if re.fullmatch(r"[0-9a-f]{64}", notice.sha256) is None:
        fix = "write what `sha256sum` prints for the text"
        yield Concern(place=f"{place}.sha256", what="is no SHA-256", fix=fix)
    if notice.superseded_at is not None and notice.superseded_at <= notice.published_at:
        fix = "write a day after published_at, here or in the notice that supersedes it"
        yield Concern(place=f"{place}.superseded_at", what="is not after published_at", fix=fix)
    if notice.supersedes is None:
        return
    yield from _unknown(f"{place}.supersedes", (notice.supersedes,), policy.notices)
    if notice.id in loops({each.id: each.supersedes for each in policy.notices.values()}):
        fix = "let each notice supersede an older one"
        yield Concern(place=f"{place}.supersedes", what="goes round in a circle", fix=fix)


def _about_purpose(purpose: Purpose, place: str, policy: Policy) -> Iterator[Concern]:
    yield from _about_channels(purpose, place, policy)
    if purpose.direct_marketing is not (purpose.category is Category.MARKETING):
        fix = 'write direct_marketing = true and category = "MARKETING" together, or neither'
        yield Concern(
            place=f"{place}.category", what="does not agree with direct_marketing", fix=fix
        )
    if purpose.assessment is not None:
        yield from _unknown(f"{place}.assessment", (purpose.assessment,), policy.assessments)
    bases = {one.basis for one in purpose.assignments}
    if LawfulBasis.LEGITIMATE_INTEREST in bases and purpose.assessment is None:
        fix = "name an assessment: legitimate interests need an approved one"
        yield Concern(place=f"{place}.assessment", what="is missing", fix=fix)
    yield from _about_assignments(purpose, place)
    yield from _about_the_end(purpose, place, policy)


def _about_assignments(purpose: Purpose, place: str) -> Iterator[Concern]:
    for position, one in enumerate(purpose.assignments, start=1):
        if one.effective_to is not None and one.effective_to <= one.effective_from:
            where = f"{place}.assignments[{position}].effective_to"
            fix = "write a later day, or remove the assignment: it never holds for anybody"
            yield Concern(place=where, what="is not after effective_from", fix=fix)
    for first, second in combinations(purpose.assignments, 2):
        if _overlap(first, second):
            whom = f"{first.jurisdiction}, {first.subject_class}"
            fix = "end the first with effective_to before the second begins"
            what = f"there are two for ({whom}) at once"
            yield Concern(place=f"{place}.assignments", what=what, fix=fix)


def _about_channels(purpose: Purpose, place: str, policy: Policy) -> Iterator[Concern]:
    yield from _unknown(f"{place}.channels", purpose.channels, policy.channels)
    yield from _unknown(f"{place}.address_scoped", purpose.address_scoped, purpose.channels)
    for channel in purpose.address_scoped:
        rule = policy.channels.get(channel)
        if rule is not None and rule.point is None:
            fix = f"remove it, or give channels.{channel} a point"
            yield Concern(
                place=f"{place}.address_scoped", what=f"{channel} has no address", fix=fix
            )


def _about_the_end(purpose: Purpose, place: str, policy: Policy) -> Iterator[Concern]:
    if purpose.successor is not None:
        yield from _unknown(f"{place}.successor", (purpose.successor,), policy.purposes)
        following = {key: each.successor for key, each in policy.purposes.items()}
        if purpose.key in loops({str(key): after for key, after in following.items()}):
            fix = "name the purpose that really follows, or none"
            yield Concern(place=f"{place}.successor", what="goes round in a circle", fix=fix)
    campaigns = () if purpose.renewal_campaign is None else (purpose.renewal_campaign,)
    yield from _no_ids(f"{place}.renewal_campaign", campaigns, whose="Campaign")
    told = set()
    for position, rule in enumerate(purpose.expiry, start=1):
        where = f"{place}.expiry[{position}]"
        yield from _late_prompts(where, rule.renew_before, rule.max_age)
        if rule.jurisdiction in told:
            what = f'there are two for "{rule.jurisdiction}"'
            yield Concern(place=where, what=what, fix="keep one of them")
        told.add(rule.jurisdiction)


def _late_prompts(
    place: str, prompts: tuple[timedelta, ...], age: timedelta | None
) -> Iterator[Concern]:
    if age is not None and prompts and prompts[0] >= age:
        what = f"a prompt {prompts[0].days} days before the end comes before the beginning"
        fix = f"write less than {age.days} days"
        yield Concern(place=f"{place}.renew_before", what=what, fix=fix)


def _overlap(first: Assignment, second: Assignment) -> bool:
    return (
        (first.jurisdiction, first.subject_class) == (second.jurisdiction, second.subject_class)
        and (first.effective_to is None or second.effective_from < first.effective_to)
        and (second.effective_to is None or first.effective_from < second.effective_to)
    )
