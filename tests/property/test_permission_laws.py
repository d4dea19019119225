"""The laws of permissions: what no history, however strange, can bring about."""

import random
import tomllib
import unicodedata
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import phonenumbers
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from salesforce_bridge.permissions.bases import LawfulBasis
from salesforce_bridge.permissions.conditions import ConditionKind
from salesforce_bridge.permissions.contact_points import (
    PointType,
    contact_point,
    normalise_email,
    normalise_phone,
    wide_email,
)
from salesforce_bridge.permissions.events import (
    STOPS,
    ActorKind,
    EventKind,
    PermissionEvent,
    in_fold_order,
)
from salesforce_bridge.permissions.evidence import Grade, Trust
from salesforce_bridge.permissions.fold import (
    NOTHING,
    FoldedSubject,
    Permission,
    StopKind,
    covering_stop,
    fold,
)
from salesforce_bridge.permissions.gates import STANDALONE, Answer, Verdict
from salesforce_bridge.permissions.keys import Use
from salesforce_bridge.permissions.policy import (
    Category,
    PolicyRefused,
    PurposeStatus,
    parse_policy,
)
from salesforce_bridge.permissions.states import NEUTRAL, STOPPED, VALID, State
from tests.unit.permissions.examples import (
    EVERYTHING,
    KEYS,
    MARKETING_BY_EMAIL,
    MARKETING_BY_POST,
    POLICY,
    POLICY_TEXT,
    RESEARCH,
    SERVICE,
    a_condition,
    a_use,
    an_event,
    ask,
    every_condition,
    hours,
    with_purpose,
)

laws = settings(deadline=None)

BASIS_OF = {
    MARKETING_BY_POST: LawfulBasis.CONSENT,
    MARKETING_BY_EMAIL: LawfulBasis.CONSENT,
    RESEARCH: LawfulBasis.LEGITIMATE_INTEREST,
    SERVICE: LawfulBasis.CONTRACT,
}
KEYS_OF_ONE_PERSON = tuple(BASIS_OF)
WIDE = (EVERYTHING, a_use("*", "EMAIL"), a_use("direct_marketing", "*"))
OWN_ACTS = frozenset({EventKind.GRANT, EventKind.RENEW, EventKind.LIFT})
# Kinds that make something valid come up more often, so that there is something to lose.
LIKELY = (EventKind.GRANT, EventKind.ESTABLISH, EventKind.OBJECT_GROUNDS, EventKind.LIFT)
NOTES = (EventKind.NOTICED, EventKind.REAFFIRM, EventKind.PROMPT)


@st.composite
def events(
    draw: st.DrawFn,
    kinds: Sequence[EventKind] = (*EventKind, *LIKELY, *LIKELY, EventKind.CORRECT),
    actors: Sequence[ActorKind] = (ActorKind.PERSON, *ActorKind),
) -> PermissionEvent:
    use = draw(st.sampled_from((*KEYS_OF_ONE_PERSON, *KEYS_OF_ONE_PERSON, *WIDE)))
    kind = draw(st.sampled_from(tuple(kinds)))
    basis = BASIS_OF.get(use, LawfulBasis.CONSENT)
    if draw(st.integers(0, 9)) == 0:
        basis = draw(st.sampled_from(LawfulBasis))
    return an_event(
        kind,
        hours(draw(st.integers(-20, 20))),
        id=str(draw(st.uuids())),
        use=use,
        basis=basis,
        actor=draw(st.sampled_from(tuple(actors))),
        trust=draw(
            st.just(Trust.CONTROLLER_CONTROLLED)
            if kind is EventKind.CORRECT and draw(st.booleans())
            else st.sampled_from((Trust.SUBJECT_DIRECT, Trust.VERIFIED_RELAY, *Trust))
        ),
        grade=draw(st.sampled_from((Grade.A, Grade.A, *Grade))),
        own=draw(st.sampled_from((True, True, False))),
        marketing=use.purpose in {"direct_marketing", "*"},
        notice_id=draw(st.sampled_from(("consent-en-1", "consent-en-1", None))),
        evidence_ref=draw(st.sampled_from(("E-1", "E-2", None))),
        effective_from=draw(st.sampled_from((None, None, hours(-15), hours(3)))),
        effective_to=draw(st.sampled_from((None, None, hours(5), hours(30)))),
        point=draw(st.sampled_from(("bb", None))),
        revision=draw(st.integers(0, 50)),
    )


