"""What is written down of a decision, which decision a write is made by, and of a kind of people who is judged."""

from dataclasses import replace
from datetime import timedelta

import pytest

from salesforce_bridge.permissions.conditions import Condition, ConditionKind
from salesforce_bridge.permissions.events import EventKind
from salesforce_bridge.permissions.keys import Use
from salesforce_bridge.reconcile.classes import LedgerClass
from salesforce_bridge.reconcile.facts import Dossier
from salesforce_bridge.reconcile.findings import Situation
from salesforce_bridge.reconcile.intent import Decision, Plan, Write
from salesforce_bridge.reconcile.judge import decision_id
from salesforce_bridge.reconcile.layout import lay_out
from salesforce_bridge.reconcile.reasons import Severity
from salesforce_bridge.reconcile.settled import RollCall, kind_of
from salesforce_bridge.reconcile.sheet import Sheet, put_down
from salesforce_bridge.reconcile.silences import Silences
from salesforce_bridge.reconcile.situations import recognise
from tests.unit.reconcile.settled_worlds import MEMBERS, settled
from tests.unit.reconcile.worlds import (
    NEWS_BY_CALL,
    NEWS_BY_EMAIL,
    NEWS_BY_POST,
    ORG,
    REP,
    World,
    a_use,
    contact_id,
    decisions_on,
    subject_id,
)

ANN = contact_id(1)
ASKED = "Asked us to stop"


def ann(said: EventKind, *, country: str | None = "United Kingdom") -> World:
    world = World()
    world.meet(1, country=country)
    world.tell(said)
    world.settle()
    return world


def on_the_row(plan: Plan, world: World) -> Write:
    (write,) = [each for each in plan.writes if each.record_id == world.row_of(ANN)]
    return write


def no_by_row_and_box(world: World) -> tuple[Decision, Decision]:
    """Somebody types a no to e-mail on a row, and ticks the box for it as well."""
    world.edit(ANN, opted_out_of_email=True)
    world.edit_row(world.row_of(ANN), request=ASKED)
    plan = world.plan()
    (typed,), (ticked,) = decisions_on(plan, "S04"), decisions_on(plan, "S12")
    assert on_the_row(plan, world).decision_id == typed.id
    return typed, ticked


def test_a_decision_tells_what_was_held_before_it_why_it_was_made_and_what_came_of_it() -> None:
    world = ann(EventKind.GRANT)
    typed, _ = no_by_row_and_box(world)
    assert (typed.reason, typed.severity, typed.effect) == (
        "STOP_HONOURED",
        Severity.NOTICE,
        "DENY",
    )
    assert (typed.ledger_class, typed.basis) == (LedgerClass.L2, "CONSENT")
    assert (typed.status_before, typed.status_after) == ("GIVEN", "STOPPED")
    assert typed.gates_failed == ("DENY_CHANNEL_OPT_OUT", "DENY_STOPPED")
    assert (typed.explanation, typed.notes) == ("They asked us to stop.", ())
    assert (typed.subject_id, typed.contact_id, typed.use) == (subject_id(1), ANN, NEWS_BY_EMAIL)
    assert (typed.row_id, typed.source_actor) == (world.row_of(ANN), REP)


def test_what_is_said_a_second_time_in_one_cycle_is_held_against_the_first() -> None:
    _, ticked = no_by_row_and_box(ann(EventKind.GRANT))
    assert (ticked.reason, ticked.severity) == ("STOP_CORROBORATED", Severity.INFO)
    assert ticked.ledger_class is LedgerClass.L4
    assert (ticked.status_before, ticked.status_after) == ("STOPPED", "STOPPED")


def test_of_two_decisions_of_one_weight_the_one_that_was_made_first_makes_the_write() -> None:
    world = ann(EventKind.GRANT)
    world.edit_row(world.row_of(ANN), consent_status="Not asked", notice_version="another")
    plan = world.plan()
    (blanked,), (edited,) = decisions_on(plan, "S10"), decisions_on(plan, "S11")
    assert blanked.severity is edited.severity is Severity.INFO
    assert on_the_row(plan, world).decision_id == blanked.id


@pytest.mark.parametrize(
    ("country", "notes"),
    [("United Kingdom", ()), (None, ("JURISDICTION_DEFAULTED_STRICTEST",))],
)
def test_a_decision_says_that_the_strictest_law_was_taken_where_no_place_is_known(
    country: str | None, notes: tuple[str, ...]
) -> None:
    world = ann(EventKind.GRANT, country=country)
    typed, _ = no_by_row_and_box(world)
    assert typed.notes == notes


