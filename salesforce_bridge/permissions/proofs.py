"""Proofs that a machine can check: signed words of a person that travel in a field of Salesforce.

Whoever hears the yes (a web form after its confirmed link, a portal, an e-signature) signs it with a key that
the bridge holds too, and puts the token into `Requested_Change_Evidence__c` beside the request "They said
yes". A token is nine fields joined by dots, in ASCII, at most 255 characters:

    sb1.<kind>.<id>.<seconds>.<notice>.<purpose>.<channel>.<address>.<signature>

    kind       which key signed it, as the policy names it under `proofs`: double_opt_in
    id         of this one yes, never repeated: letters, digits, "-" and "_", at most 64
    seconds    when the person said it, in whole seconds since 1970, UTC
    notice     id of the text they were shown, as in the policy
    purpose    key of the purpose, as in the policy
    channel    key of the channel, as in the policy
    address    the e-mail address or number it was said for, as base64url of its UTF-8 without "=";
               empty where the channel has none, such as POST
    signature  HMAC-SHA-256 with the key of that kind over all that comes before the last dot,
               as base64url without "="

In Python:

    base64url = lambda octets: base64.urlsafe_b64encode(octets).rstrip(b"=").decode()
    signed = ".".join(("sb1", kind, id, seconds, notice, purpose, channel, base64url(address.encode())))
    token = signed + "." + base64url(hmac.digest(key, signed.encode(), "sha256"))

The address makes most of the length: with one of 100 characters about 60 are left for kind, id, notice,
purpose and channel together, so give ids of 16 characters or so.
"""

import base64
import binascii
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from salesforce_bridge.errors import SkipRecord
from salesforce_bridge.permissions.bundle import ProofRule
from salesforce_bridge.permissions.contact_points import PointKeys, PointType, contact_point
from salesforce_bridge.permissions.evidence import Grade, Trust
from salesforce_bridge.permissions.keys import Channel, PurposeKey, Use

TOKEN_MAX = 255  # characters in a Salesforce text field


class TokenUnfit(SkipRecord):
    """What was to be signed cannot be told in a token."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """What a person said, as it was signed; it holds a plain address, so it goes no further than the edge."""

    kind: str
    id: str
    happened_at: datetime
    notice_id: str | None
    use: Use
    address: str | None


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


def issue(token: Token, key: bytes) -> str:
    """Sign what a person said; the moment is cut to its second."""
    address = "" if token.address is None else _base64url(token.address.encode())
    signed = ".".join(
        (
            _SCHEME,
            token.kind,
            token.id,
            str(int(token.happened_at.timestamp())),
            token.notice_id or "",
            token.use.purpose,
            token.use.channel,
            address,
        )
    )
    text = f"{signed}.{_signature(signed, key)}"
    if len(text) > TOKEN_MAX or _TOKEN.fullmatch(text) is None:
        raise TokenUnfit(
            f"token {token.id!r} would have {len(text)} characters, or some that have no place in it",
            hint="use letters, digits, - and _ in every part, and a shorter id",
        )
    return text


def verify(text: str, keys: Mapping[str, bytes]) -> Token | None:
    """Read a token, if it is one and its signature is that of its kind; None for anything else."""
    if len(text) > TOKEN_MAX:
        return None
    parts = _TOKEN.fullmatch(text)
    if parts is None:
        return None
    key = keys.get(parts["kind"])
    if key is None:
        return None
    signed, _, signature = text.rpartition(".")
    if not hmac.compare_digest(_signature(signed, key), signature):
        return None
    try:
        address = _plain(parts["address"])
    except (binascii.Error, UnicodeDecodeError):
        return None
    return Token(
        kind=parts["kind"],
        id=parts["id"],
        happened_at=datetime.fromtimestamp(int(parts["seconds"]), UTC),
        notice_id=parts["notice"] or None,
        use=Use(purpose=PurposeKey(parts["purpose"]), channel=Channel(parts["channel"])),
        address=address or None,
    )


def proof_of(token: Token, *, keys: PointKeys, default_country: str) -> Proof:
    """Keep what a token proves and drop the address for its fingerprint; what it is worth, a policy says."""
    point = None
    if token.address is not None:
        kind = PointType.EMAIL if "@" in token.address else PointType.PHONE
        point = contact_point(kind, token.address, keys=keys, default_country=default_country)
    return Proof(
        id=token.id,
        kind=token.kind,
        use=token.use,
        happened_at=token.happened_at,
        notice_id=token.notice_id,
        point=None if point is None else point.exact or None,
        trust=Trust.MACHINE,
        grade=Grade.NONE,
    )


def weigh(proof: Proof, rule: ProofRule | None) -> Proof:
    """Give a proof the trust and grade of its kind; one that the policy does not know is worth nothing."""
    if rule is None or rule.kind != proof.kind:
        return replace(proof, trust=Trust.MACHINE, grade=Grade.NONE)
    return replace(proof, trust=rule.trust, grade=rule.grade)


_SCHEME = "sb1"
_TOKEN = re.compile(
    r"sb1\.(?P<kind>[A-Za-z0-9_-]{1,32})\.(?P<id>[A-Za-z0-9_-]{1,64})"
    r"\.(?P<seconds>0|[1-9][0-9]{0,9})\.(?P<notice>[A-Za-z0-9_-]{0,64})"
    r"\.(?P<purpose>[A-Za-z0-9_-]{1,64})\.(?P<channel>[A-Za-z0-9_-]{1,64})"
    r"\.(?P<address>[A-Za-z0-9_-]*)\.[A-Za-z0-9_-]{43}"
)


def _signature(signed: str, key: bytes) -> str:
    return _base64url(hmac.digest(key, signed.encode(), "sha256"))


def _base64url(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def _plain(text: str) -> str:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
