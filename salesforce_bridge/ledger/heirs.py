"""Heirs: whoever took over from a person that was merged away, and so has to hear what that person says."""

from collections.abc import Iterator

from salesforce_bridge.ledger.picture import Picture
from salesforce_bridge.permissions.keys import SubjectId
from salesforce_bridge.reconcile.facts import SubjectRecord


def heirs_of(tx: Picture, record: SubjectRecord) -> tuple[SubjectRecord, ...]:
    """Name the people of the Contacts into which those of a person were merged, and of those after them.

    What a person had said when they were merged was carried then; a no that comes later is told to both.
    """
    found: dict[SubjectId, SubjectRecord] = {}
    ahead = [record]
    while ahead:
        for heir in _next(tx, ahead.pop()):
            if heir.subject_id not in found and heir.subject_id != record.subject_id:
                found[heir.subject_id] = heir
                ahead.append(heir)
    return tuple(found[each] for each in sorted(found))


def _next(tx: Picture, record: SubjectRecord) -> Iterator[SubjectRecord]:
    for link in record.links:
        if link.merged_into is not None:
            masters = tx.links_of(link.org_id, {link.merged_into})
            yield from tx.subjects({master.subject_id for master in masters.values()}).values()
