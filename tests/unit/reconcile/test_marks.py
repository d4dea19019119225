"""Rows nobody can understand, edits that wait for a person, and what the digest of a plan covers."""

from dataclasses import replace
from datetime import timedelta

import pytest

from salesforce_bridge.permissions.bundle import SurgeRule
from salesforce_bridge.permissions.events import EventKind
from salesforce_bridge.permissions.rights import CaseKind, RightsCase
from salesforce_bridge.reconcile.facts import RefusedWrite
from salesforce_bridge.reconcile.intent import Circuit, Lane, Target, Verb
from salesforce_bridge.reconcile.reasons import REASONS
from tests.property.small_worlds import forget
from tests.unit.permissions.examples import POLICY
from tests.unit.reconcile.worlds import (
    NEWS_BY_CALL,
    NEWS_BY_EMAIL,
    NEWS_BY_POST,
    OFFERS,
    REP,
    World,
    a_use,
    an_individual,
    contact_id,
    decisions_on,
    kinds,
    reasons_by_use,
    subject_id,
    with_offers,
)

ANN = contact_id(1)


@pytest.fixture
def world() -> World:
    """A person both sides know, who said yes to e-mail."""
    world = World()
    world.meet(1)
    world.tell(EventKind.GRANT)
    world.settle()
    world.cycle()
    return world


# ---------------------------------------------------------------- rows nobody can understand


def test_a_row_of_an_unknown_purpose_is_marked_and_what_was_typed_stays(world: World) -> None:
    row = world.add_row(use=a_use("gone_purpose"), consent_status="Permitted")
    plan = world.cycle()
    (write,) = [each for each in plan.writes if each.record_id == row]
    assert write.fields == {"consent_status": "Limited", "reason_code": "PERM_UNMAPPABLE_HELD"}
    assert write.lane is Lane.TIGHTEN
    assert (world.rows[row].fields.purpose, world.rows[row].fields.channel) == (
        "gone_purpose",
        "EMAIL",
    )
    assert world.plan().writes == ()


def test_a_row_that_says_no_goes_on_saying_it_when_nobody_understands_it(world: World) -> None:
    row = world.add_row(use=a_use("gone_purpose"), consent_status="Stopped")
    plan = world.cycle()
    assert kinds(plan) == [(EventKind.STOP_MARKETING, "*", "*")]
    assert world.rows[row].fields.consent_status == "Stopped"


def test_a_row_of_an_erased_person_goes_whatever_it_names(world: World) -> None:
    row = world.add_row(use=a_use("gone_purpose"))
    forget(world, subject_id(1))
    world.cycle()
    assert world.rows[row].deleted


def test_a_row_hung_on_another_contact_goes_home(world: World) -> None:
    world.meet(2)
    row = world.row_of(ANN)
    world.edit_row(row, contact_id=contact_id(2))
    plan = world.cycle()
    assert {each.reason for each in decisions_on(plan, "S24")} == {"PERM_REPARENT_REVERTED"}
    assert world.rows[row].fields.contact_id == ANN
    assert world.status_of(contact_id(2)) == "Not asked"


# ---------------------------------------------------------------- mass changes


def surging(world: World) -> None:
    """Two edits are many here, and two rows are widened at once."""
    world.policy = replace(POLICY, surge=SurgeRule(floor=2, share=0.0, ceiling=0))
    for use in (NEWS_BY_CALL, NEWS_BY_POST):
        world.edit_row(world.row_of(ANN, use), consent_status="Permitted")


def test_a_mass_change_waits_is_named_and_opens_the_circuit(world: World) -> None:
    surging(world)
    plan = world.plan()
    assert reasons_by_use(plan, "S26") == dict.fromkeys(
        (NEWS_BY_CALL, NEWS_BY_POST), "MASS_CHANGE_CIRCUIT_OPEN"
    )
    assert plan.parked == {world.row_of(ANN, use) for use in (NEWS_BY_CALL, NEWS_BY_POST)}
    assert plan.opens_circuit is not None
    assert sum(plan.edits.values()) == 2
    assert (plan.events, plan.candidates) == ((), ())


def test_what_waits_is_found_again_until_a_person_lets_it_through(world: World) -> None:
    surging(world)
    world.cycle()
    again = world.cycle()
    assert len(again.parked) == 2
    assert again.opens_circuit is None
    world.circuit = Circuit(closed_at=world.at)
    plan = world.cycle()
    assert len(plan.candidates) == 2
    assert plan.parked == frozenset()
    assert world.status_of(ANN, NEWS_BY_POST) == "Not asked"


def test_a_stop_is_written_while_a_mass_change_waits(world: World) -> None:
    surging(world)
    world.edit(ANN, opted_out_of_email=True)
    plan = world.cycle()
    assert reasons_by_use(plan, "S12") == {NEWS_BY_EMAIL: "FLAG_STOP_HONOURED"}
    assert world.status_of(ANN) == "Stopped"


# ---------------------------------------------------------------- writes that were refused


