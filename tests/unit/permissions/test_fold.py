"""What events come to, and which of them count for nothing."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from salesforce_bridge.permissions.bases import LawfulBasis
from salesforce_bridge.permissions.events import ActorKind, EventKind, in_fold_order
from salesforce_bridge.permissions.evidence import Grade, Trust
from salesforce_bridge.permissions.fold import (
    NOTHING,
    Permission,
    StopKind,
    covering_stop,
    fold,
)
from salesforce_bridge.permissions.keys import Use
from salesforce_bridge.permissions.policy import PurposeStatus
from salesforce_bridge.permissions.states import State
from tests.unit.permissions.examples import (
    EVERYTHING,
    MARKETING_BY_EMAIL,
    MARKETING_BY_POST,
    NOON,
    POLICY,
    RESEARCH,
    SERVICE,
    a_use,
    an_event,
    codes,
    folded,
    hours,
    research,
    with_purpose,
)

GRANT, RENEW, WITHDRAW = EventKind.GRANT, EventKind.RENEW, EventKind.WITHDRAW
RELAYED: dict[str, Any] = {"trust": Trust.VERIFIED_RELAY, "grade": Grade.B}


def the(*events: Any, use: Use = MARKETING_BY_POST) -> Permission:
    return folded(*events).permissions[use]


def test_a_grant_makes_a_permission_with_its_proof_and_its_end() -> None:
    event = an_event(
        GRANT,
        capture_source="web form",
        evidence_ref="E-1",
        point="bb",
        effective_from=hours(1),
        revision=7,
    )
    permission = the(event)
    assert permission.state is State.GIVEN
    assert (permission.granted_at, permission.since, permission.lifted_at) == (NOON, NOON, NOON)
    assert (permission.effective_from, permission.effective_to) == (
        hours(1),
        NOON + timedelta(days=730),
    )
    assert (permission.trust, permission.grade) == (Trust.SUBJECT_DIRECT, Grade.A)
    assert (permission.capture_source, permission.evidence_ref) == ("web form", "E-1")
    assert (permission.notice_id, permission.point) == ("consent-en-1", "bb")
    assert (permission.revision, permission.reason) == (7, "BECAUSE_OF_GRANT")


def test_a_grant_ends_when_it_says_so_but_never_later_than_its_purpose_allows() -> None:
    sooner = the(an_event(GRANT, effective_to=hours(5)))
    assert sooner.effective_to == hours(5)
    later = the(an_event(GRANT, effective_to=NOON + timedelta(days=9999)))
    assert later.effective_to == NOON + timedelta(days=730)
    ageless = with_purpose("direct_marketing", max_age=None)
    endless = folded(an_event(GRANT), policy=ageless).permissions[MARKETING_BY_POST]
    assert endless.effective_to is None


def test_a_renewal_begins_a_new_term_and_keeps_the_first_day() -> None:
    renewed = the(an_event(GRANT, hours(-9)), an_event(RENEW))
    assert renewed.state is State.RENEWED
    assert (renewed.effective_from, renewed.granted_at) == (hours(-9), NOON)
    assert renewed.effective_to == NOON + timedelta(days=730)


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"own": False}, "IDENTITY_NOT_PROVEN"),
        ({"trust": Trust.UNVERIFIED_RELAY}, "TRUST_MAY_NOT_GRANT"),
        ({"trust": Trust.MACHINE}, "TRUST_MAY_NOT_GRANT"),
        ({"grade": Grade.C}, "EVIDENCE_BELOW_GRADE"),
        ({"purpose_version": 2}, "PURPOSE_NOT_LIVE"),
        ({"use": a_use("unheard-of")}, "PURPOSE_NOT_LIVE"),
        ({"notice_id": None}, "NOTICE_NOT_PUBLISHED"),
        ({"notice_id": "unheard-of"}, "NOTICE_NOT_PUBLISHED"),
        ({"at": hours(-99999)}, "NOTICE_NOT_PUBLISHED"),
        ({"recorded_at": hours(-0.1)}, "TIMESTAMP_IMPLAUSIBLE"),
        ({"actor": ActorKind.CLOCK}, "CLOCK_AND_POLICY_NEVER_GRANT"),
        ({"actor": ActorKind.POLICY}, "CLOCK_AND_POLICY_NEVER_GRANT"),
    ],
)
def test_a_grant_that_lacks_something_is_kept_and_counts_for_nothing(
    said: dict[str, Any], code: str
) -> None:
    subject = folded(an_event(GRANT, **said))
    assert subject.permissions == {}
    assert codes(subject) == [code]


def test_clocks_may_differ_by_a_few_minutes() -> None:
    event = an_event(GRANT, recorded_at=NOON - timedelta(minutes=5))
    assert the(event).state is State.GIVEN


@pytest.mark.parametrize("status", [PurposeStatus.DRAFT, PurposeStatus.RETIRED])
def test_nobody_consents_to_a_purpose_that_is_not_live(status: PurposeStatus) -> None:
    subject = folded(an_event(GRANT), policy=with_purpose("direct_marketing", status=status))
    assert codes(subject) == ["PURPOSE_NOT_LIVE"]


def test_a_notice_that_was_replaced_before_the_grant_was_not_the_published_one() -> None:
    notice = replace(POLICY.notices["consent-en-1"], superseded_at=NOON)
    policy = replace(POLICY, notices={notice.id: notice})
    assert codes(folded(an_event(GRANT), policy=policy)) == ["NOTICE_NOT_PUBLISHED"]
    before = folded(an_event(GRANT, hours(-1)), policy=policy)
    assert before.permissions[MARKETING_BY_POST].state is State.GIVEN


def test_a_grant_is_judged_by_the_policy_it_was_recorded_under() -> None:
    stricter = replace(with_purpose("direct_marketing", required_grade=Grade.A), version="next")
    event = an_event(GRANT, grade=Grade.B)
    assert codes(folded(event, policy=stricter)) == ["EVIDENCE_BELOW_GRADE"]
    rebuilt = fold((event,), policy=stricter, earlier={POLICY.version: POLICY})
    assert rebuilt == folded(event)


@pytest.mark.parametrize("stop", [WITHDRAW, EventKind.REFUSE])
def test_only_the_person_comes_back_from_a_stop_and_only_later(stop: EventKind) -> None:
    told = an_event(stop)
    assert codes(folded(told, an_event(GRANT, hours(1), **RELAYED))) == [
        "GRANT_AFTER_STOP_REJECTED"
    ]
    assert codes(folded(told, an_event(GRANT, NOON))) == ["GRANT_PREDATES_STOP_REJECTED"]
    assert codes(folded(told, an_event(RENEW, hours(1)))) == ["RENEWAL_AFTER_STOP"]
    returned = the(told, an_event(GRANT, hours(1)))
    assert (returned.state, returned.stopped_at, returned.lifted_at) == (
        State.GIVEN,
        NOON,
        hours(1),
    )


def test_a_grant_older_than_the_lapse_or_than_another_grant_changes_nothing() -> None:
    lapsed = (an_event(GRANT, hours(-9)), an_event(EventKind.EXPIRE, actor=ActorKind.CLOCK))
    subject = folded(*lapsed, an_event(GRANT, hours(-1)))
    assert codes(subject) == ["GRANT_PREDATES_LAPSE_REJECTED"]
    assert subject.permissions[MARKETING_BY_POST].state is State.EXPIRED
    assert codes(folded(an_event(GRANT), an_event(GRANT, hours(-1)))) == ["GRANT_SUPERSEDED_NOTED"]
    assert the(*lapsed, an_event(RENEW, hours(1), **RELAYED)).state is State.RENEWED


@pytest.mark.parametrize(
    ("kind", "stop"),
    [
        (EventKind.STOP_ALL, StopKind.SUBJECT_STOP_ALL),
        (EventKind.STOP_MARKETING, StopKind.MARKETING_OBJECTION),
        (EventKind.STOP_CHANNEL, StopKind.CHANNEL_OPT_OUT),
    ],
)
def test_a_wide_stop_covers_until_the_person_directly_says_yes_later(
    kind: EventKind, stop: StopKind
) -> None:
    use = EVERYTHING if kind is not EventKind.STOP_CHANNEL else a_use("*", "POST")
    told = an_event(kind, use=use)
    subject = folded(an_event(GRANT, hours(-1), **RELAYED), told)
    permission = subject.permissions[MARKETING_BY_POST]
    assert permission.state is State.GIVEN

    covering = covering_stop(permission, MARKETING_BY_POST, marketing=True, stops=subject.stops)
    assert covering is not None
    assert covering.kind is stop
    relayed = folded(an_event(GRANT, hours(1), **RELAYED), onto=subject)
    assert codes(relayed) == ["GRANT_AFTER_STOP_REJECTED"]
    early = folded(an_event(GRANT, hours(-0.5)), onto=subject)
    assert codes(early) == ["GRANT_PREDATES_STOP_REJECTED"]
    direct = folded(an_event(GRANT, hours(1)), onto=subject)
    lifted = direct.permissions[MARKETING_BY_POST]
    assert covering_stop(lifted, MARKETING_BY_POST, marketing=True, stops=direct.stops) is None
    again = folded(an_event(kind, hours(2), use=use), onto=direct)
    assert covering_stop(lifted, MARKETING_BY_POST, marketing=True, stops=again.stops) is not None


def test_a_marketing_stop_leaves_other_purposes_alone_and_a_full_stop_does_not() -> None:
    stops = folded(an_event(EventKind.STOP_MARKETING, use=EVERYTHING)).stops
    assert covering_stop(None, SERVICE, marketing=False, stops=stops) is None
    stops = folded(an_event(EventKind.STOP_ALL, use=EVERYTHING)).stops
    assert covering_stop(None, SERVICE, marketing=False, stops=stops) is not None
    assert covering_stop(None, SERVICE, marketing=False, stops=()) is None


def test_the_widest_stop_is_named() -> None:
    stops = folded(
        an_event(EventKind.STOP_CHANNEL, use=a_use("*", "POST")),
        an_event(EventKind.STOP_MARKETING, use=a_use("*", "POST")),
        an_event(EventKind.STOP_MARKETING, use=EVERYTHING),
    ).stops
    covering = covering_stop(None, MARKETING_BY_POST, marketing=True, stops=stops)
    assert covering is not None
    assert (covering.kind, covering.channel) == (StopKind.MARKETING_OBJECTION, "*")


def test_a_stop_told_twice_is_one_stop_since_the_latest_telling() -> None:
    carried = an_event(
        EventKind.STOP_ALL, hours(5), use=EVERYTHING, own=False, reason="CARRIED", revision=1
    )
    own = an_event(EventKind.STOP_ALL, hours(1), use=EVERYTHING, reason="OWN", revision=2)
    for order in ((carried, own), (own, carried)):
        (stop,) = folded(*order).stops
        assert (stop.since, stop.own, stop.reason) == (hours(5), True, "OWN")
    older = an_event(EventKind.STOP_ALL, use=EVERYTHING, revision=3)
    (stop,) = folded(own, older).stops
    assert (stop.since, stop.revision) == (hours(1), 2)


@pytest.mark.parametrize(
    ("kind", "use", "marketing", "expected"),
    [
        (WITHDRAW, a_use("*", "EMAIL"), True, StopKind.CHANNEL_OPT_OUT),
        (WITHDRAW, EVERYTHING, True, StopKind.MARKETING_OBJECTION),
        (EventKind.REFUSE, a_use("direct_marketing", "*"), True, StopKind.MARKETING_OBJECTION),
        (EventKind.OBJECT_GROUNDS, EVERYTHING, False, StopKind.SUBJECT_STOP_ALL),
    ],
)
def test_a_no_about_more_than_one_key_is_a_wide_stop_in_whatever_words(
    kind: EventKind, use: Use, *, marketing: bool, expected: StopKind
) -> None:
    (stop,) = folded(an_event(kind, use=use, marketing=marketing)).stops
    assert (stop.kind, stop.purpose, stop.channel) == (expected, use.purpose, use.channel)


def test_nothing_but_a_no_or_a_mark_may_be_about_more_than_one_key() -> None:
    for kind in (GRANT, EventKind.ESTABLISH, EventKind.EXPIRE):
        subject = folded(an_event(kind, use=EVERYTHING))
        assert (codes(subject), subject.permissions) == (["USE_TOO_WIDE"], {})


def test_a_marketing_objection_to_another_purpose_is_recorded_as_a_marketing_stop() -> None:
    established = research(EventKind.ESTABLISH, hours(-1))
    subject = folded(established, research(EventKind.OBJECT_MARKETING))
    assert subject.permissions[RESEARCH].state is State.IN_FORCE
    assert codes(subject) == ["MARKETING_STOP_RECORDED_ELSEWHERE"]
    assert [stop.kind for stop in subject.stops] == [StopKind.MARKETING_OBJECTION]


def test_a_corroboration_moves_only_the_moment_of_the_stop() -> None:
    stopped = the(an_event(WITHDRAW, revision=3))
    told = an_event(EventKind.CORROBORATE, hours(2), revision=4)
    again = the(an_event(WITHDRAW, revision=3), told)
    assert again == replace(stopped, stopped_at=hours(2))
    earlier = an_event(EventKind.CORROBORATE, hours(-2))
    assert the(an_event(WITHDRAW, revision=3), earlier) == stopped
    alone = the(told)
    assert (alone.state, alone.stopped_at) == (State.UNKNOWN, hours(2))
    assert codes(folded(told, an_event(GRANT, hours(1)))) == ["GRANT_PREDATES_STOP_REJECTED"]


def test_a_wide_corroboration_moves_the_stop_of_its_own_scope_only() -> None:
    subject = folded(
        an_event(EventKind.STOP_ALL, use=EVERYTHING),
        an_event(EventKind.STOP_CHANNEL, use=a_use("*", "POST")),
        an_event(EventKind.CORROBORATE, hours(1), use=EVERYTHING),
    )
    since = {stop.kind: stop.since for stop in subject.stops}
    assert since == {StopKind.SUBJECT_STOP_ALL: hours(1), StopKind.CHANNEL_OPT_OUT: NOON}


def test_a_hold_suspends_a_key_until_somebody_releases_it() -> None:
    given = an_event(GRANT, hours(-1), revision=1)
    hold = an_event(EventKind.HOLD, reason="MASS_CHANGE_CIRCUIT_OPEN", revision=2)
    held = the(given, hold)
    assert held == replace(the(given), held="MASS_CHANGE_CIRCUIT_OPEN", revision=2)
    assert the(given, hold, replace(hold, revision=3)) == held
    release = an_event(EventKind.RELEASE, actor=ActorKind.OPERATOR, revision=4)
    assert the(given, hold, release) == replace(the(given), revision=4)
    by_clock = replace(release, actor=ActorKind.CLOCK)
    subject = folded(given, hold, by_clock)
    assert codes(subject) == ["CLOCK_AND_POLICY_NEVER_GRANT"]
    assert subject.permissions[MARKETING_BY_POST].held is not None
    assert folded(release).permissions == {}
    assert the(given, release) == the(given)
    assert the(hold).held == "MASS_CHANGE_CIRCUIT_OPEN"


def test_a_hold_on_everything_is_a_hold_on_the_person() -> None:
    hold = an_event(EventKind.HOLD, use=EVERYTHING, reason="MERGE_WITH_ERASED_REVIEW")
    release = an_event(EventKind.RELEASE, use=EVERYTHING)
    held = folded(hold)
    assert held.hold == "MERGE_WITH_ERASED_REVIEW"
    by_clock = folded(replace(release, actor=ActorKind.CLOCK), onto=held)
    assert (by_clock.hold, codes(by_clock)) == (held.hold, ["USE_TOO_WIDE"])
    assert folded(release, onto=held).hold is None


def test_a_repeated_stop_moves_nothing_a_reader_can_see() -> None:
    carried = the(an_event(WITHDRAW, own=False, revision=3))
    assert not carried.own
    told = an_event(WITHDRAW, hours(1), revision=4)
    again = the(an_event(WITHDRAW, own=False, revision=3), told)
    assert again == replace(carried, stopped_at=hours(1), own=True)
    carried_again = an_event(WITHDRAW, hours(2), own=False)
    assert the(told, carried_again).own


def test_an_event_that_changes_nothing_leaves_the_very_same_permission() -> None:
    before = folded(an_event(GRANT))
    after = folded(an_event(EventKind.REQUEST, hours(1)), onto=before)
    assert after.permissions[MARKETING_BY_POST] is before.permissions[MARKETING_BY_POST]
    assert folded(an_event(EventKind.EXPIRE)) == NOTHING


def test_a_basis_is_established_with_what_it_rests_on() -> None:
    event = research(EventKind.ESTABLISH, condition_ref="LIA-1", actor=ActorKind.POLICY)
    permission = the(event, use=RESEARCH)
    assert (permission.state, permission.condition_ref) == (State.IN_FORCE, "LIA-1")
    assert (permission.effective_from, permission.effective_to) == (NOON, None)
    again = research(EventKind.ESTABLISH, hours(1), actor=ActorKind.CLOCK)
    assert folded(event, again) == folded(event)
    by_clock = folded(replace(event, actor=ActorKind.CLOCK))
    assert codes(by_clock) == ["CLOCK_AND_POLICY_NEVER_GRANT"]


def test_an_emergency_ends_by_itself() -> None:
    emergency: dict[str, Any] = {"basis": LawfulBasis.VITAL_INTEREST}
    permission = the(research(EventKind.ESTABLISH, **emergency), use=RESEARCH)
    assert permission.effective_to == NOON + timedelta(days=30)
    emergency["effective_to"] = hours(1)
    permission = the(research(EventKind.ESTABLISH, **emergency), use=RESEARCH)
    assert permission.effective_to == hours(1)


def test_a_challenge_is_overridden_by_the_controller_only() -> None:
    challenged = (
        research(EventKind.ESTABLISH, hours(-2)),
        research(EventKind.OBJECT_GROUNDS, hours(-1)),
    )
    override = research(EventKind.OVERRIDE, trust=Trust.VERIFIED_RELAY)
    assert codes(folded(*challenged, override)) == ["OVERRIDE_NEEDS_THE_CONTROLLER"]
    reasoned = replace(override, trust=Trust.CONTROLLER_CONTROLLED)
    assert the(*challenged, reasoned, use=RESEARCH).state is State.IN_FORCE
    automatic = replace(reasoned, actor=ActorKind.POLICY)
    assert codes(folded(*challenged, automatic)) == ["CLOCK_AND_POLICY_NEVER_GRANT"]


def test_an_objection_is_lifted_by_the_person_only_and_only_later() -> None:
    objected = research(EventKind.OBJECT_GROUNDS)
    stopped = the(objected, use=RESEARCH)
    assert (stopped.state, stopped.stopped_at) == (State.OBJECTED, NOON)
    by_us = research(EventKind.LIFT, hours(1), trust=Trust.CONTROLLER_CONTROLLED)
    assert codes(folded(objected, by_us)) == ["LIFT_NEEDS_THE_PERSON"]
    by_another = research(EventKind.LIFT, hours(1), own=False)
    assert codes(folded(objected, by_another)) == ["LIFT_NEEDS_THE_PERSON"]
    assert codes(folded(objected, research(EventKind.LIFT))) == ["GRANT_PREDATES_STOP_REJECTED"]
    lifted = the(objected, research(EventKind.LIFT, hours(1)), use=RESEARCH)
    assert (lifted.state, lifted.lifted_at) == (State.IN_FORCE, hours(1))


def test_a_person_can_lift_a_wide_stop_from_a_basis_that_was_never_objected_to() -> None:
    established = research(EventKind.ESTABLISH, hours(-1), marketing=True)
    lift = research(EventKind.LIFT, hours(1), marketing=True)
    assert codes(folded(established, lift)) == ["NOTHING_TO_LIFT"]
    stop = an_event(EventKind.STOP_MARKETING, use=EVERYTHING)
    subject = folded(established, stop, lift)
    permission = subject.permissions[RESEARCH]
    assert (permission.state, permission.lifted_at) == (State.IN_FORCE, hours(1))
    assert covering_stop(permission, RESEARCH, marketing=True, stops=subject.stops) is None


def test_ending_a_basis_during_a_challenge_closes_it_as_an_objection() -> None:
    subject = folded(
        research(EventKind.ESTABLISH, hours(-2)),
        research(EventKind.OBJECT_GROUNDS, hours(-1)),
        research(EventKind.END, actor=ActorKind.CLOCK),
        research(EventKind.ESTABLISH, hours(1)),
    )
    permission = subject.permissions[RESEARCH]
    assert (permission.state, permission.stopped_at) == (State.OBJECTED, NOON)
    assert codes(subject) == ["OBJECTION_STANDS"]


def test_a_no_counts_in_the_words_of_any_basis() -> None:
    given = an_event(GRANT, hours(-1))
    objection = an_event(EventKind.OBJECT_MARKETING, basis=LawfulBasis.LEGITIMATE_INTEREST)
    assert the(given, objection).state is State.WITHDRAWN
    refusal = an_event(EventKind.REFUSE)
    assert the(refusal).state is State.REFUSED
    withdrawal = research(WITHDRAW, basis=LawfulBasis.CONSENT)
    in_force = research(EventKind.ESTABLISH, hours(-1))
    assert the(in_force, withdrawal, use=RESEARCH).state is State.CHALLENGED
    marketing = replace(withdrawal, marketing=True)
    assert the(in_force, marketing, use=RESEARCH).state is State.OBJECTED
    contract = research(EventKind.ESTABLISH, hours(-1), basis=LawfulBasis.CONTRACT)
    assert the(contract, marketing, use=RESEARCH).state is State.OBJECTED
    service = folded(contract, withdrawal)
    assert codes(service) == ["OBJECTION_NOT_AVAILABLE_FOR_BASIS"]


def test_a_basis_is_not_swapped_under_somebody_who_decided() -> None:
    establish = an_event(EventKind.ESTABLISH, hours(1), basis=LawfulBasis.LEGITIMATE_INTEREST)
    for before in (GRANT, WITHDRAW):
        assert codes(folded(an_event(before), establish)) == ["BASIS_SWAP_BLOCKED"]
    for before in (EventKind.REQUEST, EventKind.CORROBORATE):
        later = folded(an_event(before), establish).permissions[MARKETING_BY_POST]
        assert (later.state, later.basis) == (State.IN_FORCE, LawfulBasis.LEGITIMATE_INTEREST)


def test_whoever_was_never_asked_may_consent_once_an_older_basis_has_ended() -> None:
    interest: dict[str, Any] = {"basis": LawfulBasis.LEGITIMATE_INTEREST}
    established = an_event(EventKind.ESTABLISH, hours(-2), **interest)
    assert codes(folded(established, an_event(GRANT))) == ["BASIS_SWAP_BLOCKED"]
    ended = an_event(EventKind.END, hours(-1), **interest)
    consented = the(established, ended, an_event(GRANT))
    assert (consented.state, consented.basis) == (State.GIVEN, LawfulBasis.CONSENT)


def test_the_keys_of_one_person_do_not_touch_each_other() -> None:
    subject = folded(an_event(GRANT), an_event(WITHDRAW, use=MARKETING_BY_EMAIL))
    assert subject.permissions[MARKETING_BY_POST].state is State.GIVEN
    assert subject.permissions[MARKETING_BY_EMAIL].state is State.WITHDRAWN


def test_within_one_cycle_grants_fold_first_and_stops_last() -> None:
    grant = an_event(GRANT, hours(3))
    expiry = an_event(EventKind.EXPIRE, hours(2), actor=ActorKind.CLOCK)
    retirement = an_event(EventKind.REVOKE, hours(1), actor=ActorKind.POLICY)
    stop = an_event(WITHDRAW)
    erasure = an_event(EventKind.ERASE, hours(1), actor=ActorKind.OPERATOR)
    ordered = in_fold_order((erasure, stop, retirement, expiry, grant))
    assert ordered == (grant, expiry, retirement, stop, erasure)
