"""Rows that name nothing the policy knows: marked for whoever corrects them, and gone with an erased person."""

from dataclasses import replace
from typing import Any

import pytest

from salesforce_bridge.reconcile.intent import Target, Verb
from tests.unit.reconcile.worlds import World, subject_id

MARKED: dict[str, Any] = {"consent_status": "Limited", "reason_code": "PERM_UNMAPPABLE_HELD"}


@pytest.mark.parametrize(
    ("erased", "verb", "fields"), [(False, Verb.UPDATE, MARKED), (True, Verb.DELETE, {})]
)
def test_a_row_that_names_nothing_known_is_marked_or_goes_with_whoever_was_erased(
    erased: bool, verb: Verb, fields: dict[str, Any]
) -> None:
    world = World()
    world.meet(1)
    if erased:
        nothing = replace(world.records[subject_id(1)], erased=True, permissions={}, points=())
        world.records[subject_id(1)] = nothing
        world.settle()
    row = world.add_row(purpose="astrology", channel="PIGEON")
    (write,) = [each for each in world.plan().writes if each.record_id == row]
    assert (write.target, write.verb) == (Target.ROW, verb)
    assert write.fields == fields
