"""Identities: what is spoken about, and never mixed up."""

from typing import NamedTuple, NewType

SubjectId = NewType("SubjectId", str)
ContactId = NewType("ContactId", str)  # 18 characters
RowId = NewType("RowId", str)  # of a Permission__c, 18 characters
OrgId = NewType("OrgId", str)  # 18 characters
ControllerKey = NewType("ControllerKey", str)
PurposeKey = NewType("PurposeKey", str)
Channel = NewType("Channel", str)  # as the policy names it: EMAIL, POST, …

# Stands for "every marketing purpose" or "every channel" in a stop that is wider than one key.
ANY_PURPOSE = PurposeKey("*")
ANY_CHANNEL = Channel("*")


class Use(NamedTuple):
    """What a permission is about, once the person and the controller are known.

    A tuple, because it is looked up dozens of times for every person who is judged.
    """

    purpose: PurposeKey
    channel: Channel
