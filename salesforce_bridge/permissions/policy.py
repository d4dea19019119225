"""The policy: read strictly from its text, given a digest, and asked for bases, uses and notices."""

import tomllib
from dataclasses import replace
from datetime import datetime

from salesforce_bridge.permissions.bases import LawfulBasis
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
from salesforce_bridge.permissions.keys import Channel, ControllerKey, PurposeKey, Use
from salesforce_bridge.permissions.policy_fit import MARKETING_BASES, misfits
from salesforce_bridge.permissions.policy_meaning import digest_of
from salesforce_bridge.permissions.policy_parts import (
    assessment_of,
    channel_of,
    country_of,
    jurisdictions_of,
    limits_of,
    notices_of,
    purpose_of,
)
from salesforce_bridge.permissions.profile_parts import profile_from, proof_rule_of, surge_of
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
    "assignment_in",
    "basis_for",
    "marketing_on_wrong_basis",
    "notice_was_published",
    "parse_policy",
    "read_policy",
    "visible_uses",
]


def parse_policy(text: str) -> Policy:
    """Read a policy strictly: what it says is meant, and what is not understood is refused by name."""
    policy = read_policy(text)
    for misfit in misfits(policy):
        raise refuse(misfit.place, misfit.what, fix=misfit.fix)
    return policy


def read_policy(text: str) -> Policy:
    """Read a policy without asking whether its parts fit each other: for somebody who wants to hear it all."""
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
        default_country=country_of(root),
        jurisdictions=jurisdictions_of(root),
        request_lapses_after=root.span("request_lapses_after", "30d"),
        channels={Channel(k): channel_of(k, table) for k, table in root.tables("channels")},
        purposes={PurposeKey(k): purpose_of(k, table) for k, table in root.tables("purposes")},
        notices=notices_of(root),
        assessments={k: assessment_of(k, table) for k, table in root.tables("assessments")},
        limits=limits_of(root.table("limits")),
        profiles={k: profile_from(k, table) for k, table in root.tables("profiles")},
        proofs={k: proof_rule_of(k, table) for k, table in root.tables("proofs")},
        surge=surge_of(root),
        direct_authors=root.texts("direct_authors", ()),
        quarantine_lasts=root.span("quarantine_lasts", "30d"),
        review_notice=root.span("review_notice", "30d"),
    )
    root.close()
    return replace(policy, digest=digest_of(policy))


def basis_for(
    policy: Policy, purpose: PurposeKey, jurisdiction: str, subject_class: str, *, at: datetime
) -> LawfulBasis | None:
    """Give the one lawful basis a purpose rests on for such a person."""
    assignment = assignment_in(policy, purpose, jurisdiction, subject_class, at=at)
    return None if assignment is None else assignment.basis


def assignment_in(
    policy: Policy, purpose: PurposeKey, jurisdiction: str, subject_class: str, *, at: datetime
) -> Assignment | None:
    """Give what a purpose may rest on for such a person; the narrowest assignment wins."""
    for one in policy.assigned.get(purpose, ()):
        if (
            one.jurisdiction in (jurisdiction, "*")
            and one.subject_class in (subject_class, "*")
            and one.effective_from <= at
            and (one.effective_to is None or at < one.effective_to)
        ):
            return one
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
        and any(one.basis not in MARKETING_BASES for one in purpose.assignments)
    )
