"""People said no, everybody knew it, and something gave the yes back that was not the person."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from salesforce_bridge.ledger.imports import ImportRefused
from salesforce_bridge.permissions.bundle import Category
from salesforce_bridge.permissions.events import EventKind
from salesforce_bridge.permissions.keys import Channel, PurposeKey, Use
from tests.integration.cycle.living import CALLS, EMAIL, POST
from tests.regressions.bridges import (
    DAY,
    HOUR,
    OBJECTS,
    SERVICE,
    SIGNED,
    STOP,
    YES,
    Bridge,
    changed_policy,
)
from tests.unit.permissions.examples import an_event, codes, folded, hours

ALL = Use(purpose=PurposeKey(""), channel=Channel(""))
STOPS: dict[str, Callable[[Bridge, str], Any]] = {
    "a request on a row": lambda bridge, who: bridge.request(who, STOP),
    "an objection": lambda bridge, who: bridge.request(who, OBJECTS, use=POST),
    "a ticked box": lambda bridge, who: bridge.tick(who, HasOptedOutOfEmail=True),
    "a letter": lambda bridge, who: bridge.imported(
        bridge.line("STOP_ALL", use=ALL, contact_id=who)
    ),
    "a restriction": lambda bridge, who: bridge.privacy_record(who, HasOptedOutProcessing=True),
    "an objection on the privacy record": lambda bridge, who: bridge.privacy_record(
        who, HasOptedOutSolicit=True
    ),
}


@pytest.mark.parametrize("stop", STOPS)
def test_marketing_resumed_after_a_merge(bridge: Bridge, stop: str) -> None:
    """margince 5144: a merge moved the consent but not the suppression, and marketing resumed. Every kind of stop
    outlives a merge, also one that the bridge hears of together with it.
    """
    pairs = [(bridge.agreed(), bridge.meet()) for _ in range(2)]
    known, news = (loser for _, loser in pairs)
    bridge.cycle()
    STOPS[stop](bridge, known)
    bridge.cycle()
    STOPS[stop](bridge, news)
    for winner, loser in pairs:
        bridge.director.admin.merge("Contact", winner, [loser])
    bridge.cycle()
    shown = "Limited" if stop == "a restriction" else "Stopped"
    assert [bridge.row(winner)["Consent_Status__c"] for winner, _ in pairs] == [shown] * 2
    bridge.settle()
    assert [bridge.row(winner)["Consent_Status__c"] for winner, _ in pairs] == [shown] * 2
    assert {bridge.light(winner) for winner, _ in pairs} == {
        "Wait" if stop == "a restriction" else "Do not"
    }
    assert bridge.differences() == []


def test_a_merge_was_asked_to_keep_subscribed(bridge: Bridge) -> None:
    """SuiteCRM 7132: a merge was expected to keep "subscribed" although one record had unsubscribed. The stop
    wins; a yes that came later is put before people, and the Contact says why.
    """
    winner, loser = bridge.meet(), bridge.meet()
    bridge.settle()
    bridge.tell(loser, EventKind.WITHDRAW, happened_at=bridge.now - 2 * DAY)
    bridge.tell(winner, EventKind.GRANT, happened_at=bridge.now - HOUR)
    bridge.settle()
    bridge.director.admin.merge("Contact", winner, [loser], HasOptedOutOfEmail=False)
    report = bridge.cycle()
    assert report.decisions["MERGE_STOP_CARRIED"] >= 1
    assert bridge.is_stopped(winner)
    assert [each.use for each in bridge.person(winner).candidates if each.open] == [EMAIL]
    bridge.settle()
    assert bridge.row(winner)["Reason_Code__c"] == "MERGE_STOP_CARRIED"
    assert bridge.light(winner) == "Do not"


def test_a_merge_lost_the_privacy_record_and_nobody_minded(bridge: Bridge) -> None:
    """NPSP 3435: a merge ignored the privacy record, and it was closed unfixed. What was once read on an
    Individual does not depend on it any more.
    """
    winner, loser = bridge.agreed(), bridge.agreed()
    individual = bridge.privacy_record(loser, HasOptedOutSolicit=True)
    bridge.settle()
    bridge.director.admin.merge("Contact", winner, [loser])
    bridge.director.admin.update("Contact", winner, IndividualId=None)
    bridge.director.admin.delete("Individual", individual)
    bridge.settle()
    assert bridge.is_stopped(winner)
    assert bridge.light(winner) == "Do not"


@pytest.mark.parametrize("proof", [{}, SIGNED], ids=["a date", "a date and a form"])
def test_an_import_resubscribed_people_because_of_a_date(
    bridge: Bridge, proof: dict[str, Any]
) -> None:
    """dotdigital 565: an import inferred from a date that suppressed people had come back. A file never lifts a
    stop, however late it is dated.
    """
    who = bridge.agreed()
    bridge.request(who, STOP)
    bridge.settle()
    bridge.wait(3 * DAY)
    report = bridge.imported(
        bridge.line("GRANT", ago=DAY, contact_id=who, email=bridge.address(who), **proof)
    )
    assert report.recorded == {"QUARANTINED": 1}
    bridge.settle()
    assert bridge.is_stopped(who)
    assert bridge.light(who) == "Do not"


def test_people_who_had_opted_out_were_mailed_to_update_their_preferences(bridge: Bridge) -> None:
    """UK, Flybe and Honda, 2017: people who had opted out were mailed to "update their preferences". Nobody who
    said no is ever asked again, and no list of renewals holds them.
    """
    told = folded(an_event(EventKind.WITHDRAW), an_event(EventKind.REQUEST, hours(1)))
    assert codes(told) == ["REPERMISSION_BLOCKED"]
    campaign = bridge.director.admin.create("Campaign", Name="Shall we go on?")
    asking = bridge.under(
        changed_policy('max_age = "730d"', f'max_age = "90d"\nrenewal_campaign = "{campaign}"')
    )
    still, stopped = asking.agreed(), asking.agreed()
    asking.request(stopped, STOP)
    asking.settle()
    asking.wait(timedelta(days=61))
    asking.settle()
    members = asking.director.query("SELECT ContactId FROM CampaignMember")
    assert [each["ContactId"] for each in members] == [still]
    listed = asking.director.query(
        "SELECT Contact__c FROM Permission__c WHERE Renew_By__c != null AND Channel__c = 'EMAIL'"
    )
    assert [each["Contact__c"] for each in listed] == [still]


def test_an_invoice_was_blocked_by_a_marketing_stop(bridge: Bridge) -> None:
    """margince 4701: one flag for everything refused invoices. A no to marketing leaves untouched what a contract
    needs.
    """
    who = bridge.agreed()
    bridge.imported(
        {"contact_id": who, "kind": "CONTRACT", "ref": "C-1", "valid_from": "2026-01-01"},
        facts=True,
    )
    bridge.imported(bridge.line("ESTABLISH", use=SERVICE, contact_id=who, condition_ref="C-1"))
    bridge.request(who, OBJECTS)
    bridge.settle()
    assert bridge.light(who) == "Do not"
    assert bridge.light(who, SERVICE) == "OK"


@pytest.mark.parametrize("posed_as", [each for each in Category if each is not Category.MARKETING])
def test_an_offer_posed_as_correspondence(bridge: Bridge, posed_as: Category) -> None:
    """margince 5148: promotional mail could ride past an objection by calling itself correspondence. What an offer
    is, its purpose says, and never whoever sends it.
    """
    who = bridge.meet()
    bridge.cycle()
    bridge.request(who, OBJECTS)
    bridge.cycle()
    answer = bridge.answer(who, EMAIL, category=posed_as)
    assert answer.reason == "DENY_MARKETING_OBJECTION"


def test_whoever_was_deleted_came_back_by_an_import_as_if_new(bridge: Bridge) -> None:
    """ICO guidance on direct marketing: put people who object on a suppression list rather than deleting them.
    Deleting a Contact deletes no objection, and the same address typed again is the same person.
    """
    who = bridge.agreed(email="again@example.org")
    bridge.request(who, STOP)
    bridge.settle()
    bridge.director.admin.delete("Contact", who)
    bridge.settle()
    bridge.director.purge("Contact", [who])
    again = bridge.meet(email="Again@Example.org")
    bridge.cycle()
    assert bridge.is_stopped(again)
    assert bridge.light(again) == "Do not"


def test_whoever_was_erased_was_added_again(bridge: Bridge) -> None:
    """Mautic 5699, Mailtrain 420 and 545: people ask how to erase somebody and still not add them again. The no
    stays as a fingerprint that leads to nobody, and no file and no rep gets past it.
    """
    who = bridge.agreed(email="forgotten@example.org")
    bridge.settle()
    bridge.erase(who)
    bridge.settle()
    bridge.director.admin.delete("Contact", who)
    bridge.settle()
    again = bridge.meet(email="forgotten@example.org")
    bridge.cycle()
    assert bridge.contact(again)["Consent_Status__c"] == "Stopped"
    bridge.request(again, YES, Requested_Change_Evidence__c="order form 7")
    bridge.imported(bridge.line("GRANT", contact_id=again, email="forgotten@example.org"))
    bridge.settle()
    assert bridge.contact(again)["Contact_Permission__c"] == "Do not"
    assert not bridge.answer(again).reason.startswith("ALLOW")


def test_one_tick_stood_for_everything(bridge: Bridge) -> None:
    """UK, HelloFresh, 2024: one tick covered age, samples and marketing, and never mentioned texts. A yes is for
    one purpose on one channel, and a yes to everything cannot even be recorded.
    """
    who = bridge.agreed()
    shown = {use: bridge.row(who, use)["Consent_Status__c"] for use in (EMAIL, CALLS, POST)}
    assert shown == {EMAIL: "Permitted", CALLS: "Not asked", POST: "Not asked"}
    for wide in (ALL, Use(purpose=EMAIL.purpose, channel=Channel(""))):
        with pytest.raises(ImportRefused):
            bridge.imported(bridge.line("GRANT", use=wide, contact_id=who, **SIGNED))


def test_marketing_went_on_long_after_people_had_left(bridge: Bridge) -> None:
    """UK, HelloFresh, 2024: marketing went on for 24 months after people had left. Where the policy ties a consent
    to the relationship, it ends with it, and senders see it before the bridge has run.
    """
    leaving = bridge.under(
        changed_policy(
            'renew_before = ["60d", "30d", "7d"]\ngrace',
            'renew_before = ["7d"]\nmax_age = "30d"\ntrigger = "EVENT"\ngrace',
        )
    )
    who = leaving.meet()
    leaving.cycle()
    contract = {"contact_id": who, "kind": "CONTRACT", "ref": "box 1", "valid_from": "2026-01-01"}
    leaving.imported(contract, facts=True)
    leaving.tell(who, EventKind.GRANT)
    leaving.settle()
    leaving.later(100 * DAY)
    assert leaving.light(who) == "OK"  # a customer still
    leaving.imported({**contract, "valid_to": leaving.now.strftime("%Y-%m-%d")}, facts=True)
    leaving.settle()
    leaving.later(29 * DAY)
    assert leaving.light(who) == "OK"
    leaving.wait(2 * DAY)
    assert leaving.light(who) == "Wait"
    leaving.settle()
    assert leaving.row(who)["Consent_Status__c"] == "Lapsed"
    assert leaving.light(who) == "Do not"
