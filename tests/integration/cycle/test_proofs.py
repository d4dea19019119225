"""A token in the field for evidence makes a grant by itself, and only the real one of that address."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from salesforce_bridge.ledger.store import Ledger
from salesforce_bridge.permissions.events import EventKind
from salesforce_bridge.permissions.keys import ContactId, Use
from salesforce_bridge.permissions.proofs import Token, issue
from tests.integration.cycle.living import CALLS, EMAIL, ROW, Living, living
from tests.integration.salesforce.opened import gateway_to
from tests.support.orgs import RunningOrg

KEYS = {"DOI_TOKEN": b"d" * 32, "CALL_RECORDING": b"c" * 32}
ADDRESS = "jane@example.org"


@pytest.fixture
def proving(org: RunningOrg, ledger: Ledger) -> Iterator[Living]:
    """A bridge that can check proofs."""
    with living(org, ledger, gateway=gateway_to(org, proof_keys=KEYS)) as opened:
        yield opened


def token(at: datetime, *, key: bytes = KEYS["DOI_TOKEN"], use: Use = EMAIL, **changes: Any) -> str:
    parts: dict[str, Any] = {
        "kind": "DOI_TOKEN",
        "id": "click-7",
        "happened_at": at,
        "notice_id": "consent-en-1",
        "use": use,
        "address": ADDRESS,
        **changes,
    }
    return issue(Token(**parts), key)


def claim(bridge: Living, contact_id: str, evidence: str) -> None:
    bridge.director.rep.update(
        ROW,
        bridge.row(contact_id)["Id"],
        Requested_Change__c="Gave permission",
        Requested_Change_Evidence__c=evidence,
    )


def met(bridge: Living) -> str:
    contact_id = bridge.meet(email=ADDRESS)
    bridge.settle()
    return contact_id


def test_a_verified_proof_is_a_grant(proving: Living) -> None:
    contact_id = met(proving)
    claim(proving, contact_id, token(proving.world.clock()))
    report = proving.cycle()
    assert report.decisions["GRANT_ACCEPTED_VERIFIED"] == 1
    assert proving.row(contact_id)["Consent_Status__c"] == "Permitted"
    proving.settle()
    assert proving.row(contact_id)["May_Contact__c"] == "OK"
    assert proving.row(contact_id)["Requested_Change__c"] is None
    assert proving.differences() == []
    assert proving.audit_is_intact()


def test_the_plain_address_of_a_token_is_nowhere_in_the_ledger(proving: Living) -> None:
    contact_id = met(proving)
    text = token(proving.world.clock())
    claim(proving, contact_id, text)
    proving.settle()
    with proving.ledger.reading() as tx:
        rows = tx.rows_of(proving.world.org_id, [ContactId(contact_id)])[ContactId(contact_id)]
    (row,) = (each for each in rows if each.fields.channel == EMAIL.channel)
    assert row.request_evidence == "token:click-7"
    assert text.split(".")[-2] not in repr(row)


@pytest.mark.parametrize("case", ["forged", "other address", "other use", "unknown kind", "future"])
def test_a_proof_that_does_not_hold_permits_nothing(proving: Living, case: str) -> None:
    contact_id, at = met(proving), proving.world.clock()
    evidence = {
        "forged": lambda: token(at, key=b"f" * 32),
        "other address": lambda: token(at, address="john@example.org"),
        "other use": lambda: token(at, use=CALLS),
        "unknown kind": lambda: token(at, kind="PORTAL"),
        "future": lambda: token(at + timedelta(days=1)),
    }[case]()
    claim(proving, contact_id, evidence)
    report = proving.cycle()
    assert "GRANT_ACCEPTED_VERIFIED" not in report.decisions
    proving.settle()
    assert proving.row(contact_id)["May_Contact__c"] != "OK"
    assert proving.audit_is_intact()


def test_a_proof_of_the_moment_before_a_stop_does_not_lift_it(proving: Living) -> None:
    contact_id = met(proving)
    before = proving.world.clock()
    proving.director.advance(60)
    proving.tell(contact_id, EventKind.WITHDRAW, happened_at=proving.world.clock())
    proving.settle()
    claim(proving, contact_id, token(before))
    report = proving.cycle()
    assert report.decisions["GRANT_PREDATES_STOP_REJECTED"] == 1
    assert proving.is_stopped(contact_id)
    assert proving.row(contact_id)["Consent_Status__c"] == "Stopped"


def test_a_proof_of_the_moment_after_a_stop_waits_for_two_people(proving: Living) -> None:
    contact_id = met(proving)
    proving.tell(contact_id, EventKind.WITHDRAW)
    proving.settle()
    proving.director.advance(3_600)
    claim(proving, contact_id, token(proving.world.clock()))
    report = proving.cycle()
    assert report.decisions["GRANT_AFTER_STOP_REVIEW"] == 1
    assert proving.is_stopped(contact_id)
    assert any(each.open for each in proving.person(contact_id).candidates)


def test_without_keys_a_token_is_somebodys_word(bridge: Living) -> None:
    contact_id = met(bridge)
    claim(bridge, contact_id, token(bridge.world.clock()))
    report = bridge.cycle()
    assert "GRANT_ACCEPTED_VERIFIED" not in report.decisions
    assert bridge.row(contact_id)["Consent_Status__c"] != "Permitted"
