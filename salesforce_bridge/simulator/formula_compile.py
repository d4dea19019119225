"""From tree to closures, checking kinds on the way as a real org does when a formula is saved."""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from salesforce_bridge.simulator.formula_checks import check_count, expect
from salesforce_bridge.simulator.formula_functions import PLAIN, Plain
from salesforce_bridge.simulator.formula_logic import (
    choice_of,
    every_of,
    if_then,
    instead_of_blank,
    is_blank,
    is_changed,
    is_new,
    is_picklist_value,
    negation_of,
    prior_value,
    some_of,
    text_of,
    this_day,
    this_moment,
)
from salesforce_bridge.simulator.formula_operators import arithmetic, comparison, equality, joined
from salesforce_bridge.simulator.formula_scope import Context, Kind, Piece, Scope
from salesforce_bridge.simulator.formula_syntax import (
    Call,
    FormulaRefused,
    Literal,
    Node,
    Reference,
)
from salesforce_bridge.simulator.schema import Value


def compile_node(node: Node, scope: Scope) -> Piece:
    """Compile one node with all below it."""
    match node:
        case Literal():
            return _literal(node.value)
        case Reference():
            return scope.reference(node.path)
        case Call():
            return _call(node, scope)


def _literal(value: Value) -> Piece:
    kinds = {bool: Kind.BOOLEAN, str: Kind.TEXT, int: Kind.NUMBER, float: Kind.NUMBER}
    kind = Kind.NULL if value is None else kinds[type(value)]
    # Blank text and null are one and the same everywhere in a formula.
    kept = None if value == "" and isinstance(value, str) else value
    return Piece(kind, lambda _: kept, literal=True)


def _call(node: Call, scope: Scope) -> Piece:
    if node.name in ON_SAVE and not scope.on_save:
        raise FormulaRefused(f"Function {node.name} may not be used in this type of formula")
    pieces = [compile_node(each, scope) for each in node.arguments]
    if node.name in SPECIAL:
        (least, most), build = SPECIAL[node.name]
        check_count(node.name, pieces, least=least, most=most)
        return build(node.name, pieces)
    if node.name in PLAIN:
        return _plain(node.name, PLAIN[node.name], pieces)
    raise FormulaRefused(f"Unknown function {node.name}. Check spelling.")


def _plain(name: str, spec: Plain, pieces: Sequence[Piece]) -> Piece:
    check_count(name, pieces, least=len(spec.takes) - spec.optional, most=len(spec.takes))
    for piece, wanted in zip(pieces, spec.takes, strict=False):
        if wanted is Kind.ANY:
            expect(name, piece, Kind.TEXT, Kind.DATE, Kind.DATETIME)
        else:
            expect(name, piece, wanted)
    runs, run = tuple(piece.run for piece in pieces), spec.run
    if spec.takes_blanks:
        return Piece(spec.gives, lambda context: run(*[each(context) for each in runs]))

    def unless_blank(context: Context) -> Value:
        values = [each(context) for each in runs]
        if any(value is None or value == "" for value in values):
            return None
        return run(*values)

    return Piece(spec.gives, unless_blank)


ON_SAVE = frozenset({"ISCHANGED", "ISNEW", "PRIORVALUE"})
_ANY_NUMBER = 10_000
_Builder: TypeAlias = Callable[[str, Sequence[Piece]], Piece]

SPECIAL: Mapping[str, tuple[tuple[int, int], _Builder]] = {
    "&": ((2, 2), joined),
    "AND": ((1, _ANY_NUMBER), every_of),
    "BLANKVALUE": ((2, 2), instead_of_blank),
    "CASE": ((4, _ANY_NUMBER), choice_of),
    "IF": ((3, 3), if_then),
    "ISBLANK": ((1, 1), is_blank),
    "ISCHANGED": ((1, 1), is_changed),
    "ISNEW": ((0, 0), is_new),
    "ISNULL": ((1, 1), is_blank),
    "ISPICKVAL": ((2, 2), is_picklist_value),
    "NOT": ((1, 1), negation_of),
    "NOW": ((0, 0), this_moment),
    "NULLVALUE": ((2, 2), instead_of_blank),
    "OR": ((1, _ANY_NUMBER), some_of),
    "PRIORVALUE": ((1, 1), prior_value),
    "TEXT": ((1, 1), text_of),
    "TODAY": ((0, 0), this_day),
    **dict.fromkeys(("=", "<>"), ((2, 2), equality)),
    **dict.fromkeys(("<", "<=", ">", ">="), ((2, 2), comparison)),
    **dict.fromkeys(("+", "-", "*", "/", "^"), ((2, 2), arithmetic)),
}
