"""Scenarios of another bundle, and of people who move to another country."""

from dataclasses import replace
from datetime import timedelta

from salesforce_bridge.permissions.events import ActorKind, EventKind
from tests.integration.reasons.law import (
    NEWS,
    RETIRED,
    SERVICE_RETIRED,
    TASTE,
    changed,
    on_another_basis,
    with_notice,
)
from tests.integration.reasons.promises import Told, reaches
from tests.integration.reasons.scene import DAY, HOUR, Scene
from tests.integration.reasons.unchanged import (
    LAPSED,
    unchanged,
)


@reaches("PURPOSE_RETIRED_CLOSED", "S29")
def a_question_about_a_retired_purpose_is_closed(scene: Scene) -> Told:
    who = scene.cast["neutral"]
    scene.said(who, EventKind.REQUEST, ago=HOUR, actor=ActorKind.OPERATOR)
    scene.settle()
    return unchanged(
        scene,
        "neutral",
        events=("EXPIRE",),
        row_reason="DENY_PURPOSE_RETIRED",
        answer="DENY_PURPOSE_RETIRED",
        after=scene.under(changed(scene.text, RETIRED)),
    )


@reaches("PURPOSE_RETIRED_REVOKED", "S29")
def a_yes_to_a_retired_purpose_is_over(scene: Scene) -> Told:
    return unchanged(
        scene,
        "agreed",
        events=("REVOKE",),
        row=LAPSED,
        row_reason="PURPOSE_RETIRED_REVOKED",
        contact=LAPSED,
        answer="DENY_PURPOSE_RETIRED",
        after=scene.under(changed(scene.text, RETIRED)),
    )


