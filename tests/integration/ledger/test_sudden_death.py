"""A daemon killed between any two statements leaves a ledger that verifies, with whole transactions only."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import orjson
from hypothesis import settings

from salesforce_bridge.ledger.store import Ledger
from tests.integration.ledger.steps import assert_sound
from tests.support.facts import NOON, ORG, contact_id

ROOT = Path(__file__).parents[3]
DEEDS = ("recorded", "settled", "told", "closed")
STATEMENTS = 40  # or more in such a cycle
# Everyday a cycle dies at every fourth of them, on each database at others; `make laws` goes through all.
STRIDE = 1 if settings.get_current_profile_name() == "laws" else 4


def test_a_kill_between_any_two_statements_leaves_a_ledger_that_verifies(
    ledger: Ledger, ledger_url: str
) -> None:
    first = 1 if STRIDE == 1 or ledger_url.startswith("sqlite") else 1 + STRIDE // 2
    program = [sys.executable, "-m", "tests.integration.ledger.dying"]
    finished = subprocess.run(
        [*program, ledger_url, str(first), str(STRIDE)],
        cwd=ROOT,
        check=True,
        capture_output=True,
        timeout=55,
    )
    deaths: list[dict[str, Any]] = [orjson.loads(line) for line in finished.stdout.splitlines()]
    assert deaths[-1]["status"] == 0, finished.stderr.decode()
    assert len(deaths) > STATEMENTS // STRIDE
    for death in deaths:
        assert death["intact"], death
        assert death["refolded"] == [], death
        for deed in DEEDS:
            assert len({*death[deed]}) == 1, f"half of what was {deed}: {death}"
    reached = [sum(death[deed][0] for deed in DEEDS) for death in deaths]
    assert reached == sorted(reached), "whoever lives longer gets further"
    assert {*reached} == {0, 1, 2, 3, 4}
    left_open = [death["step"] for death in deaths if death["recorded"][0] > death["settled"][0]]
    with ledger.begin() as tx:
        assert tx.seal_unknown(ORG, at=NOON) == tuple(map(contact_id, left_open))
    assert_sound(ledger)
