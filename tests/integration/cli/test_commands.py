"""The commands against a simulated org: what they say, what they change, and how they end."""

import stat
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from tests.integration.cli.conftest import CONTACTS, Program, Rehearsal


def test_help_lists_every_command_without_loading_one(bridge: Program) -> None:
    answer = bridge("--help")
    assert answer.code == 0
    for command in (
        "run",
        "plan",
        "apply",
        "explain",
        "may-use",
        "review",
        "rights",
        "policy",
        "status",
        "doctor",
        "audit",
        "ledger",
        "db",
        "config",
        "serve",
    ):
        assert f" {command} " in answer.out


@pytest.mark.parametrize(
    "words", [("rum",), ("--set", "no-dot", "status"), ("audit", "tail", "-n", "0")]
)
def test_misuse_ends_with_two(bridge: Program, words: tuple[str, ...]) -> None:
    assert bridge(*words).code == 2


def test_missing_settings_end_with_78_and_a_hint(bridge: Program) -> None:
    answer = bridge("status")
    assert answer.code == 78
    assert "no settings file was found" in answer.err
    assert "hint:  salesforce-bridge config check" in answer.err
    assert answer.out == ""


def test_debug_shows_the_traceback_that_is_hidden_otherwise(bridge: Program) -> None:
    assert "Traceback" not in bridge("status").err
    assert "Traceback" in bridge("--debug", "status").err


def test_a_fault_of_our_own_is_told_without_its_text(
    rehearsal: Rehearsal, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_down() -> None:
        raise ZeroDivisionError("anna@example.org")

    monkeypatch.setattr("salesforce_bridge.wiring.software", break_down)
    rehearsal.bridge("db", "upgrade")
    answer = rehearsal.bridge("plan")
    assert answer.code == 1
    assert "ZeroDivisionError" in answer.err
    assert "anna" not in answer.err
    assert "anna" in rehearsal.bridge("--debug", "plan").err


def test_the_settings_are_shown_as_they_are_in_force(rehearsal: Rehearsal) -> None:
    shown = rehearsal.bridge("--set", "daemon.chunk=5", "config", "show", "--json").document
    assert shown["daemon"]["chunk"] == 5
    assert shown["daemon"]["tick"] == "1s"
    assert "daemon.chunk" in rehearsal.bridge("config", "show").out


def test_a_check_reads_every_file_that_is_named(rehearsal: Rehearsal) -> None:
    assert "can be used" in rehearsal.bridge("config", "check").out
    (rehearsal.folder / "org" / "connected_app.key").unlink()
    answer = rehearsal.bridge("config", "check")
    assert answer.code == 78
    assert "salesforce.private_key_file" in answer.err


def test_a_new_key_is_private_and_becomes_the_current_one(bridge: Program, tmp_path: Path) -> None:
    for version in (1, 2):
        assert f"Key {version} is in" in bridge("config", "new-point-key", "keys").out
    path = tmp_path / "keys"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [line.split()[0] for line in path.read_text().splitlines()] == ["1", "2"]
    path.write_text("one two")
    assert bridge("config", "new-point-key", "keys").code == 78


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("", "holds no key"),
        ("1 abc", "line 1"),
        (f"# note\n1 {'a' * 64}\n1 {'b' * 64}", "repeats a version"),
    ],
)
def test_a_key_file_that_is_not_one_is_refused(
    rehearsal: Rehearsal, content: str, problem: str
) -> None:
    (rehearsal.folder / "point-keys").write_text(content)
    answer = rehearsal.bridge("config", "check")
    assert answer.code == 78
    assert problem in answer.err


def test_a_ledger_must_be_made_on_purpose(rehearsal: Rehearsal) -> None:
    answer = rehearsal.bridge("db", "check")
    assert answer.code == 78
    assert "hint:  salesforce-bridge db upgrade" in answer.err
    assert rehearsal.bridge("db", "upgrade").code == 0
    assert rehearsal.bridge("db", "upgrade").code == 0
    assert rehearsal.bridge("db", "check").code == 0


def test_a_database_that_is_down_is_worth_another_try(rehearsal: Rehearsal) -> None:
    answer = rehearsal.bridge(
        "--set", "ledger.url=postgresql://nobody@127.0.0.1:9/none", "db", "check"
    )
    assert answer.code == 1
    assert "hint:" in answer.err


