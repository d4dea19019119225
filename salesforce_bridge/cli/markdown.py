"""Markdown as the pages of this project write it."""

from collections.abc import Iterable, Iterator, Sequence

DASH = "—"


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """Write a table, one line a row."""
    yield _line(columns)
    yield _line(["---"] * len(columns))
    for row in rows:
        yield _line(row)


def code(word: str) -> str:
    """Set a code apart from words."""
    return f"`{word}`"


def _line(cells: Sequence[object]) -> str:
    return f"| {' | '.join(_cell(each) for each in cells)} |"


def _cell(value: object) -> str:
    return "" if value is None else str(value).replace("|", "\\|").replace("\n", " ")