histories = st.lists(events(), max_size=12)
stop_kinds = tuple(sorted(STOPS))
moments = st.integers(-25, 40).map(hours)


def come_to(history: Sequence[PermissionEvent], onto: FoldedSubject = NOTHING) -> FoldedSubject:
    return fold(history, policy=POLICY, onto=onto)


def answers(subject: FoldedSubject, **asked: Any) -> dict[tuple[Use, Category], Answer]:
    """Ask for every key and every category of message."""
    return {
        (use, category): ask(
            subject.permissions.get(use),
            use=use,
            stops=subject.stops,
            hold=subject.hold,
            category=category,
            **asked,
        )
        for use in KEYS_OF_ONE_PERSON
        for category in Category
    }


def assert_no_looser(after: FoldedSubject, before: FoldedSubject, **asked: Any) -> None:
    now, then = answers(after, **asked), answers(before, **asked)
    for key, answer in now.items():
        assert answer.verdict >= then[key].verdict, (key, then[key], answer)


@laws
@given(histories, events(stop_kinds), moments)
def test_a_stop_never_loosens_anything(
    history: list[PermissionEvent], stop: PermissionEvent, at: Any
) -> None:
    before = come_to(history)
    assert_no_looser(come_to([stop], onto=before), before, at=at)


@laws
@given(histories, st.lists(events(), max_size=6), events(stop_kinds), moments)
def test_a_stop_anywhere_in_a_history_never_loosens_what_follows_without_the_person(
    earlier: list[PermissionEvent],
    later: list[PermissionEvent],
    stop: PermissionEvent,
    at: Any,
) -> None:
    # A correction takes back just what this is about, so there is none among the later ones.
    later = [
        one
        for one in later
        if (one.kind not in OWN_ACTS or one.trust < Trust.SUBJECT_DIRECT)
        and one.kind is not EventKind.CORRECT
    ]
    without, with_it = come_to([*earlier, *later]), come_to([*earlier, stop, *later])
    assert_no_looser(with_it, without, at=at)


@laws
@given(histories)
def test_nothing_but_the_persons_own_later_act_leaves_a_stop(
    history: list[PermissionEvent],
) -> None:
    subject = NOTHING
    for event in history:
        after = come_to([event], onto=subject)
        for use, before in subject.permissions.items():
            now = after.permissions[use]
            left = before.state in STOPPED and now.state not in STOPPED | {State.ERASED}
            marketing = use.purpose == "direct_marketing"
            covered = covering_stop(before, use, marketing=marketing, stops=subject.stops)
            uncovered = not covering_stop(now, use, marketing=marketing, stops=after.stops)
            if (left or (covered is not None and uncovered)) and event.kind is EventKind.CORRECT:
                assert now.state not in VALID or now == before
                assert event.actor not in {ActorKind.CLOCK, ActorKind.POLICY}
                assert event.trust is Trust.CONTROLLER_CONTROLLED
                assert event.evidence_ref
                assert covered is None or not uncovered or event.happened_at > covered.since
            elif left or (covered is not None and uncovered):
                assert event.kind in OWN_ACTS
                assert event.actor not in {ActorKind.CLOCK, ActorKind.POLICY}
                assert (event.own, event.trust) == (True, Trust.SUBJECT_DIRECT)
                assert before.stopped_at is None or event.happened_at > before.stopped_at
                assert covered is None or event.happened_at > covered.since
        subject = after


