"""Claims, blanks and drift: what somebody typed that is no stop."""

from dataclasses import replace
from datetime import timedelta

import pytest

from salesforce_bridge.permissions.events import EventKind
from salesforce_bridge.permissions.keys import Use
from salesforce_bridge.reconcile.intent import Verb
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


# ---------------------------------------------------------------- claims, blanks and drift


@pytest.mark.parametrize(
    ("evidence", "situation", "reason"),
    [
        ("call 17", "S07", "GRANT_QUARANTINED_ATTESTED"),
        (None, "S08", "GRANT_QUARANTINED_NO_EVIDENCE"),
    ],
)
def test_a_claim_waits_for_somebody_to_look(
    world: World, evidence: str | None, situation: str, reason: str
) -> None:
    row = world.row_of(ANN, NEWS_BY_POST)
    world.edit_row(row, request=GRANT, request_evidence=evidence, request_note="0" * 64)
    looked_at = world.at
    plan = world.cycle()
    assert reasons_by_use(plan, situation) == {NEWS_BY_POST: reason}
    (claim,) = plan.candidates
    assert (claim.evidence_ref, claim.note_digest) == (evidence, "0" * 64)
    assert claim.expires_at == looked_at + timedelta(days=30)
    (decision,) = decisions_on(plan, situation)
    assert (decision.candidate_id, decision.event_ids) == (claim.id, ())
    shown = world.rows[row]
    assert (shown.fields.consent_status, shown.fields.reason_code) == ("Not asked", reason)
    assert (shown.request, shown.request_handled) == (None, GRANT)
    assert state_of(world, NEWS_BY_POST) is None


def test_what_is_typed_as_proof_is_not_shown_in_the_record(world: World) -> None:
    row = world.row_of(ANN, NEWS_BY_POST)
    world.edit_row(row, request=GRANT, request_evidence="call with Ann", request_note="0" * 64)
    (decision,) = decisions_on(world.plan(), "S07")
    assert decision.observed == {
        "request": (None, GRANT),
        "request_evidence": (False, True),
        "request_note": (False, True),
    }


@pytest.mark.parametrize(
    ("use", "told", "reason"),
    [
        (NEWS_BY_EMAIL, (), "GRANT_REDUNDANT_NOTED"),
        (RESEARCH, (EventKind.ESTABLISH,), "GRANT_BASIS_MISMATCH"),
        (SERVICE, (EventKind.ESTABLISH,), "GRANT_BASIS_MISMATCH"),
        (NEWS_BY_EMAIL, (EventKind.WITHDRAW,), "GRANT_AFTER_STOP_REJECTED"),
        (NEWS_BY_EMAIL, (EventKind.REVOKE,), "GRANT_QUARANTINED_NO_EVIDENCE"),
        (NEWS_BY_EMAIL, (EventKind.HOLD,), "GRANT_HELD_RESTRICTION"),
    ],
)
@pytest.mark.parametrize("evidence", ["form 3", None])
def test_a_claim_never_moves_what_the_ledger_holds(
    world: World, use: Use, told: tuple[EventKind, ...], reason: str, evidence: str | None
) -> None:
    for kind in told:
        world.tell(kind, use, at=world.at)
    world.cycle()
    row, before = world.row_of(ANN, use), state_of(world, use)
    shown = world.rows[row].fields.consent_status
    world.edit_row(row, request=GRANT, request_evidence=evidence)
    plan = world.cycle()
    if evidence is not None:
        reason = reason.replace("NO_EVIDENCE", "ATTESTED")
    assert reasons_by_use(plan, "S07" if evidence else "S08") == {use: reason}
    assert plan.events == ()
    assert (state_of(world, use), world.rows[row].fields.consent_status) == (before, shown)


def test_a_claim_for_somebody_new_is_quarantined_with_the_person() -> None:
    world = World()
    world.contacts[ANN] = a_contact(1)
    world.add_row(use=NEWS_BY_POST, request=GRANT, request_evidence="form 3")
    plan = world.cycle()
    assert reasons_by_use(plan, "S07") == {NEWS_BY_POST: "GRANT_QUARANTINED_NEW_SUBJECT"}
    assert reasons_by_use(plan, "S15")[NEWS_BY_POST] == "SUBJECT_CREATED_DEFAULT_DENY"
    assert len(plan.candidates) == 1


def test_a_claim_that_was_heard_counts_anew_only_with_other_proof(world: World) -> None:
    row = world.row_of(ANN, NEWS_BY_POST)
    world.edit_row(row, request=GRANT)
    world.apply(replace(world.plan(), writes=()))
    world.edit_row(row)
    assert world.plan().candidates == ()
    world.edit_row(row, request_evidence="form 3")
    assert reasons_by_use(world.plan(), "S07") == {NEWS_BY_POST: "GRANT_QUARANTINED_ATTESTED"}


