"""What a policy is made of: purposes, bases, channels, notices, assessments and limits as values."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from salesforce_bridge.permissions.bases import LawfulBasis
from salesforce_bridge.permissions.contact_points import PointType
from salesforce_bridge.permissions.evidence import Grade, Trust
from salesforce_bridge.permissions.keys import Channel, ControllerKey, PurposeKey, Use
from salesforce_bridge.permissions.laws import (
    UNKNOWN,
    ChannelLaw,
    Profile,
    Trigger,
    strictest,
)

__all__ = [
    "Assessment",
    "Assignment",
    "Category",
    "ChannelLaw",
    "ChannelRule",
    "ExpiryRule",
    "Involvement",
    "Limits",
    "Notice",
    "Policy",
    "Profile",
    "ProofRule",
    "Purpose",
    "PurposeStatus",
    "SurgeRule",
    "Trigger",
]


class Category(StrEnum):
    """What kind of message a purpose sends; fixed by the registry of templates, never by the sender."""

    MARKETING = "MARKETING"
    SERVICE = "SERVICE"
    CORRESPONDENCE = "CORRESPONDENCE"
    LEGAL_NOTICE = "LEGAL_NOTICE"
    CLAIMS = "CLAIMS"
    VITAL = "VITAL"


class PurposeStatus(StrEnum):
    """Whether a purpose may be relied on."""

    DRAFT = "DRAFT"
    LIVE = "LIVE"
    RETIRED = "RETIRED"


class Involvement(StrEnum):
    """What a purpose does with data that a person can object to by itself."""

    PROFILING = "PROFILING"
    TRACKING = "TRACKING"
    GEOLOCATION = "GEOLOCATION"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpiryRule:
    """When a permission ends by itself, and when somebody is told before."""

    jurisdiction: str  # "*" is any
    max_age: timedelta | None
    renew_before: tuple[timedelta, ...]  # prompts, the earliest first
    grace: timedelta  # to say yes again after a material change of the notice
    trigger: Trigger = Trigger.AGE


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofRule:
    """What a kind of machine-checkable proof is worth."""

    kind: str
    trust: Trust
    grade: Grade


@dataclass(frozen=True, slots=True, kw_only=True)
class SurgeRule:
    """From when on many widening or blanking edits are a mass change: `floor` and (`share` or `ceiling`)."""

    floor: int = 50
    share: float = 0.02
    ceiling: int = 500
    window: timedelta = timedelta(hours=1)
    bulk_authors: tuple[str, ...] = ()  # Salesforce users whose every such edit counts as one


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelRule:
    """How a channel reaches a person, and which standard Salesforce flag closes it."""

    channel: Channel
    label: str  # in words for people: "E-mail"
    point: PointType | None  # None: it is not addressed by an e-mail address or phone number
    flag: str | None  # HasOptedOutOfEmail, HasOptedOutOfFax, DoNotCall


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """The one lawful basis of a purpose for a jurisdiction and a class of people ("*" is any)."""

    jurisdiction: str
    subject_class: str
    basis: LawfulBasis
    effective_from: datetime
    effective_to: datetime | None = None
    art9_condition: str | None = None  # of Art. 9(2), for special categories of data
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Purpose:
    """What personal data is used for, in one version of its wording."""

    key: PurposeKey
    version: int
    status: PurposeStatus
    title: str
    plain_text: str
    direct_marketing: bool
    category: Category
    channels: tuple[Channel, ...]
    visible: bool  # a row exists in Salesforce for each of its channels, decided or not
    assignments: tuple[Assignment, ...]
    required_grade: Grade
    address_scoped: tuple[Channel, ...]  # a grant on these channels holds for one address only
    max_age: timedelta | None  # a consent older than this has expired
    assessment: str | None = None  # key of the legitimate-interest assessment it rests on
    special_category: bool = False  # health, belief and the like, Art. 9
    involves: tuple[Involvement, ...] = ()
    successor: PurposeKey | None = None  # of a retired purpose; a stop goes on to it
    expiry: tuple[ExpiryRule, ...] = ()
    product_families: tuple[str, ...] = ()  # "similar products", for the soft opt-in
    renewal_campaign: str | None = None  # id of a Campaign that people to be prompted are added to
    dpv_purpose: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A text that people were shown; evidence points at it."""

    id: str
    kind: str  # CONSENT, PRIVACY, LIA_SUMMARY
    version: int
    language: str
    sha256: str
    published_at: datetime
    purposes: tuple[PurposeKey, ...]
    superseded_at: datetime | None = None
    supersedes: str | None = None
    material: bool = False  # people who agreed to the one before have to be asked again
    uri: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """A legitimate-interest assessment: without an approved one in date the basis is not in force."""

    key: str
    approved_by: str
    approved_at: datetime
    review_due: datetime
    version: int = 1
    purpose_test: str = ""
    necessity_test: str = ""
    balancing_test: str = ""
    outcome: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much one plan may change before a person has to look; stops are never counted."""

    loosen_max: int
    change_max: int  # writes other than stops, once more than `change_from` contacts are known
    change_share: float
    change_from: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The whole bundle that decisions are made under."""

    version: str
    digest: str  # SHA-256 of its canonical form
    controller: ControllerKey
    controller_name: str
    headline: PurposeKey
    default_country: str  # ISO code for numbers and addresses that name none
    jurisdictions: Mapping[
        str, str
    ]  # a country as people type it, folded in case: its jurisdiction
    request_lapses_after: timedelta
    channels: Mapping[Channel, ChannelRule]
    purposes: Mapping[PurposeKey, Purpose]
    notices: Mapping[str, Notice]
    assessments: Mapping[str, Assessment]
    limits: Limits
    profiles: Mapping[str, Profile] = field(default_factory=dict)
    proofs: Mapping[str, ProofRule] = field(default_factory=dict)
    surge: SurgeRule = SurgeRule()
    direct_authors: tuple[str, ...] = ()  # Salesforce users through whom people speak themselves
    quarantine_lasts: timedelta = timedelta(days=30)
    review_notice: timedelta = timedelta(days=30)  # before an assessment or contract is due
    # Looked up for every key of every person, so worked out once.
    uses: tuple[Use, ...] = field(init=False, repr=False, compare=False)
    known: Mapping[tuple[str, str], Use] = field(init=False, repr=False, compare=False)
    # every known use by how a ledger key names it: `<purpose>:<channel>`
    named: Mapping[str, Use] = field(init=False, repr=False, compare=False)
    # those that are told about everybody: those with a row, and those a Contact itself speaks of
    told: tuple[Use, ...] = field(init=False, repr=False, compare=False)
    told_in_order: tuple[Use, ...] = field(init=False, repr=False, compare=False)
    shown: tuple[Use, ...] = field(init=False, repr=False, compare=False)  # on a Contact itself
    advertised: tuple[Use, ...] = field(init=False, repr=False, compare=False)  # all marketing
    closed_by: Mapping[str, tuple[Channel, ...]] = field(
        init=False, repr=False, compare=False
    )  # the channels that a flag closes, in order
    assigned: Mapping[PurposeKey, tuple[Assignment, ...]] = field(
        init=False, repr=False, compare=False
    )
    unknown: Profile = field(init=False, repr=False, compare=False)  # the law of an unknown place
    switches: Mapping[PurposeKey, tuple[datetime, ...]] = field(
        init=False, repr=False, compare=False
    )  # when the policy itself says something else about a purpose, in order

    def __post_init__(self) -> None:
        narrowest_first = {
            key: tuple(sorted(purpose.assignments, key=_width))
            for key, purpose in self.purposes.items()
        }
        for name, found in _uses(self).items():
            object.__setattr__(self, name, found)
        closed_by = {
            rule.flag: tuple(c for c, r in sorted(self.channels.items()) if r.flag == rule.flag)
            for rule in self.channels.values()
            if rule.flag is not None
        }
        object.__setattr__(self, "closed_by", closed_by)
        object.__setattr__(self, "assigned", narrowest_first)
        object.__setattr__(self, "unknown", _unknown(self.profiles))
        switches = {key: _switches(purpose, self) for key, purpose in self.purposes.items()}
        object.__setattr__(self, "switches", switches)


