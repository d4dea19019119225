"""People for the tests of rights and reviews: met through a cycle, with a policy that has every kind of basis."""

from datetime import timedelta
from typing import Any

from salesforce_bridge.ledger import views
from salesforce_bridge.ledger.records import Verb, Word, record_event
from salesforce_bridge.ledger.store import Appended, Ledger
from salesforce_bridge.permissions.bases import LawfulBasis
from salesforce_bridge.permissions.events import EventKind
from salesforce_bridge.permissions.keys import PurposeKey, Use
from salesforce_bridge.permissions.policy import parse_policy
from salesforce_bridge.reconcile.facts import Candidate, SubjectRecord
from tests.integration.ledger.cycles import met, told
from tests.support.facts import (
    EMAIL,
    NOON,
    ORG,
    POLICY_TEXT,
    a_plan,
    an_event,
    subject_id,
)

TEXT = (
    POLICY_TEXT
    + """
[purposes.product_research]
version = 1
status = "LIVE"
title = "Research"
plain_text = "We look at how our products are used."
category = "SERVICE"
channels = ["EMAIL"]
assessment = "research"

[[purposes.product_research.assignments]]
basis = "LEGITIMATE_INTEREST"
effective_from = 2020-01-01

[purposes.statutory_notices]
version = 1
status = "LIVE"
title = "Notices"
plain_text = "What the law makes us tell you."
category = "LEGAL_NOTICE"
channels = ["EMAIL"]

[[purposes.statutory_notices.assignments]]
basis = "LEGAL_OBLIGATION"
effective_from = 2020-01-01

[assessments.research]
approved_by = "dpo"
approved_at = 2025-01-01
review_due = 2030-01-01
"""
)
POLICY = parse_policy(TEXT)
RESEARCH = Use(purpose=PurposeKey("product_research"), channel=EMAIL)
NOTICES = Use(purpose=PurposeKey("statutory_notices"), channel=EMAIL)
SERVICE = Use(purpose=PurposeKey("service_messages"), channel=EMAIL)


def recorded(ledger: Ledger, verb: Verb, use: Use, *, number: int = 1, **changes: Any) -> Appended:
    """What an operator records about somebody."""
    parts: dict[str, Any] = {
        "subject_id": subject_id(number),
        "verb": verb,
        "use": use,
        "happened_at": NOON - timedelta(days=1),
        "by": "anna",
    }
    with ledger.begin() as tx:
        return record_event(tx, Word(**{**parts, **changes}), at=NOON, policy=POLICY)


def a_customer(ledger: Ledger, number: int = 1) -> None:
    """Somebody with a consent, a contract, an interest of ours and a legal duty."""
    met(ledger, number)
    told(ledger, an_event(EventKind.GRANT, subject=number))
    for use, ref in ((SERVICE, "C-1"), (RESEARCH, "research"), (NOTICES, "Art. 34")):
        recorded(ledger, Verb.ESTABLISH, use, number=number, condition_ref=ref)


def the_person(ledger: Ledger, number: int = 1) -> SubjectRecord:
    """Everything about somebody."""
    with ledger.reading() as tx:
        return tx.subjects([subject_id(number)])[subject_id(number)]


def quarantined(ledger: Ledger, *found: Candidate) -> None:
    """Claims that a cycle put into quarantine."""
    cycle_id = met(ledger)
    with ledger.begin() as tx:
        tx.record(a_plan(candidates=found), org_id=ORG, cycle_id=cycle_id, at=NOON, policy=POLICY)


def a_stop(number: int = 1, **changes: Any) -> Any:
    """A stop that a Salesforce user typed."""
    parts: dict[str, Any] = {
        "subject": number,
        "actor_ref": "005000000000009AAA",
        "source_record": f"a00{number:012d}AAA",
        "source_stamp": NOON - timedelta(minutes=5),
        "happened_at": NOON - timedelta(minutes=5),
        "basis": LawfulBasis.CONSENT,
    }
    return an_event(EventKind.WITHDRAW, **{**parts, **changes})


def assert_whole(ledger: Ledger) -> None:
    """The chain is whole, and folding all events again comes to what is stored."""
    with ledger.reading() as tx:
        inspection = views.verify(tx)
        assert inspection.intact, inspection
        assert views.refold(tx, policy=POLICY) == ()
