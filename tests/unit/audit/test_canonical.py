"""What is sealed has one way to be written, and what has several is refused."""

from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum

import pytest

from salesforce_bridge.audit.canonical import NotCanonical, canonical, stamp


class _Word(StrEnum):
    YES = "yes"


def test_keys_are_sorted_and_nothing_is_written_around_them() -> None:
    assert (
        canonical({"b": 1, "a": [True, None, "ü\n"]}) == '{"a":[true,null,"ü\\n"],"b":1}'.encode()
    )


def test_a_word_of_ours_is_written_as_text() -> None:
    assert canonical({"word": _Word.YES, "tuple": ("x",)}) == b'{"tuple":["x"],"word":"yes"}'


@pytest.mark.parametrize(
    "value",
    [
        {"a": 1.5},
        {"a": [{"b": 0.1}]},
        {1: "a"},
        {"ü": "a"},
        {"a": b"bytes"},
        {"a": datetime(2026, 1, 1, tzinfo=UTC)},
        {"a": 2**53},
        {"a": "\ud800"},
        1.0,
    ],
)
def test_what_could_be_written_differently_is_refused(value: object) -> None:
    with pytest.raises(NotCanonical):
        canonical(value)


def test_a_moment_is_written_in_utc_to_the_millisecond() -> None:
    berlin = timezone(timedelta(hours=1))
    assert stamp(datetime(2026, 1, 1, 1, 0, 0, 123999, tzinfo=berlin)) == "2026-01-01T00:00:00.123Z"


def test_a_moment_without_a_time_zone_is_refused() -> None:
    with pytest.raises(NotCanonical, match="time zone"):
        stamp(datetime(2026, 1, 1))  # noqa: DTZ001  # the point of the test
