"""The grammar of Salesforce formulas, and the tree that a text becomes."""

import re
from dataclasses import dataclass
from typing import TypeAlias

from lark import Lark, Token, Transformer, v_args
from lark.exceptions import LarkError, VisitError

from salesforce_bridge.simulator.schema import Value


class FormulaRefused(Exception):
    """A real org would not save this formula, or the simulator would not honour it faithfully."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Literal:
    """A value written in the formula itself."""

    value: Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A field, possibly of a parent, or one of the `$` globals."""

    path: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A function or an operator, by its name in capitals, with what it is given."""

    name: str
    arguments: "tuple[Node, ...]"


Node: TypeAlias = Literal | Reference | Call


def parse(text: str) -> Node:
    """Read a formula, or refuse it where a real org would say *Syntax error*."""
    try:
        tree: Node = _READER.transform(_GRAMMAR.parse(text))
    except VisitError as error:
        raise FormulaRefused(str(error.orig_exc)) from error
    except LarkError as error:
        first_line = str(error).partition("\n")[0]
        raise FormulaRefused(f"Syntax error: {first_line}") from error
    return tree


_GRAMMAR = Lark(
    r"""
    start: either
    ?either: (either "||")? both            -> either
    ?both: (both "&&")? equality            -> both
    ?equality: comparison | equality EQUALITY comparison          -> infix
    ?comparison: sum | comparison COMPARISON sum                  -> infix
    ?sum: term | sum (PLUS | MINUS | JOIN) term                   -> infix
    ?term: power | term (TIMES | OVER) power                      -> infix
    ?power: unary | power RAISED unary                            -> infix
    ?unary: atom | (MINUS | PLUS | BANG) unary                    -> prefix
    ?atom: NUMBER                           -> number
         | STRING                           -> string
         | NAME                             -> name
         | NAME "(" [either ("," either)*] ")" -> call
         | "(" either ")"

    EQUALITY: "==" | "=" | "<>" | "!="
    COMPARISON: "<=" | ">=" | "<" | ">"
    PLUS: "+"
    MINUS: "-"
    JOIN: "&"
    TIMES: "*"
    OVER: "/"
    RAISED: "^"
    BANG: "!"
    NUMBER: /\d+(\.\d+)?|\.\d+/
    STRING: /"(\\.|[^"\\])*"|'(\\.|[^'\\])*'/s
    NAME: /\$?[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z][A-Za-z0-9_]*)*/
    COMMENT: /\/\*.*?\*\//s
    %ignore COMMENT
    %ignore /\s+/
    """,
    parser="lalr",
    maybe_placeholders=False,
)


class _Reader(Transformer[Token, Node]):
    """Turns lark's tree into ours, reading literals on the way."""

    @v_args(inline=True)
    def start(self, node: Node) -> Node:
        return node

    def either(self, nodes: list[Node]) -> Node:
        return nodes[0] if len(nodes) == 1 else Call(name="OR", arguments=tuple(nodes))

    def both(self, nodes: list[Node]) -> Node:
        return nodes[0] if len(nodes) == 1 else Call(name="AND", arguments=tuple(nodes))

    @v_args(inline=True)
    def infix(self, left: Node, operator: Token, right: Node) -> Node:
        spelled = {"==": "=", "!=": "<>"}.get(str(operator), str(operator))
        return Call(name=spelled, arguments=(left, right))

    @v_args(inline=True)
    def prefix(self, operator: Token, node: Node) -> Node:
        if operator == "!":
            return Call(name="NOT", arguments=(node,))
        if operator == "+":
            return node
        return Call(name="-", arguments=(Literal(value=0), node))

    @v_args(inline=True)
    def number(self, token: Token) -> Node:
        return Literal(value=float(token) if "." in token else int(token))

    @v_args(inline=True)
    def string(self, token: Token) -> Node:
        return Literal(value=_ESCAPE.sub(_unescape, token[1:-1]))

    @v_args(inline=True)
    def name(self, token: Token) -> Node:
        word = str(token)
        if word.upper() in _WORDS:
            return Literal(value=_WORDS[word.upper()])
        return Reference(path=tuple(word.split(".")))

    def call(self, parts: list[Token | Node]) -> Node:
        name, *arguments = parts
        return Call(
            name=str(name).upper(),
            arguments=tuple(each for each in arguments if not isinstance(each, Token)),
        )


_READER = _Reader()
_WORDS: dict[str, Value] = {"TRUE": True, "FALSE": False, "NULL": None}
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_ESCAPED = {"n": "\n", "r": "\r", "t": "\t", "\\": "\\", '"': '"', "'": "'"}


def _unescape(match: re.Match[str]) -> str:
    character = match.group(1)
    if character not in _ESCAPED:
        raise FormulaRefused(f"Invalid escape \\{character} in a text literal")
    return _ESCAPED[character]
