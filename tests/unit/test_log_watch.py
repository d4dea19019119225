import pytest

from tests.support.log_watch import private_in_logs


@pytest.mark.parametrize(
    "told",
    [
        "mail to freya.shaw@example.com",
        "Ashworth asked us to stop",
        "token 00D5g000000000A!AQEAQ",
        "SELECT Id FROM Contact",
    ],
)
def test_the_watch_sees_a_person_a_secret_and_a_query_in_a_log_line(told: str) -> None:
    assert tuple(private_in_logs(f'{{"event": "cycle.finished", "message": "{told}"}}'))


def test_the_watch_leaves_ordinary_lines_alone() -> None:
    line = '{"contact_id": "0035g0000000001AAA", "event": "cycle.finished", "read": 300}'
    assert not tuple(private_in_logs(line))
