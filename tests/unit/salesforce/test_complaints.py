import pytest

from salesforce_bridge.salesforce.complaints import SB_RULE, STALE, complaints_of, refusal


def test_rows_requests_and_logins_name_their_code_differently() -> None:
    assert complaints_of([{"errorCode": "A", "message": "m"}])[0].code == "A"
    assert complaints_of([{"statusCode": "B"}])[0].code == "B"
    login = complaints_of({"error": "invalid_grant", "error_description": "expired"})[0]
    assert (login.code, login.text) == ("invalid_grant", "expired")


@pytest.mark.parametrize("content", [None, "", "<html>", [], [None], [{}], {"errorCode": "a b"}])
def test_what_names_no_code_is_no_complaint(content: object) -> None:
    assert complaints_of(content) == ()


def test_our_own_rule_is_recognised_wherever_it_stands_in_the_list() -> None:
    why = refusal(
        [
            {"statusCode": "REQUIRED_FIELD_MISSING", "message": "x", "fields": ["Name"]},
            {
                "statusCode": "FIELD_CUSTOM_VALIDATION_EXCEPTION",
                "message": "[SB-STOP-PENDING] A stop is waiting on this row",
                "fields": [],
            },
        ]
    )
    assert (why.code, why.rule, why.retryable) == (SB_RULE, "SB-STOP-PENDING", False)


def test_a_foreign_rule_is_not_taken_for_ours() -> None:
    why = refusal(
        [{"statusCode": "FIELD_CUSTOM_VALIDATION_EXCEPTION", "message": "see [SB-X] elsewhere"}]
    )
    assert (why.code, why.rule) == ("FIELD_CUSTOM_VALIDATION_EXCEPTION", None)


def test_a_refusal_quotes_fields_but_never_words() -> None:
    why = refusal(
        [
            {
                "statusCode": "INVALID_EMAIL_ADDRESS",
                "message": "Email: invalid email address: jane@@example.org",
                "fields": ["Email", "not a name", 3],
            }
        ]
    )
    assert why.message == "Salesforce refused the record: INVALID_EMAIL_ADDRESS on Email"
    assert why.digest is not None
    assert len(why.digest) == 64


@pytest.mark.parametrize(
    ("code", "message", "retryable"),
    [
        ("UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access to this record", True),
        ("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "x: System.LimitException: CPU", True),
        ("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "x: UNABLE_TO_LOCK_ROW", True),
        ("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "x: NullPointerException", False),
        ("STRING_TOO_LONG", "UNABLE_TO_LOCK_ROW", False),
        ("ENTITY_IS_DELETED", "entity is deleted", False),
    ],
)
def test_load_is_told_from_logic(code: str, message: str, retryable: bool) -> None:
    assert refusal([{"statusCode": code, "message": message}]).retryable is retryable


def test_a_failed_guard_is_called_stale() -> None:
    why = refusal([{"errorCode": "PRECONDITION_FAILED", "message": "x"}], status=412)
    assert (why.code, why.retryable) == (STALE, False)
    assert refusal("<html>", status=412).code == STALE


def test_a_refusal_without_a_reason_says_so() -> None:
    assert refusal([]).code == "NO_REASON_GIVEN"
    assert refusal("<html>", status=503).retryable
    assert refusal("<html>", status=400).code == "HTTP_400"
