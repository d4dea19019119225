"""The policy: read strictly from its text, given a digest, and asked for bases, uses and notices."""

import hashlib
import re
import tomllib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import fields, replace
from datetime import datetime, timedelta
from itertools import combinations
from types import MappingProxyType

import orjson

from salesforce_bridge.permissions.bases import OBJECTIONABLE, LawfulBasis
from salesforce_bridge.permissions.bundle import (
    Assessment,
    Assignment,
    Category,
    ChannelRule,
    Limits,
    Notice,
    Policy,
    Purpose,
    PurposeStatus,
)
from salesforce_bridge.permissions.contact_points import PointType
from salesforce_bridge.permissions.evidence import DEFAULT_GRADE, Grade
from salesforce_bridge.permissions.keys import Channel, ControllerKey, PurposeKey, Use
from salesforce_bridge.permissions.tables import PolicyRefused, Table, refuse

__all__ = [
    "Assessment",
    "Assignment",
    "Category",
    "ChannelRule",
    "Limits",
    "Notice",
    "Policy",
    "PolicyRefused",
    "Purpose",
    "PurposeStatus",
    "basis_for",
    "marketing_on_wrong_basis",
    "notice_was_published",
    "parse_policy",
    "visible_uses",
]


def parse_policy(text: str) -> Policy:
    """Read a policy strictly: what it says is meant, and what is not understood is refused by name."""
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise refuse("text", f"is not TOML: {error}", fix="mend the line it names") from error
    root = Table(content, "")
    policy = Policy(
        version=root.text("version"),
        digest="",
        controller=ControllerKey(root.text("controller")),
        controller_name=root.text("controller_name"),
        headline=PurposeKey(root.text("headline", "direct_marketing")),
        default_country=_country(root),
        jurisdictions=_jurisdictions(root),
        request_lapses_after=root.span("request_lapses_after", "30d"),
        channels={Channel(k): _channel(k, table) for k, table in root.tables("channels")},
        purposes={PurposeKey(k): _purpose(k, table) for k, table in root.tables("purposes")},
        notices={k: _notice(k, table) for k, table in root.tables("notices")},
        assessments={k: _assessment(k, table) for k, table in root.tables("assessments")},
        limits=_limits(root.table("limits")),
    )
    root.close()
    _refuse_what_does_not_fit(policy)
    return replace(policy, digest=_digest(policy))


def basis_for(
    policy: Policy, purpose: PurposeKey, jurisdiction: str, subject_class: str, *, at: datetime
) -> LawfulBasis | None:
    """Give the one lawful basis a purpose rests on for such a person; the narrowest assignment wins."""
    for one in policy.assigned.get(purpose, ()):
        if (
            one.jurisdiction in (jurisdiction, "*")
            and one.subject_class in (subject_class, "*")
            and one.effective_from <= at
            and (one.effective_to is None or at < one.effective_to)
        ):
            return one.basis
    return None


def visible_uses(policy: Policy) -> tuple[Use, ...]:
    """List the uses that have a row in Salesforce for everybody, decided or not."""
    return policy.uses


def notice_was_published(
    policy: Policy, notice_id: str | None, purpose: PurposeKey, *, at: datetime
) -> bool:
    """Tell whether a notice was the published one for a purpose at a moment."""
    notice = policy.notices.get(notice_id) if notice_id is not None else None
    return (
        notice is not None
        and purpose in notice.purposes
        and notice.published_at <= at
        and (notice.superseded_at is None or at < notice.superseded_at)
    )


def marketing_on_wrong_basis(policy: Policy) -> tuple[PurposeKey, ...]:
    """List the marketing purposes that rest on a basis under which marketing makes no sense."""
    return tuple(
        key
        for key, purpose in sorted(policy.purposes.items())
        if purpose.direct_marketing
        and any(one.basis not in _MARKETING_BASES for one in purpose.assignments)
    )


_MARKETING_BASES = frozenset({LawfulBasis.CONSENT}) | OBJECTIONABLE
_FLAGS = ("HasOptedOutOfEmail", "HasOptedOutOfFax", "DoNotCall")


def _country(root: Table) -> str:
    country = root.text("default_country")
    if len(country) != 2 or not country.isascii() or not country.isupper():  # noqa: PLR2004 - ISO 3166 alpha-2
        raise refuse("default_country", f'"{country}" is no country', fix='write for instance "GB"')
    return country


def _jurisdictions(root: Table) -> Mapping[str, str]:
    """Turn `DE = ["Germany", "Deutschland"]` round: what people type, and the jurisdiction it means."""
    if "jurisdictions" not in root:
        return MappingProxyType({})
    table = root.table("jurisdictions")
    keys = table.keys()
    typed: dict[str, str] = {}
    for key in keys:
        for word in (key, *table.texts(key)):
            known = typed.setdefault(word.strip().casefold(), key)
            if known != key:
                fix = f"leave it with {known} or with {key}"
                raise refuse(table.at(key), f'"{word}" also means {known}', fix=fix)
    return MappingProxyType(typed)


def _channel(key: str, table: Table) -> ChannelRule:
    rule = ChannelRule(
        channel=Channel(key),
        label=table.text("label"),
        point=table.choice_or_none("point", PointType),
        flag=table.text_or_none("flag"),
    )
    if rule.flag is not None and rule.flag not in _FLAGS:
        raise refuse(
            table.at("flag"), f'"{rule.flag}" is not known', fix=f"use one of: {', '.join(_FLAGS)}"
        )
    table.close()
    return rule


