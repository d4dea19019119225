"""What a policy is made of: purposes, bases, channels, notices, assessments and limits as values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from salesforce_bridge.permissions.bases import LawfulBasis
from salesforce_bridge.permissions.contact_points import PointType
from salesforce_bridge.permissions.evidence import Grade, Trust
from salesforce_bridge.permissions.keys import Channel, ControllerKey, PurposeKey, Use


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


class ChannelLaw(StrEnum):
    """What the law of a place asks before marketing goes out on a channel."""

    PRIOR_CONSENT = "PRIOR_CONSENT"
    SOFT_OPT_IN = "SOFT_OPT_IN"  # a consent, or a sale with all its facts
    OPT_OUT = "OPT_OUT"  # any basis in force, until the person objects
    NONE = "NONE"


class Involvement(StrEnum):
    """What a purpose does with data that a person can object to by itself."""

    PROFILING = "PROFILING"
    TRACKING = "TRACKING"
    GEOLOCATION = "GEOLOCATION"


class Trigger(StrEnum):
    """From which moment the age of a permission counts."""

    AGE = "AGE"  # the yes itself
    LAST_ACTIVE = "LAST_ACTIVE"  # the last thing the person did
    EVENT = "EVENT"  # the end of the contract or relationship


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpiryRule:
    """When a permission ends by itself, and when somebody is told before."""

    jurisdiction: str  # "*" is any
    max_age: timedelta | None
    renew_before: tuple[timedelta, ...]  # prompts, the earliest first
    grace: timedelta  # to say yes again after a material change of the notice
    trigger: Trigger = Trigger.AGE


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """The law of one jurisdiction, as far as it is data; a starting value until counsel has confirmed it."""

    key: str
    version: int
    rules: Mapping[Channel, Mapping[str, ChannelLaw]]  # by channel, then class of people or "*"
    grades: Mapping[
        Channel, Mapping[str, Grade]
    ]  # the least proof, where more than the purpose asks
    double_opt_in_required: bool
    max_consent_age: timedelta | None
    dnc_register: str | None
    stop_deadline: timedelta
    reply_months: int  # to answer a request, Art. 12(3)
    extension_months: int
    evidence_retention: timedelta
    suppression_retention: timedelta | None  # None: while the controller markets
    confirmed_by: str | None  # the counsel who confirmed it


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


def _width(assignment: Assignment) -> tuple[bool, bool]:
    return assignment.jurisdiction == "*", assignment.subject_class == "*"
