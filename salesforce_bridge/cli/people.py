"""Finding the person a command is about, by a Contact of theirs."""

from datetime import datetime, timedelta
from typing import Annotated

import typer

from salesforce_bridge.errors import SkipRecord
from salesforce_bridge.ledger import views
from salesforce_bridge.ledger.store import Tx
from salesforce_bridge.ledger.views import ContactView
from salesforce_bridge.permissions.contact_points import ContactPoint
from salesforce_bridge.permissions.keys import ContactId, OrgId, SubjectId
from salesforce_bridge.reconcile.facts import LIVE_LINKS
from salesforce_bridge.salesforce.records import long_id

ContactArgument = Annotated[str, typer.Argument(metavar="CONTACT_ID", help="15 or 18 characters.")]


class ContactUnknown(SkipRecord):
    """The ledger has not met that Contact."""


def person_of(tx: Tx, org_id: OrgId, contact: str, *, entries: int = 20) -> ContactView:
    """Give everything about the person behind a Contact, or say that there is nobody."""
    contact_id = ContactId(long_id(contact))
    found = views.contact(tx, org_id, contact_id, entries=entries)
    if found is None:
        raise ContactUnknown(
            f"The ledger has not met Contact {contact_id}.",
            hint="salesforce-bridge run --once, or check the id",
        )
    return found


def living_points(tx: Tx, org_id: OrgId, subject_id: SubjectId) -> tuple[ContactPoint, ...]:
    """All that the living Contacts of a person are addressed by."""
    links = tx.subjects([subject_id])[subject_id].links
    living = {link.contact_id for link in links if link.state in LIVE_LINKS}
    mirrors = tx.contact_mirrors(org_id, living)
    return tuple(point for each in mirrors.values() for point in each.points)


def text_of(moment: datetime | None) -> str | None:
    """A moment as JSON has it."""
    return None if moment is None else moment.isoformat()


def days(length: timedelta) -> int:
    """A length of time in whole days."""
    return length // timedelta(days=1)
