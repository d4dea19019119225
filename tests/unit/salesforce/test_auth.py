from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from urllib.parse import parse_qs

import jwt
import pytest
import requests
import responses
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from salesforce_bridge.errors import BridgeError
from salesforce_bridge.permissions.keys import OrgId
from salesforce_bridge.salesforce.auth import Auth, ClientCredentials, Credentials, JwtBearer
from salesforce_bridge.salesforce.faults import (
    LoginRefused,
    LoginUnsafe,
    QuotaSpent,
    SalesforceUnavailable,
    WrongOrg,
)
from tests.unit.salesforce.scripted import AT, DATE, LOGIN, ORG, TOKEN, token_answer

APP = ClientCredentials(client_id="app", client_secret="s3cret")
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PEM = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def user(private_key: str = PEM) -> JwtBearer:
    return JwtBearer(
        client_id="app",
        username="bridge@example.org",
        audience="https://login.salesforce.com",
        private_key=private_key,
    )


def auth(
    credentials: Credentials = APP, *, login_url: str = LOGIN, org_id: OrgId | None = None
) -> Auth:
    return Auth(
        session=requests.Session(),
        login_url=login_url,
        credentials=credentials,
        login_timeout=timedelta(seconds=5),
        now=lambda: AT,
        org_id=org_id,
    )


@responses.activate
def test_client_credentials_travel_as_basic_authentication_and_not_in_the_form() -> None:
    responses.post(TOKEN, json=token_answer("t"))
    token = auth().token()
    assert (token.access_token, token.instance_url, token.org_id) == ("t", LOGIN, ORG)
    request = responses.calls[0].request
    assert request.headers["Authorization"].startswith("Basic ")
    assert request.body == "grant_type=client_credentials"


@responses.activate
def test_an_assertion_names_user_app_and_audience_and_lives_less_than_three_minutes() -> None:
    responses.post(TOKEN, json=token_answer("t"))
    auth(user()).token()
    form = parse_qs(str(responses.calls[0].request.body))
    assert form["grant_type"] == ["urn:ietf:params:oauth:grant-type:jwt-bearer"]
    claims = jwt.decode(
        form["assertion"][0],
        KEY.public_key(),
        algorithms=["RS256"],
        audience="https://login.salesforce.com",
        options={"verify_exp": False},
    )
    assert (claims["iss"], claims["sub"]) == ("app", "bridge@example.org")
    assert 0 < claims["exp"] - AT.timestamp() < 180


def test_a_key_that_cannot_sign_is_a_matter_for_the_operator() -> None:
    with pytest.raises(LoginRefused) as caught:
        auth(user("not a key at all")).token()
    assert "private_key" in caught.value.hint
    assert caught.value.__context__ is None


def test_secrets_do_not_show_in_what_is_printed() -> None:
    assert "s3cret" not in repr(APP)
    assert "PRIVATE" not in repr(user())


@pytest.mark.parametrize(
    "url", ["http://acme.my.salesforce.com", "https://", "https://u:p@acme.my.salesforce.com", "x"]
)
def test_secrets_are_only_sent_to_an_https_host(url: str) -> None:
    with pytest.raises(LoginUnsafe):
        auth(login_url=url)


@pytest.mark.parametrize("host", ["login.salesforce.com", "test.salesforce.com"])
def test_client_credentials_want_a_my_domain_host(host: str) -> None:
    with pytest.raises(LoginUnsafe, match="My Domain"):
        auth(login_url=f"https://{host}")
    assert auth(user(), login_url=f"https://{host}").logins == 0


@pytest.mark.parametrize(
    "instance",
    [
        "https://evil.example.org",
        "https://salesforce.com.evil.org",
        "https://evilsalesforce.com",
        "http://acme.my.salesforce.com",
        "https://127.0.0.1:9",
        "https://u:p@acme.my.salesforce.com",
        "",
    ],
)
@responses.activate
def test_an_instance_elsewhere_never_gets_the_token(instance: str) -> None:
    responses.post(TOKEN, json=token_answer("t", instance_url=instance))
    with pytest.raises(LoginUnsafe):
        auth().token()


