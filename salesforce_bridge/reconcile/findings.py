"""Findings: the names of all situations, in the order in which they are acted on, and where one was found."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from salesforce_bridge.permissions.keys import Channel, ContactId, RowId, Use
from salesforce_bridge.permissions.proofs import Proof
from salesforce_bridge.reconcile.intent import Value


class Situation(StrEnum):
    """What happened. The names are permanent."""

    S01_UNCHANGED = "S01_UNCHANGED"
    S02_OWN_ECHO = "S02_OWN_ECHO"
    S03_LEDGER_AHEAD = "S03_LEDGER_AHEAD"
    S04_CRM_STOP = "S04_CRM_STOP"
    S05_CRM_GRANT_VERIFIED_LATER = "S05_CRM_GRANT_VERIFIED_LATER"
    S06_CRM_GRANT_VERIFIED_EARLIER = "S06_CRM_GRANT_VERIFIED_EARLIER"
    S07_CRM_GRANT_ATTESTED = "S07_CRM_GRANT_ATTESTED"
    S08_CRM_GRANT_BARE = "S08_CRM_GRANT_BARE"
    S09_CRM_GRANT_IMPLAUSIBLE_TIME = "S09_CRM_GRANT_IMPLAUSIBLE_TIME"
    S10_CRM_BLANKED = "S10_CRM_BLANKED"
    S11_CRM_METADATA_EDIT = "S11_CRM_METADATA_EDIT"
    S12_FLAG_SET = "S12_FLAG_SET"
    S13_FLAG_CLEARED = "S13_FLAG_CLEARED"
    S14_INDIVIDUAL_RIGHTS_FLAG = "S14_INDIVIDUAL_RIGHTS_FLAG"
    S15_CONTACT_NEW = "S15_CONTACT_NEW"
    S16_CONTACT_DELETED = "S16_CONTACT_DELETED"
    S17_CONTACT_PURGED = "S17_CONTACT_PURGED"
    S18_CONTACT_UNDELETED = "S18_CONTACT_UNDELETED"
    S19_CONTACT_MERGED = "S19_CONTACT_MERGED"
    S20_DUPLICATE_CONTACT_POINT = "S20_DUPLICATE_CONTACT_POINT"
    S21_CONTACT_POINT_CHANGED = "S21_CONTACT_POINT_CHANGED"
    S22_PERM_DELETED = "S22_PERM_DELETED"
    S23_PERM_UNDELETED_OR_DOUBLED = "S23_PERM_UNDELETED_OR_DOUBLED"
    S24_PERM_REPARENTED = "S24_PERM_REPARENTED"
    S25_PERM_UNMAPPABLE = "S25_PERM_UNMAPPABLE"
    S26_MASS_CHANGE = "S26_MASS_CHANGE"
    S27_EXPIRY_DUE = "S27_EXPIRY_DUE"
    S28_RENEWAL_WINDOW = "S28_RENEWAL_WINDOW"
    S29_PURPOSE_RETIRED = "S29_PURPOSE_RETIRED"
    S30_NOTICE_MATERIAL_CHANGE = "S30_NOTICE_MATERIAL_CHANGE"
    S31_NOTICE_MINOR_CHANGE = "S31_NOTICE_MINOR_CHANGE"
    S32_BASIS_REASSIGNED = "S32_BASIS_REASSIGNED"
    S33_JURISDICTION_CHANGED = "S33_JURISDICTION_CHANGED"
    S34_WRITE_REJECTED = "S34_WRITE_REJECTED"


class Extra(StrEnum):
    """What is decided beside the situations, and means the same whatever the ledger holds."""

    PORTABILITY_ASKED = "PORTABILITY_ASKED"
    CLAIM_TIMED_OUT = "CLAIM_TIMED_OUT"
    CASE_DUE_SOON = "CASE_DUE_SOON"
    CASE_OVERDUE = "CASE_OVERDUE"


class Shared(StrEnum):
    """What people with one address turn out to share."""

    STOP = "STOP"  # the no of one of them, which holds for the address
    POINT = "POINT"  # nothing but the address


# Stops first, then who is who, then the rules and the clock, then claims, then everything else.
PRECEDENCE: tuple[Situation, ...] = (
    Situation.S26_MASS_CHANGE,
    Situation.S04_CRM_STOP,
    Situation.S12_FLAG_SET,
    Situation.S14_INDIVIDUAL_RIGHTS_FLAG,
    Situation.S19_CONTACT_MERGED,
    Situation.S20_DUPLICATE_CONTACT_POINT,
    Situation.S21_CONTACT_POINT_CHANGED,
    Situation.S15_CONTACT_NEW,
    Situation.S18_CONTACT_UNDELETED,
    Situation.S29_PURPOSE_RETIRED,
    Situation.S30_NOTICE_MATERIAL_CHANGE,
    Situation.S31_NOTICE_MINOR_CHANGE,
    Situation.S32_BASIS_REASSIGNED,
    Situation.S33_JURISDICTION_CHANGED,
    Situation.S27_EXPIRY_DUE,
    Situation.S05_CRM_GRANT_VERIFIED_LATER,
    Situation.S06_CRM_GRANT_VERIFIED_EARLIER,
    Situation.S07_CRM_GRANT_ATTESTED,
    Situation.S08_CRM_GRANT_BARE,
    Situation.S09_CRM_GRANT_IMPLAUSIBLE_TIME,
    Situation.S10_CRM_BLANKED,
    Situation.S11_CRM_METADATA_EDIT,
    Situation.S13_FLAG_CLEARED,
    Situation.S16_CONTACT_DELETED,
    Situation.S17_CONTACT_PURGED,
    Situation.S22_PERM_DELETED,
    Situation.S23_PERM_UNDELETED_OR_DOUBLED,
    Situation.S24_PERM_REPARENTED,
    Situation.S25_PERM_UNMAPPABLE,
    Situation.S03_LEDGER_AHEAD,
    Situation.S28_RENEWAL_WINDOW,
    Situation.S34_WRITE_REJECTED,
    Situation.S01_UNCHANGED,
    Situation.S02_OWN_ECHO,
)
# An extra goes right after the situation it is most like.
_AFTER: Mapping[Extra, Situation] = {
    Extra.PORTABILITY_ASKED: Situation.S14_INDIVIDUAL_RIGHTS_FLAG,
    Extra.CLAIM_TIMED_OUT: Situation.S27_EXPIRY_DUE,
    Extra.CASE_DUE_SOON: Situation.S28_RENEWAL_WINDOW,
    Extra.CASE_OVERDUE: Situation.S28_RENEWAL_WINDOW,
}
RANK: Mapping[Situation | Extra, int] = {
    **{situation: 10 * place for place, situation in enumerate(PRECEDENCE)},
    **{extra: 10 * PRECEDENCE.index(before) + 2 for extra, before in _AFTER.items()},
}
# Between a mass change, which goes first, and everything else.
_RANK_OF_ERASED = 1
_RANK_OF_UNKNOWN = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One situation, found on one Contact for one use."""

    situation: Situation | Extra
    contact_id: ContactId
    use: Use
    row_id: RowId | None = None
    observed: Mapping[str, tuple[Value, Value]] = field(default_factory=dict)
    stamp: datetime | None = None  # when Salesforce says the record last changed
    actor: str | None = None
    objects: bool = False  # the request says "Objects": more than one use is meant
    channel: Channel | None = None  # a standard flag closes this channel for all marketing
    evidence_ref: str | None = None
    note_digest: str | None = None
    proof: Proof | None = None
    # the flags of the Individual that were set, by their fields in `facts`, the heaviest first; each of
    # them has to be acted on, for one use is told about once
    rights: tuple[str, ...] = ()
    individual: str | None = None  # the heaviest of them
    notice_id: str | None = None  # the newer notice
    of_erased: bool = False  # nothing but a suppression is left of the person: see `rank_of`
    shared: Shared | None = None  # with another person's Contact
    unknown: bool = False  # a bridge wrote it, and this ledger does not know it: see `rank_of`


def rank_of(finding: Finding) -> int:
    """Say when it is a finding's turn: what is found about somebody who was erased goes before all but a
    mass change, whatever it is; so does what another bridge wrote, for it is about the ledger as it was
    before anything on that record is acted on."""
    rank = _RANK_OF_UNKNOWN if finding.unknown else RANK[finding.situation]
    return min(rank, _RANK_OF_ERASED) if finding.of_erased else rank


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Sort findings into the order in which they are acted on."""
    found = tuple(findings)
    if len(found) < 2:  # noqa: PLR2004 (one alone is in order)
        return found
    return tuple(
        sorted(
            found,
            key=lambda each: (
                rank_of(each),
                RANK[each.situation],
                each.contact_id,
                each.use.purpose,
                each.use.channel,
            ),
        )
    )
