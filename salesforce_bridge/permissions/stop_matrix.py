"""The stop matrix: what each kind of stop does to each category of message, as a table."""

from collections.abc import Mapping
from enum import StrEnum

from salesforce_bridge.permissions.policy import Category


class Obstacle(StrEnum):
    """Everything that can stand in the way of a message, in the order in which it is looked for."""

    MARKETING_OBJECTION = "MARKETING_OBJECTION"
    CHANNEL_OPT_OUT = "CHANNEL_OPT_OUT"
    SUBJECT_STOP_ALL = "SUBJECT_STOP_ALL"
    PROCESSING_RESTRICTED = "PROCESSING_RESTRICTED"
    GROUNDS_CHALLENGE_OPEN = "GROUNDS_CHALLENGE_OPEN"
    NATIONAL_DNC_REGISTER = "NATIONAL_DNC_REGISTER"
    UNDELIVERABLE = "UNDELIVERABLE"
    SUPPRESSED_MARKETING = "SUPPRESSED_MARKETING"
    SUPPRESSED_ALL = "SUPPRESSED_ALL"
    SUBJECT_ERASED = "SUBJECT_ERASED"
    SUBJECT_DECEASED = "SUBJECT_DECEASED"
    MINOR_WITHOUT_GUARDIAN = "MINOR_WITHOUT_GUARDIAN"


class Effect(StrEnum):
    """What an obstacle does to a message."""

    NONE = "-"
    WARN = "warn"  # the message may go, but its sender should know
    HOLD = "hold"
    BLOCK = "block"
    BLOCK_CALLS = "block-calls"  # live calls only, unless the person consented to just these


_TABLE = """
stop                   MARKETING   SERVICE CORRESPONDENCE LEGAL_NOTICE CLAIMS VITAL
MARKETING_OBJECTION    block       -       -              -            -      -
CHANNEL_OPT_OUT        block       warn    -              warn         -      -
SUBJECT_STOP_ALL       block       hold    block          -            -      -
PROCESSING_RESTRICTED  block       hold    hold           -            -      -
GROUNDS_CHALLENGE_OPEN block       hold    -              -            -      -
NATIONAL_DNC_REGISTER  block-calls -       -              -            -      -
UNDELIVERABLE          block       hold    hold           hold         hold   -
SUPPRESSED_MARKETING   block       -       -              -            -      -
SUPPRESSED_ALL         block       block   block          hold         hold   -
SUBJECT_ERASED         block       block   block          hold         hold   hold
SUBJECT_DECEASED       block       hold    hold           hold         -      -
MINOR_WITHOUT_GUARDIAN block       hold    hold           -            -      -
"""


def _read(table: str) -> Mapping[Obstacle, Mapping[Category, Effect]]:
    header, *rows = (line.split() for line in table.strip().splitlines())
    categories = [Category(word) for word in header[1:]]
    return {
        Obstacle(first): dict(zip(categories, map(Effect, cells), strict=True))
        for first, *cells in rows
    }


STOP_MATRIX = _read(_TABLE)
