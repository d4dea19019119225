"""A chain that is whole may still lack something: the manifests say what should be there."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from salesforce_bridge.audit.chain import Tip, Verdict
from salesforce_bridge.audit.completeness import Inspection, inspect
from tests.support.chains import a_chain, a_header, tip_of

Draft = tuple[Mapping[str, Any], Mapping[str, Any]]


def _decision(reason: str, link_ref: str, *, cycle: int = 1, read: bool = True) -> Draft:
    header = a_header(
        kind="DECISION", reason=reason, link_ref=link_ref, cycle_id=cycle, record_read=read
    )
    return header, {}


def _manifest(records_read: int, decisions: object, *, cycle: int = 1) -> Draft:
    header = a_header(
        kind="MANIFEST", cycle_id=cycle, records_read=records_read, decisions=decisions
    )
    return header, {}


def _inspect(*drafts: Draft) -> Inspection:
    entries = a_chain(drafts)
    return inspect(entries, tip=tip_of(entries))


def test_a_cycle_that_sealed_what_its_manifest_says_is_complete() -> None:
    found = _inspect(
        _decision("A", "one"),
        _decision("B", "one"),
        _decision("A", "two"),
        _decision("A", "three", read=False),
        (a_header(kind="OUTCOME", cycle_id=1), {}),
        (a_header(cycle_id=None), {}),
        _manifest(2, {"A": 3, "B": 1}),
    )
    assert found.intact
    assert (found.entries, found.cycles, found.unfinished) == (7, 1, ())


def test_a_record_without_a_decision_is_missed() -> None:
    found = _inspect(_decision("A", "one"), _manifest(2, {"A": 1}))
    assert found.completeness is not None
    assert found.completeness.what == "cycle 1 read 2 records, but decisions are sealed for 1"
    assert not found.intact


def test_a_reason_counted_wrongly_is_named() -> None:
    found = _inspect(_decision("A", "one"), _manifest(1, {"A": 1, "B": 2}))
    assert found.completeness is not None
    assert "2 decisions B, but 0 are sealed" in found.completeness.what


def test_a_manifest_that_counts_nothing_at_all_is_not_believed() -> None:
    found = _inspect(_decision("A", "one"), _manifest(1, None))
    assert found.completeness is not None
    assert "0 decisions A, but 1 are sealed" in found.completeness.what


def test_a_decision_after_the_manifest_is_named() -> None:
    found = _inspect(_manifest(0, {}), _decision("A", "one"))
    assert found.completeness is not None
    assert (found.completeness.verdict, found.completeness.seq) == (Verdict.COMPLETENESS, 2)


def test_a_cycle_without_a_manifest_is_unfinished_and_no_break() -> None:
    found = _inspect(_decision("A", "one", cycle=7), _manifest(0, {}, cycle=8))
    assert found.unfinished == (7,)
    assert found.intact


def test_verdicts_are_given_apart() -> None:
    entries = a_chain([_decision("A", "one"), _manifest(1, {"A": 1}), (a_header(), {})])
    altered = (replace(entries[0], payload=b"{ }"), *entries[1:])
    found = inspect(altered, tip=tip_of(entries))
    assert (found.content is not None, found.order, found.completeness) == (True, None, None)
    cut = inspect(entries[:2], tip=tip_of(entries))
    assert (cut.content, cut.order is not None, cut.completeness) == (None, True, None)


def test_only_the_first_break_of_a_verdict_is_named() -> None:
    entries = a_chain([(a_header(ref=str(n)), {}) for n in range(4)])
    found = inspect([entries[0], entries[2], entries[3], entries[1]], tip=Tip(seq=9, last_hash=""))
    assert found.order is not None
    assert found.order.seq == 3


def test_unreadable_and_forgotten_entries_are_counted() -> None:
    entries = a_chain([(a_header(ref=str(n)), {}) for n in range(2)])
    found = inspect(
        [
            replace(entries[0], payload=None, nonce=None, shredded=True),
            replace(entries[1], header=b"?"),
        ]
    )
    assert (found.entries, found.shredded) == (2, 1)
    assert found.content is not None
    assert found.content.seq == 2


def test_an_empty_chain_is_intact() -> None:
    assert inspect([]).intact
