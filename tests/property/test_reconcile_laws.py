"""The laws of reconciliation: what no plan can do, however strange both sides are."""

import random
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

from salesforce_bridge.permissions.bundle import SurgeRule
from salesforce_bridge.permissions.contact_points import ContactPoint
from salesforce_bridge.permissions.events import GRANTS, STOPS, EventKind, in_fold_order
from salesforce_bridge.permissions.evidence import Grade, Trust
from salesforce_bridge.permissions.fold import FoldedSubject, fold
from salesforce_bridge.permissions.gates import Answer, Verdict, may_use
from salesforce_bridge.permissions.keys import ContactId, RowId, SubjectId, Use
from salesforce_bridge.permissions.policy import Policy
from salesforce_bridge.permissions.rights import CaseKind
from salesforce_bridge.permissions.states import VALID, State
from salesforce_bridge.permissions.stops import covers, stands
from salesforce_bridge.reconcile.classes import (
    LedgerClass,
    class_of,
    is_marketing,
    is_stopped,
)
from salesforce_bridge.reconcile.contact_edits import FLAG_FIELDS, channels_of
from salesforce_bridge.reconcile.dossiers import orphans
from salesforce_bridge.reconcile.facts import (
    ACTIVE,
    AMBIGUOUS,
    LIVE_LINKS,
    MERGED_INTO,
    ContactSnapshot,
    Link,
    SubjectRecord,
)
from salesforce_bridge.reconcile.findings import Situation
from salesforce_bridge.reconcile.intent import Circuit, Lane, Plan, Target, Write
from salesforce_bridge.reconcile.joins import Merge, join
from salesforce_bridge.reconcile.objections import is_told
from salesforce_bridge.reconcile.plan import make_plan, stops_only
from salesforce_bridge.reconcile.reasons import Effect, Severity
from salesforce_bridge.reconcile.rights_flags import rights_asked
from salesforce_bridge.reconcile.row_edits import is_known, uses_of
from salesforce_bridge.reconcile.situations import own_stop_at
from salesforce_bridge.reconcile.words import STOP_REQUESTS, Request, Status
from tests.property.small_worlds import (
    ADDRESSES,
    KNOWN,
    MARKETING,
    histories,
    surging_worlds,
    worlds,
)
from tests.unit.permissions.examples import POLICY
from tests.unit.reconcile.worlds import (
    EVERYTHING,
    NEWS_BY_POST,
    NOON,
    ORG,
    World,
    a_contact,
    a_point,
    a_record,
    a_use,
    an_event,
    contact_id,
    folded_of,
    subject_id,
)

laws = settings(
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
)

QUIET = frozenset(
    {
        "ERASED_RECORD_STILL_PRESENT",  # reported as long as it is there
        "NOOP_DELETED_UNLINKED",  # nobody we know, gone
        "PERM_ORPHAN_REPORTED",  # reported as long as it is there
    }
)


def quiet(world: World) -> None:
    """Nothing is left to do, and nobody is told anything new."""
    plan = world.plan()
    assert plan.writes == ()
    assert plan.events == ()
    assert plan.links == ()
    assert plan.points == ()
    assert plan.jurisdictions == ()
    assert plan.candidates == ()
    assert plan.conditions == ()
    assert plan.cases == ()
    assert plan.suppressions == ()
    assert plan.due == ()
    assert plan.judged_anew == ()
    # Closing the link of a candidate that is gone would forget that nobody has confirmed it.
    doubted = {each.contact_id for each in world.links.values() if each.state == AMBIGUOUS}
    loud = [
        each
        for each in plan.decisions
        if each.severity != Severity.DEBUG
        and each.reason not in QUIET
        and not (each.situation == Situation.S17_CONTACT_PURGED and each.contact_id in doubted)
    ]
    assert [(each.contact_id, each.use, each.reason) for each in loud] == []


@laws
@given(worlds())
def test_applying_a_plan_leaves_nothing_to_do(world: World) -> None:
    after = world.copy()
    after.cycle()
    quiet(after)


