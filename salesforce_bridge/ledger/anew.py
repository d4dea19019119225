"""Beginning anew: somebody who was erased says yes once more, and is a new person to the ledger."""

from datetime import datetime

from salesforce_bridge.ledger.deeds import Facts
from salesforce_bridge.ledger.erasing import PersonErased
from salesforce_bridge.ledger.picture import Picture
from salesforce_bridge.permissions.evidence import Trust
from salesforce_bridge.permissions.keys import SubjectId
from salesforce_bridge.reconcile.facts import ACTIVE, LIVE_LINKS, Link, SubjectRecord
from salesforce_bridge.reconcile.identity import stable_id
from salesforce_bridge.reconcile.intent import NewSubject, PointChange, PointMove


def begin_anew(
    tx: Picture, erased: SubjectRecord, *, trust: Trust, happened_at: datetime
) -> tuple[SubjectRecord, Facts]:
    """Give the new person behind the Contacts of an erased one; only their own act begins one."""
    if trust is not Trust.SUBJECT_DIRECT:
        raise PersonErased(
            "this person was erased; only a yes of their own, after that, begins anew",
            hint="give proof of grade A that is the person's own act, and have it approved",
        )
    whose = SubjectId(stable_id("subject", "anew", erased.subject_id, happened_at.isoformat()))
    links = tuple(
        Link(subject_id=whose, org_id=link.org_id, contact_id=link.contact_id, state=ACTIVE)
        for link in erased.links
        if link.state in LIVE_LINKS
    )
    points = {
        point: PointChange(subject_id=whose, point=point, move=PointMove.REGISTER)
        for link in links
        for seen in tx.contact_mirrors(link.org_id, [link.contact_id]).values()
        for point in seen.points
    }
    person = NewSubject(
        subject_id=whose, jurisdiction=erased.jurisdiction, subject_class=erased.subject_class
    )
    record = SubjectRecord(
        subject_id=whose,
        revision=0,
        jurisdiction=person.jurisdiction,
        subject_class=person.subject_class,
        permissions={},
        stops=(),
        conditions=(),
        points=(),
        links=links,
        candidates=(),
    )
    return record, Facts(new_subjects=(person,), links=links, points=tuple(points.values()))
