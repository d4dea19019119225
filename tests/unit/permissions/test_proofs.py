"""Signed words of a person: what is read, what is refused, and what a kind is worth."""

import base64
import hmac
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from salesforce_bridge.permissions.bundle import ProofRule
from salesforce_bridge.permissions.contact_points import PointType, contact_point
from salesforce_bridge.permissions.evidence import Grade, Trust
from salesforce_bridge.permissions.proofs import (
    TOKEN_MAX,
    Token,
    TokenUnfit,
    issue,
    proof_of,
    verify,
    weigh,
)
from tests.unit.permissions.examples import KEYS, MARKETING_BY_EMAIL, MARKETING_BY_POST, a_use

SIGNING = {"double_opt_in": b"d" * 32, "portal": b"p" * 32}
TOLD_AT = datetime(2026, 5, 1, 8, 15, tzinfo=UTC)


def a_token(**said: Any) -> Token:
    plain: dict[str, Any] = {
        "kind": "double_opt_in",
        "id": "k7Qm2",
        "happened_at": TOLD_AT,
        "notice_id": "consent-en-1",
        "use": MARKETING_BY_EMAIL,
        "address": "Ann@Example.org",
    }
    return Token(**(plain | said))


def signed(token: Token | None = None) -> str:
    told = token or a_token()
    return issue(told, SIGNING[told.kind])


@pytest.mark.parametrize(
    "token",
    [
        a_token(),
        a_token(kind="portal"),
        a_token(notice_id=None),
        a_token(address=None, use=MARKETING_BY_POST),
        a_token(address="+44 20 7946 0018", use=a_use(channel="LIVE_CALL")),
        a_token(address="jos\u00e9@b\u00fccher.example"),
    ],
)
def test_what_was_signed_is_read_back(token: Token) -> None:
    assert verify(signed(token), SIGNING) == token


def test_the_format_is_the_one_that_is_documented() -> None:
    address = base64.urlsafe_b64encode(b"Ann@Example.org").rstrip(b"=").decode()
    seconds = int(TOLD_AT.timestamp())
    words = (
        f"sb1.double_opt_in.k7Qm2.{seconds}.consent-en-1.direct_marketing.EMAIL.{address}".encode()
    )
    mac = hmac.digest(SIGNING["double_opt_in"], words, "sha256")
    written = f"{words.decode()}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"
    assert signed() == written


def test_a_moment_is_told_to_its_second() -> None:
    told = verify(signed(a_token(happened_at=TOLD_AT.replace(microsecond=999999))), SIGNING)
    assert told is not None
    assert told.happened_at == TOLD_AT


@pytest.mark.parametrize(
    "text",
    [
        "",
        "call recording 17",
        "sb1",
        "sb1.a.b.c.d.e.f.g.h",
        "sb1........",
        f" {signed()}",
        f"{signed()} ",
        f"{signed()}\n",
        f"{signed()}=",
        signed().replace("sb1.", "sb2.", 1),
        signed().removesuffix(signed()[-1]),
        signed() + ".",
        "." + signed(),
        signed().replace("EMAIL", "\u0415MAIL"),
        "sb1." + "." * 400,
    ],
)
def test_what_is_no_token_stays_text(text: str) -> None:
    assert verify(text, SIGNING) is None


def test_a_token_of_an_unknown_kind_or_under_another_key_proves_nothing() -> None:
    assert verify(signed(), {}) is None
    assert verify(signed(), {"portal": SIGNING["double_opt_in"]}) is None
    assert verify(signed(), {"double_opt_in": b"x" * 32}) is None


def test_one_kind_cannot_be_passed_off_as_another() -> None:
    stronger = signed().replace("double_opt_in", "portal", 1)
    assert verify(stronger, SIGNING) is None


@pytest.mark.parametrize("seconds", ["-1", "+1", "01", "1.5", "1e9", "12345678901", "", " 1"])
def test_a_moment_is_written_in_one_way_only(seconds: str) -> None:
    words = f"sb1.double_opt_in.k7.{seconds}.n.direct_marketing.EMAIL."
    mac = hmac.digest(SIGNING["double_opt_in"], words.removesuffix(".").encode(), "sha256")
    text = f"{words}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"
    assert verify(text, SIGNING) is None


