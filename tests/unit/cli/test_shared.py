"""What all commands share: exit codes, complaints, and the two ways to speak."""

import json
import os
from datetime import UTC, datetime

import pytest
import typer

from salesforce_bridge.cli.reports import tell_report
from salesforce_bridge.cli.shared import Exit, complain, exit_code, operator, tell_json, tell_table
from salesforce_bridge.cycle import CycleReport
from salesforce_bridge.errors import BridgeError, CannotStart, HaltWrites, RetryLater, SkipRecord

AT = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("policy", "code"),
    [(CannotStart, 78), (HaltWrites, 4), (RetryLater, 1), (SkipRecord, 1)],
)
def test_the_exit_code_tells_what_has_to_be_done(policy: type[BridgeError], code: int) -> None:
    assert exit_code(policy("It happened.", hint="salesforce-bridge doctor")) == code


def test_a_complaint_goes_to_stderr_with_its_way_out(capsys: pytest.CaptureFixture[str]) -> None:
    complain(CannotStart("The login was refused.", hint="salesforce-bridge doctor"))
    out, err = capsys.readouterr()
    assert out == ""
    assert err == "error: The login was refused.\nhint:  salesforce-bridge doctor\n"


def test_json_is_one_sorted_document(capsys: pytest.CaptureFixture[str]) -> None:
    tell_json({"b": "é", "a": AT})
    out = capsys.readouterr().out
    assert json.loads(out) == {"a": str(AT), "b": "é"}
    assert out.index('"a"') < out.index('"b"')
    assert "é" in out


def test_a_table_in_a_pipe_is_whole_and_takes_no_markup_from_its_cells(
    capsys: pytest.CaptureFixture[str],
) -> None:
    tell_table(("name", "what"), [("[red]x", "y" * 120), (None, 5)], title="all")
    out = capsys.readouterr().out
    assert out.startswith("all")
    assert "[red]x" in out
    assert "y" * 120 in out
    assert "\x1b" not in out


def test_a_clean_cycle_is_told_and_ends_well(capsys: pytest.CaptureFixture[str]) -> None:
    tell_report(CycleReport(cycle_id=7, at=AT, read=3, decisions={"ECHO": 3}), as_json=False)
    assert "Cycle 7: 3 records read" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("report", "code"),
    [
        (CycleReport(cycle_id=7, at=AT, clean=False), Exit.FAILED),
        (CycleReport(cycle_id=7, at=AT, clean=False, halted="too many changes"), Exit.HALTED),
    ],
)
@pytest.mark.parametrize("as_json", [False, True])
def test_a_cycle_that_was_not_clean_ends_with_its_code(
    capsys: pytest.CaptureFixture[str], report: CycleReport, code: Exit, as_json: bool
) -> None:
    with pytest.raises(typer.Exit) as ended:
        tell_report(report, as_json=as_json)
    assert ended.value.exit_code == code
    out, err = capsys.readouterr()
    if as_json:
        assert json.loads(out)["halted"] == report.halted
    elif report.halted:
        assert "too many changes" in err


def test_an_operator_without_a_name_is_known_by_number(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(os, "getuid", lambda: 3_999_999)
    assert operator() == "uid-3999999"
    monkeypatch.setenv("LOGNAME", "anna")
    assert operator() == "anna"
