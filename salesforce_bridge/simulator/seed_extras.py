"""What only some orgs have: privacy records on Contacts, and Leads of which some became Contacts."""

from random import Random
from typing import TypeAlias

from salesforce_bridge.simulator.ids import id_of
from salesforce_bridge.simulator.refusals import Json

Record: TypeAlias = dict[str, Json]
Crowd: TypeAlias = list[tuple[str, list[Record]]]

CONVERTED, LEAD_OPTED_OUT, WITH_WISH = 0.4, 0.2, 0.15
_FLAGS = ("HasOptedOutOfEmail", "HasOptedOutOfFax", "DoNotCall")
_WISHES = (
    "HasOptedOutSolicit",
    "HasOptedOutProfiling",
    "HasOptedOutProcessing",
    "ShouldForget",
    "SendIndividualData",
)
_DATES = ("CreatedDate", "LastModifiedDate", "SystemModstamp")


def with_extras(
    crowd: Crowd, people: list[Record], seed: int, *, leads: int, individuals: int
) -> Crowd:
    """Add what is asked for, by dice of its own: the crowd itself stays the same."""
    random = Random(f"extras {seed}")  # noqa: S311 - the same people every time are the point
    before: Crowd = []
    after: Crowd = []
    if individuals:
        chosen = random.sample(people, min(individuals, len(people)))
        before = [("Individual", [_individual(random, *each) for each in enumerate(chosen, 1)])]
    if leads:
        after = [("Lead", [_lead(random, number, people) for number in range(1, leads + 1)])]
    return [*before, *crowd, *after]


def _individual(random: Random, number: int, person: Record) -> Record:
    individual: Record = {
        "Id": id_of("0PK", number),
        **{name: person[name] for name in ("FirstName", "LastName", *_DATES)},
    }
    if random.random() < WITH_WISH:
        individual[random.choice(_WISHES)] = True
    person["IndividualId"] = individual["Id"]
    return individual


def _lead(random: Random, number: int, people: list[Record]) -> Record:
    person = random.choice(people) if people else None
    lead: Record = {"Id": id_of("00Q", number), "Company": f"Prospect {number}"}
    if random.random() < LEAD_OPTED_OUT:
        lead[random.choice(_FLAGS)] = True
    if person is None or random.random() >= CONVERTED:
        return lead | {"LastName": f"Prospect {number}", "Email": f"lead.{number}@example.net"}
    return lead | {
        **{name: person[name] for name in ("FirstName", "LastName", "Email", *_DATES)},
        "Status": "Closed - Converted",
        "IsConverted": True,
        "ConvertedDate": str(person["LastModifiedDate"])[: len("2026-01-01")],
        "ConvertedAccountId": person["AccountId"],
        "ConvertedContactId": person["Id"],
    }
