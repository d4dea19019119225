"""The part of the policy's page that no organisation can change: bases, states, gates, stops."""

from collections.abc import Iterator

from salesforce_bridge.cli.gate_words import GATES, OBSTACLES
from salesforce_bridge.cli.markdown import DASH, code, table
from salesforce_bridge.cli.policy_page_words import (
    BASES,
    CATEGORIES,
    MACHINES,
    RIGHTS_WORDS,
    WORTHS,
)
from salesforce_bridge.permissions.bases import OBJECTIONABLE, LawfulBasis
from salesforce_bridge.permissions.bundle import Category
from salesforce_bridge.permissions.conditions import ConditionKind
from salesforce_bridge.permissions.events import EventKind
from salesforce_bridge.permissions.gates import CONDITIONS_OF, STANDALONE
from salesforce_bridge.permissions.rights import RIGHTS
from salesforce_bridge.permissions.states import (
    TABLES,
    VALID,
    Machine,
    Move,
    State,
    advance,
    initial,
)
from salesforce_bridge.permissions.stop_matrix import STOP_MATRIX, Effect

_ARROWS = {
    Effect.NONE: DASH,
    Effect.WARN: "goes, with a warning",
    Effect.HOLD: "waits",
    Effect.BLOCK: "**no**",
    Effect.BLOCK_CALLS: "**no** live calls, unless the person consented to just these",
}
_CONDITIONS = {
    ConditionKind.CONTRACT: "a contract in date",
    ConditionKind.OBLIGATION: "the law and article that oblige us",
    ConditionKind.INCIDENT: "an open incident",
    ConditionKind.TASK: "the law that gives the task",
    ConditionKind.OBJECTION_NOTICE: "that the person was told of the right to object",
}
_COLUMNS = tuple(
    each for each in LawfulBasis if each is not LawfulBasis.RECOGNISED_LEGITIMATE_INTEREST
)
_BASIS_OF = {
    Machine.CONSENT: (LawfulBasis.CONSENT, False),
    Machine.OBJECTIONABLE: (LawfulBasis.LEGITIMATE_INTEREST, False),
    Machine.OBJECTIONABLE_MARKETING: (LawfulBasis.LEGITIMATE_INTEREST, True),
    Machine.PLAIN: (LawfulBasis.CONTRACT, False),
    Machine.OBLIGATION: (LawfulBasis.LEGAL_OBLIGATION, False),
}


def bases_part() -> Iterator[str]:
    """What each lawful basis allows, needs and gives the person."""
    rows = (
        (
            code(basis),
            article,
            allows,
            _needs(basis),
            "yes" if basis in OBJECTIONABLE else "withdraws instead" if consent else "no",
            ends,
        )
        for basis, (article, allows, ends) in BASES.items()
        for consent in [basis is LawfulBasis.CONSENT]
    )
    columns = ("basis", "article", "allows", "is in force with", "object on own grounds", "ends by")
    yield from table(columns, rows)
    yield ""
    yield (
        "Everybody may object to direct marketing at any time, whatever the basis: that is recorded at once and never"
        " weighed. A basis never becomes another one for the same person by itself; consent that was withdrawn is not"
        " replaced by an interest."
    )


def machines_part() -> Iterator[str]:
    """The state diagrams, drawn from the tables that judge."""
    yield (
        "Drawn from the tables that the bridge judges by. Arrows that lead back to where they start, and events that are"
        " refused, are left out. `*`: only by the person's own act. `+`: only if asking was lawful in itself (in a"
        " conversation, or inside a service message). Erasure (`ERASE`) leads from every state to ERASED unless it says"
        " otherwise."
    )
    for machine in TABLES:
        title, words = MACHINES[machine]
        yield from ("", f"### {title}", "", words, "")
        yield from _diagram(machine)
        refused = [f"`{state.value}`" for state in _reached(machine) if _keeps(machine, state)]
        if refused:
            yield from ("", f"Erasure is refused in {', '.join(refused)}.")


def gates_part() -> Iterator[str]:
    """The gates in their order."""
    standalone = ", ".join(code(each) for each in sorted(STANDALONE))
    yield (
        "May we? Every gate is asked; the worst answer counts (DENY, then HOLD, then ALLOW), and the first gate to give it"
        f" names the reason. Messages of the categories {standalone} stand on a legal footing of their own and are asked"
        " the first two gates only. The category belongs to the purpose; nobody chooses it while sending."
    )
    yield ""
    rows = (
        (each.key, each.title, f"{each.asks}{' (marketing only)' * each.marketing_only}")
        for each in GATES
    )
    yield from table(("gate", "about", "asks"), rows)
    yield ""
    yield "`may-use` and `explain` name every gate that was not passed."


