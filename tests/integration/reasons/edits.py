"""Scenarios of edits that say neither yes nor no, of rows that come and go, and of very many edits at once."""

from dataclasses import replace

from salesforce_bridge.permissions.events import EventKind
from tests.integration.cycle.living import ROW
from tests.integration.reasons.law import EVERYTHING, NEWS, NEWS_POST, SERVICE
from tests.integration.reasons.promises import Told, reaches
from tests.integration.reasons.scene import GRANT, HOUR, STOP, Scene
from tests.integration.reasons.unchanged import LIMITED, NEVER_ASKED, PERMITTED, STOPPED, unchanged


@reaches("BLANK_REVERTED", "S10")
def a_yes_that_was_blanked_is_shown_again(scene: Scene) -> Told:
    who = scene.cast["agreed"]
    scene.overtype(who, NEWS, Consent_Status__c=None)
    return unchanged(scene, "agreed")


@reaches("BLANK_REVERTED_STOP_KEPT", "S10")
def a_no_that_was_blanked_is_shown_again(scene: Scene) -> Told:
    who = scene.cast["stopped"]
    scene.overtype(who, NEWS, Consent_Status__c=None)
    return unchanged(scene, "stopped")


@reaches("BLANK_REVERTED_STOP_KEPT", "S10")
def a_limit_that_was_blanked_is_shown_again(scene: Scene) -> Told:
    told = unchanged(scene, "restricted")
    scene.overtype(told.who, NEWS, Consent_Status__c=None)
    return told


@reaches("BLANK_REVERTED", "S10")
def a_contract_that_was_blanked_is_shown_again(scene: Scene) -> Told:
    told = unchanged(scene, "customer")
    scene.overtype(told.who, SERVICE, Consent_Status__c=None)
    return told


@reaches("METADATA_REVERTED", "S11")
def a_proof_that_was_typed_over_is_shown_again(scene: Scene) -> Told:
    who = scene.cast["agreed"]
    scene.overtype(who, NEWS, Notice_Version__c="another notice", Ledger_Digest__c="x")

    def shows_the_notice(after: Scene) -> list[str]:
        rows = after.director.query(
            f"SELECT Notice_Version__c FROM {ROW} WHERE Contact__c = '{who}'"
            " AND Channel__c = 'EMAIL'"
        )
        shown = [each["Notice_Version__c"] for each in rows]
        return [] if shown == ["consent-1"] else [f"notices: {shown}"]

    return unchanged(scene, "agreed", then=shows_the_notice)


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


@reaches("PERM_RECREATED", "S22")
def a_row_that_was_deleted_is_made_again(scene: Scene) -> Told:
    who = scene.cast["agreed"]
    scene.director.admin.delete(ROW, scene.rows_shown(who, NEWS)[0]["Id"])
    return unchanged(scene, "agreed")


@reaches("PERM_RECREATED_STOP", "S22")
def a_no_that_was_deleted_is_made_again(scene: Scene) -> Told:
    who = scene.cast["stopped"]
    scene.director.admin.delete(ROW, scene.rows_shown(who, NEWS)[0]["Id"])
    return unchanged(scene, "stopped")


def _delete_row(scene: Scene, told: Told) -> None:
    scene.director.admin.delete(ROW, scene.rows_shown(told.who, told.use)[0]["Id"])


@reaches("PERM_RECREATED_STOP", "S22")
def a_limited_row_that_was_deleted_is_made_again(scene: Scene) -> Told:
    told = unchanged(scene, "challenged")
    _delete_row(scene, told)
    return told


@reaches("PERM_DUPLICATE_COLLAPSED", "S23")
def a_second_row_for_one_thing_is_taken_away(scene: Scene) -> Told:
    who = scene.cast["agreed"]
    kept = scene.rows_shown(who, NEWS)[0]["Id"]
    scene.director.rep.create(ROW, Contact__c=who, Purpose__c=NEWS.purpose, Channel__c=NEWS.channel)

    def keeps_the_first(after: Scene) -> list[str]:
        left = [each["Id"] for each in after.rows_shown(who, NEWS)]
        return [] if left == [kept] else [f"rows left: {left}"]

    return unchanged(scene, "agreed", then=keeps_the_first)


@reaches("PERM_ORPHAN_REPORTED", "S23")
def a_row_of_nobody_is_reported(scene: Scene) -> Told:
    fields = {"Purpose__c": NEWS.purpose, "Channel__c": NEWS.channel}
    (row_id,) = scene.director.load(ROW, [fields | {"Consent_Status__c": "Stopped"}])

    def is_left_alone(after: Scene) -> list[str]:
        (row,) = after.director.query(f"SELECT Consent_Status__c FROM {ROW} WHERE Id = '{row_id}'")
        return [] if row["Consent_Status__c"] == "Stopped" else [f"the orphan: {row}"]

    return Told(who="", use=EVERYTHING, row=None, link=None, answer=None, then=is_left_alone)


@reaches("UNDELETE_OF_ERASED_BLOCKED", "S23")
def a_row_of_somebody_erased_out_of_the_recycle_bin_goes_again(scene: Scene) -> Told:
    told = unchanged(scene, "erased")
    gone = scene.director.query(
        f"SELECT Id FROM {ROW} WHERE IsDeleted = TRUE AND Channel__c = 'EMAIL'"
        f" AND Ledger_Key__c LIKE '{told.who}%'",
        all_rows=True,
    )
    scene.director.admin.undelete(ROW, gone[0]["Id"])
    return told


