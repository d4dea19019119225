"""Every cell of the decision table and every line of the catalogue, compared with the expected tables."""

import json
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from salesforce_bridge.reconcile.classes import LedgerClass
from salesforce_bridge.reconcile.decisions import DECISIONS, EXTRAS, reason_for
from salesforce_bridge.reconcile.findings import PRECEDENCE, RANK, Extra, Situation
from salesforce_bridge.reconcile.reasons import REASONS, RETIRED, Act, Effect, Reason

EXPECTED = Path(__file__).parents[2] / "expected"
TABLE: dict[str, dict[str, str]] = json.loads((EXPECTED / "decisions.json").read_text("utf-8"))
CATALOGUE: dict[str, dict[str, Any]] = json.loads((EXPECTED / "reasons.json").read_text("utf-8"))
ORDER: list[str] = json.loads((EXPECTED / "precedence.json").read_text("utf-8"))
CODES: dict[str, list[str]] = json.loads((EXPECTED / "codes.json").read_text("utf-8"))
CELLS = tuple(product(Situation, LedgerClass))
STOPPING = (
    Situation.S04_CRM_STOP,
    Situation.S12_FLAG_SET,
    Situation.S14_INDIVIDUAL_RIGHTS_FLAG,
)
VERIFIED = (
    Situation.S05_CRM_GRANT_VERIFIED_LATER,
    Situation.S06_CRM_GRANT_VERIFIED_EARLIER,
)


@pytest.mark.parametrize(
    ("situation", "column"), [(row, column) for row in TABLE for column in TABLE[row]]
)
def test_every_cell_gives_the_expected_reason(situation: str, column: str) -> None:
    assert reason_for(Situation(situation), LedgerClass(column)).code == TABLE[situation][column]


def test_the_table_speaks_of_every_situation_and_every_class_and_of_nothing_else() -> None:
    assert set(TABLE) == {each.value for each in Situation} == set(DECISIONS)
    assert len(CELLS) == 34 * 9
    classes = {each.value for each in LedgerClass}
    assert [row for row, cells in TABLE.items() if set(cells) != classes] == []
    assert [row for row, cells in DECISIONS.items() if set(cells) != classes] == []


@pytest.mark.parametrize("code", sorted(CATALOGUE))
def test_every_reason_is_told_as_the_catalogue_expects(code: str) -> None:
    reason, expected = REASONS[code], CATALOGUE[code]
    assert (reason.code, reason.effect, reason.severity) == (
        code,
        expected["effect"],
        expected["severity"],
    )
    assert (reason.queue, reason.ledger, reason.salesforce) == (
        expected["queue"],
        expected["ledger"],
        expected["salesforce"],
    )


def test_the_catalogue_holds_the_reasons_of_the_table_the_extra_ones_and_those_that_retired() -> (
    None
):
    answered = {reason_for(*cell).code for cell in CELLS}
    assert answered == set(CATALOGUE)
    assert set(REASONS) == answered | set(CODES["extra"]) | set(RETIRED)


def test_a_retired_reason_names_what_is_said_today_and_is_answered_no_more() -> None:
    assert set(RETIRED) == {"SITUATION_NOT_YET_JUDGED"}
    answered = {reason_for(*cell).code for cell in CELLS}
    for code, reason in REASONS.items():
        if code in RETIRED:
            assert reason.successor in answered
            assert code not in answered
        else:
            assert reason.successor is None


@pytest.mark.parametrize("ledger_class", LedgerClass)
def test_what_is_decided_beside_the_situations_means_the_same_for_everybody(
    ledger_class: LedgerClass,
) -> None:
    assert {each: reason_for(each, ledger_class).code for each in Extra} == {
        Extra.PORTABILITY_ASKED: "RIGHTS_CASE_OPENED_PORTABILITY",
        Extra.CLAIM_TIMED_OUT: "QUARANTINE_TIMED_OUT",
        Extra.CASE_DUE_SOON: "RIGHTS_CASE_DUE_SOON",
        Extra.CASE_OVERDUE: "RIGHTS_CASE_OVERDUE",
    }
    assert set(EXTRAS.values()) <= set(CODES["extra"])


def test_situations_are_acted_on_in_the_expected_order() -> None:
    assert [each.value for each in PRECEDENCE] == ORDER
    assert set(PRECEDENCE) == set(Situation)
    assert sorted(Situation, key=RANK.__getitem__) == list(PRECEDENCE)
    assert len(set(RANK.values())) == len(RANK) - 1  # two reminders share a place


