"""The live question on the command line, and the explanation gate by gate."""

import sqlite3
from datetime import UTC, datetime, timedelta

import pytest

from tests.integration.cli.conftest import Rehearsal

EMAIL = ("direct_marketing", "EMAIL")


@pytest.fixture
def permitted(running: Rehearsal) -> Rehearsal:
    """A rehearsal in which one person has said yes by e-mail."""
    use = ("--purpose", EMAIL[0], "--channel", EMAIL[1], "--notice", "consent-en-1")
    proof = ("--evidence", "vault/1", "--grade", "A", "--when", "2026-02-05T10:00:00")
    assert (
        running.bridge("ledger", "record", "grant", running.calm_contact(), *use, *proof).code == 0
    )
    assert running.bridge("run", "--once").code == 0
    return running


def asked(rehearsal: Rehearsal, *words: str) -> tuple[int, dict[str, object]]:
    answer = rehearsal.bridge("may-use", rehearsal.calm_contact(), *words, "--json")
    assert answer.code in {0, 1}, answer.err
    return answer.code, answer.document


def test_a_yes_with_proof_is_allowed_and_ends_with_nothing(permitted: Rehearsal) -> None:
    code, answer = asked(permitted, *EMAIL)
    assert (code, answer["verdict"], answer["reason"]) == (0, "ALLOW", "ALLOW_CONSENT")
    assert answer["failed"] == []
    assert answer["recorded"] is False
    told = permitted.bridge("may-use", permitted.calm_contact(), *EMAIL)
    assert told.out.startswith("ALLOW  ALLOW_CONSENT: They said yes")


def test_every_gate_that_was_not_passed_is_named_in_order_with_a_sentence(
    running: Rehearsal,
) -> None:
    contact = running.calm_contact()
    assert running.bridge("ledger", "record", "stop", contact).code == 0
    code, answer = asked(running, *EMAIL)
    assert (code, answer["verdict"]) == (1, "DENY")
    failed = answer["failed"]
    assert isinstance(failed, list)
    gates = [each["gate"] for each in failed]
    assert gates == sorted(gates, key=lambda gate: int(gate.removeprefix("G")))
    assert gates[0] == "G2"
    assert all(each["sentence"].endswith(".") for each in failed)
    told = running.bridge("may-use", contact, *EMAIL).out
    assert "They asked us to stop all marketing." in told


