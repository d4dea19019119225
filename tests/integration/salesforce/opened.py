"""Gateways to running simulators."""

from collections.abc import Callable, Mapping
from datetime import timedelta

from salesforce_bridge.permissions.contact_points import PointKeys
from salesforce_bridge.permissions.keys import OrgId
from salesforce_bridge.salesforce.auth import ClientCredentials, Credentials, JwtBearer
from salesforce_bridge.salesforce.client import Retries
from salesforce_bridge.salesforce.faults import RecordMalformed
from salesforce_bridge.salesforce.gateway import Gateway
from salesforce_bridge.salesforce.opening import Endpoint, open_gateway
from tests.support.orgs import RunningOrg
from tests.unit.salesforce.scripted import KEYS

QUICK = Retries(attempts=3, first=timedelta(milliseconds=5), longest=timedelta(milliseconds=20))


def app_of(org: RunningOrg) -> ClientCredentials:
    card = org.simulator.card
    return ClientCredentials(client_id=card.consumer_key, client_secret=card.consumer_secret)


def user_of(org: RunningOrg, *, audience: str = "https://login.salesforce.com") -> JwtBearer:
    card = org.simulator.card
    return JwtBearer(
        client_id=card.consumer_key,
        username=card.username,
        audience=audience,
        private_key=(org.directory / "connected_app.key").read_text(),
    )


def gateway_to(
    org: RunningOrg,
    *,
    credentials: Credentials | None = None,
    org_id: str | None = None,
    read_timeout: float = 10,
    trusting: bool = True,
    wait: Callable[[float], bool] | None = None,
    retries: Retries = QUICK,
    set_aside: Callable[[RecordMalformed], None] | None = None,
    keys: PointKeys = KEYS,
    proof_keys: Mapping[str, bytes] | None = None,
) -> Gateway:
    return open_gateway(
        endpoint=Endpoint(
            login_url=org.org_url,
            ca_file=org.ca_path if trusting else None,
            read_timeout=timedelta(seconds=read_timeout),
            retries=retries,
        ),
        credentials=credentials or app_of(org),
        keys=keys,
        default_country="DE",
        org_id=OrgId(org_id) if org_id else None,
        now=org.director.now,
        wait=wait,
        set_aside=set_aside,
        proof_keys=proof_keys,
    )
