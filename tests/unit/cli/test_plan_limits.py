"""`apply --beyond-limits`: room for the plan that was approved, and for nothing else."""

from dataclasses import replace

from salesforce_bridge.cli.plan import with_room_for
from salesforce_bridge.permissions.keys import ContactId
from salesforce_bridge.reconcile.plan import Change
from tests.support.facts import a_policy

POLICY = a_policy()
TIGHT = replace(POLICY, limits=replace(POLICY.limits, loosen_max=1, change_max=2))
APPROVED = Change(
    loosened=3, contacts=frozenset(ContactId(f"003{number:015}") for number in range(5))
)


def test_an_approved_plan_raises_the_limits_to_what_it_counts_and_no_further() -> None:
    limits = with_room_for(APPROVED, TIGHT).limits
    assert (limits.loosen_max, limits.change_max) == (3, 5)
    assert replace(limits, loosen_max=1, change_max=2) == TIGHT.limits


def test_an_approved_plan_within_the_limits_does_not_lower_them() -> None:
    roomy = replace(TIGHT, limits=replace(TIGHT.limits, loosen_max=50, change_max=60))
    assert with_room_for(APPROVED, roomy) == roomy
