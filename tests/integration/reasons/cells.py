"""Scenarios of the other columns of the table: the same situations, found on people of whom the ledger holds something else."""

from dataclasses import replace

from salesforce_bridge.permissions.contact_points import PointType
from salesforce_bridge.permissions.events import EventKind
from salesforce_bridge.permissions.keys import Use
from salesforce_bridge.permissions.rights import CaseKind, CaseState
from tests.integration.cycle.living import ROW
from tests.integration.reasons.law import (
    CENSUS,
    DUTIES,
    EVERYTHING,
    NEWS,
    NEWS_CALL,
    OFFERS,
    RESCUE,
    RESEARCH,
    RETIRED,
    SERVICE,
    changed,
    on_another_basis,
    with_notice,
)
from tests.integration.reasons.promises import Told, reaches
from tests.integration.reasons.scene import ALL_FLAGS, DAY, EMAIL_FLAG, GRANT, HOUR, STOP, Scene

NEVER_ASKED, STOPPED = ("Not asked", "Never asked"), ("Stopped", "Do not")
PERMITTED, LIMITED = ("Permitted", "OK"), ("Limited", "Wait")
LAPSED, PARTLY = ("Lapsed", "Do not"), ("Partly permitted", "Partly: see channels")


def _told(scene: Scene, name: str, **more: object) -> Told:
    """What does not change about somebody of the cast."""
    who = scene.cast[name]
    unchanged = {
        "agreed": Told(who=who, use=NEWS, row=PERMITTED, contact=PARTLY, answer="ALLOW_CONSENT"),
        "stopped": Told(who=who, use=NEWS, row=STOPPED, contact=STOPPED, answer="DENY_STOPPED"),
        "lapsed": Told(who=who, use=NEWS, row=LAPSED, contact=LAPSED, answer="DENY_LAPSED"),
        "neutral": Told(
            who=who, use=NEWS, row=NEVER_ASKED, contact=NEVER_ASKED, answer="DENY_NOT_ESTABLISHED"
        ),
        "restricted": Told(
            who=who, use=NEWS, row=LIMITED, contact=LIMITED, answer="DENY_PROCESSING_RESTRICTED"
        ),
        "erased": Told(
            who=who,
            use=NEWS,
            row=None,
            contact=STOPPED,
            flags=ALL_FLAGS,
            answer="DENY_SUBJECT_STOP_ALL",
        ),
        "interest": Told(
            who=who,
            use=RESEARCH,
            row=PERMITTED,
            contact=NEVER_ASKED,
            answer="ALLOW_LEGITIMATE_INTEREST",
        ),
        "customer": Told(
            who=who, use=SERVICE, row=PERMITTED, contact=NEVER_ASKED, answer="ALLOW_CONTRACT"
        ),
        "challenged": Told(
            who=who, use=RESEARCH, row=LIMITED, contact=NEVER_ASKED, answer="HOLD_CHALLENGED"
        ),
    }[name]
    return replace(unchanged, **more)  # type: ignore[arg-type]  # as given


def _delete_row(scene: Scene, told: Told) -> None:
    scene.director.admin.delete(ROW, scene.rows_shown(told.who, told.use)[0]["Id"])


# ---------------------------------------------------------------- stops


@reaches("STOP_HONOURED_AS_OBJECTION", "S04")
def an_objection_to_a_public_task_holds_it(scene: Scene) -> Told:
    told = _told(scene, "interest", use=CENSUS, row=LIMITED, answer="HOLD_CHALLENGED")
    scene.request(told.who, CENSUS, STOP)
    return replace(told, events=("OBJECT_GROUNDS",), cases=("OBJECTION",))


@reaches("STOP_RECORDED_SERVICE_CONTINUES", "S04")
def what_the_law_asks_for_goes_on(scene: Scene) -> Told:
    told = _told(scene, "customer", use=DUTIES, contact=STOPPED, answer="ALLOW_LEGAL_OBLIGATION")
    scene.request(told.who, DUTIES, STOP)
    return replace(
        told, events=("STOP_MARKETING",), cases=("MARKETING_OBJECTION",), flags=ALL_FLAGS
    )


