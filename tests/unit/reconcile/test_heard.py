"""A no that stays on a row because it could not be cleared: whether the ledger has heard it already."""

from typing import Any

import pytest

from salesforce_bridge.permissions.events import EventKind
from salesforce_bridge.permissions.keys import Use
from salesforce_bridge.reconcile.facts import SubjectRecord
from salesforce_bridge.reconcile.objections import is_told
from tests.unit.reconcile.sightings import POLICY, a_person, a_suppression, hours
from tests.unit.reconcile.worlds import (
    EVERYTHING,
    NEWS_BY_CALL,
    NEWS_BY_EMAIL,
    NOON,
    OFFERS,
    RESEARCH,
    SERVICE,
    a_use,
    with_offers,
)

EARLIER, LATER = hours(-9), hours(-3)
BY_EMAIL, BY_CALL, NEWS = a_use("*", "EMAIL"), a_use("*", "LIVE_CALL"), a_use(channel="*")
CARRIED = {"own": False}
EVENT = EventKind


def is_heard(record: SubjectRecord, use: Use = NEWS_BY_EMAIL, *, objects: bool = False) -> bool:
    return is_told(record, use, objects=objects, policy=POLICY, at=NOON)


@pytest.mark.parametrize(
    ("history", "use", "objects", "expected"),
    [
        ((), NEWS_BY_EMAIL, False, False),
        (((EVENT.GRANT, NEWS_BY_EMAIL, EARLIER),), NEWS_BY_EMAIL, False, False),
        (((EVENT.REVOKE, NEWS_BY_EMAIL, EARLIER),), NEWS_BY_EMAIL, False, False),
        (((EVENT.WITHDRAW, NEWS_BY_EMAIL, EARLIER),), NEWS_BY_EMAIL, False, True),
        (((EVENT.WITHDRAW, NEWS_BY_EMAIL, EARLIER),), NEWS_BY_CALL, False, False),
        (((EVENT.WITHDRAW, NEWS_BY_EMAIL, EARLIER, CARRIED),), NEWS_BY_EMAIL, False, False),
        # What was said no to once was heard, whatever the person said since.
        (
            ((EVENT.WITHDRAW, NEWS_BY_EMAIL, EARLIER), (EVENT.GRANT, NEWS_BY_EMAIL, LATER)),
            NEWS_BY_EMAIL,
            False,
            True,
        ),
        # A wider no has heard every narrower one, and none that is about something else.
        (((EVENT.STOP_MARKETING, EVERYTHING, EARLIER),), NEWS_BY_EMAIL, False, True),
        (((EVENT.STOP_MARKETING, EVERYTHING, EARLIER, CARRIED),), NEWS_BY_EMAIL, False, False),
        (((EVENT.STOP_MARKETING, NEWS, EARLIER),), NEWS_BY_EMAIL, False, True),
        (((EVENT.STOP_CHANNEL, BY_EMAIL, EARLIER),), NEWS_BY_EMAIL, False, True),
        (((EVENT.STOP_CHANNEL, BY_CALL, EARLIER),), NEWS_BY_EMAIL, False, False),
        (((EVENT.STOP_MARKETING, EVERYTHING, EARLIER),), RESEARCH, False, False),
        (((EVENT.STOP_ALL, EVERYTHING, EARLIER),), RESEARCH, False, True),
        # Who objects to news, or to a service, means all marketing.
        (((EVENT.WITHDRAW, NEWS_BY_EMAIL, EARLIER),), NEWS_BY_EMAIL, True, False),
        (((EVENT.STOP_MARKETING, NEWS, EARLIER),), NEWS_BY_EMAIL, True, False),
        (((EVENT.STOP_CHANNEL, BY_EMAIL, EARLIER),), NEWS_BY_EMAIL, True, False),
        (((EVENT.STOP_MARKETING, EVERYTHING, EARLIER),), NEWS_BY_EMAIL, True, True),
        (((EVENT.STOP_MARKETING, EVERYTHING, EARLIER, CARRIED),), NEWS_BY_EMAIL, True, False),
        (((EVENT.STOP_MARKETING, EVERYTHING, EARLIER),), SERVICE, False, True),
        (((EVENT.STOP_CHANNEL, BY_EMAIL, EARLIER),), SERVICE, False, False),
    ],
)
def test_a_no_was_heard_if_the_person_ever_said_it_or_a_wider_one(
    history: tuple[Any, ...], use: Use, objects: bool, expected: bool
) -> None:
    assert is_heard(a_person(*history), use, objects=objects) is expected


@pytest.mark.parametrize(
    "left",
    [{"erased": True}, {"suppressions": (a_suppression(),)}],
)
def test_of_whom_nothing_is_remembered_nothing_is_heard_anew(left: dict[str, Any]) -> None:
    assert is_heard(a_person(**left))
    assert not is_heard(a_person(suppressions=(a_suppression(after_erasure=False),)))


@pytest.mark.parametrize("marketing", [True, False])
def test_a_purpose_the_policy_has_forgotten_stays_what_it_was_to_who_agreed(
    marketing: bool,
) -> None:
    known = with_offers(POLICY, marketing=marketing)
    agreed = (EVENT.GRANT, OFFERS, EARLIER, {"marketing": marketing})
    no = (EVENT.STOP_MARKETING, EVERYTHING, LATER)
    person = a_person(agreed, no, policy=known)
    assert is_heard(person, OFFERS) is marketing
