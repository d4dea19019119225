"""The part of SOQL that the simulator speaks: text in, tree out; all else is malformed."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TypeAlias

from lark import Lark, Token, Transformer, UnexpectedInput, UnexpectedToken

from salesforce_bridge.simulator.refusals import RequestRefused

TEXT_MAX = 100_000
_GRAMMAR = r"""
start: query
query: "SELECT"i columns "FROM"i PATH where? order? limit? offset?
columns: COUNT -> count | column ("," column)*
?column: PATH | "(" query ")"
where: "WHERE"i condition
?condition: unit | unit ("AND"i simple)+ -> both | unit ("OR"i simple)+ -> either
?unit: simple | "NOT"i simple -> negated
?simple: comparison | "(" condition ")"
comparison: PATH OPERATOR literal -> compared
    | PATH "LIKE"i STRING -> like
    | PATH "IN"i "(" literal ("," literal)* ")" -> among
    | PATH "NOT"i "IN"i "(" literal ("," literal)* ")" -> outside
!literal: STRING | NUMBER | DATE_TIME | DATE | "TRUE"i | "FALSE"i | "NULL"i
order: "ORDER"i "BY"i ordering ("," ordering)*
ordering: PATH direction? nulls?
!direction: "ASC"i | "DESC"i
!nulls: "NULLS"i ("FIRST"i | "LAST"i)
limit: "LIMIT"i INTEGER
offset: "OFFSET"i INTEGER
COUNT.2: /COUNT\s*\(\s*\)/i
PATH: /[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*/i
OPERATOR: "=" | "!=" | "<>" | "<=" | ">=" | "<" | ">"
STRING: /'(\\.|[^'\\])*'/
DATE_TIME.4: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)/i
DATE.3: /\d{4}-\d\d-\d\d/
INTEGER.1: /\d+(?![\d.])/
NUMBER: /[+-]?\d+(\.\d+)?/
%import common.WS
%ignore WS
"""
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}


@dataclass(frozen=True, slots=True)
class Name:
    """A field, path or object with the place where it was written."""

    text: str
    row: int
    column: int
    offset: int


@dataclass(frozen=True, slots=True)
class Literal:
    """A constant as written: its kind and its text without quotes and escapes."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Compared:
    """`field operator literal`, LIKE included."""

    name: Name
    operator: str
    literal: Literal


@dataclass(frozen=True, slots=True)
class Among:
    """`field IN (…)` or `field NOT IN (…)`."""

    name: Name
    literals: tuple[Literal, ...]
    negated: bool


@dataclass(frozen=True, slots=True)
class Both:
    """All parts hold."""

    parts: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class Either:
    """One part holds at least."""

    parts: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class Negated:
    """The part does not hold."""

    part: "Condition"


Condition: TypeAlias = Compared | Among | Both | Either | Negated


@dataclass(frozen=True, slots=True)
class Ordering:
    """One key of ORDER BY."""

    name: Name
    descending: bool
    nulls_first: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A whole SELECT."""

    columns: tuple["Name | Query", ...]
    counts: bool
    source: Name
    where: Condition | None = None
    order: tuple[Ordering, ...] = ()
    limit: int | None = None
    offset: int = 0


Clause = Callable[[Query], Query]
"""What a clause adds to a query."""


def parse(text: str) -> Query:
    """The tree of a query, or Salesforce's complaint about its text."""
    if len(text) > TEXT_MAX:
        raise RequestRefused(400, "MALFORMED_QUERY", "SOQL statements can't be longer than 100000")
    try:
        query = _parser().parse(text)
    except UnexpectedInput as trouble:
        raise _malformed(text, trouble) from trouble
    assert isinstance(query, Query)
    return query


def complaint(text: str, name: Name, message: str) -> str:
    """A message with the place it speaks of, drawn as Salesforce draws it."""
    start = max(0, name.offset - 30)
    shown = text[start : name.offset + 40].replace("\n", " ")
    caret = " " * (name.offset - start) + "^"
    return f"\n{shown}\n{caret}\nERROR at Row:{name.row}:Column:{name.column}\n{message}"


