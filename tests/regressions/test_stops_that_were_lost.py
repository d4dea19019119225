"""People said no, and one system or another never heard of it, or forgot."""

from datetime import timedelta
from typing import Any

import pytest

from salesforce_bridge.ledger.views import tail
from salesforce_bridge.metrics import Limits, Vitals
from salesforce_bridge.permissions.events import EventKind
from salesforce_bridge.permissions.keys import Channel, PurposeKey, Use
from salesforce_bridge.web.health import ailments
from tests.integration.cycle.living import CALLS, EMAIL, POST, ROW
from tests.regressions.bridges import HOUR, MINUTE, OBJECTS, STOP, Bridge

OUR_RULE = {"status_code": "FIELD_CUSTOM_VALIDATION_EXCEPTION", "message": "a reference is needed"}


def test_two_registers_drifted_apart_when_a_number_was_ported(bridge: Bridge) -> None:
    """Greece, OTE, 2019: do-not-call entries taken out when a number was to be ported were not put back when the
    porting was cancelled, and two systems held different lists. An event in one system must never end a stop.
    """
    who = bridge.meet(DoNotCall=True)
    bridge.settle()
    bridge.director.admin.update("Contact", who, Phone="+44 20 7946 0555", DoNotCall=False)
    bridge.settle()
    assert bridge.is_stopped(who, CALLS)
    assert bridge.contact(who)["DoNotCall"] is True
    bridge.director.admin.update("Contact", who, Phone="+44 20 7946 0018")
    bridge.settle()
    assert bridge.contact(who)["DoNotCall"] is True
    assert bridge.light(who, CALLS) == "Do not"
    assert bridge.differences() == []


def test_the_unsubscribe_path_was_dead_and_nobody_noticed(bridge: Bridge) -> None:
    """Greece, OTE, 2019: an unsubscribe link had removed nobody since 2013. A stop that does not arrive must be
    noticed within minutes, by people and by every sender.
    """
    agreed, stops = bridge.agreed(), bridge.meet()
    bridge.settle()
    assert bridge.light(agreed) == "OK"
    bridge.director.fault(rows={**OUR_RULE, "match": stops})
    bridge.tell(stops, EventKind.WITHDRAW)
    bridge.cycle()
    report = bridge.cycle(after=16 * 60)
    vitals = Vitals(
        started_at=bridge.now,
        unwritten_stops=report.unwritten_stops,
        oldest_unwritten=report.oldest_unwritten,
    )
    limits = Limits(clean_cycle=HOUR, unwritten_stop=bridge.world.unwritten_limit)
    assert "STOP_UNWRITTEN" in {each.code for each in ailments(vitals, limits, at=bridge.now)}
    bridge.cycle(after=31 * 60)
    assert bridge.light(agreed) == "Wait"  # no sender can go on as if nothing had happened


def test_told_removed_but_the_mailing_system_never_got_it(bridge: Bridge) -> None:
    """Hungary, NAIH-3076-14/2024: a person was told "removed", and the mailing system never got it. A request is
    answered only once what it asks for has arrived.
    """
    who = bridge.agreed()
    bridge.request(who, STOP)
    row = bridge.row(who)["Id"]
    fault = bridge.director.fault(rows={**OUR_RULE, "match": row})
    bridge.cycle()
    assert bridge.is_stopped(who)
    assert bridge.claim(who)["Requested_Change__c"] == STOP  # still asked, not answered
    assert bridge.claim(who)["Requested_Change_Handled__c"] is None
    assert bridge.light(who) == "Do not"
    bridge.director.clear_faults(fault)
    bridge.cycle(after=3_600)
    bridge.cycle()
    assert bridge.row(who)["Consent_Status__c"] == "Stopped"
    assert bridge.claim(who)["Requested_Change__c"] is None
    assert STOP in str(bridge.claim(who)["Requested_Change_Handled__c"])


def test_a_stop_that_was_written_although_the_answer_was_lost_is_confirmed_by_looking(
    bridge: Bridge,
) -> None:
    """Hungary, NAIH-3076-14/2024, the other way round: what a system did is known from looking at it, never from
    having asked it.
    """
    who = bridge.agreed()
    bridge.request(who, STOP)
    bridge.director.fault(body='Consent_Status__c"', path="composite", drop="after", count=1)
    assert bridge.cycle().writes["unknown"] > 0
    bridge.settle()
    assert bridge.row(who)["Consent_Status__c"] == "Stopped"
    assert bridge.differences() == []
    assert bridge.audit_is_intact()


