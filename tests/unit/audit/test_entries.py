"""Headers are for everybody, payloads are about a person; nothing personal is in a header."""

from datetime import UTC, datetime

from salesforce_bridge.audit import entries
from salesforce_bridge.audit.canonical import canonical
from salesforce_bridge.audit.entries import Pseudonym
from tests.support.facts import NOON, a_decision, contact_id

PERSON = Pseudonym(subject_key="sk_1", salt="salt")


def test_the_header_of_a_decision_names_neither_the_contact_nor_the_actor() -> None:
    judged = a_decision(observed={"valid_until": (None, NOON)})
    draft = entries.decision(
        judged, person=PERSON, link_ref="ref", record_read=True, frame={"org_id": "00D"}
    )
    header = canonical(draft.header)
    assert contact_id(1).encode() not in header
    assert b"005000000000001AAA" not in header
    assert judged.subject_id.encode() not in header
    assert draft.payload["contact_id"] == contact_id(1)
    assert draft.payload["observed"] == {"valid_until": [None, "2026-03-02T12:00:00.000Z"]}


def test_a_record_is_named_so_that_it_can_be_counted_but_not_looked_up() -> None:
    ref = PERSON.link_ref(contact_id(1))
    assert ref == PERSON.link_ref(contact_id(1))
    assert ref != Pseudonym(subject_key="sk_1", salt="other").link_ref(contact_id(1))
    assert contact_id(1) not in ref


def test_the_header_of_an_outcome_names_the_result_and_no_record() -> None:
    draft = entries.outcome(
        write_id="w",
        result="refused",
        code="FIELD_CUSTOM_VALIDATION_EXCEPTION",
        target="Contact",
        verb="UPDATE",
        lane=0,
        decision_id="d",
        subject_key="sk_1",
        record={"contact_id": contact_id(1)},
        fields={"valid_until": datetime(2026, 1, 1, tzinfo=UTC)},
        frame={"cycle_id": 1},
    )
    assert draft.header["result"] == "refused"
    assert contact_id(1).encode() not in canonical(draft.header)
    assert draft.payload["fields"] == {"valid_until": "2026-01-01T00:00:00.000Z"}


def test_a_manifest_is_about_nobody() -> None:
    draft = entries.manifest(
        cycle_id=7,
        records_read=1,
        seen_again=0,
        decisions={"A": 1},
        outcomes={},
        errors=0,
        calls=1,
        clean=True,
        cursors={"before": None},
        frame={},
    )
    assert draft.payload == {}
    assert (draft.header["ref"], draft.header["subject_key"]) == ("7", None)


def test_who_did_a_deed_goes_with_the_payload() -> None:
    draft = entries.deed(
        ref="deed-1",
        verb="IMPORT",
        reason="IMPORTED",
        subject_key=None,
        by="anna",
        approved_by="ben",
        details={"file": "x"},
        frame={},
    )
    assert b"anna" not in canonical(draft.header)
    assert draft.payload == {"by": "anna", "approved_by": "ben", "file": "x"}
