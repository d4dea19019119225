import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from salesforce_bridge.permissions.contact_points import PointKeys, PointType, contact_point
from salesforce_bridge.permissions.keys import Channel, ContactId, ControllerKey, PurposeKey, Use
from salesforce_bridge.permissions.proofs import Token, issue
from salesforce_bridge.reconcile.facts import ContactFields, RowFields, RowSnapshot
from salesforce_bridge.reconcile.intent import Target, Value, Verb, Write
from salesforce_bridge.salesforce.faults import RecordMalformed
from salesforce_bridge.salesforce.fields import CONTACT_QUERY, INDIVIDUAL_FLAGS, ROW_QUERY, Field
from salesforce_bridge.salesforce.records import (
    combined_leads,
    http_date,
    long_id,
    parse_contact,
    parse_lead,
    parse_moment,
    parse_row,
    parse_stamp,
    render,
    render_for_collection,
    render_moment,
    soql_moment,
    soql_text,
    soql_texts,
)
from tests.unit.salesforce.scripted import AT, KEYS, a_write, contact_id, stamp

# What the org can hold: no empty text, seconds, no blank checkbox.
texts = st.none() | st.text(st.characters(codec="utf-8"), min_size=1, max_size=40)
moments = st.none() | st.datetimes(timezones=st.just(UTC)).map(
    lambda moment: moment.replace(microsecond=moment.microsecond // 1000 * 1000)
)
ids = st.none() | st.integers(0, 10**9).map(contact_id)
contact_facts = st.builds(
    ContactFields,
    lawful_basis=texts,
    consent_status=texts,
    summary=texts,
    reason=texts,
    valid_until=moments,
    renew_by=moments,
    decision=texts,
)
row_facts = st.builds(
    RowFields,
    contact_id=ids,
    purpose=texts,
    channel=texts,
    marketing=st.booleans(),
    lawful_basis=texts,
    consent_status=texts,
    effective_from=moments,
    effective_to=moments,
    renew_by=moments,
    capture_date=moments,
    capture_source=texts,
    notice_version=texts,
    evidence_ref=texts,
    reason_code=texts,
    ledger_key=texts,
    ledger_revision=st.none() | st.integers(0, 10**15),
    ledger_digest=texts,
    reconciled_at=moments,
)


def values_of(facts: ContactFields | RowFields) -> dict[str, Value]:
    return {name: getattr(facts, name) for name in facts.__dataclass_fields__}


FLAGS = ("HasOptedOutOfEmail", "HasOptedOutOfFax", "DoNotCall")


def contact_row(**given: object) -> dict[str, object]:
    row: dict[str, object] = dict.fromkeys(CONTACT_QUERY)
    return {**row, **dict.fromkeys(FLAGS, False), **stamp(contact_id(1)), **given}


def individual_row(**flags: object) -> dict[str, object]:
    """A Contact with its privacy record."""
    none = dict.fromkeys((field.api for field in INDIVIDUAL_FLAGS), False)
    told = {**none, "SystemModstamp": "2026-06-01T13:00:00.000+0000", **flags}
    return contact_row(IndividualId="0PK000000000001", Individual=told)


def permission_row(**given: object) -> dict[str, object]:
    row: dict[str, object] = dict.fromkeys(ROW_QUERY)
    return {**row, "Is_Marketing__c": False, **stamp("a00000000000001AAA"), **given}


def contact(**given: object) -> Mapping[str, object]:
    return contact_row(**given)


def read_row(row: Mapping[str, object]) -> RowSnapshot:
    return parse_row(row, keys=KEYS, default_country="DE", proof_keys={})


@given(contact_facts)
def test_a_contact_reads_back_as_it_was_written(facts: ContactFields) -> None:
    write = a_write(1, fields=values_of(facts))
    read = parse_contact(contact_row(**render(write)), keys=KEYS, default_country="DE")
    assert read.fields == facts


@given(row_facts)
def test_a_row_reads_back_as_it_was_written(facts: RowFields) -> None:
    write = a_write(1, verb=Verb.UPSERT, target=Target.ROW, fields=values_of(facts))
    assert read_row(permission_row(**render(write))).fields == facts


@given(st.booleans(), st.booleans(), st.booleans())
def test_the_standard_flags_read_back_as_they_were_written(
    email: bool, fax: bool, call: bool
) -> None:
    flags = {"opted_out_of_email": email, "opted_out_of_fax": fax, "do_not_call": call}
    read = parse_contact(
        contact_row(**render(a_write(1, fields=flags))), keys=KEYS, default_country="DE"
    )
    assert (read.opted_out_of_email, read.opted_out_of_fax, read.do_not_call) == (email, fax, call)


@given(texts, texts)
def test_a_request_and_its_answer_read_back_as_they_were_written(
    request: str | None, handled: str | None
) -> None:
    write = a_write(1, target=Target.ROW, fields={"request": request, "request_handled": handled})
    read = read_row(permission_row(**render(write)))
    assert (read.request, read.request_handled) == (request, handled)


@given(moments.filter(lambda moment: moment is not None))
def test_a_moment_reads_back_as_it_was_written(moment: datetime) -> None:
    assert parse_moment(render_moment(moment)) == moment
    assert parse_moment(soql_moment(moment)) == moment


def test_moments_travel_in_the_form_of_the_org_and_in_utc() -> None:
    berlin = AT.astimezone(timezone(timedelta(hours=1)))
    assert render_moment(berlin) == "2026-11-23T10:00:00.000+0000"
    assert soql_moment(berlin) == "2026-11-23T10:00:00Z"
    assert soql_moment(AT + timedelta(milliseconds=7)) == "2026-11-23T10:00:00.007Z"
    assert http_date(berlin) == "Mon, 23 Nov 2026 10:00:00 GMT"
    assert parse_moment("2026-11-23T11:00:00.000+0100") == AT


def test_a_moment_without_an_offset_is_refused() -> None:
    with pytest.raises(ValueError, match="offset"):
        parse_moment("2026-11-23T10:00:00")


def test_a_text_cannot_break_out_of_its_literal() -> None:
    assert soql_text("O'Brien\\ OR Id != null\n") == "'O\\'Brien\\\\ OR Id != null\\n'"
    assert soql_texts(("a", "b'")) == "('a','b\\'')"


def test_short_ids_get_the_suffix_that_keeps_their_capitals_apart() -> None:
    assert long_id("00D000000000001") == "00D000000000001EAA"
    assert long_id("001A0000006Vm9r") == "001A0000006Vm9rIAC"
    assert long_id("001A0000006Vm9rIAC") == "001A0000006Vm9rIAC"


def test_addresses_become_sorted_fingerprints_without_doubles() -> None:
    snapshot = parse_contact(
        contact(
            Email="Jane@Example.org",
            Phone="+49 30 901820",
            MobilePhone="030 901820",
            HomePhone=" ",
            OtherPhone="+49 171 1234567",
            MailingCountry="Germany",
        ),
        keys=KEYS,
        default_country="DE",
    )
    expected = {
        contact_point(kind, text, keys=KEYS, default_country="DE")
        for kind, text in (
            (PointType.EMAIL, "Jane@Example.org"),
            (PointType.PHONE, "+49 30 901820"),
            (PointType.PHONE, "+49 171 1234567"),
        )
    }
    assert set(snapshot.points) == expected
    assert list(snapshot.points) == sorted(snapshot.points)
    assert snapshot.country == "Germany"
    assert "ane@" not in repr(snapshot)


def test_a_merged_contact_names_the_one_that_stayed() -> None:
    snapshot = parse_contact(
        contact(
            IsDeleted=True, MasterRecordId="003000000000002", LastModifiedById="005" + "0" * 12
        ),
        keys=KEYS,
        default_country="DE",
    )
    assert snapshot.deleted
    assert snapshot.master_id == ContactId("003000000000002AAA")
    assert snapshot.modified_by == "005000000000000AAA"


def test_of_a_note_only_its_fingerprint_is_kept() -> None:
    snapshot = read_row(
        permission_row(
            Requested_Change_Note__c="Jane said stop", Requested_Change_Evidence__c="call 7"
        )
    )
    assert snapshot.request_note == hashlib.sha256(b"Jane said stop").hexdigest()
    assert snapshot.request_evidence == "call 7"
    assert "Jane" not in repr(snapshot)
    assert read_row(permission_row()).request_note is None


def test_a_whole_number_may_come_with_a_decimal_point() -> None:
    assert read_row(permission_row(Ledger_Revision__c=5.0)).fields.ledger_revision == 5


def test_an_empty_text_counts_as_none() -> None:
    assert read_row(permission_row(Purpose__c="")).fields.purpose is None
    blank = a_write(1, target=Target.ROW, fields={"purpose": "", "marketing": None})
    assert render(blank) == {"Purpose__c": None, "Is_Marketing__c": False}


@pytest.mark.parametrize(
    "broken",
    [
        {"Id": None},
        {"Id": 7},
        {"SystemModstamp": None},
        {"SystemModstamp": "yesterday for jane"},
        {"SystemModstamp": "2026-11-23T10:00:00"},
        {"IsDeleted": "no"},
        {"IsDeleted": None},
        {"Purpose__c": ["jane"]},
        {"Ledger_Revision__c": 1.5},
        {"Ledger_Revision__c": True},
        {"Ledger_Revision__c": "7"},
    ],
)
def test_a_record_that_is_not_what_its_type_says_is_named_without_its_values(
    broken: Mapping[str, object],
) -> None:
    with pytest.raises(RecordMalformed) as caught:
        read_row(permission_row(**broken))
    assert next(iter(broken)) in caught.value.message
    assert "jane" not in caught.value.message
    assert caught.value.table == "Permission__c"


def test_a_field_that_did_not_come_back_is_not_taken_for_blank() -> None:
    row = permission_row()
    del row["Consent_Status__c"]
    with pytest.raises(RecordMalformed, match="Consent_Status__c"):
        read_row(row)


def test_a_stamp_knows_merges_only_where_they_were_asked_for() -> None:
    assert parse_stamp("Permission__c", stamp("a00000000000001AAA")).master_id is None
    merged = {**stamp(contact_id(1), deleted=True), "MasterRecordId": "003000000000002"}
    assert parse_stamp("Contact", merged).master_id == "003000000000002AAA"


def test_an_upsert_names_its_record_by_key_and_an_update_by_id() -> None:
    upsert = render_for_collection(a_write(1, verb=Verb.UPSERT, target=Target.ROW))
    assert upsert["Ledger_Key__c"] == f"{contact_id(1)}:news:EMAIL"
    assert "id" not in upsert
    update = render_for_collection(a_write(1))
    assert update == {
        "attributes": {"type": "Contact"},
        "id": contact_id(1),
        "Consent_Status__c": "Stopped",
    }


def test_a_field_the_bridge_does_not_write_cannot_be_written() -> None:
    write: Write = a_write(1, target=Target.ROW, fields={"request_note": "x"})
    with pytest.raises(KeyError):
        render(write)


@given(st.lists(st.sampled_from(INDIVIDUAL_FLAGS), unique=True))
def test_every_flag_of_a_privacy_record_is_read(raised: list[Field]) -> None:
    row = individual_row(**{field.api: True for field in raised})
    read = parse_contact(row, keys=KEYS, default_country="DE").individual
    assert read is not None
    assert read.individual_id == "0PK000000000001GAA"
    assert read.modstamp == datetime(2026, 6, 1, 13, tzinfo=UTC)
    for field in INDIVIDUAL_FLAGS:
        assert getattr(read, field.name) is (field in raised)


@pytest.mark.parametrize(
    "seen",
    [
        {},
        {"IndividualId": None, "Individual": None},
        {"IndividualId": "0PK000000000001", "Individual": None},  # there, and not for us to see
    ],
)
def test_a_contact_may_have_no_privacy_record(seen: Mapping[str, object]) -> None:
    read = parse_contact(contact_row(**seen), keys=KEYS, default_country="DE")
    assert read.individual is None


def test_a_flag_of_a_privacy_record_that_is_no_flag_spoils_the_contact() -> None:
    with pytest.raises(RecordMalformed, match="ShouldForget"):
        parse_contact(individual_row(ShouldForget="yes"), keys=KEYS, default_country="DE")


def test_several_leads_of_one_contact_add_their_stops_up() -> None:
    def lead(number: int, **flags: bool) -> Mapping[str, object]:
        whose = {"Id": f"00Q00000000000{number}AAA", "ConvertedContactId": "003000000000002"}
        return {**dict.fromkeys(FLAGS, False), **whose, **flags}

    leads = [parse_lead(lead(2, DoNotCall=True)), parse_lead(lead(1, HasOptedOutOfEmail=True))]
    (owner, flags), *rest = combined_leads(leads).items()
    assert (owner, rest) == ("003000000000002AAA", [])
    assert flags.lead_id == "00Q000000000001AAA"
    assert (flags.opted_out_of_email, flags.opted_out_of_fax, flags.do_not_call) == (
        True,
        False,
        True,
    )


def test_addresses_are_also_known_under_keys_that_are_being_replaced() -> None:
    old = KEYS
    new = PointKeys(current=2, keys={1: b"k" * 32, 2: b"n" * 32}, controller=ControllerKey("acme"))
    row = contact(Email="Jane@Example.org", Phone="+49 30 901820")
    before = parse_contact(row, keys=old, default_country="DE")
    after = parse_contact(row, keys=new, default_country="DE")
    assert before.older == ()
    assert after.older == before.points
    assert {each.key_version for each in after.points} == {2}


PROOF_KEYS = {"double_opt_in": b"p" * 32}
ADDRESS = "jane.doe@example.org"


def a_token(**changes: Any) -> str:
    parts: dict[str, Any] = {
        "kind": "double_opt_in",
        "id": "click-7",
        "happened_at": AT,
        "notice_id": "consent-en-1",
        "use": Use(purpose=PurposeKey("news"), channel=Channel("EMAIL")),
        "address": ADDRESS,
    }
    key = changes.pop("key", PROOF_KEYS["double_opt_in"])
    return issue(Token(**{**parts, **changes}), key)


def row_with(evidence: str, proof_keys: Mapping[str, bytes] = PROOF_KEYS) -> RowSnapshot:
    row = permission_row(Requested_Change_Evidence__c=evidence)
    return parse_row(row, keys=KEYS, default_country="DE", proof_keys=proof_keys)


def test_a_token_that_verifies_is_a_proof_bound_to_an_address_nobody_can_read() -> None:
    read = row_with(f" {a_token()} ")
    assert read.request_evidence == "token:click-7"
    assert read.proof is not None
    assert (read.proof.id, read.proof.kind, read.proof.happened_at) == (
        "click-7",
        "double_opt_in",
        AT,
    )
    point = contact_point(PointType.EMAIL, ADDRESS, keys=KEYS, default_country="DE")
    assert point is not None
    assert read.proof.point == point.exact
    assert "jane" not in repr(read)


@pytest.mark.parametrize(
    ("evidence", "proof_keys"),
    [
        (a_token(key=b"f" * 32), PROOF_KEYS),
        (a_token().replace("news", "news2"), PROOF_KEYS),
        (a_token(), {}),
        (a_token(), {"portal": PROOF_KEYS["double_opt_in"]}),
        ("sb1.half a token", PROOF_KEYS),
    ],
)
def test_a_token_that_does_not_verify_is_a_reference_without_its_address(
    evidence: str, proof_keys: Mapping[str, bytes]
) -> None:
    read = row_with(evidence, proof_keys)
    assert read.proof is None
    assert read.request_evidence is not None
    assert read.request_evidence.startswith("token-not-verified:")
    assert read == row_with(evidence, proof_keys)
    assert len(read.request_evidence) < 40


def test_a_reference_that_is_no_token_stays_as_it_was_typed() -> None:
    assert row_with("call 7, folder sb1.x").request_evidence == "call 7, folder sb1.x"


def test_a_campaign_member_is_made_without_an_id() -> None:
    write = a_write(
        1,
        verb=Verb.INSERT,
        target=Target.CAMPAIGN_MEMBER,
        fields={"campaign_id": "701000000000001AAA", "contact_id": contact_id(1)},
    )
    assert render_for_collection(write) == {
        "attributes": {"type": "CampaignMember"},
        "CampaignId": "701000000000001AAA",
        "ContactId": contact_id(1),
    }