def stops_part() -> Iterator[str]:
    """What each stop does to each kind of message."""
    yield "What stands in the way of which kind of message. A stop never ends by itself, by a clock, an import or a policy."
    yield ""
    columns = ("", *(f"{each.value.lower().replace('_', ' ')}" for each in Category))
    rows = (
        (f"{OBSTACLES[obstacle]} `{obstacle.value}`", *(_ARROWS[row[each]] for each in Category))
        for obstacle, row in STOP_MATRIX.items()
    )
    yield from table(columns, rows)
    yield ""
    told = "; ".join(
        f"{each.value.lower().replace('_', ' ')}: {CATEGORIES[each]}" for each in Category
    )
    yield f"Kinds of message: {told}."


def rights_part() -> Iterator[str]:
    """What each right of a person is worth under each basis."""
    yield "What happens when a person makes use of a right, by what the use rests on."
    yield ""
    yield from table(
        ("", *(each.value.lower().replace("_", " ") for each in _COLUMNS)),
        (
            (
                RIGHTS_WORDS[right],
                *(f"{WORTHS[row[basis].worth]} ({row[basis].article})" for basis in _COLUMNS),
            )
            for right, row in RIGHTS.items()
        ),
    )
    yield ""
    yield "A recognised legitimate interest of UK law gives the person the rights of a legitimate interest."
    for right, row in RIGHTS.items():
        yield from ("", f"**{RIGHTS_WORDS[right].capitalize()}**", "")
        told: dict[str, list[str]] = {}
        for basis in _COLUMNS:
            told.setdefault(row[basis].sentence, []).append(basis.value.lower().replace("_", " "))
        for sentence, bases in told.items():
            whom = "" if len(told) == 1 else f"{', '.join(bases)}: "
            yield f"- {whom}{sentence}"


def _needs(basis: LawfulBasis) -> str:
    kinds = [_CONDITIONS[kind] for kind in CONDITIONS_OF[basis]]
    if basis is LawfulBasis.CONSENT:
        kinds = ["a proof of the grade that the purpose asks for, and the notice that was shown"]
    if basis is LawfulBasis.LEGITIMATE_INTEREST:
        kinds = ["an approved assessment in date", *kinds]
    return ", and ".join(kinds)


def _diagram(machine: Machine) -> Iterator[str]:
    """One table as Mermaid; several events between the same two states share an arrow."""
    basis, marketing = _BASIS_OF[machine]
    first = initial(basis)
    yield from ("```mermaid", "stateDiagram-v2", f"    [*] --> {first.value}")
    reached = _reached(machine)
    for state in reached:
        arrows: dict[State, list[str]] = {}
        for kind in _kinds(machine):
            move = advance(state, kind, basis=basis, marketing=marketing)
            if move.changed and kind is not EventKind.ERASE:
                arrows.setdefault(move.next, []).append(f"{kind.value}{_mark(move)}")
        for after, kinds in arrows.items():
            yield f"    {state.value} --> {after.value}: {', '.join(kinds)}"
    permits = ",".join(state.value for state in reached if state in VALID)
    yield "    classDef permits font-weight:bold,stroke-width:3px"
    yield f"    class {permits} permits"
    yield "```"


def _mark(move: Move) -> str:
    return "*" * move.needs_person + "+" * move.needs_route


def _kinds(machine: Machine) -> tuple[EventKind, ...]:
    header = TABLES[machine].strip().splitlines()[0].split()
    return tuple(EventKind(word) for word in header[1:])


def _reached(machine: Machine) -> tuple[State, ...]:
    """The states that anything but an erasure leads to, in the order of the table."""
    basis, marketing = _BASIS_OF[machine]
    found, new = set[State](), {initial(basis)}
    while new:  # ends: there are as many rounds as states at most
        found |= new
        moves = (
            advance(state, kind, basis=basis, marketing=marketing)
            for state in new
            for kind in _kinds(machine)
            if kind is not EventKind.ERASE
        )
        new = {move.next for move in moves if move.changed} - found
    return tuple(state for state in State if state in found)


def _keeps(machine: Machine, state: State) -> bool:
    basis, marketing = _BASIS_OF[machine]
    move = advance(state, EventKind.ERASE, basis=basis, marketing=marketing)
    return move.refused is not None
