"""What stands in the field for evidence: somebody's reference, or a token that proves something by itself."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from salesforce_bridge.permissions.contact_points import PointKeys
from salesforce_bridge.permissions.proofs import Proof, proof_of, verify

SCHEME = "sb1."
SHOWN = 16  # hex digits of a fingerprint, enough to tell one token from another


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """A reference that may be stored, and what was proved."""

    ref: str | None
    proof: Proof | None = None


def read_evidence(
    text: str | None, *, keys: PointKeys, default_country: str, proof_keys: Mapping[str, bytes]
) -> Evidence:
    """Check a token where there is one; the address inside goes no further than its fingerprint.

    One that does not verify is a reference like any other, but for the address that it may hold.
    """
    written = (text or "").strip()
    if not written.startswith(SCHEME):
        return Evidence(ref=text)
    token = verify(written, proof_keys)
    if token is None:
        fingerprint = hashlib.sha256(written.encode()).hexdigest()[:SHOWN]
        return Evidence(ref=f"token-not-verified:{fingerprint}")
    proof = proof_of(token, keys=keys, default_country=default_country)
    return Evidence(ref=f"token:{token.id}", proof=proof)
