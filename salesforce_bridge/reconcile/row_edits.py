"""What somebody did to a `Permission__c` row: stops, grants, blanks and drift, by comparing three sides."""

from collections.abc import Iterator, Mapping
from dataclasses import fields as fields_of
from dataclasses import replace

from salesforce_bridge.permissions.keys import (
    ANY_CHANNEL,
    ANY_PURPOSE,
    Channel,
    ContactId,
    PurposeKey,
    Use,
)
from salesforce_bridge.permissions.policy import Policy
from salesforce_bridge.reconcile.facts import RowCase, RowFields, RowSnapshot
from salesforce_bridge.reconcile.findings import Finding, Situation
from salesforce_bridge.reconcile.intent import Value
from salesforce_bridge.reconcile.words import STOP_REQUESTS, Request, Status

# These three travel with a write and never cause one, so they are not compared.
TRAVELLING = frozenset({"ledger_revision", "ledger_digest", "reconciled_at"})
TRACKED = tuple(each.name for each in fields_of(RowFields) if each.name not in TRAVELLING)
_REQUEST = ("request", "request_note", "request_evidence", "request_handled", "deleted")

# A row that names no use the policy knows still carries a stop: it counts for all marketing.
UNMAPPED = Use(purpose=ANY_PURPOSE, channel=ANY_CHANNEL)
_NARROWED = frozenset({Status.LAPSED.value, Status.LIMITED.value, Status.ASKED.value})
_BLANK = frozenset({None, Status.NOT_ASKED.value})
_WORDS = frozenset({None, *(each.value for each in Status if each is not Status.PARTLY_PERMITTED)})
# Fields whose change has a situation of its own; a change of any other is drift.
_JUDGED_ELSEWHERE = frozenset(
    {"contact_id", "request", "request_note", "request_evidence", "consent_status", "deleted"}
)

Differences = Mapping[str, tuple[Value, Value]]


def row_situations(
    row: RowCase, *, contact_id: ContactId, merged: frozenset[ContactId], policy: Policy
) -> Iterator[Finding]:
    """Name everything that happened to one row since both sides last agreed.

    `merged` are Contacts that were deleted or merged: Salesforce itself moves or detaches their rows.
    """
    seen = row.seen
    if seen is None:
        return
    agreed = nearest(row, seen)
    edits = differences(agreed, seen)
    uses = uses_of(seen.fields, policy=policy)
    here = Finding(
        situation=Situation.S01_UNCHANGED,
        contact_id=contact_id,
        use=uses[0],
        row_id=seen.row_id,
        observed=edits,
        stamp=seen.modstamp,
        actor=seen.modified_by,
        evidence_ref=seen.request_evidence or seen.fields.evidence_ref,
        note_digest=seen.request_note,
    )
    if is_stop(agreed, seen):
        objects = seen.request == Request.OBJECTS
        observed = edits or {"request": (None, seen.request)}
        for use in uses:
            yield replace(
                here, situation=Situation.S04_CRM_STOP, use=use, objects=objects, observed=observed
            )
    elif not seen.deleted:
        yield from _claims(here, agreed, seen)
    yield from _moves(here, agreed, seen, merged=merged, policy=policy)


def nearest(row: RowCase, seen: RowSnapshot) -> RowSnapshot | None:
    """Pick, of the states both sides may last have agreed on, the one that explains most of what is seen."""
    agreed = tuple(each for each in (row.mirror, *row.asked) if each is not None)
    return min(agreed, key=lambda each: len(differences(each, seen)), default=None)


def differences(agreed: RowSnapshot | None, seen: RowSnapshot) -> Differences:
    """Name the tracked fields in which a row differs from what was agreed; nothing on first sight."""
    if agreed is None:
        return {}
    changed: dict[str, tuple[Value, Value]] = {}
    for name in TRACKED:
        before, now = getattr(agreed.fields, name), getattr(seen.fields, name)
        if before != now:
            changed[name] = (before, now)
    for name in _REQUEST:
        before, now = getattr(agreed, name), getattr(seen, name)
        if before != now:
            changed[name] = (before, now)
    return changed


def is_stop(agreed: RowSnapshot | None, seen: RowSnapshot) -> bool:
    """Recognise every way of saying no on a row; any narrowing by hand is taken for one."""
    if seen.request in STOP_REQUESTS:
        return True
    was = agreed.fields.consent_status if agreed is not None else None
    now = seen.fields.consent_status
    if now == was:
        return agreed is not None and _ends_earlier(agreed.fields, seen.fields)
    return now == Status.STOPPED or (was == Status.PERMITTED and now in _NARROWED)


