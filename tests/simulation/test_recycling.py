"""Deleting, restoring, merging: who is stamped, and what becomes of the children."""

from collections.abc import Callable
from typing import Any

import pytest
import requests

from salesforce_bridge.simulator.director import Refused
from tests.support.orgs import RunningOrg

Ask = Callable[..., requests.Response]


def family(org: RunningOrg, count: int = 1) -> list[tuple[str, str]]:
    """Contacts, each with one row of Permission__c that holds a stop."""
    contacts = org.director.load("Contact", [{"LastName": f"F{n}"} for n in range(count)])
    rows = [
        {
            "Contact__c": one,
            "Purpose__c": "direct_marketing",
            "Channel__c": "EMAIL",
            "Consent_Status__c": "Permitted",
            "Requested_Change__c": "Objects",
        }
        for one in contacts
    ]
    return list(zip(contacts, org.director.load("Permission__c", rows), strict=True))


def the(org: RunningOrg, object_name: str, record_id: str, *fields: str) -> tuple[Any, ...]:
    """Fields of one record, deleted or not."""
    soql = f"SELECT {', '.join(fields)} FROM {object_name} WHERE Id = '{record_id}'"
    record = org.director.query(soql, all_rows=True)[0]
    return tuple(record[field] for field in fields)


def test_a_deleted_contact_leaves_its_rows_without_a_contact_and_stamped(
    org: RunningOrg, ask: Ask
) -> None:
    ((contact, row),) = family(org)
    (before,) = the(org, "Permission__c", row, "SystemModstamp")
    org.director.advance(5)
    org.director.admin.delete("Contact", contact)

    assert the(org, "Contact", contact, "IsDeleted", "MasterRecordId") == (True, None)
    parent, after = the(org, "Permission__c", row, "Contact__c", "SystemModstamp")
    assert parent is None
    assert after > before
    soql = f"SELECT Id, IsDeleted FROM Contact WHERE Id = '{contact}'"
    assert ask("GET", "query", params={"q": soql}).json()["totalSize"] == 0
    assert ask("GET", "queryAll", params={"q": soql}).json()["records"][0]["IsDeleted"] is True


def test_no_rule_stands_in_the_way_of_a_deletion(org: RunningOrg) -> None:
    ((contact, row),) = family(org)
    # A rep could never empty Contact__c of a row by hand.
    with pytest.raises(Refused, match="SB-ROW-INCOMPLETE"):
        org.director.rep.update("Permission__c", row, Contact__c=None)
    org.director.rep.delete("Contact", contact)
    assert the(org, "Permission__c", row, "Contact__c") == (None,)


def test_an_undeleted_contact_gets_its_rows_back_unless_they_moved_on(org: RunningOrg) -> None:
    ((contact, row), (other, taken)) = family(org, 2)
    org.director.admin.delete("Contact", contact)
    org.director.admin.delete("Contact", other)
    ((newcomer, _),) = family(org)
    org.director.rep.update("Permission__c", taken, Contact__c=newcomer)
    org.director.advance(5)

    org.director.admin.undelete("Contact", contact)
    org.director.admin.undelete("Contact", other)

    assert the(org, "Contact", contact, "IsDeleted") == (False,)
    assert the(org, "Permission__c", row, "Contact__c") == (contact,)
    assert the(org, "Permission__c", taken, "Contact__c") == (newcomer,)


def test_what_was_never_deleted_cannot_be_restored(org: RunningOrg) -> None:
    ((contact, _),) = family(org)
    with pytest.raises(Refused, match="UNDELETE_FAILED"):
        org.director.admin.undelete("Contact", contact)


def test_a_merge_moves_the_rows_and_names_the_winner(org: RunningOrg) -> None:
    ((winner, first), (loser, second), (also, third)) = family(org, 3)
    org.director.advance(5)
    (before,) = the(org, "Permission__c", second, "SystemModstamp")
    org.director.rep.merge("Contact", winner, [loser, also], Title="Merged")

    for lost in (loser, also):
        assert the(org, "Contact", lost, "IsDeleted", "MasterRecordId") == (True, winner)
    assert the(org, "Contact", winner, "IsDeleted", "Title") == (False, "Merged")
    for row in (first, second, third):
        assert the(org, "Permission__c", row, "Contact__c") == (winner,)
    assert the(org, "Permission__c", second, "SystemModstamp") > (before,)


def test_merges_form_chains_that_can_be_followed(org: RunningOrg, ask: Ask) -> None:
    ((first, _), (second, _), (third, _)) = family(org, 3)
    org.director.admin.merge("Contact", second, [first])
    org.director.admin.merge("Contact", third, [second])
    soql = (
        "SELECT Id, MasterRecordId FROM Contact WHERE IsDeleted = true AND MasterRecordId != null"
    )
    records = ask("GET", "queryAll", params={"q": soql}).json()["records"]
    links = {record["Id"]: record["MasterRecordId"] for record in records}
    assert links == {first: second, second: third}