def test_a_ledger_that_never_met_an_org_says_so(rehearsal: Rehearsal) -> None:
    rehearsal.bridge("db", "upgrade")
    answer = rehearsal.bridge("status")
    assert answer.code == 78
    assert "has not met an org" in answer.err


def test_the_doctor_finds_nothing_wrong_with_a_rehearsal(running: Rehearsal) -> None:
    answer = running.bridge("doctor", "--json")
    assert answer.code == 0
    checks = {check["name"]: check["state"] for check in answer.document["checks"]}
    # Nobody but counsel can put right what the shipped policy has to warn about.
    assert {name for name, state in checks.items() if state != "pass"} == {"profiles"}
    assert {
        "settings",
        "ledger",
        "policy",
        "point keys",
        "credentials",
        "login",
        "org pin",
        "schema",
        "clock",
        "API calls",
    } <= set(checks)
    assert "✓ login" in running.bridge("doctor").out


def test_the_doctor_names_each_ill_with_its_cure(rehearsal: Rehearsal) -> None:
    (rehearsal.folder / "point-keys").chmod(0o644)
    rehearsal.org.director.drop_field("Contact", "Permission_Reason__c")
    answer = rehearsal.bridge("doctor")
    assert answer.code == 1
    assert "! points.key_file" in answer.out
    assert "chmod 600" in answer.out
    assert "✗ ledger" in answer.out
    assert "salesforce-bridge db upgrade" in answer.out
    assert "! org pin" in answer.out
    assert "Permission_Reason__c" in answer.out


def test_the_doctor_ends_where_nothing_more_can_be_looked_at(rehearsal: Rehearsal) -> None:
    def states(*words: str) -> dict[str, str]:
        document = rehearsal.bridge(*words, "doctor", "--json").document
        return {check["name"]: check["state"] for check in document["checks"]}

    assert states("--config", "absent.toml") == {"settings": "fail"}
    assert "point keys" not in states("--set", "policy.file=absent.toml")
    assert "credentials" not in states("--set", "points.key_file=absent")
    assert "login" not in states("--set", "salesforce.private_key_file=absent")
    assert "schema" not in states("--set", "salesforce.client_id=unknown")


def test_the_doctor_sees_a_clock_that_is_wrong(running: Rehearsal) -> None:
    running.org.director.advance(90)
    answer = running.bridge("doctor", "--json")
    assert {check["name"] for check in answer.document["checks"] if check["state"] == "fail"} == {
        "clock"
    }


def test_another_org_is_refused(running: Rehearsal) -> None:
    running.org.director.set_org_id("00D5g0000000009EAA")
    answer = running.bridge("run", "--once")
    assert answer.code == 78
    assert running.bridge("doctor").code == 1


def test_a_plan_changes_nothing_and_says_by_its_code_that_there_is_something_to_do(
    rehearsal: Rehearsal,
) -> None:
    rehearsal.bridge("db", "upgrade")
    before = rehearsal.org.director.query("SELECT Id, SystemModstamp FROM Contact ORDER BY Id")
    first = rehearsal.bridge("plan", "--json")
    again = rehearsal.bridge("plan", "--json")
    assert (first.code, again.code) == (3, 3)
    assert first.document["digest"] == again.document["digest"]
    assert first.document["writes"]
    assert first.document["over_limits"] is None
    assert (
        rehearsal.org.director.query("SELECT Id, SystemModstamp FROM Contact ORDER BY Id") == before
    )
    assert rehearsal.bridge("status").code == 78
    told = rehearsal.bridge("plan")
    assert "Nothing was changed" in told.out


def test_after_a_cycle_there_is_nothing_left_to_do(running: Rehearsal) -> None:
    answer = running.bridge("plan")
    assert answer.code == 0
    assert "Nothing to do" in answer.out


def test_a_plan_that_was_approved_is_carried_out(rehearsal: Rehearsal) -> None:
    rehearsal.bridge("db", "upgrade")
    planned = rehearsal.bridge("plan", "--out", "plan.json", "--json").document
    applied = rehearsal.bridge("apply", "plan.json", "--json")
    assert applied.code == 0
    assert applied.document["writes"] == {"accepted": len(planned["writes"])}
    assert applied.document["read"] == CONTACTS
    assert rehearsal.bridge("plan").code == 0


