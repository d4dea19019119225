"""Who is who: which person a Contact belongs to, and who shares an address or number with whom."""

from collections.abc import Collection, Mapping
from hashlib import sha1
from uuid import UUID

from salesforce_bridge.permissions.contact_points import PointType
from salesforce_bridge.permissions.keys import ContactId, OrgId, SubjectId
from salesforce_bridge.permissions.policy import Policy
from salesforce_bridge.reconcile.facts import Case

UNKNOWN_JURISDICTION = "UNKNOWN"
CONSUMER = "CONSUMER"

# Every id made by a decision is derived from its content under this name, so that the same facts give
# the same plan.
NAMESPACE = UUID("8c1f2f0e-5d0b-5d6a-9c58-6f1d7f3c2b11")
_NAMESPACE = NAMESPACE.bytes
_VARIANT = dict(zip("0123456789abcdef", "89ab" * 4, strict=True))


def stable_id(*parts: object) -> str:
    """Derive an id from what it names: a UUIDv5, put together by hand because a plan makes so many."""
    return id_named(name_of(*parts))


def name_of(*parts: object) -> str:
    """Put into one text what an id names."""
    return "\x1f".join(map(str, parts))


def id_named(name: str) -> str:
    """Derive an id from a name that was put together already."""
    told = sha1(_NAMESPACE + name.encode(), usedforsecurity=False).hexdigest()
    return f"{told[:8]}-{told[8:12]}-5{told[13:16]}-{_VARIANT[told[16]]}{told[17:20]}-{told[20:32]}"


def subject_for(
    case: Case,
    holders: Mapping[str, Collection[SubjectId]],
    *,
    at_home: Collection[SubjectId],
    org_id: OrgId,
) -> SubjectId:
    """Say whose Contact this is: as linked; else the one person who held its e-mail address and whose own
    Contacts are all gone (it was created again); else somebody new.

    Two Contacts that live side by side with one address stay two people (`at_home` are those with a live
    Contact): stops reach both, grants are never shared. A telephone number may be a switchboard, so it
    identifies nobody. `holders` are the people by the fingerprint of what they hold or once held.
    """
    if case.link is not None:
        return case.link.subject_id
    seen = case.seen
    points = () if seen is None else (*seen.points, *seen.older) if seen.older else seen.points
    addresses = [point.hmac for point in points if point.type is PointType.EMAIL]
    found = {each for address in addresses for each in holders.get(address, ())}
    away = [each for each in found if each not in at_home]
    return away[0] if len(away) == 1 else new_subject_id(case.contact_id, org_id=org_id)


def new_subject_id(contact_id: ContactId, *, org_id: OrgId) -> SubjectId:
    """Name the person whom nobody but this Contact has told us of."""
    return SubjectId(stable_id("subject", org_id, contact_id))


def jurisdiction_of(country: str | None, policy: Policy) -> str:
    """Read the jurisdiction from a country as typed; what the policy does not list is unknown."""
    return policy.jurisdictions.get((country or "").strip().casefold(), UNKNOWN_JURISDICTION)
