"""Every part of a proof is carried over, and every key and country counts where addresses are keyed."""

from dataclasses import replace

import pytest

from salesforce_bridge.permissions.contact_points import (
    PointType,
    contact_point,
    contact_points,
    normalise_email,
    normalise_phone,
    under_every_key,
    wide_email,
)
from salesforce_bridge.permissions.evidence import Grade, Trust
from salesforce_bridge.permissions.proofs import (
    TOKEN_MAX,
    Proof,
    TokenUnfit,
    issue,
    proof_of,
    verify,
)
from tests.unit.permissions.examples import KEYS
from tests.unit.permissions.test_proofs import SIGNING, a_token

THREE = replace(KEYS, current=2, keys={**KEYS.keys, 3: b"3" * 32})
LONDON = "020 7946 0123"


def test_a_number_without_a_country_is_one_of_the_default_country_under_every_key() -> None:
    international = under_every_key(
        PointType.PHONE, "+44 20 7946 0123", keys=THREE, default_country="FR"
    )
    assert (
        under_every_key(PointType.PHONE, LONDON, keys=THREE, default_country="GB") == international
    )
    kept, older = contact_points(PointType.PHONE, LONDON, keys=THREE, default_country="GB")
    assert (kept, *older) == international
    assert [one.key_version for one in international] == [2, 3, 1]


def test_a_short_number_is_american_only_for_americans() -> None:
    assert normalise_phone("415 555 0132", "US") == "+14155550132"
    assert normalise_phone("415 555 0132", "GB") != "+14155550132"


@pytest.mark.parametrize(
    ("text", "narrow", "wide"),
    [
        ('"A@B"@Example.com', '"A@B"@example.com', '"a@b"@example.com'),
        ("jane+a+b@example.com", "jane+a+b@example.com", "jane@example.com"),
        (
            "jane@B\u00dcCHER.example",
            "jane@xn--bcher-kva.example",
            "jane@xn--bcher-kva.example",
        ),
        (
            "jane@b\u00fccher.example.",
            "jane@xn--bcher-kva.example",
            "jane@xn--bcher-kva.example",
        ),
    ],
)
def test_an_odd_address_is_read_to_its_last_part(text: str, narrow: str, wide: str) -> None:
    assert normalise_email(text) == narrow
    assert wide_email(text) == wide


def test_an_address_with_capitals_has_a_narrow_fingerprint_of_its_own() -> None:
    typed = contact_point(PointType.EMAIL, "Jane@example.com", keys=KEYS, default_country="GB")
    plain = contact_point(PointType.EMAIL, "jane@example.com", keys=KEYS, default_country="GB")
    assert typed is not None
    assert plain is not None
    assert typed.exact
    assert (typed.hmac, typed.exact != plain.exact) == (plain.hmac, True)


def test_a_proof_is_of_the_token_it_came_from() -> None:
    token = a_token(address=None)
    assert proof_of(token, keys=KEYS, default_country="GB") == Proof(
        id=token.id,
        kind=token.kind,
        use=token.use,
        happened_at=token.happened_at,
        notice_id=token.notice_id,
        point=None,
        trust=Trust.MACHINE,
        grade=Grade.NONE,
    )


def test_a_token_may_fill_its_field_to_the_last_character() -> None:
    spare = TOKEN_MAX - len(issue(a_token(address="a" * 90), SIGNING["double_opt_in"]))
    full = a_token(address="a" * 90, id="k7Qm2" + "x" * spare)
    text = issue(full, SIGNING["double_opt_in"])
    assert len(text) == TOKEN_MAX
    assert verify(text, SIGNING) == full
    with pytest.raises(TokenUnfit) as caught:
        issue(replace(full, id=full.id + "x"), SIGNING["double_opt_in"])
    assert caught.value.hint == "use letters, digits, - and _ in every part, and a shorter id"


@pytest.mark.parametrize("address", [*("a" * length for length in range(1, 9)), "aaW", "WWW"])
def test_an_address_of_any_length_and_ending_is_read_back(address: str) -> None:
    token = a_token(address=address)
    assert verify(issue(token, SIGNING["double_opt_in"]), SIGNING) == token
