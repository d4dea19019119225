"""What a policy is made of: purposes, bases, channels, notices, assessments and limits as values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from salesforce_bridge.permissions.bases import LawfulBasis
from salesforce_bridge.permissions.contact_points import PointType
from salesforce_bridge.permissions.evidence import Grade
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """A legitimate-interest assessment: without an approved one in date the basis is not in force."""

    key: str
    approved_by: str
    approved_at: datetime
    review_due: datetime


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
