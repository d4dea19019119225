"""Small facts for tests: everything has a sensible value, and a test names only what matters to it."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from salesforce_bridge.permissions.bases import LawfulBasis
from salesforce_bridge.permissions.contact_points import ContactPoint, PointType
from salesforce_bridge.permissions.events import ActorKind, EventKind, PermissionEvent
from salesforce_bridge.permissions.evidence import Grade, Trust
from salesforce_bridge.permissions.keys import (
    Channel,
    ContactId,
    ControllerKey,
    OrgId,
    PurposeKey,
    RowId,
    SubjectId,
    Use,
)
from salesforce_bridge.permissions.policy import Policy, parse_policy
from salesforce_bridge.reconcile.facts import (
    ContactFields,
    ContactSnapshot,
    Link,
    RowFields,
    RowSnapshot,
)
from salesforce_bridge.reconcile.intent import Decision, Lane, NewSubject, Plan, Target, Verb, Write

ORG = OrgId("00D000000000001EAA")
NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
NEWS = PurposeKey("direct_marketing")
EMAIL = Channel("EMAIL")
NEWS_BY_EMAIL = Use(purpose=NEWS, channel=EMAIL)


def contact_id(number: int) -> ContactId:
    """A Contact's id."""
    return ContactId(f"003{number:012d}AAA")


def row_id(number: int) -> RowId:
    """A permission row's id."""
    return RowId(f"a00{number:012d}AAA")


def subject_id(number: int) -> SubjectId:
    """A person's id."""
    return SubjectId(str(uuid5(NAMESPACE_URL, f"subject {number}")))


POLICY_TEXT = """
version = "2026-01"
controller = "example"
controller_name = "Example Ltd"
headline = "direct_marketing"
default_country = "DE"
request_lapses_after = "30d"

[channels.EMAIL]
label = "E-mail"
point = "EMAIL"
flag = "HasOptedOutOfEmail"

[channels.POST]
label = "Post"

[jurisdictions]
DE = ["Germany"]

[purposes.direct_marketing]
version = 1
status = "LIVE"
title = "News"
plain_text = "We send you news."
direct_marketing = true
category = "MARKETING"
channels = ["EMAIL", "POST"]
required_grade = "B"
address_scoped = ["EMAIL"]
max_age = "730d"

[[purposes.direct_marketing.assignments]]
basis = "CONSENT"
effective_from = 2020-01-01

[purposes.service_messages]
version = 1
status = "LIVE"
title = "Messages about your contract"
plain_text = "We send you what you need to use what you bought."
category = "SERVICE"
channels = ["EMAIL"]

[[purposes.service_messages.assignments]]
basis = "CONTRACT"
effective_from = 2020-01-01

[notices.news-1]
kind = "CONSENT"
version = 1
language = "en"
sha256 = "0000000000000000000000000000000000000000000000000000000000000000"
published_at = 2020-01-01
purposes = ["direct_marketing"]

[limits]
loosen_max = 200
change_max = 1000
change_share = 0.2
change_from = 100
"""


def a_policy() -> Policy:
    """A policy for news under consent and for service messages under contract."""
    return parse_policy(POLICY_TEXT)


def an_event(kind: EventKind, *, subject: int = 1, **changes: Any) -> PermissionEvent:
    """An event told by the person, with the best proof."""
    parts: dict[str, Any] = {
        "subject_id": subject_id(subject),
        "controller": ControllerKey("example"),
        "use": NEWS_BY_EMAIL,
        "kind": kind,
        "basis": LawfulBasis.CONSENT,
        "happened_at": NOON - timedelta(days=10),
        "actor": ActorKind.PERSON,
        "actor_ref": None,
        "trust": Trust.SUBJECT_DIRECT,
        "grade": Grade.A,
        "reason": f"TOLD_{kind.value}",
        "purpose_version": 1,
        "policy_version": "2026-01",
        "marketing": True,
        "notice_id": "news-1",
        **changes,
    }
    parts.setdefault("id", str(uuid5(NAMESPACE_URL, repr(sorted(parts.items(), key=str)))))
    return PermissionEvent(**parts)


