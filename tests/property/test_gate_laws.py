"""The laws of the gates and of signed words: nothing that is added to stop anything, or lost, ever loosens."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from salesforce_bridge.permissions.answers import Answer, Verdict
from salesforce_bridge.permissions.bases import LawfulBasis
from salesforce_bridge.permissions.conditions import Condition, ConditionKind, SoftOptIn
from salesforce_bridge.permissions.evidence import Grade, Trust
from salesforce_bridge.permissions.fold import Permission, StopKind
from salesforce_bridge.permissions.keys import Channel, PurposeKey, Use
from salesforce_bridge.permissions.laws import ChannelLaw, Profile
from salesforce_bridge.permissions.policy import Category, Policy, PurposeStatus
from salesforce_bridge.permissions.proofs import TOKEN_MAX, Token, issue, verify
from salesforce_bridge.permissions.states import State
from salesforce_bridge.permissions.stop_matrix import Obstacle
from salesforce_bridge.permissions.suppressions import Scope
from tests.unit.permissions.calls import MOBILE, OFFICE, a_stop, call, opt_out_calls
from tests.unit.permissions.examples import (
    HOME,
    IN_THE_WAY,
    a_condition,
    a_profile,
    a_suppression,
    ask,
    hours,
)

laws = settings(deadline=None)

OFFERS, RESEARCH = PurposeKey("direct_marketing"), PurposeKey("product_research")
CHANNELS = tuple(Channel(key) for key in ("EMAIL", "LIVE_CALL", "SMS", "POST"))
POINTS = (HOME, MOBILE, OFFICE)
SALE = SoftOptIn(
    sale_ref="order-17",
    sale_date=hours(-48),
    product_family="bicycles",
    optout_offered_at_collection=True,
    optout_in_each_message=True,
)
# What a basis or a channel asks for; more of these never does harm.
NEEDED = tuple(
    kind for kind in ConditionKind if kind not in IN_THE_WAY and kind is not ConditionKind.MINOR
)


@st.composite
def facts(draw: st.DrawFn, kinds: tuple[ConditionKind, ...]) -> Condition:
    kind = draw(st.sampled_from(kinds))
    return a_condition(
        kind,
        id=str(draw(st.uuids())),
        ref=draw(st.sampled_from(("TPS", "9(2)(j)", "ref-1"))),
        valid_from=draw(st.sampled_from((hours(-99), hours(-99), hours(1)))),
        valid_to=draw(st.sampled_from((None, None, hours(9), hours(0)))),
        purpose=draw(st.sampled_from((None, None, OFFERS, RESEARCH))),
        point=draw(st.sampled_from((None, "aa", "m1", "o1", "zz"))),
        soft_opt_in=SALE if kind is ConditionKind.SOFT_OPT_IN else None,
    )


@st.composite
def permissions(draw: st.DrawFn) -> Permission:
    use = Use(
        purpose=draw(st.sampled_from((OFFERS, RESEARCH))), channel=draw(st.sampled_from(CHANNELS))
    )
    basis = draw(st.sampled_from((LawfulBasis.LEGITIMATE_INTEREST, *LawfulBasis)))
    consent = basis is LawfulBasis.CONSENT
    likely = State.GIVEN if consent else State.IN_FORCE
    return Permission(
        use=use,
        basis=basis,
        state=draw(st.sampled_from((likely, likely, likely, State.CHALLENGED, State.EXPIRED))),
        marketing=use.purpose == OFFERS,
        revision=1,
        reason="GRANT_ACCEPTED_VERIFIED",
        since=hours(-20),
        lifted_at=draw(st.sampled_from((None, None, hours(-1.5), hours(-0.5)))),
        effective_from=hours(-20),
        effective_to=draw(st.sampled_from((None, hours(5)))),
        granted_at=draw(st.sampled_from((hours(-20), hours(-20), None))),
        trust=draw(st.sampled_from((Trust.SUBJECT_DIRECT, Trust.VERIFIED_RELAY))),
        grade=draw(st.sampled_from((Grade.A, Grade.B))),
        notice_id="consent-en-1",
        point=draw(st.sampled_from(("bb", "m1"))),
        reaffirm_by=draw(st.sampled_from((None, None, hours(3)))),
    )


@st.composite
def worlds(draw: st.DrawFn) -> dict[str, Any]:
    """Whom and what a question is about, mostly with everything in order."""
    policy = opt_out_calls(
        draw(st.sampled_from((ChannelLaw.OPT_OUT, *ChannelLaw))),
        dnc_register=draw(st.sampled_from((None, "TPS"))),
    )
    screened = a_condition(ConditionKind.DNC_SCREENED, id="c-screened", ref="TPS")
    usual = tuple(a_condition(kind) for kind in NEEDED if draw(st.integers(0, 9)))
    return {
        "permission": draw(st.one_of(permissions(), permissions(), st.none())),
        "policy": with_family(policy),
        "category": draw(st.sampled_from(Category)),
        "conditions": (
            *usual,
            screened,
            *draw(st.lists(facts((*NEEDED, *IN_THE_WAY)), max_size=3)),
        ),
        "points": draw(st.sets(st.sampled_from(POINTS)).map(lambda chosen: tuple(sorted(chosen)))),
        "stops": draw(st.lists(st.sampled_from(STOPS), max_size=2).map(tuple)),
        "suppressions": draw(st.lists(st.sampled_from(SUPPRESSIONS), max_size=2).map(tuple)),
        "erased": draw(st.sampled_from((False, False, False, True))),
        "staleness": draw(st.sampled_from((None, timedelta(0), timedelta(days=1)))),
    }


STOPS = tuple(
    a_stop(kind, purpose, channel, since=hours(since))
    for kind in StopKind
    for purpose in ("*", OFFERS)
    for channel in ("*", *CHANNELS)
    for since in (-1, -3)
)
SUPPRESSIONS = tuple(
    a_suppression(hmac, scope=scope, since=hours(since), expires_at=end)
    for hmac in ("aa", "m1")
    for scope in Scope
    for since in (-1, -3)
    for end in (None, hours(0), hours(9))
)


def with_family(policy: Policy, families: tuple[str, ...] = ("bicycles",)) -> Policy:
    return with_offers(policy, product_families=families)


def with_offers(policy: Policy, **changes: Any) -> Policy:
    """The policy with both purposes changed in the same way."""
    changed = {key: replace(policy.purposes[key], **changes) for key in (OFFERS, RESEARCH)}
    return replace(policy, purposes={**policy.purposes, **changed})


def answer_to(world: dict[str, Any], **changes: Any) -> Answer:
    said = {**world, **changes}
    permission = said.pop("permission")
    return ask(
        permission,
        use=permission.use if permission else Use(purpose=OFFERS, channel=CHANNELS[0]),
        **said,
    )


def assert_no_looser(world: dict[str, Any], **changes: Any) -> None:
    before, after = answer_to(world), answer_to(world, **changes)
    assert after.verdict >= before.verdict, (before, after)
    assert set(before.failed) <= set(after.failed)


@laws
@given(worlds(), st.sampled_from(STOPS))
def test_a_wide_stop_more_never_loosens(world: dict[str, Any], stop: Any) -> None:
    assert_no_looser(world, stops=(*world["stops"], stop))


@laws
@given(worlds(), st.sampled_from(SUPPRESSIONS))
def test_a_suppression_more_never_loosens(world: dict[str, Any], suppression: Any) -> None:
    assert_no_looser(world, suppressions=(*world["suppressions"], suppression))


@laws
@given(worlds(), facts(tuple(IN_THE_WAY)))
def test_a_fact_that_stands_in_the_way_never_loosens(
    world: dict[str, Any], fact: Condition
) -> None:
    assert_no_looser(world, conditions=(*world["conditions"], fact))


@laws
@given(worlds(), st.data())
def test_a_fact_that_something_rests_on_never_loosens_by_its_loss(
    world: dict[str, Any], data: st.DataObject
) -> None:
    needed = [one for one in world["conditions"] if one.kind in NEEDED]
    assume(needed)
    lost = data.draw(st.sampled_from(needed))
    assert_no_looser(world, conditions=tuple(one for one in world["conditions"] if one is not lost))


@laws
@given(worlds())
def test_an_erasure_never_loosens(world: dict[str, Any]) -> None:
    assert_no_looser(world, erased=True)


@laws
@given(
    st.sampled_from(Category),
    st.sets(st.sampled_from(Obstacle), max_size=5),
    st.sampled_from(Obstacle),
)
def test_whatever_already_stands_in_the_way_another_obstacle_never_loosens(
    category: Category, known: set[Obstacle], another: Obstacle
) -> None:
    before = call(category, *sorted(known))
    after = call(category, *sorted(known | {another}))
    assert after.verdict >= before.verdict
    assert set(before.warnings) <= set(after.warnings)


LOSSES: dict[str, dict[str, Any]] = {
    "its evidence": {"grade": Grade.NONE},
    "trust": {"trust": Trust.MACHINE},
    "the notice": {"notice_id": None},
    "the address": {"point": None},
    "its time": {"effective_to": hours(0)},
    "its beginning": {"effective_from": hours(1)},
    "the last word on a notice": {"reaffirm_by": hours(0)},
    "the person's lifting": {"lifted_at": None},
    "its state": {"state": State.EXPIRED},
    "judgement": {"held": "MASS_CHANGE_CIRCUIT_OPEN"},
}


@laws
@pytest.mark.parametrize("lost", LOSSES)
@given(world=worlds())
def test_a_permission_that_loses_what_it_has_never_loosens(
    lost: str, world: dict[str, Any]
) -> None:
    assume(world["permission"] is not None)
    changed = replace(world["permission"], **LOSSES[lost])
    assert answer_to(world, permission=changed).verdict >= answer_to(world).verdict


@laws
@given(worlds(), st.sampled_from(("purpose", "channel", "basis", "assessment", "family", "Art. 9")))
def test_a_policy_that_gives_less_never_loosens(world: dict[str, Any], lost: str) -> None:
    gone: dict[str, dict[str, Any]] = {
        "purpose": {"status": PurposeStatus.RETIRED},
        "channel": {"channels": ()},
        "basis": {"assignments": ()},
        "assessment": {"assessment": None},
        "family": {"product_families": ()},
        "Art. 9": {"special_category": True},
    }
    policy = with_offers(world["policy"], **gone[lost])
    assert answer_to(world, policy=policy).verdict >= answer_to(world).verdict


def stricter(profile: Profile, how: str) -> Profile:
    """A place that asks one thing more."""
    asked: dict[str, dict[str, Any]] = {
        "consent": {"rules": a_profile().rules},
        "a sale": {
            "rules": {
                channel: {
                    key: law if law is ChannelLaw.PRIOR_CONSENT else ChannelLaw.SOFT_OPT_IN
                    for key, law in rules.items()
                }
                for channel, rules in profile.rules.items()
            }
        },
        "nothing known": {"rules": {}},
        "better proof": {"grades": {channel: {"*": Grade.A} for channel in CHANNELS}},
        "a confirmed opt-in": {"double_opt_in_required": True},
        "a shorter age": {"max_consent_age": timedelta(hours=1)},
    }
    return replace(profile, **asked[how])


@laws
@pytest.mark.parametrize(
    "how",
    ["consent", "a sale", "nothing known", "better proof", "a confirmed opt-in", "a shorter age"],
)
@given(world=worlds())
def test_a_place_that_asks_for_more_never_loosens(how: str, world: dict[str, Any]) -> None:
    policy: Policy = world["policy"]
    here = policy.profiles["UK"]
    stricter_here = replace(policy, profiles={"UK": stricter(here, how)})
    before = answer_to(world)
    assert answer_to(world, policy=stricter_here).verdict >= before.verdict
    both = replace(policy, profiles={"UK": here, "DE": replace(stricter(here, how), key="DE")})
    moved = {"former_jurisdiction": "DE", "moved_at": hours(-1)}
    assert answer_to(world, policy=both, **moved).verdict >= before.verdict


@laws
@given(worlds())
def test_a_register_to_ask_never_loosens(world: dict[str, Any]) -> None:
    policy: Policy = world["policy"]
    asking = replace(policy.profiles["UK"], dnc_register="Bloctel")
    policy = replace(policy, profiles={"UK": asking})
    without = replace(policy, profiles={"UK": replace(asking, dnc_register=None)})
    assert answer_to(world, policy=policy).verdict >= answer_to(world, policy=without).verdict


@laws
@given(worlds())
def test_a_blind_bridge_never_loosens(world: dict[str, Any]) -> None:
    fresh = {**world, "staleness": timedelta(0)}
    assert_no_looser(fresh, staleness=timedelta(days=1))
    unasked = answer_to({**world, "staleness": None})
    assert unasked == answer_to(fresh)


@laws
@given(worlds())
def test_an_unclear_identity_never_loosens(world: dict[str, Any]) -> None:
    for link_state in ("AMBIGUOUS", "CLOSED_SOFT", None):
        answer = answer_to(world, link_state=link_state)
        assert answer.verdict >= answer_to(world).verdict
        assert answer.verdict is not Verdict.ALLOW


@laws
@given(worlds())
def test_a_marketing_objection_denies_marketing_and_leaves_every_service_as_it_was(
    world: dict[str, Any],
) -> None:
    permission = world["permission"]
    if permission is not None:
        world["permission"] = replace(permission, lifted_at=None)
    objection = a_stop(StopKind.MARKETING_OBJECTION, since=hours(0))
    after = answer_to(world, stops=(*world["stops"], objection))
    purpose = OFFERS if permission is None else permission.use.purpose
    if world["category"] is Category.MARKETING or purpose == OFFERS:
        assert after.verdict is Verdict.DENY
    else:
        assert after == answer_to(world)


words = st.from_regex(r"[A-Za-z0-9_-]{1,16}", fullmatch=True)
tokens = st.builds(
    Token,
    kind=st.sampled_from(("double_opt_in", "portal")),
    id=words,
    happened_at=st.integers(0, 4_000_000_000).map(lambda told: datetime.fromtimestamp(told, UTC)),
    notice_id=st.none() | words,
    use=st.builds(
        Use,
        purpose=words.map(PurposeKey),
        channel=st.sampled_from(CHANNELS),
    ),
    address=st.none()
    | st.emails().filter(lambda told: len(told) <= 60)
    | st.text("+0123456789 ", min_size=4),
)
SIGNING = {"double_opt_in": b"d" * 32, "portal": b"p" * 32}


@laws
@given(tokens)
def test_what_was_signed_is_what_is_read(token: Token) -> None:
    assume(token.address is None or len(token.address) <= 60)
    text = issue(token, SIGNING[token.kind])
    assert len(text) <= TOKEN_MAX
    assert verify(text, SIGNING) == token


@laws
@given(tokens, st.data())
def test_a_token_with_any_character_changed_added_or_lost_is_refused(
    token: Token, data: st.DataObject
) -> None:
    assume(token.address is None or len(token.address) <= 60)
    text = issue(token, SIGNING[token.kind])
    place = data.draw(st.integers(0, len(text) - 1))
    letter = data.draw(st.characters(codec="utf-8") | st.sampled_from("abcXYZ019._-="))
    for forged in (
        text[:place] + letter + text[place + 1 :],
        text[:place] + letter + text[place:],
        text[:place] + text[place + 1 :],
    ):
        if forged != text:
            assert verify(forged, SIGNING) is None


@laws
@given(st.text(max_size=300) | st.text("sb1.aZ0-_", max_size=300))
def test_reading_any_text_at_all_is_safe(text: str) -> None:
    assert verify(text, SIGNING) is None
