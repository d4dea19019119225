"""Gates 7 to 10 by the law of a place: proof, special categories, channels, freshness; and every code there is."""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from salesforce_bridge.permissions.answers import Answer, Verdict
from salesforce_bridge.permissions.bases import LawfulBasis
from salesforce_bridge.permissions.conditions import Condition, ConditionKind, SoftOptIn
from salesforce_bridge.permissions.contact_points import ContactPoint
from salesforce_bridge.permissions.evidence import Grade
from salesforce_bridge.permissions.fold import Permission, StopKind
from salesforce_bridge.permissions.gates import MAX_STALENESS, STANDALONE
from salesforce_bridge.permissions.grounds import CONDITIONS_OF
from salesforce_bridge.permissions.keys import Channel, PurposeKey, Use
from salesforce_bridge.permissions.laws import ChannelLaw
from salesforce_bridge.permissions.policy import Assignment, Category, Policy, PurposeStatus
from salesforce_bridge.permissions.states import State
from salesforce_bridge.permissions.stop_matrix import Obstacle
from tests.unit.permissions.calls import (
    MOBILE,
    OFFER_CALL,
    OFFICE,
    SCREENED,
    a_stop,
    call,
    interest,
    opt_out_calls,
)
from tests.unit.permissions.examples import (
    HOME,
    MARKETING_BY_EMAIL,
    MARKETING_BY_POST,
    POLICY,
    RESEARCH,
    a_condition,
    a_permission,
    a_profile,
    a_use,
    ask,
    every_condition,
    hours,
    under_law,
    with_purpose,
)

EXPECTED = Path(__file__).parents[2] / "expected"
GATES = json.loads((EXPECTED / "gates.json").read_text("utf-8"))
MATRIX = json.loads((EXPECTED / "stop_matrix.json").read_text("utf-8"))

SALE = SoftOptIn(
    sale_ref="order-17",
    sale_date=hours(-48),
    product_family="bicycles",
    optout_offered_at_collection=True,
    optout_in_each_message=True,
)


def sold(sale: SoftOptIn | None = SALE, **said: Any) -> Condition:
    return a_condition(ConditionKind.SOFT_OPT_IN, id="c-sale", soft_opt_in=sale, **said)


def offered(law: ChannelLaw, *facts: Condition, **said: Any) -> Answer:
    """Ask about an offer by e-mail that rests on legitimate interests, under the law of a place."""
    policy = opt_out_calls(law)
    purpose = replace(
        policy.purposes[PurposeKey("direct_marketing")], product_families=("bicycles",)
    )
    policy = replace(policy, purposes={**policy.purposes, purpose.key: purpose})
    permission = said.pop("permission", interest(use=MARKETING_BY_EMAIL))
    return ask(permission, conditions=(*every_condition(), *facts), policy=policy, **said)


@pytest.mark.parametrize("law", ChannelLaw)
def test_a_consent_satisfies_the_law_of_every_place(law: ChannelLaw) -> None:
    given = a_permission(use=MARKETING_BY_EMAIL, point=HOME.exact)
    assert offered(law, permission=given).reason == "ALLOW_CONSENT"


@pytest.mark.parametrize(
    ("law", "reason"),
    [
        (ChannelLaw.PRIOR_CONSENT, "DENY_CHANNEL_NEEDS_CONSENT"),
        (ChannelLaw.SOFT_OPT_IN, "DENY_SOFT_OPT_IN_NOT_MET"),
        (ChannelLaw.OPT_OUT, "ALLOW_LEGITIMATE_INTEREST"),
        (ChannelLaw.NONE, "ALLOW_LEGITIMATE_INTEREST"),
    ],
)
def test_an_interest_gets_as_far_as_the_law_of_the_place_lets_it(
    law: ChannelLaw, reason: str
) -> None:
    assert offered(law).reason == reason


