"""What a fold keeps, to the letter: marks that survive a yes, moments that only move on, stops that are joined."""

from dataclasses import replace
from typing import Any

import pytest

from salesforce_bridge.permissions.events import ActorKind, EventKind, PermissionEvent
from salesforce_bridge.permissions.evidence import Grade, Trust
from salesforce_bridge.permissions.fold import Permission
from salesforce_bridge.permissions.keys import Use
from salesforce_bridge.permissions.marks import marked
from salesforce_bridge.permissions.permission import last_told
from salesforce_bridge.permissions.states import State
from salesforce_bridge.permissions.stops import EVERYTHING, Stop, StopKind, narrowness, with_stop
from tests.unit.permissions.calls import a_stop
from tests.unit.permissions.examples import (
    MARKETING_BY_POST,
    NOON,
    RESEARCH,
    a_permission,
    an_event,
    codes,
    folded,
    hours,
    research,
)

GRANT, REFUSE, WITHDRAW = EventKind.GRANT, EventKind.REFUSE, EventKind.WITHDRAW
ESTABLISH, OBJECT, LIFT = EventKind.ESTABLISH, EventKind.OBJECT_GROUNDS, EventKind.LIFT
STOP_MARKETING = EventKind.STOP_MARKETING


def the(*events: PermissionEvent, use: Use = MARKETING_BY_POST) -> Permission:
    return folded(*events).permissions[use]


def test_a_yes_names_what_it_is_about() -> None:
    given = the(an_event(GRANT))
    assert (given.use, given.marketing, given.own) == (MARKETING_BY_POST, True, True)
    held = an_event(EventKind.HOLD, hours(-1), reason="LOOK_AT_THIS")
    assert the(held, an_event(GRANT)).held == "LOOK_AT_THIS"


def test_a_yes_after_an_end_begins_on_its_own_day() -> None:
    again = the(an_event(GRANT, hours(-9)), an_event(EventKind.EXPIRE, hours(-5)), an_event(GRANT))
    assert (again.state, again.effective_from) == (State.GIVEN, NOON)


def test_a_yes_told_by_somebody_else_lifts_nothing() -> None:
    relayed = an_event(GRANT, trust=Trust.VERIFIED_RELAY, grade=Grade.B)
    assert the(relayed).lifted_at is None
    assert the(an_event(GRANT, hours(-1)), relayed).lifted_at == hours(-1)


def test_a_yes_told_late_does_not_move_the_latest_one_back() -> None:
    error = an_event(
        EventKind.CORRECT,
        hours(-1),
        actor=ActorKind.OPERATOR,
        trust=Trust.CONTROLLER_CONTROLLED,
        evidence_ref="batch-17",
    )
    before = (an_event(GRANT, hours(-10)), an_event(WITHDRAW, hours(-5)), error)
    permission = the(*before, an_event(GRANT, hours(-12)))
    assert (permission.state, permission.lifted_at) == (State.GIVEN, hours(-10))


def test_a_no_told_late_does_not_move_the_latest_one_back() -> None:
    permission = the(an_event(REFUSE), an_event(WITHDRAW, hours(-3)))
    assert (permission.state, permission.stopped_at) == (State.WITHDRAWN, NOON)


def test_an_objection_lifted_late_does_not_move_the_latest_lifting_back() -> None:
    permission = the(
        research(ESTABLISH, hours(-12)),
        research(OBJECT, hours(-9)),
        research(LIFT, NOON),
        research(OBJECT, hours(-5)),
        research(LIFT, hours(-3), reason="LIFTED_AGAIN"),
        use=RESEARCH,
    )
    assert (permission.state, permission.lifted_at) == (State.IN_FORCE, NOON)
    assert (permission.reason, permission.marketing) == ("LIFTED_AGAIN", False)


def test_a_no_leaves_on_record_what_the_yes_rested_on() -> None:
    told = an_event(GRANT, hours(-2), capture_source="web form", evidence_ref="E-1", point="bb")
    given = the(told)
    stopped = the(told, an_event(WITHDRAW))
    assert stopped == replace(
        given,
        state=State.WITHDRAWN,
        reason="BECAUSE_OF_WITHDRAW",
        since=NOON,
        stopped_at=NOON,
    )


@pytest.mark.parametrize(
    ("between", "code"),
    [
        ((), "GRANT_SUPERSEDED_NOTED"),
        ((an_event(EventKind.REVOKE, id="revoked"),), "GRANT_PREDATES_LAPSE_REJECTED"),
        ((an_event(WITHDRAW, id="withdrawn"),), "GRANT_PREDATES_STOP_REJECTED"),
    ],
)
def test_a_yes_of_the_very_moment_of_what_is_known_changes_nothing(
    between: tuple[PermissionEvent, ...], code: str
) -> None:
    before = folded(an_event(GRANT), *between)
    after = folded(an_event(GRANT, id="again"), onto=before)
    assert (codes(after), after.permissions) == ([code], before.permissions)


