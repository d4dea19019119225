"""Record ids as Salesforce gives them: 15 characters that mind their case, 3 that repair it."""

import re
import string

_BASE62 = string.digits + string.ascii_uppercase + string.ascii_lowercase
_SUFFIX = string.ascii_uppercase + "012345"
_ALPHABET = frozenset(_BASE62)
_UPPER = {ord(one): "1" if one.isupper() else "0" for one in _BASE62}
_POD = "5g0"
_COUNTER_LENGTH = 9
_NUMBER = re.compile(r"\{(0+)\}")
SHORT, LONG = 15, 18


class IdMalformed(ValueError):
    """The text cannot be a record id."""


def id_of(prefix: str, number: int) -> str:
    """The 18-character id of the n-th record of an object; later records sort higher."""
    counter = ""
    for _ in range(_COUNTER_LENGTH):
        number, digit = divmod(number, 62)
        counter = _BASE62[digit] + counter
    short = f"{prefix}{_POD}{counter}"
    return short + suffix_of(short)


def suffix_of(short: str) -> str:
    """The three characters that keep an id whole where case is lost."""
    upper = short.translate(_UPPER)
    # In each group of five the first character is the lowest bit.
    return "".join(_SUFFIX[int(upper[start : start + 5][::-1], 2)] for start in (0, 5, 10))


def long_id(text: str) -> str:
    """The 18-character form of either form; refuses what is no id."""
    if len(text) not in {SHORT, LONG} or not _ALPHABET.issuperset(text):
        raise IdMalformed(text)
    short = text[:SHORT]
    suffix = suffix_of(short)
    if len(text) == LONG and text[SHORT:].upper() != suffix:
        raise IdMalformed(text)
    return short + suffix


class IdIssuer:
    """Gives every object its own ascending ids."""

    def __init__(self) -> None:
        self._issued: dict[str, int] = {}

    def next(self, prefix: str) -> str:
        """The next id under a key prefix."""
        self._issued[prefix] = number = self._issued.get(prefix, 0) + 1
        return id_of(prefix, number)

    def numbered(self, object_name: str, display_format: str) -> str:
        """The next auto-number of an object, written as its display format says."""
        number = self._issued.get(object_name, 0) + 1
        self._issued[object_name] = number
        return _NUMBER.sub(lambda found: str(number).zfill(len(found[1])), display_format, count=1)

    def reserve(self, record_id: str) -> None:
        """Never give out this id, nor one below it."""
        prefix, number = record_id[:3], 0
        for digit in record_id[len(prefix) + len(_POD) : SHORT]:
            number = number * 62 + _BASE62.index(digit)
        self._issued[prefix] = max(number, self._issued.get(prefix, 0))

    def state(self) -> dict[str, int]:
        """How many ids each prefix has given out, for a copy of the org."""
        return dict(self._issued)

    def restore(self, state: dict[str, int]) -> None:
        """Go on from a copy, so that a reset org gives the same ids again."""
        self._issued = dict(state)