def test_a_feed_of_another_operator_overwrote_confidential_with_publish(bridge: Bridge) -> None:
    """Belgium, Proximus, and CJEU C-129/21: a feed from another operator overwrote "confidential" with "publish".
    What comes in must never overwrite a stop, however it comes in.
    """
    who = bridge.agreed()
    bridge.request(who, STOP)
    bridge.settle()
    row = bridge.row(who)["Id"]
    bridge.director.integration.update(ROW, row, Consent_Status__c="Permitted")
    bridge.director.admin.update("Contact", who, HasOptedOutOfEmail=False)
    bridge.imported(bridge.line("GRANT", contact_id=who, email=bridge.address(who), ago=MINUTE))
    bridge.settle()
    assert bridge.is_stopped(who)
    assert bridge.row(who)["Consent_Status__c"] == "Stopped"
    assert bridge.light(who) == "Do not"
    assert bridge.differences() == []


def test_the_blacklists_of_the_channels_and_call_centres_were_out_of_step(bridge: Bridge) -> None:
    """Italy, TIM, 2020: blacklists were out of step with the call centres, and one person was called 155 times in
    a month. A stop reaches every channel it is about and every record with the number.
    """
    caller = {"Phone": "+44 20 7946 0155"}
    who, twin = bridge.meet(**caller), bridge.meet(**caller)
    bridge.settle()
    bridge.request(who, STOP, use=CALLS)
    bridge.cycle()
    for each in (who, twin):
        assert bridge.light(each, CALLS) == "Do not"
        assert bridge.contact(each)["DoNotCall"] is True
    bridge.request(who, OBJECTS, use=POST)
    bridge.cycle()
    assert {bridge.light(who, use) for use in (EMAIL, CALLS, POST)} == {"Do not"}
    shown = bridge.contact(who)
    assert (shown["HasOptedOutOfEmail"], shown["DoNotCall"]) == (True, True)


def test_what_had_been_put_right_came_undone_again(bridge: Bridge) -> None:
    """Italy, TIM, 2023: a fresh fine in spite of corrective orders. Whatever is put right stays right, and each
    time it is undone leaves an entry.
    """
    who = bridge.meet(HasOptedOutOfEmail=True)
    bridge.settle()
    for _ in range(3):
        bridge.tick(who, HasOptedOutOfEmail=False)
        bridge.cycle()
        assert bridge.contact(who)["HasOptedOutOfEmail"] is True
    with bridge.ledger.reading() as tx:
        sealed = [each.header for each in tail(tx, count=200, kind="DECISION")]
    undone = [each for each in sealed if str(each["situation"]).startswith("S13")]
    assert len(undone) >= 3
    assert bridge.audit_is_intact()


@pytest.mark.parametrize("stops_only", [False, True], ids=["as ever", "while writing is halted"])
def test_declined_at_sign_up_and_still_mailed_for_weeks(
    bridge: Bridge, *, stops_only: bool
) -> None:
    """Sweden, IMY DI-2020-10547: people who declined at sign-up were mailed for weeks. A no that a record is born
    with counts before the bridge has ever seen it, and in the first cycle, whatever else is held up.
    """
    bridge.agreed()
    who = bridge.meet(HasOptedOutOfEmail=True)
    assert bridge.contact(who)["Contact_Permission__c"] == "Do not"
    bridge.cycle(stops_only=stops_only)
    assert bridge.is_stopped(who)
    assert bridge.contact(who)["Consent_Status__c"] == "Stopped"


@pytest.mark.parametrize(
    "said",
    [
        {"email": "JANE.ROE+shop@Example.org"},
        {"phone": "020 7946 0777"},
        {"contact_id": "the Contact"},
    ],
    ids=["another spelling", "her number", "by letter"],
)
def test_an_objection_was_taken_only_from_the_accounts_own_address(
    bridge: Bridge, said: dict[str, Any]
) -> None:
    """Malta with Berlin and others, 2019: an objection was accepted only when it came from the address of the
    account. A stop counts wherever it comes from, and is matched by every contact point there is.
    """
    who = bridge.meet(email="jane.roe@example.org", Phone="+44 20 7946 0777")
    bridge.settle()
    if "contact_id" in said:
        said = {"contact_id": who}
    if "phone" in said:
        said = {"phone": "+44 (0)20 7946-0777"}
    use = CALLS if "phone" in said else EMAIL
    channel = Use(purpose=PurposeKey(""), channel=use.channel)
    bridge.imported(bridge.line("STOP", use=channel, **said))
    bridge.cycle()
    assert bridge.is_stopped(who, use)
    assert bridge.light(who, use) == "Do not"


