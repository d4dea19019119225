"""Dossiers: what a write of unknown outcome would have made is laid beside what is seen."""

from typing import Any

import pytest

from salesforce_bridge.permissions.keys import ContactId
from salesforce_bridge.reconcile.dossiers import assemble
from salesforce_bridge.reconcile.facts import RowFields
from salesforce_bridge.reconcile.intent import Lane, Target, Verb, Write
from tests.unit.reconcile.worlds import (
    NEWS_BY_EMAIL,
    World,
    a_row,
    contact_id,
    decisions_on,
    kinds,
    subject_id,
)

ANN = contact_id(1)
KEY = f"{ANN}:direct_marketing:EMAIL"


def making(world: World, **said: str) -> None:
    """A row was to be made for Ann, and nobody heard what came of it."""
    world.pending = (
        Write(
            id="make",
            lane=Lane.TIGHTEN,
            verb=Verb.UPSERT,
            target=Target.ROW,
            contact_id=ANN,
            record_id=None,
            ledger_key=KEY,
            fields={
                "contact_id": ANN,
                "purpose": "direct_marketing",
                "channel": "EMAIL",
                "consent_status": "Not asked",
                **said,
            },
            decision_id="decision",
            subject_id=subject_id(1),
        ),
    )


def test_a_row_that_was_made_unheard_would_hold_what_was_written_and_nothing_that_people_type() -> (
    None
):
    world = World()
    world.meet(1)
    world.rows.clear()
    world.row_mirrors.clear()
    seen = a_row(
        9,
        consent_status="Not asked",
        ledger_key=KEY,
        evidence_ref="letter 7",
        request="Asked us to stop",
        request_note="ab" * 32,
        request_evidence="letter 7",
        request_handled="Objects",
    )
    world.rows[seen.row_id] = seen
    making(world)
    (case,) = assemble(world.sight())[0].cases
    (row,) = case.rows
    (made,) = row.asked
    assert (made.row_id, made.deleted) == (seen.row_id, False)
    assert made.fields == RowFields(
        contact_id=ANN,
        purpose="direct_marketing",
        channel="EMAIL",
        consent_status="Not asked",
        ledger_key=KEY,
    )
    typed = (made.request, made.request_note, made.request_evidence, made.request_handled)
    assert typed == (None, None, None, None)


def test_a_no_typed_on_a_row_before_anybody_heard_that_it_was_made_is_heard() -> None:
    world = World()
    world.meet(1)
    world.rows.clear()
    world.row_mirrors.clear()
    making(world)
    world.add_row(
        consent_status="Not asked", ledger_key=KEY, request="Asked us to stop", use=NEWS_BY_EMAIL
    )
    plan = world.cycle()
    assert {each.reason for each in decisions_on(plan, "S04")} == {"STOP_HONOURED"}
    assert [kind for kind, *_ in kinds(plan)] == ["WITHDRAW"]


@pytest.mark.parametrize(
    ("said", "remembered", "is_told"),
    [
        ({}, ANN, False),
        ({"ledger_key": KEY}, None, False),
        ({"of": 1}, None, False),
        ({}, None, True),
    ],
)
def test_a_row_is_nobodys_only_if_nothing_says_whose_it_is(
    said: dict[str, Any], remembered: ContactId | None, is_told: bool
) -> None:
    world = World()
    world.meet(1)
    row = a_row(9, **({"of": None} | said))
    world.rows[row.row_id] = row
    if remembered is not None:
        world.row_owners[row.row_id] = remembered
    nobodys = [each.row_id for each in world.plan().decisions if not each.contact_id]
    assert nobodys == ([row.row_id] if is_told else [])
