"""Who is concerned: the Contacts of one look, closed over people, merges and addresses, and all that is known of them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from salesforce_bridge.ledger.store import Tx
from salesforce_bridge.permissions.keys import ContactId, OrgId, RowId, SubjectId
from salesforce_bridge.reconcile.dossiers import Sight, owner_of
from salesforce_bridge.reconcile.facts import (
    LIVE_LINKS,
    ContactSnapshot,
    RowSnapshot,
    SubjectRecord,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What was read for one batch, and every Contact that has to be judged with it."""

    asked_for: frozenset[ContactId]
    contacts: Mapping[ContactId, ContactSnapshot]
    rows: Mapping[RowId, RowSnapshot]
    judged: frozenset[ContactId]


def closed(
    tx: Tx,
    org_id: OrgId,
    judged: frozenset[ContactId],
    contacts: Mapping[ContactId, ContactSnapshot],
    rows: Mapping[RowId, RowSnapshot],
) -> frozenset[ContactId]:
    """Add every Contact whose person, merge, row or address one of these shares.

    A suppression adds nobody: it is all that is left of whom it belonged to.
    """
    found = set(judged)
    known = tx.row_mirrors(org_id, rows.keys())
    for row_id, row in rows.items():
        before = known.get(row_id)
        owners = (owner_of(row), owner_of(before) if before is not None else None)
        found |= {owner for owner in owners if owner is not None}
    found |= {each.master_id for each in contacts.values() if each.master_id is not None}
    found |= _taken_over_by(tx, org_id, found)
    links = tx.links_of(org_id, found)
    people = {link.subject_id for link in links.values()}
    # Of who is gone, or was not asked for, only the mirror knows which addresses there were.
    unread = found - {each.contact_id for each in contacts.values() if not each.deleted}
    remembered = tx.contact_mirrors(org_id, unread).values()
    hmacs = _addresses((*contacts.values(), *remembered), tx.subjects(people).values())
    sharing = _holders(tx, hmacs)
    records = tx.subjects(people | sharing)
    if len(links) < len(found):
        # Whom nobody has met may be somebody whose Contacts are all gone, with all the addresses they had.
        away = [each for each in records.values() if not _is_at_home(each, org_id)]
        records = {**records, **tx.subjects(_holders(tx, _addresses((), away)) - records.keys())}
    for record in records.values():
        found |= {
            link.contact_id
            for link in record.links
            if link.org_id == org_id and link.state in LIVE_LINKS
        }
    return frozenset(found)


def gone_owners(tx: Tx, org_id: OrgId, rows: Iterable[RowSnapshot]) -> frozenset[ContactId]:
    """Name the Contacts that went and whose rows somebody still types on.

    Of an erased person only the recycle bin still knows the addresses, and a no on such a row is about them.
    """
    owners = {owner for row in rows if (owner := owner_of(row)) is not None}
    links = tx.links_of(org_id, owners)
    return frozenset(each for each, link in links.items() if link.state not in LIVE_LINKS)


def lay_in_sight(tx: Tx, org_id: OrgId, reading: Reading) -> Sight:
    """Lay what was read beside all that is remembered about the same people."""
    links = tx.links_of(org_id, reading.judged)
    held = tx.subjects({link.subject_id for link in links.values()})
    seen = tx.contact_mirrors(org_id, reading.judged)
    hmacs = _addresses((*reading.contacts.values(), *seen.values()), held.values())
    records = {**tx.subjects(_holders(tx, hmacs)), **held}
    remembered = tx.rows_of(org_id, reading.judged)
    owners = {row.row_id: owner for owner, rows in remembered.items() for row in rows}
    mirrors = {row.row_id: row for rows in remembered.values() for row in rows}
    mirrors |= tx.row_mirrors(org_id, reading.rows.keys())
    return Sight(
        asked_for=reading.asked_for,
        contacts=reading.contacts,
        rows=reading.rows,
        contact_mirrors={
            contact_id: _remembered(mirror, reading.contacts.get(contact_id))
            for contact_id, mirror in seen.items()
        },
        row_mirrors=mirrors,
        row_owners=owners,
        links=links,
        records=records,
        pending=tuple(each.write for each in tx.unsettled(org_id, reading.judged)),
        refused=tx.refused_writes(org_id, reading.judged),
        suppressions=tx.suppressions(hmacs | _addresses((), records.values())),
    )


def _remembered(mirror: ContactSnapshot, now: ContactSnapshot | None) -> ContactSnapshot:
    """Of somebody erased the mirror remembers no address, so what they have now is no change of it."""
    if now is None or not mirror.deleted or mirror.points or mirror.country is not None:
        return mirror
    return replace(mirror, points=now.points, older=now.older, country=now.country)


def _taken_over_by(tx: Tx, org_id: OrgId, contact_ids: Iterable[ContactId]) -> frozenset[ContactId]:
    """Name the Contacts that some were merged into, and those into which these were merged since.

    Whoever is taken out of the recycle bin again was one with all of them, and they may have said no.
    """
    found: set[ContactId] = set()
    looked_at = frozenset(contact_ids)
    while looked_at:
        links = tx.links_of(org_id, looked_at).values()
        masters = {link.merged_into for link in links if link.merged_into is not None}
        looked_at = frozenset(masters - found)
        found |= looked_at
    return frozenset(found)


def _is_at_home(record: SubjectRecord, org_id: OrgId) -> bool:
    return any(link.org_id == org_id and link.state in LIVE_LINKS for link in record.links)


def _holders(tx: Tx, hmacs: frozenset[str]) -> frozenset[SubjectId]:
    return frozenset(each for holders in tx.holders(hmacs).values() for each in holders)


def _addresses(
    contacts: Iterable[ContactSnapshot], records: Iterable[SubjectRecord]
) -> frozenset[str]:
    """Give the fingerprints of all addresses, under every key that is known."""
    read = {point.hmac for each in contacts for point in (*each.points, *each.older)}
    held = {held.point.hmac for record in records for held in record.points}
    return frozenset(read | held)
