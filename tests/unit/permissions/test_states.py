"""Every cell of every state table, compared with the expected tables under tests/expected."""

import json
from pathlib import Path

import pytest

from salesforce_bridge.permissions.bases import LawfulBasis
from salesforce_bridge.permissions.events import EventKind
from salesforce_bridge.permissions.states import (
    ASKED,
    LAPSED,
    NEUTRAL,
    STOPPED,
    VALID,
    Machine,
    Move,
    State,
    advance,
    initial,
    machine_of,
)

EXPECTED = Path(__file__).parents[2] / "expected"
TABLES: dict[Machine, dict[str, dict[str, str]]] = {
    machine: json.loads((EXPECTED / f"states_{machine.lower()}.json").read_text("utf-8"))
    for machine in Machine
}
BASES = {
    (LawfulBasis.CONSENT, False): Machine.CONSENT,
    (LawfulBasis.CONSENT, True): Machine.CONSENT,
    (LawfulBasis.LEGITIMATE_INTEREST, False): Machine.OBJECTIONABLE,
    (LawfulBasis.PUBLIC_TASK, False): Machine.OBJECTIONABLE,
    (LawfulBasis.RECOGNISED_LEGITIMATE_INTEREST, False): Machine.OBJECTIONABLE,
    (LawfulBasis.LEGITIMATE_INTEREST, True): Machine.OBJECTIONABLE_MARKETING,
    (LawfulBasis.PUBLIC_TASK, True): Machine.OBJECTIONABLE_MARKETING,
    (LawfulBasis.RECOGNISED_LEGITIMATE_INTEREST, True): Machine.OBJECTIONABLE_MARKETING,
    (LawfulBasis.CONTRACT, False): Machine.PLAIN,
    (LawfulBasis.CONTRACT, True): Machine.PLAIN,
    (LawfulBasis.VITAL_INTEREST, False): Machine.PLAIN,
    (LawfulBasis.VITAL_INTEREST, True): Machine.PLAIN,
    (LawfulBasis.LEGAL_OBLIGATION, False): Machine.OBLIGATION,
    (LawfulBasis.LEGAL_OBLIGATION, True): Machine.OBLIGATION,
}
MISLABELLED = [
    (basis, marketing)
    for (basis, marketing), machine in BASES.items()
    if marketing and machine in {Machine.PLAIN, Machine.OBLIGATION}
]


def read(cell: str, state: State) -> Move:
    """Read a cell of an expected table: the next state, =, ✗ CODE, with * or + behind."""
    if cell.startswith("✗"):
        return Move(next=state, refused=cell.removeprefix("✗ "))
    after = state if cell == "=" else State(cell.rstrip("*+"))
    return Move(
        next=after,
        changed=after is not state,
        needs_person=cell.endswith("*"),
        needs_route=cell.endswith("+"),
    )


@pytest.mark.parametrize(("basis", "marketing"), BASES)
def test_each_basis_moves_by_the_table_the_rules_give_it(
    basis: LawfulBasis, *, marketing: bool
) -> None:
    assert machine_of(basis, marketing=marketing) is BASES[basis, marketing]


@pytest.mark.parametrize(("basis", "marketing"), BASES)
def test_every_cell_of_the_tables_is_as_expected(basis: LawfulBasis, *, marketing: bool) -> None:
    expected = TABLES[BASES[basis, marketing]]
    for word, row in expected.items():
        state = State(word)
        for kind_word, cell in row.items():
            kind = EventKind(kind_word)
            if (basis, marketing) in MISLABELLED and kind is EventKind.OBJECT_MARKETING:
                continue
            move = advance(state, kind, basis=basis, marketing=marketing)
            assert move == read(cell, state), (basis, marketing, state, kind)


@pytest.mark.parametrize(("basis", "marketing"), MISLABELLED)
def test_an_objection_is_never_refused_because_the_purpose_is_mislabelled(
    basis: LawfulBasis, *, marketing: bool
) -> None:
    for word in TABLES[Machine.PLAIN]:
        state = State(word)
        move = advance(state, EventKind.OBJECT_MARKETING, basis=basis, marketing=marketing)
        assert move.refused is None
        assert move.next is (State.ERASED if state is State.ERASED else State.OBJECTED)


@pytest.mark.parametrize(("basis", "marketing"), BASES)
def test_every_state_and_event_has_an_answer(basis: LawfulBasis, *, marketing: bool) -> None:
    table = TABLES[BASES[basis, marketing]]
    kinds = set(next(iter(table.values())))
    for state in State:
        for kind in EventKind:
            move = advance(state, kind, basis=basis, marketing=marketing)
            if state not in table:
                assert move == Move(next=state, refused="BASIS_SWAP_BLOCKED")
            elif kind not in kinds:
                assert move == Move(next=state, refused="EVENT_NOT_FOR_BASIS")


def test_every_table_lists_all_of_its_states() -> None:
    consent = set(TABLES[Machine.CONSENT])
    other = set(TABLES[Machine.PLAIN])
    assert consent | other == {state.value for state in State}
    assert consent & other == {"ERASED"}
    for machine in (Machine.OBJECTIONABLE, Machine.OBJECTIONABLE_MARKETING, Machine.OBLIGATION):
        assert set(TABLES[machine]) == other


def test_the_sets_of_states_do_not_overlap_and_leave_out_two_only() -> None:
    sets = (NEUTRAL, ASKED, VALID, STOPPED, LAPSED)
    together = [state for one in sets for state in one]
    assert len(together) == len(set(together))
    assert set(State) - set(together) == {State.CHALLENGED, State.ERASED}


def test_a_key_begins_where_nothing_has_happened() -> None:
    for basis in LawfulBasis:
        consent = basis is LawfulBasis.CONSENT
        assert initial(basis) is (State.UNKNOWN if consent else State.NOT_ESTABLISHED)
