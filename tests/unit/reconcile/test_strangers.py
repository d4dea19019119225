"""What is already written on the records of somebody the ledger has not met."""

from dataclasses import replace
from typing import Any

import pytest

from salesforce_bridge.permissions.events import EventKind
from salesforce_bridge.reconcile.facts import RowCase
from salesforce_bridge.reconcile.findings import Finding, Situation
from salesforce_bridge.reconcile.standing import digest_of
from salesforce_bridge.reconcile.strangers import unknown_echo
from tests.unit.reconcile.sightings import a_case, found
from tests.unit.reconcile.worlds import (
    NEWS_BY_CALL,
    NEWS_BY_EMAIL,
    NEWS_BY_POST,
    REP,
    World,
    a_contact,
    a_point,
    a_row,
    contact_id,
    decisions_on,
    reasons_by_use,
    situations,
    subject_id,
)

ANN, BEN = contact_id(1), contact_id(2)
NEWS = (NEWS_BY_EMAIL, NEWS_BY_CALL, NEWS_BY_POST)


def served() -> World:
    """Ann said yes to e-mail and no to calls, and a bridge has written all of it."""
    world = World()
    world.meet(1)
    world.tell(EventKind.GRANT, NEWS_BY_EMAIL)
    world.tell(EventKind.WITHDRAW, NEWS_BY_CALL)
    world.settle()
    return world


def forgotten() -> World:
    """The same org under a ledger that knows nobody."""
    world = served()
    return World(contacts=world.contacts, rows=world.rows, at=world.at)


def stranger(**fields: Any) -> World:
    world = World()
    world.contacts[ANN] = a_contact(1)
    world.edit(ANN, **fields)
    return world


# ---------------------------------------------------------------- an echo nobody knows


def test_what_a_bridge_wrote_and_the_ledger_does_not_know_stops_all_writing_but_stops() -> None:
    world = forgotten()
    plan = world.cycle()
    assert reasons_by_use(plan, "S02") == dict.fromkeys(NEWS, "ECHO_WITHOUT_LEDGER")
    assert plan.opens_circuit is not None
    assert plan.opens_circuit.startswith("3 rows were written by a bridge")
    assert world.circuit.is_open


def test_a_stop_on_such_a_record_is_honoured_all_the_same() -> None:
    world = forgotten()
    world.edit_row(world.row_of(ANN, NEWS_BY_POST), request="Asked us to stop")
    world.edit(ANN, opted_out_of_email=True)
    plan = world.cycle()
    assert reasons_by_use(plan, "S04") == dict.fromkeys(
        (NEWS_BY_CALL, NEWS_BY_POST), "STOP_HONOURED_NEW_SUBJECT"
    )
    assert reasons_by_use(plan, "S12")[NEWS_BY_EMAIL] == "STOP_HONOURED_NEW_SUBJECT"
    assert {world.status_of(ANN, use) for use in NEWS} == {"Stopped"}
    assert reasons_by_use(plan, "S02") == dict.fromkeys(NEWS, "ECHO_WITHOUT_LEDGER")


def test_what_such_a_record_claims_waits_until_somebody_has_looked() -> None:
    world = forgotten()
    row = world.row_of(ANN)
    plan = world.cycle()
    assert set(reasons_by_use(plan, "S26").values()) == {"MASS_CHANGE_CIRCUIT_OPEN"}
    assert plan.parked == {row, ANN}
    assert plan.candidates == ()
    assert world.status_of(ANN) == "Permitted"


def test_it_is_found_once() -> None:
    world = forgotten()
    world.cycle()
    assert "ECHO_WITHOUT_LEDGER" not in {each.reason for each in world.plan().decisions}


