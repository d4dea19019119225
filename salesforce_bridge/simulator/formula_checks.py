"""The checks of kinds and counts that a real org makes when a formula is saved."""

from collections.abc import Sequence

from salesforce_bridge.simulator.formula_scope import Kind, Piece
from salesforce_bridge.simulator.formula_syntax import FormulaRefused


def expect(name: str, piece: Piece, *kinds: Kind) -> None:
    """Refuse an argument of another kind."""
    if piece.kind not in {*kinds, Kind.NULL, Kind.ANY}:
        refuse_picklist(name, (piece,))
        wanted = ", ".join(kinds)
        raise FormulaRefused(
            f"Incorrect parameter type for {name}. Expected {wanted}, received {piece.kind}"
        )


def agreed(name: str, pieces: Sequence[Piece]) -> Kind:
    """The one kind that all pieces share."""
    refuse_picklist(name, pieces)
    kinds = {piece.kind for piece in pieces} - {Kind.NULL, Kind.ANY}
    if len(kinds) > 1:
        raise wrong(name, *pieces)
    if kinds:
        return kinds.pop()
    return Kind.ANY if any(piece.kind is Kind.ANY for piece in pieces) else Kind.NULL


def refuse_picklist(name: str, pieces: Sequence[Piece]) -> None:
    """Refuse a picklist outside the three functions that take one."""
    for piece in pieces:
        if piece.kind is Kind.PICKLIST:
            field = ".".join(piece.field or ())
            raise FormulaRefused(
                f"Field {field} is a picklist field. Picklist fields are only supported in "
                f"certain functions, not in {name}."
            )


def check_count(name: str, pieces: Sequence[Piece], *, least: int, most: int) -> None:
    """Refuse too few or too many arguments."""
    if not least <= len(pieces) <= most:
        raise FormulaRefused(
            f"Incorrect number of parameters for function {name}. "
            f"Expected {least}, received {len(pieces)}"
        )


def wrong(name: str, *pieces: Piece) -> FormulaRefused:
    """The refusal of kinds that do not go together."""
    kinds = ", ".join(piece.kind for piece in pieces)
    return FormulaRefused(f"Incorrect parameter type for {name}: it cannot take {kinds} together")
