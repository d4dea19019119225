"""Salesforce formulas: compiled once, evaluated for thousands of records."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal

from salesforce_bridge.simulator.formula_compile import compile_node
from salesforce_bridge.simulator.formula_functions import FormulaFailed
from salesforce_bridge.simulator.formula_scope import KINDS, Context, Kind, Scope
from salesforce_bridge.simulator.formula_syntax import (
    Call,
    FormulaRefused,
    Literal,
    Node,
    Reference,
    parse,
)
from salesforce_bridge.simulator.schema import Field, ObjectType, Project, ValidationRule, Value

__all__ = [
    "Context",
    "Formula",
    "FormulaFailed",
    "FormulaRefused",
    "compile_condition",
    "compile_field",
    "compile_formula",
]

CHARACTERS_MAX = 3900
"""Longer texts are refused by a real org."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Formula:
    """A formula ready to run, with what it reads and calls."""

    text: str
    kind: Kind
    fields: frozenset[str]
    """The fields it reads as written, parents' with their path; `$` globals are in `globals`."""
    globals: frozenset[str]
    functions: frozenset[str]
    run: Callable[[Context], Value]

    def evaluate(self, context: Context) -> Value:
        """The value for this record, user and moment; blank text is None."""
        value = self.run(context)
        return None if isinstance(value, str) and not value else value

    def holds(self, context: Context) -> bool:
        """Whether a condition is met; what is unknown is not met."""
        return self.run(context) is True


def compile_formula(
    text: str, *, object_type: ObjectType | None = None, project: Project | None = None
) -> Formula:
    """Compile any formula; with an object, names and kinds are checked as on deployment."""
    return _compile(text, Scope(object_type=object_type, project=project))


def compile_condition(rule: ValidationRule, object_type: ObjectType, project: Project) -> Formula:
    """Compile the condition of a validation rule."""
    formula = compile_formula(rule.condition, object_type=object_type, project=project)
    if formula.kind not in {Kind.BOOLEAN, Kind.NULL}:
        raise FormulaRefused(f"The condition yields {formula.kind}, not Boolean")
    return formula


def compile_field(field: Field, object_type: ObjectType, project: Project) -> Formula:
    """Compile a formula field so that it yields what the field's type can hold."""
    assert field.formula is not None
    scope = Scope(
        object_type=object_type,
        project=project,
        blanks_as_zero=field.blanks_as_zero,
        on_save=False,
    )
    formula = _compile(field.formula, scope)
    if formula.kind not in {KINDS[field.type], Kind.NULL}:
        raise FormulaRefused(
            f"Formula result is data type {formula.kind}, incompatible with {field.type}"
        )
    return replace(formula, run=_fitted(formula.run, field))


def _compile(text: str, scope: Scope) -> Formula:
    if len(text) > CHARACTERS_MAX:
        raise FormulaRefused(f"Formula is too long ({len(text)} characters)")
    tree = parse(text)
    piece = compile_node(tree, scope)
    references = {".".join(node.path) for node in _walk(tree) if isinstance(node, Reference)}
    dollars = {name for name in references if name.startswith("$")}
    return Formula(
        text=text,
        kind=piece.kind,
        fields=frozenset(references - dollars),
        globals=frozenset(dollars),
        functions=frozenset(
            node.name for node in _walk(tree) if isinstance(node, Call) and node.name.isalpha()
        ),
        run=piece.run,
    )


def _walk(node: Node) -> Iterator[Node]:
    yield node
    match node:
        case Call():
            for each in node.arguments:
                yield from _walk(each)
        case Literal() | Reference():
            return


def _fitted(run: Callable[[Context], Value], field: Field) -> Callable[[Context], Value]:
    quantum = Decimal(1).scaleb(-field.scale)

    def fitted(context: Context) -> Value:
        try:
            value = run(context)
        except FormulaFailed:
            # On screen this is #Error!; over the API such a field is null.
            return None
        if field.type == "boolean":
            return bool(value)
        if isinstance(value, bool) or not isinstance(value, int | float):
            return value
        return float(Decimal(str(value)).quantize(quantum, rounding=ROUND_HALF_UP))

    return fitted
