"""The functions that decide: conditions, choices, blanks, and what a save is about to change."""

from collections.abc import Callable, Sequence

from salesforce_bridge.simulator.formula_checks import agreed, expect, refuse_picklist, wrong
from salesforce_bridge.simulator.formula_functions import spelled
from salesforce_bridge.simulator.formula_scope import Context, Kind, Piece
from salesforce_bridge.simulator.formula_syntax import FormulaRefused
from salesforce_bridge.simulator.schema import Value

BLANKS: tuple[Value, ...] = (None, "")


def every_of(name: str, pieces: Sequence[Piece]) -> Piece:
    """AND: what is unknown counts as false."""
    runs = _conditions(name, pieces)

    def every(context: Context) -> Value:
        for run in runs:  # noqa: SIM110  # a plain loop, for this runs a dozen times a record
            if not run(context):
                return False
        return True

    return Piece(Kind.BOOLEAN, every)


def some_of(name: str, pieces: Sequence[Piece]) -> Piece:
    """OR: what is unknown counts as false."""
    runs = _conditions(name, pieces)

    def some(context: Context) -> Value:
        for run in runs:  # noqa: SIM110  # a plain loop, for this runs a dozen times a record
            if run(context):
                return True
        return False

    return Piece(Kind.BOOLEAN, some)


def negation_of(name: str, pieces: Sequence[Piece]) -> Piece:
    """NOT, which leaves the unknown unknown."""
    (run,) = _conditions(name, pieces)

    def negation(context: Context) -> Value:
        value = run(context)
        # What is unknown stays unknown when it is negated.
        return None if value is None else not value

    return Piece(Kind.BOOLEAN, negation)


def if_then(name: str, pieces: Sequence[Piece]) -> Piece:
    """IF: an unknown condition takes the second way."""
    condition, then, otherwise = pieces
    expect(name, condition, Kind.BOOLEAN)
    kind = agreed(name, (then, otherwise))
    run, yes, no = condition.run, then.run, otherwise.run
    return Piece(kind, lambda context: yes(context) if run(context) else no(context))


def choice_of(name: str, pieces: Sequence[Piece]) -> Piece:
    """CASE: the result beside the first value that equals the subject, else the last one."""
    if len(pieces) % 2:
        raise FormulaRefused(f"Incorrect number of parameters for function {name}")
    subject, *rest, otherwise = pieces
    whens, thens = rest[0::2], rest[1::2]
    _check_choice(name, subject, whens)
    kind = agreed(name, (*thens, otherwise))
    if Kind.BOOLEAN in {kind, subject.kind}:
        raise wrong(name, subject, otherwise)
    blank_matches = subject.kind in {Kind.TEXT, Kind.PICKLIST}
    choices = tuple((when.run, then.run) for when, then in zip(whens, thens, strict=True))
    run, last = subject.run, otherwise.run

    def choice(context: Context) -> Value:
        value = run(context)
        if value in BLANKS and not blank_matches:
            return last(context)
        for when, then in choices:
            if (when(context) or None) == (value or None):
                return then(context)
        return last(context)

    return Piece(kind, choice)


def _check_choice(name: str, subject: Piece, whens: Sequence[Piece]) -> None:
    if subject.kind is not Kind.PICKLIST:
        agreed(name, (subject, *whens))
    elif not all(when.literal and when.kind is Kind.TEXT for when in whens):
        raise FormulaRefused(f"Function {name} compares a picklist with text literals only")


def is_picklist_value(name: str, pieces: Sequence[Piece]) -> Piece:
    """ISPICKVAL, where an empty literal stands for nothing chosen."""
    subject, wanted = pieces
    if subject.kind not in {Kind.PICKLIST, Kind.ANY} or subject.field is None:
        raise FormulaRefused(f"Function {name} takes a picklist field, not {subject.kind}")
    if not wanted.literal or wanted.kind is not Kind.TEXT:
        raise FormulaRefused(f"Function {name} takes a text literal as its second parameter")
    run, literal = subject.run, wanted.run
    return Piece(Kind.BOOLEAN, lambda context: (run(context) or None) == literal(context))


def text_of(name: str, pieces: Sequence[Piece]) -> Piece:
    """TEXT: a number, a moment or a choice in writing."""
    expect(name, pieces[0], Kind.NUMBER, Kind.DATE, Kind.DATETIME, Kind.PICKLIST)
    run = pieces[0].run
    return Piece(Kind.TEXT, lambda context: spelled(run(context)) or None)


def is_blank(name: str, pieces: Sequence[Piece]) -> Piece:
    """ISBLANK and ISNULL, which differ on text alone."""
    refuse_picklist(name, pieces)
    if pieces[0].kind is Kind.BOOLEAN:
        raise wrong(name, pieces[0])
    if name == "ISNULL" and pieces[0].kind is Kind.TEXT:
        # Text is never null to ISNULL, not even when it is blank.
        return Piece(Kind.BOOLEAN, lambda _: False)
    run = pieces[0].run
    return Piece(Kind.BOOLEAN, lambda context: run(context) in BLANKS)


def instead_of_blank(name: str, pieces: Sequence[Piece]) -> Piece:
    """BLANKVALUE and NULLVALUE, which differ on text alone."""
    kind = agreed(name, pieces)
    run, substitute = pieces[0].run, pieces[1].run
    if name == "NULLVALUE" and kind is Kind.TEXT:
        return Piece(kind, run)

    def filled(context: Context) -> Value:
        value = run(context)
        return substitute(context) if value in BLANKS else value

    return Piece(kind, filled)


def is_changed(name: str, pieces: Sequence[Piece]) -> Piece:
    """ISCHANGED, which is false while a record is being created."""
    field = _own_field(name, pieces[0])
    return Piece(Kind.BOOLEAN, lambda context: not context.is_new() and context.changed(field))


def prior_value(name: str, pieces: Sequence[Piece]) -> Piece:
    """PRIORVALUE of a field."""
    path, run = (_own_field(name, pieces[0]),), pieces[0].run

    def prior(context: Context) -> Value:
        # While a record is being created, its fields are their own prior values.
        return run(context) if context.is_new() else context.prior(path)

    return Piece(pieces[0].kind, prior, field=path)


def is_new(_name: str, _pieces: Sequence[Piece]) -> Piece:
    """ISNEW."""
    return Piece(Kind.BOOLEAN, lambda context: context.is_new())


def this_moment(_name: str, _pieces: Sequence[Piece]) -> Piece:
    """NOW."""
    return Piece(Kind.DATETIME, lambda context: context.now())


def this_day(_name: str, _pieces: Sequence[Piece]) -> Piece:
    """TODAY."""
    return Piece(Kind.DATE, lambda context: context.now().date())


def _own_field(name: str, piece: Piece) -> str:
    if piece.field is None or len(piece.field) > 1:
        raise FormulaRefused(f"Function {name} takes a field of the record itself")
    return piece.field[0]


def _conditions(name: str, pieces: Sequence[Piece]) -> tuple[Callable[[Context], Value], ...]:
    for piece in pieces:
        expect(name, piece, Kind.BOOLEAN)
    return tuple(piece.run for piece in pieces)
