"""The first reading of an org, and everyone's second judgement under a new policy."""

from dataclasses import replace
from datetime import timedelta
from functools import partial

from salesforce_bridge.cycle import foresee, run_cycle
from salesforce_bridge.ledger.store import Backfill, Ledger
from salesforce_bridge.permissions.events import ActorKind, EventKind
from salesforce_bridge.permissions.evidence import Trust
from salesforce_bridge.permissions.keys import Channel, ContactId, Use
from tests.integration.cycle.living import CALLS, EMAIL, NEWS, ROW, TICK, Living, living, policy
from tests.integration.cycle.test_costs import crowd
from tests.support.orgs import RunningOrg

CHUNK = 5


def born_opted_out(bridge: Living, number: int) -> list[str]:
    """People who said no before the bridge ever looked."""
    born = {"HasOptedOutOfEmail": True, "DoNotCall": True, "HasOptedOutOfFax": True}
    return bridge.director.load(
        "Contact",
        [
            {"LastName": f"Person {each}", "Email": f"born{each}@example.org", **born}
            for each in range(number)
        ],
    )


def test_everybody_born_opted_out_is_a_stop_after_the_first_cycle(
    bridge_on_either: Living,
) -> None:
    bridge = bridge_on_either
    people = born_opted_out(bridge, 40)
    bridge.cycle()
    for each in people:
        assert bridge.is_stopped(each, EMAIL)
        assert bridge.is_stopped(each, CALLS)
        assert bridge.is_stopped(each, Use(purpose=NEWS, channel=Channel("FAX")))
    rows = bridge.director.query(
        f"SELECT Consent_Status__c, May_Contact__c FROM {ROW} WHERE Channel__c = 'EMAIL'"
    )
    assert len(rows) == 40
    assert {(row["Consent_Status__c"], row["May_Contact__c"]) for row in rows} == {
        ("Stopped", "Do not")
    }


def test_an_imported_grant_does_not_lift_what_somebody_was_born_with(bridge: Living) -> None:
    (contact_id,) = born_opted_out(bridge, 1)
    bridge.settle()
    for trust in (Trust.CONTROLLER_CONTROLLED, Trust.VERIFIED_RELAY, Trust.UNVERIFIED_RELAY):
        bridge.tell(
            contact_id,
            EventKind.GRANT,
            actor=ActorKind.IMPORT,
            trust=trust,
            happened_at=bridge.director.now(),
        )
        bridge.settle()
        assert bridge.is_stopped(contact_id)
        assert bridge.row(contact_id)["May_Contact__c"] == "Do not"
        assert bridge.contact(contact_id)["HasOptedOutOfEmail"] is True
    # A grant that is older than the stop does not lift it either, whoever told it.
    bridge.tell(contact_id, EventKind.GRANT, happened_at=bridge.director.now() - timedelta(days=30))
    bridge.settle()
    assert bridge.is_stopped(contact_id)


def test_a_backfill_judges_everybody_once(org: RunningOrg, ledger: Ledger) -> None:
    with living(org, ledger, chunk=CHUNK) as bridge:
        people = crowd(bridge, 4 * CHUNK + 2)
        report = bridge.cycle()
        assert report.backfill is Backfill.COMPLETE
        assert report.clean
        with ledger.reading() as tx:
            known = tx.contacts_page(bridge.world.org_id, after=None, limit=100)
        assert sorted(known) == sorted(people)
        assert bridge.director.count(f"SELECT Id FROM {ROW}") == 3 * len(people)
        assert bridge.settle().writes == {}
        assert bridge.differences() == []
        assert bridge.audit_is_intact()


def test_a_backfill_of_whole_chunks_ends_too(org: RunningOrg, ledger: Ledger) -> None:
    with living(org, ledger, chunk=CHUNK) as bridge:
        crowd(bridge, 2 * CHUNK)
        assert bridge.cycle().backfill is Backfill.COMPLETE


