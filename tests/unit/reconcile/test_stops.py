"""Every way in which somebody in Salesforce says no, and what is near it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from salesforce_bridge.permissions.events import EventKind
from salesforce_bridge.permissions.states import State
from salesforce_bridge.reconcile.intent import Lane
from tests.unit.reconcile.worlds import (
    EVERYTHING,
    NEWS_BY_CALL,
    NEWS_BY_EMAIL,
    NEWS_BY_POST,
    RESEARCH,
    SERVICE,
    World,
    a_contact,
    a_use,
    contact_id,
    decisions_on,
    kinds,
    reasons_by_use,
    situations,
    state_of,
)

STOP, OBJECTS, GRANT = "Asked us to stop", "Objects", "Gave permission"
NEWS = (NEWS_BY_EMAIL, NEWS_BY_CALL, NEWS_BY_POST)


@pytest.fixture
def world() -> World:
    """A person both sides know, who said yes to e-mail."""
    world = World()
    world.meet(1)
    world.tell(EventKind.GRANT)
    world.settle()
    world.cycle()
    return world


ANN = contact_id(1)


# ---------------------------------------------------------------- stops typed in Salesforce


def test_a_stop_on_a_row_withdraws_a_consent(world: World) -> None:
    world.edit_row(world.row_of(ANN), request=STOP)
    plan = world.cycle()
    assert reasons_by_use(plan, "S04") == {NEWS_BY_EMAIL: "STOP_HONOURED"}
    assert kinds(plan) == [(EventKind.WITHDRAW, "direct_marketing", "EMAIL")]
    assert world.status_of(ANN) == "Stopped"


def test_an_objection_on_a_row_ends_all_marketing(world: World) -> None:
    world.edit_row(world.row_of(ANN), request=OBJECTS)
    plan = world.cycle()
    assert {kind for kind, *_ in kinds(plan)} == {EventKind.WITHDRAW, EventKind.STOP_MARKETING}
    assert [world.status_of(ANN, use) for use in NEWS] == ["Stopped"] * 3


def test_of_two_rows_for_one_use_the_wider_no_counts(world: World) -> None:
    world.edit_row(world.row_of(ANN), request=STOP)
    world.add_row(request=OBJECTS)
    assert (EventKind.STOP_MARKETING, "*", "*") in kinds(world.cycle())


def test_a_stop_under_legitimate_interests_is_an_objection_that_waits_for_an_answer(
    world: World,
) -> None:
    world.tell(EventKind.ESTABLISH, RESEARCH)
    world.cycle()
    world.edit_row(world.row_of(ANN, RESEARCH), request=STOP)
    plan = world.cycle()
    assert reasons_by_use(plan, "S04") == {RESEARCH: "STOP_HONOURED_AS_OBJECTION"}
    assert state_of(world, RESEARCH) is State.CHALLENGED
    assert world.status_of(ANN, RESEARCH) == "Limited"
    world.edit_row(world.row_of(ANN, RESEARCH), request=OBJECTS)
    assert reasons_by_use(world.cycle(), "S04") == {RESEARCH: "STOP_HONOURED"}
    assert world.status_of(ANN, RESEARCH) == "Limited"


def test_a_stop_to_what_a_contract_needs_ends_all_marketing_and_the_service_goes_on(
    world: World,
) -> None:
    world.tell(EventKind.ESTABLISH, SERVICE)
    world.cycle()
    world.edit_row(world.row_of(ANN, SERVICE), request=STOP)
    plan = world.cycle()
    assert reasons_by_use(plan, "S04") == {SERVICE: "STOP_RECORDED_SERVICE_CONTINUES"}
    assert [world.status_of(ANN, use) for use in (*NEWS, SERVICE)] == [
        *["Stopped"] * 3,
        "Permitted",
    ]
    row = world.rows[world.row_of(ANN, SERVICE)]
    assert (row.request, row.request_handled) == (None, STOP)


def test_a_stop_told_again_is_kept_and_changes_nothing(world: World) -> None:
    world.tell(EventKind.WITHDRAW, NEWS_BY_POST)
    world.cycle()
    world.edit_row(world.row_of(ANN, NEWS_BY_POST), request=STOP)
    plan = world.cycle()
    assert reasons_by_use(plan, "S04") == {NEWS_BY_POST: "STOP_CORROBORATED"}
    assert kinds(plan) == [(EventKind.CORROBORATE, "direct_marketing", "POST")]


@pytest.mark.parametrize("kind", [EventKind.REVOKE, EventKind.HOLD])
def test_a_stop_on_what_lapsed_or_is_held_is_a_stop(world: World, kind: EventKind) -> None:
    world.tell(kind)
    world.cycle()
    world.edit_row(world.row_of(ANN), request=STOP)
    assert reasons_by_use(world.cycle(), "S04") == {NEWS_BY_EMAIL: "STOP_HONOURED"}
    assert world.status_of(ANN) == "Stopped"


@pytest.mark.parametrize("word", ["Stopped", "Lapsed", "Limited", "Asked"])
def test_any_narrowing_of_a_permitted_row_by_hand_is_a_stop(world: World, word: str) -> None:
    world.edit_row(world.row_of(ANN), consent_status=word)
    assert reasons_by_use(world.cycle(), "S04") == {NEWS_BY_EMAIL: "STOP_HONOURED"}
    assert state_of(world, NEWS_BY_EMAIL) is State.WITHDRAWN


def test_bringing_the_end_of_a_row_forward_is_a_stop(world: World) -> None:
    world.edit_row(world.row_of(ANN), effective_to=world.at + timedelta(days=1))
    assert "S04" in situations(world.plan())


def test_setting_an_end_where_there_was_none_is_a_stop(world: World) -> None:
    world.tell(EventKind.ESTABLISH, RESEARCH)
    world.cycle()
    world.edit_row(world.row_of(ANN, RESEARCH), effective_to=world.at + timedelta(days=1))
    assert reasons_by_use(world.plan(), "S04") == {RESEARCH: "STOP_HONOURED_AS_OBJECTION"}


def test_a_permitted_contact_given_an_end_or_an_earlier_one_is_stopped(world: World) -> None:
    later = world.at + timedelta(days=3)
    world.edit(ANN, valid_until=later)
    assert reasons_by_use(world.plan(), "S04") == {
        NEWS_BY_EMAIL: "STOP_HONOURED",
        NEWS_BY_CALL: "STOP_HONOURED",
        NEWS_BY_POST: "STOP_HONOURED",
    }
    world.contact_mirrors[ANN] = replace(
        world.contact_mirrors[ANN],
        fields=replace(world.contact_mirrors[ANN].fields, valid_until=None),
    )
    assert "S04" in situations(world.plan())


@pytest.mark.parametrize("word", ["Stopped", "Lapsed", "Limited", "Asked"])
def test_any_narrowing_of_a_permitted_contact_by_hand_stops_its_headline_channels(
    world: World, word: str
) -> None:
    world.edit(ANN, consent_status=word)
    assert set(reasons_by_use(world.cycle(), "S04")) == set(NEWS)
    assert world.contacts[ANN].fields.consent_status == "Stopped"


def test_halving_a_permitted_contact_by_hand_is_a_stop() -> None:
    world = World()
    world.meet(1)
    for use in NEWS:
        world.tell(EventKind.GRANT, use)
    world.settle()
    assert world.contacts[ANN].fields.consent_status == "Permitted"
    world.edit(ANN, consent_status="Partly permitted")
    assert set(reasons_by_use(world.plan(), "S04")) == set(NEWS)


def test_a_stopped_status_on_first_sight_is_a_stop_of_somebody_new() -> None:
    world = World()
    world.contacts[ANN] = a_contact(1)
    world.add_row(use=NEWS_BY_POST, consent_status="Stopped")
    plan = world.cycle()
    assert reasons_by_use(plan, "S04") == {NEWS_BY_POST: "STOP_HONOURED_NEW_SUBJECT"}
    assert world.status_of(ANN, NEWS_BY_POST) == "Stopped"


def test_a_stop_on_a_row_that_names_nothing_we_know_counts_for_all_marketing(world: World) -> None:
    world.add_row(use=a_use("astrology", "PIGEON"), request=STOP)
    plan = world.cycle()
    assert reasons_by_use(plan, "S04") == {EVERYTHING: "STOP_HONOURED"}
    assert [world.status_of(ANN, use) for use in NEWS] == ["Stopped"] * 3
    assert world.plan().events == ()


def test_a_stop_on_a_row_whose_fields_were_changed_counts_for_both_uses(world: World) -> None:
    world.edit_row(world.row_of(ANN), channel="POST", request=STOP)
    plan = world.cycle()
    assert set(reasons_by_use(plan, "S04")) == {NEWS_BY_EMAIL, NEWS_BY_POST}
    rows = [each for each in world.rows.values() if not each.deleted]
    assert sorted(str(each.fields.channel) for each in rows) == ["EMAIL", "LIVE_CALL", "POST"]


def test_a_request_that_could_not_be_cleared_is_not_told_again_and_cleared_later(
    world: World,
) -> None:
    world.edit_row(world.row_of(ANN), request=STOP)
    world.apply(replace(world.plan(), writes=()))
    plan = world.plan()
    assert plan.events == ()
    assert any(each.fields.get("request_handled") == STOP for each in plan.writes)


def test_a_yes_of_the_person_after_a_stop_that_was_heard_is_shown(world: World) -> None:
    world.edit_row(world.row_of(ANN), request=STOP)
    world.apply(replace(world.plan(), writes=()))
    world.tell(EventKind.GRANT, at=world.at)
    world.cycle()
    assert world.status_of(ANN) == "Permitted"
    assert world.rows[world.row_of(ANN)].request is None


def test_a_stop_that_only_the_org_remembers_is_heard_though_the_mirror_has_it(
    world: World,
) -> None:
    row = world.row_of(ANN, NEWS_BY_POST)
    world.edit_row(row, request=STOP)
    world.row_mirrors[row] = world.rows[row]
    assert reasons_by_use(world.plan(), "S04") == {NEWS_BY_POST: "STOP_HONOURED"}
    world.edit_row(row, request=OBJECTS)
    world.row_mirrors[row] = world.rows[row]
    assert (EventKind.STOP_MARKETING, "*", "*") in kinds(world.plan())


# ---------------------------------------------------------------- flags


def test_a_ticked_box_stops_marketing_on_its_channels(world: World) -> None:
    world.tell(EventKind.ESTABLISH, SERVICE)
    world.tell(EventKind.ESTABLISH, RESEARCH)
    world.cycle()
    world.edit(ANN, opted_out_of_email=True)
    plan = world.cycle()
    assert reasons_by_use(plan, "S12") == {
        NEWS_BY_EMAIL: "FLAG_STOP_HONOURED",
        RESEARCH: "FLAG_STOP_HONOURED",
        SERVICE: "FLAG_STOP_CHANNEL_MARKETING",
    }
    assert kinds(plan) == [(EventKind.STOP_CHANNEL, "*", "EMAIL")]
    assert [world.status_of(ANN, use) for use in (NEWS_BY_EMAIL, NEWS_BY_POST, SERVICE)] == [
        "Stopped",
        "Not asked",
        "Permitted",
    ]


def test_do_not_call_closes_live_and_automatic_calls_and_fax_its_own(world: World) -> None:
    world.edit(ANN, do_not_call=True, opted_out_of_fax=True)
    assert {channel for _, _, channel in kinds(world.cycle())} == {"LIVE_CALL", "AUTOCALL", "FAX"}


@pytest.mark.parametrize("kind", [EventKind.REVOKE, EventKind.HOLD])
def test_a_box_ticked_over_what_lapsed_or_is_held_is_a_stop(world: World, kind: EventKind) -> None:
    world.tell(kind)
    world.edit(ANN, opted_out_of_email=True)
    assert reasons_by_use(world.cycle(), "S12") == {NEWS_BY_EMAIL: "FLAG_STOP_HONOURED"}


def test_a_box_ticked_over_a_narrow_stop_widens_it(world: World) -> None:
    world.tell(EventKind.WITHDRAW, NEWS_BY_EMAIL)
    world.edit(ANN, opted_out_of_email=True)
    plan = world.cycle()
    assert reasons_by_use(plan, "S12") == {NEWS_BY_EMAIL: "STOP_CORROBORATED"}
    assert kinds(plan) == [(EventKind.STOP_CHANNEL, "*", "EMAIL")]


def test_a_box_that_is_ticked_on_first_sight_is_a_stop() -> None:
    world = World()
    world.contacts[ANN] = a_contact(1, opted_out_of_email=True)
    plan = world.cycle()
    assert reasons_by_use(plan, "S12") == {NEWS_BY_EMAIL: "STOP_HONOURED_NEW_SUBJECT"}
    assert reasons_by_use(plan, "S15") == {
        NEWS_BY_EMAIL: "SUBJECT_CREATED_DEFAULT_DENY",
        NEWS_BY_CALL: "SUBJECT_CREATED_DEFAULT_DENY",
        NEWS_BY_POST: "SUBJECT_CREATED_DEFAULT_DENY",
    }
    assert world.status_of(ANN) == "Stopped"


def test_a_box_that_the_bridge_ticked_is_no_news(world: World) -> None:
    world.tell(EventKind.WITHDRAW)
    world.cycle()
    assert world.contacts[ANN].opted_out_of_email
    assert situations(world.plan()) == {"S02"}


def test_clearing_a_box_lifts_nothing_and_it_is_ticked_again(world: World) -> None:
    world.edit(ANN, opted_out_of_email=True)
    world.cycle()
    world.edit(ANN, opted_out_of_email=False)
    plan = world.cycle()
    assert reasons_by_use(plan, "S13") == {NEWS_BY_EMAIL: "FLAG_CLEAR_REVERTED"}
    assert world.contacts[ANN].opted_out_of_email
    assert plan.writes[0].lane is Lane.STOP


def test_clearing_a_box_that_says_nothing_new_is_noted(world: World) -> None:
    world.tell(EventKind.ESTABLISH, RESEARCH)
    world.tell(EventKind.ESTABLISH, SERVICE)
    world.cycle()
    # A box that was ticked before the person said yes, and is cleared now.
    world.contact_mirrors[ANN] = replace(
        world.contact_mirrors[ANN], opted_out_of_email=True, do_not_call=True
    )
    plan = world.plan()
    assert reasons_by_use(plan, "S13") == {
        NEWS_BY_EMAIL: "FLAG_CLEAR_CONSISTENT",
        RESEARCH: "FLAG_CLEAR_CONSISTENT",
        SERVICE: "FLAG_CLEAR_CONSISTENT",
        NEWS_BY_CALL: "FLAG_CLEAR_NOT_A_GRANT",
        a_use("*", "AUTOCALL"): "FLAG_CLEAR_NOT_A_GRANT",
    }
    assert (plan.events, plan.writes) == ((), ())


@pytest.mark.parametrize(
    ("kind", "reason"),
    [(EventKind.REVOKE, "FLAG_CLEAR_NOT_A_GRANT"), (EventKind.HOLD, "FLAG_CLEAR_REVERTED")],
)
def test_clearing_a_box_permits_nothing(world: World, kind: EventKind, reason: str) -> None:
    world.tell(kind)
    world.cycle()
    world.contact_mirrors[ANN] = replace(world.contact_mirrors[ANN], opted_out_of_email=True)
    assert reasons_by_use(world.plan(), "S13") == {NEWS_BY_EMAIL: reason}
    assert world.plan().writes == ()


def test_a_decision_says_what_was_held_before_and_after(world: World) -> None:
    world.edit_row(world.row_of(ANN), request="Asked us to stop")
    (told,) = decisions_on(world.plan(), "S04")
    assert (told.status_before, told.status_after) == ("GIVEN", "STOPPED")
    world.cycle()
    world.edit_row(world.row_of(ANN), consent_status="Asked")
    for told in world.plan().decisions:
        if told.use == NEWS_BY_EMAIL:
            assert (told.status_before, told.status_after) == ("STOPPED", "STOPPED")
