"""Uses: what there is to be judged on a Contact, always in the same order."""

from collections.abc import Collection, Iterable

from salesforce_bridge.permissions.keys import Use
from salesforce_bridge.permissions.policy import Policy
from salesforce_bridge.reconcile.bench import Bench
from salesforce_bridge.reconcile.facts import Case


def uses_of_case(bench: Bench, case: Case) -> tuple[Use, ...]:
    """List the uses to be judged on a Contact: those everybody has, those decided on, those with a row."""
    record = bench.record_of(case.contact_id)
    if not record.permissions and not bench.about:
        return bench.policy.told
    return uses_told_with(
        bench.policy,
        record.permissions,
        bench.about.get(case.contact_id, ()),
        bench.rows.get(case.contact_id, ()),
    )


def uses_told_with(
    policy: Policy, decided: Collection[Use], *others: Iterable[Use]
) -> tuple[Use, ...]:
    """List the uses that are told about everybody, those decided on for a person, and some more, in order."""
    # The very keys of what was decided are kept, for they are looked up again and again.
    return tuple(sorted({*decided, *policy.told_in_order}.union(*others)))
