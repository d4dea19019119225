"""Scenarios of Contacts that come, go, come back and move."""

from dataclasses import replace

from salesforce_bridge.permissions.events import ActorKind, EventKind
from tests.integration.cycle.living import ROW
from tests.integration.reasons.law import EVERYTHING, NEWS
from tests.integration.reasons.promises import Told, reaches
from tests.integration.reasons.scene import ALL_FLAGS, HOUR, Scene
from tests.integration.reasons.unchanged import NEVER_ASKED, STOPPED, unchanged


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


def _again(scene: Scene, name: str) -> str:
    """Somebody whose Contact was deleted is typed in again."""
    scene.director.admin.delete("Contact", scene.cast[name])
    scene.settle()
    return scene.stranger(email=f"{name}@example.org")


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


@reaches("SUBJECT_LINKED_STOP_INHERITED", "S15")
def a_restriction_comes_back_with_whoever_has_the_address(scene: Scene) -> Told:
    scene.director.admin.delete("Contact", scene.cast["restricted"])
    scene.settle()
    who = scene.stranger(email="restricted@example.org")
    return unchanged(scene, "restricted", who=who)


@reaches("NOOP_DELETED_UNLINKED", "S16")
def somebody_is_gone_before_anybody_has_looked(scene: Scene) -> Told:
    who = scene.stranger()
    scene.director.admin.delete("Contact", who)
    return Told(who=who, use=NEWS, row=None, link=None, answer=None)


def _gone(who: str, link: str) -> Told:
    """Somebody whose Contact is gone, and whose rows went with it or name nobody."""
    return Told(who=who, use=NEWS, row=None, link=link, answer="DENY_SUBJECT_UNKNOWN")


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
    return unchanged(scene, "agreed")


@reaches("LINK_REOPENED_STOP_REASSERTED", "S18")
def a_no_is_shown_again_out_of_the_recycle_bin(scene: Scene) -> Told:
    who = scene.cast["stopped"]
    scene.director.admin.delete("Contact", who)
    scene.settle()
    scene.director.admin.undelete("Contact", who)
    return unchanged(scene, "stopped")


@reaches("UNDELETE_OF_ERASED_BLOCKED", "S18")
def an_erased_record_out_of_the_recycle_bin_shows_nothing(scene: Scene) -> Told:
    who = scene.cast["erased"]
    scene.director.admin.delete("Contact", who)
    scene.settle()
    scene.director.admin.undelete("Contact", who)
    return unchanged(scene, "erased")


@reaches("LINK_REOPENED_STOP_REASSERTED", "S18")
def a_restriction_is_shown_again_out_of_the_recycle_bin(scene: Scene) -> Told:
    told = unchanged(scene, "restricted")
    scene.director.admin.delete("Contact", told.who)
    scene.settle()
    scene.director.admin.undelete("Contact", told.who)
    return told


@reaches("UPDATE_OF_ERASED_BLOCKED", "S21")
def a_new_address_of_somebody_erased_is_not_remembered(scene: Scene) -> Told:
    who = scene.cast["erased"]
    scene.director.rep.update("Contact", who, Email="new@example.org")

    def is_not_remembered(after: Scene) -> list[str]:
        return [f"remembered: {each}" for each in after.person(who).points]

    return unchanged(scene, "erased", then=is_not_remembered)


@reaches("CONTACT_POINT_REKEYED", "S21")
def a_new_address_is_noted(scene: Scene) -> Told:
    who = scene.cast["neutral"]
    before = scene.address(who)
    scene.director.rep.update("Contact", who, Email="new@example.org")

    def the_old_one_is_retired(after: Scene) -> list[str]:
        retired = {each.point.exact for each in after.person(who).points if each.retired}
        known = before in retired and after.address(who) != before
        return [] if known else [f"the addresses: {after.person(who).points}"]

    return unchanged(scene, "neutral", then=the_old_one_is_retired)


@reaches("GRANT_NOT_PORTED_TO_NEW_POINT", "S21")
def a_yes_does_not_follow_to_a_new_address(scene: Scene) -> Told:
    who = scene.cast["agreed"]
    scene.director.rep.update("Contact", who, Email="new@example.org")
    return unchanged(
        scene,
        "agreed",
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
    return unchanged(scene, "stopped")


@reaches("CONTACT_POINT_REKEYED", "S21")
def an_interest_goes_on_at_a_new_address(scene: Scene) -> Told:
    told = unchanged(scene, "interest")
    scene.director.rep.update("Contact", told.who, Email="new@example.org")
    return told