@reaches("STOP_RECORDED_SERVICE_CONTINUES", "S04")
def who_is_in_danger_is_called_all_the_same(scene: Scene) -> Told:
    told = _told(scene, "customer", use=RESCUE, contact=STOPPED, answer="ALLOW_VITAL_INTEREST")
    scene.request(told.who, RESCUE, STOP)
    return replace(
        told, events=("STOP_MARKETING",), cases=("MARKETING_OBJECTION",), flags=ALL_FLAGS
    )


@reaches("STOP_HONOURED", "S04")
def a_no_to_what_is_challenged_already_adds_nothing_but_is_kept(scene: Scene) -> Told:
    told = _told(scene, "challenged")
    scene.request(told.who, RESEARCH, STOP)
    return replace(told, events=("OBJECT_GROUNDS",))


@reaches("STOP_HONOURED", "S04")
def a_no_to_what_had_lapsed_is_a_no_from_now_on(scene: Scene) -> Told:
    told = _told(scene, "lapsed", row=STOPPED, contact=STOPPED, answer="DENY_STOPPED")
    scene.request(told.who, NEWS, STOP)
    return replace(told, events=("WITHDRAW",))


@reaches("FLAG_STOP_HONOURED", "S12")
def a_ticked_box_ends_offers_to_customers(scene: Scene) -> Told:
    told = _told(scene, "interest", use=OFFERS, row=STOPPED, contact=STOPPED)
    scene.tick(told.who, HasOptedOutOfEmail=True)
    return replace(
        told,
        events=("STOP_CHANNEL",),
        flags=frozenset({EMAIL_FLAG}),
        answer="DENY_CHANNEL_OPT_OUT",
    )


@reaches("FLAG_STOP_HONOURED", "S12")
def a_ticked_box_counts_while_restricted(scene: Scene) -> Told:
    told = _told(scene, "restricted", row=STOPPED, contact=STOPPED, answer="DENY_CHANNEL_OPT_OUT")
    scene.tick(told.who, HasOptedOutOfEmail=True)
    return replace(told, events=("STOP_CHANNEL",), flags=frozenset({EMAIL_FLAG}))


@reaches("FLAG_CLEAR_REVERTED", "S13")
def a_box_of_somebody_erased_is_ticked_again(scene: Scene) -> Told:
    told = _told(scene, "erased")
    scene.tick(told.who, HasOptedOutOfEmail=False)
    return told


@reaches("RIGHTS_REQUEST_OPENED", "S14")
def a_customer_who_wants_to_be_forgotten_is_served_no_more_than_is_needed(scene: Scene) -> Told:
    told = _told(scene, "customer", row=STOPPED, contact=STOPPED, answer="HOLD_SUBJECT_STOP_ALL")
    scene.privacy_record(told.who, ShouldForget=True)
    return replace(told, events=("STOP_ALL",), cases=("ERASURE",), flags=ALL_FLAGS)


@reaches("RIGHTS_REQUEST_OPENED", "S14")
def a_customer_who_does_not_want_to_be_processed_is_restricted(scene: Scene) -> Told:
    told = _told(
        scene, "customer", row=LIMITED, contact=LIMITED, answer="HOLD_PROCESSING_RESTRICTED"
    )
    scene.privacy_record(told.who, HasOptedOutProcessing=True)
    return replace(told, cases=("RESTRICTION",))


# ---------------------------------------------------------------- pushes


@reaches("PUSH_GRANT", "S03")
def a_restriction_that_was_lifted_lets_the_yes_count_again(scene: Scene) -> Told:
    told = _told(scene, "restricted", row=PERMITTED, contact=PARTLY, answer="ALLOW_CONSENT")
    scene.close(told.who, CaseKind.RESTRICTION, CaseState.DONE)
    return told


@reaches("PUSH_STOP", "S03")
def an_objection_that_was_upheld_ends_research(scene: Scene) -> Told:
    told = _told(scene, "challenged", row=STOPPED, answer="DENY_STOPPED")
    scene.close(told.who, CaseKind.OBJECTION, CaseState.UPHELD)
    return told


