"""Histories that once broke a law, as short as they could be told: none of them may do so again."""

from datetime import timedelta
from functools import partial

from tests.histories.playing import Theatre
from tests.histories.steps import (
    A_AND_B,
    CALLS,
    INVITATIONS,
    MAIL,
    POST,
    SHARED_PHONE,
    a_new_text,
    agrees,
    brings_a_file,
    brings_a_stop_by_address,
    brings_an_objection_by_address,
    case_is_answered,
    claims,
    deletes,
    few_edits_are_many,
    gets_an_individual,
    gives_invitations_up,
    has_email,
    holds,
    loads_a_yes_on_every_row,
    meets,
    passes,
    runs,
    stops,
    takes_back,
    ticks_no_email,
    types_stop,
    wants_to_be_forgotten,
)


def test_a_carried_stop_that_was_taken_back_is_not_told_for_ever(on_sqlite: Theatre) -> None:
    holds(
        on_sqlite,
        *A_AND_B,
        partial(ticks_no_email, name="A"),
        runs,
        partial(takes_back, name="B"),
        partial(claims, name="B", use=POST),
    )


def test_a_file_about_a_new_contact_does_not_make_it_somebody_with_a_consent(
    on_sqlite: Theatre,
) -> None:
    holds(
        on_sqlite,
        partial(meets, email="bob@example.org"),
        runs,
        partial(agrees, name="A", use=POST, ago=timedelta(minutes=1)),
        partial(deletes, name="A"),
        runs,
        partial(meets, email="bob@example.org"),
        partial(brings_a_file, name="B"),
    )


def test_who_shares_an_address_with_somebody_erased_is_shown_as_the_gates_say(
    on_sqlite: Theatre,
) -> None:
    holds(
        on_sqlite,
        *A_AND_B,
        partial(agrees, name="B", use=POST, ago=timedelta(minutes=1)),
        partial(wants_to_be_forgotten, name="A"),
        runs,
        case_is_answered,
        runs,
    )


def test_a_no_told_again_after_a_yes_of_whoever_shares_the_number_counts(
    on_sqlite: Theatre,
) -> None:
    holds(
        on_sqlite,
        *A_AND_B,
        partial(stops, name="A"),
        partial(passes, minutes=40),
        partial(types_stop, name="A", use=CALLS),
        partial(agrees, name="B", use=CALLS, ago=timedelta(minutes=30)),
    )


def test_a_no_of_somebody_created_again_reaches_who_shared_a_number_with_them_at_once(
    on_sqlite: Theatre,
) -> None:
    holds(
        on_sqlite,
        partial(meets, email="cid@example.org", phone=SHARED_PHONE),
        partial(meets, email="ann@example.org", phone=SHARED_PHONE),
        runs,
        partial(deletes, name="A"),
        runs,
        partial(meets, email="cid@example.org", flag="DoNotCall"),
        runs,
    )


def test_a_no_of_their_own_after_one_that_a_file_may_have_meant_for_them_is_theirs(
    on_sqlite: Theatre,
) -> None:
    holds(
        on_sqlite,
        *A_AND_B,
        partial(brings_an_objection_by_address, email="ann@example.org"),
        partial(meets, email="cid@example.org", phone=SHARED_PHONE),
        partial(types_stop, name="B", use=CALLS),
        runs,
    )


def test_a_no_that_a_file_brings_for_a_shared_address_reaches_who_has_it_later(
    on_sqlite: Theatre,
) -> None:
    holds(
        on_sqlite,
        *A_AND_B,
        partial(brings_an_objection_by_address, email="ann@example.org"),
        partial(meets, email="ann@example.org"),
        runs,
    )


def test_a_late_yes_to_the_former_text_is_prompted_for_once_more_and_then_no_longer(
    on_sqlite: Theatre,
) -> None:
    holds(
        on_sqlite,
        partial(meets, email="ann@example.org"),
        runs,
        partial(agrees, name="A", use=MAIL, ago=timedelta(minutes=1)),
        partial(passes, minutes=31 * 24 * 60),
        a_new_text,
        runs,
        partial(passes, minutes=5),
        partial(agrees, name="A", use=MAIL, ago=timedelta(minutes=30)),
    )


def test_whoever_may_be_somebody_that_lifted_a_no_does_not_pass_it_by_that(
    on_sqlite: Theatre,
) -> None:
    holds(
        on_sqlite,
        partial(meets, email="cid@example.org"),
        partial(meets, email="cid@example.org"),
        runs,
        partial(types_stop, name="B", use=MAIL),
        runs,
        partial(agrees, name="A", use=MAIL, ago=timedelta(seconds=1)),
        partial(deletes, name="A"),
        runs,
        partial(meets, email="cid@example.org"),
        runs,
    )


