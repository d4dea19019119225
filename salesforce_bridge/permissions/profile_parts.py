"""The parts of a policy that are about places and proof: profiles, kinds of proof, surges."""

from collections.abc import Mapping
from enum import Enum
from typing import TypeVar

from salesforce_bridge.permissions.bundle import ChannelLaw, Profile, ProofRule, SurgeRule, Trigger
from salesforce_bridge.permissions.evidence import Grade, Trust
from salesforce_bridge.permissions.keys import Channel
from salesforce_bridge.permissions.laws import ANY_CLASS, SUBJECT_CLASSES
from salesforce_bridge.permissions.tables import Table, refuse

E = TypeVar("E", bound=Enum)


def profile_from(key: str, table: Table) -> Profile:
    """Read the law of one jurisdiction; what it leaves out counts at its strictest."""
    profile = Profile(
        key=key,
        version=table.number("version", least=1),
        rules=_by_channel(table, "rules", ChannelLaw),
        grades=_by_channel(table, "grades", Grade),
        double_opt_in_required=table.yes("double_opt_in_required", default=False),
        max_consent_age=table.span_or_none("max_consent_age"),
        dnc_register=table.text_or_none("dnc_register"),
        stop_deadline=table.span("stop_deadline", "15m"),
        reply_months=table.number("reply_months", 1, least=1),
        extension_months=table.number("extension_months", 2),
        evidence_retention=table.span("evidence_retention", "2192d"),
        suppression_retention=table.span_or_none("suppression_retention"),
        confirmed_by=table.text_or_none("confirmed_by"),
        age_counts_from=table.choice("age_counts_from", Trigger, Trigger.AGE),
        renew_before=table.spans("renew_before"),
    )
    table.close()
    return profile


def proof_rule_of(kind: str, table: Table) -> ProofRule:
    """Read what a kind of machine-checkable proof is worth."""
    rule = ProofRule(
        kind=kind, trust=table.choice("trust", Trust), grade=table.choice("grade", Grade)
    )
    table.close()
    return rule


def surge_of(root: Table) -> SurgeRule:
    """Read from when on many edits are a mass change."""
    if "surge" not in root:
        return SurgeRule()
    table, usual = root.table("surge"), SurgeRule()
    rule = SurgeRule(
        floor=table.number("floor", usual.floor, least=1),
        share=table.share("share", usual.share),
        ceiling=table.number("ceiling", usual.ceiling, least=1),
        window=table.span("window", "1h"),
        bulk_authors=table.texts("bulk_authors", ()),
    )
    table.close()
    return rule


def _by_channel(table: Table, key: str, choices: type[E]) -> Mapping[Channel, Mapping[str, E]]:
    """Read `EMAIL = "…"` for everybody, or `EMAIL = { CONSUMER = "…", BUSINESS = "…" }` by class of people."""
    if key not in table:
        return {}
    rules = table.table(key)
    return {Channel(each): _by_class(rules, each, choices) for each in rules.keys()}  # noqa: SIM118 - a table of ours, not a dict


def _by_class(rules: Table, channel: str, choices: type[E]) -> Mapping[str, E]:
    if rules.holds_text(channel):
        return {ANY_CLASS: rules.choice(channel, choices)}
    classes = rules.table(channel)
    known = (*SUBJECT_CLASSES, ANY_CLASS)
    for each in classes.keys():  # noqa: SIM118 - a table of ours, not a dict
        if each not in known:
            fix = f"use one of: {', '.join(known)}"
            raise refuse(classes.at(each), f'"{each}" is no class of people', fix=fix)
    return {each: classes.choice(each, choices) for each in classes.keys()}  # noqa: SIM118 - see above