@pytest.mark.parametrize("basis", [each for each in LawfulBasis if each is not LawfulBasis.CONSENT])
def test_no_basis_but_consent_is_a_prior_consent(basis: LawfulBasis) -> None:
    answer = offered(
        ChannelLaw.PRIOR_CONSENT, permission=interest(use=MARKETING_BY_EMAIL, basis=basis)
    )
    assert answer.reason == "DENY_CHANNEL_NEEDS_CONSENT"


def test_a_customer_may_be_told_of_similar_products() -> None:
    assert offered(ChannelLaw.SOFT_OPT_IN, sold()).reason == "ALLOW_LEGITIMATE_INTEREST"


@pytest.mark.parametrize(
    "lack",
    [
        {"sale_ref": ""},
        {"sale_date": hours(0.01)},
        {"product_family": "insurance"},
        {"optout_offered_at_collection": False},
        {"optout_in_each_message": False},
    ],
)
def test_a_sale_that_lacks_any_of_its_facts_is_none(lack: dict[str, Any]) -> None:
    answer = offered(ChannelLaw.SOFT_OPT_IN, sold(replace(SALE, **lack)))
    assert answer.reason == "DENY_SOFT_OPT_IN_NOT_MET"


def test_a_sale_counts_for_its_time_and_purpose_only() -> None:
    for fact in (
        sold(None),
        sold(valid_to=hours(0)),
        sold(valid_from=hours(1)),
        sold(purpose=PurposeKey("product_research")),
    ):
        assert offered(ChannelLaw.SOFT_OPT_IN, fact).reason == "DENY_SOFT_OPT_IN_NOT_MET"


def test_a_sale_without_a_basis_in_force_permits_nothing() -> None:
    answer = offered(
        ChannelLaw.SOFT_OPT_IN,
        sold(),
        permission=interest(use=MARKETING_BY_EMAIL, state=State.NOT_ESTABLISHED),
    )
    assert answer.reason == "DENY_NOT_ESTABLISHED"


def test_facts_of_two_sales_do_not_make_one() -> None:
    halves = (
        sold(replace(SALE, product_family="insurance")),
        sold(replace(SALE, optout_in_each_message=False)),
    )
    assert offered(ChannelLaw.SOFT_OPT_IN, *halves).reason == "DENY_SOFT_OPT_IN_NOT_MET"


def test_what_is_no_marketing_asks_no_channel_law() -> None:
    policy = under_law(a_profile())
    assert ask(interest(use=RESEARCH), policy=policy).reason == "ALLOW_LEGITIMATE_INTEREST"


def test_after_a_move_both_laws_count_until_there_is_newer_proof() -> None:
    strict, open_ = a_profile("DE"), a_profile(law=ChannelLaw.OPT_OUT)
    policy = under_law(strict, open_, policy=opt_out_calls())
    policy = replace(policy, profiles={"DE": strict, "UK": open_})
    moved: dict[str, Any] = {"former_jurisdiction": "DE", "moved_at": hours(-1), "policy": policy}
    permission = interest(use=MARKETING_BY_EMAIL)
    assert ask(permission, policy=policy).verdict is Verdict.ALLOW
    assert ask(permission, **moved).reason == "DENY_CHANNEL_NEEDS_CONSENT"
    later = replace(permission, granted_at=hours(-0.5))
    assert ask(later, **moved).verdict is Verdict.ALLOW


def called(*facts: Condition, points: tuple[ContactPoint, ...] = (MOBILE,), **said: Any) -> Answer:
    told = {"policy": opt_out_calls(), "conditions": (*every_condition(), *facts)}
    return ask(interest(use=said.pop("use", OFFER_CALL)), points=points, **(told | said))


def test_who_calls_without_consent_asks_the_register_first() -> None:
    assert called(SCREENED).reason == "ALLOW_LEGITIMATE_INTEREST"
    for fact in (
        (),
        (replace(SCREENED, valid_to=hours(0)),),
        (replace(SCREENED, ref="Robinson"),),
        (replace(SCREENED, purpose=PurposeKey("product_research")),),
    ):
        assert called(*fact).reason == "DENY_REGISTER_NOT_SCREENED"


