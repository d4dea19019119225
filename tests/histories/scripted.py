"""What a history is made of: acts with a few numbers, so that a shorter history still means something.

Which Contact or row an act is about is only found when it is played: a number is taken modulo what is
there then. An act that has nothing to act on is passed over.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import TypeVar

from tests.histories.stage import Stage

Option = TypeVar("Option")
MOST = 1 << 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One step of a history."""

    name: str
    who: int = 0
    what: int = 0
    how: int = 0

    def one(self, options: Sequence[Option], number: int) -> Option | None:
        """Take one of some options; None of none."""
        return options[number % len(options)] if options else None


Played = Callable[[Stage, Act], str | None]
"""Does something, and says in words what; None where there was nothing to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Something that can happen, and how often it does."""

    weight: int
    play: Played


def drawn(parts: Mapping[str, Part], seed: int, *, shortest: int, longest: int) -> tuple[Act, ...]:
    """Draw the history of a seed."""
    random = Random(seed)
    names = tuple(sorted(parts))
    weights = tuple(parts[name].weight for name in names)
    length = random.randint(shortest, longest)
    # Mostly the bridge has met everybody before anything happens; seldom it is only installed later.
    met = () if seed % 8 == 5 else ("cycles",)
    beginning = tuple(_act(name, random) for name in ("meets", "meets", *met))
    chosen = random.choices(names, weights, k=length)
    return (*beginning, *(_act(name, random) for name in chosen))


def _act(name: str, random: Random) -> Act:
    return Act(
        name=name,
        who=random.randrange(MOST),
        what=random.randrange(MOST),
        how=random.randrange(MOST),
    )
