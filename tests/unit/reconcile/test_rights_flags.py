"""Rights claimed through the flags of an Individual, and opt-outs that a Lead brings along."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from salesforce_bridge.permissions.bundle import Involvement
from salesforce_bridge.permissions.events import EventKind
from salesforce_bridge.permissions.keys import PurposeKey, Use
from salesforce_bridge.reconcile.facts import Individual, LeadFlags
from salesforce_bridge.reconcile.findings import Extra, Situation
from tests.unit.reconcile.sightings import POLICY, a_case, a_person, found, hours, told
from tests.unit.reconcile.worlds import (
    EVERYTHING,
    NEWS_BY_CALL,
    NEWS_BY_EMAIL,
    RESEARCH,
    SERVICE,
    a_contact,
    a_use,
)

SHOWN = {*POLICY.uses, RESEARCH, SERVICE}
PERSON = a_person(
    (EventKind.ESTABLISH, RESEARCH, hours(-9)), (EventKind.ESTABLISH, SERVICE, hours(-9))
)
PROFILED = replace(
    POLICY,
    purposes={
        **POLICY.purposes,
        PurposeKey("product_research"): replace(
            POLICY.purposes[PurposeKey("product_research")],
            involves=(Involvement.PROFILING, Involvement.GEOLOCATION),
        ),
        PurposeKey("service_messages"): replace(
            POLICY.purposes[PurposeKey("service_messages")], involves=(Involvement.TRACKING,)
        ),
    },
)


def an_individual(number: int = 1, **said: Any) -> Individual:
    return Individual(individual_id=f"0PK{number:012d}AAA", **said)


def rights(seen: Individual | None, agreed: Individual | None = None) -> dict[str, set[Use]]:
    case = a_case(a_contact(1, individual=seen), mirror=a_contact(1, individual=agreed))
    return told(found(case, people=(PERSON,), policy=PROFILED))


@pytest.mark.parametrize(
    ("flag", "uses"),
    [
        ("should_forget", SHOWN),
        ("opted_out_processing", SHOWN),
        ("opted_out_solicit", SHOWN - {RESEARCH, SERVICE}),
        ("opted_out_profiling", {RESEARCH}),
        ("opted_out_geo_tracking", {RESEARCH}),
        ("opted_out_tracking", {SERVICE}),
    ],
)
def test_a_flag_is_about_the_uses_that_it_covers(flag: str, uses: set[Use]) -> None:
    assert rights(an_individual(**{flag: True})) == {"S14": uses}
    assert rights(an_individual(**{flag: True}), an_individual()) == {"S14": uses}


@pytest.mark.parametrize("flag", ["opted_out_profiling", "opted_out_tracking"])
def test_a_right_that_is_about_nothing_we_do_is_about_everything(flag: str) -> None:
    case = a_case(a_contact(1, individual=an_individual(**{flag: True})))
    assert told(found(case)) == {"S14": {EVERYTHING}}


def test_a_flag_is_heard_once_and_again_on_another_individual() -> None:
    asks = an_individual(should_forget=True)
    assert rights(asks, asks) == {}
    assert rights(an_individual(2, should_forget=True), asks) == {"S14": SHOWN}


@pytest.mark.parametrize("change", [{"opted_out_of_fax": True}, {"points": ()}, {"deleted": True}])
def test_a_flag_that_stays_is_not_heard_with_every_other_edit(change: dict[str, Any]) -> None:
    asks = an_individual(should_forget=True, wants_a_copy=True)
    agreed = a_contact(1, individual=asks)
    findings = told(found(a_case(replace(agreed, **change), mirror=agreed)))
    assert findings
    assert not findings.keys() & {"S14", "PORTABILITY_ASKED"}


def test_a_flag_taken_away_claims_nothing_and_ends_nothing() -> None:
    assert rights(an_individual(), an_individual(opted_out_solicit=True)) == {}
    assert rights(None, an_individual(opted_out_solicit=True)) == {}


def test_flags_set_together_are_told_together_the_heaviest_first() -> None:
    both = an_individual(opted_out_solicit=True, opted_out_processing=True, should_forget=True)
    findings = found(a_case(a_contact(1, individual=both)), people=(PERSON,))
    by_use = {each.use: (each.individual, each.rights) for each in findings}
    wide = ("should_forget", "opted_out_processing")
    assert by_use[NEWS_BY_EMAIL] == ("should_forget", (*wide, "opted_out_solicit"))
    assert by_use[RESEARCH] == ("should_forget", wide)
    assert {each.situation for each in findings} == {Situation.S14_INDIVIDUAL_RIGHTS_FLAG}
    assert findings[0].observed["should_forget"] == (False, True)


def test_on_first_sight_a_flag_counts_as_well() -> None:
    seen = a_contact(1, individual=an_individual(should_forget=True))
    case = a_case(seen, mirror=None, link=None)
    assert told(found(case))["S14"] == set(POLICY.uses)


def test_a_flag_of_a_contact_that_was_deleted_meanwhile_is_heard() -> None:
    seen = a_contact(1, deleted=True, individual=an_individual(should_forget=True))
    assert {"S14", "S16"} == told(found(a_case(seen))).keys()


def test_a_wish_for_a_copy_opens_a_case_and_is_no_stop() -> None:
    (finding,) = found(a_case(a_contact(1, individual=an_individual(wants_a_copy=True))))
    assert (finding.situation, finding.use) == (Extra.PORTABILITY_ASKED, EVERYTHING)
    assert (finding.rights, finding.individual) == (("wants_a_copy",), "wants_a_copy")
    assert finding.observed == {"wants_a_copy": (False, True)}


# ---------------------------------------------------------------- what a Lead said


@pytest.mark.parametrize(
    ("flag", "uses"),
    [
        ("opted_out_of_email", {NEWS_BY_EMAIL}),
        ("do_not_call", {NEWS_BY_CALL}),
    ],
)
def test_the_opt_out_of_a_lead_counts_for_the_contact_made_from_it(
    flag: str, uses: set[Use]
) -> None:
    seen = a_contact(1, lead=LeadFlags(lead_id="00Q000000000001AAA", **{flag: True}))
    stops = told(found(a_case(seen, mirror=None, link=None)))["S12"]
    assert uses <= stops
    assert {use.channel for use in stops} <= {
        each.channel for each in (*uses, a_use("*", "AUTOCALL"))
    }


def test_the_opt_out_of_a_lead_is_heard_once() -> None:
    seen = a_contact(1, lead=LeadFlags(lead_id="00Q000000000001AAA", opted_out_of_email=True))
    assert told(found(a_case(seen, mirror=seen))) == {}


def test_a_box_that_lead_and_contact_share_is_one_stop() -> None:
    lead = LeadFlags(lead_id="00Q000000000001AAA", opted_out_of_email=True)
    seen = a_contact(1, lead=lead, opted_out_of_email=True)
    findings = found(a_case(seen, mirror=None, link=None))
    uses = [each.use for each in findings if each.situation is Situation.S12_FLAG_SET]
    assert len(uses) == len(set(uses))
    assert NEWS_BY_EMAIL in uses


@pytest.mark.parametrize(("later", "counts_from"), [(None, 0), (-2, 0), (2, 2)])
def test_a_right_counts_from_the_last_change_of_the_contact_or_of_its_individual(
    later: int | None, counts_from: int
) -> None:
    edited = a_contact(1).modstamp
    modstamp = None if later is None else edited + timedelta(hours=later)
    wish = an_individual(should_forget=True, modstamp=modstamp)
    case = a_case(a_contact(1, individual=wish), mirror=a_contact(1))
    stamps = {each.stamp for each in found(case, people=(PERSON,), policy=PROFILED)}
    assert stamps == {edited + timedelta(hours=counts_from)}


def test_an_individual_that_changed_without_another_flag_is_what_it_was() -> None:
    before, now = an_individual(), an_individual(modstamp=hours(0))
    assert before == now
    assert rights(now, before) == {}
