"""Scenarios of time that passes."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from salesforce_bridge.permissions.events import ActorKind, EventKind
from salesforce_bridge.permissions.expiry import end_of
from salesforce_bridge.permissions.keys import Use
from tests.integration.reasons.law import (
    EVERYTHING,
    NEWS,
    RESCUE,
    RESEARCH,
    SERVICE,
    changed,
    with_notice,
)
from tests.integration.reasons.promises import Told, reaches
from tests.integration.reasons.scene import ALL_FLAGS, DAY, HOUR, STOP, Scene
from tests.integration.reasons.unchanged import LAPSED, LIMITED, STOPPED, unchanged

REVIEW_DUE = datetime(2026, 12, 1, tzinfo=UTC)  # of the research


@reaches("REQUEST_LAPSED", "S27")
def a_question_that_nobody_answered_is_closed(scene: Scene) -> Told:
    who = scene.cast["neutral"]
    scene.said(who, EventKind.REQUEST, ago=HOUR, actor=ActorKind.OPERATOR)
    scene.settle()
    scene.until(scene.held(who, NEWS).since + 30 * DAY)
    return unchanged(scene, "neutral", events=("EXPIRE",))


def _end(scene: Scene, who: str, use: Use = NEWS) -> datetime:
    end = end_of(scene.held(who, use), person=scene.person(who), policy=scene.world.policy)
    assert end is not None
    return end


def _ends_in(scene: Scene, span: timedelta) -> str:
    """Somebody whose yes ends so soon."""
    who = scene.cast["neutral"]
    scene.said(
        who,
        EventKind.GRANT,
        ago=HOUR,
        point=scene.address(who),
        effective_to=scene.now + span,
    )
    scene.settle()
    return who


@reaches("EXPIRED_BY_RULE", "S27")
def a_yes_that_ran_out_has_lapsed(scene: Scene) -> Told:
    who = _ends_in(scene, 5 * DAY)
    scene.until(_end(scene, who))
    return Told(
        who=who,
        use=NEWS,
        beside=("REPERMISSION_NEEDS_ROUTE",),
        events=("EXPIRE",),
        row=LAPSED,
        row_reason="EXPIRED_BY_RULE",
        contact=LAPSED,
        answer="DENY_LAPSED",
    )


@reaches("EXPIRED_BY_RULE", "S27")
def a_yes_that_ran_out_while_restricted_has_lapsed_and_stays_restricted(scene: Scene) -> Told:
    who = scene.cast["restricted"]
    scene.until(_end(scene, who))
    return unchanged(scene, "restricted", beside=("REPERMISSION_BLOCKED",), events=("EXPIRE",))


@reaches("BASIS_REVIEW_OVERDUE", "S27")
def research_waits_once_its_assessment_is_out_of_date(scene: Scene) -> Told:
    text = changed(scene.text, ("review_due = 2026-12-01", "review_due = 2026-05-30"))
    return unchanged(
        scene,
        "interest",
        events=("HOLD",),
        row=LIMITED,
        row_reason="BASIS_REVIEW_OVERDUE",
        answer="DENY_EVIDENCE_BELOW_GRADE",
        after=scene.under(text),
    )


@reaches("BASIS_REVIEW_OVERDUE", "S27")
def the_clock_says_nothing_about_a_no_when_a_review_is_overdue(scene: Scene) -> Told:
    scene.wait(REVIEW_DUE - 10 * DAY - scene.now)
    scene.settle()
    scene.until(REVIEW_DUE)
    return unchanged(
        scene,
        "interest",
        events=("HOLD",),
        row=LIMITED,
        row_reason="BASIS_REVIEW_OVERDUE",
        answer="DENY_EVIDENCE_BELOW_GRADE",
    )


@reaches("BASIS_ENDED_BY_RULE", "S27")
def the_service_ends_with_its_contract(scene: Scene) -> Told:
    who = scene.cast["customer"]
    scene.until(_end(scene, who, SERVICE))
    return unchanged(
        scene,
        "customer",
        events=("END",),
        row=LAPSED,
        row_reason="BASIS_ENDED_BY_RULE",
        answer="DENY_LAPSED",
    )


@reaches("BASIS_ENDED_BY_RULE", "S27")
def an_emergency_ends_by_itself(scene: Scene) -> Told:
    who = scene.cast["customer"]
    scene.until(_end(scene, who, RESCUE))
    return unchanged(
        scene, "customer", use=RESCUE, events=("END",), row=LAPSED, answer="ALLOW_VITAL_INTEREST"
    )


@reaches("STOP_NEVER_EXPIRES", "S27")
def a_no_stays_when_the_yes_below_it_runs_out(scene: Scene) -> Told:
    who = _ends_in(scene, 5 * DAY)
    scene.said(who, EventKind.STOP_MARKETING, EVERYTHING, ago=timedelta())
    scene.settle()
    scene.until(_end(scene, who))
    return Told(
        who=who,
        use=NEWS,
        beside=("REPERMISSION_BLOCKED",),
        row=STOPPED,
        contact=STOPPED,
        flags=ALL_FLAGS,
        answer="DENY_MARKETING_OBJECTION",
    )


@reaches("EXPIRED_BY_RULE", "S27")
def a_challenge_that_is_open_at_the_end_ends_as_an_objection(scene: Scene) -> Told:
    who = scene.cast["neutral"]
    end = scene.now + 5 * DAY
    scene.establish(who, RESEARCH, "told by letter", effective_to=end)
    scene.settle()
    scene.request(who, RESEARCH, STOP)
    scene.settle()
    scene.until(end)
    return unchanged(
        scene,
        "neutral",
        use=RESEARCH,
        row=STOPPED,
        events=("END",),
        beside=("REPERMISSION_BLOCKED",),
        answer="DENY_STOPPED",
    )


@reaches("EXPIRED_BY_RULE", "S27")
def who_did_not_agree_again_in_time_has_lapsed(scene: Scene) -> Told:
    after = scene.under(with_notice(scene.text, of="consent-1", material=True))
    after.settle()
    again = after.held(scene.cast["agreed"], NEWS).reaffirm_by
    assert again is not None
    after.until(again)
    told = unchanged(after, "agreed", row=LAPSED, contact=LAPSED, answer="DENY_LAPSED", after=after)
    return replace(told, events=("EXPIRE",), beside=("REPERMISSION_NEEDS_ROUTE",))


@reaches("REPERMISSION_NEEDS_ROUTE", "S28")
def who_let_a_yes_run_out_can_only_be_asked_in_person(scene: Scene) -> Told:
    who = scene.cast["agreed"]
    scene.until(_end(scene, who))
    return unchanged(
        scene,
        "agreed",
        beside=("EXPIRED_BY_RULE",),
        events=("EXPIRE",),
        row=LAPSED,
        contact=LAPSED,
        answer="DENY_LAPSED",
    )


@reaches("REPERMISSION_NEEDS_ROUTE", "S28")
def who_lapsed_is_not_asked_again_by_typing_it(scene: Scene) -> Told:
    who = scene.cast["lapsed"]
    scene.overtype(who, NEWS, Consent_Status__c="Asked")
    return unchanged(scene, "lapsed", beside=("METADATA_REVERTED",))


@reaches("RENEWAL_PROMPT_DUE", "S28")
def a_yes_that_ends_soon_shows_until_when_it_is_to_be_renewed(scene: Scene) -> Told:
    who = scene.cast["agreed"]
    scene.until(_end(scene, who) - 60 * DAY)

    def shows_until_when(after: Scene) -> list[str]:
        (row,) = after.rows_shown(who, NEWS)
        contact = after.contact_shown(who)
        ends = (row["Effective_To__c"], row["Renew_By__c"], contact["Permission_Renew_By__c"])
        return [] if ends[1] and len(set(ends)) == 1 else [f"ends: {ends}"]

    return unchanged(scene, "agreed", events=("PROMPT",), then=shows_until_when)


@reaches("BASIS_REVIEW_DUE", "S28")
def somebody_is_told_before_an_assessment_is_out_of_date(scene: Scene) -> Told:
    scene.until(REVIEW_DUE - 30 * DAY)

    def shows_no_end(after: Scene) -> list[str]:
        (row,) = after.rows_shown(after.cast["interest"], RESEARCH)
        return [] if row["Renew_By__c"] is None else [f"renew by {row['Renew_By__c']}"]

    return unchanged(scene, "interest", events=("PROMPT",), then=shows_no_end)


@reaches("REPERMISSION_BLOCKED", "S28")
def who_said_no_is_never_asked_to_renew(scene: Scene) -> Told:
    who = scene.cast["agreed"]
    scene.said(who, EventKind.STOP_MARKETING, EVERYTHING, ago=HOUR)
    scene.settle()
    scene.until(_end(scene, who) - 60 * DAY)
    return unchanged(
        scene,
        "agreed",
        row=STOPPED,
        contact=STOPPED,
        flags=ALL_FLAGS,
        answer="DENY_MARKETING_OBJECTION",
    )


@reaches("REPERMISSION_BLOCKED", "S28")
def who_said_no_is_not_asked_again_by_typing_it(scene: Scene) -> Told:
    who = scene.cast["stopped"]
    scene.overtype(who, NEWS, Consent_Status__c="Asked")
    return unchanged(scene, "stopped", beside=("METADATA_REVERTED",))


@reaches("BASIS_REVIEW_DUE", "S28")
def somebody_is_told_before_a_contract_ends(scene: Scene) -> Told:
    told = unchanged(scene, "customer")
    (contract,) = (each for each in scene.person(told.who).conditions if each.ref == "contract 17")
    assert contract.valid_to is not None
    scene.until(contract.valid_to - 30 * DAY)

    def shows_until_when(after: Scene) -> list[str]:
        (row,) = after.rows_shown(told.who, SERVICE)
        ends = (row["Effective_To__c"], row["Renew_By__c"])
        return [] if ends[1] and len(set(ends)) == 1 else [f"ends: {ends}"]

    return replace(told, events=("PROMPT",), then=shows_until_when)
