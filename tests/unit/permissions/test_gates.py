"""Each gate, and the stop matrix cell by cell."""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from salesforce_bridge.permissions.bases import LawfulBasis
from salesforce_bridge.permissions.conditions import ConditionKind
from salesforce_bridge.permissions.contact_points import ContactPoint, PointType
from salesforce_bridge.permissions.evidence import Grade, Trust
from salesforce_bridge.permissions.fold import Permission, Stop, StopKind
from salesforce_bridge.permissions.gates import (
    CONDITIONS_OF,
    STANDALONE,
    Answer,
    Verdict,
)
from salesforce_bridge.permissions.keys import Channel, PurposeKey
from salesforce_bridge.permissions.policy import Assignment, Category, PurposeStatus
from salesforce_bridge.permissions.states import ASKED, LAPSED, NEUTRAL, STOPPED, State
from salesforce_bridge.permissions.stop_matrix import STOP_MATRIX, Effect, Obstacle
from tests.unit.permissions.examples import (
    HOME,
    MARKETING_BY_EMAIL,
    MARKETING_BY_POST,
    NOON,
    POLICY,
    RESEARCH,
    SERVICE,
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

MATRIX = json.loads(
    (Path(__file__).parents[2] / "expected" / "stop_matrix.json").read_text("utf-8")
)
EFFECTS = {
    "\u2013": Effect.NONE,
    "warn": Effect.WARN,
    "hold": Effect.HOLD,
    "block": Effect.BLOCK,
    "block on live calls unless specific valid consent": Effect.BLOCK_CALLS,
}


def a_stop(kind: StopKind, purpose: str = "*", channel: str = "*", **said: Any) -> Stop:
    plain: dict[str, Any] = {
        "kind": kind,
        "purpose": PurposeKey(purpose),
        "channel": Channel(channel),
        "since": hours(-1),
        "own": True,
        "reason": "STOP_HONOURED",
        "revision": 2,
    }
    return Stop(**(plain | said))


def in_force(basis: LawfulBasis, **said: Any) -> Permission:
    plain: dict[str, Any] = {
        "state": State.IN_FORCE,
        "basis": basis,
        "marketing": False,
        "granted_at": None,
        "use": SERVICE,
    }
    return a_permission(**(plain | said))


def reasons(answer: Answer) -> list[str]:
    return [failure.reason for failure in answer.failed]


def test_every_cell_of_the_stop_matrix_is_as_expected() -> None:
    assert list(MATRIX) == [obstacle.value for obstacle in Obstacle]
    for obstacle, row in MATRIX.items():
        for category, cell in row.items():
            assert STOP_MATRIX[Obstacle(obstacle)][Category(category)] is EFFECTS[cell]
        assert len(row) == len(Category)


def test_a_proven_consent_in_its_time_allows() -> None:
    answer = ask(a_permission())
    assert (answer.verdict, answer.reason) == (Verdict.ALLOW, "ALLOW_CONSENT")
    assert answer.failed == ()


@pytest.mark.parametrize(
    ("link_state", "reason"),
    [
        (None, "DENY_SUBJECT_UNKNOWN"),
        ("CLOSED_SOFT", "DENY_SUBJECT_UNKNOWN"),
        ("CLOSED_PURGED", "DENY_SUBJECT_UNKNOWN"),
        ("MERGED_INTO", "DENY_SUBJECT_UNKNOWN"),
        ("AMBIGUOUS", "HOLD_IDENTITY_AMBIGUOUS"),
    ],
)
def test_whoever_is_not_known_for_sure_is_not_contacted(
    link_state: str | None, reason: str
) -> None:
    answer = ask(a_permission(), link_state=link_state)
    assert answer.reason == reason
    assert answer.verdict is Verdict[reason.partition("_")[0]]


@pytest.mark.parametrize("category", Category)
@pytest.mark.parametrize("kind", StopKind)
def test_a_stop_does_to_each_message_what_the_matrix_says(
    category: Category, kind: StopKind
) -> None:
    answer = ask(in_force(LawfulBasis.CONTRACT), stops=(a_stop(kind),), category=category)
    cell = MATRIX[kind.value][category.value]
    expected = {"block": Verdict.DENY, "hold": Verdict.HOLD}.get(cell, Verdict.ALLOW)
    assert answer.verdict is expected
    assert answer.warnings == ((kind.value,) if cell == "warn" else ())
    if expected is not Verdict.ALLOW:
        assert answer.reason == f"{expected.name}_{kind.value}"


@pytest.mark.parametrize("category", Category)
def test_a_marketing_purpose_stays_marketing_whatever_its_message_is_called(
    category: Category,
) -> None:
    stop = a_stop(StopKind.MARKETING_OBJECTION)
    answer = ask(a_permission(), stops=(stop,), category=category)
    assert answer.reason == "DENY_MARKETING_OBJECTION"


def test_a_marketing_objection_never_changes_a_service_message() -> None:
    permission = in_force(LawfulBasis.CONTRACT)
    stop = a_stop(StopKind.MARKETING_OBJECTION)
    assert ask(permission, stops=(stop,)) == ask(permission)


def test_a_stop_reaches_no_further_than_it_was_said() -> None:
    by_email = a_stop(StopKind.CHANNEL_OPT_OUT, channel="EMAIL")
    other_purpose = a_stop(StopKind.MARKETING_OBJECTION, purpose="product_research")
    assert ask(a_permission(), stops=(by_email, other_purpose)).verdict is Verdict.ALLOW


def test_a_stop_the_person_lifted_for_a_use_no_longer_stands_in_its_way() -> None:
    stop = a_stop(StopKind.MARKETING_OBJECTION)
    lifted = a_permission(lifted_at=stop.since + timedelta(seconds=1))
    assert ask(lifted, stops=(stop,)).verdict is Verdict.ALLOW
    at_once = a_permission(lifted_at=stop.since)
    assert ask(at_once, stops=(stop,)).reason == "DENY_MARKETING_OBJECTION"
    told_again = replace(stop, since=hours(0))
    assert ask(lifted, stops=(told_again,)).reason == "DENY_MARKETING_OBJECTION"


@pytest.mark.parametrize("category", [Category.MARKETING, Category.SERVICE, Category.CLAIMS])
def test_a_restriction_works_as_the_matrix_says_while_it_is_in_date(category: Category) -> None:
    restriction = a_condition(ConditionKind.RESTRICTION, valid_to=hours(1))
    conditions = (*every_condition(), restriction)
    answer = ask(in_force(LawfulBasis.CONTRACT), conditions=conditions, category=category)
    expected = EFFECTS[MATRIX["PROCESSING_RESTRICTED"][category.value]]
    names = {Effect.BLOCK: Verdict.DENY, Effect.HOLD: Verdict.HOLD, Effect.NONE: Verdict.ALLOW}
    assert answer.verdict is names[expected]
    later = ask(in_force(LawfulBasis.CONTRACT), conditions=conditions, at=hours(2))
    assert later.verdict is Verdict.ALLOW


def test_a_restriction_of_another_purpose_does_not_matter() -> None:
    other = a_condition(ConditionKind.RESTRICTION, purpose=PurposeKey("product_research"))
    assert ask(a_permission(), conditions=(other,)).verdict is Verdict.ALLOW


def test_an_open_challenge_waits_and_forbids_marketing() -> None:
    challenged = in_force(LawfulBasis.LEGITIMATE_INTEREST, state=State.CHALLENGED, use=RESEARCH)
    answer = ask(challenged)
    assert (answer.verdict, answer.reason) == (Verdict.HOLD, "HOLD_CHALLENGED")
    service = ask(challenged, category=Category.SERVICE)
    assert service.reason == "HOLD_GROUNDS_CHALLENGE_OPEN"
    marketing = ask(challenged, category=Category.MARKETING)
    assert marketing.reason == "DENY_GROUNDS_CHALLENGE_OPEN"


@pytest.mark.parametrize("category", Category)
def test_an_erased_person_is_not_written_to(category: Category) -> None:
    erased = in_force(LawfulBasis.CONTRACT, state=State.ERASED)
    verdict = ask(erased, category=category).verdict
    assert verdict is (Verdict.HOLD if category in STANDALONE else Verdict.DENY)


@pytest.mark.parametrize("status", [PurposeStatus.DRAFT, PurposeStatus.RETIRED])
def test_only_a_live_purpose_may_be_relied_on(status: PurposeStatus) -> None:
    policy = with_purpose("direct_marketing", status=status)
    assert ask(a_permission(), policy=policy).reason == "DENY_PURPOSE_RETIRED"


def test_a_purpose_the_policy_does_not_know_has_no_basis_either() -> None:
    permission = a_permission(use=a_use("forgotten"))
    assert reasons(ask(permission)) == ["DENY_PURPOSE_RETIRED", "DENY_NO_LAWFUL_BASIS"]


def test_a_channel_the_purpose_does_not_use_has_no_basis() -> None:
    assert ask(a_permission(use=a_use(channel="SOCIAL"))).reason == "DENY_NO_LAWFUL_BASIS"


def test_a_basis_counts_for_the_people_and_the_time_it_was_assigned_for() -> None:
    german = Assignment(
        jurisdiction="DE",
        subject_class="CONSUMER",
        basis=LawfulBasis.CONSENT,
        effective_from=hours(-1),
        effective_to=hours(1),
    )
    policy = with_purpose("direct_marketing", assignments=(german,))
    asked = {"policy": policy, "jurisdiction": "DE"}
    assert ask(a_permission(), **asked).verdict is Verdict.ALLOW
    assert ask(a_permission(), policy=policy).reason == "DENY_NO_LAWFUL_BASIS"
    assert ask(a_permission(), subject_class="BUSINESS", **asked).reason == "DENY_NO_LAWFUL_BASIS"
    assert ask(a_permission(), at=hours(1), **asked).reason == "DENY_NO_LAWFUL_BASIS"
    assert ask(a_permission(), at=hours(-2), **asked).reason == "DENY_NO_LAWFUL_BASIS"


@pytest.mark.parametrize("state", sorted(State))
def test_only_valid_states_allow_and_every_other_says_why_not(state: State) -> None:
    if state in {State.GIVEN, State.RENEWED, State.IN_FORCE, State.CHALLENGED}:
        return
    answer = ask(a_permission(state))
    assert answer.verdict is Verdict.DENY
    g5 = [failure.reason for failure in answer.failed if failure.gate == "G5"]
    if state in STOPPED or state is State.ERASED:
        assert g5 == ["DENY_STOPPED"]
    elif state in LAPSED:
        assert g5 == ["DENY_LAPSED"]
    else:
        assert state in NEUTRAL | ASKED
        assert g5 == ["DENY_NOT_ESTABLISHED"]


def test_nothing_known_is_no_permission() -> None:
    assert ask(None).reason == "DENY_NOT_ESTABLISHED"


@pytest.mark.parametrize(
    ("at", "verdict"),
    [
        (-2, Verdict.DENY),
        (-1, Verdict.ALLOW),
        (0.99, Verdict.ALLOW),
        (1, Verdict.DENY),
    ],
)
def test_a_permission_holds_from_its_beginning_until_just_before_its_end(
    at: float, verdict: Verdict
) -> None:
    permission = a_permission(effective_from=hours(-1), effective_to=hours(1))
    answer = ask(permission, at=hours(at))
    assert answer.verdict is verdict
    assert verdict is Verdict.ALLOW or answer.reason == "DENY_OUTSIDE_VALIDITY"


def test_a_consent_older_than_its_purpose_allows_has_expired() -> None:
    policy = with_purpose("direct_marketing", max_age=timedelta(hours=24))
    assert ask(a_permission(), policy=policy, at=hours(-0.01)).verdict is Verdict.ALLOW
    assert ask(a_permission(), policy=policy).reason == "DENY_OUTSIDE_VALIDITY"
    ageless = under_law(a_profile(), policy=with_purpose("direct_marketing", max_age=None))
    assert ask(a_permission(), policy=ageless, at=hours(99999)).verdict is Verdict.ALLOW


@pytest.mark.parametrize(
    "lack",
    [
        {"grade": Grade.C},
        {"trust": Trust.UNVERIFIED_RELAY},
        {"notice_id": None},
        {"notice_id": "unheard-of"},
    ],
)
def test_a_consent_without_its_proof_does_not_count(lack: dict[str, Any]) -> None:
    answer = ask(a_permission(**lack))
    assert reasons(answer) == ["DENY_EVIDENCE_BELOW_GRADE"]
    assert answer.failed[0].gate == "G7"


def test_a_purpose_may_ask_for_better_proof() -> None:
    policy = with_purpose("direct_marketing", required_grade=Grade.A)
    assert ask(a_permission(grade=Grade.B)).verdict is Verdict.ALLOW
    assert ask(a_permission(grade=Grade.B), policy=policy).verdict is Verdict.DENY


@pytest.mark.parametrize("basis", [one for one in LawfulBasis if one is not LawfulBasis.CONSENT])
def test_a_basis_holds_only_while_everything_it_rests_on_does(basis: LawfulBasis) -> None:
    permission = in_force(basis, use=RESEARCH)
    answer = ask(permission)
    assert (answer.verdict, answer.reason) == (Verdict.ALLOW, f"ALLOW_{basis.value}")
    assert CONDITIONS_OF[basis]
    for lacking in CONDITIONS_OF[basis]:
        others = tuple(one for one in every_condition() if one.kind is not lacking)
        assert ask(permission, conditions=others).reason == "DENY_EVIDENCE_BELOW_GRADE"
        ended = (*others, a_condition(lacking, valid_to=NOON))
        assert ask(permission, conditions=ended).reason == "DENY_EVIDENCE_BELOW_GRADE"
        coming = (*others, a_condition(lacking, valid_from=hours(1)))
        assert ask(permission, conditions=coming).reason == "DENY_EVIDENCE_BELOW_GRADE"


def test_legitimate_interests_need_an_approved_assessment_in_date() -> None:
    permission = in_force(LawfulBasis.LEGITIMATE_INTEREST, use=RESEARCH)
    assessment = POLICY.assessments["product_research"]
    assert ask(permission).verdict is Verdict.ALLOW
    for at in (assessment.approved_at - timedelta(seconds=1), assessment.review_due):
        conditions = tuple(replace(one, valid_from=hours(-99999)) for one in every_condition())
        answer = ask(permission, conditions=conditions, at=at)
        assert "DENY_EVIDENCE_BELOW_GRADE" in reasons(answer)
    for missing in (None, "unheard-of"):
        policy = with_purpose("product_research", assessment=missing)
        assert ask(permission, policy=policy).reason == "DENY_EVIDENCE_BELOW_GRADE"


def test_a_consent_on_an_address_scoped_channel_holds_for_that_address_only() -> None:
    given = a_permission(use=MARKETING_BY_EMAIL, point=HOME.exact)
    assert ask(given).verdict is Verdict.ALLOW
    work = ContactPoint(type=PointType.EMAIL, hmac=HOME.hmac, exact="cc", key_version=2)
    phone = HOME._replace(type=PointType.PHONE)
    for points in ((), (work,), (phone,)):
        assert ask(given, points=points).reason == "DENY_NOT_ESTABLISHED_FOR_ADDRESS"
    for point in (None, ""):
        nowhere = HOME._replace(exact="")
        unbound = replace(given, point=point)
        answer = ask(unbound, points=(nowhere,))
        assert answer.reason == "DENY_NOT_ESTABLISHED_FOR_ADDRESS"


def test_where_the_address_does_not_matter_none_is_asked_for() -> None:
    assert ask(a_permission(use=MARKETING_BY_POST), points=()).verdict is Verdict.ALLOW
    assert ask(in_force(LawfulBasis.CONTRACT), points=()).verdict is Verdict.ALLOW


@pytest.mark.parametrize("category", Category)
def test_what_nobody_has_judged_yet_waits(category: Category) -> None:
    permission = (
        a_permission() if category is Category.MARKETING else in_force(LawfulBasis.CONTRACT)
    )
    held = replace(permission, held="MASS_CHANGE_CIRCUIT_OPEN")
    for answer in (
        ask(held, category=category),
        ask(permission, hold="MASS_CHANGE_CIRCUIT_OPEN", category=category),
    ):
        standalone = category in STANDALONE
        assert answer.verdict is (Verdict.ALLOW if standalone else Verdict.HOLD)
        assert standalone or answer.reason == "HOLD_NOT_YET_JUDGED"


@pytest.mark.parametrize("category", sorted(STANDALONE))
def test_messages_the_law_asks_for_stand_on_their_own_footing(category: Category) -> None:
    notices = a_use("statutory_notices", "POST")
    assert ask(None, use=notices, category=category).reason == "ALLOW_LEGAL_OBLIGATION"
    unknown = a_use("unheard-of", "POST")
    assert ask(None, use=unknown, category=category).reason == f"ALLOW_{category.value}"
    ended = in_force(LawfulBasis.CONTRACT, state=State.ENDED)
    assert ask(ended, category=category).verdict is Verdict.ALLOW


def test_the_worst_answer_wins_and_every_failed_gate_is_kept() -> None:
    answer = ask(
        a_permission(State.EXPIRED, held="MASS_CHANGE_CIRCUIT_OPEN"),
        stops=(a_stop(StopKind.MARKETING_OBJECTION), a_stop(StopKind.SUBJECT_STOP_ALL)),
        policy=with_purpose("direct_marketing", status=PurposeStatus.RETIRED, assignments=()),
        link_state="AMBIGUOUS",
    )
    assert answer.verdict is Verdict.DENY
    assert answer.reason == "DENY_MARKETING_OBJECTION"
    assert [(failure.gate, failure.reason) for failure in answer.failed] == [
        ("G1", "HOLD_IDENTITY_AMBIGUOUS"),
        ("G2", "DENY_MARKETING_OBJECTION"),
        ("G2", "DENY_SUBJECT_STOP_ALL"),
        ("G3", "DENY_PURPOSE_RETIRED"),
        ("G4", "DENY_NO_LAWFUL_BASIS"),
        ("G5", "DENY_LAPSED"),
        ("HELD", "HOLD_NOT_YET_JUDGED"),
    ]
