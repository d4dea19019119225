"""Mass changes: counted by author and in total, and what waits once there is one."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from salesforce_bridge.permissions.bundle import SurgeRule
from salesforce_bridge.permissions.keys import RowId
from salesforce_bridge.reconcile.findings import Finding, Situation
from salesforce_bridge.reconcile.intent import Circuit
from salesforce_bridge.reconcile.surges import COUNTED, Parked, edits_of, park, why_open
from tests.unit.reconcile.sightings import POLICY, hours
from tests.unit.reconcile.worlds import NEWS_BY_CALL, NEWS_BY_EMAIL, NOON, contact_id, row_id

REP, LOADER = "005000000000001AAA", "005000000000002AAA"
RULED = replace(POLICY, surge=SurgeRule(floor=3, share=0.5, ceiling=6, bulk_authors=(LOADER,)))
BARE = Situation.S08_CRM_GRANT_BARE


def an_edit(number: int = 1, **said: Any) -> Finding:
    plain: dict[str, Any] = {
        "situation": BARE,
        "contact_id": contact_id(number),
        "use": NEWS_BY_EMAIL,
        "row_id": row_id(number),
        "stamp": hours(-0.5),
        "actor": REP,
    }
    return Finding(**(plain | said))


def edits(count: int, first: int = 1, **said: Any) -> tuple[Finding, ...]:
    return tuple(an_edit(first + number, **said) for number in range(count))


def parked(findings: tuple[Finding, ...], **circuit: Any) -> Parked:
    return park(findings, Circuit(**({"live_rows": 10} | circuit)), RULED, NOON)


def test_a_mass_change_is_what_widens_or_blanks() -> None:
    assert {each.value[:3] for each in COUNTED} == {"S05", "S06", "S07", "S08", "S09", "S10"}


@pytest.mark.parametrize(
    ("count", "rows", "many"),
    [
        (2, 2, False),  # below the floor, whatever the share
        (3, 7, False),  # below the share
        (3, 6, True),
        (3, 0, True),
        (6, 100, False),  # not above the ceiling
        (7, 100, True),
    ],
)
def test_edits_are_many_from_a_floor_on_and_for_a_share_or_above_a_ceiling(
    count: int, rows: int, many: bool
) -> None:
    result = parked(edits(count), live_rows=rows)
    assert (result.opens is not None) is many
    assert result.edits == {REP: count}
    assert len(result.parked) == (count if many else 0)


def test_claims_that_were_there_long_before_anybody_looked_are_no_mass_change() -> None:
    found = edits(7, stamp=hours(-2))
    assert parked(found) == Parked(findings=found)


def test_after_an_outage_the_busiest_window_counts() -> None:
    spread = tuple(an_edit(number, stamp=hours(-2 * number)) for number in range(1, 8))
    assert parked(spread, since=hours(-99)).edits == {REP: 1}
    burst = tuple(an_edit(number, stamp=hours(-20 - number / 10)) for number in range(1, 8))
    assert parked(burst, since=hours(-99)).edits == {REP: 7}
    assert parked(burst, since=hours(-99)).opens is not None


def test_below_the_rule_everything_is_judged_as_it_was_found() -> None:
    found = edits(2)
    assert parked(found) == Parked(findings=found, edits={REP: 2})


def test_what_is_parked_is_one_mass_change_for_each_contact_and_use() -> None:
    twice = (*edits(5), an_edit(1, situation=Situation.S10_CRM_BLANKED, row_id=row_id(9)))
    result = parked((*twice, an_edit(1, use=NEWS_BY_CALL, row_id=None)))
    assert {each.situation for each in result.findings} == {Situation.S26_MASS_CHANGE}
    assert len(result.findings) == 6
    ids = {row_id(number) for number in (1, 2, 3, 4, 5, 9)} | {contact_id(1)}
    assert result.parked == ids


def test_a_record_counts_once_whatever_was_done_to_it() -> None:
    found = (*edits(2), *edits(2, situation=Situation.S10_CRM_BLANKED))
    assert parked(found).edits == {REP: 2}
    of_one_contact = tuple(
        an_edit(1, row_id=None, use=use) for use in (NEWS_BY_EMAIL, NEWS_BY_CALL)
    )
    assert parked(of_one_contact).edits == {REP: 1}


@pytest.mark.parametrize("other", sorted(frozenset(Situation) - COUNTED))
def test_nothing_else_is_counted_or_parked_least_of_all_a_stop(other: Situation) -> None:
    stops = edits(9, first=20, situation=other)
    assert parked(stops).edits == {}
    result = parked((*stops, *edits(9)))
    assert [each for each in result.findings if each.situation is other][-9:] == [
        *sorted(stops, key=lambda each: each.contact_id)
    ]
    assert not result.parked & {row_id(20 + number) for number in range(9)}


def test_a_stop_goes_before_what_waits_for_nobody_and_after_the_mass_change() -> None:
    stop = an_edit(1, situation=Situation.S04_CRM_STOP)
    result = parked((stop, *edits(5)))
    order = [each.situation for each in result.findings]
    assert order == [*[Situation.S26_MASS_CHANGE] * 5, Situation.S04_CRM_STOP]


@pytest.mark.parametrize(
    ("before", "opens"),
    [({}, False), ({REP: 3}, True), ({LOADER: 3}, True), ({LOADER: 2}, False)],
)
def test_the_edits_of_the_window_before_count_by_author_and_in_total(
    before: Mapping[str, int], opens: bool
) -> None:
    assert (parked(edits(2), edits=before).opens is not None) is opens


def test_with_no_edit_in_this_plan_earlier_ones_open_nothing() -> None:
    assert parked((), edits={REP: 99}) == Parked(findings=())


def test_every_edit_of_a_bulk_author_is_a_mass_change() -> None:
    result = parked((an_edit(1, actor=LOADER), an_edit(2)), live_rows=10_000)
    assert result.parked == {row_id(1), row_id(2)}
    assert result.opens is not None
    assert parked((an_edit(1, actor=LOADER, situation=Situation.S04_CRM_STOP),)).opens is None


def test_while_the_circuit_is_open_every_such_edit_waits_and_none_is_counted_anew() -> None:
    result = parked((an_edit(1), an_edit(2, situation=Situation.S04_CRM_STOP)), is_open=True)
    assert [each.situation.value[:3] for each in result.findings] == ["S26", "S04"]
    assert set(result.parked) == {row_id(1)}
    assert (dict(result.edits), result.opens) == ({}, None)


def test_what_a_person_let_through_is_judged_and_not_counted() -> None:
    let_through = edits(9, stamp=hours(-0.9))
    result = parked(let_through, closed_at=hours(-0.8))
    assert result == Parked(findings=let_through)
    later = edits(9, first=20, stamp=hours(-0.5))
    mixed = parked((*let_through, *later), closed_at=hours(-0.8))
    assert mixed.edits == {REP: 9}
    assert mixed.parked == {row_id(20 + number) for number in range(9)}
    assert sum(each.situation is BARE for each in mixed.findings) == 9


def test_an_edit_that_nobody_signed_or_dated_counts_as_well() -> None:
    result = parked(
        tuple(an_edit(number, actor=None, stamp=None) for number in range(1, 6)),
        closed_at=hours(-1),
    )
    assert result.edits == {"": 5}
    assert len(result.parked) == 5


def test_why_the_circuit_opens_is_told_without_a_name() -> None:
    circuit = Circuit(live_rows=10, edits={"005000000000003AAA": 4})
    for counts in ({REP: 5}, {LOADER: 1}, {REP: 1}):
        why = why_open(counts, circuit=circuit, policy=RULED)
        assert why is not None
        assert not {REP, LOADER} & set(why.split())
    assert why_open({}, circuit=circuit, policy=RULED) is None


def test_rows_without_a_number_are_named_by_their_contact() -> None:
    nameless = an_edit(1, row_id=RowId(""))
    assert parked((nameless, *edits(4, first=2))).parked >= {contact_id(1)}


# ---------------------------------------------------------------- at the very edge of a window


WINDOW = RULED.surge.window


@pytest.mark.parametrize(
    ("apart", "counted"),
    [(WINDOW, 3), (WINDOW + timedelta(seconds=1), 2), (WINDOW / 2, 3)],
)
def test_edits_count_together_within_one_window(apart: timedelta, counted: int) -> None:
    """Two were made at one moment, and one long before, of which the bridge hears only now."""
    found = (
        an_edit(1, stamp=NOON - apart),
        an_edit(2, stamp=NOON),
        an_edit(3, stamp=NOON),
    )
    edits = edits_of(found, circuit=Circuit(since=NOON - 9 * WINDOW), at=NOON, window=WINDOW)
    assert edits == {REP: counted}


def test_the_most_edits_within_one_window_are_counted_wherever_it_lies() -> None:
    stamps = [WINDOW * each for each in (0, 3, 3.1, 3.2, 3.9, 4.5, 9)]
    found = [an_edit(number, stamp=NOON - each) for number, each in enumerate(stamps, 1)]
    edits = edits_of(found, circuit=Circuit(since=NOON - 99 * WINDOW), at=NOON, window=WINDOW)
    assert edits == {REP: 4}


@pytest.mark.parametrize(
    ("since", "stamp", "counted"),
    [
        (None, NOON - WINDOW, False),
        (None, NOON - WINDOW + timedelta(seconds=1), True),
        (NOON - 2 * WINDOW, NOON - 2 * WINDOW, False),
        (NOON - 2 * WINDOW, NOON - 2 * WINDOW + timedelta(seconds=1), True),
        (NOON - WINDOW / 2, NOON - WINDOW + timedelta(seconds=1), True),
    ],
)
def test_what_was_stamped_before_the_last_look_and_the_window_is_no_news(
    since: Any, stamp: Any, counted: bool
) -> None:
    found = (an_edit(1, stamp=stamp),)
    edits = edits_of(found, circuit=Circuit(since=since), at=NOON, window=WINDOW)
    assert edits == ({REP: 1} if counted else {})


def test_what_a_person_let_through_is_let_through_to_the_moment() -> None:
    closed = hours(-0.5)
    for stamp, waits in ((closed, False), (closed + timedelta(seconds=1), True)):
        result = parked(edits(9, stamp=stamp), closed_at=closed)
        assert bool(result.parked) is waits
