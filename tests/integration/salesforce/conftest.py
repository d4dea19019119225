from collections.abc import Iterator

import pytest

from salesforce_bridge.salesforce.gateway import Gateway
from tests.integration.salesforce.opened import gateway_to
from tests.support.orgs import RunningOrg, running_simulator


@pytest.fixture
def org() -> Iterator[RunningOrg]:
    with running_simulator() as running:
        yield running


@pytest.fixture
def gateway(org: RunningOrg) -> Iterator[Gateway]:
    with gateway_to(org) as opened:
        yield opened
