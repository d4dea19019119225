"""The operators: arithmetic, joining text, equality and order, with their rules for blanks."""

from collections.abc import Sequence

from salesforce_bridge.simulator.formula_checks import agreed, expect, wrong
from salesforce_bridge.simulator.formula_functions import calculate, compare
from salesforce_bridge.simulator.formula_scope import Context, Kind, Piece
from salesforce_bridge.simulator.schema import Value


def arithmetic(name: str, pieces: Sequence[Piece]) -> Piece:
    """Calculate; a blank on either side makes the result blank."""
    left, right = pieces
    if name == "+" and Kind.TEXT in {left.kind, right.kind}:
        return joined("+", pieces)
    kind = _arithmetic_kind(name, left.kind, right.kind)
    if kind is None:
        raise wrong(name, left, right)
    run_left, run_right = left.run, right.run

    def arithmetic(context: Context) -> Value:
        first, second = run_left(context), run_right(context)
        return None if first is None or second is None else calculate(name, first, second)

    return Piece(kind, arithmetic)


def _arithmetic_kind(name: str, left: Kind, right: Kind) -> Kind | None:
    dated = {Kind.DATE, Kind.DATETIME}
    numeric = {Kind.NUMBER, Kind.NULL, Kind.ANY}
    if left in numeric and right in numeric:
        return Kind.ANY if Kind.ANY in {left, right} and name in "+-" else Kind.NUMBER
    if name in "+-" and left in dated and right in numeric:
        return Kind.ANY if right is Kind.ANY else left
    if name == "+" and left in numeric and right in dated:
        return right
    if name == "-" and right in dated and left in {right, Kind.ANY}:
        return Kind.NUMBER
    return None


def joined(name: str, pieces: Sequence[Piece]) -> Piece:
    """Join texts; blank text adds nothing."""
    expect(name, pieces[0], Kind.TEXT)
    expect(name, pieces[1], Kind.TEXT)
    left, right = pieces[0].run, pieces[1].run
    return Piece(Kind.TEXT, lambda context: f"{left(context) or ''}{right(context) or ''}" or None)


def equality(name: str, pieces: Sequence[Piece]) -> Piece:
    """Whether two values are equal; blank text equals blank text, a blank number equals nothing."""
    left, right = pieces
    kind = agreed(name, pieces)
    negated = name == "<>"
    run_left, run_right = left.run, right.run

    def of_text(context: Context) -> Value:
        return ((run_left(context) or None) == (run_right(context) or None)) is not negated

    def of_others(context: Context) -> Value:
        first, second = run_left(context), run_right(context)
        if isinstance(first, str) or isinstance(second, str):
            return ((first or None) == (second or None)) is not negated
        # A blank number or moment equals nothing and differs from nothing.
        if first is None or second is None:
            return None
        return (first == second) is not negated

    def of_booleans(context: Context) -> Value:
        return (bool(run_left(context)) == bool(run_right(context))) is not negated

    by_kind = {Kind.TEXT: of_text, Kind.BOOLEAN: of_booleans}
    return Piece(Kind.BOOLEAN, by_kind.get(kind, of_others))


def comparison(name: str, pieces: Sequence[Piece]) -> Piece:
    """Order two values; with a blank on either side the answer is unknown."""
    kind = agreed(name, pieces)
    if kind is Kind.BOOLEAN:
        raise wrong(name, *pieces)
    left, right = pieces[0].run, pieces[1].run

    def comparison(context: Context) -> Value:
        first, second = left(context), right(context)
        return None if first is None or second is None else compare(name, first, second)

    return Piece(Kind.BOOLEAN, comparison)
