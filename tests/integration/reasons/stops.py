"""Scenarios of nothing new, of pushes, and of a no that somebody told Salesforce."""

from collections.abc import Iterator

from salesforce_bridge.permissions.events import ActorKind, EventKind
from salesforce_bridge.permissions.rights import CaseKind
from tests.integration.reasons.law import NEWS, NEWS_CALL, OFFERS, RESEARCH, SERVICE, TASTE
from tests.integration.reasons.promises import Told, reaches
from tests.integration.reasons.scene import (
    ALL_FLAGS,
    CALL_FLAG,
    DAY,
    EMAIL_FLAG,
    HOUR,
    STOP,
    Scene,
)


@reaches("NOOP_IN_SYNC", "S01")
def a_contact_that_is_read_for_its_privacy_record_has_not_changed(scene: Scene) -> Told:
    who = scene.cast["agreed"]
    individual = scene.privacy_record(who)
    scene.settle()
    scene.director.admin.update("Individual", individual, LastName="Renamed")
    return Told(who=who, use=NEWS, row=("Permitted", "OK"), answer="ALLOW_CONSENT")


@reaches("NOOP_OWN_ECHO", "S02")
def what_the_bridge_wrote_comes_back_with_a_new_stamp(scene: Scene) -> Told:
    who = scene.cast["neutral"]
    scene.said(who, EventKind.GRANT, ago=HOUR, point=scene.address(who))
    scene.cycle()
    return Told(
        who=who,
        use=NEWS,
        row=("Permitted", "OK"),
        contact=("Partly permitted", "Partly: see channels"),
        answer="ALLOW_CONSENT",
    )


@reaches("NOOP_DELETED_UNLINKED", "S16")
def somebody_is_gone_before_anybody_has_looked(scene: Scene) -> Told:
    who = scene.stranger()
    scene.director.admin.delete("Contact", who)
    return Told(who=who, use=NEWS, row=None, link=None, answer=None)


@reaches("PUSH_NEUTRAL", "S03")
def a_question_that_was_asked_is_shown(scene: Scene) -> Told:
    who = scene.cast["neutral"]
    scene.said(who, EventKind.REQUEST, ago=HOUR, actor=ActorKind.OPERATOR)
    return Told(
        who=who,
        use=NEWS,
        row=("Asked", "Never asked"),
        contact=("Asked", "Never asked"),
        answer="DENY_NOT_ESTABLISHED",
    )


@reaches("PUSH_GRANT", "S03")
def a_yes_from_elsewhere_is_shown(scene: Scene) -> Told:
    who = scene.cast["neutral"]
    scene.said(who, EventKind.GRANT, ago=HOUR, point=scene.address(who))
    return Told(
        who=who,
        use=NEWS,
        row=("Permitted", "OK"),
        row_reason="ALLOW_CONSENT",
        contact=("Partly permitted", "Partly: see channels"),
        answer="ALLOW_CONSENT",
    )


@reaches("PUSH_BASIS", "S03")
def a_basis_that_was_established_gets_its_row(scene: Scene) -> Told:
    who = scene.cast["neutral"]
    scene.establish(who, RESEARCH, "told by letter")
    return Told(
        who=who,
        use=RESEARCH,
        row=("Permitted", "OK"),
        row_reason="ALLOW_LEGITIMATE_INTEREST",
        answer="ALLOW_LEGITIMATE_INTEREST",
    )


@reaches("PUSH_STOP", "S03")
def a_no_from_elsewhere_is_shown(scene: Scene) -> Told:
    who = scene.cast["agreed"]
    scene.said(who, EventKind.WITHDRAW, ago=HOUR)
    return Told(
        who=who,
        use=NEWS,
        row=("Stopped", "Do not"),
        row_reason="TOLD_WITHDRAW",
        contact=("Stopped", "Do not"),
        answer="DENY_STOPPED",
    )


@reaches("PUSH_LAPSE", "S03")
def a_consent_that_we_ended_is_shown_as_lapsed(scene: Scene) -> Told:
    who = scene.cast["agreed"]
    scene.said(who, EventKind.REVOKE, ago=HOUR, actor=ActorKind.OPERATOR)
    return Told(
        who=who,
        use=NEWS,
        row=("Lapsed", "Do not"),
        contact=("Lapsed", "Do not"),
        answer="DENY_LAPSED",
    )


@reaches("PUSH_RESTRICTION", "S03")
def a_restriction_asked_for_by_letter_is_shown(scene: Scene) -> Told:
    who = scene.cast["agreed"]
    scene.open_case(who, CaseKind.RESTRICTION)
    return Told(
        who=who,
        use=NEWS,
        row=("Limited", "Wait"),
        contact=("Limited", "Wait"),
        answer="DENY_PROCESSING_RESTRICTED",
    )


