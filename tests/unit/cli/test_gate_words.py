"""The gates in words: all of them, in their order, and nothing without a sentence."""

import pytest

from salesforce_bridge.cli.gate_words import GATES, OBSTACLES, Passage, passages, said
from salesforce_bridge.permissions.bundle import Category
from salesforce_bridge.permissions.gates import STANDALONE, Answer, Failure, Verdict
from salesforce_bridge.permissions.stop_matrix import STOP_MATRIX, Effect, Obstacle
from salesforce_bridge.reconcile.sentences import GATE_SENTENCES

FINE = Answer(verdict=Verdict.ALLOW, reason="ALLOW_CONSENT")


def asked(category: Category, *, live: bool) -> list[str]:
    return [each.gate.key for each in passages(FINE, category=category, live=live) if each.asked]


def test_every_obstacle_has_a_sentence_for_people() -> None:
    assert set(OBSTACLES) == set(Obstacle)


@pytest.mark.parametrize(
    "reason",
    sorted(
        f"{'DENY' if effect in {Effect.BLOCK, Effect.BLOCK_CALLS} else 'HOLD'}_{obstacle.value}"
        for obstacle, row in STOP_MATRIX.items()
        for effect in row.values()
        if effect not in {Effect.NONE, Effect.WARN}
    ),
)
def test_whatever_the_stop_matrix_answers_is_said_in_words(reason: str) -> None:
    assert said(reason) == GATE_SENTENCES[reason]


def test_a_code_that_nobody_knows_is_shown_as_it_is() -> None:
    assert said("DENY_SOMETHING_NEW") == "DENY_SOMETHING_NEW"


def test_marketing_is_asked_every_gate_and_freshness_only_by_a_live_question() -> None:
    everything = [gate.key for gate in GATES]
    assert asked(Category.MARKETING, live=True) == everything
    assert asked(Category.MARKETING, live=False) == [each for each in everything if each != "G10"]


def test_other_messages_are_not_asked_about_the_law_of_channels() -> None:
    assert not {"G9", "G10"} & set(asked(Category.SERVICE, live=True))


@pytest.mark.parametrize("category", sorted(STANDALONE))
def test_messages_on_a_footing_of_their_own_are_asked_two_gates(category: Category) -> None:
    assert asked(category, live=True) == ["G1", "G2"]


def test_a_gate_that_failed_counts_as_asked_and_keeps_its_failures_in_order() -> None:
    failures = (
        Failure(gate="G2", verdict=Verdict.DENY, reason="DENY_MARKETING_OBJECTION"),
        Failure(gate="G2", verdict=Verdict.DENY, reason="DENY_CHANNEL_OPT_OUT"),
        Failure(gate="HELD", verdict=Verdict.HOLD, reason="HOLD_NOT_YET_JUDGED"),
    )
    answer = Answer(verdict=Verdict.DENY, reason=failures[0].reason, failed=failures)
    found = {each.gate.key: each for each in passages(answer, category=Category.VITAL, live=False)}
    assert found["G2"].failures == failures[:2]
    assert found["HELD"] == Passage(gate=GATES[-1], asked=True, failures=failures[2:])
    assert found["G3"].asked is False


def test_where_nothing_was_permitted_there_is_no_time_and_no_proof_to_ask_about() -> None:
    failure = Failure(gate="G5", verdict=Verdict.DENY, reason="DENY_NOT_ESTABLISHED")
    answer = Answer(verdict=Verdict.DENY, reason=failure.reason, failed=(failure,))
    found = passages(answer, category=Category.MARKETING, live=True)
    assert [each.gate.key for each in found if not each.asked] == ["G6", "G7"]