@laws
@given(worlds(), st.integers(0, 2**32))
def test_the_order_in_which_facts_arrive_does_not_change_the_digest(
    world: World, seed: int
) -> None:
    shuffled = world.copy()
    order = random.Random(seed)
    for name in ("contacts", "rows", "contact_mirrors", "row_mirrors", "links", "records"):
        facts = list(getattr(world, name).items())
        order.shuffle(facts)
        setattr(shuffled, name, dict(facts))
    assert shuffled.plan() == world.plan()


@laws
@given(worlds(), st.integers(0, 2**32))
def test_the_order_in_which_dossiers_arrive_does_not_change_the_digest(
    world: World, seed: int
) -> None:
    dossiers = list(world.dossiers())
    random.Random(seed).shuffle(dossiers)
    plan = make_plan(
        dossiers,
        orphans=orphans(world.sight()),
        org_id=ORG,
        policy=world.policy,
        at=NOON,
        revision=7,
        salt="1",
        earlier=world.earlier,
        circuit=world.circuit,
    )
    assert plan.digest == world.plan().digest
    assert (plan.decisions, plan.writes) == (world.plan().decisions, world.plan().writes)


@laws
@given(worlds())
def test_everything_read_gets_one_decision_for_each_use_and_situation(world: World) -> None:
    plan = world.plan()
    found = [(each.contact_id, each.use, each.situation) for each in plan.decisions]
    of_contacts = [each for each in found if each[0]]
    assert len(of_contacts) == len(set(of_contacts))
    decided = {(contact, use) for contact, use, _ in found}
    for contact in (*world.contacts, *world.purged):
        for use in MARKETING:
            assert (contact, use) in decided
    named = {each.row_id for each in plan.decisions}
    for row in orphans(world.sight()):
        assert row.row_id in named


@laws
@given(worlds())
def test_whatever_is_recorded_is_about_somebody_the_ledger_knows_or_meets(world: World) -> None:
    plan = world.plan()
    known = world.records.keys() | {each.subject_id for each in plan.subjects}
    told: tuple[tuple[Any, ...], ...] = (plan.events, plan.candidates, plan.links, plan.points)
    assert {each.subject_id for facts in told for each in facts} <= known
    assert {each.subject_id for each in plan.subjects}.isdisjoint(world.records)
    made = {each.id for each in plan.events}
    assert len(made) == len(plan.events)
    assert {each for decision in plan.decisions for each in decision.event_ids} <= made
    assert len({each.id for each in plan.writes}) == len(plan.writes)
    assert {each.decision_id for each in plan.writes} <= {each.id for each in plan.decisions}


def after(world: World) -> Mapping[SubjectId, SubjectRecord]:
    """What the ledger holds once a plan is recorded, whatever Salesforce answers; of strangers, nothing."""
    told = world.copy()
    told.apply(replace(world.plan(), writes=()))
    strangers = {each: a_record(subject_id=each) for each in owners_of(world).values()}
    return strangers | told.known()


def no_longer_permits(record: SubjectRecord, use: Use, policy: Policy) -> bool:
    """A no about a use: it is stopped or challenged, or, where the law gives no such right, all marketing is."""
    if is_stopped(record, use, policy=policy, at=NOON):
        return True
    permission = record.permissions.get(use)
    if permission is not None and permission.state in {State.CHALLENGED, State.ERASED}:
        return True
    marketing = is_marketing(record, use, policy=policy)
    return not marketing and all(
        is_stopped(record, each, policy=policy, at=NOON) for each in MARKETING
    )


def owners_of(world: World) -> Mapping[ContactId, SubjectId]:
    """Whose each Contact is, as the plan says."""
    return {each.contact_id: each.subject_id for each in world.plan().decisions}


