"""The cast of the demo: who of the invented people plays which part, and what the ledger knows of them before."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from salesforce_bridge.errors import CannotStart
from salesforce_bridge.permissions.keys import ContactId
from salesforce_bridge.simulator.director import Director

MARKETING, SERVICE = "direct_marketing", "service_messages"
EMAIL, CALL, POST = "EMAIL", "LIVE_CALL", "POST"
EVERY_CHANNEL = (EMAIL, CALL, POST)
CUSTOMERS = 12
SIGNED_UP = 24
EXPIRES_AFTER = timedelta(minutes=10)
_FLAGS = ("HasOptedOutOfEmail", "HasOptedOutOfFax", "DoNotCall")


class TooFewPeople(CannotStart):
    """The invented org has nobody for one of the parts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody of the org, with the addresses that a proof names."""

    contact_id: ContactId
    email: str
    mobile: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    """Who plays which part."""

    permitted: Person  # said yes on every channel, and nothing ever changes that
    stops: Person  # said yes, and asks a rep to stop
    opts_out: Person  # said yes, and gets the opt-out box ticked
    unproven: Person  # a rep types a yes without a proof
    merged_away: Person  # born opted out, and merged into the next
    merged_into: Person  # said yes by e-mail
    expiring: Person  # said yes by e-mail, for a few minutes more
    late: Person  # says yes in the middle of the story
    stops_meanwhile: Person  # said yes, and asks to stop while a mass change is held
    wishes: Person  # said yes, and wants no solicitation by their Individual
    renews: Person  # said yes by e-mail, and has to say so again soon
    signed_up: tuple[Person, ...]  # said yes by e-mail
    customers: tuple[Person, ...]  # have a contract


def cast_of(director: Director) -> Cast:
    """Find people for the parts: always the same ones in the same org."""
    flags = ", ".join(_FLAGS)
    contacts = director.query(
        f"SELECT Id, Email, MobilePhone, Phone, {flags} FROM Contact ORDER BY Id"  # noqa: S608  # not SQL
    )
    with_row = {row["Contact__c"] for row in director.query("SELECT Contact__c FROM Permission__c")}
    shared = {email for email, n in Counter(each["Email"] for each in contacts).items() if n > 1}
    own = [
        each
        for each in contacts
        if each["Email"] and each["Email"] not in shared and each["Id"] not in with_row
    ]
    # Nobody behind a switchboard: a stop by telephone would reach the colleagues, which is another story.
    plain = _people(
        each
        for each in own
        if each["MobilePhone"] and not each["Phone"] and not any(each[flag] for flag in _FLAGS)
    )
    opted_out = _people(each for each in own if each["HasOptedOutOfEmail"])
    parts = 10
    if len(plain) < parts + SIGNED_UP + CUSTOMERS or not opted_out:
        raise TooFewPeople(
            "The invented org has too few people for the story.",
            hint="salesforce-bridge demo --contacts 300",
        )
    permitted, stops, opts_out, unproven, merged_into, expiring, late, *more = plain[:parts]
    stops_meanwhile, wishes, renews = more
    return Cast(
        permitted=permitted,
        stops=stops,
        opts_out=opts_out,
        unproven=unproven,
        merged_away=opted_out[0],
        merged_into=merged_into,
        expiring=expiring,
        late=late,
        stops_meanwhile=stops_meanwhile,
        wishes=wishes,
        renews=renews,
        signed_up=plain[parts : parts + SIGNED_UP],
        customers=plain[parts + SIGNED_UP : parts + SIGNED_UP + CUSTOMERS],
    )


def _people(contacts: Iterable[Mapping[str, Any]]) -> tuple[Person, ...]:
    return tuple(
        Person(
            contact_id=ContactId(each["Id"]),
            email=each["Email"],
            mobile=each["MobilePhone"] or "",
        )
        for each in contacts
    )
