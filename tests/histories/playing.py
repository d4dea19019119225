"""Playing histories: from the first act to the last, then to rest; and finding the shortest that still fails."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TypeVar

from salesforce_bridge.errors import BridgeError
from salesforce_bridge.ledger.store import Ledger
from tests.histories import operators, people, reviewers, weather
from tests.histories.checks import Broken, look
from tests.histories.scripted import Act, Part, drawn
from tests.histories.stage import Stage, staged
from tests.integration.cycle.living import copied_ledger
from tests.support.ledgers import nonces
from tests.support.orgs import RunningOrg, running_simulator

PARTS: Mapping[str, Part] = {
    **people.PARTS,
    **operators.PARTS,
    **reviewers.PARTS,
    **weather.PARTS,
}
SHORTEST, LONGEST = 20, 60
_ROUNDS_TO_REST = 6
_HOUR = 3_600.0
T = TypeVar("T")
Step = Callable[[Stage], str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Which law a history breaks, and how."""

    law: str
    what: str
    after: int  # so many acts


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What a history came to."""

    words: list[str] = field(default_factory=list)
    codes: Mapping[str, int] = field(default_factory=dict)
    failure: Failure | None = None

    def story(self) -> str:
        """The history in words, and what was wrong at its end."""
        told = [f"{place}. {words}" for place, words in enumerate(self.words, start=1)]
        if self.failure is not None:
            told.append(f"=> {self.failure.law}: {self.failure.what}")
        return "\n".join(told)


class Theatre:
    """One simulator on which histories are played, each in an org of its own and with a ledger of its own."""

    def __init__(
        self, org: RunningOrg, first_moment: str, ledgers: Callable[[], Iterator[Ledger]]
    ) -> None:
        self._org = org
        self._first_moment = first_moment
        self._ledgers = contextmanager(ledgers)

    def play(self, acts: Sequence[Act]) -> Outcome:
        """Play a history to its end, or to the first law that does not hold."""
        return self.tell([partial(_played, act=act) for act in acts])

    def tell(self, steps: Sequence[Step]) -> Outcome:
        """Play steps that somebody chose, then come to rest."""
        outcome, played = Outcome(), 0
        with self._ledgers() as ledger, staged(self._org, self._first_moment, ledger) as stage:
            try:
                for step in (*steps, rests):
                    played += 1
                    outcome.words.append("(this is as far as it went)")
                    told = step(stage)
                    outcome.words.pop()
                    outcome.words.extend(() if told is None else (told,))
            except Broken as broken:
                outcome.failure = Failure(law=broken.law, what=broken.what, after=played)
            except BridgeError as error:
                outcome.failure = Failure(law=type(error).__name__, what=str(error), after=played)
            except Exception as error:  # noqa: BLE001 (whatever a history breaks has to be told with it)
                what = f"{error!r} {_where(error)}"
                outcome.failure = Failure(law=type(error).__name__, what=what, after=played)
            outcome.codes = stage.codes
        return outcome

    def shortest(self, acts: Sequence[Act], failure: Failure, *, seconds: float) -> tuple[Act, ...]:
        """Leave acts out while the same law still breaks, as long as there is time."""
        deadline = time.monotonic() + seconds

        def fails(chosen: Sequence[Act]) -> bool:
            found = self.play(chosen).failure
            return found is not None and found.law == failure.law

        return shortened(
            tuple(acts[: failure.after]), fails, until=lambda: time.monotonic() > deadline
        )


def history_of(seed: int, *, shortest: int = SHORTEST, longest: int = LONGEST) -> tuple[Act, ...]:
    """The history of a seed."""
    return drawn(PARTS, seed, shortest=shortest, longest=longest)


def shortened(
    acts: tuple[T, ...],
    fails: Callable[[Sequence[T]], bool],
    *,
    until: Callable[[], bool],
) -> tuple[T, ...]:
    """Leave out ever smaller pieces of something that fails, from its end, as long as it still does."""
    size = max(1, len(acts) // 2)
    while not until():
        place, smaller = len(acts), acts
        while place > 0 and not until():
            tried = (*smaller[: max(0, place - size)], *smaller[place:])
            if len(tried) < len(smaller) and fails(tried):
                smaller = tried
            place -= size
        if size == 1 and len(smaller) == len(acts):
            break
        if len(smaller) == len(acts):
            size = max(1, size // 2)
        acts = smaller
    return acts


@contextmanager
def theatre(folder: Path) -> Iterator[Theatre]:
    """Open a theatre on SQLite, with everything it needs in a folder."""
    template = folder / "empty.db"
    empty = Ledger(f"sqlite:///{template}", nonces=nonces)
    empty.upgrade()
    empty.close()

    def ledgers() -> Iterator[Ledger]:
        with copied_ledger(template, folder) as ledger:
            yield ledger
        for leftover in folder.glob("?" * 32 + ".db*"):
            leftover.unlink()

    with running_simulator() as org:
        yield Theatre(org, org.director.snapshot(), ledgers)


def rests(stage: Stage) -> str:
    """Put right what people have to put right, and let the bridge come to rest: then every law must hold."""
    stage.director.clear_faults()
    stage.director.clear_scripts()
    stage.restart()
    if stage.bundle.tight_limits:
        weather.PARTS["limits"].play(stage, Act(name="limits"))
    for _ in range(_ROUNDS_TO_REST):
        reviewers.PARTS["closes_the_circuit"].play(stage, Act(name="closes_the_circuit"))
        stage.advance(2 * _HOUR)
        look(stage)
        if stage.calm:
            return "everything is put right, and the bridge comes to rest"
    raise Broken("rest", "the bridge does not come to rest")


def _played(stage: Stage, act: Act) -> str | None:
    return PARTS[act.name].play(stage, act)


def _where(error: BaseException) -> str:
    trace, last = error.__traceback__, None
    while trace is not None:
        last, trace = trace, trace.tb_next
    if last is None:
        return ""
    return f"at {Path(last.tb_frame.f_code.co_filename).name}:{last.tb_lineno}"