@reaches("PUSH_BASIS", "S03")
def an_objection_that_was_overridden_lets_research_go_on(scene: Scene) -> Told:
    told = _told(scene, "challenged", row=PERMITTED, answer="ALLOW_LEGITIMATE_INTEREST")
    scene.close(told.who, CaseKind.OBJECTION, CaseState.OVERRIDDEN)
    return told


# ---------------------------------------------------------------- claims


@reaches("GRANT_HELD_RESTRICTION", "S08")
def a_yes_to_what_is_challenged_is_held(scene: Scene) -> Told:
    told = _told(scene, "challenged")
    scene.request(told.who, RESEARCH, GRANT)
    return replace(told, claims=("GRANT_HELD_RESTRICTION",))


@reaches("GRANT_ACCEPTED_VERIFIED", "S06")
def a_proven_yes_older_than_the_question_is_taken(scene: Scene) -> Told:
    told = _told(scene, "neutral", row=PERMITTED, contact=PARTLY, answer="ALLOW_CONSENT")
    scene.said(told.who, EventKind.REQUEST, ago=HOUR)
    scene.settle()
    token = scene.token(told.who, NEWS, said_at=scene.now - DAY)
    scene.request(told.who, NEWS, GRANT, token)
    return replace(told, events=("GRANT",))


@reaches("GRANT_AFTER_STOP_REJECTED", "S09")
def a_yes_of_tomorrow_does_not_lift_a_no(scene: Scene) -> Told:
    told = _told(scene, "stopped")
    token = scene.token(told.who, NEWS, said_at=scene.now + DAY)
    scene.request(told.who, NEWS, GRANT, token)
    return told


@reaches("GRANT_BASIS_MISMATCH", "S07")
def a_yes_to_a_contract_is_looked_at(scene: Scene) -> Told:
    told = _told(scene, "customer")
    scene.request(told.who, SERVICE, GRANT, "form 19")
    return replace(told, claims=("GRANT_BASIS_MISMATCH",))


@reaches("BLANK_REVERTED_STOP_KEPT", "S10")
def a_limit_that_was_blanked_is_shown_again(scene: Scene) -> Told:
    told = _told(scene, "restricted")
    scene.overtype(told.who, NEWS, Consent_Status__c=None)
    return told


@reaches("BLANK_REVERTED", "S10")
def a_contract_that_was_blanked_is_shown_again(scene: Scene) -> Told:
    told = _told(scene, "customer")
    scene.overtype(told.who, SERVICE, Consent_Status__c=None)
    return told


# ---------------------------------------------------------------- rows


@reaches("PERM_RECREATED_STOP", "S22")
def a_limited_row_that_was_deleted_is_made_again(scene: Scene) -> Told:
    told = _told(scene, "challenged")
    _delete_row(scene, told)
    return told


@reaches("UNDELETE_OF_ERASED_BLOCKED", "S23")
def a_row_of_somebody_erased_out_of_the_recycle_bin_goes_again(scene: Scene) -> Told:
    told = _told(scene, "erased")
    gone = scene.director.query(
        f"SELECT Id FROM {ROW} WHERE IsDeleted = TRUE AND Channel__c = 'EMAIL'"
        f" AND Ledger_Key__c LIKE '{told.who}%'",
        all_rows=True,
    )
    scene.director.admin.undelete(ROW, gone[0]["Id"])
    return told


@reaches("UPDATE_OF_ERASED_BLOCKED", "S24")
def a_row_hung_on_somebody_erased_is_hung_back(scene: Scene) -> Told:
    told = _told(scene, "erased")
    scene.overtype(scene.cast["agreed"], NEWS, Contact__c=told.who)

    def is_hung_back(after: Scene) -> list[str]:
        return [*after.shows_otherwise(after.cast["agreed"], NEWS, *PERMITTED)]

    return replace(told, then=is_hung_back)


@reaches("ERASED_RECORD_STILL_PRESENT", "S25")
def a_row_of_no_known_purpose_is_not_kept_about_somebody_erased(scene: Scene) -> Told:
    told = _told(scene, "erased", use=EVERYTHING)
    scene.director.rep.create(ROW, Contact__c=told.who, Purpose__c="calendars", Channel__c="POST")

    def is_gone(after: Scene) -> list[str]:
        left = after.director.count(f"SELECT Id FROM {ROW} WHERE Contact__c = '{told.who}'")
        return [f"{left} rows"] if left else []

    return replace(told, then=is_gone)


