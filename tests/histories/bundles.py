"""Policies that one history moves through: the one that ships, with what a controller may change about it."""

from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache

from salesforce_bridge.permissions.policy import Policy, parse_policy
from tests.support.orgs import ROOT

SHIPPED = (ROOT / "config" / "policy.toml").read_text("utf-8")
NEWS, EVENTS, RESEARCH = "direct_marketing", "events", "product_research"
SERVICE, STATUTORY = "service_messages", "statutory_notices"
FIRST_NOTICE = "consent-en-1"

_EVENTS = """
[purposes.events]
version = 1
status = "{status}"
title = "Invitations"
plain_text = "We invite you to what we think you would like."
direct_marketing = true
category = "MARKETING"
channels = ["EMAIL"]
required_grade = "B"
address_scoped = ["EMAIL"]
max_age = "365d"
involves = ["PROFILING"]
{successor}

[[purposes.events.assignments]]
basis = "CONSENT"
effective_from = 2026-01-01
"""
_NOTICE = """
[notices.{name}]
kind = "CONSENT"
version = {version}
language = "en"
sha256 = "94d8b83e2398aceaf9b9d98909ab5822987af47924c700f2f2b856bbc6723ed8"
published_at = {published}
purposes = ["direct_marketing", "events"]
supersedes = "{supersedes}"
material = {material}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewNotice:
    """A text that took the place of the one before."""

    name: str
    published_at: datetime
    material: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """All that a history may have changed about the policy."""

    number: int = 1
    notices: tuple[NewNotice, ...] = ()
    events_retired: bool = False
    research_by_consent: bool = False
    strict_uk: bool = False
    tight_limits: bool = False
    floor: int = 50  # of edits that are a mass change
    max_age_days: int = 730

    def notice_at(self, moment: datetime) -> str:
        """Which text people were shown at a moment."""
        shown = [each.name for each in self.notices if each.published_at <= moment]
        return shown[-1] if shown else FIRST_NOTICE

    def with_notice(self, at: datetime, *, material: bool) -> "Bundle":
        """The same with a newer text of the consent."""
        name = f"consent-en-{len(self.notices) + 2}"
        new = NewNotice(name=name, published_at=at.replace(microsecond=0), material=material)
        return replace(self, notices=(*self.notices, new))


MARKETING = frozenset({NEWS, EVENTS})


@lru_cache(maxsize=256)
def text_of(bundle: Bundle) -> str:
    """A bundle as its file would say it."""
    text = SHIPPED
    for line, other in (
        ('version = "2026-01"', f'version = "2026-{bundle.number:02d}"'),
        ("floor = 50", f"floor = {bundle.floor}"),
        ("loosen_max = 500", f"loosen_max = {1 if bundle.tight_limits else 500}"),
        ('max_age = "730d"\ndpv', f'max_age = "{bundle.max_age_days}d"\ndpv'),
        (
            'basis = "LEGITIMATE_INTEREST"',
            f'basis = "{"CONSENT" if bundle.research_by_consent else "LEGITIMATE_INTEREST"}"',
        ),
        (
            'dnc_register = "TPS"\nmax_consent_age = "730d"',
            f'dnc_register = "TPS"\nmax_consent_age = "{180 if bundle.strict_uk else 730}d"',
        ),
        ('purposes = ["direct_marketing"]', 'purposes = ["direct_marketing", "events"]'),
    ):
        assert line in text, f"the shipped policy no longer says {line!r}"
        text = text.replace(line, other, 1)
    successor = f'successor = "{NEWS}"' if bundle.events_retired else ""
    text += _EVENTS.format(
        status="RETIRED" if bundle.events_retired else "LIVE", successor=successor
    )
    before = FIRST_NOTICE
    for place, notice in enumerate(bundle.notices):
        text += _NOTICE.format(
            name=notice.name,
            version=place + 2,
            published=notice.published_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            supersedes=before,
            material=str(notice.material).lower(),
        )
        before = notice.name
    return text


@lru_cache(maxsize=256)
def policy_of(bundle: Bundle) -> Policy:
    """A bundle as the bridge reads it."""
    return parse_policy(text_of(bundle))