def _malformed(text: str, trouble: UnexpectedInput) -> RequestRefused:
    offset: int = getattr(trouble, "pos_in_stream", 0)
    wrong = text[offset : offset + 1]
    if isinstance(trouble, UnexpectedToken):
        wrong = "<EOF>" if trouble.token.type == "$END" else str(trouble.token)
    if wrong == "<EOF>":
        return RequestRefused(400, "MALFORMED_QUERY", "unexpected token: '<EOF>'")
    place = Name(wrong, trouble.line, trouble.column, offset)
    message = complaint(text, place, f"unexpected token: '{wrong}'")
    return RequestRefused(400, "MALFORMED_QUERY", message)


@lru_cache(maxsize=1)
def _parser() -> Lark:
    return Lark(_GRAMMAR, parser="lalr", transformer=_Tree())


class _Tree(Transformer[Token, Query]):
    """Builds our values while the parser reduces."""

    def start(self, parts: list[Query]) -> Query:
        return parts[0]

    def query(self, parts: list[object]) -> Query:
        columns, source, *clauses = parts
        assert isinstance(source, Token)
        listed = columns if isinstance(columns, tuple) else ()
        query = Query(columns=listed, counts=columns is None, source=_name(source))
        for clause in clauses:
            assert callable(clause)
            query = clause(query)
        return query

    def columns(self, parts: list[Token | Query]) -> tuple[Name | Query, ...]:
        return tuple(part if isinstance(part, Query) else _name(part) for part in parts)

    def count(self, _parts: list[Token]) -> None:
        return None

    def where(self, parts: list[Condition]) -> Clause:
        return lambda query: replace(query, where=parts[0])

    def order(self, parts: list[Ordering]) -> Clause:
        return lambda query: replace(query, order=tuple(parts))

    def limit(self, parts: list[Token]) -> Clause:
        return lambda query: replace(query, limit=int(parts[0]))

    def offset(self, parts: list[Token]) -> Clause:
        return lambda query: replace(query, offset=int(parts[0]))

    def both(self, parts: list[Condition]) -> Both:
        return Both(tuple(parts))

    def either(self, parts: list[Condition]) -> Either:
        return Either(tuple(parts))

    def negated(self, parts: list[Condition]) -> Negated:
        return Negated(parts[0])

    def compared(self, parts: list[object]) -> Compared:
        path, operator, literal = parts
        assert isinstance(path, Token)
        assert isinstance(literal, Literal)
        written = str(operator)
        return Compared(_name(path), "!=" if written == "<>" else written, literal)

    def like(self, parts: list[Token]) -> Compared:
        # Escapes stay: LIKE must tell an escaped percent sign from a wild one.
        return Compared(_name(parts[0]), "LIKE", Literal("STRING", parts[1][1:-1]))

    def among(self, parts: list[object]) -> Among:
        return _among(parts, negated=False)

    def outside(self, parts: list[object]) -> Among:
        return _among(parts, negated=True)

    def literal(self, parts: list[Token]) -> Literal:
        token = parts[0]
        if token.type == "STRING":
            return Literal("STRING", unescape(token[1:-1]))
        kind = "NUMBER" if token.type == "INTEGER" else token.type
        return Literal(kind, str(token))

    def direction(self, parts: list[Token]) -> tuple[str, bool]:
        return "descending", parts[0].upper() == "DESC"

    def nulls(self, parts: list[Token]) -> tuple[str, bool]:
        return "nulls_first", parts[1].upper() == "FIRST"

    def ordering(self, parts: list[object]) -> Ordering:
        path, *rest = parts
        assert isinstance(path, Token)
        given: dict[str, bool] = dict(part for part in rest if isinstance(part, tuple))
        return Ordering(_name(path), given.get("descending", False), given.get("nulls_first", True))


def unescape(text: str) -> str:
    """A string literal's text without its escapes."""
    if "\\" not in text:
        return text
    letters: list[str] = []
    at = 0
    while at < len(text):
        letter = text[at]
        if letter == "\\":
            at += 1
            letter = _ESCAPES.get(text[at], text[at])
        letters.append(letter)
        at += 1
    return "".join(letters)


def _among(parts: list[object], *, negated: bool) -> Among:
    path, *literals = parts
    assert isinstance(path, Token)
    return Among(
        _name(path),
        tuple(literal for literal in literals if isinstance(literal, Literal)),
        negated,
    )


def _name(token: Token) -> Name:
    return Name(str(token), token.line or 1, token.column or 1, token.start_pos or 0)
