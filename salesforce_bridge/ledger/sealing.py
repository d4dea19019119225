"""Appending to the chain: the one way an entry comes to be."""

from collections.abc import Callable, Collection, Mapping, Sequence

from sqlalchemy import Connection, select

from salesforce_bridge.audit.canonical import canonical
from salesforce_bridge.audit.chain import commit, seal
from salesforce_bridge.audit.entries import Draft, Pseudonym
from salesforce_bridge.ledger import bulk, heads
from salesforce_bridge.ledger.tables import audit_entry, audit_payload, subject

Nonces = Callable[[], bytes]


def append(connection: Connection, drafts: Sequence[Draft], *, nonces: Nonces) -> None:
    """Seal drafts in their order; if this fails, so does everything else in the transaction."""
    if not drafts:
        return
    head = heads.lock(connection)
    entries: list[Mapping[str, object]] = []
    payloads: list[Mapping[str, object]] = []
    last_hash, seq = head.last_hash, head.seq
    for seq, draft in enumerate(drafts, start=head.seq + 1):
        nonce, payload, header = nonces(), canonical(draft.payload), draft.header
        entry = seal(header, seq=seq, prev_hash=last_hash, commitment=commit(payload, nonce))
        last_hash = entry.entry_hash
        entries.append(
            {
                "seq": seq,
                "kind": header["kind"],
                "ref": header["ref"],
                "subject_key": header["subject_key"],
                "header": entry.header.decode(),
                "entry_hash": last_hash,
            }
        )
        payloads.append({"seq": seq, "nonce": nonce, "payload": payload.decode()})
    bulk.put(connection, audit_entry, entries)
    bulk.put(connection, audit_payload, payloads)
    heads.move(connection, {"seq": seq, "last_hash": last_hash})


def pseudonyms(connection: Connection, subject_ids: Collection[str]) -> dict[str, Pseudonym]:
    """Under which keys people appear in headers; people who were forgotten have none."""
    found = bulk.look_up(
        connection,
        select(subject.c.id, subject.c.subject_key, subject.c.salt),
        subject.c.id,
        subject_ids,
    )
    return {
        row.id: Pseudonym(subject_key=row.subject_key, salt=row.salt)
        for row in found
        if row.subject_key is not None
    }


def new_pseudonym(nonces: Nonces) -> Pseudonym:
    """Draw a random key and salt for a person the ledger has just met."""
    drawn = nonces().hex()
    return Pseudonym(subject_key=f"sk_{drawn[:32]}", salt=drawn[32:64])
