"""What is built once, while a module loads, is built the same each time the module is loaded.

The tables that everybody shares are compared with what is expected elsewhere; here they are built while somebody
looks, so that a change in how they are built is noticed as well.
"""

from importlib.util import find_spec, module_from_spec
from types import ModuleType

import pytest

from salesforce_bridge.permissions import rights, states, stop_matrix
from salesforce_bridge.permissions.answers import Failure, Verdict, deny, wait
from salesforce_bridge.permissions.bases import LawfulBasis
from salesforce_bridge.permissions.events import EventKind


def loaded_anew(module: ModuleType) -> ModuleType:
    spec = find_spec(module.__name__)
    assert spec is not None
    assert spec.loader is not None
    copy = module_from_spec(spec)
    spec.loader.exec_module(copy)
    return copy


@pytest.mark.parametrize("marketing", [True, False])
@pytest.mark.parametrize("basis", LawfulBasis)
def test_the_tables_of_states_are_built_anew_cell_by_cell(
    basis: LawfulBasis, *, marketing: bool
) -> None:
    anew = loaded_anew(states)
    for state in states.State:
        for kind in EventKind:
            known = states.advance(state, kind, basis=basis, marketing=marketing)
            built = anew.advance(state, kind, basis=basis, marketing=marketing)
            assert {one: getattr(built, one) for one in MOVE} == {
                one: getattr(known, one) for one in MOVE
            }


MOVE = ("next", "refused", "changed", "needs_person", "needs_route")


def test_the_stop_matrix_is_built_anew_cell_by_cell() -> None:
    anew = loaded_anew(stop_matrix).STOP_MATRIX
    assert {
        obstacle.value: {category.value: effect.value for category, effect in row.items()}
        for obstacle, row in anew.items()
    } == {
        obstacle.value: {category.value: effect.value for category, effect in row.items()}
        for obstacle, row in stop_matrix.STOP_MATRIX.items()
    }


def test_what_each_right_is_worth_is_built_anew_under_every_basis() -> None:
    anew = loaded_anew(rights).RIGHTS
    assert [
        [(basis, one.worth.value, one.article, one.sentence) for basis, one in row.items()]
        for row in anew.values()
    ] == [
        [(basis, one.worth.value, one.article, one.sentence) for basis, one in row.items()]
        for row in rights.RIGHTS.values()
    ]


def test_a_failed_gate_is_named_with_its_verdict_and_reason() -> None:
    assert deny("G3", "PURPOSE_RETIRED") == Failure(
        gate="G3", verdict=Verdict.DENY, reason="DENY_PURPOSE_RETIRED"
    )
    assert wait("G10", "SYNC_STALE") == Failure(
        gate="G10", verdict=Verdict.HOLD, reason="HOLD_SYNC_STALE"
    )
