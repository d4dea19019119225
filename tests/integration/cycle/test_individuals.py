"""What people ask for on their privacy record is done for every purpose it covers, at the next cycle."""

from collections import Counter
from dataclasses import replace

import pytest

from salesforce_bridge.ledger.store import Ledger
from salesforce_bridge.permissions.conditions import ConditionKind
from salesforce_bridge.permissions.rights import CaseKind
from tests.integration.cycle.living import CALLS, Living, living, policy
from tests.integration.salesforce.opened import gateway_to
from tests.support.orgs import RunningOrg

FLAGS = (
    ("ShouldForget", CaseKind.ERASURE),
    ("HasOptedOutProcessing", CaseKind.RESTRICTION),
    ("HasOptedOutSolicit", CaseKind.MARKETING_OBJECTION),
    ("HasOptedOutProfiling", CaseKind.PROFILING_OBJECTION),
    ("HasOptedOutTracking", CaseKind.PROFILING_OBJECTION),
    ("HasOptedOutGeoTracking", CaseKind.PROFILING_OBJECTION),
)


@pytest.mark.parametrize(("flag", "kind"), FLAGS, ids=[flag for flag, _ in FLAGS])
def test_every_flag_opens_its_case_whoever_is_told_of_it(
    bridge: Living, flag: str, kind: CaseKind
) -> None:
    contact_id = bridge.permitted()
    individual = bridge.privacy_record(contact_id)
    bridge.settle()
    assert bridge.cases(contact_id) == []
    # The Contact itself is not touched: only its privacy record is.
    bridge.director.admin.update("Individual", individual, **{flag: True})
    report = bridge.cycle()
    assert report.decisions["RIGHTS_REQUEST_OPENED"] >= 1
    assert bridge.cases(contact_id) == [kind]
    bridge.settle()
    assert bridge.cases(contact_id) == [kind]
    assert bridge.differences() == []
    assert bridge.audit_is_intact()


@pytest.mark.parametrize("flag", ["ShouldForget", "HasOptedOutSolicit"])
def test_to_be_forgotten_or_not_solicited_stops_marketing_at_once(
    bridge: Living, flag: str
) -> None:
    contact_id = bridge.permitted()
    bridge.privacy_record(contact_id, **{flag: True})
    bridge.cycle()
    assert bridge.is_stopped(contact_id)
    assert bridge.is_stopped(contact_id, CALLS)
    assert bridge.row(contact_id)["Consent_Status__c"] == "Stopped"
    assert bridge.row(contact_id)["May_Contact__c"] == "Do not"


def test_whoever_does_not_want_to_be_processed_is_restricted(bridge: Living) -> None:
    contact_id = bridge.permitted()
    bridge.privacy_record(contact_id, HasOptedOutProcessing=True)
    bridge.cycle()
    kinds = {each.kind for each in bridge.person(contact_id).conditions}
    assert ConditionKind.RESTRICTION in kinds
    assert bridge.row(contact_id)["Consent_Status__c"] == "Limited"
    assert bridge.row(contact_id)["May_Contact__c"] == "Wait"


def test_profiling_is_left_to_purposes_that_profile(bridge: Living) -> None:
    contact_id = bridge.permitted()
    bridge.privacy_record(contact_id, HasOptedOutProfiling=True)
    bridge.cycle()
    assert bridge.row(contact_id)["May_Contact__c"] == "OK"


def test_a_purpose_that_profiles_ends_with_the_objection_to_it(
    org: RunningOrg, ledger: Ledger
) -> None:
    law = policy(dpv_purpose='"dpv:DirectMarketing"\ninvolves = ["PROFILING"]')
    with living(org, ledger, law=law) as bridge:
        contact_id = bridge.permitted()
        bridge.privacy_record(contact_id, HasOptedOutProfiling=True)
        bridge.cycle()
        assert bridge.is_stopped(contact_id)
        assert bridge.row(contact_id)["Consent_Status__c"] == "Stopped"


def test_a_copy_is_owed_and_nothing_else_changes(bridge: Living) -> None:
    contact_id = bridge.permitted()
    bridge.privacy_record(contact_id, SendIndividualData=True)
    report = bridge.cycle()
    assert report.decisions["RIGHTS_CASE_OPENED_PORTABILITY"] == 1
    assert bridge.cases(contact_id) == [CaseKind.PORTABILITY]
    assert bridge.row(contact_id)["May_Contact__c"] == "OK"
    bridge.settle()
    assert bridge.cases(contact_id) == [CaseKind.PORTABILITY]


def test_a_flag_that_was_set_before_the_bridge_came_counts_on_first_sight(bridge: Living) -> None:
    individual = bridge.director.admin.create(
        "Individual", LastName="Somebody", HasOptedOutSolicit=True
    )
    contact_id = bridge.meet(IndividualId=individual)
    bridge.cycle()
    assert bridge.is_stopped(contact_id)
    assert bridge.row(contact_id)["Consent_Status__c"] == "Stopped"