def test_each_number_is_screened_or_none_is_called() -> None:
    mobile = replace(SCREENED, point=MOBILE.hmac)
    office = replace(SCREENED, point=OFFICE.hmac)
    both = (MOBILE, OFFICE)
    assert called(mobile).verdict is Verdict.ALLOW
    assert called(mobile, points=both).reason == "DENY_REGISTER_NOT_SCREENED"
    assert called(mobile, office, points=both).verdict is Verdict.ALLOW
    assert called(mobile, points=(HOME,)).reason == "DENY_REGISTER_NOT_SCREENED"


def test_no_register_is_asked_where_there_is_none_or_nobody_calls() -> None:
    assert called(policy=opt_out_calls(dnc_register=None)).verdict is Verdict.ALLOW
    assert called(use=a_use(channel="SMS")).verdict is Verdict.ALLOW
    assert called(policy=opt_out_calls(ChannelLaw.NONE)).verdict is Verdict.ALLOW


def test_the_registers_of_both_places_are_asked_after_a_move() -> None:
    here, there = (a_profile(key, law=ChannelLaw.OPT_OUT, dnc_register=key) for key in ("UK", "FR"))
    policy = replace(opt_out_calls(), profiles={"UK": here, "FR": there})
    moved: dict[str, Any] = {"former_jurisdiction": "FR", "moved_at": hours(-1), "policy": policy}
    one, two = replace(SCREENED, ref="UK"), replace(SCREENED, ref="FR")
    assert called(one, **moved).reason == "DENY_REGISTER_NOT_SCREENED"
    assert called(one, two, **moved).verdict is Verdict.ALLOW


def test_a_place_may_ask_for_better_proof_than_the_purpose() -> None:
    fair = a_permission(grade=Grade.B)
    assert ask(fair, policy=under_law(a_profile())).verdict is Verdict.ALLOW
    asking = a_profile(grades={Channel("POST"): {"CONSUMER": Grade.A}})
    assert ask(fair, policy=under_law(asking)).reason == "DENY_EVIDENCE_BELOW_GRADE"
    assert ask(fair, policy=under_law(asking), subject_class="BUSINESS").verdict is Verdict.ALLOW


def test_a_place_may_ask_for_a_confirmed_opt_in_by_e_mail() -> None:
    policy = under_law(a_profile(double_opt_in_required=True))
    mailed: dict[str, Any] = {"use": MARKETING_BY_EMAIL, "point": HOME.exact}
    assert ask(a_permission(**mailed), policy=policy).verdict is Verdict.ALLOW
    fair = a_permission(grade=Grade.B, **mailed)
    assert ask(fair, policy=policy).reason == "DENY_EVIDENCE_BELOW_GRADE"
    by_post = a_permission(grade=Grade.B, use=MARKETING_BY_POST)
    assert ask(by_post, policy=policy).verdict is Verdict.ALLOW


def special(exception: str | None, basis: LawfulBasis) -> Policy:
    """Research into something about people that Art. 9 protects."""
    assignment = Assignment(
        jurisdiction="*",
        subject_class="*",
        basis=basis,
        effective_from=hours(-99999),
        art9_condition=exception,
    )
    return with_purpose("product_research", special_category=True, assignments=(assignment,))


def studied(exception: str | None, *facts: Condition, **said: Any) -> Answer:
    permission = interest(use=RESEARCH, **said)
    others = tuple(one for one in every_condition() if one.kind is not ConditionKind.ART9)
    return ask(
        permission, policy=special(exception, permission.basis), conditions=(*others, *facts)
    )


