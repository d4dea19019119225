"""Contact points: addresses and numbers, normalised and keyed, so that no plain one needs to be stored.

Stops match wide, grants match narrow: each point therefore has two fingerprints, and each of them once
more under every key that is being replaced. Fingerprints under two keys cannot be compared: that they are of
one address is known only where it was typed, so what was typed is keyed with all keys at once, there.
"""

import hmac
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

import idna
import phonenumbers

from salesforce_bridge.permissions.keys import ControllerKey


class PointType(StrEnum):
    """Kinds of contact point that can be matched."""

    EMAIL = "EMAIL"
    PHONE = "PHONE"


class ContactPoint(NamedTuple):
    """An e-mail address or phone number as its keyed fingerprint."""

    type: PointType
    hmac: str  # hex; wide form, for matching stops
    exact: str  # hex; narrow form, for matching grants; empty where it must never match one
    key_version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PointKeys:
    """The keys of the fingerprints; old versions stay, so that what they made can still be found."""

    current: int
    keys: Mapping[int, bytes] = field(repr=False)
    controller: ControllerKey


def contact_point(
    point_type: PointType, text: str, *, keys: PointKeys, default_country: str
) -> ContactPoint | None:
    """Turn what was typed into fingerprints under the current key; None for a blank."""
    forms = _forms(point_type, text, default_country)
    return None if forms is None else _keyed(point_type, forms, keys=keys, version=keys.current)


def contact_points(
    point_type: PointType, text: str, *, keys: PointKeys, default_country: str
) -> tuple[ContactPoint | None, tuple[ContactPoint, ...]]:
    """Turn what was typed into the point to keep, and the same point under keys that are being replaced."""
    found = under_every_key(point_type, text, keys=keys, default_country=default_country)
    return (found[0], found[1:]) if found else (None, ())


def is_one_of(held: ContactPoint, current: ContactPoint, older: Iterable[ContactPoint]) -> bool:
    """Tell whether a point that was kept is the one typed now, by the wide form and under whichever key."""
    return any(
        (held.type, held.key_version, held.hmac) == (one.type, one.key_version, one.hmac)
        for one in (current, *older)
    )


def rekeyed(
    held: ContactPoint, current: ContactPoint, older: Iterable[ContactPoint]
) -> ContactPoint | None:
    """Give what replaces a point under a key that is going; None where it is another point.

    The narrow form moves only if it is the same too: a grant is not carried to another spelling.
    """
    if held.key_version == current.key_version or not is_one_of(held, current, older):
        return None
    same = any(one.exact == held.exact for one in older if one.key_version == held.key_version)
    return current if same else current._replace(exact="")


def under_every_key(
    point_type: PointType, text: str, *, keys: PointKeys, default_country: str
) -> tuple[ContactPoint, ...]:
    """Turn what was typed into fingerprints under all keys, the current first, to find old ones by."""
    forms = _forms(point_type, text, default_country)
    if forms is None:
        return ()
    older = sorted((version for version in keys.keys if version != keys.current), reverse=True)
    return tuple(
        _keyed(point_type, forms, keys=keys, version=version) for version in (keys.current, *older)
    )


def normalise_email(text: str) -> str | None:
    """Give the narrow form of an address, or None if it is none; the local part stays as typed."""
    text = _trimmed(text)
    local, at_sign, domain = text.rpartition("@")
    if not at_sign or not local or _BLANK.search(text):
        return None
    ascii_domain = _domain(domain)
    return None if ascii_domain is None else f"{local}@{ascii_domain}"


def wide_email(text: str) -> str | None:
    """Give the form by which stops match: letter case, plus-tags and invisible characters do not count."""
    narrow = normalise_email(text)
    if narrow is None:
        return None
    local, _, domain = narrow.rpartition("@")
    folded = _folded(local)
    return f"{folded.partition('+')[0] or folded}@{domain}"


def normalise_phone(text: str, default_country: str) -> str | None:
    """Give a number as E.164, or None if it cannot be one."""
    text = _trimmed(text)
    plain = _NORTH_AMERICAN.fullmatch(text)
    if plain is not None and (plain["world"] or default_country in _NORTH_AMERICA):
        # Parsing would only find the same, at twenty times the cost.
        return f"+1{plain['area'].strip('() ')}{plain['exchange']}{plain['line']}"
    try:
        number = phonenumbers.parse(text, default_country or None)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


_BLANK = re.compile(r"\s")
_PLAIN_DOMAIN = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*")
_NORTH_AMERICA = ("US", "CA")
_NORTH_AMERICAN = re.compile(
    r"(?P<world>\+1[ .-]?)?(?P<area>[2-9][0-9]{2}|\([2-9][0-9]{2}\) ?)[ .-]?"
    r"(?P<exchange>[2-9][0-9]{2})[ .-]?(?P<line>[0-9]{4})"
)


def _forms(point_type: PointType, text: str, default_country: str) -> tuple[str, str | None] | None:
    """Give the wide and the narrow form; what cannot be read is kept raw, and is no narrow form."""
    if point_type is PointType.EMAIL:
        narrow = normalise_email(text)
        wide = None if narrow is None else wide_email(narrow)
    else:
        narrow = wide = normalise_phone(text, default_country)
    if wide is not None:
        return wide, narrow
    raw = _folded(_trimmed(text))
    return (raw, None) if raw else None


def _keyed(
    point_type: PointType, forms: tuple[str, str | None], *, keys: PointKeys, version: int
) -> ContactPoint:
    wide, narrow = forms
    key = keys.keys[version]
    prefix = f"{keys.controller}\0{point_type.value}\0"
    fingerprint = hmac.digest(key, (prefix + wide).encode(), "sha256").hex()
    if narrow is None:
        exact = ""
    elif narrow == wide:
        exact = fingerprint
    else:
        exact = hmac.digest(key, (prefix + narrow).encode(), "sha256").hex()
    return ContactPoint(type=point_type, hmac=fingerprint, exact=exact, key_version=version)


def _trimmed(text: str) -> str:
    return text.strip() if text.isascii() else unicodedata.normalize("NFKC", text).strip()


def _folded(text: str) -> str:
    if text.isascii():
        return text.lower()
    folded = unicodedata.normalize(
        "NFKC", unicodedata.normalize("NFKC", text.casefold()).casefold()
    )
    return "".join(letter for letter in folded if unicodedata.category(letter) != "Cf").strip()


def _domain(text: str) -> str | None:
    if text.isascii():
        text = text.lower().removesuffix(".")
        return text if _PLAIN_DOMAIN.fullmatch(text) else None
    try:
        return idna.encode(text, uts46=True).decode().removesuffix(".")
    except idna.IDNAError:
        return None