@pytest.mark.parametrize(
    "changes",
    [
        {"ledger_revision": None},
        {"ledger_digest": None},
        {"ledger_digest": "another"},
        {"reason_code": "TYPED"},
        {"deleted": True},
        {"contact_id": BEN},
    ],
)
def test_a_row_that_is_not_what_was_written_for_its_contact_is_no_echo(
    changes: dict[str, Any],
) -> None:
    world = forgotten()
    world.contacts[BEN] = a_contact(2)
    for row in tuple(world.rows):
        world.edit_row(row, **changes)
    plan = world.plan()
    assert decisions_on(plan, "S02") == ()
    assert plan.opens_circuit is None


def test_a_row_that_was_made_for_another_contact_is_no_echo() -> None:
    world = forgotten()
    for row, known in tuple(world.rows.items()):
        fields = replace(known.fields, ledger_key=f"{BEN}:{known.fields.purpose}:EMAIL")
        world.rows[row] = replace(known, fields=replace(fields, ledger_digest=digest_of(fields)))
    assert world.plan().opens_circuit is None


@pytest.mark.parametrize("gone", ["mirrors", "mirrors and rows of one"])
def test_rows_of_somebody_the_ledger_knows_are_its_own(gone: str) -> None:
    world = served()
    world.row_mirrors.clear()
    if gone == "mirrors":
        world.contact_mirrors.clear()
    plan = world.plan()
    assert "ECHO_WITHOUT_LEDGER" not in {each.reason for each in plan.decisions}
    assert plan.opens_circuit is None


def test_a_merge_a_new_record_and_an_undelete_are_no_echo() -> None:
    merged = served()
    merged.contacts[BEN] = a_contact(2)
    merged.merge(ANN, BEN)
    assert merged.plan().opens_circuit is None

    again = served()
    again.delete(ANN)
    again.contacts[BEN] = a_contact(2, points=(a_point("person1@example.org"),))
    again.add_row(of=2)
    plan = again.cycle()
    assert (plan.opens_circuit, decisions_on(plan, "S11")) == (None, ())

    undeleted = served()
    undeleted.delete(ANN)
    undeleted.settle()
    undeleted.edit(ANN, deleted=False)
    assert undeleted.plan().opens_circuit is None
    assert undeleted.links[ANN].subject_id == subject_id(1)


def test_only_the_writing_of_an_unknown_bridge_is_put_into_words() -> None:
    echo = Finding(situation=Situation.S02_OWN_ECHO, contact_id=ANN, use=NEWS_BY_EMAIL)
    assert unknown_echo(()) is None
    assert unknown_echo((echo,)) is None
    told = unknown_echo((replace(echo, unknown=True, row_id=next(iter(served().rows))),))
    assert told is not None
    assert told.startswith("1 row was")


# ---------------------------------------------------------------- results that somebody filled in


@pytest.mark.parametrize(
    "fields",
    [
        {"lawful_basis": "Consent"},
        {"valid_until": World().at},
        {"summary": "E-mail: OK"},
        {"reason": "They said yes"},
        {"consent_status": "OK to mail"},
        {"consent_status": "Limited"},
    ],
)
def test_results_on_a_contact_nobody_knows_are_reported_and_overwritten(
    fields: dict[str, Any],
) -> None:
    world = stranger(**fields)
    plan = world.cycle()
    assert reasons_by_use(plan, "S11") == dict.fromkeys(NEWS, "SUBJECT_UNLINKED_REPORTED")
    assert (plan.events, plan.candidates) == ((), ())
    assert world.contacts[ANN].fields.consent_status == "Not asked"
    assert "S11" not in situations(world.plan())


@pytest.mark.parametrize(
    "fields",
    [
        {"lawful_basis": "Consent"},
        {"effective_to": World().at},
        {"evidence_ref": "a letter"},
        {"notice_version": "consent-en-1"},
        {"reason_code": "TYPED"},
        {"consent_status": "Asked"},
    ],
)
def test_results_on_a_row_of_a_contact_nobody_knows_are_reported(fields: dict[str, Any]) -> None:
    world = stranger()
    world.add_row(**fields)
    plan = world.cycle()
    assert reasons_by_use(plan, "S11") == {NEWS_BY_EMAIL: "SUBJECT_UNLINKED_REPORTED"}
    assert (plan.events, plan.candidates) == ((), ())
    assert "S11" not in situations(world.plan())