@laws
@given(worlds())
def test_every_request_to_stop_is_in_the_ledger_afterwards(world: World) -> None:
    records, owners = after(world), owners_of(world)
    for dossier in world.dossiers():
        for case in dossier.cases:
            record = records[owners[case.contact_id]]
            before = world.records.get(record.subject_id)
            for row in case.rows:
                seen, mirror = row.seen, row.mirror
                if seen.request not in STOP_REQUESTS:
                    continue
                if mirror is not None and mirror.deleted and mirror.request == seen.request:
                    continue  # it was judged when it went, and nobody types on what is gone
                for use in uses_of(row, policy=world.policy):
                    heard = (
                        before is not None
                        and mirror is not None
                        and mirror.request == seen.request
                        and is_told(
                            before,
                            use,
                            objects=seen.request == Request.OBJECTS,
                            policy=world.policy,
                            at=NOON,
                        )
                    )
                    about = MARKETING if use.purpose == "*" else (use,)
                    assert heard or all(
                        no_longer_permits(record, each, world.policy) for each in about
                    )


@laws
@given(worlds())
def test_every_status_that_is_newly_stopped_is_a_stop_in_the_ledger_afterwards(
    world: World,
) -> None:
    records, owners = after(world), owners_of(world)
    for dossier in world.dossiers():
        for case in dossier.cases:
            record = records[owners[case.contact_id]]
            for row in case.rows:
                was = row.mirror.fields.consent_status if row.mirror is not None else None
                if row.seen.fields.consent_status == Status.STOPPED != was:
                    for use in uses_of(row, policy=world.policy):
                        about = MARKETING if use.purpose == "*" else (use,)
                        assert all(no_longer_permits(record, each, world.policy) for each in about)
            if case.seen is not None and not case.seen.deleted:
                was = case.mirror.fields.consent_status if case.mirror is not None else None
                if case.seen.fields.consent_status == Status.STOPPED != was:
                    assert all(no_longer_permits(record, each, world.policy) for each in MARKETING)


@laws
@given(worlds())
def test_every_newly_ticked_flag_is_a_stop_in_the_ledger_afterwards(world: World) -> None:
    records, owners = after(world), owners_of(world)
    for contact in world.contacts.values():
        mirror = world.contact_mirrors.get(contact.contact_id)
        record = records[owners[contact.contact_id]]
        for name, flag in FLAG_FIELDS.items():
            if getattr(contact, name) and not (mirror is not None and getattr(mirror, name)):
                for channel in channels_of(flag, world.policy):
                    closed = a_use(channel=channel)
                    assert is_stopped(record, closed, policy=world.policy, at=world.at)


def answer_for(
    record: SubjectRecord, contact: ContactSnapshot, link: Link, use: Use, policy: Policy
) -> Answer:
    return may_use(
        record,
        use,
        policy=policy,
        at=NOON,
        category=policy.purposes[use.purpose].category,
        link_state=link.state,
        points=contact.points + contact.older,
    )


def shown(world: World, plan: Plan) -> Iterable[tuple[ContactId, Use]]:
    """What Salesforce shows as permitted once a plan is written: rows by what they are about."""
    done = world.copy()
    done.apply(plan)
    for dossier in done.dossiers():
        for case in dossier.cases:
            link = done.links.get(case.contact_id)
            if (
                case.seen is None
                or case.seen.deleted
                or link is None
                or link.state not in LIVE_LINKS
            ):
                continue
            for row in case.rows:
                if row.seen.deleted:
                    continue
                (use, *_) = uses_of(row, policy=world.policy)
                if row.seen.fields.consent_status == Status.PERMITTED and is_known(
                    use, world.policy
                ):
                    yield case.contact_id, use


@laws
@given(worlds())
def test_what_salesforce_shows_is_never_more_permissive_than_the_gates(world: World) -> None:
    done = world.copy()
    plan = world.plan()
    done.apply(plan)
    for contact, use in shown(world, plan):
        link = done.links[contact]
        answer = answer_for(
            done.records[link.subject_id], done.contacts[contact], link, use, done.policy
        )
        assert answer.verdict is Verdict.ALLOW
        assert link.state == ACTIVE
    for seen in done.contacts.values():
        status = seen.fields.consent_status
        linked = done.links.get(seen.contact_id)
        if seen.deleted or linked is None or linked.state not in LIVE_LINKS:
            continue
        record = done.records[linked.subject_id]
        verdicts = {answer_for(record, seen, linked, use, done.policy).verdict for use in MARKETING}
        if status == Status.PERMITTED:
            assert verdicts == {Verdict.ALLOW}
        if status == Status.PARTLY_PERMITTED:
            assert Verdict.ALLOW in verdicts