def test_a_merge_that_cannot_be_is_refused_whole(org: RunningOrg) -> None:
    ((winner, _), (loser, row)) = family(org, 2)
    for losers in ([], [winner], [loser] * 3):
        with pytest.raises(Refused, match="INVALID_OPERATION"):
            org.director.admin.merge("Contact", winner, losers)
    with pytest.raises(Refused, match="INVALID_FIELD"):
        org.director.admin.merge("Contact", winner, [loser], Nope__c=1)
    assert the(org, "Contact", loser, "IsDeleted") == (False,)
    assert the(org, "Permission__c", row, "Contact__c") == (loser,)


def test_a_purged_contact_is_in_no_bin(org: RunningOrg, ask: Ask) -> None:
    ((contact, _),) = family(org)
    org.director.purge("Contact", [contact])
    soql = f"SELECT Id FROM Contact WHERE Id = '{contact}'"
    assert ask("GET", "queryAll", params={"q": soql}).json()["totalSize"] == 0
    assert ask("GET", f"sobjects/Contact/{contact}").json()[0]["errorCode"] == "NOT_FOUND"


def test_a_transaction_that_commits_late_carries_its_early_stamp(org: RunningOrg) -> None:
    ((contact, _), (other, _)) = family(org, 2)
    org.director.advance(600)
    org.director.rep.update("Contact", other, Title="in time")
    org.director.rep2.late(240).update("Contact", contact, Title="late")
    (late,) = the(org, "Contact", contact, "SystemModstamp")
    (in_time,) = the(org, "Contact", other, "SystemModstamp")
    assert late < in_time


def test_a_mass_stamp_changes_nothing_but_the_stamp(org: RunningOrg) -> None:
    org.director.advance(60)
    assert org.director.restamp("Contact") == 300
    stamps = {
        row["SystemModstamp"] for row in org.director.query("SELECT SystemModstamp FROM Contact")
    }
    assert len(stamps) <= 2


def test_each_loser_of_a_chain_names_its_own_winner_and_the_rows_reach_the_last(
    org: RunningOrg,
) -> None:
    ((first, row), (second, _), (third, _)) = family(org, 3)
    org.director.admin.merge("Contact", second, [first])
    org.director.admin.merge("Contact", third, [second])
    assert the(org, "Contact", first, "MasterRecordId") == (second,)
    assert the(org, "Contact", second, "MasterRecordId") == (third,)
    assert the(org, "Permission__c", row, "Contact__c") == (third,)


def test_an_undeleted_loser_comes_back_alone_with_its_own_values(org: RunningOrg) -> None:
    ((winner, _), (loser, row)) = family(org, 2)
    org.director.admin.update("Contact", loser, Title="Loser", DoNotCall=True)
    org.director.admin.merge("Contact", winner, [loser])
    org.director.advance(5)
    (gone_at,) = the(org, "Contact", loser, "SystemModstamp")
    org.director.admin.undelete("Contact", loser)

    back = the(org, "Contact", loser, "IsDeleted", "MasterRecordId", "Title", "DoNotCall")
    assert back == (False, None, "Loser", True)
    assert the(org, "Contact", loser, "SystemModstamp") > (gone_at,)
    assert the(org, "Permission__c", row, "Contact__c") == (winner,)


def test_undeleting_the_middle_of_a_chain_frees_it_and_nobody_else(org: RunningOrg) -> None:
    ((first, _), (second, _), (third, _)) = family(org, 3)
    org.director.admin.merge("Contact", second, [first])
    org.director.admin.merge("Contact", third, [second])
    org.director.admin.undelete("Contact", second)
    assert the(org, "Contact", second, "IsDeleted", "MasterRecordId") == (False, None)
    assert the(org, "Contact", first, "IsDeleted", "MasterRecordId") == (True, second)


def test_a_rep_moves_a_row_that_the_bridge_has_not_taken_up_and_no_other(org: RunningOrg) -> None:
    ((contact, row), (other, _)) = family(org, 2)
    org.director.rep.update("Permission__c", row, Contact__c=other)
    assert the(org, "Permission__c", row, "Contact__c") == (other,)
    key = f"{contact}:direct_marketing:EMAIL"
    org.director.integration.update(
        "Permission__c", row, Ledger_Key__c=key, Consent_Status__c="Stopped"
    )
    with pytest.raises(Refused, match="SB-RESULT-FIELDS"):
        org.director.rep.update("Permission__c", row, Contact__c=contact)
