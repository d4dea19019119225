"""Logs: nobody can be recognised and nothing secret can be read, whatever somebody tries to log."""

import io
import json
import logging
import threading
import warnings
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from enum import StrEnum

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from salesforce_bridge.errors import HaltWrites
from salesforce_bridge.logs import FIELDS, HIDDEN, configure, described, scrub

TOKEN = "00D5g000004ABCD!AQ8AQFzX.kQ1_vY"
QUERY = "SELECT Id, Email FROM Contact WHERE LastName = 'Nowak'"


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    root, hook = logging.getLogger(), threading.excepthook
    kept, level = root.handlers[:], root.level
    yield
    structlog.reset_defaults()
    logging.captureWarnings(capture=False)
    root.handlers[:], threading.excepthook = kept, hook
    root.setLevel(level)


def lines(
    say: Callable[[], None], *, level: str = "info", on_drop: Callable[[int], None] | None = None
) -> list[dict[str, object]]:
    """What stands in the log after somebody said something."""
    stream = io.StringIO()
    configure(style="json", level=level, stream=stream, on_drop=on_drop or (lambda _count: None))
    say()
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def line(say: Callable[[], None]) -> dict[str, object]:
    (only,) = lines(say)
    return only


def log(event: str, **fields: object) -> Callable[[], None]:
    return lambda: structlog.get_logger().info(event, **fields)


def test_an_event_keeps_its_fields() -> None:
    seen = line(
        log("cycle.finished", cycle_id="c-17", calls=1, decisions={"DRIFT_REVERTED": 2}, clean=True)
    )
    assert seen.pop("timestamp")
    assert seen == {
        "event": "cycle.finished",
        "level": "info",
        "cycle_id": "c-17",
        "calls": 1,
        "decisions": {"DRIFT_REVERTED": 2},
        "clean": True,
    }


def test_a_field_nobody_allowed_is_dropped_and_counted() -> None:
    counts: list[int] = []
    (seen,) = lines(
        log("contact.read", contact_id="003AA", first_name="Anna", note="call her"),
        on_drop=counts.append,
    )
    assert seen["dropped"] == 2
    assert counts == [2]
    assert "Anna" not in str(seen)
    assert "first_name" not in seen


@pytest.mark.parametrize(
    "private", ["anna@example.org", TOKEN, QUERY, "+48 601 234 567", "Anna Nowak", "Bearer abc"]
)
@pytest.mark.parametrize("field", sorted(FIELDS - {"event", "level", "timestamp"}))
def test_no_field_carries_what_could_be_a_person_or_a_secret(field: str, private: str) -> None:
    fields: dict[str, object] = {field: private, "purpose": (private,), "state": {private: private}}
    text = str(line(log("contact.read", **fields)))
    if field not in {"message", "hint"} or private != "Anna Nowak":
        assert private not in text


@given(st.emails())
def test_an_address_never_reaches_the_log(address: str) -> None:
    def say() -> None:
        logger = structlog.get_logger()
        logger.info(address)
        logger.info(
            "write.refused",
            message=f"refused for {address}.",
            hint=f"<{address}>",
            code=address,
            reason=[address],
        )
        logger.info(
            "write.refused", message=f"https://example.org/?q={address.replace('@', '%40')}"
        )
        logging.getLogger("library").warning("cannot send to %s", address)
        logging.getLogger("library").warning(f"cannot send to {address}")  # noqa: G004  # libraries do this
        structlog.contextvars.bind_contextvars(owner=address)
        logger.info("cycle.started")
        structlog.contextvars.clear_contextvars()

    text = str(lines(say))
    assert "@" not in text
    assert address.replace("@", "%40") not in text


@pytest.mark.parametrize(
    ("text", "covered"),
    [
        ("asked SELECT Id FROM Contact", "asked [query]"),
        ("select Id\nfrom Contact where Email = 'a@b.c'", "[query]"),
        ("FIND {anna} IN ALL FIELDS", "[query]"),
        (f"session {TOKEN} expired", "session [token] expired"),
        ("sent eyJhbGciOi.eyJpc3MiOi.c2ln", "sent [token]"),
        ("header Bearer abc.def", "header [token]"),
        ("body client_secret=hush", "body [token]"),
        ("body secret=hush&x", "body [token]"),
        ("-----BEGIN PRIVATE KEY----- MIIE", "[key]"),
        ('to "anna maria"@example.org now', "to [e-mail] now"),
        ("to anna＠example.org now", "to [e-mail] now"),  # noqa: RUF001  # the look-alike is the point
        ("postgresql://bridge:hush@db/bridge", "[e-mail]"),
        ("call 0601 234 567 today", "call [phone] today"),
        ("call +48 (601) 234-567", "call [phone]"),
        ("since 2026-11-23T10:00:00+00:00", "since 2026-11-23T10:00:00+00:00"),
        ("one\nline\x1b[31m", "one line [31m"),
    ],
)
def test_texts_are_covered_where_they_look_private(text: str, covered: str) -> None:
    assert scrub(text) == covered