@laws
@given(histories)
def test_no_way_leads_from_an_objection_back_into_force_but_the_persons_or_a_reasoned_one(
    history: list[PermissionEvent],
) -> None:
    subject = NOTHING
    for event in history:
        after = come_to([event], onto=subject)
        for use, before in subject.permissions.items():
            now = after.permissions[use]
            if before.state not in STOPPED | {State.CHALLENGED} or now.state in STOPPED:
                continue
            if now.state in VALID:
                reasoned = event.kind is EventKind.OVERRIDE and not before.marketing
                assert reasoned or (event.own and event.trust is Trust.SUBJECT_DIRECT)
                assert not reasoned or before.state is State.CHALLENGED
            elif now.state in NEUTRAL:
                assert event.kind is EventKind.CORRECT
            else:
                assert now.state in {State.CHALLENGED, State.ERASED}
        subject = after


@laws
@given(histories, events((EventKind.WITHDRAW,)))
def test_a_withdrawn_consent_is_withdrawn_whatever_came_before(
    history: list[PermissionEvent], event: PermissionEvent
) -> None:
    assume(event.use in KEYS_OF_ONE_PERSON)
    consent = replace(event, basis=LawfulBasis.CONSENT)
    before = come_to(history)
    known = before.permissions.get(event.use)
    assume(known is None or known.basis is LawfulBasis.CONSENT)
    now = come_to([consent], onto=before).permissions[event.use]
    assert now.state in {State.WITHDRAWN, State.ERASED}


@laws
@given(histories)
def test_only_a_yes_makes_a_consent_valid(history: list[PermissionEvent]) -> None:
    subject = NOTHING
    for event in history:
        after = come_to([event], onto=subject)
        for use, now in after.permissions.items():
            before = subject.permissions.get(use)
            begun = before is None or before.state not in VALID
            if begun and now.basis is LawfulBasis.CONSENT and now.state in VALID:
                assert event.kind in {EventKind.GRANT, EventKind.RENEW}
        subject = after


@laws
@given(histories, events((EventKind.CORRECT,), (ActorKind.OPERATOR,)), st.booleans(), moments)
def test_a_correction_never_reaches_a_valid_state(
    history: list[PermissionEvent], event: PermissionEvent, everything: bool, at: Any
) -> None:
    event = replace(event, happened_at=hours(30), trust=Trust.CONTROLLER_CONTROLLED)
    if everything:
        event = replace(event, use=EVERYTHING, evidence_ref="E-1")
    before = come_to(history)
    after = come_to([event], onto=before)
    for use, now in after.permissions.items():
        assert now == before.permissions[use] or now.state in NEUTRAL
    assert set(after.stops) <= set(before.stops)
    if after.stops == before.stops:
        # Of a wide stop that never was, what stood before it is left; of a narrow one not even that.
        assert_no_looser(after, before, at=at)


@laws
@given(histories, events(NOTES), moments)
def test_a_note_about_a_notice_or_an_end_never_loosens(
    history: list[PermissionEvent], event: PermissionEvent, at: Any
) -> None:
    before = come_to(history)
    after = come_to([event], onto=before)
    assert_no_looser(after, before, at=at)
    for use, now in after.permissions.items():
        known = before.permissions[use]
        assert now.state is known.state
        if known.reaffirm_by is not None:
            assert now.reaffirm_by is not None
            assert now.reaffirm_by <= known.reaffirm_by


@laws
@given(histories, events(actors=(ActorKind.CLOCK,)), moments)
def test_the_clock_never_reaches_a_valid_state_and_never_loosens(
    history: list[PermissionEvent], event: PermissionEvent, at: Any
) -> None:
    before = come_to(history)
    after = come_to([event], onto=before)
    for use, permission in after.permissions.items():
        known = before.permissions.get(use)
        if permission.state in VALID:
            assert known is not None
            assert known.state in VALID
    assert_no_looser(after, before, at=at)


