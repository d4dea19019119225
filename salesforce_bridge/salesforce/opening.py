"""Opening the gate to an org: where it is, who asks, and how patiently."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from salesforce_bridge.permissions.contact_points import PointKeys
from salesforce_bridge.permissions.keys import OrgId
from salesforce_bridge.salesforce.auth import Auth, Credentials
from salesforce_bridge.salesforce.budget import Meter
from salesforce_bridge.salesforce.client import Client, Retries
from salesforce_bridge.salesforce.faults import RecordMalformed
from salesforce_bridge.salesforce.gateway import Gateway
from salesforce_bridge.salesforce.transport import open_session


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where Salesforce is and how patiently it is spoken to."""

    login_url: str
    api_version: str = "66.0"
    ca_file: Path | None = None
    proxy: str | None = None
    connect_timeout: timedelta = timedelta(seconds=10)
    read_timeout: timedelta = timedelta(seconds=60)
    login_timeout: timedelta = timedelta(seconds=30)
    retries: Retries = field(default_factory=Retries)


def open_gateway(
    *,
    endpoint: Endpoint,
    credentials: Credentials,
    keys: PointKeys,
    default_country: str,
    org_id: OrgId | None,
    now: Callable[[], datetime],
    wait: Callable[[float], bool] | None = None,
    set_aside: Callable[[RecordMalformed], None] | None = None,
    proof_keys: Mapping[str, bytes] | None = None,
    features: frozenset[str] | None = None,
) -> Gateway:
    """Make a gateway; nothing is asked of Salesforce yet.

    `wait` is the stop event's own, so that a stop ends waits. Which optional objects the org has is found out,
    unless `features` says it.
    """
    meter = Meter()
    session = open_session(
        meter=meter,
        ca_file=endpoint.ca_file,
        proxy=endpoint.proxy,
        connect_timeout=endpoint.connect_timeout,
        read_timeout=endpoint.read_timeout,
    )
    auth = Auth(
        session=session,
        login_url=endpoint.login_url,
        credentials=credentials,
        login_timeout=endpoint.login_timeout,
        now=now,
        org_id=org_id,
    )
    client = Client(
        session=session,
        meter=meter,
        auth=auth,
        api_version=endpoint.api_version,
        retries=endpoint.retries,
        wait=wait or threading.Event().wait,
    )
    return Gateway(
        client=client,
        keys=keys,
        default_country=default_country,
        proof_keys=proof_keys or {},
        features=features,
        set_aside=set_aside,
    )
