"""Scenarios of Contacts that are merged, and of those that share an address."""

from collections.abc import Callable, Iterable
from dataclasses import replace

from salesforce_bridge.permissions.contact_points import PointType
from salesforce_bridge.permissions.events import EventKind
from salesforce_bridge.permissions.keys import Use
from tests.integration.reasons.law import NEWS, NEWS_CALL, RESEARCH, SERVICE
from tests.integration.reasons.promises import Told, reaches
from tests.integration.reasons.scene import DAY, HOUR, STOP, Scene
from tests.integration.reasons.unchanged import (
    LIMITED,
    NEVER_ASKED,
    PARTLY,
    PERMITTED,
    STOPPED,
    unchanged,
)


def _merged_away(who: str, then: Callable[[Scene], Iterable[str]], use: Use = NEWS) -> Told:
    """Whose Contact was folded into another one; `then` looks at the one that lives on."""
    return Told(
        who=who, use=use, row=None, link="MERGED_INTO", answer="DENY_SUBJECT_UNKNOWN", then=then
    )


def _merged(scene: Scene, winner: str, loser: str, *shown: str, use: Use = NEWS) -> Told:
    """Two Contacts are folded into one; what the winner then shows."""
    scene.director.admin.merge("Contact", winner, [loser])

    def the_winner(after: Scene) -> list[str]:
        return [*after.shows_otherwise(winner, use, *shown)]

    return _merged_away(loser, the_winner, use)


@reaches("MERGE_UNLINKED_ADOPTED", "S19")
def somebody_nobody_has_met_is_merged_away(scene: Scene) -> Told:
    return _merged(scene, scene.cast["neutral"], scene.stranger(), *NEVER_ASKED)


@reaches("MERGE_RESTRICTIVE_JOIN", "S19")
def a_yes_is_not_lost_because_the_twin_was_never_asked(scene: Scene) -> Told:
    winner, loser = scene.cast["neutral"], scene.cast["agreed"]
    # The address that the yes was given for is kept, as who merges decides.
    scene.director.admin.merge("Contact", winner, [loser], Email="agreed@example.org")

    def the_winner(after: Scene) -> list[str]:
        return [*after.shows_otherwise(winner, NEWS, *PERMITTED)]

    return _merged_away(loser, the_winner)


@reaches("MERGE_STOP_CARRIED", "S19")
def a_no_survives_a_merge_and_a_later_yes_is_looked_at(scene: Scene) -> Told:
    winner, loser = scene.cast["agreed"], scene.cast["stopped"]
    scene.wait(DAY)
    scene.said(winner, EventKind.GRANT, ago=HOUR, point=scene.address(winner))
    scene.settle()
    scene.director.admin.merge("Contact", winner, [loser])

    def the_winner(after: Scene) -> list[str]:
        claims = [each.reason for each in after.person(winner).candidates if each.open]
        waits = [] if claims == ["MERGE_STOP_CARRIED"] else [f"claims: {claims}"]
        return [*waits, *after.shows_otherwise(winner, NEWS, *STOPPED)]

    return _merged_away(loser, the_winner)


@reaches("MERGE_RESTRICTION_CARRIED", "S19")
def a_restriction_survives_a_merge(scene: Scene) -> Told:
    return _merged(scene, scene.cast["neutral"], scene.cast["restricted"], *LIMITED)


@reaches("MERGE_WITH_ERASED_REVIEW", "S19")
def an_erased_profile_is_not_made_again_by_a_merge(scene: Scene) -> Told:
    winner, loser = scene.cast["agreed"], scene.cast["erased"]
    scene.director.admin.merge("Contact", winner, [loser])

    def is_silent(after: Scene) -> list[str]:
        answer = after.answer(winner, NEWS)
        rows = after.rows_shown(winner, NEWS)
        shown = [each["May_Contact__c"] for each in rows if each["May_Contact__c"] != "Do not"]
        allowed = [answer.reason] if answer.reason.startswith("ALLOW") else []
        return [f"the winner: {each}" for each in (*shown, *allowed)]

    return _merged_away(loser, is_silent)


def _merged_into(scene: Scene, winner: str, loser: str, *shown: str, use: Use = NEWS) -> Told:
    return _merged(scene, scene.cast[winner], scene.cast[loser], *shown, use=use)


@reaches("MERGE_RESTRICTION_CARRIED", "S19")
def a_yes_does_not_pass_the_restriction_of_the_other(scene: Scene) -> Told:
    return _merged_into(scene, "restricted", "agreed", *LIMITED)


@reaches("MERGE_RESTRICTION_CARRIED", "S19")
def a_challenge_survives_a_merge(scene: Scene) -> Told:
    return _merged_into(scene, "interest", "challenged", *LIMITED, use=RESEARCH)


@reaches("MERGE_RESTRICTIVE_JOIN", "S19")
def a_contract_goes_over_to_whoever_lives_on(scene: Scene) -> Told:
    return _merged_into(scene, "neutral", "customer", *PERMITTED, use=SERVICE)


