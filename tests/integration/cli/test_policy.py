"""The policy on the command line: checked, compared, tried on everybody, and put in force by two people."""

from pathlib import Path

import pytest

from salesforce_bridge.cli.shared import operator
from tests.integration.cli.conftest import Program, Rehearsal

OTHER = ("--approved-by", "another-login")
NOTE = ("--note", "counsel asked for it")


def changed(rehearsal: Rehearsal, *changes: tuple[str, str], name: str = "next.toml") -> Path:
    """Another version of the policy that ships."""
    text = (rehearsal.folder / "policy.toml").read_text()
    for before, after in (('version = "2026-01"', 'version = "2026-02"'), *changes):
        assert before in text
        text = text.replace(before, after, 1)
    path = rehearsal.folder / name
    path.write_text(text)
    return path


RETIRED = (
    '[purposes.direct_marketing]\nversion = 1\nstatus = "LIVE"',
    '[purposes.direct_marketing]\nversion = 1\nstatus = "RETIRED"',
)


@pytest.fixture
def permitted(running: Rehearsal) -> Rehearsal:
    """A rehearsal in which one person has said yes."""
    contact = running.calm_contact()
    use = ("--purpose", "direct_marketing", "--channel", "EMAIL", "--notice", "consent-en-1")
    proof = ("--evidence", "vault/1", "--grade", "A", "--when", "2026-02-05T10:00:00")
    answer = running.bridge("ledger", "record", "grant", contact, *use, *proof)
    assert answer.code == 0, answer.err
    assert running.bridge("run", "--once").code == 0
    return running


def test_a_policy_without_errors_is_fine_and_warnings_are_told(rehearsal: Rehearsal) -> None:
    answer = rehearsal.bridge("policy", "check", "policy.toml", "--json")
    assert answer.code == 0
    assert answer.document["errors"] == 0
    assert answer.document["version"] == "2026-01"
    assert {each["level"] for each in answer.document["problems"]} <= {"warning"}
    assert rehearsal.bridge("policy", "check", "policy.toml").code == 0


def test_an_error_is_named_by_its_line_and_ends_with_one(rehearsal: Rehearsal) -> None:
    path = changed(rehearsal, ('headline = "direct_marketing"', 'headline = "marketing"'))
    answer = rehearsal.bridge("policy", "check", str(path), "--json")
    assert answer.code == 1
    (problem,) = answer.document["problems"]
    lines = path.read_text().splitlines()
    assert lines[problem["line"] - 1].startswith('headline = "marketing"')
    assert problem["fix"]
    assert f"next.toml:{problem['line']}" in rehearsal.bridge("policy", "check", str(path)).out


def test_what_is_no_toml_is_an_error_like_any_other(rehearsal: Rehearsal) -> None:
    (rehearsal.folder / "broken.toml").write_text('version = "1"\nnot toml')
    answer = rehearsal.bridge("policy", "check", "broken.toml", "--json")
    assert answer.code == 1
    assert [each["line"] for each in answer.document["problems"]] == [2]


def test_a_change_of_meaning_under_the_same_version_is_an_error(rehearsal: Rehearsal) -> None:
    path = changed(rehearsal, RETIRED)
    path.write_text(path.read_text().replace('"2026-02"', '"2026-01"'))
    alone = rehearsal.bridge("policy", "check", str(path))
    against = rehearsal.bridge("policy", "check", str(path), "--against", "policy.toml")
    assert (alone.code, against.code) == (0, 1)


def test_the_policy_in_use_is_that_of_the_ledger_not_of_the_file(running: Rehearsal) -> None:
    shown = running.bridge("policy", "show", "--json").document
    assert (shown["version"], shown["activated"], shown["file_differs"]) == ("2026-01", True, False)
    assert shown["unconfirmed_profiles"]
    (running.folder / "policy.toml").write_text(changed(running, RETIRED).read_text())
    shown = running.bridge("policy", "show", "--json").document
    assert (shown["version"], shown["file_differs"]) == ("2026-01", True)
    assert "says something else" in running.bridge("policy", "show").out
    assert running.bridge("status", "--json").document["policy"]["file_differs"]
    checks = running.bridge("doctor", "--json").document["checks"]
    assert {c["name"]: c["state"] for c in checks}["policy in use"] == "warn"
    assert 'version = "2026-01"' in running.bridge("policy", "show", "--text").out


