"""A believable org: customers of several countries, with the consent mess of years."""

import unicodedata
from collections import deque
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from random import Random

from salesforce_bridge.simulator.ids import id_of
from salesforce_bridge.simulator.refusals import Json
from salesforce_bridge.simulator.seed_extras import with_extras
from salesforce_bridge.simulator.seed_names import (
    COMPANY_WORDS,
    COUNTRIES,
    DOMAINS,
    TITLES,
    Country,
    numbers,
)
from salesforce_bridge.simulator.values import stamp_text

Record = dict[str, Json]
STARTED_AT = datetime(2024, 1, 8, 8, 0, tzinfo=UTC)
OPTED_OUT, WITH_PERMISSION = 0.08, 1 / 3
WITH_MOBILE, WITH_SWITCHBOARD, WITH_SHARED_EMAIL = 0.7, 0.25, 0.03
_CONTACTS_PER_ACCOUNT = 4
_STAMPED_TOGETHER = 200
_FLAGS = ("HasOptedOutOfEmail", "HasOptedOutOfFax", "DoNotCall")
_PERMISSIONS: tuple[tuple[int, Record], ...] = (
    (
        35,
        {
            "Consent_Status__c": "Permitted",
            "Lawful_Basis__c": "Consent",
            "Capture_Date__c": "2023-05-25T09:00:00.000+0000",
            "Capture_Source__c": "Web form /newsletter",
            "Evidence_Ref__c": "form-2023-05",
        },
    ),
    # Somebody was sure once, and nobody can say why.
    (25, {"Consent_Status__c": "Permitted", "Lawful_Basis__c": "Consent"}),
    (20, {"Consent_Status__c": "Stopped", "Capture_Source__c": "Unsubscribe link"}),
    (8, {"Consent_Status__c": "Not asked"}),
    (7, {"Consent_Status__c": "Permitted", "Requested_Change__c": "Asked us to stop"}),
    (
        5,
        {
            "Consent_Status__c": "Not asked",
            "Requested_Change__c": "Gave permission",
            "Requested_Change_Note__c": "Said yes on the phone",
        },
    ),
)


def believable_org(
    contacts: int, seed: int, *, leads: int = 0, individuals: int = 0
) -> list[tuple[str, list[Record]]]:
    """Objects with their records, in the order in which they can be loaded; always the same.

    Leads and privacy records come only where they are asked for, and change nothing else.
    """
    random = Random(seed)  # noqa: S311 - the same people every time are the point
    companies = [_account(random, number) for number in range(1, _accounts(contacts) + 1)]
    lines = {country.name: numbers(country.lines) for country in COUNTRIES}
    for company in companies:
        company["Phone"] = next(lines[str(company["BillingCountry"])], None)
    people = list(_contacts(random, contacts, companies))
    permissions = [
        _permission(random, person) for person in people if random.random() < WITH_PERMISSION
    ]
    crowd = [("Account", companies), ("Contact", people), ("Permission__c", permissions)]
    return with_extras(crowd, people, seed, leads=leads, individuals=individuals)


def _accounts(contacts: int) -> int:
    return max(1, contacts // _CONTACTS_PER_ACCOUNT)


def _account(random: Random, number: int) -> Record:
    country = random.choice(COUNTRIES)
    city, code = random.choice(country.cities)
    name = " ".join(random.choice(words) for words in COMPANY_WORDS)
    return {
        "Id": id_of("001", number),
        "Name": f"{name} {number}",
        "BillingCity": city,
        "BillingPostalCode": code,
        "BillingCountry": country.name,
        **_dated(number),
    }


def _contacts(random: Random, count: int, companies: list[Record]) -> Iterator[Record]:
    by_name = {country.name: country for country in COUNTRIES}
    mobiles = {country.name: numbers(country.mobiles) for country in COUNTRIES}
    emails: deque[str] = deque(maxlen=50)
    for number in range(1, count + 1):
        company = companies[(number - 1) // _CONTACTS_PER_ACCOUNT % len(companies)]
        country = by_name[str(company["BillingCountry"])]
        person = _contact(random, number, company, country)
        if random.random() < WITH_MOBILE:
            person["MobilePhone"] = next(mobiles[country.name], None)
        if random.random() < WITH_SWITCHBOARD:
            # One switchboard for several people of a company.
            person["Phone"] = company["Phone"]
        if emails and random.random() < WITH_SHARED_EMAIL:
            person["Email"] = random.choice(emails)
        emails.append(str(person["Email"]))
        yield person


def _contact(random: Random, number: int, company: Record, country: Country) -> Record:
    first, last = random.choice(country.first_names), random.choice(country.last_names)
    city, code = random.choice(country.cities)
    domain = random.choice(DOMAINS)
    person: Record = {
        "Id": id_of("003", number),
        "AccountId": company["Id"],
        "FirstName": first,
        "LastName": last,
        "Email": f"{_ascii(first)}.{_ascii(last)}.{number}@{domain}",
        "Title": random.choice(TITLES),
        "MailingStreet": f"{random.choice(country.streets)} {random.randrange(1, 200)}",
        "MailingCity": city,
        "MailingPostalCode": code,
        "MailingCountry": country.name,
        **_dated(number),
    }
    if random.random() < OPTED_OUT:
        for flag in random.sample(_FLAGS, random.choice((1, 1, 1, 2))):
            person[flag] = True
    return person


def _permission(random: Random, person: Record) -> Record:
    weights = [weight for weight, _ in _PERMISSIONS]
    values = random.choices([values for _, values in _PERMISSIONS], weights)[0]
    channel = random.choice(("EMAIL", "EMAIL", "EMAIL", "LIVE_CALL", "SMS", "POST"))
    return {
        "Contact__c": person["Id"],
        "Purpose__c": "direct_marketing",
        "Channel__c": channel,
        **values,
        **{name: person[name] for name in ("CreatedDate", "LastModifiedDate", "SystemModstamp")},
    }


def _dated(number: int) -> Record:
    stamp = _stamp(number // _STAMPED_TOGETHER)
    return {"CreatedDate": stamp, "LastModifiedDate": stamp, "SystemModstamp": stamp}


@lru_cache(maxsize=2)
def _stamp(batch: int) -> str:
    return stamp_text(STARTED_AT + timedelta(minutes=7 * batch))


def _ascii(name: str) -> str:
    folded = unicodedata.normalize("NFKD", name.replace("ß", "ss")).encode("ascii", "ignore")
    return folded.decode().lower()
