"""When the end of a Contact that is nowhere to be found was told already."""

from dataclasses import replace

import pytest

from salesforce_bridge.reconcile.facts import ACTIVE, AMBIGUOUS, CLOSED_SOFT
from tests.unit.reconcile.sightings import POLICY, a_case, a_link, found, told
from tests.unit.reconcile.worlds import a_contact

SHOWN = {"S17": set(POLICY.uses)}


@pytest.mark.parametrize("state", [ACTIVE, CLOSED_SOFT])
def test_the_end_is_told_while_the_link_does_not_say_so_whatever_the_mirror_says(
    state: str,
) -> None:
    gone = replace(a_case(mirror=a_contact(1, deleted=True)), seen=None, link=a_link(state=state))
    assert told(found(gone)) == SHOWN


def test_the_end_of_a_candidate_is_told_until_the_mirror_says_so() -> None:
    gone = replace(a_case(), seen=None, link=a_link(state=AMBIGUOUS))
    assert told(found(gone)) == SHOWN
    assert told(found(replace(gone, mirror=None))) == SHOWN
    assert told(found(replace(gone, mirror=a_contact(1, deleted=True)))) == {}