@laws
@given(histories, events(actors=(ActorKind.POLICY,)), moments)
def test_a_policy_change_loosens_only_for_people_who_never_said_no(
    history: list[PermissionEvent], event: PermissionEvent, at: Any
) -> None:
    before = come_to(history)
    after = come_to([event], onto=before)
    if event.kind not in {EventKind.ESTABLISH, EventKind.RELEASE}:
        assert_no_looser(after, before, at=at)
    for use, permission in before.permissions.items():
        if permission.state in STOPPED:
            assert after.permissions[use].state in STOPPED | {State.ERASED}


@laws
@given(histories, st.integers(0, 12))
def test_folding_on_equals_folding_everything_again(
    history: list[PermissionEvent], cut: int
) -> None:
    assert come_to(history[cut:], onto=come_to(history[:cut])) == come_to(history)


@laws
@given(histories, st.randoms(use_true_random=False))
def test_the_order_in_which_the_events_of_a_cycle_arrive_does_not_matter(
    history: list[PermissionEvent], shuffle: random.Random
) -> None:
    shuffled = list(history)
    shuffle.shuffle(shuffled)
    assert come_to(in_fold_order(shuffled)) == come_to(in_fold_order(history))


@laws
@given(
    histories, st.lists(events(stop_kinds), max_size=5), st.randoms(use_true_random=False), moments
)
def test_stops_come_to_the_same_in_any_order(
    history: list[PermissionEvent],
    stops: list[PermissionEvent],
    shuffle: random.Random,
    at: Any,
) -> None:
    shuffled = list(stops)
    shuffle.shuffle(shuffled)
    before = come_to(history)
    one, other = come_to(stops, onto=before), come_to(shuffled, onto=before)
    told = [(stop.kind, stop.purpose, stop.channel, stop.since, stop.own) for stop in one.stops]
    assert told == [
        (stop.kind, stop.purpose, stop.channel, stop.since, stop.own) for stop in other.stops
    ]
    for use in KEYS_OF_ONE_PERSON:
        first, second = one.permissions.get(use), other.permissions.get(use)
        if first is not None and second is not None:
            assert first.stopped_at == second.stopped_at
    verdicts = {key: answer.verdict for key, answer in answers(one, at=at).items()}
    assert verdicts == {key: answer.verdict for key, answer in answers(other, at=at).items()}


@laws
@given(histories)
def test_a_refused_event_leaves_every_permission_as_it_was(history: list[PermissionEvent]) -> None:
    subject = NOTHING
    for event in history:
        after = come_to([event], onto=subject)
        if len(after.refusals) > len(subject.refusals):
            assert after.permissions == subject.permissions
            assert after.hold == subject.hold
            assert after.refusals[-1].event_id == event.id
        subject = after


@laws
@given(histories)
def test_the_revision_moves_only_with_what_a_reader_can_see(
    history: list[PermissionEvent],
) -> None:
    subject = NOTHING
    for number, event in enumerate(history, start=1):
        after = come_to([replace(event, revision=number)], onto=subject)
        for use, permission in after.permissions.items():
            before = subject.permissions.get(use)
            if before is None:
                assert permission.revision == number
                continue
            assert permission.revision in {before.revision, number}
            unseen = replace(before, stopped_at=permission.stopped_at, own=permission.own)
            assert (permission.revision == number) == (permission != unseen)
        subject = after


@st.composite
def valid_permissions(draw: st.DrawFn) -> Permission:
    basis = draw(st.sampled_from(LawfulBasis))
    consent = basis is LawfulBasis.CONSENT
    return Permission(
        use=draw(st.sampled_from((MARKETING_BY_POST, MARKETING_BY_EMAIL, RESEARCH))),
        basis=basis,
        state=State.GIVEN if consent else State.IN_FORCE,
        marketing=True,
        revision=1,
        reason="GRANT_ACCEPTED_VERIFIED",
        since=hours(-10),
        granted_at=hours(-10) if consent else None,
        effective_from=draw(st.sampled_from((None, hours(-5)))),
        effective_to=draw(st.sampled_from((None, hours(5)))),
        trust=draw(st.sampled_from(Trust)),
        grade=draw(st.sampled_from(Grade)),
        notice_id=draw(st.sampled_from(("consent-en-1", None))),
        point="bb",
        held=draw(st.sampled_from((None, None, "MASS_CHANGE_CIRCUIT_OPEN"))),
    )


