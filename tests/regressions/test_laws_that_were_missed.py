"""The law of a place asked for more, or for less, than somebody thought."""

import sqlite3
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from salesforce_bridge.ledger import views
from salesforce_bridge.ledger.imports import ImportRefused
from salesforce_bridge.ledger.values import Usage
from salesforce_bridge.permissions.bases import LawfulBasis
from salesforce_bridge.permissions.bundle import Assignment, ChannelLaw
from salesforce_bridge.permissions.conditions import ConditionKind, SoftOptIn
from salesforce_bridge.permissions.expiry import end_of
from salesforce_bridge.permissions.policy import Category
from salesforce_bridge.permissions.stop_matrix import Obstacle
from tests.integration.cycle.living import EMAIL
from tests.regressions.bridges import (
    DAY,
    RESEARCH,
    Bridge,
)
from tests.unit.permissions.calls import MOBILE, OFFER_CALL, call, interest, opt_out_calls
from tests.unit.permissions.examples import (
    MARKETING_BY_EMAIL,
    NOON,
    Somebody,
    a_condition,
    a_permission,
    ask,
    every_condition,
    hours,
    with_purpose,
)


def test_people_on_the_opt_out_register_were_called() -> None:
    """Greece, HDPA 9/2024: call centres kept calling people who were on the opt-out register. Nobody is called
    before the register was asked, and nobody it names.
    """
    assert call(Category.MARKETING).reason.startswith("ALLOW")
    listed = call(Category.MARKETING, Obstacle.NATIONAL_DNC_REGISTER)
    assert listed.reason == "DENY_NATIONAL_DNC_REGISTER"
    never_asked = ask(
        interest(use=OFFER_CALL),
        policy=opt_out_calls(),
        category=Category.MARKETING,
        points=(MOBILE,),
    )
    assert never_asked.reason == "DENY_REGISTER_NOT_SCREENED"


@pytest.mark.parametrize(
    ("lack", "reason"),
    [
        ({}, "ALLOW_LEGITIMATE_INTEREST"),
        (
            {"sale_ref": "free account"},
            "ALLOW_LEGITIMATE_INTEREST",
        ),  # part of a model that is paid for
        ({"sale_ref": ""}, "DENY_SOFT_OPT_IN_NOT_MET"),
        ({"product_family": "insurance"}, "DENY_SOFT_OPT_IN_NOT_MET"),
        ({"optout_offered_at_collection": False}, "DENY_SOFT_OPT_IN_NOT_MET"),
        ({"optout_in_each_message": False}, "DENY_SOFT_OPT_IN_NOT_MET"),
    ],
)
def test_a_soft_opt_in_was_a_feeling_and_not_a_fact(lack: dict[str, Any], reason: str) -> None:
    """CJEU C-654/23, Inteligo Media, 2025: soft opt-in can rest on a free account, if its conditions are met. They
    are facts that are kept, each of them, and one that is missing makes none.
    """
    facts: dict[str, Any] = {
        "sale_ref": "order-17",
        "sale_date": hours(-48),
        "product_family": "news",
        "optout_offered_at_collection": True,
        "optout_in_each_message": True,
    }
    sale = a_condition(
        ConditionKind.SOFT_OPT_IN, id="sale", soft_opt_in=SoftOptIn(**(facts | lack))
    )
    policy = opt_out_calls(ChannelLaw.SOFT_OPT_IN)
    purpose = replace(policy.purposes[MARKETING_BY_EMAIL.purpose], product_families=("news",))
    policy = replace(policy, purposes={**policy.purposes, purpose.key: purpose})
    said = interest(use=MARKETING_BY_EMAIL)
    assert ask(said, policy=policy, conditions=(*every_condition(), sale)).reason == reason


def test_proof_of_a_telephone_consent_was_not_kept_for_five_years_from_its_last_use(
    bridge: Bridge,
) -> None:
    """Germany, UWG section 7a: proof of a telephone consent is kept for five years from the yes and from each use,
    and produced on demand. Each use is recorded, and that it was is sealed.
    """
    who = bridge.agreed()
    kept = bridge.world.policy.profiles["DE"].evidence_retention
    assert kept >= datetime(2031, 6, 1, tzinfo=UTC) - datetime(2026, 6, 1, tzinfo=UTC)
    answer = Usage(
        subject_id=bridge.person(who).subject_id,
        use=EMAIL,
        category=Category.MARKETING,
        answer="ALLOW_CONSENT",
        revision=1,
    )
    for _ in range(2):
        bridge.wait(DAY)
        with bridge.ledger.begin() as tx:
            tx.record_usage([answer], by="sender", at=bridge.now, policy=bridge.world.policy)
    with sqlite3.connect(bridge.ledger_file) as raw:
        assert raw.execute("SELECT count(*) FROM usage").fetchone() == (2,)
    raw.close()
    with bridge.ledger.reading() as tx:
        sealed = [each.header["reason"] for each in views.tail(tx, count=10, kind="DEED")]
    assert sealed.count("USAGE_RECORDED") == 2


def test_a_new_law_was_applied_before_its_day() -> None:
    """UK, Data (Use and Access) Act: recognised legitimate interests exist from a day on, and in one country only.
    A basis counts from its day, where it is law.
    """
    day = datetime(2026, 2, 5, tzinfo=UTC)
    basis = Assignment(
        jurisdiction="UK",
        subject_class="*",
        basis=LawfulBasis.RECOGNISED_LEGITIMATE_INTEREST,
        effective_from=day,
    )
    policy = with_purpose("product_research", assignments=(basis,))
    said = interest(use=RESEARCH, basis=LawfulBasis.RECOGNISED_LEGITIMATE_INTEREST)

    def asked(at: datetime, jurisdiction: str = "UK") -> bool:
        answer = ask(said, policy=policy, at=at, jurisdiction=jurisdiction)
        return answer.reason.startswith("ALLOW")

    assert [asked(day - timedelta(seconds=1)), asked(day), asked(NOON)] == [False, True, True]
    assert not asked(NOON, "FR")


def test_an_opened_mail_counted_as_a_sign_of_life(bridge: Bridge) -> None:
    """CNIL guidance: prospects are kept for three years from the last act of the person, and opening a mail is none.
    Only acts of the person move the end, and an opened mail cannot even be recorded.
    """
    policy = with_purpose("direct_marketing", max_age=None)
    given = a_permission(use=MARKETING_BY_EMAIL)
    quiet = Somebody(permissions={given.use: given}, jurisdiction="FR")
    lived = replace(quiet, conditions=(a_condition(ConditionKind.ACTIVITY, valid_from=hours(240)),))
    years = timedelta(days=3 * 365)
    assert end_of(given, person=quiet, policy=policy) == hours(-24) + years
    assert end_of(given, person=lived, policy=policy) == hours(240) + years
    opened = {"email": "a@example.org", "kind": "OPENED", "ref": "mail", "valid_from": "2026-05-01"}
    with pytest.raises(ImportRefused):
        bridge.imported(opened, facts=True)
