from datetime import UTC, datetime

import pytest

from salesforce_bridge.salesforce.budget import Usage, parse_http_date, parse_usage


@pytest.mark.parametrize(
    ("header", "usage"),
    [
        ("api-usage=18/5000", Usage(used=18, limit=5000)),
        (
            "api-usage=25/5000; per-app-api-usage=17/250(appName=my app)",
            Usage(used=25, limit=5000, app_used=17, app_limit=250, app_name="my app"),
        ),
        (
            "per-app-api-usage=17/250(appName=my app);api-usage=25/5000",
            Usage(used=25, limit=5000, app_used=17, app_limit=250, app_name="my app"),
        ),
        ("per-app-api-usage=17/250(appName=x)", None),
        ("", None),
        ("api-usage=many", None),
    ],
)
def test_both_forms_of_the_usage_header_are_read(header: str, usage: Usage | None) -> None:
    assert parse_usage(header) == usage


def test_the_share_of_an_unknown_allowance_counts_as_spent() -> None:
    assert Usage(used=1, limit=4).share == 0.25
    assert Usage(used=0, limit=0).share == 1.0


@pytest.mark.parametrize("header", [None, "", "yesterday"])
def test_a_broken_date_is_no_date(header: str | None) -> None:
    assert parse_http_date(header) is None


def test_the_date_of_an_answer_is_an_aware_moment() -> None:
    expected = datetime(2026, 11, 23, 10, tzinfo=UTC)
    assert parse_http_date("Mon, 23 Nov 2026 10:00:00 GMT") == expected
    assert parse_http_date("Mon, 23 Nov 2026 10:00:00 -0000") == expected
    assert parse_http_date("Mon, 23 Nov 2026 11:00:00 +0100") == expected
