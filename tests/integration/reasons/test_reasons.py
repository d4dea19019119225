"""Every reason of the catalogue is reached by a real cycle on a real org, and what it promises is true afterwards."""

import json
from collections.abc import Mapping

import pytest

from salesforce_bridge.reconcile.reasons import RETIRED
from tests.integration.reasons import (
    beside,
    bundles,
    claims,
    clock,
    edits,
    flags,
    merges,
    people,
    pushes,
    refusals,
    rights,
    stops,
)
from tests.integration.reasons.beside import Beside
from tests.integration.reasons.promises import (
    CATALOGUE,
    Scenario,
    broken_promises,
    more_than_is_lawful,
    not_whole,
    scenarios_in,
)
from tests.integration.reasons.scene import Scene
from tests.support.orgs import ROOT

BY_SITUATION = (
    *(pushes, stops, flags, rights, claims, edits),
    *(people, merges, clock, bundles, refusals),
)
SCENARIOS: tuple[Scenario, ...] = tuple(
    each for module in BY_SITUATION for each in scenarios_in(vars(module))
)
OTHERS: tuple[Beside, ...] = beside.scenarios_in(vars(beside))
# Codes that no cycle and no verb of the ledger can come to today, each with why.
UNREACHABLE: Mapping[str, str] = {}
# Codes outside the table that are about the bridge itself, and not decided by a cycle or a verb of the ledger.
ABOUT_THE_BRIDGE = frozenset(
    {
        "CYCLE_STARTED",
        "CYCLE_COMPLETED",
        "CYCLE_INCOMPLETE",
        "CHECKPOINT_SIGNED",
        "CHAIN_VERIFIED",
        "CHAIN_BROKEN",
        "EVIDENCE_SHREDDED",
    }
)
EXTRA = frozenset(
    json.loads((ROOT / "tests" / "expected" / "codes.json").read_text("utf-8"))["extra"]
)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda each: each.name)
def test_a_reason_is_sealed_and_keeps_its_promise(scene: Scene, scenario: Scenario) -> None:
    assert "\n".join(broken_promises(scene, scenario)) == ""


@pytest.mark.parametrize("scenario", OTHERS, ids=lambda each: each.name)
def test_a_code_beside_the_table_keeps_its_promise(scene: Scene, scenario: Beside) -> None:
    broken = (*scenario.play(scene), *more_than_is_lawful(scene), *not_whole(scene))
    assert "\n".join(broken) == ""


@pytest.mark.parametrize("code", sorted({*CATALOGUE, *EXTRA} - ABOUT_THE_BRIDGE))
def test_every_code_has_a_scenario_or_a_reason_why_not(code: str) -> None:
    reached = {each.code for each in SCENARIOS} | {each.code for each in OTHERS}
    assert (code in reached) is not (code in UNREACHABLE or code in RETIRED)


def test_every_scenario_is_about_a_code_of_the_catalogue() -> None:
    assert {each.code for each in SCENARIOS} <= CATALOGUE.keys()
    assert {each.code for each in OTHERS} <= EXTRA - ABOUT_THE_BRIDGE
    assert UNREACHABLE.keys() <= CATALOGUE.keys()
