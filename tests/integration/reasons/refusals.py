"""Scenarios of writes that the org refuses."""

from salesforce_bridge.permissions.events import EventKind
from tests.integration.reasons.law import NEWS
from tests.integration.reasons.promises import Told, reaches
from tests.integration.reasons.scene import EMAIL_FLAG, HOUR, Scene
from tests.integration.reasons.unchanged import PERMITTED, STOPPED, unchanged


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
    return unchanged(
        scene,
        "agreed",
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
    (shown,) = scene.rows_shown(who, NEWS)
    _refuse(scene, shown["Id"])
    scene.said(who, EventKind.GRANT, ago=HOUR, point=scene.address(who))
    scene.cycle()

    def is_written_once_it_can_be(after: Scene) -> list[str]:
        # Until then the row itself tells how old it is.
        times = [each["Reconciled_At__c"] for each in after.rows_shown(who, NEWS)]
        stale = [] if times == [shown["Reconciled_At__c"]] else [f"reconciled at {times}"]
        after.director.clear_faults()
        after.wait(HOUR)
        after.settle()
        (row,) = after.rows_shown(who, NEWS)
        fresh = row["Reconciled_At__c"] > shown["Reconciled_At__c"]
        return [
            *stale,
            *after.shows_otherwise(who, NEWS, *PERMITTED),
            *([] if fresh else ["stale"]),
        ]

    return unchanged(
        scene, "neutral", answer="ALLOW_CONSENT", restless=True, then=is_written_once_it_can_be
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

    return unchanged(
        scene,
        "agreed",
        answer="DENY_STOPPED",
        restless=True,
        unwritten=True,
        then=the_lights_go_out_until_it_is_written,
    )
