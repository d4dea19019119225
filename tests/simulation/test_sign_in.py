"""Who gets a session, and how long it lasts."""

import json
import time
from collections.abc import Callable
from typing import Any

import jwt
import pytest
import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.support.orgs import API_VERSION, RunningOrg, access_token, plain_session

JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
Ask = Callable[..., requests.Response]


def assertion(org: RunningOrg, *, key: str | None = None, **claims: Any) -> str:
    """An assertion that is in order but for what a test changes."""
    card = org.simulator.card
    payload = {
        "iss": card.consumer_key,
        "sub": card.username,
        "aud": "https://login.salesforce.com",
        "exp": int(time.time()) + 180,
    } | claims
    # PyJWT refuses to write an expiry as text, as some clients do; the payload goes in as bytes.
    signing_key = key or (org.directory / "connected_app.key").read_text()
    return jwt.api_jws.encode(json.dumps(payload).encode(), signing_key, algorithm="RS256")


def sign_in(org: RunningOrg, **form: str) -> requests.Response:
    """Ask the token endpoint."""
    with plain_session(org) as session:
        return session.post(f"{org.org_url}/services/oauth2/token", data=form, timeout=30)


def sign_in_by_assertion(org: RunningOrg, **rest: Any) -> requests.Response:
    """Ask the token endpoint with an assertion."""
    return sign_in(org, grant_type=JWT_BEARER, assertion=assertion(org, **rest))


def test_a_signed_assertion_opens_a_session_and_tells_org_and_address(org: RunningOrg) -> None:
    answer = sign_in_by_assertion(org)

    assert answer.status_code == 200
    told = answer.json()
    assert set(told) == {"access_token", "scope", "instance_url", "id", "token_type"}
    assert told["instance_url"] == org.org_url
    assert told["id"].split("/")[-2] == org.simulator.card.org_id
    assert told["token_type"] == "Bearer"


@pytest.mark.parametrize("audience", ["https://test.salesforce.com", "my domain"])
def test_the_sandbox_host_and_my_domain_are_audiences_too(org: RunningOrg, audience: str) -> None:
    aud = org.org_url if audience == "my domain" else audience
    assert sign_in_by_assertion(org, aud=aud).status_code == 200


def test_an_expiry_written_as_text_is_accepted(org: RunningOrg) -> None:
    assert sign_in_by_assertion(org, exp=str(int(time.time()) + 180)).status_code == 200


def test_an_assertion_signed_with_another_key_is_refused(org: RunningOrg) -> None:
    stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = stranger.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    answer = sign_in_by_assertion(org, key=pem.decode())
    assert answer.status_code == 400
    assert answer.json() == {
        "error": "invalid_grant",
        "error_description": "invalid assertion",
    }


@pytest.mark.parametrize(
    ("claims", "error", "description"),
    [
        ({"aud": "https://evil.example"}, "invalid_grant", "audience is invalid"),
        ({"exp": int(time.time()) - 5}, "invalid_grant", "expired authorization code"),
        ({"exp": int(time.time()) + 3600}, "invalid_grant", "expired authorization code"),
        ({"exp": "soon"}, "invalid_grant", "invalid assertion"),
        ({"iss": "somebody"}, "invalid_client_id", "client identifier invalid"),
        ({"sub": "nobody@acme.example"}, "invalid_grant", "user hasn't approved this consumer"),
    ],
)
def test_an_assertion_with_a_false_claim_is_refused(
    org: RunningOrg, claims: dict[str, Any], error: str, description: str
) -> None:
    answer = sign_in_by_assertion(org, **claims)
    assert answer.status_code == 400
    assert answer.json() == {"error": error, "error_description": description}


def test_client_credentials_work_in_the_body_as_in_the_header(org: RunningOrg) -> None:
    card = org.simulator.card
    answer = sign_in(
        org,
        grant_type="client_credentials",
        client_id=card.consumer_key,
        client_secret=card.consumer_secret,
    )
    assert answer.status_code == 200
    assert {"signature", "issued_at", "api_instance_url"} <= set(answer.json())


def test_a_wrong_secret_is_refused(org: RunningOrg) -> None:
    answer = sign_in(
        org,
        grant_type="client_credentials",
        client_id=org.simulator.card.consumer_key,
        client_secret="guess",
    )
    assert answer.status_code == 401
    assert answer.json()["error"] == "invalid_client"


def test_client_credentials_do_not_work_on_the_generic_host(org: RunningOrg) -> None:
    card = org.simulator.card
    with plain_session(org) as session:
        answer = session.post(
            f"{org.org_url}/services/oauth2/token",
            data={
                "grant_type": "client_credentials",
                "client_id": card.consumer_key,
                "client_secret": card.consumer_secret,
            },
            headers={"Host": "login.salesforce.com"},
            timeout=30,
        )
    assert answer.status_code == 400


def test_a_grant_that_is_not_offered_is_refused(org: RunningOrg) -> None:
    answer = sign_in(org, grant_type="password", username="a", password="b")
    assert answer.status_code == 400
    assert answer.json()["error"] == "unsupported_grant_type"


def test_without_a_session_there_is_no_answer(org: RunningOrg, ask: Ask) -> None:
    org.director.expire_sessions()
    answer = ask("GET", "query?q=SELECT Id FROM Contact")
    assert answer.status_code == 401
    assert answer.json() == [
        {"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}
    ]


def test_an_idle_session_ends_and_use_keeps_it(org: RunningOrg, ask: Ask) -> None:
    for _ in range(3):
        org.director.advance(6000)
        assert ask("GET", "sobjects").status_code == 200
    org.director.advance(7201)
    assert ask("GET", "sobjects").status_code == 401


def test_a_revoked_token_is_worth_nothing(org: RunningOrg) -> None:
    with plain_session(org) as session:
        token = access_token(org, session)
        revoked = session.post(
            f"{org.org_url}/services/oauth2/revoke", data={"token": token}, timeout=30
        )
        after = session.get(
            f"{org.org_url}/services/data/v{API_VERSION}/sobjects",
            headers={"Authorization": f"Bearer {token}"},
            timeout=30,
        )
    assert revoked.status_code == 200
    assert after.status_code == 401
