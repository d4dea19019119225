"""A trial: what another policy would decide about everybody in the ledger, without asking or telling anybody."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from salesforce_bridge.ledger.store import Ledger, Tx
from salesforce_bridge.permissions.keys import Channel, ContactId, OrgId, PurposeKey, Use
from salesforce_bridge.permissions.policy import Policy
from salesforce_bridge.reconcile.dossiers import Sight, assemble, owner_of
from salesforce_bridge.reconcile.facts import Dossier, RowSnapshot
from salesforce_bridge.reconcile.intent import Plan, Target, Verb, Write
from salesforce_bridge.reconcile.plan import make_plan
from salesforce_bridge.sight import Reading, closed, lay_in_sight

CHUNK = 500  # Contacts held in memory at a time, and whoever is judged with them
ROUNDS_MAX = 10  # people who share an address with people who share an address …
NO_ROW = "—"

Place = tuple[ContactId, Use]


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Changed:
    """One answer that would be another."""

    contact_id: ContactId
    use: Use
    before: str  # in the words of `Consent_Status__c`
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What both policies would decide, and for whom the answer differs."""

    people: int
    before: Mapping[str, int]  # decisions by reason
    after: Mapping[str, int]
    differing: int  # answers, over all people
    changed: tuple[Changed, ...]  # some of them


def try_policy(
    ledger: Ledger,
    org_id: OrgId,
    *,
    before: Policy,
    after: Policy,
    at: datetime,
    sample: int = 10,
    chunk: int = CHUNK,
) -> Trial:
    """Judge everybody as the ledger last saw them, under one policy and then under the other.

    Salesforce is not asked, so that what people have changed there since is not in it.
    """
    reasons = (Counter[str](), Counter[str]())
    people, differing = 0, 0
    changed: list[Changed] = []
    for page in _pages(ledger, org_id, chunk=chunk):
        with ledger.reading() as tx:
            sight = _sight(tx, org_id, page, before=before)
            revision = tx.head().revision
        dossiers = tuple(each for each in assemble(sight) if _first(each) in page)
        shown = []
        for policy, counted in zip((before, after), reasons, strict=True):
            plan = make_plan(
                dossiers,
                org_id=org_id,
                policy=policy,
                at=at,
                revision=revision,
                salt="trial",
                earlier={before.digest: before},
            )
            counted.update(each.reason for each in plan.decisions)
            shown.append(_shown(sight, plan))
        people += sum(len(each.subjects) for each in dossiers)
        found = _differences(*shown)
        differing += len(found)
        changed += found[: max(0, sample - len(changed))]
    return Trial(
        people=people,
        before=reasons[0],
        after=reasons[1],
        differing=differing,
        changed=tuple(changed),
    )


def _pages(ledger: Ledger, org_id: OrgId, *, chunk: int) -> Iterator[frozenset[ContactId]]:
    after: ContactId | None = None
    while True:
        with ledger.reading() as tx:
            page = tx.contacts_page(org_id, after=after, limit=chunk)
        if not page:
            return
        yield frozenset(page)
        after = page[-1]


def _sight(tx: Tx, org_id: OrgId, page: frozenset[ContactId], *, before: Policy) -> Sight:
    """Lay out everybody on a page and all who are judged with them, as if last judged under `before`."""
    judged = page
    for _ in range(ROUNDS_MAX):
        wider = closed(tx, org_id, judged, {}, {})
        if wider == judged:
            break
        judged = wider
    reading = Reading(asked_for=frozenset(), contacts={}, rows={}, judged=judged)
    sight = lay_in_sight(tx, org_id, reading)
    records = {
        subject_id: replace(record, policy_digest=before.digest)
        for subject_id, record in sight.records.items()
    }
    return replace(sight, records=records)


def _first(dossier: Dossier) -> ContactId | None:
    """Name the Contact on whose page a group of people is counted, so that it is counted once."""
    linked = (case.contact_id for case in dossier.cases if case.link is not None)
    return min(linked, default=None)


def _shown(sight: Sight, plan: Plan) -> Mapping[Place, str]:
    """Say what every row would show once a plan is carried out."""
    places = {
        row_id: place
        for row_id, row in sight.row_mirrors.items()
        if (place := _place(row, sight.row_owners.get(row_id))) is not None
    }
    shown = {
        place: sight.row_mirrors[row_id].fields.consent_status or NO_ROW
        for row_id, place in places.items()
    }
    by_id: Mapping[str, Place] = {str(row_id): place for row_id, place in places.items()}
    for write in plan.writes:
        status = write.fields.get("consent_status")
        place = by_id.get(write.record_id or "") or _place_of_key(write)
        if write.target is not Target.ROW or place is None:
            continue
        if write.verb is Verb.DELETE:
            shown[place] = NO_ROW
        elif isinstance(status, str):
            shown[place] = status
    return shown


def _place(row: RowSnapshot, remembered: ContactId | None) -> Place | None:
    contact_id = owner_of(row, remembered)
    purpose, channel = row.fields.purpose, row.fields.channel
    if contact_id is None or purpose is None or channel is None:
        return None
    return contact_id, Use(purpose=PurposeKey(purpose), channel=Channel(channel))


def _place_of_key(write: Write) -> Place | None:
    if write.ledger_key is None:
        return None
    _, purpose, channel = write.ledger_key.split(":")
    return write.contact_id, Use(purpose=PurposeKey(purpose), channel=Channel(channel))


def _differences(before: Mapping[Place, str], after: Mapping[Place, str]) -> list[Changed]:
    places = sorted({*before, *after}, key=lambda each: (each[0], each[1].purpose, each[1].channel))
    return [
        Changed(
            contact_id=place[0],
            use=place[1],
            before=before.get(place, NO_ROW),
            after=after.get(place, NO_ROW),
        )
        for place in places
        if before.get(place, NO_ROW) != after.get(place, NO_ROW)
    ]
