"""The tables of the judge are built the same each time their module is loaded."""

from salesforce_bridge.reconcile import decisions, reasons
from tests.unit.permissions.test_tables_closely import loaded_anew

FACTS = (
    "code",
    "act",
    "effect",
    "severity",
    "queue",
    "sentence",
    "ledger",
    "salesforce",
    "successor",
)


def test_the_decision_table_is_built_anew_cell_by_cell() -> None:
    assert loaded_anew(decisions).DECISIONS == decisions.DECISIONS


def test_the_catalogue_of_reasons_is_built_anew_fact_by_fact() -> None:
    anew = loaded_anew(reasons).REASONS
    assert {
        code: {fact: getattr(reason, fact) for fact in FACTS} for code, reason in anew.items()
    } == {
        code: {fact: getattr(reason, fact) for fact in FACTS}
        for code, reason in reasons.REASONS.items()
    }
