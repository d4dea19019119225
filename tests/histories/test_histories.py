"""Whatever people, operators, clocks and faults do to one small world: after every clean cycle the laws hold."""

from datetime import datetime, timedelta

import pytest

from tests.histories.checks import Broken
from tests.histories.oracle import ANY, Held, Law, No, Oracle, Sighted, Yes, wide
from tests.histories.playing import PARTS, Theatre, history_of, shortened
from tests.histories.scripted import Act
from tests.histories.stage import BEGINNING

EVERYDAY = range(24)
LENGTHS = {"shortest": 12, "longest": 30}
SHRINK_SECONDS = 60
NEWS_BY_EMAIL = ("direct_marketing", "EMAIL")
LAW = Law(marketing=frozenset({"direct_marketing"}), uses=(NEWS_BY_EMAIL,))


def holds(stage: Theatre, seed: int) -> None:
    """Play the history of a seed; where it breaks a law, tell the shortest that does."""
    acts = history_of(seed, **LENGTHS)
    failure = stage.play(acts).failure
    if failure is not None:
        shorter = stage.shortest(acts, failure, seconds=SHRINK_SECONDS)
        pytest.fail(f"the history of seed {seed} breaks a law:\n\n{stage.play(shorter).story()}")


@pytest.mark.parametrize("seed", EVERYDAY)
@pytest.mark.timeout(180)
def test_every_law_holds_over_a_random_history(on_sqlite: Theatre, seed: int) -> None:
    holds(on_sqlite, seed)


@pytest.mark.parametrize("seed", [101, 102])
@pytest.mark.timeout(180)
def test_every_law_holds_over_a_random_history_on_postgresql(
    on_postgresql: Theatre, seed: int
) -> None:
    holds(on_postgresql, seed)


def test_a_history_is_the_same_each_time_its_seed_is_played() -> None:
    assert history_of(7) == history_of(7)
    assert history_of(7) != history_of(8)


def test_a_failing_history_is_shortened_to_the_acts_that_it_takes() -> None:
    def fails(acts: object) -> bool:
        assert isinstance(acts, tuple)
        return {3, 17} <= set(acts)

    assert shortened(tuple(range(40)), fails, until=lambda: False) == (3, 17)


def test_whoever_shares_an_address_gets_the_no_and_only_their_own_yes_ends_it() -> None:
    oracle, org = Oracle(), {each.id: each for each in (_seen("A"), _seen("B"))}
    oracle.looks(org, LAW)
    oracle.tells("A", No(words="no", told_at=BEGINNING, channel="EMAIL"))
    oracle.looks(org, LAW)
    assert oracle.stopped("B", NEWS_BY_EMAIL, LAW) is not None
    oracle.says_yes(_yes("B", BEGINNING.replace(hour=10)), direct=True)
    assert oracle.stopped("B", NEWS_BY_EMAIL, LAW) is None
    assert oracle.stopped("A", NEWS_BY_EMAIL, LAW) is not None


def test_a_merge_carries_a_no_past_a_later_yes_of_the_winner() -> None:
    oracle = Oracle()
    oracle.tells("A", No(words="no", told_at=BEGINNING, purpose=ANY))
    oracle.says_yes(_yes("B", BEGINNING.replace(hour=10)), direct=True)
    merged = _seen("A", deleted=True, master="B")
    oracle.looks({"A": merged, "B": _seen("B", email="bob@example.org")}, LAW)
    assert oracle.stopped("B", NEWS_BY_EMAIL, LAW) is not None


def test_a_yes_counts_for_the_address_it_was_given_for_and_for_as_long_as_it_lasts() -> None:
    oracle = Oracle()
    oracle.says_yes(_yes("A", BEGINNING), direct=False)
    assert oracle.proven(_seen("A"), NEWS_BY_EMAIL, BEGINNING)
    assert not oracle.proven(_seen("A", email="Ann@example.org"), NEWS_BY_EMAIL, BEGINNING)
    assert not oracle.proven(_seen("B"), NEWS_BY_EMAIL, BEGINNING)
    assert not oracle.proven(_seen("A"), NEWS_BY_EMAIL, BEGINNING.replace(year=2029))


def test_addresses_match_wide() -> None:
    assert wide("EMAIL", "Ann+news@Example.org") == wide("EMAIL", "ann@example.org")
    assert wide("PHONE", "+44 20 7946 0018") == wide("PHONE", "+442079460018")


def test_every_act_of_a_history_is_there_and_can_be_drawn() -> None:
    names = {act.name for seed in range(60) for act in history_of(seed)}
    assert names == PARTS.keys()
    assert Act(name="meets").one((), 3) is None
    assert Broken("law", "what").law == "law"
    assert not Held(no=No(words="no", told_at=BEGINNING, purpose="events")).stands_over(
        NEWS_BY_EMAIL, LAW
    )


def _seen(
    name: str,
    *,
    email: str = "ann@example.org",
    deleted: bool = False,
    master: str | None = None,
) -> Sighted:
    return Sighted(
        id=name,
        deleted=deleted,
        master=master,
        email=email,
        phones=(),
        flags=frozenset(),
        individual=None,
        wishes=frozenset(),
    )


def _yes(name: str, at: datetime) -> Yes:
    return Yes(
        use=NEWS_BY_EMAIL,
        at=at,
        address="ann@example.org",
        contacts={name},
        lasts=timedelta(days=730),
    )