def test_special_categories_wait_for_an_exception_that_is_true_of_the_person() -> None:
    research = a_condition(ConditionKind.ART9, ref="9(2)(j)")
    assert studied("9(2)(j)", research).verdict is Verdict.ALLOW
    for answer in (
        studied("9(2)(j)"),
        studied("9(2)(h)", research),
        studied("9(2)(j)", replace(research, valid_to=hours(0))),
        studied("9(2)(j)", replace(research, purpose=PurposeKey("direct_marketing"))),
        studied(None, research),
    ):
        assert (answer.verdict, answer.reason) == (Verdict.HOLD, "HOLD_ART9_CONDITION_MISSING")
        assert [failure.gate for failure in answer.failed] == ["G8"]


def test_an_explicit_consent_is_a_consent_with_the_best_proof() -> None:
    explicit = {"basis": LawfulBasis.CONSENT, "state": State.GIVEN, "notice_id": "consent-en-1"}
    assert studied("9(2)(a)", **explicit).verdict is Verdict.ALLOW
    fair = studied("9(2)(a)", grade=Grade.B, **explicit)
    assert "HOLD_ART9_CONDITION_MISSING" in [failure.reason for failure in fair.failed]
    assert fair.verdict is not Verdict.ALLOW
    assert studied("9(2)(a)").reason == "HOLD_ART9_CONDITION_MISSING"


def test_an_ordinary_purpose_needs_no_exception() -> None:
    assert ask(interest(use=RESEARCH), policy=POLICY).verdict is Verdict.ALLOW


@pytest.mark.parametrize(
    ("staleness", "verdict"),
    [
        (None, Verdict.ALLOW),
        (timedelta(0), Verdict.ALLOW),
        (MAX_STALENESS, Verdict.ALLOW),
        (MAX_STALENESS + timedelta(seconds=1), Verdict.HOLD),
    ],
)
def test_a_live_question_about_marketing_waits_while_the_bridge_is_blind(
    staleness: timedelta | None, verdict: Verdict
) -> None:
    answer = ask(a_permission(), staleness=staleness)
    assert answer.verdict is verdict
    assert verdict is Verdict.ALLOW or answer.reason == "HOLD_SYNC_STALE"


def test_how_blind_is_too_blind_is_for_the_asker_to_say() -> None:
    old = timedelta(hours=2)
    assert ask(a_permission(), staleness=old, max_staleness=old).verdict is Verdict.ALLOW
    late = old + timedelta(seconds=1)
    assert ask(a_permission(), staleness=late, max_staleness=old).verdict is Verdict.HOLD


def test_other_messages_do_not_wait_for_a_blind_bridge() -> None:
    late = timedelta(days=9)
    assert ask(interest(use=RESEARCH), staleness=late).verdict is Verdict.ALLOW


# For each gate, what makes it fail, with every code that the rules give it.
FLAWED: dict[tuple[str, str], Answer] = {
    ("G1", "DENY_SUBJECT_UNKNOWN"): ask(a_permission(), link_state=None),
    ("G1", "HOLD_IDENTITY_AMBIGUOUS"): ask(a_permission(), link_state="AMBIGUOUS"),
    ("G3", "DENY_PURPOSE_RETIRED"): ask(
        a_permission(), policy=with_purpose("direct_marketing", status=PurposeStatus.RETIRED)
    ),
    ("G4", "DENY_NO_LAWFUL_BASIS"): ask(
        a_permission(), policy=with_purpose("direct_marketing", assignments=())
    ),
    ("G5", "DENY_STOPPED"): ask(a_permission(State.WITHDRAWN)),
    ("G5", "DENY_LAPSED"): ask(a_permission(State.EXPIRED)),
    ("G5", "DENY_NOT_ESTABLISHED"): ask(None),
    ("G5", "DENY_NOT_ESTABLISHED_FOR_ADDRESS"): ask(
        a_permission(use=MARKETING_BY_EMAIL, point=HOME.exact), points=()
    ),
    ("G5", "HOLD_CHALLENGED"): ask(interest(use=RESEARCH, state=State.CHALLENGED)),
    ("G6", "DENY_OUTSIDE_VALIDITY"): ask(a_permission(effective_to=hours(0))),
    ("G7", "DENY_EVIDENCE_BELOW_GRADE"): ask(a_permission(grade=Grade.D)),
    ("G8", "HOLD_ART9_CONDITION_MISSING"): studied(None),
    ("G9", "DENY_CHANNEL_NEEDS_CONSENT"): offered(ChannelLaw.PRIOR_CONSENT),
    ("G9", "DENY_SOFT_OPT_IN_NOT_MET"): offered(ChannelLaw.SOFT_OPT_IN),
    ("G9", "DENY_REGISTER_NOT_SCREENED"): called(),
    ("G10", "HOLD_SYNC_STALE"): ask(a_permission(), staleness=timedelta(days=1)),
    ("HELD", "HOLD_NOT_YET_JUDGED"): ask(a_permission(), hold="MASS_CHANGE_CIRCUIT_OPEN"),
}


