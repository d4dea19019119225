"""What is said about an edit: which fields it changed, and what they were before."""

from dataclasses import replace
from datetime import timedelta

import pytest

from salesforce_bridge.permissions.events import EventKind
from salesforce_bridge.reconcile.facts import ContactFields, RowFields
from salesforce_bridge.reconcile.findings import Situation
from salesforce_bridge.reconcile.row_edits import typed_use
from salesforce_bridge.reconcile.words import Request, Status
from tests.unit.reconcile.sightings import (
    GRANT,
    PHONE,
    a_case,
    a_link,
    a_person,
    found,
    hours,
    told,
)
from tests.unit.reconcile.worlds import (
    NEWS_BY_EMAIL,
    NOON,
    a_contact,
    a_row,
    contact_id,
)

S04 = Situation.S04_CRM_STOP
ASKED = Request.STOP.value
OBJECTS = Request.OBJECTS.value


def key(of: int) -> str:
    return f"{contact_id(of)}:{NEWS_BY_EMAIL.purpose}:{NEWS_BY_EMAIL.channel}"


def test_a_no_typed_over_a_row_and_a_request_beside_it_are_both_shown() -> None:
    row = a_row(1, consent_status=Status.PERMITTED.value)
    edited = a_row(1, consent_status=Status.STOPPED.value, request=ASKED)
    stops = [each for each in found(a_case(None, (row, edited))) if each.situation is S04]
    assert [dict(each.observed) for each in stops] == [
        {"consent_status": ("Permitted", "Stopped"), "request": (None, ASKED)}
    ]


def test_a_request_that_was_there_before_and_was_never_heard_is_shown_as_what_is_asked() -> None:
    row = a_row(1, request=ASKED)
    stops = [each for each in found(a_case(None, (row, row))) if each.situation is S04]
    assert [dict(each.observed) for each in stops] == [{"request": (None, ASKED)}]


@pytest.mark.parametrize(("word", "is_heard"), [(ASKED, True), (OBJECTS, False)])
def test_an_objection_that_stays_on_a_row_is_not_heard_by_a_mere_no(
    word: str, is_heard: bool
) -> None:
    row = a_row(1, request=word)
    person = a_person(
        (EventKind.GRANT, NEWS_BY_EMAIL, hours(-9)), (EventKind.WITHDRAW, NEWS_BY_EMAIL, hours(-8))
    )
    assert ("S04" not in told(found(a_case(None, (row, row)), people=(person,)))) is is_heard


def test_an_edit_of_the_results_on_a_contact_is_shown_field_by_field() -> None:
    was = ContactFields(consent_status=Status.NOT_ASKED.value, reason="Nobody asked")
    now = replace(was, consent_status=Status.STOPPED.value, reason="She said so")
    case = a_case(a_contact(1, fields=now), mirror=a_contact(1, fields=was))
    stops = [each for each in found(case) if each.situation is S04]
    assert stops
    assert {tuple(sorted(each.observed.items())) for each in stops} == {
        (("consent_status", ("Not asked", "Stopped")), ("reason", ("Nobody asked", "She said so")))
    }


@pytest.mark.parametrize("named", [{"purpose": "news"}, {"channel": "EMAIL"}, {}])
def test_a_row_that_names_half_of_a_use_names_none(named: dict[str, str]) -> None:
    assert typed_use(RowFields(**named)) is None  # type: ignore[arg-type]  # texts


def test_a_row_made_for_one_contact_and_hung_on_another_is_put_back() -> None:
    stray = a_row(1, of=2, ledger_key=key(1))
    other = a_case(
        a_contact(2),
        (None, stray),
        contact_id=contact_id(2),
        mirror=a_contact(2),
        link=a_link(2),
    )
    assert "S24" in told(found(a_case(), other))


def test_an_odd_row_is_told_once_and_not_with_every_other_edit() -> None:
    odd = a_row(1, consent_status="Perhaps", notice_version="1")
    edited = a_row(1, consent_status="Perhaps", notice_version="2")
    assert "S25" in told(found(a_case(None, (None, odd))))
    assert "S25" not in told(found(a_case(None, (odd, edited))))


def test_a_date_that_was_agreed_on_before_is_not_held_against_a_new_claim() -> None:
    """Only what somebody typed beside the claim dates it."""
    strange = NOON + timedelta(days=900)
    row = a_row(1, capture_date=strange)
    claim = a_row(1, capture_date=strange, request=GRANT)
    newly = a_row(1, request=None)
    assert "S09" not in told(found(a_case(None, (row, claim))))
    assert "S09" in told(found(a_case(None, (newly, claim))))


@pytest.mark.parametrize("deleted", [False, True])
def test_an_address_that_is_the_first_one_is_a_change_of_address(deleted: bool) -> None:
    """But of whoever was erased nothing is remembered, so that nothing can be said to have changed."""
    nobody = a_contact(1, points=(), deleted=deleted)
    case = a_case(a_contact(1, points=(PHONE,)), mirror=nobody)
    assert ("S21" in told(found(case))) is not deleted


@pytest.mark.parametrize("deleted", [False, True])
def test_a_new_address_in_place_of_another_is_a_change_of_address(deleted: bool) -> None:
    before = a_contact(1, deleted=deleted)
    case = a_case(a_contact(1, points=(PHONE,)), mirror=before)
    assert "S21" in told(found(case))
