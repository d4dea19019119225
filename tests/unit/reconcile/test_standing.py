"""What Salesforce should hold: claims that wait to the moment they run out, and flags nobody else may open."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from salesforce_bridge.permissions.bundle import Policy, PurposeStatus
from salesforce_bridge.permissions.events import EventKind
from salesforce_bridge.permissions.keys import Use
from salesforce_bridge.reconcile.facts import ACTIVE, Candidate, SubjectRecord
from salesforce_bridge.reconcile.standing import Standing, flags_wanted, is_lifted, standing_of
from salesforce_bridge.reconcile.words import Flag
from tests.unit.reconcile.sightings import POLICY, a_person, a_suppression, hours
from tests.unit.reconcile.worlds import (
    EVERYTHING,
    NEWS_BY_CALL,
    NEWS_BY_EMAIL,
    NOON,
    OFFERS,
    RESEARCH,
    SERVICE,
    a_contact,
    a_use,
    subject_id,
    with_offers,
)

EVENT = EventKind
CALLS = "do_not_call"
MAIL = "opted_out_of_email"
NO, YES = hours(-9), hours(-3)


@pytest.mark.parametrize(
    ("flag", "history", "expected"),
    [
        (MAIL, (), False),
        # Nobody ever said no: there is nothing that they could have lifted but by saying yes.
        (MAIL, ((EVENT.REQUEST, NEWS_BY_EMAIL, NO),), False),
        (MAIL, ((EVENT.GRANT, NEWS_BY_EMAIL, NO),), True),
        (MAIL, ((EVENT.WITHDRAW, NEWS_BY_EMAIL, NO), (EVENT.GRANT, NEWS_BY_EMAIL, YES)), True),
        (MAIL, ((EVENT.GRANT, NEWS_BY_EMAIL, NO), (EVENT.WITHDRAW, NEWS_BY_EMAIL, YES)), False),
        # A yes that lapsed since was a yes all the same.
        (MAIL, ((EVENT.GRANT, NEWS_BY_EMAIL, NO), (EVENT.REVOKE, NEWS_BY_EMAIL, YES)), True),
        # What the flag does not close says nothing about it.
        (CALLS, ((EVENT.GRANT, NEWS_BY_EMAIL, NO),), False),
        (MAIL, ((EVENT.GRANT, NEWS_BY_CALL, NO),), False),
        (MAIL, ((EVENT.ESTABLISH, SERVICE, NO),), False),
        (MAIL, ((EVENT.ESTABLISH, RESEARCH, NO), (EVENT.LIFT, RESEARCH, YES)), False),
        (
            MAIL,
            ((EVENT.STOP_MARKETING, EVERYTHING, NO), (EVENT.GRANT, NEWS_BY_CALL, YES)),
            False,
        ),
    ],
)
def test_only_a_yes_of_the_person_to_marketing_on_its_channels_lifts_a_flag(
    flag: str, history: tuple[Any, ...], expected: bool
) -> None:
    assert is_lifted(a_person(*history), flag, policy=POLICY, at=NOON) is expected


@pytest.mark.parametrize(
    ("at", "reason"),
    [
        (NOON - timedelta(seconds=1), "GRANT_QUARANTINED_ATTESTED"),
        (NOON, "DENY_NOT_ESTABLISHED"),
        (NOON + timedelta(seconds=1), "DENY_NOT_ESTABLISHED"),
    ],
)
def test_a_claim_is_shown_as_waiting_until_the_moment_at_which_it_runs_out(
    at: datetime, reason: str
) -> None:
    claim = Candidate(
        id="claim-1",
        subject_id=subject_id(1),
        use=NEWS_BY_EMAIL,
        reason="GRANT_QUARANTINED_ATTESTED",
        claimed_at=hours(-9),
        evidence_ref="letter 7",
        note_digest=None,
        claimed_by=None,
        source_record="row 1",
        expires_at=NOON,
    )
    shown = standing_of(
        a_person(candidates=(claim,)),
        NEWS_BY_EMAIL,
        contact=a_contact(1),
        link_state=ACTIVE,
        policy=POLICY,
        at=at,
    )
    assert shown.reason == reason


def test_a_flag_that_closes_no_channel_of_ours_is_never_asked_for() -> None:
    """Nobody can have stopped what there is no channel for, not even with a no to everything."""
    without_fax = replace(
        POLICY,
        channels={key: each for key, each in POLICY.channels.items() if each.flag != Flag.FAX},
    )
    person = a_person((EVENT.STOP_ALL, EVERYTHING, NO))
    assert flags_wanted(person, policy=POLICY, at=NOON)["opted_out_of_fax"]
    assert not flags_wanted(person, policy=without_fax, at=NOON)["opted_out_of_fax"]


@pytest.mark.parametrize("marketing", [True, False])
def test_a_yes_to_a_purpose_the_policy_has_forgotten_lifts_a_flag_if_it_was_marketing(
    marketing: bool,
) -> None:
    known = with_offers(POLICY, marketing=marketing)
    person = a_person((EVENT.GRANT, OFFERS, NO, {"marketing": marketing}), policy=known)
    assert is_lifted(person, MAIL, policy=POLICY, at=NOON) is marketing


@pytest.mark.parametrize(("expires_at", "expected"), [(hours(1), False), (NOON, True)])
def test_a_silence_that_has_run_out_keeps_no_flag(expires_at: datetime, expected: bool) -> None:
    silent = a_suppression(since=hours(-1), after_erasure=False, expires_at=expires_at)
    person = a_person((EVENT.GRANT, NEWS_BY_EMAIL, YES), suppressions=(silent,))
    assert is_lifted(person, MAIL, policy=POLICY, at=NOON) is expected


@pytest.mark.parametrize(
    ("history", "mail", "fax"),
    [
        ((), False, False),
        (((EVENT.WITHDRAW, NEWS_BY_EMAIL, NO),), True, False),
        # A no to the news on every channel leaves none on that of the flag, and says nothing about others.
        (((EVENT.STOP_MARKETING, a_use(channel="*"), NO),), True, False),
        (((EVENT.STOP_CHANNEL, a_use("*", "FAX"), NO),), False, True),
        (((EVENT.STOP_CHANNEL, a_use("*", "EMAIL"), NO),), True, False),
        (((EVENT.STOP_MARKETING, EVERYTHING, NO),), True, True),
        (((EVENT.STOP_MARKETING, EVERYTHING, NO), (EVENT.GRANT, NEWS_BY_EMAIL, YES)), False, True),
    ],
)
def test_a_flag_is_asked_for_where_no_marketing_is_left_on_its_channels(
    history: tuple[Any, ...], mail: bool, fax: bool
) -> None:
    wanted = flags_wanted(a_person(*history), policy=POLICY, at=NOON)
    assert (wanted[MAIL], wanted["opted_out_of_fax"]) == (mail, fax)


def shown(person: SubjectRecord, *, policy: Policy = POLICY, use: Use = NEWS_BY_EMAIL) -> Standing:
    return standing_of(person, use, contact=a_contact(1), link_state=ACTIVE, policy=policy, at=NOON)


SILENT = {"since": hours(-20), "after_erasure": True}


@pytest.mark.parametrize(
    ("history", "left", "reason"),
    [
        (((EVENT.WITHDRAW, NEWS_BY_EMAIL, NO),), None, "TOLD_WITHDRAW"),
        (((EVENT.STOP_MARKETING, EVERYTHING, NO),), None, "TOLD_STOP_MARKETING"),
        # What was said about the very use explains it best.
        (
            ((EVENT.STOP_MARKETING, EVERYTHING, NO), (EVENT.WITHDRAW, NEWS_BY_EMAIL, YES)),
            None,
            "TOLD_WITHDRAW",
        ),
        # What was lifted since explains nothing, however wide it was.
        (
            (
                (EVENT.STOP_MARKETING, EVERYTHING, hours(-12)),
                (EVENT.GRANT, NEWS_BY_EMAIL, NO),
                (EVENT.STOP_CHANNEL, a_use("*", "EMAIL"), YES),
            ),
            None,
            "TOLD_STOP_CHANNEL",
        ),
        # An address that must stay silent, as long as it must.
        ((), {}, "CONTACT_MATCHES_SUPPRESSION"),
        (((EVENT.STOP_MARKETING, EVERYTHING, NO),), {}, "CONTACT_MATCHES_SUPPRESSION"),
        (((EVENT.STOP_MARKETING, EVERYTHING, NO),), {"expires_at": NOON}, "TOLD_STOP_MARKETING"),
        (((EVENT.ERASE, NEWS_BY_EMAIL, NO),), None, "DENY_SUBJECT_ERASED"),
    ],
)
def test_a_stop_is_explained_by_what_stands_over_the_use(
    history: tuple[Any, ...], left: dict[str, Any] | None, reason: str
) -> None:
    silent = () if left is None else (a_suppression(**(SILENT | left)),)
    standing = shown(a_person(*history, suppressions=silent))
    assert (standing.status, standing.reason) == ("Stopped", reason)


def test_a_stop_of_a_purpose_the_policy_has_forgotten_is_explained_by_what_it_was() -> None:
    known = with_offers(POLICY, marketing=False)
    person = a_person(
        (EVENT.GRANT, OFFERS, hours(-12), {"marketing": False}),
        (EVENT.STOP_MARKETING, EVERYTHING, NO),
        (EVENT.STOP_ALL, a_use("*", "EMAIL"), YES),
        policy=known,
    )
    standing = shown(person, use=OFFERS)
    assert (standing.status, standing.reason) == ("Stopped", "TOLD_STOP_ALL")


@pytest.mark.parametrize(
    ("begins_at", "status"), [(NOON, "Lapsed"), (NOON + timedelta(seconds=1), "Limited")]
)
def test_what_begins_at_this_moment_has_begun(begins_at: datetime, status: str) -> None:
    """The purpose is retired, so nobody may use it, and it does not wait for anything."""
    news = POLICY.purposes[NEWS_BY_EMAIL.purpose]
    retired = replace(news, status=PurposeStatus.RETIRED)
    policy = replace(POLICY, purposes={**POLICY.purposes, news.key: retired})
    person = a_person((EVENT.GRANT, NEWS_BY_EMAIL, NO, {"effective_from": begins_at}))
    assert shown(person, policy=policy).status == status
