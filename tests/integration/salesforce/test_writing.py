from collections.abc import Mapping, Sequence
from datetime import timedelta

import pytest

from salesforce_bridge.permissions.keys import ContactId
from salesforce_bridge.reconcile.intent import Target, Value, Verb, Write
from salesforce_bridge.salesforce.faults import FieldMissing, QuotaSpent
from salesforce_bridge.salesforce.gateway import Gateway
from salesforce_bridge.salesforce.writing import Outcome
from tests.support.orgs import RunningOrg
from tests.unit.salesforce.scripted import a_write

STOPPED: Mapping[str, Value] = {"lawful_basis": "Consent", "consent_status": "Stopped"}


def people(org: RunningOrg, count: int) -> list[str]:
    return org.director.load("Contact", [{"LastName": f"N{number}"} for number in range(count)])


def stops(ids: Sequence[str]) -> list[Write]:
    return [
        a_write(number, fields=STOPPED)._replace(record_id=each, contact_id=ContactId(each))
        for number, each in enumerate(ids)
    ]


def results(outcomes: Sequence[Outcome]) -> list[str]:
    return [outcome.result.value for outcome in outcomes]


def stopped(org: RunningOrg) -> int:
    return org.director.count("SELECT COUNT() FROM Contact WHERE Consent_Status__c = 'Stopped'")


def row_write(contact: str, fields: Mapping[str, Value]) -> Write:
    key = f"{contact}:direct_marketing:EMAIL"
    filled: dict[str, Value] = {
        "contact_id": contact,
        "purpose": "direct_marketing",
        "channel": "EMAIL",
        "marketing": True,
        "ledger_key": key,
        **fields,
    }
    write = a_write(0, verb=Verb.UPSERT, target=Target.ROW, fields=filled)
    return write._replace(ledger_key=key, contact_id=ContactId(contact))


def test_a_thousand_writes_are_one_call(org: RunningOrg, gateway: Gateway) -> None:
    writes = stops(people(org, 1000))
    gateway.identity()
    org.director.reset_calls()
    outcomes = gateway.write(writes)
    assert org.director.call_count() == 1
    assert set(results(outcomes)) == {"accepted"}
    assert stopped(org) == 1000


def test_a_row_is_created_by_its_key_and_found_by_it_again(
    org: RunningOrg, gateway: Gateway
) -> None:
    (contact,) = people(org, 1)
    now = org.director.now().replace(microsecond=0)
    first = row_write(
        contact, {**STOPPED, "effective_to": now, "ledger_revision": 7, "reconciled_at": now}
    )
    (created,) = gateway.write([first])
    (again,) = gateway.write([first])
    assert created.result == again.result == "accepted"
    assert created.record_id == again.record_id
    (row,) = gateway.rows([created.record_id or ""])
    assert (row.fields.ledger_revision, row.fields.effective_to) == (7, now)
    assert row.fields.marketing
    assert row.fields.contact_id == contact


def test_a_doubled_row_is_deleted(org: RunningOrg, gateway: Gateway) -> None:
    (contact,) = people(org, 1)
    (created,) = gateway.write([row_write(contact, STOPPED)])
    doubled = a_write(1, verb=Verb.DELETE, target=Target.ROW, record_id=created.record_id)
    assert results(gateway.write([doubled])) == ["accepted"]
    (row,) = gateway.rows([created.record_id or ""])
    assert row.deleted


def test_a_flag_is_cleared_only_while_nobody_touched_the_contact(
    org: RunningOrg, gateway: Gateway
) -> None:
    rep = org.director.as_user("rep")
    quiet, busy = (rep.create("Contact", LastName=name, DoNotCall=True) for name in "AB")
    org.director.advance(60)
    seen_at = org.director.now() - timedelta(seconds=10)
    org.director.advance(60)
    rep.update("Contact", busy, Phone="+49 30 901820")
    clearing = [
        a_write(number, verb=Verb.CLEAR_FLAG, fields={"do_not_call": False})._replace(
            record_id=contact,
            unmodified_since=seen_at,
        )
        for number, contact in enumerate((quiet, busy))
    ]
    outcomes = gateway.write(clearing)
    assert [(each.result.value, each.code) for each in outcomes] == [
        ("accepted", None),
        ("refused", "STALE"),
    ]
    flags = {
        each["Id"]: each["DoNotCall"]
        for each in org.director.query("SELECT Id, DoNotCall FROM Contact")
    }
    assert flags == {quiet: False, busy: True}


def test_two_flags_of_one_contact_are_cleared_together(org: RunningOrg, gateway: Gateway) -> None:
    rep = org.director.as_user("rep")
    contact = rep.create("Contact", LastName="A", DoNotCall=True, HasOptedOutOfFax=True)
    seen_at = org.director.now()
    org.director.advance(60)
    clearing = [
        a_write(number, verb=Verb.CLEAR_FLAG, fields={name: False})._replace(
            record_id=contact,
            unmodified_since=seen_at,
        )
        for number, name in enumerate(("do_not_call", "opted_out_of_fax"))
    ]
    assert results(gateway.write(clearing)) == ["accepted", "accepted"]
    (shown,) = org.director.query("SELECT DoNotCall, HasOptedOutOfFax FROM Contact")
    assert not shown["DoNotCall"]
    assert not shown["HasOptedOutOfFax"]


