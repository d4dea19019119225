"""Every command that a page or a hint tells people to type is there, with the options that it is told with."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from salesforce_bridge.cli.main import PROGRAM, app

ROOT = Path(__file__).parents[3]
PAGES = sorted(
    (
        ROOT / "README.md",
        *ROOT.glob("docs/*.md"),
        *ROOT.glob("docs/decisions/*.md"),
        *ROOT.glob("deploy/**/*.md"),
        *ROOT.glob("config/*.toml"),
        *ROOT.glob("config/examples/*.toml"),
    )
)
SOURCES = sorted(ROOT.glob("salesforce_bridge/**/*.py"))
_SPOKEN = re.compile(
    rf"(?<![/\w-]){PROGRAM}(?! that )((?: +(?:-{{1,2}}[a-z-]+|[^\s`\"'|()<>#]+))+)"
)
_NAME = re.compile(r"[a-z][a-z-]*")
_ENDED = re.compile(r"[,;.:]$")


def told_in(text: str) -> Iterator[tuple[str, ...]]:
    """Every call of the program in a text, word by word, up to the end of its clause."""
    for found in _SPOKEN.finditer(text):
        words: list[str] = []
        for word in found[1].split():
            words.append(_ENDED.sub("", word))
            if _ENDED.search(word):
                break
        yield tuple(words)


def unknown_in(words: tuple[str, ...]) -> str | None:
    """The first word of a call that the program would not understand."""
    here: Any = get_command(app)
    context = here.make_context(PROGRAM, [], resilient_parsing=True)
    known = {name for each in here.params for name in each.opts} | {"--help"}
    for word in words:
        if word.startswith("-"):
            if word not in known:
                return word
        elif hasattr(here, "commands"):
            if word not in here.commands:
                return word if _NAME.fullmatch(word) else None
            _, here, _ = here.resolve_command(context, [word])
            known |= {name for each in here.params for name in (*each.opts, *each.secondary_opts)}
    return None


def literals(path: Path) -> Iterator[str]:
    """The texts of a module that somebody may read, without what only its authors read."""
    tree = ast.parse(path.read_text("utf-8"))
    notes = {
        id(each.body[0].value)
        for each in ast.walk(tree)
        if isinstance(each, ast.Module | ast.ClassDef | ast.FunctionDef)
        and each.body
        and isinstance(each.body[0], ast.Expr)
    }
    for each in ast.walk(tree):
        if isinstance(each, ast.Constant) and isinstance(each.value, str) and id(each) not in notes:
            yield each.value


@pytest.mark.parametrize("page", PAGES, ids=lambda each: str(each.relative_to(ROOT)))
def test_every_command_that_a_page_tells_to_type_is_there(page: Path) -> None:
    told = [*told_in(page.read_text("utf-8"))]
    assert {words: word for words in told if (word := unknown_in(words)) is not None} == {}


def test_every_command_that_a_message_names_is_there() -> None:
    told = [words for path in SOURCES for text in literals(path) for words in told_in(text)]
    assert len(told) > 40
    assert {words: word for words in told if (word := unknown_in(words)) is not None} == {}


@pytest.mark.parametrize(
    ("line", "unknown"),
    [
        ("salesforce-bridge reconcile now", "reconcile"),
        ("salesforce-bridge policy check FILE --loudly", "--loudly"),
        ("salesforce-bridge review everything", "everything"),
        ("run salesforce-bridge review list; then think", None),
        ("salesforce-bridge policy diff FILE --json", None),
        ("salesforce-bridge --debug demo, and report", None),
    ],
)
def test_a_command_that_is_not_there_is_found(line: str, unknown: str | None) -> None:
    (words,) = told_in(line)
    assert unknown_in(words) == unknown