@reaches("MERGE_STOP_CARRIED", "S19")
def a_no_of_the_one_who_lives_on_stays(scene: Scene) -> Told:
    return _merged_into(scene, "stopped", "agreed", *STOPPED)


@reaches("MERGE_STOP_CARRIED", "S19")
def a_no_survives_two_merges_in_a_row(scene: Scene) -> Told:
    scene.director.admin.merge("Contact", scene.cast["neutral"], [scene.cast["stopped"]])
    told = _merged_into(scene, "agreed", "neutral", *STOPPED)
    return replace(told, who=scene.cast["stopped"])


@reaches("MERGE_WITH_ERASED_REVIEW", "S19")
def who_is_merged_into_somebody_erased_leaves_nothing_there(scene: Scene) -> Told:
    winner = scene.cast["erased"]
    scene.director.admin.merge("Contact", winner, [scene.cast["agreed"]])

    def has_no_row(after: Scene) -> list[str]:
        return [f"a row: {each}" for each in after.rows_shown(winner, NEWS)]

    return unchanged(
        scene,
        "agreed",
        row=None,
        link="MERGED_INTO",
        answer="DENY_SUBJECT_UNKNOWN",
        then=has_no_row,
    )


@reaches("DUPLICATE_STOP_PROPAGATED", "S20")
def a_no_reaches_whoever_has_the_same_address(scene: Scene) -> Told:
    who = scene.stranger(email="agreed@example.org")
    scene.settle()
    scene.request(scene.cast["agreed"], NEWS, STOP)
    return Told(
        who=who,
        use=NEWS,
        events=("WITHDRAW",),
        row=STOPPED,
        row_reason="DUPLICATE_STOP_PROPAGATED",
        contact=STOPPED,
        answer="DENY_STOPPED",
    )


@reaches("DUPLICATE_UNLINKED_REVIEW", "S20")
def somebody_new_has_the_address_of_somebody_else(scene: Scene) -> Told:
    who = scene.stranger(email="neutral@example.org")

    def is_somebody_else(after: Scene) -> list[str]:
        same = after.subject(who) == after.subject(after.cast["neutral"])
        return ["the same person"] if same else []

    return Told(
        who=who,
        use=NEWS,
        beside=("SUBJECT_CREATED_DEFAULT_DENY",),
        row=NEVER_ASKED,
        contact=NEVER_ASKED,
        answer="DENY_NOT_ESTABLISHED",
        then=is_somebody_else,
    )


@reaches("DUPLICATE_FLAGGED", "S20")
def somebody_is_given_the_address_of_somebody_else(scene: Scene) -> Told:
    who, other = scene.cast["neutral"], scene.cast["agreed"]
    scene.director.rep.update("Contact", who, Email="agreed@example.org")

    def changes_no_answer(after: Scene) -> list[str]:
        return [*after.shows_otherwise(other, NEWS, *PERMITTED)]

    beside = ("CONTACT_POINT_REKEYED",)
    return unchanged(scene, "neutral", beside=beside, then=changes_no_answer)


@reaches("DUPLICATE_GRANT_NOT_SHARED", "S20")
def a_yes_stays_with_whoever_gave_it(scene: Scene) -> Told:
    who, other = scene.cast["agreed"], scene.cast["neutral"]
    scene.director.admin.delete("Contact", who)
    scene.settle()
    scene.director.rep.update("Contact", other, Email="agreed@example.org")
    scene.settle()
    scene.director.admin.undelete("Contact", who)

    def the_other_was_never_asked(after: Scene) -> list[str]:
        return [*after.shows_otherwise(other, NEWS, *NEVER_ASKED)]

    return Told(
        who=who,
        use=NEWS,
        beside=("LINK_REOPENED_REASSERTED",),
        row=PERMITTED,
        contact=PARTLY,
        answer="ALLOW_CONSENT",
        then=the_other_was_never_asked,
    )


@reaches("DUPLICATE_GRANT_NOT_SHARED", "S20")
def a_second_number_of_somebody_else_ends_no_yes_to_the_first(scene: Scene) -> Told:
    who, other = scene.cast["neutral"], scene.cast["agreed"]
    number = scene.address(who, PointType.PHONE)
    scene.said(who, EventKind.GRANT, NEWS_CALL, ago=HOUR, point=number)
    scene.settle()
    (found,) = scene.director.query(f"SELECT Phone FROM Contact WHERE Id = '{other}'")
    scene.director.rep.update("Contact", who, MobilePhone=found["Phone"])
    return Told(who=who, use=NEWS_CALL, row=PERMITTED, contact=PARTLY, answer="ALLOW_CONSENT")


@reaches("DUPLICATE_STOP_PROPAGATED", "S20")
def a_no_reaches_who_is_restricted_too(scene: Scene) -> Told:
    scene.director.rep.update("Contact", scene.cast["neutral"], Email="restricted@example.org")
    scene.settle()
    told = unchanged(scene, "restricted", row=STOPPED, contact=STOPPED)
    scene.request(scene.cast["neutral"], NEWS, STOP)
    return replace(told, events=("WITHDRAW",))
