"""What must not change from one policy to the next: a wider purpose is a new purpose."""

from collections.abc import Iterator

from salesforce_bridge.permissions.bases import LawfulBasis
from salesforce_bridge.permissions.bundle import Assessment, Notice, Policy, Profile, Purpose
from salesforce_bridge.permissions.policy_fit import Concern
from salesforce_bridge.permissions.policy_meaning import digest_of


def changes_refused(before: Policy, after: Policy) -> Iterator[Concern]:
    """List what a policy changes that the one before promised to people, or that its history rests on."""
    if before.controller != after.controller:
        what = f"was {before.controller}: every fingerprint of an address would be lost"
        yield Concern(place="controller", what=what, fix=f'write "{before.controller}"')
    if before.version == after.version and digest_of(before) != digest_of(after):
        what = f"{after.version} is the one in use, and says something else"
        yield Concern(place="version", what=what, fix="give it a new value")
    for purpose in before.purposes.values():
        yield from _about_purpose(purpose, after.purposes.get(purpose.key))
        yield from _unassessed(purpose, after)
    for notice in before.notices.values():
        yield from _rewritten(notice, after.notices.get(notice.id), f"notices.{notice.id}")
    yield from _unversioned(before, after)


def _about_purpose(before: Purpose, after: Purpose | None) -> Iterator[Concern]:
    place = f"purposes.{before.key}"
    if after is None:
        fix = 'keep it with status = "RETIRED": the history still speaks of it'
        yield Concern(place=place, what="is gone", fix=fix)
        return
    yield from _widened(before, after, place)
    yield from _lives_longer(before, after, place)
    yield from _reworded(before, after, place)


def _unassessed(before: Purpose, after: Policy) -> Iterator[Concern]:
    """Say that the assessment of a purpose is gone: what rests on an interest is proven by its name."""
    key, purpose = before.assessment, after.purposes.get(before.key)
    if key is None or key in after.assessments or purpose is None:
        return
    if any(one.basis is LawfulBasis.LEGITIMATE_INTEREST for one in purpose.assignments):
        what = f"was {key}, which is gone while {purpose.key} still rests on an interest"
        fix = f"keep [assessments.{key}], and give it a new version where it finds something else"
        yield Concern(place=f"purposes.{purpose.key}.assessment", what=what, fix=fix)


def _unversioned(before: Policy, after: Policy) -> Iterator[Concern]:
    """List what says something else under the version it had."""
    for assessment in before.assessments.values():
        now = after.assessments.get(assessment.key)
        if now is not None and _found_anew(assessment, now):
            place = f"assessments.{assessment.key}.version"
            what = "stayed, and the assessment says something else"
            yield Concern(place=place, what=what, fix=f"write {assessment.version + 1}")
    for key, profile in before.profiles.items():
        later = after.profiles.get(key)
        if later is not None and _is_other_law(profile, later):
            what = "stayed, and the profile says something else"
            fix = f"write {profile.version + 1}"
            yield Concern(place=f"profiles.{key}.version", what=what, fix=fix, warning=True)


_NEW_PURPOSE = "make it a new purpose and name it as successor"


def _widened(before: Purpose, after: Purpose, place: str) -> Iterator[Concern]:
    """List what makes a purpose wider than people were told."""
    wider = (
        ("direct_marketing", after.direct_marketing and not before.direct_marketing, "turned on"),
        ("category", after.category is not before.category, f"was {before.category}"),
        (
            "required_grade",
            after.required_grade < before.required_grade,
            f"was {before.required_grade.name}, which is more",
        ),
        ("max_age", _is_longer(before, after), "is longer than it was, or gone"),
        (
            "address_scoped",
            bool(set(before.address_scoped) & set(after.channels) - set(after.address_scoped)),
            "dropped a channel",
        ),
        ("special_category", before.special_category > after.special_category, "turned off"),
        ("involves", bool(set(after.involves) - set(before.involves)), "names something new"),
        (
            "dpv_purpose",
            before.dpv_purpose not in (None, after.dpv_purpose),
            f"was {before.dpv_purpose}",
        ),
        ("product_families", _is_wider_family(before, after), "names something new"),
    )
    for name, is_wider, how in wider:
        if is_wider:
            what = f"{how}: that widens {before.key}"
            yield Concern(place=f"{place}.{name}", what=what, fix=_NEW_PURPOSE)


def _is_longer(before: Purpose, after: Purpose) -> bool:
    if before.max_age is None:
        return False
    return after.max_age is None or after.max_age > before.max_age


def _is_wider_family(before: Purpose, after: Purpose) -> bool:
    known = set(before.product_families)
    return bool(known) and not set(after.product_families) <= known


def _lives_longer(before: Purpose, after: Purpose, place: str) -> Iterator[Concern]:
    """List the rules of expiry that end a permission later than they did, or no longer."""
    rules = {rule.jurisdiction: (position, rule) for position, rule in enumerate(after.expiry, 1)}
    for rule in before.expiry:
        if rule.max_age is None:
            continue
        position, now = rules.get(rule.jurisdiction, (0, None))
        if (
            now is None
            or now.max_age is None
            or now.max_age > rule.max_age
            or now.trigger is not rule.trigger
        ):
            where = f"{place}.expiry" + (f"[{position}].max_age" if position else "")
            what = f"ends later for ({rule.jurisdiction}), or no longer: that widens {before.key}"
            yield Concern(place=where, what=what, fix=_NEW_PURPOSE)


def _reworded(before: Purpose, after: Purpose, place: str) -> Iterator[Concern]:
    if after.version < before.version:
        what, fix = f"was {before.version}", f"write {before.version} or more"
        yield Concern(place=f"{place}.version", what=what, fix=fix)
    elif after.version == before.version:
        for name in ("title", "plain_text"):
            if getattr(before, name) != getattr(after, name):
                fix = f"write version = {before.version + 1} if it means the same, else {_ELSE}"
                yield Concern(place=f"{place}.{name}", what="is worded anew", fix=fix)


_ELSE = "make it a new purpose"


def _rewritten(before: Notice, after: Notice | None, place: str) -> Iterator[Concern]:
    """List what is no longer as people were shown it."""
    if after is None:
        fix = "keep it: evidence points at it"
        yield Concern(place=place, what="is gone", fix=fix)
        return
    for name in ("sha256", "kind", "language", "purposes", "version", "published_at"):
        if getattr(before, name) != getattr(after, name):
            fix = f'add a notice of its own with supersedes = "{before.id}"'
            yield Concern(place=f"{place}.{name}", what="is not what people were shown", fix=fix)


def _found_anew(before: Assessment, after: Assessment) -> bool:
    tests = ("purpose_test", "necessity_test", "balancing_test", "outcome")
    return after.version <= before.version and any(
        getattr(before, test) != getattr(after, test) for test in tests if getattr(before, test)
    )


def _is_other_law(before: Profile, after: Profile) -> bool:
    told = ("rules", "grades", "double_opt_in_required", "max_consent_age", "age_counts_from")
    return after.version <= before.version and any(
        getattr(before, name) != getattr(after, name) for name in told
    )