def _uses(policy: Policy) -> Mapping[str, object]:
    """Name the uses that are looked up for every key of every person; each is one value, wherever it is."""
    known = {
        (purpose, channel): Use(purpose=purpose, channel=channel)
        for purpose in policy.purposes
        for channel in policy.channels
    }

    def of(purpose: Purpose) -> tuple[Use, ...]:
        return tuple(
            known.get((purpose.key, each)) or Use(purpose=purpose.key, channel=each)
            for each in purpose.channels
        )

    purposes = policy.purposes.values()
    visible = tuple(use for each in purposes if each.visible for use in of(each))
    headline = policy.purposes.get(policy.headline)
    shown = of(headline) if headline is not None else ()
    told = visible if headline is not None and headline.visible else (*visible, *shown)
    return {
        "uses": visible,
        "known": known,
        # A key has three parts, so what has a colon in it can be named by none.
        "named": {
            f"{purpose}:{channel}": use
            for (purpose, channel), use in known.items()
            if ":" not in purpose and ":" not in channel
        },
        "advertised": tuple(use for each in purposes if each.direct_marketing for use in of(each)),
        "shown": shown,
        "told": told,
        "told_in_order": tuple(sorted(set(told))),
    }


def _width(assignment: Assignment) -> tuple[bool, bool]:
    return assignment.jurisdiction == "*", assignment.subject_class == "*"


def _unknown(profiles: Mapping[str, Profile]) -> Profile:
    """Join all profiles: somebody whose place is unknown may live in any of them."""
    joined = strictest(tuple(profiles[key] for key in sorted(profiles)))
    own = profiles.get(UNKNOWN)
    if own is None:
        return joined
    # To keep proof for longer than anybody asked does not make a place any stricter.
    return replace(
        joined,
        dnc_register=own.dnc_register,
        evidence_retention=own.evidence_retention,
        suppression_retention=own.suppression_retention,
        confirmed_by=own.confirmed_by,
        version=own.version,
    )


def _switches(purpose: Purpose, policy: Policy) -> tuple[datetime, ...]:
    moments = {each.effective_from for each in purpose.assignments}
    moments |= {each.effective_to for each in purpose.assignments if each.effective_to is not None}
    assessment = policy.assessments.get(purpose.assessment or "")
    if assessment is not None:
        moments |= {assessment.approved_at, assessment.review_due}
    return tuple(sorted(moments))
