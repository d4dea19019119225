"""The standard objects that not every org has: privacy records, and campaigns with their members."""

from dataclasses import replace

from salesforce_bridge.simulator.schema import Field, ObjectType
from salesforce_bridge.simulator.standard_fields import (
    by_name,
    choice,
    flag,
    lookup,
    merged_into,
    owner_field,
    person_name,
    preselected,
    system_field,
    system_fields,
    text,
)


def individual() -> ObjectType:
    """The privacy record of a person, there only where Data Protection and Privacy is on."""
    return ObjectType(
        name="Individual",
        label="Individual",
        label_plural="Individuals",
        key_prefix="0PK",
        mergeable=True,
        fields=by_name(
            (
                *system_fields(),
                merged_into("Individual"),
                *person_name(),
                owner_field(),
                *(flag(name, label) for name, label in _PREFERENCES),
                Field(name="BirthDate", label="Birth Date", type="date"),
                Field(name="DeathDate", label="Death Date", type="date"),
                choice("IndividualsAge", "Individual's Age", "13 or Older", "16 or Older"),
            )
        ),
    )


def campaign() -> ObjectType:
    """What people are approached for together."""
    return ObjectType(
        name="Campaign",
        label="Campaign",
        label_plural="Campaigns",
        key_prefix="701",
        fields=by_name(
            (
                *system_fields(),
                text("Name", "Name", 80, required=True, name_field=True),
                lookup("ParentId", "Parent Campaign ID", "Campaign", "Parent", "ChildCampaigns"),
                choice("Type", "Type", "Conference", "Email", "Telemarketing", "Other"),
                choice("Status", "Status", "Planned", "In Progress", "Completed", "Aborted"),
                Field(name="StartDate", label="Start Date", type="date"),
                Field(name="EndDate", label="End Date", type="date"),
                flag("IsActive", "Active"),
                text("Description", "Description", 32_000, kind="textarea"),
                owner_field(),
            )
        ),
    )


def campaign_member() -> ObjectType:
    """One person in one campaign: a Contact or a Lead, never twice."""
    return ObjectType(
        name="CampaignMember",
        label="Campaign Member",
        label_plural="Campaign Members",
        key_prefix="00v",
        fields=by_name(
            (
                *system_fields(),
                _membership("CampaignId", "Campaign", needed=True),
                _membership("ContactId", "Contact"),
                _membership("LeadId", "Lead"),
                preselected("Status", "Status", "Sent", "Responded"),
                system_field("HasResponded", "Responded", "boolean"),
            )
        ),
        one_of=("ContactId", "LeadId"),
        unique_together=(("ContactId", "CampaignId"), ("LeadId", "CampaignId")),
        duplicate_message="Already a campaign member.",
        rights_of="Campaign",
    )


_PREFERENCES = (
    ("HasOptedOutProcessing", "Don't Process"),
    ("HasOptedOutProfiling", "Don't Profile"),
    ("HasOptedOutSolicit", "Don't Market"),
    ("HasOptedOutTracking", "Don't Track"),
    ("HasOptedOutGeoTracking", "Block Geolocation Tracking"),
    ("ShouldForget", "Forget this Individual"),
    ("SendIndividualData", "Export Individual's Data"),
    ("CanStorePiiElsewhere", "OK to Store PII Data Elsewhere"),
    ("HasPrivacyHold", "Privacy Hold"),
)


def _membership(name: str, parent: str, *, needed: bool = False) -> Field:
    """A reference that is given once, and takes the member along when its record goes."""
    field = lookup(name, f"{parent} ID", parent, parent, "CampaignMembers")
    return replace(
        field,
        nillable=not needed,
        updateable=False,
        permissionable=False,
        delete_constraint="Cascade",
    )