def test_one_privacy_record_speaks_for_all_its_contacts(bridge: Living) -> None:
    one, other = bridge.permitted(), bridge.permitted()
    individual = bridge.privacy_record(one)
    bridge.director.admin.update("Contact", other, IndividualId=individual)
    bridge.settle()
    bridge.director.admin.update("Individual", individual, HasOptedOutSolicit=True)
    bridge.cycle()
    assert bridge.is_stopped(one)
    assert bridge.is_stopped(other)


def test_taking_a_flag_away_again_gives_nothing_back(bridge: Living) -> None:
    contact_id = bridge.permitted()
    individual = bridge.privacy_record(contact_id, HasOptedOutSolicit=True)
    bridge.settle()
    bridge.director.admin.update("Individual", individual, HasOptedOutSolicit=False)
    bridge.settle()
    assert bridge.is_stopped(contact_id)
    assert bridge.row(contact_id)["May_Contact__c"] == "Do not"


def test_privacy_records_that_were_followed_up_cost_nothing_more(bridge: Living) -> None:
    contact_id = bridge.permitted()
    bridge.privacy_record(contact_id, SendIndividualData=True)
    bridge.settle()
    assert bridge.calls_of() == 1  # well within the overlap


def test_privacy_records_are_followed_up_again_by_a_bridge_that_was_restarted(
    bridge: Living,
) -> None:
    contact_id = bridge.permitted()
    individual = bridge.privacy_record(contact_id)
    bridge.settle()
    bridge.director.admin.update("Individual", individual, HasOptedOutSolicit=True)
    with living(bridge.org, bridge.ledger) as restarted:
        restarted.cycle()
        assert restarted.is_stopped(contact_id)


def test_an_org_without_privacy_records_is_read_with_one_call(bridge: Living) -> None:
    bridge.director.set_feature("Individual", on=False)
    contact_id = bridge.permitted()
    assert "Individual" not in bridge.world.gateway.features
    assert bridge.calls_of() == 1
    assert bridge.differences() == []
    assert bridge.row(contact_id)["May_Contact__c"] == "OK"


def test_privacy_records_that_are_switched_on_later_are_all_read(bridge: Living) -> None:
    bridge.director.set_feature("Individual", on=False)
    contact_id = bridge.permitted()
    bridge.director.set_feature("Individual", on=True)
    individual = bridge.director.admin.create(
        "Individual", LastName="Somebody", HasOptedOutSolicit=True
    )
    bridge.director.admin.update("Contact", contact_id, IndividualId=individual)
    bridge.cycle()
    assert not bridge.is_stopped(contact_id)
    # An hour later the poll asks what the org offers; everybody is then read once.
    bridge.cycle(after=3_700)
    bridge.settle()
    assert "Individual" in bridge.world.gateway.features
    assert bridge.is_stopped(contact_id)


def test_what_was_asked_for_on_a_privacy_record_is_no_news_when_it_can_be_seen_again(
    bridge: Living,
) -> None:
    contact_id = bridge.permitted()
    bridge.privacy_record(contact_id, HasOptedOutSolicit=True, SendIndividualData=True)
    bridge.settle()
    before = bridge.cases(contact_id)
    bridge.director.set_feature("Individual", on=False)
    bridge.director.rep.update("Contact", contact_id, Phone="+44 20 7946 0999")
    bridge.settle()
    bridge.director.set_feature("Individual", on=True)
    told: Counter[str] = Counter()
    for _ in range(3):
        told.update(bridge.cycle(after=3_700).decisions)
    assert "Individual" in bridge.world.gateway.features
    assert "RIGHTS_REQUEST_OPENED" not in told
    assert "RIGHTS_CASE_OPENED_PORTABILITY" not in told
    assert bridge.cases(contact_id) == before


def test_privacy_records_that_vanish_stop_nobody_from_being_judged(bridge: Living) -> None:
    contact_id = bridge.permitted()
    bridge.privacy_record(contact_id)
    bridge.settle()
    bridge.director.set_feature("Individual", on=False)
    bridge.director.rep.update("Contact", contact_id, HasOptedOutOfEmail=True)
    bridge.cycle()
    assert bridge.is_stopped(contact_id)
    bridge.settle()
    assert bridge.audit_is_intact()


def test_more_privacy_records_than_one_poll_reads_are_all_followed_up(
    bridge: Living, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = [bridge.meet() for _ in range(3)]
    bridge.settle()
    records = [bridge.privacy_record(each) for each in people]
    bridge.settle()
    bridge.cycle(after=3_600)
    monkeypatch.setattr("salesforce_bridge.salesforce.gateway.POLL_PAGES_MAX", 1)
    monkeypatch.setattr("salesforce_bridge.salesforce.gateway.POLL_PAGE", 2)
    for each in records:
        bridge.director.admin.update("Individual", each, HasOptedOutSolicit=True)
        bridge.director.advance(5)
    small = replace(bridge, world=replace(bridge.world, gateway=gateway_to(bridge.org)))
    for _ in range(4):
        small.cycle()
    assert all(bridge.is_stopped(each) for each in people)
    small.world.gateway.close()
