"""People and rows that were gone, or nobody's, before the bridge looked for the first time."""

import pytest

from tests.integration.cycle.living import EMAIL, ROW, Living


def test_somebody_who_was_gone_before_the_first_look_does_no_harm(
    bridge_on_either: Living,
) -> None:
    bridge = bridge_on_either
    bridge.meet()
    bridge.settle()
    gone = bridge.meet()
    bridge.director.admin.delete("Contact", gone)
    report = bridge.cycle()
    assert report.decisions == {"NOOP_DELETED_UNLINKED": 3}
    bridge.settle()
    assert bridge.calls_of() == 1
    assert bridge.audit_is_intact()


@pytest.mark.parametrize("made", ["flag", "row"])
def test_a_stop_of_somebody_who_was_gone_before_the_first_look_is_kept(
    bridge: Living, made: str
) -> None:
    bridge.settle()
    gone = bridge.meet(email="twice@example.org")
    if made == "flag":
        bridge.director.rep.update("Contact", gone, HasOptedOutOfEmail=True)
    else:
        row_id = bridge.director.rep.create(
            ROW, Contact__c=gone, Purpose__c=EMAIL.purpose, Channel__c=EMAIL.channel
        )
        bridge.director.rep.update(ROW, row_id, Requested_Change__c="Asked us to stop")
    bridge.director.admin.delete("Contact", gone)
    again = bridge.meet(email="twice@example.org")
    bridge.cycle()
    if made == "row":
        # A row that names nobody any more and never had a key can only be reported.
        assert bridge.audit_is_intact()
        return
    assert bridge.is_stopped(again)
    bridge.settle()
    assert bridge.row(again)["May_Contact__c"] == "Do not"
    assert bridge.differences() == []
    assert bridge.audit_is_intact()


def test_a_row_without_anybody_is_reported_and_left_alone(bridge: Living) -> None:
    bridge.settle()
    bridge.director.load(
        ROW,
        [{"Purpose__c": "direct_marketing", "Channel__c": "EMAIL", "Consent_Status__c": "Stopped"}],
    )
    report = bridge.cycle()
    assert report.decisions == {"PERM_ORPHAN_REPORTED": 1}
    bridge.settle()
    assert bridge.calls_of() == 1
    assert bridge.audit_is_intact()


def test_a_row_that_lost_its_contact_belongs_to_the_contact_in_its_key(bridge: Living) -> None:
    contact_id = bridge.meet()
    bridge.settle()
    row_id = bridge.row(contact_id)["Id"]
    bridge.director.integration.update(ROW, row_id, Contact__c=None)
    bridge.cycle()
    bridge.settle()
    assert bridge.row(contact_id)["Id"] == row_id
    assert bridge.differences() == []


def test_a_row_moved_to_somebody_else_is_moved_back(bridge: Living) -> None:
    mine, other = bridge.meet(), bridge.meet()
    bridge.settle()
    row_id = bridge.row(mine)["Id"]
    bridge.director.integration.update(ROW, row_id, Contact__c=other)
    bridge.cycle()
    bridge.settle()
    assert bridge.row(mine)["Id"] == row_id
    assert bridge.differences() == []
    assert bridge.audit_is_intact()


def test_a_row_of_a_purpose_nobody_knows_still_carries_a_stop(bridge: Living) -> None:
    contact_id = bridge.meet()
    bridge.settle()
    bridge.director.rep.create(
        ROW,
        Contact__c=contact_id,
        Purpose__c="calendars",
        Channel__c="POST",
        Requested_Change__c="Asked us to stop",
    )
    bridge.cycle()
    assert bridge.is_stopped(contact_id)
    bridge.settle()
    assert bridge.row(contact_id)["May_Contact__c"] == "Do not"
