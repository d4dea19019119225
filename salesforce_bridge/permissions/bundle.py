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
    assigned: Mapping[PurposeKey, tuple[Assignment, ...]] = field(
        init=False, repr=False, compare=False
    )
    unknown: Profile = field(init=False, repr=False, compare=False)  # the law of an unknown place
    switches: Mapping[PurposeKey, tuple[datetime, ...]] = field(
        init=False, repr=False, compare=False
    )  # when the policy itself says something else about a purpose, in order

    def __post_init__(self) -> None:
        visible = tuple(
            Use(purpose=purpose.key, channel=channel)
            for purpose in self.purposes.values()
            if purpose.visible
            for channel in purpose.channels
        )
        narrowest_first = {
            key: tuple(sorted(purpose.assignments, key=_width))
            for key, purpose in self.purposes.items()
        }
        object.__setattr__(self, "uses", visible)
        object.__setattr__(self, "assigned", narrowest_first)
        object.__setattr__(self, "unknown", _unknown(self.profiles))
        switches = {key: _switches(purpose, self) for key, purpose in self.purposes.items()}
        object.__setattr__(self, "switches", switches)


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