@reaches("PUSH_ERASURE", "S03")
def an_erasure_takes_the_rows_and_ticks_every_box(scene: Scene) -> Told:
    who = scene.cast["agreed"]
    scene.erase(who)
    return Told(
        who=who,
        use=NEWS,
        row=None,
        contact=("Stopped", "Do not"),
        flags=ALL_FLAGS,
        answer="DENY_SUBJECT_STOP_ALL",
    )


@reaches("STOP_HONOURED", "S04")
def a_no_typed_by_a_rep_ends_a_consent(scene: Scene) -> Told:
    who = scene.cast["agreed"]
    scene.request(who, NEWS, STOP)
    return Told(
        who=who,
        use=NEWS,
        events=("WITHDRAW",),
        row=("Stopped", "Do not"),
        row_reason="STOP_HONOURED",
        contact=("Stopped", "Do not"),
        answer="DENY_STOPPED",
    )


@reaches("STOP_HONOURED", "S04")
def a_no_is_honoured_while_processing_is_restricted(scene: Scene) -> Told:
    who = scene.cast["restricted"]
    scene.request(who, NEWS, STOP)
    return Told(
        who=who,
        use=NEWS,
        events=("WITHDRAW",),
        row=("Stopped", "Do not"),
        contact=("Stopped", "Do not"),
        answer="DENY_PROCESSING_RESTRICTED",
    )


@reaches("STOP_HONOURED", "S04")
def a_no_is_written_to_every_contact_of_the_person(scene: Scene) -> Told:
    first = scene.cast["neutral"]
    scene.director.admin.delete("Contact", first)
    scene.settle()
    second = scene.stranger(email="neutral@example.org")
    scene.settle()
    scene.director.admin.undelete("Contact", first)
    scene.settle()
    assert scene.subject(first) == scene.subject(second)
    scene.request(second, NEWS, STOP)

    def the_other_shows_it_too(after: Scene) -> Iterator[str]:
        yield from after.shows_otherwise(first, NEWS, "Stopped", "Do not")

    return Told(
        who=second,
        use=NEWS,
        events=("WITHDRAW",),
        row=("Stopped", "Do not"),
        contact=("Stopped", "Do not"),
        answer="DENY_STOPPED",
        then=the_other_shows_it_too,
    )


@reaches("STOP_HONOURED_NEW_SUBJECT", "S04")
def somebody_new_has_said_no_already(scene: Scene) -> Told:
    who = scene.stranger()
    scene.request(who, NEWS, STOP)
    return Told(
        who=who,
        use=NEWS,
        beside=("SUBJECT_CREATED_DEFAULT_DENY",),
        events=("WITHDRAW",),
        row=("Stopped", "Do not"),
        row_reason="STOP_HONOURED_NEW_SUBJECT",
        contact=("Stopped", "Do not"),
        answer="DENY_STOPPED",
    )


@reaches("STOP_HONOURED_AS_OBJECTION", "S04")
def an_objection_on_own_grounds_holds_research_until_it_is_decided(scene: Scene) -> Told:
    who = scene.cast["interest"]
    scene.request(who, RESEARCH, STOP)
    return Told(
        who=who,
        use=RESEARCH,
        events=("OBJECT_GROUNDS",),
        cases=("OBJECTION",),
        row=("Limited", "Wait"),
        answer="HOLD_CHALLENGED",
    )


@reaches("STOP_HONOURED_AS_OBJECTION", "S04")
def an_objection_to_marketing_is_absolute(scene: Scene) -> Told:
    who = scene.cast["interest"]
    scene.request(who, OFFERS, STOP)
    return Told(
        who=who,
        use=OFFERS,
        events=("OBJECT_MARKETING",),
        cases=("MARKETING_OBJECTION",),
        row=("Stopped", "Do not"),
        answer="DENY_STOPPED",
    )


@reaches("STOP_RECORDED_SERVICE_CONTINUES", "S04")
def who_says_no_to_a_contract_is_sent_no_marketing_and_the_service_goes_on(scene: Scene) -> Told:
    who = scene.cast["customer"]
    scene.request(who, SERVICE, STOP)

    def marketing_ends(after: Scene) -> Iterator[str]:
        yield from after.shows_otherwise(who, NEWS, "Stopped", "Do not")

    return Told(
        who=who,
        use=SERVICE,
        events=("STOP_MARKETING",),
        cases=("MARKETING_OBJECTION",),
        row=("Permitted", "OK"),
        contact=("Stopped", "Do not"),
        flags=ALL_FLAGS,
        answer="ALLOW_CONTRACT",
        then=marketing_ends,
    )


