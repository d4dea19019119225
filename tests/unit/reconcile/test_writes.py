"""What Salesforce gets: the difference to what it should hold, in the right lane, and nothing else."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid5

import pytest

from salesforce_bridge.permissions.bases import LawfulBasis
from salesforce_bridge.permissions.events import EventKind
from salesforce_bridge.permissions.policy import Policy
from salesforce_bridge.permissions.states import State
from salesforce_bridge.reconcile.dossiers import assemble
from salesforce_bridge.reconcile.facts import AMBIGUOUS
from salesforce_bridge.reconcile.identity import NAMESPACE, stable_id
from salesforce_bridge.reconcile.intent import Lane, Plan, Target, Value, Verb, Write
from salesforce_bridge.reconcile.plan import check_limits, make_plan
from salesforce_bridge.reconcile.words import Basis, Status
from tests.unit.permissions.examples import POLICY
from tests.unit.reconcile.worlds import (
    EVERYTHING,
    NEWS_BY_CALL,
    NEWS_BY_EMAIL,
    NEWS_BY_POST,
    NOON,
    ORG,
    RESEARCH,
    SERVICE,
    World,
    a_contact,
    a_use,
    contact_id,
    reasons_by_use,
    subject_id,
)

ANN = contact_id(1)
NEWS = (NEWS_BY_EMAIL, NEWS_BY_CALL, NEWS_BY_POST)


@pytest.fixture
def world() -> World:
    """A person both sides know, about whom nothing was decided."""
    world = World()
    world.meet(1)
    world.cycle()
    return world


def to_contact(plan: Plan) -> tuple[Write, ...]:
    return tuple(each for each in plan.writes if each.target is Target.CONTACT)


def lanes(plan: Plan) -> list[tuple[Lane, Target]]:
    return [(each.lane, each.target) for each in plan.writes]


def fields(write: Write) -> Mapping[str, Value]:
    return {name: value for name, value in write.fields.items() if name != "decision"}


def test_a_stop_is_written_to_contact_and_row_first_and_clears_the_request_with_the_answer(
    world: World,
) -> None:
    row = world.row_of(ANN)
    world.edit_row(row, request="Asked us to stop")
    plan = world.plan()
    assert lanes(plan) == [(Lane.STOP, Target.CONTACT), (Lane.STOP, Target.ROW)]
    contact, written = plan.writes
    assert contact.fields["opted_out_of_email"] is True
    assert contact.fields["consent_status"] == Status.STOPPED
    assert written.record_id == row
    assert {name: written.fields[name] for name in ("consent_status", "request")} == {
        "consent_status": "Stopped",
        "request": None,
    }
    assert written.fields["request_handled"] == "Asked us to stop"
    (decision,) = [each for each in plan.decisions if each.id == written.decision_id]
    assert decision.reason == "STOP_HONOURED"
    assert contact.fields["decision"] == contact.decision_id == decision.id


def test_a_yes_opens_the_row_before_the_contact(world: World) -> None:
    world.tell(EventKind.GRANT)
    assert lanes(world.plan()) == [
        (Lane.LOOSEN_ROWS, Target.ROW),
        (Lane.LOOSEN_CONTACT, Target.CONTACT),
    ]


def test_a_stop_on_one_channel_is_as_urgent_on_the_contact_that_stays_partly_permitted(
    world: World,
) -> None:
    for use in NEWS:
        world.tell(EventKind.GRANT, use)
    world.cycle()
    world.edit_row(world.row_of(ANN, NEWS_BY_POST), request="Asked us to stop")
    plan = world.plan()
    assert lanes(plan) == [(Lane.STOP, Target.CONTACT), (Lane.STOP, Target.ROW)]
    assert plan.writes[0].fields["consent_status"] == Status.PARTLY_PERMITTED


def test_a_flag_goes_out_apart_from_what_is_opened_on_the_same_contact(world: World) -> None:
    world.tell(EventKind.GRANT, NEWS_BY_POST)
    world.tell(EventKind.WITHDRAW, NEWS_BY_CALL)
    first, last = to_contact(world.plan())
    assert (first.lane, fields(first)) == (Lane.STOP, {"do_not_call": True})
    assert (last.lane, last.fields["consent_status"]) == (Lane.LOOSEN_CONTACT, "Partly permitted")


def test_a_lapse_and_a_later_end_go_in_their_lanes(world: World) -> None:
    world.tell(EventKind.GRANT, effective_to=world.at + timedelta(days=9))
    world.cycle()
    world.tell(EventKind.GRANT, at=world.at)
    assert [each.lane for each in world.plan().writes] == [Lane.LOOSEN_ROWS, Lane.LOOSEN_CONTACT]
    world.cycle()
    world.tell(EventKind.REVOKE, at=world.at)
    assert {each.lane for each in world.plan().writes} == {Lane.TIGHTEN}


def test_a_new_row_is_made_by_its_key_and_only_where_there_is_something_to_show() -> None:
    world = World()
    world.contacts[ANN] = a_contact(1)
    plan = world.plan()
    rows = [each for each in plan.writes if each.target is Target.ROW]
    assert {each.verb for each in rows} == {Verb.UPSERT}
    assert sorted(str(each.ledger_key) for each in rows) == sorted(
        f"{ANN}:{use.purpose}:{use.channel}" for use in NEWS
    )


def test_a_row_a_rep_made_gets_its_key_and_stays(world: World) -> None:
    row = world.add_row(use=RESEARCH)
    world.cycle()
    assert world.rows[row].fields.ledger_key == f"{ANN}:product_research:EMAIL"
    assert world.rows[row].fields.consent_status == "Not asked"


def test_a_row_whose_purpose_or_channel_was_changed_goes_back_to_what_its_key_names(
    world: World,
) -> None:
    row = world.row_of(ANN)
    world.edit_row(row, purpose="service_messages", channel="POST")
    world.cycle()
    back = world.rows[row].fields
    assert (back.purpose, back.channel) == ("direct_marketing", "EMAIL")
    assert not any(each.deleted for each in world.rows.values())


def test_a_candidate_shows_nothing_of_the_person_but_the_stops(world: World) -> None:
    world.tell(EventKind.GRANT)
    world.tell(EventKind.REVOKE, NEWS_BY_CALL)
    world.tell(EventKind.WITHDRAW, NEWS_BY_POST)
    world.links[ANN] = replace(world.links[ANN], state=AMBIGUOUS)
    world.cycle()
    assert [world.status_of(ANN, use) for use in NEWS] == ["Not asked", "Not asked", "Stopped"]
    reason = world.rows[world.row_of(ANN)].fields.reason_code
    assert reason == "HOLD_IDENTITY_AMBIGUOUS"


def test_a_row_says_why_it_is_stopped_by_the_stop_that_stands_over_it(world: World) -> None:
    world.tell(EventKind.GRANT)
    world.tell(EventKind.STOP_MARKETING, EVERYTHING)
    world.cycle()
    row = world.rows[world.row_of(ANN)].fields
    assert (row.consent_status, row.reason_code) == ("Stopped", "TOLD_STOP_MARKETING")


def test_a_yes_for_another_address_is_never_asked_here(world: World) -> None:
    world.tell(EventKind.GRANT, point="somewhere else")
    world.cycle()
    row = world.rows[world.row_of(ANN)].fields
    assert (row.consent_status, row.reason_code) == (
        "Not asked",
        "DENY_NOT_ESTABLISHED_FOR_ADDRESS",
    )


def test_the_basis_shown_is_the_one_relied_on(world: World) -> None:
    world.tell(EventKind.ESTABLISH, SERVICE)
    world.tell(EventKind.ESTABLISH, NEWS_BY_POST, basis=LawfulBasis.LEGITIMATE_INTEREST)
    world.cycle()
    shown = [world.rows[world.row_of(ANN, use)].fields.lawful_basis for use in (SERVICE, *NEWS)]
    assert shown == [Basis.CONTRACT, Basis.CONSENT, Basis.CONSENT, Basis.LEGITIMATE_INTEREST]


def test_a_stop_to_marketing_under_interests_is_an_objection_to_marketing(world: World) -> None:
    world.tell(EventKind.ESTABLISH, NEWS_BY_POST, basis=LawfulBasis.LEGITIMATE_INTEREST)
    world.cycle()
    world.edit_row(world.row_of(ANN, NEWS_BY_POST), request="Asked us to stop")
    (event,) = world.plan().events
    assert event.kind is EventKind.OBJECT_MARKETING
    world.cycle()
    held = world.records[subject_id(1)].permissions[NEWS_BY_POST]
    assert held.state is State.OBJECTED


def test_long_texts_are_cut_to_what_a_field_holds(world: World) -> None:
    world.tell(EventKind.GRANT, evidence_ref="x" * 300, capture_source="web form")
    world.cycle()
    row = world.rows[world.row_of(ANN)].fields
    assert (len(str(row.evidence_ref)), str(row.evidence_ref)[-1]) == (255, "…")
    assert row.capture_source == "web form"


def test_a_permission_is_never_shown_for_longer_than_it_holds(world: World) -> None:
    moment = world.at + timedelta(days=9, microseconds=1)
    begun = moment - timedelta(days=20)
    world.tell(EventKind.GRANT, effective_from=begun, effective_to=moment)
    world.cycle()
    row = world.rows[world.row_of(ANN)].fields
    assert row.effective_to == moment - timedelta(microseconds=1)
    assert row.effective_from == begun + timedelta(seconds=1, microseconds=-1)


def test_a_permission_that_has_yet_to_begin_waits_and_has_not_lapsed(world: World) -> None:
    world.tell(EventKind.GRANT, effective_from=world.at + timedelta(days=1))
    world.cycle()
    assert world.rows[world.row_of(ANN)].fields.consent_status == "Limited"


def test_the_contact_shows_the_headline_over_its_channels(world: World) -> None:
    def shown() -> str | None:
        return world.contacts[ANN].fields.consent_status

    assert shown() == "Not asked"
    for kind, use, expected in (
        (EventKind.REQUEST, NEWS_BY_POST, "Asked"),
        (EventKind.REVOKE, NEWS_BY_POST, "Lapsed"),
        (EventKind.GRANT, NEWS_BY_EMAIL, "Partly permitted"),
        (EventKind.HOLD, NEWS_BY_EMAIL, "Limited"),
        (EventKind.WITHDRAW, NEWS_BY_CALL, "Stopped"),
    ):
        world.tell(kind, use)
        world.cycle()
        assert shown() == expected


# ---------------------------------------------------------------- flags


def test_a_flag_is_set_when_no_marketing_is_left_on_its_channels(world: World) -> None:
    world.tell(EventKind.WITHDRAW, NEWS_BY_CALL)
    (write,) = to_contact(world.plan())
    assert {name for name in fields(write) if fields(write)[name] is True} == {"do_not_call"}


def test_a_flag_for_a_channel_without_marketing_needs_a_wide_stop(world: World) -> None:
    for use in NEWS:
        world.tell(EventKind.WITHDRAW, use)
    world.cycle()
    assert not world.contacts[ANN].opted_out_of_fax
    world.tell(EventKind.STOP_MARKETING, EVERYTHING)
    world.cycle()
    assert world.contacts[ANN].opted_out_of_fax


def test_a_hold_or_a_lapse_sets_no_flag(world: World) -> None:
    world.tell(EventKind.GRANT)
    world.tell(EventKind.HOLD, EVERYTHING)
    world.tell(EventKind.REVOKE, NEWS_BY_CALL)
    world.cycle()
    contact = world.contacts[ANN]
    assert (contact.opted_out_of_email, contact.do_not_call) == (False, False)


def lifted(world: World) -> None:
    """The bridge set the flag for a stop, and the person says yes again."""
    world.tell(EventKind.WITHDRAW)
    world.cycle()
    assert world.contacts[ANN].opted_out_of_email
    world.tell(EventKind.GRANT, at=world.at)


def test_a_flag_the_bridge_set_is_cleared_once_the_person_lifted_the_stop(world: World) -> None:
    lifted(world)
    (clear,) = [each for each in world.plan().writes if each.verb is Verb.CLEAR_FLAG]
    assert (clear.lane, clear.fields) == (Lane.LOOSEN_CONTACT, {"opted_out_of_email": False})
    assert clear.unmodified_since == world.contacts[ANN].modstamp


def test_a_flag_is_not_cleared_on_a_record_somebody_touched_a_moment_ago(world: World) -> None:
    lifted(world)
    world.edit(ANN, modstamp=world.at - timedelta(seconds=5))
    assert not [each for each in world.plan().writes if each.verb is Verb.CLEAR_FLAG]


def test_a_flag_that_a_person_set_is_never_cleared(world: World) -> None:
    world.edit(ANN, opted_out_of_email=True)
    world.cycle()
    world.tell(EventKind.GRANT, at=world.at)
    assert world.records[subject_id(1)].permissions[NEWS_BY_EMAIL].state is State.GIVEN
    assert not [each for each in world.plan().writes if each.verb is Verb.CLEAR_FLAG]


def test_a_new_marketing_purpose_clears_no_flag(world: World) -> None:
    world.tell(EventKind.WITHDRAW)
    world.cycle()
    offers = replace(POLICY.purposes[NEWS_BY_EMAIL.purpose], key=a_use("offers").purpose)
    world.policy = replace(POLICY, purposes={**POLICY.purposes, offers.key: offers})
    assert not [each for each in world.plan().writes if each.verb is Verb.CLEAR_FLAG]


# ---------------------------------------------------------------- writes whose outcome is unknown


def test_a_write_that_went_through_unheard_is_no_edit(world: World) -> None:
    world.tell(EventKind.GRANT)
    plan, mirrors = world.plan(), (dict(world.contact_mirrors), dict(world.row_mirrors))
    world.apply(plan)
    world.contact_mirrors, world.row_mirrors = mirrors
    world.pending = plan.writes
    assert set(reasons_by_use(world.plan(), "S02").values()) == {"NOOP_OWN_ECHO"}
    assert (world.plan().writes, world.plan().events, world.plan().candidates) == ((), (), ())


def test_a_write_that_never_arrived_is_no_edit_either(world: World) -> None:
    world.tell(EventKind.GRANT)
    world.pending = world.plan().writes
    assert reasons_by_use(world.plan(), "S03") == {NEWS_BY_EMAIL: "PUSH_GRANT"}
    assert len(world.plan().writes) == 2


def test_a_row_made_unheard_and_one_removed_unheard_are_no_edits(world: World) -> None:
    doubled = world.add_row()
    world.cycle()
    world.row_mirrors[doubled] = replace(world.row_mirrors[doubled], deleted=False)
    row = world.row_of(ANN)
    remove = Write(
        id="remove",
        lane=Lane.TIGHTEN,
        verb=Verb.DELETE,
        target=Target.ROW,
        contact_id=ANN,
        record_id=doubled,
        ledger_key=None,
        fields={},
        decision_id="d",
        subject_id=subject_id(1),
    )
    made = remove._replace(
        id="make",
        verb=Verb.UPSERT,
        record_id=None,
        ledger_key=f"{ANN}:direct_marketing:EMAIL",
        fields={
            name: getattr(world.rows[row].fields, name)
            for name in ("contact_id", "purpose", "channel", "consent_status", "marketing")
        },
    )
    lost = made._replace(id="lost", ledger_key="never:arrived:there")
    del world.row_mirrors[row]
    world.pending = (remove, made, lost)
    plan = world.plan()
    assert not reasons_by_use(plan, "S22")
    assert plan.events == ()


def test_a_claim_that_the_ledger_has_already_is_not_set_aside_twice(world: World) -> None:
    row = world.row_of(ANN)
    world.edit_row(row, request="Gave permission")
    world.apply(replace(world.plan(), writes=()))
    del world.row_mirrors[row]
    assert world.plan().candidates == ()
    assert NEWS_BY_EMAIL in reasons_by_use(world.plan(), "S08")


def test_a_contact_that_was_not_read_is_only_written_to() -> None:
    world = World()
    world.meet(1)
    world.meet(2)
    world.tell(EventKind.GRANT)
    sight = replace(world.sight(), asked_for=frozenset(), contacts={}, rows={})
    plan = make_plan(assemble(sight), org_id=ORG, policy=POLICY, at=world.at, revision=1, salt="1")
    assert [(each.contact_id, each.reason) for each in plan.decisions] == [(ANN, "PUSH_GRANT")]


def test_an_interest_under_another_basis_waits_for_no_assessment(world: World) -> None:
    world.tell(EventKind.ESTABLISH, RESEARCH, basis=LawfulBasis.PUBLIC_TASK)
    world.at += timedelta(days=400)
    assert not reasons_by_use(world.plan(), "S27")


def test_a_headline_without_rows_is_still_shown_on_the_contact() -> None:
    purposes = dict(POLICY.purposes)
    headline = purposes[POLICY.headline]
    purposes[POLICY.headline] = replace(headline, visible=False)
    world = World(policy=replace(POLICY, purposes=purposes))
    world.contacts[ANN] = a_contact(1)
    plan = world.cycle()
    assert {each.target for each in plan.writes} == {Target.CONTACT}
    assert world.contacts[ANN].fields.consent_status == "Not asked"


# ---------------------------------------------------------------- limits


def limited(**changes: Any) -> Policy:
    return replace(POLICY, limits=replace(POLICY.limits, **changes))


def opened(contacts: int) -> Plan:
    """A plan that opens one row for each of some Contacts."""
    world = World()
    for number in range(1, contacts + 1):
        world.meet(number)
    for number in range(1, contacts + 1):
        world.tell(EventKind.GRANT, NEWS_BY_POST, subject=number)
    return world.plan()


def test_a_plan_that_opens_too_much_at_once_is_refused_in_words() -> None:
    plan, limits = opened(3), limited(loosen_max=2).limits
    assert check_limits(plan, limits, known=3, fresh=frozenset()) == (
        "3 permissions would be widened at once; the limit is 2"
    )
    assert check_limits(plan, limited(loosen_max=3).limits, known=3, fresh=frozenset()) is None
    assert check_limits(plan, limits, known=3, fresh=frozenset({ANN})) is None


def test_a_plan_that_changes_too_many_contacts_is_refused_in_words() -> None:
    plan = opened(3)
    limits = limited(change_max=2, change_share=0.5, change_from=4).limits
    assert check_limits(plan, limits, known=5, fresh=frozenset()) == (
        "3 of 5 Contacts would change at once; the limit is 2 and a share of 50%"
    )
    assert check_limits(plan, limits, known=4, fresh=frozenset()) is None
    assert check_limits(plan, limits, known=6, fresh=frozenset()) is None
    assert check_limits(plan, replace(limits, change_max=3), known=5, fresh=frozenset()) is None


def test_stops_are_never_counted() -> None:
    world = World()
    for number in (1, 2, 3):
        world.meet(number)
    for number in (1, 2, 3):
        world.tell(EventKind.STOP_MARKETING, EVERYTHING, subject=number)
    limits = limited(loosen_max=0, change_max=0, change_share=0.0, change_from=0).limits
    assert len(world.plan().writes) == 12
    assert check_limits(world.plan(), limits, known=3, fresh=frozenset()) is None


def test_ids_are_made_like_any_other_uuid_of_a_name() -> None:
    for parts in (("a",), ("a", 1, None), ("decision", "ü", NOON)):
        assert stable_id(*parts) == str(uuid5(NAMESPACE, "\x1f".join(map(str, parts))))