@reaches("PERM_DUPLICATE_COLLAPSED", "S23")
def a_no_on_the_row_that_is_one_too_many_is_heard(scene: Scene) -> Told:
    told = unchanged(scene, "agreed", row=STOPPED, contact=STOPPED, answer="DENY_STOPPED")
    scene.director.rep.create(
        ROW,
        Contact__c=told.who,
        Purpose__c=NEWS.purpose,
        Channel__c=NEWS.channel,
        Requested_Change__c=STOP,
    )
    return replace(told, events=("WITHDRAW",), beside=("STOP_HONOURED",))


@reaches("PERM_REPARENT_REVERTED", "S24")
def a_row_hung_on_somebody_else_is_hung_back(scene: Scene) -> Told:
    who, other = scene.cast["agreed"], scene.cast["neutral"]
    scene.overtype(who, NEWS, Contact__c=other)

    def gives_nothing_to_the_other(after: Scene) -> list[str]:
        return [*after.shows_otherwise(other, NEWS, *NEVER_ASKED)]

    return Told(
        who=other,
        use=NEWS,
        row=NEVER_ASKED,
        contact=NEVER_ASKED,
        answer="DENY_NOT_ESTABLISHED",
        then=gives_nothing_to_the_other,
    )


@reaches("UPDATE_OF_ERASED_BLOCKED", "S24")
def a_row_hung_on_somebody_erased_is_hung_back(scene: Scene) -> Told:
    told = unchanged(scene, "erased")
    scene.overtype(scene.cast["agreed"], NEWS, Contact__c=told.who)

    def is_hung_back(after: Scene) -> list[str]:
        return [*after.shows_otherwise(after.cast["agreed"], NEWS, *PERMITTED)]

    return replace(told, then=is_hung_back)


@reaches("PERM_UNMAPPABLE_HELD", "S25")
def a_row_of_a_purpose_nobody_knows_is_marked(scene: Scene) -> Told:
    who = scene.cast["neutral"]
    row_id = scene.director.rep.create(
        ROW, Contact__c=who, Purpose__c="calendars", Channel__c="POST"
    )

    def is_marked(after: Scene) -> list[str]:
        (row,) = after.director.query(
            f"SELECT Consent_Status__c, Reason_Code__c FROM {ROW} WHERE Id = '{row_id}'"
        )
        marked = (row["Consent_Status__c"], row["Reason_Code__c"])
        return [] if marked == ("Limited", "PERM_UNMAPPABLE_HELD") else [f"the row: {marked}"]

    return unchanged(
        scene, "neutral", use=EVERYTHING, row=None, answer="DENY_PURPOSE_RETIRED", then=is_marked
    )


@reaches("PERM_UNMAPPABLE_HELD", "S25")
def a_yes_whose_row_was_renamed_waits_for_a_look_at_it(scene: Scene) -> Told:
    who = scene.cast["agreed"]
    scene.overtype(who, NEWS, Purpose__c="calendars")
    return unchanged(
        scene,
        "agreed",
        beside=("METADATA_REVERTED",),
        events=("HOLD",),
        row=LIMITED,
        row_reason="PERM_UNMAPPABLE_HELD",
        contact=LIMITED,
        answer="HOLD_NOT_YET_JUDGED",
    )


@reaches("ERASED_RECORD_STILL_PRESENT", "S25")
def a_row_of_no_known_purpose_is_not_kept_about_somebody_erased(scene: Scene) -> Told:
    told = unchanged(scene, "erased", use=EVERYTHING)
    scene.director.rep.create(ROW, Contact__c=told.who, Purpose__c="calendars", Channel__c="POST")

    def is_gone(after: Scene) -> list[str]:
        left = after.director.count(f"SELECT Id FROM {ROW} WHERE Contact__c = '{told.who}'")
        return [f"{left} rows"] if left else []

    return replace(told, then=is_gone)


@reaches("MASS_CHANGE_CIRCUIT_OPEN", "S26")
def what_a_loader_widens_is_parked_and_stops_go_on(scene: Scene) -> Told:
    who, other = scene.cast["neutral"], scene.cast["agreed"]
    scene.request(who, NEWS, GRANT, by="rep2")
    scene.request(other, NEWS_POST, "Asked us to stop", by="rep2")

    def stops_go_on(after: Scene) -> list[str]:
        (row,) = after.rows_shown(who, NEWS)
        waits = [] if row["Requested_Change__c"] == GRANT else [f"the parked row: {row}"]
        with after.ledger.reading() as tx:
            circuit = tx.circuit(after.world.org_id, at=after.now, window=HOUR)
        shut = [] if circuit.is_open else ["the circuit is closed"]
        return [*waits, *shut, *after.shows_otherwise(other, NEWS_POST, *STOPPED)]

    return Told(
        who=who,
        use=NEWS,
        row=NEVER_ASKED,
        contact=NEVER_ASKED,
        answer="DENY_NOT_ESTABLISHED",
        restless=True,
        then=stops_go_on,
    )


@reaches("MASS_CHANGE_CIRCUIT_OPEN", "S26")
def what_a_loader_claims_for_somebody_who_said_no_is_parked_too(scene: Scene) -> Told:
    who = scene.cast["stopped"]
    scene.said(who, EventKind.WITHDRAW, NEWS_POST, ago=HOUR)
    scene.request(who, NEWS, GRANT, by="rep2")
    return unchanged(scene, "stopped", restless=True)