def test_where_somebody_is_says_the_contact_that_is_there_and_not_the_one_that_is_gone(
    on_sqlite: Theatre,
) -> None:
    holds(
        on_sqlite,
        partial(meets, email="bob@example.org", country="Germany"),
        partial(meets, email="bob@example.org"),
        partial(deletes, name="A"),
        runs,
    )


def test_a_no_that_was_taken_back_before_its_purpose_went_on_does_not_go_on(
    on_sqlite: Theatre,
) -> None:
    holds(
        on_sqlite,
        partial(meets, email="ann@example.org"),
        runs,
        partial(stops, name="A", use=INVITATIONS),
        runs,
        gives_invitations_up,
        partial(takes_back, name="A", use=INVITATIONS),
        runs,
    )


def test_a_wish_on_a_privacy_record_is_as_late_as_it_may_have_been_set(on_sqlite: Theatre) -> None:
    holds(
        on_sqlite,
        partial(meets, email="ann@example.org"),
        runs,
        partial(gets_an_individual, name="A"),
        runs,
        partial(passes, minutes=60),
        partial(wants_to_be_forgotten, name="A"),
        runs,
        partial(
            agrees,
            name="A",
            use=MAIL,
            ago=timedelta(minutes=30),
            refused="GRANT_PREDATES_STOP_REJECTED",
        ),
        runs,
    )


def test_the_silence_of_an_erased_person_is_that_of_who_has_the_address_and_not_of_who_had_it(
    on_sqlite: Theatre,
) -> None:
    holds(
        on_sqlite,
        partial(meets, email="ann@example.org", phone=SHARED_PHONE),
        partial(meets, email="ann@example.org"),
        runs,
        partial(has_email, name="A", email=None),
        runs,
        partial(agrees, name="A", use=CALLS, ago=timedelta(seconds=1)),
        partial(wants_to_be_forgotten, name="B"),
        runs,
        case_is_answered,
        runs,
    )


def test_a_no_of_somebody_new_with_the_address_of_an_erased_person_is_theirs_as_well(
    on_sqlite: Theatre,
) -> None:
    holds(
        on_sqlite,
        partial(meets, email="ann@example.org"),
        partial(meets, email="bob@example.org", phone=SHARED_PHONE),
        runs,
        partial(wants_to_be_forgotten, name="A"),
        runs,
        case_is_answered,
        runs,
        partial(meets, email="ann@example.org", phone=SHARED_PHONE, flag="DoNotCall"),
        runs,
    )


def test_what_a_mass_change_wrote_over_is_put_right_after_it_whatever_happened_meanwhile(
    on_sqlite: Theatre,
) -> None:
    holds(
        on_sqlite,
        partial(meets, email="ann@example.org"),
        partial(meets, email="bob@example.org"),
        runs,
        few_edits_are_many,
        runs,
        loads_a_yes_on_every_row,
        runs,
        partial(passes, minutes=60),
        partial(stops, name="B", use=POST),
        runs,
        runs,
        partial(passes, minutes=60),
        runs,
    )


def test_a_no_that_came_by_file_before_a_purpose_was_given_up_holds_for_what_follows_it(
    on_sqlite: Theatre,
) -> None:
    holds(
        on_sqlite,
        partial(brings_a_stop_by_address, email="ann@example.org", use=INVITATIONS),
        partial(meets, email="ann@example.org"),
        partial(meets, email="ann@example.org"),
        gives_invitations_up,
        runs,
    )


def test_a_no_on_a_row_of_somebody_erased_and_gone_counts_for_whoever_has_their_number(
    on_sqlite: Theatre,
) -> None:
    """What address they had only the recycle bin still knows."""
    holds(
        on_sqlite,
        partial(meets, email="ann@example.org", phone=SHARED_PHONE),
        partial(meets, email="bob@example.org", phone=SHARED_PHONE),
        runs,
        partial(wants_to_be_forgotten, name="B"),
        partial(deletes, name="B"),
        runs,
        case_is_answered,
        partial(passes, minutes=60 * 24 * 8),
        runs,
        partial(types_stop, name="B", use=CALLS),
        runs,
        partial(agrees, name="A", use=CALLS, ago=timedelta(minutes=30)),
        runs,
    )


def test_a_no_of_somebody_of_whom_only_an_address_is_known_holds_for_what_follows_a_purpose(
    on_sqlite: Theatre,
) -> None:
    holds(
        on_sqlite,
        partial(meets, email="ann@example.org"),
        partial(meets, email="ann@example.org"),
        runs,
        partial(deletes, name="A"),
        partial(deletes, name="B"),
        runs,
        partial(brings_a_stop_by_address, email="ann@example.org", use=INVITATIONS),
        partial(meets, email="ann@example.org"),
        gives_invitations_up,
        runs,
    )
