"""Uses: what there is to be judged on a Contact, always in the same order."""

from collections.abc import Collection
from operator import attrgetter

from salesforce_bridge.permissions.keys import Use
from salesforce_bridge.permissions.policy import Policy
from salesforce_bridge.reconcile.bench import Bench
from salesforce_bridge.reconcile.facts import Case

_IN_ORDER = attrgetter("purpose", "channel")


def uses_of_case(bench: Bench, case: Case) -> tuple[Use, ...]:
    """List the uses to be judged on a Contact: those everybody has, those decided on, those with a row."""
    policy = bench.policy
    record = bench.record_of(case.contact_id)
    everybody = uses_of_everybody(policy)
    if not record.permissions and not bench.about:
        return everybody
    return in_order_of_uses(
        {
            *everybody,
            *record.permissions,
            *bench.about.get(case.contact_id, ()),
            *bench.rows.get(case.contact_id, ()),
        }
    )


def uses_of_everybody(policy: Policy) -> tuple[Use, ...]:
    """List the uses that are told about everybody: those with a row, and those the Contact speaks of."""
    headline = policy.purposes[policy.headline]
    if headline.visible:
        return policy.uses
    return (*policy.uses, *(Use(purpose=headline.key, channel=each) for each in headline.channels))


def in_order_of_uses(uses: Collection[Use]) -> tuple[Use, ...]:
    """Sort uses as they would sort themselves, only faster."""
    return tuple(sorted(uses, key=_IN_ORDER))