def test_a_write_that_was_refused_is_named_and_asked_for_again(world: World) -> None:
    world.tell(EventKind.WITHDRAW)
    world.refused = {
        ANN: (RefusedWrite(target="Permission__c", use=NEWS_BY_EMAIL, code="ROW_LOCK", stop=True),)
    }
    plan = world.cycle()
    assert reasons_by_use(plan, "S34") == {NEWS_BY_EMAIL: "WRITE_FAILED_STOP_ESCALATED"}
    assert {(each.target, each.verb) for each in plan.writes} == {
        (Target.CONTACT, Verb.UPDATE),
        (Target.ROW, Verb.UPDATE),
    }


# ---------------------------------------------------------------- the digest


def test_the_digest_covers_cases_conditions_and_who_was_judged_anew(world: World) -> None:
    digests = {world.plan().digest}
    for rights in ({"wants_a_copy": True}, {"opted_out_processing": True}):
        asking = world.copy()
        asking.edit(ANN, individual=an_individual(**rights))
        digests.add(asking.plan().digest)
    anew = world.copy()
    anew.records[subject_id(1)] = replace(anew.records[subject_id(1)], policy_digest="another")
    digests.add(anew.plan().digest)
    assert len(digests) == 4


def test_the_digest_covers_reminders_and_what_is_due(world: World) -> None:
    case = RightsCase(
        id="case-1",
        kind=CaseKind.ACCESS,
        subject_id=subject_id(1),
        received_at=world.at - timedelta(days=29),
        due_at=world.at + timedelta(days=1),
    )
    reminded, overlooked = world.copy(), world.copy()
    record = world.records[subject_id(1)]
    reminded.records[record.subject_id] = replace(record, cases=(case,))
    overlooked.records[record.subject_id] = replace(record, due={})
    assert len({each.plan().digest for each in (world, reminded, overlooked)}) == 3


@pytest.mark.parametrize(
    ("refused", "flagged"),
    [
        (RefusedWrite(target="Permission__c", use=NEWS_BY_EMAIL, code="ROW_LOCK", stop=True), True),
        (
            RefusedWrite(target="Permission__c", use=NEWS_BY_EMAIL, code="ROW_LOCK", stop=False),
            False,
        ),
        (RefusedWrite(target="Permission__c", use=NEWS_BY_CALL, code="ROW_LOCK", stop=True), False),
        (RefusedWrite(target="Contact", use=None, code="ROW_LOCK", stop=True), False),
    ],
)
def test_only_a_stop_of_marketing_that_a_row_did_not_take_falls_back_to_its_flag(
    world: World, refused: RefusedWrite, flagged: bool
) -> None:
    """What stands is a no to news by e-mail; other marketing by e-mail goes on, so no flag is due for it."""
    world.policy = with_offers(POLICY)
    world.tell(EventKind.GRANT, OFFERS)
    world.tell(EventKind.WITHDRAW)
    world.settle()
    assert not world.contacts[ANN].opted_out_of_email
    world.refused = {ANN: (refused,)}
    raised = [each for each in world.cycle().writes if each.fields.get("opted_out_of_email")]
    assert bool(raised) is flagged


# ---------------------------------------------------------------- rows of nobody


def test_a_row_that_belongs_to_nobody_is_reported_and_left_alone(world: World) -> None:
    """Whose it is nobody can say, so nothing is said of anybody, and nothing is written."""
    row = world.add_row(of=None, use=NEWS_BY_POST)
    plan = world.plan()
    (told,) = [each for each in plan.decisions if each.row_id == row]
    reason = REASONS["PERM_ORPHAN_REPORTED"]
    assert (told.situation, told.reason) == ("S23_PERM_UNDELETED_OR_DOUBLED", reason.code)
    assert (told.effect, told.severity, told.queue) == (
        reason.effect,
        reason.severity,
        reason.queue,
    )
    assert (told.ledger_class, told.explanation) == ("L0", reason.sentence)
    assert (told.subject_id, told.contact_id, told.basis) == ("", "", "")
    assert (told.status_before, told.status_after) == ("UNKNOWN", "UNKNOWN")
    assert (told.observed, told.gates_failed, told.event_ids) == ({}, (), ())
    assert told.use == a_use("*", "*")
    assert (told.source_actor, told.source_stamp) == (REP, world.rows[row].modstamp)
    assert row not in {each.record_id for each in plan.writes}


def test_of_what_people_typed_about_a_person_only_that_they_did_is_kept(world: World) -> None:
    row = world.row_of(ANN)
    world.edit_row(row, evidence_ref="Ann Smith, by letter", lawful_basis="Contract")
    (told,) = decisions_on(world.cycle(), "S11")
    assert told.observed == {
        "evidence_ref": (False, True),
        "lawful_basis": ("Consent", "Contract"),
    }
    world.row_mirrors[row] = world.rows[row] = replace(
        world.rows[row], fields=replace(world.rows[row].fields, evidence_ref="letter 7")
    )
    for typed, is_there in (("letter 8", True), (None, False)):
        again = world.copy()
        again.edit_row(row, evidence_ref=typed)
        (told,) = decisions_on(again.plan(), "S11")
        assert told.observed == {"evidence_ref": (True, is_there)}
