"""Histories of people merged and parted that once broke a law: none of them may do so again."""

from datetime import timedelta
from functools import partial

import pytest

from tests.histories.playing import Theatre
from tests.histories.steps import (
    A_AND_B,
    CALLS,
    MAIL,
    POST,
    SHARED_PHONE,
    agrees,
    brings_a_stop_by_address,
    brings_a_withdrawal,
    case_is_answered,
    deletes,
    holds,
    meets,
    merges,
    passes,
    proves,
    runs,
    stops,
    takes_back,
    types_stop,
    undeletes,
    wants_to_be_forgotten,
)


@pytest.mark.parametrize("minutes", [1, 60 * 24])
def test_a_no_of_somebody_merged_away_before_the_bridge_came_reaches_the_winner(
    on_sqlite: Theatre, minutes: int
) -> None:
    holds(
        on_sqlite,
        partial(meets, email="ann@example.org", flag="DoNotCall"),
        partial(meets, email="bob@example.org"),
        partial(merges, loser="A", winner="B"),
        partial(passes, minutes=minutes),
        runs,
    )


def test_a_no_of_somebody_who_was_merged_away_reaches_who_they_are_now(on_sqlite: Theatre) -> None:
    holds(
        on_sqlite,
        *A_AND_B,
        partial(merges, loser="A", winner="B"),
        runs,
        partial(agrees, name="B", use=CALLS, ago=timedelta(minutes=1)),
        runs,
        partial(stops, name="A"),
    )


def test_a_proven_yes_on_a_row_of_somebody_else_is_not_taken_for_whoever_it_hangs_on(
    on_sqlite: Theatre,
) -> None:
    holds(
        on_sqlite,
        *A_AND_B,
        partial(merges, loser="B", winner="A"),
        partial(undeletes, name="B"),
        partial(proves, name="B", use=POST),
    )


def test_a_file_that_says_no_for_somebody_merged_away_means_who_they_are_now(
    on_sqlite: Theatre,
) -> None:
    holds(
        on_sqlite,
        partial(meets, email="ann@example.org"),
        partial(meets, email="bob@example.org"),
        runs,
        partial(merges, loser="A", winner="B"),
        runs,
        partial(brings_a_withdrawal, name="A"),
        runs,
    )


def test_a_no_that_was_taken_back_where_it_was_carried_is_not_carried_past_that(
    on_sqlite: Theatre,
) -> None:
    holds(
        on_sqlite,
        partial(meets, email="ann@example.org"),
        partial(meets, email="bob@example.org"),
        partial(meets, email="cid@example.org"),
        runs,
        partial(types_stop, name="A", use=MAIL),
        runs,
        partial(merges, loser="A", winner="B"),
        runs,
        partial(takes_back, name="B"),
        runs,
        partial(merges, loser="B", winner="C"),
        runs,
    )


def test_a_no_of_whoever_shares_an_address_counts_from_the_last_time_for_who_parts_from_it(
    on_sqlite: Theatre,
) -> None:
    holds(
        on_sqlite,
        partial(meets, email="ann@example.org"),
        partial(meets, email="bob@example.org"),
        partial(meets, email="ann@example.org"),
        partial(meets, email="ann@example.org"),
        runs,
        partial(types_stop, name="C", use=MAIL),
        runs,
        partial(passes, minutes=60),
        partial(merges, loser="B", winner="A"),
        runs,
        partial(types_stop, name="D", use=MAIL),
        runs,
        partial(undeletes, name="B"),
        runs,
        partial(
            agrees,
            name="B",
            use=MAIL,
            ago=timedelta(minutes=30),
            refused="GRANT_PREDATES_STOP_REJECTED",
        ),
        runs,
    )


def test_whoever_was_merged_into_somebody_erased_parts_from_nobody_when_that_one_began_anew(
    on_sqlite: Theatre,
) -> None:
    holds(
        on_sqlite,
        partial(meets, email="ann@example.org"),
        partial(meets, email="bob@example.org"),
        partial(wants_to_be_forgotten, name="A"),
        runs,
        partial(merges, loser="B", winner="A"),
        runs,
        case_is_answered,
        runs,
        partial(agrees, name="A", use=MAIL, ago=timedelta(seconds=1)),
        partial(undeletes, name="B"),
        runs,
    )


def test_a_no_on_a_row_of_somebody_merged_away_reaches_who_took_over_and_is_gone(
    on_sqlite: Theatre,
) -> None:
    holds(
        on_sqlite,
        partial(meets, email="ann@example.org"),
        partial(meets, email="bob@example.org"),
        runs,
        partial(merges, loser="B", winner="A"),
        partial(deletes, name="A"),
        runs,
        partial(meets, email="ann@example.org"),
        runs,
        partial(types_stop, name="B", use=MAIL),
        runs,
    )


def test_a_no_of_somebody_undeleted_and_merged_away_between_two_looks_reaches_the_winner(
    on_sqlite: Theatre,
) -> None:
    holds(
        on_sqlite,
        partial(meets, email="ann@example.org"),
        partial(meets, email="bob@example.org"),
        runs,
        partial(stops, name="A", use=CALLS),
        partial(deletes, name="A"),
        runs,
        partial(undeletes, name="A"),
        partial(merges, loser="A", winner="B"),
        runs,
    )


def test_a_no_of_their_own_goes_on_from_the_winner_who_had_only_been_told_of_one(
    on_sqlite: Theatre,
) -> None:
    holds(
        on_sqlite,
        partial(meets, email="ann@example.org", phone=SHARED_PHONE),
        partial(meets, email="ann@example.org"),
        runs,
        partial(brings_a_stop_by_address, email="ann@example.org", use=CALLS),
        partial(merges, loser="B", winner="A"),
        partial(stops, name="B", use=CALLS),
        partial(meets, email="cid@example.org", phone=SHARED_PHONE),
        runs,
    )