@pytest.mark.parametrize(
    ("login", "instance"),
    [
        (LOGIN, "https://acme.my.salesforce.com"),
        (LOGIN, "https://other--box.sandbox.my.salesforce.com"),
        (LOGIN, "https://acme.my.site.force.com"),
        ("https://127.0.0.1:8443", "https://localhost:9443"),
        ("https://[::1]:8443", "https://[::1]:8443"),
        ("https://sf.example.org", "https://sf.example.org"),
    ],
)
@responses.activate
def test_an_instance_of_salesforce_or_the_login_host_itself_is_trusted(
    login: str, instance: str
) -> None:
    responses.post(f"{login}/services/oauth2/token", json=token_answer("t", instance_url=instance))
    assert auth(login_url=login).token().instance_url == instance


@responses.activate
def test_another_org_than_the_pinned_one_is_refused() -> None:
    responses.post(TOKEN, json=token_answer("t", org_id="00D000000000002AAA"))
    with pytest.raises(WrongOrg) as caught:
        auth(org_id=ORG).token()
    assert ORG in caught.value.message


@responses.activate
def test_a_pin_in_its_short_form_is_the_same_org() -> None:
    responses.post(TOKEN, json=token_answer("t"))
    assert auth(org_id=OrgId(ORG[:15])).token().org_id == ORG


@responses.activate
def test_an_org_that_changes_between_two_logins_is_refused_even_without_a_pin() -> None:
    responses.post(TOKEN, json=token_answer("t"))
    responses.post(TOKEN, json=token_answer("u", org_id="00D000000000002AAA"))
    one = auth()
    with pytest.raises(WrongOrg):
        one.renew(one.token())


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, {"error": "invalid_grant", "error_description": "user x"}, LoginRefused),
        (400, {"error": "invalid_client_id"}, LoginRefused),
        (400, {"error": "inactive_user"}, LoginRefused),
        (400, {"error": "server_error"}, SalesforceUnavailable),
        (429, {"error": "whatever"}, SalesforceUnavailable),
        (500, {"error": "invalid_grant"}, SalesforceUnavailable),
        (400, {"error": "LOGIN_RATE_EXCEEDED"}, QuotaSpent),
        (400, ["a list"], SalesforceUnavailable),
        (404, {}, LoginRefused),
        (403, {}, LoginRefused),
        (200, {"access_token": "t"}, SalesforceUnavailable),
        (200, {**token_answer("t"), "id": "https://login.salesforce.com/"}, SalesforceUnavailable),
        (200, ["t"], SalesforceUnavailable),
        (302, {}, SalesforceUnavailable),
    ],
)
@responses.activate
def test_refusals_for_good_are_told_from_those_that_pass(
    status: int, body: Mapping[str, object], kind: type[BridgeError]
) -> None:
    responses.post(TOKEN, json=body, status=status, headers={"Date": DATE})
    with pytest.raises(kind):
        auth().token()


@responses.activate
def test_a_page_of_html_in_place_of_a_token_is_an_outage() -> None:
    responses.post(TOKEN, body="<html>maintenance</html>", status=200)
    with pytest.raises(SalesforceUnavailable):
        auth().token()


@responses.activate
def test_a_login_that_gets_no_answer_is_an_outage_and_quotes_nothing() -> None:
    responses.post(TOKEN, body=requests.ConnectionError(f"lost {TOKEN}"))
    with pytest.raises(SalesforceUnavailable) as caught:
        auth().token()
    assert caught.value.__context__ is None
    assert "https" not in caught.value.message


@responses.activate
def test_a_refused_assertion_mentions_a_clock_that_is_off() -> None:
    responses.post(
        TOKEN,
        json={"error": "invalid_grant", "error_description": "expired authorization code"},
        status=400,
        headers={"Date": "Mon, 23 Nov 2026 09:50:00 GMT"},
    )
    with pytest.raises(LoginRefused, match=r"\+600 s") as caught:
        auth(user()).token()
    assert "set-ntp" in caught.value.hint


@responses.activate
def test_many_threads_that_meet_one_expired_token_log_in_once() -> None:
    responses.post(TOKEN, json=token_answer("old"))
    responses.post(TOKEN, json=token_answer("new"))
    one = auth()
    old = one.token()
    with ThreadPoolExecutor(8) as pool:
        tokens = list(pool.map(lambda _: one.renew(old), range(16)))
    assert {token.access_token for token in tokens} == {"new"}
    assert one.logins == 2
    assert one.token() == tokens[0]