def test_a_result_typed_over_is_a_claim_and_is_put_back(world: World) -> None:
    row = world.row_of(ANN, NEWS_BY_POST)
    world.edit_row(row, consent_status="Permitted", evidence_ref="form 3")
    plan = world.cycle()
    assert reasons_by_use(plan, "S07") == {NEWS_BY_POST: "GRANT_QUARANTINED_ATTESTED"}
    assert world.status_of(ANN, NEWS_BY_POST) == "Not asked"


def test_a_later_end_typed_over_is_a_claim_and_is_put_back(world: World) -> None:
    row = world.row_of(ANN)
    ends = world.rows[row].fields.effective_to
    for end in (None, world.at + timedelta(days=9_999)):
        world.edit_row(row, effective_to=end)
        assert reasons_by_use(world.cycle(), "S08") == {NEWS_BY_EMAIL: "GRANT_REDUNDANT_NOTED"}
        assert world.rows[row].fields.effective_to == ends
    world.edit(ANN, valid_until=None)
    assert NEWS_BY_EMAIL in reasons_by_use(world.cycle(), "S08")
    assert world.contacts[ANN].fields.valid_until == ends


def test_a_claim_for_the_future_or_before_it_was_made_is_held_for_somebody_to_look(
    world: World,
) -> None:
    row = world.row_of(ANN)
    world.edit_row(row, request=GRANT, capture_date=world.at + timedelta(days=1))
    plan = world.cycle()
    assert reasons_by_use(plan, "S09") == {NEWS_BY_EMAIL: "TIMESTAMP_IMPLAUSIBLE_HELD"}
    (claim,) = plan.candidates
    assert claim.reason == "TIMESTAMP_IMPLAUSIBLE_HELD"
    assert world.status_of(ANN) == "Permitted"


def test_a_contact_made_permitted_by_hand_is_a_bare_claim_for_the_headline(world: World) -> None:
    world.edit(ANN, consent_status="Permitted")
    assert reasons_by_use(world.cycle(), "S08") == {
        NEWS_BY_EMAIL: "GRANT_REDUNDANT_NOTED",
        NEWS_BY_CALL: "GRANT_QUARANTINED_NO_EVIDENCE",
        NEWS_BY_POST: "GRANT_QUARANTINED_NO_EVIDENCE",
    }
    assert world.contacts[ANN].fields.consent_status == "Partly permitted"


@pytest.mark.parametrize("word", [None, "Not asked"])
def test_a_blanked_result_is_put_back(world: World, word: str | None) -> None:
    world.tell(EventKind.WITHDRAW, NEWS_BY_CALL)
    world.tell(EventKind.REVOKE, NEWS_BY_POST)
    world.cycle()
    for use in NEWS:
        world.edit_row(world.row_of(ANN, use), consent_status=word)
    plan = world.cycle()
    assert reasons_by_use(plan, "S10") == {
        NEWS_BY_EMAIL: "BLANK_REVERTED",
        NEWS_BY_CALL: "BLANK_REVERTED_STOP_KEPT",
        NEWS_BY_POST: "BLANK_REVERTED",
    }
    assert [world.status_of(ANN, use) for use in NEWS] == ["Permitted", "Stopped", "Lapsed"]


def test_a_blanked_contact_is_put_back(world: World) -> None:
    world.edit(ANN, consent_status=None, summary=None)
    assert set(reasons_by_use(world.cycle(), "S10").values()) == {"BLANK_REVERTED"}
    assert world.contacts[ANN].fields.consent_status == "Partly permitted"


@pytest.mark.parametrize("word", ["Yes!", "permitted", ""])
def test_an_unknown_status_of_a_contact_is_drift(world: World, word: str) -> None:
    world.edit(ANN, consent_status=word)
    assert set(reasons_by_use(world.cycle(), "S11").values()) == {"METADATA_REVERTED"}
    assert world.contacts[ANN].fields.consent_status == "Partly permitted"


def test_drift_is_put_back_on_row_and_contact(world: World) -> None:
    row, before = world.row_of(ANN), world.rows[world.row_of(ANN)].fields
    world.edit_row(row, notice_version="another", lawful_basis="Contract", ledger_key="mine")
    world.edit(ANN, summary="All fine.", lawful_basis="Contract")
    plan = world.cycle()
    assert set(reasons_by_use(plan, "S11").values()) == {"METADATA_REVERTED"}
    after = world.rows[row].fields
    assert (after.notice_version, after.lawful_basis, after.ledger_key) == (
        before.notice_version,
        before.lawful_basis,
        before.ledger_key,
    )
    assert str(world.contacts[ANN].fields.summary).startswith("E-mail: OK until")
    assert world.contacts[ANN].fields.lawful_basis == "Consent"


def test_what_travels_with_a_write_never_causes_one(world: World) -> None:
    world.edit_row(world.row_of(ANN), ledger_revision=3, ledger_digest="x", reconciled_at=None)
    world.edit(ANN, decision="x")
    assert world.plan().writes == ()