def test_a_diff_tries_the_policy_on_everybody_and_changes_nothing(permitted: Rehearsal) -> None:
    path = changed(permitted, RETIRED)
    before = permitted.bridge("status", "--json").document["audit"]
    answer = permitted.bridge("policy", "diff", str(path), "--json")
    assert answer.code == 0
    document = answer.document
    places = {each["place"] for each in document["differences"]}
    assert {"purposes.direct_marketing.status", "version"} <= places
    assert document["people"] > 0
    retired = {each["reason"]: each for each in document["reasons"]}["PURPOSE_RETIRED_REVOKED"]
    assert (retired["before"], retired["after"]) == (0, 1)
    assert {
        "contact_id": permitted.calm_contact(),
        "purpose": "direct_marketing",
        "channel": "EMAIL",
        "before": "Permitted",
        "after": "Lapsed",
    } in document["changed"]
    told = permitted.bridge("policy", "diff", str(path)).out
    assert "Nothing was changed" in told
    assert f"tried on {document['people']} people of the ledger\n" in told
    assert permitted.bridge("status", "--json").document["audit"] == before
    assert permitted.bridge("policy", "show", "--json").document["version"] == "2026-01"


def test_two_people_put_a_policy_in_force_and_the_next_cycle_judges_by_it(
    permitted: Rehearsal,
) -> None:
    path = changed(permitted, RETIRED)
    answer = permitted.bridge("policy", "apply", str(path), *OTHER, *NOTE, said="y\n")
    assert answer.code == 0, answer.err
    assert "the next cycle judges everybody by it" in answer.out
    shown = permitted.bridge("policy", "show", "--json").document
    assert (shown["version"], shown["approved_by"]) == ("2026-02", "another-login")
    assert permitted.bridge("run", "--once").code == 0
    (row,) = permitted.org.director.query(
        "SELECT Consent_Status__c FROM Permission__c"
        f" WHERE Contact__c = '{permitted.calm_contact()}'"
        " AND Purpose__c = 'direct_marketing' AND Channel__c = 'EMAIL'"
    )
    assert row["Consent_Status__c"] == "Lapsed"
    again = permitted.bridge("policy", "apply", str(path), *OTHER, *NOTE, "--yes")
    assert again.code == 1
    assert "in use already" in again.err


def test_nobody_puts_a_policy_in_force_alone_unasked_or_with_errors(running: Rehearsal) -> None:
    path = changed(running, RETIRED)
    broken = changed(
        running, ('headline = "direct_marketing"', 'headline = "marketing"'), name="broken.toml"
    )
    apply = ("policy", "apply", str(path))
    assert running.bridge(*apply, *OTHER).code == 2  # without a note
    for same in (operator(), f" {operator()} ", " "):
        alone = running.bridge(*apply, "--approved-by", same, *NOTE, "--yes")
        assert alone.code == 1
        assert "two different people" in alone.err
    unasked = running.bridge(*apply, *OTHER, *NOTE, said="n\n")
    assert unasked.code == 1
    assert "tried on" in unasked.out  # what it changes was shown before the question
    unfit = running.bridge("policy", "apply", str(broken), *OTHER, *NOTE, "--yes")
    assert unfit.code == 1
    assert "broken.toml:" in unfit.err
    assert running.bridge("policy", "show", "--json").document["version"] == "2026-01"


def test_the_page_is_written_and_a_stale_one_is_noticed(bridge: Program, tmp_path: Path) -> None:
    assert bridge("policy", "docs", "--check").code == 1
    assert bridge("policy", "docs").code == 0
    page = tmp_path / "docs" / "policy.md"
    assert page.read_text().startswith("# Policy\n")
    assert bridge("policy", "docs", "--check").code == 0
    page.write_text(page.read_text() + "by hand\n")
    stale = bridge("policy", "docs", "--check")
    assert stale.code == 1
    assert "salesforce-bridge policy docs" in stale.err
