"""What an org offers beyond what the bridge needs: found out by asking, together with the poll."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from http import HTTPStatus

from salesforce_bridge.errors import RetryLater
from salesforce_bridge.reconcile.intent import Target
from salesforce_bridge.salesforce.client import Part, Reply
from salesforce_bridge.salesforce.faults import translate
from salesforce_bridge.salesforce.fields import (
    CAMPAIGN_MEMBER_FIELDS,
    INDIVIDUAL,
    INDIVIDUAL_QUERY,
    LEAD,
    LEAD_QUERY,
)
from salesforce_bridge.salesforce.reading import Listing, Order


class Feature(StrEnum):
    """Objects that an org may lack, or that the integration user may not see."""

    INDIVIDUAL = INDIVIDUAL
    LEAD = LEAD
    CAMPAIGN_MEMBER = Target.CAMPAIGN_MEMBER.value


def questions() -> tuple[Part, ...]:
    """Ask for exactly the fields that would be read, of nobody; none of it counts as a call of its own."""
    return (
        _of_nobody(Target.CONTACT.value, INDIVIDUAL_QUERY),
        _of_nobody(LEAD, LEAD_QUERY),
        Part(method="GET", path=f"sobjects/{Target.CAMPAIGN_MEMBER.value}/describe"),
    )


def features_in(replies: Sequence[Reply]) -> frozenset[str]:
    """Read the answers in the order of the questions; an org that is busy is not one that has less."""
    individual, lead, member = replies
    found = {
        Feature.INDIVIDUAL: _readable(individual),
        Feature.LEAD: _readable(lead),
        Feature.CAMPAIGN_MEMBER: _readable(member) and _creatable(member),
    }
    return frozenset(feature.value for feature, there in found.items() if there)


def _of_nobody(table: str, fields: tuple[str, ...]) -> Part:
    listing = Listing(table=table, fields=fields, where="Id = null", order=Order.ID, limit=1)
    return listing.part(None)


def _readable(reply: Reply) -> bool:
    if reply.status == HTTPStatus.OK:
        return True
    error = translate(reply.status, reply.body)
    if isinstance(error, RetryLater):
        raise error
    return False


def _creatable(reply: Reply) -> bool:
    body = reply.body
    if not isinstance(body, Mapping) or body.get("createable") is not True:
        return False
    fields = body.get("fields")
    ours = {
        each.get("name")
        for each in (fields if isinstance(fields, list) else ())
        if isinstance(each, Mapping) and each.get("createable") is True
    }
    return ours >= {field.api for field in CAMPAIGN_MEMBER_FIELDS}
