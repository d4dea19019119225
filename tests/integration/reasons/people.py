"""Scenarios of Contacts that come and go, are merged, parted, shared and moved."""

from dataclasses import replace

from salesforce_bridge.permissions.events import ActorKind, EventKind
from tests.integration.cycle.living import ROW
from tests.integration.reasons.law import EVERYTHING, NEWS
from tests.integration.reasons.promises import Told, reaches
from tests.integration.reasons.scene import ALL_FLAGS, DAY, EMAIL_FLAG, HOUR, STOP, Scene

NEVER_ASKED, STOPPED = ("Not asked", "Never asked"), ("Stopped", "Do not")
PERMITTED, LIMITED = ("Permitted", "OK"), ("Limited", "Wait")
PARTLY = ("Partly permitted", "Partly: see channels")


def _gone(who: str, link: str) -> Told:
    """Somebody whose Contact is gone, and whose rows went with it or name nobody."""
    return Told(who=who, use=NEWS, row=None, link=link, answer="DENY_SUBJECT_UNKNOWN")


def _again(scene: Scene, name: str) -> str:
    """Somebody whose Contact was deleted is typed in again."""
    scene.director.admin.delete("Contact", scene.cast[name])
    scene.settle()
    return scene.stranger(email=f"{name}@example.org")


@reaches("SUBJECT_CREATED_DEFAULT_DENY", "S15")
def somebody_new_is_permitted_nothing(scene: Scene) -> Told:
    who = scene.stranger()

    def has_a_row_for_each_channel(after: Scene) -> list[str]:
        found = after.director.count(f"SELECT Id FROM {ROW} WHERE Contact__c = '{who}'")
        return [] if found == 3 else [f"{found} rows"]

    return Told(
        who=who,
        use=NEWS,
        row=NEVER_ASKED,
        contact=NEVER_ASKED,
        answer="DENY_NOT_ESTABLISHED",
        then=has_a_row_for_each_channel,
    )


@reaches("SUBJECT_LINKED_EXISTING", "S15")
def somebody_typed_in_again_is_the_same_person(scene: Scene) -> Told:
    before = scene.subject(scene.cast["neutral"])
    who = _again(scene, "neutral")

    def is_the_same(after: Scene) -> list[str]:
        return [] if after.subject(who) == before else ["somebody else"]

    return Told(
        who=who,
        use=NEWS,
        row=NEVER_ASKED,
        contact=NEVER_ASKED,
        answer="DENY_NOT_ESTABLISHED",
        then=is_the_same,
    )


@reaches("SUBJECT_LINKED_GRANT_NOT_INHERITED", "S15")
def a_yes_does_not_come_back_with_whoever_has_the_address(scene: Scene) -> Told:
    who = _again(scene, "agreed")
    return Told(
        who=who,
        use=NEWS,
        row=NEVER_ASKED,
        contact=NEVER_ASKED,
        link="AMBIGUOUS",
        answer="HOLD_IDENTITY_AMBIGUOUS",
    )


@reaches("SUBJECT_LINKED_STOP_INHERITED", "S15")
def a_no_comes_back_with_whoever_has_the_address(scene: Scene) -> Told:
    who = _again(scene, "stopped")
    return Told(who=who, use=NEWS, row=STOPPED, contact=STOPPED, answer="DENY_STOPPED")


@reaches("CONTACT_MATCHES_SUPPRESSION", "S15")
def the_address_of_somebody_erased_stays_silent(scene: Scene) -> Told:
    who = scene.stranger(email="erased@example.org")
    return Told(
        who=who,
        use=NEWS,
        row=None,
        contact=STOPPED,
        flags=ALL_FLAGS,
        answer="DENY_SUPPRESSED_MARKETING",
    )


@reaches("LINK_CLOSED_SOFT", "S16")
def a_deleted_contact_keeps_its_history(scene: Scene) -> Told:
    who = scene.cast["agreed"]
    scene.director.admin.delete("Contact", who)
    return _gone(who, "CLOSED_SOFT")


@reaches("LINK_CLOSED_STOP_RETAINED", "S16")
def a_no_outlives_a_deleted_contact(scene: Scene) -> Told:
    who = scene.cast["stopped"]
    scene.director.admin.delete("Contact", who)

    def still_says_no(after: Scene) -> list[str]:
        return [] if after.class_of(who, NEWS) == "L4" else ["the no is gone"]

    return replace(_gone(who, "CLOSED_SOFT"), then=still_says_no)


def _vanish(scene: Scene, who: str) -> None:
    """Let a Contact and its rows be purged, past the recycle bin."""
    rows = scene.director.query(f"SELECT Id FROM {ROW} WHERE Contact__c = '{who}'")
    scene.director.purge(ROW, [each["Id"] for each in rows])
    scene.director.purge("Contact", [who])


