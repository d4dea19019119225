"""The part of the policy's page that the bundle decides: purposes, notices, profiles, limits."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from salesforce_bridge.cli.markdown import DASH, code, table
from salesforce_bridge.cli.policy_page_words import CHANNEL_LAW
from salesforce_bridge.permissions.bundle import (
    ChannelLaw,
    ExpiryRule,
    Policy,
    Profile,
    Purpose,
    Trigger,
)
from salesforce_bridge.permissions.evidence import Grade
from salesforce_bridge.permissions.keys import Channel

COUNSEL = "*for counsel*"
_UNITS = (
    (timedelta(days=1), "day"),
    (timedelta(hours=1), "hour"),
    (timedelta(minutes=1), "minute"),
)
_FROM = {
    Trigger.AGE: "the yes itself",
    Trigger.LAST_ACTIVE: "the last thing the person did",
    Trigger.EVENT: "the end of the contract",
}


def purposes_part(policy: Policy) -> Iterator[str]:
    """Every purpose in its own words, with what it rests on and what counts as proof."""
    for purpose in policy.purposes.values():
        yield from (f"### {purpose.title}", "", purpose.plain_text, "")
        yield from table(("", ""), _about(purpose, policy))
        yield ""
    yield from ("### Notices", "")
    yield from table(
        ("notice", "kind", "version", "language", "published", "about", "follows"),
        (
            (
                code(each.id),
                each.kind,
                each.version,
                each.language,
                day(each.published_at),
                ", ".join(map(code, each.purposes)),
                _follows(each.supersedes, material=each.material),
            )
            for each in policy.notices.values()
        ),
    )
    yield from ("", "### Assessments of legitimate interests", "")
    yield from table(
        ("assessment", "approved by", "approved", "review due", "outcome"),
        (
            (code(a.key), a.approved_by, day(a.approved_at), day(a.review_due), a.outcome)
            for a in policy.assessments.values()
        ),
    )
    if policy.proofs:
        yield from ("", "### Proofs that a machine checks", "")
        rows = ((code(p.kind), p.trust.name, p.grade.name) for p in policy.proofs.values())
        yield from table(("kind", "counts as", "grade"), rows)


def profiles_part(policy: Policy) -> Iterator[str]:
    """The law of each place, with a mark on what no counsel has confirmed."""
    yield (
        "What a place asks for before marketing goes out, by channel and class of people. Somebody whose country is not"
        " known is judged by the strictest of all; somebody who moved is judged by the stricter of both until there is"
        " proof that meets the new one."
    )
    # Whatever the bundle says about an unknown place, the strictest of all the others counts besides.
    for profile in {**policy.profiles, policy.unknown.key: policy.unknown}.values():
        yield from ("", f"### {profile.key}", "", _confirmed(profile), "")
        yield from table(("channel", "class", "marketing needs", "least proof"), _rules(profile))
        yield ""
        yield from table(("", ""), _terms(profile))


def limits_part(policy: Policy) -> Iterator[str]:
    """What needs a person's look before it is written."""
    limits, surge = policy.limits, policy.surge
    yield from table(
        ("", ""),
        (
            ("widenings in one plan", f"{limits.loosen_max} at most"),
            (
                "Contacts changed by one plan",
                f"{limits.change_max} at most, or {limits.change_share:.0%} of all if that is more",
            ),
            (
                "… once so many Contacts are known",
                limits.change_from,
            ),
            (
                "widening or emptying edits that count as a mass change",
                f"{surge.floor}, if they are {surge.share:.0%} of all rows or more than {surge.ceiling}",
            ),
            (
                "… counted over",
                span(surge.window),
            ),
            ("claims in quarantine are closed after", span(policy.quarantine_lasts)),
            ("questions nobody answered are closed after", span(policy.request_lapses_after)),
            ("reviews are announced", f"{span(policy.review_notice)} before they are due"),
        ),
    )
    yield from ("", "Stops are never counted and never held back.")


def day(moment: datetime | None) -> str:
    """A moment as a day; an hour only where it matters."""
    if moment is None:
        return DASH
    return moment.strftime("%Y-%m-%d" if moment.time() == datetime.min.time() else "%Y-%m-%d %H:%M")


def span(length: timedelta | None) -> str:
    """A length of time in words, in the largest unit that it is a whole number of."""
    if length is None:
        return DASH
    for unit, name in _UNITS:
        number, rest = divmod(length, unit)
        if number and not rest:
            return f"{number} {name}{'' if number == 1 else 's'}"
    return f"{length.total_seconds():.0f} seconds"