def test_a_stop_typed_in_the_middle_of_a_backfill_is_written_before_the_next_chunk(
    org: RunningOrg, ledger: Ledger
) -> None:
    with living(org, ledger, chunk=CHUNK) as bridge:
        people = crowd(bridge, 4 * CHUNK)
        after = [False]
        seen: list[int] = []

        def go_on() -> bool:
            with ledger.reading() as tx:
                last = tx.last_cycle(bridge.world.org_id)
                known = len(tx.contacts_page(bridge.world.org_id, after=None, limit=100))
            if last is not None and known == CHUNK and not after[0]:
                # The last Contact of all says no, and so does one who has been judged already.
                org.director.rep.update("Contact", people[-1], HasOptedOutOfEmail=True)
                row = bridge.row(people[0], CALLS)
                org.director.rep.update(ROW, row["Id"], Requested_Change__c="Asked us to stop")
                after[0] = True
            elif after[0] and not seen and known > CHUNK:
                # The first moment at which anything else has been recorded since.
                with ledger.reading() as tx:
                    links = tx.links_of(bridge.world.org_id, set(map(_id, people)))
                seen.append(people[-1] in links and bridge.is_stopped(people[-1]))
                seen.append(bridge.is_stopped(people[0], CALLS))
                seen.append(bridge.row(people[0], CALLS)["Consent_Status__c"] == "Stopped")
                seen.append(known)
            return True

        deadline = bridge.world.clock() + timedelta(hours=1)
        report = run_cycle(bridge.world, stops_only=False, deadline=deadline, go_on=go_on)
        assert report.backfill is Backfill.COMPLETE
        assert seen[:3] == [1, 1, 1]
        assert seen[3] <= CHUNK + 1, "only the one who said no was met before the next chunk"
        bridge.settle()
        assert bridge.differences() == []


def _id(contact_id: str) -> ContactId:
    return ContactId(contact_id)


def test_a_backfill_that_was_told_to_end_goes_on_where_it_was(
    org: RunningOrg, ledger: Ledger
) -> None:
    with living(org, ledger, chunk=CHUNK) as bridge:
        people = crowd(bridge, 4 * CHUNK)
        for number in range(1, 5):
            turns = iter([True, False])
            deadline = bridge.world.clock() + timedelta(hours=1)
            report = run_cycle(
                bridge.world,
                stops_only=False,
                deadline=deadline,
                go_on=partial(next, turns, False),
            )
            assert (report.backfill, report.clean) == (Backfill.RUNNING, False)
            with ledger.reading() as tx:
                known = tx.contacts_page(bridge.world.org_id, after=None, limit=100)
            assert len(known) <= number * CHUNK
            bridge.director.advance(TICK)
        bridge.settle()
        with ledger.reading() as tx:
            assert len(tx.contacts_page(bridge.world.org_id, after=None, limit=100)) == len(people)


def test_a_cycle_that_is_told_to_end_leaves_the_rest_to_the_next(
    org: RunningOrg, ledger: Ledger
) -> None:
    with living(org, ledger, chunk=CHUNK) as bridge:
        people = crowd(bridge, 3 * CHUNK)
        bridge.settle()
        for each in people:
            org.director.rep.update("Contact", each, HasOptedOutOfEmail=True)
        bridge.director.advance(TICK)
        turns = iter([True, False])
        report = run_cycle(
            bridge.world,
            stops_only=False,
            deadline=bridge.world.clock() + timedelta(hours=1),
            go_on=partial(next, turns, False),
        )
        assert (report.read, report.behind, report.clean) == (CHUNK, True, False)
        assert sum(bridge.is_stopped(each) for each in people) == CHUNK
        bridge.cycle()
        assert all(bridge.is_stopped(each) for each in people)
        bridge.settle()
        assert bridge.differences() == []
        assert bridge.audit_is_intact()


def test_a_stop_does_not_wait_behind_what_there_was_no_time_for(
    org: RunningOrg, ledger: Ledger
) -> None:
    with living(org, ledger, chunk=CHUNK) as bridge:
        people = crowd(bridge, 4 * CHUNK)
        bridge.settle()
        org.director.restamp("Contact", people)
        last = people[-1]
        org.director.rep.update(ROW, bridge.row(last)["Id"], Requested_Change__c="Asked us to stop")
        bridge.director.advance(TICK)
        turns = iter([True, False])
        report = run_cycle(
            bridge.world,
            stops_only=False,
            deadline=bridge.world.clock() + timedelta(hours=1),
            go_on=partial(next, turns, False),
        )
        assert report.behind
        assert bridge.is_stopped(last)


