"""Laws of the audit: one way to write a value, and no change to a sealed entry goes unseen."""

from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from salesforce_bridge.audit.canonical import canonical
from salesforce_bridge.audit.chain import Stored, hash_of
from salesforce_bridge.audit.completeness import inspect
from tests.support.chains import a_chain, a_header, first_break, tip_of

KEYS = st.text(st.characters(max_codepoint=127), max_size=8)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(min_value=-(2**53) + 1, max_value=2**53 - 1)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)
CHAINS = st.lists(
    st.tuples(
        st.fixed_dictionaries({"ref": st.text("abc", max_size=4), "note": SCALARS}),
        st.dictionaries(KEYS, SCALARS, max_size=3),
    ),
    min_size=1,
    max_size=8,
).map(lambda drafts: a_chain([(a_header(**header), payload) for header, payload in drafts]))

_ESCAPES = {
    '"': '\\"',
    "\\": "\\\\",
    "\b": "\\b",
    "\f": "\\f",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
}


def _by_the_book(value: Any) -> str:
    """RFC 8785, written from its text: sections 3.2.2 (values) and 3.2.3 (order by UTF-16 code units)."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case str():
            return '"' + "".join(map(_character, value)) + '"'
        case list():
            return "[" + ",".join(map(_by_the_book, value)) + "]"
        case dict():
            ordered = sorted(value, key=lambda key: key.encode("utf-16-be"))
            return (
                "{" + ",".join(f"{_by_the_book(key)}:{_by_the_book(value[key])}" for key in ordered)
            ) + "}"
        case _:
            raise TypeError(value)


def _character(char: str) -> str:
    if char in _ESCAPES:
        return _ESCAPES[char]
    return f"\\u{ord(char):04x}" if ord(char) < 0x20 else char


@given(VALUES)
def test_canonical_is_rfc_8785_on_everything_that_is_ever_sealed(value: object) -> None:
    assert canonical(value) == _by_the_book(value).encode()


@given(CHAINS)
def test_a_chain_as_it_was_sealed_verifies(chain: tuple[Stored, ...]) -> None:
    assert first_break(chain) is None
    assert inspect(chain, tip=tip_of(chain)).order is None


@given(CHAINS, st.data())
def test_any_changed_byte_of_a_sealed_entry_breaks_the_chain_there(
    chain: tuple[Stored, ...], data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, len(chain) - 1))
    part = data.draw(st.sampled_from(["header", "payload", "nonce"]))
    old: bytes = getattr(chain[place], part)
    at = data.draw(st.integers(0, len(old) - 1))
    new = bytes([*old[:at], old[at] ^ data.draw(st.integers(1, 255)), *old[at + 1 :]])
    changes: dict[str, Any] = {part: new}
    altered = (*chain[:place], replace(chain[place], **changes), *chain[place + 1 :])
    found = first_break(altered)
    assert found is not None
    assert found.seq == place + 1


@given(CHAINS, st.data())
def test_a_header_forged_together_with_its_hash_is_found_at_the_next_link(
    chain: tuple[Stored, ...], data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, len(chain) - 1))
    header = chain[place].header[:-1] + b',"zz":1}'
    forged = replace(chain[place], header=header, entry_hash=hash_of(header))
    altered = (*chain[:place], forged, *chain[place + 1 :])
    order = inspect(altered, tip=tip_of(chain)).order
    assert order is not None
    assert order.seq == min(place + 2, len(chain))


@given(CHAINS, st.data())
def test_a_removed_entry_is_missed_wherever_it_was(
    chain: tuple[Stored, ...], data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, len(chain) - 1))
    order = inspect((*chain[:place], *chain[place + 1 :]), tip=tip_of(chain)).order
    assert order is not None
    assert order.seq in {place + 1, place + 2}
