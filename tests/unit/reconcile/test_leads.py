"""What a Lead said no to counts from the moment at which it can be read, however late that is."""

from dataclasses import replace
from typing import Any

import pytest

from salesforce_bridge.reconcile.facts import ContactSnapshot, LeadFlags
from tests.unit.reconcile.sightings import POLICY, a_case, found, told
from tests.unit.reconcile.worlds import NEWS_BY_EMAIL, a_contact

LEAD = LeadFlags(lead_id="00Q000000000001AAA", opted_out_of_email=True)
SILENT = LeadFlags(lead_id="00Q000000000001AAA")


def test_the_opt_out_of_a_lead_that_is_understood_only_later_is_heard_then() -> None:
    stops = told(found(a_case(a_contact(1, lead=LEAD))))
    assert set(stops) == {"S12"}
    assert NEWS_BY_EMAIL in stops["S12"]


def test_a_lead_without_an_opt_out_says_nothing_when_it_is_understood() -> None:
    assert told(found(a_case(a_contact(1, lead=SILENT)))) == {}


def test_a_lead_that_says_something_else_than_it_did_is_heard_again() -> None:
    case = a_case(a_contact(1, lead=LEAD), mirror=a_contact(1, lead=SILENT))
    assert set(told(found(case))) == {"S12"}


def test_a_lead_that_is_not_asked_for_again_is_no_news() -> None:
    assert told(found(a_case(a_contact(1), mirror=a_contact(1, lead=LEAD)))) == {}


def test_a_lead_adds_nothing_to_a_box_that_is_ticked_already() -> None:
    ticked = a_contact(1, opted_out_of_email=True)
    assert told(found(a_case(replace(ticked, lead=LEAD), mirror=ticked))) == {}


def test_a_box_that_was_cleared_is_told_of_though_a_lead_says_no_as_well() -> None:
    ticked = a_contact(1, opted_out_of_email=True)
    assert set(told(found(a_case(a_contact(1, lead=LEAD), mirror=ticked)))) == {"S13"}


@pytest.mark.parametrize("change", [{"points": ()}, {"opted_out_of_fax": True}])
def test_what_a_lead_said_is_not_heard_anew_with_every_other_edit(change: dict[str, Any]) -> None:
    agreed = a_contact(1, lead=LEAD)
    stops = told(found(a_case(replace(agreed, **change), mirror=agreed))).get("S12", set())
    assert NEWS_BY_EMAIL not in stops


@pytest.mark.parametrize(
    ("agreed", "seen", "change"),
    [
        (a_contact(1), a_contact(1, opted_out_of_email=True), (False, True)),
        (a_contact(1, opted_out_of_email=True), a_contact(1), (True, False)),
        (a_contact(1), a_contact(1, lead=LEAD), (False, True)),
    ],
)
def test_a_box_is_shown_as_it_was_and_as_it_is(
    agreed: ContactSnapshot, seen: ContactSnapshot, change: tuple[bool, bool]
) -> None:
    shown = [dict(each.observed) for each in found(a_case(seen, mirror=agreed))]
    assert shown
    assert all(each == {"opted_out_of_email": change} for each in shown)


def test_a_box_for_a_channel_that_nobody_uses_stops_nothing() -> None:
    without = {key: rule for key, rule in POLICY.channels.items() if key != "FAX"}
    policy = replace(POLICY, channels=without)
    assert found(a_case(a_contact(1, opted_out_of_fax=True)), policy=policy) == ()