LOSSES: dict[str, dict[str, Any]] = {
    "evidence": {"grade": Grade.NONE},
    "trust": {"trust": Trust.UNVERIFIED_RELAY},
    "the notice": {"notice_id": None},
    "the end": {"effective_to": hours(0)},
    "the address": {"point": None},
    "age": {"granted_at": hours(-99999)},
    "judgement": {"held": "MASS_CHANGE_CIRCUIT_OPEN"},
}


@laws
@pytest.mark.parametrize("lost", LOSSES)
@given(permission=valid_permissions(), category=st.sampled_from(Category))
def test_losing_what_a_permission_rests_on_never_loosens(
    lost: str, permission: Permission, category: Category
) -> None:
    before = ask(permission, category=category)
    after = ask(replace(permission, **LOSSES[lost]), category=category)
    assert after.verdict >= before.verdict


POLICY_LOSSES: dict[str, dict[str, Any]] = {
    "the purpose": {"status": PurposeStatus.RETIRED},
    "the basis": {"assignments": ()},
    "the assessment": {"assessment": None},
    "the channel": {"channels": ()},
    "a lower grade": {"required_grade": Grade.A},
    "a longer age": {"max_age": timedelta(hours=1)},
}


@laws
@pytest.mark.parametrize("lost", POLICY_LOSSES)
@given(permission=valid_permissions(), category=st.sampled_from(Category))
def test_losing_what_the_policy_gave_never_loosens(
    lost: str, permission: Permission, category: Category
) -> None:
    policy = with_purpose(permission.use.purpose, **POLICY_LOSSES[lost])
    after = ask(permission, category=category, policy=policy)
    assert after.verdict >= ask(permission, category=category).verdict


@laws
@given(
    valid_permissions(),
    st.sets(st.sampled_from(sorted(set(ConditionKind) - {ConditionKind.RESTRICTION}))),
    st.sampled_from(Category),
)
def test_losing_a_condition_or_gaining_a_restriction_never_loosens(
    permission: Permission, lost: set[ConditionKind], category: Category
) -> None:
    whole = every_condition()
    fewer = tuple(one for one in whole if one.kind not in lost)
    restricted = (*whole, a_condition(ConditionKind.RESTRICTION))
    before = ask(permission, category=category, conditions=whole).verdict
    assert ask(permission, category=category, conditions=fewer).verdict >= before
    assert ask(permission, category=category, conditions=restricted).verdict >= before


@laws
@given(histories)
def test_a_marketing_objection_denies_marketing_and_changes_no_other_message(
    history: list[PermissionEvent],
) -> None:
    before = come_to(history)
    objection = an_event(EventKind.STOP_MARKETING, hours(50), use=EVERYTHING)
    after = come_to([objection], onto=before)
    assert StopKind.MARKETING_OBJECTION in {stop.kind for stop in after.stops}
    then = answers(before)
    for (use, category), answer in answers(after).items():
        if category is Category.MARKETING or use.purpose == "direct_marketing":
            assert answer.verdict is Verdict.DENY
        else:
            assert answer == then[use, category]


@laws
@given(histories, moments)
def test_every_answer_gives_the_first_of_its_worst_reasons(
    history: list[PermissionEvent], at: Any
) -> None:
    for (_, category), answer in answers(come_to(history), at=at).items():
        if answer.failed:
            worst = max(failure.verdict for failure in answer.failed)
            first = next(failure for failure in answer.failed if failure.verdict is worst)
            assert (answer.verdict, answer.reason) == (worst, first.reason)
        else:
            assert answer.verdict is Verdict.ALLOW
            assert answer.reason.startswith("ALLOW_")
        if category in STANDALONE and answer.reason == "HOLD_NOT_YET_JUDGED":
            pytest.fail("a message the law asks for waited for a judgement on a permission")


