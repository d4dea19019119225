"""The formulas and rules that we deploy, run on records: what reps and senders will see."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from salesforce_bridge.simulator.formulas import compile_condition, compile_field
from salesforce_bridge.simulator.project import load_project
from salesforce_bridge.simulator.schema import Project, Value

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
ALIVE: Mapping[str, Value] = {
    "Bridge_Status__c.Last_Cycle_At__c": NOON - timedelta(minutes=5),
    "Bridge_Status__c.Max_Staleness_Minutes__c": 30.0,
}


@dataclass
class Saving:
    """A record as formulas and rules look at it."""

    row: Mapping[str, Value]
    before: Mapping[str, Value] | None = None
    settings: Mapping[str, Value] = field(default_factory=lambda: ALIVE)
    bridge: bool = False

    def value(self, path: tuple[str, ...]) -> Value:
        return self.row.get(".".join(path))

    def prior(self, path: tuple[str, ...]) -> Value:
        assert self.before is not None
        return self.before.get(".".join(path))

    def changed(self, name: str) -> bool:
        return self.before is not None and self.before.get(name) != self.row.get(name)

    def is_new(self) -> bool:
        return self.before is None

    def permission(self, name: str) -> bool:
        return self.bridge and name == "Salesforce_Bridge_Write"

    def setup(self, setting: str, field: str) -> Value:
        return self.settings.get(f"{setting}.{field}")

    def user(self, field: str) -> Value:
        return {"Username": "rep@acme.test"}[field]

    def now(self) -> datetime:
        return NOON


@pytest.fixture(scope="module")
def project() -> Project:
    return load_project()


def light(project: Project, object_name: str, name: str, saving: Saving) -> Value:
    object_type = project.objects[object_name]
    return compile_field(object_type.fields[name], object_type, project).evaluate(saving)


def may_contact(project: Project, saving: Saving) -> Value:
    return light(project, "Permission__c", "May_Contact__c", saving)


def refusals(project: Project, object_name: str, saving: Saving) -> set[str]:
    object_type = project.objects[object_name]
    return {
        rule.name
        for rule in object_type.validation_rules
        if compile_condition(rule, object_type, project).holds(saving)
    }


def a_row(status: str | None = "Permitted", **more: Value) -> dict[str, Value]:
    return {
        "Contact__c": "003000000000001AAA",
        "Purpose__c": "direct_marketing",
        "Channel__c": "EMAIL",
        "Consent_Status__c": status,
        "Is_Marketing__c": True,
        "Reconciled_At__c": NOON - HOUR,
        **more,
    }


@pytest.mark.parametrize(
    ("status", "shown"),
    [
        ("Permitted", "OK"),
        ("Asked", "Never asked"),
        ("Not asked", "Never asked"),
        ("Stopped", "Do not"),
        ("Lapsed", "Do not"),
        ("Limited", "Wait"),
        (None, "Never asked"),
    ],
)
def test_each_status_has_its_light(project: Project, status: str | None, shown: str) -> None:
    assert may_contact(project, Saving(a_row(status))) == shown
    contact = Saving({"Consent_Status__c": status})
    assert light(project, "Contact", "Contact_Permission__c", contact) == shown


@pytest.mark.parametrize(
    ("channel", "flag"),
    [
        ("EMAIL", "HasOptedOutOfEmail"),
        ("FAX", "HasOptedOutOfFax"),
        ("LIVE_CALL", "DoNotCall"),
        ("AUTOCALL", "DoNotCall"),
    ],
)
def test_a_ticked_box_turns_the_light_red_on_its_channel_alone(
    project: Project, channel: str, flag: str
) -> None:
    ticked = a_row() | {f"Contact__r.{flag}": True}
    assert may_contact(project, Saving(ticked | {"Channel__c": channel})) == "Do not"
    assert may_contact(project, Saving(ticked | {"Channel__c": "POST"})) == "OK"


@pytest.mark.parametrize("request_made", ["Asked us to stop", "Objects"])
@pytest.mark.parametrize("settings", [ALIVE, {}])
def test_a_reported_stop_is_red_with_the_bridge_and_without_it(
    project: Project, request_made: str, settings: Mapping[str, Value]
) -> None:
    row = a_row(Requested_Change__c=request_made)
    assert may_contact(project, Saving(row, settings=settings)) == "Do not"


@pytest.mark.parametrize(
    ("last_cycle_at", "staleness", "shown"),
    [
        (NOON - timedelta(minutes=29), 30.0, "OK"),
        (NOON - timedelta(minutes=31), 30.0, "Wait"),
        (NOON + timedelta(minutes=4), 30.0, "OK"),
        (NOON + timedelta(minutes=6), 30.0, "Wait"),
        (None, 30.0, "Wait"),
        (NOON, None, "Wait"),
    ],
)
def test_a_blind_bridge_shows_wait(
    project: Project, last_cycle_at: datetime | None, staleness: float | None, shown: str
) -> None:
    settings: dict[str, Value] = {
        "Bridge_Status__c.Last_Cycle_At__c": last_cycle_at,
        "Bridge_Status__c.Max_Staleness_Minutes__c": staleness,
    }
    assert may_contact(project, Saving(a_row(), settings=settings)) == shown
    contact = Saving({"Consent_Status__c": "Permitted"}, settings=settings)
    assert light(project, "Contact", "Contact_Permission__c", contact) == shown


def test_a_permission_outside_its_time_waits(project: Project) -> None:
    assert may_contact(project, Saving(a_row(Effective_To__c=NOON))) == "Wait"
    assert may_contact(project, Saving(a_row(Effective_To__c=NOON + HOUR))) == "OK"
    assert may_contact(project, Saving(a_row(Effective_From__c=NOON + HOUR))) == "Wait"
    assert may_contact(project, Saving(a_row(Effective_From__c=NOON - HOUR))) == "OK"


@pytest.mark.parametrize("status", ["Permitted", "Stopped", "Lapsed", "Limited", "Asked", None])
@pytest.mark.parametrize("request_made", ["Asked us to stop", "Objects", "Gave permission"])
def test_a_rep_can_always_record_what_the_person_said(
    project: Project, status: str | None, request_made: str
) -> None:
    before = a_row(status, Ledger_Key__c="k")
    saving = Saving(before | {"Requested_Change__c": request_made}, before=before)
    assert refusals(project, "Permission__c", saving) == set()


def test_a_rep_cannot_write_what_the_bridge_writes(project: Project) -> None:
    before = a_row("Stopped")
    saving = Saving(a_row("Permitted"), before=before)
    assert refusals(project, "Permission__c", saving) == {"Result_Fields"}
    assert refusals(project, "Permission__c", Saving(saving.row, before, bridge=True)) == set()
    contact = Saving({"Consent_Status__c": "Permitted"}, before={"Consent_Status__c": "Stopped"})
    assert refusals(project, "Contact", contact) == {"Result_Fields"}


def test_the_bridge_cannot_permit_while_a_stop_waits(project: Project) -> None:
    stopped = a_row("Stopped", Requested_Change__c="Objects")
    saving = Saving(stopped | {"Consent_Status__c": "Permitted"}, before=stopped, bridge=True)
    assert refusals(project, "Permission__c", saving) == {"Stop_Pending"}


@pytest.mark.parametrize("after", [None, "Gave permission"])
def test_a_recorded_stop_stays_until_the_bridge_has_answered_it(
    project: Project, after: str | None
) -> None:
    before = a_row("Stopped", Requested_Change__c="Asked us to stop")
    saving = Saving(before | {"Requested_Change__c": after}, before=before)
    assert refusals(project, "Permission__c", saving) == {"Stop_Is_Kept"}


@pytest.mark.parametrize(
    ("handled", "refused"),
    [("Asked us to stop", set()), ("Objects", {"Request_Moved"}), (None, {"Request_Moved"})],
)
def test_the_bridge_clears_only_the_request_it_answered(
    project: Project, handled: str | None, refused: set[str]
) -> None:
    before = a_row("Stopped", Requested_Change__c="Asked us to stop")
    after = before | {"Requested_Change__c": None, "Requested_Change_Handled__c": handled}
    assert refusals(project, "Permission__c", Saving(after, before, bridge=True)) == refused
