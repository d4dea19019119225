"""Stops match wide, grants match narrow, and nothing plain is kept."""

import hashlib
import hmac
from dataclasses import replace

import pytest

from salesforce_bridge.permissions.contact_points import (
    ContactPoint,
    PointKeys,
    PointType,
    contact_point,
    contact_points,
    is_one_of,
    normalise_email,
    normalise_phone,
    rekeyed,
    under_every_key,
    wide_email,
)
from tests.unit.permissions.examples import KEYS


def email(text: str) -> ContactPoint:
    point = contact_point(PointType.EMAIL, text, keys=KEYS, default_country="GB")
    assert point is not None
    return point


def phone(text: str, country: str = "GB") -> ContactPoint:
    point = contact_point(PointType.PHONE, text, keys=KEYS, default_country=country)
    assert point is not None
    return point


@pytest.mark.parametrize(
    ("text", "narrow", "wide"),
    [
        (" Jane.Doe@Example.COM ", "Jane.Doe@example.com", "jane.doe@example.com"),
        ("jane+news@example.com", "jane+news@example.com", "jane@example.com"),
        ("+tag@example.com", "+tag@example.com", "+tag@example.com"),
        (
            "j\u00f6rg@b\u00fccher.example",
            "j\u00f6rg@xn--bcher-kva.example",
            "j\u00f6rg@xn--bcher-kva.example",
        ),
        ("\uff2aane@example.com", "Jane@example.com", "jane@example.com"),
        ("ja\u200bne@example.com", "ja\u200bne@example.com", "jane@example.com"),
        ("jane@example.com.", "jane@example.com", "jane@example.com"),
        ('"a@b"@example.com', '"a@b"@example.com', '"a@b"@example.com'),
    ],
)
def test_an_address_has_a_narrow_and_a_wide_form(text: str, narrow: str, wide: str) -> None:
    assert normalise_email(text) == narrow
    assert wide_email(text) == wide


@pytest.mark.parametrize(
    "text",
    [
        "",
        "jane",
        "@example.com",
        "jane@",
        "ja ne@example.com",
        "jane@exa mple.com",
        "a@b..c",
        "a@[1.2.3.4]",
        "jane@\u00e4\u00e4_..example",
        "jane@.com",
    ],
)
def test_what_is_no_address_has_no_form(text: str) -> None:
    assert normalise_email(text) is None
    assert wide_email(text) is None


@pytest.mark.parametrize(
    ("text", "country", "expected"),
    [
        ("020 7946 0123", "GB", "+442079460123"),
        ("+44 (0)20 7946 0123", "US", "+442079460123"),
        ("0044 20 7946 0123", "GB", "+442079460123"),
        ("(415) 555-0132", "US", "+14155550132"),
        ("415.555.0132", "CA", "+14155550132"),
        ("+1 415-555-0132", "GB", "+14155550132"),
        ("+1 415-555-0132 ext. 5", "GB", "+14155550132"),
        ("+14155550132", "", "+14155550132"),
        ("\uff0b1 415 555 0132", "GB", "+14155550132"),
    ],
)
def test_a_number_is_one_number_however_it_is_written(
    text: str, country: str, expected: str
) -> None:
    assert normalise_phone(text, country) == expected


@pytest.mark.parametrize(
    ("text", "country"), [("", "GB"), ("ask Jane", "GB"), ("12", "GB"), ("020 7946 0123", "")]
)
def test_what_is_no_number_has_no_form(text: str, country: str) -> None:
    assert normalise_phone(text, country) is None


def test_stops_match_wide_and_grants_match_narrow() -> None:
    typed, other = email("Jane+News@example.com"), email("jane@EXAMPLE.com")
    assert typed.hmac == other.hmac
    assert typed.exact != other.exact
    assert other.exact == other.hmac


def test_a_fingerprint_is_keyed_and_bound_to_the_controller_and_the_kind() -> None:
    message = b"example\0EMAIL\0jane@example.com"
    expected = hmac.new(KEYS.keys[2], message, hashlib.sha256).hexdigest()
    assert email("jane@example.com") == ContactPoint(
        type=PointType.EMAIL, hmac=expected, exact=expected, key_version=2
    )
    assert phone("jane@example.com").hmac != expected


@pytest.mark.parametrize("blank", ["", "   ", "\u00a0"])
def test_a_blank_is_no_contact_point(blank: str) -> None:
    for kind in PointType:
        assert contact_point(kind, blank, keys=KEYS, default_country="GB") is None
        assert under_every_key(kind, blank, keys=KEYS, default_country="GB") == ()


def test_what_cannot_be_read_still_matches_stops_and_never_a_grant() -> None:
    unread = phone(" Ask Jane ")
    assert unread.hmac == phone("ask jane").hmac
    assert unread.exact == ""
    assert email("jane at example").exact == ""


def test_old_keys_still_find_what_they_made() -> None:
    found = under_every_key(PointType.PHONE, "+14155550132", keys=KEYS, default_country="GB")
    assert [point.key_version for point in found] == [2, 1]
    assert found[0] == phone("+14155550132")
    assert len({point.hmac for point in found}) == 2


def typed(text: str, keys: PointKeys = KEYS) -> tuple[ContactPoint, tuple[ContactPoint, ...]]:
    current, older = contact_points(PointType.EMAIL, text, keys=keys, default_country="GB")
    assert current is not None
    return current, older


def test_what_is_typed_is_kept_under_one_key_and_found_under_all() -> None:
    current, older = typed("jane@example.com")
    assert current == email("jane@example.com")
    assert (current, *older) == under_every_key(
        PointType.EMAIL, "jane@example.com", keys=KEYS, default_country="GB"
    )
    assert contact_points(PointType.EMAIL, " ", keys=KEYS, default_country="GB") == (None, ())


def test_a_point_kept_under_an_older_key_is_the_same_point() -> None:
    before, _ = typed("jane@example.com", replace(KEYS, current=1))
    current, older = typed("Jane+news@example.com")
    assert is_one_of(before, current, older)
    assert is_one_of(current, current, older)
    other, its_older = typed("john@example.com")
    assert not is_one_of(before, other, its_older)
    assert not is_one_of(before._replace(type=PointType.PHONE), current, older)
    assert not is_one_of(before._replace(key_version=2), current, older)


def test_a_point_moves_to_the_current_key_where_it_is_typed_again() -> None:
    before, _ = typed("jane@example.com", replace(KEYS, current=1))
    current, older = typed("jane@example.com")
    assert rekeyed(before, current, older) == current
    assert rekeyed(current, current, older) is None
    assert rekeyed(before, *typed("john@example.com")) is None


def test_a_point_typed_in_another_spelling_moves_without_its_grants() -> None:
    before, _ = typed("jane@example.com", replace(KEYS, current=1))
    current, older = typed("Jane@example.com")
    assert rekeyed(before, current, older) == current._replace(exact="")


def test_keys_are_not_shown() -> None:
    assert "1111" not in repr(KEYS)