def test_a_text_is_cut_before_it_floods_the_log() -> None:
    assert len(scrub("a" * 100_000)) == 500


def test_a_sentence_of_ours_stays_readable() -> None:
    hint = "salesforce-bridge ledger import permissions.csv --apply"
    assert line(log("import.refused", message="Row 7 names no person.", hint=hint))["hint"] == hint


def test_an_exception_of_a_library_is_named_and_not_quoted() -> None:
    def say() -> None:
        try:
            int(QUERY)
        except ValueError:
            structlog.get_logger().exception("cycle.failed", stack_info=True)

    seen = line(say)
    assert seen["error"] == "ValueError"
    assert str(seen["where"]).startswith(__name__)
    assert "Nowak" not in str(seen)
    assert "message" not in seen


def test_an_exception_of_ours_brings_its_message_and_hint() -> None:
    error = HaltWrites("The org answered for another org.", hint="salesforce-bridge doctor")
    seen = line(lambda: structlog.get_logger().error("cycle.halted", exc_info=error))
    assert (seen["error"], seen["message"], seen["hint"]) == (
        "HaltWrites",
        error.message,
        error.hint,
    )
    assert "where" not in described(error)


def test_no_exception_at_hand_is_no_exception() -> None:
    seen = line(lambda: structlog.get_logger().error("cycle.failed", exc_info=(None, None, None)))
    assert "error" not in seen


def test_a_text_in_place_of_an_event_is_covered_like_any_text() -> None:
    seen = line(log("Sent to anna@example.org"))
    assert seen["event"] == "text.logged"
    assert seen["message"] == "Sent to [e-mail]"


def test_libraries_speak_through_the_same_gate() -> None:
    def say() -> None:
        logging.getLogger("urllib3").warning("retrying %s for %s", "https://x/?q=SELECT Id", "Anna")
        logging.getLogger("urllib3").info("not said")
        try:
            dict[str, int]()["Anna"]
        except KeyError:
            logging.getLogger("apscheduler").exception("Job %s raised", "tick")

    retried, raised = lines(say)
    assert retried["message"] == "retrying %s for %s"
    assert retried["logger"] == "urllib3"
    assert retried["level"] == "warning"
    assert raised["error"] == "KeyError"
    assert "Anna" not in str(retried) + str(raised)


def test_warnings_of_python_go_to_the_log() -> None:
    def say() -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            logging.captureWarnings(capture=True)
            warnings.warn("old way used", stacklevel=1)

    assert line(say)["logger"] == "py.warnings"


def test_libraries_say_more_while_somebody_looks_for_a_fault() -> None:
    said = lines(lambda: logging.getLogger("urllib3").info("connected"), level="debug")
    assert [seen["message"] for seen in said] == ["connected"]
    assert lines(log("tick.started"), level="warning") == []


def test_a_thread_that_dies_is_logged_without_its_last_words() -> None:
    def die() -> None:
        raise RuntimeError("anna@example.org")

    def say() -> None:
        thread = threading.Thread(target=die)
        thread.start()
        thread.join()

    seen = line(say)
    assert (seen["event"], seen["error"]) == ("thread.died", "RuntimeError")


class Colour(StrEnum):
    RED = "RED"


def test_values_keep_the_shape_that_their_type_promises() -> None:
    at = datetime(2026, 3, 1, tzinfo=UTC)
    seen = line(
        log(
            "cycle.started",
            at=at,
            tick=timedelta(seconds=90),
            state=Colour.RED,
            error=ValueError("Anna"),
            kind=object(),
            usage=0.5,
            since=None,
        )
    )
    assert seen["at"] == "2026-03-01T00:00:00+00:00"
    assert seen["tick"] == 90
    assert seen["state"] == "RED"
    assert seen["error"] == "ValueError"
    assert seen["kind"] == HIDDEN
    assert seen["usage"] == 0.5
    assert seen["since"] is None


def test_a_console_is_for_people_and_a_file_for_machines() -> None:
    stream = io.StringIO()
    configure(style="console", stream=stream)
    log("cycle.finished", calls=1)()
    assert "cycle.finished" in stream.getvalue()
    assert "calls=1" in stream.getvalue()
    stream = io.StringIO()
    configure(style="auto", stream=stream)
    log("cycle.finished", calls=1)()
    assert json.loads(stream.getvalue())["calls"] == 1
