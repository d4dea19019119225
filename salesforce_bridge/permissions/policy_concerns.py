"""What is lawful to write in a policy and yet wrong, missing or pointless."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from salesforce_bridge.permissions.bases import LawfulBasis
from salesforce_bridge.permissions.bundle import (
    Assessment,
    Assignment,
    ChannelLaw,
    Notice,
    Policy,
    Purpose,
    PurposeStatus,
)
from salesforce_bridge.permissions.evidence import DEFAULT_GRADE, RULES
from salesforce_bridge.permissions.expiry import rule_for
from salesforce_bridge.permissions.laws import ANY_CLASS, SUBJECT_CLASSES, UNKNOWN
from salesforce_bridge.permissions.policy_fit import MARKETING_BASES, Concern


def concerns(policy: Policy, *, at: datetime | None = None) -> Iterator[Concern]:
    """List what somebody should look at; with a moment, also what is not in date at it."""
    for purpose in policy.purposes.values():
        place = f"purposes.{purpose.key}"
        for position, one in enumerate(purpose.assignments, start=1):
            yield from _about_assignment(one, purpose, f"{place}.assignments[{position}]", policy)
        yield from _about_consent(purpose, place, policy, at=at)
        yield from _about_retirement(purpose, place, policy)
        yield from _about_soft_opt_in(purpose, place, policy)
        yield from _about_prompts(purpose, place, policy)
    for assessment in policy.assessments.values():
        yield from _about_assessment(assessment, policy, at=at)
    for notice in policy.notices.values():
        yield from _about_chain(notice, policy)
    yield from _about_places(policy)
    yield from _about_proofs(policy)


def _warn(place: str, what: str, fix: str) -> Concern:
    return Concern(place=place, what=what, fix=fix, warning=True)


def _error(place: str, what: str, fix: str) -> Concern:
    return Concern(place=place, what=what, fix=fix)


# Of an assessment: reviewed at least once a year.
_REVIEWED_WITHIN = timedelta(days=366)
_MONTHS_TO_REPLY, _MONTHS_MORE = 1, 2  # Art. 12(3)


def _about_assignment(
    one: Assignment, purpose: Purpose, place: str, policy: Policy
) -> Iterator[Concern]:
    if purpose.direct_marketing and one.basis not in MARKETING_BASES:
        what = f"MARKETING_ON_WRONG_BASIS: marketing cannot rest on {one.basis}"
        yield _error(f"{place}.basis", what, "use CONSENT or LEGITIMATE_INTEREST")
    if purpose.special_category and one.art9_condition is None:
        what = f"is missing: {purpose.key} uses a special category of data"
        fix = 'name what Art. 9(2) allows, for instance art9_condition = "9(2)(a)"'
        yield _error(f"{place}.art9_condition", what, fix)
    if one.subject_class not in (*SUBJECT_CLASSES, ANY_CLASS):
        fix = f"use one of: {', '.join((*SUBJECT_CLASSES, ANY_CLASS))}"
        yield _warn(f"{place}.subject_class", f'nobody is "{one.subject_class}"', fix)
    yield from _about_jurisdiction(one.jurisdiction, f"{place}.jurisdiction", policy)


def _about_jurisdiction(jurisdiction: str, place: str, policy: Policy) -> Iterator[Concern]:
    if jurisdiction not in ("*", UNKNOWN, *policy.jurisdictions.values()):
        fix = "list its countries under [jurisdictions]"
        yield _warn(place, f'nobody is ever found to be in "{jurisdiction}"', fix)


def _about_consent(
    purpose: Purpose, place: str, policy: Policy, *, at: datetime | None
) -> Iterator[Concern]:
    rests = any(one.basis is LawfulBasis.CONSENT for one in purpose.assignments)
    if not rests or purpose.status is not PurposeStatus.LIVE:
        return
    if not any(
        notice.kind == "CONSENT" and purpose.key in notice.purposes and _in_force(notice, at)
        for notice in policy.notices.values()
    ):
        fix = 'add a notice of kind "CONSENT" that names it: nobody can say yes without one'
        yield _error(f"{place}.assignments", "no consent notice is in force", fix)


def _in_force(notice: Notice, at: datetime | None) -> bool:
    if at is None:
        return notice.superseded_at is None
    return notice.published_at <= at and (notice.superseded_at is None or at < notice.superseded_at)


def _about_retirement(purpose: Purpose, place: str, policy: Policy) -> Iterator[Concern]:
    after = None if purpose.successor is None else policy.purposes.get(purpose.successor)
    if after is not None and after.status is PurposeStatus.RETIRED:
        fix = f"name what follows {after.key}, or leave it out"
        yield _error(f"{place}.successor", f"{after.key} is retired itself", fix)
    if (
        purpose.status is PurposeStatus.RETIRED
        and purpose.direct_marketing
        and purpose.successor is None
    ):
        fix = "name its successor if anything follows it: a stop goes on to it"
        yield _warn(f"{place}.successor", "is missing: marketing that nothing follows", fix)


def _about_soft_opt_in(purpose: Purpose, place: str, policy: Policy) -> Iterator[Concern]:
    bases = {one.basis for one in purpose.assignments} & MARKETING_BASES
    if not purpose.direct_marketing or bases <= {LawfulBasis.CONSENT} or purpose.product_families:
        return
    channels = [
        channel
        for channel in purpose.channels
        if any(
            ChannelLaw.SOFT_OPT_IN in profile.rules.get(channel, {}).values()
            for profile in policy.profiles.values()
        )
    ]
    if channels:
        what = f"is missing: the soft opt-in is never met for {', '.join(channels)}"
        fix = "name the families of products that count as similar"
        yield _warn(f"{place}.product_families", what, fix)


def _about_prompts(purpose: Purpose, place: str, policy: Policy) -> Iterator[Concern]:
    for position, rule in enumerate(purpose.expiry, start=1):
        where = f"{place}.expiry[{position}].jurisdiction"
        yield from _about_jurisdiction(rule.jurisdiction, where, policy)
    for jurisdiction in sorted({*policy.jurisdictions.values(), UNKNOWN}):
        rule = rule_for(policy, purpose.key, jurisdiction)
        if rule.max_age is not None and rule.renew_before and rule.renew_before[0] >= rule.max_age:
            days, age = rule.renew_before[0].days, rule.max_age.days
            what = f"a prompt {days} days before the end is never due in {jurisdiction}"
            fix = f"write less than {age} days: no consent is older there"
            yield _error(f"{place}.expiry", what, fix)
            return


def _about_assessment(
    assessment: Assessment, policy: Policy, *, at: datetime | None
) -> Iterator[Concern]:
    place = f"assessments.{assessment.key}"
    for test in ("purpose_test", "necessity_test", "balancing_test", "outcome"):
        if not getattr(assessment, test).strip():
            fix = "write in a sentence what the assessment found"
            yield _error(f"{place}.{test}", "is not written down", fix)
    if at is not None and not assessment.approved_at <= at < assessment.review_due:
        fix = "have it reviewed: the basis is not in force for anybody"
        yield _error(f"{place}.review_due", "is not in date", fix)
    if assessment.review_due - assessment.approved_at > _REVIEWED_WITHIN:
        fix = "have it reviewed at least once a year"
        yield _warn(f"{place}.review_due", "is more than a year after approved_at", fix)
    if all(purpose.assessment != assessment.key for purpose in policy.purposes.values()):
        yield _warn(place, "no purpose rests on it", "name it in a purpose, or remove it")


def _about_chain(notice: Notice, policy: Policy) -> Iterator[Concern]:
    place = f"notices.{notice.id}"
    newer = [each for each in policy.notices.values() if each.supersedes == notice.id]
    if notice.superseded_at is not None and not newer:
        fix = f'write supersedes = "{notice.id}" in the notice that follows it'
        yield _warn(f"{place}.superseded_at", "is superseded by nothing", fix)
    older = None if notice.supersedes is None else policy.notices.get(notice.supersedes)
    if older is None:
        return
    where = f"{place}.supersedes"
    alive = {
        key
        for key in older.purposes
        if key in policy.purposes and policy.purposes[key].status is not PurposeStatus.RETIRED
    }
    if not alive <= set(notice.purposes):
        missing = ", ".join(sorted(alive - set(notice.purposes)))
        fix = "name the same purposes, or supersede each by a notice of its own"
        yield _error(where, f"{older.id} was also about {missing}", fix)
    if older.kind != notice.kind or older.language != notice.language:
        fix = "supersede a notice of the same kind in the same language"
        yield _error(where, f"{older.id} is {older.kind} in {older.language}", fix)
    if notice.published_at <= older.published_at:
        yield _error(where, f"{older.id} is not older", "let the newer one supersede the older")


def _about_places(policy: Policy) -> Iterator[Concern]:
    if not policy.profiles:
        fix = "add [profiles.…] with what counsel found"
        yield _warn("profiles", "is missing: everything needs prior consent everywhere", fix)
        return
    reached = set(policy.jurisdictions.values())
    for jurisdiction in sorted(reached - policy.profiles.keys() - {UNKNOWN}):
        fix = f"add [profiles.{jurisdiction}], or list its countries under another one"
        what = f"{jurisdiction} has no profile: it is judged as UNKNOWN"
        yield _warn(f"jurisdictions.{jurisdiction}", what, fix)
    for key, profile in policy.profiles.items():
        place = f"profiles.{key}"
        if key not in reached and key != UNKNOWN:
            fix = f"list its countries under jurisdictions.{key}"
            yield _warn(place, "nobody is ever found to be there", fix)
        if profile.confirmed_by is None:
            fix = "have a lawyer confirm it and write confirmed_by"
            yield _warn(place, "is a starting value that no counsel has confirmed", fix)
        if profile.reply_months > _MONTHS_TO_REPLY or profile.extension_months > _MONTHS_MORE:
            fix = "Art. 12(3) allows one month, and two more"
            yield _warn(f"{place}.reply_months", "is longer than the law allows", fix)


def _about_proofs(policy: Policy) -> Iterator[Concern]:
    for kind, rule in policy.proofs.items():
        if not RULES[rule.trust].may_grant or rule.grade < DEFAULT_GRADE:
            fix = "nothing below VERIFIED_RELAY and grade B ever makes a permission valid"
            yield _warn(f"proofs.{kind}", "can never be accepted", fix)