def uses_of(fields: RowFields, *, policy: Policy) -> tuple[Use, ...]:
    """Say what a row is about: what its key names first, then what its fields say, if that differs."""
    named = key_use(fields.ledger_key)
    typed = typed_use(fields)
    known = tuple(
        dict.fromkeys(use for use in (named, typed) if use is not None and is_known(use, policy))
    )
    return known or (UNMAPPED,)


def is_known(use: Use, policy: Policy) -> bool:
    """Say whether the policy knows both the purpose and the channel."""
    return use.purpose in policy.purposes and use.channel in policy.channels


def typed_use(fields: RowFields) -> Use | None:
    """Read the use from the purpose and channel fields."""
    if not fields.purpose or not fields.channel:
        return None
    return Use(purpose=PurposeKey(fields.purpose), channel=Channel(fields.channel))


def key_use(ledger_key: str | None) -> Use | None:
    """Read the use from a ledger key `<Contact id>:<purpose>:<channel>`."""
    parts = (ledger_key or "").split(":")
    if len(parts) != 3:  # noqa: PLR2004 (a key has three parts)
        return None
    return Use(purpose=PurposeKey(parts[1]), channel=Channel(parts[2]))


def key_contact(ledger_key: str | None) -> ContactId | None:
    """Read from a ledger key the Contact that its row was made for."""
    return ContactId(ledger_key.split(":", 1)[0]) if ledger_key else None


def _claims(here: Finding, agreed: RowSnapshot | None, seen: RowSnapshot) -> Iterator[Finding]:
    was = agreed.fields.consent_status if agreed is not None else None
    now = seen.fields.consent_status
    edited = agreed is not None
    if seen.request == Request.GRANT or _widened(agreed, seen):
        yield replace(here, situation=_kind_of_claim(agreed, seen))
    elif edited and now in _BLANK and was not in _BLANK:
        yield replace(here, situation=Situation.S10_CRM_BLANKED)
    if edited and any(name not in _JUDGED_ELSEWHERE for name in here.observed):
        yield replace(here, situation=Situation.S11_CRM_METADATA_EDIT)


def _widened(agreed: RowSnapshot | None, seen: RowSnapshot) -> bool:
    now = seen.fields.consent_status
    if agreed is None or agreed.fields.consent_status != now:
        return now == Status.PERMITTED
    return now == Status.PERMITTED and _ends_later(agreed.fields, seen.fields)


def _kind_of_claim(agreed: RowSnapshot | None, seen: RowSnapshot) -> Situation:
    claimed_at = seen.fields.capture_date
    retyped = agreed is None or agreed.fields.capture_date != claimed_at
    if retyped and claimed_at is not None and claimed_at > seen.modstamp:
        return Situation.S09_CRM_GRANT_IMPLAUSIBLE_TIME
    if seen.request == Request.GRANT:
        proof = seen.request_evidence
    else:
        written = agreed.fields.evidence_ref if agreed is not None else None
        proof = seen.fields.evidence_ref if seen.fields.evidence_ref != written else None
    return Situation.S07_CRM_GRANT_ATTESTED if proof else Situation.S08_CRM_GRANT_BARE


def _moves(
    here: Finding,
    agreed: RowSnapshot | None,
    seen: RowSnapshot,
    *,
    merged: frozenset[ContactId],
    policy: Policy,
) -> Iterator[Finding]:
    if seen.deleted:
        if agreed is not None and not agreed.deleted:
            yield replace(here, situation=Situation.S22_PERM_DELETED)
        return
    if agreed is not None and agreed.deleted:
        yield replace(here, situation=Situation.S23_PERM_UNDELETED_OR_DOUBLED)
    home = agreed.fields.contact_id if agreed is not None else key_contact(seen.fields.ledger_key)
    if home is not None and seen.fields.contact_id != home and home not in merged:
        yield replace(here, situation=Situation.S24_PERM_REPARENTED)
    typed = typed_use(seen.fields)
    unknown_words = seen.fields.consent_status not in _WORDS
    if typed is None or not is_known(typed, policy) or unknown_words:
        yield replace(here, situation=Situation.S25_PERM_UNMAPPABLE)


def _ends_earlier(agreed: RowFields, seen: RowFields) -> bool:
    if agreed.consent_status != Status.PERMITTED or seen.effective_to is None:
        return False
    return agreed.effective_to is None or seen.effective_to < agreed.effective_to


def _ends_later(agreed: RowFields, seen: RowFields) -> bool:
    if agreed.effective_to is None:
        return False
    return seen.effective_to is None or seen.effective_to > agreed.effective_to
