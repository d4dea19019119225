"""Who is taken out of the recycle bin after a merge is a person again, and hears every stop of the other."""

from salesforce_bridge.permissions.events import EventKind
from tests.integration.cycle.living import ROW, Living


def merged(bridge: Living) -> tuple[str, str]:
    """A winner, and a loser that the org has folded into it."""
    winner, loser = bridge.meet(), bridge.meet()
    bridge.settle()
    bridge.director.admin.merge("Contact", winner, [loser])
    bridge.settle()
    return winner, loser


def test_a_stop_made_on_the_winner_reaches_the_loser_that_is_back(bridge: Living) -> None:
    winner, loser = merged(bridge)
    bridge.director.rep.update(
        ROW, bridge.row(winner)["Id"], Requested_Change__c="Asked us to stop"
    )
    bridge.settle()
    assert bridge.is_stopped(winner)
    bridge.director.admin.undelete("Contact", loser)
    bridge.settle()
    assert bridge.is_stopped(loser)
    assert bridge.contact(loser)["Contact_Permission__c"] == "Do not"
    assert bridge.differences() == []
    assert bridge.audit_is_intact()


def test_a_yes_of_the_winner_is_not_that_of_the_loser_that_is_back(bridge: Living) -> None:
    winner, loser = merged(bridge)
    bridge.tell(winner, EventKind.GRANT)
    bridge.settle()
    assert bridge.row(winner)["May_Contact__c"] == "OK"
    bridge.director.admin.undelete("Contact", loser)
    bridge.settle()
    assert bridge.contact(loser)["Contact_Permission__c"] != "OK"
    assert bridge.row(winner)["May_Contact__c"] == "OK"
