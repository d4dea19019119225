"""Watching our own log lines for what nobody may read there: people, secrets and queries."""

import re
from collections.abc import Iterator

from salesforce_bridge.simulator.seed_names import COUNTRIES

_LOG_LINE = re.compile(r'^\{.*"event": ?"[a-z0-9_.]+".*\}$', re.MULTILINE)
_NAMES = frozenset(
    name
    for country in COUNTRIES
    for name in (*country.first_names, *country.last_names)
    if len(name) > 3  # shorter ones are words of other languages and of ours
)
_PRIVATE = (
    re.compile(r"[\w.+-]+(?:@|%40)[\w-]+\.\w+"),
    re.compile(r"\b00D\w{12,15}!|\beyJ[\w-]{10,}\."),
    re.compile(r"(?i)\bselect\b.+\bfrom\b"),
    re.compile(rf"\b(?:{'|'.join(sorted(_NAMES))})\b"),
)


def private_in_logs(text: str) -> Iterator[str]:
    """Name the shape of everything in our log lines that nobody may read there."""
    for line in _LOG_LINE.findall(text):
        for shape in _PRIVATE:
            for match in shape.findall(line):
                yield f"{match!r} in {line[:300]}"