@reaches("STOP_CORROBORATED", "S04")
def a_no_told_twice_is_kept_as_evidence(scene: Scene) -> Told:
    who = scene.cast["stopped"]
    scene.request(who, NEWS, STOP)
    return Told(
        who=who,
        use=NEWS,
        events=("CORROBORATE",),
        row=("Stopped", "Do not"),
        contact=("Stopped", "Do not"),
        answer="DENY_STOPPED",
    )


@reaches("STOP_SUPPRESSION_REAFFIRMED", "S04")
def a_no_for_an_erased_person_keeps_the_address_silent_anew(scene: Scene) -> Told:
    who = scene.cast["erased"]
    (before, *_) = scene.suppressions(who)
    scene.request(who, NEWS, STOP)

    def is_silent_anew(after: Scene) -> Iterator[str]:
        if after.person(who).points:
            yield "an address of an erased person is remembered"
        for silence in after.suppressions(who):
            if not silence.after_erasure or silence.since <= before.since:
                yield f"not silent anew: {silence}"

    return Told(
        who=who,
        use=NEWS,
        row=None,
        contact=("Stopped", "Do not"),
        flags=ALL_FLAGS,
        answer="DENY_SUBJECT_STOP_ALL",
        then=is_silent_anew,
    )


@reaches("FLAG_STOP_HONOURED", "S12")
def a_ticked_box_ends_marketing_on_its_channel(scene: Scene) -> Told:
    who = scene.cast["agreed"]
    scene.tick(who, HasOptedOutOfEmail=True)
    return Told(
        who=who,
        use=NEWS,
        events=("STOP_CHANNEL",),
        row=("Stopped", "Do not"),
        row_reason="FLAG_STOP_HONOURED",
        contact=("Stopped", "Do not"),
        flags=frozenset({EMAIL_FLAG}),
        answer="DENY_CHANNEL_OPT_OUT",
    )


@reaches("FLAG_STOP_CHANNEL_MARKETING", "S12")
def a_ticked_box_leaves_a_contract_alone(scene: Scene) -> Told:
    who = scene.cast["customer"]
    scene.tick(who, HasOptedOutOfEmail=True)
    return Told(
        who=who,
        use=SERVICE,
        events=("STOP_CHANNEL",),
        row=("Permitted", "OK"),
        contact=("Stopped", "Do not"),
        flags=frozenset({EMAIL_FLAG}),
        answer="ALLOW_CONTRACT",
    )


@reaches("STOP_CORROBORATED", "S12")
def a_ticked_box_on_what_was_stopped_widens_the_no(scene: Scene) -> Told:
    who = scene.cast["stopped"]
    scene.tick(who, HasOptedOutOfEmail=True)
    return Told(
        who=who,
        use=NEWS,
        events=("STOP_CHANNEL",),
        row=("Stopped", "Do not"),
        flags=frozenset({EMAIL_FLAG}),
        answer="DENY_CHANNEL_OPT_OUT",
    )


@reaches("STOP_HONOURED_NEW_SUBJECT", "S12")
def somebody_new_comes_with_a_ticked_box(scene: Scene) -> Told:
    who = scene.stranger(DoNotCall=True)
    return Told(
        who=who,
        use=NEWS_CALL,
        beside=("SUBJECT_CREATED_DEFAULT_DENY",),
        events=("STOP_CHANNEL",),
        row=("Stopped", "Do not"),
        flags=frozenset({CALL_FLAG}),
        answer="DENY_CHANNEL_OPT_OUT",
    )


@reaches("FLAG_CLEAR_NOT_A_GRANT", "S13")
def unticking_a_box_that_was_an_error_permits_nothing(scene: Scene) -> Told:
    who = scene.cast["neutral"]
    scene.tick(who, HasOptedOutOfEmail=True)
    scene.settle()
    scene.correct(who)
    scene.settle()
    assert scene.contact_shown(who)[EMAIL_FLAG]
    scene.tick(who, HasOptedOutOfEmail=False)
    return Told(
        who=who,
        use=NEWS,
        row=("Not asked", "Never asked"),
        contact=("Not asked", "Never asked"),
        answer="DENY_NOT_ESTABLISHED",
    )


@reaches("FLAG_CLEAR_CONSISTENT", "S13")
def unticking_a_box_changes_nothing_about_a_contract(scene: Scene) -> Told:
    who = scene.cast["customer"]
    scene.tick(who, HasOptedOutOfEmail=True)
    scene.settle()
    scene.tick(who, HasOptedOutOfEmail=False)
    return Told(
        who=who,
        use=SERVICE,
        row=("Permitted", "OK"),
        contact=("Stopped", "Do not"),
        flags=frozenset({EMAIL_FLAG}),
        answer="ALLOW_CONTRACT",
    )