# ---------------------------------------------------------------- people


@reaches("SUBJECT_LINKED_STOP_INHERITED", "S15")
def a_restriction_comes_back_with_whoever_has_the_address(scene: Scene) -> Told:
    scene.director.admin.delete("Contact", scene.cast["restricted"])
    scene.settle()
    who = scene.stranger(email="restricted@example.org")
    return _told(scene, "restricted", who=who)


@reaches("LINK_REOPENED_STOP_REASSERTED", "S18")
def a_restriction_is_shown_again_out_of_the_recycle_bin(scene: Scene) -> Told:
    told = _told(scene, "restricted")
    scene.director.admin.delete("Contact", told.who)
    scene.settle()
    scene.director.admin.undelete("Contact", told.who)
    return told


@reaches("CONTACT_POINT_REKEYED", "S21")
def an_interest_goes_on_at_a_new_address(scene: Scene) -> Told:
    told = _told(scene, "interest")
    scene.director.rep.update("Contact", told.who, Email="new@example.org")
    return told


@reaches("NOOP_OWN_ECHO", "S02")
def a_second_number_ends_no_yes_to_the_first(scene: Scene) -> Told:
    who = scene.cast["neutral"]
    number = scene.address(who, PointType.PHONE)
    scene.said(who, EventKind.GRANT, NEWS_CALL, ago=HOUR, point=number)
    scene.settle()
    scene.director.rep.update("Contact", who, MobilePhone="+44 20 7946 0777")
    return Told(who=who, use=NEWS_CALL, row=PERMITTED, contact=PARTLY, answer="ALLOW_CONSENT")


@reaches("DUPLICATE_GRANT_NOT_SHARED", "S20")
def a_second_number_of_somebody_else_ends_no_yes_to_the_first(scene: Scene) -> Told:
    who, other = scene.cast["neutral"], scene.cast["agreed"]
    number = scene.address(who, PointType.PHONE)
    scene.said(who, EventKind.GRANT, NEWS_CALL, ago=HOUR, point=number)
    scene.settle()
    (found,) = scene.director.query(f"SELECT Phone FROM Contact WHERE Id = '{other}'")
    scene.director.rep.update("Contact", who, MobilePhone=found["Phone"])
    return Told(who=who, use=NEWS_CALL, row=PERMITTED, contact=PARTLY, answer="ALLOW_CONSENT")


@reaches("NOOP_IN_SYNC", "S01")
def a_policy_without_a_fax_ticks_no_fax_box(scene: Scene) -> Told:
    told = _told(scene, "agreed")
    fax = '[channels.FAX]\nlabel = "Fax"\nflag = "HasOptedOutOfFax"\n'
    after = scene.under(changed(scene.text, (fax, "")))
    return replace(told, after=after)


def _merged_into(scene: Scene, winner: str, loser: str, use: Use, *shown: str) -> Told:
    first, second = scene.cast[winner], scene.cast[loser]
    scene.director.admin.merge("Contact", first, [second])

    def the_winner(after: Scene) -> list[str]:
        return [*after.shows_otherwise(first, use, *shown)]

    return Told(
        who=second,
        use=use,
        row=None,
        link="MERGED_INTO",
        answer="DENY_SUBJECT_UNKNOWN",
        then=the_winner,
    )


@reaches("MERGE_RESTRICTION_CARRIED", "S19")
def a_yes_does_not_pass_the_restriction_of_the_other(scene: Scene) -> Told:
    return _merged_into(scene, "restricted", "agreed", NEWS, *LIMITED)


@reaches("MERGE_RESTRICTION_CARRIED", "S19")
def a_challenge_survives_a_merge(scene: Scene) -> Told:
    return _merged_into(scene, "interest", "challenged", RESEARCH, *LIMITED)


@reaches("MERGE_RESTRICTIVE_JOIN", "S19")
def a_contract_goes_over_to_whoever_lives_on(scene: Scene) -> Told:
    return _merged_into(scene, "neutral", "customer", SERVICE, *PERMITTED)