def test_an_address_that_is_no_text_proves_nothing() -> None:
    for address in ("_w", "A"):
        words = f"sb1.double_opt_in.k7.1780000000.n.direct_marketing.EMAIL.{address}"
        mac = hmac.digest(SIGNING["double_opt_in"], words.encode(), "sha256")
        text = f"{words}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"
        assert verify(text, SIGNING) is None


def test_a_token_for_a_long_address_fits_the_field() -> None:
    address = "a" * 88 + "@example.org"
    assert len(address) == 100
    text = signed(a_token(kind="portal", id="k7Qm2xP9", address=address))
    assert len(text) <= TOKEN_MAX
    assert verify(text, SIGNING) is not None


def test_a_text_that_no_field_can_hold_is_not_even_read() -> None:
    address = base64.urlsafe_b64encode(b"a" * 150 + b"@example.org").rstrip(b"=").decode()
    words = f"sb1.double_opt_in.k7.1780000000.n.direct_marketing.EMAIL.{address}"
    mac = hmac.digest(SIGNING["double_opt_in"], words.encode(), "sha256")
    text = f"{words}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"
    assert len(text) > TOKEN_MAX
    assert verify(text, SIGNING) is None


@pytest.mark.parametrize(
    "unfit",
    [
        {"id": "a.b"},
        {"id": ""},
        {"id": "x" * 65},
        {"notice_id": "consent en"},
        {"kind": "portal", "use": a_use("news.letters")},
        {"address": "a" * 150 + "@example.org"},
        {"happened_at": datetime(1969, 1, 1, tzinfo=UTC)},
        {"happened_at": datetime(2290, 1, 1, tzinfo=UTC)},
    ],
)
def test_what_cannot_be_told_in_a_token_is_not_signed(unfit: dict[str, Any]) -> None:
    with pytest.raises(TokenUnfit) as caught:
        signed(a_token(**unfit))
    assert caught.value.hint
    assert "example" not in caught.value.message


@pytest.mark.parametrize(
    ("address", "kind"),
    [("Ann@Example.org", PointType.EMAIL), ("020 7946 0018", PointType.PHONE)],
)
def test_of_the_address_only_its_narrow_fingerprint_is_kept(address: str, kind: PointType) -> None:
    proof = proof_of(a_token(address=address), keys=KEYS, default_country="GB")
    point = contact_point(kind, address, keys=KEYS, default_country="GB")
    assert point is not None
    assert proof.point == point.exact
    assert address not in repr(proof)


@pytest.mark.parametrize("address", [None, "no address", "+1"])
def test_what_is_no_address_binds_a_proof_to_none(address: str | None) -> None:
    proof = proof_of(a_token(address=address), keys=KEYS, default_country="GB")
    assert proof.point is None


def test_a_proof_is_worth_what_the_policy_says_of_its_kind() -> None:
    proof = proof_of(a_token(), keys=KEYS, default_country="GB")
    assert (proof.trust, proof.grade) == (Trust.MACHINE, Grade.NONE)
    rule = ProofRule(kind="double_opt_in", trust=Trust.SUBJECT_DIRECT, grade=Grade.A)
    weighed = weigh(proof, rule)
    assert (weighed.trust, weighed.grade) == (Trust.SUBJECT_DIRECT, Grade.A)
    assert replace(weighed, trust=proof.trust, grade=proof.grade) == proof


def test_a_kind_that_the_policy_no_longer_knows_is_worth_nothing() -> None:
    proof = proof_of(a_token(), keys=KEYS, default_country="GB")
    strong = replace(proof, trust=Trust.SUBJECT_DIRECT, grade=Grade.A)
    other = ProofRule(kind="portal", trust=Trust.SUBJECT_DIRECT, grade=Grade.A)
    assert weigh(strong, None) == proof
    assert weigh(strong, other) == proof