def test_people_born_opted_out_were_missed(bridge: Bridge) -> None:
    """Mautic 13411: a connector missed Contacts that were born opted out, because nothing about them had changed.
    State counts, not change.
    """
    born = {"HasOptedOutOfEmail": True, "SystemModstamp": "2020-01-01T00:00:00Z"}
    old = bridge.director.load("Contact", [{"LastName": f"Before {one}", **born} for one in "ab"])
    bridge.settle()
    new = bridge.meet(HasOptedOutOfEmail=True)
    bridge.cycle()
    assert [bridge.is_stopped(each) for each in (*old, new)] == [True] * 3


def test_whoever_had_come_back_was_opted_out_again(bridge: Bridge) -> None:
    """Mautic 13444: the same connector then opted out people who had been switched back. A yes of the person
    themselves, after their no, is not undone by what a system remembers; an unticked box alone is no yes.
    """
    back, unticked = bridge.meet(), bridge.meet()
    bridge.settle()
    for who in (back, unticked):
        bridge.request(who, STOP)
    bridge.settle()
    bridge.tell(back, EventKind.GRANT, happened_at=bridge.now)
    bridge.settle()
    bridge.tick(unticked, HasOptedOutOfEmail=False)
    bridge.settle()
    assert bridge.row(back)["Consent_Status__c"] == "Permitted"
    assert bridge.contact(back)["HasOptedOutOfEmail"] is False
    assert bridge.is_stopped(unticked)
    assert bridge.light(unticked) == "Do not"
    assert bridge.differences() == []


def test_paging_and_modification_dates_lost_rows(
    bridge: Bridge, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mautic 5841: paging by modification date lost rows that share a moment. Whatever was stamped in one second,
    more of it than a page holds, is read to the last record.
    """
    people = [bridge.meet() for _ in range(7)]
    bridge.settle()
    bridge.wait(timedelta(hours=1))
    monkeypatch.setattr("salesforce_bridge.salesforce.gateway.POLL_PAGE", 2)
    for each in people:
        bridge.tick(each, HasOptedOutOfEmail=True)
    bridge.director.restamp("Contact", people)
    bridge.cycle()
    bridge.cycle()
    assert [bridge.is_stopped(each) for each in people] == [True] * 7


def test_a_change_that_was_committed_late_is_not_behind_the_bookmark(bridge: Bridge) -> None:
    """Mautic 5841, the other half: a transaction is stamped when it begins and seen when it ends. A bookmark that
    moved past it in between must not hide it.
    """
    who = bridge.meet()
    bridge.settle()
    bridge.cycle(after=300)
    bridge.director.rep.late(240).update("Contact", who, HasOptedOutOfEmail=True)
    bridge.cycle()
    assert bridge.is_stopped(who)


def test_a_bounce_on_one_address_unsubscribed_another(bridge: Bridge) -> None:
    """CiviCRM Mailchimp sync 289 and 328: a bounce on one address unsubscribed another one. That an address does
    not answer is no opinion of the person, and is about that address alone.
    """
    gone, well = bridge.agreed(email="gone@example.org"), bridge.agreed(email="well@example.org")
    fact = {"kind": "UNDELIVERABLE", "ref": "bounce", "valid_from": "2026-06-01T09:00:00Z"}
    bridge.imported({**fact, "email": "gone@example.org"}, facts=True)
    bridge.settle()
    assert bridge.light(gone) != "OK"
    assert not bridge.is_stopped(gone)
    assert bridge.contact(gone)["HasOptedOutOfEmail"] is False
    assert bridge.light(well) == "OK"
    bridge.director.rep.update("Contact", gone, Email="new@example.org")
    bridge.settle()
    assert not bridge.is_stopped(gone)


def test_a_no_to_one_list_became_a_no_to_everything(bridge: Bridge) -> None:
    """OCA crm 96: reviewers refused to turn one list's opt-out into a global one. The scope of a stop is what was
    said, and "everything" can be said.
    """
    who, other = bridge.meet(), bridge.meet()
    bridge.settle()
    bridge.request(who, STOP)
    everything = Use(purpose=PurposeKey(""), channel=Channel(""))
    bridge.imported(bridge.line("STOP_ALL", use=everything, contact_id=other))
    bridge.settle()
    assert [bridge.is_stopped(who, use) for use in (EMAIL, CALLS, POST)] == [True, False, False]
    assert [bridge.is_stopped(other, use) for use in (EMAIL, CALLS, POST)] == [True] * 3