def test_our_own_rule_that_refuses_is_named(org: RunningOrg, gateway: Gateway) -> None:
    (contact,) = people(org, 1)
    (created,) = gateway.write([row_write(contact, STOPPED)])
    org.director.as_user("rep").update(
        "Permission__c", created.record_id or "", Requested_Change__c="Asked us to stop"
    )
    (outcome,) = gateway.write([row_write(contact, {"consent_status": "Permitted"})])
    assert (outcome.result, outcome.code, outcome.rule) == (
        "refused",
        "SB_RULE",
        "SB-STOP-PENDING",
    )
    assert not outcome.retryable


def test_one_bad_record_does_not_stop_the_others(org: RunningOrg, gateway: Gateway) -> None:
    good, gone = people(org, 2)
    org.director.as_user("admin").delete("Contact", gone)
    outcomes = gateway.write(stops([good, gone]))
    assert results(outcomes) == ["accepted", "refused"]
    assert outcomes[1].code in {"ENTITY_IS_DELETED", "INVALID_CROSS_REFERENCE_KEY"}
    assert not outcomes[1].retryable


def test_locked_rows_are_tried_again_until_the_lock_is_gone(
    org: RunningOrg, gateway: Gateway
) -> None:
    writes = stops(people(org, 250))
    org.director.fault(path="composite", rows={"every": 3}, count=1)
    assert set(results(gateway.write(writes))) == {"accepted"}
    assert stopped(org) == 250


def test_rows_that_stay_locked_are_refused_and_may_be_tried_later(
    org: RunningOrg, gateway: Gateway
) -> None:
    org.director.fault(path="composite", rows={"every": 1})
    (outcome,) = gateway.write(stops(people(org, 1)))
    assert (outcome.result, outcome.code) == ("refused", "UNABLE_TO_LOCK_ROW")
    assert outcome.retryable


@pytest.mark.parametrize(
    ("fault", "arrived"),
    [({"drop": "before"}, 0), ({"drop": "after"}, 3), ({"truncate": True}, 3)],
)
def test_a_write_whose_answer_was_lost_is_unknown_and_goes_out_once(
    org: RunningOrg, gateway: Gateway, fault: dict[str, object], arrived: int
) -> None:
    writes = stops(people(org, 3))
    gateway.identity()
    org.director.reset_calls()
    org.director.fault(path="composite", **fault)
    assert results(gateway.write(writes)) == ["unknown"] * 3
    assert sum("composite" in call.path for call in org.director.calls()) == 1
    assert stopped(org) == arrived


def test_a_write_that_met_a_busy_org_is_sent_again(org: RunningOrg, gateway: Gateway) -> None:
    org.director.fault(path="composite", status=503, html=True, count=1)
    assert results(gateway.write(stops(people(org, 2)))) == ["accepted"] * 2


def test_a_write_outlives_its_session(org: RunningOrg, gateway: Gateway) -> None:
    gateway.identity()
    org.director.expire_sessions()
    assert results(gateway.write(stops(people(org, 2)))) == ["accepted"] * 2


def test_a_quota_that_ends_between_two_calls_leaves_the_rest_for_later(
    org: RunningOrg, gateway: Gateway
) -> None:
    writes = stops(people(org, 1200))
    org.director.fault(path="composite", call=2, quota="daily")
    outcomes = gateway.write(writes)
    assert results(outcomes) == ["accepted"] * 1000 + ["refused"] * 200
    assert {each.code for each in outcomes[1000:]} == {"QUOTA_SPENT"}


def test_a_field_that_is_gone_refuses_the_whole_request(org: RunningOrg, gateway: Gateway) -> None:
    writes = stops(people(org, 2))
    org.director.drop_field("Contact", "Consent_Status__c")
    with pytest.raises(FieldMissing):
        gateway.write(writes)


def test_a_spent_quota_is_raised_when_nothing_was_written(
    org: RunningOrg, gateway: Gateway
) -> None:
    org.director.fault(path="composite", quota="daily")
    with pytest.raises(QuotaSpent):
        gateway.write(stops(people(org, 2)))


def test_everything_in_one_call_happens_in_the_given_order(
    org: RunningOrg, gateway: Gateway
) -> None:
    (contact,) = people(org, 1)
    words = ["Permitted", "Stopped", "Asked", "Lapsed", "Not asked"]
    writes = [
        a_write(number, fields={"consent_status": word})._replace(record_id=contact)
        for number, word in enumerate(words)
    ]
    org.director.reset_calls()
    assert set(results(gateway.write(writes))) == {"accepted"}
    assert org.director.call_count() == 1
    (shown,) = org.director.query("SELECT Consent_Status__c FROM Contact")
    assert shown["Consent_Status__c"] == words[-1]
