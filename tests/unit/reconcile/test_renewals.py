"""Ends that are near, newer notices and other bundles: what people are told, and what ends by itself."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from salesforce_bridge.permissions.bundle import PurposeStatus
from salesforce_bridge.permissions.events import ActorKind, EventKind
from salesforce_bridge.permissions.keys import PurposeKey
from salesforce_bridge.permissions.policy import Policy
from salesforce_bridge.permissions.states import State
from salesforce_bridge.reconcile.intent import Lane, Target, Verb
from tests.unit.permissions.examples import POLICY
from tests.unit.reconcile.worlds import (
    NEWS_BY_CALL,
    NEWS_BY_EMAIL,
    NEWS_BY_POST,
    RESEARCH,
    SERVICE,
    World,
    a_use,
    contact_id,
    decisions_on,
    kinds,
    reasons_by_use,
    state_of,
    subject_id,
)

ANN = contact_id(1)
NEWS = POLICY.purposes[NEWS_BY_EMAIL.purpose]


@pytest.fixture
def world() -> World:
    """A person both sides know, who said yes to e-mail."""
    world = World(policy=with_campaign(POLICY))
    world.meet(1)
    world.tell(EventKind.GRANT)
    world.settle()
    world.cycle()
    return world


def with_campaign(policy: Policy) -> Policy:
    news = replace(NEWS, renewal_campaign="701C")
    return replace(policy, digest="campaign", purposes={**policy.purposes, news.key: news})


def near_its_end(world: World) -> None:
    end = world.contacts[ANN].fields.valid_until
    assert end is not None
    world.at = end - timedelta(days=20)


# ---------------------------------------------------------------- prompts


def test_from_the_first_prompt_on_both_sides_show_until_when_to_renew(world: World) -> None:
    end = world.contacts[ANN].fields.valid_until
    assert world.contacts[ANN].fields.renew_by is None
    near_its_end(world)
    plan = world.cycle()
    assert reasons_by_use(plan, "S28") == {NEWS_BY_EMAIL: "RENEWAL_PROMPT_DUE"}
    assert [(each.kind, each.actor) for each in plan.events] == [
        (EventKind.PROMPT, ActorKind.CLOCK)
    ]
    assert world.contacts[ANN].fields.renew_by == end
    assert world.rows[world.row_of(ANN)].fields.renew_by == end
    assert decisions_on(world.plan(), "S28") == ()


def test_whoever_is_prompted_joins_the_campaign_once(world: World) -> None:
    near_its_end(world)
    plan = world.cycle()
    (member,) = [each for each in plan.writes if each.target is Target.CAMPAIGN_MEMBER]
    assert (member.verb, member.lane) == (Verb.INSERT, Lane.TIGHTEN)
    assert member.fields == {"campaign_id": "701C", "contact_id": ANN}
    end = world.contacts[ANN].fields.renew_by
    assert member.ledger_key == f"701C:{end:%Y-%m-%d}"
    assert world.plan().writes == ()


def test_a_renewal_takes_the_date_to_renew_by_away(world: World) -> None:
    near_its_end(world)
    world.cycle()
    world.tell(EventKind.RENEW, point=world.contacts[ANN].points[0].exact)
    world.cycle()
    assert world.contacts[ANN].fields.renew_by is None
    assert world.rows[world.row_of(ANN)].fields.renew_by is None


@pytest.mark.parametrize("kind", [EventKind.WITHDRAW, EventKind.HOLD, EventKind.REVOKE])
def test_nobody_who_is_stopped_held_or_lapsed_is_asked_to_renew(
    world: World, kind: EventKind
) -> None:
    world.tell(kind)
    world.settle()
    near_its_end_of_all = world.at + timedelta(days=700)
    world.at = near_its_end_of_all
    plan = world.cycle()
    assert not any(each.target is Target.CAMPAIGN_MEMBER for each in plan.writes)
    assert EventKind.PROMPT not in {each.kind for each in plan.events}
    assert world.contacts[ANN].fields.renew_by is None


# ---------------------------------------------------------------- another bundle


def changed(**said: Any) -> Policy:
    """The policy with its news changed."""
    news = replace(NEWS, **said)
    return replace(POLICY, digest="changed", purposes={**POLICY.purposes, news.key: news})


def retired(key: str, successor: str | None = None) -> Policy:
    old = next(each for each in POLICY.purposes.values() if each.key == key)
    following = next((each for each in POLICY.purposes if each == successor), None)
    gone = replace(old, status=PurposeStatus.RETIRED, successor=following)
    return replace(POLICY, digest="retired", purposes={**POLICY.purposes, old.key: gone})


def newer_notice(*, material: bool) -> Policy:
    notice = replace(
        POLICY.notices["consent-en-1"],
        id="consent-en-2",
        version=2,
        supersedes="consent-en-1",
        material=material,
    )
    return replace(POLICY, digest="noticed", notices={**POLICY.notices, notice.id: notice})


def test_what_a_retired_purpose_permitted_ends_by_policy_once(world: World) -> None:
    world.tell(EventKind.ESTABLISH, RESEARCH)
    world.settle()
    world.adopt(retired("product_research"))
    plan = world.cycle()
    assert reasons_by_use(plan, "S29") == {RESEARCH: "PURPOSE_RETIRED_REVOKED"}
    (event,) = plan.events
    assert (event.kind, event.actor) == (EventKind.END, ActorKind.POLICY)
    assert plan.judged_anew == (subject_id(1),)
    assert world.status_of(ANN, RESEARCH) == "Lapsed"
    assert decisions_on(world.plan(), "S29") == ()


def test_the_same_end_by_policy_is_the_same_event_whenever_it_is_judged(world: World) -> None:
    world.tell(EventKind.ESTABLISH, RESEARCH)
    world.settle()
    world.adopt(retired("product_research"))
    later = world.at + timedelta(minutes=5)
    assert world.plan(at=later).events[0].id == world.plan().events[0].id


def test_a_stop_goes_on_to_the_purpose_that_follows_and_a_yes_does_not(world: World) -> None:
    world.tell(EventKind.ESTABLISH, RESEARCH)
    world.settle()
    stopped = world.copy()
    stopped.tell(EventKind.OBJECT_GROUNDS, RESEARCH)
    stopped.tell(EventKind.UPHOLD, RESEARCH)
    stopped.settle()
    for each in (world, stopped):
        each.adopt(retired("product_research", successor="direct_marketing"))
        each.cycle()
    assert state_of(stopped, NEWS_BY_EMAIL) is State.WITHDRAWN
    assert state_of(world, NEWS_BY_EMAIL) is State.GIVEN


def test_a_stop_wider_than_one_channel_goes_on_as_wide_as_it_was(world: World) -> None:
    world.tell(EventKind.ESTABLISH, RESEARCH)
    world.tell(EventKind.STOP_ALL, a_use("product_research", "*"))
    world.settle()
    world.adopt(retired("product_research", successor="service_messages"))
    plan = world.cycle()
    assert reasons_by_use(plan, "S29")[RESEARCH] == "PURPOSE_RETIRED_STOP_KEPT"
    assert kinds(plan) == [(EventKind.STOP_ALL, "service_messages", "*")]
    world.tell(EventKind.ESTABLISH, SERVICE)
    world.cycle()
    assert world.status_of(ANN, SERVICE) == "Stopped"


@pytest.mark.parametrize(
    ("successor", "told"),
    [
        ("customer_surveys", [(EventKind.OBJECT_GROUNDS, "customer_surveys", "EMAIL")]),
        ("offers", [(EventKind.OBJECT_MARKETING, "offers", "EMAIL")]),
        ("service_messages", []),
        (None, []),
    ],
)
def test_a_no_goes_on_in_the_words_of_what_the_following_purpose_rests_on(
    world: World, successor: str | None, told: list[tuple[EventKind, str, str]]
) -> None:
    """A contract knows no such no, so there the person is asked nothing and stopped nothing."""
    world.tell(EventKind.ESTABLISH, RESEARCH)
    world.tell(EventKind.OBJECT_GROUNDS, RESEARCH, at=world.at - timedelta(hours=1))
    world.settle()
    research = POLICY.purposes[RESEARCH.purpose]
    surveys = replace(research, key=PurposeKey("customer_surveys"))
    offers = replace(research, key=PurposeKey("offers"), direct_marketing=True)
    following = None if successor is None else PurposeKey(successor)
    gone = replace(research, status=PurposeStatus.RETIRED, successor=following)
    purposes = {each.key: each for each in (surveys, offers, gone)}
    world.adopt(replace(POLICY, digest="retired", purposes={**POLICY.purposes, **purposes}))
    assert kinds(world.cycle()) == told


def test_a_question_about_a_retired_purpose_is_closed(world: World) -> None:
    world.tell(EventKind.REQUEST, NEWS_BY_CALL)
    world.settle()
    world.adopt(changed(status=PurposeStatus.RETIRED))
    plan = world.cycle()
    assert reasons_by_use(plan, "S29")[NEWS_BY_CALL] == "PURPOSE_RETIRED_CLOSED"
    assert (EventKind.EXPIRE, "direct_marketing", "LIVE_CALL") in kinds(plan)
    assert state_of(world, NEWS_BY_CALL) is State.UNKNOWN


def test_after_a_material_change_people_have_until_the_end_of_grace_to_say_yes(
    world: World,
) -> None:
    world.adopt(newer_notice(material=True))
    at = world.at
    plan = world.cycle()
    assert reasons_by_use(plan, "S30")[NEWS_BY_EMAIL] == "REAFFIRMATION_REQUIRED"
    permission = world.records[subject_id(1)].permissions[NEWS_BY_EMAIL]
    grace = NEWS.expiry[0].grace
    assert permission.reaffirm_by == at + grace
    assert world.contacts[ANN].fields.valid_until == (at + grace).replace(microsecond=0)
    world.at = at + grace
    assert reasons_by_use(world.cycle(), "S27") == {NEWS_BY_EMAIL: "EXPIRED_BY_RULE"}
    assert world.status_of(ANN) == "Lapsed"


def test_a_minor_change_is_noted_and_ends_nothing(world: World) -> None:
    end = world.contacts[ANN].fields.valid_until
    world.adopt(newer_notice(material=False))
    plan = world.cycle()
    assert reasons_by_use(plan, "S31")[NEWS_BY_EMAIL] == "NOTICE_SUPERSEDED_NOTED"
    permission = world.records[subject_id(1)].permissions[NEWS_BY_EMAIL]
    assert permission.latest_notice == "consent-en-2"
    assert (world.status_of(ANN), world.contacts[ANN].fields.valid_until) == ("Permitted", end)


def test_people_who_never_decided_are_not_marked_by_a_newer_notice(world: World) -> None:
    world.adopt(newer_notice(material=True))
    world.cycle()
    assert NEWS_BY_POST not in world.records[subject_id(1)].permissions


# ---------------------------------------------------------------- what goes into a plan


def test_a_plan_says_when_the_clock_has_something_to_do_next(world: World) -> None:
    record = world.records[subject_id(1)]
    permission = record.permissions[NEWS_BY_EMAIL]
    assert permission.effective_to is not None
    first_prompt = permission.effective_to - timedelta(days=60)
    assert record.due[NEWS_BY_EMAIL] == first_prompt
    assert world.plan().due == ()


def test_a_service_that_never_ends_has_nothing_due(world: World) -> None:
    world.tell(EventKind.ESTABLISH, SERVICE)
    assert SERVICE not in {each.use for each in world.plan().due}


def test_a_decision_about_marketing_says_when_the_strictest_law_was_taken(world: World) -> None:
    world.edit(ANN, country="Atlantis")
    world.cycle()
    notes = {each.use: each.notes for each in world.plan().decisions}
    assert notes[NEWS_BY_EMAIL] == ("JURISDICTION_DEFAULTED_STRICTEST",)


def test_a_decision_about_a_known_place_has_no_such_note(world: World) -> None:
    assert {each.notes for each in world.plan().decisions} == {()}


# ---------------------------------------------------------------- what comes along, and how long it lasts


@pytest.mark.parametrize("own", [True, False])
def test_a_wide_no_that_goes_on_is_as_much_their_own_as_it_was_and_says_why(
    world: World, own: bool
) -> None:
    world.tell(EventKind.ESTABLISH, RESEARCH)
    world.tell(EventKind.STOP_ALL, a_use("product_research", "*"), own=own)
    world.settle()
    world.adopt(retired("product_research", successor="service_messages"))
    (event,) = world.cycle().events
    assert (event.own, event.reason) == (own, "PURPOSE_RETIRED_STOP_KEPT")
    assert (event.actor, event.happened_at) == (
        ActorKind.POLICY,
        next(each.since for each in world.records[subject_id(1)].stops),
    )


def test_the_grace_to_say_yes_once_more_is_that_of_the_purpose_and_the_place(world: World) -> None:
    short = timedelta(days=10)
    rules = (
        replace(NEWS.expiry[0], jurisdiction="UK", grace=short),
        replace(NEWS.expiry[0], jurisdiction="DE", grace=2 * short),
    )
    noticed = newer_notice(material=True)
    news = replace(NEWS, expiry=rules)
    world.adopt(replace(noticed, purposes={**noticed.purposes, news.key: news}))
    at = world.at
    world.cycle()
    assert world.records[subject_id(1)].permissions[NEWS_BY_EMAIL].reaffirm_by == at + short


def test_a_no_to_everything_needs_no_carrying_to_what_follows(world: World) -> None:
    world.tell(EventKind.ESTABLISH, RESEARCH)
    world.tell(EventKind.STOP_ALL, a_use("*", "*"))
    world.settle()
    world.adopt(retired("product_research", successor="service_messages"))
    plan = world.cycle()
    assert reasons_by_use(plan, "S29")[RESEARCH] == "PURPOSE_RETIRED_STOP_KEPT"
    assert plan.events == ()
    world.tell(EventKind.ESTABLISH, SERVICE)
    world.cycle()
    assert world.status_of(ANN, SERVICE) == "Stopped"


@pytest.mark.parametrize("own", [True, False])
def test_a_no_to_one_use_that_goes_on_is_as_much_their_own_as_it_was(
    world: World, own: bool
) -> None:
    world.tell(EventKind.ESTABLISH, RESEARCH)
    for kind in (EventKind.OBJECT_GROUNDS, EventKind.UPHOLD):
        world.tell(kind, RESEARCH, own=own)
    world.settle()
    assert world.records[subject_id(1)].permissions[RESEARCH].own is own
    world.adopt(retired("product_research", successor="direct_marketing"))
    (event,) = world.cycle().events
    assert (event.kind, event.use, event.own) == (EventKind.WITHDRAW, NEWS_BY_EMAIL, own)


def test_a_wide_no_to_a_purpose_carries_no_yes_that_it_stands_over(world: World) -> None:
    """What was said yes to before is no narrow no; and where nothing was said there is none either."""
    for established in (True, False):
        each = world.copy()
        if established:
            each.tell(EventKind.ESTABLISH, RESEARCH)
        else:
            each.add_row(use=RESEARCH)
        each.tell(EventKind.STOP_ALL, a_use("product_research", "*"))
        each.settle()
        each.adopt(retired("product_research", successor="direct_marketing"))
        assert kinds(each.cycle()) == [(EventKind.STOP_ALL, "direct_marketing", "*")]


def test_a_prompt_takes_effect_at_the_boundary_that_it_is_about(world: World) -> None:
    end = world.records[subject_id(1)].permissions[NEWS_BY_EMAIL].effective_to
    assert end is not None
    near_its_end(world)
    (prompt,) = world.plan().events
    boundary = end - timedelta(days=60)
    assert prompt.effective_from == prompt.happened_at
    assert boundary <= prompt.happened_at <= world.at
    world.cycle()
    assert (
        world.records[subject_id(1)].permissions[NEWS_BY_EMAIL].prompted_at == prompt.effective_from
    )