def test_a_plan_is_refused_when_the_world_moved_on(running: Rehearsal) -> None:
    running.bridge("plan", "--out", "plan.json")
    contact = running.calm_contact()
    running.org.director.as_user("rep").update("Contact", contact, HasOptedOutOfEmail=True)
    answer = running.bridge("apply", "plan.json", "--beyond-limits")
    assert answer.code == 1
    assert "nothing was written" in answer.err
    assert running.bridge("apply").code == 0


def test_a_plan_may_go_beyond_the_limits_once_it_was_looked_at(running: Rehearsal) -> None:
    assert running.bridge("apply", "--beyond-limits").code == 2
    running.bridge("plan", "--out", "plan.json")
    assert running.bridge("apply", "plan.json", "--beyond-limits").code == 0


@pytest.mark.parametrize("content", ["", "[]", "{}"])
def test_a_file_that_holds_no_plan_is_refused(running: Rehearsal, content: str) -> None:
    (running.folder / "plan.json").write_text(content)
    answer = running.bridge("apply", "plan.json")
    assert answer.code == 78
    assert "does not hold a plan" in answer.err


def test_a_stop_typed_in_salesforce_can_be_explained(running: Rehearsal) -> None:
    contact = running.calm_contact()
    running.org.director.as_user("rep").update("Contact", contact, HasOptedOutOfEmail=True)
    report = running.bridge("run", "--once")
    assert report.code == 0
    assert "FLAG_STOP" in report.out
    explained = running.bridge("explain", contact[:15], "--json").document
    email = next(
        use
        for use in explained["uses"]
        if use["channel"] == "EMAIL" and use["purpose"] == "direct_marketing"
    )
    assert email["verdict"] == "DENY"
    assert [stop["channel"] for stop in explained["stops"]] == ["EMAIL"]
    told = running.bridge("explain", contact).out
    assert "stop: CHANNEL_OPT_OUT" in told


def test_a_contact_the_ledger_has_not_met_is_no_traceback(running: Rehearsal) -> None:
    for words in (("explain", "003000000000000"), ("ledger", "show", "003000000000000")):
        answer = running.bridge(*words)
        assert answer.code == 1
        assert "has not met" in answer.err


def test_the_status_tells_numbers_and_age(running: Rehearsal) -> None:
    shown = running.bridge("status", "--json").document
    assert shown["contacts"] == CONTACTS
    assert shown["last_cycle"]["id"] == 1
    assert shown["last_cycle"]["age_seconds"] < 60
    assert shown["backfill"] == "COMPLETE"
    assert str(shown["audit"]["entries"]) in running.bridge("status").out


def test_a_stop_that_was_told_to_an_operator_reaches_salesforce(running: Rehearsal) -> None:
    contact = running.calm_contact()
    answer = running.bridge(
        "ledger", "record", "stop", contact, "--channel", "EMAIL", "--when", "2026-01-05T10:00:00"
    )
    assert answer.code == 0
    assert "STOP_CHANNEL" in answer.out
    shown = running.bridge("ledger", "show", contact, "--json").document
    assert [(event["kind"], event["happened_at"]) for event in shown["events"]] == [
        ("STOP_CHANNEL", "2026-01-05T10:00:00+00:00")
    ]
    assert running.bridge("run", "--once").code == 0
    rows = running.org.director.query(
        f"SELECT HasOptedOutOfEmail FROM Contact WHERE Id = '{contact}'"
    )
    assert rows[0]["HasOptedOutOfEmail"] is True
    assert "STOP_CHANNEL" in running.bridge("ledger", "show", contact).out


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ((), "STOP_MARKETING"),
        (("--purpose", "direct_marketing", "--channel", "POST"), "WITHDRAW"),
        (("--purpose", "product_research", "--channel", "EMAIL"), "OBJECT_GROUNDS"),
        (("--purpose", "service_messages", "--channel", "EMAIL"), "OBJECT_MARKETING"),
    ],
)
def test_a_stop_is_recorded_in_the_words_of_its_basis(
    running: Rehearsal, words: tuple[str, ...], kind: str
) -> None:
    answer = running.bridge("ledger", "record", "stop", running.calm_contact(), *words, "--json")
    assert answer.document["kind"] == kind