local_parts = st.text(min_size=1, max_size=12)
domains = st.sampled_from(("Example.COM", "b\u00fccher.example", "mail.example.org", "a_b.example"))
addresses = st.one_of(
    st.builds("{}@{}".format, local_parts, domains),
    st.emails(),
    st.text(max_size=20),
)


@laws
@given(addresses)
def test_normalising_an_address_twice_changes_nothing(text: str) -> None:
    narrow, wide = normalise_email(text), wide_email(text)
    assert (narrow is None) == (wide is None)
    if narrow is not None and wide is not None:
        assert normalise_email(narrow) == narrow
        assert wide_email(narrow) == wide


@laws
@given(addresses, addresses)
def test_whatever_matches_narrowly_matches_widely(text: str, other: str) -> None:
    typings = [text, other, text.upper(), f" {text} ", unicodedata.normalize("NFD", text)]
    points = [
        contact_point(PointType.EMAIL, one, keys=KEYS, default_country="GB") for one in typings
    ]
    for one in points:
        for two in points:
            if one is not None and two is not None and one.exact and one.exact == two.exact:
                assert one.hmac == two.hmac


@laws
@given(st.from_regex(r"[A-Za-z0-9.]{1,12}", fullmatch=True), st.sampled_from(("", "+news", "+A+b")))
def test_a_stop_matches_an_address_in_any_letter_case_and_with_any_tag(
    local: str, tag: str
) -> None:
    plain = wide_email(f"{local}@example.com")
    assert plain is not None
    assert wide_email(f"{local.upper()}{tag}@EXAMPLE.com") == plain


numbers = st.one_of(
    st.from_regex(r"(\+1[ .-]?)?\(?[2-9][0-9]{2}\)? ?[2-9][0-9]{2}[ .-]?[0-9]{4}", fullmatch=True),
    st.from_regex(r"\+?[0-9 ()-]{3,18}", fullmatch=True),
    st.text(max_size=20),
)
countries = st.sampled_from(("US", "CA", "GB", "DE", "FR", "IT", ""))


@laws
@given(numbers, countries)
def test_a_number_is_what_the_metadata_of_all_countries_makes_of_it(
    text: str, country: str
) -> None:
    text = unicodedata.normalize("NFKC", text).strip()
    try:
        number = phonenumbers.parse(text, country or None)
    except phonenumbers.NumberParseException:
        assert normalise_phone(text, country) is None
        return
    possible = phonenumbers.is_possible_number(number)
    written = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    assert normalise_phone(text, country) == (written if possible else None)


@laws
@given(numbers, countries, countries)
def test_normalising_a_number_twice_changes_nothing(text: str, country: str, other: str) -> None:
    once = normalise_phone(text, country)
    assume(once is not None)
    assert once is not None
    assert normalise_phone(once, other) == once


def headers(text: str) -> list[int]:
    """The lines after which a new key would belong to some table."""
    lines = text.splitlines()
    return [n for n, line in enumerate(lines) if line.startswith(("[", "version = "))]


@laws
@given(st.sampled_from(headers(POLICY_TEXT)), st.from_regex(r"[a-z]{3,12}_x", fullmatch=True))
def test_an_unknown_key_anywhere_in_a_policy_is_refused_by_its_name(line: int, key: str) -> None:
    lines = POLICY_TEXT.splitlines()
    lines.insert(line + 1, f"{key} = 1")
    text = "\n".join(lines)
    assume(key not in str(tomllib.loads(POLICY_TEXT)))
    with pytest.raises(PolicyRefused, match=key) as caught:
        parse_policy(text)
    assert caught.value.hint