@reaches("LINK_CLOSED_PURGED", "S17")
def a_contact_that_vanished_for_good_is_closed(scene: Scene) -> Told:
    who = scene.cast["neutral"]
    _vanish(scene, who)
    # It shows only once there is something to write to it.
    scene.said(who, EventKind.REQUEST, ago=HOUR, actor=ActorKind.OPERATOR)
    return replace(
        _gone(who, "CLOSED_PURGED"), beside=("PUSH_NEUTRAL", "PERM_RECREATED", "WRITE_FAILED_RETRY")
    )


@reaches("LINK_CLOSED_STOP_RETAINED", "S17")
def a_no_outlives_a_contact_that_vanished(scene: Scene) -> Told:
    who = scene.cast["stopped"]
    _vanish(scene, who)
    scene.said(who, EventKind.STOP_MARKETING, EVERYTHING, ago=HOUR)
    return replace(
        _gone(who, "CLOSED_PURGED"),
        beside=("PUSH_STOP", "PERM_RECREATED_STOP", "WRITE_FAILED_STOP_ESCALATED"),
    )


@reaches("LINK_REOPENED_REASSERTED", "S18")
def a_contact_out_of_the_recycle_bin_shows_what_the_ledger_holds(scene: Scene) -> Told:
    who = scene.cast["agreed"]
    scene.director.admin.delete("Contact", who)
    scene.settle()
    scene.director.admin.undelete("Contact", who)
    return Told(who=who, use=NEWS, row=PERMITTED, contact=PARTLY, answer="ALLOW_CONSENT")


@reaches("LINK_REOPENED_STOP_REASSERTED", "S18")
def a_no_is_shown_again_out_of_the_recycle_bin(scene: Scene) -> Told:
    who = scene.cast["stopped"]
    scene.director.admin.delete("Contact", who)
    scene.settle()
    scene.director.admin.undelete("Contact", who)
    return Told(who=who, use=NEWS, row=STOPPED, contact=STOPPED, answer="DENY_STOPPED")


@reaches("ERASED_RECORD_STILL_PRESENT", "S02")
def the_record_of_somebody_erased_is_reported_while_it_is_there(scene: Scene) -> Told:
    who = scene.cast["agreed"]
    scene.erase(who)
    scene.cycle()
    return Told(
        who=who,
        use=NEWS,
        row=None,
        contact=STOPPED,
        flags=ALL_FLAGS,
        answer="DENY_SUBJECT_STOP_ALL",
    )


@reaches("ERASURE_CONFIRMED_IN_CRM", "S16")
def the_end_of_an_erased_record_ends_its_case(scene: Scene) -> Told:
    who = scene.cast["erased"]
    scene.director.admin.delete("Contact", who)

    def the_case_is_over(after: Scene) -> list[str]:
        with after.ledger.reading() as tx:
            cases = tx.cases(subject_id=after.subject(who))
        seen = [each.crm_done_at is not None for each in cases]
        return [] if seen == [True] else [f"the cases: {cases}"]

    return replace(_gone(who, "CLOSED_SOFT"), then=the_case_is_over)


@reaches("UNDELETE_OF_ERASED_BLOCKED", "S18")
def an_erased_record_out_of_the_recycle_bin_shows_nothing(scene: Scene) -> Told:
    who = scene.cast["erased"]
    scene.director.admin.delete("Contact", who)
    scene.settle()
    scene.director.admin.undelete("Contact", who)
    return Told(
        who=who,
        use=NEWS,
        row=None,
        contact=STOPPED,
        flags=ALL_FLAGS,
        answer="DENY_SUBJECT_STOP_ALL",
    )


@reaches("UPDATE_OF_ERASED_BLOCKED", "S21")
def a_new_address_of_somebody_erased_is_not_remembered(scene: Scene) -> Told:
    who = scene.cast["erased"]
    scene.director.rep.update("Contact", who, Email="new@example.org")

    def is_not_remembered(after: Scene) -> list[str]:
        return [f"remembered: {each}" for each in after.person(who).points]

    return Told(
        who=who,
        use=NEWS,
        row=None,
        contact=STOPPED,
        flags=ALL_FLAGS,
        answer="DENY_SUBJECT_STOP_ALL",
        then=is_not_remembered,
    )