def proven(world: World, plan: Plan) -> set[tuple[SubjectId, Use]]:
    """Whose yes to what the plan takes because a machine has checked its proof."""
    taken = {each for d in plan.decisions if d.situation[:3] in PROOFS for each in d.event_ids}
    _ = world
    return {(each.subject_id, each.use) for each in plan.events if each.id in taken}


PROOFS = {"S05", "S06"}


@laws
@given(worlds())
def test_nothing_but_a_proof_raises_and_only_where_nobody_said_no(world: World) -> None:
    for decision in world.plan().decisions:
        if decision.effect == Effect.RAISE:
            assert decision.situation[:3] in PROOFS
            assert decision.ledger_class in {"L1", "L2", "L5"}


@laws
@given(worlds())
def test_no_edit_in_salesforce_makes_anything_permitted_but_a_proof(world: World) -> None:
    """Else only what the ledger itself held about this person, or about one merged into them, is shown."""
    plan = world.plan()
    merged = {each.contact_id: each for each in plan.links if each.state == MERGED_INTO}
    said = proven(world, plan)
    for contact, use in shown(world, plan):
        owner = owners_of(world)[contact]
        people = {owner} | {
            each.subject_id for each in merged.values() if world.contacts[each.contact_id].master_id
        }
        held = [
            world.records[each].permissions.get(use) for each in people if each in world.records
        ]
        assert any((each, use) in said for each in people) or any(
            each is not None and each.state in VALID for each in held
        )


@laws
@given(worlds())
def test_a_candidate_stays_one_until_a_person_confirms_it(world: World) -> None:
    for link in world.plan().links:
        before = world.links.get(link.contact_id)
        if before is not None and before.state == AMBIGUOUS:
            assert link.state == AMBIGUOUS


@laws
@given(worlds())
def test_no_event_of_a_plan_permits_anything_but_a_proof_and_what_a_merge_carries(
    world: World,
) -> None:
    plan = world.plan()
    merged = {each.contact_id for each in plan.links if each.merged_into is not None}
    said = proven(world, plan)
    for event in plan.events:
        if (event.subject_id, event.use) in said and event.kind in {
            EventKind.GRANT,
            EventKind.RENEW,
        }:
            assert event.evidence_ref is not None
            assert event.evidence_ref.startswith("token:") or event.source_record in merged
        elif event.kind in {EventKind.GRANT, EventKind.ESTABLISH}:
            assert event.source_record in merged
        else:
            assert event.kind not in {
                EventKind.RENEW,
                EventKind.LIFT,
                EventKind.OVERRIDE,
                EventKind.RELEASE,
                EventKind.CORRECT,
            }


@laws
@given(worlds())
def test_no_plan_lifts_a_stop(world: World) -> None:
    records = after(world)
    for whose, before in world.records.items():
        for use in KNOWN:
            if is_stopped(before, use, policy=world.policy, at=world.at):
                erased = records[whose].permissions.get(use)
                assert is_stopped(records[whose], use, policy=world.policy, at=world.at) or (
                    erased is not None and erased.state is State.ERASED
                )


@laws
@given(worlds())
def test_a_held_use_is_not_shown_as_permitted(world: World) -> None:
    records = after(world)
    owners = owners_of(world)
    for contact, use in shown(world, world.plan()):
        record = records[owners[contact]]
        assert record.hold is None
        assert record.permissions[use].held is None


