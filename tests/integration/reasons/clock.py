"""Scenarios of time that passes, of writes that fail, of people who move, and of another bundle."""

from datetime import UTC, datetime, timedelta

from salesforce_bridge.permissions.events import ActorKind, EventKind
from salesforce_bridge.permissions.expiry import end_of
from salesforce_bridge.permissions.keys import Use
from tests.integration.reasons.law import (
    EVERYTHING,
    NEWS,
    RESCUE,
    RESEARCH,
    RETIRED,
    SERVICE,
    SERVICE_RETIRED,
    TASTE,
    changed,
    on_another_basis,
    with_notice,
)
from tests.integration.reasons.promises import Told, reaches
from tests.integration.reasons.scene import ALL_FLAGS, DAY, EMAIL_FLAG, HOUR, Scene

REVIEW_DUE = datetime(2026, 12, 1, tzinfo=UTC)  # of the research
NEVER_ASKED, STOPPED = ("Not asked", "Never asked"), ("Stopped", "Do not")
PERMITTED, LAPSED = ("Permitted", "OK"), ("Lapsed", "Do not")
LIMITED = ("Limited", "Wait")
PARTLY = ("Partly permitted", "Partly: see channels")


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


@reaches("REQUEST_LAPSED", "S27")
def a_question_that_nobody_answered_is_closed(scene: Scene) -> Told:
    who = scene.cast["neutral"]
    scene.said(who, EventKind.REQUEST, ago=HOUR, actor=ActorKind.OPERATOR)
    scene.settle()
    scene.until(scene.held(who, NEWS).since + 30 * DAY)
    return Told(
        who=who,
        use=NEWS,
        events=("EXPIRE",),
        row=NEVER_ASKED,
        contact=NEVER_ASKED,
        answer="DENY_NOT_ESTABLISHED",
    )


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


