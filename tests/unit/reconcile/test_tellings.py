"""What the ledger is told in each story: what about, by whom, how directly, for which reason, as of when.

Read each line as: this happened, so the ledger is told this. Nothing that a machine or a rep tells is ever told
as if the person had said it, and every event names the reason under which it is explained to people.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from salesforce_bridge.permissions.bundle import PurposeStatus
from salesforce_bridge.permissions.events import ActorKind, EventKind, PermissionEvent
from salesforce_bridge.permissions.evidence import Grade, Trust
from salesforce_bridge.permissions.keys import PurposeKey, Use
from salesforce_bridge.permissions.policy import Policy
from tests.unit.reconcile.sightings import GRANT, POLICY, a_proof
from tests.unit.reconcile.worlds import (
    EVERYTHING,
    NEWS_BY_CALL,
    NEWS_BY_EMAIL,
    NEWS_BY_POST,
    NOON,
    REP,
    RESEARCH,
    SERVICE,
    World,
    a_point,
    a_use,
    an_individual,
    contact_id,
    subject_id,
)

ANN, BEN = contact_id(1), contact_id(2)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NEWS = PurposeKey("direct_marketing")
EVENT = EventKind
REP_SAYS = (ActorKind.CRM_USER, Trust.UNVERIFIED_RELAY)
BRIDGE = (ActorKind.BRIDGE, Trust.MACHINE)
CLOCK = (ActorKind.CLOCK, Trust.MACHINE)
BUNDLE = (ActorKind.POLICY, Trust.MACHINE)
# A merge tells what was proven to somebody else as proven as it was.
WITH_ITS_PROOF = (ActorKind.BRIDGE, Trust.SUBJECT_DIRECT)
PERSON = (ActorKind.PERSON, Trust.SUBJECT_DIRECT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """What Ann told the ledger before, what happened then, and what the ledger is told."""

    before: tuple[tuple[EventKind, Use], ...] = ()
    then: Callable[[World], datetime]  # gives the moment as of which it counts
    told: EventKind
    about: Use = NEWS_BY_EMAIL
    by: tuple[ActorKind, Trust]
    because: str
    own: bool = True


def row(use: Use = NEWS_BY_EMAIL, **said: Any) -> Callable[[World], datetime]:
    def then(world: World) -> datetime:
        world.edit_row(world.row_of(ANN, use), **said)
        return world.rows[world.row_of(ANN, use)].modstamp

    return then


def proven(world: World) -> datetime:
    proof = a_proof()
    row(request=GRANT, request_evidence=f"token:{proof.id}", proof=proof)(world)
    return proof.happened_at


def contact(**said: Any) -> Callable[[World], datetime]:
    def then(world: World) -> datetime:
        world.edit(ANN, **said)
        return world.contacts[ANN].modstamp

    return then


def right(name: str) -> Callable[[World], datetime]:
    return contact(individual=an_individual(**{name: True}))


def adopted(**said: Any) -> Callable[[World], datetime]:
    return lambda world: _adopted(world, with_purpose(NEWS, **said))


def research_retired(world: World) -> datetime:
    return _adopted(
        world, with_purpose(RESEARCH.purpose, status=PurposeStatus.RETIRED, successor=NEWS)
    )


def told_at(use: Use) -> Callable[[World], datetime]:
    """Research is retired, and what was said about it goes on as of the day it was said."""

    def then(world: World) -> datetime:
        research_retired(world)
        record = world.records[subject_id(1)]
        permission = record.permissions[use]
        return permission.stopped_at or permission.since

    return then


def noticed(*, material: bool) -> Callable[[World], datetime]:
    agreed = POLICY.notices["consent-en-1"]
    newer = replace(agreed, id="consent-en-2", version=2, supersedes=agreed.id, material=material)
    notices = {**POLICY.notices, newer.id: newer}
    return lambda world: _adopted(world, replace(POLICY, digest="another", notices=notices))


def with_purpose(key: PurposeKey, **said: Any) -> Policy:
    purpose = replace(POLICY.purposes[key], **said)
    return replace(POLICY, digest="another", purposes={**POLICY.purposes, key: purpose})


def _adopted(world: World, policy: Policy) -> datetime:
    world.adopt(policy)
    return world.at


def ended(world: World) -> datetime:
    end = world.records[subject_id(1)].permissions[NEWS_BY_EMAIL].effective_to
    assert end is not None
    world.at = end + HOUR
    return end


def prompted(world: World) -> datetime:
    end = ended(world)
    world.at = end - 60 * DAY + HOUR
    return end - 60 * DAY


def unanswered(world: World) -> datetime:
    since = world.records[subject_id(1)].permissions[NEWS_BY_EMAIL].since
    world.at = since + world.policy.request_lapses_after + HOUR
    return since + world.policy.request_lapses_after


def reviewed_too_late(world: World) -> datetime:
    research = POLICY.assessments[POLICY.purposes[RESEARCH.purpose].assessment or ""]
    assert research.review_due is not None
    world.at = research.review_due + HOUR
    return research.review_due


def shared(world: World) -> datetime:
    """Ben, who said no, is given Ann's address."""
    world.meet(2)
    no = world.at - HOUR
    world.tell(EVENT.WITHDRAW, subject=2, at=no)
    world.settle()
    world.edit(BEN, points=world.contacts[ANN].points)
    return no