@reaches("PURPOSE_RETIRED_REVOKED", "S29")
def a_contract_to_a_retired_purpose_is_over(scene: Scene) -> Told:
    return unchanged(
        scene,
        "customer",
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

    return unchanged(
        scene,
        "stopped",
        answer="DENY_PURPOSE_RETIRED",
        after=scene.under(changed(scene.text, RETIRED)),
        then=holds_for_the_successor,
    )


@reaches("PURPOSE_RETIRED_STOP_KEPT", "S29")
def a_restriction_outlives_its_purpose(scene: Scene) -> Told:
    told = unchanged(scene, "restricted")
    return replace(told, after=scene.under(changed(scene.text, RETIRED)))


@reaches("STOP_UNAFFECTED_BY_POLICY", "S29")
def nothing_is_said_about_somebody_erased_but_that_they_are(scene: Scene) -> Told:
    told = unchanged(scene, "erased")
    return replace(told, after=scene.under(changed(scene.text, RETIRED)))


@reaches("NOTICE_SUPERSEDED_NOTED", "S30")
def who_never_agreed_need_not_agree_again(scene: Scene) -> Told:
    return unchanged(
        scene, "neutral", after=scene.under(with_notice(scene.text, of="consent-1", material=True))
    )


@reaches("REAFFIRMATION_REQUIRED", "S30")
def who_agreed_to_another_text_has_to_agree_again(scene: Scene) -> Told:
    who = scene.cast["agreed"]
    after = scene.under(with_notice(scene.text, of="consent-1", material=True))

    def ends_with_its_grace(later: Scene) -> list[str]:
        held = later.person(who).permissions[NEWS]
        grace = timedelta(days=29) < (held.reaffirm_by or later.now) - later.now <= 30 * DAY
        return [] if grace else [f"to be said again by {held.reaffirm_by}"]

    return unchanged(
        scene,
        "agreed",
        beside=("RENEWAL_PROMPT_DUE",),
        events=("PROMPT", "REAFFIRM"),
        after=after,
        then=ends_with_its_grace,
    )


@reaches("NOTICE_REISSUE_REQUIRED", "S30")
def who_never_had_to_agree_is_shown_the_new_text(scene: Scene) -> Told:
    return unchanged(
        scene,
        "customer",
        events=("NOTICED",),
        after=scene.under(with_notice(scene.text, of="privacy-1", material=True)),
    )


@reaches("STOP_UNAFFECTED_BY_POLICY", "S30")
def a_new_text_changes_nothing_about_a_no(scene: Scene) -> Told:
    return unchanged(
        scene, "stopped", after=scene.under(with_notice(scene.text, of="consent-1", material=True))
    )


@reaches("NOTICE_REISSUE_REQUIRED", "S30")
def who_is_asked_for_research_is_shown_the_new_text(scene: Scene) -> Told:
    told = unchanged(scene, "interest", events=("NOTICED",))
    return replace(told, after=scene.under(with_notice(scene.text, of="privacy-1", material=True)))


@reaches("NOTICE_SUPERSEDED_NOTED", "S31")
def a_text_that_changed_little_is_noted(scene: Scene) -> Told:
    who = scene.cast["agreed"]
    text = with_notice(scene.text, of="consent-1", material=False)

    def keeps_the_old_proof(after: Scene) -> list[str]:
        held = after.person(who).permissions[NEWS]
        known = (held.notice_id, held.latest_notice)
        return [] if known == ("consent-1", "consent-2") else [f"the notices: {known}"]

    return unchanged(
        scene, "agreed", events=("NOTICED",), after=scene.under(text), then=keeps_the_old_proof
    )


def _news_by_interest(scene: Scene) -> Scene:
    table, other = on_another_basis("news", 'basis = "CONSENT"', 'basis = "LEGITIMATE_INTEREST"')
    other = other.replace('max_age = "730d"', 'max_age = "730d"\nassessment = "offers"')
    return scene.under(changed(scene.text, (table, other)))


@reaches("BASIS_REASSIGNED_NEUTRAL", "S32")
def who_never_decided_is_judged_by_the_new_basis(scene: Scene) -> Told:
    return unchanged(scene, "neutral", after=_news_by_interest(scene))


@reaches("BASIS_REASSIGNED_NOTICE_DUE", "S32")
def an_interest_that_became_a_task_needs_a_notice(scene: Scene) -> Told:
    text = changed(scene.text, on_another_basis("research", "LEGITIMATE_INTEREST", "PUBLIC_TASK"))
    return unchanged(scene, "interest", after=scene.under(text))


@reaches("BASIS_SWAP_BLOCKED", "S32")
def a_consent_is_not_turned_into_an_interest(scene: Scene) -> Told:
    who = scene.cast["agreed"]

    def is_a_consent_still(after: Scene) -> list[str]:
        basis = after.person(who).permissions[NEWS].basis
        return [] if basis == "CONSENT" else [f"the basis: {basis}"]

    return unchanged(scene, "agreed", after=_news_by_interest(scene), then=is_a_consent_still)


@reaches("BASIS_SWAP_BLOCKED", "S32")
def a_no_is_not_turned_into_an_interest(scene: Scene) -> Told:
    return unchanged(scene, "stopped", after=_news_by_interest(scene))


@reaches("BASIS_SWAP_BLOCKED", "S32")
def what_lapsed_is_not_turned_into_an_interest(scene: Scene) -> Told:
    return unchanged(scene, "lapsed", after=_news_by_interest(scene))


@reaches("PROFILE_REEVALUATED_STRICTER", "S33")
def who_moves_is_judged_by_the_stricter_law(scene: Scene) -> Told:
    who = scene.cast["agreed"]
    scene.director.rep.update("Contact", who, MailingCountry="Germany")

    def both_laws_count(after: Scene) -> list[str]:
        record = after.person(who)
        places = (record.jurisdiction, record.former_jurisdiction)
        return [] if places == ("DE", "UK") else [f"places: {places}"]

    return unchanged(scene, "agreed", then=both_laws_count)


@reaches("STOP_UNAFFECTED_BY_POLICY", "S33")
def a_move_changes_nothing_about_a_no(scene: Scene) -> Told:
    who = scene.cast["stopped"]
    scene.director.rep.update("Contact", who, MailingCountry="Germany")
    return unchanged(scene, "stopped")


@reaches("PROFILE_REEVALUATED_STRICTER", "S33")
def who_was_never_asked_may_move(scene: Scene) -> Told:
    told = unchanged(scene, "neutral")
    scene.director.rep.update("Contact", told.who, MailingCountry="Germany")
    return told


@reaches("PROFILE_REEVALUATED_STRICTER", "S33")
def who_has_no_country_any_more_is_judged_by_the_strictest_law(scene: Scene) -> Told:
    told = unchanged(scene, "agreed")
    scene.director.rep.update("Contact", told.who, MailingCountry=None)
    return told
