"""Finding the case that a command is about."""

from datetime import datetime
from typing import Annotated, Any

import typer

from salesforce_bridge.cli.rights_words import case_document, entitled_to
from salesforce_bridge.errors import SkipRecord
from salesforce_bridge.ledger.store import Tx
from salesforce_bridge.permissions.policy import Policy
from salesforce_bridge.permissions.rights import RightsCase

ALL = 100_000  # more cases than anybody has
CaseArgument = Annotated[
    str, typer.Argument(metavar="CASE_ID", help="As `rights list` shows it; its beginning will do.")
]


class CaseUnknown(SkipRecord):
    """No case has that id, or several begin with it."""


def case_named(tx: Tx, case_id: str) -> RightsCase:
    """The one case whose id is, or begins with, what was typed."""
    exact = tx.cases(case_id=case_id)
    found = exact or tuple(each for each in tx.cases(limit=ALL) if each.id.startswith(case_id))
    if len(found) != 1:
        many = f"{len(found)} cases begin with {case_id}." if found else f"No case is {case_id}."
        raise CaseUnknown(many, hint="salesforce-bridge rights list --all")
    return found[0]


def worth_of(tx: Tx, case: RightsCase, *, policy: Policy, at: datetime) -> list[dict[str, str]]:
    """What a case is worth under each basis that the person's data is used on."""
    person = tx.subjects([case.subject_id]).get(case.subject_id)
    if person is None or person.erased:
        return []
    return entitled_to(case, person, policy=policy, at=at)


def told(tx: Tx, case: RightsCase, *, at: datetime) -> dict[str, Any]:
    """One case with the Contacts of its person."""
    people = tx.subjects([case.subject_id])
    person = people.get(case.subject_id)
    contacts = sorted(link.contact_id for link in person.links) if person is not None else []
    return case_document(case, at=at) | {"contact_ids": contacts}