def merged(*told: tuple[EventKind, Use]) -> Callable[[World], datetime]:
    """Ben, who said this, is merged into Ann."""

    def then(world: World) -> datetime:
        world.meet(2)
        said = world.at - HOUR
        for kind, use in told:
            world.tell(kind, use, subject=2, at=said)
        world.settle()
        world.merge(BEN, ANN)
        return said

    return then


STORIES: dict[str, Story] = {
    "a rep notes on a row that she asked us to stop": Story(
        before=((EVENT.GRANT, NEWS_BY_EMAIL),),
        then=row(request="Asked us to stop"),
        told=EVENT.WITHDRAW,
        by=REP_SAYS,
        because="STOP_HONOURED",
    ),
    "a rep notes that she objects": Story(
        then=row(request="Objects"),
        told=EVENT.STOP_MARKETING,
        about=EVERYTHING,
        by=REP_SAYS,
        because="STOP_HONOURED",
    ),
    "she objects to an interest": Story(
        before=((EVENT.ESTABLISH, RESEARCH),),
        then=row(RESEARCH, request="Objects"),
        told=EVENT.OBJECT_GROUNDS,
        about=RESEARCH,
        by=REP_SAYS,
        because="STOP_HONOURED_AS_OBJECTION",
    ),
    "she asks a service to stop": Story(
        before=((EVENT.ESTABLISH, SERVICE),),
        then=row(SERVICE, request="Asked us to stop"),
        told=EVENT.STOP_MARKETING,
        about=EVERYTHING,
        by=REP_SAYS,
        because="STOP_RECORDED_SERVICE_CONTINUES",
    ),
    "she says no once more": Story(
        before=((EVENT.WITHDRAW, NEWS_BY_EMAIL),),
        then=row(request="Asked us to stop"),
        told=EVENT.CORROBORATE,
        by=REP_SAYS,
        because="STOP_CORROBORATED",
    ),
    "somebody ticks the box against calls": Story(
        before=((EVENT.GRANT, NEWS_BY_CALL),),
        then=contact(do_not_call=True),
        told=EVENT.STOP_CHANNEL,
        about=a_use("*", "LIVE_CALL"),
        by=REP_SAYS,
        because="FLAG_STOP_HONOURED",
    ),
    "she wants to be forgotten": Story(
        then=right("should_forget"),
        told=EVENT.STOP_ALL,
        about=EVERYTHING,
        by=REP_SAYS,
        because="RIGHTS_REQUEST_OPENED",
    ),
    "she wants no solicitation": Story(
        then=right("opted_out_solicit"),
        told=EVENT.STOP_MARKETING,
        about=EVERYTHING,
        by=REP_SAYS,
        because="RIGHTS_REQUEST_OPENED",
    ),
    "a yes comes with a proof of her own": Story(
        then=proven,
        told=EVENT.GRANT,
        by=PERSON,
        because="GRANT_ACCEPTED_VERIFIED",
    ),
    "her yes has run out": Story(
        before=((EVENT.GRANT, NEWS_BY_EMAIL),),
        then=ended,
        told=EVENT.EXPIRE,
        by=CLOCK,
        because="EXPIRED_BY_RULE",
    ),
    "her yes is about to run out": Story(
        before=((EVENT.GRANT, NEWS_BY_EMAIL),),
        then=prompted,
        told=EVENT.PROMPT,
        by=CLOCK,
        because="RENEWAL_PROMPT_DUE",
    ),
    "she never answered a question": Story(
        before=((EVENT.REQUEST, NEWS_BY_EMAIL),),
        then=unanswered,
        told=EVENT.EXPIRE,
        by=CLOCK,
        because="REQUEST_LAPSED",
    ),
    "the review of an interest is overdue": Story(
        before=((EVENT.ESTABLISH, RESEARCH),),
        then=reviewed_too_late,
        told=EVENT.HOLD,
        about=RESEARCH,
        by=CLOCK,
        because="BASIS_REVIEW_OVERDUE",
    ),
    "a row speaks of her news in a word nobody knows": Story(
        before=((EVENT.GRANT, NEWS_BY_EMAIL),),
        then=row(consent_status="Yes!"),
        told=EVENT.HOLD,
        by=REP_SAYS,
        because="PERM_UNMAPPABLE_HELD",
    ),
    "her address changes": Story(
        before=((EVENT.GRANT, NEWS_BY_EMAIL),),
        then=contact(points=(a_point("new@example.org"),)),
        told=EVENT.REVOKE,
        by=BRIDGE,
        because="GRANT_NOT_PORTED_TO_NEW_POINT",
    ),
    "somebody who said no turns out to have her address": Story(
        before=((EVENT.REVOKE, NEWS_BY_EMAIL),),
        then=shared,
        told=EVENT.WITHDRAW,
        by=BRIDGE,
        because="DUPLICATE_STOP_PROPAGATED",
        own=False,
    ),
    "the news are given up": Story(
        before=((EVENT.GRANT, NEWS_BY_EMAIL),),
        then=adopted(status=PurposeStatus.RETIRED),
        told=EVENT.REVOKE,
        by=BUNDLE,
        because="PURPOSE_RETIRED_REVOKED",
    ),
    "a question about news that are given up": Story(
        before=((EVENT.REQUEST, NEWS_BY_EMAIL),),
        then=adopted(status=PurposeStatus.RETIRED),
        told=EVENT.EXPIRE,
        by=BUNDLE,
        because="PURPOSE_RETIRED_CLOSED",
    ),
    "a service under an interest is given up": Story(
        before=((EVENT.ESTABLISH, RESEARCH),),
        then=research_retired,
        told=EVENT.END,
        about=RESEARCH,
        by=BUNDLE,
        because="PURPOSE_RETIRED_REVOKED",
    ),
    "what she objected to goes on as news": Story(
        before=(
            (EVENT.ESTABLISH, RESEARCH),
            (EVENT.OBJECT_GROUNDS, RESEARCH),
            (EVENT.UPHOLD, RESEARCH),
        ),
        then=told_at(RESEARCH),
        told=EVENT.WITHDRAW,
        by=BUNDLE,
        because="PURPOSE_RETIRED_STOP_KEPT",
    ),
    "the text she agreed to has changed in what matters": Story(
        before=((EVENT.GRANT, NEWS_BY_EMAIL),),
        then=noticed(material=True),
        told=EVENT.REAFFIRM,
        by=BUNDLE,
        because="REAFFIRMATION_REQUIRED",
    ),
    "the text she agreed to has changed a little": Story(
        before=((EVENT.GRANT, NEWS_BY_EMAIL),),
        then=noticed(material=False),
        told=EVENT.NOTICED,
        by=BUNDLE,
        because="NOTICE_SUPERSEDED_NOTED",
    ),
    "somebody who said no is merged into her": Story(
        then=merged((EVENT.WITHDRAW, NEWS_BY_POST)),
        told=EVENT.WITHDRAW,
        about=NEWS_BY_POST,
        by=BRIDGE,
        because="MERGE_STOP_CARRIED",
    ),
    "somebody who wants no marketing is merged into her": Story(
        then=merged((EVENT.STOP_MARKETING, EVERYTHING)),
        told=EVENT.STOP_MARKETING,
        about=EVERYTHING,
        by=BRIDGE,
        because="MERGE_STOP_CARRIED",
    ),
    "somebody who said yes is merged into her": Story(
        then=merged((EVENT.GRANT, NEWS_BY_POST)),
        told=EVENT.GRANT,
        about=NEWS_BY_POST,
        by=WITH_ITS_PROOF,
        because="MERGE_RESTRICTIVE_JOIN",
    ),
    "somebody who challenged an interest is merged into her": Story(
        then=merged((EVENT.ESTABLISH, RESEARCH), (EVENT.OBJECT_GROUNDS, RESEARCH)),
        told=EVENT.OBJECT_GROUNDS,
        about=RESEARCH,
        by=WITH_ITS_PROOF,
        because="MERGE_RESTRICTION_CARRIED",
    ),
}


