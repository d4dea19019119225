"""Errors: sorted by what to do about them, each with a way out."""

import inspect

import pytest

from salesforce_bridge import errors
from salesforce_bridge.errors import BridgeError, CannotStart, HaltWrites, RetryLater, SkipRecord

POLICIES = (RetryLater, SkipRecord, HaltWrites, CannotStart)


@pytest.mark.parametrize("policy", POLICIES)
def test_every_failure_tells_what_happened_and_what_to_run(policy: type[BridgeError]) -> None:
    error = policy("The org is another one.", hint="salesforce-bridge doctor")
    assert str(error) == error.message == "The org is another one."
    assert error.hint == "salesforce-bridge doctor"


def test_no_failure_can_be_made_without_a_hint() -> None:
    assert inspect.signature(BridgeError).parameters["hint"].default is inspect.Parameter.empty


def test_the_policies_do_not_overlap() -> None:
    for policy in POLICIES:
        assert [other for other in POLICIES if issubclass(policy, other)] == [policy]


def test_there_are_four_policies_and_no_fifth() -> None:
    found = {
        kind
        for _, kind in inspect.getmembers(errors, inspect.isclass)
        if issubclass(kind, BridgeError)
    }
    assert found == {BridgeError, *POLICIES}
