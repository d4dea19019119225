"""A silent address speaks again on the command line: by the person's own words, seen by two people."""

import pytest

from tests.integration.cli.conftest import Rehearsal

OTHER = ("--approved-by", "another-login")
WORDS = ("--evidence", "esign 7", *OTHER)
ADDRESS = "silent@example.org"


@pytest.fixture
def contact(running: Rehearsal) -> str:
    """A Contact whose person was erased, and which is still there."""
    contact = running.org.director.as_user("rep").create(
        "Contact", LastName="Person", Email=ADDRESS, MailingCountry="France"
    )
    assert running.bridge("run", "--once").code == 0
    case = running.bridge("rights", "open", contact, "ERASURE", "--json").document["case_id"]
    closed = running.bridge("rights", "close", case, "--as", "DONE", *OTHER, "--yes")
    assert closed.code == 0, closed.err
    return str(contact)


def lift(running: Rehearsal, *words: str) -> tuple[int, str]:
    answer = running.bridge("rights", "lift-suppression", *words, "--json")
    return answer.code, answer.out + answer.err


def test_the_addresses_of_a_contact_speak_again_once(running: Rehearsal, contact: str) -> None:
    code, told = lift(running, contact, *WORDS)
    assert (code, '"lifted": 1' in told) == (0, True)
    sealed = running.bridge("audit", "tail", "-n", "1", "--json").out
    assert "SUPPRESSION_LIFTED" in sealed
    assert "another-login" in sealed
    assert ADDRESS not in sealed
    code, told = lift(running, contact, *WORDS)
    assert (code, "none of these addresses" in told) == (1, True)


def test_an_address_that_nobody_has_any_more_can_be_named(running: Rehearsal, contact: str) -> None:
    running.org.director.admin.delete("Contact", contact)
    assert running.bridge("run", "--once").code == 0
    words = ("--address", " SILENT+news@Example.ORG", *WORDS)
    assert lift(running, *words)[0] == 0
    told = running.bridge("rights", "lift-suppression", *words)
    assert told.code == 1


@pytest.mark.parametrize(
    "words",
    [
        (),
        (*WORDS,),
        ("--address", ADDRESS, "--evidence", "esign 7"),
        ("--address", ADDRESS, *OTHER),
        ("0035g0000000001AAA", "--address", ADDRESS, *WORDS),
    ],
)
def test_a_lifting_that_is_not_told_whole_is_misuse(
    running: Rehearsal, words: tuple[str, ...]
) -> None:
    assert lift(running, *words)[0] == 2


def test_words_from_before_the_silence_lift_nothing(running: Rehearsal, contact: str) -> None:
    code, told = lift(running, contact, *WORDS, "--said-at", "2020-01-01")
    assert (code, "comes before" in told) == (1, True)
    said = running.bridge("rights", "lift-suppression", contact, *WORDS)
    assert said.code == 0
    assert "Nothing is permitted by it" in said.out
