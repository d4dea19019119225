"""Mass changes, policies, uses and suppressions: what is counted, held up, activated and sealed."""

from dataclasses import replace
from datetime import timedelta

import pytest

from salesforce_bridge.ledger import views
from salesforce_bridge.ledger.faults import SecondPersonMissing
from salesforce_bridge.ledger.store import Ledger, Result, Usage
from salesforce_bridge.permissions.policy import parse_policy
from salesforce_bridge.permissions.suppressions import Scope, Suppression
from salesforce_bridge.reconcile.facts import RefusedWrite
from salesforce_bridge.reconcile.intent import CLOSED_CIRCUIT, Lane, Plan, Target, Verb
from tests.integration.ledger.cycles import answered, met
from tests.integration.ledger.people import POLICY, TEXT, assert_whole
from tests.integration.ledger.steps import count, open_cycle
from tests.support.facts import (
    NEWS_BY_EMAIL,
    NOON,
    ORG,
    a_contact,
    a_plan,
    a_point,
    a_row,
    a_write,
    contact_id,
    row_id,
    subject_id,
)

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
NEWER = TEXT.replace('version = "2026-01"', 'version = "2026-02"')


def ran(ledger: Ledger, plan: Plan, *, minutes: int = 0, **more: object) -> None:
    at = NOON + minutes * MINUTE
    cycle_id = open_cycle(ledger, at=at)
    with ledger.begin() as tx:
        tx.record(plan, org_id=ORG, cycle_id=cycle_id, at=at, policy=POLICY, **more)  # type: ignore[arg-type]  # as given


def test_edits_are_counted_by_author_within_the_window(ledger: Ledger) -> None:
    ran(ledger, a_plan(edits={"ann": 30, "ben": 1}))
    ran(ledger, a_plan(edits={"ann": 5}), minutes=59)
    with ledger.begin() as tx:
        cycle_id = tx.open_cycle(ORG, at=NOON, software="tests", policy=POLICY)
        for _ in range(2):
            tx.record(
                a_plan(edits={"cy": 2}), org_id=ORG, cycle_id=cycle_id, at=NOON, policy=POLICY
            )
    with ledger.reading() as tx:
        at_one = tx.circuit(ORG, at=NOON + 59 * MINUTE, window=HOUR)
        later = tx.circuit(ORG, at=NOON + HOUR, window=HOUR)
    assert at_one.edits == {"ann": 35, "ben": 1, "cy": 4}
    assert later.edits == {"ann": 5}


def test_a_ledger_without_any_mass_change_has_a_closed_circuit(ledger: Ledger) -> None:
    with ledger.reading() as tx:
        assert tx.circuit(ORG, at=NOON, window=HOUR) == CLOSED_CIRCUIT


def test_a_circuit_stays_open_until_a_person_closes_it_with_a_reason(ledger: Ledger) -> None:
    met(ledger, 1, 2)
    ran(ledger, a_plan(edits={"ann": 900}))
    with ledger.begin() as tx:
        assert tx.open_circuit(ORG, "900 edits by one author", at=NOON)
        assert not tx.open_circuit(ORG, "901 edits", at=NOON + MINUTE)
    with ledger.reading() as tx:
        circuit = tx.circuit(ORG, at=NOON + MINUTE, window=HOUR)
        assert (circuit.is_open, circuit.closed_at, circuit.live_rows) == (True, None, 2)
    closing = {"by": "ann", "reason": "a campaign", "policy": POLICY}
    with ledger.begin() as tx:
        assert tx.close_circuit(ORG, at=NOON + 2 * MINUTE, **closing)  # type: ignore[arg-type]  # as named
        assert not tx.close_circuit(ORG, at=NOON + 3 * MINUTE, **closing)  # type: ignore[arg-type]  # as named
        circuit = tx.circuit(ORG, at=NOON + 4 * MINUTE, window=HOUR)
        deeds = views.tail(tx, kind="DEED")
    assert (circuit.is_open, circuit.closed_at) == (False, NOON + 2 * MINUTE)
    assert circuit.edits == {}, "what a person let through is not counted again"
    assert [deed.header["verb"] for deed in deeds] == ["CIRCUIT_CLOSED", "CIRCUIT_OPENED"]
    with ledger.begin() as tx:
        assert tx.open_circuit(ORG, "once more", at=NOON + 5 * MINUTE)
        again = tx.circuit(ORG, at=NOON + 6 * MINUTE, window=HOUR)
    assert (again.is_open, again.closed_at) == (True, NOON + 2 * MINUTE)
    assert_whole(ledger)


def test_the_mirror_of_a_parked_record_stays_as_it_was(ledger: Ledger) -> None:
    met(ledger, 1, 2)
    seen = tuple(a_contact(number, do_not_call=True) for number in (1, 2))
    rows = tuple((a_row(number, request="Says yes"), contact_id(number)) for number in (1, 2))
    parked = frozenset({contact_id(1), row_id(1)})
    ran(ledger, a_plan(parked=parked), contacts=seen, rows=rows)
    with ledger.reading() as tx:
        contacts = tx.contact_mirrors(ORG, [contact_id(1), contact_id(2)])
        found = tx.row_mirrors(ORG, [row_id(1), row_id(2)])
    assert [contacts[contact_id(number)].do_not_call for number in (1, 2)] == [False, True]
    assert [found[row_id(number)].request for number in (1, 2)] == [None, "Says yes"]