@laws
@given(worlds())
def test_what_is_shown_is_what_folding_the_events_in_their_order_gives(world: World) -> None:
    """The ledger folds a plan's events by itself; nothing was written that it would not say too."""
    plan = world.plan()
    assert plan.events == tuple(
        event
        for whose in dict.fromkeys(_dossier_of(world, event.subject_id) for event in plan.events)
        for event in in_fold_order(
            each for each in plan.events if _dossier_of(world, each.subject_id) == whose
        )
    )
    done = world.copy()
    done.apply(plan)
    again = done.plan()
    assert again.writes == ()


def _dossier_of(world: World, whose: SubjectId) -> int:
    """Give the place of the dossier that a person is judged in."""
    contacts_of = {each.contact_id for each in world.plan().decisions if each.subject_id == whose}
    for place, dossier in enumerate(world.dossiers()):
        if any(case.contact_id in contacts_of for case in dossier.cases) or any(
            record.subject_id == whose for record in dossier.subjects
        ):
            return place
    raise AssertionError(whose)


@laws
@given(histories(subject_id(1)), histories(subject_id(2)))
def test_a_stop_that_was_carried_does_not_travel_on(
    of_ann: FoldedSubject, of_bob: FoldedSubject
) -> None:
    """Ann shares an address with Bob and Bob another with Cid: only what Bob said himself reaches Cid."""
    world = World()
    for number, addresses in ((1, ADDRESSES[:1]), (2, ADDRESSES[:2]), (3, ADDRESSES[1:2])):
        points = tuple(sorted(map(a_point, addresses)))
        world.contacts[contact_id(number)] = a_contact(number, points=points)
        world.link(number, subject=number)
    for number, past in ((1, of_ann), (2, of_bob)):
        record = world.records[subject_id(number)]
        world.records[subject_id(number)] = replace(
            record, permissions=past.permissions, stops=past.stops, hold=past.hold
        )
    bob = world.records[subject_id(2)]
    for _ in range(3):
        for event in world.cycle().events:
            if event.reason == "DUPLICATE_STOP_PROPAGATED" and event.subject_id == subject_id(3):
                assert own_stop_at(bob, event.use, policy=world.policy) is not None


@laws
@given(worlds(), st.integers(0, 10_000), st.text(max_size=5))
def test_the_digest_knows_neither_the_cycle_nor_the_revision(
    world: World, revision: int, salt: str
) -> None:
    assert world.plan(revision=revision, salt=salt).digest == world.plan().digest


@laws
@given(worlds(), st.integers(0, 59))
def test_the_digest_does_not_know_the_moment_while_nothing_falls_due(
    world: World, minutes: int
) -> None:
    """All moments of these worlds are whole hours, so nothing falls due within one."""
    late = NOON + timedelta(minutes=31)
    later = late + timedelta(minutes=minutes % 29)
    assert world.plan(at=later).digest == world.plan(at=late).digest


@laws
@given(worlds())
def test_keeping_only_stops_keeps_all_of_them_and_nothing_else(world: World) -> None:
    plan = world.plan()
    kept = stops_only(plan)
    assert all(each.lane is Lane.STOP for each in kept.writes)
    assert set(map(id, kept.writes)) == {id(each) for each in plan.writes if each.lane is Lane.STOP}
    assert replace(kept, writes=plan.writes) == plan
    for write in plan.writes:
        if write.fields.get("consent_status") == Status.STOPPED or any(
            write.fields.get(name) is True for name in FLAG_FIELDS
        ):
            assert write.lane is Lane.STOP


@laws
@given(worlds())
def test_what_says_no_never_travels_with_what_permits(world: World) -> None:
    for write in stops_only(world.plan()).writes:
        now = _status_now(world, write)
        if write.fields.get("consent_status") == Status.PERMITTED:
            pytest.fail("a stop that permits")
        if write.fields.get("consent_status") == Status.PARTLY_PERMITTED:
            assert now == Status.PERMITTED


def _status_now(world: World, write: Write) -> str | None:
    if write.target is Target.CONTACT:
        return world.contacts[write.contact_id].fields.consent_status
    known = world.rows.get(RowId(write.record_id or ""))
    return known.fields.consent_status if known is not None else None


