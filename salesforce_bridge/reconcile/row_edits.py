"""What somebody did to a `Permission__c` row: stops, grants, blanks and drift, by comparing three sides."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import fields as fields_of
from dataclasses import replace
from datetime import datetime
from operator import attrgetter

from salesforce_bridge.permissions.keys import (
    ANY_CHANNEL,
    ANY_PURPOSE,
    Channel,
    ContactId,
    PurposeKey,
    Use,
)
from salesforce_bridge.permissions.policy import Policy
from salesforce_bridge.reconcile.claims import claim_on
from salesforce_bridge.reconcile.facts import (
    ContactSnapshot,
    RowCase,
    RowFields,
    RowSnapshot,
    SubjectRecord,
)
from salesforce_bridge.reconcile.findings import Finding, Situation
from salesforce_bridge.reconcile.intent import Value
from salesforce_bridge.reconcile.objections import is_told
from salesforce_bridge.reconcile.words import STOP_REQUESTS, Request, Status

# These three travel with a write and never cause one, so they are not compared.
TRAVELLING = frozenset({"ledger_revision", "ledger_digest", "reconciled_at"})
TRACKED = tuple(each.name for each in fields_of(RowFields) if each.name not in TRAVELLING)
_NAMING = frozenset({"purpose", "channel", "consent_status", "deleted"})
_REQUEST = ("request", "request_note", "request_evidence", "request_handled", "deleted")

TRACKED_OF = attrgetter(*TRACKED)
_REQUEST_OF = attrgetter(*_REQUEST)

# A row that names no use the policy knows still carries a stop: it counts for all marketing.
UNMAPPED = Use(purpose=ANY_PURPOSE, channel=ANY_CHANNEL)
_ONLY_UNMAPPED = (UNMAPPED,)
_NARROWED = frozenset({Status.LAPSED.value, Status.LIMITED.value, Status.ASKED.value})
_BLANK = frozenset({None, Status.NOT_ASKED.value})
_WORDS = frozenset({None, *(each.value for each in Status if each is not Status.PARTLY_PERMITTED)})
# Fields whose change has a situation of its own; a change of any other is drift.
_JUDGED_ELSEWHERE = frozenset(
    {"contact_id", "request", "request_note", "request_evidence", "consent_status", "deleted"}
)

Differences = Mapping[str, tuple[Value, Value]]


def row_situations(
    row: RowCase,
    *,
    contact_id: ContactId,
    record: SubjectRecord,
    contact: ContactSnapshot | None,
    alive: Collection[ContactId],
    policy: Policy,
    at: datetime,
) -> Iterator[Finding]:
    """Name everything that happened to one row since both sides last agreed.

    Without a `contact` nobody can say whose yes is claimed on it, so people have to look at the claim.
    Rows of a Contact that is not `alive` are moved or detached by Salesforce itself.
    """
    seen = row.seen
    agreed = nearest(row, seen)
    edits = differences(agreed, seen)
    uses = uses_of(row, policy=policy)
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
    objects = seen.request == Request.OBJECTS
    pending = seen.request in STOP_REQUESTS and not _was_judged_at_its_end(agreed, seen)
    # A request that stays because it could not be cleared was heard; set anew, it counts anew.
    stopped = _narrowed(agreed, seen) or (
        pending
        and (
            agreed is None
            or agreed.request != seen.request
            or not all(is_told(record, use, objects=objects, policy=policy, at=at) for use in uses)
        )
    )
    if stopped:
        observed = edits or {"request": (None, seen.request)}
        for use in uses:
            yield replace(
                here, situation=Situation.S04_CRM_STOP, use=use, objects=objects, observed=observed
            )
    elif not seen.deleted:
        claim = claim_on(here, agreed, seen, record=record, contact=contact, policy=policy, at=at)
        if claim is not None:
            yield claim
        yield from _drift(here, agreed, seen, claimed=claim is not None)
    yield from _moves(here, agreed, seen, key=key_of(row), alive=alive, policy=policy)


def is_untouched(row: RowCase) -> bool:
    """Say whether there is nothing to name on a row: it is as both sides know it, and nobody asks for anything."""
    seen, agreed = row.seen, row.mirror
    if agreed is None or seen.request is not None:
        return False
    return agreed is seen or (
        agreed.fields == seen.fields and _REQUEST_OF(agreed) == _REQUEST_OF(seen)
    )


def _was_judged_at_its_end(agreed: RowSnapshot | None, seen: RowSnapshot) -> bool:
    """A row is judged for stops before it goes; once both sides know it is gone, nobody can type on it."""
    return agreed is not None and agreed.deleted and seen.deleted and agreed.request == seen.request


def nearest(row: RowCase, seen: RowSnapshot) -> RowSnapshot | None:
    """Pick, of the states both sides may last have agreed on, the one that explains most of what is seen."""
    if not row.asked:
        return row.mirror
    agreed = (row.mirror, *row.asked) if row.mirror is not None else row.asked
    return min(agreed, key=lambda each: len(differences(each, seen)))


def differences(agreed: RowSnapshot | None, seen: RowSnapshot) -> Differences:
    """Name the tracked fields in which a row differs from what was agreed; nothing on first sight."""
    if agreed is None:
        return {}
    changed: dict[str, tuple[Value, Value]] = {}
    for names, values, one, other in (
        (TRACKED, TRACKED_OF, agreed.fields, seen.fields),
        (_REQUEST, _REQUEST_OF, agreed, seen),
    ):
        was, now = values(one), values(other)
        if was != now:
            changed |= {
                name: (before, after)
                for name, before, after in zip(names, was, now, strict=True)
                if before != after
            }
    return changed


def uses_of(row: RowCase, *, policy: Policy) -> tuple[Use, ...]:
    """Say what a row is about: what its key names first, then what its fields say, if that differs."""
    fields = row.seen.fields
    # What the policy knows is looked up, so that every row of a use speaks of one and the same value.
    named = policy.named.get((key_of(row) or "").partition(":")[2])
    typed = policy.known.get((fields.purpose or "", fields.channel or ""))
    if named is None:
        return _ONLY_UNMAPPED if typed is None else (typed,)
    return (named,) if typed is None or typed is named else (named, typed)


def key_of(row: RowCase) -> str | None:
    """Give the key of a row: it is never rewritten, so what was agreed goes before what was typed over it."""
    agreed = row.mirror.fields.ledger_key if row.mirror is not None else None
    return agreed or row.seen.fields.ledger_key


def is_known(use: Use, policy: Policy) -> bool:
    """Say whether the policy knows both the purpose and the channel."""
    return use.purpose in policy.purposes and use.channel in policy.channels


def typed_use(fields: RowFields) -> Use | None:
    """Read the use from the purpose and channel fields."""
    if not fields.purpose or not fields.channel:
        return None
    return Use(purpose=PurposeKey(fields.purpose), channel=Channel(fields.channel))


def key_contact(ledger_key: str | None) -> ContactId | None:
    """Read from a ledger key the Contact that its row was made for."""
    return ContactId(ledger_key.split(":", 1)[0]) if ledger_key else None


def _narrowed(agreed: RowSnapshot | None, seen: RowSnapshot) -> bool:
    """Recognise a no that was typed over a result; any narrowing by hand is taken for one."""
    was = agreed.fields.consent_status if agreed is not None else None
    now = seen.fields.consent_status
    if now == was:
        return agreed is not None and _ends_earlier(agreed.fields, seen.fields)
    return now == Status.STOPPED or (was == Status.PERMITTED and now in _NARROWED)


def _drift(
    here: Finding, agreed: RowSnapshot | None, seen: RowSnapshot, *, claimed: bool
) -> Iterator[Finding]:
    if agreed is None:
        return
    was, now = agreed.fields.consent_status, seen.fields.consent_status
    blanked = not claimed and now in _BLANK and was not in _BLANK
    if blanked:
        yield replace(here, situation=Situation.S10_CRM_BLANKED)
    # Another word that says neither yes nor no is drift like any other; one we do not know is looked at.
    reworded = was != now and now in _WORDS and not (blanked or claimed)
    if reworded or any(name not in _JUDGED_ELSEWHERE for name in here.observed):
        yield replace(here, situation=Situation.S11_CRM_METADATA_EDIT)


def _moves(
    here: Finding,
    agreed: RowSnapshot | None,
    seen: RowSnapshot,
    *,
    key: str | None,
    alive: Collection[ContactId],
    policy: Policy,
) -> Iterator[Finding]:
    if seen.deleted:
        if agreed is not None and not agreed.deleted:
            yield replace(here, situation=Situation.S22_PERM_DELETED)
        return
    if agreed is not None and agreed.deleted:
        yield replace(here, situation=Situation.S23_PERM_UNDELETED_OR_DOUBLED)
    home = agreed.fields.contact_id if agreed is not None else key_contact(key)
    if home in alive and seen.fields.contact_id != home:
        yield replace(here, situation=Situation.S24_PERM_REPARENTED)
    if _is_odd(seen, policy) and (agreed is None or here.observed.keys() & _NAMING):
        yield replace(here, situation=Situation.S25_PERM_UNMAPPABLE)


def _is_odd(seen: RowSnapshot, policy: Policy) -> bool:
    typed = typed_use(seen.fields)
    return typed is None or not is_known(typed, policy) or seen.fields.consent_status not in _WORDS


def _ends_earlier(agreed: RowFields, seen: RowFields) -> bool:
    if agreed.consent_status != Status.PERMITTED or seen.effective_to is None:
        return False
    return agreed.effective_to is None or seen.effective_to < agreed.effective_to