@reaches("FLAG_CLEAR_CONSISTENT", "S13")
def unticking_a_box_after_the_person_said_yes_again_agrees_with_the_ledger(scene: Scene) -> Told:
    who = scene.cast["agreed"]
    scene.tick(who, HasOptedOutOfEmail=True)
    scene.settle()
    scene.wait(DAY)
    scene.said(who, EventKind.GRANT, ago=HOUR, point=scene.address(who))
    scene.settle()
    scene.tick(who, HasOptedOutOfEmail=False)
    return Told(
        who=who,
        use=NEWS,
        row=("Permitted", "OK"),
        contact=("Partly permitted", "Partly: see channels"),
        answer="ALLOW_CONSENT",
    )


@reaches("FLAG_CLEAR_REVERTED", "S13")
def unticking_a_box_against_a_no_ticks_it_again(scene: Scene) -> Told:
    who = scene.cast["agreed"]
    scene.tick(who, HasOptedOutOfEmail=True)
    scene.settle()
    scene.tick(who, HasOptedOutOfEmail=False)
    return Told(
        who=who,
        use=NEWS,
        row=("Stopped", "Do not"),
        contact=("Stopped", "Do not"),
        flags=frozenset({EMAIL_FLAG}),
        answer="DENY_CHANNEL_OPT_OUT",
    )


@reaches("RIGHTS_REQUEST_OPENED", "S14")
def who_wants_to_be_forgotten_is_left_in_peace_at_once(scene: Scene) -> Told:
    who = scene.cast["agreed"]
    scene.privacy_record(who, ShouldForget=True)
    return Told(
        who=who,
        use=NEWS,
        events=("STOP_ALL",),
        cases=("ERASURE",),
        row=("Stopped", "Do not"),
        row_reason="RIGHTS_REQUEST_OPENED",
        contact=("Stopped", "Do not"),
        flags=ALL_FLAGS,
        answer="DENY_SUBJECT_STOP_ALL",
    )


@reaches("RIGHTS_REQUEST_OPENED", "S14")
def who_does_not_want_to_be_solicited_keeps_the_contract(scene: Scene) -> Told:
    who = scene.cast["agreed"]
    scene.privacy_record(who, HasOptedOutSolicit=True)
    return Told(
        who=who,
        use=NEWS,
        events=("STOP_MARKETING",),
        cases=("MARKETING_OBJECTION",),
        row=("Stopped", "Do not"),
        contact=("Stopped", "Do not"),
        flags=ALL_FLAGS,
        answer="DENY_MARKETING_OBJECTION",
    )


@reaches("RIGHTS_REQUEST_OPENED", "S14")
def who_does_not_want_to_be_processed_is_restricted(scene: Scene) -> Told:
    who = scene.cast["agreed"]
    scene.privacy_record(who, HasOptedOutProcessing=True)
    return Told(
        who=who,
        use=NEWS,
        cases=("RESTRICTION",),
        row=("Limited", "Wait"),
        contact=("Limited", "Wait"),
        answer="DENY_PROCESSING_RESTRICTED",
    )


@reaches("RIGHTS_REQUEST_OPENED", "S14")
def who_does_not_want_to_be_profiled_ends_what_profiles(scene: Scene) -> Told:
    who = scene.cast["agreed"]
    scene.said(who, EventKind.GRANT, TASTE, ago=HOUR)
    scene.settle()
    scene.privacy_record(who, HasOptedOutProfiling=True)
    return Told(
        who=who,
        use=TASTE,
        events=("WITHDRAW",),
        cases=("PROFILING_OBJECTION",),
        row=("Stopped", "Do not"),
        contact=("Partly permitted", "Partly: see channels"),
        answer="DENY_STOPPED",
    )


@reaches("RIGHTS_REQUEST_OPENED_UNLINKED", "S14")
def somebody_new_asks_for_a_right_at_once(scene: Scene) -> Told:
    individual = scene.director.admin.create(
        "Individual", LastName="Somebody", HasOptedOutSolicit=True
    )
    who = scene.stranger(IndividualId=individual)
    return Told(
        who=who,
        use=NEWS,
        beside=("SUBJECT_CREATED_DEFAULT_DENY",),
        events=("STOP_MARKETING",),
        cases=("MARKETING_OBJECTION",),
        row=("Stopped", "Do not"),
        contact=("Stopped", "Do not"),
        flags=ALL_FLAGS,
        answer="DENY_MARKETING_OBJECTION",
    )


@reaches("RIGHTS_REQUEST_ALREADY_CLOSED", "S14")
def who_was_erased_asks_to_be_forgotten_once_more(scene: Scene) -> Told:
    who = scene.cast["erased"]
    scene.privacy_record(who, ShouldForget=True)
    return Told(
        who=who,
        use=NEWS,
        row=None,
        contact=("Stopped", "Do not"),
        flags=ALL_FLAGS,
        answer="DENY_SUBJECT_STOP_ALL",
    )