def a_point(text: str = "ann@example.org", **changes: Any) -> ContactPoint:
    """A contact point; not hashed as the real ones are, but as unlike the address."""
    wide = uuid5(NAMESPACE_URL, text.lower()).hex * 2
    parts: dict[str, Any] = {
        "type": PointType.EMAIL,
        "hmac": wide,
        "exact": uuid5(NAMESPACE_URL, text).hex * 2,
        "key_version": 1,
    }
    return ContactPoint(**{**parts, **changes})


def a_contact(number: int = 1, **changes: Any) -> ContactSnapshot:
    """A Contact as read."""
    parts: dict[str, Any] = {
        "contact_id": contact_id(number),
        "modstamp": NOON - timedelta(hours=1),
        "deleted": False,
        "master_id": None,
        "points": (a_point(f"person{number}@example.org"),),
        "country": "Germany",
        "opted_out_of_email": False,
        "opted_out_of_fax": False,
        "do_not_call": False,
        "fields": ContactFields(),
        "modified_by": "005000000000001AAA",
    }
    return ContactSnapshot(**{**parts, **changes})


def a_row(number: int = 1, *, contact: int | None = None, **changes: Any) -> RowSnapshot:
    """A permission row as read."""
    parts: dict[str, Any] = {
        "row_id": row_id(number),
        "modstamp": NOON - timedelta(hours=1),
        "deleted": False,
        "fields": RowFields(
            contact_id=contact_id(contact or number),
            purpose=NEWS,
            channel=EMAIL,
            marketing=True,
            consent_status="Not asked",
            effective_from=NOON - timedelta(days=3),
        ),
        "request": None,
        "request_note": None,
        "request_evidence": None,
        "request_handled": None,
    }
    return RowSnapshot(**{**parts, **changes})


def a_link(number: int = 1, *, subject: int | None = None, **changes: Any) -> Link:
    """That a Contact is the person of the same number."""
    parts: dict[str, Any] = {
        "subject_id": subject_id(subject or number),
        "org_id": ORG,
        "contact_id": contact_id(number),
        "state": "ACTIVE",
    }
    return Link(**{**parts, **changes})


def a_person(number: int = 1) -> NewSubject:
    """A person to be met."""
    return NewSubject(
        subject_id=subject_id(number), jurisdiction="UNKNOWN", subject_class="CONSUMER"
    )


def a_decision(number: int = 1, **changes: Any) -> Decision:
    """A decision that keeps everything as it is."""
    parts: dict[str, Any] = {
        "id": str(uuid5(NAMESPACE_URL, f"decision {number}")),
        "situation": "S01",
        "reason": "FIRST_SEEN_NOT_ASKED",
        "effect": "KEEP",
        "severity": "NOTE",
        "queue": None,
        "ledger_class": "L0",
        "subject_id": subject_id(number),
        "contact_id": contact_id(number),
        "row_id": None,
        "use": NEWS_BY_EMAIL,
        "basis": "Consent",
        "status_before": "Not asked",
        "status_after": "Not asked",
        "observed": {"consent_status": (None, "Not asked")},
        "gates_failed": ("G2",),
        "event_ids": (),
        "candidate_id": None,
        "source_actor": "005000000000001AAA",
        "source_stamp": NOON - timedelta(hours=1),
        "explanation": "Nothing is known about this person yet.",
    }
    return Decision(**{**parts, **changes})


def a_write(number: int = 1, **changes: Any) -> Write:
    """A write that stops on a Contact."""
    parts: dict[str, Any] = {
        "id": str(uuid5(NAMESPACE_URL, f"write {number} {sorted(changes.items(), key=str)}")),
        "lane": Lane.TIGHTEN,
        "verb": Verb.UPDATE,
        "target": Target.CONTACT,
        "contact_id": contact_id(number),
        "record_id": contact_id(number),
        "ledger_key": None,
        "fields": {"consent_status": "Not asked", "valid_until": NOON + timedelta(days=5)},
        "decision_id": str(uuid5(NAMESPACE_URL, f"decision {number}")),
        "subject_id": subject_id(number),
    }
    return Write(**{**parts, **changes})


def a_plan(**changes: Any) -> Plan:
    """A plan that wants nothing but what is named."""
    parts: dict[str, Any] = {
        "decisions": (),
        "subjects": (),
        "links": (),
        "points": (),
        "jurisdictions": (),
        "events": (),
        "candidates": (),
        "writes": (),
        "digest": "0" * 64,
    }
    return Plan(**{**parts, **changes})
