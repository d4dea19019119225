import pytest

from salesforce_bridge.salesforce.faults import (
    CertificateRefused,
    LoginRefused,
    LoginUnsafe,
    ReadOnlyMode,
    SalesforceUnavailable,
    SessionExpired,
    WrongOrg,
)
from salesforce_bridge.salesforce.gateway import Gateway
from tests.integration.salesforce.opened import app_of, gateway_to, user_of
from tests.support.orgs import RunningOrg
from tests.unit.salesforce.scripted import AT


def poll(gateway: Gateway) -> int:
    return gateway.poll(AT, AT, None).calls


def logins(org: RunningOrg) -> int:
    return sum("oauth2/token" in call.path for call in org.director.calls())


@pytest.mark.parametrize("flow", ["jwt", "client_credentials"])
def test_both_flows_lead_to_the_org(org: RunningOrg, flow: str) -> None:
    credentials = user_of(org) if flow == "jwt" else app_of(org)
    with gateway_to(org, credentials=credentials, org_id=org.simulator.card.org_id) as gateway:
        assert gateway.identity().org_id == org.simulator.card.org_id
        assert poll(gateway) == 1


def test_an_audience_that_salesforce_does_not_know_is_refused_for_good(org: RunningOrg) -> None:
    credentials = user_of(org, audience="https://example.org")
    with gateway_to(org, credentials=credentials) as gateway, pytest.raises(LoginRefused):
        gateway.identity()
    assert logins(org) == 1


def test_another_org_than_the_pinned_one_is_refused(org: RunningOrg) -> None:
    with gateway_to(org, org_id="00D000000000099AAA") as gateway, pytest.raises(WrongOrg):
        gateway.identity()


def test_an_org_that_is_replaced_while_we_run_is_noticed(org: RunningOrg, gateway: Gateway) -> None:
    assert poll(gateway) == 1
    org.director.set_org_id("00D000000000099AAA")
    with pytest.raises(WrongOrg):
        poll(gateway)


def test_an_instance_on_a_foreign_host_gets_no_request(org: RunningOrg, gateway: Gateway) -> None:
    org.director.set_instance_url("https://salesforce.com.example.org")
    with pytest.raises(LoginUnsafe):
        poll(gateway)
    assert org.director.call_count() == 0


def test_a_server_with_an_unknown_certificate_gets_no_secret(org: RunningOrg) -> None:
    with gateway_to(org, trusting=False) as gateway, pytest.raises(CertificateRefused):
        gateway.identity()
    assert logins(org) == 0


def test_an_expired_session_costs_one_login_and_nothing_else(
    org: RunningOrg, gateway: Gateway
) -> None:
    poll(gateway)
    org.director.reset_calls()
    org.director.expire_sessions()
    assert poll(gateway) == 2
    assert logins(org) == 1


def test_a_session_that_expires_at_once_is_renewed_once_a_request(
    org: RunningOrg, gateway: Gateway
) -> None:
    org.director.fault(path="composite", expire_session=True)
    with pytest.raises(SessionExpired):
        poll(gateway)
    assert logins(org) == 2


def test_a_refusal_that_no_login_cures_leads_to_no_login(org: RunningOrg, gateway: Gateway) -> None:
    poll(gateway)
    org.director.reset_calls()
    org.director.fault(path="composite", incurable=True)
    with pytest.raises(ReadOnlyMode):
        poll(gateway)
    assert logins(org) == 0


def test_a_login_that_is_down_for_a_moment_is_tried_again(
    org: RunningOrg, gateway: Gateway
) -> None:
    org.director.fault(path="oauth2/token", status=503, html=True, count=1)
    assert poll(gateway) == 1
    assert logins(org) == 2


def test_a_login_that_stays_down_is_an_outage(org: RunningOrg, gateway: Gateway) -> None:
    org.director.fault(path="oauth2/token", drop="before")
    with pytest.raises(SalesforceUnavailable):
        poll(gateway)
