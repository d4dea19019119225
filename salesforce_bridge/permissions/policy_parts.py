"""The parts of a policy, read from their tables: channels, purposes, notices, assessments, limits."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType

from salesforce_bridge.permissions.bases import LawfulBasis
from salesforce_bridge.permissions.bundle import (
    Assessment,
    Assignment,
    Category,
    ChannelRule,
    ExpiryRule,
    Involvement,
    Limits,
    Notice,
    Purpose,
    PurposeStatus,
    Trigger,
)
from salesforce_bridge.permissions.contact_points import PointType
from salesforce_bridge.permissions.evidence import DEFAULT_GRADE, Grade
from salesforce_bridge.permissions.keys import Channel, PurposeKey
from salesforce_bridge.permissions.tables import Table, refuse


def country_of(root: Table) -> str:
    """Read the country that counts for numbers and addresses that name none."""
    country = root.text("default_country")
    if len(country) != 2 or not country.isascii() or not country.isupper():  # noqa: PLR2004 - ISO 3166 alpha-2
        raise refuse("default_country", f'"{country}" is no country', fix='write for instance "GB"')
    return country


def jurisdictions_of(root: Table) -> Mapping[str, str]:
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


def channel_of(key: str, table: Table) -> ChannelRule:
    """Read how a channel reaches a person."""
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


def purpose_of(key: str, table: Table) -> Purpose:
    """Read what data is used for, and on which terms."""
    marketing = table.yes("direct_marketing", default=False)
    successor = table.text_or_none("successor")
    purpose = Purpose(
        key=PurposeKey(key),
        version=table.number("version", least=1),
        status=table.choice("status", PurposeStatus),
        title=table.text("title"),
        plain_text=table.text("plain_text"),
        direct_marketing=marketing,
        category=table.choice("category", Category),
        channels=tuple(Channel(one) for one in table.texts("channels")),
        visible=table.yes("visible", default=marketing),
        assignments=tuple(_assignment(one) for one in table.listed("assignments")),
        required_grade=table.choice("required_grade", Grade, DEFAULT_GRADE),
        address_scoped=tuple(Channel(one) for one in table.texts("address_scoped", ())),
        max_age=table.span_or_none("max_age"),
        assessment=table.text_or_none("assessment"),
        special_category=table.yes("special_category", default=False),
        involves=table.choices("involves", Involvement),
        successor=None if successor is None else PurposeKey(successor),
        expiry=tuple(_expiry_rule(one) for one in table.listed("expiry", ())),
        product_families=table.texts("product_families", ()),
        renewal_campaign=table.text_or_none("renewal_campaign"),
        dpv_purpose=table.text_or_none("dpv_purpose"),
    )
    table.close()
    return purpose


def notices_of(root: Table) -> Mapping[str, Notice]:
    """Read the texts that people were shown; one that another supersedes ends on the day the other begins."""
    notices = {key: _notice(key, table) for key, table in root.tables("notices")}
    ends: dict[str, datetime] = {}
    for newer in notices.values():
        if newer.supersedes is not None and newer.supersedes != newer.id:
            known = ends.get(newer.supersedes, newer.published_at)
            ends[newer.supersedes] = min(known, newer.published_at)
    return {
        key: notice
        if notice.superseded_at is not None
        else replace(notice, superseded_at=ends.get(key))
        for key, notice in notices.items()
    }


def assessment_of(key: str, table: Table) -> Assessment:
    """Read a legitimate-interest assessment."""
    assessment = Assessment(
        key=key,
        approved_by=table.text("approved_by"),
        approved_at=table.moment("approved_at"),
        review_due=table.moment("review_due"),
        version=table.number("version", 1, least=1),
        purpose_test=table.text_or_none("purpose_test") or "",
        necessity_test=table.text_or_none("necessity_test") or "",
        balancing_test=table.text_or_none("balancing_test") or "",
        outcome=table.text_or_none("outcome") or "",
    )
    table.close()
    return assessment


def limits_of(table: Table) -> Limits:
    """Read how much one plan may change before a person has to look."""
    limits = Limits(
        loosen_max=table.number("loosen_max"),
        change_max=table.number("change_max"),
        change_share=table.share("change_share"),
        change_from=table.number("change_from"),
    )
    table.close()
    return limits


_FLAGS = ("HasOptedOutOfEmail", "HasOptedOutOfFax", "DoNotCall")


def _assignment(table: Table) -> Assignment:
    assignment = Assignment(
        jurisdiction=table.text("jurisdiction", "*"),
        subject_class=table.text("subject_class", "*"),
        basis=table.choice("basis", LawfulBasis),
        effective_from=table.moment("effective_from"),
        effective_to=table.moment_or_none("effective_to"),
        art9_condition=table.text_or_none("art9_condition"),
        reason=table.text_or_none("reason"),
    )
    table.close()
    return assignment


def _expiry_rule(table: Table) -> ExpiryRule:
    rule = ExpiryRule(
        jurisdiction=table.text("jurisdiction", "*"),
        max_age=table.span_or_none("max_age"),
        renew_before=table.spans("renew_before"),
        grace=table.span("grace", "30d"),
        trigger=table.choice("trigger", Trigger, Trigger.AGE),
    )
    table.close()
    return rule


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
        supersedes=table.text_or_none("supersedes"),
        material=table.yes("material", default=False),
        uri=table.text_or_none("uri"),
    )
    table.close()
    return notice
