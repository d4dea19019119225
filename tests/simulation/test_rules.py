"""What the deployed rules, formulas and flow make of what people and the bridge save."""

from dataclasses import replace
from datetime import timedelta
from itertools import product
from typing import Any

import pytest

from salesforce_bridge.simulator.director import Actor, Refused
from salesforce_bridge.simulator.history import history_of
from tests.support.orgs import RunningOrg

STATUSES = ("Permitted", "Asked", "Not asked", "Stopped", "Lapsed", "Limited", None)
REQUESTS = ("Asked us to stop", "Objects", "Gave permission")
STOPS = ("Asked us to stop", "Objects")


def a_contact(org: RunningOrg, **fields: Any) -> str:
    """Load one contact."""
    return org.director.load("Contact", [{"LastName": "Ruled", **fields}])[0]


def a_row(org: RunningOrg, **fields: Any) -> str:
    """Load one row of Permission__c."""
    row = {"Contact__c": a_contact(org), "Purpose__c": "direct_marketing", "Channel__c": "EMAIL"}
    return org.director.load("Permission__c", [row | fields])[0]


def value(org: RunningOrg, object_name: str, record_id: str, field: str) -> Any:
    """A field of a record as it stands."""
    soql = f"SELECT {field} FROM {object_name} WHERE Id = '{record_id}'"
    return org.director.query(soql, all_rows=True)[0][field]


def refusal(actor: Actor, object_name: str, record_id: str, **fields: Any) -> str:
    """How an update is refused."""
    with pytest.raises(Refused) as refused:
        actor.update(object_name, record_id, **fields)
    assert refused.value.status_code == "FIELD_CUSTOM_VALIDATION_EXCEPTION"
    return refused.value.message


@pytest.mark.parametrize(("status", "request_value"), list(product(STATUSES, REQUESTS)))
def test_a_rep_can_record_any_request_on_a_row_in_any_status(
    org: RunningOrg, status: str | None, request_value: str
) -> None:
    row = a_row(org, Consent_Status__c=status)
    org.director.rep.update("Permission__c", row, Requested_Change__c=request_value)
    assert value(org, "Permission__c", row, "Requested_Change__c") == request_value


@pytest.mark.parametrize("request_value", REQUESTS)
def test_a_rep_can_record_a_request_on_a_row_of_their_own(
    org: RunningOrg, request_value: str
) -> None:
    row = org.director.rep.create(
        "Permission__c",
        Contact__c=a_contact(org),
        Purpose__c="direct_marketing",
        Channel__c="LIVE_CALL",
        Requested_Change__c=request_value,
    )
    assert value(org, "Permission__c", row, "Requested_Change__c") == request_value


@pytest.mark.parametrize("stop", STOPS)
def test_nobody_but_the_bridge_takes_a_stop_back(org: RunningOrg, stop: str) -> None:
    row = a_row(org, Requested_Change__c=stop)
    for actor in (org.director.rep, org.director.admin):
        message = refusal(actor, "Permission__c", row, Requested_Change__c=None)
        assert message.startswith("[SB-STOP-IS-KEPT]")
    org.director.integration.update(
        "Permission__c", row, Requested_Change__c=None, Requested_Change_Handled__c=stop
    )
    assert value(org, "Permission__c", row, "Requested_Change__c") is None


@pytest.mark.parametrize("stop", STOPS)
def test_the_bridge_cannot_store_permitted_over_a_waiting_stop(org: RunningOrg, stop: str) -> None:
    row = a_row(org, Requested_Change__c=stop)
    message = refusal(org.director.integration, "Permission__c", row, Consent_Status__c="Permitted")
    assert message.startswith("[SB-STOP-PENDING]")


def test_a_request_is_cleared_only_by_who_names_the_value_it_answers(org: RunningOrg) -> None:
    row = a_row(org, Requested_Change__c="Gave permission")
    org.director.rep.update("Permission__c", row, Requested_Change__c="Objects")
    message = refusal(
        org.director.integration,
        "Permission__c",
        row,
        Requested_Change__c=None,
        Requested_Change_Handled__c="Gave permission",
    )
    assert message.startswith("[SB-REQUEST-MOVED]")
    org.director.integration.update(
        "Permission__c", row, Requested_Change__c=None, Requested_Change_Handled__c="Objects"
    )
    assert value(org, "Permission__c", row, "Requested_Change__c") is None


def test_an_admin_cannot_write_what_the_ledger_decides(org: RunningOrg) -> None:
    row = a_row(org, Consent_Status__c="Stopped")
    for name, record, fields in (
        ("Permission__c", row, {"Consent_Status__c": "Permitted"}),
        ("Contact", a_contact(org), {"Consent_Status__c": "Permitted"}),
    ):
        message = refusal(org.director.admin, name, record, **fields)
        assert message.startswith("[SB-RESULT-FIELDS]")


def test_a_rule_that_is_switched_off_refuses_nothing(org: RunningOrg) -> None:
    row = a_row(org)
    org.director.set_rule("Permission__c", "Result_Fields", active=False)
    org.director.admin.update("Permission__c", row, Consent_Status__c="Permitted")
    assert value(org, "Permission__c", row, "Consent_Status__c") == "Permitted"


def test_a_rep_cannot_write_a_field_that_only_the_bridge_writes(org: RunningOrg) -> None:
    with pytest.raises(Refused) as refused:
        org.director.rep.update("Permission__c", a_row(org), Consent_Status__c="Permitted")
    assert refused.value.status_code == "INVALID_FIELD_FOR_INSERT_UPDATE"