def heard(story: Story) -> tuple[World, PermissionEvent, datetime]:
    world = World(policy=POLICY)
    world.meet(1)
    for hours, (kind, use) in enumerate(story.before):
        world.tell(kind, use, at=NOON - DAY + hours * HOUR)
    world.settle()
    moment = story.then(world)
    plan = world.plan()
    (event,) = [
        each
        for each in plan.events
        if (each.subject_id, each.kind, each.use) == (subject_id(1), story.told, story.about)
    ]
    return world, event, moment


@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES)
def test_the_ledger_is_told_by_whom_why_and_as_of_when(story: Story) -> None:
    world, event, moment = heard(story)
    assert (event.actor, event.trust) == story.by
    assert (event.reason, event.own) == (story.because, story.own)
    assert event.happened_at == moment
    assert (event.recorded_at, event.policy_version) == (world.at, world.policy.version)
    assert event.controller == POLICY.controller
    purpose = world.policy.purposes.get(event.use.purpose)
    assert event.purpose_version == (0 if purpose is None else purpose.version)


@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES)
def test_only_who_relays_what_a_person_said_is_named_with_the_record_they_changed(
    story: Story,
) -> None:
    world, event, _ = heard(story)
    relayed = story.by in (REP_SAYS, PERSON)
    assert (event.source_stamp is not None) is relayed
    assert event.actor_ref == (REP if story.by == REP_SAYS else None)
    if relayed:
        assert event.source_record in {ANN, *world.rows}
    else:
        carried = event.reason.startswith(("MERGE_", "DUPLICATE_"))
        assert (event.source_record in {ANN, BEN}) is carried


@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES)
def test_only_what_the_person_said_directly_comes_with_a_proof(story: Story) -> None:
    _, event, _ = heard(story)
    assert (event.grade is Grade.A) is (event.trust is Trust.SUBJECT_DIRECT)
    assert (event.point is not None) is (event.kind is EVENT.GRANT)
