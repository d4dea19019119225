"""The crowd that fills a rehearsal."""

from collections import Counter

import phonenumbers

from salesforce_bridge.simulator.seed import believable_org


def test_the_same_seed_gives_the_same_people() -> None:
    assert believable_org(300, 5) == believable_org(300, 5)
    assert believable_org(300, 5) != believable_org(300, 6)


def test_the_crowd_has_the_mess_of_years() -> None:
    by_object = dict(believable_org(3000, 1))
    people, rows = by_object["Contact"], by_object["Permission__c"]
    opted_out = sum(
        any(person.get(flag) for flag in ("HasOptedOutOfEmail", "HasOptedOutOfFax", "DoNotCall"))
        for person in people
    )
    assert 0.05 < opted_out / len(people) < 0.11
    assert 0.28 < len(rows) / len(people) < 0.39
    assert not any("Ledger_Key__c" in row for row in rows)
    emails = Counter(person["Email"] for person in people)
    assert sum(count > 1 for count in emails.values()) > 30
    lines = Counter(person["Phone"] for person in people if person.get("Phone"))
    assert sum(count > 1 for count in lines.values()) > 30
    kinds = Counter(
        (
            row.get("Consent_Status__c"),
            bool(row.get("Evidence_Ref__c")),
            row.get("Requested_Change__c"),
        )
        for row in rows
    )
    assert kinds["Permitted", False, None] > 0
    assert kinds["Stopped", False, None] > 0
    assert kinds["Permitted", False, "Asked us to stop"] > 0


def test_every_number_and_address_is_fiction_that_looks_real() -> None:
    people = dict(believable_org(2000, 1))["Contact"]
    assert all(
        str(one["Email"]).split("@")[1] in {"example.com", "example.org", "example.net"}
        for one in people
    )
    for person in people:
        for name in ("Phone", "MobilePhone"):
            number = person.get(name)
            if number is not None:
                assert phonenumbers.is_possible_number(phonenumbers.parse(str(number))), number
    mobiles = Counter(person["MobilePhone"] for person in people if person.get("MobilePhone"))
    assert max(mobiles.values()) == 1


def test_leads_and_privacy_records_come_only_when_asked_for_and_change_nobody_else() -> None:
    plain = dict(believable_org(300, 5))
    rich = dict(believable_org(300, 5, leads=200, individuals=100))
    assert set(rich) - set(plain) == {"Individual", "Lead"}
    assert rich["Permission__c"] == plain["Permission__c"]
    bare = [
        {name: value for name, value in person.items() if name != "IndividualId"}
        for person in rich["Contact"]
    ]
    assert bare == plain["Contact"]


def test_some_leads_were_converted_and_some_people_wish_to_be_left_alone() -> None:
    objects = believable_org(300, 5, leads=200, individuals=100)
    by_object = dict(objects)
    assert next(iter(by_object)) == "Individual", "the Contacts point at them"
    people = {person["Id"]: person for person in by_object["Contact"]}
    converted = [lead for lead in by_object["Lead"] if lead.get("IsConverted")]
    assert 40 < len(converted) < 120
    assert all(lead["ConvertedContactId"] in people for lead in converted)
    flags = ("HasOptedOutOfEmail", "HasOptedOutOfFax", "DoNotCall")
    lost = [
        lead
        for lead in converted
        for flag in flags
        if lead.get(flag) and not people[lead["ConvertedContactId"]].get(flag)
    ]
    assert lost, "no stop is waiting on a Lead"
    linked = {person["IndividualId"] for person in people.values() if "IndividualId" in person}
    assert linked == {one["Id"] for one in by_object["Individual"]}
    assert len(linked) == 100
    assert any(one.get("ShouldForget") for one in by_object["Individual"])