def _about(purpose: Purpose, policy: Policy) -> Iterator[tuple[str, object]]:
    yield "key, version", f"{code(purpose.key)}, {purpose.version}, {purpose.status.value.lower()}"
    yield "kind of message", purpose.category.value.lower().replace("_", " ")
    yield "channels", ", ".join(policy.channels[each].label for each in purpose.channels)
    for each in purpose.assignments:
        whom = f"{_any(each.jurisdiction, 'everywhere')}, {_any(each.subject_class, 'everybody')}"
        until = f" until {day(each.effective_to)}" if each.effective_to else ""
        yield f"rests on ({whom})", f"{code(each.basis)} from {day(each.effective_from)}{until}"
    yield "least proof of a consent", purpose.required_grade.name
    if purpose.address_scoped:
        labels = (policy.channels[each].label for each in purpose.address_scoped)
        yield "a yes holds for one address on", ", ".join(labels)
    yield from _terms_of(purpose)


def _terms_of(purpose: Purpose) -> Iterator[tuple[str, object]]:
    if purpose.max_age is not None:
        yield "ends by itself after", span(purpose.max_age)
    for rule in purpose.expiry:
        yield f"ends by itself ({_any(rule.jurisdiction, 'everywhere')})", _expiry(rule)
    if purpose.assessment is not None:
        yield "assessment", code(purpose.assessment)
    if purpose.special_category:
        yield "special category of data", "yes, Art. 9"
    if purpose.involves:
        yield "involves", ", ".join(each.value.lower() for each in purpose.involves)
    if purpose.successor is not None:
        yield "its stops go on to", code(purpose.successor)


def _expiry(rule: ExpiryRule) -> str:
    parts = (
        []
        if rule.max_age is None
        else [f"after {span(rule.max_age)}, counted from {_FROM[rule.trigger]}"]
    )
    if rule.renew_before:
        parts.append(f"prompts {', '.join(span(each) for each in rule.renew_before)} before")
    if rule.grace:
        parts.append(f"{span(rule.grace)} to say yes again after a material change of the notice")
    return "; ".join(parts)


def _rules(profile: Profile) -> Iterator[tuple[str, ...]]:
    for channel, by_class in profile.rules.items():
        rest = "everybody" if len(by_class) == 1 else "everybody else"
        for whom, law in by_class.items():
            yield code(channel), _any(whom, rest), _law(law), _least(profile, channel, whom)


def _law(law: ChannelLaw) -> str:
    return f"{CHANNEL_LAW[law]} {code(law)}"


def _least(profile: Profile, channel: Channel, whom: str) -> str:
    grade = profile.grades.get(channel, {}).get(whom, Grade.NONE)
    return "as the purpose says" if grade is Grade.NONE else grade.name


def _terms(profile: Profile) -> Iterator[tuple[str, object]]:
    aged = f", counted from {_FROM[profile.age_counts_from]}" if profile.max_consent_age else ""
    yield "a consent to marketing is good for", f"{span(profile.max_consent_age)}{aged}"
    if profile.renew_before:
        prompts = ", ".join(span(each) for each in profile.renew_before)
        yield "people are prompted to renew", f"{prompts} before"
    yield "a confirmed (double) opt-in is needed", _yes(given=profile.double_opt_in_required)
    yield "register to ask before calls", profile.dnc_register or DASH
    yield "a stop is written within", span(profile.stop_deadline)
    yield (
        "requests are answered within",
        f"{_months(profile.reply_months)}, extended by {_months(profile.extension_months)} at most",
    )
    yield "evidence is kept for", f"{span(profile.evidence_retention)} after the last use"
    kept = profile.suppression_retention
    yield (
        "suppressions are kept for",
        span(kept) if kept else "as long as the controller markets",
    )


def _confirmed(profile: Profile) -> str:
    if profile.confirmed_by is None:
        return (
            f"{COUNSEL}: starting values, version {profile.version}; nobody has confirmed them yet."
        )
    return f"Version {profile.version}, confirmed by {profile.confirmed_by}."


def _follows(supersedes: str | None, *, material: bool) -> str:
    if supersedes is None:
        return DASH
    return f"{code(supersedes)}, {'materially different' if material else 'reworded'}"


def _any(key: str, everything: str) -> str:
    return everything if key == "*" else key


def _months(number: int) -> str:
    return "a month" if number == 1 else f"{number} months"


def _yes(*, given: bool) -> str:
    return "yes" if given else "no"
