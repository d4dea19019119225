"""What each code says to people who do not know the law."""

import json
from pathlib import Path

import pytest

from salesforce_bridge.permissions.bases import LawfulBasis
from salesforce_bridge.permissions.stop_matrix import STOP_MATRIX, Effect
from salesforce_bridge.reconcile.reasons import REASONS
from salesforce_bridge.reconcile.sentences import (
    GATE_SENTENCES,
    REFUSAL_SENTENCES,
    SENTENCES,
    STATUS_SENTENCES,
    explained,
    sentence_for,
)
from salesforce_bridge.reconcile.words import Status

CODES: dict[str, list[str]] = json.loads(
    (Path(__file__).parents[2] / "expected" / "codes.json").read_text("utf-8")
)
EVERY = {**SENTENCES, **GATE_SENTENCES, **REFUSAL_SENTENCES} | {
    status.value: sentence for status, sentence in STATUS_SENTENCES.items()
}


@pytest.mark.parametrize("code", sorted({code for codes in CODES.values() for code in codes}))
def test_every_code_of_the_ledger_and_of_the_gates_has_a_sentence(code: str) -> None:
    assert explained(code) is not None


@pytest.mark.parametrize("code", sorted(EVERY))
def test_a_sentence_is_short_and_plain(code: str) -> None:
    sentence = EVERY[code]
    assert sentence.endswith((".", "?"))
    assert sentence[0].isupper()
    assert len(sentence) <= 255  # characters in a Salesforce text field
    for word in ("consent", "optin", "opt-in", "art.", "gdpr", "data", "_"):
        assert word not in sentence.lower()


def test_every_answer_of_the_stop_matrix_has_a_sentence() -> None:
    for obstacle, row in STOP_MATRIX.items():
        for effect in row.values():
            if effect in (Effect.BLOCK, Effect.BLOCK_CALLS):
                assert f"DENY_{obstacle.value}" in GATE_SENTENCES
            elif effect is Effect.HOLD:
                assert f"HOLD_{obstacle.value}" in GATE_SENTENCES


def test_every_basis_has_a_sentence_of_its_own() -> None:
    told = {GATE_SENTENCES[f"ALLOW_{basis.value}"] for basis in LawfulBasis}
    assert len(told) == len(LawfulBasis)


def test_what_has_no_sentence_is_told_by_what_is_shown() -> None:
    assert explained("TOLD_BY_NOBODY") is None
    for status, sentence in STATUS_SENTENCES.items():
        assert sentence_for("TOLD_BY_NOBODY", status) == sentence
    assert sentence_for("STOP_HONOURED", Status.STOPPED) == REASONS["STOP_HONOURED"].sentence
