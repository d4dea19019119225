"""Proofs that a machine can check: signed words of a person that travel in a field of Salesforce."""

from dataclasses import dataclass
from datetime import datetime

from salesforce_bridge.permissions.evidence import Grade, Trust
from salesforce_bridge.permissions.keys import Use


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """A yes whose signature was checked at the edge, bound to one address of the person who gave it."""

    id: str  # of the token, e-signature envelope or portal session; never repeated by its issuer
    kind: str  # as the policy names it, with the trust and the grade that it earns
    use: Use
    happened_at: datetime
    notice_id: str | None
    point: str | None  # the `exact` fingerprint of the address it was given for
    trust: Trust
    grade: Grade