def _merged(scene: Scene, winner: str, loser: str, *shown: str, of: Told | None = None) -> Told:
    """Two Contacts are folded into one; what the winner then shows."""
    scene.director.admin.merge("Contact", winner, [loser])

    def the_winner(after: Scene) -> list[str]:
        return [*after.shows_otherwise(winner, NEWS, *shown)]

    return of or Told(
        who=loser,
        use=NEWS,
        row=None,
        link="MERGED_INTO",
        answer="DENY_SUBJECT_UNKNOWN",
        then=the_winner,
    )


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

    return Told(
        who=loser,
        use=NEWS,
        row=None,
        link="MERGED_INTO",
        answer="DENY_SUBJECT_UNKNOWN",
        then=the_winner,
    )


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

    return Told(
        who=loser,
        use=NEWS,
        row=None,
        link="MERGED_INTO",
        answer="DENY_SUBJECT_UNKNOWN",
        then=the_winner,
    )


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

    return Told(
        who=loser,
        use=NEWS,
        row=None,
        link="MERGED_INTO",
        answer="DENY_SUBJECT_UNKNOWN",
        then=is_silent,
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
    who = scene.cast["neutral"]
    scene.director.rep.update("Contact", who, Email="agreed@example.org")
    return Told(
        who=who,
        use=NEWS,
        beside=("CONTACT_POINT_REKEYED",),
        row=NEVER_ASKED,
        contact=NEVER_ASKED,
        answer="DENY_NOT_ESTABLISHED",
    )


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


@reaches("ECHO_WITHOUT_LEDGER", "S02")
def a_ledger_that_knows_nothing_meets_the_writing_of_another(scene: Scene) -> Told:
    who = scene.cast["agreed"]
    empty = scene.without_memory()
    stamps = f"SELECT SystemModstamp FROM {ROW} WHERE Contact__c = '{who}' ORDER BY Id"
    before = scene.director.query(stamps)

    def nothing_is_written(after: Scene) -> list[str]:
        return [] if after.director.query(stamps) == before else ["rows were written"]

    return Told(
        who=who,
        use=NEWS,
        beside=("SUBJECT_CREATED_DEFAULT_DENY", "MASS_CHANGE_CIRCUIT_OPEN"),
        row=PERMITTED,
        contact=PARTLY,
        answer="DENY_NOT_ESTABLISHED",
        after=empty,
        restless=True,
        unwritten=True,
        then=nothing_is_written,
    )


@reaches("SUBJECT_UNLINKED_REPORTED", "S11")
def somebody_new_comes_with_results_that_nobody_knows(scene: Scene) -> Told:
    who = scene.stranger()
    scene.director.integration.create(
        ROW,
        Contact__c=who,
        Purpose__c=NEWS.purpose,
        Channel__c=NEWS.channel,
        Notice_Version__c="a text of another system",
    )
    return Told(
        who=who,
        use=NEWS,
        beside=("SUBJECT_CREATED_DEFAULT_DENY",),
        row=NEVER_ASKED,
        contact=NEVER_ASKED,
        answer="DENY_NOT_ESTABLISHED",
    )


@reaches("CONTACT_POINT_REKEYED", "S21")
def a_new_address_is_noted(scene: Scene) -> Told:
    who = scene.cast["neutral"]
    before = scene.address(who)
    scene.director.rep.update("Contact", who, Email="new@example.org")

    def the_old_one_is_retired(after: Scene) -> list[str]:
        retired = {each.point.exact for each in after.person(who).points if each.retired}
        known = before in retired and after.address(who) != before
        return [] if known else [f"the addresses: {after.person(who).points}"]

    return Told(
        who=who,
        use=NEWS,
        row=NEVER_ASKED,
        contact=NEVER_ASKED,
        answer="DENY_NOT_ESTABLISHED",
        then=the_old_one_is_retired,
    )


@reaches("GRANT_NOT_PORTED_TO_NEW_POINT", "S21")
def a_yes_does_not_follow_to_a_new_address(scene: Scene) -> Told:
    who = scene.cast["agreed"]
    scene.director.rep.update("Contact", who, Email="new@example.org")
    return Told(
        who=who,
        use=NEWS,
        events=("REVOKE",),
        row=NEVER_ASKED,
        row_reason="GRANT_NOT_PORTED_TO_NEW_POINT",
        contact=NEVER_ASKED,
        answer="DENY_LAPSED",
    )


@reaches("STOP_CARRIED_TO_NEW_POINT", "S21")
def a_no_follows_to_a_new_address(scene: Scene) -> Told:
    who = scene.cast["stopped"]
    scene.director.rep.update("Contact", who, Email="new@example.org")
    return Told(who=who, use=NEWS, row=STOPPED, contact=STOPPED, answer="DENY_STOPPED")


@reaches("STOP_HONOURED_NEW_SUBJECT", "S12")
def the_no_of_a_lead_is_the_no_of_its_contact(scene: Scene) -> Told:
    lead = scene.director.rep.create(
        "Lead", LastName="Lead", Company="Acme", Email="lead@example.org", HasOptedOutOfEmail=True
    )
    who = scene.director.rep.convert_lead(lead).contact_id
    scene.director.admin.update("Contact", who, HasOptedOutOfEmail=False)
    return Told(
        who=who,
        use=NEWS,
        beside=("SUBJECT_CREATED_DEFAULT_DENY",),
        events=("STOP_CHANNEL",),
        row=STOPPED,
        contact=STOPPED,
        flags=frozenset({EMAIL_FLAG}),
        answer="DENY_CHANNEL_OPT_OUT",
    )
