"""Silences: what is shown where the ledger holds nothing, which is most of what there is to show."""

from collections.abc import Iterable
from datetime import datetime

from salesforce_bridge.permissions.keys import Use
from salesforce_bridge.permissions.obstacles import is_in_the_way
from salesforce_bridge.permissions.policy import Policy
from salesforce_bridge.reconcile.facts import ContactSnapshot, SubjectRecord
from salesforce_bridge.reconcile.standing import Standing, standing_of


class Silences:
    """What is shown for uses of which nothing is held, for people in whose way nothing stands.

    It depends on the use, the place and the link alone, so one plan works it out once for each; with
    `one_by_one` for everybody anew, which gives the same and takes longer.
    """

    def __init__(self, *, policy: Policy, at: datetime, one_by_one: bool) -> None:
        self._policy = policy
        self._at = at
        self._one_by_one = one_by_one
        self._known: dict[tuple[Use, str, str, str], Standing] = {}

    def standings(
        self, record: SubjectRecord, uses: Iterable[Use], *, contact: ContactSnapshot, state: str
    ) -> tuple[Standing, ...]:
        """Project uses of one person's data onto one Contact, linked in a certain state."""
        silent = not self._one_by_one and _is_silent(record)
        found: list[Standing] = []
        for use in uses:
            held = not silent or use in record.permissions
            place = (use, record.jurisdiction, record.subject_class, state)
            standing = None if held else self._known.get(place)
            if standing is None:
                standing = standing_of(
                    record,
                    use,
                    contact=contact,
                    link_state=state,
                    policy=self._policy,
                    at=self._at,
                )
                if not held:
                    self._known[place] = standing
            found.append(standing)
        return tuple(found)


def _is_silent(record: SubjectRecord) -> bool:
    """Say whether nothing is known of a person that is about more than the very uses decided on."""
    return not (
        record.stops
        or record.suppressions
        or record.candidates
        or record.hold
        or record.erased
        or any(map(is_in_the_way, record.conditions))
    )