@pytest.mark.parametrize(("situation", "ledger_class"), CELLS)
def test_only_a_checked_proof_raises_and_only_where_nobody_said_no(
    situation: Situation, ledger_class: LedgerClass
) -> None:
    raises = reason_for(situation, ledger_class).effect is Effect.RAISE
    open_to_a_yes = ledger_class in (LedgerClass.L1, LedgerClass.L2, LedgerClass.L5)
    if raises:
        assert situation in VERIFIED
        assert open_to_a_yes
    if situation is VERIFIED[0]:
        assert raises is open_to_a_yes


@pytest.mark.parametrize(("situation", "ledger_class"), tuple(product(STOPPING, LedgerClass)))
def test_a_stop_denies_whatever_the_ledger_holds_except_what_a_service_rests_on(
    situation: Situation, ledger_class: LedgerClass
) -> None:
    service = ledger_class is LedgerClass.L3B and situation is not STOPPING[2]
    expected = Effect.KEEP if service else Effect.DENY
    assert reason_for(situation, ledger_class).effect is expected


@pytest.mark.parametrize(("situation", "ledger_class"), CELLS)
def test_what_the_ledger_does_fits_what_the_effect_promises(
    situation: Situation, ledger_class: LedgerClass
) -> None:
    reason = reason_for(situation, ledger_class)
    permitted = ledger_class in (LedgerClass.L2, LedgerClass.L3A, LedgerClass.L3B)
    if reason.effect is Effect.RAISE:
        assert reason.act in {Act.GRANT, Act.RENEW}
    else:
        assert reason.act not in {Act.GRANT, Act.RENEW}
    if permitted and reason.effect is Effect.DENY:
        # Nobody is told that something ended while it goes on.
        assert reason.act in _ENDING or situation in _GONE


_ENDING = frozenset(
    {
        *(Act.STOP, Act.STOP_CHANNEL, Act.OPEN_RIGHTS_CASE, Act.PROPAGATE_STOP, Act.HOLD),
        *(Act.EXPIRE, Act.REVOKE_BY_POLICY, Act.END_GRANT_OF_OLD_POINT),
        *(Act.LINK_AS_CANDIDATE, Act.QUARANTINE),
    }
)
# With the Contact goes all use of it; the ledger keeps what it holds.
_GONE = frozenset({Situation.S16_CONTACT_DELETED, Situation.S17_CONTACT_PURGED})


@pytest.mark.parametrize("act", [Act.STOP, Act.STOP_CHANNEL, Act.CORROBORATE, Act.PROPAGATE_STOP])
def test_every_reason_that_stops_denies_or_leaves_only_a_service_alone(act: Act) -> None:
    stopping = [reason for reason in REASONS.values() if reason.act is act]
    assert stopping
    for reason in stopping:
        if reason.effect is not Effect.DENY:
            assert reason.code in {
                "STOP_RECORDED_SERVICE_CONTINUES",
                "FLAG_STOP_CHANNEL_MARKETING",
            }


@pytest.mark.parametrize(
    "situation",
    [
        Situation.S10_CRM_BLANKED,
        Situation.S13_FLAG_CLEARED,
        Situation.S16_CONTACT_DELETED,
        Situation.S17_CONTACT_PURGED,
        Situation.S18_CONTACT_UNDELETED,
        Situation.S22_PERM_DELETED,
        Situation.S27_EXPIRY_DUE,
        *(each for each in Situation if "S29" <= each.value < "S34"),
    ],
)
def test_no_blank_deletion_clock_or_policy_ends_a_stop(situation: Situation) -> None:
    reason = reason_for(situation, LedgerClass.L4)
    assert reason.act in {
        *(Act.NOTHING, Act.CLOSE_LINK, Act.CLOSE_LINK_PURGED, Act.LINK, Act.CARRY_TO_SUCCESSOR),
    }
    assert reason.effect is (
        Effect.KEEP if situation is Situation.S32_BASIS_REASSIGNED else Effect.DENY
    )


def test_whoever_has_to_look_is_named_and_every_alarm_calls_somebody() -> None:
    def called(reason: Reason) -> bool:
        return reason.severity.value == "CRIT"

    assert [each.code for each in filter(called, REASONS.values()) if each.queue is None] == []


@pytest.mark.parametrize("code", sorted(CATALOGUE.keys() | set(EXTRAS.values())))
def test_every_reason_is_reached_by_a_claim(code: str) -> None:
    """The other modules here name what they reach; there is no reason that no cycle can give."""
    others = (each for each in Path(__file__).parent.glob("test_*.py") if each != Path(__file__))
    assert any(f'"{code}"' in each.read_text("utf-8") for each in others)
