"""What an org offers besides what the bridge needs is found out in the poll itself, and may come and go."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from salesforce_bridge.errors import BridgeError
from salesforce_bridge.salesforce.faults import FieldMissing, SalesforceUnavailable
from salesforce_bridge.salesforce.gateway import ASKED_EVERY, Gateway
from tests.unit.salesforce.scripted import (
    AT,
    Script,
    contact_id,
    page,
    replies,
    scripted,
    soql_of,
    stamp,
)
from tests.unit.salesforce.test_records import FLAGS, contact_row, individual_row, permission_row

GONE = (400, [{"errorCode": "INVALID_TYPE", "message": "m"}])
HIDDEN = (400, [{"errorCode": "INVALID_FIELD", "message": "m"}])
NOT_FOUND = (404, [{"errorCode": "NOT_FOUND", "message": "m"}])
BOTH = frozenset({"Individual", "Lead"})
PERSON = "0PK000000000001AAA"


def member(*fields: str, createable: bool = True) -> dict[str, Any]:
    return {
        "createable": createable,
        "fields": [{"name": name, "createable": True} for name in fields],
    }


MEMBER = member("CampaignId", "ContactId")


def asked(script: Script, *answers: object) -> Gateway:
    """A gateway that has polled once, with these answers about individuals, flags, leads and members."""
    individuals, flags, leads, members = answers
    script.say(replies(page(), page(), individuals, flags, leads, members))
    gateway = script.gateway(features=None)
    gateway.poll(AT, AT, None)
    return gateway


def test_an_org_that_offers_everything_is_found_out_within_the_one_call_of_a_poll() -> None:
    with scripted() as script:
        gateway = asked(script, page(), page(), page(), MEMBER)
        assert gateway.features == {"Individual", "Lead", "CampaignMember"}
        assert gateway.calls == 1
        queries = [each for each in script.asked[0] if "q=" in each["url"]]
        assert len(queries) == 5  # as many as one call may carry


def test_what_is_known_is_not_asked_again_by_the_next_poll() -> None:
    with scripted() as script:
        gateway = asked(script, page(), page(), page(), MEMBER)
        script.say(replies(page(), page(), page(stamp(PERSON))))
        poll = gateway.poll(AT, AT, None)
    assert [each.id for each in poll.individuals] == [PERSON]
    assert "FROM Individual" in soql_of(script.asked[1][2])


@pytest.mark.parametrize(
    ("answers", "features"),
    [
        ((GONE, GONE, GONE, NOT_FOUND), set()),
        ((GONE, page(), page(), MEMBER), {"Lead", "CampaignMember"}),
        ((page(), HIDDEN, page(), MEMBER), {"Lead", "CampaignMember"}),
        ((page(), page(), HIDDEN, MEMBER), {"Individual", "CampaignMember"}),
        ((page(), page(), page(), member("CampaignId")), BOTH),
        ((page(), page(), page(), member("CampaignId", "ContactId", createable=False)), BOTH),
        (
            (page(), page(), page(), (403, [{"errorCode": "INSUFFICIENT_ACCESS", "message": "m"}])),
            BOTH,
        ),
    ],
)
def test_what_is_missing_or_hidden_is_done_without(
    answers: tuple[object, ...], features: set[str]
) -> None:
    with scripted() as script:
        assert asked(script, *answers).features == features


def test_an_org_that_is_busy_is_not_taken_for_one_that_offers_less() -> None:
    busy = (503, [{"errorCode": "SERVER_UNAVAILABLE", "message": "m"}])
    with scripted() as script:
        script.say(replies(page(), page(), page(), page(), busy, MEMBER))
        gateway = script.gateway(features=None, attempts=1)
        with pytest.raises(SalesforceUnavailable):
            gateway.poll(AT, AT, None)


def test_a_check_of_the_schema_lets_the_next_poll_ask_again() -> None:
    with scripted() as script:
        gateway = asked(script, GONE, GONE, GONE, NOT_FOUND)
        script.say(
            replies(NOT_FOUND, NOT_FOUND, NOT_FOUND),
            replies(page(), page(), page(), page(), page(), MEMBER),
        )
        gateway.check_schema()
        assert gateway.features == frozenset()
        gateway.poll(AT, AT, None)
    assert gateway.features >= BOTH


def test_after_an_hour_a_poll_asks_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("salesforce_bridge.salesforce.gateway.ASKED_EVERY", timedelta(0))
    assert timedelta(hours=1) == ASKED_EVERY
    with scripted() as script:
        gateway = asked(script, GONE, GONE, GONE, NOT_FOUND)
        script.say(
            replies(page(), page()),
            replies(page(), page(), page(), page(), page(), MEMBER),
        )
        gateway.poll(AT, AT, None)
        gateway.poll(AT, AT, None)
    assert gateway.features >= BOTH


def test_privacy_records_that_vanish_end_no_poll() -> None:
    with scripted() as script:
        script.say(replies(page(), page(), GONE))
        gateway = script.gateway(features=BOTH)
        poll = gateway.poll(AT, AT, None)
    assert (poll.individuals, poll.individuals_complete) == ((), True)
    assert gateway.features == {"Lead"}


def test_flags_that_are_hidden_meanwhile_do_not_keep_contacts_from_being_read() -> None:
    with scripted() as script:
        script.say(replies(HIDDEN), replies(page(contact_row())))
        gateway = script.gateway(features=BOTH)
        (found,) = gateway.contacts([contact_id(1)])
    assert found.individual is None
    assert "Individual" not in gateway.features
    assert "Individual.ShouldForget" in soql_of(script.asked[0][0])
    assert "Individual" not in soql_of(script.asked[1][0])


def test_a_field_that_the_bridge_needs_is_still_missed() -> None:
    with scripted() as script:
        script.say(replies(HIDDEN), replies(HIDDEN))
        with pytest.raises(FieldMissing):
            script.gateway(features=BOTH).contacts([contact_id(1)])


def test_contacts_of_a_privacy_record_are_found_by_it() -> None:
    with scripted() as script:
        script.say(replies(page(individual_row(ShouldForget=True))))
        (found,) = script.gateway(features=BOTH).contacts_of_individuals([PERSON])
    assert f"IndividualId IN ('{PERSON}')" in soql_of(script.asked[0][0])
    assert found.individual is not None
    assert found.individual.should_forget


def test_an_org_without_privacy_records_is_not_asked_for_them() -> None:
    with scripted() as script:
        gateway = script.gateway()
        assert gateway.contacts_of_individuals([PERSON]) == ()
        assert gateway.calls == 0


def test_the_first_look_at_a_contact_reads_rows_and_leads_in_one_call() -> None:
    one, other = contact_id(1), contact_id(2)
    lead: Mapping[str, object] = {
        **dict.fromkeys(FLAGS, False),
        "Id": "00Q000000000001AAA",
        "ConvertedContactId": other,
        "DoNotCall": True,
    }
    with scripted() as script:
        script.say(replies(page(permission_row()), page(lead)))
        gateway = script.gateway(features=BOTH)
        look = gateway.first_look([one, other], strangers=[other])
        assert gateway.calls == 1
    assert [each.row_id for each in look.rows] == ["a00000000000001AAA"]
    assert look.leads[other].do_not_call
    leads = soql_of(script.asked[0][1])
    assert f"ConvertedContactId IN ('{other}')" in leads


@pytest.mark.parametrize("features", [frozenset[str](), BOTH])
def test_leads_of_people_who_are_known_are_not_asked_for(features: frozenset[str]) -> None:
    strangers = [] if features else [contact_id(1)]
    with scripted() as script:
        script.say(replies(page()))
        look = script.gateway(features=features).first_look([contact_id(1)], strangers=strangers)
    assert look.leads == {}
    assert len(script.asked[0]) == 1


def test_leads_that_can_no_longer_be_read_are_done_without() -> None:
    with scripted() as script:
        script.say(replies(page(permission_row()), HIDDEN))
        ids = [contact_id(1)]
        look = script.gateway(features=BOTH).first_look(ids, strangers=ids)
    assert (len(look.rows), look.leads) == (1, {})


@pytest.mark.parametrize("kind", [BridgeError])
def test_an_answer_about_leads_that_is_an_error_is_none_about_nobody(
    kind: type[BridgeError],
) -> None:
    refused = (403, [{"errorCode": "INSUFFICIENT_ACCESS", "message": "m"}])
    with scripted() as script:
        script.say(replies(page(), refused))
        ids = [contact_id(1)]
        with pytest.raises(kind):
            script.gateway(features=BOTH, attempts=1).first_look(ids, strangers=ids)