@reaches("REPERMISSION_NEEDS_ROUTE", "S28")
def who_let_a_yes_run_out_can_only_be_asked_in_person(scene: Scene) -> Told:
    who = scene.cast["agreed"]
    scene.until(_end(scene, who))
    return Told(
        who=who,
        use=NEWS,
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
    return Told(
        who=who,
        use=NEWS,
        beside=("METADATA_REVERTED",),
        row=LAPSED,
        contact=LAPSED,
        answer="DENY_LAPSED",
    )


@reaches("EXPIRED_BY_RULE", "S27")
def a_yes_that_ran_out_while_restricted_has_lapsed_and_stays_restricted(scene: Scene) -> Told:
    who = scene.cast["restricted"]
    scene.until(_end(scene, who))
    return Told(
        who=who,
        use=NEWS,
        beside=("REPERMISSION_BLOCKED",),
        events=("EXPIRE",),
        row=LIMITED,
        contact=LIMITED,
        answer="DENY_PROCESSING_RESTRICTED",
    )


@reaches("BASIS_REVIEW_OVERDUE", "S27")
def research_waits_once_its_assessment_is_out_of_date(scene: Scene) -> Told:
    text = changed(scene.text, ("review_due = 2026-12-01", "review_due = 2026-05-30"))
    return Told(
        who=scene.cast["interest"],
        use=RESEARCH,
        events=("HOLD",),
        row=LIMITED,
        row_reason="BASIS_REVIEW_OVERDUE",
        answer="DENY_EVIDENCE_BELOW_GRADE",
        after=scene.under(text),
    )


@reaches("BASIS_REVIEW_OVERDUE", "S27")
def the_clock_says_nothing_about_a_no_when_a_review_is_overdue(scene: Scene) -> Told:
    who = scene.cast["interest"]
    scene.wait(REVIEW_DUE - 10 * DAY - scene.now)
    scene.settle()
    scene.until(REVIEW_DUE)
    return Told(
        who=who,
        use=RESEARCH,
        events=("HOLD",),
        row=LIMITED,
        row_reason="BASIS_REVIEW_OVERDUE",
        answer="DENY_EVIDENCE_BELOW_GRADE",
    )


@reaches("BASIS_ENDED_BY_RULE", "S27")
def the_service_ends_with_its_contract(scene: Scene) -> Told:
    who = scene.cast["customer"]
    scene.until(_end(scene, who, SERVICE))
    return Told(
        who=who,
        use=SERVICE,
        events=("END",),
        row=LAPSED,
        row_reason="BASIS_ENDED_BY_RULE",
        contact=NEVER_ASKED,
        answer="DENY_LAPSED",
    )


@reaches("BASIS_ENDED_BY_RULE", "S27")
def an_emergency_ends_by_itself(scene: Scene) -> Told:
    who = scene.cast["customer"]
    scene.until(_end(scene, who, RESCUE))
    return Told(
        who=who,
        use=RESCUE,
        events=("END",),
        row=LAPSED,
        answer="ALLOW_VITAL_INTEREST",
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


@reaches("RENEWAL_PROMPT_DUE", "S28")
def a_yes_that_ends_soon_shows_until_when_it_is_to_be_renewed(scene: Scene) -> Told:
    who = scene.cast["agreed"]
    scene.until(_end(scene, who) - 60 * DAY)

    def shows_until_when(after: Scene) -> list[str]:
        (row,) = after.rows_shown(who, NEWS)
        contact = after.contact_shown(who)
        ends = (row["Effective_To__c"], row["Renew_By__c"], contact["Permission_Renew_By__c"])
        return [] if ends[1] and len(set(ends)) == 1 else [f"ends: {ends}"]

    return Told(
        who=who,
        use=NEWS,
        events=("PROMPT",),
        row=PERMITTED,
        contact=PARTLY,
        answer="ALLOW_CONSENT",
        then=shows_until_when,
    )


@reaches("BASIS_REVIEW_DUE", "S28")
def somebody_is_told_before_an_assessment_is_out_of_date(scene: Scene) -> Told:
    who = scene.cast["interest"]
    scene.until(REVIEW_DUE - 30 * DAY)
    return Told(
        who=who,
        use=RESEARCH,
        events=("PROMPT",),
        row=PERMITTED,
        answer="ALLOW_LEGITIMATE_INTEREST",
    )


@reaches("REPERMISSION_BLOCKED", "S28")
def who_said_no_is_never_asked_to_renew(scene: Scene) -> Told:
    who = scene.cast["agreed"]
    scene.said(who, EventKind.STOP_MARKETING, EVERYTHING, ago=HOUR)
    scene.settle()
    scene.until(_end(scene, who) - 60 * DAY)
    return Told(
        who=who,
        use=NEWS,
        row=STOPPED,
        contact=STOPPED,
        flags=ALL_FLAGS,
        answer="DENY_MARKETING_OBJECTION",
    )


@reaches("REPERMISSION_BLOCKED", "S28")
def who_said_no_is_not_asked_again_by_typing_it(scene: Scene) -> Told:
    who = scene.cast["stopped"]
    scene.overtype(who, NEWS, Consent_Status__c="Asked")
    return Told(
        who=who,
        use=NEWS,
        beside=("METADATA_REVERTED",),
        row=STOPPED,
        contact=STOPPED,
        answer="DENY_STOPPED",
    )


@reaches("PURPOSE_RETIRED_CLOSED", "S29")
def a_question_about_a_retired_purpose_is_closed(scene: Scene) -> Told:
    who = scene.cast["neutral"]
    scene.said(who, EventKind.REQUEST, ago=HOUR, actor=ActorKind.OPERATOR)
    scene.settle()
    return Told(
        who=who,
        use=NEWS,
        events=("EXPIRE",),
        row=NEVER_ASKED,
        contact=NEVER_ASKED,
        answer="DENY_PURPOSE_RETIRED",
        after=scene.under(changed(scene.text, RETIRED)),
    )


@reaches("PURPOSE_RETIRED_REVOKED", "S29")
def a_yes_to_a_retired_purpose_is_over(scene: Scene) -> Told:
    return Told(
        who=scene.cast["agreed"],
        use=NEWS,
        events=("REVOKE",),
        row=LAPSED,
        row_reason="PURPOSE_RETIRED_REVOKED",
        contact=LAPSED,
        answer="DENY_PURPOSE_RETIRED",
        after=scene.under(changed(scene.text, RETIRED)),
    )


@reaches("PURPOSE_RETIRED_REVOKED", "S29")
def a_contract_to_a_retired_purpose_is_over(scene: Scene) -> Told:
    return Told(
        who=scene.cast["customer"],
        use=SERVICE,
        events=("END",),
        row=LAPSED,
        answer="DENY_PURPOSE_RETIRED",
        after=scene.under(changed(scene.text, SERVICE_RETIRED)),
    )


@reaches("PURPOSE_RETIRED_STOP_KEPT", "S29")
def a_no_goes_on_to_what_follows_a_retired_purpose(scene: Scene) -> Told:
    who = scene.cast["stopped"]

    def holds_for_the_successor(after: Scene) -> list[str]:
        return [] if after.class_of(who, TASTE) == "L4" else ["the successor is not stopped"]

    return Told(
        who=who,
        use=NEWS,
        row=STOPPED,
        contact=STOPPED,
        answer="DENY_PURPOSE_RETIRED",
        after=scene.under(changed(scene.text, RETIRED)),
        then=holds_for_the_successor,
    )


@reaches("NOTICE_SUPERSEDED_NOTED", "S31")
def a_text_that_changed_little_is_noted(scene: Scene) -> Told:
    who = scene.cast["agreed"]
    text = with_notice(scene.text, of="consent-1", material=False)

    def keeps_the_old_proof(after: Scene) -> list[str]:
        held = after.person(who).permissions[NEWS]
        known = (held.notice_id, held.latest_notice)
        return [] if known == ("consent-1", "consent-2") else [f"the notices: {known}"]

    return Told(
        who=who,
        use=NEWS,
        events=("NOTICED",),
        row=PERMITTED,
        contact=PARTLY,
        answer="ALLOW_CONSENT",
        after=scene.under(text),
        then=keeps_the_old_proof,
    )


@reaches("NOTICE_SUPERSEDED_NOTED", "S30")
def who_never_agreed_need_not_agree_again(scene: Scene) -> Told:
    return Told(
        who=scene.cast["neutral"],
        use=NEWS,
        row=NEVER_ASKED,
        contact=NEVER_ASKED,
        answer="DENY_NOT_ESTABLISHED",
        after=scene.under(with_notice(scene.text, of="consent-1", material=True)),
    )


@reaches("REAFFIRMATION_REQUIRED", "S30")
def who_agreed_to_another_text_has_to_agree_again(scene: Scene) -> Told:
    who = scene.cast["agreed"]
    after = scene.under(with_notice(scene.text, of="consent-1", material=True))

    def ends_with_its_grace(later: Scene) -> list[str]:
        held = later.person(who).permissions[NEWS]
        grace = timedelta(days=29) < (held.reaffirm_by or later.now) - later.now <= 30 * DAY
        return [] if grace else [f"to be said again by {held.reaffirm_by}"]

    return Told(
        who=who,
        use=NEWS,
        beside=("RENEWAL_PROMPT_DUE",),
        events=("PROMPT", "REAFFIRM"),
        row=PERMITTED,
        contact=PARTLY,
        answer="ALLOW_CONSENT",
        after=after,
        then=ends_with_its_grace,
    )


@reaches("NOTICE_REISSUE_REQUIRED", "S30")
def who_never_had_to_agree_is_shown_the_new_text(scene: Scene) -> Told:
    who = scene.cast["customer"]
    return Told(
        who=who,
        use=SERVICE,
        events=("NOTICED",),
        row=PERMITTED,
        contact=NEVER_ASKED,
        answer="ALLOW_CONTRACT",
        after=scene.under(with_notice(scene.text, of="privacy-1", material=True)),
    )


@reaches("STOP_UNAFFECTED_BY_POLICY", "S30")
def a_new_text_changes_nothing_about_a_no(scene: Scene) -> Told:
    return Told(
        who=scene.cast["stopped"],
        use=NEWS,
        row=STOPPED,
        contact=STOPPED,
        answer="DENY_STOPPED",
        after=scene.under(with_notice(scene.text, of="consent-1", material=True)),
    )


def _news_by_interest(scene: Scene) -> Scene:
    table, other = on_another_basis("news", 'basis = "CONSENT"', 'basis = "LEGITIMATE_INTEREST"')
    other = other.replace('max_age = "730d"', 'max_age = "730d"\nassessment = "offers"')
    return scene.under(changed(scene.text, (table, other)))


@reaches("BASIS_REASSIGNED_NEUTRAL", "S32")
def who_never_decided_is_judged_by_the_new_basis(scene: Scene) -> Told:
    return Told(
        who=scene.cast["neutral"],
        use=NEWS,
        row=NEVER_ASKED,
        contact=NEVER_ASKED,
        answer="DENY_NOT_ESTABLISHED",
        after=_news_by_interest(scene),
    )


@reaches("BASIS_REASSIGNED_NOTICE_DUE", "S32")
def an_interest_that_became_a_task_needs_a_notice(scene: Scene) -> Told:
    text = changed(scene.text, on_another_basis("research", "LEGITIMATE_INTEREST", "PUBLIC_TASK"))
    return Told(
        who=scene.cast["interest"],
        use=RESEARCH,
        row=PERMITTED,
        answer="ALLOW_LEGITIMATE_INTEREST",
        after=scene.under(text),
    )


@reaches("BASIS_SWAP_BLOCKED", "S32")
def a_consent_is_not_turned_into_an_interest(scene: Scene) -> Told:
    who = scene.cast["agreed"]

    def is_a_consent_still(after: Scene) -> list[str]:
        basis = after.person(who).permissions[NEWS].basis
        return [] if basis == "CONSENT" else [f"the basis: {basis}"]

    return Told(
        who=who,
        use=NEWS,
        row=PERMITTED,
        contact=PARTLY,
        answer="ALLOW_CONSENT",
        after=_news_by_interest(scene),
        then=is_a_consent_still,
    )


@reaches("PROFILE_REEVALUATED_STRICTER", "S33")
def who_moves_is_judged_by_the_stricter_law(scene: Scene) -> Told:
    who = scene.cast["agreed"]
    scene.director.rep.update("Contact", who, MailingCountry="Germany")

    def both_laws_count(after: Scene) -> list[str]:
        record = after.person(who)
        places = (record.jurisdiction, record.former_jurisdiction)
        return [] if places == ("DE", "UK") else [f"places: {places}"]

    return Told(
        who=who,
        use=NEWS,
        row=PERMITTED,
        contact=PARTLY,
        answer="ALLOW_CONSENT",
        then=both_laws_count,
    )


@reaches("STOP_UNAFFECTED_BY_POLICY", "S33")
def a_move_changes_nothing_about_a_no(scene: Scene) -> Told:
    who = scene.cast["stopped"]
    scene.director.rep.update("Contact", who, MailingCountry="Germany")
    return Told(who=who, use=NEWS, row=STOPPED, contact=STOPPED, answer="DENY_STOPPED")


def _refuse(scene: Scene, *records: str) -> None:
    """Let a rule of the customer's own refuse what is written to some records."""
    for each in records:
        scene.director.fault(
            rows={
                "status_code": "FIELD_CUSTOM_VALIDATION_EXCEPTION",
                "message": "Contacts of this region need a reference number",
                "match": each,
            }
        )


@reaches("WRITE_FAILED_STOP_ESCALATED", "S34")
def a_no_whose_row_is_refused_falls_back_to_the_standard_flag(scene: Scene) -> Told:
    who = scene.cast["agreed"]
    _refuse(scene, scene.rows_shown(who, NEWS)[0]["Id"])
    scene.said(who, EventKind.WITHDRAW, ago=HOUR)
    scene.cycle()
    return Told(
        who=who,
        use=NEWS,
        row=("Permitted", "Do not"),
        contact=STOPPED,
        flags=frozenset({EMAIL_FLAG}),
        answer="DENY_STOPPED",
        restless=True,
        unwritten=True,
    )


@reaches("WRITE_FAILED_RETRY", "S34")
def a_yes_that_the_org_refuses_is_tried_again(scene: Scene) -> Told:
    who = scene.cast["neutral"]
    _refuse(scene, scene.rows_shown(who, NEWS)[0]["Id"])
    scene.said(who, EventKind.GRANT, ago=HOUR, point=scene.address(who))
    scene.cycle()

    def is_written_once_it_can_be(after: Scene) -> list[str]:
        after.director.clear_faults()
        after.wait(HOUR)
        after.settle()
        return [*after.shows_otherwise(who, NEWS, *PERMITTED)]

    return Told(
        who=who,
        use=NEWS,
        row=NEVER_ASKED,
        contact=NEVER_ASKED,
        answer="ALLOW_CONSENT",
        restless=True,
        then=is_written_once_it_can_be,
    )


@reaches("WRITE_FAILED_STOP_ESCALATED", "S34")
def a_no_that_the_org_refuses_is_tried_again_and_somebody_is_called(scene: Scene) -> Told:
    who = scene.cast["agreed"]
    _refuse(scene, who, scene.rows_shown(who, NEWS)[0]["Id"])
    scene.said(who, EventKind.WITHDRAW, ago=HOUR)
    scene.cycle()

    def the_lights_go_out_until_it_is_written(after: Scene) -> list[str]:
        with after.ledger.reading() as tx:
            waiting = tx.unwritten_stops(after.world.org_id).number
        for _ in range(10):
            after.cycle(after=300)
        dark = [*after.shows_otherwise(who, NEWS, "Permitted", "Wait")]
        after.director.clear_faults()
        after.wait(HOUR)
        after.settle()
        waits = [] if waiting == 2 else [f"{waiting} stops wait"]
        return [*waits, *dark, *after.shows_otherwise(who, NEWS, *STOPPED)]

    return Told(
        who=who,
        use=NEWS,
        row=PERMITTED,
        contact=PARTLY,
        answer="DENY_STOPPED",
        restless=True,
        unwritten=True,
        then=the_lights_go_out_until_it_is_written,
    )
