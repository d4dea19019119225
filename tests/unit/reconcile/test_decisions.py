"""Every cell of the decision table and every line of the catalogue, compared with the expected tables."""

import json
from pathlib import Path
from typing import Any

import pytest

from salesforce_bridge.reconcile.classes import LedgerClass
from salesforce_bridge.reconcile.decisions import DECISIONS, reason_for
from salesforce_bridge.reconcile.findings import PRECEDENCE, RANK, Situation
from salesforce_bridge.reconcile.reasons import NOT_YET_JUDGED, REASONS, Act, Effect

EXPECTED = Path(__file__).parents[2] / "expected"
TABLE: dict[str, dict[str, str]] = json.loads((EXPECTED / "decisions.json").read_text("utf-8"))
CATALOGUE: dict[str, dict[str, Any]] = json.loads((EXPECTED / "reasons.json").read_text("utf-8"))
ORDER: list[str] = json.loads((EXPECTED / "precedence.json").read_text("utf-8"))
NOT_JUDGED_YET = frozenset(Situation) - DECISIONS.keys()
JUDGED = (
    *("S01", "S02", "S03", "S04", "S07", "S08", "S10", "S11", "S12", "S13", "S15", "S16"),
    *("S18", "S19", "S20", "S21", "S22", "S23", "S27"),
)


@pytest.mark.parametrize(
    ("situation", "column"), [(row, column) for row in TABLE for column in TABLE[row]]
)
def test_every_cell_gives_the_expected_reason_or_waits_for_a_person(
    situation: str, column: str
) -> None:
    reason = reason_for(Situation(situation), LedgerClass(column))
    if situation[:3] in JUDGED:
        assert reason.code == TABLE[situation][column]
    else:
        assert reason.code == NOT_YET_JUDGED


def test_the_table_speaks_of_every_situation_and_every_class() -> None:
    assert set(TABLE) == {each.value for each in Situation}
    for row in TABLE.values():
        assert set(row) == {each.value for each in LedgerClass}


def test_the_judged_situations_are_these_and_no_others() -> None:
    assert {each.value[:3] for each in DECISIONS} == set(JUDGED)


def test_what_is_not_judged_yet_holds_and_calls_somebody() -> None:
    reason = REASONS[NOT_YET_JUDGED]
    assert (reason.effect, reason.act) == (Effect.HOLD, Act.HOLD)
    assert reason.queue is not None
    assert len(NOT_JUDGED_YET) == 34 - len(JUDGED)


@pytest.mark.parametrize("code", sorted(set(REASONS) - {NOT_YET_JUDGED}))
def test_every_reason_has_the_expected_effect_weight_and_queue(code: str) -> None:
    reason, expected = REASONS[code], CATALOGUE[code]
    assert reason.effect == expected["effect"]
    assert reason.severity == expected["severity"]
    assert reason.queue == expected["queue"]
    assert reason.code == code
    assert reason.sentence.endswith((".", "?"))


def test_the_catalogue_holds_exactly_the_reasons_that_the_table_can_answer() -> None:
    answered = {code for row in DECISIONS.values() for code in row.values()}
    assert set(REASONS) == answered | {NOT_YET_JUDGED}


def test_situations_are_acted_on_in_the_expected_order() -> None:
    assert [each.value for each in PRECEDENCE] == ORDER
    assert set(PRECEDENCE) == set(Situation)
    assert [RANK[each] for each in PRECEDENCE] == list(range(len(PRECEDENCE)))


def test_nothing_that_is_judged_raises() -> None:
    assert not [code for code, reason in REASONS.items() if reason.effect is Effect.RAISE]


@pytest.mark.parametrize("situation", [Situation.S04_CRM_STOP, Situation.S12_FLAG_SET])
@pytest.mark.parametrize("column", LedgerClass)
def test_a_stop_denies_whatever_the_ledger_holds_except_what_a_service_rests_on(
    situation: Situation, column: LedgerClass
) -> None:
    expected = Effect.KEEP if column is LedgerClass.L3B else Effect.DENY
    assert reason_for(situation, column).effect is expected


@pytest.mark.parametrize("act", [Act.STOP, Act.STOP_CHANNEL, Act.CORROBORATE, Act.PROPAGATE_STOP])
def test_every_reason_that_stops_denies_or_leaves_only_a_service_alone(act: Act) -> None:
    for reason in REASONS.values():
        if reason.act is act and reason.effect is not Effect.DENY:
            assert reason.code in {
                "STOP_RECORDED_SERVICE_CONTINUES",
                "FLAG_STOP_CHANNEL_MARKETING",
            }


NOBODY_IS_UNLINKED = "whoever is not known is met at once, so no record is without a person"
NOTHING_IS_ERASED = "nothing appends an erasure yet"
ONLY_STOPS_ARE_SHARED = (
    "an address that is shared is found only when a stop has to be carried along it"
)
UNREACHABLE = {
    "SUBJECT_UNLINKED_REPORTED": NOBODY_IS_UNLINKED,
    "ECHO_WITHOUT_LEDGER": NOBODY_IS_UNLINKED,
    "ERASED_RECORD_STILL_PRESENT": NOTHING_IS_ERASED,
    "ERASURE_CONFIRMED_IN_CRM": NOTHING_IS_ERASED,
    "PUSH_ERASURE": NOTHING_IS_ERASED,
    "STOP_SUPPRESSION_REAFFIRMED": NOTHING_IS_ERASED,
    "GRANT_AFTER_ERASURE_REJECTED": NOTHING_IS_ERASED,
    "CONTACT_MATCHES_SUPPRESSION": NOTHING_IS_ERASED,
    "UNDELETE_OF_ERASED_BLOCKED": NOTHING_IS_ERASED,
    "UPDATE_OF_ERASED_BLOCKED": NOTHING_IS_ERASED,
    "MERGE_WITH_ERASED_REVIEW": NOTHING_IS_ERASED,
    "DUPLICATE_FLAGGED": ONLY_STOPS_ARE_SHARED,
    "DUPLICATE_GRANT_NOT_SHARED": ONLY_STOPS_ARE_SHARED,
    "DUPLICATE_UNLINKED_REVIEW": ONLY_STOPS_ARE_SHARED,
}


@pytest.mark.parametrize("code", sorted(REASONS))
def test_every_reason_that_can_be_reached_is_reached_by_a_claim(code: str) -> None:
    """The other modules here name what they reach; what is named nowhere is listed here, with why."""
    others = (each for each in Path(__file__).parent.glob("test_*.py") if each != Path(__file__))
    claims = "".join(each.read_text("utf-8") for each in others)
    assert (f'"{code}"' in claims) is not (code in UNREACHABLE)