@reaches("MERGE_STOP_CARRIED", "S19")
def a_no_of_the_one_who_lives_on_stays(scene: Scene) -> Told:
    return _merged_into(scene, "stopped", "agreed", NEWS, *STOPPED)


@reaches("DUPLICATE_STOP_PROPAGATED", "S20")
def a_no_reaches_who_is_restricted_too(scene: Scene) -> Told:
    scene.director.rep.update("Contact", scene.cast["neutral"], Email="restricted@example.org")
    scene.settle()
    told = _told(scene, "restricted", row=STOPPED, contact=STOPPED)
    scene.request(scene.cast["neutral"], NEWS, STOP)
    return replace(told, events=("WITHDRAW",))


# ---------------------------------------------------------------- clock and policy


@reaches("BASIS_REVIEW_DUE", "S28")
def somebody_is_told_before_a_contract_ends(scene: Scene) -> Told:
    told = _told(scene, "customer")
    (contract,) = (each for each in scene.person(told.who).conditions if each.ref == "contract 17")
    assert contract.valid_to is not None
    scene.until(contract.valid_to - 30 * DAY)
    return replace(told, events=("PROMPT",))


@reaches("EXPIRED_BY_RULE", "S27")
def a_challenge_that_is_open_at_the_end_ends_as_an_objection(scene: Scene) -> Told:
    who = scene.cast["neutral"]
    end = scene.now + 5 * DAY
    scene.establish(who, RESEARCH, "told by letter", effective_to=end)
    scene.settle()
    scene.request(who, RESEARCH, STOP)
    scene.settle()
    scene.until(end)
    return _told(
        scene,
        "neutral",
        use=RESEARCH,
        row=STOPPED,
        events=("END",),
        beside=("REPERMISSION_BLOCKED",),
        answer="DENY_STOPPED",
    )


@reaches("PURPOSE_RETIRED_STOP_KEPT", "S29")
def a_restriction_outlives_its_purpose(scene: Scene) -> Told:
    told = _told(scene, "restricted")
    return replace(told, after=scene.under(changed(scene.text, RETIRED)))


@reaches("STOP_UNAFFECTED_BY_POLICY", "S29")
def nothing_is_said_about_somebody_erased_but_that_they_are(scene: Scene) -> Told:
    told = _told(scene, "erased")
    return replace(told, after=scene.under(changed(scene.text, RETIRED)))


@reaches("NOTICE_REISSUE_REQUIRED", "S30")
def who_is_asked_for_research_is_shown_the_new_text(scene: Scene) -> Told:
    told = _told(scene, "interest", events=("NOTICED",))
    return replace(told, after=scene.under(with_notice(scene.text, of="privacy-1", material=True)))


def _news_by_interest(scene: Scene) -> Scene:
    table, other = on_another_basis("news", 'basis = "CONSENT"', 'basis = "LEGITIMATE_INTEREST"')
    other = other.replace('max_age = "730d"', 'max_age = "730d"\nassessment = "offers"')
    return scene.under(changed(scene.text, (table, other)))


@reaches("BASIS_SWAP_BLOCKED", "S32")
def a_no_is_not_turned_into_an_interest(scene: Scene) -> Told:
    return _told(scene, "stopped", after=_news_by_interest(scene))


@reaches("BASIS_SWAP_BLOCKED", "S32")
def what_lapsed_is_not_turned_into_an_interest(scene: Scene) -> Told:
    return _told(scene, "lapsed", after=_news_by_interest(scene))


@reaches("PROFILE_REEVALUATED_STRICTER", "S33")
def who_was_never_asked_may_move(scene: Scene) -> Told:
    told = _told(scene, "neutral")
    scene.director.rep.update("Contact", told.who, MailingCountry="Germany")
    return told


# ---------------------------------------------------------------- several things at once


@reaches("STOP_HONOURED", "S04")
def a_no_with_the_proof_of_a_yes_is_a_no(scene: Scene) -> Told:
    told = _told(scene, "neutral", row=STOPPED, contact=STOPPED, answer="DENY_STOPPED")
    token = scene.token(told.who, NEWS, said_at=scene.now - HOUR)
    scene.request(told.who, NEWS, STOP, token)
    return replace(told, events=("WITHDRAW",))