def stopped() -> dict[tuple[str, str], Answer]:
    """Every cell of the stop matrix that stops anything, by the code it gives."""
    found: dict[tuple[str, str], Answer] = {}
    for obstacle in Obstacle:
        for category in Category:
            effect = MATRIX[obstacle.value][category.value].partition(" ")[0]
            verdict = {"block": "DENY", "hold": "HOLD"}.get(effect)
            if verdict is not None:
                found["G2", f"{verdict}_{obstacle.value}"] = call(category, obstacle)
    return found


def every_code() -> set[tuple[str, str]]:
    codes = {(gate, code) for gate, row in GATES.items() for code in row["codes"] if gate != "G2"}
    for stop, row in MATRIX.items():
        cells = {cell.split(" ")[0] for cell in row.values()}
        codes |= {("G2", f"DENY_{stop}")} if "block" in cells else set()
        codes |= {("G2", f"HOLD_{stop}")} if "hold" in cells else set()
    return codes


def test_every_code_of_every_gate_is_reached_and_no_other() -> None:
    ways = FLAWED | stopped()
    assert set(ways) == every_code()
    for (gate, code), answer in ways.items():
        failures = {(failure.gate, failure.reason) for failure in answer.failed}
        assert (gate, code) in failures
        assert failures <= every_code()
        assert answer.verdict is not Verdict.ALLOW


@pytest.mark.parametrize("basis", LawfulBasis)
def test_what_passes_every_gate_is_allowed_by_its_basis(basis: LawfulBasis) -> None:
    permission = (
        a_permission() if basis is LawfulBasis.CONSENT else interest(basis=basis, use=RESEARCH)
    )
    assert ask(permission).reason == f"ALLOW_{basis.value}"
    assert set(CONDITIONS_OF) == set(LawfulBasis)


@pytest.mark.parametrize("category", sorted(STANDALONE))
@pytest.mark.parametrize(
    ("use", "permission"),
    [
        (a_use("unheard-of", "EMAIL"), None),
        (a_use("product_research", "SOCIAL"), None),
        (RESEARCH, None),
        (RESEARCH, interest(use=RESEARCH, state=State.OBJECTED)),
        (RESEARCH, interest(use=RESEARCH, state=State.ENDED)),
        (RESEARCH, interest(use=RESEARCH, effective_to=hours(0))),
        (RESEARCH, a_permission(use=RESEARCH, grade=Grade.D)),
        (RESEARCH, interest(use=RESEARCH, held="MASS_CHANGE_CIRCUIT_OPEN")),
    ],
)
def test_what_the_law_itself_asks_to_be_sent_needs_no_permission(
    use: Use, permission: Permission | None, category: Category
) -> None:
    answer = ask(permission, use=use, category=category, staleness=timedelta(days=1))
    assert answer.verdict is Verdict.ALLOW


def test_a_stop_and_a_stale_bridge_are_both_told() -> None:
    answer = ask(
        a_permission(),
        stops=(a_stop(StopKind.MARKETING_OBJECTION),),
        staleness=timedelta(days=1),
    )
    assert [failure.gate for failure in answer.failed] == ["G2", "G10"]
    assert answer.reason == "DENY_MARKETING_OBJECTION"
