"""On which line of a TOML text something stands: the standard reader does not say."""

import re
from collections.abc import Iterator, Mapping


def lines_of(text: str) -> Mapping[str, int]:
    """Find the line of every table and key of a text that is TOML, by place: `purposes.news.expiry[1].grace`."""
    found: dict[str, int] = {}
    counted: dict[str, int] = {}
    table, depth, quote = "", 0, ""
    for number, line in enumerate(text.splitlines(), start=1):
        rest = line
        if not depth and not quote:
            header = _HEADER.match(line)
            if header is not None:
                for each in _places_to(_parts(header["name"]), counted, many=bool(header["many"])):
                    found.setdefault(each, number)
                    table = each
                continue
            key = _KEY.match(line)
            if key is None:
                continue
            place = table
            for part in _parts(key["name"]):
                place = f"{place}.{part}" if place else part
                found.setdefault(place, number)
            rest = line[key.end() :]
        depth, quote = _still_open(rest, depth, quote)
    return found


def line_of(lines: Mapping[str, int], place: str) -> int:
    """Give the line of a place, or of the nearest place around it that is written down."""
    while place not in lines:
        shorter = _LAST_PART.sub("", place)
        if shorter == place:
            return 1
        place = shorter
    return lines[place]


_WORD = r"""(?:[\w-]+|"(?:\\.|[^"\\])*"|'[^']*')"""
_NAME = rf"{_WORD}(?:\s*\.\s*{_WORD})*"
_HEADER = re.compile(rf"\s*\[(?P<many>\[)?\s*(?P<name>{_NAME})\s*\]")
_KEY = re.compile(rf"\s*(?P<name>{_NAME})\s*=")
_LAST_PART = re.compile(r"""(?:\.?"[^"]*"|\.[^.\[\]]+|\[[^\]]*\]|^[^.\[\]]+)$""")
_TOKEN = re.compile(
    r"""\"\"\"|'''|"(?:\\.|[^"\\])*"|'[^']*'|(?P<comment>\#.*)|(?P<open>[\[{])|(?P<close>[\]}])"""
)
_QUOTES = ('"""', "'''")


def _parts(name: str) -> list[str]:
    return [part.strip("\"'") for part in re.findall(_WORD, name)]


def _places_to(parts: list[str], counted: dict[str, int], *, many: bool) -> Iterator[str]:
    """Name a table and all that it stands in; a list of tables counts its members from one."""
    place = ""
    for position, part in enumerate(parts, start=1):
        place = f"{place}.{part}" if place else part
        yield place
        if many and position == len(parts):
            counted[place] = counted.get(place, 0) + 1
        if place in counted:
            place = f"{place}[{counted[place]}]"
            yield place


def _still_open(rest: str, depth: int, quote: str) -> tuple[int, str]:
    """Say how many brackets, and which quotation mark, are still open at the end of a line."""
    position = 0
    while True:
        if quote:
            end = rest.find(quote, position)
            if end < 0:
                return depth, quote
            position, quote = end + len(quote), ""
        token = _TOKEN.search(rest, position)
        if token is None or token["comment"]:
            return depth, ""
        position = token.end()
        if token[0] in _QUOTES:
            quote = token[0]
        depth += (token["open"] is not None) - (token["close"] is not None)