@laws
@given(worlds())
def test_rows_are_opened_before_their_contact_and_stops_go_first(world: World) -> None:
    plan = world.plan()
    assert [each.lane for each in plan.writes] == sorted(each.lane for each in plan.writes)
    for write in plan.writes:
        opens = write.fields.get("consent_status") == Status.PERMITTED
        if opens and _status_now(world, write) != Status.PERMITTED:
            contact = write.target is Target.CONTACT
            assert write.lane is (Lane.LOOSEN_CONTACT if contact else Lane.LOOSEN_ROWS)


@laws
@given(worlds())
def test_requests_are_cleared_naming_what_they_were_and_with_the_answer(world: World) -> None:
    for write in world.plan().writes:
        if "request" in write.fields:
            assert write.fields["request"] is None
            row = world.rows[RowId(write.record_id or "")]
            assert write.fields["request_handled"] == row.request
            assert row.request in {each.value for each in Request}


@laws
@given(worlds())
def test_nothing_is_written_to_what_is_gone_or_nobodys(world: World) -> None:
    done = world.copy()
    done.apply(world.plan())
    for write in world.plan().writes:
        contact = world.contacts[write.contact_id]
        assert not contact.deleted
        assert done.links[write.contact_id].state in LIVE_LINKS


@laws
@given(worlds())
def test_every_right_that_is_newly_claimed_is_honoured_at_once_and_gets_a_case(
    world: World,
) -> None:
    records, owners = after(world), owners_of(world)
    cases = {(each.subject_id, each.kind) for each in world.plan().cases}
    for contact in world.contacts.values():
        record = records[owners[contact.contact_id]]
        before = world.records.get(record.subject_id)
        open_before = {each.kind for each in before.cases} if before is not None else set()
        for right in rights_asked(world.contact_mirrors.get(contact.contact_id), contact):
            kind, is_honoured = HONOURED[right]
            forgotten = any(
                class_of(record, each, policy=world.policy, at=NOON) is LedgerClass.L7
                for each in KNOWN
            )
            if contact.deleted or forgotten:
                continue
            assert kind in open_before or (record.subject_id, kind) in cases
            assert all(is_honoured(record, each, world.policy) for each in MARKETING)


def _is_silent(record: SubjectRecord, use: Use, policy: Policy) -> bool:
    return is_stopped(record, use, policy=policy, at=NOON)


def _is_limited(record: SubjectRecord, use: Use, policy: Policy) -> bool:
    found = class_of(record, use, policy=policy, at=NOON)
    return found in {LedgerClass.L4, LedgerClass.L6, LedgerClass.L7}


def _anything(record: SubjectRecord, use: Use, policy: Policy) -> bool:
    _ = record, use, policy
    return True


HONOURED = {
    "should_forget": (CaseKind.ERASURE, _is_silent),
    "opted_out_processing": (CaseKind.RESTRICTION, _is_limited),
    "opted_out_solicit": (CaseKind.MARKETING_OBJECTION, _is_silent),
    "opted_out_profiling": (CaseKind.PROFILING_OBJECTION, _anything),
    "opted_out_tracking": (CaseKind.PROFILING_OBJECTION, _anything),
    "opted_out_geo_tracking": (CaseKind.PROFILING_OBJECTION, _anything),
    "wants_a_copy": (CaseKind.PORTABILITY, _anything),
}


@laws
@given(worlds())
def test_the_ledger_knows_of_every_use_when_the_clock_next_has_something_to_do(
    world: World,
) -> None:
    world.apply(world.plan())
    for record in world.known().values():
        if any(each.subject_id == record.subject_id for each in world.plan().due):
            pytest.fail("the index of what is due was left behind")
        assert all(due is not None for due in record.due.values())


