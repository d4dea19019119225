"""Marks on a permission, and stops that were proven to be recording errors."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from salesforce_bridge.permissions.bases import LawfulBasis
from salesforce_bridge.permissions.events import (
    ActorKind,
    EventKind,
    PermissionEvent,
    in_fold_order,
)
from salesforce_bridge.permissions.evidence import Trust
from salesforce_bridge.permissions.fold import FoldedSubject, Permission, StopKind
from salesforce_bridge.permissions.keys import Use
from salesforce_bridge.permissions.policy import Notice, Policy
from salesforce_bridge.permissions.states import STOPPED, State
from tests.unit.permissions.examples import (
    EVERYTHING,
    MARKETING_BY_EMAIL,
    MARKETING_BY_POST,
    POLICY,
    RESEARCH,
    a_use,
    an_event,
    codes,
    folded,
    hours,
    research,
)

GRANT, WITHDRAW, CORRECT = EventKind.GRANT, EventKind.WITHDRAW, EventKind.CORRECT
NOTICED, REAFFIRM, PROMPT = EventKind.NOTICED, EventKind.REAFFIRM, EventKind.PROMPT
YES = an_event(GRANT, hours(-10))
NO = an_event(WITHDRAW, hours(-5))


def correction(at: float = 0, **said: Any) -> PermissionEvent:
    plain: dict[str, Any] = {
        "actor": ActorKind.OPERATOR,
        "trust": Trust.CONTROLLER_CONTROLLED,
        "evidence_ref": "batch-17",
    }
    return an_event(CORRECT, hours(at), **(plain | said))


def by_policy(kind: EventKind, at: float = 0, **said: Any) -> PermissionEvent:
    plain: dict[str, Any] = {
        "actor": ActorKind.POLICY,
        "trust": Trust.MACHINE,
        "notice_id": "consent-en-2",
    }
    return an_event(kind, hours(at), **(plain | said))


def by_clock(boundary: float, **said: Any) -> PermissionEvent:
    plain: dict[str, Any] = {"actor": ActorKind.CLOCK, "effective_from": hours(boundary)}
    return an_event(PROMPT, hours(boundary + 1), **(plain | said))


def the(*events: PermissionEvent, use: Use = MARKETING_BY_POST) -> Permission:
    return folded(*events).permissions[use]


def test_a_corrected_stop_goes_back_to_where_nobody_has_decided_anything() -> None:
    permission = the(YES, NO, correction(revision=9))
    assert permission.state is State.UNKNOWN
    assert permission.stopped_at is None
    assert (permission.granted_at, permission.effective_to, permission.notice_id) == (None,) * 3
    assert (permission.trust, permission.evidence_ref) == (Trust.MACHINE, None)
    assert (permission.revision, permission.since) == (9, hours(0))


def test_what_was_proven_before_the_error_can_be_told_anew() -> None:
    again = replace(YES, id="again", trust=Trust.VERIFIED_RELAY)
    assert codes(folded(YES, NO, again)) == ["GRANT_PREDATES_STOP_REJECTED"]
    corrected = folded(YES, NO, correction(), again)
    assert codes(corrected) == []
    assert corrected.permissions[MARKETING_BY_POST].state is State.GIVEN


def test_a_correction_leaves_a_hold_and_what_the_person_lifted_before() -> None:
    held = an_event(EventKind.HOLD, hours(-2), reason="MASS_CHANGE_CIRCUIT_OPEN")
    permission = the(YES, NO, held, correction())
    assert permission.held == "MASS_CHANGE_CIRCUIT_OPEN"
    assert permission.lifted_at == YES.happened_at


@pytest.mark.parametrize(
    ("flaw", "code"),
    [
        ({"actor": ActorKind.CLOCK}, "CLOCK_AND_POLICY_NEVER_GRANT"),
        ({"actor": ActorKind.POLICY}, "CLOCK_AND_POLICY_NEVER_GRANT"),
        *(
            ({"trust": trust}, "CORRECTION_NEEDS_THE_CONTROLLER")
            for trust in Trust
            if trust is not Trust.CONTROLLER_CONTROLLED
        ),
        ({"evidence_ref": None}, "CORRECTION_NEEDS_EVIDENCE"),
        ({"evidence_ref": ""}, "CORRECTION_NEEDS_EVIDENCE"),
        ({"happened_at": NO.happened_at}, "CORRECTION_PREDATES_STOP"),
    ],
)
def test_a_correction_that_is_not_proven_leaves_every_stop(flaw: dict[str, Any], code: str) -> None:
    narrow, wide = folded(YES, NO), folded(an_event(EventKind.STOP_ALL, hours(-5), use=EVERYTHING))
    for subject, use in ((narrow, MARKETING_BY_POST), (wide, EVERYTHING)):
        named = StopKind.SUBJECT_STOP_ALL.value
        event = replace(correction(use=use, condition_ref=named), **flaw)
        after = folded(event, onto=subject)
        assert codes(after) == [code]
        assert (after.permissions, after.stops) == (subject.permissions, subject.stops)


@pytest.mark.parametrize("history", [(), (YES,), (an_event(EventKind.REQUEST),)])
def test_where_nothing_was_stopped_there_is_nothing_to_correct(
    history: tuple[PermissionEvent, ...],
) -> None:
    before = folded(*history)
    after = folded(correction(), onto=before)
    assert codes(after) == ["NOTHING_TO_CORRECT"]
    assert after.permissions == before.permissions


def test_an_erased_key_is_beyond_correction() -> None:
    erased = folded(YES, NO, an_event(EventKind.ERASE))
    after = folded(correction(1), onto=erased)
    assert after.permissions[MARKETING_BY_POST].state is State.ERASED
    assert codes(after) == ["NOTHING_TO_CORRECT"]


@pytest.mark.parametrize("objection", [EventKind.OBJECT_GROUNDS, EventKind.WITHDRAW])
def test_a_corrected_objection_puts_nothing_back_in_force(objection: EventKind) -> None:
    begun = research(EventKind.ESTABLISH, hours(-9))
    permission = the(
        begun,
        research(objection, hours(-5)),
        correction(use=RESEARCH, basis=LawfulBasis.LEGITIMATE_INTEREST, marketing=False),
        use=RESEARCH,
    )
    assert permission.state is State.NOT_ESTABLISHED
    assert permission.basis is LawfulBasis.LEGITIMATE_INTEREST


def test_a_stop_told_after_a_correction_stands() -> None:
    assert the(YES, NO, correction(), an_event(WITHDRAW, hours(1))).state is State.WITHDRAWN


def test_a_stop_of_the_same_cycle_folds_after_a_correction_and_a_yes_too() -> None:
    no = an_event(WITHDRAW, hours(-1), id="0")
    yes = replace(YES, id="1")
    ordered = in_fold_order((no, yes, correction(id="2")))
    assert [event.kind for event in ordered] == [CORRECT, GRANT, WITHDRAW]
    assert the(*folded_in(ordered)).state is State.WITHDRAWN


def folded_in(ordered: tuple[PermissionEvent, ...]) -> tuple[PermissionEvent, ...]:
    return (replace(NO, id="before", happened_at=hours(-7)), *ordered)


def stopped_widely(kind: EventKind, use: Use, **said: Any) -> FoldedSubject:
    return folded(an_event(kind, hours(-5), use=use, **said))


@pytest.mark.parametrize(
    ("kind", "use", "marketing"),
    [
        (EventKind.STOP_ALL, EVERYTHING, False),
        (EventKind.STOP_MARKETING, EVERYTHING, True),
        (EventKind.STOP_CHANNEL, a_use("*", "EMAIL"), True),
        (EventKind.WITHDRAW, a_use("direct_marketing", "*"), True),
    ],
)
def test_a_wide_stop_that_was_an_error_is_taken_back(
    kind: EventKind, use: Use, *, marketing: bool
) -> None:
    before = stopped_widely(kind, use)
    assert len(before.stops) == 1
    after = folded(correction(use=use, marketing=marketing), onto=before)
    assert (after.stops, codes(after)) == ((), [])
    assert after.permissions == {}


def test_only_the_stop_that_is_named_is_taken_back() -> None:
    before = folded(
        an_event(EventKind.STOP_ALL, hours(-5), use=EVERYTHING),
        an_event(EventKind.STOP_MARKETING, hours(-5), use=EVERYTHING),
        an_event(EventKind.STOP_CHANNEL, hours(-5), use=a_use("*", "EMAIL")),
    )
    one = folded(correction(use=EVERYTHING), onto=before)
    assert {stop.kind for stop in one.stops} == {
        StopKind.SUBJECT_STOP_ALL,
        StopKind.CHANNEL_OPT_OUT,
    }
    named = correction(use=EVERYTHING, condition_ref="SUBJECT_STOP_ALL")
    other = folded(named, onto=before)
    assert {stop.kind for stop in other.stops} == {
        StopKind.MARKETING_OBJECTION,
        StopKind.CHANNEL_OPT_OUT,
    }
    only = folded(an_event(EventKind.STOP_ALL, hours(-5), use=EVERYTHING))
    assert folded(correction(use=EVERYTHING), onto=only).stops == ()
    another = correction(use=EVERYTHING, condition_ref="MARKETING_OBJECTION")
    assert codes(folded(another, onto=only)) == ["NOTHING_TO_CORRECT"]
    nowhere = folded(correction(use=a_use("*", "POST")), onto=before)
    assert (nowhere.stops, codes(nowhere)) == (before.stops, ["NOTHING_TO_CORRECT"])


def test_a_wide_stop_that_was_told_again_since_is_no_error() -> None:
    before = stopped_widely(EventKind.STOP_MARKETING, EVERYTHING)
    again = folded(an_event(EventKind.CORROBORATE, hours(2), use=EVERYTHING), onto=before)
    after = folded(correction(use=EVERYTHING), onto=again)
    assert codes(after) == ["CORRECTION_PREDATES_STOP"]
    assert after.stops == again.stops


def test_a_newer_notice_is_noted_and_changes_nothing_else() -> None:
    before, after = the(YES), the(YES, by_policy(NOTICED, revision=4))
    assert after == replace(before, latest_notice="consent-en-2", revision=4)
    assert the(YES, by_policy(NOTICED, revision=4), by_policy(NOTICED, 1, revision=5)) == after


def test_nobody_is_remembered_for_a_notice_that_was_never_shown_to_them() -> None:
    for kind in (NOTICED, REAFFIRM, PROMPT):
        subject = folded(by_policy(kind, effective_to=hours(9)))
        assert (subject.permissions, codes(subject)) == ({}, [])


def test_whoever_has_to_say_yes_again_has_until_the_earliest_end() -> None:
    once = by_policy(REAFFIRM, effective_to=hours(50))
    assert the(YES, once).reaffirm_by == hours(50)
    assert the(YES, once).latest_notice == "consent-en-2"
    sooner = by_policy(REAFFIRM, 1, effective_to=hours(40), notice_id="consent-en-3")
    later = by_policy(REAFFIRM, 1, effective_to=hours(60), notice_id="consent-en-3")
    assert the(YES, once, sooner).reaffirm_by == hours(40)
    assert the(YES, once, later).reaffirm_by == hours(50)
    assert the(YES, once, later).latest_notice == "consent-en-3"


def test_a_duty_to_ask_again_without_an_end_is_none() -> None:
    subject = folded(YES, by_policy(REAFFIRM))
    assert codes(subject) == ["REAFFIRMATION_HAS_NO_END"]
    assert subject.permissions == folded(YES).permissions


@pytest.mark.parametrize("kind", [REAFFIRM, PROMPT])
@pytest.mark.parametrize("ending", [WITHDRAW, EventKind.EXPIRE, EventKind.ERASE])
def test_only_what_is_valid_can_be_renewed(kind: EventKind, ending: EventKind) -> None:
    ended = folded(YES, an_event(ending, hours(-1)))
    after = folded(by_policy(kind, effective_to=hours(9)), onto=ended)
    assert codes(after) == ["NOTHING_TO_RENEW"]
    assert after.permissions == ended.permissions


def test_an_erased_key_is_not_even_noted_on() -> None:
    erased = folded(YES, an_event(EventKind.ERASE))
    assert folded(by_policy(NOTICED, 1), onto=erased).permissions == erased.permissions


def test_a_prompt_is_noted_by_the_boundary_it_was_for() -> None:
    assert the(YES, by_clock(2)).prompted_at == hours(2)
    assert the(YES, by_clock(2), by_clock(4)).prompted_at == hours(4)
    assert the(YES, by_clock(4), by_clock(2)).prompted_at == hours(4)
    assert the(YES, by_clock(2, effective_from=None)).prompted_at == hours(3)


def test_a_yes_to_what_is_shown_now_clears_every_mark() -> None:
    marks = (by_policy(NOTICED), by_policy(REAFFIRM, effective_to=hours(50)), by_clock(2))
    for kind in (GRANT, EventKind.RENEW):
        permission = the(YES, *marks, an_event(kind, hours(5), id="again"))
        assert (permission.latest_notice, permission.reaffirm_by) == (None, None)
        assert permission.prompted_at is None


def second_notice(superseded_at: datetime | None, supersedes: str | None) -> Policy:
    """The policy once a second text has taken the place of the first, told by either of the two."""
    first = replace(POLICY.notices["consent-en-1"], superseded_at=superseded_at)
    plain: dict[str, Any] = {"id": "consent-en-2", "version": 2, "published_at": hours(0)}
    second: Notice = replace(first, superseded_at=None, supersedes=supersedes, **plain)
    return replace(POLICY, notices={**POLICY.notices, first.id: first, second.id: second})


@pytest.mark.parametrize(
    ("superseded_at", "supersedes"), [(None, "consent-en-1"), (hours(0), None)]
)
def test_a_late_proof_of_a_yes_to_the_former_text_still_has_to_be_said_anew(
    superseded_at: datetime | None, supersedes: str | None
) -> None:
    policy = second_notice(superseded_at, supersedes)
    asked = folded(YES, by_policy(REAFFIRM, effective_to=hours(50)), by_clock(2))
    late = an_event(GRANT, hours(-1), id="late")
    permission = folded(late, policy=policy, onto=asked).permissions[MARKETING_BY_POST]
    assert (permission.state, permission.granted_at) == (State.RENEWED, hours(-1))
    assert (permission.latest_notice, permission.reaffirm_by) == ("consent-en-2", hours(50))
    assert permission.prompted_at is None
    anew = an_event(GRANT, hours(3), id="anew", notice_id="consent-en-2")
    permission = folded(anew, policy=policy, onto=asked).permissions[MARKETING_BY_POST]
    assert (permission.latest_notice, permission.reaffirm_by) == (None, None)


def test_a_basis_that_begins_anew_has_no_marks() -> None:
    begun = research(EventKind.ESTABLISH, hours(-9))
    asked = research(REAFFIRM, hours(-8), effective_to=hours(9), notice_id="privacy-en-2")
    again = (research(EventKind.END, hours(-5)), research(EventKind.ESTABLISH, hours(-4)))
    permission = the(begun, asked, *again, use=RESEARCH)
    assert (permission.state, permission.latest_notice) == (State.IN_FORCE, None)
    assert permission.reaffirm_by is None


def test_marks_are_about_one_key() -> None:
    for kind in (NOTICED, REAFFIRM, PROMPT):
        subject = folded(by_policy(kind, use=EVERYTHING, effective_to=hours(1)))
        assert codes(subject) == ["USE_TOO_WIDE"]


def test_a_correction_of_one_key_leaves_the_others_stopped() -> None:
    by_email = an_event(WITHDRAW, hours(-5), use=MARKETING_BY_EMAIL)
    subject = folded(NO, by_email, correction())
    assert subject.permissions[MARKETING_BY_POST].state is State.UNKNOWN
    assert subject.permissions[MARKETING_BY_EMAIL].state in STOPPED
    assert correction().happened_at - by_email.happened_at == timedelta(hours=5)
