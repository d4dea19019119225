"""What the winner of a merge is told, use by use: each line is one history of either side, and what comes of both.

Histories are told about news by post unless they name another use; moments are hours before noon.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from salesforce_bridge.permissions.bases import LawfulBasis
from salesforce_bridge.permissions.events import EventKind, PermissionEvent
from salesforce_bridge.permissions.evidence import Grade
from salesforce_bridge.permissions.fold import NOTHING, fold
from salesforce_bridge.permissions.keys import Use
from salesforce_bridge.reconcile.facts import SubjectRecord
from salesforce_bridge.reconcile.joins import (
    HOLD_TIER,
    LAPSE_TIER,
    NOTHING_TIER,
    Merge,
    join,
    later_yes,
    stops_shared,
    tier_of,
)
from tests.unit.reconcile.sightings import POLICY as WRITTEN
from tests.unit.reconcile.sightings import a_suppression, hours
from tests.unit.reconcile.worlds import (
    EVERYTHING,
    NEWS_BY_POST,
    NOON,
    OFFERS,
    RESEARCH,
    a_record,
    an_event,
    contact_id,
    subject_id,
    with_offers,
)

EVENT = EventKind
POLICY = with_offers(WRITTEN, marketing=False)
BEN = contact_id(2)
MERGED_AT = hours(-1 / 60)
JOINED, NO_CARRIED = "MERGE_RESTRICTIVE_JOIN", "MERGE_STOP_CARRIED"
CARRIED_ON = "MERGE_RESTRICTION_CARRIED"
Told = tuple[Any, ...]  # a kind, its moment, perhaps a use, perhaps more that the event says


def a_person(number: int, *history: Told, **said: Any) -> SubjectRecord:
    folded = NOTHING
    for kind, at, *more in history:
        use = next((each for each in more if isinstance(each, Use)), NEWS_BY_POST)
        named = next((each for each in more if isinstance(each, dict)), {})
        event = an_event(subject_id(number), kind, use, hours(at), **named)
        folded = fold((event,), policy=POLICY, onto=folded)
    held = {"permissions": folded.permissions, "stops": folded.stops, "hold": folded.hold}
    return a_record(number, **(held | said))


def a_merge(loser: SubjectRecord, winner: SubjectRecord, **said: Any) -> Merge:
    """Ben, the loser, is merged into Ann."""
    plain: dict[str, Any] = {
        "loser": loser,
        "winner": winner,
        "contact_id": BEN,
        "proven": True,
        "merged_at": MERGED_AT,
        "policy": POLICY,
        "at": NOON,
    }
    return Merge(**(plain | said))


def merged(bens: Iterable[Told], anns: Iterable[Told], **said: Any) -> list[PermissionEvent]:
    return list(join(a_merge(a_person(2, *bens), a_person(1, *anns), **said)))


def in_words(events: Iterable[PermissionEvent]) -> list[tuple[EventKind, float, str]]:
    return [
        (each.kind, (each.happened_at - NOON) / timedelta(hours=1), each.reason) for each in events
    ]


YES, NO, LAPSE = (EVENT.GRANT, -5), (EVENT.WITHDRAW, -5), (EVENT.REVOKE, -5)
REFUSED, ASKED, HELD = (EVENT.REFUSE, -5), (EVENT.REQUEST, -5), (EVENT.HOLD, -4)
RELIED_ON = (EVENT.ESTABLISH, -9, RESEARCH)
CHALLENGED, UPHELD = (EVENT.OBJECT_GROUNDS, -5, RESEARCH), (EVENT.UPHOLD, -4, RESEARCH)
ENDED = (EVENT.END, -5, RESEARCH)

TOLD_NO = [(EVENT.END, -5, JOINED), (EVENT.WITHDRAW, -5, NO_CARRIED)]
TOLD_YES = [(EVENT.GRANT, -5, JOINED)]


@pytest.mark.parametrize(
    ("bens", "anns", "told"),
    [
        # A no goes before everything, and of two the later one counts.
        ([NO], [], TOLD_NO),
        ([NO], [YES], TOLD_NO),
        ([NO], [LAPSE], TOLD_NO),
        ([NO], [(EVENT.WITHDRAW, -6)], TOLD_NO),
        ([NO], [(EVENT.WITHDRAW, -5)], []),
        ([NO], [(EVENT.WITHDRAW, -4)], []),
        ([REFUSED], [], [(EVENT.END, -5, JOINED), (EVENT.REFUSE, -5, NO_CARRIED)]),
        # What was said no to twice is told as of the last time.
        (
            [NO, (EVENT.WITHDRAW, -3)],
            [],
            [(EVENT.END, -5, JOINED), (EVENT.WITHDRAW, -3, NO_CARRIED)],
        ),
        # A yes counts where nobody said no and nothing is held, and of two the later one.
        ([YES], [], TOLD_YES),
        ([YES], [ASKED], TOLD_YES),
        ([YES], [LAPSE], TOLD_YES),
        ([YES], [(EVENT.GRANT, -6)], TOLD_YES),
        ([YES], [(EVENT.GRANT, -5)], []),
        ([YES], [(EVENT.GRANT, -4)], []),
        ([YES], [NO], []),
        ([YES], [YES, HELD], []),
        ([YES], [(EVENT.STOP_MARKETING, -9, EVERYTHING)], []),
        # It is dated from when it was said, whatever was lifted since.
        ([YES, (EVENT.LIFT, -3)], [], TOLD_YES),
        # A hold comes along with what it holds, under its own reason.
        ([YES, HELD], [], [*TOLD_YES, (EVENT.HOLD, -5, "TOLD_HOLD")]),
        ([YES, HELD], [YES], [*TOLD_YES, (EVENT.HOLD, -5, "TOLD_HOLD")]),
        ([ASKED, HELD], [], [(EVENT.HOLD, -5, "TOLD_HOLD")]),
        ([YES, HELD], [NO], []),
        # What lapsed is told where nothing was ever decided; a lapse after a lapse is no news.
        ([LAPSE], [], [(EVENT.REVOKE, -5, JOINED)]),
        ([LAPSE], [ASKED], [(EVENT.REVOKE, -5, JOINED)]),
        ([LAPSE], [(EVENT.REVOKE, -6)], []),
        ([LAPSE], [(EVENT.REVOKE, -4)], []),
        ([LAPSE], [YES], []),
        ([ASKED], [], []),
        ([ASKED], [YES], []),
        # A basis is told as begun, and then as challenged, objected to, or ended.
        ([RELIED_ON], [], [(EVENT.ESTABLISH, -9, JOINED)]),
        (
            [RELIED_ON, CHALLENGED],
            [RELIED_ON],
            [(EVENT.ESTABLISH, -5, JOINED), (EVENT.OBJECT_GROUNDS, -5, CARRIED_ON)],
        ),
        (
            [RELIED_ON, CHALLENGED, (EVENT.HOLD, -4, RESEARCH)],
            [],
            [
                (EVENT.ESTABLISH, -5, JOINED),
                (EVENT.OBJECT_GROUNDS, -5, CARRIED_ON),
                (EVENT.HOLD, -5, "TOLD_HOLD"),
            ],
        ),
        (
            [RELIED_ON, CHALLENGED, UPHELD],
            [RELIED_ON],
            [(EVENT.END, -4, JOINED), (EVENT.OBJECT_GROUNDS, -4, NO_CARRIED)],
        ),
        ([RELIED_ON, ENDED], [], [(EVENT.ESTABLISH, -9, JOINED), (EVENT.END, -5, JOINED)]),
        ([RELIED_ON, ENDED], [RELIED_ON], []),
        # Erased is erased.
        ([(EVENT.ERASE, -5)], [NO], [(EVENT.ERASE, -5, JOINED)]),
        ([NO], [(EVENT.ERASE, -5)], []),
    ],
)
def test_of_both_histories_the_more_restrictive_one_is_told(
    bens: list[Told], anns: list[Told], told: list[tuple[EventKind, float, str]]
) -> None:
    events = merged(bens, anns)
    assert in_words(events) == told
    assert all(each.own for each in events)
    assert {each.source_record for each in events} <= {BEN}


@pytest.mark.parametrize(
    ("bens", "told"),
    [
        ([YES], []),
        ([RELIED_ON], []),
        ([NO], TOLD_NO),
        ([YES, HELD], [(EVENT.HOLD, -5, "TOLD_HOLD")]),
        ([RELIED_ON, CHALLENGED], [(EVENT.OBJECT_GROUNDS, -5, CARRIED_ON)]),
        ([RELIED_ON, ENDED], [(EVENT.ESTABLISH, -9, JOINED), (EVENT.END, -5, JOINED)]),
    ],
)
def test_nothing_that_permits_is_told_of_who_only_may_be_this_person(
    bens: list[Told], told: list[tuple[EventKind, float, str]]
) -> None:
    assert in_words(merged(bens, [], proven=False)) == told


def test_a_no_that_was_only_carried_to_the_loser_is_only_carried_to_the_winner() -> None:
    carried = (EVENT.WITHDRAW, -5, {"own": False})
    assert {each.own for each in merged([carried], []) if each.kind is EVENT.WITHDRAW} == {False}


def test_a_yes_brings_its_proof_along_and_a_hold_has_none() -> None:
    grant, hold = merged([YES, HELD], [])
    assert (grant.grade, grant.notice_id) == (Grade.A, "consent-en-1")
    assert (hold.grade, hold.notice_id) == (Grade.NONE, None)


def test_what_began_at_no_known_moment_began_before_it_ended() -> None:
    ben = a_person(2, RELIED_ON, ENDED)
    for began in (None, hours(-3)):
        ended = replace(ben.permissions[RESEARCH], effective_from=began)
        loser = replace(ben, permissions={RESEARCH: ended})
        begun, over = join(a_merge(loser, a_person(1)))
        assert (begun.kind, over.kind) == (EVENT.ESTABLISH, EVENT.END)
        assert begun.happened_at < over.happened_at == hours(-5)


@pytest.mark.parametrize(
    ("history", "tier"),
    [
        ([], NOTHING_TIER),
        ([ASKED], NOTHING_TIER),
        ([LAPSE], LAPSE_TIER),
        ([ASKED, HELD], HOLD_TIER),
        ([YES, HELD], HOLD_TIER),
    ],
)
def test_a_hold_counts_until_somebody_has_looked_whatever_it_holds(
    history: list[Told], tier: int
) -> None:
    assert tier_of(a_person(2, *history).permissions.get(NEWS_BY_POST)) == tier


@pytest.mark.parametrize(
    ("bens", "proven"),
    [([YES], False), ([LAPSE], True), ([NO], True)],
)
def test_only_a_yes_that_is_told_brings_along_what_was_noted_about_it(
    bens: list[Told], proven: bool
) -> None:
    ben = a_person(2, *bens)
    said = replace(ben.permissions[NEWS_BY_POST], latest_notice="consent-en-2")
    merge = a_merge(replace(ben, permissions={NEWS_BY_POST: said}), a_person(1), proven=proven)
    assert EVENT.NOTICED not in {each.kind for each in join(merge)}


def test_a_hold_of_the_whole_person_is_told_once() -> None:
    held = (EVENT.HOLD, -5, EVERYTHING)
    (event,) = merged([held], [])
    assert (event.kind, event.use, event.reason) == (EVENT.HOLD, EVERYTHING, "TOLD_HOLD")
    assert (event.happened_at, event.own) == (MERGED_AT, True)
    assert merged([held], [held]) == []


# ---------------------------------------------------------------- a no that is wider than one use


@pytest.mark.parametrize("own", [True, False])
@pytest.mark.parametrize(("yes", "narrow"), [(-9, False), (-5, False), (-4, True), (-1, True)])
def test_a_wide_no_keeps_its_day_and_stops_what_passed_it_use_by_use(
    yes: float, narrow: bool, own: bool
) -> None:
    wide, *others = merged(
        [(EVENT.STOP_MARKETING, -5, EVERYTHING, {"own": own})], [(EVENT.GRANT, yes)]
    )
    assert (wide.kind, wide.use, wide.own) == (EVENT.STOP_MARKETING, EVERYTHING, own)
    assert (wide.happened_at, wide.reason) == (hours(-5), NO_CARRIED)
    assert in_words(others) == ([(EVENT.WITHDRAW, -5, NO_CARRIED)] if narrow else [])
    assert all(each.own is own for each in others)


def test_where_no_words_would_do_a_wide_no_is_told_over_the_yes_as_well() -> None:
    """A contract knows no such no, and there the person had lifted another one since."""
    winner = a_person(1, (EVENT.ESTABLISH, -9, RESEARCH))
    lifted = replace(winner.permissions[RESEARCH], lifted_at=hours(-3), basis=LawfulBasis.CONTRACT)
    winner = replace(winner, permissions={RESEARCH: lifted})
    loser = a_person(2, (EVENT.STOP_ALL, -5, EVERYTHING))
    (wide,) = join(a_merge(loser, winner))
    assert (wide.kind, wide.happened_at) == (EVENT.STOP_ALL, hours(-3))


# ---------------------------------------------------------------- a yes that is later than the other's no


def waiting(one: SubjectRecord, other: SubjectRecord) -> list[tuple[Use, datetime]]:
    both = {
        tuple((each.use, each.claimed_at) for each in later_yes(a_merge(loser, winner)))
        for loser, winner in ((one, other), (other, one))
    }
    assert len(both) == 1, "who is merged into whom does not matter"
    return list(both.pop())


@pytest.mark.parametrize(
    ("ones", "others", "waits"),
    [
        ([YES], [], False),
        ([YES], [LAPSE], False),
        ([YES], [(EVENT.WITHDRAW, -6)], True),
        ([YES], [(EVENT.WITHDRAW, -5)], False),
        ([YES], [(EVENT.WITHDRAW, -4)], False),
        ([YES], [(EVENT.STOP_MARKETING, -6, EVERYTHING)], True),
        ([YES], [(EVENT.STOP_MARKETING, -4, EVERYTHING)], False),
        (
            [YES],
            [(EVENT.STOP_CHANNEL, -6, Use(purpose=EVERYTHING.purpose, channel=RESEARCH.channel))],
            False,
        ),
        # A wide no counts beside whatever else is known of the use.
        ([YES], [(EVENT.REQUEST, -9), (EVENT.STOP_MARKETING, -6, EVERYTHING)], True),
        ([YES], [(EVENT.WITHDRAW, -4), (EVENT.STOP_MARKETING, -6, EVERYTHING)], False),
        # What was lifted since stands no longer.
        ([YES], [(EVENT.STOP_MARKETING, -7, EVERYTHING), (EVENT.GRANT, -6)], False),
        # Who said no themselves since has nothing to be reviewed.
        ([YES, (EVENT.STOP_MARKETING, -4, EVERYTHING)], [(EVENT.WITHDRAW, -6)], False),
        ([YES, (EVENT.REVOKE, -4)], [(EVENT.WITHDRAW, -6)], False),
    ],
)
def test_a_yes_waits_for_review_if_it_is_later_than_a_no_of_the_other_that_stands(
    ones: list[Told], others: list[Told], waits: bool
) -> None:
    found = waiting(a_person(1, *ones), a_person(2, *others))
    assert found == ([(NEWS_BY_POST, hours(-5))] if waits else [])


def test_a_no_to_one_use_told_under_a_wider_one_counts_from_then() -> None:
    other = a_person(2, (EVENT.GRANT, -9), (EVENT.STOP_MARKETING, -6, EVERYTHING))
    again = replace(other.permissions[NEWS_BY_POST], stopped_at=hours(-4))
    assert waiting(a_person(1, YES), other) == [(NEWS_BY_POST, hours(-5))]
    other = replace(other, permissions={NEWS_BY_POST: again})
    assert waiting(a_person(1, YES), other) == []


@pytest.mark.parametrize(("kind", "waits"), [(EVENT.STOP_MARKETING, False), (EVENT.STOP_ALL, True)])
def test_a_no_to_marketing_says_nothing_about_what_is_none(kind: EventKind, waits: bool) -> None:
    yes = (EVENT.GRANT, -5, OFFERS, {"marketing": False})
    found = waiting(a_person(1, yes), a_person(2, (kind, -6, EVERYTHING)))
    assert found == ([(OFFERS, hours(-5))] if waits else [])


# ---------------------------------------------------------------- a no that came with an address


@pytest.mark.parametrize(
    ("bens", "anns", "is_told"),
    [
        ([NO], [], True),
        ([(EVENT.WITHDRAW, -2)], [], False),  # he was told as of then already
        ([(EVENT.WITHDRAW, -1)], [], False),
        ([NO], [(EVENT.GRANT, -3)], True),
        ([NO], [(EVENT.GRANT, -2)], False),
        ([NO], [(EVENT.GRANT, -1)], False),
        ([NO], [(EVENT.WITHDRAW, -3)], True),
        ([NO], [(EVENT.WITHDRAW, -2)], False),
        ([NO], [(EVENT.STOP_MARKETING, -3, EVERYTHING)], True),
        ([NO], [(EVENT.STOP_MARKETING, -1, EVERYTHING)], False),
        ([(EVENT.STOP_MARKETING, -5, EVERYTHING)], [], True),
        ([YES], [], False),  # he is not stopped, so there is nothing to tell
        ([], [], False),
    ],
)
def test_the_last_no_with_an_address_is_told_to_who_has_said_nothing_since(
    bens: list[Told], anns: list[Told], is_told: bool
) -> None:
    merge = a_merge(a_person(2, *bens), a_person(1, *anns), shared={NEWS_BY_POST: hours(-2)})
    events = list(stops_shared(merge))
    assert in_words(events) == ([(EVENT.WITHDRAW, -2, NO_CARRIED)] if is_told else [])
    assert all(each.own is False for each in events)


@pytest.mark.parametrize(("expires_at", "is_told"), [(hours(1), True), (NOON, False), (None, True)])
def test_an_address_that_is_silent_now_stops_who_has_it(
    expires_at: datetime | None, is_told: bool
) -> None:
    silent = a_suppression(since=hours(-9), after_erasure=False, expires_at=expires_at)
    loser = a_person(2, suppressions=(silent,))
    merge = a_merge(loser, a_person(1), shared={NEWS_BY_POST: hours(-2)})
    assert bool(list(stops_shared(merge))) is is_told