@laws
@given(worlds())
def test_nobody_erased_gets_anything_but_silence(world: World) -> None:
    erased = {whose for whose, record in world.records.items() if record.erased}
    plan = world.plan()
    assert not any(each.subject_id in erased for each in plan.points)
    assert not any(each.subject_id in erased for each in plan.candidates)
    assert not any(each.subject_id in erased for each in plan.jurisdictions)
    done = world.copy()
    done.apply(plan)
    for contact in done.contacts.values():
        link = done.links.get(contact.contact_id)
        if link is None or link.state not in LIVE_LINKS or contact.deleted:
            continue
        if link.subject_id in erased:
            assert contact.fields.consent_status == Status.STOPPED
            assert all(getattr(contact, name) for name in FLAG_FIELDS)


@laws
@given(worlds())
def test_no_suppression_is_taken_back(world: World) -> None:
    places = {(each.hmac, each.scope, each.after_erasure): each for each in world.suppressions}
    for new in world.plan().suppressions:
        old = places.get((new.hmac, new.scope, new.after_erasure))
        assert old is None or new.since >= old.since


@laws
@given(surging_worlds())
def test_what_waits_for_a_person_is_neither_told_nor_forgotten(world: World) -> None:
    plan = world.plan()
    waiting = {
        each.row_id or each.contact_id
        for each in plan.decisions
        if each.situation == Situation.S26_MASS_CHANGE
    }
    assert bool(plan.parked) == bool(waiting)
    assert waiting <= plan.parked
    assert plan.parked.isdisjoint(each.source_record for each in plan.candidates)
    widened = {each.source_record for each in plan.events if each.kind in GRANTS}
    assert plan.parked.isdisjoint(widened)
    assert plan.opens_circuit is None or plan.parked
    if plan.parked:
        world.apply(plan)
        world.circuit = replace(world.circuit, is_open=True)
        again = world.plan()
        assert again.parked <= plan.parked
        # Only a stop may be written over an edit that waits.
        stopped = {each.record_id for each in stops_only(plan).writes}
        assert plan.parked - again.parked <= stopped


@laws
@given(surging_worlds())
def test_what_a_person_let_through_is_judged_and_then_there_is_peace(world: World) -> None:
    world.cycle()
    world.circuit = Circuit(closed_at=world.at)
    world.cycle()
    quiet(world)


@laws
@given(surging_worlds())
def test_a_mass_change_holds_no_stop_back(world: World) -> None:
    calm = world.copy()
    calm.policy, calm.circuit = replace(world.policy, surge=SurgeRule()), Circuit()
    stops = {each.id for each in calm.plan().events if each.kind in STOPS}
    assert stops <= {each.id for each in world.plan().events}


@laws
@given(worlds())
def test_a_new_key_for_fingerprints_changes_nothing(world: World) -> None:
    known = [each.points for each in (*world.contacts.values(), *world.contact_mirrors.values())]
    assume(all(each.key_version == 1 for points in known for each in points))
    assume(not any(each.hmac.endswith("-2") for each in world.suppressions))
    world.cycle()
    world.cycle()
    for contact in tuple(world.contacts.values()):
        if contact.deleted:
            continue
        points = tuple(sorted(each._replace(**_rekeyed(each)) for each in contact.points))
        world.edit(contact.contact_id, points=points, older=contact.points)
    plan = world.plan()
    assert plan.events == ()
    assert plan.writes == ()
    world.apply(plan)
    quiet(world)


def _rekeyed(point: ContactPoint) -> dict[str, Any]:
    wide = f"{point.hmac[:-1]}2"
    return {"hmac": wide, "exact": f"{wide}-exact", "key_version": 2}


@st.composite
def people(draw: st.DrawFn, number: int) -> SubjectRecord:
    whose = subject_id(number)
    past = draw(histories(whose))
    return a_record(number, permissions=past.permissions, stops=past.stops, hold=past.hold)


def joined(loser: SubjectRecord, winner: SubjectRecord) -> SubjectRecord:
    told = join(
        Merge(
            loser=loser,
            winner=winner,
            contact_id=contact_id(int(loser.subject_id[-1])),
            proven=True,
            merged_at=NOON,
            policy=POLICY,
            at=NOON,
        )
    )
    past = fold(in_fold_order(told), policy=POLICY, onto=folded_of(winner))
    return replace(winner, permissions=past.permissions, stops=past.stops, hold=past.hold)


