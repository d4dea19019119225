"""The words that Salesforce shows, one vocabulary for Contact and row."""

from enum import StrEnum


class Status(StrEnum):
    """`Consent_Status__c`."""

    PERMITTED = "Permitted"
    PARTLY_PERMITTED = "Partly permitted"  # on a Contact only
    ASKED = "Asked"
    NOT_ASKED = "Not asked"
    STOPPED = "Stopped"
    LAPSED = "Lapsed"
    LIMITED = "Limited"


class Basis(StrEnum):
    """`Lawful_Basis__c`."""

    CONSENT = "Consent"
    CONTRACT = "Contract"
    LEGAL_OBLIGATION = "Legal obligation"
    VITAL_INTEREST = "Vital interests"
    PUBLIC_TASK = "Public task"
    LEGITIMATE_INTEREST = "Legitimate interests"
    RECOGNISED_LEGITIMATE_INTEREST = "Recognised legitimate interests"


class Request(StrEnum):
    """`Requested_Change__c`: what a person asks of the bridge on a row."""

    STOP = "Asked us to stop"
    OBJECTS = "Objects"
    GRANT = "Gave permission"


STOP_REQUESTS = frozenset({Request.STOP.value, Request.OBJECTS.value})


class Flag(StrEnum):
    """The standard opt-out flags of a Contact."""

    EMAIL = "HasOptedOutOfEmail"
    FAX = "HasOptedOutOfFax"
    CALL = "DoNotCall"
