"""Turning a Lead into a Contact of an Account, as the platform's own conversion does."""

from collections.abc import Mapping
from dataclasses import dataclass

from salesforce_bridge.simulator.accept import twins
from salesforce_bridge.simulator.dml import Transaction
from salesforce_bridge.simulator.org import Org
from salesforce_bridge.simulator.refusals import RowRefused
from salesforce_bridge.simulator.schema import ObjectType
from salesforce_bridge.simulator.store import Row, Stored


@dataclass(frozen=True, slots=True, kw_only=True)
class Converted:
    """What a Lead became."""

    contact_id: str
    account_id: str


def convert_lead(
    org: Org,
    transaction: Transaction,
    lead_id: str,
    *,
    contact_id: str | None = None,
    account_id: str | None = None,
) -> Converted:
    """Make a Lead into a new Contact, or into one that is there; the Lead is closed for good.

    A new Contact takes the Lead's values over. One that is there keeps its own, and takes only
    what it has nothing for; a box is never empty, so not even a ticked one is taken.
    """
    _check_rights(org, transaction, contact_id=contact_id, account_id=account_id)
    lead = transaction.row(_type(org, "Lead"), lead_id)
    if lead.get("IsConverted"):
        raise RowRefused("CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead")
    return transaction.atomically(
        lambda: _convert(org, transaction, lead, contact_id=contact_id, account_id=account_id)
    )


def _check_rights(
    org: Org, transaction: Transaction, *, contact_id: str | None, account_id: str | None
) -> None:
    user = transaction.user
    contact_type, account_type = _type(org, "Contact"), _type(org, "Account")
    allowed = user.edits(_type(org, "Lead"))
    allowed &= user.edits(contact_type) if contact_id else user.creates(contact_type)
    allowed &= bool(contact_id or account_id) or user.creates(account_type)
    if not allowed:
        raise RowRefused(
            "INSUFFICIENT_ACCESS_OR_READONLY", "insufficient access rights on object id"
        )


def _convert(
    org: Org, transaction: Transaction, lead: Row, *, contact_id: str | None, account_id: str | None
) -> Converted:
    contact_type, account_type = _type(org, "Contact"), _type(org, "Account")
    contact = None if contact_id is None else transaction.row(contact_type, contact_id)
    account = str(account_id or (contact or {}).get("AccountId") or "")
    account = (
        str(transaction.row(account_type, account)["Id"])
        if account
        else transaction.insert(account_type, _taken(account_type, lead, _TO_ACCOUNT))
    )
    values = _taken(contact_type, lead, _TO_CONTACT) | {"AccountId": account}
    if contact is None:
        became = transaction.insert(contact_type, values)
    else:
        became = str(contact["Id"])
        _refuse_stranger(contact, account)
        transaction.change(contact_type, contact, _gaps(contact_type, contact, values))
    _take_along(org, transaction, lead, became)
    transaction.change(
        _type(org, "Lead"),
        lead,
        {
            "IsConverted": True,
            "ConvertedDate": transaction.day,
            "ConvertedAccountId": account,
            "ConvertedContactId": became,
            "Status": "Closed - Converted",
        },
    )
    return Converted(contact_id=became, account_id=account)


def _taken(target: ObjectType, lead: Row, names: Mapping[str, str]) -> dict[str, Stored | None]:
    return {
        target_name: lead[lead_name]
        for lead_name, target_name in names.items()
        if lead_name in lead and target_name in target.fields
    }


def _gaps(
    contact_type: ObjectType, contact: Row, values: Mapping[str, Stored | None]
) -> dict[str, Stored | None]:
    return {
        name: value
        for name, value in values.items()
        if contact.get(name) is None and contact_type.fields[name].type != "boolean"
    }


def _refuse_stranger(contact: Row, account: str) -> None:
    if contact.get("AccountId") not in {None, account}:
        raise RowRefused(
            "INVALID_ID_FIELD", "The contact is not associated with the account specified."
        )


def _take_along(org: Org, transaction: Transaction, lead: Row, contact_id: str) -> None:
    """Let the campaigns of the Lead know the Contact, unless they know it already."""
    member_type = org.project.objects.get("CampaignMember")
    if member_type is None:
        return
    table = org.table(member_type)
    for member_id in table.holders(member_type.fields["LeadId"], str(lead["Id"])):
        member = table.rows[member_id]
        known: Row = {"ContactId": contact_id, "CampaignId": member["CampaignId"]}
        if not member.get("IsDeleted") and not twins(org, member_type, tuple(known), known):
            transaction.change(member_type, member, {"ContactId": contact_id})


def _type(org: Org, name: str) -> ObjectType:
    found = org.project.objects.get(name)
    if found is None:
        raise RowRefused("INVALID_TYPE", f"sObject type '{name}' is not supported.")
    return found


_ADDRESS = ("Street", "City", "State", "PostalCode", "Country")
_SAME = (
    "FirstName",
    "LastName",
    "Salutation",
    "Title",
    "Email",
    "Phone",
    "MobilePhone",
    "Fax",
    "LeadSource",
    "Description",
    "IndividualId",
    "HasOptedOutOfEmail",
    "HasOptedOutOfFax",
    "DoNotCall",
    "OwnerId",
)
_TO_CONTACT = {**{name: name for name in _SAME}, **{part: f"Mailing{part}" for part in _ADDRESS}}
_TO_ACCOUNT = {
    "Company": "Name",
    "Phone": "Phone",
    "Fax": "Fax",
    "OwnerId": "OwnerId",
    **{part: f"Billing{part}" for part in _ADDRESS},
}