def test_on_first_sight_an_odd_status_is_neither_yes_nor_no_and_is_put_right() -> None:
    world = World()
    world.contacts[ANN] = a_contact(1)
    world.edit(ANN, consent_status="Lapsed")
    plan = world.cycle()
    assert situations(plan) == {"S11", "S15"}
    assert (plan.events, plan.candidates) == ((), ())
    assert world.contacts[ANN].fields.consent_status == "Not asked"


# ---------------------------------------------------------------- rows that come and go


def test_a_deleted_row_is_written_again(world: World) -> None:
    world.tell(EventKind.WITHDRAW, NEWS_BY_CALL)
    world.tell(EventKind.HOLD, NEWS_BY_POST)
    world.cycle()
    for use in NEWS:
        world.edit_row(world.row_of(ANN, use), deleted=True)
    plan = world.cycle()
    assert reasons_by_use(plan, "S22") == {
        NEWS_BY_EMAIL: "PERM_RECREATED",
        NEWS_BY_CALL: "PERM_RECREATED_STOP",
        NEWS_BY_POST: "PERM_RECREATED_STOP",
    }
    assert {each.verb for each in plan.writes} == {Verb.UPSERT}
    assert [world.status_of(ANN, use) for use in NEWS] == ["Permitted", "Stopped", "Not asked"]


def test_an_undeleted_row_beside_its_successor_is_one_too_many(world: World) -> None:
    old = world.row_of(ANN)
    world.edit_row(old, deleted=True)
    world.cycle()
    world.edit_row(old, deleted=False)
    plan = world.cycle()
    assert reasons_by_use(plan, "S23") == {NEWS_BY_EMAIL: "PERM_DUPLICATE_COLLAPSED"}
    assert [each.verb for each in plan.writes] == [Verb.DELETE]
    assert world.status_of(ANN) == "Permitted"


@pytest.mark.parametrize("kind", [None, EventKind.WITHDRAW, EventKind.REVOKE, EventKind.HOLD])
def test_of_two_rows_the_one_made_for_this_contact_stays(
    world: World, kind: EventKind | None
) -> None:
    if kind is not None:
        world.tell(kind)
    world.cycle()
    kept, doubled = world.row_of(ANN), world.add_row()
    plan = world.cycle()
    assert reasons_by_use(plan, "S23") == {NEWS_BY_EMAIL: "PERM_DUPLICATE_COLLAPSED"}
    assert world.rows[doubled].deleted
    assert not world.rows[kept].deleted


def test_after_a_merge_the_rows_of_the_loser_go_and_the_winners_stay(world: World) -> None:
    world.meet(2)
    own = {world.row_of(ANN, use) for use in NEWS}
    world.merge(contact_id(2), ANN)
    plan = world.cycle()
    assert set(reasons_by_use(plan, "S23").values()) == {"PERM_DUPLICATE_COLLAPSED"}
    assert {key for key, row in world.rows.items() if not row.deleted} == own


def test_a_row_that_belongs_to_nobody_is_reported(world: World) -> None:
    row = world.add_row(of=None, ledger_key=None)
    (decision,) = decisions_on(world.plan(), "S23")
    assert (decision.reason, decision.row_id) == ("PERM_ORPHAN_REPORTED", row)


def test_a_row_moved_to_another_person_goes_home_and_its_request_counts_for_both(
    world: World,
) -> None:
    world.meet(2)
    row = world.row_of(ANN)
    world.edit_row(row, contact_id=contact_id(2), request=STOP)
    plan = world.cycle()
    assert {each.contact_id for each in decisions_on(plan, "S04")} == {ANN, contact_id(2)}
    assert reasons_by_use(plan, "S24") == {NEWS_BY_EMAIL: "PERM_REPARENT_REVERTED"}
    assert world.rows[row].fields.contact_id == ANN
    assert world.status_of(ANN) == world.status_of(contact_id(2)) == "Stopped"


def test_a_row_taken_from_its_contact_is_given_back(world: World) -> None:
    row = world.row_of(ANN)
    world.edit_row(row, contact_id=None)
    plan = world.cycle()
    assert reasons_by_use(plan, "S24") == {NEWS_BY_EMAIL: "PERM_REPARENT_REVERTED"}
    assert world.rows[row].fields.contact_id == ANN


def test_a_row_that_names_nothing_we_know_is_looked_at_once(world: World) -> None:
    world.add_row(use=a_use("astrology", "PIGEON"))
    world.add_row(purpose=None)
    assert reasons_by_use(world.cycle(), "S25") == {EVERYTHING: "PERM_UNMAPPABLE_HELD"}
    assert situations(world.plan()) <= {"S01", "S02"}


def test_an_unknown_status_of_a_row_holds_and_is_put_right(world: World) -> None:
    world.edit_row(world.row_of(ANN), consent_status="Yes!")
    assert reasons_by_use(world.cycle(), "S25") == {NEWS_BY_EMAIL: "PERM_UNMAPPABLE_HELD"}
    assert world.status_of(ANN) == "Limited"