def tiers(record: SubjectRecord) -> Mapping[Use, int]:
    """How restrictive a person's uses are, wide stops and holds included."""
    order = {"L7": 5, "L4": 4, "L6": 3, "L2": 2, "L3a": 2, "L3b": 2, "L5": 1, "L1": 0}
    return {use: order[class_of(record, use, policy=POLICY, at=NOON)] for use in KNOWN}


def lifts(one: SubjectRecord, use: Use) -> bool:
    """Say whether a person's own yes lifted a stop of their own that is wider than the use."""
    permission = one.permissions.get(use)
    marketing = is_marketing(one, use, policy=POLICY)
    return permission is not None and any(
        covers(stop, use, marketing=marketing) and not stands(stop, permission.lifted_at)
        for stop in one.stops
    )


def agree(one: SubjectRecord, other: SubjectRecord, *people: SubjectRecord) -> None:
    """Two ways of merging come to the same, use by use, with one exception, on the side of the no.

    A wide stop is told as one stop, and that somebody lifted it for a single use is only known by the yes
    they said then. Where the other side holds a later yes of its own that came through somebody else, the
    earlier one is refused as superseded (a yes folds once, in its order), so the lift cannot be told along;
    and no rule lets a merge lift anything. There the stop stands until a person has looked.
    """
    for use, tier, other_tier in ((use, tiers(one)[use], tiers(other)[use]) for use in KNOWN):
        if tier != other_tier:
            assert max(tier, other_tier) == STOPPED_TIER
            assert any(lifts(each, use) for each in people)


STOPPED_TIER = 4


@laws
@given(people(1), people(2))
def test_it_does_not_matter_who_is_merged_into_whom(
    one: SubjectRecord, other: SubjectRecord
) -> None:
    agree(joined(one, other), joined(other, one), one, other)


@laws
@given(people(1), people(2), people(3))
def test_it_does_not_matter_which_merge_comes_first(
    one: SubjectRecord, other: SubjectRecord, third: SubjectRecord
) -> None:
    first, last = joined(joined(one, other), third), joined(one, joined(other, third))
    agree(first, last, one, other, third)


def test_a_lift_that_cannot_be_told_along_leaves_the_stop_standing() -> None:
    """The one exception of `agree`, in the smallest case."""
    said = fold(
        [
            an_event(subject_id(1), EventKind.STOP_MARKETING, EVERYTHING, at(-5)),
            an_event(subject_id(1), EventKind.GRANT, NEWS_BY_POST, at(-4)),
        ],
        policy=POLICY,
    )
    relayed = fold(
        [
            an_event(
                subject_id(2),
                EventKind.GRANT,
                NEWS_BY_POST,
                at(-3),
                trust=Trust.VERIFIED_RELAY,
                grade=Grade.B,
            )
        ],
        policy=POLICY,
    )
    one = a_record(1, permissions=said.permissions, stops=said.stops)
    other = a_record(2, permissions=relayed.permissions)
    assert tiers(joined(one, other))[NEWS_BY_POST] == STOPPED_TIER
    assert tiers(joined(other, one))[NEWS_BY_POST] == 2


def at(hours: int) -> datetime:
    return NOON + timedelta(hours=hours)


@laws
@given(people(1))
def test_merging_with_somebody_of_the_same_history_changes_nothing(one: SubjectRecord) -> None:
    twin = replace(one, subject_id=subject_id(2))
    assert tiers(joined(twin, one)) == tiers(one)


@laws
@given(people(1), people(2))
def test_a_merge_keeps_every_stop_of_both(one: SubjectRecord, other: SubjectRecord) -> None:
    result = joined(one, other)
    for use in KNOWN:
        if any(is_stopped(each, use, policy=POLICY, at=NOON) for each in (one, other)):
            assert tiers(result)[use] >= 4