def test_a_bridge_that_has_not_looked_for_long_holds_marketing(
    permitted: Rehearsal, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert asked(permitted, *EMAIL)[0] == 0
    later = datetime.now(UTC) + timedelta(hours=1)
    monkeypatch.setattr("salesforce_bridge.wiring.now", lambda: later)
    code, answer = asked(permitted, *EMAIL)
    assert (code, answer["reason"]) == (1, "HOLD_SYNC_STALE")
    failed = answer["failed"]
    assert isinstance(failed, list)
    assert [each["gate"] for each in failed] == ["G10"]


def test_a_yes_for_one_address_is_none_for_another(permitted: Rehearsal) -> None:
    (row,) = permitted.org.director.query(
        f"SELECT Email FROM Contact WHERE Id = '{permitted.calm_contact()}'"
    )
    assert asked(permitted, *EMAIL, "--address", str(row["Email"]))[0] == 0
    code, answer = asked(permitted, *EMAIL, "--address", "somebody.else@example.org")
    assert (code, answer["reason"]) == (1, "DENY_NOT_ESTABLISHED_FOR_ADDRESS")
    unreadable = permitted.bridge(
        "may-use", permitted.calm_contact(), *EMAIL, "--address", "no address"
    )
    assert unreadable.code == 1
    assert "cannot be read" in unreadable.err


def test_calling_an_offer_a_service_message_does_not_help(running: Rehearsal) -> None:
    assert running.bridge("ledger", "record", "stop", running.calm_contact()).code == 0
    code, answer = asked(running, *EMAIL, "--category", "SERVICE")
    assert code == 1
    assert "DENY_MARKETING_OBJECTION" in str(answer["failed"])


def test_a_use_is_recorded_only_if_it_is_allowed(permitted: Rehearsal) -> None:
    assert asked(permitted, "direct_marketing", "POST", "--record-use")[1]["recorded"] is False
    code, answer = asked(permitted, *EMAIL, "--record-use")
    assert (code, answer["recorded"]) == (0, True)
    with sqlite3.connect(permitted.folder / "ledger.sqlite3") as ledger:
        rows = ledger.execute("SELECT purpose, channel, answer FROM usage").fetchall()
    ledger.close()
    assert rows == [("direct_marketing", "EMAIL", "ALLOW_CONSENT")]
    assert permitted.bridge("audit", "verify").code == 0


def test_a_contact_that_nobody_met_and_a_purpose_that_nobody_knows(running: Rehearsal) -> None:
    unknown = running.bridge("may-use", "003000000000000", *EMAIL)
    assert unknown.code == 1
    assert "has not met" in unknown.err
    code, answer = asked(running, "unheard_of", "EMAIL")
    assert (code, answer["verdict"]) == (1, "DENY")


@pytest.mark.parametrize(
    ("use", "known"),
    [
        (("news", "EMAIL"), "no purpose news; it knows direct_marketing, "),
        (("direct_marketing", "email"), "no channel email for it; it knows EMAIL, LIVE_CALL, POST"),
    ],
)
def test_a_question_that_is_misspelt_is_denied_and_told_what_there_is(
    running: Rehearsal, use: tuple[str, str], known: str
) -> None:
    code, answer = asked(running, *use)
    assert (code, answer["verdict"]) == (1, "DENY")
    assert str(answer["unknown"]).startswith(known)
    told = running.bridge("may-use", running.calm_contact(), *use).out
    assert f"The policy knows {known}" in told
    assert asked(running, *EMAIL)[1]["unknown"] is None


def test_an_explanation_walks_every_gate_the_passed_ones_too(permitted: Rehearsal) -> None:
    document = permitted.bridge("explain", permitted.calm_contact(), "--json").document
    (use,) = [each for each in document["uses"] if (each["purpose"], each["channel"]) == EMAIL]
    answers = {each["gate"]: each["answer"] for each in use["gates"]}
    assert list(answers) == [*(f"G{number}" for number in range(1, 11)), "HELD"]
    assert set(answers.values()) == {"passed", "not asked"}
    assert [gate for gate, said in answers.items() if said == "not asked"] == ["G10"]
    assert (use["ledger_shows"], use["salesforce_showed"]) == ("Permitted", "Permitted")
    assert use["ends_at"] is not None
    assert use["renew_by"] is None
    told = permitted.bridge("explain", permitted.calm_contact()).out
    assert "law of the channel" in told


def test_an_explanation_says_in_words_that_no_country_is_known(running: Rehearsal) -> None:
    contact = running.calm_contact()
    running.org.director.admin.update("Contact", contact, MailingCountry="Atlantis")
    assert running.bridge("run", "--once").code == 0
    told = running.bridge("explain", contact).out
    assert "the strictest law of all, because no country of theirs is known" in told
    assert "law of UNKNOWN" not in told


def test_an_explanation_names_the_law_that_counts_and_what_happened_last(
    permitted: Rehearsal,
) -> None:
    document = permitted.bridge("explain", permitted.calm_contact(), "--json").document
    assert document["profile"]["former"] is None
    assert document["profile"]["key"]
    situations = document["situations"]
    assert situations
    keys = [(each["situation"], each["use"]) for each in situations]
    assert len(keys) == len(set(keys))
    assert all(each["class"].startswith("L") and each["sentence"] for each in situations)
    assert document["contact"]["consent_status"] in {"Permitted", "Partly permitted"}


def test_an_explanation_says_since_when_a_claim_waits(running: Rehearsal) -> None:
    (row,) = running.org.director.query(
        "SELECT Id FROM Permission__c WHERE Contact__c ="
        f" '{running.calm_contact()}' AND Purpose__c = '{EMAIL[0]}' AND Channel__c = '{EMAIL[1]}'"
    )
    rep = running.org.director.as_user("rep")
    rep.update("Permission__c", str(row["Id"]), Requested_Change__c="Gave permission")
    assert running.bridge("run", "--once").code == 0
    document = running.bridge("explain", running.calm_contact(), "--json").document
    (waiting,) = document["waiting"]
    assert waiting["waits_days"] == 0
    assert waiting["claim_id"] in running.bridge("explain", running.calm_contact()).out
