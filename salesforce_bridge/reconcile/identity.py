"""Who is who: which person a Contact belongs to, and who shares an address or number with whom."""

from collections.abc import Collection, Iterable, Mapping
from uuid import UUID, uuid5

from salesforce_bridge.permissions.contact_points import PointType
from salesforce_bridge.permissions.keys import ContactId, OrgId, SubjectId
from salesforce_bridge.permissions.policy import Policy
from salesforce_bridge.reconcile.facts import Case, SubjectRecord

UNKNOWN_JURISDICTION = "UNKNOWN"
CONSUMER = "CONSUMER"

# Every id made by a decision is derived from its content under this name, so that the same facts give
# the same plan.
NAMESPACE = UUID("8c1f2f0e-5d0b-5d6a-9c58-6f1d7f3c2b11")


def stable_id(*parts: object) -> str:
    """Derive an id from what it names."""
    return str(uuid5(NAMESPACE, "\x1f".join(map(str, parts))))


def subject_for(
    case: Case,
    records: Mapping[SubjectId, SubjectRecord],
    *,
    at_home: Collection[SubjectId],
    org_id: OrgId,
) -> SubjectId:
    """Say whose Contact this is: as linked; else the one person who held its e-mail address and whose own
    Contacts are all gone (it was created again); else somebody new.

    Two Contacts that live side by side with one address stay two people (`at_home` are those with a live
    Contact): stops reach both, grants are never shared. A telephone number may be a switchboard, so it
    identifies nobody.
    """
    if case.link is not None:
        return case.link.subject_id
    addresses = (
        frozenset(point.hmac for point in case.seen.points if point.type is PointType.EMAIL)
        if case.seen is not None
        else frozenset()
    )
    holders = sorted(
        record.subject_id
        for record in records.values()
        if record.subject_id not in at_home
        and any(held.point.hmac in addresses for held in record.points)
    )
    return holders[0] if len(holders) == 1 else new_subject_id(case.contact_id, org_id=org_id)


def new_subject_id(contact_id: ContactId, *, org_id: OrgId) -> SubjectId:
    """Name the person whom nobody but this Contact has told us of."""
    return SubjectId(stable_id("subject", org_id, contact_id))


def jurisdiction_of(country: str | None, policy: Policy) -> str:
    """Read the jurisdiction from a country as typed; what the policy does not list is unknown."""
    return policy.jurisdictions.get((country or "").strip().casefold(), UNKNOWN_JURISDICTION)


def shared_points(
    one: SubjectRecord, others: Iterable[SubjectRecord]
) -> Mapping[SubjectId, frozenset[PointType]]:
    """Name the people who hold, or once held, an address or number of this one, and of which kind."""
    mine = {held.point.hmac: held.point.type for held in one.points if not held.retired}
    shared: dict[SubjectId, frozenset[PointType]] = {}
    for other in others:
        if other.subject_id == one.subject_id:
            continue
        kinds = frozenset(mine[held.point.hmac] for held in other.points if held.point.hmac in mine)
        if kinds:
            shared[other.subject_id] = kinds
    return shared