@pytest.mark.parametrize(
    ("fields", "situation"),
    [
        ({"consent_status": "Stopped", "reason_code": "TYPED"}, "S04"),
        ({"consent_status": "Permitted", "lawful_basis": "Consent"}, "S08"),
        ({"request": "Gave permission", "reason_code": "TYPED"}, "S08"),
        ({"request": "Asked us to stop", "reason_code": "TYPED"}, "S04"),
    ],
)
def test_what_comes_with_a_yes_or_a_no_belongs_to_it(
    fields: dict[str, Any], situation: str
) -> None:
    world = stranger()
    world.add_row(**fields)
    assert situations(world.plan()) == {"S15", situation}


def test_a_row_as_people_make_it_reports_nothing() -> None:
    world = stranger(consent_status="Not asked")
    world.add_row(consent_status="Not asked", ledger_key=f"{ANN}:direct_marketing:EMAIL")
    assert situations(world.plan()) == {"S15"}


@pytest.mark.parametrize("unheard", [False, True])
def test_a_row_that_is_known_and_hung_on_somebody_nobody_knows_is_not_reported(
    unheard: bool,
) -> None:
    """It is put back where it was; what stands on it was never typed for the stranger."""
    agreed = a_row(1, of=1, lawful_basis="Consent", reason_code="OURS")
    moved = RowCase(
        seen=a_row(1, of=2, lawful_basis="Consent", reason_code="OURS"),
        mirror=None if unheard else agreed,
        asked=(agreed,) if unheard else (),
    )
    ben = replace(
        a_case(a_contact(2, points=())), contact_id=BEN, mirror=None, link=None, rows=(moved,)
    )
    assert {each.situation for each in found(a_case(), ben)} == {
        Situation.S15_CONTACT_NEW,
        Situation.S24_PERM_REPARENTED,
    }


def test_rows_that_say_nothing_new_hide_no_row_that_somebody_filled_in() -> None:
    world = stranger()
    world.rows |= {
        each.row_id: each
        for each in (
            a_row(1, use=NEWS_BY_EMAIL, deleted=True),
            a_row(2, use=NEWS_BY_POST, lawful_basis="Consent"),
        )
    }
    assert reasons_by_use(world.cycle(), "S11") == {NEWS_BY_POST: "SUBJECT_UNLINKED_REPORTED"}


def test_what_was_filled_in_is_told_with_who_did_it_and_when() -> None:
    world = stranger()
    row = world.add_row(use=NEWS_BY_POST, consent_status="Limited", lawful_basis="Consent")
    (told,) = decisions_on(world.plan(), "S11")
    assert told.observed == {"consent_status": (None, "Limited"), "lawful_basis": (None, "Consent")}
    assert (told.row_id, told.source_actor) == (row, REP)
    assert told.source_stamp == world.rows[row].modstamp


def test_what_was_filled_in_on_a_contact_is_told_with_who_did_it_and_when() -> None:
    world = stranger(consent_status="Asked", reason="They asked us to wait.")
    told = decisions_on(world.plan(), "S11")
    assert {each.use for each in told} == set(NEWS)
    for each in told:
        assert each.observed == {
            "consent_status": (None, "Asked"),
            "reason": (None, "They asked us to wait."),
        }
        assert (each.source_actor, each.source_stamp) == (REP, world.contacts[ANN].modstamp)


def test_an_echo_that_nobody_knows_is_told_with_nothing_observed() -> None:
    told = decisions_on(forgotten().plan(), "S02")
    assert len(told) == 3
    assert {len(each.observed) for each in told} == {0}
    assert all(each.source_stamp is not None for each in told)