def test_the_first_policy_is_activated_by_one_and_every_later_one_by_two(ledger: Ledger) -> None:
    first, newer = parse_policy(TEXT), parse_policy(NEWER)
    with ledger.begin() as tx:
        assert tx.active_policy() is None
        tx.activate_policy(first, TEXT, by="first run", approved_by=None, note=None, at=NOON)
        tx.activate_policy(first, TEXT, by="again", approved_by=None, note=None, at=NOON + HOUR)
        active = tx.active_policy()
        assert active is not None
        assert (active.digest, active.activated_by) == (first.digest, "first run")
    for alone in (None, "ann"):
        with pytest.raises(SecondPersonMissing), ledger.begin() as tx:
            tx.activate_policy(newer, NEWER, by="ann", approved_by=alone, note="x", at=NOON)
    later = NOON + HOUR
    with ledger.begin() as tx:
        tx.activate_policy(newer, NEWER, by="ann", approved_by="ben", note="term", at=later)
        active = tx.active_policy()
        texts = tx.policies([first.digest, newer.digest, "unknown"])
        deeds = views.tail(tx, kind="DEED")
    assert active is not None
    assert (active.text, active.approved_by, active.note) == (NEWER, "ben", "term")
    assert texts == {first.digest: TEXT, newer.digest: NEWER}
    assert [deed.header["verb"] for deed in deeds] == ["POLICY_BUNDLE_ACTIVATED"] * 2
    assert deeds[0].payload is not None
    assert deeds[0].payload["before"] == first.digest
    with ledger.begin() as tx:
        tx.activate_policy(first, TEXT, by="ann", approved_by="ben", note="back", at=later + HOUR)
        back = tx.active_policy()
    assert back is not None
    assert back.digest == first.digest
    assert_whole(ledger)


def test_uses_are_kept_singly_and_sealed_as_a_count(ledger: Ledger) -> None:
    met(ledger, 1, 2)
    uses = [
        Usage(
            subject_id=subject_id(number),
            use=NEWS_BY_EMAIL,
            category="MARKETING",
            answer="ALLOW_CONSENT",
            revision=1,
        )
        for number in (1, 2)
    ]
    with ledger.begin() as tx:
        assert tx.record_usage([], by="mailer", at=NOON, policy=POLICY) == 0
        assert tx.record_usage(uses, by="mailer", at=NOON, policy=POLICY) == 2
        (sealed,) = views.tail(tx, kind="DEED")
    assert count(ledger, "usage") == 2
    assert sealed.header["subject_key"] is None
    assert sealed.payload is not None
    assert sealed.payload["uses"] == {"direct_marketing:EMAIL:MARKETING": 2}
    assert_whole(ledger)


def test_a_suppression_comes_with_everybody_who_holds_its_address(ledger: Ledger) -> None:
    met(ledger, 1, 2)
    (point,) = a_contact(1).points
    silent = Suppression(
        hmac=point.hmac,
        key_version=1,
        scope=Scope.ALL,
        controller=POLICY.controller,
        since=NOON,
        reason="TOLD_SO",
        after_erasure=False,
    )
    ran(ledger, a_plan(suppressions=(silent,)))
    with ledger.reading() as tx:
        people = tx.subjects([subject_id(1), subject_id(2)])
        assert tx.suppressions([point.hmac, "nobody"]) == (silent,)
        assert tx.points_by_version() == {1: 3}
    assert people[subject_id(1)].suppressions == (silent,)
    assert people[subject_id(2)].suppressions == ()
    assert_whole(ledger)


def test_refused_writes_are_named_until_something_replaces_them(ledger: Ledger) -> None:
    met(ledger, 1)
    row = a_row(1)
    kept = replace(row, fields=replace(row.fields, ledger_key=f"{contact_id(1)}:{_KEY}"))
    by_id = a_write(
        1, id="row", lane=Lane.STOP, target=Target.ROW, record_id=row.row_id, decision_id="d"
    )
    by_key = a_write(
        *(1,),
        id="key",
        verb=Verb.UPSERT,
        target=Target.ROW,
        record_id=None,
        ledger_key=f"{contact_id(1)}:service_messages:EMAIL",
    )
    ran(ledger, a_plan(writes=(a_write(1), by_id, by_key)), rows=((kept, contact_id(1)),))
    for write_id in (a_write(1).id, "row", "key"):
        answered(ledger, write_id, Result.REFUSED, code="FIELD_CUSTOM_VALIDATION_EXCEPTION")
    with ledger.reading() as tx:
        refused = tx.refused_writes(ORG, [contact_id(1), contact_id(2)])
        assert tx.refused_writes(ORG, [contact_id(2)]) == {}
    assert {
        (one.target, one.use and one.use.purpose, one.stop) for one in refused[contact_id(1)]
    } == {
        ("Contact", None, False),
        ("Permission__c", "direct_marketing", True),
        ("Permission__c", "service_messages", False),
    }
    assert isinstance(refused[contact_id(1)][0], RefusedWrite)
    ran(ledger, a_plan(), contacts=(a_contact(1),))
    with ledger.reading() as tx:
        assert tx.refused_writes(ORG, [contact_id(1)]) == {}


_KEY = "direct_marketing:EMAIL"


def test_an_address_made_with_an_older_key_is_still_found(ledger: Ledger) -> None:
    met(ledger, 1)
    old, new = a_point("ann@example.org"), a_point("ann@example.org.new-key", key_version=2)
    seen = a_contact(1, points=(new,), older=(old,))
    ran(ledger, a_plan(), contacts=(seen,))
    with ledger.reading() as tx:
        assert tx.contact_mirrors(ORG, [contact_id(1)]) == {contact_id(1): seen}