def test_nobody_is_shown_as_ok_before_everybody_has_been_judged(
    org: RunningOrg, ledger: Ledger
) -> None:
    with living(org, ledger, chunk=CHUNK) as bridge:
        crowd(bridge, 4 * CHUNK)
        turns = iter([True, False])
        run_cycle(
            bridge.world,
            stops_only=False,
            deadline=bridge.world.clock() + timedelta(hours=1),
            go_on=partial(next, turns, False),
        )
        with ledger.reading() as tx:
            assert tx.last_clean_at(bridge.world.org_id) is None


def test_a_new_policy_judges_everybody_again(bridge: Living) -> None:
    people = crowd(bridge, 12)
    bridge.settle()
    bridge.tell(people[0], EventKind.GRANT)
    bridge.settle()
    stricter = replace(bridge.world, policy=policy(request_lapses_after='"29d"'))
    other = Living(org=bridge.org, world=stricter)
    report = other.cycle()
    assert (report.read, dict(report.writes)) == (len(people), {})
    assert other.calls_of() == 1


def test_a_preview_shows_all_chunks_and_changes_nothing(org: RunningOrg, ledger: Ledger) -> None:
    with living(org, ledger, chunk=CHUNK) as bridge:
        people = crowd(bridge, 3 * CHUNK)
        plans = foresee(bridge.world).plans
        assert sum(len(plan.subjects) for plan in plans) == len(people)
        assert bridge.director.count(f"SELECT Id FROM {ROW}") == 0
        with ledger.reading() as tx:
            assert tx.last_cycle(bridge.world.org_id) is None
        assert [plan.digest for plan in plans] == [
            plan.digest for plan in foresee(bridge.world).plans
        ]
        bridge.settle()
        assert not any(plan.writes or plan.events for plan in foresee(bridge.world).plans)


def test_a_preview_shows_what_was_held_back(bridge: Living) -> None:
    contact_id = bridge.meet()
    bridge.settle()
    bridge.tell(contact_id, EventKind.GRANT)
    bridge.cycle(stops_only=True)
    bridge.cycle(stops_only=True)
    assert sum(len(plan.writes) for plan in foresee(bridge.world).plans) == 2


def test_the_polls_between_chunks_read_only_the_last_moments(
    org: RunningOrg, ledger: Ledger
) -> None:
    with living(org, ledger, chunk=CHUNK) as bridge:
        people = crowd(bridge, 6 * CHUNK)
        records = 4 * len(people)  # everybody has three rows

        def go_on() -> bool:
            org.director.advance(10)
            return True

        deadline = bridge.world.clock() + timedelta(hours=1)
        report = run_cycle(bridge.world, stops_only=False, deadline=deadline, go_on=go_on)
        assert report.backfill is Backfill.COMPLETE
        assert report.seen_again < records / 2
        # The whole overlap is read once it is over.
        assert bridge.cycle().seen_again > records / 2
        bridge.settle()
        assert bridge.differences() == []


def test_what_is_committed_late_in_a_backfill_is_found_by_the_next_whole_poll(
    org: RunningOrg, ledger: Ledger
) -> None:
    with living(org, ledger, chunk=CHUNK) as bridge:
        people = crowd(bridge, 6 * CHUNK)
        late: list[str] = []

        def go_on() -> bool:
            org.director.advance(20)
            with ledger.reading() as tx:
                known = tx.contacts_page(bridge.world.org_id, after=None, limit=100)
            if len(known) == 3 * CHUNK and not late:
                # Stamped before the poll that has just been made, and visible only now.
                late.append(people[0])
                org.director.rep.late(25).update("Contact", people[0], HasOptedOutOfEmail=True)
            return True

        deadline = bridge.world.clock() + timedelta(hours=1)
        run_cycle(bridge.world, stops_only=False, deadline=deadline, go_on=go_on)
        assert late == [people[0]]
        bridge.cycle()
        assert bridge.is_stopped(people[0])