def beat(org: RunningOrg) -> None:
    """Let the bridge report a clean cycle."""
    org.director.integration.create(
        "Bridge_Heartbeat__c",
        Bridge_Key__c=f"main-{org.director.now().timestamp()}",
        Last_Cycle_At__c=org.director.now().isoformat(),
        Max_Staleness_Minutes__c=30,
    )


def test_the_light_is_amber_until_the_bridge_beats_and_again_when_it_falls_silent(
    org: RunningOrg,
) -> None:
    row = a_row(org, Consent_Status__c="Permitted", Lawful_Basis__c="Consent")
    assert value(org, "Permission__c", row, "May_Contact__c") == "Wait"
    stamp = value(org, "Permission__c", row, "SystemModstamp")

    beat(org)
    assert value(org, "Permission__c", row, "May_Contact__c") not in {"Wait", "Do not"}
    org.director.advance(timedelta(minutes=31).total_seconds())
    assert value(org, "Permission__c", row, "May_Contact__c") == "Wait"
    assert value(org, "Permission__c", row, "SystemModstamp") == stamp


def test_the_light_turns_red_the_moment_a_rep_ticks_the_box(org: RunningOrg) -> None:
    contact = a_contact(org)
    row = a_row(org, Contact__c=contact, Consent_Status__c="Permitted", Lawful_Basis__c="Consent")
    beat(org)
    org.director.rep.update("Contact", contact, HasOptedOutOfEmail=True)
    assert value(org, "Permission__c", row, "May_Contact__c") == "Do not"


def test_the_flow_keeps_one_default_of_the_setting(org: RunningOrg) -> None:
    beat(org)
    org.director.advance(60)
    beat(org)
    soql = "SELECT Last_Cycle_At__c, Max_Staleness_Minutes__c FROM Bridge_Status__c"
    (setting,) = org.director.query(soql)
    (latest,) = org.director.query(
        "SELECT Last_Cycle_At__c FROM Bridge_Heartbeat__c ORDER BY Last_Cycle_At__c DESC LIMIT 1"
    )
    assert setting["Last_Cycle_At__c"] == latest["Last_Cycle_At__c"]
    assert setting["Max_Staleness_Minutes__c"] == 30


def track(org: RunningOrg, object_name: str, field: str) -> None:
    """Switch on the history of a field."""
    deployed = org.simulator.org
    tracked = deployed.project.objects[object_name]
    fields = {**tracked.fields, field: replace(tracked.fields[field], track_history=True)}
    tracked = replace(tracked, fields=fields, track_history=True)
    history = history_of(tracked)
    assert history is not None
    objects = {**deployed.project.objects, object_name: tracked, history.name: history}
    deployed.change_project(replace(deployed.project, objects=objects))


def test_a_tracked_field_leaves_a_trace_even_when_it_was_changed_back(org: RunningOrg) -> None:
    track(org, "Contact", "DoNotCall")
    contact = a_contact(org)
    org.director.rep.update("Contact", contact, DoNotCall=True, Title="Chief")
    org.director.rep.update("Contact", contact, DoNotCall=False)
    history = org.director.query(
        "SELECT Field, OldValue, NewValue, CreatedById FROM ContactHistory "
        f"WHERE ContactId = '{contact}' ORDER BY CreatedDate, Id"
    )
    assert [(one["Field"], one["OldValue"], one["NewValue"]) for one in history] == [
        ("DoNotCall", False, True),
        ("DoNotCall", True, False),
    ]


def test_a_tracked_object_remembers_who_created_a_row(org: RunningOrg) -> None:
    track(org, "Permission__c", "Requested_Change__c")
    row = org.director.rep.create(
        "Permission__c",
        Contact__c=a_contact(org),
        Purpose__c="direct_marketing",
        Channel__c="SMS",
        Requested_Change__c="Objects",
    )
    (entry,) = org.director.query(
        "SELECT Field, CreatedBy.Username FROM Permission__History "
        f"WHERE ParentId = '{row}' AND CreatedDate >= 2020-01-01T00:00:00Z"
    )
    assert entry["Field"] == "created"
    assert entry["CreatedBy"]["Username"] == "rosa.rep@acme.example"


@pytest.mark.parametrize(
    ("object_name", "field"),
    [("Contact", "Permission_Renew_By__c"), ("Permission__c", "Renew_By__c")],
)
def test_the_moment_to_renew_is_written_by_the_bridge_alone(
    org: RunningOrg, object_name: str, field: str
) -> None:
    contact = org.director.load("Contact", [{"LastName": "Renewing"}])[0]
    row = org.director.load("Permission__c", [{"Contact__c": contact}])[0]
    record = contact if object_name == "Contact" else row
    moment = "2027-02-12T00:00:00.000+0000"
    org.director.integration.update(object_name, record, **{field: moment})
    soql = f"SELECT {field} FROM {object_name} WHERE Id = '{record}'"
    assert org.director.query(soql) == [{field: moment}]
    with pytest.raises(Refused, match="INVALID_FIELD_FOR_INSERT_UPDATE"):
        org.director.rep.update(object_name, record, **{field: None})
    with pytest.raises(Refused, match="SB-RESULT-FIELDS"):
        org.director.admin.update(object_name, record, **{field: None})