@reaches("STOP_HONOURED", "S04")
def an_end_that_was_typed_earlier_is_a_no(scene: Scene) -> Told:
    told = _told(scene, "agreed", row=STOPPED, contact=STOPPED, answer="DENY_STOPPED")
    scene.overtype(told.who, NEWS, Effective_To__c=(scene.now + DAY).isoformat())
    return replace(told, events=("WITHDRAW",))


@reaches("RIGHTS_REQUEST_OPENED", "S14")
def who_has_two_wishes_is_granted_both(scene: Scene) -> Told:
    told = _told(scene, "agreed", row=STOPPED, contact=STOPPED, flags=ALL_FLAGS)
    scene.privacy_record(told.who, HasOptedOutSolicit=True, HasOptedOutProcessing=True)
    return replace(
        told,
        events=("STOP_MARKETING",),
        cases=("MARKETING_OBJECTION", "RESTRICTION"),
        answer="DENY_MARKETING_OBJECTION",
    )


@reaches("PERM_DUPLICATE_COLLAPSED", "S23")
def a_no_on_the_row_that_is_one_too_many_is_heard(scene: Scene) -> Told:
    told = _told(scene, "agreed", row=STOPPED, contact=STOPPED, answer="DENY_STOPPED")
    scene.director.rep.create(
        ROW,
        Contact__c=told.who,
        Purpose__c=NEWS.purpose,
        Channel__c=NEWS.channel,
        Requested_Change__c=STOP,
    )
    return replace(told, events=("WITHDRAW",), beside=("STOP_HONOURED",))


@reaches("MERGE_STOP_CARRIED", "S19")
def a_no_survives_two_merges_in_a_row(scene: Scene) -> Told:
    scene.director.admin.merge("Contact", scene.cast["neutral"], [scene.cast["stopped"]])
    told = _merged_into(scene, "agreed", "neutral", NEWS, *STOPPED)
    return replace(told, who=scene.cast["stopped"])


@reaches("MERGE_WITH_ERASED_REVIEW", "S19")
def who_is_merged_into_somebody_erased_leaves_nothing_there(scene: Scene) -> Told:
    winner = scene.cast["erased"]
    scene.director.admin.merge("Contact", winner, [scene.cast["agreed"]])

    def has_no_row(after: Scene) -> list[str]:
        return [f"a row: {each}" for each in after.rows_shown(winner, NEWS)]

    return Told(
        who=scene.cast["agreed"],
        use=NEWS,
        row=None,
        link="MERGED_INTO",
        answer="DENY_SUBJECT_UNKNOWN",
        then=has_no_row,
    )


@reaches("GRANT_AFTER_ERASURE_REVIEW", "S05")
def somebody_new_at_the_address_of_somebody_erased_is_looked_at(scene: Scene) -> Told:
    scene.wait(HOUR)
    who = scene.stranger(email="erased@example.org")
    scene.request(who, NEWS, GRANT, scene.token(who, NEWS, said_at=scene.now - HOUR / 2))
    return _told(
        scene,
        "erased",
        who=who,
        row=STOPPED,
        beside=("CONTACT_MATCHES_SUPPRESSION",),
        answer="DENY_SUPPRESSED_MARKETING",
    )


@reaches("EXPIRED_BY_RULE", "S27")
def who_did_not_agree_again_in_time_has_lapsed(scene: Scene) -> Told:
    after = scene.under(with_notice(scene.text, of="consent-1", material=True))
    after.settle()
    again = after.held(scene.cast["agreed"], NEWS).reaffirm_by
    assert again is not None
    after.until(again)
    told = _told(after, "agreed", row=LAPSED, contact=LAPSED, answer="DENY_LAPSED", after=after)
    return replace(told, events=("EXPIRE",), beside=("REPERMISSION_NEEDS_ROUTE",))


@reaches("PROFILE_REEVALUATED_STRICTER", "S33")
def who_has_no_country_any_more_is_judged_by_the_strictest_law(scene: Scene) -> Told:
    told = _told(scene, "agreed")
    scene.director.rep.update("Contact", told.who, MailingCountry=None)
    return told