def test_a_grant_is_for_one_address(running: Rehearsal) -> None:
    contact = running.calm_contact()
    words = (
        "ledger",
        "record",
        "grant",
        contact,
        "--purpose",
        "direct_marketing",
        "--channel",
        "EMAIL",
    )
    proof = ("--notice", "consent-en-1", "--evidence", "vault/1", "--grade", "A")
    unreadable = running.bridge(*words, *proof, "--address", "nowhere")
    assert unreadable.code == 1
    assert "cannot be read" in unreadable.err
    assert running.bridge("ledger", "show", contact, "--json").document["events"] == []
    assert running.bridge(*words, *proof, "--address", "Someone.Else@example.org").code == 0
    explained = running.bridge("explain", contact, "--json").document
    email = next(use for use in explained["uses"] if use["channel"] == "EMAIL")
    assert email["reason"] == "DENY_NOT_ESTABLISHED_FOR_ADDRESS"
    running.org.director.as_user("rep").update("Contact", contact, Email=None)
    assert running.bridge("run", "--once").code == 0
    unclear = running.bridge(*words, *proof)
    assert unclear.code == 1
    assert "--address" in unclear.err


def test_a_grant_without_proof_is_refused_and_leaves_no_trace(running: Rehearsal) -> None:
    contact = running.calm_contact()
    words = ("--purpose", "direct_marketing", "--channel", "EMAIL")
    answer = running.bridge("ledger", "record", "grant", contact, *words)
    assert answer.code == 1
    assert "needs proof of grade" in answer.err
    assert running.bridge("ledger", "show", contact, "--json").document["events"] == []


HEADER = "contact_id,purpose,channel,event,happened_at,evidence_grade,evidence_ref,notice_id\n"


def test_an_import_is_dry_first_and_then_all_or_nothing(running: Rehearsal) -> None:
    one, two = running.contact_ids()[:2]
    file = running.folder / "stops.csv"
    good = f"{one},direct_marketing,EMAIL,WITHDRAW,2026-01-05T10:00:00Z,,,\n"
    file.write_text(HEADER + good)
    words = ("ledger", "import", "permissions", str(file))
    dry = running.bridge(*words, "--json").document
    assert (dry["applied"], dry["recorded"]) == (False, {"WITHDRAW": 1})
    assert running.bridge("ledger", "show", one, "--json").document["events"] == []
    assert running.bridge(*words, "--apply", "--json").document["applied"] is True
    again = running.bridge(*words, "--apply", "--json").document
    assert (again["recorded"], again["already_known"]) == ({}, 1)
    file.write_text(HEADER + f"{two},direct_marketing,PIGEON,WITHDRAW,2026-01-05T10:00:00Z,,,\n")
    wrong = running.bridge(*words, "--apply", "--json")
    assert wrong.code == 1
    assert [each["line"] for each in wrong.document["problems"]] == [2]
    assert running.bridge("ledger", "show", two, "--json").document["events"] == []


def test_a_file_that_is_not_text_is_refused_by_name(running: Rehearsal) -> None:
    file = running.folder / "scan.csv"
    file.write_bytes(b"\xff\xfe\x00not text")
    answer = running.bridge("ledger", "import", "permissions", str(file))
    assert answer.code == 1
    assert "scan.csv is not text in UTF-8" in answer.err


def test_a_hold_is_kept_until_somebody_releases_it(running: Rehearsal) -> None:
    contact = running.calm_contact()
    words = (contact, "--purpose", "direct_marketing", "--channel", "EMAIL")
    assert running.bridge("ledger", "record", "hold", *words).code == 0
    assert running.bridge("ledger", "record", "release", *words).code == 0
    events = running.bridge("ledger", "show", contact, "--json").document["events"]
    assert [event["kind"] for event in events] == ["HOLD", "RELEASE"]


def test_only_a_candidate_can_be_confirmed(running: Rehearsal) -> None:
    answer = running.bridge("ledger", "confirm", running.calm_contact())
    assert answer.code == 1
    assert "nothing to confirm" in answer.err


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("grant", "--purpose", "direct_marketing"), 2),
        (("stop", "--purpose", "direct_marketing"), 2),
        (("stop", "--purpose", "direct_marketing", "--channel", "EMAIL", "--grade", "Z"), 2),
        (("stop", "--channel", "PIGEON"), 1),
        (("stop", "--purpose", "unheard_of", "--channel", "EMAIL"), 1),
    ],
)
def test_what_the_policy_does_not_know_cannot_be_recorded(
    running: Rehearsal, words: tuple[str, ...], code: int
) -> None:
    said, *options = words
    assert running.bridge("ledger", "record", said, running.contact_ids()[0], *options).code == code


