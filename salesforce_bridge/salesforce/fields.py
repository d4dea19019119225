"""Which of our words is which field of the org: the one table that reading, writing and checking share."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from salesforce_bridge.reconcile.intent import Target
from salesforce_bridge.reconcile.words import Basis, Flag, Request, Status


class Kind(StrEnum):
    """How a value travels."""

    TEXT = "TEXT"
    PICKLIST = "PICKLIST"
    MOMENT = "MOMENT"
    FLAG = "FLAG"
    NUMBER = "NUMBER"
    REFERENCE = "REFERENCE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field of the org under our name and under its own."""

    name: str  # as in `ContactFields`, `RowFields` and the snapshots
    api: str
    kind: Kind
    written: bool = True  # by the bridge
    length: int = 0  # the shortest that holds what we write
    values: frozenset[str] = frozenset()  # that a restricted picklist must know


def _text(name: str, api: str, length: int) -> Field:
    return Field(name=name, api=api, kind=Kind.TEXT, length=length)


def _moment(name: str, api: str) -> Field:
    return Field(name=name, api=api, kind=Kind.MOMENT)


def _read_flag(name: str, api: str) -> Field:
    return Field(name=name, api=api, kind=Kind.FLAG, written=False)


def _picklist(name: str, api: str, values: type[StrEnum] | frozenset[str]) -> Field:
    words = values if isinstance(values, frozenset) else frozenset(word.value for word in values)
    return Field(name=name, api=api, kind=Kind.PICKLIST, values=words)


CONTACT_FIELDS = (
    _picklist("lawful_basis", "Lawful_Basis__c", Basis),
    _picklist("consent_status", "Consent_Status__c", Status),
    _text("summary", "Permission_Summary__c", 255),
    _text("reason", "Permission_Reason__c", 255),
    _moment("valid_until", "Permission_Valid_Until__c"),
    _moment("renew_by", "Permission_Renew_By__c"),
    _text("decision", "Permission_Decision__c", 64),
)
CONTACT_FLAGS = (
    Field(name="opted_out_of_email", api=Flag.EMAIL.value, kind=Kind.FLAG),
    Field(name="opted_out_of_fax", api=Flag.FAX.value, kind=Kind.FLAG),
    Field(name="do_not_call", api=Flag.CALL.value, kind=Kind.FLAG),
)
ROW_FIELDS = (
    Field(name="contact_id", api="Contact__c", kind=Kind.REFERENCE),
    _text("purpose", "Purpose__c", 80),
    _picklist("channel", "Channel__c", frozenset()),  # the policy names the channels
    Field(name="marketing", api="Is_Marketing__c", kind=Kind.FLAG),
    _picklist("lawful_basis", "Lawful_Basis__c", Basis),
    _picklist(
        "consent_status",
        "Consent_Status__c",
        frozenset(word.value for word in Status if word is not Status.PARTLY_PERMITTED),
    ),
    _moment("effective_from", "Effective_From__c"),
    _moment("effective_to", "Effective_To__c"),
    _moment("renew_by", "Renew_By__c"),
    _moment("capture_date", "Capture_Date__c"),
    _text("capture_source", "Capture_Source__c", 255),
    _text("notice_version", "Notice_Version__c", 80),
    _text("evidence_ref", "Evidence_Ref__c", 255),
    _text("reason_code", "Reason_Code__c", 80),
    _text("ledger_key", "Ledger_Key__c", 140),
    Field(name="ledger_revision", api="Ledger_Revision__c", kind=Kind.NUMBER),
    _text("ledger_digest", "Ledger_Digest__c", 64),
    _moment("reconciled_at", "Reconciled_At__c"),
)
ROW_REQUEST = (
    _picklist("request", "Requested_Change__c", Request),
    _text("request_handled", "Requested_Change_Handled__c", 80),
)
# People write these, the bridge only reads them.
ROW_NOTES = (
    Field(name="request_note", api="Requested_Change_Note__c", kind=Kind.TEXT, written=False),
    Field(
        name="request_evidence", api="Requested_Change_Evidence__c", kind=Kind.TEXT, written=False
    ),
)
EMAIL_FIELDS = ("Email",)
PHONE_FIELDS = ("Phone", "MobilePhone", "HomePhone", "OtherPhone")
COUNTRY_FIELD = "MailingCountry"
SYSTEM_FIELDS = ("Id", "SystemModstamp", "IsDeleted", "LastModifiedById")
MASTER_FIELD = "MasterRecordId"
PARENT_FIELD = "Contact__c"
KEY_FIELD = "Ledger_Key__c"

HEARTBEAT = "Bridge_Heartbeat__c"
HEARTBEAT_KEY = "Bridge_Key__c"
HEARTBEAT_FIELDS = (
    _text("key", HEARTBEAT_KEY, 1),
    _moment("last_cycle_at", "Last_Cycle_At__c"),
    Field(name="max_staleness_minutes", api="Max_Staleness_Minutes__c", kind=Kind.NUMBER),
)

# The privacy record of a person, in orgs that keep one; only ever read.
INDIVIDUAL = "Individual"
INDIVIDUAL_KEY = "IndividualId"
INDIVIDUAL_FLAGS = (
    _read_flag("should_forget", "ShouldForget"),
    _read_flag("opted_out_processing", "HasOptedOutProcessing"),
    _read_flag("opted_out_solicit", "HasOptedOutSolicit"),
    _read_flag("opted_out_profiling", "HasOptedOutProfiling"),
    _read_flag("opted_out_tracking", "HasOptedOutTracking"),
    _read_flag("opted_out_geo_tracking", "HasOptedOutGeoTracking"),
    _read_flag("wants_a_copy", "SendIndividualData"),
)
# As part of a Contact, for who keeps a Contact's flags is told by the Contact.
INDIVIDUAL_STAMP = (Field(name="modstamp", api="SystemModstamp", kind=Kind.MOMENT, written=False),)
INDIVIDUAL_QUERY = (
    INDIVIDUAL_KEY,
    *(f"{INDIVIDUAL}.{field.api}" for field in (*INDIVIDUAL_FLAGS, *INDIVIDUAL_STAMP)),
)

LEAD = "Lead"
LEAD_KEY = "ConvertedContactId"
LEAD_QUERY = ("Id", LEAD_KEY, *(field.api for field in CONTACT_FLAGS))

CAMPAIGN_MEMBER_FIELDS = (
    Field(name="campaign_id", api="CampaignId", kind=Kind.REFERENCE),
    Field(name="contact_id", api="ContactId", kind=Kind.REFERENCE),
)

CONTACT_QUERY = (
    *SYSTEM_FIELDS,
    MASTER_FIELD,
    *EMAIL_FIELDS,
    *PHONE_FIELDS,
    COUNTRY_FIELD,
    *(field.api for field in (*CONTACT_FLAGS, *CONTACT_FIELDS)),
)
ROW_QUERY = (
    *SYSTEM_FIELDS,
    *(field.api for field in (*ROW_FIELDS, *ROW_REQUEST, *ROW_NOTES)),
)
WRITABLE: Mapping[Target, Mapping[str, Field]] = {
    Target.CONTACT: {field.name: field for field in (*CONTACT_FIELDS, *CONTACT_FLAGS)},
    Target.ROW: {field.name: field for field in (*ROW_FIELDS, *ROW_REQUEST)},
    Target.CAMPAIGN_MEMBER: {field.name: field for field in CAMPAIGN_MEMBER_FIELDS},
}
