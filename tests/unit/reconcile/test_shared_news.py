"""Which addresses of a Contact are news: whatever it was given since both sides agreed, or all it comes with."""

from dataclasses import replace
from typing import Any

import pytest

from salesforce_bridge.permissions.events import EventKind
from salesforce_bridge.permissions.keys import Use
from salesforce_bridge.reconcile.facts import (
    ACTIVE,
    AMBIGUOUS,
    CLOSED_SOFT,
    MERGED_INTO,
    Case,
    ContactSnapshot,
    HeldPoint,
)
from salesforce_bridge.reconcile.findings import Finding, Shared
from salesforce_bridge.reconcile.sharing import duplicates, noes_of_others
from tests.unit.reconcile.sightings import (
    HOME,
    PHONE,
    a_case,
    a_link,
    a_person,
    bench_of,
    hours,
)
from tests.unit.reconcile.worlds import (
    NEWS_BY_EMAIL,
    a_contact,
    a_point,
    a_record,
    contact_id,
    subject_id,
)

ANN, BEN = contact_id(1), contact_id(2)
OWN = a_point("ben@example.org")
NO = (EventKind.WITHDRAW, NEWS_BY_EMAIL, hours(-3))


def ben(agreed: ContactSnapshot | None, seen: ContactSnapshot, **said: Any) -> Case:
    """Ben's Contact as both sides knew it, and as it is now."""
    link = replace(a_link(2), subject_id=subject_id(2))
    return a_case(seen, **({"contact_id": BEN, "mirror": agreed, "link": link} | said))


def with_points(*points: Any, **said: Any) -> ContactSnapshot:
    return a_contact(2, points=tuple(sorted(points)), **said)


def news(of_ben: Case, *, of_ann: Case | None = None) -> tuple[Finding, ...]:
    """What is told of Ben beside Ann, who reads the mail of `HOME`."""
    people = (a_person(), a_record(2))
    findings = duplicates(bench_of(of_ann or a_case(), of_ben, people=people))
    return tuple(each for each in findings if each.contact_id == BEN)


def told(findings: tuple[Finding, ...]) -> set[Use]:
    return {each.use for each in findings}


def linked(state: str | None) -> Any:
    return None if state is None else replace(a_link(2, state), subject_id=subject_id(2))


def test_an_address_that_is_only_shared_is_told_as_that_and_no_stop() -> None:
    (finding,) = news(ben(with_points(OWN), with_points(OWN, HOME)))
    assert (finding.shared, finding.use) == (Shared.POINT, NEWS_BY_EMAIL)


def test_the_first_address_that_somebody_is_given_is_news() -> None:
    assert told(news(ben(with_points(), with_points(HOME)))) == {NEWS_BY_EMAIL}


def test_nothing_is_news_of_a_contact_that_nobody_read_again() -> None:
    known = with_points(HOME)
    assert news(ben(known, known, link=None, read=False)) == ()
    assert told(news(ben(known, replace(known), link=None))) == {NEWS_BY_EMAIL}


@pytest.mark.parametrize(
    ("state", "is_news"),
    [
        (ACTIVE, False),
        (AMBIGUOUS, False),
        (CLOSED_SOFT, True),
        (MERGED_INTO, True),
        (None, True),
    ],
)
def test_whoever_was_not_linked_to_their_contact_brings_all_its_addresses(
    state: str | None, is_news: bool
) -> None:
    """They are news of the person, though both sides agreed about the Contact."""
    case = ben(with_points(HOME), with_points(HOME, country="France"), link=linked(state))
    assert bool(news(case)) is is_news


def test_a_candidate_that_was_deleted_and_comes_back_brings_all_its_addresses() -> None:
    gone = with_points(HOME, deleted=True)
    case = ben(gone, with_points(HOME), link=linked(AMBIGUOUS))
    assert told(news(case)) == {NEWS_BY_EMAIL}


def test_an_address_that_came_with_a_write_nobody_heard_of_is_news() -> None:
    before = with_points(OWN)
    unheard = replace(before, fields=replace(before.fields, consent_status="Not asked"))
    seen = replace(unheard, points=tuple(sorted((OWN, HOME))))
    assert told(news(ben(before, seen, asked=(unheard,)))) == {NEWS_BY_EMAIL}


def test_the_same_addresses_under_another_key_are_no_news_of_two_who_share_them() -> None:
    """Each of them is read with the new key for the first time, and nobody was given anything."""
    newer = a_point("person1@example.org", version=2)
    of_ann = a_case(a_contact(1, points=(newer,), older=(HOME,)))
    of_ben = ben(with_points(HOME), with_points(newer, older=(HOME,)))
    assert news(of_ben, of_ann=of_ann) == ()


# ---------------------------------------------------------------- a no that comes with an address


@pytest.mark.parametrize("retired", [False, True])
def test_a_no_reaches_whoever_has_the_address_and_not_who_once_had_it(retired: bool) -> None:
    before = a_record(2, points=(HeldPoint(point=HOME, retired=retired),))
    bench = bench_of(a_case(), people=(a_person(NO), before))
    expected = {} if retired else {NEWS_BY_EMAIL: hours(-3)}
    assert noes_of_others(bench, bench.records[subject_id(2)]) == expected


def test_a_no_is_not_told_of_a_use_of_which_everything_was_erased() -> None:
    of_ben = ben(with_points(HOME, PHONE), with_points(HOME, PHONE))
    kept = a_record(2, points=(HeldPoint(point=HOME, retired=False),))
    erased = replace(
        kept, permissions=a_person((EventKind.ERASE, NEWS_BY_EMAIL, hours(-1))).permissions
    )
    for record, expected in ((kept, {Shared.STOP}), (erased, set())):
        findings = duplicates(bench_of(a_case(), of_ben, people=(a_person(NO), record)))
        assert {each.shared for each in findings if each.contact_id == BEN} == expected