@pytest.mark.parametrize(
    ("before", "said", "code"),
    [
        (State.GIVEN, an_event(EventKind.RELEASE, actor=ActorKind.CLOCK), "CLOCK_AND_POLICY"),
        (State.GIVEN, an_event(EventKind.CORRECT), "NOTHING_TO_CORRECT"),
        (State.WITHDRAWN, an_event(EventKind.CORRECT), "CORRECTION_NEEDS_THE_CONTROLLER"),
        (State.WITHDRAWN, an_event(EventKind.PROMPT), "NOTHING_TO_RENEW"),
        (State.GIVEN, an_event(EventKind.REAFFIRM), "REAFFIRMATION_HAS_NO_END"),
    ],
)
def test_a_mark_that_is_refused_hands_back_the_permission_as_it_was(
    before: State, said: PermissionEvent, code: str
) -> None:
    permission = replace(the(an_event(GRANT, hours(-1))), state=before)
    outcome = marked(permission, said)
    assert outcome.permission is permission
    assert (outcome.refused or "").startswith(code)


def joined(first: dict[str, Any], second: dict[str, Any]) -> Stop:
    """Two tellings of one stop, as the one stop that they are."""
    stops: tuple[Stop, ...] = ()
    for said in (first, second):
        event = an_event(STOP_MARKETING, **({"use": EVERYTHING} | said))
        stops = with_stop(stops, event, StopKind.MARKETING_OBJECTION, EVERYTHING)
    (stop,) = stops
    return stop


CARRIED, TOLD = {"own": False, "reason": "CARRIED"}, {"own": True, "reason": "TOLD"}


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (TOLD, {"own": True, "reason": "TOLD_AGAIN"}, (True, "TOLD", 0, 1)),
        (TOLD, CARRIED, (True, "TOLD", 0, 1)),
        (TOLD, CARRIED | {"at": hours(1)}, (True, "TOLD", 1, 5)),
        (TOLD, CARRIED | {"at": hours(-1)}, (True, "TOLD", 0, 1)),
        (CARRIED, TOLD, (True, "TOLD", 0, 5)),
        (CARRIED, TOLD | {"at": hours(-1)}, (True, "TOLD", 0, 5)),
        (TOLD, TOLD | {"at": hours(1)}, (True, "TOLD", 1, 5)),
    ],
)
def test_of_two_tellings_the_persons_own_and_the_latest_moment_are_kept(
    first: dict[str, Any], second: dict[str, Any], expected: tuple[bool, str, int, int]
) -> None:
    own, reason, since, revision = expected
    stop = joined(first | {"revision": 1}, second | {"revision": 5})
    assert (stop.own, stop.reason) == (own, reason)
    assert (stop.since, stop.revision) == (hours(since), revision)


def test_stops_of_a_kind_are_ordered_by_purpose_before_channel() -> None:
    kind = StopKind.MARKETING_OBJECTION
    narrowest_first = [
        a_stop(kind, purpose="direct_marketing", channel="EMAIL"),
        a_stop(kind, purpose="direct_marketing"),
        a_stop(kind, channel="EMAIL"),
        a_stop(kind),
    ]
    assert sorted(narrowest_first, key=narrowness) == narrowest_first[::-1]


def test_a_refused_event_is_named() -> None:
    (refusal,) = folded(an_event(GRANT, id="too-weak", grade=Grade.C)).refusals
    assert (refusal.event_id, refusal.reason) == ("too-weak", "EVIDENCE_BELOW_GRADE")


RELAYED: dict[str, Any] = {"trust": Trust.VERIFIED_RELAY, "grade": Grade.B}


def test_a_wide_stop_counts_for_a_key_of_which_nothing_was_known() -> None:
    stop = an_event(STOP_MARKETING, use=EVERYTHING)
    before = an_event(GRANT, hours(-1), recorded_at=hours(9))
    assert codes(folded(stop, before)) == ["GRANT_PREDATES_STOP_REJECTED"]
    after = an_event(GRANT, hours(1), **RELAYED)
    assert codes(folded(stop, after)) == ["GRANT_AFTER_STOP_REJECTED"]


def test_whoever_lifted_a_wide_stop_is_believed_through_others_again() -> None:
    told = (
        an_event(STOP_MARKETING, hours(-9), use=EVERYTHING),
        an_event(GRANT, hours(-5)),
        an_event(EventKind.REVOKE, hours(-3)),
    )
    again = an_event(GRANT, **RELAYED)
    assert the(*told, again).state is State.GIVEN


def test_a_no_was_last_told_when_somebody_said_it_again() -> None:
    stop, again = an_event(WITHDRAW, hours(-5)), an_event(EventKind.CORROBORATE, hours(-2))
    for wider in (False, True):
        assert last_told(the(stop), under_a_wider_no=wider) == [hours(-5)]
        assert last_told(the(stop, again), under_a_wider_no=wider) == [hours(-2)]
    undated = a_permission(State.WITHDRAWN, since=hours(-7))
    assert last_told(undated, under_a_wider_no=False) == [hours(-7)]


def test_a_no_that_was_only_told_again_counts_for_a_use_under_a_wider_no_and_for_no_other() -> None:
    never_said = the(an_event(EventKind.CORROBORATE, hours(-2)))
    assert last_told(never_said, under_a_wider_no=True) == [hours(-2)]
    assert last_told(never_said, under_a_wider_no=False) == []
    assert last_told(the(an_event(GRANT)), under_a_wider_no=True) == []