def test_the_audit_is_shown_and_proves_itself(running: Rehearsal) -> None:
    answer = running.bridge("audit", "verify", "--json")
    assert answer.code == 0
    assert answer.document["intact"] is True
    assert answer.document["cycles"] == 1
    assert "✓ completeness" in running.bridge("audit", "verify").out
    (latest,) = running.bridge("audit", "tail", "-n", "1", "--kind", "decision", "--json").document
    assert latest["kind"] == "DECISION"
    (same,) = running.bridge("audit", "show", latest["ref"], "--json").document
    assert same == latest
    assert latest["entry_hash"] in running.bridge("audit", "show", str(latest["seq"])).out
    assert str(latest["seq"]) in running.bridge("audit", "tail", "--kind", "decision").out
    assert running.bridge("audit", "show", "unknown").code == 1


def test_a_changed_entry_is_found_and_named(running: Rehearsal) -> None:
    opened = create_engine(f"sqlite:///{running.folder / 'ledger.sqlite3'}")
    with opened.begin() as connection:
        names = connection.execute(
            text("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        ).scalars()
        for name in list(names):
            connection.execute(text(f'DROP TRIGGER "{name}"'))
        seq = connection.execute(
            text("SELECT min(seq) FROM audit_entry WHERE header LIKE '%INFO%'")
        ).scalar_one()
        connection.execute(
            text(
                "UPDATE audit_entry SET header = replace(header, 'INFO', 'WARN') WHERE seq = :seq"
            ),
            {"seq": seq},
        )
    opened.dispose()
    answer = running.bridge("audit", "verify")
    assert answer.code == 1
    assert f"✗ content: entry {seq}" in answer.out
    assert running.bridge("audit", "verify", "--json").document["verdicts"]["content"]["seq"] == seq


def test_requests_wait_for_the_daemon(running: Rehearsal) -> None:
    for number, kind in enumerate(("run", "pause", "resume"), start=1):
        assert f"Request {number} is filed" in running.bridge("ask", kind).out


def test_while_a_bridge_writes_another_one_keeps_off(running: Rehearsal) -> None:
    opened = create_engine(f"sqlite:///{running.folder / 'ledger.sqlite3'}")
    with opened.begin() as connection:
        connection.execute(text("DELETE FROM lease"))
        connection.execute(
            text(
                "INSERT INTO lease (name, owner, expires_at) VALUES ('writer', 'another', 4102444800000000)"
            )
        )
    opened.dispose()
    answer = running.bridge("run", "--once")
    assert answer.code == 1
    assert "Another bridge holds the lease" in answer.err


def test_a_plan_over_its_limit_halts_until_a_person_has_approved_it(running: Rehearsal) -> None:
    policy = running.folder / "policy.toml"
    text = policy.read_text().replace("loosen_max = 500", "loosen_max = 0")
    policy.write_text(text.replace('version = "2026-01"', 'version = "2026-02"'))
    two_people = ("--approved-by", "another-login", "--note", "careful", "--yes")
    assert running.bridge("policy", "apply", str(policy), *two_people).code == 0
    contact = running.calm_contact()
    words = ("--purpose", "direct_marketing", "--channel", "EMAIL", "--notice", "consent-en-1")
    proof = ("--evidence", "vault/1", "--grade", "A", "--when", "2026-01-05T10:00:00")
    assert running.bridge("ledger", "record", "grant", contact, *words, *proof).code == 0
    halted = running.bridge("run", "--once")
    assert halted.code == 4
    assert "the limit is 0" in halted.err
    assert running.bridge("run", "--once", "--json").document["halted"]
    planned = running.bridge("plan", "--out", "plan.json", "--json")
    assert planned.code == 3
    assert "the limit is 0" in planned.document["over_limits"]
    assert "Over the limits: 1 permissions would be widened" in running.bridge("plan").out
    assert running.bridge("apply", "plan.json").code == 4
    assert running.bridge("plan", "--out", "plan.json").code == 3
    assert running.bridge("apply", "plan.json", "--beyond-limits").code == 0
    rows = running.org.director.query(
        f"SELECT Consent_Status__c FROM Permission__c WHERE Contact__c = '{contact}'"
        " AND Purpose__c = 'direct_marketing' AND Channel__c = 'EMAIL'"
    )
    assert [row["Consent_Status__c"] for row in rows] == ["Permitted"]