def _purpose(key: str, table: Table) -> Purpose:
    marketing = table.yes("direct_marketing", default=False)
    channels = tuple(Channel(one) for one in table.texts("channels"))
    purpose = Purpose(
        key=PurposeKey(key),
        version=table.number("version", least=1),
        status=table.choice("status", PurposeStatus),
        title=table.text("title"),
        plain_text=table.text("plain_text"),
        direct_marketing=marketing,
        category=table.choice("category", Category),
        channels=channels,
        visible=table.yes("visible", default=marketing),
        assignments=tuple(_assignment(one) for one in table.listed("assignments")),
        required_grade=table.choice("required_grade", Grade, DEFAULT_GRADE),
        address_scoped=tuple(Channel(one) for one in table.texts("address_scoped", ())),
        max_age=table.span_or_none("max_age"),
        assessment=table.text_or_none("assessment"),
    )
    table.close()
    return purpose


def _assignment(table: Table) -> Assignment:
    assignment = Assignment(
        jurisdiction=table.text("jurisdiction", "*"),
        subject_class=table.text("subject_class", "*"),
        basis=table.choice("basis", LawfulBasis),
        effective_from=table.moment("effective_from"),
        effective_to=table.moment_or_none("effective_to"),
    )
    table.close()
    return assignment


def _notice(key: str, table: Table) -> Notice:
    notice = Notice(
        id=key,
        kind=table.text("kind"),
        version=table.number("version", least=1),
        language=table.text("language"),
        sha256=table.text("sha256"),
        published_at=table.moment("published_at"),
        purposes=tuple(PurposeKey(one) for one in table.texts("purposes")),
        superseded_at=table.moment_or_none("superseded_at"),
    )
    table.close()
    return notice


def _assessment(key: str, table: Table) -> Assessment:
    assessment = Assessment(
        key=key,
        approved_by=table.text("approved_by"),
        approved_at=table.moment("approved_at"),
        review_due=table.moment("review_due"),
    )
    table.close()
    return assessment


def _limits(table: Table) -> Limits:
    limits = Limits(
        loosen_max=table.number("loosen_max"),
        change_max=table.number("change_max"),
        change_share=table.share("change_share"),
        change_from=table.number("change_from"),
    )
    table.close()
    return limits


def _digest(policy: Policy) -> str:
    """Fingerprint what the policy means, so that comments and the order of tables do not count."""
    said = {
        one.name: getattr(policy, one.name)
        for one in fields(policy)
        if one.init and one.name != "digest"
    }
    canonical = orjson.dumps(said, default=_plain, option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(canonical).hexdigest()


def _plain(value: timedelta | Mapping[str, str]) -> object:
    return value.total_seconds() if isinstance(value, timedelta) else dict(value)


def _refuse_what_does_not_fit(policy: Policy) -> None:
    _refuse_unknown("headline", (policy.headline,), policy.purposes)
    for notice in policy.notices.values():
        _refuse_unknown(f"notices.{notice.id}.purposes", notice.purposes, policy.purposes)
        if re.fullmatch(r"[0-9a-f]{64}", notice.sha256) is None:
            place = f"notices.{notice.id}.sha256"
            raise refuse(place, "is no SHA-256", fix="write what `sha256sum` prints for the text")
    for purpose in policy.purposes.values():
        _refuse_purpose(purpose, f"purposes.{purpose.key}", policy)


def _refuse_purpose(purpose: Purpose, place: str, policy: Policy) -> None:
    _refuse_unknown(f"{place}.channels", purpose.channels, policy.channels)
    _refuse_unknown(f"{place}.address_scoped", purpose.address_scoped, purpose.channels)
    for channel in purpose.address_scoped:
        if policy.channels[channel].point is None:
            fix = f"remove it, or give channels.{channel} a point"
            raise refuse(f"{place}.address_scoped", f"{channel} has no address", fix=fix)
    if purpose.direct_marketing is not (purpose.category is Category.MARKETING):
        fix = 'write direct_marketing = true and category = "MARKETING" together, or neither'
        raise refuse(f"{place}.category", "does not agree with direct_marketing", fix=fix)
    if purpose.assessment is not None:
        _refuse_unknown(f"{place}.assessment", (purpose.assessment,), policy.assessments)
    bases = {one.basis for one in purpose.assignments}
    if LawfulBasis.LEGITIMATE_INTEREST in bases and purpose.assessment is None:
        fix = "name an assessment: legitimate interests need an approved one"
        raise refuse(f"{place}.assessment", "is missing", fix=fix)
    for first, second in combinations(purpose.assignments, 2):
        if _overlap(first, second):
            whom = f"{first.jurisdiction}, {first.subject_class}"
            fix = "end the first with effective_to before the second begins"
            raise refuse(f"{place}.assignments", f"there are two for ({whom}) at once", fix=fix)


def _refuse_unknown(place: str, named: Iterable[str], known: Collection[str]) -> None:
    for one in named:
        if one not in known:
            fix = f"use one of: {', '.join(sorted(known))}"
            raise refuse(place, f'"{one}" is not known', fix=fix)


def _overlap(first: Assignment, second: Assignment) -> bool:
    return (
        (first.jurisdiction, first.subject_class) == (second.jurisdiction, second.subject_class)
        and (first.effective_to is None or second.effective_from < first.effective_to)
        and (second.effective_to is None or first.effective_from < second.effective_to)
    )
