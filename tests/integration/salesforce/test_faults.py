import threading
import time
from datetime import timedelta

import pytest
import requests

from salesforce_bridge.errors import BridgeError
from salesforce_bridge.salesforce import transport
from salesforce_bridge.salesforce.client import Retries
from salesforce_bridge.salesforce.faults import (
    AnswerLost,
    HostMoved,
    Interrupted,
    QuotaSpent,
    SalesforceUnavailable,
    TooManyCalls,
)
from salesforce_bridge.salesforce.gateway import Gateway
from salesforce_bridge.salesforce.schema import Finding
from tests.integration.salesforce.opened import gateway_to
from tests.support.orgs import RunningOrg
from tests.unit.salesforce.scripted import AT


def poll(gateway: Gateway) -> int:
    return gateway.poll(AT, AT, None).calls


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 503},
        {"status": 503, "html": True},
        {"status": 500, "error_code": "UNKNOWN_EXCEPTION"},
        {"status": 502, "html": True},
        {"status": 420, "html": True},
        {"status": 200, "html": True},
        {"drop": "before"},
        {"drop": "after"},
        {"truncate": True},
        {"quota": "concurrent"},
    ],
    ids=str,
)
def test_a_poll_survives_a_moment_of_trouble(
    org: RunningOrg, gateway: Gateway, fault: dict[str, object]
) -> None:
    org.director.fault(path="composite", count=1, **fault)
    assert poll(gateway) == 2


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ({"status": 503}, SalesforceUnavailable),
        ({"drop": "before"}, AnswerLost),
        ({"quota": "daily"}, QuotaSpent),
        ({"quota": "concurrent"}, TooManyCalls),
        ({"redirect": "https://127.0.0.1:9/"}, HostMoved),
    ],
    ids=str,
)
def test_trouble_that_stays_is_named(
    org: RunningOrg, gateway: Gateway, fault: dict[str, object], kind: type[BridgeError]
) -> None:
    org.director.fault(path="composite", **fault)
    with pytest.raises(kind):
        poll(gateway)


def test_usage_is_known_after_every_answer(org: RunningOrg, gateway: Gateway) -> None:
    org.director.set_limits(max=5000, used=4000)
    poll(gateway)
    usage = gateway.usage
    assert usage is not None
    assert usage.limit == 5000
    assert usage.used >= 4000


def test_an_org_out_of_calls_is_a_quota_and_not_a_missing_right(
    org: RunningOrg, gateway: Gateway
) -> None:
    org.director.set_limits(max=5000, used=5000)
    with pytest.raises(QuotaSpent):
        poll(gateway)


@pytest.mark.parametrize("fault", [{"delay": 3}, {"trickle": 3}], ids=str)
def test_a_server_that_is_too_slow_is_given_up(org: RunningOrg, fault: dict[str, float]) -> None:
    with gateway_to(org, read_timeout=0.3, retries=Retries(attempts=1)) as gateway:
        gateway.identity()
        org.director.fault(path="composite", **fault)
        began = time.monotonic()
        with pytest.raises(AnswerLost):
            poll(gateway)
        assert time.monotonic() - began < 2.5


def test_a_stop_ends_the_patience_of_a_call(org: RunningOrg) -> None:
    stop = threading.Event()
    patient = Retries(attempts=50, first=timedelta(seconds=30), longest=timedelta(seconds=30))
    org.director.fault(path="composite", status=503)
    with gateway_to(org, wait=stop.wait, retries=patient) as gateway:
        threading.Timer(0.2, stop.set).start()
        began = time.monotonic()
        with pytest.raises(Interrupted):
            poll(gateway)
        assert time.monotonic() - began < 10


def test_one_connection_carries_all_calls(org: RunningOrg, gateway: Gateway) -> None:
    for _ in range(5):
        poll(gateway)
    adapter = gateway._client._session.get_adapter(org.org_url)
    assert isinstance(adapter, requests.adapters.HTTPAdapter)
    pools = adapter.poolmanager.pools
    assert [pools[key].num_connections for key in pools.keys()] == [1]  # noqa: SIM118  # not iterable


def test_a_body_without_end_is_given_up(
    org: RunningOrg, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway.identity()
    org.director.seed(100)
    monkeypatch.setattr(transport, "BODY_MAX", 1000)
    with pytest.raises(AnswerLost):
        gateway.poll(AT - timedelta(days=5000), AT, None)


def test_an_org_with_the_deployed_project_has_all_the_bridge_needs(
    org: RunningOrg, gateway: Gateway
) -> None:
    gateway.identity()
    org.director.reset_calls()
    assert gateway.check_schema(channels=("EMAIL", "SMS", "LIVE_CALL", "POST")) == ()
    assert org.director.call_count() == 1


def found(gateway: Gateway, field: str) -> Finding:
    (finding,) = [each for each in gateway.check_schema() if each.field == field]
    return finding


def test_a_field_that_was_deleted_is_found(org: RunningOrg, gateway: Gateway) -> None:
    org.director.drop_field("Permission__c", "Reason_Code__c")
    assert "not there" in found(gateway, "Reason_Code__c").what


def test_a_field_that_became_read_only_or_hidden_is_found(
    org: RunningOrg, gateway: Gateway
) -> None:
    name = "Salesforce_Bridge_Integration"
    org.director.set_field_access(name, "Contact.Lawful_Basis__c", readable=True, editable=False)
    org.director.set_field_access(name, "Contact.Consent_Status__c", readable=False, editable=False)
    assert "may not edit" in found(gateway, "Lawful_Basis__c").what
    assert "permission set" in found(gateway, "Lawful_Basis__c").fix
    assert "hidden" in found(gateway, "Consent_Status__c").what
