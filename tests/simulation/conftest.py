"""One org for all tests of the simulator, made as new before each."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
from simple_salesforce.api import Salesforce

from tests.support.orgs import (
    API_VERSION,
    RunningOrg,
    access_token,
    plain_session,
    published_client,
    running_simulator,
)

CONTACTS = 300


@pytest.fixture(scope="session")
def seeded_org() -> Iterator[tuple[RunningOrg, str]]:
    """The org, and the copy of its first moment."""
    with running_simulator(contacts=CONTACTS) as org:
        yield org, org.director.snapshot()


@pytest.fixture
def org(seeded_org: tuple[RunningOrg, str]) -> Iterator[RunningOrg]:
    """The org as it was founded: no trouble, no scripts, no calls."""
    running, first_moment = seeded_org
    yield running
    running.director.clear_faults()
    running.director.clear_scripts()
    running.director.expire_sessions()
    running.director.set_session_timeout(7200)
    running.director.restore(first_moment)
    running.director.reset_calls()


@pytest.fixture
def http(org: RunningOrg) -> Iterator[requests.Session]:
    """A session signed in as the integration user, for looking at the wire itself."""
    with plain_session(org) as session:
        session.headers["Authorization"] = f"Bearer {access_token(org, session)}"
        org.director.reset_calls()
        yield session


@pytest.fixture
def salesforce(org: RunningOrg) -> Iterator[Salesforce]:
    """simple_salesforce, signed in as the integration user."""
    with plain_session(org) as session:
        yield published_client(org, session)


@pytest.fixture
def ask(org: RunningOrg, http: requests.Session) -> Callable[..., requests.Response]:
    """Send one call below /services/data/v66.0."""

    def send(method: str, path: str, **rest: Any) -> requests.Response:
        url = f"{org.org_url}/services/data/v{API_VERSION}/{path}"
        return http.request(method, url, timeout=30, allow_redirects=False, **rest)

    return send