@pytest.mark.parametrize(
    ("use", "ledger_class", "word", "gates"),
    [
        (NEWS_BY_EMAIL, LedgerClass.L2, "GIVEN", ()),
        (NEWS_BY_CALL, LedgerClass.L4, "STOPPED", ("DENY_CHANNEL_OPT_OUT", "DENY_NOT_ESTABLISHED")),
        (NEWS_BY_POST, LedgerClass.L1, "UNKNOWN", ("DENY_NOT_ESTABLISHED",)),
    ],
)
def test_of_a_use_of_which_nothing_is_new_it_is_written_down_how_it_stands(
    use: Use, ledger_class: LedgerClass, word: str, gates: tuple[str, ...]
) -> None:
    world = ann(EventKind.GRANT)
    world.tell(EventKind.STOP_CHANNEL, a_use("*", "LIVE_CALL"))
    world.settle()
    world.edit(ANN)
    (quiet,) = [each for each in world.plan(salt="9").decisions if each.use == use]
    assert quiet == Decision(
        id=decision_id("9", ANN, use, Situation.S02_OWN_ECHO),
        subject_id=subject_id(1),
        contact_id=ANN,
        source_actor=REP,
        source_stamp=world.contacts[ANN].modstamp,
        situation=Situation.S02_OWN_ECHO,
        reason="NOOP_OWN_ECHO",
        effect="KEEP",
        severity="DEBUG",
        queue=None,
        ledger_class=ledger_class,
        row_id=None,
        use=use,
        basis="CONSENT",
        status_before=word,
        status_after=word,
        observed={},
        gates_failed=gates,
        event_ids=(),
        candidate_id=None,
        explanation="Salesforce shows what we wrote.",
    )


@pytest.mark.parametrize(
    ("of", "ledger_class"), [(a_use("direct_marketing"), "L6"), (a_use("product_research"), "L2")]
)
def test_what_is_restricted_stands_as_that_though_nothing_is_new(
    of: Use, ledger_class: str
) -> None:
    world = ann(EventKind.GRANT)
    record = world.records[subject_id(1)]
    restricted = Condition(
        id="fact-1",
        subject_id=record.subject_id,
        kind=ConditionKind.RESTRICTION,
        ref="letter 7",
        valid_from=world.at - timedelta(days=1),
        purpose=of.purpose,
    )
    world.records[subject_id(1)] = replace(record, conditions=(*record.conditions, restricted))
    world.settle()
    world.edit(ANN)
    quiet = {each.use: each for each in world.plan().decisions}[NEWS_BY_EMAIL]
    assert (quiet.situation, quiet.ledger_class) == (Situation.S02_OWN_ECHO, ledger_class)


def test_of_whoever_was_gone_for_good_before_nobody_is_said_to_have_changed_anything() -> None:
    world = ann(EventKind.GRANT)
    world.purge(ANN)
    world.cycle()
    quiet = world.plan().decisions
    assert {each.use for each in quiet} == set(world.policy.uses)
    assert {(each.source_actor, each.source_stamp) for each in quiet} == {(None, None)}


def test_that_the_record_of_an_erased_person_is_still_there_waits_for_somebody() -> None:
    world = ann(EventKind.GRANT)
    nothing = replace(world.records[subject_id(1)], erased=True, permissions={}, points=())
    world.records[subject_id(1)] = nothing
    world.settle()
    quiet = world.plan().decisions
    assert {(each.reason, each.queue) for each in quiet} == {
        ("ERASED_RECORD_STILL_PRESENT", "DPO, ageing")
    }


def test_a_quiet_decision_too_says_that_the_strictest_law_was_taken_where_no_place_is_known() -> (
    None
):
    world = ann(EventKind.GRANT, country=None)
    notes = {each.use: each.notes for each in world.plan().decisions}
    assert notes[NEWS_BY_EMAIL] == ("JURISDICTION_DEFAULTED_STRICTEST",)


def test_of_settled_people_of_one_kind_only_the_first_is_judged() -> None:
    world = settled("yes", "yes and no")
    judged: list[Dossier] = []
    policy, at = world.policy, world.at
    silences = Silences(policy=policy, at=at, one_by_one=False)

    def judge(dossier: Dossier) -> Sheet:
        judged.append(dossier)
        alone, bench = Sheet(), lay_out(dossier, org_id=ORG, policy=policy, at=at)
        put_down(alone, dossier, bench, recognise(bench), revision=7, salt="1", silences=silences)
        return alone

    roll_call, sheet = RollCall(judge, salt="1"), Sheet()
    everybody = world.dossiers()
    for dossier in everybody:
        roll_call.answer(dossier, kind_of(dossier, policy=policy, at=at), sheet)
    assert judged == [everybody[0], everybody[MEMBERS]]
    alone = [judge(each) for each in everybody]
    assert sheet.decisions == [each for one in alone for each in one.decisions]
